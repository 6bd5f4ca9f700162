/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plants damage in a copy of a ledger, for the tests of verify: damage DIR WHAT…
 *   flip SEQ BIT       one bit of a record
 *   remove SEQ         a record is missing, the others keep their keys
 *   insert SEQ         a record stands twice, those after it move up
 *   swap SEQ SEQ       two records in each other's place
 *   forge SEQ          another actor, the checksum repaired
 *   forge-all SEQ      the same, and every root after it made again
 *   erase SEQ          an event is gone as if it had never been, all later ones made again;
 *                      for one that nothing later rests on, with no transaction after it
 *   cut SEQ            the log ends there, with a root that fits
 *   root SEQ           a bit of a root
 *   unroot SEQ         the root that ends a commit is missing
 *   late SEQ           its time is a day later, the checksum and all roots made again
 *   group SEQ          it says it is the second of a transaction of two, all made again
 */
#include "events/event.h"
#include "store/heads.h"
#include "store/tree.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

struct log {
	MDB_txn *txn;
	MDB_dbi records, roots;
	struct ipl_str *record; /* of event i + 1 */
	uint64_t count, cap;
	struct ipl_arena arena;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "damage: %s: %s\n", what, why);
	exit(2);
}

static void check(int rc, const char *what)
{
	if (rc != 0)
		die(what, mdb_strerror(rc));
}

static void add(struct log *log, struct ipl_str record)
{
	if (log->count == log->cap) {
		log->cap = log->cap == 0 ? 1024 : log->cap * 2;
		log->record = realloc(log->record, log->cap * sizeof(*log->record));
		if (log->record == NULL)
			die("records", "out of memory");
	}
	log->record[log->count++] = ipl_arena_str(&log->arena, record);
}

static void load(struct log *log)
{
	MDB_cursor *cursor;
	MDB_val key, value;

	check(mdb_cursor_open(log->txn, log->records, &cursor), "cursor");
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
		add(log, (struct ipl_str){ value.mv_data, value.mv_size });
	mdb_cursor_close(cursor);
}

static void put(struct log *log, MDB_dbi dbi, uint64_t seq, const void *bytes, size_t len)
{
	MDB_val key = { sizeof(seq), &seq }, value = { len, (void *)(uintptr_t)bytes };

	check(mdb_put(log->txn, dbi, &key, &value, 0), "put");
}

static void delete (struct log *log, MDB_dbi dbi, uint64_t seq)
{
	MDB_val key = { sizeof(seq), &seq };
	int rc = mdb_del(log->txn, dbi, &key, NULL);

	if (rc != MDB_NOTFOUND)
		check(rc, "delete");
}

static void put_records(struct log *log)
{
	check(mdb_drop(log->txn, log->records, 0), "drop");
	for (uint64_t seq = 1; seq <= log->count; seq++)
		put(log, log->records, seq, log->record[seq - 1].at, log->record[seq - 1].len);
}

/* A root after each event, or those that are there made again. */
static void put_roots(struct log *log)
{
	struct ipl_tree tree = { .size = 0 };

	for (uint64_t seq = 1; seq <= log->count; seq++) {
		uint8_t root[IPL_ROOT_BYTES];
		MDB_val key = { sizeof(seq), &seq }, value;
		ipl_tree_add(&tree, log->record[seq - 1]);
		ipl_tree_root(&tree, root);
		if (seq == log->count || mdb_get(log->txn, log->roots, &key, &value) == 0)
			put(log, log->roots, seq, root, sizeof(root));
	}
}

static void decode(struct log *log, uint64_t seq, struct ipl_event *ev)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	if (ipl_event_decode(log->record[seq - 1], &log->arena, ev, &err) != IPL_OK)
		die("decode", err.text);
}

static void encode(struct log *log, uint64_t seq, const struct ipl_event *ev)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_buf buf = { 0 };

	if (ipl_event_encode(ev, &buf, &err) != IPL_OK)
		die("encode", err.text);
	log->record[seq - 1] =
		ipl_arena_str(&log->arena, (struct ipl_str){ (char *)buf.at, buf.len });
	ipl_buf_release(&buf);
}

static void forge(struct log *log, uint64_t seq, const char *how)
{
	struct ipl_event ev;

	decode(log, seq, &ev);
	if (strcmp(how, "late") == 0)
		ev.time_ms += DAY_MS;
	else if (strcmp(how, "group") == 0)
		ev.group_place = ev.group_size = 2;
	else
		ev.actor = IPL_STR("mallory");
	encode(log, seq, &ev);
	put(log, log->records, seq, log->record[seq - 1].at, log->record[seq - 1].len);
	if (strcmp(how, "forge") != 0)
		put_roots(log);
}

