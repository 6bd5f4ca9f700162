/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test's process does to the files of a log, seen and disturbed. The program defines
 * pwrite(), fdatasync() and their kin itself, so that its libraries (LMDB) call these too.
 *
 * Watched are the files below one directory. A call on one is counted; it can be
 * recorded with what it wrote, and the n-th can fail. Any thread.
 */
#ifndef IPL_TESTS_DISK_H
#define IPL_TESTS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_call {
	DISK_WRITE,  /* bytes at offset */
	DISK_SYNC,   /* all written before is durable when it has returned */
	DISK_CUT,    /* the file's length is offset from here on */
	DISK_RENAME, /* the file got the name that counts */
	DISK_NAMED,  /* the directory was synced: names are durable */
	DISK_MARK,   /* by the test: what `value` says was acknowledged */
};

struct disk_record {
	enum disk_call call;
	bool is_durable; /* a write that is durable by itself when it has returned (O_DSYNC) */
	uint64_t offset;
	uint64_t value;
	size_t len;
	uint8_t *bytes;
};

/** Watch the files below @dir whose path has @part in it; NULL: none from here on. */
void disk_watch(const char *dir, const char *part);

/** Record from here on, or no longer. What was recorded before is dropped when it begins. */
void disk_record(bool on);
void disk_mark(uint64_t value);
size_t disk_record_count(void);
const struct disk_record *disk_record_at(size_t i);

enum disk_fault {
	DISK_FAULT_ERROR, /* the call fails with the error given and does nothing */
	DISK_FAULT_SHORT, /* a write takes half of it; others fail with the error */
	DISK_FAULT_LATE,  /* the call does its work, and fails nevertheless */
};
/** The @n-th call from now on fails (from 1; 0: none), and @more after it. */
void disk_fail(int n, int more, enum disk_fault how, int error);
/** Calls counted since disk_fail(). */
int disk_calls(void);
/** Whether one failed since disk_fail(). */
bool disk_failed(void);

#endif
