/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over all blocks that ever were, and over the addresses in them. */
#include "replay/addresses.h"

#include <stdlib.h>
#include <string.h>

/* Addresses that one page looks at: then it ends, however few of them anybody had. */
#define PROBES_MAX 65536u

/*
 * A position: bit 63 for IPv6 and its number; else which vSwitch (0: public), 31 bits,
 * and the address, 32 bits. 0 is the beginning: public, 0.0.0.0.
 */
#define IPV6_PHASE (UINT64_C(1) << 63)

struct walk {
	struct ipl_addresses *a;
	struct ipl_leaf leaf;
	uint32_t probes;
	bool has_moved; /* a page gets somewhere, whatever it costs */
	bool is_full;
	/* The public blocks that ever were. */
	struct ipl_cidr4 *pool;
	size_t pool_count;
};

static bool is_spent(const struct walk *w)
{
	return w->a->h->page.count == w->a->h->max_results || w->probes >= PROBES_MAX ||
	       (w->has_moved && *w->a->loads > w->a->loads_max);
}

/* --- what there was --- */

/*
 * An entity as the event that made it left it. Numbers are given in order: IPL_ERR_END where
 * this one, and so all after it, was not given yet.
 */
static enum ipl_status birth(struct walk *w, enum ipl_kind kind, uint64_t number,
			     union ipl_entity *out)
{
	struct ipl_history *h = w->a->h;
	struct ipl_seqs seqs = { NULL, 0 };
	enum ipl_status st = ipl_chain_page(h->source, ipl_key_entity(kind, number), 0, h->as_of, 1,
					    &seqs, h->err);

	memset(out, 0, sizeof(*out));
	if (st == IPL_OK && seqs.count == 0)
		return IPL_ERR_END;
	if (st == IPL_OK)
		st = ipl_leaf_load(&w->leaf, h->source, seqs.at[0], h->err);
	if (st == IPL_OK)
		st = ipl_reduce_entity(kind, number, out, &w->leaf.ev, h->err);
	free(seqs.at);
	return st;
}

static enum ipl_status add_pools(struct walk *w, const struct ipl_event *ev)
{
	const struct ipl_ev_pool_list *pools =
		ev->type == IPL_EVENT_LEDGER_CREATED ?
			&ev->ledger_created.settings.public_pools :
			&ev->ledger_settings_modified.settings.public_pools;
	struct ipl_cidr4 *grown =
		ipl_arena_array(w->a->h->arena, w->pool_count + pools->count, sizeof(*grown));

	if (grown == NULL)
		return ipl_error_set(w->a->h->err, IPL_ERR_NOMEM, "out of memory for pools");
	if (w->pool_count > 0)
		memcpy(grown, w->pool, w->pool_count * sizeof(*grown));
	w->pool = grown;
	for (uint32_t i = 0; i < pools->count; i++) {
		bool is_known = false;
		for (size_t k = 0; k < w->pool_count; k++)
			is_known = is_known || ipl_cidr4_equal(w->pool[k], pools->at[i].cidr);
		if (!is_known)
			w->pool[w->pool_count++] = pools->at[i].cidr;
	}
	return IPL_OK;
}

/* The public blocks of all settings so far. */
static enum ipl_status collect_pools(struct walk *w)
{
	struct ipl_history *h = w->a->h;
	struct ipl_seqs seqs;
	enum ipl_status st =
		ipl_chain_collect(h->source, ipl_key_entity(IPL_KIND_LEDGER, w->a->ledger), 1,
				  h->as_of, &seqs, h->err);

	if (st != IPL_OK)
		return st;
	for (size_t i = 0; st == IPL_OK && i < seqs.count; i++) {
		st = ipl_leaf_load(&w->leaf, h->source, seqs.at[i], h->err);
		if (st == IPL_OK)
			st = add_pools(w, &w->leaf.ev);
	}
	free(seqs.at);
	return st;
}

/* --- one address --- */

/*
 * Put the address on the page, if @latest is of @vswitch (0: of any; of two that had the same
 * block one after the other it is told with the one it was held in last).
 */
static enum ipl_status give(struct walk *w, struct ipl_key key, uint64_t vswitch)
{
	struct ipl_history *h = w->a->h;
	struct ipl_latest latest;
	enum ipl_status st;

	w->probes++;
	if (h->source->last(h->source->context, key) == 0)
		return IPL_OK;
	w->has_moved = true;
	st = ipl_latest_find(h->source, key, h->as_of, &latest, h->err);
	if (st == IPL_ERR_END) /* it was given to somebody later */
		return IPL_OK;
	if (st != IPL_OK ||
	    (vswitch != 0 && w->a->vswitch == 0 && latest.holding.vswitch != vswitch))
		return st;
	st = ipl_history_last(h, key, &latest);
	if (st != IPL_ERR_END)
		return st;
	w->is_full = true;
	return IPL_OK;
}

/* --- IPv4 --- */

/* The addresses @from..@last that belong to vSwitch (0: public) @vswitch of @vpc. */
static enum ipl_status walk_range(struct walk *w, uint64_t vpc, uint64_t vswitch, uint32_t from,
				  uint32_t last)
{
	for (uint64_t ip = from; ip <= last; ip++) {
		enum ipl_status st = IPL_OK;
		w->is_full = is_spent(w);
		if (!w->is_full)
			st = give(w, ipl_key_ip4(vpc, (uint32_t)ip), vswitch);
		if (st != IPL_OK)
			return st;
		if (w->is_full) {
			w->a->h->position = vswitch << 32 | ip;
			return IPL_OK;
		}
	}
	return IPL_OK;
}

