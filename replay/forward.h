/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains lead backwards; whoever follows one forward, from a seq on, asks here for
 * some events at a time. It costs one look at each event given and O(log n) beside.
 */
#ifndef IPL_REPLAY_FORWARD_H
#define IPL_REPLAY_FORWARD_H

#include "replay/past.h"

/**
 * The first events of @key's chain in @from..@to, ascending, at most @limit (from 1)
 * of them, into @out. Fewer than @limit: there are no more in the range.
 */
enum ipl_status ipl_chain_forward(const struct ipl_source *source, struct ipl_key key,
				  uint64_t from, uint64_t to, uint64_t *out, uint32_t limit,
				  uint32_t *count, struct ipl_error *err) IPL_MUST_USE;

#endif
