/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making proofs as RFC 6962 defines them, with its recursion unrolled, and checking them as
 * RFC 9162 (2.1.3.2, 2.1.4.2) says: by the bits of the numbers alone.
 */
#include "store/proof.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES_BITS 8u
#define LEVELS      (IPL_TREE_LEVELS_MAX - LEAVES_BITS)

static_assert(IPL_NODE_LEAVES == 1u << LEAVES_BITS, "a node of the lowest level that is kept");

/* Roots of the complete subtrees of 2^(LEAVES_BITS + i) records, in order. */
struct level {
	uint8_t (*node)[IPL_ROOT_BYTES];
	uint64_t count;
	uint64_t cap;
};

struct ipl_nodes {
	struct level level[LEVELS];
};

struct ipl_nodes *ipl_nodes_new(void)
{
	return calloc(1, sizeof(struct ipl_nodes));
}

void ipl_nodes_free(struct ipl_nodes *nodes)
{
	if (nodes == NULL)
		return;
	for (size_t i = 0; i < LEVELS; i++)
		free(nodes->level[i].node);
	free(nodes);
}

uint64_t ipl_nodes_size(const struct ipl_nodes *nodes)
{
	return nodes->level[0].count * IPL_NODE_LEAVES;
}

void ipl_nodes_cut(struct ipl_nodes *nodes, uint64_t size)
{
	for (size_t i = 0; i < LEVELS; i++) {
		uint64_t whole = size >> (LEAVES_BITS + i);
		if (nodes->level[i].count > whole)
			nodes->level[i].count = whole;
	}
}

static bool push(struct level *level, const uint8_t node[IPL_ROOT_BYTES])
{
	if (level->count == level->cap) {
		uint64_t cap = level->cap == 0 ? 16 : level->cap * 2;
		uint8_t(*grown)[IPL_ROOT_BYTES] = realloc(level->node, cap * sizeof(*grown));
		if (grown == NULL)
			return false;
		level->node = grown;
		level->cap = cap;
	}
	memcpy(level->node[level->count++], node, IPL_ROOT_BYTES);
	return true;
}

/* The root of the @count records from index @first on (from 0), each of them read. */
static enum ipl_status hash_records(const struct ipl_leaves *leaves, uint64_t first, uint64_t count,
				    uint8_t out[IPL_ROOT_BYTES], struct ipl_error *err)
{
	struct ipl_tree tree = { .size = 0 };

	for (uint64_t i = 0; i < count; i++) {
		struct ipl_str record;
		enum ipl_status st = leaves->get(leaves->context, first + i + 1, &record, err);
		if (st != IPL_OK)
			return st;
		ipl_tree_add(&tree, record);
	}
	ipl_tree_root(&tree, out);
	return IPL_OK;
}

enum ipl_status ipl_nodes_add(struct ipl_nodes *nodes, const struct ipl_leaves *leaves,
			      struct ipl_error *err)
{
	uint64_t before = ipl_nodes_size(nodes);
	uint8_t node[IPL_ROOT_BYTES];
	enum ipl_status st = hash_records(leaves, before, IPL_NODE_LEAVES, node, err);

	if (st != IPL_OK)
		return st;
	for (size_t i = 0; i < LEVELS; i++) {
		struct level *level = &nodes->level[i];
		if (!push(level, node)) {
			ipl_nodes_cut(nodes, before);
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the tree");
		}
		if (level->count % 2 != 0)
			break;
		ipl_tree_node(level->node[level->count - 2], level->node[level->count - 1], node);
	}
	return IPL_OK;
}

/* --- making --- */

struct maker {
	const struct ipl_nodes *nodes;
	const struct ipl_leaves *leaves;
	struct ipl_error *err;
};

/* The root of the complete subtree of @size records (a power of two) from index @first on. */
static enum ipl_status subtree(const struct maker *m, uint64_t first, uint64_t size,
			       uint8_t out[IPL_ROOT_BYTES])
{
	unsigned int bits = (unsigned int)__builtin_ctzll(size);

	if (bits >= LEAVES_BITS && bits - LEAVES_BITS < LEVELS) {
		const struct level *level = &m->nodes->level[bits - LEAVES_BITS];
		if (first >> bits < level->count) {
			memcpy(out, level->node[first >> bits], IPL_ROOT_BYTES);
			return IPL_OK;
		}
	}
	return hash_records(m->leaves, first, size, out, m->err);
}

/*
 * MTH(D[first:end]). The range begins at a multiple of any power of two that fits into it, so it
 * falls into complete subtrees, the largest first; their roots are a frontier.
 */
static enum ipl_status range(const struct maker *m, uint64_t first, uint64_t end,
			     uint8_t out[IPL_ROOT_BYTES])
{
	struct ipl_tree tree = { .size = end - first };

	while (first < end) {
		uint64_t size = UINT64_C(1) << (63 - __builtin_clzll(end - first));
		enum ipl_status st = subtree(m, first, size, tree.node[tree.count++]);
		if (st != IPL_OK)
			return st;
		first += size;
	}
	ipl_tree_root(&tree, out);
	return IPL_OK;
}

