/* SPDX-License-Identifier: Apache-2.0 */
/* replay: the log folded before one's eyes, at full speed, in scaled time, or step by step. */
#include "cli/debugger.h"
#include "cli/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "replay/state_hash.h"
#include "store/thread.h"

#define STATUS_NS   INT64_C(100000000) /* the line of counts, at most so often */
#define EVENT_BYTES ((size_t)64 << 20)
#define SLICE_NS    INT64_C(50000000)
#define WAIT_MS_MAX 3600000.0 /* between two events, however far apart they were */

struct replay {
	const struct ipl_invocation *in;
	struct ipl_look look;
	const char *from_text;
	const char *to_text;
	const char *speed_text; /* NULL: as fast as it goes */
	bool steps;
	uint64_t from;
	uint64_t to;
	double speed;

	struct ipl_arena arena; /* of one event */
	struct ipl_progress progress;
	bool has_status; /* a line of counts stands at the bottom of the terminal */
	bool shows_status;
	int64_t drawn_ns;
	int64_t last_ms; /* of the event before */
	uint64_t reached;
};

/* --- the line of counts --- */

static void clear_status(struct replay *r)
{
	if (r->has_status)
		fputs("\r\033[K", stderr);
	r->has_status = false;
}

static void draw_status(struct replay *r, const struct ipl_state *state)
{
	double seconds = ipl_progress_seconds(&r->progress);
	uint64_t seq = ipl_state_seq(state);

	r->drawn_ns = ipl_monotonic_ns();
	r->has_status = true;
	(void)fflush(stdout); /* the two share a terminal */
	fprintf(stderr, "\r\033[K%" PRIu64 "/%" PRIu64, seq, r->to);
	for (enum ipl_kind kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++) {
		if (ipl_state_count(state, kind) > 0)
			fprintf(stderr, "  %s %" PRIu64, ipl_kind_name(kind),
				ipl_state_count(state, kind));
	}
	fprintf(stderr, "  %.0f/s", seconds > 0 ? (double)(seq - r->from) / seconds : 0.0);
}

/* --- one event --- */

/* Wait as long as the events were apart, in scaled time. In slices: a signal may come just before.
 */
static void wait_for(struct replay *r, int64_t time_ms)
{
	double ms = r->last_ms == 0 ? 0 : (double)(time_ms - r->last_ms) / r->speed;
	int64_t left_ns = (int64_t)((ms > WAIT_MS_MAX ? WAIT_MS_MAX : ms) * 1e6);

	r->last_ms = time_ms;
	(void)fflush(stdout); /* what was printed is seen while it waits */
	while (left_ns > 0 && !ipl_interrupted()) {
		struct timespec slice = { 0, left_ns < SLICE_NS ? left_ns : SLICE_NS };
		(void)nanosleep(&slice, NULL);
		left_ns -= slice.tv_nsec;
	}
}

static enum ipl_status on_step(void *context, const struct ipl_step *step, struct ipl_error *err)
{
	struct replay *r = context;
	struct ipl_value event;

	r->reached = step->ev->seq;
	if (r->in->output == IPL_OUTPUT_TABLE) {
		ipl_arena_reset(&r->arena);
		event = ipl_event_value(&r->arena, r->look.letters, step->ev);
		clear_status(r);
		if (printf("%s\n", ipl_look_event_line(&r->arena, &event).at) < 0)
			return ipl_error_set(err, IPL_ERR_IO, "standard output: %s",
					     strerror(errno));
	}
	if (r->shows_status && ipl_monotonic_ns() - r->drawn_ns >= STATUS_NS)
		draw_status(r, step->state);
	return ipl_interrupted() ? IPL_ERR_END : IPL_OK;
}

/* In scaled time each event is a walk of its own: no read transaction is open while it waits. */
static enum ipl_status walk(struct replay *r, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	if (r->speed_text == NULL)
		return ipl_views_walk(r->look.views, r->from, r->to, on_step, r, err);
	for (uint64_t seq = r->from + 1; st == IPL_OK && seq <= r->to && !ipl_interrupted();
	     seq++) {
		struct ipl_event ev;
		ipl_arena_reset(&r->arena);
		st = ipl_views_event(r->look.views, seq, &r->arena, &ev, err);
		if (st == IPL_OK)
			wait_for(r, ev.time_ms);
		if (st == IPL_OK && !ipl_interrupted())
			st = ipl_views_walk(r->look.views, seq - 1, seq, on_step, r, err);
	}
	return st;
}

/* --- the end --- */

static enum ipl_status summarize(struct replay *r, double seconds, struct ipl_error *err)
{
	struct ipl_arena *arena = r->in->arena;
	struct ipl_value map = ipl_map(), counts = ipl_map();
	uint8_t hash[IPL_DIGEST_BYTES];
	char hex[2 * IPL_DIGEST_BYTES + 1];
	const struct ipl_state *state;
	uint64_t events = r->reached - r->from;
	enum ipl_status st = ipl_views_at(r->look.views, r->reached, &state, err);

