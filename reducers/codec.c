/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single things as bytes. One function for each kind says the order of its
 * members, for both ways: it packs where there is something to write to, and
 * takes where there is something to read from.
 */
#include "reducers/codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "events/cursor.h"
#include "reducers/reduce_internal.h"

#define ENTITY_ARENA_BYTES ((size_t)16 << 20)
#define BASE_FIELDS        4u
#define WORD_FIELDS        8u
#define HOLDING_FIELDS     7u

/*
 * Whoever gives one of these a member gives it a place in the functions below, for a state that
 * is loaded must be the one that was folded; then the size here.
 */
#if defined(__LP64__)
static_assert(sizeof(struct ipl_notes) == 128, "words");
static_assert(sizeof(struct ipl_base) == 40, "what every entity has");
static_assert(sizeof(struct ipl_ledger_state) == 176, "the ledger");
static_assert(sizeof(struct ipl_vpc) == 136, "a VPC");
static_assert(sizeof(struct ipl_vswitch) == 104, "a vSwitch");
static_assert(sizeof(struct ipl_instance) == 112, "an instance");
static_assert(sizeof(struct ipl_eni) == 104, "a network interface");
static_assert(sizeof(struct ipl_eip) == 88, "an EIP");
static_assert(sizeof(struct ipl_ipv6) == 88, "an IPv6 address");
static_assert(sizeof(struct ipl_ipv6gw) == 48, "an IPv6 gateway");
static_assert(sizeof(struct ipl_ipv6bw) == 72, "an IPv6 bandwidth");
static_assert(sizeof(struct ipl_holding) == 56, "a holding");
#endif

struct codec {
	struct ipl_buf *out;  /* NULL: it reads */
	struct ipl_cursor in; /* wrong: also where memory is short, with in.arena->failed */
	int64_t now_ms;
};

/* --- values, both ways --- */

static void code_array(struct codec *c, uint32_t count)
{
	if (c->out != NULL)
		ipl_pack_array(c->out, count);
	else
		ipl_expect_array(&c->in, count);
}

/* A list's length, which @item_bytes_min bytes at least must follow for each item. */
static void code_count(struct codec *c, uint32_t *count, uint32_t items_each)
{
	if (c->out != NULL) {
		ipl_pack_array(c->out, *count * items_each);
		return;
	}
	*count = ipl_take_array(&c->in);
	if (*count > (size_t)(c->in.end - c->in.at) || *count % items_each != 0)
		ipl_cursor_fail(&c->in, "a list is longer than its bytes");
	*count = c->in.wrong == NULL ? *count / items_each : 0;
}

static void code_u64(struct codec *c, uint64_t *n)
{
	if (c->out != NULL)
		ipl_pack_uint(c->out, *n);
	else
		*n = ipl_take_uint(&c->in);
}

static void code_u32(struct codec *c, uint32_t *n)
{
	uint64_t wide = *n;

	code_u64(c, &wide);
	if (wide > UINT32_MAX)
		ipl_cursor_fail(&c->in, "a number is too large");
	*n = (uint32_t)wide;
}

static void code_time(struct codec *c, int64_t *ms)
{
	if (c->out != NULL)
		ipl_pack_uint(c->out, (uint64_t)*ms);
	else
		*ms = ipl_take_time(&c->in);
}

static void code_bool(struct codec *c, bool *b)
{
	if (c->out != NULL)
		ipl_pack_bool(c->out, *b);
	else
		ipl_take_bool(&c->in, b);
}

static void code_text(struct codec *c, struct ipl_str *s)
{
	if (c->out != NULL)
		ipl_pack_text(c->out, *s);
	else
		*s = ipl_take_text(&c->in);
}

static uint32_t code_choice(struct codec *c, enum ipl_field_kind kind, uint32_t n)
{
	code_u32(c, &n);
	if (c->out == NULL && ipl_choice_word(kind, n) == NULL)
		ipl_cursor_fail(&c->in, "a choice is unknown");
	return c->in.wrong == NULL ? n : 0;
}

static void code_cidr4(struct codec *c, struct ipl_cidr4 *cidr)
{
	uint32_t prefix_len = cidr->prefix_len;

	code_u32(c, &cidr->base);
	code_u32(c, &prefix_len);
	if (prefix_len > 32 || (prefix_len < 32 && (cidr->base & (UINT32_MAX >> prefix_len)) != 0))
		ipl_cursor_fail(&c->in, "an IPv4 block is impossible");
	cidr->prefix_len = (uint8_t)prefix_len;
}

static void code_cidr6(struct codec *c, struct ipl_cidr6 *cidr)
{
	uint32_t prefix_len = cidr->prefix_len;

	code_u64(c, &cidr->hi);
	code_u32(c, &prefix_len);
	if (prefix_len > 64 || (prefix_len < 64 && (cidr->hi & (UINT64_MAX >> prefix_len)) != 0))
		ipl_cursor_fail(&c->in, "an IPv6 block is impossible");
	cidr->prefix_len = (uint8_t)prefix_len;
}

