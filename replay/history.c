/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals along the chains of an address or an entity. */
#include "replay/history.h"

#include <stdlib.h>
#include <string.h>

#include "events/time.h"

#define BATCH 32u /* events of a chain that are looked up at once */

/* --- one end of an interval --- */

/* An event as the one who opens or closes: text is copied, since it is borrowed. */
static struct ipl_value doer(struct ipl_arena *arena, const struct ipl_event *ev)
{
	struct ipl_value map = ipl_map();
	char uuid[IPL_UUID_TEXT_MAX];

	ipl_uuid_format(ev->request_id, uuid);
	ipl_map_add(arena, &map, "Seq", ipl_int((int64_t)ev->seq));
	ipl_map_add(arena, &map, "Type", ipl_text_of(ipl_event_name(ev->type)));
	ipl_map_add(arena, &map, "Operation", ipl_text_of(ipl_op_name(ev->op)));
	ipl_map_add(arena, &map, "Principal", ipl_text(ipl_arena_str(arena, ev->principal)));
	ipl_map_add(arena, &map, "Actor", ipl_text(ipl_arena_str(arena, ev->actor)));
	ipl_map_add(arena, &map, "Reason", ipl_text(ipl_arena_str(arena, ev->reason)));
	ipl_map_add(arena, &map, "RequestId", ipl_text_copy(arena, uuid));
	return map;
}

struct end {
	uint64_t seq; /* 0: none, the interval is open */
	int64_t time_ms;
	struct ipl_value by;
};

static struct end end_of(struct ipl_arena *arena, const struct ipl_event *ev)
{
	return (struct end){ ev->seq, ev->time_ms, doer(arena, ev) };
}

static void add_end(struct ipl_arena *arena, struct ipl_value *interval, const struct end *end,
		    const char *seq_name, const char *time_name)
{
	char text[IPL_TIME_TEXT_MAX];

	ipl_time_format(end->time_ms, text);
	ipl_map_add(arena, interval, seq_name,
		    end->seq == 0 ? ipl_nil() : ipl_int((int64_t)end->seq));
	ipl_map_add(arena, interval, time_name,
		    end->seq == 0 ? ipl_nil() : ipl_text_copy(arena, text));
}

/* --- the page --- */

/* Whether an interval is asked for. One that ends as it begins was there at that instant. */
static bool is_wanted(const struct ipl_history *h, const struct end *opened,
		      const struct end *closed)
{
	return opened->seq >= h->from || closed->seq == 0 || closed->seq > h->in_force;
}

/* Put an interval on the page; false where the page was full without it. */
static bool put(struct ipl_history *h, const struct end *opened, const struct end *closed,
		const char *name, struct ipl_value value)
{
	struct ipl_value interval = ipl_map();
	size_t bytes;

	add_end(h->arena, &interval, opened, "FromSeq", "FromTime");
	add_end(h->arena, &interval, closed, "ToSeq", "ToTime");
	ipl_map_add(h->arena, &interval, "OpenedBy", opened->by);
	ipl_map_add(h->arena, &interval, "ClosedBy", closed->seq == 0 ? ipl_nil() : closed->by);
	ipl_map_add(h->arena, &interval, name, value);
	bytes = ipl_value_bytes(&interval);
	if (h->page.count > 0 && bytes > h->bytes_max)
		return false;
	h->bytes_max -= bytes < h->bytes_max ? bytes : h->bytes_max;
	ipl_array_add(h->arena, &h->page, interval);
	return true;
}

/* --- a chain, read forward in batches --- */

struct walk {
	struct ipl_key key;
	uint64_t at; /* the event given last; those after it are to come */
	struct ipl_seqs batch;
	size_t next;
	bool is_done;
};

static void walk_release(struct walk *walk)
{
	free(walk->batch.at);
	walk->batch = (struct ipl_seqs){ NULL, 0 };
}

/* Load the next event of the chain into @leaf; IPL_ERR_END after the last. */
static enum ipl_status walk_next(struct ipl_history *h, struct walk *walk, struct ipl_leaf *leaf)
{
	enum ipl_status st = IPL_OK;

