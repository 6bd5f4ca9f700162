/* SPDX-License-Identifier: Apache-2.0 */
/* The event and operation tables in words. */
#include "cli/reference.h"

#include <inttypes.h>
#include <string.h>

#include "events/event.h"

/* --- events --- */

static void put_choice(FILE *to, enum ipl_field_kind kind)
{
	const char *word;

	for (uint32_t i = 0; (word = ipl_choice_word(kind, i)) != NULL; i++)
		fprintf(to, "%s`%s`", i == 0 ? "" : ", ", word);
}

static void put_kind(FILE *to, const struct ipl_field *field)
{
	switch (field->kind) {
	case IPL_FIELD_BOOL:
		fputs("true or false", to);
		return;
	case IPL_FIELD_NUM:
		fputs("a number", to);
		return;
	case IPL_FIELD_TIME:
		fputs("a time (RFC 3339, UTC, milliseconds)", to);
		return;
	case IPL_FIELD_STR:
		fputs("text", to);
		return;
	case IPL_FIELD_IP4:
		fputs("an IPv4 address", to);
		return;
	case IPL_FIELD_CIDR4:
		fputs("an IPv4 block", to);
		return;
	case IPL_FIELD_IP6:
		fputs("an IPv6 address", to);
		return;
	case IPL_FIELD_CIDR6:
		fputs("an IPv6 block; empty: none", to);
		return;
	case IPL_FIELD_CHARGE:
	case IPL_FIELD_RUN:
	case IPL_FIELD_MODE:
	case IPL_FIELD_STOPPED:
		put_choice(to, field->kind);
		return;
	case IPL_FIELD_RECORD:
		fputs("a map", to);
		return;
	case IPL_FIELD_LIST:
		/* Where records have one member, the list is of its values. */
		if (field->record->field_count == 1) {
			fputs("a list, each ", to);
			put_kind(to, &field->record->field[0]);
		} else {
			fputs("a list of maps", to);
		}
		return;
	case IPL_FIELD_LEDGER:
	case IPL_FIELD_VPC:
	case IPL_FIELD_VSWITCH:
	case IPL_FIELD_INSTANCE:
	case IPL_FIELD_ENI:
	case IPL_FIELD_EIP:
	case IPL_FIELD_IPV6:
	case IPL_FIELD_IPV6GW:
	case IPL_FIELD_IPV6BW:
		fprintf(to, "an id, `%s…`", ipl_kind_prefix(ipl_field_entity(field->kind)));
		return;
	}
}

static void put_touch(FILE *to, const struct ipl_field *field)
{
	uint32_t flags = field->flags;

	if (field->kind == IPL_FIELD_LIST && field->record->field_count == 1)
		flags |= field->record->field[0].flags;
	if ((flags & (IPL_FIELD_TOUCH | IPL_FIELD_SHARED)) != 0)
		fputs("touched", to);
	else if ((flags & IPL_FIELD_HELD) != 0)
		fputs("a holding of it opens or closes", to);
	else if ((flags & IPL_FIELD_PUBLIC) != 0)
		fputs("a holding of it opens or closes; 0.0.0.0: none", to);
}

/* Members of what stands inside are indented under it. */
static void put_fields(FILE *to, const struct ipl_record *record, unsigned depth)
{
	for (uint32_t i = 0; i < record->field_count; i++) {
		const struct ipl_field *field = &record->field[i];
		fputs("| ", to);
		for (unsigned k = 0; k < depth; k++)
			fputs("· ", to);
		fprintf(to, "`%s` | ", field->name);
		put_kind(to, field);
		fputs(" | ", to);
		put_touch(to, field);
		fputs(" |\n", to);
		if (field->record != NULL &&
		    (field->kind == IPL_FIELD_RECORD || field->record->field_count > 1))
			put_fields(to, field->record, depth + 1);
	}
}

