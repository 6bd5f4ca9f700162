/* SPDX-License-Identifier: Apache-2.0 */
/* The set of a directory's checkpoints, and reading one. */
#include "store/checkpoint_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events/hash.h"

#define SUFFIX     ".mdb"
#define TMP_SUFFIX ".tmp"

struct ipl_checkpoint {
	struct ipl_checkpoints *set;
	struct ipl_checkpoint_file *file;
	MDB_txn *txn;
};

struct ipl_checkpoint_cursor {
	MDB_cursor *cursor;
	enum ipl_table_name table;
	MDB_cursor_op op;
};

static enum ipl_status no_memory(struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for checkpoints");
}

static enum ipl_status mdb_failed(struct ipl_error *err, int rc)
{
	return rc == ENOMEM ? no_memory(err) :
			      ipl_error_set(err, IPL_ERR_CORRUPT, "a checkpoint cannot be read: %s",
					    mdb_strerror(rc));
}

/* --- the set --- */

bool ipl_checkpoint_path(const struct ipl_checkpoints *set, uint64_t seq, const char *suffix,
			 char out[4096])
{
	int len = snprintf(out, 4096, "%s/%" PRIu64 SUFFIX "%s", set->dir, seq, suffix);

	return len > 0 && len < 4096;
}

enum ipl_status ipl_checkpoints_add(struct ipl_checkpoints *set,
				    const struct ipl_checkpoint_entry *entry, struct ipl_error *err)
{
	size_t at = set->count;

	if (set->count == set->cap) {
		size_t cap = set->cap == 0 ? 16 : set->cap * 2;
		struct ipl_checkpoint_entry *grown = realloc(set->entry, cap * sizeof(*grown));
		if (grown == NULL)
			return no_memory(err);
		set->entry = grown;
		set->cap = cap;
	}
	while (at > 0 && set->entry[at - 1].seq > entry->seq)
		at--;
	memmove(&set->entry[at + 1], &set->entry[at], (set->count - at) * sizeof(*set->entry));
	set->entry[at] = *entry;
	set->count++;
	return IPL_OK;
}

/* Whether @name is that of a checkpoint, and of which. */
static bool parse_name(const char *name, uint64_t *seq)
{
	struct ipl_str text = ipl_str_of(name);
	int64_t number;

	if (text.len <= sizeof(SUFFIX) - 1 ||
	    strcmp(name + text.len - (sizeof(SUFFIX) - 1), SUFFIX) != 0)
		return false;
	text.len -= sizeof(SUFFIX) - 1;
	if (!ipl_str_to_int(text, &number) || number == 0)
		return false;
	*seq = (uint64_t)number;
	return true;
}

static enum ipl_status look_at_name(struct ipl_checkpoints *set, int dir, const char *name,
				    struct ipl_error *err)
{
	struct ipl_checkpoint_entry entry = { .state = IPL_CHECKPOINT_UNSEEN };
	size_t len = strlen(name);
	struct stat file;

	if (set->store->mode == IPL_STORE_APPEND && len > sizeof(TMP_SUFFIX) - 1 &&
	    strcmp(name + len - (sizeof(TMP_SUFFIX) - 1), TMP_SUFFIX) == 0) {
		(void)unlinkat(dir, name, 0); /* if it stays it takes room, and no more */
		return IPL_OK;
	}
	if (!parse_name(name, &entry.seq) || fstatat(dir, name, &file, 0) != 0)
		return IPL_OK; /* not ours, or gone again */
	entry.bytes = (uint64_t)file.st_size;
	return ipl_checkpoints_add(set, &entry, err);
}

static void complain_of_dir(const struct ipl_checkpoints *set, int number)
{
	struct ipl_error text = IPL_ERROR_INIT(NULL);

	if (number == ENOENT || set->complain == NULL)
		return;
	ipl_error_set(&text, IPL_ERR_IO, "%.300s is ignored: %s", set->dir, strerror(number));
	set->complain(set->context, text.text);
}

static enum ipl_status list_dir(struct ipl_checkpoints *set, struct ipl_error *err)
{
	DIR *dir = opendir(set->dir);
	enum ipl_status st = IPL_OK;
	struct dirent *found;

