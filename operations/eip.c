/* SPDX-License-Identifier: Apache-2.0 */
/* Elastic IPs: allocated, paired with a private address, released. */
#include "operations/operations_internal.h"

#include <inttypes.h>

#define BANDWIDTH_BY_TRAFFIC_MAX 200

/* --- allocate and release --- */

/* An address of the pools that was asked for by name. */
static enum ipl_status check_named_public(struct ipl_decision *d, uint32_t ip)
{
	IPL_ARGS(d, allocate_eip);
	struct ipl_holding holding;
	bool offered = false;

	for (uint32_t i = 0; i < ipl_state_pool_count(d->state); i++) {
		struct ipl_cidr4 cidr = ipl_state_pool(d->state, i)->cidr;
		offered = offered ||
			  (ipl_cidr4_contains(cidr, ip) && ip - cidr.base >= IPL_POOL_RESERVED &&
			   ipl_cidr4_last(cidr) - ip >= IPL_POOL_RESERVED);
	}
	if (!offered)
		return ipl_refuse_parameter(d->err, IPL_CODE_EIP_IP_UNFAMILIAR, "IpAddress",
					    "%.*s is not among the addresses that the public pools "
					    "hand out",
					    IPL_STR_ARG(args->ip));
	holding = ipl_state_holding(d->state, ipl_key_ip4(0, ip));
	if (holding.role == IPL_ROLE_NONE)
		return IPL_OK;
	ipl_refuse_held(d, IPL_CODE_EIP_IP_ALLOCATED, ipl_show_ip4(d->arena, ip), &holding);
	ipl_error_add(d->err, "Parameter", ipl_text_of("IpAddress"));
	return IPL_REFUSED;
}

static enum ipl_status check_allocate(struct ipl_decision *d, uint32_t *ip)
{
	IPL_ARGS(d, allocate_eip);

	if (args->ip.len > 0 && !ipl_ip4_parse(args->ip, ip))
		return ipl_refuse_parameter(d->err, IPL_CODE_INVALID_PARAMETER, "IpAddress",
					    "IpAddress \"%.*s\" is no IPv4 address",
					    IPL_STR_ARG(args->ip));
	if (!ipl_str_is(args->instance_charge, "PostPaid") ||
	    !ipl_str_is(args->charge_type, "PostPaid"))
		return ipl_refuse_parameter(d->err, IPL_CODE_UNSUPPORTED_PARAMETER,
					    "InstanceChargeType",
					    "only the charge type PostPaid is offered");
	if (ipl_charge_of(args->charge) == IPL_CHARGE_BY_TRAFFIC &&
	    args->bandwidth > BANDWIDTH_BY_TRAFFIC_MAX)
		return ipl_refuse_parameter(d->err, IPL_CODE_INVALID_PARAMETER, "Bandwidth",
					    "Bandwidth is %" PRId64
					    ": PayByTraffic takes 1 to %d Mbit/s",
					    args->bandwidth, BANDWIDTH_BY_TRAFFIC_MAX);
	return ipl_check_quota(d, IPL_CODE_QUOTA_EIP, "Eips",
			       ipl_state_count(d->state, IPL_KIND_EIP), 1);
}

enum ipl_status ipl_decide_allocate_eip(struct ipl_decision *d)
{
	IPL_ARGS(d, allocate_eip);
	bool named = args->ip.len > 0;
	uint32_t ip = 0;
	enum ipl_status st = check_allocate(d, &ip);

	if (st == IPL_OK)
		st = named ? check_named_public(d, ip) :
			     ipl_pick_public(d, IPL_CODE_EIP_POOL_EMPTY, &ip);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_EIP_ALLOCATED);
	d->ev->eip_allocated = (struct ipl_ev_eip_allocated){
		.eip = ipl_next_number(d, IPL_KIND_EIP),
		.ip = ip,
		.picked = !named,
		.bandwidth = (uint64_t)args->bandwidth,
		.charge = ipl_charge_of(args->charge),
		.isp = args->isp,
		.name = args->name,
		.description = args->description,
		.tags = ipl_tags(d, &args->tags),
	};
	return IPL_OK;
}

enum ipl_status ipl_decide_modify_eip(struct ipl_decision *d)
{
	IPL_ARGS(d, modify_eip);
	uint64_t number;
	const struct ipl_eip *eip = ipl_named_eip(d, args->eip, &number);

