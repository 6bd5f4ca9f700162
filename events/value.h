/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of nil, booleans, numbers, text, arrays and maps: what a request is
 * made of when a door has decoded it, and what an answer is made of before a
 * door encodes it. Every door has its own bytes; all share this tree.
 *
 * Nodes live in an arena and are passed by value; arrays and maps grow there.
 * A builder that runs out of arena drops the addition and leaves
 * arena->failed set, so one check at the end is enough.
 */
#ifndef IPL_EVENTS_VALUE_H
#define IPL_EVENTS_VALUE_H

#include "events/base.h"

/* The request's outer array counts as depth 1. */
#define IPL_VALUE_DEPTH_MAX 32

enum ipl_value_type {
	IPL_VALUE_NIL = 0,
	IPL_VALUE_BOOL,
	IPL_VALUE_INT,   /* -2^63 .. 2^63-1 */
	IPL_VALUE_FLOAT, /* also an integer above 2^63-1 that a client sent */
	IPL_VALUE_STR,   /* UTF-8 */
	IPL_VALUE_ARRAY,
	IPL_VALUE_MAP, /* keys are text, in the order of insertion */
	IPL_VALUE_EXT, /* a MessagePack extension: nothing here takes one */
};

struct ipl_member;

struct ipl_value {
	enum ipl_value_type type;
	uint32_t count; /* of items or members */
	uint32_t cap;
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct ipl_str str;
		struct ipl_value *item;
		struct ipl_member *member;
	};
};

struct ipl_member {
	struct ipl_str key;
	struct ipl_value value;
};

static inline struct ipl_value ipl_nil(void)
{
	return (struct ipl_value){ .type = IPL_VALUE_NIL };
}

static inline struct ipl_value ipl_bool(bool boolean)
{
	return (struct ipl_value){ .type = IPL_VALUE_BOOL, .boolean = boolean };
}

static inline struct ipl_value ipl_int(int64_t integer)
{
	return (struct ipl_value){ .type = IPL_VALUE_INT, .integer = integer };
}

/** Text, borrowed: it must live as long as the tree. An absent text becomes "". */
static inline struct ipl_value ipl_text(struct ipl_str str)
{
	return (struct ipl_value){ .type = IPL_VALUE_STR,
				   .str = str.at == NULL ? IPL_STR("") : str };
}

/** Text of a literal or another string that outlives the tree. */
struct ipl_value ipl_text_of(const char *literal);
/** A copy of a terminated string in the arena. */
struct ipl_value ipl_text_copy(struct ipl_arena *arena, const char *text);
/** Text that is printed into the arena. */
struct ipl_value ipl_textf(struct ipl_arena *arena, const char *format, ...) IPL_PRINTF(2, 3);

static inline struct ipl_value ipl_array(void)
{
	return (struct ipl_value){ .type = IPL_VALUE_ARRAY };
}

static inline struct ipl_value ipl_map(void)
{
	return (struct ipl_value){ .type = IPL_VALUE_MAP };
}

/** Append @item to @array. */
void ipl_array_add(struct ipl_arena *arena, struct ipl_value *array, struct ipl_value item);
/** Append the member @key (borrowed, not looked for: the caller adds a key once). */
void ipl_map_add(struct ipl_arena *arena, struct ipl_value *map, const char *key,
		 struct ipl_value value);
void ipl_map_add_str(struct ipl_arena *arena, struct ipl_value *map, struct ipl_str key,
		     struct ipl_value value);
/** Set the member @key: replaced where it stands, else appended. */
void ipl_map_set(struct ipl_arena *arena, struct ipl_value *map, struct ipl_str key,
		 struct ipl_value value);
/** The member @key of a map; NULL where there is none or @map is no map. */
const struct ipl_value *ipl_map_get(const struct ipl_value *map, const char *key);
const struct ipl_value *ipl_map_get_str(const struct ipl_value *map, struct ipl_str key);
/** The text of the member @key; absent where it is missing or no text. */
struct ipl_str ipl_map_text(const struct ipl_value *map, const char *key);
/** The member at a dotted path such as "InstanceIdSets.InstanceIdSet.1" (indexes from 1), or NULL.
 */
const struct ipl_value *ipl_value_at(const struct ipl_value *value, struct ipl_str path);

/** At least as many bytes as @value has as MessagePack. */
size_t ipl_value_bytes(const struct ipl_value *value);
bool ipl_value_equal(const struct ipl_value *a, const struct ipl_value *b);
/** A deep copy into @arena, sharing nothing with @value. */
struct ipl_value ipl_value_copy(struct ipl_arena *arena, const struct ipl_value *value);
/** What a value is, for messages: "a number", "text", "a map", … */
const char *ipl_value_type_name(enum ipl_value_type type);

#endif
