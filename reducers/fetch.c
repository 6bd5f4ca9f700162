/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an event will touch, fetched from memory before it is folded. With a million
 * entities hardly anything is in the processor's cache, and waiting for one thing after the
 * other would be most of what folding costs.
 */
#include "reducers/state_internal.h"

#define LINE 64u

static void fetch(const void *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += LINE)
		__builtin_prefetch((const char *)at + i, 1);
}

static const union ipl_entity *entity_of(const struct ipl_state *state, struct ipl_key key)
{
	return key.kind == IPL_KIND_LEDGER ? NULL : ipl_table_find(&state->table[key.kind], key.a);
}

void ipl_state_fetch(const struct ipl_state *state, const struct ipl_touches *touches)
{
	for (uint32_t i = 0; i < touches->count; i++) {
		struct ipl_key key = touches->at[i];
		if (key.kind >= IPL_KIND_COUNT) {
			ipl_hashmap_fetch(&state->holdings, key);
			continue;
		}
		const union ipl_entity *entity = entity_of(state, key);
		if (entity != NULL)
			fetch(entity, ipl_entity_size((enum ipl_kind)key.kind));
	}
}

void ipl_state_fetch_more(const struct ipl_state *state, const struct ipl_touches *touches)
{
	for (uint32_t i = 0; i < touches->count; i++) {
		struct ipl_key key = touches->at[i];
		if (key.kind >= IPL_KIND_COUNT) {
			ipl_hashmap_fetch_record(&state->holdings, key);
			continue;
		}
		const union ipl_entity *entity = entity_of(state, key);
		if (entity == NULL || !entity->base.alive)
			continue;
		fetch(entity->base.notes, sizeof(*entity->base.notes));
		if (key.kind == IPL_KIND_ENI)
			fetch(entity->eni.address, LINE);
		else if (key.kind == IPL_KIND_INSTANCE)
			fetch(entity->instance.enis.at, LINE);
	}
}
