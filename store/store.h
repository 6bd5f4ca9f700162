/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the log is kept. A log is a sequence of records, numbered from 1
 * without gaps, appended in batches and never rewritten; beside each batch stands the
 * root of the Merkle tree (RFC 6962) over all records so far.
 *
 * What a record means is not known here: records are bytes. The interface is
 * what a log needs (append a batch, read a range, follow the end), so
 * that another log can take the place of the embedded one.
 *
 * The embedded store is one LMDB file, DIR/log.mdb, and DIR/lock, which is
 * flock()ed by the one process that may append and holds that process's id.
 */
#ifndef IPL_STORE_STORE_H
#define IPL_STORE_STORE_H

#include "events/base.h"

#define IPL_ROOT_BYTES       32
#define IPL_RECORD_BYTES_MAX (1u << 20) /* of one record */
#define IPL_BATCH_BYTES_MAX \
	(8u << 20) /* of all records of one batch; LMDB's dirty list is bounded */
#define IPL_BATCH_RECORDS_MAX 65536u

struct ipl_store;

enum ipl_store_mode {
	IPL_STORE_READ,   /* read an existing log, beside a process that appends or alone */
	IPL_STORE_APPEND, /* append to it too; made when missing; takes the lock */
};

/** The end of the log: its last seq (0: empty) and the tree's root over all of it. */
struct ipl_head {
	uint64_t seq;
	uint8_t root[IPL_ROOT_BYTES];
};

/** Records that go into the log together. Filled by ipl_batch_add(). */
struct ipl_batch {
	struct ipl_buf bytes; /* the records, one after the other */
	uint32_t *end;        /* where each ends in bytes */
	uint32_t count;
	uint32_t cap;
	uint64_t first_seq; /* of the first record; the head's seq + 1 when it is appended */
};

/** Copy a record to the end of @batch. IPL_ERR_NOMEM beyond the limits above. */
enum ipl_status ipl_batch_add(struct ipl_batch *batch, const void *record, size_t len,
			      struct ipl_error *err) IPL_MUST_USE;
/** What was appended to batch->bytes after the last record is a record too; as ipl_batch_add(). */
enum ipl_status ipl_batch_end(struct ipl_batch *batch, struct ipl_error *err) IPL_MUST_USE;
/** The record of @seq; absent where the batch does not hold it. Borrowed until the next add. */
struct ipl_str ipl_batch_get(const struct ipl_batch *batch, uint64_t seq);
/** Empty it for the next use; memory is kept. */
void ipl_batch_reset(struct ipl_batch *batch, uint64_t first_seq);
void ipl_batch_release(struct ipl_batch *batch);

/**
 * Open the log in directory @dir (made with mode 0700 when missing and @mode is APPEND).
 *
 * For APPEND the tree's frontier is built from the newest checkpoint and the
 * records after it, and the newest stored root compared with it.
 *
 * @retval IPL_ERR_BUSY     another process appends: the message names its id
 * @retval IPL_ERR_IO       no such log, no permission, a network file system, …
 * @retval IPL_ERR_CORRUPT  a format of another version, or a root that does not
 *                          follow from the records
 */
enum ipl_status ipl_store_open(const char *dir, enum ipl_store_mode mode, struct ipl_store **out,
			       struct ipl_error *err) IPL_MUST_USE;
/** Close; NULL is fine. All readers must have been closed before. */
void ipl_store_close(struct ipl_store *store);

/** Small facts that are written rarely: the format, the schema of the records. */
enum ipl_status ipl_store_get_meta(struct ipl_store *store, const char *name,
				   struct ipl_arena *arena, struct ipl_str *out,
				   struct ipl_error *err) IPL_MUST_USE;
enum ipl_status ipl_store_put_meta(struct ipl_store *store, const char *name, struct ipl_str value,
				   struct ipl_error *err) IPL_MUST_USE;

/** The durable end of the log, as this store last saw it. Any thread. For READ it looks again. */
enum ipl_status ipl_store_head(struct ipl_store *store, struct ipl_head *out,
			       struct ipl_error *err) IPL_MUST_USE;

