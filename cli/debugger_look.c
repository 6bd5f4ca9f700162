/* SPDX-License-Identifier: Apache-2.0 */
/* What can be seen at a place: the state, the events of a thing, a change, a refusal. */
#include "cli/debugger_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/progress.h"
#include "events/msgpack.h"
#include "operations/operation.h"
#include "replay/bisect.h"
#include "replay/compare.h"
#include "replay/past.h"
#include "replay/state_hash.h"
#include "store/refusals.h"

#define EVENTS_SHOWN 10 /* of a thing, the last ones, unless more are asked for */

/* --- here --- */

static enum ipl_status print_event(struct ipl_debugger *d, uint64_t seq, const char *mark,
				   struct ipl_error *err)
{
	struct ipl_value event;
	enum ipl_status st = ipl_look_event(d->look, &d->arena, seq, &event, err);

	if (st == IPL_OK)
		printf("%s%s\n", mark, ipl_look_event_line(&d->arena, &event).at);
	return st;
}

enum ipl_status ipl_debug_place(struct ipl_debugger *d, struct ipl_error *err)
{
	uint64_t at = ipl_stepper_at(d->stepper);

	if (at > 0)
		return print_event(d, at, "", err);
	puts("0  before the first event");
	return IPL_OK;
}

enum ipl_status ipl_debug_where(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	const struct ipl_state *state;
	enum ipl_status st = ipl_debug_place(d, err);

	(void)words;
	if (st == IPL_OK)
		st = ipl_stepper_state(d->stepper, &state, err);
	if (st != IPL_OK)
		return st;
	for (enum ipl_kind kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++)
		printf("%s%s %" PRIu64, kind == IPL_KIND_VPC ? "" : ", ", ipl_kind_name(kind),
		       ipl_state_count(state, kind));
	printf("\n%" PRIu64 " of %" PRIu64 " to %" PRIu64 "\n", ipl_stepper_at(d->stepper), d->from,
	       d->to);
	return IPL_OK;
}

enum ipl_status ipl_debug_hash(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	uint8_t hash[IPL_DIGEST_BYTES];
	const struct ipl_state *state;
	enum ipl_status st = ipl_stepper_state(d->stepper, &state, err);

	(void)words;
	if (st == IPL_OK)
		st = ipl_state_hash(state, hash, err);
	if (st != IPL_OK)
		return st;
	for (size_t i = 0; i < sizeof(hash); i++)
		printf("%02x", hash[i]);
	putchar('\n');
	return IPL_OK;
}

/* --- print --- */

static enum ipl_status open_lens(struct ipl_debugger *d, struct ipl_lens *lens,
				 struct ipl_error *err)
{
	const struct ipl_state *state;
	enum ipl_status st = ipl_stepper_state(d->stepper, &state, err);

	if (st == IPL_OK)
		ipl_lens_of_state(lens, state, ipl_state_time_ms(state), err);
	return st;
}

static enum ipl_status print_entity(struct ipl_debugger *d, enum ipl_kind kind, uint64_t number,
				    const char *id, struct ipl_error *err)
{
	const union ipl_entity *entity;
	struct ipl_value shown;
	struct ipl_lens lens;
	enum ipl_status st = open_lens(d, &lens, err);

	if (st != IPL_OK)
		return st;
	entity = lens.find(&lens, kind, number);
	if (entity == NULL) {
		printf("%s is not there\n", id);
		return IPL_OK;
	}
	shown = ipl_show(&d->arena, &lens, kind, number, entity);
	ipl_print_result(&d->in, &shown);
	printf("(made by event %" PRIu64 ", last touched by %" PRIu64 ")\n", entity->base.first_seq,
	       entity->base.last_seq);
	return IPL_OK;
}

/* As LookupAddress answers it. */
static enum ipl_status print_address(struct ipl_debugger *d, const char *address,
				     struct ipl_error *err)
{
	const struct ipl_args_lookup_address args = { .address = ipl_str_of(address) };
	struct ipl_value result = ipl_map(), *holdings;
	struct ipl_lens lens;
	struct ipl_read read = { .lens = &lens,
				 .operation = ipl_operation_find(IPL_STR("LookupAddress")),
				 .args = &args,
				 .arena = &d->arena,
				 .err = err,
				 .result = &result,
				 .max_results = IPL_PAGE_MAX };
	enum ipl_status st = open_lens(d, &lens, err);

	if (st == IPL_OK)
		st = ipl_operation_read(&read);
	if (st != IPL_OK)
		return st;
	printf("%s is %.*s\n", address, IPL_STR_ARG(ipl_map_text(&result, "Status")));
	holdings = (struct ipl_value *)(uintptr_t)ipl_map_get(&result, "Holdings");
	for (uint32_t i = 0; holdings != NULL && i < holdings->count; i++)
		ipl_print_result(&d->in, &holdings->item[i]);
	return IPL_OK;
}

