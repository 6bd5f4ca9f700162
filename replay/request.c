/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to its request: one function for each shape, chosen by the type. */
#include "replay/request.h"

#include "reducers/lens.h"

#define BANDWIDTH_IN_LEAST 10u /* what a small InternetMaxBandwidthOut brings with it */

struct request {
	struct ipl_arena *arena;
	const struct ipl_state *before;
	const struct ipl_event *ev;
	struct ipl_lens lens; /* shows ids */
	struct ipl_value map;
};

/* --- members --- */

static void add(struct request *r, const char *name, struct ipl_value value)
{
	ipl_map_add(r->arena, &r->map, name, value);
}

static struct ipl_value id(struct request *r, enum ipl_kind kind, uint64_t number)
{
	return ipl_show_id(r->arena, &r->lens, kind, number);
}

static void add_id(struct request *r, const char *name, enum ipl_kind kind, uint64_t number)
{
	add(r, name, id(r, kind, number));
}

/* Where it says something. */
static void add_text_to(struct request *r, struct ipl_value *map, const char *name,
			struct ipl_str text)
{
	if (text.len > 0)
		ipl_map_add(r->arena, map, name, ipl_text(text));
}

static void add_text(struct request *r, const char *name, struct ipl_str text)
{
	add_text_to(r, &r->map, name, text);
}

static void add_int(struct request *r, const char *name, uint64_t value)
{
	add(r, name, ipl_int((int64_t)value));
}

static void add_cidr4(struct request *r, const char *name, struct ipl_cidr4 cidr)
{
	char text[IPL_CIDR4_TEXT_MAX];

	ipl_cidr4_format(cidr, text);
	add(r, name, ipl_textf(r->arena, "%s", text));
}

static void add_tags(struct request *r, const struct ipl_ev_tag_list *tags)
{
	struct ipl_value list = ipl_array();

	for (uint32_t i = 0; i < tags->count; i++) {
		struct ipl_value tag = ipl_map();
		ipl_map_add(r->arena, &tag, "Key", ipl_text(tags->at[i].key));
		ipl_map_add(r->arena, &tag, "Value", ipl_text(tags->at[i].value));
		ipl_array_add(r->arena, &list, tag);
	}
	if (tags->count > 0)
		add(r, "Tag", list);
}

/* The first as SecurityGroupId, as it may have been given; the others as the list. */
static void add_groups(struct request *r, struct ipl_value *map,
		       const struct ipl_ev_label_list *groups)
{
	struct ipl_value list = ipl_array();
	uint32_t first = 0;

	if (groups->count > 0 && groups->at[0].text.len > 0) {
		add_text_to(r, map, "SecurityGroupId", groups->at[0].text);
		first = 1;
	}
	for (uint32_t i = first; i < groups->count; i++)
		ipl_array_add(r->arena, &list, ipl_text(groups->at[i].text));
	if (list.count > 0)
		ipl_map_add(r->arena, map, "SecurityGroupIds", list);
}

/* Addresses from @first on: by name, or how many. */
static void add_addresses(struct request *r, struct ipl_value *map,
			  const struct ipl_ev_address_list *list, uint32_t first,
			  const char *by_name, const char *by_count)
{
	struct ipl_value names = ipl_array();
	int64_t picked = 0;

	for (uint32_t i = first; i < list->count; i++) {
		picked += list->at[i].picked;
		if (!list->at[i].picked)
			ipl_array_add(r->arena, &names, ipl_show_ip4(r->arena, list->at[i].ip));
	}
	if (names.count > 0)
		ipl_map_add(r->arena, map, by_name, names);
	if (picked > 0)
		ipl_map_add(r->arena, map, by_count, ipl_int(picked));
}

static void add_ipv6(struct request *r, struct ipl_value *map, const struct ipl_ev_ipv6_list *list)
{
	struct ipl_value names = ipl_array();
	int64_t picked = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		picked += list->at[i].picked;
		if (!list->at[i].picked)
			ipl_array_add(r->arena, &names, ipl_show_ip6(r->arena, list->at[i].ip));
	}
	if (names.count > 0)
		ipl_map_add(r->arena, map, "Ipv6Address", names);
	if (picked > 0)
		ipl_map_add(r->arena, map, "Ipv6AddressCount", ipl_int(picked));
}

