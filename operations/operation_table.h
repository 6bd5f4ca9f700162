/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of operations and their parameters. From it come the structs
 * that decide functions read, the checks of shape, the doors and the help.
 *
 * Parameters: P(O, KIND, member, Name, flags, least, most, text)
 *   STR    text of least..most characters            text: the default
 *   LINE   the same, and not beginning with http:// or https:// (names, descriptions)
 *   WORD   one of text's words, split by |           DEFAULTED: the first if absent
 *   BOOL   a boolean                                 text: the default, "true" or "false"
 *   INT    an integer in least..most                 text: the default
 *   NUMSTR the same, decimal text too
 *   STRS   an array of text, up to most
 *   SET    the same, or the cloud's comma list or JSON array in one text
 *   RECS   an array of up to most maps, whose parameters text names (no quotes)
 *   ANY    taken as it is
 */
#ifndef IPL_OPERATIONS_OPERATION_TABLE_H
#define IPL_OPERATIONS_OPERATION_TABLE_H

/* clang-format off */

/* Inner records first. */
#define IPL_PARAMS_LIST(X) \
	X(tag) X(nic) X(type) X(transact_step) X(transact) X(none) X(settings) \
	X(create_instance) X(modify_eip) \
	X(associate_cidr) X(unassociate_cidr) X(reboot) X(change_address) X(modify_vpc) \
	X(modify_vswitch) X(describe_vpc) X(check_address) X(describe_status) X(check_guest) \
	X(describe_types) X(create_vpc) X(delete_vpc) X(create_vswitch) \
	X(delete_vswitch) X(run_instances) X(instance) X(stop_instance) \
	X(delete_instance) X(create_eni) X(attach_eni) X(delete_eni) \
	X(assign_private_ips) X(unassign_private_ips) X(modify_network_spec) \
	X(allocate_eip) X(associate_eip) X(unassociate_eip) X(release_eip) \
	X(get_entity) X(lookup_address) X(get_event) X(list_events) X(describe_vpcs) \
	X(describe_vswitches) X(describe_instances) X(describe_eni) X(describe_enis) \
	X(subscribe) X(unsubscribe) X(get_inclusion) X(get_consistency) \
	X(describe_eips) X(hello) X(modify_eni) X(assign_ipv6) X(unassign_ipv6) \
	X(create_ipv6gw) X(delete_ipv6gw) X(allocate_ipv6bw) X(modify_ipv6bw) \
	X(delete_ipv6bw) X(describe_ipv6) X(describe_ipv6gws) X(get_history) X(diff_state) \
	X(list_addresses)

#define IPL_PARAMS_none(P, O)
#define IPL_PARAMS_tag(P, O) \
	P(O, STR, key, Key, REQUIRED, 1, 128, "") \
	P(O, STR, value, Value, 0, 0, 128, "")
#define IPL_PARAMS_nic(P, O) \
	P(O, WORD, type, InstanceType, DEFAULTED, 0, 0, "Secondary|Primary") \
	P(O, STR, vswitch, VSwitchId, 0, 1, 64, "") \
	P(O, STR, primary_ip, PrimaryIpAddress, 0, 1, 64, "") \
	P(O, INT, secondary_count, SecondaryPrivateIpAddressCount, 0, 1, 49, "") \
	P(O, BOOL, delete_on_release, DeleteOnRelease, 0, 0, 0, "true") \
	P(O, STR, eni, NetworkInterfaceId, 0, 1, 64, "") \
	P(O, STR, security_group, SecurityGroupId, 0, 1, 64, "") \
	P(O, STRS, security_groups, SecurityGroupIds, 0, 0, 16, "") \
	P(O, LINE, name, NetworkInterfaceName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, STRS, ipv6, Ipv6Address, 0, 0, 10, "") \
	P(O, INT, ipv6_count, Ipv6AddressCount, 0, 1, 10, "")
#define IPL_PARAMS_type(P, O) \
	P(O, STR, name, InstanceType, REQUIRED, 1, 64, "") \
	P(O, INT, eni_max, EniQuantity, REQUIRED, 1, 64, "") \
	P(O, INT, ip4_max, EniPrivateIpAddressQuantity, REQUIRED, 1, 256, "") \
	P(O, INT, ip6_max, EniIpv6AddressQuantity, 0, 0, 256, "0")
#define IPL_PARAMS_settings(P, O) \
	P(O, STRS, zones, Zones, 0, 1, 64, "") \
	P(O, STRS, public_pools, PublicPools, 0, 1, 64, "") \
	P(O, STR, ipv6_pool, Ipv6Pool, 0, 1, 64, "") \
	P(O, INT, reuse_delay_s, ReuseDelaySeconds, 0, 0, 31536000, "") \
	P(O, ANY, quotas, Quotas, 0, 0, 0, "") \
	P(O, RECS, instance_types, InstanceTypes, 0, 0, 1000, type)

