/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an expression: refused with a column, or parsed; then what is printed parses to
 * what prints the same, and both have the same value of the empty ledger, or the same refusal.
 */
#include "replay/expr.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum ipl_status ask(const struct ipl_expr *expr, const struct ipl_state *state,
			   struct ipl_arena *arena, struct ipl_value *out)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);
	struct ipl_lens lens;
	const struct ipl_expr_scope scope = { &lens, NULL, NULL, arena };

	ipl_lens_of_state(&lens, state, 0, &err);
	return ipl_expr_value(expr, &scope, out, &err);
}

static void check_again(const struct ipl_expr *expr, struct ipl_arena *arena)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);
	struct ipl_state *state = ipl_state_new();
	const struct ipl_expr *again = NULL;
	struct ipl_value a = ipl_nil(), b = ipl_nil();
	struct ipl_buf first = { 0 }, second = { 0 };
	enum ipl_status st;

	ipl_expr_print(expr, &first);
	st = ipl_expr_parse(arena, (struct ipl_str){ (const char *)first.at, first.len }, &again,
			    &err);
	/* Blanks make it longer: it may not fit any more. */
	if (st == IPL_OK) {
		ipl_expr_print(again, &second);
		assert(first.len == second.len && memcmp(first.at, second.at, first.len) == 0);
		assert(ask(expr, state, arena, &a) == ask(again, state, arena, &b));
		assert(ipl_value_equal(&a, &b));
	} else {
		assert(first.len > IPL_EXPR_BYTES_MAX);
	}
	ipl_buf_release(&first);
	ipl_buf_release(&second);
	ipl_state_free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(&arena);
	const struct ipl_expr *expr = NULL;

	ipl_arena_init(&arena, (size_t)16 << 20);
	if (ipl_expr_parse(&arena, (struct ipl_str){ (const char *)data, size }, &expr, &err) ==
	    IPL_OK)
		check_again(expr, &arena);
	else
		assert(err.text[0] != '\0');
	ipl_arena_release(&arena);
	return 0;
}
