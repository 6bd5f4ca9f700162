/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests at the HTTP door, one in flight on each of 1 and of 64 connections that are kept:
 * a read (DescribeVpcs of one VPC), a durable write (ModifyVpcAttribute), and both with
 * signatures that are verified (version 1, each with its own nonce). Beside each, in the same
 * run and from the same client, a bare evhttp handler that answers a constant of the same length.
 * bench_http IPLEDGER
 */
#include "server/signature.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS   2.0
#define CONNS_MAX 64
#define KEY       "LTAIbench"
#define SECRET    "benchSecret0123456789abcdefghij"

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_http: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the two servers --- */

static void on_bare(struct evhttp_request *req, void *context)
{
	struct evbuffer *body = evbuffer_new();
	const size_t *len = context;

	for (size_t i = 0; i < *len; i++)
		evbuffer_add(body, "x", 1);
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

static pid_t serve_bare(size_t len, int *port)
{
	int ready[2];
	pid_t child;

	if (pipe(ready) != 0)
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		struct event_base *base = event_base_new();
		struct evhttp *http = evhttp_new(base);
		struct evhttp_bound_socket *bound =
			evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
		struct sockaddr_in at;
		socklen_t size = sizeof(at);
		getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &size);
		*port = ntohs(at.sin_port);
		evhttp_set_gencb(http, on_bare, &len);
		if (write(ready[1], port, sizeof(*port)) != sizeof(*port))
			die("pipe");
		event_base_dispatch(base);
		_exit(0);
	}
	if (read(ready[0], port, sizeof(*port)) != sizeof(*port))
		die("the bare server is not ready");
	close(ready[0]);
	close(ready[1]);
	return child;
}