	if (eip == NULL)
		return IPL_REFUSED;
	if (args->bandwidth > BANDWIDTH_BY_TRAFFIC_MAX && eip->charge == IPL_CHARGE_BY_TRAFFIC)
		return ipl_refuse_parameter(d->err, IPL_CODE_INVALID_PARAMETER, "Bandwidth",
					    "Bandwidth is %" PRId64
					    ": PayByTraffic takes 1 to %d Mbit/s",
					    args->bandwidth, BANDWIDTH_BY_TRAFFIC_MAX);
	ipl_decided(d, IPL_EVENT_EIP_MODIFIED);
	d->ev->eip_modified = (struct ipl_ev_eip_modified){
		.eip = number,
		.bandwidth =
			args->bandwidth == IPL_ABSENT ? eip->bandwidth : (uint64_t)args->bandwidth,
		.name = args->name.at == NULL ? eip->base.notes->name : args->name,
		.description = args->description.at == NULL ? eip->base.notes->description :
							      args->description,
	};
	return IPL_OK;
}

enum ipl_status ipl_decide_release_eip(struct ipl_decision *d)
{
	IPL_ARGS(d, release_eip);
	uint64_t number;
	const struct ipl_eip *eip = ipl_named_eip(d, args->eip, &number);

	if (eip == NULL)
		return IPL_REFUSED;
	if (eip->eni != 0)
		return ipl_refuse_state(d, IPL_CODE_EIP_STATUS, IPL_KIND_EIP, number, "InUse",
					"Available");
	ipl_decided(d, IPL_EVENT_EIP_RELEASED);
	d->ev->eip_released = (struct ipl_ev_eip_released){
		.eip = number,
		.ip = eip->ip,
		.cool_until = ipl_cool_until(d),
	};
	return IPL_OK;
}

/* --- associate --- */

/* Where an EIP is to go. */
struct target {
	uint64_t eni_number;
	const struct ipl_eni *eni;
	const struct ipl_instance *instance; /* of the interface; NULL: none */
	const struct ipl_eni_address *address;
};

static enum ipl_status find_target(struct ipl_decision *d, struct target *to)
{
	IPL_ARGS(d, associate_eip);
	uint64_t number;

	if (ipl_str_is(args->type, "EcsInstance")) {
		to->instance = ipl_named_instance(d, args->target,
						  IPL_CODE_EIP_TARGET_INSTANCE_NOT_FOUND, &number);
		if (to->instance == NULL)
			return IPL_REFUSED;
		to->eni_number = to->instance->enis.at[0];
		to->eni = ipl_state_eni(d->state, to->eni_number);
		return IPL_OK;
	}
	to->eni =
		ipl_named_eni(d, args->target, IPL_CODE_EIP_TARGET_ENI_NOT_FOUND, &to->eni_number);
	if (to->eni == NULL)
		return IPL_REFUSED;
	if (to->eni->instance != 0)
		to->instance = ipl_state_instance(d->state, to->eni->instance);
	return IPL_OK;
}

static enum ipl_status check_mode(struct ipl_decision *d, enum ipl_mode *mode)
{
	IPL_ARGS(d, associate_eip);

	*mode = ipl_str_is(args->mode, "BINDED") ? IPL_MODE_BINDED : IPL_MODE_NAT;
	if (ipl_str_is(args->mode, "NAT"))
		return IPL_OK;
	if (ipl_str_is(args->mode, "MULTI_BINDED") ||
	    (*mode == IPL_MODE_BINDED && ipl_str_is(args->type, "EcsInstance")))
		return ipl_refuse_parameter(d->err, IPL_CODE_EIP_MODE_UNSUPPORTED, "Mode",
					    "Mode %.*s is not offered for %.*s: use NAT",
					    IPL_STR_ARG(args->mode), IPL_STR_ARG(args->type));
	if (*mode != IPL_MODE_BINDED)
		return ipl_refuse_parameter(d->err, IPL_CODE_EIP_MODE_UNKNOWN, "Mode",
					    "Mode is \"%.*s\": it must be NAT or BINDED",
					    IPL_STR_ARG(args->mode));
	return IPL_OK;
}

static enum ipl_status find_address(struct ipl_decision *d, struct target *to)
{
	IPL_ARGS(d, associate_eip);
	uint32_t ip, count = to->eni->address_count;

