/* SPDX-License-Identifier: Apache-2.0 */
/* Which operation is drawn, and how the network is kept from growing. */
#include "tests/random_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct random_size random_small = { 4, 8, 14, 30, 12, 27 };
const struct random_size random_large = { 6, 40, 1500, 3500, 2000, 22 };
const char random_settings[] = "{\"PublicPools\":[\"198.18.0.0/29\",\"198.18.1.0/29\"],"
			       "\"Ipv6Pool\":\"2001:db8::/54\",\"ReuseDelaySeconds\":1}";

static uint64_t seed;
static struct random_size size;
static char last[LAB_TEXT_MAX + 64];

void random_begin(uint64_t from)
{
	random_begin_sized(from, &random_small);
}

void random_begin_sized(uint64_t from, const struct random_size *of)
{
	seed = from;
	size = *of;
}

const struct random_size *random_size_now(void)
{
	return &size;
}

uint64_t random_draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 20) % below;
}

bool one_in(uint64_t n)
{
	return random_draw(n) == 0;
}

void random_wait(struct lab *lab)
{
	lab->time_ms += (int64_t)random_draw(7) * 400;
}

const char *random_last(void)
{
	return last;
}

/* --- ids --- */

void print(struct params *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	p->len += (size_t)vsnprintf(p->at + p->len, sizeof(p->at) - p->len, format, args);
	va_end(args);
	assert(p->len < sizeof(p->at));
}

static const char *id_text(struct lab *lab, enum ipl_kind kind, uint64_t number)
{
	static char text[16][IPL_ID_TEXT_MAX];
	static unsigned turn;

	turn = (turn + 1) % IPL_ARRAY_SIZE(text);
	ipl_id_format(ipl_state_letters(lab->state), kind, number, text[turn]);
	return text[turn];
}

/* A living one; around the end where the last ones are gone. */
static uint64_t draw_number(struct lab *lab, enum ipl_kind kind)
{
	uint64_t next = ipl_state_next_number(lab->state, kind);
	uint64_t first = ipl_state_next(lab->state, kind, 0);
	uint64_t number = first == 0 ? 0 :
				       ipl_state_next(lab->state, kind,
						      first - 1 + random_draw(next - first));

	return number == 0 ? first : number;
}

const char *some(struct lab *lab, enum ipl_kind kind)
{
	uint64_t number = draw_number(lab, kind);

	if (number == 0 || one_in(16))
		number = 1 + random_draw(ipl_state_next_number(lab->state, kind) + 1);
	return id_text(lab, kind, number);
}

const char *id_of(struct lab *lab, enum ipl_kind kind, uint64_t number)
{
	return number == 0 || one_in(8) ? some(lab, kind) : id_text(lab, kind, number);
}

uint64_t seek(struct lab *lab, enum ipl_kind kind,
	      bool (*fits)(struct lab *lab, const union ipl_entity *entity))
{
	uint64_t number = draw_number(lab, kind);

	for (int tries = 0; number != 0 && tries < 40; tries++) {
		if (fits(lab, ipl_state_find(lab->state, kind, number)))
			return number;
		number = ipl_state_next(lab->state, kind, number);
		if (number == 0)
			number = ipl_state_next(lab->state, kind, 0);
	}
	return 0;
}

/* --- what is drawn --- */

struct draw {
	enum ipl_op op;
	unsigned weight;
	void (*params)(struct lab *lab, struct params *p);
	enum ipl_kind makes; /* what it adds to */
};

