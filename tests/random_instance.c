/* SPDX-License-Identifier: Apache-2.0 */
/* Random calls about instances, network interfaces and their addresses. */
#include "tests/random_internal.h"

#include <stdio.h>

/* An address of the vSwitch @number, reserved ones and the one after its end included. */
static const char *ip_in(struct lab *lab, uint64_t number)
{
	static char text[8][IPL_IP4_TEXT_MAX];
	static unsigned turn;
	uint32_t ip = 0x0a000000 + (uint32_t)random_draw(32);

	if (number != 0) {
		struct ipl_cidr4 cidr = ipl_state_vswitch(lab->state, number)->cidr;
		ip = cidr.base + (uint32_t)random_draw(ipl_cidr4_size(cidr) + 1);
	}
	turn = (turn + 1) % IPL_ARRAY_SIZE(text);
	ipl_ip4_format(ip, text[turn]);
	return text[turn];
}

/* An interface id of the vSwitch's /64, near its beginning. */
static const char *ip6_in(struct lab *lab, uint64_t number)
{
	static char text[8][IPL_IP6_TEXT_MAX];
	static unsigned turn;
	struct ipl_ip6 ip = { 0, random_draw(24) };

	if (number != 0)
		ip.hi = ipl_state_vswitch(lab->state, number)->ipv6_cidr.hi;
	turn = (turn + 1) % IPL_ARRAY_SIZE(text);
	ipl_ip6_format(ip, text[turn]);
	return text[turn];
}

static bool has_room(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->vswitch.used * 3 < ipl_cidr4_size(entity->vswitch.cidr) * 2;
}

static uint64_t a_vswitch(struct lab *lab)
{
	return seek(lab, IPL_KIND_VSWITCH, has_room);
}

static const char *a_type(void)
{
	static const char *const types[] = { "ecs.g6.large", "ecs.g6.xlarge",     "ecs.g7.large",
					     "ecs.g7.large", "ecs.t6-c1m1.large", "own.x",
					     "ecs.n4.small", "ecs.nothing" };

	return types[random_draw(IPL_ARRAY_SIZE(types))];
}

/* --- instances --- */

static bool is_available(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->eni.instance == 0;
}

static void print_nics(struct lab *lab, struct params *p, uint64_t vswitch)
{
	print(p, ",\"NetworkInterface\":[{\"InstanceType\":\"Primary\",\"VSwitchId\":\"%s\"",
	      id_of(lab, IPL_KIND_VSWITCH, vswitch));
	if (one_in(3))
		print(p, ",\"PrimaryIpAddress\":\"%s\"", ip_in(lab, vswitch));
	if (one_in(2))
		print(p, ",\"SecondaryPrivateIpAddressCount\":%u", 1 + (unsigned)random_draw(3));
	if (one_in(3))
		print(p, ",\"Ipv6AddressCount\":%u", 1 + (unsigned)random_draw(2));
	if (one_in(20))
		print(p, ",\"DeleteOnRelease\":false");
	print(p, "}");
	if (one_in(3))
		print(p, ",{\"NetworkInterfaceId\":\"%s\"}",
		      id_of(lab, IPL_KIND_ENI, seek(lab, IPL_KIND_ENI, is_available)));
	for (unsigned i = 0; i < random_draw(3); i++) {
		print(p, ",{\"DeleteOnRelease\":%s", one_in(2) ? "true" : "false");
		print(p, "%s}", one_in(3) ? ",\"SecondaryPrivateIpAddressCount\":1" : "");
	}
	print(p, "]}");
}

