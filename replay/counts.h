/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question about how many there are, asked all along the log without a state: after each event by
 * which one of the counts is another. Of the others only the checksum and the type are looked at.
 */
#ifndef IPL_REPLAY_COUNTS_H
#define IPL_REPLAY_COUNTS_H

#include "replay/expr.h"
#include "replay/pass.h"
#include "replay/watch.h"

struct ipl_counts;
/** For @expr, which must be of counts only, and its parts. @records must outlive it. */
enum ipl_status ipl_counts_open(const struct ipl_records *records, const struct ipl_expr *expr,
				struct ipl_counts **out, struct ipl_error *err) IPL_MUST_USE;
/** NULL is fine. */
void ipl_counts_close(struct ipl_counts *counts);

/**
 * Ask @expr as of @from, and of each state up to @to in which a count is another. *@loads (may be
 * NULL): how many events were read whole for it.
 */
enum ipl_status ipl_counts_along(struct ipl_counts *counts, const struct ipl_expr *expr,
				 uint64_t from, uint64_t to, ipl_answer_fn fn, void *context,
				 uint64_t *loads, struct ipl_error *err) IPL_MUST_USE;

/** The value of @expr as of @seq, in @arena. What ipl_counts_along() went by is had for little. */
enum ipl_status ipl_counts_value(struct ipl_counts *counts, uint64_t seq,
				 const struct ipl_expr *expr, struct ipl_arena *arena,
				 struct ipl_value *out, struct ipl_error *err) IPL_MUST_USE;

#endif
