/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages, made from the tables of commands, options, operations, events and codes. */
#ifndef IPL_CLI_MAN_H
#define IPL_CLI_MAN_H

#include "cli/command.h"

#define IPL_MAN_NAME_MAX 64

/**
 * The @index-th page: its name, such as "ipledger-show", in @name, and its section; 0 beyond the
 * last. The pages: ipledger, one for each command, ipledger.conf, ipledger-protocol.
 */
int ipl_man_at(size_t index, char name[IPL_MAN_NAME_MAX]);
/** Print the page of that name, as man(7) has it; false where there is none. */
bool ipl_man_print(FILE *to, const char *name);

/* --- for man_protocol.c --- */

/** Text as the page should show it: what roff would obey is quoted. */
void ipl_man_text(FILE *to, const char *text);
void ipl_man_title(FILE *to, const char *name, int section);
/** ipledger-protocol(7). */
void ipl_man_protocol(FILE *to);

#endif
