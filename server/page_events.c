/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /events: the log as server-sent events (HTML Living Standard, 9.2).
 *
 *   id: SEQ
 *   event: TYPE
 *   data: {"Seq":…}       as GetEvent answers it
 *
 * ?FromSeq=N begins there, ?Id= and ?Type= choose. Who comes again says in
 * Last-Event-ID what it had, and gets what is after that. Without both it
 * begins after the head. A comment comes when nothing else has for a while.
 * A feed is asked for events only while its reader takes them; who takes
 * nothing for too long is cut off, and comes again.
 */
#include "server/http_internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/json.h"
#include "server/feed.h"

#define STREAMS_MAX     256u
#define AHEAD_BYTES_MAX ((size_t)256 << 10) /* that wait for one reader to take them */
#define TURN_EVENTS     64u
#define SILENCE_S       15u
#define STALL_S         10u

struct ipl_stream {
	struct ipl_server *server;
	struct ipl_stream *next, *prev;
	struct evhttp_request *req;
	struct ipl_feed *feed;
	char principal[IPL_PRINCIPAL_MAX + 1]; /* "": with --any-key */
	bool is_behind;                        /* there may be events for it */
	uint32_t silent_s, stalled_s;
	int64_t said;  /* bytes in all, without what goes around them */
	int64_t taken; /* the most of them that its reader was known to have taken */
};

/* --- life --- */

static struct evhttp_connection *connection_of(const struct ipl_stream *stream)
{
	return evhttp_request_get_connection(stream->req);
}

static void forget(struct ipl_stream *stream)
{
	struct ipl_server *server = stream->server;

	if (stream->prev != NULL)
		stream->prev->next = stream->next;
	else
		server->streams = stream->next;
	if (stream->next != NULL)
		stream->next->prev = stream->prev;
	server->stream_count--;
	ipl_feed_close(stream->feed);
	free(stream);
}

/* What has been said so far still leaves; then it ends. */
static void end(struct ipl_stream *stream)
{
	struct evhttp_request *req = stream->req;

	evhttp_connection_set_closecb(connection_of(stream), NULL, NULL);
	ipl_http_sending(stream->server, req);
	forget(stream);
	evhttp_send_reply_end(req);
}

/* Nothing more is said; the request goes with its connection. */
static void cut_off(struct ipl_stream *stream)
{
	struct evhttp_connection *evcon = connection_of(stream);

	evhttp_connection_set_closecb(evcon, NULL, NULL);
	forget(stream);
	evhttp_connection_free(evcon);
}

/* The reader has gone: evhttp has let the request go, which is ours to free by ending it. */
static void on_gone(struct evhttp_connection *evcon, void *context)
{
	struct ipl_stream *stream = context;
	struct evhttp_request *req = stream->req;

	(void)evcon;
	forget(stream);
	evhttp_send_reply_end(req);
}

static size_t waiting_bytes(const struct ipl_stream *stream)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection_of(stream));

	return evbuffer_get_length(bufferevent_get_output(bev));
}

/* --- saying --- */

static void take_turn(struct ipl_server *server)
{
	static const struct timeval now = { 0, 0 };

	/* A timer is looked at after the sockets: so their turn comes before the next one here. */
	if (!server->is_stopping && event_add(server->stream_turn, &now) != 0)
		ipl_log(IPL_LOG_ERROR, "no timer for /events");
}

static void on_drained(struct evhttp_connection *evcon, void *context)
{
	struct ipl_stream *stream = context;

	(void)evcon;
	if (stream->is_behind)
		take_turn(stream->server);
}

static bool say(struct ipl_stream *stream, const struct ipl_buf *text)
{
	struct evbuffer *chunk = evbuffer_new();
	bool done = chunk != NULL && !text->failed && evbuffer_add(chunk, text->at, text->len) == 0;

	if (done)
		evhttp_send_reply_chunk_with_cb(stream->req, chunk, on_drained, stream);
	if (chunk != NULL)
		evbuffer_free(chunk);
	stream->said += (int64_t)text->len;
	stream->silent_s = 0;
	return done;
}

