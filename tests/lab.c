/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a write, without disk or socket. */
#include "tests/lab.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/json.h"
#include "reducers/count.h"

/* Damage that no reducer found: the test must fail of it. */
static enum ipl_status wrong(struct lab *lab, const char *what)
{
	return ipl_error_set(&lab->err, IPL_ERR_CORRUPT, "lab: %s", what);
}

static bool keep_record(struct lab *lab, const struct ipl_buf *buf)
{
	if (lab->forgets)
		return true;
	if (lab->count == lab->cap) {
		size_t cap = lab->cap == 0 ? 1024 : lab->cap * 2;
		struct ipl_str *grown = realloc(lab->record, cap * sizeof(*grown));
		if (grown == NULL)
			return false;
		lab->record = grown;
		lab->cap = cap;
	}
	lab->record[lab->count] =
		ipl_arena_str(&lab->keep, (struct ipl_str){ (char *)buf->at, buf->len });
	return !lab->keep.failed;
}

/* decode(encode(x)) is x, and has the same bytes again. */
static enum ipl_status decode_back(struct lab *lab, const struct ipl_event *given,
				   struct ipl_str bytes)
{
	struct ipl_region_letters letters = ipl_state_letters(lab->state);
	struct ipl_buf again = { 0 };
	struct ipl_value x, y;
	bool same;
	enum ipl_status st = ipl_event_decode(bytes, &lab->call, &lab->ev, &lab->err);

	if (st != IPL_OK || lab->is_quick)
		return st;
	st = ipl_event_encode(&lab->ev, &again, &lab->err);
	same = st == IPL_OK && again.len == bytes.len && memcmp(again.at, bytes.at, bytes.len) == 0;
	ipl_buf_release(&again);
	if (st != IPL_OK)
		return st;
	x = ipl_event_value(&lab->call, letters, given);
	y = ipl_event_value(&lab->call, letters, &lab->ev);
	if (!same || !ipl_value_equal(&x, &y))
		return wrong(lab, "an event comes out of its bytes as another one");
	return IPL_OK;
}

static enum ipl_status link_up(struct lab *lab, struct ipl_event *ev)
{
	struct ipl_touches touches;
	enum ipl_status st = ipl_event_touches(&lab->call, ev, &touches, &lab->err);

	if (st != IPL_OK)
		return st;
	ev->link_count = touches.count;
	ev->links = ipl_arena_array(&lab->call, touches.count, sizeof(*ev->links));
	for (uint32_t i = 0; st == IPL_OK && i < touches.count; i++)
		st = ipl_heads_push(lab->heads, touches.at[i], ev->seq, &ev->links[i], &lab->err);
	return st;
}

/* Fold it, and look whether as many live then as the event alone tells. */
static enum ipl_status fold_counted(struct lab *lab, const struct ipl_touches *touches)
{
	int64_t count[IPL_KIND_COUNT];
	enum ipl_status st;

	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		count[kind] = (int64_t)ipl_state_count(lab->state, (enum ipl_kind)kind) +
			      ipl_count_change((enum ipl_kind)kind, &lab->ev);
	st = ipl_reduce(lab->state, &lab->ev, touches, &lab->err);
	for (int kind = 1; st == IPL_OK && kind < IPL_KIND_COUNT; kind++) {
		if (count[kind] != (int64_t)ipl_state_count(lab->state, (enum ipl_kind)kind))
			st = wrong(lab, "an event changes a count otherwise than it tells");
	}
	return st;
}

static enum ipl_status fold(struct lab *lab)
{
	struct ipl_touches touches;
	enum ipl_status st = ipl_event_touches(&lab->call, &lab->ev, &touches, &lab->err);

	if (st == IPL_OK && lab->before != NULL)
		lab->before(lab);
	if (st == IPL_OK && lab->follower != NULL)
		st = ipl_reduce(lab->follower, &lab->ev, &touches, &lab->err);
	if (st == IPL_OK && lab->twin != NULL)
		st = ipl_reduce(lab->twin, &lab->ev, &touches, &lab->err);
	return st == IPL_OK ? fold_counted(lab, &touches) : st;
}

