/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who had it, from when to when, by whose doing: the history of one address or
 * of one entity, as intervals. It is read from their chains alone, so it costs what
 * happened to them, however long the log is, and survives the end of all it speaks of.
 */
#ifndef IPL_REPLAY_HISTORY_H
#define IPL_REPLAY_HISTORY_H

#include "replay/past.h"

/** Which part of a history, and what it comes to. */
struct ipl_history {
	const struct ipl_source *source;
	/*
	 * Of ipl_past_open(), as of 0: it moves on from holder to holder, and what it finds
	 * at the end is not to be relied on.
	 */
	struct ipl_lens *lens;
	uint64_t as_of; /* what came after is not known: what is open then is open */
	/*
	 * Intervals that begin with event @from or later, and those that go on after event
	 * @in_force; none that begins after event @to. 0, 0 and @as_of: all.
	 */
	uint64_t from;
	uint64_t in_force;
	uint64_t to;
	uint64_t vpc; /* of an IPv6 address: only what was held in this VPC; 0: in any */
	int64_t max_results;
	size_t bytes_max; /* of a page */
	/* Where the page begins, and then where the next one does; 0: the first, no more. */
	uint64_t position;

	struct ipl_arena *arena; /* where the page is built */
	struct ipl_error *err;
	struct ipl_value page; /* begins as an array */
};

/**
 * One page of the holdings of an address: those on the chains of @keys, which are the same
 * address in different VPCs and in public. Each with who held it, as of its beginning.
 *
 * @retval IPL_ERR_CORRUPT  a chain cannot be followed
 * @retval IPL_ERR_NOMEM    beyond a limit
 */
enum ipl_status ipl_history_of_address(struct ipl_history *h, const struct ipl_key *keys,
				       size_t key_count) IPL_MUST_USE;

/** The holding that an address had last: that of now, or the one that was closed last. */
struct ipl_latest {
	struct ipl_holding holding;
	struct ipl_holding now; /* role NONE where it is over */
	uint64_t closed_by;     /* the event that ended it; 0: none */
};
/** As of event @seq. IPL_ERR_END where nobody had it until then. */
enum ipl_status ipl_latest_find(const struct ipl_source *source, struct ipl_key key, uint64_t seq,
				struct ipl_latest *out, struct ipl_error *err) IPL_MUST_USE;

/**
 * The last holding of an address (as ipl_latest_find() gave it as of h->as_of): put on the page
 * with its Status, Held, Cooling (as of h->lens->time_ms) or Free. Cheap however long its history
 * is.
 *
 * @retval IPL_ERR_END  the page is full without it
 */
enum ipl_status ipl_history_last(struct ipl_history *h, struct ipl_key key,
				 const struct ipl_latest *latest) IPL_MUST_USE;

/**
 * One page of an entity's: an interval for each event that touched it, with the
 * members that were other after it than before (own ones only).
 */
enum ipl_status ipl_history_of_entity(struct ipl_history *h, enum ipl_kind kind,
				      uint64_t number) IPL_MUST_USE;

/**
 * The members of an entity that differ: [{Name, Before, After}]. @before and @after are
 * as ipl_show_only() gave them with IPL_HISTORY_MEMBERS; NULL where it was not there.
 */
struct ipl_value ipl_fields_between(struct ipl_arena *arena, enum ipl_kind kind,
				    const struct ipl_value *before, const struct ipl_value *after);
#define IPL_HISTORY_MEMBERS ((unsigned)(IPL_MEMBER_OWN | IPL_MEMBER_PAIRED | IPL_MEMBER_CONSTANT))

#endif
