/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that operation_table.h unfolds into. */
#include "operations/operations_internal.h"

/* clang-format off */
#define FLAG_0 0
#define FLAG_REQUIRED 1
#define FLAG_DEFAULTED 2
#define TEXT_STR(text_) .text = text_,
#define TEXT_LINE(text_) .text = text_,
#define TEXT_WORD(text_) .text = text_,
#define TEXT_BOOL(text_) .text = text_,
#define TEXT_INT(text_) .text = text_,
#define TEXT_NUMSTR(text_) .text = text_,
#define TEXT_STRS(text_) .text = text_,
#define TEXT_SET(text_) .text = text_,
#define TEXT_ANY(text_) .text = text_,
#define TEXT_RECS(record_) .text = "", .of = &params_##record_,

#define P(O, KIND_, member_, Name_, flags_, least_, most_, text_)                                 \
	{ .name = #Name_, .kind = IPL_PARAM_##KIND_,                                              \
	  .is_required = FLAG_##flags_ == FLAG_REQUIRED,                                          \
	  .is_defaulted = FLAG_##flags_ == FLAG_DEFAULTED,                                        \
	  .least = least_, .most = most_, TEXT_##KIND_(text_)                                     \
	  .offset = offsetof(struct ipl_args_##O, member_) },
/* The row without a name ends a list: there are operations without parameters. */
#define X(name_)                                                                                  \
	static const struct ipl_param list_##name_[] = { IPL_PARAMS_##name_(P, name_) { 0 } };    \
	static const struct ipl_params params_##name_ = {                                         \
		.at = list_##name_,                                                               \
		.count = IPL_ARRAY_SIZE(list_##name_) - 1,                                        \
		.size_bytes = sizeof(struct ipl_args_##name_),                                    \
	};
IPL_PARAMS_LIST(X)
#undef X
#undef P

#define ENI IPL_OPERATION_ENI
#define ADMIN IPL_OPERATION_ADMIN
#define SCAN IPL_OPERATION_SCAN
#define PAGED IPL_OPERATION_PAGED
#define ECS IPL_OPERATION_ECS
#define VPC IPL_OPERATION_VPC
#define NATIVE IPL_OPERATION_NATIVE

static const struct ipl_operation operations[] = {
#define W(NAME, Name, own_, decide_, flags_)                                                   \
	{ .name = #Name, .kind = IPL_OPERATION_WRITE, .flags = flags_,                            \
	  .params = &params_##own_, .op = IPL_OP_##NAME, .decide = ipl_decide_##decide_ },
	IPL_WRITE_LIST(W)
#undef W
#define M(NAME, Name, own_)                                                                    \
	{ .name = #Name, .kind = IPL_OPERATION_WRITE, .params = &params_##own_,                   \
	  .op = IPL_OP_##NAME },
	IPL_COMPOSITE_LIST(M)
#undef M
#define R(Name, own_, read_, flags_)                                                           \
	{ .name = #Name, .kind = IPL_OPERATION_READ, .flags = flags_,                             \
	  .params = &params_##own_, .read = ipl_read_##read_ },
	IPL_READ_LIST(R)
#undef R
#define S(NAME, Name, own_, flags_)                                                            \
	{ .name = #Name, .kind = IPL_OPERATION_SERVICE, .flags = flags_,                          \
	  .params = &params_##own_, .service = IPL_SERVICE_##NAME },
	IPL_SERVICE_LIST(S)
#undef S
};
/* clang-format on */

const struct ipl_operation *ipl_operation_find(struct ipl_str name)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(operations); i++) {
		if (ipl_str_is(name, operations[i].name))
			return &operations[i];
	}
	return NULL;
}

const struct ipl_operation *ipl_operation_at(size_t index)
{
	return index < IPL_ARRAY_SIZE(operations) ? &operations[index] : NULL;
}

const struct ipl_operation *ipl_operation_of(enum ipl_op op)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(operations); i++) {
		if (operations[i].op == op && op != IPL_OP_NONE)
			return &operations[i];
	}
	return NULL;
}

enum ipl_status ipl_operation_decide(struct ipl_decision *d)
{
	enum ipl_status st = d->operation->decide(d);

	if (d->late != NULL && !d->is_unknown) {
		*d->err = *d->late;
		return IPL_REFUSED;
	}
	if (st == IPL_OK && d->arena->failed)
		return ipl_error_set(d->err, IPL_ERR_NOMEM,
				     "%s takes more memory than a request may", d->operation->name);
	return st;
}

enum ipl_status ipl_operation_read(struct ipl_read *r)
{
	enum ipl_status st = r->operation->read(r);

	if (st == IPL_OK && r->lens->status != IPL_OK)
		return r->lens->status;
	if (st == IPL_OK && r->arena->failed)
		return ipl_error_set(r->err, IPL_ERR_NOMEM,
				     "%s takes more memory than a request may", r->operation->name);
	return st;
}
