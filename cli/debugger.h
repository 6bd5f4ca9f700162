/* SPDX-License-Identifier: Apache-2.0 */
/* The session of `replay --step`: commands about a place in the log. */
#ifndef IPL_CLI_DEBUGGER_H
#define IPL_CLI_DEBUGGER_H

#include "cli/look.h"

/** Read commands until they end; gives an exit status: 1 where one that was not typed failed. */
int ipl_debugger_run(const struct ipl_invocation *in, struct ipl_look *look, uint64_t from,
		     uint64_t to);

#endif
