/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: the bytes of an event without their checksum (the first byte even), or choices from which
 * an event of a type is made by its table (odd), and a small ledger.
 * Claimed: what decodes encodes to the same bytes, and shows itself; what does not is damage with a
 * name; folded into the ledger, and alone into each thing that it touches, an event is taken or
 * named as damage; what was taken has rows that are read back as the same state, or named; no
 * event is decoded with a checksum that is not its own.
 */
#include "tests/fuzz/ledger.h"

#include "events/cursor.h"
#include "events/hash.h"
#include "events/json.h"
#include "reducers/codec.h"
#include "replay/check.h"

#include <string.h>

#define BYTES_MAX 65536u
#define LIST_MAX  4u

/* --- an event by its table --- */

static void draw_record(struct fuzz_draw *draw, struct ipl_arena *arena,
			const struct ipl_state *state, const struct ipl_record *record, void *out);

static void draw_list(struct fuzz_draw *draw, struct ipl_arena *arena,
		      const struct ipl_state *state, const struct ipl_record *record,
		      struct ipl_any_list *out)
{
	out->count = fuzz_below(draw, LIST_MAX);
	out->at = ipl_arena_array(arena, out->count, record->size_bytes);
	CHECK(out->at != NULL);
	for (uint32_t i = 0; i < out->count; i++)
		draw_record(draw, arena, state, record, (char *)out->at + i * record->size_bytes);
}

static uint32_t draw_choice(struct fuzz_draw *draw, enum ipl_field_kind kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < 8; i++)
		count = ipl_choice_word(kind, i) != NULL ? i : count;
	return fuzz_below(draw, count + 1);
}

static struct ipl_cidr4 draw_cidr4(struct fuzz_draw *draw, const struct ipl_state *state)
{
	uint8_t prefix_len = (uint8_t)(16 + fuzz_below(draw, 17));
	uint32_t mask = prefix_len == 32 ? UINT32_MAX : ~(UINT32_MAX >> prefix_len);

	return (struct ipl_cidr4){ fuzz_ip4(draw, state) & mask, prefix_len };
}

static void draw_field(struct fuzz_draw *draw, struct ipl_arena *arena,
		       const struct ipl_state *state, const struct ipl_field *field, void *out)
{
	static const char *const texts[] = {
		"", "a", "cn-hangzhou", "cn-hangzhou-a", "ecs.g6.large", "Vpcs", "\xc3\xbc"
	};
	struct ipl_ip6 ip6;

	switch (field->kind) {
	case IPL_FIELD_BOOL:
		*(bool *)out = fuzz_below(draw, 2) == 1;
		break;
	case IPL_FIELD_NUM:
		*(uint64_t *)out = fuzz_below(draw, 8) == 7 ? fuzz_number(draw) : fuzz_byte(draw);
		break;
	case IPL_FIELD_TIME:
		*(int64_t *)out = (int64_t)(fuzz_number(draw) & INT64_MAX);
		break;
	case IPL_FIELD_STR:
		*(struct ipl_str *)out = ipl_str_of(texts[fuzz_below(draw, IPL_ARRAY_SIZE(texts))]);
		break;
	case IPL_FIELD_IP4:
		*(uint32_t *)out = fuzz_ip4(draw, state);
		break;
	case IPL_FIELD_CIDR4:
		*(struct ipl_cidr4 *)out = draw_cidr4(draw, state);
		break;
	case IPL_FIELD_IP6:
		*(struct ipl_ip6 *)out = fuzz_ip6(draw, state);
		break;
	case IPL_FIELD_CIDR6:
		ip6 = fuzz_ip6(draw, state);
		*(struct ipl_cidr6 *)out =
			fuzz_below(draw, 2) == 1 ?
				(struct ipl_cidr6){ ip6.hi, 64 } :
				(struct ipl_cidr6){ ip6.hi & ~UINT64_C(0xff), 56 };
		break;
	case IPL_FIELD_CHARGE:
	case IPL_FIELD_RUN:
	case IPL_FIELD_MODE:
	case IPL_FIELD_STOPPED:
		*(uint32_t *)out = draw_choice(draw, field->kind);
		break;
	case IPL_FIELD_RECORD:
		draw_record(draw, arena, state, field->record, out);
		break;
	case IPL_FIELD_LIST:
		draw_list(draw, arena, state, field->record, out);
		break;
	default:
		*(uint64_t *)out = fuzz_below(draw, 8) == 7 ?
					   0 :
					   fuzz_entity(draw, state, ipl_field_entity(field->kind));
		break;
	}
}

