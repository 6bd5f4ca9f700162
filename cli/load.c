/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load. Requests are written by hand into MessagePack, and of an answer only the
 * id is looked for: a client that spends as little as it can shows the server.
 */
#include "cli/load_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/thread.h"

#define READ_BYTES  ((size_t)256 << 10)
#define ANSWER_MAX  ((size_t)8 << 20)
#define PROGRESS_NS INT64_C(250000000)
#define POLL_MS     200
#define DRAIN_NS    INT64_C(60000000000)

/* --- requests --- */

static void put_text(struct ipl_buf *out, const char *text)
{
	size_t len = strlen(text);
	uint8_t head[2] = { 0xd9, (uint8_t)len };

	assert(len < 256);
	if (len < 32) {
		head[0] = (uint8_t)(0xa0 | len);
		ipl_buf_append(out, head, 1);
	} else {
		ipl_buf_append(out, head, 2);
	}
	ipl_buf_append(out, text, len);
}

static void put_byte(struct ipl_buf *out, uint8_t byte)
{
	ipl_buf_append(out, &byte, 1);
}

/* [0, 0, operation, [{ … of @members }]]: the answers come in the order of requests. */
static void begin_request(struct ipl_buf *out, const char *operation, uint8_t members)
{
	ipl_buf_append(out, "\x94\x00\x00", 3);
	put_text(out, operation);
	put_byte(out, 0x91);
	put_byte(out, (uint8_t)(0x80 | members));
}

static void put_member(struct ipl_buf *out, const char *name, const char *value)
{
	put_text(out, name);
	put_text(out, value);
}

static uint64_t next_random(struct load *load)
{
	load->random ^= load->random << 13; /* xorshift64 */
	load->random ^= load->random >> 7;
	load->random ^= load->random << 17;
	return load->random;
}

static void put_number(struct ipl_buf *out, const char *name, uint64_t number)
{
	uint8_t bytes[9] = { 0xcf };

	put_text(out, name);
	for (int i = 0; i < 8; i++)
		bytes[1 + i] = (uint8_t)(number >> (56 - 8 * i));
	ipl_buf_append(out, bytes, sizeof(bytes));
}

/* --- the mixes: what a slot asks at a step, and what it keeps of the answer --- */

static void ask_mixed(struct load *load, struct slot *slot, struct ipl_buf *out)
{
	(void)load;
	switch (slot->step % 8) {
	case 0:
		begin_request(out, "RunInstances", 2);
		put_member(out, "VSwitchId", slot->vswitch);
		put_member(out, "InstanceType", TYPE);
		break;
	case 1:
		begin_request(out, "AllocateEipAddress", 0);
		break;
	case 2:
		begin_request(out, "AssociateEipAddress", 2);
		put_member(out, "AllocationId", slot->eip);
		put_member(out, "InstanceId", slot->instance);
		break;
	case 3:
		begin_request(out, "AssignPrivateIpAddresses", 2);
		put_member(out, "NetworkInterfaceId", slot->eni);
		put_text(out, "SecondaryPrivateIpAddressCount");
		put_byte(out, 1);
		break;
	case 4:
		begin_request(out, "UnassociateEipAddress", 1);
		put_member(out, "AllocationId", slot->eip);
		break;
	case 5:
		begin_request(out, "UnassignPrivateIpAddresses", 2);
		put_member(out, "NetworkInterfaceId", slot->eni);
		put_text(out, "PrivateIpAddress");
		put_byte(out, 0x91);
		put_text(out, slot->ip);
		break;
	case 6:
		begin_request(out, "ReleaseEipAddress", 1);
		put_member(out, "AllocationId", slot->eip);
		break;
	default:
		begin_request(out, "DeleteInstance", 2);
		put_member(out, "InstanceId", slot->instance);
		put_text(out, "Force");
		put_byte(out, 0xc3);
		break;
	}
}

static const struct target *any_target(struct load *load)
{
	return &load->targets[next_random(load) % load->target_count];
}

static void ask_read(struct load *load, struct slot *slot, struct ipl_buf *out)
{
	(void)slot;
	begin_request(out, "GetEntity", 1);
	put_member(out, "Id", any_target(load)->eni);
}

/* Of a moment in which it was there. */
static void ask_past(struct load *load, struct slot *slot, struct ipl_buf *out)
{
	const struct target *target = any_target(load);
	uint64_t span = load->head - target->first_seq + 1;

	(void)slot;
	begin_request(out, "GetEntity", 2);
	put_member(out, "Id", target->eni);
	put_number(out, "AsOf", target->first_seq + next_random(load) % span);
}

