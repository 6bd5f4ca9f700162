/* SPDX-License-Identifier: Apache-2.0 */
/* Folding the next event into the whole state. */
#include "reducers/state_internal.h"

static enum ipl_status fold_ledger(struct ipl_state *state, uint64_t number,
				   const struct ipl_event *ev, struct ipl_error *err)
{
	struct ipl_ledger_state *ledger = ipl_state_ledger_slot(state);

	if (ledger == NULL)
		return ipl_state_no_memory(err);
	if (state->ledger_number != 0 && state->ledger_number != number)
		return ipl_damage(ev, err, "it is about another ledger");
	state->ledger_number = number;
	return ipl_reduce_entity(IPL_KIND_LEDGER, number, (union ipl_entity *)ledger, ev, err);
}

static void count_entity(struct ipl_state *state, enum ipl_kind kind, uint64_t number,
			 bool was_alive, bool is_alive)
{
	struct ipl_table *table = &state->table[kind];
	int change = (int)is_alive - (int)was_alive;

	if (!was_alive && number >= table->next)
		table->next = number + 1;
	if (change != 0 && state->under == NULL)
		ipl_table_count(table, number, change);
	else
		table->live += (uint64_t)(int64_t)change;
}

static enum ipl_status fold_entity(struct ipl_state *state, struct ipl_key key,
				   const struct ipl_event *ev, struct ipl_error *err)
{
	enum ipl_kind kind = (enum ipl_kind)key.kind;
	struct ipl_cidr6 was = { 0 };
	union ipl_entity *entity;
	enum ipl_status st;
	bool was_alive;

	if (kind == IPL_KIND_LEDGER)
		return fold_ledger(state, key.a, ev, err);
	if (key.a > state->table[kind].next)
		return ipl_damage(ev, err, "%s %" PRIu64 " comes before %" PRIu64,
				  ipl_kind_name(kind), key.a, state->table[kind].next);
	entity = ipl_state_slot(state, kind, key.a);
	if (entity == NULL)
		return ipl_state_no_memory(err);
	was_alive = entity->base.alive;
	if (!was_alive && key.a != state->table[kind].next && !state->is_loose)
		return ipl_damage(ev, err, "%s %" PRIu64 " is gone", ipl_kind_name(kind), key.a);
	if (kind == IPL_KIND_VPC)
		was = entity->vpc.ipv6_cidr;
	st = ipl_reduce_entity(kind, key.a, entity, ev, err);
	if (st != IPL_OK && !was_alive) /* half made, and beyond what is counted */
		ipl_entity_release(kind, entity);
	if (st == IPL_OK && kind == IPL_KIND_VPC) /* of one that is gone, no block is left */
		st = ipl_spaces_settle_vpc(state, key.a, was, entity->vpc.ipv6_cidr, err);
	if (st == IPL_OK)
		count_entity(state, kind, key.a, was_alive, entity->base.alive);
	else if (!was_alive) /* it is half made and not counted, so nobody would find it again */
		ipl_entity_release(kind, entity);
	return st;
}

static enum ipl_status fold_address(struct ipl_state *state, struct ipl_key key,
				    const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_holding *found = ipl_state_find_holding(state, key);
	struct ipl_holding was = found == NULL ? (struct ipl_holding){ 0 } : *found;
	struct ipl_holding is = was;
	enum ipl_status st = ipl_reduce_holding(key, &is, ev, err);

	if (st != IPL_OK)
		return st;
	if (!ipl_state_set_holding(state, key, &is))
		return ipl_state_no_memory(err);
	return ipl_spaces_settle(state, key, &was, &is, err);
}

static enum ipl_status check_order(const struct ipl_state *state, const struct ipl_event *ev,
				   struct ipl_error *err)
{
	if (ev->seq != state->seq + 1 && !(state->is_loose && ev->seq >= state->seq))
		return ipl_damage(ev, err, "it follows event %" PRIu64, state->seq);
	if (ev->time_ms < state->time_ms)
		return ipl_damage(ev, err, "time runs backwards");
	if ((ev->seq == 1) != (ev->type == IPL_EVENT_LEDGER_CREATED))
		return ipl_damage(ev, err, "a ledger begins with LedgerCreated, once");
	return IPL_OK;
}

enum ipl_status ipl_reduce(struct ipl_state *state, const struct ipl_event *ev,
			   const struct ipl_touches *touches, struct ipl_error *err)
{
	enum ipl_status st = check_order(state, ev, err);

	if (st != IPL_OK)
		return st;
	state->time_ms = ev->time_ms;
	ipl_state_advance(state, ev->time_ms);
	ipl_spaces_forget_cooled(state);
	for (uint32_t i = 0; st == IPL_OK && i < touches->count; i++) {
		if (touches->at[i].kind < IPL_KIND_COUNT)
			st = fold_entity(state, touches->at[i], ev, err);
	}
	if (st == IPL_OK)
		st = ipl_spaces_fold(state, ev, err);
	for (uint32_t i = 0; st == IPL_OK && i < touches->count; i++) {
		if (touches->at[i].kind >= IPL_KIND_COUNT)
			st = fold_address(state, touches->at[i], ev, err);
	}
	state->seq = ev->seq;
	return st;
}