	to->address = to->eni->address;
	if (args->private_ip.len == 0)
		return IPL_OK;
	if (ipl_str_is(args->type, "EcsInstance"))
		count = 1; /* an instance's EIP is on its primary private address */
	for (uint32_t i = 0; ipl_ip4_parse(args->private_ip, &ip) && i < count; i++) {
		to->address = &to->eni->address[i];
		if (to->address->ip == ip)
			return IPL_OK;
	}
	ipl_refuse_parameter(d->err, IPL_CODE_IP_UNASSIGNED, "PrivateIpAddress",
			     "%.*s is not a private address of %.*s", IPL_STR_ARG(args->private_ip),
			     IPL_STR_ARG(args->target));
	return ipl_refused_entity(d, IPL_KIND_ENI, to->eni_number);
}

static bool is_instance_address(const struct target *to)
{
	return to->eni->is_primary && to->address == to->eni->address;
}

/* The primary private address of an instance: its own public address and bandwidth exclude an EIP.
 */
static enum ipl_status check_instance(struct ipl_decision *d, const struct target *to)
{
	const struct ipl_instance *instance = to->instance;
	enum ipl_code code = IPL_CODE_NONE;
	const char *why = "";

	if (instance->public_ip != 0) {
		code = IPL_CODE_EIP_PUBLIC_IP_PRESENT;
		why = "has a fixed public IP: convert it, or set its bandwidth to 0";
	} else if (instance->bandwidth_out > 0) {
		code = IPL_CODE_EIP_BANDWIDTH_PRESENT;
		why = "has public bandwidth of its own: set InternetMaxBandwidthOut to 0 first";
	} else if (instance->eip != 0) {
		code = IPL_CODE_EIP_DUPLICATED;
		why = "has an EIP already: unassociate it first";
	}
	if (code == IPL_CODE_NONE)
		return IPL_OK;
	ipl_refuse(d->err, code, "the instance %s", why);
	return ipl_refused_entity(d, IPL_KIND_INSTANCE, to->eni->instance);
}

static enum ipl_status refuse_on_eni(struct ipl_decision *d, const struct target *to,
				     enum ipl_code code, const char *why)
{
	ipl_refuse(d->err, code, "the network interface %s", why);
	return ipl_refused_entity(d, IPL_KIND_ENI, to->eni_number);
}

static enum ipl_status check_binded(struct ipl_decision *d, const struct target *to)
{
	if (to->eni->instance != 0)
		return refuse_on_eni(d, to, IPL_CODE_EIP_ENI_ATTACHED,
				     "is attached: detach it before an EIP is made visible on it");
	if (to->eni->address_count > 1)
		return refuse_on_eni(d, to, IPL_CODE_EIP_ENI_HAS_SUB_IP,
				     "has secondary private addresses: BINDED wants none");
	if (to->address->eip != 0 && to->address->mode != IPL_MODE_BINDED)
		return refuse_on_eni(d, to, IPL_CODE_EIP_MODE_CONFLICT,
				     "has an EIP in another mode");
	return IPL_OK;
}

static enum ipl_status check_target(struct ipl_decision *d, const struct target *to,
				    enum ipl_mode mode)
{
	enum ipl_status st = IPL_OK;

	if (mode == IPL_MODE_BINDED)
		st = check_binded(d, to);
	else if (to->eni->address[0].eip != 0 && to->eni->address[0].mode == IPL_MODE_BINDED)
		st = refuse_on_eni(d, to, IPL_CODE_EIP_MODE_CONFLICT,
				   "has an EIP in BINDED mode, which excludes others");
	if (st == IPL_OK && is_instance_address(to))
		st = check_instance(d, to);
	if (st != IPL_OK || to->address->eip == 0)
		return st;
	ipl_refuse(d->err, IPL_CODE_EIP_ADDRESS_ASSOCIATED,
		   IPL_IP4_FMT " has an EIP already: unassociate it first",
		   IPL_IP4_ARG(to->address->ip));
	return ipl_refused_entity(d, IPL_KIND_EIP, to->address->eip);
}

enum ipl_status ipl_decide_associate_eip(struct ipl_decision *d)
{
	IPL_ARGS(d, associate_eip);
	struct target to = { .eni_number = 0 };
	enum ipl_mode mode;
	uint64_t number;
	const struct ipl_eip *eip = ipl_named_eip(d, args->eip, &number);
	enum ipl_status st;

