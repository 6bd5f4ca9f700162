/* SPDX-License-Identifier: Apache-2.0 */
/* The cloud's Describe reads: one entity, or a page of those that match. */
#include "operations/operations_internal.h"

#include <inttypes.h>
#include <stdlib.h>

/* An answer is at most 4 MiB: a page that comes near it ends early. */
#define PAGE_BYTES_MAX ((size_t)3900 << 10)

/* --- one entity --- */

static enum ipl_status not_found(struct ipl_read *r, enum ipl_code code, struct ipl_str id,
				 enum ipl_kind kind, uint64_t number)
{
	struct ipl_lens *lens = r->lens;
	uint64_t deleted = 0;

	if (lens->status != IPL_OK)
		return lens->status;
	if (kind != IPL_KIND_NONE && number != 0 && lens->last != NULL)
		deleted = lens->last(lens, kind, number);
	if (lens->status != IPL_OK)
		return lens->status;
	if (deleted == 0)
		return ipl_refuse_id(r->err, code, id, "%.*s does not exist as of event %" PRIu64,
				     IPL_STR_ARG(id), lens->seq);
	ipl_refuse_id(r->err, code, id, "%.*s was deleted by event %" PRIu64, IPL_STR_ARG(id),
		      deleted);
	ipl_error_add(r->err, "DeletedSeq", ipl_int((int64_t)deleted));
	return IPL_REFUSED;
}

/* The entity that @id names, of @kind or (NONE) of any; NULL with the refusal made. */
static const union ipl_entity *find(struct ipl_read *r, struct ipl_str id, enum ipl_code code,
				    enum ipl_kind *kind, uint64_t *number)
{
	enum ipl_kind named = IPL_KIND_NONE;
	const union ipl_entity *entity = NULL;

	*number = 0;
	if (!ipl_id_parse(r->lens->letters, id, &named, number) ||
	    (*kind != IPL_KIND_NONE && named != *kind))
		named = IPL_KIND_NONE;
	if (named != IPL_KIND_NONE)
		entity = r->lens->find(r->lens, named, *number);
	if (entity == NULL)
		not_found(r, code, id, named, *number);
	*kind = named;
	return entity;
}

static enum ipl_status show_one(struct ipl_read *r, struct ipl_str id, enum ipl_kind kind,
				enum ipl_code code)
{
	uint64_t number;
	const union ipl_entity *entity = find(r, id, code, &kind, &number);

	if (entity == NULL)
		return r->lens->status != IPL_OK ? r->lens->status : IPL_REFUSED;
	*r->result = ipl_show(r->arena, r->lens, kind, number, entity);
	return IPL_OK;
}

enum ipl_status ipl_read_describe_instance(struct ipl_read *r)
{
	IPL_ARGS(r, instance);

	return show_one(r, args->instance, IPL_KIND_INSTANCE, IPL_CODE_INSTANCE_NOT_FOUND);
}

enum ipl_status ipl_read_describe_eni(struct ipl_read *r)
{
	IPL_ARGS(r, describe_eni);

	return show_one(r, args->eni, IPL_KIND_ENI, IPL_CODE_ENI_NOT_FOUND);
}

enum ipl_status ipl_read_get_entity(struct ipl_read *r)
{
	IPL_ARGS(r, get_entity);
	enum ipl_kind kind = IPL_KIND_NONE;
	uint64_t number;
	const union ipl_entity *entity = find(r, args->id, IPL_CODE_NOT_FOUND, &kind, &number);

	if (entity == NULL)
		return r->lens->status != IPL_OK ? r->lens->status : IPL_REFUSED;
	ipl_map_add(r->arena, r->result, "Id", ipl_text(ipl_arena_str(r->arena, args->id)));
	ipl_map_add(r->arena, r->result, "Kind", ipl_text_of(ipl_kind_name(kind)));
	ipl_map_add(r->arena, r->result, "State",
		    ipl_show(r->arena, r->lens, kind, number, entity));
	ipl_map_add(r->arena, r->result, "FirstSeq", ipl_int((int64_t)entity->base.first_seq));
	ipl_map_add(r->arena, r->result, "LastSeq", ipl_int((int64_t)entity->base.last_seq));
	return IPL_OK;
}

