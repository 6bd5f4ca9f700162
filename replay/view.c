/* SPDX-License-Identifier: Apache-2.0 */
/* States folded, moved on, and kept on the way. */
#include "replay/view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay/checkpoint.h"

#define PARTS_MAX    8u   /* a long way is kept in so many parts */
#define APART_MIN    256  /* events between kept states, and more where states are large */
#define APART_SHARE  8    /* to copy so many entities costs less than to fold an event */
#define LOAD_MIN     1000 /* events that a checkpoint saves, to be worth being loaded */
#define LOAD_SHARE   4    /* and one more for so many entities */
#define ENTITY_BYTES 320  /* about what a living entity takes beside its struct */

struct kept {
	struct ipl_state *state;
	uint64_t seq;
	uint64_t used; /* when it was of use last, counted in uses */
	size_t bytes;
};

struct ipl_views {
	struct ipl_records records;
	struct ipl_state *now;                /* the one that is folded on; NULL: none */
	struct kept kept[IPL_VIEWS_KEPT_MAX]; /* ascending by seq; never changed */
	size_t kept_count;
	size_t kept_bytes;
	size_t kept_max;
	size_t bytes_max;
	uint64_t uses;
	uint64_t folded;

	/* Of the way that is being gone. */
	uint64_t target;
	uint64_t apart;
	ipl_step_fn fn;
	void *fn_context;
	bool was_enough;
	bool is_damaged;
};

enum ipl_status ipl_views_open(const struct ipl_records *records, struct ipl_views **out,
			       struct ipl_error *err)
{
	struct ipl_views *views = calloc(1, sizeof(*views));

