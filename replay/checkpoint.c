/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint loaded, and the next one made. */
#include "replay/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "events/hash.h"
#include "reducers/codec.h"
#include "replay/pass.h"
#include "replay/state_hash.h"
#include "store/heads.h"

#define ASK_EVERY 256u /* events or entries, whether to go on */

/* --- loading --- */

static enum ipl_status load_rows(struct ipl_checkpoint *checkpoint, struct ipl_state_loader *loader,
				 struct ipl_error *err)
{
	struct ipl_error end = IPL_ERROR_INIT(NULL);
	uint8_t hash[IPL_DIGEST_BYTES];
	struct ipl_checkpoint_cursor *cursor;
	struct ipl_digest digest;
	struct ipl_key key;
	struct ipl_str value;
	enum ipl_status st = ipl_checkpoint_cursor_open(checkpoint, IPL_TABLE_STATE, &cursor, err);

	if (st != IPL_OK)
		return st;
	ipl_digest_begin(&digest);
	while ((st = ipl_checkpoint_cursor_next(cursor, &key, &value, &end)) == IPL_OK) {
		ipl_state_hash_row(&digest, key, value);
		st = ipl_state_loader_row(loader, key, value, &end);
		if (st != IPL_OK)
			break;
	}
	ipl_checkpoint_cursor_close(cursor);
	if (st != IPL_ERR_END)
		return ipl_error_set(err, st, "%s", end.text);
	ipl_digest_end(&digest, hash);
	if (memcmp(hash, ipl_checkpoint_head(checkpoint)->state_hash, sizeof(hash)) != 0)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "its rows have another hash than it says");
	return IPL_OK;
}

static enum ipl_status load_state(struct ipl_checkpoint *checkpoint, struct ipl_state **out,
				  struct ipl_error *err)
{
	struct ipl_state_loader *loader = ipl_state_loader_new();
	enum ipl_status st;

	if (loader == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the state");
	st = load_rows(checkpoint, loader, err);
	if (st == IPL_OK)
		st = ipl_state_loader_finish(loader, out, err);
	ipl_state_loader_free(loader);
	if (st == IPL_OK && ipl_state_seq(*out) != ipl_checkpoint_head(checkpoint)->seq) {
		ipl_state_free(*out);
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "its state is that of another event");
	}
	return st;
}

enum ipl_status ipl_checkpoint_load(struct ipl_checkpoints *set, uint64_t seq, enum ipl_unseen look,
				    struct ipl_checkpoint **out, struct ipl_state **state,
				    struct ipl_error *err)
{
	struct ipl_checkpoint *checkpoint;

	while ((checkpoint = ipl_checkpoints_take(set, seq, look)) != NULL) {
		struct ipl_error why = IPL_ERROR_INIT(NULL);
		enum ipl_status st = load_state(checkpoint, state, &why);
		if (st == IPL_OK) {
			*out = checkpoint;
			return IPL_OK;
		}
		if (st == IPL_ERR_CORRUPT)
			ipl_checkpoints_reject(set, checkpoint, why.text);
		ipl_checkpoint_release(checkpoint);
		if (st != IPL_ERR_CORRUPT)
			return ipl_error_set(err, st, "%s", why.text);
	}
	*out = NULL;
	*state = ipl_state_new();
	return *state != NULL ? IPL_OK :
				ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the state");
}

enum ipl_status ipl_checkpoint_head_of(void *context, struct ipl_key key, struct ipl_str *value,
				       struct ipl_error *err)
{
	return ipl_checkpoint_get(context, IPL_TABLE_HEADS, key, value, err);
}

enum ipl_status ipl_checkpoint_token(struct ipl_checkpoint *checkpoint, struct ipl_key token,
				     uint64_t *seq, struct ipl_error *err)
{
	struct ipl_error end = IPL_ERROR_INIT(NULL);
	struct ipl_str value;
	enum ipl_status st;

	*seq = 0;
	if (checkpoint == NULL)
		return IPL_OK;
	st = ipl_checkpoint_get(checkpoint, IPL_TABLE_TOKENS, token, &value, &end);
	if (st == IPL_ERR_END)
		return IPL_OK;
	if (st != IPL_OK)
		return ipl_error_set(err, st, "%s", end.text);
	if (value.len != sizeof(uint64_t))
		return ipl_error_set(err, IPL_ERR_CORRUPT, "a token of a checkpoint has %zu bytes",
				     value.len);
	*seq = ipl_get_be64((const uint8_t *)value.at);
	return IPL_OK;
}

