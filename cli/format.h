/* SPDX-License-Identifier: Apache-2.0 */
/* Value trees as text for other programs. */
#ifndef IPL_CLI_FORMAT_H
#define IPL_CLI_FORMAT_H

#include "events/value.h"

/** One YAML 1.2 document (block style, text quoted where a plain scalar would be read otherwise).
 */
void ipl_yaml_write(struct ipl_buf *out, const struct ipl_value *value);

/**
 * RFC 4180, with a line of names first. Of a list (an array of maps) a line for each; of a map
 * a line "name,value" for each member. What is nested stands as JSON in its cell.
 */
void ipl_csv_write(struct ipl_buf *out, struct ipl_arena *arena, const struct ipl_value *value);

/** The list of a result: the first array of maps in it, at any depth of maps; NULL without. */
const struct ipl_value *ipl_result_list(const struct ipl_value *result);

#endif
