/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that change files, in the place of the C library's. */
#undef _FILE_OFFSET_BITS /* or the names below would be those with 64 at their end, and no others \
			  */
#include "tests/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	pthread_mutex_t lock;
	char dir[256];
	const char *part;
	bool is_watching, is_recording, has_failed;
	struct disk_record *record;
	size_t count, cap;
	int calls, fail_at, fail_more, error;
	enum disk_fault how;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* --- the test's side --- */

void disk_watch(const char *dir, const char *part)
{
	pthread_mutex_lock(&disk.lock);
	disk.is_watching = dir != NULL;
	disk.part = part;
	if (dir != NULL)
		(void)snprintf(disk.dir, sizeof(disk.dir), "%s/", dir);
	pthread_mutex_unlock(&disk.lock);
}

void disk_record(bool on)
{
	pthread_mutex_lock(&disk.lock);
	for (size_t i = 0; on && i < disk.count; i++)
		free(disk.record[i].bytes);
	if (on)
		disk.count = 0;
	disk.is_recording = on;
	pthread_mutex_unlock(&disk.lock);
}

/* With the lock held. */
static void keep(struct disk_record record, const void *bytes)
{
	if (!disk.is_recording)
		return;
	if (disk.count == disk.cap) {
		disk.cap = disk.cap == 0 ? 256 : disk.cap * 2;
		disk.record = realloc(disk.record, disk.cap * sizeof(*disk.record));
		if (disk.record == NULL)
			abort();
	}
	if (record.len > 0) {
		record.bytes = malloc(record.len);
		if (record.bytes == NULL)
			abort();
		memcpy(record.bytes, bytes, record.len);
	}
	disk.record[disk.count++] = record;
}

void disk_mark(uint64_t value)
{
	pthread_mutex_lock(&disk.lock);
	keep((struct disk_record){ .call = DISK_MARK, .value = value }, NULL);
	pthread_mutex_unlock(&disk.lock);
}

size_t disk_record_count(void)
{
	return disk.count;
}

const struct disk_record *disk_record_at(size_t i)
{
	return &disk.record[i];
}

void disk_fail(int n, int more, enum disk_fault how, int error)
{
	pthread_mutex_lock(&disk.lock);
	disk.calls = 0;
	disk.fail_at = n;
	disk.fail_more = more;
	disk.how = how;
	disk.error = error;
	disk.has_failed = false;
	pthread_mutex_unlock(&disk.lock);
}

int disk_calls(void)
{
	int calls;

	pthread_mutex_lock(&disk.lock);
	calls = disk.calls;
	pthread_mutex_unlock(&disk.lock);
	return calls;
}

bool disk_failed(void)
{
	bool failed;

	pthread_mutex_lock(&disk.lock);
	failed = disk.has_failed;
	pthread_mutex_unlock(&disk.lock);
	return failed;
}

/* --- what comes by --- */

static bool is_watched_path(const char *path)
{
	bool is;

	pthread_mutex_lock(&disk.lock);
	is = disk.is_watching && strncmp(path, disk.dir, strlen(disk.dir)) == 0 &&
	     strstr(path, disk.part) != NULL && strstr(path, "-lock") == NULL;
	pthread_mutex_unlock(&disk.lock);
	return is;
}

static bool find_path(int fd, char path[512])
{
	char link[64];
	ssize_t len;

	if (!disk.is_watching || fd < 3)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, 511);
	path[len < 0 ? 0 : len] = '\0';
	return len > 0;
}

static bool is_watched(int fd)
{
	char path[512];

	return find_path(fd, path) && is_watched_path(path);
}

static bool is_watched_dir(int fd)
{
	char path[512];
	size_t len = strlen(disk.dir);

	return find_path(fd, path) && strlen(path) == len - 1 &&
	       strncmp(path, disk.dir, len - 1) == 0;
}

/* Count a call; whether it is one that fails. */
static bool fails_now(void)
{
	bool fails;

	pthread_mutex_lock(&disk.lock);
	disk.calls++;
	fails = disk.fail_at > 0 && disk.calls >= disk.fail_at &&
		disk.calls <= disk.fail_at + disk.fail_more;
	disk.has_failed = disk.has_failed || fails;
	pthread_mutex_unlock(&disk.lock);
	return fails;
}

static void keep_locked(struct disk_record record, const void *bytes)
{
	pthread_mutex_lock(&disk.lock);
	keep(record, bytes);
	pthread_mutex_unlock(&disk.lock);
}

