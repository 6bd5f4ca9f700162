/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, chance, the disk and the loop's waiting, as the seed has them. */
#undef _FILE_OFFSET_BITS /* else the C library's headers rename what is defined here */
#include "tests/sim/world.h"

#include "tests/sim/fibers.h"

#include "events/hash.h"
#include "server/log.h"

#include <lmdb.h>
#include <sodium/randombytes.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FIRST_WALL_MS INT64_C(1767225600000) /* 2026-01-01 */
#define TURNS_MAX     UINT64_C(3000000)
#define LOOK_NS       INT64_C(1000) /* what a look at the clock takes */

struct world_rates world_rates;
struct world_counts world_counts;
bool world_is_verbose;
void (*world_clean_up)(void);

static struct {
	bool is_on, is_dead;
	uint64_t seed, random[2];
	int64_t now_ns, wall_ahead_ms;
	unsigned failures_left; /* what fails, fails some times on end */
	uint64_t hash, steps, turns;
} world;

/* --- chance --- */

static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t world_draw(uint64_t below)
{
	return mix(&world.random[0]) % below;
}

bool world_one_in(uint64_t n)
{
	return n != 0 && world_draw(n) == 0;
}

/* libsodium's chance is a stream of its own. */
static const char *sodium_name(void)
{
	return "world";
}

static uint32_t sodium_random(void)
{
	return (uint32_t)mix(&world.random[1]);
}

static void sodium_buf(void *const out, const size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = (uint8_t)(mix(&world.random[1]) >> 32);
}

static struct randombytes_implementation sodium_source = {
	.implementation_name = sodium_name,
	.random = sodium_random,
	.buf = sodium_buf,
};

/* --- life --- */

void world_begin(uint64_t seed)
{
	memset(&world, 0, sizeof(world));
	memset(&world_rates, 0, sizeof(world_rates));
	world.seed = seed;
	world.random[0] = ipl_hash64(&seed, sizeof(seed));
	world.random[1] = ~world.random[0];
	world.now_ns = INT64_C(1000000000000);
	world.wall_ahead_ms = FIRST_WALL_MS - world.now_ns / 1000000;
	world.is_on = true;
	randombytes_set_implementation(&sodium_source);
}

void world_end(void)
{
	world.is_on = false;
}

void world_trace(const char *what, const void *bytes, size_t len)
{
	const uint64_t words[] = { world.hash, ipl_hash64(what, strlen(what)),
				   ipl_hash64(bytes, len) };

	world.hash = ipl_hash64(words, sizeof(words));
	world.steps++;
}

uint64_t world_trace_hash(void)
{
	return world.hash;
}

uint64_t world_steps(void)
{
	return world.steps;
}

void world_turn(void)
{
	if (world.is_on && ++world.turns > TURNS_MAX)
		world_fail("it does not end");
}

void world_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "seed %llu: ", (unsigned long long)world.seed);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n  at step %llu of the trace, whose hash is %016llx\n",
		(unsigned long long)world.steps, (unsigned long long)world.hash);
	fprintf(stderr, "  again: ipledger-sim --seed %llu --verbose\n",
		(unsigned long long)world.seed);
	va_end(args);
	if (world_clean_up != NULL)
		world_clean_up();
	_exit(1);
}

void world_say(const char *format, ...)
{
	va_list args;

	if (!world_is_verbose)
		return;
	va_start(args, format);
	fprintf(stderr, "%7llu  ", (unsigned long long)world.steps);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
}

/* The program's own log is of use to people only. */
void __wrap_ipl_log(enum ipl_log_level level, const char *format, ...) IPL_PRINTF(2, 3);
void __wrap_ipl_log(enum ipl_log_level level, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	world_say("log %d: %s", (int)level, text);
}

/* --- clocks --- */

int64_t world_wall_ms(void)
{
	return world.now_ns / 1000000 + world.wall_ahead_ms;
}

void world_pass_ms(int64_t ms)
{
	world.now_ns += ms * 1000000;
}

int64_t world_steady_ms(void)
{
	return world.now_ns / 1000000;
}

