/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the whole state keeps its things: entities of one kind by number, in
 * pages that never move; and a hash table from keys to small records.
 */
#ifndef IPL_REDUCERS_TABLE_H
#define IPL_REDUCERS_TABLE_H

#include "events/ident.h"

struct ipl_page;

/** Entities by number. Numbers count up from 1, so a page is a range of them. */
struct ipl_table {
	size_t item_bytes;
	struct ipl_page **page;
	uint64_t page_count;
	uint64_t live;
	uint64_t next; /* number that was never given yet */
};

void ipl_table_init(struct ipl_table *table, size_t item_bytes);
/** The item of @number, living or not; NULL where its page is not there. */
void *ipl_table_find(const struct ipl_table *table, uint64_t number);
/** The same, with the page made; NULL without memory. */
void *ipl_table_slot(struct ipl_table *table, uint64_t number);
/** The item begins (+1) or ended (-1) to live; a page without living items goes. */
void ipl_table_count(struct ipl_table *table, uint64_t number, int change);
/** The first number above @after whose page is there; 0 at the end. */
uint64_t ipl_table_next(const struct ipl_table *table, uint64_t after);
/** Pages for the items that @from has, all zeros; counts as in @from. False without memory. */
bool ipl_table_copy_pages(const struct ipl_table *from, struct ipl_table *to);
/** Frees pages, not what the items hold. */
void ipl_table_release(struct ipl_table *table);

/** Keys to records of a fixed size; a record never moves before the next insert or remove. */
struct ipl_hashmap {
	size_t value_bytes;
	uint8_t *slot; /* key and value, key.kind == 0: free */
	size_t slot_count;
	size_t count;
};

void ipl_hashmap_init(struct ipl_hashmap *map, size_t value_bytes);
/** NULL is normal. */
void *ipl_hashmap_find(const struct ipl_hashmap *map, struct ipl_key key);
/** Found, or made with zeros; NULL without memory. */
void *ipl_hashmap_put(struct ipl_hashmap *map, struct ipl_key key);
void ipl_hashmap_remove(struct ipl_hashmap *map, struct ipl_key key);
/** Every entry, in no order; the table must not change meanwhile. */
void ipl_hashmap_walk(const struct ipl_hashmap *map,
		      void (*fn)(void *context, struct ipl_key key, void *value), void *context);
/** Make @to, empty, what @from is; false without memory. */
bool ipl_hashmap_copy(const struct ipl_hashmap *from, struct ipl_hashmap *to);
void ipl_hashmap_release(struct ipl_hashmap *map);

#endif
