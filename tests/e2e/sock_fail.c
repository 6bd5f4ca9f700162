/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a server under test: of the calls that have to do with sockets one fails, when the
 * test says so, by what it writes into the file SOCK_FAIL, which is mapped here: a struct control.
 * Calls of each kind are counted there.
 */
#undef _FILE_OFFSET_BITS /* the names that libevent calls */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { ACCEPT, READ, WRITE, CONTROL, WAIT, KINDS };
#define SHORT 0 /* instead of an error: one byte, and no more */

/* As the test reads and writes it: 32-bit numbers. */
struct control {
	_Atomic int32_t kind;  /* that is to fail; -1: none */
	_Atomic int32_t after; /* calls of the kind that still succeed */
	_Atomic int32_t error; /* errno, or SHORT */
	_Atomic int32_t times; /* that it fails, one after the other */
	_Atomic int32_t calls[KINDS];
};

static struct control *control;

__attribute__((constructor)) static void map_control(void)
{
	const char *path = getenv("SOCK_FAIL");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *at = fd < 0 ? MAP_FAILED :
			    mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	control = at == MAP_FAILED ? NULL : at;
}

/* Whether this call is the one. */
static bool fails(enum kind kind)
{
	if (control == NULL)
		return false;
	atomic_fetch_add(&control->calls[kind], 1);
	if (atomic_load(&control->kind) != (int32_t)kind || atomic_load(&control->times) <= 0 ||
	    atomic_fetch_sub(&control->after, 1) > 0)
		return false;
	atomic_fetch_sub(&control->times, 1);
	errno = atomic_load(&control->error);
	return true;
}

static bool is_socket(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode);
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *len, int flags)
{
	return fails(ACCEPT) ? -1 : (int)syscall(SYS_accept4, fd, address.__sockaddr__, len, flags);
}

ssize_t read(int fd, void *bytes, size_t len)
{
	if (is_socket(fd) && fails(READ)) {
		if (errno != SHORT)
			return -1;
		len = len > 0;
	}
	return syscall(SYS_read, fd, bytes, len);
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
	if (is_socket(fd) && fails(READ)) {
		if (errno != SHORT)
			return -1;
		return syscall(SYS_read, fd, parts[0].iov_base, parts[0].iov_len > 0);
	}
	return syscall(SYS_readv, fd, parts, count);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	if (is_socket(fd) && fails(WRITE)) {
		if (errno != SHORT)
			return -1;
		len = len > 0;
	}
	return syscall(SYS_write, fd, bytes, len);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	if (is_socket(fd) && fails(WRITE)) {
		if (errno != SHORT)
			return -1;
		return syscall(SYS_write, fd, parts[0].iov_base, parts[0].iov_len > 0);
	}
	return syscall(SYS_writev, fd, parts, count);
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
	return fails(CONTROL) ? -1 : (int)syscall(SYS_epoll_ctl, epoll, what, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout_ms)
{
	return fails(WAIT) ?
		       -1 :
		       (int)syscall(SYS_epoll_pwait, epoll, events, most, timeout_ms, NULL, 8);
}
