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
	case IPL_KIND_IPV6GW:
		return sizeof(struct ipl_ipv6gw);
	case IPL_KIND_IPV6BW:
		return sizeof(struct ipl_ipv6bw);
	case IPL_KIND_NONE:
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
	} else if (kind == IPL_KIND_VSWITCH) {
		free(entity->vswitch.cooling.at);
	} else if (kind == IPL_KIND_INSTANCE) {
		free(entity->instance.enis.at);
	} else if (kind == IPL_KIND_ENI) {
		free(entity->eni.address);
		free(entity->eni.ipv6.at);
	}
}

/* A copy of @bytes at *@at in its place; nothing is fine. */
static bool copy_bytes(void *at, const void *from, size_t bytes)
{
	void *copy = NULL;

	if (bytes > 0) {
		copy = malloc(bytes);
		if (copy == NULL)
			return false;
		memcpy(copy, from, bytes);
	}
	memcpy(at, &copy, sizeof(copy));
	return true;
}

static bool copy_numbers(struct ipl_numbers *to, const struct ipl_numbers *from)
{
	*to = (struct ipl_numbers){ NULL, from->count, from->count };
	return copy_bytes(&to->at, from->at, from->count * sizeof(*from->at));
}

static bool copy_own(enum ipl_kind kind, const union ipl_entity *from, union ipl_entity *to)
{
	if (kind == IPL_KIND_LEDGER) {
		ipl_arena_init(&to->ledger.arena, from->ledger.arena.limit_bytes);
		ipl_record_copy(&to->ledger.arena, &ipl_record_settings, &from->ledger.settings,
				&to->ledger.settings);
		return !to->ledger.arena.failed;
	}
	if (kind == IPL_KIND_VPC)
		return copy_numbers(&to->vpc.vswitches, &from->vpc.vswitches);
	if (kind == IPL_KIND_VSWITCH) {
		to->vswitch.cooling.cap = from->vswitch.cooling.count;
		return copy_bytes(&to->vswitch.cooling.at, from->vswitch.cooling.at,
				  from->vswitch.cooling.count * sizeof(*from->vswitch.cooling.at));
	}
	if (kind == IPL_KIND_INSTANCE)
		return copy_numbers(&to->instance.enis, &from->instance.enis);
	if (kind == IPL_KIND_ENI)
		return copy_bytes(&to->eni.address, from->eni.address,
				  from->eni.address_count * sizeof(*from->eni.address)) &&
		       copy_numbers(&to->eni.ipv6, &from->eni.ipv6);
	return true;
}

/* What a copy must not share with what it was copied from. */
static void forget_own(enum ipl_kind kind, union ipl_entity *entity)
{
	entity->base.notes = NULL;
	if (kind == IPL_KIND_LEDGER)
		memset(&entity->ledger.arena, 0, sizeof(entity->ledger.arena));
	else if (kind == IPL_KIND_VPC)
		entity->vpc.vswitches.at = NULL;
	else if (kind == IPL_KIND_VSWITCH)
		entity->vswitch.cooling.at = NULL;
	else if (kind == IPL_KIND_INSTANCE)
		entity->instance.enis.at = NULL;
	else if (kind == IPL_KIND_ENI) {
		entity->eni.address = NULL;
		entity->eni.ipv6.at = NULL;
	}
}

bool ipl_entity_copy(enum ipl_kind kind, const union ipl_entity *from, union ipl_entity *to)
{
	memcpy(to, from, ipl_entity_size(kind));
	forget_own(kind, to);
	if (!from->base.alive)
		return true;
	to->base.notes = ipl_notes_copy(from->base.notes);
	if (to->base.notes != NULL && copy_own(kind, from, to))
		return true;
	ipl_entity_release(kind, to);
	return false;
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
	case IPL_KIND_IPV6GW:
		return ipl_reduce_ipv6gw(number, &entity->ipv6gw, ev, err);
	case IPL_KIND_IPV6BW:
		return ipl_reduce_ipv6bw(number, &entity->ipv6bw, ev, err);
	case IPL_KIND_NONE:
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
