/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks, and the stages that they pass in order. */
#include "replay/verify_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/state_hash.h"
#include "store/thread.h"

#define CHUNK             IPL_VERIFY_CHUNK
#define CHUNK_ARENA_BYTES ((size_t)2 << 30)
#define THREADS_MAX       64u
#define TOLD_NS           100000000L

enum stage { STAGE_TREE, STAGE_CHAINS, STAGE_FOLD };

enum claimant { BY_COMMIT, BY_CHECKPOINT, BY_NOTE };

/* A root over the first @seq events, from whoever says so. */
struct claim {
	uint64_t seq;
	uint8_t root[IPL_ROOT_BYTES];
	uint8_t local[IPL_ROOT_BYTES]; /* over the part of them that is in the chunk */
	enum claimant by;
};

/* One for each thread. */
struct chunk {
	struct ipl_verify_run *v;
	struct ipl_reader *reader;
	struct ipl_arena arena;
	uint64_t number;
	uint64_t first;
	uint64_t last;
	uint32_t count; /* events that are good so far: those of the stages to come */
	struct ipl_event event[CHUNK];
	struct ipl_touches touches[CHUNK];
	struct claim *claim;
	size_t claim_count, claim_cap, claim_at;
	struct ipl_tree local;
	struct ipl_tree left; /* the tree over the chunks before */
	struct ipl_before before;
};

/* --- what is wrong --- */

/*
 * Something is wrong with event @seq or, where that is not known more exactly, from it on. Chunks
 * before are still looked at: there may be something earlier.
 */
static void report(struct chunk *chunk, uint64_t seq, const struct ipl_error *err)
{
	struct ipl_verify_run *v = chunk->v;

	chunk->count = seq > chunk->first ? (uint32_t)(seq - chunk->first) : 0;
	pthread_mutex_lock(&v->lock);
	if (seq < v->found_seq) {
		v->found = *err;
		v->found.arena = NULL;
		v->found.detail = NULL;
		v->found_seq = seq;
	}
	if (chunk->number < v->last_wanted)
		v->last_wanted = chunk->number;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

static void report_event(struct chunk *chunk, uint64_t seq, const struct ipl_error *cause)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	if (cause->status == IPL_ERR_CORRUPT && strncmp(cause->text, "event ", 6) != 0)
		ipl_error_set(&err, IPL_ERR_CORRUPT, "event %" PRIu64 ": %.440s", seq, cause->text);
	else
		err = *cause;
	report(chunk, seq, &err);
}

static void wrong(struct chunk *chunk, uint64_t seq, const char *what)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	ipl_error_set(&err, IPL_ERR_CORRUPT, "event %" PRIu64 ": %s", seq, what);
	report(chunk, seq, &err);
}

/* --- reading: side by side --- */

static bool add_claim(struct chunk *chunk, uint64_t seq, const uint8_t *root, enum claimant by)
{
	struct claim *claim;

	if (chunk->claim_count == chunk->claim_cap) {
		size_t cap = chunk->claim_cap == 0 ? 64 : chunk->claim_cap * 2;
		struct claim *grown = realloc(chunk->claim, cap * sizeof(*grown));
		if (grown == NULL)
			return false;
		chunk->claim = grown;
		chunk->claim_cap = cap;
	}
	claim = &chunk->claim[chunk->claim_count++];
	*claim = (struct claim){ .seq = seq, .by = by };
	memcpy(claim->root, root, IPL_ROOT_BYTES);
	return true;
}

static enum ipl_status take_root(void *context, uint64_t seq, struct ipl_str root,
				 struct ipl_error *err)
{
	struct chunk *chunk = context;

	if (root.len != IPL_ROOT_BYTES)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "the root of %" PRIu64 " is of %zu bytes", seq, root.len);
	return add_claim(chunk, seq, (const uint8_t *)root.at, BY_COMMIT) ?
		       IPL_OK :
		       ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for roots");
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return (int)x->by - (int)y->by;
}

/* Who says what about the chunk's part of the tree, in order. */
static enum ipl_status collect_claims(struct chunk *chunk, struct ipl_error *err)
{
	const struct ipl_head *noted = chunk->v->options->noted;
	enum ipl_status st;
	bool fits = true;

	chunk->claim_count = chunk->claim_at = 0;
	st = ipl_reader_roots(chunk->reader, chunk->first, chunk->last, take_root, chunk, err);
	if (st != IPL_OK)
		return st;
	if (noted != NULL && noted->seq >= chunk->first && noted->seq <= chunk->last)
		fits = add_claim(chunk, noted->seq, noted->root, BY_NOTE);
	for (size_t i = 0; i < chunk->v->kept_count; i++) {
		const struct ipl_kept *kept = &chunk->v->kept[i];
		if (kept->seq >= chunk->first && kept->seq <= chunk->last)
			fits = fits && add_claim(chunk, kept->seq, kept->root, BY_CHECKPOINT);
	}
	if (!fits)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for roots");
	if (chunk->claim_count > 0) /* a commit may be longer than a chunk */
		qsort(chunk->claim, chunk->claim_count, sizeof(*chunk->claim), compare_claims);
	return IPL_OK;
}

