/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a small network, and expressions about it ($vpc, $vsw, $i, $eni, $eip
 * stand for its ids).
 * Claimed: each has the value, or is refused at the column, that its row says; what
 * is printed parses to what prints the same, and has the same value; limits hold
 * at the limit and one past it; random bytes are refused or parsed, never worse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/json.h"
#include "replay/expr.h"
#include "tests/random_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lab lab;
static struct ipl_arena arena;
static char ids[5][IPL_ID_TEXT_MAX];
static const char *const names[] = { "$vpc", "$vsw", "$eni", "$eip", "$i" };

static void must(enum ipl_status st)
{
	if (st != IPL_OK)
		fail_msg("%s", lab.err.text);
}

static int open_lab(void **state)
{
	(void)state;
	ipl_arena_init(&arena, (size_t)64 << 20);
	lab_open(&lab, "{\"ReuseDelaySeconds\":60}");
	must(lab_call(&lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/16\"}"));
	(void)snprintf(ids[0], sizeof(ids[0]), "%s", lab_text(&lab, "VpcId"));
	must(lab_call(
		&lab, "CreateVSwitch",
		"{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":\"10.0.1.0/24\"}",
		ids[0]));
	(void)snprintf(ids[1], sizeof(ids[1]), "%s", lab_text(&lab, "VSwitchId"));
	must(lab_call(&lab, "RunInstances",
		      "{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g6.large\","
		      "\"PrivateIpAddress\":\"10.0.1.5\"}",
		      ids[1]));
	(void)snprintf(ids[4], sizeof(ids[4]), "%s",
		       lab_text(&lab, "InstanceIdSets.InstanceIdSet.1"));
	must(lab_call(&lab, "CreateNetworkInterface",
		      "{\"VSwitchId\":\"%s\",\"PrimaryIpAddress\":\"10.0.1.9\","
		      "\"PrivateIpAddress\":[\"10.0.1.10\"]}",
		      ids[1]));
	(void)snprintf(ids[2], sizeof(ids[2]), "%s", lab_text(&lab, "NetworkInterfaceId"));
	must(lab_call(&lab, "UnassignPrivateIpAddresses",
		      "{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[\"10.0.1.10\"]}",
		      ids[2]));
	must(lab_call(&lab, "AllocateEipAddress", "{\"IpAddress\":\"198.18.0.7\"}"));
	(void)snprintf(ids[3], sizeof(ids[3]), "%s", lab_text(&lab, "AllocationId"));
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	ipl_arena_release(&arena);
	return 0;
}

/* With the ids in place of their names. */
static const char *filled(const char *text)
{
	static char out[4][2048];
	static unsigned turn;
	char *to = out[turn = (turn + 1) % 4];
	size_t len = 0;

	while (*text != '\0') {
		size_t i = 0;
		while (i < IPL_ARRAY_SIZE(names) && strncmp(text, names[i], strlen(names[i])) != 0)
			i++;
		if (i == IPL_ARRAY_SIZE(names)) {
			to[len++] = *text++;
			continue;
		}
		len += (size_t)snprintf(to + len, sizeof(out[0]) - len, "%s", ids[i]);
		text += strlen(names[i]);
	}
	to[len] = '\0';
	return to;
}

static enum ipl_status value_of(const struct ipl_expr *expr, struct ipl_value *out,
				struct ipl_error *err)
{
	struct ipl_touches touches;
	struct ipl_lens lens;
	struct ipl_event ev;
	struct ipl_expr_scope scope = { &lens, &ev, &touches, &arena };

	lab_event(&lab, lab.count, &arena, &ev);
	must(ipl_event_touches(&arena, &ev, &touches, err));
	ipl_lens_of_state(&lens, lab.state, lab.time_ms, err);
	return ipl_expr_value(expr, &scope, out, err);
}

