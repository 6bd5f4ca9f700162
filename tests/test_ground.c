/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: addresses, ids, times, MessagePack and JSON as text and bytes, good and bad.
 * Claimed: what is right is read and printed in its one form, what is not is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/address.h"
#include "events/ident.h"
#include "events/json.h"
#include "events/msgpack.h"
#include "events/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_ip4(void **state)
{
	static const char *const bad[] = { "",         "1.2.3",    "1.2.3.4.5", "1.2.3.256",
					   "01.2.3.4", "1.2.3.4 ", "1..3.4",    "1.2.3.-4",
					   "a.b.c.d",  "1.2.3.",   "1234.1.1.1" };
	uint32_t ip;
	char text[IPL_IP4_TEXT_MAX];

	(void)state;
	assert_true(ipl_ip4_parse(IPL_STR("255.0.10.7"), &ip));
	assert_int_equal(ip, 0xff000a07);
	ipl_ip4_format(ip, text);
	assert_string_equal(text, "255.0.10.7");
	for (size_t i = 0; i < IPL_ARRAY_SIZE(bad); i++)
		assert_false(ipl_ip4_parse(ipl_str_of(bad[i]), &ip));
}

static void test_ip6(void **state)
{
	/* RFC 5952: the longest run of zeros, the first of equals, no single zero, lower case. */
	static const char *const rows[][2] = {
		{ "2001:DB8::1", "2001:db8::1" },
		{ "2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
		{ "1:0:0:2:0:0:0:3", "1:0:0:2::3" },
	};
	struct ipl_ip6 ip;
	char text[IPL_IP6_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(rows); i++) {
		assert_true(ipl_ip6_parse(ipl_str_of(rows[i][0]), &ip));
		ipl_ip6_format(ip, text);
		assert_string_equal(text, rows[i][1]);
	}
	assert_false(ipl_ip6_parse(IPL_STR("2001:db8::1%eth0"), &ip));
	assert_false(ipl_ip6_parse(IPL_STR("10.0.0.1"), &ip));
}

static void test_cidr(void **state)
{
	static const char *const bad[] = { "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/08",
					   "10.0.0.0",   "10.0.0.0/",   "/8" };
	struct ipl_cidr4 a, b;
	struct ipl_cidr6 six;
	char text[IPL_CIDR6_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(bad); i++)
		assert_false(ipl_cidr4_parse(ipl_str_of(bad[i]), &a));
	assert_true(ipl_cidr4_parse(IPL_STR("10.0.0.0/8"), &a));
	assert_true(ipl_cidr4_parse(IPL_STR("10.255.255.248/29"), &b));
	assert_true(ipl_cidr4_covers(a, b) && !ipl_cidr4_covers(b, a) && ipl_cidr4_overlaps(b, a));
	assert_int_equal(ipl_cidr4_size(b), 8);
	assert_int_equal(ipl_cidr4_last(b), 0x0affffff);
	assert_true(ipl_cidr4_parse(IPL_STR("0.0.0.0/0"), &a));
	assert_int_equal(ipl_cidr4_size(a), UINT64_C(1) << 32);
	assert_true(ipl_cidr4_contains(a, UINT32_MAX));
	assert_true(ipl_cidr6_parse(IPL_STR("2001:db8:0:ff00::/56"), &six));
	ipl_cidr6_format(six, text);
	assert_string_equal(text, "2001:db8:0:ff00::/56");
	assert_false(ipl_cidr6_parse(IPL_STR("2001:db8:0:ff01::/56"), &six));
	assert_false(ipl_cidr6_parse(IPL_STR("2001:db8::/65"), &six));
}

static void test_ids(void **state)
{
	struct ipl_region_letters letters = ipl_region_letters(IPL_STR("cn-hangzhou"));
	char text[IPL_ID_TEXT_MAX], other[IPL_ID_TEXT_MAX];
	enum ipl_kind kind;
	uint64_t number;

	(void)state;
	assert_string_equal(letters.at, "bp1");
	for (uint64_t n = 1; n < 20000; n += 7) {
		enum ipl_kind k = (enum ipl_kind)(1 + n % (IPL_KIND_COUNT - 1));
		ipl_id_format(letters, k, n, text);
		assert_int_equal(strlen(text), strlen(ipl_kind_prefix(k)) + 20);
		assert_true(ipl_id_parse(letters, ipl_str_of(text), &kind, &number));
		assert_true(kind == k && number == n);
		/* A mistyped id is an id of nothing. */
		memcpy(other, text, sizeof(text));
		other[strlen(text) - 1 - n % 17] ^= 1;
		assert_false(ipl_id_parse(letters, ipl_str_of(other), &kind, &number));
	}
	ipl_id_format(letters, IPL_KIND_VPC, UINT64_MAX, text);
	assert_true(ipl_id_parse(letters, ipl_str_of(text), &kind, &number));
	assert_true(number == UINT64_MAX);
	assert_false(ipl_id_parse(ipl_region_letters(IPL_STR("mars")), ipl_str_of(text), &kind,
				  &number));
	assert_false(ipl_id_parse(letters, IPL_STR("vpc-bp1zzzzzzzzzzzzzzzzz"), &kind, &number));
	ipl_mac_format(1, text);
	assert_memory_equal(text, "00:16:3e:", 9);
	ipl_mac_format(UINT64_C(1) << 24, text);
	assert_string_equal(text, "02:00:01:00:00:00");
}

/* Of the first 2^24 interfaces, and of those around the border: no two have one MAC address. */
static void test_macs(void **state)
{
	uint8_t *seen = calloc(1u << 24, 1);
	char text[IPL_MAC_TEXT_MAX], other[IPL_MAC_TEXT_MAX];

	(void)state;
	assert_non_null(seen);
	for (uint64_t n = 1; n < 1u << 24; n += n % 8 == 0 ? 97 : 1) {
		unsigned low[3];
		ipl_mac_format(n, text);
		assert_memory_equal(text, "00:16:3e:", 9);
		assert_int_equal(sscanf(text + 9, "%2x:%2x:%2x", &low[0], &low[1], &low[2]), 3);
		assert_int_equal(seen[low[0] << 16 | low[1] << 8 | low[2]]++, 0);
	}
	for (uint64_t n = (1u << 24) - 4; n < (1u << 24) + 4; n++) {
		for (uint64_t m = (1u << 24) - 4; m < n; m++) {
			ipl_mac_format(n, text);
			ipl_mac_format(m, other);
			assert_string_not_equal(text, other);
		}
	}
	free(seen);
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T23:59:59.999Z", 951868799999 },
		{ "2026-11-23T22:13:16.1239+08:00", 1795443196123 },
		{ "1969-12-31T23:59:59Z", -1000 },
		{ "0001-01-01T00:00:00Z", IPL_TIME_MS_MIN },
		{ "9999-12-31T23:59:59.999Z", IPL_TIME_MS_MAX },
		{ "2016-12-31t23:59:60z", 1483228799999 },
	};
	static const char *const bad[] = { "2026-02-29T00:00:00Z",
					   "2026-1-01T00:00:00Z",
					   "2026-01-01 00:00:00Z",
					   "2026-01-01T24:00:00Z",
					   "2026-01-01T00:00:00",
					   "2026-01-01T00:00:00.Z",
					   "9999-12-31T23:59:59-01:00",
					   "",
					   "now" };
	int64_t ms;
	char text[IPL_TIME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(good); i++) {
		assert_true(ipl_time_parse(ipl_str_of(good[i].text), &ms));
		assert_true(ms == good[i].ms);
		ipl_time_format(ms, text);
		assert_true(ipl_time_parse(ipl_str_of(text), &ms));
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < IPL_ARRAY_SIZE(bad); i++)
		assert_false(ipl_time_parse(ipl_str_of(bad[i]), &ms));
	ipl_time_format_minutes(951868799999, text);
	assert_string_equal(text, "2000-02-29T23:59Z");
}

