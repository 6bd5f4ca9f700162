/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's settings: those it begins with, and changing them. */
#include "operations/operations_internal.h"

#include <inttypes.h>
#include <string.h>

#define POOL_PREFIX_MIN      8
#define POOL_PREFIX_MAX      30
#define IPV6_POOL_PREFIX_MAX 56

static const char *const quota_names[] = {
	"Vpcs", "VSwitchesPerVpc", "NetworkInterfaces", "PrivateIpAddressesPerVpc", "Eips",
};

/* --- from parameters to settings --- */

static enum ipl_status no_memory(struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for settings");
}

static enum ipl_status read_zones(const struct ipl_strs *from, struct ipl_arena *arena,
				  struct ipl_ev_zone_list *to, struct ipl_error *err)
{
	to->at = ipl_arena_array(arena, from->count, sizeof(*to->at));
	to->count = 0;
	if (to->at == NULL)
		return no_memory(err);
	if (from->count == 0)
		return ipl_refuse_parameter(err, IPL_CODE_INVALID_PARAMETER, "Zones",
					    "Zones is empty: a ledger has at least one zone");
	for (uint32_t i = 0; i < from->count; i++) {
		if (from->at[i].len == 0 || from->at[i].len > 64)
			return ipl_refuse_parameter(err, IPL_CODE_INVALID_PARAMETER, "Zones",
						    "a zone's name has %zu bytes: it takes 1 to 64",
						    from->at[i].len);
		to->at[to->count++].id = from->at[i];
	}
	return IPL_OK;
}

static enum ipl_status read_pools(const struct ipl_strs *from, struct ipl_arena *arena,
				  struct ipl_ev_pool_list *to, struct ipl_error *err)
{
	to->at = ipl_arena_array(arena, from->count, sizeof(*to->at));
	to->count = 0;
	if (to->at == NULL)
		return no_memory(err);
	for (uint32_t i = 0; i < from->count; i++) {
		struct ipl_cidr4 cidr;
		if (!ipl_cidr4_parse(from->at[i], &cidr) || cidr.prefix_len < POOL_PREFIX_MIN ||
		    cidr.prefix_len > POOL_PREFIX_MAX)
			return ipl_refuse_parameter(err, IPL_CODE_INVALID_PARAMETER, "PublicPools",
						    "\"%.*s\" is no IPv4 block of /%d to /%d",
						    IPL_STR_ARG(from->at[i]), POOL_PREFIX_MIN,
						    POOL_PREFIX_MAX);
		for (uint32_t k = 0; k < to->count; k++) {
			if (ipl_cidr4_overlaps(to->at[k].cidr, cidr))
				return ipl_refuse_parameter(
					err, IPL_CODE_INVALID_PARAMETER, "PublicPools",
					"%.*s overlaps another pool", IPL_STR_ARG(from->at[i]));
		}
		to->at[to->count++].cidr = cidr;
	}
	return IPL_OK;
}

static bool is_quota(struct ipl_str name)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(quota_names); i++) {
		if (ipl_str_is(name, quota_names[i]))
			return true;
	}
	return false;
}

static enum ipl_status read_quotas(const struct ipl_value *from, struct ipl_arena *arena,
				   struct ipl_ev_quota_list *to, struct ipl_error *err)
{
	if (from->type != IPL_VALUE_MAP)
		return ipl_refuse_parameter(err, IPL_CODE_INVALID_PARAMETER, "Quotas",
					    "Quotas is %s: it must be a map of names to numbers",
					    ipl_value_type_name(from->type));
	to->at = ipl_arena_array(arena, from->count, sizeof(*to->at));
	to->count = 0;
	if (to->at == NULL)
		return no_memory(err);
	for (uint32_t i = 0; i < from->count; i++) {
		const struct ipl_member *member = &from->member[i];
		if (!is_quota(member->key))
			return ipl_refuse_parameter(
				err, IPL_CODE_INVALID_PARAMETER, "Quotas",
				"there is no quota %.*s: there are Vpcs, "
				"VSwitchesPerVpc, NetworkInterfaces, "
				"PrivateIpAddressesPerVpc and Eips",
				(int)(member->key.len > 64 ? 64 : member->key.len), member->key.at);
		if (member->value.type != IPL_VALUE_INT || member->value.integer < 0)
			return ipl_refuse_parameter(err, IPL_CODE_INVALID_PARAMETER, "Quotas",
						    "the quota %.*s must be a number from 0 on",
						    IPL_STR_ARG(member->key));
		to->at[to->count++] =
			(struct ipl_ev_quota){ member->key, (uint64_t)member->value.integer };
	}
	return IPL_OK;
}

static enum ipl_status read_types(const struct ipl_any_list *from, struct ipl_arena *arena,
				  struct ipl_ev_instance_type_list *to, struct ipl_error *err)
{
	const struct ipl_args_type *types = from->at;

