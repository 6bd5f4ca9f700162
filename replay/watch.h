/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question about single things, asked all along the log, but only where the answer can be another
 * than before: after each event that touches what was looked at for the answer, and after the first
 * one by which something of it has cooled down. What that costs is how much happened to these
 * things, not how long the log is.
 */
#ifndef IPL_REPLAY_WATCH_H
#define IPL_REPLAY_WATCH_H

#include "replay/chains.h"
#include "replay/expr.h"

/** Things that one question may look at; each costs some memory and a look at every answer. */
#define IPL_WATCHED_MAX 1024u

/** The answer from @seq on. Borrowed for the call. IPL_ERR_END: that was enough. */
typedef enum ipl_status (*ipl_answer_fn)(void *context, uint64_t seq, const struct ipl_value *value,
					 struct ipl_error *err);
/**
 * Ask @expr, which must be of things only, as of @from, and of each state up to @to in which the
 * answer can be another. *@loads (may be NULL): how many events were read for it.
 *
 * @retval IPL_ERR_BUSY  it looks at more than IPL_WATCHED_MAX things
 */
enum ipl_status ipl_watch(struct ipl_chains *chains, const struct ipl_expr *expr, uint64_t from,
			  uint64_t to, ipl_answer_fn fn, void *context, uint64_t *loads,
			  struct ipl_error *err) IPL_MUST_USE;

#endif
