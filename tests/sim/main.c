/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipledger-sim: the whole server, its clients, its disk and its faults in one thread,
 * the same for the same seed. docs/TESTING.md says what is simulated and what is not.
 */
#include "tests/sim/fibers.h"
#include "tests/sim/seams.h"
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

#include "tests/random_ops.h"

#include "server/serve.h"

#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium/core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events/json.h"

#define STEPS_TO_DIE   200000u
#define STEPS_TO_DRAIN 20000u

struct sim sim;

static struct {
	unsigned fiber;
	struct ipl_value init;
	enum ipl_status status;
	struct ipl_error err;
	bool began_quiet; /* nothing fails for it */
} server;

/* --- the directory --- */

static char folder[64];

static int remove_one(const char *path, const struct stat *file, int type, struct FTW *at)
{
	(void)file;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_ledgers(void)
{
	(void)nftw(SIM_DIR, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	(void)nftw("reference", remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void clean_up(void)
{
	remove_ledgers();
	(void)!chdir("/");
	(void)rmdir(folder);
}

static void enter_folder(void)
{
	const char *temporary = getenv("TMPDIR");
	const char *under = access("/dev/shm", W_OK) == 0 ? "/dev/shm" :
			    temporary != NULL             ? temporary :
							    "/tmp";

	(void)snprintf(folder, sizeof(folder), "%.30s/ipledger-sim-XXXXXX", under);
	if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
		perror(folder);
		exit(1);
	}
	world_clean_up = clean_up;
}

/* --- the server --- */

/* What the program has as a constant. */
uint64_t sim_checkpoint_events(void)
{
	return sim.swarm.checkpoint_events;
}

static void *serve(void *context)
{
	const struct ipl_serve_options options = {
		.data = SIM_DIR,
		.http = "none",
		.core_dumps = true,
		.init = sim.lab.count == 0 ? &server.init : NULL,
	};

	(void)context;
	server.err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	server.status = ipl_serve(&options, &server.err);
	return NULL;
}

static void start_server(void)
{
	world_say("the server starts");
	world_revive();
	sim.server_is_up = true;
	sim.server_is_ending = sim.server_is_lost = false;
	sim.counts.starts++;
	server.began_quiet = sim.is_quiet;
	server.fiber = fibers_start(serve, NULL);
}

/* It has come to its end, by itself or because it was told to. */
static void bury_server(void)
{
	world_say("the server has ended: %s", server.status == IPL_OK ? "well" : server.err.text);
	sim.server_is_ending = true;
	clients_cut();
	fibers_reap(server.fiber);
	if (fibers_count() != 0)
		world_fail("the server left %u threads behind", fibers_count());
	sim.server_is_up = false;
	world_revive();
	checker_reopen();
}

/* All that it does from now on is of no effect; its memory is given back by its own hands. */
static void crash_server(void)
{
	world_say("the server crashes");
	sim.counts.crashes++;
	clients_cut();
	world_kill();
	for (uint32_t i = 0; !fibers_is_done(server.fiber); i++) {
		if (i % 64 == 0)
			(void)raise(SIGTERM);
		if (i % 16 == 0)
			world_pass_ms(10);
		if (i == STEPS_TO_DIE)
			world_fail("the server does not end");
		(void)fibers_step();
	}
	bury_server();
}

/* It is asked to end, and does so in order. */
static void stop_server(void)
{
	world_say("the server is to stop");
	sim.counts.stops++;
	sim.server_is_ending = true;
	for (uint32_t i = 0; !fibers_is_done(server.fiber); i++) {
		if (i % 64 == 0)
			(void)raise(SIGTERM);
		if (i % 16 == 0)
			world_pass_ms(1);
		if (i == STEPS_TO_DIE)
			world_fail("the server does not stop");
		(void)fibers_step();
		if (i % 8 == 0 && !sim.is_quiet)
			clients_act();
	}
	bury_server();
}

/* --- what a seed is --- */

static uint64_t maybe(uint64_t least, uint64_t most)
{
	return world_draw(2) == 0 ? 0 : least + world_draw(most - least + 1);
}

static void draw_swarm(void)
{
	static const char *const settings[] = {
		random_settings,
		"{\"PublicPools\":[\"198.18.0.0/28\"],\"ReuseDelaySeconds\":0}",
		"{\"PublicPools\":[\"198.18.0.0/29\"],\"Ipv6Pool\":\"2001:db8::/54\","
		"\"ReuseDelaySeconds\":30}",
	};
	struct sim_swarm *swarm = &sim.swarm;

	*swarm = (struct sim_swarm){
		.clients = 1 + (uint32_t)world_draw(SIM_CLIENTS_MAX),
		.steps = 300 + (uint32_t)world_draw(900),
		.drop_one_in = maybe(20, 200),
		.half_close_one_in = maybe(40, 200),
		.crash_one_in = maybe(60, 500),
		.stop_one_in = maybe(200, 800),
		.jump_one_in = maybe(20, 200),
		.read_one_in = 1 + maybe(1, 4),
		.past_one_in = maybe(1, 3),
		.token_one_in = maybe(1, 2),
		.again_one_in = maybe(2, 8),
		.dry_one_in = maybe(10, 40),
		.if_seq_one_in = maybe(5, 40),
		.event_time_one_in = maybe(5, 40),
		.has_pieces = world_draw(2) == 0,
		.has_subscribers = world_draw(2) == 0,
		.pipeline = 1 + (uint32_t)(world_draw(2) == 0 ? world_draw(4) : world_draw(60)),
		.checkpoint_events = world_draw(2) == 0 ? 20000 : 3 + world_draw(60),
		.settings = settings[world_draw(IPL_ARRAY_SIZE(settings))],
	};
	if (swarm->read_one_in == 1) /* then most seeds would only read */
		swarm->read_one_in = world_draw(2) == 0 ? 0 : 2;
	world_rates = (struct world_rates){
		.disk_fails_one_in = maybe(5, 120),
		.open_fails_one_in = maybe(2, 30),
		.io_short_one_in = maybe(2, 10),
	};
	fibers_preempt_one_in = maybe(1, 30);
}

/* --- a seed --- */

static void fault(void)
{
	if (world_one_in(sim.swarm.jump_one_in)) {
		int64_t ms = (int64_t)world_draw(20000) - 10000;
		world_say("the clock jumps by %" PRId64 " ms", ms);
		world_jump_ms(ms);
		sim.counts.jumps++;
	}
	if (!sim.server_is_up)
		return;
	if (world_one_in(sim.swarm.crash_one_in) || (sim.server_is_lost && world_draw(8) == 0))
		crash_server();
	else if (world_one_in(sim.swarm.stop_one_in))
		stop_server();
}

static void advance(void)
{
	if (world_draw(20) == 0)
		world_pass_ms((int64_t)world_draw(world_draw(10) == 0 ? 3000 : 50));
	if (sim.server_is_up && fibers_is_done(server.fiber)) {
		if (server.status == IPL_OK)
			world_fail("the server ended by itself");
		if (server.began_quiet)
			world_fail("the server does not start: %s", server.err.text);
		bury_server();
	}
	if (!sim.server_is_up && (sim.is_quiet || world_draw(8) == 0))
		start_server();
}

static void go_wild(void)
{
	for (uint32_t i = 0; i < sim.swarm.steps; i++) {
		advance();
		fault();
		clients_act();
		for (uint64_t turns = world_draw(6); sim.server_is_up && turns > 0; turns--)
			(void)fibers_step();
	}
}

/* No faults any more: everybody gets what he waits for. */
static void drain(void)
{
	world_say("no faults from here on");
	sim.is_quiet = true;
	world_calm();
	if (sim.server_is_up && !fibers_is_done(server.fiber) && sim.server_is_lost)
		crash_server();
	else if (sim.server_is_up && fibers_is_done(server.fiber))
		bury_server();
	for (uint32_t i = 0;; i++) {
		if (i == STEPS_TO_DRAIN)
			world_fail("it does not drain");
		advance();
		if (sim.server_is_lost)
			crash_server();
		else if (clients_drain())
			return;
		for (int turns = 0; sim.server_is_up && turns < 8; turns++)
			(void)fibers_step();
	}
}

/* Requests of connections that are gone may be on their way still. */
static void calm_down(void)
{
	uint64_t before;

	do {
		before = sim.executed_count + sim.lab.count;
		for (int turns = 0; turns < 500; turns++)
			(void)fibers_step();
	} while (sim.executed_count + sim.lab.count != before);
}

static void run_seed(uint64_t seed)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	remove_ledgers();
	world_begin(seed);
	memset(&sim.swarm, 0, sizeof(sim.swarm));
	sim.is_quiet = sim.server_is_up = false;
	sim.told = 0;
	sim.request_count = sim.attempt_count = sim.executed_count = 0;
	sim.open_failures_before = world_counts.open_failures;
	ipl_arena_init(&sim.keep, (size_t)512 << 20);
	draw_swarm();
	random_begin(seed);
	if (ipl_json_parse(&sim.keep, ipl_str_of(sim.swarm.settings), &server.init, &err) != IPL_OK)
		world_fail("%s", err.text);
	checker_begin();
	clients_begin();
	go_wild();
	drain();
	calm_down();
	world_pass_ms(2000); /* what could not be looked up is tried again after a second */
	(void)request_plain("GetStatus");
	(void)request_plain("GetStateHash");
	drain();
	stop_server();
	if (server.status != IPL_OK)
		world_fail("the server ended with: %s", server.err.text);
	clients_end();
	checker_end();
	ipl_arena_release(&sim.keep);
	world_end();
}

/* --- the command --- */

static FILE *report;

static void print_counts(uint64_t seeds)
{
	const struct sim_counts *c = &sim.counts;

	fprintf(report,
		"# seeds %" PRIu64 ": events %" PRIu64 ", answers %" PRIu64
		", acknowledged %" PRIu64 ", refused %" PRIu64 ", unavailable %" PRIu64
		", unknown %" PRIu64 ", lost %" PRIu64 ", retries %" PRIu64 "\n",
		seeds, c->events, c->answers, c->acknowledged, c->refused, c->unavailable,
		c->unknown, c->lost, c->retries);
	fprintf(report,
		"# starts %" PRIu64 ", crashes %" PRIu64 ", stops %" PRIu64 ", drops %" PRIu64
		", half closes %" PRIu64 ", clock jumps %" PRIu64 ", disk failures %" PRIu64
		", open failures %" PRIu64 ", short reads and writes %" PRIu64 "\n",
		c->starts, c->crashes, c->stops, c->drops, c->half_closes, c->jumps,
		world_counts.disk_failures, world_counts.open_failures, world_counts.short_io);
	fprintf(report,
		"# answers explained %" PRIu64 ", done by threads %" PRIu64
		", events notified %" PRIu64 ", checkpoints compared %" PRIu64
		", logs verified %" PRIu64 "\n",
		c->replayed, c->deferred, c->notified, c->checkpoints, c->verified);
}

static bool read_number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0';
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, seeds = 1;
	bool twice = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0)
			world_is_verbose = true;
		else if (strcmp(argv[i], "--twice") == 0)
			twice = true;
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0 &&
			 read_number(argv[i + 1], &seed))
			i++;
		else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0 &&
			 read_number(argv[i + 1], &seeds))
			i++;
		else {
			fprintf(stderr, "usage: ipledger-sim --seed N [--seeds COUNT] [--twice] "
					"[--verbose]\n");
			return 2;
		}
	}
	(void)signal(SIGTERM, SIG_IGN);
	report = fdopen(dup(STDOUT_FILENO), "w"); /* the program's own lines go nowhere */
	if (report == NULL || freopen("/dev/null", "w", stdout) == NULL) {
		perror("standard output");
		return 1;
	}
	enter_folder();
	if (sodium_init() < 0) /* the first time it draws; a seed must not know whether it was */
		return 1;
	for (uint64_t i = 0; i < seeds; i++) {
		run_seed(seed + i);
		if (twice) {
			uint64_t hash = world_trace_hash();
			run_seed(seed + i);
			if (world_trace_hash() != hash)
				world_fail("it is not the same the second time");
		}
		fflush(report);
		fprintf(report, "seed %" PRIu64 " hash %016" PRIx64 " steps %" PRIu64 "\n",
			seed + i, world_trace_hash(), world_steps());
	}
	free(sim.request);
	free(sim.attempt);
	free(sim.executed);
	print_counts(seeds);
	clean_up();
	return fclose(report) == 0 ? 0 : 1;
}
