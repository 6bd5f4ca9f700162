/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded store: one LMDB environment.
 *
 *   log    seq (host order, MDB_INTEGERKEY) -> record
 *   roots  last seq of a commit             -> root of the tree so far, 32 bytes
 *   meta   name                             -> bytes; `format` says IPL_LOG_FORMAT
 *
 * Durability is LMDB's default: a commit returns when data and meta page are on
 * the disk. Nothing is ever deleted, so no page is ever reused and readers pin
 * nothing. What is done where a write fails stands at append_failed().
 */
#include "store/checkpoint.h"
#include "store/lmdb_internal.h"
#include "store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAP_BYTES_WANTED ((size_t)1 << 40) /* address space only */
#define MAP_BYTES_LEAST  ((size_t)1 << 30)
#define READERS_MAX      512u
/* A larger file whose last user ended well is not walked at each start. */
#define STRUCTURE_BYTES_MAX ((off_t)256 << 20)

static enum ipl_status io_error(const struct ipl_store *store, struct ipl_error *err, int rc,
				const char *doing)
{
	struct statvfs fs;
	bool full =
		(rc == EIO || rc == ENOSPC) && statvfs(store->dir, &fs) == 0 && fs.f_bavail < 256;

	return ipl_error_set(err, IPL_ERR_IO, "%s: %s: %s", store->path, doing,
			     full ? "the disk is full" : mdb_strerror(rc));
}

enum ipl_status ipl_lmdb_status(const struct ipl_store *store, struct ipl_error *err, int rc,
				const char *doing)
{
	switch (rc) {
	case 0:
		return IPL_OK;
	case MDB_NOTFOUND:
		return ipl_error_set(err, IPL_ERR_END, "%s: %s: there is none", store->path, doing);
	case MDB_KEYEXIST:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_BAD_VALSIZE:
		return ipl_error_set(err, IPL_ERR_CORRUPT, "%s: %s: %s", store->path, doing,
				     mdb_strerror(rc));
	case ENOMEM:
		return ipl_error_set(err, IPL_ERR_NOMEM, "%s: %s: out of memory", store->path,
				     doing);
	default:
		return io_error(store, err, rc, doing);
	}
}

/* --- opening --- */

static int open_env(struct ipl_store *store, size_t map_bytes)
{
	unsigned int flags = MDB_NOSUBDIR | MDB_NOTLS;
	int rc;

	/* A reader writes the lock file only; without leave for that it reads without. */
	if (store->mode == IPL_STORE_READ)
		flags |= MDB_RDONLY | (access(store->dir, W_OK) == 0 ? 0 : MDB_NOLOCK);
	rc = mdb_env_create(&store->env);
	if (rc != 0)
		return rc;
	mdb_env_set_maxdbs(store->env, 3);
	mdb_env_set_maxreaders(store->env, READERS_MAX);
	rc = mdb_env_set_mapsize(store->env, map_bytes);
	if (rc == 0)
		rc = mdb_env_open(store->env, store->path, flags, 0600);
	if (rc != 0) {
		mdb_env_close(store->env);
		store->env = NULL;
	}
	return rc;
}

static int open_dbis(struct ipl_store *store)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, "log", MDB_INTEGERKEY, &store->log);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "roots", MDB_INTEGERKEY, &store->roots);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "meta", 0, &store->meta);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn); /* only then do the handles live on */
}

enum ipl_status ipl_lmdb_env_open(struct ipl_store *store, struct ipl_error *err)
{
	size_t map_bytes = MAP_BYTES_WANTED;
	int rc;

	for (;; map_bytes /= 4) {
		rc = open_env(store, map_bytes);
		if ((rc != ENOMEM && rc != EINVAL) || map_bytes / 4 < MAP_BYTES_LEAST)
			break;
	}
	if (rc == ENOENT)
		return ipl_error_set(err, IPL_ERR_IO, "there is no ledger in %s", store->dir);
	if (rc != 0)
		return ipl_lmdb_status(store, err, rc, "open");
	store->map_bytes = map_bytes;
	rc = open_dbis(store);
	if (rc != 0) {
		mdb_env_close(store->env);
		store->env = NULL;
		if (rc == MDB_NOTFOUND)
			return ipl_error_set(err, IPL_ERR_CORRUPT, "%s holds no ledger",
					     store->path);
		return ipl_lmdb_status(store, err, rc, "open the tables");
	}
	return IPL_OK;
}

