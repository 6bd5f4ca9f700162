/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of entities, and a hash table with linear probing and backward shift. */
#include "reducers/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ITEMS UINT64_C(128)
#define SLOTS_MIN  ((size_t)64)

struct ipl_page {
	uint64_t live;
	uint64_t unused; /* keeps items aligned */
	uint8_t item[];
};

void ipl_table_init(struct ipl_table *table, size_t item_bytes)
{
	*table = (struct ipl_table){ .item_bytes = (item_bytes + 15) & ~(size_t)15, .next = 1 };
}

void *ipl_table_find(const struct ipl_table *table, uint64_t number)
{
	uint64_t page = number / PAGE_ITEMS;

	if (page >= table->page_count || table->page[page] == NULL)
		return NULL;
	return table->page[page]->item + (number % PAGE_ITEMS) * table->item_bytes;
}

static bool reach(struct ipl_table *table, uint64_t page)
{
	uint64_t count = table->page_count == 0 ? 16 : table->page_count;
	struct ipl_page **grown;

	if (page < table->page_count)
		return true;
	while (count <= page)
		count *= 2;
	if (count > SIZE_MAX / sizeof(*grown) / 2)
		return false;
	grown = realloc(table->page, count * sizeof(*grown));
	if (grown == NULL)
		return false;
	memset(grown + table->page_count, 0, (count - table->page_count) * sizeof(*grown));
	table->page = grown;
	table->page_count = count;
	return true;
}

void *ipl_table_slot(struct ipl_table *table, uint64_t number)
{
	uint64_t page = number / PAGE_ITEMS;

	if (!reach(table, page))
		return NULL;
	if (table->page[page] == NULL)
		table->page[page] =
			calloc(1, sizeof(struct ipl_page) + PAGE_ITEMS * table->item_bytes);
	return table->page[page] == NULL ? NULL : ipl_table_find(table, number);
}

void ipl_table_count(struct ipl_table *table, uint64_t number, int change)
{
	struct ipl_page **page = &table->page[number / PAGE_ITEMS];

	(*page)->live += (uint64_t)(int64_t)change;
	table->live += (uint64_t)(int64_t)change;
	if ((*page)->live == 0) {
		free(*page);
		*page = NULL;
	}
}

uint64_t ipl_table_next(const struct ipl_table *table, uint64_t after)
{
	for (uint64_t number = after + 1; number < table->next;) {
		uint64_t page = number / PAGE_ITEMS;
		if (page >= table->page_count)
			return 0;
		if (table->page[page] != NULL)
			return number;
		number = (page + 1) * PAGE_ITEMS;
	}
	return 0;
}

bool ipl_table_copy_pages(const struct ipl_table *from, struct ipl_table *to)
{
	to->live = from->live;
	to->next = from->next;
	to->page = calloc(from->page_count == 0 ? 1 : from->page_count, sizeof(*to->page));
	if (to->page == NULL)
		return false;
	to->page_count = from->page_count;
	for (uint64_t i = 0; i < from->page_count; i++) {
		if (from->page[i] == NULL)
			continue;
		to->page[i] = calloc(1, sizeof(struct ipl_page) + PAGE_ITEMS * to->item_bytes);
		if (to->page[i] == NULL)
			return false;
		to->page[i]->live = from->page[i]->live;
	}
	return true;
}

void ipl_table_release(struct ipl_table *table)
{
	for (uint64_t i = 0; i < table->page_count; i++)
		free(table->page[i]);
	free(table->page);
	*table = (struct ipl_table){ 0 };
}

/* --- the hash table --- */

void ipl_hashmap_init(struct ipl_hashmap *map, size_t value_bytes)
{
	*map = (struct ipl_hashmap){ .value_bytes = (value_bytes + 7) & ~(size_t)7 };
}

static size_t slot_bytes(const struct ipl_hashmap *map)
{
	return sizeof(struct ipl_key) + map->value_bytes;
}

static struct ipl_key *key_at(const struct ipl_hashmap *map, size_t at)
{
	return (struct ipl_key *)(map->slot + at * slot_bytes(map));
}

static size_t probe(const struct ipl_hashmap *map, struct ipl_key key)
{
	size_t mask = map->slot_count - 1;
	size_t at = ipl_key_hash(key) & mask;

	while (key_at(map, at)->kind != 0 && !ipl_key_equal(*key_at(map, at), key))
		at = (at + 1) & mask;
	return at;
}

void *ipl_hashmap_find(const struct ipl_hashmap *map, struct ipl_key key)
{
	size_t at;

	if (map->slot_count == 0)
		return NULL;
	at = probe(map, key);
	return key_at(map, at)->kind == 0 ? NULL : key_at(map, at) + 1;
}

static bool grow(struct ipl_hashmap *map)
{
	struct ipl_hashmap bigger = *map;

	bigger.slot_count = map->slot_count == 0 ? SLOTS_MIN : map->slot_count * 2;
	bigger.slot = calloc(bigger.slot_count, slot_bytes(map));
	if (bigger.slot == NULL)
		return false;
	for (size_t i = 0; i < map->slot_count; i++) {
		const struct ipl_key *key = key_at(map, i);
		if (key->kind != 0)
			memcpy(key_at(&bigger, probe(&bigger, *key)), key, slot_bytes(map));
	}
	free(map->slot);
	*map = bigger;
	return true;
}

void *ipl_hashmap_put(struct ipl_hashmap *map, struct ipl_key key)
{
	size_t at;

	assert(key.kind != 0);
	if (map->count >= map->slot_count / 4 * 3 && !grow(map))
		return NULL;
	at = probe(map, key);
	if (key_at(map, at)->kind == 0) {
		*key_at(map, at) = key;
		map->count++;
	}
	return key_at(map, at) + 1;
}

void ipl_hashmap_remove(struct ipl_hashmap *map, struct ipl_key key)
{
	size_t mask = map->slot_count - 1, hole;

	if (ipl_hashmap_find(map, key) == NULL)
		return;
	hole = probe(map, key);
	/* Close the hole: what probed across it moves into it. */
	for (size_t at = (hole + 1) & mask; key_at(map, at)->kind != 0; at = (at + 1) & mask) {
		size_t home = ipl_key_hash(*key_at(map, at)) & mask;
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		memcpy(key_at(map, hole), key_at(map, at), slot_bytes(map));
		hole = at;
	}
	memset(key_at(map, hole), 0, slot_bytes(map));
	map->count--;
}

bool ipl_hashmap_copy(const struct ipl_hashmap *from, struct ipl_hashmap *to)
{
	if (from->slot_count == 0)
		return true;
	to->slot = malloc(from->slot_count * slot_bytes(from));
	if (to->slot == NULL)
		return false;
	memcpy(to->slot, from->slot, from->slot_count * slot_bytes(from));
	to->slot_count = from->slot_count;
	to->count = from->count;
	return true;
}

void ipl_hashmap_release(struct ipl_hashmap *map)
{
	free(map->slot);
	*map = (struct ipl_hashmap){ 0 };
}

void ipl_hashmap_walk(const struct ipl_hashmap *map,
		      void (*fn)(void *context, struct ipl_key key, void *value), void *context)
{
	for (size_t i = 0; i < map->slot_count; i++) {
		if (key_at(map, i)->kind != 0)
			fn(context, *key_at(map, i), key_at(map, i) + 1);
	}
}
