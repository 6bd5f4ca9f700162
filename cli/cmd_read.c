/* SPDX-License-Identifier: Apache-2.0 */
/* status and log. */
#include "cli/ask.h"

#include <stdio.h>
#include <string.h>

static int run_status(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();

	if (in->argc != 0)
		return ipl_usage(&ipl_cmd_status, "status takes no words");
	return ipl_ask_and_print(in, "GetStatus", &params);
}

const struct ipl_command ipl_cmd_status = {
	.name = "status",
	.args = "",
	.summary = "the ledger's head, its counts and its store",
	.run = run_status,
};

/* --- log --- */

static int run_log(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();
	const char *id = NULL;

	for (int i = 0; i < in->argc; i++) {
		const char *from = ipl_option(in, &i, "--from");
		const char *to = from != NULL ? NULL : ipl_option(in, &i, "--to");
		if (from != NULL && !ipl_add_bound(in, &params, from, "FromSeq", "FromTime"))
			return ipl_usage(&ipl_cmd_log, "--from %s is no moment", from);
		if (to != NULL && !ipl_add_bound(in, &params, to, "ToSeq", "ToTime"))
			return ipl_usage(&ipl_cmd_log, "--to %s is no moment", to);
		if (from != NULL || to != NULL)
			continue;
		if (strcmp(in->argv[i], "--reverse") == 0)
			ipl_map_add(in->arena, &params, "Reverse", ipl_bool(true));
		else if (id == NULL && in->argv[i][0] != '-')
			id = in->argv[i];
		else
			return ipl_usage(&ipl_cmd_log, "%s is too much", in->argv[i]);
	}
	if (id != NULL)
		ipl_map_add(in->arena, &params, "Id", ipl_text_of(id));
	return ipl_ask_all_and_print(in, "ListEvents", &params);
}

const struct ipl_command ipl_cmd_log = {
	.name = "log",
	.args = "[ID|ADDRESS] [--from WHEN] [--to WHEN] [--reverse]",
	.summary = "events: of everything, of one entity, of one address",
	.run = run_log,
};
