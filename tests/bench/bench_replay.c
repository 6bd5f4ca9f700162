/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_replay DIR: the log of a ledger (make_log makes one) read four ways, in events a
 * second: the records looked at, parsed, folded, and folded with states kept on the
 * way, as the commands that go to and fro do it. The last column is the ratio to parsing.
 */
#include "replay/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct bench {
	struct ipl_arena arena;
	struct ipl_state *state;
	uint64_t bytes;
};

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void must(enum ipl_status st, const struct ipl_error *err)
{
	if (st == IPL_OK)
		return;
	fprintf(stderr, "bench_replay: %s\n", err->text);
	exit(1);
}

static enum ipl_status look(void *context, uint64_t seq, struct ipl_str record,
			    struct ipl_error *err)
{
	struct bench *b = context;
	uint64_t got;
	int64_t time_ms;

	b->bytes += record.len;
	if (!ipl_event_peek(record, &got, &time_ms) || got != seq)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "no event %" PRIu64, seq);
	return IPL_OK;
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

static enum ipl_status fold(void *context, uint64_t seq, struct ipl_str record,
			    struct ipl_error *err)
{
	struct bench *b = context;
	struct ipl_touches touches;
	struct ipl_event ev;
	enum ipl_status st;

	(void)seq;
	ipl_arena_reset(&b->arena);
	st = ipl_event_decode(record, &b->arena, &ev, err);
	if (st == IPL_OK)
		st = ipl_event_touches(&b->arena, &ev, &touches, err);
	return st == IPL_OK ? ipl_reduce(b->state, &ev, &touches, err) : st;
}

static double rate(struct ipl_reader *reader, uint64_t head, ipl_record_fn fn, struct bench *b)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	double begin = now();

	must(ipl_reader_scan(reader, 1, head, fn, b, &err), &err);
	return (double)head / (now() - begin);
}

static double rate_of_views(struct ipl_reader *reader, uint64_t head)
{
	const struct ipl_records records = ipl_records_of_reader(reader);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_state *state;
	struct ipl_views *views;
	double begin = now(), took;

	must(ipl_views_open(&records, &views, &err), &err);
	must(ipl_views_at(views, head, &state, &err), &err);
	took = now() - begin;
	ipl_views_close(views);
	return (double)head / took;
}

int main(int argc, char **argv)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct bench b = { .bytes = 0 };
	struct ipl_store *store;
	struct ipl_reader *reader;
	struct ipl_head head;
	double looked, parsed, folded, viewed;

	if (argc != 2) {
		fputs("usage: bench_replay DIR\n", stderr);
		return 2;
	}
	must(ipl_store_open(argv[1], IPL_STORE_READ, &store, &err), &err);
	must(ipl_store_head(store, &head, &err), &err);
	must(ipl_reader_open(store, &reader, &err), &err);
	ipl_arena_init(&b.arena, (size_t)64 << 20);
	b.state = ipl_state_new();
	looked = rate(reader, head.seq, look, &b);
	parsed = rate(reader, head.seq, parse, &b);
	folded = rate(reader, head.seq, fold, &b);
	viewed = rate_of_views(reader, head.seq);
	printf("%" PRIu64 " events of %" PRIu64 " bytes\n", head.seq, b.bytes / head.seq);
	printf("looked at           %9.0f/s\n", looked);
	printf("parsed              %9.0f/s\n", parsed);
	printf("folded              %9.0f/s  %.2f\n", folded, folded / parsed);
	printf("folded, states kept %9.0f/s  %.2f\n", viewed, viewed / parsed);
	ipl_state_free(b.state);
	ipl_arena_release(&b.arena);
	ipl_reader_close(reader);
	ipl_store_close(store);
	return 0;
}
