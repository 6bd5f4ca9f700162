/* SPDX-License-Identifier: Apache-2.0 */
/* The frontier of an RFC 6962 tree. */
#include "store/tree.h"

#include "store/digest.h"

#include <assert.h>
#include <string.h>

static_assert(IPL_ROOT_BYTES == IPL_DIGEST_BYTES, "a node is one SHA-256");

/* The hash of two pieces, one after the other. */
static void hash(uint8_t out[IPL_ROOT_BYTES], const void *first, size_t first_len,
		 const void *second, size_t second_len)
{
	struct ipl_digest digest;

	ipl_digest_begin(&digest);
	ipl_digest_add(&digest, first, first_len);
	if (second_len > 0)
		ipl_digest_add(&digest, second, second_len);
	ipl_digest_end(&digest, out);
}

void ipl_tree_node(const uint8_t left[IPL_ROOT_BYTES], const uint8_t right[IPL_ROOT_BYTES],
		   uint8_t out[IPL_ROOT_BYTES])
{
	uint8_t bytes[1 + 2 * IPL_ROOT_BYTES] = { 0x01 };

	memcpy(bytes + 1, left, IPL_ROOT_BYTES);
	memcpy(bytes + 1 + IPL_ROOT_BYTES, right, IPL_ROOT_BYTES);
	hash(out, bytes, sizeof(bytes), NULL, 0);
}

void ipl_tree_leaf(struct ipl_str record, uint8_t out[IPL_ROOT_BYTES])
{
	hash(out, (const uint8_t[]){ 0x00 }, 1, record.at, record.len);
}

void ipl_tree_add(struct ipl_tree *tree, struct ipl_str record)
{
	assert(tree->count < IPL_TREE_LEVELS_MAX);
	ipl_tree_leaf(record, tree->node[tree->count++]);
	/* Each bit that is set below the lowest clear one is a subtree that becomes complete. */
	for (uint64_t size = tree->size; size & 1; size >>= 1) {
		uint8_t *left = tree->node[tree->count - 2];
		ipl_tree_node(left, tree->node[tree->count - 1], left);
		tree->count--;
	}
	tree->size++;
}

void ipl_tree_root(const struct ipl_tree *tree, uint8_t out[IPL_ROOT_BYTES])
{
	if (tree->count == 0) {
		hash(out, "", 0, NULL, 0);
		return;
	}
	memcpy(out, tree->node[tree->count - 1], IPL_ROOT_BYTES);
	for (uint32_t i = tree->count - 1; i > 0; i--)
		ipl_tree_node(tree->node[i - 1], out, out);
}
