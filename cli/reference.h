/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to call and what can happen, in words, from the tables. */
#ifndef IPL_CLI_REFERENCE_H
#define IPL_CLI_REFERENCE_H

#include <stdio.h>

#include "operations/operation.h"

/** Every type of event with its members, as docs/EVENTS.md has it (Markdown). */
void ipl_reference_events(FILE *to);
/** One operation: what it takes, for people. */
void ipl_reference_operation(FILE *to, const struct ipl_operation *operation);
/** What a parameter may be, in words, such as "a number, 1 to 200"; no line end. */
void ipl_reference_param(FILE *to, const struct ipl_param *param);

#endif
