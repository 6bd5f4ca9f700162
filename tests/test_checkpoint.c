/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a random history in a store, in batches of random sizes, and checkpoints
 * of some of its commits, each made from the one before.
 * Claimed: what a checkpoint has is what folding the log gives, and folding goes on from it; one
 * that is damaged, cut, of another log or of another state is named, ignored, and
 * the one before it taken; what is written half is nothing; thinning keeps the newest and an even
 * spread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/hash.h"
#include "replay/checkpoint.h"
#include "replay/past.h"
#include "replay/state_hash.h"
#include "replay/view.h"
#include "tests/random_ops.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS  2500
#define COMMON 500 /* a commit of every history ends there */

struct desk {
	struct lab lab;
	char dir[64];
	struct ipl_store *store;
	struct ipl_reader *reader;
	struct ipl_checkpoints *set;
	uint64_t ends[STEPS]; /* of commits */
	size_t end_count;
	char complaint[1024];
	int complaints;
	int go_on; /* asks that are answered with yes; -1: all */
	struct ipl_error err;
};

static void complain(void *context, const char *text)
{
	struct desk *desk = context;

	(void)snprintf(desk->complaint, sizeof(desk->complaint), "%s", text);
	desk->complaints++;
}

static void must(const struct desk *desk, enum ipl_status st)
{
	if (st != IPL_OK)
		fail_msg("%s", desk->err.text);
}

static void append_all(struct desk *desk)
{
	struct ipl_batch batch = { 0 };
	uint64_t seq = 1;

	while (seq <= desk->lab.count) {
		uint64_t most = 1 + random_draw(40);
		ipl_batch_reset(&batch, seq);
		for (uint64_t i = 0;
		     i < most && seq <= desk->lab.count && (i == 0 || seq != COMMON + 1);
		     i++, seq++) {
			struct ipl_str record = desk->lab.record[seq - 1];
			must(desk, ipl_batch_add(&batch, record.at, record.len, &desk->err));
		}
		must(desk, ipl_store_append(desk->store, &batch, &desk->err));
		desk->ends[desk->end_count++] = seq - 1;
	}
	ipl_batch_release(&batch);
}

static void open_set(struct desk *desk)
{
	must(desk, ipl_checkpoints_open(desk->store, complain, desk, &desk->set, &desk->err));
}

static void open_store(struct desk *desk)
{
	must(desk, ipl_store_open(desk->dir, IPL_STORE_APPEND, &desk->store, &desk->err));
	must(desk, ipl_reader_open(desk->store, &desk->reader, &desk->err));
	open_set(desk);
}

static void close_store(struct desk *desk)
{
	ipl_checkpoints_close(desk->set);
	ipl_reader_close(desk->reader);
	ipl_store_close(desk->store);
}

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	desk->err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	desk->go_on = -1;
	lab_open(&desk->lab, "{\"PublicPools\":[\"198.18.0.0/27\",\"198.18.1.0/28\"],"
			     "\"ReuseDelaySeconds\":1}");
	for (int i = 0; i < STEPS; i++)
		assert_true(random_step(&desk->lab) <= IPL_REFUSED);
	(void)snprintf(desk->dir, sizeof(desk->dir), "/tmp/ipl-checkpoint-XXXXXX");
	assert_non_null(mkdtemp(desk->dir));
	open_store(desk);
	append_all(desk);
	*state = desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;
	char command[128];

	close_store(desk);
	lab_close(&desk->lab);
	(void)snprintf(command, sizeof(command), "rm -r %s", desk->dir);
	assert_int_equal(system(command), 0);
	free(desk);
	return 0;
}

static bool go_on(void *context)
{
	struct desk *desk = context;

	if (desk->go_on > 0)
		desk->go_on--;
	return desk->go_on != 0;
}

static enum ipl_status build(struct desk *desk, uint64_t seq)
{
	const struct ipl_checkpoint_job job = { desk->store, desk->reader, desk->set, go_on, desk };

	return ipl_checkpoint_build(&job, seq, &desk->err);
}

/* --- the oracle --- */

