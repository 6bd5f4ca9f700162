/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that makes checkpoints while the server works. It reads the log with
 * a reader of its own and touches nothing of the live state; its priority is low.
 *
 * One is made when the events since the last weigh about as much as a checkpoint
 * does, but not before there are IPL_CHECKPOINT_EVENTS_MIN. All together take as
 * much of the disk as the log; then they are thinned.
 */
#ifndef IPL_SERVER_CHECKPOINTER_H
#define IPL_SERVER_CHECKPOINTER_H

#include "store/checkpoint.h"

#ifndef IPL_CHECKPOINT_EVENTS_MIN /* the simulation has one of its own */
#define IPL_CHECKPOINT_EVENTS_MIN UINT64_C(20000)
#endif

struct ipl_checkpointer;

/** Start the thread. @store and @set must outlive it. It looks at all checkpoints first. */
enum ipl_status ipl_checkpointer_start(struct ipl_store *store, struct ipl_checkpoints *set,
				       struct ipl_checkpointer **out,
				       struct ipl_error *err) IPL_MUST_USE;
/** The log is durable up to @seq. Costs nothing unless a checkpoint is due. */
void ipl_checkpointer_note(struct ipl_checkpointer *checkpointer, uint64_t seq);
/** Give up what is being made, and end. NULL is fine. */
void ipl_checkpointer_stop(struct ipl_checkpointer *checkpointer);

#endif
