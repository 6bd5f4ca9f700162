/* SPDX-License-Identifier: Apache-2.0 */
/* Progress bars, and being interrupted. */
#include "cli/progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/thread.h"

#define BAR_WIDTH   28
#define QUIET_NS    INT64_C(1000000000) /* what is done sooner needs no bar */
#define INTERVAL_NS INT64_C(100000000)

static volatile sig_atomic_t interrupted;

void ipl_progress_begin(struct ipl_progress *progress, const char *unit)
{
	*progress = (struct ipl_progress){ .unit = unit,
					   .is_shown = isatty(STDERR_FILENO) == 1,
					   .begin_ns = ipl_monotonic_ns() };
}

double ipl_progress_seconds(const struct ipl_progress *progress)
{
	return (double)(ipl_monotonic_ns() - progress->begin_ns) / 1e9;
}

static void draw(struct ipl_progress *progress, uint64_t done, uint64_t total)
{
	double seconds = ipl_progress_seconds(progress);
	double rate = seconds > 0 ? (double)done / seconds : 0;
	char bar[BAR_WIDTH + 1];

	progress->has_drawn = true;
	if (total == 0) {
		fprintf(stderr, "\r\033[K%" PRIu64 " %s  %.0f/s ", done, progress->unit, rate);
		return;
	}
	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = (double)done * BAR_WIDTH > (double)total * i ? '#' : ' ';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r\033[K[%s] %3.0f%%  %" PRIu64 " %s  %.0f/s", bar,
		100.0 * (double)done / (double)total, done, progress->unit, rate);
	if (rate > 0 && done < total)
		fprintf(stderr, "  %.0f s left", (double)(total - done) / rate);
	fputc(' ', stderr);
}

void ipl_progress_update(struct ipl_progress *progress, uint64_t done, uint64_t total)
{
	int64_t now_ns;

	if (!progress->is_shown)
		return;
	now_ns = ipl_monotonic_ns();
	if (now_ns - progress->begin_ns < QUIET_NS || now_ns - progress->drawn_ns < INTERVAL_NS)
		return;
	progress->drawn_ns = now_ns;
	draw(progress, done, total);
}

void ipl_progress_end(struct ipl_progress *progress, uint64_t done, uint64_t total)
{
	if (!progress->has_drawn)
		return;
	draw(progress, done, total);
	fputc('\n', stderr);
}

static void on_signal(int number)
{
	interrupted = number;
}

void ipl_interrupt_catch(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

bool ipl_interrupted(void)
{
	return interrupted != 0;
}

int ipl_interrupted_by(void)
{
	return interrupted;
}

void ipl_interrupt_forget(void)
{
	interrupted = 0;
}
