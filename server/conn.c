/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the native door. */
#include "server/serve_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/thread.h"

#define READ_BYTES       ((size_t)256 << 10)
#define FRAMES_AT_A_TIME 512u /* then others have their turn */
#define SHRINK_BYTES     ((size_t)1 << 20)

static void on_readable(evutil_socket_t fd, short what, void *context);
static void on_writable(evutil_socket_t fd, short what, void *context);

/* --- life --- */

void ipl_conn_open(struct ipl_server *server, int fd, const struct ipl_caller *caller)
{
	struct ipl_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		close(fd);
		return;
	}
	conn->server = server;
	conn->fd = fd;
	conn->access = IPL_ACCESS_ADMIN;
	conn->peer = caller->peer;
	conn->is_tcp = caller->is_tcp;
	conn->is_stranger = caller->is_stranger;
	conn->opened_ms = ipl_now_ms();
	conn->moved_ns = ipl_monotonic_ns();
	strncpy(conn->principal, caller->principal, sizeof(conn->principal) - 1);
	conn->next = server->conns;
	if (conn->next != NULL)
		conn->next->prev = conn;
	server->conns = conn;
	server->conn_count++;
	server->stranger_count += conn->is_stranger;
	conn->readable = event_new(server->base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	conn->writable = event_new(server->base, fd, EV_WRITE, on_writable, conn);
	if (caller->tls != NULL)
		conn->tls = ipl_tls_accept(caller->tls, fd);
	if (conn->readable == NULL || conn->writable == NULL ||
	    (caller->tls != NULL && conn->tls == NULL) || event_add(conn->readable, NULL) != 0)
		ipl_conn_free(conn);
	else if (conn->is_stranger)
		ipl_admit_watch(server);
}

void ipl_conn_free(struct ipl_conn *conn)
{
	if (conn->readable != NULL)
		event_free(conn->readable);
	if (conn->writable != NULL)
		event_free(conn->writable);
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		conn->server->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	conn->server->conn_count--;
	ipl_conn_uncount(conn);
	conn->server->stranger_count -= conn->is_stranger;
	ipl_subscriptions_free(conn);
	conn->server->deferred_count -= conn->is_deferred;
	ipl_engine_forget(conn->job);
	ipl_tls_free(conn->tls); /* it says goodbye at the socket */
	close(conn->fd);
	ipl_buf_release(&conn->in);
	ipl_buf_release(&conn->out);
	free(conn->held);
	free(conn);
}

/* --- out --- */

static bool is_full(const struct ipl_conn *conn)
{
	return conn->held_count >= IPL_CONN_HELD_MAX || conn->out.len > IPL_CONN_OUT_BYTES_MAX;
}

/* Drop what has left; the ends of held answers move with it. */
static void compact_out(struct ipl_conn *conn)
{
	if (conn->sent == 0 || (conn->sent < conn->out.len && conn->sent < SHRINK_BYTES))
		return;
	for (uint32_t i = 0; i < conn->held_count; i++)
		conn->held[conn->held_first + i].end -= conn->sent;
	ipl_buf_consume(&conn->out, conn->sent);
	conn->released -= conn->sent;
	conn->sent = 0;
	if (conn->out.len == 0 && conn->out.cap > SHRINK_BYTES)
		ipl_buf_release(&conn->out);
}

/* Write what may leave. False when the connection is gone. */
static bool flush(struct ipl_conn *conn)
{
	while (conn->sent < conn->released) {
		const uint8_t *at = conn->out.at + conn->sent;
		size_t len = conn->released - conn->sent;
		ssize_t n = conn->tls == NULL ? write(conn->fd, at, len) :
						ipl_tls_write(conn->tls, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (event_add(conn->writable, NULL) == 0)
				break;
		}
		if (n <= 0) {
			ipl_conn_free(conn);
			return false;
		}
		conn->sent += (size_t)n;
		conn->sent_total += (size_t)n;
		conn->moved_ns = ipl_monotonic_ns();
		conn->server->counts.bytes_out += (uint64_t)n;
	}
	compact_out(conn);
	ipl_conn_count(conn);
	if (conn->input_done && conn->held_count == 0 && conn->sent == conn->out.len) {
		ipl_conn_free(conn);
		return false;
	}
	return true;
}

static bool hold(struct ipl_conn *conn, const struct ipl_held *held)
{
	if (conn->held_first + conn->held_count == conn->held_cap && conn->held_first > 0) {
		memmove(conn->held, conn->held + conn->held_first,
			conn->held_count * sizeof(*conn->held));
		conn->held_first = 0;
	}
	if (conn->held_count == conn->held_cap) {
		uint32_t cap = conn->held_cap == 0 ? 16 : conn->held_cap * 2;
		struct ipl_held *grown = realloc(conn->held, cap * sizeof(*grown));
		if (grown == NULL)
			return false;
		conn->held = grown;
		conn->held_cap = cap;
	}
	conn->held[conn->held_first + conn->held_count++] = *held;
	return true;
}

