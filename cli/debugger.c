/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, and going to and fro. */
#include "cli/debugger_internal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/line.h"
#include "cli/progress.h"
#include "operations/operation.h"

#define ARENA_BYTES ((size_t)256 << 20)
#define PROMPT_MAX  32
#define LINES_MAX   20 /* events that one step prints */

typedef enum ipl_status (*command_fn)(struct ipl_debugger *d, const char *words,
				      struct ipl_error *err);

struct command {
	const char *name;
	const char *short_name;
	const char *words;
	const char *summary;
	command_fn run;
};

static const struct command *command_at(size_t index);

enum ipl_status ipl_debug_usage(struct ipl_error *err, const char *what)
{
	return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "%s", what);
}

/* --- steps --- */

/* "", or a number from 1 on. */
static enum ipl_status read_count(const char *words, uint64_t *out, struct ipl_error *err)
{
	int64_t n = 1;

	if (words[0] != '\0' && (!ipl_str_to_int(ipl_str_of(words), &n) || n < 1))
		return ipl_debug_usage(err, "it takes a number of events, from 1 on");
	*out = (uint64_t)n;
	return IPL_OK;
}

static enum ipl_status next(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	uint64_t at = ipl_stepper_at(d->stepper), count = 0;
	enum ipl_status st = read_count(words, &count, err);

	if (st != IPL_OK)
		return st;
	if (at == d->to) {
		puts("this is the end");
		return IPL_OK;
	}
	if (count > d->to - at)
		count = d->to - at;
	st = ipl_stepper_go(d->stepper, at + count, err);
	for (uint64_t seq = count > LINES_MAX ? at + count : at + 1;
	     st == IPL_OK && seq <= at + count; seq++) {
		struct ipl_value event;
		st = ipl_look_event(d->look, &d->arena, seq, &event, err);
		if (st == IPL_OK)
			printf("%s\n", ipl_look_event_line(&d->arena, &event).at);
	}
	return st;
}

static enum ipl_status back(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	uint64_t at = ipl_stepper_at(d->stepper), count = 0;
	enum ipl_status st = read_count(words, &count, err);

	if (st != IPL_OK)
		return st;
	if (at == d->from) {
		puts("this is the beginning");
		return IPL_OK;
	}
	if (count > at - d->from)
		count = at - d->from;
	st = ipl_stepper_go(d->stepper, at - count, err);
	return st == IPL_OK ? ipl_debug_place(d, err) : st;
}

static enum ipl_status go(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	uint64_t seq = d->to;
	enum ipl_status st = IPL_OK;

	if (words[0] == '\0')
		return ipl_debug_usage(err, "where to? a seq, a time, start or end");
	if (strcmp(words, "start") == 0)
		seq = d->from;
	else if (strcmp(words, "end") != 0)
		st = ipl_look_when(d->look, &d->arena, words, &seq, err);
	if (st == IPL_OK)
		st = ipl_stepper_go(d->stepper, seq, err);
	return st == IPL_OK ? ipl_debug_place(d, err) : st;
}

/* --- breakpoints --- */

/* An id or address means the events that touch it, a type its events; else an expression. */
static enum ipl_status set_break(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	struct ipl_str text = ipl_str_of(words);
	uint64_t number;
	uint32_t which = 0;
	struct ipl_ip6 ip6;
	enum ipl_status st;

	if (words[0] == '\0')
		return ipl_debug_usage(err, "on what? an id, an address, an event type or an "
					    "expression");
	if (ipl_name_parse(d->look->letters, text, &number) != IPL_KIND_NONE)
		text = ipl_arena_printf(&d->arena, "touches(%s)", words);
	else if (ipl_ip6_parse(text, &ip6))
		text = ipl_arena_printf(&d->arena, "touches(\"%s\")", words);
	else if (ipl_event_of_name(text) != 0)
		text = ipl_arena_printf(&d->arena, "type == \"%s\"", words);
	st = ipl_stepper_break(d->stepper, text, &which, err);
	if (st == IPL_OK)
		printf("breakpoint %u: %.*s\n", which, IPL_STR_ARG(text));
	return st;
}