	if (dir == NULL) {
		complain_of_dir(set, errno); /* the log alone is enough */
		return IPL_OK;
	}
	while (st == IPL_OK && (found = readdir(dir)) != NULL)
		st = look_at_name(set, dirfd(dir), found->d_name, err);
	closedir(dir);
	return st;
}

enum ipl_status ipl_checkpoints_open(struct ipl_store *store, ipl_complain_fn complain,
				     void *context, struct ipl_checkpoints **out,
				     struct ipl_error *err)
{
	struct ipl_checkpoints *set = calloc(1, sizeof(*set));
	enum ipl_status st;

	if (set == NULL)
		return no_memory(err);
	set->store = store;
	set->complain = complain;
	set->context = context;
	pthread_mutex_init(&set->lock, NULL);
	if (asprintf(&set->dir, "%s/checkpoints", store->dir) < 0) {
		set->dir = NULL;
		st = no_memory(err);
	} else {
		st = list_dir(set, err);
	}
	if (st != IPL_OK) {
		ipl_checkpoints_close(set);
		return st;
	}
	*out = set;
	return IPL_OK;
}

/* With the lock held. */
static void let_go(struct ipl_checkpoint_file *file)
{
	if (file == NULL || --file->users > 0)
		return;
	mdb_env_close(file->env);
	free(file);
}

void ipl_checkpoints_close(struct ipl_checkpoints *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		let_go(set->entry[i].file);
	pthread_mutex_destroy(&set->lock);
	free(set->entry);
	free(set->dir);
	free(set);
}

static struct ipl_checkpoint_entry *find(struct ipl_checkpoints *set, uint64_t seq)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->entry[i].seq == seq)
			return &set->entry[i];
	}
	return NULL;
}

static void complain(const struct ipl_checkpoints *set, uint64_t seq, const char *why)
{
	char path[4096];
	struct ipl_error text = IPL_ERROR_INIT(NULL);

	if (set->complain == NULL || !ipl_checkpoint_path(set, seq, "", path))
		return;
	ipl_error_set(&text, IPL_ERR_CORRUPT, "%.300s is ignored: %s", path, why);
	set->complain(set->context, text.text);
}

void ipl_checkpoints_reject(struct ipl_checkpoints *set, const struct ipl_checkpoint *checkpoint,
			    const char *why)
{
	uint64_t seq = checkpoint->file->head.seq;
	struct ipl_checkpoint_entry *entry;

	pthread_mutex_lock(&set->lock);
	entry = find(set, seq);
	if (entry != NULL && entry->file == checkpoint->file) {
		entry->state = IPL_CHECKPOINT_BAD;
		let_go(entry->file);
		entry->file = NULL;
	}
	pthread_mutex_unlock(&set->lock);
	complain(set, seq, why);
}

/* --- looking at a file --- */

static enum ipl_status open_tables(struct ipl_checkpoint_file *file, struct ipl_error *err)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(file->env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return mdb_failed(err, rc);
	for (int i = 0; rc == 0 && i < IPL_TABLE_COUNT; i++)
		rc = mdb_dbi_open(txn, ipl_table_names[i], 0, &file->table[i]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return mdb_failed(err, rc);
	}
	rc = mdb_txn_commit(txn); /* only then do the handles live on */
	return rc == 0 ? IPL_OK : mdb_failed(err, rc);
}

static enum ipl_status map_file(struct ipl_checkpoint_file *file, const char *path, uint64_t bytes,
				struct ipl_error *err)
{
	int rc = mdb_env_create(&file->env);

	if (rc != 0)
		return mdb_failed(err, rc);
	mdb_env_set_maxdbs(file->env, IPL_TABLE_COUNT);
	rc = mdb_env_set_mapsize(file->env, (bytes + 4095) & ~(uint64_t)4095);
	if (rc == 0)
		rc = mdb_env_open(file->env, path,
				  MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600);
	return rc == 0 ? open_tables(file, err) : mdb_failed(err, rc);
}

/* The log must have a commit that ends there, with the root that follows from the frontier. */
static enum ipl_status check_root(struct ipl_store *store, const struct ipl_checkpoint_head *head,
				  struct ipl_error *err)
{
	uint8_t own[IPL_ROOT_BYTES], root[IPL_ROOT_BYTES];
	enum ipl_status st = ipl_store_root(store, head->seq, root, err);

