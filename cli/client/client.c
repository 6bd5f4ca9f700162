/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking MessagePack-RPC client: requests, answers and notifications. */
#include "cli/client/client_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/params.h"

#define SEND_BYTES  ((size_t)64 << 10) /* sent together */
#define ARENA_BYTES ((size_t)64 << 20) /* parameters made of words */

/* --- errors --- */

enum ipl_client_status ipl_client_fail(struct ipl_client_error *err, enum ipl_client_status status,
				       const char *format, ...)
{
	va_list args;

	*err = (struct ipl_client_error){ .status = status };
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return status;
}

enum ipl_client_status ipl_client_lose(struct ipl_client *client, struct ipl_client_error *err,
				       const char *what, const char *why)
{
	int reason = errno;

	(void)ipl_client_fail(err, IPL_CLIENT_LOST, "%s: %s", what, why);
	ipl_client_drop(client);
	client->is_lost = true;
	errno = reason;
	return IPL_CLIENT_LOST;
}

static enum ipl_client_status no_sense(struct ipl_client *client, struct ipl_client_error *err,
				       const char *what)
{
	return ipl_client_lose(client, err, what, "it makes no sense");
}

/* --- the client itself --- */

struct ipl_client *ipl_client_new(void)
{
	struct ipl_client *client = calloc(1, sizeof(*client));

	if (client != NULL)
		client->fd = -1;
	return client;
}

void ipl_client_free(struct ipl_client *client)
{
	if (client == NULL)
		return;
	ipl_client_drop(client);
	ipl_buf_release(&client->in);
	ipl_buf_release(&client->out);
	ipl_key_wipe(&client->key);
	free(client->tls_ca);
	free(client);
}

enum ipl_client_status ipl_client_set_key(struct ipl_client *client, const char *id,
					  const char *secret, struct ipl_client_error *err)
{
	if (id == NULL && secret == NULL) {
		ipl_key_wipe(&client->key);
		return IPL_CLIENT_OK;
	}
	if (id == NULL || secret == NULL || !ipl_key_id_is_valid(ipl_str_of(id)) ||
	    secret[0] == '\0' || strlen(secret) > IPL_KEY_SECRET_MAX)
		return ipl_client_fail(err, IPL_CLIENT_INVALID,
				       "an access key is an id of 1 to %u letters, digits and "
				       "-_.@, and a secret of 1 to %u bytes",
				       IPL_KEY_ID_MAX, IPL_KEY_SECRET_MAX);
	ipl_key_wipe(&client->key);
	memcpy(client->key.id, id, strlen(id) + 1);
	memcpy(client->key.secret, secret, strlen(secret) + 1);
	return IPL_CLIENT_OK;
}

bool ipl_client_set_tls_ca(struct ipl_client *client, const char *path)
{
	char *copy = path == NULL ? NULL : strdup(path);

	if (path != NULL && copy == NULL)
		return false;
	free(client->tls_ca);
	client->tls_ca = copy;
	return true;
}

static bool is_set(const char *value)
{
	return value != NULL && value[0] != '\0';
}

enum ipl_client_status ipl_client_use_environment(struct ipl_client *client,
						  struct ipl_client_error *err)
{
	static const char *const names[][2] = {
		{ "IPLEDGER_ACCESS_KEY_ID", "IPLEDGER_ACCESS_KEY_SECRET" },
		{ "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET" },
	};
	const char *ca = getenv("IPLEDGER_TLS_CA");

	if (is_set(ca) && !ipl_client_set_tls_ca(client, ca))
		return ipl_client_fail(err, IPL_CLIENT_NO_MEMORY, "out of memory for a path");
	for (size_t i = 0; i < IPL_ARRAY_SIZE(names); i++) {
		const char *id = getenv(names[i][0]), *secret = getenv(names[i][1]);
		if (!is_set(id) && !is_set(secret))
			continue;
		if (id == NULL || secret == NULL ||
		    ipl_client_set_key(client, id, secret, err) != IPL_CLIENT_OK)
			return ipl_client_fail(
				err, IPL_CLIENT_INVALID,
				"%s and %s must both be set, to an id and its secret", names[i][0],
				names[i][1]);
		return IPL_CLIENT_OK;
	}
	return IPL_CLIENT_OK;
}

void ipl_client_set_timeout_ms(struct ipl_client *client, unsigned timeout_ms)
{
	client->timeout_ms = timeout_ms;
}

int ipl_client_fd(const struct ipl_client *client)
{
	return client->fd;
}

size_t ipl_client_owed(const struct ipl_client *client)
{
	return client->next_msgid - client->next_answer;
}

