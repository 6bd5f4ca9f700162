/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MessagePack bytes, looked at before msgpack-c may reserve what they claim
 * (five bytes can ask for 256 GiB), and the value tree from and to them.
 */
#ifndef IPL_EVENTS_MSGPACK_H
#define IPL_EVENTS_MSGPACK_H

#include "events/value.h"

/* What a look at the head of some bytes found. */
enum ipl_scan {
	IPL_SCAN_WHOLE,     /* one object, well formed, size known */
	IPL_SCAN_MORE,      /* a beginning of one: feed more bytes */
	IPL_SCAN_TOO_DEEP,  /* nested deeper than IPL_VALUE_DEPTH_MAX */
	IPL_SCAN_TOO_LARGE, /* it is, or claims to become, larger than the limit */
	IPL_SCAN_INVALID,   /* not MessagePack (0xc1) */
};

/**
 * A scanner that can stop at any byte and go on when more are there, so that a
 * frame which trickles in costs its length once. Zeroed is the start.
 */
struct ipl_scanner {
	size_t offset; /* bytes looked at */
	uint32_t depth;
	uint64_t left[IPL_VALUE_DEPTH_MAX]; /* objects still to come at each level */
};

/**
 * Go on with the object that begins at @bytes; @len counts from its beginning.
 * Every header's claim is checked against @limit_bytes before anything else is.
 * @param size_bytes on IPL_SCAN_WHOLE: the object's size; the scanner is reset
 */
enum ipl_scan ipl_scan(struct ipl_scanner *scanner, const uint8_t *bytes, size_t len,
		       size_t limit_bytes, size_t *size_bytes);

/**
 * The tree of one object. Text and binary both become text and must be UTF-8;
 * map keys must be text and not repeat. The bytes are scanned first; the
 * result shares nothing with them.
 * Refused with IPL_CODE_MALFORMED_REQUEST.
 */
enum ipl_status ipl_msgpack_parse(struct ipl_arena *arena, const uint8_t *bytes, size_t len,
				  struct ipl_value *out, struct ipl_error *err) IPL_MUST_USE;

/** Memory for taking one object after the other apart; of one thread. */
struct ipl_unpacker;
/** NULL without memory. */
struct ipl_unpacker *ipl_unpacker_new(void);
/** NULL is fine. */
void ipl_unpacker_free(struct ipl_unpacker *unpacker);
/** As ipl_msgpack_parse(), but text is borrowed from @bytes. */
enum ipl_status ipl_unpacker_read(struct ipl_unpacker *unpacker, struct ipl_arena *arena,
				  const uint8_t *bytes, size_t len, struct ipl_value *out,
				  struct ipl_error *err) IPL_MUST_USE;

/** Append @value in its smallest form. There must be no ext in it. */
void ipl_msgpack_write(struct ipl_buf *out, const struct ipl_value *value);

#endif
