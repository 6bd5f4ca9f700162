/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chains of a log that lies on the disk, for who asks about few things in it and folds no
 * state: their ends, from the newest checkpoint and the events after it.
 *
 * One thread.
 */
#ifndef IPL_REPLAY_CHAINS_H
#define IPL_REPLAY_CHAINS_H

#include "replay/pass.h"
#include "replay/past.h"

struct ipl_chains;
/**
 * Reads all events after the newest checkpoint up to @head (at least 1), and checks their links.
 * @records (and what they read from) must outlive it.
 *
 * @retval IPL_ERR_CORRUPT  the log is damaged; the message names the event
 */
enum ipl_status ipl_chains_open(const struct ipl_records *records, uint64_t head,
				struct ipl_chains **out, struct ipl_error *err) IPL_MUST_USE;
/** NULL is fine. */
void ipl_chains_close(struct ipl_chains *chains);

/** Where their events come from, and their ends; as long as @chains. */
const struct ipl_source *ipl_chains_source(const struct ipl_chains *chains);
/**
 * A lens on the single things as of @seq (0: the empty ledger), which finds VPCs one by one and
 * reads from @source (the chains' own, or one over it): to be closed with ipl_past_close(), before
 * @chains are.
 */
enum ipl_status ipl_chains_look(struct ipl_chains *chains, const struct ipl_source *source,
				uint64_t seq, struct ipl_lens *out,
				struct ipl_error *err) IPL_MUST_USE;
/** Its ledger: none as of the empty log. */
uint64_t ipl_chains_ledger(const struct ipl_chains *chains, uint64_t seq);
/** No VPC has this number or a higher one. */
uint64_t ipl_chains_vpcs(const struct ipl_chains *chains);
/** When event @seq was. */
enum ipl_status ipl_chains_time(struct ipl_chains *chains, uint64_t seq, int64_t *time_ms,
				struct ipl_error *err) IPL_MUST_USE;

#endif
