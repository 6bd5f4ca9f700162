/* SPDX-License-Identifier: Apache-2.0 */
/* A ring in memory, and a thread that keeps it in an LMDB environment of its own. */
#include "store/refusals.h"

#include <lmdb.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/thread.h"

#define MAP_BYTES  ((size_t)256 << 20)
#define LINGER_NS  INT64_C(250000000) /* refusals are written together */
#define PATH_BYTES 4200

struct ipl_refusals {
	bool writes;
	char path[PATH_BYTES];
	MDB_env *env;
	MDB_dbi dbi;

	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool stopping;
	bool has_failed;
	struct ipl_error err;
	uint64_t written; /* the last number that is on disk */
	uint64_t first;
	uint64_t last;
	size_t bytes;
	struct ipl_str ring[IPL_REFUSALS_MAX]; /* owned; of number n at n % IPL_REFUSALS_MAX */
};

static enum ipl_status failed(const struct ipl_refusals *r, int rc, const char *doing,
			      struct ipl_error *err)
{
	return ipl_error_set(err, rc == ENOMEM ? IPL_ERR_NOMEM : IPL_ERR_IO, "%s: %s: %s", r->path,
			     doing, mdb_strerror(rc));
}

/* --- the ring --- */

static struct ipl_str *slot(struct ipl_refusals *r, uint64_t number)
{
	return &r->ring[number % IPL_REFUSALS_MAX];
}

static void drop_first(struct ipl_refusals *r)
{
	struct ipl_str *oldest = slot(r, r->first);

	r->bytes -= oldest->len;
	free((char *)(uintptr_t)oldest->at);
	*oldest = IPL_STR_NONE;
	r->first++;
}

static bool push(struct ipl_refusals *r, uint64_t number, const void *record, size_t len)
{
	char *copy = malloc(len == 0 ? 1 : len);

	if (copy == NULL)
		return false;
	memcpy(copy, record, len);
	if (r->first == 0)
		r->first = number;
	while (r->first <= r->last && (r->last - r->first + 1 == IPL_REFUSALS_MAX ||
				       r->bytes + len > IPL_REFUSALS_BYTES_MAX))
		drop_first(r);
	*slot(r, number) = (struct ipl_str){ copy, len };
	r->last = number;
	r->bytes += len;
	return true;
}

/* --- the file --- */

