/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6: blocks of VPCs and vSwitches, addresses of network interfaces. */
#include "operations/operations_internal.h"

#include <inttypes.h>

#include "events/time.h"

#define IDS_SHOWN_MAX 10u

static const struct ipl_address_codes assign_codes = {
	.outside = IPL_CODE_IP_INVALID,
	.reserved = IPL_CODE_IP_INVALID,
	.taken = IPL_CODE_IP_ASSIGNED,
};

/* --- blocks --- */

enum ipl_status ipl_pick_ipv6_block(struct ipl_decision *d, struct ipl_cidr6 *out)
{
	struct ipl_cidr6 pool = ipl_settings(d)->ipv6_pool;
	uint64_t step = UINT64_C(1) << (64 - IPL_VPC_IPV6_PREFIX);
	uint64_t mask = ipl_cidr6_mask(pool), hi = ipl_state_ipv6_block_position(d->state);
	uint64_t count = UINT64_C(1) << (IPL_VPC_IPV6_PREFIX - pool.prefix_len);
	char text[IPL_CIDR6_TEXT_MAX];

	if ((hi & mask) != pool.hi)
		hi = pool.hi;
	/* Next fit: it ends at the latest after as many steps as there are VPCs with a block. */
	for (uint64_t i = 0; i < count; i++) {
		if (ipl_state_ipv6_block_owner(d->state, hi) == 0) {
			*out = (struct ipl_cidr6){ hi, IPL_VPC_IPV6_PREFIX };
			return IPL_OK;
		}
		hi = pool.hi | ((hi + step) & ~mask);
	}
	ipl_cidr6_format(pool, text);
	ipl_refuse(d->err, IPL_CODE_IPV6_CIDR_EXHAUSTED,
		   "all %" PRIu64 " blocks of the IPv6 pool %s are in use: switch IPv6 off in a "
		   "VPC, or set a larger pool with ModifyLedgerSettings",
		   count, text);
	ipl_error_add(d->err, "Total", ipl_int((int64_t)count));
	return IPL_REFUSED;
}

enum ipl_status ipl_refuse_ipv6_choice(struct ipl_decision *d)
{
	return ipl_refuse_parameter(d->err, IPL_CODE_IPV6_CIDR_NOT_RESERVED, "Ipv6CidrBlock",
				    "a VPC's IPv6 block cannot be chosen: leave Ipv6CidrBlock out, "
				    "and one is picked from the pool");
}

static enum ipl_status check_index_free(struct ipl_decision *d, const struct ipl_vpc *vpc,
					uint64_t self, struct ipl_cidr6 cidr)
{
	for (uint32_t i = 0; i < vpc->vswitches.count; i++) {
		const struct ipl_vswitch *other = ipl_state_vswitch(d->state, vpc->vswitches.at[i]);
		char text[IPL_CIDR6_TEXT_MAX];
		if (vpc->vswitches.at[i] == self || other->ipv6_cidr.prefix_len == 0 ||
		    other->ipv6_cidr.hi != cidr.hi)
			continue;
		ipl_cidr6_format(cidr, text);
		ipl_refuse_parameter(d->err, IPL_CODE_IPV6_CIDR_OVERLAPPED, "Ipv6CidrBlock",
				     "%s is the IPv6 block of another vSwitch: use another index",
				     text);
		return ipl_refused_entity(d, IPL_KIND_VSWITCH, vpc->vswitches.at[i]);
	}
	return IPL_OK;
}

enum ipl_status ipl_vswitch_ipv6_block(struct ipl_decision *d, uint64_t vpc, uint64_t self,
				       int64_t index, struct ipl_cidr6 *out)
{
	const struct ipl_vpc *of = ipl_state_vpc(d->state, vpc);

	if (of->ipv6_cidr.prefix_len == 0) {
		ipl_refuse(d->err, IPL_CODE_VPC_IPV6_DISABLED,
			   "the VPC has no IPv6 block: switch it on with ModifyVpcAttribute "
			   "EnableIPv6");
		return ipl_refused_entity(d, IPL_KIND_VPC, vpc);
	}
	*out = (struct ipl_cidr6){ of->ipv6_cidr.hi | (uint64_t)index, IPL_VSWITCH_IPV6_PREFIX };
	return check_index_free(d, of, self, *out);
}

/* --- which addresses a decision takes --- */

