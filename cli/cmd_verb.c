/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs by intent: assign, release, convert, associate, disassociate. What an id or an
 * address is, they see from its text or ask the ledger; the rules are the ledger's.
 */
#include "cli/ask.h"
#include "cli/params.h"

#include <string.h>

#include "events/address.h"

#define WORDS_MAX 64

struct verb {
	const struct ipl_invocation *in;
	struct ipl_session *session;
	struct ipl_error err;
	struct ipl_value params; /* what every operation takes: reason, actor, … */
	const char *word[WORDS_MAX];
	size_t words;
};

static bool is_kind(const char *id, const char *prefix)
{
	return strncmp(id, prefix, strlen(prefix)) == 0;
}

static bool is_ip6(const char *text)
{
	struct ipl_ip6 ip;

	return ipl_ip6_parse(ipl_str_of(text), &ip);
}

static bool is_address(const char *text)
{
	uint32_t ip;

	return ipl_ip4_parse(ipl_str_of(text), &ip) || is_ip6(text);
}

static const char *text_at(struct verb *v, const struct ipl_value *map, const char *path)
{
	const struct ipl_value *value = ipl_value_at(map, ipl_str_of(path));

	if (value == NULL || value->type != IPL_VALUE_STR || value->str.len == 0)
		return NULL;
	return ipl_arena_str(v->in->arena, value->str).at;
}

/* An option of @operation or one that all operations take, or a word; -1: taken. */
static int take(struct verb *v, const struct ipl_operation *operation, int *i)
{
	const struct ipl_invocation *in = v->in;
	const char *word = in->argv[*i], *equals = strchr(word, '=');
	struct ipl_str option = { word, equals == NULL ? strlen(word) : (size_t)(equals - word) };
	const char *value = "true";
	const char *name;
	bool is_flag;

	if (word[0] != '-' || word[1] == '\0') {
		if (v->words == WORDS_MAX)
			return ipl_usage(in->command, "more than %d words", WORDS_MAX);
		v->word[v->words++] = word;
		return -1;
	}
	name = ipl_params_of_option(operation, option, &is_flag);
	if (name == NULL)
		return ipl_usage(in->command, "%s is no option of %s", word, in->command->name);
	if (equals != NULL)
		value = equals + 1;
	else if (!is_flag && *i + 1 == in->argc)
		return ipl_usage(in->command, "%s takes a value", word);
	else if (!is_flag)
		value = in->argv[++*i];
	ipl_params_add(in->arena, operation, name, value, &v->params);
	return -1;
}

static int begin(struct verb *v, const struct ipl_invocation *in, const char *operation)
{
	*v = (struct verb){ .in = in, .err = IPL_ERROR_INIT(in->arena), .params = ipl_map() };
	for (int i = 0; i < in->argc; i++) {
		int rc = take(v, ipl_operation_find(ipl_str_of(operation)), &i);
		if (rc >= 0)
			return rc;
	}
	return -1;
}

/* Open, act, close; gives the exit status. */
static int act(struct verb *v, enum ipl_status (*fn)(struct verb *v))
{
	enum ipl_status st = ipl_session_open(v->in->data, v->in->server, &v->session, &v->err);

	if (st == IPL_OK)
		st = fn(v);
	ipl_session_close(v->session);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&v->err);
}

static enum ipl_status do_it(struct verb *v, const char *operation, struct ipl_value *params)
{
	struct ipl_value result;
	enum ipl_status st = ipl_ask(v->in, v->session, operation, params, &result, &v->err);

	if (st == IPL_OK)
		ipl_print_result(v->in, &result);
	return st;
}

static void set_text(struct verb *v, struct ipl_value *params, const char *name, const char *text)
{
	ipl_map_set(v->in->arena, params, ipl_str_of(name), ipl_text_of(text));
}

static void set_list(struct verb *v, struct ipl_value *params, const char *name, const char *text)
{
	struct ipl_value list = ipl_array();

	ipl_array_add(v->in->arena, &list, ipl_text_of(text));
	ipl_map_set(v->in->arena, params, ipl_str_of(name), list);
}

