/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: requests that were signed by another program (Python's hmac and urllib), and,
 * where it lies beside the sources, a file of requests that the cloud's own SDKs sent.
 * Claimed: the signature we make is theirs; whatever is changed on the way is noticed;
 * what cannot be read is refused with its own code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/json.h"
#include "server/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "qB7n9Zk2WmXr4sTv"
#define FORM   "application/x-www-form-urlencoded"
#define DATE   "2026-11-24T10:00:00Z"
#define SIGNED                                                                                 \
	"AccessKeyId=LTAIown&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=n1" \
	"&Timestamp=2026-11-24T10%3A00%3A00Z"
#define NO_BODY     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEADERS_MAX 32

struct request {
	const char *method;
	const char *query;
	struct ipl_header header[HEADERS_MAX];
	const char *body;
	const char *wanted; /* the signature */
};

#define H(name_, value_)                           \
	{                                          \
		{ name_, sizeof(name_) - 1 },      \
		{                                  \
			value_, sizeof(value_) - 1 \
		}                                  \
	}

/* clang-format off */
static const struct request v1_marks = {
	"GET", "Action=CreateVpc&Version=2016-04-28&" SIGNED
	"&VpcName=%C3%A9+*%7e%2b%27%28%29!&CidrBlock=10.0.0.0%2F16&Empty="
	"&Signature=zSWOT0VA55wO1issOnkEhY0P0TM%3D", { H("Host", "h") }, "",
	"zSWOT0VA55wO1issOnkEhY0P0TM=",
};
static const struct request v1_split = {
	"POST", "Action=AssignPrivateIpAddresses&Version=2014-05-26&" SIGNED
	"&Signature=FVEbsNnvM%2BnwnJyqSlzrU4m1Exc%3D", { H("content-type", FORM) },
	"PrivateIpAddress.2=10.0.0.6&PrivateIpAddress.1=10.0.0.5&NetworkInterfaceId=eni-1",
	"FVEbsNnvM+nwnJyqSlzrU4m1Exc=",
};
static const struct request v1_form = {
	"POST", "", { H("Content-Type", FORM) },
	"Action=DeleteVpc&Version=2016-04-28&" SIGNED
	"&VpcId=vpc-1&Signature=8ql7D1PUtTYZbjYSaZBvHdaNWJo%3D", "8ql7D1PUtTYZbjYSaZBvHdaNWJo=",
};
#define ACS3_QUERY "656568f78ee3430752e7ada16f0845f8a6e716515e562fa71d0d1673492bfa73"
static const struct request acs3_query = {
	"POST", "b=2&a=1&a.1=x%20y&RegionId=cn-hangzhou&Tag.1.Value=", {
		H("Host", "127.0.0.1:8470"), H("x-acs-action", "DescribeVpcs"),
		H("x-acs-version", "2016-04-28"), H("x-acs-date", DATE),
		H("x-acs-signature-nonce", "n2"), H("x-acs-content-sha256", NO_BODY),
		H("X-Acs-Meta", " two "), H("x-acs-meta", "one"), H("user-agent", "not signed"),
		H("Authorization", "ACS3-HMAC-SHA256 Credential=LTAIown,SignedHeaders=host;"
		  "x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-meta;"
		  "x-acs-signature-nonce;x-acs-version,Signature=" ACS3_QUERY) }, "", ACS3_QUERY,
};
#define ACS3_BODY "0fbfbe741bd3fd47c9c1768947c62674728cc520aa438219d8790f88755b80d1"
static const struct request acs3_body = {
	"POST", "", {
		H("host", "127.0.0.1:8470"), H("content-type", FORM),
		H("x-acs-action", "CreateVpc"),
		H("x-acs-version", "2016-04-28"), H("x-acs-date", DATE),
		H("x-acs-signature-nonce", "n3"),
		H("x-acs-content-sha256",
		  "f560f27948a82d778a068ae2260860111d990c738b5815c15a9a7df7b2deeb52"),
		H("authorization", "ACS3-HMAC-SHA256 Credential=LTAIown, "
		  "SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;"
		  "x-acs-date;x-acs-signature-nonce;x-acs-version, Signature=" ACS3_BODY) },
	"CidrBlock=10.0.0.0%2F16&VpcName=a+b", ACS3_BODY,
};
/* clang-format on */

/* --- running one --- */

static void fill(const struct request *from, struct ipl_arena *arena, struct ipl_signed *out)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);

	*out = (struct ipl_signed){ .method = ipl_str_of(from->method),
				    .path = IPL_STR("/"),
				    .header = from->header,
				    .body = ipl_str_of(from->body) };
	while (out->header_count < HEADERS_MAX && from->header[out->header_count].name.at != NULL)
		out->header_count++;
	assert_int_equal(ipl_pairs_parse(arena, ipl_str_of(from->query), &out->query, &err),
			 IPL_OK);
	if (ipl_str_is(ipl_header_find(out, "Content-Type"), FORM))
		assert_int_equal(ipl_pairs_parse(arena, out->body, &out->form, &err), IPL_OK);
}

