/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forward along a chain: by skip pointers from its end to the first event that is
 * wanted, which says how deep it lies; so to the last one of the piece; back from
 * there, one by one.
 */
#include "replay/forward.h"

#include <inttypes.h>

#define EVENT_ARENA_BYTES ((size_t)64 << 20)

struct walk {
	const struct ipl_source *source;
	struct ipl_key key;
	struct ipl_arena arena;
	struct ipl_error *err;
};

/* The link that event @seq carries on the chain. */
static enum ipl_status link_at(struct walk *w, uint64_t seq, struct ipl_link *out)
{
	struct ipl_touches touches;
	struct ipl_str record;
	struct ipl_event ev;
	enum ipl_status st = w->source->get(w->source->context, seq, &record, w->err);

	if (st == IPL_ERR_END)
		return ipl_error_set(w->err, IPL_ERR_CORRUPT,
				     "a chain leads to event %" PRIu64 ", which is not there", seq);
	if (st != IPL_OK)
		return st;
	ipl_arena_reset(&w->arena);
	st = ipl_event_decode(record, &w->arena, &ev, w->err);
	if (st == IPL_OK)
		st = ipl_event_touches(&w->arena, &ev, &touches, w->err);
	for (uint32_t i = 0; st == IPL_OK && i < touches.count; i++) {
		if (!ipl_key_equal(touches.at[i], w->key))
			continue;
		*out = ev.links[i];
		if (out->back >= seq || out->jump >= seq)
			break;
		return IPL_OK;
	}
	return st != IPL_OK ? st :
			      ipl_error_set(w->err, IPL_ERR_CORRUPT,
					    "event %" PRIu64 " is not what its chain says", seq);
}

/* The depth that the jump of an event at @depth leads to; -1: there is no jump (store/heads.h). */
static int64_t jump_depth(uint64_t depth)
{
	uint64_t left = depth + 1, size = UINT64_MAX >> __builtin_clzll(left);

	for (;; left -= size) {
		while (size > left)
			size >>= 1;
		if (size == left)
			return (int64_t)depth - (int64_t)size;
	}
}

/* The first event from @from on, and its depth; 0 where there is none. */
static enum ipl_status seek_first(struct walk *w, uint64_t from, uint64_t *found, uint64_t *depth)
{
	uint64_t at = w->source->last(w->source->context, w->key);

	*found = 0;
	while (at != 0 && at >= from) {
		struct ipl_link link;
		enum ipl_status st = link_at(w, at, &link);
		if (st != IPL_OK)
			return st;
		*found = at;
		*depth = link.depth;
		at = link.jump != 0 && link.jump >= from ? link.jump : link.back;
	}
	return IPL_OK;
}

/* The event at @depth, or the chain's last where it ends before. */
static enum ipl_status seek_depth(struct walk *w, uint64_t depth, uint64_t *found)
{
	uint64_t at = w->source->last(w->source->context, w->key);

	for (;;) {
		struct ipl_link link;
		enum ipl_status st = link_at(w, at, &link);
		if (st != IPL_OK)
			return st;
		if (link.depth <= depth)
			break;
		at = jump_depth(link.depth) >= (int64_t)depth ? link.jump : link.back;
	}
	*found = at;
	return IPL_OK;
}

static enum ipl_status collect(struct walk *w, uint64_t from, uint64_t to, uint64_t *out,
			       uint32_t limit, uint32_t *count)
{
	uint64_t first, depth, at;
	uint32_t n = 0;
	enum ipl_status st = seek_first(w, from, &first, &depth);

	*count = 0;
	if (st != IPL_OK || first == 0 || first > to)
		return st;
	st = seek_depth(w, depth + limit - 1, &at);
	while (st == IPL_OK && at != 0 && at >= from) {
		struct ipl_link link;
		if (at <= to && n < limit)
			out[n++] = at;
		st = link_at(w, at, &link);
		at = link.back;
	}
	for (uint32_t i = 0; i < n / 2; i++) {
		uint64_t was = out[i];
		out[i] = out[n - 1 - i];
		out[n - 1 - i] = was;
	}
	*count = n;
	return st;
}

enum ipl_status ipl_chain_forward(const struct ipl_source *source, struct ipl_key key,
				  uint64_t from, uint64_t to, uint64_t *out, uint32_t limit,
				  uint32_t *count, struct ipl_error *err)
{
	struct walk w = { .source = source, .key = key, .err = err };
	enum ipl_status st;

	ipl_arena_init(&w.arena, EVENT_ARENA_BYTES);
	st = collect(&w, from, to, out, limit, count);
	ipl_arena_release(&w.arena);
	return st;
}
