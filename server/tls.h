/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for both doors and for the command line: TLS 1.2 and later, OpenSSL's
 * own choice of ciphers, no renegotiation, no compression. The HTTP door gets a
 * bufferevent; the native door reads and writes through the two calls here,
 * which behave as read(2) and write(2) do on a socket.
 */
#ifndef IPL_SERVER_TLS_H
#define IPL_SERVER_TLS_H

#include "events/base.h"

#include <sys/types.h>

struct bufferevent;
struct event_base;

/** A server's certificate and key. What is open keeps what it was opened with. */
struct ipl_tls_server;
/** One connection. */
struct ipl_tls;

/**
 * Read a certificate (with those that lead to its root, PEM) and its key (PEM, without passphrase).
 * @retval IPL_ERR_IO  a file cannot be read, is no PEM, or they do not fit together
 */
enum ipl_status ipl_tls_server_load(const char *cert, const char *key, struct ipl_tls_server **out,
				    struct ipl_error *err) IPL_MUST_USE;
/** NULL is fine. */
void ipl_tls_server_free(struct ipl_tls_server *server);
/** For evhttp: a connection that will come, freed with its socket. NULL without memory. */
struct bufferevent *ipl_tls_bufferevent(struct ipl_tls_server *server, struct event_base *base);

/** The server's end of the non-blocking socket @fd, which stays the caller's. NULL without memory.
 */
struct ipl_tls *ipl_tls_accept(struct ipl_tls_server *server, int fd);
/**
 * The client's end of the blocking socket @fd: shakes hands, and checks that the peer is @host (a
 * name or an address), as somebody in @ca (a file of PEM; NULL: the system's) says.
 */
enum ipl_status ipl_tls_connect(int fd, const char *host, const char *ca, struct ipl_tls **out,
				struct ipl_error *err) IPL_MUST_USE;
/** Say goodbye where the socket takes it, and free. NULL is fine. */
void ipl_tls_free(struct ipl_tls *tls);

/**
 * As read(2): 0 at the end of the peer's input; -1 with errno EAGAIN, or EPROTO where the
 * connection is broken and ipl_tls_broken() tells how. May hold back bytes that no event tells of:
 * see ipl_tls_has_more().
 */
ssize_t ipl_tls_read(struct ipl_tls *tls, void *out, size_t len);
/** As write(2); after EAGAIN the same bytes come again, from anywhere. */
ssize_t ipl_tls_write(struct ipl_tls *tls, const void *bytes, size_t len);
/** Bytes are here that the socket does not tell of any more: read again. */
bool ipl_tls_has_more(const struct ipl_tls *tls);
/** The last read goes on when the socket can be written to. */
bool ipl_tls_read_waits(const struct ipl_tls *tls);
/** How it broke, in a few words; "" where it has not. */
const char *ipl_tls_broken(const struct ipl_tls *tls);

#endif
