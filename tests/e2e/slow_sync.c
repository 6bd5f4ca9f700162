/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a server under test: a disk that takes SLOW_SYNC_MS for each sync, and that
 * fails while there is a file SLOW_SYNC_FAILS.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int fd)
{
	const char *text = getenv("SLOW_SYNC_MS"), *fails = getenv("SLOW_SYNC_FAILS");
	long ms = text == NULL ? 0 : strtol(text, NULL, 10);
	struct timespec delay = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&delay, NULL);
	if (fails != NULL && access(fails, F_OK) == 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}
