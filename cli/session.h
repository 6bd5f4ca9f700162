/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a ledger: a server by the client library, or, where none listens, the
 * directory itself (reads only). Here bytes become trees.
 */
#ifndef IPL_CLI_SESSION_H
#define IPL_CLI_SESSION_H

#include "events/value.h"

struct ipl_session;

/**
 * @server is unix:PATH, tcp:HOST:PORT or tls:HOST:PORT, or NULL for the server of @data and,
 * where none listens, the directory.
 */
enum ipl_status ipl_session_open(const char *data, const char *server, struct ipl_session **out,
				 struct ipl_error *err) IPL_MUST_USE;
void ipl_session_close(struct ipl_session *session);

/**
 * Call and wait. The result is in @arena. A refusal is IPL_REFUSED with its code and details;
 * an answer that could not be had is IPL_ERR_IO.
 */
enum ipl_status ipl_session_call(struct ipl_session *session, struct ipl_str operation,
				 const struct ipl_value *params, struct ipl_arena *arena,
				 struct ipl_value *result, struct ipl_error *err) IPL_MUST_USE;

/** Pipelining: send without waiting; answers come in the order of sending. */
enum ipl_status ipl_session_send(struct ipl_session *session, struct ipl_str operation,
				 const struct ipl_value *params,
				 struct ipl_error *err) IPL_MUST_USE;
/** Wait for the next answer; what was sent leaves first. As ipl_session_call(). */
enum ipl_status ipl_session_receive(struct ipl_session *session, struct ipl_arena *arena,
				    struct ipl_value *result, struct ipl_error *err) IPL_MUST_USE;

/**
 * The next notification, for a session that waits for no answer: its @name and what it tells, in
 * @arena. IPL_ERR_END where none came in @wait_ms milliseconds, or a signal came first.
 */
enum ipl_status ipl_session_notified(struct ipl_session *session, int wait_ms,
				     struct ipl_arena *arena, struct ipl_str *name,
				     struct ipl_value *what, struct ipl_error *err) IPL_MUST_USE;

#endif