/* --- building --- */

struct token {
	struct ipl_key key;
	uint64_t seq;
};

struct build {
	const struct ipl_checkpoint_job *job;
	struct ipl_checkpoint *base; /* NULL: from the beginning */
	struct ipl_state *state;
	struct ipl_heads *heads; /* of what is new, over those of the base */
	struct token *token;     /* the same, without the base's */
	size_t token_count;
	size_t token_cap;
	struct ipl_tree tree;
	struct ipl_checkpoint_writer *writer;
	struct ipl_digest digest;
	uint64_t asked;
	bool given_up;
};

static enum ipl_status ask(struct build *b, struct ipl_error *err)
{
	if (b->asked++ % ASK_EVERY != 0 || b->job->go_on(b->job->context))
		return IPL_OK;
	b->given_up = true;
	return ipl_error_set(err, IPL_ERR_END, "the checkpoint was given up");
}

static enum ipl_status note_token(struct build *b, const struct ipl_event *ev,
				  struct ipl_error *err)
{
	if (ev->client_token.len == 0)
		return IPL_OK;
	if (ev->principal.len > IPL_PRINCIPAL_MAX || ev->client_token.len > IPL_TOKEN_MAX)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "event %" PRIu64 ": its principal or token is too long",
				     ev->seq);
	if (b->token_count == b->token_cap) {
		size_t cap = b->token_cap == 0 ? 1024 : b->token_cap * 2;
		struct token *grown = realloc(b->token, cap * sizeof(*grown));
		if (grown == NULL)
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for tokens");
		b->token = grown;
		b->token_cap = cap;
	}
	b->token[b->token_count++] = (struct token){ ipl_event_token_key(ev), ev->seq };
	return IPL_OK;
}

static enum ipl_status fold_one(void *context, const struct ipl_passed *passed,
				struct ipl_error *err)
{
	struct build *b = context;
	enum ipl_status st = ask(b, err);

	if (st == IPL_OK)
		st = ipl_heads_check(b->heads, &passed->ev, &passed->touches, err);
	if (st == IPL_OK)
		st = ipl_reduce(b->state, &passed->ev, &passed->touches, err);
	if (st == IPL_OK)
		st = note_token(b, &passed->ev, err);
	ipl_tree_add(&b->tree, passed->record);
	return st;
}

static enum ipl_status fold_since(struct build *b, uint64_t seq, struct ipl_error *err)
{
	struct ipl_records records = ipl_records_of_reader(b->job->reader);

	records.has_one_thread = true; /* it is made beside a server's work */
	return ipl_pass_go(&(struct ipl_pass){ .records = &records,
					       .from = b->tree.size + 1,
					       .to = seq,
					       .fn = fold_one,
					       .context = b,
					       .state = b->state },
			   err);
}

/* The base, and the events after it. */
static enum ipl_status fold(struct build *b, uint64_t seq, struct ipl_error *err)
{
	uint8_t own[IPL_ROOT_BYTES], root[IPL_ROOT_BYTES];
	enum ipl_status st =
		ipl_checkpoint_load(b->job->set, seq, IPL_UNSEEN_LOOK, &b->base, &b->state, err);

