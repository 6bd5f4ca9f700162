/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters as they travel over HTTP: a query or a form, with lists and objects
 * flattened into names (`Tag.1.Key=app`), into the tree that the operation table
 * parses. Every length is counted: a NUL is a byte like another.
 *
 * Text becomes a number or a boolean where the table says so and it is one; what
 * is not stays text, and the table refuses it in its own words. So what is wrong
 * is said in one place for all doors.
 */
#ifndef IPL_SERVER_PARAMS_HTTP_H
#define IPL_SERVER_PARAMS_HTTP_H

#include "operations/operation.h"

#define IPL_PAIRS_MAX       4096u
#define IPL_NAME_DEPTH_MAX  8u
#define IPL_LIST_INDEX_MAX  1000u /* from 1; what lies between may be missing */
#define IPL_NAME_BYTES_MAX  256u
#define IPL_VALUE_BYTES_MAX ((size_t)1 << 20)

/** A name and its value, decoded: UTF-8 in an arena. */
struct ipl_pair {
	struct ipl_str name;
	struct ipl_str value;
};

/** Zeroed is empty. */
struct ipl_pairs {
	struct ipl_pair *at;
	uint32_t count;
};

/**
 * Append the pairs of @text (`a=b&c=d`; `+` is a blank, %XX a byte; a part without
 * `=` is a name with an empty value, an empty part is nothing).
 * Refused with IPL_CODE_MALFORMED_REQUEST: a % without two hex digits, text that is
 * not UTF-8, more than IPL_PAIRS_MAX pairs, a name over IPL_NAME_BYTES_MAX.
 */
enum ipl_status ipl_pairs_parse(struct ipl_arena *arena, struct ipl_str text, struct ipl_pairs *out,
				struct ipl_error *err) IPL_MUST_USE;
/** The pairs of @a, then those of @b. */
enum ipl_status ipl_pairs_join(struct ipl_arena *arena, const struct ipl_pairs *a,
			       const struct ipl_pairs *b, struct ipl_pairs *out,
			       struct ipl_error *err) IPL_MUST_USE;
/** The value of the first pair @name; absent where there is none. */
struct ipl_str ipl_pairs_find(const struct ipl_pairs *pairs, const char *name);

/**
 * The parameters of @operation among @pairs, as the map that ipl_operation_parse()
 * takes. Others are left out, as SDKs send more than is modelled, unless they would
 * change addressing: those stay in, to be refused. The words `undefined` and `null`
 * are nothing.
 * Refused with IPL_CODE_INVALID_PARAMETER: one name with two values, a list's index
 * out of bounds, names nested too deep or with too many parts.
 */
enum ipl_status ipl_params_tree(const struct ipl_operation *operation,
				const struct ipl_pairs *pairs, struct ipl_arena *arena,
				struct ipl_value *out, struct ipl_error *err) IPL_MUST_USE;

#endif
