/* SPDX-License-Identifier: Apache-2.0 */
/* A network interface: its addresses, what they are paired with, whose it is. */
#include "reducers/reduce_internal.h"

static enum ipl_status no_memory(struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a network interface");
}

static struct ipl_eni_address *find(struct ipl_eni *self, uint32_t ip)
{
	for (uint32_t i = 0; i < self->address_count; i++) {
		if (self->address[i].ip == ip)
			return &self->address[i];
	}
	return NULL;
}

static enum ipl_status add_addresses(struct ipl_eni *self, const struct ipl_event *ev,
				     const struct ipl_ev_address_list *list, struct ipl_error *err)
{
	size_t count = self->address_count + (size_t)list->count;
	struct ipl_eni_address *grown = realloc(self->address, count * sizeof(*grown));

	if (grown == NULL)
		return no_memory(err);
	self->address = grown;
	for (uint32_t i = 0; i < list->count; i++) {
		if (find(self, list->at[i].ip) != NULL)
			return ipl_damage(ev, err, IPL_IP4_FMT " is on the interface already",
					  IPL_IP4_ARG(list->at[i].ip));
		self->address[self->address_count++] =
			(struct ipl_eni_address){ .ip = list->at[i].ip };
	}
	return IPL_OK;
}

static enum ipl_status take_addresses(struct ipl_eni *self, const struct ipl_event *ev,
				      const struct ipl_ev_freed_ip_list *list,
				      struct ipl_error *err)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct ipl_eni_address *at = find(self, list->at[i].ip);
		if (at == NULL || at == self->address || at->eip != 0)
			return ipl_damage(ev, err, IPL_IP4_FMT " cannot be taken from it",
					  IPL_IP4_ARG(list->at[i].ip));
		memmove(at, at + 1,
			(size_t)(self->address + self->address_count - at - 1) * sizeof(*at));
		self->address_count--;
	}
	return IPL_OK;
}

static enum ipl_status add_ipv6(struct ipl_eni *self, const struct ipl_ev_ipv6_list *list,
				struct ipl_error *err)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (!ipl_numbers_add(&self->ipv6, list->at[i].ipv6))
			return no_memory(err);
	}
	return IPL_OK;
}

static enum ipl_status take_ipv6(struct ipl_eni *self, const struct ipl_event *ev,
				 const struct ipl_ev_freed_ipv6_list *list, struct ipl_error *err)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (!ipl_numbers_remove(&self->ipv6, list->at[i].ipv6))
			return ipl_damage(ev, err, "IPv6 address %" PRIu64 " is not on it",
					  list->at[i].ipv6);
	}
	return IPL_OK;
}

static enum ipl_status begin(struct ipl_eni *self, const struct ipl_event *ev,
			     const struct ipl_notes *notes, const struct ipl_ev_address_list *ip4,
			     const struct ipl_ev_ipv6_list *ip6, struct ipl_error *err)
{
	if (ip4->count == 0)
		return ipl_damage(ev, err, "a network interface has no address");
	if (!ipl_base_begin(&self->base, ev, notes, err))
		return err->status;
	if (add_ipv6(self, ip6, err) != IPL_OK)
		return err->status;
	return add_addresses(self, ev, ip4, err);
}

static enum ipl_status joined(struct ipl_eni *self, const struct ipl_event *ev, uint64_t instance,
			      struct ipl_error *err)
{
	if (!self->base.alive || self->instance != 0)
		return ipl_damage(ev, err, "the network interface is not available");
	self->instance = instance;
	return IPL_OK;
}

static enum ipl_status launched(uint64_t number, struct ipl_eni *self, const struct ipl_event *ev,
				struct ipl_error *err)
{
	const struct ipl_ev_instances_launched *e = &ev->instances_launched;
	const struct ipl_ev_instance *of = NULL;
	const struct ipl_ev_launched_eni *part = ipl_launched_eni(ev, number, &of);
	struct ipl_notes notes = { .zone = e->zone };

	for (uint32_t i = 0; part == NULL && i < e->instances.count; i++) {
		for (uint32_t k = 0; k < e->instances.at[i].joined.count; k++) {
			if (e->instances.at[i].joined.at[k].eni == number)
				return joined(self, ev, e->instances.at[i].instance, err);
		}
	}
	if (part == NULL)
		return ipl_damage(ev, err, "network interface %" PRIu64 " has no part in it",
				  number);
	notes.name = part->name;
	notes.description = part->description;
	notes.security_groups = part->security_groups;
	self->vpc = e->vpc;
	self->vswitch = part->vswitch;
	self->instance = of->instance;
	self->is_primary = part == of->enis.at;
	self->delete_on_release = part->delete_on_release;
	return begin(self, ev, &notes, &part->addresses, &part->ipv6, err);
}

