/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP door share. */
#ifndef IPL_SERVER_HTTP_INTERNAL_H
#define IPL_SERVER_HTTP_INTERNAL_H

#include "server/answer_http.h"
#include "server/http.h"
#include "server/signature.h"
#include "server/tls.h"

#define IPL_ACTION_MAX 64u
/* Everything of a request may travel in its first line: a user data of 16 KB makes 21 KB. */
#define IPL_HTTP_HEAD_BYTES_MAX (128 << 10)
#define IPL_HTTP_BODY_BYTES_MAX (1 << 20)
#define IPL_HTTP_CONNS_MAX      1024u

/** A call, from its request until its answer is handed over. */
struct ipl_http_call {
	struct ipl_server *server;
	struct ipl_http_call *next, *prev;
	struct evhttp_request *req;
	struct ipl_http_reply reply;
	char action[IPL_ACTION_MAX + 1]; /* reply.action is in here, reply.host in host */
	char host[256];
	/* Who calls; once this is known it is not asked again. */
	bool is_admitted;
	struct ipl_http_caller caller;
	/* The answer, when there is one. */
	struct ipl_buf body;
	int status;
	uint64_t wait_seq;
	bool is_deferred;    /* it is being done by a thread */
	struct ipl_job *job; /* that is it */
};

/** The request as it is looked at. All is in the arena, or borrowed from the request. */
struct ipl_http_request {
	struct ipl_signed is;
	enum ipl_http_format format;
};

/**
 * Take @req apart. Refused with IPL_CODE_MALFORMED_REQUEST; the format of the answer is
 * known in any case.
 */
enum ipl_status ipl_http_take(struct evhttp_request *req, struct ipl_arena *arena,
			      struct ipl_http_request *out, struct ipl_error *err) IPL_MUST_USE;

/**
 * Who @req is from, by its signature @sig. With --any-key only what a signature looks like
 * is judged. Refused with the codes of ipl_auth_begin() and ipl_auth_finish(), and
 * IPL_CODE_SIGNATURE_MISMATCH.
 */
enum ipl_status ipl_http_admit(struct ipl_server *server, struct evhttp_request *req,
			       const struct ipl_http_request *parts,
			       const struct ipl_signature *sig, struct ipl_http_caller *out,
			       struct ipl_error *err) IPL_MUST_USE;

/**
 * The operation that @action is in @version of the API. Refused with
 * IPL_CODE_API_NOT_FOUND, also where it is one of the other product's, and with
 * IPL_CODE_MISSING_VERSION.
 */
enum ipl_status ipl_http_find_api(struct ipl_str action, struct ipl_str version,
				  const struct ipl_operation **out,
				  struct ipl_error *err) IPL_MUST_USE;

/** How many connections there are, and when too many. */
enum ipl_status ipl_http_limit_open(struct ipl_server *server, struct ipl_error *err) IPL_MUST_USE;
void ipl_http_limit_close(struct ipl_server *server);
/** One more has come. */
void ipl_http_limit_accepted(struct ipl_server *server);
/** A connection of the server @context, for evhttp: its errors are JSON. */
struct bufferevent *ipl_http_bufferevent(struct event_base *base, void *context);
/**
 * Which page of its list @operation is asked for. A MaxResults in @params is brought into the
 * cloud's bounds. Refused with IPL_CODE_INVALID_PARAMETER.
 */
enum ipl_status ipl_http_page(const struct ipl_operation *operation, const struct ipl_pairs *pairs,
			      struct ipl_arena *arena, struct ipl_value *params,
			      struct ipl_page *out, struct ipl_error *err) IPL_MUST_USE;
/** Answer @call with @why, whatever it waits for. */
void ipl_http_call_abort(struct ipl_http_call *call, const struct ipl_error *why);
/** A request for the API. */
void ipl_http_call_begin(struct ipl_server *server, struct evhttp_request *req);

#endif