/* Of a modification: words that changed. */
static void add_changed(struct request *r, const char *name, struct ipl_str was, struct ipl_str is)
{
	if (!ipl_str_equal(was, is))
		add_text(r, name, is);
}

/* Which /64 of the VPC's /56 it is. */
static uint64_t ipv6_index(struct ipl_cidr6 cidr)
{
	return cidr.hi & ((UINT64_C(1) << (IPL_VSWITCH_IPV6_PREFIX - IPL_VPC_IPV6_PREFIX)) - 1);
}

/* --- the ledger and networks --- */

/* The members of the settings that differ, as ModifyLedgerSettings takes them. */
static void of_ledger_settings_modified(struct request *r,
					const struct ipl_ev_ledger_settings_modified *e)
{
	struct ipl_value was = ipl_show_settings(r->arena, r->lens.letters,
						 &ipl_state_ledger(r->before)->settings);
	struct ipl_value is = ipl_show_settings(r->arena, r->lens.letters, &e->settings);

	for (uint32_t i = 0; i < is.count; i++) {
		const struct ipl_value *same = ipl_map_get_str(&was, is.member[i].key);
		if (same == NULL || !ipl_value_equal(same, &is.member[i].value))
			ipl_map_add_str(r->arena, &r->map, is.member[i].key, is.member[i].value);
	}
	for (uint32_t i = 0; i < was.count; i++) { /* an empty list is not shown */
		if (ipl_map_get_str(&is, was.member[i].key) == NULL)
			ipl_map_add_str(r->arena, &r->map, was.member[i].key, ipl_array());
	}
}

static void of_vpc_created(struct request *r, const struct ipl_ev_vpc_created *e)
{
	add_cidr4(r, "CidrBlock", e->cidr);
	if (e->ipv6_cidr.prefix_len > 0)
		add(r, "EnableIpv6", ipl_bool(true));
	add_text(r, "VpcName", e->name);
	add_text(r, "Description", e->description);
	add_tags(r, &e->tags);
}

static void of_vpc_modified(struct request *r, const struct ipl_ev_vpc_modified *e)
{
	const struct ipl_vpc *was = ipl_state_vpc(r->before, e->vpc);

	add_id(r, "VpcId", IPL_KIND_VPC, e->vpc);
	add_changed(r, "VpcName", was->base.notes->name, e->name);
	add_changed(r, "Description", was->base.notes->description, e->description);
	if ((was->ipv6_cidr.prefix_len > 0) != (e->ipv6_cidr.prefix_len > 0))
		add(r, "EnableIPv6", ipl_bool(e->ipv6_cidr.prefix_len > 0));
}

static void of_vpc_deleted(struct request *r, const struct ipl_ev_vpc_deleted *e)
{
	add_id(r, "VpcId", IPL_KIND_VPC, e->vpc);
	if (e->gateway != 0)
		add(r, "ForceDelete", ipl_bool(true));
}

static void of_vpc_cidr_associated(struct request *r, const struct ipl_ev_vpc_cidr_associated *e)
{
	add_id(r, "VpcId", IPL_KIND_VPC, e->vpc);
	add_cidr4(r, "SecondaryCidrBlock", e->cidr);
}

static void of_vpc_cidr_unassociated(struct request *r,
				     const struct ipl_ev_vpc_cidr_unassociated *e)
{
	add_id(r, "VpcId", IPL_KIND_VPC, e->vpc);
	add_cidr4(r, "SecondaryCidrBlock", e->cidr);
}

static void of_vswitch_created(struct request *r, const struct ipl_ev_vswitch_created *e)
{
	add_id(r, "VpcId", IPL_KIND_VPC, e->vpc);
	add_text(r, "ZoneId", e->zone);
	add_cidr4(r, "CidrBlock", e->cidr);
	if (e->ipv6_cidr.prefix_len > 0)
		add_int(r, "Ipv6CidrBlock", ipv6_index(e->ipv6_cidr));
	add_text(r, "VSwitchName", e->name);
	add_text(r, "Description", e->description);
	add_tags(r, &e->tags);
}

