/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions of the native door. What a connection has not taken yet is bounded: a feed
 * is asked for events only while there is room in front of its peer, so a slow
 * reader costs a place in the log, and catching up goes at the pace of its socket.
 * All of it is done in short turns, between which requests and commits have theirs.
 *
 *   [2, "Event", [event]]
 *   [2, "Heartbeat", [{SubscriptionId, HeadSeq, ResumeFromSeq}]]
 *   [2, "SubscriptionEnded", [{SubscriptionId, ResumeFromSeq, Reason, Message}]]
 */
#include "server/serve_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "server/feed.h"
#include "store/thread.h"

#define SUBSCRIPTIONS_MAX 16u                 /* of one connection */
#define AHEAD_BYTES_MAX   ((size_t)256 << 10) /* that wait for one connection to take them */
#define TURN_NS_MAX       INT64_C(250000)
#define TURN_NS_MIN       INT64_C(50000)
#define TURN_SHARE        4   /* beside others who want the loop: a part of what they took */
#define TURN_EVENTS       64u /* of one connection */
#define HEARTBEAT_S       5u
#define STALL_S           10u /* a peer that takes nothing for so long is too slow */

struct ipl_subscription {
	int64_t id;
	struct ipl_feed *feed;
	bool is_open; /* the answer that tells its id has left */
	bool is_behind;
	uint32_t silent_s; /* since it last said something */
	struct ipl_subscription *next;
};

/* --- life --- */

static struct ipl_subscription **find(struct ipl_conn *conn, int64_t id)
{
	struct ipl_subscription **at = &conn->subscriptions;

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void end_at(struct ipl_conn *conn, struct ipl_subscription **at)
{
	struct ipl_subscription *subscription = *at;

	*at = subscription->next;
	conn->subscription_count--;
	conn->server->subscription_count--;
	ipl_feed_close(subscription->feed);
	free(subscription);
}

void ipl_subscription_begin(struct ipl_conn *conn, int64_t id)
{
	struct ipl_subscription *subscription = *find(conn, id);

	if (subscription == NULL) /* ended before its answer had left */
		return;
	subscription->is_open = true;
	ipl_subscribers_wake(conn->server);
}

void ipl_subscription_drop(struct ipl_conn *conn, int64_t id)
{
	struct ipl_subscription **at = find(conn, id);

	if (*at != NULL)
		end_at(conn, at);
}

void ipl_subscriptions_free(struct ipl_conn *conn)
{
	while (conn->subscriptions != NULL)
		end_at(conn, &conn->subscriptions);
	if (conn->server->feed_first == conn)
		conn->server->feed_first = conn->next;
}

static enum ipl_status add(struct ipl_conn *conn, struct ipl_answer *answer)
{
	struct ipl_subscription *subscription;

	if (conn->subscription_count == SUBSCRIPTIONS_MAX) {
		ipl_refuse(&answer->err, IPL_CODE_OVERLOADED,
			   "a connection has at most %u subscriptions: end one, or open another "
			   "connection",
			   SUBSCRIPTIONS_MAX);
		ipl_error_add(&answer->err, "Limit", ipl_int(SUBSCRIPTIONS_MAX));
		return IPL_REFUSED;
	}
	subscription = calloc(1, sizeof(*subscription));
	if (subscription == NULL)
		return ipl_error_set(&answer->err, IPL_ERR_NOMEM,
				     "out of memory for a subscription");
	*subscription = (struct ipl_subscription){ .id = ++conn->subscription_ids,
						   .feed = answer->feed,
						   .next = conn->subscriptions };
	conn->subscriptions = subscription;
	conn->subscription_count++;
	conn->server->subscription_count++;
	ipl_map_add(&conn->server->arena, &answer->result, "SubscriptionId",
		    ipl_int(subscription->id));
	return IPL_OK;
}

static enum ipl_status end(struct ipl_conn *conn, struct ipl_answer *answer)
{
	struct ipl_subscription **at = find(conn, answer->unsubscribe);

