/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask for. */
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

#include "tests/random_ops.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "events/json.h"
#include "events/time.h"

static void add(struct ipl_value *params, const char *name, struct ipl_value value)
{
	ipl_map_add(&sim.keep, params, name, value);
}

static struct ipl_value id_of_some(enum ipl_kind kind)
{
	uint64_t next = ipl_state_next_number(sim.lab.state, kind);
	char text[IPL_ID_TEXT_MAX];

	ipl_id_format(ipl_state_letters(sim.lab.state), kind, 1 + world_draw(next + 1), text);
	return ipl_text_copy(&sim.keep, text);
}

static struct ipl_value id_of_any(void)
{
	return id_of_some((enum ipl_kind)(2 + world_draw(IPL_KIND_COUNT - 2)));
}

static struct ipl_value some_address(void)
{
	return world_draw(3) == 0 ?
		       ipl_textf(&sim.keep, "198.18.%d.%d", (int)world_draw(2),
				 (int)world_draw(8)) :
		       ipl_textf(&sim.keep, "10.0.%d.%d", (int)world_draw(3), (int)world_draw(20));
}

static struct ipl_value some_seq(void)
{
	return ipl_int((int64_t)world_draw(sim.told + 2));
}

/* A moment: a seq that is there, now and then one that is not, or a time. */
static struct ipl_value some_moment(void)
{
	char text[IPL_TIME_TEXT_MAX];

	if (world_draw(4) != 0)
		return some_seq();
	ipl_time_format(world_wall_ms() - (int64_t)world_draw(20000) + 2000, text);
	return ipl_text_copy(&sim.keep, text);
}

/* --- reads --- */

static void by_id(struct ipl_value *params)
{
	add(params, "Id", id_of_any());
}

static void by_address(struct ipl_value *params)
{
	add(params, "Address", some_address());
}

static void by_instance(struct ipl_value *params)
{
	add(params, "InstanceId", id_of_some(IPL_KIND_INSTANCE));
}

static void a_page(struct ipl_value *params)
{
	if (world_draw(2) == 0)
		add(params, "MaxResults", ipl_int(1 + (int64_t)world_draw(20)));
}

static void some_events(struct ipl_value *params)
{
	a_page(params);
	if (world_draw(2) == 0)
		add(params, "FromSeq", some_seq());
	if (world_draw(3) == 0)
		add(params, "Reverse", ipl_bool(true));
	if (world_draw(3) == 0)
		add(params, "Id", id_of_any());
}

static void some_history(struct ipl_value *params)
{
	a_page(params);
	if (world_draw(2) == 0)
		by_id(params);
	else
		by_address(params);
}

static void a_difference(struct ipl_value *params)
{
	a_page(params);
	add(params, "From", some_seq());
	add(params, "To", some_seq());
}

static void an_inclusion(struct ipl_value *params)
{
	add(params, "Seq", ipl_int(1 + (int64_t)world_draw(sim.told + 1)));
}

static void a_block(struct ipl_value *params)
{
	a_page(params);
	add(params, "CidrBlock", ipl_text_of("10.0.0.0/22"));
}

static void nothing(struct ipl_value *params)
{
	(void)params;
}

static const struct {
	const char *operation;
	void (*fill)(struct ipl_value *params);
	bool takes_as_of;
} reads[] = {
	{ "GetEntity", by_id, true },
	{ "LookupAddress", by_address, true },
	{ "DescribeVpcs", a_page, true },
	{ "DescribeVSwitches", a_page, true },
	{ "DescribeInstances", a_page, true },
	{ "DescribeNetworkInterfaces", a_page, true },
	{ "DescribeEipAddresses", a_page, true },
	{ "DescribeIpv6Addresses", a_page, true },
	{ "DescribeInstanceAttribute", by_instance, true },
	{ "GetGuestView", by_instance, true },
	{ "GetReachability", by_instance, true },
	{ "GetStatus", nothing, true },
	{ "GetStateHash", nothing, true },
	{ "ListEvents", some_events, false },
	{ "GetHistory", some_history, true },
	{ "ListAddresses", a_block, true },
	{ "DiffState", a_difference, false },
	{ "GetInclusionProof", an_inclusion, false },
};

static void draw_read(struct sim_request *request)
{
	size_t i = world_draw(IPL_ARRAY_SIZE(reads));

	request->operation = ipl_operation_find(ipl_str_of(reads[i].operation));
	request->params = ipl_map();
	reads[i].fill(&request->params);
	if (reads[i].takes_as_of && world_one_in(sim.swarm.past_one_in))
		add(&request->params, "AsOf", some_moment());
}