static void of_vswitch_modified(struct request *r, const struct ipl_ev_vswitch_modified *e)
{
	const struct ipl_vswitch *was = ipl_state_vswitch(r->before, e->vswitch);
	bool was_on = was->ipv6_cidr.prefix_len > 0, is_on = e->ipv6_cidr.prefix_len > 0;

	add_id(r, "VSwitchId", IPL_KIND_VSWITCH, e->vswitch);
	add_changed(r, "VSwitchName", was->base.notes->name, e->name);
	add_changed(r, "Description", was->base.notes->description, e->description);
	if (was_on != is_on)
		add(r, "EnableIPv6", ipl_bool(is_on));
	if (!was_on && is_on)
		add_int(r, "Ipv6CidrBlock", ipv6_index(e->ipv6_cidr));
}

/* --- instances --- */

static uint64_t default_in(uint64_t out)
{
	return out <= BANDWIDTH_IN_LEAST ? BANDWIDTH_IN_LEAST : out;
}

static bool same_groups(const struct ipl_ev_label_list *a, const struct ipl_ev_label_list *b)
{
	bool same = a->count == b->count;

	for (uint32_t i = 0; same && i < a->count; i++)
		same = ipl_str_equal(a->at[i].text, b->at[i].text);
	return same;
}

/* Whether the primary interface can have been described by the flat parameters. */
static bool is_flat(const struct ipl_ev_instances_launched *e)
{
	const struct ipl_ev_launched_eni *eni = &e->instances.at[0].enis.at[0];

	return eni->name.len == 0 && eni->description.len == 0 && eni->addresses.count == 1 &&
	       same_groups(&eni->security_groups, &e->security_groups);
}

static void add_flat(struct request *r, const struct ipl_ev_launched_eni *eni)
{
	add_id(r, "VSwitchId", IPL_KIND_VSWITCH, eni->vswitch);
	if (!eni->addresses.at[0].picked)
		add(r, "PrivateIpAddress", ipl_show_ip4(r->arena, eni->addresses.at[0].ip));
	add_ipv6(r, &r->map, &eni->ipv6);
}

static struct ipl_value nic(struct request *r, const struct ipl_ev_launched_eni *eni, bool primary)
{
	struct ipl_value map = ipl_map();
	uint32_t more = eni->addresses.count - 1;

	ipl_map_add(r->arena, &map, "InstanceType", ipl_text_of(primary ? "Primary" : "Secondary"));
	ipl_map_add(r->arena, &map, "VSwitchId", id(r, IPL_KIND_VSWITCH, eni->vswitch));
	if (!eni->addresses.at[0].picked)
		ipl_map_add(r->arena, &map, "PrimaryIpAddress",
			    ipl_show_ip4(r->arena, eni->addresses.at[0].ip));
	if (more > 0)
		ipl_map_add(r->arena, &map, "SecondaryPrivateIpAddressCount", ipl_int(more));
	if (!eni->delete_on_release)
		ipl_map_add(r->arena, &map, "DeleteOnRelease", ipl_bool(false));
	add_text_to(r, &map, "NetworkInterfaceName", eni->name);
	add_text_to(r, &map, "Description", eni->description);
	add_groups(r, &map, &eni->security_groups);
	add_ipv6(r, &map, &eni->ipv6);
	return map;
}

static struct ipl_value joined(struct request *r, uint64_t eni)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(r->arena, &map, "NetworkInterfaceId", id(r, IPL_KIND_ENI, eni));
	return map;
}

