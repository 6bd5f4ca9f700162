/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bisect: the first event after which something holds, by an expression or by a
 * command's exit status.
 */
#include "cli/look.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/bisect.h"

#define LONG_EVENTS 65536u /* events to be searched */
#define EXIT_SKIP   125    /* the command cannot tell */
#define EXIT_STOP   128    /* from here on something is wrong with the command itself */

extern char **environ;

struct bisecting {
	const struct ipl_invocation *in;
	struct ipl_look look;
	const char *from_text; /* NULL: the empty ledger */
	const char *to_text;   /* NULL: the head */
	const char *expr_text; /* NULL: a command */
	char **command;        /* NULL: an expression */
	bool scans;
	uint64_t from;
	uint64_t to;
	const struct ipl_expr *expr;
	struct ipl_records records;
	struct ipl_asked asked;
	struct ipl_bisect_result result;
};

/* --- a command --- */

static enum ipl_status spawn(struct bisecting *b, pid_t *pid, struct ipl_error *err)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	/* What it prints goes where people look, so that our output stays one document. */
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawnp(pid, b->command[0], &actions, NULL, b->command, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (rc != 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", b->command[0], strerror(rc));
	return IPL_OK;
}

static enum ipl_status ask_command(void *context, uint64_t seq, enum ipl_verdict *out,
				   struct ipl_error *err)
{
	struct bisecting *b = context;
	char text[24];
	int status = 0;
	pid_t pid = 0;
	enum ipl_status st;

	(void)snprintf(text, sizeof(text), "%" PRIu64, seq);
	if (setenv("IPLEDGER_AS_OF", text, 1) != 0 || setenv("IPLEDGER_DATA", b->in->data, 1) != 0)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the environment");
	st = spawn(b, &pid, err);
	if (st != IPL_OK)
		return st;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return ipl_error_set(err, IPL_ERR_IO, "wait for %s: %s", b->command[0],
					     strerror(errno));
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= EXIT_STOP)
		return ipl_error_set(
			err, IPL_ERR_END, "%s ended with %s %d as of %" PRIu64 ": the search stops",
			b->command[0], WIFEXITED(status) ? "exit status" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), seq);
	*out = WEXITSTATUS(status) == EXIT_SKIP ? IPL_VERDICT_UNKNOWN :
	       WEXITSTATUS(status) == 0         ? IPL_VERDICT_NO :
						  IPL_VERDICT_YES;
	fprintf(stderr, "as of %" PRIu64 ": %s\n", seq,
		*out == IPL_VERDICT_UNKNOWN ? "cannot tell" :
		*out == IPL_VERDICT_NO      ? "good" :
					      "bad");
	return IPL_OK;
}

static enum ipl_status search(struct bisecting *b, struct ipl_error *err)
{
	const struct ipl_bisect bisect = { ask_command, b, b->from, b->to };

	if (b->expr != NULL)
		return ipl_bisect_expr(&b->asked, b->expr, b->from, b->to, b->scans, &b->result,
				       err);
	return b->scans ? ipl_bisect_first(&bisect, &b->result, err) :
			  ipl_bisect(&bisect, &b->result, err);
}

/*
 * Of few things in a long log their chains tell, without a state; of how many there are the events
 * alone. A short log is folded sooner.
 */
static enum ipl_status ask(struct bisecting *b, struct ipl_error *err)
{
	uint64_t kinds;
	enum ipl_status st = IPL_OK;

	b->records = ipl_look_records(&b->look);
	b->asked.views = b->look.views;
	if (b->expr != NULL && b->to - b->from >= LONG_EVENTS) {
		if (ipl_expr_is_of_things(b->expr))
			st = ipl_chains_open(&b->records, b->look.last, &b->asked.chains, err);
		else if (ipl_expr_is_of_counts(b->expr, &kinds))
			st = ipl_counts_open(&b->records, b->expr, &b->asked.counts, err);
	}
	return st == IPL_OK ? search(b, err) : st;
}

/* --- what is said --- */

struct parts {
	struct bisecting *b;
	struct ipl_value list;
	struct ipl_error *err;
	enum ipl_status status;
};

/* A part of the expression before and after the event. */
static void add_part(void *context, const struct ipl_expr *part)
{
	struct parts *parts = context;
	struct bisecting *b = parts->b;
	struct ipl_arena *arena = b->in->arena;
	struct ipl_value map = ipl_map(), before = ipl_nil(), after = ipl_nil();
	struct ipl_buf buf = { 0 };

	ipl_expr_print(part, &buf);
	if (parts->status == IPL_OK)
		parts->status = ipl_ask_value(&b->asked, b->result.seq - 1, part, arena, &before,
					      parts->err);
	before = ipl_value_copy(arena, &before); /* the state it may borrow from goes */
	if (parts->status == IPL_OK)
		parts->status =
			ipl_ask_value(&b->asked, b->result.seq, part, arena, &after, parts->err);
	ipl_map_add(
		arena, &map, "Expression",
		ipl_text(ipl_arena_str(arena, (struct ipl_str){ (const char *)buf.at, buf.len })));
	ipl_map_add(arena, &map, "Before", before);
	ipl_map_add(arena, &map, "After", ipl_value_copy(arena, &after));
	ipl_array_add(arena, &parts->list, map);
	ipl_buf_release(&buf);
}

