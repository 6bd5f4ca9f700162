/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entities as every door shows them: one table of members for each kind,
 * M(CLASS, Name, value). The classes are those of lens.h: what history and diff
 * compare follows from them. Names, nesting and words are those of the cloud's
 * Describe answers (ECS 2014-05-26, VPC 2016-04-28).
 */
#include "reducers/lens.h"

#include <string.h>

#include "events/time.h"

/* The region's one owner; accounts are not modelled. */
#define OWNER_ID 1

struct show {
	struct ipl_arena *arena;
	struct ipl_lens *lens;
	uint64_t number;
	const struct ipl_base *base;
	unsigned classes; /* of the members that are shown */
};

struct ipl_value ipl_show_id(struct ipl_arena *arena, const struct ipl_lens *lens,
			     enum ipl_kind kind, uint64_t number)
{
	char text[IPL_ID_TEXT_MAX];

	if (number == 0)
		return ipl_text(IPL_STR(""));
	ipl_id_format(lens->letters, kind, number, text);
	return ipl_text_copy(arena, text);
}

struct ipl_value ipl_show_ip4(struct ipl_arena *arena, uint32_t ip)
{
	char text[IPL_IP4_TEXT_MAX];

	if (ip == 0)
		return ipl_text(IPL_STR(""));
	ipl_ip4_format(ip, text);
	return ipl_text_copy(arena, text);
}

struct ipl_value ipl_show_ip6(struct ipl_arena *arena, struct ipl_ip6 ip)
{
	char text[IPL_IP6_TEXT_MAX];

	ipl_ip6_format(ip, text);
	return ipl_text_copy(arena, text);
}

struct ipl_value ipl_show_settings(struct ipl_arena *arena, struct ipl_region_letters letters,
				   const struct ipl_ev_settings *settings)
{
	struct ipl_value map = ipl_record_value(arena, letters, &ipl_record_settings, settings);
	struct ipl_value quotas = ipl_map();

	for (uint32_t i = 0; i < settings->quotas.count; i++)
		ipl_map_add_str(arena, &quotas, ipl_arena_str(arena, settings->quotas.at[i].name),
				ipl_int((int64_t)settings->quotas.at[i].value));
	ipl_map_set(arena, &map, IPL_STR("Quotas"), quotas);
	if (settings->public_pools.count == 0) /* a record leaves empty lists out */
		ipl_map_set(arena, &map, IPL_STR("PublicPools"), ipl_array());
	if (settings->instance_types.count == 0)
		ipl_map_set(arena, &map, IPL_STR("InstanceTypes"), ipl_array());
	return map;
}

/* --- small values --- */

static struct ipl_value id(const struct show *c, enum ipl_kind kind, uint64_t number)
{
	return ipl_show_id(c->arena, c->lens, kind, number);
}

static struct ipl_value id_as(const struct show *c, const char *prefix, uint64_t number)
{
	char text[IPL_ID_TEXT_MAX];

	ipl_id_format_as(prefix, c->lens->letters, IPL_KIND_VPC, number, text);
	return ipl_text_copy(c->arena, text);
}

static struct ipl_value note(const struct show *c, struct ipl_str s)
{
	return ipl_text(ipl_arena_str(c->arena, s));
}

static struct ipl_value word(const char *literal)
{
	return ipl_text_of(literal);
}

static struct ipl_value region(const struct show *c)
{
	return note(c, c->lens->region);
}

static struct ipl_value time_minutes(const struct show *c)
{
	char text[IPL_TIME_TEXT_MAX];

	ipl_time_format_minutes(c->base->created_ms, text);
	return ipl_text_copy(c->arena, text);
}

static struct ipl_value time_seconds(const struct show *c)
{
	char text[IPL_TIME_TEXT_MAX];

	ipl_time_format_seconds(c->base->created_ms, text);
	return ipl_text_copy(c->arena, text);
}

static struct ipl_value cidr4(const struct show *c, struct ipl_cidr4 cidr)
{
	char text[IPL_CIDR4_TEXT_MAX];

	ipl_cidr4_format(cidr, text);
	return ipl_text_copy(c->arena, text);
}

static struct ipl_value cidr6(const struct show *c, struct ipl_cidr6 cidr)
{
	char text[IPL_CIDR6_TEXT_MAX];

	ipl_cidr6_format(cidr, text);
	return ipl_text_copy(c->arena, text);
}

/* {Name: value} */
static struct ipl_value in(const struct show *c, const char *name, struct ipl_value value)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(c->arena, &map, name, value);
	return map;
}

static struct ipl_value one(const struct show *c, bool there, struct ipl_value value)
{
	struct ipl_value array = ipl_array();

	if (there)
		ipl_array_add(c->arena, &array, value);
	return array;
}

