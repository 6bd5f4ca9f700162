/* SPDX-License-Identifier: Apache-2.0 */
/* One process appends: DIR/lock, and where a log cannot be trusted to lie. */
#include "store/lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define V9FS_MAGIC_LOCAL 0x01021997
#define CIFS_MAGIC_LOCAL 0xff534d42u

enum ipl_status ipl_lock_check_dir(const char *dir, struct ipl_error *err)
{
	struct statfs fs;

	if (statfs(dir, &fs) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", dir, strerror(errno));
	if ((uint32_t)fs.f_type == NFS_SUPER_MAGIC || (uint32_t)fs.f_type == V9FS_MAGIC_LOCAL ||
	    (uint32_t)fs.f_type == CIFS_MAGIC_LOCAL)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s is on a network file system, where a memory-mapped log is "
				     "not safe: use a local disk",
				     dir);
	return IPL_OK;
}

static enum ipl_status say_holder(const struct ipl_store *store, int fd, struct ipl_error *err)
{
	char pid[32] = "";
	ssize_t len = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
	return ipl_error_set(err, IPL_ERR_BUSY, "%s is in use by process %s", store->dir,
			     pid[0] == '\0' ? "(unknown)" : pid);
}

/* The id of who holds it is in it for as long as that one has not ended well. */
static bool is_empty(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 && file.st_size == 0;
}

void ipl_lock_look(struct ipl_store *store)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s/lock", store->dir);
	int fd = len < 0 || (size_t)len >= sizeof(path) ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	store->ended_well = fd >= 0 && is_empty(fd);
	if (fd >= 0)
		close(fd);
}

void ipl_lock_release(struct ipl_store *store)
{
	if (store->is_sound && !store->suspect && ftruncate(store->lock_fd, 0) != 0)
		store->ended_well = false; /* then the next one looks once more than it must */
	close(store->lock_fd);
	store->lock_fd = -1;
}

enum ipl_status ipl_lock_take(struct ipl_store *store, struct ipl_error *err)
{
	char path[4096], pid[32];
	int len, fd;

	len = snprintf(path, sizeof(path), "%s/lock", store->dir);
	if (len < 0 || (size_t)len >= sizeof(path))
		return ipl_error_set(err, IPL_ERR_IO, "%s: the path is too long", store->dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		enum ipl_status st = errno == EWOULDBLOCK ? say_holder(store, fd, err) :
							    ipl_error_set(err, IPL_ERR_IO, "%s: %s",
									  path, strerror(errno));
		close(fd);
		return st;
	}
	store->ended_well = is_empty(fd);
	len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len) {
		enum ipl_status st =
			ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
		close(fd);
		return st;
	}
	store->lock_fd = fd;
	return IPL_OK;
}
