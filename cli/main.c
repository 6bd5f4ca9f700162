/* SPDX-License-Identifier: Apache-2.0 */
/* ipledger: the options that every command shares, and which command it is. */
#include "cli/command.h"
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct ipl_command *const ipl_commands[] = {
#define C(name) &ipl_cmd_##name,
	IPL_COMMAND_LIST(C)
#undef C
		NULL,
};

int ipl_usage(const struct ipl_command *command, const char *format, ...)
{
	va_list args;

	fputs("ipledger: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (command == NULL)
		fputs("\ntry: ipledger help\n", stderr);
	else
		fprintf(stderr, "\nusage: ipledger %s %s\n", command->name, command->args);
	return IPL_EXIT_USAGE;
}

/* Edits (insert, drop, replace, swap neighbours) between two short words, cut at IPL_TYPO_MAX + 1.
 */
size_t ipl_typo_distance(const char *a, const char *b)
{
	enum { LEN_MAX = 40 };
	size_t d[LEN_MAX + 1][LEN_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > LEN_MAX || lb > LEN_MAX)
		return IPL_TYPO_MAX + 1;
	for (size_t i = 0; i <= la; i++) {
		for (size_t k = 0; k <= lb; k++) {
			size_t best = i == 0 ? k : k == 0 ? i : SIZE_MAX;
			if (i > 0 && k > 0) {
				size_t change = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
				size_t edit =
					(d[i - 1][k] < d[i][k - 1] ? d[i - 1][k] : d[i][k - 1]) + 1;
				best = change < edit ? change : edit;
			}
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
			    d[i - 2][k - 2] + 1 < best)
				best = d[i - 2][k - 2] + 1;
			d[i][k] = best;
		}
	}
	return d[la][lb] > IPL_TYPO_MAX ? IPL_TYPO_MAX + 1 : d[la][lb];
}

static int exit_of(enum ipl_status st)
{
	switch (st) {
	case IPL_OK:
		return IPL_EXIT_OK;
	case IPL_REFUSED:
	case IPL_ERR_END:
		return IPL_EXIT_REFUSED;
	case IPL_ERR_CORRUPT:
		return IPL_EXIT_DAMAGED;
	case IPL_ERR_NOMEM:
	case IPL_ERR_IO:
	case IPL_ERR_OUTCOME:
	case IPL_ERR_BUSY:
		return IPL_EXIT_UNREACHABLE;
	}
	return IPL_EXIT_UNREACHABLE;
}

int ipl_fail(const struct ipl_error *err)
{
	if (ipl_interrupted()) { /* whatever it was in the middle of */
		fputs("ipledger: interrupted: nothing is half done\n", stderr);
		return IPL_EXIT_SIGNAL + ipl_interrupted_by();
	}
	if (err->status == IPL_REFUSED)
		fprintf(stderr, "%s: %s\n", ipl_code_text(err->code), err->text);
	else
		fprintf(stderr, "ipledger: %s\n", err->text);
	return exit_of(err->status);
}

const char *ipl_option(const struct ipl_invocation *in, int *i, const char *name)
{
	size_t len = strlen(name);
	const char *word = in->argv[*i];

	if (strncmp(word, name, len) == 0 && word[len] == '=')
		return word + len + 1;
	if (strcmp(word, name) != 0)
		return NULL;
	return *i + 1 < in->argc ? in->argv[++*i] : "";
}

bool ipl_add_bound(const struct ipl_invocation *in, struct ipl_value *params, const char *text,
		   const char *seq_name, const char *time_name)
{
	struct ipl_value when;

	if (!ipl_when(in->arena, text, &when))
		return false;
	ipl_map_add(in->arena, params, when.type == IPL_VALUE_INT ? seq_name : time_name, when);
	return true;
}

static const char *default_data(struct ipl_arena *arena)
{
	const char *own = getenv("IPLEDGER_DATA");
	const char *xdg = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (own != NULL && own[0] != '\0')
		return own;
	if (xdg != NULL && xdg[0] != '\0')
		return ipl_arena_printf(arena, "%s/ipledger", xdg).at;
	return ipl_arena_printf(arena, "%s/.local/share/ipledger",
				home != NULL && home[0] != '\0' ? home : "")
		.at;
}

