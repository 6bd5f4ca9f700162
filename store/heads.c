/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chain heads in one open-addressing table. When it is full its slots move to one
 * twice as large, a few with each push: all at once would be a second's pause with
 * some million chains.
 */
#include "store/heads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "events/cursor.h"

#define SLOTS_MIN    ((size_t)1024)
#define ROOTS_INLINE 2u
#define ROOTS_MAX    128u
#define MOVED_A_PUSH 8u /* more than a slot for each push: it is done long before the next time */

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
	size_t used;       /* chains, in both tables */
	/* What slots still move out of; those before `moved` are in the new one. NULL: nothing. */
	struct slot *old;
	size_t old_count;
	size_t moved;
	ipl_heads_under_fn under; /* NULL: nothing is */
	void *under_context;
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

/* The slot of @key in one table, or the free one where it belongs. */
static struct slot *find_in(struct slot *slots, size_t count, struct ipl_key key)
{
	size_t mask = count - 1;
	size_t at = ipl_key_hash(key) & mask;

	while (slots[at].count > 0 && !ipl_key_equal(slots[at].key, key))
		at = (at + 1) & mask;
	return &slots[at];
}

/* The slot that knows of @key, in either table; a free one where none does. */
static struct slot *find(const struct ipl_heads *heads, struct ipl_key key)
{
	struct slot *slot = find_in(heads->slot, heads->slot_count, key), *old;

	if (slot->count > 0 || heads->old == NULL)
		return slot;
	old = find_in(heads->old, heads->old_count, key);
	return old->count > 0 ? old : slot;
}

/* The old table stays as it is, so that what probes across a slot goes on finding its own. */
static void move_some(struct ipl_heads *heads, size_t count)
{
	for (; heads->old != NULL && count > 0; count--) {
		const struct slot *from = &heads->old[heads->moved++];
		struct slot *to;
		if (from->count > 0) {
			to = find_in(heads->slot, heads->slot_count, from->key);
			if (to->count == 0)
				*to = *from;
		}
		if (heads->moved < heads->old_count)
			continue;
		free(heads->old);
		heads->old = NULL;
	}
}

void ipl_heads_free(struct ipl_heads *heads)
{
	if (heads == NULL)
		return;
	move_some(heads, SIZE_MAX);
	for (size_t i = 0; i < heads->slot_count; i++) {
		if (heads->slot[i].count > 0 && is_outside(&heads->slot[i]))
			free(heads->slot[i].roots.outside);
	}
	free(heads->slot);
	free(heads);
}

static const uint64_t *roots_of(const struct slot *slot)
{
	return is_outside(slot) ? slot->roots.outside : slot->roots.inside;
}

/* --- what lies under --- */

void ipl_heads_set_under(struct ipl_heads *heads, ipl_heads_under_fn under, void *context)
{
	heads->under = under;
	heads->under_context = context;
}

static enum ipl_status parse(struct ipl_str value, uint64_t *count, uint64_t roots[ROOTS_MAX],
			     uint32_t *trees, struct ipl_error *err)
{
	const uint8_t *at = (const uint8_t *)value.at;
	struct ipl_cursor c = { .at = at, .end = at + value.len };
	uint64_t first, second, above = INT64_MAX;

	*count = ipl_take_uint(&c);
	*trees = *count == 0 || *count > INT64_MAX ? 0 : tree_count(*count, &first, &second);
	if (*trees == 0)
		ipl_cursor_fail(&c, "no chain has so many events");
	for (uint32_t i = 0; i < *trees; i++) {
		roots[i] = ipl_take_uint(&c);
		if (roots[i] == 0 || roots[i] >= above)
			ipl_cursor_fail(&c, "its roots do not descend");
		above = roots[i];
	}
	if (c.wrong == NULL && c.at != c.end)
		ipl_cursor_fail(&c, "there are bytes after its end");
	return c.wrong == NULL ? IPL_OK :
				 ipl_error_set(err, IPL_ERR_CORRUPT,
					       "the head of a chain cannot be read: %s", c.wrong);
}

/* What lies under for @key; a count of 0 where nothing does. */
static enum ipl_status look_under(const struct ipl_heads *heads, struct ipl_key key,
				  uint64_t *count, uint64_t roots[ROOTS_MAX], uint32_t *trees,
				  struct ipl_error *err)
{
	struct ipl_error end = IPL_ERROR_INIT(NULL);
	struct ipl_str value;
	enum ipl_status st = heads->under == NULL ?
				     IPL_ERR_END :
				     heads->under(heads->under_context, key, &value, &end);

	*count = 0;
	*trees = 0;
	if (st == IPL_OK)
		return parse(value, count, roots, trees, err);
	if (st == IPL_ERR_END)
		return IPL_OK;
	return ipl_error_set(err, st, "%s", end.text);
}

uint64_t ipl_heads_last(const struct ipl_heads *heads, struct ipl_key key)
{
	const struct slot *slot = find(heads, key);
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	uint64_t roots[ROOTS_MAX], count;
	uint32_t trees;

	if (slot->count > 0)
		return roots_of(slot)[0];
	if (look_under(heads, key, &count, roots, &trees, &unused) != IPL_OK)
		return UINT64_MAX;
	return count == 0 ? 0 : roots[0];
}