static struct ipl_value none(const struct show *c, const char *name)
{
	return in(c, name, ipl_array());
}

static struct ipl_value ids(const struct show *c, enum ipl_kind kind,
			    const struct ipl_numbers *numbers)
{
	struct ipl_value array = ipl_array();

	for (uint32_t i = 0; i < numbers->count; i++)
		ipl_array_add(c->arena, &array, id(c, kind, numbers->at[i]));
	return array;
}

static struct ipl_value security_groups(const struct show *c)
{
	struct ipl_value array = ipl_array();

	for (uint32_t i = 0; i < c->base->notes->security_groups.count; i++)
		ipl_array_add(c->arena, &array,
			      note(c, c->base->notes->security_groups.at[i].text));
	return in(c, "SecurityGroupId", array);
}

/* The VPC family says Key and Value, ECS says TagKey and TagValue. */
static struct ipl_value tags(const struct show *c, const char *key, const char *value)
{
	struct ipl_value array = ipl_array();

	for (uint32_t i = 0; i < c->base->notes->tags.count; i++) {
		struct ipl_value tag = ipl_map();
		ipl_map_add(c->arena, &tag, key, note(c, c->base->notes->tags.at[i].key));
		ipl_map_add(c->arena, &tag, value, note(c, c->base->notes->tags.at[i].value));
		ipl_array_add(c->arena, &array, tag);
	}
	return in(c, "Tag", array);
}

/* --- VPC --- */

static struct ipl_value vpc_ipv6_blocks(const struct show *c, const struct ipl_vpc *e)
{
	struct ipl_value block = ipl_map();

	ipl_map_add(c->arena, &block, "Ipv6CidrBlock", cidr6(c, e->ipv6_cidr));
	ipl_map_add(c->arena, &block, "Ipv6Isp", word("BGP"));
	return in(c, "Ipv6CidrBlock", one(c, e->ipv6_cidr.prefix_len > 0, block));
}

static struct ipl_value vpc_secondary(const struct show *c, const struct ipl_vpc *e)
{
	struct ipl_value array = ipl_array();

	for (uint32_t i = 0; i < e->secondary_count; i++)
		ipl_array_add(c->arena, &array, cidr4(c, e->secondary[i]));
	return in(c, "SecondaryCidrBlock", array);
}

/* clang-format off */
#define MEMBERS_VPC(M)                                                                          \
	M(OWN, VpcId, id(c, IPL_KIND_VPC, c->number))                                           \
	M(OWN, VpcName, note(c, c->base->notes->name))                                          \
	M(CONSTANT, RegionId, region(c))                                                        \
	M(CONSTANT, Status, word("Available"))                                                  \
	M(OWN, CidrBlock, cidr4(c, e->cidr))                                                    \
	M(OWN, Ipv6CidrBlock, cidr6(c, e->ipv6_cidr))                                           \
	M(OWN, EnabledIpv6, ipl_bool(e->ipv6_cidr.prefix_len > 0))                              \
	M(OWN, Ipv6CidrBlocks, vpc_ipv6_blocks(c, e))                                           \
	M(OWN, SecondaryCidrBlocks, vpc_secondary(c, e))                                        \
	M(CONSTANT, UserCidrs, none(c, "UserCidr"))                                             \
	M(OWN, VSwitchIds, in(c, "VSwitchId", ids(c, IPL_KIND_VSWITCH, &e->vswitches)))         \
	M(CONSTANT, RouterTableIds,                                                             \
	  in(c, "RouterTableIds", one(c, true, id_as(c, "vtb-", c->number))))                   \
	M(CONSTANT, NatGatewayIds, none(c, "NatGatewayIds"))                                    \
	M(CONSTANT, VRouterId, id_as(c, "vrt-", c->number))                                     \
	M(CONSTANT, IsDefault, ipl_bool(false))                                                 \
	M(OWN, CreationTime, time_seconds(c))                                                   \
	M(OWN, Description, note(c, c->base->notes->description))                               \
	M(CONSTANT, ResourceGroupId, word(""))                                                  \
	M(CONSTANT, OwnerId, ipl_int(OWNER_ID))                                                 \
	M(OWN, Tags, tags(c, "Key", "Value"))
/* clang-format on */

/* --- vSwitch --- */

static struct ipl_value route_table(const struct show *c, const struct ipl_vswitch *e)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(c->arena, &map, "RouteTableId", id_as(c, "vtb-", e->vpc));
	ipl_map_add(c->arena, &map, "RouteTableType", word("System"));
	return map;
}

/* What cools down is neither free nor used. */
static int64_t available(const struct show *c, const struct ipl_vswitch *e)
{
	int64_t next_ms;
	uint64_t cooling = ipl_vswitch_cooling(e, c->lens->time_ms, &next_ms);

	ipl_lens_cools(c->lens, next_ms);
	return (int64_t)(ipl_cidr4_size(e->cidr) - IPL_RESERVED_FIRST - IPL_RESERVED_LAST -
			 e->used - cooling);
}

