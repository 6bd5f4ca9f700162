/* SPDX-License-Identifier: Apache-2.0 */
/* A vSwitch: its blocks, and how many of its addresses are in use or cool down. */
#include "reducers/reduce_internal.h"

static enum ipl_status created(struct ipl_vswitch *self, const struct ipl_event *ev,
			       struct ipl_error *err)
{
	const struct ipl_ev_vswitch_created *e = &ev->vswitch_created;
	const struct ipl_notes notes = {
		.name = e->name,
		.description = e->description,
		.zone = e->zone,
		.tags = e->tags,
	};

	if (!ipl_base_begin(&self->base, ev, &notes, err))
		return err->status;
	self->vpc = e->vpc;
	self->cidr = e->cidr;
	self->ipv6_cidr = e->ipv6_cidr;
	return IPL_OK;
}

bool ipl_ip6_is_reserved(struct ipl_ip6 ip)
{
	return ip.lo < IPL_IPV6_RESERVED_FIRST || ip.lo > UINT64_MAX - IPL_IPV6_RESERVED_LAST;
}

/* --- addresses that cool down --- */

uint64_t ipl_vswitch_cooling(const struct ipl_vswitch *vswitch, int64_t now_ms, int64_t *next_ms)
{
	const struct ipl_cooling_list *list = &vswitch->cooling;
	uint64_t count = 0;

	*next_ms = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->at[i].until_ms <= now_ms)
			continue;
		count++;
		if (*next_ms == 0 || list->at[i].until_ms < *next_ms)
			*next_ms = list->at[i].until_ms;
	}
	return count;
}

/* What has cooled down is forgotten: once for all that an event adds. */
static void forget_cooled(struct ipl_cooling_list *list, int64_t now_ms)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->at[i].until_ms > now_ms)
			list->at[kept++] = list->at[i];
	}
	list->count = kept;
}

static enum ipl_status cool(struct ipl_vswitch *self, const struct ipl_event *ev, uint32_t ip,
			    int64_t until_ms, struct ipl_error *err)
{
	struct ipl_cooling_list *list = &self->cooling;

	if (until_ms <= ev->time_ms)
		return IPL_OK;
	if (list->count == list->cap)
		forget_cooled(list, ev->time_ms);
	if (list->count * 2 >= list->cap) { /* half stays free, so that forgetting is rare */
		uint32_t cap = list->cap == 0 ? 8 : list->cap * 2;
		struct ipl_cooling_ip *grown = realloc(list->at, cap * sizeof(*grown));
		if (grown == NULL)
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a vSwitch");
		list->at = grown;
		list->cap = cap;
	}
	list->at[list->count++] = (struct ipl_cooling_ip){ until_ms, ip };
	return IPL_OK;
}

/* One that is asked for by name may still have been cooling; a picked one was not. */
static void warm(struct ipl_vswitch *self, uint32_t ip, int64_t now_ms)
{
	struct ipl_cooling_list *list = &self->cooling;

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->at[i].ip != ip || list->at[i].until_ms <= now_ms)
			continue;
		list->at[i] = list->at[--list->count];
		return;
	}
}

/* --- addresses that come and go --- */

static void given(struct ipl_vswitch *self, const struct ipl_event *ev,
		  const struct ipl_ev_address_list *list)
{
	self->used += list->count;
	for (uint32_t i = 0; self->cooling.count > 0 && i < list->count; i++) {
		if (!list->at[i].picked)
			warm(self, list->at[i].ip, ev->time_ms);
	}
}

static void launched_into(struct ipl_vswitch *self, const struct ipl_event *ev, uint64_t number)
{
	const struct ipl_ev_instance_list *instances = &ev->instances_launched.instances;

	for (uint32_t i = 0; i < instances->count; i++) {
		const struct ipl_ev_launched_eni_list *enis = &instances->at[i].enis;
		for (uint32_t k = 0; k < enis->count; k++) {
			if (enis->at[k].vswitch != number)
				continue;
			given(self, ev, &enis->at[k].addresses);
			self->ipv6_used += enis->at[k].ipv6.count;
		}
	}
}

static enum ipl_status freed(struct ipl_vswitch *self, const struct ipl_event *ev,
			     const struct ipl_ev_freed_ip_list *list, int64_t cool_until,
			     struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	if (list->count > self->used)
		return ipl_damage(ev, err, "%u addresses are freed, %" PRIu64 " are in use",
				  list->count, self->used);
	self->used -= list->count;
	for (uint32_t i = 0; st == IPL_OK && i < list->count; i++)
		st = cool(self, ev, list->at[i].ip, cool_until, err);
	return st;
}

