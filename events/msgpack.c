/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner, and value trees from and to MessagePack by msgpack-c. */
#include "events/msgpack.h"

#include <msgpack/unpack.h>

#include <stdlib.h>
#include <string.h>

#include "events/hash.h"
#include "events/pack_internal.h"

/* Above this many members a map's keys are compared by a table, not each with each. */
#define KEYS_COMPARED_MAX 16u

/* --- the scanner --- */

/* What a header byte announces: bytes of length field, bytes of body, or objects inside. */
struct head {
	uint8_t len_bytes; /* of the length that follows; 0: the length is in `fixed` */
	uint32_t fixed;    /* body bytes, or objects */
	uint8_t per_item;  /* 0: a body of bytes; 1: an array; 2: a map */
	uint8_t extra;     /* bytes beside the body (an extension's type) */
	bool invalid;
};

static struct head head_of(uint8_t byte)
{
	static const uint8_t number_bytes[] = { 4, 8, 1, 2, 4, 8, 1, 2, 4, 8 };

	if (byte <= 0x7f || byte >= 0xe0 || byte == 0xc0 || byte == 0xc2 || byte == 0xc3)
		return (struct head){ 0 };
	if (byte <= 0x8f)
		return (struct head){ .fixed = byte & 0x0fu, .per_item = 2 };
	if (byte <= 0x9f)
		return (struct head){ .fixed = byte & 0x0fu, .per_item = 1 };
	if (byte <= 0xbf)
		return (struct head){ .fixed = byte & 0x1fu };
	if (byte >= 0xc4 && byte <= 0xc6)
		return (struct head){ .len_bytes = (uint8_t)(1u << (byte - 0xc4)) };
	if (byte >= 0xc7 && byte <= 0xc9)
		return (struct head){ .len_bytes = (uint8_t)(1u << (byte - 0xc7)), .extra = 1 };
	if (byte >= 0xca && byte <= 0xd3)
		return (struct head){ .fixed = number_bytes[byte - 0xca] };
	if (byte >= 0xd4 && byte <= 0xd8)
		return (struct head){ .fixed = (1u << (byte - 0xd4)) + 1u };
	if (byte >= 0xd9 && byte <= 0xdb)
		return (struct head){ .len_bytes = (uint8_t)(1u << (byte - 0xd9)) };
	if (byte == 0xdc || byte == 0xdd)
		return (struct head){ .len_bytes = byte == 0xdc ? 2 : 4, .per_item = 1 };
	if (byte == 0xde || byte == 0xdf)
		return (struct head){ .len_bytes = byte == 0xde ? 2 : 4, .per_item = 2 };
	return (struct head){ .invalid = true };
}

static uint64_t length_after(const uint8_t *at, uint8_t len_bytes, uint32_t fixed)
{
	uint64_t n = 0;

	if (len_bytes == 0)
		return fixed;
	for (uint8_t i = 0; i < len_bytes; i++)
		n = n << 8 | at[i];
	return n;
}

/* One object is behind us: so may be those that hold it. True when the outermost is. */
static bool close_object(struct ipl_scanner *s)
{
	while (s->depth > 0) {
		if (--s->left[s->depth - 1] > 0)
			return false;
		s->depth--;
	}
	return true;
}

/* Look at one header. IPL_SCAN_WHOLE: go on with the next one (or it is the end). */
static enum ipl_scan scan_head(struct ipl_scanner *s, const uint8_t *bytes, size_t len,
			       size_t limit, bool *done)
{
	struct head head = head_of(bytes[s->offset]);
	size_t at = s->offset + 1;
	uint64_t size;

	if (head.invalid)
		return IPL_SCAN_INVALID;
	if (len - at < head.len_bytes)
		return at + head.len_bytes > limit ? IPL_SCAN_TOO_LARGE : IPL_SCAN_MORE;
	size = length_after(bytes + at, head.len_bytes, head.fixed);
	at += head.len_bytes;
	if (head.per_item > 0 && s->depth == IPL_VALUE_DEPTH_MAX)
		return IPL_SCAN_TOO_DEEP;
	if (at > limit || size * (head.per_item > 0 ? head.per_item : 1) + head.extra > limit - at)
		return IPL_SCAN_TOO_LARGE;
	if (head.per_item > 0 && size > 0) {
		s->left[s->depth++] = size * head.per_item;
		s->offset = at;
		*done = false;
		return IPL_SCAN_WHOLE;
	}
	if (head.per_item == 0)
		at += size + head.extra;
	if (at > len)
		return IPL_SCAN_MORE; /* looked at again when all of it is here */
	s->offset = at;
	*done = close_object(s);
	return IPL_SCAN_WHOLE;
}

