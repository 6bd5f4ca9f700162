/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show: one entity, or who holds an address. An instance is laid out as the cloud's
 * console does it: its addresses first, then what belongs to it; empty where there is none.
 */
#include "cli/ask.h"

#include <stdio.h>
#include <string.h>

#include "events/address.h"

#define LABEL_WIDTH 24

static void line(const char *label, struct ipl_str text)
{
	printf("  %-*s%.*s\n", LABEL_WIDTH, label, IPL_STR_ARG(text));
}

static struct ipl_str text_at(const struct ipl_value *map, const char *path)
{
	const struct ipl_value *value = ipl_value_at(map, ipl_str_of(path));

	return value == NULL || value->type != IPL_VALUE_STR ? IPL_STR("") : value->str;
}

/* "a, b": the texts under @member of the items of @list that @wanted takes. */
static void join(struct ipl_buf *out, const struct ipl_value *list, const char *member,
		 bool (*wanted)(const struct ipl_value *item))
{
	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		struct ipl_str text = text_at(&list->item[i], member);
		if (wanted != NULL && !wanted(&list->item[i]))
			continue;
		if (out->len > 0)
			ipl_buf_append(out, ", ", 2);
		ipl_buf_append(out, text.at, text.len);
	}
}

static bool is_secondary(const struct ipl_value *address)
{
	const struct ipl_value *primary = ipl_map_get(address, "Primary");

	return primary != NULL && primary->type == IPL_VALUE_BOOL && !primary->boolean;
}

/* The addresses of all network interfaces under one label. */
static void print_addresses(const char *label, const struct ipl_value *enis, const char *list,
			    const char *member, bool (*wanted)(const struct ipl_value *item))
{
	struct ipl_buf text = { 0 };

	for (uint32_t i = 0; enis != NULL && i < enis->count; i++)
		join(&text, ipl_value_at(&enis->item[i], ipl_str_of(list)), member, wanted);
	line(label, (struct ipl_str){ (const char *)text.at, text.len });
	ipl_buf_release(&text);
}

static void print_instance(const struct ipl_invocation *in, const struct ipl_value *state,
			   const struct ipl_value *enis)
{
	static const char *const columns[] = {
		"NetworkInterfaceId", "Type",       "VSwitchId",
		"PrivateIpAddress",   "MacAddress", "AssociatedPublicIp.PublicIpAddress"
	};
	const struct ipl_value *bandwidth = ipl_map_get(state, "InternetMaxBandwidthOut");
	char mbps[32] = "";

	if (bandwidth != NULL && bandwidth->type == IPL_VALUE_INT)
		(void)snprintf(mbps, sizeof(mbps), "%lld Mbit/s", (long long)bandwidth->integer);
	printf("%.*s  %.*s\n\nInstance\n", IPL_STR_ARG(text_at(state, "InstanceId")),
	       IPL_STR_ARG(text_at(state, "InstanceName")));
	line("Status", text_at(state, "Status"));
	line("Type", text_at(state, "InstanceType"));
	line("Zone", text_at(state, "ZoneId"));
	line("VPC", text_at(state, "VpcAttributes.VpcId"));
	line("vSwitch", text_at(state, "VpcAttributes.VSwitchId"));
	line("Created", text_at(state, "CreationTime"));
	puts("\nConfiguration");
	line("Public IP", text_at(state, "PublicIpAddress.IpAddress.1"));
	line("EIP", text_at(state, "EipAddress.IpAddress"));
	line("Primary private IP", text_at(state, "VpcAttributes.PrivateIpAddress.IpAddress.1"));
	line("Public bandwidth", ipl_str_of(mbps));
	puts("\nRelated resources");
	print_addresses("Secondary private IPs", enis, "PrivateIpSets.PrivateIpSet",
			"PrivateIpAddress", is_secondary);
	print_addresses("IPv6", enis, "Ipv6Sets.Ipv6Set", "Ipv6Address", NULL);
	puts("\nNetwork interfaces");
	if (enis != NULL)
		ipl_print_table(in->arena, enis, columns, IPL_ARRAY_SIZE(columns));
}

/* Its network interfaces as of the same moment, then all of it. */
static enum ipl_status show_instance(const struct ipl_invocation *in, struct ipl_session *session,
				     const struct ipl_value *result, struct ipl_error *err)
{
	const struct ipl_value *state = ipl_map_get(result, "State");
	const struct ipl_value *seq = ipl_map_get(result, "AsOfSeq");
	struct ipl_value params = ipl_map(), enis;
	struct ipl_invocation then = *in;
	enum ipl_status st;

	if (in->as_of == NULL)
		then.as_of = seq;
	ipl_map_add(in->arena, &params, "InstanceId", *ipl_map_get(result, "Id"));
	st = ipl_ask_all(&then, session, "DescribeNetworkInterfaces", &params, &enis, err);
	if (st == IPL_OK)
		print_instance(
			in, state,
			ipl_value_at(&enis, IPL_STR("NetworkInterfaceSets.NetworkInterfaceSet")));
	return st;
}

static int show_id(const struct ipl_invocation *in, const char *id)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_value params = ipl_map(), result;
	struct ipl_session *session = NULL;
	enum ipl_status st = ipl_session_open(in->data, in->server, &session, &err);

	ipl_map_add(in->arena, &params, "Id", ipl_text_of(id));
	if (st == IPL_OK)
		st = ipl_ask(in, session, "GetEntity", &params, &result, &err);
	if (st == IPL_OK && in->output == IPL_OUTPUT_TABLE &&
	    ipl_str_is(ipl_map_text(&result, "Kind"), "Instance"))
		st = show_instance(in, session, &result, &err);
	else if (st == IPL_OK)
		ipl_print_result(in, &result);
	ipl_session_close(session);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

static int run_show(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();
	struct ipl_ip6 ip6;
	const char *vpc = NULL, *word = NULL;
	uint32_t ip4;

	for (int i = 0; i < in->argc; i++) {
		const char *value = ipl_option(in, &i, "--vpc-id");
		if (value != NULL)
			vpc = value;
		else if (word == NULL)
			word = in->argv[i];
		else
			return ipl_usage(in->command, "show takes one id or address");
	}
	if (word == NULL)
		return ipl_usage(in->command, "show takes one id or address");
	if (!ipl_ip4_parse(ipl_str_of(word), &ip4) && !ipl_ip6_parse(ipl_str_of(word), &ip6))
		return show_id(in, word);
	ipl_map_add(in->arena, &params, "Address", ipl_text_of(word));
	if (vpc != NULL)
		ipl_map_add(in->arena, &params, "VpcId", ipl_text_of(vpc));
	return ipl_ask_and_print(in, "LookupAddress", &params);
}

const struct ipl_command ipl_cmd_show = {
	.name = "show",
	.args = "ID|ADDRESS [--vpc-id VPC]",
	.summary = "one entity, or who holds an address; now or --as-of",
	.more = "An instance is laid out as the cloud's console does it.\n",
	.run = run_show,
};
