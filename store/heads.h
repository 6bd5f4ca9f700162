/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of every chain: which event touched an entity or address last, and
 * from where its skip pointers go on. A function of the log; in memory only.
 *
 * A chain's events are numbered by depth. Jumps are those of a skew-binary list
 * (Myers 1983): the events so far form complete binary trees, sizes 2^k - 1,
 * at most the two smallest alike; a new event joins these two under itself or
 * stands alone, and jumps to the root of the next tree. So a walk back to any
 * moment takes O(log n) steps, and a new event needs only the roots.
 */
#ifndef IPL_STORE_HEADS_H
#define IPL_STORE_HEADS_H

#include "events/event.h"

struct ipl_heads;

/** NULL without memory. */
struct ipl_heads *ipl_heads_new(void);
void ipl_heads_free(struct ipl_heads *heads);

/** The last seq on @key's chain; 0 where nothing ever touched it. */
uint64_t ipl_heads_last(const struct ipl_heads *heads, struct ipl_key key);

/**
 * Put the event @seq at the end of @key's chain and give the link that it must
 * carry. IPL_ERR_CORRUPT where @seq is not after the chain's last.
 */
enum ipl_status ipl_heads_push(struct ipl_heads *heads, struct ipl_key key, uint64_t seq,
			       struct ipl_link *link, struct ipl_error *err) IPL_MUST_USE;

/** How many chains there are. */
uint64_t ipl_heads_count(const struct ipl_heads *heads);

#endif