/* --- whom an id or an address means --- */

/* The primary network interface of an instance. */
static enum ipl_status primary_eni(struct verb *v, const char *instance, const char **out)
{
	struct ipl_value params = ipl_map(), result;
	enum ipl_status st = ipl_ask_state(v->in, v->session, instance, &result, &v->err);

	if (st != IPL_OK)
		return st;
	set_text(v, &params, "InstanceId", instance);
	set_text(v, &params, "Type", "Primary");
	st = ipl_ask(v->in, v->session, "DescribeNetworkInterfaces", &params, &result, &v->err);
	if (st != IPL_OK)
		return st;
	*out = text_at(v, &result, "NetworkInterfaceSets.NetworkInterfaceSet.1.NetworkInterfaceId");
	return *out != NULL ? IPL_OK :
			      ipl_refuse(&v->err, IPL_CODE_NOT_FOUND, "%s has no network interface",
					 instance);
}

/* The one who holds @address; refused where nobody does, or several in different VPCs. */
static enum ipl_status holding_of(struct verb *v, const char *address, struct ipl_value *holding)
{
	const struct ipl_value *vpc = ipl_map_get(&v->params, "VpcId");
	struct ipl_value params = ipl_map(), result;
	const struct ipl_value *list;
	enum ipl_status st;

	set_text(v, &params, "Address", address);
	if (vpc != NULL)
		ipl_map_add(v->in->arena, &params, "VpcId", *vpc);
	st = ipl_ask(v->in, v->session, "LookupAddress", &params, &result, &v->err);
	if (st != IPL_OK)
		return st;
	list = ipl_map_get(&result, "Holdings");
	if (list == NULL || list->count == 0)
		return ipl_refuse(&v->err, IPL_CODE_NOT_FOUND, "nobody holds %s: it is %s", address,
				  text_at(v, &result, "Status"));
	if (list->count > 1)
		return ipl_refuse(&v->err, IPL_CODE_NOT_FOUND,
				  "%s is held %u times, among others in %s: say which with "
				  "--vpc-id, or name the resource by its id",
				  address, list->count, text_at(v, &list->item[0], "VpcId"));
	*holding = list->item[0];
	return IPL_OK;
}

/* The allocation id of an EIP that is named by id or by address. */
static enum ipl_status eip_of(struct verb *v, const char *word, const char **out)
{
	struct ipl_value holding;
	enum ipl_status st;

	*out = word;
	if (!is_address(word))
		return IPL_OK;
	st = holding_of(v, word, &holding);
	if (st != IPL_OK)
		return st;
	*out = text_at(v, &holding, "AllocationId");
	return *out != NULL ? IPL_OK :
			      ipl_refuse(&v->err, IPL_CODE_EIP_NOT_FOUND, "%s is no EIP: it is %s",
					 word, text_at(v, &holding, "Kind"));
}

/* --- assign --- */

static bool wants_ipv6(const struct verb *v)
{
	const struct ipl_value *ips = ipl_map_get(&v->params, "PrivateIpAddress");

	return ipl_map_get(&v->params, "Ipv6") != NULL ||
	       (ips != NULL && ips->type == IPL_VALUE_ARRAY && ips->count > 0 &&
		is_ip6(ips->item[0].str.at));
}

static enum ipl_status assign(struct verb *v)
{
	bool ipv6 = wants_ipv6(v);
	const struct ipl_value *ips = ipl_map_get(&v->params, "PrivateIpAddress");
	const struct ipl_value *count = ipl_map_get(&v->params, "SecondaryPrivateIpAddressCount");
	struct ipl_value params = ipl_map();
	const char *eni = v->word[0];
	enum ipl_status st = is_kind(eni, "i-") ? primary_eni(v, eni, &eni) : IPL_OK;

