/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be true. While it runs: the log that the disk took is folded, nobody
 * is told what is not in it, nobody is told less than somebody was before. At the
 * end: every call that was answered, and every call that made an event, is made
 * again in the order of the log on a ledger that never failed, never restarted and
 * has no threads and no checkpoints. It must give the same answers, byte for byte,
 * and the same log.
 */
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

#include "replay/checkpoint.h"
#include "replay/state_hash.h"
#include "replay/verify.h"
#include "server/engine_internal.h"
#include "server/rpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events/hash.h"
#include "events/json.h"
#include "events/msgpack.h"

#define REFERENCE_DIR "reference"
#define VERIFY_ONE_IN 16u

static struct ipl_hashmap tokens; /* of the log: token -> the last seq of its effect */
static struct ipl_hashmap made;   /* request id -> the first event it made */
static struct ipl_hashmap calls;  /* request id -> its place in sim.executed, plus one */
static bool is_checking;          /* it is the checker that calls */
static struct deferred {
	const struct ipl_job *job;
	struct sim_executed call;
} deferred[64];
static uint32_t deferred_at;
static uint64_t turns;

static struct ipl_key key_of(const uint8_t id[IPL_REQUEST_ID_BYTES])
{
	return (struct ipl_key){ .kind = 1, .a = ipl_get_be64(id), .b = ipl_get_be64(id + 8) };
}

static uint64_t *put(struct ipl_hashmap *map, struct ipl_key key)
{
	uint64_t *value = ipl_hashmap_put(map, key);

	if (value == NULL)
		world_fail("out of memory");
	return value;
}

/* --- the log, as the disk takes it --- */

/* A token's effect is one event, or the events of one transaction. */
static void check_token(const struct ipl_event *ev)
{
	uint64_t *seq;

	if (ev->client_token.len == 0)
		return;
	seq = put(&tokens, ipl_event_token_key(ev));
	if (*seq != 0 && (ev->group_size == 0 || *seq < ev->seq - ev->group_place + 1))
		world_fail("token %.*s made event %" PRIu64 " and event %" PRIu64,
			   IPL_STR_ARG(ev->client_token), *seq, ev->seq);
	*seq = ev->seq;
}

static void keep_record(struct ipl_str record)
{
	struct lab *lab = &sim.lab;

	if (lab->count == lab->cap) {
		size_t cap = lab->cap == 0 ? 256 : lab->cap * 2;
		lab->record = realloc(lab->record, cap * sizeof(*lab->record));
		if (lab->record == NULL)
			world_fail("out of memory");
		lab->cap = cap;
	}
	lab->record[lab->count++] = ipl_arena_str(&lab->keep, record);
}

static void fold(struct ipl_str record)
{
	struct lab *lab = &sim.lab;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_touches touches;
	struct ipl_event ev;
	enum ipl_status st;

	keep_record(record);
	ipl_arena_reset(&lab->call);
	st = ipl_event_decode(record, &lab->call, &ev, &err);
	if (st == IPL_OK && ev.seq != lab->count)
		world_fail("where event %zu belongs stands %" PRIu64, lab->count, ev.seq);
	if (st == IPL_OK)
		st = ipl_event_touches(&lab->call, &ev, &touches, &err);
	if (st == IPL_OK)
		st = ipl_heads_check(lab->heads, &ev, &touches, &err);
	if (st == IPL_OK)
		st = ipl_reduce(lab->state, &ev, &touches, &err);
	if (st != IPL_OK)
		world_fail("event %zu does not follow from those before: %s", lab->count, err.text);
	check_token(&ev);
	if (ev.group_place <= 1)
		*put(&made, key_of(ev.request_id)) = ev.seq;
	world_trace("event", record.at, record.len);
	sim.counts.events++;
}

/* What the disk does not have by now, it will never have as it was. */
static void lose_the_rest(void)
{
	for (uint32_t i = 0; i < sim.executed_count; i++) {
		if (sim.executed[i].head > sim.lab.count)
			sim.executed[i].is_lost = true;
	}
	for (size_t i = 0; i < IPL_ARRAY_SIZE(deferred); i++) {
		if (deferred[i].call.head > sim.lab.count)
			deferred[i].call.is_lost = true;
	}
}

