/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: thousands of random operations on small networks: every write of the
 * operation table, with a good share of refusals, under quotas, small pools and a
 * reuse delay that come and go.
 *
 * Claimed, after every event: the invariants of replay/check.h; an event comes out
 * of its bytes as it went in; what was decided folds; picked is what is next. A fork some events
 * ahead of the state under it decides as the state does, facts of refusals included, and comes to
 * the same. What an event touched, folded alone from its chain, is what the whole state has; so is
 * everything as of moments on the way. The log folds to the same state again, pickers included. The
 * fold of a log without one event is damage or another state, never a crash.
 *
 * IPL_SEED=N runs one seed, IPL_RUNS=N as many from there on, IPL_STEPS=N longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/check.h"
#include "replay/past.h"
#include "tests/picker_model.h"
#include "tests/random_ops.h"
#include "tests/same.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_FIRST   UINT64_C(20261124)
#define RUNS         3
#define STEPS        2500
#define WINDOW_MAX   24
#define DONE_LEAST   5u
#define DELAY_MAX_MS 2000

static uint64_t seed_now;
static uint64_t steps_done; /* of this seed */
static struct random_tally tally;

static uint64_t from_env(const char *name, uint64_t otherwise)
{
	const char *given = getenv(name);

	return given == NULL ? otherwise : strtoull(given, NULL, 10);
}

/* Everything that fails says how to see it again. */
#define CLAIM(lab, claim, ...)                                                                   \
	do {                                                                                     \
		if (!(claim)) {                                                                  \
			print_message("# IPL_SEED=%" PRIu64 ", event %zu, after %s\n", seed_now, \
				      (lab)->count, random_last());                              \
			fail_msg(__VA_ARGS__);                                                   \
		}                                                                                \
	} while (0)

/* --- one entity or address alone --- */

struct alone {
	struct ipl_source source;
	struct ipl_error err;
	struct ipl_lens whole, alone;
};

static void alone_open(struct alone *a, struct lab *lab, const struct ipl_state *state)
{
	*a = (struct alone){ .source = lab_source(lab), .err = IPL_ERROR_INIT(NULL) };
	ipl_lens_of_state(&a->whole, state, lab->time_ms, &a->err);
	assert_int_equal(
		ipl_past_open(&a->alone, &a->source, ipl_state_seq(state), lab->time_ms, &a->err),
		IPL_OK);
	a->alone.letters = a->whole.letters;
	a->alone.region = a->whole.region;
	a->alone.ledger = a->whole.ledger;
}

static void check_alone(struct alone *a, const struct lab *lab, struct ipl_key key)
{
	enum ipl_kind kind = (enum ipl_kind)key.kind;

	if (kind < IPL_KIND_COUNT) {
		CLAIM(lab, same_entity(&a->whole, &a->alone, kind, key.a),
		      "%s %" PRIu64 " alone is another than in the whole", ipl_kind_name(kind),
		      key.a);
	} else {
		struct ipl_holding x = a->whole.holding(&a->whole, key);
		struct ipl_holding y = a->alone.holding(&a->alone, key);
		/* The whole state forgets what has cooled down. */
		if (y.cool_until <= a->whole.time_ms)
			y.cool_until = x.cool_until;
		CLAIM(lab, same_holding(&x, &y), "who has %" PRIx64 ":%" PRIx64 " alone differs",
		      key.a, key.b);
	}
	CLAIM(lab, a->alone.status == IPL_OK, "%s", a->err.text);
}

/* Of what the last event touched: all entities but the ledger, and every address. */
static void check_touched(struct lab *lab)
{
	struct ipl_touches touches;
	struct alone a;

	if (lab->count == 0 ||
	    ipl_event_touches(&lab->call, &lab->ev, &touches, &lab->err) != IPL_OK)
		return;
	alone_open(&a, lab, lab->state);
	for (uint32_t i = 0; i < touches.count; i++) {
		if (touches.at[i].kind != IPL_KIND_LEDGER)
			check_alone(&a, lab, touches.at[i]);
	}
	ipl_past_close(&a.alone);
}

