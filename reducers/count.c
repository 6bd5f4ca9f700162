/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beside the reducers, which say the same of one entity at a time: who begins to live, and who
 * ends. A property test folds random ledgers and compares.
 */
#include "reducers/count.h"

#include <assert.h>

#include "reducers/reduce_internal.h"

static_assert(IPL_EVENT_NUMBER_MAX < 64, "a set of event types is 64 bits");

#define TYPE(NAME) (UINT64_C(1) << IPL_EVENT_##NAME)

/* Events in which network interfaces may begin or end, and all that is on them. */
#define ENIS_BEGIN (TYPE(INSTANCES_LAUNCHED) | TYPE(ENI_CREATED))
#define ENIS_END   (TYPE(INSTANCE_RELEASED) | TYPE(ENI_DELETED))

static const uint64_t types_of[IPL_KIND_COUNT] = {
	[IPL_KIND_LEDGER] = TYPE(LEDGER_CREATED),
	[IPL_KIND_VPC] = TYPE(VPC_CREATED) | TYPE(VPC_DELETED),
	[IPL_KIND_VSWITCH] = TYPE(VSWITCH_CREATED) | TYPE(VSWITCH_DELETED),
	[IPL_KIND_INSTANCE] = TYPE(INSTANCES_LAUNCHED) | TYPE(INSTANCE_RELEASED),
	[IPL_KIND_ENI] = ENIS_BEGIN | ENIS_END,
	[IPL_KIND_EIP] = TYPE(EIP_ALLOCATED) | TYPE(PUBLIC_IP_CONVERTED) | TYPE(EIP_RELEASED),
	[IPL_KIND_IPV6] = ENIS_BEGIN | ENIS_END | TYPE(IPV6_ASSIGNED) | TYPE(IPV6_UNASSIGNED),
	[IPL_KIND_IPV6GW] = TYPE(IPV6GW_CREATED) | TYPE(IPV6GW_DELETED) | TYPE(VPC_DELETED),
	[IPL_KIND_IPV6BW] =
		TYPE(IPV6BW_ALLOCATED) | TYPE(IPV6BW_DELETED) | ENIS_END | TYPE(IPV6_UNASSIGNED),
};

uint64_t ipl_count_types(enum ipl_kind kind)
{
	return types_of[kind];
}

static int64_t count_enis(const struct ipl_event *ev)
{
	int64_t count = ev->type == IPL_EVENT_ENI_CREATED;

	if (ev->type == IPL_EVENT_INSTANCES_LAUNCHED) {
		for (uint32_t i = 0; i < ev->instances_launched.instances.count; i++)
			count += ev->instances_launched.instances.at[i].enis.count;
	}
	return count - ipl_freed_enis(ev).count;
}

static int64_t count_bandwidths(const struct ipl_ev_freed_ipv6_list *list)
{
	int64_t count = 0;

	for (uint32_t i = 0; i < list->count; i++)
		count += list->at[i].bandwidth != 0;
	return count;
}

static int64_t count_ipv6(const struct ipl_event *ev)
{
	const struct ipl_ev_freed_eni_list freed = ipl_freed_enis(ev);
	int64_t count = 0;

	if (ev->type == IPL_EVENT_INSTANCES_LAUNCHED) {
		const struct ipl_ev_instance_list *list = &ev->instances_launched.instances;
		for (uint32_t i = 0; i < list->count; i++) {
			for (uint32_t k = 0; k < list->at[i].enis.count; k++)
				count += list->at[i].enis.at[k].ipv6.count;
		}
	} else if (ev->type == IPL_EVENT_ENI_CREATED) {
		count = ev->eni_created.ipv6.count;
	} else if (ev->type == IPL_EVENT_IPV6_ASSIGNED) {
		count = ev->ipv6_assigned.ipv6.count;
	} else if (ev->type == IPL_EVENT_IPV6_UNASSIGNED) {
		count = -(int64_t)ev->ipv6_unassigned.ipv6.count;
	}
	for (uint32_t i = 0; i < freed.count; i++)
		count -= freed.at[i].ipv6.count;
	return count;
}

static int64_t count_ipv6bw(const struct ipl_event *ev)
{
	const struct ipl_ev_freed_eni_list freed = ipl_freed_enis(ev);
	int64_t gone = ev->type == IPL_EVENT_IPV6BW_DELETED;

	if (ev->type == IPL_EVENT_IPV6BW_ALLOCATED)
		return 1;
	if (ev->type == IPL_EVENT_IPV6_UNASSIGNED)
		gone = count_bandwidths(&ev->ipv6_unassigned.ipv6);
	for (uint32_t i = 0; i < freed.count; i++)
		gone += count_bandwidths(&freed.at[i].ipv6);
	return -gone;
}

int64_t ipl_count_change(enum ipl_kind kind, const struct ipl_event *ev)
{
	if ((types_of[kind] >> ev->type & 1) == 0)
		return 0;
	switch (kind) {
	case IPL_KIND_ENI:
		return count_enis(ev);
	case IPL_KIND_IPV6:
		return count_ipv6(ev);
	case IPL_KIND_IPV6BW:
		return count_ipv6bw(ev);
	case IPL_KIND_IPV6GW:
		if (ev->type == IPL_EVENT_VPC_DELETED)
			return -(int64_t)(ev->vpc_deleted.gateway != 0);
		return ev->type == IPL_EVENT_IPV6GW_CREATED ? 1 : -1;
	case IPL_KIND_INSTANCE:
		if (ev->type == IPL_EVENT_INSTANCES_LAUNCHED)
			return ev->instances_launched.instances.count;
		return -1;
	default: /* one begins with the one type, and one ends with the other */
		return ev->type == IPL_EVENT_VPC_DELETED || ev->type == IPL_EVENT_VSWITCH_DELETED ||
				       ev->type == IPL_EVENT_EIP_RELEASED ?
			       -1 :
			       1;
	}
}
