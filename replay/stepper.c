/* SPDX-License-Identifier: Apache-2.0 */
/* Going to and fro, and where that stops. */
#include "replay/stepper.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay/bisect.h"

#define EXPR_BYTES   ((size_t)1 << 20) /* of one breakpoint */
#define VALUE_BYTES  ((size_t)64 << 20)
#define WINDOW_LEAST 256 /* events looked at together, going backward */

struct stop {
	struct ipl_breakpoint shown;
	struct ipl_arena arena;
	const struct ipl_expr *expr;
	bool held; /* as of the event before */
};

struct ipl_stepper {
	struct ipl_views *views;
	uint64_t from;
	uint64_t to;
	uint64_t at;
	struct stop stop[IPL_BREAKPOINTS_MAX];
	size_t stop_count;
	uint32_t next_number;
	ipl_stop_fn ask;
	void *ask_context;
	struct ipl_arena values;

	/* Of the way that is being gone. */
	bool is_backward;
	uint64_t reached;
	uint64_t hit; /* the event at which one stops; backward: the last one so far */
	size_t hit_by;
	bool was_asked_to_stop;
};

enum ipl_status ipl_stepper_open(struct ipl_views *views, uint64_t from, uint64_t to,
				 struct ipl_stepper **out, struct ipl_error *err)
{
	struct ipl_stepper *stepper = calloc(1, sizeof(*stepper));

	assert(from <= to);
	if (stepper == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a session");
	stepper->views = views;
	stepper->from = stepper->at = from;
	stepper->to = to;
	stepper->next_number = 1;
	ipl_arena_init(&stepper->values, VALUE_BYTES);
	*out = stepper;
	return IPL_OK;
}

void ipl_stepper_close(struct ipl_stepper *stepper)
{
	if (stepper == NULL)
		return;
	for (size_t i = 0; i < stepper->stop_count; i++)
		ipl_arena_release(&stepper->stop[i].arena);
	ipl_arena_release(&stepper->values);
	free(stepper);
}

uint64_t ipl_stepper_at(const struct ipl_stepper *stepper)
{
	return stepper->at;
}

enum ipl_status ipl_stepper_state(struct ipl_stepper *stepper, const struct ipl_state **out,
				  struct ipl_error *err)
{
	return ipl_views_at(stepper->views, stepper->at, out, err);
}

enum ipl_status ipl_stepper_go(struct ipl_stepper *stepper, uint64_t seq, struct ipl_error *err)
{
	const struct ipl_state *unused;
	enum ipl_status st;

	if (seq < stepper->from || seq > stepper->to)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "%" PRIu64 " is outside of %" PRIu64 " to %" PRIu64, seq,
				  stepper->from, stepper->to);
	st = ipl_views_at(stepper->views, seq, &unused, err);
	if (st == IPL_OK)
		stepper->at = seq;
	return st;
}

void ipl_stepper_ask(struct ipl_stepper *stepper, ipl_stop_fn stop, void *context)
{
	stepper->ask = stop;
	stepper->ask_context = context;
}

/* --- breakpoints --- */

enum ipl_status ipl_stepper_break(struct ipl_stepper *stepper, struct ipl_str text,
				  uint32_t *number, struct ipl_error *err)
{
	struct stop *stop = &stepper->stop[stepper->stop_count];
	struct ipl_buf buf = { 0 };
	enum ipl_status st;

	if (stepper->stop_count == IPL_BREAKPOINTS_MAX)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "there are %u breakpoints: delete one first",
				  IPL_BREAKPOINTS_MAX);
	*stop = (struct stop){ .shown = { .number = stepper->next_number } };
	ipl_arena_init(&stop->arena, EXPR_BYTES);
	st = ipl_expr_parse(&stop->arena, text, &stop->expr, err);
	if (st == IPL_OK) {
		ipl_expr_print(stop->expr, &buf);
		stop->shown.text = ipl_arena_str(&stop->arena,
						 (struct ipl_str){ (const char *)buf.at, buf.len });
		stop->shown.is_of_event = ipl_expr_is_of_event(stop->expr);
	}
	if (st == IPL_OK && (buf.failed || stop->arena.failed))
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a breakpoint");
	ipl_buf_release(&buf);
	if (st != IPL_OK) {
		ipl_arena_release(&stop->arena);
		return st;
	}
	*number = stepper->next_number++;
	stepper->stop_count++;
	return IPL_OK;
}

bool ipl_stepper_delete(struct ipl_stepper *stepper, uint32_t number)
{
	for (size_t i = 0; i < stepper->stop_count; i++) {
		if (stepper->stop[i].shown.number != number)
			continue;
		ipl_arena_release(&stepper->stop[i].arena);
		stepper->stop_count--;
		memmove(&stepper->stop[i], &stepper->stop[i + 1],
			(stepper->stop_count - i) * sizeof(stepper->stop[0]));
		return true;
	}
	return false;
}

const struct ipl_breakpoint *ipl_stepper_breakpoint(const struct ipl_stepper *stepper, size_t index)
{
	return index < stepper->stop_count ? &stepper->stop[index].shown : NULL;
}

static enum ipl_status refuse_value(const struct stop *stop, const struct ipl_value *value,
				    struct ipl_error *err)
{
	return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
			  "breakpoint %u, %.*s, is %s: it takes true or false, so compare it",
			  stop->shown.number, IPL_STR_ARG(stop->shown.text),
			  ipl_value_type_name(value->type));
}