/* One record: its checksum, its one encoding, its place; its leaf, and the roots that end with it.
 */
static enum ipl_status take_record(void *context, uint64_t seq, struct ipl_str record,
				   struct ipl_error *err)
{
	struct chunk *chunk = context;
	struct ipl_event *ev = &chunk->event[chunk->count];
	struct ipl_str copy = ipl_arena_str(&chunk->arena, record);
	enum ipl_status st;

	if (copy.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for events");
	st = ipl_event_decode(copy, &chunk->arena, ev, err);
	if (st == IPL_OK && ev->seq != seq)
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "in its place stands event %" PRIu64,
				   ev->seq);
	if (st == IPL_OK &&
	    (ev->principal.len > IPL_PRINCIPAL_MAX || ev->client_token.len > IPL_TOKEN_MAX))
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "its principal or token is too long");
	if (st == IPL_OK)
		st = ipl_event_touches(&chunk->arena, ev, &chunk->touches[chunk->count], err);
	if (st != IPL_OK)
		return st;
	chunk->count++;
	ipl_tree_add(&chunk->local, copy);
	for (; chunk->claim_at < chunk->claim_count && chunk->claim[chunk->claim_at].seq == seq;
	     chunk->claim_at++)
		ipl_tree_root(&chunk->local, chunk->claim[chunk->claim_at].local);
	return IPL_OK;
}

static void read_chunk(struct chunk *chunk)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	enum ipl_status st;

	ipl_arena_reset(&chunk->arena);
	chunk->count = 0;
	chunk->local = (struct ipl_tree){ .size = 0 };
	st = collect_claims(chunk, &err);
	if (st == IPL_OK)
		st = ipl_reader_scan(chunk->reader, chunk->first, chunk->last, take_record, chunk,
				     &err);
	if (st != IPL_OK)
		report_event(chunk, chunk->first + chunk->count, &err);
	else if (chunk->count < chunk->last - chunk->first + 1)
		wrong(chunk, chunk->first + chunk->count, "it is missing");
}

/* --- the tree, and what one event must go on from --- */

/* A chunk that is whole is one more subtree; the last one is what is left. */
static void extend_tree(struct ipl_tree *tree, const struct ipl_tree *local)
{
	for (uint32_t i = 0; i < local->count; i++)
		memcpy(tree->node[tree->count++], local->node[i], IPL_ROOT_BYTES);
	for (uint64_t chunks = tree->size >> IPL_VERIFY_CHUNK_BITS;
	     local->size == CHUNK && (chunks & 1) != 0; chunks >>= 1) {
		uint8_t *left = tree->node[tree->count - 2];
		ipl_tree_node(left, tree->node[tree->count - 1], left);
		tree->count--;
	}
	tree->size += local->size;
}

static void remember(struct ipl_before *before, const struct ipl_event *ev)
{
	before->time_ms = ev->time_ms;
	before->group_place = ev->group_place;
	before->group_size = ev->group_size;
	memcpy(before->request_id, ev->request_id, sizeof(before->request_id));
}

static void stage_tree(struct chunk *chunk)
{
	struct ipl_verify_run *v = chunk->v;

	chunk->left = v->tree;
	chunk->before = v->before;
	extend_tree(&v->tree, &chunk->local);
	if (chunk->count > 0)
		remember(&v->before, &chunk->event[chunk->count - 1]);
}

/* A transaction's events follow each other, made by one request. */
static bool is_group_good(const struct ipl_before *before, const struct ipl_event *ev)
{
	if (before->group_place < before->group_size)
		return ev->group_place == before->group_place + 1 &&
		       ev->group_size == before->group_size &&
		       memcmp(ev->request_id, before->request_id, sizeof(before->request_id)) == 0;
	return ev->group_size == 0 ? ev->group_place == 0 : ev->group_place == 1;
}

static void check_sequence(struct chunk *chunk)
{
	struct ipl_before before = chunk->before;

	for (uint32_t i = 0; i < chunk->count; i++) {
		const struct ipl_event *ev = &chunk->event[i];
		if (ev->time_ms < before.time_ms) {
			wrong(chunk, ev->seq, "its time is before that of the event before");
			return;
		}
		if (!is_group_good(&before, ev)) {
			wrong(chunk, ev->seq,
			      "it does not belong where it stands in a transaction");
			return;
		}
		remember(&before, ev);
	}
}

