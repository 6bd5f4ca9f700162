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

bool ipl_vpc_contains(const struct ipl_vpc *vpc, uint32_t ip)
{
	bool found = ipl_cidr4_contains(vpc->cidr, ip);

	for (uint32_t i = 0; i < vpc->secondary_count; i++)
		found = found || ipl_cidr4_contains(vpc->secondary[i], ip);
	return found;
}

static enum ipl_status cidr_associated(struct ipl_vpc *self, const struct ipl_event *ev,
				       struct ipl_error *err)
{
	if (self->secondary_count == IPL_SECONDARY_CIDRS_MAX)
		return ipl_damage(ev, err, "the VPC has %u secondary blocks",
				  self->secondary_count);
	self->secondary[self->secondary_count++] = ev->vpc_cidr_associated.cidr;
	return IPL_OK;
}

static enum ipl_status cidr_unassociated(struct ipl_vpc *self, const struct ipl_event *ev,
					 struct ipl_error *err)
{
	for (uint32_t i = 0; i < self->secondary_count; i++) {
		if (!ipl_cidr4_equal(self->secondary[i], ev->vpc_cidr_unassociated.cidr))
			continue;
		memmove(self->secondary + i, self->secondary + i + 1,
			(self->secondary_count - i - 1) * sizeof(*self->secondary));
		self->secondary_count--;
		return IPL_OK;
	}
	return ipl_damage(ev, err, "the block is not one of the VPC");
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
		if (self->gateway != ev->vpc_deleted.gateway)
			return ipl_damage(ev, err, "its IPv6 gateway does not go with it");
		self->base.alive = false;
		return IPL_OK;
	case IPL_EVENT_IPV6GW_CREATED:
		if (self->gateway != 0)
			return ipl_damage(ev, err, "the VPC has an IPv6 gateway");
		self->gateway = ev->ipv6gw_created.gateway;
		return IPL_OK;
	case IPL_EVENT_IPV6GW_DELETED:
		if (self->gateway != ev->ipv6gw_deleted.gateway)
			return ipl_damage(ev, err, "the IPv6 gateway is not the VPC's");
		self->gateway = 0;
		return IPL_OK;
	case IPL_EVENT_VPC_MODIFIED:
		self->ipv6_cidr = ev->vpc_modified.ipv6_cidr;
		return ipl_base_rename(&self->base, ev->vpc_modified.name,
				       ev->vpc_modified.description, err);
	case IPL_EVENT_VPC_CIDR_ASSOCIATED:
		return cidr_associated(self, ev, err);
	case IPL_EVENT_VPC_CIDR_UNASSOCIATED:
		return cidr_unassociated(self, ev, err);
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
