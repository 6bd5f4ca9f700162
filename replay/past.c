/* SPDX-License-Identifier: Apache-2.0 */
/* Chains walked and folded. */
#include "replay/past.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reducers/table.h"

#define EVENT_ARENA_BYTES ((size_t)64 << 20)

/* One event at a time, with the memory it is decoded into. */
struct page {
	struct ipl_arena arena;
	struct ipl_event ev;
};

static enum ipl_status load(const struct ipl_source *source, uint64_t seq, struct page *page,
			    struct ipl_error *err)
{
	struct ipl_str record;
	enum ipl_status st = source->get(source->context, seq, &record, err);

	if (st != IPL_OK)
		return st;
	ipl_arena_reset(&page->arena);
	st = ipl_event_decode(record, &page->arena, &page->ev, err);
	if (st == IPL_OK && page->ev.seq != seq)
		st = ipl_error_set(err, IPL_ERR_CORRUPT,
				   "where event %" PRIu64 " belongs stands %" PRIu64, seq,
				   page->ev.seq);
	return st;
}

/* The link that the loaded event carries for @key. */
static enum ipl_status link_of(struct page *page, struct ipl_key key, struct ipl_link *out,
			       struct ipl_error *err)
{
	struct ipl_touches touches;
	enum ipl_status st = ipl_event_touches(&page->arena, &page->ev, &touches, err);

	for (uint32_t i = 0; st == IPL_OK && i < touches.count; i++) {
		if (ipl_key_equal(touches.at[i], key)) {
			*out = page->ev.links[i];
			return IPL_OK;
		}
	}
	return st != IPL_OK ?
		       st :
		       ipl_error_set(err, IPL_ERR_CORRUPT,
				     "event %" PRIu64 " is on a chain that it does not touch",
				     page->ev.seq);
}

static enum ipl_status seek(const struct ipl_source *source, struct page *page, struct ipl_key key,
			    uint64_t seq, uint64_t *found, struct ipl_error *err)
{
	uint64_t at = source->last(source->context, key);

	while (at > seq) {
		struct ipl_link link;
		enum ipl_status st = load(source, at, page, err);
		if (st == IPL_OK)
			st = link_of(page, key, &link, err);
		if (st != IPL_OK)
			return st;
		at = link.jump > seq ? link.jump : link.back;
	}
	*found = at;
	return IPL_OK;
}

enum ipl_status ipl_chain_seek(const struct ipl_source *source, struct ipl_key key, uint64_t seq,
			       uint64_t *found, struct ipl_error *err)
{
	struct page page;
	enum ipl_status st;

	ipl_arena_init(&page.arena, EVENT_ARENA_BYTES);
	st = seek(source, &page, key, seq, found, err);
	ipl_arena_release(&page.arena);
	return st;
}

static enum ipl_status push(struct ipl_seqs *seqs, size_t *cap, uint64_t seq, struct ipl_error *err)
{
	if (seqs->count == *cap) {
		size_t more = *cap == 0 ? 32 : *cap * 2;
		uint64_t *grown = realloc(seqs->at, more * sizeof(*grown));
		if (grown == NULL)
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a chain");
		seqs->at = grown;
		*cap = more;
	}
	seqs->at[seqs->count++] = seq;
	return IPL_OK;
}

static void reverse(struct ipl_seqs *seqs)
{
	for (size_t i = 0; i < seqs->count / 2; i++) {
		uint64_t was = seqs->at[i];
		seqs->at[i] = seqs->at[seqs->count - 1 - i];
		seqs->at[seqs->count - 1 - i] = was;
	}
}

enum ipl_status ipl_chain_collect(const struct ipl_source *source, struct ipl_key key,
				  uint64_t from, uint64_t to, struct ipl_seqs *out,
				  struct ipl_error *err)
{
	struct ipl_seqs seqs = { NULL, 0 };
	struct page page;
	size_t cap = 0;
	uint64_t at = 0;
	enum ipl_status st;

	ipl_arena_init(&page.arena, EVENT_ARENA_BYTES);
	st = seek(source, &page, key, to, &at, err);
	while (st == IPL_OK && at != 0 && at >= from) {
		struct ipl_link link = { 0 };
		st = push(&seqs, &cap, at, err);
		if (st == IPL_OK)
			st = load(source, at, &page, err);
		if (st == IPL_OK)
			st = link_of(&page, key, &link, err);
		at = link.back;
	}
	ipl_arena_release(&page.arena);
	if (st != IPL_OK) {
		free(seqs.at);
		return st;
	}
	reverse(&seqs);
	*out = seqs;
	return IPL_OK;
}

/* --- the lens --- */

struct past {
	struct ipl_source source;
	struct page page;
	struct ipl_hashmap entities; /* key -> union ipl_entity *, of what was asked for */
};