static void test_scan(void **state)
{
	static const uint8_t whole[] = { 0x94, 0x00, 0x05, 0xa4, 'P', 'i',  'n',
					 'g',  0x91, 0x82, 0xa1, 'a', 0xcd, 0x01,
					 0x00, 0xa1, 'b',  0xc4, 2,   0xff, 0xfe };
	static const struct {
		const char *bytes;
		size_t len;
		enum ipl_scan want;
	} rows[] = {
		{ "\xc1", 1, IPL_SCAN_INVALID },
		{ "\xdd\xff\xff\xff\xff", 5, IPL_SCAN_TOO_LARGE },
		{ "\xdf\x00\x00\x10\x00", 5, IPL_SCAN_TOO_LARGE },
		{ "\xdb\x00\x00\x10\x01", 5, IPL_SCAN_TOO_LARGE },
		{ "\xc9\xff\xff\xff\xff\x01", 6, IPL_SCAN_TOO_LARGE },
		{ "\xd9", 1, IPL_SCAN_MORE },
		{ "\xc0", 1, IPL_SCAN_WHOLE },
		{ "\x90", 1, IPL_SCAN_WHOLE },
	};
	uint8_t deep[40];
	size_t size = 0;

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(rows); i++) {
		struct ipl_scanner scanner = { 0 };
		assert_int_equal(ipl_scan(&scanner, (const uint8_t *)rows[i].bytes, rows[i].len,
					  4096, &size),
				 rows[i].want);
	}
	for (size_t cut = 0; cut < sizeof(whole); cut++) {
		struct ipl_scanner scanner = { 0 };
		assert_int_equal(ipl_scan(&scanner, whole, cut, 4096, &size), IPL_SCAN_MORE);
		/* It goes on where it stopped. */
		assert_int_equal(ipl_scan(&scanner, whole, sizeof(whole), 4096, &size),
				 IPL_SCAN_WHOLE);
		assert_int_equal(size, sizeof(whole));
	}
	memset(deep, 0x91, sizeof(deep));
	deep[31] = 0xc0;
	struct ipl_scanner scanner = { 0 };
	assert_int_equal(ipl_scan(&scanner, deep, 32, 4096, &size), IPL_SCAN_WHOLE);
	memset(deep, 0x91, sizeof(deep));
	scanner = (struct ipl_scanner){ 0 };
	assert_int_equal(ipl_scan(&scanner, deep, 40, 4096, &size), IPL_SCAN_TOO_DEEP);
}

