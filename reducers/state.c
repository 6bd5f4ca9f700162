/* SPDX-License-Identifier: Apache-2.0 */
/* The whole state: what it keeps, and what a fork of it sees. */
#include "reducers/state_internal.h"

#include <assert.h>

enum ipl_status ipl_state_no_memory(struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the state");
}

struct ipl_state *ipl_state_new(void)
{
	struct ipl_state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		ipl_table_init(&state->table[kind], ipl_entity_size((enum ipl_kind)kind));
	ipl_hashmap_init(&state->own, sizeof(union ipl_entity *));
	ipl_hashmap_init(&state->holdings, sizeof(struct ipl_holding));
	ipl_spaces_init(state);
	state->has_pools = true;
	return state;
}

struct ipl_state *ipl_state_fork(const struct ipl_state *under)
{
	struct ipl_state *state = ipl_state_new();

	if (state == NULL)
		return NULL;
	state->under = under;
	state->seq = under->seq;
	state->time_ms = under->time_ms;
	state->advanced_ms = under->advanced_ms;
	state->ledger_number = under->ledger_number;
	state->is_loose = under->is_loose;
	state->letters = under->letters;
	state->has_pools = false;
	state->ipv6_block_position = under->ipv6_block_position;
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++) {
		state->table[kind].next = under->table[kind].next;
		state->table[kind].live = under->table[kind].live;
	}
	return state;
}

void ipl_state_loosen(struct ipl_state *state, const uint64_t next[IPL_KIND_COUNT])
{
	assert(state->under == NULL);
	state->is_loose = true;
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++) {
		if (state->table[kind].next < next[kind])
			state->table[kind].next = next[kind];
	}
}

static void release_own(void *context, struct ipl_key key, void *value)
{
	union ipl_entity *entity = *(union ipl_entity **)value;

	(void)context;
	if (entity != NULL)
		ipl_entity_release((enum ipl_kind)key.kind, entity);
	free(entity);
}

static void release_entities(struct ipl_state *state, enum ipl_kind kind)
{
	struct ipl_table *table = &state->table[kind];

	for (uint64_t n = ipl_table_next(table, 0); n != 0; n = ipl_table_next(table, n))
		ipl_entity_release(kind, ipl_table_find(table, n));
	ipl_table_release(table);
}

void ipl_state_free(struct ipl_state *state)
{
	if (state == NULL)
		return;
	ipl_spaces_release(state);
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		release_entities(state, (enum ipl_kind)kind);
	ipl_hashmap_walk(&state->own, release_own, NULL);
	ipl_hashmap_release(&state->own);
	ipl_entity_release(IPL_KIND_LEDGER, (union ipl_entity *)&state->ledger);
	ipl_hashmap_release(&state->holdings);
	free(state);
}

/* --- reading --- */

uint64_t ipl_state_seq(const struct ipl_state *state)
{
	return state->seq;
}

int64_t ipl_state_time_ms(const struct ipl_state *state)
{
	return state->time_ms;
}

const struct ipl_ledger_state *ipl_state_ledger(const struct ipl_state *state)
{
	while (!state->ledger.base.alive && state->under != NULL)
		state = state->under;
	return state->ledger_number == 0 ? NULL : &state->ledger;
}

uint64_t ipl_state_ledger_number(const struct ipl_state *state)
{
	return state->ledger_number;
}

struct ipl_region_letters ipl_state_letters(const struct ipl_state *state)
{
	return state->letters;
}

/* Living or dead; NULL where it never was. */
static const union ipl_entity *entity_at(const struct ipl_state *state, enum ipl_kind kind,
					 uint64_t number)
{
	for (; state->under != NULL; state = state->under) {
		union ipl_entity *const *own =
			ipl_hashmap_find(&state->own, ipl_key_entity(kind, number));
		if (own != NULL)
			return *own;
	}
	return ipl_table_find(&state->table[kind], number);
}

const union ipl_entity *ipl_state_find(const struct ipl_state *state, enum ipl_kind kind,
				       uint64_t number)
{
	const union ipl_entity *entity;

	assert(kind > IPL_KIND_NONE && kind < IPL_KIND_COUNT);
	if (kind == IPL_KIND_LEDGER)
		return state->ledger_number == number && number != 0 ?
			       (const union ipl_entity *)ipl_state_ledger(state) :
			       NULL;
	entity = entity_at(state, kind, number);
	return entity != NULL && entity->base.alive ? entity : NULL;
}

/* The first of @kind above @after that came to life in a loose fork, where numbers come in any
 * order.
 */
struct own_search {
	enum ipl_kind kind;
	uint64_t after;
	uint64_t found;
};

static void one_own(void *context, struct ipl_key key, void *value)
{
	struct own_search *search = context;
	const union ipl_entity *entity = *(union ipl_entity **)value;

	if (key.kind == (uint64_t)search->kind && key.a > search->after && entity != NULL &&
	    entity->base.alive && (search->found == 0 || key.a < search->found))
		search->found = key.a;
}

