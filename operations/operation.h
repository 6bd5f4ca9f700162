/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is allowed. An operation is decided by a pure function of the state, its
 * parameters and the time: it gives one event, or a refusal with a code of the
 * contract. Nothing here does I/O or reads a clock.
 *
 * Checks come in this order, and the first that fails answers: shape and
 * required members, unknown members, region, that what is named exists,
 * exclusive members and ranges, its own state, the state of what is related,
 * quotas and limits, addresses. (IfSeq and DryRun follow, in the write path.)
 */
#ifndef IPL_OPERATIONS_OPERATION_H
#define IPL_OPERATIONS_OPERATION_H

#include "operations/operation_table.h"
#include "reducers/lens.h"

#define IPL_ABSENT       INT64_MIN
#define IPL_PAGE_DEFAULT 100
#define IPL_PAGE_MAX     1000

struct ipl_strs {
	struct ipl_str *at;
	uint32_t count;
	bool given;
};

typedef struct ipl_str ipl_param_STR;
typedef struct ipl_str ipl_param_LINE;
typedef struct ipl_str ipl_param_WORD;
typedef int64_t ipl_param_BOOL; /* 0, 1 or IPL_ABSENT */
typedef int64_t ipl_param_INT;
typedef int64_t ipl_param_NUMSTR;
typedef struct ipl_strs ipl_param_STRS;
typedef struct ipl_strs ipl_param_SET;
typedef struct ipl_any_list ipl_param_RECS;
typedef const struct ipl_value *ipl_param_ANY;

#define P(O, KIND, member, Name, flags, least, most, text) ipl_param_##KIND member;
#define X(name)                            \
	struct ipl_args_##name {           \
		char begin;                \
		IPL_PARAMS_##name(P, name) \
	};
IPL_PARAMS_LIST(X)
#undef X
#undef P

enum ipl_param_kind {
	IPL_PARAM_STR,
	IPL_PARAM_LINE,
	IPL_PARAM_WORD,
	IPL_PARAM_BOOL,
	IPL_PARAM_INT,
	IPL_PARAM_NUMSTR,
	IPL_PARAM_STRS,
	IPL_PARAM_SET,
	IPL_PARAM_RECS,
	IPL_PARAM_ANY,
};

struct ipl_params;

struct ipl_param {
	const char *name;
	enum ipl_param_kind kind;
	bool is_required;
	bool is_defaulted; /* a WORD whose first is the default */
	int64_t least;
	int64_t most;
	const char *text;
	const struct ipl_params *of;
	size_t offset;
};

struct ipl_params {
	const struct ipl_param *at;
	uint32_t count;
	size_t size_bytes;
};

/** The members that every operation accepts beside its own. */
struct ipl_common {
	struct ipl_str region;
	/* writes */
	struct ipl_str client_token; /* len 0: none */
	bool dry_run;
	int64_t if_seq; /* IPL_ABSENT: none */
	struct ipl_str reason;
	struct ipl_str actor;
	int64_t event_time_ms; /* IPL_ABSENT: none */
	/* A value out of its range, which comes after what does not exist; NULL: none. */
	const struct ipl_error *late;
	/* reads */
	const struct ipl_value *as_of; /* NULL: now */
	int64_t max_results;
	struct ipl_str next_token;
};

struct ipl_decision;
struct ipl_read;

enum ipl_operation_kind {
	IPL_OPERATION_WRITE,
	IPL_OPERATION_READ,
	IPL_OPERATION_SERVICE,
};

enum ipl_service {
	IPL_SERVICE_NONE,
#define S(NAME, Name, params, flags) IPL_SERVICE_##NAME,
	IPL_SERVICE_LIST(S)
#undef S
};

#define IPL_OPERATION_ENI    1u /* a missing parameter is answered with 403 */
#define IPL_OPERATION_ADMIN  2u /* for the role admin only */
#define IPL_OPERATION_SCAN   4u
#define IPL_OPERATION_PAGED  8u
#define IPL_OPERATION_ECS    16u /* of the cloud product ECS */
#define IPL_OPERATION_VPC    32u
#define IPL_OPERATION_NATIVE 64u /* of a connection that stays: not by HTTP */

/** A row of the table. */
struct ipl_operation {
	const char *name;
	enum ipl_operation_kind kind;
	uint32_t flags;
	const struct ipl_params *params;
	enum ipl_op op;                                    /* writes */
	enum ipl_service service;                          /* services */
	enum ipl_status (*decide)(struct ipl_decision *d); /* NULL: a Transact */
	enum ipl_status (*read)(struct ipl_read *r);
};

/** By name; NULL where there is none. */
const struct ipl_operation *ipl_operation_find(struct ipl_str name);
/** All rows, in an order that stays. */
const struct ipl_operation *ipl_operation_at(size_t index);
const struct ipl_operation *ipl_operation_of(enum ipl_op op);

/**
 * Read @params (a map, or nil for none) by the table into @args (zeroed,
 * operation->params->size_bytes) and @common. Text is borrowed from @params.
 * Refused with the path of the member in Detail.Parameter. Of a write a value
 * that is out of its range is no refusal yet: @common->late is it.
 */
enum ipl_status ipl_operation_parse(const struct ipl_operation *operation,
				    const struct ipl_value *params, struct ipl_arena *arena,
				    void *args, struct ipl_common *common,
				    struct ipl_error *err) IPL_MUST_USE;
/** The parameter @name of @operation, its own or one that it shares with others; or NULL. */
const struct ipl_param *ipl_operation_param(const struct ipl_operation *operation,
					    struct ipl_str name);
