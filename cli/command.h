/* SPDX-License-Identifier: Apache-2.0 */
/* The program's commands: one file, one row, one function each. */
#ifndef IPL_CLI_COMMAND_H
#define IPL_CLI_COMMAND_H

#include "cli/command_list.h"
#include "cli/when.h"
#include "events/value.h"

#include <stdio.h>

/* Exit statuses of every command. */
enum ipl_exit {
	IPL_EXIT_OK = 0,
	IPL_EXIT_REFUSED = 1, /* the answer was no, or nothing was found */
	IPL_EXIT_USAGE = 2,
	IPL_EXIT_UNREACHABLE = 3, /* the ledger could not be reached or opened */
	IPL_EXIT_DAMAGED = 4,
	IPL_EXIT_SIGNAL =
		128, /* and the signal that ended it, as shells say it: 130 after Ctrl-C */
};

enum ipl_output { IPL_OUTPUT_TABLE, IPL_OUTPUT_JSON, IPL_OUTPUT_YAML, IPL_OUTPUT_CSV };

/** What stands before the command, and the command's own words. */
struct ipl_invocation {
	const struct ipl_command *command;
	const char *data;   /* the ledger's directory */
	bool is_data_given; /* on the command line */
	const char *server; /* NULL: the directory's socket, else the directory itself */
	enum ipl_output output;
	const struct ipl_value *as_of; /* NULL: now */
	struct ipl_arena *arena;
	int argc;
	char **argv; /* after the command's name */
};

/** An option of a command, for help and man pages. A list of them ends with a NULL name. */
struct ipl_option_help {
	const char *name;  /* without -- */
	const char *value; /* "FILE"; "": it takes none */
	const char *what;  /* a sentence or a few */
};

struct ipl_command {
	const char *name;
	const char *args;
	const char *summary;
	const char *more; /* what else `help` says, lines of up to 79 columns; NULL: nothing */
	const struct ipl_option_help *options;       /* NULL: args and more say it all */
	int (*run)(const struct ipl_invocation *in); /* gives an exit status */
};

#define C(name) extern const struct ipl_command ipl_cmd_##name;
IPL_COMMAND_LIST(C)
#undef C

/** All of them, sorted by name; ends with NULL. */
extern const struct ipl_command *const ipl_commands[];

/** Say how @command is used, on standard error; gives IPL_EXIT_USAGE. */
int ipl_usage(const struct ipl_command *command, const char *format, ...) IPL_PRINTF(2, 3);
#define IPL_TYPO_MAX 2u
/** How many typos make @a of @b; IPL_TYPO_MAX + 1 where it is more than that. */
size_t ipl_typo_distance(const char *a, const char *b);
/** Say what went wrong, on standard error; gives the exit status for it. */
int ipl_fail(const struct ipl_error *err);
/**
 * The value of option @name ("--from") at argv[*i], which then stands at it; NULL
 * where argv[*i] is not that option. "" where the value is missing.
 */
const char *ipl_option(const struct ipl_invocation *in, int *i, const char *name);
/** The same as a member of @params: under @seq_name or @time_name. False where it is no moment. */
bool ipl_add_bound(const struct ipl_invocation *in, struct ipl_value *params, const char *text,
		   const char *seq_name, const char *time_name);
#define IPL_VERB_WORDS_MAX 2u
/** An operation by noun: `ipledger vswitch create`. */
struct ipl_verb {
	const char *noun;
	const char *verb;
	const char *operation;
	const char
		*word[IPL_VERB_WORDS_MAX]; /* the parameters that stand without a name, in order */
	const char *shown;                 /* how help shows them */
};
/** The @index-th verb of a noun such as "vpc"; NULL beyond the last, or of what is no noun. */
const struct ipl_verb *ipl_verb_at(const char *noun, size_t index);
/** The verbs of a noun, a line each. */
void ipl_list_verbs(FILE *to, const char *noun);

/** Print a result, as the invocation wants it. */
void ipl_print_result(const struct ipl_invocation *in, const struct ipl_value *result);
/** A value in one line of at most @most bytes, without what a terminal could obey. */
struct ipl_str ipl_cell(struct ipl_arena *arena, const struct ipl_value *value, size_t most);
/** Print rows (maps) under the named members; column names are the members' last part. */
void ipl_print_table(struct ipl_arena *arena, const struct ipl_value *rows,
		     const char *const *columns, size_t column_count);
/** One such row, its cells at least as wide as @width says. */
void ipl_print_row(struct ipl_arena *arena, const struct ipl_value *row, const char *const *columns,
		   const size_t *width, size_t column_count);

#endif
