/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 over what comes bit by bit, for rooms that see no library for it. */
#ifndef IPL_STORE_DIGEST_H
#define IPL_STORE_DIGEST_H

#include "events/base.h"

#define IPL_DIGEST_BYTES 32

struct ipl_digest {
	uint64_t inside[16];
};

void ipl_digest_begin(struct ipl_digest *digest);
void ipl_digest_add(struct ipl_digest *digest, const void *bytes, size_t len);
void ipl_digest_end(struct ipl_digest *digest, uint8_t out[IPL_DIGEST_BYTES]);

#endif
