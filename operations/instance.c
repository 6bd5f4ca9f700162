/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: started, stopped, deleted; their bandwidth and fixed public IP. */
#include "operations/operations_internal.h"

#include <inttypes.h>

#define BANDWIDTH_MAX    100
#define BANDWIDTH_IN_MAX 200

/* --- start and stop --- */

enum ipl_status ipl_decide_start_instance(struct ipl_decision *d)
{
	IPL_ARGS(d, instance);
	uint64_t number;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_INSTANCE_NOT_FOUND, &number);
	uint32_t ip = 0;

	if (instance == NULL)
		return IPL_REFUSED;
	if (instance->state != IPL_RUN_STOPPED)
		return ipl_refuse_state(d, IPL_CODE_INSTANCE_STATUS, IPL_KIND_INSTANCE, number,
					"Running", "Stopped");
	/* Only what the stop had reclaimed is replaced, and only while nothing else came instead.
	 */
	if (instance->public_ip_reclaimed && instance->public_ip == 0 &&
	    instance->bandwidth_out > 0 &&
	    ipl_pick_public(d, IPL_CODE_PUBLIC_IP_NO_STOCK, &ip) != IPL_OK)
		return d->err->status;
	ipl_decided(d, IPL_EVENT_INSTANCE_STARTED);
	d->ev->instance_started = (struct ipl_ev_instance_started){
		.instance = number,
		.eni = instance->enis.at[0],
		.public_ip = ip,
	};
	return IPL_OK;
}

enum ipl_status ipl_decide_stop_instance(struct ipl_decision *d)
{
	IPL_ARGS(d, stop_instance);
	uint64_t number;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_INSTANCE_NOT_FOUND, &number);
	bool frees = ipl_str_is(args->mode, ipl_stopped_word(IPL_STOPPED_STOP_CHARGING));

	if (instance == NULL)
		return IPL_REFUSED;
	if (instance->state != IPL_RUN_RUNNING)
		return ipl_refuse_state(d, IPL_CODE_INSTANCE_STATUS, IPL_KIND_INSTANCE, number,
					"Stopped", "Running");
	ipl_decided(d, IPL_EVENT_INSTANCE_STOPPED);
	d->ev->instance_stopped = (struct ipl_ev_instance_stopped){
		.instance = number,
		.mode = frees ? IPL_STOPPED_STOP_CHARGING : IPL_STOPPED_KEEP_CHARGING,
	};
	if (frees && instance->public_ip != 0) {
		d->ev->instance_stopped.freed_public_ip = instance->public_ip;
		d->ev->instance_stopped.cool_until = ipl_cool_until(d);
	}
	return IPL_OK;
}

enum ipl_status ipl_decide_reboot_instance(struct ipl_decision *d)
{
	IPL_ARGS(d, reboot);
	uint64_t number;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_INSTANCE_NOT_FOUND, &number);

	if (instance == NULL)
		return IPL_REFUSED;
	if (instance->state != IPL_RUN_RUNNING)
		return ipl_refuse_state(d, IPL_CODE_INSTANCE_STATUS, IPL_KIND_INSTANCE, number,
					"Stopped", "Running");
	ipl_decided(d, IPL_EVENT_INSTANCE_REBOOTED);
	d->ev->instance_rebooted = (struct ipl_ev_instance_rebooted){ .instance = number };
	return IPL_OK;
}

/* --- delete --- */

/* What goes and what stays: a secondary interface follows its DeleteOnRelease. */
static void release_enis(struct ipl_decision *d, const struct ipl_instance *instance,
			 struct ipl_ev_instance_released *e)
{
	e->enis.at = ipl_arena_array(d->arena, instance->enis.count, sizeof(*e->enis.at));
	e->kept.at = ipl_arena_array(d->arena, instance->enis.count, sizeof(*e->kept.at));
	for (uint32_t i = 0; !d->arena->failed && i < instance->enis.count; i++) {
		uint64_t number = instance->enis.at[i];
		if (i == 0 || ipl_state_eni(d->state, number)->delete_on_release)
			ipl_free_eni(d, number, &e->enis.at[e->enis.count++]);
		else
			e->kept.at[e->kept.count++].eni = number;
	}
}