static enum ipl_client_status check_connected(const struct ipl_client *client,
					      struct ipl_client_error *err)
{
	if (client->fd >= 0)
		return IPL_CLIENT_OK;
	return client->is_lost ? ipl_client_fail(err, IPL_CLIENT_LOST,
						 "the connection was lost: connect again") :
				 ipl_client_fail(err, IPL_CLIENT_UNREACHABLE, "not connected");
}

/* --- asking --- */

/* Bytes that are no map would shift the border of every frame behind them. */
static bool is_map(const void *params, size_t params_len)
{
	struct ipl_scanner scanner = { 0 };
	const uint8_t *at = params;
	size_t size = 0;

	return params_len > 0 && ((at[0] & 0xf0u) == 0x80u || at[0] == 0xde || at[0] == 0xdf) &&
	       ipl_scan(&scanner, at, params_len, params_len, &size) == IPL_SCAN_WHOLE &&
	       size == params_len;
}

enum ipl_client_status ipl_client_send(struct ipl_client *client, const char *operation,
				       const void *params, size_t params_len,
				       struct ipl_client_error *err)
{
	static const uint8_t request[] = { 0x94, 0x00 }, one[] = { 0x91 }, none[] = { 0x90 };
	const struct ipl_value msgid = ipl_int(client->next_msgid);
	const struct ipl_value name = ipl_text(ipl_str_of(operation));
	enum ipl_client_status st = check_connected(client, err);
	size_t before = client->out.len;

	if (st == IPL_CLIENT_OK && params_len > 0 && !is_map(params, params_len))
		st = ipl_client_fail(err, IPL_CLIENT_INVALID,
				     "the parameters of %s are not one MessagePack map", operation);
	if (st != IPL_CLIENT_OK)
		return st;
	ipl_buf_append(&client->out, request, sizeof(request));
	ipl_msgpack_write(&client->out, &msgid);
	ipl_msgpack_write(&client->out, &name);
	ipl_buf_append(&client->out, params_len > 0 ? one : none, 1);
	ipl_buf_append(&client->out, params, params_len);
	if (client->out.failed) {
		client->out.len = before; /* as if it had not been asked */
		client->out.failed = false;
		return ipl_client_fail(err, IPL_CLIENT_NO_MEMORY, "out of memory for a request");
	}
	client->next_msgid++;
	if (client->out.len < SEND_BYTES)
		return IPL_CLIENT_OK;
	return ipl_client_flush(client, ipl_client_deadline(client), err);
}

/* --- frames --- */

/* Whether a whole frame is here: then *@size is not 0. */
static enum ipl_client_status look(struct ipl_client *client, size_t *size,
				   struct ipl_client_error *err)
{
	enum ipl_scan found = ipl_scan(&client->scanner, client->in.at, client->in.len,
				       IPL_CLIENT_ANSWER_BYTES_MAX, size);

	if (found == IPL_SCAN_WHOLE)
		return IPL_CLIENT_OK;
	*size = 0;
	return found == IPL_SCAN_MORE ? IPL_CLIENT_OK :
					no_sense(client, err, "the server's answer");
}

/* The bytes of the object at *@at, and behind it; {NULL} where there is none. */
static struct ipl_str next_object(const uint8_t **at, const uint8_t *end)
{
	struct ipl_scanner scanner = { 0 };
	const uint8_t *begin = *at;
	size_t size = 0;

	if (begin == end || ipl_scan(&scanner, begin, (size_t)(end - begin), (size_t)(end - begin),
				     &size) != IPL_SCAN_WHOLE)
		return IPL_STR_NONE;
	*at = begin + size;
	return (struct ipl_str){ (const char *)begin, size };
}

/* A msgid as MessagePack has it in any of its unsigned forms. */
static bool read_msgid(struct ipl_str bytes, uint32_t *out)
{
	const uint8_t *at = (const uint8_t *)bytes.at;
	uint64_t n = 0;

	if (bytes.len == 1 && at[0] <= 0x7f) {
		*out = at[0];
		return true;
	}
	if (bytes.len < 2 || at[0] < 0xcc || at[0] > 0xcf)
		return false;
	for (size_t i = 1; i < bytes.len; i++)
		n = n << 8 | at[i];
	*out = (uint32_t)n;
	return n <= UINT32_MAX;
}

/* The members of a frame of @count members of which the first is @type. */
static bool split(const uint8_t *bytes, size_t size, uint8_t count, uint8_t type,
		  struct ipl_str *members)
{
	const uint8_t *at = bytes + 2, *end = bytes + size;

	if (size < 2 || bytes[0] != (0x90u | count) || bytes[1] != type)
		return false;
	for (uint8_t i = 1; i < count; i++) {
		members[i] = next_object(&at, end);
		if (members[i].at == NULL)
			return false;
	}
	return true;
}

