/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event turned back into the request that made it: what was named is named,
 * what was picked is left to be picked. Decided in the state before the event,
 * the request gives the event again.
 *
 * What an event does not tell is read the plainest way: a member of a
 * modification is given where it changed something; Force and ForceDelete where
 * they were needed; MinAmount, and whatever was only a condition (IfSeq), are not.
 */
#ifndef IPL_REPLAY_REQUEST_H
#define IPL_REPLAY_REQUEST_H

#include "reducers/state.h"

/**
 * The parameters of the operation @ev->op, a map in @arena; text is borrowed
 * from @ev. @before is the state before the event. A LedgerCreated has none.
 */
struct ipl_value ipl_request_of(struct ipl_arena *arena, const struct ipl_state *before,
				const struct ipl_event *ev);

#endif
