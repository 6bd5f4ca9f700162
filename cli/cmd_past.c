/* SPDX-License-Identifier: Apache-2.0 */
/* history, blame and diff: who had it, who has it by whose doing, what is other than it was. */
#include "cli/ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events/address.h"

#define VALUE_MAX 200 /* of a field's value in one line */
#define DOERS_MAX 5   /* events that are named with a change */

static bool is_address(const char *word)
{
	struct ipl_ip6 ip6;
	uint32_t ip4;

	return ipl_ip4_parse(ipl_str_of(word), &ip4) || ipl_ip6_parse(ipl_str_of(word), &ip6);
}

static bool has_colour(void)
{
	return isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
}

static const struct ipl_value *at(const struct ipl_value *map, const char *path)
{
	return ipl_value_at(map, ipl_str_of(path));
}

static int64_t seq_of(const struct ipl_value *map, const char *path)
{
	const struct ipl_value *value = at(map, path);

	return value == NULL || value->type != IPL_VALUE_INT ? 0 : value->integer;
}

/* Open, take all pages of a list, hand them to @print or print them as they are; an exit status. */
static int ask(const struct ipl_invocation *in, const char *operation, struct ipl_value *params,
	       enum ipl_status (*print)(const struct ipl_invocation *in,
					struct ipl_session *session, const struct ipl_value *result,
					struct ipl_error *err))
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_session *session = NULL;
	struct ipl_value result;
	enum ipl_status st = ipl_session_open(in->data, in->server, &session, &err);

	if (st == IPL_OK)
		st = ipl_ask_all(in, session, operation, params, &result, &err);
	if (st == IPL_OK && in->output == IPL_OUTPUT_TABLE)
		st = print(in, session, &result, &err);
	else if (st == IPL_OK)
		ipl_print_result(in, &result);
	ipl_session_close(session);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

/* --- rows of holdings --- */

static void add_cell(const struct ipl_invocation *in, struct ipl_value *row, const char *name,
		     const struct ipl_value *value)
{
	ipl_map_add(in->arena, row, name, value == NULL ? ipl_nil() : *value);
}

/* One holding in one line; @by: the member that says who did what is told. */
static struct ipl_value row_of(const struct ipl_invocation *in, const struct ipl_value *interval,
			       const char *by)
{
	static const char *const holder[] = { "Kind", "NetworkInterfaceId", "InstanceId",
					      "AllocationId" };
	static const char *const doer[] = { "Operation", "Principal", "Actor", "Reason" };
	const struct ipl_value *who = ipl_map_get(interval, "Holder");
	const struct ipl_value *what = ipl_map_get(interval, by);
	struct ipl_value row = ipl_map();

	add_cell(in, &row, "Address", ipl_map_get(who, "Address"));
	add_cell(in, &row, "Status", ipl_map_get(interval, "Status"));
	for (size_t i = 0; i < IPL_ARRAY_SIZE(holder); i++)
		add_cell(in, &row, holder[i], ipl_map_get(who, holder[i]));
	add_cell(in, &row, "FromSeq", ipl_map_get(interval, "FromSeq"));
	add_cell(in, &row, "ToSeq", ipl_map_get(interval, "ToSeq"));
	add_cell(in, &row, "FromTime", ipl_map_get(interval, "FromTime"));
	add_cell(in, &row, "Since",
		 ipl_map_get(interval, strcmp(by, "ClosedBy") == 0 ? "ToTime" : "FromTime"));
	add_cell(in, &row, "EndedBy", at(interval, "ClosedBy.Operation"));
	for (size_t i = 0; i < IPL_ARRAY_SIZE(doer); i++)
		add_cell(in, &row, doer[i], ipl_map_get(what, doer[i]));
	return row;
}

/* --- an entity's events --- */

static void print_value(const struct ipl_invocation *in, const struct ipl_value *value)
{
	struct ipl_str text = ipl_cell(in->arena, value, VALUE_MAX);

	if (text.len == 0)
		fputs("(none)", stdout);
	else
		printf("%.*s", IPL_STR_ARG(text));
}

/* Name: before -> after; what begins or ends has one of them, and is told where there is something.
 */