/* A batch of which nobody knows yet whether the disk has it. */
static struct ipl_batch unknown;

static void keep_unknown(const struct ipl_batch *batch)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	ipl_batch_reset(&unknown, batch->first_seq);
	for (uint32_t i = 0; i < batch->count; i++) {
		struct ipl_str record = ipl_batch_get(batch, batch->first_seq + i);
		if (ipl_batch_add(&unknown, record.at, record.len, &err) != IPL_OK)
			world_fail("%s", err.text);
	}
}

/* It has found out: what it says now is held against the disk when that is opened again. */
static void believe(uint64_t durable_seq)
{
	if (unknown.count == 0 || durable_seq < unknown.first_seq ||
	    unknown.first_seq != sim.lab.count + 1)
		return;
	for (uint32_t i = 0; i < unknown.count; i++)
		fold(ipl_batch_get(&unknown, unknown.first_seq + i));
	ipl_batch_reset(&unknown, 0);
}

/* What the log came to, when that was last looked up; UINT64_MAX: not in this call. */
static uint64_t found_head;

enum ipl_status __real_ipl_store_recover(struct ipl_store *store, struct ipl_error *err);
enum ipl_status __wrap_ipl_store_recover(struct ipl_store *store, struct ipl_error *err);
enum ipl_status __wrap_ipl_store_recover(struct ipl_store *store, struct ipl_error *err)
{
	enum ipl_status st = __real_ipl_store_recover(store, err);
	struct ipl_head head;

	if (is_checking || st != IPL_OK || unknown.count == 0)
		return st;
	if (ipl_store_head(store, &head, err) != IPL_OK)
		world_fail("the head of a log that was looked up: %s", err->text);
	world_say("it is known again: the log ends at %" PRIu64, head.seq);
	believe(head.seq);
	ipl_batch_reset(&unknown, 0);
	lose_the_rest();
	found_head = head.seq;
	return st;
}

enum ipl_status __real_ipl_store_append(struct ipl_store *store, const struct ipl_batch *batch,
					struct ipl_error *err);
enum ipl_status __wrap_ipl_store_append(struct ipl_store *store, const struct ipl_batch *batch,
					struct ipl_error *err);
enum ipl_status __wrap_ipl_store_append(struct ipl_store *store, const struct ipl_batch *batch,
					struct ipl_error *err)
{
	enum ipl_status st = __real_ipl_store_append(store, batch, err);

	if (is_checking)
		return st;
	world_say("%" PRIu32 " events from %" PRIu64 ": %s", batch->count, batch->first_seq,
		  st == IPL_OK ? "on disk" : err->text);
	if (st == IPL_ERR_IO)
		lose_the_rest();
	if (st == IPL_ERR_OUTCOME && unknown.count == 0)
		keep_unknown(batch);
	if (st == IPL_OK)
		believe(batch->first_seq - 1);
	if (st != IPL_OK)
		return st;
	if (batch->first_seq != sim.lab.count + 1)
		world_fail("a batch from %" PRIu64 " was taken after event %zu", batch->first_seq,
			   sim.lab.count);
	for (uint32_t i = 0; i < batch->count; i++)
		fold(ipl_batch_get(batch, batch->first_seq + i));
	return st;
}

/* --- calls, as the engine gets them --- */

static struct deferred *find_deferred(const struct ipl_job *job)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(deferred); i++) {
		if (deferred[i].job == job)
			return &deferred[i];
	}
	return NULL;
}

static void note_deferred(const struct ipl_job *job, const struct sim_executed *call)
{
	struct deferred *slot = find_deferred(job);

	if (slot == NULL)
		slot = &deferred[deferred_at++ % IPL_ARRAY_SIZE(deferred)];
	*slot = (struct deferred){ job, *call };
}