/* Queue an answer: it leaves in its turn, when the disk has what it tells of. */
static void answer(struct ipl_conn *conn, uint32_t msgid, const struct ipl_answer *a,
		   const uint8_t request_id[IPL_REQUEST_ID_BYTES])
{
	struct ipl_held held = { .wait_seq = a->wait_seq,
				 .msgid = msgid,
				 .taken_ns = conn->taken_ns };
	bool subscribes = a->status == IPL_OK && a->feed != NULL;

	memcpy(held.request_id, request_id, sizeof(held.request_id));
	ipl_rpc_write_answer(&conn->out, msgid, a, request_id, conn->errors_as_maps);
	held.end = conn->out.len;
	held.subscription = subscribes ? conn->subscription_ids : 0;
	if (conn->held_count > 0 || a->wait_seq > ipl_engine_durable_seq(conn->server->engine)) {
		if (!hold(conn, &held))
			conn->out.failed = true;
		return;
	}
	conn->released = conn->out.len;
	ipl_histogram_add_ns(&conn->server->counts.reply,
			     (a->done_ns != 0 ? a->done_ns : ipl_monotonic_ns()) - held.taken_ns);
	if (subscribes)
		ipl_subscription_begin(conn, held.subscription);
}

bool ipl_conn_notify(struct ipl_conn *conn)
{
	const struct ipl_held held = { .end = conn->out.len, .is_notice = true };

	if (conn->held_count == 0)
		conn->released = conn->out.len;
	else if (!hold(conn, &held))
		conn->out.failed = true;
	if (conn->out.failed) { /* something of the stream is missing: it cannot go on */
		ipl_conn_free(conn);
		return false;
	}
	return flush(conn);
}

/* Errors take the place of the answers that wait; notifications between them stay. */
static void replace_held(struct ipl_conn *conn, const struct ipl_error *failed)
{
	struct ipl_answer a = { .status = failed->status, .err = *failed };
	struct ipl_buf was = { 0 };
	size_t at = 0, begin = conn->released;

	ipl_buf_append(&was, conn->out.at + begin, conn->out.len - begin);
	conn->out.failed = conn->out.failed || was.failed;
	conn->out.len = begin;
	for (uint32_t i = 0; i < conn->held_count && !was.failed; i++) {
		const struct ipl_held *held = &conn->held[conn->held_first + i];
		if (held->is_notice)
			ipl_buf_append(&conn->out, was.at + at, held->end - begin - at);
		else
			ipl_rpc_write_answer(&conn->out, held->msgid, &a, held->request_id,
					     conn->errors_as_maps);
		if (held->subscription != 0)
			ipl_subscription_drop(conn, held->subscription);
		at = held->end - begin;
	}
	ipl_buf_release(&was);
	conn->held_count = 0;
	conn->released = conn->out.len;
}

/* There is room again: go on where reading was paused. */
static void resume(struct ipl_conn *conn)
{
	if (!conn->is_paused || conn->input_done || is_full(conn))
		return;
	conn->is_paused = false;
	if (!conn->eof && event_add(conn->readable, NULL) != 0) {
		ipl_conn_free(conn);
		return;
	}
	event_active(conn->readable, EV_READ, 0); /* frames may be here already */
}

void ipl_conn_release(struct ipl_conn *conn, uint64_t durable_seq, const struct ipl_error *failed)
{
	int64_t now_ns = ipl_monotonic_ns();

	while (conn->held_count > 0 && conn->held[conn->held_first].wait_seq <= durable_seq) {
		const struct ipl_held *held = &conn->held[conn->held_first];
		conn->released = held->end;
		if (!held->is_notice)
			ipl_histogram_add_ns(&conn->server->counts.reply, now_ns - held->taken_ns);
		if (held->subscription != 0)
			ipl_subscription_begin(conn, held->subscription);
		conn->held_first++;
		conn->held_count--;
	}
	if (conn->held_count == 0)
		conn->held_first = 0;
	if (failed != NULL)
		replace_held(conn, failed);
	if (conn->out.failed)
		ipl_conn_free(conn);
	else if (flush(conn))
		resume(conn);
}

void ipl_conn_finish(struct ipl_conn *conn)
{
	conn->input_done = true;
	event_del(conn->readable);
	flush(conn);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct ipl_conn *conn = context;

	(void)fd;
	(void)what;
	if (conn->subscriptions != NULL)
		ipl_subscribers_wake(conn->server);
	if (!flush(conn))
		return;
	if (conn->tls != NULL && ipl_tls_read_waits(conn->tls))
		event_active(conn->readable, EV_READ, 0);
	resume(conn);
}