static void test_trees(void **state)
{
	static const char text[] =
		"{\"a\":[1,-1,9223372036854775807,true,null,\"\\u00fc\\n\"],\"b\":{\"c\":{}}}";
	static const char *const bad[] = {
		"{\"a\":1,\"a\":2}", "{", "[1,]", "{\"a\":1} x", "123456789012345678901234567890",
		"\"\xff\""
	};
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_value value, again;
	struct ipl_buf buf = { 0 };

	(void)state;
	ipl_arena_init(&arena, 1u << 20);
	assert_int_equal(ipl_json_parse(&arena, ipl_str_of(text), &value, &err), IPL_OK);
	assert_int_equal(ipl_value_at(&value, IPL_STR("a.3"))->integer, INT64_MAX);
	assert_null(ipl_value_at(&value, IPL_STR("a.7")));
	assert_null(ipl_value_at(&value, IPL_STR("b.x.y")));
	ipl_msgpack_write(&buf, &value);
	assert_true(buf.len <= ipl_value_bytes(&value));
	assert_int_equal(ipl_msgpack_parse(&arena, buf.at, buf.len, &again, &err), IPL_OK);
	assert_true(ipl_value_equal(&value, &again));
	buf.len = 0;
	ipl_json_write(&buf, &again, IPL_JSON_COMPACT);
	assert_int_equal(
		ipl_json_parse(&arena, (struct ipl_str){ (char *)buf.at, buf.len }, &value, &err),
		IPL_OK);
	assert_true(ipl_value_equal(&value, &again));
	for (size_t i = 0; i < IPL_ARRAY_SIZE(bad); i++)
		assert_int_equal(ipl_json_parse(&arena, ipl_str_of(bad[i]), &value, &err),
				 IPL_REFUSED);
	ipl_buf_release(&buf);
	ipl_arena_release(&arena);
}