enum ipl_status lab_append(struct lab *lab, struct ipl_event *ev)
{
	struct ipl_buf buf = { 0 };
	enum ipl_status st;

	ev->seq = lab->count + 1;
	ev->time_ms = lab->time_ms;
	ev->principal = IPL_STR("uid:0");
	st = link_up(lab, ev);
	if (st == IPL_OK)
		st = ipl_event_encode(ev, &buf, &lab->err);
	if (st == IPL_OK && !keep_record(lab, &buf))
		st = wrong(lab, "out of memory for records");
	if (st == IPL_OK) {
		struct ipl_str bytes = { (char *)buf.at, buf.len };
		lab->count++;
		st = decode_back(lab, ev, ipl_arena_str(&lab->call, bytes));
	}
	ipl_buf_release(&buf);
	return st == IPL_OK ? fold(lab) : st;
}

void lab_open(struct lab *lab, const char *init)
{
	struct ipl_value settings = ipl_nil();
	struct ipl_event ev;
	int64_t unused;
	enum ipl_status st = IPL_OK;

	memset(lab, 0, sizeof(*lab));
	ipl_arena_init(&lab->keep, (size_t)4 << 30);
	ipl_arena_init(&lab->call, (size_t)256 << 20);
	lab->err = (struct ipl_error)IPL_ERROR_INIT(&lab->call);
	lab->state = ipl_state_new();
	lab->heads = ipl_heads_new();
	lab->time_ms = 1000000;
	if (init != NULL)
		st = ipl_json_parse(&lab->call, ipl_str_of(init), &settings, &lab->err);
	if (st == IPL_OK)
		st = ipl_decide_ledger(&settings, 42, &lab->call, &ev, &unused, &lab->err);
	if (st == IPL_OK)
		st = lab_append(lab, &ev);
	if (st != IPL_OK)
		fprintf(stderr, "lab: %s\n", lab->err.text);
	assert(st == IPL_OK);
}

bool lab_follow(struct lab *lab)
{
	struct ipl_touches touches;

	lab->follower = ipl_state_new();
	return lab->follower != NULL &&
	       ipl_event_touches(&lab->call, &lab->ev, &touches, &lab->err) == IPL_OK &&
	       ipl_reduce(lab->follower, &lab->ev, &touches, &lab->err) == IPL_OK;
}

void lab_close(struct lab *lab)
{
	ipl_state_free(lab->state);
	ipl_state_free(lab->follower);
	ipl_heads_free(lab->heads);
	ipl_arena_release(&lab->keep);
	ipl_arena_release(&lab->call);
	free(lab->record);
}

/* --- deciding, on the twin too --- */

/* The same refusal, with the same facts? */
static bool refuse_alike(struct lab *lab, const struct ipl_error *other)
{
	static const struct ipl_value none = { .type = IPL_VALUE_NIL };
	const struct ipl_error *own = &lab->err;

	return own->status == other->status && own->code == other->code &&
	       strcmp(own->text, other->text) == 0 &&
	       ipl_value_equal(own->detail == NULL ? &none : own->detail,
			       other->detail == NULL ? &none : other->detail);
}

static bool decide_alike(struct lab *lab, const struct ipl_decision *own,
			 const struct ipl_decision *other)
{
	struct ipl_region_letters letters = ipl_state_letters(lab->state);
	struct ipl_value x, y;

	if (own->answered_by != other->answered_by)
		return false;
	if (own->answered_by != 0)
		return ipl_value_equal(&own->early_result, &other->early_result);
	if (own->ev->type != other->ev->type || own->ev->op != other->ev->op)
		return false;
	x = ipl_record_value(&lab->call, letters, ipl_event_record(own->ev->type), &own->ev->body);
	y = ipl_record_value(&lab->call, letters, ipl_event_record(other->ev->type),
			     &other->ev->body);
	return ipl_value_equal(&x, &y);
}

