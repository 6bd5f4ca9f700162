/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as choices: ids, addresses and parameters that often mean something in a given state.
 * Every input is some call, so none is wasted on what no parser lets through.
 */
#include "tests/fuzz/ledger.h"

#include <stdio.h>
#include <string.h>

uint64_t fuzz_number(struct fuzz_draw *draw)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | fuzz_byte(draw);
	return n;
}

uint64_t fuzz_entity(struct fuzz_draw *draw, const struct ipl_state *state, enum ipl_kind kind)
{
	uint32_t choice = fuzz_byte(draw);
	uint64_t number;

	if (choice % 16 == 15) /* gone, or the next one, or one that never was */
		return 1 + (choice >> 4) * ipl_state_next_number(state, kind) / 8;
	number = ipl_state_next(state, kind, choice % 8);
	return number != 0 ? number : ipl_state_next(state, kind, 0);
}

uint32_t fuzz_ip4(struct fuzz_draw *draw, const struct ipl_state *state)
{
	uint64_t number = fuzz_entity(draw, state, IPL_KIND_VSWITCH);
	const struct ipl_vswitch *vswitch = ipl_state_vswitch(state, number);
	uint32_t choice = fuzz_byte(draw);

	if (choice >= 240)
		return (uint32_t)fuzz_number(draw);
	if (choice >= 200 && ipl_state_pool_count(state) > 0)
		return ipl_state_pool(state, choice % ipl_state_pool_count(state))->cidr.base +
		       choice % 8;
	return (vswitch == NULL ? 0x0a000000 : vswitch->cidr.base) + choice % 34;
}

struct ipl_ip6 fuzz_ip6(struct fuzz_draw *draw, const struct ipl_state *state)
{
	uint64_t number = fuzz_entity(draw, state, IPL_KIND_IPV6);
	const struct ipl_ipv6 *ipv6 = ipl_state_ipv6(state, number);
	uint8_t choice = fuzz_byte(draw);

	if (ipv6 == NULL || choice >= 240)
		return (struct ipl_ip6){ fuzz_number(draw), choice };
	return (struct ipl_ip6){ ipv6->ip.hi, choice < 128 ? ipv6->ip.lo : choice };
}

/* --- texts --- */

static struct ipl_str id_text(struct fuzz_draw *draw, struct ipl_arena *arena,
			      const struct ipl_state *state, enum ipl_kind kind)
{
	uint64_t number = fuzz_entity(draw, state, kind);
	char text[IPL_ID_TEXT_MAX];

	ipl_id_format(ipl_state_letters(state), kind, number == 0 ? 1 : number, text);
	return ipl_arena_str(arena, ipl_str_of(text));
}

static struct ipl_str ip4_text(struct fuzz_draw *draw, struct ipl_arena *arena,
			       const struct ipl_state *state)
{
	uint32_t ip = fuzz_ip4(draw, state);

	return ipl_arena_printf(arena, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
				ip & 255);
}

static struct ipl_str ip6_text(struct fuzz_draw *draw, struct ipl_arena *arena,
			       const struct ipl_state *state)
{
	struct ipl_ip6 ip = fuzz_ip6(draw, state);

	return ipl_arena_printf(arena, "%x:%x:%x:%x::%x", (unsigned)(ip.hi >> 48),
				(unsigned)(ip.hi >> 32 & 0xffff), (unsigned)(ip.hi >> 16 & 0xffff),
				(unsigned)(ip.hi & 0xffff), (unsigned)(ip.lo & 0xffff));
}

static struct ipl_str cidr_text(struct fuzz_draw *draw, struct ipl_arena *arena)
{
	static const char *const some[] = { "10.0.0.0/16", "192.168.0.0/16", "172.16.0.0/12",
					    "10.0.0.0/24", "198.18.0.0/29",  "10.0.0.0/33",
					    "::/0",        "2001:db8::/56",  "0.0.0.0/0" };
	uint32_t choice = fuzz_byte(draw);
	uint32_t bits = 16 + choice % 14, host = fuzz_byte(draw), base;

	if (choice >= 200)
		return ipl_str_of(some[choice % IPL_ARRAY_SIZE(some)]);
	base = (0x0a000000 | choice % 3 << 16 | host << 4) & ~(UINT32_MAX >> bits);
	return ipl_arena_printf(arena, "%u.%u.%u.%u/%u", base >> 24, base >> 16 & 255,
				base >> 8 & 255, base & 255, bits);
}

