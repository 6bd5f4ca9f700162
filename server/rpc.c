/* SPDX-License-Identifier: Apache-2.0 */
/* MessagePack-RPC: [0, msgid, method, params] in, [1, msgid, error, result] out. */
#include "server/rpc.h"

#include "events/cursor.h"
#include "events/msgpack.h"

/* --- in --- */

static uint64_t take_be(const uint8_t *at, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | at[i];
	return n;
}

/* A number from 0 on, in any of its forms, at *@at; false where there is none. */
static bool take_number(const uint8_t *bytes, size_t len, size_t *at, uint64_t *out)
{
	size_t width;
	uint8_t head;

	if (*at >= len)
		return false;
	head = bytes[(*at)++];
	if (head <= 0x7f) {
		*out = head;
		return true;
	}
	if (head < 0xcc || head > 0xd3)
		return false;
	width = (size_t)1 << ((head - 0xcc) % 4);
	if (len - *at < width)
		return false;
	*out = take_be(bytes + *at, width);
	*at += width;
	return head <= 0xcf || *out >> (8 * width - 1) == 0; /* the others have a sign */
}

bool ipl_rpc_peek_msgid(const uint8_t *bytes, size_t len, uint32_t *msgid)
{
	uint64_t type, number;
	size_t at;

	if (len == 0)
		return false;
	at = bytes[0] >= 0x92 && bytes[0] <= 0x9f ? 1 :
	     bytes[0] == 0xdc                     ? 3 :
	     bytes[0] == 0xdd                     ? 5 :
						    0;
	if (at == 0 || !take_number(bytes, len, &at, &type) || type != 0 ||
	    !take_number(bytes, len, &at, &number) || number > UINT32_MAX)
		return false;
	*msgid = (uint32_t)number;
	return true;
}

static enum ipl_status malformed(struct ipl_error *err, const char *why)
{
	return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
			  "%s: a request is [0, msgid, \"Operation\", [{params}]]", why);
}

static bool is_nothing(const struct ipl_value *value)
{
	return value->type == IPL_VALUE_NIL ||
	       (value->type == IPL_VALUE_ARRAY && value->count == 0);
}

/* [{…}], [], [nil], [[]] and nil. */
static enum ipl_status parse_params(const struct ipl_value *value, struct ipl_frame *out,
				    struct ipl_error *err)
{
	if (is_nothing(value))
		return IPL_OK;
	if (value->type != IPL_VALUE_ARRAY || value->count > 1)
		return malformed(err, "the parameters are not an array of one map");
	if (is_nothing(&value->item[0]))
		return IPL_OK;
	if (value->item[0].type != IPL_VALUE_MAP)
		return malformed(err, "the parameter is not a map");
	out->params = &value->item[0];
	return IPL_OK;
}

enum ipl_status ipl_rpc_parse(struct ipl_unpacker *unpacker, const uint8_t *bytes, size_t len,
			      struct ipl_arena *arena, struct ipl_frame *out, struct ipl_error *err)
{
	struct ipl_value frame;
	enum ipl_status st;
	int64_t type;

	*out = (struct ipl_frame){ .is_request = true };
	out->has_msgid = ipl_rpc_peek_msgid(bytes, len, &out->msgid);
	st = ipl_unpacker_read(unpacker, arena, bytes, len, &frame, err);
	if (st != IPL_OK)
		return st;
	if (frame.type != IPL_VALUE_ARRAY || frame.count == 0 ||
	    frame.item[0].type != IPL_VALUE_INT)
		return malformed(err, "this is no MessagePack-RPC message");
	type = frame.item[0].integer;
	if ((type == 1 && frame.count == 4) || (type == 2 && frame.count == 3)) {
		out->is_request = false; /* an answer or a notification: we asked for neither */
		return IPL_OK;
	}
	if (type != 0 || frame.count != 4)
		return malformed(err, "this is no MessagePack-RPC request");
	if (!out->has_msgid)
		return malformed(err, "the msgid is not a number from 0 to 4294967295");
	if (frame.item[2].type != IPL_VALUE_STR)
		return malformed(err, "the operation's name is not text");
	out->operation = frame.item[2].str;
	return parse_params(&frame.item[3], out, err);
}

/* --- out --- */

static struct ipl_value error_map(struct ipl_arena *arena, const struct ipl_error *err,
				  const uint8_t request_id[IPL_REQUEST_ID_BYTES])
{
	struct ipl_value map = ipl_map();
	char uuid[IPL_UUID_TEXT_MAX];

	ipl_uuid_format(request_id, uuid);
	ipl_map_add(arena, &map, "Code", ipl_text_of(ipl_code_text(err->code)));
	ipl_map_add(arena, &map, "Message", ipl_text_of(err->text));
	ipl_map_add(arena, &map, "RequestId", ipl_text_copy(arena, uuid));
	ipl_map_add(arena, &map, "HttpStatus", ipl_int(ipl_code_http_status(err->code)));
	ipl_map_add(arena, &map, "Detail", err->detail == NULL ? ipl_map() : *err->detail);
	return map;
}

static struct ipl_value error_text(struct ipl_arena *arena, const struct ipl_error *err)
{
	return ipl_text(ipl_arena_printf(arena, "%s: %s", ipl_code_text(err->code), err->text));
}

static void write_frame(struct ipl_buf *out, uint32_t msgid, const struct ipl_value *error,
			const struct ipl_value *result)
{
	ipl_pack_array(out, 4);
	ipl_pack_uint(out, 1);
	ipl_pack_uint(out, msgid);
	ipl_msgpack_write(out, error);
	ipl_msgpack_write(out, result);
}

static void write_error(struct ipl_buf *out, uint32_t msgid, const struct ipl_error *err,
			const uint8_t request_id[IPL_REQUEST_ID_BYTES], bool as_map)
{
	const struct ipl_value nil = ipl_nil();
	struct ipl_arena arena;
	struct ipl_value error;

	ipl_arena_init(&arena, 65536);
	error = as_map ? error_map(&arena, err, request_id) : error_text(&arena, err);
	write_frame(out, msgid, &error, &nil);
	ipl_arena_release(&arena);
}

void ipl_rpc_write_answer(struct ipl_buf *out, uint32_t msgid, const struct ipl_answer *answer,
			  const uint8_t request_id[IPL_REQUEST_ID_BYTES], bool as_map)
{
	struct ipl_error too_long = IPL_ERROR_INIT(NULL);
	const struct ipl_error *err = &answer->err;
	const struct ipl_value nil = ipl_nil();
	size_t start = out->len;

	if (answer->status == IPL_OK) {
		write_frame(out, msgid, &nil, &answer->result);
		if (out->len - start <= IPL_ANSWER_BYTES_MAX)
			return;
		out->len = start;
		ipl_error_set(&too_long, IPL_ERR_NOMEM,
			      "the answer is longer than %zu bytes: ask for less with MaxResults",
			      IPL_ANSWER_BYTES_MAX);
		err = &too_long;
	}
	write_error(out, msgid, err, request_id, as_map);
}
