/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's side: what the operating system of an instance should show, what
 * it does show and what follows from a difference, and who can reach it.
 *
 * A public address lives on the cloud's gateway, not in the guest: only private
 * ones are seen there. The exception is an EIP in BINDED mode, which is seen on
 * its interface in place of the private address.
 */
#include "operations/operations_internal.h"

struct guest {
	struct ipl_read *r;
	const struct ipl_instance *instance;
	struct ipl_value differences;
};

static enum ipl_status open_guest(struct ipl_read *r, struct ipl_str id, struct guest *g)
{
	enum ipl_kind kind = IPL_KIND_NONE;
	uint64_t number = 0, deleted = 0;

	*g = (struct guest){ .r = r, .differences = ipl_array() };
	if (ipl_id_parse(r->lens->letters, id, &kind, &number) && kind == IPL_KIND_INSTANCE)
		g->instance = (const struct ipl_instance *)r->lens->find(r->lens, kind, number);
	if (g->instance != NULL)
		return IPL_OK;
	if (kind == IPL_KIND_INSTANCE && r->lens->last != NULL)
		deleted = r->lens->last(r->lens, kind, number);
	if (r->lens->status != IPL_OK)
		return r->lens->status;
	ipl_refuse_id(r->err, IPL_CODE_INSTANCE_NOT_FOUND, id, "%.*s does not exist",
		      IPL_STR_ARG(id));
	if (deleted != 0)
		ipl_error_add(r->err, "DeletedSeq", ipl_int((int64_t)deleted));
	return IPL_REFUSED;
}

/* --- what the guest should show --- */

static struct ipl_value address(struct ipl_arena *arena, struct ipl_value text, int64_t prefix_len,
				const char *role, bool by_dhcp)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(arena, &map, "Address", text);
	ipl_map_add(arena, &map, "PrefixLength", ipl_int(prefix_len));
	ipl_map_add(arena, &map, "Role", ipl_text_of(role));
	ipl_map_add(arena, &map, "Configure", ipl_text_of(by_dhcp ? "Dhcp" : "Manual"));
	return map;
}

static struct ipl_value addresses(const struct guest *g, const struct ipl_eni *eni,
				  const struct ipl_vswitch *vswitch)
{
	struct ipl_arena *arena = g->r->arena;
	struct ipl_lens *lens = g->r->lens;
	struct ipl_value list = ipl_array();

	for (uint32_t i = 0; i < eni->address_count; i++) {
		const struct ipl_eni_address *at = &eni->address[i];
		const struct ipl_eip *eip = NULL;
		if (at->eip != 0 && at->mode == IPL_MODE_BINDED)
			eip = ipl_lens_eip(lens, at->eip);
		if (eip != NULL)
			ipl_array_add(
				arena, &list,
				address(arena, ipl_show_ip4(arena, eip->ip), 32, "Eip", false));
		else
			ipl_array_add(arena, &list,
				      address(arena, ipl_show_ip4(arena, at->ip),
					      vswitch->cidr.prefix_len,
					      ipl_role_word(i == 0 ? IPL_ROLE_PRIMARY :
								     IPL_ROLE_SECONDARY),
					      i == 0));
	}
	for (uint32_t i = 0; i < eni->ipv6.count; i++) {
		const struct ipl_ipv6 *ipv6 = ipl_lens_ipv6(lens, eni->ipv6.at[i]);
		if (ipv6 != NULL)
			ipl_array_add(arena, &list,
				      address(arena, ipl_show_ip6(arena, ipv6->ip),
					      IPL_VSWITCH_IPV6_PREFIX, ipl_role_word(IPL_ROLE_IPV6),
					      false));
	}
	return list;
}

static struct ipl_value gateway(const struct guest *g, const struct ipl_vswitch *vswitch)
{
	return ipl_show_ip4(g->r->arena, ipl_cidr4_last(vswitch->cidr) - IPL_GATEWAY_FROM_LAST);
}

/* One interface, in the order of attachment: eth0, eth1, … */
static struct ipl_value interface(const struct guest *g, uint32_t index)
{
	struct ipl_arena *arena = g->r->arena;
	uint64_t number = g->instance->enis.at[index];
	const struct ipl_eni *eni = ipl_lens_eni(g->r->lens, number);
	const struct ipl_vswitch *vswitch =
		eni == NULL ? NULL : ipl_lens_vswitch(g->r->lens, eni->vswitch);
	struct ipl_value map = ipl_map();
	char mac[IPL_MAC_TEXT_MAX];