enum ipl_status ipl_decide_delete_instance(struct ipl_decision *d)
{
	IPL_ARGS(d, delete_instance);
	uint64_t number;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_INSTANCE_NOT_FOUND, &number);

	if (instance == NULL)
		return IPL_REFUSED;
	if (instance->state != IPL_RUN_STOPPED && args->force != 1)
		return ipl_refuse_state(d, IPL_CODE_INSTANCE_STATUS, IPL_KIND_INSTANCE, number,
					"Running", "Stopped");
	ipl_decided(d, IPL_EVENT_INSTANCE_RELEASED);
	d->ev->instance_released = (struct ipl_ev_instance_released){
		.instance = number,
		.vpc = instance->vpc,
		.freed_public_ip = instance->public_ip,
		.cool_until = ipl_cool_until(d),
	};
	release_enis(d, instance, &d->ev->instance_released);
	return IPL_OK;
}

/* --- bandwidth --- */

static enum ipl_status check_range(struct ipl_decision *d)
{
	IPL_ARGS(d, modify_network_spec);

	if (args->bandwidth_out != IPL_ABSENT &&
	    (args->bandwidth_out < 0 || args->bandwidth_out > BANDWIDTH_MAX))
		return ipl_refuse_parameter(
			d->err, IPL_CODE_BANDWIDTH_OUT_RANGE, "InternetMaxBandwidthOut",
			"InternetMaxBandwidthOut is %" PRId64 ": it takes 0 to %d Mbit/s",
			args->bandwidth_out, BANDWIDTH_MAX);
	if (args->bandwidth_in != IPL_ABSENT &&
	    (args->bandwidth_in < 0 || args->bandwidth_in > BANDWIDTH_IN_MAX))
		return ipl_refuse_parameter(
			d->err, IPL_CODE_BANDWIDTH_IN_RANGE, "InternetMaxBandwidthIn",
			"InternetMaxBandwidthIn is %" PRId64 ": it takes 0 to %d Mbit/s",
			args->bandwidth_in, BANDWIDTH_IN_MAX);
	return IPL_OK;
}

static void keep_or_set_bandwidth(struct ipl_decision *d, const struct ipl_instance *instance,
				  struct ipl_ev_instance_bandwidth_changed *e)
{
	IPL_ARGS(d, modify_network_spec);

	e->bandwidth_out = args->bandwidth_out == IPL_ABSENT ? instance->bandwidth_out :
							       (uint64_t)args->bandwidth_out;
	if (args->bandwidth_in != IPL_ABSENT)
		e->bandwidth_in = (uint64_t)args->bandwidth_in;
	else if (args->bandwidth_out != IPL_ABSENT)
		e->bandwidth_in = e->bandwidth_out <= 10 ? 10 : e->bandwidth_out;
	else
		e->bandwidth_in = instance->bandwidth_in;
	e->charge = args->charge.len > 0 ? ipl_charge_of(args->charge) : instance->charge;
}

/* From 0 to more it brings a fixed public IP, to 0 it takes it; else the address stays. */
enum ipl_status ipl_decide_modify_network_spec(struct ipl_decision *d)
{
	IPL_ARGS(d, modify_network_spec);
	uint64_t number;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_INSTANCE_NOT_FOUND, &number);
	struct ipl_ev_instance_bandwidth_changed e = { .instance = 0 };
	enum ipl_status st;

	if (instance == NULL)
		return IPL_REFUSED;
	st = check_range(d);
	if (st != IPL_OK)
		return st;
	if (instance->eip != 0) {
		ipl_refuse(d->err, IPL_CODE_BANDWIDTH_EIP_BOUND,
			   "%.*s has an EIP, whose bandwidth is its own: unassociate it first",
			   IPL_STR_ARG(args->instance));
		return ipl_refused_entity(d, IPL_KIND_EIP, instance->eip);
	}
	keep_or_set_bandwidth(d, instance, &e);
	e.instance = number;
	e.eni = instance->enis.at[0];
	if (instance->bandwidth_out == 0 && e.bandwidth_out > 0 && instance->public_ip == 0) {
		st = ipl_pick_public(d, IPL_CODE_PUBLIC_IP_NO_STOCK, &e.public_ip);
	} else if (e.bandwidth_out == 0 && instance->public_ip != 0) {
		e.freed_public_ip = instance->public_ip;
		e.cool_until = ipl_cool_until(d);
	}
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_INSTANCE_BANDWIDTH_CHANGED);
	d->ev->instance_bandwidth_changed = e;
	return IPL_OK;
}

