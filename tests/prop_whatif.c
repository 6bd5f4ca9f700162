/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: random histories of all operations (IPL_SEED repeats a run).
 * Claimed: every event, turned back into its request and decided again, is itself;
 * with some operations dropped, others edited or put in, what would have been is what a
 * fresh ledger comes to on which the same requests are made in order, but for the numbers
 * of what is new there: the same are refused with the same codes, the same addresses
 * are chosen, the end is the same, and it keeps every invariant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/json.h"
#include "replay/check.h"
#include "replay/request.h"
#include "replay/whatif.h"
#include "tests/random_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT64_C(999999999)

/* --- what became of what --- */

static const char *as_json(struct ipl_arena *arena, const struct ipl_value *value)
{
	struct ipl_buf buf = { 0 };
	const char *text;

	ipl_json_write(&buf, value, IPL_JSON_COMPACT);
	text = ipl_arena_printf(arena, "%.*s", (int)buf.len, (const char *)buf.at).at;
	ipl_buf_release(&buf);
	return text;
}

struct outcome {
	enum ipl_fate fate;
	enum ipl_code code;
	bool is_told;
	struct ipl_value body; /* of the event there is */
	char text[512];
};

struct told {
	struct ipl_arena arena;
	struct ipl_region_letters letters;
	struct outcome *of;      /* of event seq */
	struct outcome inserted; /* of the one that is put in */
	uint64_t count;
};

static void on_fated(void *context, const struct ipl_fated *fated)
{
	struct told *told = context;
	struct outcome *of = fated->was == NULL ? &told->inserted : &told->of[fated->seq];
	struct ipl_value event;

	assert_false(of->is_told);
	of->is_told = true;
	of->fate = fated->fate;
	told->count++;
	if (fated->err != NULL) {
		of->code = fated->err->code;
		(void)snprintf(of->text, sizeof(of->text), "%s", fated->err->text);
	}
	if (fated->is == NULL)
		return;
	event = ipl_event_value(&told->arena, told->letters, fated->is);
	of->body = ipl_value_copy(&told->arena, ipl_map_get(&event, "Body"));
}

static void told_open(struct told *told, const struct lab *lab)
{
	memset(told, 0, sizeof(*told));
	ipl_arena_init(&told->arena, (size_t)1 << 30);
	told->letters = ipl_state_letters(lab->state);
	told->of = calloc(lab->count + 1, sizeof(*told->of));
	assert_non_null(told->of);
}

static void told_close(struct told *told)
{
	ipl_arena_release(&told->arena);
	free(told->of);
}

static struct ipl_whatif_result what_if(struct lab *lab, const struct ipl_whatif_change *changes,
					size_t count, struct told *told)
{
	const struct ipl_records records = lab_records(lab);
	struct ipl_error err = IPL_ERROR_INIT(&told->arena);
	struct ipl_whatif_result result = { 0 };
	struct ipl_views *views = NULL;

	assert_int_equal(ipl_views_open(&records, &views, &err), IPL_OK);
	if (ipl_whatif(views, lab->count, changes, count, on_fated, told, &result, &err) != IPL_OK)
		fail_msg("%s", err.text);
	ipl_views_close(views);
	return result;
}

static void found(void *context, const struct ipl_finding *finding)
{
	(void)context;
	print_message("# %s: %s\n", finding->rule, finding->text);
}

static void check_invariants(struct ipl_state *state, int64_t time_ms)
{
	ipl_state_advance(state, time_ms);
	assert_int_equal(ipl_check_state(state, time_ms, found, NULL), 0);
}

/* --- nothing is changed --- */