enum ipl_status ipl_read_describe_vpc(struct ipl_read *r)
{
	IPL_ARGS(r, describe_vpc);

	return show_one(r, args->vpc, IPL_KIND_VPC, IPL_CODE_VPC_NOT_FOUND);
}

enum ipl_status ipl_read_describe_vswitch(struct ipl_read *r)
{
	IPL_ARGS(r, delete_vswitch);

	return show_one(r, args->vswitch, IPL_KIND_VSWITCH, IPL_CODE_VSWITCH_NOT_FOUND);
}

static bool can_take_ip4(struct ipl_read *r, const struct ipl_vswitch *vswitch, uint32_t ip)
{
	struct ipl_cidr4 cidr = vswitch->cidr;

	return ipl_cidr4_contains(cidr, ip) && ip - cidr.base >= IPL_RESERVED_FIRST &&
	       ipl_cidr4_last(cidr) - ip >= IPL_RESERVED_LAST &&
	       r->lens->holding(r->lens, ipl_key_ip4(vswitch->vpc, ip)).role == IPL_ROLE_NONE;
}

static bool can_take_ip6(struct ipl_read *r, const struct ipl_vswitch *vswitch, struct ipl_ip6 ip)
{
	return vswitch->ipv6_cidr.prefix_len > 0 && ip.hi == vswitch->ipv6_cidr.hi &&
	       !ipl_ip6_is_reserved(ip) &&
	       r->lens->holding(r->lens, ipl_key_ip6(ip.hi, ip.lo)).role == IPL_ROLE_NONE;
}

/* Whether an address could be given by name: in the block, not reserved, held by nobody. */
enum ipl_status ipl_read_check_address(struct ipl_read *r)
{
	IPL_ARGS(r, check_address);
	enum ipl_kind kind = IPL_KIND_VSWITCH;
	uint64_t number;
	const union ipl_entity *entity =
		find(r, args->vswitch, IPL_CODE_VSWITCH_NOT_FOUND, &kind, &number);
	bool is_ip6 = ipl_str_is(args->version, "ipv6"), can;
	struct ipl_ip6 ip6;
	uint32_t ip;

	if (entity == NULL)
		return r->lens->status != IPL_OK ? r->lens->status : IPL_REFUSED;
	if (is_ip6 ? !ipl_ip6_parse(args->private_ip, &ip6) : !ipl_ip4_parse(args->private_ip, &ip))
		return ipl_refuse_parameter(r->err, IPL_CODE_INVALID_PARAMETER, "PrivateIpAddress",
					    "\"%.64s\" is no %s address",
					    ipl_arena_str(r->arena, args->private_ip).at,
					    is_ip6 ? "IPv6" : "IPv4");
	can = is_ip6 ? can_take_ip6(r, &entity->vswitch, ip6) :
		       can_take_ip4(r, &entity->vswitch, ip);
	ipl_map_add(r->arena, r->result, "CanAllocate", ipl_bool(can));
	return IPL_OK;
}

static void add_type(struct ipl_read *r, struct ipl_value *list, struct ipl_str name,
		     const struct ipl_type_limits *limits)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(r->arena, &map, "InstanceTypeId", ipl_text(ipl_arena_str(r->arena, name)));
	ipl_map_add(r->arena, &map, "EniQuantity", ipl_int(limits->eni_max));
	ipl_map_add(r->arena, &map, "EniPrivateIpAddressQuantity", ipl_int(limits->ip4_max));
	ipl_map_add(r->arena, &map, "EniIpv6AddressQuantity", ipl_int(limits->ip6_max));
	ipl_array_add(r->arena, list, map);
}

