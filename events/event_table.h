/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of what can happen. From it come the structs, the codec, the
 * printers, the schema that each log carries, and the documentation.
 *
 * A number is on disk for ever: append, never renumber, never use again. The
 * field list of a released type is frozen; a new shape is a new version.
 */
#ifndef IPL_EVENTS_EVENT_TABLE_H
#define IPL_EVENTS_EVENT_TABLE_H

/* clang-format off */

/*
 * The operations that write: X(number, NAME, Name). An event says which one made
 * it; of a Transact, the one inside.
 */
#define IPL_OP_LIST(X) \
	X(1, CREATE_LEDGER, CreateLedger) \
	X(2, MODIFY_LEDGER_SETTINGS, ModifyLedgerSettings) \
	X(3, CREATE_VPC, CreateVpc) \
	X(4, DELETE_VPC, DeleteVpc) \
	X(5, CREATE_VSWITCH, CreateVSwitch) \
	X(6, DELETE_VSWITCH, DeleteVSwitch) \
	X(7, RUN_INSTANCES, RunInstances) \
	X(8, START_INSTANCE, StartInstance) \
	X(9, STOP_INSTANCE, StopInstance) \
	X(10, DELETE_INSTANCE, DeleteInstance) \
	X(11, CREATE_ENI, CreateNetworkInterface) \
	X(12, ATTACH_ENI, AttachNetworkInterface) \
	X(13, DETACH_ENI, DetachNetworkInterface) \
	X(14, DELETE_ENI, DeleteNetworkInterface) \
	X(15, ASSIGN_PRIVATE_IPS, AssignPrivateIpAddresses) \
	X(16, UNASSIGN_PRIVATE_IPS, UnassignPrivateIpAddresses) \
	X(17, MODIFY_NETWORK_SPEC, ModifyInstanceNetworkSpec) \
	X(18, ALLOCATE_PUBLIC_IP, AllocatePublicIpAddress) \
	X(19, ALLOCATE_EIP, AllocateEipAddress) \
	X(20, ASSOCIATE_EIP, AssociateEipAddress) \
	X(21, UNASSOCIATE_EIP, UnassociateEipAddress) \
	X(22, RELEASE_EIP, ReleaseEipAddress) \
	X(23, CONVERT_PUBLIC_IP, ConvertNatPublicIpToEip) \
	X(24, CREATE_INSTANCE, CreateInstance) \
	X(25, REBOOT_INSTANCE, RebootInstance) \
	X(26, MODIFY_EIP, ModifyEipAddressAttribute) \
	X(27, ASSOCIATE_CIDR, AssociateVpcCidrBlock) \
	X(28, UNASSOCIATE_CIDR, UnassociateVpcCidrBlock) \
	X(29, CHANGE_PRIMARY_ADDRESS, ModifyInstanceVpcAttribute) \
	X(30, MODIFY_VPC, ModifyVpcAttribute) \
	X(31, MODIFY_VSWITCH, ModifyVSwitchAttribute) \
	X(32, ASSIGN_IPV6, AssignIpv6Addresses) \
	X(33, UNASSIGN_IPV6, UnassignIpv6Addresses) \
	X(34, CREATE_IPV6GW, CreateIpv6Gateway) \
	X(35, DELETE_IPV6GW, DeleteIpv6Gateway) \
	X(36, ALLOCATE_IPV6BW, AllocateIpv6InternetBandwidth) \
	X(37, MODIFY_IPV6BW, ModifyIpv6InternetBandwidth) \
	X(38, DELETE_IPV6BW, DeleteIpv6InternetBandwidth) \
	X(39, MODIFY_ENI, ModifyNetworkInterfaceAttribute) \
	X(40, TRANSACT, Transact)

/*
 * X(number, NAME, record, Name, "what it means")
 */
