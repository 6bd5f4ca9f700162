/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP door: the cloud's own API at / and a few pages beside it. Every
 * request, whatever its path, has passed the guard (its Host is ours, its Origin
 * is no other site's) before anything here sees it.
 */
#ifndef IPL_SERVER_HTTP_H
#define IPL_SERVER_HTTP_H

#include "server/serve_internal.h"

/** A page beside the API, for GET and HEAD. A row for each stands in http.c. */
struct ipl_http_page {
	const char *path;
	/* Answers @req, now or later, exactly once. */
	void (*serve)(struct ipl_server *server, struct evhttp_request *req);
};

/** GET /healthz: 200 while the ledger can be written, 503 and why otherwise. */
void ipl_page_healthz(struct ipl_server *server, struct evhttp_request *req);

/** GET /metrics: Prometheus' text. */
void ipl_page_metrics(struct ipl_server *server, struct evhttp_request *req);
/** GET /events: server-sent events. */
void ipl_page_events(struct ipl_server *server, struct evhttp_request *req);

/** Answer @req with @len bytes of @type; @type is borrowed for the call. */
void ipl_http_send(struct evhttp_request *req, int status, const char *type, const void *bytes,
		   size_t len);
/** The same, and at the server's end it is waited for until the answer has left. */
void ipl_http_reply(struct ipl_server *server, struct evhttp_request *req, int status,
		    const char *type, const void *bytes, size_t len);
/** An answer to @req is on its way: the server's end waits until it has left. */
void ipl_http_sending(struct ipl_server *server, struct evhttp_request *req);
/** Answer @req with the cloud's error document, as JSON. */
void ipl_http_refuse(struct ipl_server *server, struct evhttp_request *req,
		     const struct ipl_error *err);

/** Who sent a request. */
struct ipl_http_caller {
	char principal[IPL_PRINCIPAL_MAX + 1];
	enum ipl_access access;
	int64_t retry_after_ms; /* where it is refused: when to try again; 0: it does not matter */
};
/**
 * Who @req is from, for a page that is not for everybody: by its signature, as the API wants
 * it, for the action @action. Refused as a call of that action is.
 */
enum ipl_status ipl_http_who(struct ipl_server *server, struct evhttp_request *req,
			     const char *action, struct ipl_http_caller *out,
			     struct ipl_error *err) IPL_MUST_USE;

/**
 * Let whoever has a key read @req's page: by HTTP Basic, with the key's id and secret, over TLS or
 * from this machine; or signed, as for the action @action. False where @req was answered.
 */
bool ipl_page_admit(struct ipl_server *server, struct evhttp_request *req, const char *action,
		    struct ipl_http_caller *out);
/** As ipl_auth_peer() has it; 0 where the peer has gone. */
uint64_t ipl_http_peer(struct evhttp_request *req);

/**
 * Whether @req may be looked at: a Host that is not ours or an Origin of another
 * site is a web page's trick to reach a local server (DNS rebinding, forged
 * requests).
 */
enum ipl_status ipl_http_guard(const struct ipl_server *server, struct evhttp_request *req,
			       struct ipl_error *err) IPL_MUST_USE;

#endif
