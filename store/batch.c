/* SPDX-License-Identifier: Apache-2.0 */
/* Records that go into the log together. */
#include "store/store.h"

#include <stdlib.h>

enum ipl_status ipl_batch_add(struct ipl_batch *batch, const void *record, size_t len,
			      struct ipl_error *err)
{
	if (len > IPL_RECORD_BYTES_MAX || batch->count == IPL_BATCH_RECORDS_MAX ||
	    len > IPL_BATCH_BYTES_MAX - batch->bytes.len)
		return ipl_error_set(err, IPL_ERR_NOMEM,
				     "a batch takes %u records and %u bytes, a record %u bytes",
				     IPL_BATCH_RECORDS_MAX, IPL_BATCH_BYTES_MAX,
				     IPL_RECORD_BYTES_MAX);
	if (batch->count == batch->cap) {
		uint32_t cap = batch->cap == 0 ? 64 : batch->cap * 2;
		uint32_t *grown = realloc(batch->end, cap * sizeof(*grown));
		if (grown == NULL)
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a batch");
		batch->end = grown;
		batch->cap = cap;
	}
	if (!ipl_buf_reserve(&batch->bytes, len)) {
		batch->bytes.failed = false; /* what it holds is whole */
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a batch");
	}
	ipl_buf_append(&batch->bytes, record, len);
	batch->end[batch->count++] = (uint32_t)batch->bytes.len;
	return IPL_OK;
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
	batch->count = 0;
	batch->first_seq = first_seq;
}

void ipl_batch_release(struct ipl_batch *batch)
{
	ipl_buf_release(&batch->bytes);
	free(batch->end);
	*batch = (struct ipl_batch){ 0 };
}