static enum ipl_status print_value(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	const struct ipl_asked asked = { .views = d->look->views };
	const struct ipl_expr *expr;
	struct ipl_value value;
	enum ipl_status st = ipl_expr_parse(&d->arena, ipl_str_of(words), &expr, err);

	if (st == IPL_OK)
		st = ipl_ask_value(&asked, ipl_stepper_at(d->stepper), expr, &d->arena, &value,
				   err);
	if (st == IPL_OK)
		printf("%s\n", ipl_look_text(&d->arena, &value).at);
	return st;
}

enum ipl_status ipl_debug_print(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	struct ipl_ip6 ip6;
	uint64_t number;
	enum ipl_kind kind;

	if (words[0] == '\0')
		return ipl_debug_usage(err, "what? an id, an address or an expression");
	kind = ipl_name_parse(d->look->letters, ipl_str_of(words), &number);
	if (kind == IPL_KIND_IP4 || ipl_ip6_parse(ipl_str_of(words), &ip6))
		return print_address(d, words, err);
	if (kind != IPL_KIND_NONE)
		return print_entity(d, kind, number, words, err);
	return print_value(d, words, err);
}

/* --- events --- */

struct indexing {
	struct ipl_debugger *d;
	struct ipl_arena arena;
	struct ipl_progress progress;
};

static enum ipl_status index_record(void *context, uint64_t seq, struct ipl_str record,
				    struct ipl_error *err)
{
	struct indexing *i = context;
	struct ipl_touches touches;
	struct ipl_link unused;
	struct ipl_event ev;
	enum ipl_status st;

	ipl_arena_reset(&i->arena);
	st = ipl_event_decode(record, &i->arena, &ev, err);
	if (st == IPL_OK)
		st = ipl_event_touches(&i->arena, &ev, &touches, err);
	for (uint32_t k = 0; st == IPL_OK && k < touches.count; k++)
		st = ipl_heads_push(i->d->heads, touches.at[k], seq, &unused, err);
	ipl_progress_update(&i->progress, seq, i->d->to);
	return st;
}

/* The ends of all chains, once: each thing's events are then a walk. */
static enum ipl_status index_chains(struct ipl_debugger *d, struct ipl_error *err)
{
	struct indexing i = { .d = d };
	enum ipl_status st;

	if (d->heads != NULL)
		return IPL_OK;
	d->heads = ipl_heads_new();
	if (d->heads == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for chains");
	ipl_arena_init(&i.arena, (size_t)64 << 20);
	ipl_progress_begin(&i.progress, "events");
	st = ipl_reader_scan(d->look->reader, 1, d->to, index_record, &i, err);
	ipl_progress_end(&i.progress, d->to, d->to);
	ipl_arena_release(&i.arena);
	if (st != IPL_OK) {
		ipl_heads_free(d->heads);
		d->heads = NULL;
	}
	return st;
}

static enum ipl_status chain_record(void *context, uint64_t seq, struct ipl_str *record,
				    struct ipl_error *err)
{
	return ipl_reader_get(((struct ipl_debugger *)context)->look->reader, seq, record, err);
}

static uint64_t chain_end(void *context, struct ipl_key key)
{
	return ipl_heads_last(((struct ipl_debugger *)context)->heads, key);
}

struct seqs {
	uint64_t *at;
	size_t count;
	size_t cap;
};

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static enum ipl_status add_chain(struct ipl_debugger *d, struct ipl_key key, struct seqs *all,
				 struct ipl_error *err)
{
	const struct ipl_source source = { d, chain_record, chain_end };
	struct ipl_seqs chain;
	enum ipl_status st = ipl_chain_collect(&source, key, 1, d->to, &chain, err);

	if (st != IPL_OK)
		return st;
	for (size_t i = 0; st == IPL_OK && i < chain.count; i++) {
		if (all->count == all->cap) {
			size_t cap = all->cap == 0 ? 64 : all->cap * 2;
			uint64_t *grown = realloc(all->at, cap * sizeof(*grown));
			if (grown == NULL) {
				st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for events");
				break;
			}
			all->at = grown;
			all->cap = cap;
		}
		all->at[all->count++] = chain.at[i];
	}
	free(chain.at);
	return st;
}

/* An IPv4 address may have been in any VPC, and public. */
static enum ipl_status collect(struct ipl_debugger *d, struct ipl_str name, struct seqs *all,
			       struct ipl_error *err)
{
	const struct ipl_state *state = NULL;
	struct ipl_ip6 ip6;
	uint64_t number;
	enum ipl_kind kind = ipl_name_parse(d->look->letters, name, &number);
	enum ipl_status st = IPL_OK;

