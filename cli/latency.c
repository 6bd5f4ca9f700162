/* SPDX-License-Identifier: Apache-2.0 */
/* A histogram of latencies. */
#include "cli/load.h"

void ipl_latency_add(struct ipl_latency *latency, int64_t ns)
{
	uint64_t us16 = ns < 0 ? 0 : (uint64_t)ns * 16 / 1000;
	uint32_t at = 0;

	if (us16 >= 16) {
		uint32_t power = 63u - (uint32_t)__builtin_clzll(us16); /* at least 4 */
		at = (power - 4) * 16 + (uint32_t)(us16 >> (power - 4)) - 16 + 16;
	}
	latency->bucket[at < IPL_LATENCY_BUCKETS ? at : IPL_LATENCY_BUCKETS - 1]++;
	latency->count++;
	if (ns > latency->max_ns)
		latency->max_ns = ns;
}

int64_t ipl_latency_at(const struct ipl_latency *latency, double share)
{
	uint64_t wanted = (uint64_t)((double)latency->count * share), seen = 0;
	int64_t ns;

	if (latency->count == 0)
		return 0;
	for (uint32_t at = 0; at < IPL_LATENCY_BUCKETS; at++) {
		seen += latency->bucket[at];
		if (seen <= wanted && seen != latency->count)
			continue;
		if (at == 0)
			return 1000;
		/* The upper end: 16 buckets to each power of two of a microsecond. */
		ns = (int64_t)((((uint64_t)(at % 16) + 17) << (at / 16)) * 1000 / 32);
		return ns < latency->max_ns ? ns : latency->max_ns;
	}
	return latency->max_ns;
}