static enum ipl_status write(struct lab *lab, const struct ipl_operation *operation,
			     const void *args, const struct ipl_common *common)
{
	struct ipl_error twin_err = IPL_ERROR_INIT(&lab->call);
	struct ipl_event ev, twin_ev;
	struct ipl_decision d = {
		.state = lab->state,
		.operation = operation,
		.args = args,
		.time_ms = lab->time_ms,
		.arena = &lab->call,
		.err = &lab->err,
		.ev = &ev,
		.late = common->late,
	};
	struct ipl_decision twin = d;
	enum ipl_status st, twin_st = IPL_OK;

	if (lab->twin != NULL) {
		twin.state = lab->twin;
		twin.err = &twin_err;
		twin.ev = &twin_ev;
		twin_st = ipl_operation_decide(&twin);
	}
	ipl_state_advance(lab->state, lab->time_ms);
	st = ipl_operation_decide(&d);
	if (lab->twin != NULL && (st != twin_st || !(st == IPL_OK ? decide_alike(lab, &d, &twin) :
								    refuse_alike(lab, &twin_err))))
		return wrong(lab, "a fork decides otherwise");
	if (st != IPL_OK)
		return st;
	lab->result = d.early_result;
	if (d.answered_by != 0)
		return IPL_OK;
	lab->result = ipl_operation_result(&lab->call, IPL_STR("cn-hangzhou"),
					   ipl_state_letters(lab->state), &ev);
	return lab_append(lab, &ev);
}

static bool transact_alike(const struct ipl_transaction *own, const struct ipl_transaction *other,
			   uint32_t steps)
{
	for (uint32_t i = 0; i < steps; i++) {
		if (!ipl_value_equal(&own->result[i], &other->result[i]))
			return false;
	}
	return own->count == other->count;
}

static enum ipl_status transact(struct lab *lab, const struct ipl_args_transact *args)
{
	const struct ipl_transact_request request = { .region = IPL_STR("cn-hangzhou"),
						      .letters = ipl_state_letters(lab->state),
						      .request_id = IPL_STR("R"),
						      .time_ms = lab->time_ms };
	struct ipl_error twin_err = IPL_ERROR_INIT(&lab->call);
	struct ipl_transaction all, twin;
	enum ipl_status st, twin_st = IPL_OK;

	if (lab->twin != NULL)
		twin_st = ipl_transact_decide(lab->twin, args, &request, &lab->call, &twin,
					      &twin_err);
	ipl_state_advance(lab->state, lab->time_ms);
	st = ipl_transact_decide(lab->state, args, &request, &lab->call, &all, &lab->err);
	if (lab->twin != NULL &&
	    (st != twin_st || !(st == IPL_OK ? transact_alike(&all, &twin, args->operations.count) :
					       refuse_alike(lab, &twin_err))))
		return wrong(lab, "a fork decides a transaction otherwise");
	for (uint32_t i = 0; st == IPL_OK && i < all.count; i++)
		st = lab_append(lab, &all.ev[i]);
	if (st == IPL_OK)
		lab->result = ipl_transact_result(&lab->call, all.result, args->operations.count,
						  all.count == 0 ? 0 : lab->count - all.count + 1,
						  all.count == 0 ? 0 : lab->count);
	return st;
}

static enum ipl_status read_now(struct lab *lab, const struct ipl_operation *operation,
				const void *args)
{
	struct ipl_lens lens;
	struct ipl_read r = { .lens = &lens,
			      .operation = operation,
			      .args = args,
			      .arena = &lab->call,
			      .err = &lab->err,
			      .result = &lab->result,
			      .max_results = IPL_PAGE_MAX };

	ipl_lens_of_state(&lens, lab->state, lab->time_ms, &lab->err);
	return ipl_operation_read(&r);
}