static enum ipl_status make_dir(const char *dir, struct ipl_error *err)
{
	char path[4096];
	size_t len = strlen(dir);

	if (len == 0 || len >= sizeof(path))
		return ipl_error_set(err, IPL_ERR_IO, "\"%s\" cannot be a directory", dir);
	memcpy(path, dir, len + 1);
	for (char *at = path + 1;; at++) {
		char was = *at;
		if (was != '/' && was != '\0')
			continue;
		*at = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
		*at = was;
		if (was == '\0')
			return IPL_OK;
	}
}

static enum ipl_status check_format(struct ipl_store *store, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_str format;
	enum ipl_status st;

	ipl_arena_init(&arena, 4096);
	st = ipl_store_get_meta(store, "format", &arena, &format, err);
	if (st == IPL_ERR_END)
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "%s does not say its format", store->path);
	else if (st == IPL_OK && !ipl_str_is(format, IPL_LOG_FORMAT))
		st = ipl_error_set(err, IPL_ERR_CORRUPT,
				   "%s has the format \"%.*s\", this program reads "
				   "\"" IPL_LOG_FORMAT "\"",
				   store->path, IPL_STR_ARG(format));
	ipl_arena_release(&arena);
	return st;
}

/* The last key of @dbi and its value; IPL_ERR_END where it is empty. */
static enum ipl_status last_entry(struct ipl_store *store, MDB_txn *txn, MDB_dbi dbi, uint64_t *seq,
				  MDB_val *value, struct ipl_error *err)
{
	MDB_cursor *cursor;
	MDB_val key;
	int rc = mdb_cursor_open(txn, dbi, &cursor);

	if (rc != 0)
		return ipl_lmdb_status(store, err, rc, "open a cursor");
	rc = mdb_cursor_get(cursor, &key, value, MDB_LAST);
	mdb_cursor_close(cursor);
	if (rc != 0)
		return ipl_lmdb_status(store, err, rc, "read the last entry");
	if (key.mv_size != sizeof(*seq))
		return ipl_error_set(err, IPL_ERR_CORRUPT, "%s: a key of %zu bytes", store->path,
				     key.mv_size);
	memcpy(seq, key.mv_data, sizeof(*seq));
	return IPL_OK;
}

/* The head as the file has it. */
static enum ipl_status read_head(struct ipl_store *store, struct ipl_head *out,
				 struct ipl_error *err)
{
	uint64_t log_seq = 0, root_seq = 0;
	MDB_val value;
	MDB_stat stat;
	MDB_txn *txn;
	enum ipl_status st;
	int rc;

	if (store->env == NULL)
		return ipl_error_set(err, IPL_ERR_IO, "%s is not open", store->path);
	rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
	if (rc == MDB_MAP_RESIZED && mdb_env_set_mapsize(store->env, 0) == 0)
		rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return ipl_lmdb_status(store, err, rc, "begin to read");
	memset(out, 0, sizeof(*out));
	st = last_entry(store, txn, store->log, &log_seq, &value, err);
	if (st == IPL_OK)
		st = last_entry(store, txn, store->roots, &root_seq, &value, err);
	if (st == IPL_ERR_END && log_seq == 0) { /* nothing yet */
		const struct ipl_tree none = { 0 };
		ipl_tree_root(&none, out->root);
		st = IPL_OK;
	} else if (st == IPL_OK && (value.mv_size != IPL_ROOT_BYTES || root_seq != log_seq)) {
		st = ipl_error_set(err, IPL_ERR_CORRUPT,
				   "%s: the log ends at %" PRIu64 ", its roots at %" PRIu64,
				   store->path, log_seq, root_seq);
	} else if (st == IPL_OK) {
		memcpy(out->root, value.mv_data, IPL_ROOT_BYTES);
		out->seq = log_seq;
	}
	rc = mdb_stat(txn, store->log, &stat);
	if (st == IPL_OK && rc == 0 && stat.ms_entries != log_seq)
		st = ipl_error_set(err, IPL_ERR_CORRUPT,
				   "%s: %zu records, but the last is %" PRIu64, store->path,
				   stat.ms_entries, log_seq);
	mdb_txn_abort(txn);
	return st;
}

