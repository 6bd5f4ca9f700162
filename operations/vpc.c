/* SPDX-License-Identifier: Apache-2.0 */
/* VPCs and vSwitches: made and deleted. */
#include "operations/operations_internal.h"

#include <inttypes.h>

#define VPC_PREFIX_MIN       8
#define SECONDARY_PREFIX_MIN 16
#define VPC_PREFIX_MAX       28
#define VSWITCH_PREFIX_MIN   16
#define VSWITCH_PREFIX_MAX   29
#define IDS_SHOWN_MAX        10u

/* What no VPC may overlap: carrier NAT, multicast, loopback, link-local, "this network". */
static bool is_excluded(struct ipl_cidr4 cidr)
{
	static const struct ipl_cidr4 excluded[] = {
		{ 0x64400000, 10 }, { 0xe0000000, 4 }, { 0x7f000000, 8 },
		{ 0xa9fe0000, 16 }, { 0x00000000, 8 },
	};

	for (size_t i = 0; i < IPL_ARRAY_SIZE(excluded); i++) {
		if (ipl_cidr4_overlaps(cidr, excluded[i]))
			return true;
	}
	return false;
}

enum ipl_status ipl_decide_create_vpc(struct ipl_decision *d)
{
	IPL_ARGS(d, create_vpc);
	struct ipl_cidr4 cidr;
	struct ipl_cidr6 ipv6_cidr = { 0 };
	enum ipl_status st;

	if (!ipl_cidr4_parse(args->cidr, &cidr))
		return ipl_refuse_parameter(
			d->err, IPL_CODE_INVALID_PARAMETER, "CidrBlock",
			"CidrBlock \"%.*s\" is no IPv4 block without host bits, "
			"such as 10.0.0.0/16",
			IPL_STR_ARG(args->cidr));
	if (cidr.prefix_len < VPC_PREFIX_MIN || cidr.prefix_len > VPC_PREFIX_MAX)
		return ipl_refuse_parameter(d->err, IPL_CODE_CIDR_BLOCK_MASK, "CidrBlock",
					    "the mask of %.*s is /%u: a VPC takes /%d to /%d",
					    IPL_STR_ARG(args->cidr), cidr.prefix_len,
					    VPC_PREFIX_MIN, VPC_PREFIX_MAX);
	if (is_excluded(cidr))
		return ipl_refuse_parameter(
			d->err, IPL_CODE_CIDR_EXCLUDED, "CidrBlock",
			"%.*s overlaps a range that no VPC may use: 0.0.0.0/8, 100.64.0.0/10, "
			"127.0.0.0/8, 169.254.0.0/16 or 224.0.0.0/4",
			IPL_STR_ARG(args->cidr));
	if (args->ipv6_cidr.len > 0)
		return ipl_refuse_ipv6_choice(d);
	st = ipl_check_quota(d, IPL_CODE_QUOTA_VPC, "Vpcs", ipl_state_count(d->state, IPL_KIND_VPC),
			     1);
	if (st == IPL_OK && args->enable_ipv6 == 1)
		st = ipl_pick_ipv6_block(d, &ipv6_cidr);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_VPC_CREATED);
	d->ev->vpc_created = (struct ipl_ev_vpc_created){
		.vpc = ipl_next_number(d, IPL_KIND_VPC),
		.cidr = cidr,
		.ipv6_cidr = ipv6_cidr,
		.name = args->name,
		.description = args->description,
		.tags = ipl_tags(d, &args->tags),
	};
	return IPL_OK;
}

enum ipl_status ipl_decide_delete_vpc(struct ipl_decision *d)
{
	IPL_ARGS(d, delete_vpc);
	uint64_t number;
	const struct ipl_vpc *vpc = ipl_named_vpc(d, args->vpc, &number);

