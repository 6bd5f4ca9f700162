/* SPDX-License-Identifier: Apache-2.0 */
/* Signature version 1 and ACS3-HMAC-SHA256. */
#include "server/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_hash_sha256.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ACS3       "ACS3-HMAC-SHA256"
#define SHA1_LEN   20
#define SHA256_LEN 32

/* --- small things --- */

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~';
}

static void put(struct ipl_buf *out, const char *text)
{
	ipl_buf_append(out, text, strlen(text));
}

static void put_str(struct ipl_buf *out, struct ipl_str s)
{
	if (s.len > 0)
		ipl_buf_append(out, s.at, s.len);
}

/* Percent-encoded as RFC 3986 has it, upper-case hex. */
static void put_encoded(struct ipl_buf *out, struct ipl_str s)
{
	static const char digits[] = "0123456789ABCDEF";

	if (!ipl_buf_reserve(out, s.len * 3))
		return; /* out->failed tells */
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = (uint8_t)s.at[i];
		if (is_unreserved(s.at[i])) {
			out->at[out->len++] = c;
			continue;
		}
		out->at[out->len++] = '%';
		out->at[out->len++] = (uint8_t)digits[c >> 4];
		out->at[out->len++] = (uint8_t)digits[c & 15];
	}
}

static void put_hex(struct ipl_buf *out, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		const char hex[2] = { digits[bytes[i] >> 4], digits[bytes[i] & 15] };
		ipl_buf_append(out, hex, sizeof(hex));
	}
}

static int compare(struct ipl_str a, struct ipl_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len == 0 ? 0 : memcmp(a.at, b.at, len);

	return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct ipl_pair *x = a, *y = b;
	int order = compare(x->name, y->name);

	return order != 0 ? order : compare(x->value, y->value);
}