/* Memory of the entity's own for @count items; NULL, and the codec failed, without. */
static void *own_array(struct codec *c, uint32_t count, size_t item_bytes)
{
	void *at = count == 0 ? NULL : calloc(count, item_bytes);

	if (count > 0 && at == NULL) {
		c->in.arena->failed = true;
		ipl_cursor_fail(&c->in, "it takes more memory than there is");
	}
	return at;
}

static void code_numbers(struct codec *c, struct ipl_numbers *numbers)
{
	code_count(c, &numbers->count, 1);
	if (c->out == NULL) {
		numbers->at = own_array(c, numbers->count, sizeof(*numbers->at));
		numbers->cap = numbers->at == NULL ? 0 : numbers->count;
		numbers->count = numbers->cap;
	}
	for (uint32_t i = 0; i < numbers->count; i++)
		code_u64(c, &numbers->at[i]);
}

/* --- what every entity has --- */

static void code_labels(struct codec *c, struct ipl_ev_label_list *list)
{
	code_count(c, &list->count, 1);
	if (c->out == NULL) {
		list->at = ipl_arena_array(c->in.arena, list->count, sizeof(*list->at));
		list->count = list->at == NULL ? 0 : list->count;
	}
	for (uint32_t i = 0; i < list->count; i++)
		code_text(c, &list->at[i].text);
}

static void code_tags(struct codec *c, struct ipl_ev_tag_list *list)
{
	code_count(c, &list->count, 2);
	if (c->out == NULL) {
		list->at = ipl_arena_array(c->in.arena, list->count, sizeof(*list->at));
		list->count = list->at == NULL ? 0 : list->count;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		code_text(c, &list->at[i].key);
		code_text(c, &list->at[i].value);
	}
}

static void code_words(struct codec *c, struct ipl_notes *notes)
{
	code_array(c, WORD_FIELDS);
	code_text(c, &notes->name);
	code_text(c, &notes->description);
	code_text(c, &notes->zone);
	code_text(c, &notes->type);
	code_text(c, &notes->image);
	code_text(c, &notes->host_name);
	code_labels(c, &notes->security_groups);
	code_tags(c, &notes->tags);
}

static void code_base(struct codec *c, struct ipl_base *base)
{
	struct ipl_notes read = { 0 };

	code_u64(c, &base->first_seq);
	code_u64(c, &base->last_seq);
	code_time(c, &base->created_ms);
	code_words(c, c->out != NULL ? base->notes : &read);
	if (c->out != NULL || c->in.wrong != NULL)
		return;
	base->alive = true;
	base->notes = ipl_notes_copy(&read);
	if (base->notes == NULL) {
		c->in.arena->failed = true;
		ipl_cursor_fail(&c->in, "it takes more memory than there is");
	}
}

/* --- kinds --- */

static void code_ledger(struct codec *c, struct ipl_ledger_state *self)
{
	struct ipl_ev_settings read = { 0 };

	code_array(c, BASE_FIELDS + 1);
	code_base(c, &self->base);
	if (c->out != NULL) {
		ipl_record_pack(c->out, &ipl_record_settings, &self->settings);
		return;
	}
	ipl_record_take(&c->in, &ipl_record_settings, &read);
	if (c->in.wrong != NULL)
		return;
	if (ipl_settings_keep(self, &read))
		return;
	c->in.arena->failed = true;
	ipl_cursor_fail(&c->in, "it takes more memory than there is");
}

static void code_vpc(struct codec *c, struct ipl_vpc *self)
{
	code_array(c, BASE_FIELDS + 5);
	code_base(c, &self->base);
	code_cidr4(c, &self->cidr);
	code_count(c, &self->secondary_count, 2);
	if (self->secondary_count > IPL_SECONDARY_CIDRS_MAX) {
		ipl_cursor_fail(&c->in, "it has too many blocks");
		self->secondary_count = 0;
	}
	for (uint32_t i = 0; i < self->secondary_count; i++)
		code_cidr4(c, &self->secondary[i]);
	code_cidr6(c, &self->ipv6_cidr);
	code_u64(c, &self->gateway);
	code_numbers(c, &self->vswitches);
}

static int compare_cooling(const void *a, const void *b)
{
	const struct ipl_cooling_ip *x = a, *y = b;

	if (x->until_ms != y->until_ms)
		return x->until_ms < y->until_ms ? -1 : 1;
	return x->ip < y->ip ? -1 : x->ip > y->ip;
}

