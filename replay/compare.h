/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two whole states compared entity by entity, wherever they come from: of what
 * would have been there is no chain to follow. (replay/diff.h is for two moments of one log.)
 */
#ifndef IPL_REPLAY_COMPARE_H
#define IPL_REPLAY_COMPARE_H

#include "reducers/lens.h"

/** One entity that is other, or there in one of the two only. Borrowed for the call. */
struct ipl_difference {
	enum ipl_kind kind;
	uint64_t number;
	const char *change;      /* "Created", "Deleted", "Updated" */
	struct ipl_value fields; /* [{Name, Before, After}], own members only */
};
typedef void (*ipl_difference_fn)(void *context, const struct ipl_difference *difference);

/**
 * Look at one entity through both lenses: IPL_OK and *@is_other. Fields are in @arena.
 * @retval IPL_ERR_NOMEM  beyond the arena's limit
 */
enum ipl_status ipl_compare_entity(struct ipl_arena *arena, struct ipl_lens *from,
				   struct ipl_lens *to, enum ipl_kind kind, uint64_t number,
				   struct ipl_difference *out, bool *is_other,
				   struct ipl_error *err) IPL_MUST_USE;

/** Hand every difference to @fn, by kind and number. */
enum ipl_status ipl_compare_states(const struct ipl_state *from, const struct ipl_state *to,
				   ipl_difference_fn fn, void *context,
				   struct ipl_error *err) IPL_MUST_USE;

#endif
