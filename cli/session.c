/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the client library as value trees, and reading without a server. */
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/client/ipledger-client.h"
#include "events/msgpack.h"
#include "server/engine.h"

struct ipl_session {
	struct ipl_client *client; /* NULL: no server */
	struct ipl_engine *engine; /* NULL: a server */
	struct ipl_buf request;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum ipl_code code_of(const char *text)
{
	for (int code = 1; code < IPL_CODE_COUNT; code++) {
		if (strcmp(text, ipl_code_text((enum ipl_code)code)) == 0)
			return (enum ipl_code)code;
	}
	return IPL_CODE_INTERNAL_ERROR;
}

static enum ipl_status translate(const struct ipl_client_error *from, struct ipl_error *err)
{
	switch (from->status) {
	case IPL_CLIENT_OK:
		return IPL_OK;
	case IPL_CLIENT_REFUSED:
		return ipl_refuse(err, code_of(from->code), "%s", from->text);
	case IPL_CLIENT_NOTHING:
		return ipl_error_set(err, IPL_ERR_END, "%s", from->text);
	case IPL_CLIENT_NO_MEMORY:
		return ipl_error_set(err, IPL_ERR_NOMEM, "%s", from->text);
	case IPL_CLIENT_UNREACHABLE:
	case IPL_CLIENT_LOST:
	case IPL_CLIENT_INVALID:
		return ipl_error_set(err, IPL_ERR_IO, "%s", from->text);
	}
	return ipl_error_set(err, IPL_ERR_IO, "%s", from->text);
}

/* --- opening --- */

static enum ipl_status connect_client(struct ipl_session *session, const char *address,
				      enum ipl_client_status *how, struct ipl_error *err)
{
	struct ipl_client_error wrong;

	session->client = ipl_client_new();
	if (session->client == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a client");
	*how = ipl_client_use_environment(session->client, &wrong);
	if (*how == IPL_CLIENT_OK)
		*how = ipl_client_connect(session->client, address, &wrong);
	return *how == IPL_CLIENT_OK ? IPL_OK : translate(&wrong, err);
}

static enum ipl_status reach(struct ipl_session *session, const char *data, const char *server,
			     struct ipl_error *err)
{
	enum ipl_client_status how = IPL_CLIENT_OK;
	char own[4200];
	enum ipl_status st;

	if (server != NULL)
		return connect_client(session, server, &how, err);
	(void)snprintf(own, sizeof(own), "unix:%s/ipledger.sock", data);
	st = connect_client(session, own, &how, err);
	if (how != IPL_CLIENT_UNREACHABLE)
		return st;
	ipl_client_free(session->client);
	session->client = NULL;
	return ipl_engine_open(data, IPL_ENGINE_READ, NULL, now_ms(), &session->engine, err);
}

enum ipl_status ipl_session_open(const char *data, const char *server, struct ipl_session **out,
				 struct ipl_error *err)
{
	struct ipl_session *session = calloc(1, sizeof(*session));
	enum ipl_status st;

	if (session == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a session");
	st = reach(session, data, server, err);
	if (st != IPL_OK) {
		ipl_session_close(session);
		return st;
	}
	*out = session;
	return IPL_OK;
}

void ipl_session_close(struct ipl_session *session)
{
	if (session == NULL)
		return;
	ipl_client_free(session->client);
	ipl_engine_close(session->engine);
	ipl_buf_release(&session->request);
	free(session);
}

/* --- asking a server --- */

static enum ipl_status parse(const struct ipl_client_answer *answer, struct ipl_arena *arena,
			     struct ipl_value *out, struct ipl_error *err)
{
	size_t len;
	const void *bytes = ipl_client_answer_bytes(answer, &len);

	return ipl_msgpack_parse(arena, bytes, len, out, err);
}

/* The facts of a refusal go beside its code. */
static void take_detail(const struct ipl_client_answer *answer, struct ipl_error *err)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	const struct ipl_value *detail;
	struct ipl_value error;

	if (err->arena == NULL || parse(answer, err->arena, &error, &unused) != IPL_OK)
		return;
	detail = ipl_map_get(&error, "Detail");
	for (uint32_t i = 0; detail != NULL && i < detail->count; i++) {
		struct ipl_str name = ipl_arena_str(err->arena, detail->member[i].key);
		ipl_error_add(err, name.at, detail->member[i].value);
	}
}

enum ipl_status ipl_session_send(struct ipl_session *session, struct ipl_str operation,
				 const struct ipl_value *params, struct ipl_error *err)
{
	struct ipl_client_error wrong;
	char name[256];

	if (session->client == NULL)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%.*s needs a running server: start one with ipledger serve",
				     IPL_STR_ARG(operation));
	(void)snprintf(name, sizeof(name), "%.*s", IPL_STR_ARG(operation));
	session->request.len = 0;
	ipl_msgpack_write(&session->request, params);
	if (session->request.failed)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	if (ipl_client_send(session->client, name, session->request.at, session->request.len,
			    &wrong) != IPL_CLIENT_OK)
		return translate(&wrong, err);
	return IPL_OK;
}

enum ipl_status ipl_session_receive(struct ipl_session *session, struct ipl_arena *arena,
				    struct ipl_value *result, struct ipl_error *err)
{
	struct ipl_client_answer *answer;
	struct ipl_client_error wrong;
	enum ipl_client_status how = ipl_client_receive(session->client, &answer, &wrong);
	enum ipl_status st;

	if (how == IPL_CLIENT_OK) {
		st = parse(answer, arena, result, err);
	} else {
		st = translate(&wrong, err);
		if (how == IPL_CLIENT_REFUSED)
			take_detail(answer, err);
	}
	ipl_client_answer_free(answer);
	return st;
}

enum ipl_status ipl_session_notified(struct ipl_session *session, int wait_ms,
				     struct ipl_arena *arena, struct ipl_str *name,
				     struct ipl_value *what, struct ipl_error *err)
{
	struct ipl_client_answer *notice;
	struct ipl_client_error wrong;
	const char *called;
	enum ipl_status st;

	if (ipl_client_notice(session->client, wait_ms, &called, &notice, &wrong) != IPL_CLIENT_OK)
		return translate(&wrong, err);
	*name = ipl_arena_str(arena, ipl_str_of(called));
	st = parse(notice, arena, what, err);
	ipl_client_answer_free(notice);
	return st;
}

/* --- asking the directory --- */

static enum ipl_status call_engine(struct ipl_session *session, struct ipl_str operation,
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

	ipl_engine_call(session->engine, &call, arena, &answer);
	if (answer.status == IPL_OK) {
		*result = answer.result;
		return IPL_OK;
	}
	answer.err.arena = err->arena;
	*err = answer.err;
	return answer.status;
}

enum ipl_status ipl_session_call(struct ipl_session *session, struct ipl_str operation,
				 const struct ipl_value *params, struct ipl_arena *arena,
				 struct ipl_value *result, struct ipl_error *err)
{
	enum ipl_status st;

	if (session->engine != NULL)
		return call_engine(session, operation, params, arena, result, err);
	st = ipl_session_send(session, operation, params, err);
	return st == IPL_OK ? ipl_session_receive(session, arena, result, err) : st;
}
