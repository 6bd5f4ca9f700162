/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Merkle tree over the log, as RFC 6962 2.1 defines it: SHA-256, leaf
 * hash = H(0x00, record), node = H(0x01, left, right). Only the frontier is
 * kept: the roots of the complete subtrees, largest first.
 */
#ifndef IPL_STORE_TREE_H
#define IPL_STORE_TREE_H

#include "store/store.h"

#define IPL_TREE_LEVELS_MAX 64

/** Zeroed is the empty tree. Copied by assignment. */
struct ipl_tree {
	uint64_t size;
	uint8_t node[IPL_TREE_LEVELS_MAX][IPL_ROOT_BYTES]; /* one for each bit set in size */
	uint32_t count;
};

/** The hash of a leaf: of 0x00 and the record. */
void ipl_tree_leaf(struct ipl_str record, uint8_t out[IPL_ROOT_BYTES]);
/** The hash of a node: of 0x01 and its two below. @out may be one of them. */
void ipl_tree_node(const uint8_t left[IPL_ROOT_BYTES], const uint8_t right[IPL_ROOT_BYTES],
		   uint8_t out[IPL_ROOT_BYTES]);
/** Add the next record. */
void ipl_tree_add(struct ipl_tree *tree, struct ipl_str record);
/** The root over all records so far; of none the hash of nothing. */
void ipl_tree_root(const struct ipl_tree *tree, uint8_t out[IPL_ROOT_BYTES]);

#endif