static void erase(struct log *log, uint64_t gone)
{
	struct ipl_heads *heads = ipl_heads_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	memmove(&log->record[gone - 1], &log->record[gone],
		(log->count - gone) * sizeof(*log->record));
	delete (log, log->roots, log->count);
	log->count--;
	for (uint64_t seq = 1; seq <= log->count; seq++) {
		struct ipl_touches touches;
		struct ipl_event ev;
		decode(log, seq, &ev);
		ev.seq = seq;
		if (ipl_event_touches(&log->arena, &ev, &touches, &err) != IPL_OK)
			die("touches", err.text);
		for (uint32_t i = 0; i < touches.count; i++) {
			if (ipl_heads_push(heads, touches.at[i], seq, &ev.links[i], &err) != IPL_OK)
				die("links", err.text);
		}
		encode(log, seq, &ev);
	}
	ipl_heads_free(heads);
	put_records(log);
	put_roots(log);
}

static void flip(struct log *log, MDB_dbi dbi, uint64_t seq, uint64_t bit)
{
	MDB_val key = { sizeof(seq), &seq }, value;
	uint8_t *copy;
	size_t len;

	check(mdb_get(log->txn, dbi, &key, &value), "get");
	len = value.mv_size;
	copy = malloc(len);
	if (copy == NULL)
		die("flip", "out of memory");
	memcpy(copy, value.mv_data, len);
	copy[bit / 8 % len] ^= (uint8_t)(1u << bit % 8);
	put(log, dbi, seq, copy, len);
	free(copy);
}

static void cut(struct log *log, uint64_t last)
{
	for (uint64_t seq = last + 1; seq <= log->count; seq++) {
		delete (log, log->records, seq);
		delete (log, log->roots, seq);
	}
	log->count = last;
	put_roots(log);
}

static void insert(struct log *log, uint64_t seq)
{
	add(log, log->record[seq - 1]);
	memmove(&log->record[seq], &log->record[seq - 1],
		(log->count - 1 - seq) * sizeof(*log->record));
	log->record[seq - 1] = log->record[seq];
	put_records(log);
	put_roots(log);
}

static void plant(struct log *log, const char *what, uint64_t a, uint64_t b)
{
	if (strcmp(what, "flip") == 0) {
		flip(log, log->records, a, b);
	} else if (strcmp(what, "remove") == 0) {
		delete (log, log->records, a);
	} else if (strcmp(what, "insert") == 0) {
		insert(log, a);
	} else if (strcmp(what, "swap") == 0) {
		put(log, log->records, a, log->record[b - 1].at, log->record[b - 1].len);
		put(log, log->records, b, log->record[a - 1].at, log->record[a - 1].len);
	} else if (strcmp(what, "erase") == 0) {
		erase(log, a);
	} else if (strcmp(what, "cut") == 0) {
		cut(log, a);
	} else if (strcmp(what, "root") == 0) {
		flip(log, log->roots, a, 77);
	} else if (strcmp(what, "unroot") == 0) {
		delete (log, log->roots, a);
	} else if (strcmp(what, "forge") == 0 || strcmp(what, "forge-all") == 0 ||
		   strcmp(what, "late") == 0 || strcmp(what, "group") == 0) {
		forge(log, a, what);
	} else {
		die(what, "no such damage");
	}
}

/* One more transaction, so that the file holds nothing of the one before any more. */
static void commit_again(MDB_env *env, MDB_dbi roots)
{
	uint8_t root[IPL_ROOT_BYTES];
	MDB_val key, value;
	MDB_cursor *cursor;
	MDB_txn *txn;

	check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	check(mdb_cursor_open(txn, roots, &cursor), "cursor");
	check(mdb_cursor_get(cursor, &key, &value, MDB_LAST), "last root");
	memcpy(root, value.mv_data, sizeof(root));
	value.mv_data = root;
	check(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), "put");
	mdb_cursor_close(cursor);
	check(mdb_txn_commit(txn), "commit");
}

int main(int argc, char **argv)
{
	struct log log = { .count = 0 };
	char path[4096];
	MDB_env *env;

	if (argc < 4)
		die("usage", "damage DIR WHAT SEQ [SEQ|BIT]");
	ipl_arena_init(&log.arena, (size_t)4 << 30);
	(void)snprintf(path, sizeof(path), "%s/log.mdb", argv[1]);
	check(mdb_env_create(&env), "create");
	mdb_env_set_maxdbs(env, 3);
	mdb_env_set_mapsize(env, (size_t)16 << 30);
	check(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), path);
	check(mdb_txn_begin(env, NULL, 0, &log.txn), "begin");
	check(mdb_dbi_open(log.txn, "log", MDB_INTEGERKEY, &log.records), "log");
	check(mdb_dbi_open(log.txn, "roots", MDB_INTEGERKEY, &log.roots), "roots");
	load(&log);
	plant(&log, argv[2], strtoull(argv[3], NULL, 10),
	      argc > 4 ? strtoull(argv[4], NULL, 10) : 0);
	check(mdb_txn_commit(log.txn), "commit");
	commit_again(env, log.roots);
	mdb_env_close(env);
	ipl_arena_release(&log.arena);
	free(log.record);
	return 0;
}
