/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: claims of signed requests, and clocks that we set.
 * Claimed: times within 15 minutes pass, to the millisecond; a nonce is used once per key for as
 * long as its time could pass, and is never forgotten before; who is wrong too often waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth.h"

#include "events/time.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_MS INT64_C(1795472335000)

struct desk {
	struct ipl_auth *auth;
	struct ipl_keys *keys;
};

static int set_up(void **state)
{
	static const uint8_t random[IPL_AUTH_RANDOM_BYTES] = { 1, 2, 3 };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct desk *desk = calloc(1, sizeof(*desk));
	char path[] = "/tmp/ipl-auth-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "LTAIa secretA admin\nLTAIb secretB auditor\n", 42), 42);
	close(fd);
	assert_int_equal(ipl_keys_load(path, &desk->keys, &err), IPL_OK);
	unlink(path);
	desk->auth = ipl_auth_new(random, 1000);
	assert_non_null(desk->auth);
	*state = desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	ipl_auth_free(desk->auth);
	ipl_auth_free(NULL);
	ipl_keys_free(desk->keys);
	free(desk);
	return 0;
}

/* Begin at @now_ms with what @claim says, its time being @time_ms. */
static enum ipl_code begin(struct desk *desk, struct ipl_claim *claim, int64_t time_ms,
			   int64_t now_ms)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_access_key *key = NULL;
	static char text[IPL_TIME_TEXT_MAX];

	ipl_time_format(time_ms, text);
	claim->timestamp = ipl_str_of(text);
	if (ipl_auth_begin(desk->auth, desk->keys, claim, now_ms, &key, &err) == IPL_OK) {
		assert_non_null(key);
		assert_int_equal(claim->time_ms, time_ms);
		return IPL_CODE_NONE;
	}
	assert_int_equal(err.status, IPL_REFUSED);
	return err.code;
}

static enum ipl_code use(struct desk *desk, const char *key, const char *nonce, int64_t time_ms,
			 int64_t now_ms)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_claim claim = { .peer = 1,
				   .key_id = ipl_str_of(key),
				   .nonce = ipl_str_of(nonce) };
	enum ipl_code code = begin(desk, &claim, time_ms, now_ms);

	if (code != IPL_CODE_NONE)
		return code;
	return ipl_auth_finish(desk->auth, &claim, now_ms, &err) == IPL_OK ? IPL_CODE_NONE :
									     err.code;
}

static void test_time(void **state)
{
	static const char *const wrong[] = { "", "now", "1795472335", "2026-11-23",
					     "2026-11-23T22:13:16" };
	struct desk *desk = *state;
	struct ipl_claim claim = { .peer = 1, .key_id = IPL_STR("LTAIa") };
	const int64_t far = 15 * 60 * 1000;
	const struct ipl_access_key *key;

	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_NONE);
	assert_int_equal(begin(desk, &claim, NOW_MS - far, NOW_MS), IPL_CODE_NONE);
	assert_int_equal(begin(desk, &claim, NOW_MS + far, NOW_MS), IPL_CODE_NONE);
	assert_int_equal(begin(desk, &claim, NOW_MS - far - 1, NOW_MS), IPL_CODE_TIMESTAMP_EXPIRED);
	assert_int_equal(begin(desk, &claim, NOW_MS + far + 1, NOW_MS), IPL_CODE_TIMESTAMP_EXPIRED);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(wrong); i++) {
		struct ipl_error err = IPL_ERROR_INIT(NULL);

		claim.timestamp = ipl_str_of(wrong[i]);
		assert_int_equal(ipl_auth_begin(desk->auth, desk->keys, &claim, NOW_MS, &key, &err),
				 IPL_REFUSED);
		assert_int_equal(err.code, IPL_CODE_TIMESTAMP_FORMAT);
	}
	claim.key_id = IPL_STR("LTAIz"); /* the time is looked at before the key */
	assert_int_equal(begin(desk, &claim, NOW_MS - far - 1, NOW_MS), IPL_CODE_TIMESTAMP_EXPIRED);
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_KEY_NOT_FOUND);
}

