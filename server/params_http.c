/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and forms into pairs, pairs into the tree of an operation's parameters. */
#include "server/params_http.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "events/json.h"

/* --- pairs --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The bytes that @text stands for. False where a % is followed by something else than hex. */
static bool decode(struct ipl_arena *arena, struct ipl_str text, struct ipl_str *out)
{
	char *to = ipl_arena_alloc(arena, text.len + 1);
	size_t len = 0;

	if (to == NULL)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = text.len - i > 2 ? hex_digit(text.at[i + 1]) : -1;
			int low = high < 0 ? -1 : hex_digit(text.at[i + 2]);
			if (low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		to[len++] = c;
	}
	*out = (struct ipl_str){ to, len };
	return true;
}

static enum ipl_status add_pair(struct ipl_arena *arena, struct ipl_str part, struct ipl_pair *out,
				struct ipl_error *err)
{
	const char *equals = memchr(part.at, '=', part.len);
	struct ipl_str name = { part.at, equals == NULL ? part.len : (size_t)(equals - part.at) };
	struct ipl_str value = IPL_STR("");

	if (equals != NULL)
		value = (struct ipl_str){ equals + 1, part.len - name.len - 1 };
	if (!decode(arena, name, &out->name) || !decode(arena, value, &out->value))
		return arena->failed ?
			       ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request") :
			       ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
					  "a %% among the parameters is not followed by two hex "
					  "digits: percent-encode it as %%25");
	if (out->name.len > IPL_NAME_BYTES_MAX)
		return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
				  "a parameter's name has %zu bytes: it may have %u", out->name.len,
				  IPL_NAME_BYTES_MAX);
	if (!ipl_str_is_utf8(out->name) || !ipl_str_is_utf8(out->value))
		return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST, "a parameter is not UTF-8");
	return IPL_OK;
}

static uint32_t count_parts(struct ipl_str text)
{
	uint32_t count = 1;

	for (size_t i = 0; i < text.len; i++)
		count += text.at[i] == '&';
	return count;
}

enum ipl_status ipl_pairs_parse(struct ipl_arena *arena, struct ipl_str text, struct ipl_pairs *out,
				struct ipl_error *err)
{
	size_t most = (size_t)out->count + count_parts(text);
	struct ipl_pair *at;
	enum ipl_status st = IPL_OK;

	if (text.len == 0)
		return IPL_OK;
	at = ipl_arena_array(arena, most, sizeof(*at));
	if (at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	if (out->count > 0)
		memcpy(at, out->at, out->count * sizeof(*at));
	out->at = at;
	while (st == IPL_OK && text.len > 0) {
		const char *end = memchr(text.at, '&', text.len);
		struct ipl_str part = { text.at, end == NULL ? text.len : (size_t)(end - text.at) };
		if (part.len > 0 && out->count == IPL_PAIRS_MAX)
			return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
					  "there are more than %u parameters", IPL_PAIRS_MAX);
		if (part.len > 0)
			st = add_pair(arena, part, &out->at[out->count], err);
		if (part.len > 0 && st == IPL_OK)
			out->count++;
		text.at += part.len + (end != NULL);
		text.len -= part.len + (end != NULL);
	}
	return st;
}

enum ipl_status ipl_pairs_join(struct ipl_arena *arena, const struct ipl_pairs *a,
			       const struct ipl_pairs *b, struct ipl_pairs *out,
			       struct ipl_error *err)
{
	out->count = a->count + b->count;
	out->at = ipl_arena_array(arena, out->count, sizeof(*out->at));
	if (out->at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	if (a->count > 0)
		memcpy(out->at, a->at, a->count * sizeof(*out->at));
	if (b->count > 0)
		memcpy(out->at + a->count, b->at, b->count * sizeof(*out->at));
	return IPL_OK;
}

struct ipl_str ipl_pairs_find(const struct ipl_pairs *pairs, const char *name)
{
	for (uint32_t i = 0; i < pairs->count; i++) {
		if (ipl_str_is(pairs->at[i].name, name))
			return pairs->at[i].value;
	}
	return IPL_STR_NONE;
}

/* --- names taken apart: a tree of text --- */

struct node {
	struct ipl_str key;
	struct ipl_str value; /* absent: none of its own */
	struct node *first, *last, *next;
	uint32_t count; /* of those below it */
};

struct builder {
	const struct ipl_operation *operation;
	struct ipl_arena *arena;
	struct ipl_error *err;
};

static enum ipl_status no_memory(struct builder *b)
{
	return ipl_error_set(b->err, IPL_ERR_NOMEM, "out of memory for a request");
}

static enum ipl_status wrong(struct builder *b, struct ipl_str name, const char *why)
{
	struct ipl_str shown = { name.at, name.len > 80 ? 80 : name.len };