	if (views == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for views of the log");
	views->records = *records;
	views->kept_max = IPL_VIEWS_KEPT_MAX;
	views->bytes_max = IPL_VIEWS_BYTES_MAX;
	*out = views;
	return IPL_OK;
}

void ipl_views_close(struct ipl_views *views)
{
	if (views == NULL)
		return;
	ipl_state_free(views->now);
	for (size_t i = 0; i < views->kept_count; i++)
		ipl_state_free(views->kept[i].state);
	free(views);
}

void ipl_views_limit(struct ipl_views *views, size_t kept_max, size_t bytes_max)
{
	assert(kept_max > 0 && kept_max <= IPL_VIEWS_KEPT_MAX);
	views->kept_max = kept_max;
	views->bytes_max = bytes_max;
}

/* --- what is kept --- */

static uint64_t living(const struct ipl_state *state)
{
	uint64_t count = 0;

	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		count += ipl_state_count(state, (enum ipl_kind)kind);
	return count;
}

static size_t bytes_of(const struct ipl_state *state)
{
	size_t bytes = 0;

	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		bytes += ipl_state_count(state, (enum ipl_kind)kind) *
			 (ipl_entity_size((enum ipl_kind)kind) + ENTITY_BYTES);
	return bytes;
}

/* How many are kept at or before @seq: the last of these is the nearest. */
static size_t kept_before(const struct ipl_views *views, uint64_t seq)
{
	size_t count = 0;

	while (count < views->kept_count && views->kept[count].seq <= seq)
		count++;
	return count;
}

static void drop_oldest(struct ipl_views *views)
{
	size_t oldest = 0;

	for (size_t i = 1; i < views->kept_count; i++) {
		if (views->kept[i].used < views->kept[oldest].used)
			oldest = i;
	}
	ipl_state_free(views->kept[oldest].state);
	views->kept_bytes -= views->kept[oldest].bytes;
	views->kept_count--;
	memmove(&views->kept[oldest], &views->kept[oldest + 1],
		(views->kept_count - oldest) * sizeof(views->kept[0]));
}

/* Keep @state, which is the views' from here on. */
static void keep(struct ipl_views *views, struct ipl_state *state)
{
	size_t bytes = bytes_of(state), at;
	uint64_t seq = ipl_state_seq(state);

	while (views->kept_count > 1 && (views->kept_count == views->kept_max ||
					 views->kept_bytes + bytes > views->bytes_max))
		drop_oldest(views);
	at = kept_before(views, seq);
	memmove(&views->kept[at + 1], &views->kept[at],
		(views->kept_count - at) * sizeof(views->kept[0]));
	views->kept[at] = (struct kept){ state, seq, ++views->uses, bytes };
	views->kept_count++;
	views->kept_bytes += bytes;
}

/* How far apart kept states must be at least to be worth their copying. */
static uint64_t apart_min(const struct ipl_state *state)
{
	uint64_t apart = living(state) / APART_SHARE;

	return apart < APART_MIN ? APART_MIN : apart;
}

static bool is_far_from_kept(const struct ipl_views *views, uint64_t seq, uint64_t apart)
{
	size_t before = kept_before(views, seq);

	if (before > 0 && seq - views->kept[before - 1].seq < apart)
		return false;
	return before == views->kept_count || views->kept[before].seq - seq >= apart;
}

/* Keep a copy of the state on its way, where that is worth it. */
static void keep_on_the_way(struct ipl_views *views)
{
	const struct ipl_state *state = views->now;
	uint64_t seq = ipl_state_seq(state), least, apart;
	struct ipl_state *copy;

	if (seq % APART_MIN != 0) /* a look now and then is enough */
		return;
	least = apart_min(state);
	/* So that stepping back from where it ends is short, one is kept shortly before. */
	apart = views->target - seq < 2 * least || views->apart < least ? least : views->apart;
	if (!is_far_from_kept(views, seq, apart))
		return;
	copy = ipl_state_copy(state);
	if (copy != NULL) /* without memory there is one less to go back to */
		keep(views, copy);
}

/* A checkpoint that is worth being loaded instead of folding on from @from; NULL is normal. */
static struct ipl_checkpoint *better_start(const struct ipl_views *views,
					   const struct ipl_state *from, uint64_t seq)
{
	uint64_t least = LOAD_MIN + (from == NULL ? 0 : living(from) / LOAD_SHARE);
	struct ipl_checkpoint *found = NULL;

	if (views->records.checkpoints != NULL)
		found = ipl_checkpoints_take(views->records.checkpoints, seq, IPL_UNSEEN_LOOK);
	if (found == NULL ||
	    ipl_checkpoint_head(found)->seq >= least + (from == NULL ? 0 : ipl_state_seq(from)))
		return found;
	ipl_checkpoint_release(found);
	return NULL;
}

/* A state to fold on to @seq from, of its own: from @kept (NULL: none), or a checkpoint. */
static enum ipl_status make_start(const struct ipl_views *views, const struct ipl_state *kept,
				  uint64_t seq, struct ipl_state **out, struct ipl_error *err)
{
	struct ipl_checkpoint *base = better_start(views, kept, seq);
	enum ipl_status st;

	*out = NULL;
	if (base != NULL) {
		ipl_checkpoint_release(base);
		st = ipl_checkpoint_load(views->records.checkpoints, seq, IPL_UNSEEN_LOOK, &base,
					 out, err);
		ipl_checkpoint_release(base);
		return st;
	}
	*out = kept == NULL ? ipl_state_new() : ipl_state_copy(kept);
	return *out != NULL ? IPL_OK :
			      ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a state");
}

static bool is_near(const struct ipl_views *views, const struct ipl_state *state, uint64_t seq)
{
	struct ipl_checkpoint *better;

	if (state == NULL || ipl_state_seq(state) > seq)
		return false;
	better = better_start(views, state, seq);
	ipl_checkpoint_release(better);
	return better == NULL;
}

/* The state to fold on from becomes views->now. */
static enum ipl_status take_start(struct ipl_views *views, uint64_t seq, struct ipl_error *err)
{
	size_t before = kept_before(views, seq);
	struct kept *from = before == 0 ? NULL : &views->kept[before - 1];
	struct ipl_state *was = views->now, *start;
	enum ipl_status st;

	if (is_near(views, was, seq) && (from == NULL || from->seq <= ipl_state_seq(was)))
		return IPL_OK;
	if (from != NULL)
		from->used = ++views->uses;
	st = make_start(views, from == NULL ? NULL : from->state, seq, &start, err);
	if (st != IPL_OK)
		return st;
	views->now = start;
	if (was != NULL && is_far_from_kept(views, ipl_state_seq(was), apart_min(was)))
		keep(views, was);
	else
		ipl_state_free(was);
	return IPL_OK;
}

/* --- folding --- */

static enum ipl_status fold_one(void *context, const struct ipl_passed *passed,
				struct ipl_error *err)
{
	struct ipl_views *views = context;
	enum ipl_status st = ipl_reduce(views->now, &passed->ev, &passed->touches, err);

	if (st != IPL_OK) {
		views->is_damaged = true;
		return st;
	}
	views->folded++;
	keep_on_the_way(views);
	if (views->fn != NULL)
		st = views->fn(views->fn_context,
			       &(struct ipl_step){ &passed->ev, &passed->touches, views->now },
			       err);
	views->was_enough = st == IPL_ERR_END;
	return st;
}

/* Fold views->now on to @seq. */
static enum ipl_status fold_on(struct ipl_views *views, uint64_t seq, ipl_step_fn fn, void *context,
			       struct ipl_error *err)
{
	uint64_t from = ipl_state_seq(views->now);
	const struct ipl_pass pass = {
		.records = &views->records,
		.from = from + 1,
		.to = seq,
		.fn = fold_one,
		.context = views,
		.state = views->now,
	};
	enum ipl_status st;