static uint64_t next_in_loose_fork(const struct ipl_state *state, enum ipl_kind kind,
				   uint64_t after)
{
	struct own_search search = { kind, after, 0 };
	uint64_t n = ipl_state_next(state->under, kind, after);

	while (n != 0 && ipl_state_find(state, kind, n) == NULL)
		n = ipl_state_next(state->under, kind, n);
	ipl_hashmap_walk(&state->own, one_own, &search);
	return n == 0 || (search.found != 0 && search.found < n) ? search.found : n;
}

/* In a fork: what lives on of the state under it, then what came since. */
static uint64_t next_in_fork(const struct ipl_state *state, enum ipl_kind kind, uint64_t after)
{
	uint64_t first = state->under->table[kind].next;

	for (uint64_t n = ipl_state_next(state->under, kind, after); n != 0;
	     n = ipl_state_next(state->under, kind, n)) {
		if (ipl_state_find(state, kind, n) != NULL)
			return n;
	}
	for (uint64_t n = after < first ? first : after + 1; n < state->table[kind].next; n++) {
		if (ipl_state_find(state, kind, n) != NULL)
			return n;
	}
	return 0;
}

uint64_t ipl_state_next(const struct ipl_state *state, enum ipl_kind kind, uint64_t after)
{
	const struct ipl_table *table = &state->table[kind];

	if (kind == IPL_KIND_LEDGER)
		return after < state->ledger_number ? state->ledger_number : 0;
	if (state->under != NULL && state->is_loose)
		return next_in_loose_fork(state, kind, after);
	if (state->under != NULL)
		return next_in_fork(state, kind, after);
	for (uint64_t n = ipl_table_next(table, after); n != 0; n = ipl_table_next(table, n)) {
		if (ipl_state_find(state, kind, n) != NULL)
			return n;
	}
	return 0;
}

uint64_t ipl_state_count(const struct ipl_state *state, enum ipl_kind kind)
{
	return kind == IPL_KIND_LEDGER ? state->ledger_number != 0 : state->table[kind].live;
}

uint64_t ipl_state_next_number(const struct ipl_state *state, enum ipl_kind kind)
{
	return state->table[kind].next;
}

const struct ipl_holding *ipl_state_find_holding(const struct ipl_state *state, struct ipl_key key)
{
	const struct ipl_holding *found = ipl_hashmap_find(&state->holdings, key);

	while (found == NULL && state->under != NULL) {
		state = state->under;
		found = ipl_hashmap_find(&state->holdings, key);
	}
	return found == NULL || found->role == IPL_ROLE_NONE ? NULL : found;
}

struct ipl_holding ipl_state_holding(const struct ipl_state *state, struct ipl_key key)
{
	const struct ipl_holding *holding = ipl_state_find_holding(state, key);
	int64_t until_ms;

	if (holding != NULL)
		return *holding;
	until_ms = ipl_spaces_cooling(state, key);
	return (struct ipl_holding){ .cool_until = until_ms > state->time_ms ? until_ms : 0 };
}

struct each_holding {
	void (*fn)(void *context, struct ipl_key key, const struct ipl_holding *holding);
	void *context;
};

static void one_holding(void *context, struct ipl_key key, void *value)
{
	const struct each_holding *each = context;

	each->fn(each->context, key, value);
}

void ipl_state_each_holding(const struct ipl_state *state,
			    void (*fn)(void *context, struct ipl_key key,
				       const struct ipl_holding *holding),
			    void *context)
{
	struct each_holding each = { fn, context };

	assert(state->under == NULL);
	ipl_hashmap_walk(&state->holdings, one_holding, &each);
}

/* --- what events are folded into --- */

static union ipl_entity *own_slot(struct ipl_state *state, enum ipl_kind kind, uint64_t number)
{
	const union ipl_entity *was = entity_at(state, kind, number);
	union ipl_entity **own = ipl_hashmap_put(&state->own, ipl_key_entity(kind, number));

	if (own == NULL || *own != NULL)
		return own == NULL ? NULL : *own;
	*own = calloc(1, ipl_entity_size(kind));
	if (*own != NULL && was != NULL && !ipl_entity_copy(kind, was, *own)) {
		free(*own);
		*own = NULL;
	}
	return *own;
}

union ipl_entity *ipl_state_slot(struct ipl_state *state, enum ipl_kind kind, uint64_t number)
{
	if (state->under != NULL)
		return own_slot(state, kind, number);
	return ipl_table_slot(&state->table[kind], number);
}

struct ipl_ledger_state *ipl_state_ledger_slot(struct ipl_state *state)
{
	const struct ipl_ledger_state *was = ipl_state_ledger(state);

	if (was != NULL && was != &state->ledger &&
	    !ipl_entity_copy(IPL_KIND_LEDGER, (const union ipl_entity *)was,
			     (union ipl_entity *)&state->ledger))
		return NULL;
	return &state->ledger;
}

bool ipl_state_set_holding(struct ipl_state *state, struct ipl_key key,
			   const struct ipl_holding *holding)
{
	struct ipl_holding *slot;

	if (holding->role == IPL_ROLE_NONE && state->under == NULL) {
		ipl_hashmap_remove(&state->holdings, key);
		return true;
	}
	slot = ipl_hashmap_put(&state->holdings, key);
	if (slot != NULL)
		*slot = *holding;
	return slot != NULL;
}
