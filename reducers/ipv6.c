/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 addresses, their public bandwidth, and the gateway of a VPC. */
#include "reducers/reduce_internal.h"

static const struct ipl_ev_ipv6 *find_ipv6(const struct ipl_ev_ipv6_list *list, uint64_t number)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->at[i].ipv6 == number)
			return &list->at[i];
	}
	return NULL;
}

static const struct ipl_ev_ipv6 *launched_ipv6(const struct ipl_event *ev, uint64_t number,
					       struct ipl_ipv6 *self)
{
	const struct ipl_ev_instance_list *instances = &ev->instances_launched.instances;

	self->vpc = ev->instances_launched.vpc;
	for (uint32_t i = 0; i < instances->count; i++) {
		for (uint32_t k = 0; k < instances->at[i].enis.count; k++) {
			const struct ipl_ev_launched_eni *eni = &instances->at[i].enis.at[k];
			const struct ipl_ev_ipv6 *part = find_ipv6(&eni->ipv6, number);
			self->eni = eni->eni;
			self->vswitch = eni->vswitch;
			if (part != NULL)
				return part;
		}
	}
	return NULL;
}

/* The part of an event that gives the IPv6 address @number, and to which interface. */
static const struct ipl_ev_ipv6 *given_ipv6(const struct ipl_event *ev, uint64_t number,
					    struct ipl_ipv6 *self)
{
	if (ev->type == IPL_EVENT_ENI_CREATED) {
		self->eni = ev->eni_created.eni;
		self->vswitch = ev->eni_created.vswitch;
		self->vpc = ev->eni_created.vpc;
		return find_ipv6(&ev->eni_created.ipv6, number);
	}
	if (ev->type == IPL_EVENT_IPV6_ASSIGNED) {
		self->eni = ev->ipv6_assigned.eni;
		self->vswitch = ev->ipv6_assigned.vswitch;
		self->vpc = ev->ipv6_assigned.vpc;
		return find_ipv6(&ev->ipv6_assigned.ipv6, number);
	}
	return ev->type == IPL_EVENT_INSTANCES_LAUNCHED ? launched_ipv6(ev, number, self) : NULL;
}

static const struct ipl_ev_freed_ipv6 *freed_in(const struct ipl_ev_freed_ipv6_list *list,
						uint64_t ipv6, uint64_t bandwidth)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if ((ipv6 != 0 && list->at[i].ipv6 == ipv6) ||
		    (bandwidth != 0 && list->at[i].bandwidth == bandwidth))
			return &list->at[i];
	}
	return NULL;
}

/* The part of an event that takes an IPv6 address (or its bandwidth); NULL where none does. */
static const struct ipl_ev_freed_ipv6 *freed_ipv6(const struct ipl_event *ev, uint64_t ipv6,
						  uint64_t bandwidth)
{
	struct ipl_ev_freed_eni_list enis = ipl_freed_enis(ev);
	const struct ipl_ev_freed_ipv6 *part = NULL;

	if (ev->type == IPL_EVENT_IPV6_UNASSIGNED)
		return freed_in(&ev->ipv6_unassigned.ipv6, ipv6, bandwidth);
	for (uint32_t i = 0; part == NULL && i < enis.count; i++)
		part = freed_in(&enis.at[i].ipv6, ipv6, bandwidth);
	return part;
}

/* --- an address --- */

static enum ipl_status given(uint64_t number, struct ipl_ipv6 *self, const struct ipl_event *ev,
			     struct ipl_error *err)
{
	const struct ipl_notes none = { 0 };
	const struct ipl_ev_ipv6 *part = given_ipv6(ev, number, self);

	if (part == NULL)
		return ipl_damage(ev, err, "IPv6 address %" PRIu64 " does not exist", number);
	self->ip = part->ip;
	return ipl_base_begin(&self->base, ev, &none, err) ? IPL_OK : err->status;
}

static enum ipl_status freed(uint64_t number, struct ipl_ipv6 *self, const struct ipl_event *ev,
			     struct ipl_error *err)
{
	const struct ipl_ev_freed_ipv6 *part = freed_ipv6(ev, number, 0);

