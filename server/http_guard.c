/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: no web page. A browser says in Host which name it believed, and in
 * Origin and Sec-Fetch-Site where the page came from; neither can be forged by
 * the page. So a name that is not ours, or another site's page, is refused
 * before the request is looked at, in every mode.
 */
#include "server/http.h"

#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* The host of "host:port", "[::1]:port", "host"; in lower case and without brackets. */
static bool split_host(const char *text, char out[256])
{
	const char *from = text, *end;
	size_t len;

	if (text[0] == '[') {
		from = text + 1;
		end = strchr(from, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		len = (size_t)(end - from);
	} else {
		len = strcspn(text, ":");
		end = text + len;
	}
	if (*end == ']')
		end++;
	if (*end == ':' && (end[1] == '\0' || end[1 + strspn(end + 1, "0123456789")] != '\0'))
		return false;
	if (len == 0 || len >= 256)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 32 : from[i]);
	out[len] = '\0';
	return true;
}

static bool is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;
	size_t len = strlen(host);

	if (strcmp(host, "localhost") == 0 ||
	    (len > 10 && strcmp(host + len - 10, ".localhost") == 0))
		return true; /* RFC 6761: never anywhere else */
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* The address of ours at which this connection came in: for a listener at every address. */
static bool is_local_end(struct evhttp_request *req, const char *host)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct sockaddr_storage at;
	socklen_t size = sizeof(at);
	char text[INET6_ADDRSTRLEN];
	const void *address = &((struct sockaddr_in *)&at)->sin_addr;

	if (evcon == NULL ||
	    getsockname(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)),
			(struct sockaddr *)&at, &size) != 0)
		return false;
	if (at.ss_family == AF_INET6)
		address = &((struct sockaddr_in6 *)&at)->sin6_addr;
	return inet_ntop(at.ss_family, address, text, sizeof(text)) != NULL &&
	       strcmp(text, host) == 0;
}

static bool is_own_host(const struct ipl_server *server, struct evhttp_request *req,
			const char *text)
{
	char host[256], own[256];

	if (!split_host(text, host))
		return false;
	if (is_loopback(host) || is_local_end(req, host))
		return true;
	for (size_t i = 0; i < server->http_host_count; i++) {
		if (strcasecmp(server->http_host[i], host) == 0)
			return true;
	}
	return split_host(server->http_name, own) && strcmp(own, host) == 0;
}

/* The one header @name; NULL where there is none, and where there are several. */
static const char *single(struct evhttp_request *req, const char *name, size_t *count)
{
	const char *found = NULL;
	struct evkeyval *header;

	*count = 0;
	for (header = evhttp_request_get_input_headers(req)->tqh_first; header != NULL;
	     header = header->next.tqe_next) {
		if (strcasecmp(header->key, name) == 0) {
			found = header->value;
			(*count)++;
		}
	}
	return *count == 1 ? found : NULL;
}

/* "http://HOST", with exactly the host and port that the request names. */
static bool is_same_origin(const char *origin, const char *host)
{
	const char *rest = strstr(origin, "://");

	return rest != NULL &&
	       (strncmp(origin, "http://", 7) == 0 || strncmp(origin, "https://", 8) == 0) &&
	       host != NULL && strcasecmp(rest + 3, host) == 0;
}

static enum ipl_status check_page(struct evhttp_request *req, const char *host,
				  struct ipl_error *err)
{
	size_t count;
	const char *origin = single(req, "Origin", &count);
	const char *site;

	if (count > 0 && (origin == NULL || !is_same_origin(origin, host)))
		return ipl_refuse(err, IPL_CODE_FORBIDDEN,
				  "the Origin header names another site: web pages may not call");
	site = single(req, "Sec-Fetch-Site", &count);
	if (count > 0 &&
	    (site == NULL || (strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)))
		return ipl_refuse(err, IPL_CODE_FORBIDDEN,
				  "a page of another site sent this: web pages may not call");
	return IPL_OK;
}

enum ipl_status ipl_http_guard(const struct ipl_server *server, struct evhttp_request *req,
			       struct ipl_error *err)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *named = uri == NULL ? NULL : evhttp_uri_get_host(uri);
	size_t count;
	const char *host = single(req, "Host", &count);

	if (count > 1)
		return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST, "there are %zu Host headers",
				  count);
	if ((host != NULL && !is_own_host(server, req, host)) ||
	    (named != NULL && named[0] != '\0' && !is_own_host(server, req, named)))
		return ipl_refuse(err, IPL_CODE_FORBIDDEN,
				  "the Host header names another host: this is %s "
				  "(serve --http-host NAME lets a name in)",
				  server->http_name);
	return check_page(req, host, err);
}
