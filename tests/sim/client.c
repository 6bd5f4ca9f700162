/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of the native door, over real sockets: bytes leave and come in pieces,
 * connections end with requests on their way, and what was not answered is asked again by its
 * token on another connection, or on two.
 */
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

#include "events/hash.h"
#include "events/msgpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PENDING_MAX 128u
#define STALL_MS    8000 /* a subscriber that reads nothing for so long may be sent away */

enum kind { HELLO, CALL, SUBSCRIBE };

/* What is to be answered on a connection, in this order. */
struct pending {
	enum kind kind;
	uint32_t msgid;
	uint32_t attempt; /* of a CALL */
};

struct client {
	int fd; /* -1: not connected */
	struct ipl_buf out, in;
	struct ipl_scanner scanner;
	struct pending pending[PENDING_MAX];
	uint32_t pending_first, pending_count;
	uint32_t msgid;
	bool has_half_closed, must_leave;
	bool wants_events, has_subscribed, may_be_sent_away;
	uint64_t next_event;
	int64_t read_ms; /* when it last read something */
};

static struct client clients[SIM_CLIENTS_MAX];
static struct ipl_arena scratch; /* of the frame that is looked at */

void *sim_grow(void *array, uint32_t *count, uint32_t *cap, size_t size)
{
	void **at = array;

	if (*count == *cap) {
		uint32_t grown = *cap == 0 ? 64 : *cap * 2;
		*at = realloc(*at, grown * size);
		if (*at == NULL)
			world_fail("out of memory");
		*cap = grown;
	}
	memset((char *)*at + *count * size, 0, size);
	return (char *)*at + (*count)++ * size;
}

static unsigned number_of(const struct client *client)
{
	return (unsigned)(client - clients);
}

/* --- what is asked --- */

static void send_frame(struct client *client, enum kind kind, const char *operation,
		       struct ipl_value params, uint32_t attempt)
{
	struct ipl_value frame = ipl_array(), list = ipl_array();
	uint32_t at = (client->pending_first + client->pending_count++) % PENDING_MAX;

	client->pending[at] = (struct pending){ kind, ++client->msgid, attempt };
	ipl_array_add(&scratch, &list, params);
	ipl_array_add(&scratch, &frame, ipl_int(0));
	ipl_array_add(&scratch, &frame, ipl_int(client->msgid));
	ipl_array_add(&scratch, &frame, ipl_text_of(operation));
	ipl_array_add(&scratch, &frame, list);
	ipl_msgpack_write(&client->out, &frame);
	if (scratch.failed || client->out.failed)
		world_fail("out of memory for a request");
}

static void ask(struct client *client, uint32_t request_at)
{
	struct sim_request *request = &sim.request[request_at];
	struct sim_attempt *attempt =
		sim_grow(&sim.attempt, &sim.attempt_count, &sim.attempt_cap, sizeof(*sim.attempt));
	struct ipl_value params;

	attempt->request = request_at;
	attempt->number = request->attempts++;
	attempt->executed = SIM_NONE;
	attempt->told_before = sim.told;
	request->in_flight++;
	sim.counts.retries += attempt->number > 0;
	ipl_arena_reset(&scratch);
	params = request_params(&scratch, attempt);
	world_say("client %u asks %s, request %" PRIu32 ", attempt %" PRIu32, number_of(client),
		  request->operation->name, request_at, sim.attempt_count - 1);
	send_frame(client, CALL, request->operation->name, params, sim.attempt_count - 1);
}

static void greet(struct client *client)
{
	struct ipl_value params = ipl_map();

	ipl_arena_reset(&scratch);
	ipl_map_add(&scratch, &params, "ErrorFormat", ipl_text_of("Map"));
	send_frame(client, HELLO, "Hello", params, SIM_NONE);
}

static void subscribe(struct client *client)
{
	struct ipl_value params = ipl_map();

	ipl_arena_reset(&scratch);
	ipl_map_add(&scratch, &params, "FromSeq", ipl_int((int64_t)client->next_event));
	client->has_subscribed = true;
	send_frame(client, SUBSCRIBE, "Subscribe", params, SIM_NONE);
}

/* --- connections --- */

static void connect_one(struct client *client)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX,
					     .sun_path = SIM_DIR "/ipledger.sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		world_fail("socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd); /* there is no server, or it has not come to accepting */
		return;
	}
	world_say("client %u connects", number_of(client));
	client->fd = fd;
	client->read_ms = world_wall_ms();
	greet(client);
}

