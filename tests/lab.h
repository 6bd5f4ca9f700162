/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger without disk or socket, for tests: decide, encode, decode, fold. Every
 * event makes the whole way through bytes, and all of them are kept.
 */
#ifndef IPL_TESTS_LAB_H
#define IPL_TESTS_LAB_H

#include "operations/operation.h"
#include "replay/past.h"
#include "replay/view.h"
#include "store/heads.h"

struct lab {
	struct ipl_state *state;
	struct ipl_heads *heads;
	struct ipl_arena keep;  /* records */
	struct ipl_arena call;  /* of the call last made */
	struct ipl_str *record; /* of event i + 1 */
	size_t count, cap;
	int64_t time_ms;
	struct ipl_error err;    /* of the call last made */
	struct ipl_value result; /* the same */
	struct ipl_event ev;     /* what it appended last, as its bytes say */
	/* Set by the test. Another state (a fork) on which every write is decided too, before it is
	 * on the lab's own; it must decide alike, and it gets the same events. */
	struct ipl_state *twin;
	bool forgets;               /* records are not kept: no lab_event() */
	bool is_quick;              /* events are decoded from their bytes, and not compared */
	struct ipl_state *follower; /* folds the same events and decides nothing, or NULL */
	/* Called with lab->ev before it is folded into lab->state, or NULL. */
	void (*before)(struct lab *lab);
	void *context; /* the test's */
};

#define LAB_TEXT_MAX 16384

/** Begin; @init is JSON settings or NULL. */
void lab_open(struct lab *lab, const char *init);
void lab_close(struct lab *lab);
/** Have a second state follow from here on: right after lab_open(). False without memory. */
bool lab_follow(struct lab *lab);
/**
 * Call @operation (a write or a read of now) with JSON parameters, printed.
 * IPL_OK, IPL_REFUSED with lab->err, or (a bug) IPL_ERR_CORRUPT from the fold.
 */
enum ipl_status lab_call(struct lab *lab, const char *operation, const char *format, ...)
	IPL_PRINTF(3, 4);
/**
 * Append an event that was not decided: seq, time, principal and links become its own. Whether it
 * folds is not asked first.
 */
enum ipl_status lab_append(struct lab *lab, struct ipl_event *ev);
/** The member at @path of the last result, as text; "" where there is none. */
const char *lab_text(struct lab *lab, const char *path);
/** The code of the last refusal. */
const char *lab_code(const struct lab *lab);
/** Whether two states (no forks) are the same in all that they show, hold, count and pick. */
bool lab_same_state(const struct ipl_state *a, const struct ipl_state *b);
/** What the lab kept, as a log. */
struct ipl_records lab_records(struct lab *lab);
/** The same, to be read one by one, with the heads of the chains. */
struct ipl_source lab_source(struct lab *lab);
/** Decode event @seq into @arena. */
void lab_event(const struct lab *lab, uint64_t seq, struct ipl_arena *arena, struct ipl_event *out);

#endif
