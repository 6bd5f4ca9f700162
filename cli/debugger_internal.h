/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the debugger share. */
#ifndef IPL_CLI_DEBUGGER_INTERNAL_H
#define IPL_CLI_DEBUGGER_INTERNAL_H

#include "cli/debugger.h"
#include "replay/stepper.h"
#include "store/heads.h"

struct ipl_debugger {
	struct ipl_invocation in; /* printing, with the arena below */
	struct ipl_look *look;
	struct ipl_stepper *stepper;
	uint64_t from;
	uint64_t to;
	struct ipl_arena arena;  /* of one command */
	struct ipl_heads *heads; /* the ends of all chains as of `to`; NULL: not asked for yet */
	bool is_over;
};

/* Each answers with IPL_OK, or an error for people. @words is what follows the command's name. */

/** What is at this place: its event. */
enum ipl_status ipl_debug_place(struct ipl_debugger *d, struct ipl_error *err);
enum ipl_status ipl_debug_where(struct ipl_debugger *d, const char *words, struct ipl_error *err);
enum ipl_status ipl_debug_print(struct ipl_debugger *d, const char *words, struct ipl_error *err);
enum ipl_status ipl_debug_events(struct ipl_debugger *d, const char *words, struct ipl_error *err);
enum ipl_status ipl_debug_diff(struct ipl_debugger *d, const char *words, struct ipl_error *err);
enum ipl_status ipl_debug_hash(struct ipl_debugger *d, const char *words, struct ipl_error *err);
enum ipl_status ipl_debug_why(struct ipl_debugger *d, const char *words, struct ipl_error *err);

/** Fill @err for a command that was used wrongly. */
enum ipl_status ipl_debug_usage(struct ipl_error *err, const char *what);

#endif