static enum ipl_status breaks(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	const struct ipl_breakpoint *at;

	(void)words;
	(void)err;
	if (ipl_stepper_breakpoint(d->stepper, 0) == NULL)
		puts("no breakpoints");
	for (size_t i = 0; (at = ipl_stepper_breakpoint(d->stepper, i)) != NULL; i++)
		printf("%u  %.*s  (%s; stopped %" PRIu64 " times)\n", at->number,
		       IPL_STR_ARG(at->text),
		       at->is_of_event ? "at each such event" : "when it comes to hold", at->hits);
	return IPL_OK;
}

static enum ipl_status delete (struct ipl_debugger *d, const char *words, struct ipl_error *err) {
	int64_t n = 0;

	if (!ipl_str_to_int(ipl_str_of(words), &n) || n > UINT32_MAX ||
	    !ipl_stepper_delete(d->stepper,
				(uint32_t)n)) return ipl_debug_usage(err,
								     "there is no such breakpoint: "
								     "breaks lists them");
	return IPL_OK;
}

static enum ipl_status stopped(struct ipl_debugger *d, uint32_t number, const char *otherwise,
			       struct ipl_error *err)
{
	if (number != 0)
		printf("breakpoint %u\n", number);
	else
		puts(ipl_interrupted() ? "interrupted" : otherwise);
	return ipl_debug_place(d, err);
}

static enum ipl_status go_on(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	uint32_t number = 0;
	enum ipl_status st = ipl_stepper_continue(d->stepper, &number, err);

	(void)words;
	return st == IPL_OK ? stopped(d, number, "this is the end", err) : st;
}

static enum ipl_status go_back(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	uint32_t number = 0;
	enum ipl_status st = ipl_stepper_reverse(d->stepper, &number, err);

	(void)words;
	return st == IPL_OK ? stopped(d, number, "this is the beginning", err) : st;
}

static bool is_interrupted(void *context, uint64_t seq)
{
	(void)context;
	(void)seq;
	return ipl_interrupted();
}

/* --- the session --- */

static enum ipl_status quit(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	(void)words;
	(void)err;
	d->is_over = true;
	return IPL_OK;
}

static enum ipl_status help(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	const struct command *command;

	(void)d;
	(void)words;
	(void)err;
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		printf("  %-18s %-22s %s (%s)\n", command->name, command->words, command->summary,
		       command->short_name);
	puts("An empty line repeats the last command. EXPR: ipledger help expressions.");
	return IPL_OK;
}

/* clang-format off */
static const struct command commands[] = {
	{ "next", "n s", "[N]", "one event on, or N", next },
	{ "back", "rn rs ba", "[N]", "one event back, or N", back },
	{ "goto", "g", "SEQ|TIME|start|end", "go there", go },
	{ "break", "b br", "ID|ADDRESS|TYPE|EXPR", "stop where it is touched, happens, or holds",
	  set_break },
	{ "breaks", "i", "", "the breakpoints", breaks },
	{ "delete", "d", "N", "forget breakpoint N", delete },
	{ "continue", "c", "", "on to the next breakpoint", go_on },
	{ "reverse-continue", "rc", "", "back to the last one before", go_back },
	{ "print", "p", "ID|ADDRESS|EXPR", "what it is here", ipl_debug_print },
	{ "events", "e", "ID|ADDRESS [N]", "the last events (N of them) that touched it",
	  ipl_debug_events },
	{ "diff", "di", "", "what the event here changed", ipl_debug_diff },
	{ "hash", "ha", "", "the hash of the whole state", ipl_debug_hash },
	{ "why", "w", "[SEQ|REQUESTID]", "the last refusal; those after event SEQ; one",
	  ipl_debug_why },
	{ "where", "wh", "", "this place: the event, and how many live", ipl_debug_where },
	{ "help", "h", "", "this", help },
	{ "quit", "q", "", "the end", quit },
};
/* clang-format on */

static const struct command *command_at(size_t index)
{
	return index < IPL_ARRAY_SIZE(commands) ? &commands[index] : NULL;
}

static bool is_short_name(const struct command *command, const char *word, size_t len)
{
	const char *at = command->short_name;

	while (*at != '\0') {
		size_t one = strcspn(at, " ");
		if (one == len && strncmp(at, word, len) == 0)
			return true;
		at += one + strspn(at + one, " ");
	}
	return false;
}

