/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance types that every ledger knows: name, interfaces, IPv4 addresses
 * on each (the primary one included), IPv6 addresses on each. From the cloud's
 * DescribeInstanceTypes. Others come by the settings.
 */
#include "operations/operations_internal.h"

struct type {
	const char *name;
	uint8_t eni_max;
	uint8_t ip4_max;
	uint8_t ip6_max;
};

/* clang-format off */
static const struct type types[] = {
	{ "ecs.g8i.large", 3, 6, 6 },
	{ "ecs.g8i.xlarge", 4, 15, 15 },
	{ "ecs.g8i.2xlarge", 4, 15, 15 },
	{ "ecs.g8i.3xlarge", 8, 15, 15 },
	{ "ecs.g8i.4xlarge", 8, 30, 30 },
	{ "ecs.g8i.16xlarge", 8, 30, 30 },
	{ "ecs.g8i.24xlarge", 15, 30, 30 },
	{ "ecs.g8i.48xlarge", 15, 50, 50 },
	{ "ecs.g8a.large", 3, 6, 6 },
	{ "ecs.g8ine.large", 3, 10, 10 },
	{ "ecs.g8ine.2xlarge", 6, 15, 15 },
	{ "ecs.g8y.small", 2, 3, 3 },
	{ "ecs.g8y.large", 3, 6, 6 },
	{ "ecs.g7.large", 3, 6, 6 },
	{ "ecs.g7.xlarge", 4, 15, 15 },
	{ "ecs.g7.2xlarge", 4, 15, 15 },
	{ "ecs.g7.3xlarge", 8, 15, 15 },
	{ "ecs.g7.4xlarge", 8, 30, 30 },
	{ "ecs.g7.16xlarge", 8, 30, 30 },
	{ "ecs.g7.32xlarge", 15, 30, 30 },
	{ "ecs.g7a.large", 3, 6, 6 },
	{ "ecs.g7a.8xlarge", 7, 30, 30 },
	{ "ecs.g7h.xlarge", 4, 10, 10 },
	{ "ecs.g6.large", 2, 6, 1 },
	{ "ecs.g6.xlarge", 3, 10, 1 },
	{ "ecs.g6.2xlarge", 4, 10, 1 },
	{ "ecs.g6.3xlarge", 6, 10, 1 },
	{ "ecs.g6.4xlarge", 8, 20, 1 },
	{ "ecs.g6.8xlarge", 8, 20, 1 },
	{ "ecs.g6.13xlarge", 7, 20, 1 },
	{ "ecs.g6.16xlarge", 8, 20, 1 },
	{ "ecs.g6.26xlarge", 15, 20, 1 },
	{ "ecs.g6nv.8xlarge", 8, 20, 1 },
	{ "ecs.g6a.large", 2, 6, 1 },
	{ "ecs.g6a.xlarge", 3, 15, 1 },
	{ "ecs.g6e.large", 3, 6, 1 },
	{ "ecs.g6e.xlarge", 4, 15, 1 },
	{ "ecs.g6e.26xlarge", 15, 30, 1 },
	{ "ecs.g6r.large", 3, 6, 1 },
	{ "ecs.g6h.large", 3, 6, 1 },
	{ "ecs.g5.large", 2, 6, 1 },
	{ "ecs.g5.xlarge", 3, 10, 1 },
	{ "ecs.g5.2xlarge", 4, 10, 1 },
	{ "ecs.g5.3xlarge", 6, 10, 1 },
	{ "ecs.g5.4xlarge", 8, 20, 1 },
	{ "ecs.g9ae.large", 3, 6, 6 },
	{ "ecs.g9h.large", 3, 6, 6 },
	{ "ecs.r9ae.large", 3, 6, 6 },
	{ "ecs.t6-c1m1.large", 2, 2, 1 },
	{ "ecs.t6-c1m2.large", 2, 2, 1 },
	{ "ecs.t6-c1m4.large", 2, 2, 1 },
	{ "ecs.t6-c1m4.xlarge", 2, 6, 1 },
	{ "ecs.t6-c1m4.2xlarge", 2, 6, 1 },
	{ "ecs.t5-lc2m1.nano", 2, 2, 1 },
	{ "ecs.t5-lc1m1.small", 2, 2, 1 },
	{ "ecs.t5-c1m1.large", 2, 2, 1 },
	{ "ecs.t5-c1m1.xlarge", 2, 6, 1 },
	{ "ecs.e-c1m1.large", 2, 2, 1 },
	{ "ecs.e-c1m2.large", 2, 2, 1 },
	{ "ecs.e-c1m4.large", 2, 2, 1 },
	{ "ecs.e-c1m2.xlarge", 2, 6, 1 },
	{ "ecs.u1-c1m1.large", 2, 6, 2 },
	{ "ecs.u1-c1m1.xlarge", 3, 10, 2 },
	{ "ecs.u1-c1m1.2xlarge", 4, 10, 2 },
	{ "ecs.u1-c1m1.3xlarge", 6, 10, 2 },
	{ "ecs.u1-c1m1.4xlarge", 8, 20, 2 },
	{ "ecs.u1-c1m4.xlarge", 3, 10, 2 },
	{ "ecs.u2a-c1m1.large", 2, 6, 6 },
	{ "ecs.ebmg9ae.48xlarge", 38, 50, 50 },
	{ "ecs.ebmgi6s.24xlarge", 32, 10, 1 },
	{ "ecs.sgn7i-vws-m2.xlarge", 2, 2, 1 },
	{ "ecs.s6-c1m2.16xlarge", 2, 6, 1 },
	{ "ecs.t1.xsmall", 1, 1, 0 },
	{ "ecs.n4.small", 2, 2, 0 },
	{ "ecs.xn4.small", 2, 2, 0 },
};

