/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole state from inside: what it keeps (state.c), the spaces that
 * addresses are picked from (space.c), and folding events into both (fold.c).
 *
 * A fork keeps only what differs from the state under it. What it has no own
 * copy of shows through; what ended in it stands there as dead.
 */
#ifndef IPL_REDUCERS_STATE_INTERNAL_H
#define IPL_REDUCERS_STATE_INTERNAL_H

#include "reducers/hashmap.h"
#include "reducers/reduce_internal.h"
#include "reducers/table.h"

/* An address that cools down; the entry is stale where `cooling` no longer says so. */
struct ipl_cooling {
	int64_t until_ms;
	struct ipl_key key;
};

struct ipl_state {
	const struct ipl_state *under; /* NULL: it is no fork */
	uint64_t seq;
	int64_t time_ms;
	int64_t advanced_ms;
	struct ipl_ledger_state ledger; /* of a fork: only if its settings changed */
	uint64_t ledger_number;
	bool is_loose; /* numbers and seqs come with holes */
	struct ipl_region_letters letters;
	struct ipl_table table[IPL_KIND_COUNT]; /* of a fork: the counts, no pages */
	struct ipl_hashmap own;      /* of a fork: key -> union ipl_entity *, living or dead */
	struct ipl_hashmap holdings; /* struct ipl_holding; of a fork: role NONE too */

	/* space.c */
	struct ipl_hashmap blocks; /* of vSwitches: struct ipl_block *; of a fork: NULL is gone */
	struct ipl_block **pool;
	uint32_t pool_count;
	uint32_t pool_position;
	bool has_pools;             /* false: those of the state under it */
	struct ipl_hashmap cooling; /* int64_t until_ms; of a fork: 0 is not any more */
	struct ipl_cooling *heap;   /* the same, soonest first */
	size_t heap_count;
	size_t cooled_count; /* behind the heap: those that cooled down since the last event */
	size_t heap_cap;
	struct ipl_hashmap ipv6_blocks;    /* /56 -> uint64_t VPC; of a fork: 0 is free */
	uint64_t ipv6_block_position;      /* the /56 after the last one picked */
	struct ipl_hashmap ipv6_positions; /* vSwitch -> uint64_t interface id to go on from */
};

enum ipl_status ipl_state_no_memory(struct ipl_error *err);

/* --- state.c --- */

/** The entity to fold into, made where it is not there yet; NULL without memory. */
union ipl_entity *ipl_state_slot(struct ipl_state *state, enum ipl_kind kind, uint64_t number);
/** The ledger to fold into; NULL without memory. */
struct ipl_ledger_state *ipl_state_ledger_slot(struct ipl_state *state);
const struct ipl_holding *ipl_state_find_holding(const struct ipl_state *state, struct ipl_key key);
bool ipl_state_set_holding(struct ipl_state *state, struct ipl_key key,
			   const struct ipl_holding *holding);

/* --- space.c --- */

void ipl_spaces_init(struct ipl_state *state);
void ipl_spaces_release(struct ipl_state *state);
/** Until when an address cools down; 0: it does not. */
int64_t ipl_spaces_cooling(const struct ipl_state *state, struct ipl_key key);
/** What had cooled down before the event that comes now will not be asked for again. */
void ipl_spaces_forget_cooled(struct ipl_state *state);
/** What has become of an address shows in the space that it is picked from. */
enum ipl_status ipl_spaces_settle(struct ipl_state *state, struct ipl_key key,
				  const struct ipl_holding *was, const struct ipl_holding *is,
				  struct ipl_error *err);
/** The IPv6 block of a VPC came, changed or went. */
enum ipl_status ipl_spaces_settle_vpc(struct ipl_state *state, uint64_t vpc, struct ipl_cidr6 was,
				      struct ipl_cidr6 is, struct ipl_error *err);
/** Blocks and pools that come and go with @ev, and pickers that move. Before its addresses. */
enum ipl_status ipl_spaces_fold(struct ipl_state *state, const struct ipl_event *ev,
				struct ipl_error *err);

/*
 * What follows from the rows of a state (rows.c), in their order: the pools from the ledger's
 * settings, blocks and owners from VPCs and vSwitches, what is not available from addresses.
 * IPL_ERR_CORRUPT where a row fits to no row before it.
 */
enum ipl_status ipl_spaces_load(struct ipl_state *state, const uint64_t *pool_position,
				uint32_t pool_count, struct ipl_error *err);
enum ipl_status ipl_spaces_load_vpc(struct ipl_state *state, uint64_t vpc, struct ipl_error *err);
enum ipl_status ipl_spaces_load_vswitch(struct ipl_state *state, uint64_t vswitch,
					struct ipl_error *err);
enum ipl_status ipl_spaces_load_picker(struct ipl_state *state, uint64_t vswitch, uint64_t position,
				       uint64_t ipv6_position, struct ipl_error *err);
enum ipl_status ipl_spaces_load_address(struct ipl_state *state, struct ipl_key key,
					const struct ipl_holding *holding, struct ipl_error *err);

#endif