/* What was not answered is not going to be. */
static void forget_pending(struct client *client)
{
	for (; client->pending_count > 0; client->pending_count--, client->pending_first++) {
		struct pending *pending = &client->pending[client->pending_first % PENDING_MAX];
		struct sim_request *request;
		if (pending->kind != CALL)
			continue;
		request = &sim.request[sim.attempt[pending->attempt].request];
		request->in_flight--;
		request->is_settled = request->is_settled || !request->has_token;
		sim.counts.lost++;
	}
	client->pending_first = 0;
}

static void disconnect(struct client *client)
{
	if (client->fd < 0)
		return;
	world_say("client %u is not connected any more", number_of(client));
	close(client->fd);
	client->fd = -1;
	client->out.len = 0;
	client->in.len = 0;
	client->scanner = (struct ipl_scanner){ 0 };
	client->has_half_closed = client->has_subscribed = client->may_be_sent_away = false;
	client->must_leave = false;
	forget_pending(client);
}

/* --- what comes in --- */

static void take_notice(struct client *client, const struct ipl_value *frame)
{
	struct ipl_str name = frame->item[1].str;
	const struct ipl_value *what = &frame->item[2].item[0];
	const struct ipl_value *seq = ipl_map_get(what, "Seq");

	if (!client->has_subscribed)
		world_fail("a notification that was not asked for");
	if (ipl_str_is(name, "SubscriptionEnded")) {
		client->may_be_sent_away = true; /* it was too slow, */
		client->has_subscribed = false;  /* or the log could not be read: once more */
	}
	if (!ipl_str_is(name, "Event"))
		return;
	if (seq == NULL || (uint64_t)seq->integer != client->next_event)
		world_fail("client %u was to get event %" PRIu64 " and got %" PRId64,
			   number_of(client), client->next_event, seq == NULL ? 0 : seq->integer);
	client->next_event++;
	sim.counts.notified++;
	checker_notified(what);
}

static void take_answer(struct client *client, const struct ipl_value *frame, struct ipl_str bytes)
{
	struct pending *pending = &client->pending[client->pending_first % PENDING_MAX];
	bool is_error = frame->item[2].type != IPL_VALUE_NIL;
	struct sim_attempt *attempt;

	if (client->pending_count == 0 || frame->item[1].integer != pending->msgid)
		world_fail("client %u got answer %" PRId64 " out of its turn", number_of(client),
			   frame->item[1].integer);
	client->pending_first++;
	client->pending_count--;
	if (pending->kind == SUBSCRIBE && is_error) {
		client->has_subscribed = false;
		return;
	}
	if (pending->kind == HELLO && is_error) { /* a commit failed that it saw: once more */
		client->must_leave = true;
		checker_hello_failed(&frame->item[2]);
		return;
	}
	if (pending->kind != CALL)
		return;
	attempt = &sim.attempt[pending->attempt];
	attempt->frame = ipl_arena_str(&sim.keep, bytes);
	attempt->is_answered = true;
	sim.request[attempt->request].in_flight--;
	checker_answer(attempt, is_error, &frame->item[is_error ? 2 : 3]);
}

static void take_frame(struct client *client, const uint8_t *bytes, size_t len)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_value frame;

	ipl_arena_reset(&scratch);
	if (ipl_msgpack_parse(&scratch, bytes, len, &frame, &err) != IPL_OK ||
	    frame.type != IPL_VALUE_ARRAY || frame.count < 3)
		world_fail("client %u got what is no answer", number_of(client));
	if (frame.item[0].integer == 2)
		take_notice(client, &frame);
	else
		take_answer(client, &frame, (struct ipl_str){ (const char *)bytes, len });
}

static void take_frames(struct client *client)
{
	size_t used = 0, size;

	while (used < client->in.len && !client->must_leave) {
		enum ipl_scan found = ipl_scan(&client->scanner, client->in.at + used,
					       client->in.len - used, (size_t)16 << 20, &size);
		if (found == IPL_SCAN_MORE)
			break;
		if (found != IPL_SCAN_WHOLE)
			world_fail("client %u got what is no frame", number_of(client));
		take_frame(client, client->in.at + used, size);
		used += size;
	}
	ipl_buf_consume(&client->in, used);
	if (client->must_leave)
		disconnect(client);
}

/* The server has ended the connection. */
static void was_ended(struct client *client)
{
	bool may_be = sim.server_is_ending || client->may_be_sent_away ||
		      (client->has_subscribed && world_wall_ms() - client->read_ms > STALL_MS);

	if (client->has_half_closed && client->pending_count > 0 && !may_be)
		world_fail("client %u sent all and has %" PRIu32 " requests unanswered",
			   number_of(client), client->pending_count);
	if (!client->has_half_closed && !may_be)
		world_fail("client %u was disconnected", number_of(client));
	disconnect(client);
}

