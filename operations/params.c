/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from trees into the structs of the operation table, and their digest. */
#include "operations/operations_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/hash.h"
#include "events/json.h"
#include "events/msgpack.h"
#include "events/time.h"

#define PATH_MAX_BYTES 160

struct parser {
	struct ipl_arena *arena;
	struct ipl_error *err;
	struct ipl_error *late;    /* the first value out of its range; NULL: none */
	bool may_be_late;          /* it waits for what does not exist */
	enum ipl_code missing;     /* the code of this operation's family */
	char path[PATH_MAX_BYTES]; /* of the record being read: "" or "NetworkInterface[1]." */
};

static enum ipl_status wrong(struct parser *p, enum ipl_code code, const char *name,
			     const char *format, ...) IPL_PRINTF(4, 5);

static enum ipl_status wrong(struct parser *p, enum ipl_code code, const char *name,
			     const char *format, ...)
{
	char why[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args); /* cut is good enough */
	va_end(args);
	ipl_refuse(p->err, code, "%s%.64s %s", p->path, name, why);
	ipl_error_add(p->err, "Parameter",
		      ipl_text(ipl_arena_printf(p->err->arena, "%s%.64s", p->path, name)));
	return IPL_REFUSED;
}

/*
 * @st is the refusal of a value that has the right type and is out of its range.
 * It comes after what does not exist, so it is kept, and the value is as if absent, a
 * list cut.
 */
static enum ipl_status out_of_range(struct parser *p, const struct ipl_param *param,
				    enum ipl_status st)
{
	bool is_list = param->kind == IPL_PARAM_STRS || param->kind == IPL_PARAM_RECS;

	if (!p->may_be_late || (param->is_required && !is_list))
		return st;
	if (p->late == NULL) {
		p->late = ipl_arena_alloc(p->arena, sizeof(*p->late));
		if (p->late == NULL)
			return ipl_error_set(p->err, IPL_ERR_NOMEM, "out of memory for a request");
		*p->late = *p->err;
	}
	*p->err = (struct ipl_error)IPL_ERROR_INIT(p->err->arena);
	return IPL_OK;
}

static enum ipl_status wrong_type(struct parser *p, const struct ipl_param *param,
				  const struct ipl_value *value, const char *wanted)
{
	if (value->type == IPL_VALUE_STR && value->str.len <= 40)
		return wrong(p, IPL_CODE_INVALID_PARAMETER, param->name,
			     "is the text \"%.*s\": it must be %s", IPL_STR_ARG(value->str),
			     wanted);
	return wrong(p, IPL_CODE_INVALID_PARAMETER, param->name, "is %s: it must be %s",
		     ipl_value_type_name(value->type), wanted);
}

static enum ipl_status wrong_item(struct parser *p, const struct ipl_param *param, uint32_t index,
				  const struct ipl_value *item, const char *wanted)
{
	char name[80];

	(void)snprintf(name, sizeof(name), "%.60s[%u]", param->name, index + 1);
	return wrong(p, IPL_CODE_INVALID_PARAMETER, name, "is %s: it must be %s",
		     ipl_value_type_name(item->type), wanted);
}

/* --- one value --- */

static enum ipl_status read_text(struct parser *p, const struct ipl_param *param,
				 const struct ipl_value *value, struct ipl_str *out)
{
	bool is_line = param->kind == IPL_PARAM_LINE;
	enum ipl_status st = IPL_OK;
	size_t chars;

	if (value->type != IPL_VALUE_STR)
		return wrong_type(p, param, value, "text");
	chars = ipl_str_char_count(value->str);
	if ((int64_t)chars < param->least || (int64_t)chars > param->most)
		st = wrong(p, IPL_CODE_INVALID_PARAMETER, param->name,
			   "has %zu characters: it takes %" PRId64 " to %" PRId64, chars,
			   param->least, param->most);
	else if (is_line &&
		 (ipl_str_starts(value->str, "http://") || ipl_str_starts(value->str, "https://")))
		st = wrong(p, IPL_CODE_INVALID_PARAMETER, param->name,
			   "must not begin with http:// or https://");
	else
		*out = value->str;
	return st != IPL_OK && is_line ? out_of_range(p, param, st) : st;
}

