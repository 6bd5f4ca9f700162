/* SPDX-License-Identifier: Apache-2.0 */
/* Included before server/checkpointer.c: how many events there are between checkpoints. */
#ifndef IPL_TESTS_SIM_SEAMS_H
#define IPL_TESTS_SIM_SEAMS_H

#include <stdint.h>

uint64_t sim_checkpoint_events(void);
#define IPL_CHECKPOINT_EVENTS_MIN sim_checkpoint_events()

#endif