static void prefetch(const struct slot *slots, size_t count, struct ipl_key key)
{
	const struct slot *slot = &slots[ipl_key_hash(key) & (count - 1)];

	__builtin_prefetch(slot); /* a slot may lie on two lines */
	__builtin_prefetch((const char *)(slot + 1) - 1);
}

void ipl_heads_prefetch(const struct ipl_heads *heads, struct ipl_key key)
{
	prefetch(heads->slot, heads->slot_count, key);
	if (heads->old != NULL)
		prefetch(heads->old, heads->old_count, key);
}

static bool grow(struct ipl_heads *heads)
{
	struct slot *bigger;

	move_some(heads, SIZE_MAX); /* it has moved by now; this costs nothing then */
	bigger = calloc(heads->slot_count * 2, sizeof(*bigger));
	if (bigger == NULL)
		return false;
	heads->old = heads->slot;
	heads->old_count = heads->slot_count;
	heads->moved = 0;
	heads->slot = bigger;
	heads->slot_count *= 2;
	return true;
}

/* The slot of @key in the new table. */
static struct slot *own(struct ipl_heads *heads, struct ipl_key key)
{
	struct slot *slot = find_in(heads->slot, heads->slot_count, key), *old;

	if (slot->count > 0 || heads->old == NULL)
		return slot;
	old = find_in(heads->old, heads->old_count, key);
	if (old->count > 0)
		*slot = *old;
	return slot;
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

/* The slot of @key, with what lies under it; NULL with @err filled. */
static struct slot *slot_of(struct ipl_heads *heads, struct ipl_key key, struct ipl_error *err)
{
	uint64_t roots[ROOTS_MAX], count;
	struct slot *slot;
	uint32_t trees;

	if (heads->used >= heads->slot_count / 4 * 3 && !grow(heads)) {
		ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for %zu chains", heads->used);
		return NULL;
	}
	move_some(heads, MOVED_A_PUSH);
	slot = own(heads, key);
	if (slot->count > 0 || heads->under == NULL)
		return slot;
	if (look_under(heads, key, &count, roots, &trees, err) != IPL_OK)
		return NULL;
	if (count == 0)
		return slot;
	if (!set_roots(slot, roots, trees)) {
		ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a chain");
		return NULL;
	}
	slot->key = key;
	slot->count = count;
	heads->used++;
	return slot;
}

enum ipl_status ipl_heads_push(struct ipl_heads *heads, struct ipl_key key, uint64_t seq,
			       struct ipl_link *link, struct ipl_error *err)
{
	uint64_t roots[ROOTS_MAX], first, second;
	struct slot *slot;
	uint32_t trees, joined;

	slot = slot_of(heads, key, err);
	if (slot == NULL)
		return err->status;
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

enum ipl_status ipl_heads_check(struct ipl_heads *heads, const struct ipl_event *ev,
				const struct ipl_touches *touches, struct ipl_error *err)
{
	for (uint32_t i = 0; i < touches->count; i++) {
		struct ipl_link link;
		enum ipl_status st = ipl_heads_push(heads, touches->at[i], ev->seq, &link, err);
		if (st != IPL_OK)
			return st;
		if (link.back != ev->links[i].back || link.jump != ev->links[i].jump ||
		    link.depth != ev->links[i].depth)
			return ipl_error_set(err, IPL_ERR_CORRUPT,
					     "event %" PRIu64 ": a link does not lead to the event "
					     "before on its chain",
					     ev->seq);
	}
	return IPL_OK;
}

static int compare_slots(const void *a, const void *b)
{
	const struct ipl_key *x = &(*(const struct slot *const *)a)->key;
	const struct ipl_key *y = &(*(const struct slot *const *)b)->key;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

static void pack(const struct slot *slot, struct ipl_buf *out)
{
	uint64_t first, second;
	uint32_t trees = tree_count(slot->count, &first, &second);

	out->len = 0;
	ipl_pack_uint(out, slot->count);
	for (uint32_t i = 0; i < trees; i++)
		ipl_pack_uint(out, roots_of(slot)[i]);
}

enum ipl_status ipl_heads_each(const struct ipl_heads *heads, ipl_heads_fn fn, void *context,
			       struct ipl_error *err)
{
	const struct slot **sorted = calloc(heads->used + 1, sizeof(*sorted));
	struct ipl_buf buf = { 0 };
	enum ipl_status st = IPL_OK;
	size_t count = 0;

	if (sorted == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for %zu chains",
				     heads->used);
	for (size_t i = 0; i < heads->slot_count; i++) {
		if (heads->slot[i].count > 0)
			sorted[count++] = &heads->slot[i];
	}
	for (size_t i = heads->moved; heads->old != NULL && i < heads->old_count; i++) {
		const struct slot *slot = &heads->old[i];
		if (slot->count > 0 &&
		    find_in(heads->slot, heads->slot_count, slot->key)->count == 0)
			sorted[count++] = slot;
	}
	qsort(sorted, count, sizeof(*sorted), compare_slots);
	for (size_t i = 0; st == IPL_OK && i < count; i++) {
		pack(sorted[i], &buf);
		if (buf.failed)
			st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a chain");
		else
			st = fn(context, sorted[i]->key,
				(struct ipl_str){ (const char *)buf.at, buf.len }, err);
	}
	ipl_buf_release(&buf);
	free(sorted);
	return st;
}

uint64_t ipl_heads_count(const struct ipl_heads *heads)
{
	return heads->used;
}