#define IPL_EVENT_LIST(X) \
	X(1, LEDGER_CREATED, ledger_created, LedgerCreated, \
	  "The ledger begins, with these settings.") \
	X(2, LEDGER_SETTINGS_MODIFIED, ledger_settings_modified, LedgerSettingsModified, \
	  "These settings hold from here on.") \
	X(3, VPC_CREATED, vpc_created, VpcCreated, "A VPC with its primary block.") \
	X(4, VPC_MODIFIED, vpc_modified, VpcModified, "A VPC's name, description and IPv6 block.") \
	X(5, VPC_DELETED, vpc_deleted, VpcDeleted, "A VPC and its blocks are gone.") \
	X(6, VPC_CIDR_ASSOCIATED, vpc_cidr_associated, VpcCidrBlockAssociated, \
	  "A VPC has one more IPv4 block.") \
	X(7, VPC_CIDR_UNASSOCIATED, vpc_cidr_unassociated, VpcCidrBlockUnassociated, \
	  "A secondary IPv4 block of a VPC is gone.") \
	X(8, VSWITCH_CREATED, vswitch_created, VSwitchCreated, "A vSwitch inside a VPC's block.") \
	X(9, VSWITCH_MODIFIED, vswitch_modified, VSwitchModified, \
	  "A vSwitch's name, description and IPv6 block.") \
	X(10, VSWITCH_DELETED, vswitch_deleted, VSwitchDeleted, "An empty vSwitch is gone.") \
	X(11, INSTANCES_LAUNCHED, instances_launched, InstancesLaunched, \
	  "Instances with their network interfaces and addresses.") \
	X(12, INSTANCE_STARTED, instance_started, InstanceStarted, \
	  "A stopped instance runs; a reclaimed fixed public IP is replaced.") \
	X(13, INSTANCE_STOPPED, instance_stopped, InstanceStopped, \
	  "A running instance is stopped; StopCharging reclaims its fixed public IP.") \
	X(14, INSTANCE_REBOOTED, instance_rebooted, InstanceRebooted, \
	  "An instance was rebooted; no address changes.") \
	X(15, INSTANCE_RELEASED, instance_released, InstanceReleased, \
	  "An instance is gone, with the network interfaces that go with it.") \
	X(16, PRIMARY_ADDRESS_CHANGED, primary_address_changed, InstancePrimaryAddressChanged, \
	  "A stopped instance has another primary private address; its EIP follows.") \
	X(17, INSTANCE_BANDWIDTH_CHANGED, instance_bandwidth_changed, InstanceBandwidthChanged, \
	  "The public bandwidth of an instance; from 0 it brings a public IP, to 0 takes it.") \
	X(18, PUBLIC_IP_ALLOCATED, public_ip_allocated, PublicIpAllocated, \
	  "A fixed public IP for an instance that had none.") \
	X(19, PUBLIC_IP_CONVERTED, public_ip_converted, PublicIpConverted, \
	  "A fixed public IP is an associated EIP from here on.") \
	X(20, ENI_CREATED, eni_created, NetworkInterfaceCreated, \
	  "A secondary network interface with its addresses.") \
	X(21, ENI_ATTACHED, eni_attached, NetworkInterfaceAttached, \
	  "A network interface belongs to an instance.") \
	X(22, ENI_DETACHED, eni_detached, NetworkInterfaceDetached, \
	  "A network interface belongs to no instance; it keeps its addresses and EIPs.") \
	X(23, ENI_DELETED, eni_deleted, NetworkInterfaceDeleted, \
	  "A network interface and its addresses are gone; its EIPs are available.") \
	X(24, PRIVATE_IP_ASSIGNED, private_ip_assigned, PrivateIpAssigned, \
	  "Secondary private addresses for a network interface.") \
	X(25, PRIVATE_IP_UNASSIGNED, private_ip_unassigned, PrivateIpUnassigned, \
	  "Secondary private addresses are taken from a network interface.") \
	X(26, IPV6_ASSIGNED, ipv6_assigned, Ipv6Assigned, \
	  "IPv6 addresses for a network interface.") \
	X(27, IPV6_UNASSIGNED, ipv6_unassigned, Ipv6Unassigned, \
	  "IPv6 addresses are taken from a network interface, with their bandwidths.") \
	X(28, EIP_ALLOCATED, eip_allocated, EipAllocated, "An elastic IP, bound to nothing yet.") \
	X(29, EIP_ASSOCIATED, eip_associated, EipAssociated, \
	  "An EIP is paired with a private address.") \
	X(30, EIP_UNASSOCIATED, eip_unassociated, EipUnassociated, \
	  "An EIP is paired with nothing.") \
	X(31, EIP_MODIFIED, eip_modified, EipModified, \
	  "An EIP's bandwidth, name and description.") \
	X(32, EIP_RELEASED, eip_released, EipReleased, "An EIP is gone; its address is free.") \
	X(33, IPV6GW_CREATED, ipv6gw_created, Ipv6GatewayCreated, \
	  "A VPC has an IPv6 gateway.") \
	X(34, IPV6GW_DELETED, ipv6gw_deleted, Ipv6GatewayDeleted, \
	  "A VPC has no IPv6 gateway any more.") \
	X(35, IPV6BW_ALLOCATED, ipv6bw_allocated, Ipv6BandwidthAllocated, \
	  "An IPv6 address has public bandwidth: it is public.") \
	X(36, IPV6BW_MODIFIED, ipv6bw_modified, Ipv6BandwidthModified, \
	  "The public bandwidth of an IPv6 address.") \
	X(37, IPV6BW_DELETED, ipv6bw_deleted, Ipv6BandwidthDeleted, \
	  "An IPv6 address has no public bandwidth any more: it is private.") \
	X(38, ENI_MODIFIED, eni_modified, NetworkInterfaceModified, \
	  "A network interface's name, description and DeleteOnRelease.")

