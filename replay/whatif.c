/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two states go side by side from before the first change on: the one that was,
 * and the one that would be. In the second each operation is decided; it numbers
 * new entities above all recorded ones, and the numbers of the recorded event are
 * then put in their place.
 */
#include "replay/whatif.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "operations/operation.h"
#include "replay/request.h"

#define SCRATCH_BYTES ((size_t)256 << 20)

struct whatif {
	struct ipl_views *views;
	const struct ipl_whatif_change **change; /* by seq; inserts at one seq in their order */
	size_t change_count;
	size_t next_change;
	uint64_t head;
	struct ipl_state *was;
	struct ipl_state *is;
	struct ipl_arena scratch; /* of the event or transaction at hand */
	ipl_fated_fn fn;
	void *context;
	struct ipl_whatif_result *result;
	struct ipl_error *err;
};

/* --- records, by their tables --- */

/* New numbers of one event: as many as the recorded event had become its numbers, the rest move up.
 */
struct renumbering {
	uint64_t fresh[IPL_KIND_COUNT];
	uint64_t recorded[IPL_KIND_COUNT];
	uint64_t count[IPL_KIND_COUNT];
};

static uint64_t renumbered(const struct renumbering *r, enum ipl_kind kind, uint64_t number)
{
	uint64_t place = number - r->fresh[kind];

	if (number < r->fresh[kind])
		return number;
	return place < r->count[kind] ? r->recorded[kind] + place :
					r->fresh[kind] + (place - r->count[kind]);
}

static void renumber(const struct renumbering *r, const struct ipl_record *record, void *at)
{
	for (uint32_t i = 0; i < record->field_count; i++) {
		const struct ipl_field *field = &record->field[i];
		enum ipl_kind kind = ipl_field_entity(field->kind);
		void *value = (char *)at + field->offset;
		if (kind != IPL_KIND_NONE && kind != IPL_KIND_LEDGER) {
			*(uint64_t *)value = renumbered(r, kind, *(uint64_t *)value);
		} else if (field->kind == IPL_FIELD_RECORD) {
			renumber(r, field->record, value);
		} else if (field->kind == IPL_FIELD_LIST) {
			struct ipl_any_list *list = value;
			for (uint32_t k = 0; k < list->count; k++)
				renumber(r, field->record,
					 (char *)list->at + k * field->record->size_bytes);
		}
	}
}

static bool same_record(const struct ipl_record *record, const void *a, const void *b);

static bool same_list(const struct ipl_record *record, const struct ipl_any_list *a,
		      const struct ipl_any_list *b)
{
	bool same = a->count == b->count;

	for (uint32_t i = 0; same && i < a->count; i++)
		same = same_record(record, (const char *)a->at + i * record->size_bytes,
				   (const char *)b->at + i * record->size_bytes);
	return same;
}

#define SAME(type) (*(const type *)a == *(const type *)b)

static bool same_field(const struct ipl_field *field, const void *a, const void *b)
{
	switch (field->kind) {
	case IPL_FIELD_BOOL:
		return SAME(bool);
	case IPL_FIELD_TIME:
		return SAME(int64_t);
	case IPL_FIELD_STR:
		return ipl_str_equal(*(const struct ipl_str *)a, *(const struct ipl_str *)b);
	case IPL_FIELD_IP4:
		return SAME(uint32_t);
	case IPL_FIELD_CIDR4:
		return ipl_cidr4_equal(*(const struct ipl_cidr4 *)a, *(const struct ipl_cidr4 *)b);
	case IPL_FIELD_IP6:
		return ((const struct ipl_ip6 *)a)->hi == ((const struct ipl_ip6 *)b)->hi &&
		       ((const struct ipl_ip6 *)a)->lo == ((const struct ipl_ip6 *)b)->lo;
	case IPL_FIELD_CIDR6:
		return ((const struct ipl_cidr6 *)a)->hi == ((const struct ipl_cidr6 *)b)->hi &&
		       ((const struct ipl_cidr6 *)a)->prefix_len ==
			       ((const struct ipl_cidr6 *)b)->prefix_len;
	case IPL_FIELD_CHARGE:
		return SAME(enum ipl_charge);
	case IPL_FIELD_RUN:
		return SAME(enum ipl_run);
	case IPL_FIELD_MODE:
		return SAME(enum ipl_mode);
	case IPL_FIELD_STOPPED:
		return SAME(enum ipl_stopped);
	case IPL_FIELD_RECORD:
		return same_record(field->record, a, b);
	case IPL_FIELD_LIST:
		return same_list(field->record, a, b);
	case IPL_FIELD_NUM:
	case IPL_FIELD_LEDGER:
	case IPL_FIELD_VPC:
	case IPL_FIELD_VSWITCH:
	case IPL_FIELD_INSTANCE:
	case IPL_FIELD_ENI:
	case IPL_FIELD_EIP:
	case IPL_FIELD_IPV6:
	case IPL_FIELD_IPV6GW:
	case IPL_FIELD_IPV6BW:
		return SAME(uint64_t);
	}
	return false;
}

