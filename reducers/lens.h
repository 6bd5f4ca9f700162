/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at the state as of one moment, wherever it comes from: the live state,
 * or one folded from the log. Everything that reads entities reads through it,
 * so that a read of the past and a read of now are the same code.
 */
#ifndef IPL_REDUCERS_LENS_H
#define IPL_REDUCERS_LENS_H

#include "reducers/state.h"

struct ipl_lens {
	void *context;
	uint64_t seq;          /* the state after this event */
	int64_t time_ms;       /* what is cooling is judged at this time */
	struct ipl_str region; /* the ledger's, for ever; borrowed */
	struct ipl_region_letters letters;
	uint64_t ledger; /* the ledger's number */
	/* The first time at which anything that was looked at is another by the clock alone; 0: at
	 * none. Looks make it earlier; who wants to know sets it to 0 before. */
	int64_t cooled_ms;
	/* The first failure of a look; after it looks find nothing. */
	enum ipl_status status;
	struct ipl_error *err;

	const union ipl_entity *(*find)(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number);
	struct ipl_holding (*holding)(struct ipl_lens *lens, struct ipl_key key);
	/* The last event that touched an entity, until then; NULL where that is not known. */
	uint64_t (*last)(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number);
	void *last_context;
	/* Scans: NULL where only single things can be looked at. */
	uint64_t (*next)(struct ipl_lens *lens, enum ipl_kind kind, uint64_t after);
	uint64_t (*count)(struct ipl_lens *lens, enum ipl_kind kind);
};

/** Looks at @state, which must outlive it unchanged. */
void ipl_lens_of_state(struct ipl_lens *lens, const struct ipl_state *state, int64_t time_ms,
		       struct ipl_error *err);

/** What was looked at cools until @until_ms; 0: it does not. */
static inline void ipl_lens_cools(struct ipl_lens *lens, int64_t until_ms)
{
	if (until_ms != 0 && (lens->cooled_ms == 0 || until_ms < lens->cooled_ms))
		lens->cooled_ms = until_ms;
}

static inline const struct ipl_vpc *ipl_lens_vpc(struct ipl_lens *lens, uint64_t number)
{
	return (const struct ipl_vpc *)lens->find(lens, IPL_KIND_VPC, number);
}
static inline const struct ipl_vswitch *ipl_lens_vswitch(struct ipl_lens *lens, uint64_t number)
{
	return (const struct ipl_vswitch *)lens->find(lens, IPL_KIND_VSWITCH, number);
}
static inline const struct ipl_eni *ipl_lens_eni(struct ipl_lens *lens, uint64_t number)
{
	return (const struct ipl_eni *)lens->find(lens, IPL_KIND_ENI, number);
}
static inline const struct ipl_eip *ipl_lens_eip(struct ipl_lens *lens, uint64_t number)
{
	return (const struct ipl_eip *)lens->find(lens, IPL_KIND_EIP, number);
}

static inline const struct ipl_ipv6 *ipl_lens_ipv6(struct ipl_lens *lens, uint64_t number)
{
	return (const struct ipl_ipv6 *)lens->find(lens, IPL_KIND_IPV6, number);
}
static inline const struct ipl_ipv6bw *ipl_lens_ipv6bw(struct ipl_lens *lens, uint64_t number)
{
	return (const struct ipl_ipv6bw *)lens->find(lens, IPL_KIND_IPV6BW, number);
}

/**
 * What an entity shows: the members of one element of its Describe read. Those
 * of other entities (an ENI's EIP address) are looked up through the same lens.
 */
struct ipl_value ipl_show(struct ipl_arena *arena, struct ipl_lens *lens, enum ipl_kind kind,
			  uint64_t number, const union ipl_entity *entity);

/* What a member of an entity is made of. */
enum ipl_member_class {
	IPL_MEMBER_OWN = 1,    /* is another only after an event that touches the entity */
	IPL_MEMBER_PAIRED = 2, /* a map of another entity; its own is which one, the first member */
	IPL_MEMBER_JOINED = 4, /* another entity's */
	IPL_MEMBER_CONSTANT = 8, /* never another while it lives */
	IPL_MEMBER_COUNT = 16,   /* follows from others, and from the clock */
};
#define IPL_MEMBERS_ALL 31u

struct ipl_member_info {
	const char *name;
	enum ipl_member_class member_class;
};
/** The members that entities of @kind show, in their order. */
const struct ipl_member_info *ipl_members_of(enum ipl_kind kind, size_t *count);
/** The same as ipl_show(), but only members of @classes (a mask): others are not looked up. */
struct ipl_value ipl_show_only(struct ipl_arena *arena, struct ipl_lens *lens, enum ipl_kind kind,
			       uint64_t number, const union ipl_entity *entity, unsigned classes);
/** Whether an event of @type that touches an entity of @kind can change more of it than counts. */
bool ipl_changes_shown(enum ipl_kind kind, enum ipl_event_type type);

/** Who has the address @key, as every answer shows a holder; the instance is @lens's. */
struct ipl_value ipl_show_holding(struct ipl_arena *arena, struct ipl_lens *lens,
				  struct ipl_key key, const struct ipl_holding *holding);

/** An instance as the list of instances shows it: with its network interfaces. */
struct ipl_value ipl_show_listed_instance(struct ipl_arena *arena, struct ipl_lens *lens,
					  uint64_t number, const struct ipl_instance *instance);

/** An id as text in the arena; "" for number 0. */
struct ipl_value ipl_show_id(struct ipl_arena *arena, const struct ipl_lens *lens,
			     enum ipl_kind kind, uint64_t number);
struct ipl_value ipl_show_ip4(struct ipl_arena *arena, uint32_t ip);
struct ipl_value ipl_show_ip6(struct ipl_arena *arena, struct ipl_ip6 ip);
/** One IPv6 address of a network interface: Ipv6Address, Ipv6AddressId, Primary. */
struct ipl_value ipl_show_ipv6_of_eni(struct ipl_arena *arena, const struct ipl_lens *lens,
				      uint64_t number, struct ipl_ip6 ip);

/** The settings as `ModifyLedgerSettings` takes them. */
struct ipl_value ipl_show_settings(struct ipl_arena *arena, struct ipl_region_letters letters,
				   const struct ipl_ev_settings *settings);

#endif