	if (vpc == NULL)
		return IPL_REFUSED;
	if (vpc->vswitches.count > 0)
		return ipl_refuse_dependency(d, IPL_CODE_DEPENDENCY_VSWITCH, IPL_KIND_VSWITCH,
					     vpc->vswitches.at, vpc->vswitches.count,
					     vpc->vswitches.count, "the VPC");
	if (vpc->gateway != 0 && args->force != 1)
		return ipl_refuse_dependency(d, IPL_CODE_DEPENDENCY_IPV6GW, IPL_KIND_IPV6GW,
					     &vpc->gateway, 1, 1, "the VPC");
	ipl_decided(d, IPL_EVENT_VPC_DELETED);
	d->ev->vpc_deleted = (struct ipl_ev_vpc_deleted){ number, vpc->gateway, vpc->ipv6_cidr };
	return IPL_OK;
}

/* Off: when no vSwitch has a part of the block, and there is no gateway. */
static enum ipl_status switch_ipv6_off(struct ipl_decision *d, const struct ipl_vpc *vpc,
				       struct ipl_cidr6 *cidr)
{
	uint64_t numbers[IDS_SHOWN_MAX], count = 0;

	for (uint32_t i = 0; i < vpc->vswitches.count; i++) {
		if (ipl_state_vswitch(d->state, vpc->vswitches.at[i])->ipv6_cidr.prefix_len == 0)
			continue;
		if (count < IDS_SHOWN_MAX)
			numbers[count] = vpc->vswitches.at[i];
		count++;
	}
	if (count > 0)
		return ipl_refuse_dependency(
			d, IPL_CODE_DEPENDENCY_VSWITCH, IPL_KIND_VSWITCH, numbers,
			(uint32_t)(count < IDS_SHOWN_MAX ? count : IDS_SHOWN_MAX), count,
			"the VPC's IPv6 block");
	if (vpc->gateway != 0)
		return ipl_refuse_dependency(d, IPL_CODE_DEPENDENCY_IPV6GW, IPL_KIND_IPV6GW,
					     &vpc->gateway, 1, 1, "the VPC");
	*cidr = (struct ipl_cidr6){ 0 };
	return IPL_OK;
}

enum ipl_status ipl_decide_modify_vpc(struct ipl_decision *d)
{
	IPL_ARGS(d, modify_vpc);
	uint64_t number;
	const struct ipl_vpc *vpc = ipl_named_vpc(d, args->vpc, &number);
	struct ipl_cidr6 ipv6_cidr;
	enum ipl_status st = IPL_OK;

	if (vpc == NULL)
		return IPL_REFUSED;
	ipv6_cidr = vpc->ipv6_cidr;
	if (args->ipv6_cidr.len > 0)
		return ipl_refuse_ipv6_choice(d);
	if (args->enable_ipv6 == 1 && ipv6_cidr.prefix_len == 0)
		st = ipl_pick_ipv6_block(d, &ipv6_cidr);
	else if (args->enable_ipv6 == 0)
		st = switch_ipv6_off(d, vpc, &ipv6_cidr);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_VPC_MODIFIED);
	d->ev->vpc_modified = (struct ipl_ev_vpc_modified){
		.vpc = number,
		.ipv6_cidr = ipv6_cidr,
		.name = args->name.at == NULL ? vpc->base.notes->name : args->name,
		.description = args->description.at == NULL ? vpc->base.notes->description :
							      args->description,
	};
	return IPL_OK;
}

/* On with an index, off while no address of the block is in use; one block is not swapped for
 * another. */
