/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a random history (IPL_SEED repeats a run), and every chain in it, known from the
 * touches of each event.
 * Claimed: forward along a chain, from any seq, to any seq, in pieces of any size, are exactly
 * the chain's events; and one piece is found without looking at the whole chain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/forward.h"
#include "tests/random_ops.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS     3000
#define LONG      1500
#define ROUNDS    4000
#define PIECE_MAX 200u

struct counted {
	struct lab lab;
	uint64_t looks;
};

static enum ipl_status get_record(void *context, uint64_t seq, struct ipl_str *out,
				  struct ipl_error *err)
{
	struct counted *counted = context;

	(void)err;
	counted->looks++;
	*out = counted->lab.record[seq - 1];
	return IPL_OK;
}

static uint64_t get_last(void *context, struct ipl_key key)
{
	return ipl_heads_last(((const struct counted *)context)->lab.heads, key);
}

static bool is_touched(const struct ipl_touches *touches, struct ipl_key key)
{
	for (uint32_t i = 0; i < touches->count; i++) {
		if (ipl_key_equal(touches->at[i], key))
			return true;
	}
	return false;
}

/* What the log says, looked through from the beginning. */
static uint32_t expect(struct lab *lab, const struct ipl_touches *touches, struct ipl_key key,
		       uint64_t from, uint64_t to, uint64_t *out, uint32_t limit)
{
	uint32_t n = 0;

	for (uint64_t seq = from == 0 ? 1 : from; seq <= to && seq <= lab->count && n < limit;
	     seq++) {
		if (is_touched(&touches[seq - 1], key))
			out[n++] = seq;
	}
	return n;
}

/* A vSwitch with a long history, and a random one after it. */
static void make_history(struct lab *lab)
{
	char id[IPL_ID_TEXT_MAX];

	assert_int_equal(lab_call(lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/8\"}"), IPL_OK);
	(void)snprintf(id, sizeof(id), "%s", lab_text(lab, "VpcId"));
	assert_int_equal(lab_call(lab, "CreateVSwitch",
				  "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\","
				  "\"CidrBlock\":\"10.1.0.0/16\"}",
				  id),
			 IPL_OK);
	(void)snprintf(id, sizeof(id), "%s", lab_text(lab, "VSwitchId"));
	for (int i = 0; i < LONG; i++)
		assert_int_equal(
			lab_call(lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", id),
			IPL_OK);
}

static void test_forward(void **state)
{
	static struct counted counted;
	struct lab *lab = &counted.lab;
	const struct ipl_source source = { &counted, get_record, get_last };
	const char *text = getenv("IPL_SEED");
	uint64_t seed = text == NULL ? 20261125 : strtoull(text, NULL, 10);
	uint64_t found[PIECE_MAX], wanted[PIECE_MAX], longest = 0;
	struct ipl_touches *touches;
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	(void)state;
	printf("# IPL_SEED=%llu\n", (unsigned long long)seed);
	random_begin(seed);
	lab_open(lab, NULL);
	make_history(lab);
	ipl_arena_init(&arena, (size_t)1 << 30);
	touches = calloc(lab->count, sizeof(*touches));
	for (uint64_t seq = 1; seq <= lab->count; seq++) {
		struct ipl_event ev;
		lab_event(lab, seq, &arena, &ev);
		assert_int_equal(ipl_event_touches(&arena, &ev, &touches[seq - 1], &err), IPL_OK);
	}
	for (int i = 0; i < ROUNDS; i++) {
		const struct ipl_touches *some = &touches[random_draw(lab->count)];
		struct ipl_key key = some->at[random_draw(some->count)];
		uint64_t from = random_draw(lab->count + 3), to = random_draw(lab->count + 3);
		uint32_t limit = (uint32_t)random_draw(PIECE_MAX) + 1, count = 99;
		counted.looks = 0;
		assert_int_equal(
			ipl_chain_forward(&source, key, from, to, found, limit, &count, &err),
			IPL_OK);
		assert_int_equal(count, expect(lab, touches, key, from, to, wanted, limit));
		assert_memory_equal(found, wanted, count * sizeof(*found));
		/* Two walks by skip pointers, at most about 3 log2 n looks each. */
		assert_true(counted.looks <= limit + 80);
		longest = count > longest ? count : longest;
	}
	assert_true(longest > PIECE_MAX / 2); /* else little was tried */
	free(touches);
	ipl_arena_release(&arena);
	lab_close(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_forward) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
