/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by way of jansson, which is strict where we want it strict (repeated
 * keys, UTF-8, 64-bit integers). Writing is ours: the tree's order is kept.
 */
#include "events/json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static struct ipl_value convert(struct ipl_arena *arena, json_t *json, int depth, bool *too_deep)
{
	struct ipl_value value = ipl_nil();

	if (depth > IPL_VALUE_DEPTH_MAX) {
		*too_deep = true;
		return value;
	}
	switch (json_typeof(json)) {
	case JSON_NULL:
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		value = ipl_bool(json_is_true(json));
		break;
	case JSON_INTEGER:
		value = ipl_int(json_integer_value(json));
		break;
	case JSON_REAL:
		value = (struct ipl_value){ .type = IPL_VALUE_FLOAT,
					    .number = json_real_value(json) };
		break;
	case JSON_STRING:
		value = ipl_text(
			ipl_arena_str(arena, (struct ipl_str){ json_string_value(json),
							       json_string_length(json) }));
		break;
	case JSON_ARRAY:
		value = ipl_array();
		for (size_t i = 0; i < json_array_size(json); i++)
			ipl_array_add(arena, &value,
				      convert(arena, json_array_get(json, i), depth + 1, too_deep));
		break;
	case JSON_OBJECT: {
		const char *key;
		json_t *member;
		value = ipl_map();
		json_object_foreach (json, key, member)
			ipl_map_add_str(arena, &value, ipl_arena_str(arena, ipl_str_of(key)),
					convert(arena, member, depth + 1, too_deep));
		break;
	}
	}
	return value;
}

enum ipl_status ipl_json_parse(struct ipl_arena *arena, struct ipl_str text, struct ipl_value *out,
			       struct ipl_error *err)
{
	json_error_t wrong;
	json_t *json = json_loadb(text.at == NULL ? "" : text.at, text.len,
				  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &wrong);
	bool too_deep = false;

	if (json == NULL)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "line %d, column %d: %.*s",
				  wrong.line, wrong.column, (int)sizeof(wrong.text), wrong.text);
	*out = convert(arena, json, 1, &too_deep);
	json_decref(json);
	if (too_deep)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "JSON is nested deeper than %d levels", IPL_VALUE_DEPTH_MAX);
	if (arena->failed)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory while reading JSON");
	return IPL_OK;
}

static void write_text(struct ipl_buf *out, struct ipl_str s)
{
	static const char *const shorts[0x20] = {
		['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t",
	};
	size_t from = 0;

	ipl_buf_append(out, "\"", 1);
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = (uint8_t)s.at[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		ipl_buf_append(out, s.at + from, i - from);
		from = i + 1;
		if (c >= 0x20)
			ipl_buf_printf(out, "\\%c", c);
		else if (shorts[c] != NULL)
			ipl_buf_append(out, shorts[c], 2);
		else
			ipl_buf_printf(out, "\\u%04x", c);
	}
	if (s.len > from)
		ipl_buf_append(out, s.at + from, s.len - from);
	ipl_buf_append(out, "\"", 1);
}

static void line_break(struct ipl_buf *out, enum ipl_json_style style, int depth)
{
	if (style == IPL_JSON_PRETTY)
		ipl_buf_printf(out, "\n%*s", depth * 2, "");
}

static void write_value(struct ipl_buf *out, const struct ipl_value *value,
			enum ipl_json_style style, int depth)
{
	bool is_map = value->type == IPL_VALUE_MAP;

	switch (value->type) {
	case IPL_VALUE_NIL:
	case IPL_VALUE_EXT:
		ipl_buf_append(out, "null", 4);
		break;
	case IPL_VALUE_BOOL:
		ipl_buf_printf(out, "%s", value->boolean ? "true" : "false");
		break;
	case IPL_VALUE_INT:
		ipl_buf_printf(out, "%lld", (long long)value->integer);
		break;
	case IPL_VALUE_FLOAT:
		if (isfinite(value->number))
			ipl_buf_printf(out, "%.17g", value->number);
		else
			ipl_buf_append(out, "null", 4);
		break;
	case IPL_VALUE_STR:
		write_text(out, value->str);
		break;
	case IPL_VALUE_ARRAY:
	case IPL_VALUE_MAP:
		ipl_buf_append(out, is_map ? "{" : "[", 1);
		for (uint32_t i = 0; i < value->count; i++) {
			if (i > 0)
				ipl_buf_append(out, ",", 1);
			line_break(out, style, depth + 1);
			if (is_map) {
				write_text(out, value->member[i].key);
				ipl_buf_append(out, ": ", style == IPL_JSON_PRETTY ? 2 : 1);
			}
			write_value(out, is_map ? &value->member[i].value : &value->item[i], style,
				    depth + 1);
		}
		if (value->count > 0)
			line_break(out, style, depth);
		ipl_buf_append(out, is_map ? "}" : "]", 1);
		break;
	}
}

void ipl_json_write(struct ipl_buf *out, const struct ipl_value *value, enum ipl_json_style style)
{
	write_value(out, value, style, 0);
}
