/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event: its envelope, its body, and the ways to and from bytes, trees and
 * text. All of it follows from event_table.h.
 *
 * The bytes of an event are one MessagePack array of 16:
 *    0 version       1
 *    1 seq           from 1
 *    2 time_ms       Unix epoch, UTC
 *    3 type          number of event_table.h
 *    4 operation     number of event_table.h
 *    5 principal     text
 *    6 actor         text, "" for none
 *    7 request_id    16 bytes
 *    8 client_token  text, "" for none
 *    9 params_digest XXH3-64 of the operation's own parameters, 0 without a token
 *   10 reason        text, "" for none
 *   11 group         [place from 1, size], [0, 0] outside a transaction
 *   12 step          which operation of the transaction made it, from 1; nil outside one
 *   13 body          the record of the type, an array of its fields
 *   14 links         for each touch, in the order of ipl_event_touches(): back,
 *                    jump, depth; back and jump count from seq backwards, 0: none
 *   15 checksum      XXH3-64 of all bytes before it, always as 0xcf and 8 bytes
 *
 * Integers, text and arrays are in their smallest form, so that there is one
 * encoding of an event, and what decodes encodes to the same bytes.
 *
 * Values: BOOL a boolean; numbers, times, entities (their numbers) and IPv4
 * addresses an integer; an IPv4 block base * 64 + prefix; an IPv6 address 16
 * bytes; an IPv6 block 9 bytes, prefix last; text text; a record an array of its
 * fields; a list an array of records, or of values where a record has one field.
 */
#ifndef IPL_EVENTS_EVENT_H
#define IPL_EVENTS_EVENT_H

#include "events/address.h"
#include "events/event_table.h"
#include "events/ident.h"
#include "events/value.h"

#define IPL_EVENT_VERSION     1
#define IPL_EVENT_BYTES_MAX   (1u << 20)
#define IPL_EVENT_TOUCHES_MAX 16384u
#define IPL_PRINCIPAL_MAX     128u
#define IPL_ACTOR_MAX         256u
#define IPL_REASON_MAX        256u
#define IPL_TOKEN_MAX         64u
#define IPL_REQUEST_ID_BYTES  16

enum ipl_op {
	IPL_OP_NONE = 0,
#define X(number, NAME, Name) IPL_OP_##NAME = number,
	IPL_OP_LIST(X)
#undef X
		IPL_OP_COUNT,
};

enum ipl_event_type {
#define X(number, NAME, record, Name, meaning) IPL_EVENT_##NAME = number,
	IPL_EVENT_LIST(X)
#undef X
};
#define IPL_EVENT_NUMBER_MAX 38

#define X(number, NAME, Word) IPL_CHARGE_##NAME = number,
enum ipl_charge { IPL_CHARGE_LIST(X) };
#undef X
#define X(number, NAME, Word) IPL_RUN_##NAME = number,
enum ipl_run { IPL_RUN_LIST(X) };
#undef X
#define X(number, NAME, Word) IPL_MODE_##NAME = number,
enum ipl_mode { IPL_MODE_LIST(X) };
#undef X
#define X(number, NAME, Word) IPL_STOPPED_##NAME = number,
enum ipl_stopped { IPL_STOPPED_LIST(X) };
#undef X

/* What a field can hold: X(KIND, C type). The entity kinds come last. */
#define IPL_FIELD_KIND_LIST(X)       \
	X(BOOL, bool)                \
	X(NUM, uint64_t)             \
	X(TIME, int64_t)             \
	X(STR, struct ipl_str)       \
	X(IP4, uint32_t)             \
	X(CIDR4, struct ipl_cidr4)   \
	X(IP6, struct ipl_ip6)       \
	X(CIDR6, struct ipl_cidr6)   \
	X(CHARGE, enum ipl_charge)   \
	X(RUN, enum ipl_run)         \
	X(MODE, enum ipl_mode)       \
	X(STOPPED, enum ipl_stopped) \
	X(RECORD, struct ipl_none)   \
	X(LIST, struct ipl_any_list) \
	X(LEDGER, uint64_t)          \
	X(VPC, uint64_t)             \
	X(VSWITCH, uint64_t)         \
	X(INSTANCE, uint64_t)        \
	X(ENI, uint64_t)             \
	X(EIP, uint64_t)             \
	X(IPV6, uint64_t)            \
	X(IPV6GW, uint64_t)          \
	X(IPV6BW, uint64_t)

