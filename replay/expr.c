/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions parsed and printed. */
#include "replay/expr_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "events/address.h"

#define ID_CHARS 20 /* after the prefix */

enum token_kind {
	TOKEN_END,
	TOKEN_INT,
	TOKEN_TEXT, /* in quotes; what it says is in the arena */
	TOKEN_ID,
	TOKEN_ADDRESS,
	TOKEN_WORD,
	TOKEN_SIGN,
};

struct token {
	enum token_kind kind;
	uint32_t column;
	struct ipl_str text;
	int64_t integer;
};

struct parser {
	struct ipl_arena *arena;
	struct ipl_error *err;
	struct ipl_str text;
	size_t at;
	struct token token; /* the one that is looked at */
	uint32_t depth;
	enum ipl_status status; /* the first failure; nothing is read after it */
};

static void fail(struct parser *p, uint32_t column, const char *format, ...) IPL_PRINTF(3, 4);

static void fail(struct parser *p, uint32_t column, const char *format, ...)
{
	char why[400];
	va_list args;

	if (p->status != IPL_OK)
		return;
	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args); /* cut is fine */
	va_end(args);
	p->status = ipl_refuse(p->err, IPL_CODE_INVALID_PARAMETER, "column %u: %s", column, why);
	ipl_error_add(p->err, "Column", ipl_int(column));
}

/* --- tokens --- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char peek(const struct parser *p, size_t ahead)
{
	return p->at + ahead < p->text.len ? p->text.at[p->at + ahead] : '\0';
}

/* The length of the id that begins at @s; 0: none does. */
static size_t id_length(struct ipl_str s)
{
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++) {
		const char *prefix = ipl_kind_prefix((enum ipl_kind)kind);
		size_t len = strlen(prefix), end = len + ID_CHARS, i;
		if (!ipl_str_starts(s, prefix) || s.len < end)
			continue;
		for (i = len; i < end && (is_digit(s.at[i]) || (s.at[i] >= 'a' && s.at[i] <= 'z'));
		     i++) {
		}
		if (i == end && (s.len == end || !(is_letter(s.at[end]) || is_digit(s.at[end]))))
			return end;
	}
	return 0;
}

static void read_number(struct parser *p)
{
	size_t len = 0, dots = 0;
	struct ipl_str text;
	uint32_t ip;

	while (is_digit(peek(p, len)) || peek(p, len) == '.')
		dots += peek(p, len++) == '.';
	text = (struct ipl_str){ p->text.at + p->at, len };
	p->at += len;
	p->token.text = text;
	if (dots > 0) {
		p->token.kind = TOKEN_ADDRESS;
		if (!ipl_ip4_parse(text, &ip))
			fail(p, p->token.column,
			     "%.*s is neither an integer nor an IPv4 address such as 10.0.0.5",
			     (int)(len < 40 ? len : 40), text.at);
		return;
	}
	p->token.kind = TOKEN_INT;
	if (!ipl_str_to_int(text, &p->token.integer))
		fail(p, p->token.column,
		     "%.*s is no integer: no leading zeros, at most 9223372036854775807",
		     (int)(len < 40 ? len : 40), text.at);
}

/* "…" with \" and \\ in it. */
static void read_text(struct parser *p)
{
	char *out = ipl_arena_alloc(p->arena, p->text.len);
	size_t len = 0;

	p->at++;
	p->token.kind = TOKEN_TEXT;
	if (out == NULL)
		return;
	while (p->at < p->text.len && p->text.at[p->at] != '"') {
		if (p->text.at[p->at] == '\\')
			p->at++;
		if (p->at < p->text.len)
			out[len++] = p->text.at[p->at++];
	}
	if (p->at >= p->text.len)
		fail(p, p->token.column, "this text has no end: expected \"");
	p->at++;
	p->token.text = (struct ipl_str){ out, len };
}