static void put_envelope(FILE *to)
{
	fputs("# Events\n"
	      "\n"
	      "Every type of event that a log can hold. This page is what `ipledger help events` "
	      "prints, from the table that the\n"
	      "codec is made of; a test holds the two together. How an event lies on the disk "
	      "stands in [LOG.md](LOG.md).\n"
	      "\n"
	      "Each event is a map, the same at every door (`GetEvent`, `ListEvents`, "
	      "notifications, `ipledger log`):\n"
	      "\n"
	      "| member | is |\n"
	      "| --- | --- |\n"
	      "| `Seq` | its number, from 1, without gaps |\n"
	      "| `Time` | when it was appended, or the `EventTime` that it was given: RFC 3339, "
	      "UTC, milliseconds; never before that of the event before |\n"
	      "| `Type` | one of those below |\n"
	      "| `Operation` | what was called; in a transaction the operation inside |\n"
	      "| `Principal` | who was authenticated: `key:LTAI…`, `uid:1000` |\n"
	      "| `Actor`, `Reason` | for whom and why, as the caller said; `\"\"`: nothing was "
	      "said "
	      "|\n"
	      "| `RequestId` | of the call |\n"
	      "| `ClientToken` | of the call, if it had one |\n"
	      "| `Group` | of a transaction: `FirstSeq` and `Count` of its events |\n"
	      "| `Touches` | ids of the entities whose history it is part of |\n"
	      "| `Body` | what happened: the members of its type below |\n",
	      to);
}

void ipl_reference_events(FILE *to)
{
	put_envelope(to);
	for (uint64_t type = 0; type <= IPL_EVENT_NUMBER_MAX; type++) {
		if (ipl_event_name(type) == NULL)
			continue;
		fprintf(to,
			"\n## %s\n\n%s Number %" PRIu64 " on the disk.\n\n"
			"| member of `Body` | is | and then |\n| --- | --- | --- |\n",
			ipl_event_name(type), ipl_event_meaning(type), type);
		put_fields(to, ipl_event_record(type), 0);
	}
}

/* --- operations --- */

static void put_range(FILE *to, const struct ipl_param *param, const char *unit)
{
	if (param->most > 0)
		fprintf(to, ", %" PRId64 " to %" PRId64 "%s", param->least, param->most, unit);
}

void ipl_reference_param(FILE *to, const struct ipl_param *param)
{
	switch (param->kind) {
	case IPL_PARAM_STR:
	case IPL_PARAM_LINE:
		fputs("text", to);
		put_range(to, param, " characters");
		return;
	case IPL_PARAM_WORD:
		for (const char *at = param->text; *at != '\0'; at++)
			fputs(*at == '|' ? " or " : (char[]){ *at, '\0' }, to);
		if (param->is_defaulted)
			fputs("; the first where it is not given", to);
		return;
	case IPL_PARAM_BOOL:
		fputs("true or false", to);
		return;
	case IPL_PARAM_INT:
		fputs("a number", to);
		put_range(to, param, "");
		return;
	case IPL_PARAM_NUMSTR:
		fputs("a number, or its digits as text", to);
		put_range(to, param, "");
		return;
	case IPL_PARAM_STRS:
		fputs("a list of texts", to);
		return;
	case IPL_PARAM_SET:
		fputs("a list of texts, or one with commas", to);
		return;
	case IPL_PARAM_RECS:
		fputs("a list of maps:", to);
		for (uint32_t i = 0; i < param->of->count; i++)
			fprintf(to, "%s\n%s", i == 0 ? "" : ",", param->of->at[i].name);
		return;
	case IPL_PARAM_ANY:
		fputs("as described there", to);
		return;
	}
}

void ipl_reference_operation(FILE *to, const struct ipl_operation *operation)
{
	bool is_write = operation->kind == IPL_OPERATION_WRITE;
	bool is_list = (operation->flags & IPL_OPERATION_PAGED) != 0;

	fprintf(to, "%s %s.%s\n\n", operation->name,
		is_write                              ? "writes" :
		operation->kind == IPL_OPERATION_READ ? "reads" :
							"asks the server",
		(operation->flags & IPL_OPERATION_NATIVE) != 0 ? " At the native door only." : "");
	for (uint32_t i = 0; i < operation->params->count; i++) {
		const struct ipl_param *param = &operation->params->at[i];
		fprintf(to, "  %-31s  ", param->name);
		ipl_reference_param(to, param);
		fputs(param->is_required ? "; must be given\n" : "\n", to);
	}
	fprintf(to,
		"%sAnd what all %s take: %s.\n"
		"\n"
		"    ipledger call %s%s\n",
		operation->params->count > 0 ? "\n" : "", is_write ? "writes" : "reads",
		is_write ? "RegionId ClientToken DryRun IfSeq Reason Actor EventTime" :
		is_list  ? "RegionId AsOf MaxResults NextToken" :
			   "RegionId AsOf",
		operation->name, operation->params->count > 0 ? " Name=value…" : "");
}