static const struct draw draws[] = {
	{ IPL_OP_MODIFY_LEDGER_SETTINGS, 4, params_settings, IPL_KIND_NONE },
	{ IPL_OP_CREATE_VPC, 7, params_create_vpc, IPL_KIND_VPC },
	{ IPL_OP_DELETE_VPC, 4, params_delete_vpc, IPL_KIND_NONE },
	{ IPL_OP_MODIFY_VPC, 5, params_modify_vpc, IPL_KIND_NONE },
	{ IPL_OP_ASSOCIATE_CIDR, 6, params_associate_cidr, IPL_KIND_NONE },
	{ IPL_OP_UNASSOCIATE_CIDR, 3, params_unassociate_cidr, IPL_KIND_NONE },
	{ IPL_OP_CREATE_VSWITCH, 8, params_create_vswitch, IPL_KIND_VSWITCH },
	{ IPL_OP_DELETE_VSWITCH, 3, params_delete_vswitch, IPL_KIND_NONE },
	{ IPL_OP_MODIFY_VSWITCH, 6, params_modify_vswitch, IPL_KIND_NONE },
	{ IPL_OP_RUN_INSTANCES, 18, params_run_instances, IPL_KIND_INSTANCE },
	{ IPL_OP_CREATE_INSTANCE, 5, params_create_instance, IPL_KIND_INSTANCE },
	{ IPL_OP_START_INSTANCE, 9, params_start, IPL_KIND_NONE },
	{ IPL_OP_STOP_INSTANCE, 9, params_stop, IPL_KIND_NONE },
	{ IPL_OP_REBOOT_INSTANCE, 6, params_reboot, IPL_KIND_NONE },
	{ IPL_OP_DELETE_INSTANCE, 6, params_delete_instance, IPL_KIND_NONE },
	{ IPL_OP_CHANGE_PRIMARY_ADDRESS, 9, params_change_address, IPL_KIND_NONE },
	{ IPL_OP_MODIFY_NETWORK_SPEC, 9, params_network_spec, IPL_KIND_NONE },
	{ IPL_OP_ALLOCATE_PUBLIC_IP, 6, params_allocate_public_ip, IPL_KIND_NONE },
	{ IPL_OP_CONVERT_PUBLIC_IP, 5, params_convert, IPL_KIND_EIP },
	{ IPL_OP_CREATE_ENI, 12, params_create_eni, IPL_KIND_ENI },
	{ IPL_OP_ATTACH_ENI, 10, params_attach, IPL_KIND_NONE },
	{ IPL_OP_DETACH_ENI, 6, params_detach, IPL_KIND_NONE },
	{ IPL_OP_DELETE_ENI, 5, params_delete_eni, IPL_KIND_NONE },
	{ IPL_OP_MODIFY_ENI, 5, params_modify_eni, IPL_KIND_NONE },
	{ IPL_OP_ASSIGN_PRIVATE_IPS, 12, params_assign, IPL_KIND_NONE },
	{ IPL_OP_UNASSIGN_PRIVATE_IPS, 12, params_unassign, IPL_KIND_NONE },
	{ IPL_OP_ALLOCATE_EIP, 10, params_allocate_eip, IPL_KIND_EIP },
	{ IPL_OP_ASSOCIATE_EIP, 16, params_associate_eip, IPL_KIND_NONE },
	{ IPL_OP_UNASSOCIATE_EIP, 9, params_unassociate_eip, IPL_KIND_NONE },
	{ IPL_OP_MODIFY_EIP, 4, params_modify_eip, IPL_KIND_NONE },
	{ IPL_OP_RELEASE_EIP, 5, params_release_eip, IPL_KIND_NONE },
	{ IPL_OP_ASSIGN_IPV6, 12, params_assign_ipv6, IPL_KIND_NONE },
	{ IPL_OP_UNASSIGN_IPV6, 8, params_unassign_ipv6, IPL_KIND_NONE },
	{ IPL_OP_CREATE_IPV6GW, 4, params_create_ipv6gw, IPL_KIND_NONE },
	{ IPL_OP_DELETE_IPV6GW, 2, params_delete_ipv6gw, IPL_KIND_NONE },
	{ IPL_OP_ALLOCATE_IPV6BW, 9, params_allocate_ipv6bw, IPL_KIND_NONE },
	{ IPL_OP_MODIFY_IPV6BW, 4, params_modify_ipv6bw, IPL_KIND_NONE },
	{ IPL_OP_DELETE_IPV6BW, 4, params_delete_ipv6bw, IPL_KIND_NONE },
};

static uint64_t limit_of(enum ipl_kind kind)
{
	switch (kind) {
	case IPL_KIND_VPC:
		return size.vpcs;
	case IPL_KIND_VSWITCH:
		return size.vswitches;
	case IPL_KIND_INSTANCE:
		return size.instances;
	case IPL_KIND_ENI:
		return size.enis;
	case IPL_KIND_EIP:
		return size.eips;
	default:
		return UINT64_MAX;
	}
}