/* The roots of commits narrow it down: what is wrong is after the last that holds. */
static void report_claim(struct chunk *chunk, const struct claim *claim, uint64_t good_to)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	switch (claim->by) {
	case BY_COMMIT:
		if (good_to + 1 == claim->seq)
			ipl_error_set(&err, IPL_ERR_CORRUPT,
				      "event %" PRIu64 " is not the one that was committed: its "
				      "root does not follow from it",
				      claim->seq);
		else
			ipl_error_set(&err, IPL_ERR_CORRUPT,
				      "one of the events %" PRIu64 " to %" PRIu64
				      " is not the one that was committed: the root at %" PRIu64
				      " does not follow from them",
				      good_to + 1, claim->seq, claim->seq);
		report(chunk, good_to + 1, &err);
		return;
	case BY_CHECKPOINT:
		ipl_error_set(&err, IPL_ERR_CORRUPT,
			      "checkpoints/%" PRIu64 ".mdb is of another log: remove it, it is "
			      "made again",
			      claim->seq);
		break;
	case BY_NOTE:
		ipl_error_set(&err, IPL_ERR_CORRUPT,
			      "up to event %" PRIu64 " the log is not the one whose head was "
			      "noted: it was written anew",
			      claim->seq);
		break;
	}
	report(chunk, claim->seq, &err);
}

static void check_claims(struct chunk *chunk)
{
	uint64_t good_to = chunk->first - 1, end = chunk->first + chunk->count;

	for (size_t i = 0; i < chunk->claim_count && chunk->claim[i].seq < end; i++) {
		const struct claim *claim = &chunk->claim[i];
		const struct ipl_event *ev = &chunk->event[claim->seq - chunk->first];
		uint8_t root[IPL_ROOT_BYTES];
		memcpy(root, claim->local, sizeof(root));
		for (uint32_t k = chunk->left.count; k > 0; k--)
			ipl_tree_node(chunk->left.node[k - 1], root, root);
		if (memcmp(root, claim->root, sizeof(root)) != 0) {
			report_claim(chunk, claim, good_to);
			return;
		}
		if (claim->by == BY_COMMIT && ev->group_place < ev->group_size) {
			wrong(chunk, ev->seq, "a commit ends inside its transaction");
			return;
		}
		good_to = claim->seq;
	}
}

/* --- chains and fold --- */

static void stage_chains(struct chunk *chunk)
{
	for (uint32_t i = 0; i < chunk->count; i++) {
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		if (ipl_heads_check(chunk->v->heads, &chunk->event[i], &chunk->touches[i], &err) ==
		    IPL_OK)
			continue;
		report_event(chunk, chunk->event[i].seq, &err);
		return;
	}
}

/* The checkpoint of this event has the state that the fold has. */
static enum ipl_status check_kept(struct ipl_verify_run *v, const struct ipl_kept *kept,
				  struct ipl_error *err)
{
	uint8_t hash[IPL_DIGEST_BYTES];
	enum ipl_status st = ipl_state_hash(v->state, hash, err);

	if (st == IPL_OK && memcmp(hash, kept->state_hash, sizeof(hash)) != 0)
		st = ipl_error_set(err, IPL_ERR_CORRUPT,
				   "checkpoints/%" PRIu64 ".mdb holds another state than the log "
				   "comes to: remove it, it is made again",
				   kept->seq);
	return st;
}

static void stage_fold(struct chunk *chunk)
{
	struct ipl_verify_run *v = chunk->v;

	for (uint32_t i = 0; i < chunk->count; i++) {
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		uint64_t seq = chunk->event[i].seq;
		enum ipl_status st =
			ipl_reduce(v->state, &chunk->event[i], &chunk->touches[i], &err);
		if (st != IPL_OK) {
			report_event(chunk, seq, &err);
			return;
		}
		if (v->next_kept < v->kept_count && v->kept[v->next_kept].seq == seq &&
		    check_kept(v, &v->kept[v->next_kept++], &err) != IPL_OK) {
			report(chunk, seq, &err);
			return;
		}
	}
}

/* --- threads --- */

/* Wait for the chunk's turn; false where it is not wanted any more. */
static bool enter(struct chunk *chunk, enum stage stage)
{
	struct ipl_verify_run *v = chunk->v;
	bool is_wanted;

	pthread_mutex_lock(&v->lock);
	while (v->turn[stage] != chunk->number && chunk->number <= v->last_wanted &&
	       !v->is_given_up)
		pthread_cond_wait(&v->changed, &v->lock);
	is_wanted = chunk->number <= v->last_wanted && !v->is_given_up;
	pthread_mutex_unlock(&v->lock);
	return is_wanted;
}

