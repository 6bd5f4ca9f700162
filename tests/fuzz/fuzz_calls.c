/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a few calls, one after the other, upon a small ledger: of each an operation of the table,
 * and parameters that the bytes choose by its table, or that are bytes of MessagePack.
 * Claimed: what tests/fuzz/ledger.h claims of every call.
 */
#include "tests/fuzz/ledger.h"

#include "events/msgpack.h"

#define CALLS_MAX 12
#define BYTES_MAX 4096u

/* The parameters as a client may send them: length, then bytes. */
static bool raw_params(struct fuzz_draw *draw, struct ipl_arena *arena, struct ipl_value *out)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);
	size_t len = (size_t)fuzz_byte(draw) * 2, left = (size_t)(draw->end - draw->at);
	const uint8_t *at = draw->at;

	len = len < left ? len : left;
	draw->at += len;
	if (ipl_msgpack_parse(arena, at, len, out, &err) == IPL_OK)
		return true;
	CHECK(err.code == IPL_CODE_MALFORMED_REQUEST && err.text[0] != '\0');
	return false;
}

static void call(struct fuzz_draw *draw, struct fuzz_ledger *ledger, struct ipl_arena *arena)
{
	uint8_t which = fuzz_byte(draw);
	bool is_raw = fuzz_below(draw, 8) == 7;
	size_t count = 0;
	const struct ipl_operation *operation;
	struct ipl_value params;

	while (ipl_operation_at(count) != NULL)
		count++;
	operation = ipl_operation_at(which % count);
	ledger->time_ms += (int64_t)fuzz_below(draw, 8) * 300;
	if (is_raw && !raw_params(draw, arena, &params))
		return;
	if (!is_raw)
		params = fuzz_params(draw, arena, ledger->state, operation);
	(void)fuzz_ledger_call(ledger, operation, &params);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_draw draw = { bytes, bytes + (len < BYTES_MAX ? len : BYTES_MAX) };
	struct fuzz_ledger ledger;
	struct ipl_arena arena;

	fuzz_ledger_open(&ledger, fuzz_below(&draw, 4) != 0);
	ipl_arena_init(&arena, (size_t)64 << 20);
	for (int i = 0; i < CALLS_MAX && draw.at < draw.end; i++) {
		ipl_arena_reset(&arena);
		call(&draw, &ledger, &arena);
	}
	ipl_arena_release(&arena);
	fuzz_ledger_close(&ledger);
	return 0;
}
