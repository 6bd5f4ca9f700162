/* SPDX-License-Identifier: Apache-2.0 */
/* Fibers, and the program's pthread calls on them. */
#include "tests/sim/fibers.h"

#include "tests/sim/world.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define FIBERS_MAX  32u
#define STACK_BYTES ((size_t)1 << 20)

enum wait { NOT_WAITING, ON_CONDITION };

struct fiber {
	bool is_used, is_done;
	enum wait wait;
	const void *condition;
	int64_t until_ms; /* by the steady clock; INT64_MAX: for ever */
	bool was_woken;
	uint64_t waits_since; /* the longest waiting is woken first */
	void *(*run)(void *context);
	void *context;
	ucontext_t machine;
	char *stack;
	void *fake_stack; /* of the address sanitizer */
};

static struct fiber fibers[FIBERS_MAX]; /* [0] is the main one */
static unsigned current;
static uint64_t waits;
#ifdef HAS_ASAN
static const void *main_stack;
static size_t main_stack_bytes;
#endif

uint64_t fibers_preempt_one_in;

/* --- switching --- */

static void switch_to(unsigned next)
{
	struct fiber *from = &fibers[current], *to = &fibers[next];

#ifdef HAS_ASAN
	__sanitizer_start_switch_fiber(from->is_done ? NULL : &from->fake_stack,
				       next == 0 ? main_stack : to->stack,
				       next == 0 ? main_stack_bytes : STACK_BYTES);
#endif
	current = next;
	if (swapcontext(&from->machine, &to->machine) != 0)
		abort();
#ifdef HAS_ASAN
	__sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}

static void begin(void)
{
	struct fiber *self = &fibers[current];

#ifdef HAS_ASAN
	const void *bottom;
	size_t size;
	__sanitizer_finish_switch_fiber(NULL, &bottom, &size);
	if (main_stack == NULL) {
		main_stack = bottom;
		main_stack_bytes = size;
	}
#endif
	(void)self->run(self->context);
	self->is_done = true;
	switch_to(0);
	abort(); /* it is never gone back to */
}

/* A function of its own: getcontext() may come back twice, as far as the compiler knows. */
static void prepare(struct fiber *fiber)
{
	if (getcontext(&fiber->machine) != 0)
		abort();
	fiber->machine.uc_stack.ss_sp = fiber->stack;
	fiber->machine.uc_stack.ss_size = STACK_BYTES;
	makecontext(&fiber->machine, begin, 0);
}

unsigned fibers_start(void *(*run)(void *context), void *context)
{
	unsigned i = 1;
	char *stack;

	while (i < FIBERS_MAX && fibers[i].is_used)
		i++;
	assert(i < FIBERS_MAX);
	stack = fibers[i].stack; /* of one that was here before */
	if (stack == NULL)
		stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(stack != MAP_FAILED);
	fibers[i] =
		(struct fiber){ .is_used = true, .run = run, .context = context, .stack = stack };
	prepare(&fibers[i]);
	return i;
}

bool fibers_is_done(unsigned fiber)
{
	return fibers[fiber].is_done;
}

void fibers_reap(unsigned fiber)
{
	assert(fibers[fiber].is_used && fibers[fiber].is_done);
	fibers[fiber].is_used = false;
}

unsigned fibers_count(void)
{
	unsigned count = 0;

	for (unsigned i = 1; i < FIBERS_MAX; i++)
		count += fibers[i].is_used;
	return count;
}

bool fibers_in_main(void)
{
	return current == 0;
}

static bool can_go_on(const struct fiber *fiber)
{
	return fiber->is_used && !fiber->is_done &&
	       (fiber->wait == NOT_WAITING || fiber->was_woken ||
		fiber->until_ms <= world_steady_ms());
}

bool fibers_step(void)
{
	unsigned ready[FIBERS_MAX], count = 0;

	assert(current == 0);
	for (unsigned i = 1; i < FIBERS_MAX; i++) {
		if (can_go_on(&fibers[i]))
			ready[count++] = i;
	}
	if (count == 0)
		return false;
	world_turn();
	switch_to(ready[world_draw(count)]);
	return true;
}

void fibers_yield(void)
{
	if (current != 0)
		switch_to(0);
	else if (!fibers_step())
		world_fail("everything waits, and for nothing");
}

void fibers_maybe_yield(void)
{
	if (current != 0 && fibers_preempt_one_in != 0 && world_draw(fibers_preempt_one_in) == 0)
		switch_to(0);
}

