/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What native connections may hold of memory. Each alone is bounded by the longest frame and by
 * how much may wait to leave; thousands that do their worst at once are bounded by what
 * all may hold together. Beyond that nobody is read from until who holds much for long is
 * sent away: it is not the one that pipelines, but the one that never reads.
 *
 * Input is read into a large buffer that goes from one connection to the next. What of a frame
 * is left behind there moves into memory of its own size, so a connection that waits, or
 * sends a byte a second, costs about what it has sent.
 */
#include "server/serve_internal.h"

#include <stdlib.h>
#include <string.h>

#include "store/thread.h"

#define LARGE_BYTES  ((size_t)128 << 10)
#define SHARE_OF_ALL 8 /* room is made for a part of all, so that it lasts */

static void swap(struct ipl_buf *a, struct ipl_buf *b)
{
	struct ipl_buf was = *a;

	*a = *b;
	*b = was;
}

bool ipl_conn_room(struct ipl_conn *conn, size_t more)
{
	struct ipl_buf *spare = &conn->server->spare;

	if (conn->in.cap - conn->in.len >= more)
		return true;
	if (spare->cap < more || spare->cap - more < conn->in.len)
		return ipl_buf_reserve(&conn->in, more);
	spare->len = 0;
	ipl_buf_append(spare, conn->in.at, conn->in.len);
	swap(spare, &conn->in);
	ipl_buf_release(spare); /* it was of the size of what was left */
	return true;
}

/* The large buffer is free again: kept, unless there is one. */
static void give_back(struct ipl_server *server, struct ipl_buf *large)
{
	if (server->spare.cap == 0 && large->cap <= 4 * LARGE_BYTES)
		swap(&server->spare, large);
	ipl_buf_release(large);
}

void ipl_conn_tidy(struct ipl_conn *conn)
{
	struct ipl_buf rest = { 0 };

	ipl_buf_consume(&conn->in, conn->in_used);
	conn->in_used = 0;
	if (conn->in.cap < LARGE_BYTES || conn->in.len > conn->in.cap / 4)
		return;
	ipl_buf_append(&rest, conn->in.at, conn->in.len);
	if (rest.failed) { /* then it stays where it is */
		ipl_buf_release(&rest);
		return;
	}
	swap(&rest, &conn->in);
	give_back(conn->server, &rest);
}

void ipl_conn_count(struct ipl_conn *conn)
{
	size_t bytes = conn->in.cap + conn->out.cap + (size_t)conn->held_cap * sizeof(*conn->held);

	conn->server->conn_bytes += bytes - conn->counted_bytes; /* modulo 2^64 */
	conn->counted_bytes = bytes;
}

void ipl_conn_uncount(struct ipl_conn *conn)
{
	conn->server->conn_bytes -= conn->counted_bytes;
	conn->counted_bytes = 0;
}

bool ipl_conns_are_full(struct ipl_server *server)
{
	if (server->conn_bytes <= server->conn_bytes_max)
		return false;
	(void)event_base_loopbreak(
		server->base); /* else who has input left would be asked for ever */
	return true;
}

/* How much for how long. */
static double weight(const struct ipl_conn *conn, int64_t now_ns)
{
	return (double)conn->counted_bytes * (double)(now_ns - conn->moved_ns + 1000000);
}

void ipl_conns_make_room(struct ipl_server *server)
{
	int64_t now_ns = ipl_monotonic_ns();
	size_t wanted = server->conn_bytes_max - server->conn_bytes_max / SHARE_OF_ALL;

	if (server->conn_bytes <= server->conn_bytes_max)
		return;
	while (server->conn_bytes > wanted && server->conns != NULL) {
		struct ipl_conn *heaviest = server->conns;
		for (struct ipl_conn *conn = heaviest->next; conn != NULL; conn = conn->next) {
			if (weight(conn, now_ns) > weight(heaviest, now_ns))
				heaviest = conn;
		}
		ipl_log_often(IPL_LOG_WARN, &server->evictions,
			      "connections hold more than %zu MiB: one of %s that holds %zu KiB is "
			      "ended",
			      server->conn_bytes_max >> 20, heaviest->principal,
			      heaviest->counted_bytes >> 10);
		server->counts.evicted++;
		ipl_conn_free(heaviest);
	}
}
