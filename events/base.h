/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ground everything stands on: statuses, errors, text views, the arena.
 *
 * Three kinds of "no" are never mixed: a bug is an assert(), a refusal or a
 * failure is an ipl_status with a filled ipl_error, damage (our own bytes make
 * no sense) is IPL_ERR_CORRUPT.
 */
#ifndef IPL_EVENTS_BASE_H
#define IPL_EVENTS_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "events/codes.h"

#define IPL_MUST_USE                    __attribute__((warn_unused_result))
#define IPL_PRINTF(text_arg, first_arg) __attribute__((format(printf, text_arg, first_arg)))
#define IPL_ARRAY_SIZE(array)           (sizeof(array) / sizeof((array)[0]))

struct ipl_arena;
struct ipl_value;

/* What a call came to. Everything but IPL_OK comes with a filled ipl_error. */
enum ipl_status {
	IPL_OK = 0,
	IPL_REFUSED,     /* the answer is no; err->code is a code of the contract */
	IPL_ERR_CORRUPT, /* our own bytes make no sense: damage */
	IPL_ERR_NOMEM,   /* out of memory, or of an arena's limit */
	IPL_ERR_IO,      /* the disk, the file system or a socket failed; nothing was done */
	IPL_ERR_OUTCOME, /* the disk failed and it is not known whether it was done */
	IPL_ERR_BUSY,    /* somebody else holds it */
	IPL_ERR_END,     /* there is no more; not a failure */
};

/** A view of text: not terminated, not owned. An absent text has at == NULL. */
struct ipl_str {
	const char *at;
	size_t len;
};

#define IPL_STR(literal) ((struct ipl_str){ "" literal, sizeof(literal) - 1 })
#define IPL_STR_NONE     ((struct ipl_str){ NULL, 0 })
/* For printf: "%.*s", IPL_STR_ARG(s) */
#define IPL_STR_ARG(s) (int)(s).len, (s).at == NULL ? "" : (s).at

/** The view of a terminated string; of NULL an absent text. */
struct ipl_str ipl_str_of(const char *text);
bool ipl_str_equal(struct ipl_str a, struct ipl_str b);
static inline bool ipl_str_is(struct ipl_str a, const char *text)
{
	size_t i = 0;

	/* Names differ early; so neither is measured first. */
	while (i < a.len && text[i] != '\0' && text[i] == a.at[i])
		i++;
	return i == a.len && text[i] == '\0' && a.at != NULL;
}
bool ipl_str_starts(struct ipl_str a, const char *prefix);
/** Whether the bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool ipl_str_is_utf8(struct ipl_str s);
/** The number of characters (code points) in valid UTF-8. */
size_t ipl_str_char_count(struct ipl_str s);
/** A decimal number without sign, blank or leading zero (but "0" itself), at most INT64_MAX. */
bool ipl_str_to_int(struct ipl_str s, int64_t *out);

/**
 * Why a call said no. Filled by the callee, untouched on success. The text is
 * one sentence that names the offending value and the way out, without a
 * newline or another control character (a '?' stands for it), cut to what fits.
 */
struct ipl_error {
	enum ipl_status status;
	enum ipl_code code;       /* of the contract; what a status that is no refusal maps to */
	struct ipl_arena *arena;  /* set by the caller: where details go; NULL: no details kept */
	struct ipl_value *detail; /* a map of facts, or NULL; lives in the arena */
	char text[512];
};

/** An error ready to be filled, with details going to @arena (may be NULL). */
#define IPL_ERROR_INIT(arena_)                                             \
	{                                                                  \
		.status = IPL_OK, .code = IPL_CODE_NONE, .arena = (arena_) \
	}

/** Fill @err and return @status; err->code becomes the contract's code for that status. */
enum ipl_status ipl_error_set(struct ipl_error *err, enum ipl_status status, const char *format,
			      ...) IPL_PRINTF(3, 4);
/** Fill @err with a refusal and return IPL_REFUSED. Facts are added with ipl_error_add(). */
enum ipl_status ipl_refuse(struct ipl_error *err, enum ipl_code code, const char *format, ...)
	IPL_PRINTF(3, 4);
/** Add the fact @name (a literal, borrowed) to the details; replaces one of that name. */
void ipl_error_add(struct ipl_error *err, const char *name, struct ipl_value value);

/**
 * Memory that is taken bit by bit and given back as a whole. What comes from it
 * is zeroed, aligned for any type, and lives until ipl_arena_reset() or
 * ipl_arena_release(). Beyond the limit an allocation fails and `failed` stays
 * set, so that builders need one check at their end.
 */
struct ipl_arena {
	struct ipl_arena_block *blocks;
	size_t limit_bytes; /* of all that is taken between resets */
	size_t taken_bytes;
	bool failed;
	bool is_starved; /* it was memory that was short, not the limit */
};

void ipl_arena_init(struct ipl_arena *arena, size_t limit_bytes);
/** Zeroed memory, or NULL (and arena->failed). A size of 0 gives a valid pointer. */
void *ipl_arena_alloc(struct ipl_arena *arena, size_t size_bytes) IPL_MUST_USE;
/** An array of @count zeroed elements, or NULL: also when the product overflows. */
void *ipl_arena_array(struct ipl_arena *arena, size_t count, size_t size_bytes) IPL_MUST_USE;
/** A copy of @s in the arena (terminated as well), absent if absent or on failure. */
struct ipl_str ipl_arena_str(struct ipl_arena *arena, struct ipl_str s);
struct ipl_str ipl_arena_printf(struct ipl_arena *arena, const char *format, ...) IPL_PRINTF(2, 3);
/** Give all back but one block, for the next use. */
void ipl_arena_reset(struct ipl_arena *arena);
void ipl_arena_release(struct ipl_arena *arena);

/** Bytes that grow. Zeroed is empty and valid. */
struct ipl_buf {
	uint8_t *at;
	size_t len;
	size_t cap;
	bool failed; /* an append found no memory; what is held is incomplete */
};

/** Make room for @more bytes; false (and buf->failed) without memory. */
bool ipl_buf_reserve(struct ipl_buf *buf, size_t more);
static inline void ipl_buf_append(struct ipl_buf *buf, const void *bytes, size_t len)
{
	if (len == 0 || (buf->cap - buf->len < len && !ipl_buf_reserve(buf, len)))
		return;
	memcpy(buf->at + buf->len, bytes, len);
	buf->len += len;
}
void ipl_buf_printf(struct ipl_buf *buf, const char *format, ...) IPL_PRINTF(2, 3);
/** Drop the first @len bytes. */
void ipl_buf_consume(struct ipl_buf *buf, size_t len);
void ipl_buf_release(struct ipl_buf *buf);

#endif
