/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that appends batches. */
#include "store/committer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/thread.h"

/* As long as the loop takes to hear of a commit and to hand over what there is. */
#define LINGER_NS INT64_C(60000)

enum stage { IDLE, HANDED_OVER, DONE };

struct ipl_committer {
	struct ipl_store *store;
	int done_fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic(enum stage) stage;
	bool stopping;
	struct ipl_commit commit; /* the batch on its way, and what became of it */
};

static void append(struct ipl_committer *committer)
{
	struct ipl_commit *commit = &committer->commit;
	int64_t begin_ns = ipl_monotonic_ns();

	commit->err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	commit->status = ipl_store_append(committer->store, &commit->batch, &commit->err);
	commit->duration_ns = ipl_monotonic_ns() - begin_ns;
}

/*
 * While there is much to do the next batch comes within microseconds, and to be woken takes
 * longer than that. With the lock held, which it lets go meanwhile.
 */
static void linger(struct ipl_committer *committer)
{
	int64_t until_ns = ipl_monotonic_ns() + LINGER_NS;

	pthread_mutex_unlock(&committer->lock);
	/* To yield meanwhile costs as much as to sleep. */
	while (atomic_load_explicit(&committer->stage, memory_order_relaxed) != HANDED_OVER &&
	       ipl_monotonic_ns() < until_ns) {
	}
	pthread_mutex_lock(&committer->lock);
}

static void *run(void *context)
{
	struct ipl_committer *committer = context;
	bool may_linger = sysconf(_SC_NPROCESSORS_ONLN) > 1; /* else the loop needs this one */
	bool is_busy = false;                                /* more came than one at a time */

	pthread_mutex_lock(&committer->lock);
	for (;;) {
		const uint64_t one = 1;
		if (is_busy && may_linger)
			linger(committer);
		while (committer->stage != HANDED_OVER && !committer->stopping)
			pthread_cond_wait(&committer->changed, &committer->lock);
		if (committer->stage != HANDED_OVER)
			break;
		pthread_mutex_unlock(&committer->lock);
		append(committer);
		is_busy = committer->commit.batch.count > 1;
		pthread_mutex_lock(&committer->lock);
		committer->stage = DONE;
		pthread_cond_broadcast(&committer->changed);
		/* An eventfd that is full is readable, which is all that is wanted. */
		(void)!write(committer->done_fd, &one, sizeof(one));
	}
	pthread_mutex_unlock(&committer->lock);
	return NULL;
}

enum ipl_status ipl_committer_start(struct ipl_store *store, int done_fd,
				    struct ipl_committer **out, struct ipl_error *err)
{
	struct ipl_committer *committer = calloc(1, sizeof(*committer));
	int rc;

	if (committer == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the committer");
	committer->store = store;
	committer->done_fd = done_fd;
	pthread_mutex_init(&committer->lock, NULL);
	pthread_cond_init(&committer->changed, NULL);
	rc = ipl_thread_start(&committer->thread, run, committer);
	if (rc != 0) {
		free(committer);
		return ipl_error_set(err, IPL_ERR_NOMEM, "no thread for the committer: %s",
				     strerror(rc));
	}
	*out = committer;
	return IPL_OK;
}

bool ipl_committer_idle(struct ipl_committer *committer)
{
	bool idle;

	pthread_mutex_lock(&committer->lock);
	idle = committer->stage == IDLE;
	pthread_mutex_unlock(&committer->lock);
	return idle;
}

void ipl_committer_submit(struct ipl_committer *committer, struct ipl_batch *batch)
{
	pthread_mutex_lock(&committer->lock);
	assert(committer->stage == IDLE);
	committer->commit.batch = *batch;
	*batch = (struct ipl_batch){ 0 };
	committer->stage = HANDED_OVER;
	pthread_cond_broadcast(&committer->changed);
	pthread_mutex_unlock(&committer->lock);
}

static bool collect_locked(struct ipl_committer *committer, struct ipl_commit *out)
{
	if (committer->stage != DONE)
		return false;
	*out = committer->commit;
	committer->commit = (struct ipl_commit){ 0 };
	committer->stage = IDLE;
	return true;
}

bool ipl_committer_collect(struct ipl_committer *committer, struct ipl_commit *out)
{
	bool collected;

	pthread_mutex_lock(&committer->lock);
	collected = collect_locked(committer, out);
	pthread_mutex_unlock(&committer->lock);
	return collected;
}

bool ipl_committer_wait(struct ipl_committer *committer, struct ipl_commit *out)
{
	bool collected;

	pthread_mutex_lock(&committer->lock);
	while (committer->stage == HANDED_OVER)
		pthread_cond_wait(&committer->changed, &committer->lock);
	collected = collect_locked(committer, out);
	pthread_mutex_unlock(&committer->lock);
	return collected;
}

void ipl_committer_stop(struct ipl_committer *committer)
{
	if (committer == NULL)
		return;
	pthread_mutex_lock(&committer->lock);
	committer->stopping = true;
	pthread_cond_broadcast(&committer->changed);
	pthread_mutex_unlock(&committer->lock);
	pthread_join(committer->thread, NULL);
	ipl_batch_release(&committer->commit.batch);
	pthread_mutex_destroy(&committer->lock);
	pthread_cond_destroy(&committer->changed);
	free(committer);
}