static void read_sign(struct parser *p)
{
	static const char *const signs[] = { "==", "!=", "<=", ">=", "<", ">", "+",
					     "-",  "(",  ")",  ",",  ".", "=" };
	struct ipl_str rest = { p->text.at + p->at, p->text.len - p->at };

	for (size_t i = 0; i < IPL_ARRAY_SIZE(signs); i++) {
		if (!ipl_str_starts(rest, signs[i]))
			continue;
		p->token.kind = TOKEN_SIGN;
		p->token.text = ipl_str_of(signs[i]);
		if (strcmp(signs[i], "=") == 0) /* who compares may write one */
			p->token.text = IPL_STR("==");
		p->at += strlen(signs[i]);
		return;
	}
	fail(p, p->token.column, "\"%c\" means nothing here",
	     *rest.at >= 0x20 && *rest.at < 0x7f ? *rest.at : '?');
}

static void next(struct parser *p)
{
	struct ipl_str rest;
	size_t len = 0;

	while (peek(p, 0) == ' ' || peek(p, 0) == '\t')
		p->at++;
	p->token = (struct token){ .kind = TOKEN_END, .column = (uint32_t)p->at + 1 };
	if (p->status != IPL_OK || p->at >= p->text.len)
		return;
	rest = (struct ipl_str){ p->text.at + p->at, p->text.len - p->at };
	len = id_length(rest);
	if (len > 0) {
		p->token.kind = TOKEN_ID;
	} else if (is_letter(*rest.at)) {
		p->token.kind = TOKEN_WORD;
		while (is_letter(peek(p, len)) || is_digit(peek(p, len)))
			len++;
	} else if (is_digit(*rest.at)) {
		read_number(p);
		return;
	} else if (*rest.at == '"') {
		read_text(p);
		return;
	} else {
		read_sign(p);
		return;
	}
	p->token.text = (struct ipl_str){ rest.at, len };
	p->at += len;
}

static bool is_sign(const struct parser *p, const char *sign)
{
	return p->status == IPL_OK && p->token.kind == TOKEN_SIGN &&
	       ipl_str_is(p->token.text, sign);
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->status == IPL_OK && p->token.kind == TOKEN_WORD &&
	       ipl_str_is(p->token.text, word);
}

static void expect_sign(struct parser *p, const char *sign, const char *why)
{
	if (is_sign(p, sign))
		next(p);
	else if (p->token.kind == TOKEN_END)
		fail(p, p->token.column, "expected \"%s\" %s, but the expression ends", sign, why);
	else
		fail(p, p->token.column, "expected \"%s\" %s, not \"%.*s\"", sign, why,
		     (int)(p->token.text.len < 40 ? p->token.text.len : 40), p->token.text.at);
}

/* --- nodes --- */

static struct ipl_expr *node(struct parser *p, enum ipl_expr_kind kind, uint32_t column)
{
	struct ipl_expr *expr = ipl_arena_alloc(p->arena, sizeof(*expr));

	if (expr == NULL && p->status == IPL_OK)
		p->status = ipl_error_set(p->err, IPL_ERR_NOMEM, "out of memory for an expression");
	if (expr == NULL)
		return NULL;
	expr->kind = kind;
	expr->column = column;
	expr->depth = 1;
	return expr;
}

static void add_arg(struct parser *p, struct ipl_expr *expr, const struct ipl_expr *arg)
{
	if (expr == NULL || arg == NULL)
		return;
	expr->arg[expr->arg_count++] = arg;
	if (arg->depth >= expr->depth)
		expr->depth = arg->depth + 1;
	if (expr->depth > IPL_EXPR_DEPTH_MAX)
		fail(p, expr->column, "more than %u levels: make it simpler", IPL_EXPR_DEPTH_MAX);
}

static struct ipl_expr *parse_binds(struct parser *p, int least);

/* One more level of what the parser itself goes into. */
static struct ipl_expr *parse_inner(struct parser *p, int least)
{
	struct ipl_expr *expr = NULL;

	if (p->depth == IPL_EXPR_DEPTH_MAX)
		fail(p, p->token.column, "more than %u levels: make it simpler",
		     IPL_EXPR_DEPTH_MAX);
	p->depth++;
	if (p->status == IPL_OK)
		expr = parse_binds(p, least);
	p->depth--;
	return expr;
}

/* --- functions and words --- */