static bool is_full(const struct lab *lab, const struct draw *draw)
{
	return draw->makes != IPL_KIND_NONE &&
	       ipl_state_count(lab->state, draw->makes) >= limit_of(draw->makes);
}

static const struct draw *draw_one(void)
{
	unsigned total = 0, at;

	for (size_t i = 0; i < IPL_ARRAY_SIZE(draws); i++)
		total += draws[i].weight;
	at = (unsigned)random_draw(total);
	for (size_t i = 0;; i++) {
		if (at < draws[i].weight)
			return &draws[i];
		at -= draws[i].weight;
	}
}

/* --- taking away --- */

/* The first interface that has an address in the vSwitch @number; 0 where none has. */
static uint64_t holder_in(struct lab *lab, uint64_t number)
{
	const struct ipl_vswitch *vswitch = ipl_state_vswitch(lab->state, number);

	for (uint64_t i = 0; i < ipl_cidr4_size(vswitch->cidr); i++) {
		struct ipl_holding holding = ipl_state_holding(
			lab->state, ipl_key_ip4(vswitch->vpc, vswitch->cidr.base + (uint32_t)i));
		if (holding.role == IPL_ROLE_PRIMARY)
			return holding.eni;
	}
	return 0;
}

/* One step on the way to the end of the vSwitch @number. */
static enum ipl_op tear_vswitch(struct lab *lab, uint64_t number, struct params *p)
{
	uint64_t holder = holder_in(lab, number);
	uint64_t instance = holder == 0 ? 0 : ipl_state_eni(lab->state, holder)->instance;

	if (instance != 0) {
		print(p, "{\"InstanceId\":\"%s\",\"Force\":true}",
		      id_text(lab, IPL_KIND_INSTANCE, instance));
		return IPL_OP_DELETE_INSTANCE;
	}
	if (holder != 0) {
		print(p, "{\"NetworkInterfaceId\":\"%s\"}", id_text(lab, IPL_KIND_ENI, holder));
		return IPL_OP_DELETE_ENI;
	}
	print(p, "{\"VSwitchId\":\"%s\"}", id_text(lab, IPL_KIND_VSWITCH, number));
	return IPL_OP_DELETE_VSWITCH;
}

/* A step on the way to one of @kind less. */
static enum ipl_op take_away(struct lab *lab, enum ipl_kind kind, struct params *p)
{
	uint64_t number = draw_number(lab, kind);

	switch (kind) {
	case IPL_KIND_VPC:
		number = ipl_state_next(lab->state, IPL_KIND_VPC, 0);
		if (ipl_state_vpc(lab->state, number)->vswitches.count > 0)
			return tear_vswitch(lab, ipl_state_vpc(lab->state, number)->vswitches.at[0],
					    p);
		print(p, "{\"VpcId\":\"%s\",\"ForceDelete\":true}",
		      id_text(lab, IPL_KIND_VPC, number));
		return IPL_OP_DELETE_VPC;
	case IPL_KIND_VSWITCH:
		return tear_vswitch(lab, ipl_state_next(lab->state, IPL_KIND_VSWITCH, 0), p);
	case IPL_KIND_INSTANCE:
		print(p, "{\"InstanceId\":\"%s\",\"Force\":true}",
		      id_text(lab, IPL_KIND_INSTANCE, number));
		return IPL_OP_DELETE_INSTANCE;
	case IPL_KIND_EIP:
		print(p, "{\"AllocationId\":\"%s\"}", id_text(lab, IPL_KIND_EIP, number));
		return ipl_state_eip(lab->state, number)->eni != 0 ? IPL_OP_UNASSOCIATE_EIP :
								     IPL_OP_RELEASE_EIP;
	default:
		params_delete_eni(lab, p);
		return IPL_OP_DELETE_ENI;
	}
}

static enum ipl_op draw_single(struct lab *lab, struct params *p)
{
	const struct draw *draw = draw_one();

	p->len = 0;
	if (is_full(lab, draw) && !one_in(10))
		return take_away(lab, draw->makes, p);
	draw->params(lab, p);
	return draw->op;
}