static void print_fields(const struct ipl_invocation *in, const struct ipl_value *fields)
{
	size_t width = 0;

	for (uint32_t i = 0; fields != NULL && i < fields->count; i++) {
		struct ipl_str name = ipl_map_text(&fields->item[i], "Name");
		width = name.len > width ? name.len : width;
	}
	for (uint32_t i = 0; fields != NULL && i < fields->count; i++) {
		const struct ipl_value *before = ipl_map_get(&fields->item[i], "Before");
		const struct ipl_value *after = ipl_map_get(&fields->item[i], "After");
		struct ipl_str name = ipl_map_text(&fields->item[i], "Name");
		bool is_alone = before->type == IPL_VALUE_NIL || after->type == IPL_VALUE_NIL;
		const struct ipl_value *only = before->type == IPL_VALUE_NIL ? after : before;
		if (is_alone && ipl_cell(in->arena, only, VALUE_MAX).len == 0)
			continue;
		printf("    %.*s:%*s ", IPL_STR_ARG(name), (int)(width - name.len), "");
		print_value(in, is_alone ? only : before);
		if (!is_alone) {
			fputs(" -> ", stdout);
			print_value(in, after);
		}
		putchar('\n');
	}
}

static void print_doer(const struct ipl_invocation *in, const struct ipl_value *by)
{
	struct ipl_str actor = ipl_cell(in->arena, ipl_map_get(by, "Actor"), VALUE_MAX);
	struct ipl_str reason = ipl_cell(in->arena, ipl_map_get(by, "Reason"), VALUE_MAX);

	printf("%.*s by %.*s", IPL_STR_ARG(ipl_map_text(by, "Operation")),
	       IPL_STR_ARG(ipl_cell(in->arena, ipl_map_get(by, "Principal"), VALUE_MAX)));
	if (actor.len > 0)
		printf(" for %.*s", IPL_STR_ARG(actor));
	if (reason.len > 0)
		printf(": %.*s", IPL_STR_ARG(reason));
	putchar('\n');
}

static enum ipl_status print_history(const struct ipl_invocation *in, struct ipl_session *session,
				     const struct ipl_value *result, struct ipl_error *err)
{
	static const char *const columns[] = {
		"FromSeq",    "ToSeq",        "FromTime",  "Kind",  "NetworkInterfaceId",
		"InstanceId", "AllocationId", "Operation", "Actor", "Reason",
		"EndedBy"
	};
	const struct ipl_value *history = ipl_map_get(result, "History");
	struct ipl_value rows = ipl_array();

	(void)session;
	(void)err;
	for (uint32_t i = 0; i < history->count; i++) {
		const struct ipl_value *interval = &history->item[i];
		if (ipl_map_get(interval, "Holder") != NULL) {
			ipl_array_add(in->arena, &rows, row_of(in, interval, "OpenedBy"));
			continue;
		}
		printf("#%" PRId64 "  %.*s  ", seq_of(interval, "FromSeq"),
		       IPL_STR_ARG(ipl_map_text(interval, "FromTime")));
		print_doer(in, ipl_map_get(interval, "OpenedBy"));
		print_fields(in, ipl_map_get(interval, "Fields"));
	}
	if (rows.count > 0)
		ipl_print_table(in->arena, &rows, columns, IPL_ARRAY_SIZE(columns));
	else if (history->count == 0)
		puts("nobody had it");
	return IPL_OK;
}

static int run_history(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();
	const char *word = NULL;

	for (int i = 0; i < in->argc; i++) {
		const char *from = ipl_option(in, &i, "--from");
		const char *to = from != NULL ? NULL : ipl_option(in, &i, "--to");
		const char *vpc =
			from != NULL || to != NULL ? NULL : ipl_option(in, &i, "--vpc-id");
		if (from != NULL && !ipl_add_bound(in, &params, from, "FromSeq", "FromTime"))
			return ipl_usage(in->command, "--from %s is no moment", from);
		if (to != NULL && !ipl_add_bound(in, &params, to, "ToSeq", "ToTime"))
			return ipl_usage(in->command, "--to %s is no moment", to);
		if (vpc != NULL)
			ipl_map_add(in->arena, &params, "VpcId", ipl_text_of(vpc));
		if (from != NULL || to != NULL || vpc != NULL)
			continue;
		if (word != NULL || in->argv[i][0] == '-')
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
		word = in->argv[i];
	}
	if (word == NULL)
		return ipl_usage(in->command, "history takes one id or address");
	ipl_map_add(in->arena, &params, is_address(word) ? "Address" : "Id", ipl_text_of(word));
	return ask(in, "GetHistory", &params, print_history);
}

const struct ipl_command ipl_cmd_history = {
	.name = "history",
	.args = "ID|ADDRESS [--vpc-id VPC] [--from WHEN] [--to WHEN]",
	.summary = "who had an address, from when to when; what each event changed of an entity",
	.more = "It speaks of what is gone as well. From a moment on: also what was in force "
		"then.\n",
	.run = run_history,
};

