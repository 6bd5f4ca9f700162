/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: thousands of random operations on a small network (IPL_SEED repeats a run).
 * Claimed: what is decided always folds; every entity and holding folded alone
 * from its own chain equals the whole state's; no address has two holders, and
 * the counts of a vSwitch are those of its holders; the whole log folds to the
 * same state again; the fold of a log without one event is damage or another state, never a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/past.h"
#include "tests/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 4000

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 20) % below;
}

/* The id of a living entity, or of one that may be gone or never was. */
static const char *some(struct lab *lab, enum ipl_kind kind)
{
	static char text[8][IPL_ID_TEXT_MAX];
	static unsigned turn;
	uint64_t last = ipl_state_next_number(lab->state, kind);
	uint64_t number = ipl_state_next(lab->state, kind, draw(last));

	if (number == 0 || draw(20) == 0)
		number = 1 + draw(last + 1);
	turn = (turn + 1) % 8;
	ipl_id_format(ipl_state_letters(lab->state), kind, number, text[turn]);
	return text[turn];
}

static const char *some_ip(void)
{
	static char text[4][IPL_IP4_TEXT_MAX];
	static unsigned turn;

	turn = (turn + 1) % 4;
	(void)snprintf(text[turn], sizeof(text[turn]), "10.%u.0.%u", (unsigned)draw(3),
		       (unsigned)draw(32));
	return text[turn];
}

static enum ipl_status step_network(struct lab *lab)
{
	switch (draw(7)) {
	case 5:
		return lab_call(lab, "AssociateVpcCidrBlock",
				"{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"172.%u.0.0/16\"}",
				some(lab, IPL_KIND_VPC), (unsigned)draw(8));
	case 6:
		return lab_call(lab, "UnassociateVpcCidrBlock",
				"{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"172.%u.0.0/16\"}",
				some(lab, IPL_KIND_VPC), (unsigned)draw(8));
	case 0:
		return lab_call(lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/%u\"}",
				8 + (unsigned)draw(2));
	case 1:
		return lab_call(lab, "DeleteVpc", "{\"VpcId\":\"%s\"}", some(lab, IPL_KIND_VPC));
	case 2:
		return lab_call(lab, "DeleteVSwitch", "{\"VSwitchId\":\"%s\"}",
				some(lab, IPL_KIND_VSWITCH));
	default:
		return lab_call(lab, "CreateVSwitch",
				"{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-%c\","
				"\"CidrBlock\":\"10.%u.0.0/%u\"}",
				some(lab, IPL_KIND_VPC), 'a' + (int)draw(2), (unsigned)draw(3),
				27 + (unsigned)draw(3));
	}
}

static enum ipl_status step_instance(struct lab *lab)
{
	const char *id = some(lab, IPL_KIND_INSTANCE);

	switch (draw(12)) {
	case 9:
		return lab_call(lab, "RebootInstance", "{\"InstanceId\":\"%s\"}", id);
	case 10:
		return lab_call(lab, "ModifyInstanceVpcAttribute",
				"{\"InstanceId\":\"%s\",\"VSwitchId\":\"%s\"}", id,
				some(lab, IPL_KIND_VSWITCH));
	case 11:
		return lab_call(lab, "CreateInstance",
				"{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g6.large\"}",
				some(lab, IPL_KIND_VSWITCH));
	case 0:
		return lab_call(lab, "StartInstance", "{\"InstanceId\":\"%s\"}", id);
	case 1:
		return lab_call(lab, "StopInstance",
				"{\"InstanceId\":\"%s\",\"StoppedMode\":\"%s\"}", id,
				draw(2) ? "StopCharging" : "KeepCharging");
	case 2:
		return lab_call(lab, "DeleteInstance", "{\"InstanceId\":\"%s\",\"Force\":%s}", id,
				draw(4) ? "true" : "false");
	case 3:
		return lab_call(lab, "ModifyInstanceNetworkSpec",
				"{\"InstanceId\":\"%s\",\"InternetMaxBandwidthOut\":%u}", id,
				(unsigned)draw(3));
	case 4:
		return lab_call(lab, "AllocatePublicIpAddress", "{\"InstanceId\":\"%s\"}", id);
	case 5:
		return lab_call(lab, "ConvertNatPublicIpToEip", "{\"InstanceId\":\"%s\"}", id);
	case 6:
		return lab_call(lab, "RunInstances",
				"{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g6.large\","
				"\"PrivateIpAddress\":\"%s\",\"Amount\":%u}",
				some(lab, IPL_KIND_VSWITCH), some_ip(), 1 + (unsigned)draw(2));
	default:
		return lab_call(
			lab, "RunInstances",
			"{\"InstanceType\":\"ecs.g6.xlarge\",\"Amount\":%u,\"MinAmount\":1,"
			"\"InternetMaxBandwidthOut\":%u,\"NetworkInterface\":[{\"InstanceType\":"
			"\"Primary\",\"VSwitchId\":\"%s\",\"SecondaryPrivateIpAddressCount\":%u},"
			"{\"DeleteOnRelease\":%s}]}",
			1 + (unsigned)draw(3), (unsigned)draw(2), some(lab, IPL_KIND_VSWITCH),
			1 + (unsigned)draw(3), draw(2) ? "true" : "false");
	}
}

