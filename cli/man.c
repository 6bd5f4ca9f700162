/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages: of the program, of each command, of the file of options. */
#include "cli/man.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

#include "operations/operation.h"

#define DATE "2026-11-25" /* of the texts: a page is the same whenever it is built */

/* --- text --- */

#define FILLED_COLUMNS 44 /* a line ends at the next blank after so many */
#define USAGE_COLUMNS  26 /* the same where half of it is fonts */

/* A character as roff shows it; NULL: as it is. */
static const char *quoted(char c)
{
	switch (c) {
	case '\\':
		return "\\e";
	case '-':
		return "\\-";
	case '\'':
		return "\\(aq";
	case '`':
		return "\\(ga";
	case '^':
		return "\\(ha";
	case '~':
		return "\\(ti";
	default:
		return NULL;
	}
}

/* What roff would obey is quoted. With @is_filled lines may end where there are blanks. */
static void put_text(FILE *to, struct ipl_str text, bool is_filled)
{
	static const char dots[] = "…";
	size_t column = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		if (column++ == 0 && c == '.')
			fputs("\\&", to);
		if (text.len - i >= strlen(dots) && memcmp(text.at + i, dots, strlen(dots)) == 0) {
			fputs("...", to);
			i += strlen(dots) - 1;
			continue;
		}
		if (c == ' ' && is_filled && column > FILLED_COLUMNS)
			c = '\n';
		if (c == '\n')
			column = 0;
		if (quoted(c) != NULL)
			fputs(quoted(c), to);
		else
			putc(c, to);
	}
}

void ipl_man_text(FILE *to, const char *text)
{
	put_text(to, ipl_str_of(text), true);
}

void ipl_man_title(FILE *to, const char *name, int section)
{
	fputs(".TH \"", to);
	for (const char *at = name; *at != '\0'; at++)
		putc(toupper((unsigned char)*at), to);
	fprintf(to, "\" %d %s \"ipledger %s\" \"ipledger manual\"\n", section, DATE, IPL_VERSION);
}

static void name_section(FILE *to, const char *name, const char *what)
{
	fputs(".SH NAME\n", to);
	ipl_man_text(to, name);
	fputs(" \\- ", to);
	ipl_man_text(to, what);
	putc('\n', to);
}

/*
 * A synopsis as `help` prints it: words in capitals stand for something, all else but brackets and
 * bars is typed as it is.
 */
static void put_usage(FILE *to, const char *args)
{
	static const char marks[] = " []|().…";
	size_t column = 0;

	while (*args != '\0') {
		size_t len = strcspn(args, marks);
		bool stands = args[0] != '-';
		for (size_t i = 0; i < len; i++)
			stands = stands && !islower((unsigned char)args[i]);
		if (len > 0) {
			fputs(stands ? "\\fI" : "\\fB", to);
			put_text(to, (struct ipl_str){ args, len }, false);
			fputs("\\fR", to);
		}
		column += len;
		args += len;
		for (len = strspn(args, marks); len > 0; len--, args++) {
			if (*args == ' ' && column > USAGE_COLUMNS) {
				putc('\n', to);
				column = 0;
			} else if (strncmp(args, "…", strlen("…")) == 0) {
				fputs("...", to);
				args += strlen("…") - 1;
				len -= strlen("…") - 1;
			} else {
				putc(*args, to);
				column++;
			}
		}
	}
	putc('\n', to);
}

/* Lines that begin with a blank stand as they are; an empty line ends a paragraph. */
static void put_paragraphs(FILE *to, const char *text)
{
	bool is_literal = false, is_new = true;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		bool literal = *text == ' ';
		if (is_literal && !literal) {
			fputs(".EE\n", to);
			is_new = true;
		}
		if (len == 0) {
			is_new = true;
		} else {
			if (is_new || (literal && !is_literal))
				fputs(".PP\n", to);
			if (literal && !is_literal)
				fputs(".EX\n", to);
			put_text(to, (struct ipl_str){ text, len }, !literal);
			putc('\n', to);
			is_new = false;
		}
		is_literal = literal;
		text += len + (text[len] == '\n');
	}
	if (is_literal)
		fputs(".EE\n", to);
}