	if (st == IPL_ERR_END)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "it is of another log: this one has no commit that ends at "
				     "event %" PRIu64,
				     head->seq);
	ipl_tree_root(&head->tree, own);
	if (st == IPL_OK && memcmp(own, root, sizeof(own)) != 0)
		return ipl_error_set(err, IPL_ERR_CORRUPT,
				     "it is of another log: the roots at event %" PRIu64 " differ",
				     head->seq);
	return st;
}

/* The trailer of a file, and whether it is one of this log and of @seq. */
static enum ipl_status check_trailer(struct ipl_checkpoints *set, int fd, uint64_t seq,
				     struct ipl_checkpoint_head *head, uint8_t hash[16],
				     struct ipl_error *err)
{
	uint8_t trailer[IPL_TRAILER_BYTES];
	const char *wrong;
	struct stat file;
	uint64_t bytes;

	if (fstat(fd, &file) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s", strerror(errno));
	if (file.st_size < (off_t)IPL_TRAILER_BYTES ||
	    pread(fd, trailer, sizeof(trailer), file.st_size - (off_t)sizeof(trailer)) !=
		    (ssize_t)sizeof(trailer))
		return ipl_error_set(err, IPL_ERR_CORRUPT, "it is too short");
	wrong = ipl_trailer_parse(trailer, &bytes, hash, head);
	if (wrong != NULL)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "%s", wrong);
	if (head->seq != seq || bytes != (uint64_t)file.st_size - IPL_TRAILER_BYTES)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "its trailer is that of another file");
	return check_root(set->store, head, err);
}

static enum ipl_status check_file(struct ipl_checkpoints *set, int fd, uint64_t seq,
				  struct ipl_checkpoint_head *head, struct ipl_error *err)
{
	uint8_t hash[16], wanted[16];
	enum ipl_status st = check_trailer(set, fd, seq, head, wanted, err);
	off_t bytes = lseek(fd, 0, SEEK_END) - (off_t)IPL_TRAILER_BYTES;

	if (st == IPL_OK)
		st = ipl_file_hash(fd, (uint64_t)bytes, hash, err);
	if (st == IPL_OK && memcmp(hash, wanted, sizeof(hash)) != 0)
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "its checksum does not fit");
	return st;
}

/* The file, looked at whole and mapped; NULL with what is wrong, IPL_ERR_END where it is gone. */
static struct ipl_checkpoint_file *open_file(struct ipl_checkpoints *set, uint64_t seq,
					     struct ipl_error *err)
{
	struct ipl_checkpoint_file *file = calloc(1, sizeof(*file));
	enum ipl_status st;
	char path[4096];
	int fd = -1;

	if (file == NULL || !ipl_checkpoint_path(set, seq, "", path)) {
		free(file);
		(void)no_memory(err);
		return NULL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		st = ipl_error_set(err, errno == ENOENT ? IPL_ERR_END : IPL_ERR_IO, "%s",
				   strerror(errno));
	else
		st = check_file(set, fd, seq, &file->head, err);
	if (st == IPL_OK)
		st = map_file(file, path, (uint64_t)lseek(fd, 0, SEEK_END), err);
	if (fd >= 0)
		close(fd);
	if (st == IPL_OK)
		return file;
	if (file->env != NULL)
		mdb_env_close(file->env);
	free(file);
	return NULL;
}

static bool frontier_of(struct ipl_checkpoints *set, uint64_t seq, struct ipl_tree *out)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	struct ipl_checkpoint_head head;
	uint8_t hash[16];
	char path[4096];
	bool found = false;
	int fd = ipl_checkpoint_path(set, seq, "", path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return false;
	found = check_trailer(set, fd, seq, &head, hash, &unused) == IPL_OK;
	close(fd);
	if (found)
		*out = head.tree;
	return found;
}

bool ipl_checkpoints_frontier(struct ipl_checkpoints *set, uint64_t seq, struct ipl_tree *out)
{
	bool found = false;

	pthread_mutex_lock(&set->lock);
	for (size_t i = set->count; !found && i > 0; i--) {
		if (set->entry[i - 1].seq <= seq)
			found = frontier_of(set, set->entry[i - 1].seq, out);
	}
	pthread_mutex_unlock(&set->lock);
	return found;
}

static void drop(struct ipl_checkpoints *set, struct ipl_checkpoint_entry *entry)
{
	size_t at = (size_t)(entry - set->entry);

	let_go(entry->file);
	set->count--;
	memmove(entry, entry + 1, (set->count - at) * sizeof(*entry));
}

/* What became of a look at the file of @seq goes into the set; with the lock held. */
static void note_look(struct ipl_checkpoints *set, uint64_t seq, struct ipl_checkpoint_file *file,
		      const struct ipl_error *err)
{
	struct ipl_checkpoint_entry *entry = find(set, seq);

	if (file != NULL && (entry == NULL || entry->state != IPL_CHECKPOINT_UNSEEN)) {
		file->users = 1; /* another was quicker */
		let_go(file);
	} else if (file != NULL) {
		file->users = 1;
		entry->file = file;
		entry->state = IPL_CHECKPOINT_GOOD;
	} else if (entry != NULL && err->status == IPL_ERR_END) {
		drop(set, entry);
	} else if (entry != NULL && entry->state == IPL_CHECKPOINT_UNSEEN) {
		entry->state = IPL_CHECKPOINT_BAD;
	}
}

static void look_at(struct ipl_checkpoints *set, uint64_t seq)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_checkpoint_file *file = open_file(set, seq, &err);

