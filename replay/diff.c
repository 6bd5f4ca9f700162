/* SPDX-License-Identifier: Apache-2.0 */
/* Two states compared, by what was touched between them. */
#include "replay/diff.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "replay/history.h"

/* A position is the event and which of its touches comes next. */
#define TOUCH_BITS 15
static_assert(IPL_EVENT_TOUCHES_MAX < 1u << TOUCH_BITS, "a touch fits in a position");

static uint64_t low_of(const struct ipl_diff *diff)
{
	return diff->from->seq < diff->to->seq ? diff->from->seq : diff->to->seq;
}

static uint64_t high_of(const struct ipl_diff *diff)
{
	return diff->from->seq < diff->to->seq ? diff->to->seq : diff->from->seq;
}

/* --- what belongs to what --- */

static uint64_t vpc_of(enum ipl_kind kind, uint64_t number, const union ipl_entity *entity)
{
	switch (kind) {
	case IPL_KIND_VPC:
		return number;
	case IPL_KIND_VSWITCH:
		return entity->vswitch.vpc;
	case IPL_KIND_INSTANCE:
		return entity->instance.vpc;
	case IPL_KIND_ENI:
		return entity->eni.vpc;
	case IPL_KIND_EIP:
		return entity->eip.vpc;
	case IPL_KIND_IPV6:
		return entity->ipv6.vpc;
	case IPL_KIND_IPV6GW:
		return entity->ipv6gw.vpc;
	case IPL_KIND_IPV6BW:
		return entity->ipv6bw.vpc;
	case IPL_KIND_NONE:
	case IPL_KIND_LEDGER:
	case IPL_KIND_COUNT:
	case IPL_KIND_IP4:
	case IPL_KIND_IP6:
		break;
	}
	return 0;
}

static uint64_t vswitch_of_eni(struct ipl_lens *lens, uint64_t number)
{
	const struct ipl_eni *eni = number == 0 ? NULL : ipl_lens_eni(lens, number);

	return eni == NULL ? 0 : eni->vswitch;
}

/* An instance is in the vSwitch of its primary interface, an EIP in that of its interface. */
static uint64_t vswitch_of(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number,
			   const union ipl_entity *entity)
{
	const struct ipl_ipv6 *ipv6;

	switch (kind) {
	case IPL_KIND_VSWITCH:
		return number;
	case IPL_KIND_INSTANCE:
		return vswitch_of_eni(lens, entity->instance.enis.at[0]);
	case IPL_KIND_ENI:
		return entity->eni.vswitch;
	case IPL_KIND_EIP:
		return vswitch_of_eni(lens, entity->eip.eni);
	case IPL_KIND_IPV6:
		return entity->ipv6.vswitch;
	case IPL_KIND_IPV6BW:
		ipv6 = ipl_lens_ipv6(lens, entity->ipv6bw.ipv6);
		return ipv6 == NULL ? 0 : ipv6->vswitch;
	case IPL_KIND_NONE:
	case IPL_KIND_LEDGER:
	case IPL_KIND_VPC:
	case IPL_KIND_IPV6GW:
	case IPL_KIND_COUNT:
	case IPL_KIND_IP4:
	case IPL_KIND_IP6:
		break;
	}
	return 0;
}

static bool belongs(const struct ipl_diff *diff, struct ipl_lens *lens, struct ipl_key key,
		    const union ipl_entity *entity)
{
	if (entity == NULL)
		return false;
	if (diff->scope.kind == IPL_KIND_VPC)
		return vpc_of((enum ipl_kind)key.kind, key.a, entity) == diff->scope.a;
	if (diff->scope.kind == IPL_KIND_VSWITCH)
		return vswitch_of(lens, (enum ipl_kind)key.kind, key.a, entity) == diff->scope.a;
	return true; /* everything, or one of those that were looked up because they belong */
}

/* --- one entity --- */

static enum ipl_status add_seqs(struct ipl_diff *diff, struct ipl_key key, struct ipl_value *change)
{
	struct ipl_value list = ipl_array();
	struct ipl_seqs seqs;
	size_t skipped;
	enum ipl_status st = ipl_chain_collect(diff->source, key, low_of(diff) + 1, high_of(diff),
					       &seqs, diff->err);

	if (st != IPL_OK)
		return st;
	skipped = seqs.count > IPL_DIFF_SEQS_MAX ? seqs.count - IPL_DIFF_SEQS_MAX : 0;
	for (size_t i = skipped; i < seqs.count; i++)
		ipl_array_add(diff->arena, &list, ipl_int((int64_t)seqs.at[i]));
	free(seqs.at);
	ipl_map_add(diff->arena, change, "Seqs", list);
	if (skipped > 0)
		ipl_map_add(diff->arena, change, "SeqsLeftOut", ipl_int((int64_t)skipped));
	return IPL_OK;
}

