/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses a decision takes. Named ones are taken first; then addresses
 * are picked next fit, each after the one before, without those.
 */
#include "operations/operations_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "events/time.h"

struct named {
	uint64_t vswitch;
	uint32_t ip;
};

struct cursor {
	uint64_t vswitch;
	uint64_t from;   /* offset where the next search begins */
	uint64_t picked; /* in this decision */
	uint64_t named;  /* in this decision */
};

struct ipl_picks {
	struct named *named;
	uint32_t named_count;
	uint32_t named_cap;
	struct cursor *cursor;
	uint32_t cursor_count;
	uint32_t cursor_cap;
	uint32_t pool; /* public picks: the pool, and the offset in it */
	uint64_t pool_from;
	uint64_t pool_picked;
	bool pool_begun;
};

static struct ipl_picks *picks_of(struct ipl_decision *d)
{
	if (d->picks == NULL)
		d->picks = ipl_arena_alloc(d->arena, sizeof(*d->picks));
	return d->picks;
}

/* Room for one more of @size at *@at; false without. */
static bool room(struct ipl_decision *d, void **at, uint32_t count, uint32_t *cap, size_t size)
{
	uint32_t more = *cap == 0 ? 16 : *cap * 2;
	void *grown;

	if (count < *cap)
		return true;
	grown = ipl_arena_array(d->arena, more, size);
	if (grown == NULL)
		return false;
	if (count > 0)
		memcpy(grown, *at, count * size);
	*at = grown;
	*cap = more;
	return true;
}

static enum ipl_status no_memory(struct ipl_decision *d)
{
	return ipl_error_set(d->err, IPL_ERR_NOMEM, "out of memory while taking addresses");
}

/* The cursor of a vSwitch; NULL without memory. */
static struct cursor *cursor_of(struct ipl_decision *d, uint64_t vswitch)
{
	struct ipl_picks *picks = picks_of(d);
	void *at;

	if (picks == NULL)
		return NULL;
	for (uint32_t i = 0; i < picks->cursor_count; i++) {
		if (picks->cursor[i].vswitch == vswitch)
			return &picks->cursor[i];
	}
	at = picks->cursor;
	if (!room(d, &at, picks->cursor_count, &picks->cursor_cap, sizeof(*picks->cursor)))
		return NULL;
	picks->cursor = at;
	picks->cursor[picks->cursor_count] = (struct cursor){
		.vswitch = vswitch,
		.from = ipl_state_block(d->state, vswitch)->position,
	};
	return &picks->cursor[picks->cursor_count++];
}

static bool is_named(const struct ipl_picks *picks, uint64_t vswitch, uint32_t ip)
{
	for (uint32_t i = 0; i < picks->named_count; i++) {
		if (picks->named[i].vswitch == vswitch && picks->named[i].ip == ip)
			return true;
	}
	return false;
}

static bool is_reserved(struct ipl_cidr4 cidr, uint32_t ip)
{
	return ip - cidr.base < IPL_RESERVED_FIRST || ipl_cidr4_last(cidr) - ip < IPL_RESERVED_LAST;
}

static enum ipl_status refuse_address(struct ipl_decision *d, enum ipl_code code, struct ipl_str ip,
				      uint64_t vswitch, const char *why)
{
	char id[IPL_ID_TEXT_MAX], cidr[IPL_CIDR4_TEXT_MAX];

	ipl_id_format(ipl_state_letters(d->state), IPL_KIND_VSWITCH, vswitch, id);
	ipl_cidr4_format(ipl_state_vswitch(d->state, vswitch)->cidr, cidr);
	ipl_refuse(d->err, code, "%.*s %s of vSwitch %s (%s)", IPL_STR_ARG(ip), why, id, cidr);
	ipl_refused_entity(d, IPL_KIND_VSWITCH, vswitch);
	ipl_error_add(d->err, "Address", ipl_text(ipl_arena_str(d->arena, ip)));
	return IPL_REFUSED;
}

enum ipl_status ipl_refuse_held(struct ipl_decision *d, enum ipl_code code,
				struct ipl_value address, const struct ipl_holding *holding)
{
	bool is_eip = holding->role == IPL_ROLE_EIP;
	enum ipl_kind kind = is_eip ? IPL_KIND_EIP : IPL_KIND_ENI;
	uint64_t holder = is_eip ? holding->eip : holding->eni;
	char id[IPL_ID_TEXT_MAX], since[IPL_TIME_TEXT_MAX];

