/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spaces that addresses are picked from, and what is cooling in them: the
 * blocks of vSwitches, the public pools, the /56 blocks of the IPv6 pool, and
 * how far each picker has come. All of it follows from the log.
 */
#include "reducers/state_internal.h"

#include <assert.h>

void ipl_spaces_init(struct ipl_state *state)
{
	ipl_hashmap_init(&state->blocks, sizeof(struct ipl_block *));
	ipl_hashmap_init(&state->cooling, sizeof(int64_t));
	ipl_hashmap_init(&state->ipv6_blocks, sizeof(uint64_t));
	ipl_hashmap_init(&state->ipv6_positions, sizeof(uint64_t));
}

static void free_block(void *context, struct ipl_key key, void *value)
{
	(void)context;
	(void)key;
	ipl_block_free(*(struct ipl_block **)value);
}

void ipl_spaces_release(struct ipl_state *state)
{
	ipl_hashmap_walk(&state->blocks, free_block, NULL);
	ipl_hashmap_release(&state->blocks);
	for (uint32_t i = 0; i < state->pool_count; i++)
		ipl_block_free(state->pool[i]);
	free(state->pool);
	ipl_hashmap_release(&state->cooling);
	ipl_hashmap_release(&state->ipv6_blocks);
	ipl_hashmap_release(&state->ipv6_positions);
	free(state->heap);
}

/* --- blocks of vSwitches --- */

const struct ipl_block *ipl_state_block(const struct ipl_state *state, uint64_t vswitch)
{
	struct ipl_key key = ipl_key_entity(IPL_KIND_VSWITCH, vswitch);
	struct ipl_block *const *found = ipl_hashmap_find(&state->blocks, key);

	while (found == NULL && state->under != NULL) {
		state = state->under;
		found = ipl_hashmap_find(&state->blocks, key);
	}
	return found == NULL ? NULL : *found;
}

/* The block to change: a fork's own copy of it. NULL where there is none; *@failed without memory.
 */
static struct ipl_block *own_block(struct ipl_state *state, uint64_t vswitch, bool *failed)
{
	struct ipl_key key = ipl_key_entity(IPL_KIND_VSWITCH, vswitch);
	struct ipl_block **slot = ipl_hashmap_find(&state->blocks, key);
	const struct ipl_block *shown;

	if (slot != NULL || state->under == NULL)
		return slot == NULL ? NULL : *slot;
	shown = ipl_state_block(state, vswitch);
	if (shown == NULL)
		return NULL;
	slot = ipl_hashmap_put(&state->blocks, key);
	if (slot != NULL)
		*slot = ipl_block_copy(shown);
	*failed = *failed || slot == NULL || *slot == NULL;
	return slot == NULL ? NULL : *slot;
}

static void close_block(struct ipl_state *state, uint64_t vswitch, bool *failed)
{
	struct ipl_key key = ipl_key_entity(IPL_KIND_VSWITCH, vswitch);
	struct ipl_block **slot = ipl_hashmap_find(&state->blocks, key);

	if (slot != NULL)
		ipl_block_free(*slot);
	if (state->under == NULL) {
		ipl_hashmap_remove(&state->blocks, key);
		ipl_hashmap_remove(&state->ipv6_positions, key);
		return;
	}
	slot = ipl_hashmap_put(&state->blocks, key);
	if (slot != NULL)
		*slot = NULL;
	*failed = *failed || slot == NULL;
}

/* --- public pools --- */

static const struct ipl_state *with_pools(const struct ipl_state *state)
{
	while (!state->has_pools)
		state = state->under;
	return state;
}

const struct ipl_block *ipl_state_pool(const struct ipl_state *state, uint32_t index)
{
	state = with_pools(state);
	return index < state->pool_count ? state->pool[index] : NULL;
}

uint32_t ipl_state_pool_count(const struct ipl_state *state)
{
	return with_pools(state)->pool_count;
}

uint32_t ipl_state_pool_position(const struct ipl_state *state)
{
	return with_pools(state)->pool_position;
}

/* A fork copies all pools before it changes one. False without memory. */
static bool own_pools(struct ipl_state *state)
{
	const struct ipl_state *from = with_pools(state);

	if (from == state)
		return true;
	state->pool = calloc(from->pool_count == 0 ? 1 : from->pool_count, sizeof(*state->pool));
	if (state->pool == NULL)
		return false;
	state->has_pools = true;
	state->pool_position = from->pool_position;
	for (uint32_t i = 0; i < from->pool_count; i++) {
		state->pool[i] = ipl_block_copy(from->pool[i]);
		if (state->pool[i] == NULL)
			return false;
		state->pool_count++;
	}
	return true;
}

