/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed load of requests that were made before: so many connections, so many requests in flight
 * on each. What it knows of a protocol is where an answer ends and whether it is a yes, so that
 * servers of different kinds are asked by the same client.
 *
 * closed_load PROTOCOL SOCKET CONNECTIONS IN_FLIGHT SECONDS FILE
 *   rpc   FILE holds MessagePack-RPC requests one after the other; they are sent round and round
 *   resp  FILE is one request of the Redis protocol, its answer one bulk string
 *   http  FILE is one request, its answer has a Content-Length; SOCKET may be a port of 127.0.0.1
 *   line  each line of FILE is sent once, on a connection of its own that ends with the answer
 * Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "events/msgpack.h"

#define CONNS_MAX   1000
#define READ_BYTES  ((size_t)256 << 10)
#define SAMPLES_MAX ((size_t)8 << 20)

enum protocol { RPC, RESP, HTTP, LINE };

struct conn {
	int fd;
	struct ipl_buf in, out;
	struct ipl_scanner scanner;
	int64_t *sent_ns; /* a ring of those in flight */
	uint32_t first, count;
};

struct load {
	enum protocol protocol;
	const char *socket;
	uint32_t connections, in_flight;
	double seconds;
	struct ipl_buf file;
	size_t at; /* of the next request in it */
	struct conn conns[CONNS_MAX];
	struct pollfd polls[CONNS_MAX];
	uint32_t *sample_us10; /* of each answer, in tenths of microseconds */
	size_t samples;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "closed_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void die_of(const struct conn *conn)
{
	fprintf(stderr, "closed_load: refused: %.*s\n",
		(int)(conn->in.len < 300 ? conn->in.len : 300), (const char *)conn->in.at);
	exit(1);
}

static int connect_to(const char *where)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in remote = { .sin_family = AF_INET };
	bool is_port = where[0] != '/';
	int fd = socket(is_port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", where);
	remote.sin_port = htons((uint16_t)strtoul(where, NULL, 10));
	remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, is_port ? (void *)&remote : (void *)&local,
			      is_port ? sizeof(remote) : sizeof(local)) != 0)
		die(where);
	return fd;
}

static void read_file(struct ipl_buf *out, const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t n;

	if (file == NULL)
		die(path);
	do {
		if (!ipl_buf_reserve(out, READ_BYTES))
			die("memory");
		n = fread(out->at + out->len, 1, READ_BYTES, file);
		out->len += n;
	} while (n > 0);
	fclose(file);
	if (out->len == 0)
		die("no request");
}

/* The next request in the file; from its beginning again after the last. */
static struct ipl_str next_request(struct load *load)
{
	struct ipl_scanner scanner = { 0 };
	const uint8_t *at;
	size_t left, size;

	if (load->at == load->file.len)
		load->at = 0;
	at = load->file.at + load->at;
	left = size = load->file.len - load->at;
	if (load->protocol == RPC &&
	    ipl_scan(&scanner, at, left, (size_t)1 << 20, &size) != IPL_SCAN_WHOLE)
		die("the file holds no requests");
	load->at += size;
	return (struct ipl_str){ (const char *)at, size };
}

static void ask(struct load *load, struct conn *conn, int64_t when_ns)
{
	struct ipl_str request = next_request(load);

	ipl_buf_append(&conn->out, request.at, request.len);
	conn->sent_ns[(conn->first + conn->count++) % load->in_flight] = when_ns;
}

static void send_all(struct conn *conn)
{
	size_t sent = 0;

	while (sent < conn->out.len) {
		ssize_t n = write(conn->fd, conn->out.at + sent, conn->out.len - sent);
		if (n <= 0)
			die("write");
		sent += (size_t)n;
	}
	conn->out.len = 0;
}

/* --- where an answer ends; 0: not here yet --- */

static size_t rpc_end(struct conn *conn, size_t at)
{
	size_t size = 0;

	if (ipl_scan(&conn->scanner, conn->in.at + at, conn->in.len - at, (size_t)8 << 20, &size) !=
	    IPL_SCAN_WHOLE)
		return 0;
	if (conn->in.at[at + size - 1] == 0xc0) /* [1, msgid, error, nil] */
		die_of(conn);
	return at + size;
}

static size_t resp_end(const struct conn *conn, size_t at)
{
	const char *text = (const char *)conn->in.at + at;
	const char *line = memchr(text, '\n', conn->in.len - at);
	size_t end;

	if (line == NULL)
		return 0;
	if (text[0] != '$')
		die_of(conn);
	end = (size_t)(line + 1 - (const char *)conn->in.at) + strtoul(text + 1, NULL, 10) + 2;
	return end <= conn->in.len ? end : 0;
}

static size_t http_end(const struct conn *conn, size_t at)
{
	const char *text = (const char *)conn->in.at + at;
	size_t len = conn->in.len - at;
	const char *body = text == NULL ? NULL : memmem(text, len, "\r\n\r\n", 4);
	const char *field = body == NULL ? NULL : memmem(text, len, "Content-Length: ", 16);
	size_t end;

	if (body == NULL)
		return 0;
	if (field == NULL || len < 12 || memcmp(text + 9, "200", 3) != 0)
		die_of(conn);
	end = (size_t)(body + 4 - (const char *)conn->in.at) + strtoul(field + 16, NULL, 10);
	return end <= conn->in.len ? end : 0;
}