static struct ipl_str trim(struct ipl_str s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
		s = (struct ipl_str){ s.at + 1, s.len - 1 };
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool is_same_name(struct ipl_str a, struct ipl_str b)
{
	return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

/* The part before @delimiter; @rest goes on after it, and is absent at the end. */
static struct ipl_str cut(struct ipl_str *rest, char delimiter)
{
	const char *at = rest->len == 0 ? NULL : memchr(rest->at, delimiter, rest->len);
	struct ipl_str part = { rest->at, at == NULL ? rest->len : (size_t)(at - rest->at) };

	*rest = at == NULL ? IPL_STR_NONE : (struct ipl_str){ at + 1, rest->len - part.len - 1 };
	return part;
}

static enum ipl_status no_memory(struct ipl_error *err)
{
	return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a signature");
}

struct ipl_str ipl_header_find(const struct ipl_signed *req, const char *name)
{
	struct ipl_str found = IPL_STR_NONE;

	for (uint32_t i = 0; i < req->header_count; i++) {
		if (!is_same_name(req->header[i].name, ipl_str_of(name)))
			continue;
		if (found.at != NULL)
			return IPL_STR_NONE;
		found = trim(req->header[i].value);
	}
	return found;
}

/* --- reading --- */

static enum ipl_status missing(struct ipl_error *err, enum ipl_code code, const char *what)
{
	ipl_refuse(err, code, "%s is required", what);
	ipl_error_add(err, "Parameter", ipl_text_of(what));
	return IPL_REFUSED;
}

static enum ipl_status find_in(const struct ipl_pairs *pairs, const char *name, struct ipl_str *out,
			       struct ipl_error *err)
{
	for (uint32_t i = 0; i < pairs->count; i++) {
		if (!ipl_str_is(pairs->at[i].name, name))
			continue;
		if (out->at != NULL && !ipl_str_equal(*out, pairs->at[i].value))
			return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
					  "%s is given twice, with different values", name);
		*out = pairs->at[i].value;
	}
	return IPL_OK;
}

/* The parameter @name of the query or the form; @code where it is missing (NONE: it may be). */
static enum ipl_status take(const struct ipl_signed *req, const char *name, enum ipl_code code,
			    struct ipl_str *out, struct ipl_error *err)
{
	enum ipl_status st;

	*out = IPL_STR_NONE;
	st = find_in(&req->query, name, out, err);
	if (st == IPL_OK)
		st = find_in(&req->form, name, out, err);
	if (st == IPL_OK && out->len == 0 && code != IPL_CODE_NONE)
		return missing(err, code, name);
	return st;
}

static enum ipl_status read_v1(const struct ipl_signed *req, struct ipl_signature *out,
			       struct ipl_error *err)
{
	const struct {
		const char *name;
		enum ipl_code code;
		struct ipl_str *to;
	} wanted[] = {
		{ "AccessKeyId", IPL_CODE_MISSING_ACCESS_KEY_ID, &out->key_id },
		{ "Signature", IPL_CODE_MISSING_SIGNATURE, &out->given },
		{ "Timestamp", IPL_CODE_MISSING_TIMESTAMP, &out->timestamp },
		{ "SignatureNonce", IPL_CODE_MISSING_NONCE, &out->nonce },
		{ "Version", IPL_CODE_NONE, &out->version },
	};
	struct ipl_str method, version;
	enum ipl_status st = take(req, "Action", IPL_CODE_MISSING_ACTION, &out->action, err);

	for (size_t i = 0; st == IPL_OK && i < IPL_ARRAY_SIZE(wanted); i++)
		st = take(req, wanted[i].name, wanted[i].code, wanted[i].to, err);
	if (st == IPL_OK)
		st = take(req, "SignatureMethod", IPL_CODE_NONE, &method, err);
	if (st == IPL_OK)
		st = take(req, "SignatureVersion", IPL_CODE_NONE, &version, err);
	if (st != IPL_OK)
		return st;
	if (!ipl_str_is(method, "HMAC-SHA1") || !ipl_str_is(version, "1.0"))
		return ipl_refuse(err, IPL_CODE_SIGNATURE_METHOD,
				  "SignatureMethod must be HMAC-SHA1 and SignatureVersion 1.0, or "
				  "the Authorization header " ACS3);
	return IPL_OK;
}

static enum ipl_status unreadable(struct ipl_error *err)
{
	return ipl_refuse(err, IPL_CODE_SIGNATURE_INCOMPLETE,
			  "the Authorization header must be \"" ACS3
			  " Credential=ID,SignedHeaders=a;b,Signature=HEX\"");
}

static bool has_few_names(struct ipl_str headers)
{
	uint32_t count = 0;

	while (headers.at != NULL && count <= IPL_SIGNED_HEADERS_MAX) {
		(void)cut(&headers, ';');
		count++;
	}
	return count <= IPL_SIGNED_HEADERS_MAX;
}

/* "ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=a;b;c,Signature=hex" */
static enum ipl_status read_authorization(struct ipl_str text, struct ipl_signature *out,
					  struct ipl_error *err)
{
	struct ipl_str word = cut(&text, ' ');

	if (!ipl_str_is(word, ACS3))
		return ipl_refuse(err, IPL_CODE_SIGNATURE_METHOD,
				  "the Authorization header is not of " ACS3);
	while (text.at != NULL) {
		struct ipl_str value = trim(cut(&text, ','));
		struct ipl_str name = cut(&value, '=');
		struct ipl_str *to = ipl_str_is(name, "Credential")    ? &out->key_id :
				     ipl_str_is(name, "SignedHeaders") ? &out->headers :
				     ipl_str_is(name, "Signature")     ? &out->given :
									 NULL;
		if (to == NULL || to->at != NULL || value.len == 0)
			return unreadable(err);
		*to = value;
	}
	if (out->key_id.at == NULL || out->headers.at == NULL || out->given.at == NULL ||
	    !has_few_names(out->headers))
		return unreadable(err);
	return IPL_OK;
}

static enum ipl_status read_acs3(const struct ipl_signed *req, struct ipl_str authorization,
				 struct ipl_signature *out, struct ipl_error *err)
{
	enum ipl_status st;

	out->action = ipl_header_find(req, "x-acs-action");
	if (out->action.len == 0)
		return missing(err, IPL_CODE_MISSING_ACTION, "x-acs-action");
	st = read_authorization(authorization, out, err);
	if (st != IPL_OK)
		return st;
	out->version = ipl_header_find(req, "x-acs-version");
	out->timestamp = ipl_header_find(req, "x-acs-date");
	if (out->timestamp.len == 0)
		return missing(err, IPL_CODE_MISSING_TIMESTAMP, "x-acs-date");
	out->nonce = ipl_header_find(req, "x-acs-signature-nonce");
	if (out->nonce.len == 0)
		return missing(err, IPL_CODE_MISSING_NONCE, "x-acs-signature-nonce");
	return IPL_OK;
}

enum ipl_status ipl_signature_read(const struct ipl_signed *req, struct ipl_arena *arena,
				   struct ipl_signature *out, struct ipl_error *err)
{
	struct ipl_signature found = { .kind = IPL_SIGNATURE_V1 };
	struct ipl_str authorization = ipl_header_find(req, "Authorization");
	struct ipl_str *const texts[] = { &found.action,    &found.version, &found.key_id,
					  &found.timestamp, &found.nonce,   &found.given,
					  &found.headers };
	enum ipl_status st;

	if (authorization.at != NULL)
		found.kind = IPL_SIGNATURE_ACS3;
	st = authorization.at != NULL ? read_acs3(req, authorization, &found, err) :
					read_v1(req, &found, err);
	if (st != IPL_OK)
		return st;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(texts); i++) {
		if (!ipl_str_is_utf8(*texts[i]))
			return ipl_refuse(err, IPL_CODE_MALFORMED_REQUEST,
					  "a header of the signature is not UTF-8");
		*texts[i] = ipl_arena_str(arena, *texts[i]);
	}
	if (arena->failed)
		return no_memory(err);
	*out = found;
	return IPL_OK;
}