static struct ipl_block *pool_of(const struct ipl_state *state, uint32_t ip)
{
	for (uint32_t i = 0; i < state->pool_count; i++) {
		if (ipl_cidr4_contains(state->pool[i]->cidr, ip))
			return state->pool[i];
	}
	return NULL;
}

/* Whether an address of a pool is one that is never handed out. */
static bool is_pool_edge(const struct ipl_block *block, uint32_t ip)
{
	return ip == block->cidr.base || ip == ipl_cidr4_last(block->cidr);
}

/* --- cooling --- */

int64_t ipl_spaces_cooling(const struct ipl_state *state, struct ipl_key key)
{
	const int64_t *until_ms = ipl_hashmap_find(&state->cooling, key);

	while (until_ms == NULL && state->under != NULL) {
		state = state->under;
		until_ms = ipl_hashmap_find(&state->cooling, key);
	}
	return until_ms == NULL ? 0 : *until_ms;
}

static bool set_cooling(struct ipl_state *state, struct ipl_key key, int64_t until_ms)
{
	int64_t *slot;

	if (until_ms == 0 && (state->under == NULL || ipl_spaces_cooling(state, key) == 0)) {
		ipl_hashmap_remove(&state->cooling, key);
		return true;
	}
	slot = ipl_hashmap_put(&state->cooling, key);
	if (slot != NULL)
		*slot = until_ms;
	return slot != NULL;
}

static void swap(struct ipl_cooling *a, struct ipl_cooling *b)
{
	struct ipl_cooling was = *a;

	*a = *b;
	*b = was;
}