static const struct {
	const char *name;
	uint32_t least;
	uint32_t most;
	const char *args;
} functions[] = {
#define X(NAME, name, least, most, args, text) { name, least, most, args },
	IPL_EXPR_FUNCTION_LIST(X)
#undef X
};

static const char *const words[] = {
#define X(NAME, name, text) name,
	IPL_EXPR_WORD_LIST(X)
#undef X
};

static const char *const binaries[] = {
#define X(NAME, sign, binds) sign,
	IPL_EXPR_BINARY_LIST(X)
#undef X
};

static const int binds_of[] = {
#define X(NAME, sign, binds) binds,
	IPL_EXPR_BINARY_LIST(X)
#undef X
};

/* count() takes the name of a kind. */
static const struct ipl_expr *parse_kind_name(struct parser *p)
{
	struct ipl_expr *expr = node(p, IPL_EXPR_KIND_NAME, p->token.column);

	for (int kind = 1; expr != NULL && kind < IPL_KIND_COUNT; kind++) {
		if (!is_word(p, ipl_kind_name((enum ipl_kind)kind)))
			continue;
		expr->entity = (enum ipl_kind)kind;
		next(p);
		return expr;
	}
	fail(p, p->token.column,
	     "expected a kind: Vpc, VSwitch, Instance, NetworkInterface, Eip, Ipv6Address, "
	     "Ipv6Gateway, Ipv6InternetBandwidth or Ledger");
	return NULL;
}

static struct ipl_expr *parse_call(struct parser *p, size_t function, uint32_t column)
{
	struct ipl_expr *call = node(p, IPL_EXPR_CALL, column);

	if (call == NULL)
		return NULL;
	call->function = (enum ipl_expr_function)function;
	next(p); /* the parenthesis */
	while (p->status == IPL_OK && call->arg_count < functions[function].most) {
		add_arg(p, call,
			function == IPL_EXPR_FN_COUNT ? parse_kind_name(p) : parse_inner(p, 1));
		if (!is_sign(p, ",") || call->arg_count == functions[function].most)
			break;
		next(p);
	}
	if (p->status == IPL_OK && call->arg_count < functions[function].least)
		expect_sign(p, ",", "and one more argument");
	expect_sign(p, ")", "after the arguments");
	return call;
}

static struct ipl_expr *parse_word(struct parser *p)
{
	uint32_t column = p->token.column;
	struct ipl_str name = p->token.text;
	struct ipl_expr *expr;

	next(p);
	if (is_sign(p, "(")) {
		for (size_t i = 0; i < IPL_ARRAY_SIZE(functions); i++) {
			if (ipl_str_is(name, functions[i].name))
				return parse_call(p, i, column);
		}
		fail(p, column,
		     "there is no function %.*s: expected count, exists, state, status, free, "
		     "used, "
		     "cooling, holder, instance, kind, touches, len or has",
		     (int)(name.len < 40 ? name.len : 40), name.at);
		return NULL;
	}
	expr = node(p, IPL_EXPR_LITERAL, column);
	if (expr == NULL)
		return NULL;
	if (ipl_str_is(name, "true") || ipl_str_is(name, "false"))
		expr->literal = ipl_bool(name.at[0] == 't');
	else if (ipl_str_is(name, "nil"))
		expr->literal = ipl_nil();
	else
		expr->kind = IPL_EXPR_WORD;
	if (expr->kind == IPL_EXPR_LITERAL)
		return expr;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(words); i++) {
		if (ipl_str_is(name, words[i])) {
			expr->word = (enum ipl_expr_word)i;
			return expr;
		}
	}
	fail(p, column,
	     "%.*s means nothing: expected a number, \"text\", an id, an address, a function, or "
	     "one of seq, time, type, operation, principal, actor, reason, true, false, nil",
	     (int)(name.len < 40 ? name.len : 40), name.at);
	return NULL;
}

/* --- precedence --- */

static struct ipl_expr *parse_literal(struct parser *p, enum ipl_expr_kind kind)
{
	struct ipl_expr *expr = node(p, kind, p->token.column);

	if (expr != NULL)
		expr->literal = p->token.kind == TOKEN_INT ?
					ipl_int(p->token.integer) :
					ipl_text(ipl_arena_str(p->arena, p->token.text));
	next(p);
	return expr;
}