/*
 * Every record that a body is made of, inner ones first: X(record).
 * Then, for each, its fields in wire order:
 *   F(O, KIND, member, Name, flags)  one value
 *   R(O, record, member, Name)       one record
 *   L(O, record, member, Name)       a list of records (of one field: a list of values)
 * (O is the record itself, handed through for those who need its name.)
 *
 * Flags say what the event touches, that is, on whose chain it stands:
 *   TOUCH    the entity named here, if not 0
 *   SHARED   the same, and several places of one event may name it: it is touched once
 *   HELD     the private address, in the VPC of the body's member `vpc`
 *   PUBLIC   the public address, if not 0.0.0.0
 */
#define IPL_RECORD_LIST(X) \
	X(zone) X(pool) X(quota) X(instance_type) X(settings) \
	X(label) X(tag) X(address) X(ipv6) X(freed_ip) X(freed_ipv6) X(freed_eip) \
	X(launched_eni) X(joined_eni) X(instance) X(freed_eni) \
	IPL_BODY_LIST(X)

#define IPL_BODY_LIST(X) \
	X(ledger_created) X(ledger_settings_modified) X(vpc_created) X(vpc_deleted) \
	X(vswitch_created) X(vswitch_deleted) X(instances_launched) X(instance_started) \
	X(instance_stopped) X(instance_released) X(instance_bandwidth_changed) \
	X(public_ip_allocated) X(public_ip_converted) X(eni_created) X(eni_attached) \
	X(eni_detached) X(eni_deleted) X(private_ip_assigned) X(private_ip_unassigned) \
	X(vpc_modified) X(vpc_cidr_associated) X(vpc_cidr_unassociated) X(vswitch_modified) \
	X(instance_rebooted) X(primary_address_changed) X(eip_modified) \
	X(ipv6_assigned) X(ipv6_unassigned) X(ipv6gw_created) X(ipv6gw_deleted) \
	X(ipv6bw_allocated) X(ipv6bw_modified) X(ipv6bw_deleted) X(eni_modified) \
	X(eip_allocated) X(eip_associated) X(eip_unassociated) X(eip_released)

#define IPL_FIELDS_zone(F, R, L, O) F(O, STR, id, ZoneId, 0)
#define IPL_FIELDS_pool(F, R, L, O) F(O, CIDR4, cidr, CidrBlock, 0)
#define IPL_FIELDS_quota(F, R, L, O) F(O, STR, name, Name, 0) F(O, NUM, value, Value, 0)
#define IPL_FIELDS_instance_type(F, R, L, O) \
	F(O, STR, name, InstanceType, 0) \
	F(O, NUM, eni_max, EniQuantity, 0) \
	F(O, NUM, ip4_max, EniPrivateIpAddressQuantity, 0) \
	F(O, NUM, ip6_max, EniIpv6AddressQuantity, 0)