static void test_same(void **state)
{
	/* It is refused, and yet everything after it is decided again. */
	const struct ipl_whatif_change nothing = { .kind = IPL_CHANGE_INSERT,
						   .seq = 2,
						   .operation = IPL_STR("StartInstance"),
						   .params = ipl_map() };
	struct lab lab;
	struct told told;
	struct ipl_whatif_result result;

	(void)state;
	lab_open(&lab, random_settings);
	for (int i = 0; i < 6000; i++) {
		enum ipl_status st = random_step(&lab);
		if (st != IPL_OK && st != IPL_REFUSED)
			fail_msg("%s", lab.err.text);
	}
	told_open(&told, &lab);
	result = what_if(&lab, &nothing, 1, &told);
	for (uint64_t seq = 2; seq <= lab.count; seq++) {
		struct ipl_value event;
		struct ipl_event ev;
		if (!told.of[seq].is_told)
			continue;
		lab_event(&lab, seq, &told.arena, &ev);
		event = ipl_event_value(&told.arena, told.letters, &ev);
		fail_msg("%s: fate %d: %s%s", as_json(&told.arena, &event), (int)told.of[seq].fate,
			 told.of[seq].text, as_json(&told.arena, &told.of[seq].body));
	}
	assert_int_equal(told.inserted.fate, IPL_FATE_REFUSED);
	assert_int_equal(told.count, 1);
	assert_int_equal(result.same, lab.count - 1);
	assert_true(lab_same_state(result.recorded, result.otherwise));
	ipl_whatif_release(&result);
	told_close(&told);
	lab_close(&lab);
}

/* --- a fresh ledger, to compare with --- */

/* The number in the fresh ledger of what has this number here; 0: not there. */
struct numbers {
	uint64_t *of[IPL_KIND_COUNT];
	uint64_t cap;
	struct ipl_region_letters letters;
};

static void numbers_open(struct numbers *numbers, const struct lab *lab)
{
	numbers->letters = ipl_state_letters(lab->state);
	numbers->cap = lab->count * 8 + 4096;
	for (int kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++)
		numbers->of[kind] = calloc(numbers->cap, sizeof(uint64_t));
}

static void numbers_close(struct numbers *numbers)
{
	for (int kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++)
		free(numbers->of[kind]);
}

static bool is_id(const struct numbers *numbers, struct ipl_str text, enum ipl_kind *kind,
		  uint64_t *number)
{
	return ipl_id_parse(numbers->letters, text, kind, number) && *kind != IPL_KIND_LEDGER;
}

/* Ids of here become ids of there. */
static void translate(const struct numbers *numbers, struct ipl_arena *arena,
		      struct ipl_value *value)
{
	enum ipl_kind kind;
	uint64_t number;

	for (uint32_t i = 0; value->type == IPL_VALUE_MAP && i < value->count; i++)
		translate(numbers, arena, &value->member[i].value);
	for (uint32_t i = 0; value->type == IPL_VALUE_ARRAY && i < value->count; i++)
		translate(numbers, arena, &value->item[i]);
	if (value->type == IPL_VALUE_STR && is_id(numbers, value->str, &kind, &number)) {
		char text[IPL_ID_TEXT_MAX];
		uint64_t there = number < numbers->cap ? numbers->of[kind][number] : 0;
		ipl_id_format(numbers->letters, kind, there == 0 ? NOBODY : there, text);
		*value = ipl_textf(arena, "%s", text);
	}
}

/* Made from numbers alone: they differ where those do. */
static bool is_made_of_number(struct ipl_str s)
{
	return ipl_str_starts(s, "vrt-") || ipl_str_starts(s, "vtb-") ||
	       ipl_str_starts(s, "00:16:3e:");
}

/* The same but for the numbers; what is met for the first time is noted. */
static bool alike(struct numbers *numbers, const struct ipl_value *here,
		  const struct ipl_value *there)
{
	enum ipl_kind kind, kind_there;
	uint64_t number, number_there;
	bool same = here->type == there->type;

	if (same && here->type == IPL_VALUE_MAP) {
		same = here->count == there->count;
		for (uint32_t i = 0; same && i < here->count; i++)
			same = ipl_str_equal(here->member[i].key, there->member[i].key) &&
			       alike(numbers, &here->member[i].value, &there->member[i].value);
		return same;
	}
	if (same && here->type == IPL_VALUE_ARRAY) {
		same = here->count == there->count;
		for (uint32_t i = 0; same && i < here->count; i++)
			same = alike(numbers, &here->item[i], &there->item[i]);
		return same;
	}
	if (!same || here->type != IPL_VALUE_STR)
		return same && ipl_value_equal(here, there);
	if (is_made_of_number(here->str))
		return is_made_of_number(there->str);
	if (!is_id(numbers, here->str, &kind, &number))
		return ipl_value_equal(here, there);
	if (!is_id(numbers, there->str, &kind_there, &number_there) || kind != kind_there ||
	    number >= numbers->cap)
		return false;
	if (numbers->of[kind][number] == 0)
		numbers->of[kind][number] = number_there;
	return numbers->of[kind][number] == number_there;
}

