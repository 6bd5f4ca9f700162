/* SPDX-License-Identifier: Apache-2.0 */
/* GetHistory, ListAddresses and DiffState: what is asked for, of which chains, and the pages of the
 * answer. */
#include "server/engine_internal.h"

#include <inttypes.h>
#include <string.h>

#include "events/hash.h"
#include "events/time.h"
#include "replay/addresses.h"
#include "replay/diff.h"
#include "replay/history.h"

#define PAGE_BYTES_MAX ((size_t)3900 << 10)
/* Events that one page of a diff loads: then it ends early, so that nobody waits long. */
#define LOADS_MAX 20000u

struct ask {
	struct ipl_engine *engine;
	struct ipl_arena *arena;
	struct ipl_error *err;
	uint64_t filter; /* what a page's token is good for */
	struct ipl_page_token token;
};

static enum ipl_status wrong(struct ask *ask, const char *name, const char *why)
{
	ipl_refuse(ask->err, IPL_CODE_INVALID_PARAMETER, "%s %s", name, why);
	ipl_error_add(ask->err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

static enum ipl_status not_there(struct ask *ask, enum ipl_code code, struct ipl_str id,
				 uint64_t seq)
{
	struct ipl_value ids = ipl_array();

	ipl_refuse(ask->err, code, "%.*s did not exist up to event %" PRIu64, IPL_STR_ARG(id), seq);
	ipl_array_add(ask->arena, &ids, ipl_text(ipl_arena_str(ask->arena, id)));
	ipl_error_add(ask->err, "Ids", ids);
	return IPL_REFUSED;
}

/* The moment of the first page, and where this one begins. */
static enum ipl_status begin(struct ask *ask, const struct ipl_operation *operation,
			     const void *args, const struct ipl_common *common, uint64_t as_of)
{
	ask->filter = ipl_operation_digest(operation, args, ask->arena) ^
		      ipl_hash64(operation->name, strlen(operation->name));
	ask->token = (struct ipl_page_token){ .seq = as_of };
	if (common->next_token.len == 0)
		return IPL_OK;
	return ipl_page_token_parse(common->next_token, ask->filter, &ask->token, ask->err);
}

static void add_token(struct ask *ask, struct ipl_value *result, uint64_t position)
{
	ask->token.position = position;
	ipl_map_add(ask->arena, result, "NextToken",
		    position == 0 ? ipl_text(IPL_STR("")) :
				    ipl_page_token_value(ask->arena, ask->token, ask->filter));
}

/* --- GetHistory --- */

static enum ipl_status read_time(struct ask *ask, const char *name, struct ipl_str text,
				 int64_t *out)
{
	return ipl_time_parse(text, out) ?
		       IPL_OK :
		       wrong(ask, name, "is no RFC 3339 time such as 2026-11-23T14:03:00Z");
}

/* From what was in force at a moment to what began up to another. */
static enum ipl_status read_window(struct ask *ask, const struct ipl_args_get_history *args,
				   struct ipl_history *h)
{
	int64_t from_ms, to_ms;
	enum ipl_status st = IPL_OK;

	if (args->from_seq != IPL_ABSENT && args->from_time.len > 0)
		return wrong(ask, "FromTime", "and FromSeq exclude each other: give one");
	if (args->to_seq != IPL_ABSENT && args->to_time.len > 0)
		return wrong(ask, "ToTime", "and ToSeq exclude each other: give one");
	h->to = h->as_of;
	if (args->from_seq != IPL_ABSENT)
		h->from = h->in_force = (uint64_t)args->from_seq;
	if (args->to_seq != IPL_ABSENT)
		h->to = (uint64_t)args->to_seq;
	if (args->from_time.len > 0) {
		st = read_time(ask, "FromTime", args->from_time, &from_ms);
		if (st == IPL_OK)
			st = ipl_engine_seq_at(ask->engine, from_ms - 1, &h->from, ask->err);
		h->from++; /* the first that is not earlier */
		if (st == IPL_OK)
			st = ipl_engine_seq_at(ask->engine, from_ms, &h->in_force, ask->err);
	}
	if (st == IPL_OK && args->to_time.len > 0) {
		st = read_time(ask, "ToTime", args->to_time, &to_ms);
		if (st == IPL_OK)
			st = ipl_engine_seq_at(ask->engine, to_ms, &h->to, ask->err);
	}
	h->to = h->to < h->as_of ? h->to : h->as_of;
	return st;
}

/* A VPC that is or was, by its id. */
static enum ipl_status read_vpc(struct ask *ask, struct ipl_str id, uint64_t as_of, uint64_t *out)
{
	enum ipl_kind kind = IPL_KIND_NONE;
	uint64_t number = 0, last = 0;
	enum ipl_status st;

	if (!ipl_id_parse(ask->engine->letters, id, &kind, &number) || kind != IPL_KIND_VPC)
		return not_there(ask, IPL_CODE_VPC_NOT_FOUND, id, as_of);
	st = ipl_chain_seek(&ask->engine->source, ipl_key_entity(kind, number), as_of, &last,
			    ask->err);
	if (st == IPL_OK && last == 0)
		return not_there(ask, IPL_CODE_VPC_NOT_FOUND, id, as_of);
	*out = number;
	return st;
}

static void add_key(const struct ask *ask, struct ipl_key key, struct ipl_key *keys, size_t *count)
{
	if (ipl_engine_last(ask->engine, key) != 0)
		keys[(*count)++] = key;
}

/* An IPv4 address in public, and in VPC @vpc or (0) in each that ever was; else an IPv6 one. */
static enum ipl_status read_address(struct ask *ask, struct ipl_str text, uint64_t vpc,
				    struct ipl_key **keys, size_t *count)
{
	uint64_t last = vpc != 0 ? vpc : ipl_engine_vpcs(ask->engine) - 1;
	struct ipl_ip6 ip6;
	uint32_t ip;

	*keys = ipl_arena_array(ask->arena, last + 1, sizeof(**keys));
	*count = 0;
	if (*keys == NULL)
		return ipl_error_set(ask->err, IPL_ERR_NOMEM, "out of memory for a history");
	if (ipl_ip6_parse(text, &ip6)) {
		add_key(ask, ipl_key_ip6(ip6.hi, ip6.lo), *keys, count);
		return IPL_OK;
	}
	if (!ipl_ip4_parse(text, &ip))
		return wrong(ask, "Address", "is no IPv4 or IPv6 address");
	add_key(ask, ipl_key_ip4(0, ip), *keys, count);
	for (uint64_t n = vpc != 0 ? vpc : 1; n <= last; n++)
		add_key(ask, ipl_key_ip4(n, ip), *keys, count);
	return IPL_OK;
}

static enum ipl_status history_of_address(struct ask *ask, const struct ipl_args_get_history *args,
					  struct ipl_history *h)
{
	struct ipl_key *keys;
	size_t count;
	enum ipl_status st = IPL_OK;

	if (args->vpc.len > 0)
		st = read_vpc(ask, args->vpc, h->as_of, &h->vpc);
	if (st == IPL_OK)
		st = read_address(ask, args->address, h->vpc, &keys, &count);
	return st == IPL_OK ? ipl_history_of_address(h, keys, count) : st;
}

static enum ipl_status history_of_entity(struct ask *ask, struct ipl_str id, struct ipl_history *h)
{
	enum ipl_kind kind = IPL_KIND_NONE;
	uint64_t number = 0, last = 0;
	enum ipl_status st;

	if (!ipl_id_parse(ask->engine->letters, id, &kind, &number))
		return not_there(ask, IPL_CODE_NOT_FOUND, id, h->as_of);
	st = ipl_chain_seek(h->source, ipl_key_entity(kind, number), h->as_of, &last, ask->err);
	if (st == IPL_OK && last == 0)
		return not_there(ask, IPL_CODE_NOT_FOUND, id, h->as_of);
	return st == IPL_OK ? ipl_history_of_entity(h, kind, number) : st;
}

static enum ipl_status history(struct ask *ask, const struct ipl_args_get_history *args,
			       struct ipl_history *h)
{
	enum ipl_status st;

	if (args->id.len > 0 && args->address.len > 0)
		return wrong(ask, "Address", "and Id exclude each other: give one");
	if (args->id.len > 0 && args->vpc.len > 0)
		return wrong(ask, "VpcId", "goes with Address, not with Id");
	if (args->id.len == 0 && args->address.len == 0) {
		ipl_refuse(ask->err, IPL_CODE_MISSING_PARAMETER, "Id or Address is missing");
		ipl_error_add(ask->err, "Parameter", ipl_text_of("Id"));
		return IPL_REFUSED;
	}
	st = read_window(ask, args, h);
	if (st != IPL_OK)
		return st;
	return args->id.len > 0 ? history_of_entity(ask, args->id, h) :
				  history_of_address(ask, args, h);
}

enum ipl_status ipl_engine_get_history(struct ipl_engine *engine,
				       const struct ipl_operation *operation,
				       const struct ipl_args_get_history *args,
				       const struct ipl_common *common, uint64_t *as_of,
				       struct ipl_arena *arena, struct ipl_answer *answer)
{
	struct ask ask = { .engine = engine, .arena = arena, .err = &answer->err };
	struct ipl_lens lens;
	struct ipl_history h = { .source = &engine->source,
				 .lens = &lens,
				 .arena = arena,
				 .err = &answer->err,
				 .max_results = common->max_results,
				 .bytes_max = PAGE_BYTES_MAX,
				 .page = ipl_array() };
	enum ipl_status st = begin(&ask, operation, args, common, *as_of);

	if (st == IPL_OK)
		st = ipl_past_open(&lens, &engine->source, 0, 0, &answer->err);
	if (st != IPL_OK)
		return st;
	ipl_engine_set_ledger(engine, &lens);
	*as_of = ask.token.seq;
	h.as_of = ask.token.seq;
	h.position = ask.token.position;
	st = history(&ask, args, &h);
	ipl_past_close(&lens);
	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, &answer->result, "History", h.page);
	add_token(&ask, &answer->result, h.position);
	return IPL_OK;
}

/* --- ListAddresses --- */

/* One address, in public and in VPCs: the place of the next of them is the position. */
static enum ipl_status list_one(struct ask *ask, const struct ipl_args_list_addresses *args,
				struct ipl_history *h)
{
	struct ipl_key *keys;
	size_t count, at = h->position;
	struct ipl_latest latest;
	uint32_t before;
	enum ipl_status st = read_address(ask, args->address, h->vpc, &keys, &count);

