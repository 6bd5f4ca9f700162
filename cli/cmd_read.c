/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that only look: status, show, log. */
#include "cli/client.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "events/address.h"

#define PAGE_RESULTS 1000

/* Open, call, print, close. */
static int call_and_print(const struct ipl_invocation *in, const char *operation,
			  struct ipl_value *params)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_client *client = NULL;
	struct ipl_value result;
	enum ipl_status st = ipl_client_open(in->data, in->server, &client, &err);

	if (in->as_of != NULL)
		ipl_map_add(in->arena, params, "AsOf", *in->as_of);
	if (st == IPL_OK)
		st = ipl_client_call(client, ipl_str_of(operation), params, in->arena, &result,
				     &err);
	if (st == IPL_OK)
		ipl_print_result(in, &result);
	ipl_client_close(client);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

static int run_status(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();

	if (in->argc != 0)
		return ipl_usage(&ipl_cmd_status, "status takes no words");
	return call_and_print(in, "GetStatus", &params);
}

const struct ipl_command ipl_cmd_status = {
	.name = "status",
	.args = "",
	.summary = "the ledger's head, its counts and its store",
	.run = run_status,
};

static int run_show(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();
	struct ipl_ip6 ip6;
	uint32_t ip4;
	bool is_address;

	if (in->argc != 1)
		return ipl_usage(&ipl_cmd_show, "show takes one id or address");
	is_address = ipl_ip4_parse(ipl_str_of(in->argv[0]), &ip4) ||
		     ipl_ip6_parse(ipl_str_of(in->argv[0]), &ip6);
	ipl_map_add(in->arena, &params, is_address ? "Address" : "Id", ipl_text_of(in->argv[0]));
	return call_and_print(in, is_address ? "LookupAddress" : "GetEntity", &params);
}

const struct ipl_command ipl_cmd_show = {
	.name = "show",
	.args = "ID|ADDRESS",
	.summary = "one entity, or who holds an address; now or --as-of",
	.run = run_show,
};

/* --- log --- */

static bool add_bound(const struct ipl_invocation *in, struct ipl_value *params, const char *text,
		      const char *seq_name, const char *time_name)
{
	struct ipl_value when;

	if (!ipl_when(in->arena, text, &when))
		return false;
	ipl_map_add(in->arena, params, when.type == IPL_VALUE_INT ? seq_name : time_name, when);
	return true;
}

/* All pages into one list. */
static enum ipl_status fetch_events(const struct ipl_invocation *in, struct ipl_value *params,
				    struct ipl_value *events, struct ipl_error *err)
{
	struct ipl_client *client = NULL;
	struct ipl_str token = IPL_STR("");
	enum ipl_status st = ipl_client_open(in->data, in->server, &client, err);

	ipl_map_add(in->arena, params, "MaxResults", ipl_int(PAGE_RESULTS));
	do {
		struct ipl_value result;
		const struct ipl_value *page;
		if (st == IPL_OK && token.len > 0)
			ipl_map_set(in->arena, params, IPL_STR("NextToken"), ipl_text(token));
		if (st == IPL_OK)
			st = ipl_client_call(client, IPL_STR("ListEvents"), params, in->arena,
					     &result, err);
		if (st != IPL_OK)
			break;
		page = ipl_map_get(&result, "Events");
		for (uint32_t i = 0; page != NULL && i < page->count; i++)
			ipl_array_add(in->arena, events, page->item[i]);
		token = ipl_map_text(&result, "NextToken");
	} while (token.len > 0);
	ipl_client_close(client);
	return st;
}

static int run_log(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_value params = ipl_map(), events = ipl_array(), result = ipl_map();
	const char *id = NULL;

	for (int i = 0; i < in->argc; i++) {
		const char *from = ipl_option(in, &i, "--from");
		const char *to = from != NULL ? NULL : ipl_option(in, &i, "--to");
		if (from != NULL && !add_bound(in, &params, from, "FromSeq", "FromTime"))
			return ipl_usage(&ipl_cmd_log, "--from %s is no moment", from);
		if (to != NULL && !add_bound(in, &params, to, "ToSeq", "ToTime"))
			return ipl_usage(&ipl_cmd_log, "--to %s is no moment", to);
		if (from != NULL || to != NULL)
			continue;
		if (strcmp(in->argv[i], "--reverse") == 0)
			ipl_map_add(in->arena, &params, "Reverse", ipl_bool(true));
		else if (id == NULL && in->argv[i][0] != '-')
			id = in->argv[i];
		else
			return ipl_usage(&ipl_cmd_log, "%s is too much", in->argv[i]);
	}
	if (id != NULL)
		ipl_map_add(in->arena, &params, "Id", ipl_text_of(id));
	if (in->as_of != NULL)
		ipl_map_add(in->arena, &params, "AsOf", *in->as_of);
	if (fetch_events(in, &params, &events, &err) != IPL_OK)
		return ipl_fail(&err);
	ipl_map_add(in->arena, &result, "Events", events);
	ipl_print_result(in, &result);
	return IPL_EXIT_OK;
}

const struct ipl_command ipl_cmd_log = {
	.name = "log",
	.args = "[ID|ADDRESS] [--from WHEN] [--to WHEN] [--reverse]",
	.summary = "events: of everything, of one entity, of one address",
	.run = run_log,
};
