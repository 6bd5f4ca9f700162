/* SPDX-License-Identifier: Apache-2.0 */
/* A subscription, taken up again where it was whenever the connection is lost. */
#include "cli/follow.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/progress.h"
#include "cli/session.h"
#include "events/json.h"

#define ARENA_BYTES   ((size_t)64 << 20)
#define WAIT_MS       250
#define SILENCE_WAITS 80  /* a server sends a heartbeat every 5 seconds: 20 without are the end */
#define AGAIN_MS      500 /* from one try to reach the server to the next */

static const char *const columns[] = { "Seq",       "Time",  "Type",   "Operation",
				       "Principal", "Actor", "Reason", "Touches" };
/* A line is printed before the next one is known: so the widths are what they mostly are. */
static const size_t widths[] = { 8, 24, 24, 26, 10, 10, 16, 0 };

struct follow {
	const struct ipl_invocation *in;
	const struct ipl_value *params;
	const char *server; /* never the directory itself: nothing comes there */
	struct ipl_session *session;
	struct ipl_arena arena; /* of one notification */
	int64_t next;           /* from where to go on; -1: not known yet */
	bool was_connected;
	bool has_said_lost;
};

static void print_event(struct follow *f, const struct ipl_value *event)
{
	struct ipl_buf buf = { 0 };

	if (f->in->output == IPL_OUTPUT_TABLE) {
		ipl_print_row(&f->arena, event, columns, widths, IPL_ARRAY_SIZE(columns));
		return;
	}
	ipl_json_write(&buf, event, IPL_JSON_COMPACT);
	printf("%.*s\n", (int)buf.len, (const char *)buf.at);
	ipl_buf_release(&buf);
}

/* The seq that --from means: an answer to ListEvents knows what a time is. */
static enum ipl_status find_begin(struct follow *f, struct ipl_error *err)
{
	const struct ipl_value *seq = ipl_map_get(f->params, "FromSeq");
	const struct ipl_value *from = ipl_map_get(f->params, "FromTime"), *events;
	struct ipl_value params = ipl_map(), result;
	enum ipl_status st;

	if (seq != NULL)
		f->next = seq->integer;
	if (from == NULL)
		return IPL_OK;
	ipl_map_add(&f->arena, &params, "FromTime", *from);
	ipl_map_add(&f->arena, &params, "MaxResults", ipl_int(1));
	st = ipl_session_call(f->session, IPL_STR("ListEvents"), &params, &f->arena, &result, err);
	events = st == IPL_OK ? ipl_map_get(&result, "Events") : NULL;
	seq = events == NULL || events->count == 0 ? NULL : ipl_map_get(&events->item[0], "Seq");
	if (seq != NULL)
		f->next = seq->integer;
	return st;
}

static enum ipl_status subscribe(struct follow *f, struct ipl_error *err)
{
	const struct ipl_value *id = ipl_map_get(f->params, "Id"), *head;
	struct ipl_value params = ipl_map(), result;
	enum ipl_status st = ipl_session_open(f->in->data, f->server, &f->session, err);

	if (st == IPL_ERR_IO && !f->was_connected && f->in->server == NULL)
		return ipl_error_set(err, IPL_ERR_IO,
				     "following needs a running server: start one with ipledger "
				     "serve, or read what there is without --follow");
	if (st == IPL_OK && f->next < 0)
		st = find_begin(f, err);
	if (st != IPL_OK)
		return st;
	if (id != NULL)
		ipl_map_add(&f->arena, &params, "Id", *id);
	if (f->next >= 0)
		ipl_map_add(&f->arena, &params, "FromSeq", ipl_int(f->next));
	st = ipl_session_call(f->session, IPL_STR("Subscribe"), &params, &f->arena, &result, err);
	head = st == IPL_OK ? ipl_map_get(&result, "HeadSeq") : NULL;
	if (head != NULL && f->next < 0)
		f->next = head->integer + 1;
	return st;
}

/* IPL_ERR_END: the subscription ended, and where to go on is known. */
static enum ipl_status take(struct follow *f, struct ipl_str name, const struct ipl_value *what,
			    struct ipl_error *err)
{
	bool is_event = ipl_str_is(name, "Event");
	const struct ipl_value *at = ipl_map_get(what, is_event ? "Seq" : "ResumeFromSeq");

	if (at == NULL || at->type != IPL_VALUE_INT)
		return ipl_error_set(err, IPL_ERR_IO, "the server's notification makes no sense");
	f->next = is_event ? at->integer + 1 : at->integer;
	if (is_event)
		print_event(f, what);
	return ipl_str_is(name, "SubscriptionEnded") ?
		       ipl_error_set(err, IPL_ERR_END, "the server ended the subscription") :
		       IPL_OK;
}

/* Print what comes, until the connection ends or we are interrupted. */
static enum ipl_status follow_connection(struct follow *f, struct ipl_error *err)
{
	int silent = 0;

	while (!ipl_interrupted()) {
		struct ipl_str name;
		struct ipl_value what;
		enum ipl_status st;
		ipl_arena_reset(&f->arena);
		st = ipl_session_notified(f->session, 0, &f->arena, &name, &what, err);
		if (st == IPL_ERR_END) { /* whoever reads us has what there is */
			if (fflush(stdout) != 0)
				return ipl_error_set(err, IPL_ERR_NOMEM, "standard output is gone");
			st = ipl_session_notified(f->session, WAIT_MS, &f->arena, &name, &what,
						  err);
		}
		silent = st == IPL_ERR_END ? silent + 1 : 0;
		if (silent == SILENCE_WAITS)
			return ipl_error_set(err, IPL_ERR_IO, "the server says nothing any more");
		if (st == IPL_OK)
			st = take(f, name, &what, err);
		else if (st == IPL_ERR_END)
			continue;
		if (st != IPL_OK)
			return st;
	}
	return IPL_OK;
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = (long)AGAIN_MS * 1000000 };

	nanosleep(&moment, NULL); /* cut short by a signal, which is asked for next */
}

/* What a lost connection looks like; anything else is the end. */
static bool may_come_back(const struct follow *f, enum ipl_status st)
{
	return f->was_connected && (st == IPL_ERR_IO || st == IPL_ERR_END);
}

static int run(struct follow *f)
{
	while (!ipl_interrupted()) {
		struct ipl_error err = IPL_ERROR_INIT(&f->arena);
		enum ipl_status st;
		ipl_arena_reset(&f->arena);
		st = subscribe(f, &err);
		if (st == IPL_OK) {
			f->was_connected = true;
			f->has_said_lost = false;
			st = follow_connection(f, &err);
		}
		ipl_session_close(f->session);
		f->session = NULL;
		if (st != IPL_OK && !may_come_back(f, st))
			return ipl_fail(&err);
		if (st != IPL_OK && !f->has_said_lost)
			fprintf(stderr, "ipledger: %s; waiting for the server\n", err.text);
		f->has_said_lost = true;
		if (!ipl_interrupted())
			wait_a_moment();
	}
	return IPL_EXIT_OK;
}

int ipl_follow(const struct ipl_invocation *in, const struct ipl_value *params)
{
	struct follow f = { .in = in, .params = params, .server = in->server, .next = -1 };
	int rc;

	if (f.server == NULL)
		f.server = ipl_arena_printf(in->arena, "unix:%s/ipledger.sock", in->data).at;
	if (f.server == NULL)
		return IPL_EXIT_UNREACHABLE;
	ipl_interrupt_catch();
	ipl_arena_init(&f.arena, ARENA_BYTES);
	rc = run(&f);
	ipl_arena_release(&f.arena);
	return rc;
}
