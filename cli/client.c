/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking MessagePack-RPC client, and reading without a server. */
#include "cli/client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "events/msgpack.h"
#include "events/time.h"
#include "server/auth.h"
#include "server/engine.h"
#include "server/tls.h"

#define READ_BYTES       ((size_t)256 << 10)
#define ANSWER_BYTES_MAX ((size_t)8 << 20)
#define SEND_BYTES       ((size_t)64 << 10) /* sent together */

struct ipl_client {
	int fd;                    /* -1: no server */
	struct ipl_tls *tls;       /* NULL: bytes go as they are */
	struct ipl_engine *engine; /* NULL: a server */
	struct ipl_buf out;
	struct ipl_buf in;
	struct ipl_scanner scanner;
	uint32_t next_msgid;
	uint32_t next_answer;
};

static enum ipl_status io_error(struct ipl_error *err, const char *what)
{
	return ipl_error_set(err, IPL_ERR_IO, "%s: %s", what,
			     errno == 0 ? "the connection was closed" : strerror(errno));
}

/* --- connecting --- */

static int connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		int why = errno;
		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

/* "HOST:PORT", "[::1]:PORT": the host without brackets; gives the port, NULL where it is neither.
 */
static const char *split_host(const char *text, char host[128])
{
	const char *colon = strrchr(text, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= 128)
		return NULL;
	memcpy(host, text, len);
	host[len] = '\0';
	return colon + 1;
}

static int connect_tcp(const char *text)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char host[128];
	const char *port = split_host(text, host);
	int fd;

	errno = EINVAL;
	if (port == NULL || getaddrinfo(host, port, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
		int why = errno;
		close(fd);
		fd = -1;
		errno = why;
	}
	freeaddrinfo(found);
	return fd;
}

static enum ipl_status start_tls(struct ipl_client *client, const char *text, struct ipl_error *err)
{
	const char *ca = getenv("IPLEDGER_TLS_CA"); /* --tls-ca sets it */
	char host[128];

	(void)split_host(text, host); /* it was connected to */
	signal(SIGPIPE, SIG_IGN);     /* OpenSSL writes without MSG_NOSIGNAL */
	return ipl_tls_connect(client->fd, host, ca == NULL || ca[0] == '\0' ? NULL : ca,
			       &client->tls, err);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The key that the environment names: the first pair of which something is set. */
static enum ipl_status key_of_environment(struct ipl_access_key *out, struct ipl_error *err)
{
	static const char *const names[][2] = {
		{ "IPLEDGER_ACCESS_KEY_ID", "IPLEDGER_ACCESS_KEY_SECRET" },
		{ "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET" },
	};

	*out = (struct ipl_access_key){ .id = "" };
	for (size_t i = 0; i < IPL_ARRAY_SIZE(names); i++) {
		const char *id = getenv(names[i][0]), *secret = getenv(names[i][1]);
		if ((id == NULL || id[0] == '\0') && (secret == NULL || secret[0] == '\0'))
			continue;
		if (id == NULL || secret == NULL || !ipl_key_id_is_valid(ipl_str_of(id)) ||
		    secret[0] == '\0' || strlen(secret) > IPL_KEY_SECRET_MAX)
			return ipl_error_set(err, IPL_ERR_IO,
					     "%s and %s must both be set, to an id and its secret",
					     names[i][0], names[i][1]);
		memcpy(out->id, id, strlen(id));
		memcpy(out->secret, secret, strlen(secret));
		return IPL_OK;
	}
	return IPL_OK; /* none: for a server that lets everybody in */
}

/* What the server wants to know of a client that comes over TCP. */
static enum ipl_status add_key(struct ipl_arena *arena, struct ipl_value *params,
			       struct ipl_error *err)
{
	struct ipl_access_key key, chance;
	struct ipl_str timestamp, nonce;
	char signature[65], now[IPL_TIME_TEXT_MAX];
	enum ipl_status st = key_of_environment(&key, err);

