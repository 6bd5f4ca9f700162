/* SPDX-License-Identifier: Apache-2.0 */
/* ModifyInstanceVpcAttribute: a stopped instance gets another primary private address. */
#include "operations/operations_internal.h"

static const struct ipl_address_codes codes = {
	.outside = IPL_CODE_ADDRESS_MISMATCH,
	.reserved = IPL_CODE_ADDRESS_OUTSIDE,
	.taken = IPL_CODE_ADDRESS_TAKEN,
};

static enum ipl_status refuse_instance(struct ipl_decision *d, enum ipl_code code, uint64_t number,
				       const char *why)
{
	ipl_refuse(d->err, code, "the instance %s", why);
	return ipl_refused_entity(d, IPL_KIND_INSTANCE, number);
}

/* The vSwitch must be where the instance is. */
static enum ipl_status check_place(struct ipl_decision *d, const struct ipl_instance *instance,
				   const struct ipl_vswitch *vswitch)
{
	IPL_ARGS(d, change_address);

	if (vswitch->vpc != instance->vpc)
		return ipl_refuse_id(d->err, IPL_CODE_VSWITCH_MISMATCH, args->vswitch,
				     "%.*s is in another VPC than the instance",
				     IPL_STR_ARG(args->vswitch));
	if (!ipl_str_equal(vswitch->base.notes->zone, instance->base.notes->zone))
		return ipl_refuse_id(d->err, IPL_CODE_VSWITCH_MISMATCH, args->vswitch,
				     "%.*s is in zone %.*s, the instance in %.*s",
				     IPL_STR_ARG(args->vswitch),
				     IPL_STR_ARG(vswitch->base.notes->zone),
				     IPL_STR_ARG(instance->base.notes->zone));
	return IPL_OK;
}

static enum ipl_status check_change(struct ipl_decision *d, const struct ipl_instance *instance,
				    uint64_t number, const struct ipl_eni *eni, uint64_t vswitch)
{
	if (instance->state != IPL_RUN_STOPPED)
		return ipl_refuse_state(d, IPL_CODE_INSTANCE_STATUS_VPC, IPL_KIND_INSTANCE, number,
					"Running", "Stopped");
	if (instance->address_changed)
		return refuse_instance(d, IPL_CODE_ADDRESS_CHANGING, number,
				       "had its address changed since it was stopped: start it "
				       "once between two changes");
	if (eni->address_count > 1)
		return refuse_instance(d, IPL_CODE_PRIMARY_HAS_SUB_IP, number,
				       "has secondary private addresses on its primary network "
				       "interface: unassign them first");
	if (eni->vswitch != vswitch && eni->ipv6.count > 0)
		return refuse_instance(d, IPL_CODE_IPV6_ASSIGNED, number,
				       "has IPv6 addresses of its vSwitch: unassign them first");
	return IPL_OK;
}

enum ipl_status ipl_decide_change_address(struct ipl_decision *d)
{
	IPL_ARGS(d, change_address);
	uint64_t number, vswitch_number;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_INSTANCE_NOT_FOUND, &number);
	const struct ipl_vswitch *vswitch;
	const struct ipl_eni *eni;
	struct ipl_ev_address address;
	enum ipl_status st;

	if (instance == NULL)
		return IPL_REFUSED;
	vswitch = ipl_named_vswitch(d, args->vswitch, &vswitch_number);
	if (vswitch == NULL)
		return IPL_REFUSED;
	eni = ipl_state_eni(d->state, instance->enis.at[0]);
	st = ipl_check_ip4_text(d, "PrivateIpAddress", args->private_ip);
	if (st == IPL_OK)
		st = check_change(d, instance, number, eni, vswitch_number);
	if (st == IPL_OK)
		st = check_place(d, instance, vswitch);
	if (st == IPL_OK && args->private_ip.len > 0)
		st = ipl_take_named(d, vswitch_number, args->private_ip, &codes, &address);
	else if (st == IPL_OK)
		st = ipl_pick_private(d, vswitch_number, 1, &address);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_PRIMARY_ADDRESS_CHANGED);
	d->ev->primary_address_changed = (struct ipl_ev_primary_address_changed){
		.instance = number,
		.eni = instance->enis.at[0],
		.vpc = instance->vpc,
		.old_vswitch = eni->vswitch,
		.vswitch = vswitch_number,
		.old_ip = eni->address[0].ip,
		.ip = address.ip,
		.picked = address.picked,
		.eip = eni->address[0].eip,
		.cool_until = ipl_cool_until(d),
	};
	return IPL_OK;
}
