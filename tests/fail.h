/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of our own code that fail on demand: the linker puts what is here in the place of the
 * allocator's and of LMDB's functions (--wrap), for what is linked into the program and not for
 * libraries. Any thread; all threads are counted together.
 */
#ifndef IPL_TESTS_FAIL_H
#define IPL_TESTS_FAIL_H

#include <stdbool.h>

enum fail_kind {
	FAIL_NONE,
	FAIL_MEMORY,      /* malloc and its kin give NULL */
	FAIL_LMDB,        /* a call of LMDB does nothing and gives the error */
	FAIL_LMDB_COMMIT, /* mdb_txn_commit() does its work, and gives the error nevertheless */
};

/** The @n-th call of @kind from now on fails (from 1; 0: none). */
void fail_at(enum fail_kind kind, int n, int error);
/** How many there were since. */
int fail_calls(void);
bool fail_happened(void);

#endif