static enum ipl_status refuse_ip6(struct ipl_decision *d, enum ipl_code code, struct ipl_str ip,
				  uint64_t vswitch, const char *why)
{
	char id[IPL_ID_TEXT_MAX], cidr[IPL_CIDR6_TEXT_MAX];

	ipl_id_format(ipl_state_letters(d->state), IPL_KIND_VSWITCH, vswitch, id);
	ipl_cidr6_format(ipl_state_vswitch(d->state, vswitch)->ipv6_cidr, cidr);
	ipl_refuse(d->err, code, "%.*s %s of vSwitch %s (%s)", IPL_STR_ARG(ip), why, id, cidr);
	ipl_refused_entity(d, IPL_KIND_VSWITCH, vswitch);
	ipl_error_add(d->err, "Address", ipl_text(ipl_arena_str(d->arena, ip)));
	return IPL_REFUSED;
}

static bool is_taken(const struct ipl_ev_ipv6_list *list, struct ipl_ip6 ip)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->at[i].ip.hi == ip.hi && list->at[i].ip.lo == ip.lo)
			return true;
	}
	return false;
}

static enum ipl_status refuse_malformed(struct ipl_decision *d, struct ipl_str text)
{
	ipl_refuse_parameter(d->err, IPL_CODE_IP6_MALFORMED, "Ipv6Address",
			     "\"%.*s\" is no IPv6 address such as 2001:db8::5",
			     (int)(text.len > 64 ? 64 : text.len), text.at);
	ipl_error_add(d->err, "Address", ipl_text(ipl_arena_str(d->arena, text)));
	return IPL_REFUSED;
}

static enum ipl_status take_named(struct ipl_decision *d, uint64_t vswitch, struct ipl_str text,
				  const struct ipl_address_codes *codes,
				  const struct ipl_ev_ipv6_list *list, struct ipl_ip6 *out)
{
	const struct ipl_vswitch *of = ipl_state_vswitch(d->state, vswitch);
	struct ipl_holding holding;

	if (!ipl_ip6_parse(text, out))
		return refuse_malformed(d, text);
	if (out->hi != of->ipv6_cidr.hi)
		return refuse_ip6(d, codes->outside, text, vswitch, "is outside the IPv6 block");
	if (ipl_ip6_is_reserved(*out))
		return refuse_ip6(d, codes->reserved, text, vswitch,
				  "is one of the reserved addresses (first and last nine)");
	if (is_taken(list, *out))
		return refuse_ip6(d, IPL_CODE_IP_REPEATED, text, vswitch,
				  "is asked for twice in one request, in the block");
	holding = ipl_state_holding(d->state, ipl_key_ip6(out->hi, out->lo));
	if (holding.role != IPL_ROLE_NONE)
		return ipl_refuse_held(d, codes->taken, ipl_show_ip6(d->arena, *out), &holding);
	return IPL_OK;
}

/* The next interface id from @from on, around the end, that nobody has and that has cooled. */
static uint64_t pick(const struct ipl_decision *d, uint64_t hi, uint64_t from,
		     const struct ipl_ev_ipv6_list *list)
{
	for (;; from++) {
		struct ipl_holding holding;
		if (ipl_ip6_is_reserved((struct ipl_ip6){ hi, from }))
			from = IPL_IPV6_RESERVED_FIRST;
		if (is_taken(list, (struct ipl_ip6){ hi, from }))
			continue;
		holding = ipl_state_holding(d->state, ipl_key_ip6(hi, from));
		if (holding.role == IPL_ROLE_NONE && holding.cool_until <= d->time_ms)
			return from;
	}
}

enum ipl_status ipl_take_ipv6(struct ipl_decision *d, uint64_t vswitch,
			      const struct ipl_strs *names, uint32_t count,
			      const struct ipl_address_codes *codes, struct ipl_ipv6_cursor *cursor,
			      struct ipl_ev_ipv6_list *out)
{
	uint64_t hi = ipl_state_vswitch(d->state, vswitch)->ipv6_cidr.hi;
	struct ipl_ip6 ip = { .hi = hi };

	out->count = 0;
	out->at = ipl_arena_array(d->arena, (size_t)names->count + count, sizeof(*out->at));
	if (out->at == NULL)
		return ipl_error_set(d->err, IPL_ERR_NOMEM, "out of memory for addresses");
	if (cursor->number == 0) {
		cursor->number = ipl_next_number(d, IPL_KIND_IPV6);
		cursor->from = ipl_state_ipv6_position(d->state, vswitch);
	}
	for (uint32_t i = 0; i < names->count; i++) {
		enum ipl_status st = take_named(d, vswitch, names->at[i], codes, out, &ip);
		if (st != IPL_OK)
			return st;
		out->at[out->count++] = (struct ipl_ev_ipv6){ cursor->number++, ip, false };
	}
	for (uint32_t i = 0; i < count; i++) {
		ip = (struct ipl_ip6){ hi, pick(d, hi, cursor->from, out) };
		cursor->from = ip.lo + 1;
		out->at[out->count++] = (struct ipl_ev_ipv6){ cursor->number++, ip, true };
	}
	return IPL_OK;
}