void world_jump_ms(int64_t ms)
{
	world.wall_ahead_ms += ms;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int64_t ns;

	if (!world.is_on || fibers_in_main())
		return (int)syscall(SYS_clock_gettime, clock, out);
	world.now_ns += LOOK_NS;
	ns = world.now_ns;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		ns += world.wall_ahead_ms * 1000000;
	out->tv_sec = (time_t)(ns / 1000000000);
	out->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

/* --- the loop's waiting: others go on meanwhile --- */

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	int64_t until_ns =
		timeout_ms < 0 ? INT64_MAX : world.now_ns + (int64_t)timeout_ms * 1000000;

	if (!world.is_on || fibers_in_main())
		return (int)syscall(SYS_epoll_pwait, fd, events, max, timeout_ms, NULL, (size_t)8);
	for (;;) {
		long count = syscall(SYS_epoll_pwait, fd, events, max, 0, NULL, (size_t)8);
		if (count != 0 || world.now_ns >= until_ns)
			return (int)count;
		fibers_yield();
	}
}

/* --- the disk --- */

void world_kill(void)
{
	world.is_dead = true;
}

void world_calm(void)
{
	memset(&world_rates, 0, sizeof(world_rates));
	world.failures_left = 0;
}

void world_revive(void)
{
	world.is_dead = false;
	world.failures_left = 0;
}

bool world_is_dead(void)
{
	return world.is_dead;
}

/* Whether this call to the disk fails. Others have a turn before and may have one after. */
static bool disk_fails(void)
{
	if (!world.is_on || fibers_in_main())
		return false;
	fibers_maybe_yield();
	if (world.is_dead)
		return true;
	if (world.failures_left > 0) {
		world.failures_left--;
	} else if (world_one_in(world_rates.disk_fails_one_in)) {
		world.failures_left = (unsigned)world_draw(3);
	} else {
		return false;
	}
	world_counts.disk_failures++;
	world_say("the disk fails");
	return true;
}

/* What cannot be written is sometimes there all the same: only the answer was lost. */
static bool is_done_yet(void)
{
	return !world.is_dead && world_draw(4) == 0;
}

static int disk_errno(void)
{
	errno = world.is_dead || world_draw(2) == 0 ? EIO : ENOSPC;
	return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	if (!disk_fails())
		return syscall(SYS_pwrite64, fd, bytes, len, offset);
	if (is_done_yet())
		(void)!syscall(SYS_pwrite64, fd, bytes, len, offset);
	return disk_errno();
}

/* What the program calls where files may be large. */
ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
	return pwrite(fd, bytes, len, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	struct stat file;

	if (!world.is_on || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || !disk_fails())
		return syscall(SYS_writev, fd, parts, count);
	if (is_done_yet())
		(void)!syscall(SYS_writev, fd, parts, count);
	return disk_errno();
}

int fdatasync(int fd)
{
	return disk_fails() ? disk_errno() : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return disk_fails() ? disk_errno() : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t len)
{
	return disk_fails() ? disk_errno() : (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

/* How much is free is the machine's, and another's doing. */
int statvfs64(const char *path, struct statvfs64 *out)
{
	(void)path;
	*out = (struct statvfs64){ .f_bsize = 4096, .f_frsize = 4096, .f_bavail = 1 << 20 };
	return 0;
}

int statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	*out = (struct statvfs){ .f_bsize = 4096, .f_frsize = 4096, .f_bavail = 1 << 20 };
	return 0;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	return disk_fails() ? disk_errno() : __real_rename(from, to);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
	return disk_fails() ? disk_errno() : __real_unlink(path);
}

int __real_mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode);
int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode);
int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode)
{
	if (world.is_on && !fibers_in_main() && !world.is_dead &&
	    world_one_in(world_rates.open_fails_one_in)) {
		world_counts.open_failures++;
		world_say("%s cannot be opened", path);
		return EIO;
	}
	return __real_mdb_env_open(env, path, flags, mode);
}

/* --- sockets: the program's own reads and writes --- */

static size_t some_of(int fd, size_t len)
{
	struct stat file;

	if (!world.is_on || fibers_in_main() || len < 2 || fstat(fd, &file) != 0 ||
	    !S_ISSOCK(file.st_mode) || !world_one_in(world_rates.io_short_one_in))
		return len;
	world_counts.short_io++;
	return 1 + world_draw(len > 64 ? 64 : len - 1);
}

ssize_t __real_read(int fd, void *out, size_t len);
ssize_t __wrap_read(int fd, void *out, size_t len);
ssize_t __wrap_read(int fd, void *out, size_t len)
{
	return __real_read(fd, out, some_of(fd, len));
}

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	size_t some = some_of(fd, len);

	if (some < len && world_draw(3) == 0) {
		errno = world_draw(2) == 0 ? EINTR : EAGAIN;
		return -1;
	}
	return __real_write(fd, bytes, some);
}
