/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger of the fuzz targets, and what is claimed of every call. */
#include "tests/fuzz/ledger.h"

#include "events/json.h"
#include "events/msgpack.h"
#include "reducers/codec.h"
#include "replay/check.h"
#include "replay/state_hash.h"
#include "tests/random_ops.h"

#include <stdio.h>
#include <string.h>

#define PAST_STEPS 160
#define PAST_SEED  7
#define NOW_MS     INT64_C(1000000)

void fuzz_failed(const char *claim, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
	abort();
}

/* --- where it begins --- */

static struct ipl_state *make_past(int steps)
{
	struct ipl_state *state;
	struct lab lab;

	lab_open(&lab, random_settings);
	random_begin(PAST_SEED);
	for (int i = 0; i < steps; i++)
		CHECK(random_step(&lab) <= IPL_REFUSED);
	ipl_state_advance(lab.state, ipl_state_time_ms(lab.state));
	state = ipl_state_copy(lab.state);
	CHECK(state != NULL);
	lab_close(&lab);
	return state;
}

/* Made once; kept reachable, so that it is no leak. */
static struct ipl_state *made[2];

const struct ipl_state *fuzz_past(void)
{
	if (made[1] == NULL)
		made[1] = make_past(PAST_STEPS);
	return made[1];
}

void fuzz_ledger_open(struct fuzz_ledger *ledger, bool has_past)
{
	memset(ledger, 0, sizeof(*ledger));
	if (made[0] == NULL)
		made[0] = make_past(0);
	ledger->state = ipl_state_copy(has_past ? fuzz_past() : made[0]);
	CHECK(ledger->state != NULL);
	ledger->time_ms = ipl_state_time_ms(ledger->state);
	ipl_arena_init(&ledger->call, (size_t)256 << 20);
}

void fuzz_ledger_close(struct fuzz_ledger *ledger)
{
	ipl_state_free(ledger->state);
	ipl_arena_release(&ledger->call);
	ipl_buf_release(&ledger->log);
}

/* --- what holds of a state --- */

static void on_finding(void *context, const struct ipl_finding *finding)
{
	(void)context;
	fprintf(stderr, "%s: %s\n", finding->rule, finding->text);
}

void fuzz_check_state(const struct ipl_state *state, int64_t now_ms)
{
	CHECK(ipl_check_state(state, now_ms, on_finding, NULL) == 0);
}

static void hash_state(struct fuzz_ledger *ledger, uint8_t out[IPL_DIGEST_BYTES])
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	ipl_state_advance(ledger->state, ipl_state_time_ms(ledger->state));
	CHECK(ipl_state_hash(ledger->state, out, &err) == IPL_OK);
}

static enum ipl_status load_row(void *context, struct ipl_key key, struct ipl_str value,
				struct ipl_error *err)
{
	return ipl_state_loader_row(context, key, value, err);
}

void fuzz_check_rows(const struct ipl_state *state)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_state_loader *loader = ipl_state_loader_new();
	struct ipl_state *again = NULL;
	uint8_t one[IPL_DIGEST_BYTES], two[IPL_DIGEST_BYTES];

	CHECK(loader != NULL);
	CHECK(ipl_state_each_row(state, load_row, loader, &err) == IPL_OK);
	CHECK(ipl_state_loader_finish(loader, &again, &err) == IPL_OK);
	ipl_state_loader_free(loader);
	CHECK(ipl_state_hash(state, one, &err) == IPL_OK);
	CHECK(ipl_state_hash(again, two, &err) == IPL_OK);
	CHECK(memcmp(one, two, sizeof(one)) == 0);
	ipl_state_free(again);
}

/* --- an event --- */

static void check_bytes(struct fuzz_ledger *ledger, const struct ipl_event *given,
			struct ipl_str bytes, struct ipl_event *out)
{
	struct ipl_region_letters letters = ipl_state_letters(ledger->state);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_buf again = { 0 };
	struct ipl_value x, y;

	CHECK(ipl_event_decode(bytes, &ledger->call, out, &err) == IPL_OK);
	CHECK(ipl_event_encode(out, &again, &err) == IPL_OK);
	CHECK(again.len == bytes.len && memcmp(again.at, bytes.at, bytes.len) == 0);
	x = ipl_event_value(&ledger->call, letters, given);
	y = ipl_event_value(&ledger->call, letters, out);
	CHECK(ipl_value_equal(&x, &y));
	ipl_buf_release(&again);
}

