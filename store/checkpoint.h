/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log came to at some of its commits, kept so that nobody has to fold
 * it from its beginning: DIR/checkpoints/SEQ.mdb. All of it follows from the
 * log; one that is damaged, or of another log, is as good as none.
 *
 * A file is an LMDB environment (MDB_NOSUBDIR) with three tables, and after it a
 * trailer of 4096 bytes:
 *   state   row key -> value (reducers/codec.h)
 *   heads   chain key -> events on the chain, then the seqs of its roots (store/heads.h), each
 *           as a MessagePack number; of what is gone too
 *   tokens  two numbers of a token's hash, 8 bytes each -> seq, 8 bytes
 * A row or chain key is its kind in one byte and two numbers of 8. Numbers are big-endian.
 *
 * The trailer: "ipledger checkpoint 1\n" and zeros to 32; the version of the program that made it,
 * and zeros to 32; seq; bytes before the trailer; XXH3-128
 * of them (16); hash of the state's rows (32); how many nodes the tree's frontier has; the nodes,
 * 32 bytes each, largest first; zeros; XXH3-64 of the trailer so far (8, at its end).
 * A file is looked at whole, once, before it is used: LMDB's own pages have no checksums.
 *
 * The set of a directory's checkpoints may be used by any thread; what is taken
 * from it by the one that took it.
 */
#ifndef IPL_STORE_CHECKPOINT_H
#define IPL_STORE_CHECKPOINT_H

#include "events/ident.h"
#include "store/digest.h"
#include "store/tree.h"

enum ipl_table_name {
	IPL_TABLE_STATE,
	IPL_TABLE_HEADS,
	IPL_TABLE_TOKENS,
	IPL_TABLE_COUNT,
};

/** What a checkpoint says of itself. */
struct ipl_checkpoint_head {
	uint64_t seq;         /* the last event of a commit */
	struct ipl_tree tree; /* the frontier over the log up to there */
	uint8_t state_hash[IPL_DIGEST_BYTES];
};

/* --- reading --- */

struct ipl_checkpoints;
struct ipl_checkpoint;

/** Told of each checkpoint that is ignored, with its path and why. Any thread. */
typedef void (*ipl_complain_fn)(void *context, const char *text);

/**
 * The checkpoints beside @store's log; there may be none. What a writer that was
 * killed left behind is removed where @store appends. @complain may be NULL.
 */
enum ipl_status ipl_checkpoints_open(struct ipl_store *store, ipl_complain_fn complain,
				     void *context, struct ipl_checkpoints **out,
				     struct ipl_error *err) IPL_MUST_USE;
/** Everything that was taken must have been released. NULL is fine. */
void ipl_checkpoints_close(struct ipl_checkpoints *set);

/* Whether to look at files that were not looked at yet: it takes as long as to read them. */
enum ipl_unseen { IPL_UNSEEN_SKIP, IPL_UNSEEN_LOOK };

/** The newest good one not after @seq, for this thread alone; NULL is normal. */
struct ipl_checkpoint *ipl_checkpoints_take(struct ipl_checkpoints *set, uint64_t seq,
					    enum ipl_unseen look);
/** Look at the newest one that was not looked at yet; false where there is none. */
bool ipl_checkpoints_look(struct ipl_checkpoints *set);
/** NULL is fine. */
void ipl_checkpoint_release(struct ipl_checkpoint *checkpoint);
/** It turned out bad after all: it is complained of, and not taken again. It is still the caller's.
 */
void ipl_checkpoints_reject(struct ipl_checkpoints *set, const struct ipl_checkpoint *checkpoint,
			    const char *why);

/**
 * The tree's frontier at the newest checkpoint not after @seq: its root is the log's at that
 * commit, so it is right whatever else is in the file. False where there is none.
 */
bool ipl_checkpoints_frontier(struct ipl_checkpoints *set, uint64_t seq, struct ipl_tree *out);

/** Borrowed for as long as it is held. */
const struct ipl_checkpoint_head *ipl_checkpoint_head(const struct ipl_checkpoint *checkpoint);

/** A value, borrowed until the checkpoint is released; IPL_ERR_END where there is none. */
enum ipl_status ipl_checkpoint_get(struct ipl_checkpoint *checkpoint, enum ipl_table_name table,
				   struct ipl_key key, struct ipl_str *out,
				   struct ipl_error *err) IPL_MUST_USE;

/** Entries of a table in ascending order. Borrows the checkpoint. */
struct ipl_checkpoint_cursor;
enum ipl_status ipl_checkpoint_cursor_open(struct ipl_checkpoint *checkpoint,
					   enum ipl_table_name table,
					   struct ipl_checkpoint_cursor **out,
					   struct ipl_error *err) IPL_MUST_USE;
/** The next entry, borrowed until the checkpoint is released; IPL_ERR_END after the last. */
enum ipl_status ipl_checkpoint_cursor_next(struct ipl_checkpoint_cursor *cursor,
					   struct ipl_key *key, struct ipl_str *value,
					   struct ipl_error *err) IPL_MUST_USE;
void ipl_checkpoint_cursor_close(struct ipl_checkpoint_cursor *cursor);

/** One of the set, as it is thinned by. */
struct ipl_checkpoint_stat {
	uint64_t seq;
	uint64_t bytes;
	bool is_bad;
};
/** All of them, ascending by seq, in memory of the caller's to free(); *@count how many. */
enum ipl_status ipl_checkpoints_list(struct ipl_checkpoints *set, struct ipl_checkpoint_stat **out,
				     size_t *count, struct ipl_error *err) IPL_MUST_USE;
/** Remove one from the disk and the set. Who has taken it keeps what is mapped. */
enum ipl_status ipl_checkpoints_remove(struct ipl_checkpoints *set, uint64_t seq,
				       struct ipl_error *err) IPL_MUST_USE;

/* --- writing --- */

struct ipl_checkpoint_writer;
/** Begin the checkpoint of @seq. It is nothing before it is committed. */
enum ipl_status ipl_checkpoint_write_begin(struct ipl_checkpoints *set, uint64_t seq,
					   struct ipl_checkpoint_writer **out,
					   struct ipl_error *err) IPL_MUST_USE;
/** The next entry of @table, above all before. */
enum ipl_status ipl_checkpoint_write(struct ipl_checkpoint_writer *writer,
				     enum ipl_table_name table, struct ipl_key key,
				     struct ipl_str value, struct ipl_error *err) IPL_MUST_USE;
/** Make it durable and one of the set. The writer is gone, whatever comes of it. */
enum ipl_status ipl_checkpoint_write_commit(struct ipl_checkpoint_writer *writer,
					    const struct ipl_checkpoint_head *head,
					    struct ipl_error *err) IPL_MUST_USE;
/** Give it up. NULL is fine. */
void ipl_checkpoint_write_abort(struct ipl_checkpoint_writer *writer);

#endif