static enum ipl_status change_ipv6(struct ipl_decision *d, uint64_t number,
				   const struct ipl_vswitch *vswitch, struct ipl_cidr6 *cidr)
{
	IPL_ARGS(d, modify_vswitch);
	uint64_t has;

	if (args->enable_ipv6 == 0) {
		if (args->ipv6_index != IPL_ABSENT)
			return ipl_refuse_parameter(d->err, IPL_CODE_PARAMETER_CONFLICT,
						    "Ipv6CidrBlock",
						    "Ipv6CidrBlock together with EnableIPv6 false "
						    "asks for both: give one");
		*cidr = (struct ipl_cidr6){ 0 };
		return ipl_check_ipv6_unused(d, number);
	}
	if (args->ipv6_index == IPL_ABSENT) {
		if (args->enable_ipv6 == 1 && cidr->prefix_len == 0)
			return ipl_refuse_parameter(d->err, IPL_CODE_MISSING_PARAMETER,
						    "Ipv6CidrBlock",
						    "EnableIPv6 needs Ipv6CidrBlock, 0 to 255");
		return IPL_OK;
	}
	if (cidr->prefix_len == 0)
		return ipl_vswitch_ipv6_block(d, vswitch->vpc, number, args->ipv6_index, cidr);
	has = cidr->hi & ~ipl_cidr6_mask(ipl_state_vpc(d->state, vswitch->vpc)->ipv6_cidr);
	if (has == (uint64_t)args->ipv6_index)
		return IPL_OK;
	ipl_refuse_parameter(d->err, IPL_CODE_IPV6_CIDR_SET, "Ipv6CidrBlock",
			     "the vSwitch has the IPv6 block with index %" PRIu64
			     ": switch it off before you set another one",
			     has);
	return ipl_refused_entity(d, IPL_KIND_VSWITCH, number);
}

enum ipl_status ipl_decide_modify_vswitch(struct ipl_decision *d)
{
	IPL_ARGS(d, modify_vswitch);
	uint64_t number;
	const struct ipl_vswitch *vswitch = ipl_named_vswitch(d, args->vswitch, &number);
	struct ipl_cidr6 ipv6_cidr;
	enum ipl_status st;

	if (vswitch == NULL)
		return IPL_REFUSED;
	ipv6_cidr = vswitch->ipv6_cidr;
	st = change_ipv6(d, number, vswitch, &ipv6_cidr);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_VSWITCH_MODIFIED);
	d->ev->vswitch_modified = (struct ipl_ev_vswitch_modified){
		.vswitch = number,
		.ipv6_cidr = ipv6_cidr,
		.name = args->name.at == NULL ? vswitch->base.notes->name : args->name,
		.description = args->description.at == NULL ? vswitch->base.notes->description :
							      args->description,
	};
	return IPL_OK;
}

/* --- secondary blocks --- */

static enum ipl_status check_secondary(struct ipl_decision *d, const struct ipl_vpc *vpc,
				       struct ipl_str text, struct ipl_cidr4 *cidr)
{
	if (!ipl_cidr4_parse(text, cidr))
		return ipl_refuse_parameter(d->err, IPL_CODE_CIDR_MALFORMED, "SecondaryCidrBlock",
					    "SecondaryCidrBlock \"%.*s\" is no IPv4 block without "
					    "host bits, such as 192.168.0.0/16",
					    IPL_STR_ARG(text));
	if (cidr->prefix_len < SECONDARY_PREFIX_MIN || cidr->prefix_len > VPC_PREFIX_MAX)
		return ipl_refuse_parameter(d->err, IPL_CODE_SECONDARY_CIDR, "SecondaryCidrBlock",
					    "the mask of %.*s is /%u: a secondary block takes /%d "
					    "to /%d",
					    IPL_STR_ARG(text), cidr->prefix_len,
					    SECONDARY_PREFIX_MIN, VPC_PREFIX_MAX);
	if (is_excluded(*cidr))
		return ipl_refuse_parameter(d->err, IPL_CODE_CIDR_EXCLUDED, "SecondaryCidrBlock",
					    "%.*s overlaps a range that no VPC may use",
					    IPL_STR_ARG(text));
	for (uint32_t i = 0; i < vpc->secondary_count; i++) {
		if (ipl_cidr4_equal(vpc->secondary[i], *cidr))
			return ipl_refuse_parameter(
				d->err, IPL_CODE_SECONDARY_CIDR_DUPLICATED, "SecondaryCidrBlock",
				"%.*s is a secondary block already", IPL_STR_ARG(text));
	}
	for (uint32_t i = 0; i <= vpc->secondary_count; i++) {
		struct ipl_cidr4 other = i == 0 ? vpc->cidr : vpc->secondary[i - 1];
		if (ipl_cidr4_overlaps(other, *cidr))
			return ipl_refuse_parameter(
				d->err, IPL_CODE_CIDR_OVERLAPPED, "SecondaryCidrBlock",
				"%.*s overlaps another block of the VPC", IPL_STR_ARG(text));
	}
	return IPL_OK;
}