bool ipl_is_word(const char *words, struct ipl_str text)
{
	for (const char *at = words; *at != '\0';) {
		size_t len = strcspn(at, "|");
		if (text.len == len && len > 0 && memcmp(at, text.at, len) == 0)
			return true;
		at += len + (at[len] == '|');
	}
	return false;
}

static enum ipl_status read_word(struct parser *p, const struct ipl_param *param,
				 const struct ipl_value *value, struct ipl_str *out)
{
	if (value->type != IPL_VALUE_STR)
		return wrong_type(p, param, value, "text");
	if (!ipl_is_word(param->text, value->str))
		return out_of_range(p, param,
				    wrong(p, IPL_CODE_INVALID_PARAMETER, param->name,
					  "is \"%.64s\": it must be one of %s",
					  ipl_arena_str(p->arena, value->str).at, param->text));
	*out = value->str;
	return IPL_OK;
}

static enum ipl_status read_int(struct parser *p, const struct ipl_param *param,
				const struct ipl_value *value, int64_t *out)
{
	int64_t n;

	if (value->type == IPL_VALUE_INT)
		n = value->integer;
	else if (value->type != IPL_VALUE_STR || param->kind != IPL_PARAM_NUMSTR ||
		 !ipl_str_to_int(value->str, &n))
		return wrong_type(p, param, value,
				  param->kind == IPL_PARAM_NUMSTR ? "a whole number" :
								    "an integer");
	if (n < param->least || n > param->most)
		return out_of_range(p, param,
				    wrong(p, IPL_CODE_INVALID_PARAMETER, param->name,
					  "is %" PRId64 ": it takes %" PRId64 " to %" PRId64, n,
					  param->least, param->most));
	*out = n;
	return IPL_OK;
}

static enum ipl_status too_many(struct parser *p, const struct ipl_param *param, uint32_t count)
{
	return out_of_range(p, param,
			    wrong(p, IPL_CODE_INVALID_PARAMETER, param->name,
				  "has %u items: it takes up to %" PRId64, count, param->most));
}

static enum ipl_status read_array(struct parser *p, const struct ipl_param *param,
				  const struct ipl_value *value, struct ipl_strs *out)
{
	for (uint32_t i = 0; i < value->count; i++) {
		if (value->item[i].type != IPL_VALUE_STR)
			return wrong_item(p, param, i, &value->item[i], "text");
		if (out->count < param->most)
			out->at[out->count++] = value->item[i].str;
	}
	return value->count > param->most ? too_many(p, param, value->count) : IPL_OK;
}

/* "a,b,c", or ["a","b"] as one text. */
static enum ipl_status read_joined(struct parser *p, const struct ipl_param *param,
				   struct ipl_str text, struct ipl_strs *out)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	struct ipl_value parsed;

	if (ipl_str_starts(text, "[") || ipl_str_starts(text, "{")) {
		if (ipl_json_parse(p->arena, text, &parsed, &unused) != IPL_OK ||
		    parsed.type != IPL_VALUE_ARRAY)
			return wrong(p, IPL_CODE_INVALID_PARAMETER, param->name,
				     "begins like a JSON array and is none");
		for (uint32_t i = 0; i < parsed.count; i++) {
			if (parsed.item[i].type != IPL_VALUE_STR)
				return wrong(p, IPL_CODE_INVALID_PARAMETER, param->name,
					     "holds %s: it must hold texts",
					     ipl_value_type_name(parsed.item[i].type));
		}
		return read_array(p, param, &parsed, out);
	}
	while (text.len > 0) {
		const char *comma = memchr(text.at, ',', text.len);
		size_t len = comma == NULL ? text.len : (size_t)(comma - text.at);
		struct ipl_str item = { text.at, len };
		while (item.len > 0 && item.at[0] == ' ')
			item = (struct ipl_str){ item.at + 1, item.len - 1 };
		while (item.len > 0 && item.at[item.len - 1] == ' ')
			item.len--;
		if (out->count == param->most)
			return too_many(p, param, out->count + 1);
		out->at[out->count++] = item;
		text.at += len + (comma != NULL);
		text.len -= len + (comma != NULL);
	}
	return IPL_OK;
}

