/* SPDX-License-Identifier: Apache-2.0 */
/* What decide and read functions share. */
#ifndef IPL_OPERATIONS_INTERNAL_H
#define IPL_OPERATIONS_INTERNAL_H

#include "operations/operation.h"

#define W(NAME, Name, params, decide, flags) \
	enum ipl_status ipl_decide_##decide(struct ipl_decision *d);
IPL_WRITE_LIST(W)
#undef W
#define R(Name, params, read, flags) enum ipl_status ipl_read_##read(struct ipl_read *r);
IPL_READ_LIST(R)
#undef R

/* Secondary IPv4 addresses of an interface that is attached to nothing. */
#define IPL_FREE_ENI_SECONDARY_MAX 49u
/* IPv6 addresses of the same. */
#define IPL_FREE_ENI_IPV6_MAX 10u

/* --- refusals that many share; each fills d->err --- */

/** Refuse with @code; facts: Detail.Ids = [@id]. */
enum ipl_status ipl_refuse_id(struct ipl_error *err, enum ipl_code code, struct ipl_str id,
			      const char *format, ...) IPL_PRINTF(4, 5);
/** "… is @state; it must be @allowed", Detail: Id, State, Allowed, Ids. */
enum ipl_status ipl_refuse_state(struct ipl_decision *d, enum ipl_code code, enum ipl_kind kind,
				 uint64_t number, const char *state, const char *allowed);
/** Refuse because up to 10 entities of @kind stand in the way (@total in all). */
enum ipl_status ipl_refuse_dependency(struct ipl_decision *d, enum ipl_code code,
				      enum ipl_kind kind, const uint64_t *numbers, uint32_t count,
				      uint64_t total, const char *what);
enum ipl_status ipl_refuse_parameter(struct ipl_error *err, enum ipl_code code, const char *name,
				     const char *format, ...) IPL_PRINTF(4, 5);
/** Add "Id" and "Ids" of an entity to a refusal that was just made. */
enum ipl_status ipl_refused_entity(struct ipl_decision *d, enum ipl_kind kind, uint64_t number);

/** Add to a refusal which @rule it was (a quota, or a column of the type table), its limit, how
 * many there are and how many more were asked for. */
enum ipl_status ipl_refused_limit(struct ipl_decision *d, const char *rule, uint64_t limit,
				  uint64_t count, uint64_t requested);

/* --- what is named must exist; NULL with the refusal in @err --- */

const struct ipl_vpc *ipl_named_vpc(struct ipl_decision *d, struct ipl_str id, uint64_t *number);
const struct ipl_vswitch *ipl_named_vswitch(struct ipl_decision *d, struct ipl_str id,
					    uint64_t *number);
const struct ipl_instance *ipl_named_instance(struct ipl_decision *d, struct ipl_str id,
					      enum ipl_code code, uint64_t *number);
const struct ipl_eni *ipl_named_eni(struct ipl_decision *d, struct ipl_str id, enum ipl_code code,
				    uint64_t *number);
const struct ipl_eip *ipl_named_eip(struct ipl_decision *d, struct ipl_str id, uint64_t *number);

const struct ipl_ipv6 *ipl_named_ipv6(struct ipl_decision *d, struct ipl_str id, enum ipl_code code,
				      uint64_t *number);
const struct ipl_ipv6gw *ipl_named_ipv6gw(struct ipl_decision *d, struct ipl_str id,
					  uint64_t *number);
const struct ipl_ipv6bw *ipl_named_ipv6bw(struct ipl_decision *d, struct ipl_str id,
					  uint64_t *number);

/** Whether the ledger has that zone. */
enum ipl_status ipl_named_zone(struct ipl_decision *d, struct ipl_str zone);

/* --- limits --- */

const struct ipl_ev_settings *ipl_settings(const struct ipl_decision *d);
/** A quota of the settings by name; UINT64_MAX where none is set. */
uint64_t ipl_quota(const struct ipl_decision *d, const char *name);
enum ipl_status ipl_check_quota(struct ipl_decision *d, enum ipl_code code, const char *name,
				uint64_t used, uint64_t more);
/** What the type of a living instance takes. */
struct ipl_type_limits ipl_instance_limits(const struct ipl_decision *d,
					   const struct ipl_instance *instance);
/** The quota of private addresses of a VPC. */
enum ipl_status ipl_check_vpc_addresses(struct ipl_decision *d, uint64_t vpc, uint64_t more);
/** Until when an address that is freed now cools down; 0: it does not. */
int64_t ipl_cool_until(const struct ipl_decision *d);
uint64_t ipl_next_number(const struct ipl_decision *d, enum ipl_kind kind);

/* --- addresses --- */

/** Which codes a family answers with for a private address that was asked for by name. */
struct ipl_address_codes {
	enum ipl_code outside;
	enum ipl_code reserved;
	enum ipl_code taken;
};

/** Whether @text, the parameter @name, is an IPv4 address, empty or absent. Belongs to the ranges.
 */
