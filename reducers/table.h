/* SPDX-License-Identifier: Apache-2.0 */
/* Where the whole state keeps its entities: those of one kind by number, in pages that never move.
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

#endif
