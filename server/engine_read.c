/* SPDX-License-Identifier: Apache-2.0 */
/* Reads: of which moment, through which lens, and the services that need more than a state. */
#include "server/engine_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/hash.h"
#include "events/time.h"
#include "replay/state_hash.h"
#include "server/feed.h"
#include "store/tree.h"

/* Events that are loaded for one read of the past before it is handed to a thread. */
#define LOADS_AT_ONCE 128u

/* --- moments --- */

static enum ipl_status time_of(struct ipl_engine *engine, uint64_t seq, int64_t *out,
			       struct ipl_error *err)
{
	struct ipl_str record;
	uint64_t found;
	enum ipl_status st;

	*out = 0;
	if (seq == 0)
		return IPL_OK;
	if (engine->state != NULL && seq == ipl_engine_head(engine)) {
		*out = ipl_state_time_ms(engine->state);
		return IPL_OK;
	}
	st = ipl_engine_get(engine, seq, &record, err);
	if (st == IPL_OK && (!ipl_event_peek(record, &found, out) || found != seq))
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "event %" PRIu64 " cannot be read", seq);
	return st;
}

/* How many entries of the time index are not later. */
static size_t entries_until(struct ipl_engine *engine, int64_t time_ms)
{
	struct ipl_engine *live = engine->live != NULL ? engine->live : engine;
	size_t low = 0, high;

	pthread_mutex_lock(&live->lock);
	for (high = live->time_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (live->time[middle] <= time_ms)
			low = middle + 1;
		else
			high = middle;
	}
	pthread_mutex_unlock(&live->lock);
	return low;
}

enum ipl_status ipl_engine_seq_at(struct ipl_engine *engine, int64_t time_ms, uint64_t *seq,
				  struct ipl_error *err)
{
	size_t low = entries_until(engine, time_ms);
	uint64_t first, last;

	*seq = 0;
	if (low == 0 || ipl_engine_head(engine) == 0)
		return IPL_OK;
	if ((low - 1) * IPL_TIME_STEP >= ipl_engine_head(engine)) /* it went on since */
		low = (ipl_engine_head(engine) - 1) / IPL_TIME_STEP + 1;
	first = (low - 1) * IPL_TIME_STEP + 1; /* not later */
	last = low * IPL_TIME_STEP + 1;        /* later, or beyond the head */
	if (last > ipl_engine_head(engine))
		last = ipl_engine_head(engine) + 1;
	while (last - first > 1) {
		uint64_t middle = first + (last - first) / 2;
		int64_t at_ms;
		enum ipl_status st = time_of(engine, middle, &at_ms, err);
		if (st != IPL_OK)
			return st;
		if (at_ms <= time_ms)
			first = middle;
		else
			last = middle;
	}
	*seq = first;
	return IPL_OK;
}

