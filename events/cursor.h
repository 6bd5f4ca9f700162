/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own bytes, written and read back: MessagePack in its shortest form and no
 * other, so that there is one encoding of each value. A cursor reads what must
 * come next and takes nothing else; sizes are looked at before memory is taken.
 */
#ifndef IPL_EVENTS_CURSOR_H
#define IPL_EVENTS_CURSOR_H

#include "events/base.h"
#include "events/hash.h"

/* --- to bytes --- */

/** Append a value; where memory is short buf->failed is set. */
void ipl_pack_array(struct ipl_buf *out, uint32_t count);
void ipl_pack_uint(struct ipl_buf *out, uint64_t n);
void ipl_pack_bool(struct ipl_buf *out, bool b);
void ipl_pack_text(struct ipl_buf *out, struct ipl_str s);

/* --- from bytes --- */

/* Reads on while `wrong` is NULL; after that every read gives nothing. */
struct ipl_cursor {
	const uint8_t *at;
	const uint8_t *end;
	const char *wrong; /* what was, the first time */
	struct ipl_arena *arena;
};

static inline void ipl_cursor_fail(struct ipl_cursor *c, const char *wrong)
{
	if (c->wrong == NULL)
		c->wrong = wrong;
	c->at = c->end;
}

static inline const uint8_t *ipl_take(struct ipl_cursor *c, size_t len)
{
	const uint8_t *at = c->at;

	if ((size_t)(c->end - at) < len) {
		ipl_cursor_fail(c, "it ends too early");
		return NULL;
	}
	c->at += len;
	return at;
}

/* @len bytes, big-endian, that must be above @above (else a shorter form exists). */
static inline uint64_t ipl_take_be(struct ipl_cursor *c, size_t len, uint64_t above)
{
	const uint8_t *at = ipl_take(c, len);
	uint64_t n = 0;

	for (size_t i = 0; at != NULL && i < len; i++)
		n = n << 8 | at[i];
	if (at != NULL && n <= above)
		ipl_cursor_fail(c, "a number is not in its shortest form");
	return n;
}

static inline uint64_t ipl_take_uint(struct ipl_cursor *c)
{
	const uint8_t *head = ipl_take(c, 1);

	if (head == NULL)
		return 0;
	switch (*head) {
	case 0xcc:
		return ipl_take_be(c, 1, 0x7f);
	case 0xcd:
		return ipl_take_be(c, 2, 0xff);
	case 0xce:
		return ipl_take_be(c, 4, 0xffff);
	case 0xcf:
		return ipl_take_be(c, 8, 0xffffffff);
	default:
		if (*head > 0x7f)
			ipl_cursor_fail(c, "a number is expected");
		return *head;
	}
}

/* Nil is 0, and 0 is nil. */
static inline uint64_t ipl_take_uint_or_nil(struct ipl_cursor *c)
{
	uint64_t n;

	if (c->at < c->end && *c->at == 0xc0) {
		ipl_take(c, 1);
		return 0;
	}
	n = ipl_take_uint(c);
	if (n == 0)
		ipl_cursor_fail(c, "a number from 1 on or nil is expected");
	return n;
}

/* The length after @head: a fix form of @fix with @fix_max, else @h8 (0: none), @h16, @h32. */
static inline uint32_t ipl_take_len(struct ipl_cursor *c, const uint8_t forms[4], uint32_t fix_max)
{
	const uint8_t *head = ipl_take(c, 1);

	if (head == NULL)
		return 0;
	if (forms[0] != 0 && *head >= forms[0] && *head <= forms[0] + fix_max)
		return *head - forms[0];
	if (forms[1] != 0 && *head == forms[1])
		return (uint32_t)(forms[0] != 0 ? ipl_take_be(c, 1, fix_max) :
						  ipl_take_be(c, 1, 0));
	if (*head == forms[2])
		return (uint32_t)ipl_take_be(c, 2, forms[1] != 0 ? 0xff : fix_max);
	if (*head == forms[3])
		return (uint32_t)ipl_take_be(c, 4, 0xffff);
	ipl_cursor_fail(c, "another kind of value is expected");
	return 0;
}

static inline uint32_t ipl_take_array(struct ipl_cursor *c)
{
	static const uint8_t forms[4] = { 0x90, 0, 0xdc, 0xdd };

	return ipl_take_len(c, forms, 15);
}

static inline void ipl_expect_array(struct ipl_cursor *c, uint32_t count)
{
	if (ipl_take_array(c) != count)
		ipl_cursor_fail(c, "an array has another number of fields than its table");
}

static inline struct ipl_str ipl_take_text(struct ipl_cursor *c)
{
	static const uint8_t forms[4] = { 0xa0, 0xd9, 0xda, 0xdb };
	uint32_t len = ipl_take_len(c, forms, 31);
	const uint8_t *at = ipl_take(c, len);
	struct ipl_str s = { (const char *)at, len };

	if (at == NULL)
		return IPL_STR("");
	if (!ipl_str_is_utf8(s))
		ipl_cursor_fail(c, "text is not UTF-8");
	return s;
}

static inline const uint8_t *ipl_take_bin(struct ipl_cursor *c, uint8_t len)
{
	const uint8_t *head = ipl_take(c, 2);

	if (head != NULL && (head[0] != 0xc4 || head[1] != len))
		ipl_cursor_fail(c, "bytes of a fixed length are expected");
	return ipl_take(c, len);
}

static inline int64_t ipl_take_time(struct ipl_cursor *c)
{
	uint64_t n = ipl_take_uint(c); /* before 1970 there was no cloud */

	if (n > INT64_MAX)
		ipl_cursor_fail(c, "a time is out of range");
	return (int64_t)(n & INT64_MAX);
}

static inline void ipl_take_bool(struct ipl_cursor *c, bool *out)
{
	const uint8_t *at = ipl_take(c, 1);

	if (at != NULL && *at != 0xc2 && *at != 0xc3)
		ipl_cursor_fail(c, "a boolean is expected");
	*out = at != NULL && *at == 0xc3;
}

#endif