	ipl_id_format(ipl_state_letters(d->state), kind, holder, id);
	ipl_time_format(holding->since_ms, since);
	ipl_refuse(d->err, code,
		   "%.*s is in use by %s since event %" PRIu64 " (%s): ask for another address, "
		   "or release it there",
		   IPL_STR_ARG(address.str), id, holding->since_seq, since);
	ipl_refused_entity(d, kind, holder);
	ipl_error_add(d->err, "Address", address);
	ipl_error_add(d->err, "Holder", ipl_text_copy(d->arena, id));
	ipl_error_add(d->err, "SinceSeq", ipl_int((int64_t)holding->since_seq));
	ipl_error_add(d->err, "SinceTime", ipl_text_copy(d->arena, since));
	return IPL_REFUSED;
}

static enum ipl_status refuse_malformed(struct ipl_decision *d, const char *name,
					struct ipl_str text)
{
	ipl_refuse_parameter(d->err, IPL_CODE_ADDRESS_MALFORMED, name,
			     "%s \"%.*s\" is no IPv4 address such as 10.0.0.5", name,
			     (int)(text.len > 64 ? 64 : text.len), text.at);
	ipl_error_add(d->err, "Address", ipl_text(ipl_arena_str(d->arena, text)));
	return IPL_REFUSED;
}

enum ipl_status ipl_check_ip4_text(struct ipl_decision *d, const char *name, struct ipl_str text)
{
	uint32_t ip;

	return text.len == 0 || ipl_ip4_parse(text, &ip) ? IPL_OK : refuse_malformed(d, name, text);
}

enum ipl_status ipl_check_ip4_texts(struct ipl_decision *d, const char *name,
				    const struct ipl_strs *texts)
{
	uint32_t ip;

	for (uint32_t i = 0; i < texts->count; i++) {
		if (!ipl_ip4_parse(texts->at[i], &ip))
			return refuse_malformed(d, name, texts->at[i]);
	}
	return IPL_OK;
}

enum ipl_status ipl_take_named(struct ipl_decision *d, uint64_t vswitch, struct ipl_str text,
			       const struct ipl_address_codes *codes, struct ipl_ev_address *out)
{
	const struct ipl_vswitch *of = ipl_state_vswitch(d->state, vswitch);
	struct ipl_holding holding;
	struct cursor *cursor = cursor_of(d, vswitch);
	struct ipl_picks *picks = d->picks;
	void *at;
	uint32_t ip;

	if (cursor == NULL)
		return no_memory(d);
	if (!ipl_ip4_parse(text, &ip))
		return refuse_malformed(d, "PrivateIpAddress", text);
	if (!ipl_cidr4_contains(of->cidr, ip))
		return refuse_address(d, codes->outside, text, vswitch, "is outside the block");
	if (is_reserved(of->cidr, ip))
		return refuse_address(d, codes->reserved, text, vswitch,
				      "is one of the reserved addresses (first and last three)");
	if (is_named(picks, vswitch, ip))
		return refuse_address(d, IPL_CODE_IP_REPEATED, text, vswitch,
				      "is asked for twice in one request, in the block");
	holding = ipl_state_holding(d->state, ipl_key_ip4(of->vpc, ip));
	if (holding.role != IPL_ROLE_NONE)
		return ipl_refuse_held(d, codes->taken, ipl_show_ip4(d->arena, ip), &holding);
	at = picks->named;
	if (!room(d, &at, picks->named_count, &picks->named_cap, sizeof(*picks->named)))
		return no_memory(d);
	picks->named = at;
	picks->named[picks->named_count++] = (struct named){ vswitch, ip };
	/* One that cools down was not among those that can be picked. */
	cursor->named += ipl_block_is_available(ipl_state_block(d->state, vswitch), ip);
	*out = (struct ipl_ev_address){ .ip = ip, .picked = false };
	return IPL_OK;
}

uint64_t ipl_pickable(struct ipl_decision *d, uint64_t vswitch)
{
	const struct cursor *cursor = cursor_of(d, vswitch);
	uint64_t free_count = ipl_state_block(d->state, vswitch)->free_count;

	return cursor == NULL ? 0 : free_count - cursor->named - cursor->picked;
}

enum ipl_status ipl_check_room(struct ipl_decision *d, uint64_t vswitch, uint64_t wanted)
{
	const struct cursor *cursor = cursor_of(d, vswitch);
	struct ipl_cidr4 cidr = ipl_state_vswitch(d->state, vswitch)->cidr;
	uint64_t total = ipl_cidr4_size(cidr) - IPL_RESERVED_FIRST - IPL_RESERVED_LAST;
	uint64_t left = ipl_state_block(d->state, vswitch)->free_count;
	uint64_t used = ipl_state_vswitch(d->state, vswitch)->used;
	char id[IPL_ID_TEXT_MAX], text[IPL_TIME_TEXT_MAX];
	int64_t next_ms;