static enum ipl_status malformed(const char *name, struct ipl_error *err)
{
	ipl_refuse(err, IPL_CODE_AS_OF_MALFORMED,
		   "%s must be a seq (0 is the empty ledger) or an RFC 3339 time such as "
		   "2026-11-23T14:03:00Z",
		   name);
	ipl_error_add(err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

enum ipl_status ipl_engine_moment_of(struct ipl_engine *engine, const char *name,
				     const struct ipl_value *value, uint64_t last,
				     struct ipl_moment *out, struct ipl_error *err)
{
	int64_t time_ms;
	enum ipl_status st = IPL_OK;

	if (value->type == IPL_VALUE_INT && value->integer >= 0) {
		if ((uint64_t)value->integer > last) {
			ipl_refuse(err, IPL_CODE_AS_OF_FUTURE,
				   "%s is %" PRId64 ", the last event is %" PRIu64, name,
				   value->integer, last);
			ipl_error_add(err, "Parameter", ipl_text_of(name));
			ipl_error_add(err, "HeadSeq", ipl_int((int64_t)last));
			return IPL_REFUSED;
		}
		out->seq = (uint64_t)value->integer;
		st = time_of(engine, out->seq, &out->time_ms, err);
	} else if (value->type == IPL_VALUE_STR && ipl_time_parse(value->str, &time_ms)) {
		st = ipl_engine_seq_at(engine, time_ms, &out->seq, err);
		out->seq = out->seq < last ? out->seq : last;
		out->time_ms = time_ms;
	} else {
		return malformed(name, err);
	}
	out->is_past = out->seq != ipl_engine_head(engine);
	return st;
}

/* Now is not before the last event, wherever the clock has been set to since. */
static enum ipl_status latest(struct ipl_engine *engine, uint64_t head, int64_t *now_ms,
			      struct ipl_error *err)
{
	int64_t head_ms;
	enum ipl_status st = time_of(engine, head, &head_ms, err);

	if (st == IPL_OK && head_ms > *now_ms)
		*now_ms = head_ms;
	return st;
}

enum ipl_status ipl_engine_moment(struct ipl_engine *engine, const struct ipl_value *as_of,
				  int64_t now_ms, struct ipl_moment *out, struct ipl_error *err)
{
	uint64_t head = ipl_engine_head(engine);
	enum ipl_status st;

	if (as_of == NULL || as_of->type == IPL_VALUE_STR) {
		st = latest(engine, head, &now_ms, err);
		if (st != IPL_OK)
			return st;
	}
	*out = (struct ipl_moment){ .seq = head, .time_ms = now_ms, .need = head };
	if (as_of == NULL)
		return IPL_OK;
	st = ipl_engine_moment_of(engine, "AsOf", as_of, head, out, err);
	if (as_of->type != IPL_VALUE_STR)
		out->need = out->seq;
	else if (out->time_ms > now_ms)
		out->time_ms = now_ms;
	return st;
}

/* --- lenses --- */

void ipl_engine_set_ledger(const struct ipl_engine *engine, struct ipl_lens *lens)
{
	lens->region = engine->region;
	lens->letters = engine->letters;
	lens->ledger = engine->ledger_number;
	lens->last = ipl_past_last;
	lens->last_context = (void *)(uintptr_t)&engine->source;
}

enum ipl_status ipl_engine_open_past(struct ipl_engine *engine, const struct ipl_source *source,
				     const struct ipl_moment *moment, struct ipl_lens *lens,
				     struct ipl_error *err)
{
	enum ipl_status st = ipl_past_open(lens, source, moment->seq, moment->time_ms, err);

	if (st != IPL_OK)
		return st;
	ipl_engine_set_ledger(engine, lens);
	ipl_past_scan_vpcs(lens, ipl_engine_vpcs(engine));
	ipl_past_begin_at(lens,
			  ipl_checkpoints_take(engine->checkpoints, moment->seq, IPL_UNSEEN_SKIP));
	return IPL_OK;
}

/* --- pages --- */

static uint64_t token_check(struct ipl_page_token token, uint64_t filter)
{
	const uint64_t words[] = { token.seq, token.position, filter };

	return ipl_hash64(words, sizeof(words));
}

struct ipl_value ipl_page_token_value(struct ipl_arena *arena, struct ipl_page_token token,
				      uint64_t filter)
{
	return ipl_textf(arena, "%" PRIx64 "-%" PRIx64 "-%016" PRIx64, token.seq, token.position,
			 token_check(token, filter));
}

enum ipl_status ipl_page_token_parse(struct ipl_str text, uint64_t filter,
				     struct ipl_page_token *out, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_value again;
	char copy[64];
	bool fits = text.len > 0 && text.len < sizeof(copy);

	if (fits) {
		memcpy(copy, text.at, text.len);
		copy[text.len] = '\0';
		fits = sscanf(copy, "%" SCNx64 "-%" SCNx64 "-", &out->seq, &out->position) == 2;
	}
	if (fits) { /* what it should look like must be what it looks like */
		ipl_arena_init(&arena, 4096);
		again = ipl_page_token_value(&arena, *out, filter);
		fits = ipl_str_equal(again.str, text);
		ipl_arena_release(&arena);
	}
	if (fits)
		return IPL_OK;
	ipl_refuse(
		err, IPL_CODE_INVALID_PARAMETER,
		"NextToken is not one that this list gave: repeat the other parameters, or begin "
		"without it");
	ipl_error_add(err, "Parameter", ipl_text_of("NextToken"));
	return IPL_REFUSED;
}

/* --- reads of the state --- */

/* A source that gives up after so many loads: then it is work for another thread. */
struct limited {
	struct ipl_source source;
	struct ipl_engine *engine;
	uint32_t loads_left;
};

static enum ipl_status limited_get(void *context, uint64_t seq, struct ipl_str *record,
				   struct ipl_error *err)
{
	struct limited *limited = context;

	if (limited->loads_left == 0)
		return ipl_error_set(err, IPL_ERR_BUSY, "it takes long");
	limited->loads_left--;
	return ipl_engine_get(limited->engine, seq, record, err);
}

static uint64_t limited_last(void *context, struct ipl_key key)
{
	struct limited *limited = context;

	if (limited->loads_left == 0)
		return UINT64_MAX; /* no event has it: looking for it says that it takes long */
	limited->loads_left--;
	return ipl_engine_last(limited->engine, key);
}

static enum ipl_status read_single(struct ipl_engine *engine, struct ipl_read *r,
				   const struct ipl_moment *moment, const struct ipl_source *source)
{
	struct ipl_error looked = IPL_ERROR_INIT(r->arena);
	struct ipl_lens lens;
	enum ipl_status st = ipl_engine_open_past(engine, source, moment, &lens, &looked);

	if (st == IPL_OK) {
		lens.last_context = (void *)(uintptr_t)source;
		r->lens = &lens;
		st = ipl_operation_read(r);
		ipl_past_close(&lens);
		/* What a failed look did not find is no reason to refuse. */
		st = lens.status == IPL_OK ? st : lens.status;
	}
	if (looked.status != IPL_OK)
		*r->err = looked;
	return st;
}

/* Single things are looked up here, if that is soon done; else by a thread, if one may. */
static enum ipl_status read_past(struct ipl_engine *engine, const struct ipl_call *call,
				 struct ipl_read *r, const struct ipl_moment *moment)
{
	struct limited limited = { { &limited, limited_get, limited_last }, engine, LOADS_AT_ONCE };
	enum ipl_status st;

	if (call->job == NULL || engine->jobs == NULL)
		return read_single(engine, r, moment, &engine->source);
	st = read_single(engine, r, moment, &limited.source);
	if (st != IPL_ERR_BUSY)
		return st;
	*r->result = ipl_map();
	if (ipl_jobs_take(engine, call, IPL_LANE_CHAINS, moment->need))
		return IPL_ERR_BUSY;
	return read_single(engine, r, moment, &engine->source);
}

static enum ipl_status read_through(struct ipl_engine *engine, const struct ipl_call *call,
				    struct ipl_read *r, const struct ipl_moment *moment)
{
	const struct ipl_state *state = engine->state;
	struct ipl_lens lens;
	enum ipl_status st = IPL_OK;

	if (moment->is_past && (r->operation->flags & IPL_OPERATION_SCAN) == 0)
		return read_past(engine, call, r, moment);
	if (moment->is_past && ipl_jobs_take(engine, call, IPL_LANE_VIEWS, moment->need))
		return IPL_ERR_BUSY;
	if (moment->is_past)
		st = ipl_views_at(engine->views, moment->seq, &state, r->err);
	if (st != IPL_OK)
		return st;
	ipl_lens_of_state(&lens, state, moment->time_ms, r->err);
	ipl_engine_set_ledger(engine, &lens);
	r->lens = &lens;
	return ipl_operation_read(r);
}

enum ipl_status ipl_engine_read(struct ipl_engine *engine, const struct ipl_call *call,
				const struct ipl_operation *operation, const void *args,
				const struct ipl_common *common, struct ipl_arena *arena,
				struct ipl_answer *answer)
{
	bool paged = (operation->flags & IPL_OPERATION_PAGED) != 0;
	uint64_t filter = 0;
	struct ipl_page_token token = { 0 };
	struct ipl_moment moment;
	struct ipl_read r = { .operation = operation,
			      .args = args,
			      .arena = arena,
			      .err = &answer->err,
			      .result = &answer->result,
			      .max_results = common->max_results };
	enum ipl_status st =
		ipl_operation_check_region(common->region, engine->region, &answer->err);

	if (st == IPL_OK)
		st = ipl_engine_moment(engine, common->as_of, call->now_ms, &moment, &answer->err);
	if (st != IPL_OK)
		return st;
	if (paged)
		filter = ipl_operation_digest(operation, args, arena) ^
			 ipl_hash64(operation->name, strlen(operation->name));
	if (paged && common->next_token.len > 0) {
		st = ipl_page_token_parse(common->next_token, filter, &token, &answer->err);
		if (st == IPL_OK && token.seq != moment.seq) {
			struct ipl_value seq = ipl_int((int64_t)token.seq);
			st = ipl_engine_moment(engine, &seq, call->now_ms, &moment, &answer->err);
		}
		r.after = token.position;
	}
	if (paged && call->page.number > 0) {
		r.is_numbered = true;
		r.skip = (uint64_t)(call->page.number - 1) * call->page.size;
		r.max_results = call->page.size;
	}
	if (st == IPL_OK)
		st = read_through(engine, call, &r, &moment);
	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, &answer->result, "AsOfSeq", ipl_int((int64_t)moment.seq));
	if (r.is_numbered) {
		ipl_map_add(arena, &answer->result, "PageNumber", ipl_int(call->page.number));
		ipl_map_add(arena, &answer->result, "PageSize", ipl_int(call->page.size));
	}
	if (paged)
		ipl_map_add(arena, &answer->result, "NextToken",
			    r.end == 0 ?
				    ipl_text(IPL_STR("")) :
				    ipl_page_token_value(
					    arena, (struct ipl_page_token){ moment.seq, r.end },
					    filter));
	return IPL_OK;
}

/* --- services --- */

static struct ipl_value counts(struct ipl_arena *arena, const struct ipl_state *state)
{
	struct ipl_value map = ipl_map();

	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		ipl_map_add(arena, &map, ipl_kind_name((enum ipl_kind)kind),
			    ipl_int((int64_t)ipl_state_count(state, (enum ipl_kind)kind)));
	return map;
}

static struct ipl_value hex(struct ipl_arena *arena, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *text = ipl_arena_alloc(arena, len * 2 + 1);

	for (size_t i = 0; text != NULL && i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return ipl_text((struct ipl_str){ text, text == NULL ? 0 : len * 2 });
}

static enum ipl_status add_store(struct ipl_engine *engine, struct ipl_arena *arena,
				 struct ipl_value *result, struct ipl_error *err)
{
	struct ipl_error refusals = IPL_ERROR_INIT(NULL);
	struct ipl_store_stat stat;
	struct ipl_value map = ipl_map();
	enum ipl_status st = ipl_store_stat(engine->store, &stat, err);

	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, &map, "Kind", ipl_text_of(stat.kind));
	ipl_map_add(arena, &map, "Path", ipl_text(ipl_arena_str(arena, ipl_str_of(stat.path))));
	ipl_map_add(arena, &map, "FileBytes", ipl_int((int64_t)stat.file_bytes));
	ipl_map_add(arena, &map, "FreeBytes", ipl_int((int64_t)stat.free_bytes));
	if (engine->refusals != NULL && ipl_refusals_failed(engine->refusals, &refusals))
		ipl_map_add(arena, &map, "RefusalsError",
			    ipl_text(ipl_arena_str(arena, ipl_str_of(refusals.text))));
	ipl_map_add(arena, result, "Store", map);
	return IPL_OK;
}

/* The head with everything that was decided; the answer waits until all of it is durable. */
static enum ipl_status live_head(struct ipl_engine *engine, struct ipl_head *out,
				 struct ipl_error *err)
{
	struct ipl_tree tree;
	enum ipl_status st = IPL_OK;