static struct ipl_expr *parse_primary(struct parser *p)
{
	struct ipl_expr *expr;

	switch (p->token.kind) {
	case TOKEN_INT:
	case TOKEN_TEXT:
		return parse_literal(p, IPL_EXPR_LITERAL);
	case TOKEN_ID:
		return parse_literal(p, IPL_EXPR_ID);
	case TOKEN_ADDRESS:
		return parse_literal(p, IPL_EXPR_ADDRESS);
	case TOKEN_WORD:
		return parse_word(p);
	case TOKEN_SIGN:
		if (!is_sign(p, "("))
			break;
		next(p);
		expr = parse_inner(p, 1);
		expect_sign(p, ")", "after what is in parentheses");
		return expr;
	case TOKEN_END:
		fail(p, p->token.column, "expected a value, but the expression ends");
		return NULL;
	}
	fail(p, p->token.column, "expected a value, not \"%.*s\"", IPL_STR_ARG(p->token.text));
	return NULL;
}

/* value.Member.1.Member */
static struct ipl_expr *parse_members(struct parser *p)
{
	struct ipl_expr *expr = parse_primary(p);

	if (is_sign(p, ".") && expr != NULL &&
	    (expr->kind == IPL_EXPR_ADDRESS ||
	     (expr->kind == IPL_EXPR_LITERAL && expr->literal.type != IPL_VALUE_STR)))
		fail(p, p->token.column,
		     "only what an id names has members: expected an id or a function before "
		     "\".\"");
	while (is_sign(p, ".")) {
		struct ipl_expr *member = node(p, IPL_EXPR_MEMBER, p->token.column);
		size_t len = 0;
		while (is_letter(peek(p, len)) || is_digit(peek(p, len)))
			len++;
		if (len == 0)
			fail(p, (uint32_t)p->at + 1, "expected the name of a member after \".\"");
		if (member == NULL || p->status != IPL_OK)
			return NULL;
		member->name = ipl_arena_str(p->arena, (struct ipl_str){ p->text.at + p->at, len });
		p->at += len;
		add_arg(p, member, expr);
		expr = member;
		next(p);
	}
	return expr;
}

static struct ipl_expr *parse_prefixed(struct parser *p, int least)
{
	bool is_not = is_word(p, "not") && least <= IPL_EXPR_BINDS_NOT;
	struct ipl_expr *expr;

	if (!is_not && !is_sign(p, "-"))
		return parse_members(p);
	expr = node(p, is_not ? IPL_EXPR_NOT : IPL_EXPR_MINUS, p->token.column);
	next(p);
	add_arg(p, expr, parse_inner(p, is_not ? IPL_EXPR_BINDS_NOT : IPL_EXPR_BINDS_MINUS));
	return expr;
}

static int binary_at(const struct parser *p)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(binaries); i++) {
		if (is_sign(p, binaries[i]) || is_word(p, binaries[i]))
			return (int)i;
	}
	return -1;
}

/* What binds at least as tightly as @least; one comparison does not follow another. */
static struct ipl_expr *parse_binds(struct parser *p, int least)
{
	struct ipl_expr *left = parse_prefixed(p, least);
	int most = IPL_EXPR_BINDS_MEMBER;

	for (;;) {
		int binary = binary_at(p), binds = binary < 0 ? 0 : binds_of[binary];
		struct ipl_expr *expr;
		if (binary < 0 || binds < least || p->status != IPL_OK)
			return left;
		if (binds > most) {
			fail(p, p->token.column,
			     "comparisons do not follow each other: expected and, or, or "
			     "parentheses");
			return NULL;
		}
		expr = node(p, IPL_EXPR_BINARY, p->token.column);
		if (expr == NULL)
			return NULL;
		expr->binary = (enum ipl_expr_binary)binary;
		next(p);
		add_arg(p, expr, left);
		add_arg(p, expr, parse_inner(p, binds + 1));
		left = expr;
		most = binds == IPL_EXPR_BINDS_COMPARE ? binds - 1 : binds;
	}
}

