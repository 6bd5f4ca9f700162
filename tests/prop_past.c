/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: random histories of all operations (IPL_SEED repeats a run), of which many events
 * have the same millisecond.
 * Claimed: the history of every address and entity, in pages of any size and through any
 * window of time, is what a naive fold of the first N events for every N says it was; the
 * difference of any two moments is that of the two whole states, all of it or what belongs
 * to one thing; who holds an address as of any seq is what the whole state says, and of each
 * address that anybody had the last holding is listed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/json.h"
#include "events/time.h"
#include "replay/addresses.h"
#include "replay/diff.h"
#include "tests/naive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 3000

/* --- histories --- */

/* What is asked: whose history, as of when, through which window. */
struct question {
	struct ipl_key keys[64];
	size_t key_count;
	uint64_t as_of;
	int64_t from_ms, to_ms; /* INT64_MIN and INT64_MAX: all */
};

static uint64_t seq_at(const struct oracle *o, int64_t time_ms, uint64_t as_of)
{
	uint64_t seq = 0;

	while (seq < as_of && o->time_ms[seq] <= time_ms)
		seq++;
	return seq;
}

static struct ipl_history make_page(struct oracle *o, const struct question *q,
				    struct ipl_lens *lens, uint64_t position,
				    struct ipl_arena *arena)
{
	return (struct ipl_history){
		.source = &o->source,
		.lens = lens,
		.as_of = q->as_of,
		.from = q->from_ms == INT64_MIN ? 0 : seq_at(o, q->from_ms - 1, q->as_of) + 1,
		.in_force = q->from_ms == INT64_MIN ? 0 : seq_at(o, q->from_ms, q->as_of),
		.to = q->to_ms == INT64_MAX ? q->as_of : seq_at(o, q->to_ms, q->as_of),
		.max_results = 1 + (int64_t)random_draw(7),
		.bytes_max = random_draw(3) == 0 ? 1500 : 1 << 20,
		.position = position,
		.arena = arena,
		.err = &o->err,
		.page = ipl_array(),
	};
}

/* All pages, each with a lens of its own. */
static struct ipl_value ask(struct oracle *o, const struct question *q, struct ipl_arena *arena)
{
	struct ipl_value all = ipl_array();
	uint64_t position = 0;

	do {
		struct ipl_lens lens;
		struct ipl_history h = make_page(o, q, &lens, position, arena);
		enum ipl_status st;
		assert_int_equal(ipl_past_open(&lens, &o->source, 0, 0, &o->err), IPL_OK);
		lens.letters = ipl_state_letters(o->lab.state);
		lens.region = IPL_STR("cn-hangzhou");
		st = q->keys[0].kind >= IPL_KIND_IP4 ?
			     ipl_history_of_address(&h, q->keys, q->key_count) :
			     ipl_history_of_entity(&h, (enum ipl_kind)q->keys[0].kind,
						   q->keys[0].a);
		if (st != IPL_OK)
			fail_msg("%s", o->err.text);
		ipl_past_close(&lens);
		assert_true(h.page.count <= h.max_results);
		assert_true(h.position == 0 || h.page.count > 0);
		for (uint32_t i = 0; i < h.page.count; i++)
			ipl_array_add(arena, &all, h.page.item[i]);
		position = h.position;
	} while (position != 0);
	assert_false(arena->failed);
	return all;
}

static void check_end(const struct oracle *o, const struct ipl_value *interval, uint64_t seq,
		      const char *seq_name, const char *time_name, const char *by_name)
{
	const struct ipl_value *by = ipl_map_get(interval, by_name);
	char text[IPL_TIME_TEXT_MAX];
	struct ipl_arena arena;
	struct ipl_event ev;

	if (seq == 0) {
		assert_int_equal(ipl_map_get(interval, seq_name)->type, IPL_VALUE_NIL);
		assert_int_equal(ipl_map_get(interval, time_name)->type, IPL_VALUE_NIL);
		assert_int_equal(by->type, IPL_VALUE_NIL);
		return;
	}
	assert_int_equal(ipl_map_get(interval, seq_name)->integer, seq);
	ipl_time_format(o->time_ms[seq - 1], text);
	assert_true(ipl_str_is(ipl_map_text(interval, time_name), text));
	ipl_arena_init(&arena, (size_t)16 << 20);
	lab_event(&o->lab, seq, &arena, &ev);
	assert_int_equal(ipl_map_get(by, "Seq")->integer, seq);
	assert_true(ipl_str_is(ipl_map_text(by, "Type"), ipl_event_name(ev.type)));
	assert_true(ipl_str_is(ipl_map_text(by, "Operation"), ipl_op_name(ev.op)));
	assert_true(ipl_str_equal(ipl_map_text(by, "Principal"), ev.principal));
	ipl_arena_release(&arena);
}