	if (engine->mode != IPL_ENGINE_SERVE)
		return ipl_store_head(engine->store, out, err);
	ipl_store_tree(engine->store, &tree);
	while (st == IPL_OK && tree.size < ipl_engine_head(engine)) {
		struct ipl_str record;
		st = ipl_engine_get(engine, tree.size + 1, &record, err);
		if (st == IPL_OK)
			ipl_tree_add(&tree, record);
	}
	out->seq = tree.size;
	ipl_tree_root(&tree, out->root);
	return st;
}

static enum ipl_status get_status(struct ipl_engine *engine, const struct ipl_call *call,
				  const struct ipl_moment *moment, struct ipl_arena *arena,
				  struct ipl_answer *answer)
{
	struct ipl_value *result = &answer->result;
	const struct ipl_state *state = engine->state;
	char id[IPL_ID_TEXT_MAX], head_time[IPL_TIME_TEXT_MAX];
	struct ipl_head head;
	int64_t head_ms = 0;
	enum ipl_status st = live_head(engine, &head, &answer->err);

	if (st == IPL_OK && moment->is_past)
		st = ipl_views_at(engine->views, moment->seq, &state, &answer->err);
	if (st == IPL_OK)
		st = time_of(engine, head.seq, &head_ms, &answer->err);
	if (st != IPL_OK)
		return st;
	ipl_id_format(engine->letters, IPL_KIND_LEDGER, engine->ledger_number, id);
	ipl_time_format(head_ms, head_time);
	ipl_map_add(arena, result, "Server", ipl_text_of("ipledger"));
	ipl_map_add(arena, result, "Version", ipl_text_of(IPL_VERSION));
	ipl_map_add(arena, result, "LedgerId", ipl_text_copy(arena, id));
	ipl_map_add(arena, result, "RegionId", ipl_text(ipl_arena_str(arena, engine->region)));
	ipl_map_add(arena, result, "HeadSeq", ipl_int((int64_t)head.seq));
	ipl_map_add(arena, result, "HeadTime", ipl_text_copy(arena, head_time));
	ipl_map_add(arena, result, "HeadRoot", hex(arena, head.root, sizeof(head.root)));
	ipl_map_add(arena, result, "Counts", counts(arena, state));
	st = add_store(engine, arena, result, &answer->err);
	ipl_map_add(arena, result, "UptimeSeconds",
		    ipl_int(call->now_ms > engine->opened_ms ?
				    (call->now_ms - engine->opened_ms) / 1000 :
				    0));
	return st;
}

/* Also of now it is folded: the live state may have been looked at later than its last event. */
static enum ipl_status get_state_hash(struct ipl_engine *engine, const struct ipl_moment *moment,
				      struct ipl_arena *arena, struct ipl_answer *answer)
{
	const struct ipl_state *state;
	uint8_t hash[IPL_DIGEST_BYTES];
	enum ipl_status st = ipl_views_at(engine->views, moment->seq, &state, &answer->err);

