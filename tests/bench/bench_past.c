/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_past DIR [ROUNDS]: what it costs to look at the past of a ledger (make_scale makes one that
 * has a checkpoint after it was served once), without a socket:
 *   - single things: a random event got from the log; a network interface and the
 *     holder of an address, now and as of random moments of their lives
 *   - all addresses of one vSwitch as of a random moment (ListAddresses, all pages)
 *   - bisect for the flip of a status over the whole log
 * Each moment and each thing is asked for once, so nothing is warm but by luck.
 */
#include "replay/bisect.h"
#include "server/engine_internal.h"
#include "tests/bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SINGLES   2000u
#define SEARCHES  5u
#define KEPT_LATE 5 /* a thing's moments begin where it is there, and end with the log */

enum question { RANDOM_GET, ENI_NOW, ENI_PAST, ADDRESS_NOW, ADDRESS_PAST, SINGLE_COUNT };

static const char *const single_name[SINGLE_COUNT] = {
	"a random event from the log",  "GetEntity now",
	"GetEntity as of a moment",     "LookupAddress now",
	"LookupAddress as of a moment",
};
static const char *const single_key[SINGLE_COUNT] = { "RandomGet", "EntityNow", "EntityPast",
						      "AddressNow", "AddressPast" };

struct bench {
	struct ipl_engine *engine;
	struct ipl_arena arena;
	uint64_t head;
	uint64_t random;
	size_t rounds;
	uint64_t addresses; /* that the last list had */
};

struct thing {
	uint64_t number;
	char id[IPL_ID_TEXT_MAX];
	char vpc[IPL_ID_TEXT_MAX];
	char ip[IPL_IP4_TEXT_MAX];
	uint64_t moment;
};

static uint64_t draw(struct bench *b, uint64_t below)
{
	b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (b->random >> 20) % below;
}

/* A living interface, and a moment at which it was there. */
static void pick(struct bench *b, struct thing *out)
{
	const struct ipl_state *state = b->engine->state;
	const struct ipl_eni *eni = NULL;

	while (eni == NULL) {
		out->number = 1 + draw(b, ipl_state_next_number(state, IPL_KIND_ENI) - 1);
		eni = ipl_state_eni(state, out->number);
	}
	ipl_id_format(b->engine->letters, IPL_KIND_ENI, out->number, out->id);
	ipl_id_format(b->engine->letters, IPL_KIND_VPC, eni->vpc, out->vpc);
	ipl_ip4_format(eni->address[0].ip, out->ip);
	out->moment = eni->base.first_seq + draw(b, b->head - eni->base.first_seq + 1);
}

static struct ipl_answer call(struct bench *b, const char *operation, const char *const *members,
			      uint64_t as_of)
{
	struct ipl_value params = ipl_map();
	struct ipl_answer answer;
	struct ipl_call what = { .operation = ipl_str_of(operation),
				 .params = &params,
				 .principal = IPL_STR("bench"),
				 .access = IPL_ACCESS_AUDITOR,
				 .now_ms = ipl_state_time_ms(b->engine->state) };

	for (size_t i = 0; members[i] != NULL; i += 2)
		ipl_map_add(&b->arena, &params, members[i], ipl_text_of(members[i + 1]));
	if (strcmp(operation, "ListAddresses") == 0)
		ipl_map_add(&b->arena, &params, "MaxResults", ipl_int(IPL_PAGE_MAX));
	if (as_of != 0)
		ipl_map_add(&b->arena, &params, "AsOf", ipl_int((int64_t)as_of));
	ipl_engine_call(b->engine, &what, &b->arena, &answer);
	bench_must(answer.status, &answer.err);
	return answer;
}

static void ask_single(struct bench *b, enum question question, const struct thing *thing)
{
	const char *const entity[] = { "Id", thing->id, NULL };
	const char *const address[] = { "Address", thing->ip, "VpcId", thing->vpc, NULL };
	bool is_past = question == ENI_PAST || question == ADDRESS_PAST;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_str record;

	ipl_arena_reset(&b->arena);
	if (question == RANDOM_GET)
		bench_must(ipl_reader_get(b->engine->reader, 1 + draw(b, b->head), &record, &err),
			   &err);
	else if (question == ENI_NOW || question == ENI_PAST)
		(void)call(b, "GetEntity", entity, is_past ? thing->moment : 0);
	else
		(void)call(b, "LookupAddress", address, is_past ? thing->moment : 0);
}

/* Microseconds for one, the median of many. */
static double single(struct bench *b, enum question question)
{
	static double took[SINGLES];

	for (uint32_t i = 0; i < SINGLES; i++) {
		struct thing thing;
		double begin;
		pick(b, &thing);
		begin = bench_now_s();
		ask_single(b, question, &thing);
		took[i] = (bench_now_s() - begin) * 1e6;
	}
	qsort(took, SINGLES, sizeof(*took), bench_compare);
	return took[SINGLES / 2];
}

/* Milliseconds for all pages of a vSwitch's addresses. */
static double list(struct bench *b)
{
	const struct ipl_state *state = b->engine->state;
	char id[IPL_ID_TEXT_MAX], token[128] = "";
	uint64_t number = 1 + draw(b, ipl_state_next_number(state, IPL_KIND_VSWITCH) - 1);
	uint64_t moment = b->head - draw(b, b->head / KEPT_LATE);
	double begin = bench_now_s();

	ipl_id_format(b->engine->letters, IPL_KIND_VSWITCH, number, id);
	b->addresses = 0;
	do {
		const char *const members[] = { "VSwitchId", id,
						token[0] == '\0' ? NULL : "NextToken", token,
						NULL };
		struct ipl_answer answer;
		ipl_arena_reset(&b->arena);
		answer = call(b, "ListAddresses", members, token[0] == '\0' ? moment : 0);
		b->addresses += ipl_map_get(&answer.result, "Addresses")->count;
		(void)snprintf(token, sizeof(token), "%.*s",
			       IPL_STR_ARG(ipl_map_text(&answer.result, "NextToken")));
	} while (token[0] != '\0');
	return (bench_now_s() - begin) * 1e3;
}