	if (st != IPL_OK)
		return st;
	for (uint32_t i = 0; i < v->params.count; i++) {
		struct ipl_str key = v->params.member[i].key;
		if (!ipl_str_is(key, "PrivateIpAddress") && !ipl_str_is(key, "Ipv6") &&
		    !ipl_str_is(key, "SecondaryPrivateIpAddressCount"))
			ipl_map_add_str(v->in->arena, &params, key, v->params.member[i].value);
	}
	set_text(v, &params, "NetworkInterfaceId", eni);
	if (ips != NULL)
		ipl_map_add(v->in->arena, &params, ipv6 ? "Ipv6Address" : "PrivateIpAddress", *ips);
	if (count != NULL || ips == NULL)
		ipl_map_add(v->in->arena, &params,
			    ipv6 ? "Ipv6AddressCount" : "SecondaryPrivateIpAddressCount",
			    count == NULL ? ipl_int(1) : *count);
	return do_it(v, ipv6 ? "AssignIpv6Addresses" : "AssignPrivateIpAddresses", &params);
}

/* --ip, --count and --ipv6 are short for parameters of two operations. */
static int run_assign(const struct ipl_invocation *in)
{
	const struct ipl_operation *operation =
		ipl_operation_find(IPL_STR("AssignPrivateIpAddresses"));
	struct verb v = { .in = in, .err = IPL_ERROR_INIT(in->arena), .params = ipl_map() };

	for (int i = 0; i < in->argc; i++) {
		const char *ip = ipl_option(in, &i, "--ip");
		const char *count = ip != NULL ? NULL : ipl_option(in, &i, "--count");
		int rc = -1;
		if (ip != NULL)
			ipl_params_add(in->arena, operation, "PrivateIpAddress", ip, &v.params);
		else if (count != NULL)
			ipl_params_add(in->arena, operation, "SecondaryPrivateIpAddressCount",
				       count, &v.params);
		else if (strcmp(in->argv[i], "--ipv6") == 0)
			ipl_map_set(in->arena, &v.params, IPL_STR("Ipv6"), ipl_bool(true));
		else
			rc = take(&v, operation, &i);
		if (rc >= 0)
			return rc;
	}
	if (v.words != 1)
		return ipl_usage(in->command, "assign takes one network interface or instance");
	return act(&v, assign);
}

const struct ipl_command ipl_cmd_assign = {
	.name = "assign",
	.args = "ENI|INSTANCE [--ip ADDRESS]... [--count N] [--ipv6] [--reason TEXT] [--actor WHO]",
	.summary = "secondary private IPv4 addresses, or IPv6 ones, for a network interface",
	.more = "Of an instance its primary network interface is meant. Without --ip and --count\n"
		"one address is picked.\n",
	.run = run_assign,
};

/* --- release --- */

static const struct {
	const char *prefix;
	const char *operation;
	const char *parameter;
} releases[] = {
	{ "eip-", "ReleaseEipAddress", "AllocationId" },
	{ "i-", "DeleteInstance", "InstanceId" },
	{ "eni-", "DeleteNetworkInterface", "NetworkInterfaceId" },
	{ "vsw-", "DeleteVSwitch", "VSwitchId" },
	{ "vpc-", "DeleteVpc", "VpcId" },
	{ "ipv6gw-", "DeleteIpv6Gateway", "Ipv6GatewayId" },
	{ "ipv6bw-", "DeleteIpv6InternetBandwidth", "Ipv6InternetBandwidthId" },
};

/* What every operation takes, and of the rest only what this one does. */
static struct ipl_value params_for(struct verb *v, const char *operation)
{
	const struct ipl_operation *row = ipl_operation_find(ipl_str_of(operation));
	struct ipl_value params = ipl_map();

	for (uint32_t i = 0; i < v->params.count; i++) {
		struct ipl_str key = v->params.member[i].key;
		bool is_own = ipl_str_is(key, "Force") || ipl_str_is(key, "VpcId");
		for (uint32_t k = 0; k < row->params->count; k++)
			is_own = is_own && !ipl_str_is(key, row->params->at[k].name);
		if (!is_own)
			ipl_map_add_str(v->in->arena, &params, key, v->params.member[i].value);
	}
	return params;
}