static const char *as_json(const struct ipl_value *value)
{
	struct ipl_buf buf = { 0 };
	const char *text;

	ipl_json_write(&buf, value, IPL_JSON_COMPACT);
	text = ipl_arena_printf(&arena, "%.*s", (int)buf.len, (const char *)buf.at).at;
	ipl_buf_release(&buf);
	return text;
}

static const char *printed(const struct ipl_expr *expr)
{
	struct ipl_buf buf = { 0 };
	const char *text;

	ipl_expr_print(expr, &buf);
	text = ipl_arena_printf(&arena, "%.*s", (int)buf.len, (const char *)buf.at).at;
	ipl_buf_release(&buf);
	return text;
}

/* { expression, its value as JSON, how it is printed (NULL: as it is written) } */
static const struct {
	const char *text;
	const char *value;
	const char *print;
} good[] = {
	{ "1", "1", NULL },
	{ "9223372036854775807", "9223372036854775807", NULL },
	{ "true", "true", NULL },
	{ "nil", "null", NULL },
	{ "\"a \\\"b\\\\\"", "\"a \\\"b\\\\\"", NULL },
	{ "1+2-4", "-1", "1 + 2 - 4" },
	{ "1-(2-4)", "3", "1 - (2 - 4)" },
	{ "-(3)", "-3", "-3" },
	{ "- -3", "3", "--3" },
	{ "1 - -3", "4", NULL },
	{ "-(1+2)", "-3", "-(1 + 2)" },
	{ "2 > 1", "true", NULL },
	{ "1 = 1", "true", "1 == 1" },
	{ "1 != 1", "false", NULL },
	{ "1 <= 1 and 1 >= 1", "true", NULL },
	{ "\"abc\" < \"abd\"", "true", NULL },
	{ "\"ab\" < \"abc\"", "true", NULL },
	{ "1 == \"1\"", "false", NULL },
	{ "nil == nil", "true", NULL },
	{ "nil < 1 or nil > 1", "false", NULL },
	{ "nil + 1", "null", NULL },
	{ "not nil", "true", NULL },
	{ "true or false and false", "true", NULL },
	{ "(true or false) and false", "false", NULL },
	{ "true and (true and false)", "false", NULL },
	{ "not true == false", "true", NULL },
	{ "(not true) == false", "true", NULL },
	{ "not not true", "true", NULL },
	{ "not (true and false)", "true", NULL },
	{ "(1 < 2) == true", "true", NULL },
	{ "false and 1 + true == 3", "false", NULL }, /* what does not matter is not looked at */
	{ "true or $i.X.Y", "true", NULL },
	{ "seq", "7", NULL },
	{ "time", "\"1970-01-01T00:16:40.000Z\"", NULL },
	{ "type", "\"EipAllocated\"", NULL },
	{ "operation == \"AllocateEipAddress\"", "true", NULL },
	{ "principal", "\"uid:0\"", NULL },
	{ "actor == \"\" and reason == \"\"", "true", NULL },
	{ "count(Eip)", "1", NULL },
	{ "count(NetworkInterface) + count(Vpc)", "3", NULL },
	{ "count(Ledger)", "1", NULL },
	{ "exists($i)", "true", NULL },
	{ "exists($i) and not exists(\"$i\")", "false", NULL },
	{ "$i", "\"$i\"", NULL },
	{ "$i.Status", "\"Running\"", NULL },
	{ "status($i)", "\"Running\"", NULL },
	{ "state($i, \"Status\")", "\"Running\"", NULL },
	{ "state($eni, \"PrivateIpSets.PrivateIpSet.1.PrivateIpAddress\")", "\"10.0.1.9\"", NULL },
	{ "$eni.PrivateIpSets.PrivateIpSet.1.PrivateIpAddress == 10.0.1.9", "true", NULL },
	{ "$eni.PrivateIpSets.PrivateIpSet.2", "null", NULL },
	{ "$eni.NoSuchMember.Inside", "null", NULL },
	{ "len($eni.PrivateIpSets.PrivateIpSet)", "1", NULL },
	{ "len(\"a\xc3\xa4\")", "2", NULL },
	{ "len(nil)", "null", NULL },
	{ "has($vpc.VSwitchIds.VSwitchId, $vsw)", "true", NULL },
	{ "has($vpc.VSwitchIds.VSwitchId, $vpc)", "false", NULL },
	{ "has(nil, 1)", "false", NULL },
	{ "free($vsw)", "249", NULL }, /* 256 - 4 reserved - 2 used - 1 cooling */
	{ "used($vsw)", "2", NULL },
	{ "cooling($vsw)", "1", NULL },
	{ "free($vsw) == $vsw.AvailableIpAddressCount", "true", NULL },
	{ "holder(10.0.1.5).InstanceId == $i", "true", NULL },
	{ "holder(10.0.1.9)", "\"$eni\"", NULL },
	{ "holder(\"10.0.1.9\", $vpc)", "\"$eni\"", NULL },
	{ "holder(10.0.1.77)", "\"\"", NULL },
	{ "holder(10.0.1.77).Status", "null", NULL },
	{ "holder(198.18.0.7)", "\"$eip\"", NULL },
	{ "instance(10.0.1.5)", "\"$i\"", NULL },
	{ "instance(10.0.1.9)", "\"\"", NULL },
	{ "kind(10.0.1.9)", "\"PrimaryPrivate\"", NULL },
	{ "kind(198.18.0.7)", "\"Eip\"", NULL },
	{ "kind(10.0.1.10)", "\"\"", NULL },
	{ "status(10.0.1.9)", "\"Held\"", NULL },
	{ "status(10.0.1.10)", "\"Cooling\"", NULL },
	{ "status(10.0.1.0)", "\"Reserved\"", NULL },
	{ "status(10.0.1.11, $vpc)", "\"Free\"", NULL },
	{ "status(9.9.9.9)", "\"Outside\"", NULL },
	{ "status(\"2001:db8::1\")", "\"Outside\"", NULL },
	{ "touches($eip)", "true", NULL },
	{ "touches($eni)", "false", NULL },
	{ "touches(198.18.0.7)", "true", NULL },
	{ "touches(198.18.0.8)", "false", NULL },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(good); i++) {
		struct ipl_error err = IPL_ERROR_INIT(&arena);
		const struct ipl_expr *expr = NULL, *again = NULL;
		struct ipl_value value = ipl_nil(), value_again = ipl_nil();
		const char *text = filled(good[i].text);
		if (ipl_expr_parse(&arena, ipl_str_of(text), &expr, &err) != IPL_OK ||
		    value_of(expr, &value, &err) != IPL_OK)
			fail_msg("%s: %s", text, err.text);
		assert_string_equal(as_json(&value), filled(good[i].value));
		assert_string_equal(printed(expr), good[i].print == NULL ? text : good[i].print);
		assert_int_equal(ipl_expr_parse(&arena, ipl_str_of(printed(expr)), &again, &err),
				 IPL_OK);
		assert_string_equal(printed(again), printed(expr));
		assert_int_equal(value_of(again, &value_again, &err), IPL_OK);
		assert_true(ipl_value_equal(&value, &value_again));
		ipl_arena_reset(&arena);
	}
}

