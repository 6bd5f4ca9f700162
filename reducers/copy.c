/* SPDX-License-Identifier: Apache-2.0 */
/* A whole state once more, to be folded on while the first one stays. */
#include "reducers/state_internal.h"

#include <assert.h>

static bool copy_entities(const struct ipl_state *from, struct ipl_state *to, enum ipl_kind kind)
{
	const struct ipl_table *table = &from->table[kind];

	if (!ipl_table_copy_pages(table, &to->table[kind]))
		return false;
	for (uint64_t n = ipl_table_next(table, 0); n != 0; n = ipl_table_next(table, n)) {
		if (!ipl_entity_copy(kind, ipl_table_find(table, n),
				     ipl_table_find(&to->table[kind], n)))
			return false;
	}
	return true;
}

struct copied_blocks {
	struct ipl_hashmap *to;
	bool failed;
};

static void copy_block(void *context, struct ipl_key key, void *value)
{
	struct copied_blocks *blocks = context;
	struct ipl_block **slot = ipl_hashmap_put(blocks->to, key);

	if (slot != NULL)
		*slot = ipl_block_copy(*(struct ipl_block **)value);
	if (slot == NULL || *slot == NULL)
		blocks->failed = true;
	if (slot != NULL && *slot == NULL)
		ipl_hashmap_remove(blocks->to, key); /* so that what was copied can be given back */
}

static bool copy_pools(const struct ipl_state *from, struct ipl_state *to)
{
	to->pool = calloc(from->pool_count == 0 ? 1 : from->pool_count, sizeof(struct ipl_block *));
	if (to->pool == NULL)
		return false;
	to->pool_position = from->pool_position;
	while (to->pool_count < from->pool_count) {
		to->pool[to->pool_count] = ipl_block_copy(from->pool[to->pool_count]);
		if (to->pool[to->pool_count] == NULL)
			return false;
		to->pool_count++;
	}
	return true;
}

static bool copy_heap(const struct ipl_state *from, struct ipl_state *to)
{
	size_t count = from->heap_count + from->cooled_count;

	if (count == 0)
		return true;
	to->heap = malloc(count * sizeof(*to->heap));
	if (to->heap == NULL)
		return false;
	memcpy(to->heap, from->heap, count * sizeof(*to->heap));
	to->heap_count = from->heap_count;
	to->cooled_count = from->cooled_count;
	to->heap_cap = count;
	return true;
}

static bool copy_spaces(const struct ipl_state *from, struct ipl_state *to)
{
	struct copied_blocks blocks = { &to->blocks, false };

	ipl_hashmap_walk(&from->blocks, copy_block, &blocks);
	to->ipv6_block_position = from->ipv6_block_position;
	return !blocks.failed && copy_pools(from, to) && copy_heap(from, to) &&
	       ipl_hashmap_copy(&from->cooling, &to->cooling) &&
	       ipl_hashmap_copy(&from->ipv6_blocks, &to->ipv6_blocks) &&
	       ipl_hashmap_copy(&from->ipv6_positions, &to->ipv6_positions);
}

struct ipl_state *ipl_state_copy(const struct ipl_state *from)
{
	struct ipl_state *to = ipl_state_new();
	bool is_whole = to != NULL;

	assert(from->under == NULL);
	if (to == NULL)
		return NULL;
	to->seq = from->seq;
	to->time_ms = from->time_ms;
	to->advanced_ms = from->advanced_ms;
	to->ledger_number = from->ledger_number;
	to->is_loose = from->is_loose;
	to->letters = from->letters;
	for (int kind = 1; is_whole && kind < IPL_KIND_COUNT; kind++)
		is_whole = copy_entities(from, to, (enum ipl_kind)kind);
	is_whole = is_whole && ipl_hashmap_copy(&from->holdings, &to->holdings) &&
		   copy_spaces(from, to) &&
		   ipl_entity_copy(IPL_KIND_LEDGER, (const union ipl_entity *)&from->ledger,
				   (union ipl_entity *)&to->ledger);
	if (is_whole)
		return to;
	ipl_state_free(to);
	return NULL;
}
