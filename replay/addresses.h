/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every address in a block that anybody ever had, with its last holding: who
 * has it or had it last, and by whose doing. What was given under blocks that are gone is found
 * too.
 */
#ifndef IPL_REPLAY_ADDRESSES_H
#define IPL_REPLAY_ADDRESSES_H

#include "replay/history.h"

struct ipl_addresses {
	/* Source, moment, page and arena; the lens gives letters, region and the time. */
	struct ipl_history *h;
	/* Where to look. Of IPv4: a block, in public and in what vSwitches there were. */
	bool has_ip4;
	struct ipl_cidr4 cidr;
	bool has_ip6;
	struct ipl_cidr6 cidr6; /* prefix_len 0: all */
	uint64_t vswitch;       /* only what was held in it; 0: in any, and in public */
	uint64_t vpc;           /* only private addresses of it, beside public ones; 0: of any */
	uint64_t ledger; /* the ledger's number: its settings say which public blocks there were */
	/* As in an ipl_diff; h->position is where the page begins. */
	const uint64_t *loads;
	uint64_t loads_max;
};

/**
 * One page: [{as an interval of a history, Status}], public addresses first, then those of each
 * vSwitch in turn, then IPv6. A page may be empty and not the last.
 */
enum ipl_status ipl_addresses_page(struct ipl_addresses *a) IPL_MUST_USE;

#endif
