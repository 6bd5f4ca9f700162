/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that are none: each is a stack of its own, and one of them runs until it
 * waits or gives way. Who is next is drawn from the seed. The program's threads,
 * mutexes, conditions and locks come here by the linker's --wrap (meson.build lists what), so the
 * program is the one that is shipped and yet does the same thing for the same seed.
 *
 * The caller of fibers_step() is the main fiber; it may call what waits too: the
 * others have their turns meanwhile.
 */
#ifndef IPL_TESTS_SIM_FIBERS_H
#define IPL_TESTS_SIM_FIBERS_H

#include <stdbool.h>
#include <stdint.h>

/** Let one that can go on have its turn; false where none can. */
bool fibers_step(void);
/** Start one; its number, which pthread_join() takes too. */
unsigned fibers_start(void *(*run)(void *context), void *context);
bool fibers_is_done(unsigned fiber);
/** How many there are beside the main one. */
unsigned fibers_count(void);
/** Free what one that is done has left. */
void fibers_reap(unsigned fiber);
bool fibers_in_main(void);

/** Give way; the main fiber lets another one have a turn. */
void fibers_yield(void);
/** Give way one time in so many, where others could be faster; 0: never. */
extern uint64_t fibers_preempt_one_in;
void fibers_maybe_yield(void);

#endif