static struct ipl_value show(struct ipl_diff *diff, struct ipl_lens *lens, struct ipl_key key,
			     const union ipl_entity *entity, bool is_alone)
{
	/* Where both are there a constant is the same. */
	unsigned classes =
		is_alone ? IPL_HISTORY_MEMBERS : IPL_MEMBER_OWN | (unsigned)IPL_MEMBER_PAIRED;

	return ipl_show_only(diff->arena, lens, (enum ipl_kind)key.kind, key.a, entity, classes);
}

/* Put the change on the page; false where the page was full without it. */
static enum ipl_status put(struct ipl_diff *diff, struct ipl_key key, const char *what,
			   struct ipl_value fields, bool *is_full)
{
	struct ipl_value change = ipl_map();
	size_t bytes;
	enum ipl_status st;

	ipl_map_add(diff->arena, &change, "Id",
		    ipl_show_id(diff->arena, diff->to, (enum ipl_kind)key.kind, key.a));
	ipl_map_add(diff->arena, &change, "Kind",
		    ipl_text_of(ipl_kind_name((enum ipl_kind)key.kind)));
	ipl_map_add(diff->arena, &change, "Change", ipl_text_of(what));
	ipl_map_add(diff->arena, &change, "Fields", fields);
	st = add_seqs(diff, key, &change);
	if (st != IPL_OK)
		return st;
	bytes = ipl_value_bytes(&change);
	if (diff->page.count > 0 && bytes > diff->bytes_max) {
		*is_full = true;
		return IPL_OK;
	}
	diff->bytes_max -= bytes < diff->bytes_max ? bytes : diff->bytes_max;
	ipl_array_add(diff->arena, &diff->page, change);
	return IPL_OK;
}

/* @is_born: it did not exist at the earlier moment, that is known. */
static enum ipl_status compare(struct ipl_diff *diff, struct ipl_key key, bool is_born,
			       bool *is_full)
{
	bool is_back = diff->to->seq < diff->from->seq;
	const union ipl_entity *was = NULL, *is = NULL;
	struct ipl_value before = ipl_map(), after = ipl_map(), fields;

	diff->has_moved = true;
	if (!is_born || is_back)
		was = diff->from->find(diff->from, (enum ipl_kind)key.kind, key.a);
	if (!is_born || !is_back)
		is = diff->to->find(diff->to, (enum ipl_kind)key.kind, key.a);
	if ((was == NULL && is == NULL) ||
	    (!belongs(diff, diff->from, key, was) && !belongs(diff, diff->to, key, is)))
		return diff->from->status != IPL_OK ? diff->from->status : diff->to->status;
	if (was != NULL)
		before = show(diff, diff->from, key, was, is == NULL);
	if (is != NULL)
		after = show(diff, diff->to, key, is, was == NULL);
	if (diff->from->status != IPL_OK || diff->to->status != IPL_OK)
		return diff->from->status != IPL_OK ? diff->from->status : diff->to->status;
	fields = ipl_fields_between(diff->arena, (enum ipl_kind)key.kind,
				    was == NULL ? NULL : &before, is == NULL ? NULL : &after);
	if (fields.count == 0)
		return IPL_OK;
	return put(diff, key,
		   was == NULL ? "Created" :
		   is == NULL  ? "Deleted" :
				 "Updated",
		   fields, is_full);
}

static bool is_spent(const struct ipl_diff *diff)
{
	return diff->page.count == diff->max_results ||
	       (diff->has_moved && *diff->loads > diff->loads_max);
}

/* --- everything between --- */

/* Whether no event after the earlier moment, before the one of @link, can have changed it. */
static enum ipl_status is_first(struct ipl_diff *diff, struct ipl_leaf *probe, struct ipl_key key,
				struct ipl_link link, bool *out)
{
	uint64_t low = low_of(diff);
	enum ipl_status st = IPL_OK;

	*out = true;
	while (st == IPL_OK && link.back > low) {
		if (key.kind == IPL_KIND_VSWITCH) /* of the others every event counts */
			st = ipl_leaf_load(probe, diff->source, link.back, diff->err);
		if (st != IPL_OK)
			return st;
		if (key.kind != IPL_KIND_VSWITCH ||
		    ipl_changes_shown((enum ipl_kind)key.kind, probe->ev.type)) {
			*out = false;
			return IPL_OK;
		}
		st = ipl_leaf_link(probe, key, &link, diff->err);
	}
	return st;
}

/* Those that event @seq touches first, from touch *@at on; *@at: where it stopped. */
static enum ipl_status scan_event(struct ipl_diff *diff, struct ipl_leaf *leaf,
				  struct ipl_leaf *probe, uint64_t seq, uint32_t *at, bool *is_full)
{
	struct ipl_touches touches;
	enum ipl_status st = ipl_leaf_load(leaf, diff->source, seq, diff->err);

	if (st == IPL_OK)
		st = ipl_event_touches(&leaf->arena, &leaf->ev, &touches, diff->err);
	for (; st == IPL_OK && *at < touches.count; ++*at) {
		struct ipl_key key = touches.at[*at];
		const struct ipl_link link = leaf->ev.links[*at];
		bool first = false;
		if (key.kind >= IPL_KIND_COUNT ||
		    !ipl_changes_shown((enum ipl_kind)key.kind, leaf->ev.type))
			continue;
		st = is_first(diff, probe, key, link, &first);
		if (st != IPL_OK || !first)
			continue;
		*is_full = is_spent(diff);
		if (!*is_full)
			st = compare(diff, key, link.depth == 0, is_full);
		if (*is_full)
			return st;
	}
	*at = st == IPL_OK ? 0 : *at;
	return st;
}

