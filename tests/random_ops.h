/* SPDX-License-Identifier: Apache-2.0 */
/* Random operations, the same for the same seed. */
#ifndef IPL_TESTS_RANDOM_OPS_H
#define IPL_TESTS_RANDOM_OPS_H

#include "tests/lab.h"

void random_begin(uint64_t seed);
/** 0 .. @below - 1 */
uint64_t random_draw(uint64_t below);
/** Let some time pass, and call an operation: IPL_OK, IPL_REFUSED, or a bug. */
enum ipl_status random_step(struct lab *lab);

#endif
