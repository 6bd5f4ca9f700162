/* SPDX-License-Identifier: Apache-2.0 */
/* Results for people: tables of lists, lines of single things; or JSON as it is. */
#include "cli/command.h"
#include "cli/format.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "events/json.h"

#define COLUMNS_MAX 12
#define CELL_MAX    60

static bool is_scalar(const struct ipl_value *value)
{
	return value->type != IPL_VALUE_ARRAY && value->type != IPL_VALUE_MAP;
}

/* A value in one line; lists of simple values are joined, others are JSON. */
static void write_cell(struct ipl_buf *out, const struct ipl_value *value)
{
	if (value == NULL || value->type == IPL_VALUE_NIL)
		return;
	if (value->type == IPL_VALUE_STR) {
		ipl_buf_append(out, value->str.at, value->str.len);
		return;
	}
	if (value->type == IPL_VALUE_MAP && value->count == 1) { /* {"VSwitchId": […]} */
		write_cell(out, &value->member[0].value);
		return;
	}
	if (value->type != IPL_VALUE_ARRAY) {
		ipl_json_write(out, value, IPL_JSON_COMPACT);
		return;
	}
	for (uint32_t i = 0; i < value->count; i++) {
		if (i > 0)
			ipl_buf_append(out, ", ", 2);
		write_cell(out, &value->item[i]);
	}
}

struct ipl_str ipl_cell(struct ipl_arena *arena, const struct ipl_value *value, size_t most)
{
	struct ipl_buf buf = { 0 };
	struct ipl_str text;

	write_cell(&buf, value);
	for (size_t i = 0; i < buf.len; i++) {
		if (buf.at[i] < 0x20 || buf.at[i] == 0x7f) /* no terminal control from data */
			buf.at[i] = '?';
	}
	if (buf.len > most)
		text = ipl_arena_printf(arena, "%.*s…", (int)(most - 1), (const char *)buf.at);
	else
		text = ipl_arena_printf(arena, "%.*s", (int)buf.len,
					buf.len == 0 ? "" : (const char *)buf.at);
	ipl_buf_release(&buf);
	return text;
}

static const char *last_part(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot == NULL || (dot[1] >= '0' && dot[1] <= '9') ? path : dot + 1;
}

static void print_padded(struct ipl_str text, size_t width, bool is_last)
{
	size_t chars = ipl_str_char_count(text);

	printf("%.*s", IPL_STR_ARG(text));
	if (!is_last)
		printf("%*s", (int)(width - chars + 2), "");
}

void ipl_print_row(struct ipl_arena *arena, const struct ipl_value *row, const char *const *columns,
		   const size_t *width, size_t column_count)
{
	for (size_t c = 0; c < column_count; c++) {
		struct ipl_str text =
			ipl_cell(arena, ipl_value_at(row, ipl_str_of(columns[c])), CELL_MAX);
		size_t chars = ipl_str_char_count(text);
		print_padded(text, chars > width[c] ? chars : width[c], c + 1 == column_count);
	}
	putchar('\n');
}

void ipl_print_table(struct ipl_arena *arena, const struct ipl_value *rows,
		     const char *const *columns, size_t column_count)
{
	bool is_bold = isatty(STDOUT_FILENO) == 1;
	struct ipl_str *cells;
	size_t width[COLUMNS_MAX];

	if (column_count > COLUMNS_MAX)
		column_count = COLUMNS_MAX;
	cells = ipl_arena_array(arena, rows->count * column_count, sizeof(*cells));
	if (cells == NULL)
		return;
	for (size_t c = 0; c < column_count; c++)
		width[c] = strlen(last_part(columns[c]));
	for (uint32_t r = 0; r < rows->count; r++) {
		for (size_t c = 0; c < column_count; c++) {
			struct ipl_str *to = &cells[r * column_count + c];
			size_t chars;
			*to = ipl_cell(arena, ipl_value_at(&rows->item[r], ipl_str_of(columns[c])),
				       CELL_MAX);
			chars = ipl_str_char_count(*to);
			width[c] = chars > width[c] ? chars : width[c];
		}
	}
	printf("%s", is_bold ? "\033[1m" : "");
	for (size_t c = 0; c < column_count; c++)
		print_padded(ipl_str_of(last_part(columns[c])), width[c], c + 1 == column_count);
	printf("%s\n", is_bold ? "\033[0m" : "");
	for (uint32_t r = 0; r < rows->count; r++) {
		for (size_t c = 0; c < column_count; c++)
			print_padded(cells[r * column_count + c], width[c], c + 1 == column_count);
		putchar('\n');
	}
}

/* --- which columns a list has --- */