enum ipl_status ipl_read_describe_types(struct ipl_read *r)
{
	IPL_ARGS(r, describe_types);
	const union ipl_entity *ledger = r->lens->find(r->lens, IPL_KIND_LEDGER, r->lens->ledger);
	const struct ipl_ev_settings none = { .region = IPL_STR("") };
	const struct ipl_ev_settings *settings = ledger == NULL ? &none : &ledger->ledger.settings;
	struct ipl_value list = ipl_array(), outer = ipl_map();
	struct ipl_type_limits limits;
	struct ipl_str name;

	for (size_t i = 0; ledger != NULL && (name = ipl_type_at(settings, i)).at != NULL; i++) {
		bool wanted = args->types.count == 0;
		for (uint32_t k = 0; k < args->types.count; k++)
			wanted = wanted || ipl_str_equal(args->types.at[k], name);
		if (wanted && ipl_type_find(settings, name, &limits))
			add_type(r, &list, name, &limits);
	}
	ipl_map_add(r->arena, &outer, "InstanceType", list);
	ipl_map_add(r->arena, r->result, "InstanceTypes", outer);
	return r->lens->status;
}

/* --- lists --- */

typedef bool (*match_fn)(struct ipl_read *r, uint64_t number, const union ipl_entity *entity);

struct list {
	enum ipl_kind kind;
	const char *outer;
	const char *inner;
	match_fn match;
	/* The only ones that can match, ascending; NULL: all are looked at. */
	const uint64_t *candidate;
	uint32_t candidate_count;
	/* How one is shown, if not as its kind is. */
	struct ipl_value (*show)(struct ipl_read *r, uint64_t number,
				 const union ipl_entity *entity);
};

static uint64_t next_of(struct ipl_read *r, const struct list *list, uint64_t after)
{
	if (list->candidate == NULL)
		return r->lens->next(r->lens, list->kind, after);
	for (uint32_t i = 0; i < list->candidate_count; i++) {
		if (list->candidate[i] > after)
			return list->candidate[i];
	}
	return 0;
}

static struct ipl_value show_listed(struct ipl_read *r, const struct list *list, uint64_t number,
				    const union ipl_entity *entity)
{
	if (list->show != NULL)
		return list->show(r, number, entity);
	if (list->kind == IPL_KIND_INSTANCE)
		return ipl_show_listed_instance(r->arena, r->lens, number, &entity->instance);
	return ipl_show(r->arena, r->lens, list->kind, number, entity);
}

/* Everything that matches is counted; what is on this page is shown. */
static enum ipl_status answer_list(struct ipl_read *r, const struct list *list)
{
	struct ipl_value items = ipl_array(), outer = ipl_map();
	size_t bytes = 0;
	int64_t total = 0;
	uint64_t skipped = 0;
	bool full = false;

