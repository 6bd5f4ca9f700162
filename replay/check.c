/* SPDX-License-Identifier: Apache-2.0 */
/* The invariants of the state. */
#include "replay/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "operations/operation.h"

struct check {
	const struct ipl_state *state;
	int64_t now_ms;
	ipl_finding_fn fn;
	void *context;
	uint64_t found;
};

static void find(struct check *c, enum ipl_rule rule, enum ipl_kind kind, uint64_t number,
		 const char *format, ...) IPL_PRINTF(5, 6);

static void find(struct check *c, enum ipl_rule rule, enum ipl_kind kind, uint64_t number,
		 const char *format, ...)
{
	static const char *const rules[] = {
#define X(NAME, text) text,
		IPL_RULE_LIST(X)
#undef X
	};
	char text[320], id[IPL_ID_TEXT_MAX];
	struct ipl_finding finding = { rule, rules[rule], kind, number, text };
	va_list args;
	int len;

	if (number == 0) /* where damage names nobody */
		(void)snprintf(id, sizeof(id), "%.20s 0", ipl_kind_name(kind));
	else
		ipl_id_format(ipl_state_letters(c->state), kind, number, id);
	len = snprintf(text, sizeof(text), "%s: ", id);
	va_start(args, format);
	(void)vsnprintf(text + len, sizeof(text) - (size_t)len, format, args); /* cut is fine */
	va_end(args);
	c->found++;
	c->fn(c->context, &finding);
}

/* --- addresses and their holders --- */

static bool eni_has(const struct ipl_eni *eni, uint32_t ip, enum ipl_role role)
{
	for (uint32_t i = 0; i < eni->address_count; i++) {
		if (eni->address[i].ip == ip)
			return (i == 0) == (role == IPL_ROLE_PRIMARY);
	}
	return false;
}

/* Does the one who holds it say so too? */
static bool is_held(const struct check *c, struct ipl_key key, const struct ipl_holding *holding)
{
	const struct ipl_eni *eni =
		holding->eni == 0 ? NULL : ipl_state_eni(c->state, holding->eni);
	const struct ipl_instance *instance;
	const struct ipl_eip *eip;

	switch (holding->role) {
	case IPL_ROLE_PRIMARY:
	case IPL_ROLE_SECONDARY:
		return eni != NULL && eni->vpc == key.a && eni->vswitch == holding->vswitch &&
		       eni_has(eni, (uint32_t)key.b, holding->role);
	case IPL_ROLE_PUBLIC_IP:
		instance = eni == NULL ? NULL : ipl_state_instance(c->state, eni->instance);
		return instance != NULL && eni->is_primary && instance->public_ip == key.b;
	case IPL_ROLE_EIP:
		eip = ipl_state_eip(c->state, holding->eip);
		return eip != NULL && eip->ip == key.b && eip->eni == holding->eni;
	case IPL_ROLE_IPV6:
		for (uint32_t i = 0; eni != NULL && i < eni->ipv6.count; i++) {
			const struct ipl_ipv6 *ipv6 = ipl_state_ipv6(c->state, eni->ipv6.at[i]);
			if (ipv6 != NULL && ipv6->ip.hi == key.a && ipv6->ip.lo == key.b)
				return true;
		}
		return false;
	case IPL_ROLE_NONE:
		break;
	}
	return false;
}

static void check_holding(void *context, struct ipl_key key, const struct ipl_holding *holding)
{
	struct check *c = context;

	if (!is_held(c, key, holding))
		find(c, IPL_RULE_ONE_HOLDER,
		     holding->role == IPL_ROLE_EIP ? IPL_KIND_EIP : IPL_KIND_ENI,
		     holding->role == IPL_ROLE_EIP ? holding->eip : holding->eni,
		     "is recorded as %s of %016" PRIx64 ":%016" PRIx64 " since event %" PRIu64
		     " and does not have it",
		     ipl_role_word(holding->role), key.a, key.b, holding->since_seq);
}

