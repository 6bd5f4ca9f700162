/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: the eight leaves of the certificate-transparency reference code, with the roots and paths
 * that it publishes; and trees of every size up to 130, of random ones up to 3,000.
 * Claimed: roots, audit paths and consistency proofs are those of RFC 6962 (its recursion, written
 * down as it stands, is the model); kept nodes change nothing; each proof is accepted by its
 * checker, and not with any bit changed, a node more or less, or for anything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES_MAX 3000u

struct forest {
	struct ipl_str leaf[LEAVES_MAX];
	uint64_t reads;
};

static enum ipl_status get_leaf(void *context, uint64_t seq, struct ipl_str *out,
				struct ipl_error *err)
{
	struct forest *forest = context;

	(void)err;
	forest->reads++;
	*out = forest->leaf[seq - 1];
	return IPL_OK;
}

/* --- the published vectors --- */

static const char *const eight[] = { "",
				     "00",
				     "10",
				     "2021",
				     "3031",
				     "40414243",
				     "5051525354555657",
				     "606162636465666768696a6b6c6d6e6f" };

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

static const struct {
	uint64_t seq, size;
	const char *path[4];
} inclusions[] = {
	{ 1, 1, { NULL } },
	{ 1,
	  8,
	  { "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4" } },
	{ 6,
	  8,
	  { "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" } },
	{ 3, 3, { "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" } },
	{ 2,
	  5,
	  { "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b" } },
};

static const struct {
	uint64_t from, to;
	const char *path[4];
} consistencies[] = {
	{ 1, 1, { NULL } },
	{ 1,
	  8,
	  { "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4" } },
	{ 6,
	  8,
	  { "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" } },
	{ 2,
	  5,
	  { "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b" } },
};

static size_t unhex(const char *text, uint8_t *out)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		char byte[3] = { text[2 * i], text[2 * i + 1], '\0' };
		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return len;
}

static void check_path(const struct ipl_proof *proof, const char *const *path)
{
	uint8_t node[IPL_ROOT_BYTES];
	uint32_t count = 0;

	for (; count < 4 && path[count] != NULL; count++) {
		unhex(path[count], node);
		assert_true(count < proof->count);
		assert_memory_equal(proof->node[count], node, sizeof(node));
	}
	assert_int_equal(proof->count, count);
}

static void test_published(void **state)
{
	static uint8_t bytes[8][16];
	struct forest forest = { .reads = 0 };
	const struct ipl_leaves leaves = { &forest, get_leaf };
	struct ipl_nodes *nodes = ipl_nodes_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_tree tree = { .size = 0 };
	struct ipl_proof proof;
	uint8_t root[IPL_ROOT_BYTES], wanted[IPL_ROOT_BYTES];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		forest.leaf[i] = (struct ipl_str){ (char *)bytes[i], unhex(eight[i], bytes[i]) };
	for (uint64_t size = 0; size <= 8; size++) {
		unhex(roots[size], wanted);
		assert_int_equal(ipl_proof_root(nodes, &leaves, size, root, &err), IPL_OK);
		assert_memory_equal(root, wanted, sizeof(root));
		ipl_tree_root(&tree, root);
		assert_memory_equal(root, wanted, sizeof(root));
		if (size < 8)
			ipl_tree_add(&tree, forest.leaf[size]);
	}
	for (size_t i = 0; i < IPL_ARRAY_SIZE(inclusions); i++) {
		assert_int_equal(ipl_proof_inclusion(nodes, &leaves, inclusions[i].seq,
						     inclusions[i].size, &proof, &err),
				 IPL_OK);
		check_path(&proof, inclusions[i].path);
	}
	for (size_t i = 0; i < IPL_ARRAY_SIZE(consistencies); i++) {
		assert_int_equal(ipl_proof_consistency(nodes, &leaves, consistencies[i].from,
						       consistencies[i].to, &proof, &err),
				 IPL_OK);
		check_path(&proof, consistencies[i].path);
	}
	ipl_nodes_free(nodes);
}

/* --- the RFC's definitions as they stand --- */

