/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a random history (IPL_SEED repeats a run) and breakpoints.
 * Claimed: going on and back stops exactly where asking every event says, from any
 * place; the state there is that of a plain fold; what is about events stops at each
 * of them, what is about the state where it comes to hold; bounds and limits hold; the same
 * way back is found again in few events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/bisect.h"
#include "replay/stepper.h"
#include "tests/random_ops.h"

#include <stdlib.h>
#include <string.h>

static struct lab lab;
static struct ipl_views *views;
static struct ipl_arena arena;

static int open_all(void **state)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_records records;

	(void)state;
	ipl_arena_init(&arena, (size_t)256 << 20);
	lab_open(&lab, random_settings);
	while (lab.count < 2500)
		assert_true(random_step(&lab) != IPL_ERR_CORRUPT);
	records = lab_records(&lab);
	assert_int_equal(ipl_views_open(&records, &views, &err), IPL_OK);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	ipl_views_close(views);
	lab_close(&lab);
	ipl_arena_release(&arena);
	return 0;
}

static struct ipl_stepper *open_stepper(uint64_t from, uint64_t to)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_stepper *stepper = NULL;

	assert_int_equal(ipl_stepper_open(views, from, to, &stepper, &err), IPL_OK);
	return stepper;
}

static uint32_t set(struct ipl_stepper *stepper, const char *text)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint32_t number = 0;

	if (ipl_stepper_break(stepper, ipl_str_of(text), &number, &err) != IPL_OK)
		fail_msg("%s: %s", text, err.text);
	return number;
}

/* At which events @text stops, by asking all of them. */
static bool *all_stops(const char *text)
{
	bool *stops = calloc(lab.count + 2, sizeof(*stops)), held = false;
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	const struct ipl_expr *expr = NULL;

	assert_int_equal(ipl_expr_parse(&arena, ipl_str_of(text), &expr, &err), IPL_OK);
	for (uint64_t seq = 0; seq <= lab.count; seq++) {
		struct ipl_value value = ipl_nil();
		bool is;
		assert_int_equal(ipl_ask_value(&(struct ipl_asked){ .views = views }, seq, expr,
					       &arena, &value, &err),
				 IPL_OK);
		is = value.type == IPL_VALUE_BOOL && value.boolean;
		stops[seq] = seq > 0 && is && (ipl_expr_is_of_event(expr) || !held);
		held = is;
	}
	ipl_arena_reset(&arena);
	return stops;
}

static const char *const texts[] = {
	"type == \"EipAllocated\"",
	"count(Eip) > 5",
	"holder(10.0.0.5) != \"\"",
	"touches(10.0.0.5)",
	"count(Instance) == 3",
	"actor == \"nobody\"",
	"operation == \"CreateVpc\" and count(Vpc) > 2",
};

static void test_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(texts); i++) {
		bool *stops = all_stops(texts[i]);
		for (int k = 0; k < 12; k++) {
			uint64_t from = random_draw(lab.count / 2);
			uint64_t to = from + 1 + random_draw(lab.count - from);
			struct ipl_stepper *stepper = open_stepper(from, to);
			uint32_t number = set(stepper, texts[i]), by = 99;
			struct ipl_error err = IPL_ERROR_INIT(NULL);
			uint64_t at = from + random_draw(to - from + 1), want;
			assert_int_equal(ipl_stepper_go(stepper, at, &err), IPL_OK);
			for (want = at + 1; want <= to && !stops[want]; want++) {
			}
			assert_int_equal(ipl_stepper_continue(stepper, &by, &err), IPL_OK);
			assert_int_equal(ipl_stepper_at(stepper), want > to ? to : want);
			assert_int_equal(by, want > to ? 0 : number);
			assert_int_equal(ipl_stepper_go(stepper, at, &err), IPL_OK);
			for (want = at; want > from + 1 && !stops[want - 1]; want--) {
			}
			want = at <= from + 1 || !stops[want - 1] ? from : want - 1;
			assert_int_equal(ipl_stepper_reverse(stepper, &by, &err), IPL_OK);
			assert_int_equal(ipl_stepper_at(stepper), want);
			assert_int_equal(by, want == from ? 0 : number);
			ipl_stepper_close(stepper);
		}
		free(stops);
	}
}

static void test_state(void **state)
{
	struct ipl_stepper *stepper = open_stepper(0, lab.count);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint32_t by = 0;

	(void)state;
	(void)set(stepper, "type == \"InstanceReleased\"");
	for (int i = 0; i < 40; i++) {
		const struct ipl_records records = lab_records(&lab);
		const struct ipl_state *here = NULL, *plain = NULL;
		struct ipl_views *other = NULL;
		assert_int_equal(random_draw(2) ? ipl_stepper_continue(stepper, &by, &err) :
						  ipl_stepper_reverse(stepper, &by, &err),
				 IPL_OK);
		assert_int_equal(ipl_stepper_state(stepper, &here, &err), IPL_OK);
		assert_int_equal(ipl_views_open(&records, &other, &err), IPL_OK);
		assert_int_equal(ipl_views_at(other, ipl_stepper_at(stepper), &plain, &err),
				 IPL_OK);
		assert_true(lab_same_state(here, plain));
		ipl_views_close(other);
		if (random_draw(4) == 0)
			assert_int_equal(ipl_stepper_go(stepper, random_draw(lab.count + 1), &err),
					 IPL_OK);
	}
	ipl_stepper_close(stepper);
}