enum ipl_status ipl_check_ipv6_on(struct ipl_decision *d, uint64_t vswitch)
{
	if (ipl_state_vswitch(d->state, vswitch)->ipv6_cidr.prefix_len != 0)
		return IPL_OK;
	ipl_refuse(d->err, IPL_CODE_VSWITCH_IPV6_OFF,
		   "the vSwitch has no IPv6 block: switch it on with ModifyVSwitchAttribute "
		   "EnableIPv6 and Ipv6CidrBlock");
	return ipl_refused_entity(d, IPL_KIND_VSWITCH, vswitch);
}

enum ipl_status ipl_refuse_ipv6_limit(struct ipl_decision *d, struct ipl_str type, uint32_t limit,
				      uint32_t count, uint32_t more)
{
	if (limit == 0)
		ipl_refuse(d->err, IPL_CODE_ENI_IP6_UNSUPPORTED,
			   "instance type %.*s has no IPv6: use another type", IPL_STR_ARG(type));
	else
		ipl_refuse(d->err, IPL_CODE_ENI_IP6_LIMIT,
			   "%u IPv6 addresses on one network interface: instance type %.*s "
			   "takes %u",
			   count + more, IPL_STR_ARG(type), limit);
	return ipl_refused_limit(d, "EniIpv6AddressQuantity", limit, count, more);
}

/* --- assign and unassign --- */

enum ipl_status ipl_check_ipv6_names(struct ipl_decision *d, const struct ipl_strs *names,
				     int64_t count)
{
	struct ipl_ip6 ip;

	if (names->count > 0 && count != IPL_ABSENT)
		return ipl_refuse_parameter(d->err, IPL_CODE_PARAMETER_CONFLICT, "Ipv6Address",
					    "Ipv6Address and Ipv6AddressCount exclude each other: "
					    "give one");
	for (uint32_t i = 0; i < names->count; i++) {
		if (!ipl_ip6_parse(names->at[i], &ip))
			return refuse_malformed(d, names->at[i]);
	}
	return IPL_OK;
}

static enum ipl_status check_count(struct ipl_decision *d, const struct ipl_eni *eni,
				   uint64_t number, uint32_t more)
{
	uint32_t wanted = eni->ipv6.count + more;
	const struct ipl_instance *instance;
	struct ipl_type_limits limits;

	if (eni->instance == 0) {
		if (wanted <= IPL_FREE_ENI_IPV6_MAX)
			return IPL_OK;
		ipl_refuse(d->err, IPL_CODE_ENI_IP6_LIMIT_FREE,
			   "the network interface has %u IPv6 addresses and takes %u: %u more are "
			   "too many",
			   eni->ipv6.count, IPL_FREE_ENI_IPV6_MAX, more);
		ipl_refused_limit(d, "IPv6 addresses of an available network interface",
				  IPL_FREE_ENI_IPV6_MAX, eni->ipv6.count, more);
		return ipl_refused_entity(d, IPL_KIND_ENI, number);
	}
	instance = ipl_state_instance(d->state, eni->instance);
	limits = ipl_instance_limits(d, instance);
	if (wanted <= limits.ip6_max)
		return IPL_OK;
	ipl_refuse_ipv6_limit(d, instance->base.notes->type, limits.ip6_max, eni->ipv6.count, more);
	return ipl_refused_entity(d, IPL_KIND_ENI, number);
}

enum ipl_status ipl_decide_assign_ipv6(struct ipl_decision *d)
{
	IPL_ARGS(d, assign_ipv6);
	uint32_t picked = args->ipv6_count == IPL_ABSENT ? 0 : (uint32_t)args->ipv6_count;
	struct ipl_ipv6_cursor cursor = { 0 };
	struct ipl_ev_ipv6_list list = { 0 };
	const struct ipl_eni *eni;
	uint64_t number;
	enum ipl_status st;

