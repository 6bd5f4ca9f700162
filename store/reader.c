/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the log in short transactions. Records are never changed, so a reader
 * that begins anew between two of them misses nothing.
 */
#include "store/lmdb_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_RECORDS 4096u /* of a scan, in one read transaction */

enum ipl_status ipl_reader_open(struct ipl_store *store, struct ipl_reader **out,
				struct ipl_error *err)
{
	struct ipl_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a reader");
	reader->store = store;
	pthread_rwlock_wrlock(&store->env_lock);
	reader->next = store->readers;
	store->readers = reader;
	pthread_rwlock_unlock(&store->env_lock);
	*out = reader;
	return IPL_OK;
}

void ipl_reader_close(struct ipl_reader *reader)
{
	struct ipl_reader **at;

	if (reader == NULL)
		return;
	pthread_rwlock_wrlock(&reader->store->env_lock);
	for (at = &reader->store->readers; *at != reader; at = &(*at)->next) {
	}
	*at = reader->next;
	if (reader->txn != NULL)
		mdb_txn_abort(reader->txn);
	pthread_rwlock_unlock(&reader->store->env_lock);
	ipl_buf_release(&reader->record);
	free(reader);
}

static int begin_once(struct ipl_reader *reader)
{
	struct ipl_store *store = reader->store;
	int rc;

	if (store->env == NULL)
		return MDB_PANIC;
	if (reader->txn != NULL)
		return mdb_txn_renew(reader->txn);
	rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &reader->txn);
	if (rc != 0)
		reader->txn = NULL;
	return rc;
}

/* With the store's env_lock held for reading. */
static enum ipl_status begin(struct ipl_reader *reader, struct ipl_error *err)
{
	int rc = begin_once(reader);

	if (rc == MDB_MAP_RESIZED) { /* another process appends, beyond what we mapped */
		rc = mdb_env_set_mapsize(reader->store->env, 0);
		if (rc == 0)
			rc = begin_once(reader);
	}
	return ipl_lmdb_status(reader->store, err, rc, "begin to read");
}

static enum ipl_status get_locked(struct ipl_reader *reader, uint64_t seq, struct ipl_str *out,
				  struct ipl_error *err)
{
	MDB_val key = { sizeof(seq), &seq }, value;
	enum ipl_status st = begin(reader, err);
	int rc;

	if (st != IPL_OK)
		return st;
	rc = mdb_get(reader->txn, reader->store->log, &key, &value);
	reader->record.len = 0;
	if (rc == MDB_NOTFOUND)
		st = ipl_error_set(err, IPL_ERR_END, "the log has no event %" PRIu64, seq);
	else if (rc != 0)
		st = ipl_lmdb_status(reader->store, err, rc, "read an event");
	else
		ipl_buf_append(&reader->record, value.mv_data, value.mv_size);
	mdb_txn_reset(reader->txn);
	if (st == IPL_OK && reader->record.failed) {
		reader->record.failed = false;
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an event");
	}
	*out = (struct ipl_str){ (const char *)reader->record.at, reader->record.len };
	return st;
}

enum ipl_status ipl_reader_get(struct ipl_reader *reader, uint64_t seq, struct ipl_str *out,
			       struct ipl_error *err)
{
	enum ipl_status st;

	pthread_rwlock_rdlock(&reader->store->env_lock);
	st = get_locked(reader, seq, out, err);
	pthread_rwlock_unlock(&reader->store->env_lock);
	return st;
}

