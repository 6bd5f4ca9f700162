/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions asked of a state. */
#include "replay/expr_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "events/address.h"
#include "events/time.h"
#include "operations/operation.h"

struct eval {
	const struct ipl_expr_scope *scope;
	struct ipl_error *err;
};

static enum ipl_status refuse(const struct eval *e, const struct ipl_expr *at, const char *format,
			      ...) IPL_PRINTF(3, 4);

static enum ipl_status refuse(const struct eval *e, const struct ipl_expr *at, const char *format,
			      ...)
{
	char why[400];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args); /* cut is fine */
	va_end(args);
	return ipl_refuse(e->err, IPL_CODE_INVALID_PARAMETER, "column %u: %s", at->column, why);
}

static enum ipl_status value_of(const struct eval *e, const struct ipl_expr *expr,
				struct ipl_value *out);

static bool is_nil(const struct ipl_value *value)
{
	return value->type == IPL_VALUE_NIL;
}

/* --- entities --- */

struct entity {
	enum ipl_kind kind;
	uint64_t number;
	const union ipl_entity *state; /* NULL: it does not live */
};

/* What @id names; @out->kind NONE where it is nil, or there is no ledger yet. */
static enum ipl_status entity_of(const struct eval *e, const struct ipl_expr *at,
				 const struct ipl_value *id, struct entity *out)
{
	struct ipl_lens *lens = e->scope->lens;

	*out = (struct entity){ .kind = IPL_KIND_NONE };
	if (is_nil(id) || lens->ledger == 0)
		return IPL_OK;
	if (id->type != IPL_VALUE_STR)
		return refuse(e, at, "expected an id, not %s", ipl_value_type_name(id->type));
	if (id->str.len == 0) /* of nobody, as holder() may give it */
		return IPL_OK;
	if (!ipl_id_parse(lens->letters, id->str, &out->kind, &out->number))
		return refuse(e, at, "%.*s is no id of this ledger", IPL_STR_ARG(id->str));
	out->state = lens->find(lens, out->kind, out->number);
	return IPL_OK;
}

static struct ipl_value show(const struct eval *e, const struct entity *entity)
{
	if (entity->state == NULL)
		return ipl_nil();
	return ipl_show(e->scope->arena, e->scope->lens, entity->kind, entity->number,
			entity->state);
}

/* Where a list is wrapped ("Tags": {"Tag": […]}), nothing is to be guessed: a path names both. */
static struct ipl_value at_path(const struct ipl_value *value, struct ipl_str path)
{
	const struct ipl_value *found = ipl_value_at(value, path);

	return found == NULL ? ipl_nil() : *found;
}

static enum ipl_status member(const struct eval *e, const struct ipl_expr *expr,
			      struct ipl_value *out)
{
	struct ipl_value base;
	enum ipl_status st = value_of(e, expr->arg[0], &base);

	if (st == IPL_OK && base.type == IPL_VALUE_STR) {
		struct entity entity;
		st = entity_of(e, expr->arg[0], &base, &entity);
		base = st == IPL_OK ? show(e, &entity) : ipl_nil();
	}
	if (st != IPL_OK)
		return st;
	if (!is_nil(&base) && base.type != IPL_VALUE_MAP && base.type != IPL_VALUE_ARRAY)
		return refuse(e, expr, "%s has no members", ipl_value_type_name(base.type));
	*out = at_path(&base, expr->name);
	return IPL_OK;
}

/* --- addresses: asked as LookupAddress is, so that there is one rule --- */

static enum ipl_status look_up(const struct eval *e, const struct ipl_expr *call,
			       const struct ipl_value *args, struct ipl_value *out)
{
	const struct ipl_operation *operation = ipl_operation_find(IPL_STR("LookupAddress"));
	struct ipl_args_lookup_address request = { .address = args[0].str };
	struct ipl_read read = { .lens = e->scope->lens,
				 .operation = operation,
				 .args = &request,
				 .arena = e->scope->arena,
				 .err = e->err,
				 .result = out,
				 .max_results = IPL_PAGE_MAX };
	struct entity vpc = { .kind = IPL_KIND_NONE };
	enum ipl_status st = IPL_OK;

	*out = ipl_map();
	if (call->arg_count > 1) {
		st = entity_of(e, call->arg[1], &args[1], &vpc);
		if (st == IPL_OK && vpc.kind != IPL_KIND_VPC && vpc.kind != IPL_KIND_NONE)
			st = refuse(e, call->arg[1], "expected the id of a VPC");
		if (st != IPL_OK || vpc.state == NULL) /* in a VPC that is not there is nothing */
			return st;
		request.vpc = args[1].str;
	}
	return ipl_operation_read(&read);
}

