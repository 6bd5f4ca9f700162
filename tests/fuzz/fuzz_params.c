/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: bytes as a query or a form, for each operation in turn (the first byte chooses).
 * Claimed: no crash, no endless work; pairs encoded again are the same pairs; the tree
 * holds no more than the operation knows or must refuse; the table takes or refuses it.
 */
#include "server/params_http.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define ARENA_BYTES ((size_t)64 << 20)

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void put_encoded(struct ipl_buf *out, struct ipl_str s)
{
	for (size_t i = 0; i < s.len; i++)
		ipl_buf_printf(out, "%%%02x", (uint8_t)s.at[i]);
}

static void check_again(struct ipl_arena *arena, const struct ipl_pairs *pairs)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);
	struct ipl_pairs again = { 0 };
	struct ipl_buf text = { 0 };

	for (uint32_t i = 0; i < pairs->count; i++) {
		ipl_buf_printf(&text, "%s", i == 0 ? "" : "&");
		put_encoded(&text, pairs->at[i].name);
		ipl_buf_printf(&text, "=");
		put_encoded(&text, pairs->at[i].value);
	}
	check(ipl_pairs_parse(arena, (struct ipl_str){ (const char *)text.at, text.len }, &again,
			      &err) == IPL_OK);
	check(again.count == pairs->count);
	for (uint32_t i = 0; i < pairs->count; i++) {
		check(ipl_str_equal(again.at[i].name, pairs->at[i].name));
		check(ipl_str_equal(again.at[i].value, pairs->at[i].value));
	}
	ipl_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ipl_arena arena;
	struct ipl_error err;
	struct ipl_pairs pairs = { 0 };
	struct ipl_common common = { .dry_run = false };
	struct ipl_value tree;
	const struct ipl_operation *operation;

	if (len == 0 || len > 65536)
		return 0;
	operation = ipl_operation_at(bytes[0]);
	if (operation == NULL)
		return 0;
	ipl_arena_init(&arena, ARENA_BYTES);
	err = (struct ipl_error)IPL_ERROR_INIT(&arena);
	if (ipl_pairs_parse(&arena, (struct ipl_str){ (const char *)bytes + 1, len - 1 }, &pairs,
			    &err) == IPL_OK) {
		void *args = ipl_arena_alloc(&arena, operation->params->size_bytes);
		check_again(&arena, &pairs);
		if (ipl_params_tree(operation, &pairs, &arena, &tree, &err) == IPL_OK) {
			check(tree.type == IPL_VALUE_MAP && tree.count <= pairs.count);
			if (ipl_operation_parse(operation, &tree, &arena, args, &common, &err) !=
			    IPL_OK)
				check(err.code != IPL_CODE_NONE && err.text[0] != '\0');
		} else {
			check(err.code != IPL_CODE_NONE && err.text[0] != '\0');
		}
	}
	ipl_arena_release(&arena);
	return 0;
}