	if (eip == NULL)
		return IPL_REFUSED;
	st = find_target(d, &to);
	if (st == IPL_OK)
		st = check_mode(d, &mode);
	if (st != IPL_OK)
		return st;
	if (eip->eni != 0)
		return ipl_refuse_state(d, IPL_CODE_EIP_STATUS, IPL_KIND_EIP, number, "InUse",
					"Available");
	st = find_address(d, &to);
	if (st == IPL_OK)
		st = check_target(d, &to, mode);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_EIP_ASSOCIATED);
	d->ev->eip_associated = (struct ipl_ev_eip_associated){
		.eip = number,
		.ip = eip->ip,
		.eni = to.eni_number,
		.instance = is_instance_address(&to) ? to.eni->instance : 0,
		.vpc = to.eni->vpc,
		.private_ip = to.address->ip,
		.mode = mode,
	};
	return IPL_OK;
}

/* --- unassociate --- */

/* What is named may be an instance or a network interface, and must exist. */
static enum ipl_status find_bound(struct ipl_decision *d, enum ipl_kind *kind, uint64_t *number)
{
	IPL_ARGS(d, unassociate_eip);

	*kind = IPL_KIND_NONE;
	if (args->target.len == 0 ||
	    (ipl_id_parse(ipl_state_letters(d->state), args->target, kind, number) &&
	     (*kind == IPL_KIND_INSTANCE || *kind == IPL_KIND_ENI) &&
	     ipl_state_find(d->state, *kind, *number) != NULL))
		return IPL_OK;
	d->is_unknown = true;
	return ipl_refuse_id(d->err, IPL_CODE_INSTANCE_NOT_FOUND_UNASSOCIATE, args->target,
			     "%.*s does not exist", IPL_STR_ARG(args->target));
}

/* If a target is named it must be the bound one. */
static enum ipl_status check_bound(struct ipl_decision *d, const struct ipl_eip *eip,
				   enum ipl_kind kind, uint64_t number)
{
	IPL_ARGS(d, unassociate_eip);
	uint32_t ip;

	if (kind != IPL_KIND_NONE && number != (kind == IPL_KIND_ENI ? eip->eni : eip->instance))
		return ipl_refuse_id(d->err, IPL_CODE_EIP_BIND_INSTANCE_NOT_FOUND, args->target,
				     "%.*s is not bound to %.*s", IPL_STR_ARG(args->eip),
				     IPL_STR_ARG(args->target));
	if (args->private_ip.len > 0 &&
	    (!ipl_ip4_parse(args->private_ip, &ip) || ip != eip->private_ip))
		return ipl_refuse_parameter(d->err, IPL_CODE_IP_UNASSIGNED, "PrivateIpAddress",
					    "%.*s is not paired with %.*s", IPL_STR_ARG(args->eip),
					    IPL_STR_ARG(args->private_ip));
	return IPL_OK;
}

enum ipl_status ipl_decide_unassociate_eip(struct ipl_decision *d)
{
	IPL_ARGS(d, unassociate_eip);
	uint64_t number, target = 0;
	const struct ipl_eip *eip = ipl_named_eip(d, args->eip, &number);
	enum ipl_kind kind;
	const struct ipl_eni *eni;
	enum ipl_status st;

	if (eip == NULL || find_bound(d, &kind, &target) != IPL_OK)
		return IPL_REFUSED;
	if (eip->eni == 0)
		return ipl_refuse_state(d, IPL_CODE_EIP_STATUS, IPL_KIND_EIP, number, "Available",
					"InUse");
	st = check_bound(d, eip, kind, target);
	if (st != IPL_OK)
		return st;
	eni = ipl_state_eni(d->state, eip->eni);
	if (eip->mode == IPL_MODE_BINDED && eni->instance != 0) {
		ipl_refuse(
			d->err, IPL_CODE_EIP_ENI_ATTACHED,
			"the EIP is visible on an attached network interface: detach that first");
		return ipl_refused_entity(d, IPL_KIND_ENI, eip->eni);
	}
	ipl_decided(d, IPL_EVENT_EIP_UNASSOCIATED);
	d->ev->eip_unassociated = (struct ipl_ev_eip_unassociated){
		.eip = number,
		.ip = eip->ip,
		.eni = eip->eni,
		.instance = eip->instance,
		.vpc = eip->vpc,
		.private_ip = eip->private_ip,
	};
	return IPL_OK;
}
