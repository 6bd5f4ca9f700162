/* SPDX-License-Identifier: Apache-2.0 */
/* ListEvents: a range of the log, or of the chains of one entity or address. */
#include "server/engine_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "events/hash.h"
#include "events/time.h"

#define PAGE_BYTES_MAX ((size_t)3900 << 10)
/* Events that one page looks at; it then ends early, with a token to go on. */
#define LOOKED_AT_MAX 5000u

struct events {
	struct ipl_engine *engine;
	const struct ipl_args_list_events *args;
	struct ipl_arena *arena;
	struct ipl_error *err;
	uint64_t from;
	uint64_t to;
	uint64_t type;
	bool by_chain;
	struct ipl_seqs seqs;  /* of the chains, ascending */
	struct ipl_arena page; /* one event at a time */
};

static enum ipl_status wrong(struct events *e, const char *name, const char *why)
{
	ipl_refuse(e->err, IPL_CODE_INVALID_PARAMETER, "%s %s", name, why);
	ipl_error_add(e->err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

/* --- the range --- */

static enum ipl_status read_time(struct events *e, const char *name, struct ipl_str text,
				 bool is_from, uint64_t *out)
{
	int64_t time_ms;
	uint64_t seq;
	enum ipl_status st;

	if (!ipl_time_parse(text, &time_ms))
		return wrong(e, name, "is no RFC 3339 time such as 2026-11-23T14:03:00Z");
	/* From the first event that is not before the time; to the last that is not after it. */
	st = ipl_engine_seq_at(e->engine, is_from ? time_ms - 1 : time_ms, &seq, e->err);
	*out = is_from ? seq + 1 : seq;
	return st;
}

static enum ipl_status read_range(struct events *e, uint64_t as_of)
{
	const struct ipl_args_list_events *args = e->args;
	enum ipl_status st = IPL_OK;

	e->from = 1;
	e->to = as_of;
	if (args->from_seq != IPL_ABSENT && args->from_time.len > 0)
		return wrong(e, "FromTime", "and FromSeq exclude each other: give one");
	if (args->to_seq != IPL_ABSENT && args->to_time.len > 0)
		return wrong(e, "ToTime", "and ToSeq exclude each other: give one");
	if (args->from_seq != IPL_ABSENT)
		e->from = args->from_seq == 0 ? 1 : (uint64_t)args->from_seq;
	if (args->to_seq != IPL_ABSENT && (uint64_t)args->to_seq < e->to)
		e->to = (uint64_t)args->to_seq;
	if (args->from_time.len > 0)
		st = read_time(e, "FromTime", args->from_time, true, &e->from);
	if (st == IPL_OK && args->to_time.len > 0) {
		uint64_t to;
		st = read_time(e, "ToTime", args->to_time, false, &to);
		if (st == IPL_OK && to < e->to)
			e->to = to;
	}
	if (st == IPL_OK && args->type.len > 0) {
		e->type = ipl_event_of_name(args->type);
		if (e->type == 0)
			return wrong(e, "Type", "is no event type, such as VpcCreated");
	}
	return st;
}

/* --- chains --- */

static int compare_seqs(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static enum ipl_status add_chain(struct events *e, struct ipl_key key)
{
	struct ipl_seqs more;
	uint64_t *grown;
	enum ipl_status st;

	if (ipl_engine_last(e->engine, key) == 0)
		return IPL_OK;
	st = ipl_chain_collect(&e->engine->source, key, e->from, e->to, &more, e->err);
	if (st != IPL_OK || more.count == 0)
		return st;
	grown = realloc(e->seqs.at, (e->seqs.count + more.count) * sizeof(*grown));
	if (grown == NULL) {
		free(more.at);
		return ipl_error_set(e->err, IPL_ERR_NOMEM, "out of memory for a chain");
	}
	memcpy(grown + e->seqs.count, more.at, more.count * sizeof(*grown));
	free(more.at);
	e->seqs = (struct ipl_seqs){ grown, e->seqs.count + more.count };
	return IPL_OK;
}

/* An address in every VPC that ever was, and in public. */
static enum ipl_status add_address_chains(struct events *e, uint32_t ip)
{
	uint64_t vpcs = ipl_engine_vpcs(e->engine);
	enum ipl_status st = IPL_OK;
	size_t kept = 0;

	for (uint64_t vpc = 0; st == IPL_OK && vpc < vpcs; vpc++)
		st = add_chain(e, ipl_key_ip4(vpc, ip));
	if (st != IPL_OK)
		return st;
	if (e->seqs.count > 0)
		qsort(e->seqs.at, e->seqs.count, sizeof(*e->seqs.at), compare_seqs);
	for (size_t i = 0; i < e->seqs.count; i++) {
		if (i == 0 || e->seqs.at[i] != e->seqs.at[kept - 1])
			e->seqs.at[kept++] = e->seqs.at[i];
	}
	e->seqs.count = kept;
	return IPL_OK;
}

static enum ipl_status read_id(struct events *e)
{
	struct ipl_ip6 ip6;
	uint64_t number;
	enum ipl_kind kind;

	if (e->args->id.len == 0)
		return IPL_OK;
	e->by_chain = true;
	kind = ipl_name_parse(e->engine->letters, e->args->id, &number);
	if (kind == IPL_KIND_IP4)
		return add_address_chains(e, (uint32_t)number);
	if (kind != IPL_KIND_NONE)
		return add_chain(e, ipl_key_entity(kind, number));
	if (ipl_ip6_parse(e->args->id, &ip6))
		return add_chain(e, ipl_key_ip6(ip6.hi, ip6.lo));
	ipl_refuse(e->err, IPL_CODE_NOT_FOUND,
		   "%.*s is neither an id of this ledger nor an address", IPL_STR_ARG(e->args->id));
	ipl_error_add(e->err, "Parameter", ipl_text_of("Id"));
	return IPL_REFUSED;
}

/* --- walking --- */

/* The next seq after (or, in reverse, before) @at in the range; 0 at the end. */
static uint64_t step(const struct events *e, uint64_t at)
{
	bool back = e->args->reverse == 1;
	size_t low = 0, high = e->seqs.count;

	if (!e->by_chain) {
		uint64_t next =
			back ? (at > e->to ? e->to : at - 1) : (at < e->from ? e->from : at + 1);
		return next < e->from || next > e->to ? 0 : next;
	}
	while (low < high) { /* how many are before @at, or up to it when going forward */
		size_t middle = low + (high - low) / 2;
		if (e->seqs.at[middle] < at || (!back && e->seqs.at[middle] == at))
			low = middle + 1;
		else
			high = middle;
	}
	if (back)
		return low == 0 ? 0 : e->seqs.at[low - 1];
	return low == e->seqs.count ? 0 : e->seqs.at[low];
}

static bool matches(const struct events *e, const struct ipl_event *ev)
{
	return (e->type == 0 || e->type == ev->type) &&
	       (e->args->actor.len == 0 || ipl_str_equal(e->args->actor, ev->actor));
}

/* One page into @list; *@position is where the next begins, 0 at the end. */
static enum ipl_status walk(struct events *e, int64_t max_results, uint64_t *position,
			    struct ipl_value *list)
{
	uint64_t at = *position, next;
	uint32_t looked_at = 0;
	size_t bytes = 0;

	*position = 0;
	for (next = step(e, at); next != 0; at = next, next = step(e, at)) {
		struct ipl_event ev;
		struct ipl_value shown;
		enum ipl_status st;
		if (list->count == max_results || looked_at++ == LOOKED_AT_MAX) {
			*position = at;
			return IPL_OK;
		}
		ipl_arena_reset(&e->page);
		st = ipl_engine_load(e->engine, next, &e->page, &ev, e->err);
		if (st != IPL_OK)
			return st;
		if (!matches(e, &ev))
			continue;
		shown = ipl_event_value(e->arena, e->engine->letters, &ev);
		bytes += ipl_value_bytes(&shown);
		if (bytes > PAGE_BYTES_MAX && list->count > 0) {
			*position = at;
			return IPL_OK;
		}
		ipl_array_add(e->arena, list, shown);
	}
	return IPL_OK;
}

static enum ipl_status list_page(struct events *e, const struct ipl_operation *operation,
				 const struct ipl_common *common, uint64_t *as_of,
				 struct ipl_answer *answer)
{
	uint64_t filter = ipl_operation_digest(operation, e->args, e->arena) ^
			  ipl_hash64(operation->name, strlen(operation->name));
	struct ipl_page_token token = { *as_of, e->args->reverse == 1 ? UINT64_MAX : 0 };
	struct ipl_value list = ipl_array();
	enum ipl_status st = IPL_OK;

	if (common->next_token.len > 0)
		st = ipl_page_token_parse(common->next_token, filter, &token, e->err);
	if (st == IPL_OK)
		st = read_range(e, token.seq);
	if (st == IPL_OK)
		st = read_id(e);
	if (st == IPL_OK)
		st = walk(e, common->max_results, &token.position, &list);
	if (st != IPL_OK)
		return st;
	*as_of = token.seq;
	ipl_map_add(e->arena, &answer->result, "Events", list);
	ipl_map_add(e->arena, &answer->result, "NextToken",
		    token.position == 0 ? ipl_text(IPL_STR("")) :
					  ipl_page_token_value(e->arena, token, filter));
	return IPL_OK;
}

enum ipl_status ipl_engine_list_events(struct ipl_engine *engine,
				       const struct ipl_operation *operation,
				       const struct ipl_args_list_events *args,
				       const struct ipl_common *common, uint64_t *as_of,
				       struct ipl_arena *arena, struct ipl_answer *answer)
{
	struct events e = { .engine = engine, .args = args, .arena = arena, .err = &answer->err };
	enum ipl_status st;

	ipl_arena_init(&e.page, (size_t)64 << 20);
	st = list_page(&e, operation, common, as_of, answer);
	ipl_arena_release(&e.page);
	free(e.seqs.at);
	return st;
}
