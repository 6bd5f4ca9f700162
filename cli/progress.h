/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on standard error for what lasts, with rate and time left; silent where that is no
 * terminal. */
#ifndef IPL_CLI_PROGRESS_H
#define IPL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct ipl_progress {
	const char *unit; /* what is counted: "events" */
	bool is_shown;
	bool has_drawn;
	int64_t begin_ns;
	int64_t drawn_ns;
};

void ipl_progress_begin(struct ipl_progress *progress, const char *unit);
/** @done of @total (0: unknown) units are done. Drawn ten times a second, from one second on. */
void ipl_progress_update(struct ipl_progress *progress, uint64_t done, uint64_t total);
/** The last state stays on the screen, if any was drawn. */
void ipl_progress_end(struct ipl_progress *progress, uint64_t done, uint64_t total);
/** Since the beginning. */
double ipl_progress_seconds(const struct ipl_progress *progress);

/** From here on SIGINT and SIGTERM are noted, not deadly: what lasts asks and ends in order. */
void ipl_interrupt_catch(void);
bool ipl_interrupted(void);
/** The signal; 0: none. */
int ipl_interrupted_by(void);
/** What was noted so far is dealt with. */
void ipl_interrupt_forget(void);

#endif