static void test_nonces(void **state)
{
	struct desk *desk = *state;
	const int64_t far = IPL_AUTH_SKEW_MS;
	char longest[IPL_AUTH_NONCE_MAX + 2];

	assert_int_equal(use(desk, "LTAIa", "n1", NOW_MS, NOW_MS), IPL_CODE_NONE);
	assert_int_equal(use(desk, "LTAIa", "n1", NOW_MS, NOW_MS), IPL_CODE_NONCE_USED);
	assert_int_equal(use(desk, "LTAIa", "n1", NOW_MS + 60000, NOW_MS), IPL_CODE_NONCE_USED);
	assert_int_equal(use(desk, "LTAIb", "n1", NOW_MS, NOW_MS), IPL_CODE_NONE);
	assert_int_equal(use(desk, "LTAIa", "n2", NOW_MS + far, NOW_MS), IPL_CODE_NONE);
	/* At the last moment at which their times pass. */
	assert_int_equal(use(desk, "LTAIa", "n1", NOW_MS, NOW_MS + far), IPL_CODE_NONCE_USED);
	assert_int_equal(use(desk, "LTAIa", "n2", NOW_MS + far, NOW_MS + 2 * far),
			 IPL_CODE_NONCE_USED);
	assert_int_equal(use(desk, "LTAIa", "n3", NOW_MS + 3 * far, NOW_MS + 3 * far),
			 IPL_CODE_NONE);
	assert_int_equal(ipl_auth_nonce_count(desk->auth), 1); /* the others are gone */
	assert_int_equal(use(desk, "LTAIa", "n1", NOW_MS + 3 * far, NOW_MS + 3 * far),
			 IPL_CODE_NONE);
	assert_int_equal(use(desk, "LTAIa", "", NOW_MS, NOW_MS), IPL_CODE_INVALID_PARAMETER);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(use(desk, "LTAIa", longest, NOW_MS, NOW_MS), IPL_CODE_INVALID_PARAMETER);
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(use(desk, "LTAIa", longest, NOW_MS, NOW_MS), IPL_CODE_NONE);
}

/* Beyond what can be remembered nothing is forgotten: who comes then is told to wait. */
static void test_full(void **state)
{
	struct desk *desk = *state;
	char nonce[32];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(nonce, sizeof(nonce), "nonce-%d", i);
		assert_int_equal(use(desk, "LTAIa", nonce, NOW_MS + i * 500, NOW_MS + i * 500),
				 IPL_CODE_NONE);
	}
	assert_int_equal(use(desk, "LTAIa", "more", NOW_MS, NOW_MS), IPL_CODE_THROTTLED);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(nonce, sizeof(nonce), "nonce-%d", i);
		assert_int_equal(use(desk, "LTAIa", nonce, NOW_MS + 500000, NOW_MS + 500000),
				 IPL_CODE_NONCE_USED);
	}
	/* The first minute's are over; there is room again. */
	assert_int_equal(use(desk, "LTAIa", "more", NOW_MS + IPL_AUTH_SKEW_MS + 120000,
			     NOW_MS + IPL_AUTH_SKEW_MS + 120000),
			 IPL_CODE_NONE);
}

static void test_failures(void **state)
{
	struct desk *desk = *state;
	struct ipl_claim claim = { .peer = 7, .key_id = IPL_STR("LTAIa") };
	struct ipl_claim other_key = { .peer = 7, .key_id = IPL_STR("LTAIb") };
	struct ipl_claim other_peer = { .peer = 8, .key_id = IPL_STR("LTAIa") };

	for (int i = 0; i < IPL_AUTH_FAILURES_BURST; i++) {
		assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_NONE);
		ipl_auth_failed(desk->auth, &claim, NOW_MS);
	}
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_THROTTLED);
	assert_int_equal(claim.retry_after_ms, IPL_AUTH_FAILURE_MS);
	assert_int_equal(begin(desk, &other_key, NOW_MS, NOW_MS), IPL_CODE_NONE);
	assert_int_equal(begin(desk, &other_peer, NOW_MS, NOW_MS), IPL_CODE_NONE);
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS + IPL_AUTH_FAILURE_MS - 1),
			 IPL_CODE_THROTTLED);
	assert_int_equal(claim.retry_after_ms, 1);
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS + IPL_AUTH_FAILURE_MS), IPL_CODE_NONE);
	ipl_auth_failed(desk->auth, &claim, NOW_MS + IPL_AUTH_FAILURE_MS);
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS + IPL_AUTH_FAILURE_MS),
			 IPL_CODE_THROTTLED);
	/* A clock that is set back keeps nobody out for longer than the burst takes. */
	assert_int_equal(begin(desk, &claim, NOW_MS - 600000, NOW_MS - 600000), IPL_CODE_THROTTLED);
	assert_true(claim.retry_after_ms <= IPL_AUTH_FAILURE_MS);
}

static void test_unknown_keys(void **state)
{
	struct desk *desk = *state;
	struct ipl_claim claim = { .peer = 7 };
	char id[32];

	for (int i = 0; i < IPL_AUTH_FAILURES_BURST; i++) {
		(void)snprintf(id, sizeof(id), "LTAIguess%d", i);
		claim.key_id = ipl_str_of(id);
		assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_KEY_NOT_FOUND);
	}
	claim.key_id = IPL_STR("LTAIanother");
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_THROTTLED);
	claim.key_id = IPL_STR("LTAIa");
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_NONE);
}