static bool is_address(const struct ipl_value *value)
{
	struct ipl_ip6 ip6;
	uint32_t ip4;

	return value->type == IPL_VALUE_STR &&
	       (ipl_ip4_parse(value->str, &ip4) || ipl_ip6_parse(value->str, &ip6));
}

static enum ipl_status address_status(const struct eval *e, const struct ipl_expr *call,
				      const struct ipl_value *args, struct ipl_value *out)
{
	struct ipl_value found;
	enum ipl_status st = look_up(e, call, args, &found);

	if (st == IPL_OK)
		*out = found.count == 0 ? ipl_text_of("Outside") :
					  at_path(&found, IPL_STR("Status"));
	return st;
}

/* A member of its first holding; "" where nobody has it. */
static enum ipl_status of_holder(const struct eval *e, const struct ipl_expr *call,
				 const struct ipl_value *args, struct ipl_value *out)
{
	struct ipl_value found, first, value;
	enum ipl_status st;

	if (!is_address(&args[0]))
		return refuse(e, call->arg[0],
			      "expected an address such as 10.0.0.5 or \"fd00::1\"");
	st = look_up(e, call, args, &found);
	if (st != IPL_OK)
		return st;
	first = at_path(&found, IPL_STR("Holdings.1"));
	value = ipl_text_of("");
	if (!is_nil(&first) && call->function == IPL_EXPR_FN_KIND)
		value = at_path(&first, IPL_STR("Kind"));
	else if (!is_nil(&first) && call->function == IPL_EXPR_FN_INSTANCE)
		value = at_path(&first, IPL_STR("InstanceId"));
	else if (!is_nil(&first)) {
		value = at_path(&first, IPL_STR("NetworkInterfaceId"));
		if (value.str.len == 0)
			value = at_path(&first, IPL_STR("AllocationId"));
	}
	*out = value;
	return IPL_OK;
}

/* --- functions --- */

static enum ipl_status of_vswitch(const struct eval *e, const struct ipl_expr *call,
				  const struct ipl_value *args, struct ipl_value *out)
{
	struct ipl_value shown;
	struct entity entity;
	int64_t next_ms;
	enum ipl_status st = entity_of(e, call->arg[0], &args[0], &entity);

	if (st != IPL_OK)
		return st;
	if (entity.kind != IPL_KIND_NONE && entity.kind != IPL_KIND_VSWITCH)
		return refuse(e, call->arg[0], "expected the id of a vSwitch, not of a %s",
			      ipl_kind_name(entity.kind));
	if (entity.state == NULL) {
		*out = ipl_nil();
	} else if (call->function == IPL_EXPR_FN_FREE) {
		shown = show(e, &entity);
		*out = at_path(&shown, IPL_STR("AvailableIpAddressCount"));
	} else if (call->function == IPL_EXPR_FN_USED) {
		*out = ipl_int((int64_t)entity.state->vswitch.used);
	} else {
		*out = ipl_int((int64_t)ipl_vswitch_cooling(&entity.state->vswitch,
							    e->scope->lens->time_ms, &next_ms));
		ipl_lens_cools(e->scope->lens, next_ms);
	}
	return IPL_OK;
}

static enum ipl_status of_entity(const struct eval *e, const struct ipl_expr *call,
				 const struct ipl_value *args, struct ipl_value *out)
{
	struct entity entity;
	enum ipl_status st = entity_of(e, call->arg[0], &args[0], &entity);

	if (st != IPL_OK)
		return st;
	if (call->function == IPL_EXPR_FN_EXISTS) {
		*out = ipl_bool(entity.state != NULL);
		return IPL_OK;
	}
	*out = show(e, &entity);
	if (call->function == IPL_EXPR_FN_STATUS)
		*out = at_path(out, IPL_STR("Status"));
	else if (call->arg_count > 1 && args[1].type != IPL_VALUE_STR)
		return refuse(e, call->arg[1], "expected a path in quotes, such as \"Status\"");
	else if (call->arg_count > 1)
		*out = at_path(out, args[1].str);
	return IPL_OK;
}

