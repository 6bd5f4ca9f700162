/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has an address. A holding is (address, role, interface, EIP): it begins
 * when one of these begins and ends when one ends.
 */
#include "reducers/reduce_internal.h"

const char *ipl_role_word(enum ipl_role role)
{
	switch (role) {
	case IPL_ROLE_NONE:
		break;
	case IPL_ROLE_PRIMARY:
		return "PrimaryPrivate";
	case IPL_ROLE_SECONDARY:
		return "SecondaryPrivate";
	case IPL_ROLE_PUBLIC_IP:
		return "PublicIp";
	case IPL_ROLE_EIP:
		return "Eip";
	case IPL_ROLE_IPV6:
		return "Ipv6";
	}
	return "";
}

static enum ipl_status open_holding(struct ipl_holding *self, const struct ipl_event *ev,
				    struct ipl_holding opened, struct ipl_error *err)
{
	if (self->role != IPL_ROLE_NONE)
		return ipl_damage(ev, err, "an address is given that is held since event %" PRIu64,
				  self->since_seq);
	if (opened.eni == 0 && opened.eip == 0)
		return ipl_damage(ev, err, "an address is given to nobody");
	opened.since_seq = ev->seq;
	opened.since_ms = ev->time_ms;
	*self = opened;
	return IPL_OK;
}

static enum ipl_status close_holding(struct ipl_holding *self, const struct ipl_event *ev,
				     enum ipl_role role, int64_t cool_until, struct ipl_error *err)
{
	bool is_private = role == IPL_ROLE_PRIMARY &&
			  (self->role == IPL_ROLE_PRIMARY || self->role == IPL_ROLE_SECONDARY);

	if (self->role != role && !is_private)
		return ipl_damage(ev, err, "an address is freed that is not held so");
	*self = (struct ipl_holding){ .cool_until = cool_until };
	return IPL_OK;
}

/* The same address, held by the same EIP, in another place or in none. */
static enum ipl_status move_eip(struct ipl_holding *self, const struct ipl_event *ev, uint64_t eip,
				uint64_t eni, struct ipl_error *err)
{
	if (self->role != IPL_ROLE_EIP || self->eip != eip)
		return ipl_damage(ev, err, "the address is not that of EIP %" PRIu64, eip);
	*self = (struct ipl_holding){ .role = IPL_ROLE_EIP,
				      .eip = eip,
				      .eni = eni,
				      .since_seq = ev->seq,
				      .since_ms = ev->time_ms };
	return IPL_OK;
}

/* --- public addresses --- */

static enum ipl_status open_public(struct ipl_holding *self, const struct ipl_event *ev,
				   uint64_t eni, struct ipl_error *err)
{
	return open_holding(self, ev,
			    (struct ipl_holding){ .role = IPL_ROLE_PUBLIC_IP, .eni = eni }, err);
}

static enum ipl_status launched_public(struct ipl_holding *self, const struct ipl_event *ev,
				       uint32_t ip, struct ipl_error *err)
{
	const struct ipl_ev_instance_list *list = &ev->instances_launched.instances;

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->at[i].public_ip == ip && list->at[i].enis.count > 0)
			return open_public(self, ev, list->at[i].enis.at[0].eni, err);
	}
	return ipl_damage(ev, err, "a public address has no part in it");
}

static enum ipl_status converted(struct ipl_holding *self, const struct ipl_event *ev,
				 struct ipl_error *err)
{
	const struct ipl_ev_public_ip_converted *e = &ev->public_ip_converted;
	enum ipl_status st = close_holding(self, ev, IPL_ROLE_PUBLIC_IP, 0, err);

	if (st != IPL_OK)
		return st;
	return open_holding(
		self, ev,
		(struct ipl_holding){ .role = IPL_ROLE_EIP, .eip = e->eip, .eni = e->eni }, err);
}

/* With its interface an EIP loses its place; the instance's fixed public IP is freed. */
static enum ipl_status freed_public(struct ipl_holding *self, const struct ipl_event *ev,
				    uint32_t ip, struct ipl_error *err)
{
	struct ipl_ev_freed_eni_list enis = ipl_freed_enis(ev);

	if (ev->type == IPL_EVENT_INSTANCE_RELEASED && ev->instance_released.freed_public_ip == ip)
		return close_holding(self, ev, IPL_ROLE_PUBLIC_IP, ev->instance_released.cool_until,
				     err);
	for (uint32_t i = 0; i < enis.count; i++) {
		for (uint32_t k = 0; k < enis.at[i].eips.count; k++) {
			if (enis.at[i].eips.at[k].ip == ip)
				return move_eip(self, ev, enis.at[i].eips.at[k].eip, 0, err);
		}
	}
	return ipl_damage(ev, err, "a public address has no part in it");
}

