/* SPDX-License-Identifier: Apache-2.0 */
/* Chains walked and folded. */
#include "replay/past.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reducers/codec.h"
#include "reducers/hashmap.h"

#define EVENT_ARENA_BYTES ((size_t)64 << 20)

static enum ipl_status counted_get(void *context, uint64_t seq, struct ipl_str *record,
				   struct ipl_error *err)
{
	struct ipl_counted *counted = context;

	counted->loads++;
	return counted->under->get(counted->under->context, seq, record, err);
}

static uint64_t counted_last(void *context, struct ipl_key key)
{
	const struct ipl_counted *counted = context;

	return counted->under->last(counted->under->context, key);
}

void ipl_counted_init(struct ipl_counted *counted, const struct ipl_source *under)
{
	*counted = (struct ipl_counted){ .source = { counted, counted_get, counted_last },
					 .under = under };
}

void ipl_leaf_init(struct ipl_leaf *leaf)
{
	*leaf = (struct ipl_leaf){ .ev = { .seq = 0 } };
	ipl_arena_init(&leaf->arena, EVENT_ARENA_BYTES);
}

void ipl_leaf_release(struct ipl_leaf *leaf)
{
	ipl_arena_release(&leaf->arena);
}

enum ipl_status ipl_leaf_load(struct ipl_leaf *page, const struct ipl_source *source, uint64_t seq,
			      struct ipl_error *err)
{
	struct ipl_str record;
	enum ipl_status st = source->get(source->context, seq, &record, err);

