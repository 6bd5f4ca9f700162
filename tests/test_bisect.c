/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: rows of verdicts, and random histories with expressions (IPL_SEED repeats a run).
 * Claimed: what is found is a flip; where there is one flip it is that, in as many
 * questions as halving takes; a scan finds the first; states that cannot be asked
 * are gone around; ends that are of no use are told apart; a contradiction that was
 * seen is told, and the flip before it is given; an expression costs about one pass over
 * the log, and agrees with the brute force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/bisect.h"
#include "tests/random_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- rows of verdicts: '0' no, '1' yes, '?' cannot be asked --- */

static enum ipl_status ask_row(void *context, uint64_t seq, enum ipl_verdict *out,
			       struct ipl_error *err)
{
	const char *row = context;

	(void)err;
	*out = row[seq] == '?' ? IPL_VERDICT_UNKNOWN :
	       row[seq] == '1' ? IPL_VERDICT_YES :
				 IPL_VERDICT_NO;
	return IPL_OK;
}

static struct ipl_bisect_result search(const char *row, bool all)
{
	const struct ipl_bisect bisect = { ask_row, (void *)(uintptr_t)row, 0, strlen(row) - 1 };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_bisect_result out = { 0 };

	assert_int_equal(all ? ipl_bisect_first(&bisect, &out, &err) :
			       ipl_bisect(&bisect, &out, &err),
			 IPL_OK);
	return out;
}

static const struct {
	const char *row;
	bool all;
	enum ipl_bisected what;
	uint64_t seq;
} rows[] = {
	{ "01", false, IPL_BISECT_FOUND, 1 },
	{ "0001", false, IPL_BISECT_FOUND, 3 },
	{ "0111", false, IPL_BISECT_FOUND, 1 },
	{ "0010", false, IPL_BISECT_NEVER, 0 },
	{ "1101", false, IPL_BISECT_ALWAYS, 0 },
	{ "1100", false, IPL_BISECT_BACKWARD, 0 },
	{ "?101", false, IPL_BISECT_END, 0 },
	{ "010?", false, IPL_BISECT_END, 0 },
	{ "0010", true, IPL_BISECT_FOUND, 2 },
	{ "0000", true, IPL_BISECT_NEVER, 0 },
	{ "1111", true, IPL_BISECT_ALWAYS, 0 },
	{ "1000", true, IPL_BISECT_BACKWARD, 0 },
	{ "1001", true, IPL_BISECT_FOUND, 3 },
	{ "0?01", true, IPL_BISECT_FOUND, 3 },
	{ "00?1", true, IPL_BISECT_BETWEEN, 3 },
	{ "0???1", false, IPL_BISECT_BETWEEN, 4 },
	{ "00?11", false, IPL_BISECT_BETWEEN, 3 },
	{ "0?0111", false, IPL_BISECT_FOUND, 3 },
	/* The middle says no; yet it held before. */
	{ "001000001", false, IPL_BISECT_FOUND, 8 },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(rows); i++) {
		struct ipl_bisect_result out = search(rows[i].row, rows[i].all);
		if (out.what != rows[i].what || out.seq != rows[i].seq)
			fail_msg("%s: %d %llu", rows[i].row, (int)out.what,
				 (unsigned long long)out.seq);
	}
}

static void test_one_flip(void **state)
{
	char row[400];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		size_t len = 2 + random_draw(380), flip = 1 + random_draw(len - 1);
		struct ipl_bisect_result out;
		uint64_t most = 2; /* the ends */
		for (size_t k = 0; k < len; k++)
			row[k] = k < flip ? '0' : '1';
		row[len] = '\0';
		for (size_t left = len - 1; left > 1; left = (left + 1) / 2)
			most++;
		out = search(row, false);
		assert_int_equal(out.what, IPL_BISECT_FOUND);
		assert_int_equal(out.seq, flip);
		assert_true(out.asked <= most);
		assert_int_equal(search(row, true).seq, flip);
	}
}