	for (uint64_t n = next_of(r, list, 0); n != 0; n = next_of(r, list, n)) {
		const union ipl_entity *entity = r->lens->find(r->lens, list->kind, n);
		struct ipl_value shown;
		if (entity == NULL || !list->match(r, n, entity))
			continue;
		total++;
		if (n <= r->after || full || skipped < r->skip) {
			skipped += n > r->after;
			continue;
		}
		if (items.count == r->max_results) {
			full = true;
			continue;
		}
		shown = show_listed(r, list, n, entity);
		bytes += ipl_value_bytes(&shown);
		if (bytes > PAGE_BYTES_MAX && items.count > 0 && !r->is_numbered) {
			full = true;
			continue;
		}
		ipl_array_add(r->arena, &items, shown);
		r->end = n;
	}
	if (!full)
		r->end = 0;
	ipl_map_add(r->arena, &outer, list->inner, items);
	ipl_map_add(r->arena, r->result, list->outer, outer);
	ipl_map_add(r->arena, r->result, "TotalCount", ipl_int(total));
	return IPL_OK;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void add_candidate(struct list *list, uint64_t *numbers, uint64_t number)
{
	for (uint32_t i = 0; i < list->candidate_count; i++) {
		if (numbers[i] == number)
			return;
	}
	numbers[list->candidate_count++] = number;
}

/* Ids that are named narrow the list to them; an id of nothing matches nothing. */
static enum ipl_status narrow_to_ids(struct ipl_read *r, struct list *list,
				     const struct ipl_strs *ids)
{
	uint64_t *numbers;

	if (!ids->given || ids->count == 0)
		return IPL_OK;
	numbers = ipl_arena_array(r->arena, ids->count, sizeof(*numbers));
	if (numbers == NULL)
		return ipl_error_set(r->err, IPL_ERR_NOMEM, "out of memory for a list");
	list->candidate_count = 0;
	for (uint32_t i = 0; i < ids->count; i++) {
		enum ipl_kind kind;
		uint64_t number;
		if (ipl_id_parse(r->lens->letters, ids->at[i], &kind, &number) &&
		    kind == list->kind)
			add_candidate(list, numbers, number);
	}
	qsort(numbers, list->candidate_count, sizeof(*numbers), compare_numbers);
	list->candidate = numbers;
	return IPL_OK;
}

/* The number that @id names if it is of @kind; 0 where it names nothing. */
static uint64_t number_of(const struct ipl_read *r, enum ipl_kind kind, struct ipl_str id)
{
	enum ipl_kind named;
	uint64_t number;

	return ipl_id_parse(r->lens->letters, id, &named, &number) && named == kind ? number : 0;
}

static bool is_absent_or(struct ipl_str wanted, struct ipl_str has)
{
	return wanted.len == 0 || ipl_str_equal(wanted, has);
}

static bool is_absent_or_id(const struct ipl_read *r, struct ipl_str wanted, enum ipl_kind kind,
			    uint64_t has)
{
	/* What names nothing has the number 0, as what is bound to nothing has. */
	return wanted.len == 0 || (has != 0 && number_of(r, kind, wanted) == has);
}

static bool is_absent_or_flag(int64_t wanted, bool has)
{
	return wanted == IPL_ABSENT || (wanted == 1) == has;
}

static bool has_ip(const struct ipl_strs *wanted, uint32_t ip)
{
	for (uint32_t i = 0; i < wanted->count; i++) {
		uint32_t one;
		if (ipl_ip4_parse(wanted->at[i], &one) && one == ip && ip != 0)
			return true;
	}
	return false;
}

static bool has_ip6(const struct ipl_strs *wanted, struct ipl_ip6 ip)
{
	for (uint32_t i = 0; i < wanted->count; i++) {
		struct ipl_ip6 one;
		if (ipl_ip6_parse(wanted->at[i], &one) && one.hi == ip.hi && one.lo == ip.lo)
			return true;
	}
	return false;
}

/* Whether any IPv6 address of @eni is wanted, or none is asked for. */
static bool has_any_ip6(struct ipl_read *r, const struct ipl_eni *eni,
			const struct ipl_strs *wanted)
{
	for (uint32_t i = 0; wanted->count > 0 && i < eni->ipv6.count; i++) {
		const struct ipl_ipv6 *ipv6 = ipl_lens_ipv6(r->lens, eni->ipv6.at[i]);
		if (ipv6 != NULL && has_ip6(wanted, ipv6->ip))
			return true;
	}
	return wanted->count == 0;
}

/* --- VPCs and vSwitches --- */

static bool match_vpc(struct ipl_read *r, uint64_t number, const union ipl_entity *entity)
{
	IPL_ARGS(r, describe_vpcs);

	(void)number;
	return is_absent_or(args->name, entity->base.notes->name) &&
	       is_absent_or_flag(args->is_default, false) &&
	       is_absent_or_flag(args->ipv6, entity->vpc.ipv6_cidr.prefix_len > 0);
}

enum ipl_status ipl_read_describe_vpcs(struct ipl_read *r)
{
	IPL_ARGS(r, describe_vpcs);
	struct list list = { IPL_KIND_VPC, "Vpcs", "Vpc", match_vpc, NULL, 0, NULL };
	enum ipl_status st = narrow_to_ids(r, &list, &args->ids);