/* Any bytes that are UTF-8. */
static struct ipl_str any_text(struct fuzz_draw *draw, struct ipl_arena *arena)
{
	static const char *const odd[] = { "\xc3\xbc", "\xf0\x9f\x8c\x90", "$1.VpcId", "http://x",
					   "[\"a\"]",  "a,b,,c",           "$",        "%41" };
	struct ipl_buf text = { 0 };
	struct ipl_str out;

	for (uint32_t n = fuzz_below(draw, 24); n > 0; n--) {
		uint8_t byte = fuzz_byte(draw);
		if (byte < 0x80)
			ipl_buf_append(&text, &byte, 1);
		else
			ipl_buf_printf(&text, "%s", odd[byte % IPL_ARRAY_SIZE(odd)]);
	}
	out = ipl_arena_str(arena, (struct ipl_str){ (char *)text.at, text.len });
	ipl_buf_release(&text);
	return out.at == NULL ? IPL_STR("") : out;
}

/* What the members are called says what belongs into them. */
static const struct {
	const char *part;
	enum ipl_kind kind;
} id_names[] = {
	{ "VpcId", IPL_KIND_VPC },
	{ "VSwitchId", IPL_KIND_VSWITCH },
	{ "NetworkInterfaceId", IPL_KIND_ENI },
	{ "InstanceId", IPL_KIND_INSTANCE },
	{ "AllocationId", IPL_KIND_EIP },
	{ "Ipv6AddressId", IPL_KIND_IPV6 },
	{ "Ipv6GatewayId", IPL_KIND_IPV6GW },
	{ "Ipv6InternetBandwidthId", IPL_KIND_IPV6BW },
};

static struct ipl_str draw_text(struct fuzz_draw *draw, struct ipl_arena *arena,
				const struct ipl_state *state, const char *name)
{
	static const char *const types[] = { "ecs.g6.large", "ecs.g7.xlarge", "ecs.t6-c1m1.large",
					     "ecs.none" };

	if (fuzz_below(draw, 16) == 15)
		return any_text(draw, arena);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(id_names); i++) {
		if (strcmp(name, id_names[i].part) == 0)
			return id_text(draw, arena, state, id_names[i].kind);
	}
	if (strcmp(name, "Id") == 0)
		return id_text(draw, arena, state, 1 + fuzz_below(draw, IPL_KIND_COUNT - 1));
	if (strcmp(name, "InstanceType") == 0 || strcmp(name, "InstanceTypes") == 0)
		return ipl_str_of(types[fuzz_below(draw, IPL_ARRAY_SIZE(types))]);
	if (strncmp(name, "Zone", 4) == 0)
		return ipl_arena_printf(arena, "cn-hangzhou-%c", 'a' + (int)fuzz_below(draw, 12));
	if (strstr(name, "Cidr") != NULL || strstr(name, "Pool") != NULL)
		return cidr_text(draw, arena);
	if (strstr(name, "Ipv6Address") != NULL)
		return ip6_text(draw, arena, state);
	if (strstr(name, "Ip") != NULL || strstr(name, "Address") != NULL)
		return ip4_text(draw, arena, state);
	return any_text(draw, arena);
}

static struct ipl_value draw_word(struct fuzz_draw *draw, const struct ipl_param *param)
{
	const char *at = param->text;

	for (uint32_t n = fuzz_below(draw, 3); n > 0 && strchr(at, '|') != NULL; n--)
		at = strchr(at, '|') + 1;
	return ipl_text((struct ipl_str){ at, strcspn(at, "|") });
}

static struct ipl_value draw_int(struct fuzz_draw *draw, const struct ipl_param *param)
{
	switch (fuzz_below(draw, 8)) {
	case 0:
		return ipl_int(param->least);
	case 1:
		return ipl_int(param->most);
	case 2:
		return ipl_int(param->least == INT64_MIN ? 0 : param->least - 1);
	case 3:
		return ipl_int(param->most == INT64_MAX ? -1 : param->most + 1);
	default:
		return ipl_int(fuzz_byte(draw));
	}
}

/* --- values --- */

static struct ipl_value draw_map(struct fuzz_draw *draw, struct ipl_arena *arena,
				 const struct ipl_state *state, const struct ipl_params *params);

/* Of no type in particular. */
static struct ipl_value draw_any(struct fuzz_draw *draw, struct ipl_arena *arena, int depth)
{
	struct ipl_value value;

