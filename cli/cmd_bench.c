/* SPDX-License-Identifier: Apache-2.0 */
/* bench: loads a running server and shows rate and latencies. */
#include "cli/command.h"
#include "cli/load.h"
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 40

struct shown {
	bool is_terminal;
	uint64_t done; /* when it was shown last */
	double seconds;
};

static double ms_at(const struct ipl_latency *latency, double share)
{
	return (double)ipl_latency_at(latency, share) / 1e6;
}

static bool on_progress(void *context, double seconds, uint64_t done,
			const struct ipl_latency *latency)
{
	struct shown *shown = context;
	double span = seconds - shown->seconds;

	if (shown->is_terminal)
		fprintf(stderr,
			"\r\033[K%5.1f s  %10" PRIu64 " done  %8.0f/s  p50 %.3f ms  p99 %.3f ms ",
			seconds, done, span > 0 ? (double)(done - shown->done) / span : 0,
			ms_at(latency, 0.5), ms_at(latency, 0.99));
	shown->done = done;
	shown->seconds = seconds;
	return !ipl_interrupted();
}

/* Latencies in lines of a doubling each, those that hold any. */
static void print_histogram(const struct ipl_latency *latency)
{
	uint64_t line[IPL_LATENCY_BUCKETS / 16] = { 0 }, most = 1;

	for (uint32_t i = 0; i < IPL_LATENCY_BUCKETS; i++)
		line[i / 16] += latency->bucket[i];
	for (size_t i = 0; i < IPL_ARRAY_SIZE(line); i++)
		most = line[i] > most ? line[i] : most;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(line); i++) {
		int width = (int)(line[i] * BAR_WIDTH / most);
		if (line[i] == 0)
			continue;
		printf("  < %9.3f ms  %10" PRIu64 "  ", (double)(UINT64_C(1) << i) / 1000, line[i]);
		for (int k = 0; k < width; k++)
			putchar('#');
		putchar('\n');
	}
}

static struct ipl_value value_of(struct ipl_arena *arena, const struct ipl_load_options *o,
				 const struct ipl_load_result *r)
{
	static const struct {
		const char *name;
		double share;
	} points[] = { { "P50Microseconds", 0.5 },
		       { "P90Microseconds", 0.9 },
		       { "P99Microseconds", 0.99 },
		       { "P999Microseconds", 0.999 } };
	struct ipl_value map = ipl_map();

	ipl_map_add(arena, &map, "Mix", ipl_text_of(o->mix));
	ipl_map_add(arena, &map, "Connections", ipl_int(o->connections));
	ipl_map_add(arena, &map, "InFlight", ipl_int(o->in_flight));
	ipl_map_add(arena, &map, "Milliseconds", ipl_int((int64_t)(r->seconds * 1000)));
	ipl_map_add(arena, &map, "Done", ipl_int((int64_t)r->done));
	ipl_map_add(arena, &map, "Refused", ipl_int((int64_t)r->refused));
	ipl_map_add(arena, &map, "Events", ipl_int((int64_t)r->events));
	ipl_map_add(arena, &map, "FirstSeq", ipl_int((int64_t)r->first_seq));
	ipl_map_add(arena, &map, "PerSecond",
		    ipl_int(r->seconds > 0 ? (int64_t)((double)r->done / r->seconds) : 0));
	for (size_t i = 0; i < IPL_ARRAY_SIZE(points); i++)
		ipl_map_add(arena, &map, points[i].name,
			    ipl_int(ipl_latency_at(&r->latency, points[i].share) / 1000));
	ipl_map_add(arena, &map, "MaxMicroseconds", ipl_int(r->latency.max_ns / 1000));
	return map;
}

static void print_result(const struct ipl_load_options *o, const struct ipl_load_result *r)
{
	printf("%s, %u connections x %u in flight, %.1f s: %" PRIu64 " done, %.0f/s, %" PRIu64
	       " refused\n",
	       o->mix, o->connections, o->in_flight, r->seconds, r->done,
	       r->seconds > 0 ? (double)r->done / r->seconds : 0, r->refused);
	if (r->refused > 0)
		printf("the first refusal: %s\n", r->first_refusal);
	printf("latency: p50 %.3f ms  p90 %.3f ms  p99 %.3f ms  p99.9 %.3f ms  max %.3f ms\n",
	       ms_at(&r->latency, 0.5), ms_at(&r->latency, 0.9), ms_at(&r->latency, 0.99),
	       ms_at(&r->latency, 0.999), (double)r->latency.max_ns / 1e6);
	print_histogram(&r->latency);
}