/* The order in which they came means nothing, and what has cooled down is forgotten. */
static void pack_cooling(struct codec *c, const struct ipl_cooling_list *list)
{
	struct ipl_cooling_ip *sorted = malloc((list->count + (size_t)1) * sizeof(*sorted));
	uint32_t count = 0;

	if (sorted == NULL) {
		c->out->failed = true;
		return;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->at[i].until_ms > c->now_ms)
			sorted[count++] = list->at[i];
	}
	qsort(sorted, count, sizeof(*sorted), compare_cooling);
	code_count(c, &count, 2);
	for (uint32_t i = 0; i < count; i++) {
		code_time(c, &sorted[i].until_ms);
		code_u32(c, &sorted[i].ip);
	}
	free(sorted);
}

static void take_cooling(struct codec *c, struct ipl_cooling_list *list)
{
	code_count(c, &list->count, 2);
	list->at = own_array(c, list->count, sizeof(*list->at));
	list->cap = list->at == NULL ? 0 : list->count;
	list->count = list->cap;
	for (uint32_t i = 0; i < list->count; i++) {
		code_time(c, &list->at[i].until_ms);
		code_u32(c, &list->at[i].ip);
	}
}

static void code_vswitch(struct codec *c, struct ipl_vswitch *self)
{
	code_array(c, BASE_FIELDS + 8);
	code_base(c, &self->base);
	code_u64(c, &self->vpc);
	code_cidr4(c, &self->cidr);
	code_cidr6(c, &self->ipv6_cidr);
	code_u64(c, &self->used);
	code_u64(c, &self->ipv6_used);
	if (c->out != NULL)
		pack_cooling(c, &self->cooling);
	else
		take_cooling(c, &self->cooling);
}

static void code_instance(struct codec *c, struct ipl_instance *self)
{
	code_array(c, BASE_FIELDS + 11);
	code_base(c, &self->base);
	code_u64(c, &self->vpc);
	self->state = (enum ipl_run)code_choice(c, IPL_FIELD_RUN, self->state);
	self->stopped_mode =
		(enum ipl_stopped)code_choice(c, IPL_FIELD_STOPPED, self->stopped_mode);
	self->charge = (enum ipl_charge)code_choice(c, IPL_FIELD_CHARGE, self->charge);
	code_bool(c, &self->address_changed);
	code_bool(c, &self->public_ip_reclaimed);
	code_u32(c, &self->public_ip);
	code_u64(c, &self->bandwidth_out);
	code_u64(c, &self->bandwidth_in);
	code_u64(c, &self->eip);
	code_numbers(c, &self->enis);
	if (c->in.wrong == NULL && self->enis.count == 0)
		ipl_cursor_fail(&c->in, "an instance has no network interface");
}

static void code_eni_addresses(struct codec *c, struct ipl_eni *self)
{
	code_count(c, &self->address_count, 3);
	if (c->out == NULL) {
		self->address = own_array(c, self->address_count, sizeof(*self->address));
		self->address_count = self->address == NULL ? 0 : self->address_count;
	}
	for (uint32_t i = 0; i < self->address_count; i++) {
		struct ipl_eni_address *at = &self->address[i];
		code_u32(c, &at->ip);
		at->mode = (enum ipl_mode)code_choice(c, IPL_FIELD_MODE, at->mode);
		code_u64(c, &at->eip);
	}
	if (c->in.wrong == NULL && self->address_count == 0)
		ipl_cursor_fail(&c->in, "a network interface has no address");
}

static void code_eni(struct codec *c, struct ipl_eni *self)
{
	code_array(c, BASE_FIELDS + 7);
	code_base(c, &self->base);
	code_u64(c, &self->vpc);
	code_u64(c, &self->vswitch);
	code_u64(c, &self->instance);
	code_bool(c, &self->is_primary);
	code_bool(c, &self->delete_on_release);
	code_eni_addresses(c, self);
	code_numbers(c, &self->ipv6);
}

static void code_eip(struct codec *c, struct ipl_eip *self)
{
	code_array(c, BASE_FIELDS + 8);
	code_base(c, &self->base);
	code_u32(c, &self->ip);
	self->charge = (enum ipl_charge)code_choice(c, IPL_FIELD_CHARGE, self->charge);
	self->mode = (enum ipl_mode)code_choice(c, IPL_FIELD_MODE, self->mode);
	code_u32(c, &self->private_ip);
	code_u64(c, &self->bandwidth);
	code_u64(c, &self->eni);
	code_u64(c, &self->instance);
	code_u64(c, &self->vpc);
}

static void code_ipv6(struct codec *c, struct ipl_ipv6 *self)
{
	code_array(c, BASE_FIELDS + 6);
	code_base(c, &self->base);
	code_u64(c, &self->ip.hi);
	code_u64(c, &self->ip.lo);
	code_u64(c, &self->vpc);
	code_u64(c, &self->vswitch);
	code_u64(c, &self->eni);
	code_u64(c, &self->bandwidth);
}