void params_run_instances(struct lab *lab, struct params *p)
{
	uint64_t vswitch = a_vswitch(lab);
	unsigned amount = one_in(2) ? 1 : 1 + (unsigned)random_draw(3);

	print(p, "{\"InstanceType\":\"%s\",\"Amount\":%u", a_type(), amount);
	if (one_in(3))
		print(p, ",\"MinAmount\":1");
	if (one_in(3))
		print(p, ",\"InternetMaxBandwidthOut\":%d", one_in(12) ? 101 : 5);
	if (one_in(2)) {
		print_nics(lab, p, vswitch);
		return;
	}
	print(p, ",\"VSwitchId\":\"%s\"", id_of(lab, IPL_KIND_VSWITCH, vswitch));
	if (one_in(3))
		print(p, ",\"PrivateIpAddress\":\"%s\"", ip_in(lab, vswitch));
	if (one_in(4))
		print(p, ",\"Ipv6AddressCount\":1");
	else if (one_in(4))
		print(p, ",\"Ipv6Address\":[\"%s\"]", ip6_in(lab, vswitch));
	print(p, "}");
}

void params_create_instance(struct lab *lab, struct params *p)
{
	uint64_t vswitch = a_vswitch(lab);

	print(p, "{\"InstanceType\":\"%s\"", a_type());
	print(p, ",\"VSwitchId\":\"%s\"", id_of(lab, IPL_KIND_VSWITCH, vswitch));
	print(p, ",\"InternetMaxBandwidthOut\":%u", (unsigned)random_draw(2) * 7);
	if (one_in(3))
		print(p, ",\"PrivateIpAddress\":\"%s\"", ip_in(lab, vswitch));
	print(p, "}");
}

static bool is_stopped(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->instance.state == IPL_RUN_STOPPED;
}

static bool is_running(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->instance.state == IPL_RUN_RUNNING;
}

static const char *an_instance(struct lab *lab,
			       bool (*fits)(struct lab *lab, const union ipl_entity *entity))
{
	return one_in(8) ? some(lab, IPL_KIND_INSTANCE) :
			   id_of(lab, IPL_KIND_INSTANCE, seek(lab, IPL_KIND_INSTANCE, fits));
}

void params_start(struct lab *lab, struct params *p)
{
	print(p, "{\"InstanceId\":\"%s\"}", an_instance(lab, is_stopped));
}

void params_stop(struct lab *lab, struct params *p)
{
	print(p, "{\"InstanceId\":\"%s\"", an_instance(lab, is_running));
	print(p, ",\"StoppedMode\":\"%s\"}", one_in(2) ? "StopCharging" : "KeepCharging");
}

void params_reboot(struct lab *lab, struct params *p)
{
	print(p, "{\"InstanceId\":\"%s\"}", an_instance(lab, is_running));
}

void params_delete_instance(struct lab *lab, struct params *p)
{
	print(p, "{\"InstanceId\":\"%s\"", some(lab, IPL_KIND_INSTANCE));
	print(p, ",\"Force\":%s}", one_in(2) ? "true" : "false");
}

static bool may_move(struct lab *lab, const union ipl_entity *entity)
{
	const struct ipl_eni *eni = ipl_state_eni(lab->state, entity->instance.enis.at[0]);

	return entity->instance.state == IPL_RUN_STOPPED && (eni->address_count == 1 || one_in(8));
}

void params_change_address(struct lab *lab, struct params *p)
{
	uint64_t number = seek(lab, IPL_KIND_INSTANCE, may_move), vswitch = 0;

	if (number != 0) {
		const struct ipl_instance *instance = ipl_state_instance(lab->state, number);
		const struct ipl_vpc *vpc = ipl_state_vpc(lab->state, instance->vpc);
		vswitch = one_in(2) ? ipl_state_eni(lab->state, instance->enis.at[0])->vswitch :
				      vpc->vswitches.at[random_draw(vpc->vswitches.count)];
	}
	print(p, "{\"InstanceId\":\"%s\"", id_of(lab, IPL_KIND_INSTANCE, number));
	print(p, ",\"VSwitchId\":\"%s\"", id_of(lab, IPL_KIND_VSWITCH, vswitch));
	if (one_in(2))
		print(p, ",\"PrivateIpAddress\":\"%s\"", ip_in(lab, vswitch));
	print(p, "}");
}

static bool has_no_eip(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->instance.eip == 0;
}

