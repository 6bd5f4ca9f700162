/* SPDX-License-Identifier: Apache-2.0 */
/* Fast digests for what is not secret (XXH3), and big-endian numbers. */
#ifndef IPL_EVENTS_HASH_H
#define IPL_EVENTS_HASH_H

#include "events/base.h"

/** XXH3-64 of the bytes: finds damage, resists nobody. */
uint64_t ipl_hash64(const void *bytes, size_t len);

/** XXH3-128: two different inputs are taken to differ. */
struct ipl_hash128 {
	uint64_t hi;
	uint64_t lo;
};
struct ipl_hash128 ipl_hash128(const void *bytes, size_t len);

static inline void ipl_put_be64(uint8_t out[8], uint64_t n)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(n >> (56 - 8 * i));
}

static inline uint64_t ipl_get_be64(const uint8_t in[8])
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | in[i];
	return n;
}

#endif
