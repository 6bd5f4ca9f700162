/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: random histories (IPL_SEED repeats a run) into which events are put that
 * no operation would have decided, and that fold.
 * Claimed: nothing is found before the first of them, each is found after, with the
 * seq of the event that began it, whatever came later; one that was mended is not found any more;
 * states are asked few times for all of them together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/since.h"
#include "tests/random_ops.h"

#include <stdlib.h>
#include <string.h>

static void some_history(struct lab *lab, uint64_t events)
{
	uint64_t until = lab->count + events;

	while (lab->count < until)
		assert_true(random_single(lab) != IPL_ERR_CORRUPT);
}

static void append(struct lab *lab, struct ipl_event *ev)
{
	ipl_arena_reset(&lab->call);
	if (lab_append(lab, ev) != IPL_OK)
		fail_msg("%s", lab->err.text);
}

/* What random settings may have forbidden. */
static void allow(struct lab *lab)
{
	assert_int_equal(lab_call(lab, "ModifyLedgerSettings",
				  "{\"Quotas\":{},\"Zones\":[\"cn-hangzhou-a\",\"cn-hangzhou-b\","
				  "\"cn-hangzhou-c\",\"cn-hangzhou-d\",\"cn-hangzhou-e\","
				  "\"cn-hangzhou-f\",\"cn-hangzhou-g\",\"cn-hangzhou-h\","
				  "\"cn-hangzhou-i\",\"cn-hangzhou-j\",\"cn-hangzhou-k\"]}"),
			 IPL_OK);
}

/* A vSwitch of its own VPC, whose block is elsewhere; its seq. */
static uint64_t plant_vswitch(struct lab *lab, uint32_t base)
{
	struct ipl_event ev;

	allow(lab);
	assert_int_equal(lab_call(lab, "CreateVpc", "{\"CidrBlock\":\"172.16.0.0/16\"}"), IPL_OK);
	ipl_event_init(&ev, IPL_EVENT_VSWITCH_CREATED);
	ev.op = IPL_OP_CREATE_VSWITCH;
	ev.vswitch_created = (struct ipl_ev_vswitch_created){
		.vswitch = ipl_state_next_number(lab->state, IPL_KIND_VSWITCH),
		.vpc = ipl_state_next_number(lab->state, IPL_KIND_VPC) - 1,
		.zone = IPL_STR("cn-hangzhou-a"),
		.cidr = { base, 28 },
	};
	append(lab, &ev);
	return lab->count;
}

/* A quiet instance in a network of its own gets one address more than its type takes. */
static uint64_t plant_address(struct lab *lab)
{
	struct ipl_ev_address address = { .picked = false };
	struct ipl_event ev;
	uint64_t vswitch, eni;

	allow(lab);
	assert_int_equal(
		lab_call(lab, "Transact",
			 "{\"Operations\":[{\"Operation\":\"CreateVpc\",\"Params\":{\"CidrBlock\":"
			 "\"192.168.0.0/16\"}},{\"Operation\":\"CreateVSwitch\",\"Params\":{"
			 "\"VpcId\":\"$1.VpcId\",\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":"
			 "\"192.168.1.0/24\"}},{\"Operation\":\"RunInstances\",\"Params\":{"
			 "\"VSwitchId\":\"$2.VSwitchId\",\"InstanceType\":\"ecs.t1.xsmall\"}}]}"),
		IPL_OK);
	vswitch = ipl_state_next_number(lab->state, IPL_KIND_VSWITCH) - 1;
	eni = ipl_state_next_number(lab->state, IPL_KIND_ENI) - 1;
	address.ip = ipl_state_vswitch(lab->state, vswitch)->cidr.base + 200;
	ipl_event_init(&ev, IPL_EVENT_PRIVATE_IP_ASSIGNED);
	ev.op = IPL_OP_ASSIGN_PRIVATE_IPS;
	ev.private_ip_assigned = (struct ipl_ev_private_ip_assigned){
		.eni = eni,
		.vpc = ipl_state_vswitch(lab->state, vswitch)->vpc,
		.vswitch = vswitch,
		.addresses = { &address, 1 },
	};
	append(lab, &ev);
	return lab->count;
}

