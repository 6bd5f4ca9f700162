/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3, from libxxhash. */
#include "events/hash.h"

#include <xxhash.h>

uint64_t ipl_hash64(const void *bytes, size_t len)
{
	return XXH3_64bits(bytes, len);
}

struct ipl_hash128 ipl_hash128(const void *bytes, size_t len)
{
	XXH128_hash_t hash = XXH3_128bits(bytes, len);

	return (struct ipl_hash128){ hash.high64, hash.low64 };
}
