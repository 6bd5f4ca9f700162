/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that verify share. */
#ifndef IPL_REPLAY_VERIFY_INTERNAL_H
#define IPL_REPLAY_VERIFY_INTERNAL_H

#include "reducers/state.h"
#include "replay/verify.h"
#include "store/heads.h"
#include "store/tree.h"

#include <pthread.h>

#define IPL_VERIFY_CHUNK_BITS 12u
#define IPL_VERIFY_CHUNK      (1u << IPL_VERIFY_CHUNK_BITS) /* events; a complete subtree */
#define IPL_VERIFY_STAGES     3

/* What a checkpoint says of itself. */
struct ipl_kept {
	uint64_t seq;
	uint8_t root[IPL_ROOT_BYTES];
	uint8_t state_hash[IPL_DIGEST_BYTES];
};

/* What the next event must go on from. */
struct ipl_before {
	int64_t time_ms;
	uint64_t group_place, group_size;
	uint8_t request_id[IPL_REQUEST_ID_BYTES];
};

struct ipl_verify_run {
	struct ipl_store *store;
	const struct ipl_verify_options *options;
	struct ipl_verified *out;
	struct ipl_kept *kept;
	size_t kept_count;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* with the lock held: */
	uint64_t chunk_count;
	uint64_t next_chunk;              /* to be taken */
	uint64_t turn[IPL_VERIFY_STAGES]; /* the chunk that may enter */
	uint64_t last_wanted; /* later chunks are of no interest: there is something wrong */
	uint64_t done;        /* events */
	uint32_t running;
	bool is_given_up;
	struct ipl_error found; /* about the first event that is wrong so far */
	uint64_t found_seq;     /* UINT64_MAX: none */

	/* of who is in the stage: */
	struct ipl_tree tree; /* over the chunks before */
	struct ipl_before before;
	struct ipl_heads *heads;
	struct ipl_state *state;
	size_t next_kept;
};

/**
 * Look at all chunks. IPL_OK: all threads came to their end; what they found is in @v.
 */
enum ipl_status ipl_verify_chunks(struct ipl_verify_run *v, struct ipl_error *err) IPL_MUST_USE;

#endif