enum ipl_status ipl_decide_associate_cidr(struct ipl_decision *d)
{
	IPL_ARGS(d, associate_cidr);
	struct ipl_cidr4 cidr;
	uint64_t number;
	const struct ipl_vpc *vpc = ipl_named_vpc(d, args->vpc, &number);
	enum ipl_status st;

	if (vpc == NULL)
		return IPL_REFUSED;
	if (!ipl_is_word("IPV4|IPV6", args->version))
		return ipl_refuse_parameter(d->err, IPL_CODE_IP_VERSION, "IpVersion",
					    "IpVersion is \"%.*s\": it must be IPV4",
					    IPL_STR_ARG(args->version));
	if (ipl_str_is(args->version, "IPV6"))
		return ipl_refuse_parameter(d->err, IPL_CODE_UNSUPPORTED_PARAMETER, "IpVersion",
					    "secondary IPv6 blocks are not offered: a VPC has one "
					    "IPv6 block");
	st = check_secondary(d, vpc, args->cidr, &cidr);
	if (st != IPL_OK)
		return st;
	if (vpc->secondary_count == IPL_SECONDARY_CIDRS_MAX) {
		ipl_refuse(d->err, IPL_CODE_QUOTA_SECONDARY_CIDR,
			   "%.*s has %u secondary blocks: it takes %u", IPL_STR_ARG(args->vpc),
			   vpc->secondary_count, IPL_SECONDARY_CIDRS_MAX);
		ipl_refused_entity(d, IPL_KIND_VPC, number);
		return ipl_refused_limit(d, "SecondaryCidrBlocks", IPL_SECONDARY_CIDRS_MAX,
					 vpc->secondary_count, 1);
	}
	ipl_decided(d, IPL_EVENT_VPC_CIDR_ASSOCIATED);
	d->ev->vpc_cidr_associated = (struct ipl_ev_vpc_cidr_associated){ number, cidr };
	return IPL_OK;
}

static bool has_secondary(const struct ipl_vpc *vpc, struct ipl_cidr4 cidr)
{
	for (uint32_t i = 0; i < vpc->secondary_count; i++) {
		if (ipl_cidr4_equal(vpc->secondary[i], cidr))
			return true;
	}
	return false;
}

enum ipl_status ipl_decide_unassociate_cidr(struct ipl_decision *d)
{
	IPL_ARGS(d, unassociate_cidr);
	uint64_t number, numbers[IDS_SHOWN_MAX], count = 0;
	struct ipl_cidr4 cidr;
	const struct ipl_vpc *vpc = ipl_named_vpc(d, args->vpc, &number);

