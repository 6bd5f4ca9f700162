/* SPDX-License-Identifier: Apache-2.0 */
/* The whole state, and folding the next event into it. */
#include "reducers/reduce_internal.h"
#include "reducers/table.h"

#include <assert.h>

/* An address that cools down; the entry is stale where `cooling` no longer says so. */
struct cooling {
	int64_t until_ms;
	struct ipl_key key;
};

struct ipl_state {
	uint64_t seq;
	int64_t time_ms;
	int64_t advanced_ms;
	struct ipl_ledger_state ledger;
	uint64_t ledger_number;
	struct ipl_region_letters letters;
	struct ipl_table table[IPL_KIND_COUNT];
	struct ipl_hashmap holdings; /* of addresses that are held: struct ipl_holding */
	struct ipl_hashmap blocks;   /* of vSwitches: struct ipl_block * */
	struct ipl_block **pool;
	uint32_t pool_count;
	uint32_t pool_position;
	struct ipl_hashmap cooling; /* of addresses that cool down: int64_t until_ms */
	struct cooling *heap;       /* the same, soonest first */
	size_t heap_count;
	size_t heap_cap;
};

static enum ipl_status no_memory(struct ipl_error *err)
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
	ipl_hashmap_init(&state->holdings, sizeof(struct ipl_holding));
	ipl_hashmap_init(&state->blocks, sizeof(struct ipl_block *));
	ipl_hashmap_init(&state->cooling, sizeof(int64_t));
	return state;
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
	for (uint64_t n = ipl_state_next(state, IPL_KIND_VSWITCH, 0); n != 0;
	     n = ipl_state_next(state, IPL_KIND_VSWITCH, n)) {
		struct ipl_block **block =
			ipl_hashmap_find(&state->blocks, ipl_key_entity(IPL_KIND_VSWITCH, n));
		if (block != NULL)
			ipl_block_free(*block);
	}
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		release_entities(state, (enum ipl_kind)kind);
	for (uint32_t i = 0; i < state->pool_count; i++)
		ipl_block_free(state->pool[i]);
	ipl_entity_release(IPL_KIND_LEDGER, (union ipl_entity *)&state->ledger);
	ipl_hashmap_release(&state->holdings);
	ipl_hashmap_release(&state->blocks);
	ipl_hashmap_release(&state->cooling);
	free(state->pool);
	free(state->heap);
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

const union ipl_entity *ipl_state_find(const struct ipl_state *state, enum ipl_kind kind,
				       uint64_t number)
{
	const union ipl_entity *entity;

	assert(kind > IPL_KIND_NONE && kind < IPL_KIND_COUNT);
	if (kind == IPL_KIND_LEDGER)
		return state->ledger_number == number && number != 0 ?
			       (const union ipl_entity *)&state->ledger :
			       NULL;
	entity = ipl_table_find(&state->table[kind], number);
	return entity != NULL && entity->base.alive ? entity : NULL;
}

