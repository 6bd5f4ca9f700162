/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transact: several operations, all or none. Each is decided on a fork of the
 * state into which the events before it are folded; the state itself is not
 * touched, so that a refusal at the end has nothing to undo.
 */
#include "operations/operations_internal.h"

#include <inttypes.h>
#include <string.h>

#include "events/time.h"

struct transact {
	struct ipl_transaction *out;
	const struct ipl_transact_request *request;
	struct ipl_state *fork;
	struct ipl_arena *arena;
	struct ipl_error *err;
	uint32_t step; /* the operation at hand, from 1 */
};

/* --- references to earlier results --- */

/* "$2.InstanceIdSets.InstanceIdSet.1": the 2 and the rest; false for any other text. */
static bool is_reference(struct ipl_str s, int64_t *of, struct ipl_str *path)
{
	size_t digits = 0;

	while (digits + 1 < s.len && s.at[digits + 1] >= '0' && s.at[digits + 1] <= '9')
		digits++;
	if (s.len < 1 || s.at[0] != '$' || digits == 0 || digits + 2 >= s.len ||
	    s.at[digits + 1] != '.')
		return false;
	*path = (struct ipl_str){ s.at + digits + 2, s.len - digits - 2 };
	for (size_t i = 0; i < path->len; i++) {
		char c = path->at[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      (i > 0 && ((c >= '0' && c <= '9') || c == '.'))))
			return false;
	}
	return ipl_str_to_int((struct ipl_str){ s.at + 1, digits }, of);
}

static enum ipl_status refer(struct transact *t, struct ipl_value *value)
{
	const struct ipl_value *found = NULL;
	struct ipl_str path;
	int64_t of;

	if (!is_reference(value->str, &of, &path))
		return IPL_OK;
	if (of >= 1 && of < t->step)
		found = ipl_value_at(&t->out->result[of - 1], path);
	if (found == NULL) {
		ipl_refuse_parameter(t->err, IPL_CODE_INVALID_PARAMETER, "Operations",
				     "%.*s refers to nothing: operation %u may name members of "
				     "the results before it, from $1 on",
				     IPL_STR_ARG(value->str), t->step);
		return IPL_REFUSED;
	}
	*value = *found;
	return IPL_OK;
}

/* A copy of @value in which references are replaced. */
static enum ipl_status resolve(struct transact *t, const struct ipl_value *value,
			       struct ipl_value *out)
{
	enum ipl_status st = IPL_OK;

	*out = *value;
	if (value->type == IPL_VALUE_STR)
		return refer(t, out);
	if (value->type == IPL_VALUE_ARRAY) {
		*out = ipl_array();
		for (uint32_t i = 0; st == IPL_OK && i < value->count; i++) {
			struct ipl_value item;
			st = resolve(t, &value->item[i], &item);
			ipl_array_add(t->arena, out, item);
		}
	} else if (value->type == IPL_VALUE_MAP) {
		*out = ipl_map();
		for (uint32_t i = 0; st == IPL_OK && i < value->count; i++) {
			struct ipl_value item;
			st = resolve(t, &value->member[i].value, &item);
			ipl_map_add_str(t->arena, out, value->member[i].key, item);
		}
	}
	return st;
}

/* --- one operation --- */

static enum ipl_status find_operation(struct transact *t, struct ipl_str name,
				      const struct ipl_operation **out)
{
	*out = ipl_operation_find(name);
	if (*out == NULL)
		return ipl_refuse(t->err, IPL_CODE_UNKNOWN_OPERATION,
				  "there is no operation %.64s: `ipledger help operations` lists "
				  "them",
				  ipl_arena_str(t->arena, name).at);
	if ((*out)->decide == NULL)
		return ipl_refuse_parameter(t->err, IPL_CODE_INVALID_PARAMETER, "Operations",
					    "%s cannot stand in a transaction: single writes can",
					    (*out)->name);
	if (((*out)->flags & t->request->forbidden) != 0)
		return ipl_refuse(t->err, IPL_CODE_FORBIDDEN, "%s is for the role admin",
				  (*out)->name);
	return IPL_OK;
}

