/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine at work counts. */
#ifndef IPL_SERVER_ENGINE_STATS_H
#define IPL_SERVER_ENGINE_STATS_H

#include "server/engine.h"
#include "server/metrics.h"
#include "store/committer.h"

#define IPL_STATS_OPERATIONS_MAX 192u

#define IPL_OPERATION_KINDS 3

enum ipl_outcome { IPL_OUTCOME_OK, IPL_OUTCOME_REFUSED, IPL_OUTCOME_FAILED, IPL_OUTCOME_COUNT };

struct ipl_engine_stats {
	uint64_t calls[IPL_STATS_OPERATIONS_MAX + 1][IPL_OUTCOME_COUNT]; /* last: of no operation */
	uint64_t codes[IPL_CODE_COUNT];
	struct ipl_histogram decide[IPL_OPERATION_KINDS];
	struct ipl_histogram commit; /* from handing a batch over until it is collected */
	struct ipl_histogram disk;   /* of that: LMDB's transaction, with its fsync */
	struct ipl_histogram batch;  /* events in one */
	uint64_t commits_failed;
	int64_t flying_since_ns;
	bool is_failing; /* the last commit did */
	struct ipl_error failure;
	int64_t probed_ms; /* when the disk was tried last */
};

/** @answer was given after @ns; negative: it is not known how long it took. */
void ipl_stats_call(struct ipl_engine_stats *stats, const struct ipl_answer *answer, int64_t ns);
/** A batch of @events has come back from the committer. */
void ipl_stats_commit(struct ipl_engine_stats *stats, const struct ipl_commit *commit);

#endif
