/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: random puts and removes of keys, while the table grows again and again, and
 * a plain array beside it. Claimed: at any time it finds what the array has, and
 * lists each entry once; a copy is the same and goes its own way; records never move;
 * and no put moves more than a few slots. IPL_SEED says where chance begins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reducers/hashmap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS      20000u
#define STEPS     120000u
#define MOVED_MAX 8u /* slots, with one put */

struct plain {
	uint64_t value[KEYS]; /* 0: it is not there */
	bool is_listed[KEYS];
	const void *record[KEYS];
	size_t count;
};

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 20) % below;
}

static struct ipl_key key_of(uint64_t n)
{
	return ipl_key_ip4(7, (uint32_t)n);
}

static void list(void *context, struct ipl_key key, void *value)
{
	struct plain *plain = context;

	assert_true(key.kind == IPL_KIND_IP4 && key.a == 7 && key.b < KEYS);
	assert_false(plain->is_listed[key.b]);
	plain->is_listed[key.b] = true;
	assert_int_equal(*(uint64_t *)value, plain->value[key.b]);
}

/* All that are there are listed, each once, and found. */
static void check_all(const struct ipl_hashmap *map, struct plain *plain)
{
	memset(plain->is_listed, 0, sizeof(plain->is_listed));
	ipl_hashmap_walk(map, list, plain);
	assert_int_equal(map->count, plain->count);
	for (uint32_t n = 0; n < KEYS; n++) {
		const uint64_t *found = ipl_hashmap_find(map, key_of(n));
		assert_int_equal(plain->is_listed[n], plain->value[n] != 0);
		assert_int_equal(found == NULL ? 0 : *found, plain->value[n]);
	}
}

/* Growth begins only where the one before is over, and goes on a few slots at a time. */
static void *put(struct ipl_hashmap *map, struct ipl_key key)
{
	struct ipl_hashmap was = *map;
	void *value = ipl_hashmap_put(map, key);

	assert_non_null(value);
	if (map->slot_count != was.slot_count) {
		assert_null(was.old);
		assert_true(map->old == NULL || map->moved <= MOVED_MAX);
	} else if (map->old != NULL) {
		assert_ptr_equal(map->old, was.old);
		assert_true(map->moved - was.moved <= MOVED_MAX);
	} else if (was.old != NULL) {
		assert_true(was.old_count - was.moved <= MOVED_MAX);
	}
	return value;
}

static void step(struct ipl_hashmap *map, struct plain *plain, uint64_t among, uint64_t removes)
{
	uint64_t n = draw(among), *value = ipl_hashmap_find(map, key_of(n));

	assert_int_equal(value == NULL ? 0 : *value, plain->value[n]);
	if (value != NULL)
		assert_ptr_equal(value, plain->record[n]);
	if (draw(8) < removes) {
		ipl_hashmap_remove(map, key_of(n));
		plain->count -= plain->value[n] != 0;
		plain->value[n] = 0;
	} else {
		value = put(map, key_of(n));
		if (plain->value[n] == 0)
			assert_int_equal(*value, 0);
		plain->count += plain->value[n] == 0;
		plain->value[n] = *value = 1 + draw(1000);
		plain->record[n] = value;
	}
}

/* A copy that is made in the middle of whatever, and the one it is made from, part. */
static void check_copy(const struct ipl_hashmap *map, const struct plain *plain)
{
	static struct plain other;
	struct ipl_hashmap copy;

	ipl_hashmap_init(&copy, sizeof(uint64_t));
	assert_true(ipl_hashmap_copy(map, &copy));
	other = *plain;
	for (uint32_t n = 0; n < KEYS; n++)
		other.record[n] = ipl_hashmap_find(&copy, key_of(n));
	check_all(&copy, &other);
	for (int i = 0; i < 3000; i++)
		step(&copy, &other, KEYS, 3);
	check_all(&copy, &other);
	ipl_hashmap_release(&copy);
}

static void run(uint64_t removes)
{
	static struct plain plain;
	struct ipl_hashmap map;

	memset(&plain, 0, sizeof(plain));
	ipl_hashmap_init(&map, sizeof(uint64_t));
	check_copy(&map, &plain);
	for (uint64_t i = 1; i <= STEPS; i++) {
		/* Few keys at first, more and more of them: each doubling has old ones to move. */
		step(&map, &plain, i < KEYS ? i : KEYS, removes);
		if (i % 7919 == 0 || (i < 2000 && i % 97 == 0))
			check_all(&map, &plain);
		if (i % 9973 == 0)
			check_copy(&map, &plain);
	}
	check_all(&map, &plain);
	check_copy(&map, &plain);
	ipl_hashmap_release(&map);
}

static void test_against_plain(void **state)
{
	const char *given = getenv("IPL_SEED");

	(void)state;
	printf("# IPL_SEED=%s\n", given == NULL ? "3" : given);
	seed = given == NULL ? 3 : strtoull(given, NULL, 10);
	for (uint64_t removes = 0; removes <= 4; removes += 2)
		run(removes);
}

/* Removed while its slot still waits to be moved, and put again, in every place of a growth. */
static void test_removed_while_growing(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 200; n++) {
		struct ipl_hashmap map;
		ipl_hashmap_init(&map, sizeof(uint64_t));
		for (uint32_t i = 0; i < n; i++)
			*(uint64_t *)put(&map, key_of(i)) = i + 1;
		for (uint32_t i = 0; i < n; i += 2)
			ipl_hashmap_remove(&map, key_of(i));
		for (uint32_t i = 0; i < n; i += 4)
			*(uint64_t *)put(&map, key_of(i)) = 1000 + i;
		for (uint32_t i = 0; i < n; i++) {
			const uint64_t *found = ipl_hashmap_find(&map, key_of(i));
			uint64_t wanted = i % 4 == 0 ? 1000 + i : i % 2 == 0 ? 0 : i + 1;
			assert_int_equal(found == NULL ? 0 : *found, wanted);
		}
		assert_int_equal(map.count, (n + 3) / 4 + n / 2);
		ipl_hashmap_release(&map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_plain),
		cmocka_unit_test(test_removed_while_growing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
