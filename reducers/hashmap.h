/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table from keys to records of a fixed size. Records stand in rows of their
 * own, one after the other, and never move; what is probed is an index of eight bytes a
 * slot. When the index is full its slots move to one twice as large, a few with
 * each record that is new: all at once would be a pause that grows with the table.
 */
#ifndef IPL_REDUCERS_HASHMAP_H
#define IPL_REDUCERS_HASHMAP_H

#include "events/ident.h"

/* Each row holds twice as many records as the one before; the last one ends at 2^32. */
#define IPL_HASHMAP_ROWS 28u

struct ipl_hashmap_slot {
	uint32_t hash;
	uint32_t place; /* of the record, from 1; 0: free, UINT32_MAX: it was here */
};

struct ipl_hashmap {
	size_t value_bytes;
	size_t count;
	uint8_t *row[IPL_HASHMAP_ROWS]; /* records: a key and a value; key.kind == 0: free */
	uint32_t used;                  /* records that were ever used */
	uint32_t unused; /* the last one that became free, from 1; it knows the next */
	struct ipl_hashmap_slot *slot;
	size_t slot_count; /* a power of two */
	/* What slots still move out of; those before `moved` have. NULL: nothing. */
	struct ipl_hashmap_slot *old;
	size_t old_count;
	size_t moved;
};

void ipl_hashmap_init(struct ipl_hashmap *map, size_t value_bytes);
/** NULL is normal. A record stays where it is until it is removed. */
void *ipl_hashmap_find(const struct ipl_hashmap *map, struct ipl_key key);
/** Found, or made with zeros; NULL without memory. */
void *ipl_hashmap_put(struct ipl_hashmap *map, struct ipl_key key);
/** @key will be asked for soon: have its slot on its way from memory, and later its record. */
void ipl_hashmap_fetch(const struct ipl_hashmap *map, struct ipl_key key);
void ipl_hashmap_fetch_record(const struct ipl_hashmap *map, struct ipl_key key);
void ipl_hashmap_remove(struct ipl_hashmap *map, struct ipl_key key);
/** Every entry, in no order; the table must not change meanwhile. */
void ipl_hashmap_walk(const struct ipl_hashmap *map,
		      void (*fn)(void *context, struct ipl_key key, void *value), void *context);
/** Make @to, empty, what @from is; false without memory. */
bool ipl_hashmap_copy(const struct ipl_hashmap *from, struct ipl_hashmap *to);
void ipl_hashmap_release(struct ipl_hashmap *map);

#endif
