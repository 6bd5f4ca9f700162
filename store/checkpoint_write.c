/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a checkpoint: an environment of its own, filled in the order of keys
 * (MDB_APPEND), in transactions that LMDB does not sync; then synced, closed,
 * given its trailer, synced again, and named. Who dies before leaves a file of
 * another name behind.
 */
#include "store/checkpoint_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TMP_SUFFIX       ".tmp"
#define MAP_BYTES_WANTED ((size_t)1 << 40) /* address space only */
#define MAP_BYTES_LEAST  ((size_t)1 << 28)
/* Of one transaction: its pages are in memory, and reach the disk together. */
#define TXN_BYTES_MAX ((size_t)16 << 20)

struct ipl_checkpoint_writer {
	struct ipl_checkpoints *set;
	uint64_t seq;
	char path[4096]; /* before it is named */
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table[IPL_TABLE_COUNT];
	MDB_cursor *cursor[IPL_TABLE_COUNT];
	size_t txn_bytes;
};

static enum ipl_status failed(const struct ipl_checkpoint_writer *writer, struct ipl_error *err,
			      int rc, const char *doing)
{
	struct statvfs fs;
	bool full = (rc == EIO || rc == ENOSPC) && statvfs(writer->set->dir, &fs) == 0 &&
		    fs.f_bavail < 256;

	return ipl_error_set(err, rc == ENOMEM ? IPL_ERR_NOMEM : IPL_ERR_IO, "%.300s: %s: %s",
			     writer->path, doing, full ? "the disk is full" : mdb_strerror(rc));
}

static int begin_txn(struct ipl_checkpoint_writer *writer)
{
	int rc = mdb_txn_begin(writer->env, NULL, 0, &writer->txn);

	if (rc != 0)
		writer->txn = NULL;
	for (int i = 0; rc == 0 && i < IPL_TABLE_COUNT; i++) {
		rc = mdb_dbi_open(writer->txn, ipl_table_names[i], MDB_CREATE, &writer->table[i]);
		if (rc == 0)
			rc = mdb_cursor_open(writer->txn, writer->table[i], &writer->cursor[i]);
	}
	writer->txn_bytes = 0;
	return rc;
}

static int commit_txn(struct ipl_checkpoint_writer *writer)
{
	int rc = mdb_txn_commit(writer->txn); /* its cursors go with it */

	writer->txn = NULL;
	return rc;
}

static int open_env(struct ipl_checkpoint_writer *writer)
{
	int rc = ENOMEM;

	for (size_t map = MAP_BYTES_WANTED; map >= MAP_BYTES_LEAST; map /= 4) {
		rc = mdb_env_create(&writer->env);
		if (rc != 0)
			return rc;
		mdb_env_set_maxdbs(writer->env, IPL_TABLE_COUNT);
		rc = mdb_env_set_mapsize(writer->env, map);
		if (rc == 0)
			rc = mdb_env_open(writer->env, writer->path,
					  MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK | MDB_NOTLS, 0600);
		if (rc == 0)
			return 0;
		mdb_env_close(writer->env);
		writer->env = NULL;
		if (rc != ENOMEM && rc != EINVAL)
			break;
	}
	return rc;
}

enum ipl_status ipl_checkpoint_write_begin(struct ipl_checkpoints *set, uint64_t seq,
					   struct ipl_checkpoint_writer **out,
					   struct ipl_error *err)
{
	struct ipl_checkpoint_writer *writer = calloc(1, sizeof(*writer));
	enum ipl_status st = IPL_OK;
	int rc;

	if (writer == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a checkpoint");
	writer->set = set;
	writer->seq = seq;
	if (!ipl_checkpoint_path(set, seq, TMP_SUFFIX, writer->path))
		st = ipl_error_set(err, IPL_ERR_IO, "%.300s: the path is too long", set->dir);
	else if ((mkdir(set->dir, 0700) != 0 && errno != EEXIST) ||
		 (unlink(writer->path) != 0 && errno != ENOENT))
		st = ipl_error_set(err, IPL_ERR_IO, "%.300s: %s", set->dir, strerror(errno));
	if (st == IPL_OK) {
		rc = open_env(writer);
		if (rc == 0)
			rc = begin_txn(writer);
		if (rc != 0)
			st = failed(writer, err, rc, "begin");
	}
	if (st != IPL_OK) {
		ipl_checkpoint_write_abort(writer);
		return st;
	}
	*out = writer;
	return IPL_OK;
}

static void close_env(struct ipl_checkpoint_writer *writer)
{
	if (writer->txn != NULL)
		mdb_txn_abort(writer->txn);
	writer->txn = NULL;
	if (writer->env != NULL)
		mdb_env_close(writer->env);
	writer->env = NULL;
}

void ipl_checkpoint_write_abort(struct ipl_checkpoint_writer *writer)
{
	if (writer == NULL)
		return;
	close_env(writer);
	if (writer->path[0] != '\0')
		(void)unlink(writer->path); /* else it goes at the next start */
	free(writer);
}

enum ipl_status ipl_checkpoint_write(struct ipl_checkpoint_writer *writer,
				     enum ipl_table_name table, struct ipl_key key,
				     struct ipl_str value, struct ipl_error *err)
{
	uint8_t bytes[IPL_ROW_KEY_BYTES];
	MDB_val name = { sizeof(bytes), bytes };
	MDB_val data = { value.len, (void *)(uintptr_t)value.at };
	int rc = 0;