static void set_head(struct ipl_store *store, const struct ipl_head *head,
		     const struct ipl_tree *tree)
{
	pthread_mutex_lock(&store->head_lock);
	store->head = *head;
	if (tree != NULL)
		store->tree = *tree;
	pthread_mutex_unlock(&store->head_lock);
}

static enum ipl_status add_leaf(void *context, uint64_t seq, struct ipl_str record,
				struct ipl_error *err)
{
	(void)seq;
	(void)err;
	ipl_tree_add(context, record);
	return IPL_OK;
}

/* The frontier that a checkpoint has, if any: its root is one of the log's own. */
static enum ipl_status begin_tree(struct ipl_store *store, struct ipl_error *err)
{
	struct ipl_checkpoints *set;
	enum ipl_status st = ipl_checkpoints_open(store, NULL, NULL, &set, err);

	if (st != IPL_OK)
		return st;
	(void)ipl_checkpoints_frontier(set, store->head.seq, &store->tree); /* or the empty one */
	ipl_checkpoints_close(set);
	return IPL_OK;
}

/* The frontier, and all records after it; the newest root must follow from them. */
static enum ipl_status build_tree(struct ipl_store *store, struct ipl_error *err)
{
	struct ipl_reader *reader;
	uint8_t root[IPL_ROOT_BYTES];
	enum ipl_status st = begin_tree(store, err);

	if (st == IPL_OK)
		st = ipl_reader_open(store, &reader, err);
	if (st != IPL_OK)
		return st;
	st = ipl_reader_scan(reader, store->tree.size + 1, store->head.seq, add_leaf, &store->tree,
			     err);
	ipl_reader_close(reader);
	if (st != IPL_OK)
		return st;
	ipl_tree_root(&store->tree, root);
	if (store->tree.size != store->head.seq ||
	    memcmp(root, store->head.root, IPL_ROOT_BYTES) != 0)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "%s: the root at %" PRIu64
				     " does not follow from the records before it",
				     store->path, store->head.seq);
	return IPL_OK;
}

/*
 * LMDB crashes on some damage, so nothing of a file is given to it that was not looked at. A large
 * one that was closed in order is not looked at again: it takes as long as to read it.
 */
static enum ipl_status check_structure(struct ipl_store *store, struct ipl_error *err)
{
	struct stat file;
	enum ipl_status st;

	if (store->ended_well && stat(store->path, &file) == 0 &&
	    file.st_size > STRUCTURE_BYTES_MAX)
		return IPL_OK;
	st = ipl_pages_check(store->path, err);
	return st == IPL_ERR_END ? IPL_OK : st; /* there is none yet, or nothing in it */
}

static enum ipl_status open_all(struct ipl_store *store, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	if (store->mode == IPL_STORE_APPEND) {
		st = make_dir(store->dir, err);
		if (st == IPL_OK)
			st = ipl_lock_check_dir(store->dir, err);
		if (st == IPL_OK)
			st = ipl_lock_take(store, err);
	} else {
		ipl_lock_look(store);
	}
	if (st == IPL_OK)
		st = check_structure(store, err);
	if (st == IPL_OK && store->mode == IPL_STORE_APPEND)
		st = ipl_log_create(store, err);
	if (st == IPL_OK)
		st = ipl_lmdb_env_open(store, err);
	if (st == IPL_OK)
		st = read_head(store, &store->head, err);
	if (st == IPL_OK)
		st = check_format(store, err);
	if (st == IPL_OK && store->mode == IPL_STORE_APPEND)
		st = build_tree(store, err);
	store->is_sound = st == IPL_OK;
	return st;
}