static enum ipl_status freed_ipv6(struct ipl_vswitch *self, const struct ipl_event *ev,
				  uint32_t count, struct ipl_error *err)
{
	if (count > self->ipv6_used)
		return ipl_damage(ev, err, "%u IPv6 addresses are freed, %" PRIu64 " are in use",
				  count, self->ipv6_used);
	self->ipv6_used -= count;
	return IPL_OK;
}

static enum ipl_status freed_enis(uint64_t number, struct ipl_vswitch *self,
				  const struct ipl_event *ev, int64_t cool_until,
				  struct ipl_error *err)
{
	struct ipl_ev_freed_eni_list enis = ipl_freed_enis(ev);
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; st == IPL_OK && i < enis.count; i++) {
		if (enis.at[i].vswitch != number)
			continue;
		st = freed(self, ev, &enis.at[i].addresses, cool_until, err);
		if (st == IPL_OK)
			st = freed_ipv6(self, ev, enis.at[i].ipv6.count, err);
	}
	return st;
}

/* An instance's primary address goes from one vSwitch to another, or changes inside one. */
static enum ipl_status address_changed(uint64_t number, struct ipl_vswitch *self,
				       const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_ev_primary_address_changed *e = &ev->primary_address_changed;
	struct ipl_ev_address to = { e->ip, e->picked };
	struct ipl_ev_freed_ip from = { e->old_ip };

	if (e->vswitch == number)
		given(self, ev, &(const struct ipl_ev_address_list){ &to, 1 });
	if (e->old_vswitch != number)
		return IPL_OK;
	return freed(self, ev, &(const struct ipl_ev_freed_ip_list){ &from, 1 }, e->cool_until,
		     err);
}

enum ipl_status ipl_reduce_vswitch(uint64_t number, struct ipl_vswitch *self,
				   const struct ipl_event *ev, struct ipl_error *err)
{
	if (ev->type == IPL_EVENT_VSWITCH_CREATED)
		return created(self, ev, err);
	if (!self->base.alive)
		return ipl_damage(ev, err, "vSwitch %" PRIu64 " does not exist", number);
	switch (ev->type) {
	case IPL_EVENT_VSWITCH_DELETED:
		if (self->used > 0)
			return ipl_damage(ev, err, "%" PRIu64 " of its addresses are in use",
					  self->used);
		self->base.alive = false;
		return IPL_OK;
	case IPL_EVENT_VSWITCH_MODIFIED:
		if (self->ipv6_used > 0 &&
		    (ev->vswitch_modified.ipv6_cidr.hi != self->ipv6_cidr.hi ||
		     ev->vswitch_modified.ipv6_cidr.prefix_len == 0))
			return ipl_damage(ev, err,
					  "%" PRIu64 " IPv6 addresses of its block are in use",
					  self->ipv6_used);
		self->ipv6_cidr = ev->vswitch_modified.ipv6_cidr;
		return ipl_base_rename(&self->base, ev->vswitch_modified.name,
				       ev->vswitch_modified.description, err);
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		return address_changed(number, self, ev, err);
	case IPL_EVENT_INSTANCES_LAUNCHED:
		launched_into(self, ev, number);
		return IPL_OK;
	case IPL_EVENT_ENI_CREATED:
		given(self, ev, &ev->eni_created.addresses);
		self->ipv6_used += ev->eni_created.ipv6.count;
		return IPL_OK;
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
		given(self, ev, &ev->private_ip_assigned.addresses);
		return IPL_OK;
	case IPL_EVENT_PRIVATE_IP_UNASSIGNED:
		return freed(self, ev, &ev->private_ip_unassigned.addresses,
			     ev->private_ip_unassigned.cool_until, err);
	case IPL_EVENT_IPV6_ASSIGNED:
		self->ipv6_used += ev->ipv6_assigned.ipv6.count;
		return IPL_OK;
	case IPL_EVENT_IPV6_UNASSIGNED:
		return freed_ipv6(self, ev, ev->ipv6_unassigned.ipv6.count, err);
	case IPL_EVENT_INSTANCE_RELEASED:
		return freed_enis(number, self, ev, ev->instance_released.cool_until, err);
	case IPL_EVENT_ENI_DELETED:
		return freed_enis(number, self, ev, ev->eni_deleted.cool_until, err);
	default:
		return ipl_damage(ev, err, "it does not touch a vSwitch");
	}
}
