/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a write: token, region, decide, IfSeq, DryRun, then links, append,
 * fold. What is appended here is durable when its batch is.
 */
#include "server/engine_internal.h"

#include <inttypes.h>
#include <string.h>

#include "events/time.h"

#define IDS_SHOWN_MAX 10u
/* Room that an open batch must have for one more event. */
#define BATCH_BYTES_FULL (IPL_BATCH_BYTES_MAX - IPL_EVENT_BYTES_MAX)
/* Events with more touches are encoded once for their size before anything is changed. */
#define TOUCHES_SURE_TO_FIT 32u

/* All events of one transaction: they are one commit. */
#define IPL_TRANSACT_BYTES_MAX ((size_t)4 << 20)

struct write {
	struct ipl_engine *engine;
	const struct ipl_call *call;
	const struct ipl_operation *operation;
	const void *args;
	const struct ipl_common *common;
	struct ipl_arena *arena;
	struct ipl_answer *answer;
	uint64_t digest;
	bool is_starved; /* memory is short, outside of the arena */
};

static void add_seq_and_time(struct write *w, uint64_t seq, int64_t time_ms)
{
	char text[IPL_TIME_TEXT_MAX];

	ipl_time_format(time_ms, text);
	ipl_map_add(w->arena, &w->answer->result, "Seq", ipl_int((int64_t)seq));
	ipl_map_add(w->arena, &w->answer->result, "Time", ipl_text_copy(w->arena, text));
}

static enum ipl_status dry_run(struct write *w)
{
	return ipl_refuse(&w->answer->err, IPL_CODE_DRY_RUN,
			  "%s would pass all checks; nothing was changed", w->operation->name);
}

static enum ipl_status answer_all_again(struct write *w, const struct ipl_event *last);

/* --- tokens --- */

/* The same request again gets the first answer again; another one is refused. */
static enum ipl_status answer_again(struct write *w, uint64_t seq)
{
	struct ipl_event ev;
	struct ipl_error *err = &w->answer->err;
	enum ipl_status st = ipl_engine_load(w->engine, seq, w->arena, &ev, err);

	if (st != IPL_OK)
		return st;
	if (ev.params_digest != w->digest) {
		ipl_refuse(err, IPL_CODE_TOKEN_MISMATCH,
			   "ClientToken %.*s was used with other parameters for event %" PRIu64
			   ": a retry repeats them, another request takes another token",
			   IPL_STR_ARG(w->common->client_token), seq);
		ipl_error_add(err, "Seq", ipl_int((int64_t)seq));
		return IPL_REFUSED;
	}
	if (w->common->dry_run)
		return dry_run(w);
	if (ev.group_size > 0)
		return answer_all_again(w, &ev);
	w->answer->result =
		ipl_operation_result(w->arena, w->engine->region, w->engine->letters, &ev);
	add_seq_and_time(w, seq, ev.time_ms);
	return IPL_OK;
}

/* --- checks around the decision --- */

static enum ipl_status event_time(struct write *w, int64_t *out)
{
	int64_t last_ms = ipl_state_time_ms(w->engine->state);
	int64_t given_ms = w->common->event_time_ms;

	if (given_ms != IPL_ABSENT && given_ms > w->call->now_ms) {
		ipl_refuse(&w->answer->err, IPL_CODE_INVALID_PARAMETER,
			   "EventTime is in the future: it is for what has happened");
		ipl_error_add(&w->answer->err, "Parameter", ipl_text_of("EventTime"));
		return IPL_REFUSED;
	}
	if (given_ms == IPL_ABSENT)
		given_ms = w->call->now_ms;
	*out = given_ms > last_ms ? given_ms : last_ms;
	return IPL_OK;
}

