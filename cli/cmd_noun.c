/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations by noun: `ipledger vswitch create --vpc-id … --cidr-block …`. A row of
 * the table below is all there is to one; its options are the operation's parameters.
 */
#include "cli/ask.h"
#include "cli/params.h"

#include <stdio.h>
#include <string.h>

static const struct ipl_verb verbs[] = {
	{ "vpc", "create", "CreateVpc", { "CidrBlock" }, "CIDR" },
	{ "vpc", "list", "DescribeVpcs", { NULL }, "" },
	{ "vpc", "show", "GetEntity", { "Id" }, "VPC" },
	{ "vpc", "modify", "ModifyVpcAttribute", { "VpcId" }, "VPC" },
	{ "vpc",
	  "add-block",
	  "AssociateVpcCidrBlock",
	  { "VpcId", "SecondaryCidrBlock" },
	  "VPC CIDR" },
	{ "vpc",
	  "drop-block",
	  "UnassociateVpcCidrBlock",
	  { "VpcId", "SecondaryCidrBlock" },
	  "VPC CIDR" },
	{ "vpc", "delete", "DeleteVpc", { "VpcId" }, "VPC" },

	{ "vswitch", "create", "CreateVSwitch", { "VpcId", "CidrBlock" }, "VPC CIDR" },
	{ "vswitch", "list", "DescribeVSwitches", { NULL }, "" },
	{ "vswitch", "show", "GetEntity", { "Id" }, "VSWITCH" },
	{ "vswitch", "modify", "ModifyVSwitchAttribute", { "VSwitchId" }, "VSWITCH" },
	{ "vswitch",
	  "can-allocate",
	  "CheckCanAllocateVpcPrivateIpAddress",
	  { "VSwitchId", "PrivateIpAddress" },
	  "VSWITCH ADDRESS" },
	{ "vswitch", "delete", "DeleteVSwitch", { "VSwitchId" }, "VSWITCH" },

	{ "instance", "run", "RunInstances", { "VSwitchId", "InstanceType" }, "VSWITCH TYPE" },
	{ "instance", "create", "CreateInstance", { "VSwitchId", "InstanceType" }, "VSWITCH TYPE" },
	{ "instance", "list", "DescribeInstances", { NULL }, "" },
	{ "instance", "show", "GetEntity", { "Id" }, "INSTANCE" },
	{ "instance", "status", "DescribeInstanceStatus", { "InstanceId" }, "[INSTANCE]" },
	{ "instance", "types", "DescribeInstanceTypes", { NULL }, "" },
	{ "instance", "start", "StartInstance", { "InstanceId" }, "INSTANCE" },
	{ "instance", "stop", "StopInstance", { "InstanceId" }, "INSTANCE" },
	{ "instance", "reboot", "RebootInstance", { "InstanceId" }, "INSTANCE" },
	{ "instance",
	  "bandwidth",
	  "ModifyInstanceNetworkSpec",
	  { "InstanceId", "InternetMaxBandwidthOut" },
	  "INSTANCE MBPS" },
	{ "instance", "public-ip", "AllocatePublicIpAddress", { "InstanceId" }, "INSTANCE" },
	{ "instance",
	  "move",
	  "ModifyInstanceVpcAttribute",
	  { "InstanceId", "VSwitchId" },
	  "INSTANCE VSWITCH" },
	{ "instance", "reach", "GetReachability", { "InstanceId" }, "INSTANCE" },
	{ "instance", "delete", "DeleteInstance", { "InstanceId" }, "INSTANCE" },

	{ "eni", "create", "CreateNetworkInterface", { "VSwitchId" }, "VSWITCH" },
	{ "eni", "list", "DescribeNetworkInterfaces", { NULL }, "" },
	{ "eni", "show", "GetEntity", { "Id" }, "ENI" },
	{ "eni", "modify", "ModifyNetworkInterfaceAttribute", { "NetworkInterfaceId" }, "ENI" },
	{ "eni",
	  "attach",
	  "AttachNetworkInterface",
	  { "NetworkInterfaceId", "InstanceId" },
	  "ENI INSTANCE" },
	{ "eni",
	  "detach",
	  "DetachNetworkInterface",
	  { "NetworkInterfaceId", "InstanceId" },
	  "ENI INSTANCE" },
	{ "eni", "delete", "DeleteNetworkInterface", { "NetworkInterfaceId" }, "ENI" },

	{ "eip", "create", "AllocateEipAddress", { NULL }, "" },
	{ "eip", "list", "DescribeEipAddresses", { NULL }, "" },
	{ "eip", "show", "GetEntity", { "Id" }, "EIP" },
	{ "eip", "modify", "ModifyEipAddressAttribute", { "AllocationId" }, "EIP" },
	{ "eip",
	  "associate",
	  "AssociateEipAddress",
	  { "AllocationId", "InstanceId" },
	  "EIP INSTANCE" },
	{ "eip", "disassociate", "UnassociateEipAddress", { "AllocationId" }, "EIP" },
	{ "eip", "release", "ReleaseEipAddress", { "AllocationId" }, "EIP" },

	{ "ipv6", "assign", "AssignIpv6Addresses", { "NetworkInterfaceId" }, "ENI" },
	{ "ipv6",
	  "unassign",
	  "UnassignIpv6Addresses",
	  { "NetworkInterfaceId", "Ipv6Address" },
	  "ENI ADDRESS" },
	{ "ipv6", "list", "DescribeIpv6Addresses", { NULL }, "" },
	{ "ipv6", "show", "GetEntity", { "Id" }, "IPV6" },
	{ "ipv6",
	  "publish",
	  "AllocateIpv6InternetBandwidth",
	  { "Ipv6AddressId", "Bandwidth" },
	  "IPV6 MBPS" },
	{ "ipv6",
	  "bandwidth",
	  "ModifyIpv6InternetBandwidth",
	  { "Ipv6AddressId", "Bandwidth" },
	  "IPV6 MBPS" },
	{ "ipv6", "unpublish", "DeleteIpv6InternetBandwidth", { "Ipv6AddressId" }, "IPV6" },

	{ "ipv6gw", "create", "CreateIpv6Gateway", { "VpcId" }, "VPC" },
	{ "ipv6gw", "list", "DescribeIpv6Gateways", { NULL }, "" },
	{ "ipv6gw", "show", "GetEntity", { "Id" }, "IPV6GW" },
	{ "ipv6gw", "delete", "DeleteIpv6Gateway", { "Ipv6GatewayId" }, "IPV6GW" },
};