/* --- blame --- */

/* Free, Reserved, Outside: an address that nobody ever had is an answer too. */
static enum ipl_status print_nobody(const struct ipl_invocation *in, struct ipl_session *session,
				    struct ipl_error *err)
{
	struct ipl_value params = ipl_map(), result;
	enum ipl_status st;

	if (!is_address(in->argv[0])) {
		puts("nobody ever had an address there");
		return IPL_OK;
	}
	ipl_map_add(in->arena, &params, "Address", ipl_text_of(in->argv[0]));
	st = ipl_ask(in, session, "LookupAddress", &params, &result, err);
	if (st == IPL_OK)
		printf("%s  %.*s, nobody ever had it\n", in->argv[0],
		       IPL_STR_ARG(ipl_map_text(&result, "Status")));
	return st;
}

/* In the order of addresses, whatever the order of vSwitches is. */
static int compare_rows(const void *a, const void *b)
{
	struct ipl_str x = ipl_map_text(a, "Address"), y = ipl_map_text(b, "Address");
	uint32_t p, q;
	struct ipl_ip6 r, s;

	if (ipl_ip4_parse(x, &p) && ipl_ip4_parse(y, &q))
		return p < q ? -1 : p > q;
	if (ipl_ip6_parse(x, &r) && ipl_ip6_parse(y, &s))
		return r.hi != s.hi ? (r.hi < s.hi ? -1 : 1) : r.lo < s.lo ? -1 : r.lo > s.lo;
	return ipl_ip4_parse(x, &p) ? -1 : 1;
}

static enum ipl_status print_blame(const struct ipl_invocation *in, struct ipl_session *session,
				   const struct ipl_value *result, struct ipl_error *err)
{
	static const char *const columns[] = {
		"Address",    "Status",       "Kind",  "NetworkInterfaceId",
		"InstanceId", "AllocationId", "Since", "Operation",
		"Principal",  "Actor",        "Reason"
	};
	const struct ipl_value *addresses = ipl_map_get(result, "Addresses");
	struct ipl_value rows = ipl_array();

	for (uint32_t i = 0; i < addresses->count; i++) {
		const struct ipl_value *interval = &addresses->item[i];
		bool is_over = ipl_map_get(interval, "ClosedBy")->type != IPL_VALUE_NIL;
		ipl_array_add(in->arena, &rows,
			      row_of(in, interval, is_over ? "ClosedBy" : "OpenedBy"));
	}
	if (rows.count == 0)
		return print_nobody(in, session, err);
	qsort(rows.item, rows.count, sizeof(*rows.item), compare_rows);
	ipl_print_table(in->arena, &rows, columns, IPL_ARRAY_SIZE(columns));
	return IPL_OK;
}

static int run_blame(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();
	struct ipl_invocation own = *in;
	char *word = NULL;
	const char *name;

	for (int i = 0; i < in->argc; i++) {
		const char *vpc = ipl_option(in, &i, "--vpc-id");
		if (vpc != NULL)
			ipl_map_add(in->arena, &params, "VpcId", ipl_text_of(vpc));
		else if (word == NULL && in->argv[i][0] != '-')
			word = in->argv[i];
		else
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
	}
	if (word == NULL)
		return ipl_usage(in->command, "blame takes an address, a block or a vSwitch");
	name = is_address(word) ? "Address" : strchr(word, '/') != NULL ? "CidrBlock" : "VSwitchId";
	ipl_map_add(in->arena, &params, name, ipl_text_of(word));
	own.argv = &word;
	return ask(&own, "ListAddresses", &params, print_blame);
}

const struct ipl_command ipl_cmd_blame = {
	.name = "blame",
	.args = "ADDRESS|CIDR|VSWITCH [--vpc-id VPC]",
	.summary = "who has an address or had it last, since when, by whose operation and why",
	.more = "Of a block or a vSwitch each address that anybody ever had. Held: who gave it; "
		"else\n"
		"(Cooling, Free) who took it.\n",
	.run = run_blame,
};

/* --- diff --- */

struct diffing {
	const struct ipl_invocation *in;
	struct ipl_session *session;
	struct ipl_value known; /* seq as text -> operation */
};

static enum ipl_status operation_of(struct diffing *d, int64_t seq, struct ipl_str *out,
				    struct ipl_error *err)
{
	struct ipl_str key = ipl_arena_printf(d->in->arena, "%" PRId64, seq);
	const struct ipl_value *known = ipl_map_get_str(&d->known, key);
	struct ipl_value params = ipl_map(), event;
	enum ipl_status st;

