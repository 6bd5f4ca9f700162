/* SPDX-License-Identifier: Apache-2.0 */
/* XML out. Nothing here reads XML. */
#include "server/xml.h"

#include <math.h>
#include <string.h>

static void put(struct ipl_buf *out, const char *text)
{
	ipl_buf_append(out, text, strlen(text));
}

/* What stands for @c in text and in attributes; NULL: itself. */
static const char *escaped(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\n':
		return "&#10;";
	case '\t':
		return "&#9;";
	case '\r':
		return "&#13;";
	default:
		return c < 0x20 ? "\xef\xbf\xbd" : NULL;
	}
}

/* U+FFFE and U+FFFF are the only others that XML 1.0 has no place for. */
static bool is_noncharacter(struct ipl_str s, size_t i)
{
	return s.len - i >= 3 && (uint8_t)s.at[i] == 0xef && (uint8_t)s.at[i + 1] == 0xbf &&
	       (uint8_t)s.at[i + 2] >= 0xbe;
}

static void put_text(struct ipl_buf *out, struct ipl_str s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.len; i++) {
		const char *instead = escaped((unsigned char)s.at[i]);
		size_t skip = 1;
		if (instead == NULL && is_noncharacter(s, i)) {
			instead = "\xef\xbf\xbd";
			skip = 3;
		}
		if (instead == NULL)
			continue;
		ipl_buf_append(out, s.at + from, i - from);
		put(out, instead);
		from = i + skip;
		i = from - 1;
	}
	if (s.len > from)
		ipl_buf_append(out, s.at + from, s.len - from);
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_name(struct ipl_str key)
{
	if (key.len == 0 || !is_letter(key.at[0]))
		return false;
	for (size_t i = 1; i < key.len; i++) {
		char c = key.at[i];
		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '.')
			return false;
	}
	return true;
}

static void put_tag(struct ipl_buf *out, struct ipl_str key, bool opens)
{
	if (is_name(key)) {
		ipl_buf_printf(out, opens ? "<%.*s>" : "</%.*s>", IPL_STR_ARG(key));
	} else if (opens) {
		put(out, "<Item name=\"");
		put_text(out, key);
		put(out, "\">");
	} else {
		put(out, "</Item>");
	}
}

static void put_members(struct ipl_buf *out, const struct ipl_value *map);

static void put_value(struct ipl_buf *out, struct ipl_str key, const struct ipl_value *value)
{
	if (value->type == IPL_VALUE_ARRAY) {
		for (uint32_t i = 0; i < value->count; i++)
			put_value(out, key, &value->item[i]);
		return;
	}
	put_tag(out, key, true);
	switch (value->type) {
	case IPL_VALUE_NIL:
	case IPL_VALUE_EXT:
	case IPL_VALUE_ARRAY:
		break;
	case IPL_VALUE_BOOL:
		put(out, value->boolean ? "true" : "false");
		break;
	case IPL_VALUE_INT:
		ipl_buf_printf(out, "%lld", (long long)value->integer);
		break;
	case IPL_VALUE_FLOAT:
		if (isfinite(value->number))
			ipl_buf_printf(out, "%.17g", value->number);
		break;
	case IPL_VALUE_STR:
		put_text(out, value->str);
		break;
	case IPL_VALUE_MAP:
		put_members(out, value);
		break;
	}
	put_tag(out, key, false);
}

static void put_members(struct ipl_buf *out, const struct ipl_value *map)
{
	for (uint32_t i = 0; i < map->count; i++)
		put_value(out, map->member[i].key, &map->member[i].value);
}

void ipl_xml_write(struct ipl_buf *out, const char *root, const struct ipl_value *map)
{
	put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
	put_value(out, ipl_str_of(root), map);
}