	if (vswitch == NULL)
		return map; /* the lens has failed, and says so */
	ipl_mac_format(number, mac);
	ipl_map_add(arena, &map, "Name", ipl_textf(arena, "eth%u", index));
	ipl_map_add(arena, &map, "NetworkInterfaceId",
		    ipl_show_id(arena, g->r->lens, IPL_KIND_ENI, number));
	ipl_map_add(arena, &map, "MacAddress", ipl_text_copy(arena, mac));
	ipl_map_add(arena, &map, "Addresses", addresses(g, eni, vswitch));
	ipl_map_add(arena, &map, "Gateway", gateway(g, vswitch));
	return map;
}

static struct ipl_value interfaces(const struct guest *g)
{
	struct ipl_value list = ipl_array();

	for (uint32_t i = 0; i < g->instance->enis.count; i++)
		ipl_array_add(g->r->arena, &list, interface(g, i));
	return list;
}

enum ipl_status ipl_read_guest_view(struct ipl_read *r)
{
	IPL_ARGS(r, instance);
	struct ipl_value route = ipl_map(), list;
	struct guest g;
	enum ipl_status st = open_guest(r, args->instance, &g);
	const struct ipl_value *gateway_of;

	if (st != IPL_OK)
		return st;
	list = interfaces(&g);
	gateway_of = ipl_value_at(&list, IPL_STR("1.Gateway"));
	ipl_map_add(r->arena, &route, "Interface", ipl_text_of("eth0"));
	ipl_map_add(r->arena, &route, "Gateway", gateway_of == NULL ? ipl_nil() : *gateway_of);
	ipl_map_add(r->arena, r->result, "Interfaces", list);
	ipl_map_add(r->arena, r->result, "DefaultRoute", route);
	return IPL_OK;
}

/* --- what it does show --- */

static void differ(struct guest *g, const char *kind, struct ipl_value address_of,
		   struct ipl_value eni, const char *consequence)
{
	struct ipl_arena *arena = g->r->arena;
	struct ipl_value map = ipl_map();

	ipl_map_add(arena, &map, "Kind", ipl_text_of(kind));
	ipl_map_add(arena, &map, "Address", address_of);
	ipl_map_add(arena, &map, "NetworkInterfaceId", eni);
	ipl_map_add(arena, &map, "Consequence", ipl_text_of(consequence));
	ipl_array_add(arena, &g->differences, map);
}

/* The guest's interface with that MAC address; NULL where it has none. */
static const struct ipl_value *seen_interface(const struct ipl_value *seen, struct ipl_str mac)
{
	for (uint32_t i = 0; i < seen->count; i++) {
		if (ipl_str_equal(ipl_map_text(&seen->item[i], "address"), mac))
			return &seen->item[i];
	}
	return NULL;
}

/* Two texts of one address may differ (IPv6): what counts is the address. */
static bool is_same_address(struct ipl_str a, struct ipl_str b)
{
	struct ipl_ip6 x, y;

	if (ipl_ip6_parse(a, &x) && ipl_ip6_parse(b, &y))
		return x.hi == y.hi && x.lo == y.lo;
	return ipl_str_equal(a, b);
}

static const struct ipl_value *find_address(const struct ipl_value *list, const char *member,
					    struct ipl_str wanted)
{
	for (uint32_t i = 0; list != NULL && list->type == IPL_VALUE_ARRAY && i < list->count;
	     i++) {
		if (is_same_address(ipl_map_text(&list->item[i], member), wanted))
			return &list->item[i];
	}
	return NULL;
}

/* What usually follows from a difference: no traffic, no rules that hold, no way to manage it. */
#define NO_DHCP                                                                       \
	"Private and public traffic by this interface fails: DHCP did not configure " \
	"its primary address."
#define NOT_BY_HAND \
	"Private and public traffic to this address fails until it is configured by hand."
#define OTHER_MASK                                                                      \
	"Private traffic fails: neighbours in the vSwitch are sent to the gateway, or " \
	"hosts beyond it are taken for neighbours."
#define ON_THE_GATEWAY                                                                  \
	"Public traffic fails: the address lives on the cloud's gateway, and what the " \
	"guest sends from it is dropped."
#define OF_ANOTHER                                                                       \
	"Its traffic goes to the interface that holds it, security group rules of this " \
	"one do not apply to it, and who manages it looks in the wrong place."
#define OF_NOBODY                                                                      \
	"Its traffic is dropped, security group rules are void for it, and it cannot " \
	"be managed: the cloud does not know it and may give it to another."