static const struct {
	const char *path;
	const char *columns[COLUMNS_MAX];
} lists[] = {
	{ "Vpcs.Vpc", { "VpcId", "VpcName", "CidrBlock", "Status", "VSwitchIds", "CreationTime" } },
	{ "VSwitches.VSwitch",
	  { "VSwitchId", "VSwitchName", "VpcId", "ZoneId", "CidrBlock",
	    "AvailableIpAddressCount" } },
	{ "Instances.Instance",
	  { "InstanceId", "InstanceName", "Status", "InstanceType",
	    "VpcAttributes.PrivateIpAddress", "PublicIpAddress", "EipAddress.IpAddress" } },
	{ "NetworkInterfaceSets.NetworkInterfaceSet",
	  { "NetworkInterfaceId", "Type", "Status", "InstanceId", "VSwitchId", "PrivateIpAddress",
	    "MacAddress" } },
	{ "EipAddresses.EipAddress",
	  { "AllocationId", "IpAddress", "Status", "InstanceType", "InstanceId", "PrivateIpAddress",
	    "Bandwidth" } },
	{ "Ipv6Addresses.Ipv6Address",
	  { "Ipv6AddressId", "Ipv6Address", "Status", "NetworkType", "AssociatedInstanceId",
	    "VSwitchId", "RealBandwidth" } },
	{ "Ipv6Gateways.Ipv6Gateway",
	  { "Ipv6GatewayId", "Name", "VpcId", "Status", "CreationTime" } },
	{ "InstanceStatuses.InstanceStatus", { "InstanceId", "Status" } },
	{ "InstanceTypes.InstanceType",
	  { "InstanceTypeId", "EniQuantity", "EniPrivateIpAddressQuantity",
	    "EniIpv6AddressQuantity" } },
	{ "Keys", { "AccessKeyId", "Role" } },
	{ "Addresses",
	  { "Holder.Address", "Holder.Kind", "Status", "Holder.NetworkInterfaceId",
	    "Holder.InstanceId", "FromSeq", "FromTime", "ToSeq", "OpenedBy.Operation",
	    "OpenedBy.Actor" } },
	{ "History",
	  { "FromSeq", "FromTime", "ToSeq", "ToTime", "OpenedBy.Operation", "OpenedBy.Actor",
	    "OpenedBy.Reason" } },
	{ "Refusals", { "Time", "Operation", "Principal", "Actor", "Code", "Message" } },
	{ "Changes", { "Id", "Kind", "Change", "Seqs" } },
	{ "Holdings",
	  { "Address", "Kind", "NetworkInterfaceId", "InstanceId", "VSwitchId", "AllocationId",
	    "SinceSeq", "SinceTime" } },
	{ "Events",
	  { "Seq", "Time", "Type", "Operation", "Principal", "Actor", "Reason", "Touches" } },
};

static size_t column_count(const char *const *columns)
{
	size_t count = 0;

	while (count < COLUMNS_MAX && columns[count] != NULL)
		count++;
	return count;
}

/* --- lines --- */

static void print_lines(struct ipl_arena *arena, const struct ipl_value *map, const char *prefix)
{
	size_t width = 0;

	for (uint32_t i = 0; i < map->count; i++)
		width = map->member[i].key.len > width ? map->member[i].key.len : width;
	for (uint32_t i = 0; i < map->count; i++) {
		const struct ipl_value *value = &map->member[i].value;
		struct ipl_str key = map->member[i].key;
		if (value->type == IPL_VALUE_MAP && value->count > 1) {
			printf("%s%.*s\n", prefix, IPL_STR_ARG(key));
			print_lines(arena, value, ipl_arena_printf(arena, "%s  ", prefix).at);
			continue;
		}
		printf("%s%.*s%*s  %s\n", prefix, IPL_STR_ARG(key), (int)(width - key.len), "",
		       ipl_cell(arena, value, 2000).at);
	}
}

/* A list is a table; what stands beside it follows in one line. */
static void print_list(struct ipl_arena *arena, const struct ipl_value *result, size_t which)
{
	const struct ipl_value *rows = ipl_value_at(result, ipl_str_of(lists[which].path));
	bool is_any = false;

	ipl_print_table(arena, rows, lists[which].columns, column_count(lists[which].columns));
	for (uint32_t i = 0; i < result->count; i++) {
		const struct ipl_value *value = &result->member[i].value;
		if (!is_scalar(value) || ipl_str_is(result->member[i].key, "RequestId"))
			continue;
		if (value->type == IPL_VALUE_STR && value->str.len == 0)
			continue;
		is_any = true;
		printf("%.*s=%s  ", IPL_STR_ARG(result->member[i].key),
		       ipl_cell(arena, value, 200).at);
	}
	if (is_any)
		putchar('\n');
}

static void print_table_of(const struct ipl_invocation *in, const struct ipl_value *result)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(lists); i++) {
		const struct ipl_value *rows = ipl_value_at(result, ipl_str_of(lists[i].path));
		if (rows != NULL && rows->type == IPL_VALUE_ARRAY) {
			print_list(in->arena, result, i);
			return;
		}
	}
	print_lines(in->arena, result, "");
}

void ipl_print_result(const struct ipl_invocation *in, const struct ipl_value *result)
{
	struct ipl_buf buf = { 0 };

	switch (in->output) {
	case IPL_OUTPUT_JSON:
		ipl_json_write(&buf, result, IPL_JSON_PRETTY);
		ipl_buf_append(&buf, "\n", 1);
		break;
	case IPL_OUTPUT_YAML:
		ipl_yaml_write(&buf, result);
		break;
	case IPL_OUTPUT_CSV:
		ipl_csv_write(&buf, in->arena, result);
		break;
	case IPL_OUTPUT_TABLE:
		print_table_of(in, result);
		return;
	}
	if (buf.len > 0)
		(void)fwrite(buf.at, 1, buf.len, stdout); /* main() looks whether all could be */
	ipl_buf_release(&buf);
}