	if (st == IPL_OK)
		st = ipl_state_hash(state, hash, &answer->err);
	if (st == IPL_OK)
		ipl_map_add(arena, &answer->result, "Hash", hex(arena, hash, sizeof(hash)));
	return st;
}

static enum ipl_status get_event(struct ipl_engine *engine, const struct ipl_args_get_event *args,
				 const struct ipl_moment *moment, struct ipl_arena *arena,
				 struct ipl_answer *answer)
{
	struct ipl_event ev;
	enum ipl_status st;

	if ((uint64_t)args->seq > moment->seq) {
		ipl_refuse(&answer->err, IPL_CODE_NOT_FOUND,
			   "there is no event %" PRId64 ": the last is %" PRIu64, args->seq,
			   moment->seq);
		ipl_error_add(&answer->err, "HeadSeq", ipl_int((int64_t)moment->seq));
		return IPL_REFUSED;
	}
	st = ipl_engine_load(engine, (uint64_t)args->seq, arena, &ev, &answer->err);
	if (st == IPL_OK)
		answer->result = ipl_event_value(arena, engine->letters, &ev);
	return st;
}

/*
 * It tells of what is durable, so that no disk is waited for: even beside one that hangs it
 * answers. Behind answers that wait it may tell of no less than they do.
 */
static void hello(struct ipl_engine *engine, const struct ipl_call *call, struct ipl_arena *arena,
		  struct ipl_answer *answer)
{
	uint64_t head = call->is_behind ? ipl_engine_head(engine) : ipl_engine_durable_seq(engine);

