/* SPDX-License-Identifier: Apache-2.0 */
/* Text views, errors, the arena and growing buffers. */
#include "events/base.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/value.h"

#define BLOCK_BYTES_MIN ((size_t)4096)
#define BLOCK_BYTES_MAX ((size_t)1 << 20)
#define ALIGNMENT       ((size_t)16)

struct ipl_arena_block {
	struct ipl_arena_block *next;
	size_t cap;
	size_t used;
	size_t unused; /* keeps the bytes aligned */
	uint8_t bytes[];
};

/* --- text --- */

struct ipl_str ipl_str_of(const char *text)
{
	return (struct ipl_str){ text, text == NULL ? 0 : strlen(text) };
}

bool ipl_str_equal(struct ipl_str a, struct ipl_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool ipl_str_starts(struct ipl_str a, const char *prefix)
{
	size_t len = strlen(prefix);

	return a.len >= len && (len == 0 || memcmp(a.at, prefix, len) == 0);
}

/* How many bytes the character at @at has, or 0 where there is none (RFC 3629). */
static size_t utf8_len(const uint8_t *at, size_t left)
{
	uint8_t head = at[0];
	size_t len = head < 0x80 ? 1 : head < 0xc2 ? 0 : head < 0xe0 ? 2 : head < 0xf0 ? 3 : 4;

	if (len == 0 || head > 0xf4 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((head == 0xe0 && at[1] < 0xa0) || (head == 0xed && at[1] > 0x9f) ||
	    (head == 0xf0 && at[1] < 0x90) || (head == 0xf4 && at[1] > 0x8f))
		return 0;
	return len;
}

bool ipl_str_is_utf8(struct ipl_str s)
{
	const uint8_t *at = (const uint8_t *)s.at;

	for (size_t i = 0, len; i < s.len; i += len) {
		len = utf8_len(at + i, s.len - i);
		if (len == 0)
			return false;
	}
	return true;
}

size_t ipl_str_char_count(struct ipl_str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += ((uint8_t)s.at[i] & 0xc0) != 0x80;
	return count;
}

bool ipl_str_to_int(struct ipl_str s, int64_t *out)
{
	int64_t n = 0;

	if (s.len == 0 || s.len > 19 || (s.at[0] == '0' && s.len > 1))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int digit = s.at[i] - '0';
		if (digit < 0 || digit > 9 || n > (INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

/* --- errors --- */

static void IPL_PRINTF(2, 0) print_error(struct ipl_error *err, const char *format, va_list args)
{
	size_t len, cut = 0;
	int want = vsnprintf(err->text, sizeof(err->text), format, args);

	assert(want >= 0);
	len = strlen(err->text);
	for (size_t i = 0; i < len;
	     i++) { /* what it quotes breaks no line, and no terminal obeys */
		if ((unsigned char)err->text[i] < 0x20 || err->text[i] == 0x7f)
			err->text[i] = '?';
	}
	if ((size_t)want == len)
		return;
	while (cut < len) { /* a character that was cut in two goes */
		size_t step = utf8_len((const uint8_t *)err->text + cut, len - cut);
		if (step == 0)
			break;
		cut += step;
	}
	err->text[cut] = '\0';
}

static enum ipl_code code_of(enum ipl_status status)
{
	switch (status) {
	case IPL_OK:
	case IPL_REFUSED:
	case IPL_ERR_CORRUPT:
		return IPL_CODE_INTERNAL_ERROR;
	case IPL_ERR_NOMEM:
		return IPL_CODE_OVERLOADED;
	case IPL_ERR_IO:
	case IPL_ERR_BUSY:
		return IPL_CODE_STORE_UNAVAILABLE;
	case IPL_ERR_OUTCOME:
		return IPL_CODE_OUTCOME_UNKNOWN;
	case IPL_ERR_END:
		return IPL_CODE_NOT_FOUND;
	}
	return IPL_CODE_INTERNAL_ERROR;
}

enum ipl_status ipl_error_set(struct ipl_error *err, enum ipl_status status, const char *format,
			      ...)
{
	va_list args;

	va_start(args, format);
	print_error(err, format, args);
	va_end(args);
	err->status = status;
	err->code = code_of(status);
	err->detail = NULL;
	return status;
}

enum ipl_status ipl_refuse(struct ipl_error *err, enum ipl_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_error(err, format, args);
	va_end(args);
	err->status = IPL_REFUSED;
	err->code = code;
	err->detail = NULL;
	return IPL_REFUSED;
}

void ipl_error_add(struct ipl_error *err, const char *name, struct ipl_value value)
{
	if (err->arena == NULL)
		return;
	if (err->detail == NULL) {
		err->detail = ipl_arena_alloc(err->arena, sizeof(*err->detail));
		if (err->detail == NULL)
			return;
		*err->detail = ipl_map();
	}
	ipl_map_set(err->arena, err->detail, ipl_str_of(name), value);
}

/* --- the arena --- */

void ipl_arena_init(struct ipl_arena *arena, size_t limit_bytes)
{
	*arena = (struct ipl_arena){ .limit_bytes = limit_bytes };
}

static struct ipl_arena_block *add_block(struct ipl_arena *arena, size_t need)
{
	size_t cap = arena->blocks == NULL ? BLOCK_BYTES_MIN : arena->blocks->cap * 2;
	struct ipl_arena_block *block;

	if (cap > BLOCK_BYTES_MAX)
		cap = BLOCK_BYTES_MAX;
	if (cap < need)
		cap = need;
	block = malloc(sizeof(*block) + cap);
	if (block == NULL)
		return NULL;
	block->next = arena->blocks;
	block->cap = cap;
	block->used = 0;
	arena->blocks = block;
	return block;
}

void *ipl_arena_alloc(struct ipl_arena *arena, size_t size_bytes)
{
	struct ipl_arena_block *block = arena->blocks;
	void *at;

	if (size_bytes > arena->limit_bytes ||
	    arena->taken_bytes > arena->limit_bytes - size_bytes) {
		arena->failed = true;
		return NULL;
	}
	size_bytes = size_bytes == 0 ? ALIGNMENT : (size_bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (block == NULL || block->cap - block->used < size_bytes)
		block = add_block(arena, size_bytes);
	if (block == NULL) {
		arena->failed = arena->is_starved = true;
		return NULL;
	}
	at = block->bytes + block->used;
	block->used += size_bytes;
	arena->taken_bytes += size_bytes;
	return memset(at, 0, size_bytes);
}

void *ipl_arena_array(struct ipl_arena *arena, size_t count, size_t size_bytes)
{
	if (size_bytes != 0 && count > SIZE_MAX / size_bytes) {
		arena->failed = true;
		return NULL;
	}
	return ipl_arena_alloc(arena, count * size_bytes);
}

struct ipl_str ipl_arena_str(struct ipl_arena *arena, struct ipl_str s)
{
	char *copy;

	if (s.at == NULL)
		return s;
	copy = ipl_arena_alloc(arena, s.len + 1);
	if (copy == NULL)
		return IPL_STR_NONE;
	memcpy(copy, s.at, s.len);
	return (struct ipl_str){ copy, s.len };
}

struct ipl_str ipl_arena_printf(struct ipl_arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	assert(len >= 0);
	text = ipl_arena_alloc(arena, (size_t)len + 1);
	if (text == NULL)
		return IPL_STR_NONE;
	va_start(args, format);
	(void)vsnprintf(text, (size_t)len + 1, format, args); /* as long as it was just before */
	va_end(args);
	return (struct ipl_str){ text, (size_t)len };
}

void ipl_arena_reset(struct ipl_arena *arena)
{
	struct ipl_arena_block *kept = arena->blocks;

	if (kept != NULL) {
		for (struct ipl_arena_block *block = kept->next, *next; block != NULL;
		     block = next) {
			next = block->next;
			free(block);
		}
		kept->next = NULL;
		kept->used = 0;
	}
	if (kept != NULL && kept->cap > BLOCK_BYTES_MAX) { /* one huge request is not the rule */
		free(kept);
		arena->blocks = NULL;
	}
	arena->taken_bytes = 0;
	arena->failed = arena->is_starved = false;
}

void ipl_arena_release(struct ipl_arena *arena)
{
	struct ipl_arena_block *next;

	for (struct ipl_arena_block *block = arena->blocks; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct ipl_arena){ .limit_bytes = arena->limit_bytes };
}

/* --- growing bytes --- */

bool ipl_buf_reserve(struct ipl_buf *buf, size_t more)
{
	size_t cap = buf->cap < 256 ? 256 : buf->cap;
	uint8_t *grown;

	if (buf->cap - buf->len >= more)
		return true;
	if (more > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) {
		buf->failed = true;
		return false;
	}
	while (cap - buf->len < more)
		cap *= 2;
	grown = realloc(buf->at, cap);
	if (grown == NULL) {
		buf->failed = true;
		return false;
	}
	buf->at = grown;
	buf->cap = cap;
	return true;
}

void ipl_buf_printf(struct ipl_buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	assert(len >= 0);
	if (!ipl_buf_reserve(buf, (size_t)len + 1))
		return;
	va_start(args, format);
	(void)vsnprintf((char *)buf->at + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void ipl_buf_consume(struct ipl_buf *buf, size_t len)
{
	assert(len <= buf->len);
	if (len == 0)
		return;
	memmove(buf->at, buf->at + len, buf->len - len);
	buf->len -= len;
}

void ipl_buf_release(struct ipl_buf *buf)
{
	free(buf->at);
	*buf = (struct ipl_buf){ 0 };
}