static bool is_asked(const struct oracle *o, const struct question *q, const struct wanted *w)
{
	uint64_t to = w->to > q->as_of ? 0 : w->to;
	bool of_key = false;

	for (size_t i = 0; i < q->key_count; i++)
		of_key = of_key || ipl_key_equal(q->keys[i], w->key);
	return of_key && w->from <= q->as_of && o->time_ms[w->from - 1] <= q->to_ms &&
	       (to == 0 || o->time_ms[to - 1] > q->from_ms ||
		o->time_ms[w->from - 1] >= q->from_ms);
}

static void fail_with(const struct ipl_value *got, const struct ipl_value *wanted)
{
	struct ipl_buf a = { 0 }, b = { 0 };

	ipl_json_write(&a, got, IPL_JSON_COMPACT);
	ipl_json_write(&b, wanted, IPL_JSON_COMPACT);
	print_message("# got %.*s\n# wanted %.*s\n", (int)a.len, (const char *)a.at, (int)b.len,
		      (const char *)b.at);
	ipl_buf_release(&a);
	ipl_buf_release(&b);
	fail();
}

static uint32_t check_question(struct oracle *o, const struct question *q)
{
	struct ipl_arena arena;
	struct ipl_value got;
	uint32_t at = 0;

	ipl_arena_init(&arena, (size_t)1 << 30);
	got = ask(o, q, &arena);
	for (size_t i = 0; i < o->count; i++) {
		const struct wanted *w = &o->wanted[i];
		const struct ipl_value *interval, *value;
		if (!is_asked(o, q, w))
			continue;
		assert_true(at < got.count);
		interval = &got.item[at++];
		check_end(o, interval, w->from, "FromSeq", "FromTime", "OpenedBy");
		check_end(o, interval, w->to > q->as_of ? 0 : w->to, "ToSeq", "ToTime", "ClosedBy");
		value = ipl_map_get(interval, w->key.kind >= IPL_KIND_IP4 ? "Holder" : "Fields");
		if (!ipl_value_equal(value, &w->value))
			fail_with(value, &w->value);
	}
	assert_int_equal(at, got.count);
	ipl_arena_release(&arena);
	return at;
}

/* The same address in public and in every VPC, public first; an entity or IPv6 address alone. */
static struct question question_of(const struct oracle *o, struct ipl_key key)
{
	struct question q = { .as_of = o->lab.count, .from_ms = INT64_MIN, .to_ms = INT64_MAX };

	if (key.kind != IPL_KIND_IP4) {
		q.keys[q.key_count++] = key;
		return q;
	}
	for (uint64_t vpc = 0; vpc < ipl_state_next_number(o->lab.state, IPL_KIND_VPC); vpc++) {
		struct ipl_key one = ipl_key_ip4(vpc, (uint32_t)key.b);
		if (q.key_count < IPL_ARRAY_SIZE(q.keys) && ipl_heads_last(o->lab.heads, one) != 0)
			q.keys[q.key_count++] = one;
	}
	return q;
}

static void test_histories(void **state)
{
	struct oracle o;
	struct ipl_hashmap done;
	uint32_t longest = 0;

	(void)state;
	open_oracle(&o, STEPS);
	ipl_hashmap_init(&done, 1);
	for (size_t i = 0; i < o.count; i++) {
		struct ipl_key key = o.wanted[i].key;
		struct question q = question_of(&o, key);
		uint32_t found;
		if (key.kind == IPL_KIND_IP4)
			key.a = 0;
		if (ipl_hashmap_find(&done, key) != NULL)
			continue;
		assert_non_null(ipl_hashmap_put(&done, key));
		found = check_question(&o, &q);
		longest = found > longest ? found : longest;
	}
	print_message("# %zu intervals of %zu chains, the longest %u\n", o.count, done.count,
		      longest);
	assert_true(longest > 32); /* more than is looked up at once */
	ipl_hashmap_release(&done);
	close_oracle(&o);
}

