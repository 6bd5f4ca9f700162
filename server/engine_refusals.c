/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why was it refused: what writes were refused is kept in a bounded list, with
 * the request, the one who asked, and the facts behind the refusal.
 */
#include "server/engine_internal.h"

#include <inttypes.h>
#include <string.h>

#include "events/hash.h"
#include "events/msgpack.h"
#include "events/time.h"

#define PARAMS_BYTES_MAX ((size_t)32 << 10)
#define PAGE_BYTES_MAX   ((size_t)3900 << 10)
#define SERVER_ERROR     500

/* --- keeping --- */

static struct ipl_value describe(struct ipl_engine *engine, const struct ipl_call *call,
				 const struct ipl_common *common, const struct ipl_error *err,
				 struct ipl_arena *arena)
{
	struct ipl_value map = ipl_map();
	char text[IPL_TIME_TEXT_MAX], uuid[IPL_UUID_TEXT_MAX];

	ipl_time_format(call->now_ms, text);
	ipl_uuid_format(call->request_id, uuid);
	ipl_map_add(arena, &map, "Time", ipl_text_copy(arena, text));
	ipl_map_add(arena, &map, "Operation", ipl_text(call->operation));
	if (call->params == NULL)
		ipl_map_add(arena, &map, "Params", ipl_map());
	else if (ipl_value_bytes(call->params) <= PARAMS_BYTES_MAX)
		ipl_map_add(arena, &map, "Params", *call->params);
	else
		ipl_map_add(arena, &map, "ParamsBytes",
			    ipl_int((int64_t)ipl_value_bytes(call->params)));
	ipl_map_add(arena, &map, "Principal", ipl_text(call->principal));
	ipl_map_add(arena, &map, "Actor",
		    ipl_text(common->actor.at == NULL ? IPL_STR("") : common->actor));
	ipl_map_add(arena, &map, "Code", ipl_text_of(ipl_code_text(err->code)));
	ipl_map_add(arena, &map, "Message", ipl_text_of(err->text));
	ipl_map_add(arena, &map, "Detail", err->detail == NULL ? ipl_map() : *err->detail);
	ipl_map_add(arena, &map, "HeadSeq", ipl_int((int64_t)ipl_engine_head(engine)));
	ipl_map_add(arena, &map, "RequestId", ipl_text_copy(arena, uuid));
	return map;
}

void ipl_engine_note_refusal(struct ipl_engine *engine, const struct ipl_call *call,
			     const struct ipl_common *common, const struct ipl_error *refused,
			     struct ipl_arena *arena)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_buf buf = { 0 };
	struct ipl_value map;

	if (engine->refusals == NULL || common->dry_run || refused->code == IPL_CODE_DRY_RUN ||
	    ipl_code_http_status(refused->code) >= SERVER_ERROR)
		return;
	map = describe(engine, call, common, refused, arena);
	ipl_msgpack_write(&buf, &map);
	/* Without memory for the note, the refusal itself still stands; so with one too long. */
	if (!buf.failed && !arena->failed && buf.len <= IPL_REFUSAL_BYTES_MAX &&
	    ipl_refusals_add(engine->refusals, (struct ipl_str){ (char *)buf.at, buf.len }, &err) !=
		    IPL_OK)
		arena->failed = false;
	ipl_buf_release(&buf);
}

/* --- listing --- */

struct refusals {
	struct ipl_engine *engine;
	const struct ipl_args_list_events *args;
	struct ipl_arena *arena;
	struct ipl_error *err;
	int64_t from_ms;
	int64_t to_ms;
	uint64_t as_of;
};