static int load_records(struct ipl_refusals *r, MDB_txn *txn)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc = mdb_cursor_open(txn, r->dbi, &cursor);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	for (; rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		uint64_t number;
		if (key.mv_size != sizeof(number) || value.mv_size > IPL_REFUSAL_BYTES_MAX) {
			rc = MDB_CORRUPTED;
			break;
		}
		memcpy(&number, key.mv_data, sizeof(number));
		/* A gap is damage; the list begins anew after it. */
		while (r->first != 0 && number != r->last + 1 && r->first <= r->last)
			drop_first(r);
		if (r->first > r->last)
			r->first = 0;
		if (!push(r, number, value.mv_data, value.mv_size)) {
			rc = ENOMEM;
			break;
		}
	}
	mdb_cursor_close(cursor);
	r->written = r->last;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int open_env(struct ipl_refusals *r)
{
	unsigned int create = r->writes ? MDB_CREATE : 0;
	MDB_txn *txn;
	int rc = mdb_env_create(&r->env);

	if (rc != 0)
		return rc;
	rc = mdb_env_set_mapsize(r->env, MAP_BYTES);
	if (rc == 0)
		rc = mdb_env_open(
			r->env, r->path,
			MDB_NOSUBDIR | MDB_NOTLS | (r->writes ? 0 : MDB_RDONLY | MDB_NOLOCK), 0600);
	if (rc != 0)
		return rc;
	rc = mdb_txn_begin(r->env, NULL, r->writes ? 0 : MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, NULL, create | MDB_INTEGERKEY, &r->dbi);
	if (rc == 0)
		rc = load_records(r, txn);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static void close_env(struct ipl_refusals *r)
{
	if (r->env != NULL)
		mdb_env_close(r->env);
	r->env = NULL;
	while (r->first != 0 && r->first <= r->last)
		drop_first(r);
	r->first = 0;
	r->last = 0;
	r->written = 0;
}

/* The file is no part of the ledger: one that is damaged is set aside, not mourned. */
static int open_or_move_aside(struct ipl_refusals *r)
{
	char aside[PATH_BYTES + 16];
	int rc = open_env(r);

	if (rc != MDB_INVALID && rc != MDB_CORRUPTED && rc != MDB_VERSION_MISMATCH &&
	    rc != MDB_PAGE_NOTFOUND)
		return rc;
	if (!r->writes)
		return rc;
	close_env(r);
	(void)snprintf(aside, sizeof(aside), "%s.damaged", r->path);
	if (rename(r->path, aside) != 0)
		return errno;
	return open_env(r);
}

/* --- the thread --- */

/* What is to be written, copied out so that the lock is not held during the write. */
struct pending {
	uint64_t from;
	uint64_t to;
	uint64_t first; /* what is older goes */
	struct ipl_str *record;
};

static bool take_pending(struct ipl_refusals *r, struct pending *p)
{
	p->first = r->first;
	p->from = r->written + 1 > r->first ? r->written + 1 : r->first;
	p->to = r->last;
	p->record = calloc(p->to - p->from + 1, sizeof(*p->record));
	if (p->record == NULL)
		return false;
	for (uint64_t n = p->from; n <= p->to; n++) {
		struct ipl_str *copy = &p->record[n - p->from];
		*copy = *slot(r, n);
		copy->at = malloc(copy->len + 1);
		if (copy->at == NULL)
			return false;
		memcpy((char *)(uintptr_t)copy->at, slot(r, n)->at, copy->len);
	}
	return true;
}

static void release_pending(struct pending *p)
{
	for (uint64_t n = p->from; p->record != NULL && n <= p->to; n++)
		free((char *)(uintptr_t)p->record[n - p->from].at);
	free(p->record);
}

static int delete_older(MDB_cursor *cursor, uint64_t first)
{
	MDB_val key, value;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);

	while (rc == 0) {
		uint64_t number;
		memcpy(&number, key.mv_data, sizeof(number));
		if (number >= first)
			return 0;
		rc = mdb_cursor_del(cursor, 0);
		if (rc == 0)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int write_pending(struct ipl_refusals *r, const struct pending *p)
{
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = mdb_txn_begin(r->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_open(txn, r->dbi, &cursor);
	if (rc == 0)
		rc = delete_older(cursor, p->first);
	for (uint64_t n = p->from; rc == 0 && n <= p->to; n++) {
		MDB_val key = { sizeof(n), &n };
		MDB_val value = { p->record[n - p->from].len,
				  (void *)(uintptr_t)p->record[n - p->from].at };
		rc = mdb_cursor_put(cursor, &key, &value, MDB_APPEND);
	}
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static void linger(struct ipl_refusals *r)
{
	int64_t until_ns = ipl_monotonic_ns() + LINGER_NS;

	while (!r->stopping && ipl_cond_wait_until(&r->changed, &r->lock, until_ns))
		continue;
}

static void *run(void *context)
{
	struct ipl_refusals *r = context;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct pending pending = { 0 };
		bool whole;
		int rc = ENOMEM;
		while (r->written == r->last && !r->stopping)
			pthread_cond_wait(&r->changed, &r->lock);
		if (r->written == r->last)
			break;
		linger(r);
		whole = take_pending(r, &pending);
		pthread_mutex_unlock(&r->lock);
		if (whole)
			rc = write_pending(r, &pending);
		pthread_mutex_lock(&r->lock);
		if (rc != 0) { /* those are in memory only; what comes is tried again */
			r->has_failed = true;
			failed(r, rc, "write refusals", &r->err);
		}
		r->written = pending.to;
		release_pending(&pending);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static int start_thread(struct ipl_refusals *r)
{
	int rc = ipl_thread_start(&r->thread, run, r);

	r->has_thread = rc == 0;
	return rc;
}

/* --- the interface --- */

enum ipl_status ipl_refusals_open(const char *dir, bool writes, struct ipl_refusals **out,
				  struct ipl_error *err)
{
	struct ipl_refusals *r = calloc(1, sizeof(*r));
	enum ipl_status st = IPL_OK;
	int rc;

	if (r == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for refusals");
	r->writes = writes;
	pthread_mutex_init(&r->lock, NULL);
	ipl_cond_init(&r->changed);
	(void)snprintf(r->path, sizeof(r->path), "%s/refusals.mdb", dir);
	rc = open_or_move_aside(r);
	if (rc == ENOENT && !writes) {
		close_env(r);
		rc = 0;
	}
	if (rc == 0 && writes)
		rc = start_thread(r);
	if (rc != 0) {
		st = failed(r, rc, "open", err);
		ipl_refusals_close(r);
		return st;
	}
	*out = r;
	return IPL_OK;
}

void ipl_refusals_close(struct ipl_refusals *r)
{
	if (r == NULL)
		return;
	if (r->has_thread) {
		pthread_mutex_lock(&r->lock);
		r->stopping = true;
		pthread_cond_broadcast(&r->changed);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
	}
	close_env(r);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

enum ipl_status ipl_refusals_add(struct ipl_refusals *r, struct ipl_str record,
				 struct ipl_error *err)
{
	bool pushed;

	pthread_mutex_lock(&r->lock);
	pushed = push(r, r->last + 1, record.at, record.len);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return pushed ? IPL_OK : ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a refusal");
}

/* The ring changes only in this thread: it is read without the lock. */
uint64_t ipl_refusals_first(const struct ipl_refusals *r)
{
	return r->first;
}

uint64_t ipl_refusals_last(const struct ipl_refusals *r)
{
	return r->last;
}

struct ipl_str ipl_refusals_get(const struct ipl_refusals *r, uint64_t number)
{
	return r->ring[number % IPL_REFUSALS_MAX];
}

bool ipl_refusals_failed(struct ipl_refusals *r, struct ipl_error *err)
{
	bool has_failed;

	pthread_mutex_lock(&r->lock);
	has_failed = r->has_failed;
	if (has_failed)
		*err = r->err;
	pthread_mutex_unlock(&r->lock);
	return has_failed;
}