/* clang-format off */
#define MEMBERS_VSWITCH(M)                                                                      \
	M(OWN, VSwitchId, id(c, IPL_KIND_VSWITCH, c->number))                                   \
	M(OWN, VpcId, id(c, IPL_KIND_VPC, e->vpc))                                              \
	M(OWN, ZoneId, note(c, c->base->notes->zone))                                           \
	M(CONSTANT, Status, word("Available"))                                                  \
	M(OWN, CidrBlock, cidr4(c, e->cidr))                                                    \
	M(OWN, Ipv6CidrBlock, cidr6(c, e->ipv6_cidr))                                           \
	M(OWN, EnabledIpv6, ipl_bool(e->ipv6_cidr.prefix_len > 0))                              \
	M(COUNT, AvailableIpAddressCount, ipl_int(available(c, e)))                             \
	M(OWN, VSwitchName, note(c, c->base->notes->name))                                      \
	M(OWN, Description, note(c, c->base->notes->description))                               \
	M(OWN, CreationTime, time_seconds(c))                                                   \
	M(CONSTANT, IsDefault, ipl_bool(false))                                                 \
	M(CONSTANT, NetworkAclId, word(""))                                                     \
	M(CONSTANT, ResourceGroupId, word(""))                                                  \
	M(CONSTANT, OwnerId, ipl_int(OWNER_ID))                                                 \
	M(CONSTANT, ShareType, word(""))                                                        \
	M(CONSTANT, RouteTable, route_table(c, e))                                              \
	M(OWN, Tags, tags(c, "Key", "Value"))
/* clang-format on */

/* --- instance --- */

static struct ipl_value instance_eip(const struct show *c, const struct ipl_instance *e)
{
	const struct ipl_eip *eip = e->eip == 0 ? NULL : ipl_lens_eip(c->lens, e->eip);
	struct ipl_value map = ipl_map();

	ipl_map_add(c->arena, &map, "AllocationId", id(c, IPL_KIND_EIP, e->eip));
	ipl_map_add(c->arena, &map, "IpAddress", ipl_show_ip4(c->arena, eip == NULL ? 0 : eip->ip));
	ipl_map_add(c->arena, &map, "Bandwidth",
		    ipl_int(eip == NULL ? 0 : (int64_t)eip->bandwidth));
	ipl_map_add(c->arena, &map, "InternetChargeType",
		    word(eip == NULL ? "" : ipl_charge_word(eip->charge)));
	return map;
}

static struct ipl_value instance_vpc(const struct show *c, const struct ipl_instance *e)
{
	const struct ipl_eni *eni = ipl_lens_eni(c->lens, e->enis.at[0]);
	struct ipl_value map = ipl_map();

	ipl_map_add(c->arena, &map, "VpcId", id(c, IPL_KIND_VPC, e->vpc));
	ipl_map_add(c->arena, &map, "VSwitchId",
		    id(c, IPL_KIND_VSWITCH, eni == NULL ? 0 : eni->vswitch));
	ipl_map_add(c->arena, &map, "NatIpAddress", word(""));
	ipl_map_add(c->arena, &map, "PrivateIpAddress",
		    in(c, "IpAddress",
		       one(c, eni != NULL,
			   ipl_show_ip4(c->arena, eni == NULL ? 0 : eni->address[0].ip))));
	return map;
}

/* clang-format off */
#define MEMBERS_INSTANCE(M)                                                                     \
	M(OWN, InstanceId, id(c, IPL_KIND_INSTANCE, c->number))                                 \
	M(OWN, InstanceName, note(c, c->base->notes->name))                                     \
	M(OWN, Status, word(ipl_run_word(e->state)))                                            \
	M(OWN, StoppedMode, word(ipl_stopped_word(e->stopped_mode)))                            \
	M(OWN, InstanceType, note(c, c->base->notes->type))                                     \
	M(CONSTANT, InstanceChargeType, word("PostPaid"))                                       \
	M(CONSTANT, InstanceNetworkType, word("vpc"))                                           \
	M(CONSTANT, RegionId, region(c))                                                        \
	M(OWN, ZoneId, note(c, c->base->notes->zone))                                           \
	M(CONSTANT, InnerIpAddress, none(c, "IpAddress"))                                       \
	M(OWN, PublicIpAddress,                                                                 \
	  in(c, "IpAddress", one(c, e->public_ip != 0, ipl_show_ip4(c->arena, e->public_ip))))  \
	M(PAIRED, EipAddress, instance_eip(c, e))                                               \
	M(OWN, VpcAttributes, instance_vpc(c, e))                                               \
	M(OWN, InternetChargeType, word(ipl_charge_word(e->charge)))                            \
	M(OWN, InternetMaxBandwidthIn, ipl_int((int64_t)e->bandwidth_in))                       \
	M(OWN, InternetMaxBandwidthOut, ipl_int((int64_t)e->bandwidth_out))                     \
	M(OWN, SecurityGroupIds, security_groups(c))                                            \
	M(CONSTANT, OperationLocks, none(c, "LockReason"))                                      \
	M(OWN, CreationTime, time_minutes(c))                                                   \
	M(CONSTANT, ExpiredTime, word(""))                                                      \
	M(OWN, HostName, note(c, c->base->notes->host_name))                                    \
	M(OWN, Description, note(c, c->base->notes->description))                               \
	M(OWN, ImageId, note(c, c->base->notes->image))                                         \
	M(CONSTANT, IoOptimized, word("optimized"))                                             \
	M(OWN, Tags, tags(c, "TagKey", "TagValue"))
