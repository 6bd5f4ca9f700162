/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of the API over HTTP, from its request to its answer. An answer leaves when
 * the disk has what it tells of. The client may be gone by then: evhttp keeps the
 * request for us, and what is sent goes nowhere.
 */
#include "server/http_internal.h"

#include <event2/buffer.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- life --- */

static void unlink_call(struct ipl_http_call *call)
{
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		call->server->http_calls = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	call->server->deferred_count -= call->is_deferred;
	ipl_engine_forget(call->job);
}

/* The one place where a call ends: its request is answered with what is in the body. */
static void end_call(struct ipl_http_call *call)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(call->req);
	char text[32];

	if (call->caller.retry_after_ms > 0) {
		(void)snprintf(text, sizeof(text), "%" PRId64, call->caller.retry_after_ms);
		/* A hint: without it the client waits as it likes. */
		(void)evhttp_add_header(headers, "x-acs-retry-after", text);
	}
	ipl_http_reply(call->server, call->req, call->status,
		       ipl_http_content_type(call->reply.format), call->body.at, call->body.len);
	unlink_call(call);
	ipl_buf_release(&call->body);
	free(call);
}

/* --- answers --- */

/* What is written now, whatever was before. */
static void set_error(struct ipl_http_call *call, const struct ipl_error *err)
{
	call->body.len = 0;
	call->body.failed = false;
	call->status = ipl_http_write_error(&call->body, &call->reply, err);
}

static void finish_answer(struct ipl_http_call *call, const struct ipl_answer *answer)
{
	call->wait_seq = answer->wait_seq;
	call->status = ipl_http_write_answer(&call->body, &call->reply, answer);
	if (call->wait_seq <= ipl_engine_durable_seq(call->server->engine))
		end_call(call);
}

void ipl_http_call_abort(struct ipl_http_call *call, const struct ipl_error *why)
{
	set_error(call, why);
	end_call(call);
}

void ipl_http_release(struct ipl_server *server, uint64_t durable_seq,
		      const struct ipl_error *failed)
{
	for (struct ipl_http_call *call = server->http_calls, *next; call != NULL; call = next) {
		next = call->next;
		if (call->is_deferred)
			continue;
		if (call->wait_seq > durable_seq && failed == NULL)
			continue;
		if (call->wait_seq > durable_seq)
			set_error(call, failed);
		end_call(call);
	}
}

/* --- the call --- */

static void remember_host(struct ipl_http_call *call, const struct ipl_signed *req)
{
	struct ipl_str host = ipl_header_find(req, "Host");
	const char *colon;

	if (host.len == 0 || host.len >= sizeof(call->host))
		host = ipl_str_of(call->server->http_name);
	memcpy(call->host, host.at, host.len);
	call->host[host.len] = '\0';
	colon = strrchr(call->host, ':'); /* of [::1]:80 the last, and of [::1] none behind ] */
	call->reply.host = ipl_str_of(call->host);
	if (colon != NULL && strchr(colon, ']') == NULL)
		call->reply.host.len = (size_t)(colon - call->host);
}

/* What is to be done: an operation, its parameters, a page. */
struct order {
	const struct ipl_operation *operation;
	struct ipl_value params;
	struct ipl_page page;
};

static enum ipl_status prepare(struct ipl_http_call *call, struct ipl_arena *arena,
			       struct order *order, struct ipl_error *err)
{
	struct ipl_http_request req;
	struct ipl_signature sig;
	struct ipl_pairs both;
	enum ipl_status st = ipl_http_take(call->req, arena, &req, err);

	call->reply.format = req.format;
	remember_host(call, &req.is);
	if (st == IPL_OK)
		st = ipl_signature_read(&req.is, arena, &sig, err);
	if (st == IPL_OK && !call->is_admitted) {
		st = ipl_http_admit(call->server, call->req, &req, &sig, &call->caller, err);
		call->is_admitted = st == IPL_OK;
	}
	if (st == IPL_OK)
		st = ipl_http_find_api(sig.action, sig.version, &order->operation, err);
	if (st != IPL_OK)
		return st;
	(void)snprintf(call->action, sizeof(call->action), "%s", order->operation->name);
	call->reply.action = ipl_str_of(call->action);
	st = ipl_pairs_join(arena, &req.is.query, &req.is.form, &both, err);
	if (st == IPL_OK)
		st = ipl_params_tree(order->operation, &both, arena, &order->params, err);
	if (st == IPL_OK)
		st = ipl_http_page(order->operation, &both, arena, &order->params, &order->page,
				   err);
	return st;
}

static void execute(struct ipl_http_call *call)
{
	struct ipl_server *server = call->server;
	struct ipl_arena *arena = &server->arena;
	struct ipl_answer answer = { .err = IPL_ERROR_INIT(arena) };
	struct order order = { .operation = NULL };

	ipl_arena_reset(arena);
	answer.status = prepare(call, arena, &order, &answer.err);
	if (answer.status == IPL_OK && server->is_damaged) {
		ipl_engine_forget(call->job);
		call->job = NULL;
		answer.status = server->damage.status;
		answer.err = server->damage;
	} else if (answer.status == IPL_OK) {
		struct ipl_call as = {
			.operation = ipl_str_of(order.operation->name),
			.params = &order.params,
			.page = order.page,
			.principal = ipl_str_of(call->caller.principal),
			.access = call->caller.access,
			.now_ms = ipl_now_ms(),
			.job = &call->job,
		};
		memcpy(as.request_id, call->reply.request_id, sizeof(as.request_id));
		ipl_engine_call(server->engine, &as, arena, &answer);
	}
	if (answer.is_deferred) {
		call->is_deferred = true;
		server->deferred_count++;
		return;
	}
	finish_answer(call, &answer);
}

void ipl_http_call_begin(struct ipl_server *server, struct evhttp_request *req)
{
	struct ipl_http_call *call = calloc(1, sizeof(*call));
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	if (call == NULL) {
		ipl_error_set(&err, IPL_ERR_NOMEM, "out of memory for a request");
		ipl_http_refuse(server, req, &err);
		return;
	}
	call->server = server;
	call->req = req;
	ipl_request_id_next(server, call->reply.request_id);
	call->next = server->http_calls;
	if (call->next != NULL)
		call->next->prev = call;
	server->http_calls = call;
	execute(call);
}

void ipl_http_retry_done(struct ipl_server *server)
{
	for (struct ipl_http_call *call = server->http_calls, *next; call != NULL; call = next) {
		next = call->next;
		if (!call->is_deferred || !ipl_engine_is_done(call->job))
			continue;
		call->is_deferred = false;
		server->deferred_count--;
		execute(call);
	}
}
