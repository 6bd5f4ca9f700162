/* SPDX-License-Identifier: Apache-2.0 */
/* ipledger-protocol(7): what a client sends and gets, by the tables of the rooms below. */
#include "cli/man.h"
#include "cli/reference.h"

#include <string.h>

#include "events/codes.h"
#include "events/event.h"
#include "operations/operation.h"

static void put_introduction(FILE *to)
{
	fputs(".SH DESCRIPTION\n"
	      "A server has two kinds of doors. The native one speaks MessagePack-RPC over\n"
	      "a Unix\n"
	      "socket or TCP:\n"
	      ".PP\n.EX\n"
	      "request       [0, msgid, \"Operation\", [params]]\n"
	      "answer        [1, msgid, error, result]\n"
	      "notification  [2, \"Event\", [event]]\n"
	      ".EE\n"
	      ".PP\n"
	      "params is a map of the parameters below. Requests may be pipelined, and are "
	      "answered\n"
	      "in their order. A result holds RequestId, and after a write Seq and Time. An error "
	      "is\n"
	      "the text \"Code: Message\", or after Hello with ErrorFormat \"Map\" a map of\n"
	      "Code,\n"
	      "Message, RequestId, HttpStatus and Detail. At a Unix socket the peer\\(aqs uid says "
	      "who\n"
	      "it is; at TCP Hello comes first, whose Signature is HMAC-SHA256, keyed with the "
	      "secret,\n"
	      "over AccessKeyId, Timestamp and Nonce with line feeds between them, in "
	      "hexadecimal.\n"
	      ".PP\n"
	      "The HTTP door is the cloud\\(aqs own API: its SDKs work with it. Names, results "
	      "and\n"
	      "codes are the same; a list is written Name.1, Name.2, and so on.\n"
	      ".SH MEMBERS THAT OPERATIONS SHARE\n"
	      ".TP\n.B RegionId\nThe ledger\\(aqs region; another is refused.\n"
	      ".TP\n.BR ClientToken \", of a write\"\n"
	      "Up to 64 ASCII characters. The same token with the same parameters gives the\n"
	      "first\n"
	      "answer again and does nothing; kept for ever.\n"
	      ".TP\n.BR DryRun \", of a write\"\n"
	      "true: decide, and do nothing. What would have been done is the error\n"
	      "DryRunOperation.\n"
	      ".TP\n.BR IfSeq \", of a write\"\n"
	      "Refuse where an entity that it touches has changed after this seq.\n"
	      ".TP\n.BR Reason \", \" Actor \", of a write\"\n"
	      "Why, and for whom: recorded in the event.\n"
	      ".TP\n.BR EventTime \", of a write\"\n"
	      "When it happened, to bring in history; for the role admin.\n"
	      ".TP\n.BR AsOf \", of a read\"\n"
	      "A seq, or an RFC 3339 time: what was so after the last event that is not\n"
	      "later.\n"
	      ".TP\n.BR MaxResults \", \" NextToken \", of a list\"\n",
	      to);
	fprintf(to,
		"So many on a page, up to %d (%d); the page after. All pages are of the first "
		"one\\(aqs\n"
		"moment.\n",
		IPL_PAGE_MAX, IPL_PAGE_DEFAULT);
}

/* --- operations --- */

static void put_operation(FILE *to, const struct ipl_operation *operation)
{
	bool is_write = operation->kind == IPL_OPERATION_WRITE;

	fprintf(to, ".SS %s\n%s%s%s\n", operation->name,
		is_write                              ? "Writes." :
		operation->kind == IPL_OPERATION_READ ? "Reads." :
							"Of the server.",
		(operation->flags & IPL_OPERATION_PAGED) != 0 ? " A list." : "",
		(operation->flags & IPL_OPERATION_NATIVE) != 0 ? " At the native door only." : "");
	for (uint32_t i = 0; i < operation->params->count; i++) {
		const struct ipl_param *param = &operation->params->at[i];
		fprintf(to, ".TP\n.B %s\n", param->name);
		ipl_reference_param(to, param);
		fputs(param->is_required ? "; must be given\n" : "\n", to);
	}
}

static void put_operations(FILE *to)
{
	const struct ipl_operation *operation;

	fputs(".SH OPERATIONS\n"
	      "Their rules are those of the cloud\\(aqs ECS (2014-05-26) and VPC (2016-04-28) "
	      "APIs.\n",
	      to);
	for (size_t i = 0; (operation = ipl_operation_at(i)) != NULL; i++)
		put_operation(to, operation);
}

/* --- events and errors --- */

static void put_events(FILE *to)
{
	fputs(".SH EVENTS\n"
	      "An event is a map: Seq, Time, Type, Operation, Principal (who was authenticated), "
	      "Actor,\n"
	      "RequestId, Reason, Touches (the ids of what it changed) and Body. Its types:\n",
	      to);
	for (uint64_t type = 0; type <= IPL_EVENT_NUMBER_MAX; type++) {
		if (ipl_event_name(type) == NULL)
			continue;
		fprintf(to, ".TP\n.B %s\n", ipl_event_name(type));
		ipl_man_text(to, ipl_event_meaning(type));
		putc('\n', to);
	}
}

static const struct {
	int status;
	const char *code;
} codes[] = {
#define X(NAME, status, code) { status, code },
	IPL_CODE_LIST(X)
#undef X
};

/* Some codes have two statuses, by operation; each is named once with each. */
static bool is_repeated(size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (codes[i].status == codes[index].status &&
		    strcmp(codes[i].code, codes[index].code) == 0)
			return true;
	}
	return false;
}

static void put_codes(FILE *to)
{
	fputs(".SH ERRORS\nCodes, and their statuses at the HTTP door.\n", to);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(codes); i++) {
		if (!is_repeated(i))
			fprintf(to, ".TP\n.B %s\n%d\n", codes[i].code, codes[i].status);
	}
}

void ipl_man_protocol(FILE *to)
{
	put_introduction(to);
	put_operations(to);
	put_events(to);
	put_codes(to);
	fputs(".SH SEE ALSO\n.BR ipledger (1),\n.BR ipledger\\-call (1),\n"
	      ".BR ipledger\\-serve (1)\n",
	      to);
}
