/* SPDX-License-Identifier: Apache-2.0 */
/* Results and errors as HTTP bodies. */
#include "server/answer_http.h"

#include <stdio.h>

#include "events/json.h"
#include "server/xml.h"

/* A page by number cannot end early, so that an answer here may be larger than a native one. */
#define BODY_BYTES_MAX ((size_t)64 << 20)

const char *ipl_http_content_type(enum ipl_http_format format)
{
	return format == IPL_HTTP_XML ? "text/xml;charset=utf-8" : "application/json";
}

static void write_tree(struct ipl_buf *out, enum ipl_http_format format, const char *root,
		       const struct ipl_value *map)
{
	if (format == IPL_HTTP_XML)
		ipl_xml_write(out, root, map);
	else
		ipl_json_write(out, map, IPL_JSON_COMPACT);
}

/* The door's own word for what the native one calls an unknown operation. */
static enum ipl_code code_of(const struct ipl_error *err)
{
	return err->code == IPL_CODE_UNKNOWN_OPERATION ? IPL_CODE_API_NOT_FOUND : err->code;
}

/* Text that is cut may end within a character; then only ASCII is left of it. */
static struct ipl_str as_utf8(struct ipl_arena *arena, const char *text)
{
	struct ipl_str copy = ipl_arena_str(arena, ipl_str_of(text));
	char *at = (char *)(uintptr_t)copy.at;

	for (size_t i = 0; !ipl_str_is_utf8(ipl_str_of(text)) && i < copy.len; i++)
		at[i] = (char)((uint8_t)at[i] < 0x80 ? at[i] : '?');
	return copy;
}

int ipl_http_write_error(struct ipl_buf *out, const struct ipl_http_reply *reply,
			 const struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_value map = ipl_map();
	char uuid[IPL_UUID_TEXT_MAX];

	ipl_arena_init(&arena, 65536);
	ipl_uuid_format(reply->request_id, uuid);
	ipl_map_add(&arena, &map, "RequestId", ipl_text(ipl_str_of(uuid)));
	ipl_map_add(&arena, &map, "HostId", ipl_text(reply->host));
	ipl_map_add(&arena, &map, "Code", ipl_text_of(ipl_code_text(code_of(err))));
	ipl_map_add(&arena, &map, "Message", ipl_text(as_utf8(&arena, err->text)));
	ipl_map_add(&arena, &map, "Recommend", ipl_text_of(""));
	write_tree(out, reply->format, "Error", &map);
	out->failed = out->failed || arena.failed;
	ipl_arena_release(&arena);
	return ipl_code_http_status(code_of(err));
}

int ipl_http_write_answer(struct ipl_buf *out, const struct ipl_http_reply *reply,
			  const struct ipl_answer *answer)
{
	struct ipl_error too_long = IPL_ERROR_INIT(NULL);
	size_t start = out->len;
	char root[80];

	if (answer->status != IPL_OK)
		return ipl_http_write_error(out, reply, &answer->err);
	(void)snprintf(root, sizeof(root), "%.64sResponse",
		       reply->action.at == NULL ? "" : reply->action.at);
	write_tree(out, reply->format, root, &answer->result);
	if (!out->failed && out->len - start <= BODY_BYTES_MAX)
		return 200;
	out->len = start;
	ipl_error_set(&too_long, IPL_ERR_NOMEM, "the answer is too long: ask for less at once");
	return ipl_http_write_error(out, reply, &too_long);
}
