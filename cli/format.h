/* SPDX-License-Identifier: Apache-2.0 */
/* Value trees as text for other programs. */
#ifndef IPL_CLI_FORMAT_H
#define IPL_CLI_FORMAT_H

#include "events/value.h"

/** One YAML 1.2 document (block style, text quoted where a plain scalar would be read otherwise).
 */
void ipl_yaml_write(struct ipl_buf *out, const struct ipl_value *value);

/**
 * RFC 4180, with a line of names first. Of a list a line for each element, and nothing at all where
 * it has none; of a map a line "name,value" for each member. What is nested stands as JSON in its
 * cell. A list is an array of maps, or a map whose first member that is no scalar is one (as it is,
 * or alone in a map of its own): what stands beside it is left out.
 */
void ipl_csv_write(struct ipl_buf *out, struct ipl_arena *arena, const struct ipl_value *value);
#endif
