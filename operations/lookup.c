/* SPDX-License-Identifier: Apache-2.0 */
/* LookupAddress: who holds an address, and if nobody does, why it is not free. */
#include "operations/operations_internal.h"

/* The better news wins where several VPCs have the address: in this order. */
enum status { OUTSIDE, FREE, RESERVED, COOLING, HELD };

static const char *status_word(enum status status)
{
	static const char *const words[] = { "Outside", "Free", "Reserved", "Cooling", "Held" };

	return words[status];
}

struct lookup {
	struct ipl_read *r;
	struct ipl_value holdings;
	enum status status;
};

static void better(struct lookup *l, enum status status)
{
	if (status > l->status)
		l->status = status;
}

/* True where somebody holds it, or it cools down. */
static bool look_at(struct lookup *l, struct ipl_key key)
{
	struct ipl_holding holding = l->r->lens->holding(l->r->lens, key);

	if (holding.role != IPL_ROLE_NONE) {
		ipl_array_add(l->r->arena, &l->holdings,
			      ipl_show_holding(l->r->arena, l->r->lens, key, &holding));
		better(l, HELD);
		return true;
	}
	if (holding.cool_until > l->r->lens->time_ms) {
		ipl_lens_cools(l->r->lens, holding.cool_until);
		better(l, COOLING);
		return true;
	}
	return false;
}

static void look_in_vpc(struct lookup *l, uint64_t number, const struct ipl_vpc *vpc, uint32_t ip)
{
	enum status status = FREE;

	if (look_at(l, ipl_key_ip4(number, ip)))
		return;
	for (uint32_t i = 0; i < vpc->vswitches.count; i++) {
		const struct ipl_vswitch *vswitch =
			ipl_lens_vswitch(l->r->lens, vpc->vswitches.at[i]);
		if (vswitch == NULL || !ipl_cidr4_contains(vswitch->cidr, ip))
			continue;
		if (ip - vswitch->cidr.base < IPL_RESERVED_FIRST ||
		    ipl_cidr4_last(vswitch->cidr) - ip < IPL_RESERVED_LAST)
			status = RESERVED;
	}
	better(l, status);
}

static void look_in_pools(struct lookup *l, uint32_t ip)
{
	const union ipl_entity *ledger =
		l->r->lens->find(l->r->lens, IPL_KIND_LEDGER, l->r->lens->ledger);
	const struct ipl_ev_pool_list *pools;

	if (look_at(l, ipl_key_ip4(0, ip)) || ledger == NULL)
		return;
	pools = &ledger->ledger.settings.public_pools;
	for (uint32_t i = 0; i < pools->count; i++) {
		struct ipl_cidr4 cidr = pools->at[i].cidr;
		if (!ipl_cidr4_contains(cidr, ip))
			continue;
		better(l, ip - cidr.base < IPL_POOL_RESERVED ||
					  ipl_cidr4_last(cidr) - ip < IPL_POOL_RESERVED ?
				  RESERVED :
				  FREE);
	}
}

static const struct ipl_vpc *named_vpc(struct ipl_read *r, struct ipl_str id, uint64_t *number)
{
	enum ipl_kind kind = IPL_KIND_NONE;
	const struct ipl_vpc *vpc = NULL;

	if (ipl_id_parse(r->lens->letters, id, &kind, number) && kind == IPL_KIND_VPC)
		vpc = ipl_lens_vpc(r->lens, *number);
	if (vpc == NULL)
		ipl_refuse_id(r->err, IPL_CODE_VPC_NOT_FOUND, id, "%.*s does not exist",
			      IPL_STR_ARG(id));
	return vpc;
}

static enum ipl_status look_ip4(struct lookup *l, uint32_t ip)
{
	struct ipl_read *r = l->r;
	IPL_ARGS(r, lookup_address);
	struct ipl_lens *lens = r->lens;

	if (args->vpc.len > 0) {
		uint64_t number;
		const struct ipl_vpc *vpc = named_vpc(r, args->vpc, &number);
		if (vpc == NULL)
			return IPL_REFUSED;
		if (ipl_vpc_contains(vpc, ip))
			look_in_vpc(l, number, vpc, ip);
	}
	for (uint64_t n = args->vpc.len > 0 ? 0 : lens->next(lens, IPL_KIND_VPC, 0); n != 0;
	     n = lens->next(lens, IPL_KIND_VPC, n)) {
		const struct ipl_vpc *vpc = ipl_lens_vpc(lens, n);
		if (vpc != NULL && ipl_vpc_contains(vpc, ip))
			look_in_vpc(l, n, vpc, ip);
	}
	look_in_pools(l, ip);
	return IPL_OK;
}

static void look_ip6_in_vpc(struct lookup *l, const struct ipl_vpc *vpc, struct ipl_ip6 ip)
{
	struct ipl_cidr6 cidr = vpc->ipv6_cidr;

	if (cidr.prefix_len == 0 || (ip.hi & ipl_cidr6_mask(cidr)) != cidr.hi ||
	    look_at(l, ipl_key_ip6(ip.hi, ip.lo)))
		return;
	better(l, ipl_ip6_is_reserved(ip) ? RESERVED : FREE);
}

static enum ipl_status look_ip6(struct lookup *l, struct ipl_ip6 ip)
{
	struct ipl_read *r = l->r;
	IPL_ARGS(r, lookup_address);
	const struct ipl_vpc *vpc;
	uint64_t number;

	if (args->vpc.len > 0) {
		vpc = named_vpc(r, args->vpc, &number);
		if (vpc == NULL)
			return IPL_REFUSED;
		look_ip6_in_vpc(l, vpc, ip);
		return IPL_OK;
	}
	for (uint64_t n = r->lens->next(r->lens, IPL_KIND_VPC, 0); n != 0;
	     n = r->lens->next(r->lens, IPL_KIND_VPC, n)) {
		vpc = ipl_lens_vpc(r->lens, n);
		if (vpc != NULL)
			look_ip6_in_vpc(l, vpc, ip);
	}
	return IPL_OK;
}

enum ipl_status ipl_read_lookup_address(struct ipl_read *r)
{
	IPL_ARGS(r, lookup_address);
	struct lookup l = { .r = r, .holdings = ipl_array(), .status = OUTSIDE };
	struct ipl_ip6 ip6;
	uint32_t ip;
	enum ipl_status st = IPL_OK;

	if (ipl_ip4_parse(args->address, &ip))
		st = look_ip4(&l, ip);
	else if (ipl_ip6_parse(args->address, &ip6))
		st = look_ip6(&l, ip6);
	else
		st = ipl_refuse_parameter(r->err, IPL_CODE_INVALID_PARAMETER, "Address",
					  "\"%.64s\" is no IPv4 or IPv6 address",
					  ipl_arena_str(r->arena, args->address).at);
	if (st != IPL_OK)
		return st;
	ipl_map_add(r->arena, r->result, "Status", ipl_text_of(status_word(l.status)));
	ipl_map_add(r->arena, r->result, "Holdings", l.holdings);
	return IPL_OK;
}
