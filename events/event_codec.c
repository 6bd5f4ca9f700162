/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events to bytes, by msgpack-c's packer, and back, by a cursor that reads what
 * the table says must come next and takes nothing else: one encoding of each
 * value, sizes looked at before memory is taken. (A cursor because the fold of a
 * long log spends most of its time here; the tests hold it against msgpack-c.)
 */
#include "events/cursor.h"
#include "events/event.h"
#include "events/hash.h"
#include "events/pack_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define ENVELOPE_FIELDS 16u
#define CHECKSUM_BYTES  9u
#define CIDR4_SHIFT     6 /* a prefix is 0..32 */

/* --- to bytes --- */

static void pack_text(struct ipl_buf *out, struct ipl_str s)
{
	ipl_pack_str(out, s.at, s.len);
}

static void pack_scalar(struct ipl_buf *out, enum ipl_field_kind kind, const void *at)
{
	switch (kind) {
	case IPL_FIELD_BOOL:
		*(const bool *)at ? msgpack_pack_true(out) : msgpack_pack_false(out);
		break;
	case IPL_FIELD_TIME:
		msgpack_pack_int64(out, *(const int64_t *)at);
		break;
	case IPL_FIELD_STR:
		pack_text(out, *(const struct ipl_str *)at);
		break;
	case IPL_FIELD_IP4:
	case IPL_FIELD_CHARGE:
	case IPL_FIELD_RUN:
	case IPL_FIELD_MODE:
	case IPL_FIELD_STOPPED:
		msgpack_pack_uint32(out, *(const uint32_t *)at);
		break;
	case IPL_FIELD_CIDR4: {
		const struct ipl_cidr4 *cidr = at;
		msgpack_pack_uint64(out, (uint64_t)cidr->base << CIDR4_SHIFT | cidr->prefix_len);
		break;
	}
	case IPL_FIELD_IP6: {
		const struct ipl_ip6 *ip = at;
		uint8_t bytes[16];
		ipl_put_be64(bytes, ip->hi);
		ipl_put_be64(bytes + 8, ip->lo);
		ipl_pack_bin(out, bytes, sizeof(bytes));
		break;
	}
	case IPL_FIELD_CIDR6: {
		const struct ipl_cidr6 *cidr = at;
		uint8_t bytes[9];
		ipl_put_be64(bytes, cidr->hi);
		bytes[8] = cidr->prefix_len;
		ipl_pack_bin(out, bytes, sizeof(bytes));
		break;
	}
	case IPL_FIELD_RECORD:
	case IPL_FIELD_LIST:
		assert(!"a record is no scalar");
		break;
	default: /* numbers and entities */
		msgpack_pack_uint64(out, *(const uint64_t *)at);
		break;
	}
}

static void pack_record(struct ipl_buf *out, const struct ipl_record *record, const void *at);

static void pack_list(struct ipl_buf *out, const struct ipl_record *record,
		      const struct ipl_any_list *list)
{
	msgpack_pack_array(out, list->count);
	for (uint32_t i = 0; i < list->count; i++) {
		const char *item = (const char *)list->at + (size_t)i * record->size_bytes;
		if (record->field_count == 1)
			pack_scalar(out, record->field[0].kind, item + record->field[0].offset);
		else
			pack_record(out, record, item);
	}
}

/* The table bounds how deep this goes: no record holds itself. */
static void pack_record(struct ipl_buf *out, const struct ipl_record *record, const void *at)
{
	msgpack_pack_array(out, record->field_count);
	for (uint32_t i = 0; i < record->field_count; i++) {
		const struct ipl_field *field = &record->field[i];
		const char *value = (const char *)at + field->offset;
		if (field->kind == IPL_FIELD_RECORD)
			pack_record(out, field->record, value);
		else if (field->kind == IPL_FIELD_LIST)
			pack_list(out, field->record, (const struct ipl_any_list *)value);
		else
			pack_scalar(out, field->kind, value);
	}
}

static void pack_links(struct ipl_buf *out, const struct ipl_event *ev)
{
	msgpack_pack_array(out, (size_t)ev->link_count * 3);
	for (uint32_t i = 0; i < ev->link_count; i++) {
		const struct ipl_link *link = &ev->links[i];
		assert(link->back < ev->seq && link->jump <= link->back);
		msgpack_pack_uint64(out, link->back == 0 ? 0 : ev->seq - link->back);
		msgpack_pack_uint64(out, link->jump == 0 ? 0 : ev->seq - link->jump);
		msgpack_pack_uint64(out, link->depth);
	}
}