enum ipl_status ipl_store_open(const char *dir, enum ipl_store_mode mode, struct ipl_store **out,
			       struct ipl_error *err)
{
	struct ipl_store *store = calloc(1, sizeof(*store));
	enum ipl_status st;

	if (store == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a store");
	store->mode = mode;
	store->lock_fd = -1;
	pthread_rwlock_init(&store->env_lock, NULL);
	pthread_mutex_init(&store->head_lock, NULL);
	store->dir = strdup(dir);
	if (store->dir == NULL || asprintf(&store->path, "%s/log.mdb", dir) < 0)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a store");
	else
		st = open_all(store, err);
	if (st != IPL_OK) {
		ipl_store_close(store);
		return st;
	}
	*out = store;
	return IPL_OK;
}

void ipl_store_close(struct ipl_store *store)
{
	if (store == NULL)
		return;
	if (store->env != NULL)
		mdb_env_close(store->env);
	if (store->lock_fd >= 0)
		ipl_lock_release(store);
	pthread_rwlock_destroy(&store->env_lock);
	pthread_mutex_destroy(&store->head_lock);
	free(store->path);
	free(store->dir);
	free(store);
}

/* --- small facts --- */

enum ipl_status ipl_store_get_meta(struct ipl_store *store, const char *name,
				   struct ipl_arena *arena, struct ipl_str *out,
				   struct ipl_error *err)
{
	MDB_val key = { strlen(name), (void *)(uintptr_t)name }, value;
	enum ipl_status st = IPL_OK;
	MDB_txn *txn;
	int rc;

	pthread_rwlock_rdlock(&store->env_lock);
	rc = store->env == NULL ? EIO : mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0) {
		st = ipl_lmdb_status(store, err, rc, "begin to read");
	} else {
		rc = mdb_get(txn, store->meta, &key, &value);
		if (rc != 0)
			st = ipl_lmdb_status(store, err, rc, name);
		else
			*out = ipl_arena_str(arena,
					     (struct ipl_str){ value.mv_data, value.mv_size });
		mdb_txn_abort(txn);
	}
	pthread_rwlock_unlock(&store->env_lock);
	if (st == IPL_OK && arena->failed)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for %s", name);
	return st;
}

enum ipl_status ipl_store_put_meta(struct ipl_store *store, const char *name, struct ipl_str value,
				   struct ipl_error *err)
{
	MDB_val key = { strlen(name), (void *)(uintptr_t)name };
	MDB_val data = { value.len, (void *)(uintptr_t)value.at };
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc != 0)
		return ipl_lmdb_status(store, err, rc, "begin to write");
	rc = mdb_put(txn, store->meta, &key, &data, 0);
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	else
		mdb_txn_abort(txn);
	return ipl_lmdb_status(store, err, rc, name);
}

/* --- the head --- */

enum ipl_status ipl_store_head(struct ipl_store *store, struct ipl_head *out, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	if (store->mode == IPL_STORE_READ) {
		struct ipl_head head;
		pthread_rwlock_rdlock(&store->env_lock);
		st = read_head(store, &head, err);
		pthread_rwlock_unlock(&store->env_lock);
		if (st != IPL_OK)
			return st;
		set_head(store, &head, NULL);
	}
	pthread_mutex_lock(&store->head_lock);
	*out = store->head;
	pthread_mutex_unlock(&store->head_lock);
	return st;
}

enum ipl_status ipl_store_root(struct ipl_store *store, uint64_t seq, uint8_t out[IPL_ROOT_BYTES],
			       struct ipl_error *err)
{
	MDB_val key = { sizeof(seq), &seq }, value;
	enum ipl_status st = IPL_OK;
	MDB_txn *txn;
	int rc;

	pthread_rwlock_rdlock(&store->env_lock);
	rc = store->env == NULL ? EIO : mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0) {
		st = ipl_lmdb_status(store, err, rc, "begin to read");
	} else {
		rc = mdb_get(txn, store->roots, &key, &value);
		if (rc != 0)
			st = ipl_lmdb_status(store, err, rc, "read a root");
		else if (value.mv_size != IPL_ROOT_BYTES)
			st = ipl_error_set(err, IPL_ERR_CORRUPT, "%s: a root of %zu bytes",
					   store->path, value.mv_size);
		else
			memcpy(out, value.mv_data, IPL_ROOT_BYTES);
		mdb_txn_abort(txn);
	}
	pthread_rwlock_unlock(&store->env_lock);
	return st;
}

