/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was refused, lately: a bounded list of records beside the log, in
 * DIR/refusals.mdb. It is no part of the ledger: nothing is folded from it, and
 * the newest few are lost when the process is killed. All of it is in memory; a
 * thread writes it down, so that a refusal waits for no disk.
 *
 * Calls are made from one thread.
 */
#ifndef IPL_STORE_REFUSALS_H
#define IPL_STORE_REFUSALS_H

#include "events/base.h"

#define IPL_REFUSALS_MAX       4096u
#define IPL_REFUSALS_BYTES_MAX ((size_t)32 << 20)
#define IPL_REFUSAL_BYTES_MAX  ((size_t)64 << 10) /* of one record */

struct ipl_refusals;

/**
 * Load the list of the ledger in @dir. With @writes it is made when missing, and
 * kept on disk from here on; a file that cannot be read is then moved aside to
 * refusals.mdb.damaged. Without, a file that is missing is an empty list.
 */
enum ipl_status ipl_refusals_open(const char *dir, bool writes, struct ipl_refusals **out,
				  struct ipl_error *err) IPL_MUST_USE;
/** Write down what is not yet, and close. NULL is fine. */
void ipl_refusals_close(struct ipl_refusals *refusals);

/** Add a copy of @record; the oldest go where there are too many. */
enum ipl_status ipl_refusals_add(struct ipl_refusals *refusals, struct ipl_str record,
				 struct ipl_error *err) IPL_MUST_USE;

/** Records are numbered from 1, without gaps: the oldest that is kept, and the newest (0: none). */
uint64_t ipl_refusals_first(const struct ipl_refusals *refusals);
uint64_t ipl_refusals_last(const struct ipl_refusals *refusals);
/** Record @number in first..last; borrowed until the next ipl_refusals_add(). */
struct ipl_str ipl_refusals_get(const struct ipl_refusals *refusals, uint64_t number);
/** What went wrong with the file, if anything did since it was opened: false where nothing. */
bool ipl_refusals_failed(struct ipl_refusals *refusals, struct ipl_error *err);

#endif
