/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the checkpoints share. */
#ifndef IPL_STORE_CHECKPOINT_INTERNAL_H
#define IPL_STORE_CHECKPOINT_INTERNAL_H

#include "store/checkpoint.h"
#include "store/lmdb_internal.h"

#define IPL_ROW_KEY_BYTES 17
#define IPL_TRAILER_BYTES ((size_t)4096)

/* A file that is mapped, by as many as have taken it. */
struct ipl_checkpoint_file {
	MDB_env *env;
	MDB_dbi table[IPL_TABLE_COUNT];
	struct ipl_checkpoint_head head;
	uint32_t users; /* with the set's lock held; the set is one of them */
};

enum ipl_checkpoint_state { IPL_CHECKPOINT_UNSEEN, IPL_CHECKPOINT_GOOD, IPL_CHECKPOINT_BAD };

struct ipl_checkpoint_entry {
	uint64_t seq;
	uint64_t bytes;
	enum ipl_checkpoint_state state;
	struct ipl_checkpoint_file *file; /* of a good one that was taken */
};

struct ipl_checkpoints {
	struct ipl_store *store;
	char *dir; /* DIR/checkpoints */
	ipl_complain_fn complain;
	void *context;
	pthread_mutex_t lock;
	struct ipl_checkpoint_entry *entry; /* ascending by seq */
	size_t count;
	size_t cap;
};

extern const char *const ipl_table_names[IPL_TABLE_COUNT];

void ipl_row_key_pack(struct ipl_key key, uint8_t out[IPL_ROW_KEY_BYTES]);
/** The path of a checkpoint, or with @suffix of what becomes one. False where it is too long. */
bool ipl_checkpoint_path(const struct ipl_checkpoints *set, uint64_t seq, const char *suffix,
			 char out[4096]);
/** Put one into the set; with the lock held. */
enum ipl_status ipl_checkpoints_add(struct ipl_checkpoints *set,
				    const struct ipl_checkpoint_entry *entry,
				    struct ipl_error *err) IPL_MUST_USE;

/** The checksum of the first @bytes of @fd, read in pieces. */
enum ipl_status ipl_file_hash(int fd, uint64_t bytes, uint8_t out[16],
			      struct ipl_error *err) IPL_MUST_USE;
/** The trailer of a file of so many bytes with that checksum, and what a trailer says. */
void ipl_trailer_pack(const struct ipl_checkpoint_head *head, uint64_t bytes,
		      const uint8_t hash[16], uint8_t out[IPL_TRAILER_BYTES]);
/** NULL, or what is wrong with it. */
const char *ipl_trailer_parse(const uint8_t trailer[IPL_TRAILER_BYTES], uint64_t *bytes,
			      uint8_t hash[16], struct ipl_checkpoint_head *out);

#endif