void params_network_spec(struct lab *lab, struct params *p)
{
	print(p, "{\"InstanceId\":\"%s\"", an_instance(lab, has_no_eip));
	if (!one_in(8))
		print(p, ",\"InternetMaxBandwidthOut\":%u",
		      one_in(16) ? 101 : (unsigned)random_draw(3) * 4);
	if (one_in(4))
		print(p, ",\"NetworkChargeType\":\"PayByBandwidth\"");
	print(p, "}");
}

static bool lacks_public_ip(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->instance.bandwidth_out > 0 && entity->instance.public_ip == 0;
}

static bool has_public_ip(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->instance.public_ip != 0;
}

void params_allocate_public_ip(struct lab *lab, struct params *p)
{
	print(p, "{\"InstanceId\":\"%s\"}", an_instance(lab, lacks_public_ip));
}

void params_convert(struct lab *lab, struct params *p)
{
	print(p, "{\"InstanceId\":\"%s\"}", an_instance(lab, has_public_ip));
}

/* --- network interfaces --- */

void params_create_eni(struct lab *lab, struct params *p)
{
	uint64_t vswitch = a_vswitch(lab);

	print(p, "{\"VSwitchId\":\"%s\"", id_of(lab, IPL_KIND_VSWITCH, vswitch));
	print(p, ",\"DeleteOnRelease\":%s", one_in(2) ? "true" : "false");
	if (one_in(3))
		print(p, ",\"PrimaryIpAddress\":\"%s\"", ip_in(lab, vswitch));
	if (one_in(4))
		print(p, ",\"SecondaryPrivateIpAddressCount\":%u", 1 + (unsigned)random_draw(2));
	else if (one_in(4))
		print(p, ",\"PrivateIpAddress\":[\"%s\"]", ip_in(lab, vswitch));
	if (one_in(4))
		print(p, ",\"Ipv6AddressCount\":%u", 1 + (unsigned)random_draw(2));
	else if (one_in(6))
		print(p, ",\"Ipv6Address\":[\"%s\"]", ip6_in(lab, vswitch));
	print(p, "}");
}

/* An instance of the interface's VPC and zone, if one is near. */
static uint64_t instance_for(struct lab *lab, uint64_t eni_number)
{
	const struct ipl_eni *eni = ipl_state_eni(lab->state, eni_number);

	for (int tries = 0; tries < 12; tries++) {
		uint64_t number = seek(lab, IPL_KIND_INSTANCE, one_in(2) ? is_stopped : is_running);
		const struct ipl_instance *instance =
			number == 0 ? NULL : ipl_state_instance(lab->state, number);
		if (instance != NULL && instance->vpc == eni->vpc &&
		    ipl_str_equal(instance->base.notes->zone, eni->base.notes->zone))
			return number;
	}
	return 0;
}

static void print_pair(struct lab *lab, struct params *p, uint64_t instance, uint64_t eni)
{
	print(p, "{\"InstanceId\":\"%s\"", id_of(lab, IPL_KIND_INSTANCE, instance));
	print(p, ",\"NetworkInterfaceId\":\"%s\"}", id_of(lab, IPL_KIND_ENI, eni));
}

void params_attach(struct lab *lab, struct params *p)
{
	uint64_t eni = seek(lab, IPL_KIND_ENI, is_available);
	uint64_t instance = eni == 0 ? 0 : instance_for(lab, eni);

	print_pair(lab, p, instance, eni);
}

static bool is_attached_secondary(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->eni.instance != 0 && !entity->eni.is_primary;
}

void params_detach(struct lab *lab, struct params *p)
{
	uint64_t eni = seek(lab, IPL_KIND_ENI, is_attached_secondary);
	uint64_t instance = eni == 0 ? 0 : ipl_state_eni(lab->state, eni)->instance;

	print_pair(lab, p, instance, eni);
}

void params_delete_eni(struct lab *lab, struct params *p)
{
	print(p, "{\"NetworkInterfaceId\":\"%s\"}",
	      id_of(lab, IPL_KIND_ENI, seek(lab, IPL_KIND_ENI, is_available)));
}