/* All instances of one launch are alike, so the first one tells of the interfaces. */
static void add_nics(struct request *r, const struct ipl_ev_instances_launched *e)
{
	const struct ipl_ev_instance *first = &e->instances.at[0];
	struct ipl_value list = ipl_array();
	bool flat = is_flat(e);

	if (flat)
		add_flat(r, &first->enis.at[0]);
	for (uint32_t i = flat; i < first->enis.count; i++)
		ipl_array_add(r->arena, &list, nic(r, &first->enis.at[i], i == 0));
	for (uint32_t i = 0; i < first->joined.count; i++)
		ipl_array_add(r->arena, &list, joined(r, first->joined.at[i].eni));
	if (list.count > 0)
		add(r, "NetworkInterface", list);
}

static void add_launch(struct request *r, const struct ipl_ev_instances_launched *e)
{
	add_text(r, "InstanceType", e->type);
	if (e->bandwidth_out > 0)
		add_int(r, "InternetMaxBandwidthOut", e->bandwidth_out);
	if (e->bandwidth_in != default_in(e->bandwidth_out))
		add_int(r, "InternetMaxBandwidthIn", e->bandwidth_in);
	if (e->charge != IPL_CHARGE_BY_TRAFFIC)
		add(r, "InternetChargeType", ipl_text_of(ipl_charge_word(e->charge)));
	add_text(r, "InstanceName", e->name);
	add_text(r, "Description", e->description);
	add_text(r, "ImageId", e->image);
	add_text(r, "HostName", e->host_name);
	add_groups(r, &r->map, &e->security_groups);
	add_tags(r, &e->tags);
}

static void of_instances_launched(struct request *r, const struct ipl_ev_instances_launched *e)
{
	add_launch(r, e);
	if (r->ev->op == IPL_OP_CREATE_INSTANCE) {
		add_flat(r, &e->instances.at[0].enis.at[0]);
		return;
	}
	add_nics(r, e);
	if (e->instances.count > 1)
		add_int(r, "Amount", e->instances.count);
}

static void of_instance_stopped(struct request *r, const struct ipl_ev_instance_stopped *e)
{
	add_id(r, "InstanceId", IPL_KIND_INSTANCE, e->instance);
	if (e->mode == IPL_STOPPED_STOP_CHARGING)
		add(r, "StoppedMode", ipl_text_of(ipl_stopped_word(e->mode)));
}

static void of_instance_released(struct request *r, const struct ipl_ev_instance_released *e)
{
	add_id(r, "InstanceId", IPL_KIND_INSTANCE, e->instance);
	if (ipl_state_instance(r->before, e->instance)->state != IPL_RUN_STOPPED)
		add(r, "Force", ipl_bool(true));
}

static void of_primary_address_changed(struct request *r,
				       const struct ipl_ev_primary_address_changed *e)
{
	add_id(r, "InstanceId", IPL_KIND_INSTANCE, e->instance);
	add_id(r, "VSwitchId", IPL_KIND_VSWITCH, e->vswitch);
	if (!e->picked)
		add(r, "PrivateIpAddress", ipl_show_ip4(r->arena, e->ip));
}

static void of_instance_bandwidth_changed(struct request *r,
					  const struct ipl_ev_instance_bandwidth_changed *e)
{
	const struct ipl_instance *was = ipl_state_instance(r->before, e->instance);
	bool out = e->bandwidth_out != was->bandwidth_out;

	add_id(r, "InstanceId", IPL_KIND_INSTANCE, e->instance);
	if (out)
		add_int(r, "InternetMaxBandwidthOut", e->bandwidth_out);
	if (e->bandwidth_in != (out ? default_in(e->bandwidth_out) : was->bandwidth_in))
		add_int(r, "InternetMaxBandwidthIn", e->bandwidth_in);
	if (e->charge != was->charge)
		add(r, "NetworkChargeType", ipl_text_of(ipl_charge_word(e->charge)));
}

/* --- network interfaces --- */

static void of_eni_created(struct request *r, const struct ipl_ev_eni_created *e)
{
	add_id(r, "VSwitchId", IPL_KIND_VSWITCH, e->vswitch);
	if (!e->addresses.at[0].picked)
		add(r, "PrimaryIpAddress", ipl_show_ip4(r->arena, e->addresses.at[0].ip));
	add_addresses(r, &r->map, &e->addresses, 1, "PrivateIpAddress",
		      "SecondaryPrivateIpAddressCount");
	if (!e->delete_on_release)
		add(r, "DeleteOnRelease", ipl_bool(false));
	add_text(r, "NetworkInterfaceName", e->name);
	add_text(r, "Description", e->description);
	add_groups(r, &r->map, &e->security_groups);
	add_tags(r, &e->tags);
	add_ipv6(r, &r->map, &e->ipv6);
}