/** The root of the log up to @seq, the last of a commit; IPL_ERR_END where no commit ends there. */
enum ipl_status ipl_store_root(struct ipl_store *store, uint64_t seq, uint8_t out[IPL_ROOT_BYTES],
			       struct ipl_error *err) IPL_MUST_USE;

/** A copy of the tree's frontier over the durable log (store/tree.h). Any thread; APPEND only. */
struct ipl_tree;
void ipl_store_tree(struct ipl_store *store, struct ipl_tree *out);

/**
 * Append @batch durably, all of it or nothing. One thread at a time; blocks
 * until the disk has it.
 *
 * @retval IPL_OK           it is on disk
 * @retval IPL_ERR_IO       nothing of it was appended; a later append may work again
 * @retval IPL_ERR_OUTCOME  it is not known whether it is on disk, and the log could
 *                          not be reopened to look; ipl_store_recover() looks again
 * @retval IPL_ERR_CORRUPT  batch->first_seq does not follow the head
 */
enum ipl_status ipl_store_append(struct ipl_store *store, const struct ipl_batch *batch,
				 struct ipl_error *err) IPL_MUST_USE;

/**
 * After IPL_ERR_OUTCOME: open the log again, and look what it came to. The head may have moved: the
 * batch that was not known about is in it or is not. Not while another thread appends.
 *
 * @retval IPL_OK           ipl_store_head() tells; also where there was nothing to look up
 * @retval IPL_ERR_OUTCOME  it cannot be opened yet
 * @retval IPL_ERR_CORRUPT  the log ends where it cannot
 */
enum ipl_status ipl_store_recover(struct ipl_store *store, struct ipl_error *err) IPL_MUST_USE;

/**
 * A thread's eye on the log. Each thread has its own; one record is borrowed
 * at a time. It holds no read transaction between calls that would pin pages
 * (the log is immutable, so nothing is lost by looking again).
 */
struct ipl_reader;
enum ipl_status ipl_reader_open(struct ipl_store *store, struct ipl_reader **out,
				struct ipl_error *err) IPL_MUST_USE;
void ipl_reader_close(struct ipl_reader *reader);
/**
 * The record of @seq, borrowed until the next call with this reader.
 * IPL_ERR_END where the log ends before; IPL_ERR_CORRUPT where it has a gap.
 */
enum ipl_status ipl_reader_get(struct ipl_reader *reader, uint64_t seq, struct ipl_str *out,
			       struct ipl_error *err) IPL_MUST_USE;
/** Called for each record in order; anything but IPL_OK ends the scan with that status. */
typedef enum ipl_status (*ipl_record_fn)(void *context, uint64_t seq, struct ipl_str record,
					 struct ipl_error *err);
/**
 * Every record from @from_seq to @to_seq (inclusive, cut to the log's end), in
 * pieces short enough not to pin pages. The record is borrowed for the call.
 */
enum ipl_status ipl_reader_scan(struct ipl_reader *reader, uint64_t from_seq, uint64_t to_seq,
				ipl_record_fn fn, void *context,
				struct ipl_error *err) IPL_MUST_USE;

/** As ipl_record_fn, for the roots of commits: @seq is the commit's last. */
enum ipl_status ipl_reader_roots(struct ipl_reader *reader, uint64_t from_seq, uint64_t to_seq,
				 ipl_record_fn fn, void *context,
				 struct ipl_error *err) IPL_MUST_USE;

/**
 * Whether an append would work: writes something that says nothing, and blocks until the disk has
 * it. Not while another thread appends. As ipl_store_append() otherwise.
 */
enum ipl_status ipl_store_probe(struct ipl_store *store, struct ipl_error *err) IPL_MUST_USE;

/** What is worth showing: "lmdb", the file's path and size, the map's size. */
struct ipl_store_stat {
	const char *kind;
	const char *path; /* borrowed for the store's life */
	uint64_t file_bytes;
	uint64_t free_bytes; /* of the file system */
	uint64_t used_bytes; /* of the file: pages that were ever used */
	uint64_t map_bytes;
	uint64_t page_bytes;
};
enum ipl_status ipl_store_stat(struct ipl_store *store, struct ipl_store_stat *out,
			       struct ipl_error *err) IPL_MUST_USE;

#endif