enum ipl_scan ipl_scan(struct ipl_scanner *scanner, const uint8_t *bytes, size_t len,
		       size_t limit_bytes, size_t *size_bytes)
{
	bool done = false;

	while (scanner->offset < len) {
		enum ipl_scan found;
		/* Whatever comes next, and whether it is here already. */
		if (scanner->offset >= limit_bytes)
			return IPL_SCAN_TOO_LARGE;
		found = scan_head(scanner, bytes, len, limit_bytes, &done);
		if (found != IPL_SCAN_WHOLE)
			return found;
		if (done) {
			*size_bytes = scanner->offset;
			*scanner = (struct ipl_scanner){ 0 };
			return IPL_SCAN_WHOLE;
		}
	}
	return scanner->offset >= limit_bytes ? IPL_SCAN_TOO_LARGE : IPL_SCAN_MORE;
}

/* --- from bytes --- */

struct converter {
	struct ipl_arena *arena;
	const char *wrong;
	bool borrows; /* text stays where it is */
};

static struct ipl_value convert(struct converter *c, const msgpack_object *object);

static struct ipl_str convert_text(struct converter *c, const char *at, uint32_t len)
{
	struct ipl_str s = { at == NULL ? "" : at, len };

	if (!ipl_str_is_utf8(s))
		c->wrong = "text is not UTF-8";
	return c->borrows ? s : ipl_arena_str(c->arena, s);
}

static bool has_repeated_key(struct ipl_arena *arena, const struct ipl_value *map)
{
	uint32_t slots = 1;
	uint32_t *table;

	if (map->count <= KEYS_COMPARED_MAX) {
		for (uint32_t i = 1; i < map->count; i++) {
			for (uint32_t k = 0; k < i; k++) {
				if (ipl_str_equal(map->member[i].key, map->member[k].key))
					return true;
			}
		}
		return false;
	}
	while (slots < map->count * 2)
		slots *= 2;
	table = ipl_arena_array(arena, slots, sizeof(*table));
	for (uint32_t i = 0; table != NULL && i < map->count; i++) {
		struct ipl_str key = map->member[i].key;
		uint32_t at = (uint32_t)ipl_hash64(key.at, key.len) & (slots - 1);
		for (; table[at] != 0; at = (at + 1) & (slots - 1)) {
			if (ipl_str_equal(map->member[table[at] - 1].key, key))
				return true;
		}
		table[at] = i + 1;
	}
	return false;
}

static struct ipl_value convert_map(struct converter *c, const msgpack_object_map *from)
{
	struct ipl_value map = ipl_map();

	for (uint32_t i = 0; i < from->size && c->wrong == NULL; i++) {
		const msgpack_object *key = &from->ptr[i].key;
		struct ipl_str text;
		if (key->type == MSGPACK_OBJECT_STR)
			text = convert_text(c, key->via.str.ptr, key->via.str.size);
		else if (key->type == MSGPACK_OBJECT_BIN)
			text = convert_text(c, key->via.bin.ptr, key->via.bin.size);
		else {
			c->wrong = "a map's key is not text";
			break;
		}
		ipl_map_add_str(c->arena, &map, text, convert(c, &from->ptr[i].val));
	}
	if (c->wrong == NULL && !c->arena->failed && has_repeated_key(c->arena, &map))
		c->wrong = "a map has the same key twice";
	return map;
}

/* As deep as the scanner let it be. */
static struct ipl_value convert(struct converter *c, const msgpack_object *object)
{
	struct ipl_value array;

	switch (object->type) {
	case MSGPACK_OBJECT_NIL:
		return ipl_nil();
	case MSGPACK_OBJECT_BOOLEAN:
		return ipl_bool(object->via.boolean);
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		if (object->via.u64 <= INT64_MAX)
			return ipl_int((int64_t)object->via.u64);
		return (struct ipl_value){ .type = IPL_VALUE_FLOAT,
					   .number = (double)object->via.u64 };
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return ipl_int(object->via.i64);
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return (struct ipl_value){ .type = IPL_VALUE_FLOAT, .number = object->via.f64 };
	case MSGPACK_OBJECT_STR:
		return ipl_text(convert_text(c, object->via.str.ptr, object->via.str.size));
	case MSGPACK_OBJECT_BIN:
		return ipl_text(convert_text(c, object->via.bin.ptr, object->via.bin.size));
	case MSGPACK_OBJECT_ARRAY:
		array = ipl_array();
		for (uint32_t i = 0; i < object->via.array.size && c->wrong == NULL; i++)
			ipl_array_add(c->arena, &array, convert(c, &object->via.array.ptr[i]));
		return array;
	case MSGPACK_OBJECT_MAP:
		return convert_map(c, &object->via.map);
	case MSGPACK_OBJECT_EXT:
		break;
	}
	return (struct ipl_value){ .type = IPL_VALUE_EXT };
}