	to->at = ipl_arena_array(arena, from->count, sizeof(*to->at));
	to->count = 0;
	if (to->at == NULL)
		return no_memory(err);
	for (uint32_t i = 0; i < from->count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (ipl_str_equal(types[i].name, types[k].name))
				return ipl_refuse_parameter(err, IPL_CODE_INVALID_PARAMETER,
							    "InstanceTypes",
							    "instance type %.*s is given twice",
							    IPL_STR_ARG(types[i].name));
		}
		to->at[to->count++] =
			(struct ipl_ev_instance_type){ types[i].name, (uint64_t)types[i].eni_max,
						       (uint64_t)types[i].ip4_max,
						       (uint64_t)types[i].ip6_max };
	}
	return IPL_OK;
}

/* Lay what is given over @settings. */
static enum ipl_status lay_over(const struct ipl_args_settings *args, struct ipl_arena *arena,
				struct ipl_ev_settings *settings, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	if (args->zones.given)
		st = read_zones(&args->zones, arena, &settings->zones, err);
	if (st == IPL_OK && args->public_pools.given)
		st = read_pools(&args->public_pools, arena, &settings->public_pools, err);
	if (st == IPL_OK && args->ipv6_pool.len > 0 &&
	    (!ipl_cidr6_parse(args->ipv6_pool, &settings->ipv6_pool) ||
	     settings->ipv6_pool.prefix_len > IPV6_POOL_PREFIX_MAX))
		return ipl_refuse_parameter(err, IPL_CODE_INVALID_PARAMETER, "Ipv6Pool",
					    "\"%.*s\" is no IPv6 block of up to /%d",
					    IPL_STR_ARG(args->ipv6_pool), IPV6_POOL_PREFIX_MAX);
	if (args->reuse_delay_s != IPL_ABSENT)
		settings->reuse_delay_s = (uint64_t)args->reuse_delay_s;
	if (st == IPL_OK && args->quotas != NULL)
		st = read_quotas(args->quotas, arena, &settings->quotas, err);
	if (st == IPL_OK && args->instance_types.at != NULL)
		st = read_types(&args->instance_types, arena, &settings->instance_types, err);
	return st;
}

/* --- what is in use cannot be taken away --- */

static enum ipl_status check_pools_kept(struct ipl_decision *d, const struct ipl_ev_settings *to)
{
	for (uint32_t i = 0; i < ipl_state_pool_count(d->state); i++) {
		const struct ipl_block *block = ipl_state_pool(d->state, i);
		char text[IPL_CIDR4_TEXT_MAX];
		bool kept =
			block->free_count + 2 * IPL_POOL_RESERVED == ipl_cidr4_size(block->cidr);
		for (uint32_t k = 0; k < to->public_pools.count; k++)
			kept = kept || ipl_cidr4_equal(to->public_pools.at[k].cidr, block->cidr);
		if (kept)
			continue;
		ipl_cidr4_format(block->cidr, text);
		return ipl_refuse_parameter(d->err, IPL_CODE_DEPENDENCY_POOL, "PublicPools",
					    "addresses of the pool %s are in use: it cannot be "
					    "taken away",
					    text);
	}
	return IPL_OK;
}

static enum ipl_status check_ipv6_kept(struct ipl_decision *d, const struct ipl_ev_settings *to)
{
	for (uint64_t n = ipl_state_next(d->state, IPL_KIND_VPC, 0); n != 0;
	     n = ipl_state_next(d->state, IPL_KIND_VPC, n)) {
		struct ipl_cidr6 cidr = ipl_state_vpc(d->state, n)->ipv6_cidr;
		char text[IPL_CIDR6_TEXT_MAX];
		if (cidr.prefix_len == 0 || ipl_cidr6_covers(to->ipv6_pool, cidr))
			continue;
		ipl_cidr6_format(cidr, text);
		ipl_refuse_parameter(d->err, IPL_CODE_DEPENDENCY_IPV6_POOL, "Ipv6Pool",
				     "%s of the IPv6 pool is in use by a VPC: a new pool must "
				     "hold it",
				     text);
		return ipl_refused_entity(d, IPL_KIND_VPC, n);
	}
	return IPL_OK;
}

static enum ipl_status check_zones_kept(struct ipl_decision *d, const struct ipl_ev_settings *to)
{
	for (uint64_t n = ipl_state_next(d->state, IPL_KIND_VSWITCH, 0); n != 0;
	     n = ipl_state_next(d->state, IPL_KIND_VSWITCH, n)) {
		struct ipl_str zone = ipl_state_vswitch(d->state, n)->base.notes->zone;
		bool kept = false;
		for (uint32_t k = 0; k < to->zones.count; k++)
			kept = kept || ipl_str_equal(to->zones.at[k].id, zone);
		if (kept)
			continue;
		ipl_refuse_parameter(d->err, IPL_CODE_DEPENDENCY_ZONE, "Zones",
				     "zone %.*s has a vSwitch: it cannot be taken away",
				     IPL_STR_ARG(zone));
		return ipl_refused_entity(d, IPL_KIND_VSWITCH, n);
	}
	return IPL_OK;
}

/* Does @instance, as it is, keep to @limits? */
static bool is_within(const struct ipl_decision *d, const struct ipl_instance *instance,
		      const struct ipl_type_limits *limits)
{
	bool within = instance->enis.count <= limits->eni_max;

	for (uint32_t i = 0; i < instance->enis.count; i++) {
		const struct ipl_eni *eni = ipl_state_eni(d->state, instance->enis.at[i]);
		within = within && eni->address_count <= limits->ip4_max &&
			 eni->ipv6.count <= limits->ip6_max;
	}
	return within;
}