static void write_event(struct ipl_buf *out, const struct ipl_value *event)
{
	const struct ipl_value *seq = ipl_map_get(event, "Seq");

	ipl_buf_printf(out, "id: %" PRId64 "\nevent: %.*s\ndata: ", seq->integer,
		       IPL_STR_ARG(ipl_map_text(event, "Type")));
	ipl_json_write(out, event, IPL_JSON_COMPACT);
	ipl_buf_printf(out, "\n\n");
}

/* As many events as there are, its reader takes and one turn allows. */
static void feed(struct ipl_stream *stream)
{
	struct ipl_server *server = stream->server;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_buf text = { 0 };
	enum ipl_status st = IPL_OK;
	size_t room = waiting_bytes(stream);
	bool told = true;

	room = room < AHEAD_BYTES_MAX ? AHEAD_BYTES_MAX - room : 0;
	for (unsigned i = 0; st == IPL_OK && i < TURN_EVENTS && text.len < room; i++) {
		struct ipl_value event;
		ipl_arena_reset(&server->arena);
		st = ipl_feed_next(stream->feed, &server->arena, &event, &err);
		if (st == IPL_OK)
			write_event(&text, &event);
	}
	if (st == IPL_ERR_END)
		stream->is_behind = false;
	if (text.len > 0)
		told = say(stream, &text);
	ipl_buf_release(&text);
	if (!told || (st != IPL_OK && st != IPL_ERR_END && st != IPL_ERR_BUSY)) {
		ipl_log(IPL_LOG_WARN, "/events: a reader is cut off: %s",
			told ? err.text : "out of memory");
		cut_off(stream);
	}
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
	struct ipl_server *server = context;
	bool more = false;

	(void)fd;
	(void)what;
	if (server->is_stopping || server->is_damaged)
		return;
	for (struct ipl_stream *stream = server->streams, *next; stream != NULL; stream = next) {
		next = stream->next;
		if (stream->is_behind)
			feed(stream);
	}
	for (struct ipl_stream *stream = server->streams; stream != NULL; stream = stream->next)
		more = more || (stream->is_behind && waiting_bytes(stream) < AHEAD_BYTES_MAX);
	if (more)
		take_turn(server);
}

void ipl_streams_wake(struct ipl_server *server)
{
	if (server->streams == NULL)
		return;
	for (struct ipl_stream *stream = server->streams; stream != NULL; stream = stream->next)
		stream->is_behind = true;
	take_turn(server);
}

/* Whether its reader has taken something since the last look, or has nothing to take. */
static bool takes(struct ipl_stream *stream)
{
	int64_t waiting = (int64_t)waiting_bytes(stream), taken = stream->said - waiting;
	bool more = taken > stream->taken;

	stream->taken = more ? taken : stream->taken;
	return waiting == 0 || more;
}

static void beat(struct ipl_stream *stream)
{
	struct ipl_buf text = { 0 };

	stream->stalled_s = takes(stream) ? 0 : stream->stalled_s + 1;
	stream->silent_s++;
	if (stream->stalled_s >= STALL_S) {
		cut_off(stream);
		return;
	}
	if (stream->silent_s < SILENCE_S || stream->stalled_s > 0)
		return;
	ipl_buf_printf(&text, ": head %" PRIu64 "\n\n",
		       ipl_engine_durable_seq(stream->server->engine));
	if (!say(stream, &text))
		cut_off(stream);
	ipl_buf_release(&text);
}

void ipl_streams_beat(struct ipl_server *server)
{
	for (struct ipl_stream *stream = server->streams, *next; stream != NULL; stream = next) {
		next = stream->next;
		beat(stream);
	}
}

void ipl_streams_look_again(struct ipl_server *server, const struct ipl_keys *old,
			    const struct ipl_keys *new)
{
	for (struct ipl_stream *stream = server->streams, *next; stream != NULL; stream = next) {
		enum ipl_access role;
		next = stream->next;
		if (!ipl_admit_still(old, new, stream->principal, &role))
			end(stream);
	}
}

/* --- the page --- */

