/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many events in order, decoded some ahead of where they are used: a thread of its own reads and
 * decodes a batch while the caller folds the one before, and what the next events will touch
 * of a state is on its way from memory meanwhile. A short way is gone by one thread.
 */
#ifndef IPL_REPLAY_PASS_H
#define IPL_REPLAY_PASS_H

#include "reducers/state.h"
#include "store/checkpoint.h"
#include "store/store.h"

/** Where records come from; as ipl_reader_get() and ipl_reader_scan(). */
struct ipl_records {
	void *context;
	enum ipl_status (*get)(void *context, uint64_t seq, struct ipl_str *record,
			       struct ipl_error *err);
	/** During ipl_pass_go() another thread may call it, but no two at once. */
	enum ipl_status (*scan)(void *context, uint64_t from_seq, uint64_t to_seq, ipl_record_fn fn,
				void *fn_context, struct ipl_error *err);
	struct ipl_checkpoints *checkpoints; /* to begin from; NULL: from nothing */
	bool has_one_thread;                 /* for others need the cores */
};
/** The records that @reader reads; it must outlive them. */
struct ipl_records ipl_records_of_reader(struct ipl_reader *reader);

/** One event of a pass, borrowed for the call. */
struct ipl_passed {
	struct ipl_str record;
	struct ipl_event ev;
	struct ipl_touches touches;
};
/** IPL_ERR_END: that was enough; anything else but IPL_OK is the pass's status. */
typedef enum ipl_status (*ipl_pass_fn)(void *context, const struct ipl_passed *passed,
				       struct ipl_error *err);

struct ipl_pass {
	const struct ipl_records *records;
	uint64_t from, to; /* cut to the log's end */
	/* Called for each event in order, before `fn` and perhaps for some more, and by another
	 * thread: for what has nothing to do with what `fn` does. NULL: nothing. */
	ipl_pass_fn early;
	ipl_pass_fn fn; /* in the caller's thread */
	void *context;
	const struct ipl_state *state; /* that `fn` folds into, or NULL */
	/* Bit N for event type N: only those are decoded and handed over, of the others no more is
	 * looked at than whether they are whole, and no touches are listed. 0: all, with them. */
	uint64_t types;
};

/** @retval IPL_ERR_CORRUPT  a record cannot be read, or is that of another event */
enum ipl_status ipl_pass_go(const struct ipl_pass *pass, struct ipl_error *err) IPL_MUST_USE;

#endif
