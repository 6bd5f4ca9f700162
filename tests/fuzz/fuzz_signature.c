/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a request in lines: the query, the form, then headers as "name: value".
 * Claimed: no crash; what is read is UTF-8 and not empty; the signature does not depend on
 * the order of parameters, and another secret makes another one.
 */
#include "server/signature.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define HEADERS_MAX 64

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct ipl_str cut_line(struct ipl_str *rest)
{
	const char *end = rest->len == 0 ? NULL : memchr(rest->at, '\n', rest->len);
	struct ipl_str line = { rest->at, end == NULL ? rest->len : (size_t)(end - rest->at) };

	rest->at += line.len + (end != NULL);
	rest->len -= line.len + (end != NULL);
	return line;
}

static void reverse(struct ipl_pairs *pairs)
{
	for (uint32_t i = 0; i < pairs->count / 2; i++) {
		struct ipl_pair pair = pairs->at[i];
		pairs->at[i] = pairs->at[pairs->count - 1 - i];
		pairs->at[pairs->count - 1 - i] = pair;
	}
}

static void look(struct ipl_signed *req, struct ipl_arena *arena)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);
	struct ipl_signature sig;
	struct ipl_str one, two, other;

	if (ipl_signature_read(req, arena, &sig, &err) != IPL_OK) {
		check(err.code != IPL_CODE_NONE && err.text[0] != '\0');
		return;
	}
	check(sig.key_id.len > 0 && sig.given.len > 0 && sig.nonce.len > 0 && sig.action.len > 0);
	check(ipl_str_is_utf8(sig.key_id) && ipl_str_is_utf8(sig.action));
	if (ipl_signature_make(req, &sig, IPL_STR("secret"), arena, &one, &err) != IPL_OK)
		return;
	reverse(&req->query);
	reverse(&req->form);
	check(ipl_signature_make(req, &sig, IPL_STR("secret"), arena, &two, &err) == IPL_OK);
	check(ipl_str_equal(one, two));
	check(ipl_signature_make(req, &sig, IPL_STR("secreT"), arena, &other, &err) == IPL_OK);
	check(!ipl_str_equal(one, other));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ipl_str rest = { (const char *)bytes, len };
	struct ipl_header headers[HEADERS_MAX];
	struct ipl_signed req = { .method = IPL_STR("POST"),
				  .path = IPL_STR("/"),
				  .header = headers };
	struct ipl_arena arena;
	struct ipl_error err;
	struct ipl_str query = cut_line(&rest);

	ipl_arena_init(&arena, (size_t)64 << 20);
	err = (struct ipl_error)IPL_ERROR_INIT(&arena);
	req.body = cut_line(&rest);
	while (rest.len > 0 && req.header_count < HEADERS_MAX) {
		struct ipl_str value = cut_line(&rest);
		const char *colon = value.len == 0 ? NULL : memchr(value.at, ':', value.len);
		struct ipl_str name = { value.at,
					colon == NULL ? value.len : (size_t)(colon - value.at) };
		value.at += name.len + (colon != NULL);
		value.len -= name.len + (colon != NULL);
		headers[req.header_count++] = (struct ipl_header){ name, value };
	}
	if (ipl_pairs_parse(&arena, query, &req.query, &err) == IPL_OK &&
	    ipl_pairs_parse(&arena, req.body, &req.form, &err) == IPL_OK)
		look(&req, &arena);
	ipl_arena_release(&arena);
	return 0;
}
