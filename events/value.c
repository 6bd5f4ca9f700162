/* SPDX-License-Identifier: Apache-2.0 */
/* Building and reading trees of values. */
#include "events/value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define COUNT_MIN 4u

struct ipl_value ipl_text_of(const char *literal)
{
	return ipl_text(ipl_str_of(literal));
}

struct ipl_value ipl_text_copy(struct ipl_arena *arena, const char *text)
{
	return ipl_text(ipl_arena_str(arena, ipl_str_of(text)));
}

struct ipl_value ipl_textf(struct ipl_arena *arena, const char *format, ...)
{
	char text[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < sizeof(text));
	return ipl_text(ipl_arena_str(arena, (struct ipl_str){ text, (size_t)len }));
}

/* Room for one more of @size bytes at *@at; false without. */
static bool grow(struct ipl_arena *arena, void **at, struct ipl_value *container, size_t size)
{
	uint32_t cap = container->cap == 0 ? COUNT_MIN : container->cap * 2;
	void *grown;

	if (container->count < container->cap)
		return true;
	grown = ipl_arena_array(arena, cap, size);
	if (grown == NULL)
		return false;
	if (container->count > 0)
		memcpy(grown, *at, container->count * size);
	*at = grown;
	container->cap = cap;
	return true;
}

void ipl_array_add(struct ipl_arena *arena, struct ipl_value *array, struct ipl_value item)
{
	void *at = array->item;

	assert(array->type == IPL_VALUE_ARRAY);
	if (!grow(arena, &at, array, sizeof(item)))
		return;
	array->item = at;
	array->item[array->count++] = item;
}

void ipl_map_add_str(struct ipl_arena *arena, struct ipl_value *map, struct ipl_str key,
		     struct ipl_value value)
{
	void *at = map->member;

	assert(map->type == IPL_VALUE_MAP);
	if (!grow(arena, &at, map, sizeof(*map->member)))
		return;
	map->member = at;
	map->member[map->count++] = (struct ipl_member){ key, value };
}

void ipl_map_add(struct ipl_arena *arena, struct ipl_value *map, const char *key,
		 struct ipl_value value)
{
	ipl_map_add_str(arena, map, ipl_str_of(key), value);
}

void ipl_map_set(struct ipl_arena *arena, struct ipl_value *map, struct ipl_str key,
		 struct ipl_value value)
{
	for (uint32_t i = 0; i < map->count; i++) {
		if (ipl_str_equal(map->member[i].key, key)) {
			map->member[i].value = value;
			return;
		}
	}
	ipl_map_add_str(arena, map, key, value);
}

const struct ipl_value *ipl_map_get_str(const struct ipl_value *map, struct ipl_str key)
{
	if (map == NULL || map->type != IPL_VALUE_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->count; i++) {
		if (ipl_str_equal(map->member[i].key, key))
			return &map->member[i].value;
	}
	return NULL;
}

const struct ipl_value *ipl_map_get(const struct ipl_value *map, const char *key)
{
	if (map == NULL || map->type != IPL_VALUE_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->count; i++) {
		if (ipl_str_is(map->member[i].key, key))
			return &map->member[i].value;
	}
	return NULL;
}

struct ipl_str ipl_map_text(const struct ipl_value *map, const char *key)
{
	const struct ipl_value *value = ipl_map_get(map, key);

	return value == NULL || value->type != IPL_VALUE_STR ? IPL_STR_NONE : value->str;
}

const struct ipl_value *ipl_value_at(const struct ipl_value *value, struct ipl_str path)
{
	while (value != NULL && path.len > 0) {
		const char *dot = memchr(path.at, '.', path.len);
		size_t len = dot == NULL ? path.len : (size_t)(dot - path.at);
		struct ipl_str step = { path.at, len };
		int64_t index;

		if (value->type == IPL_VALUE_ARRAY)
			value = ipl_str_to_int(step, &index) && index >= 1 &&
						index <= value->count ?
					&value->item[index - 1] :
					NULL;
		else
			value = ipl_map_get_str(value, step);
		path.at += len + (dot != NULL);
		path.len -= len + (dot != NULL);
	}
	return value;
}

size_t ipl_value_bytes(const struct ipl_value *value)
{
	size_t bytes = 9; /* the longest header, and the longest number */

	if (value->type == IPL_VALUE_STR)
		return 5 + value->str.len;
	for (uint32_t i = 0; value->type == IPL_VALUE_ARRAY && i < value->count; i++)
		bytes += ipl_value_bytes(&value->item[i]);
	for (uint32_t i = 0; value->type == IPL_VALUE_MAP && i < value->count; i++)
		bytes += 5 + value->member[i].key.len + ipl_value_bytes(&value->member[i].value);
	return bytes;
}

static bool equal_members(const struct ipl_value *a, const struct ipl_value *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const struct ipl_value *other = ipl_map_get_str(b, a->member[i].key);
		if (other == NULL || !ipl_value_equal(&a->member[i].value, other))
			return false;
	}
	return true;
}

/* As deep as trees are: IPL_VALUE_DEPTH_MAX. */
bool ipl_value_equal(const struct ipl_value *a, const struct ipl_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case IPL_VALUE_NIL:
	case IPL_VALUE_EXT:
		return true;
	case IPL_VALUE_BOOL:
		return a->boolean == b->boolean;
	case IPL_VALUE_INT:
		return a->integer == b->integer;
	case IPL_VALUE_FLOAT:
		return a->number == b->number;
	case IPL_VALUE_STR:
		return ipl_str_equal(a->str, b->str);
	case IPL_VALUE_MAP:
		return a->count == b->count && equal_members(a, b);
	case IPL_VALUE_ARRAY:
		if (a->count != b->count)
			return false;
		for (uint32_t i = 0; i < a->count; i++) {
			if (!ipl_value_equal(&a->item[i], &b->item[i]))
				return false;
		}
		return true;
	}
	return false;
}

struct ipl_value ipl_value_copy(struct ipl_arena *arena, const struct ipl_value *value)
{
	struct ipl_value copy = *value;

	if (value->type == IPL_VALUE_STR) {
		copy = ipl_text(ipl_arena_str(arena, value->str));
	} else if (value->type == IPL_VALUE_ARRAY) {
		copy = ipl_array();
		for (uint32_t i = 0; i < value->count; i++)
			ipl_array_add(arena, &copy, ipl_value_copy(arena, &value->item[i]));
	} else if (value->type == IPL_VALUE_MAP) {
		copy = ipl_map();
		for (uint32_t i = 0; i < value->count; i++)
			ipl_map_add_str(arena, &copy, ipl_arena_str(arena, value->member[i].key),
					ipl_value_copy(arena, &value->member[i].value));
	}
	return copy;
}

const char *ipl_value_type_name(enum ipl_value_type type)
{
	switch (type) {
	case IPL_VALUE_NIL:
		return "nil";
	case IPL_VALUE_BOOL:
		return "a boolean";
	case IPL_VALUE_INT:
		return "an integer";
	case IPL_VALUE_FLOAT:
		return "a number that is no 64-bit integer";
	case IPL_VALUE_STR:
		return "text";
	case IPL_VALUE_ARRAY:
		return "an array";
	case IPL_VALUE_MAP:
		return "a map";
	case IPL_VALUE_EXT:
		return "an extension type";
	}
	return "something unknown";
}