static bool heap_push(struct ipl_state *state, struct ipl_cooling entry)
{
	size_t at = state->heap_count;

	if (at == state->heap_cap) { /* never of one that was popped: its place is there */
		size_t cap = at == 0 ? 64 : at * 2;
		struct ipl_cooling *grown = realloc(state->heap, cap * sizeof(*grown));
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

/* What is popped stays behind the heap's end, the last one first. */
static struct ipl_cooling heap_pop(struct ipl_state *state)
{
	struct ipl_cooling top = state->heap[0];
	size_t at = 0;

	state->heap[0] = state->heap[--state->heap_count];
	state->heap[state->heap_count] = top;
	state->cooled_count++;
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

/* The block that @key is picked from: a pool, or that of a vSwitch; NULL where there is none now.
 */
static struct ipl_block *block_around(struct ipl_state *state, struct ipl_key key)
{
	const struct ipl_vpc *vpc;
	bool failed = false;

	if (key.kind != IPL_KIND_IP4)
		return NULL;
	if (key.a == 0)
		return pool_of(state, (uint32_t)key.b);
	vpc = ipl_state_vpc(state, key.a);
	for (uint32_t i = 0; vpc != NULL && i < vpc->vswitches.count; i++) {
		struct ipl_block *block = own_block(state, vpc->vswitches.at[i], &failed);
		if (block != NULL && ipl_cidr4_contains(block->cidr, (uint32_t)key.b))
			return block;
	}
	return NULL;
}

void ipl_state_pools_cooling(const struct ipl_state *state, int64_t now_ms, uint32_t count,
			     uint64_t *listed, uint64_t *cooling)
{
	for (size_t i = 0; i < state->heap_count; i++) {
		const struct ipl_cooling *entry = &state->heap[i];
		uint32_t ip = (uint32_t)entry->key.b, pool = 0;
		if (entry->key.kind != IPL_KIND_IP4 || entry->key.a != 0 ||
		    ipl_spaces_cooling(state, entry->key) != entry->until_ms)
			continue;
		while (pool < count && !ipl_cidr4_contains(state->pool[pool]->cidr, ip))
			pool++;
		if (pool == count || is_pool_edge(state->pool[pool], ip))
			continue;
		listed[pool]++;
		cooling[pool] += entry->until_ms > now_ms;
	}
}

/* A block that comes where addresses still cool down. */
static void chill(const struct ipl_state *state, struct ipl_block *block, uint64_t vpc)
{
	for (const struct ipl_state *from = state; from != NULL; from = from->under) {
		for (size_t i = 0; i < from->heap_count; i++) {
			const struct ipl_cooling *entry = &from->heap[i];
			if (entry->key.kind == IPL_KIND_IP4 && entry->key.a == vpc &&
			    ipl_spaces_cooling(state, entry->key) == entry->until_ms &&
			    ipl_cidr4_contains(block->cidr, (uint32_t)entry->key.b))
				ipl_block_take(block, (uint32_t)entry->key.b);
		}
	}
}

/* The block in which the address of a heap's entry cools; NULL where the entry is stale. */
static struct ipl_block *cools_in(struct ipl_state *state, const struct ipl_cooling *entry)
{
	if (ipl_spaces_cooling(state, entry->key) != entry->until_ms)
		return NULL;
	return block_around(state, entry->key);
}

/* It was said to be later than it is: what had cooled down by then has not. */
static void rewind_to(struct ipl_state *state, int64_t now_ms)
{
	while (state->cooled_count > 0 && state->heap[state->heap_count].until_ms > now_ms) {
		struct ipl_cooling entry = state->heap[state->heap_count];
		struct ipl_block *block = cools_in(state, &entry);
		bool fits = heap_push(state, entry);
		assert(fits); /* it had its place there before */
		state->cooled_count--;
		if (block != NULL)
			ipl_block_take(block, (uint32_t)entry.key.b);
	}
}

/*
 * A fork lives at one moment, up to which the state under it was advanced
 * before: what it finds to have cooled down can only be its own.
 */
void ipl_state_advance(struct ipl_state *state, int64_t now_ms)
{
	if (now_ms < state->time_ms)
		return;
	rewind_to(state, now_ms);
	state->advanced_ms = now_ms;
	while (state->heap_count > 0 && state->heap[0].until_ms <= now_ms) {
		struct ipl_cooling entry = heap_pop(state);
		struct ipl_block *block = cools_in(state, &entry);
		if (block != NULL)
			ipl_block_give(block, (uint32_t)entry.key.b);
	}
}

void ipl_spaces_forget_cooled(struct ipl_state *state)
{
	for (; state->cooled_count > 0; state->cooled_count--) {
		const struct ipl_cooling *entry =
			&state->heap[state->heap_count + state->cooled_count - 1];
		if (ipl_spaces_cooling(state, entry->key) == entry->until_ms)
			(void)set_cooling(state, entry->key, 0); /* nothing is inserted */
	}
}

enum ipl_status ipl_spaces_settle(struct ipl_state *state, struct ipl_key key,
				  const struct ipl_holding *was, const struct ipl_holding *is,
				  struct ipl_error *err)
{
	uint64_t vswitch = is->role != IPL_ROLE_NONE ? is->vswitch : was->vswitch;
	bool is_public = key.kind == IPL_KIND_IP4 && key.a == 0, failed = false;
	uint32_t ip = (uint32_t)key.b;
	struct ipl_block *block = NULL;

	if (is_public && own_pools(state))
		block = pool_of(state, ip);
	else if (key.kind == IPL_KIND_IP4 && !is_public)
		block = own_block(state, vswitch, &failed);
	if (failed || (is_public && !state->has_pools))
		return ipl_state_no_memory(err);
	if (block != NULL && !ipl_cidr4_contains(block->cidr, ip))
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     IPL_IP4_FMT " changes hands in vSwitch %" PRIu64
						 ", in whose block it is not",
				     IPL_IP4_ARG(ip), vswitch);
	if (is->role != IPL_ROLE_NONE) {
		if (block != NULL)
			ipl_block_take(block, ip);
		return set_cooling(state, key, 0) ? IPL_OK : ipl_state_no_memory(err);
	}
	if (is->cool_until <= state->time_ms) {
		if (block != NULL && !(is_public && is_pool_edge(block, ip)))
			ipl_block_give(block, ip);
		return IPL_OK;
	}
	if (!set_cooling(state, key, is->cool_until) ||
	    !heap_push(state, (struct ipl_cooling){ is->cool_until, key }))
		return ipl_state_no_memory(err);
	return IPL_OK;
}

/* --- IPv6 --- */

static struct ipl_key ipv6_block_key(uint64_t hi)
{
	return ipl_key_ip6(hi, 0);
}

uint64_t ipl_state_ipv6_block_owner(const struct ipl_state *state, uint64_t hi)
{
	const uint64_t *vpc = ipl_hashmap_find(&state->ipv6_blocks, ipv6_block_key(hi));

	while (vpc == NULL && state->under != NULL) {
		state = state->under;
		vpc = ipl_hashmap_find(&state->ipv6_blocks, ipv6_block_key(hi));
	}
	return vpc == NULL ? 0 : *vpc;
}

uint64_t ipl_state_ipv6_block_position(const struct ipl_state *state)
{
	return state->ipv6_block_position;
}

static bool set_ipv6_owner(struct ipl_state *state, uint64_t hi, uint64_t vpc)
{
	uint64_t *slot;

	if (vpc == 0 && state->under == NULL) {
		ipl_hashmap_remove(&state->ipv6_blocks, ipv6_block_key(hi));
		return true;
	}
	slot = ipl_hashmap_put(&state->ipv6_blocks, ipv6_block_key(hi));
	if (slot != NULL)
		*slot = vpc;
	return slot != NULL;
}

enum ipl_status ipl_spaces_settle_vpc(struct ipl_state *state, uint64_t vpc, struct ipl_cidr6 was,
				      struct ipl_cidr6 is, struct ipl_error *err)
{
	if (was.hi == is.hi && was.prefix_len == is.prefix_len)
		return IPL_OK;
	if (was.prefix_len != 0 && !set_ipv6_owner(state, was.hi, 0))
		return ipl_state_no_memory(err);
	if (is.prefix_len == 0)
		return IPL_OK;
	if (ipl_state_ipv6_block_owner(state, is.hi) != 0)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "an IPv6 block is given to VPC %" PRIu64 " that VPC %" PRIu64
				     " has",
				     vpc, ipl_state_ipv6_block_owner(state, is.hi));
	state->ipv6_block_position = is.hi + (UINT64_C(1) << (64 - IPL_VPC_IPV6_PREFIX));
	return set_ipv6_owner(state, is.hi, vpc) ? IPL_OK : ipl_state_no_memory(err);
}

uint64_t ipl_state_ipv6_position(const struct ipl_state *state, uint64_t vswitch)
{
	struct ipl_key key = ipl_key_entity(IPL_KIND_VSWITCH, vswitch);
	const uint64_t *found = ipl_hashmap_find(&state->ipv6_positions, key);

	while (found == NULL && state->under != NULL) {
		state = state->under;
		found = ipl_hashmap_find(&state->ipv6_positions, key);
	}
	return found == NULL ? IPL_IPV6_RESERVED_FIRST : *found;
}

/* --- what an event does to the spaces --- */

static enum ipl_status too_large(struct ipl_cidr4 cidr, struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_CORRUPT, "a block of %u bits is larger than any may be",
			     32u - cidr.prefix_len);
}

