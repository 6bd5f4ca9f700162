/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 and the Internet: a VPC's gateway, and the public bandwidth of an address.
 * An IPv6 address is private until it has bandwidth, and public while it has.
 */
#include "operations/operations_internal.h"

#include <inttypes.h>

#define BY_TRAFFIC_MAX   1000
#define BY_BANDWIDTH_MAX 2000
#define IDS_SHOWN_MAX    10u

/* --- the gateway --- */

enum ipl_status ipl_decide_create_ipv6gw(struct ipl_decision *d)
{
	IPL_ARGS(d, create_ipv6gw);
	uint64_t number;
	const struct ipl_vpc *vpc = ipl_named_vpc(d, args->vpc, &number);

	if (vpc == NULL)
		return IPL_REFUSED;
	if (vpc->ipv6_cidr.prefix_len == 0) {
		ipl_refuse(d->err, IPL_CODE_VPC_IPV6_DISABLED,
			   "%.*s has no IPv6 block: switch it on with ModifyVpcAttribute "
			   "EnableIPv6",
			   IPL_STR_ARG(args->vpc));
		return ipl_refused_entity(d, IPL_KIND_VPC, number);
	}
	if (vpc->gateway != 0) {
		ipl_refuse(d->err, IPL_CODE_IPV6GW_EXISTS,
			   "%.*s has an IPv6 gateway: a VPC has one", IPL_STR_ARG(args->vpc));
		return ipl_refused_entity(d, IPL_KIND_IPV6GW, vpc->gateway);
	}
	ipl_decided(d, IPL_EVENT_IPV6GW_CREATED);
	d->ev->ipv6gw_created = (struct ipl_ev_ipv6gw_created){
		.gateway = ipl_next_number(d, IPL_KIND_IPV6GW),
		.vpc = number,
		.name = args->name,
		.description = args->description,
		.tags = ipl_tags(d, &args->tags),
	};
	return IPL_OK;
}

/* The bandwidths of a VPC: how many, and up to IDS_SHOWN_MAX of them. */
static uint64_t bandwidths(const struct ipl_decision *d, uint64_t vpc, uint64_t *numbers)
{
	uint64_t count = 0;

	for (uint64_t n = ipl_state_next(d->state, IPL_KIND_IPV6BW, 0); n != 0;
	     n = ipl_state_next(d->state, IPL_KIND_IPV6BW, n)) {
		if (ipl_state_ipv6bw(d->state, n)->vpc != vpc)
			continue;
		if (count < IDS_SHOWN_MAX)
			numbers[count] = n;
		count++;
	}
	return count;
}

enum ipl_status ipl_decide_delete_ipv6gw(struct ipl_decision *d)
{
	IPL_ARGS(d, delete_ipv6gw);
	uint64_t number, numbers[IDS_SHOWN_MAX], count;
	const struct ipl_ipv6gw *gateway = ipl_named_ipv6gw(d, args->gateway, &number);

	if (gateway == NULL)
		return IPL_REFUSED;
	count = bandwidths(d, gateway->vpc, numbers);
	if (count > 0)
		return ipl_refuse_dependency(
			d, IPL_CODE_DEPENDENCY_IPV6BW, IPL_KIND_IPV6BW, numbers,
			(uint32_t)(count < IDS_SHOWN_MAX ? count : IDS_SHOWN_MAX), count,
			"the VPC of the gateway");
	ipl_decided(d, IPL_EVENT_IPV6GW_DELETED);
	d->ev->ipv6gw_deleted = (struct ipl_ev_ipv6gw_deleted){ number, gateway->vpc };
	return IPL_OK;
}

/* --- bandwidth --- */

static enum ipl_status check_mbps(struct ipl_decision *d, int64_t mbps, enum ipl_charge charge)
{
	int64_t most = charge == IPL_CHARGE_BY_TRAFFIC ? BY_TRAFFIC_MAX : BY_BANDWIDTH_MAX;

	if (mbps >= 1 && mbps <= most)
		return IPL_OK;
	ipl_refuse_parameter(d->err, IPL_CODE_IPV6BW_RANGE, "Bandwidth",
			     "Bandwidth is %" PRId64 ": with %s it takes 1 to %" PRId64 " Mbit/s",
			     mbps, ipl_charge_word(charge), most);
	ipl_error_add(d->err, "Limit", ipl_int(most));
	return IPL_REFUSED;
}

static enum ipl_status check_gateway(struct ipl_decision *d, const struct ipl_ipv6 *ipv6,
				     const struct ipl_ipv6gw *named, struct ipl_str id)
{
	if (named != NULL && named->vpc != ipv6->vpc)
		return ipl_refuse_id(d->err, IPL_CODE_IPV6GW_MISMATCH, id,
				     "%.*s is the gateway of another VPC than the address's",
				     IPL_STR_ARG(id));
	if (ipl_state_vpc(d->state, ipv6->vpc)->gateway != 0)
		return IPL_OK;
	ipl_refuse(d->err, IPL_CODE_IPV6GW_MISSING,
		   "the VPC of the address has no IPv6 gateway: make one with CreateIpv6Gateway");
	return ipl_refused_entity(d, IPL_KIND_VPC, ipv6->vpc);
}