#define IPL_PARAMS_transact_step(P, O) \
	P(O, STR, operation, Operation, REQUIRED, 1, 64, "") \
	P(O, ANY, params, Params, 0, 0, 0, "")
#define IPL_PARAMS_transact(P, O) \
	P(O, RECS, operations, Operations, REQUIRED, 1, 100, transact_step)

#define IPL_PARAMS_create_vpc(P, O) \
	P(O, STR, cidr, CidrBlock, REQUIRED, 0, 64, "") \
	P(O, BOOL, enable_ipv6, EnableIpv6, 0, 0, 0, "false") \
	P(O, STR, ipv6_cidr, Ipv6CidrBlock, 0, 0, 64, "") \
	P(O, LINE, name, VpcName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, RECS, tags, Tag, 0, 0, 20, tag)
#define IPL_PARAMS_delete_vpc(P, O) \
	P(O, STR, vpc, VpcId, REQUIRED, 1, 64, "") \
	P(O, BOOL, force, ForceDelete, 0, 0, 0, "false")
#define IPL_PARAMS_create_vswitch(P, O) \
	P(O, STR, vpc, VpcId, REQUIRED, 1, 64, "") \
	P(O, STR, zone, ZoneId, REQUIRED, 1, 64, "") \
	P(O, STR, cidr, CidrBlock, REQUIRED, 0, 64, "") \
	P(O, INT, ipv6_index, Ipv6CidrBlock, 0, 0, 255, "") \
	P(O, LINE, name, VSwitchName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, RECS, tags, Tag, 0, 0, 20, tag)
#define IPL_PARAMS_delete_vswitch(P, O) \
	P(O, STR, vswitch, VSwitchId, REQUIRED, 1, 64, "")
#define IPL_PARAMS_run_instances(P, O) \
	P(O, STR, type, InstanceType, REQUIRED, 1, 64, "") \
	P(O, STR, vswitch, VSwitchId, 0, 1, 64, "") \
	P(O, STR, zone, ZoneId, 0, 1, 64, "") \
	P(O, INT, amount, Amount, 0, 1, 100, "1") \
	P(O, INT, min_amount, MinAmount, 0, 1, 100, "") \
	P(O, STR, private_ip, PrivateIpAddress, 0, 0, 64, "") \
	P(O, INT, bandwidth_out, InternetMaxBandwidthOut, 0, -1000000, 1000000, "0") \
	P(O, INT, bandwidth_in, InternetMaxBandwidthIn, 0, -1000000, 1000000, "") \
	P(O, WORD, charge, InternetChargeType, DEFAULTED, 0, 0, "PayByTraffic|PayByBandwidth") \
	P(O, STR, instance_charge, InstanceChargeType, 0, 1, 32, "PostPaid") \
	P(O, LINE, name, InstanceName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, STR, image, ImageId, 0, 0, 128, "") \
	P(O, STR, host_name, HostName, 0, 0, 64, "") \
	P(O, STR, security_group, SecurityGroupId, 0, 1, 64, "") \
	P(O, STRS, security_groups, SecurityGroupIds, 0, 0, 16, "") \
	P(O, STRS, ipv6, Ipv6Address, 0, 0, 10, "") \
	P(O, INT, ipv6_count, Ipv6AddressCount, 0, 1, 10, "") \
	P(O, RECS, nics, NetworkInterface, 0, 0, 64, nic) \
	P(O, RECS, tags, Tag, 0, 0, 20, tag)
#define IPL_PARAMS_instance(P, O) \
	P(O, STR, instance, InstanceId, REQUIRED, 1, 64, "")
#define IPL_PARAMS_reboot(P, O) \
	P(O, STR, instance, InstanceId, REQUIRED, 1, 64, "") \
	P(O, BOOL, force, ForceStop, 0, 0, 0, "false")
#define IPL_PARAMS_stop_instance(P, O) \
	P(O, STR, instance, InstanceId, REQUIRED, 1, 64, "") \
	P(O, WORD, mode, StoppedMode, DEFAULTED, 0, 0, "KeepCharging|StopCharging") \
	P(O, BOOL, force, ForceStop, 0, 0, 0, "false")
#define IPL_PARAMS_delete_instance(P, O) \
	P(O, STR, instance, InstanceId, REQUIRED, 1, 64, "") \
	P(O, BOOL, force, Force, 0, 0, 0, "false") \
	P(O, BOOL, force_stop, ForceStop, 0, 0, 0, "true") \
	P(O, BOOL, subscription, TerminateSubscription, 0, 0, 0, "false")
