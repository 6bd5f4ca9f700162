/* SPDX-License-Identifier: Apache-2.0 */
/* When a checkpoint is due, it is made. */
#include "server/checkpointer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "replay/checkpoint.h"
#include "server/log.h"
#include "store/thread.h"

#define NICE             19
#define AFTER_FAILURE_NS INT64_C(60000000000) /* after which a failed one is tried again */

struct ipl_checkpointer {
	struct ipl_store *store;
	struct ipl_checkpoints *set;
	struct ipl_reader *reader;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_bool stopping;
	atomic_uint_fast64_t due; /* when the log is durable up to here, one is made */
	uint64_t durable;         /* with the lock held */
};

static bool go_on(void *context)
{
	struct ipl_checkpointer *checkpointer = context;

	return !atomic_load(&checkpointer->stopping);
}

/* After how many events the next one is due: they weigh as much as the last one does. */
static uint64_t spacing(struct ipl_checkpointer *checkpointer, uint64_t seq, uint64_t bytes)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_store_stat stat;
	uint64_t events = 0;

	if (ipl_store_stat(checkpointer->store, &stat, &err) == IPL_OK && stat.file_bytes > 0)
		events = (uint64_t)((double)bytes * (double)seq / (double)stat.file_bytes);
	return events < IPL_CHECKPOINT_EVENTS_MIN ? IPL_CHECKPOINT_EVENTS_MIN : events;
}

/* From the newest one that is there. */
static enum ipl_status set_due(struct ipl_checkpointer *checkpointer, struct ipl_error *err)
{
	struct ipl_checkpoint_stat *stat = NULL;
	uint64_t seq = 0, bytes = 0;
	size_t count = 0;
	enum ipl_status st = ipl_checkpoints_list(checkpointer->set, &stat, &count, err);

	if (st != IPL_OK)
		return st;
	for (size_t i = 0; i < count; i++) {
		if (!stat[i].is_bad) {
			seq = stat[i].seq;
			bytes = stat[i].bytes;
		}
	}
	free(stat);
	atomic_store(&checkpointer->due, seq + spacing(checkpointer, seq, bytes));
	return IPL_OK;
}

static enum ipl_status thin(struct ipl_checkpointer *checkpointer, struct ipl_error *err)
{
	struct ipl_store_stat stat;
	enum ipl_status st = ipl_store_stat(checkpointer->store, &stat, err);

	return st == IPL_OK ? ipl_checkpoints_thin(checkpointer->set, stat.file_bytes, err) : st;
}

/* So that those who ask for the past find good ones, and only good ones. */
static void look(struct ipl_checkpointer *checkpointer)
{
	while (go_on(checkpointer) && ipl_checkpoints_look(checkpointer->set)) {
	}
}

static enum ipl_status make_one(struct ipl_checkpointer *checkpointer, struct ipl_error *err)
{
	const struct ipl_checkpoint_job job = { checkpointer->store, checkpointer->reader,
						checkpointer->set, go_on, checkpointer };
	int64_t begin_ns = ipl_monotonic_ns();
	struct ipl_head head;
	enum ipl_status st = ipl_store_head(checkpointer->store, &head, err);

	if (st == IPL_OK)
		st = ipl_checkpoint_build(&job, head.seq, err);
	if (st == IPL_OK)
		ipl_log(IPL_LOG_INFO, "checkpoint of event %" PRIu64 " made in %" PRId64 " ms",
			head.seq, (ipl_monotonic_ns() - begin_ns) / 1000000);
	look(checkpointer);
	if (st == IPL_OK)
		st = thin(checkpointer, err);
	return st == IPL_OK ? set_due(checkpointer, err) : st;
}

/* With the lock held. */
static void wait_until_due(struct ipl_checkpointer *checkpointer)
{
	while (go_on(checkpointer) && checkpointer->durable < atomic_load(&checkpointer->due))
		pthread_cond_wait(&checkpointer->changed, &checkpointer->lock);
}