/* clang-format on */

/* --- network interface --- */

static struct ipl_value eni_public(const struct show *c, const struct ipl_eni_address *at)
{
	const struct ipl_eip *eip = at->eip == 0 ? NULL : ipl_lens_eip(c->lens, at->eip);
	struct ipl_value map = ipl_map();

	ipl_map_add(c->arena, &map, "AllocationId", id(c, IPL_KIND_EIP, at->eip));
	ipl_map_add(c->arena, &map, "PublicIpAddress",
		    ipl_show_ip4(c->arena, eip == NULL ? 0 : eip->ip));
	return map;
}

static struct ipl_value eni_addresses(const struct show *c, const struct ipl_eni *e)
{
	struct ipl_value array = ipl_array();

	for (uint32_t i = 0; i < e->address_count; i++) {
		struct ipl_value map = ipl_map();
		ipl_map_add(c->arena, &map, "PrivateIpAddress",
			    ipl_show_ip4(c->arena, e->address[i].ip));
		ipl_map_add(c->arena, &map, "Primary", ipl_bool(i == 0));
		if (e->address[i].eip != 0)
			ipl_map_add(c->arena, &map, "AssociatedPublicIp",
				    eni_public(c, &e->address[i]));
		ipl_array_add(c->arena, &array, map);
	}
	return in(c, "PrivateIpSet", array);
}

struct ipl_value ipl_show_ipv6_of_eni(struct ipl_arena *arena, const struct ipl_lens *lens,
				      uint64_t number, struct ipl_ip6 ip)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(arena, &map, "Ipv6Address", ipl_show_ip6(arena, ip));
	ipl_map_add(arena, &map, "Ipv6AddressId", ipl_show_id(arena, lens, IPL_KIND_IPV6, number));
	ipl_map_add(arena, &map, "Primary", ipl_bool(false));
	return map;
}

static struct ipl_value eni_ipv6(const struct show *c, const struct ipl_eni *e)
{
	struct ipl_value array = ipl_array();

	for (uint32_t i = 0; i < e->ipv6.count; i++) {
		const struct ipl_ipv6 *ipv6 = ipl_lens_ipv6(c->lens, e->ipv6.at[i]);
		if (ipv6 != NULL)
			ipl_array_add(
				c->arena, &array,
				ipl_show_ipv6_of_eni(c->arena, c->lens, e->ipv6.at[i], ipv6->ip));
	}
	return in(c, "Ipv6Set", array);
}

static struct ipl_value eni_mac(const struct show *c)
{
	char text[IPL_MAC_TEXT_MAX];

	ipl_mac_format(c->number, text);
	return ipl_text_copy(c->arena, text);
}

static struct ipl_value eni_attachment(const struct show *c, const struct ipl_eni *e)
{
	struct ipl_value map = ipl_map();

	if (e->instance != 0)
		ipl_map_add(c->arena, &map, "InstanceId", id(c, IPL_KIND_INSTANCE, e->instance));
	return map;
}