void ipl_store_tree(struct ipl_store *store, struct ipl_tree *out)
{
	pthread_mutex_lock(&store->head_lock);
	*out = store->tree;
	pthread_mutex_unlock(&store->head_lock);
}

/* --- appending --- */

static int put_records(struct ipl_store *store, MDB_txn *txn, const struct ipl_batch *batch)
{
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, store->log, &cursor);

	for (uint32_t i = 0; rc == 0 && i < batch->count; i++) {
		uint64_t seq = batch->first_seq + i;
		struct ipl_str record = ipl_batch_get(batch, seq);
		MDB_val key = { sizeof(seq), &seq };
		MDB_val value = { record.len, (void *)(uintptr_t)record.at };
		rc = mdb_cursor_put(cursor, &key, &value, MDB_APPEND);
	}
	return rc; /* the cursor goes with the transaction */
}

static int put_root(struct ipl_store *store, MDB_txn *txn, const struct ipl_head *head)
{
	uint64_t seq = head->seq;
	MDB_val key = { sizeof(seq), &seq };
	MDB_val value = { IPL_ROOT_BYTES, (void *)(uintptr_t)head->root };

	return mdb_put(txn, store->roots, &key, &value, MDB_APPEND);
}

static int write_batch(struct ipl_store *store, const struct ipl_batch *batch,
		       const struct ipl_head *head)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = put_records(store, txn, batch);
	if (rc == 0)
		rc = put_root(store, txn, head);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/* LMDB gives up where it could not write a meta page, and nowhere else. */
static bool has_given_up(struct ipl_store *store)
{
	MDB_txn *txn;
	int rc = store->env == NULL ? 0 : mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

	if (rc == 0 && store->env != NULL)
		mdb_txn_abort(txn);
	return rc == MDB_PANIC;
}

/* Close the environment and open it again, with no reader inside. */
static enum ipl_status reopen(struct ipl_store *store, struct ipl_head *found,
			      struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	pthread_rwlock_wrlock(&store->env_lock);
	store->is_torn = store->is_torn || has_given_up(store);
	for (struct ipl_reader *reader = store->readers; reader != NULL; reader = reader->next) {
		if (reader->txn != NULL)
			mdb_txn_abort(reader->txn); /* it must not outlive its environment */
		reader->txn = NULL;
	}
	if (store->env != NULL)
		mdb_env_close(store->env);
	store->env = NULL;
	if (store->is_torn)
		st = ipl_pages_mend(store->path, err);
	store->is_torn = st != IPL_OK;
	if (st == IPL_OK)
		st = ipl_lmdb_env_open(store, err);
	if (st == IPL_OK)
		st = read_head(store, found, err);
	pthread_rwlock_unlock(&store->env_lock);
	return st;
}

/*
 * A write failed. Linux may have dropped the pages that it could not write, and
 * after a failed meta page LMDB itself gives up, so the file is looked at anew:
 * either the whole batch is in it (the root says so) or nothing of it.
 */
static enum ipl_status look_up(struct ipl_store *store, bool *is_there, struct ipl_error *err)
{
	struct ipl_error second = IPL_ERROR_INIT(NULL);
	struct ipl_head found;

	if (reopen(store, &found, &second) != IPL_OK)
		return ipl_error_set(err, IPL_ERR_OUTCOME,
				     "it is not known whether events up to %" PRIu64
				     " are on disk: %.400s",
				     store->wanted.seq, second.text);
	*is_there = found.seq == store->wanted.seq &&
		    memcmp(found.root, store->wanted.root, IPL_ROOT_BYTES) == 0;
	if (*is_there)
		set_head(store, &store->wanted, &store->wanted_tree);
	else if (found.seq != store->head.seq ||
		 memcmp(found.root, store->head.root, IPL_ROOT_BYTES) != 0)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "%s: after a failed write the log ends at %" PRIu64
				     ", not at %" PRIu64,
				     store->path, found.seq, store->head.seq);
	store->suspect = false;
	return IPL_OK;
}

