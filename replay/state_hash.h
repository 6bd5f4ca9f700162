/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash of a whole state: SHA-256 over its rows (reducers/codec.h) in order,
 * of each the key as three big-endian numbers of 8 bytes, the value's length as
 * a fourth, and the value. Equal logs have equal hashes, on any machine.
 */
#ifndef IPL_REPLAY_STATE_HASH_H
#define IPL_REPLAY_STATE_HASH_H

#include "reducers/codec.h"
#include "store/digest.h"

/** Add a row to a hash that was begun with ipl_digest_begin(). */
void ipl_state_hash_row(struct ipl_digest *digest, struct ipl_key key, struct ipl_str value);
/** The hash of @state; what is asked of it stands at ipl_state_each_row(). */
enum ipl_status ipl_state_hash(const struct ipl_state *state, uint8_t out[IPL_DIGEST_BYTES],
			       struct ipl_error *err) IPL_MUST_USE;

#endif