#undef SAME

static bool same_record(const struct ipl_record *record, const void *a, const void *b)
{
	bool same = true;

	for (uint32_t i = 0; same && i < record->field_count; i++)
		same = same_field(&record->field[i], (const char *)a + record->field[i].offset,
				  (const char *)b + record->field[i].offset);
	return same;
}

/* --- one operation --- */

/* An operation to be decided: a recorded event's, or a change's. */
struct todo {
	const struct ipl_event *was;            /* NULL: put in */
	const struct ipl_whatif_change *change; /* NULL: recorded; a DROP is never decided */
	struct ipl_value request;               /* of what was recorded */
	struct renumbering numbers;
	uint64_t seq;
	int64_t time_ms;
};

/* What it comes to. */
struct done {
	enum ipl_fate fate;
	struct ipl_event ev;
	struct ipl_touches touches;
	struct ipl_error err;
};

static enum ipl_status no_memory(struct whatif *w)
{
	return ipl_error_set(w->err, IPL_ERR_NOMEM, "out of memory for what would have been");
}

/* Members that are about how a request was sent, not about what it asks for. */
static enum ipl_status check_common(const struct ipl_state *state, const struct ipl_common *common,
				    struct ipl_error *err)
{
	if (common->client_token.len > 0 || common->dry_run || common->if_seq != IPL_ABSENT ||
	    common->event_time_ms != IPL_ABSENT)
		return ipl_refuse(err, IPL_CODE_UNSUPPORTED_PARAMETER,
				  "ClientToken, DryRun, IfSeq and EventTime mean nothing here");
	return ipl_operation_check_region(common->region, ipl_state_ledger(state)->settings.region,
					  err);
}

static enum ipl_status find_operation(struct ipl_str name, const struct ipl_operation **out,
				      struct ipl_error *err)
{
	*out = ipl_operation_find(name);
	if (*out == NULL)
		return ipl_refuse(err, IPL_CODE_UNKNOWN_OPERATION,
				  "there is no operation %.*s: `ipledger help operations` lists "
				  "them",
				  (int)(name.len < 64 ? name.len : 64), name.at);
	if ((*out)->decide == NULL)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "%s is no single write: only those change history", (*out)->name);
	return IPL_OK;
}

/* Who, why and when, from the record or the change. */
static void fill_envelope(const struct todo *todo, const struct ipl_common *common,
			  struct ipl_event *ev)
{
	const struct ipl_event *was = todo->was;

	if (was != NULL) {
		ev->principal = was->principal;
		ev->actor = was->actor;
		ev->reason = was->reason;
		memcpy(ev->request_id, was->request_id, sizeof(ev->request_id));
		ev->group_place = was->group_place;
		ev->group_size = was->group_size;
		ev->group_step = was->group_step;
	} else {
		ev->principal = IPL_STR("whatif");
	}
	if (todo->change != NULL) {
		ev->actor = common->actor;
		ev->reason = common->reason;
	}
	ev->seq = todo->seq;
	ev->time_ms = todo->time_ms;
}

