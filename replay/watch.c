/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lens notes what it is asked for; the next event on any of these chains is the next that can
 * change the answer.
 */
#include "replay/watch.h"

#include <stdlib.h>

#include "reducers/hashmap.h"

#define PAGE_FIRST  16u   /* events of a chain that are looked up at once, at first */
#define PAGE_MOST   4096u /* and at most */
#define ARENA_BYTES ((size_t)64 << 20)

/* Something that was looked at, and the events that touch it from now on. */
struct watched {
	struct ipl_key key;
	struct ipl_seqs coming;
	size_t at;
	size_t page;
	bool is_over; /* no more up to the end */
};

struct watch {
	struct ipl_chains *chains;
	const struct ipl_expr *expr;
	struct ipl_counted counted; /* what is read */
	struct ipl_lens past;       /* folds what is asked for */
	struct ipl_lens lens;       /* the one that notes, over it */
	struct ipl_hashmap known;   /* keys that are watched */
	struct watched *watched;
	size_t count;
	bool is_too_wide;
	struct ipl_leaf leaf; /* the event that is fed */
	struct ipl_arena arena;
	uint64_t to;
	struct ipl_error *err;
};

/* --- the lens --- */

static void note(struct watch *w, struct ipl_key key)
{
	char *is_known = ipl_hashmap_put(&w->known, key);

	if (is_known == NULL) {
		w->past.status = ipl_error_set(w->err, IPL_ERR_NOMEM, "out of memory for a search");
	} else if (*is_known == 0 && w->count == IPL_WATCHED_MAX) {
		w->past.status = IPL_ERR_BUSY;
		w->is_too_wide = true;
	} else if (*is_known == 0) {
		*is_known = 1;
		w->watched[w->count++] = (struct watched){ .key = key, .page = PAGE_FIRST };
	}
	w->lens.status = w->past.status;
}

static const union ipl_entity *find(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number)
{
	struct watch *w = lens->context;
	const union ipl_entity *found;

	if (number == 0)
		return NULL;
	note(w, ipl_key_entity(kind, number));
	found = w->past.find(&w->past, kind, number);
	lens->status = w->past.status;
	return found;
}

static struct ipl_holding holding(struct ipl_lens *lens, struct ipl_key key)
{
	struct watch *w = lens->context;
	struct ipl_holding found;

	note(w, key);
	found = w->past.holding(&w->past, key);
	lens->status = w->past.status;
	return found;
}

static uint64_t last(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number)
{
	struct watch *w = lens->context;
	uint64_t seq;

	note(w, ipl_key_entity(kind, number));
	seq = ipl_past_last(&w->past, kind, number);
	lens->status = w->past.status;
	return seq;
}

/* VPCs that are still to come are noted too. */
static uint64_t next_vpc(struct ipl_lens *lens, enum ipl_kind kind, uint64_t after)
{
	struct watch *w = lens->context;
	uint64_t vpcs = ipl_chains_vpcs(w->chains);

	for (uint64_t n = after + 1; n < vpcs && lens->status == IPL_OK; n++) {
		if (find(lens, kind, n) != NULL)
			return n;
	}
	return 0;
}

/* What the lens under it stands at, this one does. */
static void follow(struct watch *w)
{
	w->lens.seq = w->past.seq;
	w->lens.time_ms = w->past.time_ms;
	w->lens.ledger = ipl_chains_ledger(w->chains, w->past.seq);
	w->lens.cooled_ms = 0;
}

static enum ipl_status open_lenses(struct watch *w, uint64_t from)
{
	enum ipl_status st = ipl_chains_look(w->chains, &w->counted.source, from, &w->past, w->err);

	if (st != IPL_OK)
		return st;
	w->lens = w->past;
	w->lens.context = w;
	w->lens.find = find;
	w->lens.holding = holding;
	w->lens.last = last;
	w->lens.next = next_vpc;
	return IPL_OK;
}

/* --- what comes next --- */

static enum ipl_status refill(struct watch *w, struct watched *watched)
{
	enum ipl_status st;

	free(watched->coming.at);
	watched->coming = (struct ipl_seqs){ NULL, 0 };
	watched->at = 0;
	st = ipl_chain_page(&w->counted.source, watched->key, w->past.seq, w->to, watched->page,
			    &watched->coming, w->err);
	watched->is_over = watched->coming.count < watched->page;
	watched->page = watched->page * 4 < PAGE_MOST ? watched->page * 4 : PAGE_MOST;
	return st;
}

/* The next event that touches anything; UINT64_MAX where there is none. */
static enum ipl_status next_touch(struct watch *w, uint64_t *out)
{
	enum ipl_status st = IPL_OK;

