/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches go round: the one who reads fills an empty one, the one who folds empties a full one.
 * Without a second thread a batch is emptied where it was filled.
 */
#include "replay/pass.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/thread.h"

#define BATCH_EVENTS 256u
#define BATCHES      3u
#define ARENA_BYTES  ((size_t)256 << 20) /* of a batch, at most */
#define THREAD_MIN   20000u              /* events for which a thread is worth its beginning */
/* Events ahead: where things stand is fetched first, and then what they lead to. */
#define FAR  16u
#define NEAR 8u

struct batch {
	struct ipl_arena arena;
	struct ipl_passed at[BATCH_EVENTS];
	uint32_t count;
	bool is_last;
};

struct passing {
	const struct ipl_pass *pass;
	struct batch batch[BATCHES];
	enum ipl_status status; /* of reading: what comes after the last event of the last batch */
	struct ipl_error err;
	enum ipl_status fold_status;
	struct ipl_error *fold_err;

	/* Between two threads, with the lock held. */
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t filled;  /* batches, since the beginning */
	uint64_t emptied; /* the same */
	bool is_enough;   /* nobody empties any more */
};

static enum ipl_status reader_get(void *context, uint64_t seq, struct ipl_str *record,
				  struct ipl_error *err)
{
	return ipl_reader_get(context, seq, record, err);
}

static enum ipl_status reader_scan(void *context, uint64_t from_seq, uint64_t to_seq,
				   ipl_record_fn fn, void *fn_context, struct ipl_error *err)
{
	return ipl_reader_scan(context, from_seq, to_seq, fn, fn_context, err);
}

struct ipl_records ipl_records_of_reader(struct ipl_reader *reader)
{
	return (struct ipl_records){ reader, reader_get, reader_scan, NULL, false };
}

/* --- emptying --- */

static void fetch(const struct passing *s, const struct batch *batch, uint32_t i)
{
	const struct ipl_state *state = s->pass->state;

	if (state == NULL)
		return;
	if (i + FAR < batch->count)
		ipl_state_fetch(state, &batch->at[i + FAR].touches);
	if (i + NEAR < batch->count)
		ipl_state_fetch_more(state, &batch->at[i + NEAR].touches);
}

static enum ipl_status empty(struct passing *s, struct batch *batch)
{
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; s->pass->state != NULL && i < FAR && i < batch->count; i++)
		ipl_state_fetch(s->pass->state, &batch->at[i].touches);
	for (uint32_t i = 0; st == IPL_OK && i < batch->count; i++) {
		fetch(s, batch, i);
		st = s->pass->fn(s->pass->context, &batch->at[i], s->fold_err);
	}
	batch->count = 0;
	ipl_arena_reset(&batch->arena);
	return st;
}

/* --- filling --- */

static enum ipl_status misplaced(uint64_t seq, uint64_t is, struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_CORRUPT,
			     "where event %" PRIu64 " belongs stands %" PRIu64, seq, is);
}

/* Whether the event is of a type that is wanted. */
static enum ipl_status look(const struct passing *s, uint64_t seq, struct ipl_str record,
			    bool *is_wanted, struct ipl_error *err)
{
	struct ipl_event_head head;
	enum ipl_status st = ipl_event_head(record, &head, err);

	if (st == IPL_OK && head.seq != seq)
		st = misplaced(seq, head.seq, err);
	*is_wanted = st == IPL_OK && (s->pass->types >> head.type & 1) != 0;
	return st;
}

static enum ipl_status decode(struct passing *s, struct batch *batch, uint64_t seq,
			      struct ipl_str record, struct ipl_error *err)
{
	struct ipl_passed *passed = &batch->at[batch->count];
	enum ipl_status st;

	passed->record = ipl_arena_str(&batch->arena, record);
	if (passed->record.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for events");
	st = ipl_event_decode(passed->record, &batch->arena, &passed->ev, err);
	if (st == IPL_OK && passed->ev.seq != seq)
		st = misplaced(seq, passed->ev.seq, err);
	passed->touches = (struct ipl_touches){ NULL, 0 };
	if (st == IPL_OK && s->pass->types == 0)
		st = ipl_event_touches(&batch->arena, &passed->ev, &passed->touches, err);
	if (st == IPL_OK && s->pass->early != NULL)
		st = s->pass->early(s->pass->context, passed, err);
	if (st == IPL_OK)
		batch->count++;
	return st;
}

/* Give the batch that is full to whom empties it; IPL_ERR_END: nobody does any more. */
static enum ipl_status hand_over(struct passing *s, bool is_last)
{
	struct batch *batch = &s->batch[s->filled % BATCHES];
	bool is_enough;