	if (st != IPL_OK || key.id[0] == '\0')
		return st;
	ipl_time_format(now_ms(), now);
	ipl_key_generate(IPL_ACCESS_ADMIN, &chance); /* for its random letters */
	timestamp = ipl_arena_str(arena, ipl_str_of(now));
	nonce = ipl_arena_str(arena, ipl_str_of(chance.secret));
	ipl_hello_sign(&key, timestamp, nonce, signature);
	ipl_map_add(arena, params, "AccessKeyId", ipl_text_copy(arena, key.id));
	ipl_map_add(arena, params, "Timestamp", ipl_text(timestamp));
	ipl_map_add(arena, params, "Nonce", ipl_text(nonce));
	ipl_map_add(arena, params, "Signature", ipl_text_copy(arena, signature));
	ipl_key_wipe(&key);
	return IPL_OK;
}

/* What the answer to Hello, or its absence, most likely means. */
static void explain(const struct ipl_client *client, enum ipl_status st, struct ipl_error *err)
{
	if (st == IPL_ERR_IO && client->tls == NULL)
		ipl_error_set(err, IPL_ERR_IO,
			      "the server closed the connection: if it speaks TLS, it is "
			      "tls:HOST:PORT");
	if (st == IPL_REFUSED && err->code == IPL_CODE_UNAUTHENTICATED)
		ipl_refuse(err, IPL_CODE_UNAUTHENTICATED,
			   "the server wants an access key: set IPLEDGER_ACCESS_KEY_ID and "
			   "IPLEDGER_ACCESS_KEY_SECRET (on the server: ipledger keys env)");
}

static enum ipl_status greet(struct ipl_client *client, bool by_tcp, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_value params = ipl_map(), result;
	enum ipl_status st = IPL_OK;

	ipl_arena_init(&arena, 65536);
	ipl_map_add(&arena, &params, "ErrorFormat", ipl_text_of("Map"));
	if (by_tcp)
		st = add_key(&arena, &params, err);
	if (st == IPL_OK) {
		st = ipl_client_call(client, IPL_STR("Hello"), &params, &arena, &result, err);
		if (by_tcp)
			explain(client, st, err);
	}
	err->detail = NULL;
	ipl_arena_release(&arena);
	return st;
}

static enum ipl_status reach(struct ipl_client *client, const char *data, const char *server,
			     struct ipl_error *err)
{
	char path[4200];

	if (server != NULL && strncmp(server, "unix:", 5) == 0)
		client->fd = connect_unix(server + 5);
	else if (server != NULL &&
		 (strncmp(server, "tcp:", 4) == 0 || strncmp(server, "tls:", 4) == 0))
		client->fd = connect_tcp(server + 4);
	else if (server != NULL)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s is neither unix:PATH, tcp:HOST:PORT nor tls:HOST:PORT",
				     server);
	if (server != NULL && client->fd < 0)
		return io_error(err, server);
	if (server != NULL && strncmp(server, "tls:", 4) == 0) {
		enum ipl_status st = start_tls(client, server + 4, err);
		if (st != IPL_OK)
			return st;
	}
	(void)snprintf(path, sizeof(path), "%s/ipledger.sock", data);
	if (server == NULL)
		client->fd = connect_unix(path);
	if (client->fd >= 0)
		return greet(client, server != NULL && strncmp(server, "unix:", 5) != 0, err);
	return ipl_engine_open(data, IPL_ENGINE_READ, NULL, now_ms(), &client->engine, err);
}

enum ipl_status ipl_client_open(const char *data, const char *server, struct ipl_client **out,
				struct ipl_error *err)
{
	struct ipl_client *client = calloc(1, sizeof(*client));
	enum ipl_status st;

	if (client == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a client");
	client->fd = -1;
	st = reach(client, data, server, err);
	if (st != IPL_OK) {
		ipl_client_close(client);
		return st;
	}
	*out = client;
	return IPL_OK;
}

void ipl_client_close(struct ipl_client *client)
{
	if (client == NULL)
		return;
	ipl_tls_free(client->tls);
	if (client->fd >= 0)
		close(client->fd);
	ipl_engine_close(client->engine);
	ipl_buf_release(&client->in);
	ipl_buf_release(&client->out);
	free(client);
}

/* --- sending and receiving --- */

static enum ipl_status flush(struct ipl_client *client, struct ipl_error *err)
{
	size_t sent = 0;