static enum ipl_status append_failed(struct ipl_store *store, const struct ipl_head *wanted,
				     const struct ipl_tree *tree, struct ipl_error *err)
{
	struct ipl_error second = IPL_ERROR_INIT(NULL);
	bool is_there = false;
	enum ipl_status st;

	store->suspect = true;
	store->wanted = *wanted;
	store->wanted_tree = *tree;
	st = look_up(store, &is_there, &second);
	if (st != IPL_OK)
		return ipl_error_set(err, st, "%s", second.text);
	return is_there ? IPL_OK : err->status; /* why it is not there stands in the error */
}

enum ipl_status ipl_store_recover(struct ipl_store *store, struct ipl_error *err)
{
	bool is_there;

	return store->suspect ? look_up(store, &is_there, err) : IPL_OK;
}

enum ipl_status ipl_store_append(struct ipl_store *store, const struct ipl_batch *batch,
				 struct ipl_error *err)
{
	struct ipl_tree tree = store->tree;
	struct ipl_head head;
	enum ipl_status st;
	int rc;

	if (batch->count == 0)
		return IPL_OK;
	st = ipl_store_recover(store, err);
	if (st != IPL_OK)
		return st;
	if (batch->first_seq != store->head.seq + 1)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "a batch begins at %" PRIu64 ", the log ends at %" PRIu64,
				     batch->first_seq, store->head.seq);
	for (uint32_t i = 0; i < batch->count; i++)
		ipl_tree_add(&tree, ipl_batch_get(batch, batch->first_seq + i));
	head.seq = batch->first_seq + batch->count - 1;
	ipl_tree_root(&tree, head.root);

	pthread_rwlock_rdlock(&store->env_lock);
	rc = write_batch(store, batch, &head);
	pthread_rwlock_unlock(&store->env_lock);
	if (rc != 0) {
		st = ipl_lmdb_status(store, err, rc, "append");
		return st == IPL_ERR_CORRUPT ? st : append_failed(store, &head, &tree, err);
	}
	set_head(store, &head, &tree);
	return IPL_OK;
}

enum ipl_status ipl_store_probe(struct ipl_store *store, struct ipl_error *err)
{
	struct ipl_error second = IPL_ERROR_INIT(NULL);
	enum ipl_status st = ipl_store_recover(store, err);

	if (st != IPL_OK)
		return st;
	pthread_rwlock_rdlock(&store->env_lock);
	st = ipl_store_put_meta(store, "probe", IPL_STR("1"), err);
	pthread_rwlock_unlock(&store->env_lock);
	if (st == IPL_OK)
		return IPL_OK;
	store->suspect = true; /* as after an append, of which nothing was wanted */
	store->wanted = store->head;
	store->wanted_tree = store->tree;
	(void)!ipl_store_recover(store, &second); /* else the next one does it */
	return st;
}

enum ipl_status ipl_store_stat(struct ipl_store *store, struct ipl_store_stat *out,
			       struct ipl_error *err)
{
	struct stat file;
	struct statvfs fs;
	MDB_envinfo info = { 0 };
	MDB_stat pages = { 0 };

	if (stat(store->path, &file) != 0 || statvfs(store->dir, &fs) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", store->path, strerror(errno));
	pthread_rwlock_rdlock(&store->env_lock);
	/* Both fail only where there is no environment: then nothing is mapped. */
	(void)mdb_env_info(store->env, &info);
	(void)mdb_env_stat(store->env, &pages);
	pthread_rwlock_unlock(&store->env_lock);
	*out = (struct ipl_store_stat){
		.kind = "lmdb",
		.path = store->path,
		.file_bytes = (uint64_t)file.st_size,
		.free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize,
		.used_bytes = ((uint64_t)info.me_last_pgno + 1) * pages.ms_psize,
		.map_bytes = info.me_mapsize,
		.page_bytes = pages.ms_psize,
	};
	return IPL_OK;
}
