/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a log in a directory of its own, and LMDB calls that fail on demand
 * (the linker wraps them).
 * Claimed: what is appended is read back, in any batches, with the roots of RFC
 * 6962; whatever call fails, the log is whole and the next append works; a second
 * appender is refused; a log that was tampered with is not opened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/committer.h"
#include "store/heads.h"
#include "store/tree.h"

#include <lmdb.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- failing calls --- */

static int calls_until_failure; /* 0: none fails */
static int failure;

static bool fails_now(void)
{
	return calls_until_failure > 0 && --calls_until_failure == 0;
}

int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn)
{
	return fails_now() ? failure : __real_mdb_txn_begin(env, parent, flags, txn);
}

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	if (!fails_now())
		return __real_mdb_txn_commit(txn);
	mdb_txn_abort(txn); /* a commit that fails takes its transaction along */
	return failure;
}

int __real_mdb_cursor_put(MDB_cursor *cursor, MDB_val *key, MDB_val *data, unsigned int flags);
int __wrap_mdb_cursor_put(MDB_cursor *cursor, MDB_val *key, MDB_val *data, unsigned int flags);
int __wrap_mdb_cursor_put(MDB_cursor *cursor, MDB_val *key, MDB_val *data, unsigned int flags)
{
	return fails_now() ? failure : __real_mdb_cursor_put(cursor, key, data, flags);
}

int __real_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned int flags);
int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned int flags);
int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned int flags)
{
	return fails_now() ? failure : __real_mdb_put(txn, dbi, key, data, flags);
}

/* --- a directory --- */

struct place {
	char dir[64];
	struct ipl_store *store;
	struct ipl_error err;
};

static void open_place(struct place *place)
{
	if (ipl_store_open(place->dir, IPL_STORE_APPEND, &place->store, &place->err) != IPL_OK)
		fail_msg("%s", place->err.text);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	(void)snprintf(place->dir, sizeof(place->dir), "/tmp/ipl-store-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	place->err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	calls_until_failure = 0;
	open_place(place);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "log.mdb", "log.mdb-lock", "lock" };
	struct place *place = *state;
	char path[128];

	ipl_store_close(place->store);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", place->dir, files[i]);
		unlink(path);
	}
	rmdir(place->dir);
	free(place);
	return 0;
}

static void record_of(uint64_t seq, char text[64])
{
	(void)snprintf(text, 64, "record %llu of %llu", (unsigned long long)seq,
		       (unsigned long long)(seq * seq));
}

static enum ipl_status append(struct place *place, uint64_t first, uint32_t count)
{
	struct ipl_batch batch = { .first_seq = first };
	enum ipl_status st = IPL_OK;
	char text[64];

	for (uint32_t i = 0; i < count; i++) {
		record_of(first + i, text);
		assert_int_equal(ipl_batch_add(&batch, text, strlen(text), &place->err), IPL_OK);
	}
	st = ipl_store_append(place->store, &batch, &place->err);
	ipl_batch_release(&batch);
	return st;
}

static enum ipl_status check_record(void *context, uint64_t seq, struct ipl_str record,
				    struct ipl_error *err)
{
	char text[64];

	(void)err;
	record_of(seq, text);
	assert_true(ipl_str_is(record, text));
	++*(uint64_t *)context;
	return IPL_OK;
}

/* The log is exactly records 1 .. @count. */
static void check_log(struct place *place, uint64_t count)
{
	struct ipl_reader *reader;
	struct ipl_head head;
	struct ipl_str record;
	uint64_t seen = 0;

	assert_int_equal(ipl_store_head(place->store, &head, &place->err), IPL_OK);
	assert_int_equal(head.seq, count);
	assert_int_equal(ipl_reader_open(place->store, &reader, &place->err), IPL_OK);
	assert_int_equal(ipl_reader_scan(reader, 1, UINT64_MAX, check_record, &seen, &place->err),
			 IPL_OK);
	assert_int_equal(seen, count);
	if (count > 0) {
		assert_int_equal(ipl_reader_get(reader, count, &record, &place->err), IPL_OK);
		assert_int_equal(check_record(&seen, count, record, &place->err), IPL_OK);
	}
	assert_int_equal(ipl_reader_get(reader, count + 1, &record, &place->err), IPL_ERR_END);
	ipl_reader_close(reader);
}

/* --- tests --- */

static void test_append_and_reopen(void **state)
{
	struct place *place = *state;
	struct ipl_head before, after;

	check_log(place, 0);
	assert_int_equal(append(place, 1, 1), IPL_OK);
	assert_int_equal(append(place, 2, 5000), IPL_OK);
	assert_int_equal(append(place, 5002, 3), IPL_OK);
	check_log(place, 5004);
	assert_int_equal(ipl_store_head(place->store, &before, &place->err), IPL_OK);
	ipl_store_close(place->store);
	open_place(place);
	assert_int_equal(ipl_store_head(place->store, &after, &place->err), IPL_OK);
	assert_memory_equal(&before, &after, sizeof(before));
	check_log(place, 5004);
}