static enum ipl_status touches(const struct eval *e, const struct ipl_expr *call,
			       const struct ipl_value *args, struct ipl_value *out)
{
	const struct ipl_touches *all = e->scope->touches;
	struct entity entity = { .kind = IPL_KIND_NONE };
	struct ipl_ip6 ip6 = { 0, 0 };
	uint32_t ip4 = 0;
	bool is_ip4 = args[0].type == IPL_VALUE_STR && ipl_ip4_parse(args[0].str, &ip4);
	bool is_ip6 = !is_ip4 && is_address(&args[0]) && ipl_ip6_parse(args[0].str, &ip6);
	enum ipl_status st = IPL_OK;

	*out = ipl_bool(false);
	if (!is_ip4 && !is_ip6)
		st = entity_of(e, call->arg[0], &args[0], &entity);
	for (uint32_t i = 0; st == IPL_OK && all != NULL && i < all->count; i++) {
		struct ipl_key key = all->at[i];
		bool is_it =
			is_ip4 ? key.kind == IPL_KIND_IP4 && key.b == ip4 :
			is_ip6 ? key.kind == IPL_KIND_IP6 && key.a == ip6.hi && key.b == ip6.lo :
				 key.kind == (uint64_t)entity.kind && key.a == entity.number;
		if (is_it && key.kind != IPL_KIND_NONE)
			*out = ipl_bool(true);
	}
	return st;
}

static enum ipl_status length(const struct eval *e, const struct ipl_expr *call,
			      const struct ipl_value *value, struct ipl_value *out)
{
	if (is_nil(value))
		*out = ipl_nil();
	else if (value->type == IPL_VALUE_STR)
		*out = ipl_int((int64_t)ipl_str_char_count(value->str));
	else if (value->type == IPL_VALUE_ARRAY || value->type == IPL_VALUE_MAP)
		*out = ipl_int(value->count);
	else
		return refuse(e, call->arg[0], "%s has no length",
			      ipl_value_type_name(value->type));
	return IPL_OK;
}

static enum ipl_status has(const struct eval *e, const struct ipl_expr *call,
			   const struct ipl_value *args, struct ipl_value *out)
{
	*out = ipl_bool(false);
	if (is_nil(&args[0]))
		return IPL_OK;
	if (args[0].type != IPL_VALUE_ARRAY)
		return refuse(e, call->arg[0], "expected a list, not %s",
			      ipl_value_type_name(args[0].type));
	for (uint32_t i = 0; i < args[0].count; i++) {
		if (ipl_value_equal(&args[0].item[i], &args[1]))
			*out = ipl_bool(true);
	}
	return IPL_OK;
}

static enum ipl_status call_function(const struct eval *e, const struct ipl_expr *call,
				     const struct ipl_value *args, struct ipl_value *out)
{
	struct ipl_lens *lens = e->scope->lens;

	switch (call->function) {
	case IPL_EXPR_FN_COUNT:
		*out = ipl_int((int64_t)lens->count(lens, call->arg[0]->entity));
		return IPL_OK;
	case IPL_EXPR_FN_STATUS:
		if (is_address(&args[0]))
			return address_status(e, call, args, out);
		if (call->arg_count > 1)
			return refuse(e, call->arg[1], "only an address is looked for in a VPC");
		return of_entity(e, call, args, out);
	case IPL_EXPR_FN_EXISTS:
	case IPL_EXPR_FN_STATE:
		return of_entity(e, call, args, out);
	case IPL_EXPR_FN_FREE:
	case IPL_EXPR_FN_USED:
	case IPL_EXPR_FN_COOLING:
		return of_vswitch(e, call, args, out);
	case IPL_EXPR_FN_HOLDER:
	case IPL_EXPR_FN_INSTANCE:
	case IPL_EXPR_FN_KIND:
		return of_holder(e, call, args, out);
	case IPL_EXPR_FN_TOUCHES:
		return touches(e, call, args, out);
	case IPL_EXPR_FN_LEN:
		return length(e, call, &args[0], out);
	case IPL_EXPR_FN_HAS:
		return has(e, call, args, out);
	}
	return refuse(e, call, "there is no such function");
}