/* What a door would say: NONE, or the code of its refusal. */
static enum ipl_code judge(const struct ipl_signed *req, const char *secret,
			   struct ipl_arena *arena)
{
	struct ipl_error err = IPL_ERROR_INIT(arena);
	struct ipl_signature sig;
	struct ipl_str ours;
	enum ipl_status st = ipl_signature_read(req, arena, &sig, &err);

	if (st == IPL_OK)
		st = ipl_signature_make(req, &sig, ipl_str_of(secret), arena, &ours, &err);
	if (st != IPL_OK)
		return err.code;
	return ipl_str_equal(ours, sig.given) ? IPL_CODE_NONE : IPL_CODE_SIGNATURE_MISMATCH;
}

static enum ipl_code judge_request(const struct request *request)
{
	struct ipl_arena arena;
	struct ipl_signed req;
	enum ipl_code code;

	ipl_arena_init(&arena, 1 << 20);
	fill(request, &arena, &req);
	code = judge(&req, SECRET, &arena);
	ipl_arena_release(&arena);
	return code;
}

static void test_right(void **state)
{
	static const struct request *const all[] = { &v1_marks, &v1_split, &v1_form, &acs3_query,
						     &acs3_body };

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(all); i++)
		assert_int_equal(judge_request(all[i]), IPL_CODE_NONE);
}

static void test_of_another_secret(void **state)
{
	static const struct request *const all[] = { &v1_marks, &acs3_query };
	struct ipl_arena arena;
	struct ipl_signed req;

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(all); i++) {
		ipl_arena_init(&arena, 1 << 20);
		fill(all[i], &arena, &req);
		assert_int_equal(judge(&req, SECRET "x", &arena), IPL_CODE_SIGNATURE_MISMATCH);
		ipl_arena_release(&arena);
	}
}

/* Everything that is signed is changed once, and noticed each time. */
static void test_version_1_covers_all(void **state)
{
	struct request changed = v1_split;
	char query[512];

	(void)state;
	changed.body =
		"PrivateIpAddress.2=10.0.0.6&PrivateIpAddress.1=10.0.0.7&NetworkInterfaceId=eni-1";
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
	changed = v1_split;
	changed.method = "GET";
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
	changed = v1_split;
	(void)snprintf(query, sizeof(query), "%s&DryRun=true", v1_split.query);
	changed.query = query;
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
	/* The same name twice is signed twice. */
	changed.body = "";
	(void)snprintf(query, sizeof(query), "%s&%s&%s", v1_split.query, v1_split.body,
		       "NetworkInterfaceId=eni-1");
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
}