/* The id of its answer is that of the call which got it. */
static void note_call(const uint8_t id[IPL_REQUEST_ID_BYTES], const struct sim_executed *call)
{
	struct sim_executed *executed = sim_grow(&sim.executed, &sim.executed_count,
						 &sim.executed_cap, sizeof(*sim.executed));

	*executed = *call;
	memcpy(executed->request_id, id, sizeof(executed->request_id));
	*put(&calls, key_of(id)) = sim.executed_count;
}

void __real_ipl_engine_call(struct ipl_engine *engine, const struct ipl_call *call,
			    struct ipl_arena *arena, struct ipl_answer *answer);
void __wrap_ipl_engine_call(struct ipl_engine *engine, const struct ipl_call *call,
			    struct ipl_arena *arena, struct ipl_answer *answer);
void __wrap_ipl_engine_call(struct ipl_engine *engine, const struct ipl_call *call,
			    struct ipl_arena *arena, struct ipl_answer *answer)
{
	const struct ipl_job *job = call->job == NULL ? NULL : *call->job;
	struct sim_executed now = { .head = ipl_engine_head(engine),
				    .turn = turns++,
				    .now_ms = call->now_ms,
				    .attempt = SIM_NONE };

	if (!is_checking)
		believe(ipl_engine_durable_seq(engine));
	found_head = UINT64_MAX;
	__real_ipl_engine_call(engine, call, arena, answer);
	if (is_checking)
		return;
	if (found_head != UINT64_MAX) /* it came first, and the call after it */
		now.head = found_head;
	if (job == NULL && answer->is_deferred) {
		sim.counts.deferred++;
		now.is_deferred = true;
		note_deferred(*call->job, &now);
	} else if (job == NULL) {
		note_call(call->request_id, &now);
	} else if (!answer->is_deferred) {
		struct deferred *asked = find_deferred(job);
		if (asked == NULL)
			world_fail("a job that nobody asked for is done");
		note_call(call->request_id, &asked->call);
		asked->job = NULL;
	}
}

/* --- answers, as clients get them --- */

static uint64_t number(const struct ipl_value *map, const char *name)
{
	const struct ipl_value *value = ipl_map_get(map, name);

	return value == NULL || value->type != IPL_VALUE_INT ? 0 : (uint64_t)value->integer;
}

/* Which call it was, by the id that the answer has. */
static struct sim_executed *find_call(struct ipl_str request_id)
{
	uint8_t id[IPL_REQUEST_ID_BYTES];
	const uint64_t *at;
	size_t digits = 0;

	memset(id, 0, sizeof(id));
	for (size_t i = 0; i < request_id.len && digits < 2 * sizeof(id); i++) {
		const char *hex = "0123456789abcdef";
		const char *found = strchr(hex, request_id.at[i] | 0x20);
		if (request_id.at[i] == '-' || found == NULL)
			continue;
		id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | (found - hex));
		digits++;
	}
	at = ipl_hashmap_find(&calls, key_of(id));
	return at == NULL ? NULL : &sim.executed[*at - 1];
}

static void tell(const struct sim_request *request, const struct ipl_value *result)
{
	bool writes = request->operation->kind == IPL_OPERATION_WRITE;
	uint64_t seq = number(result, writes ? "Seq" : "AsOfSeq");
	uint64_t head = number(result, "HeadSeq");
	const struct ipl_value *as_of = ipl_map_get(&request->params, "AsOf");

	if (seq > sim.lab.count || head > sim.lab.count)
		world_fail("%s tells of event %" PRIu64 ", and the disk has %zu",
			   request->operation->name, seq > head ? seq : head, sim.lab.count);
	if (as_of != NULL && as_of->type == IPL_VALUE_INT && seq != (uint64_t)as_of->integer)
		world_fail("%s is answered as of %" PRIu64, request->operation->name, seq);
	sim.told = seq > sim.told ? seq : sim.told;
	sim.told = head > sim.told ? head : sim.told;
}