	if (st != IPL_OK)
		return st;
	b->heads = ipl_heads_new();
	if (b->heads == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for chains");
	if (b->base != NULL) {
		b->tree = ipl_checkpoint_head(b->base)->tree;
		ipl_heads_set_under(b->heads, ipl_checkpoint_head_of, b->base);
	}
	st = fold_since(b, seq, err);
	if (st == IPL_OK && b->given_up) /* a pass takes IPL_ERR_END for enough */
		st = ipl_error_set(err, IPL_ERR_END, "the checkpoint was given up");
	if (st == IPL_OK)
		st = ipl_store_root(b->job->store, seq, root, err);
	if (st != IPL_OK)
		return st;
	ipl_tree_root(&b->tree, own);
	if (b->tree.size != seq || memcmp(own, root, sizeof(own)) != 0)
		return ipl_error_set(
			err, IPL_ERR_CORRUPT,
			"the root at %" PRIu64 " does not follow from the records before it", seq);
	return IPL_OK;
}

/* --- writing what was folded --- */

static enum ipl_status write_row(void *context, struct ipl_key key, struct ipl_str value,
				 struct ipl_error *err)
{
	struct build *b = context;
	enum ipl_status st = ask(b, err);

	ipl_state_hash_row(&b->digest, key, value);
	return st == IPL_OK ? ipl_checkpoint_write(b->writer, IPL_TABLE_STATE, key, value, err) :
			      st;
}

/* What the base has, going along with what is new. */
struct merge {
	struct build *b;
	enum ipl_table_name table;
	struct ipl_checkpoint_cursor *cursor; /* NULL: no base, or its end */
	struct ipl_key key;                   /* of the base's next entry */
	struct ipl_str value;
};

static enum ipl_status merge_next(struct merge *m, struct ipl_error *err)
{
	struct ipl_error end = IPL_ERROR_INIT(NULL);
	enum ipl_status st = ipl_checkpoint_cursor_next(m->cursor, &m->key, &m->value, &end);

	if (st == IPL_OK)
		return ask(m->b, err);
	ipl_checkpoint_cursor_close(m->cursor);
	m->cursor = NULL;
	return st == IPL_ERR_END ? IPL_OK : ipl_error_set(err, st, "%s", end.text);
}

static enum ipl_status merge_begin(struct merge *m, struct ipl_error *err)
{
	enum ipl_status st;

	if (m->b->base == NULL)
		return IPL_OK;
	st = ipl_checkpoint_cursor_open(m->b->base, m->table, &m->cursor, err);
	return st == IPL_OK ? merge_next(m, err) : st;
}

/* Write a new entry, and before it all of the base's that are below; one with its key is replaced.
 */
static enum ipl_status merge_put(struct merge *m, struct ipl_key key, struct ipl_str value,
				 struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	while (st == IPL_OK && m->cursor != NULL && ipl_key_compare(m->key, key) < 0) {
		st = ipl_checkpoint_write(m->b->writer, m->table, m->key, m->value, err);
		if (st == IPL_OK)
			st = merge_next(m, err);
	}
	if (st == IPL_OK && m->cursor != NULL && ipl_key_compare(m->key, key) == 0)
		st = merge_next(m, err);
	return st == IPL_OK ? ipl_checkpoint_write(m->b->writer, m->table, key, value, err) : st;
}

static enum ipl_status merge_end(struct merge *m, enum ipl_status st, struct ipl_error *err)
{
	while (st == IPL_OK && m->cursor != NULL) {
		st = ipl_checkpoint_write(m->b->writer, m->table, m->key, m->value, err);
		if (st == IPL_OK)
			st = merge_next(m, err);
	}
	ipl_checkpoint_cursor_close(m->cursor);
	m->cursor = NULL;
	return st;
}

static enum ipl_status merge_head(void *context, struct ipl_key key, struct ipl_str value,
				  struct ipl_error *err)
{
	return merge_put(context, key, value, err);
}

static enum ipl_status write_heads(struct build *b, struct ipl_error *err)
{
	struct merge m = { .b = b, .table = IPL_TABLE_HEADS };
	enum ipl_status st = merge_begin(&m, err);

	if (st == IPL_OK)
		st = ipl_heads_each(b->heads, merge_head, &m, err);
	return merge_end(&m, st, err);
}

static int compare_tokens(const void *a, const void *b)
{
	return ipl_key_compare(((const struct token *)a)->key, ((const struct token *)b)->key);
}

static enum ipl_status write_tokens(struct build *b, struct ipl_error *err)
{
	struct merge m = { .b = b, .table = IPL_TABLE_TOKENS };
	enum ipl_status st = merge_begin(&m, err);