const struct ipl_ledger_state *ipl_state_ledger(const struct ipl_state *state)
{
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

uint64_t ipl_state_next(const struct ipl_state *state, enum ipl_kind kind, uint64_t after)
{
	const struct ipl_table *table = &state->table[kind];

	if (kind == IPL_KIND_LEDGER)
		return after < state->ledger_number ? state->ledger_number : 0;
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

struct ipl_holding ipl_state_holding(const struct ipl_state *state, struct ipl_key key)
{
	const struct ipl_holding *holding = ipl_hashmap_find(&state->holdings, key);
	const int64_t *until_ms = ipl_hashmap_find(&state->cooling, key);

	if (holding != NULL)
		return *holding;
	return (struct ipl_holding){ .cool_until = until_ms == NULL ? 0 : *until_ms };
}

static struct ipl_block *find_block(const struct ipl_state *state, uint64_t vswitch)
{
	struct ipl_block **block =
		ipl_hashmap_find(&state->blocks, ipl_key_entity(IPL_KIND_VSWITCH, vswitch));

	return block == NULL ? NULL : *block;
}

const struct ipl_block *ipl_state_block(const struct ipl_state *state, uint64_t vswitch)
{
	return find_block(state, vswitch);
}

const struct ipl_block *ipl_state_pool(const struct ipl_state *state, uint32_t index)
{
	return index < state->pool_count ? state->pool[index] : NULL;
}

uint32_t ipl_state_pool_count(const struct ipl_state *state)
{
	return state->pool_count;
}

uint32_t ipl_state_pool_position(const struct ipl_state *state)
{
	return state->pool_position;
}

/* --- cooling --- */

static void swap(struct cooling *a, struct cooling *b)
{
	struct cooling was = *a;

	*a = *b;
	*b = was;
}

static bool heap_push(struct ipl_state *state, struct cooling entry)
{
	size_t at = state->heap_count;

	if (at == state->heap_cap) {
		size_t cap = at == 0 ? 64 : at * 2;
		struct cooling *grown = realloc(state->heap, cap * sizeof(*grown));
		if (grown == NULL)
			return false;
		state->heap = grown;
		state->heap_cap = cap;
	}
	state->heap[state->heap_count++] = entry;
	for (; at > 0 && state->heap[(at - 1) / 2].until_ms > state->heap[at].until_ms;
	     at = (at - 1) / 2)
		swap(&state->heap[at], &state->heap[(at - 1) / 2]);
	return true;
}

static struct cooling heap_pop(struct ipl_state *state)
{
	struct cooling top = state->heap[0];
	size_t at = 0;

	state->heap[0] = state->heap[--state->heap_count];
	for (;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < state->heap_count &&
			    state->heap[child].until_ms < state->heap[least].until_ms)
				least = child;
		}
		if (least == at)
			return top;
		swap(&state->heap[at], &state->heap[least]);
		at = least;
	}
}

static struct ipl_block *pool_of(const struct ipl_state *state, uint32_t ip)
{
	for (uint32_t i = 0; i < state->pool_count; i++) {
		if (ipl_cidr4_contains(state->pool[i]->cidr, ip))
			return state->pool[i];
	}
	return NULL;
}

/* The block that @key is picked from: a pool, or that of a vSwitch; NULL where there is none now.
 */
static struct ipl_block *block_around(const struct ipl_state *state, struct ipl_key key)
{
	const struct ipl_vpc *vpc;

	if (key.a == 0)
		return pool_of(state, (uint32_t)key.b);
	vpc = ipl_state_vpc(state, key.a);
	for (uint32_t i = 0; vpc != NULL && i < vpc->vswitches.count; i++) {
		struct ipl_block *block = find_block(state, vpc->vswitches.at[i]);
		if (block != NULL && ipl_cidr4_contains(block->cidr, (uint32_t)key.b))
			return block;
	}
	return NULL;
}

/* A block that comes where addresses still cool down. */
static void chill(struct ipl_state *state, struct ipl_block *block, uint64_t vpc)
{
	for (size_t i = 0; i < state->heap_count; i++) {
		struct ipl_key key = state->heap[i].key;
		const int64_t *until_ms = ipl_hashmap_find(&state->cooling, key);
		if (key.a == vpc && until_ms != NULL && *until_ms == state->heap[i].until_ms &&
		    ipl_cidr4_contains(block->cidr, (uint32_t)key.b))
			ipl_block_take(block, (uint32_t)key.b);
	}
}

/* Whether an address of a pool is one that is never handed out. */
static bool is_pool_edge(const struct ipl_block *block, uint32_t ip)
{
	return ip == block->cidr.base || ip == ipl_cidr4_last(block->cidr);
}