/* Free, held, reserved or cooling; what the picker sees must agree. */
static void check_address(struct check *c, enum ipl_kind kind, uint64_t number,
			  const struct ipl_block *block, uint64_t vpc, uint32_t ip,
			  bool is_reserved)
{
	struct ipl_holding holding = ipl_state_holding(c->state, ipl_key_ip4(vpc, ip));
	bool is_held_now = holding.role != IPL_ROLE_NONE;
	bool cools = !is_held_now && holding.cool_until > c->now_ms;
	bool is_free = ipl_block_is_available(block, ip);

	/* An address of a pool's edge may have been held as a fixed one before; it is never given.
	 */
	if (is_reserved ? is_free : is_free == (is_held_now || cools))
		find(c, IPL_RULE_ADDRESS_STATE, kind, number,
		     IPL_IP4_FMT " is%s available to the picker, %s, %s", IPL_IP4_ARG(ip),
		     is_free ? "" : " not", is_held_now ? "held" : "not held",
		     cools ? "cooling" : "not cooling");
}

/* What a vSwitch says is cooling down is free, and cools as long. */
static void check_cooling(struct check *c, uint64_t number, const struct ipl_vswitch *vswitch)
{
	for (uint32_t i = 0; i < vswitch->cooling.count; i++) {
		const struct ipl_cooling_ip *at = &vswitch->cooling.at[i];
		struct ipl_holding holding =
			ipl_state_holding(c->state, ipl_key_ip4(vswitch->vpc, at->ip));
		if (at->until_ms > c->now_ms &&
		    (holding.role != IPL_ROLE_NONE || holding.cool_until != at->until_ms))
			find(c, IPL_RULE_COUNTERS, IPL_KIND_VSWITCH, number,
			     IPL_IP4_FMT " is counted as cooling until %" PRId64
					 ", and is held or cools until %" PRId64,
			     IPL_IP4_ARG(at->ip), at->until_ms, holding.cool_until);
	}
}

static void check_vswitch_addresses(struct check *c, uint64_t number,
				    const struct ipl_vswitch *vswitch)
{
	const struct ipl_block *block = ipl_state_block(c->state, number);
	uint64_t size = ipl_cidr4_size(vswitch->cidr), used = 0, available = 0;

	for (uint64_t i = 0; i < size; i++) {
		uint32_t ip = vswitch->cidr.base + (uint32_t)i;
		bool is_reserved = i < IPL_RESERVED_FIRST || size - i <= IPL_RESERVED_LAST;
		check_address(c, IPL_KIND_VSWITCH, number, block, vswitch->vpc, ip, is_reserved);
		used += ipl_state_holding(c->state, ipl_key_ip4(vswitch->vpc, ip)).role !=
			IPL_ROLE_NONE;
		available += ipl_block_is_available(block, ip);
	}
	check_cooling(c, number, vswitch);
	if (used != vswitch->used || available != block->free_count)
		find(c, IPL_RULE_COUNTERS, IPL_KIND_VSWITCH, number,
		     "%" PRIu64 " used and %" PRIu64 " free are counted, %" PRIu64 " and %" PRIu64
		     " are recorded",
		     used, available, vswitch->used, block->free_count);
}

static void check_pool(struct check *c, uint32_t index)
{
	const struct ipl_block *block = ipl_state_pool(c->state, index);
	uint64_t size = ipl_cidr4_size(block->cidr), available = 0;
	uint64_t ledger = ipl_state_ledger_number(c->state);

	for (uint64_t i = 0; i < size; i++) {
		uint32_t ip = block->cidr.base + (uint32_t)i;
		bool is_reserved = i < IPL_POOL_RESERVED || size - i <= IPL_POOL_RESERVED;
		check_address(c, IPL_KIND_LEDGER, ledger, block, 0, ip, is_reserved);
		available += ipl_block_is_available(block, ip);
	}
	if (available != block->free_count)
		find(c, IPL_RULE_COUNTERS, IPL_KIND_LEDGER, ledger,
		     "a pool has %" PRIu64 " free addresses, %" PRIu64 " are recorded", available,
		     block->free_count);
}