	if (kind == IPL_KIND_NONE && ipl_ip6_parse(name, &ip6))
		return add_chain(d, ipl_key_ip6(ip6.hi, ip6.lo), all, err);
	if (kind == IPL_KIND_NONE)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "%.*s is neither an id of this ledger nor an address",
				  (int)(name.len < 64 ? name.len : 64), name.at);
	if (kind != IPL_KIND_IP4)
		return add_chain(d, ipl_key_entity(kind, number), all, err);
	st = ipl_views_at(d->look->views, d->to, &state, err);
	for (uint64_t vpc = 0; st == IPL_OK && vpc < ipl_state_next_number(state, IPL_KIND_VPC);
	     vpc++)
		st = add_chain(d, ipl_key_ip4(vpc, (uint32_t)number), all, err);
	if (st == IPL_OK && all->count > 0)
		qsort(all->at, all->count, sizeof(*all->at), by_number);
	return st;
}

/* Those up to here are shown; how many are left out, and how many come later. */
static enum ipl_status print_events(struct ipl_debugger *d, const struct seqs *all, size_t most,
				    struct ipl_error *err)
{
	uint64_t at = ipl_stepper_at(d->stepper);
	size_t here = 0, first;
	enum ipl_status st = IPL_OK;

	while (here < all->count && all->at[here] <= at)
		here++;
	first = here > most ? here - most : 0;
	if (first > 0)
		printf("  %zu before\n", first);
	for (size_t i = first; st == IPL_OK && i < here; i++)
		st = print_event(d, all->at[i], all->at[i] == at ? "* " : "  ", err);
	if (st == IPL_OK && here < all->count)
		printf("  %zu after %" PRIu64 ", the next one is %" PRIu64 "\n", all->count - here,
		       at, all->at[here]);
	if (st == IPL_OK && all->count == 0)
		puts("  none");
	return st;
}

enum ipl_status ipl_debug_events(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	size_t len = strcspn(words, " \t");
	const char *rest = words + len + strspn(words + len, " \t");
	struct seqs all = { NULL, 0, 0 };
	int64_t most = EVENTS_SHOWN;
	enum ipl_status st;

	if (len == 0 || (rest[0] != '\0' && (!ipl_str_to_int(ipl_str_of(rest), &most) || most < 1)))
		return ipl_debug_usage(err, "of what? an id or an address, and how many");
	st = index_chains(d, err);
	if (st == IPL_OK)
		st = collect(d, (struct ipl_str){ words, len }, &all, err);
	if (st == IPL_OK)
		st = print_events(d, &all, (size_t)most, err);
	free(all.at);
	return st;
}

/* --- diff --- */

static void print_difference(struct ipl_debugger *d, const struct ipl_difference *difference)
{
	char id[IPL_ID_TEXT_MAX];

	ipl_id_format(d->look->letters, difference->kind, difference->number, id);
	printf("%-8s %s\n", difference->change, id);
	for (uint32_t i = 0; i < difference->fields.count; i++) {
		const struct ipl_value *field = &difference->fields.item[i];
		printf("         %.*s: %s\n", IPL_STR_ARG(ipl_map_text(field, "Name")),
		       ipl_look_change(&d->arena, ipl_map_get(field, "Before"),
				       ipl_map_get(field, "After"))
			       .at);
	}
}

/* Of an address: who had it, who has it. */
static void print_holder(struct ipl_debugger *d, struct ipl_lens *before, struct ipl_lens *after,
			 struct ipl_key key)
{
	struct ipl_lens *lens[2] = { before, after };
	struct ipl_str text = key.kind == IPL_KIND_IP4 ?
				      ipl_show_ip4(&d->arena, (uint32_t)key.b).str :
				      ipl_show_ip6(&d->arena, (struct ipl_ip6){ key.a, key.b }).str;

	printf("Address  %.*s: ", IPL_STR_ARG(text));
	for (int i = 0; i < 2; i++) {
		struct ipl_holding holding = lens[i]->holding(lens[i], key);
		char id[IPL_ID_TEXT_MAX] = "nobody";
		if (holding.role != IPL_ROLE_NONE)
			ipl_id_format(d->look->letters,
				      holding.eni != 0 ? IPL_KIND_ENI : IPL_KIND_EIP,
				      holding.eni != 0 ? holding.eni : holding.eip, id);
		printf("%s%s", id, i == 0 ? " -> " : "\n");
	}
}

static enum ipl_status compare_touched(struct ipl_debugger *d, const struct ipl_event *ev,
				       const struct ipl_state *was, const struct ipl_state *is,
				       struct ipl_error *err)
{
	struct ipl_lens before, after;
	struct ipl_touches touches;
	enum ipl_status st = ipl_event_touches(&d->arena, ev, &touches, err);