static enum ipl_status read_strs(struct parser *p, const struct ipl_param *param,
				 const struct ipl_value *value, struct ipl_strs *out)
{
	out->at = ipl_arena_array(p->arena, (size_t)param->most, sizeof(*out->at));
	if (out->at == NULL)
		return ipl_error_set(p->err, IPL_ERR_NOMEM, "out of memory for a request");
	out->given = true;
	if (value->type == IPL_VALUE_STR && param->kind == IPL_PARAM_SET)
		return read_joined(p, param, value->str, out);
	if (value->type != IPL_VALUE_ARRAY)
		return wrong_type(p, param, value, "an array of text");
	if (param->is_required && value->count == 0)
		return wrong(p, p->missing, param->name, "is required: it is an empty array");
	return read_array(p, param, value, out);
}

static enum ipl_status read_map(struct parser *p, const struct ipl_params *params,
				const struct ipl_value *map, void *args);
static enum ipl_status check_unknown(struct parser *p, const struct ipl_params *params,
				     const struct ipl_value *map);

/* The path while the @index-th record (from 0) of @param is read. */
static void enter(struct parser *p, const struct ipl_param *param, uint32_t index)
{
	(void)snprintf(p->path, sizeof(p->path), "%s[%u].", param->name, index + 1);
}

static enum ipl_status read_records(struct parser *p, const struct ipl_param *param,
				    const struct ipl_value *value, struct ipl_any_list *out)
{
	enum ipl_status st = IPL_OK;
	char *at;

	if (value->type != IPL_VALUE_ARRAY)
		return wrong_type(p, param, value, "an array of maps");
	if (value->count > param->most)
		return too_many(p, param, value->count);
	if (value->count == 0 && param->is_required)
		return wrong(p, p->missing, param->name, "is required");
	at = ipl_arena_array(p->arena, value->count, param->of->size_bytes);
	if (at == NULL)
		return ipl_error_set(p->err, IPL_ERR_NOMEM, "out of memory for a request");
	*out = (struct ipl_any_list){ at, value->count };
	for (uint32_t i = 0; st == IPL_OK && i < value->count; i++) {
		if (value->item[i].type != IPL_VALUE_MAP)
			return wrong_item(p, param, i, &value->item[i], "a map");
		enter(p, param, i);
		st = read_map(p, param->of, &value->item[i], at + i * param->of->size_bytes);
		if (st == IPL_OK)
			p->path[0] = '\0';
	}
	return st;
}

static enum ipl_status read_value(struct parser *p, const struct ipl_param *param,
				  const struct ipl_value *value, void *out)
{
	switch (param->kind) {
	case IPL_PARAM_STR:
	case IPL_PARAM_LINE:
		return read_text(p, param, value, out);
	case IPL_PARAM_WORD:
		return read_word(p, param, value, out);
	case IPL_PARAM_BOOL:
		if (value->type != IPL_VALUE_BOOL)
			return wrong_type(p, param, value, "true or false");
		*(int64_t *)out = value->boolean;
		return IPL_OK;
	case IPL_PARAM_INT:
	case IPL_PARAM_NUMSTR:
		return read_int(p, param, value, out);
	case IPL_PARAM_STRS:
	case IPL_PARAM_SET:
		return read_strs(p, param, value, out);
	case IPL_PARAM_RECS:
		return read_records(p, param, value, out);
	case IPL_PARAM_ANY:
		*(const struct ipl_value **)out = value;
		return IPL_OK;
	}
	return IPL_OK;
}

