/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a random history, and questions about single things in it, and about how many there are
 * (IPL_SEED repeats a run).
 * Claimed: what is answered along the chains, or along the counts, is, after every event, what the
 * whole state there answers, clock and all; and little is asked for it. A question that looks at
 * too much is refused, and a search by it is done by whole states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/address.h"
#include "events/json.h"
#include "replay/bisect.h"
#include "tests/random_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 6000

static struct lab lab;
static struct ipl_arena arena;
static struct ipl_records records;
static struct ipl_asked asked;

static int open_lab(void **state)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	(void)state;
	ipl_arena_init(&arena, (size_t)64 << 20);
	lab_open(&lab, "{\"PublicPools\":[\"198.18.0.0/27\"],\"ReuseDelaySeconds\":2}");
	for (int i = 0; i < STEPS; i++)
		assert_true(random_step(&lab) != IPL_ERR_CORRUPT);
	records = lab_records(&lab);
	assert_int_equal(ipl_views_open(&records, &asked.views, &err), IPL_OK);
	assert_int_equal(ipl_chains_open(&records, lab.count, &asked.chains, &err), IPL_OK);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	ipl_views_close(asked.views);
	ipl_chains_close(asked.chains);
	lab_close(&lab);
	ipl_arena_release(&arena);
	return 0;
}

/* What was answered, and from which seq on. */
struct answers {
	uint64_t seq[STEPS + 2];
	char *text[STEPS + 2];
	size_t count;
};

static char *text_of(const struct ipl_value *value)
{
	struct ipl_buf buf = { 0 };
	char *text;

	ipl_json_write(&buf, value, IPL_JSON_COMPACT);
	text = strndup((const char *)buf.at, buf.len);
	assert_non_null(text);
	ipl_buf_release(&buf);
	return text;
}

static enum ipl_status keep(void *context, uint64_t seq, const struct ipl_value *value,
			    struct ipl_error *err)
{
	struct answers *answers = context;

	(void)err;
	assert_true(answers->count < STEPS + 2);
	assert_true(answers->count == 0 || seq > answers->seq[answers->count - 1]);
	answers->seq[answers->count] = seq;
	answers->text[answers->count++] = text_of(value);
	return IPL_OK;
}

static enum ipl_status answer_all(const struct ipl_expr *expr, uint64_t from,
				  struct answers *answers, struct ipl_error *err)
{
	struct ipl_counts *counts = NULL;
	enum ipl_status st;

	if (ipl_expr_is_of_things(expr))
		return ipl_watch(asked.chains, expr, from, lab.count, keep, answers, NULL, err);
	assert_int_equal(ipl_counts_open(&records, expr, &counts, err), IPL_OK);
	st = ipl_counts_along(counts, expr, from, lab.count, keep, answers, NULL, err);
	ipl_counts_close(counts);
	return st;
}

/* How many states are asked without whole ones; all of them answer as whole ones do. */
static size_t compare(const char *question, uint64_t from)
{
	static struct answers answers;
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	const struct ipl_expr *expr = NULL;
	struct ipl_arena scratch;
	size_t at = 0;

	ipl_arena_reset(&arena);
	ipl_arena_init(&scratch, (size_t)64 << 20);
	answers.count = 0;
	assert_int_equal(ipl_expr_parse(&arena, ipl_str_of(question), &expr, &err), IPL_OK);
	if (answer_all(expr, from, &answers, &err) != IPL_OK)
		fail_msg("%s: %s", question, err.text);
	assert_int_equal(answers.seq[0], from);
	for (uint64_t seq = from; seq <= lab.count; seq++) {
		const struct ipl_asked states = { .views = asked.views };
		struct ipl_value value;
		char *text;
		ipl_arena_reset(&scratch);
		if (ipl_ask_value(&states, seq, expr, &scratch, &value, &err) != IPL_OK)
			fail_msg("%s: %s", question, err.text);
		if (at + 1 < answers.count && answers.seq[at + 1] == seq)
			at++;
		text = text_of(&value);
		if (strcmp(text, answers.text[at]) != 0)
			fail_msg("%s as of %llu: %s, not %s", question, (unsigned long long)seq,
				 text, answers.text[at]);
		free(text);
	}
	for (size_t i = 0; i < answers.count; i++)
		free(answers.text[i]);
	ipl_arena_release(&scratch);
	return answers.count;
}

static const char *id_of(enum ipl_kind kind, uint64_t number, char out[IPL_ID_TEXT_MAX])
{
	ipl_id_format(ipl_state_letters(lab.state), kind, number, out);
	return out;
}

