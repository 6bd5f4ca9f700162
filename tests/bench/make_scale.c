/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large ledger with a life behind it, for benches: INSTANCES living instances, each with its
 * interface and address, spread over VPCs of 10,000, and EVENTS events in which instances come
 * and go, secondary addresses are assigned and unassigned, and public ones are allocated, bound,
 * unbound and released. Draws are seeded: the same numbers make the same ledger. make_scale DIR
 * INSTANCES EVENTS [BATCH]
 */
#include "store/store.h"
#include "tests/lab.h"
#include "tests/random_ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VPC_INSTANCES 10000u
#define WAITING       1000u /* secondary addresses, and EIPs in each step of their lives */
#define MS_BETWEEN    20
#define TRIES         1000

struct maker {
	struct lab lab;
	struct ipl_store *store;
	struct ipl_batch batch;
	uint64_t appended;
	uint64_t per_commit;
	uint64_t vpcs;
	uint64_t turn;
	struct {
		uint64_t eni;
		uint32_t ip;
	} secondary[WAITING];
	uint64_t bound[WAITING];
	uint64_t at_secondary, at_bound;
};

static void must(enum ipl_status st, const struct ipl_error *err)
{
	if (st == IPL_OK)
		return;
	fprintf(stderr, "make_scale: %s\n", err->text);
	exit(1);
}

/* --- appending --- */

static void append(struct maker *m, bool is_last)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct lab *lab = &m->lab;

	for (; m->appended < lab->count; m->appended++)
		must(ipl_batch_add(&m->batch, lab->record[m->appended].at,
				   lab->record[m->appended].len, &err),
		     &err);
	ipl_arena_reset(&lab->keep); /* nobody asks this lab for its records */
	if (m->batch.count < m->per_commit && !is_last)
		return;
	must(ipl_store_append(m->store, &m->batch, &err), &err);
	ipl_batch_reset(&m->batch, m->appended + 1);
}

/* --- calls --- */

static const char *id(struct maker *m, enum ipl_kind kind, uint64_t number)
{
	static char text[4][IPL_ID_TEXT_MAX];
	static unsigned next;
	char *out = text[next++ % 4];

	ipl_id_format(ipl_state_letters(m->lab.state), kind, number, out);
	return out;
}

static void call(struct maker *m, const char *operation, const char *params)
{
	m->lab.time_ms += MS_BETWEEN;
	must(lab_call(&m->lab, operation, "%s", params), &m->lab.err);
	append(m, false);
}

/* An instance that lives, whichever. */
static uint64_t an_instance(struct maker *m)
{
	uint64_t end = ipl_state_next_number(m->lab.state, IPL_KIND_INSTANCE), number = 1;

	for (int i = 0; i < TRIES; i++) {
		number = 1 + random_draw(end - 1);
		if (ipl_state_instance(m->lab.state, number) != NULL)
			break;
	}
	return number;
}

static void run_instance(struct maker *m)
{
	char params[256];

	(void)snprintf(params, sizeof(params),
		       "{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g6.large\","
		       "\"InstanceName\":\"web-%" PRIu64 "\"}",
		       id(m, IPL_KIND_VSWITCH, 1 + m->turn % m->vpcs), m->turn);
	m->turn++;
	call(m, "RunInstances", params);
}

static void delete_instance(struct maker *m)
{
	uint64_t number = an_instance(m);
	const struct ipl_instance *instance = ipl_state_instance(m->lab.state, number);
	char params[128];

	if (instance->eip != 0 ||
	    ipl_state_eni(m->lab.state, instance->enis.at[0])->address_count > 1)
		return; /* what waits needs it */
	(void)snprintf(params, sizeof(params), "{\"InstanceId\":\"%s\",\"Force\":true}",
		       id(m, IPL_KIND_INSTANCE, number));
	call(m, "DeleteInstance", params);
}

static void rename_instance(struct maker *m)
{
	const struct ipl_instance *instance = ipl_state_instance(m->lab.state, an_instance(m));
	char params[256];

	(void)snprintf(params, sizeof(params),
		       "{\"NetworkInterfaceId\":\"%s\",\"NetworkInterfaceName\":\"eth-%" PRIu64
		       "\"}",
		       id(m, IPL_KIND_ENI, instance->enis.at[0]), m->turn);
	call(m, "ModifyNetworkInterfaceAttribute", params);
}

