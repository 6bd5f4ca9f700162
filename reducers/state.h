/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the events come to. An entity is folded from its own chain alone: its
 * previous state and an event, never another entity. What is no entity (the
 * settings, the pools and pickers, the counters) is folded in the log's order.
 *
 * Numbers name entities (see events/ident.h); 0 is none.
 */
#ifndef IPL_REDUCERS_STATE_H
#define IPL_REDUCERS_STATE_H

#include "events/event.h"
#include "reducers/block.h"

/* Of a vSwitch: the first and the last three addresses are the cloud's. */
#define IPL_RESERVED_FIRST 1u
#define IPL_RESERVED_LAST  3u
/* … of which the third from the end is its gateway. */
#define IPL_GATEWAY_FROM_LAST 2u
/* The same of its IPv6 block: the first and the last nine. */
#define IPL_IPV6_RESERVED_FIRST 1u
#define IPL_IPV6_RESERVED_LAST  9u
/* A VPC's IPv6 block, and that of a vSwitch in it. */
#define IPL_VPC_IPV6_PREFIX     56
#define IPL_VSWITCH_IPV6_PREFIX 64
/* Of a public pool: the first and the last are not handed out. */
#define IPL_POOL_RESERVED 1u

/** Words and lists that an entity carries and that decide nothing. One block of memory. */
struct ipl_notes {
	struct ipl_str name;
	struct ipl_str description;
	struct ipl_str zone;
	struct ipl_str type; /* instance type; of an EIP its ISP */
	struct ipl_str image;
	struct ipl_str host_name;
	struct ipl_ev_label_list security_groups;
	struct ipl_ev_tag_list tags;
};

/* Numbers in the order in which they came. */
struct ipl_numbers {
	uint64_t *at;
	uint32_t count;
	uint32_t cap;
};

/* What every entity has. */
struct ipl_base {
	bool alive;
	uint64_t first_seq; /* of the event that made it */
	uint64_t last_seq;  /* of the last one that touched it */
	int64_t created_ms;
	struct ipl_notes *notes;
};

struct ipl_ledger_state {
	struct ipl_base base;
	struct ipl_arena arena; /* holds the settings */
	struct ipl_ev_settings settings;
};

#define IPL_SECONDARY_CIDRS_MAX 5u

struct ipl_vpc {
	struct ipl_base base;
	struct ipl_cidr4 cidr;
	struct ipl_cidr4 secondary[IPL_SECONDARY_CIDRS_MAX];
	uint32_t secondary_count;
	struct ipl_cidr6 ipv6_cidr;
	uint64_t gateway; /* the IPv6 one; 0: none */
	struct ipl_numbers vswitches;
};

/* IPv4 addresses of a vSwitch that were freed under a reuse delay. */
struct ipl_cooling_ip {
	int64_t until_ms; /* then it is as free as any */
	uint32_t ip;
};
struct ipl_cooling_list {
	struct ipl_cooling_ip *at;
	uint32_t count;
	uint32_t cap;
};

struct ipl_vswitch {
	struct ipl_base base;
	uint64_t vpc;
	struct ipl_cidr4 cidr;
	struct ipl_cidr6 ipv6_cidr;
	uint64_t used; /* IPv4 addresses in use */
	uint64_t ipv6_used;
	struct ipl_cooling_list cooling;
};

struct ipl_instance {
	struct ipl_base base;
	uint64_t vpc;
	enum ipl_run state;
	enum ipl_stopped stopped_mode;
	enum ipl_charge charge;
	bool address_changed;     /* since it was stopped: once is all */
	bool public_ip_reclaimed; /* by the last stop: the next start gives a new one */
	uint32_t public_ip;       /* 0: none */
	uint64_t bandwidth_out;
	uint64_t bandwidth_in;
	uint64_t eip;            /* paired with the primary private address */
	struct ipl_numbers enis; /* in the order of attachment; the first is the primary one */
};

struct ipl_eni_address {
	uint32_t ip;
	enum ipl_mode mode; /* of eip */
	uint64_t eip;       /* paired with it; 0: none */
};

struct ipl_eni {
	struct ipl_base base;
	uint64_t vpc;
	uint64_t vswitch;
	uint64_t instance; /* 0: available */
	bool is_primary;
	bool delete_on_release;
	struct ipl_eni_address *address; /* the first is the primary one */
	uint32_t address_count;
	struct ipl_numbers ipv6;
};

struct ipl_eip {
	struct ipl_base base;
	uint32_t ip;
	enum ipl_charge charge;
	enum ipl_mode mode;
	uint32_t private_ip; /* what it is paired with; 0: nothing */
	uint64_t bandwidth;
	uint64_t eni;
	uint64_t instance; /* whose EIP it is, by the primary private address */
	uint64_t vpc;
};

struct ipl_ipv6 {
	struct ipl_base base;
	struct ipl_ip6 ip;
	uint64_t vpc;
	uint64_t vswitch;
	uint64_t eni;
	uint64_t bandwidth; /* public bandwidth; 0: none, it is private */
};

