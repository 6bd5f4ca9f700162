/* SPDX-License-Identifier: Apache-2.0 */
/* Events as trees, for every door and printer, and the schema of all of them. */
#include "events/event.h"

#include <string.h>

#include "events/time.h"

static struct ipl_value time_value(struct ipl_arena *arena, int64_t time_ms)
{
	char text[IPL_TIME_TEXT_MAX];

	ipl_time_format(time_ms, text);
	return ipl_text_copy(arena, text);
}

static struct ipl_value address_value(struct ipl_arena *arena, enum ipl_field_kind kind,
				      const void *at)
{
	char text[IPL_CIDR6_TEXT_MAX];

	if (kind == IPL_FIELD_IP4)
		ipl_ip4_format(*(const uint32_t *)at, text);
	else if (kind == IPL_FIELD_CIDR4)
		ipl_cidr4_format(*(const struct ipl_cidr4 *)at, text);
	else if (kind == IPL_FIELD_IP6)
		ipl_ip6_format(*(const struct ipl_ip6 *)at, text);
	else
		ipl_cidr6_format(*(const struct ipl_cidr6 *)at, text);
	return ipl_text_copy(arena, text);
}

static struct ipl_value id_value(struct ipl_arena *arena, struct ipl_region_letters letters,
				 enum ipl_kind kind, uint64_t number)
{
	char text[IPL_ID_TEXT_MAX];

	if (number == 0)
		return ipl_text(IPL_STR(""));
	ipl_id_format(letters, kind, number, text);
	return ipl_text_copy(arena, text);
}

/* A value that says nothing (no entity, no address, no text) is left out of a map. */
static bool is_absent(enum ipl_field_kind kind, const void *at)
{
	switch (kind) {
	case IPL_FIELD_BOOL:
	case IPL_FIELD_NUM:
	case IPL_FIELD_CHARGE:
	case IPL_FIELD_RUN:
	case IPL_FIELD_MODE:
	case IPL_FIELD_IP6:
	case IPL_FIELD_RECORD:
		return false;
	case IPL_FIELD_TIME:
		return *(const int64_t *)at == 0;
	case IPL_FIELD_STR:
		return ((const struct ipl_str *)at)->len == 0;
	case IPL_FIELD_IP4:
	case IPL_FIELD_STOPPED:
		return *(const uint32_t *)at == 0;
	case IPL_FIELD_CIDR4:
		return ((const struct ipl_cidr4 *)at)->base == 0;
	case IPL_FIELD_CIDR6:
		return ((const struct ipl_cidr6 *)at)->prefix_len == 0;
	case IPL_FIELD_LIST:
		return ((const struct ipl_any_list *)at)->count == 0;
	default:
		return *(const uint64_t *)at == 0;
	}
}

static struct ipl_value scalar_value(struct ipl_arena *arena, struct ipl_region_letters letters,
				     enum ipl_field_kind kind, const void *at)
{
	switch (kind) {
	case IPL_FIELD_BOOL:
		return ipl_bool(*(const bool *)at);
	case IPL_FIELD_NUM:
		return ipl_int((int64_t)(*(const uint64_t *)at & INT64_MAX));
	case IPL_FIELD_TIME:
		return time_value(arena, *(const int64_t *)at);
	case IPL_FIELD_STR:
		return ipl_text(ipl_arena_str(arena, *(const struct ipl_str *)at));
	case IPL_FIELD_IP4:
	case IPL_FIELD_CIDR4:
	case IPL_FIELD_IP6:
	case IPL_FIELD_CIDR6:
		return address_value(arena, kind, at);
	case IPL_FIELD_CHARGE:
	case IPL_FIELD_RUN:
	case IPL_FIELD_MODE:
	case IPL_FIELD_STOPPED:
		return ipl_text_of(ipl_choice_word(kind, *(const uint32_t *)at));
	case IPL_FIELD_RECORD:
	case IPL_FIELD_LIST:
		return ipl_nil();
	default:
		return id_value(arena, letters, ipl_field_entity(kind), *(const uint64_t *)at);
	}
}

