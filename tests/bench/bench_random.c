/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random operations on a network of some thousand entities, through operations,
 * codec and reducers, in memory: how many a second, without any check and then with
 * them. The checks, on samples: the invariants of the state, and that a second
 * state, folded from the events alone, is the same. A violation ends it with status 1.
 *
 * IPLEDGER_OPS=N: how many (200000). IPL_SEED=N.
 */
#include "replay/check.h"
#include "tests/random_ops.h"
#include "tests/same.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define OPS_DEFAULT UINT64_C(200000)
#define PLAIN_MAX   UINT64_C(1000000) /* operations of the run without checks */
#define SAMPLES     100u
#define SHARE_DONE  0.25 /* of the operations must succeed, and as many be refused */

static const char settings[] = "{\"PublicPools\":[\"198.18.0.0/22\",\"198.18.8.0/22\"],"
			       "\"Ipv6Pool\":\"2001:db8::/52\",\"ReuseDelaySeconds\":1}";

static uint64_t violations;

static uint64_t from_env(const char *name, uint64_t otherwise)
{
	const char *given = getenv(name);

	return given == NULL ? otherwise : strtoull(given, NULL, 10);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void found(void *context, const struct ipl_finding *finding)
{
	(void)context;
	printf("violated: %s: %s\n", finding->rule, finding->text);
}

static void check(struct lab *lab)
{
	char why[SAME_TEXT_MAX];

	ipl_state_advance(lab->state, lab->time_ms);
	ipl_state_advance(lab->follower, lab->time_ms);
	violations += ipl_check_state(lab->state, lab->time_ms, found, NULL);
	if (same_states(lab->state, lab->follower, lab->time_ms, why))
		return;
	printf("violated: folded from the events alone: %s\n", why);
	violations++;
}

static void step(struct lab *lab, struct random_tally *tally)
{
	enum ipl_status st;

	if (random_draw(16) == 0)
		random_wait(lab);
	st = random_call(lab, tally);
	if (st == IPL_OK || st == IPL_REFUSED)
		return;
	printf("violated: %s, after %s\n", lab->err.text, random_last());
	violations++;
	exit(1); /* a state after damage is good for nothing */
}

static void print_state(const struct lab *lab)
{
	printf("# state:");
	for (int kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++)
		printf(" %s %" PRIu64, ipl_kind_name((enum ipl_kind)kind),
		       ipl_state_count(lab->state, (enum ipl_kind)kind));
	printf("\n");
}

/* Seconds for @ops operations; what became of them is in @tally. */
static double run(uint64_t seed, uint64_t ops, bool checks, struct random_tally *tally)
{
	struct lab lab;
	double begin;

	random_begin_sized(seed, &random_large);
	lab_open(&lab, settings);
	lab.forgets = true;
	lab.is_quick = !checks;
	if (checks && !lab_follow(&lab)) {
		fprintf(stderr, "bench_random: out of memory\n");
		exit(1);
	}
	begin = now_s();
	for (uint64_t i = 0; i < ops; i++) {
		step(&lab, tally);
		if (checks && (i + 1) % (ops < SAMPLES ? 1 : ops / SAMPLES) == 0)
			check(&lab);
	}
	begin = now_s() - begin;
	if (checks)
		print_state(&lab);
	lab_close(&lab);
	return begin;
}

static uint64_t sum(const uint64_t *of)
{
	uint64_t total = 0;

	for (int op = 0; op < IPL_OP_COUNT; op++)
		total += of[op];
	return total;
}

int main(void)
{
	uint64_t ops = from_env("IPLEDGER_OPS", OPS_DEFAULT);
	uint64_t seed = from_env("IPL_SEED", 20261125), plain = ops < PLAIN_MAX ? ops : PLAIN_MAX;
	static struct random_tally tally, unused;
	double without = run(seed, plain, false, &unused);
	double with = run(seed, ops, true, &tally);
	uint64_t done = sum(tally.done), refused = sum(tally.refused);

	for (size_t i = 0; ipl_operation_at(i) != NULL; i++) {
		const struct ipl_operation *operation = ipl_operation_at(i);
		if (operation->kind == IPL_OPERATION_WRITE)
			printf("# %-32s %9" PRIu64 " done %9" PRIu64 " refused\n", operation->name,
			       tally.done[operation->op], tally.refused[operation->op]);
	}
	printf("random operations: %" PRIu64 " (%" PRIu64 " done, %" PRIu64 " refused), %.0f/s "
	       "without checks, %.0f/s with %u checks of the whole state, %" PRIu64 " violations\n",
	       ops, done, refused, (double)plain / without, (double)ops / with, SAMPLES,
	       violations);
	if (violations > 0)
		return 1;
	return (double)done >= SHARE_DONE * (double)ops &&
			       (double)refused >= SHARE_DONE * (double)ops ?
		       0 :
		       1;
}