/* --- in --- */

/* Hello: who it is, and how errors look from this answer on. */
static void greet(struct ipl_conn *conn, const struct ipl_frame *frame, int64_t now_ms,
		  struct ipl_answer *a)
{
	struct ipl_str format = ipl_map_text(frame->params, "ErrorFormat");

	a->status = ipl_admit_hello(conn, frame->params, now_ms, &a->err);
	if (a->status == IPL_OK && format.len > 0)
		conn->errors_as_maps = ipl_str_is(format, "Map");
}

/* False where nothing was done yet, and it is to be asked again later. */
static bool execute(struct ipl_conn *conn, const struct ipl_frame *frame,
		    const uint8_t request_id[IPL_REQUEST_ID_BYTES])
{
	struct ipl_server *server = conn->server;
	struct ipl_call call = {
		.operation = frame->operation,
		.params = frame->params,
		.principal = ipl_str_of(conn->principal),
		.access = conn->access,
		.now_ms = ipl_now_ms(),
		.can_be_notified = true,
		.is_behind = conn->held_count > 0,
		.job = &conn->job,
	};
	struct ipl_answer a = { .err = IPL_ERROR_INIT(&server->arena) };
	bool is_hello = ipl_str_is(frame->operation, "Hello");

	memcpy(call.request_id, request_id, sizeof(call.request_id));
	if (conn->is_stranger && !is_hello) {
		a.status = ipl_admit_refuse_stranger(&a.err);
	} else if (server->is_damaged) {
		ipl_engine_forget(conn->job);
		conn->job = NULL;
		a.status = server->damage.status;
		a.err = server->damage;
	} else {
		ipl_engine_call(server->engine, &call, &server->arena, &a);
		if (a.is_deferred)
			return false;
		ipl_subscribe(conn, &a);
		if (a.status == IPL_OK && is_hello)
			greet(conn, frame, call.now_ms, &a);
	}
	answer(conn, frame->msgid, &a, request_id);
	return true;
}

enum taken {
	TAKEN_ALL,      /* what is left is the beginning of a frame, or nothing */
	TAKEN_ENOUGH,   /* there is more, for the next turn */
	TAKEN_FULL,     /* too many answers wait: the next turn comes when some have left */
	TAKEN_DEFERRED, /* the next frame is being done by a thread */
	TAKEN_BROKEN,   /* the connection cannot go on */
};

/* A frame whose border is known. TAKEN_ALL: go on with the next one. */
static enum taken take_frame(struct ipl_conn *conn, const uint8_t *bytes, size_t len)
{
	struct ipl_server *server = conn->server;
	struct ipl_answer a = { .err = IPL_ERROR_INIT(&server->arena) };
	uint8_t request_id[IPL_REQUEST_ID_BYTES];
	struct ipl_frame frame;

	ipl_arena_reset(&server->arena);
	ipl_request_id_next(server, request_id);
	a.status = ipl_rpc_parse(server->unpacker, bytes, len, &server->arena, &frame, &a.err);
	if (a.status == IPL_OK && frame.is_request && !execute(conn, &frame, request_id))
		return TAKEN_DEFERRED;
	conn->server->counts.malformed += a.status != IPL_OK;
	if (a.status != IPL_OK && frame.has_msgid)
		answer(conn, frame.msgid, &a, request_id);
	return (a.status == IPL_OK || frame.has_msgid) && !conn->out.failed ? TAKEN_ALL :
									      TAKEN_BROKEN;
}

/* The frame border is lost: one answer where a msgid was readable, then the end. */
static void give_up(struct ipl_conn *conn, enum ipl_scan found, const uint8_t *bytes)
{
	struct ipl_answer a = { .err = IPL_ERROR_INIT(NULL) };
	uint8_t request_id[IPL_REQUEST_ID_BYTES];
	uint32_t msgid;

	if (found == IPL_SCAN_TOO_LARGE)
		a.status = ipl_refuse(&a.err, IPL_CODE_FRAME_TOO_LARGE,
				      "a frame is longer than %zu bytes", IPL_FRAME_BYTES_MAX);
	else if (found == IPL_SCAN_TOO_DEEP)
		a.status = ipl_refuse(&a.err, IPL_CODE_MALFORMED_REQUEST,
				      "a frame is nested deeper than %d", IPL_VALUE_DEPTH_MAX);
	else
		a.status = ipl_refuse(&a.err, IPL_CODE_MALFORMED_REQUEST,
				      "a frame is not MessagePack");
	conn->server->counts.malformed++;
	ipl_request_id_next(conn->server, request_id);
	/* In what was well up to there, so that it does not hang on how much has come after it. */
	if (ipl_rpc_peek_msgid(bytes, conn->scanner.offset, &msgid))
		answer(conn, msgid, &a, request_id);
}

