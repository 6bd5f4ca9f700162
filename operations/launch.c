/* SPDX-License-Identifier: Apache-2.0 */
/* RunInstances: instances with their network interfaces, addresses and fixed public IPs. */
#include "operations/operations_internal.h"

#include <inttypes.h>

#define NICS_MAX         64u
#define BANDWIDTH_MAX    100
#define BANDWIDTH_IN_MAX 200

static const struct ipl_address_codes codes = {
	.outside = IPL_CODE_ADDRESS_OUTSIDE,
	.reserved = IPL_CODE_ADDRESS_OUTSIDE,
	.taken = IPL_CODE_ADDRESS_TAKEN,
};

static const struct ipl_address_codes ipv6_codes = {
	.outside = IPL_CODE_ADDRESS_OUTSIDE,
	.reserved = IPL_CODE_ADDRESS_OUTSIDE,
	.taken = IPL_CODE_ADDRESS_TAKEN,
};

/* One interface that each instance gets; [0] is the primary one. */
struct nic {
	const struct ipl_args_nic *args; /* NULL: described by the flat parameters */
	uint64_t vswitch;
	struct ipl_str ip; /* asked for by name; absent: picked */
	uint32_t secondary_count;
	uint32_t ipv6_count; /* of an existing one */
	uint64_t existing;   /* an interface that is joined; nothing else counts then */
};

struct plan {
	struct ipl_type_limits limits;
	uint64_t vpc;
	struct ipl_str zone;
	uint32_t nic_count;
	struct nic nic[NICS_MAX + 1];
	uint32_t amount;
	/* IPv6 of the primary interface: by name, or how many. */
	const struct ipl_strs *ipv6;
	int64_t ipv6_count;
};

/* --- what is named --- */

static bool is_primary(const struct ipl_args_nic *nic)
{
	return ipl_str_is(nic->type, "Primary");
}

static const struct ipl_args_nic *primary_nic(const struct ipl_args_run_instances *args)
{
	const struct ipl_args_nic *nics = args->nics.at;

	for (uint32_t i = 0; i < args->nics.count; i++) {
		if (is_primary(&nics[i]))
			return &nics[i];
	}
	return NULL;
}

static enum ipl_status plan_primary(struct ipl_decision *d, struct plan *plan)
{
	IPL_ARGS(d, run_instances);
	const struct ipl_args_nic *nic = primary_nic(args);
	struct ipl_str id = nic != NULL && nic->vswitch.len > 0 ? nic->vswitch : args->vswitch;
	const struct ipl_vswitch *vswitch;

	if (id.len == 0)
		return ipl_refuse_parameter(d->err, IPL_CODE_MISSING_PARAMETER, "VSwitchId",
					    "VSwitchId is required");
	vswitch = ipl_named_vswitch(d, id, &plan->nic[0].vswitch);
	if (vswitch == NULL)
		return IPL_REFUSED;
	plan->vpc = vswitch->vpc;
	plan->zone = vswitch->base.notes->zone;
	plan->nic[0].args = nic;
	plan->nic[0].ip = nic != NULL ? nic->primary_ip : args->private_ip;
	if (nic != NULL && nic->secondary_count != IPL_ABSENT)
		plan->nic[0].secondary_count = (uint32_t)nic->secondary_count;
	plan->nic_count = 1;
	plan->ipv6 = nic != NULL ? &nic->ipv6 : &args->ipv6;
	plan->ipv6_count = nic != NULL ? nic->ipv6_count : args->ipv6_count;
	return IPL_OK;
}

static enum ipl_status plan_existing(struct ipl_decision *d, const struct ipl_args_nic *args,
				     struct nic *nic)
{
	const struct ipl_eni *eni =
		ipl_named_eni(d, args->eni, IPL_CODE_ENI_NOT_FOUND, &nic->existing);

	if (eni == NULL)
		return IPL_REFUSED;
	nic->secondary_count = eni->address_count - 1;
	nic->ipv6_count = eni->ipv6.count;
	return IPL_OK;
}

