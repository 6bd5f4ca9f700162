/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log is made under another name and gets its own when it is whole and on the disk: who dies
 * before leaves no log, and never a file that is none.
 */
#include "store/lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_BYTES ((size_t)1 << 20) /* while it is made; who opens it maps more */

/* The tables, all of them empty, and what format it is. */
static int fill(MDB_env *env)
{
	char name[] = "format", format[] = IPL_LOG_FORMAT;
	MDB_val key = { sizeof(name) - 1, name }, value = { sizeof(format) - 1, format };
	MDB_dbi table;
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, "log", MDB_CREATE | MDB_INTEGERKEY, &table);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "roots", MDB_CREATE | MDB_INTEGERKEY, &table);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "meta", MDB_CREATE, &table);
	if (rc == 0)
		rc = mdb_put(txn, table, &key, &value, 0);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn); /* it syncs the file */
}

static int make_file(const char *path)
{
	MDB_env *env;
	int rc = mdb_env_create(&env);

	if (rc != 0)
		return rc;
	mdb_env_set_maxdbs(env, 3);
	rc = mdb_env_set_mapsize(env, MAP_BYTES);
	if (rc == 0)
		rc = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, 0600);
	if (rc == 0)
		rc = fill(env);
	mdb_env_close(env);
	return rc;
}

static enum ipl_status sync_dir(const struct ipl_store *store, struct ipl_error *err)
{
	int fd = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool failed = fd < 0 || fsync(fd) != 0;
	enum ipl_status st =
		failed ? ipl_error_set(err, IPL_ERR_IO, "%s: %s", store->dir, strerror(errno)) :
			 IPL_OK;

	if (fd >= 0)
		close(fd);
	return st;
}

enum ipl_status ipl_log_create(const struct ipl_store *store, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;
	struct stat file;
	char *path;
	int rc;

	if (stat(store->path, &file) == 0 && file.st_size > 0)
		return IPL_OK;
	if (asprintf(&path, "%s.new", store->path) < 0)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a store");
	if (unlink(path) != 0 && errno != ENOENT)
		st = ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	if (st == IPL_OK) {
		rc = make_file(path);
		if (rc != 0)
			st = ipl_lmdb_status(store, err, rc, "make the log");
	}
	if (st == IPL_OK && rename(path, store->path) != 0)
		st = ipl_error_set(err, IPL_ERR_IO, "%s: %s", store->path, strerror(errno));
	if (st == IPL_OK)
		st = sync_dir(store, err);
	else
		(void)unlink(path); /* else it goes when it is tried again */
	free(path);
	return st;
}
