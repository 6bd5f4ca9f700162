/* SPDX-License-Identifier: Apache-2.0 */
/* The value tree from and to JSON text (RFC 8259), by way of jansson. */
#ifndef IPL_EVENTS_JSON_H
#define IPL_EVENTS_JSON_H

#include "events/value.h"

/**
 * Parse exactly one JSON document. Strict: a repeated key, text that is not
 * UTF-8, a NUL in a key, an integer beyond 64 bits or more than
 * IPL_VALUE_DEPTH_MAX levels is refused with IPL_CODE_INVALID_PARAMETER and the
 * line and column.
 */
enum ipl_status ipl_json_parse(struct ipl_arena *arena, struct ipl_str text, struct ipl_value *out,
			       struct ipl_error *err) IPL_MUST_USE;

enum ipl_json_style {
	IPL_JSON_COMPACT, /* one line, no blanks */
	IPL_JSON_PRETTY,  /* two spaces a level */
};

/** Append @value to @out as JSON; without a newline at the end. */
void ipl_json_write(struct ipl_buf *out, const struct ipl_value *value, enum ipl_json_style style);

#endif
