/* SPDX-License-Identifier: Apache-2.0 */
/* Reaching a server, saying who we are, and moving bytes in time. */
#include "cli/client/client_internal.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "events/time.h"
#include "server/auth.h"

#define READ_BYTES  ((size_t)256 << 10)
#define NONCE_BYTES 16

/* --- time --- */

static int64_t clock_ms(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t ipl_client_deadline(const struct ipl_client *client)
{
	return client->timeout_ms == 0 ? -1 : clock_ms(CLOCK_MONOTONIC) + client->timeout_ms;
}

/* Let the socket wait until @deadline and no longer; false where that is now. */
static bool arm(int fd, int64_t deadline)
{
	int64_t left = deadline < 0 ? 0 : deadline - clock_ms(CLOCK_MONOTONIC);
	const struct timeval time = { .tv_sec = (time_t)(left / 1000),
				      .tv_usec = (suseconds_t)(left % 1000) * 1000 };

	if (deadline < 0)
		return true; /* as sockets are made */
	if (left <= 0)
		return false;
	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) == 0;
}

static const char *why(void)
{
	if (errno == EAGAIN || errno == EINPROGRESS)
		return "time ran out";
	return errno == 0 ? "the connection was closed" : strerror(errno);
}

/* --- sockets --- */

/* Connect @fd, or close it and give -1. */
static int connect_fd(int fd, const struct sockaddr *address, socklen_t len, int64_t deadline)
{
	if (fd < 0)
		return -1;
	errno = EAGAIN;
	if (!arm(fd, deadline) || connect(fd, address, len) != 0) {
		int reason = errno;
		close(fd);
		errno = reason;
		return -1;
	}
	return fd;
}

static int connect_unix(const char *path, int64_t deadline)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
			  (const struct sockaddr *)&address, sizeof(address), deadline);
}

/* "HOST:PORT", "[::1]:PORT": the host without brackets; gives the port, NULL where it is neither.
 */
static const char *split_host(const char *text, char host[IPL_CLIENT_HOST_MAX])
{
	const char *colon = strrchr(text, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= IPL_CLIENT_HOST_MAX)
		return NULL;
	memcpy(host, text, len);
	host[len] = '\0';
	return colon + 1;
}

/* One after the other, as a name may stand for several addresses. */
static int connect_tcp(const char *text, int64_t deadline)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char host[IPL_CLIENT_HOST_MAX];
	const char *port = split_host(text, host);
	int fd = -1;

	errno = EINVAL;
	if (port == NULL || getaddrinfo(host, port, &hints, &found) != 0)
		return -1;
	for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next)
		fd = connect_fd(socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), at->ai_addr,
				at->ai_addrlen, deadline);
	freeaddrinfo(found);
	return fd;
}

/* --- TLS, without a SIGPIPE for who uses us: OpenSSL writes without MSG_NOSIGNAL --- */

struct quiet {
	sigset_t pipe;
	sigset_t before;
	bool was_pending;
};

static void hush(struct quiet *quiet)
{
	sigset_t pending;

	sigemptyset(&quiet->pipe);
	sigaddset(&quiet->pipe, SIGPIPE);
	quiet->was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
	(void)pthread_sigmask(SIG_BLOCK, &quiet->pipe, &quiet->before);
}

static void unhush(const struct quiet *quiet)
{
	const struct timespec none = { 0 };
	int reason = errno;

	while (!quiet->was_pending && sigtimedwait(&quiet->pipe, NULL, &none) == SIGPIPE)
		continue; /* ours */
	(void)pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
	errno = reason;
}

static enum ipl_client_status start_tls(struct ipl_client *client, const char *text,
					struct ipl_client_error *err)
{
	char host[IPL_CLIENT_HOST_MAX];
	struct ipl_error wrong = IPL_ERROR_INIT(NULL);
	struct quiet quiet;
	enum ipl_status st;

