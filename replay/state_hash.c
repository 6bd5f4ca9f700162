/* SPDX-License-Identifier: Apache-2.0 */
/* Rows into one hash. */
#include "replay/state_hash.h"

#include "events/hash.h"

void ipl_state_hash_row(struct ipl_digest *digest, struct ipl_key key, struct ipl_str value)
{
	uint8_t head[32];

	ipl_put_be64(head, key.kind);
	ipl_put_be64(head + 8, key.a);
	ipl_put_be64(head + 16, key.b);
	ipl_put_be64(head + 24, value.len);
	ipl_digest_add(digest, head, sizeof(head));
	ipl_digest_add(digest, value.at, value.len);
}

static enum ipl_status add_row(void *context, struct ipl_key key, struct ipl_str value,
			       struct ipl_error *err)
{
	(void)err;
	ipl_state_hash_row(context, key, value);
	return IPL_OK;
}

enum ipl_status ipl_state_hash(const struct ipl_state *state, uint8_t out[IPL_DIGEST_BYTES],
			       struct ipl_error *err)
{
	struct ipl_digest digest;
	enum ipl_status st;

	ipl_digest_begin(&digest);
	st = ipl_state_each_row(state, add_row, &digest, err);
	if (st == IPL_OK)
		ipl_digest_end(&digest, out);
	return st;
}