	if (known != NULL) {
		*out = known->str;
		return IPL_OK;
	}
	ipl_map_add(d->in->arena, &params, "Seq", ipl_int(seq));
	st = ipl_session_call(d->session, IPL_STR("GetEvent"), &params, d->in->arena, &event, err);
	if (st != IPL_OK)
		return st;
	*out = ipl_map_text(&event, "Operation");
	if (d->known.count <
	    256) /* looked through one by one: what is met together comes together */
		ipl_map_add_str(d->in->arena, &d->known, key, ipl_text(*out));
	else
		d->known.count = 0;
	return IPL_OK;
}

/* "#12 RunInstances, #14 AssociateEipAddress and 3 before" */
static enum ipl_status print_doers(struct diffing *d, const struct ipl_value *change,
				   struct ipl_error *err)
{
	const struct ipl_value *seqs = ipl_map_get(change, "Seqs");
	uint32_t skipped = seqs->count > DOERS_MAX ? seqs->count - DOERS_MAX : 0;
	int64_t before = skipped + seq_of(change, "SeqsLeftOut");

	for (uint32_t i = skipped; i < seqs->count; i++) {
		struct ipl_str operation;
		enum ipl_status st = operation_of(d, seqs->item[i].integer, &operation, err);
		if (st != IPL_OK)
			return st;
		printf("%s#%" PRId64 " %.*s", i == skipped ? "  " : ", ", seqs->item[i].integer,
		       IPL_STR_ARG(operation));
	}
	if (before > 0)
		printf(" and %" PRId64 " before", before);
	putchar('\n');
	return IPL_OK;
}

static enum ipl_status print_diff(const struct ipl_invocation *in, struct ipl_session *session,
				  const struct ipl_value *result, struct ipl_error *err)
{
	const struct ipl_value *changes = ipl_map_get(result, "Changes");
	struct diffing d = { .in = in, .session = session, .known = ipl_map() };
	bool is_coloured = has_colour();
	size_t width = 0;

	for (uint32_t i = 0; i < changes->count; i++) {
		struct ipl_str id = ipl_map_text(&changes->item[i], "Id");
		width = id.len > width ? id.len : width;
	}
	for (uint32_t i = 0; i < changes->count; i++) {
		const struct ipl_value *change = &changes->item[i];
		struct ipl_str what = ipl_map_text(change, "Change");
		char sign = ipl_str_is(what, "Created") ? '+' :
			    ipl_str_is(what, "Deleted") ? '-' :
							  '~';
		const char *colour = sign == '+' ? "\033[32m" :
				     sign == '-' ? "\033[31m" :
						   "\033[33m";
		enum ipl_status st;
		printf("%s%c %-*.*s  %.*s%s", is_coloured ? colour : "", sign, (int)width,
		       IPL_STR_ARG(ipl_map_text(change, "Id")),
		       IPL_STR_ARG(ipl_map_text(change, "Kind")), is_coloured ? "\033[0m" : "");
		st = print_doers(&d, change, err);
		if (st != IPL_OK)
			return st;
		print_fields(in, ipl_map_get(change, "Fields"));
	}
	if (changes->count == 0)
		printf("nothing differs between event %" PRId64 " and event %" PRId64 "\n",
		       seq_of(result, "FromSeq"), seq_of(result, "ToSeq"));
	return IPL_OK;
}

static int run_diff(const struct ipl_invocation *in)
{
	static const char *const names[] = { "From", "To" };
	struct ipl_value params = ipl_map();

	if (in->argc < 2 || in->argc > 3)
		return ipl_usage(in->command, "diff takes two moments, and what of it");
	for (int i = 0; i < 2; i++) {
		struct ipl_value when;
		if (!ipl_when(in->arena, in->argv[i], &when))
			return ipl_usage(in->command,
					 "%s is no moment: a seq, an RFC 3339 time or a span such "
					 "as 5m",
					 in->argv[i]);
		ipl_map_add(in->arena, &params, names[i], when);
	}
	if (in->argc == 3)
		ipl_map_add(in->arena, &params, "Id", ipl_text_of(in->argv[2]));
	return ask(in, "DiffState", &params, print_diff);
}

const struct ipl_command ipl_cmd_diff = {
	.name = "diff",
	.args = "WHEN WHEN [ID]",
	.summary = "what differs between two moments, and the events that did it",
	.more = "ID: only this, and what belongs to it where it is a VPC, a vSwitch or an "
		"instance.\n"
		"+ is there at the second moment only, - at the first only, ~ is another.\n",
	.run = run_diff,
};