	h->position = 0;
	for (; st == IPL_OK && at < count; at++) {
		if (h->page.count == h->max_results) {
			h->position = at;
			return IPL_OK;
		}
		before = h->page.count;
		st = ipl_latest_find(h->source, keys[at], h->as_of, &latest, h->err);
		if (st == IPL_OK)
			st = ipl_history_last(h, keys[at], &latest);
		if (st == IPL_ERR_END)
			st = IPL_OK;
		/* An IPv6 address is in one VPC only. */
		if (st == IPL_OK && h->page.count > before && keys[at].kind == IPL_KIND_IP6 &&
		    args->vpc.len > 0 &&
		    !ipl_str_equal(
			    ipl_map_text(ipl_map_get(&h->page.item[before], "Holder"), "VpcId"),
			    args->vpc))
			h->page.count = before;
	}
	return st;
}

/* A vSwitch that is or was: its block and number. */
static enum ipl_status read_vswitch(struct ask *ask, struct ipl_str id, struct ipl_addresses *a)
{
	enum ipl_kind kind = IPL_KIND_NONE;
	uint64_t last = 0;
	enum ipl_status st = IPL_OK;

	if (!ipl_id_parse(ask->engine->letters, id, &kind, &a->vswitch) || kind != IPL_KIND_VSWITCH)
		return not_there(ask, IPL_CODE_VSWITCH_NOT_FOUND, id, a->h->as_of);
	st = ipl_chain_seek(a->h->source, ipl_key_entity(kind, a->vswitch), a->h->as_of, &last,
			    ask->err);
	if (st == IPL_OK && last == 0)
		return not_there(ask, IPL_CODE_VSWITCH_NOT_FOUND, id, a->h->as_of);
	a->has_ip4 = a->has_ip6 = true;
	return st;
}

static enum ipl_status list_addresses(struct ask *ask, const struct ipl_args_list_addresses *args,
				      struct ipl_addresses *a)
{
	int given = (args->address.len > 0) + (args->cidr.len > 0) + (args->vswitch.len > 0);
	enum ipl_status st = IPL_OK;