/* Every entity as @state has it, folded alone as of the state's seq. */
static void check_all_alone(struct lab *lab, const struct ipl_state *state)
{
	struct alone a;

	alone_open(&a, lab, state);
	for (enum ipl_kind kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++) {
		for (uint64_t n = 1; n < ipl_state_next_number(lab->state, kind); n++)
			check_alone(&a, lab, ipl_key_entity(kind, n));
	}
	check_alone(&a, lab, ipl_key_entity(IPL_KIND_LEDGER, a.whole.ledger));
	for (uint64_t n = 0; (n = ipl_state_next(state, IPL_KIND_VSWITCH, n)) != 0;) {
		const struct ipl_vswitch *vswitch = ipl_state_vswitch(state, n);
		for (uint64_t i = 0; i < ipl_cidr4_size(vswitch->cidr); i++)
			check_alone(&a, lab,
				    ipl_key_ip4(vswitch->vpc, vswitch->cidr.base + (uint32_t)i));
	}
	ipl_past_close(&a.alone);
}

/* The same as of moments on the way: the whole state is folded up to each of them. */
static void check_past(struct lab *lab)
{
	const struct ipl_source source = lab_source(lab);
	struct ipl_state *state = ipl_state_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	int64_t now_ms = lab->time_ms;

	for (uint64_t seq = 1 + random_draw(200); seq <= lab->count; seq += 1 + random_draw(400)) {
		assert_int_equal(ipl_fold_to(state, &source, seq, &err), IPL_OK);
		lab->time_ms = ipl_state_time_ms(state);
		check_all_alone(lab, state);
	}
	lab->time_ms = now_ms;
	ipl_state_free(state);
}

/* --- the whole --- */

static void found(void *context, const struct ipl_finding *finding)
{
	(void)context;
	print_message("# %s: %s\n", finding->rule, finding->text);
}

/*
 * A vSwitch counts what cools down in it. Only one that was made where a deleted one
 * had been, as long ago at most as the longest delay, has addresses that cool
 * since before it was.
 */
static void check_cooling(const struct lab *lab)
{
	for (uint64_t n = 0; (n = ipl_state_next(lab->state, IPL_KIND_VSWITCH, n)) != 0;) {
		const struct ipl_vswitch *vswitch = ipl_state_vswitch(lab->state, n);
		uint64_t cooling = 0;
		int64_t next_ms;
		if (lab->time_ms - vswitch->base.created_ms <= DELAY_MAX_MS)
			continue;
		for (uint64_t i = 0; i < ipl_cidr4_size(vswitch->cidr); i++) {
			struct ipl_holding holding = ipl_state_holding(
				lab->state,
				ipl_key_ip4(vswitch->vpc, vswitch->cidr.base + (uint32_t)i));
			cooling +=
				holding.role == IPL_ROLE_NONE && holding.cool_until > lab->time_ms;
		}
		CLAIM(lab, ipl_vswitch_cooling(vswitch, lab->time_ms, &next_ms) == cooling,
		      "vSwitch %" PRIu64 " has %" PRIu64 " cooling addresses and counts others", n,
		      cooling);
	}
}

static void check_state(const struct lab *lab)
{
	check_cooling(lab);
	CLAIM(lab, ipl_check_state(lab->state, lab->time_ms, found, NULL) == 0,
	      "an invariant is broken");
}

static void check_picks(struct lab *lab)
{
	char why[MODEL_TEXT_MAX];

	CLAIM(lab, picker_model_follow(lab->context, lab->state, &lab->ev, why), "%s", why);
}