	if (part == NULL)
		return ipl_damage(ev, err, "IPv6 address %" PRIu64 " has no part in it", number);
	if (part->bandwidth != self->bandwidth)
		return ipl_damage(ev, err,
				  "the bandwidth of IPv6 address %" PRIu64 " does not go with it",
				  number);
	self->base.alive = false;
	return IPL_OK;
}

static enum ipl_status set_bandwidth(struct ipl_ipv6 *self, const struct ipl_event *ev,
				     uint64_t was, uint64_t is, struct ipl_error *err)
{
	if (self->bandwidth != was)
		return ipl_damage(ev, err, "its bandwidth is %" PRIu64 ", not %" PRIu64,
				  self->bandwidth, was);
	self->bandwidth = is;
	return IPL_OK;
}

enum ipl_status ipl_reduce_ipv6(uint64_t number, struct ipl_ipv6 *self, const struct ipl_event *ev,
				struct ipl_error *err)
{
	if (!self->base.alive)
		return given(number, self, ev, err);
	switch (ev->type) {
	case IPL_EVENT_IPV6BW_ALLOCATED:
		return set_bandwidth(self, ev, 0, ev->ipv6bw_allocated.bandwidth, err);
	case IPL_EVENT_IPV6BW_DELETED:
		return set_bandwidth(self, ev, ev->ipv6bw_deleted.bandwidth, 0, err);
	case IPL_EVENT_IPV6_UNASSIGNED:
	case IPL_EVENT_INSTANCE_RELEASED:
	case IPL_EVENT_ENI_DELETED:
		return freed(number, self, ev, err);
	default:
		return ipl_damage(ev, err, "it does not touch an IPv6 address");
	}
}

/* --- its public bandwidth --- */

enum ipl_status ipl_reduce_ipv6bw(uint64_t number, struct ipl_ipv6bw *self,
				  const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_ev_ipv6bw_allocated *e = &ev->ipv6bw_allocated;
	const struct ipl_notes none = { 0 };

	if (ev->type == IPL_EVENT_IPV6BW_ALLOCATED) {
		if (!ipl_base_begin(&self->base, ev, &none, err))
			return err->status;
		self->ipv6 = e->ipv6;
		self->vpc = e->vpc;
		self->mbps = e->mbps;
		self->charge = e->charge;
		return IPL_OK;
	}
	if (!self->base.alive)
		return ipl_damage(ev, err, "IPv6 bandwidth %" PRIu64 " does not exist", number);
	if (ev->type == IPL_EVENT_IPV6BW_MODIFIED) {
		self->mbps = ev->ipv6bw_modified.mbps;
		return IPL_OK;
	}
	if (ev->type != IPL_EVENT_IPV6BW_DELETED && freed_ipv6(ev, 0, number) == NULL)
		return ipl_damage(ev, err, "it does not touch an IPv6 bandwidth");
	self->base.alive = false;
	return IPL_OK;
}

/* --- the gateway of a VPC --- */

enum ipl_status ipl_reduce_ipv6gw(uint64_t number, struct ipl_ipv6gw *self,
				  const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_notes notes = {
		.name = ev->ipv6gw_created.name,
		.description = ev->ipv6gw_created.description,
		.tags = ev->ipv6gw_created.tags,
	};

	if (ev->type == IPL_EVENT_IPV6GW_CREATED) {
		self->vpc = ev->ipv6gw_created.vpc;
		return ipl_base_begin(&self->base, ev, &notes, err) ? IPL_OK : err->status;
	}
	if (!self->base.alive)
		return ipl_damage(ev, err, "IPv6 gateway %" PRIu64 " does not exist", number);
	if (ev->type != IPL_EVENT_IPV6GW_DELETED && ev->type != IPL_EVENT_VPC_DELETED)
		return ipl_damage(ev, err, "it does not touch an IPv6 gateway");
	self->base.alive = false;
	return IPL_OK;
}
