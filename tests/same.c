/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/same.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct same {
	const struct ipl_state *a, *b;
	bool is_same;
	char *why;
};

static bool differ(struct same *s, const char *format, ...) IPL_PRINTF(2, 3);

static bool differ(struct same *s, const char *format, ...)
{
	va_list args;

	if (!s->is_same)
		return false;
	s->is_same = false;
	va_start(args, format);
	(void)vsnprintf(s->why, SAME_TEXT_MAX, format, args); /* cut is fine */
	va_end(args);
	return false;
}

/* What decides but is not shown. */
static bool same_hidden(enum ipl_kind kind, const union ipl_entity *a, const union ipl_entity *b)
{
	if (a->base.first_seq != b->base.first_seq || a->base.last_seq != b->base.last_seq ||
	    a->base.created_ms != b->base.created_ms)
		return false;
	if (kind == IPL_KIND_INSTANCE)
		return a->instance.address_changed == b->instance.address_changed &&
		       a->instance.public_ip_reclaimed == b->instance.public_ip_reclaimed &&
		       a->instance.eip == b->instance.eip;
	if (kind == IPL_KIND_VSWITCH)
		return a->vswitch.used == b->vswitch.used &&
		       a->vswitch.ipv6_used == b->vswitch.ipv6_used;
	return true;
}

bool same_entity(struct ipl_lens *a, struct ipl_lens *b, enum ipl_kind kind, uint64_t number)
{
	const union ipl_entity *x = a->find(a, kind, number), *y = b->find(b, kind, number);
	struct ipl_value shown_x, shown_y;
	struct ipl_arena arena;
	bool is_same;

	if (x == NULL || y == NULL)
		return x == NULL && y == NULL;
	ipl_arena_init(&arena, (size_t)256 << 20);
	shown_x = ipl_show(&arena, a, kind, number, x);
	shown_y = ipl_show(&arena, b, kind, number, y);
	is_same = ipl_value_equal(&shown_x, &shown_y) && same_hidden(kind, x, y);
	ipl_arena_release(&arena);
	return is_same;
}

static void same_kind(struct same *s, struct ipl_lens *a, struct ipl_lens *b, enum ipl_kind kind)
{
	uint64_t n = 0, m = 0;

	if (ipl_state_count(s->a, kind) != ipl_state_count(s->b, kind) ||
	    ipl_state_next_number(s->a, kind) != ipl_state_next_number(s->b, kind))
		differ(s, "the counters of kind %s differ", ipl_kind_name(kind));
	do {
		n = ipl_state_next(s->a, kind, n);
		m = ipl_state_next(s->b, kind, m);
		if (n != m || (n != 0 && !same_entity(a, b, kind, n)))
			differ(s, "%s %" PRIu64 " and %" PRIu64 " differ", ipl_kind_name(kind), n,
			       m);
	} while (n != 0 && s->is_same);
}

bool same_holding(const struct ipl_holding *a, const struct ipl_holding *b)
{
	return a->role == b->role && a->eni == b->eni && a->vswitch == b->vswitch &&
	       a->eip == b->eip && a->since_seq == b->since_seq && a->since_ms == b->since_ms &&
	       a->cool_until == b->cool_until;
}

static void same_key(struct same *s, struct ipl_key key)
{
	struct ipl_holding a = ipl_state_holding(s->a, key), b = ipl_state_holding(s->b, key);

	if (!same_holding(&a, &b))
		differ(s, "the holdings of %016" PRIx64 ":%016" PRIx64 " differ", key.a, key.b);
}

static void one_holding(void *context, struct ipl_key key, const struct ipl_holding *holding)
{
	(void)holding;
	same_key(context, key);
}

static void same_block(struct same *s, uint64_t vpc, const struct ipl_block *a,
		       const struct ipl_block *b)
{
	if (a == NULL || b == NULL || !ipl_cidr4_equal(a->cidr, b->cidr) ||
	    a->position != b->position || a->free_count != b->free_count) {
		differ(s, "a block or its picker differs");
		return;
	}
	for (uint64_t i = 0; i < ipl_cidr4_size(a->cidr); i++) {
		uint32_t ip = a->cidr.base + (uint32_t)i;
		same_key(s, ipl_key_ip4(vpc, ip));
		if (ipl_block_is_available(a, ip) != ipl_block_is_available(b, ip))
			differ(s, IPL_IP4_FMT " is available in one only", IPL_IP4_ARG(ip));
	}
}

static void same_spaces(struct same *s)
{
	for (uint64_t n = 0; (n = ipl_state_next(s->a, IPL_KIND_VSWITCH, n)) != 0;) {
		same_block(s, ipl_state_vswitch(s->a, n)->vpc, ipl_state_block(s->a, n),
			   ipl_state_block(s->b, n));
		if (ipl_state_ipv6_position(s->a, n) != ipl_state_ipv6_position(s->b, n))
			differ(s, "the IPv6 picker of vSwitch %" PRIu64 " differs", n);
	}
	for (uint64_t n = 0; (n = ipl_state_next(s->a, IPL_KIND_VPC, n)) != 0;) {
		uint64_t hi = ipl_state_find(s->a, IPL_KIND_VPC, n)->vpc.ipv6_cidr.hi;
		if (hi != 0 && ipl_state_ipv6_block_owner(s->b, hi) != n)
			differ(s, "the IPv6 block of VPC %" PRIu64 " is not its own", n);
	}
	if (ipl_state_pool_count(s->a) != ipl_state_pool_count(s->b) ||
	    ipl_state_pool_position(s->a) != ipl_state_pool_position(s->b) ||
	    ipl_state_ipv6_block_position(s->a) != ipl_state_ipv6_block_position(s->b)) {
		differ(s, "the pools or their pickers differ");
		return;
	}
	for (uint32_t i = 0; i < ipl_state_pool_count(s->a); i++)
		same_block(s, 0, ipl_state_pool(s->a, i), ipl_state_pool(s->b, i));
}

bool same_states(const struct ipl_state *a, const struct ipl_state *b, int64_t now_ms,
		 char why[SAME_TEXT_MAX])
{
	struct same s = { a, b, true, why };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_lens x, y;

	ipl_lens_of_state(&x, a, now_ms, &err);
	ipl_lens_of_state(&y, b, now_ms, &err);
	if (ipl_state_seq(a) != ipl_state_seq(b) || ipl_state_time_ms(a) != ipl_state_time_ms(b))
		differ(&s, "they stand at different events");
	for (int kind = 1; kind < IPL_KIND_COUNT && s.is_same; kind++)
		same_kind(&s, &x, &y, (enum ipl_kind)kind);
	if (s.is_same)
		same_spaces(&s);
	if (s.is_same)
		ipl_state_each_holding(a, one_holding, &s);
	return s.is_same;
}
