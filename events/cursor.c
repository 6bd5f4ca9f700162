/* SPDX-License-Identifier: Apache-2.0 */
/* Values to bytes, by msgpack-c's packer. */
#include "events/cursor.h"

#include <msgpack/pack.h>

static int write_bytes(void *context, const char *bytes, size_t len)
{
	ipl_buf_append(context, bytes, len);
	return 0;
}

void ipl_pack_array(struct ipl_buf *out, uint32_t count)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, out, write_bytes);
	msgpack_pack_array(&pk, count);
}

void ipl_pack_uint(struct ipl_buf *out, uint64_t n)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, out, write_bytes);
	msgpack_pack_uint64(&pk, n);
}

void ipl_pack_bool(struct ipl_buf *out, bool b)
{
	const uint8_t byte = b ? 0xc3 : 0xc2;

	ipl_buf_append(out, &byte, 1);
}

void ipl_pack_text(struct ipl_buf *out, struct ipl_str s)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, out, write_bytes);
	msgpack_pack_str_with_body(&pk, s.at == NULL ? "" : s.at, s.len);
}