static size_t answer_end(const struct load *load, struct conn *conn, size_t at)
{
	switch (load->protocol) {
	case RPC:
		return rpc_end(conn, at);
	case RESP:
		return resp_end(conn, at);
	case HTTP:
	case LINE:
		break;
	}
	return http_end(conn, at);
}

/* --- the loop --- */

static void note(struct load *load, int64_t ns)
{
	if (load->samples < SAMPLES_MAX)
		load->sample_us10[load->samples++] = (uint32_t)(ns / 100);
}

static void take_answers(struct load *load, struct conn *conn)
{
	size_t used = 0, end;
	int64_t when_ns;
	ssize_t n;

	if (!ipl_buf_reserve(&conn->in, READ_BYTES))
		die("memory");
	assert(conn->in.at != NULL);
	n = read(conn->fd, conn->in.at + conn->in.len, READ_BYTES);
	if (n <= 0)
		die("the server closed a connection");
	conn->in.len += (size_t)n;
	when_ns = now_ns();
	while (conn->count > 0 && used < conn->in.len &&
	       (end = answer_end(load, conn, used)) != 0) {
		note(load, when_ns - conn->sent_ns[conn->first]);
		conn->first = (conn->first + 1) % load->in_flight;
		conn->count--;
		used = end;
		ask(load, conn, when_ns);
	}
	ipl_buf_consume(&conn->in, used);
	send_all(conn);
}

static double run_loop(struct load *load)
{
	int64_t begin_ns = now_ns(), when_ns;

	for (uint32_t i = 0; i < load->connections; i++) {
		struct conn *conn = &load->conns[i];
		conn->fd = connect_to(load->socket);
		conn->sent_ns = calloc(load->in_flight, sizeof(*conn->sent_ns));
		if (conn->sent_ns == NULL)
			die("memory");
		load->polls[i] = (struct pollfd){ .fd = conn->fd, .events = POLLIN };
		for (uint32_t k = 0; k < load->in_flight; k++)
			ask(load, conn, now_ns());
		send_all(conn);
	}
	do {
		if (poll(load->polls, load->connections, 1000) < 0)
			die("poll");
		for (uint32_t i = 0; i < load->connections; i++) {
			if (load->polls[i].revents != 0)
				take_answers(load, &load->conns[i]);
		}
		when_ns = now_ns();
	} while ((double)(when_ns - begin_ns) / 1e9 < load->seconds);
	return (double)(when_ns - begin_ns) / 1e9;
}

/* One request on one connection. */
static void ask_once(struct load *load, const char *line, size_t len)
{
	int64_t begin_ns = now_ns();
	char answer[4096];
	size_t have = 0;
	int fd = connect_to(load->socket);
	ssize_t n;

	if (write(fd, line, len) != (ssize_t)len)
		die("write");
	while (have < sizeof(answer) && (n = read(fd, answer + have, sizeof(answer) - have)) > 0)
		have += (size_t)n;
	close(fd);
	if (memmem(answer, have, "\"result\": 0", 11) == NULL) {
		fprintf(stderr, "closed_load: refused: %.*s\n", (int)have, answer);
		exit(1);
	}
	note(load, now_ns() - begin_ns);
}

static double run_lines(struct load *load)
{
	int64_t begin_ns = now_ns();
	const char *at = (const char *)load->file.at, *end = at + load->file.len, *line;

	while (at < end && (double)(now_ns() - begin_ns) / 1e9 < load->seconds) {
		line = memchr(at, '\n', (size_t)(end - at));
		if (line == NULL)
			break;
		ask_once(load, at, (size_t)(line - at));
		at = line + 1;
	}
	return (double)(now_ns() - begin_ns) / 1e9;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double us_at(const struct load *load, double share)
{
	size_t at = (size_t)((double)load->samples * share);

	return load->samples == 0 ?
		       0 :
		       (double)load->sample_us10[at < load->samples ? at : at - 1] / 10;
}

static enum protocol protocol_of(const char *name)
{
	static const char *const names[] = { "rpc", "resp", "http", "line" };

	for (size_t i = 0; i < IPL_ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0)
			return (enum protocol)i;
	}
	errno = EINVAL;
	die(name);
	return RPC;
}

int main(int argc, char **argv)
{
	static struct load load;
	double seconds;

	if (argc != 7) {
		fprintf(stderr,
			"usage: closed_load rpc|resp|http|line SOCKET CONNECTIONS IN_FLIGHT "
			"SECONDS FILE\n");
		return 2;
	}
	load.protocol = protocol_of(argv[1]);
	load.socket = argv[2];
	load.connections = (uint32_t)strtoul(argv[3], NULL, 10);
	load.in_flight = (uint32_t)strtoul(argv[4], NULL, 10);
	load.seconds = strtod(argv[5], NULL);
	read_file(&load.file, argv[6]);
	load.sample_us10 = malloc(SAMPLES_MAX * sizeof(*load.sample_us10));
	if (load.sample_us10 == NULL || load.connections == 0 || load.connections > CONNS_MAX ||
	    load.in_flight == 0)
		die("arguments");
	seconds = load.protocol == LINE ? run_lines(&load) : run_loop(&load);
	qsort(load.sample_us10, load.samples, sizeof(*load.sample_us10), compare);
	printf("{\"PerSecond\": %.1f, \"P50\": %.1f, \"P99\": %.1f, \"P999\": %.1f}\n",
	       (double)load.samples / seconds, us_at(&load, 0.5), us_at(&load, 0.99),
	       us_at(&load, 0.999));
	return 0;
}
