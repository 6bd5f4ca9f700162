/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: blocks of every size from /32 to /12, and a plain array beside them.
 * Claimed: the bitmap and its summaries say of every address what the array says,
 * and the next available one is the array's; tables likewise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reducers/block.h"
#include "reducers/table.h"

#include <stdlib.h>

static uint64_t seed = 1;

static uint64_t draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 20) % below;
}

static bool next_plain(const bool *taken, uint64_t size, uint64_t from, uint64_t *found)
{
	for (uint64_t i = 0; i < size; i++) {
		*found = (from + i) % size;
		if (!taken[*found])
			return true;
	}
	return false;
}

static void check_block(uint8_t prefix_len, uint32_t first, uint32_t last, int steps)
{
	struct ipl_cidr4 cidr = { 0x0a000000, prefix_len };
	uint64_t size = ipl_cidr4_size(cidr), free_count = 0;
	struct ipl_block *block = ipl_block_new(cidr, first, last);
	bool *taken = calloc(size, sizeof(*taken));

	for (uint64_t i = 0; i < size; i++) {
		taken[i] = i < first || i >= size - (last < size ? last : size);
		free_count += !taken[i];
	}
	for (int i = 0; i < steps; i++) {
		uint64_t at = draw(size), from = draw(size), found = 0;
		uint32_t ip = cidr.base + (uint32_t)at;
		if (draw(3) > 0) { /* mostly full */
			free_count -= !taken[at];
			taken[at] = true;
			ipl_block_take(block, ip);
		} else {
			free_count += taken[at];
			taken[at] = false;
			ipl_block_give(block, ip);
		}
		assert_int_equal(block->free_count, free_count);
		assert_int_equal(ipl_block_is_available(block, ip), !taken[at]);
		assert_int_equal(ipl_block_next(block, from, &ip),
				 next_plain(taken, size, from, &found));
		if (free_count > 0)
			assert_int_equal(ip - cidr.base, found);
	}
	ipl_block_free(block);
	free(taken);
}

static void test_blocks(void **state)
{
	(void)state;
	for (uint8_t prefix_len = 32; prefix_len >= 20; prefix_len--) {
		check_block(prefix_len, 0, 0, 3000);
		check_block(prefix_len, 1, 3, 3000);
	}
	check_block(12, 1, 1, 200);
}

/* The last address of a full /8 is found as the first one was. */
static void test_full(void **state)
{
	struct ipl_cidr4 cidr = { 0x0a000000, 8 };
	struct ipl_block *block = ipl_block_new(cidr, 0, 0);
	uint32_t ip;

	(void)state;
	for (uint64_t i = 0; i < ipl_cidr4_size(cidr); i++)
		ipl_block_take(block, cidr.base + (uint32_t)i);
	assert_false(ipl_block_next(block, 0, &ip));
	ipl_block_give(block, 0x0a123456);
	assert_true(ipl_block_next(block, 0x999999, &ip));
	assert_int_equal(ip, 0x0a123456);
	ipl_block_free(block);
}

static void test_table(void **state)
{
	struct ipl_table table;

	(void)state;
	ipl_table_init(&table, sizeof(uint64_t));
	for (uint64_t n = 1; n <= 1000; n++) {
		uint64_t *slot = ipl_table_slot(&table, n);
		*slot = n * n;
		table.next = n + 1;
		ipl_table_count(&table, n, 1);
	}
	assert_int_equal(table.live, 1000);
	for (uint64_t n = 1; n < 900; n++) /* whole pages go */
		ipl_table_count(&table, n, -1);
	assert_null(ipl_table_find(&table, 5));
	assert_int_equal(*(uint64_t *)ipl_table_find(&table, 950), 950 * 950);
	assert_true(ipl_table_next(&table, 0) >= 800);
	assert_int_equal(ipl_table_next(&table, 1000), 0);
	ipl_table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
