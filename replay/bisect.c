/* SPDX-License-Identifier: Apache-2.0 */
/* Halving, and what was asked on the way. */
#include "replay/bisect.h"

#include <assert.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)64 << 20)
#define NEAR_MAX    256 /* states that are to be had for little */
#define PASS_LOOKS  64  /* at what comes after the flip */

struct search {
	const struct ipl_bisect *bisect;
	struct ipl_error *err;
	uint64_t asked;
};

static enum ipl_status ask(struct search *s, uint64_t seq, enum ipl_verdict *out)
{
	s->asked++;
	return s->bisect->ask(s->bisect->context, seq, out, s->err);
}

/* Ask near the middle of what lies between; *@at is 0 where nothing near it can be asked. */
static enum ipl_status ask_middle(struct search *s, uint64_t no, uint64_t yes, uint64_t *at,
				  enum ipl_verdict *verdict)
{
	uint64_t middle = no + (yes - no) / 2;
	enum ipl_status st = ask(s, middle, verdict);

	*at = middle;
	for (uint64_t apart = 1; st == IPL_OK && *verdict == IPL_VERDICT_UNKNOWN; apart *= 2) {
		bool above = apart < yes - middle, below = apart < middle - no;
		if (!above && !below) {
			*at = 0;
			return IPL_OK;
		}
		if (above)
			st = ask(s, *at = middle + apart, verdict);
		if (st == IPL_OK && below && (!above || *verdict == IPL_VERDICT_UNKNOWN))
			st = ask(s, *at = middle - apart, verdict);
	}
	return st;
}

static enum ipl_status halve(struct search *s, uint64_t no, uint64_t yes,
			     struct ipl_bisect_result *out)
{
	while (yes - no > 1) {
		enum ipl_verdict verdict = IPL_VERDICT_UNKNOWN;
		uint64_t at = 0;
		enum ipl_status st = ask_middle(s, no, yes, &at, &verdict);
		if (st != IPL_OK)
			return st;
		if (at == 0)
			break;
		*(verdict == IPL_VERDICT_YES ? &yes : &no) = at;
	}
	out->what = yes - no == 1 ? IPL_BISECT_FOUND : IPL_BISECT_BETWEEN;
	out->seq = yes;
	out->after = no;
	return IPL_OK;
}

/* Both ends; IPL_BISECT_FOUND here means that there is something to be found. */
static enum ipl_status ask_ends(struct search *s, struct ipl_bisect_result *out)
{
	enum ipl_verdict from = IPL_VERDICT_UNKNOWN, to = IPL_VERDICT_UNKNOWN;
	enum ipl_status st = ask(s, s->bisect->from, &from);

	if (st == IPL_OK)
		st = ask(s, s->bisect->to, &to);
	if (from == IPL_VERDICT_UNKNOWN || to == IPL_VERDICT_UNKNOWN)
		out->what = IPL_BISECT_END;
	else if (from == to)
		out->what = from == IPL_VERDICT_NO ? IPL_BISECT_NEVER : IPL_BISECT_ALWAYS;
	else
		out->what = from == IPL_VERDICT_NO ? IPL_BISECT_FOUND : IPL_BISECT_BACKWARD;
	return st;
}

enum ipl_status ipl_bisect(const struct ipl_bisect *bisect, struct ipl_bisect_result *out,
			   struct ipl_error *err)
{
	struct search s = { .bisect = bisect, .err = err };
	struct ipl_bisect_result result = { .what = IPL_BISECT_NEVER };
	enum ipl_status st;

	assert(bisect->from < bisect->to);
	st = ask_ends(&s, &result);
	if (st == IPL_OK && result.what == IPL_BISECT_FOUND)
		st = halve(&s, bisect->from, bisect->to, &result);
	result.asked = s.asked;
	if (st == IPL_OK)
		*out = result;
	return st;
}

enum ipl_status ipl_bisect_first(const struct ipl_bisect *bisect, struct ipl_bisect_result *out,
				 struct ipl_error *err)
{
	struct search s = { .bisect = bisect, .err = err };
	struct ipl_bisect_result result = { .what = IPL_BISECT_NEVER };
	uint64_t no = UINT64_MAX; /* the last that is known not to hold */