static enum ipl_status call(const struct eval *e, const struct ipl_expr *expr,
			    struct ipl_value *out)
{
	struct ipl_value args[IPL_EXPR_ARGS_MAX] = { { .type = IPL_VALUE_NIL } };
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; st == IPL_OK && i < expr->arg_count; i++) {
		if (expr->arg[i]->kind != IPL_EXPR_KIND_NAME)
			st = value_of(e, expr->arg[i], &args[i]);
	}
	return st == IPL_OK ? call_function(e, expr, args, out) : st;
}

/* --- words --- */

static enum ipl_status word(const struct eval *e, enum ipl_expr_word which, struct ipl_value *out)
{
	const struct ipl_event *ev = e->scope->ev;
	char text[IPL_TIME_TEXT_MAX];

	*out = ipl_nil();
	if (which == IPL_EXPR_WORD_SEQ)
		*out = ipl_int((int64_t)e->scope->lens->seq);
	if (which == IPL_EXPR_WORD_SEQ || ev == NULL)
		return IPL_OK;
	switch (which) {
	case IPL_EXPR_WORD_SEQ:
		break;
	case IPL_EXPR_WORD_TIME:
		ipl_time_format(ev->time_ms, text);
		*out = ipl_text_copy(e->scope->arena, text);
		break;
	case IPL_EXPR_WORD_TYPE:
		*out = ipl_text_of(ipl_event_name(ev->type));
		break;
	case IPL_EXPR_WORD_OPERATION:
		*out = ipl_text_of(ipl_op_name(ev->op));
		break;
	case IPL_EXPR_WORD_PRINCIPAL:
		*out = ipl_text(ev->principal);
		break;
	case IPL_EXPR_WORD_ACTOR:
		*out = ipl_text(ev->actor);
		break;
	case IPL_EXPR_WORD_REASON:
		*out = ipl_text(ev->reason);
		break;
	}
	return IPL_OK;
}

/* --- operators --- */

static enum ipl_status truth(const struct eval *e, const struct ipl_expr *expr, bool *out)
{
	struct ipl_value value;
	enum ipl_status st = value_of(e, expr, &value);

	if (st != IPL_OK)
		return st;
	if (!is_nil(&value) && value.type != IPL_VALUE_BOOL)
		return refuse(e, expr, "expected true or false here, not %s: compare it",
			      ipl_value_type_name(value.type));
	*out = value.type == IPL_VALUE_BOOL && value.boolean;
	return IPL_OK;
}

static enum ipl_status both(const struct eval *e, const struct ipl_expr *expr,
			    struct ipl_value *out)
{
	bool is_and = expr->binary == IPL_EXPR_AND, is_true = false;
	enum ipl_status st = truth(e, expr->arg[0], &is_true);

	if (st == IPL_OK && is_true == is_and)
		st = truth(e, expr->arg[1], &is_true);
	*out = ipl_bool(is_true);
	return st;
}

static int order_texts(struct ipl_str a, struct ipl_str b)
{
	size_t len = a.len < b.len ? a.len : b.len, i = 0;

	while (i < len && a.at[i] == b.at[i])
		i++;
	if (i < len)
		return (unsigned char)a.at[i] < (unsigned char)b.at[i] ? -1 : 1;
	return (a.len > b.len) - (a.len < b.len);
}

static enum ipl_status compare(const struct eval *e, const struct ipl_expr *expr,
			       const struct ipl_value *a, const struct ipl_value *b,
			       struct ipl_value *out)
{
	enum ipl_expr_binary op = expr->binary;
	int order;

	*out = ipl_bool(false);
	if (op == IPL_EXPR_EQ || op == IPL_EXPR_NE) {
		*out = ipl_bool(ipl_value_equal(a, b) == (op == IPL_EXPR_EQ));
		return IPL_OK;
	}
	if (is_nil(a) || is_nil(b))
		return IPL_OK;
	if (a->type == IPL_VALUE_INT && b->type == IPL_VALUE_INT)
		order = (a->integer > b->integer) - (a->integer < b->integer);
	else if (a->type == IPL_VALUE_STR && b->type == IPL_VALUE_STR)
		order = order_texts(a->str, b->str);
	else
		return refuse(e, expr, "%s and %s have no order", ipl_value_type_name(a->type),
			      ipl_value_type_name(b->type));
	*out = ipl_bool((order < 0 && (op == IPL_EXPR_LT || op == IPL_EXPR_LE)) ||
			(order > 0 && (op == IPL_EXPR_GT || op == IPL_EXPR_GE)) ||
			(order == 0 && (op == IPL_EXPR_LE || op == IPL_EXPR_GE)));
	return IPL_OK;
}

