/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs by the tree over the log (RFC 6962, 2.1.1 and 2.1.2): that a record is in it, and that one
 * head extends another. What makes and what checks them shares nothing but the hashes.
 *
 * A proof needs the roots of some complete subtrees. Those of IPL_NODE_LEAVES records
 * and more are kept in memory once they are made (64 bytes for each 256 records);
 * the few small ones are made from the records each time.
 */
#ifndef IPL_STORE_PROOF_H
#define IPL_STORE_PROOF_H

#include "store/tree.h"

#define IPL_NODE_LEAVES     UINT64_C(256)
#define IPL_PROOF_NODES_MAX (IPL_TREE_LEVELS_MAX + 1)

/** Where records come from. */
struct ipl_leaves {
	void *context;
	/** The record of @seq, borrowed until the next call. */
	enum ipl_status (*get)(void *context, uint64_t seq, struct ipl_str *record,
			       struct ipl_error *err);
};

struct ipl_nodes;

/** No nodes yet; NULL without memory. */
struct ipl_nodes *ipl_nodes_new(void);
void ipl_nodes_free(struct ipl_nodes *nodes);
/** How many records the nodes cover: a multiple of IPL_NODE_LEAVES. */
uint64_t ipl_nodes_size(const struct ipl_nodes *nodes);
/** Make the next node, of IPL_NODE_LEAVES records, and those above that become complete. */
enum ipl_status ipl_nodes_add(struct ipl_nodes *nodes, const struct ipl_leaves *leaves,
			      struct ipl_error *err) IPL_MUST_USE;
/** Forget the nodes of records beyond the first @size. */
void ipl_nodes_cut(struct ipl_nodes *nodes, uint64_t size);

struct ipl_proof {
	uint8_t node[IPL_PROOF_NODES_MAX][IPL_ROOT_BYTES];
	uint32_t count;
};

/* Where nodes do not cover what is asked, records are hashed in their place. */

/** The root over the first @size records. */
enum ipl_status ipl_proof_root(const struct ipl_nodes *nodes, const struct ipl_leaves *leaves,
			       uint64_t size, uint8_t out[IPL_ROOT_BYTES],
			       struct ipl_error *err) IPL_MUST_USE;
/** That the record @seq is in the tree of the first @size (1 <= seq <= size): its audit path. */
enum ipl_status ipl_proof_inclusion(const struct ipl_nodes *nodes, const struct ipl_leaves *leaves,
				    uint64_t seq, uint64_t size, struct ipl_proof *out,
				    struct ipl_error *err) IPL_MUST_USE;
/** That the tree of @to records extends that of @from (1 <= from <= to). */
enum ipl_status ipl_proof_consistency(const struct ipl_nodes *nodes,
				      const struct ipl_leaves *leaves, uint64_t from, uint64_t to,
				      struct ipl_proof *out, struct ipl_error *err) IPL_MUST_USE;

/** Whether @proof leads from record @seq with hash @leaf to @root over @size records. */
bool ipl_proof_includes(const struct ipl_proof *proof, const uint8_t leaf[IPL_ROOT_BYTES],
			uint64_t seq, uint64_t size, const uint8_t root[IPL_ROOT_BYTES]);
/** Whether @proof shows that @to, with its root, extends @from. */
bool ipl_proof_extends(const struct ipl_proof *proof, const struct ipl_head *from,
		       const struct ipl_head *to);

#endif
