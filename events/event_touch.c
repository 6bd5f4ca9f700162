/* SPDX-License-Identifier: Apache-2.0 */
/* Which entities and addresses an event touches, read from the flags of its table. */
#include "events/event.h"

#include <string.h>

#define SHARED_KEPT 4u

struct collector {
	struct ipl_arena *arena;
	struct ipl_touches *out;
	uint32_t cap;
	struct ipl_key shared[SHARED_KEPT]; /* the last of them: mostly there is one */
	uint32_t shared_count;
	uint64_t vpc; /* that private addresses are held in */
};

static void add(struct collector *c, struct ipl_key key)
{
	struct ipl_touches *out = c->out;

	if (out->count == c->cap) {
		uint32_t cap = c->cap == 0 ? 16 : c->cap * 2;
		struct ipl_key *grown = ipl_arena_array(c->arena, cap, sizeof(*grown));
		if (grown == NULL || cap > 2 * IPL_EVENT_TOUCHES_MAX) {
			c->arena->failed = true;
			return;
		}
		if (out->count > 0)
			memcpy(grown, out->at, out->count * sizeof(*grown));
		out->at = grown;
		c->cap = cap;
	}
	out->at[out->count++] = key;
}

/* An entity that several parts of one event name is listed once. */
static void add_once(struct collector *c, struct ipl_key key)
{
	uint32_t kept = c->shared_count < SHARED_KEPT ? c->shared_count : SHARED_KEPT;

	for (uint32_t i = 0; i < kept; i++) {
		if (ipl_key_equal(c->shared[i], key))
			return;
	}
	for (uint32_t i = 0; c->shared_count > SHARED_KEPT && i < c->out->count; i++) {
		if (ipl_key_equal(c->out->at[i], key))
			return;
	}
	c->shared[c->shared_count++ % SHARED_KEPT] = key;
	add(c, key);
}

static void collect_field(struct collector *c, const struct ipl_field *field, const char *at)
{
	uint64_t number;
	struct ipl_ip6 ip6;
	uint32_t ip;

	if ((field->flags & (IPL_FIELD_TOUCH | IPL_FIELD_SHARED)) != 0) {
		memcpy(&number, at, sizeof(number));
		struct ipl_key key = ipl_key_entity(ipl_field_entity(field->kind), number);
		if (number == 0)
			return;
		if (field->flags & IPL_FIELD_SHARED)
			add_once(c, key);
		else
			add(c, key);
	} else if (field->kind == IPL_FIELD_IP6) {
		memcpy(&ip6, at, sizeof(ip6));
		add(c, ipl_key_ip6(ip6.hi, ip6.lo));
	} else {
		memcpy(&ip, at, sizeof(ip));
		if (field->flags & IPL_FIELD_HELD)
			add(c, ipl_key_ip4(c->vpc, ip));
		else if (ip != 0)
			add(c, ipl_key_ip4(0, ip));
	}
}

static void collect(struct collector *c, const struct ipl_record *record, const char *at)
{
	for (uint32_t i = 0; i < record->field_count; i++) {
		const struct ipl_field *field = &record->field[i];
		const char *value = at + field->offset;
		if (field->kind == IPL_FIELD_RECORD) {
			collect(c, field->record, value);
		} else if (field->kind == IPL_FIELD_LIST) {
			struct ipl_any_list list;
			memcpy(&list, value, sizeof(list));
			for (uint32_t k = 0; k < list.count; k++)
				collect(c, field->record,
					(const char *)list.at +
						(size_t)k * field->record->size_bytes);
		} else if (field->flags != 0) {
			collect_field(c, field, value);
		}
	}
}

/* The VPC that a body's private addresses are in: its own field of that kind. */
static uint64_t scope_of(const struct ipl_record *record, const char *at)
{
	for (uint32_t i = 0; i < record->field_count; i++) {
		uint64_t number;
		if (record->field[i].kind != IPL_FIELD_VPC)
			continue;
		memcpy(&number, at + record->field[i].offset, sizeof(number));
		return number;
	}
	return 0;
}

enum ipl_status ipl_event_touches(struct ipl_arena *arena, const struct ipl_event *ev,
				  struct ipl_touches *out, struct ipl_error *err)
{
	const struct ipl_record *record = ipl_event_record(ev->type);
	struct collector c = { .arena = arena, .out = out, .vpc = scope_of(record, &ev->body) };

	memset(out, 0, sizeof(*out));
	collect(&c, record, &ev->body);
	if (arena->failed || out->count > IPL_EVENT_TOUCHES_MAX)
		return ipl_error_set(err, IPL_ERR_NOMEM, "an event touches more than %u chains",
				     IPL_EVENT_TOUCHES_MAX);
	return IPL_OK;
}