static enum ipl_status add(const struct eval *e, const struct ipl_expr *expr,
			   const struct ipl_value *a, const struct ipl_value *b, bool minus,
			   struct ipl_value *out)
{
	int64_t sum;

	*out = ipl_nil();
	if (is_nil(a) || is_nil(b))
		return IPL_OK;
	if (a->type != IPL_VALUE_INT || b->type != IPL_VALUE_INT)
		return refuse(e, expr, "only integers are added: this is %s and %s",
			      ipl_value_type_name(a->type), ipl_value_type_name(b->type));
	if (minus ? __builtin_sub_overflow(a->integer, b->integer, &sum) :
		    __builtin_add_overflow(a->integer, b->integer, &sum))
		return refuse(e, expr, "the result is beyond 64 bits");
	*out = ipl_int(sum);
	return IPL_OK;
}

static enum ipl_status binary(const struct eval *e, const struct ipl_expr *expr,
			      struct ipl_value *out)
{
	struct ipl_value a, b;
	enum ipl_status st;

	if (expr->binary == IPL_EXPR_AND || expr->binary == IPL_EXPR_OR)
		return both(e, expr, out);
	st = value_of(e, expr->arg[0], &a);
	if (st == IPL_OK)
		st = value_of(e, expr->arg[1], &b);
	if (st != IPL_OK)
		return st;
	if (expr->binary == IPL_EXPR_ADD || expr->binary == IPL_EXPR_SUB)
		return add(e, expr, &a, &b, expr->binary == IPL_EXPR_SUB, out);
	return compare(e, expr, &a, &b, out);
}

/* It goes no deeper than IPL_EXPR_DEPTH_MAX: the parser saw to that. */
static enum ipl_status value_of(const struct eval *e, const struct ipl_expr *expr,
				struct ipl_value *out)
{
	const struct ipl_value zero = ipl_int(0);
	struct ipl_value value;
	bool is_true = false;
	enum ipl_status st = IPL_OK;

	switch (expr->kind) {
	case IPL_EXPR_LITERAL:
	case IPL_EXPR_ID:
	case IPL_EXPR_ADDRESS:
		*out = expr->literal;
		return IPL_OK;
	case IPL_EXPR_KIND_NAME:
		break;
	case IPL_EXPR_WORD:
		return word(e, expr->word, out);
	case IPL_EXPR_CALL:
		return call(e, expr, out);
	case IPL_EXPR_MEMBER:
		return member(e, expr, out);
	case IPL_EXPR_NOT:
		st = truth(e, expr->arg[0], &is_true);
		*out = ipl_bool(!is_true);
		return st;
	case IPL_EXPR_MINUS:
		st = value_of(e, expr->arg[0], &value);
		return st == IPL_OK ? add(e, expr, &zero, &value, true, out) : st;
	case IPL_EXPR_BINARY:
		return binary(e, expr, out);
	}
	return refuse(e, expr, "a kind is no value");
}

static enum ipl_status finish(const struct ipl_expr_scope *scope, enum ipl_status st,
			      struct ipl_error *err)
{
	if (st == IPL_OK && scope->lens->status != IPL_OK)
		return scope->lens->status; /* lens->err says why */
	if (st == IPL_OK && scope->arena->failed)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a value");
	return st;
}

enum ipl_status ipl_expr_value(const struct ipl_expr *expr, const struct ipl_expr_scope *scope,
			       struct ipl_value *out, struct ipl_error *err)
{
	const struct eval e = { scope, err };
	struct ipl_value value = ipl_nil();
	enum ipl_status st = finish(scope, value_of(&e, expr, &value), err);

	if (st == IPL_OK)
		*out = value;
	return st;
}

enum ipl_status ipl_expr_holds(const struct ipl_expr *expr, const struct ipl_expr_scope *scope,
			       bool *out, struct ipl_error *err)
{
	const struct eval e = { scope, err };
	bool is_true = false;
	enum ipl_status st = finish(scope, truth(&e, expr, &is_true), err);

	if (st == IPL_OK)
		*out = is_true;
	return st;
}
