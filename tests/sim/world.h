/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program has around it, all of it from the seed: clocks, chance, the
 * disk's calls and the sockets' readiness. The functions of the C library that
 * give these are defined here anew, so libevent and LMDB live in the same world.
 */
#ifndef IPL_TESTS_SIM_WORLD_H
#define IPL_TESTS_SIM_WORLD_H

#include "events/base.h"

/** What a seed switches on, and how often it comes; of one_in: 0 never. */
struct world_rates {
	uint64_t disk_fails_one_in; /* a write or sync of the disk */
	uint64_t open_fails_one_in; /* LMDB's opening of an environment */
	uint64_t io_short_one_in;   /* a read or write of a socket takes less than it could */
};

/** What happened, for the totals. */
struct world_counts {
	uint64_t disk_failures, open_failures, short_io;
};

extern struct world_rates world_rates;
extern struct world_counts world_counts;

/** Begin the world of @seed, from the same day. */
void world_begin(uint64_t seed);
/** From here on everything is real again. */
void world_end(void);

/** 0 .. @below - 1 */
uint64_t world_draw(uint64_t below);
/** True one time in @n; never for 0. */
bool world_one_in(uint64_t n);

int64_t world_wall_ms(void);
/* That nobody sets. */
int64_t world_steady_ms(void);
/** Time goes by. */
void world_pass_ms(int64_t ms);
/** The wall clock alone is set, by so much, to either side. */
void world_jump_ms(int64_t ms);

/** From now on nothing reaches the disk any more: the process is dead, but for its memory. */
void world_kill(void);
/** Nothing fails any more. */
void world_calm(void);
/** A new process. */
void world_revive(void);
bool world_is_dead(void);

/** Add to the trace. Two runs of a seed have the same hash. */
void world_trace(const char *what, const void *bytes, size_t len);
uint64_t world_trace_hash(void);
uint64_t world_steps(void);
/** Somebody has a turn; a seed that has more than any needs is wrong. */
void world_turn(void);
/** Say what is wrong with which seed, and end. */
_Noreturn void world_fail(const char *format, ...) IPL_PRINTF(1, 2);
/** Only with --verbose. */
void world_say(const char *format, ...) IPL_PRINTF(1, 2);
extern bool world_is_verbose;
/** Called before world_fail() ends the process. */
extern void (*world_clean_up)(void);

#endif