/* Token, reason and the like are those of the whole. */
static enum ipl_status check_common(struct transact *t, const struct ipl_value *params,
				    const struct ipl_common *common)
{
	static const char *const whole[] = { "ClientToken", "DryRun", "IfSeq",
					     "Reason",      "Actor",  "EventTime" };

	for (size_t i = 0; i < IPL_ARRAY_SIZE(whole); i++) {
		if (ipl_map_get(params, whole[i]) != NULL)
			return ipl_refuse_parameter(t->err, IPL_CODE_UNSUPPORTED_PARAMETER,
						    whole[i],
						    "%s is one for the whole transaction: give it "
						    "beside Operations",
						    whole[i]);
	}
	return ipl_operation_check_region(common->region, t->request->region, t->err);
}

static void add_when(struct transact *t, struct ipl_value *result, uint64_t seq, int64_t time_ms)
{
	char text[IPL_TIME_TEXT_MAX];

	ipl_time_format(time_ms, text);
	ipl_map_add(t->arena, result, "RequestId", ipl_text(t->request->request_id));
	ipl_map_add(t->arena, result, "Seq", ipl_int((int64_t)seq));
	ipl_map_add(t->arena, result, "Time", ipl_text_copy(t->arena, text));
}

/* Keep the event, as it may borrow from the fork, and fold it there. */
static enum ipl_status keep(struct transact *t, const struct ipl_event *ev)
{
	struct ipl_event *kept = &t->out->ev[t->out->count];
	struct ipl_touches touches;
	enum ipl_status st;

	*kept = *ev;
	ipl_record_copy(t->arena, ipl_event_record(ev->type), &ev->body, &kept->body);
	kept->seq = ipl_state_seq(t->fork) + 1;
	kept->group_step = t->step;
	t->out->count++;
	st = ipl_event_touches(t->arena, kept, &touches, t->err);
	if (st == IPL_OK && t->arena->failed)
		st = ipl_error_set(t->err, IPL_ERR_NOMEM, "out of memory for a transaction");
	return st == IPL_OK ? ipl_reduce(t->fork, kept, &touches, t->err) : st;
}

static const struct ipl_value *params_of(const struct ipl_args_transact_step *step)
{
	static const struct ipl_value nothing = { .type = IPL_VALUE_MAP };

	return step->params == NULL || step->params->type == IPL_VALUE_NIL ? &nothing :
									     step->params;
}

static enum ipl_status decide_one(struct transact *t, const struct ipl_args_transact_step *step)
{
	const struct ipl_value *given = params_of(step);
	struct ipl_value *result = &t->out->result[t->step - 1], params;
	const struct ipl_operation *operation;
	struct ipl_common common = { .late = NULL };
	struct ipl_event ev;
	struct ipl_decision d = { .state = t->fork,
				  .time_ms = t->request->time_ms,
				  .arena = t->arena,
				  .err = t->err,
				  .ev = &ev };
	void *args;
	enum ipl_status st = find_operation(t, step->operation, &operation);

	if (st == IPL_OK && given->type != IPL_VALUE_MAP)
		st = ipl_refuse_parameter(t->err, IPL_CODE_INVALID_PARAMETER, "Operations",
					  "the Params of operation %u are %s: they must be a map",
					  t->step, ipl_value_type_name(given->type));
	if (st == IPL_OK)
		st = resolve(t, given, &params);
	if (st != IPL_OK)
		return st;
	args = ipl_arena_alloc(t->arena, operation->params->size_bytes);
	if (args == NULL)
		return ipl_error_set(t->err, IPL_ERR_NOMEM, "out of memory for a request");
	st = ipl_operation_parse(operation, &params, t->arena, args, &common, t->err);
	if (st == IPL_OK)
		st = check_common(t, &params, &common);
	d.operation = operation;
	d.args = args;
	d.late = common.late;
	if (st == IPL_OK)
		st = ipl_operation_decide(&d);
	if (st != IPL_OK)
		return st;
	if (d.answered_by != 0) {
		*result = d.early_result;
		add_when(t, result, d.answered_by, d.answered_ms);
		return IPL_OK;
	}
	ev.time_ms = t->request->time_ms; /* a result may say when */
	*result =
		ipl_operation_result(t->arena, t->request->region, ipl_state_letters(t->fork), &ev);
	add_when(t, result, ipl_state_seq(t->fork) + 1, t->request->time_ms);
	return keep(t, &ev);
}

/* --- all of them --- */