#define NO_INTERFACE \
	"Traffic to all addresses of this network interface fails: the guest does not see it."

static void check_expected(struct guest *g, const struct ipl_value *expected,
			   const struct ipl_value *infos)
{
	struct ipl_value eni = *ipl_map_get(expected, "NetworkInterfaceId");
	const struct ipl_value *list = ipl_map_get(expected, "Addresses");

	for (uint32_t i = 0; i < list->count; i++) {
		struct ipl_str wanted = ipl_map_text(&list->item[i], "Address");
		bool by_dhcp = ipl_str_is(ipl_map_text(&list->item[i], "Configure"), "Dhcp");
		const struct ipl_value *seen = find_address(infos, "local", wanted);
		const struct ipl_value *prefix_len =
			seen == NULL ? NULL : ipl_map_get(seen, "prefixlen");
		if (seen == NULL)
			differ(g, "MissingInGuest", ipl_text(wanted), eni,
			       by_dhcp ? NO_DHCP : NOT_BY_HAND);
		else if (prefix_len == NULL ||
			 !ipl_value_equal(prefix_len, ipl_map_get(&list->item[i], "PrefixLength")))
			differ(g, "PrefixLength", ipl_text(wanted), eni, OTHER_MASK);
	}
}

static bool is_held(const struct guest *g, struct ipl_key key)
{
	return g->r->lens->holding(g->r->lens, key).role != IPL_ROLE_NONE;
}

/* An address that this interface should not have. */
static void check_stray(struct guest *g, struct ipl_value eni, struct ipl_str seen)
{
	uint32_t ip = 0;
	struct ipl_ip6 ip6;
	bool is_ip4 = ipl_ip4_parse(seen, &ip);

	if (is_ip4 ? is_held(g, ipl_key_ip4(g->instance->vpc, ip)) :
		     ipl_ip6_parse(seen, &ip6) && is_held(g, ipl_key_ip6(ip6.hi, ip6.lo)))
		differ(g, "HeldElsewhere", ipl_text(seen), eni, OF_ANOTHER);
	else if (is_ip4 && is_held(g, ipl_key_ip4(0, ip)))
		differ(g, "PublicInGuest", ipl_text(seen), eni, ON_THE_GATEWAY);
	else
		differ(g, "UnknownToLedger", ipl_text(seen), eni, OF_NOBODY);
}

static void check_seen(struct guest *g, const struct ipl_value *expected,
		       const struct ipl_value *infos)
{
	struct ipl_value eni = expected == NULL ? ipl_text(IPL_STR("")) :
						  *ipl_map_get(expected, "NetworkInterfaceId");
	const struct ipl_value *list = expected == NULL ? NULL : ipl_map_get(expected, "Addresses");

	for (uint32_t i = 0; infos != NULL && infos->type == IPL_VALUE_ARRAY && i < infos->count;
	     i++) {
		struct ipl_str seen = ipl_map_text(&infos->item[i], "local");
		struct ipl_str scope = ipl_map_text(&infos->item[i], "scope");
		if (seen.len > 0 && !ipl_str_is(scope, "link") && !ipl_str_is(scope, "host") &&
		    find_address(list, "Address", seen) == NULL)
			check_stray(g, eni, seen);
	}
}

static enum ipl_status check_shape(struct ipl_read *r, const struct ipl_value *seen)
{
	bool fits = seen->type == IPL_VALUE_ARRAY;

	for (uint32_t i = 0; fits && i < seen->count; i++)
		fits = seen->item[i].type == IPL_VALUE_MAP;
	if (fits)
		return IPL_OK;
	return ipl_refuse_parameter(r->err, IPL_CODE_INVALID_PARAMETER, "Interfaces",
				    "Interfaces must be the array that `ip -j addr` prints");
}

enum ipl_status ipl_read_check_guest(struct ipl_read *r)
{
	IPL_ARGS(r, check_guest);
	struct ipl_value list;
	struct guest g;
	enum ipl_status st = check_shape(r, args->interfaces);

