/* SPDX-License-Identifier: Apache-2.0 */
/* Random calls about settings, VPCs, vSwitches, IPv6 to the Internet and EIPs. */
#include "tests/random_internal.h"

/* --- settings --- */

/* Pools that come, stay and go; one in use may not. */
static void print_pools(struct params *p)
{
	static const char *const pools[] = {
		"\"198.18.0.0/29\",\"198.18.1.0/29\"",
		"\"198.18.1.0/29\",\"198.18.0.0/29\"",
		"\"198.18.0.0/29\",\"198.18.1.0/29\",\"198.18.2.0/30\"",
		"\"198.18.0.0/29\"",
		"\"198.18.0.0/28\"",
		"\"198.18.0.0/31\"",
	};

	print(p, "{\"PublicPools\":[%s]}", pools[random_draw(IPL_ARRAY_SIZE(pools))]);
}

void params_settings(struct lab *lab, struct params *p)
{
	static const char *const rest[] = {
		"{\"Ipv6Pool\":\"2001:db8::/55\"}",
		"{\"Ipv6Pool\":\"2001:db8::/54\"}",
		"{\"Ipv6Pool\":\"2001:db8::/56\"}",
		"{\"Ipv6Pool\":\"2001:db8:0:100::/56\"}",
		"{\"Quotas\":{\"Nothing\":1}}",
		"{\"Zones\":[]}",
		"{\"Zones\":[\"cn-hangzhou-a\"]}",
		"{\"Zones\":[\"cn-hangzhou-a\",\"cn-hangzhou-b\"]}",
		"{\"InstanceTypes\":[]}",
		"{\"InstanceTypes\":[{\"InstanceType\":\"own.x\",\"EniQuantity\":4,"
		"\"EniPrivateIpAddressQuantity\":3,\"EniIpv6AddressQuantity\":2}]}",
		"{\"InstanceTypes\":[{\"InstanceType\":\"ecs.g6.xlarge\",\"EniQuantity\":1,"
		"\"EniPrivateIpAddressQuantity\":1,\"EniIpv6AddressQuantity\":0}]}",
	};
	const struct random_size *size = random_size_now();

	(void)lab;
	switch (random_draw(5)) {
	case 0:
		print(p, "{\"ReuseDelaySeconds\":%u}", (unsigned)random_draw(3));
		break;
	case 1:
		print_pools(p);
		break;
	case 2:
		print(p,
		      "{\"Quotas\":{\"Eips\":%u,\"NetworkInterfaces\":%u,\"Vpcs\":%u,"
		      "\"VSwitchesPerVpc\":%u,\"PrivateIpAddressesPerVpc\":%u}}",
		      (unsigned)(size->eips * 3 / 4), (unsigned)(size->enis * 3 / 4),
		      (unsigned)size->vpcs, (unsigned)(size->vswitches / 2),
		      (unsigned)(size->enis * 2 / 3));
		break;
	case 3:
		print(p, "{\"Quotas\":{}}");
		break;
	default:
		print(p, "%s", rest[random_draw(IPL_ARRAY_SIZE(rest))]);
	}
}

/* --- VPCs --- */

void params_create_vpc(struct lab *lab, struct params *p)
{
	static const char *const bad[] = { "100.64.0.0/10", "10.0.0.1/16", "10.0.0.0/29",
					   "10.0.0/16" };
	static const char *const good[] = { "10.0.0.0/8", "10.0.0.0/16", "192.168.0.0/16",
					    "10.0.0.0/24" };

	(void)lab;
	print(p, "{\"CidrBlock\":\"%s\"",
	      one_in(8) ? bad[random_draw(IPL_ARRAY_SIZE(bad))] :
			  good[random_draw(IPL_ARRAY_SIZE(good))]);
	print(p, ",\"EnableIpv6\":%s", one_in(4) ? "false" : "true");
	if (one_in(2))
		print(p, ",\"VpcName\":\"n\",\"Tag\":[{\"Key\":\"k\",\"Value\":\"v\"}]");
	print(p, "}");
}

