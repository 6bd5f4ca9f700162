/* SPDX-License-Identifier: Apache-2.0 */
/* The whole state as rows, and from rows. */
#include "reducers/codec.h"

#include <assert.h>

#include "events/cursor.h"
#include "reducers/state_internal.h"

#define GLOBAL_FIELDS 7u
#define PICKER_FIELDS 2u
/* A state of so few events cannot have counted further. */
#define NUMBERS_PER_EVENT_MAX UINT64_C(16384)
/* No block of the cloud is larger; a bitmap of this one has 2 MiB. */

int ipl_key_compare(struct ipl_key a, struct ipl_key b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	if (a.a != b.a)
		return a.a < b.a ? -1 : 1;
	return a.b < b.b ? -1 : a.b > b.b;
}

/* --- to rows --- */

struct rows {
	const struct ipl_state *state;
	ipl_row_fn fn;
	void *context;
	struct ipl_buf value;
	struct ipl_key *address; /* those with a row */
	size_t address_count;
	size_t address_cap;
	bool failed;
	struct ipl_error *err;
};

static enum ipl_status no_memory(struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the rows of a state");
}

/* Hand over what was packed. */
static enum ipl_status emit(struct rows *rows, struct ipl_key key)
{
	struct ipl_str value = { (const char *)rows->value.at, rows->value.len };

	if (rows->value.failed)
		return no_memory(rows->err);
	rows->value.len = 0;
	return rows->fn(rows->context, key, value, rows->err);
}

static enum ipl_status global_row(struct rows *rows)
{
	const struct ipl_state *state = rows->state;
	struct ipl_buf *out = &rows->value;

	ipl_pack_array(out, GLOBAL_FIELDS);
	ipl_pack_uint(out, state->seq);
	ipl_pack_uint(out, (uint64_t)state->time_ms);
	ipl_pack_uint(out, state->ledger_number);
	ipl_pack_uint(out, state->pool_position);
	ipl_pack_uint(out, state->ipv6_block_position);
	ipl_pack_array(out, state->pool_count);
	for (uint32_t i = 0; i < state->pool_count; i++)
		ipl_pack_uint(out, state->pool[i]->position);
	ipl_pack_array(out, IPL_KIND_COUNT - IPL_KIND_VPC);
	for (int kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++)
		ipl_pack_uint(out, state->table[kind].next);
	return emit(rows, (struct ipl_key){ IPL_ROW_GLOBAL, 0, 0 });
}

static enum ipl_status entity_rows(struct rows *rows, enum ipl_kind kind)
{
	enum ipl_status st = IPL_OK;

	for (uint64_t n = 0; st == IPL_OK && (n = ipl_state_next(rows->state, kind, n)) != 0;) {
		ipl_entity_encode(kind, ipl_state_find(rows->state, kind, n), rows->state->time_ms,
				  &rows->value);
		st = emit(rows, ipl_key_entity(kind, n));
	}
	return st;
}

static enum ipl_status picker_rows(struct rows *rows)
{
	enum ipl_status st = IPL_OK;

	for (uint64_t n = 0;
	     st == IPL_OK && (n = ipl_state_next(rows->state, IPL_KIND_VSWITCH, n)) != 0;) {
		ipl_pack_array(&rows->value, PICKER_FIELDS);
		ipl_pack_uint(&rows->value, ipl_state_block(rows->state, n)->position);
		ipl_pack_uint(&rows->value, ipl_state_ipv6_position(rows->state, n));
		st = emit(rows, (struct ipl_key){ IPL_ROW_PICKER, n, 0 });
	}
	return st;
}

static void note_address(void *context, struct ipl_key key, void *value)
{
	struct rows *rows = context;

	(void)value;
	if (rows->address_count == rows->address_cap)
		rows->failed = true; /* the maps were counted: it cannot be */
	else
		rows->address[rows->address_count++] = key;
}

static int compare_keys(const void *a, const void *b)
{
	return ipl_key_compare(*(const struct ipl_key *)a, *(const struct ipl_key *)b);
}

static enum ipl_status address_rows(struct rows *rows)
{
	const struct ipl_state *state = rows->state;
	enum ipl_status st = IPL_OK;

	rows->address_cap = state->holdings.count + state->cooling.count;
	rows->address = calloc(rows->address_cap + 1, sizeof(*rows->address));
	if (rows->address == NULL)
		return no_memory(rows->err);
	ipl_hashmap_walk(&state->holdings, note_address, rows);
	ipl_hashmap_walk(&state->cooling, note_address, rows);
	assert(!rows->failed);
	qsort(rows->address, rows->address_count, sizeof(*rows->address), compare_keys);
	for (size_t i = 0; st == IPL_OK && i < rows->address_count; i++) {
		struct ipl_holding holding = ipl_state_holding(state, rows->address[i]);
		ipl_holding_encode(&holding, &rows->value);
		st = emit(rows, rows->address[i]);
	}
	return st;
}