#define IPL_PARAMS_create_eni(P, O) \
	P(O, STR, vswitch, VSwitchId, REQUIRED, 1, 64, "") \
	P(O, STR, primary_ip, PrimaryIpAddress, 0, 0, 64, "") \
	P(O, STRS, addresses, PrivateIpAddress, 0, 0, 10, "") \
	P(O, INT, count, SecondaryPrivateIpAddressCount, 0, 1, 49, "") \
	P(O, STRS, ipv6, Ipv6Address, 0, 0, 10, "") \
	P(O, INT, ipv6_count, Ipv6AddressCount, 0, 1, 10, "") \
	P(O, BOOL, delete_on_release, DeleteOnRelease, 0, 0, 0, "true") \
	P(O, WORD, type, InstanceType, DEFAULTED, 0, 0, "Secondary") \
	P(O, LINE, name, NetworkInterfaceName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, STR, security_group, SecurityGroupId, 0, 1, 64, "") \
	P(O, STRS, security_groups, SecurityGroupIds, 0, 0, 16, "") \
	P(O, RECS, tags, Tag, 0, 0, 20, tag)
#define IPL_PARAMS_attach_eni(P, O) \
	P(O, STR, instance, InstanceId, REQUIRED, 1, 64, "") \
	P(O, STR, eni, NetworkInterfaceId, REQUIRED, 1, 64, "")
#define IPL_PARAMS_delete_eni(P, O) \
	P(O, STR, eni, NetworkInterfaceId, REQUIRED, 1, 64, "")
#define IPL_PARAMS_assign_private_ips(P, O) \
	P(O, STR, eni, NetworkInterfaceId, REQUIRED, 1, 64, "") \
	P(O, STRS, addresses, PrivateIpAddress, 0, 0, 32, "") \
	P(O, INT, count, SecondaryPrivateIpAddressCount, 0, 1, 49, "")
#define IPL_PARAMS_unassign_private_ips(P, O) \
	P(O, STR, eni, NetworkInterfaceId, REQUIRED, 1, 64, "") \
	P(O, STRS, addresses, PrivateIpAddress, REQUIRED, 1, 32, "")
#define IPL_PARAMS_modify_network_spec(P, O) \
	P(O, STR, instance, InstanceId, REQUIRED, 1, 64, "") \
	P(O, INT, bandwidth_out, InternetMaxBandwidthOut, 0, -1000000, 1000000, "") \
	P(O, INT, bandwidth_in, InternetMaxBandwidthIn, 0, -1000000, 1000000, "") \
	P(O, WORD, charge, NetworkChargeType, 0, 0, 0, "PayByTraffic|PayByBandwidth") \
	P(O, BOOL, allocate, AllocatePublicIp, 0, 0, 0, "false")
#define IPL_PARAMS_allocate_eip(P, O) \
	P(O, NUMSTR, bandwidth, Bandwidth, 0, 1, 500, "5") \
	P(O, WORD, charge, InternetChargeType, DEFAULTED, 0, 0, "PayByBandwidth|PayByTraffic") \
	P(O, STR, instance_charge, InstanceChargeType, 0, 1, 32, "PostPaid") \
	P(O, STR, charge_type, ChargeType, 0, 1, 32, "PostPaid") \
	P(O, STR, isp, ISP, 0, 1, 32, "BGP") \
	P(O, STR, ip, IpAddress, 0, 0, 64, "") \
	P(O, LINE, name, Name, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, RECS, tags, Tag, 0, 0, 20, tag)
#define IPL_PARAMS_associate_eip(P, O) \
	P(O, STR, eip, AllocationId, REQUIRED, 1, 64, "") \
	P(O, STR, target, InstanceId, REQUIRED, 1, 64, "") \
	P(O, WORD, type, InstanceType, DEFAULTED, 0, 0, "EcsInstance|NetworkInterface") \
	P(O, STR, private_ip, PrivateIpAddress, 0, 0, 64, "") \
	P(O, STR, mode, Mode, 0, 1, 32, "NAT")
#define IPL_PARAMS_unassociate_eip(P, O) \
	P(O, STR, eip, AllocationId, REQUIRED, 1, 64, "") \
	P(O, STR, target, InstanceId, 0, 1, 64, "") \
	P(O, WORD, type, InstanceType, 0, 0, 0, "EcsInstance|NetworkInterface") \
	P(O, STR, private_ip, PrivateIpAddress, 0, 0, 64, "") \
	P(O, BOOL, force, Force, 0, 0, 0, "false")
#define IPL_PARAMS_release_eip(P, O) \
	P(O, STR, eip, AllocationId, REQUIRED, 1, 64, "")

