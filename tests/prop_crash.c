/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: what a store wrote and synced while a log was made and grew, recorded call by call; and
 * for each call the files that a power cut during it could leave: of what was not synced any part
 * in any order, in pages or in sectors, and none, all or the first so many of it; a write that is
 * durable by itself (the meta page, within one sector) there or not. Claimed: each of them opens;
 * everything acknowledged before the cut is there, as it was written and with its root, and after
 * it nothing or the whole batch that was on its way; it can be appended to. And of a disk that
 * lies, for which a sync is nothing: what is read is what was written, or nothing is read and the
 * page is named.
 *
 * IPL_SEED repeats a run; IPL_IMAGES is how many images there are for each call (8).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"
#include "tests/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR      512u
#define PAGE        4096u
#define BATCHES     24
#define RUNS        4
#define RECORD_MAX  6000u
#define SPACE_BYTES ((size_t)8 << 20) /* no file here is longer */

struct image {
	uint8_t *bytes;
	size_t len;
	bool has_name, is_named; /* it was renamed; and the directory was synced since */
};

struct desk {
	char dir[64], path[96];
	struct ipl_store *store;
	uint64_t seed, chance;
	struct ipl_head end[BATCHES + 1]; /* of each batch; [0]: of the empty log */
	size_t end_count;
	struct image durable, now;
	size_t pending[256]; /* records that are not durable yet */
	size_t pending_count;
	bool lies; /* syncs are nothing, and writes not durable by themselves */
	uint64_t acked;
	unsigned long images, ahead, appended, named, lost, torn;
};

static uint64_t draw(struct desk *desk, uint64_t below)
{
	desk->chance ^= desk->chance << 13;
	desk->chance ^= desk->chance >> 7;
	desk->chance ^= desk->chance << 17;
	return desk->chance % below;
}

static unsigned int number_from(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : (unsigned int)strtoul(text, NULL, 10);
}

/* --- a log that grows --- */

/* What record @seq is, by the seed: of a few bytes, of some hundred, or longer than a page. */
static struct ipl_str record_of(const struct desk *desk, uint64_t seq, char out[RECORD_MAX])
{
	uint64_t mix = (seq + desk->seed) * UINT64_C(0x9e3779b97f4a7c15);
	size_t len = mix >> 60 == 0 ? 2100 + mix % 3800 : 20 + mix % 300;

	for (size_t i = 0; i < len; i++)
		out[i] = (char)((mix >> (i % 8 * 8)) + i);
	memcpy(out, &seq, sizeof(seq));
	return (struct ipl_str){ out, len };
}

static void append(struct desk *desk, uint32_t count)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_head head;
	struct ipl_batch batch;
	char bytes[RECORD_MAX];

	if (ipl_store_head(desk->store, &head, &err) != IPL_OK)
		fail_msg("%s", err.text);
	batch = (struct ipl_batch){ .first_seq = head.seq + 1 };
	for (uint32_t i = 0; i < count; i++) {
		struct ipl_str record = record_of(desk, batch.first_seq + i, bytes);
		assert_int_equal(ipl_batch_add(&batch, record.at, record.len, &err), IPL_OK);
	}
	if (ipl_store_append(desk->store, &batch, &err) != IPL_OK)
		fail_msg("%s", err.text);
	ipl_batch_release(&batch);
}

static void open_store(struct desk *desk)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	if (ipl_store_open(desk->dir, IPL_STORE_APPEND, &desk->store, &err) != IPL_OK)
		fail_msg("%s", err.text);
}

static void remove_files(const struct desk *desk)
{
	static const char *const files[] = { "log.mdb", "log.mdb.new", "log.mdb-lock", "lock" };
	char path[128];

	for (size_t i = 0; i < IPL_ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", desk->dir, files[i]);
		unlink(path);
	}
}