enum ipl_status ipl_transact_decide(const struct ipl_state *state,
				    const struct ipl_args_transact *args,
				    const struct ipl_transact_request *request,
				    struct ipl_arena *arena, struct ipl_transaction *out,
				    struct ipl_error *err)
{
	const struct ipl_args_transact_step *steps = args->operations.at;
	struct transact t = { out, request, ipl_state_fork(state), arena, err, 0 };
	enum ipl_status st = IPL_OK;

	*out = (struct ipl_transaction){
		.ev = ipl_arena_array(arena, args->operations.count, sizeof(*out->ev)),
		.result = ipl_arena_array(arena, args->operations.count, sizeof(*out->result)),
	};
	if (t.fork == NULL || arena->failed)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a transaction");
	while (st == IPL_OK && t.step < args->operations.count) {
		t.step++;
		st = decide_one(&t, &steps[t.step - 1]);
	}
	if (st == IPL_REFUSED)
		ipl_error_add(err, "Index", ipl_int(t.step));
	for (uint32_t i = 0; i < out->count; i++) {
		out->ev[i].group_place = i + 1;
		out->ev[i].group_size = out->count;
	}
	ipl_state_free(t.fork);
	return st;
}

struct ipl_value ipl_transact_result(struct ipl_arena *arena, const struct ipl_value *results,
				     uint32_t count, uint64_t first_seq, uint64_t last_seq)
{
	struct ipl_value map = ipl_map(), list = ipl_array();

	for (uint32_t i = 0; i < count; i++)
		ipl_array_add(arena, &list, results[i]);
	ipl_map_add(arena, &map, "Results", list);
	ipl_map_add(arena, &map, "FirstSeq",
		    first_seq == 0 ? ipl_nil() : ipl_int((int64_t)first_seq));
	ipl_map_add(arena, &map, "LastSeq", last_seq == 0 ? ipl_nil() : ipl_int((int64_t)last_seq));
	return map;
}

/* --- the same answer again, from the log --- */

/* An operation that had appended nothing: what it answered was a fact before it. */
static enum ipl_status answer_public_ip(struct transact *t, struct ipl_lens *lens,
					const struct ipl_value *params, struct ipl_value *result)
{
	enum ipl_kind kind = IPL_KIND_NONE;
	const union ipl_entity *instance = NULL;
	struct ipl_holding holding;
	uint64_t number;

	if (ipl_id_parse(lens->letters, ipl_map_text(params, "InstanceId"), &kind, &number) &&
	    kind == IPL_KIND_INSTANCE)
		instance = lens->find(lens, kind, number);
	if (instance == NULL)
		return lens->status != IPL_OK ?
			       lens->status :
			       ipl_error_set(t->err, IPL_ERR_CORRUPT,
					     "operation %u of a transaction cannot be followed",
					     t->step);
	holding = lens->holding(lens, ipl_key_ip4(0, instance->instance.public_ip));
	*result = ipl_map();
	ipl_map_add(t->arena, result, "IpAddress",
		    ipl_show_ip4(t->arena, instance->instance.public_ip));
	add_when(t, result, holding.since_seq, holding.since_ms);
	return lens->status;
}

enum ipl_status ipl_transact_again(const struct ipl_args_transact *args,
				   const struct ipl_transact_request *request,
				   const struct ipl_event *events, uint32_t count,
				   ipl_transact_lens_fn open_lens, void *context,
				   struct ipl_arena *arena, struct ipl_value *results,
				   struct ipl_error *err)
{
	const struct ipl_args_transact_step *steps = args->operations.at;
	struct ipl_transaction done = { .result = results };
	struct transact t = { &done, request, NULL, arena, err, 0 };
	enum ipl_status st = IPL_OK;
	uint32_t at = 0;

	while (st == IPL_OK && t.step < args->operations.count) {
		struct ipl_value *result = &results[t.step++];
		struct ipl_value params;
		struct ipl_lens *lens;
		if (at < count && events[at].group_step == t.step) {
			*result = ipl_operation_result(arena, request->region, request->letters,
						       &events[at]);
			add_when(&t, result, events[at].seq, events[at].time_ms);
			at++;
			continue;
		}
		st = resolve(&t, params_of(&steps[t.step - 1]), &params);
		if (st != IPL_OK)
			break;
		lens = open_lens(context, events[0].seq - 1 + at, err);
		if (lens == NULL)
			return err->status;
		st = answer_public_ip(&t, lens, &params, result);
	}
	return st;
}