enum ipl_field_kind {
#define X(KIND, type) IPL_FIELD_##KIND,
	IPL_FIELD_KIND_LIST(X)
#undef X
};

struct ipl_none {
	char unused;
};

/* What every list looks like. */
struct ipl_any_list {
	void *at;
	uint32_t count;
};

#define X(KIND, type) typedef type ipl_field_##KIND;
IPL_FIELD_KIND_LIST(X)
#undef X

/* struct ipl_ev_<record> and struct ipl_ev_<record>_list of every record. */
#define F(O, KIND, member, Name, flags) ipl_field_##KIND member;
#define R(O, record, member, Name)      struct ipl_ev_##record member;
#define L(O, record, member, Name)      struct ipl_ev_##record##_list member;
#define X(record)                                    \
	struct ipl_ev_##record {                     \
		IPL_FIELDS_##record(F, R, L, record) \
	};                                           \
	struct ipl_ev_##record##_list {              \
		struct ipl_ev_##record *at;          \
		uint32_t count;                      \
	};
IPL_RECORD_LIST(X)
#undef X
#undef L
#undef R
#undef F

/* For code that walks a record by its table. */
#define IPL_FIELD_TOUCH  1u
#define IPL_FIELD_SHARED 2u
#define IPL_FIELD_HELD   4u
#define IPL_FIELD_PUBLIC 8u

struct ipl_record;

struct ipl_field {
	const char *name; /* as it is printed */
	enum ipl_field_kind kind;
	uint32_t flags;
	uint32_t offset;
	const struct ipl_record *record; /* of RECORD and LIST */
};

struct ipl_record {
	const char *name;
	const struct ipl_field *field;
	uint32_t field_count;
	uint32_t size_bytes;
};

/** A record's table; by the name it has in event_table.h: IPL_RECORD(settings). */
#define X(record) extern const struct ipl_record ipl_record_##record;
IPL_RECORD_LIST(X)
#undef X

/* The way from an event to the one before on the same chain. */
struct ipl_link {
	uint64_t back;  /* seq of the previous event that touched it; 0: none */
	uint64_t jump;  /* seq of an earlier one (skew-binary); 0: none */
	uint64_t depth; /* events on the chain before this one */
};

/**
 * One fact. Text, lists and links are borrowed: from the arena it was built in,
 * or, decoded, partly from the bytes.
 */
struct ipl_event {
	uint64_t seq;
	int64_t time_ms;
	enum ipl_event_type type;
	enum ipl_op op;
	struct ipl_str principal;
	struct ipl_str actor;
	uint8_t request_id[IPL_REQUEST_ID_BYTES];
	struct ipl_str client_token;
	uint64_t params_digest;
	struct ipl_str reason;
	uint64_t group_place;
	uint64_t group_size;
	uint64_t group_step; /* which operation of the transaction, from 1 */
	struct ipl_link
		*links; /* as many as there are touches; NULL before the write path adds them */
	uint32_t link_count;
	union {
		char body; /* where the record of the type begins */
#define X(number, NAME, record, Name, meaning) struct ipl_ev_##record record;
		IPL_EVENT_LIST(X)
#undef X
	};
};

/** "VpcCreated"; NULL for a number that no type has. */
const char *ipl_event_name(uint64_t type);
/** What it says, in a sentence for people; NULL for a number that no type has. */
const char *ipl_event_meaning(uint64_t type);
/** The number of that name, 0 where there is none. */
uint64_t ipl_event_of_name(struct ipl_str name);
/** The record of a type's body; NULL where no event of this version has the type. */
const struct ipl_record *ipl_event_record(uint64_t type);
/** "CreateVpc"; NULL beyond the table. */
const char *ipl_op_name(uint64_t op);
enum ipl_op ipl_op_of_name(struct ipl_str name);
/** The words of the kinds that choose, by number; NULL beyond. */
const char *ipl_charge_word(enum ipl_charge charge);
const char *ipl_run_word(enum ipl_run state);
const char *ipl_mode_word(enum ipl_mode mode);
const char *ipl_stopped_word(enum ipl_stopped mode);

