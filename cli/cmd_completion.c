/* SPDX-License-Identifier: Apache-2.0 */
/* completion: a script for a shell, made from the tables of commands, verbs and operations. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "operations/operation.h"

#define SHARED "--data --server --tls-ca -o --as-of"

static void print_commands(void)
{
	for (size_t i = 0; ipl_commands[i] != NULL; i++)
		printf("%s%s", i == 0 ? "" : " ", ipl_commands[i]->name);
}

static void print_operations(void)
{
	const struct ipl_operation *operation;

	for (size_t i = 0; (operation = ipl_operation_at(i)) != NULL; i++)
		printf("%s%s", i == 0 ? "" : " ", operation->name);
}

/* The long options that a command's usage names. */
static void print_options(const struct ipl_command *command)
{
	for (const char *at = strstr(command->args, "--"); at != NULL; at = strstr(at + 2, "--")) {
		size_t len = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
		if (len > 2)
			printf("%.*s ", (int)len, at);
	}
}

/* "jsonl|csv …": the words that the usage of a command begins with, if it does so in lower case. */
static void print_choices(const struct ipl_command *command)
{
	size_t len = strspn(command->args, "abcdefghijklmnopqrstuvwxyz|");

	if (command->args[len] != ' ' && command->args[len] != '\0')
		return;
	for (size_t i = 0; i < len; i++)
		putchar(command->args[i] == '|' ? ' ' : command->args[i]);
	putchar(' ');
}

static void print_verbs(const char *noun)
{
	const struct ipl_verb *verb;

	for (size_t i = 0; (verb = ipl_verb_at(noun, i)) != NULL; i++)
		printf("%s ", verb->verb);
}

/* One branch for each command: its verbs, what it names, and its options. */
static void print_cases(void)
{
	for (size_t i = 0; ipl_commands[i] != NULL; i++) {
		const char *name = ipl_commands[i]->name;
		printf("\t%s) words=\"", name);
		if (strcmp(name, "call") == 0)
			print_operations();
		if (strcmp(name, "help") == 0) {
			print_commands();
			printf(" operations expressions ");
		}
		print_verbs(name);
		print_choices(ipl_commands[i]);
		print_options(ipl_commands[i]);
		puts("\" ;;");
	}
}

/* zsh reads it as well, through bashcompinit. */
static void bash(void)
{
	puts("_ipledger() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= "
	     "words= i\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t--data|--server|--tls-ca|-o|--as-of) i=$((i + 1)) ;;\n"
	     "\t\t-*) ;;\n"
	     "\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\tcase $prev in\n"
	     "\t-o) COMPREPLY=($(compgen -W 'table json yaml csv' -- \"$cur\")); return ;;\n"
	     "\t--data|--file|--init|--keys|--config|--tls-ca|--tls-cert|--tls-key) "
	     "COMPREPLY=($(compgen -f -- \"$cur\")); "
	     "return ;;\n"
	     "\tesac\n"
	     "\tcase $command in");
	printf("\t'') words=\"");
	print_commands();
	puts(" " SHARED "\" ;;");
	print_cases();
	puts("\tesac\n"
	     "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	     "}\n"
	     "complete -o default -F _ipledger ipledger");
}

static void fish(void)
{
	for (size_t i = 0; ipl_commands[i] != NULL; i++) {
		const char *name = ipl_commands[i]->name;
		const struct ipl_verb *verb;
		printf("complete -c ipledger -n __fish_use_subcommand -a %s -d \"%s\"\n", name,
		       ipl_commands[i]->summary);
		for (size_t k = 0; (verb = ipl_verb_at(name, k)) != NULL; k++)
			printf("complete -c ipledger -f -n '__fish_seen_subcommand_from %s' -a "
			       "%s\n",
			       name, verb->verb);
	}
	printf("complete -c ipledger -f -n '__fish_seen_subcommand_from call' -a '");
	print_operations();
	puts("'\n"
	     "complete -c ipledger -s o -x -a 'table json yaml csv' -d output\n"
	     "complete -c ipledger -l data -r -d \"the ledger's directory\"\n"
	     "complete -c ipledger -l server -x -d 'unix:PATH or tcp:HOST:PORT'\n"
	     "complete -c ipledger -l as-of -x -d 'a seq, a time or a span back'");
}

static int run_completion(const struct ipl_invocation *in)
{
	const char *shell = in->argc == 1 ? in->argv[0] : "";

	if (strcmp(shell, "bash") == 0) {
		bash();
	} else if (strcmp(shell, "zsh") == 0) {
		puts("#compdef ipledger\nautoload -U +X bashcompinit && bashcompinit");
		bash();
	} else if (strcmp(shell, "fish") == 0) {
		fish();
	} else {
		return ipl_usage(in->command, "completion takes bash, zsh or fish");
	}
	return IPL_EXIT_OK;
}

const struct ipl_command ipl_cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.summary = "a script that completes these words in a shell",
	.more = "    source <(ipledger completion bash)\n"
		"    ipledger completion fish >~/.config/fish/completions/ipledger.fish\n",
	.run = run_completion,
};