static void test_random_rows(void **state)
{
	char row[80];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t len = 2 + random_draw(70);
		struct ipl_bisect_result out;
		for (size_t k = 0; k < len; k++)
			row[k] = "01?0011"[random_draw(7)];
		row[0] = '0';
		row[len - 1] = '1';
		row[len] = '\0';
		out = search(row, false);
		assert_true(out.what == IPL_BISECT_FOUND || out.what == IPL_BISECT_BETWEEN);
		assert_true(row[out.seq] == '1' && row[out.after] == '0');
		assert_true(out.what == IPL_BISECT_BETWEEN || out.after + 1 == out.seq);
		if (out.what ==
		    IPL_BISECT_BETWEEN) /* it did not give up while one could be asked */
			assert_int_equal(row[out.after + (out.seq - out.after) / 2], '?');
		out = search(row, true);
		for (uint64_t k = 1; k < out.after; k++) /* none before it */
			assert_false(row[k - 1] == '0' && row[k] == '1');
	}
}

/* --- expressions --- */

static struct lab lab;
static struct ipl_arena arena;

static int open_lab(void **state)
{
	(void)state;
	ipl_arena_init(&arena, (size_t)64 << 20);
	lab_open(&lab, "{\"PublicPools\":[\"198.18.0.0/27\"],\"ReuseDelaySeconds\":1}");
	for (int i = 0; i < 9000; i++)
		assert_true(random_step(&lab) != IPL_ERR_CORRUPT);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	ipl_arena_release(&arena);
	return 0;
}

static bool *brute_force(const struct ipl_expr *expr)
{
	const struct ipl_records records = lab_records(&lab);
	bool *holds = calloc(lab.count + 1, sizeof(*holds));
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_asked asked = { .views = NULL };
	struct ipl_arena scratch;

	ipl_arena_init(&scratch, (size_t)64 << 20);
	assert_int_equal(ipl_views_open(&records, &asked.views, &err), IPL_OK);
	for (uint64_t seq = 0; seq <= lab.count; seq++) {
		struct ipl_value value = ipl_nil();
		ipl_arena_reset(&scratch);
		if (ipl_ask_value(&asked, seq, expr, &scratch, &value, &err) != IPL_OK)
			fail_msg("%s", err.text);
		holds[seq] = value.type == IPL_VALUE_BOOL && value.boolean;
	}
	ipl_views_close(asked.views);
	ipl_arena_release(&scratch);
	return holds;
}

static void compare(const char *text)
{
	const struct ipl_records records = lab_records(&lab);
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	const struct ipl_expr *expr = NULL;
	bool *holds;

	if (ipl_expr_parse(&arena, ipl_str_of(text), &expr, &err) != IPL_OK)
		fail_msg("%s: %s", text, err.text);
	holds = brute_force(expr);
	for (int i = 0; i < 10; i++) {
		uint64_t from = random_draw(lab.count), first = from + 1;
		uint64_t to = from + 1 + random_draw(lab.count - from);
		struct ipl_asked asked = { .views = NULL };
		struct ipl_bisect_result out = { 0 }, scan = { 0 }, again = { 0 };
		assert_int_equal(ipl_views_open(&records, &asked.views, &err), IPL_OK);
		if (ipl_bisect_expr(&asked, expr, from, to, false, &out, &err) != IPL_OK ||
		    ipl_bisect_expr(&asked, expr, from, to, true, &scan, &err) != IPL_OK ||
		    ipl_bisect_expr(&asked, expr, from, to, false, &again, &err) != IPL_OK)
			fail_msg("%s: %s", text, err.text);
		while (first <= to && (holds[first - 1] || !holds[first]))
			first++;
		if (first > to)
			assert_true(scan.what != IPL_BISECT_FOUND);
		else
			assert_true(scan.what == IPL_BISECT_FOUND && scan.seq == first);
		assert_int_equal(out.what,
				 holds[from] == holds[to] ?
					 (holds[to] ? IPL_BISECT_ALWAYS : IPL_BISECT_NEVER) :
					 (holds[to] ? IPL_BISECT_FOUND : IPL_BISECT_BACKWARD));
		if (out.what == IPL_BISECT_FOUND) {
			assert_true(holds[out.seq] && !holds[out.seq - 1]);
			assert_true(out.not_later == 0 || !holds[out.not_later]);
			assert_int_equal(out.seq, first); /* nothing was kept yet: one pass */
			assert_int_equal(out.is_first_of_many, out.not_later != 0);
			assert_true(holds[again.seq] && !holds[again.seq - 1]);
		}
		if (out.what == IPL_BISECT_NEVER)
			assert_int_equal(out.seq, first > to ? 0 : first);
		assert_int_equal(again.what, out.what);
		ipl_views_close(asked.views);
	}
	free(holds);
}

