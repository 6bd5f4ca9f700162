/* SPDX-License-Identifier: Apache-2.0 */
/* YAML and CSV. */
#include "cli/format.h"

#include <string.h>

#include "events/json.h"

#define DEPTH_MAX IPL_VALUE_DEPTH_MAX

static void put(struct ipl_buf *out, const char *text)
{
	ipl_buf_append(out, text, strlen(text));
}

/* --- YAML --- */

/* Whether a plain scalar would be read as this text and nothing else. */
static bool is_plain(struct ipl_str s)
{
	static const char *const words[] = {
		"true", "false", "null", "yes",   "no",   "on",  "off",
		"y",    "n",     "True", "False", "Null", "Yes", "No"
	};

	if (s.len == 0 ||
	    !((s.at[0] >= 'a' && s.at[0] <= 'z') || (s.at[0] >= 'A' && s.at[0] <= 'Z')))
		return false;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(words); i++) {
		if (ipl_str_is(s, words[i]))
			return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_' || c == '.' || c == '/'))
			return false;
	}
	return true;
}

static bool is_empty(const struct ipl_value *value)
{
	return (value->type == IPL_VALUE_ARRAY || value->type == IPL_VALUE_MAP) &&
	       value->count == 0;
}

static bool is_nested(const struct ipl_value *value)
{
	return (value->type == IPL_VALUE_ARRAY || value->type == IPL_VALUE_MAP) && value->count > 0;
}

/* JSON's scalars are YAML's. */
static void yaml_scalar(struct ipl_buf *out, const struct ipl_value *value)
{
	if (value->type == IPL_VALUE_STR && is_plain(value->str))
		ipl_buf_append(out, value->str.at, value->str.len);
	else if (is_empty(value))
		put(out, value->type == IPL_VALUE_ARRAY ? "[]" : "{}");
	else
		ipl_json_write(out, value, IPL_JSON_COMPACT);
}

static void indent(struct ipl_buf *out, int depth)
{
	for (int i = 0; i < depth; i++)
		put(out, "  ");
}

/* @depth: of the lines of what is nested. The first line goes on where @out stands. */
static void yaml_block(struct ipl_buf *out, const struct ipl_value *value, int depth)
{
	for (uint32_t i = 0; i < value->count; i++) {
		const struct ipl_value *item =
			value->type == IPL_VALUE_MAP ? &value->member[i].value : &value->item[i];
		if (i > 0)
			indent(out, depth);
		if (value->type == IPL_VALUE_MAP) {
			struct ipl_value key = ipl_text(value->member[i].key);
			yaml_scalar(out, &key);
			put(out, ":");
		} else {
			put(out, "-");
		}
		if (!is_nested(item) || depth >= DEPTH_MAX) {
			put(out, " ");
			yaml_scalar(out, item);
			put(out, "\n");
		} else if (value->type == IPL_VALUE_MAP) {
			put(out, "\n");
			indent(out, depth + 1);
			yaml_block(out, item, depth + 1);
		} else {
			put(out, " ");
			yaml_block(out, item, depth + 1);
		}
	}
}

void ipl_yaml_write(struct ipl_buf *out, const struct ipl_value *value)
{
	if (is_nested(value)) {
		yaml_block(out, value, 0);
		return;
	}
	yaml_scalar(out, value);
	put(out, "\n");
}

/* --- CSV --- */

static void csv_text(struct ipl_buf *out, struct ipl_str s)
{
	bool is_quoted = s.len > 0 && (s.at[0] == ' ' || s.at[s.len - 1] == ' ');

	for (size_t i = 0; i < s.len; i++)
		is_quoted = is_quoted || strchr(",\"\r\n", s.at[i]) != NULL;
	if (!is_quoted) {
		ipl_buf_append(out, s.at, s.len);
		return;
	}
	put(out, "\"");
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '"')
			put(out, "\"");
		ipl_buf_append(out, &s.at[i], 1);
	}
	put(out, "\"");
}

/* {"VSwitchId": […]}: how the cloud's lists stand in its answers. */
static const struct ipl_value *unwrapped(const struct ipl_value *value)
{
	bool is_wrapper = value->type == IPL_VALUE_MAP && value->count == 1 &&
			  value->member[0].value.type == IPL_VALUE_ARRAY;

	return is_wrapper ? &value->member[0].value : value;
}

static void csv_cell(struct ipl_buf *out, const struct ipl_value *value)
{
	struct ipl_buf json = { 0 };

	if (value == NULL || value->type == IPL_VALUE_NIL)
		return;
	if (value->type == IPL_VALUE_STR) {
		csv_text(out, value->str);
		return;
	}
	ipl_json_write(&json, unwrapped(value), IPL_JSON_COMPACT);
	csv_text(out, (struct ipl_str){ (const char *)json.at, json.len });
	ipl_buf_release(&json);
}

/* The names of all rows, in the order in which they come first. */
static struct ipl_value columns_of(struct ipl_arena *arena, const struct ipl_value *rows)
{
	struct ipl_value columns = ipl_map();

	for (uint32_t r = 0; r < rows->count; r++) {
		for (uint32_t i = 0; i < rows->item[r].count; i++)
			ipl_map_set(arena, &columns, rows->item[r].member[i].key, ipl_nil());
	}
	return columns;
}

static void csv_rows(struct ipl_buf *out, struct ipl_arena *arena, const struct ipl_value *rows)
{
	struct ipl_value columns = columns_of(arena, rows);

	for (uint32_t c = 0; c < columns.count; c++) {
		put(out, c == 0 ? "" : ",");
		csv_text(out, columns.member[c].key);
	}
	put(out, "\r\n");
	for (uint32_t r = 0; r < rows->count; r++) {
		for (uint32_t c = 0; c < columns.count; c++) {
			put(out, c == 0 ? "" : ",");
			csv_cell(out, ipl_map_get_str(&rows->item[r], columns.member[c].key));
		}
		put(out, "\r\n");
	}
}

/* The same whether the list has elements or none, so that a program knows what it gets. */
static const struct ipl_value *list_of(const struct ipl_value *result)
{
	const struct ipl_value *value = result;

	if (result->type == IPL_VALUE_MAP) {
		uint32_t i = 0;
		while (i < result->count && result->member[i].value.type != IPL_VALUE_MAP &&
		       result->member[i].value.type != IPL_VALUE_ARRAY)
			i++;
		if (i == result->count)
			return NULL;
		value = unwrapped(&result->member[i].value);
	}
	if (value->type != IPL_VALUE_ARRAY ||
	    (value->count > 0 && value->item[0].type != IPL_VALUE_MAP))
		return NULL;
	return value;
}

void ipl_csv_write(struct ipl_buf *out, struct ipl_arena *arena, const struct ipl_value *value)
{
	const struct ipl_value *rows = list_of(value);

	if (rows != NULL) {
		if (rows->count > 0)
			csv_rows(out, arena, rows);
		return;
	}
	put(out, "Name,Value\r\n");
	for (uint32_t i = 0; value->type == IPL_VALUE_MAP && i < value->count; i++) {
		csv_text(out, value->member[i].key);
		put(out, ",");
		csv_cell(out, &value->member[i].value);
		put(out, "\r\n");
	}
}
