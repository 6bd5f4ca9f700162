/* SPDX-License-Identifier: Apache-2.0 */
/* Network interfaces and their private addresses. */
#include "operations/operations_internal.h"

#include <inttypes.h>

static const struct ipl_address_codes create_codes = {
	.outside = IPL_CODE_IP_INVALID,
	.reserved = IPL_CODE_IP_INVALID,
	.taken = IPL_CODE_ADDRESS_TAKEN,
};
static const struct ipl_address_codes create_ipv6_codes = {
	.outside = IPL_CODE_IP_INVALID,
	.reserved = IPL_CODE_IP_INVALID,
	.taken = IPL_CODE_ADDRESS_TAKEN,
};
static const struct ipl_address_codes assign_codes = {
	.outside = IPL_CODE_IP_INVALID,
	.reserved = IPL_CODE_IP_INVALID,
	.taken = IPL_CODE_IP_ASSIGNED,
};

static enum ipl_status refuse_both(struct ipl_decision *d)
{
	return ipl_refuse_parameter(d->err, IPL_CODE_PARAMETER_CONFLICT, "PrivateIpAddress",
				    "PrivateIpAddress and SecondaryPrivateIpAddressCount exclude "
				    "each other: give one");
}

/* All names first, then what is picked: @names, then @count more, into @out. */
static enum ipl_status take(struct ipl_decision *d, uint64_t vswitch, const struct ipl_strs *names,
			    uint32_t count, const struct ipl_address_codes *codes,
			    struct ipl_ev_address *out)
{
	for (uint32_t i = 0; i < names->count; i++) {
		enum ipl_status st = ipl_take_named(d, vswitch, names->at[i], codes, &out[i]);
		if (st != IPL_OK)
			return st;
	}
	return ipl_pick_private(d, vswitch, count, out + names->count);
}

/* --- create --- */

static enum ipl_status create_addresses(struct ipl_decision *d, uint64_t vswitch,
					struct ipl_ev_address_list *out)
{
	IPL_ARGS(d, create_eni);
	uint32_t picked = args->count == IPL_ABSENT ? 0 : (uint32_t)args->count;
	bool named = args->primary_ip.len > 0;
	enum ipl_status st = IPL_OK;

	out->count = 1 + args->addresses.count + picked;
	out->at = ipl_arena_array(d->arena, out->count, sizeof(*out->at));
	if (out->at == NULL)
		return ipl_error_set(d->err, IPL_ERR_NOMEM, "out of memory for addresses");
	if (named)
		st = ipl_take_named(d, vswitch, args->primary_ip, &create_codes, &out->at[0]);
	if (st == IPL_OK)
		st = take(d, vswitch, &args->addresses, 0, &create_codes, out->at + 1);
	if (st == IPL_OK)
		st = ipl_check_room(d, vswitch, (uint64_t)picked + !named);
	if (st == IPL_OK && !named)
		st = ipl_pick_private(d, vswitch, 1, out->at);
	if (st == IPL_OK)
		st = ipl_pick_private(d, vswitch, picked, out->at + 1 + args->addresses.count);
	return st;
}

enum ipl_status ipl_decide_create_eni(struct ipl_decision *d)
{
	IPL_ARGS(d, create_eni);
	struct ipl_ev_address_list addresses = { 0 };
	struct ipl_ev_ipv6_list ipv6 = { 0 };
	uint64_t number;
	const struct ipl_vswitch *vswitch = ipl_named_vswitch(d, args->vswitch, &number);
	enum ipl_status st;