	if (walk->next == walk->batch.count && !walk->is_done) {
		walk_release(walk);
		walk->next = 0;
		st = ipl_chain_page(h->source, walk->key, walk->at, h->as_of, BATCH, &walk->batch,
				    h->err);
		if (st != IPL_OK)
			return st;
		walk->is_done = walk->batch.count < BATCH;
	}
	if (walk->next == walk->batch.count)
		return IPL_ERR_END;
	walk->at = walk->batch.at[walk->next++];
	return ipl_leaf_load(leaf, h->source, walk->at, h->err);
}

/* Where the walk of a chain begins: after what earlier pages gave, or before @from. */
static enum ipl_status walk_begin(struct ipl_history *h, struct walk *walk)
{
	uint64_t in_force = 0;
	enum ipl_status st;

	if (h->position != 0 || h->from <= 1)
		return IPL_OK;
	/* The one in force when @from came is asked for, if it goes on then. */
	st = ipl_chain_seek(h->source, walk->key, h->from - 1, &in_force, h->err);
	if (st == IPL_OK && in_force > 0)
		walk->at = in_force - 1;
	return st;
}

/* --- addresses --- */

/* One chain of an address, and its holding that is to be given next. */
struct lane {
	struct walk walk;
	struct ipl_holding holding; /* after the event walked to */
	struct end opened;          /* of that holding; seq 0: no more */
	struct end closed;
};

/* Go on to the end of the next holding: from its opening, which is known, or to it. */
static enum ipl_status lane_step(struct ipl_history *h, struct lane *lane, struct ipl_leaf *leaf)
{
	enum ipl_status st = walk_next(h, &lane->walk, leaf);

	if (st == IPL_OK)
		st = ipl_reduce_holding(lane->walk.key, &lane->holding, &leaf->ev, h->err);
	return st;
}

static bool is_open(const struct lane *lane, const struct ipl_event *ev)
{
	return lane->holding.role != IPL_ROLE_NONE && lane->holding.since_seq == ev->seq;
}

/* To the next event that opens a holding; none: opened.seq is 0. */
static enum ipl_status lane_open(struct ipl_history *h, struct lane *lane, struct ipl_leaf *leaf)
{
	enum ipl_status st;

	lane->opened = (struct end){ .seq = 0 };
	do {
		st = lane_step(h, lane, leaf);
	} while (st == IPL_OK && !is_open(lane, &leaf->ev));
	if (st == IPL_OK)
		lane->opened = end_of(h->arena, &leaf->ev);
	return st == IPL_ERR_END ? IPL_OK : st;
}

static enum ipl_status lane_begin(struct ipl_history *h, struct lane *lane, struct ipl_key key,
				  struct ipl_leaf *leaf)
{
	enum ipl_status st;

	/* Of one event the public holding comes before a private one. */
	bool given = (h->position & 1) != 0 || (h->position != 0 && key.a == 0);

	*lane = (struct lane){ .walk = { .key = key } };
	if (h->position != 0)
		lane->walk.at = (h->position >> 1) - (given ? 0 : 1);
	st = walk_begin(h, &lane->walk);
	if (st == IPL_OK)
		st = ipl_holding_at(h->source, key, lane->walk.at, &lane->holding, h->err);
	return st == IPL_OK ? lane_open(h, lane, leaf) : st;
}