static void fold(struct desk *desk, struct ipl_state *state, uint64_t seq)
{
	const struct ipl_source source = lab_source(&desk->lab);

	must(desk, ipl_fold_to(state, &source, seq, &desk->err));
}

static void assert_same(struct desk *desk, const struct ipl_state *a, const struct ipl_state *b)
{
	uint8_t x[IPL_DIGEST_BYTES], y[IPL_DIGEST_BYTES];

	must(desk, ipl_state_hash(a, x, &desk->err));
	must(desk, ipl_state_hash(b, y, &desk->err));
	assert_memory_equal(x, y, sizeof(x));
}

/* Push the events @from..@to onto @heads; all links must be what they are. */
static void push(struct desk *desk, struct ipl_heads *heads, uint64_t from, uint64_t to)
{
	struct ipl_arena arena;

	ipl_arena_init(&arena, (size_t)64 << 20);
	for (uint64_t seq = from; seq <= to; seq++) {
		struct ipl_touches touches;
		struct ipl_event ev;
		ipl_arena_reset(&arena);
		lab_event(&desk->lab, seq, &arena, &ev);
		must(desk, ipl_event_touches(&arena, &ev, &touches, &desk->err));
		must(desk, ipl_heads_check(heads, &ev, &touches, &desk->err));
	}
	ipl_arena_release(&arena);
}

struct compare {
	const struct ipl_heads *other;
	uint64_t count;
};

static enum ipl_status compare_head(void *context, struct ipl_key key, struct ipl_str value,
				    struct ipl_error *err)
{
	struct compare *compare = context;
	const uint8_t *at = (const uint8_t *)value.at;

	(void)err;
	assert_true(value.len > 0 && *at != 0);
	assert_true(ipl_heads_last(compare->other, key) != UINT64_MAX);
	compare->count++;
	return IPL_OK;
}

static void check_heads(struct desk *desk, struct ipl_checkpoint *checkpoint, uint64_t seq)
{
	struct ipl_heads *whole = ipl_heads_new(), *over = ipl_heads_new();
	struct compare compare = { over, 0 };

	push(desk, whole, 1, seq);
	ipl_heads_set_under(over, ipl_checkpoint_head_of, checkpoint);
	must(desk, ipl_heads_each(whole, compare_head, &compare, &desk->err));
	assert_int_equal(compare.count, ipl_heads_count(whole));
	for (enum ipl_kind kind = IPL_KIND_LEDGER; kind < IPL_KIND_COUNT; kind++) {
		for (uint64_t n = 1; n < ipl_state_next_number(desk->lab.state, kind) + 2; n++)
			assert_int_equal(ipl_heads_last(whole, ipl_key_entity(kind, n)),
					 ipl_heads_last(over, ipl_key_entity(kind, n)));
	}
	assert_int_equal(ipl_heads_count(over), 0); /* looking brings nothing into memory */
	push(desk, over, seq + 1, desk->lab.count);
	ipl_heads_free(whole);
	ipl_heads_free(over);
}

static void check_one(struct desk *desk, uint64_t seq, struct ipl_state *oracle)
{
	struct ipl_checkpoint *checkpoint;
	struct ipl_state *state;
	uint8_t root[IPL_ROOT_BYTES], own[IPL_ROOT_BYTES];

	must(desk,
	     ipl_checkpoint_load(desk->set, seq, IPL_UNSEEN_LOOK, &checkpoint, &state, &desk->err));
	assert_non_null(checkpoint);
	assert_int_equal(ipl_checkpoint_head(checkpoint)->seq, seq);
	fold(desk, oracle, seq);
	assert_same(desk, oracle, state);
	must(desk, ipl_store_root(desk->store, seq, root, &desk->err));
	ipl_tree_root(&ipl_checkpoint_head(checkpoint)->tree, own);
	assert_memory_equal(root, own, sizeof(root));
	check_heads(desk, checkpoint, seq);
	fold(desk, state, desk->lab.count);
	ipl_state_free(state);
	ipl_checkpoint_release(checkpoint);
}