	pthread_mutex_lock(&set->lock);
	note_look(set, seq, file, &err);
	pthread_mutex_unlock(&set->lock);
	if (file == NULL && err.status != IPL_ERR_END)
		complain(set, seq, err.text);
}

bool ipl_checkpoints_look(struct ipl_checkpoints *set)
{
	uint64_t seq = 0;

	pthread_mutex_lock(&set->lock);
	for (size_t i = set->count; seq == 0 && i > 0; i--) {
		if (set->entry[i - 1].state == IPL_CHECKPOINT_UNSEEN)
			seq = set->entry[i - 1].seq;
	}
	pthread_mutex_unlock(&set->lock);
	if (seq != 0)
		look_at(set, seq);
	return seq != 0;
}

/* --- taking --- */

/* The file to take, one user more; else NULL, and *@unseen one to look at first (0: none). */
static struct ipl_checkpoint_file *choose(struct ipl_checkpoints *set, uint64_t seq,
					  enum ipl_unseen look, uint64_t *unseen)
{
	*unseen = 0;
	for (size_t i = set->count; i > 0; i--) {
		struct ipl_checkpoint_entry *entry = &set->entry[i - 1];
		if (entry->seq > seq || entry->state == IPL_CHECKPOINT_BAD)
			continue;
		if (entry->state == IPL_CHECKPOINT_GOOD) {
			entry->file->users++;
			return entry->file;
		}
		if (look == IPL_UNSEEN_LOOK) {
			*unseen = entry->seq;
			return NULL;
		}
	}
	return NULL;
}

struct ipl_checkpoint *ipl_checkpoints_take(struct ipl_checkpoints *set, uint64_t seq,
					    enum ipl_unseen look)
{
	struct ipl_checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));
	uint64_t unseen;

	if (checkpoint == NULL)
		return NULL; /* to fold from the beginning takes longer, and is as right */
	checkpoint->set = set;
	do {
		pthread_mutex_lock(&set->lock);
		checkpoint->file = choose(set, seq, look, &unseen);
		pthread_mutex_unlock(&set->lock);
		if (unseen != 0)
			look_at(set, unseen);
	} while (unseen != 0);
	if (checkpoint->file != NULL &&
	    mdb_txn_begin(checkpoint->file->env, NULL, MDB_RDONLY, &checkpoint->txn) == 0)
		return checkpoint;
	ipl_checkpoint_release(checkpoint);
	return NULL;
}

void ipl_checkpoint_release(struct ipl_checkpoint *checkpoint)
{
	if (checkpoint == NULL)
		return;
	if (checkpoint->txn != NULL)
		mdb_txn_abort(checkpoint->txn);
	pthread_mutex_lock(&checkpoint->set->lock);
	let_go(checkpoint->file);
	pthread_mutex_unlock(&checkpoint->set->lock);
	free(checkpoint);
}

const struct ipl_checkpoint_head *ipl_checkpoint_head(const struct ipl_checkpoint *checkpoint)
{
	return &checkpoint->file->head;
}