	if (st == IPL_ERR_END) /* to those who walk chains that would mean another thing */
		return ipl_error_set(err, IPL_ERR_IO, "event %" PRIu64 " is not in the log", seq);
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

enum ipl_status ipl_leaf_link(struct ipl_leaf *page, struct ipl_key key, struct ipl_link *out,
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

static enum ipl_status seek(const struct ipl_source *source, struct ipl_leaf *page,
			    struct ipl_key key, uint64_t seq, uint64_t *found,
			    struct ipl_error *err)
{
	uint64_t at = source->last(source->context, key);

	while (at > seq) {
		struct ipl_link link = { 0 };
		enum ipl_status st = ipl_leaf_load(page, source, at, err);
		if (st == IPL_OK)
			st = ipl_leaf_link(page, key, &link, err);
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
	struct ipl_leaf page;
	enum ipl_status st;

	ipl_leaf_init(&page);
	st = seek(source, &page, key, seq, found, err);
	ipl_leaf_release(&page);
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

/* What a walk back ends at, beside the chain's beginning. */
typedef bool (*stop_fn)(struct ipl_key key, const struct ipl_event *ev);

/*
 * The chain back from the event @at on it, as long as it is not before @from, ascending. The first
 * of them is then the one in @page.
 */
static enum ipl_status collect(const struct ipl_source *source, struct ipl_leaf *page,
			       struct ipl_key key, uint64_t from, uint64_t at, stop_fn stop,
			       struct ipl_seqs *out, struct ipl_error *err)
{
	struct ipl_seqs seqs = { NULL, 0 };
	size_t cap = 0;
	enum ipl_status st = IPL_OK;

	while (st == IPL_OK && at != 0 && at >= from) {
		struct ipl_link link = { 0 };
		st = push(&seqs, &cap, at, err);
		if (st == IPL_OK)
			st = ipl_leaf_load(page, source, at, err);
		if (st == IPL_OK)
			st = ipl_leaf_link(page, key, &link, err);
		at = st == IPL_OK && stop != NULL && stop(key, &page->ev) ? 0 : link.back;
	}
	if (st != IPL_OK) {
		free(seqs.at);
		return st;
	}
	reverse(&seqs);
	*out = seqs;
	return IPL_OK;
}

enum ipl_status ipl_chain_collect(const struct ipl_source *source, struct ipl_key key,
				  uint64_t from, uint64_t to, struct ipl_seqs *out,
				  struct ipl_error *err)
{
	struct ipl_leaf page;
	uint64_t at = 0;
	enum ipl_status st;

	ipl_leaf_init(&page);
	st = seek(source, &page, key, to, &at, err);
	if (st == IPL_OK)
		st = collect(source, &page, key, from, at, NULL, out, err);
	ipl_leaf_release(&page);
	return st;
}

static enum ipl_status depth_of(const struct ipl_source *source, struct ipl_leaf *page,
				struct ipl_key key, uint64_t at, struct ipl_link *link,
				struct ipl_error *err)
{
	enum ipl_status st = ipl_leaf_load(page, source, at, err);

	return st == IPL_OK ? ipl_leaf_link(page, key, link, err) : st;
}

/* From the event *@at back to the one at @depth: over a jump unless it leads beyond. */
static enum ipl_status seek_depth(const struct ipl_source *source, struct ipl_leaf *page,
				  struct ipl_key key, uint64_t depth, uint64_t *at,
				  struct ipl_error *err)
{
	struct ipl_link here, there;
	enum ipl_status st = depth_of(source, page, key, *at, &here, err);

	while (st == IPL_OK && here.depth > depth) {
		st = here.jump == 0 ? IPL_OK : depth_of(source, page, key, here.jump, &there, err);
		if (st == IPL_OK && here.jump != 0 && there.depth >= depth) {
			*at = here.jump;
			here = there;
			continue;
		}
		*at = here.back;
		if (st == IPL_OK)
			st = depth_of(source, page, key, *at, &here, err);
	}
	return st;
}

enum ipl_status ipl_chain_page(const struct ipl_source *source, struct ipl_key key, uint64_t after,
			       uint64_t to, size_t most, struct ipl_seqs *out,
			       struct ipl_error *err)
{
	struct ipl_leaf page;
	struct ipl_link link;
	uint64_t at = 0, before = 0, depth = 0;
	enum ipl_status st;

	*out = (struct ipl_seqs){ NULL, 0 };
	ipl_leaf_init(&page);
	st = seek(source, &page, key, to, &at, err);
	if (st == IPL_OK && at > after)
		st = seek(source, &page, key, after, &before, err);
	if (st == IPL_OK && before != 0) {
		st = depth_of(source, &page, key, before, &link, err);
		depth = link.depth + 1;
	}
	if (st == IPL_OK && at > after)
		st = seek_depth(source, &page, key, depth + most - 1, &at, err);
	if (st == IPL_OK && at > after)
		st = collect(source, &page, key, after + 1, at, NULL, out, err);
	ipl_leaf_release(&page);
	return st;
}

/* --- the lens --- */

/* An entity, and as of when it was folded. */
struct folded {
	union ipl_entity entity;
	uint64_t seq;
};

struct past {
	struct ipl_source source;
	struct ipl_leaf page;
	uint64_t vpcs;               /* no VPC has this number or a higher one */
	bool is_fed;                 /* what is kept is as of lens->seq */
	struct ipl_checkpoint *base; /* what entities begin with; NULL: with their birth */
	struct ipl_hashmap entities; /* key -> struct folded *, of what was asked for */
};

/* What the checkpoint has of an entity that is looked at for the first time. */
static enum ipl_status begin_at_base(const struct past *past, struct ipl_key key,
				     struct folded *folded, struct ipl_error *err)
{
	struct ipl_error end = IPL_ERROR_INIT(NULL);
	struct ipl_str row;
	enum ipl_status st = ipl_checkpoint_get(past->base, IPL_TABLE_STATE, key, &row, &end);

	if (st == IPL_OK)
		st = ipl_entity_decode((enum ipl_kind)key.kind, row, &folded->entity, &end);
	if (st != IPL_OK && st != IPL_ERR_END) /* not there yet, or not any more */
		return ipl_error_set(err, st, "%s", end.text);
	folded->seq = ipl_checkpoint_head(past->base)->seq;
	return IPL_OK;
}

/* Fold the events of @key's chain from @from up to lens->seq into @entity. */
static enum ipl_status fold_entity(struct ipl_lens *lens, struct ipl_key key, uint64_t from,
				   union ipl_entity *entity)
{
	struct past *past = lens->context;
	struct ipl_seqs seqs = { NULL, 0 };
	uint64_t at = 0;
	enum ipl_status st = seek(&past->source, &past->page, key, lens->seq, &at, lens->err);

	if (st == IPL_OK)
		st = collect(&past->source, &past->page, key, from, at, NULL, &seqs, lens->err);
	for (size_t i = 0; st == IPL_OK && i < seqs.count; i++) {
		if (i > 0)
			st = ipl_leaf_load(&past->page, &past->source, seqs.at[i], lens->err);
		if (st == IPL_OK)
			st = ipl_reduce_entity((enum ipl_kind)key.kind, key.a, entity,
					       &past->page.ev, lens->err);
	}
	free(seqs.at);
	return st;
}

static const union ipl_entity *find(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number)
{
	struct past *past = lens->context;
	struct ipl_key key = ipl_key_entity(kind, number);
	struct folded **slot, *folded;
	const struct ipl_base *base;
	bool is_new;

	if (lens->status != IPL_OK || number == 0)
		return NULL;
	slot = ipl_hashmap_put(&past->entities, key);
	is_new = slot != NULL && *slot == NULL;
	if (is_new)
		*slot = calloc(1, sizeof(**slot));
	if (slot == NULL || *slot == NULL) {
		lens->status = ipl_error_set(lens->err, IPL_ERR_NOMEM, "out of memory");
		return NULL;
	}
	folded = *slot;
	base = &folded->entity.base;
	/* What is gone stays gone; else go on from where it stands. */
	if (is_new && past->base != NULL)
		lens->status = begin_at_base(past, key, folded, lens->err);
	if (lens->status == IPL_OK && folded->seq < lens->seq && (is_new || !past->is_fed) &&
	    (base->alive || base->last_seq == 0))
		lens->status =
			fold_entity(lens, key, (base->alive ? base->last_seq : folded->seq) + 1,
				    &folded->entity);
	folded->seq = lens->seq;
	return lens->status == IPL_OK && base->alive ? &folded->entity : NULL;
}

/* What the checkpoint has of an address; NULL: no checkpoint. Nobody has one without a row. */
static enum ipl_status base_holding(struct ipl_checkpoint *base, struct ipl_key key,
				    struct ipl_holding *out, struct ipl_error *err)
{
	struct ipl_error end = IPL_ERROR_INIT(NULL);
	struct ipl_str row;
	enum ipl_status st = IPL_ERR_END;

	if (base != NULL)
		st = ipl_checkpoint_get(base, IPL_TABLE_STATE, key, &row, &end);
	if (st == IPL_ERR_END)
		return IPL_OK;
	if (st == IPL_OK)
		st = ipl_holding_decode(row, out, &end);
	return st == IPL_OK ? IPL_OK : ipl_error_set(err, st, "%s", end.text);
}

/* Folded from the last event that gave it, or from what @base (NULL: none) has of it. */
static enum ipl_status holding_from(const struct ipl_source *source, struct ipl_checkpoint *base,
				    struct ipl_key key, uint64_t seq, struct ipl_holding *out,
				    struct ipl_error *err)
{
	uint64_t from = base == NULL ? 1 : ipl_checkpoint_head(base)->seq + 1, at = 0;
	struct ipl_holding found = { .role = IPL_ROLE_NONE };
	struct ipl_seqs seqs = { NULL, 0 };
	struct ipl_leaf page;
	enum ipl_status st;

	ipl_leaf_init(&page);
	st = seek(source, &page, key, seq, &at, err);
	if (st == IPL_OK)
		st = collect(source, &page, key, from, at, ipl_holding_begins, &seqs, err);
	if (st == IPL_OK && seqs.count == 0)
		st = base_holding(base, key, &found, err);
	for (size_t i = 0; st == IPL_OK && i < seqs.count; i++) {
		if (i > 0)
			st = ipl_leaf_load(&page, source, seqs.at[i], err);
		else if (!ipl_holding_begins(key, &page.ev))
			st = base_holding(base, key, &found, err);
		if (st == IPL_OK)
			st = ipl_reduce_holding(key, &found, &page.ev, err);
	}
	free(seqs.at);
	ipl_leaf_release(&page);
	if (st == IPL_OK)
		*out = found;
	return st;
}

enum ipl_status ipl_holding_at(const struct ipl_source *source, struct ipl_key key, uint64_t seq,
			       struct ipl_holding *out, struct ipl_error *err)
{
	return holding_from(source, NULL, key, seq, out, err);
}

static struct ipl_holding holding(struct ipl_lens *lens, struct ipl_key key)
{
	struct past *past = lens->context;
	struct ipl_holding found = { .role = IPL_ROLE_NONE };

	if (lens->status == IPL_OK)
		lens->status =
			holding_from(&past->source, past->base, key, lens->seq, &found, lens->err);
	return found;
}

void ipl_past_move(struct ipl_lens *lens, uint64_t seq, int64_t time_ms)
{
	assert(seq >= lens->seq);
	lens->seq = seq;
	lens->time_ms = time_ms;
}

enum ipl_status ipl_past_feed(struct ipl_lens *lens, const struct ipl_event *ev,
			      const struct ipl_touches *touches)
{
	struct past *past = lens->context;

	past->is_fed = true;
	ipl_past_move(lens, ev->seq, ev->time_ms);
	for (uint32_t i = 0; lens->status == IPL_OK && i < touches->count; i++) {
		struct ipl_key key = touches->at[i];
		struct folded **slot = ipl_hashmap_find(&past->entities, key);
		if (slot == NULL)
			continue;
		(*slot)->seq = ev->seq;
		lens->status = ipl_reduce_entity((enum ipl_kind)key.kind, key.a, &(*slot)->entity,
						 ev, lens->err);
	}
	return lens->status;
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
	ipl_leaf_init(&past->page);
	ipl_hashmap_init(&past->entities, sizeof(struct folded *));
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
	struct folded *folded = *(struct folded **)value;

	(void)context;
	if (folded != NULL)
		ipl_entity_release((enum ipl_kind)key.kind, &folded->entity);
	free(folded);
}

void ipl_past_close(struct ipl_lens *lens)
{
	struct past *past = lens->context;

	ipl_hashmap_walk(&past->entities, release_entity, NULL);
	ipl_hashmap_release(&past->entities);
	ipl_leaf_release(&past->page);
	ipl_checkpoint_release(past->base);
	free(past);
	lens->context = NULL;
}

static uint64_t next_vpc(struct ipl_lens *lens, enum ipl_kind kind, uint64_t after)
{
	const struct past *past = lens->context;

	assert(kind == IPL_KIND_VPC);
	for (uint64_t n = after + 1; n < past->vpcs && lens->status == IPL_OK; n++) {
		if (lens->find(lens, kind, n) != NULL)
			return n;
	}
	return 0;
}

void ipl_past_scan_vpcs(struct ipl_lens *lens, uint64_t next)
{
	struct past *past = lens->context;

	past->vpcs = next;
	lens->next = next_vpc;
}

void ipl_past_begin_at(struct ipl_lens *lens, struct ipl_checkpoint *checkpoint)
{
	struct past *past = lens->context;

	assert(past->base == NULL && past->entities.count == 0);
	assert(checkpoint == NULL || ipl_checkpoint_head(checkpoint)->seq <= lens->seq);
	past->base = checkpoint;
}

enum ipl_status ipl_fold_to(struct ipl_state *state, const struct ipl_source *source, uint64_t seq,
			    struct ipl_error *err)
{
	struct ipl_leaf page;
	enum ipl_status st = IPL_OK;

	ipl_leaf_init(&page);
	while (st == IPL_OK && ipl_state_seq(state) < seq) {
		struct ipl_touches touches;
		st = ipl_leaf_load(&page, source, ipl_state_seq(state) + 1, err);
		if (st == IPL_OK)
			st = ipl_event_touches(&page.arena, &page.ev, &touches, err);
		if (st == IPL_OK)
			st = ipl_reduce(state, &page.ev, &touches, err);
	}
	ipl_leaf_release(&page);
	return st;
}