static void copy_text(char *to, size_t room, const char *text)
{
	(void)snprintf(to, room, "%s", text == NULL ? "" : text);
}

/* "Code: Message" is how an error looks until Hello was answered. */
static enum ipl_client_status refuse(struct ipl_client_answer *answer, struct ipl_client_error *err)
{
	const char *text = ipl_client_answer_text(answer, "");
	const char *colon = text == NULL ? NULL : strstr(text, ": ");
	int64_t status = 0;

	*err = (struct ipl_client_error){ .status = IPL_CLIENT_REFUSED };
	if (text != NULL) {
		copy_text(err->text, sizeof(err->text), colon == NULL ? text : colon + 2);
		if (colon != NULL && (size_t)(colon - text) < sizeof(err->code))
			memcpy(err->code, text, (size_t)(colon - text));
		return IPL_CLIENT_REFUSED;
	}
	copy_text(err->code, sizeof(err->code), ipl_client_answer_text(answer, "Code"));
	copy_text(err->text, sizeof(err->text), ipl_client_answer_text(answer, "Message"));
	if (ipl_client_answer_int(answer, "HttpStatus", &status))
		err->http_status = (int)status;
	return IPL_CLIENT_REFUSED;
}

/* Take the answer that is the first @size bytes. */
static enum ipl_client_status take_answer(struct ipl_client *client, size_t size,
					  struct ipl_client_answer **answer,
					  struct ipl_client_error *err)
{
	struct ipl_str part[4];
	bool is_error;
	uint32_t msgid;

	if (ipl_client_owed(client) == 0 || !split(client->in.at, size, 4, 1, part) ||
	    !read_msgid(part[1], &msgid) || msgid != client->next_answer)
		return no_sense(client, err, "the server's answer");
	is_error = !ipl_str_is(part[2], "\xc0");
	*answer = ipl_client_answer_new(part[is_error ? 2 : 3].at, part[is_error ? 2 : 3].len);
	ipl_buf_consume(&client->in, size);
	client->next_answer++;
	if (*answer == NULL)
		return ipl_client_fail(err, IPL_CLIENT_NO_MEMORY, "out of memory for an answer");
	return is_error ? refuse(*answer, err) : IPL_CLIENT_OK;
}

/* Keep the notification that is the first @size bytes. */
static enum ipl_client_status keep_notice(struct ipl_client *client, size_t size,
					  struct ipl_client_error *err)
{
	struct ipl_str part[3];
	struct ipl_client_answer *notice, *name;

	if (!split(client->in.at, size, 3, 2, part) || part[2].len < 2 ||
	    (uint8_t)part[2].at[0] != 0x91)
		return no_sense(client, err, "the server's notification");
	if (client->notices_bytes + size > IPL_CLIENT_NOTICES_BYTES_MAX)
		return ipl_client_lose(client, err, "the server's answer",
				       "too many notifications came before it");
	notice = ipl_client_answer_new(part[2].at + 1, part[2].len - 1);
	name = ipl_client_answer_new(part[1].at, part[1].len);
	if (notice == NULL || name == NULL) {
		ipl_client_answer_free(notice);
		ipl_client_answer_free(name);
		return ipl_client_fail(err, IPL_CLIENT_NO_MEMORY,
				       "out of memory for a notification");
	}
	copy_text(notice->name, sizeof(notice->name), ipl_client_answer_text(name, ""));
	ipl_client_answer_free(name);
	ipl_buf_consume(&client->in, size);
	client->notices_bytes += notice->bytes.len;
	if (client->last_notice == NULL)
		client->first_notice = notice;
	else
		client->last_notice->next = notice;
	client->last_notice = notice;
	return IPL_CLIENT_OK;
}

static bool is_notice(const struct ipl_client *client, size_t size)
{
	return size > 1 && client->in.at[1] == 2;
}

/* --- answers --- */

enum ipl_client_status ipl_client_receive(struct ipl_client *client,
					  struct ipl_client_answer **answer,
					  struct ipl_client_error *err)
{
	int64_t deadline = ipl_client_deadline(client);
	enum ipl_client_status st = check_connected(client, err);

	*answer = NULL;
	if (st == IPL_CLIENT_OK && ipl_client_owed(client) == 0)
		st = ipl_client_fail(err, IPL_CLIENT_INVALID, "no answer is owed");
	if (st == IPL_CLIENT_OK)
		st = ipl_client_flush(client, deadline, err);
	while (st == IPL_CLIENT_OK) {
		size_t size = 0;
		st = look(client, &size, err);
		if (st != IPL_CLIENT_OK)
			break;
		if (size == 0)
			st = ipl_client_read(client, deadline, err);
		else if (is_notice(client, size))
			st = keep_notice(client, size, err);
		else
			return take_answer(client, size, answer, err);
	}
	return st;
}