	ipl_map_add(arena, &answer->result, "Server", ipl_text_of("ipledger"));
	ipl_map_add(arena, &answer->result, "Version", ipl_text_of(IPL_VERSION));
	ipl_map_add(arena, &answer->result, "Protocol", ipl_int(1));
	ipl_map_add(arena, &answer->result, "HeadSeq", ipl_int((int64_t)head));
	answer->wait_seq = head;
}

static enum ipl_status subscribe(struct ipl_engine *engine, const struct ipl_call *call,
				 const struct ipl_operation *operation, const void *args,
				 struct ipl_arena *arena, struct ipl_answer *answer)
{
	const struct ipl_args_subscribe *wanted = args;
	struct ipl_feed_filter filter;

	if (!call->can_be_notified)
		return ipl_refuse(&answer->err, IPL_CODE_UNKNOWN_OPERATION,
				  "%s needs a connection that a running server can notify: its "
				  "MessagePack-RPC socket",
				  operation->name);
	if (operation->service == IPL_SERVICE_UNSUBSCRIBE) {
		const struct ipl_args_unsubscribe *ended = args;
		answer->unsubscribe = ended->subscription;
		return IPL_OK;
	}
	filter = (struct ipl_feed_filter){ wanted->from_seq, wanted->id, wanted->type };
	ipl_map_add(arena, &answer->result, "HeadSeq", ipl_int((int64_t)ipl_engine_head(engine)));
	return ipl_feed_open(engine, &filter, &answer->feed, &answer->err);
}

/* What may take long is done by a thread. */
static bool hand_over(struct ipl_engine *engine, const struct ipl_call *call,
		      enum ipl_service service, const struct ipl_moment *moment)
{
	switch (service) {
	case IPL_SERVICE_GET_STATE_HASH:
		return ipl_jobs_take(engine, call, IPL_LANE_VIEWS, moment->need);
	case IPL_SERVICE_GET_STATUS:
		return moment->is_past && ipl_jobs_take(engine, call, IPL_LANE_VIEWS, moment->need);
	case IPL_SERVICE_LIST_EVENTS:
	case IPL_SERVICE_GET_HISTORY:
	case IPL_SERVICE_LIST_ADDRESSES:
	case IPL_SERVICE_DIFF_STATE:
	case IPL_SERVICE_GET_INCLUSION:
	case IPL_SERVICE_GET_CONSISTENCY:
		/* Their own parameters may name any moment up to the head. */
		return ipl_jobs_take(engine, call, IPL_LANE_CHAINS, ipl_engine_head(engine));
	default:
		return false;
	}
}

/* Where and of when; IPL_ERR_BUSY: that takes long, and another thread answers it. */
static enum ipl_status find_moment(struct ipl_engine *engine, const struct ipl_call *call,
				   const struct ipl_operation *operation,
				   const struct ipl_common *common, struct ipl_moment *moment,
				   struct ipl_error *err)
{
	enum ipl_status st = ipl_operation_check_region(common->region, engine->region, err);

