/* SPDX-License-Identifier: Apache-2.0 */
#include "store/thread.h"

#include <signal.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

int64_t ipl_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

int ipl_thread_start(pthread_t *thread, void *(*run)(void *), void *context)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all); /* a thread inherits what is blocked */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(thread, NULL, run, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void ipl_cond_init(pthread_cond_t *condition)
{
	pthread_condattr_t steady;

	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &steady);
	pthread_condattr_destroy(&steady);
}

bool ipl_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns)
{
	const struct timespec until = { until_ns / SECOND_NS, until_ns % SECOND_NS };

	return pthread_cond_timedwait(condition, lock, &until) == 0;
}
