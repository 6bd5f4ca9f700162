/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share. */
#ifndef IPL_SERVER_ENGINE_INTERNAL_H
#define IPL_SERVER_ENGINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "reducers/hashmap.h"
#include "replay/checkpoint.h"
#include "replay/past.h"
#include "replay/view.h"
#include "server/checkpointer.h"
#include "server/engine.h"
#include "server/engine_stats.h"
#include "server/feed.h"
#include "store/committer.h"
#include "store/proof.h"
#include "store/refusals.h"

#define IPL_TIME_STEP UINT64_C(256) /* events from one entry of the time index to the next */

struct ipl_jobs;

/*
 * The engine at work, or one that a thread reads with. The latter has no state; it shares with
 * the one at work, its `live`, what is marked so: that is changed by the loop's thread alone, with
 * the lock held, and read by others with the lock held.
 */
struct ipl_engine {
	struct ipl_engine *live; /* NULL: it is the one at work */
	uint64_t head;           /* of one that reads: the last event when it was asked */
	uint64_t vpcs;           /* the same: the number that the next VPC would have had */
	pthread_mutex_t lock;
	atomic_uint_fast64_t generation; /* how often the log was folded */
	struct ipl_buf record;           /* of one that reads: the record it looked at last */
	struct ipl_views *views;         /* whole states of the past */
	struct ipl_jobs *jobs;           /* NULL: calls are answered at once */
	enum ipl_engine_mode mode;
	char *dir;
	struct ipl_store *store;
	struct ipl_reader *reader;
	struct ipl_committer *committer;
	struct ipl_refusals *refusals;
	struct ipl_checkpoints *checkpoints;
	struct ipl_checkpointer *checkpointer; /* NULL: it only reads */
	int done_fd;
	int64_t opened_ms;

	/* Functions of the log; thrown away and folded again when a commit fails. */
	struct ipl_state *state;
	struct ipl_heads *heads;     /* shared */
	struct ipl_checkpoint *base; /* what they were loaded from; NULL: from nothing. Shared */
	struct ipl_hashmap tokens;   /* token key -> seq, of events after the base */
	int64_t *time; /* of events 1, 1 + IPL_TIME_STEP, … Shared, with its count */
	size_t time_count;
	size_t time_cap;

	struct ipl_batch open;   /* decided and folded, not yet handed over. Shared */
	struct ipl_batch flying; /* a view of what the committer has, whose memory it is. Shared */
	struct ipl_batch spare;  /* memory for the next open one */
	atomic_uint_fast64_t durable_seq;
	struct ipl_engine_stats stats;
	/*
	 * The state is not the log's any more (there may be none): to be folded again, at once
	 * or, where that has failed, after a while.
	 */
	bool is_spoiled;
	struct ipl_error spoiled_by;
	int64_t tried_ns; /* when that was tried last; 0: not yet */

	struct ipl_region_letters letters;
	struct ipl_str region; /* a copy: it is the ledger's for ever */
	uint64_t ledger_number;
	struct ipl_source source;
	struct ipl_shown *shown; /* server/feed.c; NULL: nobody has followed yet */
	struct ipl_nodes
		*nodes; /* of the tree, as far as proofs have wanted them; NULL: none yet */
	struct ipl_arena scratch; /* for folding */
};

/* --- engine.c --- */

/** The record of @seq: from the batches that are not durable yet, or the log. */
enum ipl_status ipl_engine_get(struct ipl_engine *engine, uint64_t seq, struct ipl_str *out,
			       struct ipl_error *err);
/** Decode event @seq into @arena. */
enum ipl_status ipl_engine_load(struct ipl_engine *engine, uint64_t seq, struct ipl_arena *arena,
				struct ipl_event *out, struct ipl_error *err);
/** Fold a new or an old event: state, tokens, time index. Its links are the caller's care. */
enum ipl_status ipl_engine_fold(struct ipl_engine *engine, const struct ipl_event *ev,
				const struct ipl_touches *touches, struct ipl_error *err);