	ipl_lens_of_state(&before, was, ipl_state_time_ms(was), err);
	ipl_lens_of_state(&after, is, ev->time_ms, err);
	for (uint32_t i = 0; st == IPL_OK && i < touches.count; i++) {
		struct ipl_key key = touches.at[i];
		struct ipl_difference difference;
		bool is_other = false;
		if (key.kind >= IPL_KIND_COUNT) {
			print_holder(d, &before, &after, key);
			continue;
		}
		st = ipl_compare_entity(&d->arena, &before, &after, (enum ipl_kind)key.kind, key.a,
					&difference, &is_other, err);
		if (st == IPL_OK && is_other)
			print_difference(d, &difference);
	}
	return st;
}

enum ipl_status ipl_debug_diff(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	uint64_t at = ipl_stepper_at(d->stepper);
	const struct ipl_state *state;
	struct ipl_state *was = NULL;
	struct ipl_event ev;
	enum ipl_status st;

	(void)words;
	if (at == 0)
		return ipl_debug_usage(err, "no event was here: go to one");
	st = ipl_views_event(d->look->views, at, &d->arena, &ev, err);
	if (st == IPL_OK)
		st = ipl_views_at(d->look->views, at - 1, &state, err);
	if (st == IPL_OK) {
		was = ipl_state_copy(state);
		if (was == NULL)
			st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for two states");
	}
	if (st == IPL_OK)
		st = ipl_stepper_state(d->stepper, &state, err);
	if (st == IPL_OK)
		st = compare_touched(d, &ev, was, state, err);
	ipl_state_free(was);
	return st;
}

/* --- why --- */

static bool is_meant(const struct ipl_value *refusal, const char *words)
{
	const struct ipl_value *head = ipl_map_get(refusal, "HeadSeq");
	int64_t seq;

	if (head == NULL || head->type != IPL_VALUE_INT || head->integer < 0)
		return false;
	if (words[0] == '\0')
		return true;
	if (ipl_str_to_int(ipl_str_of(words), &seq))
		return head->integer == seq;
	return ipl_str_is(ipl_map_text(refusal, "RequestId"), words);
}

static void print_refusal(struct ipl_debugger *d, const struct ipl_value *refusal)
{
	struct ipl_str actor = ipl_map_text(refusal, "Actor");
	const struct ipl_value *params = ipl_map_get(refusal, "Params");
	const struct ipl_value *detail = ipl_map_get(refusal, "Detail");

	printf("refused after event %" PRId64 ", %.*s: %s by %s%s%s\n",
	       ipl_map_get(refusal, "HeadSeq")->integer, IPL_STR_ARG(ipl_map_text(refusal, "Time")),
	       ipl_look_plain(&d->arena, ipl_map_text(refusal, "Operation")).at,
	       ipl_look_plain(&d->arena, ipl_map_text(refusal, "Principal")).at,
	       actor.len > 0 ? " for " : "", ipl_look_plain(&d->arena, actor).at);
	if (params != NULL)
		printf("  asked    %s\n", ipl_look_text(&d->arena, params).at);
	printf("  because  %.*s: %s\n", IPL_STR_ARG(ipl_map_text(refusal, "Code")),
	       ipl_look_plain(&d->arena, ipl_map_text(refusal, "Message")).at);
	for (uint32_t i = 0; detail != NULL && i < detail->count; i++)
		printf("           %s: %s\n", ipl_look_plain(&d->arena, detail->member[i].key).at,
		       ipl_look_text(&d->arena, &detail->member[i].value).at);
	printf("  request  %.*s\n", IPL_STR_ARG(ipl_map_text(refusal, "RequestId")));
}

static enum ipl_status find_refusals(struct ipl_debugger *d, const char *words,
				     const struct ipl_refusals *list, struct ipl_error *err)
{
	uint64_t last = ipl_refusals_last(list), shown = 0;

	for (uint64_t n = last; last > 0 && n >= ipl_refusals_first(list) && n > 0; n--) {
		struct ipl_str record = ipl_refusals_get(list, n);
		struct ipl_value refusal;
		enum ipl_status st = ipl_msgpack_parse(&d->arena, (const uint8_t *)record.at,
						       record.len, &refusal, err);
		if (st != IPL_OK)
			return st;
		if (!is_meant(&refusal, words))
			continue;
		print_refusal(d, &refusal);
		shown++;
		if (words[0] == '\0')
			break;
	}
	if (shown == 0)
		return ipl_refuse(err, IPL_CODE_NOT_FOUND,
				  "no such refusal is kept: `ipledger call ListRefusals` lists "
				  "those that are");
	return IPL_OK;
}

enum ipl_status ipl_debug_why(struct ipl_debugger *d, const char *words, struct ipl_error *err)
{
	struct ipl_refusals *list = NULL;
	enum ipl_status st = ipl_refusals_open(d->in.data, false, &list, err);

	if (st == IPL_OK)
		st = find_refusals(d, words, list, err);
	ipl_refusals_close(list);
	return st;
}