	return st == IPL_OK ? answer_list(r, &list) : st;
}

static bool match_vswitch(struct ipl_read *r, uint64_t number, const union ipl_entity *entity)
{
	IPL_ARGS(r, describe_vswitches);

	(void)number;
	return is_absent_or_id(r, args->vpc, IPL_KIND_VPC, entity->vswitch.vpc) &&
	       is_absent_or(args->zone, entity->base.notes->zone) &&
	       is_absent_or(args->name, entity->base.notes->name) &&
	       is_absent_or_flag(args->is_default, false) &&
	       is_absent_or_flag(args->ipv6, entity->vswitch.ipv6_cidr.prefix_len > 0);
}

enum ipl_status ipl_read_describe_vswitches(struct ipl_read *r)
{
	IPL_ARGS(r, describe_vswitches);
	struct list list = {
		IPL_KIND_VSWITCH, "VSwitches", "VSwitch", match_vswitch, NULL, 0, NULL
	};
	enum ipl_status st = narrow_to_ids(r, &list, &args->ids);

	return st == IPL_OK ? answer_list(r, &list) : st;
}

/* --- instances --- */

static bool match_instance_addresses(struct ipl_read *r, const struct ipl_instance *instance,
				     const struct ipl_eni *primary)
{
	IPL_ARGS(r, describe_instances);
	const struct ipl_eip *eip = args->eips.count > 0 && instance->eip != 0 ?
					    ipl_lens_eip(r->lens, instance->eip) :
					    NULL;

	if (args->private_ips.count > 0 && !has_ip(&args->private_ips, primary->address[0].ip))
		return false;
	if (args->public_ips.count > 0 && !has_ip(&args->public_ips, instance->public_ip))
		return false;
	if (args->eips.count > 0 && (eip == NULL || !has_ip(&args->eips, eip->ip)))
		return false;
	return has_any_ip6(r, primary, &args->ipv6);
}

static bool match_instance(struct ipl_read *r, uint64_t number, const union ipl_entity *entity)
{
	IPL_ARGS(r, describe_instances);
	const struct ipl_instance *instance = &entity->instance;
	const struct ipl_notes *notes = entity->base.notes;
	const struct ipl_eni *primary;

	(void)number;
	if (!is_absent_or_id(r, args->vpc, IPL_KIND_VPC, instance->vpc) ||
	    !is_absent_or(args->zone, notes->zone) || !is_absent_or(args->name, notes->name) ||
	    !is_absent_or(args->type, notes->type) ||
	    !is_absent_or(args->status, ipl_str_of(ipl_run_word(instance->state))))
		return false;
	if (args->vswitch.len == 0 && args->private_ips.count == 0 && args->public_ips.count == 0 &&
	    args->eips.count == 0 && args->ipv6.count == 0)
		return true;
	primary = ipl_lens_eni(r->lens, instance->enis.at[0]);
	return primary != NULL &&
	       is_absent_or_id(r, args->vswitch, IPL_KIND_VSWITCH, primary->vswitch) &&
	       match_instance_addresses(r, instance, primary);
}

/* A filter by a word that no such thing ever has is a slip of the caller. */
static enum ipl_status check_word(struct ipl_read *r, enum ipl_code code, const char *name,
				  const char *words, struct ipl_str text)
{
	if (text.len == 0 || ipl_is_word(words, text))
		return IPL_OK;
	return ipl_refuse_parameter(r->err, code, name, "%s is \"%.*s\": it must be one of %s",
				    name, IPL_STR_ARG(text), words);
}

enum ipl_status ipl_read_describe_instances(struct ipl_read *r)
{
	IPL_ARGS(r, describe_instances);
	struct list list = {
		IPL_KIND_INSTANCE, "Instances", "Instance", match_instance, NULL, 0, NULL
	};
	enum ipl_status st = check_word(r, IPL_CODE_INSTANCE_STATUS_WORD, "Status",
					"Pending|Running|Starting|Stopping|Stopped", args->status);