static enum ipl_status plan_new(struct ipl_decision *d, struct plan *plan,
				const struct ipl_args_nic *args, struct nic *nic)
{
	nic->vswitch = plan->nic[0].vswitch;
	nic->ip = args->primary_ip;
	if (args->secondary_count != IPL_ABSENT)
		nic->secondary_count = (uint32_t)args->secondary_count;
	if (args->vswitch.len == 0)
		return IPL_OK;
	return ipl_named_vswitch(d, args->vswitch, &nic->vswitch) == NULL ? IPL_REFUSED : IPL_OK;
}

static enum ipl_status plan_secondaries(struct ipl_decision *d, struct plan *plan)
{
	IPL_ARGS(d, run_instances);
	const struct ipl_args_nic *nics = args->nics.at;

	for (uint32_t i = 0; i < args->nics.count; i++) {
		struct nic *nic = &plan->nic[plan->nic_count];
		enum ipl_status st;
		if (&nics[i] == plan->nic[0].args)
			continue;
		*nic = (struct nic){ .args = &nics[i] };
		st = nics[i].eni.len > 0 ? plan_existing(d, &nics[i], nic) :
					   plan_new(d, plan, &nics[i], nic);
		if (st != IPL_OK)
			return st;
		plan->nic_count++;
	}
	return args->zone.len == 0 ? IPL_OK : ipl_named_zone(d, args->zone);
}

/* --- exclusive members and ranges --- */

static enum ipl_status check_bandwidth(struct ipl_decision *d)
{
	IPL_ARGS(d, run_instances);

	if (args->bandwidth_out < 0 || args->bandwidth_out > BANDWIDTH_MAX)
		return ipl_refuse_parameter(
			d->err, IPL_CODE_BANDWIDTH_OUT_MALFORMED, "InternetMaxBandwidthOut",
			"InternetMaxBandwidthOut is %" PRId64 ": it takes 0 to %d Mbit/s",
			args->bandwidth_out, BANDWIDTH_MAX);
	if (args->bandwidth_in != IPL_ABSENT &&
	    (args->bandwidth_in < 0 || args->bandwidth_in > BANDWIDTH_IN_MAX))
		return ipl_refuse_parameter(
			d->err, IPL_CODE_BANDWIDTH_IN_MALFORMED, "InternetMaxBandwidthIn",
			"InternetMaxBandwidthIn is %" PRId64 ": it takes 0 to %d Mbit/s",
			args->bandwidth_in, BANDWIDTH_IN_MAX);
	return IPL_OK;
}

static uint32_t ipv6_wanted(const struct plan *plan)
{
	return plan->ipv6->count +
	       (plan->ipv6_count == IPL_ABSENT ? 0 : (uint32_t)plan->ipv6_count);
}

static enum ipl_status check_ipv6(struct ipl_decision *d, const struct plan *plan)
{
	IPL_ARGS(d, run_instances);
	const struct ipl_args_nic *nics = args->nics.at;
	enum ipl_status st = ipl_check_ipv6_names(d, plan->ipv6, plan->ipv6_count);

	if (st != IPL_OK)
		return st;
	for (uint32_t i = 0; i < args->nics.count; i++) {
		if (&nics[i] != plan->nic[0].args &&
		    (nics[i].ipv6.count > 0 || nics[i].ipv6_count != IPL_ABSENT))
			return ipl_refuse_parameter(
				d->err, IPL_CODE_NIC_PARAMETERS, "NetworkInterface",
				"only the primary network interface takes IPv6 addresses at "
				"creation: use AssignIpv6Addresses for the others");
	}
	if (args->amount > 1 && plan->ipv6->count > 0)
		return ipl_refuse_parameter(d->err, IPL_CODE_INVALID_PARAMETER, "Ipv6Address",
					    "Ipv6Address names addresses for one instance, Amount "
					    "is %" PRId64 ": use Ipv6AddressCount",
					    args->amount);
	return IPL_OK;
}

/* An interface that exists is as it is: what would change it is refused, not passed over. */
static enum ipl_status check_joined(struct ipl_decision *d, const struct nic *nic)
{
	const struct ipl_args_nic *args = nic->args;
	const char *name = NULL;
	uint64_t vswitch = ipl_state_eni(d->state, nic->existing)->vswitch, number = 0;
	enum ipl_kind kind;

