/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/picker_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define VSWITCHES_MAX 65536
#define TAKEN_MAX     1024 /* addresses in one event */

struct picker_model {
	uint32_t last[VSWITCHES_MAX];      /* picked last in a vSwitch; 0: nothing yet */
	uint64_t last_ipv6[VSWITCHES_MAX]; /* interface id */
	uint32_t last_public;
	bool public_is_known; /* false after the pool of last_public was taken away */
	/* of the event at hand */
	struct {
		uint64_t a, b;
	} taken[TAKEN_MAX];
	size_t taken_count;
	const struct ipl_state *state;
	int64_t time_ms;
	char *why;
};

struct picker_model *picker_model_new(void)
{
	struct picker_model *model = calloc(1, sizeof(*model));

	if (model != NULL)
		model->public_is_known = true;
	return model;
}

void picker_model_free(struct picker_model *model)
{
	free(model);
}

static bool wrong(struct picker_model *m, const char *format, ...) IPL_PRINTF(2, 3);

static bool wrong(struct picker_model *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(m->why, MODEL_TEXT_MAX, format, args); /* cut is fine */
	va_end(args);
	return false;
}

/* (VPC or 0, address), or the two halves of an IPv6 address. */
static bool is_taken(const struct picker_model *m, uint64_t a, uint64_t b)
{
	for (size_t i = 0; i < m->taken_count; i++) {
		if (m->taken[i].a == a && m->taken[i].b == b)
			return true;
	}
	return false;
}

static void take(struct picker_model *m, uint64_t a, uint64_t b)
{
	if (m->taken_count < TAKEN_MAX) {
		m->taken[m->taken_count].a = a;
		m->taken[m->taken_count++].b = b;
	}
}

static bool is_free(const struct picker_model *m, struct ipl_key key, bool may_cool)
{
	struct ipl_holding holding = ipl_state_holding(m->state, key);

	return holding.role == IPL_ROLE_NONE && (may_cool || holding.cool_until <= m->time_ms) &&
	       !is_taken(m, key.a, key.b);
}

static bool is_edge(struct ipl_cidr4 cidr, uint32_t ip, uint32_t first, uint32_t last)
{
	return ip - cidr.base < first || ipl_cidr4_last(cidr) - ip < last;
}

/* --- private addresses --- */

static bool one_private(struct picker_model *m, uint64_t number, const struct ipl_vswitch *vswitch,
			const struct ipl_ev_address *address)
{
	struct ipl_cidr4 cidr = vswitch->cidr;
	uint64_t size = ipl_cidr4_size(cidr);
	uint32_t offset = m->last[number] == 0 ? 0 : m->last[number] - cidr.base + 1;

	for (uint64_t i = 0; address->picked && i < size; i++, offset++) {
		uint32_t ip = cidr.base + (uint32_t)(offset % size);
		if (is_edge(cidr, ip, 1, 3) || !is_free(m, ipl_key_ip4(vswitch->vpc, ip), false))
			continue;
		if (ip != address->ip)
			return wrong(m, IPL_IP4_FMT " is picked, " IPL_IP4_FMT " is next",
				     IPL_IP4_ARG(address->ip), IPL_IP4_ARG(ip));
		m->last[number] = ip;
		take(m, vswitch->vpc, ip);
		return true;
	}
	if (address->picked)
		return wrong(m, IPL_IP4_FMT " is picked where none is free",
			     IPL_IP4_ARG(address->ip));
	return true;
}

/* Names are taken before anything is picked. */
static bool names(struct picker_model *m, const struct ipl_vswitch *vswitch,
		  const struct ipl_ev_address_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		uint32_t ip = list->at[i].ip;
		if (list->at[i].picked)
			continue;
		if (!ipl_cidr4_contains(vswitch->cidr, ip) || is_edge(vswitch->cidr, ip, 1, 3) ||
		    !is_free(m, ipl_key_ip4(vswitch->vpc, ip), true))
			return wrong(m, IPL_IP4_FMT " is given by name and was not to be had",
				     IPL_IP4_ARG(ip));
		take(m, vswitch->vpc, ip);
	}
	return true;
}