void params_modify_eni(struct lab *lab, struct params *p)
{
	print(p, "{\"NetworkInterfaceId\":\"%s\"", some(lab, IPL_KIND_ENI));
	print(p, ",\"NetworkInterfaceName\":\"n%u\"", (unsigned)random_draw(9));
	if (one_in(2))
		print(p, ",\"DeleteOnRelease\":%s", one_in(2) ? "true" : "false");
	print(p, "}");
}

/* --- addresses of network interfaces --- */

static bool always(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	(void)entity;
	return true;
}

static bool has_secondary(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->eni.address_count > 1;
}

static uint64_t vswitch_of(struct lab *lab, uint64_t eni)
{
	return eni == 0 ? 0 : ipl_state_eni(lab->state, eni)->vswitch;
}

void params_assign(struct lab *lab, struct params *p)
{
	uint64_t eni = seek(lab, IPL_KIND_ENI, always);

	print(p, "{\"NetworkInterfaceId\":\"%s\"", id_of(lab, IPL_KIND_ENI, eni));
	if (one_in(2)) {
		print(p, ",\"SecondaryPrivateIpAddressCount\":%u}", 1 + (unsigned)random_draw(2));
		return;
	}
	print(p, ",\"PrivateIpAddress\":[\"%s\"", ip_in(lab, vswitch_of(lab, eni)));
	if (one_in(2))
		print(p, ",\"%s\"", ip_in(lab, vswitch_of(lab, eni)));
	print(p, "]}");
}

void params_unassign(struct lab *lab, struct params *p)
{
	uint64_t number = seek(lab, IPL_KIND_ENI, has_secondary);
	const struct ipl_eni *eni = number == 0 ? NULL : ipl_state_eni(lab->state, number);
	uint32_t first = one_in(12) ? 0 : 1;

	print(p, "{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[",
	      id_of(lab, IPL_KIND_ENI, number));
	if (eni == NULL || one_in(12))
		print(p, "\"%s\"]}", ip_in(lab, vswitch_of(lab, number)));
	else
		print(p, "\"" IPL_IP4_FMT "\"]}",
		      IPL_IP4_ARG(
			      eni->address[first + random_draw(eni->address_count - first)].ip));
}

static bool has_ipv6_block(struct lab *lab, const union ipl_entity *entity)
{
	return ipl_state_vswitch(lab->state, entity->eni.vswitch)->ipv6_cidr.prefix_len != 0;
}

static bool has_ipv6(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->eni.ipv6.count > 0;
}

void params_assign_ipv6(struct lab *lab, struct params *p)
{
	uint64_t eni = seek(lab, IPL_KIND_ENI, one_in(8) ? always : has_ipv6_block);

	print(p, "{\"NetworkInterfaceId\":\"%s\"", id_of(lab, IPL_KIND_ENI, eni));
	if (one_in(2))
		print(p, ",\"Ipv6AddressCount\":%u}", 1 + (unsigned)random_draw(2));
	else
		print(p, ",\"Ipv6Address\":[\"%s\"]}", ip6_in(lab, vswitch_of(lab, eni)));
}

void params_unassign_ipv6(struct lab *lab, struct params *p)
{
	uint64_t number = seek(lab, IPL_KIND_ENI, has_ipv6);
	const struct ipl_eni *eni = number == 0 ? NULL : ipl_state_eni(lab->state, number);
	char text[IPL_IP6_TEXT_MAX];

	print(p, "{\"NetworkInterfaceId\":\"%s\",\"Ipv6Address\":[",
	      id_of(lab, IPL_KIND_ENI, number));
	if (eni == NULL || one_in(12)) {
		print(p, "\"%s\"]}", ip6_in(lab, vswitch_of(lab, number)));
		return;
	}
	ipl_ip6_format(ipl_state_ipv6(lab->state, eni->ipv6.at[random_draw(eni->ipv6.count)])->ip,
		       text);
	print(p, "\"%s\"]}", text);
}