enum ipl_client_status ipl_client_call(struct ipl_client *client, const char *operation,
				       const void *params, size_t params_len,
				       struct ipl_client_answer **answer,
				       struct ipl_client_error *err)
{
	enum ipl_client_status st = check_connected(client, err);

	*answer = NULL;
	if (st == IPL_CLIENT_OK && ipl_client_owed(client) > 0)
		st = ipl_client_fail(err, IPL_CLIENT_INVALID,
				     "%zu answers are owed: take them first",
				     ipl_client_owed(client));
	if (st == IPL_CLIENT_OK)
		st = ipl_client_send(client, operation, params, params_len, err);
	return st == IPL_CLIENT_OK ? ipl_client_receive(client, answer, err) : st;
}

enum ipl_client_status ipl_client_call_words(struct ipl_client *client, const char *operation,
					     const char *const *words,
					     struct ipl_client_answer **answer,
					     struct ipl_client_error *err)
{
	const struct ipl_operation *known = ipl_operation_find(ipl_str_of(operation));
	struct ipl_value params = ipl_map();
	struct ipl_buf bytes = { 0 };
	struct ipl_arena arena;
	enum ipl_client_status st = IPL_CLIENT_OK;

	*answer = NULL;
	ipl_arena_init(&arena, ARENA_BYTES);
	for (size_t i = 0; words != NULL && words[i] != NULL && st == IPL_CLIENT_OK; i++) {
		if (!ipl_params_add_word(&arena, known, words[i], &params))
			st = ipl_client_fail(err, IPL_CLIENT_INVALID, "\"%s\" is no Name=value",
					     words[i]);
	}
	ipl_msgpack_write(&bytes, &params);
	if (st == IPL_CLIENT_OK && (arena.failed || bytes.failed))
		st = ipl_client_fail(err, IPL_CLIENT_NO_MEMORY, "out of memory for parameters");
	if (st == IPL_CLIENT_OK)
		st = ipl_client_call(client, operation, bytes.at, bytes.len, answer, err);
	ipl_buf_release(&bytes);
	ipl_arena_release(&arena);
	return st;
}

/* --- notifications --- */

static void pop_notice(struct ipl_client *client, const char **name,
		       struct ipl_client_answer **what)
{
	*what = client->first_notice;
	*name = (*what)->name;
	client->first_notice = (*what)->next;
	if (client->first_notice == NULL)
		client->last_notice = NULL;
	(*what)->next = NULL;
	client->notices_bytes -= (*what)->bytes.len;
}

/* Wait for more bytes, until the clock or a signal says no. */
static enum ipl_client_status wait_for_more(struct ipl_client *client, int wait_ms,
					    struct ipl_client_error *err)
{
	struct pollfd waits = { .fd = client->fd, .events = POLLIN };
	/* What TLS has read and not given yet does not show at the socket. */
	bool is_here = client->tls != NULL && ipl_tls_has_more(client->tls);
	int ready = is_here ? 1 : poll(&waits, 1, wait_ms);

	if (ready == 0 || (ready < 0 && errno == EINTR))
		return ipl_client_fail(err, IPL_CLIENT_NOTHING, "nothing was notified for now");
	if (ready < 0)
		return ipl_client_lose(client, err, "waiting for the server", strerror(errno));
	return ipl_client_read(client, ipl_client_deadline(client), err);
}

enum ipl_client_status ipl_client_notice(struct ipl_client *client, int wait_ms, const char **name,
					 struct ipl_client_answer **what,
					 struct ipl_client_error *err)
{
	enum ipl_client_status st = IPL_CLIENT_OK;

	*what = NULL;
	if (client->first_notice == NULL)
		st = check_connected(client, err);
	if (st == IPL_CLIENT_OK && ipl_client_owed(client) > 0)
		st = ipl_client_fail(err, IPL_CLIENT_INVALID,
				     "%zu answers are owed: take them first",
				     ipl_client_owed(client));
	while (st == IPL_CLIENT_OK && client->first_notice == NULL) {
		size_t size = 0;
		st = look(client, &size, err);
		if (st == IPL_CLIENT_OK && size > 0)
			st = keep_notice(client, size, err);
		else if (st == IPL_CLIENT_OK)
			st = wait_for_more(client, wait_ms, err);
	}
	if (st == IPL_CLIENT_OK)
		pop_notice(client, name, what);
	return st;
}