	*out = UINT64_MAX;
	for (size_t i = 0; st == IPL_OK && i < w->count; i++) {
		struct watched *watched = &w->watched[i];
		if (watched->at < watched->coming.count &&
		    watched->coming.at[watched->at] <= w->past.seq)
			watched->at++;
		if (watched->at == watched->coming.count && !watched->is_over)
			st = refill(w, watched);
		if (watched->at < watched->coming.count && watched->coming.at[watched->at] < *out)
			*out = watched->coming.at[watched->at];
	}
	return st;
}

/* The first event after now and up to @end that is not before @time_ms; UINT64_MAX: none. */
static enum ipl_status first_at(struct watch *w, int64_t time_ms, uint64_t end, uint64_t *out)
{
	uint64_t low = w->past.seq, high = end; /* @low is before it, @high is not */
	int64_t at_ms = 0;
	enum ipl_status st = ipl_chains_time(w->chains, high, &at_ms, w->err);

	*out = UINT64_MAX;
	if (st != IPL_OK || at_ms < time_ms)
		return st;
	while (st == IPL_OK && high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		st = ipl_chains_time(w->chains, middle, &at_ms, w->err);
		*(at_ms < time_ms ? &low : &high) = middle;
	}
	*out = high;
	return st;
}

static enum ipl_status feed(struct watch *w, uint64_t seq)
{
	struct ipl_touches touches;
	enum ipl_status st = ipl_leaf_load(&w->leaf, &w->counted.source, seq, w->err);

	if (st == IPL_OK)
		st = ipl_event_touches(&w->leaf.arena, &w->leaf.ev, &touches, w->err);
	return st == IPL_OK ? ipl_past_feed(&w->past, &w->leaf.ev, &touches) : st;
}

/* Go to the next state that can have another answer; IPL_ERR_END where there is none. */
static enum ipl_status go_on(struct watch *w)
{
	uint64_t next = UINT64_MAX, cooled = UINT64_MAX, end;
	enum ipl_status st = IPL_OK;

	if (w->past.seq == 0) /* without a ledger nothing was looked at */
		next = 1;
	else
		st = next_touch(w, &next);
	end = next < w->to ? next : w->to;
	if (st == IPL_OK && w->lens.cooled_ms != 0 && end > w->past.seq)
		st = first_at(w, w->lens.cooled_ms, end, &cooled);
	if (cooled < next)
		next = cooled;
	if (st == IPL_OK && next > w->to)
		return IPL_ERR_END;
	return st == IPL_OK ? feed(w, next) : st;
}

static enum ipl_status answer(struct watch *w, struct ipl_value *out)
{
	const struct ipl_expr_scope scope = { &w->lens, NULL, NULL, &w->arena };

	ipl_arena_reset(&w->arena);
	follow(w);
	return ipl_expr_value(w->expr, &scope, out, w->err);
}

static enum ipl_status ask_along(struct watch *w, ipl_answer_fn fn, void *context)
{
	enum ipl_status st;

	do {
		struct ipl_value value;
		st = answer(w, &value);
		if (st == IPL_OK)
			st = fn(context, w->past.seq, &value, w->err);
		if (st == IPL_OK)
			st = go_on(w);
	} while (st == IPL_OK);
	return st == IPL_ERR_END ? IPL_OK : st;
}

enum ipl_status ipl_watch(struct ipl_chains *chains, const struct ipl_expr *expr, uint64_t from,
			  uint64_t to, ipl_answer_fn fn, void *context, uint64_t *loads,
			  struct ipl_error *err)
{
	struct watch w = { .chains = chains, .expr = expr, .to = to, .err = err };
	enum ipl_status st;

	w.watched = calloc(IPL_WATCHED_MAX, sizeof(*w.watched));
	if (w.watched == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a search");
	ipl_counted_init(&w.counted, ipl_chains_source(chains));
	ipl_hashmap_init(&w.known, 1);
	ipl_leaf_init(&w.leaf);
	ipl_arena_init(&w.arena, ARENA_BYTES);
	st = open_lenses(&w, from);
	if (st == IPL_OK) {
		st = ask_along(&w, fn, context);
		ipl_past_close(&w.past);
	}
	if (w.is_too_wide)
		st = ipl_error_set(err, IPL_ERR_BUSY, "it looks at more than %u things",
				   IPL_WATCHED_MAX);
	if (loads != NULL)
		*loads = w.counted.loads;
	for (size_t i = 0; i < w.count; i++)
		free(w.watched[i].coming.at);
	free(w.watched);
	ipl_hashmap_release(&w.known);
	ipl_leaf_release(&w.leaf);
	ipl_arena_release(&w.arena);
	return st;
}