static void draw_record(struct fuzz_draw *draw, struct ipl_arena *arena,
			const struct ipl_state *state, const struct ipl_record *record, void *out)
{
	for (uint32_t i = 0; i < record->field_count; i++)
		draw_field(draw, arena, state, &record->field[i],
			   (char *)out + record->field[i].offset);
}

/* False where the bytes chose no type. */
static bool draw_event(struct fuzz_draw *draw, struct fuzz_ledger *ledger, struct ipl_buf *out)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	uint32_t type = fuzz_below(draw, IPL_EVENT_NUMBER_MAX + 1);
	struct ipl_touches touches;
	struct ipl_event ev;

	if (ipl_event_record(type) == NULL)
		return false;
	ipl_event_init(&ev, (enum ipl_event_type)type);
	ev.op = (enum ipl_op)fuzz_below(draw, IPL_OP_COUNT);
	if (ipl_op_name(ev.op) == NULL)
		return false;
	draw_record(draw, &ledger->call, ledger->state, ipl_event_record(type), &ev.body);
	ev.seq = ipl_state_seq(ledger->state) + 1;
	ev.time_ms = ledger->time_ms;
	ev.principal = IPL_STR("uid:0");
	if (ipl_event_touches(&ledger->call, &ev, &touches, &err) != IPL_OK)
		return false;
	ev.link_count = touches.count;
	ev.links = ipl_arena_array(&ledger->call, touches.count, sizeof(*ev.links));
	CHECK(ev.links != NULL);
	CHECK(ipl_event_encode(&ev, out, &err) == IPL_OK);
	return true;
}

/* --- what is claimed of one --- */

static void check_named(enum ipl_status st, const struct ipl_error *err)
{
	CHECK(st == IPL_OK || st == IPL_ERR_CORRUPT || st == IPL_ERR_NOMEM);
	CHECK(st == IPL_OK || (err->text[0] != '\0' && ipl_str_is_utf8(ipl_str_of(err->text))));
}

/* What is looked at without the rest is the same. */
static void check_head(struct ipl_str bytes, const struct ipl_event *ev)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_event_head head;

	CHECK(ipl_event_head(bytes, &head, &err) == IPL_OK);
	CHECK(head.seq == ev->seq && head.time_ms == ev->time_ms && head.type == ev->type);
}

static void check_wrong_sum(struct ipl_str bytes, struct ipl_arena *arena, uint8_t at)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_str bent = ipl_arena_str(arena, bytes);
	struct ipl_event_head head;
	struct ipl_event ev;

	((char *)(uintptr_t)bent.at)[at % bent.len] ^= (char)(1 << at % 8);
	CHECK(ipl_event_decode(bent, arena, &ev, &err) == IPL_ERR_CORRUPT && err.text[0] != '\0');
	CHECK(ipl_event_head(bent, &head, &err) == IPL_ERR_CORRUPT);
}

static void fold_alone(const struct ipl_event *ev, const struct ipl_touches *touches)
{
	for (uint32_t i = 0; i < touches->count; i++) {
		struct ipl_key key = touches->at[i];
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct ipl_holding holding = { .role = IPL_ROLE_NONE };
		union ipl_entity entity;
		enum ipl_status st;
		memset(&entity, 0, sizeof(entity));
		if (key.kind < IPL_KIND_COUNT) {
			st = ipl_reduce_entity((enum ipl_kind)key.kind, key.a, &entity, ev, &err);
			ipl_entity_release((enum ipl_kind)key.kind, &entity);
		} else {
			st = ipl_reduce_holding(key, &holding, ev, &err);
		}
		check_named(st, &err);
	}
}