#define IPL_PARAMS_create_instance(P, O) \
	P(O, STR, type, InstanceType, REQUIRED, 1, 64, "") \
	P(O, STR, vswitch, VSwitchId, REQUIRED, 1, 64, "") \
	P(O, STR, zone, ZoneId, 0, 1, 64, "") \
	P(O, STR, private_ip, PrivateIpAddress, 0, 0, 64, "") \
	P(O, INT, bandwidth_out, InternetMaxBandwidthOut, 0, -1000000, 1000000, "0") \
	P(O, INT, bandwidth_in, InternetMaxBandwidthIn, 0, -1000000, 1000000, "") \
	P(O, WORD, charge, InternetChargeType, DEFAULTED, 0, 0, "PayByTraffic|PayByBandwidth") \
	P(O, STR, instance_charge, InstanceChargeType, 0, 1, 32, "PostPaid") \
	P(O, LINE, name, InstanceName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, STR, image, ImageId, 0, 0, 128, "") \
	P(O, STR, host_name, HostName, 0, 0, 64, "") \
	P(O, STR, security_group, SecurityGroupId, 0, 1, 64, "") \
	P(O, RECS, tags, Tag, 0, 0, 20, tag)
#define IPL_PARAMS_modify_eip(P, O) \
	P(O, STR, eip, AllocationId, REQUIRED, 1, 64, "") \
	P(O, NUMSTR, bandwidth, Bandwidth, 0, 1, 500, "") \
	P(O, LINE, name, Name, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "")
#define IPL_PARAMS_associate_cidr(P, O) \
	P(O, STR, vpc, VpcId, REQUIRED, 1, 64, "") \
	P(O, STR, cidr, SecondaryCidrBlock, REQUIRED, 0, 64, "") \
	P(O, STR, version, IpVersion, 0, 0, 32, "IPV4")
#define IPL_PARAMS_unassociate_cidr(P, O) \
	P(O, STR, vpc, VpcId, REQUIRED, 1, 64, "") \
	P(O, STR, cidr, SecondaryCidrBlock, REQUIRED, 0, 64, "")
#define IPL_PARAMS_change_address(P, O) \
	P(O, STR, instance, InstanceId, REQUIRED, 1, 64, "") \
	P(O, STR, vswitch, VSwitchId, REQUIRED, 1, 64, "") \
	P(O, STR, private_ip, PrivateIpAddress, 0, 0, 64, "")
#define IPL_PARAMS_modify_vpc(P, O) \
	P(O, STR, vpc, VpcId, REQUIRED, 1, 64, "") \
	P(O, LINE, name, VpcName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, BOOL, enable_ipv6, EnableIPv6, 0, 0, 0, "") \
	P(O, STR, ipv6_cidr, Ipv6CidrBlock, 0, 0, 64, "")
#define IPL_PARAMS_modify_vswitch(P, O) \
	P(O, STR, vswitch, VSwitchId, REQUIRED, 1, 64, "") \
	P(O, LINE, name, VSwitchName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, BOOL, enable_ipv6, EnableIPv6, 0, 0, 0, "") \
	P(O, INT, ipv6_index, Ipv6CidrBlock, 0, 0, 255, "")
#define IPL_PARAMS_modify_eni(P, O) \
	P(O, STR, eni, NetworkInterfaceId, REQUIRED, 1, 64, "") \
	P(O, LINE, name, NetworkInterfaceName, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, BOOL, delete_on_release, DeleteOnRelease, 0, 0, 0, "")
#define IPL_PARAMS_assign_ipv6(P, O) \
	P(O, STR, eni, NetworkInterfaceId, REQUIRED, 1, 64, "") \
	P(O, STRS, ipv6, Ipv6Address, 0, 0, 10, "") \
	P(O, INT, ipv6_count, Ipv6AddressCount, 0, 1, 10, "")
#define IPL_PARAMS_unassign_ipv6(P, O) \
	P(O, STR, eni, NetworkInterfaceId, REQUIRED, 1, 64, "") \
	P(O, STRS, ipv6, Ipv6Address, REQUIRED, 1, 10, "")
#define IPL_PARAMS_create_ipv6gw(P, O) \
	P(O, STR, vpc, VpcId, REQUIRED, 1, 64, "") \
	P(O, LINE, name, Name, 0, 1, 128, "") \
	P(O, LINE, description, Description, 0, 1, 256, "") \
	P(O, RECS, tags, Tag, 0, 0, 20, tag)
#define IPL_PARAMS_delete_ipv6gw(P, O) \
	P(O, STR, gateway, Ipv6GatewayId, REQUIRED, 1, 64, "")
#define IPL_PARAMS_allocate_ipv6bw(P, O) \
	P(O, STR, ipv6, Ipv6AddressId, REQUIRED, 1, 64, "") \
	P(O, INT, mbps, Bandwidth, REQUIRED, -1000000, 1000000, "") \
	P(O, WORD, charge, InternetChargeType, DEFAULTED, 0, 0, "PayByBandwidth|PayByTraffic") \
	P(O, STR, gateway, Ipv6GatewayId, 0, 1, 64, "")
