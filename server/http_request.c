/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP request taken apart: query, form, headers, and the format of its answer. */
#include "server/http_internal.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>

#include <string.h>
#include <strings.h>

#define FORM "application/x-www-form-urlencoded"

static struct ipl_str method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET:
		return IPL_STR("GET");
	case EVHTTP_REQ_POST:
		return IPL_STR("POST");
	case EVHTTP_REQ_HEAD:
	case EVHTTP_REQ_PUT:
	case EVHTTP_REQ_DELETE:
	case EVHTTP_REQ_OPTIONS:
	case EVHTTP_REQ_TRACE:
	case EVHTTP_REQ_CONNECT:
	case EVHTTP_REQ_PATCH:
		break;
	}
	return IPL_STR_NONE;
}

/* Path and query as they stand in the request line; of "http://host/x?y" too. */
static void split_target(const char *target, struct ipl_str *path, struct ipl_str *query)
{
	const char *authority = strncasecmp(target, "http://", 7) == 0  ? target + 7 :
				strncasecmp(target, "https://", 8) == 0 ? target + 8 :
									  NULL;
	const char *from = authority == NULL ? target : authority + strcspn(authority, "/?");
	const char *mark = strchr(from, '?');
	size_t len = mark == NULL ? strlen(from) : (size_t)(mark - from);

	*path = len == 0 ? IPL_STR("/") : (struct ipl_str){ from, len };
	*query = mark == NULL ? IPL_STR("") : ipl_str_of(mark + 1);
}

static enum ipl_status take_headers(struct evhttp_request *req, struct ipl_arena *arena,
				    struct ipl_signed *out, struct ipl_error *err)
{
	struct evkeyvalq *queue = evhttp_request_get_input_headers(req);
	struct ipl_header *headers;
	uint32_t count = 0;

	for (struct evkeyval *at = queue->tqh_first; at != NULL; at = at->next.tqe_next)
		count++;
	if (count > IPL_HEADERS_MAX)
		return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
				  "there are %u headers: there may be %u", count, IPL_HEADERS_MAX);
	headers = ipl_arena_array(arena, count, sizeof(*headers));
	if (headers == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	out->header = headers;
	out->header_count = count;
	for (struct evkeyval *at = queue->tqh_first; at != NULL; at = at->next.tqe_next)
		*headers++ = (struct ipl_header){ ipl_str_of(at->key), ipl_str_of(at->value) };
	return IPL_OK;
}

/* Whether a header's value is @type, with parameters or without: "text/xml; charset=utf-8". */
static bool is_type(struct ipl_str value, const char *type)
{
	size_t len = strlen(type);

	return value.len >= len && strncasecmp(value.at, type, len) == 0 &&
	       (value.len == len || strchr("; \t,", value.at[len]) != NULL);
}

static enum ipl_status take_body(struct evhttp_request *req, struct ipl_arena *arena,
				 struct ipl_signed *out, struct ipl_error *err)
{
	struct evbuffer *buffer = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(buffer);
	const unsigned char *bytes = len == 0 ? NULL : evbuffer_pullup(buffer, -1);

	out->body = IPL_STR("");
	if (len == 0)
		return IPL_OK;
	if (bytes == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a request");
	out->body = (struct ipl_str){ (const char *)bytes, len };
	if (!is_type(ipl_header_find(out, "Content-Type"), FORM))
		return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
				  "the body must be of Content-Type " FORM);
	return ipl_pairs_parse(arena, out->body, &out->form, err);
}

/* Format is the parameter's, else what is accepted, else JSON: what current SDKs want. */
static enum ipl_status choose_format(struct ipl_http_request *out, struct ipl_error *err)
{
	struct ipl_str accept = ipl_header_find(&out->is, "Accept");
	struct ipl_str format = ipl_pairs_find(&out->is.query, "Format");

	if (format.at == NULL)
		format = ipl_pairs_find(&out->is.form, "Format");
	out->format = is_type(accept, "text/xml") || is_type(accept, "application/xml") ?
			      IPL_HTTP_XML :
			      IPL_HTTP_JSON;
	if (format.len == 4 && strncasecmp(format.at, "json", 4) == 0)
		out->format = IPL_HTTP_JSON;
	else if (format.len == 3 && strncasecmp(format.at, "xml", 3) == 0)
		out->format = IPL_HTTP_XML;
	else if (format.at != NULL)
		return ipl_refuse(err, IPL_CODE_FORMAT, "Format must be JSON or XML");
	return IPL_OK;
}

enum ipl_status ipl_http_take(struct evhttp_request *req, struct ipl_arena *arena,
			      struct ipl_http_request *out, struct ipl_error *err)
{
	struct ipl_error format_err = IPL_ERROR_INIT(arena);
	struct ipl_str query;
	enum ipl_status st;

	*out = (struct ipl_http_request){ .format = IPL_HTTP_JSON };
	out->is.method = method_name(evhttp_request_get_command(req));
	split_target(evhttp_request_get_uri(req), &out->is.path, &query);
	st = take_headers(req, arena, &out->is, err);
	if (st == IPL_OK && out->is.method.at == NULL)
		st = ipl_refuse(err, IPL_CODE_HTTP_METHOD, "the API is called with GET or POST");
	if (st == IPL_OK)
		st = ipl_pairs_parse(arena, query, &out->is.query, err);
	if (st == IPL_OK)
		st = take_body(req, arena, &out->is, err);
	/* The format is chosen in any case: a refusal has one too. */
	if (choose_format(out, &format_err) != IPL_OK && st == IPL_OK) {
		*err = format_err;
		st = format_err.status;
	}
	return st;
}