static enum ipl_status check_types_kept(struct ipl_decision *d, const struct ipl_ev_settings *to)
{
	for (uint64_t n = ipl_state_next(d->state, IPL_KIND_INSTANCE, 0); n != 0;
	     n = ipl_state_next(d->state, IPL_KIND_INSTANCE, n)) {
		const struct ipl_instance *instance = ipl_state_instance(d->state, n);
		struct ipl_str type = instance->base.notes->type;
		struct ipl_type_limits limits;
		bool is_known = ipl_type_find(to, type, &limits);
		if (is_known && is_within(d, instance, &limits))
			continue;
		ipl_refuse_parameter(
			d->err, IPL_CODE_DEPENDENCY_TYPE, "InstanceTypes",
			"instance type %.*s is in use: it cannot %s", IPL_STR_ARG(type),
			is_known ? "take less than its instances have" : "be taken away");
		return ipl_refused_entity(d, IPL_KIND_INSTANCE, n);
	}
	return IPL_OK;
}

enum ipl_status ipl_decide_modify_settings(struct ipl_decision *d)
{
	IPL_ARGS(d, settings);
	struct ipl_ev_settings settings = *ipl_settings(d);
	enum ipl_status st = lay_over(args, d->arena, &settings, d->err);

	if (st == IPL_OK && args->public_pools.given)
		st = check_pools_kept(d, &settings);
	if (st == IPL_OK && args->ipv6_pool.len > 0)
		st = check_ipv6_kept(d, &settings);
	if (st == IPL_OK && args->zones.given)
		st = check_zones_kept(d, &settings);
	if (st == IPL_OK && args->instance_types.at != NULL)
		st = check_types_kept(d, &settings);
	if (st != IPL_OK)
		return st;
	ipl_decided(d, IPL_EVENT_LEDGER_SETTINGS_MODIFIED);
	d->ev->ledger_settings_modified =
		(struct ipl_ev_ledger_settings_modified){ ipl_state_ledger_number(d->state),
							  settings };
	return IPL_OK;
}

/* --- the beginning --- */

static bool is_region(struct ipl_str region)
{
	for (size_t i = 0; i < region.len; i++) {
		char c = region.at[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return region.len > 0 && region.len <= 62;
}

/* Zones -a to -k, a public pool that is never routed (RFC 2544), an IPv6 pool for documentation. */
static enum ipl_status default_settings(struct ipl_str region, struct ipl_arena *arena,
					struct ipl_ev_settings *out, struct ipl_error *err)
{
	const char *letters = "abcdefghijk";

	*out = (struct ipl_ev_settings){ .region = region };
	out->zones.at = ipl_arena_array(arena, strlen(letters), sizeof(*out->zones.at));
	out->public_pools.at = ipl_arena_array(arena, 1, sizeof(*out->public_pools.at));
	if (arena->failed)
		return no_memory(err);
	for (; *letters != '\0'; letters++)
		out->zones.at[out->zones.count++].id =
			ipl_arena_printf(arena, "%.*s-%c", IPL_STR_ARG(region), *letters);
	out->public_pools.at[out->public_pools.count++].cidr = (struct ipl_cidr4){ 0xc6120000, 15 };
	out->ipv6_pool = (struct ipl_cidr6){ UINT64_C(0x20010db8) << 32, 32 };
	return arena->failed ? no_memory(err) : IPL_OK;
}

enum ipl_status ipl_decide_ledger(const struct ipl_value *init, uint64_t ledger_number,
				  struct ipl_arena *arena, struct ipl_event *ev,
				  int64_t *event_time_ms, struct ipl_error *err)
{
	const struct ipl_operation *operation = ipl_operation_of(IPL_OP_MODIFY_LEDGER_SETTINGS);
	struct ipl_args_settings args = { 0 };
	struct ipl_common common;
	struct ipl_str region;
	enum ipl_status st = ipl_operation_parse(operation, init, arena, &args, &common, err);

	if (st == IPL_OK && common.late != NULL) {
		*err = *common.late;
		st = IPL_REFUSED;
	}
	if (st != IPL_OK)
		return st;
	region = common.region.len > 0 ? common.region : IPL_STR("cn-hangzhou");
	if (!is_region(region))
		return ipl_refuse_parameter(err, IPL_CODE_INVALID_PARAMETER, "RegionId",
					    "\"%.*s\" is no region: it takes a-z, 0-9 and -",
					    IPL_STR_ARG(region));
	ipl_event_init(ev, IPL_EVENT_LEDGER_CREATED);
	ev->op = IPL_OP_CREATE_LEDGER;
	ev->ledger_created.ledger = ledger_number;
	*event_time_ms = common.event_time_ms;
	st = default_settings(region, arena, &ev->ledger_created.settings, err);
	return st == IPL_OK ? lay_over(&args, arena, &ev->ledger_created.settings, err) : st;
}