/* --- entities --- */

static void check_eni(struct check *c, uint64_t number, const struct ipl_eni *eni)
{
	const struct ipl_vswitch *vswitch = ipl_state_vswitch(c->state, eni->vswitch);

	if (vswitch == NULL || vswitch->vpc != eni->vpc || eni->address_count == 0) {
		find(c, IPL_RULE_ONE_HOLDER, IPL_KIND_ENI, number,
		     "its vSwitch is gone or of another VPC, or it has no address");
		return;
	}
	for (uint32_t i = 0; i < eni->address_count; i++) {
		const struct ipl_eni_address *at = &eni->address[i];
		struct ipl_holding holding =
			ipl_state_holding(c->state, ipl_key_ip4(eni->vpc, at->ip));
		const struct ipl_eip *eip = at->eip == 0 ? NULL : ipl_state_eip(c->state, at->eip);
		if (holding.eni != number || !ipl_cidr4_contains(vswitch->cidr, at->ip))
			find(c, IPL_RULE_ONE_HOLDER, IPL_KIND_ENI, number,
			     IPL_IP4_FMT " is held by another, or is outside its vSwitch",
			     IPL_IP4_ARG(at->ip));
		if (at->eip != 0 &&
		    (eip == NULL || eip->eni != number || eip->private_ip != at->ip))
			find(c, IPL_RULE_EIP, IPL_KIND_ENI, number,
			     IPL_IP4_FMT " is paired with EIP %" PRIu64 ", which is not",
			     IPL_IP4_ARG(at->ip), at->eip);
	}
	if (eni->address[0].eip != 0 && eni->address[0].mode == IPL_MODE_BINDED &&
	    (eni->address_count > 1 || eni->is_primary))
		find(c, IPL_RULE_EIP, IPL_KIND_ENI, number,
		     "it has an EIP in BINDED mode, and secondary addresses or is a primary one");
	for (uint32_t i = 0; i < eni->ipv6.count; i++) {
		const struct ipl_ipv6 *ipv6 = ipl_state_ipv6(c->state, eni->ipv6.at[i]);
		if (ipv6 == NULL || ipv6->eni != number)
			find(c, IPL_RULE_IPV6, IPL_KIND_ENI, number,
			     "IPv6 address %" PRIu64 " is not its own", eni->ipv6.at[i]);
	}
}

static void check_limits(struct check *c, uint64_t number, const struct ipl_instance *instance)
{
	const struct ipl_ev_settings *settings = &ipl_state_ledger(c->state)->settings;
	struct ipl_type_limits limits;

	if (!ipl_type_find(settings, instance->base.notes->type, &limits)) {
		find(c, IPL_RULE_LIMITS, IPL_KIND_INSTANCE, number, "its type is unknown");
		return;
	}
	if (instance->enis.count > limits.eni_max)
		find(c, IPL_RULE_LIMITS, IPL_KIND_INSTANCE, number,
		     "it has %u network interfaces, its type takes %u", instance->enis.count,
		     limits.eni_max);
	for (uint32_t i = 0; i < instance->enis.count; i++) {
		const struct ipl_eni *eni = ipl_state_eni(c->state, instance->enis.at[i]);
		if (eni != NULL &&
		    (eni->address_count > limits.ip4_max || eni->ipv6.count > limits.ip6_max))
			find(c, IPL_RULE_LIMITS, IPL_KIND_ENI, instance->enis.at[i],
			     "it has %u IPv4 and %u IPv6 addresses, its instance's type takes %u "
			     "and %u",
			     eni->address_count, eni->ipv6.count, limits.ip4_max, limits.ip6_max);
	}
}

