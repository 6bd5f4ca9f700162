/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP listener, and which request goes where. */
#include "server/http.h"

#include <event2/buffer.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything of a request may travel in its first line: a user data of 16 KB makes 21 KB. */
#define HEAD_BYTES_MAX ((ev_ssize_t)128 << 10)
#define BODY_BYTES_MAX ((ev_ssize_t)1 << 20)
#define IDLE_S         75 /* a client that keeps a connection does not repeat on a closing one */

/* The pages beside the API. */
static const struct ipl_http_page pages[] = {
	{ "/healthz", ipl_page_healthz },
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

void ipl_http_refuse(struct ipl_server *server, struct evhttp_request *req,
		     const struct ipl_error *err)
{
	uint8_t id[IPL_REQUEST_ID_BYTES];
	char uuid[IPL_UUID_TEXT_MAX], text[1024];
	int len;

	ipl_request_id_next(server, id);
	ipl_uuid_format(id, uuid);
	len = snprintf(text, sizeof(text),
		       "{\"RequestId\":\"%s\",\"HostId\":\"ipledger\",\"Code\":\"%s\","
		       "\"Message\":\"%s\",\"Recommend\":\"\"}",
		       uuid, ipl_code_text(err->code), err->text);
	ipl_http_send(req, ipl_code_http_status(err->code), "application/json", text, (size_t)len);
}

void ipl_page_healthz(struct ipl_server *server, struct evhttp_request *req)
{
	static const char ok[] = "ok\n", damaged[] = "the log is damaged\n";

	if (server->is_damaged)
		ipl_http_send(req, 503, "text/plain", damaged, sizeof(damaged) - 1);
	else
		ipl_http_send(req, 200, "text/plain", ok, sizeof(ok) - 1);
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

static void on_request(struct evhttp_request *req, void *context)
{
	struct ipl_server *server = context;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const struct ipl_http_page *page =
		find_page(evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req)));

	if (ipl_http_guard(server, req, &err) != IPL_OK) {
		ipl_http_refuse(server, req, &err);
	} else if (page == NULL) {
		ipl_refuse(&err, IPL_CODE_UNKNOWN_OPERATION,
			   "this version answers GET /healthz here, and everything else at the "
			   "native door");
		ipl_http_refuse(server, req, &err);
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		ipl_refuse(&err, IPL_CODE_HTTP_METHOD, "%s is read with GET", page->path);
		ipl_http_refuse(server, req, &err);
	} else {
		page->serve(server, req);
	}
}

/* --- life --- */

static struct bufferevent *make_tls(struct event_base *base, void *context)
{
	const struct ipl_server *server = context;

	return ipl_tls_bufferevent(server->tls, base);
}

static enum ipl_status bind_address(struct ipl_server *server, const char *address,
				    struct ipl_error *err)
{
	char host[128], port[8];
	struct evhttp_bound_socket *bound;
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	enum ipl_status st;

	if (!ipl_host_port(address, host, port))
		return ipl_error_set(err, IPL_ERR_IO, "--http %s is neither HOST:PORT nor none",
				     address);
	bound = evhttp_bind_socket_with_handle(server->http, host,
					       (ev_uint16_t)strtoul(port, NULL, 10));
	if (bound == NULL ||
	    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "--http %s: %s (--http none does without)",
				     address, strerror(errno));
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
	server->http = evhttp_new(server->base);
	if (server->http == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the HTTP listener");
	evhttp_set_max_headers_size(server->http, HEAD_BYTES_MAX);
	evhttp_set_max_body_size(server->http, BODY_BYTES_MAX);
	evhttp_set_timeout(server->http, IDLE_S);
	evhttp_set_allowed_methods(server->http, 0xffff); /* refused here, as JSON */
	evhttp_set_gencb(server->http, on_request, server);
	if (server->tls != NULL)
		evhttp_set_bevcb(server->http, make_tls, server);
	return bind_address(server, address, err);
}