/* Make the request on the fresh ledger; what comes of it must be @outcome (@body where not told).
 */
static void make(struct lab *fresh, struct numbers *numbers, struct ipl_arena *arena, uint64_t seq,
		 const char *operation, struct ipl_value params, const struct outcome *outcome,
		 const struct ipl_value *body)
{
	uint64_t before = fresh->count;
	struct ipl_value event;
	enum ipl_status st;

	translate(numbers, arena, &params);
	st = lab_call(fresh, operation, "%s", as_json(arena, &params));
	if (outcome->is_told && outcome->fate == IPL_FATE_REFUSED) {
		if (st != IPL_REFUSED || fresh->err.code != outcome->code)
			fail_msg("event %llu, %s %s: refused (%s), there %s",
				 (unsigned long long)seq, operation, as_json(arena, &params),
				 outcome->text, st == IPL_OK ? "done" : fresh->err.text);
		return;
	}
	if (st != IPL_OK)
		fail_msg("event %llu, %s %s: done, there %s", (unsigned long long)seq, operation,
			 as_json(arena, &params), fresh->err.text);
	if (outcome->is_told && outcome->fate == IPL_FATE_NEEDLESS) {
		assert_int_equal(fresh->count, before);
		return;
	}
	event = ipl_event_value(arena, numbers->letters, &fresh->ev);
	if (!alike(numbers, body, ipl_map_get(&event, "Body")))
		fail_msg("event %llu, %s: %s, there %s", (unsigned long long)seq, operation,
			 as_json(arena, body), as_json(arena, &event));
}

static void compare_ends(const struct ipl_state *here, const struct lab *fresh,
			 struct numbers *numbers, struct ipl_arena *arena)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_lens a, b;

	ipl_lens_of_state(&a, here, ipl_state_time_ms(here), &err);
	ipl_lens_of_state(&b, fresh->state, ipl_state_time_ms(here), &err);
	for (enum ipl_kind kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++) {
		assert_int_equal(ipl_state_count(here, kind), ipl_state_count(fresh->state, kind));
		for (uint64_t n = 0; (n = ipl_state_next(here, kind, n)) != 0;) {
			uint64_t m = n < numbers->cap ? numbers->of[kind][n] : 0;
			const union ipl_entity *there = ipl_state_find(fresh->state, kind, m);
			struct ipl_value x, y;
			assert_non_null(there);
			x = ipl_show(arena, &a, kind, n, ipl_state_find(here, kind, n));
			y = ipl_show(arena, &b, kind, m, there);
			if (!alike(numbers, &x, &y))
				fail_msg("%s, there %s", as_json(arena, &x), as_json(arena, &y));
			if (kind == IPL_KIND_VSWITCH)
				assert_int_equal(ipl_state_block(here, n)->position,
						 ipl_state_block(fresh->state, m)->position);
		}
	}
	assert_int_equal(ipl_state_pool_position(here), ipl_state_pool_position(fresh->state));
}

/* All requests again on a fresh ledger, with the one change; everything must come as it was told.
 */
