/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place in the log that goes to and fro like a debugger's: step by step, or on
 * until something holds, in both directions. Being at seq N is to see the state
 * after event N.
 */
#ifndef IPL_REPLAY_STEPPER_H
#define IPL_REPLAY_STEPPER_H

#include "replay/expr.h"
#include "replay/view.h"

#define IPL_BREAKPOINTS_MAX 64u

struct ipl_stepper;

/** Between @from and @to, at @from. @views must outlive it. */
enum ipl_status ipl_stepper_open(struct ipl_views *views, uint64_t from, uint64_t to,
				 struct ipl_stepper **out, struct ipl_error *err) IPL_MUST_USE;
void ipl_stepper_close(struct ipl_stepper *stepper);

uint64_t ipl_stepper_at(const struct ipl_stepper *stepper);
/** The state there; lent until the next call that moves, or asks the views. */
enum ipl_status ipl_stepper_state(struct ipl_stepper *stepper, const struct ipl_state **out,
				  struct ipl_error *err) IPL_MUST_USE;

/** Go to @seq. IPL_REFUSED outside of from..to. */
enum ipl_status ipl_stepper_go(struct ipl_stepper *stepper, uint64_t seq,
			       struct ipl_error *err) IPL_MUST_USE;

/** Where to stop. */
struct ipl_breakpoint {
	uint32_t number; /* from 1, never used again */
	uint64_t hits;
	struct ipl_str text; /* the expression, as it is printed; lives as long as the breakpoint */
	/*
	 * It is about events (it names the type, the actor, what is touched, …): it stops at
	 * each for which it holds. Else it stops where it comes to hold.
	 */
	bool is_of_event;
};

/** Stop by the expression @text. IPL_REFUSED where that cannot be parsed, or there are too many. */
enum ipl_status ipl_stepper_break(struct ipl_stepper *stepper, struct ipl_str text,
				  uint32_t *number, struct ipl_error *err) IPL_MUST_USE;
/** False where there is none of that number. */
bool ipl_stepper_delete(struct ipl_stepper *stepper, uint32_t number);
/** The @index-th, in the order in which they were made; NULL beyond the last. */
const struct ipl_breakpoint *ipl_stepper_breakpoint(const struct ipl_stepper *stepper,
						    size_t index);

/** Asked at every event while it goes on by itself; true: stop there. */
typedef bool (*ipl_stop_fn)(void *context, uint64_t seq);
void ipl_stepper_ask(struct ipl_stepper *stepper, ipl_stop_fn stop, void *context);

/**
 * On to the next event at which a breakpoint stops, or the end; *@number is the
 * breakpoint's (the first one's, where several do), 0 where none stopped it.
 */
enum ipl_status ipl_stepper_continue(struct ipl_stepper *stepper, uint32_t *number,
				     struct ipl_error *err) IPL_MUST_USE;
/** The same backward: to the last such event before, or the beginning. */
enum ipl_status ipl_stepper_reverse(struct ipl_stepper *stepper, uint32_t *number,
				    struct ipl_error *err) IPL_MUST_USE;

#endif