	eni = ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &number);
	if (eni == NULL)
		return IPL_REFUSED;
	st = ipl_check_ipv6_names(d, &args->ipv6, args->ipv6_count);
	if (st == IPL_OK)
		st = ipl_check_ipv6_on(d, eni->vswitch);
	if (st == IPL_OK)
		st = check_count(d, eni, number, args->ipv6.count + picked);
	if (st == IPL_OK)
		st = ipl_take_ipv6(d, eni->vswitch, &args->ipv6, picked, &assign_codes, &cursor,
				   &list);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_IPV6_ASSIGNED);
	d->ev->ipv6_assigned = (struct ipl_ev_ipv6_assigned){
		.eni = number,
		.vpc = eni->vpc,
		.vswitch = eni->vswitch,
		.ipv6 = list,
	};
	return IPL_OK;
}

/* The number of the IPv6 address of @eni that @text names; 0 with the refusal made. */
static uint64_t address_on(struct ipl_decision *d, const struct ipl_eni *eni, uint64_t number,
			   struct ipl_str text)
{
	struct ipl_ip6 ip;

	if (!ipl_ip6_parse(text, &ip)) {
		ipl_refuse_unassign(d, IPL_CODE_IP6_MALFORMED, number, text,
				    "is no IPv6 address such as 2001:db8::5");
		return 0;
	}
	for (uint32_t i = 0; i < eni->ipv6.count; i++) {
		struct ipl_ip6 has = ipl_state_ipv6(d->state, eni->ipv6.at[i])->ip;
		if (has.hi == ip.hi && has.lo == ip.lo)
			return eni->ipv6.at[i];
	}
	ipl_refuse_unassign(d, IPL_CODE_IP_UNASSIGNED, number, text,
			    "is not an address of this network interface");
	return 0;
}

struct ipl_ev_freed_ipv6 ipl_free_ipv6(const struct ipl_decision *d, uint64_t number)
{
	const struct ipl_ipv6 *ipv6 = ipl_state_ipv6(d->state, number);

	return (struct ipl_ev_freed_ipv6){ number, ipv6->ip, ipv6->bandwidth };
}

enum ipl_status ipl_decide_unassign_ipv6(struct ipl_decision *d)
{
	IPL_ARGS(d, unassign_ipv6);
	struct ipl_ev_freed_ipv6_list list = { 0 };
	uint64_t number;
	const struct ipl_eni *eni = ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &number);

	if (eni == NULL)
		return IPL_REFUSED;
	list.at = ipl_arena_array(d->arena, args->ipv6.count, sizeof(*list.at));
	if (list.at == NULL)
		return ipl_error_set(d->err, IPL_ERR_NOMEM, "out of memory for addresses");
	for (uint32_t i = 0; i < args->ipv6.count; i++) {
		uint64_t ipv6 = address_on(d, eni, number, args->ipv6.at[i]);
		if (ipv6 == 0)
			return IPL_REFUSED;
		for (uint32_t k = 0; k < list.count; k++) {
			if (list.at[k].ipv6 == ipv6)
				return ipl_refuse_unassign(d, IPL_CODE_IP_REPEATED, number,
							   args->ipv6.at[i],
							   "is named twice in one request");
		}
		list.at[list.count++] = ipl_free_ipv6(d, ipv6);
	}
	ipl_decided(d, IPL_EVENT_IPV6_UNASSIGNED);
	d->ev->ipv6_unassigned = (struct ipl_ev_ipv6_unassigned){
		.eni = number,
		.vpc = eni->vpc,
		.vswitch = eni->vswitch,
		.ipv6 = list,
		.cool_until = ipl_cool_until(d),
	};
	return IPL_OK;
}

/* --- off --- */

enum ipl_status ipl_check_ipv6_unused(struct ipl_decision *d, uint64_t vswitch)
{
	uint64_t total = ipl_state_vswitch(d->state, vswitch)->ipv6_used;
	uint64_t numbers[IDS_SHOWN_MAX];
	uint32_t shown = 0;

	if (total == 0)
		return IPL_OK;
	for (uint64_t n = ipl_state_next(d->state, IPL_KIND_IPV6, 0);
	     n != 0 && shown < IDS_SHOWN_MAX && shown < total;
	     n = ipl_state_next(d->state, IPL_KIND_IPV6, n)) {
		if (ipl_state_ipv6(d->state, n)->vswitch == vswitch)
			numbers[shown++] = n;
	}
	return ipl_refuse_dependency(d, IPL_CODE_DEPENDENCY_IPV6, IPL_KIND_IPV6, numbers, shown,
				     total, "the vSwitch");
}
