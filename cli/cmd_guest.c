/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's side: what its operating system should show, and a comparison with
 * what `ip -j addr` shows there. One shot each; a script can loop.
 */
#include "cli/ask.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "events/address.h"
#include "events/json.h"

#define INPUT_BYTES_MAX ((size_t)4 << 20)

static struct ipl_str text_at(const struct ipl_value *map, const char *path)
{
	const struct ipl_value *value = ipl_value_at(map, ipl_str_of(path));

	return value == NULL || value->type != IPL_VALUE_STR ? IPL_STR("") : value->str;
}

/* --- guest --- */

static void print_address(const struct ipl_value *address)
{
	const struct ipl_value *prefix = ipl_map_get(address, "PrefixLength");
	bool by_hand = ipl_str_is(text_at(address, "Configure"), "Manual");

	printf("    %.*s/%lld  %.*s%s\n", IPL_STR_ARG(text_at(address, "Address")),
	       prefix == NULL ? 0 : (long long)prefix->integer,
	       IPL_STR_ARG(text_at(address, "Role")), by_hand ? ", to be configured by hand" : "");
}

static void print_guest(const struct ipl_value *view)
{
	const struct ipl_value *list = ipl_map_get(view, "Interfaces");

	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		const struct ipl_value *interface = &list->item[i];
		const struct ipl_value *addresses = ipl_map_get(interface, "Addresses");
		printf("%.*s: %.*s\n", IPL_STR_ARG(text_at(interface, "Name")),
		       IPL_STR_ARG(text_at(interface, "NetworkInterfaceId")));
		printf("    link/ether %.*s\n", IPL_STR_ARG(text_at(interface, "MacAddress")));
		for (uint32_t k = 0; addresses != NULL && k < addresses->count; k++)
			print_address(&addresses->item[k]);
		printf("    gateway %.*s\n", IPL_STR_ARG(text_at(interface, "Gateway")));
	}
	printf("default via %.*s dev %.*s\n", IPL_STR_ARG(text_at(view, "DefaultRoute.Gateway")),
	       IPL_STR_ARG(text_at(view, "DefaultRoute.Interface")));
}

/* As ipconfig shows it: a mask for the prefix length, dashes in the MAC address. */
static void print_windows_address(const struct ipl_value *address)
{
	const struct ipl_value *prefix = ipl_map_get(address, "PrefixLength");
	struct ipl_str text = text_at(address, "Address");
	uint32_t ip, len = prefix == NULL ? 0 : (uint32_t)prefix->integer;
	uint32_t mask = len == 0 ? 0 : UINT32_MAX << (32 - (len > 32 ? 32 : len));

	if (!ipl_ip4_parse(text, &ip)) {
		printf("   IPv6 Address. . . . . . . . . . . : %.*s\n", IPL_STR_ARG(text));
		return;
	}
	printf("   IPv4 Address. . . . . . . . . . . : %.*s\n", IPL_STR_ARG(text));
	printf("   Subnet Mask . . . . . . . . . . . : " IPL_IP4_FMT "\n", IPL_IP4_ARG(mask));
}

static void print_windows(const struct ipl_value *view)
{
	const struct ipl_value *list = ipl_map_get(view, "Interfaces");
	struct ipl_str route = text_at(view, "DefaultRoute.Interface");

	puts("Windows IP Configuration");
	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		const struct ipl_value *interface = &list->item[i];
		const struct ipl_value *addresses = ipl_map_get(interface, "Addresses");
		struct ipl_str name = text_at(interface, "Name"),
			       mac = text_at(interface, "MacAddress");
		bool is_default = ipl_str_equal(name, route);
		printf("\nEthernet adapter %.*s:\n\n", IPL_STR_ARG(name));
		printf("   Physical Address. . . . . . . . . : ");
		for (size_t k = 0; k < mac.len; k++)
			putchar(mac.at[k] == ':' ? '-' : toupper((unsigned char)mac.at[k]));
		printf("\n   DHCP Enabled. . . . . . . . . . . : Yes\n");
		for (uint32_t k = 0; addresses != NULL && k < addresses->count; k++)
			print_windows_address(&addresses->item[k]);
		printf("   Default Gateway . . . . . . . . . : %.*s\n",
		       IPL_STR_ARG(is_default ? text_at(interface, "Gateway") : IPL_STR("")));
	}
}

