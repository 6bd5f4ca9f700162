/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LMDB's data format 1, as 64-bit machines write it (host order). All that is used of it:
 *
 * page    0 number 8, 8 pad 2, 10 flags 2, 12 lower 2, 14 upper 2 (of overflow pages:
 *         12 how many 4), 16 offsets of the nodes, 2 each, up to lower; nodes from upper
 * node    0 low 2, 2 high 2, 4 flags 2, 6 key's length 2, 8 key, then the data.
 *         Of a leaf low and high are the data's length; of a branch low, high and
 *         flags are the child's page
 * table   0 pad 4, 4 flags 2, 6 depth 2, 8 branch, 16 leaf, 24 overflow pages, 32 entries,
 *         40 root, 8 each
 * meta    at 16 of pages 0 and 1: 0 magic 4, 4 version 4, 8 address 8, 16 map size 8,
 *         24 table of free pages (its pad: the page size), 72 main table, 120 last page 8,
 *         128 transaction 8
 *
 * and of the file beside it, PATH-lock: 0 magic 4, 4 version 2, 6 what else it is made of 2,
 * 8 a mutex, then the last transaction 8
 */
#include "store/pages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC          0xbeefc0deu
#define VERSION        1u
#define HEADER_BYTES   16u
#define NODE_BYTES     8u
#define TABLE_BYTES    48u
#define META_BYTES     136u
#define PAGE_BYTES_MIN 4096u
#define PAGE_BYTES_MAX 65536u
#define DEPTH_MAX      32u
#define TRIES          5
#define NO_PAGE        UINT64_MAX
#define PAGE_BRANCH    1u
#define PAGE_LEAF      2u
#define PAGE_OVERFLOW  4u
#define PAGE_META      8u
#define NODE_BIG       1u
#define NODE_TABLE     2u
#define TABLE_INTEGERS 8u
#define ENV_NOSUBDIR   0x4000u /* LMDB keeps it among the flags of the free table */
#define KEY_BYTES_MAX  511u

enum keys { KEYS_TEXT, KEYS_INTEGER };

struct table {
	const char *name;
	enum keys keys;
	uint16_t flags;
	uint16_t depth;
	uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

struct meta {
	uint64_t last_page;
	uint64_t txn;
	struct table free;
	struct table main;
};

struct node {
	uint16_t flags;
	struct ipl_str key;
	const uint8_t *data; /* of a leaf, where it is inside the page */
	uint32_t data_bytes;
	uint64_t child; /* of a branch, or the first overflow page */
	uint32_t bytes; /* that it takes of the page */
};

/* A page on the way down. */
struct step {
	uint8_t *page;
	uint32_t at;              /* the child that is being walked */
	struct ipl_str low, high; /* what its keys lie between; absent: no bound */
};

struct walk {
	const char *path;
	int fd;
	uint32_t page_bytes;
	uint64_t file_pages;
	struct meta meta;
	struct table log, roots, facts; /* of the meta that counts */
	uint8_t *seen;                  /* a bit for each page */
	struct step step[DEPTH_MAX];
	struct table counted; /* of the table that is being walked */
	uint8_t *big;         /* the data of a node of the free table */
	struct ipl_error *err;
	void (*visit)(struct walk *w, const struct node *node); /* of each leaf's node; or NULL */
	enum ipl_status visited;
};

static uint64_t take(const uint8_t *at, size_t len)
{
	uint64_t n = 0;

	memcpy(&n, at, len); /* host order, and the host is little-endian */
	return n;
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "take() reads the low bytes first");

static enum ipl_status bad(const struct walk *w, uint64_t page, const char *what)
{
	return ipl_error_set(w->err, IPL_ERR_CORRUPT, "%s: page %" PRIu64 ": %s", w->path, page,
			     what);
}

static enum ipl_status read_bytes(const struct walk *w, uint64_t offset, uint8_t *out, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(w->fd, out + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ipl_error_set(w->err, IPL_ERR_IO, "%s: %s", w->path,
					     strerror(errno));
		if (n == 0)
			return ipl_error_set(w->err, IPL_ERR_CORRUPT,
					     "%s ends at byte %" PRIu64 ", inside a page", w->path,
					     offset + done);
		done += (size_t)n;
	}
	return IPL_OK;
}

/* --- the first two pages --- */

static struct table table_at(const uint8_t *at, const char *name, enum keys keys)
{
	return (struct table){
		.name = name,
		.keys = keys,
		.flags = (uint16_t)take(at + 4, 2),
		.depth = (uint16_t)take(at + 6, 2),
		.branch_pages = take(at + 8, 8),
		.leaf_pages = take(at + 16, 8),
		.overflow_pages = take(at + 24, 8),
		.entries = take(at + 32, 8),
		.root = take(at + 40, 8),
	};
}

static enum ipl_status take_meta(struct walk *w, uint64_t number, struct meta *out)
{
	uint8_t page[HEADER_BYTES + META_BYTES];
	const uint8_t *at = page + HEADER_BYTES;
	enum ipl_status st = read_bytes(w, number * w->page_bytes, page, sizeof(page));

