/* SPDX-License-Identifier: Apache-2.0 */
/* Where connections come from: Unix sockets and TCP. */
#include "server/serve_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define BACKLOG 1024

/* --- accepting --- */

/* The Unix socket is for the server's own user and root. */
static bool admit_unix(int fd, char principal[64], uint64_t *number)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	(void)snprintf(principal, 64, "uid:%lu", (unsigned long)peer.uid);
	*number = UINT64_C(1) << 63 | peer.uid; /* no address is that */
	return peer.uid == 0 || peer.uid == geteuid();
}

/* Descriptors are given out from the lowest one on: a high one says how few are left. */
static bool has_room(const struct ipl_server *server, const struct ipl_caller *caller, int fd)
{
	return server->conn_count < IPL_CONNS_MAX && fd < server->files_max - IPL_FILES_KEPT &&
	       (!caller->is_stranger || server->stranger_count < IPL_STRANGERS_MAX);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
		      int len, void *context)
{
	struct ipl_listener *from = context;
	char principal[64] = "key:any";
	struct ipl_caller caller = { .principal = principal, .is_tcp = !from->is_unix };
	const int one = 1;

	(void)listener;
	(void)len;
	if (caller.is_tcp) {
		caller.peer = ipl_auth_peer(peer);
		caller.is_stranger = !from->server->any_key;
		caller.tls = from->server->tls;
	}
	if ((from->is_unix && !admit_unix(fd, principal, &caller.peer)) ||
	    !has_room(from->server, &caller, fd)) {
		ipl_log_often(IPL_LOG_WARN, &from->refusals, "%s: a connection of %s is refused",
			      from->name, from->is_unix ? principal : "a stranger");
		from->server->counts.turned_away[caller.is_tcp]++;
		close(fd);
		return;
	}
	from->server->counts.accepted[caller.is_tcp]++;
	if (caller.is_tcp) /* small answers leave at once */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	ipl_conn_open(from->server, fd, &caller);
}

/*
 * Out of descriptors: the listener stays ready to accept, so to try on would spin. The heart
 * beat lets it go on, a second later at most.
 */
static void stop_accepting(struct evconnlistener *listener, const char *name)
{
	ipl_log(IPL_LOG_WARN, "%s: no descriptor for a connection: %s; trying again in a second",
		name, strerror(errno));
	(void)evconnlistener_disable(listener);
}

static void on_accept_error(struct evconnlistener *listener, void *context)
{
	struct ipl_listener *from = context;

	from->server->counts.accept_errors++;
	stop_accepting(listener, from->name);
}

/* Of the HTTP door, whose context is evhttp's own. */
static void on_http_accept_error(struct evconnlistener *listener, void *context)
{
	(void)context;
	stop_accepting(listener, "http");
}

void ipl_listen_http(struct evhttp_bound_socket *bound)
{
	evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound), on_http_accept_error);
}

void ipl_listeners_beat(struct ipl_server *server)
{
	for (size_t i = 0; i < server->listener_count; i++)
		(void)evconnlistener_enable(server->listener[i].listener);
	if (server->http_bound != NULL && !evtimer_pending(server->http_pause, NULL))
		(void)evconnlistener_enable(evhttp_bound_socket_get_listener(server->http_bound));
}

static enum ipl_status watch(struct ipl_server *server, struct ipl_listener *to, int fd,
			     struct ipl_error *err)
{
	to->server = server;
	to->listener =
		evconnlistener_new(server->base, on_accept, to,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
	if (to->listener == NULL) {
		close(fd);
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", to->name, strerror(errno));
	}
	evconnlistener_set_error_cb(to->listener, on_accept_error);
	server->listener_count++;
	return IPL_OK;
}

/* --- Unix --- */

/* A socket that nobody listens at any more is removed; one in use is not. */
static enum ipl_status clear_path(const struct sockaddr_un *address, struct ipl_error *err)
{
	struct stat file;
	int fd;
	bool in_use;

	if (lstat(address->sun_path, &file) != 0)
		return IPL_OK;
	if (!S_ISSOCK(file.st_mode))
		return ipl_error_set(err, IPL_ERR_IO, "%s exists and is no socket",
				     address->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	in_use = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
	if (fd >= 0)
		close(fd);
	if (in_use)
		return ipl_error_set(err, IPL_ERR_BUSY, "somebody listens at %s already",
				     address->sun_path);
	if (unlink(address->sun_path) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", address->sun_path, strerror(errno));
	return IPL_OK;
}

static enum ipl_status listen_unix(struct ipl_server *server, const char *path,
				   struct ipl_error *err)
{
	struct ipl_listener *to = &server->listener[server->listener_count];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	enum ipl_status st;
	mode_t mask;
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s: the path of a Unix socket has up to %zu bytes: name "
				     "another with --rpc unix:PATH",
				     path, sizeof(address.sun_path) - 1);
	(void)snprintf(to->name, sizeof(to->name), "unix:%s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	st = clear_path(&address, err);
	if (st != IPL_OK)
		return st;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	mask = umask(0177); /* the socket is born with mode 0600 */
	rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (rc != 0) {
		st = ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
		close(fd);
		return st;
	}
	to->is_unix = true;
	memcpy(to->path, path, strlen(path) + 1);
	return watch(server, to, fd, err);
}

/* --- TCP --- */

bool ipl_host_port(const char *text, char host[128], char port[8])
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strtol(colon + 1, NULL, 10) > 65535)
		return false;
	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= 128)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	return true;
}