/* Hand up to PIECE_RECORDS from *@next on to @fn; *@next is then what comes after. */
static enum ipl_status scan_piece(struct ipl_reader *reader, uint64_t *next, uint64_t to_seq,
				  ipl_record_fn fn, void *context, struct ipl_error *err)
{
	struct ipl_store *store = reader->store;
	enum ipl_status st = begin(reader, err);
	MDB_cursor *cursor;
	MDB_val key = { sizeof(*next), next }, value;
	MDB_cursor_op op = MDB_SET_RANGE;
	uint64_t seq = 0;
	int rc;

	if (st != IPL_OK)
		return st;
	rc = mdb_cursor_open(reader->txn, store->log, &cursor);
	if (rc != 0) {
		mdb_txn_reset(reader->txn); /* one that is not could not be renewed */
		return ipl_lmdb_status(store, err, rc, "open a cursor");
	}
	for (uint32_t i = 0; st == IPL_OK && i < PIECE_RECORDS && *next <= to_seq; i++) {
		rc = mdb_cursor_get(cursor, &key, &value, op);
		op = MDB_NEXT;
		if (rc != 0) {
			st = ipl_lmdb_status(store, err, rc, "scan the log");
			break;
		}
		memcpy(&seq, key.mv_data, sizeof(seq));
		if (seq != *next)
			st = ipl_error_set(err, IPL_ERR_CORRUPT,
					   "the log has %" PRIu64 " where %" PRIu64 " belongs", seq,
					   *next);
		else
			st = fn(context, seq, (struct ipl_str){ value.mv_data, value.mv_size },
				err);
		if (st == IPL_OK)
			++*next;
	}
	mdb_cursor_close(cursor);
	mdb_txn_reset(reader->txn);
	return st;
}

enum ipl_status ipl_reader_scan(struct ipl_reader *reader, uint64_t from_seq, uint64_t to_seq,
				ipl_record_fn fn, void *context, struct ipl_error *err)
{
	struct ipl_error end = IPL_ERROR_INIT(err->arena);
	enum ipl_status st = IPL_OK;
	uint64_t next = from_seq;

	while (st == IPL_OK && next <= to_seq) {
		pthread_rwlock_rdlock(&reader->store->env_lock);
		st = scan_piece(reader, &next, to_seq, fn, context, &end);
		pthread_rwlock_unlock(&reader->store->env_lock);
	}
	if (st == IPL_ERR_END)
		return IPL_OK; /* the log's end came before @to_seq */
	if (st != IPL_OK)
		*err = end;
	return st;
}

/* --- roots --- */

/* Up to PIECE_RECORDS roots from *@next on; *@next is then what comes after, 0 at the end. */
static enum ipl_status roots_piece(struct ipl_reader *reader, uint64_t *next, uint64_t to_seq,
				   ipl_record_fn fn, void *context, struct ipl_error *err)
{
	struct ipl_store *store = reader->store;
	enum ipl_status st = begin(reader, err);
	MDB_cursor *cursor;
	MDB_val key = { sizeof(*next), next }, value;
	MDB_cursor_op op = MDB_SET_RANGE;
	uint64_t seq = *next;
	int rc;

	if (st != IPL_OK)
		return st;
	rc = mdb_cursor_open(reader->txn, store->roots, &cursor);
	if (rc != 0) {
		mdb_txn_reset(reader->txn); /* one that is not could not be renewed */
		return ipl_lmdb_status(store, err, rc, "open a cursor");
	}
	key.mv_data = &seq;
	for (uint32_t i = 0; st == IPL_OK && i < PIECE_RECORDS; i++) {
		rc = mdb_cursor_get(cursor, &key, &value, op);
		op = MDB_NEXT;
		if (rc == 0)
			memcpy(&seq, key.mv_data, sizeof(seq));
		*next = 0;
		if (rc == MDB_NOTFOUND || (rc == 0 && seq > to_seq))
			break;
		st = rc != 0 ? ipl_lmdb_status(store, err, rc, "scan the roots") :
			       fn(context, seq, (struct ipl_str){ value.mv_data, value.mv_size },
				  err);
		*next = seq + 1;
	}
	mdb_cursor_close(cursor);
	mdb_txn_reset(reader->txn);
	return st;
}

enum ipl_status ipl_reader_roots(struct ipl_reader *reader, uint64_t from_seq, uint64_t to_seq,
				 ipl_record_fn fn, void *context, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;
	uint64_t next = from_seq;

	while (st == IPL_OK && next != 0 && next <= to_seq) {
		pthread_rwlock_rdlock(&reader->store->env_lock);
		st = roots_piece(reader, &next, to_seq, fn, context, err);
		pthread_rwlock_unlock(&reader->store->env_lock);
	}
	return st;
}