void ipl_state_advance(struct ipl_state *state, int64_t now_ms)
{
	if (now_ms < state->advanced_ms)
		return;
	state->advanced_ms = now_ms;
	while (state->heap_count > 0 && state->heap[0].until_ms <= now_ms) {
		struct cooling entry = heap_pop(state);
		const int64_t *until_ms = ipl_hashmap_find(&state->cooling, entry.key);
		struct ipl_block *block = block_around(state, entry.key);
		if (until_ms == NULL || *until_ms != entry.until_ms)
			continue;
		ipl_hashmap_remove(&state->cooling, entry.key);
		if (block != NULL)
			ipl_block_give(block, (uint32_t)entry.key.b);
	}
}

/* --- folding addresses --- */

/* What has become of an address shows in the block that it is picked from. */
static enum ipl_status settle_address(struct ipl_state *state, struct ipl_key key,
				      const struct ipl_holding *was, const struct ipl_holding *is,
				      struct ipl_error *err)
{
	uint64_t vswitch = is->role != IPL_ROLE_NONE ? is->vswitch : was->vswitch;
	uint32_t ip = (uint32_t)key.b;
	struct ipl_block *block = NULL;
	int64_t *until_ms;

	if (key.kind == IPL_KIND_IP4)
		block = key.a == 0 ? pool_of(state, ip) : find_block(state, vswitch);
	if (is->role != IPL_ROLE_NONE) {
		ipl_hashmap_remove(&state->cooling, key);
		if (block != NULL)
			ipl_block_take(block, ip);
		return IPL_OK;
	}
	if (key.kind != IPL_KIND_IP4)
		return IPL_OK;
	if (is->cool_until <= state->time_ms) {
		if (block != NULL && (key.a != 0 || !is_pool_edge(block, ip)))
			ipl_block_give(block, ip);
		return IPL_OK;
	}
	until_ms = ipl_hashmap_put(&state->cooling, key);
	if (until_ms == NULL || !heap_push(state, (struct cooling){ is->cool_until, key }))
		return no_memory(err);
	*until_ms = is->cool_until;
	return IPL_OK;
}

static enum ipl_status fold_address(struct ipl_state *state, struct ipl_key key,
				    const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_holding *found = ipl_hashmap_find(&state->holdings, key);
	struct ipl_holding was = found == NULL ? (struct ipl_holding){ 0 } : *found;
	struct ipl_holding is = was, *slot;
	enum ipl_status st = ipl_reduce_holding(key, &is, ev, err);

	if (st != IPL_OK)
		return st;
	if (is.role == IPL_ROLE_NONE) {
		ipl_hashmap_remove(&state->holdings, key);
	} else {
		slot = ipl_hashmap_put(&state->holdings, key);
		if (slot == NULL)
			return no_memory(err);
		*slot = is;
	}
	return settle_address(state, key, &was, &is, err);
}

/* --- folding entities --- */

static enum ipl_status fold_entity(struct ipl_state *state, struct ipl_key key,
				   const struct ipl_event *ev, struct ipl_error *err)
{
	struct ipl_table *table = &state->table[key.kind];
	enum ipl_kind kind = (enum ipl_kind)key.kind;
	union ipl_entity *entity;
	enum ipl_status st;
	bool was_alive;

	if (kind == IPL_KIND_LEDGER) {
		if (state->ledger_number != 0 && state->ledger_number != key.a)
			return ipl_damage(ev, err, "it is about another ledger");
		state->ledger_number = key.a;
		return ipl_reduce_entity(kind, key.a, (union ipl_entity *)&state->ledger, ev, err);
	}
	if (key.a > table->next)
		return ipl_damage(ev, err, "%s %" PRIu64 " comes before %" PRIu64,
				  ipl_kind_name(kind), key.a, table->next);
	entity = ipl_table_slot(table, key.a);
	if (entity == NULL)
		return no_memory(err);
	was_alive = entity->base.alive;
	if (!was_alive && key.a != table->next)
		return ipl_damage(ev, err, "%s %" PRIu64 " is gone", ipl_kind_name(kind), key.a);
	st = ipl_reduce_entity(kind, key.a, entity, ev, err);
	if (st != IPL_OK)
		return st;
	if (!was_alive)
		table->next++;
	if (was_alive != entity->base.alive)
		ipl_table_count(table, key.a, was_alive ? -1 : 1);
	return IPL_OK;
}