/* --- writes --- */

/* A network from nothing, so that there is something to ask about. */
static enum ipl_op draw_network(char text[LAB_TEXT_MAX])
{
	(void)snprintf(
		text, LAB_TEXT_MAX,
		"{\"Operations\":["
		"{\"Operation\":\"CreateVpc\",\"Params\":{\"CidrBlock\":\"10.0.0.0/16\","
		"\"EnableIpv6\":%s}},"
		"{\"Operation\":\"CreateVSwitch\",\"Params\":{\"VpcId\":\"$1.VpcId\",\"ZoneId\":"
		"\"cn-hangzhou-a\",\"CidrBlock\":\"10.0.%u.0/28\"}},"
		"{\"Operation\":\"RunInstances\",\"Params\":{\"VSwitchId\":\"$2.VSwitchId\","
		"\"InstanceType\":\"ecs.g6.large\",\"Amount\":%u}},"
		"{\"Operation\":\"AllocateEipAddress\"}]}",
		world_draw(2) == 0 ? "true" : "false", (unsigned)world_draw(3),
		1 + (unsigned)world_draw(4));
	return IPL_OP_TRANSACT;
}

static void draw_write(struct sim_request *request)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	char text[LAB_TEXT_MAX], token[40];
	enum ipl_op op;
	enum ipl_status st;

	ipl_arena_reset(&sim.lab.call);
	if (ipl_state_count(sim.lab.state, IPL_KIND_INSTANCE) < 3 && world_draw(3) == 0)
		op = draw_network(text);
	else
		op = random_request(&sim.lab, text);
	request->operation = ipl_operation_of(op);
	st = ipl_json_parse(&sim.keep, ipl_str_of(text), &request->params, &err);
	assert(st == IPL_OK);
	(void)st;
	if (world_one_in(sim.swarm.dry_one_in))
		add(&request->params, "DryRun", ipl_bool(true));
	if (world_one_in(sim.swarm.if_seq_one_in))
		add(&request->params, "IfSeq", some_seq());
	if (world_one_in(sim.swarm.event_time_one_in)) {
		char when[IPL_TIME_TEXT_MAX];
		ipl_time_format(world_wall_ms() - (int64_t)world_draw(5000) + 50, when);
		add(&request->params, "EventTime", ipl_text_copy(&sim.keep, when));
	}
	request->has_token = world_one_in(sim.swarm.token_one_in);
	/* Now and then one that was used by another request. */
	(void)snprintf(token, sizeof(token), "t%u",
		       world_draw(30) == 0 ? (unsigned)world_draw(sim.request_count) :
					     sim.request_count);
	if (request->has_token)
		add(&request->params, "ClientToken", ipl_text_copy(&sim.keep, token));
}

uint32_t request_draw(void)
{
	struct sim_request *request =
		sim_grow(&sim.request, &sim.request_count, &sim.request_cap, sizeof(*sim.request));

	if (world_one_in(sim.swarm.read_one_in))
		draw_read(request);
	else
		draw_write(request);
	return sim.request_count - 1;
}

uint32_t request_plain(const char *operation)
{
	struct sim_request *request =
		sim_grow(&sim.request, &sim.request_count, &sim.request_cap, sizeof(*sim.request));

	request->operation = ipl_operation_find(ipl_str_of(operation));
	request->params = ipl_map();
	return sim.request_count - 1;
}

uint32_t request_draw_again(void)
{
	for (int tries = 0; tries < 8 && sim.request_count > 0; tries++) {
		uint32_t i = (uint32_t)world_draw(sim.request_count);
		const struct sim_request *request = &sim.request[i];
		if (!request->has_token)
			continue;
		/* Also while it is being asked, and when it was answered. */
		if ((!request->is_settled && request->in_flight == 0) || world_draw(4) == 0)
			return i;
	}
	return SIM_NONE;
}

struct ipl_value request_params(struct ipl_arena *arena, const struct sim_attempt *attempt)
{
	const struct sim_request *request = &sim.request[attempt->request];
	struct ipl_value params = ipl_value_copy(arena, &request->params);

	/* So an event tells which attempt has made it. */
	if (request->operation->kind == IPL_OPERATION_WRITE)
		ipl_map_add(arena, &params, "Reason",
			    ipl_textf(arena, "%" PRIu32 " %" PRIu32,
				      (uint32_t)(attempt - sim.attempt), attempt->number));
	return params;
}