	if (b->token_count > 0)
		qsort(b->token, b->token_count, sizeof(*b->token), compare_tokens);
	for (size_t i = 0; st == IPL_OK && i < b->token_count; i++) {
		uint8_t seq[8];
		/* Of a transaction's events, which share one token, the last counts. */
		if (i + 1 < b->token_count && compare_tokens(&b->token[i], &b->token[i + 1]) == 0) {
			if (b->token[i].seq > b->token[i + 1].seq)
				b->token[i + 1].seq = b->token[i].seq;
			continue;
		}
		ipl_put_be64(seq, b->token[i].seq);
		st = merge_put(&m, b->token[i].key,
			       (struct ipl_str){ (const char *)seq, sizeof(seq) }, err);
	}
	return merge_end(&m, st, err);
}

static enum ipl_status write_all(struct build *b, uint64_t seq, struct ipl_error *err)
{
	struct ipl_checkpoint_head head = { .seq = seq, .tree = b->tree };
	enum ipl_status st = ipl_checkpoint_write_begin(b->job->set, seq, &b->writer, err);

	if (st != IPL_OK)
		return st;
	ipl_digest_begin(&b->digest);
	st = ipl_state_each_row(b->state, write_row, b, err);
	if (st == IPL_OK)
		st = write_heads(b, err);
	if (st == IPL_OK)
		st = write_tokens(b, err);
	if (st != IPL_OK) {
		ipl_checkpoint_write_abort(b->writer);
		return st;
	}
	ipl_digest_end(&b->digest, head.state_hash);
	return ipl_checkpoint_write_commit(b->writer, &head, err);
}

enum ipl_status ipl_checkpoint_build(const struct ipl_checkpoint_job *job, uint64_t seq,
				     struct ipl_error *err)
{
	struct build b = { .job = job };
	enum ipl_status st;

	st = fold(&b, seq, err);
	if (st == IPL_OK)
		st = write_all(&b, seq, err);
	ipl_heads_free(b.heads);
	ipl_state_free(b.state);
	ipl_checkpoint_release(b.base);
	free(b.token);
	return st;
}

/* --- thinning --- */

/* The one whose neighbours are nearest to each other, the newest never; the log begins at 0. */
static size_t missed_least(const struct ipl_checkpoint_stat *stat, size_t count)
{
	uint64_t least = UINT64_MAX;
	size_t found = 0;

	for (size_t i = 0; i + 1 < count; i++) {
		uint64_t gap = stat[i + 1].seq - (i == 0 ? 0 : stat[i - 1].seq);
		if (gap < least) {
			least = gap;
			found = i;
		}
	}
	return found;
}

static enum ipl_status remove_at(struct ipl_checkpoints *set, struct ipl_checkpoint_stat *stat,
				 size_t *count, size_t at, struct ipl_error *err)
{
	enum ipl_status st = ipl_checkpoints_remove(set, stat[at].seq, err);

	--*count;
	memmove(&stat[at], &stat[at + 1], (*count - at) * sizeof(*stat));
	return st;
}

enum ipl_status ipl_checkpoints_thin(struct ipl_checkpoints *set, uint64_t budget_bytes,
				     struct ipl_error *err)
{
	struct ipl_checkpoint_stat *stat = NULL;
	uint64_t bytes = 0;
	size_t count = 0;
	enum ipl_status st = ipl_checkpoints_list(set, &stat, &count, err);

	for (size_t i = count; st == IPL_OK && i > 0; i--) {
		if (stat[i - 1].is_bad)
			st = remove_at(set, stat, &count, i - 1, err);
		else
			bytes += stat[i - 1].bytes;
	}
	while (st == IPL_OK && bytes > budget_bytes && count > 1) {
		size_t at = missed_least(stat, count);
		bytes -= stat[at].bytes;
		st = remove_at(set, stat, &count, at, err);
	}
	free(stat);
	return st;
}
