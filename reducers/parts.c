/* SPDX-License-Identifier: Apache-2.0 */
/* What the reducers share: damage, notes, numbers, and finding one's part of an event. */
#include "reducers/reduce_internal.h"

#include <stdio.h>

enum ipl_status ipl_damage(const struct ipl_event *ev, struct ipl_error *err, const char *format,
			   ...)
{
	char why[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args); /* cut is good enough */
	va_end(args);
	return ipl_error_set(err, IPL_ERR_CORRUPT, "event %" PRIu64 " (%s) cannot be: %s", ev->seq,
			     ipl_event_name(ev->type), why);
}

bool ipl_base_begin(struct ipl_base *base, const struct ipl_event *ev,
		    const struct ipl_notes *notes, struct ipl_error *err)
{
	if (base->alive) {
		ipl_damage(ev, err, "what it makes is there since event %" PRIu64, base->first_seq);
		return false;
	}
	base->notes = ipl_notes_copy(notes);
	if (base->notes == NULL) {
		ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an entity");
		return false;
	}
	base->alive = true;
	base->first_seq = ev->seq;
	base->created_ms = ev->time_ms;
	return true;
}

static struct ipl_str pour(char **at, struct ipl_str s)
{
	struct ipl_str copy = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.at, s.len);
	*at += s.len;
	return copy;
}

struct ipl_notes *ipl_notes_copy(const struct ipl_notes *from)
{
	size_t labels = from->security_groups.count * sizeof(struct ipl_ev_label);
	size_t tags = from->tags.count * sizeof(struct ipl_ev_tag);
	size_t text = from->name.len + from->description.len + from->zone.len + from->type.len +
		      from->image.len + from->host_name.len;
	struct ipl_notes *to;
	char *at;

	for (uint32_t i = 0; i < from->security_groups.count; i++)
		text += from->security_groups.at[i].text.len;
	for (uint32_t i = 0; i < from->tags.count; i++)
		text += from->tags.at[i].key.len + from->tags.at[i].value.len;
	to = malloc(sizeof(*to) + labels + tags + text);
	if (to == NULL)
		return NULL;
	*to = *from;
	to->security_groups.at = (struct ipl_ev_label *)(to + 1);
	to->tags.at = (struct ipl_ev_tag *)((char *)(to + 1) + labels);
	at = (char *)(to + 1) + labels + tags;
	to->name = pour(&at, from->name);
	to->description = pour(&at, from->description);
	to->zone = pour(&at, from->zone);
	to->type = pour(&at, from->type);
	to->image = pour(&at, from->image);
	to->host_name = pour(&at, from->host_name);
	for (uint32_t i = 0; i < from->security_groups.count; i++)
		to->security_groups.at[i].text = pour(&at, from->security_groups.at[i].text);
	for (uint32_t i = 0; i < from->tags.count; i++) {
		to->tags.at[i].key = pour(&at, from->tags.at[i].key);
		to->tags.at[i].value = pour(&at, from->tags.at[i].value);
	}
	return to;
}

enum ipl_status ipl_base_rename(struct ipl_base *base, struct ipl_str name,
				struct ipl_str description, struct ipl_error *err)
{
	struct ipl_notes notes = *base->notes, *fresh;

	notes.name = name;
	notes.description = description;
	fresh = ipl_notes_copy(&notes);
	if (fresh == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a name");
	free(base->notes);
	base->notes = fresh;
	return IPL_OK;
}

bool ipl_numbers_add(struct ipl_numbers *numbers, uint64_t number)
{
	if (numbers->count == numbers->cap) {
		uint32_t cap = numbers->cap == 0 ? 2 : numbers->cap * 2;
		uint64_t *grown = realloc(numbers->at, cap * sizeof(*grown));
		if (grown == NULL)
			return false;
		numbers->at = grown;
		numbers->cap = cap;
	}
	numbers->at[numbers->count++] = number;
	return true;
}

bool ipl_numbers_remove(struct ipl_numbers *numbers, uint64_t number)
{
	for (uint32_t i = 0; i < numbers->count; i++) {
		if (numbers->at[i] != number)
			continue;
		memmove(numbers->at + i, numbers->at + i + 1,
			(numbers->count - i - 1) * sizeof(*numbers->at));
		numbers->count--;
		return true;
	}
	return false;
}

const struct ipl_ev_instance *ipl_launched_instance(const struct ipl_event *ev, uint64_t number)
{
	const struct ipl_ev_instance_list *list = &ev->instances_launched.instances;

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->at[i].instance == number)
			return &list->at[i];
	}
	return NULL;
}

const struct ipl_ev_launched_eni *ipl_launched_eni(const struct ipl_event *ev, uint64_t number,
						   const struct ipl_ev_instance **of)
{
	const struct ipl_ev_instance_list *list = &ev->instances_launched.instances;

	for (uint32_t i = 0; i < list->count; i++) {
		*of = &list->at[i];
		for (uint32_t k = 0; k < list->at[i].enis.count; k++) {
			if (list->at[i].enis.at[k].eni == number)
				return &list->at[i].enis.at[k];
		}
	}
	return NULL;
}

struct ipl_ev_freed_eni_list ipl_freed_enis(const struct ipl_event *ev)
{
	if (ev->type == IPL_EVENT_INSTANCE_RELEASED)
		return ev->instance_released.enis;
	if (ev->type == IPL_EVENT_ENI_DELETED) /* a list of one, only read */
		return (struct ipl_ev_freed_eni_list){
			(struct ipl_ev_freed_eni *)(uintptr_t)&ev->eni_deleted.eni, 1
		};
	return (struct ipl_ev_freed_eni_list){ NULL, 0 };
}

const struct ipl_ev_freed_eni *ipl_freed_eni(const struct ipl_event *ev, uint64_t number)
{
	struct ipl_ev_freed_eni_list list = ipl_freed_enis(ev);

	for (uint32_t i = 0; i < list.count; i++) {
		if (list.at[i].eni == number)
			return &list.at[i];
	}
	return NULL;
}

const struct ipl_ev_freed_eni *ipl_freed_eni_of_eip(const struct ipl_event *ev, uint64_t number)
{
	struct ipl_ev_freed_eni_list list = ipl_freed_enis(ev);

	for (uint32_t i = 0; i < list.count; i++) {
		for (uint32_t k = 0; k < list.at[i].eips.count; k++) {
			if (list.at[i].eips.at[k].eip == number)
				return &list.at[i];
		}
	}
	return NULL;
}