	if (st == IPL_OK)
		st = narrow_to_ids(r, &list, &args->ids);
	return st == IPL_OK ? answer_list(r, &list) : st;
}

static bool match_status(struct ipl_read *r, uint64_t number, const union ipl_entity *entity)
{
	IPL_ARGS(r, describe_status);

	(void)number;
	return is_absent_or(args->zone, entity->base.notes->zone);
}

static struct ipl_value show_status(struct ipl_read *r, uint64_t number,
				    const union ipl_entity *entity)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(r->arena, &map, "InstanceId",
		    ipl_show_id(r->arena, r->lens, IPL_KIND_INSTANCE, number));
	ipl_map_add(r->arena, &map, "Status", ipl_text_of(ipl_run_word(entity->instance.state)));
	return map;
}

enum ipl_status ipl_read_describe_status(struct ipl_read *r)
{
	IPL_ARGS(r, describe_status);
	struct list list = {
		IPL_KIND_INSTANCE, "InstanceStatuses", "InstanceStatus", match_status, NULL, 0,
		show_status
	};
	enum ipl_status st = narrow_to_ids(r, &list, &args->ids);

	return st == IPL_OK ? answer_list(r, &list) : st;
}

/* --- network interfaces --- */

static bool has_any(const struct ipl_eni *eni, const struct ipl_strs *wanted)
{
	for (uint32_t i = 0; i < eni->address_count; i++) {
		if (has_ip(wanted, eni->address[i].ip))
			return true;
	}
	return wanted->count == 0;
}

static bool match_eni(struct ipl_read *r, uint64_t number, const union ipl_entity *entity)
{
	IPL_ARGS(r, describe_enis);
	const struct ipl_eni *eni = &entity->eni;
	const struct ipl_strs primary = { (struct ipl_str *)(uintptr_t)&args->primary_ip, 1, true };

	(void)number;
	return is_absent_or_id(r, args->instance, IPL_KIND_INSTANCE, eni->instance) &&
	       is_absent_or_id(r, args->vpc, IPL_KIND_VPC, eni->vpc) &&
	       is_absent_or_id(r, args->vswitch, IPL_KIND_VSWITCH, eni->vswitch) &&
	       is_absent_or(args->status, ipl_str_of(eni->instance == 0 ? "Available" : "InUse")) &&
	       is_absent_or(args->type, ipl_str_of(eni->is_primary ? "Primary" : "Secondary")) &&
	       is_absent_or(args->name, entity->base.notes->name) &&
	       (args->primary_ip.len == 0 || has_ip(&primary, eni->address[0].ip)) &&
	       has_any(eni, &args->private_ips) && has_any_ip6(r, eni, &args->ipv6);
}

enum ipl_status ipl_read_describe_enis(struct ipl_read *r)
{
	IPL_ARGS(r, describe_enis);
	struct list list = {
		IPL_KIND_ENI, "NetworkInterfaceSets", "NetworkInterfaceSet", match_eni, NULL, 0,
		NULL
	};
	enum ipl_status st = narrow_to_ids(r, &list, &args->ids);

	return st == IPL_OK ? answer_list(r, &list) : st;
}

/* --- EIPs --- */

static bool match_eip(struct ipl_read *r, uint64_t number, const union ipl_entity *entity)
{
	IPL_ARGS(r, describe_eips);
	const struct ipl_eip *eip = &entity->eip;
	bool on_instance = eip->instance != 0;

	(void)number;
	if (args->ips.count > 0 && !has_ip(&args->ips, eip->ip))
		return false;
	if (args->target_type.len > 0 &&
	    (eip->eni == 0 ||
	     !ipl_str_is(args->target_type, on_instance ? "EcsInstance" : "NetworkInterface")))
		return false;
	return is_absent_or(args->status, ipl_str_of(eip->eni == 0 ? "Available" : "InUse")) &&
	       is_absent_or(args->charge_type, IPL_STR("PostPaid")) &&
	       is_absent_or(args->isp, entity->base.notes->type) &&
	       is_absent_or(args->name, entity->base.notes->name) &&
	       is_absent_or_id(r, args->target, on_instance ? IPL_KIND_INSTANCE : IPL_KIND_ENI,
			       on_instance ? eip->instance : eip->eni);
}