	if (*at == NULL) {
		ipl_refuse(&answer->err, IPL_CODE_NOT_FOUND,
			   "this connection has no subscription %" PRId64, answer->unsubscribe);
		ipl_error_add(&answer->err, "Parameter", ipl_text_of("SubscriptionId"));
		return IPL_REFUSED;
	}
	end_at(conn, at);
	return IPL_OK;
}

void ipl_subscribe(struct ipl_conn *conn, struct ipl_answer *answer)
{
	if (answer->status == IPL_OK && answer->feed != NULL)
		answer->status = add(conn, answer);
	else if (answer->status == IPL_OK && answer->unsubscribe != 0)
		answer->status = end(conn, answer);
	if (answer->status != IPL_OK) {
		ipl_feed_close(answer->feed);
		answer->feed = NULL;
	}
}

/* --- saying --- */

static void say(struct ipl_conn *conn, const char *name, struct ipl_value what)
{
	struct ipl_arena *arena = &conn->server->arena;
	struct ipl_value frame = ipl_array(), list = ipl_array();

	ipl_array_add(arena, &list, what);
	ipl_array_add(arena, &frame, ipl_int(2));
	ipl_array_add(arena, &frame, ipl_text_of(name));
	ipl_array_add(arena, &frame, list);
	ipl_msgpack_write(&conn->out, &frame);
	conn->out.failed = conn->out.failed || arena->failed;
}

static struct ipl_value about(struct ipl_conn *conn, const struct ipl_subscription *subscription)
{
	struct ipl_arena *arena = &conn->server->arena;
	struct ipl_value map = ipl_map();

	ipl_arena_reset(arena);
	ipl_map_add(arena, &map, "SubscriptionId", ipl_int(subscription->id));
	ipl_map_add(arena, &map, "ResumeFromSeq",
		    ipl_int((int64_t)ipl_feed_resume_seq(subscription->feed)));
	return map;
}

static void say_ended(struct ipl_conn *conn, struct ipl_subscription **at, const char *reason,
		      const char *message)
{
	struct ipl_value map = about(conn, *at);

	ipl_map_add(&conn->server->arena, &map, "Reason", ipl_text_of(reason));
	ipl_map_add(&conn->server->arena, &map, "Message", ipl_text_of(message));
	if ((*at)->is_open) /* of another its peer does not know yet */
		say(conn, "SubscriptionEnded", map);
	end_at(conn, at);
}

static void say_all_ended(struct ipl_conn *conn, const char *reason, const char *message)
{
	while (conn->subscriptions != NULL)
		say_ended(conn, &conn->subscriptions, reason, message);
}

/* --- taking turns --- */

static bool has_room(const struct ipl_conn *conn)
{
	return conn->out.len - conn->sent < AHEAD_BYTES_MAX;
}

/* Events of one feed, while there is room and time. False where it failed. */
static bool feed_one(struct ipl_conn *conn, struct ipl_subscription *subscription,
		     int64_t deadline_ns, struct ipl_error *err)
{
	struct ipl_arena *arena = &conn->server->arena;

	subscription->is_behind = true;
	for (uint32_t i = 0; i < TURN_EVENTS && has_room(conn); i++) {
		/* [2, "Event", [… */
		static const uint8_t head[] = { 0x93, 0x02, 0xa5, 'E', 'v', 'e', 'n', 't', 0x91 };
		size_t before = conn->out.len;
		enum ipl_status st;
		if (ipl_monotonic_ns() >= deadline_ns)
			return true;
		ipl_arena_reset(arena);
		ipl_buf_append(&conn->out, head, sizeof(head));
		st = ipl_feed_write(subscription->feed, arena, &conn->out, err);
		subscription->is_behind = st != IPL_ERR_END;
		if (st != IPL_OK)
			conn->out.len = before;
		if (st != IPL_OK)
			return st == IPL_ERR_END || st == IPL_ERR_BUSY;
		subscription->silent_s = 0;
	}
	return true;
}

/* The one that was first has its turn last next time. */
static void rotate(struct ipl_conn *conn)
{
	struct ipl_subscription *first = conn->subscriptions, **end;

	if (first == NULL || first->next == NULL)
		return;
	conn->subscriptions = first->next;
	first->next = NULL;
	for (end = &conn->subscriptions; *end != NULL; end = &(*end)->next) {
	}
	*end = first;
}

/* One turn of one connection: true where it could go on at once. */
static bool feed_conn(struct ipl_conn *conn, int64_t deadline_ns)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_subscription **at = &conn->subscriptions;
	size_t before = conn->out.len;
	bool is_behind = false;

	if (conn->server->is_damaged) /* there is no state any more to read through */
		say_all_ended(conn, "Failed", conn->server->damage.text);
	while (*at != NULL) {
		if ((*at)->is_open && !feed_one(conn, *at, deadline_ns, &err)) {
			ipl_log(IPL_LOG_ERROR, "a subscription failed: %s", err.text);
			say_ended(conn, at, "Failed", err.text);
			continue;
		}
		is_behind = is_behind || ((*at)->is_open && (*at)->is_behind);
		at = &(*at)->next;
	}
	rotate(conn);
	if (conn->out.len != before && !ipl_conn_notify(conn))
		return false;
	return is_behind && has_room(conn);
}

/*
 * Alone, subscribers have the loop to themselves. Where requests are done between two turns, a turn
 * is a part of the time that those took: who catches up does not halve what the others do.
 */