enum ipl_status fuzz_ledger_append(struct fuzz_ledger *ledger, struct ipl_event *ev)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_touches touches;
	struct ipl_buf buf = { 0 };
	struct ipl_event out;
	enum ipl_status st;

	ev->seq = ipl_state_seq(ledger->state) + 1;
	ev->time_ms = ledger->time_ms;
	ev->principal = IPL_STR("uid:0");
	CHECK(ipl_event_touches(&ledger->call, ev, &touches, &err) == IPL_OK);
	ev->link_count = touches.count;
	ev->links = ipl_arena_array(&ledger->call, touches.count, sizeof(*ev->links));
	CHECK(ipl_event_encode(ev, &buf, &err) == IPL_OK);
	check_bytes(ledger, ev,
		    ipl_arena_str(&ledger->call, (struct ipl_str){ (char *)buf.at, buf.len }),
		    &out);
	ipl_buf_append(&ledger->log, buf.at, buf.len);
	ipl_buf_release(&buf);
	ledger->count++;
	st = ipl_reduce(ledger->state, &out, &touches, &ledger->err);
	CHECK(st == IPL_OK || ledger->err.text[0] != '\0');
	return st;
}

/* --- a call --- */

static void check_refusal(const struct ipl_error *err)
{
	CHECK(err->status == IPL_REFUSED && err->code != IPL_CODE_NONE);
	CHECK(err->text[0] != '\0' && strchr(err->text, '\n') == NULL);
	CHECK(ipl_str_is_utf8(ipl_str_of(err->text)));
}

static struct ipl_value backwards(struct ipl_arena *arena, const struct ipl_value *value)
{
	struct ipl_value out = *value;

	if (value->type == IPL_VALUE_ARRAY) {
		out = ipl_array();
		for (uint32_t i = 0; i < value->count; i++)
			ipl_array_add(arena, &out, backwards(arena, &value->item[i]));
	} else if (value->type == IPL_VALUE_MAP) {
		out = ipl_map();
		for (uint32_t i = value->count; i > 0; i--)
			ipl_map_add_str(arena, &out, value->member[i - 1].key,
					backwards(arena, &value->member[i - 1].value));
	}
	return out;
}

/* By way of bytes, and with the members of its maps the other way round. */
static void check_read_again(struct fuzz_ledger *ledger, const struct ipl_operation *operation,
			     const struct ipl_value *params, const void *args, enum ipl_status st)
{
	struct ipl_error err = IPL_ERROR_INIT(&ledger->call);
	struct ipl_value turned = backwards(&ledger->call, params), again;
	struct ipl_buf first = { 0 }, second = { 0 };
	struct ipl_common common;
	void *other = ipl_arena_alloc(&ledger->call, operation->params->size_bytes);

	ipl_msgpack_write(&first, params);
	CHECK(ipl_msgpack_parse(&ledger->call, first.at, first.len, &again, &err) == IPL_OK);
	ipl_msgpack_write(&second, &again);
	CHECK(first.len == second.len && memcmp(first.at, second.at, first.len) == 0);
	ipl_buf_release(&first);
	ipl_buf_release(&second);
	CHECK(ipl_operation_parse(operation, &turned, &ledger->call, other, &common, &err) == st);
	if (st == IPL_OK)
		CHECK(ipl_operation_digest(operation, args, &ledger->call) ==
		      ipl_operation_digest(operation, other, &ledger->call));
}

static enum ipl_status write(struct fuzz_ledger *ledger, const struct ipl_operation *operation,
			     const void *args, const struct ipl_common *common)
{
	struct ipl_error second_err = IPL_ERROR_INIT(&ledger->call);
	struct ipl_region_letters letters = ipl_state_letters(ledger->state);
	struct ipl_event ev, second_ev;
	struct ipl_decision d = {
		.state = ledger->state,
		.operation = operation,
		.args = args,
		.time_ms = ledger->time_ms,
		.arena = &ledger->call,
		.err = &ledger->err,
		.ev = &ev,
		.late = common->late,
	};
	struct ipl_decision second = d;
	enum ipl_status st = ipl_operation_decide(&d);

	second.ev = &second_ev;
	second.err = &second_err;
	CHECK(ipl_operation_decide(&second) == st);
	if (st != IPL_OK) {
		CHECK(strcmp(ledger->err.text, second_err.text) == 0);
		return st;
	}
	CHECK(d.answered_by == second.answered_by);
	if (d.answered_by != 0) {
		ledger->result = d.early_result;
		return IPL_OK;
	}
	CHECK(ev.type == second_ev.type);
	ledger->result = ipl_operation_result(&ledger->call, IPL_STR("cn-hangzhou"), letters, &ev);
	return fuzz_ledger_append(ledger, &ev);
}

