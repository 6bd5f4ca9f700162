/* SPDX-License-Identifier: Apache-2.0 */
/* What decide functions share: refusals, finding what is named, limits, parts of events. */
#include "operations/operations_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define IDS_SHOWN_MAX 10u

/* --- refusals --- */

static enum ipl_status refuse_text(struct ipl_error *err, enum ipl_code code, const char *format,
				   va_list args) __attribute__((format(printf, 3, 0)));

static enum ipl_status refuse_text(struct ipl_error *err, enum ipl_code code, const char *format,
				   va_list args)
{
	char text[sizeof(err->text)];

	(void)vsnprintf(text, sizeof(text), format, args); /* cut is good enough */
	return ipl_refuse(err, code, "%s", text);
}

enum ipl_status ipl_refuse_id(struct ipl_error *err, enum ipl_code code, struct ipl_str id,
			      const char *format, ...)
{
	struct ipl_value ids = ipl_array();
	va_list args;

	va_start(args, format);
	refuse_text(err, code, format, args);
	va_end(args);
	if (err->arena != NULL)
		ipl_array_add(err->arena, &ids, ipl_text(ipl_arena_str(err->arena, id)));
	ipl_error_add(err, "Ids", ids);
	return IPL_REFUSED;
}

enum ipl_status ipl_refuse_parameter(struct ipl_error *err, enum ipl_code code, const char *name,
				     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	refuse_text(err, code, format, args);
	va_end(args);
	ipl_error_add(err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

static struct ipl_value id_of(const struct ipl_decision *d, enum ipl_kind kind, uint64_t number)
{
	char text[IPL_ID_TEXT_MAX];

	ipl_id_format(ipl_state_letters(d->state), kind, number, text);
	return ipl_text_copy(d->arena, text);
}

/* Who reads only the sentence should know whom it is about. */
static void say_id(struct ipl_error *err, const char *id)
{
	size_t len = strlen(err->text);

	if (strstr(err->text, id) == NULL)
		(void)snprintf(err->text + len, sizeof(err->text) - len, " (%s)", id);
}

enum ipl_status ipl_refused_entity(struct ipl_decision *d, enum ipl_kind kind, uint64_t number)
{
	struct ipl_value ids = ipl_array();
	char id[IPL_ID_TEXT_MAX];

	ipl_id_format(ipl_state_letters(d->state), kind, number, id);
	say_id(d->err, id);
	ipl_array_add(d->arena, &ids, id_of(d, kind, number));
	ipl_error_add(d->err, "Id", id_of(d, kind, number));
	ipl_error_add(d->err, "Ids", ids);
	return IPL_REFUSED;
}

enum ipl_status ipl_refuse_state(struct ipl_decision *d, enum ipl_code code, enum ipl_kind kind,
				 uint64_t number, const char *state, const char *allowed)
{
	struct ipl_value words = ipl_array();
	char id[IPL_ID_TEXT_MAX];

	ipl_id_format(ipl_state_letters(d->state), kind, number, id);
	ipl_refuse(d->err, code, "%s is %s: it must be %s", id, state, allowed);
	ipl_array_add(d->arena, &words, ipl_text_of(allowed));
	ipl_refused_entity(d, kind, number);
	ipl_error_add(d->err, "State", ipl_text_of(state));
	ipl_error_add(d->err, "Allowed", words);
	return IPL_REFUSED;
}

enum ipl_status ipl_refuse_dependency(struct ipl_decision *d, enum ipl_code code,
				      enum ipl_kind kind, const uint64_t *numbers, uint32_t count,
				      uint64_t total, const char *what)
{
	struct ipl_value ids = ipl_array();
	char id[IPL_ID_TEXT_MAX];

	assert(count > 0);
	ipl_id_format(ipl_state_letters(d->state), kind, numbers[0], id);
	ipl_refuse(d->err, code, "%s still has %" PRIu64 " of kind %s, such as %s: delete %s first",
		   what, total, ipl_kind_name(kind), id, total == 1 ? "it" : "them");
	for (uint32_t i = 0; i < count && i < IDS_SHOWN_MAX; i++)
		ipl_array_add(d->arena, &ids, id_of(d, kind, numbers[i]));
	ipl_error_add(d->err, "Ids", ids);
	ipl_error_add(d->err, "Count", ipl_int((int64_t)total));
	return IPL_REFUSED;
}

/* --- what is named --- */

static const union ipl_entity *named(struct ipl_decision *d, enum ipl_kind kind, struct ipl_str id,
				     enum ipl_code code, uint64_t *number)
{
	static const char *const lists[IPL_KIND_COUNT] = {
		[IPL_KIND_VPC] = "DescribeVpcs",
		[IPL_KIND_VSWITCH] = "DescribeVSwitches",
		[IPL_KIND_INSTANCE] = "DescribeInstances",
		[IPL_KIND_ENI] = "DescribeNetworkInterfaces",
		[IPL_KIND_EIP] = "DescribeEipAddresses",
		[IPL_KIND_IPV6] = "DescribeIpv6Addresses",
		[IPL_KIND_IPV6GW] = "DescribeIpv6Gateways",
		[IPL_KIND_IPV6BW] = "DescribeIpv6Addresses",
	};
	enum ipl_kind found = IPL_KIND_NONE;
	const union ipl_entity *entity = NULL;

	if (ipl_id_parse(ipl_state_letters(d->state), id, &found, number) && found == kind)
		entity = ipl_state_find(d->state, kind, *number);
	d->is_unknown = entity == NULL;
	if (entity == NULL)
		ipl_refuse_id(d->err, code, id, "%s %.*s does not exist: %s lists those that do",
			      ipl_kind_name(kind), (int)(id.len > 64 ? 64 : id.len), id.at,
			      lists[kind]);
	return entity;
}

const struct ipl_vpc *ipl_named_vpc(struct ipl_decision *d, struct ipl_str id, uint64_t *number)
{
	return (const struct ipl_vpc *)named(d, IPL_KIND_VPC, id, IPL_CODE_VPC_NOT_FOUND, number);
}

const struct ipl_vswitch *ipl_named_vswitch(struct ipl_decision *d, struct ipl_str id,
					    uint64_t *number)
{
	return (const struct ipl_vswitch *)named(d, IPL_KIND_VSWITCH, id,
						 IPL_CODE_VSWITCH_NOT_FOUND, number);
}

const struct ipl_instance *ipl_named_instance(struct ipl_decision *d, struct ipl_str id,
					      enum ipl_code code, uint64_t *number)
{
	return (const struct ipl_instance *)named(d, IPL_KIND_INSTANCE, id, code, number);
}

const struct ipl_eni *ipl_named_eni(struct ipl_decision *d, struct ipl_str id, enum ipl_code code,
				    uint64_t *number)
{
	return (const struct ipl_eni *)named(d, IPL_KIND_ENI, id, code, number);
}

const struct ipl_eip *ipl_named_eip(struct ipl_decision *d, struct ipl_str id, uint64_t *number)
{
	return (const struct ipl_eip *)named(d, IPL_KIND_EIP, id, IPL_CODE_EIP_NOT_FOUND, number);
}

const struct ipl_ipv6 *ipl_named_ipv6(struct ipl_decision *d, struct ipl_str id, enum ipl_code code,
				      uint64_t *number)
{
	return (const struct ipl_ipv6 *)named(d, IPL_KIND_IPV6, id, code, number);
}

const struct ipl_ipv6gw *ipl_named_ipv6gw(struct ipl_decision *d, struct ipl_str id,
					  uint64_t *number)
{
	return (const struct ipl_ipv6gw *)named(d, IPL_KIND_IPV6GW, id, IPL_CODE_IPV6GW_NOT_FOUND,
						number);
}

const struct ipl_ipv6bw *ipl_named_ipv6bw(struct ipl_decision *d, struct ipl_str id,
					  uint64_t *number)
{
	return (const struct ipl_ipv6bw *)named(d, IPL_KIND_IPV6BW, id, IPL_CODE_IPV6BW_NOT_FOUND,
						number);
}

enum ipl_status ipl_named_zone(struct ipl_decision *d, struct ipl_str zone)
{
	const struct ipl_ev_zone_list *zones = &ipl_settings(d)->zones;

	for (uint32_t i = 0; i < zones->count; i++) {
		if (ipl_str_equal(zones->at[i].id, zone))
			return IPL_OK;
	}
	d->is_unknown = true;
	return ipl_refuse_parameter(d->err, IPL_CODE_ZONE_NOT_FOUND, "ZoneId",
				    "zone %.*s does not exist: those of the ledger's settings do",
				    IPL_STR_ARG(zone));
}

enum ipl_status ipl_refused_limit(struct ipl_decision *d, const char *rule, uint64_t limit,
				  uint64_t count, uint64_t requested)
{
	ipl_error_add(d->err, "Rule", ipl_text_of(rule));
	ipl_error_add(d->err, "Limit", ipl_int((int64_t)limit));
	ipl_error_add(d->err, "Count", ipl_int((int64_t)count));
	ipl_error_add(d->err, "Requested", ipl_int((int64_t)requested));
	return IPL_REFUSED;
}

/* --- limits --- */

const struct ipl_ev_settings *ipl_settings(const struct ipl_decision *d)
{
	return &ipl_state_ledger(d->state)->settings;
}

uint64_t ipl_quota(const struct ipl_decision *d, const char *name)
{
	const struct ipl_ev_quota_list *quotas = &ipl_settings(d)->quotas;

	for (uint32_t i = 0; i < quotas->count; i++) {
		if (ipl_str_is(quotas->at[i].name, name))
			return quotas->at[i].value;
	}
	return UINT64_MAX;
}

enum ipl_status ipl_check_quota(struct ipl_decision *d, enum ipl_code code, const char *name,
				uint64_t used, uint64_t more)
{
	uint64_t quota = ipl_quota(d, name);

	if (used <= quota && more <= quota - used)
		return IPL_OK;
	ipl_refuse(d->err, code,
		   "the quota %s is %" PRIu64 ", %" PRIu64 " are in use and %" PRIu64
		   " more are asked for: raise it with ModifyLedgerSettings",
		   name, quota, used, more);
	return ipl_refused_limit(d, name, quota, used, more);
}

struct ipl_type_limits ipl_instance_limits(const struct ipl_decision *d,
					   const struct ipl_instance *instance)
{
	struct ipl_type_limits limits = { 0 };

	/* A type in use cannot be taken out of the settings, so it is found. */
	(void)ipl_type_find(ipl_settings(d), instance->base.notes->type, &limits);
	return limits;
}

enum ipl_status ipl_check_vpc_addresses(struct ipl_decision *d, uint64_t vpc, uint64_t more)
{
	const struct ipl_vpc *entity = ipl_state_vpc(d->state, vpc);
	uint64_t used = 0;

	if (ipl_quota(d, "PrivateIpAddressesPerVpc") == UINT64_MAX)
		return IPL_OK;
	for (uint32_t i = 0; i < entity->vswitches.count; i++)
		used += ipl_state_vswitch(d->state, entity->vswitches.at[i])->used;
	return ipl_check_quota(d, IPL_CODE_QUOTA_PRIVATE_IP, "PrivateIpAddressesPerVpc", used,
			       more);
}

int64_t ipl_cool_until(const struct ipl_decision *d)
{
	uint64_t delay_s = ipl_settings(d)->reuse_delay_s;

	return delay_s == 0 ? 0 : d->time_ms + (int64_t)delay_s * 1000;
}

uint64_t ipl_next_number(const struct ipl_decision *d, enum ipl_kind kind)
{
	return ipl_state_next_number(d->state, kind);
}

/* --- parts of events --- */

struct ipl_ev_tag_list ipl_tags(struct ipl_decision *d, const struct ipl_any_list *tags)
{
	const struct ipl_args_tag *from = tags->at;
	struct ipl_ev_tag_list list = { ipl_arena_array(d->arena, tags->count, sizeof(*list.at)),
					tags->count };

	for (uint32_t i = 0; list.at != NULL && i < tags->count; i++)
		list.at[i] = (struct ipl_ev_tag){ from[i].key, from[i].value.at == NULL ?
								       IPL_STR("") :
								       from[i].value };
	if (list.at == NULL)
		list.count = 0;
	return list;
}

struct ipl_ev_label_list ipl_labels(struct ipl_decision *d, struct ipl_str one,
				    const struct ipl_strs *many)
{
	uint32_t count = many->count + (one.len > 0);
	struct ipl_ev_label_list list = { ipl_arena_array(d->arena, count, sizeof(*list.at)), 0 };

	if (list.at == NULL)
		return list;
	if (one.len > 0)
		list.at[list.count++].text = one;
	for (uint32_t i = 0; i < many->count; i++)
		list.at[list.count++].text = many->at[i];
	return list;
}

void ipl_free_eni(struct ipl_decision *d, uint64_t number, struct ipl_ev_freed_eni *out)
{
	const struct ipl_eni *eni = ipl_state_eni(d->state, number);

	*out = (struct ipl_ev_freed_eni){ .eni = number, .vswitch = eni->vswitch };
	out->addresses.at =
		ipl_arena_array(d->arena, eni->address_count, sizeof(*out->addresses.at));
	out->eips.at = ipl_arena_array(d->arena, eni->address_count, sizeof(*out->eips.at));
	out->ipv6.at = ipl_arena_array(d->arena, eni->ipv6.count, sizeof(*out->ipv6.at));
	if (d->arena->failed)
		return;
	for (uint32_t i = 0; i < eni->address_count; i++) {
		const struct ipl_eni_address *at = &eni->address[i];
		out->addresses.at[out->addresses.count++].ip = at->ip;
		if (at->eip != 0)
			out->eips.at[out->eips.count++] =
				(struct ipl_ev_freed_eip){ at->eip,
							   ipl_state_eip(d->state, at->eip)->ip };
	}
	for (uint32_t i = 0; i < eni->ipv6.count; i++) {
		out->ipv6.at[out->ipv6.count++] = ipl_free_ipv6(d, eni->ipv6.at[i]);
	}
}

enum ipl_charge ipl_charge_of(struct ipl_str word)
{
	return ipl_str_is(word, ipl_charge_word(IPL_CHARGE_BY_BANDWIDTH)) ?
		       IPL_CHARGE_BY_BANDWIDTH :
		       IPL_CHARGE_BY_TRAFFIC;
}

void ipl_decided(struct ipl_decision *d, enum ipl_event_type type)
{
	ipl_event_init(d->ev, type);
	d->ev->op = d->operation->op;
}

enum ipl_kind ipl_name_parse(struct ipl_region_letters letters, struct ipl_str text,
			     uint64_t *number)
{
	enum ipl_kind kind;
	uint32_t ip;

	if (ipl_id_parse(letters, text, &kind, number))
		return kind;
	if (!ipl_ip4_parse(text, &ip))
		return IPL_KIND_NONE;
	*number = ip;
	return IPL_KIND_IP4;
}