/* What is recorded: a log that is made, grows, is closed and opened, and grows. */
static void grow(struct desk *desk)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	remove_files(desk); /* of the run before */
	disk_watch(desk->dir, "/log.mdb");
	disk_record(true);
	open_store(desk);
	assert_int_equal(ipl_store_head(desk->store, &desk->end[0], &err), IPL_OK);
	desk->end_count = 1;
	for (int i = 0; i < BATCHES; i++) {
		append(desk, 1 + (uint32_t)(draw(desk, 4) == 0 ? draw(desk, 60) : draw(desk, 3)));
		assert_int_equal(ipl_store_head(desk->store, &desk->end[desk->end_count], &err),
				 IPL_OK);
		disk_mark(desk->end[desk->end_count++].seq);
		if (i % 10 == 9) {
			ipl_store_close(desk->store);
			open_store(desk);
		}
	}
	disk_record(false);
	disk_watch(NULL, NULL);
	ipl_store_close(desk->store);
	desk->store = NULL;
}

/* --- images --- */

static void put(struct image *image, uint64_t offset, const uint8_t *bytes, size_t len)
{
	assert_true(offset + len <= SPACE_BYTES);
	memcpy(image->bytes + offset, bytes, len);
	if (offset + len > image->len)
		image->len = (size_t)offset + len;
}

static void apply(struct image *image, const struct disk_record *record)
{
	if (record->call == DISK_WRITE) {
		put(image, record->offset, record->bytes, record->len);
	} else if (record->call == DISK_CUT) {
		if (record->offset < image->len)
			memset(image->bytes + record->offset, 0, image->len - record->offset);
		image->len = (size_t)record->offset;
	}
}

/* Of what waits for a sync each piece with the chance of @keep in 8; or the first ones, up to one.
 */
static void keep_some(struct desk *desk, size_t unit, uint64_t keep, bool in_order)
{
	size_t pieces_left = in_order ? (size_t)draw(desk, 40) : SIZE_MAX;
	size_t longest = desk->now.len;

	for (size_t i = 0; i < desk->pending_count; i++) {
		const struct disk_record *record = disk_record_at(desk->pending[i]);
		size_t at = 0;
		if (record->call != DISK_WRITE) {
			if (draw(desk, 8) < keep)
				apply(&desk->now, record);
			continue;
		}
		while (at < record->len) {
			size_t len = unit - (size_t)((record->offset + at) % unit);
			len = len < record->len - at ? len : record->len - at;
			if (in_order ? pieces_left > 0 : draw(desk, 8) < keep)
				put(&desk->now, record->offset + at, record->bytes + at, len);
			pieces_left -= in_order && pieces_left > 0;
			at += len;
		}
		longest = record->offset + record->len > longest ? record->offset + record->len :
								   longest;
	}
	if (draw(desk, 2) == 0) /* the length may have got there before the bytes */
		desk->now.len = longest;
}

/* The file that a cut during record @i may leave. */
static void make_image(struct desk *desk, size_t i)
{
	static const uint64_t chances[] = { 0, 1, 4, 7, 8 };
	const struct disk_record *record = disk_record_at(i);
	size_t had = desk->pending_count;

	memset(desk->now.bytes, 0, desk->now.len);
	desk->now.len = 0;
	put(&desk->now, 0, desk->durable.bytes, desk->durable.len);
	desk->now.is_named = desk->durable.is_named;
	if ((desk->durable.has_name || record->call == DISK_RENAME) && draw(desk, 2) == 0)
		desk->now.is_named = true;
	if ((record->call == DISK_WRITE && !record->is_durable) || record->call == DISK_CUT)
		desk->pending[desk->pending_count++] = i;
	keep_some(desk, draw(desk, 2) == 0 ? SECTOR : PAGE,
		  chances[draw(desk, IPL_ARRAY_SIZE(chances))], draw(desk, 4) == 0);
	desk->pending_count = had;
	if (record->call == DISK_WRITE && record->is_durable && draw(desk, 2) == 0)
		apply(&desk->now, record);
}