static void set_default(const struct ipl_param *param, void *out)
{
	int64_t n = IPL_ABSENT;

	switch (param->kind) {
	case IPL_PARAM_STR:
	case IPL_PARAM_LINE:
		*(struct ipl_str *)out =
			param->text[0] == '\0' ? IPL_STR_NONE : ipl_str_of(param->text);
		break;
	case IPL_PARAM_WORD:
		if (param->is_defaulted)
			*(struct ipl_str *)out =
				(struct ipl_str){ param->text, strcspn(param->text, "|") };
		break;
	case IPL_PARAM_BOOL:
		if (param->text[0] != '\0')
			n = param->text[0] == 't';
		*(int64_t *)out = n;
		break;
	case IPL_PARAM_INT:
	case IPL_PARAM_NUMSTR:
		if (param->text[0] != '\0' && !ipl_str_to_int(ipl_str_of(param->text), &n))
			assert(!"a default is a number");
		*(int64_t *)out = n;
		break;
	case IPL_PARAM_STRS:
	case IPL_PARAM_SET:
	case IPL_PARAM_RECS:
	case IPL_PARAM_ANY:
		break;
	}
}

/* --- a map --- */

static enum ipl_status read_map(struct parser *p, const struct ipl_params *params,
				const struct ipl_value *map, void *args)
{
	for (uint32_t i = 0; i < params->count; i++) {
		const struct ipl_param *param = &params->at[i];
		const struct ipl_value *value = ipl_map_get(map, param->name);
		void *out = (char *)args + param->offset;
		enum ipl_status st = IPL_OK;
		bool given = value != NULL && value->type != IPL_VALUE_NIL;
		if (!given && param->is_required)
			return wrong(p, p->missing, param->name, "is required");
		set_default(param, out);
		if (given)
			st = read_value(p, param, value, out);
		if (st != IPL_OK)
			return st;
	}
	return IPL_OK;
}

static bool is_common(const struct ipl_operation *operation, struct ipl_str key)
{
	static const char *const writes[] = { "ClientToken", "IfSeq", "Reason", "Actor",
					      "EventTime" };
	bool paged = (operation->flags & IPL_OPERATION_PAGED) != 0;

	if (ipl_str_is(key, "RegionId") || ipl_str_is(key, "DryRun"))
		return true;
	if (operation->kind != IPL_OPERATION_WRITE)
		return ipl_str_is(key, "AsOf") ||
		       (paged && (ipl_str_is(key, "MaxResults") || ipl_str_is(key, "NextToken")));
	for (size_t i = 0; i < IPL_ARRAY_SIZE(writes); i++) {
		if (ipl_str_is(key, writes[i]))
			return true;
	}
	return false;
}

static const struct ipl_param *find_param(const struct ipl_params *params, struct ipl_str key)
{
	for (uint32_t i = 0; i < params->count; i++) {
		if (ipl_str_is(key, params->at[i].name))
			return &params->at[i];
	}
	return NULL;
}

static enum ipl_status unknown(struct parser *p, struct ipl_str key)
{
	char name[65];

	(void)snprintf(name, sizeof(name), "%.*s", (int)(key.len > 60 ? 60 : key.len), key.at);
	if (!ipl_str_is_utf8(ipl_str_of(name)))
		name[0] = '\0';
	return wrong(p, IPL_CODE_UNSUPPORTED_PARAMETER, name,
		     "is not a parameter of this operation");
}

static enum ipl_status check_unknown(struct parser *p, const struct ipl_params *params,
				     const struct ipl_value *map)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct ipl_param *param = find_param(params, map->member[i].key);
		const struct ipl_value *value = &map->member[i].value;
		enum ipl_status st = IPL_OK;
		if (param == NULL)
			return unknown(p, map->member[i].key);
		for (uint32_t k = 0; param->kind == IPL_PARAM_RECS && k < value->count; k++) {
			enter(p, param, k);
			st = check_unknown(p, param->of, &value->item[k]);
			if (st != IPL_OK)
				return st;
			p->path[0] = '\0';
		}
	}
	return IPL_OK;
}

/* --- the members that every operation accepts --- */