/* Up to @max bytes; false where there was nothing. */
static bool receive(struct client *client, size_t max)
{
	ssize_t n;

	if (!ipl_buf_reserve(&client->in, max))
		world_fail("out of memory for an answer");
	n = recv(client->fd, client->in.at + client->in.len, max, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n <= 0) {
		was_ended(client);
		return false;
	}
	world_trace("received", client->in.at + client->in.len, (size_t)n);
	client->in.len += (size_t)n;
	client->read_ms = world_wall_ms();
	take_frames(client);
	return client->fd >= 0;
}

static void transmit(struct client *client, size_t max)
{
	size_t len = client->out.len < max ? client->out.len : max;
	ssize_t n;

	if (len == 0)
		return;
	n = send(client->fd, client->out.at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n < 0) { /* what has come before is still to be read */
		while (receive(client, 65536)) {
		}
		return;
	}
	world_trace("sent", client->out.at, (size_t)n);
	ipl_buf_consume(&client->out, (size_t)n);
}

/* --- what they do --- */

static size_t some_bytes(void)
{
	return sim.swarm.has_pieces ? 1 + world_draw(world_draw(2) == 0 ? 8 : 400) : 1 << 20;
}

static void ask_something(struct client *client)
{
	uint32_t again = SIM_NONE;

	if (client->pending_count >= sim.swarm.pipeline || client->has_half_closed)
		return;
	if (client->wants_events && !client->has_subscribed && world_draw(3) == 0) {
		subscribe(client);
		return;
	}
	if (world_one_in(sim.swarm.again_one_in))
		again = request_draw_again();
	ask(client, again != SIM_NONE ? again : request_draw());
}

static void act(struct client *client)
{
	if (client->fd < 0) {
		connect_one(client);
		return;
	}
	if (world_one_in(sim.swarm.drop_one_in)) {
		sim.counts.drops++;
		disconnect(client);
		return;
	}
	if (world_one_in(sim.swarm.half_close_one_in) && client->out.len == 0 &&
	    !client->has_half_closed) {
		world_say("client %u says no more", number_of(client));
		sim.counts.half_closes++;
		client->has_half_closed = true;
		shutdown(client->fd, SHUT_WR);
	}
	switch (world_draw(3)) {
	case 0:
		ask_something(client);
		break;
	case 1:
		transmit(client, some_bytes());
		break;
	default:
		receive(client, some_bytes());
	}
}

void clients_act(void)
{
	act(&clients[world_draw(sim.swarm.clients)]);
}

void clients_cut(void)
{
	for (uint32_t i = 0; i < sim.swarm.clients; i++) {
		struct client *client = &clients[i];
		/* What had left the server may have come, or not. */
		while (client->fd >= 0 && world_draw(4) != 0 && receive(client, 4096)) {
		}
		disconnect(client);
	}
}

/* Whoever wants something still; false where nobody does. */
static bool ask_what_is_left(struct client *client)
{
	bool is_done = true;

	for (uint32_t i = 0; i < sim.request_count; i++) {
		struct sim_request *request = &sim.request[i];
		if (request->is_settled)
			continue;
		is_done = false;
		if (request->in_flight == 0 && client->pending_count < sim.swarm.pipeline)
			ask(client, i);
	}
	return is_done;
}

static bool drain(struct client *client)
{
	if (client->fd < 0)
		connect_one(client);
	if (client->fd < 0)
		return false;
	transmit(client, 1 << 20);
	while (client->fd >= 0 && receive(client, 65536)) {
	}
	if (client->fd < 0)
		return false;
	if (client->has_half_closed)
		return false; /* until its connection ends */
	if (client->wants_events && !client->has_subscribed)
		subscribe(client);
	return ask_what_is_left(client) && client->pending_count == 0 && client->out.len == 0 &&
	       (!client->wants_events || client->next_event == sim.lab.count + 1);
}

bool clients_drain(void)
{
	bool is_done = true;

	for (uint32_t i = 0; i < sim.swarm.clients; i++)
		is_done = drain(&clients[i]) && is_done;
	return is_done;
}

void clients_begin(void)
{
	memset(clients, 0, sizeof(clients));
	ipl_arena_init(&scratch, (size_t)256 << 20);
	for (uint32_t i = 0; i < SIM_CLIENTS_MAX; i++) {
		clients[i].fd = -1;
		clients[i].next_event = 1;
		clients[i].wants_events = sim.swarm.has_subscribers && world_draw(2) == 0;
	}
}

void clients_end(void)
{
	for (uint32_t i = 0; i < SIM_CLIENTS_MAX; i++) {
		disconnect(&clients[i]);
		ipl_buf_release(&clients[i].in);
		ipl_buf_release(&clients[i].out);
	}
	ipl_arena_release(&scratch);
}
