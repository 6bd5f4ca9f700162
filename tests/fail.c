/* SPDX-License-Identifier: Apache-2.0 */
/* What --wrap puts in the place of others. */
#include "tests/fail.h"

#include <lmdb.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

static atomic_int kind, calls, wanted, error_code, happened;

void fail_at(enum fail_kind which, int n, int error)
{
	atomic_store(&kind, FAIL_NONE);
	atomic_store(&calls, 0);
	atomic_store(&wanted, n);
	atomic_store(&error_code, error);
	atomic_store(&happened, 0);
	atomic_store(&kind, (int)which);
}

int fail_calls(void)
{
	return atomic_load(&calls);
}

bool fail_happened(void)
{
	return atomic_load(&happened) != 0;
}

static bool fails_now(enum fail_kind which)
{
	if (atomic_load(&kind) != (int)which || atomic_fetch_add(&calls, 1) + 1 != wanted)
		return false;
	atomic_store(&happened, 1);
	return true;
}

/* --- memory --- */

#define MEMORY(name, args, names)                                           \
	void *__real_##name args;                                           \
	void *__wrap_##name args;                                           \
	void *__wrap_##name args                                            \
	{                                                                   \
		return fails_now(FAIL_MEMORY) ? NULL : __real_##name names; \
	}

MEMORY(malloc, (size_t size), (size))
MEMORY(calloc, (size_t count, size_t size), (count, size))
MEMORY(realloc, (void *at, size_t size), (at, size))
MEMORY(strdup, (const char *text), (text))
MEMORY(strndup, (const char *text, size_t len), (text, len))

int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list args;
	int len;

	if (fails_now(FAIL_MEMORY))
		return -1;
	va_start(args, format);
	len = vasprintf(out, format, args);
	va_end(args);
	return len;
}

/* --- LMDB --- */

#define LMDB(name, args, names)                                                      \
	int __real_##name args;                                                      \
	int __wrap_##name args;                                                      \
	int __wrap_##name args                                                       \
	{                                                                            \
		return fails_now(FAIL_LMDB) ? (int)error_code : __real_##name names; \
	}

LMDB(mdb_env_create, (MDB_env * *env), (env))
LMDB(mdb_env_open, (MDB_env * env, const char *path, unsigned int flags, mdb_mode_t mode),
     (env, path, flags, mode))
LMDB(mdb_env_set_mapsize, (MDB_env * env, size_t size), (env, size))
LMDB(mdb_env_sync, (MDB_env * env, int force), (env, force))
LMDB(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned int flags, MDB_txn **txn),
     (env, parent, flags, txn))
LMDB(mdb_txn_renew, (MDB_txn * txn), (txn))
LMDB(mdb_dbi_open, (MDB_txn * txn, const char *name, unsigned int flags, MDB_dbi *dbi),
     (txn, name, flags, dbi))
LMDB(mdb_stat, (MDB_txn * txn, MDB_dbi dbi, MDB_stat *stat), (txn, dbi, stat))
LMDB(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value), (txn, dbi, key, value))
LMDB(mdb_put, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned int flags),
     (txn, dbi, key, value, flags))
LMDB(mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor), (txn, dbi, cursor))
LMDB(mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op),
     (cursor, key, value, op))
LMDB(mdb_cursor_put, (MDB_cursor * cursor, MDB_val *key, MDB_val *value, unsigned int flags),
     (cursor, key, value, flags))
LMDB(mdb_cursor_del, (MDB_cursor * cursor, unsigned int flags), (cursor, flags))

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	bool late = fails_now(FAIL_LMDB_COMMIT);
	int rc;

	if (fails_now(FAIL_LMDB)) {
		mdb_txn_abort(txn); /* a commit that fails takes its transaction along */
		return error_code;
	}
	rc = __real_mdb_txn_commit(txn);
	return rc == 0 && late ? (int)error_code : rc;
}