/* { expression, what the refusal begins with; is it the parser that refuses? } */
static const struct {
	const char *text;
	const char *refusal;
	bool by_parser;
} bad[] = {
	{ "", "column 1: expected a value, but the expression ends", true },
	{ "1 +", "column 4: expected a value, but", true },
	{ "(1", "column 3: expected \")\"", true },
	{ "1)", "column 2: expected an operator", true },
	{ "1 2", "column 3: expected an operator", true },
	{ "1 < 2 < 3", "column 7: comparisons do not follow each other", true },
	{ "01", "column 1: 01 is no integer", true },
	{ "9223372036854775808", "column 1: 9223372036854775808 is no integer", true },
	{ "10.0.0.256", "column 1: 10.0.0.256 is neither", true },
	{ "1.5", "column 1: 1.5 is neither", true },
	{ "\"abc", "column 1: this text has no end", true },
	{ "\"abc\\", "column 1: this text has no end", true },
	{ "count(Cow)", "column 7: expected a kind: Vpc", true },
	{ "count()", "column 7: expected a kind", true },
	{ "cuont(Eip)", "column 1: there is no function cuont: expected count", true },
	{ "holder(10.0.0.5, $vpc, 1)", "column 42: expected \")\"", true },
	{ "has(1)", "column 6: expected \",\" and one more argument", true },
	{ "true and frue", "column 10: frue means nothing", true },
	{ "$i.", "column 24: expected the name of a member", true },
	{ "nil.x", "column 4: only what an id names has members", true },
	{ "5 .x", "column 3: only what an id names has members", true },
	{ "1 & b", "column 3: \"&\" means nothing", true },
	{ "1 + true", "column 3: only integers are added: this is an integer and", false },
	{ "1 < \"a\"", "column 3: an integer and text have no order", false },
	{ "9223372036854775807 + 1", "column 21: the result is beyond 64 bits", false },
	{ "not 1", "column 5: expected true or false here, not an integer", false },
	{ "true and 1", "column 10: expected true or false", false },
	{ "exists(\"i-typo\")", "column 8: i-typo is no id of this ledger", false },
	{ "exists(5)", "column 8: expected an id, not an integer", false },
	{ "free($vpc)", "column 6: expected the id of a vSwitch, not of a Vpc", false },
	{ "holder(5)", "column 8: expected an address", false },
	{ "holder(10.0.0.5, $i)", "column 18: expected the id of a VPC", false },
	{ "status($i, $vpc)", "column 32: only an address", false },
	{ "state($i, 5)", "column 31: expected a path", false },
	{ "len(5)", "column 5: an integer has no length", false },
	{ "has(5, 5)", "column 5: expected a list", false },
	{ "$eni.Status.X", "column 25: Available is no id", false },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(bad); i++) {
		struct ipl_error err = IPL_ERROR_INIT(&arena);
		const struct ipl_expr *expr = NULL;
		struct ipl_value value;
		const char *text = filled(bad[i].text);
		enum ipl_status st = ipl_expr_parse(&arena, ipl_str_of(text), &expr, &err);
		if (bad[i].by_parser != (st != IPL_OK))
			fail_msg("%s: the parser says %s", text, err.text);
		if (st == IPL_OK)
			st = value_of(expr, &value, &err);
		assert_int_equal(st, IPL_REFUSED);
		assert_int_equal(err.code, IPL_CODE_INVALID_PARAMETER);
		if (strncmp(err.text, bad[i].refusal, strlen(bad[i].refusal)) != 0)
			fail_msg("%s: %s", text, err.text);
		ipl_arena_reset(&arena);
	}
}