static uint64_t largest_below(uint64_t n)
{
	uint64_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

static void model_root(const struct ipl_str *leaf, uint64_t n, uint8_t out[IPL_ROOT_BYTES])
{
	uint8_t left[IPL_ROOT_BYTES], right[IPL_ROOT_BYTES];
	uint64_t k;

	if (n == 1) {
		ipl_tree_leaf(leaf[0], out);
		return;
	}
	k = largest_below(n);
	model_root(leaf, k, left);
	model_root(leaf + k, n - k, right);
	ipl_tree_node(left, right, out);
}

static void model_path(uint64_t m, const struct ipl_str *leaf, uint64_t n, struct ipl_proof *out)
{
	uint64_t k;

	if (n == 1)
		return;
	k = largest_below(n);
	if (m < k) {
		model_path(m, leaf, k, out);
		model_root(leaf + k, n - k, out->node[out->count++]);
	} else {
		model_path(m - k, leaf + k, n - k, out);
		model_root(leaf, k, out->node[out->count++]);
	}
}

static void model_subproof(uint64_t m, const struct ipl_str *leaf, uint64_t n, bool is_known,
			   struct ipl_proof *out)
{
	uint64_t k;

	if (m == n) {
		if (!is_known)
			model_root(leaf, n, out->node[out->count++]);
		return;
	}
	k = largest_below(n);
	if (m <= k) {
		model_subproof(m, leaf, k, is_known, out);
		model_root(leaf + k, n - k, out->node[out->count++]);
	} else {
		model_subproof(m - k, leaf + k, n - k, false, out);
		model_root(leaf, k, out->node[out->count++]);
	}
}

static void assert_same(const struct ipl_proof *a, const struct ipl_proof *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->node, b->node, a->count * sizeof(a->node[0]));
}

/* --- all sizes --- */

static void plant(struct forest *forest, uint32_t from, char kind)
{
	static char bytes[LEAVES_MAX][8];

	for (uint32_t i = from; i < LEAVES_MAX; i++) {
		(void)snprintf(bytes[i], sizeof(bytes[i]), "%c%u", kind, i);
		forest->leaf[i] = ipl_str_of(bytes[i]);
	}
}

/* Whatever is changed, the checker says no. */
static void check_inclusion_fails(const struct ipl_proof *proof, uint64_t seq, uint64_t size,
				  const uint8_t leaf[IPL_ROOT_BYTES],
				  const uint8_t root[IPL_ROOT_BYTES])
{
	struct ipl_proof wrong = *proof;

	if (proof->count > 0) {
		uint32_t at = (uint32_t)(seq * 7 + size) % proof->count;
		wrong.node[at][size % IPL_ROOT_BYTES] ^= (uint8_t)(1u << seq % 8);
		assert_false(ipl_proof_includes(&wrong, leaf, seq, size, root));
		wrong = *proof;
		wrong.count--;
		assert_false(ipl_proof_includes(&wrong, leaf, seq, size, root));
	}
	wrong = *proof;
	memset(wrong.node[wrong.count++], 0, IPL_ROOT_BYTES);
	assert_false(ipl_proof_includes(&wrong, leaf, seq, size, root));
	assert_false(ipl_proof_includes(proof, root, seq, size, size == 1 ? wrong.node[0] : root));
	assert_false(ipl_proof_includes(proof, leaf, seq + 1, size, root));
	/* A path that is too short, or too long, for the tree that it is said to be of. */
	assert_false(ipl_proof_includes(proof, leaf, seq, 4 * size, root));
	assert_false(size > 2 && seq == size && (size & (size - 1)) == 0 &&
		     ipl_proof_includes(proof, leaf, seq / 2, size / 2, root));
	assert_false(ipl_proof_includes(proof, leaf, 0, size, root));
	assert_false(ipl_proof_includes(proof, leaf, size + 1, size, root));
}

static void check_consistency_fails(const struct ipl_proof *proof, const struct ipl_head *from,
				    const struct ipl_head *to)
{
	struct ipl_proof wrong = *proof;
	struct ipl_head other = *from;

	other.root[to->seq % IPL_ROOT_BYTES] ^= 1;
	assert_false(ipl_proof_extends(proof, &other, to));
	other = *to;
	other.root[from->seq % IPL_ROOT_BYTES] ^= 1;
	assert_false(ipl_proof_extends(proof, from, &other));
	if (proof->count > 0) {
		wrong.node[(from->seq * 5 + to->seq) % proof->count][from->seq % IPL_ROOT_BYTES] ^=
			1;
		assert_false(ipl_proof_extends(&wrong, from, to));
		wrong = *proof;
		wrong.count--;
		assert_false(ipl_proof_extends(&wrong, from, to));
	}
	wrong = *proof;
	memset(wrong.node[wrong.count++], 0, IPL_ROOT_BYTES);
	assert_false(ipl_proof_extends(&wrong, from, to));
	assert_false(from->seq != to->seq && ipl_proof_extends(proof, to, from));
}