static void test_expressions(void **state)
{
	(void)state;
	compare("count(Eip) > 10");
	compare("count(Instance) - count(Vpc) >= 5");
	compare("holder(10.0.0.5) != \"\"");
	compare("seq > 1234");
	compare("type == \"EipReleased\"");
	compare("status(10.0.0.7) == \"Cooling\" or count(VSwitch) = 3");
}

/* Where nothing is kept the log is folded once; where something is, about a part of it. */
static void test_cost(void **state)
{
	const struct ipl_records records = lab_records(&lab);
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	const struct ipl_expr *expr = NULL;
	char text[64];

	(void)state;
	for (uint64_t flip = 1; flip <= lab.count; flip += 1 + lab.count / 7) {
		struct ipl_bisect_result out = { 0 };
		struct ipl_asked asked = { .views = NULL };
		assert_int_equal(ipl_views_open(&records, &asked.views, &err), IPL_OK);
		(void)snprintf(text, sizeof(text), "seq >= %llu", (unsigned long long)flip);
		assert_int_equal(ipl_expr_parse(&arena, ipl_str_of(text), &expr, &err), IPL_OK);
		assert_int_equal(ipl_bisect_expr(&asked, expr, 0, lab.count, false, &out, &err),
				 IPL_OK);
		assert_int_equal(out.seq, flip);
		assert_int_equal(ipl_views_folded(asked.views), lab.count);
		assert_int_equal(ipl_bisect_expr(&asked, expr, 0, lab.count, false, &out, &err),
				 IPL_OK);
		assert_int_equal(out.seq, flip);
		assert_true(ipl_views_folded(asked.views) < lab.count + lab.count / 2);
		ipl_views_close(asked.views);
	}
}

/* An expression that is no question, or cannot be asked somewhere, is refused. */
static void test_refused(void **state)
{
	static const char *const texts[] = { "count(Eip)", "1 + (seq > 100) == nil",
					     "exists(\"i-typo\")" };
	const struct ipl_records records = lab_records(&lab);

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(texts); i++) {
		struct ipl_error err = IPL_ERROR_INIT(&arena);
		const struct ipl_expr *expr = NULL;
		struct ipl_bisect_result out = { 0 };
		struct ipl_asked asked = { .views = NULL };
		assert_int_equal(ipl_views_open(&records, &asked.views, &err), IPL_OK);
		assert_int_equal(ipl_expr_parse(&arena, ipl_str_of(texts[i]), &expr, &err), IPL_OK);
		for (int all = 0; all < 2; all++)
			assert_int_equal(
				ipl_bisect_expr(&asked, expr, 1, 200, all == 1, &out, &err),
				IPL_REFUSED);
		ipl_views_close(asked.views);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),        cmocka_unit_test(test_one_flip),
		cmocka_unit_test(test_random_rows), cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_cost),        cmocka_unit_test(test_refused),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
