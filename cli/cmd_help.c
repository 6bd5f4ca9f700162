/* SPDX-License-Identifier: Apache-2.0 */
/* help and version. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "operations/operation.h"
#include "replay/expr.h"

static void list_commands(void)
{
	puts("ipledger: an event-sourced ledger of cloud IP addresses\n"
	     "\n"
	     "usage: ipledger [--data DIR | --server ADDR] [-o table|json|yaml|csv] [--as-of WHEN] "
	     "COMMAND "
	     "...\n"
	     "       ADDR: unix:PATH, tcp:HOST:PORT or tls:HOST:PORT [--tls-ca FILE]; the key of\n"
	     "       IPLEDGER_ACCESS_KEY_ID and IPLEDGER_ACCESS_KEY_SECRET, or those of the SDKs\n"
	     "       WHEN: a seq, an RFC 3339 time, or a span back from now (5m, 2h, 3d)\n");
	for (size_t i = 0; ipl_commands[i] != NULL; i++)
		printf("  %-12s  %s\n", ipl_commands[i]->name, ipl_commands[i]->summary);
	puts("\nipledger help COMMAND: its words; ipledger help operations: what `call` can call");
}

static void list_operations(void)
{
	const struct ipl_operation *operation;

	for (size_t i = 0; (operation = ipl_operation_at(i)) != NULL; i++) {
		printf("%s", operation->name);
		for (uint32_t k = 0; k < operation->params->count; k++)
			printf(" %s%s", operation->params->at[k].name,
			       operation->params->at[k].is_required ? "*" : "");
		putchar('\n');
	}
	puts("\n* required. Every write also takes RegionId ClientToken DryRun IfSeq Reason Actor\n"
	     "EventTime; every read AsOf, and lists MaxResults NextToken.");
}

static void list_expressions(void)
{
	puts("values    7  \"text\"  true  false  nil  10.0.1.5  an id, and ID.Member of what it "
	     "shows\n"
	     "operators + -   == != < <= > >=   not   and   or   ( )\n");
#define X(NAME, name, text) printf("  %-28s %s\n", name, text);
	IPL_EXPR_WORD_LIST(X)
#undef X
#define X(NAME, name, least, most, args, text) printf("  %-28s %s\n", name "(" args ")", text);
	IPL_EXPR_FUNCTION_LIST(X)
#undef X
}

static int run_help(const struct ipl_invocation *in)
{
	if (in->argc == 0) {
		list_commands();
		return IPL_EXIT_OK;
	}
	if (strcmp(in->argv[0], "operations") == 0) {
		list_operations();
		return IPL_EXIT_OK;
	}
	if (strcmp(in->argv[0], "expressions") == 0) {
		list_expressions();
		return IPL_EXIT_OK;
	}
	for (size_t i = 0; ipl_commands[i] != NULL; i++) {
		if (strcmp(ipl_commands[i]->name, in->argv[0]) != 0)
			continue;
		printf("usage: ipledger %s %s\n%s\n%s", ipl_commands[i]->name,
		       ipl_commands[i]->args, ipl_commands[i]->summary,
		       ipl_commands[i]->more == NULL ? "" : ipl_commands[i]->more);
		return IPL_EXIT_OK;
	}
	return ipl_usage(&ipl_cmd_help, "there is no command %s", in->argv[0]);
}

const struct ipl_command ipl_cmd_help = {
	.name = "help",
	.args = "[COMMAND|operations|expressions]",
	.summary = "what there is",
	.run = run_help,
};

static int run_version(const struct ipl_invocation *in)
{
	if (in->argc != 0)
		return ipl_usage(&ipl_cmd_version, "version takes no words");
	if (in->output == IPL_OUTPUT_JSON)
		printf("{\"Version\": \"%s\"}\n", IPL_VERSION);
	else
		printf("ipledger %s\n", IPL_VERSION);
	return IPL_EXIT_OK;
}

const struct ipl_command ipl_cmd_version = {
	.name = "version",
	.args = "",
	.summary = "the version of this program",
	.run = run_version,
};
