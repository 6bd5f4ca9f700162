/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a write answers, from its event alone: so a retried token gets the
 * same answer from the log, for ever.
 */
#include "operations/operations_internal.h"

#include <string.h>

struct answer {
	struct ipl_arena *arena;
	struct ipl_lens lens; /* shows ids; finds nothing */
	struct ipl_value map;
};

static const union ipl_entity *find_nothing(struct ipl_lens *lens, enum ipl_kind kind,
					    uint64_t number)
{
	(void)lens;
	(void)kind;
	(void)number;
	return NULL;
}

static void add(struct answer *a, const char *name, struct ipl_value value)
{
	ipl_map_add(a->arena, &a->map, name, value);
}

static void add_id(struct answer *a, const char *name, enum ipl_kind kind, uint64_t number)
{
	add(a, name, ipl_show_id(a->arena, &a->lens, kind, number));
}

/* What lives and dies with a VPC: its router and its system route table. */
static void add_id_as(struct answer *a, const char *name, const char *prefix, uint64_t vpc)
{
	char text[IPL_ID_TEXT_MAX];

	ipl_id_format_as(prefix, a->lens.letters, IPL_KIND_VPC, vpc, text);
	add(a, name, ipl_text_copy(a->arena, text));
}

static struct ipl_value wrap(struct answer *a, const char *name, struct ipl_value value)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(a->arena, &map, name, value);
	return map;
}

static void settings(struct answer *a, const struct ipl_ev_settings *settings_of)
{
	a->map = ipl_show_settings(a->arena, a->lens.letters, settings_of);
}

static void cidr_associated(struct answer *a, struct ipl_cidr4 cidr)
{
	char text[IPL_CIDR4_TEXT_MAX];

	ipl_cidr4_format(cidr, text);
	add(a, "CidrBlock", ipl_text_copy(a->arena, text));
	add(a, "IpVersion", ipl_text_of("IPV4"));
}

/* RunInstances answers a list of ids, CreateInstance one. */
static void launched(struct answer *a, const struct ipl_event *ev)
{
	const struct ipl_ev_instance_list *list = &ev->instances_launched.instances;
	struct ipl_value ids = ipl_array();

	if (ev->op == IPL_OP_CREATE_INSTANCE) {
		add_id(a, "InstanceId", IPL_KIND_INSTANCE, list->at[0].instance);
		return;
	}
	for (uint32_t i = 0; i < list->count; i++)
		ipl_array_add(
			a->arena, &ids,
			ipl_show_id(a->arena, &a->lens, IPL_KIND_INSTANCE, list->at[i].instance));
	add(a, "InstanceIdSets", wrap(a, "InstanceIdSet", ids));
}

/* The new interface as it is read; folded from the event that makes it. */
static void eni_created(struct answer *a, const struct ipl_event *ev)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	union ipl_entity eni;
	struct ipl_value ipv6 = ipl_array();
	uint64_t number = ev->eni_created.eni;

	memset(&eni, 0, sizeof(eni));
	if (ipl_reduce_entity(IPL_KIND_ENI, number, &eni, ev, &err) == IPL_OK) {
		a->map = ipl_show(a->arena, &a->lens, IPL_KIND_ENI, number, &eni);
		for (uint32_t i = 0; i < ev->eni_created.ipv6.count; i++)
			ipl_array_add(a->arena, &ipv6,
				      ipl_show_ipv6_of_eni(a->arena, &a->lens,
							   ev->eni_created.ipv6.at[i].ipv6,
							   ev->eni_created.ipv6.at[i].ip));
		ipl_map_set(a->arena, &a->map, IPL_STR("Ipv6Sets"), wrap(a, "Ipv6Set", ipv6));
	} else
		/* An event that was decided: memory is short. */
		a->arena->failed = a->arena->is_starved = true;
	ipl_entity_release(IPL_KIND_ENI, &eni);
}

static void assigned(struct answer *a, const struct ipl_ev_private_ip_assigned *e)
{
	struct ipl_value ips = ipl_array(), set = ipl_map();

	for (uint32_t i = 0; i < e->addresses.count; i++)
		ipl_array_add(a->arena, &ips, ipl_show_ip4(a->arena, e->addresses.at[i].ip));
	ipl_map_add(a->arena, &set, "NetworkInterfaceId",
		    ipl_show_id(a->arena, &a->lens, IPL_KIND_ENI, e->eni));
	ipl_map_add(a->arena, &set, "PrivateIpSet", wrap(a, "PrivateIpAddress", ips));
	ipl_map_add(a->arena, &set, "Ipv4PrefixSet", wrap(a, "Ipv4Prefixes", ipl_array()));
	add(a, "AssignedPrivateIpAddressesSet", set);
}