static enum ipl_status reduce_public(uint32_t ip, struct ipl_holding *self,
				     const struct ipl_event *ev, struct ipl_error *err)
{
	switch (ev->type) {
	case IPL_EVENT_INSTANCES_LAUNCHED:
		return launched_public(self, ev, ip, err);
	case IPL_EVENT_INSTANCE_STARTED:
		return open_public(self, ev, ev->instance_started.eni, err);
	case IPL_EVENT_INSTANCE_STOPPED:
		return close_holding(self, ev, IPL_ROLE_PUBLIC_IP, ev->instance_stopped.cool_until,
				     err);
	case IPL_EVENT_INSTANCE_RELEASED:
	case IPL_EVENT_ENI_DELETED:
		return freed_public(self, ev, ip, err);
	case IPL_EVENT_INSTANCE_BANDWIDTH_CHANGED:
		if (ip == ev->instance_bandwidth_changed.public_ip)
			return open_public(self, ev, ev->instance_bandwidth_changed.eni, err);
		return close_holding(self, ev, IPL_ROLE_PUBLIC_IP,
				     ev->instance_bandwidth_changed.cool_until, err);
	case IPL_EVENT_PUBLIC_IP_ALLOCATED:
		return open_public(self, ev, ev->public_ip_allocated.eni, err);
	case IPL_EVENT_PUBLIC_IP_CONVERTED:
		return converted(self, ev, err);
	case IPL_EVENT_EIP_ALLOCATED:
		return open_holding(
			self, ev,
			(struct ipl_holding){ .role = IPL_ROLE_EIP, .eip = ev->eip_allocated.eip },
			err);
	case IPL_EVENT_EIP_ASSOCIATED:
		return move_eip(self, ev, ev->eip_associated.eip, ev->eip_associated.eni, err);
	case IPL_EVENT_EIP_UNASSOCIATED:
		return move_eip(self, ev, ev->eip_unassociated.eip, 0, err);
	case IPL_EVENT_EIP_RELEASED:
		return close_holding(self, ev, IPL_ROLE_EIP, ev->eip_released.cool_until, err);
	default:
		return ipl_damage(ev, err, "it does not touch a public address");
	}
}

/* --- private addresses --- */

static enum ipl_status open_private(struct ipl_holding *self, const struct ipl_event *ev,
				    bool primary, uint64_t eni, uint64_t vswitch,
				    struct ipl_error *err)
{
	return open_holding(
		self, ev,
		(struct ipl_holding){ .role = primary ? IPL_ROLE_PRIMARY : IPL_ROLE_SECONDARY,
				      .eni = eni,
				      .vswitch = vswitch },
		err);
}

static enum ipl_status launched_private(struct ipl_holding *self, const struct ipl_event *ev,
					uint32_t ip, struct ipl_error *err)
{
	const struct ipl_ev_instance_list *list = &ev->instances_launched.instances;

	for (uint32_t i = 0; i < list->count; i++) {
		for (uint32_t k = 0; k < list->at[i].enis.count; k++) {
			const struct ipl_ev_launched_eni *eni = &list->at[i].enis.at[k];
			for (uint32_t a = 0; a < eni->addresses.count; a++) {
				if (eni->addresses.at[a].ip == ip)
					return open_private(self, ev, a == 0, eni->eni,
							    eni->vswitch, err);
			}
		}
	}
	return ipl_damage(ev, err, "a private address has no part in it");
}