/* It cannot go on before it is started anew; only where a file could not be opened again. */
static void server_is_lost(struct ipl_str why)
{
	if (world_counts.open_failures == sim.open_failures_before)
		world_fail("%.*s", IPL_STR_ARG(why));
	sim.server_is_lost = true;
}

static bool begins_with(struct ipl_str text, const char *word)
{
	return text.len >= strlen(word) && memcmp(text.at, word, strlen(word)) == 0;
}

void checker_hello_failed(const struct ipl_value *error)
{
	struct ipl_str code =
		error->type == IPL_VALUE_STR ? error->str : ipl_map_text(error, "Code");

	if (!begins_with(code, "StoreUnavailable") && !begins_with(code, "OutcomeUnknown"))
		server_is_lost(code);
}

static void judge_error(struct sim_attempt *attempt, const struct ipl_value *error)
{
	struct ipl_str code = ipl_map_text(error, "Code");

	if (ipl_str_is(code, "StoreUnavailable")) {
		attempt->is_known_undone = true;
		sim.counts.unavailable++;
	} else if (ipl_str_is(code, "OutcomeUnknown")) {
		sim.counts.unknown++;
	} else if (ipl_str_is(code, "InternalError")) {
		server_is_lost(ipl_map_text(error, "Message"));
	} else {
		attempt->is_definite = true;
		sim.counts.refused++;
	}
}

void checker_answer(struct sim_attempt *attempt, bool is_error, const struct ipl_value *value)
{
	struct sim_request *request = &sim.request[attempt->request];
	struct sim_executed *executed = find_call(ipl_map_text(value, "RequestId"));

	sim.counts.answers++;
	world_say("attempt %td is answered: %.*s", attempt - sim.attempt,
		  IPL_STR_ARG(is_error ? ipl_map_text(value, "Code") : IPL_STR("done")));
	if (is_error) {
		judge_error(attempt, value);
	} else {
		attempt->is_definite = true;
		sim.counts.acknowledged += request->operation->kind == IPL_OPERATION_WRITE;
		tell(request, value);
		if (ipl_str_is(ipl_str_of(request->operation->name), "GetStatus"))
			sim.last_status = ipl_value_copy(&sim.keep, value);
		if (ipl_str_is(ipl_str_of(request->operation->name), "GetStateHash"))
			sim.last_hash = ipl_value_copy(&sim.keep, value);
	}
	request->is_settled = request->is_settled || attempt->is_definite || !request->has_token;
	if (!attempt->is_definite)
		return;
	if (executed == NULL)
		world_fail("an answer has a RequestId that no call had");
	executed->attempt = (uint32_t)(attempt - sim.attempt);
	attempt->executed = (uint32_t)(executed - sim.executed);
	/* Also a refusal tells of a state; nobody is to see one that may be lost, or is older. */
	if (executed->is_lost && !executed->is_deferred)
		world_fail("%s was answered as of event %" PRIu64 ", which was lost",
			   request->operation->name, executed->head);
	if (executed->head > sim.lab.count && !executed->is_deferred)
		world_fail("%s was answered as of event %" PRIu64 ", and the disk has %zu",
			   request->operation->name, executed->head, sim.lab.count);
	if (executed->head < attempt->told_before)
		world_fail("%s was answered as of event %" PRIu64 ", when %" PRIu64
			   " had been told",
			   request->operation->name, executed->head, attempt->told_before);
	if (!executed->is_deferred && executed->head > sim.told)
		sim.told = executed->head;
}

void checker_notified(const struct ipl_value *event)
{
	struct ipl_region_letters letters = ipl_state_letters(sim.lab.state);
	uint64_t seq = number(event, "Seq");
	struct ipl_event ev;
	struct ipl_value shown;

	if (seq > sim.lab.count)
		world_fail("event %" PRIu64 " was notified, and the disk has %zu", seq,
			   sim.lab.count);
	ipl_arena_reset(&sim.lab.call);
	lab_event(&sim.lab, seq, &sim.lab.call, &ev);
	shown = ipl_event_value(&sim.lab.call, letters, &ev);
	if (!ipl_value_equal(&shown, event))
		world_fail("event %" PRIu64 " was notified otherwise than the log has it", seq);
	sim.told = seq > sim.told ? seq : sim.told;
}