static void name_tcp(struct ipl_listener *to, int fd, const char *host)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	unsigned port = 0;

	if (getsockname(fd, (struct sockaddr *)&bound, &len) == 0)
		port = ntohs(bound.ss_family == AF_INET6 ?
				     ((struct sockaddr_in6 *)&bound)->sin6_port :
				     ((struct sockaddr_in *)&bound)->sin_port);
	(void)snprintf(to->name, sizeof(to->name), strchr(host, ':') ? "tcp:[%s]:%u" : "tcp:%s:%u",
		       host, port);
}

static int bind_tcp(const struct addrinfo *to)
{
	const int one = 1;
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, to->ai_addr, to->ai_addrlen) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static enum ipl_status listen_tcp(struct ipl_server *server, const char *text,
				  struct ipl_error *err)
{
	struct ipl_listener *to = &server->listener[server->listener_count];
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found;
	char host[128], port[8];
	enum ipl_status st;
	int fd, rc;

	if (!ipl_host_port(text, host, port))
		return ipl_error_set(err, IPL_ERR_IO, "tcp:%s is not tcp:HOST:PORT", text);
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc != 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", host, gai_strerror(rc));
	st = ipl_admit_listener(server, text, found->ai_addr, err);
	fd = st == IPL_OK ? bind_tcp(found) : -1;
	freeaddrinfo(found);
	if (st != IPL_OK)
		return st;
	if (fd < 0)
		return ipl_error_set(err, IPL_ERR_IO, "tcp:%s: %s", text, strerror(errno));
	name_tcp(to, fd, host);
	return watch(server, to, fd, err);
}

enum ipl_status ipl_listen(struct ipl_server *server, const char *address, struct ipl_error *err)
{
	if (server->listener_count == IPL_LISTENERS_MAX)
		return ipl_error_set(err, IPL_ERR_IO, "more than %d listeners", IPL_LISTENERS_MAX);
	if (strncmp(address, "unix:", 5) == 0)
		return listen_unix(server, address + 5, err);
	if (strncmp(address, "tcp:", 4) == 0)
		return listen_tcp(server, address + 4, err);
	return ipl_error_set(err, IPL_ERR_IO, "%s is neither unix:PATH nor tcp:HOST:PORT", address);
}

/* --- opened by systemd --- */

static enum ipl_status take_passed(struct ipl_server *server, int fd, struct ipl_error *err)
{
	struct ipl_listener *to = &server->listener[server->listener_count];
	struct sockaddr_storage at = { 0 };
	const struct sockaddr_un *path = (const struct sockaddr_un *)&at;
	socklen_t len = sizeof(at);
	char host[INET6_ADDRSTRLEN] = "";
	enum ipl_status st;

	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return ipl_error_set(
			err, IPL_ERR_IO,
			"systemd passed a descriptor (%d) that is no listening stream: "
			"use ListenStream=",
			fd);
	if (at.ss_family == AF_UNIX) {
		/* Its path stays when we end: it is not ours to remove. */
		(void)snprintf(to->name, sizeof(to->name), "unix:%s", path->sun_path);
		to->is_unix = true;
	} else {
		if (getnameinfo((const struct sockaddr *)&at, len, host, sizeof(host), NULL, 0,
				NI_NUMERICHOST) != 0)
			return ipl_error_set(
				err, IPL_ERR_IO,
				"systemd passed a socket (%d) that is neither Unix nor "
				"TCP",
				fd);
		name_tcp(to, fd, host);
		st = ipl_admit_listener(server, to->name + strlen("tcp:"),
					(const struct sockaddr *)&at, err);
		if (st != IPL_OK)
			return st;
	}
	if (evutil_make_socket_nonblocking(fd) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", to->name, strerror(errno));
	return watch(server, to, fd, err);
}

enum ipl_status ipl_listen_passed(struct ipl_server *server, struct ipl_error *err)
{
	int count = sd_listen_fds(1);
	enum ipl_status st = IPL_OK;

	if (count < 0)
		return ipl_error_set(err, IPL_ERR_IO, "LISTEN_FDS: %s", strerror(-count));
	if (count > IPL_LISTENERS_MAX)
		return ipl_error_set(err, IPL_ERR_IO, "more than %d listeners", IPL_LISTENERS_MAX);
	for (int i = 0; st == IPL_OK && i < count; i++)
		st = take_passed(server, SD_LISTEN_FDS_START + i, err);
	return st;
}

void ipl_listeners_close(struct ipl_server *server)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		struct ipl_listener *listener = &server->listener[i];
		evconnlistener_free(listener->listener);
		if (listener->path[0] != '\0')
			(void)unlink(listener->path); /* the next start would clear it too */
	}
	server->listener_count = 0;
}