/* Record @i is done. */
static void pass(struct desk *desk, size_t i)
{
	const struct disk_record *record = disk_record_at(i);

	if (record->call == DISK_MARK) {
		desk->acked = record->value;
	} else if (record->call == DISK_RENAME) {
		desk->durable.has_name = true;
	} else if (record->call == DISK_NAMED) {
		desk->durable.is_named = desk->durable.has_name;
	} else if (record->call == DISK_SYNC) {
		for (size_t k = 0; k < desk->pending_count && !desk->lies; k++)
			apply(&desk->durable, disk_record_at(desk->pending[k]));
		desk->pending_count = desk->lies ? desk->pending_count : 0;
	} else if (record->is_durable && !desk->lies) {
		apply(&desk->durable, record);
	} else {
		desk->pending[desk->pending_count++] = i;
	}
	/* A disk that lies has written what is old in the end. */
	if (desk->pending_count > 40) {
		apply(&desk->durable, disk_record_at(desk->pending[0]));
		desk->pending_count--;
		memmove(desk->pending, desk->pending + 1,
			desk->pending_count * sizeof(desk->pending[0]));
	}
}

/* --- what is in one --- */

static void write_image(const struct desk *desk)
{
	char path[128];
	int fd;

	remove_files(desk);
	(void)snprintf(path, sizeof(path), "%s/lock", desk->dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "1\n", 2), 2); /* as who did not end well left it */
	close(fd);
	(void)snprintf(path, sizeof(path), "%s.new", desk->path);
	fd = open(desk->now.is_named ? desk->path : path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, desk->now.bytes, desk->now.len, 0), desk->now.len);
	close(fd);
}

struct readback {
	const struct desk *desk;
	uint64_t next;
	bool is_same;
};

static enum ipl_status compare_record(void *context, uint64_t seq, struct ipl_str record,
				      struct ipl_error *err)
{
	struct readback *back = context;
	char bytes[RECORD_MAX];

	(void)err;
	back->is_same = back->is_same && seq == back->next++ &&
			ipl_str_equal(record, record_of(back->desk, seq, bytes));
	return IPL_OK;
}

static enum ipl_status compare_root(void *context, uint64_t seq, struct ipl_str root,
				    struct ipl_error *err)
{
	struct readback *back = context;
	bool is_there = false;

	(void)err;
	for (size_t i = 0; i < back->desk->end_count; i++) {
		if (back->desk->end[i].seq == seq)
			is_there = root.len == IPL_ROOT_BYTES &&
				   memcmp(root.at, back->desk->end[i].root, IPL_ROOT_BYTES) == 0;
	}
	back->is_same = back->is_same && is_there;
	return IPL_OK;
}

/* Whether the open store has what was written, up to @head. */
static bool reads_well(struct desk *desk, const struct ipl_head *head)
{
	struct readback back = { desk, 1, true };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_reader *reader = NULL;
	enum ipl_status st = ipl_reader_open(desk->store, &reader, &err);

	if (st == IPL_OK)
		st = ipl_reader_scan(reader, 1, UINT64_MAX, compare_record, &back, &err);
	if (st == IPL_OK)
		st = ipl_reader_roots(reader, 1, UINT64_MAX, compare_root, &back, &err);
	ipl_reader_close(reader);
	return st == IPL_OK && back.is_same && back.next == head->seq + 1;
}

/* Now and then: it goes on from there. */
static void go_on(struct desk *desk)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_head before, after;

	assert_int_equal(ipl_store_head(desk->store, &before, &err), IPL_OK);
	append(desk, 2);
	ipl_store_close(desk->store);
	open_store(desk);
	assert_int_equal(ipl_store_head(desk->store, &after, &err), IPL_OK);
	assert_int_equal(after.seq, before.seq + 2);
	desk->appended++;
}