/* --- folding what is no entity: settings, pools, pickers --- */

static enum ipl_status open_pools(struct ipl_state *state, struct ipl_error *err)
{
	const struct ipl_ev_pool_list *pools = &state->ledger.settings.public_pools;
	struct ipl_block **fresh = calloc(pools->count == 0 ? 1 : pools->count, sizeof(*fresh));
	uint32_t position = 0;

	if (fresh == NULL)
		return no_memory(err);
	for (uint32_t i = 0; i < pools->count; i++) {
		for (uint32_t k = 0; k < state->pool_count; k++) {
			if (state->pool[k] == NULL ||
			    !ipl_cidr4_equal(state->pool[k]->cidr, pools->at[i].cidr))
				continue;
			fresh[i] = state->pool[k]; /* it goes on as it was */
			state->pool[k] = NULL;
			if (k == state->pool_position)
				position = i;
		}
		if (fresh[i] != NULL)
			continue;
		fresh[i] = ipl_block_new(pools->at[i].cidr, IPL_POOL_RESERVED, IPL_POOL_RESERVED);
		if (fresh[i] == NULL) {
			free(fresh);
			return no_memory(err);
		}
		chill(state, fresh[i], 0);
	}
	for (uint32_t k = 0; k < state->pool_count; k++)
		ipl_block_free(state->pool[k]);
	free(state->pool);
	state->pool = fresh;
	state->pool_count = pools->count;
	state->pool_position = position;
	return IPL_OK;
}

static enum ipl_status open_block(struct ipl_state *state, const struct ipl_ev_vswitch_created *e,
				  struct ipl_error *err)
{
	struct ipl_block **slot =
		ipl_hashmap_put(&state->blocks, ipl_key_entity(IPL_KIND_VSWITCH, e->vswitch));

	if (slot == NULL)
		return no_memory(err);
	*slot = ipl_block_new(e->cidr, IPL_RESERVED_FIRST, IPL_RESERVED_LAST);
	if (*slot == NULL)
		return no_memory(err);
	chill(state, *slot, e->vpc);
	return IPL_OK;
}

static void close_block(struct ipl_state *state, uint64_t vswitch)
{
	ipl_block_free(find_block(state, vswitch));
	ipl_hashmap_remove(&state->blocks, ipl_key_entity(IPL_KIND_VSWITCH, vswitch));
}

static void picked_private(struct ipl_state *state, uint64_t vswitch,
			   const struct ipl_ev_address_list *list)
{
	struct ipl_block *block = find_block(state, vswitch);

	for (uint32_t i = 0; block != NULL && i < list->count; i++) {
		if (list->at[i].picked && ipl_cidr4_contains(block->cidr, list->at[i].ip))
			ipl_block_picked(block, list->at[i].ip);
	}
}

static void picked_primary(struct ipl_state *state, const struct ipl_ev_primary_address_changed *e)
{
	struct ipl_ev_address one = { e->ip, e->picked };

	picked_private(state, e->vswitch, &(const struct ipl_ev_address_list){ &one, 1 });
}

static void picked_public(struct ipl_state *state, uint32_t ip)
{
	for (uint32_t i = 0; ip != 0 && i < state->pool_count; i++) {
		if (!ipl_cidr4_contains(state->pool[i]->cidr, ip))
			continue;
		ipl_block_picked(state->pool[i], ip);
		state->pool_position = i;
	}
}

static void picked_at_launch(struct ipl_state *state, const struct ipl_ev_instance_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		for (uint32_t k = 0; k < list->at[i].enis.count; k++)
			picked_private(state, list->at[i].enis.at[k].vswitch,
				       &list->at[i].enis.at[k].addresses);
		picked_public(state, list->at[i].public_ip);
	}
}