/* --- begin, and after each crash --- */

void checker_begin(void)
{
	struct lab *lab = &sim.lab;

	memset(lab, 0, sizeof(*lab));
	memset(deferred, 0, sizeof(deferred));
	ipl_arena_init(&lab->keep, (size_t)256 << 20);
	ipl_arena_init(&lab->call, (size_t)256 << 20);
	lab->state = ipl_state_new();
	lab->heads = ipl_heads_new();
	lab->time_ms = world_wall_ms();
	ipl_hashmap_init(&tokens, sizeof(uint64_t));
	ipl_hashmap_init(&made, sizeof(uint64_t));
	ipl_hashmap_init(&calls, sizeof(uint64_t));
}

static void must(enum ipl_status st, const struct ipl_error *err, const char *what)
{
	if (st != IPL_OK)
		world_fail("%s: %s", what, err->text);
}

static enum ipl_status look_at_record(void *context, uint64_t seq, struct ipl_str record,
				      struct ipl_error *err)
{
	(void)context;
	(void)err;
	if (seq > sim.lab.count)
		fold(record); /* its answer was never given */
	else if (!ipl_str_equal(record, sim.lab.record[seq - 1]))
		world_fail("event %" PRIu64 " is another one after the crash", seq);
	return IPL_OK;
}

void checker_reopen(void)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_store *store;
	struct ipl_reader *reader;
	struct ipl_head head;
	enum ipl_status st = ipl_store_open(SIM_DIR, IPL_STORE_READ, &store, &err);

	if (st != IPL_OK && sim.lab.count == 0)
		return; /* it was not even made */
	must(st, &err, "the log cannot be opened after the crash");
	must(ipl_reader_open(store, &reader, &err), &err, "reader");
	must(ipl_store_head(store, &head, &err), &err, "head");
	if (head.seq < sim.lab.count)
		world_fail("events from %" PRIu64 " to %zu are lost", head.seq + 1, sim.lab.count);
	ipl_batch_reset(&unknown, 0);
	must(ipl_reader_scan(reader, 1, head.seq, look_at_record, NULL, &err), &err, "the log");
	lose_the_rest();
	ipl_reader_close(reader);
	ipl_store_close(store);
}

/* --- the end: all of it once more --- */

static void begin_reference(struct ipl_engine **out)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_batch batch = { .first_seq = 1 };
	struct ipl_store *store;

	must(ipl_store_open(REFERENCE_DIR, IPL_STORE_APPEND, &store, &err), &err, "reference");
	must(ipl_batch_add(&batch, sim.lab.record[0].at, sim.lab.record[0].len, &err), &err,
	     "reference");
	must(ipl_store_append(store, &batch, &err), &err, "reference");
	ipl_batch_release(&batch);
	ipl_store_close(store);
	must(ipl_engine_open(REFERENCE_DIR, IPL_ENGINE_SERVE, NULL, world_wall_ms(), out, &err),
	     &err, "reference");
}

/*
 * Of GetStatus, what the file system and the clock have to do with it is left out; where a thread
 * has done it, the end of the log too: it is that of then.
 */
static struct ipl_value without_place(struct ipl_arena *arena, struct ipl_str frame,
				      bool is_deferred)
{
	static const char *const left_out[] = { "Store", "UptimeSeconds", "HeadSeq", "HeadTime",
						"HeadRoot" };
	size_t left_out_count = is_deferred ? IPL_ARRAY_SIZE(left_out) : 2;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_value value, left = ipl_map();
	const struct ipl_value *result;

	must(ipl_msgpack_parse(arena, (const uint8_t *)frame.at, frame.len, &value, &err), &err,
	     "an answer");
	result = &value.item[3];
	if (ipl_map_get(result, "UptimeSeconds") == NULL)
		return value;
	for (uint32_t i = 0; i < result->count; i++) {
		const struct ipl_member *member = &result->member[i];
		bool is_left = true;
		for (size_t k = 0; k < left_out_count; k++)
			is_left = is_left && !ipl_str_is(member->key, left_out[k]);
		if (is_left)
			ipl_map_add_str(arena, &left, member->key, member->value);
	}
	return left;
}