/* Milliseconds to find since when an interface is there. */
static double search(struct bench *b, uint64_t *asked)
{
	struct ipl_records records = ipl_records_of_reader(b->engine->reader);
	struct ipl_asked asked_of = { .views = b->engine->views };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_expr *expr;
	struct ipl_bisect_result found;
	struct ipl_arena arena;
	struct thing thing;
	char text[64];
	double begin;

	pick(b, &thing);
	(void)snprintf(text, sizeof(text), "exists(\"%s\")", thing.id);
	ipl_arena_init(&arena, (size_t)16 << 20);
	bench_must(ipl_expr_parse(&arena, ipl_str_of(text), &expr, &err), &err);
	begin = bench_now_s();
	records.checkpoints = b->engine->checkpoints;
	bench_must(ipl_chains_open(&records, b->head, &asked_of.chains, &err), &err);
	bench_must(ipl_bisect_expr(&asked_of, expr, 0, b->head, false, &found, &err), &err);
	begin = (bench_now_s() - begin) * 1e3;
	if (found.what != IPL_BISECT_FOUND ||
	    found.seq != ipl_state_eni(b->engine->state, thing.number)->base.first_seq) {
		fputs("bench_past: bisect found another event\n", stderr);
		exit(1);
	}
	*asked = found.asked;
	ipl_chains_close(asked_of.chains);
	ipl_arena_release(&arena);
	return begin;
}

static void print_singles(double took[SINGLE_COUNT][BENCH_ROUNDS_MAX], size_t rounds)
{
	double ratio[BENCH_ROUNDS_MAX];

	printf("%-30s %10s  %s\n", "", "us", "of a random get (least to most)");
	for (int q = 0; q < SINGLE_COUNT; q++) {
		struct bench_spread of;
		for (size_t i = 0; i < rounds; i++)
			ratio[i] = took[q][i] / took[RANDOM_GET][i];
		of = bench_spread(ratio, rounds);
		printf("%-30s %10.2f  %.2f (%.2f to %.2f)\n", single_name[q],
		       bench_spread(took[q], rounds).median, of.median, of.least, of.most);
	}
}

static void print_json(const struct bench *b, double took[SINGLE_COUNT][BENCH_ROUNDS_MAX],
		       const double *listed, const double *searched, size_t searches)
{
	printf("{\"Bench\":\"past\",\"Events\":%" PRIu64 ",\"Rounds\":%zu", b->head, b->rounds);
	for (int q = 0; q < SINGLE_COUNT; q++)
		printf(",\"%sMicroseconds\":%.2f", single_key[q],
		       bench_spread(took[q], b->rounds).median);
	printf(",\"ListAddresses\":%" PRIu64
	       ",\"ListMilliseconds\":%.2f,\"BisectMilliseconds\":%.2f}"
	       "\n",
	       b->addresses, bench_spread(listed, b->rounds).median,
	       bench_spread(searched, searches).median);
}

static void run(struct bench *b)
{
	static double took[SINGLE_COUNT][BENCH_ROUNDS_MAX], listed[BENCH_ROUNDS_MAX];
	double searched[SEARCHES];
	struct bench_spread of;
	uint64_t asked = 0;

	for (size_t i = 0; i < b->rounds; i++) {
		for (int q = 0; q < SINGLE_COUNT; q++)
			took[q][i] = single(b, (enum question)q);
		listed[i] = list(b);
	}
	for (uint32_t i = 0; i < SEARCHES; i++)
		searched[i] = search(b, &asked);
	print_singles(took, b->rounds);
	of = bench_spread(listed, b->rounds);
	printf("all %" PRIu64 " addresses of a vSwitch as of a moment: %.1f ms (%.1f to %.1f)\n",
	       b->addresses, of.median, of.least, of.most);
	of = bench_spread(searched, SEARCHES);
	printf("bisect over %" PRIu64 " events, %" PRIu64
	       " moments asked: %.1f ms (%.1f to %.1f)\n",
	       b->head, asked, of.median, of.least, of.most);
	print_json(b, took, listed, searched, SEARCHES);
}

int main(int argc, char **argv)
{
	struct bench b = { .random = 7, .rounds = 5 };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	double begin = bench_now_s();

	if (argc < 2 || argc > 3) {
		fputs("usage: bench_past DIR [ROUNDS]\n", stderr);
		return 2;
	}
	if (argc > 2)
		b.rounds = strtoull(argv[2], NULL, 10);
	b.rounds = b.rounds < 1 ? 1 : b.rounds > BENCH_ROUNDS_MAX ? BENCH_ROUNDS_MAX : b.rounds;
	ipl_arena_init(&b.arena, (size_t)1 << 30);
	bench_must(ipl_engine_open(argv[1], IPL_ENGINE_READ, NULL, 0, &b.engine, &err), &err);
	b.head = ipl_state_seq(b.engine->state);
	printf("opened in %.2f s\n", bench_now_s() - begin);
	run(&b);
	ipl_engine_close(b.engine);
	ipl_arena_release(&b.arena);
	return 0;
}