/* --- making --- */

/* Names and values sorted by name, "name=value" joined by &. */
static bool put_canonical_query(struct ipl_buf *out, struct ipl_arena *arena,
				const struct ipl_pairs *query, const struct ipl_pairs *form)
{
	uint32_t count = query->count + (form == NULL ? 0 : form->count), kept = 0;
	struct ipl_pair *pairs = ipl_arena_array(arena, count, sizeof(*pairs));

	if (pairs == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		pairs[kept] = i < query->count ? query->at[i] : form->at[i - query->count];
		/* Version 1 travels among what it signs. */
		if (form == NULL || !ipl_str_is(pairs[kept].name, "Signature"))
			kept++;
	}
	qsort(pairs, kept, sizeof(*pairs), compare_pairs);
	for (uint32_t i = 0; i < kept; i++) {
		put(out, i == 0 ? "" : "&");
		put_encoded(out, pairs[i].name);
		put(out, "=");
		put_encoded(out, pairs[i].value);
	}
	return true;
}

static enum ipl_status make_v1(const struct ipl_signed *req, struct ipl_str secret,
			       struct ipl_arena *arena, struct ipl_str *out, struct ipl_error *err)
{
	struct ipl_buf query = { 0 }, text = { 0 }, key = { 0 };
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	char *base64 = ipl_arena_alloc(arena, 4 * ((SHA1_LEN + 2) / 3) + 1);
	bool fits = put_canonical_query(&query, arena, &req->query, &req->form);

	put_str(&text, req->method);
	put(&text, "&%2F&");
	put_encoded(&text, (struct ipl_str){ (const char *)query.at, query.len });
	put_str(&key, secret);
	put(&key, "&");
	fits = fits && base64 != NULL && !query.failed && !text.failed && !key.failed &&
	       HMAC(EVP_sha1(), key.at, (int)key.len, text.at, text.len, mac, &len) != NULL &&
	       len == SHA1_LEN;
	if (fits)
		*out = (struct ipl_str){ base64, (size_t)EVP_EncodeBlock((uint8_t *)base64, mac,
									 SHA1_LEN) };
	if (key.at != NULL)
		OPENSSL_cleanse(key.at, key.len);
	ipl_buf_release(&query);
	ipl_buf_release(&text);
	ipl_buf_release(&key);
	return fits ? IPL_OK : no_memory(err);
}

static bool is_signed(const struct ipl_signature *sig, struct ipl_str name)
{
	struct ipl_str rest = sig->headers;

	while (rest.at != NULL) {
		if (is_same_name(cut(&rest, ';'), name))
			return true;
	}
	return false;
}

static enum ipl_status unsigned_header(struct ipl_error *err, struct ipl_str name)
{
	return ipl_refuse(err, IPL_CODE_SIGNATURE_MISMATCH,
			  "the header %.*s is not among SignedHeaders: it must be signed",
			  (int)(name.len > 64 ? 64 : name.len), name.at);
}

/* Who could change a header and keep the signature could change what is asked. */
static enum ipl_status check_signed_headers(const struct ipl_signed *req,
					    const struct ipl_signature *sig, struct ipl_error *err)
{
	static const char *const always[] = {
		"host",       "x-acs-action",          "x-acs-version",
		"x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"
	};

	for (size_t i = 0; i < IPL_ARRAY_SIZE(always); i++) {
		if (!is_signed(sig, ipl_str_of(always[i])) ||
		    ipl_header_find(req, always[i]).at == NULL)
			return unsigned_header(err, ipl_str_of(always[i]));
	}
	for (uint32_t i = 0; i < req->header_count; i++) {
		struct ipl_str name = req->header[i].name;
		bool counts = is_same_name(name, IPL_STR("content-type")) ||
			      (name.len > 6 && strncasecmp(name.at, "x-acs-", 6) == 0);
		if (counts && !is_signed(sig, name))
			return unsigned_header(err, name);
	}
	return IPL_OK;
}

static int compare_values(const void *a, const void *b)
{
	return compare(*(const struct ipl_str *)a, *(const struct ipl_str *)b);
}