static enum ipl_status open_pools(struct ipl_state *state, struct ipl_error *err)
{
	const struct ipl_ev_pool_list *pools = &ipl_state_ledger(state)->settings.public_pools;
	struct ipl_block **fresh;
	uint32_t position = 0;

	for (uint32_t i = 0; i < pools->count; i++) {
		if (pools->at[i].cidr.prefix_len < IPL_BLOCK_PREFIX_MIN)
			return too_large(pools->at[i].cidr, err);
	}
	fresh = calloc(pools->count == 0 ? 1 : pools->count, sizeof(*fresh));
	if (fresh == NULL || !own_pools(state)) {
		free(fresh);
		return ipl_state_no_memory(err);
	}
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
			for (uint32_t k = 0; k < i; k++)
				ipl_block_free(fresh[k]);
			free(fresh);
			return ipl_state_no_memory(err);
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

static enum ipl_status open_block(struct ipl_state *state, uint64_t vswitch, uint64_t vpc,
				  struct ipl_cidr4 cidr, struct ipl_error *err)
{
	struct ipl_block **slot;

	if (cidr.prefix_len < IPL_BLOCK_PREFIX_MIN)
		return too_large(cidr, err);
	slot = ipl_hashmap_put(&state->blocks, ipl_key_entity(IPL_KIND_VSWITCH, vswitch));
	if (slot == NULL)
		return ipl_state_no_memory(err);
	*slot = ipl_block_new(cidr, IPL_RESERVED_FIRST, IPL_RESERVED_LAST);
	if (*slot == NULL)
		return ipl_state_no_memory(err);
	chill(state, *slot, vpc);
	return IPL_OK;
}

static void picked_private(struct ipl_state *state, uint64_t vswitch,
			   const struct ipl_ev_address_list *list, bool *failed)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct ipl_block *block =
			list->at[i].picked ? own_block(state, vswitch, failed) : NULL;
		if (block != NULL && ipl_cidr4_contains(block->cidr, list->at[i].ip))
			ipl_block_picked(block, list->at[i].ip);
	}
}

