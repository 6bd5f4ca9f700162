/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: one event of each type, with its fields filled at random by the table.
 * Claimed: what is encoded decodes to the same and encodes to the same bytes;
 * msgpack-c reads the same; a changed, cut or lengthened event is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/event.h"
#include "events/hash.h"
#include "events/json.h"
#include "events/msgpack.h"

#include <msgpack/unpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 20261124;

static uint64_t draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 20) % below;
}

static void fill(struct ipl_arena *arena, const struct ipl_record *record, char *at);

static void fill_field(struct ipl_arena *arena, const struct ipl_field *field, char *at)
{
	static const uint64_t tops[] = {
		2, 0x80, 0x100, 0x10000, UINT64_C(1) << 32, UINT64_C(1) << 43
	};

	switch (field->kind) {
	case IPL_FIELD_BOOL:
		*(bool *)at = draw(2);
		break;
	case IPL_FIELD_STR:
		*(struct ipl_str *)at = ipl_arena_printf(arena, "%.*s", (int)draw(90),
							 "Grüße, a text that is long enough for "
							 "every header of a MessagePack string: "
							 "abcdefghijklmn");
		if (!ipl_str_is_utf8(*(struct ipl_str *)at))
			((struct ipl_str *)at)->len--;
		break;
	case IPL_FIELD_IP4:
		*(uint32_t *)at = (uint32_t)draw(tops[draw(5)]);
		break;
	case IPL_FIELD_CHARGE:
	case IPL_FIELD_RUN:
	case IPL_FIELD_MODE:
		*(uint32_t *)at = (uint32_t)draw(2);
		break;
	case IPL_FIELD_STOPPED:
		*(uint32_t *)at = (uint32_t)draw(3);
		break;
	case IPL_FIELD_CIDR4:
		*(struct ipl_cidr4 *)at = (struct ipl_cidr4){ (uint32_t)draw(256) << 24, 8 };
		break;
	case IPL_FIELD_CIDR6:
		*(struct ipl_cidr6 *)at = (struct ipl_cidr6){ draw(65536) << 48, 16 };
		break;
	case IPL_FIELD_IP6:
		*(struct ipl_ip6 *)at = (struct ipl_ip6){ draw(UINT64_C(1) << 43), draw(99) };
		break;
	case IPL_FIELD_RECORD:
		fill(arena, field->record, at);
		break;
	case IPL_FIELD_LIST: {
		struct ipl_any_list list = { .count = (uint32_t)draw(20) };
		list.at = ipl_arena_array(arena, list.count, field->record->size_bytes);
		for (uint32_t i = 0; i < list.count; i++)
			fill(arena, field->record,
			     (char *)list.at + (size_t)i * field->record->size_bytes);
		*(struct ipl_any_list *)at = list;
		break;
	}
	default:
		*(uint64_t *)at = draw(tops[draw(6)]);
		break;
	}
}

static void fill(struct ipl_arena *arena, const struct ipl_record *record, char *at)
{
	for (uint32_t i = 0; i < record->field_count; i++)
		fill_field(arena, &record->field[i], at + record->field[i].offset);
}

static struct ipl_event random_event(struct ipl_arena *arena, uint64_t type)
{
	struct ipl_event ev;
	struct ipl_touches touches;
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	ipl_event_init(&ev, (enum ipl_event_type)type);
	ev.seq = 1000 + draw(1u << 30);
	ev.time_ms = (int64_t)draw(UINT64_C(1) << 42);
	ev.op = (enum ipl_op)(1 + draw(IPL_OP_COUNT - 1));
	ev.principal = IPL_STR("uid:1000");
	ev.actor = IPL_STR("");
	ev.client_token = IPL_STR("token");
	ev.params_digest = draw(UINT64_C(1) << 43);
	ev.reason = IPL_STR("because");
	fill(arena, ipl_event_record(type), &ev.body);
	assert_int_equal(ipl_event_touches(arena, &ev, &touches, &err), IPL_OK);
	ev.link_count = touches.count;
	ev.links = ipl_arena_array(arena, touches.count, sizeof(*ev.links));
	for (uint32_t i = 0; i < touches.count; i++) {
		if (draw(3) > 0)
			ev.links[i] = (struct ipl_link){ 500 + draw(400), draw(400), 1 + draw(99) };
	}
	return ev;
}

