/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a random history of some thousand events (IPL_SEED repeats a run).
 * Claimed: a view as of any seq, asked for in any order, is the state that a
 * plain fold from the beginning gives; a copy of a state folds on as the state
 * itself does, and neither changes the other; a walk shows each event once, with
 * the state after it, and stops where it is told; going back costs few events;
 * a time finds the last event that is not later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/random_ops.h"

#include <stdlib.h>

#define STEPS 8000

static struct lab lab;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, "{\"PublicPools\":[\"198.18.0.0/28\",\"198.18.1.0/28\"],"
		       "\"ReuseDelaySeconds\":1}");
	/* It ends with an event: one that is refused later may let more cool down. */
	enum ipl_status st = IPL_OK;
	for (int i = 0; i < STEPS || st != IPL_OK; i++) {
		st = random_step(&lab);
		assert_true(st == IPL_OK || st == IPL_REFUSED);
	}
	assert_true(lab.count > 2000);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static void fold_one(struct ipl_state *state, uint64_t seq)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_touches touches;
	struct ipl_arena arena;
	struct ipl_event ev;

	ipl_arena_init(&arena, (size_t)64 << 20);
	lab_event(&lab, seq, &arena, &ev);
	assert_int_equal(ipl_event_touches(&arena, &ev, &touches, &err), IPL_OK);
	assert_int_equal(ipl_reduce(state, &ev, &touches, &err), IPL_OK);
	ipl_arena_release(&arena);
}

static struct ipl_state *plain_fold(uint64_t seq)
{
	struct ipl_state *state = ipl_state_new();

	for (uint64_t i = 1; i <= seq; i++)
		fold_one(state, i);
	return state;
}

static struct ipl_views *open_views(void)
{
	const struct ipl_records records = lab_records(&lab);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_views *views = NULL;

	assert_int_equal(ipl_views_open(&records, &views, &err), IPL_OK);
	return views;
}

static const struct ipl_state *at(struct ipl_views *views, uint64_t seq)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_state *state = NULL;
	enum ipl_status st = ipl_views_at(views, seq, &state, &err);

	if (st != IPL_OK)
		fail_msg("as of %llu: %s", (unsigned long long)seq, err.text);
	return state;
}

static void test_any_order(void **state)
{
	struct ipl_views *views = open_views();
	uint64_t seqs[12] = { 0, 1, lab.count, lab.count - 1, 256, 257, 255, lab.count / 2 };

	(void)state;
	for (int i = 8; i < 12; i++)
		seqs[i] = random_draw(lab.count + 1);
	for (int i = 0; i < 60; i++) {
		uint64_t seq = seqs[i < 12 ? (uint64_t)i : random_draw(12)];
		struct ipl_state *plain = plain_fold(seq);
		assert_true(lab_same_state(plain, at(views, seq)));
		ipl_state_free(plain);
	}
	assert_true(lab_same_state(lab.state, at(views, lab.count)));
	ipl_views_close(views);
}

static void test_beyond(void **state)
{
	struct ipl_views *views = open_views();
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_state *out = NULL;

	(void)state;
	assert_int_equal(ipl_views_at(views, lab.count + 1, &out, &err), IPL_ERR_END);
	assert_int_equal(err.status, IPL_ERR_END);
	assert_null(out);
	(void)at(views, lab.count); /* and it goes on */
	ipl_views_close(views);
}

static void test_copy(void **state)
{
	uint64_t half = lab.count / 2;
	struct ipl_state *one = plain_fold(half), *copy = ipl_state_copy(one), *twin;

	(void)state;
	assert_non_null(copy);
	assert_true(lab_same_state(one, copy));
	for (uint64_t seq = half + 1; seq <= lab.count; seq++)
		fold_one(copy, seq);
	assert_true(lab_same_state(lab.state, copy));
	twin = plain_fold(half);
	assert_true(lab_same_state(one, twin)); /* it did not notice */
	ipl_state_free(copy);
	for (uint64_t seq = half + 1; seq <= lab.count; seq++)
		fold_one(one, seq);
	assert_true(lab_same_state(lab.state, one));
	ipl_state_free(one);
	ipl_state_free(twin);
}