	while (sent < client->out.len) {
		const uint8_t *at = client->out.at + sent;
		size_t len = client->out.len - sent;
		ssize_t n = client->tls == NULL ? send(client->fd, at, len, MSG_NOSIGNAL) :
						  ipl_tls_write(client->tls, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_error(err, "send");
		sent += (size_t)n;
	}
	client->out.len = 0;
	return IPL_OK;
}

enum ipl_status ipl_client_send(struct ipl_client *client, struct ipl_str operation,
				const struct ipl_value *params, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_value frame = ipl_array(), list = ipl_array();

	if (client->fd < 0)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%.*s needs a running server: start one with ipledger serve",
				     IPL_STR_ARG(operation));
	ipl_arena_init(&arena, 65536);
	ipl_array_add(&arena, &list, *params);
	ipl_array_add(&arena, &frame, ipl_int(0));
	ipl_array_add(&arena, &frame, ipl_int(client->next_msgid++));
	ipl_array_add(&arena, &frame, ipl_text(operation));
	ipl_array_add(&arena, &frame, list);
	ipl_msgpack_write(&client->out, &frame);
	ipl_arena_release(&arena);
	if (client->out.failed)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	return client->out.len < SEND_BYTES ? IPL_OK : flush(client, err);
}

static enum ipl_code code_of(struct ipl_str text)
{
	for (int code = 1; code < IPL_CODE_COUNT; code++) {
		if (ipl_str_is(text, ipl_code_text((enum ipl_code)code)))
			return (enum ipl_code)code;
	}
	return IPL_CODE_INTERNAL_ERROR;
}

/* "Code: Message", which is how an error looks until Hello was answered. */
static enum ipl_status answered_text(struct ipl_str text, struct ipl_error *err)
{
	const char *colon = text.len == 0 ? NULL : memchr(text.at, ':', text.len);
	struct ipl_str code = { text.at, colon == NULL ? 0 : (size_t)(colon - text.at) };
	size_t skip = code.len == 0 ? 0 : code.len + 2;

	skip = skip > text.len ? text.len : skip;
	if (text.len == 0)
		return ipl_refuse(err, IPL_CODE_INTERNAL_ERROR, "the server's error is empty");
	return ipl_refuse(err, code_of(code), "%.*s", (int)(text.len - skip), text.at + skip);
}

static enum ipl_status answered_error(const struct ipl_value *error, struct ipl_error *err)
{
	struct ipl_str message = ipl_map_text(error, "Message");
	const struct ipl_value *detail = ipl_map_get(error, "Detail");

	if (error->type == IPL_VALUE_STR)
		return answered_text(error->str, err);
	ipl_refuse(err, code_of(ipl_map_text(error, "Code")), "%.*s", IPL_STR_ARG(message));
	for (uint32_t i = 0; detail != NULL && i < detail->count && err->arena != NULL; i++) {
		struct ipl_str name = ipl_arena_str(err->arena, detail->member[i].key);
		ipl_error_add(err, name.at, detail->member[i].value);
	}
	return IPL_REFUSED;
}

static enum ipl_status parse_answer(struct ipl_client *client, size_t size, struct ipl_arena *arena,
				    struct ipl_value *result, struct ipl_error *err)
{
	struct ipl_value frame;
	enum ipl_status st = ipl_msgpack_parse(arena, client->in.at, size, &frame, err);

	ipl_buf_consume(&client->in, size);
	if (st != IPL_OK)
		return st;
	if (frame.type != IPL_VALUE_ARRAY || frame.count != 4 ||
	    frame.item[1].type != IPL_VALUE_INT || frame.item[1].integer != client->next_answer++)
		return ipl_error_set(err, IPL_ERR_IO, "the server's answer makes no sense");
	if (frame.item[2].type != IPL_VALUE_NIL)
		return answered_error(&frame.item[2], err);
	*result = frame.item[3];
	return IPL_OK;
}

/* More bytes of what the server says. */
static enum ipl_status read_more(struct ipl_client *client, struct ipl_error *err)
{
	ssize_t n;