static enum ipl_status check_if_seq_range(struct write *w)
{
	if (w->common->if_seq == IPL_ABSENT ||
	    (uint64_t)w->common->if_seq <= ipl_engine_head(w->engine))
		return IPL_OK;
	ipl_refuse(&w->answer->err, IPL_CODE_INVALID_PARAMETER,
		   "IfSeq is %" PRId64 ", the last event is %" PRIu64, w->common->if_seq,
		   ipl_engine_head(w->engine));
	ipl_error_add(&w->answer->err, "Parameter", ipl_text_of("IfSeq"));
	return IPL_REFUSED;
}

/* No entity that the event touches, and that was there before, has changed after IfSeq. */
static enum ipl_status check_if_seq(struct write *w, const struct ipl_touches *touches)
{
	struct ipl_value ids = ipl_array();
	uint64_t if_seq = (uint64_t)w->common->if_seq, newest = 0;
	char id[IPL_ID_TEXT_MAX];

	if (w->common->if_seq == IPL_ABSENT)
		return IPL_OK;
	for (uint32_t i = 0; i < touches->count; i++) {
		struct ipl_key key = touches->at[i];
		uint64_t last = ipl_engine_last(w->engine, key);
		if (key.kind >= IPL_KIND_COUNT || last <= if_seq)
			continue;
		newest = last > newest ? last : newest;
		ipl_id_format(w->engine->letters, (enum ipl_kind)key.kind, key.a, id);
		if (ids.count < IDS_SHOWN_MAX)
			ipl_array_add(w->arena, &ids, ipl_text_copy(w->arena, id));
	}
	if (ids.count == 0)
		return IPL_OK;
	ipl_refuse(&w->answer->err, IPL_CODE_PRECONDITION_FAILED,
		   "%s was changed by event %" PRIu64 ", after IfSeq %" PRIu64
		   ": read it again and decide anew",
		   ids.item[0].str.at, newest, if_seq);
	ipl_error_add(&w->answer->err, "Ids", ids);
	ipl_error_add(&w->answer->err, "LastSeq", ipl_int((int64_t)newest));
	return IPL_REFUSED;
}

/* --- appending --- */

static void fill_envelope(struct write *w, struct ipl_event *ev, int64_t time_ms)
{
	ev->seq = ipl_engine_head(w->engine) + 1;
	ev->time_ms = time_ms;
	ev->principal = w->call->principal;
	ev->actor = w->common->actor;
	ev->reason = w->common->reason;
	ev->client_token = w->common->client_token;
	ev->params_digest = w->common->client_token.len > 0 ? w->digest : 0;
	memcpy(ev->request_id, w->call->request_id, sizeof(ev->request_id));
}

/* Big ones are encoded once with the longest links there can be, to see whether they fit. */
static enum ipl_status check_size(struct write *w, struct ipl_event *ev)
{
	struct ipl_buf buf = { 0 };
	enum ipl_status st;

	if (ev->link_count <= TOUCHES_SURE_TO_FIT)
		return IPL_OK;
	for (uint32_t i = 0; i < ev->link_count; i++)
		ev->links[i] = (struct ipl_link){ ev->seq > 1, ev->seq > 1, ev->seq };
	st = ipl_event_encode(ev, &buf, &w->answer->err);
	w->is_starved = buf.failed;
	ipl_buf_release(&buf);
	return st;
}

/* From here on a failure leaves the state unusable: it is then folded from the log again. */
static enum ipl_status append(struct write *w, struct ipl_event *ev,
			      const struct ipl_touches *touches)
{
	struct ipl_engine *engine = w->engine;
	struct ipl_error *err = &w->answer->err;
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; st == IPL_OK && i < touches->count; i++)
		st = ipl_heads_push(engine->heads, touches->at[i], ev->seq, &ev->links[i], err);
	if (st == IPL_OK)
		st = ipl_event_encode(ev, &engine->open.bytes, err);
	if (st == IPL_OK)
		st = ipl_engine_fold(engine, ev, touches, err);
	return st == IPL_OK ? ipl_batch_end(&engine->open, err) : st;
}