/* clang-format off */
#define MEMBERS_ENI(M)                                                                          \
	M(OWN, NetworkInterfaceId, id(c, IPL_KIND_ENI, c->number))                              \
	M(OWN, NetworkInterfaceName, note(c, c->base->notes->name))                             \
	M(OWN, Description, note(c, c->base->notes->description))                               \
	M(OWN, Status, word(e->instance == 0 ? "Available" : "InUse"))                          \
	M(OWN, Type, word(e->is_primary ? "Primary" : "Secondary"))                             \
	M(OWN, InstanceId, id(c, IPL_KIND_INSTANCE, e->instance))                               \
	M(OWN, VpcId, id(c, IPL_KIND_VPC, e->vpc))                                              \
	M(OWN, VSwitchId, id(c, IPL_KIND_VSWITCH, e->vswitch))                                  \
	M(OWN, ZoneId, note(c, c->base->notes->zone))                                           \
	M(OWN, MacAddress, eni_mac(c))                                                          \
	M(OWN, PrivateIpAddress, ipl_show_ip4(c->arena, e->address[0].ip))                      \
	M(OWN, PrivateIpSets, eni_addresses(c, e))                                              \
	M(PAIRED, AssociatedPublicIp, eni_public(c, &e->address[0]))                            \
	M(OWN, Ipv6Sets, eni_ipv6(c, e))                                                        \
	M(CONSTANT, Ipv4PrefixSets, none(c, "Ipv4PrefixSet"))                                   \
	M(CONSTANT, Ipv6PrefixSets, none(c, "Ipv6PrefixSet"))                                   \
	M(OWN, DeleteOnRelease, ipl_bool(e->delete_on_release))                                 \
	M(OWN, SecurityGroupIds, security_groups(c))                                            \
	M(OWN, Attachment, eni_attachment(c, e))                                                \
	M(OWN, CreationTime, time_minutes(c))                                                   \
	M(CONSTANT, ServiceManaged, ipl_bool(false))                                            \
	M(OWN, Tags, tags(c, "TagKey", "TagValue"))
/* clang-format on */

/* --- EIP --- */

static struct ipl_value eip_target(const struct show *c, const struct ipl_eip *e)
{
	return e->instance != 0 ? id(c, IPL_KIND_INSTANCE, e->instance) :
				  id(c, IPL_KIND_ENI, e->eni);
}

static const char *eip_target_type(const struct ipl_eip *e)
{
	return e->instance != 0 ? "EcsInstance" : e->eni != 0 ? "NetworkInterface" : "";
}

static struct ipl_value eip_region(const struct show *c, const struct ipl_eip *e)
{
	return e->eni == 0 ? word("") : region(c);
}

/* clang-format off */
#define MEMBERS_EIP(M)                                                                          \
	M(OWN, AllocationId, id(c, IPL_KIND_EIP, c->number))                                    \
	M(OWN, IpAddress, ipl_show_ip4(c->arena, e->ip))                                        \
	M(OWN, Status, word(e->eni == 0 ? "Available" : "InUse"))                               \
	M(OWN, InstanceId, eip_target(c, e))                                                    \
	M(OWN, InstanceType, word(eip_target_type(e)))                                          \
	M(OWN, InstanceRegionId, eip_region(c, e))                                              \
	M(OWN, PrivateIpAddress, ipl_show_ip4(c->arena, e->private_ip))                         \
	M(OWN, Mode, word(e->eni == 0 ? "" : ipl_mode_word(e->mode)))                           \
	M(OWN, Bandwidth, ipl_textf(c->arena, "%llu", (unsigned long long)e->bandwidth))        \
	M(OWN, EipBandwidth, ipl_textf(c->arena, "%llu", (unsigned long long)e->bandwidth))     \
	M(OWN, InternetChargeType, word(ipl_charge_word(e->charge)))                            \
	M(CONSTANT, ChargeType, word("PostPaid"))                                               \
	M(CONSTANT, BusinessStatus, word("Normal"))                                             \
	M(CONSTANT, RegionId, region(c))                                                        \
	M(OWN, AllocationTime, time_seconds(c))                                                 \
	M(CONSTANT, ExpiredTime, word(""))                                                      \
	M(OWN, Name, note(c, c->base->notes->name))                                             \
	M(OWN, Description, note(c, c->base->notes->description))                               \
	M(OWN, ISP, note(c, c->base->notes->type))                                              \
	M(CONSTANT, Netmode, word("public"))                                                    \
	M(CONSTANT, DeletionProtection, ipl_bool(false))                                        \
	M(OWN, VpcId, id(c, IPL_KIND_VPC, e->vpc))                                              \
	M(CONSTANT, ResourceGroupId, word(""))                                                  \
	M(CONSTANT, OperationLocks, none(c, "LockReason"))                                      \
	M(OWN, Tags, tags(c, "Key", "Value"))

/* clang-format on */

/* --- IPv6 --- */

static bool is_on_primary(const struct ipl_eni *eni)
{
	return eni != NULL && eni->is_primary;
}

/* An address of a primary interface is the instance's; of another one, the interface's. */
static struct ipl_value ipv6_target(const struct show *c, const struct ipl_ipv6 *e)
{
	const struct ipl_eni *eni = ipl_lens_eni(c->lens, e->eni);

	return is_on_primary(eni) ? id(c, IPL_KIND_INSTANCE, eni->instance) :
				    id(c, IPL_KIND_ENI, e->eni);
}

static const char *ipv6_target_type(const struct show *c, const struct ipl_ipv6 *e)
{
	return is_on_primary(ipl_lens_eni(c->lens, e->eni)) ? "EcsInstance" : "NetworkInterface";
}