static void check_instance(struct check *c, uint64_t number, const struct ipl_instance *instance)
{
	const struct ipl_eni *primary = NULL;

	for (uint32_t i = 0; i < instance->enis.count; i++) {
		const struct ipl_eni *eni = ipl_state_eni(c->state, instance->enis.at[i]);
		if (eni == NULL || eni->instance != number || eni->is_primary != (i == 0) ||
		    eni->vpc != instance->vpc) {
			find(c, IPL_RULE_INSTANCE, IPL_KIND_INSTANCE, number,
			     "network interface %" PRIu64 " is not its own", instance->enis.at[i]);
			return;
		}
		primary = i == 0 ? eni : primary;
	}
	if (primary == NULL) {
		find(c, IPL_RULE_INSTANCE, IPL_KIND_INSTANCE, number,
		     "it has no primary network interface");
		return;
	}
	if (primary->address[0].eip != instance->eip)
		find(c, IPL_RULE_EIP, IPL_KIND_INSTANCE, number,
		     "its EIP is not that of its primary address");
	if (instance->public_ip != 0 &&
	    (instance->eip != 0 || instance->bandwidth_out == 0 ||
	     ipl_state_holding(c->state, ipl_key_ip4(0, instance->public_ip)).eni !=
		     instance->enis.at[0]))
		find(c, IPL_RULE_PUBLIC_IP, IPL_KIND_INSTANCE, number,
		     IPL_IP4_FMT " is without bandwidth, beside an EIP, or another's",
		     IPL_IP4_ARG(instance->public_ip));
	check_limits(c, number, instance);
}

static void check_eip(struct check *c, uint64_t number, const struct ipl_eip *eip)
{
	const struct ipl_eni *eni = eip->eni == 0 ? NULL : ipl_state_eni(c->state, eip->eni);
	struct ipl_holding holding = ipl_state_holding(c->state, ipl_key_ip4(0, eip->ip));
	bool is_paired = false;

	for (uint32_t i = 0; eni != NULL && i < eni->address_count; i++)
		is_paired = is_paired || (eni->address[i].eip == number &&
					  eni->address[i].ip == eip->private_ip &&
					  eni->address[i].mode == eip->mode);
	if (is_paired != (eip->eni != 0) || holding.eip != number)
		find(c, IPL_RULE_EIP, IPL_KIND_EIP, number,
		     "it is %spaired, and its network interface %s it", eip->eni == 0 ? "not " : "",
		     is_paired ? "has" : "does not have");
}

/* --- networks --- */

static void check_vswitch(struct check *c, uint64_t number, const struct ipl_vswitch *vswitch)
{
	const struct ipl_vpc *vpc = ipl_state_vpc(c->state, vswitch->vpc);
	bool is_listed = false;

	for (uint32_t i = 0; vpc != NULL && i < vpc->vswitches.count; i++) {
		const struct ipl_vswitch *other = ipl_state_vswitch(c->state, vpc->vswitches.at[i]);
		is_listed = is_listed || other == vswitch;
		if (other == NULL || other == vswitch)
			continue;
		if (ipl_cidr4_overlaps(other->cidr, vswitch->cidr))
			find(c, IPL_RULE_BLOCKS, IPL_KIND_VSWITCH, number,
			     "its block overlaps that of vSwitch %" PRIu64, vpc->vswitches.at[i]);
		if (vswitch->ipv6_cidr.prefix_len != 0 && other->ipv6_cidr.prefix_len != 0 &&
		    other->ipv6_cidr.hi == vswitch->ipv6_cidr.hi)
			find(c, IPL_RULE_IPV6, IPL_KIND_VSWITCH, number,
			     "its IPv6 block is that of vSwitch %" PRIu64, vpc->vswitches.at[i]);
	}
	if (!is_listed || !ipl_vpc_contains(vpc, vswitch->cidr.base) ||
	    !ipl_vpc_contains(vpc, ipl_cidr4_last(vswitch->cidr)))
		find(c, IPL_RULE_BLOCKS, IPL_KIND_VSWITCH, number, "it is not in its VPC");
	if (vswitch->ipv6_cidr.prefix_len != 0 && vpc != NULL &&
	    (vpc->ipv6_cidr.prefix_len == 0 ||
	     !ipl_cidr6_covers(vpc->ipv6_cidr, vswitch->ipv6_cidr)))
		find(c, IPL_RULE_IPV6, IPL_KIND_VSWITCH, number,
		     "its IPv6 block is not in that of its VPC");
	if (vpc != NULL)
		check_vswitch_addresses(c, number, vswitch);
}