static const char *note(const struct bisecting *b)
{
	const char *what = b->expr != NULL ? "it holds" : "the command fails";
	struct ipl_arena *arena = b->in->arena;

	switch (b->result.what) {
	case IPL_BISECT_FOUND:
	case IPL_BISECT_BETWEEN:
		if (b->result.is_first_of_many)
			return ipl_arena_printf(
				       arena,
				       "not monotone: %s from here, and no longer as of %" PRIu64
				       "; none before it comes to hold",
				       what, b->result.not_later)
				.at;
		if (b->result.not_later != 0)
			return ipl_arena_printf(
				       arena,
				       "not monotone: %s from here, and no longer as of %" PRIu64
				       "; --first looks at every event",
				       what, b->result.not_later)
				.at;
		return "";
	case IPL_BISECT_NEVER:
		if (b->result.seq != 0)
			return ipl_arena_printf(arena,
						"%s at neither end, but from %" PRIu64
						" on for a while: --first gives that, or choose "
						"other ends",
						what, b->result.seq)
				.at;
		return b->scans || b->result.saw_all ?
			       ipl_arena_printf(arena, "%s nowhere between the two", what).at :
			       ipl_arena_printf(arena,
						"%s at neither end: choose other ends, or look at "
						"every event in between with --first",
						what)
				       .at;
	case IPL_BISECT_ALWAYS:
		return ipl_arena_printf(arena, "%s at both ends: begin earlier, with --from", what)
			.at;
	case IPL_BISECT_BACKWARD:
		return ipl_arena_printf(arena,
					"%s as of %" PRIu64 " and no longer as of %" PRIu64
					": ask for the opposite (%s)",
					what, b->from, b->to,
					b->expr != NULL ? "not (…)" : "sh -c '! …'")
			.at;
	case IPL_BISECT_END:
		return ipl_arena_printf(
			       arena, "the command cannot tell (exit status 125) at an end: choose "
				      "other ends")
			.at;
	}
	return "";
}

static void print_found(const struct bisecting *b, const struct ipl_value *result)
{
	struct ipl_arena *arena = b->in->arena;
	const struct ipl_value *values = ipl_map_get(result, "Values");
	const struct ipl_value *event = ipl_map_get(result, "Event");

	if (b->result.what == IPL_BISECT_BETWEEN)
		printf("one of the events %" PRIu64 " to %" PRIu64
		       ": the states between cannot be asked\n",
		       b->result.after + 1, b->result.seq);
	if (event != NULL)
		printf("%s\n", ipl_look_event_line(arena, event).at);
	for (uint32_t i = 0; values != NULL && i < values->count; i++)
		printf("  %.*s: %s -> %s\n",
		       IPL_STR_ARG(ipl_map_text(&values->item[i], "Expression")),
		       ipl_look_text(arena, ipl_map_get(&values->item[i], "Before")).at,
		       ipl_look_text(arena, ipl_map_get(&values->item[i], "After")).at);
}

static enum ipl_status describe(struct bisecting *b, struct ipl_value *result,
				struct ipl_error *err)
{
	struct parts parts = { b, ipl_array(), err, IPL_OK };
	struct ipl_arena *arena = b->in->arena;
	struct ipl_value event;
	enum ipl_status st;

	ipl_map_add(arena, result, "Seq", ipl_int((int64_t)b->result.seq));
	ipl_map_add(arena, result, "After", ipl_int((int64_t)b->result.after));
	if (b->result.what != IPL_BISECT_FOUND)
		return IPL_OK;
	st = ipl_look_event(&b->look, arena, b->result.seq, &event, err);
	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, result, "Event", event);
	if (b->expr != NULL)
		ipl_expr_parts(b->expr, add_part, &parts);
	ipl_map_add(arena, result, "Values", parts.list);
	return parts.status;
}

static int report(struct bisecting *b, struct ipl_error *err)
{
	bool is_found = b->result.what == IPL_BISECT_FOUND || b->result.what == IPL_BISECT_BETWEEN;
	struct ipl_value result = ipl_map();
	struct ipl_arena *arena = b->in->arena;
	const char *said = note(b);

	ipl_map_add(arena, &result, "Found", ipl_bool(b->result.what == IPL_BISECT_FOUND));
	if (is_found && describe(b, &result, err) != IPL_OK)
		return ipl_fail(err);
	ipl_map_add(arena, &result, "Monotone",
		    ipl_bool(is_found && b->result.not_later == 0 && !b->result.is_first_of_many));
	ipl_map_add(arena, &result, "Note", ipl_text_of(said));
	ipl_map_add(arena, &result, "From", ipl_int((int64_t)b->from));
	ipl_map_add(arena, &result, "To", ipl_int((int64_t)b->to));
	ipl_map_add(arena, &result, "StatesAsked", ipl_int((int64_t)b->result.asked));
	ipl_map_add(arena, &result, "EventsFolded",
		    ipl_int((int64_t)(b->result.loaded + ipl_views_folded(b->look.views))));
	if (b->in->output == IPL_OUTPUT_CSV) {
		struct ipl_value rows = ipl_array(); /* one: what was found is no list */
		ipl_array_add(arena, &rows, result);
		ipl_print_result(b->in, &rows);
	} else if (b->in->output != IPL_OUTPUT_TABLE) {
		ipl_print_result(b->in, &result);
	} else if (is_found) {
		print_found(b, &result);
	}
	if (said[0] != '\0' && (b->in->output == IPL_OUTPUT_TABLE || !is_found))
		fprintf(stderr, "ipledger: %s\n", said);
	if (b->in->output == IPL_OUTPUT_TABLE)
		fprintf(stderr, "%" PRIu64 " states asked, %" PRIu64 " events folded\n",
			b->result.asked, b->result.loaded + ipl_views_folded(b->look.views));
	return b->result.what == IPL_BISECT_FOUND ? IPL_EXIT_OK : IPL_EXIT_REFUSED;
}

