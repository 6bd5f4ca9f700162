/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at beside the chunks of the log, and what comes of it all. */
#include "replay/verify_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/msgpack.h"
#include "replay/state_hash.h"
#include "store/checkpoint.h"
#include "store/pages.h"
#include "store/thread.h"

/* --- what stands beside the log --- */

static void note_complaint(void *context, const char *text)
{
	struct ipl_error *err = context;

	if (err->status == IPL_OK)
		ipl_error_set(err, IPL_ERR_CORRUPT, "%.400s: remove it, it is made again", text);
}

/* What each checkpoint says; one that is damaged is told of when the log itself is good. */
static enum ipl_status list_kept(struct ipl_verify_run *v, struct ipl_error *complaint,
				 struct ipl_error *err)
{
	struct ipl_checkpoints *set = NULL;
	struct ipl_checkpoint_stat *stat = NULL;
	size_t count = 0;
	enum ipl_status st = ipl_checkpoints_open(v->store, note_complaint, complaint, &set, err);

	if (st == IPL_OK)
		st = ipl_checkpoints_list(set, &stat, &count, err);
	v->kept = st == IPL_OK ? calloc(count + 1, sizeof(*v->kept)) : NULL;
	if (st == IPL_OK && v->kept == NULL)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for checkpoints");
	for (size_t i = 0; st == IPL_OK && i < count; i++) {
		struct ipl_checkpoint *one =
			ipl_checkpoints_take(set, stat[i].seq, IPL_UNSEEN_LOOK);
		const struct ipl_checkpoint_head *head;
		struct ipl_kept *kept = &v->kept[v->kept_count];
		if (one == NULL)
			continue;
		head = ipl_checkpoint_head(one);
		if (head->seq == stat[i].seq && head->seq <= v->out->head.seq) {
			kept->seq = head->seq;
			ipl_tree_root(&head->tree, kept->root);
			memcpy(kept->state_hash, head->state_hash, sizeof(kept->state_hash));
			v->kept_count++;
		}
		ipl_checkpoint_release(one);
	}
	free(stat);
	ipl_checkpoints_close(set);
	v->out->checkpoints = v->kept_count;
	return st;
}

/* The schema that the log carries can be read, if it carries one. */
static enum ipl_status check_schema(struct ipl_verify_run *v, struct ipl_error *err)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	struct ipl_value schema;
	struct ipl_arena arena;
	struct ipl_str bytes;
	enum ipl_status st;

	ipl_arena_init(&arena, (size_t)64 << 20);
	st = ipl_store_get_meta(v->store, "schema", &arena, &bytes, err);
	if (st == IPL_OK && ipl_msgpack_parse(&arena, (const uint8_t *)bytes.at, bytes.len, &schema,
					      &unused) != IPL_OK)
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "the log's schema cannot be read");
	ipl_arena_release(&arena);
	return st == IPL_ERR_END ? IPL_OK : st;
}

static enum ipl_status count_commits(void *context, uint64_t seq, struct ipl_str root,
				     struct ipl_error *err)
{
	(void)seq;
	(void)root;
	(void)err;
	++*(uint64_t *)context;
	return IPL_OK;
}

/* --- all of it --- */

static enum ipl_status check_noted(const struct ipl_verify_run *v, struct ipl_error *err)
{
	const struct ipl_head *noted = v->options->noted;

	if (noted == NULL || noted->seq <= v->out->head.seq)
		return IPL_OK;
	return ipl_error_set(err, IPL_ERR_CORRUPT,
			     "the log ends at event %" PRIu64
			     ", before the head that was noted at %" PRIu64 ": its tail is missing",
			     v->out->head.seq, noted->seq);
}

static enum ipl_status conclude(struct ipl_verify_run *v, const struct ipl_error *complaint,
				struct ipl_error *err)
{
	struct ipl_reader *reader;
	enum ipl_status st;

	if (v->is_given_up)
		return ipl_error_set(err, IPL_ERR_END, "interrupted");
	if (v->found_seq != UINT64_MAX) {
		*err = v->found;
		v->out->bad_seq = err->status == IPL_ERR_CORRUPT ? v->found_seq : 0;
		return err->status;
	}
	v->out->chains = ipl_heads_count(v->heads);
	st = check_noted(v, err);
	if (st == IPL_OK)
		st = check_schema(v, err);
	if (st == IPL_OK && complaint->status != IPL_OK) {
		*err = *complaint;
		st = err->status;
	}
	if (st == IPL_OK)
		st = ipl_reader_open(v->store, &reader, err);
	if (st != IPL_OK)
		return st;
	st = ipl_reader_roots(reader, 1, v->out->head.seq, count_commits, &v->out->commits, err);
	ipl_reader_close(reader);
	return st == IPL_OK ? ipl_state_hash(v->state, v->out->state_hash, err) : st;
}

static enum ipl_status verify_store(struct ipl_verify_run *v, struct ipl_error *err)
{
	struct ipl_error complaint = IPL_ERROR_INIT(NULL);
	enum ipl_status st = ipl_store_head(v->store, &v->out->head, err);

	if (st == IPL_OK)
		st = list_kept(v, &complaint, err);
	v->heads = ipl_heads_new();
	v->state = ipl_state_new();
	if (st == IPL_OK && (v->heads == NULL || v->state == NULL))
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a state");
	v->chunk_count = (v->out->head.seq + IPL_VERIFY_CHUNK - 1) / IPL_VERIFY_CHUNK;
	v->last_wanted = v->found_seq = UINT64_MAX;
	v->before.time_ms = INT64_MIN;
	if (st == IPL_OK)
		st = ipl_verify_chunks(v, err);
	if (st == IPL_OK)
		st = conclude(v, &complaint, err);
	ipl_heads_free(v->heads);
	ipl_state_free(v->state);
	free(v->kept);
	return st;
}

static enum ipl_status check_structure(const char *dir, struct ipl_error *err)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s/log.mdb", dir);
	enum ipl_status st;

	if (len < 0 || (size_t)len >= sizeof(path))
		return ipl_error_set(err, IPL_ERR_IO, "%s: the path is too long", dir);
	st = ipl_pages_check(path, err);
	return st == IPL_ERR_END ? ipl_error_set(err, IPL_ERR_IO, "there is no ledger in %s", dir) :
				   st;
}

enum ipl_status ipl_verify(const char *dir, const struct ipl_verify_options *options,
			   struct ipl_verified *out, struct ipl_error *err)
{
	struct ipl_verify_run v = { .options = options, .out = out };
	enum ipl_status st;

	*out = (struct ipl_verified){ .bad_seq = 0 };
	st = check_structure(dir, err);
	if (st == IPL_OK)
		st = ipl_store_open(dir, IPL_STORE_READ, &v.store, err);
	if (st != IPL_OK)
		return st;
	pthread_mutex_init(&v.lock, NULL);
	ipl_cond_init(&v.changed);
	st = verify_store(&v, err);
	pthread_mutex_destroy(&v.lock);
	pthread_cond_destroy(&v.changed);
	ipl_store_close(v.store);
	return st;
}