/* Give the lane's holding, and go on to its next one. */
static enum ipl_status lane_give(struct ipl_history *h, struct lane *lane, struct ipl_leaf *leaf,
				 bool *is_full)
{
	const struct ipl_holding given = lane->holding;
	struct end opened = lane->opened, closed = { .seq = 0 };
	const struct ipl_eni *eni;
	enum ipl_status st = lane_step(h, lane, leaf);

	if (st == IPL_OK)
		closed = end_of(h->arena, &leaf->ev);
	if (st != IPL_OK && st != IPL_ERR_END)
		return st;
	ipl_past_move(h->lens, opened.seq, opened.time_ms);
	eni = given.eni == 0 ? NULL : ipl_lens_eni(h->lens, given.eni);
	if (is_wanted(h, &opened, &closed) && (lane->walk.key.kind != IPL_KIND_IP6 || h->vpc == 0 ||
					       (eni != NULL && eni->vpc == h->vpc)))
		*is_full = !put(h, &opened, &closed, "Holder",
				ipl_show_holding(h->arena, h->lens, lane->walk.key, &given));
	if (h->lens->status != IPL_OK)
		return h->lens->status;
	/* What closed it may have opened the next one. */
	if (st == IPL_OK && lane->holding.role != IPL_ROLE_NONE) {
		lane->opened = closed;
		return IPL_OK;
	}
	lane->opened = (struct end){ .seq = 0 };
	return st == IPL_ERR_END ? IPL_OK : lane_open(h, lane, leaf);
}

/* The lane whose holding began first; NULL at the end. */
static struct lane *first_lane(struct lane *lanes, size_t count)
{
	struct lane *first = NULL;

	for (size_t i = 0; i < count; i++) {
		if (lanes[i].opened.seq != 0 &&
		    (first == NULL || lanes[i].opened.seq < first->opened.seq))
			first = &lanes[i];
	}
	return first;
}

static enum ipl_status give_holdings(struct ipl_history *h, struct lane *lanes, size_t count,
				     struct ipl_leaf *leaf)
{
	uint64_t position = h->position;
	struct lane *lane;

	h->position = 0;
	while ((lane = first_lane(lanes, count)) != NULL && lane->opened.seq <= h->to) {
		uint64_t next = lane->opened.seq << 1 | (lane->walk.key.a == 0 ? 0 : 1);
		bool is_full = h->page.count == h->max_results;
		enum ipl_status st = is_full ? IPL_OK : lane_give(h, lane, leaf, &is_full);
		if (st != IPL_OK)
			return st;
		if (is_full) {
			h->position = position;
			return IPL_OK;
		}
		position = next;
	}
	return IPL_OK;
}

enum ipl_status ipl_history_of_address(struct ipl_history *h, const struct ipl_key *keys,
				       size_t key_count)
{
	struct lane *lanes = calloc(key_count == 0 ? 1 : key_count, sizeof(*lanes));
	struct ipl_leaf leaf;
	enum ipl_status st = IPL_OK;

	if (lanes == NULL)
		return ipl_error_set(h->err, IPL_ERR_NOMEM, "out of memory for a history");
	ipl_leaf_init(&leaf);
	for (size_t i = 0; st == IPL_OK && i < key_count; i++)
		st = lane_begin(h, &lanes[i], keys[i], &leaf);
	if (st == IPL_OK)
		st = give_holdings(h, lanes, key_count, &leaf);
	for (size_t i = 0; i < key_count; i++)
		walk_release(&lanes[i].walk);
	ipl_leaf_release(&leaf);
	free(lanes);
	return st;
}

/* --- the last holding alone --- */

enum ipl_status ipl_latest_find(const struct ipl_source *source, struct ipl_key key, uint64_t seq,
				struct ipl_latest *out, struct ipl_error *err)
{
	struct ipl_leaf leaf;
	uint64_t at = 0;
	struct ipl_link link = { .back = 0 };
	enum ipl_status st = ipl_chain_seek(source, key, seq, &at, err);

	if (st == IPL_OK && at == 0)
		return IPL_ERR_END;
	if (st == IPL_OK)
		st = ipl_holding_at(source, key, at, &out->now, err);
	out->holding = out->now;
	out->closed_by = 0;
	if (st != IPL_OK || out->now.role != IPL_ROLE_NONE)
		return st;
	out->closed_by = at;
	ipl_leaf_init(&leaf); /* it was there up to the event before */
	st = ipl_leaf_load(&leaf, source, at, err);
	if (st == IPL_OK)
		st = ipl_leaf_link(&leaf, key, &link, err);
	if (st == IPL_OK)
		st = ipl_holding_at(source, key, link.back, &out->holding, err);
	ipl_leaf_release(&leaf);
	return st;
}

