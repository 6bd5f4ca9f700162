/* SPDX-License-Identifier: Apache-2.0 */
/* Moments as people say them. */
#ifndef IPL_CLI_WHEN_H
#define IPL_CLI_WHEN_H

#include "events/value.h"

/** A seq, an RFC 3339 time, or a span back from now (5m, 2h, 3d): as `AsOf` takes it. */
bool ipl_when(struct ipl_arena *arena, const char *text, struct ipl_value *out);

#endif