static void ignore(void *context, const struct ipl_finding *finding)
{
	++*(uint64_t *)context;
	CHECK(finding->text[0] != '\0');
}

static enum ipl_status load_row(void *context, struct ipl_key key, struct ipl_str value,
				struct ipl_error *err)
{
	return ipl_state_loader_row(context, key, value, err);
}

/* It was taken although nobody decided it: it may contradict itself, and is still read back. */
static void look_at_state(const struct ipl_state *state)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_state_loader *loader = ipl_state_loader_new();
	struct ipl_state *again = NULL;
	uint64_t findings = 0;
	enum ipl_status st;

	CHECK(loader != NULL);
	CHECK(ipl_check_state(state, ipl_state_time_ms(state), ignore, &findings) == findings);
	st = ipl_state_each_row(state, load_row, loader, &err);
	if (st == IPL_OK)
		st = ipl_state_loader_finish(loader, &again, &err);
	check_named(st, &err);
	ipl_state_loader_free(loader);
	if (st == IPL_OK)
		fuzz_check_rows(again);
	else
		CHECK(findings > 0 || err.text[0] != '\0');
	ipl_state_free(again);
}

static void fold(struct fuzz_ledger *ledger, struct ipl_event *ev)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_touches touches;
	enum ipl_status st;

	CHECK(ipl_event_touches(&ledger->call, ev, &touches, &err) == IPL_OK);
	fold_alone(ev, &touches);
	ev->seq = ipl_state_seq(ledger->state) + 1;
	if (ev->time_ms < ledger->time_ms)
		ev->time_ms = ledger->time_ms;
	st = ipl_reduce(ledger->state, ev, &touches, &err);
	check_named(st, &err);
	if (st == IPL_OK)
		look_at_state(ledger->state);
}

static void look(struct fuzz_ledger *ledger, struct ipl_buf *bytes, uint8_t bend)
{
	struct ipl_str given = { (const char *)bytes->at, bytes->len };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_buf again = { 0 }, text = { 0 };
	struct ipl_value shown;
	struct ipl_event ev;
	enum ipl_status st = ipl_event_decode(given, &ledger->call, &ev, &err);

	check_named(st, &err);
	if (st != IPL_OK)
		return;
	CHECK(ipl_event_encode(&ev, &again, &err) == IPL_OK);
	CHECK(again.len == given.len && memcmp(again.at, given.at, given.len) == 0);
	shown = ipl_event_value(&ledger->call, ipl_state_letters(ledger->state), &ev);
	ipl_json_write(&text, &shown, IPL_JSON_COMPACT);
	CHECK(ipl_str_is_utf8((struct ipl_str){ (const char *)text.at, text.len }));
	check_head(given, &ev);
	check_wrong_sum(given, &ledger->call, bend);
	fold(ledger, &ev);
	ipl_buf_release(&again);
	ipl_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_draw draw = { bytes, bytes + len };
	uint8_t kind = fuzz_byte(&draw), sum[9] = { 0xcf };
	struct ipl_buf event = { 0 };
	struct fuzz_ledger ledger;
	bool is_made;

	if (len > BYTES_MAX)
		return 0;
	fuzz_ledger_open(&ledger, kind % 4 < 2);
	is_made = kind % 2 == 1 && draw_event(&draw, &ledger, &event);
	if (kind % 2 == 0) {
		ipl_buf_append(&event, draw.at, (size_t)(draw.end - draw.at));
		ipl_put_be64(sum + 1, ipl_hash64(event.at, event.len));
		ipl_buf_append(&event, sum, sizeof(sum));
	}
	if (is_made || kind % 2 == 0)
		look(&ledger, &event, kind);
	ipl_buf_release(&event);
	fuzz_ledger_close(&ledger);
	return 0;
}
