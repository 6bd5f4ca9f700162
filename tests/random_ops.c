/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random operations on a small network: some VPCs with few vSwitches of few
 * addresses, so that operations meet, collide and are refused for every reason.
 */
#include "tests/random_ops.h"

#include <stdio.h>

static uint64_t seed;

void random_begin(uint64_t from)
{
	seed = from;
}

uint64_t random_draw(uint64_t below)
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
	uint64_t number = ipl_state_next(lab->state, kind, random_draw(last));

	if (number == 0 || random_draw(20) == 0)
		number = 1 + random_draw(last + 1);
	turn = (turn + 1) % 8;
	ipl_id_format(ipl_state_letters(lab->state), kind, number, text[turn]);
	return text[turn];
}

static const char *some_ip(void)
{
	static char text[4][IPL_IP4_TEXT_MAX];
	static unsigned turn;

	turn = (turn + 1) % 4;
	(void)snprintf(text[turn], sizeof(text[turn]), "10.%u.0.%u", (unsigned)random_draw(3),
		       (unsigned)random_draw(32));
	return text[turn];
}

static enum ipl_status step_network(struct lab *lab)
{
	switch (random_draw(7)) {
	case 5:
		return lab_call(lab, "AssociateVpcCidrBlock",
				"{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"172.%u.0.0/16\"}",
				some(lab, IPL_KIND_VPC), (unsigned)random_draw(8));
	case 6:
		return lab_call(lab, "UnassociateVpcCidrBlock",
				"{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"172.%u.0.0/16\"}",
				some(lab, IPL_KIND_VPC), (unsigned)random_draw(8));
	case 0:
		return lab_call(lab, "CreateVpc",
				"{\"CidrBlock\":\"10.0.0.0/%u\",\"EnableIpv6\":%s}",
				8 + (unsigned)random_draw(2), random_draw(2) ? "true" : "false");
	case 1:
		return lab_call(lab, "DeleteVpc", "{\"VpcId\":\"%s\",\"ForceDelete\":%s}",
				some(lab, IPL_KIND_VPC), random_draw(2) ? "true" : "false");
	case 2:
		return lab_call(lab, "DeleteVSwitch", "{\"VSwitchId\":\"%s\"}",
				some(lab, IPL_KIND_VSWITCH));
	default:
		return lab_call(lab, "CreateVSwitch",
				"{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-%c\","
				"\"CidrBlock\":\"10.%u.0.0/%u\"%s}",
				some(lab, IPL_KIND_VPC), 'a' + (int)random_draw(2),
				(unsigned)random_draw(3), 27 + (unsigned)random_draw(3),
				random_draw(2) ? ",\"Ipv6CidrBlock\":1" : "");
	}
}

static enum ipl_status step_instance(struct lab *lab)
{
	const char *id = some(lab, IPL_KIND_INSTANCE);

	switch (random_draw(12)) {
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
				random_draw(2) ? "StopCharging" : "KeepCharging");
	case 2:
		return lab_call(lab, "DeleteInstance", "{\"InstanceId\":\"%s\",\"Force\":%s}", id,
				random_draw(4) ? "true" : "false");
	case 3:
		return lab_call(lab, "ModifyInstanceNetworkSpec",
				"{\"InstanceId\":\"%s\",\"InternetMaxBandwidthOut\":%u}", id,
				(unsigned)random_draw(3));
	case 4:
		return lab_call(lab, "AllocatePublicIpAddress", "{\"InstanceId\":\"%s\"}", id);
	case 5:
		return lab_call(lab, "ConvertNatPublicIpToEip", "{\"InstanceId\":\"%s\"}", id);
	case 6:
		return lab_call(lab, "RunInstances",
				"{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g6.large\","
				"\"PrivateIpAddress\":\"%s\",\"Amount\":%u}",
				some(lab, IPL_KIND_VSWITCH), some_ip(),
				1 + (unsigned)random_draw(2));
	default:
		return lab_call(
			lab, "RunInstances",
			"{\"InstanceType\":\"ecs.g6.xlarge\",\"Amount\":%u,\"MinAmount\":1,"
			"\"InternetMaxBandwidthOut\":%u,\"NetworkInterface\":[{\"InstanceType\":"
			"\"Primary\",\"VSwitchId\":\"%s\",\"SecondaryPrivateIpAddressCount\":%u%s},"
			"{\"DeleteOnRelease\":%s}]}",
			1 + (unsigned)random_draw(3), (unsigned)random_draw(2),
			some(lab, IPL_KIND_VSWITCH), 1 + (unsigned)random_draw(3),
			random_draw(3) ? "" : ",\"Ipv6AddressCount\":1",
			random_draw(2) ? "true" : "false");
	}
}

static enum ipl_status step_eni(struct lab *lab)
{
	const char *id = some(lab, IPL_KIND_ENI), *instance = some(lab, IPL_KIND_INSTANCE);

	switch (random_draw(7)) {
	case 0:
		return lab_call(lab, "CreateNetworkInterface",
				"{\"VSwitchId\":\"%s\",\"SecondaryPrivateIpAddressCount\":%u}",
				some(lab, IPL_KIND_VSWITCH), 1 + (unsigned)random_draw(3));
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
			1 + (unsigned)random_draw(2));
	default:
		return lab_call(lab, "UnassignPrivateIpAddresses",
				"{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[\"%s\"]}", id,
				some_ip());
	}
}