/* @count times @open, the middle, @count times @close */
static enum ipl_status parse_nested(const char *open, const char *middle, const char *close,
				    size_t count)
{
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	const struct ipl_expr *expr = NULL;
	struct ipl_buf buf = { 0 };
	enum ipl_status st;

	for (size_t i = 0; i < count; i++)
		ipl_buf_printf(&buf, "%s", open);
	ipl_buf_printf(&buf, "%s", middle);
	for (size_t i = 0; i < count; i++)
		ipl_buf_printf(&buf, "%s", close);
	st = ipl_expr_parse(&arena, (struct ipl_str){ (const char *)buf.at, buf.len }, &expr, &err);
	if (st != IPL_OK && buf.len <= IPL_EXPR_BYTES_MAX)
		assert_non_null(strstr(err.text, "more than 64 levels"));
	ipl_buf_release(&buf);
	return st;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(parse_nested("(", "1", ")", IPL_EXPR_DEPTH_MAX - 1), IPL_OK);
	assert_int_equal(parse_nested("(", "1", ")", IPL_EXPR_DEPTH_MAX), IPL_REFUSED);
	assert_int_equal(parse_nested("", "1", "+1", IPL_EXPR_DEPTH_MAX - 1), IPL_OK);
	assert_int_equal(parse_nested("", "1", "+1", IPL_EXPR_DEPTH_MAX), IPL_REFUSED);
	assert_int_equal(parse_nested("not ", "true", "", IPL_EXPR_DEPTH_MAX - 1), IPL_OK);
	assert_int_equal(parse_nested("not ", "true", "", IPL_EXPR_DEPTH_MAX), IPL_REFUSED);
	assert_int_equal(parse_nested("len(", "nil", ")", IPL_EXPR_DEPTH_MAX), IPL_REFUSED);
	assert_int_equal(parse_nested("", "seq", ".a", IPL_EXPR_DEPTH_MAX), IPL_REFUSED);
	assert_int_equal(parse_nested(" ", "1", "", IPL_EXPR_BYTES_MAX - 1), IPL_OK);
	assert_int_equal(parse_nested(" ", "1", "", IPL_EXPR_BYTES_MAX), IPL_REFUSED);
}