static void compare(struct lab *lab, const struct ipl_whatif_change *change, struct told *told,
		    const struct ipl_state *here)
{
	const struct ipl_records records = lab_records(lab);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_views *views = NULL;
	struct numbers numbers;
	struct lab fresh;

	lab_open(&fresh, random_settings);
	numbers_open(&numbers, lab);
	assert_int_equal(ipl_views_open(&records, &views, &err), IPL_OK);
	for (uint64_t seq = 2; seq <= lab->count; seq++) {
		const struct ipl_state *before = NULL;
		struct ipl_value request, event;
		struct ipl_event ev;
		bool is_it = seq == change->seq;
		assert_int_equal(ipl_views_at(views, seq - 1, &before, &err), IPL_OK);
		lab_event(lab, seq, &told->arena, &ev);
		event = ipl_event_value(&told->arena, told->letters, &ev);
		request = ipl_request_of(&told->arena, before, &ev);
		if (is_it && change->kind == IPL_CHANGE_INSERT)
			make(&fresh, &numbers, &told->arena, seq, change->operation.at,
			     ipl_value_copy(&told->arena, &change->params), &told->inserted,
			     &told->inserted.body);
		fresh.time_ms = ev.time_ms;
		if (is_it && change->kind == IPL_CHANGE_DROP)
			continue;
		if (is_it && change->kind == IPL_CHANGE_EDIT)
			make(&fresh, &numbers, &told->arena, seq, change->operation.at,
			     ipl_value_copy(&told->arena, &change->params), &told->of[seq],
			     &told->of[seq].body);
		else
			make(&fresh, &numbers, &told->arena, seq, ipl_op_name(ev.op),
			     ipl_value_copy(&told->arena, &request), &told->of[seq],
			     told->of[seq].is_told ? &told->of[seq].body :
						     ipl_map_get(&event, "Body"));
	}
	compare_ends(here, &fresh, &numbers, &told->arena);
	ipl_views_close(views);
	numbers_close(&numbers);
	lab_close(&fresh);
}

/* A change of @kind at @seq: what is put in or done instead is what another event did, or new. */
static struct ipl_whatif_change draw_change(struct lab *lab, struct ipl_arena *arena,
					    enum ipl_change_kind kind, uint64_t seq)
{
	const struct ipl_records records = lab_records(lab);
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint64_t like = 2 + random_draw(lab->count - 1);
	struct ipl_whatif_change change = { .kind = kind, .seq = seq };
	const struct ipl_state *before = NULL;
	struct ipl_views *views = NULL;
	struct ipl_event ev;

	if (kind == IPL_CHANGE_DROP)
		return change;
	assert_int_equal(ipl_views_open(&records, &views, &err), IPL_OK);
	assert_int_equal(ipl_views_at(views, like - 1, &before, &err), IPL_OK);
	lab_event(lab, like, arena, &ev);
	change.params = ipl_request_of(arena, before, &ev);
	change.operation = ipl_str_of(ipl_op_name(ev.op));
	ipl_views_close(views);
	return change;
}

static void one_history(int steps, uint64_t *refused, uint64_t *otherwise)
{
	struct lab lab;

	lab_open(&lab, random_settings);
	for (int i = 0; i < steps || lab.count < 20; i++)
		assert_true(random_single(&lab) != IPL_ERR_CORRUPT);
	for (int i = 0; i < 6; i++) {
		struct ipl_whatif_change change;
		struct ipl_whatif_result result;
		struct told told;
		told_open(&told, &lab);
		change = draw_change(&lab, &told.arena, (enum ipl_change_kind)random_draw(3),
				     2 + random_draw(lab.count - 1));
		result = what_if(&lab, &change, 1, &told);
		assert_int_equal(result.first, change.seq);
		assert_true(lab_same_state(result.recorded, lab.state) ||
			    ipl_state_time_ms(lab.state) != lab.time_ms);
		compare(&lab, &change, &told, result.otherwise);
		check_invariants(result.otherwise, lab.time_ms);
		*refused += result.refused;
		*otherwise += result.otherwise_count;
		ipl_whatif_release(&result);
		told_close(&told);
	}
	lab_close(&lab);
}

static void test_brute_force(void **state)
{
	uint64_t refused = 0, otherwise = 0;

	(void)state;
	for (int i = 0; i < 40; i++)
		one_history(20 + (int)random_draw(250), &refused, &otherwise);
	print_message("# refused %llu, otherwise %llu\n", (unsigned long long)refused,
		      (unsigned long long)otherwise);
	assert_true(refused > 100 && otherwise > 100);
}