static enum ipl_status holds(const struct stop *stop, const struct ipl_value *value, bool *out,
			     struct ipl_error *err)
{
	if (value->type != IPL_VALUE_BOOL && value->type != IPL_VALUE_NIL)
		return refuse_value(stop, value, err);
	*out = value->type == IPL_VALUE_BOOL && value->boolean;
	return IPL_OK;
}

/* What holds already where the way begins. */
static enum ipl_status look_at_start(struct ipl_stepper *stepper, uint64_t seq,
				     struct ipl_error *err)
{
	const struct ipl_asked asked = { .views = stepper->views };
	enum ipl_status st = IPL_OK;

	for (size_t i = 0; st == IPL_OK && i < stepper->stop_count; i++) {
		struct stop *stop = &stepper->stop[i];
		struct ipl_value value;
		if (stop->shown.is_of_event)
			continue;
		ipl_arena_reset(&stepper->values);
		st = ipl_ask_value(&asked, seq, stop->expr, &stepper->values, &value, err);
		if (st == IPL_OK)
			st = holds(stop, &value, &stop->held, err);
	}
	return st;
}

static enum ipl_status on_step(void *context, const struct ipl_step *step, struct ipl_error *err)
{
	struct ipl_stepper *stepper = context;
	struct ipl_lens lens;
	const struct ipl_expr_scope scope = { &lens, step->ev, step->touches, &stepper->values };
	bool is_hit = false;

	ipl_lens_of_state(&lens, step->state, step->ev->time_ms, err);
	for (size_t i = 0; i < stepper->stop_count; i++) {
		struct stop *stop = &stepper->stop[i];
		bool is = false, stops;
		enum ipl_status st;
		ipl_arena_reset(&stepper->values);
		st = ipl_expr_holds(stop->expr, &scope, &is, err);
		if (st != IPL_OK)
			return st;
		stops = is && (stop->shown.is_of_event || !stop->held);
		stop->held = is;
		if (!stops || is_hit)
			continue;
		is_hit = true;
		stepper->hit = step->ev->seq;
		stepper->hit_by = i;
	}
	stepper->reached = step->ev->seq;
	if (stepper->ask != NULL && stepper->ask(stepper->ask_context, step->ev->seq)) {
		stepper->was_asked_to_stop = true;
		return IPL_ERR_END;
	}
	return is_hit && !stepper->is_backward ? IPL_ERR_END : IPL_OK;
}

/* Look at the events after @from up to @to. */
static enum ipl_status look(struct ipl_stepper *stepper, uint64_t from, uint64_t to,
			    struct ipl_error *err)
{
	enum ipl_status st = look_at_start(stepper, from, err);

	stepper->hit = 0;
	stepper->reached = from;
	stepper->was_asked_to_stop = false;
	return st == IPL_OK ? ipl_views_walk(stepper->views, from, to, on_step, stepper, err) : st;
}

static void note_hit(struct ipl_stepper *stepper, uint32_t *number)
{
	*number = 0;
	if (stepper->hit == 0)
		return;
	*number = stepper->stop[stepper->hit_by].shown.number;
	stepper->stop[stepper->hit_by].shown.hits++;
}

enum ipl_status ipl_stepper_continue(struct ipl_stepper *stepper, uint32_t *number,
				     struct ipl_error *err)
{
	enum ipl_status st;

	stepper->is_backward = false;
	st = look(stepper, stepper->at, stepper->to, err);
	if (st != IPL_OK)
		return st;
	stepper->at = stepper->reached;
	note_hit(stepper, number);
	return IPL_OK;
}

/* Where a window that ends at @to begins: at a state that is there, if that is near enough. */
static uint64_t window_start(const struct ipl_stepper *stepper, uint64_t to)
{
	uint64_t kept[IPL_VIEWS_KEPT_MAX], start = stepper->from;
	size_t count = ipl_views_kept(stepper->views, kept, IPL_VIEWS_KEPT_MAX);

	for (size_t i = 0; i < count; i++) {
		if (kept[i] > start && kept[i] + WINDOW_LEAST <= to)
			start = kept[i];
	}
	return start;
}

/* Window by window, the last one first: in each the last event at which one stops counts. */
enum ipl_status ipl_stepper_reverse(struct ipl_stepper *stepper, uint32_t *number,
				    struct ipl_error *err)
{
	uint64_t to = stepper->at == 0 ? 0 : stepper->at - 1;

	stepper->is_backward = true;
	stepper->hit = 0;
	stepper->was_asked_to_stop = false;
	while (to > stepper->from && stepper->hit == 0 && !stepper->was_asked_to_stop) {
		uint64_t start = window_start(stepper, to);
		enum ipl_status st = look(stepper, start, to, err);
		if (st != IPL_OK)
			return st;
		to = start;
	}
	if (stepper->was_asked_to_stop) { /* it goes no further than what it knows */
		stepper->hit = 0;
		*number = 0;
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "stopped on the way back: still at %" PRIu64, stepper->at);
	}
	stepper->at = stepper->hit == 0 ? stepper->from : stepper->hit;
	note_hit(stepper, number);
	return IPL_OK;
}