static enum ipl_status created(struct ipl_eni *self, const struct ipl_event *ev,
			       struct ipl_error *err)
{
	const struct ipl_ev_eni_created *e = &ev->eni_created;
	const struct ipl_notes notes = {
		.name = e->name,
		.description = e->description,
		.zone = e->zone,
		.security_groups = e->security_groups,
		.tags = e->tags,
	};

	self->vpc = e->vpc;
	self->vswitch = e->vswitch;
	self->delete_on_release = e->delete_on_release;
	return begin(self, ev, &notes, &e->addresses, &e->ipv6, err);
}

static enum ipl_status pair(struct ipl_eni *self, const struct ipl_event *ev, uint32_t ip,
			    uint64_t was, uint64_t is, enum ipl_mode mode, struct ipl_error *err)
{
	struct ipl_eni_address *at = find(self, ip);

	if (at == NULL || at->eip != was)
		return ipl_damage(ev, err, IPL_IP4_FMT " is not paired as it says",
				  IPL_IP4_ARG(ip));
	at->eip = is;
	at->mode = mode;
	return IPL_OK;
}

/* The instance goes: so does the interface, or it stays and is available. */
static enum ipl_status instance_released(uint64_t number, struct ipl_eni *self,
					 const struct ipl_event *ev, struct ipl_error *err)
{
	if (self->instance != ev->instance_released.instance)
		return ipl_damage(ev, err, "the network interface is not the instance's");
	self->instance = 0;
	self->base.alive = ipl_freed_eni(ev, number) == NULL;
	return IPL_OK;
}

static enum ipl_status primary_changed(struct ipl_eni *self, const struct ipl_event *ev,
				       struct ipl_error *err)
{
	const struct ipl_ev_primary_address_changed *e = &ev->primary_address_changed;

	if (self->address[0].ip != e->old_ip || self->address_count != 1 ||
	    self->vswitch != e->old_vswitch || self->address[0].eip != e->eip)
		return ipl_damage(ev, err, "the interface is not as it says");
	self->address[0].ip = e->ip;
	self->vswitch = e->vswitch;
	return IPL_OK;
}

static enum ipl_status reduce_pairs(struct ipl_eni *self, const struct ipl_event *ev,
				    struct ipl_error *err)
{
	switch (ev->type) {
	case IPL_EVENT_EIP_ASSOCIATED:
		return pair(self, ev, ev->eip_associated.private_ip, 0, ev->eip_associated.eip,
			    ev->eip_associated.mode, err);
	case IPL_EVENT_EIP_UNASSOCIATED:
		return pair(self, ev, ev->eip_unassociated.private_ip, ev->eip_unassociated.eip, 0,
			    IPL_MODE_NAT, err);
	case IPL_EVENT_PUBLIC_IP_CONVERTED:
		return pair(self, ev, ev->public_ip_converted.private_ip, 0,
			    ev->public_ip_converted.eip, IPL_MODE_NAT, err);
	default:
		return ipl_damage(ev, err, "it does not touch a network interface");
	}
}

enum ipl_status ipl_reduce_eni(uint64_t number, struct ipl_eni *self, const struct ipl_event *ev,
			       struct ipl_error *err)
{
	if (ev->type == IPL_EVENT_INSTANCES_LAUNCHED)
		return launched(number, self, ev, err);
	if (ev->type == IPL_EVENT_ENI_CREATED)
		return created(self, ev, err);
	if (!self->base.alive)
		return ipl_damage(ev, err, "network interface %" PRIu64 " does not exist", number);
	switch (ev->type) {
	case IPL_EVENT_INSTANCE_RELEASED:
		return instance_released(number, self, ev, err);
	case IPL_EVENT_ENI_ATTACHED:
		return joined(self, ev, ev->eni_attached.instance, err);
	case IPL_EVENT_ENI_DETACHED:
		if (self->instance != ev->eni_detached.instance || self->is_primary)
			return ipl_damage(ev, err, "it cannot be detached from there");
		self->instance = 0;
		return IPL_OK;
	case IPL_EVENT_ENI_DELETED:
		if (self->instance != 0)
			return ipl_damage(ev, err, "the network interface is in use");
		self->base.alive = false;
		return IPL_OK;
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		return primary_changed(self, ev, err);
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
		return add_addresses(self, ev, &ev->private_ip_assigned.addresses, err);
	case IPL_EVENT_PRIVATE_IP_UNASSIGNED:
		return take_addresses(self, ev, &ev->private_ip_unassigned.addresses, err);
	case IPL_EVENT_IPV6_ASSIGNED:
		return add_ipv6(self, &ev->ipv6_assigned.ipv6, err);
	case IPL_EVENT_IPV6_UNASSIGNED:
		return take_ipv6(self, ev, &ev->ipv6_unassigned.ipv6, err);
	case IPL_EVENT_ENI_MODIFIED:
		self->delete_on_release = ev->eni_modified.delete_on_release;
		return ipl_base_rename(&self->base, ev->eni_modified.name,
				       ev->eni_modified.description, err);
	default:
		return reduce_pairs(self, ev, err);
	}
}
