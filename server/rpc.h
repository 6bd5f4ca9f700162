/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native door: MessagePack-RPC frames into calls and answers into frames.
 * Pure bytes; sockets are the connection's care.
 */
#ifndef IPL_SERVER_RPC_H
#define IPL_SERVER_RPC_H

#include "server/engine.h"

#define IPL_FRAME_BYTES_MAX  ((size_t)1 << 20)
#define IPL_ANSWER_BYTES_MAX ((size_t)4 << 20)

/** A frame, looked at. */
struct ipl_frame {
	bool is_request; /* else it is to be ignored */
	bool has_msgid;
	uint32_t msgid;
	struct ipl_str operation;
	const struct ipl_value *params; /* a map, or NULL for none */
};

/** The msgid of a frame that may be broken after it; false where it cannot be read. */
bool ipl_rpc_peek_msgid(const uint8_t *bytes, size_t len, uint32_t *msgid);

/**
 * Take a whole frame apart. Refused with MalformedRequest where it is no
 * MessagePack-RPC; out->has_msgid tells whether that can be answered. What @out has is borrowed
 * from @bytes and @arena.
 */
struct ipl_unpacker;
enum ipl_status ipl_rpc_parse(struct ipl_unpacker *unpacker, const uint8_t *bytes, size_t len,
			      struct ipl_arena *arena, struct ipl_frame *out,
			      struct ipl_error *err) IPL_MUST_USE;

/** Append the frame of an answer: result or error; @as_map says how an error looks. */
void ipl_rpc_write_answer(struct ipl_buf *out, uint32_t msgid, const struct ipl_answer *answer,
			  const uint8_t request_id[IPL_REQUEST_ID_BYTES], bool as_map);

#endif