	if (args->primary_ip.len > 0)
		name = "PrimaryIpAddress";
	else if (args->secondary_count != IPL_ABSENT)
		name = "SecondaryPrivateIpAddressCount";
	else if (args->vswitch.len > 0 &&
		 (!ipl_id_parse(ipl_state_letters(d->state), args->vswitch, &kind, &number) ||
		  kind != IPL_KIND_VSWITCH || number != vswitch))
		name = "VSwitchId";
	if (name == NULL)
		return IPL_OK;
	return ipl_refuse_parameter(d->err, IPL_CODE_PARAMETER_CONFLICT, "NetworkInterface",
				    "%.*s exists and has its addresses: leave %s out",
				    IPL_STR_ARG(args->eni), name);
}

/* How the interfaces are described: the primary one once, no existing one twice. */
static enum ipl_status check_nics(struct ipl_decision *d, const struct plan *plan)
{
	IPL_ARGS(d, run_instances);
	const struct ipl_args_nic *nics = args->nics.at, *primary = plan->nic[0].args;

	for (uint32_t i = 0; i < args->nics.count; i++) {
		if (is_primary(&nics[i]) && &nics[i] != primary)
			return ipl_refuse_parameter(
				d->err, IPL_CODE_NIC_PARAMETERS, "NetworkInterface",
				"two network interfaces are Primary: an instance has one");
	}
	if (primary != NULL && (args->vswitch.len > 0 || args->private_ip.len > 0 ||
				args->ipv6.count > 0 || args->ipv6_count != IPL_ABSENT))
		return ipl_refuse_parameter(
			d->err, IPL_CODE_PARAMETER_CONFLICT, "NetworkInterface",
			"the primary network interface is described twice: by "
			"NetworkInterface and by VSwitchId, PrivateIpAddress, Ipv6Address or "
			"Ipv6AddressCount");
	for (uint32_t i = 0; i < plan->nic_count; i++) {
		enum ipl_status st = ipl_check_ip4_text(
			d, plan->nic[i].args == NULL ? "PrivateIpAddress" : "PrimaryIpAddress",
			plan->nic[i].ip);
		if (st != IPL_OK)
			return st;
		if (plan->nic[i].existing != 0 && check_joined(d, &plan->nic[i]) != IPL_OK)
			return IPL_REFUSED;
		for (uint32_t k = 1; k < i && plan->nic[i].existing != 0; k++) {
			if (plan->nic[i].existing == plan->nic[k].existing)
				return ipl_refuse_parameter(
					d->err, IPL_CODE_NIC_PARAMETERS, "NetworkInterface",
					"%.*s is named twice", IPL_STR_ARG(plan->nic[i].args->eni));
		}
	}
	return IPL_OK;
}

static enum ipl_status check_exclusive(struct ipl_decision *d, const struct plan *plan)
{
	IPL_ARGS(d, run_instances);
	const struct ipl_args_nic *primary = plan->nic[0].args;
	enum ipl_status st;

	if (!ipl_str_is(args->instance_charge, "PostPaid"))
		return ipl_refuse_parameter(d->err, IPL_CODE_UNSUPPORTED_PARAMETER,
					    "InstanceChargeType",
					    "InstanceChargeType %.*s is not offered: PostPaid is",
					    IPL_STR_ARG(args->instance_charge));
	if (args->min_amount != IPL_ABSENT && args->min_amount > args->amount)
		return ipl_refuse_parameter(d->err, IPL_CODE_INVALID_PARAMETER, "MinAmount",
					    "MinAmount is %" PRId64 ", more than Amount %" PRId64,
					    args->min_amount, args->amount);
	if (primary != NULL && (primary->eni.len > 0 || primary->delete_on_release == 0))
		return ipl_refuse_parameter(d->err, IPL_CODE_INVALID_PARAMETER,
					    primary->eni.len > 0 ? "NetworkInterfaceId" :
								   "DeleteOnRelease",
					    "a primary network interface is new and goes with its "
					    "instance");
	if (args->amount > 1 && primary != NULL && primary->primary_ip.len > 0)
		return ipl_refuse_parameter(d->err, IPL_CODE_PRIMARY_SIZE, "PrimaryIpAddress",
					    "PrimaryIpAddress names one address for %" PRId64
					    " instances",
					    args->amount);
	if (args->amount > 1 && args->private_ip.len > 0 && plan->nic_count > 1)
		return ipl_refuse_parameter(d->err, IPL_CODE_NIC_SECONDARY, "NetworkInterface",
					    "Amount above 1 with PrivateIpAddress allows no "
					    "secondary network interface");
	for (uint32_t i = 1; i < plan->nic_count; i++) {
		if (args->amount > 1 && (plan->nic[i].existing != 0 || plan->nic[i].ip.len > 0))
			return ipl_refuse_parameter(d->err, IPL_CODE_NIC_SECONDARY,
						    "NetworkInterface",
						    "an interface or address that is named is for "
						    "one instance, Amount is %" PRId64,
						    args->amount);
	}
	st = check_ipv6(d, plan);
	return st == IPL_OK ? check_bandwidth(d) : st;
}