	if (st != IPL_OK)
		return st;
	if (take(page, 8) != number || take(page + 10, 2) != PAGE_META)
		return bad(w, number, "it is no meta page");
	if (take(at, 4) != MAGIC || take(at + 4, 4) != VERSION)
		return bad(w, number, "it is no LMDB file of the version that is read here");
	if (take(at + 24, 4) != w->page_bytes)
		return bad(w, number, "the page size is impossible");
	*out = (struct meta){
		.free = table_at(at + 24, "free pages", KEYS_INTEGER),
		.main = table_at(at + 72, "tables", KEYS_TEXT),
		.last_page = take(at + 120, 8),
		.txn = take(at + 128, 8),
	};
	out->free.flags &= (uint16_t)~ENV_NOSUBDIR;
	if (out->last_page < 1 || out->last_page >= w->file_pages)
		return bad(w, number, "its last page is beyond the end of the file");
	if (out->free.flags != TABLE_INTEGERS || out->main.flags != 0)
		return bad(w, number, "its flags are impossible");
	return IPL_OK;
}

/*
 * The pages take turns, so the older one is of the transaction before; a new file has two of
 * transaction 0. So a number that was damaged shows.
 */
static enum ipl_status take_metas(struct walk *w, struct meta *older)
{
	struct meta meta[2];
	enum ipl_status st = take_meta(w, 0, &meta[0]);
	uint32_t newer;