static enum ipl_status decide_on(struct whatif *w, struct ipl_state *on, const struct todo *todo,
				 struct done *out)
{
	const struct ipl_operation *operation = NULL;
	struct ipl_common common = { .late = NULL };
	struct ipl_decision d = { .state = on,
				  .time_ms = todo->time_ms,
				  .arena = &w->scratch,
				  .err = &out->err,
				  .ev = &out->ev };
	const struct ipl_value *params =
		todo->change != NULL ? &todo->change->params : &todo->request;
	struct ipl_str name = todo->change != NULL ? todo->change->operation :
						     ipl_str_of(ipl_op_name(todo->was->op));
	void *args = NULL;
	enum ipl_status st = find_operation(name, &operation, &out->err);

	if (st == IPL_OK)
		args = ipl_arena_alloc(&w->scratch, operation->params->size_bytes);
	if (st == IPL_OK && args == NULL)
		return no_memory(w);
	if (st == IPL_OK)
		st = ipl_operation_parse(operation, params, &w->scratch, args, &common, &out->err);
	if (st == IPL_OK)
		st = check_common(on, &common, &out->err);
	d.operation = operation;
	d.args = args;
	d.late = common.late;
	if (st == IPL_OK)
		st = ipl_operation_decide(&d);
	if (st == IPL_OK && d.answered_by == 0)
		fill_envelope(todo, &common, &out->ev);
	out->fate = st == IPL_REFUSED  ? IPL_FATE_REFUSED :
		    d.answered_by != 0 ? IPL_FATE_NEEDLESS :
					 IPL_FATE_OTHERWISE;
	return st == IPL_REFUSED ? IPL_OK : st;
}

/* Decide @todo in @on; the event, if there is one, is then ready to be folded. */
static enum ipl_status decide(struct whatif *w, struct ipl_state *on, struct todo *todo,
			      struct done *out)
{
	const struct ipl_record *record;
	enum ipl_status st;

	*out = (struct done){ .err = IPL_ERROR_INIT(&w->scratch) };
	ipl_state_advance(on, todo->time_ms);
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		todo->numbers.fresh[kind] = ipl_state_next_number(on, (enum ipl_kind)kind);
	w->result->decided++;
	st = decide_on(w, on, todo, out);
	if (st != IPL_OK)
		return ipl_error_set(w->err, st, "event %" PRIu64 ": %.400s", todo->seq,
				     out->err.text);
	if (out->fate != IPL_FATE_OTHERWISE)
		return IPL_OK;
	record = ipl_event_record(out->ev.type);
	/* A copy of its own: it borrows from the state that it is about to change. */
	ipl_record_copy(&w->scratch, record, &out->ev.body, &out->ev.body);
	renumber(&todo->numbers, record, &out->ev.body);
	if (todo->was != NULL && todo->was->type == out->ev.type &&
	    same_record(record, &todo->was->body, &out->ev.body))
		out->fate = IPL_FATE_SAME;
	return ipl_event_touches(&w->scratch, &out->ev, &out->touches, w->err);
}

static void tell(struct whatif *w, const struct todo *todo, const struct done *done,
		 uint64_t because)
{
	const struct ipl_fated fated = {
		.seq = todo->seq,
		.fate = done->fate,
		.change = todo->change,
		.was = todo->was,
		.is = done->fate == IPL_FATE_SAME || done->fate == IPL_FATE_OTHERWISE ? &done->ev :
											NULL,
		.err = done->fate == IPL_FATE_REFUSED ? &done->err : NULL,
		.because = because,
	};

	w->result->same += done->fate == IPL_FATE_SAME;
	w->result->otherwise_count += done->fate == IPL_FATE_OTHERWISE;
	w->result->refused += done->fate == IPL_FATE_REFUSED;
	w->result->needless += done->fate == IPL_FATE_NEEDLESS;
	if (done->fate != IPL_FATE_SAME || todo->change != NULL)
		w->fn(w->context, &fated);
}

static bool makes_event(const struct done *done)
{
	return done->fate == IPL_FATE_SAME || done->fate == IPL_FATE_OTHERWISE;
}

/* --- a recorded event --- */

/* Decode event @seq, turn it back, and fold it into what was. */
static enum ipl_status load(struct whatif *w, uint64_t seq, struct todo *out)
{
	struct ipl_event *ev = ipl_arena_alloc(&w->scratch, sizeof(*ev));
	struct ipl_touches touches;
	enum ipl_status st;