void ipl_record_pack(struct ipl_buf *out, const struct ipl_record *record, const void *at)
{
	pack_record(out, record, at);
}

enum ipl_status ipl_event_encode(const struct ipl_event *ev, struct ipl_buf *out,
				 struct ipl_error *err)
{
	size_t start = out->len;
	uint8_t tail[CHECKSUM_BYTES] = { 0xcf };

	msgpack_pack_array(out, ENVELOPE_FIELDS);
	msgpack_pack_uint64(out, IPL_EVENT_VERSION);
	msgpack_pack_uint64(out, ev->seq);
	msgpack_pack_int64(out, ev->time_ms);
	msgpack_pack_uint32(out, ev->type);
	msgpack_pack_uint32(out, ev->op);
	pack_text(out, ev->principal);
	pack_text(out, ev->actor);
	ipl_pack_bin(out, ev->request_id, IPL_REQUEST_ID_BYTES);
	pack_text(out, ev->client_token);
	msgpack_pack_uint64(out, ev->params_digest);
	pack_text(out, ev->reason);
	msgpack_pack_array(out, 2);
	msgpack_pack_uint64(out, ev->group_place);
	msgpack_pack_uint64(out, ev->group_size);
	if (ev->group_step == 0)
		msgpack_pack_nil(out);
	else
		msgpack_pack_uint64(out, ev->group_step);
	pack_record(out, ipl_event_record(ev->type), &ev->body);
	pack_links(out, ev);
	if (out->failed)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory while encoding an event");
	ipl_put_be64(tail + 1, ipl_hash64(out->at + start, out->len - start));
	ipl_buf_append(out, tail, sizeof(tail));
	if (out->failed || out->len - start > IPL_EVENT_BYTES_MAX) {
		out->len = out->failed ? out->len : start;
		return ipl_error_set(err, IPL_ERR_NOMEM, "an event is longer than %u bytes",
				     IPL_EVENT_BYTES_MAX);
	}
	return IPL_OK;
}

/* --- from bytes --- */

static uint32_t take_u32(struct ipl_cursor *c)
{
	uint64_t n = ipl_take_uint(c);

	if (n > UINT32_MAX)
		ipl_cursor_fail(c, "a number is out of range");
	return (uint32_t)(n & UINT32_MAX);
}

static void take_small(struct ipl_cursor *c, enum ipl_field_kind kind, uint32_t *out)
{
	*out = take_u32(c);
	if (kind != IPL_FIELD_IP4 && ipl_choice_word(kind, *out) == NULL)
		ipl_cursor_fail(c, "a choice is unknown");
}

static void take_cidr4(struct ipl_cursor *c, struct ipl_cidr4 *out)
{
	uint64_t n = ipl_take_uint(c);
	uint64_t base = n >> CIDR4_SHIFT;
	uint8_t prefix_len = n & ((1u << CIDR4_SHIFT) - 1);

	if (base > UINT32_MAX || prefix_len > 32 ||
	    (prefix_len < 32 && (base & (UINT32_MAX >> prefix_len)) != 0))
		ipl_cursor_fail(c, "an IPv4 block is impossible");
	*out = (struct ipl_cidr4){ (uint32_t)base, prefix_len };
}

static void take_cidr6(struct ipl_cursor *c, struct ipl_cidr6 *out)
{
	const uint8_t *at = ipl_take_bin(c, 9);

	if (at == NULL)
		return;
	*out = (struct ipl_cidr6){ ipl_get_be64(at), at[8] };
	if (out->prefix_len > 64 ||
	    (out->prefix_len < 64 && (out->hi & (UINT64_MAX >> out->prefix_len)) != 0))
		ipl_cursor_fail(c, "an IPv6 block is impossible");
}

