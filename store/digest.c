/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by OpenSSL, which uses the processor's own instructions for it. Its functions of old need
 * no context to be allocated and no algorithm to be looked up, either of which costs more than
 * the hash of an event; that they are called deprecated is about engines.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "store/digest.h"

#include <openssl/sha.h>

#include <assert.h>

static_assert(sizeof(struct ipl_digest) >= sizeof(SHA256_CTX), "it fits inside");
static_assert(IPL_DIGEST_BYTES == SHA256_DIGEST_LENGTH, "it is a SHA-256");

static SHA256_CTX *state_of(struct ipl_digest *digest)
{
	return (SHA256_CTX *)(void *)digest->inside;
}

/* None of these can fail: they touch the caller's memory alone. */

void ipl_digest_begin(struct ipl_digest *digest)
{
	SHA256_Init(state_of(digest));
}

void ipl_digest_add(struct ipl_digest *digest, const void *bytes, size_t len)
{
	SHA256_Update(state_of(digest), bytes, len);
}

void ipl_digest_end(struct ipl_digest *digest, uint8_t out[IPL_DIGEST_BYTES])
{
	SHA256_Final(out, state_of(digest));
}