	if (!s->has_thread) {
		if (s->fold_status == IPL_OK)
			s->fold_status = empty(s, batch);
		return s->fold_status == IPL_OK ? IPL_OK : IPL_ERR_END;
	}
	pthread_mutex_lock(&s->lock);
	batch->is_last = is_last;
	s->filled++;
	pthread_cond_broadcast(&s->changed);
	while (!s->is_enough && !is_last && s->filled - s->emptied == BATCHES)
		pthread_cond_wait(&s->changed, &s->lock);
	is_enough = s->is_enough;
	pthread_mutex_unlock(&s->lock);
	return is_enough ? IPL_ERR_END : IPL_OK;
}

static enum ipl_status on_record(void *context, uint64_t seq, struct ipl_str record,
				 struct ipl_error *err)
{
	struct passing *s = context;
	struct batch *batch = &s->batch[s->filled % BATCHES];
	bool is_wanted = true;
	enum ipl_status st = s->pass->types == 0 ? IPL_OK : look(s, seq, record, &is_wanted, err);

	if (st == IPL_OK && is_wanted)
		st = decode(s, batch, seq, record, err);
	if (st != IPL_OK)
		return st;
	return batch->count < BATCH_EVENTS ? IPL_OK : hand_over(s, false);
}

static void *read_all(void *context)
{
	struct passing *s = context;
	const struct ipl_records *records = s->pass->records;

	s->status =
		records->scan(records->context, s->pass->from, s->pass->to, on_record, s, &s->err);
	(void)hand_over(s, true); /* what is left, and that this is all */
	return NULL;
}

/* --- both --- */

static bool start(struct passing *s, pthread_t *thread)
{
	int rc;

	if (s->pass->records->has_one_thread || s->pass->to - s->pass->from < THREAD_MIN ||
	    sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return false;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->has_thread = true;
	rc = ipl_thread_start(thread, read_all, s);
	if (rc != 0)
		s->has_thread = false; /* it goes without; else the thread reads this already */
	return rc == 0;
}

static void empty_all(struct passing *s)
{
	bool is_last = false;

	while (s->fold_status == IPL_OK && !is_last) {
		struct batch *batch = &s->batch[s->emptied % BATCHES];
		pthread_mutex_lock(&s->lock);
		while (s->filled == s->emptied)
			pthread_cond_wait(&s->changed, &s->lock);
		is_last = batch->is_last;
		pthread_mutex_unlock(&s->lock);
		s->fold_status = empty(s, batch);
		pthread_mutex_lock(&s->lock);
		s->emptied++;
		s->is_enough = s->fold_status != IPL_OK;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->lock);
	}
}

enum ipl_status ipl_pass_go(const struct ipl_pass *pass, struct ipl_error *err)
{
	struct passing *s;
	enum ipl_status st;
	pthread_t thread;

	if (pass->from > pass->to)
		return IPL_OK;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for events");
	s->pass = pass;
	s->err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	s->fold_err = err;
	for (uint32_t i = 0; i < BATCHES; i++)
		ipl_arena_init(&s->batch[i].arena, ARENA_BYTES);
	if (start(s, &thread)) {
		empty_all(s);
		pthread_join(thread, NULL);
		pthread_cond_destroy(&s->changed);
		pthread_mutex_destroy(&s->lock);
	} else {
		(void)read_all(s);
	}
	st = s->fold_status;
	if (st == IPL_OK && s->status != IPL_OK && s->status != IPL_ERR_END)
		st = ipl_error_set(err, s->status, "%s", s->err.text);
	for (uint32_t i = 0; i < BATCHES; i++)
		ipl_arena_release(&s->batch[i].arena);
	free(s);
	return st == IPL_ERR_END ? IPL_OK : st;
}