static enum ipl_status step_eni(struct lab *lab)
{
	const char *id = some(lab, IPL_KIND_ENI), *instance = some(lab, IPL_KIND_INSTANCE);

	switch (draw(7)) {
	case 0:
		return lab_call(lab, "CreateNetworkInterface",
				"{\"VSwitchId\":\"%s\",\"SecondaryPrivateIpAddressCount\":%u}",
				some(lab, IPL_KIND_VSWITCH), 1 + (unsigned)draw(3));
	case 1:
		return lab_call(lab, "AttachNetworkInterface",
				"{\"InstanceId\":\"%s\",\"NetworkInterfaceId\":\"%s\"}", instance,
				id);
	case 2:
		return lab_call(lab, "DetachNetworkInterface",
				"{\"InstanceId\":\"%s\",\"NetworkInterfaceId\":\"%s\"}", instance,
				id);
	case 3:
		return lab_call(lab, "DeleteNetworkInterface", "{\"NetworkInterfaceId\":\"%s\"}",
				id);
	case 4:
		return lab_call(
			lab, "AssignPrivateIpAddresses",
			"{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[\"%s\",\"%s\"]}", id,
			some_ip(), some_ip());
	case 5:
		return lab_call(
			lab, "AssignPrivateIpAddresses",
			"{\"NetworkInterfaceId\":\"%s\",\"SecondaryPrivateIpAddressCount\":%u}", id,
			1 + (unsigned)draw(2));
	default:
		return lab_call(lab, "UnassignPrivateIpAddresses",
				"{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[\"%s\"]}", id,
				some_ip());
	}
}

static enum ipl_status step_eip(struct lab *lab)
{
	const char *id = some(lab, IPL_KIND_EIP);

	switch (draw(7)) {
	case 6:
		return lab_call(lab, "ModifyEipAddressAttribute",
				"{\"AllocationId\":\"%s\",\"Bandwidth\":%u}", id,
				1 + (unsigned)draw(300));
	case 0:
	case 1:
		return lab_call(lab, "AllocateEipAddress", "{}");
	case 2:
		return lab_call(lab, "AssociateEipAddress",
				"{\"AllocationId\":\"%s\",\"InstanceId\":\"%s\"}", id,
				some(lab, IPL_KIND_INSTANCE));
	case 3:
		return lab_call(lab, "AssociateEipAddress",
				"{\"AllocationId\":\"%s\",\"InstanceId\":\"%s\","
				"\"InstanceType\":\"NetworkInterface\",\"Mode\":\"%s\"}",
				id, some(lab, IPL_KIND_ENI), draw(3) ? "NAT" : "BINDED");
	case 4:
		return lab_call(lab, "UnassociateEipAddress", "{\"AllocationId\":\"%s\"}", id);
	default:
		return lab_call(lab, "ReleaseEipAddress", "{\"AllocationId\":\"%s\"}", id);
	}
}

static enum ipl_status step(struct lab *lab)
{
	lab->time_ms += (int64_t)draw(3) * 400;
	switch (draw(8)) {
	case 0:
		return step_network(lab);
	case 1:
	case 2:
	case 3:
		return step_instance(lab);
	case 4:
	case 5:
		return step_eni(lab);
	default:
		return step_eip(lab);
	}
}

/* --- the checks --- */

static enum ipl_status get_record(void *context, uint64_t seq, struct ipl_str *out,
				  struct ipl_error *err)
{
	const struct lab *lab = context;

	(void)err;
	*out = lab->record[seq - 1];
	return IPL_OK;
}

static uint64_t get_last(void *context, struct ipl_key key)
{
	return ipl_heads_last(((const struct lab *)context)->heads, key);
}

