/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a directory, opened for reading. */
#include "cli/look.h"

#include <inttypes.h>
#include <string.h>

#include "events/json.h"
#include "events/time.h"

#define FIRST_ARENA_BYTES ((size_t)16 << 20)
#define TOUCHES_SHOWN     4
#define ELEMENTS_SHOWN    3 /* of a list, that came or went */

struct ipl_records ipl_look_records(const struct ipl_look *look)
{
	struct ipl_records records = ipl_records_of_reader(look->reader);

	records.checkpoints = look->checkpoints;
	return records;
}

/* Ids are printed and read by the letters of the region, which the first event says. */
static enum ipl_status read_letters(struct ipl_look *look, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_event first;
	enum ipl_status st;

	ipl_arena_init(&arena, FIRST_ARENA_BYTES);
	st = ipl_views_event(look->views, 1, &arena, &first, err);
	if (st == IPL_OK && first.type != IPL_EVENT_LEDGER_CREATED)
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "event 1 is no LedgerCreated");
	if (st == IPL_OK)
		look->letters = ipl_region_letters(first.ledger_created.settings.region);
	ipl_arena_release(&arena);
	return st;
}

static enum ipl_status open_all(const struct ipl_invocation *in, struct ipl_look *look,
				struct ipl_error *err)
{
	struct ipl_records records;
	struct ipl_head head;
	enum ipl_status st = ipl_store_open(in->data, IPL_STORE_READ, &look->store, err);

	if (st == IPL_OK)
		st = ipl_store_head(look->store, &head, err);
	if (st == IPL_OK && head.seq == 0)
		st = ipl_error_set(err, IPL_ERR_IO, "the ledger in %s is empty", in->data);
	if (st == IPL_OK)
		st = ipl_reader_open(look->store, &look->reader, err);
	if (st == IPL_OK)
		st = ipl_checkpoints_open(look->store, NULL, NULL, &look->checkpoints, err);
	if (st != IPL_OK)
		return st;
	look->head = look->last = head.seq;
	records = ipl_look_records(look);
	st = ipl_views_open(&records, &look->views, err);
	return st == IPL_OK ? read_letters(look, err) : st;
}

static enum ipl_status seq_of(const struct ipl_look *look, const struct ipl_value *when,
			      uint64_t *seq, struct ipl_error *err)
{
	int64_t time_ms = 0;

	if (when->type == IPL_VALUE_STR && ipl_time_parse(when->str, &time_ms))
		return ipl_views_seq_at(look->views, look->head, time_ms, seq, err);
	if (when->type != IPL_VALUE_INT || when->integer < 0)
		return ipl_refuse(err, IPL_CODE_AS_OF_MALFORMED, "it is no moment");
	if ((uint64_t)when->integer > look->head)
		return ipl_refuse(err, IPL_CODE_AS_OF_FUTURE,
				  "seq %" PRId64 " is beyond the last event, %" PRIu64,
				  when->integer, look->head);
	*seq = (uint64_t)when->integer;
	return IPL_OK;
}

enum ipl_status ipl_look_open(const struct ipl_invocation *in, struct ipl_look *out,
			      struct ipl_error *err)
{
	struct ipl_look look = { 0 };
	enum ipl_status st;

	if (in->server != NULL)
		return ipl_refuse(err, IPL_CODE_UNSUPPORTED_PARAMETER,
				  "%s reads the log itself: it takes --data DIR, not --server",
				  in->command->name);
	st = open_all(in, &look, err);
	if (st == IPL_OK && in->as_of != NULL)
		st = seq_of(&look, in->as_of, &look.head, err);
	if (st != IPL_OK)
		ipl_look_close(&look);
	else
		*out = look;
	return st;
}

void ipl_look_close(struct ipl_look *look)
{
	ipl_views_close(look->views);
	ipl_checkpoints_close(look->checkpoints);
	ipl_reader_close(look->reader);
	ipl_store_close(look->store);
	*look = (struct ipl_look){ 0 };
}

enum ipl_status ipl_look_when(const struct ipl_look *look, struct ipl_arena *arena,
			      const char *text, uint64_t *seq, struct ipl_error *err)
{
	struct ipl_value when;

	if (!ipl_when(arena, text, &when))
		return ipl_refuse(err, IPL_CODE_AS_OF_MALFORMED,
				  "\"%.64s\" is no seq, RFC 3339 time or span such as 5m", text);
	return seq_of(look, &when, seq, err);
}

/* --- for people --- */

enum ipl_status ipl_look_event(const struct ipl_look *look, struct ipl_arena *arena, uint64_t seq,
			       struct ipl_value *out, struct ipl_error *err)
{
	struct ipl_event ev;
	enum ipl_status st = ipl_views_event(look->views, seq, arena, &ev, err);

	if (st != IPL_OK)
		return st;
	*out = ipl_event_value(arena, look->letters, &ev);
	return arena->failed ? ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an event") :
			       IPL_OK;
}

