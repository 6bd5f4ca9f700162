/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that event_table.h unfolds into, and the names in them. */
#include "events/event.h"

#include <assert.h>
#include <string.h>

#include "events/hash.h"

/* clang-format off */
#define FLAGS_0 0u
#define FLAGS_TOUCH IPL_FIELD_TOUCH
#define FLAGS_SHARED IPL_FIELD_SHARED
#define FLAGS_HELD IPL_FIELD_HELD
#define FLAGS_PUBLIC IPL_FIELD_PUBLIC

#define F(O, KIND_, member_, Name_, flags_)                                    \
	{ .name = #Name_, .kind = IPL_FIELD_##KIND_, .flags = FLAGS_##flags_,  \
	  .offset = offsetof(struct ipl_ev_##O, member_) },
#define R(O, record_, member_, Name_)                                          \
	{ .name = #Name_, .kind = IPL_FIELD_RECORD,                            \
	  .offset = offsetof(struct ipl_ev_##O, member_),                      \
	  .record = &ipl_record_##record_ },
#define L(O, record_, member_, Name_)                                          \
	{ .name = #Name_, .kind = IPL_FIELD_LIST,                              \
	  .offset = offsetof(struct ipl_ev_##O, member_),                      \
	  .record = &ipl_record_##record_ },
#define X(record_)                                                             \
	static const struct ipl_field fields_##record_[] = {                   \
		IPL_FIELDS_##record_(F, R, L, record_)                         \
	};                                                                     \
	const struct ipl_record ipl_record_##record_ = {                       \
		.name = #record_,                                              \
		.field = fields_##record_,                                     \
		.field_count = IPL_ARRAY_SIZE(fields_##record_),               \
		.size_bytes = sizeof(struct ipl_ev_##record_),                 \
	};
IPL_RECORD_LIST(X)
#undef X
#undef L
#undef R
#undef F

static const struct {
	const char *name;
	const char *meaning;
	const struct ipl_record *record;
} types[IPL_EVENT_NUMBER_MAX + 1] = {
#define X(number, NAME, record, Name, meaning) [number] = { #Name, meaning, &ipl_record_##record },
	IPL_EVENT_LIST(X)
#undef X
};

static const char *const op_names[IPL_OP_COUNT] = {
#define X(number, NAME, Name) [number] = #Name,
	IPL_OP_LIST(X)
#undef X
};

#define X(number, NAME, Word) [number] = Word,
static const char *const charge_words[] = { IPL_CHARGE_LIST(X) };
static const char *const run_words[] = { IPL_RUN_LIST(X) };
static const char *const mode_words[] = { IPL_MODE_LIST(X) };
static const char *const stopped_words[] = { IPL_STOPPED_LIST(X) };
#undef X
/* clang-format on */

/* Fields that choose are read and written as their enum's integer. */
static_assert(sizeof(enum ipl_charge) == sizeof(uint32_t) && sizeof(enum ipl_run) == 4 &&
		      sizeof(enum ipl_mode) == 4 && sizeof(enum ipl_stopped) == 4,
	      "an enum is 32 bits");

const char *ipl_event_name(uint64_t type)
{
	return type <= IPL_EVENT_NUMBER_MAX ? types[type].name : NULL;
}

const char *ipl_event_meaning(uint64_t type)
{
	return type <= IPL_EVENT_NUMBER_MAX ? types[type].meaning : NULL;
}

uint64_t ipl_event_of_name(struct ipl_str name)
{
	for (uint64_t type = 1; type <= IPL_EVENT_NUMBER_MAX; type++) {
		if (ipl_str_is(name, types[type].name))
			return type;
	}
	return 0;
}

const struct ipl_record *ipl_event_record(uint64_t type)
{
	return type <= IPL_EVENT_NUMBER_MAX ? types[type].record : NULL;
}

const char *ipl_op_name(uint64_t op)
{
	return op < IPL_OP_COUNT ? op_names[op] : NULL;
}

enum ipl_op ipl_op_of_name(struct ipl_str name)
{
	for (uint32_t op = 1; op < IPL_OP_COUNT; op++) {
		if (ipl_str_is(name, op_names[op]))
			return (enum ipl_op)op;
	}
	return IPL_OP_NONE;
}

static const char *word(const char *const *words, size_t count, uint32_t number)
{
	return number < count ? words[number] : NULL;
}

const char *ipl_charge_word(enum ipl_charge charge)
{
	return word(charge_words, IPL_ARRAY_SIZE(charge_words), charge);
}

const char *ipl_run_word(enum ipl_run state)
{
	return word(run_words, IPL_ARRAY_SIZE(run_words), state);
}

const char *ipl_mode_word(enum ipl_mode mode)
{
	return word(mode_words, IPL_ARRAY_SIZE(mode_words), mode);
}

const char *ipl_stopped_word(enum ipl_stopped mode)
{
	return word(stopped_words, IPL_ARRAY_SIZE(stopped_words), mode);
}

const char *ipl_choice_word(enum ipl_field_kind kind, uint32_t number)
{
	switch (kind) {
	case IPL_FIELD_CHARGE:
		return word(charge_words, IPL_ARRAY_SIZE(charge_words), number);
	case IPL_FIELD_RUN:
		return word(run_words, IPL_ARRAY_SIZE(run_words), number);
	case IPL_FIELD_MODE:
		return word(mode_words, IPL_ARRAY_SIZE(mode_words), number);
	case IPL_FIELD_STOPPED:
		return word(stopped_words, IPL_ARRAY_SIZE(stopped_words), number);
	default:
		return NULL;
	}
}

enum ipl_kind ipl_field_entity(enum ipl_field_kind kind)
{
	static_assert((int)IPL_FIELD_IPV6BW - (int)IPL_FIELD_LEDGER ==
			      (int)IPL_KIND_IPV6BW - (int)IPL_KIND_LEDGER,
		      "the entity kinds of fields are in the order of the kinds");
	return kind < IPL_FIELD_LEDGER ? IPL_KIND_NONE :
					 (enum ipl_kind)(kind - IPL_FIELD_LEDGER + IPL_KIND_LEDGER);
}

void ipl_event_init(struct ipl_event *ev, enum ipl_event_type type)
{
	memset(ev, 0, sizeof(*ev));
	ev->type = type;
}

struct ipl_key ipl_token_key(struct ipl_str principal, enum ipl_op op, struct ipl_str token)
{
	uint8_t bytes[IPL_PRINCIPAL_MAX + IPL_TOKEN_MAX + 8];
	size_t len = 0;
	struct ipl_hash128 hash;

	assert(principal.len <= IPL_PRINCIPAL_MAX && token.len <= IPL_TOKEN_MAX);
	/* Lengths first, so that no two pairs have the same bytes. */
	bytes[len++] = (uint8_t)op;
	bytes[len++] = (uint8_t)principal.len;
	memcpy(bytes + len, principal.at, principal.len);
	len += principal.len;
	memcpy(bytes + len, token.at, token.len);
	len += token.len;
	hash = ipl_hash128(bytes, len);
	return (struct ipl_key){ IPL_KIND_TOKEN, hash.hi, hash.lo };
}

struct ipl_key ipl_event_token_key(const struct ipl_event *ev)
{
	return ipl_token_key(ev->principal, ev->group_size > 0 ? IPL_OP_TRANSACT : ev->op,
			     ev->client_token);
}
