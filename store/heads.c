/* SPDX-License-Identifier: Apache-2.0 */
/* Chain heads in one open-addressing table. */
#include "store/heads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN    ((size_t)1024)
#define ROOTS_INLINE 2u
#define ROOTS_MAX    128u

struct slot {
	struct ipl_key key;
	uint64_t count; /* events on the chain; 0: the slot is free */
	union {
		uint64_t inside[ROOTS_INLINE];
		uint64_t *outside; /* as many as roots_cap() says */
	} roots;                   /* seqs of the trees' roots, smallest tree first */
};

struct ipl_heads {
	struct slot *slot;
	size_t slot_count; /* a power of two */
	size_t used;
};

/* How many trees a chain of @count events has, and the sizes of the two smallest (0: none). */
static uint32_t tree_count(uint64_t count, uint64_t *first, uint64_t *second)
{
	uint64_t size = count == 0 ? 0 : UINT64_MAX >> __builtin_clzll(count);
	uint32_t trees = 0;

	*first = *second = 0;
	while (count > 0) {
		while (size > count)
			size >>= 1;
		count -= size;
		trees++;
		*second = *first;
		*first = size;
	}
	return trees;
}

/* Room for the roots: inline up to two, then powers of two. */
static uint32_t roots_cap(uint32_t trees)
{
	uint32_t cap = ROOTS_INLINE;

	while (cap < trees)
		cap *= 2;
	return cap;
}

struct ipl_heads *ipl_heads_new(void)
{
	struct ipl_heads *heads = calloc(1, sizeof(*heads));

	if (heads == NULL)
		return NULL;
	heads->slot_count = SLOTS_MIN;
	heads->slot = calloc(heads->slot_count, sizeof(*heads->slot));
	if (heads->slot == NULL) {
		free(heads);
		return NULL;
	}
	return heads;
}

static bool is_outside(const struct slot *slot)
{
	uint64_t first, second;

	return roots_cap(tree_count(slot->count, &first, &second)) > ROOTS_INLINE;
}

void ipl_heads_free(struct ipl_heads *heads)
{
	if (heads == NULL)
		return;
	for (size_t i = 0; i < heads->slot_count; i++) {
		if (heads->slot[i].count > 0 && is_outside(&heads->slot[i]))
			free(heads->slot[i].roots.outside);
	}
	free(heads->slot);
	free(heads);
}

static struct slot *find(const struct ipl_heads *heads, struct ipl_key key)
{
	size_t mask = heads->slot_count - 1;
	size_t at = ipl_key_hash(key) & mask;

	while (heads->slot[at].count > 0 && !ipl_key_equal(heads->slot[at].key, key))
		at = (at + 1) & mask;
	return &heads->slot[at];
}

static const uint64_t *roots_of(const struct slot *slot)
{
	return is_outside(slot) ? slot->roots.outside : slot->roots.inside;
}

uint64_t ipl_heads_last(const struct ipl_heads *heads, struct ipl_key key)
{
	const struct slot *slot = find(heads, key);

	return slot->count == 0 ? 0 : roots_of(slot)[0];
}

static bool grow(struct ipl_heads *heads)
{
	struct ipl_heads bigger = { .slot_count = heads->slot_count * 2, .used = heads->used };

	bigger.slot = calloc(bigger.slot_count, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		return false;
	for (size_t i = 0; i < heads->slot_count; i++) {
		if (heads->slot[i].count > 0)
			*find(&bigger, heads->slot[i].key) = heads->slot[i];
	}
	free(heads->slot);
	*heads = bigger;
	return true;
}

/* Give @slot the roots of a chain that is one longer. */
static bool set_roots(struct slot *slot, const uint64_t *roots, uint32_t trees)
{
	uint64_t first, second;
	uint32_t old_cap = roots_cap(tree_count(slot->count, &first, &second));
	uint32_t cap = roots_cap(trees);
	uint64_t *at = old_cap > ROOTS_INLINE ? slot->roots.outside : NULL;

	if (cap != old_cap) {
		uint64_t *fresh = cap > ROOTS_INLINE ? malloc(cap * sizeof(*fresh)) : NULL;
		if (cap > ROOTS_INLINE && fresh == NULL)
			return false;
		free(at);
		at = fresh;
	}
	if (cap > ROOTS_INLINE)
		slot->roots.outside = at;
	memcpy(cap > ROOTS_INLINE ? at : slot->roots.inside, roots, trees * sizeof(*roots));
	return true;
}

enum ipl_status ipl_heads_push(struct ipl_heads *heads, struct ipl_key key, uint64_t seq,
			       struct ipl_link *link, struct ipl_error *err)
{
	uint64_t roots[ROOTS_MAX], first, second;
	struct slot *slot;
	uint32_t trees, joined;

	if (heads->used >= heads->slot_count / 4 * 3 && !grow(heads))
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for %zu chains",
				     heads->used);
	slot = find(heads, key);
	trees = tree_count(slot->count, &first, &second);
	joined = trees >= 2 && first == second ? 2 : 0;
	roots[0] = seq;
	memcpy(roots + 1, roots_of(slot) + joined, (trees - joined) * sizeof(*roots));
	*link = (struct ipl_link){
		.back = trees == 0 ? 0 : roots_of(slot)[0],
		.jump = trees - joined == 0 ? 0 : roots[1],
		.depth = slot->count,
	};
	if (link->back >= seq)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "event %" PRIu64 " touches the same chain twice", seq);
	if (!set_roots(slot, roots, trees - joined + 1))
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a chain");
	if (slot->count == 0) {
		slot->key = key;
		heads->used++;
	}
	slot->count++;
	return IPL_OK;
}

uint64_t ipl_heads_count(const struct ipl_heads *heads)
{
	return heads->used;
}
