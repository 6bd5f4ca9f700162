/* SPDX-License-Identifier: Apache-2.0 */
/* Which reducer folds which kind, and what an entity gives back when it goes. */
#include "reducers/reduce_internal.h"

#include <assert.h>

size_t ipl_entity_size(enum ipl_kind kind)
{
	switch (kind) {
	case IPL_KIND_LEDGER:
		return sizeof(struct ipl_ledger_state);
	case IPL_KIND_VPC:
		return sizeof(struct ipl_vpc);
	case IPL_KIND_VSWITCH:
		return sizeof(struct ipl_vswitch);
	case IPL_KIND_INSTANCE:
		return sizeof(struct ipl_instance);
	case IPL_KIND_ENI:
		return sizeof(struct ipl_eni);
	case IPL_KIND_EIP:
		return sizeof(struct ipl_eip);
	case IPL_KIND_IPV6:
		return sizeof(struct ipl_ipv6);
	case IPL_KIND_NONE:
	case IPL_KIND_IPV6GW:
	case IPL_KIND_IPV6BW:
	case IPL_KIND_COUNT:
	case IPL_KIND_IP4:
	case IPL_KIND_IP6:
		break;
	}
	return sizeof(struct ipl_base);
}

static void release_own(enum ipl_kind kind, union ipl_entity *entity)
{
	if (kind == IPL_KIND_LEDGER) {
		ipl_arena_release(&entity->ledger.arena);
	} else if (kind == IPL_KIND_VPC) {
		free(entity->vpc.vswitches.at);
	} else if (kind == IPL_KIND_INSTANCE) {
		free(entity->instance.enis.at);
	} else if (kind == IPL_KIND_ENI) {
		free(entity->eni.address);
		free(entity->eni.ipv6.at);
	}
}

void ipl_entity_release(enum ipl_kind kind, union ipl_entity *entity)
{
	free(entity->base.notes);
	release_own(kind, entity);
	memset(entity, 0, ipl_entity_size(kind));
}

static enum ipl_status reduce_kind(enum ipl_kind kind, uint64_t number, union ipl_entity *entity,
				   const struct ipl_event *ev, struct ipl_error *err)
{
	switch (kind) {
	case IPL_KIND_LEDGER:
		return ipl_reduce_ledger(number, &entity->ledger, ev, err);
	case IPL_KIND_VPC:
		return ipl_reduce_vpc(number, &entity->vpc, ev, err);
	case IPL_KIND_VSWITCH:
		return ipl_reduce_vswitch(number, &entity->vswitch, ev, err);
	case IPL_KIND_INSTANCE:
		return ipl_reduce_instance(number, &entity->instance, ev, err);
	case IPL_KIND_ENI:
		return ipl_reduce_eni(number, &entity->eni, ev, err);
	case IPL_KIND_EIP:
		return ipl_reduce_eip(number, &entity->eip, ev, err);
	case IPL_KIND_IPV6:
		return ipl_reduce_ipv6(number, &entity->ipv6, ev, err);
	case IPL_KIND_NONE:
	case IPL_KIND_IPV6GW:
	case IPL_KIND_IPV6BW:
	case IPL_KIND_COUNT:
	case IPL_KIND_IP4:
	case IPL_KIND_IP6:
		break;
	}
	return ipl_damage(ev, err, "there is no entity of kind %d", (int)kind);
}

enum ipl_status ipl_reduce_entity(enum ipl_kind kind, uint64_t number, union ipl_entity *entity,
				  const struct ipl_event *ev, struct ipl_error *err)
{
	enum ipl_status st = reduce_kind(kind, number, entity, ev, err);

	if (st != IPL_OK)
		return st;
	if (!entity->base.alive)
		ipl_entity_release(kind, entity);
	entity->base.last_seq = ev->seq;
	return IPL_OK;
}