#define IPL_PARAMS_modify_ipv6bw(P, O) \
	P(O, STR, ipv6, Ipv6AddressId, 0, 1, 64, "") \
	P(O, STR, bandwidth, Ipv6InternetBandwidthId, 0, 1, 64, "") \
	P(O, INT, mbps, Bandwidth, REQUIRED, -1000000, 1000000, "")
#define IPL_PARAMS_delete_ipv6bw(P, O) \
	P(O, STR, ipv6, Ipv6AddressId, 0, 1, 64, "") \
	P(O, STR, bandwidth, Ipv6InternetBandwidthId, 0, 1, 64, "")
#define IPL_PARAMS_describe_ipv6(P, O) \
	P(O, SET, ids, Ipv6AddressId, 0, 0, 20, "") \
	P(O, STR, ip, Ipv6Address, 0, 1, 64, "") \
	P(O, STR, bandwidth, Ipv6InternetBandwidthId, 0, 1, 64, "") \
	P(O, STR, target, AssociatedInstanceId, 0, 1, 64, "") \
	P(O, STR, target_type, AssociatedInstanceType, 0, 1, 32, "") \
	P(O, STR, vswitch, VSwitchId, 0, 1, 64, "") \
	P(O, STR, vpc, VpcId, 0, 1, 64, "") \
	P(O, STR, network_type, NetworkType, 0, 1, 32, "") \
	P(O, STR, name, Name, 0, 1, 128, "") \
	P(O, STR, address_type, AddressType, 0, 1, 32, "")
#define IPL_PARAMS_describe_ipv6gws(P, O) \
	P(O, SET, ids, Ipv6GatewayId, 0, 0, 20, "") \
	P(O, STR, vpc, VpcId, 0, 1, 64, "") \
	P(O, STR, name, Name, 0, 1, 128, "")
#define IPL_PARAMS_describe_vpc(P, O) \
	P(O, STR, vpc, VpcId, REQUIRED, 1, 64, "")
#define IPL_PARAMS_check_address(P, O) \
	P(O, STR, vswitch, VSwitchId, REQUIRED, 1, 64, "") \
	P(O, STR, private_ip, PrivateIpAddress, REQUIRED, 1, 64, "") \
	P(O, WORD, version, IpVersion, DEFAULTED, 0, 0, "ipv4|ipv6")
#define IPL_PARAMS_describe_status(P, O) \
	P(O, STRS, ids, InstanceId, 0, 0, 100, "") \
	P(O, STR, zone, ZoneId, 0, 1, 64, "")
#define IPL_PARAMS_describe_types(P, O) \
	P(O, STRS, types, InstanceTypes, 0, 0, 100, "")

#define IPL_PARAMS_check_guest(P, O) \
	P(O, STR, instance, InstanceId, REQUIRED, 1, 64, "") \
	P(O, ANY, interfaces, Interfaces, REQUIRED, 0, 0, "")

#define IPL_PARAMS_get_entity(P, O) \
	P(O, STR, id, Id, REQUIRED, 1, 64, "")
#define IPL_PARAMS_lookup_address(P, O) \
	P(O, STR, address, Address, REQUIRED, 1, 64, "") \
	P(O, STR, vpc, VpcId, 0, 1, 64, "")
#define IPL_PARAMS_get_event(P, O) \
	P(O, INT, seq, Seq, REQUIRED, 1, INT64_MAX, "")
#define IPL_PARAMS_list_events(P, O) \
	P(O, INT, from_seq, FromSeq, 0, 0, INT64_MAX, "") \
	P(O, STR, from_time, FromTime, 0, 1, 64, "") \
	P(O, INT, to_seq, ToSeq, 0, 0, INT64_MAX, "") \
	P(O, STR, to_time, ToTime, 0, 1, 64, "") \
	P(O, STR, id, Id, 0, 1, 64, "") \
	P(O, STR, type, Type, 0, 1, 64, "") \
	P(O, STR, actor, Actor, 0, 1, 256, "") \
	P(O, BOOL, reverse, Reverse, 0, 0, 0, "false")
#define IPL_PARAMS_get_history(P, O) \
	P(O, STR, id, Id, 0, 1, 64, "") \
	P(O, STR, address, Address, 0, 1, 64, "") \
	P(O, STR, vpc, VpcId, 0, 1, 64, "") \
	P(O, INT, from_seq, FromSeq, 0, 0, INT64_MAX, "") \
	P(O, STR, from_time, FromTime, 0, 1, 64, "") \
	P(O, INT, to_seq, ToSeq, 0, 0, INT64_MAX, "") \
	P(O, STR, to_time, ToTime, 0, 1, 64, "")