enum ipl_status ipl_check_ip4_text(struct ipl_decision *d, const char *name, struct ipl_str text);
/** The same for each of a list. */
enum ipl_status ipl_check_ip4_texts(struct ipl_decision *d, const char *name,
				    const struct ipl_strs *texts);
/**
 * Take @ip by name in @vswitch for this decision. @text is an address. Refused where it is not in
 * the block, reserved, or held; IPL_CODE_IP_REPEATED where the decision has it already.
 */
enum ipl_status ipl_take_named(struct ipl_decision *d, uint64_t vswitch, struct ipl_str text,
			       const struct ipl_address_codes *codes, struct ipl_ev_address *out);
/** Pick the next @count addresses of @vswitch into @out. Call after all names are taken. */
enum ipl_status ipl_pick_private(struct ipl_decision *d, uint64_t vswitch, uint32_t count,
				 struct ipl_ev_address *out);
/** Whether @wanted more addresses can be picked; refused with how many are free, asked for, in all.
 */
enum ipl_status ipl_check_room(struct ipl_decision *d, uint64_t vswitch, uint64_t wanted);
/** How many addresses of @vswitch may still be picked in this decision. */
uint64_t ipl_pickable(struct ipl_decision *d, uint64_t vswitch);
/** "@ip @why", of an address that cannot be taken from @eni. */
enum ipl_status ipl_refuse_unassign(struct ipl_decision *d, enum ipl_code code, uint64_t eni,
				    struct ipl_str ip, const char *why);
/** Pick the next public address; refused with @code where the pools are empty. */
enum ipl_status ipl_pick_public(struct ipl_decision *d, enum ipl_code code, uint32_t *out);
/** How many public addresses can be picked. */
uint64_t ipl_public_pickable(const struct ipl_decision *d);

/** "… is in use by …": facts: Address, Holder, SinceSeq, SinceTime. */
enum ipl_status ipl_refuse_held(struct ipl_decision *d, enum ipl_code code,
				struct ipl_value address, const struct ipl_holding *holding);

/* --- IPv6 --- */

/** Pick the next free /56 of the IPv6 pool. */
enum ipl_status ipl_pick_ipv6_block(struct ipl_decision *d, struct ipl_cidr6 *out);
/** A VPC's block is the system's choice. */
enum ipl_status ipl_refuse_ipv6_choice(struct ipl_decision *d);
/** The /64 with @index of @vpc for the vSwitch @self (0: a new one); refused where it is not to be
 * had. */
enum ipl_status ipl_vswitch_ipv6_block(struct ipl_decision *d, uint64_t vpc, uint64_t self,
				       int64_t index, struct ipl_cidr6 *out);
enum ipl_status ipl_check_ipv6_on(struct ipl_decision *d, uint64_t vswitch);
enum ipl_status ipl_check_ipv6_unused(struct ipl_decision *d, uint64_t vswitch);
/** Not both members, and each name an IPv6 address. Belongs to the ranges. */
enum ipl_status ipl_check_ipv6_names(struct ipl_decision *d, const struct ipl_strs *names,
				     int64_t count);
/** Refuse @more addresses beside @count where the type takes @limit. */
enum ipl_status ipl_refuse_ipv6_limit(struct ipl_decision *d, struct ipl_str type, uint32_t limit,
				      uint32_t count, uint32_t more);

/** Where a decision goes on numbering and picking IPv6 addresses of one vSwitch. Begin with zeros.
 */
struct ipl_ipv6_cursor {
	uint64_t number;
	uint64_t from;
};
/** Take @names, then pick @count more, into @out. */
enum ipl_status ipl_take_ipv6(struct ipl_decision *d, uint64_t vswitch,
			      const struct ipl_strs *names, uint32_t count,
			      const struct ipl_address_codes *codes, struct ipl_ipv6_cursor *cursor,
			      struct ipl_ev_ipv6_list *out);
/** What goes when the IPv6 address @number goes. */
struct ipl_ev_freed_ipv6 ipl_free_ipv6(const struct ipl_decision *d, uint64_t number);

/* --- parts of events --- */

struct ipl_ev_tag_list ipl_tags(struct ipl_decision *d, const struct ipl_any_list *tags);
struct ipl_ev_label_list ipl_labels(struct ipl_decision *d, struct ipl_str one,
				    const struct ipl_strs *many);
/** What goes when interface @number goes. */
void ipl_free_eni(struct ipl_decision *d, uint64_t number, struct ipl_ev_freed_eni *out);
enum ipl_charge ipl_charge_of(struct ipl_str word);
/** Whether @text is one of @words, split by |. */
bool ipl_is_word(const char *words, struct ipl_str text);
/** Begin the decision's event. */
void ipl_decided(struct ipl_decision *d, enum ipl_event_type type);

#define IPL_ARGS(d, name) const struct ipl_args_##name *args = (d)->args

#endif