static void test_a_gap_is_refused(void **state)
{
	struct place *place = *state;

	assert_int_equal(append(place, 2, 1), IPL_ERR_CORRUPT);
	assert_int_equal(append(place, 1, 2), IPL_OK);
	assert_int_equal(append(place, 2, 1), IPL_ERR_CORRUPT);
	assert_int_equal(append(place, 4, 1), IPL_ERR_CORRUPT);
	check_log(place, 2);
}

static void fail_each(struct place *place, int rc, uint64_t *count)
{
	for (int n = 1;; n++) {
		enum ipl_status st;
		calls_until_failure = n;
		failure = rc;
		st = append(place, *count + 1, 3);
		if (calls_until_failure > 0) { /* fewer calls than that are made */
			calls_until_failure = 0;
			assert_int_equal(st, IPL_OK);
			*count += 3;
			return;
		}
		assert_true(st == IPL_ERR_IO || st == IPL_ERR_NOMEM);
		check_log(place, *count);
		assert_int_equal(append(place, *count + 1, 2), IPL_OK);
		*count += 2;
		check_log(place, *count);
	}
}

static void test_any_failing_call_leaves_a_whole_log(void **state)
{
	static const int codes[] = { EIO, ENOSPC, MDB_MAP_FULL, MDB_PANIC, ENOMEM };
	struct place *place = *state;
	uint64_t count = 0;

	for (size_t i = 0; i < IPL_ARRAY_SIZE(codes); i++)
		fail_each(place, codes[i], &count);
	ipl_store_close(place->store);
	open_place(place);
	check_log(place, count);
}

static void test_second_appender(void **state)
{
	struct place *place = *state;
	pid_t child;
	int ready[2], status;
	char byte;

	ipl_store_close(place->store); /* LMDB must not be open across fork() */
	place->store = NULL;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		open_place(place);
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(ipl_store_open(place->dir, IPL_STORE_APPEND, &place->store, &place->err),
			 IPL_ERR_BUSY);
	assert_non_null(strstr(place->err.text, "in use by process"));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	open_place(place); /* a lock dies with its process */
	close(ready[0]);
	close(ready[1]);
}

