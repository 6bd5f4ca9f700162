/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: the logs that releases wrote (tests/data/log-*.events: events, one after the other).
 * Claimed: each still decodes to the same bytes, folds, and comes to the same state.
 *
 * `IPL_GOLDEN_WRITE=FILE test_golden` writes such a log with every event type of
 * this version: for a release, once. Files are added, never edited.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/hash.h"
#include "events/json.h"
#include "events/msgpack.h"
#include "tests/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_BYTES_MAX ((size_t)1 << 20)

static const struct {
	const char *file;
	uint64_t events;
	uint64_t types;  /* how many different ones */
	uint64_t digest; /* of what the state shows at the end */
} logs[] = {
	{ GOLDEN_DIR "/log-0.1.0.events", 32, 23, UINT64_C(0x1cedd824ca9607bc) },
	{ GOLDEN_DIR "/log-0.1.0-2.events", 44, 30, UINT64_C(0x580086ab0bb6e468) },
};

static uint64_t digest_of(const struct ipl_state *state)
{
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_lens lens;
	struct ipl_buf buf = { 0 };
	uint64_t digest;

	ipl_arena_init(&arena, (size_t)64 << 20);
	ipl_lens_of_state(&lens, state, ipl_state_time_ms(state), &err);
	for (enum ipl_kind kind = IPL_KIND_LEDGER; kind <= IPL_KIND_EIP; kind++) {
		for (uint64_t n = 0; (n = ipl_state_next(state, kind, n)) != 0;) {
			struct ipl_value shown =
				ipl_show(&arena, &lens, kind, n, ipl_state_find(state, kind, n));
			ipl_json_write(&buf, &shown, IPL_JSON_COMPACT);
		}
	}
	assert_false(arena.failed || buf.failed);
	digest = ipl_hash64(buf.at, buf.len);
	ipl_buf_release(&buf);
	ipl_arena_release(&arena);
	return digest;
}

static void fold_file(const char *path, uint64_t *events, uint64_t *types, uint64_t *digest)
{
	uint8_t *bytes = malloc(LOG_BYTES_MAX);
	FILE *file = fopen(path, "rb");
	struct ipl_state *state = ipl_state_new();
	uint64_t seen = 0;
	size_t len, at = 0;

	assert_non_null(file);
	len = fread(bytes, 1, LOG_BYTES_MAX, file);
	fclose(file);
	*events = 0;
	while (at < len) {
		struct ipl_scanner scanner = { 0 };
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct ipl_touches touches;
		struct ipl_arena arena;
		struct ipl_event ev;
		struct ipl_buf again = { 0 };
		size_t size = 0;
		assert_int_equal(ipl_scan(&scanner, bytes + at, len - at, LOG_BYTES_MAX, &size),
				 IPL_SCAN_WHOLE);
		ipl_arena_init(&arena, (size_t)16 << 20);
		if (ipl_event_decode((struct ipl_str){ (char *)bytes + at, size }, &arena, &ev,
				     &err) != IPL_OK)
			fail_msg("%s", err.text);
		assert_int_equal(ipl_event_encode(&ev, &again, &err), IPL_OK);
		assert_int_equal(again.len, size);
		assert_memory_equal(again.at, bytes + at, size);
		assert_int_equal(ipl_event_touches(&arena, &ev, &touches, &err), IPL_OK);
		if (ipl_reduce(state, &ev, &touches, &err) != IPL_OK)
			fail_msg("%s", err.text);
		seen |= UINT64_C(1) << ev.type;
		++*events;
		at += size;
		ipl_buf_release(&again);
		ipl_arena_release(&arena);
	}
	*types = (uint64_t)__builtin_popcountll(seen);
	*digest = digest_of(state);
	ipl_state_free(state);
	free(bytes);
}

static void test_golden_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(logs); i++) {
		uint64_t events, types, digest;
		fold_file(logs[i].file, &events, &types, &digest);
		print_message("# %s: %llu events, %llu types, digest %016llx\n", logs[i].file,
			      (unsigned long long)events, (unsigned long long)types,
			      (unsigned long long)digest);
		assert_int_equal(events, logs[i].events);
		assert_int_equal(types, logs[i].types);
		assert_true(digest == logs[i].digest);
	}
}

/* --- writing one --- */

static struct lab lab;