static void assert_same_entity(enum ipl_kind kind, const union ipl_entity *a,
			       const union ipl_entity *b)
{
	struct ipl_buf x = { 0 }, y = { 0 };

	assert_int_equal(a == NULL, b == NULL);
	if (a == NULL)
		return;
	ipl_entity_encode(kind, a, INT64_MAX, &x);
	ipl_entity_encode(kind, b, INT64_MAX, &y);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.at, y.at, x.len);
	ipl_buf_release(&x);
	ipl_buf_release(&y);
}

struct holders {
	struct desk *desk;
	struct ipl_lens *lens;
	const struct ipl_state *oracle;
};

/* Of each address that ever had a chain. */
static enum ipl_status compare_holder(void *context, struct ipl_key key, struct ipl_str unused,
				      struct ipl_error *err)
{
	const struct holders *holders = context;
	struct ipl_holding want, got;

	(void)unused;
	(void)err;
	if (key.kind < IPL_KIND_COUNT)
		return IPL_OK;
	want = ipl_state_holding(holders->oracle, key);
	got = holders->lens->holding(holders->lens, key);
	must(holders->desk, holders->lens->status);
	assert_int_equal(want.role, got.role);
	assert_true(want.eni == got.eni && want.eip == got.eip && want.vswitch == got.vswitch &&
		    want.since_seq == got.since_seq && want.since_ms == got.since_ms);
	if (want.role == IPL_ROLE_NONE && want.cool_until > ipl_state_time_ms(holders->oracle))
		assert_int_equal(want.cool_until, got.cool_until);
	else if (want.role == IPL_ROLE_NONE)
		assert_true(got.cool_until <= ipl_state_time_ms(holders->oracle));
	return IPL_OK;
}

static void check_holdings(struct desk *desk, const struct ipl_state *oracle, struct ipl_lens *lens)
{
	struct holders holders = { desk, lens, oracle };

	must(desk, ipl_heads_each(desk->lab.heads, compare_holder, &holders, &desk->err));
}

static void check_entities(struct desk *desk, const struct ipl_state *oracle,
			   const struct ipl_source *source)
{
	struct ipl_lens lens;

	must(desk, ipl_past_open(&lens, source, ipl_state_seq(oracle), 0, &desk->err));
	ipl_past_begin_at(&lens, ipl_checkpoints_take(desk->set, lens.seq, IPL_UNSEEN_LOOK));
	for (enum ipl_kind kind = IPL_KIND_VPC; kind < IPL_KIND_COUNT; kind++) {
		for (uint64_t n = 1; n < ipl_state_next_number(desk->lab.state, kind); n++) {
			const union ipl_entity *alone = lens.find(&lens, kind, n);
			must(desk, lens.status);
			assert_same_entity(kind, ipl_state_find(oracle, kind, n), alone);
		}
	}
	check_holdings(desk, oracle, &lens);
	ipl_past_close(&lens);
}

static void test_build_and_load(void **state)
{
	struct desk *desk = *state;
	struct ipl_state *oracle = ipl_state_new();

	for (size_t i = 0; i < desk->end_count; i += 1 + desk->end_count / 6)
		must(desk, build(desk, desk->ends[i]));
	for (size_t i = 0; i < desk->end_count; i += 1 + desk->end_count / 6)
		check_one(desk, desk->ends[i], oracle);
	/* Between two, the one before; before the first, none. */
	assert_null(ipl_checkpoints_take(desk->set, desk->ends[0] - 1, IPL_UNSEEN_LOOK));
	assert_int_equal(desk->complaints, 0);
	close_store(desk);
	open_store(desk); /* the tree goes on from a frontier */
	fold(desk, oracle, desk->lab.count);
	ipl_state_free(oracle);
}

