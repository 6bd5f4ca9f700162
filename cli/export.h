/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats of `export` share. */
#ifndef IPL_CLI_EXPORT_H
#define IPL_CLI_EXPORT_H

#include "cli/client.h"
#include "cli/command.h"
#include "cli/progress.h"

#include <stdio.h>

struct ipl_export {
	const struct ipl_invocation *in;
	struct ipl_client *client;
	struct ipl_error err;
	struct ipl_value range; /* FromSeq, ToTime, … of ListEvents */
	struct ipl_progress progress;
	FILE *to;
	bool has_failed; /* something could not be written */
	uint64_t rows;
	uint64_t seq; /* the moment of the lists; 0: none was read yet */
};

void ipl_export_write(struct ipl_export *x, const struct ipl_buf *text);
/** A whole list of @operation, its items under @path; all lists of one export are of one moment. */
enum ipl_status ipl_export_list(struct ipl_export *x, const char *operation, const char *path,
				struct ipl_value *result,
				const struct ipl_value **list) IPL_MUST_USE;

#endif