	for (uint64_t seq = bisect->from; seq <= bisect->to; seq++) {
		enum ipl_verdict verdict = IPL_VERDICT_UNKNOWN;
		enum ipl_status st = ask(&s, seq, &verdict);
		if (st != IPL_OK)
			return st;
		if (verdict == IPL_VERDICT_NO) {
			no = seq;
		} else if (verdict == IPL_VERDICT_YES && no != UINT64_MAX) {
			result.what = seq - no == 1 ? IPL_BISECT_FOUND : IPL_BISECT_BETWEEN;
			result.seq = seq;
			result.after = no;
			break;
		} else if (verdict == IPL_VERDICT_YES) {
			result.what = IPL_BISECT_ALWAYS;
		}
	}
	if (result.what == IPL_BISECT_ALWAYS && no != UINT64_MAX)
		result.what = IPL_BISECT_BACKWARD;
	result.asked = s.asked;
	*out = result;
	return IPL_OK;
}

/* --- by an expression --- */

static enum ipl_status value_in(const struct ipl_state *state, const struct ipl_event *ev,
				const struct ipl_touches *touches, const struct ipl_expr *expr,
				struct ipl_arena *arena, struct ipl_value *out,
				struct ipl_error *err)
{
	struct ipl_lens lens;
	const struct ipl_expr_scope scope = { &lens, ev, touches, arena };

	ipl_lens_of_state(&lens, state, ipl_state_time_ms(state), err);
	return ipl_expr_value(expr, &scope, out, err);
}

static enum ipl_status ask_thing(struct ipl_chains *chains, uint64_t seq,
				 const struct ipl_expr *expr, struct ipl_arena *arena,
				 struct ipl_value *out, struct ipl_error *err)
{
	struct ipl_value value;
	struct ipl_lens lens;
	const struct ipl_expr_scope scope = { &lens, NULL, NULL, arena };
	enum ipl_status st = ipl_chains_look(chains, ipl_chains_source(chains), seq, &lens, err);

	if (st != IPL_OK)
		return st;
	st = ipl_expr_value(expr, &scope, &value, err);
	if (st == IPL_OK)
		*out = ipl_value_copy(arena, &value); /* names are the lens's */
	ipl_past_close(&lens);
	return st == IPL_OK && arena->failed ?
		       ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a value") :
		       st;
}

enum ipl_status ipl_ask_value(const struct ipl_asked *asked, uint64_t seq,
			      const struct ipl_expr *expr, struct ipl_arena *arena,
			      struct ipl_value *out, struct ipl_error *err)
{
	struct ipl_touches touches = { NULL, 0 };
	const struct ipl_state *state;
	struct ipl_event *ev = NULL;
	uint64_t kinds;
	enum ipl_status st;

	if (asked->chains != NULL && ipl_expr_is_of_things(expr))
		return ask_thing(asked->chains, seq, expr, arena, out, err);
	if (asked->counts != NULL && ipl_expr_is_of_counts(expr, &kinds))
		return ipl_counts_value(asked->counts, seq, expr, arena, out, err);
	st = ipl_views_at(asked->views, seq, &state, err);
	if (st == IPL_OK && seq > 0) {
		ev = ipl_arena_alloc(arena, sizeof(*ev));
		if (ev == NULL)
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an event");
		st = ipl_views_event(asked->views, seq, arena, ev, err);
		if (st == IPL_OK)
			st = ipl_event_touches(arena, ev, &touches, err);
	}
	return st == IPL_OK ? value_in(state, ev, &touches, expr, arena, out, err) : st;
}

struct by_expr {
	const struct ipl_asked *asked;
	const struct ipl_expr *expr;
	struct ipl_arena arena;
	/* Of a pass. */
	struct ipl_bisect_result result;
	uint64_t to;
	uint64_t stride; /* after the flip it is asked so often; 0: the pass ends there */
	bool held;       /* as of the event that was asked before */
	bool held_first; /* as of where it began */
	bool was_no;
	bool has_begun; /* it was asked as of where the pass begins */
};

static enum ipl_status truth(const struct ipl_value *value, bool *out, struct ipl_error *err)
{
	if (value->type != IPL_VALUE_BOOL && value->type != IPL_VALUE_NIL)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "column 1: expected true or false here, not %s: compare it",
				  ipl_value_type_name(value->type));
	*out = value->type == IPL_VALUE_BOOL && value->boolean;
	return IPL_OK;
}