static enum ipl_status load_end(struct ipl_history *h, struct ipl_leaf *leaf, uint64_t seq,
				struct end *out)
{
	enum ipl_status st = IPL_OK;

	*out = (struct end){ .seq = 0 };
	if (seq != 0)
		st = ipl_leaf_load(leaf, h->source, seq, h->err);
	if (st == IPL_OK && seq != 0)
		*out = end_of(h->arena, &leaf->ev);
	return st;
}

/* The holder as of the beginning: each address has another, so each has a lens of its own. */
static enum ipl_status show_holder(struct ipl_history *h, struct ipl_key key,
				   const struct ipl_holding *holding, struct ipl_value *out)
{
	struct ipl_lens lens;
	enum ipl_status st =
		ipl_past_open(&lens, h->source, holding->since_seq, holding->since_ms, h->err);

	if (st != IPL_OK)
		return st;
	lens.letters = h->lens->letters;
	lens.region = h->lens->region;
	*out = ipl_show_holding(h->arena, &lens, key, holding);
	st = lens.status;
	ipl_past_close(&lens);
	return st;
}

enum ipl_status ipl_history_last(struct ipl_history *h, struct ipl_key key,
				 const struct ipl_latest *latest)
{
	struct end opened, closed;
	struct ipl_value holder;
	struct ipl_leaf leaf;
	enum ipl_status st;

	ipl_leaf_init(&leaf);
	st = load_end(h, &leaf, latest->holding.since_seq, &opened);
	if (st == IPL_OK)
		st = load_end(h, &leaf, latest->closed_by, &closed);
	if (st == IPL_OK)
		st = show_holder(h, key, &latest->holding, &holder);
	if (st == IPL_OK && !put(h, &opened, &closed, "Holder", holder))
		st = IPL_ERR_END;
	if (st == IPL_OK)
		ipl_map_add(h->arena, &h->page.item[h->page.count - 1], "Status",
			    ipl_text_of(latest->now.role != IPL_ROLE_NONE         ? "Held" :
					latest->now.cool_until > h->lens->time_ms ? "Cooling" :
										    "Free"));
	ipl_leaf_release(&leaf);
	return st;
}

/* --- entities --- */

/* Of a pair only which one it is is the entity's own: the first member. */
static bool is_same(enum ipl_member_class member_class, const struct ipl_value *a,
		    const struct ipl_value *b)
{
	if (member_class != IPL_MEMBER_PAIRED || a->count == 0 || b->count == 0)
		return ipl_value_equal(a, b);
	return ipl_value_equal(&a->member[0].value, &b->member[0].value);
}

struct ipl_value ipl_fields_between(struct ipl_arena *arena, enum ipl_kind kind,
				    const struct ipl_value *before, const struct ipl_value *after)
{
	size_t count;
	const struct ipl_member_info *info = ipl_members_of(kind, &count);
	struct ipl_value fields = ipl_array();

	for (size_t i = 0; i < count && (before != NULL || after != NULL); i++) {
		const struct ipl_value *was =
			before == NULL ? NULL : ipl_map_get(before, info[i].name);
		const struct ipl_value *is =
			after == NULL ? NULL : ipl_map_get(after, info[i].name);
		struct ipl_value field = ipl_map();
		if ((was == NULL && is == NULL) ||
		    (was != NULL && is != NULL && is_same(info[i].member_class, was, is)))
			continue;
		ipl_map_add(arena, &field, "Name", ipl_text_of(info[i].name));
		ipl_map_add(arena, &field, "Before", was == NULL ? ipl_nil() : *was);
		ipl_map_add(arena, &field, "After", is == NULL ? ipl_nil() : *is);
		ipl_array_add(arena, &fields, field);
	}
	return fields;
}

struct trail {
	struct walk walk;
	enum ipl_kind kind;
	uint64_t number;
	union ipl_entity entity; /* after the event walked to */
	struct end last;         /* that event; its interval is to be given */
	struct ipl_value fields; /* what it changed */
};