/* Every entity as @state has it, folded alone as of the state's seq. */
static void check_entities_alone(struct lab *lab, const struct ipl_state *state)
{
	const struct ipl_source source = { lab, get_record, get_last };
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_lens whole, alone;

	ipl_arena_init(&arena, (size_t)1 << 30);
	ipl_lens_of_state(&whole, state, lab->time_ms, &err);
	assert_int_equal(ipl_past_open(&alone, &source, ipl_state_seq(state), lab->time_ms, &err),
			 IPL_OK);
	alone.letters = whole.letters;
	alone.region = whole.region;
	for (enum ipl_kind kind = IPL_KIND_VPC; kind <= IPL_KIND_EIP; kind++) {
		for (uint64_t n = 1; n < ipl_state_next_number(lab->state, kind); n++) {
			const union ipl_entity *a = whole.find(&whole, kind, n);
			const union ipl_entity *b = alone.find(&alone, kind, n);
			struct ipl_value x, y;
			if (alone.status != IPL_OK)
				fail_msg("%s", err.text);
			assert_int_equal(a == NULL, b == NULL);
			if (a == NULL)
				continue;
			x = ipl_show(&arena, &whole, kind, n, a);
			y = ipl_show(&arena, &alone, kind, n, b);
			assert_true(ipl_value_equal(&x, &y));
			assert_int_equal(a->base.first_seq, b->base.first_seq);
			assert_int_equal(a->base.last_seq, b->base.last_seq);
		}
	}
	for (uint64_t n = 0; (n = ipl_state_next(state, IPL_KIND_ENI, n)) != 0;) {
		const struct ipl_eni *eni = ipl_state_eni(state, n);
		struct ipl_key key = ipl_key_ip4(eni->vpc, eni->address[0].ip);
		struct ipl_holding x = ipl_state_holding(state, key);
		struct ipl_holding y = alone.holding(&alone, key);
		assert_true(x.eni == y.eni && x.role == y.role && x.since_seq == y.since_seq);
	}
	ipl_past_close(&alone);
	ipl_arena_release(&arena);
}

/* The same as of moments on the way: the whole state is folded up to each of them. */
static void check_past(struct lab *lab)
{
	const struct ipl_source source = { lab, get_record, get_last };
	struct ipl_state *state = ipl_state_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	for (uint64_t seq = 1 + draw(20); seq <= lab->count; seq += 1 + draw(60)) {
		assert_int_equal(ipl_fold_to(state, &source, seq, &err), IPL_OK);
		check_entities_alone(lab, state);
	}
	ipl_state_free(state);
}

/* Every address of every interface is held by it, and a vSwitch counts them. */
static void check_holders(struct lab *lab)
{
	uint64_t held = 0, used = 0;

	for (uint64_t n = 0; (n = ipl_state_next(lab->state, IPL_KIND_ENI, n)) != 0;) {
		const struct ipl_eni *eni = ipl_state_eni(lab->state, n);
		const struct ipl_block *block = ipl_state_block(lab->state, eni->vswitch);
		for (uint32_t i = 0; i < eni->address_count; i++) {
			struct ipl_holding holding = ipl_state_holding(
				lab->state, ipl_key_ip4(eni->vpc, eni->address[i].ip));
			assert_int_equal(holding.eni, n);
			assert_int_equal(holding.role,
					 i == 0 ? IPL_ROLE_PRIMARY : IPL_ROLE_SECONDARY);
			assert_false(ipl_block_is_available(block, eni->address[i].ip));
			held++;
		}
	}
	for (uint64_t n = 0; (n = ipl_state_next(lab->state, IPL_KIND_VSWITCH, n)) != 0;)
		used += ipl_state_vswitch(lab->state, n)->used;
	assert_int_equal(held, used);
	for (uint64_t n = 0; (n = ipl_state_next(lab->state, IPL_KIND_INSTANCE, n)) != 0;) {
		const struct ipl_instance *i = ipl_state_instance(lab->state, n);
		assert_true(i->public_ip == 0 || i->eip == 0);
		assert_true(i->public_ip == 0 || i->bandwidth_out > 0);
		if (i->public_ip != 0)
			assert_int_equal(
				ipl_state_holding(lab->state, ipl_key_ip4(0, i->public_ip)).eni,
				i->enis.at[0]);
	}
}