enum ipl_status ipl_state_each_row(const struct ipl_state *state, ipl_row_fn fn, void *context,
				   struct ipl_error *err)
{
	struct rows rows = { .state = state, .fn = fn, .context = context, .err = err };
	enum ipl_status st = global_row(&rows);

	assert(state->under == NULL && state->advanced_ms <= state->time_ms);
	for (int kind = IPL_KIND_LEDGER; st == IPL_OK && kind < IPL_KIND_COUNT; kind++)
		st = entity_rows(&rows, (enum ipl_kind)kind);
	if (st == IPL_OK)
		st = picker_rows(&rows);
	if (st == IPL_OK)
		st = address_rows(&rows);
	ipl_buf_release(&rows.value);
	free(rows.address);
	return st;
}

/* --- from rows --- */

struct ipl_state_loader {
	struct ipl_state *state;
	struct ipl_key last;
	bool has_rows;
	uint64_t *pool_position; /* until the pools are there */
	uint32_t pool_count;
};

struct ipl_state_loader *ipl_state_loader_new(void)
{
	struct ipl_state_loader *loader = calloc(1, sizeof(*loader));

	if (loader == NULL)
		return NULL;
	loader->state = ipl_state_new();
	if (loader->state == NULL) {
		free(loader);
		return NULL;
	}
	return loader;
}

void ipl_state_loader_free(struct ipl_state_loader *loader)
{
	if (loader == NULL)
		return;
	ipl_state_free(loader->state);
	free(loader->pool_position);
	free(loader);
}

static enum ipl_status wrong(struct ipl_error *err, struct ipl_key key, const char *why)
{
	return ipl_error_set(err, IPL_ERR_CORRUPT,
			     "row %" PRIu64 " %" PRIu64 " %" PRIu64 " of a state: %s", key.kind,
			     key.a, key.b, why);
}

static enum ipl_status take_pool_positions(struct ipl_state_loader *loader, struct ipl_cursor *c,
					   struct ipl_error *err)
{
	uint32_t count = ipl_take_array(c);

	if (count > (size_t)(c->end - c->at))
		ipl_cursor_fail(c, "a list is longer than its bytes");
	if (c->wrong != NULL)
		return IPL_OK; /* said by the caller */
	loader->pool_position = calloc((size_t)count + 1, sizeof(*loader->pool_position));
	if (loader->pool_position == NULL)
		return no_memory(err);
	loader->pool_count = count;
	for (uint32_t i = 0; i < count; i++)
		loader->pool_position[i] = ipl_take_uint(c);
	return IPL_OK;
}

static enum ipl_status load_global(struct ipl_state_loader *loader, struct ipl_key key,
				   struct ipl_cursor *c, struct ipl_error *err)
{
	struct ipl_state *state = loader->state;
	uint64_t position;
	enum ipl_status st;

	ipl_expect_array(c, GLOBAL_FIELDS);
	state->seq = ipl_take_uint(c);
	state->time_ms = ipl_take_time(c);
	state->advanced_ms = state->time_ms;
	state->ledger_number = ipl_take_uint(c);
	position = ipl_take_uint(c);
	state->ipv6_block_position = ipl_take_uint(c);
	st = take_pool_positions(loader, c, err);
	if (position > UINT32_MAX || state->seq > INT64_MAX / NUMBERS_PER_EVENT_MAX)
		ipl_cursor_fail(c, "a number is too large");
	state->pool_position = (uint32_t)position;
	ipl_expect_array(c, IPL_KIND_COUNT - IPL_KIND_VPC);
	for (int kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++) {
		uint64_t next = ipl_take_uint(c);
		if (next == 0 || next > state->seq * NUMBERS_PER_EVENT_MAX + 1)
			ipl_cursor_fail(c, "a counter is impossible");
		state->table[kind].next = next;
	}
	if (st == IPL_OK && c->wrong != NULL)
		st = wrong(err, key, c->wrong);
	return st;
}

/* The settings are there: so are the pools. */
static enum ipl_status load_ledger(struct ipl_state_loader *loader, struct ipl_key key,
				   struct ipl_str value, struct ipl_error *err)
{
	struct ipl_state *state = loader->state;
	enum ipl_status st;