static void ask_lookup(struct load *load, struct slot *slot, struct ipl_buf *out)
{
	const struct target *target = any_target(load);

	(void)slot;
	begin_request(out, "LookupAddress", 2);
	put_member(out, "Address", target->ip);
	put_member(out, "VpcId", target->vpc);
}

static void ask_lookup_past(struct load *load, struct slot *slot, struct ipl_buf *out)
{
	const struct target *target = any_target(load);
	uint64_t span = load->head - target->first_seq + 1;

	(void)slot;
	begin_request(out, "LookupAddress", 3);
	put_member(out, "Address", target->ip);
	put_member(out, "VpcId", target->vpc);
	put_number(out, "AsOf", target->first_seq + next_random(load) % span);
}

static void ask_ping(struct load *load, struct slot *slot, struct ipl_buf *out)
{
	(void)load;
	(void)slot;
	begin_request(out, "Ping", 0);
}

static const struct mix {
	const char *name;
	bool writes;
	bool wants_targets;
	void (*ask)(struct load *load, struct slot *slot, struct ipl_buf *out);
} mixes[] = {
	{ "mixed", true, false, ask_mixed },
	{ "read", false, true, ask_read },
	{ "past", false, true, ask_past },
	{ "lookup", false, true, ask_lookup },
	{ "lookup-past", false, true, ask_lookup_past },
	{ "ping", false, false, ask_ping },
};

static const struct mix *find_mix(const char *name)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(mixes); i++) {
		if (strcmp(mixes[i].name, name) == 0)
			return &mixes[i];
	}
	return NULL;
}

bool ipl_load_is_mix(const char *name)
{
	return find_mix(name) != NULL;
}

bool ipl_load_writes(const char *mix)
{
	const struct mix *found = find_mix(mix);

	return found != NULL && found->writes;
}

/* Keep the first text in the answer that begins with @prefix: "\xb6i-" is an id of 22 bytes. */
static void keep(char *to, size_t cap, const uint8_t *answer, size_t len, const char *prefix)
{
	const uint8_t *at = memmem(answer, len, prefix, strlen(prefix));
	size_t text;

	if (at == NULL)
		return;
	at++;
	for (text = 0; text + 1 < cap && at + text < answer + len; text++) {
		uint8_t c = at[text];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.'))
			break;
	}
	memcpy(to, at, text);
	to[text] = '\0';
}

static void take_mixed(struct slot *slot, const uint8_t *answer, size_t len)
{
	const uint8_t *ips;

	switch (slot->step % 8) {
	case 0:
		keep(slot->instance, sizeof(slot->instance), answer, len, "\xb6i-");
		break;
	case 1:
		keep(slot->eip, sizeof(slot->eip), answer, len,
		     "\xb8"
		     "eip-");
		break;
	case 3:
		ips = memmem(answer, len, "PrivateIpAddress\x91", 17);
		if (ips != NULL && ips + 18 < answer + len) {
			size_t text = ips[17] & 31u;
			text = text < sizeof(slot->ip) ? text : sizeof(slot->ip) - 1;
			memcpy(slot->ip, ips + 18, text);
			slot->ip[text] = '\0';
		}
		break;
	default:
		break;
	}
}

/* --- the loop --- */

static void ask(struct load *load, struct conn *conn, uint32_t which, int64_t now_ns)
{
	struct slot *slot = &conn->slot[which];
	uint32_t place = (conn->order_head + conn->order_count) % load->options->in_flight;

	slot->sent_ns = now_ns;
	load->mix->ask(load, slot, &conn->out);
	conn->order[place] = which;
	conn->order_count++;
}

static void note_refusal(struct load *load, const uint8_t *answer, size_t len)
{
	size_t cut = len > 3 ? len - 3 : 0;

	load->result->refused++;
	if (load->result->first_refusal[0] != '\0' || cut == 0)
		return;
	cut = cut < sizeof(load->result->first_refusal) ? cut :
							  sizeof(load->result->first_refusal) - 1;
	for (size_t i = 0; i < cut; i++) /* the error's text, behind its header */
		load->result->first_refusal[i] =
			answer[3 + i] >= 0x20 && answer[3 + i] < 0x7f ? (char)answer[3 + i] : ' ';
}

