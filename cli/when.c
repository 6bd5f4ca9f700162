/* SPDX-License-Identifier: Apache-2.0 */
/* A seq, a time, or a span back from now. */
#include "cli/when.h"

#include <time.h>

#include "events/time.h"

static int64_t unit_ms(char unit)
{
	switch (unit) {
	case 's':
		return 1000;
	case 'm':
		return 60000;
	case 'h':
		return 3600000;
	case 'd':
		return 86400000;
	case 'w':
		return 604800000;
	default:
		return 0;
	}
}

bool ipl_when(struct ipl_arena *arena, const char *text, struct ipl_value *out)
{
	struct ipl_str s = ipl_str_of(text);
	char formatted[IPL_TIME_TEXT_MAX];
	struct timespec now;
	int64_t n, unit;

	if (ipl_str_to_int(s, &n)) {
		*out = ipl_int(n);
		return true;
	}
	if (ipl_time_parse(s, &n)) {
		*out = ipl_text(s);
		return true;
	}
	unit = s.len < 2 ? 0 : unit_ms(text[s.len - 1]);
	if (unit == 0 || !ipl_str_to_int((struct ipl_str){ s.at, s.len - 1 }, &n) || n > 1000000)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	ipl_time_format((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - n * unit, formatted);
	*out = ipl_text_copy(arena, formatted);
	return true;
}
