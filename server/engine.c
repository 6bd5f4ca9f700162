/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a ledger, folding its log, and calls. */
#include "server/engine_internal.h"

#include <sodium/core.h>
#include <sodium/randombytes.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "events/msgpack.h"
#include "events/time.h"
#include "server/log.h"
#include "store/thread.h"

#define FOLD_ARENA_BYTES ((size_t)256 << 20)

uint64_t ipl_engine_head(const struct ipl_engine *engine)
{
	if (engine->live != NULL)
		return engine->head;
	return engine->state == NULL ? ipl_engine_durable_seq(engine) :
				       ipl_state_seq(engine->state);
}

uint64_t ipl_engine_vpcs(const struct ipl_engine *engine)
{
	if (engine->live != NULL)
		return engine->vpcs;
	return engine->state == NULL ? 1 : ipl_state_next_number(engine->state, IPL_KIND_VPC);
}

uint64_t ipl_engine_durable_seq(const struct ipl_engine *engine)
{
	return atomic_load(&engine->durable_seq);
}

uint64_t ipl_engine_generation(const struct ipl_engine *engine)
{
	return atomic_load(&engine->generation);
}

int ipl_engine_fd(const struct ipl_engine *engine)
{
	return engine->done_fd;
}

/* --- records --- */

static struct ipl_str find_in_batches(const struct ipl_engine *live, uint64_t seq)
{
	struct ipl_str record = ipl_batch_get(&live->open, seq);

	return record.at != NULL ? record : ipl_batch_get(&live->flying, seq);
}

/* Another thread's look at what is not durable yet: a copy of it. */
static struct ipl_str copy_from_batches(struct ipl_engine *engine, uint64_t seq)
{
	struct ipl_str found;

	pthread_mutex_lock(&engine->live->lock);
	found = find_in_batches(engine->live, seq);
	engine->record.len = 0;
	if (found.at != NULL)
		ipl_buf_append(&engine->record, found.at, found.len);
	pthread_mutex_unlock(&engine->live->lock);
	return found.at == NULL ?
		       IPL_STR_NONE :
		       (struct ipl_str){ (const char *)engine->record.at, engine->record.len };
}

enum ipl_status ipl_engine_get(struct ipl_engine *engine, uint64_t seq, struct ipl_str *out,
			       struct ipl_error *err)
{
	*out = IPL_STR_NONE;
	if (engine->live == NULL)
		*out = find_in_batches(engine, seq);
	else if (seq > ipl_engine_durable_seq(engine->live))
		*out = copy_from_batches(engine, seq);
	if (engine->record.failed) {
		engine->record.failed = false;
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an event");
	}
	if (out->at != NULL)
		return IPL_OK;
	return ipl_reader_get(engine->reader, seq, out, err);
}

static enum ipl_status records_get(void *context, uint64_t seq, struct ipl_str *record,
				   struct ipl_error *err)
{
	return ipl_engine_get(context, seq, record, err);
}

static enum ipl_status records_scan(void *context, uint64_t from_seq, uint64_t to_seq,
				    ipl_record_fn fn, void *fn_context, struct ipl_error *err)
{
	struct ipl_engine *engine = context;
	const struct ipl_engine *live = engine->live != NULL ? engine->live : engine;
	uint64_t durable = ipl_engine_durable_seq(live);
	enum ipl_status st = IPL_OK;

	if (from_seq <= durable)
		st = ipl_reader_scan(engine->reader, from_seq, to_seq < durable ? to_seq : durable,
				     fn, fn_context, err);
	for (uint64_t seq = from_seq > durable ? from_seq : durable + 1;
	     st == IPL_OK && seq <= to_seq; seq++) {
		struct ipl_str record;
		st = ipl_engine_get(engine, seq, &record, err);
		if (st == IPL_OK)
			st = fn(fn_context, seq, record, err);
	}
	return st;
}

struct ipl_records ipl_engine_records(struct ipl_engine *engine)
{
	return (struct ipl_records){
		.context = engine,
		.get = records_get,
		.scan = records_scan,
		.checkpoints = engine->checkpoints,
		.has_one_thread = engine->mode == IPL_ENGINE_SERVE || engine->live != NULL,
	};
}