static enum ipl_status ask_expr(void *context, uint64_t seq, enum ipl_verdict *out,
				struct ipl_error *err)
{
	struct by_expr *by = context;
	struct ipl_value value;
	bool holds = false;
	enum ipl_status st;

	ipl_arena_reset(&by->arena);
	st = ipl_ask_value(by->asked, seq, by->expr, &by->arena, &value, err);
	if (st == IPL_OK)
		st = truth(&value, &holds, err);
	if (st == IPL_OK)
		*out = holds ? IPL_VERDICT_YES : IPL_VERDICT_NO;
	return st;
}

/* As of where a pass begins. */
static void begin(struct by_expr *by, bool holds)
{
	by->held = by->held_first = holds;
	by->was_no = !holds;
	by->result =
		(struct ipl_bisect_result){ .what = IPL_BISECT_NEVER, .asked = 1, .saw_all = true };
}

/* As of a later state; IPL_ERR_END: that was enough. */
static enum ipl_status take(struct by_expr *by, uint64_t seq, bool holds)
{
	bool is_found = by->result.what == IPL_BISECT_FOUND;

	by->result.asked++;
	if (is_found && !holds)
		by->result.not_later = seq;
	if (!is_found && holds && !by->held) {
		by->result.what = IPL_BISECT_FOUND;
		by->result.seq = seq;
		by->result.after = seq - 1;
	}
	by->held = holds;
	by->was_no = by->was_no || !holds;
	return by->result.what == IPL_BISECT_FOUND && by->stride == 0 ? IPL_ERR_END : IPL_OK;
}

static enum ipl_status on_step(void *context, const struct ipl_step *step, struct ipl_error *err)
{
	struct by_expr *by = context;
	struct ipl_value value;
	uint64_t seq = step->ev->seq;
	bool holds = false;
	enum ipl_status st;

	if (by->result.what == IPL_BISECT_FOUND && seq != by->to && seq % by->stride != 0)
		return IPL_OK;
	ipl_arena_reset(&by->arena);
	st = value_in(step->state, step->ev, step->touches, by->expr, &by->arena, &value, err);
	if (st == IPL_OK)
		st = truth(&value, &holds, err);
	return st == IPL_OK ? take(by, seq, holds) : st;
}

/* Of a pass that ends with the first flip. */
static void conclude_first(struct by_expr *by)
{
	if (by->result.what == IPL_BISECT_NEVER && by->held_first)
		by->result.what = by->was_no ? IPL_BISECT_BACKWARD : IPL_BISECT_ALWAYS;
}

/* Of a pass to the other end. */
static void conclude_ends(struct by_expr *by)
{
	if (by->held_first == by->held)
		by->result.what = by->held ? IPL_BISECT_ALWAYS : IPL_BISECT_NEVER;
	else
		by->result.what = by->held ? IPL_BISECT_FOUND : IPL_BISECT_BACKWARD;
	by->result.is_first_of_many =
		by->result.what == IPL_BISECT_FOUND && by->result.not_later != 0;
}

/* Go through all events after @from, which is asked too. */
static enum ipl_status ask_all(struct by_expr *by, uint64_t from, uint64_t to,
			       struct ipl_error *err)
{
	enum ipl_verdict verdict = IPL_VERDICT_NO;
	enum ipl_status st = ask_expr(by, from, &verdict, err);

	by->to = to;
	begin(by, verdict == IPL_VERDICT_YES);
	return st == IPL_OK ? ipl_views_walk(by->asked->views, from, to, on_step, by, err) : st;
}

/* One pass to the other end: what holds there is known when it is over. */
static enum ipl_status ask_once(struct by_expr *by, uint64_t from, uint64_t to,
				struct ipl_error *err)
{
	enum ipl_status st;

	by->stride = (to - from) / PASS_LOOKS + 1;
	st = ask_all(by, from, to, err);
	if (st == IPL_OK)
		conclude_ends(by);
	return st;
}

static enum ipl_status on_answer(void *context, uint64_t seq, const struct ipl_value *value,
				 struct ipl_error *err)
{
	struct by_expr *by = context;
	bool holds = false;
	enum ipl_status st = truth(value, &holds, err);