	if (st == IPL_OK)
		st = ipl_engine_moment(engine, common->as_of, call->now_ms, moment, err);
	if (st == IPL_OK && hand_over(engine, call, operation->service, moment))
		return IPL_ERR_BUSY;
	return st;
}

enum ipl_status ipl_engine_service(struct ipl_engine *engine, const struct ipl_call *call,
				   const struct ipl_operation *operation, const void *args,
				   const struct ipl_common *common, struct ipl_arena *arena,
				   struct ipl_answer *answer)
{
	struct ipl_moment moment;
	enum ipl_status st = find_moment(engine, call, operation, common, &moment, &answer->err);

	if (st != IPL_OK)
		return st;
	switch (operation->service) {
	case IPL_SERVICE_NONE:
	case IPL_SERVICE_PING:
		answer->wait_seq = 0; /* it tells of no event, so no disk is waited for */
		return IPL_OK;
	case IPL_SERVICE_HELLO:
		hello(engine, call, arena, answer);
		return IPL_OK;
	case IPL_SERVICE_GET_STATUS:
		st = get_status(engine, call, &moment, arena, answer);
		break;
	case IPL_SERVICE_GET_EVENT:
		/* The event's own map, the same that lists and notifications show. */
		return get_event(engine, args, &moment, arena, answer);
	case IPL_SERVICE_GET_STATE_HASH:
		st = get_state_hash(engine, &moment, arena, answer);
		break;
	case IPL_SERVICE_LIST_EVENTS:
		st = ipl_engine_list_events(engine, operation, args, common, &moment.seq, arena,
					    answer);
		break;
	case IPL_SERVICE_GET_HISTORY:
		st = ipl_engine_get_history(engine, operation, args, common, &moment.seq, arena,
					    answer);
		break;
	case IPL_SERVICE_LIST_ADDRESSES:
		st = ipl_engine_list_addresses(engine, operation, args, common, &moment, arena,
					       answer);
		break;
	case IPL_SERVICE_DIFF_STATE:
		st = ipl_engine_diff_state(engine, operation, args, common, &moment.seq, arena,
					   answer);
		break;
	case IPL_SERVICE_LIST_REFUSALS:
		st = ipl_engine_list_refusals(engine, operation, args, common, moment.seq, arena,
					      answer);
		break;
	case IPL_SERVICE_GET_INCLUSION:
		st = ipl_engine_inclusion(engine, args, moment.seq, arena, answer);
		break;
	case IPL_SERVICE_GET_CONSISTENCY:
		st = ipl_engine_consistency(engine, args, moment.seq, arena, answer);
		break;
	case IPL_SERVICE_SUBSCRIBE:
	case IPL_SERVICE_UNSUBSCRIBE:
		return subscribe(engine, call, operation, args, arena, answer);
	}
	if (st == IPL_OK)
		ipl_map_add(arena, &answer->result, "AsOfSeq", ipl_int((int64_t)moment.seq));
	return st;
}