/* Random pieces of expressions: whatever parses prints to what parses to the same. */
static void test_random(void **state)
{
	static const char *const pieces[] = { "1",    " + ",   " - ",      "(",       ")",
					      "not ", " and ", " or ",     " == ",    " < ",
					      "nil",  "true",  "$i",       ".Status", "count(Eip)",
					      "len(", ", ",    "10.0.1.5", "holder",  "\"x\"",
					      "\xff", "-",     "has(" };
	unsigned parsed = 0, refused = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct ipl_error err = IPL_ERROR_INIT(&arena);
		const struct ipl_expr *expr = NULL, *again = NULL;
		struct ipl_value a = ipl_nil(), b = ipl_nil();
		char text[512] = "";
		enum ipl_status st;
		for (uint64_t k = 1 + random_draw(9); k > 0; k--)
			(void)strncat(text, filled(pieces[random_draw(IPL_ARRAY_SIZE(pieces))]),
				      sizeof(text) - strlen(text) - 1);
		ipl_arena_reset(&arena);
		st = ipl_expr_parse(&arena, ipl_str_of(text), &expr, &err);
		if (st != IPL_OK) {
			assert_int_equal(st, IPL_REFUSED);
			refused++;
			continue;
		}
		parsed++;
		if (ipl_expr_parse(&arena, ipl_str_of(printed(expr)), &again, &err) != IPL_OK)
			fail_msg("%s prints as %s: %s", text, printed(expr), err.text);
		assert_string_equal(printed(again), printed(expr));
		assert_int_equal(value_of(expr, &a, &err), value_of(again, &b, &err));
		assert_true(ipl_value_equal(&a, &b));
	}
	assert_true(parsed > 500 && refused > 500);
}

/* Before the first event there is nothing, and nothing is refused. */
static void test_empty(void **state)
{
	struct ipl_state *empty = ipl_state_new();
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	const struct ipl_expr *expr = NULL;
	struct ipl_lens lens;
	struct ipl_expr_scope scope = { &lens, NULL, NULL, &arena };
	bool holds = true;

	(void)state;
	ipl_lens_of_state(&lens, empty, 0, &err);
	must(ipl_expr_parse(
		&arena,
		ipl_str_of(filled("exists($i) or $i.Status == \"Running\" or "
				  "free($vsw) < 5 or touches($i) or "
				  "holder(10.0.1.5) != \"\" or type != nil or "
				  "count(Vpc) > 0 or seq != 0 or kind(10.0.1.5, $vpc) != \"\"")),
		&expr, &err));
	assert_int_equal(ipl_expr_holds(expr, &scope, &holds, &err), IPL_OK);
	assert_false(holds);
	must(ipl_expr_parse(&arena, IPL_STR("count(Vpc)"), &expr, &err));
	assert_int_equal(ipl_expr_holds(expr, &scope, &holds, &err), IPL_REFUSED);
	ipl_state_free(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_random),
		cmocka_unit_test(test_empty),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
