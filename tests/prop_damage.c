/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a small ledger of real events, with long ones and transactions, in many commits; and its
 * file with one bit flipped, for each byte of the pages' heads and many of the others (IPL_SEED
 * repeats a run; IPL_EVERY_BIT=1: each bit of the file, which takes some minutes). Claimed: nothing
 * crashes; what verify calls whole reads as it was, every record and root, to the end; what it
 * calls damaged, a store that is opened on it refuses or reads without a crash; a file that is cut
 * at any 512 bytes is damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/verify.h"
#include "store/pages.h"
#include "tests/lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE       4096u
#define SECTOR     512u
#define META_BYTES 176u /* of the first two pages: what they say */
#define HEAD_BYTES 48u  /* of the others: the header and first offsets */
#define RANDOM     400

struct desk {
	char dir[64];
	char path[128];
	struct lab lab;
	uint8_t *bytes;
	size_t len;
	uint64_t whole, damaged;
};

static void must(enum ipl_status st, const struct ipl_error *err)
{
	if (st != IPL_OK)
		fail_msg("%s", err->text);
}

/* --- the ledger --- */

static void make_events(struct lab *lab)
{
	char vpc[IPL_ID_TEXT_MAX], vswitch[IPL_ID_TEXT_MAX];

	lab_open(lab, NULL);
	for (int i = 0; i < 8; i++) {
		must(lab_call(lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/8\"}"), &lab->err);
		(void)snprintf(vpc, sizeof(vpc), "%s", lab_text(lab, "VpcId"));
		must(lab_call(lab, "CreateVSwitch",
			      "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":"
			      "\"10.1.0.0/16\"}",
			      vpc),
		     &lab->err);
		(void)snprintf(vswitch, sizeof(vswitch), "%s", lab_text(lab, "VSwitchId"));
		/* Longer than a page: LMDB keeps it in pages of its own. */
		must(lab_call(lab, "RunInstances",
			      "{\"VSwitchId\":\"%s\",\"InstanceType\":\"ecs.g6.large\",\"Amount\":%"
			      "d}",
			      vswitch, 1 + 12 * i),
		     &lab->err);
		must(lab_call(lab, "Transact",
			      "{\"Operations\":[{\"Operation\":\"CreateNetworkInterface\","
			      "\"Params\":"
			      "{\"VSwitchId\":\"%s\"}},{\"Operation\":\"DeleteNetworkInterface\","
			      "\"Params\":{\"NetworkInterfaceId\":\"$1.NetworkInterfaceId\"}}]}",
			      vswitch),
		     &lab->err);
		lab->time_ms += 1000;
	}
}

/* Commits of one to five events, none of which ends inside a transaction. */
static void write_log(struct desk *desk)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_batch batch = { .first_seq = 1 };
	struct ipl_store *store;

	must(ipl_store_open(desk->dir, IPL_STORE_APPEND, &store, &err), &err);
	for (uint64_t seq = 1; seq <= desk->lab.count; seq++) {
		struct ipl_event ev;
		struct ipl_str record = desk->lab.record[seq - 1];
		must(ipl_batch_add(&batch, record.at, record.len, &err), &err);
		lab_event(&desk->lab, seq, &desk->lab.call, &ev);
		if (ev.group_place < ev.group_size ||
		    (batch.count < 1 + seq % 5 && seq < desk->lab.count))
			continue;
		must(ipl_store_append(store, &batch, &err), &err);
		ipl_batch_reset(&batch, seq + 1);
	}
	ipl_batch_release(&batch);
	ipl_store_close(store);
}

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	struct stat file;
	int fd;

	assert_non_null(desk);
	(void)snprintf(desk->dir, sizeof(desk->dir), "/tmp/ipl-damage-XXXXXX");
	assert_non_null(mkdtemp(desk->dir));
	(void)snprintf(desk->path, sizeof(desk->path), "%s/log.mdb", desk->dir);
	make_events(&desk->lab);
	write_log(desk);
	fd = open(desk->path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &file) == 0);
	desk->len = (size_t)file.st_size;
	desk->bytes = malloc(desk->len);
	assert_int_equal(read(fd, desk->bytes, desk->len), desk->len);
	close(fd);
	*state = desk;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "log.mdb", "log.mdb-lock", "lock" };
	struct desk *desk = *state;
	char path[128];

	for (size_t i = 0; i < IPL_ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", desk->dir, files[i]);
		unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/checkpoints", desk->dir);
	rmdir(path);
	rmdir(desk->dir);
	lab_close(&desk->lab);
	free(desk->bytes);
	free(desk);
	return 0;
}