	ipl_row_key_pack(key, bytes);
	if (writer->txn_bytes > TXN_BYTES_MAX) {
		rc = commit_txn(writer);
		if (rc == 0)
			rc = mdb_env_sync(writer->env, 1); /* piece by piece: others sync too */
		if (rc == 0)
			rc = begin_txn(writer);
	}
	if (rc == 0)
		rc = mdb_cursor_put(writer->cursor[table], &name, &data, MDB_APPEND);
	if (rc == MDB_KEYEXIST)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "%.300s: entries are out of order",
				     writer->path);
	writer->txn_bytes += sizeof(bytes) + value.len;
	return rc == 0 ? IPL_OK : failed(writer, err, rc, "write");
}

/* --- the end --- */

/* The file is whole and closed: its trailer, and its name. */
static enum ipl_status add_trailer(struct ipl_checkpoint_writer *writer,
				   const struct ipl_checkpoint_head *head, uint64_t *file_bytes,
				   struct ipl_error *err)
{
	uint8_t trailer[IPL_TRAILER_BYTES], hash[16];
	int fd = open(writer->path, O_RDWR | O_CLOEXEC);
	off_t bytes = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	enum ipl_status st = IPL_OK;
	ssize_t written;

	if (bytes < 0)
		st = failed(writer, err, errno, "open it again");
	if (st == IPL_OK)
		st = ipl_file_hash(fd, (uint64_t)bytes, hash, err);
	if (st == IPL_OK) {
		ipl_trailer_pack(head, (uint64_t)bytes, hash, trailer);
		written = pwrite(fd, trailer, sizeof(trailer), bytes);
		if (written != (ssize_t)sizeof(trailer) || fsync(fd) != 0)
			st = failed(writer, err, written >= 0 && errno == 0 ? EIO : errno,
				    "write its end");
	}
	if (fd >= 0)
		close(fd);
	*file_bytes = (uint64_t)bytes + sizeof(trailer);
	return st;
}

static enum ipl_status give_name(struct ipl_checkpoint_writer *writer, struct ipl_error *err)
{
	char path[4096];
	int fd;
	bool done;

	if (!ipl_checkpoint_path(writer->set, writer->seq, "", path) ||
	    rename(writer->path, path) != 0)
		return failed(writer, err, errno, "name it");
	writer->path[0] = '\0';
	fd = open(writer->set->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	done = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return done ? IPL_OK : ipl_error_set(err, IPL_ERR_IO, "%.300s: %s", path, strerror(errno));
}

static enum ipl_status put_in_set(struct ipl_checkpoint_writer *writer, uint64_t bytes,
				  struct ipl_error *err)
{
	const struct ipl_checkpoint_entry entry = { .seq = writer->seq, .bytes = bytes };
	enum ipl_status st;

	pthread_mutex_lock(&writer->set->lock);
	st = ipl_checkpoints_add(writer->set, &entry, err);
	pthread_mutex_unlock(&writer->set->lock);
	return st;
}

enum ipl_status ipl_checkpoint_write_commit(struct ipl_checkpoint_writer *writer,
					    const struct ipl_checkpoint_head *head,
					    struct ipl_error *err)
{
	uint64_t bytes = 0;
	enum ipl_status st = IPL_OK;
	int rc = commit_txn(writer);

	if (rc == 0)
		rc = mdb_env_sync(writer->env, 1);
	if (rc != 0)
		st = failed(writer, err, rc, "sync");
	close_env(writer);
	errno = 0;
	if (st == IPL_OK)
		st = add_trailer(writer, head, &bytes, err);
	if (st == IPL_OK)
		st = give_name(writer, err);
	if (st == IPL_OK)
		st = put_in_set(writer, bytes, err);
	ipl_checkpoint_write_abort(writer);
	return st;
}