	if (vpc == NULL)
		return IPL_REFUSED;
	if (!ipl_cidr4_parse(args->cidr, &cidr))
		return ipl_refuse_parameter(d->err, IPL_CODE_CIDR_MALFORMED, "SecondaryCidrBlock",
					    "SecondaryCidrBlock \"%.*s\" is no IPv4 block",
					    IPL_STR_ARG(args->cidr));
	if (ipl_cidr4_equal(cidr, vpc->cidr))
		return ipl_refuse_parameter(d->err, IPL_CODE_PRIMARY_CIDR, "SecondaryCidrBlock",
					    "%.*s is the VPC's primary block: it goes only with it",
					    IPL_STR_ARG(args->cidr));
	if (!has_secondary(vpc, cidr))
		return ipl_refuse_parameter(d->err, IPL_CODE_CIDR_NOT_FOUND, "SecondaryCidrBlock",
					    "%.*s is not a block of the VPC",
					    IPL_STR_ARG(args->cidr));
	for (uint32_t i = 0; i < vpc->vswitches.count; i++) {
		const struct ipl_vswitch *vswitch =
			ipl_state_vswitch(d->state, vpc->vswitches.at[i]);
		if (!ipl_cidr4_covers(cidr, vswitch->cidr))
			continue;
		if (count < IDS_SHOWN_MAX)
			numbers[count] = vpc->vswitches.at[i];
		count++;
	}
	if (count > 0)
		return ipl_refuse_dependency(
			d, IPL_CODE_CIDR_IN_USE, IPL_KIND_VSWITCH, numbers,
			(uint32_t)(count < IDS_SHOWN_MAX ? count : IDS_SHOWN_MAX), count,
			"the block");
	ipl_decided(d, IPL_EVENT_VPC_CIDR_UNASSOCIATED);
	d->ev->vpc_cidr_unassociated = (struct ipl_ev_vpc_cidr_unassociated){ number, cidr };
	return IPL_OK;
}

static bool is_covered(const struct ipl_vpc *vpc, struct ipl_cidr4 cidr)
{
	bool covered = ipl_cidr4_covers(vpc->cidr, cidr);

	for (uint32_t i = 0; i < vpc->secondary_count; i++)
		covered = covered || ipl_cidr4_covers(vpc->secondary[i], cidr);
	return covered;
}

static enum ipl_status check_vswitch_block(struct ipl_decision *d, const struct ipl_vpc *vpc,
					   struct ipl_str text, struct ipl_cidr4 *out)
{
	struct ipl_cidr4 cidr;
	char of[IPL_CIDR4_TEXT_MAX];

	if (!ipl_cidr4_parse(text, &cidr))
		return ipl_refuse_parameter(
			d->err, IPL_CODE_CIDR_MALFORMED, "CidrBlock",
			"CidrBlock \"%.*s\" is no IPv4 block without host bits, "
			"such as 10.0.1.0/24",
			IPL_STR_ARG(text));
	if (cidr.prefix_len < VSWITCH_PREFIX_MIN || cidr.prefix_len > VSWITCH_PREFIX_MAX)
		return ipl_refuse_parameter(d->err, IPL_CODE_CIDR_MASK_LENGTH, "CidrBlock",
					    "the mask of %.*s is /%u: a vSwitch takes /%d to /%d",
					    IPL_STR_ARG(text), cidr.prefix_len, VSWITCH_PREFIX_MIN,
					    VSWITCH_PREFIX_MAX);
	ipl_cidr4_format(vpc->cidr, of);
	if (!is_covered(vpc, cidr))
		return ipl_refuse_parameter(d->err, IPL_CODE_INVALID_PARAMETER, "CidrBlock",
					    "%.*s is not inside a block of the VPC (%s%s)",
					    IPL_STR_ARG(text), of,
					    vpc->secondary_count > 0 ? " and secondary ones" : "");
	*out = cidr;
	return IPL_OK;
}

