/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by libsodium. */
#include "store/digest.h"

#include <sodium/crypto_hash_sha256.h>

#include <assert.h>

static_assert(sizeof(struct ipl_digest) >= sizeof(crypto_hash_sha256_state), "it fits inside");
static_assert(IPL_DIGEST_BYTES == crypto_hash_sha256_BYTES, "it is a SHA-256");

static crypto_hash_sha256_state *state_of(struct ipl_digest *digest)
{
	return (crypto_hash_sha256_state *)digest->inside;
}

void ipl_digest_begin(struct ipl_digest *digest)
{
	crypto_hash_sha256_init(state_of(digest));
}

void ipl_digest_add(struct ipl_digest *digest, const void *bytes, size_t len)
{
	crypto_hash_sha256_update(state_of(digest), bytes, len);
}

void ipl_digest_end(struct ipl_digest *digest, uint8_t out[IPL_DIGEST_BYTES])
{
	crypto_hash_sha256_final(state_of(digest), out);
}