/* Entities folded alone from what a checkpoint has of them, and whole states loaded from one. */
static void test_past(void **state)
{
	struct desk *desk = *state;
	const struct ipl_source source = lab_source(&desk->lab);
	struct ipl_records records = ipl_records_of_reader(desk->reader);
	struct ipl_state *oracle = ipl_state_new();
	struct ipl_views *views;

	for (size_t i = 3; i < desk->end_count; i += 1 + desk->end_count / 5)
		must(desk, build(desk, desk->ends[i]));
	records.checkpoints = desk->set;
	must(desk, ipl_views_open(&records, &views, &desk->err));
	for (uint64_t seq = 1; seq <= desk->lab.count; seq += 1 + random_draw(30)) {
		const struct ipl_state *view;
		fold(desk, oracle, seq);
		check_entities(desk, oracle, &source);
		must(desk, ipl_views_at(views, seq, &view, &desk->err));
		assert_same(desk, oracle, view);
	}
	for (size_t i = 3; i < desk->end_count; i += 1 + desk->end_count / 5) {
		const struct ipl_state *view;
		must(desk, ipl_views_at(views, desk->ends[i] + 1, &view, &desk->err));
		assert_int_equal(ipl_state_seq(view), desk->ends[i] + 1);
	}
	ipl_views_close(views);
	/* Far from what is there, a view begins at a checkpoint. */
	must(desk, ipl_views_open(&records, &views, &desk->err));
	{
		const struct ipl_state *view;
		must(desk, ipl_views_at(views, desk->lab.count, &view, &desk->err));
		fold(desk, oracle, desk->lab.count);
		assert_same(desk, oracle, view);
		assert_true(ipl_views_folded(views) < desk->lab.count / 2);
	}
	ipl_views_close(views);
	ipl_state_free(oracle);
}

static void test_no_commit_ends_there(void **state)
{
	struct desk *desk = *state;
	uint64_t seq = 1;

	for (size_t i = 0; desk->ends[i] == seq; i++)
		seq++;
	assert_int_not_equal(build(desk, seq), IPL_OK);
	assert_null(ipl_checkpoints_take(desk->set, UINT64_MAX, IPL_UNSEEN_LOOK));
}

static void test_given_up(void **state)
{
	struct desk *desk = *state;
	char path[128];

	for (int asks = 1; asks < 5; asks++) {
		desk->go_on = asks;
		assert_int_equal(build(desk, desk->lab.count), IPL_ERR_END);
	}
	assert_null(ipl_checkpoints_take(desk->set, UINT64_MAX, IPL_UNSEEN_LOOK));
	(void)snprintf(path, sizeof(path), "%s/checkpoints/%zu.mdb.tmp", desk->dir,
		       desk->lab.count);
	assert_int_not_equal(access(path, F_OK), 0);
	/* One that was killed is cleared away by the next that appends. */
	close(open(path, O_CREAT | O_WRONLY, 0600));
	close_store(desk);
	open_store(desk);
	assert_int_not_equal(access(path, F_OK), 0);
}

/* --- what is bad --- */

static char *path_of(const struct desk *desk, uint64_t seq)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/checkpoints/%llu.mdb", desk->dir,
		       (unsigned long long)seq);
	return path;
}

struct copy {
	uint8_t *at;
	size_t len;
};

static struct copy read_file(const char *path)
{
	struct stat file;
	struct copy copy;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0 && fstat(fd, &file) == 0);
	copy.len = (size_t)file.st_size;
	copy.at = malloc(copy.len + 1);
	assert_int_equal(read(fd, copy.at, copy.len), copy.len);
	close(fd);
	return copy;
}

static void write_file(const char *path, const uint8_t *at, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, at, len), len);
	close(fd);
}

/* The set is opened anew; @bad must be named and ignored, @good taken (0: none). */
static void expect_bad(struct desk *desk, uint64_t bad, uint64_t good)
{
	struct ipl_checkpoint *checkpoint;
	char name[32];

	ipl_checkpoints_close(desk->set);
	open_set(desk);
	desk->complaints = 0;
	checkpoint = ipl_checkpoints_take(desk->set, UINT64_MAX, IPL_UNSEEN_LOOK);
	assert_int_equal(checkpoint == NULL ? 0 : ipl_checkpoint_head(checkpoint)->seq, good);
	assert_int_equal(desk->complaints, 1);
	(void)snprintf(name, sizeof(name), "/%llu.mdb is ignored", (unsigned long long)bad);
	if (strstr(desk->complaint, name) == NULL)
		fail_msg("%s", desk->complaint);
	ipl_checkpoint_release(checkpoint);
}