enum ipl_status lab_call(struct lab *lab, const char *name, const char *format, ...)
{
	const struct ipl_operation *operation = ipl_operation_find(ipl_str_of(name));
	struct ipl_value params;
	struct ipl_common common;
	char text[LAB_TEXT_MAX];
	va_list list;
	void *args;
	enum ipl_status st;

	assert(operation != NULL);
	va_start(list, format);
	if (vsnprintf(text, sizeof(text), format, list) >= LAB_TEXT_MAX)
		assert(!"the parameters fit");
	va_end(list);
	ipl_arena_reset(&lab->call);
	lab->err = (struct ipl_error)IPL_ERROR_INIT(&lab->call);
	lab->result = ipl_map();
	args = ipl_arena_alloc(&lab->call, operation->params->size_bytes);
	st = ipl_json_parse(&lab->call, ipl_str_of(text), &params, &lab->err);
	if (st == IPL_OK)
		st = ipl_operation_parse(operation, &params, &lab->call, args, &common, &lab->err);
	if (st != IPL_OK)
		return st;
	if (operation->op == IPL_OP_TRANSACT)
		return transact(lab, args);
	return operation->kind == IPL_OPERATION_WRITE ? write(lab, operation, args, &common) :
							read_now(lab, operation, args);
}

const char *lab_text(struct lab *lab, const char *path)
{
	const struct ipl_value *value = ipl_value_at(&lab->result, ipl_str_of(path));

	return value == NULL || value->type != IPL_VALUE_STR ? "" : value->str.at;
}

const char *lab_code(const struct lab *lab)
{
	return ipl_code_text(lab->err.code);
}

void lab_event(const struct lab *lab, uint64_t seq, struct ipl_arena *arena, struct ipl_event *out)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	enum ipl_status st = ipl_event_decode(lab->record[seq - 1], arena, out, &err);

	assert(st == IPL_OK);
	(void)st;
}

/* --- what was kept, as a log --- */

static enum ipl_status get_record(void *context, uint64_t seq, struct ipl_str *record,
				  struct ipl_error *err)
{
	const struct lab *lab = context;

	if (seq == 0 || seq > lab->count)
		return ipl_error_set(err, IPL_ERR_END, "the log has no event %llu",
				     (unsigned long long)seq);
	*record = lab->record[seq - 1];
	return IPL_OK;
}

static enum ipl_status scan_records(void *context, uint64_t from_seq, uint64_t to_seq,
				    ipl_record_fn fn, void *fn_context, struct ipl_error *err)
{
	const struct lab *lab = context;
	struct ipl_error own = IPL_ERROR_INIT(err->arena);
	enum ipl_status st = IPL_OK;

	for (uint64_t seq = from_seq; st == IPL_OK && seq <= to_seq && seq <= lab->count; seq++)
		st = fn(fn_context, seq, lab->record[seq - 1], &own);
	if (st == IPL_OK || st == IPL_ERR_END)
		return IPL_OK;
	*err = own;
	return st;
}

struct ipl_records lab_records(struct lab *lab)
{
	return (struct ipl_records){ lab, get_record, scan_records, NULL, false };
}

static uint64_t get_last(void *context, struct ipl_key key)
{
	return ipl_heads_last(((const struct lab *)context)->heads, key);
}

struct ipl_source lab_source(struct lab *lab)
{
	return (struct ipl_source){ lab, get_record, get_last };
}

/* --- two states --- */

static bool same_entities(struct ipl_arena *arena, struct ipl_lens *a, struct ipl_lens *b,
			  enum ipl_kind kind)
{
	uint64_t n = 0;