enum ipl_status ipl_expr_parse(struct ipl_arena *arena, struct ipl_str text,
			       const struct ipl_expr **out, struct ipl_error *err)
{
	struct parser p = { .arena = arena, .err = err, .text = text };
	struct ipl_expr *expr;

	if (text.len > IPL_EXPR_BYTES_MAX)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "an expression of %zu bytes; the longest has %u", text.len,
				  IPL_EXPR_BYTES_MAX);
	if (!ipl_str_is_utf8(text) || memchr(text.at, '\0', text.len) != NULL)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "an expression is UTF-8 text");
	next(&p);
	expr = parse_inner(&p, 1);
	if (p.status == IPL_OK && p.token.kind != TOKEN_END)
		fail(&p, p.token.column,
		     "expected an operator (and, or, ==, !=, <, <=, >, >=, +, -) or the end, not "
		     "\"%.*s\"",
		     (int)(p.token.text.len < 40 ? p.token.text.len : 40), p.token.text.at);
	if (p.status == IPL_OK && arena->failed)
		p.status = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an expression");
	if (p.status == IPL_OK)
		*out = expr;
	return p.status;
}

static bool is_constant(const struct ipl_expr *expr)
{
	return expr->kind == IPL_EXPR_LITERAL || expr->kind == IPL_EXPR_ID ||
	       expr->kind == IPL_EXPR_ADDRESS;
}

void ipl_expr_parts(const struct ipl_expr *expr, ipl_expr_fn fn, void *context)
{
	bool is_comparison =
		expr->kind == IPL_EXPR_BINARY && binds_of[expr->binary] == IPL_EXPR_BINDS_COMPARE;
	bool is_logic = expr->kind == IPL_EXPR_NOT ||
			(expr->kind == IPL_EXPR_BINARY &&
			 (expr->binary == IPL_EXPR_AND || expr->binary == IPL_EXPR_OR));

	if (!is_comparison && !is_logic) {
		if (!is_constant(expr))
			fn(context, expr);
		return;
	}
	for (uint32_t i = 0; i < expr->arg_count; i++)
		ipl_expr_parts(expr->arg[i], fn, context);
}

bool ipl_expr_is_of_event(const struct ipl_expr *expr)
{
	bool is = expr->kind == IPL_EXPR_CALL && expr->function == IPL_EXPR_FN_TOUCHES;

	if (expr->kind == IPL_EXPR_WORD)
		is = expr->word != IPL_EXPR_WORD_SEQ && expr->word != IPL_EXPR_WORD_TIME;
	for (uint32_t i = 0; !is && i < expr->arg_count; i++)
		is = ipl_expr_is_of_event(expr->arg[i]);
	return is;
}

bool ipl_expr_is_of_things(const struct ipl_expr *expr)
{
	bool is = expr->kind != IPL_EXPR_WORD && expr->kind != IPL_EXPR_KIND_NAME &&
		  (expr->kind != IPL_EXPR_CALL || expr->function != IPL_EXPR_FN_TOUCHES);

	for (uint32_t i = 0; is && i < expr->arg_count; i++)
		is = ipl_expr_is_of_things(expr->arg[i]);
	return is;
}

static bool add_counted(const struct ipl_expr *expr, uint64_t *kinds)
{
	bool is = expr->kind == IPL_EXPR_LITERAL || expr->kind == IPL_EXPR_KIND_NAME ||
		  expr->kind == IPL_EXPR_NOT || expr->kind == IPL_EXPR_MINUS ||
		  expr->kind == IPL_EXPR_BINARY ||
		  (expr->kind == IPL_EXPR_CALL && expr->function == IPL_EXPR_FN_COUNT);

	if (expr->kind == IPL_EXPR_KIND_NAME)
		*kinds |= UINT64_C(1) << expr->entity;
	for (uint32_t i = 0; is && i < expr->arg_count; i++)
		is = add_counted(expr->arg[i], kinds);
	return is;
}

bool ipl_expr_is_of_counts(const struct ipl_expr *expr, uint64_t *kinds)
{
	*kinds = 0;
	return add_counted(expr, kinds);
}

/* --- printing --- */