static bool privates(struct picker_model *m, uint64_t number,
		     const struct ipl_ev_address_list *list, bool by_name)
{
	const struct ipl_vswitch *vswitch = ipl_state_vswitch(m->state, number);

	if (by_name)
		return names(m, vswitch, list);
	for (uint32_t i = 0; i < list->count; i++) {
		if (!one_private(m, number, vswitch, &list->at[i]))
			return false;
	}
	return true;
}

/* --- IPv6 addresses --- */

static bool ipv6s(struct picker_model *m, uint64_t number, const struct ipl_ev_ipv6_list *list)
{
	uint64_t hi = ipl_state_vswitch(m->state, number)->ipv6_cidr.hi;

	for (uint32_t i = 0; i < list->count; i++) {
		struct ipl_ip6 ip = list->at[i].ip;
		uint64_t next = m->last_ipv6[number] + 1; /* ::0 is reserved */
		if (!list->at[i].picked && (ip.hi != hi || ip.lo == 0 || ip.lo > UINT64_MAX - 9 ||
					    !is_free(m, ipl_key_ip6(ip.hi, ip.lo), true)))
			return wrong(m, "::%" PRIx64 " is given by name and was not to be had",
				     ip.lo);
		while (list->at[i].picked && !is_free(m, ipl_key_ip6(hi, next), false))
			next++;
		if (list->at[i].picked && (ip.hi != hi || ip.lo != next))
			return wrong(m, "::%" PRIx64 " is picked, ::%" PRIx64 " is next", ip.lo,
				     next);
		if (list->at[i].picked)
			m->last_ipv6[number] = next;
		take(m, ip.hi, ip.lo);
	}
	return true;
}

/* --- public addresses: all pools are one circle --- */

static bool next_public(const struct picker_model *m, uint32_t pool, uint32_t from, uint32_t *out)
{
	struct ipl_cidr4 cidr = ipl_state_pool(m->state, pool)->cidr;

	for (uint64_t offset = from; offset < ipl_cidr4_size(cidr); offset++) {
		*out = cidr.base + (uint32_t)offset;
		if (!is_edge(cidr, *out, 1, 1) && is_free(m, ipl_key_ip4(0, *out), false))
			return true;
	}
	return false;
}

static bool public_picked(struct picker_model *m, uint32_t ip)
{
	uint32_t pools = ipl_state_pool_count(m->state), pool = 0, from = 0, next = 0;
	bool found = false;

	for (uint32_t i = 0; i < pools; i++) {
		struct ipl_cidr4 cidr = ipl_state_pool(m->state, i)->cidr;
		if (m->last_public != 0 && ipl_cidr4_contains(cidr, m->last_public)) {
			pool = i;
			from = m->last_public - cidr.base + 1;
		}
	}
	for (uint32_t i = 0; !found && i <= pools; i++, from = 0)
		found = next_public(m, (pool + i) % pools, from, &next);
	if (m->public_is_known && next != ip)
		return wrong(m, IPL_IP4_FMT " is picked, " IPL_IP4_FMT " is next", IPL_IP4_ARG(ip),
			     IPL_IP4_ARG(next));
	if (!is_free(m, ipl_key_ip4(0, ip), false))
		return wrong(m, IPL_IP4_FMT " is picked and was not free", IPL_IP4_ARG(ip));
	m->last_public = ip;
	m->public_is_known = true;
	take(m, 0, ip);
	return true;
}

/* --- events --- */

