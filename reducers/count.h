/* SPDX-License-Identifier: Apache-2.0 */
/* How many live: what an event does to that can be told without a state. Pure; any thread. */
#ifndef IPL_REDUCERS_COUNT_H
#define IPL_REDUCERS_COUNT_H

#include "events/event.h"

/** How many more entities of @kind live after @ev than before; fewer: below 0. */
int64_t ipl_count_change(enum ipl_kind kind, const struct ipl_event *ev);

/** The event types that can change how many of @kind live: bit N for number N. */
uint64_t ipl_count_types(enum ipl_kind kind);

#endif
