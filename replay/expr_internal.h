/* SPDX-License-Identifier: Apache-2.0 */
/* What an expression is when it is parsed. */
#ifndef IPL_REPLAY_EXPR_INTERNAL_H
#define IPL_REPLAY_EXPR_INTERNAL_H

#include "replay/expr.h"

enum ipl_expr_kind {
	IPL_EXPR_LITERAL,
	IPL_EXPR_ID, /* a literal that is an id: written without quotes */
	IPL_EXPR_ADDRESS,
	IPL_EXPR_KIND_NAME, /* of count() */
	IPL_EXPR_WORD,
	IPL_EXPR_CALL,
	IPL_EXPR_MEMBER,
	IPL_EXPR_NOT,
	IPL_EXPR_MINUS,
	IPL_EXPR_BINARY,
};

/* X(NAME, "sign", how tightly it binds) */
#define IPL_EXPR_BINARY_LIST(X) \
	X(OR, "or", 1)          \
	X(AND, "and", 2)        \
	X(EQ, "==", 4)          \
	X(NE, "!=", 4)          \
	X(LT, "<", 4)           \
	X(LE, "<=", 4)          \
	X(GT, ">", 4)           \
	X(GE, ">=", 4)          \
	X(ADD, "+", 5)          \
	X(SUB, "-", 5)
#define IPL_EXPR_BINDS_NOT     3
#define IPL_EXPR_BINDS_COMPARE 4
#define IPL_EXPR_BINDS_SUM     5
#define IPL_EXPR_BINDS_MINUS   6
#define IPL_EXPR_BINDS_MEMBER  7

enum ipl_expr_binary {
#define X(NAME, sign, binds) IPL_EXPR_##NAME,
	IPL_EXPR_BINARY_LIST(X)
#undef X
};

enum ipl_expr_function {
#define X(NAME, name, least, most, args, text) IPL_EXPR_FN_##NAME,
	IPL_EXPR_FUNCTION_LIST(X)
#undef X
};

enum ipl_expr_word {
#define X(NAME, name, text) IPL_EXPR_WORD_##NAME,
	IPL_EXPR_WORD_LIST(X)
#undef X
};

struct ipl_expr {
	enum ipl_expr_kind kind;
	uint32_t column; /* from 1 */
	uint32_t depth;  /* of what stands inside, from 1 */
	union {
		struct ipl_value literal; /* LITERAL, ID, ADDRESS */
		enum ipl_kind entity;     /* KIND_NAME */
		enum ipl_expr_word word;
		enum ipl_expr_function function;
		enum ipl_expr_binary binary;
		struct ipl_str name; /* MEMBER */
	};
	const struct ipl_expr *arg[IPL_EXPR_ARGS_MAX];
	uint32_t arg_count;
};

#endif
