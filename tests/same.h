/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two whole states are the same, in what they show and in what they decide by. */
#ifndef IPL_TESTS_SAME_H
#define IPL_TESTS_SAME_H

#include "reducers/lens.h"

#define SAME_TEXT_MAX 128

/**
 * Compare all of @a (no fork) with @b (which may be one), looked at at @now_ms:
 * entities, holdings, blocks, pools, counters and pickers. False, with the first
 * difference in @why, where they differ.
 */
bool same_states(const struct ipl_state *a, const struct ipl_state *b, int64_t now_ms,
		 char why[SAME_TEXT_MAX]);
/** Compare one living entity as two lenses show it, and what it does not show. */
bool same_entity(struct ipl_lens *a, struct ipl_lens *b, enum ipl_kind kind, uint64_t number);
bool same_holding(const struct ipl_holding *a, const struct ipl_holding *b);

#endif