	if (ev == NULL)
		return no_memory(w);
	*out = (struct todo){ .was = ev, .seq = seq };
	st = ipl_views_event(w->views, seq, &w->scratch, ev, w->err);
	if (st == IPL_OK)
		st = ipl_event_touches(&w->scratch, ev, &touches, w->err);
	if (st != IPL_OK)
		return st;
	out->time_ms = ev->time_ms;
	out->request = ipl_request_of(&w->scratch, w->was, ev);
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		out->numbers.recorded[kind] = ipl_state_next_number(w->was, (enum ipl_kind)kind);
	st = ipl_reduce(w->was, ev, &touches, w->err);
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		out->numbers.count[kind] = ipl_state_next_number(w->was, (enum ipl_kind)kind) -
					   out->numbers.recorded[kind];
	return st;
}

/* The change at @seq that is at hand, of the kinds that are about the event itself; NULL: none. */
static const struct ipl_whatif_change *take_change(struct whatif *w, uint64_t seq, bool inserts)
{
	const struct ipl_whatif_change *change =
		w->next_change < w->change_count ? w->change[w->next_change] : NULL;

	if (change == NULL || change->seq != seq || (change->kind == IPL_CHANGE_INSERT) != inserts)
		return NULL;
	w->next_change++;
	return change;
}

static enum ipl_status insert_all(struct whatif *w, uint64_t seq)
{
	const struct ipl_whatif_change *change;
	enum ipl_status st = IPL_OK;

	while (st == IPL_OK && (change = take_change(w, seq, true)) != NULL) {
		struct todo todo = { .change = change,
				     .seq = seq,
				     .time_ms = ipl_state_time_ms(w->was) };
		struct done done;
		st = decide(w, w->is, &todo, &done);
		if (st != IPL_OK)
			break;
		tell(w, &todo, &done, 0);
		if (makes_event(&done))
			st = ipl_reduce(w->is, &done.ev, &done.touches, w->err);
	}
	return st;
}

static enum ipl_status do_single(struct whatif *w, struct todo *todo)
{
	struct done done = { .fate = IPL_FATE_DROPPED };
	enum ipl_status st = IPL_OK;

	todo->change = take_change(w, todo->seq, false);
	if (todo->change == NULL || todo->change->kind != IPL_CHANGE_DROP)
		st = decide(w, w->is, todo, &done);
	if (st != IPL_OK)
		return st;
	tell(w, todo, &done, 0);
	return makes_event(&done) ? ipl_reduce(w->is, &done.ev, &done.touches, w->err) : IPL_OK;
}

/* --- a transaction: on a fork, then in earnest --- */

static enum ipl_status decide_group(struct whatif *w, struct todo *todo, struct done *done,
				    uint64_t count, struct ipl_state *fork, uint64_t *refused)
{
	enum ipl_status st = IPL_OK;

	for (uint64_t i = 0; st == IPL_OK && i < count; i++) {
		todo[i].change = take_change(w, todo[i].seq, false);
		done[i].fate = IPL_FATE_DROPPED;
		if (*refused != 0)
			done[i].fate = IPL_FATE_REFUSED;
		if (todo[i].change != NULL && todo[i].change->kind == IPL_CHANGE_DROP)
			done[i].fate = IPL_FATE_DROPPED;
		else if (*refused == 0)
			st = decide(w, fork, &todo[i], &done[i]);
		if (st == IPL_OK && *refused == 0 && done[i].fate == IPL_FATE_REFUSED)
			*refused = todo[i].seq;
		if (st == IPL_OK && makes_event(&done[i]))
			st = ipl_reduce(fork, &done[i].ev, &done[i].touches, w->err);
	}
	return st;
}