	if (vswitch == NULL)
		return IPL_REFUSED;
	if (args->addresses.count > 0 && args->count != IPL_ABSENT)
		return refuse_both(d);
	st = ipl_check_ip4_text(d, "PrimaryIpAddress", args->primary_ip);
	if (st == IPL_OK)
		st = ipl_check_ip4_texts(d, "PrivateIpAddress", &args->addresses);
	if (st == IPL_OK)
		st = ipl_check_ipv6_names(d, &args->ipv6, args->ipv6_count);
	if (st == IPL_OK && (args->ipv6.count > 0 || args->ipv6_count != IPL_ABSENT))
		st = ipl_check_ipv6_on(d, number);
	if (st == IPL_OK)
		st = ipl_check_quota(d, IPL_CODE_QUOTA_ENI, "NetworkInterfaces",
				     ipl_state_count(d->state, IPL_KIND_ENI), 1);
	if (st == IPL_OK)
		st = ipl_check_vpc_addresses(
			d, vswitch->vpc,
			1 + args->addresses.count +
				(args->count == IPL_ABSENT ? 0 : (uint64_t)args->count));
	if (st == IPL_OK)
		st = create_addresses(d, number, &addresses);
	if (st == IPL_OK)
		st = ipl_take_ipv6(d, number, &args->ipv6,
				   args->ipv6_count == IPL_ABSENT ? 0 : (uint32_t)args->ipv6_count,
				   &create_ipv6_codes, &(struct ipl_ipv6_cursor){ 0 }, &ipv6);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_ENI_CREATED);
	d->ev->eni_created = (struct ipl_ev_eni_created){
		.eni = ipl_next_number(d, IPL_KIND_ENI),
		.vpc = vswitch->vpc,
		.vswitch = number,
		.zone = vswitch->base.notes->zone,
		.delete_on_release = args->delete_on_release != 0,
		.name = args->name,
		.description = args->description,
		.security_groups = ipl_labels(d, args->security_group, &args->security_groups),
		.tags = ipl_tags(d, &args->tags),
		.addresses = addresses,
		.ipv6 = ipv6,
	};
	return IPL_OK;
}

/* --- attach, detach, delete --- */

static enum ipl_status check_small(struct ipl_decision *d, const struct ipl_instance *instance,
				   uint64_t number, const struct ipl_type_limits *limits)
{
	if (!limits->is_small || instance->state == IPL_RUN_STOPPED)
		return IPL_OK;
	return ipl_refuse_state(d, IPL_CODE_ENI_HOT_PLUG, IPL_KIND_INSTANCE, number, "Running",
				"Stopped");
}

static enum ipl_status check_fits(struct ipl_decision *d, const struct ipl_eni *eni,
				  const struct ipl_instance *instance, uint64_t number,
				  const struct ipl_type_limits *limits)
{
	if (instance->enis.count >= limits->eni_max) {
		ipl_refuse(d->err, IPL_CODE_ENI_LIMIT,
			   "the instance has %u network interfaces, its type %.*s takes %u",
			   instance->enis.count, IPL_STR_ARG(instance->base.notes->type),
			   limits->eni_max);
		ipl_refused_limit(d, "EniQuantity", limits->eni_max, instance->enis.count, 1);
		return ipl_refused_entity(d, IPL_KIND_INSTANCE, number);
	}
	if (eni->address_count > limits->ip4_max) {
		ipl_refuse(d->err, IPL_CODE_ENI_IP4_LIMIT,
			   "the network interface has %u private addresses, instance type %.*s "
			   "takes %u",
			   eni->address_count, IPL_STR_ARG(instance->base.notes->type),
			   limits->ip4_max);
		ipl_refused_limit(d, "EniPrivateIpAddressQuantity", limits->ip4_max,
				  eni->address_count, 0);
		return ipl_refused_entity(d, IPL_KIND_INSTANCE, number);
	}
	if (eni->ipv6.count > limits->ip6_max) {
		ipl_refuse_ipv6_limit(d, instance->base.notes->type, limits->ip6_max,
				      eni->ipv6.count, 0);
		return ipl_refused_entity(d, IPL_KIND_INSTANCE, number);
	}
	return IPL_OK;
}

static enum ipl_status check_place(struct ipl_decision *d, const struct ipl_eni *eni,
				   uint64_t eni_number, const struct ipl_instance *instance)
{
	if (eni->vpc != instance->vpc) {
		ipl_refuse(d->err, IPL_CODE_ENI_VPC_MISMATCH,
			   "the network interface is in another VPC than the instance");
		return ipl_refused_entity(d, IPL_KIND_ENI, eni_number);
	}
	if (!ipl_str_equal(eni->base.notes->zone, instance->base.notes->zone)) {
		ipl_refuse(d->err, IPL_CODE_ENI_ZONE_MISMATCH,
			   "the network interface is in zone %.*s, the instance in %.*s",
			   IPL_STR_ARG(eni->base.notes->zone),
			   IPL_STR_ARG(instance->base.notes->zone));
		return ipl_refused_entity(d, IPL_KIND_ENI, eni_number);
	}
	return IPL_OK;
}