/* Text and all: what is read in place is what is read into memory of its own. */
static void test_reading_in_place(void **state)
{
	static const char *const texts[] = {
		"{\"a\":[1,-1,true,null,\"\\u00fc\\n\"],\"b\":{\"c\":{}}}", "[]", "[[[[1]]],\"x\"]",
		"{\"a\":{\"b\":\"0123456789012345678901234567890123456789\"}}"
	};
	struct ipl_unpacker *unpacker = ipl_unpacker_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_value value, copied, lent;
	struct ipl_arena arena;
	struct ipl_buf buf = { 0 };

	(void)state;
	assert_non_null(unpacker);
	ipl_arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < 100 * IPL_ARRAY_SIZE(texts); i++) {
		const char *text = texts[i % IPL_ARRAY_SIZE(texts)];
		assert_int_equal(ipl_json_parse(&arena, ipl_str_of(text), &value, &err), IPL_OK);
		buf.len = 0;
		ipl_msgpack_write(&buf, &value);
		assert_int_equal(ipl_msgpack_parse(&arena, buf.at, buf.len, &copied, &err), IPL_OK);
		assert_int_equal(ipl_unpacker_read(unpacker, &arena, buf.at, buf.len, &lent, &err),
				 IPL_OK);
		assert_true(ipl_value_equal(&copied, &lent));
		assert_int_equal(
			ipl_unpacker_read(unpacker, &arena, buf.at, buf.len - 1, &lent, &err),
			IPL_REFUSED);
		memset(buf.at, 0xff, buf.len);
		assert_true(ipl_value_equal(&copied, &value));
		ipl_arena_reset(&arena);
	}
	ipl_unpacker_free(unpacker);
	ipl_buf_release(&buf);
	ipl_arena_release(&arena);
}

static void test_arena(void **state)
{
	struct ipl_arena arena;

	(void)state;
	ipl_arena_init(&arena, 10000);
	assert_non_null(ipl_arena_alloc(&arena, 9000));
	assert_null(ipl_arena_alloc(&arena, 2000));
	assert_true(arena.failed);
	ipl_arena_reset(&arena);
	assert_false(arena.failed);
	assert_null(ipl_arena_array(&arena, SIZE_MAX / 2, 4));
	ipl_arena_release(&arena);
}

static void test_errors(void **state)
{
	struct ipl_arena arena;
	struct ipl_error err;
	char long_text[1024];

	(void)state;
	ipl_arena_init(&arena, 65536);
	err = (struct ipl_error)IPL_ERROR_INIT(&arena);
	memset(long_text, 0xc3, sizeof(long_text));
	for (size_t i = 1; i < sizeof(long_text); i += 2)
		long_text[i] = (char)0xbc;
	assert_int_equal(ipl_refuse(&err, IPL_CODE_NOT_FOUND, "x%.1022s", long_text), IPL_REFUSED);
	assert_true(ipl_str_is_utf8(ipl_str_of(err.text))); /* cut, but not in a character */
	ipl_error_add(&err, "A", ipl_int(1));
	ipl_error_add(&err, "A", ipl_int(2));
	assert_int_equal(err.detail->count, 1);
	assert_int_equal(ipl_code_http_status(IPL_CODE_PRECONDITION_FAILED), 412);
	assert_int_equal(ipl_error_set(&err, IPL_ERR_IO, "x"), IPL_ERR_IO);
	assert_int_equal(err.code, IPL_CODE_STORE_UNAVAILABLE);
	ipl_arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_cidr),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_reading_in_place),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