static void of_eni_attached(struct request *r, const struct ipl_ev_eni_attached *e)
{
	add_id(r, "NetworkInterfaceId", IPL_KIND_ENI, e->eni);
	add_id(r, "InstanceId", IPL_KIND_INSTANCE, e->instance);
}

static void of_eni_detached(struct request *r, const struct ipl_ev_eni_detached *e)
{
	add_id(r, "NetworkInterfaceId", IPL_KIND_ENI, e->eni);
	add_id(r, "InstanceId", IPL_KIND_INSTANCE, e->instance);
}

static void of_eni_deleted(struct request *r, const struct ipl_ev_eni_deleted *e)
{
	add_id(r, "NetworkInterfaceId", IPL_KIND_ENI, e->eni.eni);
}

static void of_eni_modified(struct request *r, const struct ipl_ev_eni_modified *e)
{
	const struct ipl_eni *was = ipl_state_eni(r->before, e->eni);

	add_id(r, "NetworkInterfaceId", IPL_KIND_ENI, e->eni);
	add_changed(r, "NetworkInterfaceName", was->base.notes->name, e->name);
	add_changed(r, "Description", was->base.notes->description, e->description);
	if (was->delete_on_release != e->delete_on_release)
		add(r, "DeleteOnRelease", ipl_bool(e->delete_on_release));
}

static void of_private_ip_assigned(struct request *r, const struct ipl_ev_private_ip_assigned *e)
{
	add_id(r, "NetworkInterfaceId", IPL_KIND_ENI, e->eni);
	add_addresses(r, &r->map, &e->addresses, 0, "PrivateIpAddress",
		      "SecondaryPrivateIpAddressCount");
}

static void of_private_ip_unassigned(struct request *r,
				     const struct ipl_ev_private_ip_unassigned *e)
{
	struct ipl_value list = ipl_array();

	add_id(r, "NetworkInterfaceId", IPL_KIND_ENI, e->eni);
	for (uint32_t i = 0; i < e->addresses.count; i++)
		ipl_array_add(r->arena, &list, ipl_show_ip4(r->arena, e->addresses.at[i].ip));
	add(r, "PrivateIpAddress", list);
}

static void of_ipv6_assigned(struct request *r, const struct ipl_ev_ipv6_assigned *e)
{
	add_id(r, "NetworkInterfaceId", IPL_KIND_ENI, e->eni);
	add_ipv6(r, &r->map, &e->ipv6);
}

static void of_ipv6_unassigned(struct request *r, const struct ipl_ev_ipv6_unassigned *e)
{
	struct ipl_value list = ipl_array();

	add_id(r, "NetworkInterfaceId", IPL_KIND_ENI, e->eni);
	for (uint32_t i = 0; i < e->ipv6.count; i++)
		ipl_array_add(r->arena, &list, ipl_show_ip6(r->arena, e->ipv6.at[i].ip));
	add(r, "Ipv6Address", list);
}

/* --- EIPs and IPv6 to the Internet --- */

static void of_eip_allocated(struct request *r, const struct ipl_ev_eip_allocated *e)
{
	if (!e->picked)
		add(r, "IpAddress", ipl_show_ip4(r->arena, e->ip));
	add_int(r, "Bandwidth", e->bandwidth);
	add(r, "InternetChargeType", ipl_text_of(ipl_charge_word(e->charge)));
	add_text(r, "ISP", e->isp);
	add_text(r, "Name", e->name);
	add_text(r, "Description", e->description);
	add_tags(r, &e->tags);
}