static enum ipl_status append_or_recover(struct write *w, struct ipl_event *ev,
					 const struct ipl_touches *touches)
{
	enum ipl_status st;

	pthread_mutex_lock(&w->engine->lock);
	st = append(w, ev, touches);
	pthread_mutex_unlock(&w->engine->lock);

	if (st != IPL_OK)
		ipl_engine_spoil(w->engine, &w->answer->err);
	return st;
}

static enum ipl_status no_memory(struct write *w)
{
	return ipl_error_set(&w->answer->err, IPL_ERR_NOMEM,
			     "out of memory for %s: nothing was done, try again",
			     w->operation->name);
}

/* It tells of nothing that could be lost: whoever is refused hears of it at once. */
static enum ipl_status refuse_full(const struct write *w)
{
	w->answer->wait_seq = 0;
	return ipl_refuse(&w->answer->err, IPL_CODE_OVERLOADED,
			  "%u events wait for the disk: try again", w->engine->open.count);
}

/* What one event cannot hold is asked for in several calls; to try again would not help. */
static enum ipl_status refuse_size(struct write *w)
{
	if (w->is_starved || w->arena->is_starved)
		return no_memory(w);
	w->arena->failed = false;
	return ipl_refuse(&w->answer->err, IPL_CODE_INVALID_PARAMETER,
			  "%s asks for more than one event (%u entities and addresses, %u bytes) "
			  "or one transaction holds: ask for less in one call",
			  w->operation->name, IPL_EVENT_TOUCHES_MAX, IPL_EVENT_BYTES_MAX);
}

static enum ipl_status commit_decision(struct write *w, struct ipl_event *ev, int64_t time_ms)
{
	struct ipl_touches touches;
	enum ipl_status st = ipl_event_touches(w->arena, ev, &touches, &w->answer->err);

	if (st != IPL_OK)
		return refuse_size(w);
	for (uint32_t i = 0; i < touches.count && i < TOUCHES_SURE_TO_FIT; i++)
		ipl_heads_prefetch(w->engine->heads, touches.at[i]);
	st = check_if_seq(w, &touches);
	if (st != IPL_OK)
		return st;
	if (w->common->dry_run)
		return dry_run(w);
	fill_envelope(w, ev, time_ms);
	ev->link_count = touches.count;
	ev->links = ipl_arena_array(w->arena, touches.count, sizeof(*ev->links));
	if (ev->links == NULL)
		return no_memory(w);
	st = check_size(w, ev);
	if (st != IPL_OK)
		return refuse_size(w);
	/* The event may borrow from the state, which folding it changes: so the answer comes first.
	 */
	w->answer->result =
		ipl_operation_result(w->arena, w->engine->region, w->engine->letters, ev);
	add_seq_and_time(w, ev->seq, ev->time_ms);
	if (w->arena->failed) /* before it is too late */
		return no_memory(w);
	w->answer->wait_seq = ev->seq;
	return append_or_recover(w, ev, &touches);
}

/* The answer is a fact already: nothing is appended. */
static enum ipl_status answer_from(struct write *w, const struct ipl_decision *d)
{
	if (w->common->dry_run)
		return dry_run(w);
	w->answer->result = d->early_result;
	add_seq_and_time(w, d->answered_by, d->answered_ms);
	return IPL_OK;
}

/* --- transactions --- */

static void describe(const struct write *w, int64_t time_ms, struct ipl_transact_request *out)
{
	char uuid[IPL_UUID_TEXT_MAX];

	ipl_uuid_format(w->call->request_id, uuid);
	*out = (struct ipl_transact_request){
		.region = w->engine->region,
		.letters = w->engine->letters,
		.request_id = ipl_arena_str(w->arena, ipl_str_of(uuid)),
		.time_ms = time_ms,
		.forbidden = w->call->access == IPL_ACCESS_ADMIN ? 0 : IPL_OPERATION_ADMIN,
	};
}