/* By msgpack-c into @zone, then into the tree. */
static enum ipl_status read_object(msgpack_zone *zone, struct converter *c, const uint8_t *bytes,
				   size_t len, struct ipl_value *out, struct ipl_error *err)
{
	struct ipl_scanner scanner = { 0 };
	size_t size = 0, offset = 0;
	msgpack_unpack_return rc;
	msgpack_object object;

	/* msgpack-c reserves what a header claims: the scanner has seen that it is all there. */
	if (ipl_scan(&scanner, bytes, len, len, &size) != IPL_SCAN_WHOLE || size != len)
		return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
				  "these %zu bytes are not exactly one MessagePack object", len);
	rc = msgpack_unpack((const char *)bytes, len, &offset, zone, &object);
	if (rc == MSGPACK_UNPACK_SUCCESS || rc == MSGPACK_UNPACK_EXTRA_BYTES)
		*out = convert(c, &object);
	else
		c->wrong = rc == MSGPACK_UNPACK_NOMEM_ERROR ? NULL : "it is not MessagePack";
	if (rc == MSGPACK_UNPACK_NOMEM_ERROR)
		c->arena->failed = c->arena->is_starved = true;
	if (c->wrong != NULL)
		return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST, "malformed request: %s",
				  c->wrong);
	if (c->arena->failed)
		return ipl_error_set(err, IPL_ERR_NOMEM,
				     "%zu bytes of MessagePack take more memory than they may",
				     len);
	return IPL_OK;
}

enum ipl_status ipl_msgpack_parse(struct ipl_arena *arena, const uint8_t *bytes, size_t len,
				  struct ipl_value *out, struct ipl_error *err)
{
	struct converter c = { .arena = arena };
	msgpack_zone zone;
	enum ipl_status st;

	if (!msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE))
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	st = read_object(&zone, &c, bytes, len, out, err);
	msgpack_zone_destroy(&zone);
	return st;
}

struct ipl_unpacker {
	msgpack_zone zone;
};

struct ipl_unpacker *ipl_unpacker_new(void)
{
	struct ipl_unpacker *unpacker = malloc(sizeof(*unpacker));

	if (unpacker != NULL && !msgpack_zone_init(&unpacker->zone, MSGPACK_ZONE_CHUNK_SIZE)) {
		free(unpacker);
		return NULL;
	}
	return unpacker;
}

void ipl_unpacker_free(struct ipl_unpacker *unpacker)
{
	if (unpacker == NULL)
		return;
	msgpack_zone_destroy(&unpacker->zone);
	free(unpacker);
}

enum ipl_status ipl_unpacker_read(struct ipl_unpacker *unpacker, struct ipl_arena *arena,
				  const uint8_t *bytes, size_t len, struct ipl_value *out,
				  struct ipl_error *err)
{
	struct converter c = { .arena = arena, .borrows = true };

	msgpack_zone_clear(&unpacker->zone); /* one chunk stays */
	return read_object(&unpacker->zone, &c, bytes, len, out, err);
}

/* --- to bytes --- */

void ipl_msgpack_write(struct ipl_buf *out, const struct ipl_value *value)
{
	switch (value->type) {
	case IPL_VALUE_NIL:
		msgpack_pack_nil(out);
		break;
	case IPL_VALUE_BOOL:
		value->boolean ? msgpack_pack_true(out) : msgpack_pack_false(out);
		break;
	case IPL_VALUE_INT:
		msgpack_pack_int64(out, value->integer);
		break;
	case IPL_VALUE_FLOAT:
		msgpack_pack_double(out, value->number);
		break;
	case IPL_VALUE_STR:
		ipl_pack_str(out, value->str.at, value->str.len);
		break;
	case IPL_VALUE_ARRAY:
		msgpack_pack_array(out, value->count);
		for (uint32_t i = 0; i < value->count; i++)
			ipl_msgpack_write(out, &value->item[i]);
		break;
	case IPL_VALUE_MAP:
		msgpack_pack_map(out, value->count);
		for (uint32_t i = 0; i < value->count; i++) {
			ipl_pack_str(out, value->member[i].key.at, value->member[i].key.len);
			ipl_msgpack_write(out, &value->member[i].value);
		}
		break;
	case IPL_VALUE_EXT: /* is never sent: where a request is quoted, nil stands for it */
		msgpack_pack_nil(out);
		break;
	}
}