static void test_tampering(void **state)
{
	struct place *place = *state;
	char path[128], *bytes, *at;
	FILE *file;
	long size;

	assert_int_equal(append(place, 1, 20), IPL_OK);
	ipl_store_close(place->store);
	place->store = NULL;
	(void)snprintf(path, sizeof(path), "%s/log.mdb", place->dir);
	file = fopen(path, "r+b");
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	bytes = malloc((size_t)size);
	rewind(file);
	assert_int_equal(fread(bytes, 1, (size_t)size, file), (size_t)size);
	while ((at = memmem(bytes, (size_t)size, "record 7 ", 9)) != NULL)
		at[7] = '8';
	rewind(file);
	assert_int_equal(fwrite(bytes, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	free(bytes);
	assert_int_equal(ipl_store_open(place->dir, IPL_STORE_APPEND, &place->store, &place->err),
			 IPL_ERR_CORRUPT);
	assert_non_null(strstr(place->err.text, "does not follow"));
}

static void test_meta(void **state)
{
	struct place *place = *state;
	struct ipl_arena arena;
	struct ipl_str value;

	ipl_arena_init(&arena, 65536);
	assert_int_equal(ipl_store_get_meta(place->store, "none", &arena, &value, &place->err),
			 IPL_ERR_END);
	assert_int_equal(ipl_store_put_meta(place->store, "a", IPL_STR("b"), &place->err), IPL_OK);
	assert_int_equal(ipl_store_get_meta(place->store, "a", &arena, &value, &place->err),
			 IPL_OK);
	assert_true(ipl_str_is(value, "b"));
	ipl_arena_release(&arena);
}

static void test_batch_limits(void **state)
{
	struct place *place = *state;
	struct ipl_batch batch = { .first_seq = 1 };
	char *large = calloc(1, IPL_RECORD_BYTES_MAX + 1);

	assert_int_equal(ipl_batch_add(&batch, large, IPL_RECORD_BYTES_MAX + 1, &place->err),
			 IPL_ERR_NOMEM);
	for (uint32_t i = 0; i < IPL_BATCH_BYTES_MAX / IPL_RECORD_BYTES_MAX; i++)
		assert_int_equal(ipl_batch_add(&batch, large, IPL_RECORD_BYTES_MAX, &place->err),
				 IPL_OK);
	assert_int_equal(ipl_batch_add(&batch, large, 1, &place->err), IPL_ERR_NOMEM);
	ipl_batch_reset(&batch, 1);
	for (uint32_t i = 0; i < IPL_BATCH_RECORDS_MAX; i++)
		assert_int_equal(ipl_batch_add(&batch, large, 1, &place->err), IPL_OK);
	assert_int_equal(ipl_batch_add(&batch, large, 1, &place->err), IPL_ERR_NOMEM);
	assert_int_equal(batch.count, IPL_BATCH_RECORDS_MAX);
	ipl_batch_release(&batch);
	free(large);
}

static void test_committer(void **state)
{
	struct place *place = *state;
	struct ipl_committer *committer;
	struct ipl_commit commit;
	int fd = eventfd(0, EFD_NONBLOCK);

	assert_int_equal(ipl_committer_start(place->store, fd, &committer, &place->err), IPL_OK);
	assert_false(ipl_committer_collect(committer, &commit));
	assert_false(ipl_committer_wait(committer, &commit));
	for (uint64_t seq = 1; seq <= 50; seq++) {
		struct ipl_batch batch = { .first_seq = seq };
		char text[64];
		uint64_t wakeups;
		record_of(seq, text);
		assert_int_equal(ipl_batch_add(&batch, text, strlen(text), &place->err), IPL_OK);
		assert_true(ipl_committer_idle(committer));
		ipl_committer_submit(committer, &batch);
		assert_true(ipl_committer_wait(committer, &commit));
		assert_int_equal(commit.status, IPL_OK);
		assert_int_equal(commit.batch.first_seq, seq);
		assert_true(commit.duration_ns > 0);
		assert_int_equal(read(fd, &wakeups, sizeof(wakeups)), sizeof(wakeups));
		ipl_batch_release(&commit.batch);
	}
	ipl_committer_stop(committer);
	close(fd);
	check_log(place, 50);
}

/* --- the tree, against the vectors of certificate transparency --- */

static void test_tree_vectors(void **state)
{
	static const struct {
		const char *leaf;
		size_t len;
	} leaves[] = {
		{ "", 0 },
		{ "\x00", 1 },
		{ "\x10", 1 },
		{ "\x20\x21", 2 },
		{ "\x30\x31", 2 },
		{ "\x40\x41\x42\x43", 4 },
		{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8 },
		{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16 },
	};
	static const char *const roots[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct ipl_tree tree = { 0 };
	uint8_t root[IPL_ROOT_BYTES];
	char text[2 * IPL_ROOT_BYTES + 1];

	(void)state;
	for (size_t i = 0;; i++) {
		ipl_tree_root(&tree, root);
		for (size_t k = 0; k < sizeof(root); k++)
			(void)snprintf(text + 2 * k, 3, "%02x", root[k]);
		assert_string_equal(text, roots[i]);
		if (i == IPL_ARRAY_SIZE(leaves))
			break;
		ipl_tree_add(&tree, (struct ipl_str){ leaves[i].leaf, leaves[i].len });
	}
}

/* --- chains --- */

static void test_heads(void **state)
{
	struct ipl_heads *heads = ipl_heads_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_link *link = calloc(20001, sizeof(*link));

	(void)state;
	for (uint64_t seq = 1; seq <= 20000; seq++) {
		struct ipl_key key = ipl_key_entity(IPL_KIND_VPC, 1 + seq % 7);
		assert_int_equal(ipl_heads_push(heads, key, seq, &link[seq], &err), IPL_OK);
		assert_int_equal(link[seq].back, seq > 7 ? seq - 7 : 0);
		assert_int_equal(link[seq].depth, (seq - 1) / 7);
		assert_int_equal(ipl_heads_last(heads, key), seq);
	}
	assert_int_equal(ipl_heads_count(heads), 7);
	assert_int_equal(ipl_heads_last(heads, ipl_key_entity(IPL_KIND_VPC, 99)), 0);
	/* From the end of a chain to any of its events in O(log n) steps. */
	for (uint64_t target = 20000 % 7; target <= 20000; target += 7 * 13) {
		uint64_t at = 20000;
		int steps = 0;
		while (at > target) {
			at = link[at].jump > target ? link[at].jump : link[at].back;
			steps++;
		}
		assert_true(target == 0 || at <= target);
		assert_true(steps <= 36);
	}
	assert_int_equal(ipl_heads_push(heads, ipl_key_entity(IPL_KIND_VPC, 1), 5, &link[0], &err),
			 IPL_ERR_CORRUPT);
	free(link);
	ipl_heads_free(heads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree_vectors),
		cmocka_unit_test(test_heads),
		cmocka_unit_test_setup_teardown(test_append_and_reopen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_gap_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_failing_call_leaves_a_whole_log, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_second_appender, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tampering, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_meta, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_batch_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_committer, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
