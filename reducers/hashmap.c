/* SPDX-License-Identifier: Apache-2.0 */
/* Records in rows, an index with linear probing and backward shift, and its growth in steps. */
#include "reducers/hashmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN ((size_t)32)
#define FIRST_ROW UINT64_C(16) /* records in it; a power of two */
#define WAS_HERE  UINT32_MAX
/* More than a slot for each record: it is done long before the next time. */
#define MOVED_A_PUT 8u

/* --- records --- */

static size_t record_bytes(const struct ipl_hashmap *map)
{
	return sizeof(struct ipl_key) + map->value_bytes;
}

static uint32_t row_of(uint32_t place, uint64_t *within)
{
	uint64_t at = (uint64_t)place - 1 + FIRST_ROW;
	uint32_t row = (uint32_t)(__builtin_clzll(FIRST_ROW) - __builtin_clzll(at));

	*within = at - (FIRST_ROW << row);
	return row;
}

static struct ipl_key *record_at(const struct ipl_hashmap *map, uint32_t place)
{
	uint64_t within;
	uint32_t row = row_of(place, &within);

	return (struct ipl_key *)(void *)(map->row[row] + within * record_bytes(map));
}

/* The place of a record that is all zeros; 0 without memory. */
static uint32_t take_place(struct ipl_hashmap *map)
{
	uint32_t place = map->unused, row;
	struct ipl_key *record;
	uint64_t within;

	if (place != 0) {
		record = record_at(map, place);
		map->unused = (uint32_t)record->a;
		record->a = 0;
		return place;
	}
	if (map->used >= UINT32_MAX - 2)
		return 0;
	row = row_of(map->used + 1, &within);
	if (within == 0) {
		map->row[row] = calloc(FIRST_ROW << row, record_bytes(map));
		if (map->row[row] == NULL)
			return 0;
	}
	return ++map->used;
}

static void give_back(struct ipl_hashmap *map, uint32_t place)
{
	struct ipl_key *record = record_at(map, place);

	memset(record, 0, record_bytes(map));
	record->a = map->unused;
	map->unused = place;
}

/* --- the index --- */

/* The slot of @key in one index, or the free one where it belongs. */
static struct ipl_hashmap_slot *probe(const struct ipl_hashmap *map, struct ipl_hashmap_slot *slots,
				      size_t count, struct ipl_key key, uint32_t hash)
{
	size_t mask = count - 1, at = hash & mask;

	for (; slots[at].place != 0; at = (at + 1) & mask) {
		if (slots[at].hash == hash && slots[at].place != WAS_HERE &&
		    ipl_key_equal(*record_at(map, slots[at].place), key))
			break;
	}
	return &slots[at];
}

/* The slot that knows of @key, in either index; NULL where none does. */
static struct ipl_hashmap_slot *find(const struct ipl_hashmap *map, struct ipl_key key,
				     uint32_t hash)
{
	struct ipl_hashmap_slot *slot;

	if (map->slot_count == 0)
		return NULL;
	slot = probe(map, map->slot, map->slot_count, key, hash);
	if (slot->place == 0 && map->old != NULL)
		slot = probe(map, map->old, map->old_count, key, hash);
	return slot->place == 0 ? NULL : slot;
}

static void set_slot(struct ipl_hashmap *map, uint32_t hash, uint32_t place)
{
	size_t mask = map->slot_count - 1, at = hash & mask;

	while (map->slot[at].place != 0)
		at = (at + 1) & mask;
	map->slot[at] = (struct ipl_hashmap_slot){ hash, place };
}

/* What leaves the old index leaves a mark there, so that what probes across it finds its own. */
static void move_some(struct ipl_hashmap *map, size_t count)
{
	for (; map->old != NULL && count > 0; count--) {
		struct ipl_hashmap_slot *from = &map->old[map->moved++];
		if (from->place != 0 && from->place != WAS_HERE) {
			set_slot(map, from->hash, from->place);
			from->place = WAS_HERE;
		}
		if (map->moved < map->old_count)
			continue;
		free(map->old);
		map->old = NULL;
	}
}

static bool grow(struct ipl_hashmap *map)
{
	size_t count = map->slot_count == 0 ? SLOTS_MIN : map->slot_count * 2;
	struct ipl_hashmap_slot *bigger;

	move_some(map, SIZE_MAX); /* it has moved by now; this costs nothing then */
	bigger = calloc(count, sizeof(*bigger));
	if (bigger == NULL)
		return false;
	map->old = map->slot;
	map->old_count = map->slot_count;
	map->moved = 0;
	map->slot = bigger;
	map->slot_count = count;
	return true;
}

/* Close the hole: what probed across it moves into it. */
static void clear_slot(struct ipl_hashmap *map, struct ipl_hashmap_slot *slot)
{
	size_t mask = map->slot_count - 1, hole = (size_t)(slot - map->slot);

	for (size_t at = (hole + 1) & mask; map->slot[at].place != 0; at = (at + 1) & mask) {
		size_t home = map->slot[at].hash & mask;
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		map->slot[hole] = map->slot[at];
		hole = at;
	}
	map->slot[hole].place = 0;
}