static void check_image(struct desk *desk, size_t cut)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_head head;
	size_t k = 0;

	write_image(desk);
	desk->images++;
	if (ipl_store_open(desk->dir, IPL_STORE_APPEND, &desk->store, &err) != IPL_OK) {
		if (!desk->lies)
			fail_msg("IPL_SEED=%llu, cut during call %zu: %s",
				 (unsigned long long)desk->seed, cut, err.text);
		assert_true(err.status == IPL_ERR_CORRUPT && err.text[0] != '\0');
		desk->named++;
		return;
	}
	assert_int_equal(ipl_store_head(desk->store, &head, &err), IPL_OK);
	while (k < desk->end_count && desk->end[k].seq != head.seq)
		k++;
	if (k == desk->end_count || memcmp(&desk->end[k], &head, sizeof(head)) != 0 ||
	    !reads_well(desk, &head)) {
		if (!desk->lies)
			fail_msg("IPL_SEED=%llu, cut during call %zu: it ends at %llu and is not "
				 "what was written",
				 (unsigned long long)desk->seed, cut, (unsigned long long)head.seq);
		desk->torn++;
	} else if (head.seq < desk->acked ||
		   (head.seq > desk->acked && desk->end[k - 1].seq > desk->acked)) {
		if (!desk->lies)
			fail_msg("IPL_SEED=%llu, cut during call %zu: acknowledged up to %llu, and "
				 "it ends at %llu",
				 (unsigned long long)desk->seed, cut,
				 (unsigned long long)desk->acked, (unsigned long long)head.seq);
		desk->lost++;
	}
	desk->ahead += head.seq > desk->acked;
	if (!desk->lies && draw(desk, 16) == 0)
		go_on(desk);
	ipl_store_close(desk->store);
	desk->store = NULL;
}

/* --- runs --- */

static void run(struct desk *desk, uint64_t seed, unsigned int each)
{
	desk->seed = seed;
	desk->chance = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
	grow(desk);
	memset(desk->durable.bytes, 0, SPACE_BYTES);
	memset(desk->now.bytes, 0, SPACE_BYTES);
	desk->durable.len = desk->now.len = 0;
	desk->pending_count = 0;
	desk->acked = 0;
	desk->durable.has_name = desk->durable.is_named = false;
	for (size_t i = 0; i < disk_record_count(); i++) {
		for (unsigned int k = 0; k < each && disk_record_at(i)->call != DISK_MARK; k++) {
			make_image(desk, i);
			check_image(desk, i);
		}
		pass(desk, i);
	}
	assert_int_equal(desk->acked, desk->end[desk->end_count - 1].seq);
}

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	assert_non_null(desk);
	(void)snprintf(desk->dir, sizeof(desk->dir), "%s/ipl-crash-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(desk->dir));
	(void)snprintf(desk->path, sizeof(desk->path), "%s/log.mdb", desk->dir);
	desk->durable.bytes = malloc(SPACE_BYTES);
	desk->now.bytes = malloc(SPACE_BYTES);
	assert_true(desk->durable.bytes != NULL && desk->now.bytes != NULL);
	*state = desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	disk_record(true); /* what was recorded goes */
	disk_record(false);
	remove_files(desk);
	rmdir(desk->dir);
	free(desk->durable.bytes);
	free(desk->now.bytes);
	free(desk);
	return 0;
}

static void test_power_cuts(void **state)
{
	struct desk *desk = *state;
	unsigned int seed = number_from("IPL_SEED", 1);

	for (unsigned int i = 0; i < RUNS; i++)
		run(desk, seed + i, number_from("IPL_IMAGES", 8));
	printf("# IPL_SEED=%u: %lu images, in %lu of them a batch that was not acknowledged; %lu "
	       "were appended to\n",
	       seed, desk->images, desk->ahead, desk->appended);
	assert_true(desk->images > 3000 && desk->ahead > 10 && desk->appended > 10);
}

/* It shows too that the test above can fail: here acknowledged batches are missing. */
static void test_a_disk_that_lies(void **state)
{
	struct desk *desk = *state;

	desk->lies = true;
	run(desk, number_from("IPL_SEED", 1), number_from("IPL_IMAGES", 8));
	printf("# of %lu images of a disk that lies %lu are refused, %lu have lost something\n",
	       desk->images, desk->named, desk->lost);
	assert_int_equal(desk->torn, 0);
	assert_true(desk->named > 10 && desk->lost > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_power_cuts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_disk_that_lies, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
