/* SPDX-License-Identifier: Apache-2.0 */
/* Sums on the way from the first event on, and notes of them to come back to. */
#include "replay/counts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reducers/count.h"

#define NOTE_EVENTS 1024u /* from one note to the next, at least */
#define ARENA_BYTES ((size_t)1 << 20)

/* How many lived as of an event. */
struct sums {
	uint64_t seq;
	int64_t of[IPL_KIND_COUNT];
};

struct ipl_counts {
	const struct ipl_records *records;
	uint64_t kinds; /* that are counted: bit N for number N */
	uint64_t types; /* of events that change one of them */
	struct sums *note;
	size_t note_count, note_room;
};

enum ipl_status ipl_counts_open(const struct ipl_records *records, const struct ipl_expr *expr,
				struct ipl_counts **out, struct ipl_error *err)
{
	struct ipl_counts *counts = calloc(1, sizeof(*counts));
	bool is_of_counts;

	if (counts == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for counts");
	counts->records = records;
	is_of_counts = ipl_expr_is_of_counts(expr, &counts->kinds);
	assert(is_of_counts);
	(void)is_of_counts;
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++) {
		if ((counts->kinds >> kind & 1) != 0)
			counts->types |= ipl_count_types((enum ipl_kind)kind);
	}
	*out = counts;
	return IPL_OK;
}

void ipl_counts_close(struct ipl_counts *counts)
{
	if (counts == NULL)
		return;
	free(counts->note);
	free(counts);
}

/* --- notes --- */

/* Beyond the last one only; without memory there are fewer. */
static void note(struct ipl_counts *counts, const struct sums *sums)
{
	uint64_t last = counts->note_count == 0 ? 0 : counts->note[counts->note_count - 1].seq;

	if (sums->seq < last + NOTE_EVENTS)
		return;
	if (counts->note_count == counts->note_room) {
		size_t room = counts->note_room * 2 + 64;
		struct sums *grown = realloc(counts->note, room * sizeof(*grown));
		if (grown == NULL)
			return;
		counts->note = grown;
		counts->note_room = room;
	}
	counts->note[counts->note_count++] = *sums;
}

/* The nearest that is noted, not after @seq; else that of the empty log. */
static struct sums nearest(const struct ipl_counts *counts, uint64_t seq)
{
	size_t i = counts->note_count;

	while (i > 0 && counts->note[i - 1].seq > seq)
		i--;
	return i > 0 ? counts->note[i - 1] : (struct sums){ 0 };
}

/* --- a lens that only counts --- */

static uint64_t count(struct ipl_lens *lens, enum ipl_kind kind)
{
	const struct sums *sums = lens->context;

	return (uint64_t)sums->of[kind];
}

static enum ipl_status value_of(const struct ipl_expr *expr, struct sums *sums,
				struct ipl_arena *arena, struct ipl_value *out,
				struct ipl_error *err)
{
	struct ipl_lens lens = { .context = sums, .seq = sums->seq, .count = count, .err = err };
	const struct ipl_expr_scope scope = { &lens, NULL, NULL, arena };

	return ipl_expr_value(expr, &scope, out, err);
}

/* --- on the way --- */

struct way {
	struct ipl_counts *counts;
	const struct ipl_expr *expr;
	struct sums sums;
	uint64_t from; /* from here on it is asked */
	bool has_begun;
	uint64_t loads;
	ipl_answer_fn fn; /* NULL: it is asked by nobody */
	void *context;
	struct ipl_arena arena;
};

static enum ipl_status answer(struct way *way, struct ipl_error *err)
{
	struct ipl_value value;
	enum ipl_status st;

	way->has_begun = true;
	ipl_arena_reset(&way->arena);
	st = value_of(way->expr, &way->sums, &way->arena, &value, err);
	return st == IPL_OK ? way->fn(way->context, way->sums.seq, &value, err) : st;
}

/* As of where it is asked first, which no event of these may be. */
static enum ipl_status answer_from(struct way *way, struct ipl_error *err)
{
	way->sums.seq = way->from;
	return answer(way, err);
}

static enum ipl_status on_event(void *context, const struct ipl_passed *passed,
				struct ipl_error *err)
{
	struct way *way = context;
	const struct ipl_event *ev = &passed->ev;
	bool is_changed = false;
	enum ipl_status st = IPL_OK;

	way->loads++;
	if (way->fn != NULL && !way->has_begun && ev->seq > way->from)
		st = answer_from(way, err);
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++) {
		int64_t change = (way->counts->kinds >> kind & 1) == 0 ?
					 0 :
					 ipl_count_change((enum ipl_kind)kind, ev);
		way->sums.of[kind] += change;
		is_changed = is_changed || change != 0;
	}
	way->sums.seq = ev->seq;
	note(way->counts, &way->sums);
	if (st == IPL_OK && way->fn != NULL && is_changed && ev->seq >= way->from)
		st = answer(way, err);
	return st;
}

/* From where @way stands, up to @to. */
static enum ipl_status go(struct way *way, uint64_t to, struct ipl_error *err)
{
	const struct ipl_pass pass = { .records = way->counts->records,
				       .from = way->sums.seq + 1,
				       .to = to,
				       .types = way->counts->types,
				       .fn = on_event,
				       .context = way };

	return ipl_pass_go(&pass, err);
}

enum ipl_status ipl_counts_along(struct ipl_counts *counts, const struct ipl_expr *expr,
				 uint64_t from, uint64_t to, ipl_answer_fn fn, void *context,
				 uint64_t *loads, struct ipl_error *err)
{
	struct way way = { .counts = counts,
			   .expr = expr,
			   .sums = nearest(counts, from),
			   .from = from,
			   .fn = fn,
			   .context = context };
	enum ipl_status st;

	ipl_arena_init(&way.arena, ARENA_BYTES);
	st = go(&way, to, err);
	if (st == IPL_OK && !way.has_begun)
		st = answer_from(&way, err);
	if (loads != NULL)
		*loads = way.loads;
	ipl_arena_release(&way.arena);
	return st == IPL_ERR_END ? IPL_OK : st;
}

enum ipl_status ipl_counts_value(struct ipl_counts *counts, uint64_t seq,
				 const struct ipl_expr *expr, struct ipl_arena *arena,
				 struct ipl_value *out, struct ipl_error *err)
{
	struct way way = { .counts = counts, .sums = nearest(counts, seq) };
	enum ipl_status st = way.sums.seq < seq ? go(&way, seq, err) : IPL_OK;

	return st == IPL_OK ? value_of(expr, &way.sums, arena, out, err) : st;
}
