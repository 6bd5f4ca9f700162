/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: random histories (IPL_SEED repeats a run).
 * Claimed: a state that is made from its rows has the same rows, and the same
 * spaces, which follow from them; it folds and picks on as the one they are of;
 * rows that are cut, changed or out of order are damage or another state, never a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/past.h"
#include "replay/state_hash.h"
#include "tests/random_ops.h"

#include <stdlib.h>
#include <string.h>

#define SETTINGS                                                  \
	"{\"PublicPools\":[\"198.18.0.0/27\",\"198.18.1.0/28\"]," \
	"\"ReuseDelaySeconds\":1}"

struct row {
	struct ipl_key key;
	struct ipl_str value;
};

struct row_list {
	struct ipl_arena arena;
	struct row *at;
	size_t count, cap;
};

static enum ipl_status keep_row(void *context, struct ipl_key key, struct ipl_str value,
				struct ipl_error *err)
{
	struct row_list *list = context;

	(void)err;
	if (list->count == list->cap) {
		list->cap = list->cap == 0 ? 256 : list->cap * 2;
		list->at = realloc(list->at, list->cap * sizeof(*list->at));
		assert_non_null(list->at);
	}
	list->at[list->count++] = (struct row){ key, ipl_arena_str(&list->arena, value) };
	return IPL_OK;
}

static void list_rows(const struct ipl_state *state, struct row_list *list)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	*list = (struct row_list){ .count = 0 };
	ipl_arena_init(&list->arena, (size_t)1 << 30);
	assert_int_equal(ipl_state_each_row(state, keep_row, list, &err), IPL_OK);
	for (size_t i = 1; i < list->count; i++)
		assert_true(ipl_key_compare(list->at[i - 1].key, list->at[i].key) < 0);
}

static void release_rows(struct row_list *list)
{
	ipl_arena_release(&list->arena);
	free(list->at);
}

static enum ipl_status load_rows(const struct row_list *list, struct ipl_state **out,
				 struct ipl_error *err)
{
	struct ipl_state_loader *loader = ipl_state_loader_new();
	enum ipl_status st = IPL_OK;

	for (size_t i = 0; st == IPL_OK && i < list->count; i++)
		st = ipl_state_loader_row(loader, list->at[i].key, list->at[i].value, err);
	if (st == IPL_OK)
		st = ipl_state_loader_finish(loader, out, err);
	ipl_state_loader_free(loader);
	return st;
}

static void assert_same_block(const struct ipl_block *a, const struct ipl_block *b)
{
	assert_true(ipl_cidr4_equal(a->cidr, b->cidr));
	assert_int_equal(a->free_count, b->free_count);
	assert_int_equal(a->position, b->position);
	for (uint32_t i = 0; i < a->level_count; i++)
		assert_memory_equal(a->level[i], b->level[i], a->words[i] * sizeof(uint64_t));
}

/* What is not in the rows but follows from them. */
static void assert_same_spaces(const struct ipl_state *a, const struct ipl_state *b)
{
	for (uint64_t n = 0; (n = ipl_state_next(a, IPL_KIND_VSWITCH, n)) != 0;)
		assert_same_block(ipl_state_block(a, n), ipl_state_block(b, n));
	assert_int_equal(ipl_state_pool_count(a), ipl_state_pool_count(b));
	for (uint32_t i = 0; i < ipl_state_pool_count(a); i++)
		assert_same_block(ipl_state_pool(a, i), ipl_state_pool(b, i));
	for (uint64_t n = 0; (n = ipl_state_next(a, IPL_KIND_VPC, n)) != 0;) {
		uint64_t hi = ipl_state_vpc(a, n)->ipv6_cidr.hi;
		assert_int_equal(ipl_state_ipv6_block_owner(a, hi),
				 ipl_state_ipv6_block_owner(b, hi));
	}
	for (enum ipl_kind kind = IPL_KIND_LEDGER; kind < IPL_KIND_COUNT; kind++)
		assert_int_equal(ipl_state_count(a, kind), ipl_state_count(b, kind));
}

static void assert_same_rows(const struct row_list *a, const struct row_list *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_int_equal(ipl_key_compare(a->at[i].key, b->at[i].key), 0);
		assert_true(ipl_str_equal(a->at[i].value, b->at[i].value));
	}
}

