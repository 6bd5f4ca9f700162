/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was. A single entity or address as of a seq is folded from its own chain:
 * back from the chain's end to the newest event not after the seq, by skip
 * pointers, then all before it, forward. Questions about many things want a
 * whole state, folded from the log's beginning and kept while it may be asked again.
 */
#ifndef IPL_REPLAY_PAST_H
#define IPL_REPLAY_PAST_H

#include "reducers/lens.h"
#include "store/checkpoint.h"
#include "store/heads.h"

/** Where events and the ends of chains come from. */
struct ipl_source {
	void *context;
	/** The record of @seq, borrowed until the next call. */
	enum ipl_status (*get)(void *context, uint64_t seq, struct ipl_str *record,
			       struct ipl_error *err);
	/** The last seq on @key's chain; 0 for none. */
	uint64_t (*last)(void *context, struct ipl_key key);
};

/** A source that counts what is loaded through it, so that work can end in time. */
struct ipl_counted {
	struct ipl_source source; /* to be given to others; its context is this struct */
	const struct ipl_source *under;
	uint64_t loads;
};
void ipl_counted_init(struct ipl_counted *counted, const struct ipl_source *under);

/** One event of the log at a time, with the memory it is decoded into. */
struct ipl_leaf {
	struct ipl_arena arena;
	struct ipl_event ev; /* its text is borrowed until the source is asked again */
};
void ipl_leaf_init(struct ipl_leaf *leaf);
void ipl_leaf_release(struct ipl_leaf *leaf);
/** Load event @seq, in place of the one before. IPL_ERR_CORRUPT where another stands there. */
enum ipl_status ipl_leaf_load(struct ipl_leaf *leaf, const struct ipl_source *source, uint64_t seq,
			      struct ipl_error *err) IPL_MUST_USE;
/** The link that the loaded event carries for @key. IPL_ERR_CORRUPT where it does not touch it. */
enum ipl_status ipl_leaf_link(struct ipl_leaf *leaf, struct ipl_key key, struct ipl_link *out,
			      struct ipl_error *err) IPL_MUST_USE;

/** The newest event on @key's chain that is not after @seq; 0 where there is none. */
enum ipl_status ipl_chain_seek(const struct ipl_source *source, struct ipl_key key, uint64_t seq,
			       uint64_t *found, struct ipl_error *err) IPL_MUST_USE;

/** The chain's events in @from..@to, ascending, in memory of the caller's to free(). */
struct ipl_seqs {
	uint64_t *at;
	size_t count;
};
enum ipl_status ipl_chain_collect(const struct ipl_source *source, struct ipl_key key,
				  uint64_t from, uint64_t to, struct ipl_seqs *out,
				  struct ipl_error *err) IPL_MUST_USE;

/**
 * The same of the chain after @after and not after @to: the first @most (at least 1) of
 * them. It costs what it gives, and some steps over the rest.
 */
enum ipl_status ipl_chain_page(const struct ipl_source *source, struct ipl_key key, uint64_t after,
			       uint64_t to, size_t most, struct ipl_seqs *out,
			       struct ipl_error *err) IPL_MUST_USE;

/** Who has the address @key after event @seq: folded from the last event that gave it. */
enum ipl_status ipl_holding_at(const struct ipl_source *source, struct ipl_key key, uint64_t seq,
			       struct ipl_holding *out, struct ipl_error *err) IPL_MUST_USE;

/**
 * A lens that folds single things as of @seq. The caller sets its region,
 * letters and ledger. It keeps what it folded until ipl_past_close().
 */
enum ipl_status ipl_past_open(struct ipl_lens *lens, const struct ipl_source *source, uint64_t seq,
			      int64_t time_ms, struct ipl_error *err) IPL_MUST_USE;
void ipl_past_close(struct ipl_lens *lens);
/**
 * Begin with what @checkpoint (not after the lens's seq; NULL: none) has of an entity, instead of
 * with its birth. It is the lens's from here on. Before anything is looked at.
 */
void ipl_past_begin_at(struct ipl_lens *lens, struct ipl_checkpoint *checkpoint);
/** Its scans find VPCs, one by one, with numbers below @next; nothing else. */
void ipl_past_scan_vpcs(struct ipl_lens *lens, uint64_t next);
/**
 * Look as of @seq (not before the one it stands at) from now on: what was folded is
 * folded on where it is asked for again. Entities that were found before are not to be read.
 */
void ipl_past_move(struct ipl_lens *lens, uint64_t seq, int64_t time_ms);

/**
 * Go on to @ev, and fold it into what was found so far. From the first time on what was found is
 * not looked up in the log again: each event that touches any of it is to be fed, in order.
 * Holdings are not kept, so they need no feeding. What was found before stays where it is.
 */
enum ipl_status ipl_past_feed(struct ipl_lens *lens, const struct ipl_event *ev,
			      const struct ipl_touches *touches) IPL_MUST_USE;

/** The source of lens->last for a lens of any kind: set lens->last_context to the source. */
uint64_t ipl_past_last(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number);

/**
 * Fold events into @state until it stands at @seq. The record of each is taken
 * from @source.
 */
enum ipl_status ipl_fold_to(struct ipl_state *state, const struct ipl_source *source, uint64_t seq,
			    struct ipl_error *err) IPL_MUST_USE;

#endif
