/* SPDX-License-Identifier: Apache-2.0 */
/* One line for each message. */
#include "server/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "events/json.h"
#include "events/time.h"
#include "store/thread.h"

static const char *const words[] = { "error", "warn", "info", "debug" };
static enum ipl_log_level log_level = IPL_LOG_INFO;
static bool log_json;

void ipl_log_init(enum ipl_log_level level, bool json)
{
	log_level = level;
	log_json = json;
}

bool ipl_log_level_of(const char *word, enum ipl_log_level *out)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = (enum ipl_log_level)i;
			return true;
		}
	}
	return false;
}

static void print_json(const char *when, const char *word, const char *text)
{
	struct ipl_arena arena;
	struct ipl_buf buf = { 0 };
	struct ipl_value map = ipl_map();

	ipl_arena_init(&arena, 16384);
	ipl_map_add(&arena, &map, "time", ipl_text_of(when));
	ipl_map_add(&arena, &map, "level", ipl_text_of(word));
	ipl_map_add(&arena, &map, "message", ipl_text_of(text));
	ipl_json_write(&buf, &map, IPL_JSON_COMPACT);
	fprintf(stderr, "%.*s\n", (int)buf.len, (const char *)buf.at);
	ipl_buf_release(&buf);
	ipl_arena_release(&arena);
}

static void print(enum ipl_log_level level, const char *text)
{
	char when[IPL_TIME_TEXT_MAX];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	ipl_time_format((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, when);
	if (log_json)
		print_json(when, words[level], text);
	else
		fprintf(stderr, "%s %s %s\n", when, words[level], text);
}

void ipl_log(enum ipl_log_level level, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (level > log_level)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut is good enough */
	va_end(args);
	print(level, text);
}

void ipl_log_often(enum ipl_log_level level, struct ipl_log_pause *pause, const char *format, ...)
{
	char text[1024], more[64] = "";
	va_list args;
	/* One more than the clock says: 0 is never. */
	int64_t now_s = ipl_monotonic_ns() / 1000000000 + 1;
	size_t len;

	if (level > log_level)
		return;
	if (pause->last_s == now_s) {
		pause->left_out++;
		return;
	}
	if (pause->left_out > 0)
		(void)snprintf(more, sizeof(more), " (and %" PRIu64 " more like it)",
			       pause->left_out);
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text) - sizeof(more), format, args);
	va_end(args);
	len = strlen(text);
	(void)snprintf(text + len, sizeof(text) - len, "%s", more);
	*pause = (struct ipl_log_pause){ .last_s = now_s };
	print(level, text);
}