	if (key.a != state->ledger_number || key.a == 0 || state->ledger.base.alive)
		return wrong(err, key, "it is about another ledger");
	st = ipl_entity_decode(IPL_KIND_LEDGER, value, (union ipl_entity *)&state->ledger, err);
	if (st != IPL_OK)
		return st;
	return ipl_spaces_load(state, loader->pool_position, loader->pool_count, err);
}

static enum ipl_status load_entity(struct ipl_state_loader *loader, struct ipl_key key,
				   struct ipl_str value, struct ipl_error *err)
{
	struct ipl_state *state = loader->state;
	enum ipl_kind kind = (enum ipl_kind)key.kind;
	union ipl_entity *entity;
	enum ipl_status st;

	if (key.a == 0 || key.a >= state->table[kind].next || key.b != 0)
		return wrong(err, key, "there is no such number");
	entity = ipl_state_slot(state, kind, key.a);
	if (entity == NULL)
		return ipl_state_no_memory(err);
	st = ipl_entity_decode(kind, value, entity, err);
	if (st != IPL_OK)
		return st;
	ipl_table_count(&state->table[kind], key.a, 1);
	if (kind == IPL_KIND_VPC)
		return ipl_spaces_load_vpc(state, key.a, err);
	if (kind != IPL_KIND_VSWITCH)
		return IPL_OK;
	if (entity->vswitch.cidr.prefix_len < IPL_BLOCK_PREFIX_MIN)
		return wrong(err, key, "its block is too large");
	return ipl_spaces_load_vswitch(state, key.a, err);
}

static enum ipl_status load_picker(struct ipl_state_loader *loader, struct ipl_key key,
				   struct ipl_cursor *c, struct ipl_error *err)
{
	uint64_t position, ipv6_position;

	ipl_expect_array(c, PICKER_FIELDS);
	position = ipl_take_uint(c);
	ipv6_position = ipl_take_uint(c);
	if (c->at != c->end)
		ipl_cursor_fail(c, "there are bytes after its end");
	if (c->wrong != NULL)
		return wrong(err, key, c->wrong);
	return ipl_spaces_load_picker(loader->state, key.a, position, ipv6_position, err);
}

static enum ipl_status load_address(struct ipl_state_loader *loader, struct ipl_key key,
				    struct ipl_str value, struct ipl_error *err)
{
	struct ipl_holding holding = { 0 };
	enum ipl_status st = ipl_holding_decode(value, &holding, err);

	if (st != IPL_OK)
		return st;
	if (key.kind == IPL_KIND_IP4 && key.b > UINT32_MAX)
		return wrong(err, key, "it is no address");
	if (holding.role == IPL_ROLE_NONE && holding.cool_until <= loader->state->time_ms)
		return wrong(err, key, "an address that is neither held nor cooling");
	if (holding.role != IPL_ROLE_NONE && !ipl_state_set_holding(loader->state, key, &holding))
		return ipl_state_no_memory(err);
	return ipl_spaces_load_address(loader->state, key, &holding, err);
}

enum ipl_status ipl_state_loader_row(struct ipl_state_loader *loader, struct ipl_key key,
				     struct ipl_str value, struct ipl_error *err)
{
	const uint8_t *at = (const uint8_t *)value.at;
	struct ipl_cursor c = { .at = at, .end = at + value.len };
	const struct ipl_key first = { .kind = IPL_ROW_GLOBAL };

	if (loader->has_rows ? ipl_key_compare(loader->last, key) >= 0 :
			       ipl_key_compare(key, first) != 0)
		return wrong(err, key, "it is out of order");
	loader->has_rows = true;
	loader->last = key;
	if (key.kind == IPL_ROW_GLOBAL && key.a == 0 && key.b == 0)
		return load_global(loader, key, &c, err);
	if (key.kind == IPL_KIND_LEDGER)
		return load_ledger(loader, key, value, err);
	if (!loader->state->ledger.base.alive)
		return wrong(err, key, "there is no ledger before it");
	if (key.kind < IPL_KIND_COUNT)
		return load_entity(loader, key, value, err);
	if (key.kind == IPL_ROW_PICKER)
		return load_picker(loader, key, &c, err);
	if (key.kind == IPL_KIND_IP4 || key.kind == IPL_KIND_IP6)
		return load_address(loader, key, value, err);
	return wrong(err, key, "there is no such kind");
}

enum ipl_status ipl_state_loader_finish(struct ipl_state_loader *loader, struct ipl_state **out,
					struct ipl_error *err)
{
	if (!loader->has_rows || (loader->state->seq > 0) != loader->state->ledger.base.alive)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "the rows of a state are not all there");
	*out = loader->state;
	loader->state = NULL;
	return IPL_OK;
}