/* --- reading --- */

enum ipl_status ipl_checkpoint_get(struct ipl_checkpoint *checkpoint, enum ipl_table_name table,
				   struct ipl_key key, struct ipl_str *out, struct ipl_error *err)
{
	uint8_t bytes[IPL_ROW_KEY_BYTES];
	MDB_val wanted = { sizeof(bytes), bytes }, value;
	int rc;

	ipl_row_key_pack(key, bytes);
	rc = mdb_get(checkpoint->txn, checkpoint->file->table[table], &wanted, &value);
	if (rc == MDB_NOTFOUND)
		return ipl_error_set(err, IPL_ERR_END, "the checkpoint has no such key");
	if (rc != 0)
		return mdb_failed(err, rc);
	*out = (struct ipl_str){ value.mv_data, value.mv_size };
	return IPL_OK;
}

enum ipl_status ipl_checkpoint_cursor_open(struct ipl_checkpoint *checkpoint,
					   enum ipl_table_name table,
					   struct ipl_checkpoint_cursor **out,
					   struct ipl_error *err)
{
	struct ipl_checkpoint_cursor *cursor = calloc(1, sizeof(*cursor));
	int rc;

	if (cursor == NULL)
		return no_memory(err);
	cursor->table = table;
	cursor->op = MDB_FIRST;
	rc = mdb_cursor_open(checkpoint->txn, checkpoint->file->table[table], &cursor->cursor);
	if (rc != 0) {
		free(cursor);
		return mdb_failed(err, rc);
	}
	*out = cursor;
	return IPL_OK;
}

enum ipl_status ipl_checkpoint_cursor_next(struct ipl_checkpoint_cursor *cursor,
					   struct ipl_key *key, struct ipl_str *value,
					   struct ipl_error *err)
{
	MDB_val found, data;
	int rc = mdb_cursor_get(cursor->cursor, &found, &data, cursor->op);
	const uint8_t *at = found.mv_data;

	cursor->op = MDB_NEXT;
	if (rc == MDB_NOTFOUND)
		return ipl_error_set(err, IPL_ERR_END, "the table ends there");
	if (rc != 0)
		return mdb_failed(err, rc);
	if (found.mv_size != IPL_ROW_KEY_BYTES)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "a key of %zu bytes", found.mv_size);
	*key = (struct ipl_key){ at[0], ipl_get_be64(at + 1), ipl_get_be64(at + 9) };
	*value = (struct ipl_str){ data.mv_data, data.mv_size };
	return IPL_OK;
}

void ipl_checkpoint_cursor_close(struct ipl_checkpoint_cursor *cursor)
{
	if (cursor == NULL)
		return;
	mdb_cursor_close(cursor->cursor);
	free(cursor);
}

/* --- thinning --- */

enum ipl_status ipl_checkpoints_list(struct ipl_checkpoints *set, struct ipl_checkpoint_stat **out,
				     size_t *count, struct ipl_error *err)
{
	struct ipl_checkpoint_stat *stats;

	pthread_mutex_lock(&set->lock);
	stats = calloc(set->count + 1, sizeof(*stats));
	for (size_t i = 0; stats != NULL && i < set->count; i++)
		stats[i] = (struct ipl_checkpoint_stat){
			.seq = set->entry[i].seq,
			.bytes = set->entry[i].bytes,
			.is_bad = set->entry[i].state == IPL_CHECKPOINT_BAD,
		};
	*count = set->count;
	pthread_mutex_unlock(&set->lock);
	if (stats == NULL)
		return no_memory(err);
	*out = stats;
	return IPL_OK;
}

enum ipl_status ipl_checkpoints_remove(struct ipl_checkpoints *set, uint64_t seq,
				       struct ipl_error *err)
{
	struct ipl_checkpoint_entry *entry;
	char path[4096];

	pthread_mutex_lock(&set->lock);
	entry = find(set, seq);
	if (entry != NULL)
		drop(set, entry);
	pthread_mutex_unlock(&set->lock);
	if (!ipl_checkpoint_path(set, seq, "", path) || (unlink(path) != 0 && errno != ENOENT))
		return ipl_error_set(err, IPL_ERR_IO, "%.300s: %s", path, strerror(errno));
	return IPL_OK;
}