static bool launched(struct picker_model *m, const struct ipl_ev_instances_launched *e, int pass)
{
	for (uint32_t i = 0; i < e->instances.count; i++) {
		const struct ipl_ev_instance *instance = &e->instances.at[i];
		for (uint32_t k = 0; k < instance->enis.count; k++) {
			const struct ipl_ev_launched_eni *eni = &instance->enis.at[k];
			if (pass < 2 && !privates(m, eni->vswitch, &eni->addresses, pass == 0))
				return false;
			if (pass == 2 && !ipv6s(m, eni->vswitch, &eni->ipv6))
				return false;
		}
		if (pass == 2 && instance->public_ip != 0 && !public_picked(m, instance->public_ip))
			return false;
	}
	return true;
}

static bool one_address(struct picker_model *m, uint64_t vswitch,
			const struct ipl_ev_address_list *list)
{
	return privates(m, vswitch, list, true) && privates(m, vswitch, list, false);
}

static bool moved(struct picker_model *m, const struct ipl_ev_primary_address_changed *e)
{
	struct ipl_ev_address to = { e->ip, e->picked };

	return one_address(m, e->vswitch, &(const struct ipl_ev_address_list){ &to, 1 });
}

static void settings_modified(struct picker_model *m, const struct ipl_ev_settings *settings)
{
	bool kept = false;

	for (uint32_t i = 0; i < ipl_state_pool_count(m->state); i++) {
		struct ipl_cidr4 cidr = ipl_state_pool(m->state, i)->cidr;
		for (uint32_t k = 0;
		     ipl_cidr4_contains(cidr, m->last_public) && k < settings->public_pools.count;
		     k++)
			kept = kept || ipl_cidr4_equal(settings->public_pools.at[k].cidr, cidr);
	}
	if (!kept)
		m->public_is_known = false;
}

bool picker_model_follow(struct picker_model *model, const struct ipl_state *before,
			 const struct ipl_event *ev, char why[MODEL_TEXT_MAX])
{
	struct picker_model *m = model;

	m->state = before;
	m->time_ms = ev->time_ms;
	m->taken_count = 0;
	m->why = why;
	switch (ev->type) {
	case IPL_EVENT_LEDGER_SETTINGS_MODIFIED:
		settings_modified(m, &ev->ledger_settings_modified.settings);
		return true;
	case IPL_EVENT_INSTANCES_LAUNCHED:
		return launched(m, &ev->instances_launched, 0) &&
		       launched(m, &ev->instances_launched, 1) &&
		       launched(m, &ev->instances_launched, 2);
	case IPL_EVENT_ENI_CREATED:
		return one_address(m, ev->eni_created.vswitch, &ev->eni_created.addresses) &&
		       ipv6s(m, ev->eni_created.vswitch, &ev->eni_created.ipv6);
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
		return one_address(m, ev->private_ip_assigned.vswitch,
				   &ev->private_ip_assigned.addresses);
	case IPL_EVENT_IPV6_ASSIGNED:
		return ipv6s(m, ev->ipv6_assigned.vswitch, &ev->ipv6_assigned.ipv6);
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		return moved(m, &ev->primary_address_changed);
	case IPL_EVENT_INSTANCE_STARTED:
		return ev->instance_started.public_ip == 0 ||
		       public_picked(m, ev->instance_started.public_ip);
	case IPL_EVENT_INSTANCE_BANDWIDTH_CHANGED:
		return ev->instance_bandwidth_changed.public_ip == 0 ||
		       public_picked(m, ev->instance_bandwidth_changed.public_ip);
	case IPL_EVENT_PUBLIC_IP_ALLOCATED:
		return public_picked(m, ev->public_ip_allocated.public_ip);
	case IPL_EVENT_EIP_ALLOCATED:
		if (ev->eip_allocated.picked)
			return public_picked(m, ev->eip_allocated.ip);
		return is_free(m, ipl_key_ip4(0, ev->eip_allocated.ip), true) ||
		       wrong(m, "an EIP is given by name and was not to be had");
	default:
		return true;
	}
}