static enum ipl_status refuse_type(struct ipl_decision *d, uint64_t number, const char *what)
{
	ipl_refuse(d->err, IPL_CODE_ENI_TYPE,
		   "it is the primary network interface of its instance: it cannot be %s", what);
	return ipl_refused_entity(d, IPL_KIND_ENI, number);
}

enum ipl_status ipl_decide_attach_eni(struct ipl_decision *d)
{
	IPL_ARGS(d, attach_eni);
	struct ipl_type_limits limits = { 0 };
	uint64_t number, of;
	const struct ipl_eni *eni;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_ECS_NOT_FOUND, &of);
	enum ipl_status st;

	if (instance == NULL)
		return IPL_REFUSED;
	eni = ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &number);
	if (eni == NULL)
		return IPL_REFUSED;
	if (eni->is_primary)
		return refuse_type(d, number, "attached");
	if (eni->instance != 0)
		return ipl_refuse_state(d, IPL_CODE_ENI_STATE, IPL_KIND_ENI, number, "InUse",
					"Available");
	limits = ipl_instance_limits(d, instance);
	st = check_place(d, eni, number, instance);
	if (st == IPL_OK)
		st = check_small(d, instance, of, &limits);
	if (st == IPL_OK)
		st = check_fits(d, eni, instance, of, &limits);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_ENI_ATTACHED);
	d->ev->eni_attached = (struct ipl_ev_eni_attached){ number, of };
	return IPL_OK;
}

enum ipl_status ipl_decide_detach_eni(struct ipl_decision *d)
{
	IPL_ARGS(d, attach_eni);
	struct ipl_type_limits limits = { 0 };
	uint64_t number, of;
	const struct ipl_eni *eni;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_ECS_NOT_FOUND, &of);
	enum ipl_status st;

	if (instance == NULL)
		return IPL_REFUSED;
	eni = ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &number);
	if (eni == NULL)
		return IPL_REFUSED;
	if (eni->is_primary) {
		ipl_refuse(d->err, IPL_CODE_ENI_PRIMARY_DETACH,
			   "%.*s is the primary network interface of its instance: it cannot be "
			   "detached",
			   IPL_STR_ARG(args->eni));
		return ipl_refused_entity(d, IPL_KIND_ENI, number);
	}
	if (eni->instance == 0)
		return ipl_refuse_state(d, IPL_CODE_ENI_STATE, IPL_KIND_ENI, number, "Available",
					"InUse");
	if (eni->instance != of) {
		ipl_refuse(d->err, IPL_CODE_ENI_NOT_OF_INSTANCE, "%.*s is not attached to %.*s",
			   IPL_STR_ARG(args->eni), IPL_STR_ARG(args->instance));
		return ipl_refused_entity(d, IPL_KIND_ENI, number);
	}
	limits = ipl_instance_limits(d, instance);
	st = check_small(d, instance, of, &limits);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_ENI_DETACHED);
	d->ev->eni_detached = (struct ipl_ev_eni_detached){ number, of };
	return IPL_OK;
}

enum ipl_status ipl_decide_delete_eni(struct ipl_decision *d)
{
	IPL_ARGS(d, delete_eni);
	uint64_t number;
	const struct ipl_eni *eni = ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &number);

	if (eni == NULL)
		return IPL_REFUSED;
	if (eni->is_primary)
		return refuse_type(d, number, "deleted alone");
	if (eni->instance != 0)
		return ipl_refuse_state(d, IPL_CODE_ENI_STATE, IPL_KIND_ENI, number, "InUse",
					"Available");
	ipl_decided(d, IPL_EVENT_ENI_DELETED);
	d->ev->eni_deleted.vpc = eni->vpc;
	d->ev->eni_deleted.cool_until = ipl_cool_until(d);
	ipl_free_eni(d, number, &d->ev->eni_deleted.eni);
	return IPL_OK;
}