	(void)split_host(text, host); /* it was connected to */
	hush(&quiet);
	st = ipl_tls_connect(client->fd, host, client->tls_ca, &client->tls, &wrong);
	unhush(&quiet);
	if (st == IPL_OK)
		return IPL_CLIENT_OK;
	return ipl_client_fail(err,
			       st == IPL_ERR_NOMEM ? IPL_CLIENT_NO_MEMORY : IPL_CLIENT_UNREACHABLE,
			       "%s", wrong.text);
}

/* --- bytes --- */

enum ipl_client_status ipl_client_flush(struct ipl_client *client, int64_t deadline,
					struct ipl_client_error *err)
{
	size_t sent = 0;

	while (sent < client->out.len) {
		const uint8_t *at = client->out.at + sent;
		size_t len = client->out.len - sent;
		struct quiet quiet;
		ssize_t n = -1;
		errno = EAGAIN;
		if (!arm(client->fd, deadline))
			return ipl_client_lose(client, err, "send", why());
		if (client->tls == NULL) {
			n = send(client->fd, at, len, MSG_NOSIGNAL);
		} else {
			hush(&quiet);
			n = ipl_tls_write(client->tls, at, len);
			unhush(&quiet);
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ipl_client_lose(client, err, "send", why());
		sent += (size_t)n;
	}
	client->out.len = 0;
	return IPL_CLIENT_OK;
}

enum ipl_client_status ipl_client_read(struct ipl_client *client, int64_t deadline,
				       struct ipl_client_error *err)
{
	ssize_t n;

	if (!ipl_buf_reserve(&client->in, READ_BYTES))
		return ipl_client_fail(err, IPL_CLIENT_NO_MEMORY, "out of memory for an answer");
	errno = EAGAIN;
	if (!arm(client->fd, deadline))
		return ipl_client_lose(client, err, "the server's answer", why());
	errno = 0;
	n = client->tls == NULL ?
		    read(client->fd, client->in.at + client->in.len, READ_BYTES) :
		    ipl_tls_read(client->tls, client->in.at + client->in.len, READ_BYTES);
	if (n < 0 && errno == EINTR)
		return IPL_CLIENT_OK;
	if (n <= 0)
		return ipl_client_lose(client, err, "the server's answer", why());
	client->in.len += (size_t)n;
	return IPL_CLIENT_OK;
}

/* --- who we are --- */

/* What the server wants to know of a client that comes over TCP. */
static enum ipl_client_status add_key(const struct ipl_client *client, struct ipl_arena *arena,
				      struct ipl_value *params, struct ipl_client_error *err)
{
	char signature[65], now[IPL_TIME_TEXT_MAX], nonce[2 * NONCE_BYTES + 1];
	uint8_t chance[NONCE_BYTES];

	if (client->key.id[0] == '\0')
		return IPL_CLIENT_OK; /* for a server that lets everybody in */
	if (getrandom(chance, sizeof(chance), 0) != NONCE_BYTES)
		return ipl_client_fail(err, IPL_CLIENT_UNREACHABLE, "no random bytes: %s",
				       strerror(errno));
	for (size_t i = 0; i < NONCE_BYTES; i++)
		(void)snprintf(nonce + 2 * i, 3, "%02x", chance[i]);
	ipl_time_format(clock_ms(CLOCK_REALTIME), now);
	ipl_hello_sign(&client->key, ipl_str_of(now), ipl_str_of(nonce), signature);
	ipl_map_add(arena, params, "AccessKeyId", ipl_text_copy(arena, client->key.id));
	ipl_map_add(arena, params, "Timestamp", ipl_text_copy(arena, now));
	ipl_map_add(arena, params, "Nonce", ipl_text_copy(arena, nonce));
	ipl_map_add(arena, params, "Signature", ipl_text_copy(arena, signature));
	return IPL_CLIENT_OK;
}

/* What the answer to Hello, or its absence, most likely means. */
static void explain(const struct ipl_client *client, enum ipl_client_status st,
		    struct ipl_client_error *err)
{
	if (st == IPL_CLIENT_LOST && client->tls == NULL && errno != EAGAIN)
		(void)snprintf(err->text, sizeof(err->text),
			       "the server closed the connection: if it speaks TLS, it is "
			       "tls:HOST:PORT");
	if (st == IPL_CLIENT_REFUSED && strcmp(err->code, "Unauthenticated") == 0)
		(void)snprintf(err->text, sizeof(err->text),
			       "the server wants an access key: set IPLEDGER_ACCESS_KEY_ID and "
			       "IPLEDGER_ACCESS_KEY_SECRET (on the server: ipledger keys env)");
}

static enum ipl_client_status greet(struct ipl_client *client, bool by_tcp,
				    struct ipl_client_error *err)
{
	struct ipl_client_answer *answer = NULL;
	struct ipl_value params = ipl_map();
	struct ipl_buf bytes = { 0 };
	struct ipl_arena arena;
	enum ipl_client_status st = IPL_CLIENT_OK;

