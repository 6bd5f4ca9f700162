/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random operations on a network that stays about as large as it was begun: the
 * same for the same seed. Every write of the operation table is drawn, mostly on
 * things on which it may succeed, and often enough on others.
 */
#ifndef IPL_TESTS_RANDOM_OPS_H
#define IPL_TESTS_RANDOM_OPS_H

#include "tests/lab.h"

/* How large the network grows; beyond it, what would make one more takes one away. */
struct random_size {
	uint64_t vpcs, vswitches, instances, enis, eips;
	unsigned prefix_min; /* of vSwitches: the largest block */
};

/* What became of what was called. */
struct random_tally {
	uint64_t done[IPL_OP_COUNT]; /* by enum ipl_op */
	uint64_t refused[IPL_OP_COUNT];
	uint64_t code[IPL_CODE_COUNT];
};

extern const struct random_size random_small, random_large;
/* Settings under which addresses run out, and cool down for a second. */
extern const char random_settings[];

void random_begin(uint64_t seed); /* of a small network */
void random_begin_sized(uint64_t seed, const struct random_size *size);
/** 0 .. @below - 1 */
uint64_t random_draw(uint64_t below);
/** Let some time pass: up to 2.4 s. */
void random_wait(struct lab *lab);
/** Let some time pass and call an operation: IPL_OK, IPL_REFUSED, or a bug. */
enum ipl_status random_step(struct lab *lab);
/** The same, and never a transaction. */
enum ipl_status random_single(struct lab *lab);
/** The same at the same time, and @tally counts it. */
enum ipl_status random_call(struct lab *lab, struct random_tally *tally);
/** Draw an operation and print its parameters as JSON into @text; nothing is called. */
enum ipl_op random_request(struct lab *lab, char text[LAB_TEXT_MAX]);
/** The operation that the last step called, with its parameters: for messages. */
const char *random_last(void);

#endif