/* Everything that can be refused, before the first event is appended: sizes, and IfSeq. */
static enum ipl_status prepare(struct write *w, struct ipl_transaction *all,
			       struct ipl_touches *touches)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < all->count; i++) {
		struct ipl_event *ev = &all->ev[i];
		struct ipl_buf buf = { 0 };
		enum ipl_status st = ipl_event_touches(w->arena, ev, &touches[i], &w->answer->err);
		if (st != IPL_OK)
			return refuse_size(w);
		st = check_if_seq(w, &touches[i]);
		if (st != IPL_OK)
			return st;
		fill_envelope(w, ev, ev->time_ms);
		ev->seq += i;
		ev->link_count = touches[i].count;
		ev->links = ipl_arena_array(w->arena, touches[i].count, sizeof(*ev->links));
		if (ev->links == NULL)
			return refuse_size(w);
		for (uint32_t k = 0; k < ev->link_count; k++) /* the longest there can be */
			ev->links[k] = (struct ipl_link){ 1, 1, ev->seq };
		st = ipl_event_encode(ev, &buf, &w->answer->err);
		bytes += buf.len;
		w->is_starved = buf.failed;
		ipl_buf_release(&buf);
		if (st != IPL_OK || bytes > IPL_TRANSACT_BYTES_MAX)
			return refuse_size(w);
	}
	if (bytes > IPL_BATCH_BYTES_MAX - w->engine->open.bytes.len ||
	    all->count > IPL_BATCH_RECORDS_MAX - w->engine->open.count)
		return refuse_full(w);
	return IPL_OK;
}

static enum ipl_status decide_all(struct write *w, int64_t time_ms)
{
	const struct ipl_args_transact *args = w->args;
	struct ipl_transact_request request;
	struct ipl_transaction all;
	struct ipl_touches *touches;
	enum ipl_status st;

	describe(w, time_ms, &request);
	st = ipl_transact_decide(w->engine->state, args, &request, w->arena, &all, &w->answer->err);
	w->is_starved = st == IPL_ERR_NOMEM && !w->arena->failed;
	if (st != IPL_OK)
		return st == IPL_ERR_NOMEM ? refuse_size(w) : st;
	touches = ipl_arena_array(w->arena, all.count, sizeof(*touches));
	st = touches == NULL ? refuse_size(w) : prepare(w, &all, touches);
	if (st != IPL_OK)
		return st;
	if (w->common->dry_run)
		return dry_run(w);
	w->answer->result = ipl_transact_result(w->arena, all.result, args->operations.count,
						all.count == 0 ? 0 : all.ev[0].seq,
						all.count == 0 ? 0 : all.ev[all.count - 1].seq);
	if (w->arena->failed)
		return no_memory(w);
	for (uint32_t i = 0; st == IPL_OK && i < all.count; i++) {
		w->answer->wait_seq = all.ev[i].seq;
		st = append_or_recover(w, &all.ev[i], &touches[i]);
	}
	if (st == IPL_OK && all.count > 0)
		add_seq_and_time(w, all.ev[all.count - 1].seq, time_ms);
	return st;
}

struct past_lens {
	struct ipl_engine *engine;
	struct ipl_lens lens;
	bool is_open;
};

static struct ipl_lens *open_past(void *context, uint64_t seq, struct ipl_error *err)
{
	struct past_lens *past = context;
	const struct ipl_moment moment = { .seq = seq, .is_past = true };

	if (past->is_open)
		ipl_past_close(&past->lens);
	past->is_open = ipl_engine_open_past(past->engine, &past->engine->source, &moment,
					     &past->lens, err) == IPL_OK;
	return past->is_open ? &past->lens : NULL;
}