/* --- all together --- */

void ipl_hashmap_init(struct ipl_hashmap *map, size_t value_bytes)
{
	*map = (struct ipl_hashmap){ .value_bytes = (value_bytes + 7) & ~(size_t)7 };
}

void *ipl_hashmap_find(const struct ipl_hashmap *map, struct ipl_key key)
{
	const struct ipl_hashmap_slot *slot = find(map, key, (uint32_t)ipl_key_hash(key));

	return slot == NULL ? NULL : record_at(map, slot->place) + 1;
}

void ipl_hashmap_fetch(const struct ipl_hashmap *map, struct ipl_key key)
{
	if (map->slot_count > 0)
		__builtin_prefetch(&map->slot[ipl_key_hash(key) & (map->slot_count - 1)]);
}

void ipl_hashmap_fetch_record(const struct ipl_hashmap *map, struct ipl_key key)
{
	uint32_t hash = (uint32_t)ipl_key_hash(key);
	size_t mask = map->slot_count - 1;

	if (map->slot_count == 0)
		return;
	for (size_t at = hash & mask; map->slot[at].place != 0; at = (at + 1) & mask) {
		if (map->slot[at].hash == hash) {
			__builtin_prefetch(record_at(map, map->slot[at].place), 1);
			return;
		}
	}
}

void *ipl_hashmap_put(struct ipl_hashmap *map, struct ipl_key key)
{
	uint32_t hash = (uint32_t)ipl_key_hash(key), place;
	const struct ipl_hashmap_slot *slot = find(map, key, hash);

	assert(key.kind != 0);
	if (slot != NULL)
		return record_at(map, slot->place) + 1;
	if (map->count >= map->slot_count / 4 * 3 && !grow(map))
		return NULL;
	move_some(map, MOVED_A_PUT);
	place = take_place(map);
	if (place == 0)
		return NULL;
	set_slot(map, hash, place);
	map->count++;
	*record_at(map, place) = key;
	return record_at(map, place) + 1;
}

void ipl_hashmap_remove(struct ipl_hashmap *map, struct ipl_key key)
{
	struct ipl_hashmap_slot *slot = find(map, key, (uint32_t)ipl_key_hash(key));

	if (slot == NULL)
		return;
	give_back(map, slot->place);
	map->count--;
	if (slot >= map->slot && slot < map->slot + map->slot_count)
		clear_slot(map, slot);
	else
		slot->place = WAS_HERE;
}

static void *copy_bytes(const void *from, size_t bytes)
{
	void *copy = malloc(bytes);

	if (copy != NULL)
		memcpy(copy, from, bytes);
	return copy;
}

static bool copy_rows(const struct ipl_hashmap *from, struct ipl_hashmap *to)
{
	uint64_t left = from->used;

	for (uint32_t i = 0; left > 0; i++) {
		uint64_t held = FIRST_ROW << i, used = left < held ? left : held;
		to->row[i] = calloc(held, record_bytes(from));
		if (to->row[i] == NULL)
			return false;
		memcpy(to->row[i], from->row[i], used * record_bytes(from));
		left -= used;
	}
	return true;
}

bool ipl_hashmap_copy(const struct ipl_hashmap *from, struct ipl_hashmap *to)
{
	if (from->slot_count == 0)
		return true;
	to->slot = copy_bytes(from->slot, from->slot_count * sizeof(*from->slot));
	if (from->old != NULL)
		to->old = copy_bytes(from->old, from->old_count * sizeof(*from->old));
	if (to->slot == NULL || (from->old != NULL && to->old == NULL) || !copy_rows(from, to)) {
		ipl_hashmap_release(to);
		return false;
	}
	to->count = from->count;
	to->used = from->used;
	to->unused = from->unused;
	to->slot_count = from->slot_count;
	to->old_count = from->old_count;
	to->moved = from->moved;
	return true;
}

void ipl_hashmap_release(struct ipl_hashmap *map)
{
	for (uint32_t i = 0; i < IPL_HASHMAP_ROWS; i++)
		free(map->row[i]);
	free(map->slot);
	free(map->old);
	*map = (struct ipl_hashmap){ 0 };
}

void ipl_hashmap_walk(const struct ipl_hashmap *map,
		      void (*fn)(void *context, struct ipl_key key, void *value), void *context)
{
	uint64_t left = map->used;

	for (uint32_t i = 0; left > 0; i++) {
		uint64_t held = FIRST_ROW << i, used = left < held ? left : held;
		for (uint64_t k = 0; k < used; k++) {
			struct ipl_key *record = (void *)(map->row[i] + k * record_bytes(map));
			if (record->kind != 0)
				fn(context, *record, record + 1);
		}
		left -= used;
	}
}
