/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of a session: from a terminal with editing and a history (where libedit is
 * there), from anything else as they come, shown after their prompt so that what is
 * printed reads like a session.
 */
#ifndef IPL_CLI_LINE_H
#define IPL_CLI_LINE_H

#include <stdbool.h>

struct ipl_lines;

/** NULL without memory. */
struct ipl_lines *ipl_lines_open(void);
void ipl_lines_close(struct ipl_lines *lines);
/** Whether somebody sits at a terminal. */
bool ipl_lines_are_typed(const struct ipl_lines *lines);
/** The next line without its end, lent until the next call; NULL: no more. */
const char *ipl_lines_next(struct ipl_lines *lines, const char *prompt);

#endif