enum ipl_status ipl_engine_load(struct ipl_engine *engine, uint64_t seq, struct ipl_arena *arena,
				struct ipl_event *out, struct ipl_error *err)
{
	struct ipl_str record, copy;
	enum ipl_status st = ipl_engine_get(engine, seq, &record, err);

	if (st != IPL_OK)
		return st;
	copy = ipl_arena_str(arena, record);
	if (copy.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an event");
	return ipl_event_decode(copy, arena, out, err);
}

static enum ipl_status source_get(void *context, uint64_t seq, struct ipl_str *record,
				  struct ipl_error *err)
{
	return ipl_engine_get(context, seq, record, err);
}

uint64_t ipl_engine_last(struct ipl_engine *engine, struct ipl_key key)
{
	struct ipl_engine *live = engine->live != NULL ? engine->live : engine;
	uint64_t last;

	pthread_mutex_lock(&live->lock);
	/* Where the log could not be folded again there are none: that leads to no event. */
	last = live->heads == NULL ? UINT64_MAX : ipl_heads_last(live->heads, key);
	pthread_mutex_unlock(&live->lock);
	return last;
}

static uint64_t source_last(void *context, struct ipl_key key)
{
	return ipl_engine_last(context, key);
}

/* --- folding --- */

static enum ipl_status add_time(struct ipl_engine *engine, int64_t time_ms, struct ipl_error *err)
{
	if (engine->time_count == engine->time_cap) {
		size_t cap = engine->time_cap == 0 ? 64 : engine->time_cap * 2;
		int64_t *grown = realloc(engine->time, cap * sizeof(*grown));
		if (grown == NULL)
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for times");
		engine->time = grown;
		engine->time_cap = cap;
	}
	engine->time[engine->time_count++] = time_ms;
	return IPL_OK;
}

enum ipl_status ipl_engine_find_token(struct ipl_engine *engine, struct ipl_key token,
				      uint64_t *seq, struct ipl_error *err)
{
	const uint64_t *found = ipl_hashmap_find(&engine->tokens, token);
	enum ipl_status st = IPL_OK;

	*seq = found == NULL ? 0 : *found;
	if (found != NULL)
		return IPL_OK;
	pthread_mutex_lock(&engine->lock);
	st = ipl_checkpoint_token(engine->base, token, seq, err);
	pthread_mutex_unlock(&engine->lock);
	return st;
}

enum ipl_status ipl_engine_fold(struct ipl_engine *engine, const struct ipl_event *ev,
				const struct ipl_touches *touches, struct ipl_error *err)
{
	enum ipl_status st = ipl_reduce(engine->state, ev, touches, err);

	if (st == IPL_OK && ev->client_token.len > 0) {
		uint64_t *seq = ipl_hashmap_put(&engine->tokens, ipl_event_token_key(ev));
		if (seq == NULL)
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for tokens");
		*seq = ev->seq;
	}
	if (st == IPL_OK && (ev->seq - 1) % IPL_TIME_STEP == 0)
		st = add_time(engine, ev->time_ms, err);
	return st;
}

/* The ends of chains have nothing to do with the state: another thread may be at them meanwhile. */
static enum ipl_status check_passed(void *context, const struct ipl_passed *passed,
				    struct ipl_error *err)
{
	struct ipl_engine *engine = context;
	const struct ipl_event *ev = &passed->ev;

	if (ev->principal.len > IPL_PRINCIPAL_MAX || ev->client_token.len > IPL_TOKEN_MAX)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "event %" PRIu64 ": its principal or token is too long",
				     ev->seq);
	return ipl_heads_check(engine->heads, ev, &passed->touches, err);
}

static enum ipl_status fold_passed(void *context, const struct ipl_passed *passed,
				   struct ipl_error *err)
{
	return ipl_engine_fold(context, &passed->ev, &passed->touches, err);
}

static enum ipl_status fold_since(struct ipl_engine *engine, uint64_t head, struct ipl_error *err)
{
	const struct ipl_records records = ipl_records_of_reader(engine->reader);

	return ipl_pass_go(&(struct ipl_pass){ .records = &records,
					       .from = ipl_state_seq(engine->state) + 1,
					       .to = head,
					       .early = check_passed,
					       .fn = fold_passed,
					       .context = engine,
					       .state = engine->state },
			   err);
}

