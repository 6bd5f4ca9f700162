/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints made and used (what they are stands in store/checkpoint.h). To make
 * one, the state is loaded from the one before, the events since are folded into
 * it, and everything is written in the order of keys: heads and tokens by merging
 * what is new with what was there. While it is made it takes the memory of the
 * state once more, and of the chains and tokens that are new.
 */
#ifndef IPL_REPLAY_CHECKPOINT_H
#define IPL_REPLAY_CHECKPOINT_H

#include "reducers/state.h"
#include "store/checkpoint.h"

/**
 * The state of the newest good checkpoint not after @seq, and that checkpoint;
 * where there is none, NULL and the state of the empty log. One whose rows make no sense is
 * rejected, and the one before it taken.
 */
enum ipl_status ipl_checkpoint_load(struct ipl_checkpoints *set, uint64_t seq, enum ipl_unseen look,
				    struct ipl_checkpoint **out, struct ipl_state **state,
				    struct ipl_error *err) IPL_MUST_USE;

/** For ipl_heads_set_under(): the heads of @context, a checkpoint. */
enum ipl_status ipl_checkpoint_head_of(void *context, struct ipl_key key, struct ipl_str *value,
				       struct ipl_error *err);
/** The seq of a token in @checkpoint (NULL: there is none); 0 where it has none. */
enum ipl_status ipl_checkpoint_token(struct ipl_checkpoint *checkpoint, struct ipl_key token,
				     uint64_t *seq, struct ipl_error *err) IPL_MUST_USE;

struct ipl_checkpoint_job {
	struct ipl_store *store;
	struct ipl_reader *reader; /* of this thread */
	struct ipl_checkpoints *set;
	bool (*go_on)(void *context); /* asked now and then; false: give up with IPL_ERR_END */
	void *context;
};

/**
 * Make the checkpoint of @seq, the last event of a durable commit.
 * @retval IPL_ERR_CORRUPT  the log is damaged; the message names the event
 */
enum ipl_status ipl_checkpoint_build(const struct ipl_checkpoint_job *job, uint64_t seq,
				     struct ipl_error *err) IPL_MUST_USE;

/**
 * Remove the bad ones, and then, while all together take more than @budget_bytes, the one that is
 * missed least: the newest stays, and what is left is spread evenly.
 */
enum ipl_status ipl_checkpoints_thin(struct ipl_checkpoints *set, uint64_t budget_bytes,
				     struct ipl_error *err) IPL_MUST_USE;

#endif