struct ipl_ipv6gw {
	struct ipl_base base;
	uint64_t vpc;
};

struct ipl_ipv6bw {
	struct ipl_base base;
	uint64_t ipv6;
	uint64_t vpc;
	uint64_t mbps;
	enum ipl_charge charge;
};

/** Any entity; read the member that its kind names. */
union ipl_entity {
	struct ipl_base base;
	struct ipl_ledger_state ledger;
	struct ipl_vpc vpc;
	struct ipl_vswitch vswitch;
	struct ipl_instance instance;
	struct ipl_eni eni;
	struct ipl_eip eip;
	struct ipl_ipv6 ipv6;
	struct ipl_ipv6gw ipv6gw;
	struct ipl_ipv6bw ipv6bw;
};

enum ipl_role {
	IPL_ROLE_NONE = 0,
	IPL_ROLE_PRIMARY,
	IPL_ROLE_SECONDARY,
	IPL_ROLE_PUBLIC_IP,
	IPL_ROLE_EIP,
	IPL_ROLE_IPV6,
};
/** "PrimaryPrivate", "SecondaryPrivate", "PublicIp", "Eip", "Ipv6" */
const char *ipl_role_word(enum ipl_role role);

/** Who has an address, and since when. Folded from the address's own chain. */
struct ipl_holding {
	enum ipl_role role; /* NONE: nobody */
	uint64_t eni;       /* 0: an EIP that is bound to nothing */
	uint64_t vswitch;   /* of a private address */
	uint64_t eip;
	uint64_t since_seq;
	int64_t since_ms;
	int64_t cool_until; /* of a free one: not to be picked before */
};

/** How many of its addresses cool down at @now_ms; *@next_ms: when the next one is free (0: none).
 */
uint64_t ipl_vswitch_cooling(const struct ipl_vswitch *vswitch, int64_t now_ms, int64_t *next_ms);
/** Whether @ip is one of the addresses of its /64 that are the cloud's. */
bool ipl_ip6_is_reserved(struct ipl_ip6 ip);
/** Whether @ip is in any block of @vpc. */
bool ipl_vpc_contains(const struct ipl_vpc *vpc, uint32_t ip);

/* --- folding one thing alone --- */

/** The size of an entity of @kind in a table of its own. */
size_t ipl_entity_size(enum ipl_kind kind);

/**
 * Fold @ev, which touches it, into the entity @kind @number. An entity that
 * does not exist is all zeros; one that goes is released and only its last_seq stays.
 *
 * @retval IPL_ERR_CORRUPT  the event cannot have happened to it
 * @retval IPL_ERR_NOMEM    the entity is not to be used any more
 */
enum ipl_status ipl_reduce_entity(enum ipl_kind kind, uint64_t number, union ipl_entity *entity,
				  const struct ipl_event *ev, struct ipl_error *err) IPL_MUST_USE;
/** A copy of its own of a living or dead entity; false without memory, then @to is all zeros. */
bool ipl_entity_copy(enum ipl_kind kind, const union ipl_entity *from, union ipl_entity *to);
/** Give back what it holds, and zero it. */
void ipl_entity_release(enum ipl_kind kind, union ipl_entity *entity);

/** The same for who has an address; @key is of an address kind. */
enum ipl_status ipl_reduce_holding(struct ipl_key key, struct ipl_holding *holding,
				   const struct ipl_event *ev, struct ipl_error *err) IPL_MUST_USE;

/**
 * Whether @ev, which touches the address @key, gives it to somebody out of nobody's
 * hands: what was before does not matter then.
 */
bool ipl_holding_begins(struct ipl_key key, const struct ipl_event *ev);

/* --- the whole state --- */

struct ipl_state;

/** The state of the empty log. NULL without memory. */
struct ipl_state *ipl_state_new(void);
void ipl_state_free(struct ipl_state *state);
/**
 * What would be: a state that begins as @under is and can be folded on, while
 * @under stays as it is. It costs what changes. @under must be advanced to the
 * time of the events and must outlive the fork unchanged. NULL without memory.
 */
struct ipl_state *ipl_state_fork(const struct ipl_state *under);

/** A state of its own that is as @from (no fork) is; both may be folded on. NULL without memory. */
struct ipl_state *ipl_state_copy(const struct ipl_state *from);

/**
 * From here on @state takes what no log has: new entities whose numbers come in
 * any order, and seqs with holes between. What it numbers itself begins at @next,
 * by kind, which is above all that will come. For histories that never were.
 */
void ipl_state_loosen(struct ipl_state *state, const uint64_t next[IPL_KIND_COUNT]);

/**
 * Fold the next event into the whole state. @touches are those of the event.
 * After anything but IPL_OK the state is good for ipl_state_free() only.
 *
 * @retval IPL_ERR_CORRUPT  the event does not follow: what makes no sense stands in @err
 */
enum ipl_status ipl_reduce(struct ipl_state *state, const struct ipl_event *ev,
			   const struct ipl_touches *touches, struct ipl_error *err) IPL_MUST_USE;