/* The largest power of two below @n (from 2). */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* The path was walked from the root down; it is told from the leaf up. */
static void turn(struct ipl_proof *proof)
{
	uint8_t was[IPL_ROOT_BYTES];

	for (uint32_t i = 0; i < proof->count / 2; i++) {
		uint8_t *a = proof->node[i], *b = proof->node[proof->count - 1 - i];
		memcpy(was, a, sizeof(was));
		memcpy(a, b, sizeof(was));
		memcpy(b, was, sizeof(was));
	}
}

enum ipl_status ipl_proof_root(const struct ipl_nodes *nodes, const struct ipl_leaves *leaves,
			       uint64_t size, uint8_t out[IPL_ROOT_BYTES], struct ipl_error *err)
{
	const struct maker m = { nodes, leaves, err };

	return range(&m, 0, size, out);
}

enum ipl_status ipl_proof_inclusion(const struct ipl_nodes *nodes, const struct ipl_leaves *leaves,
				    uint64_t seq, uint64_t size, struct ipl_proof *out,
				    struct ipl_error *err)
{
	const struct maker m = { nodes, leaves, err };
	uint64_t first = 0, end = size, index = seq - 1;

	assert(seq >= 1 && seq <= size);
	out->count = 0;
	while (end - first > 1) {
		uint64_t middle = first + split(end - first);
		bool is_left = index < middle;
		enum ipl_status st = range(&m, is_left ? middle : first, is_left ? end : middle,
					   out->node[out->count++]);
		if (st != IPL_OK)
			return st;
		if (is_left)
			end = middle;
		else
			first = middle;
	}
	turn(out);
	return IPL_OK;
}

enum ipl_status ipl_proof_consistency(const struct ipl_nodes *nodes,
				      const struct ipl_leaves *leaves, uint64_t from, uint64_t to,
				      struct ipl_proof *out, struct ipl_error *err)
{
	const struct maker m = { nodes, leaves, err };
	uint64_t first = 0, end = to;
	enum ipl_status st;

	assert(from >= 1 && from <= to);
	out->count = 0;
	while (end != from) {
		uint64_t middle = first + split(end - first);
		bool is_left = from <= middle;
		st = range(&m, is_left ? middle : first, is_left ? end : middle,
			   out->node[out->count++]);
		if (st != IPL_OK)
			return st;
		if (is_left)
			end = middle;
		else
			first = middle;
	}
	/* What the old tree ends with, unless that is the whole old tree, whose root is known. */
	st = first == 0 ? IPL_OK : range(&m, first, end, out->node[out->count++]);
	turn(out);
	return st;
}

/* --- checking --- */

bool ipl_proof_includes(const struct ipl_proof *proof, const uint8_t leaf[IPL_ROOT_BYTES],
			uint64_t seq, uint64_t size, const uint8_t root[IPL_ROOT_BYTES])
{
	uint64_t at = seq - 1, last = size - 1;
	uint8_t hash[IPL_ROOT_BYTES];

	if (seq == 0 || seq > size)
		return false;
	memcpy(hash, leaf, sizeof(hash));
	for (uint32_t i = 0; i < proof->count; i++, at >>= 1, last >>= 1) {
		if (last == 0)
			return false;
		if ((at & 1) == 0 && at != last) {
			ipl_tree_node(hash, proof->node[i], hash);
			continue;
		}
		ipl_tree_node(proof->node[i], hash, hash);
		while ((at & 1) == 0 && at != 0) {
			at >>= 1;
			last >>= 1;
		}
	}
	return last == 0 && memcmp(hash, root, sizeof(hash)) == 0;
}

bool ipl_proof_extends(const struct ipl_proof *proof, const struct ipl_head *from,
		       const struct ipl_head *to)
{
	uint64_t at = from->seq - 1, last = to->seq - 1;
	uint8_t was[IPL_ROOT_BYTES], is[IPL_ROOT_BYTES];
	uint32_t i = 0;

	if (from->seq == 0 || from->seq > to->seq)
		return false;
	if (from->seq == to->seq)
		return proof->count == 0 && memcmp(from->root, to->root, sizeof(was)) == 0;
	for (; (at & 1) != 0; at >>= 1)
		last >>= 1;
	if (at != 0 && proof->count == 0)
		return false;
	/* A complete old tree is not in its own proof. */
	memcpy(was, at == 0 ? from->root : proof->node[i++], sizeof(was));
	memcpy(is, was, sizeof(is));
	for (; i < proof->count; i++, at >>= 1, last >>= 1) {
		if (last == 0)
			return false;
		if ((at & 1) == 0 && at != last) {
			ipl_tree_node(is, proof->node[i], is);
			continue;
		}
		ipl_tree_node(proof->node[i], was, was);
		ipl_tree_node(proof->node[i], is, is);
		while ((at & 1) == 0 && at != 0) {
			at >>= 1;
			last >>= 1;
		}
	}
	return last == 0 && memcmp(was, from->root, sizeof(was)) == 0 &&
	       memcmp(is, to->root, sizeof(is)) == 0;
}