/* A summary as a sentence. */
static void put_sentence(FILE *to, const char *text)
{
	size_t len = strlen(text);
	bool is_word = strncmp(text, "vSwitch", 7) != 0;

	putc(is_word ? toupper((unsigned char)text[0]) : text[0], to);
	ipl_man_text(to, text + 1);
	fputs(len > 0 && text[len - 1] == '.' ? "\n" : ".\n", to);
}

static void exit_section(FILE *to)
{
	static const struct {
		int status;
		const char *what;
	} list[] = {
		{ IPL_EXIT_OK, "done" },
		{ IPL_EXIT_REFUSED, "refused, or not found: the answer was no" },
		{ IPL_EXIT_USAGE, "used otherwise than it can be" },
		{ IPL_EXIT_UNREACHABLE, "the ledger could not be reached or opened" },
		{ IPL_EXIT_DAMAGED, "the ledger is damaged" },
		{ IPL_EXIT_SIGNAL + SIGINT,
		  "ended by Ctrl-C in the middle of its work, of which nothing is left half done; "
		  "what goes on until then (log --follow, map --watch, bench, serve) is done, and "
		  "exits with 0" },
	};

	fputs(".SH EXIT STATUS\n", to);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(list); i++)
		fprintf(to, ".TP\n%d\n%s\n", list[i].status, list[i].what);
}

/* --- a command --- */

static void option_name(FILE *to, const char *name, const char *value)
{
	fputs(".TP\n\\fB\\-\\-", to);
	ipl_man_text(to, name);
	fputs("\\fR", to);
	if (value[0] != '\0') {
		putc(' ', to);
		put_usage(to, value);
	} else {
		putc('\n', to);
	}
}

static void options_section(FILE *to, const struct ipl_option_help *options)
{
	if (options == NULL)
		return;
	fputs(".SH OPTIONS\n", to);
	for (; options->name != NULL; options++) {
		option_name(to, options->name, options->value);
		ipl_man_text(to, options->what);
		putc('\n', to);
	}
}

/* "CidrBlock" as the option that means it: "cidr-block". */
static void put_option_of(FILE *to, const char *name)
{
	fputs("\\fB\\-\\-", to);
	for (size_t i = 0; name[i] != '\0'; i++) {
		if (i > 0 && isupper((unsigned char)name[i]) &&
		    !isupper((unsigned char)name[i - 1]))
			fputs("\\-", to);
		putc(tolower((unsigned char)name[i]), to);
	}
	fputs("\\fR", to);
}

static void verbs_section(FILE *to, const char *noun)
{
	const struct ipl_verb *verb;

	for (size_t i = 0; (verb = ipl_verb_at(noun, i)) != NULL; i++) {
		const struct ipl_operation *operation =
			ipl_operation_find(ipl_str_of(verb->operation));
		if (i == 0)
			fputs(".SH VERBS\n"
			      "Behind each verb is an operation, whose parameters are its "
			      "options;\n"
			      "those with an asterisk it must have. All that write also take the\n"
			      "options that\n.BR ipledger-protocol (7)\nlists.\n",
			      to);
		fputs(".TP\n\\fB", to);
		ipl_man_text(to, verb->verb);
		fputs(verb->shown[0] == '\0' ? "\\fR" : "\\fR ", to);
		put_usage(to, verb->shown);
		fputs(verb->operation, to);
		for (uint32_t k = 0; k < operation->params->count; k++) {
			fputs(k == 0 ? ":\n" : ",\n", to);
			put_option_of(to, operation->params->at[k].name);
			fputs(operation->params->at[k].is_required ? "*" : "", to);
		}
		putc('\n', to);
	}
}

static void print_command(FILE *to, const struct ipl_command *command, const char *name)
{
	ipl_man_title(to, name, 1);
	name_section(to, name, command->summary);
	fputs(".SH SYNOPSIS\n\\fBipledger ", to);
	ipl_man_text(to, command->name);
	fputs(command->args[0] == '\0' ? "\\fR" : "\\fR ", to);
	put_usage(to, command->args);
	fputs(".SH DESCRIPTION\n", to);
	put_sentence(to, command->summary);
	if (command->more != NULL)
		put_paragraphs(to, command->more);
	options_section(to, command->options);
	verbs_section(to, command->name);
	exit_section(to);
	fputs(".SH SEE ALSO\n"
	      ".BR ipledger (1),\nwhich has the options that all commands share",
	      to);
	fputs(strcmp(command->name, "serve") == 0 ? ";\n.BR ipledger.conf (5)\n" : "\n", to);
}

