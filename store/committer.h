/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: a thread that appends one batch after another while its owner
 * fills the next. Two batches are in play: the open one, which the owner fills,
 * and the one that is on its way to the disk.
 */
#ifndef IPL_STORE_COMMITTER_H
#define IPL_STORE_COMMITTER_H

#include "store/store.h"

struct ipl_committer;

/** What became of the batch that was handed over last. */
struct ipl_commit {
	enum ipl_status status; /* of ipl_store_append() */
	struct ipl_error err;   /* filled when status is not IPL_OK; no arena */
	struct ipl_batch batch; /* given back to the owner, untouched */
	int64_t duration_ns;
};

/**
 * Start the thread. @done_fd is an eventfd that becomes readable (1 is written to it)
 * each time a batch is done. The store must outlive it, and must not be appended to by others.
 */
enum ipl_status ipl_committer_start(struct ipl_store *store, int done_fd,
				    struct ipl_committer **out, struct ipl_error *err) IPL_MUST_USE;
/** Whether a batch may be handed over: none is on its way and none waits to be collected. */
bool ipl_committer_idle(struct ipl_committer *committer);
/** Hand over @batch (its memory too; @batch is zeroed). Only when idle. */
void ipl_committer_submit(struct ipl_committer *committer, struct ipl_batch *batch);
/** Collect what was handed over, if it is done. False when it is not, or when there is nothing. */
bool ipl_committer_collect(struct ipl_committer *committer, struct ipl_commit *out);
/** Block until what was handed over is done, then as above. For shutdown and for tests. */
bool ipl_committer_wait(struct ipl_committer *committer, struct ipl_commit *out);
/** Wait for the batch on its way (its outcome is lost) and end the thread. NULL is fine. */
void ipl_committer_stop(struct ipl_committer *committer);

#endif
