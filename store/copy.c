/* SPDX-License-Identifier: Apache-2.0 */
/* A log into another directory. */
#include "store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES  4300
#define BATCH_BYTES ((size_t)4 << 20)

struct copy {
	const char *to;
	char partial[PATH_BYTES]; /* where it is written */
	bool is_there;            /* the directory was before */
	struct ipl_store *source;
	struct ipl_store *target;
	struct ipl_reader *reader;
	struct ipl_batch batch;
	struct ipl_head head; /* where the log ended when the copy began */
	ipl_copy_fn fn;
	void *context;
};

static void path_of(char out[PATH_BYTES], const char *dir, const char *name)
{
	(void)snprintf(out, PATH_BYTES, "%s/%s", dir, name);
}

static enum ipl_status io_error(const char *path, struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
}

/* --- before and after --- */

static void remove_partial(const struct copy *c)
{
	static const char *const files[] = { "log.mdb", "log.mdb-lock", "lock" };
	char path[PATH_BYTES + 16];

	for (size_t i = 0; i < IPL_ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", c->partial, files[i]);
		(void)unlink(path); /* what is not there needs no removing */
	}
	(void)rmdir(c->partial);
	if (!c->is_there)
		(void)rmdir(c->to); /* where anything is in it, it stays */
}

static enum ipl_status check_target(struct copy *c, struct ipl_error *err)
{
	char path[PATH_BYTES];
	struct stat file;

	if (strlen(c->to) > PATH_BYTES - 64)
		return ipl_error_set(err, IPL_ERR_IO, "%s: the path is too long", c->to);
	path_of(path, c->to, "log.mdb");
	c->is_there = lstat(c->to, &file) == 0;
	path_of(c->partial, c->to, "partial");
	if (lstat(path, &file) == 0)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "%s holds a ledger already: name another directory", c->to);
	remove_partial(c); /* of a copy that was killed */
	return IPL_OK;
}

static enum ipl_status sync_dir(const char *dir, struct ipl_error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum ipl_status st = fd < 0 || fsync(fd) != 0 ? io_error(dir, err) : IPL_OK;

	if (fd >= 0)
		close(fd);
	return st;
}

static enum ipl_status move_into_place(struct copy *c, struct ipl_error *err)
{
	char from[PATH_BYTES + 16], to[PATH_BYTES];
	enum ipl_status st;

	(void)snprintf(from, sizeof(from), "%s/log.mdb", c->partial);
	path_of(to, c->to, "log.mdb");
	if (rename(from, to) != 0)
		return io_error(to, err);
	st = sync_dir(c->to, err);
	remove_partial(c);
	return st;
}

/* --- copying --- */

static enum ipl_status flush(struct copy *c, struct ipl_error *err)
{
	uint64_t next = c->batch.first_seq + c->batch.count;
	enum ipl_status st = ipl_store_append(c->target, &c->batch, err);

	ipl_batch_reset(&c->batch, next);
	if (st == IPL_OK && c->fn != NULL && !c->fn(c->context, next - 1, c->head.seq))
		st = ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "the copy was interrupted");
	return st;
}

static enum ipl_status take(void *context, uint64_t seq, struct ipl_str record,
			    struct ipl_error *err)
{
	struct copy *c = context;
	enum ipl_status st = IPL_OK;

	(void)seq;
	if (c->batch.bytes.len + record.len > BATCH_BYTES ||
	    c->batch.count == IPL_BATCH_RECORDS_MAX)
		st = flush(c, err);
	return st == IPL_OK ? ipl_batch_add(&c->batch, record.at, record.len, err) : st;
}

/* A log that carries none is as whole without. */
static enum ipl_status copy_schema(struct copy *c, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_str schema;
	enum ipl_status st;

	ipl_arena_init(&arena, (size_t)4 << 20);
	st = ipl_store_get_meta(c->source, "schema", &arena, &schema, err);
	if (st == IPL_OK)
		st = ipl_store_put_meta(c->target, "schema", schema, err);
	ipl_arena_release(&arena);
	return st == IPL_ERR_END ? IPL_OK : st;
}

static enum ipl_status compare(struct copy *c, struct ipl_error *err)
{
	struct ipl_head head;
	enum ipl_status st = ipl_store_head(c->target, &head, err);

	if (st != IPL_OK)
		return st;
	if (head.seq == c->head.seq && memcmp(head.root, c->head.root, IPL_ROOT_BYTES) == 0)
		return IPL_OK;
	return ipl_error_set(err, IPL_ERR_CORRUPT,
			     "the root at %" PRIu64 " does not follow from the events before it: "
			     "`ipledger verify` names the first that is damaged",
			     c->head.seq);
}

static enum ipl_status copy_all(struct copy *c, const char *from, struct ipl_error *err)
{
	enum ipl_status st = ipl_store_open(from, IPL_STORE_READ, &c->source, err);

	if (st == IPL_OK)
		st = ipl_store_head(c->source, &c->head, err);
	if (st == IPL_OK)
		st = ipl_store_open(c->partial, IPL_STORE_APPEND, &c->target, err);
	if (st == IPL_OK)
		st = copy_schema(c, err);
	if (st == IPL_OK)
		st = ipl_reader_open(c->source, &c->reader, err);
	ipl_batch_reset(&c->batch, 1);
	if (st == IPL_OK)
		st = ipl_reader_scan(c->reader, 1, c->head.seq, take, c, err);
	if (st == IPL_OK)
		st = flush(c, err);
	return st == IPL_OK ? compare(c, err) : st;
}

enum ipl_status ipl_store_copy(const char *from, const char *to, ipl_copy_fn fn, void *context,
			       struct ipl_head *out, struct ipl_error *err)
{
	struct copy c = { .to = to, .fn = fn, .context = context };
	enum ipl_status st = check_target(&c, err);

	if (st != IPL_OK)
		return st;
	st = copy_all(&c, from, err);
	ipl_reader_close(c.reader);
	ipl_store_close(c.target);
	ipl_store_close(c.source);
	ipl_batch_release(&c.batch);
	if (st == IPL_OK)
		st = move_into_place(&c, err);
	if (st != IPL_OK)
		remove_partial(&c);
	else
		*out = c.head;
	return st;
}