/* As of any moment, through any window; the ends of windows are times of events, or beside them. */
static void test_windows(void **state)
{
	struct oracle o;
	uint32_t found = 0;

	(void)state;
	open_oracle(&o, STEPS);
	for (int i = 0; i < 1500; i++) {
		const struct wanted *w = &o.wanted[random_draw(o.count)];
		struct question q = question_of(&o, w->key);
		if (random_draw(2) == 0)
			q.as_of = 1 + random_draw(o.lab.count);
		if (random_draw(3) > 0)
			q.from_ms =
				o.time_ms[random_draw(o.lab.count)] + (int64_t)random_draw(3) - 1;
		if (random_draw(3) > 0)
			q.to_ms = o.time_ms[random_draw(o.lab.count)] + (int64_t)random_draw(3) - 1;
		if (random_draw(4) == 0)
			q.from_ms = q.to_ms = o.time_ms[w->from - 1];
		found += check_question(&o, &q);
	}
	assert_true(found > 1500);
	close_oracle(&o);
}

/* --- differences --- */

/* Two moments: the whole states there, and what is asked. */
struct pair {
	uint64_t seq[2];
	struct ipl_state *state[2];
	struct ipl_key scope;
};

static uint64_t eni_of(struct ipl_key key, const union ipl_entity *e)
{
	return key.kind == IPL_KIND_EIP ? e->eip.eni : key.kind == IPL_KIND_IPV6 ? e->ipv6.eni : 0;
}

/* Whether an entity belongs to the scope in that state: by its shown members alone. */
static bool is_inside(struct oracle *o, const struct ipl_state *state, struct ipl_key scope,
		      struct ipl_key key)
{
	const union ipl_entity *e = ipl_state_find(state, (enum ipl_kind)key.kind, key.a);
	struct ipl_value shown = show_at(o, state, key);
	char id[IPL_ID_TEXT_MAX];

	if (e == NULL)
		return false;
	if (scope.kind == IPL_KIND_NONE || ipl_key_equal(scope, key))
		return true;
	if (key.kind == IPL_KIND_IPV6BW &&
	    (scope.kind == IPL_KIND_VSWITCH || scope.kind == IPL_KIND_INSTANCE))
		return is_inside(o, state, scope, ipl_key_entity(IPL_KIND_IPV6, e->ipv6bw.ipv6));
	ipl_id_format(ipl_state_letters(state), (enum ipl_kind)scope.kind, scope.a, id);
	if (scope.kind == IPL_KIND_VPC)
		return ipl_str_is(ipl_map_text(&shown, "VpcId"), id) ||
		       (key.kind == IPL_KIND_INSTANCE &&
			ipl_str_is(ipl_map_text(ipl_map_get(&shown, "VpcAttributes"), "VpcId"),
				   id));
	if (scope.kind == IPL_KIND_VSWITCH && key.kind == IPL_KIND_INSTANCE)
		return ipl_str_is(ipl_map_text(ipl_map_get(&shown, "VpcAttributes"), "VSwitchId"),
				  id);
	if (scope.kind == IPL_KIND_VSWITCH && key.kind != IPL_KIND_EIP)
		return ipl_str_is(ipl_map_text(&shown, "VSwitchId"), id);
	if (scope.kind == IPL_KIND_INSTANCE && key.kind == IPL_KIND_ENI)
		return ipl_str_is(ipl_map_text(&shown, "InstanceId"), id);
	if (scope.kind != IPL_KIND_INSTANCE && scope.kind != IPL_KIND_VSWITCH)
		return false;
	return eni_of(key, e) != 0 &&
	       is_inside(o, state, scope, ipl_key_entity(IPL_KIND_ENI, eni_of(key, e)));
}

