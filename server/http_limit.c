/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections the HTTP door has. evhttp tells when one comes and not when one
 * goes, so they are counted anew (by looking at our descriptors) whenever as many have
 * come as there may be. Where there are too many, nobody is let in for a while.
 */
#include "server/http_internal.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#define PAUSE_MS 200

static uint16_t port_of(int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return 0;
	if (at.ss_family == AF_INET)
		return ((struct sockaddr_in *)&at)->sin_port;
	return at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port : 0;
}

/* Those that have a peer; too many where we cannot look (no descriptor is left for it). */
static uint32_t count(uint16_t port)
{
	struct sockaddr_storage peer;
	struct dirent *entry;
	uint32_t found = 0;
	DIR *dir = opendir("/proc/self/fd");

	if (dir == NULL)
		return IPL_HTTP_CONNS_MAX;
	while ((entry = readdir(dir)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		socklen_t len = sizeof(peer);
		if (entry->d_name[0] != '.' && port_of(fd) == port &&
		    getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
			found++;
	}
	closedir(dir);
	return found;
}

static void look(struct ipl_server *server)
{
	struct evconnlistener *listener = evhttp_bound_socket_get_listener(server->http_bound);
	const struct timeval soon = { .tv_usec = PAUSE_MS * 1000 };

	server->http_conns = count(port_of(evhttp_bound_socket_get_fd(server->http_bound)));
	if (server->http_conns < IPL_HTTP_CONNS_MAX) {
		if (evconnlistener_enable(listener) != 0)
			ipl_log(IPL_LOG_ERROR, "the HTTP listener cannot go on");
	} else if (event_add(server->http_pause, &soon) == 0) { /* else it is not stopped */
		evconnlistener_disable(listener);
	}
}

static void on_pause_over(evutil_socket_t fd, short what, void *context)
{
	struct ipl_server *server = context;

	(void)fd;
	(void)what;
	if (server->http_bound != NULL)
		look(server);
}

enum ipl_status ipl_http_limit_open(struct ipl_server *server, struct ipl_error *err)
{
	server->http_pause = evtimer_new(server->base, on_pause_over, server);
	if (server->http_pause == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the HTTP listener");
	return IPL_OK;
}

void ipl_http_limit_close(struct ipl_server *server)
{
	if (server->http_pause != NULL)
		event_free(server->http_pause);
	server->http_pause = NULL;
}

void ipl_http_limit_accepted(struct ipl_server *server)
{
	if (++server->http_conns >= IPL_HTTP_CONNS_MAX && server->http_bound != NULL)
		look(server);
}