/* "name:value\n"; several of one name sorted and joined by commas. */
static bool put_header(struct ipl_buf *out, struct ipl_arena *arena, const struct ipl_signed *req,
		       struct ipl_str name)
{
	struct ipl_str *values = ipl_arena_array(arena, req->header_count, sizeof(*values));
	uint32_t count = 0;

	if (values == NULL)
		return false;
	for (uint32_t i = 0; i < req->header_count; i++) {
		if (is_same_name(req->header[i].name, name))
			values[count++] = trim(req->header[i].value);
	}
	qsort(values, count, sizeof(*values), compare_values);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		c = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		ipl_buf_append(out, &c, 1);
	}
	put(out, ":");
	for (uint32_t i = 0; i < count; i++) {
		put(out, i == 0 ? "" : ",");
		put_str(out, values[i]);
	}
	put(out, "\n");
	return true;
}

static bool put_canonical_request(struct ipl_buf *out, struct ipl_arena *arena,
				  const struct ipl_signed *req, const struct ipl_signature *sig,
				  struct ipl_str body_hash)
{
	struct ipl_str rest = sig->headers;

	put_str(out, req->method);
	put(out, "\n");
	put_str(out, req->path);
	put(out, "\n");
	if (!put_canonical_query(out, arena, &req->query, NULL))
		return false;
	put(out, "\n");
	while (rest.at != NULL) {
		if (!put_header(out, arena, req, cut(&rest, ';')))
			return false;
	}
	put(out, "\n");
	put_str(out, sig->headers);
	put(out, "\n");
	put_str(out, body_hash);
	return !out->failed;
}

static enum ipl_status check_body(const struct ipl_signed *req, struct ipl_str *hash,
				  struct ipl_arena *arena, struct ipl_error *err)
{
	uint8_t digest[SHA256_LEN];
	struct ipl_buf hex = { 0 };
	struct ipl_str given = ipl_header_find(req, "x-acs-content-sha256");

	crypto_hash_sha256(digest, (const uint8_t *)req->body.at, req->body.len);
	put_hex(&hex, digest, sizeof(digest));
	if (!hex.failed)
		*hash = ipl_arena_str(arena, (struct ipl_str){ (const char *)hex.at, hex.len });
	ipl_buf_release(&hex);
	if (hash->at == NULL)
		return no_memory(err);
	if (!ipl_str_equal(*hash, given))
		return ipl_refuse(err, IPL_CODE_SIGNATURE_MISMATCH,
				  "x-acs-content-sha256 is not the SHA-256 of the body");
	return IPL_OK;
}

static enum ipl_status make_acs3(const struct ipl_signed *req, const struct ipl_signature *sig,
				 struct ipl_str secret, struct ipl_arena *arena,
				 struct ipl_str *out, struct ipl_error *err)
{
	crypto_auth_hmacsha256_state hmac;
	struct ipl_str body_hash = IPL_STR_NONE;
	struct ipl_buf text = { 0 }, to_sign = { 0 }, hex = { 0 };
	uint8_t digest[SHA256_LEN];
	enum ipl_status st = check_signed_headers(req, sig, err);

	if (st == IPL_OK)
		st = check_body(req, &body_hash, arena, err);
	if (st != IPL_OK)
		return st;
	if (!put_canonical_request(&text, arena, req, sig, body_hash)) {
		st = no_memory(err);
		goto out;
	}
	crypto_hash_sha256(digest, text.at, text.len);
	put(&to_sign, ACS3 "\n");
	put_hex(&to_sign, digest, sizeof(digest));
	crypto_auth_hmacsha256_init(&hmac, (const uint8_t *)secret.at, secret.len);
	crypto_auth_hmacsha256_update(&hmac, to_sign.at, to_sign.len);
	crypto_auth_hmacsha256_final(&hmac, digest);
	put_hex(&hex, digest, sizeof(digest));
	if (to_sign.failed || hex.failed)
		st = no_memory(err);
	else
		*out = ipl_arena_str(arena, (struct ipl_str){ (const char *)hex.at, hex.len });
out:
	ipl_buf_release(&text);
	ipl_buf_release(&to_sign);
	ipl_buf_release(&hex);
	return st;
}

enum ipl_status ipl_signature_make(const struct ipl_signed *req, const struct ipl_signature *sig,
				   struct ipl_str secret, struct ipl_arena *arena,
				   struct ipl_str *out, struct ipl_error *err)
{
	enum ipl_status st;

	*out = IPL_STR_NONE;
	st = sig->kind == IPL_SIGNATURE_V1 ? make_v1(req, secret, arena, out, err) :
					     make_acs3(req, sig, secret, arena, out, err);
	if (st == IPL_OK && out->at == NULL)
		return no_memory(err);
	return st;
}