static const struct ipl_verb *find_verb(const char *noun, const char *name)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].noun, noun) == 0 && strcmp(verbs[i].verb, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

const struct ipl_verb *ipl_verb_at(const char *noun, size_t index)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].noun, noun) == 0 && index-- == 0)
			return &verbs[i];
	}
	return NULL;
}

void ipl_list_verbs(FILE *to, const char *noun)
{
	const struct ipl_verb *verb;

	for (size_t i = 0; (verb = ipl_verb_at(noun, i)) != NULL; i++)
		fprintf(to, "  ipledger %s %-13s %-16s  %s\n", noun, verb->verb, verb->shown,
			verb->operation);
}

static int no_such_verb(const struct ipl_invocation *in)
{
	const char *noun = in->command->name;

	if (in->argc > 0)
		fprintf(stderr, "ipledger: %s: there is no verb %s\n", noun, in->argv[0]);
	else
		fprintf(stderr, "ipledger: %s: which verb?\n", noun);
	ipl_list_verbs(stderr, noun);
	fputs("options: the operation's parameters, as --cidr-block VALUE or CidrBlock=VALUE\n",
	      stderr);
	return IPL_EXIT_USAGE;
}

/* One word at argv[*i]: an option, Name=value, or the next parameter without a name; -1: taken. */
static int take_word(const struct ipl_invocation *in, const struct ipl_verb *verb,
		     const struct ipl_operation *operation, int *i, size_t *place,
		     struct ipl_value *params)
{
	const char *word = in->argv[*i], *equals = strchr(word, '=');
	struct ipl_str option = { word, equals == NULL ? strlen(word) : (size_t)(equals - word) };
	const char *name, *value = "true";
	bool is_flag;

	if (strncmp(word, "--", 2) != 0) {
		if (ipl_params_add_word(in->arena, operation, word, params))
			return -1;
		if (*place == IPL_VERB_WORDS_MAX || verb->word[*place] == NULL)
			return ipl_usage(in->command, "%s is too much", word);
		ipl_params_add(in->arena, operation, verb->word[(*place)++], word, params);
		return -1;
	}
	name = ipl_params_of_option(operation, option, &is_flag);
	if (name == NULL)
		return ipl_usage(in->command, "%s has no parameter for %.*s", operation->name,
				 IPL_STR_ARG(option));
	if (equals != NULL)
		value = equals + 1;
	else if (!is_flag && *i + 1 == in->argc)
		return ipl_usage(in->command, "%s takes a value", word);
	else if (!is_flag)
		value = in->argv[++*i];
	ipl_params_add(in->arena, operation, name, value, params);
	return -1;
}

static int run_noun(const struct ipl_invocation *in)
{
	const struct ipl_verb *verb =
		in->argc == 0 ? NULL : find_verb(in->command->name, in->argv[0]);
	const struct ipl_operation *operation;
	struct ipl_value params = ipl_map();
	size_t place = 0;

	if (verb == NULL)
		return no_such_verb(in);
	operation = ipl_operation_find(ipl_str_of(verb->operation));
	for (int i = 1; i < in->argc; i++) {
		int rc = take_word(in, verb, operation, &i, &place, &params);
		if (rc >= 0)
			return rc;
	}
	if ((operation->flags & IPL_OPERATION_PAGED) != 0)
		return ipl_ask_all_and_print(in, verb->operation, &params);
	return ipl_ask_and_print(in, verb->operation, &params);
}

#define NOUN(noun, what)                                                                          \
	const struct ipl_command ipl_cmd_##noun = {                                               \
		.name = #noun,                                                                    \
		.args = "VERB [WORD]... [OPTION VALUE | Name=value]...",                          \
		.summary = what,                                                                  \
		.more = "Without a verb it lists them with the operations behind them. Options\n" \
			"are the operation's parameters: --cidr-block 10.0.0.0/16, or\n"          \
			"CidrBlock=10.0.0.0/16, lists by repeating the option.\n",                \
		.run = run_noun,                                                                  \
	}

NOUN(vpc, "VPCs: create, list, show, modify, add-block, drop-block, delete");
NOUN(vswitch, "vSwitches: create, list, show, modify, can-allocate, delete");
NOUN(instance, "instances: run, create, list, show, start, stop, bandwidth, move, delete, ...");
NOUN(eni, "network interfaces: create, list, show, modify, attach, detach, delete");
NOUN(eip, "elastic IPs: create, list, show, modify, associate, disassociate, release");
NOUN(ipv6, "IPv6 addresses: assign, unassign, list, show, publish, bandwidth, unpublish");
NOUN(ipv6gw, "IPv6 gateways: create, list, show, delete");
