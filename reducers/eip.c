/* SPDX-License-Identifier: Apache-2.0 */
/* An elastic IP: a public address with an id of its own. */
#include "reducers/reduce_internal.h"

static enum ipl_status begin(struct ipl_eip *self, const struct ipl_event *ev, uint32_t ip,
			     uint64_t bandwidth, enum ipl_charge charge,
			     const struct ipl_notes *notes, struct ipl_error *err)
{
	if (!ipl_base_begin(&self->base, ev, notes, err))
		return err->status;
	self->ip = ip;
	self->bandwidth = bandwidth;
	self->charge = charge;
	return IPL_OK;
}

static enum ipl_status allocated(struct ipl_eip *self, const struct ipl_event *ev,
				 struct ipl_error *err)
{
	const struct ipl_ev_eip_allocated *e = &ev->eip_allocated;
	const struct ipl_notes notes = {
		.name = e->name,
		.description = e->description,
		.type = e->isp,
		.tags = e->tags,
	};

	return begin(self, ev, e->ip, e->bandwidth, e->charge, &notes, err);
}

static enum ipl_status converted(struct ipl_eip *self, const struct ipl_event *ev,
				 struct ipl_error *err)
{
	const struct ipl_ev_public_ip_converted *e = &ev->public_ip_converted;
	const struct ipl_notes notes = { .type = IPL_STR("BGP") };

	self->eni = e->eni;
	self->instance = e->instance;
	self->private_ip = e->private_ip;
	self->vpc = e->vpc;
	return begin(self, ev, e->public_ip, e->bandwidth, e->charge, &notes, err);
}

static enum ipl_status associated(struct ipl_eip *self, const struct ipl_event *ev,
				  struct ipl_error *err)
{
	const struct ipl_ev_eip_associated *e = &ev->eip_associated;

	if (self->eni != 0)
		return ipl_damage(ev, err, "the EIP is in use");
	self->eni = e->eni;
	self->instance = e->instance;
	self->private_ip = e->private_ip;
	self->vpc = e->vpc;
	self->mode = e->mode;
	return IPL_OK;
}

static enum ipl_status unbound(struct ipl_eip *self, const struct ipl_event *ev, uint64_t eni,
			       struct ipl_error *err)
{
	if (self->eni == 0 || self->eni != eni)
		return ipl_damage(ev, err, "the EIP is not on that network interface");
	self->eni = 0;
	self->instance = 0;
	self->private_ip = 0;
	self->vpc = 0;
	self->mode = IPL_MODE_NAT;
	return IPL_OK;
}

static enum ipl_status freed_with_eni(uint64_t number, struct ipl_eip *self,
				      const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_ev_freed_eni *part = ipl_freed_eni_of_eip(ev, number);

	if (part == NULL)
		return ipl_damage(ev, err, "EIP %" PRIu64 " has no part in it", number);
	return unbound(self, ev, part->eni, err);
}

enum ipl_status ipl_reduce_eip(uint64_t number, struct ipl_eip *self, const struct ipl_event *ev,
			       struct ipl_error *err)
{
	if (ev->type == IPL_EVENT_EIP_ALLOCATED)
		return allocated(self, ev, err);
	if (ev->type == IPL_EVENT_PUBLIC_IP_CONVERTED)
		return converted(self, ev, err);
	if (!self->base.alive)
		return ipl_damage(ev, err, "EIP %" PRIu64 " does not exist", number);
	switch (ev->type) {
	case IPL_EVENT_EIP_ASSOCIATED:
		return associated(self, ev, err);
	case IPL_EVENT_EIP_UNASSOCIATED:
		return unbound(self, ev, ev->eip_unassociated.eni, err);
	case IPL_EVENT_EIP_MODIFIED:
		self->bandwidth = ev->eip_modified.bandwidth;
		return ipl_base_rename(&self->base, ev->eip_modified.name,
				       ev->eip_modified.description, err);
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		if (self->private_ip != ev->primary_address_changed.old_ip)
			return ipl_damage(ev, err, "the EIP is not paired with that address");
		self->private_ip = ev->primary_address_changed.ip;
		return IPL_OK;
	case IPL_EVENT_EIP_RELEASED:
		if (self->eni != 0)
			return ipl_damage(ev, err, "the EIP is in use");
		self->base.alive = false;
		return IPL_OK;
	case IPL_EVENT_INSTANCE_RELEASED:
	case IPL_EVENT_ENI_DELETED:
		return freed_with_eni(number, self, ev, err);
	default:
		return ipl_damage(ev, err, "it does not touch an EIP");
	}
}