/* By its name, its short names, or what only one begins with. */
static const struct command *find_command(const char *word, size_t len)
{
	const struct command *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < IPL_ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		if ((strlen(command->name) == len && strncmp(command->name, word, len) == 0) ||
		    is_short_name(command, word, len))
			return command;
		if (strncmp(command->name, word, len) == 0) {
			found = command;
			count++;
		}
	}
	return count == 1 ? found : NULL;
}

static enum ipl_status obey(struct ipl_debugger *d, const char *line, struct ipl_error *err)
{
	size_t len = strcspn(line, " \t");
	const char *words = line + len + strspn(line + len, " \t");
	struct ipl_str trimmed = ipl_str_of(words);
	const struct command *command = find_command(line, len);

	if (command == NULL)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "there is no command %.*s: help lists them",
				  (int)(len < 40 ? len : 40), line);
	while (trimmed.len > 0 &&
	       (trimmed.at[trimmed.len - 1] == ' ' || trimmed.at[trimmed.len - 1] == '\t'))
		trimmed.len--;
	trimmed = ipl_arena_str(&d->arena, trimmed);
	if (trimmed.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a command");
	return command->run(d, trimmed.at, err);
}

/* One line; false where the session ends with it. */
static bool take_line(struct ipl_debugger *d, const char *line, bool is_typed, int *exit_status)
{
	struct ipl_error err = IPL_ERROR_INIT(&d->arena);
	enum ipl_status st;

	ipl_arena_reset(&d->arena);
	ipl_interrupt_forget();
	st = obey(d, line, &err);
	if (st == IPL_OK)
		return !d->is_over;
	(void)fflush(stdout); /* in order with what follows */
	*exit_status = ipl_fail(&err);
	/* Somebody at a terminal may try again, unless the log itself is no good. */
	if (is_typed && st == IPL_REFUSED)
		*exit_status = IPL_EXIT_OK;
	return is_typed && st == IPL_REFUSED;
}

static int session(struct ipl_debugger *d, struct ipl_lines *lines)
{
	char prompt[PROMPT_MAX], last[1024] = "";
	bool is_typed = ipl_lines_are_typed(lines), goes_on = true;
	int exit_status = IPL_EXIT_OK;

	printf("events %" PRIu64 " to %" PRIu64 "; help lists the commands\n", d->from + 1, d->to);
	while (goes_on) {
		const char *line;
		(void)snprintf(prompt, sizeof(prompt), "(%" PRIu64 ") ",
			       ipl_stepper_at(d->stepper));
		line = ipl_lines_next(lines, prompt);
		if (line == NULL)
			break;
		line += strspn(line, " \t");
		if (line[0] == '#')
			continue;
		if (line[0] != '\0')
			(void)snprintf(last, sizeof(last), "%s", line);
		else if (!is_typed)
			continue;
		goes_on = last[0] == '\0' || take_line(d, last, is_typed, &exit_status);
	}
	return exit_status;
}

int ipl_debugger_run(const struct ipl_invocation *in, struct ipl_look *look, uint64_t from,
		     uint64_t to)
{
	struct ipl_debugger d = { .in = *in, .look = look, .from = from, .to = to };
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_lines *lines = ipl_lines_open();
	enum ipl_status st = IPL_OK;
	int rc;

	ipl_arena_init(&d.arena, ARENA_BYTES);
	d.in.arena = &d.arena;
	if (lines == NULL)
		st = ipl_error_set(&err, IPL_ERR_NOMEM, "out of memory for a session");
	if (st == IPL_OK)
		st = ipl_stepper_open(look->views, from, to, &d.stepper, &err);
	if (st == IPL_OK) {
		ipl_interrupt_catch();
		(void)signal(SIGTERM, SIG_DFL); /* only Ctrl-C is for the command at hand */
		ipl_stepper_ask(d.stepper, is_interrupted, NULL);
		rc = session(&d, lines);
	} else {
		rc = ipl_fail(&err);
	}
	ipl_lines_close(lines);
	ipl_stepper_close(d.stepper);
	ipl_heads_free(d.heads);
	ipl_arena_release(&d.arena);
	return rc;
}