static bool is_empty(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->vpc.vswitches.count == 0;
}

void params_delete_vpc(struct lab *lab, struct params *p)
{
	uint64_t number = one_in(2) ? seek(lab, IPL_KIND_VPC, is_empty) : 0;

	print(p, "{\"VpcId\":\"%s\"", id_of(lab, IPL_KIND_VPC, number));
	print(p, ",\"ForceDelete\":%s}", one_in(2) ? "true" : "false");
}

void params_modify_vpc(struct lab *lab, struct params *p)
{
	print(p, "{\"VpcId\":\"%s\"", some(lab, IPL_KIND_VPC));
	print(p, ",\"VpcName\":\"n%u\"", (unsigned)random_draw(3));
	if (one_in(2))
		print(p, ",\"EnableIPv6\":%s", one_in(4) ? "false" : "true");
	if (one_in(12))
		print(p, ",\"Ipv6CidrBlock\":\"2001:db8::/56\"");
	print(p, "}");
}

static void print_secondary(struct lab *lab, struct params *p)
{
	static const char *const odd[] = { "10.0.0.0/16", "172.16.0.0/29", "172.16.0.1/16",
					   "127.0.0.0/16", "198.18.0.0/27" };
	const char *mask = one_in(2) ? "16" : "27";

	print(p, "{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"", some(lab, IPL_KIND_VPC));
	if (one_in(4))
		print(p, "%s\"}", odd[random_draw(IPL_ARRAY_SIZE(odd))]);
	else
		print(p, "172.%u.0.0/%s\"}", 16 + (unsigned)random_draw(7), mask);
}

void params_associate_cidr(struct lab *lab, struct params *p)
{
	print_secondary(lab, p);
}

static bool has_secondary(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->vpc.secondary_count > 0;
}

void params_unassociate_cidr(struct lab *lab, struct params *p)
{
	uint64_t number = seek(lab, IPL_KIND_VPC, has_secondary);
	char text[IPL_CIDR4_TEXT_MAX];
	const struct ipl_vpc *vpc;

	if (number == 0 || one_in(4)) {
		print_secondary(lab, p);
		return;
	}
	vpc = ipl_state_vpc(lab->state, number);
	ipl_cidr4_format(vpc->secondary[random_draw(vpc->secondary_count)], text);
	print(p, "{\"VpcId\":\"%s\",\"SecondaryCidrBlock\":\"%s\"}",
	      id_of(lab, IPL_KIND_VPC, number), text);
}

/* --- vSwitches --- */

static bool always(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	(void)entity;
	return true;
}

void params_create_vswitch(struct lab *lab, struct params *p)
{
	uint64_t number = seek(lab, IPL_KIND_VPC, always);
	struct ipl_cidr4 of = { 0x0a000000, 16 };
	unsigned min = random_size_now()->prefix_min;
	struct ipl_cidr4 cidr = { 0, (uint8_t)(min + random_draw(30 - min)) };
	char text[IPL_CIDR4_TEXT_MAX];

	if (number != 0) {
		const struct ipl_vpc *vpc = ipl_state_vpc(lab->state, number);
		of = vpc->secondary_count > 0 && one_in(3) ?
			     vpc->secondary[random_draw(vpc->secondary_count)] :
			     vpc->cidr;
	}
	if (one_in(16))
		cidr.prefix_len = 30;
	cidr.base = of.base;
	if (of.prefix_len <= 16)
		cidr.base += (uint32_t)(random_draw(30 - min) << (33 - min));
	ipl_cidr4_format(cidr, text);
	print(p, "{\"VpcId\":\"%s\",\"CidrBlock\":\"%s\"", id_of(lab, IPL_KIND_VPC, number), text);
	print(p, ",\"ZoneId\":\"cn-hangzhou-%c\"", 'a' + (int)random_draw(2));
	if (one_in(2))
		print(p, ",\"Ipv6CidrBlock\":%u", (unsigned)random_draw(6));
	print(p, "}");
}

void params_delete_vswitch(struct lab *lab, struct params *p)
{
	print(p, "{\"VSwitchId\":\"%s\"}", some(lab, IPL_KIND_VSWITCH));
}

static bool is_without_ipv6(struct lab *lab, const union ipl_entity *entity)
{
	return entity->vswitch.ipv6_cidr.prefix_len == 0 &&
	       ipl_state_vpc(lab->state, entity->vswitch.vpc)->ipv6_cidr.prefix_len != 0;
}

void params_modify_vswitch(struct lab *lab, struct params *p)
{
	const char *id = one_in(2) ? id_of(lab, IPL_KIND_VSWITCH,
					   seek(lab, IPL_KIND_VSWITCH, is_without_ipv6)) :
				     some(lab, IPL_KIND_VSWITCH);

	print(p, "{\"VSwitchId\":\"%s\"", id);
	if (one_in(4))
		print(p, ",\"Description\":\"d%u\"", (unsigned)random_draw(3));
	if (one_in(4))
		print(p, ",\"EnableIPv6\":false}");
	else
		print(p, ",\"EnableIPv6\":true,\"Ipv6CidrBlock\":%u}", (unsigned)random_draw(6));
}

/* --- IPv6 to the Internet --- */

static bool takes_gateway(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->vpc.ipv6_cidr.prefix_len != 0 && entity->vpc.gateway == 0;
}

void params_create_ipv6gw(struct lab *lab, struct params *p)
{
	print(p, "{\"VpcId\":\"%s\",\"Name\":\"n\"}",
	      one_in(2) ? some(lab, IPL_KIND_VPC) :
			  id_of(lab, IPL_KIND_VPC, seek(lab, IPL_KIND_VPC, takes_gateway)));
}

void params_delete_ipv6gw(struct lab *lab, struct params *p)
{
	print(p, "{\"Ipv6GatewayId\":\"%s\"}", some(lab, IPL_KIND_IPV6GW));
}

static bool is_private(struct lab *lab, const union ipl_entity *entity)
{
	return entity->ipv6.bandwidth == 0 &&
	       ipl_state_vpc(lab->state, entity->ipv6.vpc)->gateway != 0;
}

static bool is_public(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->ipv6.bandwidth != 0;
}

void params_allocate_ipv6bw(struct lab *lab, struct params *p)
{
	print(p, "{\"Ipv6AddressId\":\"%s\"",
	      id_of(lab, IPL_KIND_IPV6, seek(lab, IPL_KIND_IPV6, is_private)));
	print(p, ",\"Bandwidth\":%u", (unsigned)random_draw(10) * 120);
	print(p, ",\"InternetChargeType\":\"%s\"", one_in(2) ? "PayByTraffic" : "PayByBandwidth");
	if (one_in(6))
		print(p, ",\"Ipv6GatewayId\":\"%s\"", some(lab, IPL_KIND_IPV6GW));
	print(p, "}");
}

/* By one of two ids; one time in 12 by both. */
static void print_bandwidth(struct lab *lab, struct params *p)
{
	bool both = one_in(12);

	if (both || one_in(2))
		print(p, "{\"Ipv6AddressId\":\"%s\"%s",
		      id_of(lab, IPL_KIND_IPV6, seek(lab, IPL_KIND_IPV6, is_public)),
		      both ? "," : "");
	if (both || p->len == 0)
		print(p, "%s\"Ipv6InternetBandwidthId\":\"%s\"", both ? "" : "{",
		      some(lab, IPL_KIND_IPV6BW));
}

void params_modify_ipv6bw(struct lab *lab, struct params *p)
{
	print_bandwidth(lab, p);
	print(p, ",\"Bandwidth\":%u}", (unsigned)random_draw(9) * 250);
}

void params_delete_ipv6bw(struct lab *lab, struct params *p)
{
	print_bandwidth(lab, p);
	print(p, "}");
}

/* --- EIPs --- */

static bool is_unbound(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->eip.eni == 0;
}

static bool is_bound(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->eip.eni != 0;
}

void params_allocate_eip(struct lab *lab, struct params *p)
{
	(void)lab;
	print(p, "{\"Bandwidth\":%u", 1 + (unsigned)random_draw(220));
	print(p, ",\"InternetChargeType\":\"%s\"", one_in(2) ? "PayByTraffic" : "PayByBandwidth");
	if (one_in(3))
		print(p, ",\"IpAddress\":\"198.18.0.%u\"", (unsigned)random_draw(10));
	print(p, "}");
}

static bool takes_instance_eip(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->instance.bandwidth_out == 0 && entity->instance.eip == 0;
}

static bool takes_binded(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	return entity->eni.instance == 0 && entity->eni.address_count == 1 &&
	       entity->eni.address[0].eip == 0;
}

static bool has_free_address(struct lab *lab, const union ipl_entity *entity)
{
	(void)lab;
	for (uint32_t i = 0; i < entity->eni.address_count; i++) {
		if (entity->eni.address[i].eip == 0)
			return true;
	}
	return false;
}

static void associate_with_eni(struct lab *lab, struct params *p)
{
	bool binded = one_in(3);
	const char *mode = one_in(20) ? "MULTI_BINDED" : binded ? "BINDED" : "NAT";
	uint64_t number = seek(lab, IPL_KIND_ENI, binded ? takes_binded : has_free_address);

	print(p, "\"InstanceId\":\"%s\",\"InstanceType\":\"NetworkInterface\",\"Mode\":\"%s\"",
	      id_of(lab, IPL_KIND_ENI, number), mode);
	if (number != 0 && one_in(2)) {
		const struct ipl_eni *eni = ipl_state_eni(lab->state, number);
		uint32_t ip = eni->address[random_draw(eni->address_count)].ip;
		ip += one_in(12);
		print(p, ",\"PrivateIpAddress\":\"" IPL_IP4_FMT "\"", IPL_IP4_ARG(ip));
	}
	print(p, "}");
}

void params_associate_eip(struct lab *lab, struct params *p)
{
	print(p, "{\"AllocationId\":\"%s\",",
	      id_of(lab, IPL_KIND_EIP, seek(lab, IPL_KIND_EIP, is_unbound)));
	if (one_in(2))
		print(p, "\"InstanceId\":\"%s\"}",
		      id_of(lab, IPL_KIND_INSTANCE,
			    seek(lab, IPL_KIND_INSTANCE, takes_instance_eip)));
	else
		associate_with_eni(lab, p);
}

void params_unassociate_eip(struct lab *lab, struct params *p)
{
	uint64_t number = seek(lab, IPL_KIND_EIP, is_bound);

	print(p, "{\"AllocationId\":\"%s\"", id_of(lab, IPL_KIND_EIP, number));
	if (number != 0 && one_in(4))
		print(p, ",\"InstanceId\":\"%s\"",
		      id_of(lab, IPL_KIND_ENI, ipl_state_eip(lab->state, number)->eni));
	print(p, "}");
}

void params_modify_eip(struct lab *lab, struct params *p)
{
	print(p, "{\"AllocationId\":\"%s\"", some(lab, IPL_KIND_EIP));
	print(p, ",\"Bandwidth\":%u", 1 + (unsigned)random_draw(300));
	print(p, ",\"Name\":\"n%u\"}", (unsigned)random_draw(9));
}

void params_release_eip(struct lab *lab, struct params *p)
{
	print(p, "{\"AllocationId\":\"%s\"}",
	      one_in(3) ? some(lab, IPL_KIND_EIP) :
			  id_of(lab, IPL_KIND_EIP, seek(lab, IPL_KIND_EIP, is_unbound)));
}