	if (given == 0) {
		ipl_refuse(ask->err, IPL_CODE_MISSING_PARAMETER,
			   "Address, CidrBlock or VSwitchId is missing");
		ipl_error_add(ask->err, "Parameter", ipl_text_of("Address"));
		return IPL_REFUSED;
	}
	if (given > 1)
		return wrong(ask, args->vswitch.len > 0 ? "VSwitchId" : "CidrBlock",
			     "is too much: give one of Address, CidrBlock and VSwitchId");
	if (args->vpc.len > 0)
		st = read_vpc(ask, args->vpc, a->h->as_of, &a->vpc);
	a->h->vpc = a->vpc;
	if (st == IPL_OK && args->address.len > 0)
		return list_one(ask, args, a->h);
	if (st == IPL_OK && args->vswitch.len > 0)
		st = read_vswitch(ask, args->vswitch, a);
	else if (st == IPL_OK && ipl_cidr4_parse(args->cidr, &a->cidr))
		a->has_ip4 = true;
	else if (st == IPL_OK && ipl_cidr6_parse(args->cidr, &a->cidr6))
		a->has_ip6 = true;
	else if (st == IPL_OK)
		return wrong(ask, "CidrBlock", "is no block such as 10.0.0.0/24");
	return st == IPL_OK ? ipl_addresses_page(a) : st;
}

/* What is read through @counted, as of the moment that the token pins. */
static enum ipl_status addresses_page(struct ask *ask, const struct ipl_args_list_addresses *args,
				      struct ipl_counted *counted, struct ipl_moment *moment,
				      struct ipl_history *h)
{
	struct ipl_addresses a = {
		.h = h,
		.ledger = ask->engine->ledger_number,
		.loads = &counted->loads,
		.loads_max = LOADS_MAX,
	};
	const struct ipl_value pinned = ipl_int((int64_t)ask->token.seq);
	struct ipl_lens lens;
	enum ipl_status st = IPL_OK;