static enum ipl_status release_address(struct verb *v, const char *address)
{
	struct ipl_value holding, params;
	const char *kind, *operation;
	enum ipl_status st = holding_of(v, address, &holding);

	if (st != IPL_OK)
		return st;
	kind = text_at(v, &holding, "Kind");
	if (strcmp(kind, "PublicIp") == 0)
		return ipl_refuse(&v->err, IPL_CODE_INVALID_PARAMETER,
				  "%s is the fixed public IP of %s: it goes with the instance or "
				  "with its bandwidth (ipledger instance bandwidth %s 0), and "
				  "`ipledger convert` makes it an EIP",
				  address, text_at(v, &holding, "InstanceId"),
				  text_at(v, &holding, "InstanceId"));
	if (strcmp(kind, "Eip") == 0) {
		params = params_for(v, "ReleaseEipAddress");
		set_text(v, &params, "AllocationId", text_at(v, &holding, "AllocationId"));
		return do_it(v, "ReleaseEipAddress", &params);
	}
	operation =
		strcmp(kind, "Ipv6") == 0 ? "UnassignIpv6Addresses" : "UnassignPrivateIpAddresses";
	params = params_for(v, operation);
	set_text(v, &params, "NetworkInterfaceId", text_at(v, &holding, "NetworkInterfaceId"));
	set_list(v, &params, strcmp(kind, "Ipv6") == 0 ? "Ipv6Address" : "PrivateIpAddress",
		 address);
	return do_it(v, operation, &params);
}

static enum ipl_status release_one(struct verb *v, const char *word)
{
	struct ipl_value params, state;
	const char *address;
	enum ipl_status st;

	for (size_t i = 0; i < IPL_ARRAY_SIZE(releases); i++) {
		if (!is_kind(word, releases[i].prefix))
			continue;
		params = params_for(v, releases[i].operation);
		set_text(v, &params, releases[i].parameter, word);
		return do_it(v, releases[i].operation, &params);
	}
	if (is_address(word))
		return release_address(v, word);
	if (!is_kind(word, "ipv6-"))
		return ipl_refuse(&v->err, IPL_CODE_NOT_FOUND,
				  "%s is neither an address nor the id of something that can be "
				  "released",
				  word);
	st = ipl_ask_state(v->in, v->session, word, &state, &v->err);
	address = st == IPL_OK ? text_at(v, &state, "Ipv6Address") : NULL;
	return address == NULL ? st : release_address(v, address);
}

/* Each on its own: what is refused does not keep the others. */
static enum ipl_status release(struct verb *v)
{
	enum ipl_status first = IPL_OK;
	struct ipl_error first_err = IPL_ERROR_INIT(NULL);

	for (size_t i = 0; i < v->words; i++) {
		enum ipl_status st = release_one(v, v->word[i]);
		if (st != IPL_OK && st != IPL_REFUSED)
			return st;
		if (st == IPL_OK)
			continue;
		if (first != IPL_OK)
			(void)ipl_fail(&first_err); /* the last one is said by the caller */
		first = st;
		first_err = v->err;
		v->err = (struct ipl_error)IPL_ERROR_INIT(v->in->arena);
	}
	if (first != IPL_OK)
		v->err = first_err;
	return first;
}

static int run_release(const struct ipl_invocation *in)
{
	struct verb v = { .in = in, .err = IPL_ERROR_INIT(in->arena), .params = ipl_map() };

	for (int i = 0; i < in->argc; i++) {
		const char *vpc = ipl_option(in, &i, "--vpc-id");
		int rc = -1;
		if (vpc != NULL)
			set_text(&v, &v.params, "VpcId", vpc);
		else
			rc = take(&v, ipl_operation_find(IPL_STR("DeleteInstance")), &i);
		if (rc >= 0)
			return rc;
	}
	if (v.words == 0)
		return ipl_usage(in->command, "release what?");
	return act(&v, release);
}