/* A transaction's answer again: @first is the seq of its first event. */
static enum ipl_status answer_all_again(struct write *w, const struct ipl_event *last)
{
	const struct ipl_args_transact *args = w->args;
	uint64_t first = last->seq - last->group_place + 1;
	uint32_t count = (uint32_t)last->group_size;
	struct past_lens past = { .engine = w->engine };
	struct ipl_transact_request request;
	struct ipl_event *events = ipl_arena_array(w->arena, count, sizeof(*events));
	struct ipl_value *results =
		ipl_arena_array(w->arena, args->operations.count, sizeof(*results));
	enum ipl_status st = IPL_OK;

	if (events == NULL || results == NULL)
		return ipl_error_set(&w->answer->err, IPL_ERR_NOMEM, "out of memory for an answer");
	for (uint32_t i = 0; st == IPL_OK && i < count; i++)
		st = ipl_engine_load(w->engine, first + i, w->arena, &events[i], &w->answer->err);
	describe(w, last->time_ms, &request);
	if (st == IPL_OK)
		st = ipl_transact_again(args, &request, events, count, open_past, &past, w->arena,
					results, &w->answer->err);
	if (past.is_open)
		ipl_past_close(&past.lens);
	if (st == IPL_OK)
		w->answer->result = ipl_transact_result(w->arena, results, args->operations.count,
							first, first + count - 1);
	if (st == IPL_OK)
		add_seq_and_time(w, last->seq - last->group_place + count, last->time_ms);
	return st;
}

static enum ipl_status decide(struct write *w)
{
	struct ipl_event *ev = ipl_arena_alloc(w->arena, sizeof(*ev));
	struct ipl_decision d = {
		.state = w->engine->state,
		.operation = w->operation,
		.args = w->args,
		.arena = w->arena,
		.err = &w->answer->err,
		.ev = ev,
		.late = w->common->late,
	};
	enum ipl_status st = event_time(w, &d.time_ms);

	if (st == IPL_OK && ev == NULL)
		st = ipl_error_set(d.err, IPL_ERR_NOMEM, "out of memory for an event");
	if (st == IPL_OK)
		st = check_if_seq_range(w);
	if (st != IPL_OK)
		return st;
	ipl_state_advance(w->engine->state, d.time_ms);
	if (w->operation->decide == NULL && d.late != NULL) {
		*d.err = *d.late;
		return IPL_REFUSED;
	}
	if (w->operation->decide == NULL)
		return decide_all(w, d.time_ms);
	st = ipl_operation_decide(&d);
	if (st != IPL_OK)
		return st;
	return d.answered_by != 0 ? answer_from(w, &d) : commit_decision(w, ev, d.time_ms);
}

enum ipl_status ipl_engine_write(struct ipl_engine *engine, const struct ipl_call *call,
				 const struct ipl_operation *operation, const void *args,
				 const struct ipl_common *common, struct ipl_arena *arena,
				 struct ipl_answer *answer)
{
	struct write w = { engine, call, operation, args, common, arena, answer, 0, false };
	enum ipl_status st;

	if (engine->mode != IPL_ENGINE_SERVE)
		return ipl_error_set(&answer->err, IPL_ERR_IO,
				     "%s writes: it needs a running server (ipledger serve)",
				     operation->name);
	if (engine->open.bytes.len > BATCH_BYTES_FULL ||
	    engine->open.count == IPL_BATCH_RECORDS_MAX)
		return refuse_full(&w);
	if (common->client_token.len > 0) {
		struct ipl_key token =
			ipl_token_key(call->principal, operation->op, common->client_token);
		uint64_t seq;
		st = ipl_engine_find_token(engine, token, &seq, &answer->err);
		if (st != IPL_OK)
			return st;
		w.digest = ipl_operation_digest(operation, args, arena);
		if (common->late != NULL ||
		    (common->region.len > 0 && !ipl_str_equal(common->region, engine->region)))
			w.digest = ~w.digest; /* out of range, or another region: another request */
		if (seq != 0)
			return answer_again(&w, seq);
	}
	st = ipl_operation_check_region(common->region, engine->region, &answer->err);
	return st == IPL_OK ? decide(&w) : st;
}