/* --- transactions, and what cannot be asked --- */

/* A network, its instance and an EIP for it in one transaction, seqs 2 to 6; then 7, 8. */
static void open_group(struct lab *lab)
{
	lab_open(lab, NULL);
	assert_int_equal(
		lab_call(
			lab, "Transact",
			"{\"Operations\":["
			"{\"Operation\":\"CreateVpc\",\"Params\":{\"CidrBlock\":\"10.0.0.0/16\"}},"
			"{\"Operation\":\"CreateVSwitch\",\"Params\":{\"VpcId\":\"$1.VpcId\","
			"\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":\"10.0.1.0/24\"}},"
			"{\"Operation\":\"RunInstances\",\"Params\":{\"VSwitchId\":\"$2."
			"VSwitchId\","
			"\"InstanceType\":\"ecs.g6.large\"}},"
			"{\"Operation\":\"AllocateEipAddress\"},"
			"{\"Operation\":\"AssociateEipAddress\",\"Params\":{\"AllocationId\":"
			"\"$4.AllocationId\",\"InstanceId\":\"$3.InstanceIdSets.InstanceIdSet.1\"}}"
			"]}"),
		IPL_OK);
	assert_int_equal(lab_call(lab, "AllocateEipAddress", "{}"), IPL_OK);
	assert_int_equal(lab_call(lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/16\"}"), IPL_OK);
	assert_int_equal(lab->count, 8);
}

static struct ipl_whatif_result drop(struct lab *lab, struct told *told, uint64_t seq)
{
	const struct ipl_whatif_change change = { .kind = IPL_CHANGE_DROP, .seq = seq };

	told_open(told, lab);
	return what_if(lab, &change, 1, told);
}

/* Without its vSwitch the transaction has no instance: none of it is done. */
static void test_group_falls(void **state)
{
	struct ipl_whatif_result result;
	struct told told;
	struct lab lab;

	(void)state;
	open_group(&lab);
	result = drop(&lab, &told, 3);
	assert_int_equal(result.first, 2);
	assert_int_equal(told.of[3].fate, IPL_FATE_DROPPED);
	for (uint64_t seq = 2; seq <= 6; seq++) {
		if (seq == 3)
			continue;
		assert_int_equal(told.of[seq].fate, IPL_FATE_REFUSED);
		assert_int_equal(told.of[seq].code, IPL_CODE_VSWITCH_NOT_FOUND);
	}
	/* The EIP that came later has the address that this one had; the ids stay. */
	assert_int_equal(told.of[7].fate, IPL_FATE_OTHERWISE);
	assert_false(told.of[8].is_told);
	assert_int_equal(ipl_state_count(result.otherwise, IPL_KIND_VPC), 1);
	assert_null(ipl_state_vpc(result.otherwise, 1));
	assert_non_null(ipl_state_vpc(result.otherwise, 2));
	assert_null(ipl_state_eip(result.otherwise, 1));
	assert_int_equal(ipl_state_eip(result.otherwise, 2)->ip,
			 ipl_state_eip(result.recorded, 1)->ip);
	ipl_whatif_release(&result);
	told_close(&told);
	lab_close(&lab);
}

/* Without the last step the others are done as they were. */
static void test_group_stays(void **state)
{
	struct ipl_whatif_result result;
	struct told told;
	struct lab lab;

	(void)state;
	open_group(&lab);
	result = drop(&lab, &told, 6);
	assert_int_equal(told.of[6].fate, IPL_FATE_DROPPED);
	assert_int_equal(told.count, 1);
	assert_int_equal(result.same, 6);
	assert_int_equal(ipl_state_eip(result.otherwise, 1)->eni, 0);
	assert_int_equal(ipl_state_count(result.otherwise, IPL_KIND_INSTANCE), 1);
	check_invariants(result.otherwise, lab.time_ms);
	ipl_whatif_release(&result);
	told_close(&told);
	lab_close(&lab);
}