/* With an instance by its primary private address, whatever that is; else with an interface's. */
static void of_eip_associated(struct request *r, const struct ipl_ev_eip_associated *e)
{
	const struct ipl_eni *eni = ipl_state_eni(r->before, e->eni);

	add_id(r, "AllocationId", IPL_KIND_EIP, e->eip);
	if (e->instance != 0) {
		add_id(r, "InstanceId", IPL_KIND_INSTANCE, e->instance);
		return;
	}
	add_id(r, "InstanceId", IPL_KIND_ENI, e->eni);
	add(r, "InstanceType", ipl_text_of("NetworkInterface"));
	if (e->private_ip != eni->address[0].ip)
		add(r, "PrivateIpAddress", ipl_show_ip4(r->arena, e->private_ip));
	if (e->mode != IPL_MODE_NAT)
		add(r, "Mode", ipl_text_of(ipl_mode_word(e->mode)));
}

static void of_eip_modified(struct request *r, const struct ipl_ev_eip_modified *e)
{
	const struct ipl_eip *was = ipl_state_eip(r->before, e->eip);

	add_id(r, "AllocationId", IPL_KIND_EIP, e->eip);
	if (e->bandwidth != was->bandwidth)
		add_int(r, "Bandwidth", e->bandwidth);
	add_changed(r, "Name", was->base.notes->name, e->name);
	add_changed(r, "Description", was->base.notes->description, e->description);
}

static void of_ipv6gw_created(struct request *r, const struct ipl_ev_ipv6gw_created *e)
{
	add_id(r, "VpcId", IPL_KIND_VPC, e->vpc);
	add_text(r, "Name", e->name);
	add_text(r, "Description", e->description);
	add_tags(r, &e->tags);
}

static void of_ipv6bw_allocated(struct request *r, const struct ipl_ev_ipv6bw_allocated *e)
{
	add_id(r, "Ipv6AddressId", IPL_KIND_IPV6, e->ipv6);
	add_int(r, "Bandwidth", e->mbps);
	add(r, "InternetChargeType", ipl_text_of(ipl_charge_word(e->charge)));
}

static void of_ipv6bw_modified(struct request *r, const struct ipl_ev_ipv6bw_modified *e)
{
	add_id(r, "Ipv6InternetBandwidthId", IPL_KIND_IPV6BW, e->bandwidth);
	add_int(r, "Bandwidth", e->mbps);
}

/* --- what only names what it is about --- */

static void of_ledger_created(struct request *r, const struct ipl_ev_ledger_created *e)
{
	(void)r; /* no operation makes it: the server does */
	(void)e;
}

#define NAMES(record, member, KIND, Name)                                           \
	static void of_##record(struct request *r, const struct ipl_ev_##record *e) \
	{                                                                           \
		add_id(r, #Name, IPL_KIND_##KIND, e->member);                       \
	}
NAMES(vswitch_deleted, vswitch, VSWITCH, VSwitchId)
NAMES(instance_started, instance, INSTANCE, InstanceId)
NAMES(instance_rebooted, instance, INSTANCE, InstanceId)
NAMES(public_ip_allocated, instance, INSTANCE, InstanceId)
NAMES(public_ip_converted, instance, INSTANCE, InstanceId)
NAMES(eip_unassociated, eip, EIP, AllocationId)
NAMES(eip_released, eip, EIP, AllocationId)
NAMES(ipv6gw_deleted, gateway, IPV6GW, Ipv6GatewayId)
NAMES(ipv6bw_deleted, bandwidth, IPV6BW, Ipv6InternetBandwidthId)
#undef NAMES

struct ipl_value ipl_request_of(struct ipl_arena *arena, const struct ipl_state *before,
				const struct ipl_event *ev)
{
	struct request r = {
		.arena = arena,
		.before = before,
		.ev = ev,
		.lens = { .letters = ipl_state_letters(before) },
		.map = ipl_map(),
	};

	switch (ev->type) {
#define X(number, NAME, record, Name, meaning) \
	case IPL_EVENT_##NAME:                 \
		of_##record(&r, &ev->record);  \
		break;
		IPL_EVENT_LIST(X) /* no default: an event without its way back does not build */
#undef X
	}
	return r.map;
}
