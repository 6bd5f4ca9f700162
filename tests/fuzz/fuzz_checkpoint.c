/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: changes to the rows of a checkpoint of a small ledger (the first byte even): rows left
 * out, given twice, under another key, with other bytes; or changes to its file (odd): bytes, or an
 * end cut off. Claimed: rows are taken as a state that has exactly these rows, or are refused by
 * name; a file that was changed anywhere is not taken, and named; one that was not is.
 */
#include "tests/fuzz/ledger.h"

#include "reducers/codec.h"
#include "replay/check.h"
#include "replay/checkpoint.h"
#include "tests/random_ops.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS_MAX    4096u
#define CHANGES_MAX 8

struct row {
	struct ipl_key key;
	struct ipl_str value;
};

struct rows {
	struct row at[ROWS_MAX];
	size_t count;
	struct ipl_arena arena;
};

static enum ipl_status keep_row(void *context, struct ipl_key key, struct ipl_str value,
				struct ipl_error *err)
{
	struct rows *rows = context;

	(void)err;
	CHECK(rows->count < ROWS_MAX);
	rows->at[rows->count++] = (struct row){ key, ipl_arena_str(&rows->arena, value) };
	return IPL_OK;
}

/* --- rows --- */

static void change_value(struct fuzz_draw *draw, struct rows *rows, struct row *row)
{
	struct ipl_str copy = ipl_arena_str(&rows->arena, row->value);
	char *at = (char *)(uintptr_t)copy.at;
	uint32_t where = copy.len == 0 ? 0 :
					 (uint32_t)(fuzz_byte(draw) | fuzz_byte(draw) << 8) %
						 (uint32_t)copy.len;
	uint32_t what = fuzz_below(draw, 4);

	if (copy.len == 0)
		return;
	if (what == 0) /* cut */
		copy.len = where;
	else if (what == 1) /* one byte less in the middle */
		memmove(at + where, at + where + 1, copy.len-- - where - 1);
	else
		at[where] = (char)fuzz_byte(draw);
	row->value = copy;
}

static void change_rows(struct fuzz_draw *draw, struct rows *rows)
{
	size_t i = (size_t)(fuzz_byte(draw) | fuzz_byte(draw) << 8) % rows->count;
	struct row *row = &rows->at[i], other;

	switch (fuzz_below(draw, 8)) {
	case 0:
		if (rows->count > 1)
			memmove(row, row + 1, (--rows->count - i) * sizeof(*row));
		break;
	case 1:
		if (rows->count < ROWS_MAX) {
			memmove(row + 1, row, (rows->count++ - i) * sizeof(*row));
		}
		break;
	case 2:
		row->key.kind = fuzz_below(draw, 64);
		break;
	case 3:
		row->key.a = fuzz_below(draw, 2) == 1 ? fuzz_number(draw) : fuzz_byte(draw);
		break;
	case 4:
		row->key.b = fuzz_below(draw, 2) == 1 ? fuzz_number(draw) : fuzz_byte(draw);
		break;
	case 5:
		other = rows->at[fuzz_byte(draw) % rows->count];
		row->value = other.value;
		break;
	default:
		change_value(draw, rows, row);
		break;
	}
}

static void ignore(void *context, const struct ipl_finding *finding)
{
	++*(uint64_t *)context;
	CHECK(finding->text[0] != '\0');
}

/* What was taken may contradict itself; it is a state nevertheless, with rows of its own. */
static void look_at(const struct ipl_state *state)
{
	uint64_t findings = 0;

	CHECK(ipl_check_state(state, ipl_state_time_ms(state), ignore, &findings) == findings);
	fuzz_check_rows(state);
}

static void load_rows(struct fuzz_draw *draw)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct rows *rows = calloc(1, sizeof(*rows));
	struct ipl_state_loader *loader = ipl_state_loader_new();
	struct ipl_state *state = NULL;
	enum ipl_status st = IPL_OK;

	CHECK(rows != NULL && loader != NULL);
	ipl_arena_init(&rows->arena, (size_t)64 << 20);
	CHECK(ipl_state_each_row(fuzz_past(), keep_row, rows, &err) == IPL_OK);
	for (int i = 0; i < CHANGES_MAX && draw->at < draw->end; i++)
		change_rows(draw, rows);
	for (size_t i = 0; st == IPL_OK && i < rows->count; i++)
		st = ipl_state_loader_row(loader, rows->at[i].key, rows->at[i].value, &err);
	if (st == IPL_OK)
		st = ipl_state_loader_finish(loader, &state, &err);
	CHECK(st == IPL_OK || st == IPL_ERR_CORRUPT || st == IPL_ERR_NOMEM);
	if (st == IPL_OK)
		look_at(state);
	else
		CHECK(err.text[0] != '\0' && state == NULL);
	ipl_state_loader_free(loader);
	ipl_state_free(state);
	ipl_arena_release(&rows->arena);
	free(rows);
}

/* --- the file --- */

