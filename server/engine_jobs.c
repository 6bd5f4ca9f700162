/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads that take long, on threads of their own, so that appends do not wait for
 * an audit. Two lanes, one thread each: whole states of the past, and walks
 * along chains and the log.
 *
 * A job is handed over with everything it needs: the call, copied, and where the
 * log ended. It begins when the log is durable up to what it reads, so nothing it
 * sees can be lost; its answer is handed back under the lock. A thread has an
 * engine of its own, with its own reader, that shares with the one at work what
 * stands at ipl_engine_lock().
 */
#include "server/engine_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/thread.h"

#define JOB_ARENA_BYTES ((size_t)256 << 20)
/* What waits holds so much of requests at most; what comes beyond is done at once. */
#define REQUESTS_BYTES_MAX ((size_t)128 << 20)
#define NICE               5
/* What the thread of whole states keeps of them. */
#define VIEWS_KEPT_MAX  2u
#define VIEWS_BYTES_MAX ((size_t)256 << 20)

enum stage { WAITING, QUEUED, RUNNING, DONE, FORGOTTEN };

struct ipl_job {
	struct ipl_job *next;
	struct ipl_jobs *jobs;
	enum stage stage; /* from QUEUED on with the lock held */
	enum ipl_lane lane;
	uint64_t need; /* it begins when the log is durable up to here */
	uint64_t head; /* the last event when it was asked */
	uint64_t vpcs; /* the number that the next VPC would have had */
	struct ipl_call call;
	struct ipl_value params; /* its parameters */
	struct ipl_arena arena;  /* everything of it, and of the answer */
	size_t request_bytes;    /* of the arena, when it was taken */
	struct ipl_answer answer;
};

struct lane {
	struct ipl_jobs *jobs;
	struct ipl_engine *engine; /* of its thread */
	pthread_t thread;
	bool has_thread;
	pthread_cond_t changed;
	struct ipl_job *first, **last; /* queued */
};

struct ipl_jobs {
	struct ipl_engine *live;
	struct ipl_job *waiting; /* for the disk; the loop's alone */
	struct ipl_job *fetched; /* whose answer was given last: it is lent until the next call */
	pthread_mutex_t lock;
	atomic_size_t request_bytes; /* of all that there are */
	bool stopping;
	struct lane lane[IPL_LANE_COUNT];
};

static void free_job(struct ipl_job *job)
{
	if (job == NULL)
		return;
	atomic_fetch_sub(&job->jobs->request_bytes, job->request_bytes);
	ipl_arena_release(&job->arena);
	free(job);
}

/* --- the threads --- */

static void execute(struct ipl_engine *engine, struct ipl_job *job)
{
	uint64_t generation;

	engine->head = job->head;
	engine->vpcs = job->vpcs;
	do { /* once more where the log was folded anew meanwhile: chains may have led astray */
		generation = ipl_engine_generation(engine->live);
		job->answer = (struct ipl_answer){ .result = ipl_map(),
						   .err = IPL_ERROR_INIT(&job->arena),
						   .wait_seq = job->need };
		job->answer.status =
			ipl_engine_execute(engine, &job->call, &job->arena, &job->answer);
	} while (generation != ipl_engine_generation(engine->live));
	if (job->answer.status == IPL_OK && job->arena.failed)
		job->answer.status =
			ipl_error_set(&job->answer.err, IPL_ERR_NOMEM,
				      "the answer takes more memory than there is for one: "
				      "ask for less with MaxResults");
}

static struct ipl_job *take_job(struct lane *lane)
{
	struct ipl_job *job = lane->first;

	if (job == NULL)
		return NULL;
	lane->first = job->next;
	if (lane->first == NULL)
		lane->last = &lane->first;
	return job;
}