/* --- state of what is related --- */

static enum ipl_status check_place(struct ipl_decision *d, const struct plan *plan,
				   struct ipl_str id, uint64_t vpc, struct ipl_str zone)
{
	if (vpc != plan->vpc)
		return ipl_refuse_id(d->err, IPL_CODE_ENI_VPC_MISMATCH, id,
				     "%.*s is in another VPC than the instance", IPL_STR_ARG(id));
	if (!ipl_str_equal(zone, plan->zone))
		return ipl_refuse_id(d->err, IPL_CODE_ENI_ZONE_MISMATCH, id,
				     "%.*s is in zone %.*s, the instance in %.*s", IPL_STR_ARG(id),
				     IPL_STR_ARG(zone), IPL_STR_ARG(plan->zone));
	return IPL_OK;
}

static enum ipl_status check_existing(struct ipl_decision *d, const struct plan *plan,
				      const struct nic *nic)
{
	const struct ipl_eni *eni = ipl_state_eni(d->state, nic->existing);

	if (eni->instance != 0)
		return ipl_refuse_state(d, IPL_CODE_ENI_STATE, IPL_KIND_ENI, nic->existing, "InUse",
					"Available");
	return check_place(d, plan, nic->args->eni, eni->vpc, eni->base.notes->zone);
}

static enum ipl_status check_related(struct ipl_decision *d, const struct plan *plan)
{
	IPL_ARGS(d, run_instances);
	enum ipl_status st = IPL_OK;

	if (args->zone.len > 0 && !ipl_str_equal(args->zone, plan->zone))
		return ipl_refuse_parameter(d->err, IPL_CODE_ZONE_MISMATCH, "ZoneId",
					    "ZoneId is %.*s, the vSwitch is in %.*s",
					    IPL_STR_ARG(args->zone), IPL_STR_ARG(plan->zone));
	for (uint32_t i = 1; st == IPL_OK && i < plan->nic_count; i++) {
		const struct nic *nic = &plan->nic[i];
		const struct ipl_vswitch *vswitch;
		if (nic->existing != 0) {
			st = check_existing(d, plan, nic);
			continue;
		}
		vswitch = ipl_state_vswitch(d->state, nic->vswitch);
		st = check_place(d, plan, nic->args->vswitch, vswitch->vpc,
				 vswitch->base.notes->zone);
	}
	if (st != IPL_OK || ipv6_wanted(plan) == 0)
		return st;
	return ipl_check_ipv6_on(d, plan->nic[0].vswitch);
}

/* --- quotas and limits --- */

static enum ipl_status check_limits(struct ipl_decision *d, const struct plan *plan)
{
	IPL_ARGS(d, run_instances);

	if (plan->nic_count > plan->limits.eni_max ||
	    (plan->nic_count > 1 && plan->limits.is_alone)) {
		ipl_refuse_parameter(
			d->err, IPL_CODE_ENI_LIMIT, "NetworkInterface",
			"%u network interfaces are asked for: instance type %.*s takes "
			"%u at creation",
			plan->nic_count, IPL_STR_ARG(args->type),
			plan->limits.is_alone ? 1 : plan->limits.eni_max);
		return ipl_refused_limit(d, "EniQuantity",
					 plan->limits.is_alone ? 1 : plan->limits.eni_max, 0,
					 plan->nic_count);
	}
	for (uint32_t i = 0; i < plan->nic_count; i++) {
		if (plan->nic[i].secondary_count + 1 <= plan->limits.ip4_max)
			continue;
		ipl_refuse_parameter(d->err, IPL_CODE_ENI_IP4_LIMIT, "NetworkInterface",
				     "%u private addresses on one interface: instance type %.*s "
				     "takes %u",
				     plan->nic[i].secondary_count + 1, IPL_STR_ARG(args->type),
				     plan->limits.ip4_max);
		return ipl_refused_limit(d, "EniPrivateIpAddressQuantity", plan->limits.ip4_max, 0,
					 (uint64_t)plan->nic[i].secondary_count + 1);
	}
	for (uint32_t i = 1; i < plan->nic_count; i++) {
		if (plan->nic[i].ipv6_count > plan->limits.ip6_max)
			return ipl_refuse_ipv6_limit(d, args->type, plan->limits.ip6_max,
						     plan->nic[i].ipv6_count, 0);
	}
	if (ipv6_wanted(plan) > plan->limits.ip6_max)
		return ipl_refuse_ipv6_limit(d, args->type, plan->limits.ip6_max, 0,
					     ipv6_wanted(plan));
	return IPL_OK;
}