/* No byte of data may drive a terminal. */
static void append_plain(struct ipl_buf *out, struct ipl_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		ipl_buf_append(out, c < 0x20 || c == 0x7f ? "?" : &s.at[i], 1);
	}
}

static struct ipl_str finish(struct ipl_arena *arena, struct ipl_buf *buf)
{
	struct ipl_str text = ipl_arena_str(
		arena, (struct ipl_str){ buf->len == 0 ? "" : (const char *)buf->at, buf->len });

	ipl_buf_release(buf);
	return text;
}

struct ipl_str ipl_look_plain(struct ipl_arena *arena, struct ipl_str text)
{
	struct ipl_buf buf = { 0 };

	append_plain(&buf, text);
	return finish(arena, &buf);
}

struct ipl_str ipl_look_text(struct ipl_arena *arena, const struct ipl_value *value)
{
	struct ipl_buf buf = { 0 }, json = { 0 };

	if (value->type == IPL_VALUE_NIL)
		return IPL_STR("nothing");
	ipl_json_write(&json, value, IPL_JSON_COMPACT);
	append_plain(&buf, (struct ipl_str){ (const char *)json.at, json.len });
	ipl_buf_release(&json);
	return finish(arena, &buf);
}

/* {"VSwitchId": […]} is shown as the list is. */
static const struct ipl_value *list_in(const struct ipl_value *value)
{
	if (value->type == IPL_VALUE_MAP && value->count == 1)
		value = &value->member[0].value;
	return value->type == IPL_VALUE_ARRAY ? value : NULL;
}

/* Elements of @list that @other has not, each with @sign before it. */
static void append_missing(struct ipl_arena *arena, struct ipl_buf *out, char sign,
			   const struct ipl_value *list, const struct ipl_value *other)
{
	uint32_t left_out = 0, shown = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		bool is_there = false;
		for (uint32_t k = 0; k < other->count; k++)
			is_there = is_there || ipl_value_equal(&list->item[i], &other->item[k]);
		if (is_there)
			continue;
		if (shown++ >= ELEMENTS_SHOWN) {
			left_out++;
			continue;
		}
		ipl_buf_printf(out, "%s%c%s", out->len == 0 ? "" : "  ", sign,
			       ipl_look_text(arena, &list->item[i]).at);
	}
	if (left_out > 0)
		ipl_buf_printf(out, "  %c%u more", sign, left_out);
}

struct ipl_str ipl_look_change(struct ipl_arena *arena, const struct ipl_value *before,
			       const struct ipl_value *after)
{
	const struct ipl_value *was = list_in(before), *is = list_in(after);
	struct ipl_buf buf = { 0 };

	if (was == NULL || is == NULL)
		return ipl_arena_printf(arena, "%s -> %s", ipl_look_text(arena, before).at,
					ipl_look_text(arena, after).at);
	append_missing(arena, &buf, '-', was, is);
	append_missing(arena, &buf, '+', is, was);
	if (buf.len == 0)
		ipl_buf_printf(&buf, "another order");
	return finish(arena, &buf);
}

static void append_touches(struct ipl_buf *out, const struct ipl_value *event)
{
	const struct ipl_value *touches = ipl_map_get(event, "Touches");
	uint32_t count = touches == NULL ? 0 : touches->count;

	for (uint32_t i = 0; i < count && i < TOUCHES_SHOWN; i++) {
		ipl_buf_printf(out, " ");
		append_plain(out, touches->item[i].str);
	}
	if (count > TOUCHES_SHOWN)
		ipl_buf_printf(out, " and %u more", count - TOUCHES_SHOWN);
}

struct ipl_str ipl_look_event_line(struct ipl_arena *arena, const struct ipl_value *event)
{
	const struct ipl_value *seq = ipl_map_get(event, "Seq");
	struct ipl_str actor = ipl_map_text(event, "Actor"), reason = ipl_map_text(event, "Reason");
	struct ipl_buf buf = { 0 };

	ipl_buf_printf(&buf, "%" PRId64 "  ", seq == NULL ? 0 : seq->integer);
	append_plain(&buf, ipl_map_text(event, "Time"));
	ipl_buf_printf(&buf, "  ");
	append_plain(&buf, ipl_map_text(event, "Type"));
	ipl_buf_printf(&buf, "  ");
	append_plain(&buf, ipl_map_text(event, "Principal"));
	if (actor.len > 0) {
		ipl_buf_printf(&buf, " for ");
		append_plain(&buf, actor);
	}
	if (reason.len > 0) {
		ipl_buf_printf(&buf, " (");
		append_plain(&buf, reason);
		ipl_buf_printf(&buf, ")");
	}
	ipl_buf_printf(&buf, " ");
	append_touches(&buf, event);
	return finish(arena, &buf);
}
