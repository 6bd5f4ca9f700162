/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of a server, and waits by a clock that nobody sets. Every function is for any thread. */
#ifndef IPL_STORE_THREAD_H
#define IPL_STORE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/** A clock for durations, in nanoseconds; it never goes back, whatever is done to the date. */
int64_t ipl_monotonic_ns(void);

/**
 * Run @run(@context) in a thread of its own that takes no signals: they are for the thread that
 * began. Returns 0, or an errno and no thread. The caller joins it.
 */
int ipl_thread_start(pthread_t *thread, void *(*run)(void *), void *context);

/** A condition that ipl_cond_wait_until() can wait for; destroyed as any other. */
void ipl_cond_init(pthread_cond_t *condition);
/**
 * Wait as pthread_cond_wait() does, with @lock held, until @until_ns of ipl_monotonic_ns() at the
 * latest. Returns whether there is time left: false ends a loop that asks for what it waits for.
 */
bool ipl_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns);

#endif
