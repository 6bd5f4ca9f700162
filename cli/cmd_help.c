/* SPDX-License-Identifier: Apache-2.0 */
/* help and version. */
#include "cli/command.h"
#include "cli/man.h"
#include "cli/reference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
	puts("\nipledger help COMMAND: its words; help operations: what `call` can call; help "
	     "OPERATION: what it\n"
	     "takes; help events: what the log can hold");
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

static void explain(const struct ipl_command *command)
{
	size_t len = command->more == NULL ? 0 : strlen(command->more);

	printf("usage: ipledger %s%s%s\n%s\n", command->name, command->args[0] == '\0' ? "" : " ",
	       command->args, command->summary);
	if (len > 0)
		printf("%s%s", command->more, command->more[len - 1] == '\n' ? "" : "\n");
	if (command->options != NULL || ipl_verb_at(command->name, 0) != NULL)
		putchar('\n');
	for (const struct ipl_option_help *at = command->options; at != NULL && at->name != NULL;
	     at++)
		printf("  --%s%s%s\n      %s\n", at->name, at->value[0] == '\0' ? "" : " ",
		       at->value, at->what);
	ipl_list_verbs(stdout, command->name);
}

/* --- manual pages --- */

static enum ipl_status write_page(const char *folder, const char *name, int section,
				  struct ipl_error *err)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s/man%d", folder, section);
	bool is_whole;
	FILE *to;

	if (len < 0 || (size_t)len >= sizeof(path) - IPL_MAN_NAME_MAX - sizeof("/.1"))
		return ipl_error_set(err, IPL_ERR_IO, "%.400s: the path is too long", folder);
	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		return ipl_error_set(err, IPL_ERR_IO, "%.400s: %s", path, strerror(errno));
	(void)snprintf(path + len, sizeof(path) - (size_t)len, "/%s.%d", name, section);
	to = fopen(path, "w");
	if (to == NULL)
		return ipl_error_set(err, IPL_ERR_IO, "%.400s: %s", path, strerror(errno));
	is_whole = ipl_man_print(to, name) && ferror(to) == 0;
	if (fclose(to) != 0 || !is_whole)
		return ipl_error_set(err, IPL_ERR_IO, "%.400s: it cannot be written", path);
	return IPL_OK;
}

static int write_pages(const struct ipl_invocation *in, const char *folder)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	char name[IPL_MAN_NAME_MAX];
	int section;

	for (size_t i = 0; (section = ipl_man_at(i, name)) != 0; i++) {
		if (write_page(folder, name, section, &err) != IPL_OK)
			return ipl_fail(&err);
	}
	return IPL_EXIT_OK;
}

static int run_man(const struct ipl_invocation *in)
{
	const char *word = in->argc == 2 ? in->argv[1] : "";

	if (strcmp(in->argv[0], "--man-to") == 0)
		return word[0] == '\0' ? ipl_usage(in->command, "--man-to takes a directory") :
					 write_pages(in, word);
	if (ipl_man_print(stdout, word))
		return IPL_EXIT_OK;
	return ipl_usage(in->command,
			 "--man takes a page: ipledger, ipledger-COMMAND, ipledger.conf or "
			 "ipledger-protocol");
}

/* --- the command --- */

static int run_help(const struct ipl_invocation *in)
{
	const char *word = in->argc == 0 ? "" : in->argv[0];
	const struct ipl_operation *operation;

	if (in->argc == 0) {
		list_commands();
		return IPL_EXIT_OK;
	}
	if (strcmp(word, "--man") == 0 || strcmp(word, "--man-to") == 0)
		return run_man(in);
	if (strcmp(word, "operations") == 0) {
		list_operations();
		return IPL_EXIT_OK;
	}
	if (strcmp(word, "expressions") == 0) {
		list_expressions();
		return IPL_EXIT_OK;
	}
	if (strcmp(word, "events") == 0) {
		ipl_reference_events(stdout);
		return IPL_EXIT_OK;
	}
	if ((operation = ipl_operation_find(ipl_str_of(word))) != NULL) {
		ipl_reference_operation(stdout, operation);
		return IPL_EXIT_OK;
	}
	for (size_t i = 0; ipl_commands[i] != NULL; i++) {
		if (strcmp(ipl_commands[i]->name, word) != 0)
			continue;
		explain(ipl_commands[i]);
		return IPL_EXIT_OK;
	}
	return ipl_usage(&ipl_cmd_help, "there is no command or operation %s", word);
}

const struct ipl_command ipl_cmd_help = {
	.name = "help",
	.args = "[COMMAND|OPERATION|operations|events|expressions] | --man PAGE | --man-to DIR",
	.summary = "what there is",
	.more = "operations: all that `call` can call; OPERATION: what one takes. events: each "
		"type of\n"
		"event with its members, in Markdown. expressions: the language of bisect.\n"
		"--man prints a manual page: ipledger, ipledger-COMMAND, ipledger.conf or\n"
		"ipledger-protocol; --man-to writes all of them, into DIR/man1, man5\n"
		"and man7.\n\n"
		"    ipledger help --man ipledger-protocol | man -l -\n",
	.run = run_help,
};

static int run_version(const struct ipl_invocation *in)
{
	struct ipl_value result = ipl_map();

	if (in->argc != 0)
		return ipl_usage(&ipl_cmd_version, "version takes no words");
	if (in->output == IPL_OUTPUT_TABLE) {
		printf("ipledger %s\n", IPL_VERSION);
		return IPL_EXIT_OK;
	}
	ipl_map_add(in->arena, &result, "Version", ipl_text_of(IPL_VERSION));
	ipl_print_result(in, &result);
	return IPL_EXIT_OK;
}

const struct ipl_command ipl_cmd_version = {
	.name = "version",
	.args = "",
	.summary = "the version of this program",
	.run = run_version,
};