static uint64_t new_addresses(const struct plan *plan, uint64_t vswitch)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < plan->nic_count; i++) {
		if (plan->nic[i].existing == 0 && (vswitch == 0 || plan->nic[i].vswitch == vswitch))
			count += 1 + (uint64_t)plan->nic[i].secondary_count;
	}
	return count;
}

static uint64_t new_enis(const struct plan *plan)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < plan->nic_count; i++)
		count += plan->nic[i].existing == 0;
	return count;
}

static enum ipl_status check_quotas(struct ipl_decision *d, const struct plan *plan)
{
	enum ipl_status st = ipl_check_quota(d, IPL_CODE_QUOTA_ENI, "NetworkInterfaces",
					     ipl_state_count(d->state, IPL_KIND_ENI),
					     new_enis(plan) * plan->amount);

	if (st != IPL_OK)
		return st;
	return ipl_check_vpc_addresses(d, plan->vpc, new_addresses(plan, 0) * plan->amount);
}

/* With MinAmount: as many instances as there are addresses for. */
static uint32_t affordable(struct ipl_decision *d, const struct plan *plan)
{
	IPL_ARGS(d, run_instances);
	uint64_t amount = (uint64_t)args->amount;

	if (args->min_amount == IPL_ABSENT || args->private_ip.len > 0)
		return (uint32_t)amount;
	for (uint32_t i = 0; i < plan->nic_count; i++) {
		uint64_t vswitch = plan->nic[i].vswitch;
		uint64_t most = plan->nic[i].existing != 0 ?
					amount :
					ipl_pickable(d, vswitch) / new_addresses(plan, vswitch);
		amount = most < amount ? most : amount;
	}
	if (args->bandwidth_out > 0 && ipl_public_pickable(d) < amount)
		amount = ipl_public_pickable(d);
	return (uint32_t)(amount < (uint64_t)args->min_amount ? (uint64_t)args->min_amount :
								amount);
}

/* --- the event --- */

/* The address of the @index-th instance where addresses were asked for by name. */
static enum ipl_status take_named(struct ipl_decision *d, const struct plan *plan,
				  const struct nic *nic, uint32_t index, struct ipl_ev_address *out)
{
	struct ipl_str text = nic->ip;
	uint32_t ip;

	if (plan->amount > 1 && ipl_ip4_parse(nic->ip, &ip) && ip <= UINT32_MAX - index)
		text = ipl_arena_printf(d->arena, IPL_IP4_FMT, IPL_IP4_ARG(ip + index));
	return ipl_take_named(d, nic->vswitch, text, &codes, out);
}

static void add_eni(struct ipl_decision *d, const struct nic *nic, uint64_t number,
		    struct ipl_ev_instance *instance)
{
	struct ipl_ev_launched_eni *eni = &instance->enis.at[instance->enis.count++];

	*eni = (struct ipl_ev_launched_eni){
		.eni = number,
		.vswitch = nic->vswitch,
		.delete_on_release = nic->args == NULL || nic->args->delete_on_release != 0,
	};
	eni->addresses.count = 1 + nic->secondary_count;
	eni->addresses.at =
		ipl_arena_array(d->arena, eni->addresses.count, sizeof(*eni->addresses.at));
	if (nic->args != NULL) {
		eni->name = nic->args->name;
		eni->description = nic->args->description;
		eni->security_groups =
			ipl_labels(d, nic->args->security_group, &nic->args->security_groups);
	} else {
		IPL_ARGS(d, run_instances);
		eni->security_groups = ipl_labels(d, args->security_group, &args->security_groups);
	}
}

