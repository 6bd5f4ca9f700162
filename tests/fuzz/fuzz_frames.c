/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a stream of bytes, and into which pieces it is cut on its way. The first byte says how
 * long a frame may be (small limits are met more often), then come up to 15 lengths of
 * pieces, which repeat, a zero, and the stream.
 * Claimed: the frames are the same however it was cut, and so is the msgid that is answered where
 * the border is lost; no frame is longer than it may be, nor one refused before it must; a frame
 * that is taken is one object for msgpack-c, too; parsed, packed and parsed again it is the same
 * tree.
 */
#include "tests/fuzz/ledger.h"

#include "events/msgpack.h"
#include "server/rpc.h"

#include <string.h>

#define FRAMES_MAX 64
#define PIECES_MAX 15

struct outcome {
	size_t size[FRAMES_MAX]; /* of each frame */
	enum ipl_status parsed[FRAMES_MAX];
	uint32_t msgid[FRAMES_MAX];
	uint32_t count;
	enum ipl_scan end;
	bool has_last; /* where the border was lost: who is told */
	uint32_t last;
};

/* One for all frames, as a server has it: nothing of one may be left for the next. */
static struct ipl_unpacker *unpacker;

static void check_tree(const uint8_t *bytes, size_t len, struct ipl_arena *arena)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);
	struct ipl_value tree, again;
	struct ipl_buf out = { 0 }, second = { 0 };
	enum ipl_status st;

	st = ipl_msgpack_parse(arena, bytes, len, &tree, &err);
	CHECK(ipl_unpacker_read(unpacker, arena, bytes, len, &again, &err) == st);
	if (st != IPL_OK)
		return;
	ipl_msgpack_write(&out, &again);
	ipl_msgpack_write(&second, &tree);
	CHECK(out.len == second.len && memcmp(out.at, second.at, out.len) == 0);
	second.len = 0;
	CHECK(out.len <= ipl_value_bytes(&tree));
	CHECK(ipl_msgpack_parse(arena, out.at, out.len, &again, &err) == IPL_OK);
	ipl_msgpack_write(&second, &again);
	CHECK(out.len == second.len && memcmp(out.at, second.at, out.len) == 0);
	ipl_buf_release(&out);
	ipl_buf_release(&second);
}

static void take_frame(const uint8_t *bytes, size_t len, struct outcome *out)
{
	struct ipl_arena arena;
	struct ipl_error err;
	struct ipl_frame frame;
	uint32_t peeked = 0;

	ipl_arena_init(&arena, (size_t)64 << 20);
	err = (struct ipl_error)IPL_ERROR_INIT(&arena);
	out->size[out->count] = len;
	out->parsed[out->count] = ipl_rpc_parse(unpacker, bytes, len, &arena, &frame, &err);
	out->msgid[out->count] = frame.has_msgid ? frame.msgid : 0;
	if (out->parsed[out->count] == IPL_OK) {
		CHECK(!frame.is_request || (frame.has_msgid && frame.operation.at != NULL));
		CHECK(frame.params == NULL || frame.params->type == IPL_VALUE_MAP);
		CHECK(!frame.is_request ||
		      (ipl_rpc_peek_msgid(bytes, len, &peeked) && peeked == frame.msgid));
	} else {
		CHECK(err.code == IPL_CODE_MALFORMED_REQUEST && err.text[0] != '\0');
	}
	check_tree(bytes, len, &arena);
	out->count++;
	ipl_arena_release(&arena);
}

/* The stream, in pieces as @piece says (they repeat; none: in one). */
static void take_stream(const uint8_t *bytes, size_t len, size_t limit, const uint8_t *piece,
			size_t pieces, struct outcome *out)
{
	struct ipl_scanner scanner = { 0 };
	size_t here = 0, at = 0, size;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; here < len; i++) {
		size_t more = pieces == 0 ? len : piece[i % pieces];
		here += more < len - here ? more : len - here;
		do {
			out->end = ipl_scan(&scanner, bytes + at, here - at, limit, &size);
			if (out->end != IPL_SCAN_WHOLE)
				break;
			CHECK(size > 0 && size <= limit && size <= here - at);
			take_frame(bytes + at, size, out);
			at += size;
		} while (at < here && out->count < FRAMES_MAX);
		if (out->count == FRAMES_MAX)
			return;
		if (out->end != IPL_SCAN_WHOLE && out->end != IPL_SCAN_MORE) {
			out->has_last = ipl_rpc_peek_msgid(bytes + at, scanner.offset, &out->last);
			return;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_draw draw = { bytes, bytes + len };
	uint8_t limit = fuzz_byte(&draw), piece[PIECES_MAX];
	struct outcome whole, cut, single;
	const uint8_t one = 1;
	size_t pieces = 0, left;

	if (unpacker == NULL)
		unpacker = ipl_unpacker_new();
	CHECK(unpacker != NULL);
	while (pieces < PIECES_MAX && draw.at < draw.end && *draw.at != 0)
		piece[pieces++] = fuzz_byte(&draw);
	(void)fuzz_byte(&draw);
	left = (size_t)(draw.end - draw.at);
	if (left > 65536)
		return 0;
	take_stream(draw.at, left, limit == 0 ? IPL_FRAME_BYTES_MAX : limit, NULL, 0, &whole);
	take_stream(draw.at, left, limit == 0 ? IPL_FRAME_BYTES_MAX : limit, piece, pieces, &cut);
	take_stream(draw.at, left, limit == 0 ? IPL_FRAME_BYTES_MAX : limit, &one, 1, &single);
	CHECK(memcmp(&whole, &cut, sizeof(whole)) == 0);
	CHECK(memcmp(&whole, &single, sizeof(whole)) == 0);
	return 0;
}