static int run_guest(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_value params = ipl_map(), result;
	struct ipl_session *session = NULL;
	bool windows = in->argc == 2 && strcmp(in->argv[1], "--windows") == 0;
	enum ipl_status st;

	if (in->argc != 1 && !windows)
		return ipl_usage(in->command, "guest takes one instance");
	ipl_map_add(in->arena, &params, "InstanceId", ipl_text_of(in->argv[0]));
	st = ipl_session_open(in->data, in->server, &session, &err);
	if (st == IPL_OK)
		st = ipl_ask(in, session, "GetGuestView", &params, &result, &err);
	ipl_session_close(session);
	if (st != IPL_OK)
		return ipl_fail(&err);
	if (in->output == IPL_OUTPUT_TABLE && windows)
		print_windows(&result);
	else if (in->output == IPL_OUTPUT_TABLE)
		print_guest(&result);
	else
		ipl_print_result(in, &result);
	return IPL_EXIT_OK;
}

const struct ipl_command ipl_cmd_guest = {
	.name = "guest",
	.args = "INSTANCE [--windows]",
	.summary = "what the guest's operating system should show: addresses, gateway, route",
	.more = "Public addresses are not seen in a guest: they live on the cloud's gateway.\n"
		"--windows prints it as ipconfig does.\n",
	.run = run_guest,
};

/* --- check-guest --- */

static enum ipl_status read_interfaces(const struct ipl_invocation *in, const char *path,
				       struct ipl_value *out, struct ipl_error *err)
{
	bool is_stdin = path == NULL || strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "r");
	char *text = ipl_arena_alloc(in->arena, INPUT_BYTES_MAX);
	const char *name = is_stdin ? "standard input" : path;
	bool is_whole;
	size_t len;

	if (file == NULL)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	len = text == NULL ? 0 : fread(text, 1, INPUT_BYTES_MAX, file);
	is_whole = text != NULL && !ferror(file) && feof(file);
	if (!is_stdin)
		fclose(file);
	if (!is_whole)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s cannot be read, or is longer than %zu bytes", name,
				     INPUT_BYTES_MAX);
	if (ipl_json_parse(in->arena, (struct ipl_str){ text, len }, out, err) != IPL_OK)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "%s is not the JSON that `ip -j addr` prints", name);
	return IPL_OK;
}

static void print_differences(const struct ipl_value *result)
{
	const struct ipl_value *list = ipl_map_get(result, "Differences");

	if (list == NULL || list->count == 0) {
		puts("the guest and the ledger agree");
		return;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		const struct ipl_value *one = &list->item[i];
		printf("%.*s  %.*s  %.*s\n    %.*s\n", IPL_STR_ARG(text_at(one, "Kind")),
		       IPL_STR_ARG(text_at(one, "Address")),
		       IPL_STR_ARG(text_at(one, "NetworkInterfaceId")),
		       IPL_STR_ARG(text_at(one, "Consequence")));
	}
}

static int run_check_guest(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_value params = ipl_map(), interfaces, result;
	struct ipl_session *session = NULL;
	const struct ipl_value *agrees;
	enum ipl_status st;

	if (in->argc < 1 || in->argc > 2)
		return ipl_usage(in->command, "check-guest takes an instance, and a file or none");
	st = read_interfaces(in, in->argc == 2 ? in->argv[1] : NULL, &interfaces, &err);
	ipl_map_add(in->arena, &params, "InstanceId", ipl_text_of(in->argv[0]));
	if (st == IPL_OK) {
		ipl_map_add(in->arena, &params, "Interfaces", interfaces);
		st = ipl_session_open(in->data, in->server, &session, &err);
	}
	if (st == IPL_OK)
		st = ipl_ask(in, session, "CheckGuest", &params, &result, &err);
	ipl_session_close(session);
	if (st != IPL_OK)
		return ipl_fail(&err);
	if (in->output == IPL_OUTPUT_TABLE)
		print_differences(&result);
	else
		ipl_print_result(in, &result);
	agrees = ipl_map_get(&result, "Agrees");
	return agrees != NULL && agrees->boolean ? IPL_EXIT_OK : IPL_EXIT_REFUSED;
}

const struct ipl_command ipl_cmd_check_guest = {
	.name = "check-guest",
	.args = "INSTANCE [FILE|-]",
	.summary = "compare what `ip -j addr` prints in the guest with the ledger",
	.more = "FILE holds that JSON; without it, it is read from standard input:\n"
		"    ssh guest ip -j addr | ipledger check-guest i-...\n"
		"Each difference is named with its usual consequence. Exit status 1: they "
		"differ.\n",
	.run = run_check_guest,
};