static bool read_output(struct ipl_invocation *in, const char *word)
{
	static const char *const words[] = { [IPL_OUTPUT_TABLE] = "table",
					     [IPL_OUTPUT_JSON] = "json",
					     [IPL_OUTPUT_YAML] = "yaml",
					     [IPL_OUTPUT_CSV] = "csv" };

	for (size_t i = 0; i < IPL_ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		in->output = (enum ipl_output)i;
		return true;
	}
	return false;
}

/* Take the shared options out of the words, wherever they stand; -1: go on. */
static int read_shared(struct ipl_invocation *in, struct ipl_value *as_of)
{
	bool is_over = false; /* what follows -- is somebody else's */
	int kept = 0;

	for (int i = 0; i < in->argc; i++) {
		const char *value;
		is_over = is_over || strcmp(in->argv[i], "--") == 0;
		if (is_over)
			in->argv[kept++] = in->argv[i];
		else if ((value = ipl_option(in, &i, "--data")) != NULL) {
			in->data = value;
			in->is_data_given = true;
		} else if ((value = ipl_option(in, &i, "--server")) != NULL)
			in->server = value;
		else if ((value = ipl_option(in, &i, "--tls-ca")) != NULL)
			(void)setenv("IPLEDGER_TLS_CA", value, 1); /* out of memory: not trusted */
		else if ((value = ipl_option(in, &i, "-o")) != NULL) {
			if (!read_output(in, value))
				return ipl_usage(NULL,
						 "-o takes table, json, yaml or csv, not \"%s\"",
						 value);
		} else if ((value = ipl_option(in, &i, "--as-of")) != NULL) {
			if (!ipl_when(in->arena, value, as_of))
				return ipl_usage(NULL,
						 "--as-of takes a seq, an RFC 3339 time or a span "
						 "such as 5m, not \"%s\"",
						 value);
			in->as_of = as_of;
		} else
			in->argv[kept++] = in->argv[i];
	}
	in->argc = kept;
	if (in->data[0] == '\0')
		return ipl_usage(NULL, "--data takes a directory");
	return -1;
}

static int no_such_command(const char *name)
{
	const char *near = NULL;
	size_t nearest = IPL_TYPO_MAX + 1;

	for (size_t i = 0; ipl_commands[i] != NULL; i++) {
		size_t distance = ipl_typo_distance(name, ipl_commands[i]->name);
		if (distance < nearest) {
			nearest = distance;
			near = ipl_commands[i]->name;
		}
	}
	if (near != NULL)
		return ipl_usage(NULL, "there is no command %s: did you mean %s?", name, near);
	return ipl_usage(NULL, "there is no command %s", name);
}

static int run(struct ipl_invocation *in)
{
	struct ipl_value as_of;
	const char *name;
	int rc = read_shared(in, &as_of);

	if (rc >= 0)
		return rc;
	if (in->argc == 0)
		return ipl_usage(NULL, "which command?");
	name = in->argv[0];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	in->argc--;
	in->argv++;
	for (size_t i = 0; ipl_commands[i] != NULL; i++) {
		if (strcmp(ipl_commands[i]->name, name) != 0)
			continue;
		in->command = ipl_commands[i];
		return ipl_commands[i]->run(in);
	}
	return no_such_command(name);
}

int main(int argc, char **argv)
{
	struct ipl_arena arena;
	struct ipl_invocation in = { .arena = &arena, .argc = argc - 1, .argv = argv + 1 };
	int rc;

	ipl_arena_init(&arena, (size_t)1 << 30);
	in.data = default_data(&arena);
	rc = run(&in);
	if (fflush(stdout) != 0 && rc == IPL_EXIT_OK)
		rc = IPL_EXIT_UNREACHABLE; /* what was asked for could not be printed */
	ipl_arena_release(&arena);
	return rc;
}
