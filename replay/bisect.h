/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first event after which something holds, found by halving: of all states
 * between one in which it does not hold and one in which it does, few are asked.
 * That finds the one flip there is; where there are several it finds one of
 * them, and what was asked tells.
 */
#ifndef IPL_REPLAY_BISECT_H
#define IPL_REPLAY_BISECT_H

#include "replay/counts.h"
#include "replay/expr.h"
#include "replay/view.h"
#include "replay/watch.h"

enum ipl_verdict {
	IPL_VERDICT_NO,
	IPL_VERDICT_YES,
	IPL_VERDICT_UNKNOWN, /* this state cannot be asked */
};

/** Whether it holds as of @seq. */
typedef enum ipl_status (*ipl_ask_fn)(void *context, uint64_t seq, enum ipl_verdict *out,
				      struct ipl_error *err);

struct ipl_bisect {
	ipl_ask_fn ask;
	void *context;
	uint64_t from;
	uint64_t to;
};

enum ipl_bisected {
	IPL_BISECT_FOUND,    /* it does not hold as of seq - 1, and holds as of seq */
	IPL_BISECT_BETWEEN,  /* somewhere in after + 1 .. seq; nearer cannot be told */
	IPL_BISECT_NEVER,    /* it holds at neither end */
	IPL_BISECT_ALWAYS,   /* it holds at both ends */
	IPL_BISECT_BACKWARD, /* it holds as of from, and not as of to */
	IPL_BISECT_END,      /* one of the ends cannot be asked */
};

struct ipl_bisect_result {
	enum ipl_bisected what;
	uint64_t seq;
	uint64_t after;        /* it does not hold as of this: seq - 1 where it was found */
	uint64_t not_later;    /* a moment after seq at which it does not hold; 0: none was seen */
	bool is_first_of_many; /* it was seen to hold later, then not: this flip is before */
	bool saw_all;          /* up to the flip no state was left out in which it can be another */
	uint64_t asked;
	uint64_t loaded; /* events that were read from chains */
};

/** Halve. */
enum ipl_status ipl_bisect(const struct ipl_bisect *bisect, struct ipl_bisect_result *out,
			   struct ipl_error *err) IPL_MUST_USE;
/** Ask all in order instead; what is given is the first flip from no to yes after @from. */
enum ipl_status ipl_bisect_first(const struct ipl_bisect *bisect, struct ipl_bisect_result *out,
				 struct ipl_error *err) IPL_MUST_USE;

/** What expressions are asked of. */
struct ipl_asked {
	struct ipl_views *views;
	/* The same log's: what is of things only, and what is of counts only, is then asked without
	 * folding states. NULL: it is not. */
	struct ipl_chains *chains;
	struct ipl_counts *counts;
};

/** The value of @expr as of @seq, in @arena. */
enum ipl_status ipl_ask_value(const struct ipl_asked *asked, uint64_t seq,
			      const struct ipl_expr *expr, struct ipl_arena *arena,
			      struct ipl_value *out, struct ipl_error *err) IPL_MUST_USE;

/**
 * By an expression. One that is of things only is asked along their chains, one that is of counts
 * only along their sums, if there are any: of every state in which it can be another. Else, between
 * the moments at which a state is to be had for little it is halved; what is left is gone through
 * event by event: so no more is folded than once, and the flip is the first one there. Where there
 * was nothing to halve, out->not_later and, if it holds at neither end, out->seq (where it did hold
 * for a while; 0: nowhere that was seen) tell more. @all: every event is asked in one pass, as
 * ipl_bisect_first() does.
 */
enum ipl_status ipl_bisect_expr(const struct ipl_asked *asked, const struct ipl_expr *expr,
				uint64_t from, uint64_t to, bool all, struct ipl_bisect_result *out,
				struct ipl_error *err) IPL_MUST_USE;

#endif