static enum ipl_status step_eip(struct lab *lab)
{
	const char *id = some(lab, IPL_KIND_EIP);

	switch (random_draw(7)) {
	case 6:
		return lab_call(lab, "ModifyEipAddressAttribute",
				"{\"AllocationId\":\"%s\",\"Bandwidth\":%u}", id,
				1 + (unsigned)random_draw(300));
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
				id, some(lab, IPL_KIND_ENI), random_draw(3) ? "NAT" : "BINDED");
	case 4:
		return lab_call(lab, "UnassociateEipAddress", "{\"AllocationId\":\"%s\"}", id);
	default:
		return lab_call(lab, "ReleaseEipAddress", "{\"AllocationId\":\"%s\"}", id);
	}
}

static const char *some_ip6(struct lab *lab)
{
	static char text[4][IPL_IP6_TEXT_MAX];
	static unsigned turn;
	uint64_t n = ipl_state_next(lab->state, IPL_KIND_IPV6,
				    random_draw(ipl_state_next_number(lab->state, IPL_KIND_IPV6)));
	uint64_t of =
		ipl_state_next(lab->state, IPL_KIND_VSWITCH,
			       random_draw(ipl_state_next_number(lab->state, IPL_KIND_VSWITCH)));
	struct ipl_ip6 ip = { 0, random_draw(12) };

	turn = (turn + 1) % 4;
	if (of != 0)
		ip.hi = ipl_state_vswitch(lab->state, of)->ipv6_cidr.hi;
	if (n != 0 && random_draw(2) == 0)
		ip = ipl_state_ipv6(lab->state, n)->ip;
	ipl_ip6_format(ip, text[turn]);
	return text[turn];
}

static enum ipl_status step_ipv6_block(struct lab *lab)
{
	switch (random_draw(5)) {
	case 0:
		return lab_call(lab, "ModifyVpcAttribute", "{\"VpcId\":\"%s\",\"EnableIPv6\":%s}",
				some(lab, IPL_KIND_VPC), random_draw(3) ? "true" : "false");
	case 1:
		return lab_call(lab, "CreateIpv6Gateway", "{\"VpcId\":\"%s\"}",
				some(lab, IPL_KIND_VPC));
	case 2:
		return lab_call(lab, "DeleteIpv6Gateway", "{\"Ipv6GatewayId\":\"%s\"}",
				some(lab, IPL_KIND_IPV6GW));
	case 3:
		return lab_call(lab, "ModifyVSwitchAttribute",
				"{\"VSwitchId\":\"%s\",\"EnableIPv6\":false}",
				some(lab, IPL_KIND_VSWITCH));
	default:
		return lab_call(lab, "ModifyVSwitchAttribute",
				"{\"VSwitchId\":\"%s\",\"EnableIPv6\":true,\"Ipv6CidrBlock\":%u}",
				some(lab, IPL_KIND_VSWITCH), (unsigned)random_draw(4));
	}
}

static enum ipl_status step_ipv6(struct lab *lab)
{
	switch (random_draw(9)) {
	case 0:
		return step_ipv6_block(lab);
	case 1:
		return lab_call(lab, "AssignIpv6Addresses",
				"{\"NetworkInterfaceId\":\"%s\",\"Ipv6Address\":[\"%s\"]}",
				some(lab, IPL_KIND_ENI), some_ip6(lab));
	case 2:
	case 3:
		return lab_call(lab, "UnassignIpv6Addresses",
				"{\"NetworkInterfaceId\":\"%s\",\"Ipv6Address\":[\"%s\"]}",
				some(lab, IPL_KIND_ENI), some_ip6(lab));
	case 4:
		return lab_call(lab, "AllocateIpv6InternetBandwidth",
				"{\"Ipv6AddressId\":\"%s\",\"Bandwidth\":%u}",
				some(lab, IPL_KIND_IPV6), 1 + (unsigned)random_draw(3));
	case 5:
		return lab_call(lab, "ModifyIpv6InternetBandwidth",
				"{\"Ipv6InternetBandwidthId\":\"%s\",\"Bandwidth\":%u}",
				some(lab, IPL_KIND_IPV6BW), 1 + (unsigned)random_draw(9));
	case 6:
		return lab_call(lab, "DeleteIpv6InternetBandwidth", "{\"Ipv6AddressId\":\"%s\"}",
				some(lab, IPL_KIND_IPV6));
	case 7:
		return lab_call(lab, "ModifyNetworkInterfaceAttribute",
				"{\"NetworkInterfaceId\":\"%s\",\"DeleteOnRelease\":%s,"
				"\"NetworkInterfaceName\":\"n%u\"}",
				some(lab, IPL_KIND_ENI), random_draw(2) ? "true" : "false",
				(unsigned)random_draw(9));
	default:
		return lab_call(lab, "AssignIpv6Addresses",
				"{\"NetworkInterfaceId\":\"%s\",\"Ipv6AddressCount\":%u}",
				some(lab, IPL_KIND_ENI), 1 + (unsigned)random_draw(2));
	}
}

enum ipl_status random_step(struct lab *lab)
{
	lab->time_ms += (int64_t)random_draw(3) * 400;
	switch (random_draw(10)) {
	case 0:
		return step_network(lab);
	case 8:
	case 9:
		return step_ipv6(lab);
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