#define IPL_PARAMS_list_addresses(P, O) \
	P(O, STR, address, Address, 0, 1, 64, "") \
	P(O, STR, cidr, CidrBlock, 0, 1, 64, "") \
	P(O, STR, vswitch, VSwitchId, 0, 1, 64, "") \
	P(O, STR, vpc, VpcId, 0, 1, 64, "")
#define IPL_PARAMS_diff_state(P, O) \
	P(O, ANY, from, From, REQUIRED, 0, 0, "") \
	P(O, ANY, to, To, REQUIRED, 0, 0, "") \
	P(O, STR, id, Id, 0, 1, 64, "")
#define IPL_PARAMS_describe_vpcs(P, O) \
	P(O, SET, ids, VpcId, 0, 0, 20, "") \
	P(O, STR, name, VpcName, 0, 1, 128, "") \
	P(O, BOOL, is_default, IsDefault, 0, 0, 0, "") \
	P(O, BOOL, ipv6, EnableIpv6, 0, 0, 0, "")
#define IPL_PARAMS_describe_vswitches(P, O) \
	P(O, SET, ids, VSwitchId, 0, 0, 20, "") \
	P(O, STR, vpc, VpcId, 0, 1, 64, "") \
	P(O, STR, zone, ZoneId, 0, 1, 64, "") \
	P(O, STR, name, VSwitchName, 0, 1, 128, "") \
	P(O, BOOL, is_default, IsDefault, 0, 0, 0, "") \
	P(O, BOOL, ipv6, EnableIpv6, 0, 0, 0, "")
#define IPL_PARAMS_describe_instances(P, O) \
	P(O, SET, ids, InstanceIds, 0, 0, 100, "") \
	P(O, STR, vpc, VpcId, 0, 1, 64, "") \
	P(O, STR, vswitch, VSwitchId, 0, 1, 64, "") \
	P(O, STR, zone, ZoneId, 0, 1, 64, "") \
	P(O, STR, status, Status, 0, 1, 32, "") \
	P(O, STR, name, InstanceName, 0, 1, 128, "") \
	P(O, STR, type, InstanceType, 0, 1, 64, "") \
	P(O, SET, private_ips, PrivateIpAddresses, 0, 0, 100, "") \
	P(O, SET, public_ips, PublicIpAddresses, 0, 0, 100, "") \
	P(O, SET, eips, EipAddresses, 0, 0, 100, "") \
	P(O, STRS, ipv6, Ipv6Address, 0, 0, 100, "")
#define IPL_PARAMS_describe_eni(P, O) \
	P(O, STR, eni, NetworkInterfaceId, REQUIRED, 1, 64, "")
#define IPL_PARAMS_describe_enis(P, O) \
	P(O, STRS, ids, NetworkInterfaceId, 0, 0, 100, "") \
	P(O, STR, instance, InstanceId, 0, 1, 64, "") \
	P(O, STR, vpc, VpcId, 0, 1, 64, "") \
	P(O, STR, vswitch, VSwitchId, 0, 1, 64, "") \
	P(O, STR, primary_ip, PrimaryIpAddress, 0, 1, 64, "") \
	P(O, STRS, private_ips, PrivateIpAddress, 0, 0, 100, "") \
	P(O, STRS, ipv6, Ipv6Address, 0, 0, 100, "") \
	P(O, STR, status, Status, 0, 1, 32, "") \
	P(O, STR, type, Type, 0, 1, 32, "") \
	P(O, STR, name, NetworkInterfaceName, 0, 1, 128, "")
#define IPL_PARAMS_describe_eips(P, O) \
	P(O, SET, ids, AllocationId, 0, 0, 50, "") \
	P(O, SET, ips, EipAddress, 0, 0, 50, "") \
	P(O, STR, status, Status, 0, 1, 32, "") \
	P(O, STR, target_type, AssociatedInstanceType, 0, 1, 32, "") \
	P(O, STR, target, AssociatedInstanceId, 0, 1, 64, "") \
	P(O, STR, charge_type, ChargeType, 0, 1, 32, "") \
	P(O, STR, isp, ISP, 0, 1, 32, "") \
	P(O, STR, name, EipName, 0, 1, 128, "")
#define IPL_PARAMS_subscribe(P, O) \
	P(O, INT, from_seq, FromSeq, 0, 0, INT64_MAX, "") \
	P(O, STR, id, Id, 0, 1, 64, "") \
	P(O, STR, type, Type, 0, 1, 64, "")
#define IPL_PARAMS_get_inclusion(P, O) \
	P(O, INT, seq, Seq, REQUIRED, 1, INT64_MAX, "") \
	P(O, INT, size, TreeSize, 0, 1, INT64_MAX, "")
