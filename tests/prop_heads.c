/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: random pushes on many chains, while the table that keeps their heads grows
 * again and again. Claimed: it says of each chain, at any time, what a plain array
 * does; and it lists each chain once. IPL_SEED says where chance begins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/heads.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAINS 40000u
#define PUSHES 150000u

struct chain {
	uint64_t last;
	uint64_t depth;
	bool is_listed;
};

static struct chain chains[CHAINS];

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct ipl_key key_of(uint64_t chain)
{
	return ipl_key_entity(IPL_KIND_INSTANCE, chain + 1);
}

static enum ipl_status list(void *context, struct ipl_key key, struct ipl_str value,
			    struct ipl_error *err)
{
	uint64_t *count = context;

	(void)value;
	(void)err;
	assert_true(key.a >= 1 && key.a <= CHAINS);
	assert_false(chains[key.a - 1].is_listed);
	chains[key.a - 1].is_listed = true;
	++*count;
	return IPL_OK;
}

/* All that are there are listed, each once. */
static void check_list(const struct ipl_heads *heads)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint64_t count = 0, wanted = 0;

	assert_int_equal(ipl_heads_each(heads, list, &count, &err), IPL_OK);
	for (uint32_t i = 0; i < CHAINS; i++) {
		wanted += chains[i].depth > 0;
		chains[i].is_listed = false;
	}
	assert_int_equal(count, wanted);
	assert_int_equal(ipl_heads_count(heads), wanted);
}

static void test_growth(void **state)
{
	const char *given = getenv("IPL_SEED");
	uint64_t random = given == NULL ? 7 : strtoull(given, NULL, 10) * 2 + 1;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_heads *heads = ipl_heads_new();

	(void)state;
	assert_non_null(heads);
	printf("# IPL_SEED=%s\n", given == NULL ? "3" : given);
	for (uint64_t seq = 1; seq <= PUSHES; seq++) {
		/* Few chains at first, more and more of them: each doubling has old ones to move.
		 */
		uint64_t among = seq < CHAINS ? seq : CHAINS;
		uint64_t at = next_random(&random) % among, other = next_random(&random) % among;
		struct ipl_link link;
		assert_int_equal(ipl_heads_push(heads, key_of(at), seq, &link, &err), IPL_OK);
		assert_int_equal(link.back, chains[at].last);
		assert_int_equal(link.depth, chains[at].depth);
		chains[at].last = seq;
		chains[at].depth++;
		assert_int_equal(ipl_heads_last(heads, key_of(other)), chains[other].last);
		if (seq % 7919 == 0 || (seq < 2000 && seq % 97 == 0))
			check_list(heads);
	}
	for (uint32_t i = 0; i < CHAINS; i++)
		assert_int_equal(ipl_heads_last(heads, key_of(i)), chains[i].last);
	ipl_heads_free(heads);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_growth) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