enum ipl_status ipl_decide_modify_eni(struct ipl_decision *d)
{
	IPL_ARGS(d, modify_eni);
	uint64_t number;
	const struct ipl_eni *eni = ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &number);
	const struct ipl_notes *notes;

	if (eni == NULL)
		return IPL_REFUSED;
	if (eni->is_primary && args->delete_on_release == 0)
		return ipl_refuse_parameter(d->err, IPL_CODE_INVALID_PARAMETER, "DeleteOnRelease",
					    "%.*s is a primary network interface: it goes with its "
					    "instance",
					    IPL_STR_ARG(args->eni));
	notes = eni->base.notes;
	ipl_decided(d, IPL_EVENT_ENI_MODIFIED);
	d->ev->eni_modified = (struct ipl_ev_eni_modified){
		.eni = number,
		.name = args->name.at == NULL ? notes->name : args->name,
		.description =
			args->description.at == NULL ? notes->description : args->description,
		.delete_on_release = args->delete_on_release == IPL_ABSENT ?
					     eni->delete_on_release :
					     args->delete_on_release == 1,
	};
	return IPL_OK;
}

/* --- secondary private addresses --- */

/* An attached interface takes what the instance type says, an available one 49 secondary ones. */
static enum ipl_status check_count(struct ipl_decision *d, const struct ipl_eni *eni,
				   uint64_t number, uint32_t more)
{
	uint32_t limit = IPL_FREE_ENI_SECONDARY_MAX + 1;
	enum ipl_code code = IPL_CODE_ENI_IP4_LIMIT_FREE;

	if (eni->instance != 0) {
		limit = ipl_instance_limits(d, ipl_state_instance(d->state, eni->instance)).ip4_max;
		code = IPL_CODE_ENI_IP4_LIMIT;
	}
	if (eni->address_count + more <= limit)
		return IPL_OK;
	ipl_refuse(d->err, code,
		   "the network interface has %u private addresses and takes %u: %u more are too "
		   "many",
		   eni->address_count, limit, more);
	ipl_refused_entity(d, IPL_KIND_ENI, number);
	return ipl_refused_limit(d,
				 eni->instance != 0 ? "EniPrivateIpAddressQuantity" :
						      "addresses of an available network interface",
				 limit, eni->address_count, more);
}

static enum ipl_status check_no_binded(struct ipl_decision *d, const struct ipl_eni *eni,
				       uint64_t number)
{
	if (eni->address[0].eip == 0 || eni->address[0].mode != IPL_MODE_BINDED)
		return IPL_OK;
	ipl_refuse(d->err, IPL_CODE_EIP_ENI_HAS_SUB_IP,
		   "the network interface carries an EIP in BINDED mode: it takes no secondary "
		   "address");
	return ipl_refused_entity(d, IPL_KIND_ENI, number);
}

enum ipl_status ipl_decide_assign_private_ips(struct ipl_decision *d)
{
	IPL_ARGS(d, assign_private_ips);
	uint32_t picked = args->count == IPL_ABSENT ? 0 : (uint32_t)args->count;
	uint32_t total = args->addresses.count + picked;
	struct ipl_ev_address_list list = { .count = total };
	uint64_t number;
	const struct ipl_eni *eni;
	enum ipl_status st;

	eni = ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &number);
	if (eni == NULL)
		return IPL_REFUSED;
	if (args->addresses.count > 0 && picked > 0)
		return refuse_both(d);
	st = ipl_check_ip4_texts(d, "PrivateIpAddress", &args->addresses);
	if (st == IPL_OK)
		st = check_no_binded(d, eni, number);
	if (st == IPL_OK)
		st = check_count(d, eni, number, total);
	if (st == IPL_OK)
		st = ipl_check_vpc_addresses(d, eni->vpc, total);
	if (st != IPL_OK)
		return st;
	list.at = ipl_arena_array(d->arena, total, sizeof(*list.at));
	if (list.at == NULL)
		return ipl_error_set(d->err, IPL_ERR_NOMEM, "out of memory for addresses");
	st = take(d, eni->vswitch, &args->addresses, picked, &assign_codes, list.at);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_PRIVATE_IP_ASSIGNED);
	d->ev->private_ip_assigned = (struct ipl_ev_private_ip_assigned){
		.eni = number,
		.vpc = eni->vpc,
		.vswitch = eni->vswitch,
		.addresses = list,
	};
	return IPL_OK;
}