static struct ipl_value list_value(struct ipl_arena *arena, struct ipl_region_letters letters,
				   const struct ipl_record *record, const struct ipl_any_list *list)
{
	struct ipl_value array = ipl_array();

	for (uint32_t i = 0; i < list->count; i++) {
		const char *item = (const char *)list->at + (size_t)i * record->size_bytes;
		if (record->field_count == 1)
			ipl_array_add(arena, &array,
				      scalar_value(arena, letters, record->field[0].kind,
						   item + record->field[0].offset));
		else
			ipl_array_add(arena, &array,
				      ipl_record_value(arena, letters, record, item));
	}
	return array;
}

struct ipl_value ipl_record_value(struct ipl_arena *arena, struct ipl_region_letters letters,
				  const struct ipl_record *record, const void *at)
{
	struct ipl_value map = ipl_map();

	for (uint32_t i = 0; i < record->field_count; i++) {
		const struct ipl_field *field = &record->field[i];
		const char *value = (const char *)at + field->offset;
		if (is_absent(field->kind, value))
			continue;
		if (field->kind == IPL_FIELD_RECORD)
			ipl_map_add(arena, &map, field->name,
				    ipl_record_value(arena, letters, field->record, value));
		else if (field->kind == IPL_FIELD_LIST)
			ipl_map_add(arena, &map, field->name,
				    list_value(arena, letters, field->record,
					       (const struct ipl_any_list *)value));
		else
			ipl_map_add(arena, &map, field->name,
				    scalar_value(arena, letters, field->kind, value));
	}
	return map;
}

static void copy_field(struct ipl_arena *arena, const struct ipl_field *field, char *to)
{
	if (field->kind == IPL_FIELD_STR) {
		struct ipl_str s;
		memcpy(&s, to, sizeof(s));
		s = ipl_arena_str(arena, s);
		memcpy(to, &s, sizeof(s));
	} else if (field->kind == IPL_FIELD_RECORD) {
		ipl_record_copy(arena, field->record, to, to);
	} else if (field->kind == IPL_FIELD_LIST) {
		struct ipl_any_list list;
		memcpy(&list, to, sizeof(list));
		size_t step = field->record->size_bytes;
		char *at = ipl_arena_array(arena, list.count, step);
		if (at == NULL)
			list.count = 0;
		for (uint32_t i = 0; i < list.count; i++)
			ipl_record_copy(arena, field->record, (const char *)list.at + i * step,
					at + i * step);
		list.at = at;
		memcpy(to, &list, sizeof(list));
	}
}

void ipl_record_copy(struct ipl_arena *arena, const struct ipl_record *record, const void *from,
		     void *to)
{
	if (from != to)
		memcpy(to, from, record->size_bytes);
	for (uint32_t i = 0; i < record->field_count; i++)
		copy_field(arena, &record->field[i], (char *)to + record->field[i].offset);
}

static struct ipl_value touches_value(struct ipl_arena *arena, struct ipl_region_letters letters,
				      const struct ipl_event *ev)
{
	struct ipl_value ids = ipl_array();
	struct ipl_touches touches;
	struct ipl_error unused = IPL_ERROR_INIT(NULL);

	if (ipl_event_touches(arena, ev, &touches, &unused) != IPL_OK)
		return ids; /* the arena has failed; whoever owns it sees that */
	for (uint32_t i = 0; i < touches.count; i++) {
		struct ipl_key key = touches.at[i];
		if (key.kind < IPL_KIND_COUNT)
			ipl_array_add(arena, &ids,
				      id_value(arena, letters, (enum ipl_kind)key.kind, key.a));
	}
	return ids;
}