static void check_vpc(struct check *c, uint64_t number, const struct ipl_vpc *vpc)
{
	const struct ipl_ipv6gw *gateway = vpc->gateway == 0 ?
						   NULL :
						   (const struct ipl_ipv6gw *)ipl_state_find(
							   c->state, IPL_KIND_IPV6GW, vpc->gateway);

	if (vpc->ipv6_cidr.prefix_len != 0 &&
	    (ipl_state_ipv6_block_owner(c->state, vpc->ipv6_cidr.hi) != number ||
	     !ipl_cidr6_covers(ipl_state_ledger(c->state)->settings.ipv6_pool, vpc->ipv6_cidr)))
		find(c, IPL_RULE_IPV6, IPL_KIND_VPC, number,
		     "its IPv6 block is another's, or outside the pool");
	if (vpc->gateway != 0 &&
	    (gateway == NULL || gateway->vpc != number || vpc->ipv6_cidr.prefix_len == 0))
		find(c, IPL_RULE_IPV6, IPL_KIND_VPC, number, "its IPv6 gateway is not its own");
}

static void check_ipv6(struct check *c, uint64_t number, const struct ipl_ipv6 *ipv6)
{
	const struct ipl_vswitch *vswitch = ipl_state_vswitch(c->state, ipv6->vswitch);
	const struct ipl_ipv6bw *bandwidth =
		ipv6->bandwidth == 0 ? NULL : ipl_state_ipv6bw(c->state, ipv6->bandwidth);
	struct ipl_holding holding =
		ipl_state_holding(c->state, ipl_key_ip6(ipv6->ip.hi, ipv6->ip.lo));

	if (vswitch == NULL || vswitch->ipv6_cidr.prefix_len == 0 ||
	    vswitch->ipv6_cidr.hi != ipv6->ip.hi || ipl_ip6_is_reserved(ipv6->ip))
		find(c, IPL_RULE_IPV6, IPL_KIND_IPV6, number,
		     "it is not in the IPv6 block of its vSwitch, or reserved there");
	if (holding.role != IPL_ROLE_IPV6 || holding.eni != ipv6->eni)
		find(c, IPL_RULE_ONE_HOLDER, IPL_KIND_IPV6, number, "another holds it");
	if (ipv6->bandwidth != 0 && (bandwidth == NULL || bandwidth->ipv6 != number))
		find(c, IPL_RULE_IPV6, IPL_KIND_IPV6, number, "its bandwidth is not its own");
}

/* As many gateways and bandwidths live as VPCs and IPv6 addresses have. */
static void check_ipv6_ends(struct check *c)
{
	uint64_t gateways = 0, bandwidths = 0;

	for (uint64_t n = 0; (n = ipl_state_next(c->state, IPL_KIND_VPC, n)) != 0;)
		gateways += ipl_state_vpc(c->state, n)->gateway != 0;
	for (uint64_t n = 0; (n = ipl_state_next(c->state, IPL_KIND_IPV6, n)) != 0;)
		bandwidths += ipl_state_ipv6(c->state, n)->bandwidth != 0;
	if (gateways != ipl_state_count(c->state, IPL_KIND_IPV6GW) ||
	    bandwidths != ipl_state_count(c->state, IPL_KIND_IPV6BW))
		find(c, IPL_RULE_COUNTERS, IPL_KIND_LEDGER, ipl_state_ledger_number(c->state),
		     "VPCs have %" PRIu64 " IPv6 gateways and addresses %" PRIu64
		     " bandwidths, %" PRIu64 " and %" PRIu64 " live",
		     gateways, bandwidths, ipl_state_count(c->state, IPL_KIND_IPV6GW),
		     ipl_state_count(c->state, IPL_KIND_IPV6BW));
}

