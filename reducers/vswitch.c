/* SPDX-License-Identifier: Apache-2.0 */
/* A vSwitch: its block, and how many of its addresses are in use. */
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

static uint64_t launched_into(const struct ipl_event *ev, uint64_t number)
{
	const struct ipl_ev_instance_list *instances = &ev->instances_launched.instances;
	uint64_t count = 0;

	for (uint32_t i = 0; i < instances->count; i++) {
		const struct ipl_ev_launched_eni_list *enis = &instances->at[i].enis;
		for (uint32_t k = 0; k < enis->count; k++)
			count += enis->at[k].vswitch == number ? enis->at[k].addresses.count : 0;
	}
	return count;
}

static uint64_t freed_from(const struct ipl_event *ev, uint64_t number)
{
	struct ipl_ev_freed_eni_list enis = ipl_freed_enis(ev);
	uint64_t count = 0;

	for (uint32_t i = 0; i < enis.count; i++)
		count += enis.at[i].vswitch == number ? enis.at[i].addresses.count : 0;
	return count;
}

static enum ipl_status freed(struct ipl_vswitch *self, const struct ipl_event *ev, uint64_t count,
			     struct ipl_error *err)
{
	if (count > self->used)
		return ipl_damage(ev, err,
				  "%" PRIu64 " addresses are freed, %" PRIu64 " are in use", count,
				  self->used);
	self->used -= count;
	return IPL_OK;
}

/* An instance's primary address goes from one vSwitch to another, or changes inside one. */
static enum ipl_status address_changed(uint64_t number, struct ipl_vswitch *self,
				       const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_ev_primary_address_changed *e = &ev->primary_address_changed;

	self->used += e->vswitch == number;
	return freed(self, ev, e->old_vswitch == number, err);
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
		self->ipv6_cidr = ev->vswitch_modified.ipv6_cidr;
		return ipl_base_rename(&self->base, ev->vswitch_modified.name,
				       ev->vswitch_modified.description, err);
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		return address_changed(number, self, ev, err);
	case IPL_EVENT_INSTANCES_LAUNCHED:
		self->used += launched_into(ev, number);
		return IPL_OK;
	case IPL_EVENT_ENI_CREATED:
		self->used += ev->eni_created.addresses.count;
		return IPL_OK;
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
		self->used += ev->private_ip_assigned.addresses.count;
		return IPL_OK;
	case IPL_EVENT_PRIVATE_IP_UNASSIGNED:
		return freed(self, ev, ev->private_ip_unassigned.addresses.count, err);
	case IPL_EVENT_INSTANCE_RELEASED:
	case IPL_EVENT_ENI_DELETED:
		return freed(self, ev, freed_from(ev, number), err);
	default:
		return ipl_damage(ev, err, "it does not touch a vSwitch");
	}
}