static enum ipl_status finish_group(struct whatif *w, struct todo *todo, struct done *done,
				    uint64_t count, uint64_t refused)
{
	const struct ipl_error *why = NULL;
	enum ipl_status st = IPL_OK;

	for (uint64_t i = 0; i < count; i++) {
		if (todo[i].seq == refused)
			why = &done[i].err;
	}
	for (uint64_t i = 0; st == IPL_OK && i < count; i++) {
		bool falls = refused != 0 && done[i].fate != IPL_FATE_DROPPED;
		if (falls) {
			done[i].fate = IPL_FATE_REFUSED;
			done[i].err = *why;
		}
		tell(w, &todo[i], &done[i], falls && todo[i].seq != refused ? refused : 0);
		if (makes_event(&done[i]))
			st = ipl_reduce(w->is, &done[i].ev, &done[i].touches, w->err);
	}
	return st;
}

static enum ipl_status check_no_insert(struct whatif *w, uint64_t first, uint64_t last)
{
	for (size_t i = w->next_change; i < w->change_count; i++) {
		const struct ipl_whatif_change *change = w->change[i];
		if (change->kind == IPL_CHANGE_INSERT && change->seq > first && change->seq <= last)
			return ipl_refuse(w->err, IPL_CODE_INVALID_PARAMETER,
					  "event %" PRIu64 " is inside a transaction (%" PRIu64
					  " to %" PRIu64 "): insert at %" PRIu64 " or %" PRIu64,
					  change->seq, first, last, first, last + 1);
	}
	return IPL_OK;
}

static enum ipl_status do_group(struct whatif *w, struct todo *first, uint64_t count)
{
	struct todo *todo = ipl_arena_array(&w->scratch, count, sizeof(*todo));
	struct done *done = ipl_arena_array(&w->scratch, count, sizeof(*done));
	struct ipl_state *fork = NULL;
	uint64_t refused = 0;
	enum ipl_status st = check_no_insert(w, first->seq, first->seq + count - 1);

	if (st == IPL_OK && (todo == NULL || done == NULL))
		st = no_memory(w);
	if (st != IPL_OK)
		return st;
	todo[0] = *first;
	for (uint64_t i = 1; st == IPL_OK && i < count; i++)
		st = load(w, first->seq + i, &todo[i]);
	if (st != IPL_OK)
		return st;
	ipl_state_advance(w->is, first->time_ms);
	fork = ipl_state_fork(w->is);
	st = fork == NULL ? no_memory(w) : decide_group(w, todo, done, count, fork, &refused);
	if (st == IPL_OK)
		st = finish_group(w, todo, done, count, refused);
	ipl_state_free(fork);
	return st;
}

static enum ipl_status decide_from(struct whatif *w, uint64_t seq)
{
	enum ipl_status st = IPL_OK;

	while (st == IPL_OK && seq <= w->head) {
		struct todo todo;
		uint64_t count;
		ipl_arena_reset(&w->scratch);
		st = insert_all(w, seq);
		if (st == IPL_OK)
			st = load(w, seq, &todo);
		if (st != IPL_OK)
			return st;
		count = todo.was->group_size > 1 ? todo.was->group_size : 1;
		if (count > w->head - seq + 1)
			return ipl_error_set(w->err, IPL_ERR_CORRUPT,
					     "the transaction of event %" PRIu64 " is cut off",
					     seq);
		st = count > 1 ? do_group(w, &todo, count) : do_single(w, &todo);
		seq += count;
	}
	ipl_arena_reset(&w->scratch);
	return st == IPL_OK ? insert_all(w, w->head + 1) : st;
}

/* --- the changes --- */

static int by_seq(const void *a, const void *b)
{
	const struct ipl_whatif_change *x = *(const struct ipl_whatif_change *const *)a;
	const struct ipl_whatif_change *y = *(const struct ipl_whatif_change *const *)b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	/* What is put in before the event comes before what is done to it. */
	if ((x->kind == IPL_CHANGE_INSERT) != (y->kind == IPL_CHANGE_INSERT))
		return x->kind == IPL_CHANGE_INSERT ? -1 : 1;
	return x < y ? -1 : x > y; /* they are in one array, in the order that was given */
}