static const char *keep(const char *path)
{
	return ipl_arena_str(&lab.keep, ipl_str_of(lab_text(&lab, path))).at;
}

#define CALL(...)                                          \
	do {                                               \
		lab.time_ms += 1500;                       \
		if (lab_call(&lab, __VA_ARGS__) != IPL_OK) \
			fail_msg("%s", lab.err.text);      \
	} while (0)

static const char *first_instance(void)
{
	return keep("InstanceIdSets.InstanceIdSet.1");
}

static void write_instances(const char *vswitch)
{
	const char *a, *b;

	CALL("RunInstances",
	     "{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g7.large\",\"Amount\":2,"
	     "\"InternetMaxBandwidthOut\":5,\"InstanceName\":\"web\",\"ImageId\":\"debian\","
	     "\"Tag\":[{\"Key\":\"k\",\"Value\":\"v\"}],\"SecurityGroupId\":\"sg-1\"}",
	     vswitch);
	a = first_instance();
	b = keep("InstanceIdSets.InstanceIdSet.2");
	CALL("StopInstance", "{\"InstanceId\":\"%s\",\"StoppedMode\":\"StopCharging\"}", a);
	CALL("StartInstance", "{\"InstanceId\":\"%s\"}", a);
	CALL("ConvertNatPublicIpToEip", "{\"InstanceId\":\"%s\"}", a);
	CALL("ModifyInstanceNetworkSpec", "{\"InstanceId\":\"%s\",\"InternetMaxBandwidthOut\":0}",
	     b);
	CALL("ModifyInstanceNetworkSpec", "{\"InstanceId\":\"%s\",\"InternetMaxBandwidthOut\":7}",
	     b);
	CALL("StopInstance", "{\"InstanceId\":\"%s\",\"StoppedMode\":\"StopCharging\"}", b);
	CALL("AllocatePublicIpAddress", "{\"InstanceId\":\"%s\"}", b);
	CALL("DeleteInstance", "{\"InstanceId\":\"%s\"}", b);
}

static void write_interfaces(const char *vswitch)
{
	const char *instance, *eni, *eip;

	CALL("RunInstances",
	     "{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g6.xlarge\","
	     "\"NetworkInterface\":[{\"DeleteOnRelease\":false}]}",
	     vswitch);
	instance = first_instance();
	CALL("CreateNetworkInterface",
	     "{\"VSwitchId\":\"%s\",\"PrimaryIpAddress\":\"10.0.0.50\","
	     "\"SecondaryPrivateIpAddressCount\":2,\"NetworkInterfaceName\":\"nic\"}",
	     vswitch);
	eni = keep("NetworkInterfaceId");
	CALL("AttachNetworkInterface", "{\"InstanceId\":\"%s\",\"NetworkInterfaceId\":\"%s\"}",
	     instance, eni);
	CALL("AssignPrivateIpAddresses",
	     "{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[\"10.0.0.60\"]}", eni);
	CALL("AllocateEipAddress", "{\"Bandwidth\":\"20\",\"Name\":\"front\"}");
	eip = keep("AllocationId");
	CALL("AssociateEipAddress",
	     "{\"AllocationId\":\"%s\",\"InstanceId\":\"%s\",\"InstanceType\":\"NetworkInterface\","
	     "\"PrivateIpAddress\":\"10.0.0.60\"}",
	     eip, eni);
	CALL("UnassociateEipAddress", "{\"AllocationId\":\"%s\"}", eip);
	CALL("UnassignPrivateIpAddresses",
	     "{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[\"10.0.0.60\"]}", eni);
	CALL("AssociateEipAddress",
	     "{\"AllocationId\":\"%s\",\"InstanceId\":\"%s\",\"InstanceType\":"
	     "\"NetworkInterface\"}",
	     eip, eni);
	CALL("DetachNetworkInterface", "{\"InstanceId\":\"%s\",\"NetworkInterfaceId\":\"%s\"}",
	     instance, eni);
	CALL("DeleteNetworkInterface", "{\"NetworkInterfaceId\":\"%s\"}", eni);
	CALL("ReleaseEipAddress", "{\"AllocationId\":\"%s\"}", eip);
	CALL("AllocateEipAddress", "{\"IpAddress\":\"198.18.0.77\"}");
	CALL("AssociateEipAddress", "{\"AllocationId\":\"%s\",\"InstanceId\":\"%s\"}",
	     keep("AllocationId"), instance);
	CALL("DeleteInstance", "{\"InstanceId\":\"%s\",\"Force\":true}", instance);
}

