/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_replay DIR [ROUNDS [EVENTS]]: the log of a ledger (make_scale makes one) gone through in
 * several ways, in events a second: a bare LMDB cursor, the records parsed, folded into a state
 * by one thread and by two, and with states kept on the way, as the commands that go to and fro do
 * it. The ratios are to the bare cursor of the same round.
 */
#include "replay/view.h"
#include "tests/bench/bench.h"

#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS_MAX 15u

enum way { BARE, PARSED, FOLDED_ONE, FOLDED_TWO, KEPT, WAYS };

static const char *const way_name[WAYS] = {
	[BARE] = "bare cursor",
	[PARSED] = "parsed",
	[FOLDED_ONE] = "folded, one thread",
	[FOLDED_TWO] = "folded, two threads",
	[KEPT] = "folded, states kept",
};
static const char *const way_key[WAYS] = { "Bare", "Parsed", "FoldedOne", "FoldedTwo", "Kept" };

struct bench {
	const char *dir;
	struct ipl_records records;
	uint64_t events;
	struct ipl_arena arena;
	struct ipl_state *state;
};

static void need(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bench_replay: %s: %s\n", what, mdb_strerror(rc));
	exit(1);
}

/* What LMDB alone can do: each record's first byte is touched. */
static void go_bare(const struct bench *b)
{
	char path[4096];
	volatile uint64_t sum = 0;
	uint64_t seq = 1;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi log;
	MDB_cursor *cursor;
	MDB_val key = { sizeof(seq), &seq }, value;

	(void)snprintf(path, sizeof(path), "%s/log.mdb", b->dir);
	need(mdb_env_create(&env), "environment");
	need(mdb_env_set_maxdbs(env, 8), "environment");
	need(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0600), path);
	need(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "transaction");
	need(mdb_dbi_open(txn, "log", MDB_INTEGERKEY, &log), "log");
	need(mdb_cursor_open(txn, log, &cursor), "cursor");
	need(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE), "first record");
	for (uint64_t i = 0; i < b->events; i++) {
		sum += *(const uint8_t *)value.mv_data;
		if (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) != 0)
			break;
	}
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

static enum ipl_status parse(void *context, uint64_t seq, struct ipl_str record,
			     struct ipl_error *err)
{
	struct bench *b = context;
	struct ipl_event ev;

	(void)seq;
	ipl_arena_reset(&b->arena);
	return ipl_event_decode(record, &b->arena, &ev, err);
}

static enum ipl_status fold(void *context, const struct ipl_passed *passed, struct ipl_error *err)
{
	struct bench *b = context;

	return ipl_reduce(b->state, &passed->ev, &passed->touches, err);
}

static void go_folded(struct bench *b, bool has_one_thread)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	struct ipl_records records = b->records;

	records.has_one_thread = has_one_thread;
	b->state = ipl_state_new();
	bench_must(ipl_pass_go(&(struct ipl_pass){ .records = &records,
						   .from = 1,
						   .to = b->events,
						   .fn = fold,
						   .context = b,
						   .state = b->state },
			       &err),
		   &err);
}

static void go_kept(const struct bench *b)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_state *state;
	struct ipl_views *views;

	bench_must(ipl_views_open(&b->records, &views, &err), &err);
	bench_must(ipl_views_at(views, b->events, &state, &err), &err);
	ipl_views_close(views);
}

/* Events a second. What is given back after it is not of it. */
static double go(struct bench *b, enum way way)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	double begin = bench_now_s(), took;

	if (way == BARE)
		go_bare(b);
	else if (way == PARSED)
		bench_must(b->records.scan(b->records.context, 1, b->events, parse, b, &err), &err);
	else if (way == KEPT)
		go_kept(b);
	else
		go_folded(b, way == FOLDED_ONE);
	took = bench_now_s() - begin;
	ipl_state_free(b->state);
	b->state = NULL;
	return (double)b->events / took;
}

static void print(const struct bench *b, double rate[WAYS][ROUNDS_MAX], size_t rounds)
{
	double ratio[ROUNDS_MAX];

	printf("%" PRIu64 " events, %zu rounds\n%-22s %12s  %s\n", b->events, rounds, "",
	       "events/s", "of a bare cursor (least to most)");
	for (int way = 0; way < WAYS; way++) {
		struct bench_spread all, of;
		for (size_t i = 0; i < rounds; i++)
			ratio[i] = rate[way][i] / rate[BARE][i];
		all = bench_spread(rate[way], rounds);
		of = bench_spread(ratio, rounds);
		printf("%-22s %12.0f  %.3f (%.3f to %.3f)\n", way_name[way], all.median, of.median,
		       of.least, of.most);
	}
	printf("{\"Bench\":\"replay\",\"Events\":%" PRIu64 ",\"Rounds\":%zu", b->events, rounds);
	for (int way = 0; way < WAYS; way++) {
		for (size_t i = 0; i < rounds; i++)
			ratio[i] = rate[way][i] / rate[BARE][i];
		printf(",\"%sPerSecond\":%.0f,\"%sRatio\":%.4f", way_key[way],
		       bench_spread(rate[way], rounds).median, way_key[way],
		       bench_spread(ratio, rounds).median);
	}
	puts("}");
}

int main(int argc, char **argv)
{
	static double rate[WAYS][ROUNDS_MAX];
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct bench b = { .events = UINT64_MAX };
	struct ipl_store *store;
	struct ipl_reader *reader;
	struct ipl_head head;
	size_t rounds = 3;

	if (argc < 2 || argc > 4) {
		fputs("usage: bench_replay DIR [ROUNDS [EVENTS]]\n", stderr);
		return 2;
	}
	b.dir = argv[1];
	if (argc > 2)
		rounds = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		b.events = strtoull(argv[3], NULL, 10);
	rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
	bench_must(ipl_store_open(b.dir, IPL_STORE_READ, &store, &err), &err);
	bench_must(ipl_store_head(store, &head, &err), &err);
	bench_must(ipl_reader_open(store, &reader, &err), &err);
	b.records = ipl_records_of_reader(reader);
	b.events = b.events < head.seq ? b.events : head.seq;
	ipl_arena_init(&b.arena, (size_t)64 << 20);
	go_bare(&b); /* so that the first round does not read from disk what later ones do not */
	for (size_t i = 0; i < rounds; i++) {
		for (int way = 0; way < WAYS; way++)
			rate[way][i] = go(&b, way);
	}
	print(&b, rate, rounds);
	ipl_arena_release(&b.arena);
	ipl_reader_close(reader);
	ipl_store_close(store);
	return 0;
}