	if (from == seq)
		return IPL_OK;
	views->target = seq;
	views->apart = (seq - from) / PARTS_MAX;
	views->fn = fn;
	views->fn_context = context;
	views->was_enough = false;
	views->is_damaged = false;
	st = ipl_pass_go(&pass, err);
	if (views->is_damaged) {
		ipl_state_free(views->now); /* it is good for nothing else */
		views->now = NULL;
	}
	if (st == IPL_OK && !views->was_enough && ipl_state_seq(views->now) != seq)
		st = ipl_error_set(err, IPL_ERR_END, "the log has no event %" PRIu64, seq);
	return st;
}

enum ipl_status ipl_views_at(struct ipl_views *views, uint64_t seq, const struct ipl_state **out,
			     struct ipl_error *err)
{
	size_t before = kept_before(views, seq);
	enum ipl_status st;

	if (before > 0 && views->kept[before - 1].seq == seq) {
		views->kept[before - 1].used = ++views->uses;
		*out = views->kept[before - 1].state;
		return IPL_OK;
	}
	st = take_start(views, seq, err);
	if (st == IPL_OK)
		st = fold_on(views, seq, NULL, NULL, err);
	if (st == IPL_OK)
		*out = views->now;
	return st;
}

enum ipl_status ipl_views_walk(struct ipl_views *views, uint64_t from, uint64_t to, ipl_step_fn fn,
			       void *context, struct ipl_error *err)
{
	enum ipl_status st;

	assert(from <= to);
	st = take_start(views, from, err);
	if (st == IPL_OK)
		st = fold_on(views, from, NULL, NULL, err);
	if (st == IPL_OK)
		st = fold_on(views, to, fn, context, err);
	return st;
}

/* --- events --- */

enum ipl_status ipl_views_event(struct ipl_views *views, uint64_t seq, struct ipl_arena *arena,
				struct ipl_event *out, struct ipl_error *err)
{
	struct ipl_str record, copy;
	enum ipl_status st = views->records.get(views->records.context, seq, &record, err);

	if (st != IPL_OK)
		return st;
	copy = ipl_arena_str(arena, record);
	if (copy.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an event");
	st = ipl_event_decode(copy, arena, out, err);
	if (st == IPL_OK && out->seq != seq)
		st = ipl_error_set(err, IPL_ERR_CORRUPT,
				   "where event %" PRIu64 " belongs stands %" PRIu64, seq,
				   out->seq);
	return st;
}

enum ipl_status ipl_views_seq_at(struct ipl_views *views, uint64_t head, int64_t time_ms,
				 uint64_t *seq, struct ipl_error *err)
{
	uint64_t low = 0, high = head; /* @low is not later; all beyond @high are */

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2, got;
		struct ipl_str record;
		int64_t at_ms;
		enum ipl_status st =
			views->records.get(views->records.context, middle, &record, err);
		if (st != IPL_OK)
			return st;
		if (!ipl_event_peek(record, &got, &at_ms) || got != middle)
			return ipl_error_set(err, IPL_ERR_CORRUPT,
					     "event %" PRIu64 " has no seq and time", middle);
		if (at_ms <= time_ms)
			low = middle;
		else
			high = middle - 1;
	}
	*seq = low;
	return IPL_OK;
}

size_t ipl_views_kept(const struct ipl_views *views, uint64_t *seqs, size_t most)
{
	size_t count = views->kept_count < most ? views->kept_count : most;

	for (size_t i = 0; i < count; i++)
		seqs[i] = views->kept[i].seq;
	return count;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

size_t ipl_views_near(const struct ipl_views *views, uint64_t *seqs, size_t most)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	struct ipl_checkpoint_stat *list = NULL;
	size_t count = ipl_views_kept(views, seqs, most), listed = 0;

	/* Without the list there is only more to fold. */
	if (views->records.checkpoints != NULL &&
	    ipl_checkpoints_list(views->records.checkpoints, &list, &listed, &unused) != IPL_OK)
		listed = 0;
	for (size_t i = 0; i < listed && count < most; i++) {
		if (!list[i].is_bad)
			seqs[count++] = list[i].seq;
	}
	free(list);
	qsort(seqs, count, sizeof(*seqs), by_number);
	return count;
}

uint64_t ipl_views_folded(const struct ipl_views *views)
{
	return views->folded;
}