/* One answer: [1, 0, nil, …] or [1, 0, error, nil]. */
static void take(struct load *load, struct conn *conn, const uint8_t *answer, size_t len,
		 int64_t now_ns)
{
	uint32_t which = conn->order[conn->order_head];
	struct slot *slot = &conn->slot[which];

	conn->order_head = (conn->order_head + 1) % load->options->in_flight;
	conn->order_count--;
	ipl_latency_add(&load->result->latency, now_ns - slot->sent_ns);
	load->result->done++;
	if (len < 4 || answer[3] != 0xc0) {
		note_refusal(load, answer, len);
		slot->step -= slot->step % 8; /* what it worked on is not what it thought */
	} else {
		if (load->mix->writes)
			take_mixed(slot, answer, len);
		slot->step++;
	}
	if (!load->is_draining)
		ask(load, conn, which, now_ns);
}

static enum ipl_status read_answers(struct load *load, struct conn *conn, struct ipl_error *err)
{
	size_t used = 0;
	int64_t now_ns;
	ssize_t n;

	if (!ipl_buf_reserve(&conn->in, READ_BYTES))
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for answers");
	n = read(conn->fd, conn->in.at + conn->in.len, READ_BYTES);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return IPL_OK;
	if (n <= 0)
		return ipl_error_set(err, IPL_ERR_IO, "the server closed a connection");
	conn->in.len += (size_t)n;
	now_ns = ipl_monotonic_ns();
	while (used < conn->in.len) {
		size_t size = 0;
		enum ipl_scan found = ipl_scan(&conn->scanner, conn->in.at + used,
					       conn->in.len - used, ANSWER_MAX, &size);
		if (found == IPL_SCAN_MORE)
			break;
		if (found != IPL_SCAN_WHOLE || conn->order_count == 0)
			return ipl_error_set(err, IPL_ERR_IO, "the server's answer makes no sense");
		take(load, conn, conn->in.at + used, size, now_ns);
		used += size;
	}
	ipl_buf_consume(&conn->in, used);
	return IPL_OK;
}

static enum ipl_status write_requests(struct conn *conn, struct ipl_error *err)
{
	while (conn->sent < conn->out.len) {
		ssize_t n = send(conn->fd, conn->out.at + conn->sent, conn->out.len - conn->sent,
				 MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return ipl_error_set(err, IPL_ERR_IO, "send: %s", strerror(errno));
		conn->sent += (size_t)n;
	}
	if (conn->sent == conn->out.len) {
		conn->out.len = 0;
		conn->sent = 0;
	}
	return conn->out.failed ? ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for requests") :
				  IPL_OK;
}

static enum ipl_status turn(struct load *load, struct ipl_error *err)
{
	uint32_t count = load->options->connections;
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; i < count; i++)
		load->polls[i] = (struct pollfd){
			.fd = load->conns[i].fd,
			.events = (short)(POLLIN | (load->conns[i].out.len > 0 ? POLLOUT : 0)),
		};
	if (poll(load->polls, count, POLL_MS) < 0)
		return errno == EINTR ? IPL_OK :
					ipl_error_set(err, IPL_ERR_IO, "poll: %s", strerror(errno));
	for (uint32_t i = 0; st == IPL_OK && i < count; i++) {
		if ((load->polls[i].revents & ~POLLOUT) != 0)
			st = read_answers(load, &load->conns[i], err);
		if (st == IPL_OK)
			st = write_requests(&load->conns[i], err);
	}
	return st;
}

static uint32_t in_flight(const struct load *load)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < load->options->connections; i++)
		count += load->conns[i].order_count;
	return count;
}

/* Until all is answered, so that it is known what there is to clean up. */
static enum ipl_status drain(struct load *load, struct ipl_error *err)
{
	int64_t begin_ns = ipl_monotonic_ns();
	enum ipl_status st = IPL_OK;

	load->is_draining = true;
	while (st == IPL_OK && in_flight(load) > 0) {
		st = turn(load, err);
		if (st == IPL_OK && ipl_monotonic_ns() - begin_ns > DRAIN_NS)
			st = ipl_error_set(err, IPL_ERR_IO, "%u requests were not answered",
					   in_flight(load));
	}
	return st;
}