/* Instances and interfaces with their numbers; addresses come after. */
static enum ipl_status lay_out(struct ipl_decision *d, const struct plan *plan)
{
	struct ipl_ev_instance_list *list = &d->ev->instances_launched.instances;
	uint64_t eni = ipl_next_number(d, IPL_KIND_ENI);

	list->at = ipl_arena_array(d->arena, plan->amount, sizeof(*list->at));
	for (uint32_t i = 0; !d->arena->failed && i < plan->amount; i++) {
		struct ipl_ev_instance *instance = &list->at[list->count++];
		instance->instance = ipl_next_number(d, IPL_KIND_INSTANCE) + i;
		instance->enis.at =
			ipl_arena_array(d->arena, plan->nic_count, sizeof(*instance->enis.at));
		instance->joined.at =
			ipl_arena_array(d->arena, plan->nic_count, sizeof(*instance->joined.at));
		for (uint32_t k = 0; !d->arena->failed && k < plan->nic_count; k++) {
			if (plan->nic[k].existing != 0)
				instance->joined.at[instance->joined.count++].eni =
					plan->nic[k].existing;
			else
				add_eni(d, &plan->nic[k], eni++, instance);
		}
	}
	if (d->arena->failed)
		return ipl_error_set(d->err, IPL_ERR_NOMEM, "out of memory for %u instances",
				     plan->amount);
	return IPL_OK;
}

/* Of the interfaces that are new, in order: which of the plan's it is. */
static const struct nic *planned(const struct plan *plan, uint32_t index)
{
	for (uint32_t k = 0; k < plan->nic_count; k++) {
		if (plan->nic[k].existing == 0 && index-- == 0)
			return &plan->nic[k];
	}
	return NULL;
}

static enum ipl_status take_addresses(struct ipl_decision *d, const struct plan *plan, bool by_name)
{
	const struct ipl_ev_instance_list *list = &d->ev->instances_launched.instances;
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; i < list->count; i++) {
		for (uint32_t k = 0; st == IPL_OK && k < list->at[i].enis.count; k++) {
			struct ipl_ev_address_list *to = &list->at[i].enis.at[k].addresses;
			const struct nic *nic = planned(plan, k);
			uint32_t named = nic->ip.len > 0;
			if (by_name && named)
				st = take_named(d, plan, nic, i, &to->at[0]);
			else if (!by_name)
				st = ipl_pick_private(d, nic->vswitch, to->count - named,
						      to->at + named);
		}
	}
	return st;
}

/* All that is to be picked, before the first is: a refusal then says what there was. */
static enum ipl_status check_room(struct ipl_decision *d, const struct plan *plan)
{
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; st == IPL_OK && i < plan->nic_count; i++) {
		uint64_t vswitch = plan->nic[i].vswitch, picked = 0;
		for (uint32_t k = 0; k < plan->nic_count; k++) {
			const struct nic *nic = &plan->nic[k];
			if (nic->existing == 0 && nic->vswitch == vswitch)
				picked += nic->secondary_count + (nic->ip.len == 0);
		}
		if (plan->nic[i].existing == 0)
			st = ipl_check_room(d, vswitch, picked * plan->amount);
	}
	return st;
}

/* RunInstances; CreateInstance makes one that is stopped, without a fixed public IP. */
static bool is_run(const struct ipl_decision *d)
{
	return d->operation->op == IPL_OP_RUN_INSTANCES;
}

/* Every primary interface gets as many; names are for one instance. */
static enum ipl_status take_ipv6(struct ipl_decision *d, const struct plan *plan)
{
	const struct ipl_ev_instance_list *list = &d->ev->instances_launched.instances;
	uint32_t picked = plan->ipv6_count == IPL_ABSENT ? 0 : (uint32_t)plan->ipv6_count;
	struct ipl_ipv6_cursor cursor = { 0 };
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; st == IPL_OK && ipv6_wanted(plan) > 0 && i < list->count; i++)
		st = ipl_take_ipv6(d, plan->nic[0].vswitch, plan->ipv6, picked, &ipv6_codes,
				   &cursor, &list->at[i].enis.at[0].ipv6);
	return st;
}