static void picked_ipv6(struct ipl_state *state, uint64_t vswitch,
			const struct ipl_ev_ipv6_list *list, bool *failed)
{
	for (uint32_t i = 0; i < list->count; i++) {
		uint64_t *slot;
		if (!list->at[i].picked)
			continue;
		slot = ipl_hashmap_put(&state->ipv6_positions,
				       ipl_key_entity(IPL_KIND_VSWITCH, vswitch));
		if (slot != NULL)
			*slot = list->at[i].ip.lo + 1;
		*failed = *failed || slot == NULL;
	}
}

static void picked_public(struct ipl_state *state, uint32_t ip, bool *failed)
{
	if (ip == 0)
		return;
	*failed = *failed || !own_pools(state);
	for (uint32_t i = 0; i < state->pool_count; i++) {
		if (!ipl_cidr4_contains(state->pool[i]->cidr, ip))
			continue;
		ipl_block_picked(state->pool[i], ip);
		state->pool_position = i;
	}
}

static void picked_at_launch(struct ipl_state *state, const struct ipl_ev_instance_list *list,
			     bool *failed)
{
	for (uint32_t i = 0; i < list->count; i++) {
		for (uint32_t k = 0; k < list->at[i].enis.count; k++) {
			const struct ipl_ev_launched_eni *eni = &list->at[i].enis.at[k];
			picked_private(state, eni->vswitch, &eni->addresses, failed);
			picked_ipv6(state, eni->vswitch, &eni->ipv6, failed);
		}
		picked_public(state, list->at[i].public_ip, failed);
	}
}

/* The pickers that @ev moves. */
static void fold_pickers(struct ipl_state *state, const struct ipl_event *ev, bool *failed)
{
	struct ipl_ev_address one;

	switch (ev->type) {
	case IPL_EVENT_INSTANCES_LAUNCHED:
		picked_at_launch(state, &ev->instances_launched.instances, failed);
		break;
	case IPL_EVENT_ENI_CREATED:
		picked_private(state, ev->eni_created.vswitch, &ev->eni_created.addresses, failed);
		picked_ipv6(state, ev->eni_created.vswitch, &ev->eni_created.ipv6, failed);
		break;
	case IPL_EVENT_PRIVATE_IP_ASSIGNED:
		picked_private(state, ev->private_ip_assigned.vswitch,
			       &ev->private_ip_assigned.addresses, failed);
		break;
	case IPL_EVENT_IPV6_ASSIGNED:
		picked_ipv6(state, ev->ipv6_assigned.vswitch, &ev->ipv6_assigned.ipv6, failed);
		break;
	case IPL_EVENT_INSTANCE_STARTED:
		picked_public(state, ev->instance_started.public_ip, failed);
		break;
	case IPL_EVENT_INSTANCE_BANDWIDTH_CHANGED:
		picked_public(state, ev->instance_bandwidth_changed.public_ip, failed);
		break;
	case IPL_EVENT_PUBLIC_IP_ALLOCATED:
		picked_public(state, ev->public_ip_allocated.public_ip, failed);
		break;
	case IPL_EVENT_EIP_ALLOCATED:
		if (ev->eip_allocated.picked)
			picked_public(state, ev->eip_allocated.ip, failed);
		break;
	case IPL_EVENT_PRIMARY_ADDRESS_CHANGED:
		one = (struct ipl_ev_address){ ev->primary_address_changed.ip,
					       ev->primary_address_changed.picked };
		picked_private(state, ev->primary_address_changed.vswitch,
			       &(const struct ipl_ev_address_list){ &one, 1 }, failed);
		break;
	default:
		break; /* nothing is picked */
	}
}

enum ipl_status ipl_spaces_fold(struct ipl_state *state, const struct ipl_event *ev,
				struct ipl_error *err)
{
	bool failed = false;