static const struct ipl_value *change_of(const struct ipl_value *changes, const char *id)
{
	for (uint32_t i = 0; i < changes->count; i++) {
		if (ipl_str_is(ipl_map_text(&changes->item[i], "Id"), id))
			return &changes->item[i];
	}
	return NULL;
}

static void check_seqs(struct oracle *o, const struct pair *p, struct ipl_key key,
		       const struct ipl_value *seqs)
{
	uint64_t low = p->seq[0] < p->seq[1] ? p->seq[0] : p->seq[1];
	uint64_t high = p->seq[0] < p->seq[1] ? p->seq[1] : p->seq[0];
	uint32_t at = 0;

	for (size_t i = 0; i < o->count; i++) {
		const struct wanted *w = &o->wanted[i];
		if (!ipl_key_equal(w->key, key) || w->from <= low || w->from > high)
			continue;
		assert_true(at < seqs->count);
		assert_int_equal(seqs->item[at++].integer, w->from);
	}
	assert_int_equal(at, seqs->count);
}

/* One entity: it must be in @changes exactly if the states differ in it. */
static bool check_change(struct oracle *o, const struct pair *p, struct ipl_key key,
			 const struct ipl_value *changes)
{
	struct ipl_value was = show_at(o, p->state[0], key), is = show_at(o, p->state[1], key);
	bool was_there = was.type != IPL_VALUE_NIL, is_there = is.type != IPL_VALUE_NIL;
	struct ipl_value fields =
		naive_fields(&o->arena, was_there ? &was : NULL, is_there ? &is : NULL);
	const struct ipl_value *got;
	char id[IPL_ID_TEXT_MAX];

	ipl_id_format(ipl_state_letters(o->lab.state), (enum ipl_kind)key.kind, key.a, id);
	got = change_of(changes, id);
	if (fields.count == 0 || (!is_inside(o, p->state[0], p->scope, key) &&
				  !is_inside(o, p->state[1], p->scope, key))) {
		if (got != NULL)
			fail_with(got, &fields);
		return false;
	}
	if (got == NULL || !ipl_value_equal(ipl_map_get(got, "Fields"), &fields))
		fail_with(got == NULL ? &was : got, &fields);
	assert_true(ipl_str_is(ipl_map_text(got, "Kind"), ipl_kind_name((enum ipl_kind)key.kind)));
	assert_true(ipl_str_is(ipl_map_text(got, "Change"), !was_there ? "Created" :
							    !is_there  ? "Deleted" :
									 "Updated"));
	check_seqs(o, p, key, ipl_map_get(got, "Seqs"));
	return true;
}

/* All pages, whose ends are lenses of the past or, at random, of the whole state. */
static struct ipl_value diff(struct oracle *o, const struct pair *p, struct ipl_arena *arena)
{
	struct ipl_value all = ipl_array();
	uint64_t position = 0;

	do {
		struct ipl_counted counted;
		struct ipl_lens lens[2];
		bool is_past[2];
		struct ipl_diff d = { .source = &counted.source,
				      .from = &lens[0],
				      .to = &lens[1],
				      .scope = p->scope,
				      .max_results = 1 + (int64_t)random_draw(20),
				      .bytes_max = random_draw(3) == 0 ? 3000 : 1 << 20,
				      .loads = &counted.loads,
				      .loads_max = random_draw(3) == 0 ? random_draw(200) : 100000,
				      .position = position,
				      .arena = arena,
				      .err = &o->err,
				      .page = ipl_array() };
		ipl_counted_init(&counted, &o->source);
		for (int i = 0; i < 2; i++) {
			is_past[i] = random_draw(2) == 0;
			ipl_lens_of_state(&lens[i], p->state[i], 0, &o->err);
			if (is_past[i])
				assert_int_equal(ipl_past_open(&lens[i], &counted.source, p->seq[i],
							       0, &o->err),
						 IPL_OK);
			lens[i].letters = ipl_state_letters(o->lab.state);
			lens[i].region = IPL_STR("cn-hangzhou");
		}
		if (ipl_diff_page(&d) != IPL_OK)
			fail_msg("%s", o->err.text);
		for (int i = 0; i < 2; i++) {
			if (is_past[i])
				ipl_past_close(&lens[i]);
		}
		assert_true(d.page.count <= d.max_results);
		assert_true(d.position == 0 || d.position != position);
		/* It ends when it has cost enough: after what it is at, at most. */
		assert_true(counted.loads <= d.loads_max + 3000);
		for (uint32_t i = 0; i < d.page.count; i++)
			ipl_array_add(arena, &all, d.page.item[i]);
		position = d.position;
	} while (position != 0);
	assert_false(arena->failed);
	return all;
}