static enum ipl_status run(struct load *load, struct ipl_error *err)
{
	int64_t begin_ns = ipl_monotonic_ns(), shown_ns = begin_ns, now_ns = begin_ns;
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; i < load->options->connections; i++) {
		for (uint32_t k = 0; k < load->options->in_flight; k++)
			ask(load, &load->conns[i], k, begin_ns);
	}
	while (st == IPL_OK && (double)(now_ns - begin_ns) / 1e9 < load->options->seconds) {
		st = turn(load, err);
		now_ns = ipl_monotonic_ns();
		if (now_ns - shown_ns < PROGRESS_NS)
			continue;
		shown_ns = now_ns;
		if (!load->options->progress(load->options->context,
					     (double)(now_ns - begin_ns) / 1e9, load->result->done,
					     &load->result->latency))
			break;
	}
	load->result->seconds = (double)(now_ns - begin_ns) / 1e9;
	if (st == IPL_OK)
		st = drain(load, err);
	if (load->mix->writes)
		load->result->events = load->result->done - load->result->refused;
	return st;
}

/* --- connections --- */

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
			fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static enum ipl_status open_all(struct load *load, struct ipl_error *err)
{
	const struct ipl_load_options *o = load->options;

	load->conns = calloc(o->connections, sizeof(*load->conns));
	load->polls = calloc(o->connections, sizeof(*load->polls));
	load->slots = calloc((size_t)o->connections * o->in_flight, sizeof(*load->slots));
	load->orders = calloc((size_t)o->connections * o->in_flight, sizeof(*load->orders));
	if (load->conns == NULL || load->polls == NULL || load->slots == NULL ||
	    load->orders == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a load");
	for (uint32_t i = 0; i < o->connections; i++)
		load->conns[i].fd = -1;
	for (uint32_t i = 0; i < o->connections; i++) {
		struct conn *conn = &load->conns[i];
		conn->slot = load->slots + (size_t)i * o->in_flight;
		conn->order = load->orders + (size_t)i * o->in_flight;
		conn->fd = connect_to(o->path);
		if (conn->fd < 0)
			return ipl_error_set(err, IPL_ERR_IO, "%s: %s", o->path, strerror(errno));
	}
	return IPL_OK;
}

static void close_all(struct load *load)
{
	for (uint32_t i = 0; load->conns != NULL && i < load->options->connections; i++) {
		if (load->conns[i].fd >= 0)
			close(load->conns[i].fd);
		ipl_buf_release(&load->conns[i].in);
		ipl_buf_release(&load->conns[i].out);
	}
	free(load->conns);
	free(load->polls);
	free(load->slots);
	free(load->orders);
	free(load->targets);
}

static enum ipl_status find_head(struct load *load, struct ipl_session *session,
				 struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_value params = ipl_map(), result;
	const struct ipl_value *head;
	enum ipl_status st;

	ipl_arena_init(&arena, (size_t)1 << 20);
	st = ipl_session_call(session, IPL_STR("GetStatus"), &params, &arena, &result, err);
	head = st == IPL_OK ? ipl_map_get(&result, "HeadSeq") : NULL;
	load->head = head == NULL || head->integer < 1 ? 1 : (uint64_t)head->integer;
	ipl_arena_release(&arena);
	return st;
}

enum ipl_status ipl_load_run(const struct ipl_load_options *options, struct ipl_load_result *out,
			     struct ipl_error *err)
{
	struct load load = { .options = options, .result = out, .random = 88172645463325252u };
	struct ipl_error second = IPL_ERROR_INIT(NULL);
	struct ipl_session *session = NULL;
	struct ground ground = { .vpc = "" };
	char server[256];
	enum ipl_status st, cleaned;

	*out = (struct ipl_load_result){ 0 };
	load.mix = find_mix(options->mix);
	assert(load.mix != NULL && options->connections > 0 && options->in_flight > 0);
	(void)snprintf(server, sizeof(server), "unix:%s", options->path);
	st = ipl_session_open("", server, &session, err);
	if (st == IPL_OK)
		st = open_all(&load, err);
	if (st == IPL_OK)
		st = load.mix->writes ? ipl_load_prepare_writes(&load, &ground, session, err) :
					IPL_OK;
	if (st == IPL_OK && load.mix->wants_targets)
		st = ipl_load_prepare_reads(&load, session, err);
	if (st == IPL_OK)
		st = find_head(&load, session, err);
	out->first_seq = load.head + 1;
	if (st == IPL_OK)
		st = run(&load, err);
	cleaned = session == NULL ? IPL_OK : ipl_load_clean_up(&load, &ground, session, &second);
	close_all(&load);
	ipl_session_close(session);
	if (st == IPL_OK && cleaned != IPL_OK) {
		second.arena = err->arena;
		second.detail = NULL;
		*err = second;
		return cleaned;
	}
	return st;
}
