/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole states of one log as of any seq. A state is folded on from the nearest
 * one that is there before, or from a checkpoint; on the way some are kept, so that going back, and
 * searching to and fro, costs little more than one pass over the log.
 *
 * One thread. A state is lent until the next ipl_views_at() or ipl_views_walk().
 */
#ifndef IPL_REPLAY_VIEW_H
#define IPL_REPLAY_VIEW_H

#include "replay/pass.h"

/* States that are kept at most, and about how much memory they may take together, unless said. */
#define IPL_VIEWS_KEPT_MAX  24u
#define IPL_VIEWS_BYTES_MAX ((size_t)1 << 30)

struct ipl_views;
enum ipl_status ipl_views_open(const struct ipl_records *records, struct ipl_views **out,
			       struct ipl_error *err) IPL_MUST_USE;
void ipl_views_close(struct ipl_views *views);
/** Keep less: for one that lives long beside others. */
void ipl_views_limit(struct ipl_views *views, size_t kept_max, size_t bytes_max);

/**
 * The whole state as of @seq; 0: of the empty log. It is no fork.
 *
 * @retval IPL_ERR_END      the log ends before
 * @retval IPL_ERR_CORRUPT  an event does not follow: the message names it
 */
enum ipl_status ipl_views_at(struct ipl_views *views, uint64_t seq, const struct ipl_state **out,
			     struct ipl_error *err) IPL_MUST_USE;

/** One event, and the state after it. Borrowed for the call. */
struct ipl_step {
	const struct ipl_event *ev;
	const struct ipl_touches *touches;
	const struct ipl_state *state;
};
/**
 * IPL_ERR_END: that was enough; anything else but IPL_OK is the walk's status. It
 * must not call the views: a piece of the log is open for reading meanwhile.
 */
typedef enum ipl_status (*ipl_step_fn)(void *context, const struct ipl_step *step,
				       struct ipl_error *err);
/** Fold the events after @from up to @to one by one, and hand each to @fn. */
enum ipl_status ipl_views_walk(struct ipl_views *views, uint64_t from, uint64_t to, ipl_step_fn fn,
			       void *context, struct ipl_error *err) IPL_MUST_USE;

/** Decode event @seq; text and lists are in @arena. */
enum ipl_status ipl_views_event(struct ipl_views *views, uint64_t seq, struct ipl_arena *arena,
				struct ipl_event *out, struct ipl_error *err) IPL_MUST_USE;
/** The last event up to @head that is not later than @time_ms; 0 where all are. */
enum ipl_status ipl_views_seq_at(struct ipl_views *views, uint64_t head, int64_t time_ms,
				 uint64_t *seq, struct ipl_error *err) IPL_MUST_USE;

/**
 * The seqs at which a state is to be had for little, in memory or as a checkpoint, ascending,
 * up to @most. How many.
 */
size_t ipl_views_near(const struct ipl_views *views, uint64_t *seqs, size_t most);
/** The seqs of the states that are there without folding, ascending, up to @most. How many. */
size_t ipl_views_kept(const struct ipl_views *views, uint64_t *seqs, size_t most);
/** How many events were folded so far. */
uint64_t ipl_views_folded(const struct ipl_views *views);

#endif