static enum ipl_status reduce_private(uint32_t ip, struct ipl_holding *self,
				      const struct ipl_event *ev, struct ipl_error *err)
{
	switch (ev->type) {
	case IPL_EVENT_INSTANCES_LAUNCHED:
		return launched_private(self, ev, ip, err);
	case IPL_EVENT_ENI_CREATED:
		return open_private(self, ev, ev->eni_created.addresses.at[0].ip == ip,
				    ev->eni_created.eni, ev->eni_created.vswitch, err);
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
		return open_private(self, ev, false, ev->private_ip_assigned.eni,
				    ev->private_ip_assigned.vswitch, err);
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		if (ip == ev->primary_address_changed.old_ip)
			return close_holding(self, ev, IPL_ROLE_PRIMARY,
					     ev->primary_address_changed.cool_until, err);
		return open_private(self, ev, true, ev->primary_address_changed.eni,
				    ev->primary_address_changed.vswitch, err);
	case IPL_EVENT_PRIVATE_IP_UNASSIGNED:
		return close_holding(self, ev, IPL_ROLE_SECONDARY,
				     ev->private_ip_unassigned.cool_until, err);
	case IPL_EVENT_INSTANCE_RELEASED:
		return close_holding(self, ev, IPL_ROLE_PRIMARY, ev->instance_released.cool_until,
				     err);
	case IPL_EVENT_ENI_DELETED:
		return close_holding(self, ev, IPL_ROLE_PRIMARY, ev->eni_deleted.cool_until, err);
	default:
		return ipl_damage(ev, err, "it does not touch a private address");
	}
}

/* --- IPv6 addresses --- */

static enum ipl_status launched_ip6(struct ipl_key key, struct ipl_holding *self,
				    const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_ev_instance_list *list = &ev->instances_launched.instances;

	for (uint32_t i = 0; i < list->count; i++) {
		for (uint32_t k = 0; k < list->at[i].enis.count; k++) {
			const struct ipl_ev_launched_eni *eni = &list->at[i].enis.at[k];
			for (uint32_t a = 0; a < eni->ipv6.count; a++) {
				if (eni->ipv6.at[a].ip.hi == key.a &&
				    eni->ipv6.at[a].ip.lo == key.b)
					return open_holding(
						self, ev,
						(struct ipl_holding){ .role = IPL_ROLE_IPV6,
								      .eni = eni->eni,
								      .vswitch = eni->vswitch },
						err);
			}
		}
	}
	return ipl_damage(ev, err, "an IPv6 address has no part in it");
}

static enum ipl_status reduce_ip6(struct ipl_key key, struct ipl_holding *self,
				  const struct ipl_event *ev, struct ipl_error *err)
{
	struct ipl_holding opened = { .role = IPL_ROLE_IPV6 };

	switch (ev->type) {
	case IPL_EVENT_INSTANCES_LAUNCHED:
		return launched_ip6(key, self, ev, err);
	case IPL_EVENT_ENI_CREATED:
		opened.eni = ev->eni_created.eni;
		opened.vswitch = ev->eni_created.vswitch;
		return open_holding(self, ev, opened, err);
	case IPL_EVENT_IPV6_ASSIGNED:
		opened.eni = ev->ipv6_assigned.eni;
		opened.vswitch = ev->ipv6_assigned.vswitch;
		return open_holding(self, ev, opened, err);
	case IPL_EVENT_IPV6_UNASSIGNED:
		return close_holding(self, ev, IPL_ROLE_IPV6, ev->ipv6_unassigned.cool_until, err);
	case IPL_EVENT_INSTANCE_RELEASED:
		return close_holding(self, ev, IPL_ROLE_IPV6, ev->instance_released.cool_until,
				     err);
	case IPL_EVENT_ENI_DELETED:
		return close_holding(self, ev, IPL_ROLE_IPV6, ev->eni_deleted.cool_until, err);
	default:
		return ipl_damage(ev, err, "it does not touch an IPv6 address");
	}
}

enum ipl_status ipl_reduce_holding(struct ipl_key key, struct ipl_holding *holding,
				   const struct ipl_event *ev, struct ipl_error *err)
{
	if (key.kind == IPL_KIND_IP6)
		return reduce_ip6(key, holding, ev, err);
	if (key.a == 0)
		return reduce_public((uint32_t)key.b, holding, ev, err);
	return reduce_private((uint32_t)key.b, holding, ev, err);
}

bool ipl_holding_begins(struct ipl_key key, const struct ipl_event *ev)
{
	switch (ev->type) {
	case IPL_EVENT_INSTANCES_LAUNCHED:
	case IPL_EVENT_INSTANCE_STARTED:
	case IPL_EVENT_PUBLIC_IP_ALLOCATED:
	case IPL_EVENT_ENI_CREATED:
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
	case IPL_EVENT_IPV6_ASSIGNED:
	case IPL_EVENT_EIP_ALLOCATED:
		return true;
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		return key.b == ev->primary_address_changed.ip;
	case IPL_EVENT_INSTANCE_BANDWIDTH_CHANGED:
		return key.b == ev->instance_bandwidth_changed.public_ip;
	default:
		return false;
	}
}