	if (ask->token.seq != moment->seq)
		st = ipl_engine_moment_of(ask->engine, "NextToken", &pinned, ask->token.seq, moment,
					  ask->err);
	if (st == IPL_OK)
		st = ipl_past_open(&lens, h->source, moment->seq, moment->time_ms, ask->err);
	if (st != IPL_OK)
		return st;
	ipl_engine_set_ledger(ask->engine, &lens);
	h->lens = &lens;
	h->as_of = ask->token.seq;
	h->to = h->as_of;
	h->position = ask->token.position;
	st = list_addresses(ask, args, &a);
	ipl_past_close(&lens);
	return st;
}

enum ipl_status ipl_engine_list_addresses(struct ipl_engine *engine,
					  const struct ipl_operation *operation,
					  const struct ipl_args_list_addresses *args,
					  const struct ipl_common *common,
					  struct ipl_moment *moment, struct ipl_arena *arena,
					  struct ipl_answer *answer)
{
	struct ask ask = { .engine = engine, .arena = arena, .err = &answer->err };
	struct ipl_counted counted;
	struct ipl_history h = { .source = &counted.source,
				 .arena = arena,
				 .err = &answer->err,
				 .max_results = common->max_results,
				 .bytes_max = PAGE_BYTES_MAX,
				 .page = ipl_array() };
	enum ipl_status st = begin(&ask, operation, args, common, moment->seq);

	ipl_counted_init(&counted, &engine->source);
	if (st == IPL_OK)
		st = addresses_page(&ask, args, &counted, moment, &h);
	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, &answer->result, "Addresses", h.page);
	add_token(&ask, &answer->result, h.position);
	return IPL_OK;
}

/* --- DiffState --- */

/* A lens as of one end of a diff: the live state where it is that, else of the past. */
struct end {
	struct ipl_moment moment;
	struct ipl_lens lens;
	bool is_open; /* a lens of the past, to be closed */
};

static enum ipl_status open_end(struct ask *ask, struct end *end, const struct ipl_source *source)
{
	enum ipl_status st;

	if (!end->moment.is_past && ask->engine->state != NULL) {
		ipl_lens_of_state(&end->lens, ask->engine->state, end->moment.time_ms, ask->err);
		ipl_engine_set_ledger(ask->engine, &end->lens);
		return IPL_OK;
	}
	st = ipl_engine_open_past(ask->engine, source, &end->moment, &end->lens, ask->err);
	end->is_open = st == IPL_OK;
	return st;
}