static void *run(void *context)
{
	struct lane *lane = context;
	struct ipl_jobs *jobs = lane->jobs;

	/* Linux has a priority for each thread; whole states take the processor for long. */
	if (lane == &jobs->lane[IPL_LANE_VIEWS])
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	pthread_mutex_lock(&jobs->lock);
	while (!jobs->stopping) {
		const uint64_t one = 1;
		struct ipl_job *job = take_job(lane);
		bool is_wanted;
		if (job == NULL) {
			pthread_cond_wait(&lane->changed, &jobs->lock);
			continue;
		}
		is_wanted = job->stage == QUEUED;
		if (is_wanted)
			job->stage = RUNNING;
		pthread_mutex_unlock(&jobs->lock);
		if (is_wanted)
			execute(lane->engine, job);
		pthread_mutex_lock(&jobs->lock);
		if (job->stage == FORGOTTEN) {
			free_job(job);
			continue;
		}
		job->stage = DONE;
		/* An eventfd that is full is readable, which is all that is wanted. */
		(void)!write(jobs->live->done_fd, &one, sizeof(one));
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

static enum ipl_status start_lane(struct ipl_jobs *jobs, struct lane *lane, struct ipl_error *err)
{
	enum ipl_status st;
	int rc;

	lane->jobs = jobs;
	lane->last = &lane->first;
	pthread_cond_init(&lane->changed, NULL);
	st = ipl_engine_share(jobs->live, &lane->engine, err);
	if (st != IPL_OK)
		return st;
	ipl_views_limit(lane->engine->views, VIEWS_KEPT_MAX, VIEWS_BYTES_MAX);
	rc = ipl_thread_start(&lane->thread, run, lane);
	lane->has_thread = rc == 0;
	return rc == 0 ? IPL_OK :
			 ipl_error_set(err, IPL_ERR_NOMEM, "no thread for reads: %s", strerror(rc));
}

enum ipl_status ipl_jobs_start(struct ipl_engine *live, struct ipl_jobs **out,
			       struct ipl_error *err)
{
	struct ipl_jobs *jobs = calloc(1, sizeof(*jobs));
	enum ipl_status st = IPL_OK;

	if (jobs == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for reads");
	jobs->live = live;
	pthread_mutex_init(&jobs->lock, NULL);
	for (size_t i = 0; st == IPL_OK && i < IPL_LANE_COUNT; i++)
		st = start_lane(jobs, &jobs->lane[i], err);
	if (st != IPL_OK) {
		ipl_jobs_stop(jobs);
		return st;
	}
	*out = jobs;
	return IPL_OK;
}

static void stop_lane(struct lane *lane)
{
	struct ipl_job *job;

	if (lane->has_thread) {
		pthread_mutex_lock(&lane->jobs->lock);
		lane->jobs->stopping = true;
		pthread_cond_signal(&lane->changed);
		pthread_mutex_unlock(&lane->jobs->lock);
		pthread_join(lane->thread, NULL);
	}
	while (lane->jobs != NULL && (job = take_job(lane)) != NULL)
		free_job(job);
	if (lane->jobs != NULL)
		pthread_cond_destroy(&lane->changed);
	ipl_engine_close(lane->engine);
}

void ipl_jobs_stop(struct ipl_jobs *jobs)
{
	struct ipl_job *next;

	if (jobs == NULL)
		return;
	for (size_t i = 0; i < IPL_LANE_COUNT; i++)
		stop_lane(&jobs->lane[i]);
	for (struct ipl_job *job = jobs->waiting; job != NULL; job = next) {
		next = job->next;
		free_job(job);
	}
	free_job(jobs->fetched);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

/* --- the loop's side --- */

static void queue(struct ipl_jobs *jobs, struct ipl_job *job)
{
	struct lane *lane = &jobs->lane[job->lane];

	pthread_mutex_lock(&jobs->lock);
	job->stage = QUEUED;
	job->next = NULL;
	*lane->last = job;
	lane->last = &job->next;
	pthread_cond_signal(&lane->changed);
	pthread_mutex_unlock(&jobs->lock);
}

static bool copy_call(struct ipl_job *job, const struct ipl_call *call)
{
	job->call = *call;
	job->call.job = NULL;
	job->call.operation = ipl_arena_str(&job->arena, call->operation);
	job->call.principal = ipl_arena_str(&job->arena, call->principal);
	if (call->params != NULL) {
		job->params = ipl_value_copy(&job->arena, call->params);
		job->call.params = &job->params;
	}
	return !job->arena.failed;
}

bool ipl_jobs_take(struct ipl_engine *engine, const struct ipl_call *call, enum ipl_lane lane,
		   uint64_t need)
{
	struct ipl_job *job;

	if (call->job == NULL || engine->jobs == NULL)
		return false;
	assert(*call->job == NULL);
	if (atomic_load(&engine->jobs->request_bytes) > REQUESTS_BYTES_MAX)
		return false;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return false; /* then it is done here, and others wait */
	ipl_arena_init(&job->arena, JOB_ARENA_BYTES);
	job->jobs = engine->jobs;
	job->lane = lane;
	job->need = need;
	job->head = ipl_engine_head(engine);
	job->vpcs = ipl_engine_vpcs(engine);
	if (!copy_call(job, call)) {
		free_job(job);
		return false;
	}
	job->request_bytes = job->arena.taken_bytes;
	atomic_fetch_add(&engine->jobs->request_bytes, job->request_bytes);
	*call->job = job;
	if (need <= ipl_engine_durable_seq(engine)) {
		queue(engine->jobs, job);
		return true;
	}
	job->next = engine->jobs->waiting;
	engine->jobs->waiting = job;
	return true;
}

void ipl_jobs_durable(struct ipl_jobs *jobs, uint64_t durable_seq)
{
	struct ipl_job **at = &jobs->waiting;

	while (*at != NULL) {
		struct ipl_job *job = *at;
		if (job->need > durable_seq) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		queue(jobs, job);
	}
}

void ipl_jobs_fail(struct ipl_jobs *jobs, const struct ipl_error *why)
{
	const uint64_t one = 1;

	while (jobs->waiting != NULL) {
		struct ipl_job *job = jobs->waiting;
		jobs->waiting = job->next;
		job->answer = (struct ipl_answer){ .status = IPL_ERR_IO };
		ipl_error_set(&job->answer.err, IPL_ERR_IO, "the event could not be kept: %.400s",
			      why->text);
		job->stage = DONE;
	}
	(void)!write(jobs->live->done_fd, &one, sizeof(one));
}

bool ipl_engine_is_done(const struct ipl_job *job)
{
	bool done;

	pthread_mutex_lock(&job->jobs->lock);
	done = job->stage == DONE;
	pthread_mutex_unlock(&job->jobs->lock);
	return done;
}

void ipl_engine_forget(struct ipl_job *job)
{
	struct ipl_jobs *jobs;
	struct ipl_job **at;
	bool is_ours;

	if (job == NULL)
		return;
	jobs = job->jobs;
	for (at = &jobs->waiting; *at != NULL && *at != job; at = &(*at)->next) {
	}
	if (*at == job)
		*at = job->next;
	pthread_mutex_lock(&jobs->lock);
	is_ours = job->stage == WAITING || job->stage == DONE;
	if (!is_ours)
		job->stage = FORGOTTEN; /* its thread frees it */
	pthread_mutex_unlock(&jobs->lock);
	if (is_ours)
		free_job(job);
}

bool ipl_jobs_fetch(struct ipl_engine *engine, struct ipl_job **job, struct ipl_answer *answer)
{
	struct ipl_jobs *jobs = engine->jobs;

	free_job(jobs->fetched);
	jobs->fetched = NULL;
	if (!ipl_engine_is_done(*job))
		return false;
	*answer = (*job)->answer;
	jobs->fetched = *job;
	*job = NULL;
	return true;
}