	switch (ev->type) {
	case IPL_EVENT_LEDGER_CREATED:
	case IPL_EVENT_LEDGER_SETTINGS_MODIFIED:
		state->letters = ipl_region_letters(ipl_state_ledger(state)->settings.region);
		return open_pools(state, err);
	case IPL_EVENT_VSWITCH_CREATED:
		return open_block(state, ev->vswitch_created.vswitch, ev->vswitch_created.vpc,
				  ev->vswitch_created.cidr, err);
	case IPL_EVENT_VSWITCH_DELETED:
		close_block(state, ev->vswitch_deleted.vswitch, &failed);
		break;
	default:
		fold_pickers(state, ev, &failed);
		break;
	}
	return failed ? ipl_state_no_memory(err) : IPL_OK;
}

/* --- from the rows of a state --- */

static enum ipl_status misfit(struct ipl_error *err, const char *what, uint64_t number)
{
	return ipl_error_set(err, IPL_ERR_CORRUPT, "rows of a state: %s %" PRIu64 " does not fit",
			     what, number);
}

enum ipl_status ipl_spaces_load(struct ipl_state *state, const uint64_t *pool_position,
				uint32_t pool_count, struct ipl_error *err)
{
	uint32_t last = state->pool_position; /* opening them sets another */
	enum ipl_status st;

	state->letters = ipl_region_letters(state->ledger.settings.region);
	st = open_pools(state, err);
	if (st != IPL_OK)
		return st;
	if (pool_count != state->pool_count || (last >= pool_count && last != 0))
		return misfit(err, "the number of pools", pool_count);
	state->pool_position = last;
	for (uint32_t i = 0; i < pool_count; i++) {
		if (pool_position[i] >= ipl_cidr4_size(state->pool[i]->cidr))
			return misfit(err, "the position in pool", i);
		state->pool[i]->position = pool_position[i];
	}
	return IPL_OK;
}

enum ipl_status ipl_spaces_load_vpc(struct ipl_state *state, uint64_t vpc, struct ipl_error *err)
{
	const struct ipl_cidr6 none = { 0 };
	uint64_t position = state->ipv6_block_position; /* settling moves it */
	enum ipl_status st =
		ipl_spaces_settle_vpc(state, vpc, none, ipl_state_vpc(state, vpc)->ipv6_cidr, err);

	state->ipv6_block_position = position;
	return st;
}

enum ipl_status ipl_spaces_load_vswitch(struct ipl_state *state, uint64_t vswitch,
					struct ipl_error *err)
{
	const struct ipl_vswitch *self = ipl_state_vswitch(state, vswitch);

	if (ipl_state_vpc(state, self->vpc) == NULL)
		return misfit(err, "vSwitch", vswitch);
	return open_block(state, vswitch, self->vpc, self->cidr, err);
}

enum ipl_status ipl_spaces_load_picker(struct ipl_state *state, uint64_t vswitch, uint64_t position,
				       uint64_t ipv6_position, struct ipl_error *err)
{
	struct ipl_key key = ipl_key_entity(IPL_KIND_VSWITCH, vswitch);
	struct ipl_block *const *block = ipl_hashmap_find(&state->blocks, key);
	uint64_t *slot;

	if (block == NULL || position >= ipl_cidr4_size((*block)->cidr))
		return misfit(err, "the picker of vSwitch", vswitch);
	(*block)->position = position;
	if (ipv6_position == IPL_IPV6_RESERVED_FIRST)
		return IPL_OK;
	slot = ipl_hashmap_put(&state->ipv6_positions, key);
	if (slot == NULL)
		return ipl_state_no_memory(err);
	*slot = ipv6_position;
	return IPL_OK;
}

enum ipl_status ipl_spaces_load_address(struct ipl_state *state, struct ipl_key key,
					const struct ipl_holding *holding, struct ipl_error *err)
{
	bool is_held = holding->role != IPL_ROLE_NONE, failed = false;
	bool is_private = key.kind == IPL_KIND_IP4 && key.a != 0;
	struct ipl_block *block = is_held && is_private ?
					  own_block(state, holding->vswitch, &failed) :
					  block_around(state, key);

	if (is_held && is_private &&
	    (block == NULL || !ipl_cidr4_contains(block->cidr, (uint32_t)key.b)))
		return misfit(err, "a private address in vSwitch", holding->vswitch);
	if (block != NULL)
		ipl_block_take(block, (uint32_t)key.b);
	if (is_held)
		return IPL_OK;
	if (!set_cooling(state, key, holding->cool_until) ||
	    !heap_push(state, (struct ipl_cooling){ holding->cool_until, key }))
		return ipl_state_no_memory(err);
	return IPL_OK;
}
