/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a log, made event by event: compact, and checked by its tree against
 * the log it comes from. The log may be appended to meanwhile; the copy ends
 * where the log ended when it began.
 */
#ifndef IPL_STORE_COPY_H
#define IPL_STORE_COPY_H

#include "store/store.h"

/** Told how far it is; false ends the copy. */
typedef bool (*ipl_copy_fn)(void *context, uint64_t done, uint64_t total);

/**
 * Copy the log in @from to the directory @to (made with mode 0700 when missing), which must not
 * hold one. It is written beside its place and moved there when it is whole and durable: where
 * this fails or is ended, @to is as it was.
 *
 * @retval IPL_REFUSED      @to holds a log already; or @fn ended it
 * @retval IPL_ERR_CORRUPT  the copy's root is not the log's: the log is damaged
 * @retval IPL_ERR_IO       a file could not be read or written
 */
enum ipl_status ipl_store_copy(const char *from, const char *to, ipl_copy_fn fn, void *context,
			       struct ipl_head *out, struct ipl_error *err) IPL_MUST_USE;

#endif
