/* SPDX-License-Identifier: Apache-2.0 */
/* An instance: its state, its bandwidth and fixed public IP, its network interfaces. */
#include "reducers/reduce_internal.h"

static enum ipl_status launched(uint64_t number, struct ipl_instance *self,
				const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_ev_instances_launched *e = &ev->instances_launched;
	const struct ipl_ev_instance *part = ipl_launched_instance(ev, number);
	const struct ipl_notes notes = {
		.name = e->name,
		.description = e->description,
		.zone = e->zone,
		.type = e->type,
		.image = e->image,
		.host_name = e->host_name,
		.security_groups = e->security_groups,
		.tags = e->tags,
	};
	bool fits = true;

	if (part == NULL || part->enis.count == 0)
		return ipl_damage(ev, err, "an instance has no network interface");
	if (!ipl_base_begin(&self->base, ev, &notes, err))
		return err->status;
	self->vpc = e->vpc;
	self->state = e->state;
	self->charge = e->charge;
	self->bandwidth_out = e->bandwidth_out;
	self->bandwidth_in = e->bandwidth_in;
	self->public_ip = part->public_ip;
	for (uint32_t i = 0; i < part->enis.count; i++)
		fits = fits && ipl_numbers_add(&self->enis, part->enis.at[i].eni);
	for (uint32_t i = 0; i < part->joined.count; i++)
		fits = fits && ipl_numbers_add(&self->enis, part->joined.at[i].eni);
	if (!fits)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an instance");
	return IPL_OK;
}

/* A public address comes or goes; never both, and never a second one. */
static enum ipl_status swap_public_ip(struct ipl_instance *self, const struct ipl_event *ev,
				      uint32_t taken, uint32_t given, struct ipl_error *err)
{
	if (taken != 0 && taken != self->public_ip)
		return ipl_damage(ev, err, "the fixed public IP that goes is not the instance's");
	if (taken != 0)
		self->public_ip = 0;
	if (given != 0 && self->public_ip != 0)
		return ipl_damage(ev, err, "the instance has a fixed public IP already");
	if (given != 0)
		self->public_ip = given;
	return IPL_OK;
}

static enum ipl_status started(struct ipl_instance *self, const struct ipl_event *ev,
			       struct ipl_error *err)
{
	if (self->state != IPL_RUN_STOPPED)
		return ipl_damage(ev, err, "the instance is not stopped");
	self->state = IPL_RUN_RUNNING;
	self->stopped_mode = IPL_STOPPED_NONE;
	self->public_ip_reclaimed = false;
	self->address_changed = false;
	return swap_public_ip(self, ev, 0, ev->instance_started.public_ip, err);
}

static enum ipl_status stopped(struct ipl_instance *self, const struct ipl_event *ev,
			       struct ipl_error *err)
{
	const struct ipl_ev_instance_stopped *e = &ev->instance_stopped;

	if (self->state != IPL_RUN_RUNNING)
		return ipl_damage(ev, err, "the instance is not running");
	self->state = IPL_RUN_STOPPED;
	self->stopped_mode = e->mode;
	self->public_ip_reclaimed = e->freed_public_ip != 0;
	return swap_public_ip(self, ev, e->freed_public_ip, 0, err);
}

static enum ipl_status bandwidth_changed(struct ipl_instance *self, const struct ipl_event *ev,
					 struct ipl_error *err)
{
	const struct ipl_ev_instance_bandwidth_changed *e = &ev->instance_bandwidth_changed;

	self->bandwidth_out = e->bandwidth_out;
	self->bandwidth_in = e->bandwidth_in;
	self->charge = e->charge;
	return swap_public_ip(self, ev, e->freed_public_ip, e->public_ip, err);
}

static enum ipl_status set_eip(struct ipl_instance *self, const struct ipl_event *ev, uint64_t was,
			       uint64_t is, struct ipl_error *err)
{
	if (self->eip != was)
		return ipl_damage(ev, err, "the instance's EIP is %" PRIu64 ", not %" PRIu64,
				  self->eip, was);
	self->eip = is;
	return IPL_OK;
}

static enum ipl_status converted(struct ipl_instance *self, const struct ipl_event *ev,
				 struct ipl_error *err)
{
	enum ipl_status st = swap_public_ip(self, ev, ev->public_ip_converted.public_ip, 0, err);

	self->bandwidth_out = 0;
	return st != IPL_OK ? st : set_eip(self, ev, 0, ev->public_ip_converted.eip, err);
}

enum ipl_status ipl_reduce_instance(uint64_t number, struct ipl_instance *self,
				    const struct ipl_event *ev, struct ipl_error *err)
{
	if (ev->type == IPL_EVENT_INSTANCES_LAUNCHED)
		return launched(number, self, ev, err);
	if (!self->base.alive)
		return ipl_damage(ev, err, "instance %" PRIu64 " does not exist", number);
	switch (ev->type) {
	case IPL_EVENT_INSTANCE_STARTED:
		return started(self, ev, err);
	case IPL_EVENT_INSTANCE_STOPPED:
		return stopped(self, ev, err);
	case IPL_EVENT_INSTANCE_REBOOTED:
		return IPL_OK;
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		self->address_changed = true;
		return IPL_OK;
	case IPL_EVENT_INSTANCE_RELEASED:
		if (ev->instance_released.freed_public_ip != self->public_ip)
			return ipl_damage(ev, err, "its fixed public IP is not freed");
		self->base.alive = false;
		return IPL_OK;
	case IPL_EVENT_INSTANCE_BANDWIDTH_CHANGED:
		return bandwidth_changed(self, ev, err);
	case IPL_EVENT_PUBLIC_IP_ALLOCATED:
		return swap_public_ip(self, ev, 0, ev->public_ip_allocated.public_ip, err);
	case IPL_EVENT_PUBLIC_IP_CONVERTED:
		return converted(self, ev, err);
	case IPL_EVENT_ENI_ATTACHED:
		if (!ipl_numbers_add(&self->enis, ev->eni_attached.eni))
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an instance");
		return IPL_OK;
	case IPL_EVENT_ENI_DETACHED:
		if (!ipl_numbers_remove(&self->enis, ev->eni_detached.eni))
			return ipl_damage(ev, err, "the network interface is not attached");
		return IPL_OK;
	case IPL_EVENT_EIP_ASSOCIATED:
		return set_eip(self, ev, 0, ev->eip_associated.eip, err);
	case IPL_EVENT_EIP_UNASSOCIATED:
		return set_eip(self, ev, ev->eip_unassociated.eip, 0, err);
	default:
		return ipl_damage(ev, err, "it does not touch an instance");
	}
}