static void code_ipv6gw(struct codec *c, struct ipl_ipv6gw *self)
{
	code_array(c, BASE_FIELDS + 1);
	code_base(c, &self->base);
	code_u64(c, &self->vpc);
}

static void code_ipv6bw(struct codec *c, struct ipl_ipv6bw *self)
{
	code_array(c, BASE_FIELDS + 4);
	code_base(c, &self->base);
	code_u64(c, &self->ipv6);
	code_u64(c, &self->vpc);
	code_u64(c, &self->mbps);
	self->charge = (enum ipl_charge)code_choice(c, IPL_FIELD_CHARGE, self->charge);
}

static void code_entity(struct codec *c, enum ipl_kind kind, union ipl_entity *entity)
{
	switch (kind) {
	case IPL_KIND_LEDGER:
		code_ledger(c, &entity->ledger);
		return;
	case IPL_KIND_VPC:
		code_vpc(c, &entity->vpc);
		return;
	case IPL_KIND_VSWITCH:
		code_vswitch(c, &entity->vswitch);
		return;
	case IPL_KIND_INSTANCE:
		code_instance(c, &entity->instance);
		return;
	case IPL_KIND_ENI:
		code_eni(c, &entity->eni);
		return;
	case IPL_KIND_EIP:
		code_eip(c, &entity->eip);
		return;
	case IPL_KIND_IPV6:
		code_ipv6(c, &entity->ipv6);
		return;
	case IPL_KIND_IPV6GW:
		code_ipv6gw(c, &entity->ipv6gw);
		return;
	case IPL_KIND_IPV6BW:
		code_ipv6bw(c, &entity->ipv6bw);
		return;
	case IPL_KIND_NONE:
	case IPL_KIND_COUNT:
	case IPL_KIND_IP4:
	case IPL_KIND_IP6:
		break;
	}
	ipl_cursor_fail(&c->in, "there is no entity of that kind");
}

void ipl_entity_encode(enum ipl_kind kind, const union ipl_entity *entity, int64_t now_ms,
		       struct ipl_buf *out)
{
	struct codec c = { .out = out, .now_ms = now_ms };

	/* Packing changes nothing: the functions above are for both ways. */
	code_entity(&c, kind, (union ipl_entity *)(uintptr_t)entity);
}

static enum ipl_status finish(struct codec *c, const char *what, struct ipl_error *err)
{
	if (c->in.wrong == NULL && c->in.at != c->in.end)
		ipl_cursor_fail(&c->in, "there are bytes after its end");
	if (c->in.wrong == NULL)
		return IPL_OK;
	if (c->in.arena != NULL && c->in.arena->failed)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for %s", what);
	return ipl_error_set(err, IPL_ERR_CORRUPT, "%s cannot be read: %s", what, c->in.wrong);
}

static void begin(struct codec *c, struct ipl_str bytes, struct ipl_arena *arena)
{
	const uint8_t *at = (const uint8_t *)bytes.at;

	*c = (struct codec){ .in = { .at = at, .end = at + bytes.len, .arena = arena } };
}

enum ipl_status ipl_entity_decode(enum ipl_kind kind, struct ipl_str bytes, union ipl_entity *out,
				  struct ipl_error *err)
{
	struct ipl_arena arena;
	struct codec c;
	enum ipl_status st;

	ipl_arena_init(&arena, ENTITY_ARENA_BYTES);
	begin(&c, bytes, &arena);
	code_entity(&c, kind, out);
	st = finish(&c, ipl_kind_name(kind), err);
	if (st != IPL_OK)
		ipl_entity_release(kind, out);
	ipl_arena_release(&arena);
	return st;
}

/* --- addresses --- */

static void code_holding(struct codec *c, struct ipl_holding *holding)
{
	uint32_t role = holding->role;

	code_array(c, HOLDING_FIELDS);
	code_u32(c, &role);
	if (role > IPL_ROLE_IPV6)
		ipl_cursor_fail(&c->in, "a role is unknown");
	holding->role = c->in.wrong == NULL ? (enum ipl_role)role : IPL_ROLE_NONE;
	code_u64(c, &holding->eni);
	code_u64(c, &holding->vswitch);
	code_u64(c, &holding->eip);
	code_u64(c, &holding->since_seq);
	code_time(c, &holding->since_ms);
	code_time(c, &holding->cool_until);
}

void ipl_holding_encode(const struct ipl_holding *holding, struct ipl_buf *out)
{
	struct ipl_holding copy = *holding;
	struct codec c = { .out = out };

	code_holding(&c, &copy);
}

enum ipl_status ipl_holding_decode(struct ipl_str bytes, struct ipl_holding *out,
				   struct ipl_error *err)
{
	struct codec c;

	begin(&c, bytes, NULL);
	code_holding(&c, out);
	return finish(&c, "a holding", err);
}