static struct ipl_value ipv6_gateway(const struct show *c, const struct ipl_ipv6 *e)
{
	const struct ipl_vpc *vpc = ipl_lens_vpc(c->lens, e->vpc);

	return id(c, IPL_KIND_IPV6GW, vpc == NULL ? 0 : vpc->gateway);
}

static const struct ipl_ipv6bw *bandwidth_of(const struct show *c, const struct ipl_ipv6 *e)
{
	return e->bandwidth == 0 ? NULL : ipl_lens_ipv6bw(c->lens, e->bandwidth);
}

static struct ipl_value ipv6_mbps(const struct show *c, const struct ipl_ipv6 *e)
{
	const struct ipl_ipv6bw *bandwidth = bandwidth_of(c, e);

	return ipl_int(bandwidth == NULL ? 0 : (int64_t)bandwidth->mbps);
}

static struct ipl_value ipv6_bandwidth(const struct show *c, const struct ipl_ipv6 *e)
{
	const struct ipl_ipv6bw *bandwidth = bandwidth_of(c, e);
	struct ipl_value map = ipl_map();

	if (bandwidth == NULL)
		return map;
	ipl_map_add(c->arena, &map, "Ipv6InternetBandwidthId",
		    id(c, IPL_KIND_IPV6BW, e->bandwidth));
	ipl_map_add(c->arena, &map, "Bandwidth", ipl_int((int64_t)bandwidth->mbps));
	ipl_map_add(c->arena, &map, "InternetChargeType", word(ipl_charge_word(bandwidth->charge)));
	ipl_map_add(c->arena, &map, "InstanceChargeType", word("PostPaid"));
	ipl_map_add(c->arena, &map, "BusinessStatus", word("Normal"));
	return map;
}

/* clang-format off */
#define MEMBERS_IPV6(M)                                                                         \
	M(OWN, Ipv6AddressId, id(c, IPL_KIND_IPV6, c->number))                                  \
	M(OWN, Ipv6Address, ipl_show_ip6(c->arena, e->ip))                                      \
	M(CONSTANT, Ipv6AddressName, word(""))                                                  \
	M(CONSTANT, Ipv6AddressDescription, word(""))                                           \
	M(CONSTANT, Status, word("Available"))                                                  \
	M(OWN, NetworkType, word(e->bandwidth == 0 ? "Private" : "Public"))                     \
	M(OWN, AssociatedInstanceType, word(ipv6_target_type(c, e)))                            \
	M(OWN, AssociatedInstanceId, ipv6_target(c, e))                                         \
	M(OWN, VpcId, id(c, IPL_KIND_VPC, e->vpc))                                              \
	M(OWN, VSwitchId, id(c, IPL_KIND_VSWITCH, e->vswitch))                                  \
	M(JOINED, Ipv6GatewayId, ipv6_gateway(c, e))                                            \
	M(OWN, AllocationTime, time_seconds(c))                                                 \
	M(JOINED, RealBandwidth, ipv6_mbps(c, e))                                               \
	M(CONSTANT, AddressType, word("IPv6Address"))                                           \
	M(CONSTANT, Ipv6Isp, word("BGP"))                                                       \
	M(CONSTANT, ServiceManaged, ipl_int(0))                                                 \
	M(CONSTANT, ResourceGroupId, word(""))                                                  \
	M(PAIRED, Ipv6InternetBandwidth, ipv6_bandwidth(c, e))                                  \
	M(OWN, Tags, tags(c, "Key", "Value"))
#define MEMBERS_IPV6GW(M)                                                                       \
	M(OWN, Ipv6GatewayId, id(c, IPL_KIND_IPV6GW, c->number))                                \
	M(OWN, VpcId, id(c, IPL_KIND_VPC, e->vpc))                                              \
	M(OWN, Name, note(c, c->base->notes->name))                                             \
	M(OWN, Description, note(c, c->base->notes->description))                               \
	M(CONSTANT, Status, word("Available"))                                                  \
	M(CONSTANT, BusinessStatus, word("Normal"))                                             \
	M(CONSTANT, InstanceChargeType, word("PostPaid"))                                       \
	M(CONSTANT, RegionId, region(c))                                                        \
	M(OWN, CreationTime, time_seconds(c))                                                   \
	M(CONSTANT, ExpiredTime, word(""))                                                      \
	M(CONSTANT, ResourceGroupId, word(""))                                                  \
	M(OWN, Tags, tags(c, "Key", "Value"))