static const struct ipl_param common_params[] = {
	{ .name = "RegionId", .kind = IPL_PARAM_STR, .least = 1, .most = 64 },
	{ .name = "ClientToken", .kind = IPL_PARAM_STR, .least = 0, .most = 4096 },
	{ .name = "DryRun", .kind = IPL_PARAM_BOOL },
	{ .name = "IfSeq", .kind = IPL_PARAM_INT, .least = 0, .most = INT64_MAX },
	{ .name = "Reason", .kind = IPL_PARAM_STR, .least = 0, .most = IPL_REASON_MAX },
	{ .name = "Actor", .kind = IPL_PARAM_STR, .least = 0, .most = IPL_ACTOR_MAX },
	{ .name = "EventTime", .kind = IPL_PARAM_STR, .least = 1, .most = 64 },
	{ .name = "MaxResults", .kind = IPL_PARAM_INT, .least = 1, .most = IPL_PAGE_MAX },
	{ .name = "NextToken", .kind = IPL_PARAM_STR, .least = 0, .most = 512 },
};

const struct ipl_param *ipl_operation_param(const struct ipl_operation *operation,
					    struct ipl_str name)
{
	static const struct ipl_param as_of = { .name = "AsOf", .kind = IPL_PARAM_ANY };
	const struct ipl_param *param = find_param(operation->params, name);

	if (param != NULL || !is_common(operation, name))
		return param;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(common_params); i++) {
		if (ipl_str_is(name, common_params[i].name))
			return &common_params[i];
	}
	return &as_of;
}

static enum ipl_status check_token(struct parser *p, struct ipl_str token)
{
	if (token.len > IPL_TOKEN_MAX)
		return wrong(p, IPL_CODE_TOKEN_MALFORMED, "ClientToken",
			     "has %zu characters: it takes up to %u", token.len, IPL_TOKEN_MAX);
	for (size_t i = 0; i < token.len; i++) {
		if (token.at[i] < 0x20 || token.at[i] > 0x7e)
			return wrong(p, IPL_CODE_TOKEN_MALFORMED, "ClientToken",
				     "must be printable ASCII");
	}
	return IPL_OK;
}

static enum ipl_status check_bytes(struct parser *p, const char *name, struct ipl_str s,
				   size_t most)
{
	if (s.len > most)
		return wrong(p, IPL_CODE_INVALID_PARAMETER, name,
			     "has %zu bytes: it takes up to %zu", s.len, most);
	return IPL_OK;
}

/* Where a common member's value goes. */
static void *common_slot(struct ipl_common *common, size_t index, int64_t *dry_run,
			 struct ipl_str *event_time)
{
	void *const slots[] = {
		&common->region, &common->client_token, dry_run,
		&common->if_seq, &common->reason,       &common->actor,
		event_time,      &common->max_results,  &common->next_token,
	};

	static_assert(IPL_ARRAY_SIZE(slots) == IPL_ARRAY_SIZE(common_params), "one for each");
	return slots[index];
}

static enum ipl_status finish_common(struct parser *p, struct ipl_common *common, int64_t dry_run,
				     struct ipl_str event_time)
{
	enum ipl_status st = check_token(p, common->client_token);

	if (st == IPL_OK)
		st = check_bytes(p, "Reason", common->reason, IPL_REASON_MAX);
	if (st == IPL_OK)
		st = check_bytes(p, "Actor", common->actor, IPL_ACTOR_MAX);
	if (st != IPL_OK)
		return st;
	common->dry_run = dry_run == 1;
	if (event_time.at != NULL &&
	    (!ipl_time_parse(event_time, &common->event_time_ms) || common->event_time_ms < 0))
		return wrong(p, IPL_CODE_INVALID_PARAMETER, "EventTime",
			     "is no RFC 3339 time since 1970 such as 2026-11-23T22:13:16Z");
	if (common->max_results == IPL_ABSENT)
		common->max_results = IPL_PAGE_DEFAULT;
	return IPL_OK;
}

