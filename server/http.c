/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP listener: GET /healthz. Everything else is refused as JSON. */
#include "server/serve_internal.h"

#include <sodium/randombytes.h>

#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void send_text(struct evhttp_request *req, int status, const char *type, const char *text)
{
	struct evbuffer *body = evbuffer_new();

	if (body == NULL) {
		evhttp_send_error(req, 503, NULL);
		return;
	}
	evbuffer_add(body, text, strlen(text));
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", type);
	evhttp_send_reply(req, status, NULL, body);
	evbuffer_free(body);
}

static void send_refusal(struct evhttp_request *req, int status, const char *code,
			 const char *message)
{
	uint8_t id[IPL_REQUEST_ID_BYTES];
	char uuid[IPL_UUID_TEXT_MAX], text[512];

	randombytes_buf(id, sizeof(id));
	ipl_uuid_format(id, uuid);
	(void)snprintf(text, sizeof(text),
		       "{\"RequestId\":\"%s\",\"HostId\":\"ipledger\",\"Code\":\"%s\","
		       "\"Message\":\"%s\",\"Recommend\":\"\"}",
		       uuid, code, message);
	send_text(req, status, "application/json", text);
}

/* A name that is not ours is a web page's trick to reach a local server (DNS rebinding). */
static bool is_own_host(struct evhttp_request *req)
{
	const char *host = evhttp_request_get_host(req);

	return host == NULL || strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
	       strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

static void on_request(struct evhttp_request *req, void *context)
{
	struct ipl_server *server = context;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));

	if (!is_own_host(req))
		send_refusal(req, 403, "Forbidden.RAM", "the Host header names another host");
	else if (path == NULL || strcmp(path, "/healthz") != 0)
		send_refusal(req, 404, "UnknownOperation",
			     "this version answers GET /healthz here, and everything else at the "
			     "native door");
	else if (evhttp_request_get_command(req) != EVHTTP_REQ_GET)
		send_refusal(req, 405, "UnsupportedHTTPMethod", "use GET");
	else if (server->is_damaged)
		send_text(req, 503, "text/plain", "the log is damaged\n");
	else
		send_text(req, 200, "text/plain", "ok\n");
}

enum ipl_status ipl_http_open(struct ipl_server *server, const char *address, struct ipl_error *err)
{
	char host[128], port[8], name[64];
	struct evhttp_bound_socket *bound;
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (strcmp(address, "none") == 0) {
		strncpy(server->http_name, "none", sizeof(server->http_name) - 1);
		return IPL_OK;
	}
	if (!ipl_host_port(address, host, port))
		return ipl_error_set(err, IPL_ERR_IO, "--http %s is neither HOST:PORT nor none",
				     address);
	server->http = evhttp_new(server->base);
	if (server->http == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the HTTP listener");
	evhttp_set_max_body_size(server->http, 65536);
	evhttp_set_max_headers_size(server->http, 65536);
	evhttp_set_gencb(server->http, on_request, server);
	bound = evhttp_bind_socket_with_handle(server->http, host,
					       (ev_uint16_t)strtoul(port, NULL, 10));
	if (bound == NULL ||
	    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "--http %s: %s (--http none does without)",
				     address, strerror(errno));
	(void)snprintf(name, sizeof(name), "%u",
		       ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port :
							((struct sockaddr_in *)&at)->sin_port));
	(void)snprintf(server->http_name, sizeof(server->http_name),
		       strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, name);
	return IPL_OK;
}