/* Take the frames that are here. */
static enum taken take_frames(struct ipl_conn *conn)
{
	for (uint32_t i = 0; i < FRAMES_AT_A_TIME && conn->in_used < conn->in.len; i++) {
		const uint8_t *at = conn->in.at + conn->in_used;
		size_t len = conn->in.len - conn->in_used, size = 0;
		enum ipl_scan found;
		enum taken taken;
		if (is_full(conn))
			return TAKEN_FULL;
		if (ipl_conns_are_full(conn->server))
			return TAKEN_ENOUGH; /* for now: there is room again in the next turn */
		found = ipl_scan(&conn->scanner, at, len, IPL_FRAME_BYTES_MAX, &size);
		if (found == IPL_SCAN_MORE)
			return TAKEN_ALL;
		if (found != IPL_SCAN_WHOLE) {
			give_up(conn, found, at);
			return TAKEN_BROKEN;
		}
		taken = take_frame(conn, at, size);
		if (taken != TAKEN_DEFERRED)
			conn->in_used += size;
		ipl_conn_count(conn);
		if (taken != TAKEN_ALL)
			return taken;
	}
	return conn->in_used < conn->in.len ? TAKEN_ENOUGH : TAKEN_ALL;
}

/* More bytes into the buffer. False where the connection is broken. */
static bool read_more(struct ipl_conn *conn)
{
	ssize_t n;

	/* What is here already is taken first: so the buffer holds a frame and a read at most. */
	if (conn->eof || conn->in.len > IPL_FRAME_BYTES_MAX)
		return true;
	if (ipl_conns_are_full(conn->server))
		return true; /* it stays readable */
	if (!ipl_conn_room(conn, READ_BYTES))
		return false;
	n = conn->tls == NULL ? read(conn->fd, conn->in.at + conn->in.len, READ_BYTES) :
				ipl_tls_read(conn->tls, conn->in.at + conn->in.len, READ_BYTES);
	if (n < 0 && conn->tls != NULL && ipl_tls_read_waits(conn->tls))
		return event_add(conn->writable, NULL) == 0;
	if (n < 0 && conn->tls != NULL && ipl_tls_broken(conn->tls)[0] != '\0')
		ipl_log_often(IPL_LOG_INFO, &conn->server->tls_refusals,
			      "a TLS connection ends: %s", ipl_tls_broken(conn->tls));
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	conn->in.len += (size_t)n;
	conn->moved_ns = conn->taken_ns;
	conn->server->counts.bytes_in += (uint64_t)n;
	conn->eof = n == 0;
	if (conn->eof)
		event_del(conn->readable);
	return true;
}

/* Take what is here, and see how it goes on. */
static void go_on(struct ipl_conn *conn)
{
	enum taken taken = take_frames(conn);

	ipl_conn_tidy(conn);
	/* After the end of input its whole frames are answered; half a frame is nothing. */
	if (taken == TAKEN_BROKEN || (taken == TAKEN_ALL && conn->eof)) {
		ipl_conn_finish(conn);
		return;
	}
	if (taken == TAKEN_ENOUGH)
		event_active(conn->readable, EV_READ, 0);
	conn->is_paused = taken == TAKEN_FULL;
	conn->is_deferred = taken == TAKEN_DEFERRED;
	conn->server->deferred_count += conn->is_deferred;
	if (conn->is_paused || conn->is_deferred)
		event_del(conn->readable);
	else if (conn->tls != NULL && ipl_tls_has_more(conn->tls))
		event_active(conn->readable, EV_READ, 0);
	flush(conn);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct ipl_conn *conn = context;

	(void)fd;
	(void)what;
	if (conn->input_done || conn->server->is_stopping) {
		event_del(conn->readable); /* else the loop would spin on what nobody reads */
		return;
	}
	conn->taken_ns = ipl_monotonic_ns();
	if (!read_more(conn))
		ipl_conn_free(conn);
	else
		go_on(conn);
}

void ipl_conn_retry(struct ipl_conn *conn)
{
	conn->is_deferred = false;
	conn->server->deferred_count--;
	if (!conn->eof && !conn->input_done && event_add(conn->readable, NULL) != 0)
		ipl_conn_free(conn);
	/* At the end nothing else reads: what was sent meanwhile would be lost with the answer. */
	else if (conn->server->is_stopping && !read_more(conn))
		ipl_conn_free(conn);
	else
		go_on(conn);
}
