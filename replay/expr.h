/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small language of questions about one state and the event that made it:
 * docs/EXPRESSIONS.md. An expression is parsed once and asked of many states.
 */
#ifndef IPL_REPLAY_EXPR_H
#define IPL_REPLAY_EXPR_H

#include "reducers/lens.h"

#define IPL_EXPR_DEPTH_MAX 64u   /* of what stands inside of what */
#define IPL_EXPR_BYTES_MAX 4096u /* of its text */
#define IPL_EXPR_ARGS_MAX  2u    /* of one function */

/* Functions: X(NAME, "name", least and most arguments, "arguments", "what it gives") */
#define IPL_EXPR_FUNCTION_LIST(X)                                                                \
	X(COUNT, "count", 1, 1, "KIND", "how many of that kind live")                            \
	X(EXISTS, "exists", 1, 1, "ID", "whether it lives")                                      \
	X(STATE, "state", 1, 2, "ID[, PATH]",                                                    \
	  "what it shows: all, or the member at a dotted path")                                  \
	X(STATUS, "status", 1, 2, "ID | ADDRESS[, VPC]",                                         \
	  "its Status; of an address Held, Free, Reserved, Cooling or Outside")                  \
	X(FREE, "free", 1, 1, "VSWITCH", "IPv4 addresses that can be picked")                    \
	X(USED, "used", 1, 1, "VSWITCH", "IPv4 addresses in use")                                \
	X(COOLING, "cooling", 1, 1, "VSWITCH", "freed IPv4 addresses that are not picked yet")   \
	X(HOLDER, "holder", 1, 2, "ADDRESS[, VPC]",                                              \
	  "the network interface, or the unbound EIP, that has the address; \"\": nobody")       \
	X(INSTANCE, "instance", 1, 2, "ADDRESS[, VPC]",                                          \
	  "the instance that has the address; \"\": none")                                       \
	X(KIND, "kind", 1, 2, "ADDRESS[, VPC]",                                                  \
	  "PrimaryPrivate, SecondaryPrivate, PublicIp, Eip, Ipv6; \"\": nobody has it")          \
	X(TOUCHES, "touches", 1, 1, "ID | ADDRESS", "whether the event touches it")              \
	X(LEN, "len", 1, 1, "VALUE", "characters of text, elements of a list, members of a map") \
	X(HAS, "has", 2, 2, "LIST, VALUE", "whether the list has the element")

/* Words that stand for a value: X(NAME, "word", "what it is") */
#define IPL_EXPR_WORD_LIST(X)                                                       \
	X(SEQ, "seq", "the number of the event; the state is the one after it")     \
	X(TIME, "time", "its time, RFC 3339 text in UTC: 2026-11-24T14:02:37.108Z") \
	X(TYPE, "type", "its type, such as \"EipReleased\"")                        \
	X(OPERATION, "operation", "its operation, such as \"ReleaseEipAddress\"")   \
	X(PRINCIPAL, "principal", "who was authenticated")                          \
	X(ACTOR, "actor", "who it was done for, \"\" for none")                     \
	X(REASON, "reason", "why, \"\" for none")

struct ipl_expr;

/**
 * Parse @text. The expression is in @arena; text is copied.
 * @retval IPL_REFUSED    what is wrong, at which column (from 1), and what is expected there
 * @retval IPL_ERR_NOMEM  beyond the arena's limit
 */
enum ipl_status ipl_expr_parse(struct ipl_arena *arena, struct ipl_str text,
			       const struct ipl_expr **out, struct ipl_error *err) IPL_MUST_USE;
/** Print it, with no more parentheses than it needs: what parses to the same again. */
void ipl_expr_print(const struct ipl_expr *expr, struct ipl_buf *out);

/** The parts whose values tell why it holds or not: what is compared, and what is asked. */
typedef void (*ipl_expr_fn)(void *context, const struct ipl_expr *part);
void ipl_expr_parts(const struct ipl_expr *expr, ipl_expr_fn fn, void *context);

/** Whether it is about the event itself (its type, who did it, what it touches), not the state
 * only. */
bool ipl_expr_is_of_event(const struct ipl_expr *expr);

/** Whether it is about single things only: neither the event, nor its seq or time, nor how many
 * there are. */
bool ipl_expr_is_of_things(const struct ipl_expr *expr);

/** Whether it is of nothing but how many there are; *@kinds: those that it counts, bit N for number
 * N. */
bool ipl_expr_is_of_counts(const struct ipl_expr *expr, uint64_t *kinds);

/** What an expression is asked of. */
struct ipl_expr_scope {
	struct ipl_lens *lens; /* one that can scan; of things only: one that finds VPCs */
	/* The event that made the state; NULL where the log is empty: its words are nil then. */
	const struct ipl_event *ev;
	const struct ipl_touches *touches;
	struct ipl_arena *arena; /* for the value */
};

/**
 * The value of @expr.
 * @retval IPL_REFUSED  it cannot be asked: the column, and why
 */
enum ipl_status ipl_expr_value(const struct ipl_expr *expr, const struct ipl_expr_scope *scope,
			       struct ipl_value *out, struct ipl_error *err) IPL_MUST_USE;
/** Whether it holds: its value, which must be true, false or nil (which is as good as false). */
enum ipl_status ipl_expr_holds(const struct ipl_expr *expr, const struct ipl_expr_scope *scope,
			       bool *out, struct ipl_error *err) IPL_MUST_USE;

#endif
