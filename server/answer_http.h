/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the HTTP door: one tree, two writers. Every error has both a status
 * of 4xx or 5xx and a Code; no success has a Code, since SDKs take it for an error.
 */
#ifndef IPL_SERVER_ANSWER_HTTP_H
#define IPL_SERVER_ANSWER_HTTP_H

#include "server/engine.h"

enum ipl_http_format {
	IPL_HTTP_JSON,
	IPL_HTTP_XML,
};

/** As clients compare them, byte by byte. */
const char *ipl_http_content_type(enum ipl_http_format format);

/** What an answer is written for. */
struct ipl_http_reply {
	enum ipl_http_format format;
	struct ipl_str action; /* names the root of XML; absent: nothing was asked */
	struct ipl_str host;   /* how the client calls us */
	uint8_t request_id[IPL_REQUEST_ID_BYTES];
};

/** Append the body that tells @answer. Returns the HTTP status. */
int ipl_http_write_answer(struct ipl_buf *out, const struct ipl_http_reply *reply,
			  const struct ipl_answer *answer);
/** Append the error document for @err. Returns the HTTP status. */
int ipl_http_write_error(struct ipl_buf *out, const struct ipl_http_reply *reply,
			 const struct ipl_error *err);

#endif