/* A copy of @state by way of its rows, which has the same. */
static struct ipl_state *reload(const struct ipl_state *state)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct row_list before, after;
	struct ipl_state *again;

	list_rows(state, &before);
	if (load_rows(&before, &again, &err) != IPL_OK)
		fail_msg("%s", err.text);
	list_rows(again, &after);
	assert_same_rows(&before, &after);
	assert_same_spaces(state, again);
	release_rows(&before);
	release_rows(&after);
	return again;
}

static void assert_same_hash(const struct ipl_state *a, const struct ipl_state *b)
{
	uint8_t x[IPL_DIGEST_BYTES], y[IPL_DIGEST_BYTES];
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	assert_int_equal(ipl_state_hash(a, x, &err), IPL_OK);
	assert_int_equal(ipl_state_hash(b, y, &err), IPL_OK);
	assert_memory_equal(x, y, sizeof(x));
}

/* Made from rows here and there on the way, it stays the one that was folded from the beginning. */
static void test_rows_on_the_way(void **state)
{
	struct lab lab;
	const struct ipl_source source = lab_source(&lab);
	struct ipl_state *folded = ipl_state_new(), *loaded = reload(folded);
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	(void)state;
	lab_open(&lab, SETTINGS);
	for (int i = 0; i < 4000; i++)
		assert_true(random_step(&lab) <= IPL_REFUSED);
	for (uint64_t seq = 1; seq <= lab.count; seq += 1 + random_draw(40)) {
		struct ipl_state *was = loaded;
		assert_int_equal(ipl_fold_to(folded, &source, seq, &err), IPL_OK);
		if (ipl_fold_to(loaded, &source, seq, &err) != IPL_OK)
			fail_msg("%s", err.text);
		assert_same_hash(folded, loaded);
		assert_same_spaces(folded, loaded);
		loaded = reload(loaded);
		ipl_state_free(was);
	}
	ipl_state_free(folded);
	ipl_state_free(loaded);
	lab_close(&lab);
}

/* The state of the lab, made again from the rows of its log's fold. */
static void change_state(struct lab *lab)
{
	const struct ipl_source source = lab_source(lab);
	struct ipl_state *folded = ipl_state_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	assert_int_equal(ipl_fold_to(folded, &source, lab->count, &err), IPL_OK);
	ipl_state_free(lab->state);
	lab->state = reload(folded);
	ipl_state_free(folded);
}

/* The same operations on a state that is made from rows now and then: the same decisions. */
static void test_picks_go_on(void **state)
{
	struct lab plain, changed;

	(void)state;
	random_begin(7);
	lab_open(&plain, SETTINGS);
	for (int i = 0; i < 1500; i++)
		assert_true(random_step(&plain) <= IPL_REFUSED);
	random_begin(7);
	lab_open(&changed, SETTINGS);
	for (int i = 0; i < 1500; i++) {
		assert_true(random_step(&changed) <= IPL_REFUSED);
		if (i % 25 == 0)
			change_state(&changed);
	}
	assert_int_equal(plain.count, changed.count);
	for (size_t i = 0; i < plain.count; i++)
		assert_true(ipl_str_equal(plain.record[i], changed.record[i]));
	lab_close(&plain);
	lab_close(&changed);
}

/* Rows that are cut, changed in a bit, left out or out of order: damage or another state, no crash.
 */
static void test_bad_rows(void **state)
{
	struct lab lab;
	struct row_list rows;
	uint64_t refused = 0;

	(void)state;
	lab_open(&lab, "{\"ReuseDelaySeconds\":1}");
	for (int i = 0; i < 600; i++)
		assert_true(random_step(&lab) <= IPL_REFUSED);
	change_state(&lab);
	list_rows(lab.state, &rows);
	for (int i = 0; i < 3000; i++) {
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct row *row = &rows.at[random_draw(rows.count)], was = *row;
		struct ipl_state *made = NULL;
		char copy[4096];
		size_t at = random_draw(was.value.len);
		enum ipl_status st;
		assert_true(was.value.len <= sizeof(copy));
		memcpy(copy, was.value.at, was.value.len);
		row->value.at = copy;
		if (i % 4 == 0)
			row->value.len = at;
		else if (i % 4 == 1)
			row->key.a += random_draw(3) - 1;
		else
			copy[at] ^= (char)(1 << random_draw(8));
		st = load_rows(&rows, &made, &err);
		assert_true(st == IPL_OK || st == IPL_ERR_CORRUPT || st == IPL_ERR_NOMEM);
		refused += st != IPL_OK;
		if (i % 4 == 0)
			assert_int_equal(st, IPL_ERR_CORRUPT);
		ipl_state_free(made);
		*row = was;
	}
	assert_true(refused > 1000);
	release_rows(&rows);
	lab_close(&lab);
}