static void forget(struct ipl_engine *engine)
{
	ipl_views_close(engine->views);
	engine->views = NULL;
	ipl_state_free(engine->state);
	ipl_heads_free(engine->heads);
	ipl_hashmap_release(&engine->tokens);
	ipl_checkpoint_release(engine->base);
	engine->state = NULL;
	engine->heads = NULL;
	engine->base = NULL;
	engine->time_count = 0;
}

/* What is folded is loaded up to here: of the times before, every so many-th is read. */
static enum ipl_status read_times(struct ipl_engine *engine, uint64_t seq, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	for (uint64_t at = 1; st == IPL_OK && at <= seq; at += IPL_TIME_STEP) {
		struct ipl_str record;
		uint64_t found;
		int64_t time_ms = 0;
		st = ipl_reader_get(engine->reader, at, &record, err);
		if (st == IPL_OK && (!ipl_event_peek(record, &found, &time_ms) || found != at))
			st = ipl_error_set(err, IPL_ERR_CORRUPT, "event %" PRIu64 " cannot be read",
					   at);
		if (st == IPL_OK)
			st = add_time(engine, time_ms, err);
	}
	return st;
}

/* What the newest checkpoint has of the log; without one, what the empty log comes to. */
static enum ipl_status load_base(struct ipl_engine *engine, uint64_t seq, struct ipl_error *err)
{
	enum ipl_status st = ipl_checkpoint_load(engine->checkpoints, seq, IPL_UNSEEN_LOOK,
						 &engine->base, &engine->state, err);

	if (st != IPL_OK)
		return st;
	engine->heads = ipl_heads_new();
	ipl_hashmap_init(&engine->tokens, sizeof(uint64_t));
	if (engine->heads == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the state");
	if (engine->base != NULL)
		ipl_heads_set_under(engine->heads, ipl_checkpoint_head_of, engine->base);
	return read_times(engine, ipl_state_seq(engine->state), err);
}

static enum ipl_status keep_region(struct ipl_engine *engine, struct ipl_error *err)
{
	struct ipl_str region = ipl_state_ledger(engine->state)->settings.region;

	engine->region.at = strndup(region.at, region.len);
	engine->region.len = region.len;
	if (engine->region.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the engine");
	return IPL_OK;
}

/* With the lock held. */
static enum ipl_status fold_locked(struct ipl_engine *engine, struct ipl_error *err)
{
	const struct ipl_records records = ipl_engine_records(engine);
	struct ipl_head head;
	enum ipl_status st = ipl_store_head(engine->store, &head, err);

	if (st != IPL_OK)
		return st;
	forget(engine);
	if (engine->nodes != NULL)
		ipl_nodes_cut(engine->nodes, head.seq); /* beyond may come other events */
	atomic_fetch_add(&engine->generation, 1);
	st = load_base(engine, head.seq, err);
	if (st == IPL_OK)
		st = fold_since(engine, head.seq, err);
	if (st == IPL_OK)
		st = ipl_views_open(&records, &engine->views, err);
	if (st != IPL_OK)
		return st;
	atomic_store(&engine->durable_seq, head.seq);
	ipl_batch_reset(&engine->open, head.seq + 1);
	engine->flying = (struct ipl_batch){ 0 };
	if (head.seq == 0 || engine->region.at != NULL)
		return IPL_OK;
	engine->letters = ipl_state_letters(engine->state);
	engine->ledger_number = ipl_state_ledger_number(engine->state);
	return keep_region(engine, err);
}

enum ipl_status ipl_engine_fold_log(struct ipl_engine *engine, struct ipl_error *err)
{
	enum ipl_status st;

	pthread_mutex_lock(&engine->lock);
	st = fold_locked(engine, err);
	pthread_mutex_unlock(&engine->lock);
	return st;
}

/* --- the beginning of a ledger --- */

static enum ipl_status keep_schema(struct ipl_engine *engine, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_buf buf = { 0 };
	struct ipl_value schema;
	enum ipl_status st;

	ipl_arena_init(&arena, (size_t)4 << 20);
	schema = ipl_event_schema(&arena);
	ipl_msgpack_write(&buf, &schema);
	if (arena.failed || buf.failed)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the schema");
	else
		st = ipl_store_put_meta(engine->store, "schema",
					(struct ipl_str){ (const char *)buf.at, buf.len }, err);
	ipl_buf_release(&buf);
	ipl_arena_release(&arena);
	return st;
}

static enum ipl_status append_first(struct ipl_engine *engine, struct ipl_event *ev,
				    struct ipl_error *err)
{
	struct ipl_batch batch = { .first_seq = 1 };
	struct ipl_buf buf = { 0 };
	struct ipl_link link = { 0 };
	enum ipl_status st;

