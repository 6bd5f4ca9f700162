/* SPDX-License-Identifier: Apache-2.0 */
/* The way of batches to the disk, and back to what the log says after one failed. */
#include "server/engine_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/log.h"
#include "store/thread.h"

#define TRY_AGAIN_NS INT64_C(1000000000)

/* The loop comes to ipl_engine_collect(); an eventfd that is full wakes it too. */
static void wake(struct ipl_engine *engine)
{
	const uint64_t one = 1;

	(void)!write(engine->done_fd, &one, sizeof(one));
}

void ipl_engine_spoil(struct ipl_engine *engine, const struct ipl_error *err)
{
	engine->is_spoiled = true;
	engine->tried_ns = 0;
	engine->spoiled_by = *err;
	engine->spoiled_by.detail = NULL;
	engine->spoiled_by.arena = NULL;
	wake(engine);
}

void ipl_engine_flush(struct ipl_engine *engine)
{
	if (engine->open.count == 0 || engine->is_spoiled || !ipl_committer_idle(engine->committer))
		return;
	pthread_mutex_lock(&engine->lock);
	engine->flying = engine->open; /* to read from; the committer does not change it */
	engine->stats.flying_since_ns = ipl_monotonic_ns();
	ipl_committer_submit(engine->committer, &engine->open);
	engine->open = engine->spare;
	engine->spare = (struct ipl_batch){ 0 };
	ipl_batch_reset(&engine->open, engine->flying.first_seq + engine->flying.count);
	pthread_mutex_unlock(&engine->lock);
}

/*
 * Nothing is on its way: what the log came to is looked up, and folded. Where the disk or memory
 * does not allow it yet, it is tried again later.
 */
static enum ipl_status make_good(struct ipl_engine *engine, struct ipl_error *err)
{
	enum ipl_status st = ipl_store_recover(engine->store, err);

	if (st == IPL_OK)
		st = ipl_engine_fold_log(engine, err);
	engine->is_spoiled = st != IPL_OK;
	engine->tried_ns = ipl_monotonic_ns();
	return st;
}

bool ipl_engine_is_good(struct ipl_engine *engine, struct ipl_error *err)
{
	struct ipl_error second = IPL_ERROR_INIT(NULL);
	enum ipl_status st;

	if (!engine->is_spoiled)
		return true;
	/* Before the first try those who wait are told, by ipl_engine_collect(). */
	if (engine->tried_ns != 0 && ipl_committer_idle(engine->committer) &&
	    ipl_monotonic_ns() - engine->tried_ns >= TRY_AGAIN_NS) {
		st = make_good(engine, &second);
		if (st != IPL_OK) {
			ipl_error_set(&engine->spoiled_by, st, "%s", second.text);
			ipl_log(IPL_LOG_ERROR, "the log cannot be read yet: %s", second.text);
		}
		if (st == IPL_ERR_CORRUPT)
			engine->tried_ns = 0; /* the loop is to find it */
		wake(engine);                 /* who follows the log may go on */
		if (st == IPL_OK)
			return true;
	}
	ipl_error_set(err, IPL_ERR_IO,
		      "what was appended last is being looked up: try again: %.300s",
		      engine->spoiled_by.text);
	return false;
}

void ipl_engine_beat(struct ipl_engine *engine)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	(void)ipl_engine_is_good(engine, &err); /* who calls is told; it is in the log */
}

/* The log makes no sense: nothing can be answered any more. */
static enum ipl_status lost(const struct ipl_error *why, struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_CORRUPT, "the log could not be folded again: %.400s",
			     why->text);
}

static enum ipl_status finish(struct ipl_engine *engine, struct ipl_commit *commit,
			      struct ipl_error *err)
{
	enum ipl_status st = commit->status;
	struct ipl_error second = IPL_ERROR_INIT(NULL);

	ipl_stats_commit(&engine->stats, commit);
	pthread_mutex_lock(&engine->lock);
	engine->flying = (struct ipl_batch){ 0 };
	engine->spare = commit->batch;
	if (st == IPL_OK)
		atomic_store(&engine->durable_seq,
			     engine->spare.first_seq + engine->spare.count - 1);
	pthread_mutex_unlock(&engine->lock);
	if (st == IPL_OK) {
		ipl_checkpointer_note(engine->checkpointer, ipl_engine_durable_seq(engine));
		ipl_jobs_durable(engine->jobs, ipl_engine_durable_seq(engine));
		return IPL_OK;
	}
	ipl_jobs_fail(engine->jobs, &commit->err);
	/* What was decided on top of the failed batch falls with it. */
	*err = commit->err;
	engine->spoiled_by = commit->err;
	return make_good(engine, &second) == IPL_ERR_CORRUPT ? lost(&second, err) : st;
}

/* The state is made good again, once nothing is on its way to the disk. */
static enum ipl_status heal(struct ipl_engine *engine, struct ipl_error *err)
{
	struct ipl_error second = IPL_ERROR_INIT(NULL);

	ipl_jobs_fail(engine->jobs, &engine->spoiled_by);
	if (make_good(engine, &second) == IPL_ERR_CORRUPT)
		return lost(&second, err);
	return ipl_error_set(err, IPL_ERR_IO, "an append failed half-way: %.400s",
			     engine->spoiled_by.text);
}

enum ipl_status ipl_engine_collect(struct ipl_engine *engine, struct ipl_error *err)
{
	struct ipl_commit commit;
	uint64_t count;

	/* Only the wake-up is wanted; an eventfd that is empty says EAGAIN. */
	(void)!read(engine->done_fd, &count, sizeof(count));
	if (ipl_committer_collect(engine->committer, &commit)) {
		enum ipl_status st = finish(engine, &commit, err);
		return st == IPL_OK && engine->is_spoiled ? heal(engine, err) : st;
	}
	if (engine->is_spoiled && engine->tried_ns == 0 && ipl_committer_idle(engine->committer))
		return heal(engine, err);
	return ipl_error_set(err, IPL_ERR_END, "no commit is done");
}

enum ipl_status ipl_engine_settle(struct ipl_engine *engine, struct ipl_error *err)
{
	struct ipl_commit commit;
	enum ipl_status st = IPL_OK;

	do {
		ipl_engine_flush(engine);
		if (!ipl_committer_wait(engine->committer, &commit))
			break;
		st = finish(engine, &commit, err);
	} while (st == IPL_OK);
	return st == IPL_OK && engine->is_spoiled ? heal(engine, err) : st;
}
