/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the simulation share: clients that ask, the history of what
 * they were answered, and the checker that knows the log as the disk has it.
 */
#ifndef IPL_TESTS_SIM_SIM_H
#define IPL_TESTS_SIM_SIM_H

#include "tests/lab.h"

#include "server/engine.h"

#define SIM_DIR         "ledger"
#define SIM_CLIENTS_MAX 5u
#define SIM_NONE        UINT32_MAX

/** What a client wants, until it knows what became of it; asked once or, by its token, often. */
struct sim_request {
	const struct ipl_operation *operation;
	struct ipl_value params; /* but for Reason */
	bool has_token;
	bool is_settled;   /* its outcome is known, or nobody will ask any more */
	uint32_t attempts; /* so far */
	uint32_t in_flight;
};

/** One time it was asked. */
struct sim_attempt {
	uint32_t request;
	uint32_t number; /* of the request's */
	uint32_t executed;
	uint64_t told_before; /* what anybody had been told when it was sent */
	bool is_answered;
	bool is_definite;     /* an answer that says what became of it */
	bool is_known_undone; /* one that says that nothing did */
	struct ipl_str frame; /* the answer */
};

/** A call as the engine got it; found by the request's id. */
struct sim_executed {
	uint8_t request_id[IPL_REQUEST_ID_BYTES];
	uint64_t head;
	uint64_t turn; /* among all calls, also those that a thread did later */
	int64_t now_ms;
	uint32_t attempt; /* SIM_NONE: nobody knows of it */
	bool is_deferred; /* done by a thread: it reads what was durable, or fails */
	bool is_lost;     /* events that were there when it was asked did not reach the disk */
};

/** What was switched on by the seed. one_in: 0 never. */
struct sim_swarm {
	uint32_t clients;
	uint32_t steps;
	uint64_t drop_one_in, half_close_one_in, crash_one_in, stop_one_in, jump_one_in;
	uint64_t read_one_in, past_one_in, token_one_in, again_one_in, dry_one_in, if_seq_one_in,
		event_time_one_in;
	bool has_pieces, has_subscribers;
	uint32_t pipeline; /* requests of one connection at a time */
	uint64_t checkpoint_events;
	const char *settings;
};

struct sim_counts {
	uint64_t events, answers, acknowledged, refused, unavailable, unknown, lost, retries,
		repeats, reads, past_reads, deferred, notified, drops, half_closes, crashes, stops,
		starts, jumps, checkpoints, verified, replayed;
};

struct sim {
	struct sim_swarm swarm;
	struct sim_counts counts; /* of all seeds */
	bool is_quiet;            /* no faults any more: everything drains */
	bool server_is_up;
	bool server_is_ending;         /* connections may end unanswered */
	bool server_is_lost;           /* it said that only a new one can go on */
	uint64_t open_failures_before; /* of the seeds before */
	uint64_t told;                 /* the newest event that anybody was told of */
	struct lab lab;                /* the log as the disk has it, and its state */
	struct ipl_arena keep;         /* of this seed */
	struct sim_request *request;
	uint32_t request_count, request_cap;
	struct sim_attempt *attempt;
	uint32_t attempt_count, attempt_cap;
	struct sim_executed *executed;
	uint32_t executed_count, executed_cap;
	struct ipl_value last_status, last_hash; /* of the quiet end */
};

extern struct sim sim;

/* --- client.c --- */

void clients_begin(void);
/** One of them does something. */
void clients_act(void);
/** All of them try to come to an end: whether they have. */
bool clients_drain(void);
/** The server is gone: what had left it is read, then the connections are. */
void clients_cut(void);
void clients_end(void);

/* --- requests.c --- */

/** Something new to ask for. */
uint32_t request_draw(void);
/** A request whose outcome is not known, or one that is repeated all the same; SIM_NONE: none. */
uint32_t request_draw_again(void);
/** Its parameters as of this attempt, in @arena. */
struct ipl_value request_params(struct ipl_arena *arena, const struct sim_attempt *attempt);
/** The same for a read without parameters. */
uint32_t request_plain(const char *operation);

/* --- checker.c --- */

void checker_begin(void);
/** The server is down: the log on the disk is at least what is known of it. */
void checker_reopen(void);
/** The answer to @attempt has come, as @frame; @value is its result or its error. */
void checker_answer(struct sim_attempt *attempt, bool is_error, const struct ipl_value *value);
/** Hello was answered with an error, a map or text. */
void checker_hello_failed(const struct ipl_value *error);
/** An event was notified. */
void checker_notified(const struct ipl_value *event);
/** After the end: every answer, every event, every hash. */
void checker_end(void);

/** Grow an array by one; the new one is zeroed. */
void *sim_grow(void *array, uint32_t *count, uint32_t *cap, size_t size);

#endif