static void test_damage(void **state)
{
	struct desk *desk = *state;
	uint64_t first = desk->ends[desk->end_count / 2], last = desk->lab.count;
	struct copy was;

	must(desk, build(desk, first));
	must(desk, build(desk, last));
	was = read_file(path_of(desk, last));
	for (int i = 0; i < 150; i++) {
		/* Anywhere, and in the trailer. */
		size_t at = i % 3 == 0 ? was.len - 1 - random_draw(4096) : random_draw(was.len);
		uint8_t bit = (uint8_t)(1 << random_draw(8));
		was.at[at] ^= bit;
		write_file(path_of(desk, last), was.at, was.len);
		was.at[at] ^= bit;
		expect_bad(desk, last, first);
	}
	for (int i = 0; i < 50; i++) { /* cut anywhere; also to nothing, and by a byte */
		size_t len = i == 0 ? 0 : i == 1 ? was.len - 1 : random_draw(was.len);
		write_file(path_of(desk, last), was.at, len);
		expect_bad(desk, last, first);
	}
	write_file(path_of(desk, last), was.at, was.len + 1);
	expect_bad(desk, last, first);
	/* Whole, but of a program that may have folded otherwise. */
	memcpy(was.at + was.len - 4096 + 32, "0.0.1", 6);
	ipl_put_be64(was.at + was.len - 8, ipl_hash64(was.at + was.len - 4096, 4088));
	write_file(path_of(desk, last), was.at, was.len);
	expect_bad(desk, last, first);
	assert_non_null(strstr(desk->complaint, "another version"));
	memcpy(was.at + was.len - 4096 + 32, IPL_VERSION, sizeof(IPL_VERSION));
	ipl_put_be64(was.at + was.len - 8, ipl_hash64(was.at + was.len - 4096, 4088));
	/* A good file under the name of another moment. */
	write_file(path_of(desk, last - 1), was.at, was.len);
	unlink(path_of(desk, last));
	expect_bad(desk, last - 1, first);
	free(was.at);
	/* The bad one goes, a new one takes its place. */
	must(desk, ipl_checkpoints_thin(desk->set, UINT64_MAX, &desk->err));
	assert_int_not_equal(access(path_of(desk, last - 1), F_OK), 0);
	must(desk, build(desk, last));
}

/* A directory that is none: it is named, and there are no checkpoints. */
static void test_no_directory(void **state)
{
	struct desk *desk = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/checkpoints", desk->dir);
	write_file(path, NULL, 0);
	close_store(desk);
	open_store(desk);
	assert_int_equal(desk->complaints, 1);
	assert_non_null(strstr(desk->complaint, "checkpoints is ignored"));
	assert_int_equal(build(desk, desk->lab.count), IPL_ERR_IO);
	assert_null(ipl_checkpoints_take(desk->set, UINT64_MAX, IPL_UNSEEN_LOOK));
}