static uint32_t msgid_of(struct ipl_arena *arena, struct ipl_str frame)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_value value;

	must(ipl_msgpack_parse(arena, (const uint8_t *)frame.at, frame.len, &value, &err), &err,
	     "an answer");
	return (uint32_t)value.item[1].integer;
}

static void compare_answers(const struct sim_attempt *attempt, const struct ipl_answer *answer,
			    const struct sim_executed *executed, struct ipl_arena *arena)
{
	struct ipl_buf frame = { 0 };
	struct ipl_value ours, theirs;
	struct ipl_str bytes;

	theirs = without_place(arena, attempt->frame, executed->is_deferred);
	ipl_rpc_write_answer(&frame, msgid_of(arena, attempt->frame), answer, executed->request_id,
			     true);
	bytes = (struct ipl_str){ (const char *)frame.at, frame.len };
	ours = without_place(arena, bytes, executed->is_deferred);
	if (!ipl_value_equal(&ours, &theirs)) {
		struct ipl_buf text = { 0 };
		ipl_json_write(&text, &ours, IPL_JSON_COMPACT);
		ipl_buf_append(&text, "\n  and was ", 11);
		ipl_json_write(&text, &theirs, IPL_JSON_COMPACT);
		ipl_buf_append(&text, "\n  when asked for ", 18);
		ipl_json_write(&text, &sim.request[attempt->request].params, IPL_JSON_COMPACT);
		world_fail("attempt %td (%s) as of event %" PRIu64
			   " is not answered as the order of events explains.\n  it would be %.*s",
			   attempt - sim.attempt, sim.request[attempt->request].operation->name,
			   executed->head, (int)text.len, (const char *)text.at);
	}
	ipl_buf_release(&frame);
	sim.counts.replayed++;
}

/* What a call appended to the reference is what the log has there. */
static void compare_events(struct ipl_engine *engine, uint64_t from, uint64_t to)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	for (uint64_t seq = from; seq <= to; seq++) {
		struct ipl_str record;
		must(ipl_engine_get(engine, seq, &record, &err), &err, "reference");
		if (seq > sim.lab.count)
			world_fail("event %" PRIu64 " was acknowledged and is not in the log", seq);
		if (!ipl_str_equal(record, sim.lab.record[seq - 1]))
			world_fail("event %" PRIu64 " is not what its call makes of the events "
				   "before it",
				   seq);
	}
}

static void replay_call(struct ipl_engine *engine, const struct sim_executed *executed,
			struct ipl_arena *arena)
{
	const struct sim_attempt *attempt = &sim.attempt[executed->attempt];
	const struct sim_request *request = &sim.request[attempt->request];
	const uint64_t *first = ipl_hashmap_find(&made, key_of(executed->request_id));
	char principal[32];
	struct ipl_value params;
	struct ipl_call call = { .operation = ipl_str_of(request->operation->name),
				 .params = &params,
				 .access = IPL_ACCESS_ADMIN,
				 .now_ms = executed->now_ms,
				 .can_be_notified = true };
	struct ipl_answer answer;
	uint64_t head;