static void close_end(struct end *end)
{
	if (end->is_open)
		ipl_past_close(&end->lens);
}

/* What is named must be there at one end at least. */
static enum ipl_status read_scope(struct ask *ask, struct ipl_str id, struct ipl_diff *diff)
{
	enum ipl_kind kind = IPL_KIND_NONE;
	uint64_t number = 0, last = 0;
	enum ipl_status st = IPL_OK;

	if (id.len == 0)
		return IPL_OK;
	if (!ipl_id_parse(ask->engine->letters, id, &kind, &number))
		return not_there(ask, IPL_CODE_NOT_FOUND, id, ask->token.seq);
	diff->scope = ipl_key_entity(kind, number);
	if (diff->from->find(diff->from, kind, number) != NULL ||
	    diff->to->find(diff->to, kind, number) != NULL)
		return IPL_OK;
	if (diff->from->status != IPL_OK || diff->to->status != IPL_OK)
		return diff->from->status != IPL_OK ? diff->from->status : diff->to->status;
	st = ipl_chain_seek(diff->source, diff->scope,
			    diff->from->seq > diff->to->seq ? diff->from->seq : diff->to->seq,
			    &last, ask->err);
	if (st != IPL_OK)
		return st;
	st = not_there(ask, IPL_CODE_NOT_FOUND, id, ask->token.seq);
	if (last != 0) {
		ipl_refuse(ask->err, IPL_CODE_NOT_FOUND,
			   "%.*s is there neither as of event %" PRIu64 " nor as of event %" PRIu64,
			   IPL_STR_ARG(id), diff->from->seq, diff->to->seq);
		ipl_error_add(ask->err, "DeletedSeq", ipl_int((int64_t)last));
	}
	return st;
}

static enum ipl_status diff_page(struct ask *ask, const struct ipl_args_diff_state *args,
				 struct ipl_diff *diff, struct ipl_counted *counted,
				 struct end ends[2])
{
	static const char *const names[] = { "From", "To" };
	const struct ipl_value *values[] = { args->from, args->to };
	enum ipl_status st = IPL_OK;

	ipl_counted_init(counted, &ask->engine->source);
	for (size_t i = 0; st == IPL_OK && i < 2; i++) {
		st = ipl_engine_moment_of(ask->engine, names[i], values[i], ask->token.seq,
					  &ends[i].moment, ask->err);
		if (st == IPL_OK)
			st = open_end(ask, &ends[i], &counted->source);
	}
	if (st == IPL_OK)
		st = read_scope(ask, args->id, diff);
	return st == IPL_OK ? ipl_diff_page(diff) : st;
}

enum ipl_status ipl_engine_diff_state(struct ipl_engine *engine,
				      const struct ipl_operation *operation,
				      const struct ipl_args_diff_state *args,
				      const struct ipl_common *common, uint64_t *as_of,
				      struct ipl_arena *arena, struct ipl_answer *answer)
{
	struct ask ask = { .engine = engine, .arena = arena, .err = &answer->err };
	struct end ends[2] = { { .is_open = false }, { .is_open = false } };
	struct ipl_counted counted;
	struct ipl_diff diff = { .source = &counted.source,
				 .from = &ends[0].lens,
				 .to = &ends[1].lens,
				 .loads = &counted.loads,
				 .loads_max = LOADS_MAX,
				 .arena = arena,
				 .err = &answer->err,
				 .max_results = common->max_results,
				 .bytes_max = PAGE_BYTES_MAX,
				 .page = ipl_array() };
	enum ipl_status st = begin(&ask, operation, args, common, *as_of);

	*as_of = ask.token.seq;
	diff.position = ask.token.position;
	if (st == IPL_OK)
		st = diff_page(&ask, args, &diff, &counted, ends);
	close_end(&ends[0]);
	close_end(&ends[1]);
	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, &answer->result, "FromSeq", ipl_int((int64_t)ends[0].moment.seq));
	ipl_map_add(arena, &answer->result, "ToSeq", ipl_int((int64_t)ends[1].moment.seq));
	ipl_map_add(arena, &answer->result, "Changes", diff.page);
	add_token(&ask, &answer->result, diff.position);
	return IPL_OK;
}