/* --- threads --- */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *context)
{
	(void)attr;
	*thread = fibers_start(run, context);
	return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result)
{
	(void)result;
	while (!fibers[thread].is_done)
		fibers_yield();
	fibers_reap((unsigned)thread);
	return 0;
}

int __wrap_setpriority(__priority_which_t which, id_t who, int nice);
int __wrap_setpriority(__priority_which_t which, id_t who, int nice)
{
	(void)which;
	(void)who;
	(void)nice;
	return 0; /* it would be that of everybody */
}

/* --- mutexes: who holds it, plus one, stands in their memory --- */

static unsigned *holder_of(pthread_mutex_t *mutex)
{
	return (unsigned *)(void *)mutex;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
	(void)attr;
	memset(mutex, 0, sizeof(*mutex));
	return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	assert(*holder_of(mutex) == 0);
	return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	fibers_maybe_yield();
	assert(*holder_of(mutex) != current + 1);
	while (*holder_of(mutex) != 0)
		fibers_yield();
	*holder_of(mutex) = current + 1;
	return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	assert(*holder_of(mutex) == current + 1);
	*holder_of(mutex) = 0;
	fibers_maybe_yield();
	return 0;
}

/* --- conditions: they keep nothing; who waits knows for what --- */

int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attr);
int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attr)
{
	(void)attr;
	memset(condition, 0, sizeof(*condition));
	return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *condition);
int __wrap_pthread_cond_destroy(pthread_cond_t *condition)
{
	for (unsigned i = 0; i < FIBERS_MAX; i++)
		assert(fibers[i].wait != ON_CONDITION || fibers[i].condition != condition);
	return 0;
}

static int wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ms)
{
	struct fiber *self = &fibers[current];
	bool was_woken;

	self->wait = ON_CONDITION;
	self->condition = condition;
	self->until_ms = until_ms;
	self->was_woken = false;
	self->waits_since = ++waits;
	*holder_of(mutex) = 0;
	do
		fibers_yield();
	while (!self->was_woken && until_ms > world_steady_ms());
	was_woken = self->was_woken;
	self->wait = NOT_WAITING;
	__wrap_pthread_mutex_lock(mutex);
	return was_woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	return wait_for(condition, mutex, INT64_MAX);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
				  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
				  const struct timespec *until)
{
	return wait_for(condition, mutex, (int64_t)until->tv_sec * 1000 + until->tv_nsec / 1000000);
}

static struct fiber *longest_waiting(const pthread_cond_t *condition)
{
	struct fiber *found = NULL;

	for (unsigned i = 0; i < FIBERS_MAX; i++) {
		struct fiber *fiber = &fibers[i];
		if (fiber->wait == ON_CONDITION && fiber->condition == condition &&
		    !fiber->was_woken && (found == NULL || fiber->waits_since < found->waits_since))
			found = fiber;
	}
	return found;
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_signal(pthread_cond_t *condition)
{
	struct fiber *waiting = longest_waiting(condition);

	if (waiting != NULL)
		waiting->was_woken = true;
	return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
	struct fiber *waiting;

	while ((waiting = longest_waiting(condition)) != NULL)
		waiting->was_woken = true;
	return 0;
}

/* --- locks of many readers or one writer --- */

struct shared_lock {
	unsigned readers;
	unsigned writer; /* the fiber, plus one */
};

static_assert(sizeof(struct shared_lock) <= sizeof(pthread_rwlock_t), "it stands in its memory");

static struct shared_lock *shared_of(pthread_rwlock_t *lock)
{
	return (struct shared_lock *)(void *)lock;
}

int __wrap_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr);
int __wrap_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr)
{
	(void)attr;
	memset(lock, 0, sizeof(*lock));
	return 0;
}

int __wrap_pthread_rwlock_destroy(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
	assert(shared_of(lock)->readers == 0 && shared_of(lock)->writer == 0);
	return 0;
}

int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	fibers_maybe_yield();
	while (shared_of(lock)->writer != 0)
		fibers_yield();
	shared_of(lock)->readers++;
	return 0;
}

int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	while (shared_of(lock)->writer != 0 || shared_of(lock)->readers != 0)
		fibers_yield();
	shared_of(lock)->writer = current + 1;
	return 0;
}

int __wrap_pthread_rwlock_unlock(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	struct shared_lock *shared = shared_of(lock);

	if (shared->writer == current + 1) {
		shared->writer = 0;
	} else {
		assert(shared->readers > 0);
		shared->readers--;
	}
	fibers_maybe_yield();
	return 0;
}
