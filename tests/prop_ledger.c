/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: thousands of random operations on a small network (IPL_SEED repeats a run).
 * Claimed: what is decided always folds; every entity and holding folded alone
 * from its own chain equals the whole state's; no address has two holders, and
 * the counts of a vSwitch are those of its holders; the whole log folds to the
 * same state again; the fold of a log without one event is damage or another state, never a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/check.h"
#include "replay/past.h"
#include "tests/random_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 4000

/* --- the checks --- */

static enum ipl_status get_record(void *context, uint64_t seq, struct ipl_str *out,
				  struct ipl_error *err)
{
	const struct lab *lab = context;

	(void)err;
	*out = lab->record[seq - 1];
	return IPL_OK;
}

static uint64_t get_last(void *context, struct ipl_key key)
{
	return ipl_heads_last(((const struct lab *)context)->heads, key);
}

/* Every entity as @state has it, folded alone as of the state's seq. */
static void check_entities_alone(struct lab *lab, const struct ipl_state *state)
{
	const struct ipl_source source = { lab, get_record, get_last };
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_lens whole, alone;

	ipl_arena_init(&arena, (size_t)1 << 30);
	ipl_lens_of_state(&whole, state, lab->time_ms, &err);
	assert_int_equal(ipl_past_open(&alone, &source, ipl_state_seq(state), lab->time_ms, &err),
			 IPL_OK);
	alone.letters = whole.letters;
	alone.region = whole.region;
	for (enum ipl_kind kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++) {
		for (uint64_t n = 1; n < ipl_state_next_number(lab->state, kind); n++) {
			const union ipl_entity *a = whole.find(&whole, kind, n);
			const union ipl_entity *b = alone.find(&alone, kind, n);
			struct ipl_value x, y;
			if (alone.status != IPL_OK)
				fail_msg("%s", err.text);
			assert_int_equal(a == NULL, b == NULL);
			if (a == NULL)
				continue;
			x = ipl_show(&arena, &whole, kind, n, a);
			y = ipl_show(&arena, &alone, kind, n, b);
			assert_true(ipl_value_equal(&x, &y));
			assert_int_equal(a->base.first_seq, b->base.first_seq);
			assert_int_equal(a->base.last_seq, b->base.last_seq);
		}
	}
	for (uint64_t n = 0; (n = ipl_state_next(state, IPL_KIND_ENI, n)) != 0;) {
		const struct ipl_eni *eni = ipl_state_eni(state, n);
		struct ipl_key key = ipl_key_ip4(eni->vpc, eni->address[0].ip);
		struct ipl_holding x = ipl_state_holding(state, key);
		struct ipl_holding y = alone.holding(&alone, key);
		assert_true(x.eni == y.eni && x.role == y.role && x.since_seq == y.since_seq);
	}
	ipl_past_close(&alone);
	ipl_arena_release(&arena);
}

/* The same as of moments on the way: the whole state is folded up to each of them. */
static void check_past(struct lab *lab)
{
	const struct ipl_source source = { lab, get_record, get_last };
	struct ipl_state *state = ipl_state_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	for (uint64_t seq = 1 + random_draw(20); seq <= lab->count; seq += 1 + random_draw(60)) {
		assert_int_equal(ipl_fold_to(state, &source, seq, &err), IPL_OK);
		check_entities_alone(lab, state);
	}
	ipl_state_free(state);
}

static void found(void *context, const struct ipl_finding *finding)
{
	(void)context;
	print_message("# %s: %s\n", finding->rule, finding->text);
}

static void check_holders(struct lab *lab)
{
	ipl_state_advance(lab->state, lab->time_ms);
	assert_int_equal(ipl_check_state(lab->state, lab->time_ms, found, NULL), 0);
}

static void check_again(struct lab *lab)
{
	const struct ipl_source source = { lab, get_record, get_last };
	struct ipl_state *again = ipl_state_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	assert_int_equal(ipl_fold_to(again, &source, lab->count, &err), IPL_OK);
	for (enum ipl_kind kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++) {
		assert_int_equal(ipl_state_count(again, kind), ipl_state_count(lab->state, kind));
		assert_int_equal(ipl_state_next_number(again, kind),
				 ipl_state_next_number(lab->state, kind));
	}
	for (uint64_t n = 0; (n = ipl_state_next(again, IPL_KIND_VSWITCH, n)) != 0;)
		assert_int_equal(ipl_state_block(again, n)->position,
				 ipl_state_block(lab->state, n)->position);
	ipl_state_free(again);
}

static void test_random_history(void **state)
{
	struct lab lab;
	uint64_t appended = 0, refused = 0;

	(void)state;
	lab_open(&lab, "{\"PublicPools\":[\"198.18.0.0/27\",\"198.18.1.0/28\"],"
		       "\"ReuseDelaySeconds\":1}");
	for (int i = 0; i < STEPS; i++) {
		enum ipl_status st = random_step(&lab);
		if (st != IPL_OK && st != IPL_REFUSED)
			fail_msg("step %d: %s", i, lab.err.text);
		*(st == IPL_OK ? &appended : &refused) += 1;
		if (i % 500 == 0)
			check_holders(&lab);
	}
	print_message("# %llu done, %llu refused\n", (unsigned long long)appended,
		      (unsigned long long)refused);
	assert_true(appended > STEPS / 5 && refused > STEPS / 5);
	check_holders(&lab);
	check_entities_alone(&lab, lab.state);
	check_past(&lab);
	check_again(&lab);
	lab_close(&lab);
}

/* An event is left out, the others are renumbered: damage is found, or nobody missed it. */
static void test_missing_event(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, NULL);
	for (int i = 0; i < 400; i++)
		assert_true(random_step(&lab) != IPL_ERR_CORRUPT);
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

/* A /24 to its last address, in any order of giving back: next fit, and never a reserved one. */
static void test_fill(void **state)
{
	struct lab lab;
	char vpc[IPL_ID_TEXT_MAX], vswitch[IPL_ID_TEXT_MAX];

	(void)state;
	lab_open(&lab, NULL);
	assert_int_equal(lab_call(&lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/16\"}"), IPL_OK);
	(void)snprintf(vpc, sizeof(vpc), "%s", lab_text(&lab, "VpcId"));
	assert_int_equal(lab_call(&lab, "CreateVSwitch",
				  "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\","
				  "\"CidrBlock\":\"10.0.0.0/24\"}",
				  vpc),
			 IPL_OK);
	(void)snprintf(vswitch, sizeof(vswitch), "%s", lab_text(&lab, "VSwitchId"));
	for (unsigned i = 1; i <= 252; i++) {
		char wanted[IPL_IP4_TEXT_MAX];
		(void)snprintf(wanted, sizeof(wanted), "10.0.0.%u", i);
		assert_int_equal(
			lab_call(&lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", vswitch),
			IPL_OK);
		assert_string_equal(lab_text(&lab, "PrivateIpAddress"), wanted);
	}
	assert_int_equal(
		lab_call(&lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", vswitch),
		IPL_REFUSED);
	assert_string_equal(lab_code(&lab), "InvalidVSwitchId.IpNotEnough");
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_history),
		cmocka_unit_test(test_missing_event),
		cmocka_unit_test(test_fill),
	};
	uint64_t seed;
	const char *given = getenv("IPL_SEED");

	seed = given == NULL ? 20261124 : strtoull(given, NULL, 10);
	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
