/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a tree (the bytes are MessagePack).
 * Claimed: written as JSON and read again it is the same tree; written as XML it is well
 * formed: every tag is closed, no character is one that XML has no place for, and its text
 * is UTF-8.
 */
#include "events/json.h"
#include "events/msgpack.h"
#include "server/xml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define OPEN_MAX 64

static void check(bool holds)
{
	if (!holds)
		abort();
}

/*
 * What JSON brings back as it was: it has no NaN, a number may come back as an integer or with
 * other last digits, and one level more is read as MessagePack than as JSON.
 */
static bool is_exact(const struct ipl_value *value, int depth)
{
	if (value->type == IPL_VALUE_FLOAT || value->type == IPL_VALUE_EXT ||
	    depth > IPL_VALUE_DEPTH_MAX)
		return false;
	if (value->type == IPL_VALUE_STR && memchr(value->str.at, 0, value->str.len) != NULL)
		return false; /* jansson refuses NUL unless asked */
	for (uint32_t i = 0; value->type == IPL_VALUE_ARRAY && i < value->count; i++) {
		if (!is_exact(&value->item[i], depth + 1))
			return false;
	}
	for (uint32_t i = 0; value->type == IPL_VALUE_MAP && i < value->count; i++) {
		struct ipl_value key = ipl_text(value->member[i].key);
		if (!is_exact(&key, depth) || !is_exact(&value->member[i].value, depth + 1))
			return false;
	}
	return true;
}

static void check_json(struct ipl_arena *arena, const struct ipl_value *tree)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);
	struct ipl_value again;
	struct ipl_buf out = { 0 };

	ipl_json_write(&out, tree, IPL_JSON_COMPACT);
	check(ipl_str_is_utf8((struct ipl_str){ (const char *)out.at, out.len }));
	if (is_exact(tree, 1)) {
		check(ipl_json_parse(arena, (struct ipl_str){ (const char *)out.at, out.len },
				     &again, &err) == IPL_OK);
		check(ipl_value_equal(tree, &again));
	}
	ipl_buf_release(&out);
}

/* Reads one element's tags; @open has the names of those that are open. */
static size_t check_tag(const char *at, size_t left, struct ipl_str open[OPEN_MAX], size_t *depth)
{
	const char *end = memchr(at, '>', left);
	bool closes = left > 1 && at[1] == '/';
	struct ipl_str name;

	check(end != NULL);
	name = (struct ipl_str){ at + 1 + closes, (size_t)(end - at) - 1 - closes };
	if (name.len > 0 && memchr(name.at, ' ', name.len) != NULL)
		name.len = (size_t)((const char *)memchr(name.at, ' ', name.len) - name.at);
	check(name.len > 0);
	if (closes) {
		check(*depth > 0 && ipl_str_equal(open[*depth - 1], name));
		--*depth;
	} else {
		check(*depth < OPEN_MAX);
		open[(*depth)++] = name;
	}
	return (size_t)(end - at) + 1;
}

static void check_xml(const struct ipl_value *tree)
{
	struct ipl_str open[OPEN_MAX];
	struct ipl_buf out = { 0 };
	size_t depth = 0, i;
	const char *text;

	ipl_xml_write(&out, "Root", tree);
	text = (const char *)out.at;
	check(ipl_str_is_utf8((struct ipl_str){ text, out.len }));
	check(out.len > 38 && memcmp(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", 38) == 0);
	for (i = 38; i < out.len;) {
		check((uint8_t)text[i] >= 0x20);
		if (text[i] == '<') {
			i += check_tag(text + i, out.len - i, open, &depth);
			continue;
		}
		check(depth > 0 && text[i] != '>' && text[i] != '"');
		if (text[i] == '&')
			check(memchr(text + i, ';', out.len - i < 8 ? out.len - i : 8) != NULL);
		i++;
	}
	check(depth == 0);
	ipl_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ipl_arena arena;
	struct ipl_error err;
	struct ipl_value tree;

	ipl_arena_init(&arena, (size_t)64 << 20);
	err = (struct ipl_error)IPL_ERROR_INIT(&arena);
	if (len <= 65536 && ipl_msgpack_parse(&arena, bytes, len, &tree, &err) == IPL_OK) {
		check_json(&arena, &tree);
		if (tree.type == IPL_VALUE_MAP)
			check_xml(&tree);
	}
	ipl_arena_release(&arena);
	return 0;
}
