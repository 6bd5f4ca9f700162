/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP listener, and which request goes where. */
#include "server/http_internal.h"

#include <event2/buffer.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_S 75 /* a client that keeps a connection does not repeat on a closing one */

/* The pages beside the API. */
static const struct ipl_http_page pages[] = {
	{ "/healthz", ipl_page_healthz },
	{ "/metrics", ipl_page_metrics },
	{ "/events", ipl_page_events },
};

/* --- answers --- */

void ipl_http_send(struct evhttp_request *req, int status, const char *type, const void *bytes,
		   size_t len)
{
	struct evbuffer *body = evbuffer_new();

	if (body == NULL || evbuffer_add(body, bytes, len) != 0 ||
	    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", type) != 0)
		evhttp_send_error(req, 503, NULL); /* out of memory: at least an end */
	else
		evhttp_send_reply(req, status, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void on_sent(struct evhttp_request *req, void *context)
{
	struct ipl_server *server = context;

	server->http_sending--;
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
}

static void on_lost(struct evhttp_connection *evcon, void *context)
{
	struct ipl_server *server = context;

	(void)evcon;
	server->http_sending--;
}

/* Of an answer that is on its way one of on_sent() and on_lost() tells. */
void ipl_http_sending(struct ipl_server *server, struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);

	if (evcon == NULL)
		return; /* the client has gone */
	server->http_sending++;
	evhttp_request_set_on_complete_cb(req, on_sent, server);
	evhttp_connection_set_closecb(evcon, on_lost, server);
}

void ipl_http_reply(struct ipl_server *server, struct evhttp_request *req, int status,
		    const char *type, const void *bytes, size_t len)
{
	if (server->is_stopping)
		(void)evhttp_add_header(evhttp_request_get_output_headers(req), "Connection",
					"close");
	ipl_http_sending(server, req);
	ipl_http_send(req, status, type, bytes, len);
}

void ipl_http_refuse(struct ipl_server *server, struct evhttp_request *req,
		     const struct ipl_error *err)
{
	struct ipl_http_reply reply = { .format = IPL_HTTP_JSON,
					.host = ipl_str_of(server->http_name) };
	struct ipl_buf body = { 0 };
	int status;

	ipl_request_id_next(server, reply.request_id);
	status = ipl_http_write_error(&body, &reply, err);
	ipl_http_reply(server, req, status, ipl_http_content_type(reply.format), body.at, body.len);
	ipl_buf_release(&body);
}

/* --- which request goes where --- */

static const struct ipl_http_page *find_page(const char *path)
{
	for (size_t i = 0; path != NULL && i < IPL_ARRAY_SIZE(pages); i++) {
		if (strcmp(path, pages[i].path) == 0)
			return &pages[i];
	}
	return NULL;
}

/* "/", and what some clients make of it: "//", or nothing behind the host. */
static bool is_api(const char *path)
{
	return path == NULL || path[strspn(path, "/")] == '\0';
}

static void on_request(struct evhttp_request *req, void *context)
{
	struct ipl_server *server = context;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
	const struct ipl_http_page *page = find_page(path);

	if (ipl_http_guard(server, req, &err) != IPL_OK) {
		ipl_http_refuse(server, req, &err);
	} else if (is_api(path)) {
		ipl_http_call_begin(server, req);
	} else if (page == NULL) {
		ipl_refuse(&err, IPL_CODE_API_NOT_FOUND, "there is no such path: the API is at /");
		ipl_http_refuse(server, req, &err);
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		ipl_refuse(&err, IPL_CODE_HTTP_METHOD, "%s is read with GET", page->path);
		ipl_http_refuse(server, req, &err);
	} else {
		page->serve(server, req);
	}
}

/* --- life --- */

static enum ipl_status bind_address(struct ipl_server *server, const char *address,
				    struct ipl_error *err)
{
	char host[128], port[8];
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	enum ipl_status st;

	if (!ipl_host_port(address, host, port))
		return ipl_error_set(err, IPL_ERR_IO, "--http %s is neither HOST:PORT nor none",
				     address);
	server->http_bound = evhttp_bind_socket_with_handle(server->http, host,
							    (ev_uint16_t)strtoul(port, NULL, 10));
	if (server->http_bound == NULL ||
	    getsockname(evhttp_bound_socket_get_fd(server->http_bound), (struct sockaddr *)&at,
			&len) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "--http %s: %s (--http none does without)",
				     address, strerror(errno));
	ipl_listen_http(server->http_bound);
	st = ipl_admit_listener(server, address, (const struct sockaddr *)&at, err);
	if (st != IPL_OK)
		return st;
	(void)snprintf(server->http_name, sizeof(server->http_name),
		       strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
		       ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port :
							((struct sockaddr_in *)&at)->sin_port));
	return IPL_OK;
}

enum ipl_status ipl_http_open(struct ipl_server *server, const char *address, struct ipl_error *err)
{
	if (strcmp(address, "none") == 0) {
		strncpy(server->http_name, "none", sizeof(server->http_name) - 1);
		return IPL_OK;
	}
	if (ipl_http_limit_open(server, err) != IPL_OK)
		return err->status;
	server->http = evhttp_new(server->base);
	if (server->http == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the HTTP listener");
	evhttp_set_max_headers_size(server->http, IPL_HTTP_HEAD_BYTES_MAX);
	evhttp_set_max_body_size(server->http, IPL_HTTP_BODY_BYTES_MAX);
	evhttp_set_timeout(server->http, IDLE_S);
	/* Refused by us, in words; a CONNECT makes a tunnel of what follows. */
	evhttp_set_allowed_methods(server->http, 0xffff & ~EVHTTP_REQ_CONNECT);
	evhttp_set_bevcb(server->http, ipl_http_bufferevent, server);
	evhttp_set_gencb(server->http, on_request, server);
	return bind_address(server, address, err);
}

void ipl_http_finish(struct ipl_server *server)
{
	if (server->http_bound != NULL)
		evhttp_del_accept_socket(server->http, server->http_bound);
	server->http_bound = NULL;
}

void ipl_http_close(struct ipl_server *server)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	ipl_http_limit_close(server);
	if (server->http == NULL)
		return;
	ipl_error_set(&err, IPL_ERR_IO, "the server is stopping");
	while (server->http_calls != NULL) /* their requests are ours to give back */
		ipl_http_call_abort(server->http_calls, &err);
	evhttp_free(server->http);
	server->http = NULL;
}