/* A secret that is shown counts as a signature does, and its failures with the others. */
static void test_secret(void **state)
{
	struct desk *desk = *state;
	struct ipl_claim claim = { .peer = 7, .key_id = IPL_STR("LTAIb") };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_access_key *key = NULL;

	assert_int_equal(ipl_auth_secret(desk->auth, desk->keys, &claim, IPL_STR("secretB"), NOW_MS,
					 &key, &err),
			 IPL_OK);
	assert_int_equal(key->role, IPL_ACCESS_AUDITOR);
	for (int i = 0; i < IPL_AUTH_FAILURES_BURST; i++) {
		assert_int_equal(ipl_auth_secret(desk->auth, desk->keys, &claim, IPL_STR("secretA"),
						 NOW_MS, &key, &err),
				 IPL_REFUSED);
		assert_int_equal(err.code, IPL_CODE_UNAUTHENTICATED);
	}
	assert_int_equal(ipl_auth_secret(desk->auth, desk->keys, &claim, IPL_STR("secretB"), NOW_MS,
					 &key, &err),
			 IPL_REFUSED);
	assert_int_equal(err.code, IPL_CODE_THROTTLED);
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_THROTTLED);
	claim.key_id = IPL_STR("LTAIz");
	assert_int_equal(
		ipl_auth_secret(desk->auth, desk->keys, &claim, IPL_STR(""), NOW_MS, &key, &err),
		IPL_REFUSED);
	assert_int_equal(err.code, IPL_CODE_UNAUTHENTICATED);
}

/* However many peers fail, one that fails all the time stays known. */
static void test_many_peers(void **state)
{
	struct desk *desk = *state;
	struct ipl_claim claim = { .peer = 7, .key_id = IPL_STR("LTAIa") };

	for (int i = 0; i < IPL_AUTH_FAILURES_BURST; i++)
		ipl_auth_failed(desk->auth, &claim, NOW_MS);
	for (uint64_t peer = 100; peer < 100 + 4 * IPL_AUTH_PEERS_MAX; peer++) {
		struct ipl_claim other = { .peer = peer, .key_id = IPL_STR("LTAIa") };
		ipl_auth_failed(desk->auth, &other, NOW_MS);
	}
	assert_int_equal(begin(desk, &claim, NOW_MS, NOW_MS), IPL_CODE_THROTTLED);
}

static void test_peer(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = 1,
				  .sin_addr.s_addr = htonl(0x7f000001) };
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 }, b = a;
	uint8_t mapped[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };

	(void)state;
	a.sin6_addr.s6_addr[0] = 0x20;
	a.sin6_addr.s6_addr[7] = 1;
	b = a;
	b.sin6_addr.s6_addr[15] = 9;
	assert_int_equal(ipl_auth_peer((struct sockaddr *)&in), 0x7f000001);
	assert_true(ipl_auth_peer((struct sockaddr *)&a) == ipl_auth_peer((struct sockaddr *)&b));
	b.sin6_addr.s6_addr[7] = 2;
	assert_true(ipl_auth_peer((struct sockaddr *)&a) != ipl_auth_peer((struct sockaddr *)&b));
	memcpy(b.sin6_addr.s6_addr, mapped, 16);
	assert_int_equal(ipl_auth_peer((struct sockaddr *)&b), 0x7f000001);
}

/* The expected value is OpenSSL's: printf 'LTAIa\n2026-11-23T22:13:16Z\nn' | openssl dgst -hmac. */
static void test_signature(void **state)
{
	const struct ipl_access_key key = { "LTAIa", "secretA", IPL_ACCESS_ADMIN };
	char hex[65];

	(void)state;
	ipl_hello_sign(&key, IPL_STR("2026-11-23T22:13:16Z"), IPL_STR("n"), hex);
	assert_string_equal(hex,
			    "9eebcd768a78e1884348281008fac586b9181470cbc10d1f29c367dbe76436e8");
	assert_true(ipl_auth_equal(IPL_STR("abc"), IPL_STR("abc")));
	assert_false(ipl_auth_equal(IPL_STR("abc"), IPL_STR("abd")));
	assert_false(ipl_auth_equal(IPL_STR("abc"), IPL_STR("ab")));
	assert_true(ipl_auth_equal(IPL_STR(""), IPL_STR_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nonces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_secret, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_peers, set_up, tear_down),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_signature),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
