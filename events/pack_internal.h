/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msgpack-c's packer, made for our buffer. Its own one calls a function for each piece, through a
 * pointer; its template is there for others to be made, and this one is compiled into its place.
 * <msgpack/pack.h> cannot be included beside it: the names are the same, the first argument is not.
 */
#ifndef IPL_EVENTS_PACK_INTERNAL_H
#define IPL_EVENTS_PACK_INTERNAL_H

#include "events/base.h"

#include <msgpack/pack_define.h>
#include <msgpack/sysdep.h>
#include <msgpack/timestamp.h>

static inline int ipl_pack_piece(struct ipl_buf *out, const void *bytes, size_t len)
{
	ipl_buf_append(out, bytes, len); /* where memory is short out->failed says so */
	return 0;
}

#define msgpack_pack_inline_func(name)               static inline int msgpack_pack##name
#define msgpack_pack_inline_func_cint(name)          static inline int msgpack_pack##name
#define msgpack_pack_user                            struct ipl_buf *
#define msgpack_pack_append_buffer(user, bytes, len) return ipl_pack_piece(user, bytes, len)
#include <msgpack/pack_template.h>

static inline void ipl_pack_str(struct ipl_buf *out, const char *at, size_t len)
{
	msgpack_pack_str(out, len);
	msgpack_pack_str_body(out, at, len);
}

static inline void ipl_pack_bin(struct ipl_buf *out, const void *at, size_t len)
{
	msgpack_pack_bin(out, len);
	msgpack_pack_bin_body(out, at, len);
}

#endif