	if (st == IPL_OK)
		st = open_guest(r, args->instance, &g);
	if (st != IPL_OK)
		return st;
	list = interfaces(&g);
	if (r->lens->status != IPL_OK)
		return r->lens->status;
	for (uint32_t i = 0; i < list.count; i++) {
		const struct ipl_value *seen =
			seen_interface(args->interfaces, ipl_map_text(&list.item[i], "MacAddress"));
		const struct ipl_value *infos =
			seen == NULL ? NULL : ipl_map_get(seen, "addr_info");
		if (seen == NULL) {
			differ(&g, "InterfaceMissing", ipl_text(IPL_STR("")),
			       *ipl_map_get(&list.item[i], "NetworkInterfaceId"), NO_INTERFACE);
			continue;
		}
		check_expected(&g, &list.item[i], infos);
		check_seen(&g, &list.item[i], infos);
	}
	for (uint32_t i = 0; i < args->interfaces->count; i++) {
		const struct ipl_value *seen = &args->interfaces->item[i];
		if (find_address(&list, "MacAddress", ipl_map_text(seen, "address")) == NULL)
			check_seen(&g, NULL, ipl_map_get(seen, "addr_info"));
	}
	ipl_map_add(r->arena, r->result, "Agrees", ipl_bool(g.differences.count == 0));
	ipl_map_add(r->arena, r->result, "Differences", g.differences);
	return IPL_OK;
}

/* --- who reaches it --- */

static void add_internet(struct ipl_read *r, struct ipl_value *list, uint32_t private_ip,
			 uint32_t public_ip, enum ipl_role role, uint64_t bandwidth)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(r->arena, &map, "PrivateIpAddress", ipl_show_ip4(r->arena, private_ip));
	ipl_map_add(r->arena, &map, "PublicIpAddress", ipl_show_ip4(r->arena, public_ip));
	ipl_map_add(r->arena, &map, "Kind", ipl_text_of(ipl_role_word(role)));
	ipl_map_add(r->arena, &map, "Bandwidth", ipl_int((int64_t)bandwidth));
	ipl_array_add(r->arena, list, map);
}

static void add_reach(const struct guest *g, const struct ipl_eni *eni,
		      struct ipl_value *private_ip4, struct ipl_value *internet)
{
	struct ipl_read *r = g->r;

	for (uint32_t i = 0; i < eni->address_count; i++) {
		const struct ipl_eni_address *at = &eni->address[i];
		const struct ipl_eip *eip = at->eip == 0 ? NULL : ipl_lens_eip(r->lens, at->eip);
		if (eip == NULL ||
		    at->mode != IPL_MODE_BINDED) /* which takes the private function away */
			ipl_array_add(r->arena, private_ip4, ipl_show_ip4(r->arena, at->ip));
		if (eip != NULL)
			add_internet(r, internet, at->ip, eip->ip, IPL_ROLE_EIP, eip->bandwidth);
	}
}

enum ipl_status ipl_read_reachability(struct ipl_read *r)
{
	IPL_ARGS(r, instance);
	struct ipl_value private_ip4 = ipl_array(), internet = ipl_array();
	struct ipl_value private_ip6 = ipl_array(), public_ip6 = ipl_array();
	const struct ipl_eni *primary;
	struct guest g;
	enum ipl_status st = open_guest(r, args->instance, &g);

	if (st != IPL_OK)
		return st;
	primary = ipl_lens_eni(r->lens, g.instance->enis.at[0]);
	if (primary != NULL && g.instance->public_ip != 0)
		add_internet(r, &internet, primary->address[0].ip, g.instance->public_ip,
			     IPL_ROLE_PUBLIC_IP, g.instance->bandwidth_out);
	for (uint32_t i = 0; i < g.instance->enis.count; i++) {
		const struct ipl_eni *eni = ipl_lens_eni(r->lens, g.instance->enis.at[i]);
		for (uint32_t k = 0; eni != NULL && k < eni->ipv6.count; k++) {
			const struct ipl_ipv6 *ipv6 = ipl_lens_ipv6(r->lens, eni->ipv6.at[k]);
			if (ipv6 != NULL)
				ipl_array_add(r->arena,
					      ipv6->bandwidth == 0 ? &private_ip6 : &public_ip6,
					      ipl_show_ip6(r->arena, ipv6->ip));
		}
		if (eni != NULL)
			add_reach(&g, eni, &private_ip4, &internet);
	}
	ipl_map_add(r->arena, r->result, "PrivateIpv4", private_ip4);
	ipl_map_add(r->arena, r->result, "DefaultEgress",
		    ipl_show_ip4(r->arena, primary == NULL ? 0 : primary->address[0].ip));
	ipl_map_add(r->arena, r->result, "InternetIpv4", internet);
	ipl_map_add(r->arena, r->result, "InternetIpv6", public_ip6);
	ipl_map_add(r->arena, r->result, "PrivateOnlyIpv6", private_ip6);
	return IPL_OK;
}