static void ipv6_assigned(struct answer *a, const struct ipl_ev_ipv6_assigned *e)
{
	struct ipl_value ips = ipl_array(), ids = ipl_array();

	for (uint32_t i = 0; i < e->ipv6.count; i++) {
		ipl_array_add(a->arena, &ips, ipl_show_ip6(a->arena, e->ipv6.at[i].ip));
		ipl_array_add(a->arena, &ids,
			      ipl_show_id(a->arena, &a->lens, IPL_KIND_IPV6, e->ipv6.at[i].ipv6));
	}
	add_id(a, "NetworkInterfaceId", IPL_KIND_ENI, e->eni);
	add(a, "Ipv6Sets", wrap(a, "Ipv6Address", ips));
	add(a, "Ipv6AddressIds", wrap(a, "Ipv6AddressId", ids));
	add(a, "Ipv6PrefixSets", wrap(a, "Ipv6Prefix", ipl_array()));
}

static void bandwidth_allocated(struct answer *a, const struct ipl_ev_ipv6bw_allocated *e)
{
	add_id(a, "InternetBandwidthId", IPL_KIND_IPV6BW, e->bandwidth);
	add_id(a, "Ipv6AddressId", IPL_KIND_IPV6, e->ipv6);
}

static void vpc_created(struct answer *a, uint64_t vpc)
{
	add_id(a, "VpcId", IPL_KIND_VPC, vpc);
	add_id_as(a, "VRouterId", "vrt-", vpc);
	add_id_as(a, "RouteTableId", "vtb-", vpc);
	add(a, "ResourceGroupId", ipl_text(IPL_STR("")));
}

static void eip(struct answer *a, uint64_t number, uint32_t ip)
{
	add_id(a, "AllocationId", IPL_KIND_EIP, number);
	add(a, "EipAddress", ipl_show_ip4(a->arena, ip));
}

static void add_own(struct answer *a, const struct ipl_event *ev)
{
	switch (ev->type) {
	case IPL_EVENT_LEDGER_CREATED:
		settings(a, &ev->ledger_created.settings);
		break;
	case IPL_EVENT_LEDGER_SETTINGS_MODIFIED:
		settings(a, &ev->ledger_settings_modified.settings);
		break;
	case IPL_EVENT_VPC_CREATED:
		vpc_created(a, ev->vpc_created.vpc);
		break;
	case IPL_EVENT_VSWITCH_CREATED:
		add_id(a, "VSwitchId", IPL_KIND_VSWITCH, ev->vswitch_created.vswitch);
		break;
	case IPL_EVENT_INSTANCES_LAUNCHED:
		launched(a, ev);
		break;
	case IPL_EVENT_VPC_CIDR_ASSOCIATED:
		cidr_associated(a, ev->vpc_cidr_associated.cidr);
		break;
	case IPL_EVENT_PUBLIC_IP_ALLOCATED:
		add(a, "IpAddress", ipl_show_ip4(a->arena, ev->public_ip_allocated.public_ip));
		break;
	case IPL_EVENT_PUBLIC_IP_CONVERTED:
		eip(a, ev->public_ip_converted.eip, ev->public_ip_converted.public_ip);
		break;
	case IPL_EVENT_ENI_CREATED:
		eni_created(a, ev);
		break;
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
		assigned(a, &ev->private_ip_assigned);
		break;
	case IPL_EVENT_EIP_ALLOCATED:
		eip(a, ev->eip_allocated.eip, ev->eip_allocated.ip);
		add(a, "ResourceGroupId", ipl_text(IPL_STR("")));
		break;
	case IPL_EVENT_IPV6_ASSIGNED:
		ipv6_assigned(a, &ev->ipv6_assigned);
		break;
	case IPL_EVENT_IPV6GW_CREATED:
		add_id(a, "Ipv6GatewayId", IPL_KIND_IPV6GW, ev->ipv6gw_created.gateway);
		add(a, "ResourceGroupId", ipl_text(IPL_STR("")));
		break;
	case IPL_EVENT_IPV6BW_ALLOCATED:
		bandwidth_allocated(a, &ev->ipv6bw_allocated);
		break;
	default:
		break; /* RequestId, Seq and Time say it all */
	}
}

struct ipl_value ipl_operation_result(struct ipl_arena *arena, struct ipl_str region,
				      struct ipl_region_letters letters, const struct ipl_event *ev)
{
	struct answer a = {
		.arena = arena,
		.lens = { .letters = letters, .region = region, .find = find_nothing },
		.map = ipl_map(),
	};

	add_own(&a, ev);
	return a.map;
}
