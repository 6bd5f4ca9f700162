/* SPDX-License-Identifier: Apache-2.0 */
/* The server's log: lines on standard error, as text or JSON. */
#ifndef IPL_SERVER_LOG_H
#define IPL_SERVER_LOG_H

#include "events/base.h"

enum ipl_log_level { IPL_LOG_ERROR, IPL_LOG_WARN, IPL_LOG_INFO, IPL_LOG_DEBUG };

/** Once, before threads: what is written, and how. */
void ipl_log_init(enum ipl_log_level level, bool json);
/** "error", "warn", "info", "debug"; false for other words. */
bool ipl_log_level_of(const char *word, enum ipl_log_level *out);
void ipl_log(enum ipl_log_level level, const char *format, ...) IPL_PRINTF(2, 3);

/** When something was logged last, and how often it was left out since. Zeroed at first. */
struct ipl_log_pause {
	int64_t last_s;
	uint64_t left_out;
};
/** For what others can bring about at will: one line a second at most, with what was left out. */
void ipl_log_often(enum ipl_log_level level, struct ipl_log_pause *pause, const char *format, ...)
	IPL_PRINTF(3, 4);

#endif