static void check_again(struct lab *lab)
{
	const struct ipl_source source = { lab, get_record, get_last };
	struct ipl_state *again = ipl_state_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	assert_int_equal(ipl_fold_to(again, &source, lab->count, &err), IPL_OK);
	for (enum ipl_kind kind = IPL_KIND_VPC; kind <= IPL_KIND_EIP; kind++) {
		assert_int_equal(ipl_state_count(again, kind), ipl_state_count(lab->state, kind));
		assert_int_equal(ipl_state_next_number(again, kind),
				 ipl_state_next_number(lab->state, kind));
	}
	for (uint64_t n = 0; (n = ipl_state_next(again, IPL_KIND_VSWITCH, n)) != 0;)
		assert_int_equal(ipl_state_block(again, n)->position,
				 ipl_state_block(lab->state, n)->position);
	ipl_state_free(again);
}

static void test_random_history(void **state)
{
	struct lab lab;
	uint64_t appended = 0, refused = 0;

	(void)state;
	lab_open(&lab, "{\"PublicPools\":[\"198.18.0.0/27\",\"198.18.1.0/28\"],"
		       "\"ReuseDelaySeconds\":1}");
	for (int i = 0; i < STEPS; i++) {
		enum ipl_status st = step(&lab);
		if (st != IPL_OK && st != IPL_REFUSED)
			fail_msg("step %d: %s", i, lab.err.text);
		*(st == IPL_OK ? &appended : &refused) += 1;
		if (i % 500 == 0)
			check_holders(&lab);
	}
	print_message("# %llu done, %llu refused\n", (unsigned long long)appended,
		      (unsigned long long)refused);
	assert_true(appended > STEPS / 5 && refused > STEPS / 5);
	check_holders(&lab);
	check_entities_alone(&lab, lab.state);
	check_past(&lab);
	check_again(&lab);
	lab_close(&lab);
}

/* An event is left out, the others are renumbered: damage is found, or nobody missed it. */
static void test_missing_event(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, NULL);
	for (int i = 0; i < 400; i++)
		assert_true(step(&lab) != IPL_ERR_CORRUPT);
	for (uint64_t gone = 2; gone <= lab.count; gone += 3) {
		struct ipl_state *other = ipl_state_new();
		struct ipl_arena arena;
		enum ipl_status st = IPL_OK;
		ipl_arena_init(&arena, (size_t)256 << 20);
		for (uint64_t seq = 1; st == IPL_OK && seq <= lab.count; seq++) {
			struct ipl_error err = IPL_ERROR_INIT(NULL);
			struct ipl_touches touches;
			struct ipl_event ev;
			ipl_arena_reset(&arena);
			if (seq == gone)
				continue;
			lab_event(&lab, seq, &arena, &ev);
			ev.seq -= seq > gone;
			assert_int_equal(ipl_event_touches(&arena, &ev, &touches, &err), IPL_OK);
			st = ipl_reduce(other, &ev, &touches, &err);
			assert_true(st == IPL_OK || st == IPL_ERR_CORRUPT);
		}
		ipl_state_free(other);
		ipl_arena_release(&arena);
	}
	lab_close(&lab);
}

/* A /24 to its last address, in any order of giving back: next fit, and never a reserved one. */
static void test_fill(void **state)
{
	struct lab lab;
	char vpc[IPL_ID_TEXT_MAX], vswitch[IPL_ID_TEXT_MAX];

	(void)state;
	lab_open(&lab, NULL);
	assert_int_equal(lab_call(&lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/16\"}"), IPL_OK);
	(void)snprintf(vpc, sizeof(vpc), "%s", lab_text(&lab, "VpcId"));
	assert_int_equal(lab_call(&lab, "CreateVSwitch",
				  "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\","
				  "\"CidrBlock\":\"10.0.0.0/24\"}",
				  vpc),
			 IPL_OK);
	(void)snprintf(vswitch, sizeof(vswitch), "%s", lab_text(&lab, "VSwitchId"));
	for (unsigned i = 1; i <= 252; i++) {
		char wanted[IPL_IP4_TEXT_MAX];
		(void)snprintf(wanted, sizeof(wanted), "10.0.0.%u", i);
		assert_int_equal(
			lab_call(&lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", vswitch),
			IPL_OK);
		assert_string_equal(lab_text(&lab, "PrivateIpAddress"), wanted);
	}
	assert_int_equal(
		lab_call(&lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", vswitch),
		IPL_REFUSED);
	assert_string_equal(lab_code(&lab), "InvalidVSwitchId.IpNotEnough");
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_history),
		cmocka_unit_test(test_missing_event),
		cmocka_unit_test(test_fill),
	};
	const char *given = getenv("IPL_SEED");

	seed = given == NULL ? 20261124 : strtoull(given, NULL, 10);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