/* Counted again: the IPv6 addresses of each vSwitch, and all that lives. */
static void check_counts(struct check *c)
{
	uint64_t listed = 0, recorded = 0, attached = 0, owned = 0;

	for (uint64_t n = 0; (n = ipl_state_next(c->state, IPL_KIND_VSWITCH, n)) != 0;)
		recorded += ipl_state_vswitch(c->state, n)->ipv6_used;
	for (uint64_t n = 0; (n = ipl_state_next(c->state, IPL_KIND_ENI, n)) != 0;) {
		listed += ipl_state_eni(c->state, n)->ipv6.count;
		attached += ipl_state_eni(c->state, n)->instance != 0;
	}
	for (uint64_t n = 0; (n = ipl_state_next(c->state, IPL_KIND_INSTANCE, n)) != 0;)
		owned += ipl_state_instance(c->state, n)->enis.count;
	if (attached != owned)
		find(c, IPL_RULE_COUNTERS, IPL_KIND_LEDGER, ipl_state_ledger_number(c->state),
		     "%" PRIu64 " network interfaces are attached, instances have %" PRIu64,
		     attached, owned);
	if (listed != recorded || listed != ipl_state_count(c->state, IPL_KIND_IPV6))
		find(c, IPL_RULE_COUNTERS, IPL_KIND_LEDGER, ipl_state_ledger_number(c->state),
		     "%" PRIu64 " IPv6 addresses are on interfaces, %" PRIu64
		     " are counted in vSwitches, %" PRIu64 " live",
		     listed, recorded, ipl_state_count(c->state, IPL_KIND_IPV6));
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++) {
		uint64_t count = 0;
		for (uint64_t n = 0; (n = ipl_state_next(c->state, (enum ipl_kind)kind, n)) != 0;)
			count++;
		if (count != ipl_state_count(c->state, (enum ipl_kind)kind))
			find(c, IPL_RULE_COUNTERS, IPL_KIND_LEDGER,
			     ipl_state_ledger_number(c->state),
			     "%" PRIu64 " of kind %s live, %" PRIu64 " are recorded", count,
			     ipl_kind_name((enum ipl_kind)kind),
			     ipl_state_count(c->state, (enum ipl_kind)kind));
	}
}

#define EACH(c, KIND, kind)                                                              \
	for (uint64_t n = 0; (n = ipl_state_next((c)->state, IPL_KIND_##KIND, n)) != 0;) \
	check_##kind((c), n, &ipl_state_find((c)->state, IPL_KIND_##KIND, n)->kind)

uint64_t ipl_check_state(const struct ipl_state *state, int64_t now_ms, ipl_finding_fn fn,
			 void *context)
{
	struct check c = { state, now_ms, fn, context, 0 };

	if (ipl_state_ledger(state) == NULL)
		return 0;
	EACH(&c, VPC, vpc);
	EACH(&c, VSWITCH, vswitch);
	EACH(&c, INSTANCE, instance);
	EACH(&c, ENI, eni);
	EACH(&c, EIP, eip);
	EACH(&c, IPV6, ipv6);
	for (uint32_t i = 0; i < ipl_state_pool_count(state); i++)
		check_pool(&c, i);
	ipl_state_each_holding(state, check_holding, &c);
	check_ipv6_ends(&c);
	check_counts(&c);
	return c.found;
}
