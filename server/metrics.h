/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters, and how they are written for Prometheus (its text format 0.0.4). All
 * are plain numbers of the loop's thread: counting costs an addition, and a
 * histogram finds its bucket by the length of a number.
 */
#ifndef IPL_SERVER_METRICS_H
#define IPL_SERVER_METRICS_H

#include "events/base.h"

/* Bucket i holds what is at most 2^i units; the last one the rest. */
#define IPL_HISTOGRAM_BUCKETS 24u
/* The unit of times: 1024 ns; so they reach from a microsecond to 8 seconds. */
#define IPL_HISTOGRAM_NS_SHIFT 10u

struct ipl_histogram {
	uint64_t bucket[IPL_HISTOGRAM_BUCKETS + 1];
	uint64_t sum;
};

/** Count @value, whose unit is 2^shift. */
static inline void ipl_histogram_add(struct ipl_histogram *histogram, uint64_t value,
				     unsigned shift)
{
	uint64_t above = value == 0 ? 0 : (value - 1) >> shift; /* 0: within the first bucket */
	unsigned i = above == 0 ? 0 : 64 - (unsigned)__builtin_clzll(above);

	histogram->bucket[i < IPL_HISTOGRAM_BUCKETS ? i : IPL_HISTOGRAM_BUCKETS]++;
	histogram->sum += value;
}

/** A duration in nanoseconds. */
static inline void ipl_histogram_add_ns(struct ipl_histogram *histogram, int64_t ns)
{
	ipl_histogram_add(histogram, ns < 0 ? 0 : (uint64_t)ns, IPL_HISTOGRAM_NS_SHIFT);
}

/** The lines that begin a family: what it means, and its type (counter, gauge, histogram). */
void ipl_metric_family(struct ipl_buf *out, const char *name, const char *type, const char *help);
/** A family of one number without labels. */
void ipl_metric_one(struct ipl_buf *out, const char *name, const char *type, const char *help,
		    double value);
/** A family's histogram, of times or of counts; @labels is as "kind=\"read\"", or "". */
void ipl_metric_histogram_ns(struct ipl_buf *out, const char *name, const char *labels,
			     const struct ipl_histogram *histogram);
void ipl_metric_histogram_count(struct ipl_buf *out, const char *name, const char *labels,
				const struct ipl_histogram *histogram);

#endif