static void set_header(struct request *request, const char *name, const char *value)
{
	for (size_t i = 0; i < HEADERS_MAX; i++) {
		if (request->header[i].name.at == NULL ||
		    ipl_str_is(request->header[i].name, name)) {
			request->header[i] =
				(struct ipl_header){ ipl_str_of(name), ipl_str_of(value) };
			return;
		}
	}
}

static void test_acs3_covers_all(void **state)
{
	static const char *const names[] = {
		"host",       "x-acs-action",          "x-acs-version",
		"x-acs-date", "x-acs-signature-nonce", "content-type"
	};
	struct request changed;

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(names); i++) {
		changed = acs3_body;
		set_header(&changed, names[i],
			   i == 5 ? FORM "; charset=utf-8" : "2016-04-28T10:00:00Z");
		assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
	}
	changed = acs3_body;
	changed.body = "CidrBlock=10.0.0.0%2F17&VpcName=a+b";
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
	changed = acs3_body;
	changed.query = "DryRun=true";
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
	/* What could change the meaning and is not signed. */
	changed = acs3_body;
	set_header(&changed, "x-acs-security-token", "STS");
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
	changed = acs3_query;
	set_header(&changed, "Content-Type", FORM);
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
}

static void test_signed_headers_must_be_there(void **state)
{
	/* The signature is right for what it names, and it names too little. */
	struct request changed = acs3_query;
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "ACS3-HMAC-SHA256 Credential=LTAIown,SignedHeaders=host,Signature=%s",
		       ACS3_QUERY);
	set_header(&changed, "Authorization", text);
	assert_int_equal(judge_request(&changed), IPL_CODE_SIGNATURE_MISMATCH);
}

struct shape_row {
	const char *query;
	const char *authorization; /* NULL: none */
	enum ipl_code wanted;
};

static void test_shapes(void **state)
{
	static const struct shape_row rows[] = {
		{ "", NULL, IPL_CODE_MISSING_ACTION },
		{ "Action=A", NULL, IPL_CODE_MISSING_ACCESS_KEY_ID },
		{ "Action=A&AccessKeyId=k", NULL, IPL_CODE_MISSING_SIGNATURE },
		{ "Action=A&AccessKeyId=k&Signature=s", NULL, IPL_CODE_MISSING_TIMESTAMP },
		{ "Action=A&AccessKeyId=k&Signature=s&Timestamp=t", NULL, IPL_CODE_MISSING_NONCE },
		{ "Action=A&AccessKeyId=k&Signature=s&Timestamp=t&SignatureNonce=n", NULL,
		  IPL_CODE_SIGNATURE_METHOD },
		{ "Action=A&" SIGNED "&Signature=s&SignatureMethod=HMAC-SHA256", NULL,
		  IPL_CODE_INVALID_PARAMETER },
		{ "Action=A&Action=B&" SIGNED "&Signature=s", NULL, IPL_CODE_INVALID_PARAMETER },
		{ "Action=A&Action=A&" SIGNED "&Signature=s", NULL, IPL_CODE_SIGNATURE_MISMATCH },
		{ "", "ACS3-HMAC-SM3 Credential=k,SignedHeaders=a,Signature=0",
		  IPL_CODE_SIGNATURE_METHOD },
		{ "", "ACS3-HMAC-SHA256", IPL_CODE_SIGNATURE_INCOMPLETE },
		{ "", "ACS3-HMAC-SHA256 Credential=k,Signature=0", IPL_CODE_SIGNATURE_INCOMPLETE },
		{ "", "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a,Signature=",
		  IPL_CODE_SIGNATURE_INCOMPLETE },
		{ "", "ACS3-HMAC-SHA256 Credential=k,Credential=l,SignedHeaders=a,Signature=0",
		  IPL_CODE_SIGNATURE_INCOMPLETE },
		{ "", "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a,Signature=0,X=1",
		  IPL_CODE_SIGNATURE_INCOMPLETE },
		{ "", "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a,Signature=0",
		  IPL_CODE_MISSING_TIMESTAMP },
	};

	(void)state;
	for (size_t i = 0; i < IPL_ARRAY_SIZE(rows); i++) {
		struct request request = { "GET", rows[i].query, { H("host", "h") }, "", NULL };
		if (rows[i].authorization != NULL) {
			set_header(&request, "Authorization", rows[i].authorization);
			set_header(&request, "x-acs-action", "A");
		}
		assert_int_equal(judge_request(&request), rows[i].wanted);
	}
}