#define IPL_FIELDS_settings(F, R, L, O) \
	F(O, STR, region, RegionId, 0) \
	L(O, zone, zones, Zones) \
	L(O, pool, public_pools, PublicPools) \
	F(O, CIDR6, ipv6_pool, Ipv6Pool, 0) \
	F(O, NUM, reuse_delay_s, ReuseDelaySeconds, 0) \
	L(O, quota, quotas, Quotas) \
	L(O, instance_type, instance_types, InstanceTypes)

#define IPL_FIELDS_label(F, R, L, O) F(O, STR, text, Text, 0)
#define IPL_FIELDS_tag(F, R, L, O) F(O, STR, key, Key, 0) F(O, STR, value, Value, 0)
/* A private IPv4 address: was it picked (and so moved the picker), or asked for by name? */
#define IPL_FIELDS_address(F, R, L, O) \
	F(O, IP4, ip, PrivateIpAddress, HELD) \
	F(O, BOOL, picked, Picked, 0)
#define IPL_FIELDS_ipv6(F, R, L, O) \
	F(O, IPV6, ipv6, Ipv6AddressId, TOUCH) \
	F(O, IP6, ip, Ipv6Address, HELD) \
	F(O, BOOL, picked, Picked, 0)
#define IPL_FIELDS_freed_ip(F, R, L, O) F(O, IP4, ip, PrivateIpAddress, HELD)
#define IPL_FIELDS_freed_ipv6(F, R, L, O) \
	F(O, IPV6, ipv6, Ipv6AddressId, TOUCH) \
	F(O, IP6, ip, Ipv6Address, HELD) \
	F(O, IPV6BW, bandwidth, Ipv6InternetBandwidthId, TOUCH)
/* An EIP that becomes available because its network interface goes. */
#define IPL_FIELDS_freed_eip(F, R, L, O) \
	F(O, EIP, eip, AllocationId, TOUCH) \
	F(O, IP4, ip, IpAddress, PUBLIC)
#define IPL_FIELDS_launched_eni(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, VSWITCH, vswitch, VSwitchId, SHARED) \
	F(O, BOOL, delete_on_release, DeleteOnRelease, 0) \
	F(O, STR, name, NetworkInterfaceName, 0) \
	F(O, STR, description, Description, 0) \
	L(O, label, security_groups, SecurityGroupIds) \
	L(O, address, addresses, PrivateIpAddresses) \
	L(O, ipv6, ipv6, Ipv6Addresses)
#define IPL_FIELDS_joined_eni(F, R, L, O) F(O, ENI, eni, NetworkInterfaceId, TOUCH)
/* enis: the primary one first. joined: interfaces that existed before. */
#define IPL_FIELDS_instance(F, R, L, O) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, IP4, public_ip, PublicIpAddress, PUBLIC) \
	L(O, launched_eni, enis, NetworkInterfaces) \
	L(O, joined_eni, joined, AttachedNetworkInterfaceIds)
#define IPL_FIELDS_freed_eni(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, VSWITCH, vswitch, VSwitchId, SHARED) \
	L(O, freed_ip, addresses, PrivateIpAddresses) \
	L(O, freed_ipv6, ipv6, Ipv6Addresses) \
	L(O, freed_eip, eips, EipAddresses)

#define IPL_FIELDS_ledger_created(F, R, L, O) \
	F(O, LEDGER, ledger, LedgerId, TOUCH) \
	R(O, settings, settings, Settings)
#define IPL_FIELDS_ledger_settings_modified(F, R, L, O) \
	F(O, LEDGER, ledger, LedgerId, TOUCH) \
	R(O, settings, settings, Settings)
#define IPL_FIELDS_vpc_created(F, R, L, O) \
	F(O, VPC, vpc, VpcId, TOUCH) \
	F(O, CIDR4, cidr, CidrBlock, 0) \
	F(O, CIDR6, ipv6_cidr, Ipv6CidrBlock, 0) \
	F(O, STR, name, VpcName, 0) \
	F(O, STR, description, Description, 0) \
	L(O, tag, tags, Tags)