	ev->links = &link;
	ev->link_count = 1; /* the ledger itself */
	st = ipl_event_encode(ev, &buf, err);
	if (st == IPL_OK)
		st = ipl_batch_add(&batch, buf.at, buf.len, err);
	if (st == IPL_OK)
		st = ipl_store_append(engine->store, &batch, err);
	ipl_buf_release(&buf);
	ipl_batch_release(&batch);
	return st;
}

static enum ipl_status create_ledger(struct ipl_engine *engine, const struct ipl_value *init,
				     int64_t now_ms, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_event ev;
	uint64_t number = 0;
	int64_t event_time_ms = IPL_ABSENT;
	char principal[32];
	enum ipl_status st;

	while (number == 0)
		randombytes_buf(&number, sizeof(number));
	ipl_arena_init(&arena, (size_t)16 << 20);
	st = ipl_decide_ledger(init, number, &arena, &ev, &event_time_ms, err);
	if (st == IPL_OK && event_time_ms != IPL_ABSENT && event_time_ms > now_ms)
		st = ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "EventTime is in the future");
	if (st == IPL_OK) {
		(void)snprintf(principal, sizeof(principal), "uid:%lu", (unsigned long)getuid());
		ev.seq = 1;
		ev.time_ms = event_time_ms == IPL_ABSENT ? now_ms : event_time_ms;
		ev.principal = ipl_str_of(principal);
		randombytes_buf(ev.request_id, sizeof(ev.request_id));
		st = keep_schema(engine, err);
	}
	if (st == IPL_OK)
		st = append_first(engine, &ev, err);
	ipl_arena_release(&arena);
	return st;
}

/* --- open and close --- */

static void complain(void *context, const char *text)
{
	(void)context;
	ipl_log(IPL_LOG_WARN, "checkpoint %s", text);
}

static enum ipl_status open_all(struct ipl_engine *engine, const struct ipl_value *init,
				int64_t now_ms, struct ipl_error *err)
{
	bool serves = engine->mode == IPL_ENGINE_SERVE;
	struct ipl_head head;
	enum ipl_status st = ipl_store_open(engine->dir, serves ? IPL_STORE_APPEND : IPL_STORE_READ,
					    &engine->store, err);

	if (st == IPL_OK)
		st = ipl_store_head(engine->store, &head, err);
	if (st == IPL_OK && serves && head.seq == 0)
		st = create_ledger(engine, init, now_ms, err);
	else if (st == IPL_OK && init != NULL)
		st = ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				"%s holds a ledger already: --init is for a new one, "
				"ModifyLedgerSettings changes one",
				engine->dir);
	if (st == IPL_OK && !serves && head.seq == 0)
		st = ipl_error_set(err, IPL_ERR_IO, "the ledger in %s is empty", engine->dir);
	if (st == IPL_OK)
		st = ipl_reader_open(engine->store, &engine->reader, err);
	if (st == IPL_OK)
		st = ipl_checkpoints_open(engine->store, serves ? complain : NULL, NULL,
					  &engine->checkpoints, err);
	if (st == IPL_OK)
		st = ipl_engine_fold_log(engine, err);
	if (st == IPL_OK && serves)
		st = ipl_checkpointer_start(engine->store, engine->checkpoints,
					    &engine->checkpointer, err);
	if (st == IPL_OK && serves)
		st = ipl_refusals_open(engine->dir, true, &engine->refusals, err);
	if (st == IPL_OK && serves) {
		engine->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (engine->done_fd < 0)
			st = ipl_error_set(err, IPL_ERR_IO, "eventfd: %s", strerror(errno));
		else
			st = ipl_committer_start(engine->store, engine->done_fd, &engine->committer,
						 err);
	}
	if (st == IPL_OK && serves)
		st = ipl_jobs_start(engine, &engine->jobs, err);
	return st;
}

