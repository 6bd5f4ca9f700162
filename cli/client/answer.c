/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: bytes, and what is found in them. */
#include "cli/client/client_internal.h"

#include <stdlib.h>
#include <string.h>

#include "events/json.h"

/* A tree takes more than its bytes: a node of 24 bytes for each, at most. */
#define ARENA_BYTES ((size_t)1 << 30)

struct ipl_client_answer *ipl_client_answer_new(const void *bytes, size_t len)
{
	struct ipl_client_answer *answer = calloc(1, sizeof(*answer));

	if (answer == NULL)
		return NULL;
	ipl_arena_init(&answer->arena, ARENA_BYTES);
	ipl_buf_append(&answer->bytes, bytes, len);
	if (answer->bytes.failed) {
		ipl_client_answer_free(answer);
		return NULL;
	}
	return answer;
}

void ipl_client_answer_free(struct ipl_client_answer *answer)
{
	if (answer == NULL)
		return;
	ipl_arena_release(&answer->arena);
	ipl_buf_release(&answer->bytes);
	free(answer);
}

const void *ipl_client_answer_bytes(const struct ipl_client_answer *answer, size_t *len)
{
	*len = answer->bytes.len;
	return answer->bytes.at;
}

static const struct ipl_value *find(struct ipl_client_answer *answer, const char *path)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);

	if (!answer->is_parsed &&
	    ipl_msgpack_parse(&answer->arena, answer->bytes.at, answer->bytes.len, &answer->tree,
			      &unused) != IPL_OK)
		return NULL; /* no memory: what it is was seen when it came */
	answer->is_parsed = true;
	return path[0] == '\0' ? &answer->tree : ipl_value_at(&answer->tree, ipl_str_of(path));
}

const char *ipl_client_answer_text(struct ipl_client_answer *answer, const char *path)
{
	const struct ipl_value *value = find(answer, path);

	return value == NULL || value->type != IPL_VALUE_STR ?
		       NULL :
		       ipl_arena_str(&answer->arena, value->str).at;
}

bool ipl_client_answer_int(struct ipl_client_answer *answer, const char *path, int64_t *out)
{
	const struct ipl_value *value = find(answer, path);

	if (value == NULL || value->type != IPL_VALUE_INT)
		return false;
	*out = value->integer;
	return true;
}

bool ipl_client_answer_bool(struct ipl_client_answer *answer, const char *path, bool *out)
{
	const struct ipl_value *value = find(answer, path);

	if (value == NULL || value->type != IPL_VALUE_BOOL)
		return false;
	*out = value->boolean;
	return true;
}

size_t ipl_client_answer_count(struct ipl_client_answer *answer, const char *path)
{
	const struct ipl_value *value = find(answer, path);

	return value == NULL || (value->type != IPL_VALUE_ARRAY && value->type != IPL_VALUE_MAP) ?
		       0 :
		       value->count;
}

const char *ipl_client_answer_json(struct ipl_client_answer *answer, const char *path)
{
	const struct ipl_value *value = find(answer, path);
	struct ipl_buf buf = { 0 };
	struct ipl_str text = IPL_STR_NONE;

	if (value == NULL)
		return NULL;
	ipl_json_write(&buf, value, IPL_JSON_COMPACT);
	if (!buf.failed)
		text = ipl_arena_str(&answer->arena,
				     (struct ipl_str){ (const char *)buf.at, buf.len });
	ipl_buf_release(&buf);
	return text.at;
}