static enum ipl_status read_time(struct refusals *l, const char *name, struct ipl_str text,
				 int64_t *out)
{
	if (text.len == 0 || ipl_time_parse(text, out))
		return IPL_OK;
	ipl_refuse(l->err, IPL_CODE_INVALID_PARAMETER,
		   "%s is no RFC 3339 time such as 2026-11-23T14:03:00Z", name);
	ipl_error_add(l->err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

/* Whether @text stands anywhere in @value. */
static bool mentions(const struct ipl_value *value, struct ipl_str text)
{
	if (value->type == IPL_VALUE_STR)
		return ipl_str_equal(value->str, text);
	for (uint32_t i = 0; value->type == IPL_VALUE_ARRAY && i < value->count; i++) {
		if (mentions(&value->item[i], text))
			return true;
	}
	for (uint32_t i = 0; value->type == IPL_VALUE_MAP && i < value->count; i++) {
		if (mentions(&value->member[i].value, text))
			return true;
	}
	return false;
}

static bool is_about(const struct ipl_value *refusal, struct ipl_str id)
{
	const struct ipl_value *params = ipl_map_get(refusal, "Params");
	const struct ipl_value *detail = ipl_map_get(refusal, "Detail");

	return (params != NULL && mentions(params, id)) || (detail != NULL && mentions(detail, id));
}

static bool matches(const struct refusals *l, const struct ipl_value *refusal)
{
	const struct ipl_args_list_events *args = l->args;
	const struct ipl_value *head = ipl_map_get(refusal, "HeadSeq");
	int64_t time_ms;

	if (head == NULL || head->type != IPL_VALUE_INT || (uint64_t)head->integer > l->as_of ||
	    !ipl_time_parse(ipl_map_text(refusal, "Time"), &time_ms))
		return false;
	return (args->from_seq == IPL_ABSENT || head->integer >= args->from_seq) &&
	       (args->to_seq == IPL_ABSENT || head->integer <= args->to_seq) &&
	       time_ms >= l->from_ms && time_ms <= l->to_ms &&
	       (args->type.len == 0 ||
		ipl_str_equal(args->type, ipl_map_text(refusal, "Operation")) ||
		ipl_str_equal(args->type, ipl_map_text(refusal, "Code"))) &&
	       (args->actor.len == 0 ||
		ipl_str_equal(args->actor, ipl_map_text(refusal, "Actor"))) &&
	       (args->id.len == 0 || is_about(refusal, args->id));
}

/* A text that is looked for stands in the bytes as it is: most need not be taken apart. */
static bool may_match(const struct refusals *l, struct ipl_str record)
{
	struct ipl_str id = l->args->id;

	return id.len == 0 || memmem(record.at, record.len, id.at, id.len) != NULL;
}

/* One page into @list; *@position is where the next goes on, 0 at the end. */
static enum ipl_status walk(struct refusals *l, int64_t max_results, uint64_t *position,
			    struct ipl_value *list)
{
	const struct ipl_refusals *all = l->engine->refusals;
	bool back = l->args->reverse == 1;
	uint64_t first = ipl_refusals_first(all), last = ipl_refusals_last(all);
	uint64_t at = *position != 0 ? *position : back ? last : first;
	size_t bytes = 0;

	*position = 0;
	if (last == 0)
		return IPL_OK;
	if (!back && at < first) /* they were dropped meanwhile */
		at = first;
	for (; at >= first && at <= last; at += back ? -1 : 1) {
		struct ipl_str record = ipl_refusals_get(all, at);
		struct ipl_value refusal;
		enum ipl_status st;
		if (!may_match(l, record))
			continue;
		record = ipl_arena_str(l->arena, record);
		st = ipl_msgpack_parse(l->arena, (const uint8_t *)record.at, record.len, &refusal,
				       l->err);
		if (st != IPL_OK)
			return st;
		if (!matches(l, &refusal))
			continue;
		bytes += record.len;
		if (list->count == max_results || (bytes > PAGE_BYTES_MAX && list->count > 0)) {
			*position = at;
			return IPL_OK;
		}
		ipl_array_add(l->arena, list, refusal);
	}
	return IPL_OK;
}

static enum ipl_status open_list(struct ipl_engine *engine, struct ipl_error *err)
{
	/* Beside a server, what it has written down by now. */
	if (engine->mode == IPL_ENGINE_SERVE)
		return IPL_OK;
	ipl_refusals_close(engine->refusals);
	engine->refusals = NULL;
	return ipl_refusals_open(engine->dir, false, &engine->refusals, err);
}

enum ipl_status ipl_engine_list_refusals(struct ipl_engine *engine,
					 const struct ipl_operation *operation,
					 const struct ipl_args_list_events *args,
					 const struct ipl_common *common, uint64_t as_of,
					 struct ipl_arena *arena, struct ipl_answer *answer)
{
	struct refusals l = { engine, args, arena, &answer->err, INT64_MIN, INT64_MAX, as_of };
	uint64_t filter = ipl_operation_digest(operation, args, arena) ^
			  ipl_hash64(operation->name, strlen(operation->name));
	struct ipl_page_token token = { as_of, 0 };
	struct ipl_value list = ipl_array();
	enum ipl_status st = open_list(engine, &answer->err);

	if (st == IPL_OK)
		st = read_time(&l, "FromTime", args->from_time, &l.from_ms);
	if (st == IPL_OK)
		st = read_time(&l, "ToTime", args->to_time, &l.to_ms);
	if (st == IPL_OK && common->next_token.len > 0)
		st = ipl_page_token_parse(common->next_token, filter, &token, &answer->err);
	l.as_of = token.seq;
	if (st == IPL_OK)
		st = walk(&l, common->max_results, &token.position, &list);
	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, &answer->result, "Refusals", list);
	ipl_map_add(arena, &answer->result, "NextToken",
		    token.position == 0 ? ipl_text(IPL_STR("")) :
					  ipl_page_token_value(arena, token, filter));
	return IPL_OK;
}