	switch (fuzz_below(draw, depth < 3 ? 8 : 6)) {
	case 0:
		return ipl_nil();
	case 1:
		return ipl_bool(fuzz_below(draw, 2) == 1);
	case 2:
		return ipl_int((int64_t)fuzz_number(draw));
	case 3:
		return (struct ipl_value){ .type = IPL_VALUE_FLOAT,
					   .number = fuzz_byte(draw) / 2.0 };
	case 4:
		return ipl_int(fuzz_byte(draw));
	case 5:
		return ipl_text(any_text(draw, arena));
	case 6:
		value = ipl_array();
		for (uint32_t n = fuzz_below(draw, 4); n > 0; n--)
			ipl_array_add(arena, &value, draw_any(draw, arena, depth + 1));
		return value;
	default:
		value = ipl_map();
		for (uint32_t n = fuzz_below(draw, 4); n > 0; n--)
			ipl_map_set(arena, &value, any_text(draw, arena),
				    draw_any(draw, arena, depth + 1));
		return value;
	}
}

/* Of the steps of a transaction the parameters; of everything else anything. */
static struct ipl_value draw_open(struct fuzz_draw *draw, struct ipl_arena *arena,
				  const struct ipl_state *state, const char *name)
{
	const struct ipl_operation *operation =
		ipl_operation_of(1 + fuzz_below(draw, IPL_OP_COUNT - 1));

	if (strcmp(name, "Params") == 0 && operation != NULL && operation->op != IPL_OP_TRANSACT)
		return draw_map(draw, arena, state, operation->params);
	return draw_any(draw, arena, 0);
}

static struct ipl_value draw_value(struct fuzz_draw *draw, struct ipl_arena *arena,
				   const struct ipl_state *state, const struct ipl_param *param)
{
	struct ipl_value list = ipl_array();
	uint32_t count;

	if (fuzz_below(draw, 32) == 31)
		return draw_any(draw, arena, 0);
	switch (param->kind) {
	case IPL_PARAM_STR:
	case IPL_PARAM_LINE:
		return ipl_text(draw_text(draw, arena, state, param->name));
	case IPL_PARAM_WORD:
		return draw_word(draw, param);
	case IPL_PARAM_BOOL:
		return ipl_bool(fuzz_below(draw, 2) == 1);
	case IPL_PARAM_INT:
	case IPL_PARAM_NUMSTR:
		return draw_int(draw, param);
	case IPL_PARAM_STRS:
	case IPL_PARAM_SET:
		count = fuzz_below(draw, 5);
		for (uint32_t i = 0; i < count; i++)
			ipl_array_add(arena, &list,
				      ipl_text(draw_text(draw, arena, state, param->name)));
		return list;
	case IPL_PARAM_RECS:
		count = fuzz_below(draw, 4);
		for (uint32_t i = 0; i < count; i++)
			ipl_array_add(arena, &list, draw_map(draw, arena, state, param->of));
		return list;
	case IPL_PARAM_ANY:
		return draw_open(draw, arena, state, param->name);
	}
	return ipl_nil();
}

static struct ipl_value draw_step(struct fuzz_draw *draw, struct ipl_arena *arena,
				  const struct ipl_state *state)
{
	const struct ipl_operation *operation =
		ipl_operation_of(1 + fuzz_below(draw, IPL_OP_COUNT - 1));
	struct ipl_value step = ipl_map();

	ipl_map_add(arena, &step, "Operation",
		    ipl_text_of(operation == NULL ? "None" : operation->name));
	if (operation != NULL && operation->op != IPL_OP_TRANSACT)
		ipl_map_add(arena, &step, "Params",
			    draw_map(draw, arena, state, operation->params));
	return step;
}

static struct ipl_value draw_map(struct fuzz_draw *draw, struct ipl_arena *arena,
				 const struct ipl_state *state, const struct ipl_params *params)
{
	struct ipl_value map = ipl_map();

	for (uint32_t i = 0; i < params->count && draw->at < draw->end; i++) {
		const struct ipl_param *param = &params->at[i];
		uint32_t choice = fuzz_byte(draw);
		if (param->is_required ? choice % 32 == 31 : choice % 4 != 1)
			continue;
		ipl_map_add(arena, &map, param->name, draw_value(draw, arena, state, param));
	}
	return map;
}

struct ipl_value fuzz_params(struct fuzz_draw *draw, struct ipl_arena *arena,
			     const struct ipl_state *state, const struct ipl_operation *operation)
{
	struct ipl_value map, steps = ipl_array();

	if (operation->op != IPL_OP_TRANSACT) {
		map = draw_map(draw, arena, state, operation->params);
	} else {
		map = ipl_map();
		for (uint32_t n = 1 + fuzz_below(draw, 5); n > 0; n--)
			ipl_array_add(arena, &steps, draw_step(draw, arena, state));
		ipl_map_add(arena, &map, "Operations", steps);
	}
	if (fuzz_below(draw, 16) == 15)
		ipl_map_set(arena, &map, any_text(draw, arena), draw_any(draw, arena, 0));
	return map;
}
