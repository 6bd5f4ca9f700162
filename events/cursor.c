/* SPDX-License-Identifier: Apache-2.0 */
/* Values to bytes, by msgpack-c's packer. */
#include "events/cursor.h"

#include "events/pack_internal.h"

void ipl_pack_array(struct ipl_buf *out, uint32_t count)
{
	msgpack_pack_array(out, count);
}

void ipl_pack_uint(struct ipl_buf *out, uint64_t n)
{
	msgpack_pack_uint64(out, n);
}

void ipl_pack_bool(struct ipl_buf *out, bool b)
{
	const uint8_t byte = b ? 0xc3 : 0xc2;

	ipl_buf_append(out, &byte, 1);
}

void ipl_pack_text(struct ipl_buf *out, struct ipl_str s)
{
	ipl_pack_str(out, s.at == NULL ? "" : s.at, s.len);
}