static uint32_t check_pair(struct oracle *o, const struct pair *p)
{
	struct ipl_arena arena, keep = o->arena;
	struct ipl_value changes;
	uint32_t count = 0;

	ipl_arena_init(&arena, (size_t)1 << 30);
	ipl_arena_init(&o->arena, (size_t)1 << 30);
	changes = diff(o, p, &arena);
	for (enum ipl_kind kind = IPL_KIND_LEDGER; kind < IPL_KIND_COUNT; kind++) {
		uint64_t end = kind == IPL_KIND_LEDGER ? ipl_state_ledger_number(o->lab.state) + 1 :
							 ipl_state_next_number(o->lab.state, kind);
		for (uint64_t n = kind == IPL_KIND_LEDGER ? end - 1 : 1; n < end; n++)
			count += check_change(o, p, ipl_key_entity(kind, n), &changes);
	}
	assert_int_equal(count, changes.count);
	ipl_arena_release(&o->arena);
	ipl_arena_release(&arena);
	o->arena = keep;
	return count;
}

/* Moments at random, next to each other, the same, the first and the last; either one first. */
static void draw_pair(struct oracle *o, struct pair *p)
{
	p->seq[0] = random_draw(o->lab.count + 1);
	p->seq[1] = random_draw(o->lab.count + 1);
	if (random_draw(3) == 0)
		p->seq[1] = p->seq[0] < o->lab.count ? p->seq[0] + 1 : p->seq[0];
	if (random_draw(6) == 0)
		p->seq[random_draw(2)] = random_draw(2) == 0 ? 0 : o->lab.count;
	for (int i = 0; i < 2; i++) {
		p->state[i] = ipl_state_new();
		assert_int_equal(ipl_fold_to(p->state[i], &o->source, p->seq[i], &o->err), IPL_OK);
	}
	/* Of another thing than all: mostly one that is there at one end. */
	p->scope = (struct ipl_key){ 0 };
	for (int tries = random_draw(3) == 0 ? 0 : 1; tries > 0 && tries < 60; tries++) {
		const struct ipl_key key = o->wanted[random_draw(o->count)].key;
		if (key.kind >= IPL_KIND_COUNT || (tries % 4 != 0 && key.kind > IPL_KIND_INSTANCE))
			continue;
		p->scope = key;
		if (ipl_state_find(p->state[random_draw(2)], (enum ipl_kind)key.kind, key.a) !=
		    NULL)
			break;
	}
}

static void test_differences(void **state)
{
	struct oracle o;
	uint32_t found = 0, scoped = 0;

	(void)state;
	open_oracle(&o, STEPS);
	for (int i = 0; i < 120; i++) {
		struct pair p;
		uint32_t count;
		draw_pair(&o, &p);
		count = check_pair(&o, &p);
		found += count;
		scoped += p.scope.kind != IPL_KIND_NONE && count > 1;
		ipl_state_free(p.state[0]);
		ipl_state_free(p.state[1]);
	}
	print_message("# %u changes, %u times of a part with some\n", found, scoped);
	assert_true(found > 1000 && scoped > 10);
	close_oracle(&o);
}

/* --- holders --- */

