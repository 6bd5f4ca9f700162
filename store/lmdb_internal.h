/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the LMDB store share. */
#ifndef IPL_STORE_LMDB_INTERNAL_H
#define IPL_STORE_LMDB_INTERNAL_H

#include "store/store.h"
#include "store/tree.h"

#include <lmdb.h>
#include <pthread.h>

#define IPL_LOG_FORMAT "ipledger 1"

struct ipl_store {
	enum ipl_store_mode mode;
	char *dir;
	char *path;                 /* of log.mdb */
	int lock_fd;                /* -1: not held */
	bool ended_well;            /* who appended last closed the log in order */
	bool is_sound;              /* it was opened, and is what it should be */
	MDB_env *env;               /* NULL after a failure that it could not be reopened from */
	struct ipl_reader *readers; /* changed with env_lock held for writing */
	MDB_dbi log;
	MDB_dbi roots;
	MDB_dbi meta;
	size_t map_bytes;
	bool suspect; /* a write failed, and what the file came to was not looked up yet */
	bool is_torn; /* a meta page could not be written: ipl_pages_mend() is due */
	struct ipl_head wanted; /* of the batch that failed: it is there, or `head` is */
	struct ipl_tree wanted_tree;
	/* Held for reading while a transaction is open, for writing while the environment changes.
	 */
	pthread_rwlock_t env_lock;
	pthread_mutex_t head_lock;
	struct ipl_head head;
	struct ipl_tree tree; /* of the appending thread alone */
};

struct ipl_reader {
	struct ipl_store *store;
	struct ipl_reader *next;
	MDB_txn *txn; /* reset between calls; NULL before the first in an environment */
	struct ipl_buf record;
};

/** Take DIR/lock for this process, or say who holds it. */
enum ipl_status ipl_lock_take(struct ipl_store *store, struct ipl_error *err) IPL_MUST_USE;
/** For a reader: whether who appended last ended well. */
void ipl_lock_look(struct ipl_store *store);
/** Let go of DIR/lock; it says from now on that the log was closed in order, where it was. */
void ipl_lock_release(struct ipl_store *store);
/** Refuse file systems whose locks or mappings cannot be trusted. */
enum ipl_status ipl_lock_check_dir(const char *dir, struct ipl_error *err) IPL_MUST_USE;

/** What an LMDB return code means here. */
enum ipl_status ipl_lmdb_status(const struct ipl_store *store, struct ipl_error *err, int rc,
				const char *doing);
/** Make the log, empty and on the disk, where there is none yet. With DIR/lock held. */
enum ipl_status ipl_log_create(const struct ipl_store *store, struct ipl_error *err) IPL_MUST_USE;
enum ipl_status ipl_lmdb_env_open(struct ipl_store *store, struct ipl_error *err) IPL_MUST_USE;

#endif
