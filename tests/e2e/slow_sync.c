/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a server under test: a disk that takes SLOW_SYNC_MS for each sync. While there is
 * a file SLOW_SYNC_FAILS each sync fails, while there is SLOW_SYNC_WAITS none ends (for half a
 * minute at most), and while there is SLOW_SYNC_HIDES the first pages of a file (LMDB's meta pages:
 * what makes a commit one) cannot be written, and no file log.mdb can be opened.
 */
/* The names that LMDB calls, which is built without it: open and pwrite, not open64 and pwrite64.
 */
#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS  5
#define WAITS    6000
#define LOG_NAME "log.mdb"
#define META_END 8192

static bool is_there(const char *variable)
{
	const char *path = getenv(variable);

	return path != NULL && access(path, F_OK) == 0;
}

static void wait_ms(long ms)
{
	struct timespec delay = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&delay, NULL);
}

int fdatasync(int fd)
{
	const char *text = getenv("SLOW_SYNC_MS");

	wait_ms(text == NULL ? 0 : strtol(text, NULL, 10));
	for (int i = 0; i < WAITS && is_there("SLOW_SYNC_WAITS"); i++)
		wait_ms(WAIT_MS);
	if (is_there("SLOW_SYNC_FAILS")) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (at < META_END && is_there("SLOW_SYNC_HIDES")) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, bytes, len, at);
}

int open(const char *path, int flags, ...)
{
	size_t len = strlen(path), tail = sizeof(LOG_NAME) - 1;
	bool is_log = len >= tail && strcmp(path + len - tail, LOG_NAME) == 0;
	mode_t mode = 0;
	va_list args;

	if (is_log && is_there("SLOW_SYNC_HIDES")) {
		errno = EIO;
		return -1;
	}
	va_start(args, flags);
	if ((flags & (O_CREAT | O_TMPFILE)) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