static enum ipl_status take_public(struct ipl_decision *d)
{
	struct ipl_ev_instances_launched *e = &d->ev->instances_launched;
	enum ipl_status st = IPL_OK;

	if (!is_run(d)) /* bandwidth it may have, the address comes by AllocatePublicIpAddress */
		return IPL_OK;
	for (uint32_t i = 0; st == IPL_OK && e->bandwidth_out > 0 && i < e->instances.count; i++)
		st = ipl_pick_public(d, IPL_CODE_PUBLIC_IP_NO_STOCK, &e->instances.at[i].public_ip);
	return st;
}

static enum ipl_status build(struct ipl_decision *d, const struct plan *plan)
{
	IPL_ARGS(d, run_instances);
	int64_t in = args->bandwidth_out <= 10 ? 10 : args->bandwidth_out;
	enum ipl_status st;

	ipl_decided(d, IPL_EVENT_INSTANCES_LAUNCHED);
	d->ev->instances_launched = (struct ipl_ev_instances_launched){
		.vpc = plan->vpc,
		.zone = plan->zone,
		.type = args->type,
		.state = is_run(d) ? IPL_RUN_RUNNING : IPL_RUN_STOPPED,
		.charge = ipl_charge_of(args->charge),
		.bandwidth_out = (uint64_t)args->bandwidth_out,
		.bandwidth_in =
			(uint64_t)(args->bandwidth_in == IPL_ABSENT ? in : args->bandwidth_in),
		.name = args->name,
		.description = args->description,
		.image = args->image,
		.host_name = args->host_name,
		.security_groups = ipl_labels(d, args->security_group, &args->security_groups),
		.tags = ipl_tags(d, &args->tags),
	};
	st = lay_out(d, plan);
	if (st == IPL_OK)
		st = take_addresses(d, plan, true);
	if (st == IPL_OK)
		st = check_room(d, plan);
	if (st == IPL_OK)
		st = take_addresses(d, plan, false);
	if (st == IPL_OK)
		st = take_ipv6(d, plan);
	return st == IPL_OK ? take_public(d) : st;
}

enum ipl_status ipl_decide_run_instances(struct ipl_decision *d)
{
	IPL_ARGS(d, run_instances);
	struct plan plan = { .nic_count = 0 };
	enum ipl_status st;

	if (!ipl_type_find(ipl_settings(d), args->type, &plan.limits))
		return ipl_refuse_parameter(d->err, IPL_CODE_INSTANCE_TYPE_UNKNOWN, "InstanceType",
					    "instance type %.*s is unknown: add it with "
					    "ModifyLedgerSettings InstanceTypes",
					    IPL_STR_ARG(args->type));
	st = plan_primary(d, &plan);
	if (st == IPL_OK)
		st = plan_secondaries(d, &plan);
	if (st == IPL_OK)
		st = check_nics(d, &plan);
	if (st == IPL_OK)
		st = check_exclusive(d, &plan);
	if (st == IPL_OK)
		st = check_related(d, &plan);
	if (st == IPL_OK)
		st = check_limits(d, &plan);
	if (st != IPL_OK)
		return st;
	plan.amount = affordable(d, &plan);
	st = check_quotas(d, &plan);
	return st == IPL_OK ? build(d, &plan) : st;
}

enum ipl_status ipl_decide_create_instance(struct ipl_decision *d)
{
	IPL_ARGS(d, create_instance);
	const struct ipl_args_run_instances run = {
		.type = args->type,
		.vswitch = args->vswitch,
		.zone = args->zone,
		.amount = 1,
		.min_amount = IPL_ABSENT,
		.private_ip = args->private_ip,
		.bandwidth_out = args->bandwidth_out,
		.bandwidth_in = args->bandwidth_in,
		.charge = args->charge,
		.instance_charge = args->instance_charge,
		.name = args->name,
		.description = args->description,
		.image = args->image,
		.host_name = args->host_name,
		.security_group = args->security_group,
		.ipv6_count = IPL_ABSENT,
		.tags = args->tags,
	};
	const void *own = d->args;
	enum ipl_status st;

	d->args = &run; /* it decides as a run of one does */
	st = ipl_decide_run_instances(d);
	d->args = own;
	return st;
}