	if (!attempt->is_definite && first == NULL)
		return;
	if (first != NULL && attempt->is_known_undone)
		world_fail("attempt %" PRIu32 " was said to have come to nothing and made event "
			   "%" PRIu64,
			   executed->attempt, *first);
	ipl_arena_reset(arena);
	params = request_params(arena, attempt);
	(void)snprintf(principal, sizeof(principal), "uid:%lu", (unsigned long)getuid());
	call.principal = ipl_str_of(principal);
	memcpy(call.request_id, executed->request_id, sizeof(call.request_id));
	/* (The past can be read later as well, which it is where it lies within a transaction.) */
	if (ipl_engine_head(engine) != executed->head &&
	    !(executed->is_lost && ipl_engine_head(engine) > executed->head))
		world_fail("attempt %" PRIu32 " was decided as of event %" PRIu64
			   ", which is not where its turn was: %" PRIu64,
			   executed->attempt, executed->head, ipl_engine_head(engine));
	head = ipl_engine_head(engine);
	ipl_engine_call(engine, &call, arena, &answer);
	compare_events(engine, head + 1, ipl_engine_head(engine));
	if (first != NULL && *first != executed->head + 1)
		world_fail("event %" PRIu64 " was made by a call as of event %" PRIu64, *first,
			   executed->head);
	if (attempt->is_definite)
		compare_answers(attempt, &answer, executed, arena);
}

/* Which attempt made an event: its reason says so. */
static void find_makers(void)
{
	for (uint64_t seq = 2; seq <= sim.lab.count; seq++) {
		unsigned long attempt;
		const uint64_t *at;
		struct ipl_event ev;
		ipl_arena_reset(&sim.lab.call);
		lab_event(&sim.lab, seq, &sim.lab.call, &ev);
		attempt = ev.reason.len == 0 ? SIM_NONE : strtoul(ev.reason.at, NULL, 10);
		at = ipl_hashmap_find(&calls, key_of(ev.request_id));
		if (attempt >= sim.attempt_count || at == NULL)
			world_fail("event %" PRIu64 " was asked for by nobody", seq);
		if (sim.executed[*at - 1].attempt != SIM_NONE &&
		    sim.executed[*at - 1].attempt != attempt)
			world_fail("event %" PRIu64 " has another's RequestId", seq);
		sim.executed[*at - 1].attempt = (uint32_t)attempt;
	}
}

/* In the order of the log, and of those at the same place as they were asked. */
static int compare_turns(const void *a, const void *b)
{
	const struct sim_executed *x = a, *y = b;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	return x->turn < y->turn ? -1 : x->turn > y->turn;
}

/*
 * A read of the past that was asked when there was more than has come to stay: what it reads was
 * there, so it is answered the same. (As of a time: what was lost may have told what it means.)
 */
static void place_lost(void)
{
	for (uint32_t i = 0; i < sim.executed_count; i++) {
		struct sim_executed *executed = &sim.executed[i];
		const struct ipl_value *as_of;
		if (!executed->is_lost || !executed->is_deferred || executed->attempt == SIM_NONE)
			continue;
		as_of = ipl_map_get(&sim.request[sim.attempt[executed->attempt].request].params,
				    "AsOf");
		if (as_of == NULL)
			world_fail("attempt %" PRIu32 " read events that were lost",
				   executed->attempt);
		if (as_of->type == IPL_VALUE_INT) { /* before the next event is made there */
			executed->head = (uint64_t)as_of->integer;
			executed->turn = 0;
		} else {
			executed->attempt = SIM_NONE;
		}
	}
}

static void replay_all(void)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_engine *engine;
	struct ipl_arena arena;
	struct ipl_head head;
	char root[2 * IPL_ROOT_BYTES + 1];

	find_makers();
	place_lost();
	if (sim.executed_count > 0)
		qsort(sim.executed, sim.executed_count, sizeof(*sim.executed), compare_turns);
	begin_reference(&engine);
	ipl_arena_init(&arena, (size_t)256 << 20);
	for (uint32_t i = 0; i < sim.executed_count; i++) {
		if (sim.executed[i].attempt != SIM_NONE)
			replay_call(engine, &sim.executed[i], &arena);
	}
	if (ipl_engine_head(engine) != sim.lab.count)
		world_fail("events from %" PRIu64 " to %zu are explained by no call",
			   ipl_engine_head(engine) + 1, sim.lab.count);
	must(ipl_engine_settle(engine, &err), &err, "reference");
	must(ipl_store_head(engine->store, &head, &err), &err, "reference");
	for (size_t i = 0; i < IPL_ROOT_BYTES; i++)
		(void)snprintf(root + 2 * i, 3, "%02x", head.root[i]);
	if (!ipl_str_is(ipl_map_text(&sim.last_status, "HeadRoot"), root))
		world_fail("the log's root is not that of its events");
	ipl_arena_release(&arena);
	ipl_engine_close(engine);
}

