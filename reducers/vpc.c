/* SPDX-License-Identifier: Apache-2.0 */
/* A VPC: its blocks and its vSwitches. */
#include "reducers/reduce_internal.h"

static enum ipl_status created(struct ipl_vpc *self, const struct ipl_event *ev,
			       struct ipl_error *err)
{
	const struct ipl_ev_vpc_created *e = &ev->vpc_created;
	const struct ipl_notes notes = {
		.name = e->name,
		.description = e->description,
		.tags = e->tags,
	};

	if (!ipl_base_begin(&self->base, ev, &notes, err))
		return err->status;
	self->cidr = e->cidr;
	self->ipv6_cidr = e->ipv6_cidr;
	return IPL_OK;
}

enum ipl_status ipl_reduce_vpc(uint64_t number, struct ipl_vpc *self, const struct ipl_event *ev,
			       struct ipl_error *err)
{
	if (ev->type == IPL_EVENT_VPC_CREATED)
		return created(self, ev, err);
	if (!self->base.alive)
		return ipl_damage(ev, err, "VPC %" PRIu64 " does not exist", number);
	switch (ev->type) {
	case IPL_EVENT_VPC_DELETED:
		if (self->vswitches.count > 0)
			return ipl_damage(ev, err, "the VPC has %u vSwitches",
					  self->vswitches.count);
		self->base.alive = false;
		return IPL_OK;
	case IPL_EVENT_VSWITCH_CREATED:
		if (!ipl_numbers_add(&self->vswitches, ev->vswitch_created.vswitch))
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a VPC");
		return IPL_OK;
	case IPL_EVENT_VSWITCH_DELETED:
		if (!ipl_numbers_remove(&self->vswitches, ev->vswitch_deleted.vswitch))
			return ipl_damage(ev, err, "the vSwitch is not in the VPC");
		return IPL_OK;
	default:
		return ipl_damage(ev, err, "it does not touch a VPC");
	}
}
