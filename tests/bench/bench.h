/* SPDX-License-Identifier: Apache-2.0 */
/* What benches share: a clock, an end that says why, and medians with their spread. */
#ifndef IPL_TESTS_BENCH_H
#define IPL_TESTS_BENCH_H

#include "events/base.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_ROUNDS_MAX 64u

static inline double bench_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void bench_must(enum ipl_status st, const struct ipl_error *err)
{
	if (st == IPL_OK)
		return;
	fprintf(stderr, "bench: %s\n", err->text);
	exit(1);
}

struct bench_spread {
	double least, median, most;
};

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/** Of @count numbers, BENCH_ROUNDS_MAX at most. */
static inline struct bench_spread bench_spread(const double *number, size_t count)
{
	double sorted[BENCH_ROUNDS_MAX];

	assert(count > 0 && count <= BENCH_ROUNDS_MAX);
	memcpy(sorted, number, count * sizeof(*number));
	qsort(sorted, count, sizeof(*sorted), bench_compare);
	return (struct bench_spread){ sorted[0], sorted[count / 2], sorted[count - 1] };
}

#endif