static struct ipl_faults find(struct lab *lab, uint64_t seq)
{
	const struct ipl_records records = lab_records(lab);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_faults faults = { .count = 0 };
	struct ipl_views *views = NULL;

	assert_int_equal(ipl_views_open(&records, &views, &err), IPL_OK);
	if (ipl_faults_find(views, seq, NULL, NULL, &faults, &err) != IPL_OK)
		fail_msg("%s", err.text);
	ipl_views_close(views);
	return faults;
}

static bool has(const struct ipl_faults *faults, enum ipl_rule rule, enum ipl_kind kind,
		uint64_t number, uint64_t since)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct ipl_fault *fault = &faults->at[i];
		if (fault->which == rule && fault->kind == kind && fault->number == number &&
		    fault->since == since)
			return true;
	}
	return false;
}

static void test_since(void **state)
{
	struct ipl_faults faults;
	struct lab lab;
	uint64_t first, second, third, vswitch, eni, other;

	(void)state;
	lab_open(&lab, random_settings);
	some_history(&lab, 300 + random_draw(300));
	first = plant_vswitch(&lab, 0xc0a80000);
	vswitch = ipl_state_next_number(lab.state, IPL_KIND_VSWITCH) - 1;
	some_history(&lab, 200 + random_draw(300));
	second = plant_address(&lab);
	eni = ipl_state_next_number(lab.state, IPL_KIND_ENI) - 1;
	third = plant_vswitch(&lab, 0xc0a80100);
	other = ipl_state_next_number(lab.state, IPL_KIND_VSWITCH) - 1;
	/* The random operations may delete a vSwitch: nothing is in it. So the end is here. */
	faults = find(&lab, first - 1);
	for (size_t i = 0; i < faults.count; i++)
		fail_msg("since %llu: %.*s", (unsigned long long)faults.at[i].since,
			 IPL_STR_ARG(faults.at[i].text));
	assert_int_equal(faults.looks, 1);
	ipl_faults_release(&faults);
	faults = find(&lab, lab.count);
	if (ipl_state_vswitch(lab.state, vswitch) != NULL)
		assert_true(has(&faults, IPL_RULE_BLOCKS, IPL_KIND_VSWITCH, vswitch, first));
	assert_true(has(&faults, IPL_RULE_LIMITS, IPL_KIND_ENI, eni, second));
	assert_true(has(&faults, IPL_RULE_BLOCKS, IPL_KIND_VSWITCH, other, third));
	assert_int_equal(faults.total, 2 + (ipl_state_vswitch(lab.state, vswitch) != NULL ? 1 : 0));
	assert_true(faults.looks < 40);
	for (size_t i = 0; i < faults.count; i++)
		assert_true(faults.at[i].text.len > 0 && faults.at[i].since <= lab.count);
	ipl_faults_release(&faults);
	lab_close(&lab);
}

/* What grows is one finding: it began with the first address that was too many. */
static void test_grows(void **state)
{
	struct ipl_faults faults;
	struct lab lab;
	uint64_t since, eni;

	(void)state;
	lab_open(&lab, NULL);
	since = plant_address(&lab);
	eni = ipl_state_next_number(lab.state, IPL_KIND_ENI) - 1;
	for (uint32_t i = 1; i < 4; i++) {
		struct ipl_ev_address address = { 0 };
		struct ipl_event ev;
		const struct ipl_eni *of = ipl_state_eni(lab.state, eni);
		address.ip = of->address[1].ip + i;
		ipl_event_init(&ev, IPL_EVENT_PRIVATE_IP_ASSIGNED);
		ev.op = IPL_OP_ASSIGN_PRIVATE_IPS;
		ev.private_ip_assigned = (struct ipl_ev_private_ip_assigned){
			.eni = eni,
			.vpc = of->vpc,
			.vswitch = of->vswitch,
			.addresses = { &address, 1 },
		};
		append(&lab, &ev);
	}
	faults = find(&lab, lab.count);
	assert_int_equal(faults.total, 1);
	assert_true(has(&faults, IPL_RULE_LIMITS, IPL_KIND_ENI, eni, since));
	assert_non_null(strstr(faults.at[0].text.at, "5 IPv4"));
	ipl_faults_release(&faults);
	lab_close(&lab);
}