static void test_entities(void **state)
{
	static const enum ipl_kind kinds[] = { IPL_KIND_VPC, IPL_KIND_VSWITCH, IPL_KIND_INSTANCE,
					       IPL_KIND_ENI, IPL_KIND_EIP,     IPL_KIND_IPV6 };
	char id[IPL_ID_TEXT_MAX], question[256];
	size_t asked_of = 0, looked = 0;

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(kinds); i++) {
		for (int n = 0; n < 4; n++) {
			uint64_t from = n == 0 ? 0 : random_draw(lab.count);
			(void)snprintf(question, sizeof(question), "state(\"%s\")",
				       id_of(kinds[i], 1 + random_draw(n == 1 ? 3 : 40), id));
			asked_of += compare(question, from);
			looked++;
		}
	}
	assert_true(asked_of > 2 * looked);
	assert_true(asked_of / looked < lab.count / 4); /* and the log is not gone through */
}

static void test_vswitches(void **state)
{
	char id[IPL_ID_TEXT_MAX], question[256];

	(void)state;
	for (int n = 0; n < 6; n++) {
		(void)id_of(IPL_KIND_VSWITCH, 1 + random_draw(8), id);
		(void)snprintf(question, sizeof(question),
			       "free(%s) - used(%s) < 100 or cooling(%s) > 1", id, id, id);
		(void)compare(question, n == 0 ? 0 : random_draw(lab.count));
		(void)snprintf(question, sizeof(question), "cooling(%s)", id);
		(void)compare(question, 0);
	}
}

static void test_addresses(void **state)
{
	static const char *const addresses[] = { "10.0.0.5",    "10.0.0.10",   "10.0.0.0",
						 "198.18.0.7",  "198.18.0.2",  "10.0.1.9",
						 "192.168.0.9", "192.168.1.4", "9.9.9.9" };
	char question[256];

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(addresses); i++) {
		const char *ip = addresses[i];
		(void)snprintf(question, sizeof(question), "status(%s)", ip);
		(void)compare(question, 0);
		(void)snprintf(question, sizeof(question), "holder(%s).Status", ip);
		(void)compare(question, random_draw(lab.count));
		(void)snprintf(question, sizeof(question), "state(instance(%s))", ip);
		(void)compare(question, random_draw(lab.count));
	}
}

/* A question about something that event @seq touches. */
static void draw_question(uint64_t seq, char *out, size_t size)
{
	char id[IPL_ID_TEXT_MAX], ip[IPL_IP4_TEXT_MAX];
	struct ipl_touches touches;
	struct ipl_event ev;
	struct ipl_key key;

	lab_event(&lab, seq, &arena, &ev);
	assert_int_equal(ipl_event_touches(&arena, &ev, &touches, NULL), IPL_OK);
	key = touches.at[random_draw(touches.count)];
	ipl_ip4_format((uint32_t)key.b, ip);
	if (key.kind > IPL_KIND_LEDGER && key.kind < IPL_KIND_COUNT && random_draw(6) == 0)
		(void)snprintf(out, size, "count(%s) > %u", ipl_kind_name((enum ipl_kind)key.kind),
			       (unsigned)random_draw(20));
	else if (key.kind == IPL_KIND_IP4)
		(void)snprintf(out, size, "status(%s) %s \"Held\"", ip,
			       random_draw(2) == 0 ? "==" : "!=");
	else if (key.kind == IPL_KIND_VSWITCH)
		(void)snprintf(out, size, "used(%s) > %u", id_of(IPL_KIND_VSWITCH, key.a, id),
			       (unsigned)random_draw(12));
	else if (key.kind == IPL_KIND_IP6)
		(void)snprintf(out, size, "exists(\"\")");
	else
		(void)snprintf(out, size, "%s exists(\"%s\")", random_draw(2) == 0 ? "not" : "",
			       id_of((enum ipl_kind)key.kind, key.a, id));
}

