/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: queries and forms, good and bad, for operations of the table; trees for XML.
 * Claimed: names and values are what was sent; the tree has the table's types, lists in the
 * order of their numbers, and nothing that is not known; what is wrong is refused with its
 * code. As XML a tree is its one text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/json.h"
#include "server/params_http.h"
#include "server/xml.h"

#include <stdio.h>
#include <string.h>

static void json_of(const struct ipl_value *value, char *out, size_t cap)
{
	struct ipl_buf buf = { 0 };

	ipl_json_write(&buf, value, IPL_JSON_COMPACT);
	assert_false(buf.failed);
	assert_true(buf.len < cap);
	memcpy(out, buf.at, buf.len);
	out[buf.len] = '\0';
	ipl_buf_release(&buf);
}

/* --- pairs --- */

struct pairs_row {
	const char *text;
	const char *wanted; /* "name=value;…", or NULL: refused */
};

static void test_pairs(void **state)
{
	static const struct pairs_row rows[] = {
		{ "", "" },
		{ "a=b", "a=b;" },
		{ "a=b&c=d", "a=b;c=d;" },
		{ "a+b=c%20d%2b+", "a b=c d+ ;" },
		{ "%41=%c3%A9", "A=\xc3\xa9;" },
		{ "a=b=c", "a=b=c;" },
		{ "a", "a=;" },
		{ "a=", "a=;" },
		{ "&&a&&", "a=;" },
		{ "=", "=;" },
		{ "a=1&a=2", "a=1;a=2;" },
		{ "a=%", NULL },
		{ "a=%4", NULL },
		{ "%zz=1", NULL },
		{ "a=%ff", NULL },
		{ "%c3=1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(rows); i++) {
		struct ipl_arena arena;
		struct ipl_error err;
		struct ipl_pairs pairs = { 0 };
		char got[256] = "";
		enum ipl_status st;
		ipl_arena_init(&arena, 1 << 20);
		err = (struct ipl_error)IPL_ERROR_INIT(&arena);
		st = ipl_pairs_parse(&arena, ipl_str_of(rows[i].text), &pairs, &err);
		assert_int_equal(st, rows[i].wanted == NULL ? IPL_REFUSED : IPL_OK);
		for (uint32_t k = 0; st == IPL_OK && k < pairs.count; k++)
			(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s=%.*s;",
				       IPL_STR_ARG(pairs.at[k].name),
				       IPL_STR_ARG(pairs.at[k].value));
		if (rows[i].wanted != NULL)
			assert_string_equal(got, rows[i].wanted);
		ipl_arena_release(&arena);
	}
}

static void test_pairs_count_their_bytes(void **state)
{
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_pairs pairs = { 0 };

	(void)state;
	ipl_arena_init(&arena, 1 << 20);
	assert_int_equal(ipl_pairs_parse(&arena, IPL_STR("a=b%00c"), &pairs, &err), IPL_OK);
	assert_int_equal(pairs.at[0].value.len, 3);
	assert_memory_equal(pairs.at[0].value.at, "b\0c", 3);
	ipl_arena_release(&arena);
}

static void test_pairs_are_bounded(void **state)
{
	static char text[(IPL_PAIRS_MAX + 2) * 2], name[IPL_NAME_BYTES_MAX + 2];
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_pairs pairs = { 0 };

	(void)state;
	ipl_arena_init(&arena, 16 << 20);
	for (size_t i = 0; i < IPL_PAIRS_MAX; i++)
		memcpy(text + 2 * i, "a&", 2);
	assert_int_equal(ipl_pairs_parse(&arena, ipl_str_of(text), &pairs, &err), IPL_OK);
	assert_int_equal(pairs.count, IPL_PAIRS_MAX);
	assert_int_equal(ipl_pairs_parse(&arena, IPL_STR("b"), &pairs, &err), IPL_REFUSED);
	pairs = (struct ipl_pairs){ 0 };
	memset(name, 'n', IPL_NAME_BYTES_MAX);
	assert_int_equal(ipl_pairs_parse(&arena, ipl_str_of(name), &pairs, &err), IPL_OK);
	name[IPL_NAME_BYTES_MAX] = 'n';
	assert_int_equal(ipl_pairs_parse(&arena, ipl_str_of(name), &pairs, &err), IPL_REFUSED);
	assert_int_equal(err.code, IPL_CODE_MALFORMED_REQUEST);
	ipl_arena_release(&arena);
}

/* --- trees --- */

struct tree_row {
	const char *operation;
	const char *text;
	const char *wanted; /* JSON, or NULL: refused */
};

static void test_trees(void **state)
{
	/* clang-format off */
	static const struct tree_row rows[] = {
		/* typed by the table */
		{ "RunInstances", "Amount=2&DryRun=true&InstanceName=7",
		  "{\"Amount\":2,\"DryRun\":true,\"InstanceName\":\"7\"}" },
		{ "RunInstances", "Amount=-2&DryRun=False", "{\"Amount\":-2,\"DryRun\":false}" },
		{ "AllocateEipAddress", "Bandwidth=5", "{\"Bandwidth\":\"5\"}" },
		{ "DescribeVpcs", "AsOf=7", "{\"AsOf\":7}" },
		{ "DescribeVpcs",
		  "AsOf=2026-11-25T00:00:00Z", "{\"AsOf\":\"2026-11-25T00:00:00Z\"}" },
		/* what is no number stays text, for the table to refuse */
		{ "RunInstances", "Amount=1.5&MinAmount=&DryRun=1",
		  "{\"Amount\":\"1.5\",\"MinAmount\":\"\",\"DryRun\":\"1\"}" },
		{ "RunInstances", "Amount=007", "{\"Amount\":\"007\"}" },
		{ "RunInstances", "Amount=-0", "{\"Amount\":\"-0\"}" },
		{ "RunInstances",
		  "Amount=9223372036854775808", "{\"Amount\":\"9223372036854775808\"}" },
		/* lists */
		{ "AssignPrivateIpAddresses",
		  "PrivateIpAddress.10=c&PrivateIpAddress.2=b&PrivateIpAddress.1=a",
		  "{\"PrivateIpAddress\":[\"a\",\"b\",\"c\"]}" },
		{ "AssignPrivateIpAddresses",
		  "PrivateIpAddress=a", "{\"PrivateIpAddress\":[\"a\"]}" },
		{ "AssignPrivateIpAddresses",
		  "PrivateIpAddress.1.X=a", "{\"PrivateIpAddress\":[{\"X\":\"a\"}]}" },
		{ "DescribeInstances", "InstanceIds=[\"i\"]", "{\"InstanceIds\":\"[\\\"i\\\"]\"}" },
		{ "CreateVpc", "Tag.2.Key=b&Tag.1.key=a&Tag.1.VALUE=",
		  "{\"Tag\":[{\"Key\":\"a\",\"Value\":\"\"},{\"Key\":\"b\"}]}" },
		{ "CreateVpc", "Tag=[{\"Key\":\"a\"}]", "{\"Tag\":[{\"Key\":\"a\"}]}" },
		{ "CreateVpc", "Tag=[object Object]", "{\"Tag\":\"[object Object]\"}" },
		{ "RunInstances",
		  "NetworkInterface.1.SecurityGroupIds.2=b&NetworkInterface.1.SecurityGroupIds.1=a",
		  "{\"NetworkInterface\":[{\"SecurityGroupIds\":[\"a\",\"b\"]}]}" },
		{ "ModifyLedgerSettings",
		  "Quotas.Vpcs=5&Zones.1=z", "{\"Quotas\":{\"Vpcs\":5},\"Zones\":[\"z\"]}" },
		{ "Transact", "Operations.1.Operation=Ping&Operations.1.Params={\"A\":1}",
		  "{\"Operations\":[{\"Operation\":\"Ping\",\"Params\":{\"A\":1}}]}" },
		{ "CreateVpc", "VpcName.X=a", "{\"VpcName\":{\"X\":\"a\"}}" },
		/* nothing, and what is not known */
		{ "CreateVpc",
		  "VpcName=undefined&Description=null&CidrBlock=", "{\"CidrBlock\":\"\"}" },
		{ "CreateVpc",
		  "Action=CreateVpc&Signature=s&OwnerId=1&SystemDisk.Size=4&PageSize=1"
		  "&vpcname=a", "{}" },
		{ "CreateVpc", "Ipv4IpamPoolId=p", "{\"Ipv4IpamPoolId\":\"p\"}" },
		{ "ModifyVpcAttribute", "CidrBlock=c", "{\"CidrBlock\":\"c\"}" },
		{ "DescribeVpcs", "CidrBlock=c", "{}" },
		{ "RunInstances", "NetworkInterface.1.Ipv4Prefix.1=p&NetworkInterface.1.Odd=1",
		  "{\"NetworkInterface\":[{\"Ipv4Prefix\":\"\"}]}" },
		/* one value for one name */
		{ "CreateVpc", "VpcName=a&VpcName=a", "{\"VpcName\":\"a\"}" },
		{ "CreateVpc", "VpcName=a&VpcName=b", NULL },
		{ "CreateVpc", "Tag.1.Key=a&Tag.1.key=a", NULL },
		{ "CreateVpc", "Tag=a&Tag.1.Key=a", NULL },
		/* bounds */
		{ "CreateVpc", "Tag.1000.Key=a", "{\"Tag\":[{\"Key\":\"a\"}]}" },
		{ "CreateVpc", "Tag.1001.Key=a", NULL },
		{ "CreateVpc", "Tag.0.Key=a", NULL },
		{ "CreateVpc", "Tag.01.Key=a", NULL },
		{ "CreateVpc", "Tag.x.Key=a", NULL },
		{ "CreateVpc", "Tag..Key=a", NULL },
		{ "CreateVpc", "VpcName.a.b.c.d.e.f.g=1",
		  "{\"VpcName\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":1}}}}}}}}" },
		{ "CreateVpc", "VpcName.a.b.c.d.e.f.g.h=1", NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(rows); i++) {
		const struct ipl_operation *operation =
			ipl_operation_find(ipl_str_of(rows[i].operation));
		struct ipl_arena arena;
		struct ipl_error err;
		struct ipl_pairs pairs = { 0 };
		struct ipl_value tree;
		char got[512];
		enum ipl_status st;
		ipl_arena_init(&arena, 1 << 20);
		err = (struct ipl_error)IPL_ERROR_INIT(&arena);
		assert_non_null(operation);
		assert_int_equal(ipl_pairs_parse(&arena, ipl_str_of(rows[i].text), &pairs, &err),
				 IPL_OK);
		st = ipl_params_tree(operation, &pairs, &arena, &tree, &err);
		if (rows[i].wanted == NULL) {
			assert_int_equal(st, IPL_REFUSED);
			assert_int_equal(err.code, IPL_CODE_INVALID_PARAMETER);
		} else {
			assert_int_equal(st, IPL_OK);
			json_of(&tree, got, sizeof(got));
			assert_string_equal(got, rows[i].wanted);
		}
		ipl_arena_release(&arena);
	}
}