	if (!ipl_str_is_utf8(shown)) /* cut within a character */
		shown.len = 0;
	ipl_refuse(b->err, IPL_CODE_INVALID_PARAMETER, "%.*s %s", IPL_STR_ARG(shown), why);
	ipl_error_add(b->err, "Parameter", ipl_text(ipl_arena_str(b->arena, shown)));
	return IPL_REFUSED;
}

/*
 * What an operation does not know and what would change addressing if it did: left in, so
 * that it is refused rather than not heard.
 */
static const struct {
	const char *operation; /* NULL: any */
	const char *name;
} heard[] = {
	{ NULL, "Ipv4Prefix" },
	{ NULL, "Ipv4PrefixCount" },
	{ NULL, "Ipv6Prefix" },
	{ NULL, "Ipv6PrefixCount" },
	{ NULL, "Ipv4IpamPoolId" },
	{ NULL, "Ipv6IpamPoolId" },
	{ NULL, "IpamPoolId" },
	{ NULL, "Ipv4CidrMask" },
	{ NULL, "Ipv6CidrMask" },
	{ NULL, "VpcIpv6CidrBlock" },
	{ NULL, "CidrMask" },
	{ NULL, "IPv6CidrBlock" },
	{ NULL, "PublicIpAddressPoolId" },
	{ NULL, "Period" },
	{ "ModifyVpcAttribute", "CidrBlock" },
	{ "ModifyVSwitchAttribute", "CidrBlock" },
	{ "ModifyInstanceVpcAttribute", "VpcId" },
	{ "AllocateEipAddress", "InstanceId" },
	{ "AllocatePublicIpAddress", "IpAddress" },
	{ "AssociateEipAddress", "VpcId" },
};

static bool is_heard(const struct builder *b, struct ipl_str name)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(heard); i++) {
		if (ipl_str_is(name, heard[i].name) &&
		    (heard[i].operation == NULL ||
		     strcmp(heard[i].operation, b->operation->name) == 0))
			return true;
	}
	return false;
}

/* Whether a parameter's name begins with one that is looked at. */
static bool matters(const struct builder *b, struct ipl_str name)
{
	const char *dot = memchr(name.at, '.', name.len);

	if (dot != NULL)
		name.len = (size_t)(dot - name.at);
	return ipl_operation_param(b->operation, name) != NULL || is_heard(b, name);
}

/* Names come in order, so that the one looked for is mostly the last. */
static struct node *child_of(struct builder *b, struct node *parent, struct ipl_str key)
{
	struct node *child = parent->last;

	if (child != NULL && ipl_str_equal(child->key, key))
		return child;
	for (child = parent->first; child != NULL; child = child->next) {
		if (ipl_str_equal(child->key, key))
			return child;
	}
	child = ipl_arena_alloc(b->arena, sizeof(*child));
	if (child == NULL)
		return NULL;
	child->key = key;
	if (parent->last == NULL)
		parent->first = child;
	else
		parent->last->next = child;
	parent->last = child;
	parent->count++;
	return child;
}

static enum ipl_status plant(struct builder *b, struct node *root, const struct ipl_pair *pair)
{
	struct ipl_str rest = pair->name;
	struct node *node = root;

	for (uint32_t depth = 0; rest.at != NULL; depth++) {
		struct node *parent = node;
		const char *dot = memchr(rest.at, '.', rest.len);
		struct ipl_str key = { rest.at, dot == NULL ? rest.len : (size_t)(dot - rest.at) };
		if (depth == IPL_NAME_DEPTH_MAX)
			return wrong(b, pair->name, "is nested too deep");
		node = child_of(b, parent, key);
		if (node == NULL)
			return no_memory(b);
		/* Each is looked for among the others. */
		if (parent->count > IPL_LIST_INDEX_MAX)
			return wrong(b, pair->name, "is one of more than 1000 parts");
		rest.at = dot == NULL ? NULL : dot + 1;
		rest.len -= key.len + (dot != NULL);
	}
	if (node->value.at != NULL && !ipl_str_equal(node->value, pair->value))
		return wrong(b, pair->name, "is given twice, with different values");
	node->value = pair->value;
	return IPL_OK;
}

