/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would have been: history decided again from the first change on, with
 * some operations left out, others put in their place or between them. Recorded
 * ids and seqs stay; what had been picked is picked anew, what had been named is
 * named. Nothing is written.
 *
 * The recorded operations are those that had been allowed: a request that was
 * refused then is not tried again. What an event does not tell of its request is
 * read as replay/request.h says. A transaction stays all or none.
 */
#ifndef IPL_REPLAY_WHATIF_H
#define IPL_REPLAY_WHATIF_H

#include "events/value.h"
#include "replay/view.h"

#define IPL_WHATIF_CHANGES_MAX 1000u

enum ipl_change_kind {
	IPL_CHANGE_DROP,
	IPL_CHANGE_EDIT,
	IPL_CHANGE_INSERT, /* just before the event; at head + 1: after all */
};

struct ipl_whatif_change {
	enum ipl_change_kind kind;
	uint64_t seq;
	/* What is done instead, or put in. The params may name Actor and Reason too. */
	struct ipl_str operation;
	struct ipl_value params; /* a map */
};

enum ipl_fate {
	IPL_FATE_DROPPED,
	IPL_FATE_SAME,      /* the same event again */
	IPL_FATE_OTHERWISE, /* another event: of what was put in, the event it makes */
	IPL_FATE_REFUSED,
	IPL_FATE_NEEDLESS, /* allowed, and nothing to do: what it asks for is so already */
};

/** What became of one operation. Borrowed for the call. */
struct ipl_fated {
	uint64_t seq;
	enum ipl_fate fate;
	const struct ipl_whatif_change *change; /* NULL: a recorded one */
	const struct ipl_event *was;            /* NULL: it was put in */
	const struct ipl_event *is;             /* NULL: there is none */
	const struct ipl_error *err;            /* REFUSED: why */
	uint64_t because; /* REFUSED with its transaction: the seq that was refused first; else 0 */
};
/** Told in order, of everything that is changed or not the same. */
typedef void (*ipl_fated_fn)(void *context, const struct ipl_fated *fated);

struct ipl_whatif_result {
	struct ipl_state *recorded;  /* as of the head */
	struct ipl_state *otherwise; /* what would have been then */
	uint64_t first;              /* the first seq that was decided again */
	uint64_t decided;
	uint64_t same;
	uint64_t otherwise_count;
	uint64_t refused;
	uint64_t needless;
};

/**
 * Decide again up to @head with @changes, in any order.
 * @retval IPL_REFUSED  a change makes no sense: no such event, no such operation, …
 */
enum ipl_status ipl_whatif(struct ipl_views *views, uint64_t head,
			   const struct ipl_whatif_change *changes, size_t count, ipl_fated_fn fn,
			   void *context, struct ipl_whatif_result *out,
			   struct ipl_error *err) IPL_MUST_USE;
void ipl_whatif_release(struct ipl_whatif_result *result);

#endif