/* Fold the chain of @key up to lens->seq by @fold. */
static enum ipl_status fold_chain(struct ipl_lens *lens, struct ipl_key key,
				  enum ipl_status (*fold)(void *into, struct ipl_key key,
							  const struct ipl_event *ev,
							  struct ipl_error *err),
				  void *into)
{
	struct past *past = lens->context;
	struct ipl_seqs seqs;
	enum ipl_status st = ipl_chain_collect(&past->source, key, 1, lens->seq, &seqs, lens->err);

	if (st != IPL_OK)
		return st;
	for (size_t i = 0; st == IPL_OK && i < seqs.count; i++) {
		st = load(&past->source, seqs.at[i], &past->page, lens->err);
		if (st == IPL_OK)
			st = fold(into, key, &past->page.ev, lens->err);
	}
	free(seqs.at);
	return st;
}

static enum ipl_status fold_entity(void *into, struct ipl_key key, const struct ipl_event *ev,
				   struct ipl_error *err)
{
	return ipl_reduce_entity((enum ipl_kind)key.kind, key.a, into, ev, err);
}

static enum ipl_status fold_holding(void *into, struct ipl_key key, const struct ipl_event *ev,
				    struct ipl_error *err)
{
	return ipl_reduce_holding(key, into, ev, err);
}

static const union ipl_entity *find(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number)
{
	struct past *past = lens->context;
	struct ipl_key key = ipl_key_entity(kind, number);
	union ipl_entity **slot, *entity;

	if (lens->status != IPL_OK || number == 0)
		return NULL;
	slot = ipl_hashmap_put(&past->entities, key);
	if (slot != NULL && *slot == NULL)
		*slot = calloc(1, sizeof(union ipl_entity));
	if (slot == NULL || *slot == NULL) {
		lens->status = ipl_error_set(lens->err, IPL_ERR_NOMEM, "out of memory");
		return NULL;
	}
	entity = *slot;
	if (!entity->base.alive && entity->base.last_seq == 0)
		lens->status = fold_chain(lens, key, fold_entity, entity);
	return lens->status == IPL_OK && entity->base.alive ? entity : NULL;
}

static struct ipl_holding holding(struct ipl_lens *lens, struct ipl_key key)
{
	struct ipl_holding found = { .role = IPL_ROLE_NONE };

	if (lens->status == IPL_OK)
		lens->status = fold_chain(lens, key, fold_holding, &found);
	return lens->status == IPL_OK ? found : (struct ipl_holding){ .role = IPL_ROLE_NONE };
}

uint64_t ipl_past_last(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number)
{
	uint64_t found = 0;

	if (lens->status == IPL_OK)
		lens->status = ipl_chain_seek(lens->last_context, ipl_key_entity(kind, number),
					      lens->seq, &found, lens->err);
	return found;
}

enum ipl_status ipl_past_open(struct ipl_lens *lens, const struct ipl_source *source, uint64_t seq,
			      int64_t time_ms, struct ipl_error *err)
{
	struct past *past = calloc(1, sizeof(*past));

	if (past == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a look at the past");
	past->source = *source;
	ipl_arena_init(&past->page.arena, EVENT_ARENA_BYTES);
	ipl_hashmap_init(&past->entities, sizeof(union ipl_entity *));
	*lens = (struct ipl_lens){
		.context = past,
		.seq = seq,
		.time_ms = time_ms,
		.err = err,
		.find = find,
		.holding = holding,
		.last = ipl_past_last,
		.last_context = &past->source,
	};
	return IPL_OK;
}

static void release_entity(void *context, struct ipl_key key, void *value)
{
	union ipl_entity *entity = *(union ipl_entity **)value;

	(void)context;
	if (entity != NULL)
		ipl_entity_release((enum ipl_kind)key.kind, entity);
	free(entity);
}

void ipl_past_close(struct ipl_lens *lens)
{
	struct past *past = lens->context;

	ipl_hashmap_walk(&past->entities, release_entity, NULL);
	ipl_hashmap_release(&past->entities);
	ipl_arena_release(&past->page.arena);
	free(past);
	lens->context = NULL;
}

enum ipl_status ipl_fold_to(struct ipl_state *state, const struct ipl_source *source, uint64_t seq,
			    struct ipl_error *err)
{
	struct page page;
	enum ipl_status st = IPL_OK;

	ipl_arena_init(&page.arena, EVENT_ARENA_BYTES);
	while (st == IPL_OK && ipl_state_seq(state) < seq) {
		struct ipl_touches touches;
		st = load(source, ipl_state_seq(state) + 1, &page, err);
		if (st == IPL_OK)
			st = ipl_event_touches(&page.arena, &page.ev, &touches, err);
		if (st == IPL_OK)
			st = ipl_reduce(state, &page.ev, &touches, err);
	}
	ipl_arena_release(&page.arena);
	return st;
}