/* --- XML --- */

static void test_xml(void **state)
{
	static const char *const rows[][2] = {
		{ "{}", "<R></R>" },
		{ "{\"A\":1,\"B\":true,\"C\":null,\"D\":\"x\"}",
		  "<R><A>1</A><B>true</B><C></C><D>x</D></R>" },
		{ "{\"L\":{\"I\":[1,2]},\"E\":{\"I\":[]}}",
		  "<R><L><I>1</I><I>2</I></L><E></E></R>" },
		{ "{\"L\":[{\"A\":\"b\"},[1,2]]}", "<R><L><A>b</A></L><L>1</L><L>2</L></R>" },
		{ "{\"A\":\"<&>\\\"'\\n\\t\\u0001\\uffff\\ufffe\\u00e9\"}",
		  "<R><A>&lt;&amp;&gt;&quot;'&#10;&#9;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		  "\xc3\xa9</A></R>" },
		{ "{\"a b\":1,\"1\":2,\"\":3,\"a<\":4}",
		  "<R><Item name=\"a b\">1</Item><Item name=\"1\">2</Item><Item name=\"\">3</Item>"
		  "<Item name=\"a&lt;\">4</Item></R>" },
	};
	static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(rows); i++) {
		struct ipl_arena arena;
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct ipl_value tree;
		struct ipl_buf out = { 0 };
		ipl_arena_init(&arena, 1 << 20);
		assert_int_equal(ipl_json_parse(&arena, ipl_str_of(rows[i][0]), &tree, &err),
				 IPL_OK);
		ipl_xml_write(&out, "R", &tree);
		assert_int_equal(out.len, sizeof(head) - 1 + strlen(rows[i][1]));
		assert_memory_equal(out.at, head, sizeof(head) - 1);
		assert_memory_equal(out.at + sizeof(head) - 1, rows[i][1], strlen(rows[i][1]));
		ipl_buf_release(&out);
		ipl_arena_release(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_pairs_count_their_bytes),
		cmocka_unit_test(test_pairs_are_bounded),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_xml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