#define IPL_PARAMS_get_consistency(P, O) \
	P(O, INT, from, From, REQUIRED, 1, INT64_MAX, "") \
	P(O, INT, to, To, REQUIRED, 1, INT64_MAX, "")
#define IPL_PARAMS_unsubscribe(P, O) \
	P(O, INT, subscription, SubscriptionId, REQUIRED, 1, INT64_MAX, "")
#define IPL_PARAMS_hello(P, O) \
	P(O, WORD, error_format, ErrorFormat, 0, 0, 0, "String|Map") \
	P(O, STR, key, AccessKeyId, 0, 0, 120, "") \
	P(O, STR, timestamp, Timestamp, 0, 0, 64, "") \
	P(O, STR, nonce, Nonce, 0, 0, 128, "") \
	P(O, STR, signature, Signature, 0, 0, 128, "")

/*
 * Writes: W(NAME, Name, params, decide, flags)
 *   NAME is the operation's in the event table; ipl_decide_<decide>() decides it.
 *   ECS, VPC: the cloud products that have it; both have what the older one keeps, marked as
 *   deprecated, for the drivers that use it there. Neither: the ledger's own.
 *   ENI: of the family that answers a missing parameter with 403.
 *   ADMIN: changes the ledger itself.
 */
#define IPL_WRITE_LIST(W) \
	W(MODIFY_LEDGER_SETTINGS, ModifyLedgerSettings, settings, modify_settings, ADMIN) \
	W(CREATE_VPC, CreateVpc, create_vpc, create_vpc, ECS | VPC) \
	W(DELETE_VPC, DeleteVpc, delete_vpc, delete_vpc, ECS | VPC) \
	W(CREATE_VSWITCH, CreateVSwitch, create_vswitch, create_vswitch, ECS | VPC) \
	W(DELETE_VSWITCH, DeleteVSwitch, delete_vswitch, delete_vswitch, ECS | VPC) \
	W(RUN_INSTANCES, RunInstances, run_instances, run_instances, ECS) \
	W(START_INSTANCE, StartInstance, instance, start_instance, ECS) \
	W(STOP_INSTANCE, StopInstance, stop_instance, stop_instance, ECS) \
	W(DELETE_INSTANCE, DeleteInstance, delete_instance, delete_instance, ECS) \
	W(CREATE_ENI, CreateNetworkInterface, create_eni, create_eni, ECS) \
	W(ATTACH_ENI, AttachNetworkInterface, attach_eni, attach_eni, ECS) \
	W(DETACH_ENI, DetachNetworkInterface, attach_eni, detach_eni, ECS) \
	W(DELETE_ENI, DeleteNetworkInterface, delete_eni, delete_eni, ECS) \
	W(ASSIGN_PRIVATE_IPS, AssignPrivateIpAddresses, assign_private_ips, assign_private_ips, \
	  ENI | ECS) \
	W(UNASSIGN_PRIVATE_IPS, UnassignPrivateIpAddresses, unassign_private_ips, \
	  unassign_private_ips, ENI | ECS) \
	W(MODIFY_NETWORK_SPEC, ModifyInstanceNetworkSpec, modify_network_spec, \
	  modify_network_spec, ECS) \
	W(ALLOCATE_PUBLIC_IP, AllocatePublicIpAddress, instance, allocate_public_ip, ECS) \
	W(ALLOCATE_EIP, AllocateEipAddress, allocate_eip, allocate_eip, ECS | VPC) \
	W(ASSOCIATE_EIP, AssociateEipAddress, associate_eip, associate_eip, ECS | VPC) \
	W(UNASSOCIATE_EIP, UnassociateEipAddress, unassociate_eip, unassociate_eip, ECS | VPC) \
	W(RELEASE_EIP, ReleaseEipAddress, release_eip, release_eip, ECS | VPC) \
	W(CONVERT_PUBLIC_IP, ConvertNatPublicIpToEip, instance, convert_public_ip, ECS) \
	W(CREATE_INSTANCE, CreateInstance, create_instance, create_instance, ECS) \
	W(REBOOT_INSTANCE, RebootInstance, reboot, reboot_instance, ECS) \
	W(MODIFY_EIP, ModifyEipAddressAttribute, modify_eip, modify_eip, ECS | VPC) \
	W(ASSOCIATE_CIDR, AssociateVpcCidrBlock, associate_cidr, associate_cidr, VPC) \
	W(UNASSOCIATE_CIDR, UnassociateVpcCidrBlock, unassociate_cidr, unassociate_cidr, VPC) \
	W(CHANGE_PRIMARY_ADDRESS, ModifyInstanceVpcAttribute, change_address, change_address, ECS) \
	W(MODIFY_VPC, ModifyVpcAttribute, modify_vpc, modify_vpc, ECS | VPC) \
	W(MODIFY_VSWITCH, ModifyVSwitchAttribute, modify_vswitch, modify_vswitch, ECS | VPC) \
	W(MODIFY_ENI, ModifyNetworkInterfaceAttribute, modify_eni, modify_eni, ECS) \
	W(ASSIGN_IPV6, AssignIpv6Addresses, assign_ipv6, assign_ipv6, ENI | ECS) \
	W(UNASSIGN_IPV6, UnassignIpv6Addresses, unassign_ipv6, unassign_ipv6, ENI | ECS) \
	W(CREATE_IPV6GW, CreateIpv6Gateway, create_ipv6gw, create_ipv6gw, VPC) \
	W(DELETE_IPV6GW, DeleteIpv6Gateway, delete_ipv6gw, delete_ipv6gw, VPC) \
	W(ALLOCATE_IPV6BW, AllocateIpv6InternetBandwidth, allocate_ipv6bw, allocate_ipv6bw, VPC) \
	W(MODIFY_IPV6BW, ModifyIpv6InternetBandwidth, modify_ipv6bw, modify_ipv6bw, VPC) \
	W(DELETE_IPV6BW, DeleteIpv6InternetBandwidth, delete_ipv6bw, delete_ipv6bw, VPC)