/* --- one bit --- */

struct readback {
	struct desk *desk;
	uint64_t next;
	bool is_same;
};

static enum ipl_status compare_record(void *context, uint64_t seq, struct ipl_str record,
				      struct ipl_error *err)
{
	struct readback *back = context;

	(void)err;
	back->is_same = back->is_same && seq == back->next && seq <= back->desk->lab.count &&
			ipl_str_equal(record, back->desk->lab.record[seq - 1]);
	back->next++;
	return IPL_OK;
}

/* Whether a store on the file reads to the end what was written. */
static bool reads_same(struct desk *desk)
{
	struct readback back = { desk, 1, true };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_reader *reader = NULL;
	struct ipl_store *store = NULL;
	struct ipl_str record;
	enum ipl_status st = ipl_store_open(desk->dir, IPL_STORE_READ, &store, &err);

	if (st == IPL_OK)
		st = ipl_reader_open(store, &reader, &err);
	if (st == IPL_OK)
		st = ipl_reader_scan(reader, 1, UINT64_MAX, compare_record, &back, &err);
	for (uint64_t seq = 1; st == IPL_OK && seq <= desk->lab.count; seq++)
		st = ipl_reader_get(reader, seq, &record, &err);
	ipl_reader_close(reader);
	ipl_store_close(store);
	return st == IPL_OK && back.is_same && back.next == desk->lab.count + 1;
}