static int64_t turn_ns(const struct ipl_server *server, int64_t now_ns)
{
	int64_t others_ns = (now_ns - server->fed_ns) / TURN_SHARE;

	if (now_ns - server->fed_ns < TURN_NS_MIN || others_ns > TURN_NS_MAX)
		return TURN_NS_MAX;
	return others_ns < TURN_NS_MIN ? TURN_NS_MIN : others_ns;
}

static void on_feed(evutil_socket_t fd, short what, void *context)
{
	struct ipl_server *server = context;
	int64_t begin_ns = ipl_monotonic_ns(), deadline_ns = begin_ns + turn_ns(server, begin_ns);
	struct ipl_conn *conn = server->feed_first != NULL ? server->feed_first : server->conns;
	bool goes_on = false;

	(void)fd;
	(void)what;
	for (uint32_t left = server->conn_count; left > 0 && conn != NULL; left--) {
		server->feed_first = conn->next; /* kept right where a connection ends */
		if (conn->subscriptions != NULL && !conn->input_done) {
			if (ipl_monotonic_ns() >= deadline_ns) {
				server->feed_first = conn;
				goes_on = true;
				break;
			}
			goes_on = feed_conn(conn, deadline_ns) || goes_on;
		}
		conn = server->feed_first != NULL ? server->feed_first : server->conns;
	}
	server->fed_ns = ipl_monotonic_ns();
	if (goes_on)
		ipl_subscribers_wake(server);
}

void ipl_subscribers_wake(struct ipl_server *server)
{
	static const struct timeval now = { 0, 0 };

	if (server->subscription_count == 0)
		return;
	/* A timer is looked at after the sockets: so their turn comes before the next one here. */
	if (!server->is_stopping && event_add(server->feeder, &now) != 0)
		ipl_log(IPL_LOG_ERROR, "no timer for the subscribers");
}

/* --- every second --- */

static void beat_conn(struct ipl_conn *conn)
{
	size_t before = conn->out.len;
	bool takes = conn->released == conn->sent || conn->sent_total != conn->sent_before;

	conn->sent_before = conn->sent_total;
	conn->stalled_s = takes ? 0 : conn->stalled_s + 1;
	if (conn->stalled_s == STALL_S) {
		say_all_ended(conn, "SlowReader", "nothing was read for too long");
		if (ipl_conn_notify(conn))
			ipl_conn_finish(conn);
		return;
	}
	if (conn->stalled_s >= 2 * STALL_S) { /* not even the last words were read */
		ipl_conn_free(conn);
		return;
	}
	for (struct ipl_subscription *s = conn->subscriptions; s != NULL; s = s->next) {
		struct ipl_value map;
		if (!s->is_open || ++s->silent_s < HEARTBEAT_S || !has_room(conn))
			continue;
		map = about(conn, s);
		ipl_map_add(&conn->server->arena, &map, "HeadSeq",
			    ipl_int((int64_t)ipl_engine_durable_seq(conn->server->engine)));
		say(conn, "Heartbeat", map);
		s->silent_s = 0;
	}
	if (conn->out.len != before && !ipl_conn_notify(conn))
		return;
}

static void on_beat(evutil_socket_t fd, short what, void *context)
{
	struct ipl_server *server = context;

	(void)fd;
	(void)what;
	for (struct ipl_conn *conn = server->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		/* Also one that was told it is too slow, until it has read that. */
		if (conn->subscriptions != NULL || conn->stalled_s >= STALL_S)
			beat_conn(conn);
	}
	ipl_streams_beat(server);
	ipl_listeners_beat(server);
	if (!server->is_damaged)
		ipl_engine_beat(server->engine);
}

enum ipl_status ipl_subscribers_open(struct ipl_server *server, struct ipl_error *err)
{
	static const struct timeval second = { 1, 0 };

	server->feeder = evtimer_new(server->base, on_feed, server);
	server->heart = event_new(server->base, -1, EV_PERSIST, on_beat, server);
	if (server->feeder == NULL || server->heart == NULL ||
	    event_add(server->heart, &second) != 0)
		return ipl_error_set(err, IPL_ERR_NOMEM, "no timers for the subscribers");
	return IPL_OK;
}

void ipl_subscribers_close(struct ipl_server *server)
{
	if (server->feeder != NULL)
		event_free(server->feeder);
	if (server->heart != NULL)
		event_free(server->heart);
}

void ipl_subscribers_stop(struct ipl_server *server)
{
	if (server->heart != NULL)
		event_del(server->heart);
	for (struct ipl_conn *conn = server->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		if (conn->subscriptions == NULL)
			continue;
		say_all_ended(conn, "ServerStopping", "the server is stopping");
		if (!ipl_conn_notify(conn))
			continue;
	}
}