const struct ipl_command ipl_cmd_release = {
	.name = "release",
	.args = "ID|ADDRESS... [--force] [--vpc-id VPC] [--reason TEXT] [--actor WHO]",
	.summary = "whatever it is: EIP, instance, network interface, secondary address, vSwitch",
	.more = "--force deletes a running instance. An address that several VPCs hold wants\n"
		"--vpc-id. Each is released on its own; one that is refused does not keep the "
		"rest.\n",
	.run = run_release,
};

/* --- convert, associate, disassociate --- */

static enum ipl_status convert(struct verb *v)
{
	set_text(v, &v->params, "InstanceId", v->word[0]);
	return do_it(v, "ConvertNatPublicIpToEip", &v->params);
}

static int run_convert(const struct ipl_invocation *in)
{
	struct verb v;
	int rc = begin(&v, in, "ConvertNatPublicIpToEip");

	if (rc >= 0)
		return rc;
	if (v.words != 1)
		return ipl_usage(in->command, "convert takes one instance");
	return act(&v, convert);
}

const struct ipl_command ipl_cmd_convert = {
	.name = "convert",
	.args = "INSTANCE [--reason TEXT] [--actor WHO]",
	.summary = "the fixed public IP of an instance becomes an EIP with the same address",
	.run = run_convert,
};

static enum ipl_status associate(struct verb *v)
{
	const char *eip;
	enum ipl_status st = eip_of(v, v->word[0], &eip);

	if (st != IPL_OK)
		return st;
	set_text(v, &v->params, "AllocationId", eip);
	set_text(v, &v->params, "InstanceId", v->word[1]);
	if (ipl_map_get(&v->params, "InstanceType") == NULL && is_kind(v->word[1], "eni-"))
		set_text(v, &v->params, "InstanceType", "NetworkInterface");
	return do_it(v, "AssociateEipAddress", &v->params);
}

static int run_associate(const struct ipl_invocation *in)
{
	struct verb v = { .in = in, .err = IPL_ERROR_INIT(in->arena), .params = ipl_map() };

	for (int i = 0; i < in->argc; i++) {
		const char *ip = ipl_option(in, &i, "--ip");
		int rc = -1;
		if (ip != NULL)
			set_text(&v, &v.params, "PrivateIpAddress", ip);
		else
			rc = take(&v, ipl_operation_find(IPL_STR("AssociateEipAddress")), &i);
		if (rc >= 0)
			return rc;
	}
	if (v.words != 2)
		return ipl_usage(in->command, "associate takes an EIP and whom it is for");
	return act(&v, associate);
}

const struct ipl_command ipl_cmd_associate = {
	.name = "associate",
	.args = "EIP ENI|INSTANCE [--ip PRIVATE] [--mode NAT|BINDED] [--reason TEXT] [--actor WHO]",
	.summary = "an EIP with an instance or with an address of a network interface",
	.more = "The EIP is named by its id or its address.\n",
	.run = run_associate,
};

static enum ipl_status disassociate(struct verb *v)
{
	const char *eip;
	enum ipl_status st = eip_of(v, v->word[0], &eip);

	if (st != IPL_OK)
		return st;
	set_text(v, &v->params, "AllocationId", eip);
	return do_it(v, "UnassociateEipAddress", &v->params);
}

static int run_disassociate(const struct ipl_invocation *in)
{
	struct verb v;
	int rc = begin(&v, in, "UnassociateEipAddress");

	if (rc >= 0)
		return rc;
	if (v.words != 1)
		return ipl_usage(in->command, "disassociate takes one EIP");
	return act(&v, disassociate);
}

const struct ipl_command ipl_cmd_disassociate = {
	.name = "disassociate",
	.args = "EIP [--reason TEXT] [--actor WHO]",
	.summary = "an EIP from what it is associated with; it stays allocated",
	.run = run_disassociate,
};
