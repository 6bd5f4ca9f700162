/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle of the past. */
#include "tests/naive.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the oracle: what each event did, seen from the whole states before and after it --- */

/* Members of a state that a diff must not speak of, or of which only the id counts. */
static const char *const counts_and_joined[] = { "AvailableIpAddressCount", "Ipv6GatewayId",
						 "RealBandwidth" };
static const char *const pairs[] = { "EipAddress", "AssociatedPublicIp", "Ipv6InternetBandwidth" };

static bool is_in(const char *const *names, size_t count, struct ipl_str name)
{
	for (size_t i = 0; i < count; i++) {
		if (ipl_str_is(name, names[i]))
			return true;
	}
	return false;
}

static bool differs(struct ipl_str name, const struct ipl_value *a, const struct ipl_value *b)
{
	if (is_in(pairs, IPL_ARRAY_SIZE(pairs), name)) {
		static const char *const ids[] = { "AllocationId", "Ipv6InternetBandwidthId" };
		for (size_t i = 0; i < IPL_ARRAY_SIZE(ids); i++) {
			struct ipl_str x = ipl_map_text(a, ids[i]), y = ipl_map_text(b, ids[i]);
			if (x.len != y.len || (x.len > 0 && !ipl_str_equal(x, y)))
				return true;
		}
		return false;
	}
	return !ipl_value_equal(a, b);
}

/* [{Name, Before, After}] of two whole States; NULL: not there. */
struct ipl_value naive_fields(struct ipl_arena *arena, const struct ipl_value *before,
			      const struct ipl_value *after)
{
	const struct ipl_value *any = before == NULL ? after : before;
	struct ipl_value fields = ipl_array();

	for (uint32_t i = 0; any != NULL && i < any->count; i++) {
		struct ipl_str name = any->member[i].key;
		struct ipl_value field = ipl_map();
		/* The first is the entity's own id. */
		if ((i > 0 && is_in(counts_and_joined, IPL_ARRAY_SIZE(counts_and_joined), name)) ||
		    (before != NULL && after != NULL &&
		     !differs(name, &before->member[i].value, &after->member[i].value)))
			continue;
		ipl_map_add(arena, &field, "Name", ipl_text(name));
		ipl_map_add(arena, &field, "Before",
			    before == NULL ? ipl_nil() : before->member[i].value);
		ipl_map_add(arena, &field, "After",
			    after == NULL ? ipl_nil() : after->member[i].value);
		ipl_array_add(arena, &fields, field);
	}
	return fields;
}

static struct wanted *add_wanted(struct oracle *o, struct ipl_key key, uint64_t from)
{
	if (o->count == o->cap) {
		o->cap = o->cap == 0 ? 1024 : o->cap * 2;
		o->wanted = realloc(o->wanted, o->cap * sizeof(*o->wanted));
		assert(o->wanted != NULL);
	}
	o->wanted[o->count] = (struct wanted){ .key = key, .from = from };
	*(size_t *)ipl_hashmap_put(&o->open, key) = o->count + 1;
	return &o->wanted[o->count++];
}

static struct wanted *open_one(struct oracle *o, struct ipl_key key)
{
	size_t *index = ipl_hashmap_find(&o->open, key);

	return index == NULL || *index == 0 ? NULL : &o->wanted[*index - 1];
}

struct ipl_value show_at(struct oracle *o, const struct ipl_state *state, struct ipl_key key)
{
	struct ipl_lens lens;
	const union ipl_entity *entity = ipl_state_find(state, (enum ipl_kind)key.kind, key.a);

	ipl_lens_of_state(&lens, state, 0, &o->err);
	return entity == NULL ? ipl_nil() :
				ipl_show(&o->arena, &lens, (enum ipl_kind)key.kind, key.a, entity);
}

/* What the event did to one address. */
static void note_address(struct oracle *o, const struct ipl_state *state, struct ipl_key key,
			 uint64_t seq)
{
	struct ipl_holding now = ipl_state_holding(state, key);
	struct wanted *open = open_one(o, key);
	struct ipl_lens lens;

	if (open != NULL && open->role == now.role && open->eni == now.eni && open->eip == now.eip)
		return;
	if (open != NULL)
		open->to = seq;
	*(size_t *)ipl_hashmap_put(&o->open, key) = 0;
	if (now.role == IPL_ROLE_NONE)
		return;
	ipl_lens_of_state(&lens, state, 0, &o->err);
	open = add_wanted(o, key, seq);
	open->role = now.role;
	open->eni = now.eni;
	open->eip = now.eip;
	open->value = ipl_show_holding(&o->arena, &lens, key, &now);
}

static void note_event(struct oracle *o, const struct ipl_state *before,
		       const struct ipl_state *after, const struct ipl_touches *touches,
		       uint64_t seq)
{
	for (uint32_t i = 0; i < touches->count; i++) {
		struct ipl_key key = touches->at[i];
		struct ipl_value was, is;
		struct wanted *open = open_one(o, key);
		if (key.kind == IPL_KIND_IP4 || key.kind == IPL_KIND_IP6) {
			note_address(o, after, key, seq);
			continue;
		}
		if (open != NULL)
			open->to = seq;
		was = show_at(o, before, key);
		is = show_at(o, after, key);
		open = add_wanted(o, key, seq);
		open->value = naive_fields(&o->arena, was.type == IPL_VALUE_NIL ? NULL : &was,
					   is.type == IPL_VALUE_NIL ? NULL : &is);
	}
}

static void must(const struct oracle *o, enum ipl_status st)
{
	if (st != IPL_OK)
		fprintf(stderr, "naive: %s %s\n", o->lab.err.text, o->err.text);
	assert(st == IPL_OK);
}

static void fold_all(struct oracle *o)
{
	struct ipl_state *before = ipl_state_new(), *after = ipl_state_new();
	struct ipl_arena arena;

	ipl_arena_init(&arena, (size_t)64 << 20);
	o->time_ms = calloc(o->lab.count, sizeof(*o->time_ms));
	for (uint64_t seq = 1; seq <= o->lab.count; seq++) {
		struct ipl_touches touches;
		struct ipl_event ev;
		ipl_arena_reset(&arena);
		lab_event(&o->lab, seq, &arena, &ev);
		o->time_ms[seq - 1] = ev.time_ms;
		must(o, ipl_event_touches(&arena, &ev, &touches, &o->err));
		must(o, ipl_fold_to(after, &o->source, seq, &o->err));
		note_event(o, before, after, &touches, seq);
		must(o, ipl_fold_to(before, &o->source, seq, &o->err));
	}
	ipl_state_free(before);
	ipl_state_free(after);
	ipl_arena_release(&arena);
}

void open_oracle(struct oracle *o, int steps)
{
	memset(o, 0, sizeof(*o));
	lab_open(&o->lab, random_settings);
	for (int i = 0; i < steps; i++) {
		enum ipl_status st = random_step(&o->lab);
		if (st != IPL_OK && st != IPL_REFUSED)
			must(o, st);
	}
	o->source = lab_source(&o->lab);
	o->err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	ipl_arena_init(&o->arena, (size_t)4 << 30);
	ipl_hashmap_init(&o->open, sizeof(size_t));
	fold_all(o);
}

void close_oracle(struct oracle *o)
{
	lab_close(&o->lab);
	ipl_arena_release(&o->arena);
	ipl_hashmap_release(&o->open);
	free(o->wanted);
	free(o->time_ms);
}