/* Where it begins: after what its reader has had, else where it asks for, else after the head. */
static enum ipl_status read_begin(struct evhttp_request *req, const struct ipl_pairs *query,
				  int64_t *from, struct ipl_error *err)
{
	const char *last =
		evhttp_find_header(evhttp_request_get_input_headers(req), "Last-Event-ID");
	struct ipl_str text = ipl_pairs_find(query, "FromSeq");

	*from = IPL_ABSENT;
	if (last != NULL && last[0] != '\0') {
		if (ipl_str_to_int(ipl_str_of(last), from) && *from < INT64_MAX) {
			(*from)++;
			return IPL_OK;
		}
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "Last-Event-ID is a seq, as the events' ids are");
	}
	if (text.at == NULL || ipl_str_to_int(text, from))
		return IPL_OK;
	return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "FromSeq is the number of an event");
}

static enum ipl_status open_feed(struct ipl_server *server, struct evhttp_request *req,
				 struct ipl_feed **out, struct ipl_error *err)
{
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));
	struct ipl_pairs pairs = { 0 };
	struct ipl_feed_filter filter;
	enum ipl_status st;

	ipl_arena_reset(&server->arena);
	st = ipl_pairs_parse(&server->arena, ipl_str_of(query), &pairs, err);
	if (st == IPL_OK)
		st = read_begin(req, &pairs, &filter.from_seq, err);
	if (st != IPL_OK)
		return st;
	filter.id = ipl_pairs_find(&pairs, "Id");
	filter.type = ipl_pairs_find(&pairs, "Type");
	if (server->is_damaged)
		return ipl_error_set(err, server->damage.status, "%.400s", server->damage.text);
	if (server->stream_count >= STREAMS_MAX)
		return ipl_refuse(err, IPL_CODE_OVERLOADED, "%u read /events already",
				  server->stream_count);
	return ipl_feed_open(server->engine, &filter, out, err);
}

static void begin(struct ipl_stream *stream)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(stream->req);
	struct evhttp_connection *evcon = connection_of(stream);

	(void)evhttp_add_header(headers, "Content-Type", "text/event-stream");
	(void)evhttp_add_header(headers, "Cache-Control", "no-store");
	(void)evhttp_add_header(headers, "Connection", "close");     /* when it ends */
	(void)evhttp_add_header(headers, "X-Accel-Buffering", "no"); /* proxies wait else */
	/* A reader says nothing: how long it takes nothing is our care. */
	bufferevent_set_timeouts(evhttp_connection_get_bufferevent(evcon), NULL, NULL);
	evhttp_connection_set_closecb(evcon, on_gone, stream);
	evhttp_send_reply_start(stream->req, 200, "OK");
}

void ipl_page_events(struct ipl_server *server, struct evhttp_request *req)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_buf hello = { .at = (uint8_t *)(uintptr_t) "retry: 2000\n\n", .len = 13 };
	struct ipl_http_caller caller;
	struct ipl_stream *stream;
	struct ipl_feed *events = NULL;

	if (!ipl_page_admit(server, req, "ListEvents", &caller))
		return;
	if (open_feed(server, req, &events, &err) != IPL_OK) {
		ipl_http_refuse(server, req, &err);
		return;
	}
	stream = calloc(1, sizeof(*stream));
	if (stream == NULL || evhttp_request_get_connection(req) == NULL ||
	    evhttp_request_get_command(req) == EVHTTP_REQ_HEAD) {
		ipl_feed_close(events);
		free(stream);
		ipl_http_reply(server, req, 200, "text/event-stream", "", 0);
		return;
	}
	*stream = (struct ipl_stream){ .server = server,
				       .next = server->streams,
				       .req = req,
				       .feed = events,
				       .is_behind = true };
	(void)snprintf(stream->principal, sizeof(stream->principal), "%s", caller.principal);
	if (stream->next != NULL)
		stream->next->prev = stream;
	server->streams = stream;
	server->stream_count++;
	begin(stream);
	if (say(stream, &hello))
		take_turn(server);
	else
		cut_off(stream);
}

/* --- all of them --- */

enum ipl_status ipl_streams_open(struct ipl_server *server, struct ipl_error *err)
{
	server->stream_turn = evtimer_new(server->base, on_turn, server);
	if (server->stream_turn == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "no timer for /events");
	return IPL_OK;
}

void ipl_streams_stop(struct ipl_server *server)
{
	while (server->streams != NULL)
		end(server->streams);
}

void ipl_streams_close(struct ipl_server *server)
{
	while (server->streams != NULL) /* where the server never ran to its end */
		cut_off(server->streams);
	if (server->stream_turn != NULL)
		event_free(server->stream_turn);
}