static void write_byte(struct desk *desk, size_t at, uint8_t byte)
{
	int fd = open(desk->path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

static void try_bit(struct desk *desk, size_t at, unsigned int bit)
{
	const struct ipl_verify_options options = { .threads = 1 };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_verified found;
	enum ipl_status st;
	bool is_same;

	write_byte(desk, at, (uint8_t)(desk->bytes[at] ^ 1u << bit));
	st = ipl_verify(desk->dir, &options, &found, &err);
	is_same = reads_same(desk);
	if (st != IPL_OK && st != IPL_ERR_CORRUPT)
		fail_msg("bit %u of byte %zu: %s", bit, at, err.text);
	if (st == IPL_OK && !is_same)
		fail_msg("bit %u of byte %zu changes what is read, and is not found", bit, at);
	if (st == IPL_OK)
		desk->whole++;
	else
		desk->damaged++;
	write_byte(desk, at, desk->bytes[at]);
}

static void test_bits(void **state)
{
	struct desk *desk = *state;
	const char *text = getenv("IPL_SEED");
	unsigned int seed = text == NULL ? 20261125 : (unsigned int)strtoul(text, NULL, 10);

	printf("# IPL_SEED=%u, %zu bytes, %zu events\n", seed, desk->len, desk->lab.count);
	srand(seed);
	assert_true(reads_same(desk));
	for (size_t at = 0; getenv("IPL_EVERY_BIT") != NULL && at < desk->len; at++) {
		for (unsigned int bit = 0; bit < 8; bit++)
			try_bit(desk, at, bit);
	}
	for (size_t page = 0; page < desk->len; page += PAGE) {
		/* Every bit of what says which state counts; else one of each byte. */
		bool is_meta = page < 2 * PAGE;
		for (size_t i = 0; i < (is_meta ? META_BYTES : HEAD_BYTES); i++) {
			for (unsigned int bit = 0; bit < 8; bit++) {
				if (is_meta ? i >= 16 || bit == 0 : bit == (unsigned int)rand() % 8)
					try_bit(desk, page + i, bit);
			}
		}
	}
	for (int i = 0; i < RANDOM; i++)
		try_bit(desk, (size_t)rand() % desk->len, (unsigned int)rand() % 8);
	printf("# %llu found, %llu of no account\n", (unsigned long long)desk->damaged,
	       (unsigned long long)desk->whole);
	assert_true(desk->damaged > 1000 && desk->whole > 500);
}

/* Every bit of every record, where it lies in the file. */
static void test_record_bits(void **state)
{
	struct desk *desk = *state;
	const struct ipl_verify_options options = { .threads = 2 };

	for (uint64_t seq = 1; seq <= desk->lab.count; seq += 3) {
		struct ipl_str record = desk->lab.record[seq - 1];
		const uint8_t *at = memmem(desk->bytes, desk->len, record.at, record.len);
		assert_non_null(at);
		for (size_t i = seq % 32; i < record.len; i += 32) {
			struct ipl_error err = IPL_ERROR_INIT(NULL);
			struct ipl_verified found;
			/* The pages of earlier transactions hold copies; the newest counts. */
			size_t offset = 0;
			for (const uint8_t *next = at; next != NULL;
			     next = memmem(next + 1, desk->len - (size_t)(next + 1 - desk->bytes),
					   record.at, record.len)) {
				offset = (size_t)(next - desk->bytes) + i;
				write_byte(desk, offset, desk->bytes[offset] ^ 0x10);
			}
			assert_int_equal(ipl_verify(desk->dir, &options, &found, &err),
					 IPL_ERR_CORRUPT);
			if (found.bad_seq != seq)
				fail_msg("byte %zu of event %llu: %s", i, (unsigned long long)seq,
					 err.text);
			for (const uint8_t *next = at; next != NULL;
			     next = memmem(next + 1, desk->len - (size_t)(next + 1 - desk->bytes),
					   record.at, record.len)) {
				offset = (size_t)(next - desk->bytes) + i;
				write_byte(desk, offset, desk->bytes[offset]);
			}
		}
	}
}

/* Bytes in the file's place at @at for one look; found, or of no account. */
static void try_bytes(struct desk *desk, size_t at, const uint8_t *bytes, size_t len)
{
	const struct ipl_verify_options options = { .threads = 1 };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_verified found;
	int fd = open(desk->path, O_WRONLY);
	enum ipl_status st;

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
	st = ipl_verify(desk->dir, &options, &found, &err);
	if (!reads_same(desk) && st == IPL_OK)
		fail_msg("%zu bytes at %zu change what is read, and are not found", len, at);
	assert_true(st == IPL_OK || st == IPL_ERR_CORRUPT);
	assert_int_equal(pwrite(fd, desk->bytes + at, len, (off_t)at), len);
	close(fd);
}

/* A page in another's place, and what chance writes. */
static void test_garbage(void **state)
{
	struct desk *desk = *state;
	size_t pages = desk->len / PAGE;

	srand(20261125);
	for (size_t to = 0; to < pages; to++) {
		for (size_t from = to % 3; from < pages; from += 3)
			try_bytes(desk, to * PAGE, desk->bytes + from * PAGE, PAGE);
	}
	for (int i = 0; i < 300; i++) {
		uint8_t bytes[64];
		size_t len = (size_t)rand() % sizeof(bytes) + 1, page = (size_t)rand() % pages;
		size_t at = page * PAGE + (size_t)rand() % (i % 2 == 0 ? 64 : PAGE - sizeof(bytes));
		for (size_t k = 0; k < len; k++)
			bytes[k] = i % 4 == 0 ? 0xff : (uint8_t)(rand() % (i % 8 == 1 ? 8 : 256));
		try_bytes(desk, at, bytes, len);
	}
}

static void test_cuts(void **state)
{
	struct desk *desk = *state;
	const struct ipl_verify_options options = { .threads = 1 };

	for (size_t len = 0; len < desk->len; len += SECTOR) {
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct ipl_verified found;
		int fd = open(desk->path, O_WRONLY);
		assert_int_equal(ftruncate(fd, (off_t)len), 0);
		assert_int_not_equal(ipl_verify(desk->dir, &options, &found, &err), IPL_OK);
		assert_false(reads_same(desk));
		assert_int_equal(pwrite(fd, desk->bytes + len, desk->len - len, (off_t)len),
				 desk->len - len);
		close(fd);
	}
	assert_true(reads_same(desk));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_record_bits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_garbage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cuts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