	if (st == IPL_OK)
		st = take_meta(w, 1, &meta[1]);
	if (st != IPL_OK)
		return st;
	newer = meta[1].txn > meta[0].txn;
	w->meta = meta[newer];
	*older = meta[1 - newer];
	if (w->meta.txn == 0 && older->txn == 0)
		return IPL_OK;
	if (w->meta.txn % 2 != newer || w->meta.txn - older->txn != 1)
		return bad(w, newer, "its transaction does not follow that of the other meta page");
	if (older->last_page > w->meta.last_page)
		return bad(w, newer, "its file is shorter than that of the transaction before");
	return IPL_OK;
}

/* --- a page --- */

static int compare_keys(enum keys keys, struct ipl_str a, struct ipl_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order;

	if (keys == KEYS_INTEGER) {
		uint64_t x = take((const uint8_t *)a.at, 8), y = take((const uint8_t *)b.at, 8);
		return x < y ? -1 : x > y;
	}
	order = memcmp(a.at, b.at, len);
	return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

static uint32_t node_count(const uint8_t *page)
{
	return ((uint32_t)take(page + 12, 2) - HEADER_BYTES) / 2;
}

static uint32_t even(uint32_t n)
{
	return n + (n & 1);
}

/* Node @i of a page whose header is sound; false where it is not inside. */
static bool node_at(const struct walk *w, const uint8_t *page, uint32_t i, bool is_leaf,
		    struct node *out)
{
	uint32_t offset = (uint32_t)take(page + HEADER_BYTES + 2 * (size_t)i, 2), key_len, left;
	const uint8_t *at = page + offset;

	if (offset < take(page + 14, 2) || offset % 2 != 0 || offset + NODE_BYTES > w->page_bytes)
		return false;
	key_len = (uint32_t)take(at + 6, 2);
	left = w->page_bytes - offset - NODE_BYTES;
	if (key_len > left || key_len > KEY_BYTES_MAX)
		return false;
	left -= key_len;
	*out = (struct node){ .key = { (const char *)at + NODE_BYTES, key_len } };
	if (!is_leaf) {
		out->child = take(at, 6);
		out->bytes = even(NODE_BYTES + key_len);
		return true;
	}
	out->flags = (uint16_t)take(at + 4, 2);
	out->data = at + NODE_BYTES + key_len;
	out->data_bytes = (uint32_t)take(at, 4);
	if ((out->flags & NODE_BIG) != 0) {
		out->bytes = even(NODE_BYTES + key_len + 8);
		if (left < 8)
			return false;
		out->child = take(out->data, 8);
		return true;
	}
	out->bytes = out->data_bytes > left ? 0 : even(NODE_BYTES + key_len + out->data_bytes);
	return out->data_bytes <= left;
}

/* Read page @number and note that it is used. */
static enum ipl_status take_page(struct walk *w, uint64_t number, uint8_t *out)
{
	enum ipl_status st;

	if (number < 2 || number > w->meta.last_page)
		return bad(w, number, "something leads to it that should not");
	if ((w->seen[number / 8] >> number % 8 & 1) != 0)
		return bad(w, number, "two things lead to it");
	w->seen[number / 8] |= (uint8_t)(1u << number % 8);
	st = read_bytes(w, number * w->page_bytes, out, w->page_bytes);
	if (st == IPL_OK && take(out, 8) != number)
		return bad(w, number, "it says that it is another");
	return st;
}

static enum ipl_status check_header(const struct walk *w, const uint8_t *page, bool is_leaf)
{
	uint64_t number = take(page, 8);
	uint64_t lower = take(page + 12, 2), upper = take(page + 14, 2);

	if (take(page + 10, 2) != (is_leaf ? PAGE_LEAF : PAGE_BRANCH))
		return bad(w, number, "it is not of the kind that belongs there");
	if (lower < HEADER_BYTES || lower % 2 != 0 || upper < lower || upper > w->page_bytes)
		return bad(w, number, "its bounds are impossible");
	/* LMDB's own search takes a branch of one for a bug, and ends the program. */
	if (node_count(page) < (is_leaf ? 1u : 2u))
		return bad(w, number, "there is too little in it");
	return IPL_OK;
}

/* The node's key is of its table, above the one before, and inside what its page may have. */
static bool is_key_good(const struct walk *w, const struct step *step, const struct node *node,
			const struct node *before)
{
	enum keys keys = w->counted.keys;

	if (keys == KEYS_INTEGER && node->key.len != 8)
		return false;
	if (before->key.at != NULL && before->key.len > 0 &&
	    compare_keys(keys, before->key, node->key) >= 0)
		return false;
	return (step->low.at == NULL || compare_keys(keys, step->low, node->key) <= 0) &&
	       (step->high.at == NULL || compare_keys(keys, node->key, step->high) < 0);
}

/* The pages that a long value takes. */
static enum ipl_status take_overflow(struct walk *w, uint64_t number, const struct node *node)
{
	uint64_t count = (HEADER_BYTES - 1 + (uint64_t)node->data_bytes) / w->page_bytes + 1;
	uint8_t header[HEADER_BYTES];
	enum ipl_status st;

	if (node->child < 2 || count > w->meta.last_page ||
	    node->child > w->meta.last_page - count + 1)
		return bad(w, number, "a long value is beyond the end of the file");
	for (uint64_t page = node->child; page < node->child + count; page++) {
		if ((w->seen[page / 8] >> page % 8 & 1) != 0)
			return bad(w, page, "two things lead to it");
		w->seen[page / 8] |= (uint8_t)(1u << page % 8);
	}
	st = read_bytes(w, node->child * w->page_bytes, header, sizeof(header));
	if (st == IPL_OK &&
	    (take(header, 8) != node->child || take(header + 10, 2) != PAGE_OVERFLOW ||
	     take(header + 12, 4) != count))
		return bad(w, node->child, "it is not the long value that belongs there");
	w->counted.overflow_pages += count;
	return st;
}

static enum ipl_status check_page(struct walk *w, const struct step *step, bool is_leaf)
{
	const uint8_t *page = step->page;
	uint64_t number = take(page, 8);
	struct node node, before = { .key = IPL_STR_NONE };
	uint64_t bytes = 0;
	enum ipl_status st = check_header(w, page, is_leaf);

	for (uint32_t i = 0; st == IPL_OK && i < node_count(page); i++, before = node) {
		if (!node_at(w, page, i, is_leaf, &node))
			return bad(w, number, "a node is not inside it");
		bytes += node.bytes;
		/* The first key of a branch says nothing, and may be missing. */
		if ((is_leaf || i > 0) && !is_key_good(w, step, &node, &before))
			return bad(w, number, "its keys are not in order");
		if (!is_leaf)
			continue;
		w->counted.entries++;
		if (node.flags != 0 && node.flags != NODE_BIG &&
		    (node.flags != NODE_TABLE || w->counted.keys != KEYS_TEXT))
			return bad(w, number, "a node is of no kind");
		if (node.flags == NODE_BIG)
			st = take_overflow(w, number, &node);
		if (st == IPL_OK && w->visit != NULL) {
			w->visited = IPL_OK;
			w->visit(w, &node);
			st = w->visited;
		}
	}
	if (st == IPL_OK && bytes != w->page_bytes - take(page + 14, 2))
		return bad(w, number, "its nodes overlap or leave gaps");
	return st;
}

/* --- a table --- */

/* Go down to child @step->at of page @depth. */
static enum ipl_status descend(struct walk *w, uint32_t depth)
{
	struct step *step = &w->step[depth], *below = &w->step[depth + 1];
	bool is_leaf = depth + 2 == w->counted.depth;
	struct node node, next = { .key = IPL_STR_NONE };
	enum ipl_status st;

	if (!node_at(w, step->page, step->at, false, &node) ||
	    (step->at + 1 < node_count(step->page) &&
	     !node_at(w, step->page, step->at + 1, false, &next)))
		return bad(w, take(step->page, 8), "a node is not inside it");
	below->low = step->at == 0 ? step->low : node.key;
	below->high = next.key.at == NULL ? step->high : next.key;
	below->at = 0;
	st = take_page(w, node.child, below->page);
	if (st == IPL_OK)
		st = check_page(w, below, is_leaf);
	if (is_leaf)
		w->counted.leaf_pages++;
	else
		w->counted.branch_pages++;
	return st;
}

static bool is_as_counted(const struct table *told, const struct table *counted)
{
	return told->branch_pages == counted->branch_pages &&
	       told->leaf_pages == counted->leaf_pages &&
	       told->overflow_pages == counted->overflow_pages && told->entries == counted->entries;
}

static enum ipl_status walk_pages(struct walk *w, const struct table *table)
{
	uint32_t depth = 0;
	enum ipl_status st;

	w->step[0].low = w->step[0].high = IPL_STR_NONE;
	w->step[0].at = 0;
	st = take_page(w, table->root, w->step[0].page);
	if (st == IPL_OK)
		st = check_page(w, &w->step[0], table->depth == 1);
	w->counted.leaf_pages = table->depth == 1;
	w->counted.branch_pages = table->depth != 1;
	while (st == IPL_OK && table->depth > 1) {
		struct step *step = &w->step[depth];
		if (step->at < node_count(step->page)) {
			st = descend(w, depth);
			step->at++;
			if (depth + 2 < table->depth)
				depth++;
		} else if (depth-- == 0) {
			break;
		}
	}
	return st;
}

static enum ipl_status walk_table(struct walk *w, const struct table *table,
				  void (*visit)(struct walk *w, const struct node *node))
{
	enum ipl_status st = IPL_OK;

	w->counted = (struct table){ .keys = table->keys, .depth = table->depth };
	w->visit = visit;
	if (table->depth > DEPTH_MAX || (table->depth == 0) != (table->root == NO_PAGE))
		return ipl_error_set(w->err, IPL_ERR_CORRUPT, "%s: the depth of %s is impossible",
				     w->path, table->name);
	if (table->depth > 0)
		st = walk_pages(w, table);
	if (st == IPL_OK && !is_as_counted(table, &w->counted))
		return ipl_error_set(w->err, IPL_ERR_CORRUPT,
				     "%s: the pages and entries of %s are not as many as it tells",
				     w->path, table->name);
	return st;
}

/* --- which tables there are --- */

static void visit_main(struct walk *w, const struct node *node)
{
	static const struct {
		const char *name;
		enum keys keys;
		size_t offset;
	} known[] = {
		{ "log", KEYS_INTEGER, offsetof(struct walk, log) },
		{ "roots", KEYS_INTEGER, offsetof(struct walk, roots) },
		{ "meta", KEYS_TEXT, offsetof(struct walk, facts) },
	};

	for (size_t i = 0; i < IPL_ARRAY_SIZE(known); i++) {
		struct table *to = (struct table *)(void *)((char *)w + known[i].offset);
		if (!ipl_str_is(node->key, known[i].name))
			continue;
		if (node->flags != NODE_TABLE || node->data_bytes != TABLE_BYTES)
			break;
		*to = table_at(node->data, known[i].name, known[i].keys);
		if (to->flags == (to->keys == KEYS_INTEGER ? TABLE_INTEGERS : 0))
			return;
		break;
	}
	w->visited = ipl_error_set(w->err, IPL_ERR_CORRUPT, "%s: the list of tables is damaged",
				   w->path);
}

/* Each value: how many, then the numbers of pages that are free. */
static void visit_free(struct walk *w, const struct node *node)
{
	const uint8_t *at = node->data;
	uint64_t count;

	if (node->flags == NODE_BIG) {
		free(w->big);
		w->big = malloc(node->data_bytes);
		w->visited = w->big == NULL ?
				     ipl_error_set(w->err, IPL_ERR_NOMEM, "out of memory") :
				     read_bytes(w, node->child * w->page_bytes + HEADER_BYTES,
						w->big, node->data_bytes);
		at = w->big;
		if (w->visited != IPL_OK)
			return;
	}
	count = node->data_bytes < 8 ? UINT64_MAX : take(at, 8);
	if (count > node->data_bytes / 8 - 1 ||
	    take((const uint8_t *)node->key.at, 8) > w->meta.txn)
		w->visited = ipl_error_set(w->err, IPL_ERR_CORRUPT,
					   "%s: the list of free pages is damaged", w->path);
	for (uint64_t i = 1; w->visited == IPL_OK && i <= count; i++) {
		uint64_t page = take(at + 8 * i, 8);
		if (page < 2 || page > w->meta.last_page)
			w->visited = bad(w, page, "it is free and beyond the end");
		else if ((w->seen[page / 8] >> page % 8 & 1) != 0)
			w->visited = bad(w, page, "it is free and in use");
		else
			w->seen[page / 8] |= (uint8_t)(1u << page % 8);
	}
}

static enum ipl_status walk_meta(struct walk *w)
{
	enum ipl_status st;

	w->log = w->roots = w->facts = (struct table){ .root = NO_PAGE };
	free(w->seen);
	w->seen = calloc(1, (size_t)(w->meta.last_page / 8 + 1));
	if (w->seen == NULL)
		return ipl_error_set(w->err, IPL_ERR_NOMEM, "out of memory");
	st = walk_table(w, &w->meta.main, visit_main);
	return st;
}

struct lock_head {
	uint32_t magic;
	uint16_t version;
	uint16_t parts;
	pthread_mutex_t mutex;
	uint64_t txn;
};

/* The last transaction as LMDB noted it beside the file; 0 where that is not known. */
static uint64_t noted_txn(const struct walk *w)
{
	char path[4200];
	struct lock_head head = { 0 };
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s-lock", w->path) >= (int)sizeof(path))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : pread(fd, &head, sizeof(head), 0);
	if (fd >= 0)
		close(fd);
	return n == (ssize_t)sizeof(head) && head.magic == MAGIC && head.version == VERSION ?
		       head.txn :
		       0;
}

/*
 * The tables of the transaction before are there too, and have not more in them. Else the one
 * that seems to be before was the last, and its number is damaged.
 *
 * There is one other way to that: a meta page that LMDB could not write. It takes it back by giving
 * it the number that stood there before, and the pages it leads to may be others by now. Then
 * the number that is noted is still that of the newer one: there was none after it.
 */
static enum ipl_status walk_older(struct walk *w, const struct meta *older, uint64_t *entries)
{
	const struct meta newer = w->meta;
	enum ipl_status st;

	*entries = 0;
	if (newer.txn != 0 && noted_txn(w) == newer.txn)
		return IPL_OK;
	w->meta = *older;
	w->meta.last_page = newer.last_page;
	st = walk_meta(w);
	*entries = w->log.entries;
	w->meta = newer;
	return st;
}

static enum ipl_status walk_file(struct walk *w)
{
	struct meta older;
	uint64_t entries;
	enum ipl_status st = take_metas(w, &older);

	if (st == IPL_OK)
		st = walk_older(w, &older, &entries);
	if (st == IPL_OK)
		st = walk_meta(w);
	if (st == IPL_OK && entries > w->log.entries)
		return ipl_error_set(w->err, IPL_ERR_CORRUPT,
				     "%s: the log is shorter than in the transaction before",
				     w->path);
	if (st == IPL_OK)
		st = walk_table(w, &w->log, NULL);
	if (st == IPL_OK)
		st = walk_table(w, &w->roots, NULL);
	if (st == IPL_OK)
		st = walk_table(w, &w->facts, NULL);
	return st == IPL_OK ? walk_table(w, &w->meta.free, visit_free) : st;
}

/* --- the file --- */

static enum ipl_status begin(struct walk *w)
{
	uint8_t size[4];
	struct stat file;
	enum ipl_status st;

	if (fstat(w->fd, &file) != 0)
		return ipl_error_set(w->err, IPL_ERR_IO, "%s: %s", w->path, strerror(errno));
	if (file.st_size == 0) /* made, and nothing was written yet */
		return ipl_error_set(w->err, IPL_ERR_END, "%s is empty", w->path);
	st = read_bytes(w, HEADER_BYTES + 24, size, sizeof(size));
	if (st != IPL_OK)
		return st;
	w->page_bytes = (uint32_t)take(size, 4);
	if (w->page_bytes < PAGE_BYTES_MIN || w->page_bytes > PAGE_BYTES_MAX ||
	    (w->page_bytes & (w->page_bytes - 1)) != 0)
		return bad(w, 0, "the page size is impossible");
	w->file_pages = (uint64_t)file.st_size / w->page_bytes;
	for (uint32_t i = 0; i < DEPTH_MAX; i++) {
		w->step[i].page = malloc(w->page_bytes);
		if (w->step[i].page == NULL)
			return ipl_error_set(w->err, IPL_ERR_NOMEM, "out of memory");
	}
	return walk_file(w);
}

static uint64_t transaction(const struct walk *w)
{
	uint8_t bytes[2][8];
	uint64_t a, b;

	if (pread(w->fd, bytes[0], 8, HEADER_BYTES + 128) != 8 ||
	    pread(w->fd, bytes[1], 8, (off_t)w->page_bytes + HEADER_BYTES + 128) != 8)
		return 0;
	a = take(bytes[0], 8);
	b = take(bytes[1], 8);
	return a > b ? a : b;
}

static void end(struct walk *w)
{
	for (uint32_t i = 0; i < DEPTH_MAX; i++) {
		free(w->step[i].page);
		w->step[i].page = NULL;
	}
	free(w->seen);
	free(w->big);
	w->seen = w->big = NULL;
}

enum ipl_status ipl_pages_check(const char *path, struct ipl_error *err)
{
	struct walk w = { .path = path, .err = err, .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct ipl_error found = IPL_ERROR_INIT(err->arena);
	enum ipl_status st = IPL_OK;

	if (w.fd < 0)
		return ipl_error_set(err, errno == ENOENT ? IPL_ERR_END : IPL_ERR_IO, "%s: %s",
				     path, strerror(errno));
	w.err = &found;
	w.page_bytes = PAGE_BYTES_MIN;
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = transaction(&w);
		st = begin(&w);
		end(&w);
		if (st != IPL_ERR_CORRUPT || transaction(&w) == before)
			break;
		st = IPL_OK; /* it moved meanwhile: what was seen may be of two transactions */
	}
	close(w.fd);
	if (st != IPL_OK)
		*err = found;
	return st;
}

/* --- after a failed write of a meta page --- */

/* What LMDB writes of a meta page at a commit: from the map's size to its end, in one sector. */
#define COMMIT_AT    (HEADER_BYTES + 16u)
#define COMMIT_BYTES (META_BYTES - 16u)
#define TXN_AT       (COMMIT_BYTES - 8u)

static enum ipl_status mend(const char *path, int fd, struct ipl_error *err)
{
	uint8_t page[2][COMMIT_BYTES], size[4];
	uint64_t txn[2], before;
	off_t at[2];
	size_t newer;

	if (pread(fd, size, sizeof(size), HEADER_BYTES + 24) != sizeof(size))
		return ipl_error_set(err, IPL_ERR_IO, "%s: it is too short", path);
	for (size_t i = 0; i < 2; i++) {
		at[i] = (off_t)(i * take(size, sizeof(size)) + COMMIT_AT);
		if (pread(fd, page[i], COMMIT_BYTES, at[i]) != (ssize_t)COMMIT_BYTES)
			return ipl_error_set(err, IPL_ERR_IO, "%s: it is too short", path);
		txn[i] = take(page[i] + TXN_AT, 8);
	}
	newer = txn[1] > txn[0];
	if (txn[newer] == 0)
		return IPL_OK;
	before = txn[newer] - 1;
	memcpy(page[1 - newer], page[newer], COMMIT_BYTES);
	memcpy(page[1 - newer] + TXN_AT, &before, sizeof(before));
	errno = EIO; /* of a write that is short */
	if (pwrite(fd, page[1 - newer], COMMIT_BYTES, at[1 - newer]) != (ssize_t)COMMIT_BYTES)
		return ipl_error_set(err, IPL_ERR_IO, "%s: write a meta page: %s", path,
				     strerror(errno));
	return IPL_OK;
}

enum ipl_status ipl_pages_mend(const char *path, struct ipl_error *err)
{
	int fd = open(path, O_RDWR | O_DSYNC | O_CLOEXEC);
	enum ipl_status st;

	if (fd < 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	st = mend(path, fd, err);
	close(fd);
	return st;
}