static enum ipl_status read_common(struct parser *p, const struct ipl_operation *operation,
				   const struct ipl_value *map, struct ipl_common *common)
{
	struct ipl_str event_time = IPL_STR_NONE;
	int64_t dry_run = 0;

	*common = (struct ipl_common){ .if_seq = IPL_ABSENT,
				       .event_time_ms = IPL_ABSENT,
				       .max_results = IPL_ABSENT,
				       .as_of = ipl_map_get(map, "AsOf") };
	if (operation->kind == IPL_OPERATION_WRITE ||
	    (common->as_of != NULL && common->as_of->type == IPL_VALUE_NIL))
		common->as_of = NULL;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(common_params); i++) {
		const struct ipl_param *param = &common_params[i];
		const struct ipl_value *value = ipl_map_get(map, param->name);
		enum ipl_status st;
		if (value == NULL || value->type == IPL_VALUE_NIL ||
		    !is_common(operation, ipl_str_of(param->name)) ||
		    find_param(operation->params, ipl_str_of(param->name)) != NULL)
			continue;
		st = read_value(p, param, value, common_slot(common, i, &dry_run, &event_time));
		if (st != IPL_OK)
			return st;
	}
	return finish_common(p, common, dry_run, event_time);
}

static enum ipl_status check_all_known(struct parser *p, const struct ipl_operation *operation,
				       const struct ipl_value *map)
{
	for (uint32_t i = 0; i < map->count; i++) {
		struct ipl_value single = { .type = IPL_VALUE_MAP,
					    .count = 1,
					    .member = &map->member[i] };
		enum ipl_status st;
		if (find_param(operation->params, map->member[i].key) == NULL &&
		    is_common(operation, map->member[i].key))
			continue;
		st = check_unknown(p, operation->params, &single);
		if (st != IPL_OK)
			return st;
	}
	return IPL_OK;
}

static bool is_given(const struct ipl_value *map, const char *name)
{
	const struct ipl_value *value = ipl_map_get(map, name);

	return value != NULL && value->type != IPL_VALUE_NIL &&
	       (value->type != IPL_VALUE_ARRAY || value->count > 0);
}

/* Of these members one at least must be there. */
static enum ipl_status check_either(struct parser *p, const struct ipl_operation *operation,
				    const struct ipl_value *map)
{
	static const struct {
		enum ipl_op op;
		const char *name;
		const char *other;
	} either[] = {
		{ IPL_OP_RUN_INSTANCES, "VSwitchId", "NetworkInterface" },
		{ IPL_OP_ASSIGN_PRIVATE_IPS, "PrivateIpAddress", "SecondaryPrivateIpAddressCount" },
		{ IPL_OP_ASSIGN_IPV6, "Ipv6Address", "Ipv6AddressCount" },
	};

	for (size_t i = 0; i < IPL_ARRAY_SIZE(either); i++) {
		if (operation->op == either[i].op && !is_given(map, either[i].name) &&
		    !is_given(map, either[i].other))
			return wrong(p, p->missing, either[i].name, "or %s is required",
				     either[i].other);
	}
	return IPL_OK;
}

enum ipl_status ipl_operation_parse(const struct ipl_operation *operation,
				    const struct ipl_value *params, struct ipl_arena *arena,
				    void *args, struct ipl_common *common, struct ipl_error *err)
{
	static const struct ipl_value nothing = { .type = IPL_VALUE_MAP };
	struct parser p = { .arena = arena,
			    .err = err,
			    .may_be_late = operation->kind == IPL_OPERATION_WRITE,
			    .missing = (operation->flags & IPL_OPERATION_ENI) != 0 ?
					       IPL_CODE_MISSING_PARAMETER_ENI :
					       IPL_CODE_MISSING_PARAMETER };
	enum ipl_status st;

	if (params == NULL || params->type == IPL_VALUE_NIL)
		params = &nothing;
	if (params->type != IPL_VALUE_MAP)
		return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
				  "the parameters are %s: they must be one map",
				  ipl_value_type_name(params->type));
	st = read_map(&p, operation->params, params, args);
	if (st == IPL_OK)
		st = check_either(&p, operation, params);
	p.may_be_late = false;
	if (st == IPL_OK)
		st = read_common(&p, operation, params, common);
	common->late = p.late;
	if (st == IPL_OK)
		st = check_all_known(&p, operation, params);
	if (st == IPL_OK && arena->failed)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	return st;
}