/* The EIP that was allocated last. */
static const char *some_eip(void)
{
	char id[IPL_ID_TEXT_MAX];

	ipl_id_format(ipl_state_letters(lab.state), IPL_KIND_EIP,
		      ipl_state_next_number(lab.state, IPL_KIND_EIP) - 1, id);
	return ipl_arena_str(&lab.keep, ipl_str_of(id)).at;
}

static void write_changes(const char *vpc, const char *vswitch)
{
	const char *instance;

	CALL("ModifyVpcAttribute", "{\"VpcId\":\"%s\",\"VpcName\":\"renamed\"}", vpc);
	CALL("ModifyVSwitchAttribute", "{\"VSwitchId\":\"%s\",\"Description\":\"s\"}", vswitch);
	CALL("AssociateVpcCidrBlock",
	     "{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"192.168.0.0/16\"}", vpc);
	CALL("AssociateVpcCidrBlock", "{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"172.16.0.0/16\"}",
	     vpc);
	CALL("UnassociateVpcCidrBlock",
	     "{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"192.168.0.0/16\"}", vpc);
	CALL("CreateInstance", "{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g6.large\"}", vswitch);
	instance = keep("InstanceId");
	CALL("AllocateEipAddress", "{}");
	CALL("AssociateEipAddress", "{\"AllocationId\":\"%s\",\"InstanceId\":\"%s\"}",
	     keep("AllocationId"), instance);
	CALL("ModifyEipAddressAttribute", "{\"AllocationId\":\"%s\",\"Bandwidth\":\"9\"}",
	     some_eip());
	CALL("ModifyInstanceVpcAttribute", "{\"InstanceId\":\"%s\",\"VSwitchId\":\"%s\"}", instance,
	     vswitch);
	CALL("StartInstance", "{\"InstanceId\":\"%s\"}", instance);
	CALL("RebootInstance", "{\"InstanceId\":\"%s\"}", instance);
}

static void write_golden(const char *path)
{
	const char *vpc, *vswitch;
	FILE *file;

	lab_open(&lab, "{\"ReuseDelaySeconds\":2}");
	CALL("ModifyLedgerSettings",
	     "{\"Quotas\":{\"Vpcs\":5},\"InstanceTypes\":[{\"InstanceType\":\"my.type\","
	     "\"EniQuantity\":2,\"EniPrivateIpAddressQuantity\":4}]}");
	CALL("CreateVpc",
	     "{\"CidrBlock\":\"10.0.0.0/16\",\"VpcName\":\"prod\",\"Description\":\"d\"}");
	vpc = keep("VpcId");
	CALL("CreateVSwitch",
	     "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-b\",\"CidrBlock\":\"10.0.0.0/24\","
	     "\"VSwitchName\":\"Grüße\"}",
	     vpc);
	vswitch = keep("VSwitchId");
	write_instances(vswitch);
	write_interfaces(vswitch);
	write_changes(vpc, vswitch);
	CALL("CreateVSwitch",
	     "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":\"10.0.1.0/29\"}", vpc);
	CALL("DeleteVSwitch", "{\"VSwitchId\":\"%s\"}", keep("VSwitchId"));
	CALL("CreateVpc", "{\"CidrBlock\":\"192.168.0.0/24\"}");
	CALL("DeleteVpc", "{\"VpcId\":\"%s\"}", keep("VpcId"));
	file = fopen(path, "wb");
	assert_non_null(file);
	for (size_t i = 0; i < lab.count; i++)
		assert_int_equal(fwrite(lab.record[i].at, 1, lab.record[i].len, file),
				 lab.record[i].len);
	assert_int_equal(fclose(file), 0);
	lab_close(&lab);
}

static void test_write(void **state)
{
	(void)state;
	write_golden(getenv("IPL_GOLDEN_WRITE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden_logs) };
	const struct CMUnitTest writes[] = { cmocka_unit_test(test_write) };

	if (getenv("IPL_GOLDEN_WRITE") != NULL)
		return cmocka_run_group_tests(writes, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