static void print_text(struct ipl_str text, struct ipl_buf *out)
{
	ipl_buf_append(out, "\"", 1);
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			ipl_buf_append(out, "\\", 1);
		ipl_buf_append(out, &text.at[i], 1);
	}
	ipl_buf_append(out, "\"", 1);
}

static void print_literal(const struct ipl_value *value, struct ipl_buf *out)
{
	if (value->type == IPL_VALUE_INT)
		ipl_buf_printf(out, "%" PRId64, value->integer);
	else if (value->type == IPL_VALUE_BOOL)
		ipl_buf_printf(out, "%s", value->boolean ? "true" : "false");
	else if (value->type == IPL_VALUE_STR)
		print_text(value->str, out);
	else
		ipl_buf_printf(out, "nil");
}

static int binds(const struct ipl_expr *expr)
{
	switch (expr->kind) {
	case IPL_EXPR_NOT:
		return IPL_EXPR_BINDS_NOT;
	case IPL_EXPR_MINUS:
		return IPL_EXPR_BINDS_MINUS;
	case IPL_EXPR_BINARY:
		return binds_of[expr->binary];
	case IPL_EXPR_LITERAL:
	case IPL_EXPR_ID:
	case IPL_EXPR_ADDRESS:
	case IPL_EXPR_KIND_NAME:
	case IPL_EXPR_WORD:
	case IPL_EXPR_CALL:
	case IPL_EXPR_MEMBER:
		break;
	}
	return IPL_EXPR_BINDS_MEMBER;
}

/* In parentheses where it binds less than @least. */
static void print_in(const struct ipl_expr *expr, int least, struct ipl_buf *out)
{
	bool needs = binds(expr) < least;

	ipl_buf_printf(out, "%s", needs ? "(" : "");
	ipl_expr_print(expr, out);
	ipl_buf_printf(out, "%s", needs ? ")" : "");
}

static void print_call(const struct ipl_expr *expr, struct ipl_buf *out)
{
	ipl_buf_printf(out, "%s(", functions[expr->function].name);
	for (uint32_t i = 0; i < expr->arg_count; i++) {
		ipl_buf_printf(out, "%s", i == 0 ? "" : ", ");
		ipl_expr_print(expr->arg[i], out);
	}
	ipl_buf_printf(out, ")");
}

static void print_binary(const struct ipl_expr *expr, struct ipl_buf *out)
{
	int own = binds(expr);

	/* Comparisons stand alone; sums, and, or go from left to right. */
	print_in(expr->arg[0], own == IPL_EXPR_BINDS_COMPARE ? own + 1 : own, out);
	ipl_buf_printf(out, " %s ", binaries[expr->binary]);
	print_in(expr->arg[1], own + 1, out);
}

void ipl_expr_print(const struct ipl_expr *expr, struct ipl_buf *out)
{
	switch (expr->kind) {
	case IPL_EXPR_LITERAL:
		print_literal(&expr->literal, out);
		break;
	case IPL_EXPR_ID:
	case IPL_EXPR_ADDRESS:
		ipl_buf_append(out, expr->literal.str.at, expr->literal.str.len);
		break;
	case IPL_EXPR_KIND_NAME:
		ipl_buf_printf(out, "%s", ipl_kind_name(expr->entity));
		break;
	case IPL_EXPR_WORD:
		ipl_buf_printf(out, "%s", words[expr->word]);
		break;
	case IPL_EXPR_CALL:
		print_call(expr, out);
		break;
	case IPL_EXPR_MEMBER:
		print_in(expr->arg[0], IPL_EXPR_BINDS_MEMBER, out);
		ipl_buf_printf(out, ".%.*s", IPL_STR_ARG(expr->name));
		break;
	case IPL_EXPR_NOT:
		ipl_buf_printf(out, "not ");
		print_in(expr->arg[0], IPL_EXPR_BINDS_NOT, out);
		break;
	case IPL_EXPR_MINUS:
		ipl_buf_printf(out, "-");
		print_in(expr->arg[0], IPL_EXPR_BINDS_MINUS, out);
		break;
	case IPL_EXPR_BINARY:
		print_binary(expr, out);
		break;
	}
}