	if (st == IPL_OK && by->has_begun)
		return take(by, seq, holds);
	begin(by, holds);
	by->has_begun = true;
	return st;
}

/* Without states; IPL_ERR_BUSY where that cannot be, or would be too much. */
static enum ipl_status ask_along(struct by_expr *by, uint64_t from, uint64_t to, bool all,
				 struct ipl_error *err)
{
	const struct ipl_asked *asked = by->asked;
	uint64_t loads = 0, kinds;
	enum ipl_status st = IPL_ERR_BUSY;

	by->stride = all ? 0 : 1;
	if (asked->chains != NULL && ipl_expr_is_of_things(by->expr))
		st = ipl_watch(asked->chains, by->expr, from, to, on_answer, by, &loads, err);
	else if (asked->counts != NULL && ipl_expr_is_of_counts(by->expr, &kinds))
		st = ipl_counts_along(asked->counts, by->expr, from, to, on_answer, by, &loads,
				      err);
	by->result.loaded = loads;
	if (st == IPL_OK && all)
		conclude_first(by);
	else if (st == IPL_OK)
		conclude_ends(by);
	return st;
}

/* Halve between both ends and @seqs; *@no and *@yes are then next to each other among them. */
static enum ipl_status halve_near(struct by_expr *by, const uint64_t *seqs, size_t count,
				  uint64_t *no, uint64_t *yes, uint64_t *asked,
				  struct ipl_error *err)
{
	size_t low = 0, high = count; /* those in between */

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		enum ipl_verdict verdict = IPL_VERDICT_NO;
		enum ipl_status st = ask_expr(by, seqs[middle], &verdict, err);
		if (st != IPL_OK)
			return st;
		++*asked;
		if (verdict == IPL_VERDICT_YES) {
			*yes = seqs[middle];
			high = middle;
		} else {
			*no = seqs[middle];
			low = middle + 1;
		}
	}
	return IPL_OK;
}

static enum ipl_status ask_near(struct by_expr *by, const uint64_t *seqs, size_t count,
				uint64_t from, uint64_t to, struct ipl_error *err)
{
	const struct ipl_bisect ends = { ask_expr, by, from, to };
	struct search s = { .bisect = &ends, .err = err };
	struct ipl_bisect_result result = { .what = IPL_BISECT_NEVER };
	uint64_t no = from, yes = to;
	enum ipl_status st = ask_ends(&s, &result);

	if (st == IPL_OK && result.what == IPL_BISECT_FOUND) {
		st = halve_near(by, seqs, count, &no, &yes, &s.asked, err);
		by->stride = 0;
		if (st == IPL_OK)
			st = ask_all(by, no, yes, err);
		result = by->result;
	}
	result.asked += s.asked;
	by->result = result;
	return st;
}

/* By whole states. */
static enum ipl_status ask_states(struct by_expr *by, uint64_t from, uint64_t to, bool all,
				  struct ipl_error *err)
{
	uint64_t near[NEAR_MAX];
	size_t count = all ? 0 : ipl_views_near(by->asked->views, near, NEAR_MAX), between = 0;
	enum ipl_status st;

	for (size_t i = 0; i < count; i++) {
		if (near[i] > from && near[i] < to)
			near[between++] = near[i];
	}
	if (!all)
		return between > 0 ? ask_near(by, near, between, from, to, err) :
				     ask_once(by, from, to, err);
	st = ask_all(by, from, to, err);
	if (st == IPL_OK)
		conclude_first(by);
	return st;
}

enum ipl_status ipl_bisect_expr(const struct ipl_asked *asked, const struct ipl_expr *expr,
				uint64_t from, uint64_t to, bool all, struct ipl_bisect_result *out,
				struct ipl_error *err)
{
	struct by_expr by = { .asked = asked, .expr = expr };
	enum ipl_status st;

	ipl_arena_init(&by.arena, ARENA_BYTES);
	st = ask_along(&by, from, to, all, err);
	if (st == IPL_ERR_BUSY)
		st = ask_states(&by, from, to, all, err);
	if (st == IPL_OK)
		*out = by.result;
	ipl_arena_release(&by.arena);
	return st;
}
