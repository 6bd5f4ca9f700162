/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a checkpoint's file: keys, its checksum, its trailer. */
#include "store/checkpoint_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events/hash.h"

#define MAGIC         "ipledger checkpoint 1\n"
#define MAGIC_BYTES   32
#define PIECE_BYTES   ((size_t)1 << 20)
#define AT_VERSION    MAGIC_BYTES
#define VERSION_BYTES 32
#define AT_SEQ        (AT_VERSION + VERSION_BYTES)
#define AT_BYTES      (AT_SEQ + 8)
#define AT_HASH       (AT_BYTES + 8)
#define AT_STATE_HASH (AT_HASH + 16)
#define AT_NODES      (AT_STATE_HASH + 32)
#define AT_NODE       (AT_NODES + 8)
#define AT_CHECK      (IPL_TRAILER_BYTES - 8)

static_assert(sizeof(IPL_VERSION) <= VERSION_BYTES, "the version fits");
static_assert(AT_NODE + IPL_TREE_LEVELS_MAX * IPL_ROOT_BYTES <= AT_CHECK, "a frontier fits");

const char *const ipl_table_names[IPL_TABLE_COUNT] = { "state", "heads", "tokens" };

void ipl_row_key_pack(struct ipl_key key, uint8_t out[IPL_ROW_KEY_BYTES])
{
	out[0] = (uint8_t)key.kind;
	ipl_put_be64(out + 1, key.a);
	ipl_put_be64(out + 9, key.b);
}

static bool read_all(int fd, void *out, size_t len, uint64_t offset)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t n = pread(fd, at, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* it was cut while it was read */
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

/* Each piece of a MiB has a hash; a hash over (all so far, the piece's) goes on. */
enum ipl_status ipl_file_hash(int fd, uint64_t bytes, uint8_t out[16], struct ipl_error *err)
{
	uint8_t *piece = malloc(PIECE_BYTES), both[32] = { 0 };

	if (piece == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a checkpoint");
	for (uint64_t at = 0; at < bytes; at += PIECE_BYTES) {
		size_t len = bytes - at < PIECE_BYTES ? (size_t)(bytes - at) : PIECE_BYTES;
		struct ipl_hash128 hash;
		if (!read_all(fd, piece, len, at)) {
			free(piece);
			return ipl_error_set(err, IPL_ERR_IO, "it cannot be read: %s",
					     strerror(errno));
		}
		hash = ipl_hash128(piece, len);
		ipl_put_be64(both + 16, hash.hi);
		ipl_put_be64(both + 24, hash.lo);
		hash = ipl_hash128(both, sizeof(both));
		ipl_put_be64(both, hash.hi);
		ipl_put_be64(both + 8, hash.lo);
	}
	memcpy(out, both, 16);
	free(piece);
	return IPL_OK;
}

void ipl_trailer_pack(const struct ipl_checkpoint_head *head, uint64_t bytes,
		      const uint8_t hash[16], uint8_t out[IPL_TRAILER_BYTES])
{
	memset(out, 0, IPL_TRAILER_BYTES);
	memcpy(out, MAGIC, sizeof(MAGIC));
	memcpy(out + AT_VERSION, IPL_VERSION, sizeof(IPL_VERSION));
	ipl_put_be64(out + AT_SEQ, head->seq);
	ipl_put_be64(out + AT_BYTES, bytes);
	memcpy(out + AT_HASH, hash, 16);
	memcpy(out + AT_STATE_HASH, head->state_hash, IPL_DIGEST_BYTES);
	ipl_put_be64(out + AT_NODES, head->tree.count);
	memcpy(out + AT_NODE, head->tree.node, head->tree.count * (size_t)IPL_ROOT_BYTES);
	ipl_put_be64(out + AT_CHECK, ipl_hash64(out, AT_CHECK));
}

const char *ipl_trailer_parse(const uint8_t trailer[IPL_TRAILER_BYTES], uint64_t *bytes,
			      uint8_t hash[16], struct ipl_checkpoint_head *out)
{
	uint64_t nodes = ipl_get_be64(trailer + AT_NODES);

	if (memcmp(trailer, MAGIC, sizeof(MAGIC)) != 0)
		return "it does not end as a checkpoint does";
	if (ipl_get_be64(trailer + AT_CHECK) != ipl_hash64(trailer, AT_CHECK))
		return "the checksum of its trailer does not fit";
	/* What an event means may have been corrected since: then the log is folded anew. */
	if (memcmp(trailer + AT_VERSION, IPL_VERSION, sizeof(IPL_VERSION)) != 0)
		return "another version of ipledger made it";
	memset(out, 0, sizeof(*out));
	out->seq = ipl_get_be64(trailer + AT_SEQ);
	if (nodes != (uint64_t)__builtin_popcountll(out->seq))
		return "its tree has not as many nodes as it must";
	*bytes = ipl_get_be64(trailer + AT_BYTES);
	memcpy(hash, trailer + AT_HASH, 16);
	memcpy(out->state_hash, trailer + AT_STATE_HASH, IPL_DIGEST_BYTES);
	out->tree.size = out->seq;
	out->tree.count = (uint32_t)nodes;
	memcpy(out->tree.node, trailer + AT_NODE, nodes * IPL_ROOT_BYTES);
	return NULL;
}