static void take_scalar(struct ipl_cursor *c, enum ipl_field_kind kind, void *out)
{
	const uint8_t *at;

	switch (kind) {
	case IPL_FIELD_BOOL:
		ipl_take_bool(c, out);
		break;
	case IPL_FIELD_TIME:
		*(int64_t *)out = ipl_take_time(c);
		break;
	case IPL_FIELD_STR:
		*(struct ipl_str *)out = ipl_take_text(c);
		break;
	case IPL_FIELD_IP4:
	case IPL_FIELD_CHARGE:
	case IPL_FIELD_RUN:
	case IPL_FIELD_MODE:
	case IPL_FIELD_STOPPED:
		take_small(c, kind, out);
		break;
	case IPL_FIELD_CIDR4:
		take_cidr4(c, out);
		break;
	case IPL_FIELD_IP6:
		at = ipl_take_bin(c, 16);
		if (at != NULL)
			*(struct ipl_ip6 *)out =
				(struct ipl_ip6){ ipl_get_be64(at), ipl_get_be64(at + 8) };
		break;
	case IPL_FIELD_CIDR6:
		take_cidr6(c, out);
		break;
	case IPL_FIELD_RECORD:
	case IPL_FIELD_LIST:
		assert(!"a record is no scalar");
		break;
	default:
		*(uint64_t *)out = ipl_take_uint(c);
		break;
	}
}

static void take_record(struct ipl_cursor *c, const struct ipl_record *record, void *out);

static void take_list(struct ipl_cursor *c, const struct ipl_record *record,
		      struct ipl_any_list *out)
{
	uint32_t count = ipl_take_array(c);
	char *at;

	if (count > (size_t)(c->end - c->at) / record->field_count)
		ipl_cursor_fail(c, "a list is longer than the event");
	if (c->wrong != NULL || count == 0)
		return;
	at = ipl_arena_array(c->arena, count, record->size_bytes);
	if (at == NULL) {
		ipl_cursor_fail(c, "it takes more memory than there is");
		return;
	}
	*out = (struct ipl_any_list){ at, count };
	for (uint32_t i = 0; i < count && c->wrong == NULL; i++, at += record->size_bytes) {
		if (record->field_count == 1)
			take_scalar(c, record->field[0].kind, at + record->field[0].offset);
		else
			take_record(c, record, at);
	}
}

static void take_record(struct ipl_cursor *c, const struct ipl_record *record, void *out)
{
	ipl_expect_array(c, record->field_count);
	for (uint32_t i = 0; i < record->field_count && c->wrong == NULL; i++) {
		const struct ipl_field *field = &record->field[i];
		char *value = (char *)out + field->offset;
		if (field->kind == IPL_FIELD_RECORD)
			take_record(c, field->record, value);
		else if (field->kind == IPL_FIELD_LIST)
			take_list(c, field->record, (struct ipl_any_list *)value);
		else
			take_scalar(c, field->kind, value);
	}
}

void ipl_record_take(struct ipl_cursor *c, const struct ipl_record *record, void *out)
{
	take_record(c, record, out);
}

static void take_links(struct ipl_cursor *c, struct ipl_event *ev)
{
	uint32_t count = ipl_take_array(c);

	if (count % 3 != 0 || count / 3 > IPL_EVENT_TOUCHES_MAX || count > c->end - c->at)
		ipl_cursor_fail(c, "the links are not three for each touch");
	if (c->wrong != NULL)
		return;
	ev->link_count = count / 3;
	ev->links = ipl_arena_array(c->arena, ev->link_count, sizeof(*ev->links));
	if (ev->links == NULL)
		ipl_cursor_fail(c, "it takes more memory than there is");
	for (uint32_t i = 0; i < ev->link_count && c->wrong == NULL; i++) {
		uint64_t back = ipl_take_uint(c);
		uint64_t jump = ipl_take_uint(c);
		uint64_t depth = ipl_take_uint(c);
		if (back >= ev->seq || jump >= ev->seq || (back == 0) != (depth == 0) ||
		    (jump != 0 && jump < back) || (back == 0 && jump != 0))
			ipl_cursor_fail(c, "a link does not lead back");
		ev->links[i] = (struct ipl_link){
			.back = back == 0 ? 0 : ev->seq - back,
			.jump = jump == 0 ? 0 : ev->seq - jump,
			.depth = depth,
		};
	}
}

static void take_head(struct ipl_cursor *c, struct ipl_event_head *out)
{
	ipl_expect_array(c, ENVELOPE_FIELDS);
	if (ipl_take_uint(c) != IPL_EVENT_VERSION)
		ipl_cursor_fail(c, "its version is unknown");
	out->seq = ipl_take_uint(c);
	out->time_ms = ipl_take_time(c);
	out->type = take_u32(c);
	if (c->wrong == NULL && ipl_event_record(out->type) == NULL)
		ipl_cursor_fail(c, "its type is unknown");
}