static struct ipl_str encode(struct ipl_arena *arena, const struct ipl_event *ev)
{
	struct ipl_buf buf = { 0 };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_str bytes;

	assert_int_equal(ipl_event_encode(ev, &buf, &err), IPL_OK);
	bytes = ipl_arena_str(arena, (struct ipl_str){ (char *)buf.at, buf.len });
	ipl_buf_release(&buf);
	return bytes;
}

static void each_type(void (*check)(struct ipl_arena *arena, struct ipl_event *ev))
{
	for (int round = 0; round < 20; round++) {
		for (uint64_t type = 1; type <= IPL_EVENT_NUMBER_MAX; type++) {
			struct ipl_arena arena;
			struct ipl_event ev;
			if (ipl_event_record(type) == NULL)
				continue;
			ipl_arena_init(&arena, 64u << 20);
			ev = random_event(&arena, type);
			check(&arena, &ev);
			assert_false(arena.failed);
			ipl_arena_release(&arena);
		}
	}
}

static void check_round_trip(struct ipl_arena *arena, struct ipl_event *ev)
{
	struct ipl_str bytes = encode(arena, ev), again;
	struct ipl_event decoded;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_region_letters letters = ipl_region_letters(IPL_STR("cn-hangzhou"));
	struct ipl_value before, after;

	if (ipl_event_decode(bytes, arena, &decoded, &err) != IPL_OK)
		fail_msg("%s", err.text);
	again = encode(arena, &decoded);
	assert_true(ipl_str_equal(bytes, again));
	before = ipl_event_value(arena, letters, ev);
	after = ipl_event_value(arena, letters, &decoded);
	assert_true(ipl_value_equal(&before, &after));
}

static void test_round_trip(void **state)
{
	(void)state;
	each_type(check_round_trip);
}

static void check_msgpack(struct ipl_arena *arena, struct ipl_event *ev)
{
	struct ipl_str bytes = encode(arena, ev);
	msgpack_unpacked unpacked;
	size_t offset = 0;

	msgpack_unpacked_init(&unpacked);
	assert_int_equal(msgpack_unpack_next(&unpacked, bytes.at, bytes.len, &offset),
			 MSGPACK_UNPACK_SUCCESS);
	assert_int_equal(offset, bytes.len);
	assert_int_equal(unpacked.data.type, MSGPACK_OBJECT_ARRAY);
	assert_int_equal(unpacked.data.via.array.size, 16);
	assert_int_equal(unpacked.data.via.array.ptr[1].via.u64, ev->seq);
	assert_int_equal(unpacked.data.via.array.ptr[3].via.u64, ev->type);
	assert_int_equal(unpacked.data.via.array.ptr[13].via.array.size,
			 ipl_event_record(ev->type)->field_count);
	assert_int_equal(unpacked.data.via.array.ptr[14].via.array.size, ev->link_count * 3);
	msgpack_unpacked_destroy(&unpacked);
}

static void test_msgpack_reads_it(void **state)
{
	(void)state;
	each_type(check_msgpack);
}

/* Whatever is changed, the decoder refuses it or decodes it to exactly these bytes. */
static void check_hostile(struct ipl_arena *arena, struct ipl_event *ev)
{
	struct ipl_str bytes = encode(arena, ev);
	uint8_t *copy = malloc(bytes.len + 1);

	for (int round = 0; round < 60; round++) {
		struct ipl_arena scratch;
		struct ipl_event decoded;
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		size_t len = bytes.len - (draw(4) == 0 ? draw(bytes.len) : 0);
		struct ipl_str changed = { (char *)copy, len };

		memcpy(copy, bytes.at, bytes.len);
		if (len > 9) {
			copy[draw(len - 9)] ^= (uint8_t)(1 + draw(255));
			copy[len - 9] = 0xcf; /* the checksum is right: the rest must hold alone */
			ipl_put_be64(copy + len - 8, ipl_hash64(copy, len - 9));
		}
		ipl_arena_init(&scratch, 8u << 20);
		if (ipl_event_decode(changed, &scratch, &decoded, &err) == IPL_OK)
			assert_true(ipl_str_equal(encode(&scratch, &decoded), changed));
		ipl_arena_release(&scratch);
	}
	free(copy);
}