/* An interface comes to and goes from these only while they are stopped. */
static const char *const small_types[] = {
	"ecs.t5-c1m1.large",
	"ecs.t5-c1m2.large",
	"ecs.t5-c1m4.large",
	"ecs.t5-lc1m1.small",
	"ecs.t5-lc1m2.large",
	"ecs.t5-lc1m2.small",
	"ecs.t5-lc1m4.large",
	"ecs.t5-lc2m1.nano",
	"ecs.t6-c1m1.large",
	"ecs.t6-c1m2.large",
	"ecs.t6-c1m4.large",
	"ecs.t6-c2m1.large",
	"ecs.t6-c4m1.large",
};
/* clang-format on */

static bool is_small(struct ipl_str name)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(small_types); i++) {
		if (ipl_str_is(name, small_types[i]))
			return true;
	}
	return false;
}

static struct ipl_type_limits limits_of(struct ipl_str type, uint32_t eni_max, uint32_t ip4_max,
					uint32_t ip6_max)
{
	return (struct ipl_type_limits){
		.eni_max = eni_max,
		.ip4_max = ip4_max,
		.ip6_max = ip6_max,
		.is_small = is_small(type),
		.is_alone = ipl_str_starts(type, "ecs.t5-") || ipl_str_starts(type, "ecs.t6-"),
	};
}

bool ipl_type_find(const struct ipl_ev_settings *settings, struct ipl_str type,
		   struct ipl_type_limits *out)
{
	for (uint32_t i = 0; i < settings->instance_types.count; i++) {
		const struct ipl_ev_instance_type *own = &settings->instance_types.at[i];
		if (!ipl_str_equal(own->name, type))
			continue;
		*out = limits_of(type, (uint32_t)own->eni_max, (uint32_t)own->ip4_max,
				 (uint32_t)own->ip6_max);
		return true;
	}
	for (size_t i = 0; i < IPL_ARRAY_SIZE(types); i++) {
		if (!ipl_str_is(type, types[i].name))
			continue;
		*out = limits_of(type, types[i].eni_max, types[i].ip4_max, types[i].ip6_max);
		return true;
	}
	return false;
}

struct ipl_str ipl_type_at(const struct ipl_ev_settings *settings, size_t index)
{
	if (index < settings->instance_types.count)
		return settings->instance_types.at[index].name;
	index -= settings->instance_types.count;
	return index < IPL_ARRAY_SIZE(types) ? ipl_str_of(types[index].name) : IPL_STR_NONE;
}