	do {
		const union ipl_entity *x, *y;
		struct ipl_value shown_x, shown_y;
		uint64_t next = a->next(a, kind, n);
		if (next != b->next(b, kind, n))
			return false;
		n = next;
		if (n == 0)
			break;
		x = a->find(a, kind, n);
		y = b->find(b, kind, n);
		ipl_arena_reset(arena);
		if (kind == IPL_KIND_LEDGER) {
			shown_x = ipl_show_settings(arena, a->letters, &x->ledger.settings);
			shown_y = ipl_show_settings(arena, b->letters, &y->ledger.settings);
		} else {
			shown_x = ipl_show(arena, a, kind, n, x);
			shown_y = ipl_show(arena, b, kind, n, y);
		}
		if (x->base.first_seq != y->base.first_seq ||
		    x->base.last_seq != y->base.last_seq ||
		    x->base.created_ms != y->base.created_ms || arena->failed ||
		    !ipl_value_equal(&shown_x, &shown_y))
			return false;
	} while (n != 0);
	return true;
}

static bool same_block(const struct ipl_block *a, const struct ipl_block *b)
{
	return ipl_cidr4_equal(a->cidr, b->cidr) && a->free_count == b->free_count &&
	       a->position == b->position &&
	       memcmp(a->level[0], b->level[0], a->words[0] * sizeof(uint64_t)) == 0;
}

struct holdings {
	const struct ipl_state *other;
	uint64_t count;
	bool differ;
};

static void one_holding(void *context, struct ipl_key key, const struct ipl_holding *x)
{
	struct holdings *all = context;
	struct ipl_holding y = ipl_state_holding(all->other, key);

	all->count++;
	if (x->role != y.role || x->eni != y.eni || x->vswitch != y.vswitch || x->eip != y.eip ||
	    x->since_seq != y.since_seq || x->since_ms != y.since_ms ||
	    x->cool_until != y.cool_until)
		all->differ = true;
}

static bool same_spaces(const struct ipl_state *a, const struct ipl_state *b)
{
	struct holdings x = { .other = b }, y = { .other = a };

	ipl_state_each_holding(a, one_holding, &x);
	ipl_state_each_holding(b, one_holding, &y);
	if (x.differ || y.differ || x.count != y.count)
		return false;
	if (ipl_state_pool_count(a) != ipl_state_pool_count(b) ||
	    ipl_state_pool_position(a) != ipl_state_pool_position(b) ||
	    ipl_state_ipv6_block_position(a) != ipl_state_ipv6_block_position(b))
		return false;
	for (uint32_t i = 0; i < ipl_state_pool_count(a); i++) {
		if (!same_block(ipl_state_pool(a, i), ipl_state_pool(b, i)))
			return false;
	}
	for (uint64_t n = 0; (n = ipl_state_next(a, IPL_KIND_VSWITCH, n)) != 0;) {
		if (!same_block(ipl_state_block(a, n), ipl_state_block(b, n)) ||
		    ipl_state_ipv6_position(a, n) != ipl_state_ipv6_position(b, n))
			return false;
	}
	for (uint64_t n = 0; (n = ipl_state_next(a, IPL_KIND_VPC, n)) != 0;) {
		uint64_t hi = ipl_state_vpc(a, n)->ipv6_cidr.hi;
		if (hi != 0 &&
		    ipl_state_ipv6_block_owner(a, hi) != ipl_state_ipv6_block_owner(b, hi))
			return false;
	}
	return true;
}

bool lab_same_state(const struct ipl_state *a, const struct ipl_state *b)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_arena arena;
	struct ipl_lens x, y;
	bool is_same;

	ipl_arena_init(&arena, (size_t)16 << 20);
	ipl_lens_of_state(&x, a, ipl_state_time_ms(a), &err);
	ipl_lens_of_state(&y, b, ipl_state_time_ms(b), &err);
	is_same = ipl_state_seq(a) == ipl_state_seq(b) &&
		  ipl_state_time_ms(a) == ipl_state_time_ms(b);
	for (enum ipl_kind kind = IPL_KIND_LEDGER; is_same && kind < IPL_KIND_COUNT; kind++)
		is_same = ipl_state_count(a, kind) == ipl_state_count(b, kind) &&
			  ipl_state_next_number(a, kind) == ipl_state_next_number(b, kind) &&
			  same_entities(&arena, &x, &y, kind);
	ipl_arena_release(&arena);
	return is_same && same_spaces(a, b);
}