/* Before addresses are folded: blocks that they will be in. */
static enum ipl_status fold_spaces(struct ipl_state *state, const struct ipl_event *ev,
				   struct ipl_error *err)
{
	switch (ev->type) {
	case IPL_EVENT_LEDGER_CREATED:
	case IPL_EVENT_LEDGER_SETTINGS_MODIFIED:
		state->letters = ipl_region_letters(state->ledger.settings.region);
		return open_pools(state, err);
	case IPL_EVENT_VSWITCH_CREATED:
		return open_block(state, &ev->vswitch_created, err);
	case IPL_EVENT_VSWITCH_DELETED:
		close_block(state, ev->vswitch_deleted.vswitch);
		return IPL_OK;
	case IPL_EVENT_INSTANCES_LAUNCHED:
		picked_at_launch(state, &ev->instances_launched.instances);
		return IPL_OK;
	case IPL_EVENT_ENI_CREATED:
		picked_private(state, ev->eni_created.vswitch, &ev->eni_created.addresses);
		return IPL_OK;
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
		picked_private(state, ev->private_ip_assigned.vswitch,
			       &ev->private_ip_assigned.addresses);
		return IPL_OK;
	case IPL_EVENT_INSTANCE_STARTED:
		picked_public(state, ev->instance_started.public_ip);
		return IPL_OK;
	case IPL_EVENT_INSTANCE_BANDWIDTH_CHANGED:
		picked_public(state, ev->instance_bandwidth_changed.public_ip);
		return IPL_OK;
	case IPL_EVENT_PUBLIC_IP_ALLOCATED:
		picked_public(state, ev->public_ip_allocated.public_ip);
		return IPL_OK;
	case IPL_EVENT_EIP_ALLOCATED:
		if (ev->eip_allocated.picked)
			picked_public(state, ev->eip_allocated.ip);
		return IPL_OK;
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		picked_primary(state, &ev->primary_address_changed);
		return IPL_OK;
	case IPL_EVENT_VPC_CREATED:
	case IPL_EVENT_VPC_MODIFIED:
	case IPL_EVENT_VPC_DELETED:
	case IPL_EVENT_VPC_CIDR_ASSOCIATED:
	case IPL_EVENT_VPC_CIDR_UNASSOCIATED:
	case IPL_EVENT_VSWITCH_MODIFIED:
	case IPL_EVENT_INSTANCE_REBOOTED:
	case IPL_EVENT_EIP_MODIFIED:
	case IPL_EVENT_INSTANCE_STOPPED:
	case IPL_EVENT_INSTANCE_RELEASED:
	case IPL_EVENT_PUBLIC_IP_CONVERTED:
	case IPL_EVENT_ENI_ATTACHED:
	case IPL_EVENT_ENI_DETACHED:
	case IPL_EVENT_ENI_DELETED:
	case IPL_EVENT_PRIVATE_IP_UNASSIGNED:
	case IPL_EVENT_EIP_ASSOCIATED:
	case IPL_EVENT_EIP_UNASSOCIATED:
	case IPL_EVENT_EIP_RELEASED:
		return IPL_OK; /* nothing is picked, no block comes or goes */
	}
	return IPL_OK;
}

static enum ipl_status check_order(const struct ipl_state *state, const struct ipl_event *ev,
				   struct ipl_error *err)
{
	if (ev->seq != state->seq + 1)
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
	for (uint32_t i = 0; st == IPL_OK && i < touches->count; i++) {
		if (touches->at[i].kind < IPL_KIND_COUNT)
			st = fold_entity(state, touches->at[i], ev, err);
	}
	if (st == IPL_OK)
		st = fold_spaces(state, ev, err);
	for (uint32_t i = 0; st == IPL_OK && i < touches->count; i++) {
		if (touches->at[i].kind >= IPL_KIND_COUNT)
			st = fold_address(state, touches->at[i], ev, err);
	}
	state->seq = ev->seq;
	return st;
}
