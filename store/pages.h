/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structure of an LMDB file, looked at without LMDB, which trusts what it reads and crashes on
 * some damage. A bounded walk: each page that a table reaches is read once, and is where it says it
 * is, of the kind that its depth wants, with keys in order and in the bounds of its
 * parent, and everything in it inside it; the counts are those that the file tells;
 * free pages are not in use. What the values say is not looked at.
 *
 * The file is that of our log: the tables log, roots and meta, and no other.
 */
#ifndef IPL_STORE_PAGES_H
#define IPL_STORE_PAGES_H

#include "events/base.h"

/**
 * Walk the file at @path. It may be appended to meanwhile, by another process: what
 * looks wrong is looked at again then, and not held against a file that keeps moving.
 *
 * @retval IPL_ERR_CORRUPT  the message names the page
 * @retval IPL_ERR_IO       it cannot be read; IPL_ERR_END where there is no such file
 */
enum ipl_status ipl_pages_check(const char *path, struct ipl_error *err) IPL_MUST_USE;

/**
 * After LMDB could not write a meta page: what it puts in its place has the number of the
 * transaction before and the tables of the one that failed, which nobody can tell from one whose
 * number is damaged. Make it a copy of the other page, durably. Nobody has the file open to append.
 *
 * @retval IPL_ERR_IO  it could not be written
 */
enum ipl_status ipl_pages_mend(const char *path, struct ipl_error *err) IPL_MUST_USE;

#endif