/* The order in which addresses began to cool, and those that are done with it, mean nothing. */
static void test_what_means_nothing(void **state)
{
	struct ipl_cooling_ip a[] = { { 900, 7 }, { 2000, 5 }, { 1500, 9 }, { 1500, 3 } };
	struct ipl_cooling_ip b[] = { { 1500, 3 }, { 1500, 9 }, { 2000, 5 }, { 1000, 1 } };
	struct ipl_notes notes = { .name = IPL_STR("n") };
	union ipl_entity x = { .vswitch = { .base = { true, 1, 2, 3, &notes },
					    .cooling = { a, 4, 4 } } };
	union ipl_entity y = x;
	struct ipl_buf first = { 0 }, second = { 0 };

	(void)state;
	y.vswitch.cooling = (struct ipl_cooling_list){ b, 4, 8 };
	ipl_entity_encode(IPL_KIND_VSWITCH, &x, 1000, &first);
	ipl_entity_encode(IPL_KIND_VSWITCH, &y, 1000, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.at, second.at, first.len);
	ipl_buf_release(&first);
	ipl_buf_release(&second);
}

static void decode_again(enum ipl_kind kind, const union ipl_entity *entity, union ipl_entity *out)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_buf buf = { 0 };

	memset(out, 0, sizeof(*out));
	ipl_entity_encode(kind, entity, 0, &buf);
	if (ipl_entity_decode(kind, (struct ipl_str){ (const char *)buf.at, buf.len }, out, &err) !=
	    IPL_OK)
		fail_msg("%s", err.text);
	assert_true(out->base.alive);
	assert_int_equal(out->base.first_seq, entity->base.first_seq);
	assert_int_equal(out->base.last_seq, entity->base.last_seq);
	assert_int_equal(out->base.created_ms, entity->base.created_ms);
	ipl_buf_release(&buf);
}

/* Members that no event looks at come back too. */
static void test_members(void **state)
{
	struct ipl_notes notes = { .zone = IPL_STR("z") };
	uint64_t enis[] = { 5, 4 };
	struct ipl_eni_address address[] = { { 10, IPL_MODE_BINDED, 11 }, { 12, 0, 0 } };
	const struct ipl_base base = { true, 21, 22, 23, &notes };
	union ipl_entity instance = { .instance = { base,
						    1,
						    IPL_RUN_STOPPED,
						    IPL_STOPPED_STOP_CHARGING,
						    0,
						    true,
						    false,
						    2,
						    3,
						    4,
						    5,
						    { enis, 2, 2 } } };
	union ipl_entity eni = { .eni = {
					 base, 1, 2, 3, true, false, address, 2, { enis, 1, 2 } } };
	union ipl_entity out;

	(void)state;
	decode_again(IPL_KIND_INSTANCE, &instance, &out);
	assert_true(out.instance.address_changed && !out.instance.public_ip_reclaimed);
	assert_int_equal(out.instance.stopped_mode, IPL_STOPPED_STOP_CHARGING);
	assert_true(out.instance.vpc == 1 && out.instance.public_ip == 2 &&
		    out.instance.bandwidth_out == 3 && out.instance.bandwidth_in == 4 &&
		    out.instance.eip == 5);
	assert_true(out.instance.enis.count == 2 && out.instance.enis.at[0] == 5);
	ipl_entity_release(IPL_KIND_INSTANCE, &out);
	decode_again(IPL_KIND_ENI, &eni, &out);
	assert_true(out.eni.is_primary && !out.eni.delete_on_release);
	assert_memory_equal(out.eni.address, address, sizeof(address));
	assert_true(ipl_str_is(out.eni.base.notes->zone, "z"));
	ipl_entity_release(IPL_KIND_ENI, &out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_on_the_way), cmocka_unit_test(test_picks_go_on),
		cmocka_unit_test(test_bad_rows),        cmocka_unit_test(test_what_means_nothing),
		cmocka_unit_test(test_members),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