static enum ipl_status check_overlap(struct ipl_decision *d, const struct ipl_vpc *vpc,
				     struct ipl_cidr4 cidr)
{
	for (uint32_t i = 0; i < vpc->vswitches.count; i++) {
		struct ipl_cidr4 other = ipl_state_vswitch(d->state, vpc->vswitches.at[i])->cidr;
		char text[IPL_CIDR4_TEXT_MAX], taken[IPL_CIDR4_TEXT_MAX];
		if (!ipl_cidr4_overlaps(other, cidr))
			continue;
		ipl_cidr4_format(cidr, text);
		ipl_cidr4_format(other, taken);
		ipl_refuse_parameter(d->err, IPL_CODE_CIDR_OVERLAPPED, "CidrBlock",
				     "%s overlaps %s, the block of another vSwitch", text, taken);
		return ipl_refused_entity(d, IPL_KIND_VSWITCH, vpc->vswitches.at[i]);
	}
	return IPL_OK;
}

enum ipl_status ipl_decide_create_vswitch(struct ipl_decision *d)
{
	IPL_ARGS(d, create_vswitch);
	uint64_t number;
	const struct ipl_vpc *vpc = ipl_named_vpc(d, args->vpc, &number);
	struct ipl_cidr4 cidr = { 0 };
	struct ipl_cidr6 ipv6_cidr = { 0 };
	enum ipl_status st;

	if (vpc == NULL)
		return IPL_REFUSED;
	st = ipl_named_zone(d, args->zone);
	if (st == IPL_OK)
		st = check_vswitch_block(d, vpc, args->cidr, &cidr);
	if (st == IPL_OK)
		st = check_overlap(d, vpc, cidr);
	if (st == IPL_OK && args->ipv6_index != IPL_ABSENT)
		st = ipl_vswitch_ipv6_block(d, number, 0, args->ipv6_index, &ipv6_cidr);
	if (st == IPL_OK)
		st = ipl_check_quota(d, IPL_CODE_QUOTA_VSWITCH, "VSwitchesPerVpc",
				     vpc->vswitches.count, 1);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_VSWITCH_CREATED);
	d->ev->vswitch_created = (struct ipl_ev_vswitch_created){
		.vswitch = ipl_next_number(d, IPL_KIND_VSWITCH),
		.vpc = number,
		.zone = args->zone,
		.cidr = cidr,
		.ipv6_cidr = ipv6_cidr,
		.name = args->name,
		.description = args->description,
		.tags = ipl_tags(d, &args->tags),
	};
	return IPL_OK;
}

/* The interfaces in a vSwitch, by who holds its addresses: how many, and up to IDS_SHOWN_MAX of
 * them. */
static uint64_t holders(const struct ipl_decision *d, const struct ipl_vswitch *vswitch,
			uint64_t *numbers, uint32_t *shown)
{
	uint64_t count = 0;

	*shown = 0;
	for (uint64_t i = 0; i < ipl_cidr4_size(vswitch->cidr); i++) {
		struct ipl_key key = ipl_key_ip4(vswitch->vpc, vswitch->cidr.base + (uint32_t)i);
		struct ipl_holding holding = ipl_state_holding(d->state, key);
		if (holding.role != IPL_ROLE_PRIMARY) /* each interface has one */
			continue;
		if (*shown < IDS_SHOWN_MAX)
			numbers[(*shown)++] = holding.eni;
		count++;
	}
	return count;
}

enum ipl_status ipl_decide_delete_vswitch(struct ipl_decision *d)
{
	IPL_ARGS(d, delete_vswitch);
	uint64_t number, enis[IDS_SHOWN_MAX];
	const struct ipl_vswitch *vswitch = ipl_named_vswitch(d, args->vswitch, &number);

	if (vswitch == NULL)
		return IPL_REFUSED;
	if (vswitch->used > 0) {
		uint32_t shown;
		uint64_t count = holders(d, vswitch, enis, &shown);
		return ipl_refuse_dependency(d, IPL_CODE_DEPENDENCY_ENI, IPL_KIND_ENI, enis, shown,
					     count, "the vSwitch");
	}
	ipl_decided(d, IPL_EVENT_VSWITCH_DELETED);
	d->ev->vswitch_deleted = (struct ipl_ev_vswitch_deleted){ number, vswitch->vpc };
	return IPL_OK;
}