/* gateway: an IPv6 gateway that goes with the VPC. */
#define IPL_FIELDS_vpc_deleted(F, R, L, O) \
	F(O, VPC, vpc, VpcId, TOUCH) \
	F(O, IPV6GW, gateway, Ipv6GatewayId, TOUCH) \
	F(O, CIDR6, ipv6_cidr, Ipv6CidrBlock, 0)
#define IPL_FIELDS_vswitch_created(F, R, L, O) \
	F(O, VSWITCH, vswitch, VSwitchId, TOUCH) \
	F(O, VPC, vpc, VpcId, TOUCH) \
	F(O, STR, zone, ZoneId, 0) \
	F(O, CIDR4, cidr, CidrBlock, 0) \
	F(O, CIDR6, ipv6_cidr, Ipv6CidrBlock, 0) \
	F(O, STR, name, VSwitchName, 0) \
	F(O, STR, description, Description, 0) \
	L(O, tag, tags, Tags)
#define IPL_FIELDS_vswitch_deleted(F, R, L, O) \
	F(O, VSWITCH, vswitch, VSwitchId, TOUCH) \
	F(O, VPC, vpc, VpcId, TOUCH)
#define IPL_FIELDS_instances_launched(F, R, L, O) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, STR, zone, ZoneId, 0) \
	F(O, STR, type, InstanceType, 0) \
	F(O, RUN, state, Status, 0) \
	F(O, CHARGE, charge, InternetChargeType, 0) \
	F(O, NUM, bandwidth_out, InternetMaxBandwidthOut, 0) \
	F(O, NUM, bandwidth_in, InternetMaxBandwidthIn, 0) \
	F(O, STR, name, InstanceName, 0) \
	F(O, STR, description, Description, 0) \
	F(O, STR, image, ImageId, 0) \
	F(O, STR, host_name, HostName, 0) \
	L(O, label, security_groups, SecurityGroupIds) \
	L(O, tag, tags, Tags) \
	L(O, instance, instances, Instances)
#define IPL_FIELDS_instance_started(F, R, L, O) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, ENI, eni, NetworkInterfaceId, 0) \
	F(O, IP4, public_ip, PublicIpAddress, PUBLIC)
#define IPL_FIELDS_instance_stopped(F, R, L, O) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, STOPPED, mode, StoppedMode, 0) \
	F(O, IP4, freed_public_ip, ReclaimedPublicIpAddress, PUBLIC) \
	F(O, TIME, cool_until, CoolUntil, 0)
/* enis: those that go, the primary one first. kept: those that become available. */
#define IPL_FIELDS_instance_released(F, R, L, O) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, IP4, freed_public_ip, ReclaimedPublicIpAddress, PUBLIC) \
	L(O, freed_eni, enis, NetworkInterfaces) \
	L(O, joined_eni, kept, KeptNetworkInterfaceIds) \
	F(O, TIME, cool_until, CoolUntil, 0)
#define IPL_FIELDS_instance_bandwidth_changed(F, R, L, O) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, ENI, eni, NetworkInterfaceId, 0) \
	F(O, NUM, bandwidth_out, InternetMaxBandwidthOut, 0) \
	F(O, NUM, bandwidth_in, InternetMaxBandwidthIn, 0) \
	F(O, CHARGE, charge, InternetChargeType, 0) \
	F(O, IP4, public_ip, PublicIpAddress, PUBLIC) \
	F(O, IP4, freed_public_ip, ReclaimedPublicIpAddress, PUBLIC) \
	F(O, TIME, cool_until, CoolUntil, 0)
#define IPL_FIELDS_public_ip_allocated(F, R, L, O) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, ENI, eni, NetworkInterfaceId, 0) \
	F(O, IP4, public_ip, PublicIpAddress, PUBLIC)
#define IPL_FIELDS_public_ip_converted(F, R, L, O) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, EIP, eip, AllocationId, TOUCH) \
	F(O, IP4, public_ip, EipAddress, PUBLIC) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, IP4, private_ip, PrivateIpAddress, 0) \
	F(O, NUM, bandwidth, Bandwidth, 0) \
	F(O, CHARGE, charge, InternetChargeType, 0)