	if (st == IPL_OK && r->in->output != IPL_OUTPUT_TABLE)
		st = ipl_state_hash(state, hash, err);
	if (st != IPL_OK)
		return st;
	if (r->in->output == IPL_OUTPUT_TABLE) {
		fprintf(stderr, "%" PRIu64 " events, %.0f/s\n", events,
			seconds > 0 ? (double)events / seconds : 0.0);
		return IPL_OK;
	}
	for (size_t i = 0; i < sizeof(hash); i++)
		(void)snprintf(&hex[2 * i], 3, "%02x", hash[i]);
	for (enum ipl_kind kind = IPL_KIND_LEDGER; kind < IPL_KIND_COUNT; kind++)
		ipl_map_add(arena, &counts, ipl_kind_name(kind),
			    ipl_int((int64_t)ipl_state_count(state, kind)));
	ipl_map_add(arena, &map, "FromSeq", ipl_int((int64_t)r->from));
	ipl_map_add(arena, &map, "ToSeq", ipl_int((int64_t)r->reached));
	ipl_map_add(arena, &map, "Events", ipl_int((int64_t)events));
	ipl_map_add(arena, &map, "EventsPerSecond",
		    ipl_int(seconds > 0 ? (int64_t)((double)events / seconds) : 0));
	ipl_map_add(arena, &map, "Counts", counts);
	ipl_map_add(arena, &map, "Hash", ipl_textf(arena, "%s", hex));
	ipl_print_result(r->in, &map);
	return IPL_OK;
}

static enum ipl_status run_through(struct replay *r, struct ipl_error *err)
{
	const struct ipl_state *unused;
	double seconds;
	enum ipl_status st;

	r->reached = r->from;
	r->shows_status = isatty(STDERR_FILENO) == 1;
	ipl_arena_init(&r->arena, EVENT_BYTES);
	ipl_interrupt_catch();
	st = ipl_views_at(r->look.views, r->from, &unused, err); /* not part of what is measured */
	ipl_progress_begin(&r->progress, "events");
	if (st == IPL_OK)
		st = walk(r, err);
	seconds = ipl_progress_seconds(&r->progress);
	clear_status(r);
	if (st == IPL_OK)
		st = summarize(r, seconds, err);
	ipl_arena_release(&r->arena);
	return st;
}

/* --- words --- */

/* -1: go on */
static int read_words(struct replay *r)
{
	const struct ipl_invocation *in = r->in;
	char *end = NULL;

	for (int i = 0; i < in->argc; i++) {
		const char *value;
		if ((value = ipl_option(in, &i, "--from")) != NULL)
			r->from_text = value;
		else if ((value = ipl_option(in, &i, "--to")) != NULL)
			r->to_text = value;
		else if ((value = ipl_option(in, &i, "--speed")) != NULL)
			r->speed_text = value;
		else if (strcmp(in->argv[i], "--step") == 0)
			r->steps = true;
		else
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
	}
	if (r->speed_text != NULL) {
		r->speed = strtod(r->speed_text, &end);
		if (end == r->speed_text || *end != '\0' || !isfinite(r->speed) || r->speed <= 0)
			return ipl_usage(in->command,
					 "--speed takes a factor above 0: 1 is as it was, 60 a "
					 "minute in a second");
	}
	if (r->steps && (r->speed_text != NULL || in->output != IPL_OUTPUT_TABLE))
		return ipl_usage(in->command, "--step goes with neither --speed nor -o");
	return -1;
}

static int bad_moment(const struct replay *r, const char *option, const struct ipl_error *err)
{
	if (err->status != IPL_REFUSED)
		return ipl_fail(err);
	return ipl_usage(r->in->command, "%s: %s", option, err->text);
}

static int run_open(struct replay *r, struct ipl_error *err)
{
	r->to = r->look.head;
	if (r->from_text != NULL &&
	    ipl_look_when(&r->look, r->in->arena, r->from_text, &r->from, err) != IPL_OK)
		return bad_moment(r, "--from", err);
	if (r->to_text != NULL &&
	    ipl_look_when(&r->look, r->in->arena, r->to_text, &r->to, err) != IPL_OK)
		return bad_moment(r, "--to", err);
	if (r->from > r->to)
		return ipl_usage(r->in->command, "--from %" PRIu64 " is after --to %" PRIu64,
				 r->from, r->to);
	if (r->steps)
		return ipl_debugger_run(r->in, &r->look, r->from, r->to);
	return run_through(r, err) == IPL_OK ? IPL_EXIT_OK : ipl_fail(err);
}

static int run_replay(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct replay r = { .in = in };
	int rc = read_words(&r);

	if (rc >= 0)
		return rc;
	if (ipl_look_open(in, &r.look, &err) != IPL_OK)
		return ipl_fail(&err);
	rc = run_open(&r, &err);
	ipl_look_close(&r.look);
	return rc;
}

const struct ipl_command ipl_cmd_replay = {
	.name = "replay",
	.args = "[--from WHEN] [--to WHEN] [--speed X] [--step]",
	.summary = "folds the log before your eyes; --step is a debugger",
	.more = "The events after --from (default 0, the beginning) up to --to (default now), a "
		"line\n"
		"for each; with -o json what it comes to: counts, the state's hash, events a "
		"second.\n"
		"--speed 1 takes the time that it took, 60 a minute in a second.\n"
		"\n"
		"--step reads commands, from a terminal or standard input: next, back, goto, "
		"break,\n"
		"continue, reverse-continue, print, events, diff, hash, why, where, help (docs/\n"
		"DEBUGGING.md). In a script # begins a comment, and a command that fails ends it.",
	.run = run_replay,
};