static enum ipl_status check_changes(const struct whatif *w, struct ipl_error *err)
{
	for (size_t i = 0; i < w->change_count; i++) {
		const struct ipl_whatif_change *change = w->change[i];
		bool inserts = change->kind == IPL_CHANGE_INSERT;
		const struct ipl_operation *unused;
		if (change->seq < 2 || change->seq > w->head + inserts)
			return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
					  "%" PRIu64 " is no event that can be %s: 2 to %" PRIu64
					  " can (event 1 makes the ledger)",
					  change->seq, inserts ? "inserted before" : "changed",
					  w->head + inserts);
		if (i > 0 && !inserts && w->change[i - 1]->seq == change->seq &&
		    w->change[i - 1]->kind != IPL_CHANGE_INSERT)
			return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
					  "event %" PRIu64 " is changed twice", change->seq);
		if (change->kind != IPL_CHANGE_DROP &&
		    find_operation(change->operation, &unused, err) != IPL_OK)
			return IPL_REFUSED;
		if (change->kind != IPL_CHANGE_DROP && change->params.type != IPL_VALUE_MAP)
			return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
					  "the Params of %.*s are %s: they must be a map",
					  IPL_STR_ARG(change->operation),
					  ipl_value_type_name(change->params.type));
	}
	return IPL_OK;
}

/* A transaction is decided again from its beginning. */
static enum ipl_status find_first(struct whatif *w, uint64_t *first)
{
	struct ipl_event ev;
	enum ipl_status st;

	*first = w->change_count == 0 ? w->head + 1 : w->change[0]->seq;
	if (*first > w->head)
		return IPL_OK;
	st = ipl_views_event(w->views, *first, &w->scratch, &ev, w->err);
	if (st == IPL_OK && ev.group_place > 1 && ev.group_place < *first)
		*first -= ev.group_place - 1;
	return st;
}

/* Both states as of before the first change. */
static enum ipl_status begin(struct whatif *w, uint64_t first)
{
	uint64_t next[IPL_KIND_COUNT] = { 0 };
	const struct ipl_state *state;
	enum ipl_status st = ipl_views_at(w->views, w->head, &state, w->err);

	if (st != IPL_OK)
		return st;
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		next[kind] = ipl_state_next_number(state, (enum ipl_kind)kind);
	st = ipl_views_at(w->views, first - 1, &state, w->err);
	if (st != IPL_OK)
		return st;
	w->was = ipl_state_copy(state);
	w->is = ipl_state_copy(state);
	if (w->was == NULL || w->is == NULL)
		return no_memory(w);
	ipl_state_loosen(w->is, next);
	return IPL_OK;
}

enum ipl_status ipl_whatif(struct ipl_views *views, uint64_t head,
			   const struct ipl_whatif_change *changes, size_t count, ipl_fated_fn fn,
			   void *context, struct ipl_whatif_result *out, struct ipl_error *err)
{
	struct ipl_whatif_result result = { .first = 0 };
	struct whatif w = { .views = views,
			    .change_count = count,
			    .head = head,
			    .fn = fn,
			    .context = context,
			    .result = &result,
			    .err = err };
	enum ipl_status st = IPL_OK;

	if (count > IPL_WHATIF_CHANGES_MAX)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "%zu changes; %u are allowed",
				  count, IPL_WHATIF_CHANGES_MAX);
	ipl_arena_init(&w.scratch, SCRATCH_BYTES);
	w.change = calloc(count == 0 ? 1 : count, sizeof(*w.change));
	if (w.change == NULL)
		st = no_memory(&w);
	for (size_t i = 0; st == IPL_OK && i < count; i++)
		w.change[i] = &changes[i];
	if (st == IPL_OK) {
		qsort(w.change, count, sizeof(*w.change), by_seq);
		st = check_changes(&w, err);
	}
	if (st == IPL_OK)
		st = find_first(&w, &result.first);
	if (st == IPL_OK)
		st = begin(&w, result.first);
	if (st == IPL_OK)
		st = decide_from(&w, result.first);
	ipl_arena_release(&w.scratch);
	free(w.change);
	result.recorded = w.was;
	result.otherwise = w.is;
	if (st == IPL_OK)
		*out = result;
	else
		ipl_whatif_release(&result);
	return st;
}

void ipl_whatif_release(struct ipl_whatif_result *result)
{
	ipl_state_free(result->recorded);
	ipl_state_free(result->otherwise);
	*result = (struct ipl_whatif_result){ 0 };
}
