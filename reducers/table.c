/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of entities. */
#include "reducers/table.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ITEMS UINT64_C(128)

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