/* Two rules that one instance breaks began at different events. */
static void test_two_rules(void **state)
{
	struct ipl_faults faults;
	struct ipl_event ev;
	struct lab lab;
	uint64_t instance, eni, vswitch, first, second;
	char id[IPL_ID_TEXT_MAX];

	(void)state;
	lab_open(&lab, NULL);
	(void)plant_address(&lab);
	instance = ipl_state_next_number(lab.state, IPL_KIND_INSTANCE) - 1;
	vswitch = ipl_state_next_number(lab.state, IPL_KIND_VSWITCH) - 1;
	ipl_id_format(ipl_state_letters(lab.state), IPL_KIND_VSWITCH, vswitch, id);
	assert_int_equal(lab_call(&lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", id),
			 IPL_OK);
	eni = ipl_state_next_number(lab.state, IPL_KIND_ENI) - 1;
	ipl_event_init(&ev, IPL_EVENT_ENI_ATTACHED); /* its type takes one */
	ev.op = IPL_OP_ATTACH_ENI;
	ev.eni_attached = (struct ipl_ev_eni_attached){ eni, instance };
	append(&lab, &ev);
	first = lab.count;
	assert_int_equal(lab_call(&lab, "AllocateEipAddress", "{}"), IPL_OK);
	ipl_event_init(&ev, IPL_EVENT_PUBLIC_IP_ALLOCATED); /* it has no bandwidth */
	ev.op = IPL_OP_ALLOCATE_PUBLIC_IP;
	ev.public_ip_allocated = (struct ipl_ev_public_ip_allocated){
		.instance = instance,
		.eni = ipl_state_instance(lab.state, instance)->enis.at[0],
		.public_ip = ipl_state_pool(lab.state, 0)->cidr.base + 77,
	};
	append(&lab, &ev);
	second = lab.count;
	faults = find(&lab, lab.count);
	assert_true(has(&faults, IPL_RULE_LIMITS, IPL_KIND_INSTANCE, instance, first));
	assert_true(has(&faults, IPL_RULE_PUBLIC_IP, IPL_KIND_INSTANCE, instance, second));
	ipl_faults_release(&faults);
	lab_close(&lab);
}

/* What was mended is not found; as of before that it is. */
static void test_mended(void **state)
{
	struct ipl_faults faults;
	char id[IPL_ID_TEXT_MAX];
	struct lab lab;
	uint64_t since;

	(void)state;
	lab_open(&lab, NULL);
	since = plant_vswitch(&lab, 0xc0a80000);
	ipl_id_format(ipl_state_letters(lab.state), IPL_KIND_VSWITCH,
		      ipl_state_next_number(lab.state, IPL_KIND_VSWITCH) - 1, id);
	assert_int_equal(lab_call(&lab, "DeleteVSwitch", "{\"VSwitchId\":\"%s\"}", id), IPL_OK);
	faults = find(&lab, lab.count);
	assert_int_equal(faults.total, 0);
	ipl_faults_release(&faults);
	faults = find(&lab, lab.count - 1);
	assert_int_equal(faults.total, 1);
	assert_int_equal(faults.at[0].since, since);
	ipl_faults_release(&faults);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_two_rules),
		cmocka_unit_test(test_mended),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