struct walked {
	uint64_t next;
	uint64_t stop_at;
};

static enum ipl_status on_step(void *context, const struct ipl_step *step, struct ipl_error *err)
{
	struct walked *walked = context;

	assert_int_equal(step->ev->seq, walked->next);
	assert_int_equal(ipl_state_seq(step->state), walked->next);
	assert_true(step->touches->count > 0);
	walked->next++;
	return step->ev->seq == walked->stop_at ?
		       ipl_error_set(err, IPL_ERR_END, "that was enough") :
		       IPL_OK;
}

static void test_walk(void **state)
{
	struct ipl_views *views = open_views();
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct walked walked = { .next = 101 };
	struct ipl_state *plain = plain_fold(500);

	(void)state;
	assert_int_equal(ipl_views_walk(views, 100, 900, on_step, &walked, &err), IPL_OK);
	assert_int_equal(walked.next, 901);
	walked = (struct walked){ 301, 500 };
	assert_int_equal(ipl_views_walk(views, 300, 900, on_step, &walked, &err), IPL_OK);
	assert_int_equal(walked.next, 501);
	assert_true(lab_same_state(plain, at(views, 500)));
	walked = (struct walked){ lab.count, 0 };
	assert_int_equal(
		ipl_views_walk(views, lab.count - 1, lab.count + 1, on_step, &walked, &err),
		IPL_ERR_END);
	ipl_state_free(plain);
	ipl_views_close(views);
}

/* One pass over the log and a little: there, to and fro, and step by step back. */
static void test_cost(void **state)
{
	struct ipl_views *views = open_views();
	uint64_t low = 0, high = lab.count, kept[IPL_VIEWS_KEPT_MAX], before;

	(void)state;
	(void)at(views, lab.count);
	assert_int_equal(ipl_views_folded(views), lab.count);
	assert_true(ipl_views_kept(views, kept, IPL_VIEWS_KEPT_MAX) >= 4);
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		(void)at(views, middle);
		*(random_draw(2) ? &low : &high) = middle + (random_draw(2) ? 0 : 1);
		if (high - low < 2)
			break;
	}
	assert_true(ipl_views_folded(views) < 2 * lab.count);
	(void)at(views, lab.count);
	before = ipl_views_folded(views);
	for (uint64_t seq = lab.count - 1; seq > lab.count - 100; seq--)
		(void)at(views, seq);
	assert_true(ipl_views_folded(views) - before < 100 * 2 * 256);
	ipl_views_close(views);
}

static void test_time(void **state)
{
	struct ipl_views *views = open_views();
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_arena arena;
	struct ipl_event ev;

	(void)state;
	ipl_arena_init(&arena, (size_t)64 << 20);
	for (int i = 0; i < 200; i++) {
		uint64_t seq = 1 + random_draw(lab.count), found = 0;
		assert_int_equal(ipl_views_event(views, seq, &arena, &ev, &err), IPL_OK);
		int64_t time_ms = ev.time_ms;
		assert_int_equal(ipl_views_seq_at(views, lab.count, time_ms, &found, &err), IPL_OK);
		assert_true(found >= seq);
		assert_int_equal(ipl_views_event(views, found, &arena, &ev, &err), IPL_OK);
		assert_int_equal(ev.time_ms, time_ms);
		if (found < lab.count) {
			assert_int_equal(ipl_views_event(views, found + 1, &arena, &ev, &err),
					 IPL_OK);
			assert_true(ev.time_ms > time_ms);
		}
		ipl_arena_reset(&arena);
	}
	uint64_t found = 7;
	assert_int_equal(ipl_views_seq_at(views, lab.count, 0, &found, &err), IPL_OK);
	assert_int_equal(found, 0);
	ipl_arena_release(&arena);
	ipl_views_close(views);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_order), cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_copy),      cmocka_unit_test(test_walk),
		cmocka_unit_test(test_cost),      cmocka_unit_test(test_time),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