	ipl_arena_init(&arena, 65536);
	ipl_map_add(&arena, &params, "ErrorFormat", ipl_text_of("Map"));
	if (by_tcp)
		st = add_key(client, &arena, &params, err);
	ipl_msgpack_write(&bytes, &params);
	if (st == IPL_CLIENT_OK && (bytes.failed || arena.failed))
		st = ipl_client_fail(err, IPL_CLIENT_NO_MEMORY, "out of memory for a request");
	if (st == IPL_CLIENT_OK)
		st = ipl_client_call(client, "Hello", bytes.at, bytes.len, &answer, err);
	if (by_tcp)
		explain(client, st, err);
	ipl_client_answer_free(answer);
	ipl_buf_release(&bytes);
	ipl_arena_release(&arena);
	return st;
}

/* --- connections --- */

void ipl_client_drop(struct ipl_client *client)
{
	struct quiet quiet;

	hush(&quiet);
	ipl_tls_free(client->tls); /* says goodbye */
	unhush(&quiet);
	client->tls = NULL;
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->in.len = 0;
	client->out.len = 0;
	client->scanner = (struct ipl_scanner){ 0 };
	client->next_msgid = client->next_answer = 0;
	while (client->first_notice != NULL) {
		struct ipl_client_answer *next = client->first_notice->next;
		ipl_client_answer_free(client->first_notice);
		client->first_notice = next;
	}
	client->last_notice = NULL;
	client->notices_bytes = 0;
}

static enum ipl_client_status reach(struct ipl_client *client, const char *address,
				    int64_t deadline, struct ipl_client_error *err)
{
	bool by_tls = strncmp(address, "tls:", 4) == 0;

	if (strncmp(address, "unix:", 5) == 0)
		client->fd = connect_unix(address + 5, deadline);
	else if (by_tls || strncmp(address, "tcp:", 4) == 0)
		client->fd = connect_tcp(address + 4, deadline);
	else
		return ipl_client_fail(err, IPL_CLIENT_UNREACHABLE,
				       "%s is neither unix:PATH, tcp:HOST:PORT nor tls:HOST:PORT",
				       address);
	if (client->fd < 0)
		return ipl_client_fail(err, IPL_CLIENT_UNREACHABLE, "%s: %s", address, why());
	return by_tls ? start_tls(client, address + 4, err) : IPL_CLIENT_OK;
}

enum ipl_client_status ipl_client_connect(struct ipl_client *client, const char *address,
					  struct ipl_client_error *err)
{
	enum ipl_client_status st;

	ipl_client_drop(client);
	client->is_lost = false;
	st = reach(client, address, ipl_client_deadline(client), err);
	if (st == IPL_CLIENT_OK)
		st = greet(client, strncmp(address, "unix:", 5) != 0, err);
	if (st != IPL_CLIENT_OK) {
		ipl_client_drop(client);
		client->is_lost = false;
	}
	return st;
}