/* The same seqs, another history. */
static void test_foreign(void **state)
{
	struct desk *desk = *state;
	void *opened;
	struct desk *other;
	struct copy theirs;
	uint64_t seq = COMMON;
	char dir[128];

	assert_int_equal(set_up(&opened), 0);
	other = opened;
	must(other, build(other, seq));
	theirs = read_file(path_of(other, seq));
	(void)snprintf(dir, sizeof(dir), "%s/checkpoints", desk->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	write_file(path_of(desk, seq), theirs.at, theirs.len);
	expect_bad(desk, seq, 0);
	assert_non_null(strstr(desk->complaint, "another log"));
	free(theirs.at);
	close_store(desk);
	open_store(desk); /* nor does the tree go on from it */
	assert_int_equal(tear_down(&opened), 0);
}

struct rows {
	struct ipl_checkpoint_writer *writer; /* NULL: only count */
	uint64_t count;
	uint64_t left_out;
};

static enum ipl_status write_row(void *context, struct ipl_key key, struct ipl_str value,
				 struct ipl_error *err)
{
	struct rows *rows = context;

	if (++rows->count == rows->left_out || rows->writer == NULL)
		return IPL_OK;
	return ipl_checkpoint_write(rows->writer, IPL_TABLE_STATE, key, value, err);
}

/* A checkpoint of all events, with one row left out: whole, of this log, and not true. */
static void write_untrue(struct desk *desk, uint64_t left_out)
{
	struct ipl_checkpoint_head head = { .seq = desk->lab.count };
	struct ipl_state *state = ipl_state_new();
	struct rows rows = { .left_out = left_out };

	fold(desk, state, desk->lab.count);
	must(desk, ipl_state_hash(state, head.state_hash, &desk->err));
	must(desk, ipl_state_each_row(state, write_row, &rows, &desk->err));
	if (left_out == 0) /* the last */
		rows.left_out = rows.count;
	rows.count = 0;
	ipl_store_tree(desk->store, &head.tree);
	must(desk, ipl_checkpoint_write_begin(desk->set, head.seq, &rows.writer, &desk->err));
	must(desk, ipl_state_each_row(state, write_row, &rows, &desk->err));
	assert_int_equal(ipl_checkpoint_write(rows.writer, IPL_TABLE_STATE,
					      ipl_key_entity(IPL_KIND_LEDGER, 0),
					      IPL_STR("out of order"), &desk->err),
			 IPL_ERR_CORRUPT);
	must(desk, ipl_checkpoint_write_commit(rows.writer, &head, &desk->err));
	ipl_state_free(state);
}

/* Its rows are not those of the state: it is rejected when it is loaded, and the one before taken.
 */
static void test_untrue(void **state)
{
	struct desk *desk = *state;
	uint64_t first = desk->ends[desk->end_count / 2];

	must(desk, build(desk, first));
	for (uint64_t left_out = 0; left_out < 4; left_out++) {
		struct ipl_checkpoint *checkpoint;
		struct ipl_state *loaded;
		desk->complaints = 0;
		write_untrue(desk, left_out);
		must(desk, ipl_checkpoint_load(desk->set, UINT64_MAX, IPL_UNSEEN_LOOK, &checkpoint,
					       &loaded, &desk->err));
		assert_int_equal(ipl_checkpoint_head(checkpoint)->seq, first);
		assert_int_equal(ipl_state_seq(loaded), first);
		assert_int_equal(desk->complaints, 1);
		ipl_state_free(loaded);
		ipl_checkpoint_release(checkpoint);
		must(desk, ipl_checkpoints_thin(desk->set, UINT64_MAX, &desk->err));
	}
}

static void test_thin(void **state)
{
	struct desk *desk = *state;
	struct ipl_checkpoint_stat *stat;
	uint64_t gap, widest = 0, bytes = 0;
	size_t count, step = desk->end_count / 16;

	for (size_t i = 1; i <= 16; i++)
		must(desk, build(desk, desk->ends[i * step - 1]));
	must(desk, ipl_checkpoints_list(desk->set, &stat, &count, &desk->err));
	assert_int_equal(count, 16);
	for (size_t i = 0; i < count; i++)
		bytes += stat[i].bytes;
	free(stat);
	must(desk, ipl_checkpoints_thin(desk->set, bytes / 2, &desk->err));
	must(desk, ipl_checkpoints_list(desk->set, &stat, &count, &desk->err));
	assert_in_range(count, 6, 9);
	assert_int_equal(stat[count - 1].seq, desk->ends[16 * step - 1]);
	for (size_t i = 0; i < count; i++) {
		gap = stat[i].seq - (i == 0 ? 0 : stat[i - 1].seq);
		widest = gap > widest ? gap : widest;
		assert_int_equal(access(path_of(desk, stat[i].seq), F_OK), 0);
	}
	assert_true(widest < desk->lab.count / 3);
	free(stat);
	must(desk, ipl_checkpoints_thin(desk->set, 0, &desk->err));
	must(desk, ipl_checkpoints_list(desk->set, &stat, &count, &desk->err));
	assert_int_equal(count, 1); /* the newest stays whatever it takes */
	assert_int_equal(stat[0].seq, desk->ends[16 * step - 1]);
	free(stat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_build_and_load, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_past, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_commit_ends_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_untrue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_thin, set_up, tear_down),
	};
	const char *given = getenv("IPL_SEED");
	uint64_t seed = given == NULL ? 20261125 : strtoull(given, NULL, 10);

	random_begin(seed);
	print_message("# IPL_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
