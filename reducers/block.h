/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of one IPv4 block, as a picker sees them: each is available or
 * not (in use, reserved, cooling). Picking is next fit: on from the address that
 * was picked last, around the end. A bitmap of 64-way summaries finds the next
 * available one in as many steps as the block has levels (a /16 has 3), however
 * full it is.
 */
#ifndef IPL_REDUCERS_BLOCK_H
#define IPL_REDUCERS_BLOCK_H

#include "events/address.h"

#define IPL_BLOCK_LEVELS_MAX 6
/* No pool and no vSwitch is larger: what says so is damage, and takes no memory. */
#define IPL_BLOCK_PREFIX_MIN 8

struct ipl_block {
	struct ipl_cidr4 cidr;
	uint64_t free_count; /* available addresses */
	uint64_t position;   /* offset after the last one picked: where the next search begins */
	uint32_t level_count;
	uint64_t *level[IPL_BLOCK_LEVELS_MAX]; /* [0]: a bit per address; above: a bit per full word
						*/
	uint64_t words[IPL_BLOCK_LEVELS_MAX];
};

/** All of @cidr is available but @first addresses at its beginning and @last at its end. NULL
 * without memory. */
struct ipl_block *ipl_block_new(struct ipl_cidr4 cidr, uint32_t first, uint32_t last);
/** A copy of its own; NULL without memory. */
struct ipl_block *ipl_block_copy(const struct ipl_block *block);
void ipl_block_free(struct ipl_block *block);

bool ipl_block_is_available(const struct ipl_block *block, uint32_t ip);
/** @ip lies in the block. Taking what is taken, or giving what is available, changes nothing. */
void ipl_block_take(struct ipl_block *block, uint32_t ip);
void ipl_block_give(struct ipl_block *block, uint32_t ip);
/** The picker goes on after @ip. */
void ipl_block_picked(struct ipl_block *block, uint32_t ip);

/**
 * The first available address at or after offset @from, around the end.
 * False where there is none.
 */
bool ipl_block_next(const struct ipl_block *block, uint64_t from, uint32_t *ip);

#endif