/* --- the file of what SDKs sent --- */

static void take_headers(const struct ipl_value *list, struct ipl_header out[HEADERS_MAX],
			 uint32_t *count)
{
	*count = 0;
	assert_true(list->count <= HEADERS_MAX);
	for (uint32_t i = 0; i < list->count; i++)
		out[(*count)++] =
			(struct ipl_header){ list->item[i].item[0].str, list->item[i].item[1].str };
}

static void check_vector(const struct ipl_value *vector)
{
	struct ipl_header headers[HEADERS_MAX];
	struct ipl_arena arena;
	struct ipl_signed req = { .method = ipl_map_text(vector, "method"),
				  .body = ipl_map_text(vector, "body"),
				  .header = headers };
	struct ipl_str target = ipl_map_text(vector, "target");
	const char *mark = memchr(target.at, '?', target.len);
	const char *secret = ipl_map_text(vector, "access_key_secret").at;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	enum ipl_code code;

	ipl_arena_init(&arena, 1 << 20);
	req.path = (struct ipl_str){ target.at,
				     mark == NULL ? target.len : (size_t)(mark - target.at) };
	take_headers(ipl_map_get(vector, "headers"), headers, &req.header_count);
	if (mark != NULL)
		assert_int_equal(ipl_pairs_parse(&arena, ipl_str_of(mark + 1), &req.query, &err),
				 IPL_OK);
	if (ipl_str_is(ipl_header_find(&req, "content-type"), FORM))
		assert_int_equal(ipl_pairs_parse(&arena, req.body, &req.form, &err), IPL_OK);
	code = judge(&req, secret, &arena);
	if (code !=
	    (ipl_map_get(vector, "valid")->boolean ? IPL_CODE_NONE : IPL_CODE_SIGNATURE_MISMATCH))
		fail_msg("%s: %s", ipl_map_text(vector, "id").at, ipl_code_text(code));
	ipl_arena_release(&arena);
}

/* Where it lies, beside the sources; not every copy of them has it. */
static FILE *open_vectors(void)
{
	const char *path = getenv("SIGNATURE_VECTORS");

	return fopen(path != NULL ? path : SOURCE_ROOT "/../shared/signature_vectors.json", "r");
}

static void test_what_sdks_sent(void **state)
{
	FILE *file = open_vectors();
	struct ipl_arena arena;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_value document;
	const struct ipl_value *vectors;
	char *text;
	size_t len;

	(void)state;
	if (file == NULL) {
		print_message("# no file of vectors is here: only our own were looked at\n");
		return;
	}
	ipl_arena_init(&arena, 16 << 20);
	text = ipl_arena_alloc(&arena, 1 << 20);
	assert_non_null(text);
	len = fread(text, 1, 1 << 20, file);
	fclose(file);
	assert_int_equal(ipl_json_parse(&arena, (struct ipl_str){ text, len }, &document, &err),
			 IPL_OK);
	vectors = ipl_map_get(&document, "vectors");
	assert_non_null(vectors);
	assert_true(vectors->count > 0);
	for (uint32_t i = 0; i < vectors->count; i++)
		check_vector(&vectors->item[i]);
	print_message("# %u vectors\n", vectors->count);
	ipl_arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_of_another_secret),
		cmocka_unit_test(test_version_1_covers_all),
		cmocka_unit_test(test_acs3_covers_all),
		cmocka_unit_test(test_signed_headers_must_be_there),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_what_sdks_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