/* One operation, on the state and on the fork; then everything that must hold. */
static void step(struct lab *lab)
{
	size_t before = lab->count;
	enum ipl_status st;

	/* Somebody asks at a later time, and leaves no trace. */
	ipl_state_advance(lab->state, lab->time_ms + (int64_t)random_draw(2000));
	st = random_call(lab, &tally);
	steps_done++;
	CLAIM(lab, st == IPL_OK || st == IPL_REFUSED, "%s", lab->err.text);
	CLAIM(lab, st == IPL_OK || lab->count == before, "a refusal left an event");
	if (lab->count == before)
		return;
	check_state(lab);
	check_touched(lab);
}

/*
 * Some steps at one moment, each decided and folded on a fork as well, which so goes
 * ahead of the state under it. In the end the two are the same; then the one
 * below catches up, and is.
 */
static void window(struct lab *lab, struct ipl_state *base)
{
	const struct ipl_source source = lab_source(lab);
	uint64_t steps = 1 + random_draw(WINDOW_MAX);
	char why[SAME_TEXT_MAX];

	random_wait(lab);
	ipl_state_advance(base, lab->time_ms);
	ipl_state_advance(lab->state, lab->time_ms);
	check_state(lab);
	lab->twin = ipl_state_fork(base);
	assert_non_null(lab->twin);
	for (uint64_t i = 0; i < steps; i++)
		step(lab);
	CLAIM(lab, same_states(lab->state, lab->twin, lab->time_ms, why), "the fork: %s", why);
	ipl_state_free(lab->twin);
	lab->twin = NULL;
	CLAIM(lab, ipl_fold_to(base, &source, lab->count, &lab->err) == IPL_OK, "%s",
	      lab->err.text);
	CLAIM(lab, same_states(lab->state, base, lab->time_ms, why), "folded from the log: %s",
	      why);
}

static void check_again(struct lab *lab)
{
	const struct ipl_source source = lab_source(lab);
	struct ipl_state *again = ipl_state_new();
	char why[SAME_TEXT_MAX];

	assert_int_equal(ipl_fold_to(again, &source, lab->count, &lab->err), IPL_OK);
	ipl_state_advance(again, lab->time_ms);
	CLAIM(lab, same_states(lab->state, again, lab->time_ms, why), "folded again: %s", why);
	ipl_state_free(again);
}

static void run_seed(uint64_t seed, uint64_t steps)
{
	struct ipl_state *base = ipl_state_new();
	struct lab lab;
	const struct ipl_source source = lab_source(&lab);

	seed_now = seed;
	steps_done = 0;
	random_begin(seed);
	lab_open(&lab, random_settings);
	assert_int_equal(ipl_fold_to(base, &source, lab.count, &lab.err), IPL_OK);
	lab.before = check_picks;
	lab.context = picker_model_new();
	assert_non_null(lab.context);
	while (steps_done < steps)
		window(&lab, base);
	ipl_state_free(base);
	check_all_alone(&lab, lab.state);
	check_past(&lab);
	check_again(&lab);
	picker_model_free(lab.context);
	lab_close(&lab);
}

/* How often each operation was done and refused, and with which codes. */
static void print_tally(void)
{
	unsigned codes = 0;

	for (size_t i = 0; ipl_operation_at(i) != NULL; i++) {
		const struct ipl_operation *operation = ipl_operation_at(i);
		if (operation->kind == IPL_OPERATION_WRITE)
			print_message("# %-32s %6" PRIu64 " done %6" PRIu64 " refused\n",
				      operation->name, tally.done[operation->op],
				      tally.refused[operation->op]);
	}
	for (int code = 1; code < IPL_CODE_COUNT; code++) {
		if (tally.code[code] == 0)
			continue;
		codes++;
		print_message("# %-52s %6" PRIu64 "\n", ipl_code_text((enum ipl_code)code),
			      tally.code[code]);
	}
	print_message("# %u codes\n", codes);
}