enum ipl_status ipl_operation_check_region(struct ipl_str region, struct ipl_str own,
					   struct ipl_error *err)
{
	if (region.len == 0 || ipl_str_equal(region, own))
		return IPL_OK;
	ipl_refuse(err, IPL_CODE_REGION_NOT_FOUND,
		   "region %.*s does not exist: this ledger's is %.*s", IPL_STR_ARG(region),
		   IPL_STR_ARG(own));
	ipl_error_add(err, "Parameter", ipl_text_of("RegionId"));
	return IPL_REFUSED;
}

/* --- the digest --- */

static int compare_members(const void *a, const void *b)
{
	struct ipl_str x = ((const struct ipl_member *)a)->key;
	struct ipl_str y = ((const struct ipl_member *)b)->key;
	int order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);

	return order != 0 ? order : x.len < y.len ? -1 : x.len > y.len;
}

/* The same value with the members of its maps in one order: a retry may have them in another. */
static struct ipl_value sorted(struct ipl_arena *arena, const struct ipl_value *value)
{
	struct ipl_value out = *value;

	if (value->type == IPL_VALUE_ARRAY) {
		out = ipl_array();
		for (uint32_t i = 0; i < value->count; i++)
			ipl_array_add(arena, &out, sorted(arena, &value->item[i]));
	} else if (value->type == IPL_VALUE_MAP) {
		out = ipl_map();
		for (uint32_t i = 0; i < value->count; i++)
			ipl_map_add_str(arena, &out, value->member[i].key,
					sorted(arena, &value->member[i].value));
		if (out.count > 1)
			qsort(out.member, out.count, sizeof(*out.member), compare_members);
	}
	return out;
}

static struct ipl_value args_value(struct ipl_arena *arena, const struct ipl_params *params,
				   const void *args);

static struct ipl_value arg_value(struct ipl_arena *arena, const struct ipl_param *param,
				  const void *at)
{
	struct ipl_value array = ipl_array();
	const struct ipl_any_list *records = at;
	const struct ipl_strs *strs = at;

	switch (param->kind) {
	case IPL_PARAM_STR:
	case IPL_PARAM_LINE:
	case IPL_PARAM_WORD:
		return ((const struct ipl_str *)at)->at == NULL ?
			       ipl_nil() :
			       ipl_text(*(const struct ipl_str *)at);
	case IPL_PARAM_BOOL:
	case IPL_PARAM_INT:
	case IPL_PARAM_NUMSTR:
		return *(const int64_t *)at == IPL_ABSENT ? ipl_nil() :
							    ipl_int(*(const int64_t *)at);
	case IPL_PARAM_STRS:
	case IPL_PARAM_SET:
		for (uint32_t i = 0; i < strs->count; i++)
			ipl_array_add(arena, &array, ipl_text(strs->at[i]));
		return array;
	case IPL_PARAM_RECS:
		for (uint32_t i = 0; i < records->count; i++)
			ipl_array_add(
				arena, &array,
				args_value(arena, param->of,
					   (const char *)records->at + i * param->of->size_bytes));
		return array;
	case IPL_PARAM_ANY:
		return *(const struct ipl_value *const *)at == NULL ?
			       ipl_nil() :
			       sorted(arena, *(const struct ipl_value *const *)at);
	}
	return ipl_nil();
}

static struct ipl_value args_value(struct ipl_arena *arena, const struct ipl_params *params,
				   const void *args)
{
	struct ipl_value values = ipl_array();

	for (uint32_t i = 0; i < params->count; i++)
		ipl_array_add(arena, &values,
			      arg_value(arena, &params->at[i],
					(const char *)args + params->at[i].offset));
	return values;
}

uint64_t ipl_operation_digest(const struct ipl_operation *operation, const void *args,
			      struct ipl_arena *arena)
{
	struct ipl_value values = args_value(arena, operation->params, args);
	struct ipl_buf buf = { 0 };
	uint64_t digest;

	ipl_msgpack_write(&buf, &values);
	digest = ipl_hash64(buf.at, buf.len);
	if (buf.failed)
		arena->failed = arena->is_starved = true;
	ipl_buf_release(&buf);
	return digest == 0 ? 1 : digest;
}