/*
 * Writes that are made of others, which the write path takes apart: M(NAME, Name, params)
 */
#define IPL_COMPOSITE_LIST(M) \
	M(TRANSACT, Transact, transact)

/*
 * Reads: R(Name, params, read, flags)
 *   ipl_read_<read>() answers it through a lens.
 *   SCAN: looks at many things, so the past needs a whole folded state. (Which VPCs there are can
 *   also be looked at one by one.)
 *   PAGED: takes MaxResults and NextToken.
 */
#define IPL_READ_LIST(R) \
	R(GetEntity, get_entity, get_entity, 0) \
	R(LookupAddress, lookup_address, lookup_address, 0) \
	R(DescribeVpcs, describe_vpcs, describe_vpcs, SCAN | PAGED | ECS | VPC) \
	R(DescribeVSwitches, describe_vswitches, describe_vswitches, SCAN | PAGED | ECS | VPC) \
	R(DescribeInstances, describe_instances, describe_instances, SCAN | PAGED | ECS) \
	R(DescribeInstanceAttribute, instance, describe_instance, ECS) \
	R(DescribeNetworkInterfaces, describe_enis, describe_enis, SCAN | PAGED | ECS) \
	R(DescribeNetworkInterfaceAttribute, describe_eni, describe_eni, ECS) \
	R(DescribeEipAddresses, describe_eips, describe_eips, SCAN | PAGED | ECS | VPC) \
	R(DescribeIpv6Addresses, describe_ipv6, describe_ipv6, SCAN | PAGED | VPC) \
	R(DescribeIpv6Gateways, describe_ipv6gws, describe_ipv6gws, SCAN | PAGED | VPC) \
	R(DescribeVpcAttribute, describe_vpc, describe_vpc, VPC) \
	R(DescribeVSwitchAttributes, delete_vswitch, describe_vswitch, VPC) \
	R(CheckCanAllocateVpcPrivateIpAddress, check_address, check_address, VPC) \
	R(DescribeInstanceStatus, describe_status, describe_status, SCAN | PAGED | ECS) \
	R(DescribeInstanceTypes, describe_types, describe_types, ECS) \
	R(GetGuestView, instance, guest_view, 0) \
	R(CheckGuest, check_guest, check_guest, 0) \
	R(GetReachability, instance, reachability, 0)

/*
 * Reads that need more than a state, answered by the server: S(NAME, Name, params, flags)
 *   NATIVE: of a connection that stays, so not by HTTP.
 */
#define IPL_SERVICE_LIST(S) \
	S(PING, Ping, none, 0) \
	S(HELLO, Hello, hello, NATIVE) \
	S(GET_STATUS, GetStatus, none, 0) \
	S(GET_EVENT, GetEvent, get_event, 0) \
	S(GET_INCLUSION, GetInclusionProof, get_inclusion, 0) \
	S(GET_CONSISTENCY, GetConsistencyProof, get_consistency, 0) \
	S(SUBSCRIBE, Subscribe, subscribe, NATIVE) \
	S(UNSUBSCRIBE, Unsubscribe, unsubscribe, NATIVE) \
	S(GET_STATE_HASH, GetStateHash, none, 0) \
	S(LIST_EVENTS, ListEvents, list_events, PAGED) \
	S(LIST_REFUSALS, ListRefusals, list_events, PAGED) \
	S(GET_HISTORY, GetHistory, get_history, PAGED) \
	S(LIST_ADDRESSES, ListAddresses, list_addresses, PAGED) \
	S(DIFF_STATE, DiffState, diff_state, PAGED)

/* clang-format on */

#endif