static pid_t serve(const char *program, const char *dir, int *port)
{
	char line[512] = "", keys[128];
	const char *at;
	size_t len = 0;
	int ready[2];
	pid_t child;

	(void)snprintf(keys, sizeof(keys), "%s/keys", dir);
	if (pipe(ready) != 0)
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		dup2(ready[1], STDOUT_FILENO);
		close(ready[0]);
		close(ready[1]);
		execl(program, program, "serve", "--data", dir, "--http", "127.0.0.1:0", "--keys",
		      keys, "--log-level", "error", (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	while (len < sizeof(line) - 1 && strchr(line, '\n') == NULL &&
	       read(ready[0], line + len, 1) == 1)
		len++;
	at = strstr(line, "http=127.0.0.1:");
	if (at == NULL)
		die("the server is not ready");
	*port = (int)strtol(at + strlen("http=127.0.0.1:"), NULL, 10);
	close(ready[0]);
	return child;
}

/* --- requests --- */

static char stamp[32];
static unsigned long nonces;

/* A signed GET of @params ("Action=…&…", no character that is to be encoded). */
static size_t write_request(const char *params, char *out, size_t cap)
{
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_signed req = { .method = IPL_STR("GET"), .path = IPL_STR("/") };
	struct ipl_signature sig = { .kind = IPL_SIGNATURE_V1 };
	struct ipl_str made;
	char query[1024], encoded[128];
	size_t len = 0;

	ipl_arena_init(&arena, 1 << 20);
	(void)snprintf(query, sizeof(query),
		       "%s&AccessKeyId=" KEY "&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0"
		       "&SignatureNonce=%lu&Timestamp=%s",
		       params, ++nonces, stamp);
	if (ipl_pairs_parse(&arena, ipl_str_of(query), &req.query, &err) != IPL_OK ||
	    ipl_signature_make(&req, &sig, IPL_STR(SECRET), &arena, &made, &err) != IPL_OK)
		die(err.text);
	for (size_t i = 0; i < made.len; i++)
		len += (size_t)snprintf(encoded + len, sizeof(encoded) - len, "%%%02X",
					(unsigned char)made.at[i]);
	len = (size_t)snprintf(out, cap,
			       "GET /?%s&Signature=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", query,
			       encoded);
	ipl_arena_release(&arena);
	return len;
}

/* --- the load --- */

struct conn {
	int fd;
	char in[65536];
	size_t len;
};

/* Whether a whole answer has come; @body is its first bytes. Dies where it is no 200. */
static bool take_answer(struct conn *conn, const char **body)
{
	ssize_t n = read(conn->fd, conn->in + conn->len, sizeof(conn->in) - 1 - conn->len);
	const char *end, *length;
	size_t size;

	if (n <= 0)
		die("read");
	conn->len += (size_t)n;
	conn->in[conn->len] = '\0';
	end = strstr(conn->in, "\r\n\r\n");
	length = end == NULL ? NULL : strcasestr(conn->in, "content-length:");
	if (length == NULL)
		return false;
	size = (size_t)(end - conn->in) + 4 + strtoul(length + 15, NULL, 10);
	if (conn->len < size)
		return false;
	if (strncmp(conn->in, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "bench_http: %s\n", conn->in);
		exit(1);
	}
	*body = end + 4;
	conn->len = 0;
	return true;
}

static void open_conn(struct conn *conn, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	const int one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	conn->len = 0;
	conn->fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(conn->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("connect");
}

static void send_request(struct conn *conn, const char *params)
{
	char request[2048];
	size_t len = write_request(params, request, sizeof(request));

	if (write(conn->fd, request, len) != (ssize_t)len)
		die("write");
}

static double load(int port, int connections, const char *params)
{
	static struct conn conns[CONNS_MAX];
	struct pollfd polls[CONNS_MAX];
	const char *body;
	long done = 0;
	double begin = now_s(), end;

	for (int i = 0; i < connections; i++) {
		open_conn(&conns[i], port);
		polls[i] = (struct pollfd){ .fd = conns[i].fd, .events = POLLIN };
		send_request(&conns[i], params);
	}
	do {
		if (poll(polls, (nfds_t)connections, 1000) < 0)
			die("poll");
		for (int i = 0; i < connections; i++) {
			if (polls[i].revents == 0 || !take_answer(&conns[i], &body))
				continue;
			done++;
			send_request(&conns[i], params);
		}
		end = now_s();
	} while (end - begin < SECONDS);
	for (int i = 0; i < connections; i++)
		close(conns[i].fd);
	return (double)done / (end - begin);
}

/* The VPC that everything is asked of. */
static void make_vpc(int port, char id[64], size_t *answer_bytes)
{
	static struct conn conn;
	char params[256];
	const char *body, *at;

	open_conn(&conn, port);
	send_request(&conn, "Action=CreateVpc&Version=2016-04-28&CidrBlock=10.0.0.0%2F16");
	while (!take_answer(&conn, &body)) {
	}
	at = strstr(body, "vpc-");
	(void)snprintf(id, 64, "%.*s", at == NULL ? 0 : (int)strcspn(at, "\""), at);
	(void)snprintf(params, sizeof(params), "Action=DescribeVpcs&Version=2016-04-28&VpcId=%s",
		       id);
	send_request(&conn, params);
	while (!take_answer(&conn, &body)) {
	}
	*answer_bytes = strlen(body);
	close(conn.fd);
}

static void compare(const char *what, int port, int bare_port, const char *params)
{
	static const int counts[] = { 1, 64 };

	for (size_t i = 0; i < IPL_ARRAY_SIZE(counts); i++) {
		double bare = load(bare_port, counts[i], params);
		double rate = load(port, counts[i], params);
		printf("%-14s %2d connections: %7.0f requests/s, bare evhttp %7.0f, ratio %.2f\n",
		       what, counts[i], rate, bare, rate / bare);
		fflush(stdout);
	}
}

static void write_keys(const char *dir)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/keys", dir);
	umask(077);
	file = fopen(path, "w");
	if (file == NULL || fprintf(file, "%s %s admin\n", KEY, SECRET) < 0 || fclose(file) != 0)
		die(path);
}

int main(int argc, char **argv)
{
	char dir[64] = "/var/tmp/ipl-bench-XXXXXX", vpc[64], params[256], command[128];
	int port, bare_port, status;
	time_t now = time(NULL);
	struct tm utc;
	pid_t server, bare;
	size_t bytes;

	if (argc != 2) {
		fprintf(stderr, "usage: bench_http IPLEDGER\n");
		return 2;
	}
	if (mkdtemp(dir) == NULL)
		die("mkdtemp");
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	write_keys(dir);
	server = serve(argv[1], dir, &port);
	make_vpc(port, vpc, &bytes);
	bare = serve_bare(bytes, &bare_port);
	(void)snprintf(params, sizeof(params), "Action=DescribeVpcs&Version=2016-04-28&VpcId=%s",
		       vpc);
	compare("read", port, bare_port, params);
	(void)snprintf(params, sizeof(params),
		       "Action=ModifyVpcAttribute&Version=2016-04-28&VpcId=%s&Description=d", vpc);
	compare("durable write", port, bare_port, params);
	kill(server, SIGTERM);
	kill(bare, SIGTERM);
	waitpid(server, &status, 0);
	waitpid(bare, &status, 0);
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) == 0 ? 0 : 1;
}