static void check_pair(const struct ipl_nodes *nodes, struct forest *forest, uint64_t from,
		       uint64_t to)
{
	const struct ipl_leaves leaves = { forest, get_leaf };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_head a = { .seq = from }, b = { .seq = to };
	struct ipl_proof proof, model = { .count = 0 };
	uint8_t leaf[IPL_ROOT_BYTES];

	assert_int_equal(ipl_proof_root(nodes, &leaves, from, a.root, &err), IPL_OK);
	assert_int_equal(ipl_proof_root(nodes, &leaves, to, b.root, &err), IPL_OK);
	model_root(forest->leaf, to, leaf);
	assert_memory_equal(b.root, leaf, sizeof(leaf));

	assert_int_equal(ipl_proof_inclusion(nodes, &leaves, from, to, &proof, &err), IPL_OK);
	model_path(from - 1, forest->leaf, to, &model);
	assert_same(&proof, &model);
	ipl_tree_leaf(forest->leaf[from - 1], leaf);
	assert_true(ipl_proof_includes(&proof, leaf, from, to, b.root));
	check_inclusion_fails(&proof, from, to, leaf, b.root);

	assert_int_equal(ipl_proof_consistency(nodes, &leaves, from, to, &proof, &err), IPL_OK);
	model.count = 0;
	model_subproof(from, forest->leaf, to, true, &model);
	assert_same(&proof, &model);
	assert_true(ipl_proof_extends(&proof, &a, &b));
	check_consistency_fails(&proof, &a, &b);
}

static void test_all_pairs(void **state)
{
	static struct forest forest;
	struct ipl_nodes *nodes = ipl_nodes_new();

	(void)state;
	plant(&forest, 0, 'a');
	for (uint64_t to = 1; to <= 130; to++) {
		for (uint64_t from = 1; from <= to; from++)
			check_pair(nodes, &forest, from, to);
	}
	ipl_nodes_free(nodes);
}

static void test_kept_nodes(void **state)
{
	static struct forest forest;
	const struct ipl_leaves leaves = { &forest, get_leaf };
	struct ipl_nodes *nodes = ipl_nodes_new();
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_proof proof;

	(void)state;
	plant(&forest, 0, 'a');
	for (uint64_t size = 0; size + IPL_NODE_LEAVES <= LEAVES_MAX; size += IPL_NODE_LEAVES) {
		assert_int_equal(ipl_nodes_size(nodes), size);
		assert_int_equal(ipl_nodes_add(nodes, &leaves, &err), IPL_OK);
	}
	srand(7);
	for (int i = 0; i < 60; i++) {
		uint64_t to = (uint64_t)rand() % LEAVES_MAX + 1;
		check_pair(nodes, &forest, (uint64_t)rand() % to + 1, to);
	}
	forest.reads = 0;
	assert_int_equal(ipl_proof_inclusion(nodes, &leaves, 5, LEAVES_MAX, &proof, &err), IPL_OK);
	assert_true(forest.reads < 2 * IPL_NODE_LEAVES); /* the edges alone are read */
	/* What is cut is made again, of other records if there are others now. */
	ipl_nodes_cut(nodes, 1000);
	assert_int_equal(ipl_nodes_size(nodes), 768);
	plant(&forest, 768, 'b');
	check_pair(nodes, &forest, 700, 1280);
	assert_int_equal(ipl_nodes_add(nodes, &leaves, &err), IPL_OK);
	assert_int_equal(ipl_nodes_add(nodes, &leaves, &err), IPL_OK);
	check_pair(nodes, &forest, 700, 1280);
	check_pair(nodes, &forest, 1100, 1280);
	ipl_nodes_free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_all_pairs),
		cmocka_unit_test(test_kept_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
