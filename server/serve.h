/* SPDX-License-Identifier: Apache-2.0 */
/* The server: doors, connections, one loop. */
#ifndef IPL_SERVER_SERVE_H
#define IPL_SERVER_SERVE_H

#include "events/value.h"

#define IPL_LISTENERS_MAX  16
#define IPL_HTTP_HOSTS_MAX 16

struct ipl_serve_options {
	const char *data;                          /* the ledger's directory */
	const char *rpc[IPL_LISTENERS_MAX];        /* unix:PATH, tcp:HOST:PORT */
	size_t rpc_count;                          /* 0: unix:DIR/ipledger.sock */
	const char *http;                          /* HOST:PORT or none */
	const char *http_host[IPL_HTTP_HOSTS_MAX]; /* names that a client may call it by */
	size_t http_host_count;
	bool any_key;                 /* for tests: any key is let in, and none */
	const char *keys;             /* the file of access keys; NULL: DIR/keys */
	bool core_dumps;              /* let a crash leave a core file */
	const char *tls_cert;         /* PEM; NULL: no TLS at the TCP and HTTP doors */
	const char *tls_key;          /* PEM */
	const struct ipl_value *init; /* NULL: none */
};

/**
 * Serve until SIGTERM or SIGINT. Prints the line "ready …" to standard output
 * when it does. What is in flight at the end is finished.
 */
enum ipl_status ipl_serve(const struct ipl_serve_options *options,
			  struct ipl_error *err) IPL_MUST_USE;

#endif