static bool read_count(const char *text, uint32_t most, uint32_t *out)
{
	int64_t n;

	if (!ipl_str_to_int(ipl_str_of(text), &n) || n < 1 || n > most)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* One option at argv[*i]; -1: taken. */
static int take(const struct ipl_invocation *in, int *i, struct ipl_load_options *o, bool *writes)
{
	uint32_t seconds;
	const char *value;

	if ((value = ipl_option(in, i, "--connections")) != NULL) {
		if (!read_count(value, 1000, &o->connections))
			return ipl_usage(in->command, "--connections takes 1 to 1000");
	} else if ((value = ipl_option(in, i, "--in-flight")) != NULL) {
		if (!read_count(value, 4096, &o->in_flight))
			return ipl_usage(in->command, "--in-flight takes 1 to 4096");
	} else if ((value = ipl_option(in, i, "--seconds")) != NULL) {
		if (!read_count(value, 86400, &seconds))
			return ipl_usage(in->command, "--seconds takes 1 to 86400");
		o->seconds = seconds;
	} else if ((value = ipl_option(in, i, "--mix")) != NULL) {
		if (!ipl_load_is_mix(value))
			return ipl_usage(in->command, "there is no mix %s", value);
		o->mix = value;
	} else if ((value = ipl_option(in, i, "--socket")) != NULL) {
		o->path = value;
	} else if (strcmp(in->argv[*i], "--writes") == 0) {
		*writes = true;
	} else {
		return ipl_usage(in->command, "%s is no option of bench", in->argv[*i]);
	}
	return -1;
}

static int run_load(const struct ipl_invocation *in, struct ipl_load_options *o)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct shown shown = { .is_terminal = isatty(STDERR_FILENO) == 1 };
	struct ipl_load_result *result = calloc(1, sizeof(*result));
	enum ipl_status st;

	if (result == NULL)
		return ipl_usage(in->command, "out of memory");
	o->progress = on_progress;
	o->context = &shown;
	ipl_interrupt_catch();
	st = ipl_load_run(o, result, &err);
	if (shown.is_terminal && shown.done > 0)
		fputc('\n', stderr);
	if (st == IPL_OK && in->output == IPL_OUTPUT_TABLE) {
		print_result(o, result);
	} else if (st == IPL_OK) {
		struct ipl_value value = value_of(in->arena, o, result);
		ipl_print_result(in, &value);
	}
	free(result);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

static int run_bench(const struct ipl_invocation *in)
{
	struct ipl_load_options o = {
		.mix = "read", .connections = 8, .in_flight = 8, .seconds = 5
	};
	bool writes = false;

	if (in->server != NULL && strncmp(in->server, "unix:", 5) == 0)
		o.path = in->server + 5;
	else if (in->server != NULL)
		return ipl_usage(in->command, "bench loads a Unix socket: --server unix:PATH");
	for (int i = 0; i < in->argc; i++) {
		int rc = take(in, &i, &o, &writes);
		if (rc >= 0)
			return rc;
	}
	if (o.path == NULL)
		o.path = ipl_arena_printf(in->arena, "%s/ipledger.sock", in->data).at;
	if (ipl_load_writes(o.mix) && !writes)
		return ipl_usage(in->command,
				 "the events of this mix stay in the log for ever: say --writes, "
				 "and name a ledger that is for testing");
	return run_load(in, &o);
}

const struct ipl_command ipl_cmd_bench = {
	.name = "bench",
	.args = "[--mix MIX] [--connections N] [--in-flight N] [--seconds N] [--socket PATH] "
		"[--writes]",
	.summary = "loads a running server: rate, latencies, live progress",
	.more = "A closed load: each answer is followed by the next request. Mixes:\n"
		"    read, lookup            of network interfaces that there are\n"
		"    past, lookup-past       the same as of random moments of their lives\n"
		"    mixed                   run, allocate, associate, assign, unassociate,\n"
		"                            unassign, release and delete, in a VPC of its own\n"
		"                            that goes at the end; its events stay: --writes\n"
		"    ping                    nothing, to see what the rest costs\n",
	.run = run_bench,
};
