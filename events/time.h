/* SPDX-License-Identifier: Apache-2.0 */
/* Times: int64_t milliseconds since the Unix epoch, UTC; their text is RFC 3339. No clock here. */
#ifndef IPL_EVENTS_TIME_H
#define IPL_EVENTS_TIME_H

#include "events/base.h"

#define IPL_TIME_TEXT_MAX 96 /* what the compiler can prove; 24 and the terminator are used */

/* Years 0001 .. 9999, what RFC 3339 can say. */
#define IPL_TIME_MS_MIN INT64_C(-62135596800000)
#define IPL_TIME_MS_MAX INT64_C(253402300799999)

/**
 * Any RFC 3339 date-time: "2026-11-23T22:13:16Z", "…16.123+08:00", lower-case t
 * and z too. A fraction finer than a millisecond is cut. A leap second (:60) is
 * the last millisecond of its minute. False for anything else, or out of range.
 */
bool ipl_time_parse(struct ipl_str text, int64_t *out_ms);
/** "2026-11-23T22:13:16.123Z" */
void ipl_time_format(int64_t time_ms, char out[IPL_TIME_TEXT_MAX]);
/** "2026-11-23T22:13Z", as the cloud's ECS writes times. */
void ipl_time_format_minutes(int64_t time_ms, char out[IPL_TIME_TEXT_MAX]);
/** "2026-11-23T22:13:16Z", as the cloud's VPC and EIP write times. */
void ipl_time_format_seconds(int64_t time_ms, char out[IPL_TIME_TEXT_MAX]);

#endif