static void test_hostile_bytes(void **state)
{
	(void)state;
	each_type(check_hostile);
}

/* Where the number at @at ends. */
static size_t after_number(const uint8_t *bytes, size_t at)
{
	return bytes[at] < 0xcc ? at + 1 : at + 1 + ((size_t)1 << (bytes[at] - 0xcc));
}

/* The type, and then the operation, with 2^32 added: an encoding that is not ours. */
static void check_wide(struct ipl_arena *arena, struct ipl_event *ev)
{
	struct ipl_str bytes = encode(arena, ev);
	const uint8_t *from = (const uint8_t *)bytes.at;
	size_t at = after_number(from, after_number(from, 4)); /* array, version, seq, time */

	for (int field = 0; field < 2; field++, at++) {
		uint8_t *copy = malloc(bytes.len + 8);
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct ipl_event decoded;
		assert_true(from[at] < 0x80);
		memcpy(copy, from, at);
		copy[at] = 0xcf;
		ipl_put_be64(copy + at + 1, (UINT64_C(1) << 32) + from[at]);
		memcpy(copy + at + 9, from + at + 1, bytes.len - at - 1);
		ipl_put_be64(copy + bytes.len, ipl_hash64(copy, bytes.len - 1));
		assert_int_equal(ipl_event_decode((struct ipl_str){ (char *)copy, bytes.len + 8 },
						  arena, &decoded, &err),
				 IPL_ERR_CORRUPT);
		free(copy);
	}
}

/* One link more than the event touches things. */
static void check_links(struct ipl_arena *arena, struct ipl_event *ev)
{
	struct ipl_link *links = ipl_arena_array(arena, ev->link_count + 1, sizeof(*links));
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_event decoded;

	assert_non_null(links);
	memcpy(links, ev->links, ev->link_count * sizeof(*links));
	ev->links = links;
	ev->link_count++;
	assert_int_equal(ipl_event_decode(encode(arena, ev), arena, &decoded, &err),
			 IPL_ERR_CORRUPT);
}

static void test_a_link_for_each_touch(void **state)
{
	(void)state;
	each_type(check_links);
}

static void test_one_encoding_of_a_type(void **state)
{
	(void)state;
	each_type(check_wide);
}

static void check_one_bit(struct ipl_arena *arena, struct ipl_event *ev)
{
	struct ipl_str bytes = encode(arena, ev);
	struct ipl_event decoded;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	size_t at = draw(bytes.len);

	((char *)(uintptr_t)bytes.at)[at] ^= (char)(1u << draw(8));
	assert_int_equal(ipl_event_decode(bytes, arena, &decoded, &err), IPL_ERR_CORRUPT);
}

static void test_one_bit_is_damage(void **state)
{
	(void)state;
	each_type(check_one_bit);
}

static void test_names(void **state)
{
	struct ipl_arena arena;
	struct ipl_value schema;
	int named = 0;

	(void)state;
	for (uint64_t type = 1; type <= IPL_EVENT_NUMBER_MAX; type++) {
		assert_non_null(ipl_event_name(type));
		assert_int_equal(ipl_event_of_name(ipl_str_of(ipl_event_name(type))), type);
		named++;
	}
	assert_int_equal(named, 38);
	assert_null(ipl_event_name(0));
	assert_null(ipl_event_name(39));
	for (uint32_t op = 1; op < IPL_OP_COUNT; op++)
		assert_int_equal(ipl_op_of_name(ipl_str_of(ipl_op_name(op))), op);
	ipl_arena_init(&arena, 1u << 20);
	schema = ipl_event_schema(&arena);
	assert_int_equal(ipl_map_get(&schema, "Types")->count, 38);
	assert_false(arena.failed);
	ipl_arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_msgpack_reads_it),
		cmocka_unit_test(test_one_bit_is_damage),
		cmocka_unit_test(test_one_encoding_of_a_type),
		cmocka_unit_test(test_a_link_for_each_touch),
		cmocka_unit_test(test_hostile_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