enum ipl_status ipl_refuse_unassign(struct ipl_decision *d, enum ipl_code code, uint64_t eni,
				    struct ipl_str ip, const char *why)
{
	ipl_refuse(d->err, code, "%.*s %s", IPL_STR_ARG(ip), why);
	ipl_refused_entity(d, IPL_KIND_ENI, eni);
	ipl_error_add(d->err, "Address", ipl_text(ipl_arena_str(d->arena, ip)));
	return IPL_REFUSED;
}

/* One address that may be taken from @eni: on it, not its primary one, paired with nothing. */
static enum ipl_status check_unassign(struct ipl_decision *d, const struct ipl_eni *eni,
				      uint64_t number, struct ipl_str text, uint32_t *ip)
{
	const struct ipl_lens lens = { .letters = ipl_state_letters(d->state) };

	if (!ipl_ip4_parse(text, ip))
		return ipl_refuse_unassign(d, IPL_CODE_ADDRESS_MALFORMED_UNASSIGN, number, text,
					   "is no IPv4 address such as 10.0.0.5");
	if (eni->address[0].ip == *ip)
		return ipl_refuse_unassign(d, IPL_CODE_PRIMARY_PRIVATE_IP, number, text,
					   "is the primary private address: it goes only with its "
					   "network interface");
	for (uint32_t i = 1; i < eni->address_count; i++) {
		if (eni->address[i].ip != *ip)
			continue;
		if (eni->address[i].eip == 0)
			return IPL_OK;
		ipl_refuse(d->err, IPL_CODE_DEPENDENCY_EIP,
			   "%.*s is paired with an EIP: unassociate it first", IPL_STR_ARG(text));
		ipl_refused_entity(d, IPL_KIND_EIP, eni->address[i].eip);
		ipl_error_add(d->err, "Address", ipl_text(ipl_arena_str(d->arena, text)));
		ipl_error_add(d->err, "AllocationId",
			      ipl_show_id(d->arena, &lens, IPL_KIND_EIP, eni->address[i].eip));
		return IPL_REFUSED;
	}
	return ipl_refuse_unassign(d, IPL_CODE_IP_UNASSIGNED, number, text,
				   "is not an address of this network interface");
}

enum ipl_status ipl_decide_unassign_private_ips(struct ipl_decision *d)
{
	IPL_ARGS(d, unassign_private_ips);
	struct ipl_ev_freed_ip_list list = { 0 };
	uint64_t number;
	const struct ipl_eni *eni = ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &number);

	if (eni == NULL)
		return IPL_REFUSED;
	list.at = ipl_arena_array(d->arena, args->addresses.count, sizeof(*list.at));
	if (list.at == NULL)
		return ipl_error_set(d->err, IPL_ERR_NOMEM, "out of memory for addresses");
	for (uint32_t i = 0; i < args->addresses.count; i++) {
		uint32_t ip = 0;
		enum ipl_status st = check_unassign(d, eni, number, args->addresses.at[i], &ip);
		if (st != IPL_OK)
			return st;
		for (uint32_t k = 0; k < list.count; k++) {
			if (list.at[k].ip == ip)
				return ipl_refuse_unassign(d, IPL_CODE_IP_REPEATED, number,
							   args->addresses.at[i],
							   "is named twice in one request");
		}
		list.at[list.count++].ip = ip;
	}
	ipl_decided(d, IPL_EVENT_PRIVATE_IP_UNASSIGNED);
	d->ev->private_ip_unassigned = (struct ipl_ev_private_ip_unassigned){
		.eni = number,
		.vpc = eni->vpc,
		.vswitch = eni->vswitch,
		.addresses = list,
		.cool_until = ipl_cool_until(d),
	};
	return IPL_OK;
}