#define IPL_FIELDS_eni_created(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, VSWITCH, vswitch, VSwitchId, TOUCH) \
	F(O, STR, zone, ZoneId, 0) \
	F(O, BOOL, delete_on_release, DeleteOnRelease, 0) \
	F(O, STR, name, NetworkInterfaceName, 0) \
	F(O, STR, description, Description, 0) \
	L(O, label, security_groups, SecurityGroupIds) \
	L(O, tag, tags, Tags) \
	L(O, address, addresses, PrivateIpAddresses) \
	L(O, ipv6, ipv6, Ipv6Addresses)
#define IPL_FIELDS_eni_attached(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, INSTANCE, instance, InstanceId, TOUCH)
#define IPL_FIELDS_eni_detached(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, INSTANCE, instance, InstanceId, TOUCH)
#define IPL_FIELDS_eni_deleted(F, R, L, O) \
	F(O, VPC, vpc, VpcId, 0) \
	R(O, freed_eni, eni, NetworkInterface) \
	F(O, TIME, cool_until, CoolUntil, 0)
#define IPL_FIELDS_private_ip_assigned(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, VSWITCH, vswitch, VSwitchId, TOUCH) \
	L(O, address, addresses, PrivateIpAddresses)
#define IPL_FIELDS_private_ip_unassigned(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, VSWITCH, vswitch, VSwitchId, TOUCH) \
	L(O, freed_ip, addresses, PrivateIpAddresses) \
	F(O, TIME, cool_until, CoolUntil, 0)
#define IPL_FIELDS_eip_allocated(F, R, L, O) \
	F(O, EIP, eip, AllocationId, TOUCH) \
	F(O, IP4, ip, EipAddress, PUBLIC) \
	F(O, BOOL, picked, Picked, 0) \
	F(O, NUM, bandwidth, Bandwidth, 0) \
	F(O, CHARGE, charge, InternetChargeType, 0) \
	F(O, STR, isp, ISP, 0) \
	F(O, STR, name, Name, 0) \
	F(O, STR, description, Description, 0) \
	L(O, tag, tags, Tags)
/* instance: the one whose EIP it becomes, by its primary private address; else 0. */
#define IPL_FIELDS_eip_associated(F, R, L, O) \
	F(O, EIP, eip, AllocationId, TOUCH) \
	F(O, IP4, ip, EipAddress, PUBLIC) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, IP4, private_ip, PrivateIpAddress, 0) \
	F(O, MODE, mode, Mode, 0)
#define IPL_FIELDS_eip_unassociated(F, R, L, O) \
	F(O, EIP, eip, AllocationId, TOUCH) \
	F(O, IP4, ip, EipAddress, PUBLIC) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, IP4, private_ip, PrivateIpAddress, 0)
#define IPL_FIELDS_eip_released(F, R, L, O) \
	F(O, EIP, eip, AllocationId, TOUCH) \
	F(O, IP4, ip, EipAddress, PUBLIC) \
	F(O, TIME, cool_until, CoolUntil, 0)

#define IPL_FIELDS_vpc_modified(F, R, L, O) \
	F(O, VPC, vpc, VpcId, TOUCH) \
	F(O, CIDR6, ipv6_cidr, Ipv6CidrBlock, 0) \
	F(O, STR, name, VpcName, 0) \
	F(O, STR, description, Description, 0)
#define IPL_FIELDS_vpc_cidr_associated(F, R, L, O) \
	F(O, VPC, vpc, VpcId, TOUCH) \
	F(O, CIDR4, cidr, CidrBlock, 0)
#define IPL_FIELDS_vpc_cidr_unassociated(F, R, L, O) \
	F(O, VPC, vpc, VpcId, TOUCH) \
	F(O, CIDR4, cidr, CidrBlock, 0)
#define IPL_FIELDS_vswitch_modified(F, R, L, O) \
	F(O, VSWITCH, vswitch, VSwitchId, TOUCH) \
	F(O, CIDR6, ipv6_cidr, Ipv6CidrBlock, 0) \
	F(O, STR, name, VSwitchName, 0) \
	F(O, STR, description, Description, 0)