/* --- typed by the table --- */

static struct ipl_value number_or_text(struct ipl_str text)
{
	bool negative = text.len > 1 && text.at[0] == '-';
	struct ipl_str digits = { text.at + negative, text.len - negative };
	int64_t n;

	if (!ipl_str_to_int(digits, &n) || (negative && n == 0))
		return ipl_text(text);
	return ipl_int(negative ? -n : n);
}

static struct ipl_value flag_or_text(struct ipl_str text)
{
	if (text.len == 4 && strncasecmp(text.at, "true", 4) == 0)
		return ipl_bool(true);
	if (text.len == 5 && strncasecmp(text.at, "false", 5) == 0)
		return ipl_bool(false);
	return ipl_text(text);
}

/* JSON where it begins like an object or an array and is one. */
static struct ipl_value json_or_text(struct builder *b, struct ipl_str text)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	struct ipl_value parsed;

	if ((ipl_str_starts(text, "[") || ipl_str_starts(text, "{")) &&
	    ipl_json_parse(b->arena, text, &parsed, &unused) == IPL_OK)
		return parsed;
	return ipl_text(text);
}

static struct ipl_value any_scalar(struct builder *b, struct ipl_str text)
{
	struct ipl_value value = number_or_text(text);

	if (value.type == IPL_VALUE_STR)
		value = flag_or_text(text);
	return value.type == IPL_VALUE_STR ? json_or_text(b, text) : value;
}

static struct ipl_value scalar(struct builder *b, const struct ipl_param *param,
			       struct ipl_str text)
{
	struct ipl_value list = ipl_array();

	switch (param->kind) {
	case IPL_PARAM_STR:
	case IPL_PARAM_LINE:
	case IPL_PARAM_WORD:
	case IPL_PARAM_SET:
	case IPL_PARAM_NUMSTR:
		return ipl_text(text);
	case IPL_PARAM_BOOL:
		return flag_or_text(text);
	case IPL_PARAM_INT:
		return number_or_text(text);
	case IPL_PARAM_STRS: /* one of them, under the plain name */
		ipl_array_add(b->arena, &list, ipl_text(text));
		return list;
	case IPL_PARAM_RECS:
		return json_or_text(b, text);
	case IPL_PARAM_ANY:
		return any_scalar(b, text);
	}
	return ipl_text(text);
}

static uint32_t index_of(struct ipl_str key)
{
	int64_t n;

	return ipl_str_to_int(key, &n) && n >= 1 && n <= IPL_LIST_INDEX_MAX ? (uint32_t)n : 0;
}

static int compare_indexes(const void *a, const void *b)
{
	uint32_t x = index_of((*(struct node *const *)a)->key);
	uint32_t y = index_of((*(struct node *const *)b)->key);

	return x < y ? -1 : x > y;
}

/* What lies below @node, in the order of its indexes; NULL with the refusal made. */
static struct node **items_of(struct builder *b, const struct node *node)
{
	struct node **items = ipl_arena_array(b->arena, node->count, sizeof(struct node *));
	uint32_t count = 0;

	if (items == NULL) {
		(void)no_memory(b);
		return NULL;
	}
	for (struct node *item = node->first; item != NULL; item = item->next) {
		if (index_of(item->key) == 0) {
			(void)wrong(b, node->key,
				    "is a list: its items are numbered from 1 to 1000");
			return NULL;
		}
		items[count++] = item;
	}
	qsort(items, count, sizeof(struct node *), compare_indexes);
	return items;
}

/* What the table has no type for: lists where all keys are indexes, maps elsewhere. */
static enum ipl_status any_tree(struct builder *b, const struct node *node, struct ipl_value *out)
{
	bool is_list = true;
	enum ipl_status st = IPL_OK;

	if (node->count == 0) {
		*out = any_scalar(b, node->value);
		return IPL_OK;
	}
	for (const struct node *child = node->first; child != NULL; child = child->next)
		is_list = is_list && index_of(child->key) != 0;
	*out = is_list ? ipl_array() : ipl_map();
	if (is_list) {
		struct node **items = items_of(b, node);
		for (uint32_t i = 0; items != NULL && st == IPL_OK && i < node->count; i++) {
			struct ipl_value item;
			st = any_tree(b, items[i], &item);
			ipl_array_add(b->arena, out, st == IPL_OK ? item : ipl_nil());
		}
		return items == NULL ? b->err->status : st;
	}
	for (const struct node *child = node->first; st == IPL_OK && child != NULL;
	     child = child->next) {
		struct ipl_value value;
		st = any_tree(b, child, &value);
		if (st == IPL_OK)
			ipl_map_add_str(b->arena, out, child->key, value);
	}
	return st;
}

