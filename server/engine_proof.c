/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs by the tree. The nodes that they need are made when the first proof is asked for,
 * and kept; later ones find them.
 */
#include "server/engine_internal.h"

#include <inttypes.h>
#include <string.h>

#include "store/proof.h"

static enum ipl_status get_leaf(void *context, uint64_t seq, struct ipl_str *record,
				struct ipl_error *err)
{
	return ipl_engine_get(context, seq, record, err);
}

/* --- nodes --- */

static bool is_short(const struct ipl_engine *engine, uint64_t size)
{
	return size > ipl_nodes_size(engine->nodes) &&
	       size - ipl_nodes_size(engine->nodes) >= IPL_NODE_LEAVES;
}

/* The nodes of the first @size events. */
static enum ipl_status need_nodes(struct ipl_engine *engine, uint64_t size, struct ipl_error *err)
{
	const struct ipl_leaves leaves = { engine, get_leaf };
	enum ipl_status st = IPL_OK;

	if (engine->nodes == NULL)
		engine->nodes = ipl_nodes_new();
	if (engine->nodes == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the tree");
	while (st == IPL_OK && is_short(engine, size))
		st = ipl_nodes_add(engine->nodes, &leaves, err);
	return st;
}

/* --- answers --- */

static struct ipl_value hex(struct ipl_arena *arena, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;
	char *text = ipl_arena_alloc(arena, len * 2 + 1);

	for (size_t i = 0; text != NULL && i < len; i++) {
		text[2 * i] = digits[at[i] >> 4];
		text[2 * i + 1] = digits[at[i] & 15];
	}
	return ipl_text((struct ipl_str){ text, text == NULL ? 0 : len * 2 });
}

static struct ipl_value path_value(struct ipl_arena *arena, const struct ipl_proof *proof)
{
	struct ipl_value list = ipl_array();

	for (uint32_t i = 0; i < proof->count; i++)
		ipl_array_add(arena, &list, hex(arena, proof->node[i], IPL_ROOT_BYTES));
	return list;
}

static enum ipl_status out_of_range(struct ipl_error *err, const char *name, uint64_t value,
				    uint64_t most, const char *what)
{
	ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "%s is %" PRIu64 ", %s %" PRIu64, name, value,
		   what, most);
	ipl_error_add(err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

enum ipl_status ipl_engine_inclusion(struct ipl_engine *engine,
				     const struct ipl_args_get_inclusion *args, uint64_t as_of,
				     struct ipl_arena *arena, struct ipl_answer *answer)
{
	const struct ipl_leaves leaves = { engine, get_leaf };
	struct ipl_error *err = &answer->err;
	uint64_t seq = (uint64_t)args->seq;
	uint64_t size = args->size == IPL_ABSENT ? as_of : (uint64_t)args->size;
	uint8_t leaf[IPL_ROOT_BYTES], root[IPL_ROOT_BYTES];
	struct ipl_proof proof;
	struct ipl_value record;
	struct ipl_str bytes;
	enum ipl_status st;

	if (size > as_of)
		return out_of_range(err, "TreeSize", size, as_of, "the last event is");
	if (seq > size)
		return out_of_range(err, "Seq", seq, size, "the tree's last event is");
	st = need_nodes(engine, size, err);
	if (st == IPL_OK)
		st = ipl_proof_inclusion(engine->nodes, &leaves, seq, size, &proof, err);
	if (st == IPL_OK)
		st = ipl_proof_root(engine->nodes, &leaves, size, root, err);
	if (st == IPL_OK)
		st = ipl_engine_get(engine, seq, &bytes, err);
	if (st != IPL_OK)
		return st;
	ipl_tree_leaf(bytes, leaf);
	record = hex(arena, bytes.at, bytes.len);
	ipl_map_add(arena, &answer->result, "LeafHash", hex(arena, leaf, sizeof(leaf)));
	ipl_map_add(arena, &answer->result, "TreeSize", ipl_int((int64_t)size));
	ipl_map_add(arena, &answer->result, "Root", hex(arena, root, sizeof(root)));
	ipl_map_add(arena, &answer->result, "Path", path_value(arena, &proof));
	ipl_map_add(arena, &answer->result, "Record", record);
	return IPL_OK;
}

enum ipl_status ipl_engine_consistency(struct ipl_engine *engine,
				       const struct ipl_args_get_consistency *args, uint64_t as_of,
				       struct ipl_arena *arena, struct ipl_answer *answer)
{
	const struct ipl_leaves leaves = { engine, get_leaf };
	struct ipl_error *err = &answer->err;
	uint64_t from = (uint64_t)args->from, to = (uint64_t)args->to;
	uint8_t from_root[IPL_ROOT_BYTES], to_root[IPL_ROOT_BYTES];
	struct ipl_proof proof;
	enum ipl_status st;

	if (to > as_of)
		return out_of_range(err, "To", to, as_of, "the last event is");
	if (from > to)
		return out_of_range(err, "From", from, to, "which is more than To:");
	st = need_nodes(engine, to, err);
	if (st == IPL_OK)
		st = ipl_proof_root(engine->nodes, &leaves, from, from_root, err);
	if (st == IPL_OK)
		st = ipl_proof_root(engine->nodes, &leaves, to, to_root, err);
	if (st == IPL_OK)
		st = ipl_proof_consistency(engine->nodes, &leaves, from, to, &proof, err);
	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, &answer->result, "FromRoot", hex(arena, from_root, sizeof(from_root)));
	ipl_map_add(arena, &answer->result, "ToRoot", hex(arena, to_root, sizeof(to_root)));
	ipl_map_add(arena, &answer->result, "Path", path_value(arena, &proof));
	return IPL_OK;
}