/** The seq of the event that a token made; 0 where there is none. */
enum ipl_status ipl_engine_find_token(struct ipl_engine *engine, struct ipl_key token,
				      uint64_t *seq, struct ipl_error *err);
/** An append went wrong half-way: nothing goes on before the state was folded again. */
void ipl_engine_spoil(struct ipl_engine *engine, const struct ipl_error *err);
/** Everything that is a function of the log: from a checkpoint, and the events after it. */
enum ipl_status ipl_engine_fold_log(struct ipl_engine *engine, struct ipl_error *err) IPL_MUST_USE;
/** Whether it has the log's state; where it has not, that is tried again, once a second at most. */
bool ipl_engine_is_good(struct ipl_engine *engine, struct ipl_error *err);
uint64_t ipl_engine_head(const struct ipl_engine *engine);
/** The last event on @key's chain; as ipl_heads_last(). */
uint64_t ipl_engine_last(struct ipl_engine *engine, struct ipl_key key);
/** The number that the next VPC gets. */
uint64_t ipl_engine_vpcs(const struct ipl_engine *engine);
uint64_t ipl_engine_generation(const struct ipl_engine *engine);
/** An engine for another thread, that reads with @live; closed before it. */
enum ipl_status ipl_engine_share(struct ipl_engine *live, struct ipl_engine **out,
				 struct ipl_error *err);
/** Look @call up and do it. Everything of the answer but RequestId. */
enum ipl_status ipl_engine_execute(struct ipl_engine *engine, const struct ipl_call *call,
				   struct ipl_arena *arena, struct ipl_answer *answer);

/* --- engine_jobs.c --- */

/* What takes long for which reason: a thread for each. */
enum ipl_lane { IPL_LANE_VIEWS, IPL_LANE_CHAINS, IPL_LANE_COUNT };

enum ipl_status ipl_jobs_start(struct ipl_engine *live, struct ipl_jobs **out,
			       struct ipl_error *err);
/** NULL is fine. What is asked by nobody's job any more is lost. */
void ipl_jobs_stop(struct ipl_jobs *jobs);
/**
 * Let a thread do @call, which reads nothing after event @need: the call is then to be answered
 * with IPL_ERR_BUSY. False where it is to be done here and now.
 */
bool ipl_jobs_take(struct ipl_engine *engine, const struct ipl_call *call, enum ipl_lane lane,
		   uint64_t need);
/** The answer of *@job, lent until the next call; false while it is not done. */
bool ipl_jobs_fetch(struct ipl_engine *engine, struct ipl_job **job, struct ipl_answer *answer);
/** The log is durable up to @durable_seq: what waited for that begins. */
void ipl_jobs_durable(struct ipl_jobs *jobs, uint64_t durable_seq);
/** What waited for a commit that failed is answered so. */
void ipl_jobs_fail(struct ipl_jobs *jobs, const struct ipl_error *why);

/* --- engine_write.c, engine_read.c, engine_events.c, engine_past.c --- */

enum ipl_status ipl_engine_write(struct ipl_engine *engine, const struct ipl_call *call,
				 const struct ipl_operation *operation, const void *args,
				 const struct ipl_common *common, struct ipl_arena *arena,
				 struct ipl_answer *answer);
enum ipl_status ipl_engine_read(struct ipl_engine *engine, const struct ipl_call *call,
				const struct ipl_operation *operation, const void *args,
				const struct ipl_common *common, struct ipl_arena *arena,
				struct ipl_answer *answer);
enum ipl_status ipl_engine_service(struct ipl_engine *engine, const struct ipl_call *call,
				   const struct ipl_operation *operation, const void *args,
				   const struct ipl_common *common, struct ipl_arena *arena,
				   struct ipl_answer *answer);
/** *@as_of: the moment of the call; then that of the page, which its token may have pinned. */
enum ipl_status ipl_engine_list_events(struct ipl_engine *engine,
				       const struct ipl_operation *operation,
				       const struct ipl_args_list_events *args,
				       const struct ipl_common *common, uint64_t *as_of,
				       struct ipl_arena *arena, struct ipl_answer *answer);

