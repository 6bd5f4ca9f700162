/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libevent answers by itself, where the bytes are no HTTP or too many, is a page
 * of HTML, which SDKs cannot read. libevent 2.1 has no hook for it: so we look at what
 * goes into a connection's output, and put the cloud's error document in its place.
 */
#include "server/http_internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <stdio.h>
#include <string.h>

#define PAGE_BYTES_MAX    1024u
#define STATUS_LINE_BYTES 32 /* of a success no more is looked at */
#define PAGE_BEGIN        "\r\n\r\n<HTML><HEAD>\n<TITLE>"
#define PAGE_END          "</BODY></HTML>\n"

/* Why libevent said @status. */
static void explain(int status, struct ipl_error *err)
{
	if (status == 413)
		ipl_refuse(err, IPL_CODE_REQUEST_TOO_LARGE,
			   "the body is longer than %d bytes, or its chunks are none",
			   IPL_HTTP_BODY_BYTES_MAX);
	else if (status == 501)
		ipl_refuse(err, IPL_CODE_HTTP_METHOD, "the API is called with GET or POST");
	else if (status >= 500)
		ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	else
		ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
			   "this is no HTTP/1.1 request, or its head is longer than %d bytes",
			   IPL_HTTP_HEAD_BYTES_MAX);
}

/* Sockets keep the beginning of their output frozen while they do not write. */
static bool empty(struct evbuffer *output, size_t len)
{
	bool done = evbuffer_drain(output, len) == 0;

	if (done)
		return true;
	evbuffer_unfreeze(output, 1);
	done = evbuffer_drain(output, len) == 0;
	evbuffer_freeze(output, 1);
	return done;
}

static void replace(struct ipl_server *server, struct evbuffer *output, size_t len, int status)
{
	struct ipl_http_reply reply = { .host = ipl_str_of(server->http_name) };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_buf body = { 0 };

	explain(status, &err);
	ipl_request_id_next(server, reply.request_id);
	status = ipl_http_write_error(&body, &reply, &err);
	if (!body.failed && empty(output, len))
		evbuffer_add_printf(output,
				    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nConnection: close\r\n"
				    "Content-Length: %zu\r\n\r\n%.*s",
				    status, status < 500 ? "Refused" : "Failed",
				    ipl_http_content_type(reply.format), body.len, (int)body.len,
				    (const char *)body.at);
	ipl_buf_release(&body);
}

/* Of "HTTP/1.1 400 …" the 4; versions are repeated to the client as it wrote them. */
static char status_class(const char *text, size_t len)
{
	const char *blank = memchr(text, ' ', len);

	return blank == NULL || blank + 1 == text + len ? '\0' : blank[1];
}

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *context)
{
	char text[PAGE_BYTES_MAX + 1];
	size_t len = evbuffer_get_length(output);
	ev_ssize_t begin;
	int status;

	if (info->n_added == 0 || len > PAGE_BYTES_MAX)
		return;
	begin = evbuffer_copyout(output, text, STATUS_LINE_BYTES); /* enough of a success */
	if (begin <= 0 || status_class(text, (size_t)begin) < '4' ||
	    evbuffer_copyout(output, text, len) != (ev_ssize_t)len)
		return;
	text[len] = '\0';
	if (sscanf(text, "HTTP/%*d.%*d %d ", &status) != 1 || status < 400 ||
	    strstr(text, PAGE_BEGIN) == NULL || len < sizeof(PAGE_END) ||
	    strcmp(text + len - (sizeof(PAGE_END) - 1), PAGE_END) != 0)
		return;
	replace(context, output, len, status);
}

struct bufferevent *ipl_http_bufferevent(struct event_base *base, void *context)
{
	struct ipl_server *server = context;
	struct bufferevent *bev = server->tls != NULL ? ipl_tls_bufferevent(server->tls, base) :
							bufferevent_socket_new(base, -1, 0);

	if (bev != NULL && evbuffer_add_cb(bufferevent_get_output(bev), on_output, context) == NULL)
		ipl_log(IPL_LOG_WARN, "out of memory: a connection answers errors as HTML");
	ipl_http_limit_accepted(server);
	return bev;
}