/* A search along the chains finds what the search through all states finds. */
static void test_search(void **state)
{
	const struct ipl_asked states = { .views = asked.views };
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	char question[128];
	int found = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct ipl_bisect_result chain = { 0 }, whole = { 0 }, first = { 0 };
		const struct ipl_expr *expr = NULL;
		uint64_t at = 2 + random_draw(lab.count - 2), from = random_draw(at);
		uint64_t to = at + random_draw(lab.count - at + 1);
		struct ipl_asked along = asked;
		ipl_arena_reset(&arena);
		draw_question(at, question, sizeof(question));
		assert_int_equal(ipl_expr_parse(&arena, ipl_str_of(question), &expr, &err), IPL_OK);
		if (!ipl_expr_is_of_things(expr))
			assert_int_equal(ipl_counts_open(&records, expr, &along.counts, &err),
					 IPL_OK);
		assert_int_equal(ipl_bisect_expr(&along, expr, from, to, false, &chain, &err),
				 IPL_OK);
		assert_int_equal(ipl_bisect_expr(&along, expr, from, to, true, &first, &err),
				 IPL_OK);
		ipl_counts_close(along.counts);
		assert_int_equal(ipl_bisect_expr(&states, expr, from, to, true, &whole, &err),
				 IPL_OK);
		assert_int_equal(first.what, whole.what);
		assert_int_equal(first.seq, whole.seq);
		if (chain.what == IPL_BISECT_FOUND || chain.what == IPL_BISECT_NEVER)
			assert_int_equal(chain.seq, whole.seq);
		assert_true(chain.asked <= to - from + 1);
		found += chain.what == IPL_BISECT_FOUND;
	}
	assert_true(found > 10);
}

static void test_counts(void **state)
{
	static const char *const questions[] = {
		"count(Vpc)",
		"count(VSwitch)",
		"count(Instance)",
		"count(NetworkInterface)",
		"count(Eip)",
		"count(Ipv6Address)",
		"count(Ipv6Gateway)",
		"count(Ipv6InternetBandwidth)",
		"count(NetworkInterface) - count(Instance) > 3 and not count(Eip) == 2",
		"-count(Vpc) + 7 < count(Ipv6Address)",
	};

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(questions); i++) {
		assert_true(compare(questions[i], 0) < lab.count / 2);
		compare(questions[i], random_draw(lab.count));
		compare(questions[i], lab.count);
	}
}

/* To and fro, by what was noted on the way. */
static void test_counts_to_and_fro(void **state)
{
	const struct ipl_asked states = { .views = asked.views };
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	const struct ipl_expr *expr = NULL;
	struct ipl_counts *counts = NULL;

	(void)state;
	ipl_arena_reset(&arena);
	assert_int_equal(ipl_expr_parse(&arena, IPL_STR("count(Eip) + count(NetworkInterface)"),
					&expr, &err),
			 IPL_OK);
	assert_int_equal(ipl_counts_open(&records, expr, &counts, &err), IPL_OK);
	for (int i = 0; i < 100; i++) {
		uint64_t seq = random_draw(lab.count + 1);
		struct ipl_value got, wanted;
		assert_int_equal(ipl_counts_value(counts, seq, expr, &arena, &got, &err), IPL_OK);
		assert_int_equal(ipl_ask_value(&states, seq, expr, &arena, &wanted, &err), IPL_OK);
		assert_int_equal(got.integer, wanted.integer);
	}
	ipl_counts_close(counts);
}

/* More VPCs than a search may look at: whole states are asked instead. */
static void test_too_wide(void **state)
{
	struct ipl_bisect_result out = { 0 };
	struct ipl_asked wide = { .views = NULL };
	const struct ipl_expr *expr = NULL;
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	struct ipl_records of_many;
	struct answers *answers = calloc(1, sizeof(*answers));
	struct lab many;

	(void)state;
	assert_non_null(answers);
	lab_open(&many, "{\"Quotas\":{\"Vpcs\":5000}}");
	for (unsigned i = 0; i <= IPL_WATCHED_MAX; i++)
		assert_int_equal(lab_call(&many, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/16\"}"),
				 IPL_OK);
	of_many = lab_records(&many);
	ipl_arena_reset(&arena);
	assert_int_equal(ipl_views_open(&of_many, &wide.views, &err), IPL_OK);
	assert_int_equal(ipl_chains_open(&of_many, many.count, &wide.chains, &err), IPL_OK);
	assert_int_equal(
		ipl_expr_parse(&arena, IPL_STR("status(10.0.0.5) == \"Free\""), &expr, &err),
		IPL_OK);
	assert_int_equal(ipl_watch(wide.chains, expr, 1, many.count, keep, answers, NULL, &err),
			 IPL_ERR_BUSY);
	assert_int_equal(ipl_bisect_expr(&wide, expr, 1, many.count, false, &out, &err), IPL_OK);
	assert_int_equal(out.what, IPL_BISECT_FOUND);
	assert_int_equal(out.seq, 2);
	ipl_views_close(wide.views);
	ipl_chains_close(wide.chains);
	lab_close(&many);
	free(answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entities),  cmocka_unit_test(test_vswitches),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_search),
		cmocka_unit_test(test_counts),    cmocka_unit_test(test_counts_to_and_fro),
		cmocka_unit_test(test_too_wide),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