static enum ipl_status transact(struct fuzz_ledger *ledger, const struct ipl_args_transact *args)
{
	const struct ipl_transact_request request = { .region = IPL_STR("cn-hangzhou"),
						      .letters = ipl_state_letters(ledger->state),
						      .request_id = IPL_STR("R"),
						      .time_ms = ledger->time_ms };
	struct ipl_transaction all;
	uint64_t first = ipl_state_seq(ledger->state) + 1;
	enum ipl_status st = ipl_transact_decide(ledger->state, args, &request, &ledger->call, &all,
						 &ledger->err);

	for (uint32_t i = 0; st == IPL_OK && i < all.count; i++)
		st = fuzz_ledger_append(ledger, &all.ev[i]);
	if (st == IPL_OK)
		ledger->result = ipl_transact_result(
			&ledger->call, all.result, args->operations.count,
			all.count == 0 ? 0 : first, all.count == 0 ? 0 : first + all.count - 1);
	return st;
}

static enum ipl_status read_now(struct fuzz_ledger *ledger, const struct ipl_operation *operation,
				const void *args)
{
	struct ipl_lens lens;
	struct ipl_read r = { .lens = &lens,
			      .operation = operation,
			      .args = args,
			      .arena = &ledger->call,
			      .err = &ledger->err,
			      .result = &ledger->result,
			      .max_results = IPL_PAGE_MAX };

	ipl_lens_of_state(&lens, ledger->state, ledger->time_ms, &ledger->err);
	return ipl_operation_read(&r);
}

/* What was answered can be sent. */
static void check_result(const struct fuzz_ledger *ledger)
{
	struct ipl_buf text = { 0 };

	ipl_json_write(&text, &ledger->result, IPL_JSON_COMPACT);
	CHECK(!text.failed && ipl_str_is_utf8((struct ipl_str){ (char *)text.at, text.len }));
	ipl_buf_release(&text);
}

static enum ipl_status execute(struct fuzz_ledger *ledger, const struct ipl_operation *operation,
			       const void *args, const struct ipl_common *common)
{
	if (operation->op == IPL_OP_TRANSACT)
		return transact(ledger, args);
	if (operation->kind == IPL_OPERATION_WRITE)
		return write(ledger, operation, args, common);
	return operation->read == NULL ? IPL_OK : read_now(ledger, operation, args);
}

/* Executed, and what must hold after it: no trace where nothing was appended, else a sound state.
 */
static enum ipl_status execute_checked(struct fuzz_ledger *ledger,
				       const struct ipl_operation *operation, const void *args,
				       const struct ipl_common *common)
{
	uint8_t before[IPL_DIGEST_BYTES], after[IPL_DIGEST_BYTES];
	uint64_t seq = ipl_state_seq(ledger->state);
	enum ipl_status st;

	hash_state(ledger, before);
	ipl_state_advance(ledger->state, ledger->time_ms);
	st = execute(ledger, operation, args, common);
	hash_state(ledger, after);
	if (ipl_state_seq(ledger->state) == seq) {
		CHECK(memcmp(before, after, sizeof(before)) == 0);
		return st;
	}
	CHECK(st == IPL_OK && memcmp(before, after, sizeof(before)) != 0);
	fuzz_check_state(ledger->state, ipl_state_time_ms(ledger->state));
	fuzz_check_rows(ledger->state);
	return st;
}

enum ipl_status fuzz_ledger_call(struct fuzz_ledger *ledger, const struct ipl_operation *operation,
				 const struct ipl_value *params)
{
	struct ipl_common common = { .dry_run = false };
	enum ipl_status st;
	void *args;

	ipl_arena_reset(&ledger->call);
	ledger->err = (struct ipl_error)IPL_ERROR_INIT(&ledger->call);
	ledger->result = ipl_map();
	args = ipl_arena_alloc(&ledger->call, operation->params->size_bytes);
	CHECK(args != NULL);
	st = ipl_operation_parse(operation, params, &ledger->call, args, &common, &ledger->err);
	check_read_again(ledger, operation, params, args, st);
	if (st == IPL_OK)
		st = execute_checked(ledger, operation, args, &common);
	CHECK(st == IPL_OK || st == IPL_REFUSED);
	if (st == IPL_REFUSED)
		check_refusal(&ledger->err);
	else
		check_result(ledger);
	return st;
}