enum ipl_status ipl_decide_allocate_ipv6bw(struct ipl_decision *d)
{
	IPL_ARGS(d, allocate_ipv6bw);
	uint64_t number, unused;
	enum ipl_charge charge = ipl_charge_of(args->charge);
	const struct ipl_ipv6 *ipv6 =
		ipl_named_ipv6(d, args->ipv6, IPL_CODE_IPV6_NOT_FOUND, &number);
	const struct ipl_ipv6gw *gateway = NULL;
	enum ipl_status st;

	if (ipv6 == NULL)
		return IPL_REFUSED;
	if (args->gateway.len > 0) {
		gateway = ipl_named_ipv6gw(d, args->gateway, &unused);
		if (gateway == NULL)
			return IPL_REFUSED;
	}
	st = check_mbps(d, args->mbps, charge);
	if (st != IPL_OK)
		return st;
	if (ipv6->bandwidth != 0) {
		ipl_refuse(d->err, IPL_CODE_IPV6BW_EXISTS,
			   "%.*s has public bandwidth: change it with "
			   "ModifyIpv6InternetBandwidth",
			   IPL_STR_ARG(args->ipv6));
		return ipl_refused_entity(d, IPL_KIND_IPV6BW, ipv6->bandwidth);
	}
	st = check_gateway(d, ipv6, gateway, args->gateway);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_IPV6BW_ALLOCATED);
	d->ev->ipv6bw_allocated = (struct ipl_ev_ipv6bw_allocated){
		.bandwidth = ipl_next_number(d, IPL_KIND_IPV6BW),
		.ipv6 = number,
		.ip = ipv6->ip,
		.vpc = ipv6->vpc,
		.mbps = (uint64_t)args->mbps,
		.charge = charge,
	};
	return IPL_OK;
}

/* The bandwidth that one of two ids names; NULL with the refusal made. */
static const struct ipl_ipv6bw *named_by_either(struct ipl_decision *d, struct ipl_str ipv6_id,
						struct ipl_str bandwidth_id, uint64_t *number)
{
	const struct ipl_ipv6bw *bandwidth = NULL;
	const struct ipl_ipv6 *ipv6 = NULL;
	uint64_t address;

	if (ipv6_id.len == 0 && bandwidth_id.len == 0) {
		ipl_refuse_parameter(d->err, IPL_CODE_IPV6BW_NEITHER, "Ipv6AddressId",
				     "Ipv6AddressId or Ipv6InternetBandwidthId is required");
		return NULL;
	}
	if (ipv6_id.len > 0) {
		ipv6 = ipl_named_ipv6(d, ipv6_id, IPL_CODE_IPV6_NOT_FOUND_BANDWIDTH, &address);
		if (ipv6 == NULL)
			return NULL;
	}
	if (bandwidth_id.len > 0) {
		bandwidth = ipl_named_ipv6bw(d, bandwidth_id, number);
		if (bandwidth == NULL)
			return NULL;
	}
	if (bandwidth != NULL && ipv6 != NULL) {
		ipl_refuse_parameter(d->err, IPL_CODE_IPV6BW_BOTH, "Ipv6AddressId",
				     "Ipv6AddressId and Ipv6InternetBandwidthId exclude each "
				     "other: give one");
		return NULL;
	}
	if (bandwidth != NULL)
		return bandwidth;
	*number = ipv6->bandwidth;
	if (ipv6->bandwidth != 0)
		return ipl_state_ipv6bw(d->state, ipv6->bandwidth);
	ipl_refuse(d->err, IPL_CODE_IPV6BW_MISSING,
		   "%.*s has no public bandwidth: get it with AllocateIpv6InternetBandwidth",
		   IPL_STR_ARG(ipv6_id));
	ipl_refused_entity(d, IPL_KIND_IPV6, address);
	return NULL;
}

enum ipl_status ipl_decide_modify_ipv6bw(struct ipl_decision *d)
{
	IPL_ARGS(d, modify_ipv6bw);
	uint64_t number;
	const struct ipl_ipv6bw *bandwidth =
		named_by_either(d, args->ipv6, args->bandwidth, &number);
	enum ipl_status st;

	if (bandwidth == NULL)
		return IPL_REFUSED;
	st = check_mbps(d, args->mbps, bandwidth->charge);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_IPV6BW_MODIFIED);
	d->ev->ipv6bw_modified = (struct ipl_ev_ipv6bw_modified){
		.bandwidth = number,
		.ipv6 = bandwidth->ipv6,
		.mbps = (uint64_t)args->mbps,
	};
	return IPL_OK;
}

enum ipl_status ipl_decide_delete_ipv6bw(struct ipl_decision *d)
{
	IPL_ARGS(d, delete_ipv6bw);
	uint64_t number;
	const struct ipl_ipv6bw *bandwidth =
		named_by_either(d, args->ipv6, args->bandwidth, &number);

	if (bandwidth == NULL)
		return IPL_REFUSED;
	ipl_decided(d, IPL_EVENT_IPV6BW_DELETED);
	d->ev->ipv6bw_deleted = (struct ipl_ev_ipv6bw_deleted){ number, bandwidth->ipv6 };
	return IPL_OK;
}