/* A store with one checkpoint, made once; the directory goes with the process. */
struct desk {
	char dir[64];
	char path[128];
	struct ipl_store *store;
	uint64_t seq;
	uint8_t *bytes;
	size_t len;
	char complaint[1024];
};
static struct desk desk;

static bool go_on(void *context)
{
	(void)context;
	return true;
}

static void complain(void *context, const char *text)
{
	struct desk *d = context;

	(void)snprintf(d->complaint, sizeof(d->complaint), "%s", text);
}

static void remove_desk(void)
{
	char path[160];

	ipl_store_close(desk.store);
	free(desk.bytes);
	(void)remove(desk.path);
	for (const char *const *name =
		     (const char *const[]){ "checkpoints", "log.mdb", "log.mdb-lock", "lock",
					    "refusals.mdb", NULL };
	     *name != NULL; name++) {
		(void)snprintf(path, sizeof(path), "%s/%s", desk.dir, *name);
		(void)remove(path);
	}
	(void)remove(desk.dir);
}

static void read_file(void)
{
	FILE *file = fopen(desk.path, "rb");
	struct stat info;

	CHECK(file != NULL && fstat(fileno(file), &info) == 0);
	desk.len = (size_t)info.st_size;
	desk.bytes = malloc(desk.len);
	CHECK(desk.bytes != NULL && fread(desk.bytes, 1, desk.len, file) == desk.len);
	fclose(file);
}

static void append_all(struct lab *lab)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_batch batch = { 0 };

	ipl_batch_reset(&batch, 1);
	for (size_t i = 0; i < lab->count; i++)
		CHECK(ipl_batch_add(&batch, lab->record[i].at, lab->record[i].len, &err) == IPL_OK);
	CHECK(ipl_store_append(desk.store, &batch, &err) == IPL_OK);
	ipl_batch_release(&batch);
}

static void make_desk(void)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_checkpoint_job job = { .go_on = go_on };
	struct lab lab;

	(void)snprintf(desk.dir, sizeof(desk.dir), "/tmp/ipl-fuzz-XXXXXX");
	CHECK(mkdtemp(desk.dir) != NULL);
	CHECK(ipl_store_open(desk.dir, IPL_STORE_APPEND, &desk.store, &err) == IPL_OK);
	lab_open(&lab, random_settings);
	random_begin(11);
	for (int i = 0; i < 60; i++)
		CHECK(random_step(&lab) <= IPL_REFUSED);
	append_all(&lab);
	desk.seq = lab.count;
	lab_close(&lab);
	job.store = desk.store;
	CHECK(ipl_reader_open(desk.store, &job.reader, &err) == IPL_OK);
	CHECK(ipl_checkpoints_open(desk.store, complain, &desk, &job.set, &err) == IPL_OK);
	CHECK(ipl_checkpoint_build(&job, desk.seq, &err) == IPL_OK);
	ipl_checkpoints_close(job.set);
	ipl_reader_close(job.reader);
	(void)snprintf(desk.path, sizeof(desk.path), "%s/checkpoints/%llu.mdb", desk.dir,
		       (unsigned long long)desk.seq);
	read_file();
	CHECK(atexit(remove_desk) == 0);
}

/* The file with some bytes others; true where it is as it was. */
static bool write_changed(struct fuzz_draw *draw)
{
	int fd = open(desk.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint8_t *bytes = malloc(desk.len);
	size_t len = desk.len;
	bool is_same;

	CHECK(fd >= 0 && bytes != NULL);
	memcpy(bytes, desk.bytes, len);
	if (fuzz_below(draw, 4) == 3)
		len = (size_t)fuzz_number(draw) % (len + 1);
	for (int i = 0; len > 0 && i < CHANGES_MAX && draw->at < draw->end; i++) {
		size_t at = (size_t)fuzz_number(draw) % len;
		bytes[at] = fuzz_byte(draw);
	}
	is_same = len == desk.len && memcmp(bytes, desk.bytes, len) == 0;
	CHECK(write(fd, bytes, len) == (ssize_t)len);
	close(fd);
	free(bytes);
	return is_same;
}

static void take_file(struct fuzz_draw *draw)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_checkpoint *checkpoint = NULL;
	struct ipl_state *state = NULL;
	struct ipl_checkpoints *set;
	bool is_same;

	if (desk.store == NULL)
		make_desk();
	is_same = write_changed(draw);
	desk.complaint[0] = '\0';
	CHECK(ipl_checkpoints_open(desk.store, complain, &desk, &set, &err) == IPL_OK);
	CHECK(ipl_checkpoint_load(set, desk.seq, IPL_UNSEEN_LOOK, &checkpoint, &state, &err) ==
	      IPL_OK);
	CHECK((checkpoint != NULL) == is_same);
	CHECK(is_same || strstr(desk.complaint, desk.path) != NULL);
	CHECK(ipl_state_seq(state) == (is_same ? desk.seq : 0));
	ipl_checkpoint_release(checkpoint);
	ipl_state_free(state);
	ipl_checkpoints_close(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_draw draw = { bytes, bytes + len };

	if (fuzz_below(&draw, 2) == 0)
		load_rows(&draw);
	else
		take_file(&draw);
	return 0;
}