#define MEMBERS_IPV6BW(M)                                                                       \
	M(OWN, Ipv6InternetBandwidthId, id(c, IPL_KIND_IPV6BW, c->number))                      \
	M(OWN, Ipv6AddressId, id(c, IPL_KIND_IPV6, e->ipv6))                                    \
	M(OWN, VpcId, id(c, IPL_KIND_VPC, e->vpc))                                              \
	M(OWN, Bandwidth, ipl_int((int64_t)e->mbps))                                            \
	M(OWN, InternetChargeType, word(ipl_charge_word(e->charge)))                            \
	M(CONSTANT, InstanceChargeType, word("PostPaid"))                                       \
	M(CONSTANT, BusinessStatus, word("Normal"))                                             \
	M(OWN, AllocationTime, time_seconds(c))

/* --- the ledger --- */
#define MEMBERS_LEDGER(M)                                                                       \
	M(OWN, LedgerId, id(c, IPL_KIND_LEDGER, c->number))                                     \
	M(OWN, Settings, ipl_show_settings(c->arena, c->lens->letters, &e->settings))

#define ADD(CLASS, Name, value)                                                                 \
	if ((c->classes & IPL_MEMBER_##CLASS) != 0)                                             \
		ipl_map_add(c->arena, map, #Name, value);
#define INFO(CLASS, Name, value) { #Name, IPL_MEMBER_##CLASS },
#define SHOW(KIND, kind, struct_name)                                                           \
	static void show_##kind(const struct show *c, const struct struct_name *e,              \
				struct ipl_value *map)                                          \
	{                                                                                       \
		MEMBERS_##KIND(ADD)                                                             \
	}                                                                                       \
	static const struct ipl_member_info members_of_##kind[] = { MEMBERS_##KIND(INFO) };
SHOW(LEDGER, ledger, ipl_ledger_state)
SHOW(VPC, vpc, ipl_vpc)
SHOW(VSWITCH, vswitch, ipl_vswitch)
SHOW(INSTANCE, instance, ipl_instance)
SHOW(ENI, eni, ipl_eni)
SHOW(EIP, eip, ipl_eip)
SHOW(IPV6, ipv6, ipl_ipv6)
SHOW(IPV6GW, ipv6gw, ipl_ipv6gw)
SHOW(IPV6BW, ipv6bw, ipl_ipv6bw)
/* clang-format on */

struct ipl_value ipl_show_only(struct ipl_arena *arena, struct ipl_lens *lens, enum ipl_kind kind,
			       uint64_t number, const union ipl_entity *entity, unsigned classes)
{
	const struct show c = { arena, lens, number, &entity->base, classes };
	struct ipl_value map = ipl_map();

	switch (kind) {
	case IPL_KIND_LEDGER:
		show_ledger(&c, &entity->ledger, &map);
		break;
	case IPL_KIND_VPC:
		show_vpc(&c, &entity->vpc, &map);
		break;
	case IPL_KIND_VSWITCH:
		show_vswitch(&c, &entity->vswitch, &map);
		break;
	case IPL_KIND_INSTANCE:
		show_instance(&c, &entity->instance, &map);
		break;
	case IPL_KIND_ENI:
		show_eni(&c, &entity->eni, &map);
		break;
	case IPL_KIND_EIP:
		show_eip(&c, &entity->eip, &map);
		break;
	case IPL_KIND_IPV6:
		show_ipv6(&c, &entity->ipv6, &map);
		break;
	case IPL_KIND_IPV6GW:
		show_ipv6gw(&c, &entity->ipv6gw, &map);
		break;
	case IPL_KIND_IPV6BW:
		show_ipv6bw(&c, &entity->ipv6bw, &map);
		break;
	case IPL_KIND_NONE:
	case IPL_KIND_COUNT:
	case IPL_KIND_IP4:
	case IPL_KIND_IP6:
		break;
	}
	return map;
}

struct ipl_value ipl_show(struct ipl_arena *arena, struct ipl_lens *lens, enum ipl_kind kind,
			  uint64_t number, const union ipl_entity *entity)
{
	return ipl_show_only(arena, lens, kind, number, entity, IPL_MEMBERS_ALL);
}

const struct ipl_member_info *ipl_members_of(enum ipl_kind kind, size_t *count)
{
	switch (kind) {
/* clang-format off */
#define X(KIND, kind_)                                       \
	case IPL_KIND_##KIND:                                \
		*count = IPL_ARRAY_SIZE(members_of_##kind_); \
		return members_of_##kind_;
		X(LEDGER, ledger) X(VPC, vpc) X(VSWITCH, vswitch) X(INSTANCE, instance)
		X(ENI, eni) X(EIP, eip) X(IPV6, ipv6) X(IPV6GW, ipv6gw) X(IPV6BW, ipv6bw)
#undef X
			/* clang-format on */
			case IPL_KIND_NONE : case IPL_KIND_COUNT : case IPL_KIND_IP4
		    : case IPL_KIND_IP6 : break;
	}
	*count = 0;
	return NULL;
}

bool ipl_changes_shown(enum ipl_kind kind, enum ipl_event_type type)
{
	/* Addresses come and go in a vSwitch, and nothing of it but a count is another. */
	return kind != IPL_KIND_VSWITCH || type == IPL_EVENT_VSWITCH_CREATED ||
	       type == IPL_EVENT_VSWITCH_MODIFIED || type == IPL_EVENT_VSWITCH_DELETED;
}

struct ipl_value ipl_show_holding(struct ipl_arena *arena, struct ipl_lens *lens,
				  struct ipl_key key, const struct ipl_holding *holding)
{
	const struct ipl_eni *eni = holding->eni == 0 ? NULL : ipl_lens_eni(lens, holding->eni);
	struct ipl_value map = ipl_map();
	char text[IPL_TIME_TEXT_MAX];

	ipl_time_format(holding->since_ms, text);
	ipl_map_add(arena, &map, "Address",
		    key.kind == IPL_KIND_IP6 ?
			    ipl_show_ip6(arena, (struct ipl_ip6){ key.a, key.b }) :
			    ipl_show_ip4(arena, (uint32_t)key.b));
	ipl_map_add(arena, &map, "Kind", ipl_text_of(ipl_role_word(holding->role)));
	ipl_map_add(arena, &map, "NetworkInterfaceId",
		    ipl_show_id(arena, lens, IPL_KIND_ENI, holding->eni));
	ipl_map_add(arena, &map, "InstanceId",
		    ipl_show_id(arena, lens, IPL_KIND_INSTANCE, eni == NULL ? 0 : eni->instance));
	ipl_map_add(arena, &map, "VSwitchId",
		    ipl_show_id(arena, lens, IPL_KIND_VSWITCH, eni == NULL ? 0 : eni->vswitch));
	ipl_map_add(arena, &map, "VpcId",
		    ipl_show_id(arena, lens, IPL_KIND_VPC, eni == NULL ? 0 : eni->vpc));
	ipl_map_add(arena, &map, "AllocationId",
		    ipl_show_id(arena, lens, IPL_KIND_EIP, holding->eip));
	ipl_map_add(arena, &map, "SinceSeq", ipl_int((int64_t)holding->since_seq));
	ipl_map_add(arena, &map, "SinceTime", ipl_text_copy(arena, text));
	return map;
}

static struct ipl_value listed_eni(const struct show *c, uint64_t number)
{
	const struct ipl_eni *e = ipl_lens_eni(c->lens, number);
	struct ipl_value map = ipl_map();
	const struct show own = { c->arena, c->lens, number, &e->base, IPL_MEMBERS_ALL };

	ipl_map_add(c->arena, &map, "NetworkInterfaceId", id(&own, IPL_KIND_ENI, number));
	ipl_map_add(c->arena, &map, "Type", word(e->is_primary ? "Primary" : "Secondary"));
	ipl_map_add(c->arena, &map, "MacAddress", eni_mac(&own));
	ipl_map_add(c->arena, &map, "PrimaryIpAddress", ipl_show_ip4(c->arena, e->address[0].ip));
	ipl_map_add(c->arena, &map, "PrivateIpSets", eni_addresses(&own, e));
	ipl_map_add(c->arena, &map, "Ipv6Sets", eni_ipv6(&own, e));
	ipl_map_add(c->arena, &map, "Ipv4PrefixSets", none(c, "Ipv4PrefixSet"));
	ipl_map_add(c->arena, &map, "Ipv6PrefixSets", none(c, "Ipv6PrefixSet"));
	return map;
}

struct ipl_value ipl_show_listed_instance(struct ipl_arena *arena, struct ipl_lens *lens,
					  uint64_t number, const struct ipl_instance *instance)
{
	const struct show c = { arena, lens, number, &instance->base, IPL_MEMBERS_ALL };
	struct ipl_value map = ipl_show(arena, lens, IPL_KIND_INSTANCE, number,
					(const union ipl_entity *)instance);
	struct ipl_value enis = ipl_array(), eip = instance_eip(&c, instance);

	for (uint32_t i = 0; i < instance->enis.count; i++) {
		if (ipl_lens_eni(lens, instance->enis.at[i]) != NULL)
			ipl_array_add(arena, &enis, listed_eni(&c, instance->enis.at[i]));
	}
	if (instance->eip != 0)
		ipl_map_add(arena, &eip, "IsSupportUnassociate", ipl_bool(true));
	ipl_map_set(arena, &map, IPL_STR("EipAddress"), eip);
	ipl_map_set(arena, &map, IPL_STR("IoOptimized"), ipl_bool(true));
	ipl_map_add(arena, &map, "NetworkInterfaces", in(&c, "NetworkInterface", enis));
	return map;
}