static void take_envelope(struct ipl_cursor *c, struct ipl_event *out)
{
	struct ipl_event_head head;
	const uint8_t *id;

	take_head(c, &head);
	out->seq = head.seq;
	out->time_ms = head.time_ms;
	out->type = (enum ipl_event_type)head.type;
	out->op = (enum ipl_op)take_u32(c);
	out->principal = ipl_take_text(c);
	out->actor = ipl_take_text(c);
	id = ipl_take_bin(c, IPL_REQUEST_ID_BYTES);
	if (id != NULL)
		memcpy(out->request_id, id, IPL_REQUEST_ID_BYTES);
	out->client_token = ipl_take_text(c);
	out->params_digest = ipl_take_uint(c);
	out->reason = ipl_take_text(c);
	ipl_expect_array(c, 2);
	out->group_place = ipl_take_uint(c);
	out->group_size = ipl_take_uint(c);
	out->group_step = ipl_take_uint_or_nil(c);
	if (c->wrong == NULL && ipl_op_name(out->op) == NULL)
		ipl_cursor_fail(c, "its operation is unknown");
	if (out->seq == 0 || out->seq > INT64_MAX || out->group_place > out->group_size ||
	    out->group_place > out->seq)
		ipl_cursor_fail(c, "its seq or its place in a group is impossible");
}

/* The links must be as many as the touches; that is known only after both. */
static void check_links(struct ipl_cursor *c, const struct ipl_event *ev)
{
	struct ipl_touches touches;
	struct ipl_error unused = IPL_ERROR_INIT(NULL);

	if (ipl_event_touches(c->arena, ev, &touches, &unused) != IPL_OK)
		ipl_cursor_fail(c, "it takes more memory than there is");
	else if (touches.count != ev->link_count)
		ipl_cursor_fail(c, "there are not as many links as touches");
}

/* A cursor at the beginning of an event that is whole, which ends before its checksum. */
static enum ipl_status begin(struct ipl_str bytes, struct ipl_cursor *c, struct ipl_error *err)
{
	c->at = (const uint8_t *)bytes.at;
	if (bytes.len <= CHECKSUM_BYTES || bytes.len > IPL_EVENT_BYTES_MAX)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "an event of %zu bytes is impossible",
				     bytes.len);
	c->end = c->at + bytes.len - CHECKSUM_BYTES;
	if (*c->end != 0xcf ||
	    ipl_get_be64(c->end + 1) != ipl_hash64(c->at, (size_t)(c->end - c->at)))
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "the checksum of an event of %zu bytes does not fit",
				     bytes.len);
	return IPL_OK;
}

enum ipl_status ipl_event_decode(struct ipl_str bytes, struct ipl_arena *arena,
				 struct ipl_event *out, struct ipl_error *err)
{
	struct ipl_cursor c = { .arena = arena };

	memset(out, 0, sizeof(*out));
	if (begin(bytes, &c, err) != IPL_OK)
		return err->status;
	take_envelope(&c, out);
	if (c.wrong == NULL)
		take_record(&c, ipl_event_record(out->type), &out->body);
	if (c.wrong == NULL)
		take_links(&c, out);
	if (c.wrong == NULL && c.at != c.end)
		ipl_cursor_fail(&c, "there are bytes after its end");
	if (c.wrong == NULL)
		check_links(&c, out);
	if (c.wrong != NULL && arena->failed)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory while reading an event");
	if (c.wrong != NULL)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "event %" PRIu64 ": %s", out->seq,
				     c.wrong);
	return IPL_OK;
}

enum ipl_status ipl_event_head(struct ipl_str bytes, struct ipl_event_head *out,
			       struct ipl_error *err)
{
	struct ipl_cursor c = { .arena = NULL };

	if (begin(bytes, &c, err) != IPL_OK)
		return err->status;
	take_head(&c, out);
	return c.wrong == NULL ? IPL_OK :
				 ipl_error_set(err, IPL_ERR_CORRUPT, "event %" PRIu64 ": %s",
					       out->seq, c.wrong);
}

bool ipl_event_peek(struct ipl_str bytes, uint64_t *seq, int64_t *time_ms)
{
	const uint8_t *at = (const uint8_t *)bytes.at;
	struct ipl_cursor c = { .at = at, .end = at + bytes.len };
	struct ipl_event_head head;

	take_head(&c, &head);
	*seq = head.seq;
	*time_ms = head.time_ms;
	return c.wrong == NULL;
}