/* --- the program --- */

static void print_shared_options(FILE *to)
{
	fputs(".SH OPTIONS\n"
	      ".TP\n\\fB\\-\\-data\\fR \\fIDIR\\fR\n"
	      "The ledger\\(aqs directory. Default: $IPLEDGER_DATA, else\n"
	      "$XDG_DATA_HOME/ipledger, else \\(ti/.local/share/ipledger.\n"
	      ".TP\n\\fB\\-\\-server\\fR \\fIADDR\\fR\n"
	      "A server: unix:PATH, tcp:HOST:PORT or tls:HOST:PORT.\n"
	      ".TP\n\\fB\\-\\-tls\\-ca\\fR \\fIFILE\\fR\n"
	      "The certificate that the server\\(aqs must come from, with tls: addresses.\n"
	      ".TP\n\\fB\\-o\\fR \\fBtable\\fR|\\fBjson\\fR|\\fByaml\\fR|\\fBcsv\\fR\n"
	      "Tables for people, in local time on a terminal; the others for programs, in\n"
	      "UTC. csv is the list in what json prints, a line for each element, and nothing\n"
	      "where it has none; of what is no list a line NAME,VALUE for each member.\n"
	      ".TP\n\\fB\\-\\-as\\-of\\fR \\fIWHEN\\fR\n"
	      "What was so then. A seq, an RFC 3339 time, or a span back from now: 90s, 5m, 2h, "
	      "3d,\n"
	      "1w.\n"
	      ".SH ENVIRONMENT\n"
	      ".TP\n.B IPLEDGER_DATA\nThe ledger\\(aqs directory.\n"
	      ".TP\n.BR IPLEDGER_ACCESS_KEY_ID \", \" IPLEDGER_ACCESS_KEY_SECRET\n"
	      "The key for a server at TCP; else ALIBABA_CLOUD_ACCESS_KEY_ID and\n"
	      "ALIBABA_CLOUD_ACCESS_KEY_SECRET.\n"
	      ".TP\n.B IPLEDGER_TLS_CA\nAs \\fB\\-\\-tls\\-ca\\fR.\n"
	      ".TP\n.B NO_COLOR\nNo colours, on a terminal either.\n"
	      ".SH FILES\n"
	      ".TP\n.I /etc/ipledger/ipledger.conf\nThe options of the system\\(aqs server;\n"
	      ".BR ipledger.conf (5).\n"
	      ".TP\n.I /var/lib/ipledger\nIts ledger.\n",
	      to);
}

static void print_program(FILE *to, const struct ipl_command *command, const char *name)
{
	(void)command;
	ipl_man_title(to, name, 1);
	name_section(to, name, "an event-sourced ledger of cloud IP addresses");
	fputs(".SH SYNOPSIS\n"
	      "\\fBipledger\\fR [\\fB\\-\\-data\\fR \\fIDIR\\fR | \\fB\\-\\-server\\fR "
	      "\\fIADDR\\fR]\n"
	      "[\\fB\\-o table\\fR|\\fBjson\\fR|\\fByaml\\fR|\\fBcsv\\fR]\n"
	      "[\\fB\\-\\-as\\-of\\fR \\fIWHEN\\fR] \\fICOMMAND\\fR ...\n"
	      ".SH DESCRIPTION\n"
	      "Every operation on a VPC, a vSwitch, an instance, a network interface or an "
	      "address\n"
	      "is decided by the rules of Alibaba Cloud\\(aqs ECS and VPC APIs and kept as one "
	      "event.\n"
	      "Who had an address, since when, by whose operation and why can be asked of now and "
	      "of\n"
	      "any past moment.\n"
	      ".PP\n"
	      "A command asks the server of the ledger\\(aqs directory; where none runs, those "
	      "that\n"
	      "only read open the directory themselves. Each has a page of its own,\n"
	      ".BR ipledger\\-\\fICOMMAND\\fR (1).\n"
	      ".SH COMMANDS\n",
	      to);
	for (size_t i = 0; ipl_commands[i] != NULL; i++) {
		fputs(".TP\n.B ", to);
		ipl_man_text(to, ipl_commands[i]->name);
		putc('\n', to);
		put_sentence(to, ipl_commands[i]->summary);
	}
	print_shared_options(to);
	exit_section(to);
	fputs(".SH EXAMPLES\n"
	      "Who holds an address, and who held it a week ago:\n"
	      ".PP\n.EX\n"
	      "    ipledger show 10.0.1.17\n"
	      "    ipledger \\-\\-as\\-of 1w show 10.0.1.17\n"
	      "    ipledger history 10.0.1.17\n"
	      ".EE\n"
	      ".SH SEE ALSO\n"
	      ".BR ipledger\\-serve (1),\n.BR ipledger.conf (5),\n.BR ipledger\\-protocol (7)\n",
	      to);
}