/* With the lock held. */
static void rest(struct ipl_checkpointer *checkpointer, int64_t for_ns)
{
	int64_t until_ns = ipl_monotonic_ns() + for_ns;

	while (go_on(checkpointer) &&
	       ipl_cond_wait_until(&checkpointer->changed, &checkpointer->lock, until_ns)) {
	}
}

static enum ipl_status begin(struct ipl_checkpointer *checkpointer, struct ipl_error *err)
{
	struct ipl_head head;
	enum ipl_status st = ipl_store_head(checkpointer->store, &head, err);

	look(checkpointer);
	if (st == IPL_OK)
		st = thin(checkpointer, err);
	if (st == IPL_OK)
		st = set_due(checkpointer, err);
	pthread_mutex_lock(&checkpointer->lock);
	if (st == IPL_OK && checkpointer->durable < head.seq)
		checkpointer->durable = head.seq;
	pthread_mutex_unlock(&checkpointer->lock);
	return st;
}

static void *run(void *context)
{
	struct ipl_checkpointer *checkpointer = context;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	int64_t begin_ns, worked_ns = 0;
	enum ipl_status st;

	/* Linux has a priority for each thread; without it the thread is as nice as others. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	st = begin(checkpointer, &err);
	while (go_on(checkpointer)) {
		if (st != IPL_OK)
			ipl_log(IPL_LOG_WARN, "no checkpoint could be made: %s", err.text);
		pthread_mutex_lock(&checkpointer->lock);
		if (st != IPL_OK)
			rest(checkpointer, AFTER_FAILURE_NS);
		/*
		 * As long as it has worked, so that under a load that never ends it takes half of
		 * a core at most and less often writes again what has hardly grown.
		 */
		rest(checkpointer, worked_ns);
		wait_until_due(checkpointer);
		pthread_mutex_unlock(&checkpointer->lock);
		begin_ns = ipl_monotonic_ns();
		if (go_on(checkpointer))
			st = make_one(checkpointer, &err);
		worked_ns = ipl_monotonic_ns() - begin_ns;
	}
	return NULL;
}

enum ipl_status ipl_checkpointer_start(struct ipl_store *store, struct ipl_checkpoints *set,
				       struct ipl_checkpointer **out, struct ipl_error *err)
{
	struct ipl_checkpointer *checkpointer = calloc(1, sizeof(*checkpointer));
	enum ipl_status st;
	int rc;

	if (checkpointer == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for checkpoints");
	checkpointer->store = store;
	checkpointer->set = set;
	atomic_store(&checkpointer->due, UINT64_MAX);
	st = ipl_reader_open(store, &checkpointer->reader, err);
	if (st != IPL_OK) {
		free(checkpointer);
		return st;
	}
	pthread_mutex_init(&checkpointer->lock, NULL);
	ipl_cond_init(&checkpointer->changed);
	rc = ipl_thread_start(&checkpointer->thread, run, checkpointer);
	if (rc != 0) {
		ipl_reader_close(checkpointer->reader);
		free(checkpointer);
		return ipl_error_set(err, IPL_ERR_NOMEM, "no thread for checkpoints: %s",
				     strerror(rc));
	}
	*out = checkpointer;
	return IPL_OK;
}

void ipl_checkpointer_note(struct ipl_checkpointer *checkpointer, uint64_t seq)
{
	if (seq < atomic_load(&checkpointer->due))
		return;
	pthread_mutex_lock(&checkpointer->lock);
	checkpointer->durable = seq;
	pthread_cond_signal(&checkpointer->changed);
	pthread_mutex_unlock(&checkpointer->lock);
}

void ipl_checkpointer_stop(struct ipl_checkpointer *checkpointer)
{
	if (checkpointer == NULL)
		return;
	pthread_mutex_lock(&checkpointer->lock);
	atomic_store(&checkpointer->stopping, true);
	pthread_cond_signal(&checkpointer->changed);
	pthread_mutex_unlock(&checkpointer->lock);
	pthread_join(checkpointer->thread, NULL);
	ipl_reader_close(checkpointer->reader);
	pthread_mutex_destroy(&checkpointer->lock);
	pthread_cond_destroy(&checkpointer->changed);
	free(checkpointer);
}