static ssize_t write_at(int fd, const void *bytes, size_t len, off_t offset)
{
	bool fails = fails_now();
	ssize_t done;

	if (fails && disk.how != DISK_FAULT_LATE) {
		errno = disk.error;
		if (disk.how == DISK_FAULT_ERROR || len < 2)
			return -1;
		len /= 2;
	}
	done = (ssize_t)syscall(SYS_pwrite64, fd, bytes, len, offset);
	if (done > 0)
		keep_locked(
			(struct disk_record){ .call = DISK_WRITE,
					      .offset = (uint64_t)offset,
					      .len = (size_t)done,
					      .is_durable = (fcntl(fd, F_GETFL) & O_DSYNC) != 0 },
			bytes);
	if (fails && disk.how == DISK_FAULT_LATE) {
		errno = disk.error;
		return -1;
	}
	return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	return is_watched(fd) ? write_at(fd, bytes, len, offset) :
				(ssize_t)syscall(SYS_pwrite64, fd, bytes, len, offset);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	ssize_t done;

	if (!is_watched(fd))
		return (ssize_t)syscall(SYS_write, fd, bytes, len);
	done = write_at(fd, bytes, len, lseek(fd, 0, SEEK_CUR));
	if (done > 0)
		(void)lseek(fd, done, SEEK_CUR);
	return done;
}

/* One call, however many pieces: they reach the file together or, cut short, in their order. */
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
	size_t len = 0;
	uint8_t *all;
	ssize_t done;

	if (!is_watched(fd))
		return (ssize_t)syscall(SYS_pwritev, fd, pieces, count, offset, 0);
	for (int i = 0; i < count; i++)
		len += pieces[i].iov_len;
	all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED) /* malloc() may be one that fails on demand */
		abort();
	len = 0;
	for (int i = 0; i < count; i++) {
		memcpy(all + len, pieces[i].iov_base, pieces[i].iov_len);
		len += pieces[i].iov_len;
	}
	done = write_at(fd, all, len, offset);
	(void)munmap(all, len);
	return done;
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	ssize_t done;

	if (!is_watched(fd))
		return (ssize_t)syscall(SYS_writev, fd, pieces, count);
	done = pwritev(fd, pieces, count, lseek(fd, 0, SEEK_CUR));
	if (done > 0)
		(void)lseek(fd, done, SEEK_CUR);
	return done;
}

/* A call that does all or nothing. */
static int call_or_fail(long rc, const struct disk_record *record, bool fails)
{
	if (rc == 0 && record != NULL)
		keep_locked(*record, NULL);
	if (!fails)
		return (int)rc;
	errno = disk.error;
	return -1;
}

int fdatasync(int fd)
{
	bool is_dir = is_watched_dir(fd), fails;
	const struct disk_record record = { .call = is_dir ? DISK_NAMED : DISK_SYNC };

	if (!is_dir && !is_watched(fd))
		return (int)syscall(SYS_fdatasync, fd);
	fails = fails_now();
	return fails && disk.how != DISK_FAULT_LATE ?
		       call_or_fail(0, NULL, true) :
		       call_or_fail(syscall(SYS_fdatasync, fd), &record, fails);
}

int fsync(int fd)
{
	return is_watched_dir(fd) || is_watched(fd) ? fdatasync(fd) : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t len)
{
	const struct disk_record record = { .call = DISK_CUT, .offset = (uint64_t)len };
	bool fails;

	if (!is_watched(fd))
		return (int)syscall(SYS_ftruncate, fd, len);
	fails = fails_now();
	return fails && disk.how != DISK_FAULT_LATE ?
		       call_or_fail(0, NULL, true) :
		       call_or_fail(syscall(SYS_ftruncate, fd, len), &record, fails);
}

int rename(const char *from, const char *to)
{
	const struct disk_record record = { .call = DISK_RENAME };
	bool fails;

	if (!is_watched_path(from))
		return (int)syscall(SYS_rename, from, to);
	fails = fails_now();
	return fails && disk.how != DISK_FAULT_LATE ?
		       call_or_fail(0, NULL, true) :
		       call_or_fail(syscall(SYS_rename, from, to), &record, fails);
}

/* Only to fail: what is made or opened says nothing about what is in it. */
int open(const char *path, int flags, ...)
{
	mode_t mode = 0600;

	if (is_watched_path(path) && fails_now()) {
		errno = disk.error;
		return -1;
	}
	if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
		va_list more;
		va_start(more, flags);
		mode = va_arg(more, mode_t);
		va_end(more);
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* Who is compiled with 64-bit file offsets calls these; here off_t is the same. */
#define ALSO(name, more) __typeof__(name) more __attribute__((alias(#name)))
ALSO(pwrite, pwrite64);
ALSO(pwritev, pwritev64);
ALSO(ftruncate, ftruncate64);
ALSO(open, open64);
