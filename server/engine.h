/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger at work, without doors: it decides, appends, folds and answers. A
 * door decodes a call and encodes the answer; how it does both is its own.
 *
 * All calls are made from one thread. The answer to a call may leave when the
 * log is durable up to answer.wait_seq, and not before: so nothing that could
 * still be lost is ever shown. If a commit fails, every answer that still waits
 * is to be replaced by the error that ipl_engine_collect() gives.
 */
#ifndef IPL_SERVER_ENGINE_H
#define IPL_SERVER_ENGINE_H

#include "operations/operation.h"
#include "store/store.h"

struct ipl_engine;

enum ipl_engine_mode {
	IPL_ENGINE_SERVE, /* one process; decides and appends */
	IPL_ENGINE_READ,  /* reads only, beside a server or without one */
};

/**
 * Open the ledger in @dir and fold its log. For SERVE it is made when missing,
 * with the settings of @init (a map, or NULL for the defaults) at @now_ms.
 *
 * @retval IPL_ERR_BUSY     another process serves it
 * @retval IPL_ERR_CORRUPT  the log is damaged; the message names the first bad event
 * @retval IPL_REFUSED      @init is refused; or given for a ledger that exists
 */
enum ipl_status ipl_engine_open(const char *dir, enum ipl_engine_mode mode,
				const struct ipl_value *init, int64_t now_ms,
				struct ipl_engine **out, struct ipl_error *err) IPL_MUST_USE;
/** Wait for what is on its way to the disk, and close. NULL is fine. */
void ipl_engine_close(struct ipl_engine *engine);

/** A read that a thread of its own does. */
struct ipl_job;

/** Who calls. */
enum ipl_access {
	IPL_ACCESS_ADMIN,
	IPL_ACCESS_OPERATOR, /* all but settings and EventTime */
	IPL_ACCESS_AUDITOR,  /* reads */
};

/** A page of a list by its number, from 1, where a door has such; number 0: by token. */
struct ipl_page {
	uint32_t number;
	uint32_t size;
};

struct ipl_call {
	struct ipl_str operation;
	const struct ipl_value *params; /* NULL or nil: none */
	struct ipl_str principal;       /* "uid:1000" */
	enum ipl_access access;
	uint8_t request_id[IPL_REQUEST_ID_BYTES];
	int64_t now_ms;
	bool can_be_notified; /* the caller takes what Subscribe and Unsubscribe give */
	bool is_behind;       /* answers to earlier calls of the same peer have not left yet */
	struct ipl_page page;
	/*
	 * Where a read that takes long leaves its job (*job is NULL before); NULL: it is answered
	 * at once, and everybody else waits meanwhile.
	 */
	struct ipl_job **job;
};

struct ipl_feed;

struct ipl_answer {
	const struct ipl_operation *operation; /* that was called; NULL: there is none such */
	enum ipl_status status;                /* IPL_OK: result; else err */
	struct ipl_value result;               /* a map, in the call's arena */
	struct ipl_error err;                  /* details in the call's arena */
	uint64_t wait_seq; /* the answer leaves when the log is durable up to here */
	/* It is being done: call again with the same parameters when ipl_engine_is_done(*job). */
	bool is_deferred;
	int64_t done_ns; /* when it was given, by ipl_monotonic_ns(); 0: by nobody yet */
	/* Of Subscribe: the events that were asked for; the caller's to close (server/feed.h). */
	struct ipl_feed *feed;
	int64_t unsubscribe; /* of Unsubscribe: which subscription the caller is to end; else 0 */
};

/** Execute @call. Everything of the answer is in @arena, or lent until the next call. */
void ipl_engine_call(struct ipl_engine *engine, const struct ipl_call *call,
		     struct ipl_arena *arena, struct ipl_answer *answer);

bool ipl_engine_is_done(const struct ipl_job *job);
/** Nobody waits for it any more. NULL is fine. */
void ipl_engine_forget(struct ipl_job *job);

/**
 * An eventfd that becomes readable when a commit or a job is done: call ipl_engine_collect() then,
 * and look which jobs are done.
 */
int ipl_engine_fd(const struct ipl_engine *engine);
/** Begin to commit what was appended since, unless a commit is on its way. Call it when input is
 * done for now. */
void ipl_engine_flush(struct ipl_engine *engine);
/**
 * Look whether a commit is done. On IPL_OK the log is durable up to
 * ipl_engine_durable_seq(). Otherwise the commit failed: all that waits gets
 * @err. The state was folded anew from the log or, where the disk or memory does not allow that
 * yet, is folded by a later call; until then calls are answered with IPL_ERR_IO.
 * @retval IPL_ERR_OUTCOME  it is not known whether it is on the disk: a retry by token finds out
 * @retval IPL_ERR_CORRUPT  the log makes no sense, and the engine is good for ipl_engine_close()
 *                          only; what waited may be on the disk
 * @retval IPL_ERR_END  none is done
 */
enum ipl_status ipl_engine_collect(struct ipl_engine *engine, struct ipl_error *err) IPL_MUST_USE;
/** To be called every second: what could not be looked up after a failed commit is tried again,
 * so that who follows the log goes on without anybody calling. */
void ipl_engine_beat(struct ipl_engine *engine);
/** Flush and wait until nothing is on its way; as ipl_engine_collect(). */
enum ipl_status ipl_engine_settle(struct ipl_engine *engine, struct ipl_error *err) IPL_MUST_USE;
uint64_t ipl_engine_durable_seq(const struct ipl_engine *engine);

/**
 * Whether appends work at @now_ms: what the last commit came to. Where it failed and none is on its
 * way, something small is written to see whether the disk is well again, once a second at most.
 */
enum ipl_status ipl_engine_check(struct ipl_engine *engine, int64_t now_ms,
				 struct ipl_error *err) IPL_MUST_USE;
/**
 * Append to @out what it has counted and what its state and store are like, as
 * Prometheus' text. It must have a state.
 */
void ipl_engine_write_metrics(struct ipl_engine *engine, int64_t now_ms, struct ipl_buf *out);

#endif
