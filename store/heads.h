/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of every chain: which event touched an entity or address last, and
 * from where its skip pointers go on. A function of the log; in memory, over
 * what a checkpoint has of it.
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

/**
 * Chains that ended before: what is known of @key there (as ipl_heads_each() gives it), IPL_ERR_END
 * where nothing touched it.
 */
typedef enum ipl_status (*ipl_heads_under_fn)(void *context, struct ipl_key key,
					      struct ipl_str *value, struct ipl_error *err);
/** Let @heads, which are empty, go on from others: only chains that grow are in memory then. */
void ipl_heads_set_under(struct ipl_heads *heads, ipl_heads_under_fn under, void *context);

/**
 * The last seq on @key's chain; 0 where nothing ever touched it; UINT64_MAX, which no event has,
 * where what lies under the heads cannot be read.
 */
uint64_t ipl_heads_last(const struct ipl_heads *heads, struct ipl_key key);

/** @key's chain will be asked for soon: its place is fetched into the cache meanwhile. */
void ipl_heads_prefetch(const struct ipl_heads *heads, struct ipl_key key);

/**
 * Put the event @seq at the end of @key's chain and give the link that it must
 * carry. IPL_ERR_CORRUPT where @seq is not after the chain's last.
 */
enum ipl_status ipl_heads_push(struct ipl_heads *heads, struct ipl_key key, uint64_t seq,
			       struct ipl_link *link, struct ipl_error *err) IPL_MUST_USE;

/**
 * Push all @touches of an event that is read back: its links must be those that its chains give it.
 * IPL_ERR_CORRUPT where they are not.
 */
enum ipl_status ipl_heads_check(struct ipl_heads *heads, const struct ipl_event *ev,
				const struct ipl_touches *touches,
				struct ipl_error *err) IPL_MUST_USE;

/** Called for each chain; the value is borrowed for the call. Not IPL_OK: it ends so. */
typedef enum ipl_status (*ipl_heads_fn)(void *context, struct ipl_key key, struct ipl_str value,
					struct ipl_error *err);
/**
 * Every chain that is in memory, in ascending order of keys: how many events it has, then the
 * seqs of its roots, newest first, as MessagePack numbers.
 */
enum ipl_status ipl_heads_each(const struct ipl_heads *heads, ipl_heads_fn fn, void *context,
			       struct ipl_error *err) IPL_MUST_USE;

/** How many chains are in memory. */
uint64_t ipl_heads_count(const struct ipl_heads *heads);

#endif