/* What a transaction made is seen by its later steps, whatever its number is. */
static void test_group_sees_its_own(void **state)
{
	struct ipl_whatif_result result;
	struct told told;
	struct lab lab;

	(void)state;
	lab_open(&lab, NULL);
	assert_int_equal(
		lab_call(&lab, "Transact",
			 "{\"Operations\":["
			 "{\"Operation\":\"CreateVpc\",\"Params\":{\"CidrBlock\":\"10.0.0.0/16\"}},"
			 "{\"Operation\":\"CreateVSwitch\",\"Params\":{\"VpcId\":\"$1.VpcId\","
			 "\"ZoneId\":\"cn-hangzhou-b\",\"CidrBlock\":\"10.0.1.0/24\"}},"
			 "{\"Operation\":\"DeleteVSwitch\",\"Params\":{\"VSwitchId\":"
			 "\"$2.VSwitchId\"}},"
			 "{\"Operation\":\"ModifyLedgerSettings\",\"Params\":{\"Zones\":"
			 "[\"cn-hangzhou-a\"]}}]}"),
		IPL_OK);
	result = drop(&lab, &told, 4);
	assert_int_equal(told.of[5].fate, IPL_FATE_REFUSED);
	assert_int_equal(told.of[5].code, IPL_CODE_DEPENDENCY_ZONE);
	assert_int_equal(ipl_state_count(result.otherwise, IPL_KIND_VPC), 0);
	ipl_whatif_release(&result);
	told_close(&told);
	lab_close(&lab);
}

static void test_refused(void **state)
{
	const struct {
		struct ipl_whatif_change change[2];
		size_t count;
		const char *says;
	} rows[] = {
		{ { { .kind = IPL_CHANGE_DROP, .seq = 1 } }, 1, "1 is no event that can be" },
		{ { { .kind = IPL_CHANGE_DROP, .seq = 9 } }, 1, "9 is no event that can be" },
		{ { { .kind = IPL_CHANGE_INSERT, .seq = 10 } }, 1, "10 is no event that can be" },
		{ { { .kind = IPL_CHANGE_DROP, .seq = 7 }, { .kind = IPL_CHANGE_DROP, .seq = 7 } },
		  2,
		  "event 7 is changed twice" },
		{ { { .kind = IPL_CHANGE_EDIT,
		      .seq = 7,
		      .operation = IPL_STR("Fly"),
		      .params = { .type = IPL_VALUE_MAP } } },
		  1,
		  "there is no operation Fly" },
		{ { { .kind = IPL_CHANGE_EDIT,
		      .seq = 7,
		      .operation = IPL_STR("Transact"),
		      .params = { .type = IPL_VALUE_MAP } } },
		  1,
		  "Transact is no single write" },
		{ { { .kind = IPL_CHANGE_EDIT, .seq = 7, .operation = IPL_STR("CreateVpc") } },
		  1,
		  "the Params of CreateVpc are" },
		{ { { .kind = IPL_CHANGE_INSERT,
		      .seq = 4,
		      .operation = IPL_STR("CreateVpc"),
		      .params = { .type = IPL_VALUE_MAP } } },
		  1,
		  "event 4 is inside a transaction (2 to 6)" },
	};
	struct lab lab;

	(void)state;
	open_group(&lab);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(rows); i++) {
		const struct ipl_records records = lab_records(&lab);
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct ipl_whatif_result result;
		struct ipl_views *views = NULL;
		struct told told;
		told_open(&told, &lab);
		assert_int_equal(ipl_views_open(&records, &views, &err), IPL_OK);
		assert_int_equal(ipl_whatif(views, lab.count, rows[i].change, rows[i].count,
					    on_fated, &told, &result, &err),
				 IPL_REFUSED);
		if (strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].says, err.text);
		ipl_views_close(views);
		told_close(&told);
	}
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_brute_force),
		cmocka_unit_test(test_group_falls),
		cmocka_unit_test(test_group_stays),
		cmocka_unit_test(test_group_sees_its_own),
		cmocka_unit_test(test_refused),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