/* The part of @block that is asked for, from @from on; false where there is none. */
static bool cut(const struct ipl_addresses *a, struct ipl_cidr4 block, uint32_t *from,
		uint32_t *last)
{
	uint32_t asked_last = ipl_cidr4_last(a->cidr);

	*last = ipl_cidr4_last(block);
	if (*last > asked_last)
		*last = asked_last;
	if (*from < block.base)
		*from = block.base;
	if (*from < a->cidr.base)
		*from = a->cidr.base;
	return *from <= *last;
}

/* The public blocks that ever were, in the order of addresses: they may lie over each other. */
static enum ipl_status walk_public(struct walk *w, uint32_t from)
{
	enum ipl_status st = IPL_OK;

	for (;;) {
		uint32_t first = UINT32_MAX, end = 0, last;
		bool is_any = false;
		for (size_t i = 0; i < w->pool_count; i++) {
			uint32_t at = from;
			if (!cut(w->a, w->pool[i], &at, &last) ||
			    (is_any && (at > first || (at == first && last <= end))))
				continue;
			first = at;
			end = last;
			is_any = true;
		}
		if (!is_any)
			return IPL_OK;
		st = walk_range(w, 0, 0, first, end);
		if (st != IPL_OK || w->is_full || end == UINT32_MAX)
			return st;
		from = end + 1;
	}
}

static enum ipl_status walk_vswitch(struct walk *w, uint64_t number, uint32_t from)
{
	union ipl_entity entity;
	enum ipl_status st = birth(w, IPL_KIND_VSWITCH, number, &entity);
	struct ipl_cidr4 cidr = entity.vswitch.cidr;
	uint64_t vpc = entity.vswitch.vpc;
	uint32_t last;

	ipl_entity_release(IPL_KIND_VSWITCH, &entity);
	if (st != IPL_OK || (w->a->vpc != 0 && w->a->vpc != vpc) || !cut(w->a, cidr, &from, &last))
		return st;
	return walk_range(w, vpc, number, from, last);
}

static enum ipl_status walk_ip4(struct walk *w, uint64_t position)
{
	uint64_t first = w->a->vswitch != 0 ? w->a->vswitch : 1;
	uint64_t end = w->a->vswitch != 0 ? first + 1 : UINT32_MAX / 2;
	uint64_t number = position >> 32;
	uint32_t from = (uint32_t)position;
	enum ipl_status st = IPL_OK;

	if (number == 0 && w->a->vswitch == 0) {
		st = collect_pools(w);
		if (st == IPL_OK)
			st = walk_public(w, from);
	}
	if (number < first) {
		number = first;
		from = 0;
	}
	for (; st == IPL_OK && !w->is_full && number < end; number++, from = 0) {
		if (is_spent(w)) {
			w->is_full = true;
			w->a->h->position = number << 32 | from;
			return IPL_OK;
		}
		st = walk_vswitch(w, number, from);
		w->has_moved = true;
	}
	return st == IPL_ERR_END ? IPL_OK : st;
}

/* --- IPv6 --- */

/* An address that several had one after the other is given with the one that had it last. */
static enum ipl_status give_ipv6(struct walk *w, uint64_t number)
{
	struct ipl_history *h = w->a->h;
	union ipl_entity entity;
	struct ipl_latest latest = { .closed_by = 0 };
	struct ipl_key key;
	bool is_asked;
	enum ipl_status st = birth(w, IPL_KIND_IPV6, number, &entity);

	key = ipl_key_ip6(entity.ipv6.ip.hi, entity.ipv6.ip.lo);
	is_asked = st == IPL_OK && (w->a->vpc == 0 || w->a->vpc == entity.ipv6.vpc) &&
		   (w->a->vswitch == 0 || w->a->vswitch == entity.ipv6.vswitch) &&
		   (key.a & ipl_cidr6_mask(w->a->cidr6)) == w->a->cidr6.hi;
	if (is_asked)
		st = ipl_latest_find(h->source, key, h->as_of, &latest, h->err);
	is_asked = is_asked && latest.holding.since_seq == entity.base.first_seq;
	ipl_entity_release(IPL_KIND_IPV6, &entity);
	return st == IPL_OK && is_asked ? give(w, key, 0) : st;
}

static enum ipl_status walk_ip6(struct walk *w, uint64_t number)
{
	for (number = number == 0 ? 1 : number;; number++) {
		enum ipl_status st = IPL_OK;
		w->is_full = is_spent(w);
		if (!w->is_full)
			st = give_ipv6(w, number);
		w->has_moved = true;
		if (st != IPL_OK)
			return st == IPL_ERR_END ? IPL_OK : st;
		if (w->is_full) {
			w->a->h->position = IPV6_PHASE | number;
			return IPL_OK;
		}
	}
}

enum ipl_status ipl_addresses_page(struct ipl_addresses *a)
{
	struct walk w = { .a = a };
	uint64_t position = a->h->position;
	enum ipl_status st = IPL_OK;

	a->h->position = 0;
	ipl_leaf_init(&w.leaf);
	if (a->has_ip4 && (position & IPV6_PHASE) == 0)
		st = walk_ip4(&w, position);
	if (st == IPL_OK && a->has_ip6 && !w.is_full)
		st = walk_ip6(&w, (position & IPV6_PHASE) != 0 ? position & ~IPV6_PHASE : 0);
	ipl_leaf_release(&w.leaf);
	return st;
}