static enum ipl_status record(struct builder *b, const struct ipl_params *params,
			      const struct node *node, struct ipl_value *out);

static enum ipl_status list(struct builder *b, const struct ipl_param *param,
			    const struct node *node, struct ipl_value *out)
{
	struct node **items = items_of(b, node);
	enum ipl_status st = IPL_OK;

	if (items == NULL)
		return b->err->status;
	*out = ipl_array();
	for (uint32_t i = 0; st == IPL_OK && i < node->count; i++) {
		struct ipl_value item = ipl_text(items[i]->value);
		if (items[i]->count > 0 && param->kind == IPL_PARAM_RECS)
			st = record(b, param->of, items[i], &item);
		else if (items[i]->count > 0) /* the table says what should be here instead */
			st = any_tree(b, items[i], &item);
		ipl_array_add(b->arena, out, item);
	}
	return st;
}

static enum ipl_status typed(struct builder *b, const struct ipl_param *param,
			     const struct node *node, struct ipl_value *out)
{
	if (node->value.at != NULL && node->count > 0)
		return wrong(b, node->key, "is given both as a whole and in parts");
	if (node->count == 0) {
		*out = scalar(b, param, node->value);
		return IPL_OK;
	}
	switch (param->kind) {
	case IPL_PARAM_STRS:
	case IPL_PARAM_SET:
	case IPL_PARAM_RECS:
		return list(b, param, node, out);
	case IPL_PARAM_STR:
	case IPL_PARAM_LINE:
	case IPL_PARAM_WORD:
	case IPL_PARAM_BOOL:
	case IPL_PARAM_INT:
	case IPL_PARAM_NUMSTR:
	case IPL_PARAM_ANY:
		break;
	}
	return any_tree(b, node, out);
}

/* A record's member; an old SDK writes Tag.1.key. */
static const struct ipl_param *find_member(const struct ipl_params *params, struct ipl_str key)
{
	for (uint32_t i = 0; i < params->count; i++) {
		if (strlen(params->at[i].name) == key.len &&
		    strncasecmp(params->at[i].name, key.at, key.len) == 0)
			return &params->at[i];
	}
	return NULL;
}

static enum ipl_status add_member(struct builder *b, const struct ipl_param *param,
				  const struct node *node, struct ipl_value *out)
{
	struct ipl_value value = ipl_text(node->value);
	enum ipl_status st = IPL_OK;

	if (param == NULL) {
		if (is_heard(b, node->key))
			ipl_map_set(b->arena, out, node->key, value);
		return IPL_OK;
	}
	if (ipl_map_get(out, param->name) != NULL)
		return wrong(b, node->key, "is given twice");
	st = typed(b, param, node, &value);
	if (st == IPL_OK)
		ipl_map_add(b->arena, out, param->name, value);
	return st;
}

static enum ipl_status record(struct builder *b, const struct ipl_params *params,
			      const struct node *node, struct ipl_value *out)
{
	enum ipl_status st = IPL_OK;

	*out = ipl_map();
	for (const struct node *child = node->first; st == IPL_OK && child != NULL;
	     child = child->next)
		st = add_member(b, find_member(params, child->key), child, out);
	return st;
}

enum ipl_status ipl_params_tree(const struct ipl_operation *operation,
				const struct ipl_pairs *pairs, struct ipl_arena *arena,
				struct ipl_value *out, struct ipl_error *err)
{
	struct builder b = { operation, arena, err };
	struct node root = { .key = IPL_STR("") };
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; st == IPL_OK && i < pairs->count; i++) {
		if (!ipl_str_is(pairs->at[i].value, "undefined") &&
		    !ipl_str_is(pairs->at[i].value, "null") && matters(&b, pairs->at[i].name))
			st = plant(&b, &root, &pairs->at[i]);
	}
	*out = ipl_map();
	for (const struct node *node = root.first; st == IPL_OK && node != NULL; node = node->next)
		st = add_member(&b, ipl_operation_param(operation, node->key), node, out);
	if (st == IPL_OK && arena->failed)
		st = no_memory(&b);
	return st;
}
