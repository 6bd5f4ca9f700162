/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is other at one moment than at another: the two states are compared, not the
 * way between. Only what an event in between touched can differ, so it costs
 * those events and the chains of what they touched, not the log and not the state.
 */
#ifndef IPL_REPLAY_DIFF_H
#define IPL_REPLAY_DIFF_H

#include "replay/past.h"

/* Of a change more seqs than these are not listed: the last ones are, and how many are left out. */
#define IPL_DIFF_SEQS_MAX 10000u

struct ipl_diff {
	const struct ipl_source *source;
	/* Lenses as of both moments, of any kind. @from may be the later one. */
	struct ipl_lens *from;
	struct ipl_lens *to;
	/* Only this and what belongs to it at either moment; kind NONE: everything. */
	struct ipl_key scope;
	int64_t max_results;
	size_t bytes_max; /* of a page */
	/* A page also ends when *@loads (events that were loaded, say by an ipl_counted) is beyond.
	 */
	const uint64_t *loads;
	uint64_t loads_max;
	/* Where the page begins, and then where the next one does; 0: the first, no more. */
	uint64_t position;

	struct ipl_arena *arena; /* where the page is built */
	struct ipl_error *err;
	struct ipl_value page; /* begins as an array */
	bool has_moved;        /* its own, begins false: a page gets somewhere, whatever it costs */
};

/**
 * One page of changes: [{Id, Kind, Change, Fields, Seqs}], in the order in which the
 * log first touched each after the earlier moment. A page may be empty and not the last.
 *
 * @retval IPL_ERR_CORRUPT  a chain cannot be followed
 * @retval IPL_ERR_NOMEM    beyond a limit
 */
enum ipl_status ipl_diff_page(struct ipl_diff *diff) IPL_MUST_USE;

#endif