/* --- the fixed public IP --- */

static enum ipl_status refuse_eip(struct ipl_decision *d, struct ipl_str instance, uint64_t eip)
{
	ipl_refuse(d->err, IPL_CODE_EIP_PUBLIC_IP_PRESENT,
		   "%.*s has an EIP: it cannot have a fixed public IP too", IPL_STR_ARG(instance));
	return ipl_refused_entity(d, IPL_KIND_EIP, eip);
}

enum ipl_status ipl_decide_allocate_public_ip(struct ipl_decision *d)
{
	IPL_ARGS(d, instance);
	uint64_t number;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_INSTANCE_NOT_FOUND, &number);
	uint32_t ip = 0;

	if (instance == NULL)
		return IPL_REFUSED;
	if (instance->eip != 0)
		return refuse_eip(d, args->instance, instance->eip);
	if (instance->public_ip != 0) { /* what is asked for is a fact already */
		struct ipl_holding holding =
			ipl_state_holding(d->state, ipl_key_ip4(0, instance->public_ip));
		d->answered_by = holding.since_seq;
		d->answered_ms = holding.since_ms;
		d->early_result = ipl_map();
		ipl_map_add(d->arena, &d->early_result, "IpAddress",
			    ipl_show_ip4(d->arena, instance->public_ip));
		return IPL_OK;
	}
	if (instance->bandwidth_out == 0) {
		ipl_refuse(d->err, IPL_CODE_BANDWIDTH_OUT_RANGE,
			   "InternetMaxBandwidthOut of %.*s is 0: raise it with "
			   "ModifyInstanceNetworkSpec",
			   IPL_STR_ARG(args->instance));
		return ipl_refused_entity(d, IPL_KIND_INSTANCE, number);
	}
	if (ipl_pick_public(d, IPL_CODE_PUBLIC_IP_POOL_EMPTY, &ip) != IPL_OK)
		return d->err->status;
	ipl_decided(d, IPL_EVENT_PUBLIC_IP_ALLOCATED);
	d->ev->public_ip_allocated = (struct ipl_ev_public_ip_allocated){
		.instance = number,
		.eni = instance->enis.at[0],
		.public_ip = ip,
	};
	return IPL_OK;
}

enum ipl_status ipl_decide_convert_public_ip(struct ipl_decision *d)
{
	IPL_ARGS(d, instance);
	uint64_t number;
	const struct ipl_instance *instance =
		ipl_named_instance(d, args->instance, IPL_CODE_INSTANCE_NOT_FOUND_CONVERT, &number);
	enum ipl_status st;

	if (instance == NULL)
		return IPL_REFUSED;
	if (instance->public_ip == 0) {
		ipl_refuse(d->err, IPL_CODE_PUBLIC_IP_MISSING,
			   "%.*s has no fixed public IP to convert", IPL_STR_ARG(args->instance));
		return ipl_refused_entity(d, IPL_KIND_INSTANCE, number);
	}
	st = ipl_check_quota(d, IPL_CODE_QUOTA_EIP_CONVERT, "Eips",
			     ipl_state_count(d->state, IPL_KIND_EIP), 1);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_PUBLIC_IP_CONVERTED);
	d->ev->public_ip_converted = (struct ipl_ev_public_ip_converted){
		.instance = number,
		.eni = instance->enis.at[0],
		.eip = ipl_next_number(d, IPL_KIND_EIP),
		.public_ip = instance->public_ip,
		.vpc = instance->vpc,
		.private_ip = ipl_state_eni(d->state, instance->enis.at[0])->address[0].ip,
		.bandwidth = instance->bandwidth_out,
		.charge = instance->charge,
	};
	return IPL_OK;
}
