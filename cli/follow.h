/* SPDX-License-Identifier: Apache-2.0 */
/* log --follow: events as they come. */
#ifndef IPL_CLI_FOLLOW_H
#define IPL_CLI_FOLLOW_H

#include "cli/command.h"

/**
 * Print the events that @params (of ListEvents: Id, FromSeq, FromTime) select and those that come,
 * until SIGINT or SIGTERM: a line of a table for each, or of JSON. Goes on where it was when the
 * server was away. Gives an exit status.
 */
int ipl_follow(const struct ipl_invocation *in, const struct ipl_value *params);

#endif