static struct ipl_value show(struct ipl_history *h, const struct trail *trail, uint64_t seq,
			     int64_t time_ms)
{
	ipl_past_move(h->lens, seq, time_ms);
	return ipl_show_only(h->arena, h->lens, trail->kind, trail->number, &trail->entity,
			     IPL_HISTORY_MEMBERS);
}

/* Fold the next event of the chain: what it is and what it changed. IPL_ERR_END after the last. */
static enum ipl_status trail_step(struct ipl_history *h, struct trail *trail, struct ipl_leaf *leaf,
				  struct end *end, struct ipl_value *fields)
{
	bool was_alive = trail->entity.base.alive, is_shown;
	struct ipl_value before = ipl_map(), after = ipl_map();
	uint64_t number = trail->number;
	enum ipl_status st = walk_next(h, &trail->walk, leaf);

	if (st != IPL_OK)
		return st;
	*end = end_of(h->arena, &leaf->ev);
	is_shown = ipl_changes_shown(trail->kind, leaf->ev.type);
	if (is_shown && was_alive) {
		before = show(h, trail, end->seq - 1, end->time_ms);
		/* The look loaded other events where the record of this one was borrowed. */
		st = ipl_leaf_load(leaf, h->source, end->seq, h->err);
	}
	if (st == IPL_OK)
		st = ipl_reduce_entity(trail->kind, number, &trail->entity, &leaf->ev, h->err);
	if (st != IPL_OK)
		return st;
	if (is_shown && trail->entity.base.alive)
		after = show(h, trail, end->seq, end->time_ms);
	*fields = !is_shown ? ipl_array() :
			      ipl_fields_between(h->arena, trail->kind, was_alive ? &before : NULL,
						 trail->entity.base.alive ? &after : NULL);
	return h->lens->status;
}

/* The entity as it stands where the walk begins. */
static enum ipl_status trail_begin(struct ipl_history *h, struct trail *trail)
{
	const union ipl_entity *found;
	enum ipl_status st = IPL_OK;

	if (h->position != 0)
		trail->walk.at = h->position >> 1;
	else
		st = walk_begin(h, &trail->walk);
	if (st != IPL_OK)
		return st;
	ipl_past_move(h->lens, trail->walk.at, h->lens->time_ms);
	found = h->lens->find(h->lens, trail->kind, trail->number);
	if (found != NULL && !ipl_entity_copy(trail->kind, found, &trail->entity))
		return ipl_error_set(h->err, IPL_ERR_NOMEM, "out of memory for a history");
	return h->lens->status;
}

static enum ipl_status give_changes(struct ipl_history *h, struct trail *trail,
				    struct ipl_leaf *leaf)
{
	uint64_t position = h->position;
	struct end opened, closed;
	struct ipl_value fields = ipl_array(), next_fields = ipl_array();
	enum ipl_status st = trail_step(h, trail, leaf, &opened, &fields);

	h->position = 0;
	while (st == IPL_OK && opened.seq <= h->to) {
		bool is_full = h->page.count == h->max_results;
		closed = (struct end){ .seq = 0 };
		if (!is_full) {
			st = trail_step(h, trail, leaf, &closed, &next_fields);
			if (st != IPL_OK && st != IPL_ERR_END)
				return st;
			if (is_wanted(h, &opened, &closed))
				is_full = !put(h, &opened, &closed, "Fields", fields);
		}
		if (is_full) {
			h->position = position;
			return IPL_OK;
		}
		position = opened.seq << 1 | 1;
		opened = closed;
		fields = next_fields;
	}
	return st == IPL_ERR_END ? IPL_OK : st;
}

enum ipl_status ipl_history_of_entity(struct ipl_history *h, enum ipl_kind kind, uint64_t number)
{
	struct trail trail = { .walk = { .key = ipl_key_entity(kind, number) },
			       .kind = kind,
			       .number = number };
	struct ipl_leaf leaf;
	enum ipl_status st;

	ipl_leaf_init(&leaf);
	st = trail_begin(h, &trail);
	if (st == IPL_OK)
		st = give_changes(h, &trail, &leaf);
	ipl_entity_release(kind, &trail.entity);
	walk_release(&trail.walk);
	ipl_leaf_release(&leaf);
	return st;
}