static enum ipl_status scan(struct ipl_diff *diff)
{
	uint64_t high = high_of(diff), seq = low_of(diff) + 1;
	struct ipl_leaf leaf, probe;
	uint32_t at = 0;
	enum ipl_status st = IPL_OK;

	if (diff->position != 0) {
		seq = diff->position >> TOUCH_BITS;
		at = (uint32_t)(diff->position & ((1u << TOUCH_BITS) - 1));
	}
	diff->position = 0;
	ipl_leaf_init(&leaf);
	ipl_leaf_init(&probe);
	while (st == IPL_OK && seq <= high) {
		bool is_full = diff->has_moved && *diff->loads > diff->loads_max;
		if (!is_full)
			st = scan_event(diff, &leaf, &probe, seq, &at, &is_full);
		if (is_full) {
			diff->position = seq << TOUCH_BITS | at;
			break;
		}
		diff->has_moved = true;
		seq++;
	}
	ipl_leaf_release(&probe);
	ipl_leaf_release(&leaf);
	return st;
}

/* --- one thing, and what it has --- */

struct list {
	struct ipl_arena *arena;
	struct ipl_key *at;
	size_t count, cap;
};

static void add(struct list *list, enum ipl_kind kind, uint64_t number)
{
	struct ipl_key key = ipl_key_entity(kind, number);

	for (size_t i = 0; i < list->count; i++) {
		if (ipl_key_equal(list->at[i], key))
			return;
	}
	if (number == 0)
		return;
	if (list->count == list->cap) {
		size_t cap = list->cap == 0 ? 32 : list->cap * 2;
		struct ipl_key *grown = ipl_arena_array(list->arena, cap, sizeof(*grown));
		if (grown == NULL)
			return; /* the arena has failed: seen at the end */
		if (list->count > 0)
			memcpy(grown, list->at, list->count * sizeof(*grown));
		list->at = grown;
		list->cap = cap;
	}
	list->at[list->count++] = key;
}

static void add_of_eni(struct list *list, struct ipl_lens *lens, uint64_t number)
{
	const struct ipl_eni *eni = ipl_lens_eni(lens, number);

	add(list, IPL_KIND_ENI, number);
	for (uint32_t i = 0; eni != NULL && i < eni->address_count; i++)
		add(list, IPL_KIND_EIP, eni->address[i].eip);
	for (uint32_t i = 0; eni != NULL && i < eni->ipv6.count; i++) {
		const struct ipl_ipv6 *ipv6 = ipl_lens_ipv6(lens, eni->ipv6.at[i]);
		add(list, IPL_KIND_IPV6, eni->ipv6.at[i]);
		add(list, IPL_KIND_IPV6BW, ipv6 == NULL ? 0 : ipv6->bandwidth);
	}
}

/* What an instance has at one of the moments: interfaces, and what these have. */
static void add_of_instance(struct list *list, struct ipl_lens *lens, uint64_t number)
{
	const union ipl_entity *entity = lens->find(lens, IPL_KIND_INSTANCE, number);

	for (uint32_t i = 0; entity != NULL && i < entity->instance.enis.count; i++)
		add_of_eni(list, lens, entity->instance.enis.at[i]);
}

static enum ipl_status list_one(struct ipl_diff *diff)
{
	struct list list = { .arena = diff->arena };
	uint64_t at = diff->position, last = 0;
	enum ipl_status st = IPL_OK;

	add(&list, (enum ipl_kind)diff->scope.kind, diff->scope.a);
	if (diff->scope.kind == IPL_KIND_INSTANCE) {
		add_of_instance(&list, diff->from, diff->scope.a);
		add_of_instance(&list, diff->to, diff->scope.a);
	}
	diff->position = 0;
	for (; st == IPL_OK && at < list.count; at++) {
		bool is_full = is_spent(diff);
		if (!is_full)
			st = ipl_chain_seek(diff->source, list.at[at], high_of(diff), &last,
					    diff->err);
		if (st == IPL_OK && !is_full && last > low_of(diff))
			st = compare(diff, list.at[at], false, &is_full);
		if (is_full) {
			diff->position = at;
			return st;
		}
	}
	return st;
}

enum ipl_status ipl_diff_page(struct ipl_diff *diff)
{
	enum ipl_status st;

	if (diff->scope.kind == IPL_KIND_NONE || diff->scope.kind == IPL_KIND_VPC ||
	    diff->scope.kind == IPL_KIND_VSWITCH)
		st = scan(diff);
	else
		st = list_one(diff);
	if (st == IPL_OK && diff->from->status != IPL_OK)
		return diff->from->status;
	return st == IPL_OK ? diff->to->status : st;
}