/* Several: the first one that stops is named; deleted ones do not stop. */
static void test_several(void **state)
{
	struct ipl_stepper *stepper = open_stepper(0, lab.count);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint32_t by = 0, first = set(stepper, "seq >= 50"), second = set(stepper, "seq >= 40");

	(void)state;
	assert_int_equal(first, 1);
	assert_int_equal(second, 2);
	assert_int_equal(ipl_stepper_continue(stepper, &by, &err), IPL_OK);
	assert_true(by == second && ipl_stepper_at(stepper) == 40);
	assert_int_equal(ipl_stepper_breakpoint(stepper, 1)->hits, 1);
	assert_false(ipl_stepper_delete(stepper, 7));
	assert_true(ipl_stepper_delete(stepper, second));
	assert_null(ipl_stepper_breakpoint(stepper, 1));
	assert_int_equal(ipl_stepper_continue(stepper, &by, &err), IPL_OK);
	assert_true(by == first && ipl_stepper_at(stepper) == 50);
	assert_int_equal(set(stepper, "true"), 3); /* a number is not used again */
	assert_int_equal(ipl_stepper_continue(stepper, &by, &err), IPL_OK);
	assert_true(by == 0 && ipl_stepper_at(stepper) == lab.count); /* both held before */
	ipl_stepper_close(stepper);
}

static void test_limits(void **state)
{
	struct ipl_stepper *stepper = open_stepper(10, 20);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint32_t by = 0;

	(void)state;
	assert_int_equal(ipl_stepper_at(stepper), 10);
	assert_int_equal(ipl_stepper_go(stepper, 9, &err), IPL_REFUSED);
	assert_int_equal(ipl_stepper_go(stepper, 21, &err), IPL_REFUSED);
	assert_int_equal(ipl_stepper_reverse(stepper, &by, &err), IPL_OK);
	assert_int_equal(ipl_stepper_at(stepper), 10);
	for (uint32_t i = 0; i < IPL_BREAKPOINTS_MAX; i++)
		(void)set(stepper, "false");
	assert_int_equal(ipl_stepper_break(stepper, IPL_STR("true"), &by, &err), IPL_REFUSED);
	assert_true(ipl_stepper_delete(stepper, 5));
	assert_int_equal(ipl_stepper_break(stepper, IPL_STR("1 +"), &by, &err), IPL_REFUSED);
	assert_non_null(strstr(err.text, "column 4"));
	(void)set(stepper, "count(Vpc)");
	assert_int_equal(ipl_stepper_continue(stepper, &by, &err), IPL_REFUSED);
	assert_int_equal(ipl_stepper_at(stepper), 10);
	ipl_stepper_close(stepper);
}

static bool stop_at(void *context, uint64_t seq)
{
	return seq == *(const uint64_t *)context;
}

static void test_asked_to_stop(void **state)
{
	struct ipl_stepper *stepper = open_stepper(0, lab.count);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint64_t at = 700;
	uint32_t by = 7;

	(void)state;
	ipl_stepper_ask(stepper, stop_at, &at);
	assert_int_equal(ipl_stepper_continue(stepper, &by, &err), IPL_OK);
	assert_true(by == 0 && ipl_stepper_at(stepper) == 700);
	assert_int_equal(ipl_stepper_continue(stepper, &by, &err), IPL_OK);
	assert_int_equal(ipl_stepper_at(stepper), lab.count);
	at = lab.count - 10;
	assert_int_equal(ipl_stepper_reverse(stepper, &by, &err), IPL_REFUSED);
	assert_int_equal(ipl_stepper_at(stepper), lab.count);
	ipl_stepper_close(stepper);
}

static void test_cost(void **state)
{
	struct ipl_stepper *stepper = open_stepper(0, lab.count);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint64_t before;
	uint32_t by = 0;

	(void)state;
	(void)set(stepper, "seq == 1");
	assert_int_equal(ipl_stepper_go(stepper, lab.count, &err), IPL_OK);
	before = ipl_views_folded(views);
	assert_int_equal(ipl_stepper_reverse(stepper, &by, &err), IPL_OK); /* through all of it */
	assert_int_equal(by, 1);
	assert_true(ipl_views_folded(views) - before < 2 * lab.count);
	ipl_stepper_close(stepper);
	stepper = open_stepper(0, lab.count);
	(void)set(stepper, "type != nil"); /* every event */
	assert_int_equal(ipl_stepper_go(stepper, lab.count, &err), IPL_OK);
	before = ipl_views_folded(views);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ipl_stepper_reverse(stepper, &by, &err), IPL_OK);
	assert_int_equal(ipl_stepper_at(stepper), lab.count - 20);
	assert_true(ipl_views_folded(views) - before < 20 * 3 * 256);
	ipl_stepper_close(stepper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_state),
		cmocka_unit_test(test_several),        cmocka_unit_test(test_limits),
		cmocka_unit_test(test_asked_to_stop),  cmocka_unit_test(test_cost),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, open_all, close_all);
}
