/* SPDX-License-Identifier: Apache-2.0 */
/* Records that go into the log together. */
#include "store/store.h"

#include <stdlib.h>

/* Where the last record ends. */
static size_t end_of(const struct ipl_batch *batch)
{
	return batch->count == 0 ? 0 : batch->end[batch->count - 1];
}

/* The record that begins at @begin is no part of the batch. */
static enum ipl_status cut(struct ipl_batch *batch, size_t begin, enum ipl_status st)
{
	batch->bytes.len = begin;
	batch->bytes.failed = false; /* what it holds is whole */
	return st;
}

enum ipl_status ipl_batch_end(struct ipl_batch *batch, struct ipl_error *err)
{
	size_t begin = end_of(batch), len = batch->bytes.len - begin;

	if (batch->bytes.failed)
		return cut(batch, begin,
			   ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a batch"));
	if (len > IPL_RECORD_BYTES_MAX || batch->count == IPL_BATCH_RECORDS_MAX ||
	    len > IPL_BATCH_BYTES_MAX - begin)
		return cut(batch, begin,
			   ipl_error_set(err, IPL_ERR_NOMEM,
					 "a batch takes %u records and %u bytes, a record %u bytes",
					 IPL_BATCH_RECORDS_MAX, IPL_BATCH_BYTES_MAX,
					 IPL_RECORD_BYTES_MAX));
	if (batch->count == batch->cap) {
		uint32_t cap = batch->cap == 0 ? 64 : batch->cap * 2;
		uint32_t *grown = realloc(batch->end, cap * sizeof(*grown));
		if (grown == NULL)
			return cut(batch, begin,
				   ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a batch"));
		batch->end = grown;
		batch->cap = cap;
	}
	batch->end[batch->count++] = (uint32_t)batch->bytes.len;
	return IPL_OK;
}

enum ipl_status ipl_batch_add(struct ipl_batch *batch, const void *record, size_t len,
			      struct ipl_error *err)
{
	ipl_buf_append(&batch->bytes, record, len);
	return ipl_batch_end(batch, err);
}

struct ipl_str ipl_batch_get(const struct ipl_batch *batch, uint64_t seq)
{
	uint64_t i = seq - batch->first_seq;
	size_t begin;

	if (seq < batch->first_seq || i >= batch->count)
		return IPL_STR_NONE;
	begin = i == 0 ? 0 : batch->end[i - 1];
	return (struct ipl_str){ (const char *)batch->bytes.at + begin, batch->end[i] - begin };
}

void ipl_batch_reset(struct ipl_batch *batch, uint64_t first_seq)
{
	batch->bytes.len = 0;
	batch->bytes.failed = false;
	batch->count = 0;
	batch->first_seq = first_seq;
}

void ipl_batch_release(struct ipl_batch *batch)
{
	ipl_buf_release(&batch->bytes);
	free(batch->end);
	*batch = (struct ipl_batch){ 0 };
}
