/* SPDX-License-Identifier: Apache-2.0 */
/* status and log. */
#include "cli/ask.h"
#include "cli/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The head as it is noted outside, before everything else. */
static int print_status(const struct ipl_invocation *in, struct ipl_value *params)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_session *session = NULL;
	struct ipl_value result, shown = ipl_map();
	enum ipl_status st = ipl_session_open(in->data, in->server, &session, &err);

	if (st == IPL_OK)
		st = ipl_ask(in, session, "GetStatus", params, &result, &err);
	ipl_session_close(session);
	if (st != IPL_OK)
		return ipl_fail(&err);
	ipl_map_add(in->arena, &shown, "Head",
		    ipl_textf(in->arena, "%" PRId64 ":%.*s",
			      ipl_map_get(&result, "HeadSeq")->integer,
			      IPL_STR_ARG(ipl_map_text(&result, "HeadRoot"))));
	for (uint32_t i = 0; i < result.count; i++)
		ipl_map_add_str(in->arena, &shown, result.member[i].key, result.member[i].value);
	ipl_print_result(in, &shown);
	return IPL_EXIT_OK;
}

static int run_status(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();

	if (in->argc != 0)
		return ipl_usage(&ipl_cmd_status, "status takes no words");
	if (in->output != IPL_OUTPUT_TABLE)
		return ipl_ask_and_print(in, "GetStatus", &params);
	return print_status(in, &params);
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
	bool follows = false, is_bounded = in->as_of != NULL;

	for (int i = 0; i < in->argc; i++) {
		const char *from = ipl_option(in, &i, "--from");
		const char *to = from != NULL ? NULL : ipl_option(in, &i, "--to");
		if (from != NULL && !ipl_add_bound(in, &params, from, "FromSeq", "FromTime"))
			return ipl_usage(&ipl_cmd_log, "--from %s is no moment", from);
		if (to != NULL && !ipl_add_bound(in, &params, to, "ToSeq", "ToTime"))
			return ipl_usage(&ipl_cmd_log, "--to %s is no moment", to);
		is_bounded = is_bounded || to != NULL || strcmp(in->argv[i], "--reverse") == 0;
		if (from != NULL || to != NULL)
			continue;
		if (strcmp(in->argv[i], "--reverse") == 0)
			ipl_map_add(in->arena, &params, "Reverse", ipl_bool(true));
		else if (strcmp(in->argv[i], "--follow") == 0)
			follows = true;
		else if (id == NULL && in->argv[i][0] != '-')
			id = in->argv[i];
		else
			return ipl_usage(&ipl_cmd_log, "%s is too much", in->argv[i]);
	}
	if (id != NULL)
		ipl_map_add(in->arena, &params, "Id", ipl_text_of(id));
	if (!follows)
		return ipl_ask_all_and_print(in, "ListEvents", &params);
	if (is_bounded)
		return ipl_usage(&ipl_cmd_log, "--follow has no --to, --reverse or --as-of");
	if (in->output != IPL_OUTPUT_TABLE && in->output != IPL_OUTPUT_JSON)
		return ipl_usage(&ipl_cmd_log, "--follow prints -o table or json");
	return ipl_follow(in, &params);
}

const struct ipl_command ipl_cmd_log = {
	.name = "log",
	.args = "[ID|ADDRESS] [--from WHEN] [--to WHEN] [--reverse] [--follow]",
	.summary = "events: of everything, of one entity, of one address",
	.more = "--follow prints events as they come, a line each, from --from on (default: from\n"
		"now on), through restarts of the server, until Ctrl-C.",
	.run = run_log,
};