static void test_holders(void **state)
{
	struct oracle o;

	(void)state;
	open_oracle(&o, STEPS);
	for (int i = 0; i < 60; i++) {
		struct ipl_state *then = ipl_state_new();
		uint64_t seq = random_draw(o.lab.count + 1);
		assert_int_equal(ipl_fold_to(then, &o.source, seq, &o.err), IPL_OK);
		for (size_t k = 0; k < o.count; k++) {
			struct ipl_key key = o.wanted[k].key;
			struct ipl_holding a, b;
			if (key.kind < IPL_KIND_COUNT)
				continue;
			a = ipl_state_holding(then, key);
			if (ipl_holding_at(&o.source, key, seq, &b, &o.err) != IPL_OK)
				fail_msg("%s", o.err.text);
			assert_true(a.role == b.role && a.eni == b.eni && a.eip == b.eip &&
				    a.vswitch == b.vswitch && a.since_seq == b.since_seq &&
				    a.since_ms == b.since_ms);
			/* A whole state forgets what has cooled down. */
			assert_true(a.cool_until == b.cool_until ||
				    (a.cool_until == 0 && b.cool_until <= ipl_state_time_ms(then)));
		}
		ipl_state_free(then);
	}
	close_oracle(&o);
}

/* --- blocks --- */

/* All pages of everything, IPv4 and IPv6, as of @as_of. */
static struct ipl_value list_all(struct oracle *o, uint64_t as_of, struct ipl_arena *arena)
{
	const struct question q = { .as_of = as_of, .from_ms = INT64_MIN, .to_ms = INT64_MAX };
	struct ipl_value all = ipl_array();
	uint64_t position = 0;

	do {
		struct ipl_counted counted;
		struct ipl_lens lens;
		struct ipl_history h = make_page(o, &q, &lens, position, arena);
		struct ipl_addresses a = { .h = &h,
					   .has_ip4 = true,
					   .has_ip6 = true,
					   .ledger = ipl_state_ledger_number(o->lab.state),
					   .loads = &counted.loads,
					   .loads_max = random_draw(500) };
		ipl_counted_init(&counted, &o->source);
		h.source = &counted.source;
		assert_int_equal(ipl_past_open(&lens, &o->source, as_of, 0, &o->err), IPL_OK);
		lens.letters = ipl_state_letters(o->lab.state);
		lens.region = IPL_STR("cn-hangzhou");
		if (ipl_addresses_page(&a) != IPL_OK)
			fail_msg("%s", o->err.text);
		ipl_past_close(&lens);
		assert_true(h.page.count <= h.max_results);
		assert_true(h.position == 0 || h.position > position);
		for (uint32_t i = 0; i < h.page.count; i++)
			ipl_array_add(arena, &all, h.page.item[i]);
		position = h.position;
	} while (position != 0);
	assert_false(arena->failed);
	return all;
}

static void test_blocks(void **state)
{
	struct oracle o;

	(void)state;
	open_oracle(&o, STEPS);
	for (int i = 0; i < 12; i++) {
		uint64_t as_of = i == 0 ? o.lab.count : 1 + random_draw(o.lab.count);
		struct ipl_hashmap last; /* key -> the last interval that began until then */
		struct ipl_arena arena;
		struct ipl_value got;
		ipl_arena_init(&arena, (size_t)1 << 30);
		ipl_hashmap_init(&last, sizeof(size_t));
		for (size_t k = 0; k < o.count; k++) {
			if (o.wanted[k].key.kind >= IPL_KIND_IP4 && o.wanted[k].from <= as_of)
				*(size_t *)ipl_hashmap_put(&last, o.wanted[k].key) = k;
		}
		got = list_all(&o, as_of, &arena);
		assert_int_equal(got.count, last.count);
		for (uint32_t n = 0; n < got.count; n++) {
			const struct ipl_value *holder = ipl_map_get(&got.item[n], "Holder");
			bool is_found = false;
			for (size_t k = 0; k < o.count && !is_found; k++) {
				const struct wanted *w = &o.wanted[k];
				size_t *at = ipl_hashmap_find(&last, w->key);
				is_found = at != NULL && *at == k &&
					   ipl_value_equal(holder, &w->value);
				if (is_found)
					check_end(&o, &got.item[n], w->to > as_of ? 0 : w->to,
						  "ToSeq", "ToTime", "ClosedBy");
			}
			assert_true(is_found);
		}
		ipl_hashmap_release(&last);
		ipl_arena_release(&arena);
	}
	close_oracle(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histories),   cmocka_unit_test(test_windows),
		cmocka_unit_test(test_differences), cmocka_unit_test(test_holders),
		cmocka_unit_test(test_blocks),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