struct ipl_value ipl_event_value(struct ipl_arena *arena, struct ipl_region_letters letters,
				 const struct ipl_event *ev)
{
	struct ipl_value map = ipl_map();
	char uuid[IPL_UUID_TEXT_MAX];

	ipl_uuid_format(ev->request_id, uuid);
	ipl_map_add(arena, &map, "Seq", ipl_int((int64_t)ev->seq));
	ipl_map_add(arena, &map, "Time", time_value(arena, ev->time_ms));
	ipl_map_add(arena, &map, "Type", ipl_text_of(ipl_event_name(ev->type)));
	ipl_map_add(arena, &map, "Operation", ipl_text_of(ipl_op_name(ev->op)));
	ipl_map_add(arena, &map, "Principal", ipl_text(ipl_arena_str(arena, ev->principal)));
	ipl_map_add(arena, &map, "Actor", ipl_text(ipl_arena_str(arena, ev->actor)));
	ipl_map_add(arena, &map, "RequestId", ipl_text_copy(arena, uuid));
	ipl_map_add(arena, &map, "Reason", ipl_text(ipl_arena_str(arena, ev->reason)));
	if (ev->client_token.len > 0)
		ipl_map_add(arena, &map, "ClientToken",
			    ipl_text(ipl_arena_str(arena, ev->client_token)));
	if (ev->group_size > 0) {
		struct ipl_value group = ipl_map();
		ipl_map_add(arena, &group, "FirstSeq",
			    ipl_int((int64_t)(ev->seq - ev->group_place + 1)));
		ipl_map_add(arena, &group, "Count", ipl_int((int64_t)ev->group_size));
		ipl_map_add(arena, &map, "Group", group);
	}
	ipl_map_add(arena, &map, "Touches", touches_value(arena, letters, ev));
	ipl_map_add(arena, &map, "Body",
		    ipl_record_value(arena, letters, ipl_event_record(ev->type), &ev->body));
	return map;
}

static const char *kind_name(enum ipl_field_kind kind)
{
	static const char *const names[] = {
#define X(KIND, type) #KIND,
		IPL_FIELD_KIND_LIST(X)
#undef X
	};

	return names[kind];
}

static struct ipl_value record_schema(struct ipl_arena *arena, const struct ipl_record *record)
{
	struct ipl_value fields = ipl_array();

	for (uint32_t i = 0; i < record->field_count; i++) {
		const struct ipl_field *field = &record->field[i];
		struct ipl_value map = ipl_map();
		ipl_map_add(arena, &map, "Name", ipl_text_of(field->name));
		ipl_map_add(arena, &map, "Kind", ipl_text_of(kind_name(field->kind)));
		if (field->flags != 0)
			ipl_map_add(arena, &map, "Flags", ipl_int(field->flags));
		if (field->record != NULL)
			ipl_map_add(arena, &map, "Fields", record_schema(arena, field->record));
		ipl_array_add(arena, &fields, map);
	}
	return fields;
}

static void add_type_schema(struct ipl_arena *arena, struct ipl_value *types, uint64_t type)
{
	struct ipl_value map = ipl_map();

	ipl_map_add(arena, &map, "Number", ipl_int((int64_t)type));
	ipl_map_add(arena, &map, "Name", ipl_text_of(ipl_event_name(type)));
	ipl_map_add(arena, &map, "Meaning", ipl_text_of(ipl_event_meaning(type)));
	ipl_map_add(arena, &map, "Fields", record_schema(arena, ipl_event_record(type)));
	ipl_array_add(arena, types, map);
}

struct ipl_value ipl_event_schema(struct ipl_arena *arena)
{
	struct ipl_value schema = ipl_map();
	struct ipl_value types = ipl_array();
	struct ipl_value ops = ipl_array();

	for (uint64_t type = 0; type <= IPL_EVENT_NUMBER_MAX; type++) {
		if (ipl_event_name(type) != NULL)
			add_type_schema(arena, &types, type);
	}
	for (uint32_t op = 1; op < IPL_OP_COUNT; op++) {
		struct ipl_value map = ipl_map();
		ipl_map_add(arena, &map, "Number", ipl_int(op));
		ipl_map_add(arena, &map, "Name", ipl_text_of(ipl_op_name(op)));
		ipl_array_add(arena, &ops, map);
	}
	ipl_map_add(arena, &schema, "Version", ipl_int(IPL_EVENT_VERSION));
	ipl_map_add(arena, &schema, "Envelope",
		    ipl_text_of("Version Seq TimeMs Type Operation Principal Actor RequestId "
				"ClientToken ParamsDigest Reason Group Spare Body Links Checksum"));
	ipl_map_add(arena, &schema, "Types", types);
	ipl_map_add(arena, &schema, "Operations", ops);
	return schema;
}