	static_assert(IPL_TIME_TEXT_MAX >= IPL_CIDR4_TEXT_MAX, "text holds either");
	if (cursor == NULL)
		return no_memory(d);
	if (ipl_pickable(d, vswitch) >= wanted)
		return IPL_OK;
	ipl_id_format(ipl_state_letters(d->state), IPL_KIND_VSWITCH, vswitch, id);
	ipl_cidr4_format(cidr, text);
	wanted += cursor->named;
	ipl_refuse(d->err, IPL_CODE_VSWITCH_FULL,
		   "vSwitch %s (%s) has %" PRIu64 " of %" PRIu64 " addresses free, %" PRIu64
		   " are asked for: use another vSwitch or release some",
		   id, text, left, total, wanted);
	ipl_refused_entity(d, IPL_KIND_VSWITCH, vswitch);
	ipl_error_add(d->err, "Free", ipl_int((int64_t)left));
	ipl_error_add(d->err, "Requested", ipl_int((int64_t)wanted));
	ipl_error_add(d->err, "Total", ipl_int((int64_t)total));
	ipl_error_add(d->err, "Used", ipl_int((int64_t)used));
	ipl_error_add(d->err, "Reserved", ipl_int(IPL_RESERVED_FIRST + IPL_RESERVED_LAST));
	ipl_error_add(d->err, "Cooling", ipl_int((int64_t)(total - used - left)));
	if (ipl_vswitch_cooling(ipl_state_vswitch(d->state, vswitch), d->time_ms, &next_ms) > 0) {
		ipl_time_format(next_ms, text);
		ipl_error_add(d->err, "NextCooledTime", ipl_text_copy(d->arena, text));
	}
	return IPL_REFUSED;
}

enum ipl_status ipl_pick_private(struct ipl_decision *d, uint64_t vswitch, uint32_t count,
				 struct ipl_ev_address *out)
{
	const struct ipl_block *block = ipl_state_block(d->state, vswitch);
	uint64_t mask = ipl_cidr4_size(block->cidr) - 1;
	enum ipl_status st = ipl_check_room(d, vswitch, count);
	struct cursor *cursor = cursor_of(d, vswitch);

	if (st != IPL_OK)
		return st;
	if (cursor == NULL)
		return no_memory(d);
	for (uint32_t i = 0; i < count;) {
		uint32_t ip;
		bool found = ipl_block_next(block, cursor->from, &ip);
		assert(found); /* there is room, so there is a next one */
		cursor->from = (ip - block->cidr.base + 1) & mask;
		if (is_named(d->picks, vswitch, ip))
			continue;
		cursor->picked++;
		out[i++] = (struct ipl_ev_address){ .ip = ip, .picked = true };
	}
	return IPL_OK;
}

uint64_t ipl_public_pickable(const struct ipl_decision *d)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < ipl_state_pool_count(d->state); i++)
		count += ipl_state_pool(d->state, i)->free_count;
	return count - (d->picks == NULL ? 0 : d->picks->pool_picked);
}

enum ipl_status ipl_pick_public(struct ipl_decision *d, enum ipl_code code, uint32_t *out)
{
	struct ipl_picks *picks = picks_of(d);
	uint32_t pools = ipl_state_pool_count(d->state);

	if (picks == NULL)
		return no_memory(d);
	if (ipl_public_pickable(d) == 0) {
		ipl_refuse(d->err, code,
			   "the public pools have no free address: release some, or add a pool "
			   "with ModifyLedgerSettings");
		ipl_error_add(d->err, "Free", ipl_int(0));
		return IPL_REFUSED;
	}
	if (!picks->pool_begun) {
		picks->pool_begun = true;
		picks->pool = ipl_state_pool_position(d->state);
		picks->pool_from = ipl_state_pool(d->state, picks->pool)->position;
	}
	/* To the end of this pool, then through the others, and around to its beginning. */
	for (uint32_t tried = 0; tried <= pools; tried++) {
		const struct ipl_block *block = ipl_state_pool(d->state, picks->pool);
		uint32_t ip;
		if (ipl_block_next(block, picks->pool_from, &ip) &&
		    (pools == 1 || ip - block->cidr.base >= picks->pool_from)) {
			picks->pool_from =
				(ip - block->cidr.base + 1) & (ipl_cidr4_size(block->cidr) - 1);
			picks->pool_picked++;
			*out = ip;
			return IPL_OK;
		}
		picks->pool = (picks->pool + 1) % pools;
		picks->pool_from = 0;
	}
	return ipl_refuse(d->err, code, "the public pools have no free address");
}