enum ipl_status ipl_engine_get_history(struct ipl_engine *engine,
				       const struct ipl_operation *operation,
				       const struct ipl_args_get_history *args,
				       const struct ipl_common *common, uint64_t *as_of,
				       struct ipl_arena *arena, struct ipl_answer *answer);
enum ipl_status ipl_engine_diff_state(struct ipl_engine *engine,
				      const struct ipl_operation *operation,
				      const struct ipl_args_diff_state *args,
				      const struct ipl_common *common, uint64_t *as_of,
				      struct ipl_arena *arena, struct ipl_answer *answer);
struct ipl_moment;
enum ipl_status ipl_engine_list_addresses(struct ipl_engine *engine,
					  const struct ipl_operation *operation,
					  const struct ipl_args_list_addresses *args,
					  const struct ipl_common *common,
					  struct ipl_moment *moment, struct ipl_arena *arena,
					  struct ipl_answer *answer);
enum ipl_status ipl_engine_list_refusals(struct ipl_engine *engine,
					 const struct ipl_operation *operation,
					 const struct ipl_args_list_events *args,
					 const struct ipl_common *common, uint64_t as_of,
					 struct ipl_arena *arena, struct ipl_answer *answer);
enum ipl_status ipl_engine_inclusion(struct ipl_engine *engine,
				     const struct ipl_args_get_inclusion *args, uint64_t as_of,
				     struct ipl_arena *arena, struct ipl_answer *answer);
enum ipl_status ipl_engine_consistency(struct ipl_engine *engine,
				       const struct ipl_args_get_consistency *args, uint64_t as_of,
				       struct ipl_arena *arena, struct ipl_answer *answer);
/** A write was refused: keep why, for ListRefusals. */
void ipl_engine_note_refusal(struct ipl_engine *engine, const struct ipl_call *call,
			     const struct ipl_common *common, const struct ipl_error *refused,
			     struct ipl_arena *arena);

/** A moment: the seq, and the time at which cooling is judged. */
struct ipl_moment {
	uint64_t seq;
	int64_t time_ms;
	bool is_past;  /* not the head */
	uint64_t need; /* the last event that was looked at to find this out */
};
/** What `AsOf` means (NULL: now). Refused where it is malformed or in the future. */
enum ipl_status ipl_engine_moment(struct ipl_engine *engine, const struct ipl_value *as_of,
				  int64_t now_ms, struct ipl_moment *out, struct ipl_error *err);
/**
 * The same of the parameter @name, for one who knows events up to @last: a later seq is
 * refused, a later time is that of @last.
 */
enum ipl_status ipl_engine_moment_of(struct ipl_engine *engine, const char *name,
				     const struct ipl_value *value, uint64_t last,
				     struct ipl_moment *out, struct ipl_error *err);
/** The last event not later than @time_ms; 0 where all are. */
enum ipl_status ipl_engine_seq_at(struct ipl_engine *engine, int64_t time_ms, uint64_t *seq,
				  struct ipl_error *err);

/** Where the next page of a list begins: the seq it is read as of, and what came last. */
struct ipl_page_token {
	uint64_t seq;
	uint64_t position;
};
struct ipl_value ipl_page_token_value(struct ipl_arena *arena, struct ipl_page_token token,
				      uint64_t filter);
enum ipl_status ipl_page_token_parse(struct ipl_str text, uint64_t filter,
				     struct ipl_page_token *out, struct ipl_error *err);
/** What a lens of the past knows of the ledger itself. */
void ipl_engine_set_ledger(const struct ipl_engine *engine, struct ipl_lens *lens);
/** A lens of single things as of @moment, by @source; ipl_past_close() closes it. */
enum ipl_status ipl_engine_open_past(struct ipl_engine *engine, const struct ipl_source *source,
				     const struct ipl_moment *moment, struct ipl_lens *lens,
				     struct ipl_error *err);
/** The records as views want them, with those that are not durable yet. */
struct ipl_records ipl_engine_records(struct ipl_engine *engine);

#endif