/* --- words --- */

/* -1: go on */
static int read_words(struct bisecting *b)
{
	const struct ipl_invocation *in = b->in;

	for (int i = 0; i < in->argc; i++) {
		const char *value;
		if (strcmp(in->argv[i], "--") == 0) {
			b->command = &in->argv[i + 1];
			if (i + 1 == in->argc)
				return ipl_usage(in->command, "which command, after --?");
			break;
		}
		if ((value = ipl_option(in, &i, "--from")) != NULL)
			b->from_text = value;
		else if ((value = ipl_option(in, &i, "--to")) != NULL)
			b->to_text = value;
		else if ((value = ipl_option(in, &i, "--expr")) != NULL)
			b->expr_text = value;
		else if (strcmp(in->argv[i], "--first") == 0)
			b->scans = true;
		else
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
	}
	if ((b->expr_text == NULL) == (b->command == NULL))
		return ipl_usage(in->command,
				 "what is asked: --expr EXPRESSION, or -- and a command");
	return -1;
}

static int usage_error(const struct ipl_invocation *in, const char *what,
		       const struct ipl_error *err)
{
	if (err->status != IPL_REFUSED)
		return ipl_fail(err);
	return ipl_usage(in->command, "%s: %s", what, err->text);
}

static int run_open(struct bisecting *b, struct ipl_error *err)
{
	struct ipl_arena *arena = b->in->arena;

	b->to = b->look.head;
	if (b->expr_text != NULL &&
	    ipl_expr_parse(arena, ipl_str_of(b->expr_text), &b->expr, err) != IPL_OK)
		return usage_error(b->in, "--expr", err);
	if (b->from_text != NULL &&
	    ipl_look_when(&b->look, arena, b->from_text, &b->from, err) != IPL_OK)
		return usage_error(b->in, "--from", err);
	if (b->to_text != NULL && ipl_look_when(&b->look, arena, b->to_text, &b->to, err) != IPL_OK)
		return usage_error(b->in, "--to", err);
	if (b->from >= b->to)
		return ipl_usage(b->in->command,
				 "no event lies after %" PRIu64 " and up to %" PRIu64, b->from,
				 b->to);
	return ask(b, err) == IPL_OK ? report(b, err) : ipl_fail(err);
}

static int run_bisect(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct bisecting b = { .in = in };
	int rc = read_words(&b);

	if (rc >= 0)
		return rc;
	if (ipl_look_open(in, &b.look, &err) != IPL_OK)
		return ipl_fail(&err);
	rc = run_open(&b, &err);
	ipl_chains_close(b.asked.chains);
	ipl_counts_close(b.asked.counts);
	ipl_look_close(&b.look);
	return rc;
}

const struct ipl_command ipl_cmd_bisect = {
	.name = "bisect",
	.args = "[--from WHEN] [--to WHEN] [--first] (--expr EXPRESSION | -- COMMAND…)",
	.summary = "the first event after which something holds",
	.more = "It must not hold as of --from (default 0, the empty ledger) and hold as of --to\n"
		"(default now). Few of the states between are asked, by halving; --first asks "
		"all.\n"
		"In a long log a question about single things is asked only where an event touched "
		"them,\n"
		"and one about counts only where they change, so that every flip is seen; any "
		"other\n"
		"folds what lies between.\n"
		"\n"
		"EXPRESSION: a question about a state (ipledger help expressions).\n"
		"COMMAND is run with IPLEDGER_AS_OF and IPLEDGER_DATA in its environment, as\n"
		"git bisect run does: exit status 0 means good (as it was at --from), 1 to 127 "
		"bad\n"
		"(as it is at --to), but 125: cannot tell; 128 and above, or a signal, stop the "
		"search.\n"
		"\n"
		"    ipledger bisect --from 2h --expr 'free(vsw-…) < 10'\n"
		"    ipledger bisect -- sh -c 'ipledger --as-of $IPLEDGER_AS_OF show i-… | grep -q "
		"Running'\n"
		"\n"
		"Exit status 0: found; 1: not found, and why.",
	.run = run_bisect,
};