enum ipl_status ipl_read_describe_eips(struct ipl_read *r)
{
	IPL_ARGS(r, describe_eips);
	struct list list = { IPL_KIND_EIP, "EipAddresses", "EipAddress", match_eip, NULL, 0, NULL };
	enum ipl_status st = check_word(r, IPL_CODE_EIP_CHARGE_WORD, "ChargeType",
					"PostPaid|PrePaid", args->charge_type);

	if (st == IPL_OK)
		st = check_word(r, IPL_CODE_EIP_TARGET_WORD, "AssociatedInstanceType",
				"EcsInstance|NetworkInterface|Nat|SlbInstance|HaVip|IpAddress",
				args->target_type);
	if (st == IPL_OK)
		st = narrow_to_ids(r, &list, &args->ids);
	return st == IPL_OK ? answer_list(r, &list) : st;
}

/* --- IPv6 --- */

static bool match_ipv6_target(struct ipl_read *r, const struct ipl_ipv6 *ipv6)
{
	IPL_ARGS(r, describe_ipv6);
	const struct ipl_eni *eni;
	bool on_primary;

	if (args->target.len == 0 && args->target_type.len == 0)
		return true;
	eni = ipl_lens_eni(r->lens, ipv6->eni);
	if (eni == NULL)
		return false;
	on_primary = eni->is_primary;
	return is_absent_or(args->target_type,
			    ipl_str_of(on_primary ? "EcsInstance" : "NetworkInterface")) &&
	       is_absent_or_id(r, args->target, on_primary ? IPL_KIND_INSTANCE : IPL_KIND_ENI,
			       on_primary ? eni->instance : ipv6->eni);
}

static bool match_ipv6(struct ipl_read *r, uint64_t number, const union ipl_entity *entity)
{
	IPL_ARGS(r, describe_ipv6);
	const struct ipl_ipv6 *ipv6 = &entity->ipv6;
	const struct ipl_strs ip = { (struct ipl_str *)(uintptr_t)&args->ip, 1, true };

	(void)number;
	return (args->ip.len == 0 || has_ip6(&ip, ipv6->ip)) &&
	       is_absent_or_id(r, args->bandwidth, IPL_KIND_IPV6BW, ipv6->bandwidth) &&
	       is_absent_or_id(r, args->vswitch, IPL_KIND_VSWITCH, ipv6->vswitch) &&
	       is_absent_or_id(r, args->vpc, IPL_KIND_VPC, ipv6->vpc) &&
	       is_absent_or(args->network_type,
			    ipl_str_of(ipv6->bandwidth == 0 ? "Private" : "Public")) &&
	       is_absent_or(args->name, IPL_STR("")) &&
	       is_absent_or(args->address_type, IPL_STR("IPv6Address")) &&
	       match_ipv6_target(r, ipv6);
}

enum ipl_status ipl_read_describe_ipv6(struct ipl_read *r)
{
	IPL_ARGS(r, describe_ipv6);
	struct list list = { IPL_KIND_IPV6, "Ipv6Addresses", "Ipv6Address", match_ipv6, NULL, 0,
			     NULL };
	enum ipl_status st = narrow_to_ids(r, &list, &args->ids);

	return st == IPL_OK ? answer_list(r, &list) : st;
}

static bool match_ipv6gw(struct ipl_read *r, uint64_t number, const union ipl_entity *entity)
{
	IPL_ARGS(r, describe_ipv6gws);

	(void)number;
	return is_absent_or_id(r, args->vpc, IPL_KIND_VPC, entity->ipv6gw.vpc) &&
	       is_absent_or(args->name, entity->base.notes->name);
}

enum ipl_status ipl_read_describe_ipv6gws(struct ipl_read *r)
{
	IPL_ARGS(r, describe_ipv6gws);
	struct list list = {
		IPL_KIND_IPV6GW, "Ipv6Gateways", "Ipv6Gateway", match_ipv6gw, NULL, 0, NULL
	};
	enum ipl_status st = narrow_to_ids(r, &list, &args->ids);

	return st == IPL_OK ? answer_list(r, &list) : st;
}