#define IPL_FIELDS_instance_rebooted(F, R, L, O) F(O, INSTANCE, instance, InstanceId, TOUCH)
/* eip: the one that is paired with the primary private address, and follows it. */
#define IPL_FIELDS_primary_address_changed(F, R, L, O) \
	F(O, INSTANCE, instance, InstanceId, TOUCH) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, VSWITCH, old_vswitch, OldVSwitchId, SHARED) \
	F(O, VSWITCH, vswitch, VSwitchId, SHARED) \
	F(O, IP4, old_ip, OldPrivateIpAddress, HELD) \
	F(O, IP4, ip, PrivateIpAddress, HELD) \
	F(O, BOOL, picked, Picked, 0) \
	F(O, EIP, eip, AllocationId, TOUCH) \
	F(O, TIME, cool_until, CoolUntil, 0)
#define IPL_FIELDS_eip_modified(F, R, L, O) \
	F(O, EIP, eip, AllocationId, TOUCH) \
	F(O, NUM, bandwidth, Bandwidth, 0) \
	F(O, STR, name, Name, 0) \
	F(O, STR, description, Description, 0)

#define IPL_FIELDS_ipv6_assigned(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, VSWITCH, vswitch, VSwitchId, TOUCH) \
	L(O, ipv6, ipv6, Ipv6Addresses)
#define IPL_FIELDS_ipv6_unassigned(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, VSWITCH, vswitch, VSwitchId, TOUCH) \
	L(O, freed_ipv6, ipv6, Ipv6Addresses) \
	F(O, TIME, cool_until, CoolUntil, 0)
#define IPL_FIELDS_ipv6gw_created(F, R, L, O) \
	F(O, IPV6GW, gateway, Ipv6GatewayId, TOUCH) \
	F(O, VPC, vpc, VpcId, TOUCH) \
	F(O, STR, name, Name, 0) \
	F(O, STR, description, Description, 0) \
	L(O, tag, tags, Tags)
#define IPL_FIELDS_ipv6gw_deleted(F, R, L, O) \
	F(O, IPV6GW, gateway, Ipv6GatewayId, TOUCH) \
	F(O, VPC, vpc, VpcId, TOUCH)
/* mbps: Mbit/s */
#define IPL_FIELDS_ipv6bw_allocated(F, R, L, O) \
	F(O, IPV6BW, bandwidth, Ipv6InternetBandwidthId, TOUCH) \
	F(O, IPV6, ipv6, Ipv6AddressId, TOUCH) \
	F(O, IP6, ip, Ipv6Address, 0) \
	F(O, VPC, vpc, VpcId, 0) \
	F(O, NUM, mbps, Bandwidth, 0) \
	F(O, CHARGE, charge, InternetChargeType, 0)
#define IPL_FIELDS_ipv6bw_modified(F, R, L, O) \
	F(O, IPV6BW, bandwidth, Ipv6InternetBandwidthId, TOUCH) \
	F(O, IPV6, ipv6, Ipv6AddressId, 0) \
	F(O, NUM, mbps, Bandwidth, 0)
#define IPL_FIELDS_ipv6bw_deleted(F, R, L, O) \
	F(O, IPV6BW, bandwidth, Ipv6InternetBandwidthId, TOUCH) \
	F(O, IPV6, ipv6, Ipv6AddressId, TOUCH)
#define IPL_FIELDS_eni_modified(F, R, L, O) \
	F(O, ENI, eni, NetworkInterfaceId, TOUCH) \
	F(O, STR, name, NetworkInterfaceName, 0) \
	F(O, STR, description, Description, 0) \
	F(O, BOOL, delete_on_release, DeleteOnRelease, 0)

/* The words behind the kinds that choose: X(number, NAME, Word). */
#define IPL_CHARGE_LIST(X) X(0, BY_TRAFFIC, "PayByTraffic") X(1, BY_BANDWIDTH, "PayByBandwidth")
#define IPL_RUN_LIST(X) X(0, STOPPED, "Stopped") X(1, RUNNING, "Running")
#define IPL_MODE_LIST(X) X(0, NAT, "NAT") X(1, BINDED, "BINDED")
#define IPL_STOPPED_LIST(X) \
	X(0, NONE, "Not-applicable") \
	X(1, KEEP_CHARGING, "KeepCharging") \
	X(2, STOP_CHARGING, "StopCharging")

/* clang-format on */

#endif