/* --- the file of options --- */

static void print_conf(FILE *to, const struct ipl_command *command, const char *name)
{
	(void)command;
	ipl_man_title(to, name, 5);
	name_section(to, name, "options of an ipledger server");
	fputs(".SH DESCRIPTION\n"
	      "The file that \\fBipledger serve \\-\\-config\\fR reads when it starts; that of "
	      "the\n"
	      "system\\(aqs service is\n.IR /etc/ipledger/ipledger.conf .\n"
	      ".PP\n"
	      "A line is \\fIname\\fR = \\fIvalue\\fR. Blanks around both are of no account; a # "
	      "at the\n"
	      "beginning of a line, or after a blank, begins a comment; empty lines are\n"
	      "skipped.\n"
	      "Names are those of the options of\n.BR ipledger\\-serve (1),\n"
	      "and what stands on the command line wins. What cannot be understood keeps the "
	      "server\n"
	      "from starting, and is named with its line.\n"
	      ".SH OPTIONS\n",
	      to);
	for (const struct ipl_option_help *at = ipl_cmd_serve.options; at->name != NULL; at++) {
		if (strcmp(at->name, "config") == 0)
			continue; /* no file names another */
		fputs(".TP\n\\fB", to);
		ipl_man_text(to, at->name);
		fputs("\\fR = ", to);
		put_usage(to, at->value[0] == '\0' ? "true|false" : at->value);
		ipl_man_text(to, at->what);
		putc('\n', to);
	}
	fputs(".SH EXAMPLES\n.EX\n"
	      "data = /var/lib/ipledger\n"
	      "rpc = unix:/run/ipledger/ipledger.sock\n"
	      "rpc = tcp:0.0.0.0:8471\n"
	      "http = 0.0.0.0:8470\n"
	      "http\\-host = ledger.example.com\n"
	      "tls\\-cert = /etc/ipledger/cert.pem   # the chain too\n"
	      "tls\\-key = /etc/ipledger/key.pem\n"
	      ".EE\n"
	      ".SH SEE ALSO\n.BR ipledger (1),\n.BR ipledger\\-serve (1)\n",
	      to);
}

static void print_protocol(FILE *to, const struct ipl_command *command, const char *name)
{
	(void)command;
	ipl_man_title(to, name, 7);
	name_section(to, name, "operations, events and errors of an ipledger server");
	ipl_man_protocol(to);
}

/* --- which there are --- */

static const struct {
	const char *name;
	int section;
	void (*print)(FILE *to, const struct ipl_command *command, const char *name);
} others[] = {
	{ "ipledger", 1, print_program },
	{ "ipledger.conf", 5, print_conf },
	{ "ipledger-protocol", 7, print_protocol },
};

int ipl_man_at(size_t index, char name[IPL_MAN_NAME_MAX])
{
	size_t command = 0;

	if (index < IPL_ARRAY_SIZE(others)) {
		(void)snprintf(name, IPL_MAN_NAME_MAX, "%s", others[index].name);
		return others[index].section;
	}
	index -= IPL_ARRAY_SIZE(others);
	while (command < index && ipl_commands[command] != NULL)
		command++;
	if (ipl_commands[command] == NULL)
		return 0;
	(void)snprintf(name, IPL_MAN_NAME_MAX, "ipledger-%s", ipl_commands[command]->name);
	return 1;
}

bool ipl_man_print(FILE *to, const char *name)
{
	char page[IPL_MAN_NAME_MAX];
	size_t i = 0;

	while (ipl_man_at(i, page) != 0 && strcmp(page, name) != 0)
		i++;
	if (ipl_man_at(i, page) == 0)
		return false;
	if (i < IPL_ARRAY_SIZE(others))
		others[i].print(to, NULL, name);
	else
		print_command(to, ipl_commands[i - IPL_ARRAY_SIZE(others)], name);
	return true;
}