/* --- several at once --- */

/* A network from nothing, each operation with what the ones before it made. */
static size_t print_chain(char *text, size_t cap)
{
	unsigned block = (unsigned)random_draw(3), index = (unsigned)random_draw(3);

	return (size_t)snprintf(
		text, cap,
		"{\"Operation\":\"CreateVpc\",\"Params\":{\"CidrBlock\":\"10.0.0.0/16\","
		"\"EnableIpv6\":true}},"
		"{\"Operation\":\"CreateVSwitch\",\"Params\":{\"VpcId\":\"$1.VpcId\",\"ZoneId\":"
		"\"cn-hangzhou-a\",\"CidrBlock\":\"10.0.%u.0/28\",\"Ipv6CidrBlock\":%u}},"
		"{\"Operation\":\"RunInstances\",\"Params\":{\"VSwitchId\":\"$2.VSwitchId\","
		"\"InstanceType\":\"ecs.g6.large\",\"Ipv6AddressCount\":%u}},"
		"{\"Operation\":\"AllocateEipAddress\"},"
		"{\"Operation\":\"AssociateEipAddress\",\"Params\":{\"AllocationId\":"
		"\"$4.AllocationId\",\"InstanceId\":\"$3.InstanceIdSets.InstanceIdSet.1\"}},"
		"{\"Operation\":\"StopInstance\",\"Params\":{\"InstanceId\":"
		"\"$3.InstanceIdSets.InstanceIdSet.1\"}}",
		block, index, 1 + (unsigned)random_draw(2));
}

static void draw_transact(struct lab *lab, char text[LAB_TEXT_MAX])
{
	struct params p;
	size_t len, steps = 1 + random_draw(one_in(3) ? 8 : 2);
	bool chained = one_in(4) && ipl_state_count(lab->state, IPL_KIND_VPC) < size.vpcs;

	len = (size_t)snprintf(text, LAB_TEXT_MAX, "{\"Operations\":[");
	if (chained)
		len += print_chain(text + len, LAB_TEXT_MAX - len);
	for (size_t i = 0; !chained && i < steps; i++) {
		enum ipl_op op = draw_single(lab, &p);
		len += (size_t)snprintf(text + len, LAB_TEXT_MAX - len,
					"%s{\"Operation\":\"%s\",\"Params\":%s}", i == 0 ? "" : ",",
					ipl_operation_of(op)->name, p.at);
		assert(len < LAB_TEXT_MAX);
	}
	len += (size_t)snprintf(text + len, LAB_TEXT_MAX - len, "]}");
	assert(len < LAB_TEXT_MAX);
}

enum ipl_op random_request(struct lab *lab, char text[LAB_TEXT_MAX])
{
	enum ipl_op op = IPL_OP_TRANSACT;
	struct params p;

	if (one_in(20)) {
		draw_transact(lab, text);
	} else {
		op = draw_single(lab, &p);
		(void)snprintf(text, LAB_TEXT_MAX, "%s", p.at);
	}
	(void)snprintf(last, sizeof(last), "%s %s", ipl_operation_of(op)->name, text);
	return op;
}

enum ipl_status random_single(struct lab *lab)
{
	enum ipl_op op;
	struct params p;

	random_wait(lab);
	op = draw_single(lab, &p);
	(void)snprintf(last, sizeof(last), "%s %s", ipl_operation_of(op)->name, p.at);
	return lab_call(lab, ipl_operation_of(op)->name, "%s", p.at);
}

enum ipl_status random_call(struct lab *lab, struct random_tally *tally)
{
	char text[LAB_TEXT_MAX];
	enum ipl_op op = random_request(lab, text);
	enum ipl_status st = lab_call(lab, ipl_operation_of(op)->name, "%s", text);

	tally->done[op] += st == IPL_OK;
	tally->refused[op] += st == IPL_REFUSED;
	if (st == IPL_REFUSED)
		tally->code[lab->err.code]++;
	return st;
}

enum ipl_status random_step(struct lab *lab)
{
	struct random_tally unused = { { 0 }, { 0 }, { 0 } };

	random_wait(lab);
	return random_call(lab, &unused);
}