/** The word of @number in a field of @kind; NULL where it chooses nothing or the number is beyond.
 */
const char *ipl_choice_word(enum ipl_field_kind kind, uint32_t number);
/** What kind of entity a field names; IPL_KIND_NONE where it names none. */
enum ipl_kind ipl_field_entity(enum ipl_field_kind kind);

/** An empty event of @type. */
void ipl_event_init(struct ipl_event *ev, enum ipl_event_type type);

/** The keys that an event touches, each once, in an order that its type and body decide. */
struct ipl_touches {
	struct ipl_key *at;
	uint32_t count;
};

/** List the touches in @arena. IPL_ERR_NOMEM also beyond IPL_EVENT_TOUCHES_MAX. */
enum ipl_status ipl_event_touches(struct ipl_arena *arena, const struct ipl_event *ev,
				  struct ipl_touches *out, struct ipl_error *err) IPL_MUST_USE;

/**
 * Append the bytes of @ev to @out. Its links must be as many as its touches.
 * IPL_ERR_NOMEM where memory is short or the event longer than IPL_EVENT_BYTES_MAX.
 */
enum ipl_status ipl_event_encode(const struct ipl_event *ev, struct ipl_buf *out,
				 struct ipl_error *err) IPL_MUST_USE;

/**
 * Decode one whole event, hostile or not. Text is borrowed from @bytes, lists
 * are in @arena. Accepts exactly what ipl_event_encode() makes.
 *
 * @retval IPL_ERR_CORRUPT  with what is wrong; @out is not to be read
 * @retval IPL_ERR_NOMEM    beyond the arena's limit
 */
enum ipl_status ipl_event_decode(struct ipl_str bytes, struct ipl_arena *arena,
				 struct ipl_event *out, struct ipl_error *err) IPL_MUST_USE;

/** What stands at the beginning of an encoded event. */
struct ipl_event_head {
	uint64_t seq;
	int64_t time_ms;
	uint64_t type; /* at most IPL_EVENT_NUMBER_MAX */
};
/** Look whether its checksum fits, and at its beginning, but not at what else it holds.
 * IPL_ERR_CORRUPT as ipl_event_decode(). */
enum ipl_status ipl_event_head(struct ipl_str bytes, struct ipl_event_head *out,
			       struct ipl_error *err) IPL_MUST_USE;

/** The seq and time of an encoded event, without looking at the rest; false where there are none.
 */
bool ipl_event_peek(struct ipl_str bytes, uint64_t *seq, int64_t *time_ms);

/** What a client token hangs on: who gave it, for which operation. Outside the kinds of touches. */
#define IPL_KIND_TOKEN 64u
struct ipl_key ipl_token_key(struct ipl_str principal, enum ipl_op op, struct ipl_str token);
/** The key of an event's token (it has one): of a transaction's event that of the whole. */
struct ipl_key ipl_event_token_key(const struct ipl_event *ev);

/** The map that every door shows: Seq, Time, Type, Operation, …, Touches, Body. */
struct ipl_value ipl_event_value(struct ipl_arena *arena, struct ipl_region_letters letters,
				 const struct ipl_event *ev);
/** A record as a map of its named fields; what is empty and may be is left out. */
struct ipl_value ipl_record_value(struct ipl_arena *arena, struct ipl_region_letters letters,
				  const struct ipl_record *record, const void *at);
/** A deep copy of a record: lists and text into @arena. */
void ipl_record_copy(struct ipl_arena *arena, const struct ipl_record *record, const void *from,
		     void *to);
/** A record's bytes, as they stand in an event; and back (events/cursor.h), text borrowed. */
struct ipl_cursor;
void ipl_record_pack(struct ipl_buf *out, const struct ipl_record *record, const void *at);
void ipl_record_take(struct ipl_cursor *cursor, const struct ipl_record *record, void *out);
/** The schema: every type with its number, fields and kinds, as one tree. The log carries it. */
struct ipl_value ipl_event_schema(struct ipl_arena *arena);

#endif