static struct ipl_engine *new_engine(enum ipl_engine_mode mode, int64_t now_ms)
{
	struct ipl_engine *engine = calloc(1, sizeof(*engine));

	if (engine == NULL)
		return NULL;
	engine->mode = mode;
	engine->done_fd = -1;
	engine->opened_ms = now_ms;
	engine->source = (struct ipl_source){ engine, source_get, source_last };
	pthread_mutex_init(&engine->lock, NULL);
	ipl_arena_init(&engine->scratch, FOLD_ARENA_BYTES);
	return engine;
}

enum ipl_status ipl_engine_share(struct ipl_engine *live, struct ipl_engine **out,
				 struct ipl_error *err)
{
	struct ipl_engine *engine = new_engine(IPL_ENGINE_READ, live->opened_ms);
	struct ipl_records records;
	enum ipl_status st;

	if (engine == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a thread that reads");
	engine->live = live;
	engine->store = live->store;
	engine->refusals = live->refusals;
	engine->checkpoints = live->checkpoints;
	engine->letters = live->letters;
	engine->region = live->region;
	engine->ledger_number = live->ledger_number;
	records = ipl_engine_records(engine);
	st = ipl_reader_open(engine->store, &engine->reader, err);
	if (st == IPL_OK)
		st = ipl_views_open(&records, &engine->views, err);
	if (st != IPL_OK) {
		ipl_engine_close(engine);
		return st;
	}
	*out = engine;
	return IPL_OK;
}

/* What an engine that shares has of its own. */
static void close_shared(struct ipl_engine *engine)
{
	ipl_views_close(engine->views);
	ipl_nodes_free(engine->nodes);
	ipl_reader_close(engine->reader);
	ipl_buf_release(&engine->record);
	ipl_arena_release(&engine->scratch);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

enum ipl_status ipl_engine_open(const char *dir, enum ipl_engine_mode mode,
				const struct ipl_value *init, int64_t now_ms,
				struct ipl_engine **out, struct ipl_error *err)
{
	struct ipl_engine *engine;
	enum ipl_status st;

	if (sodium_init() < 0)
		return ipl_error_set(err, IPL_ERR_IO, "libsodium has no source of random numbers");
	engine = new_engine(mode, now_ms);
	if (engine == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the engine");
	engine->dir = strdup(dir);
	if (engine->dir == NULL)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the engine");
	else
		st = open_all(engine, init, now_ms, err);
	if (st != IPL_OK) {
		ipl_engine_close(engine);
		return st;
	}
	*out = engine;
	return IPL_OK;
}

void ipl_engine_close(struct ipl_engine *engine)
{
	if (engine == NULL)
		return;
	if (engine->live != NULL) {
		close_shared(engine);
		return;
	}
	ipl_jobs_stop(engine->jobs);
	ipl_checkpointer_stop(engine->checkpointer);
	ipl_committer_stop(engine->committer);
	ipl_refusals_close(engine->refusals);
	if (engine->done_fd >= 0)
		close(engine->done_fd);
	forget(engine);
	ipl_shown_free(engine->shown);
	ipl_nodes_free(engine->nodes);
	ipl_checkpoints_close(engine->checkpoints);
	ipl_reader_close(engine->reader);
	ipl_store_close(engine->store);
	ipl_batch_release(&engine->open);
	ipl_batch_release(&engine->spare);
	ipl_arena_release(&engine->scratch);
	free(engine->time);
	free((char *)(uintptr_t)engine->region.at);
	free(engine->dir);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

/* --- a call --- */

static void add_request_id(struct ipl_arena *arena, const struct ipl_call *call,
			   struct ipl_value *result)
{
	char uuid[IPL_UUID_TEXT_MAX];

	if (ipl_map_get(result, "RequestId") != NULL)
		return; /* an event is answered as it is, with the id of the request that made it */
	ipl_uuid_format(call->request_id, uuid);
	ipl_map_add(arena, result, "RequestId", ipl_text_copy(arena, uuid));
}

static enum ipl_status check_access(const struct ipl_call *call,
				    const struct ipl_operation *operation,
				    const struct ipl_common *common, struct ipl_error *err)
{
	bool writes = operation->kind == IPL_OPERATION_WRITE;

	if (writes && call->access == IPL_ACCESS_AUDITOR)
		return ipl_refuse(err, IPL_CODE_FORBIDDEN, "an auditor may not call %s",
				  operation->name);
	if (call->access != IPL_ACCESS_ADMIN && (operation->flags & IPL_OPERATION_ADMIN) != 0)
		return ipl_refuse(err, IPL_CODE_FORBIDDEN, "%s is for the role admin",
				  operation->name);
	if (call->access != IPL_ACCESS_ADMIN && common->event_time_ms != IPL_ABSENT)
		return ipl_refuse(err, IPL_CODE_FORBIDDEN, "EventTime is for the role admin");
	return IPL_OK;
}

enum ipl_status ipl_engine_execute(struct ipl_engine *engine, const struct ipl_call *call,
				   struct ipl_arena *arena, struct ipl_answer *answer)
{
	const struct ipl_operation *operation = ipl_operation_find(call->operation);
	struct ipl_common common = { .dry_run = false };
	struct ipl_error *err = &answer->err;
	void *args;
	enum ipl_status st;

	answer->operation = operation;
	if (operation == NULL)
		return ipl_refuse(
			err, IPL_CODE_UNKNOWN_OPERATION,
			"there is no operation %.64s: `ipledger help operations` lists them",
			ipl_arena_str(arena, call->operation).at);
	args = ipl_arena_alloc(arena, operation->params->size_bytes);
	if (args == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	st = ipl_operation_parse(operation, call->params, arena, args, &common, err);
	if (st == IPL_OK)
		st = check_access(call, operation, &common, err);
	if (operation->kind == IPL_OPERATION_WRITE) {
		if (st == IPL_OK)
			st = ipl_engine_write(engine, call, operation, args, &common, arena,
					      answer);
		if (st == IPL_REFUSED)
			ipl_engine_note_refusal(engine, call, &common, err, arena);
		return st;
	}
	if (st != IPL_OK)
		return st;
	if (operation->kind == IPL_OPERATION_READ)
		return ipl_engine_read(engine, call, operation, args, &common, arena, answer);
	return ipl_engine_service(engine, call, operation, args, &common, arena, answer);
}

static void answer_call(struct ipl_engine *engine, const struct ipl_call *call,
			struct ipl_arena *arena, struct ipl_answer *answer)
{
	*answer = (struct ipl_answer){ .result = ipl_map(),
				       .err = IPL_ERROR_INIT(arena),
				       /* A refusal too tells of what must not be lost. */
				       .wait_seq = ipl_engine_head(engine) };
	if (call->job != NULL && *call->job != NULL) {
		answer->is_deferred = !ipl_jobs_fetch(engine, call->job, answer);
		if (!answer->is_deferred && answer->status == IPL_OK)
			add_request_id(arena, call, &answer->result);
		return;
	}
	if (ipl_engine_is_good(engine, &answer->err)) {
		answer->wait_seq = ipl_engine_head(engine); /* it may be good since now */
		answer->status = ipl_engine_execute(engine, call, arena, answer);
	} else {
		answer->wait_seq = 0; /* it tells of nothing */
		answer->status = answer->err.status;
	}
	answer->is_deferred = answer->status == IPL_ERR_BUSY;
	if (answer->status == IPL_OK)
		add_request_id(arena, call, &answer->result);
	if (answer->status == IPL_OK && arena->failed)
		answer->status =
			ipl_error_set(&answer->err, IPL_ERR_NOMEM,
				      "the answer takes more memory than there is for one: "
				      "ask for less with MaxResults");
}

void ipl_engine_call(struct ipl_engine *engine, const struct ipl_call *call,
		     struct ipl_arena *arena, struct ipl_answer *answer)
{
	bool by_thread = call->job != NULL && *call->job != NULL;
	int64_t begin_ns = ipl_monotonic_ns();

	answer_call(engine, call, arena, answer);
	if (answer->is_deferred)
		return;
	answer->done_ns = ipl_monotonic_ns();
	ipl_stats_call(&engine->stats, answer, by_thread ? -1 : answer->done_ns - begin_ns);
}