/** Whether @region is the ledger's, or left out. */
enum ipl_status ipl_operation_check_region(struct ipl_str region, struct ipl_str own,
					   struct ipl_error *err) IPL_MUST_USE;
/** The digest of the own parameters after defaults: equal for equal requests. Never 0. */
uint64_t ipl_operation_digest(const struct ipl_operation *operation, const void *args,
			      struct ipl_arena *arena);

/* --- deciding --- */

struct ipl_picks;

/** What a decide function sees, and what it fills. */
struct ipl_decision {
	const struct ipl_state *state;
	const struct ipl_operation *operation;
	const void *args;
	int64_t time_ms; /* the event's */
	struct ipl_arena *arena;
	struct ipl_error *err;        /* with an arena, for details */
	struct ipl_event *ev;         /* empty; type and body are the decision's */
	struct ipl_picks *picks;      /* addresses that this decision has taken so far */
	const struct ipl_error *late; /* a value out of range: refused unless is_unknown */
	bool is_unknown;              /* refused because what is named does not exist */
	/* Set where the answer is already a fact, and nothing is to be appended. */
	uint64_t answered_by; /* seq of the event that made it so */
	int64_t answered_ms;  /* its time */
	struct ipl_value early_result;
};

/**
 * Decide. IPL_OK with d->ev filled (or d->answered_by set), IPL_REFUSED, or
 * IPL_ERR_NOMEM. Changes nothing but @d and its arena.
 */
enum ipl_status ipl_operation_decide(struct ipl_decision *d) IPL_MUST_USE;

/** The own members of a write's answer: a function of its event alone. */
struct ipl_value ipl_operation_result(struct ipl_arena *arena, struct ipl_str region,
				      struct ipl_region_letters letters,
				      const struct ipl_event *ev);

/** The settings that a ledger begins with, from the map of `--init` (or NULL). */
enum ipl_status ipl_decide_ledger(const struct ipl_value *init, uint64_t ledger_number,
				  struct ipl_arena *arena, struct ipl_event *ev,
				  int64_t *event_time_ms, struct ipl_error *err) IPL_MUST_USE;

/* --- several at once --- */

/** What holds for a whole transaction. */
struct ipl_transact_request {
	struct ipl_str region;
	struct ipl_region_letters letters;
	struct ipl_str request_id; /* as text */
	int64_t time_ms;
	uint32_t forbidden; /* flags of operations that this caller may not call */
};

/** What it comes to: an event for each operation that has one, a result for each. */
struct ipl_transaction {
	struct ipl_event *ev;
	uint32_t count;
	struct ipl_value *result; /* as many as there are operations */
};

/**
 * Decide all of @args in order, each on top of the ones before, or refuse:
 * Detail.Index (from 1) then says which one was. @state is not changed; it must
 * be advanced to the request's time. Everything of @out is in @arena.
 */
enum ipl_status ipl_transact_decide(const struct ipl_state *state,
				    const struct ipl_args_transact *args,
				    const struct ipl_transact_request *request,
				    struct ipl_arena *arena, struct ipl_transaction *out,
				    struct ipl_error *err) IPL_MUST_USE;
/** {Results, FirstSeq, LastSeq}; seqs of 0 are nil. */
struct ipl_value ipl_transact_result(struct ipl_arena *arena, const struct ipl_value *results,
				     uint32_t count, uint64_t first_seq, uint64_t last_seq);

/** A lens as of @seq, or NULL with @err filled; valid until the next call. */
typedef struct ipl_lens *(*ipl_transact_lens_fn)(void *context, uint64_t seq,
						 struct ipl_error *err);
/** The results that @args had, from its @count events (at least one) in the log. */
enum ipl_status ipl_transact_again(const struct ipl_args_transact *args,
				   const struct ipl_transact_request *request,
				   const struct ipl_event *events, uint32_t count,
				   ipl_transact_lens_fn open_lens, void *context,
				   struct ipl_arena *arena, struct ipl_value *results,
				   struct ipl_error *err) IPL_MUST_USE;

/* --- reading --- */

/** What a read function sees, and what it fills. */
struct ipl_read {
	struct ipl_lens *lens;
	const struct ipl_operation *operation;
	const void *args;
	struct ipl_arena *arena;
	struct ipl_error *err;
	struct ipl_value *result; /* a map; own members are added */
	/* Lists: after which number to go on, how many to give; where the page ended (0: nothing
	 * more). */
	uint64_t after;
	uint64_t skip;    /* of those that match, beyond @after */
	bool is_numbered; /* a page by number: it holds what it holds, and cannot end early */
	int64_t max_results;
	uint64_t end;
};

/** Answer a read through r->lens. */
enum ipl_status ipl_operation_read(struct ipl_read *r) IPL_MUST_USE;

/**
 * The kind and number that an id of this ledger names, or the address it is
 * text of (kind IP4, number the address). IPL_KIND_NONE where it is neither.
 */
enum ipl_kind ipl_name_parse(struct ipl_region_letters letters, struct ipl_str text,
			     uint64_t *number);

/* Of an instance type: how many interfaces, how many addresses on each. */
struct ipl_type_limits {
	uint32_t eni_max;
	uint32_t ip4_max;
	uint32_t ip6_max;
	bool is_small; /* interfaces only while it is stopped */
	bool is_alone; /* made with its primary interface only */
};
/** The @index-th type that there is, those of the settings first; absent at the end. */
struct ipl_str ipl_type_at(const struct ipl_ev_settings *settings, size_t index);
/** By the built-in table and the settings; false where the type is unknown. */
bool ipl_type_find(const struct ipl_ev_settings *settings, struct ipl_str type,
		   struct ipl_type_limits *out);

#endif