/* One address more for some interface, and one less for that whose turn it is. */
static void move_secondary(struct maker *m)
{
	uint64_t at = m->at_secondary++ % WAITING;
	const struct ipl_instance *instance;
	char params[256], ip[IPL_IP4_TEXT_MAX];

	if (m->secondary[at].eni != 0) {
		ipl_ip4_format(m->secondary[at].ip, ip);
		(void)snprintf(params, sizeof(params),
			       "{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[\"%s\"]}",
			       id(m, IPL_KIND_ENI, m->secondary[at].eni), ip);
		call(m, "UnassignPrivateIpAddresses", params);
		m->secondary[at].eni = 0;
	}
	instance = ipl_state_instance(m->lab.state, an_instance(m));
	if (ipl_state_eni(m->lab.state, instance->enis.at[0])->address_count > 1)
		return;
	m->secondary[at].eni = instance->enis.at[0];
	(void)snprintf(params, sizeof(params),
		       "{\"NetworkInterfaceId\":\"%s\",\"SecondaryPrivateIpAddressCount\":1}",
		       id(m, IPL_KIND_ENI, m->secondary[at].eni));
	call(m, "AssignPrivateIpAddresses", params);
	m->secondary[at].ip = ipl_state_eni(m->lab.state, m->secondary[at].eni)->address[1].ip;
}

static void move_eip(struct maker *m)
{
	uint64_t at = m->at_bound++ % WAITING, number;
	const struct ipl_eip *eip;
	char params[256];

	if (m->bound[at] != 0) {
		eip = ipl_state_eip(m->lab.state, m->bound[at]);
		(void)snprintf(
			params, sizeof(params), "{\"AllocationId\":\"%s\",\"InstanceId\":\"%s\"}",
			id(m, IPL_KIND_EIP, m->bound[at]), id(m, IPL_KIND_INSTANCE, eip->instance));
		call(m, "UnassociateEipAddress", params);
		(void)snprintf(params, sizeof(params), "{\"AllocationId\":\"%s\"}",
			       id(m, IPL_KIND_EIP, m->bound[at]));
		call(m, "ReleaseEipAddress", params);
		m->bound[at] = 0;
	}
	number = an_instance(m);
	if (ipl_state_instance(m->lab.state, number)->eip != 0)
		return;
	m->bound[at] = ipl_state_next_number(m->lab.state, IPL_KIND_EIP);
	call(m, "AllocateEipAddress", "{\"Bandwidth\":5}");
	(void)snprintf(params, sizeof(params), "{\"AllocationId\":\"%s\",\"InstanceId\":\"%s\"}",
		       id(m, IPL_KIND_EIP, m->bound[at]), id(m, IPL_KIND_INSTANCE, number));
	call(m, "AssociateEipAddress", params);
}

static void make_vpcs(struct maker *m)
{
	char params[256];

	for (uint64_t i = 1; i <= m->vpcs; i++) {
		call(m, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/8\"}");
		(void)snprintf(params, sizeof(params),
			       "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":\"10.%"
			       "u.0.0/16\"}",
			       id(m, IPL_KIND_VPC, i), (unsigned)(i % 256));
		call(m, "CreateVSwitch", params);
	}
}

/* Of ten events one is of growth, two of instances that come and go, and seven of addresses. */
static void live(struct maker *m, uint64_t instances, uint64_t events)
{
	uint64_t per = events / instances;

	if (per < 2)
		per = 2;
	while (m->lab.count < events) {
		uint64_t draw = random_draw(20);
		uint64_t living = ipl_state_count(m->lab.state, IPL_KIND_INSTANCE);
		if (living < instances &&
		    (living < 2 * WAITING + 10 || living * per < m->lab.count))
			run_instance(m);
		else if (draw < 6)
			move_secondary(m);
		else if (draw < 10)
			move_eip(m);
		else if (draw < 14)
			rename_instance(m);
		else
			delete_instance(m);
	}
}

int main(int argc, char **argv)
{
	static struct maker m;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint64_t instances, events;

	if (argc != 4 && argc != 5) {
		fputs("usage: make_scale DIR INSTANCES EVENTS [BATCH]\n", stderr);
		return 2;
	}
	instances = strtoull(argv[2], NULL, 10);
	events = strtoull(argv[3], NULL, 10);
	m.per_commit = argc == 5 ? strtoull(argv[4], NULL, 10) : 1000;
	m.vpcs = (instances + VPC_INSTANCES - 1) / VPC_INSTANCES;
	if (m.per_commit == 0 || m.vpcs == 0) {
		fputs("make_scale: there must be an instance, and an event in a batch\n", stderr);
		return 2;
	}
	random_begin(1);
	must(ipl_store_open(argv[1], IPL_STORE_APPEND, &m.store, &err), &err);
	lab_open(&m.lab, "{\"Quotas\":{\"Vpcs\":1000000,\"NetworkInterfaces\":100000000,"
			 "\"PrivateIpAddressesPerVpc\":100000000,\"Eips\":100000}}");
	m.lab.is_quick = true;
	ipl_batch_reset(&m.batch, 1);
	append(&m, false);
	make_vpcs(&m);
	live(&m, instances, events);
	append(&m, true);
	printf("%zu events, %" PRIu64 " instances\n", m.lab.count,
	       ipl_state_count(m.lab.state, IPL_KIND_INSTANCE));
	ipl_batch_release(&m.batch);
	lab_close(&m.lab);
	ipl_store_close(m.store);
	return 0;
}