/**
 * An event that touches @touches will be folded soon: have where those things stand on its way
 * from memory, and some events later what that leads to. It changes nothing. @state is no fork.
 */
void ipl_state_fetch(const struct ipl_state *state, const struct ipl_touches *touches);
void ipl_state_fetch_more(const struct ipl_state *state, const struct ipl_touches *touches);

/**
 * It is @now_ms: what has cooled down by then may be picked again. That may be earlier than
 * was said before, as a request that appended nothing leaves no trace, but
 * not earlier than the last event. ipl_reduce() calls this with the event's.
 */
void ipl_state_advance(struct ipl_state *state, int64_t now_ms);

uint64_t ipl_state_seq(const struct ipl_state *state);
/** The time of the last event; 0 before the first. */
int64_t ipl_state_time_ms(const struct ipl_state *state);

/** An entity that lives; NULL is normal. Borrowed until the next ipl_reduce(). */
const union ipl_entity *ipl_state_find(const struct ipl_state *state, enum ipl_kind kind,
				       uint64_t number);
static inline const struct ipl_vpc *ipl_state_vpc(const struct ipl_state *state, uint64_t number)
{
	return (const struct ipl_vpc *)ipl_state_find(state, IPL_KIND_VPC, number);
}
static inline const struct ipl_vswitch *ipl_state_vswitch(const struct ipl_state *state,
							  uint64_t number)
{
	return (const struct ipl_vswitch *)ipl_state_find(state, IPL_KIND_VSWITCH, number);
}
static inline const struct ipl_instance *ipl_state_instance(const struct ipl_state *state,
							    uint64_t number)
{
	return (const struct ipl_instance *)ipl_state_find(state, IPL_KIND_INSTANCE, number);
}
static inline const struct ipl_eni *ipl_state_eni(const struct ipl_state *state, uint64_t number)
{
	return (const struct ipl_eni *)ipl_state_find(state, IPL_KIND_ENI, number);
}
static inline const struct ipl_ipv6 *ipl_state_ipv6(const struct ipl_state *state, uint64_t number)
{
	return (const struct ipl_ipv6 *)ipl_state_find(state, IPL_KIND_IPV6, number);
}
static inline const struct ipl_ipv6bw *ipl_state_ipv6bw(const struct ipl_state *state,
							uint64_t number)
{
	return (const struct ipl_ipv6bw *)ipl_state_find(state, IPL_KIND_IPV6BW, number);
}
static inline const struct ipl_eip *ipl_state_eip(const struct ipl_state *state, uint64_t number)
{
	return (const struct ipl_eip *)ipl_state_find(state, IPL_KIND_EIP, number);
}
/** The ledger and its settings; NULL before the first event. */
const struct ipl_ledger_state *ipl_state_ledger(const struct ipl_state *state);
uint64_t ipl_state_ledger_number(const struct ipl_state *state);
struct ipl_region_letters ipl_state_letters(const struct ipl_state *state);

/** The next living entity of @kind with a number above @after; 0 where there is none. */
uint64_t ipl_state_next(const struct ipl_state *state, enum ipl_kind kind, uint64_t after);
/** How many of @kind live. */
uint64_t ipl_state_count(const struct ipl_state *state, enum ipl_kind kind);
/** The number that the next entity of @kind gets. */
uint64_t ipl_state_next_number(const struct ipl_state *state, enum ipl_kind kind);

/** Who has the address now: role NONE and perhaps cool_until where nobody has. */
struct ipl_holding ipl_state_holding(const struct ipl_state *state, struct ipl_key key);

/** Every address that is held, in no order. @state is no fork. */
void ipl_state_each_holding(const struct ipl_state *state,
			    void (*fn)(void *context, struct ipl_key key,
				       const struct ipl_holding *holding),
			    void *context);

/** The block of a living vSwitch. */
const struct ipl_block *ipl_state_block(const struct ipl_state *state, uint64_t vswitch);
/** The public pools, in the order of the settings. */
const struct ipl_block *ipl_state_pool(const struct ipl_state *state, uint32_t index);
uint32_t ipl_state_pool_count(const struct ipl_state *state);
/**
 * Of each of the first @count pools: how many addresses are kept from picking because they were
 * freed (@listed), and how many of those still cool down at @now_ms. @state is no fork.
 */
void ipl_state_pools_cooling(const struct ipl_state *state, int64_t now_ms, uint32_t count,
			     uint64_t *listed, uint64_t *cooling);
/** The pool that was picked from last: picking goes on there. */
uint32_t ipl_state_pool_position(const struct ipl_state *state);
/** The VPC that has the /56 whose first 64 bits are @hi; 0: nobody. */
uint64_t ipl_state_ipv6_block_owner(const struct ipl_state *state, uint64_t hi);
/** The /56 after the one that was given last: picking goes on there. */
uint64_t ipl_state_ipv6_block_position(const struct ipl_state *state);
/** The interface id in a vSwitch's /64 at which picking goes on. */
uint64_t ipl_state_ipv6_position(const struct ipl_state *state, uint64_t vswitch);

#endif
