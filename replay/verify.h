/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole ledger looked at: the file's structure, every record, the tree and all its roots,
 * every chain, every transaction, the fold, and what is kept beside the log.
 *
 * The log is taken in chunks by as many threads as there are cores. What needs
 * what came before (the tree's left side, chains, the fold) is done in stages that chunks pass in
 * order, one each at a time, so that the stages of several chunks run side by side.
 */
#ifndef IPL_REPLAY_VERIFY_H
#define IPL_REPLAY_VERIFY_H

#include "store/digest.h"
#include "store/store.h"

struct ipl_verify_options {
	uint32_t threads;             /* 0: one for each core, and one more */
	const struct ipl_head *noted; /* a head that the log must contain or be; NULL: none */
	/* Told now and then, by the calling thread, how many events are done; false: give up. */
	bool (*progress)(void *context, uint64_t done, uint64_t total);
	void *context;
};

struct ipl_verified {
	struct ipl_head head; /* the end of the log when it began */
	uint64_t bad_seq;     /* the first event that is damaged; 0: none, or no single event */
	uint64_t commits;
	uint64_t chains;
	uint64_t checkpoints;
	uint8_t state_hash[IPL_DIGEST_BYTES];
};

/**
 * Verify the ledger in @dir, beside a server or alone, up to its end as it is
 * now. LMDB may still crash on a file that is damaged in a way that the structure does not show:
 * who must not be taken down calls this in a child process.
 *
 * @retval IPL_ERR_CORRUPT  the message names the first thing that is wrong; out->head and
 *                          out->bad_seq are filled where they are known, else 0
 * @retval IPL_ERR_END      given up because @options said so
 */
enum ipl_status ipl_verify(const char *dir, const struct ipl_verify_options *options,
			   struct ipl_verified *out, struct ipl_error *err) IPL_MUST_USE;

#endif