	if (!ipl_buf_reserve(&client->in, READ_BYTES))
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an answer");
	errno = 0;
	n = client->tls == NULL ?
		    read(client->fd, client->in.at + client->in.len, READ_BYTES) :
		    ipl_tls_read(client->tls, client->in.at + client->in.len, READ_BYTES);
	if (n < 0 && errno == EINTR)
		return IPL_OK;
	if (n <= 0)
		return io_error(err, "the server's answer");
	client->in.len += (size_t)n;
	return IPL_OK;
}

/* Whether a whole frame is here: then *@size is not 0. */
static enum ipl_status look(struct ipl_client *client, size_t *size, struct ipl_error *err)
{
	enum ipl_scan found =
		ipl_scan(&client->scanner, client->in.at, client->in.len, ANSWER_BYTES_MAX, size);

	if (found == IPL_SCAN_WHOLE)
		return IPL_OK;
	*size = 0;
	return found == IPL_SCAN_MORE ?
		       IPL_OK :
		       ipl_error_set(err, IPL_ERR_IO, "the server's answer makes no sense");
}

enum ipl_status ipl_client_receive(struct ipl_client *client, struct ipl_arena *arena,
				   struct ipl_value *result, struct ipl_error *err)
{
	enum ipl_status st = flush(client, err);

	while (st == IPL_OK) {
		size_t size = 0;
		st = look(client, &size, err);
		if (st == IPL_OK && size > 0)
			return parse_answer(client, size, arena, result, err);
		if (st == IPL_OK)
			st = read_more(client, err);
	}
	return st;
}

static enum ipl_status parse_notice(struct ipl_client *client, size_t size, struct ipl_arena *arena,
				    struct ipl_str *name, struct ipl_value *what,
				    struct ipl_error *err)
{
	struct ipl_value frame;
	enum ipl_status st = ipl_msgpack_parse(arena, client->in.at, size, &frame, err);

	ipl_buf_consume(&client->in, size);
	if (st != IPL_OK)
		return st;
	if (frame.type != IPL_VALUE_ARRAY || frame.count != 3 ||
	    frame.item[1].type != IPL_VALUE_STR || frame.item[2].type != IPL_VALUE_ARRAY ||
	    frame.item[2].count != 1)
		return ipl_error_set(err, IPL_ERR_IO, "the server's notification makes no sense");
	*name = frame.item[1].str;
	*what = frame.item[2].item[0];
	return IPL_OK;
}

enum ipl_status ipl_client_notified(struct ipl_client *client, int wait_ms, struct ipl_arena *arena,
				    struct ipl_str *name, struct ipl_value *what,
				    struct ipl_error *err)
{
	struct pollfd waits = { .fd = client->fd, .events = POLLIN };
	size_t size = 0;
	enum ipl_status st = look(client, &size, err);

	while (st == IPL_OK && size == 0) {
		/* What TLS has read and not given yet does not show at the socket. */
		bool is_here = client->tls != NULL && ipl_tls_has_more(client->tls);
		int ready = is_here ? 1 : poll(&waits, 1, wait_ms);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			return ipl_error_set(err, IPL_ERR_END, "nothing was notified for now");
		if (ready < 0)
			return io_error(err, "waiting for the server");
		st = read_more(client, err);
		if (st == IPL_OK)
			st = look(client, &size, err);
	}
	return st == IPL_OK ? parse_notice(client, size, arena, name, what, err) : st;
}

static enum ipl_status call_engine(struct ipl_client *client, struct ipl_str operation,
				   const struct ipl_value *params, struct ipl_arena *arena,
				   struct ipl_value *result, struct ipl_error *err)
{
	struct ipl_call call = {
		.operation = operation,
		.params = params,
		.principal = IPL_STR("uid:0"), /* whoever can read the directory reads it all */
		.now_ms = now_ms(),
	};
	struct ipl_answer answer;

	ipl_engine_call(client->engine, &call, arena, &answer);
	if (answer.status == IPL_OK) {
		*result = answer.result;
		return IPL_OK;
	}
	answer.err.arena = err->arena;
	*err = answer.err;
	return answer.status;
}

enum ipl_status ipl_client_call(struct ipl_client *client, struct ipl_str operation,
				const struct ipl_value *params, struct ipl_arena *arena,
				struct ipl_value *result, struct ipl_error *err)
{
	enum ipl_status st;

	if (client->engine != NULL)
		return call_engine(client, operation, params, arena, result, err);
	st = ipl_client_send(client, operation, params, err);
	return st == IPL_OK ? ipl_client_receive(client, arena, result, err) : st;
}