static void leave(struct chunk *chunk, enum stage stage)
{
	struct ipl_verify_run *v = chunk->v;

	pthread_mutex_lock(&v->lock);
	v->turn[stage]++;
	if (stage == STAGE_FOLD)
		v->done += chunk->count;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

static void verify_chunk(struct chunk *chunk)
{
	static void (*const stages[])(struct chunk * chunk) = { stage_tree, stage_chains,
								stage_fold };

	static_assert(IPL_ARRAY_SIZE(stages) == IPL_VERIFY_STAGES, "a function for each stage");
	read_chunk(chunk);
	for (enum stage stage = STAGE_TREE; stage < IPL_VERIFY_STAGES; stage++) {
		if (!enter(chunk, stage))
			return;
		stages[stage](chunk);
		leave(chunk, stage);
		if (stage == STAGE_TREE) {
			check_sequence(chunk);
			check_claims(chunk);
		}
	}
}

static bool take_chunk(struct chunk *chunk)
{
	struct ipl_verify_run *v = chunk->v;
	bool is_taken;

	pthread_mutex_lock(&v->lock);
	is_taken = v->next_chunk < v->chunk_count && v->next_chunk <= v->last_wanted &&
		   !v->is_given_up;
	if (is_taken)
		chunk->number = v->next_chunk++;
	pthread_mutex_unlock(&v->lock);
	if (!is_taken)
		return false;
	chunk->first = chunk->number * CHUNK + 1;
	chunk->last = chunk->first + CHUNK - 1;
	if (chunk->last > v->out->head.seq)
		chunk->last = v->out->head.seq;
	return true;
}

static void *run_thread(void *context)
{
	struct chunk *chunk = context;
	struct ipl_verify_run *v = chunk->v;

	while (take_chunk(chunk))
		verify_chunk(chunk);
	pthread_mutex_lock(&v->lock);
	v->running--;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

static struct chunk *chunk_new(struct ipl_verify_run *v, struct ipl_error *err)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk));

	if (chunk == NULL) {
		ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for events");
		return NULL;
	}
	chunk->v = v;
	ipl_arena_init(&chunk->arena, CHUNK_ARENA_BYTES);
	if (ipl_reader_open(v->store, &chunk->reader, err) != IPL_OK) {
		free(chunk);
		return NULL;
	}
	return chunk;
}

static void chunk_free(struct chunk *chunk)
{
	ipl_reader_close(chunk->reader);
	ipl_arena_release(&chunk->arena);
	free(chunk->claim);
	free(chunk);
}

/* Tell how far it is, until all threads have ended. */
static void watch(struct ipl_verify_run *v)
{
	pthread_mutex_lock(&v->lock);
	while (v->running > 0) {
		int64_t until_ns = ipl_monotonic_ns() + TOLD_NS;
		uint64_t done;
		bool goes_on;
		while (v->running > 0 && ipl_cond_wait_until(&v->changed, &v->lock, until_ns)) {
		}
		done = v->done;
		pthread_mutex_unlock(&v->lock);
		goes_on = v->options->progress == NULL ||
			  v->options->progress(v->options->context, done, v->out->head.seq);
		pthread_mutex_lock(&v->lock);
		v->is_given_up = v->is_given_up || !goes_on;
		if (!goes_on)
			pthread_cond_broadcast(&v->changed);
	}
	pthread_mutex_unlock(&v->lock);
}

static uint32_t thread_count(const struct ipl_verify_run *v)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	/* One more: while a chunk waits for its turn, its core reads the next one. */
	uint64_t count = v->options->threads != 0 ? v->options->threads :
			 cores < 1                ? 1 :
						    (uint64_t)cores + 1;

	if (count > THREADS_MAX)
		count = THREADS_MAX;
	return count > v->chunk_count ? (uint32_t)v->chunk_count : (uint32_t)count;
}

enum ipl_status ipl_verify_chunks(struct ipl_verify_run *v, struct ipl_error *err)
{
	struct chunk *chunk[THREADS_MAX] = { NULL };
	pthread_t thread[THREADS_MAX];
	uint32_t wanted = thread_count(v), started = 0;
	enum ipl_status st = IPL_OK;

	while (st == IPL_OK && started < wanted) {
		chunk[started] = chunk_new(v, err);
		if (chunk[started] == NULL) {
			st = err->status;
			break;
		}
		pthread_mutex_lock(&v->lock);
		v->running++;
		pthread_mutex_unlock(&v->lock);
		if (ipl_thread_start(&thread[started], run_thread, chunk[started]) != 0) {
			st = ipl_error_set(err, IPL_ERR_NOMEM, "no thread to verify with");
			chunk_free(chunk[started]);
			pthread_mutex_lock(&v->lock);
			v->running--;
			v->is_given_up = true;
			pthread_cond_broadcast(&v->changed);
			pthread_mutex_unlock(&v->lock);
			break;
		}
		started++;
	}
	watch(v);
	for (uint32_t i = 0; i < started; i++) {
		pthread_join(thread[i], NULL);
		chunk_free(chunk[i]);
	}
	return st;
}