/* --- the end: hashes --- */

static void hash_of(const struct ipl_state *state, char out[2 * IPL_DIGEST_BYTES + 1])
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint8_t hash[IPL_DIGEST_BYTES];

	must(ipl_state_hash(state, hash, &err), &err, "a state's hash");
	for (size_t i = 0; i < sizeof(hash); i++)
		(void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

static void complain(void *context, const char *text)
{
	(void)context;
	world_fail("a checkpoint is bad: %s", text);
}

/* The state of a checkpoint, with what came after it, is the state. */
static void check_checkpoint(struct ipl_checkpoints *set, uint64_t seq, const char *wanted)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	char hash[2 * IPL_DIGEST_BYTES + 1];
	struct ipl_checkpoint *checkpoint;
	struct ipl_state *state;

	must(ipl_checkpoint_load(set, seq, IPL_UNSEEN_LOOK, &checkpoint, &state, &err), &err,
	     "a checkpoint");
	if (ipl_state_seq(state) != seq)
		world_fail("the checkpoint of event %" PRIu64 " is one of %" PRIu64, seq,
			   ipl_state_seq(state));
	for (uint64_t at = seq + 1; at <= sim.lab.count; at++) {
		struct ipl_touches touches;
		struct ipl_event ev;
		ipl_arena_reset(&sim.lab.call);
		lab_event(&sim.lab, at, &sim.lab.call, &ev);
		must(ipl_event_touches(&sim.lab.call, &ev, &touches, &err), &err, "touches");
		must(ipl_reduce(state, &ev, &touches, &err), &err, "after a checkpoint");
	}
	hash_of(state, hash);
	if (strcmp(hash, wanted) != 0)
		world_fail("from the checkpoint of event %" PRIu64 " on comes another state", seq);
	ipl_state_free(state);
	ipl_checkpoint_release(checkpoint);
	sim.counts.checkpoints++;
}

static void check_hashes(void)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_checkpoint_stat *stat = NULL;
	struct ipl_checkpoints *set;
	struct ipl_store *store;
	char hash[2 * IPL_DIGEST_BYTES + 1];
	size_t count = 0;

	hash_of(sim.lab.state, hash);
	if (!ipl_str_is(ipl_map_text(&sim.last_hash, "Hash"), hash))
		world_fail("the server's state is not that of its log");
	must(ipl_store_open(SIM_DIR, IPL_STORE_READ, &store, &err), &err, "the log");
	must(ipl_checkpoints_open(store, complain, NULL, &set, &err), &err, "checkpoints");
	must(ipl_checkpoints_list(set, &stat, &count, &err), &err, "checkpoints");
	for (size_t i = 0; i < count; i++)
		check_checkpoint(set, stat[i].seq, hash);
	free(stat);
	ipl_checkpoints_close(set);
	ipl_store_close(store);
}

static void verify(void)
{
	const struct ipl_verify_options options = { .threads = 2 };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_verified verified;

	must(ipl_verify(SIM_DIR, &options, &verified, &err), &err, "verify");
	if (verified.head.seq != sim.lab.count)
		world_fail("verify saw %" PRIu64 " events of %zu", verified.head.seq,
			   sim.lab.count);
	sim.counts.verified++;
}

void checker_end(void)
{
	is_checking = true;
	replay_all();
	check_hashes();
	if (world_draw(VERIFY_ONE_IN) == 0)
		verify();
	is_checking = false;
	ipl_batch_release(&unknown);
	ipl_hashmap_release(&tokens);
	ipl_hashmap_release(&made);
	ipl_hashmap_release(&calls);
	lab_close(&sim.lab);
}