static void test_random_histories(void **state)
{
	uint64_t first = from_env("IPL_SEED", SEED_FIRST);
	uint64_t runs = from_env("IPL_RUNS", getenv("IPL_SEED") == NULL ? RUNS : 1);

	(void)state;
	for (uint64_t i = 0; i < runs; i++)
		run_seed(first + i, from_env("IPL_STEPS", STEPS));
	print_tally();
	if (getenv("IPL_SEED") != NULL)
		return;
	for (size_t i = 0; ipl_operation_at(i) != NULL; i++) {
		const struct ipl_operation *operation = ipl_operation_at(i);
		if (operation->kind == IPL_OPERATION_WRITE &&
		    (tally.done[operation->op] < DONE_LEAST ||
		     tally.refused[operation->op] < DONE_LEAST))
			fail_msg("%s was done %" PRIu64 " times and refused %" PRIu64
				 " times: neither proves much",
				 operation->name, tally.done[operation->op],
				 tally.refused[operation->op]);
	}
}

/* An event is left out, the others are renumbered: damage is found, or nobody missed it. */
static void test_missing_event(void **state)
{
	struct lab lab;

	(void)state;
	random_begin(SEED_FIRST);
	lab_open(&lab, NULL);
	for (int i = 0; i < 400; i++) {
		random_wait(&lab);
		assert_true(random_call(&lab, &tally) != IPL_ERR_CORRUPT);
	}
	for (uint64_t gone = 2; gone <= lab.count; gone += 3) {
		struct ipl_state *other = ipl_state_new();
		struct ipl_arena arena;
		enum ipl_status st = IPL_OK;
		ipl_arena_init(&arena, (size_t)256 << 20);
		for (uint64_t seq = 1; st == IPL_OK && seq <= lab.count; seq++) {
			struct ipl_error err = IPL_ERROR_INIT(NULL);
			struct ipl_touches touches;
			struct ipl_event ev;
			ipl_arena_reset(&arena);
			if (seq == gone)
				continue;
			lab_event(&lab, seq, &arena, &ev);
			ev.seq -= seq > gone;
			assert_int_equal(ipl_event_touches(&arena, &ev, &touches, &err), IPL_OK);
			st = ipl_reduce(other, &ev, &touches, &err);
			assert_true(st == IPL_OK || st == IPL_ERR_CORRUPT);
		}
		ipl_state_free(other);
		ipl_arena_release(&arena);
	}
	lab_close(&lab);
}

/* What was made once cannot be made again, whether it lives or is gone. */
static void test_made_twice(void **state)
{
	struct lab lab;
	int made = 0;

	(void)state;
	random_begin(SEED_FIRST);
	lab_open(&lab, NULL);
	for (int i = 0; i < 400; i++)
		assert_true(random_step(&lab) <= IPL_REFUSED);
	for (uint64_t seq = 2; seq <= lab.count; seq++) {
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct ipl_touches touches;
		struct ipl_state *fork;
		struct ipl_arena arena;
		struct ipl_event ev;
		ipl_arena_init(&arena, (size_t)256 << 20);
		lab_event(&lab, seq, &arena, &ev);
		if (ev.type == IPL_EVENT_VPC_CREATED || ev.type == IPL_EVENT_VSWITCH_CREATED ||
		    ev.type == IPL_EVENT_ENI_CREATED || ev.type == IPL_EVENT_INSTANCES_LAUNCHED ||
		    ev.type == IPL_EVENT_EIP_ALLOCATED || ev.type == IPL_EVENT_IPV6GW_CREATED) {
			made++;
			fork = ipl_state_fork(lab.state);
			ev.seq = lab.count + 1;
			ev.time_ms = lab.time_ms;
			assert_int_equal(ipl_event_touches(&arena, &ev, &touches, &err), IPL_OK);
			if (ipl_reduce(fork, &ev, &touches, &err) != IPL_ERR_CORRUPT)
				fail_msg("event %d is folded twice", (int)seq);
			ipl_state_free(fork);
		}
		ipl_arena_release(&arena);
	}
	assert_true(made > 20);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_histories),
		cmocka_unit_test(test_missing_event),
		cmocka_unit_test(test_made_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
