/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: the client library, and a peer that says what a script has, right or wrong.
 * Claimed: each wrong answer is named and ends the connection; notifications are kept in order
 * while an answer is awaited; time runs out; a caller's mistake sends nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ipledger-client.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BYTES(literal) "" literal, sizeof(literal) - 1
#define HELLO          "\x94\x01\x00\xc0\x80" /* the answer to Hello */

/* A server that reads something, says a part, reads something, says the next part. */
struct peer {
	char dir[32];
	char address[64];
	int listener;
	pthread_t thread;
	struct {
		const char *bytes;
		size_t len;
	} part[3];
	size_t parts;
	bool stays; /* silent, instead of closing */
	char heard[512];
	size_t heard_len;
};

static void *serve(void *context)
{
	struct peer *peer = context;
	int fd = accept(peer->listener, NULL, NULL);
	ssize_t n;

	for (size_t i = 0; i < peer->parts; i++) {
		n = read(fd, peer->heard, sizeof(peer->heard));
		if (n <= 0)
			break;
		peer->heard_len = (size_t)n;
		for (size_t k = 0; k < peer->part[i].len; k++) /* byte by byte */
			(void)!send(fd, peer->part[i].bytes + k, 1, MSG_NOSIGNAL);
	}
	while (peer->stays && read(fd, peer->heard, sizeof(peer->heard)) > 0)
		continue;
	close(fd);
	return NULL;
}

static void peer_start(struct peer *peer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(peer->dir, sizeof(peer->dir), "/tmp/ipl-client-XXXXXX");
	assert_non_null(mkdtemp(peer->dir));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", peer->dir);
	(void)snprintf(peer->address, sizeof(peer->address), "unix:%s/s", peer->dir);
	peer->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(peer->listener, (const struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(listen(peer->listener, 4), 0);
	assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void peer_end(struct peer *peer)
{
	char path[64];

	pthread_join(peer->thread, NULL);
	close(peer->listener);
	(void)snprintf(path, sizeof(path), "%s/s", peer->dir);
	unlink(path);
	rmdir(peer->dir);
}

static struct ipl_client *connected(struct peer *peer)
{
	struct ipl_client *client = ipl_client_new();
	struct ipl_client_error err;

	peer_start(peer);
	assert_non_null(client);
	assert_int_equal(ipl_client_connect(client, peer->address, &err), IPL_CLIENT_OK);
	return client;
}

/* --- one answer --- */

struct row {
	const char *name;
	const char *bytes;
	size_t len;
	enum ipl_client_status want;
	const char *text; /* a part of what the error says; of what is answered, as JSON */
	const char *code;
	int http_status;
};

static const struct row rows[] = {
	{ "a result", BYTES("\x94\x01\x01\xc0\x81\xa1\x61\x07"), IPL_CLIENT_OK, "{\"a\":7}", "",
	  0 },
	{ "a msgid in its widest form", BYTES("\x94\x01\xcf\0\0\0\0\0\0\0\x01\xc0\x80"),
	  IPL_CLIENT_OK, "{}", "", 0 },
	{ "an error as text",
	  BYTES("\x94\x01\x01\xa9"
		"A.B: text\xc0"),
	  IPL_CLIENT_REFUSED, "text", "A.B", 0 },
	{ "an error as a text without a code", BYTES("\x94\x01\x01\xa2no\xc0"), IPL_CLIENT_REFUSED,
	  "no", "", 0 },
	{ "an error as a map",
	  BYTES("\x94\x01\x01\x83\xa4"
		"Code\xa1X\xa7Message\xa2no\xaaHttpStatus\xcd\x01\x93\xc0"),
	  IPL_CLIENT_REFUSED, "no", "X", 403 },
	{ "an error that is a number", BYTES("\x94\x01\x01\x07\xc0"), IPL_CLIENT_REFUSED, "", "",
	  0 },
	{ "another msgid", BYTES("\x94\x01\x02\xc0\x80"), IPL_CLIENT_LOST, "no sense", "", 0 },
	{ "an msgid beyond 32 bits", BYTES("\x94\x01\xcf\0\0\0\x01\0\0\0\x01\xc0\x80"),
	  IPL_CLIENT_LOST, "no sense", "", 0 },
	{ "an msgid that is text", BYTES("\x94\x01\xa1\x31\xc0\x80"), IPL_CLIENT_LOST, "no sense",
	  "", 0 },
	{ "a frame of three", BYTES("\x93\x01\x01\xc0"), IPL_CLIENT_LOST, "no sense", "", 0 },
	{ "a request", BYTES("\x94\x00\x01\xa1x\x90"), IPL_CLIENT_LOST, "no sense", "", 0 },
	{ "no frame", BYTES("\x07"), IPL_CLIENT_LOST, "no sense", "", 0 },
	{ "no MessagePack", BYTES("\xc1"), IPL_CLIENT_LOST, "no sense", "", 0 },
	{ "too large a claim", BYTES("\x94\x01\x01\xc0\xc6\x7f\xff\xff\xff"), IPL_CLIENT_LOST,
	  "no sense", "", 0 },
	{ "half an answer", BYTES("\x94\x01\x01\xc0\x81\xa1"), IPL_CLIENT_LOST, "closed", "", 0 },
	{ "nothing", BYTES(""), IPL_CLIENT_LOST, "closed", "", 0 },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	struct peer peer = { .parts = 2, .part = { { BYTES(HELLO) }, { row->bytes, row->len } } };
	struct ipl_client *client = connected(&peer);
	struct ipl_client_answer *answer;
	struct ipl_client_error err = { .text = "untouched" };
	enum ipl_client_status st = ipl_client_call(client, "X", NULL, 0, &answer, &err);

	assert_int_equal(st, row->want);
	assert_int_equal(answer != NULL, st == IPL_CLIENT_OK || st == IPL_CLIENT_REFUSED);
	if (st == IPL_CLIENT_OK) {
		assert_string_equal(ipl_client_answer_json(answer, ""), row->text);
		assert_string_equal(err.text, "untouched");
	} else {
		assert_int_equal(err.status, st);
		assert_non_null(strstr(err.text, row->text));
		assert_string_equal(err.code, row->code);
		assert_int_equal(err.http_status, row->http_status);
	}
	ipl_client_answer_free(answer);
	if (st == IPL_CLIENT_LOST) { /* and so it stays */
		assert_int_equal(ipl_client_fd(client), -1);
		assert_int_equal(ipl_client_call(client, "X", NULL, 0, &answer, &err),
				 IPL_CLIENT_LOST);
		assert_null(answer);
	}
	ipl_client_free(client);
	peer_end(&peer);
}

/* --- more than one --- */

static void test_notices_before_an_answer(void **state)
{
	struct peer peer = {
		.parts = 2,
		.part = { { BYTES(HELLO) },
			  { BYTES("\x93\x02\xa5"
				  "Event\x91\x81\xa1n\x01"
				  "\x94\x01\x01\xc0\x80"
				  "\x93\x02\xa9Heartbeat\x91\x81\xa1n\x02") } },
	};
	struct ipl_client *client = connected(&peer);
	struct ipl_client_answer *answer, *what;
	struct ipl_client_error err;
	const char *name;
	int64_t n = 0;

	(void)state;
	assert_int_equal(ipl_client_send(client, "X", NULL, 0, &err), IPL_CLIENT_OK);
	assert_int_equal(ipl_client_owed(client), 1);
	assert_int_equal(ipl_client_notice(client, 0, &name, &what, &err), IPL_CLIENT_INVALID);
	assert_null(what);
	assert_int_equal(ipl_client_call(client, "X", NULL, 0, &answer, &err), IPL_CLIENT_INVALID);
	assert_int_equal(ipl_client_receive(client, &answer, &err), IPL_CLIENT_OK);
	ipl_client_answer_free(answer);
	assert_int_equal(ipl_client_receive(client, &answer, &err), IPL_CLIENT_INVALID);
	assert_int_equal(ipl_client_notice(client, 0, &name, &what, &err), IPL_CLIENT_OK);
	assert_string_equal(name, "Event");
	assert_true(ipl_client_answer_int(what, "n", &n) && n == 1);
	ipl_client_answer_free(what);
	assert_int_equal(ipl_client_notice(client, 5000, &name, &what, &err), IPL_CLIENT_OK);
	assert_string_equal(name, "Heartbeat");
	assert_true(ipl_client_answer_int(what, "n", &n) && n == 2);
	ipl_client_answer_free(what);
	assert_int_equal(ipl_client_notice(client, 5000, &name, &what, &err), IPL_CLIENT_LOST);
	ipl_client_free(client);
	peer_end(&peer);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_time_runs_out(void **state)
{
	struct peer peer = { .parts = 1, .part = { { BYTES(HELLO) } }, .stays = true };
	struct ipl_client *client = connected(&peer);
	struct ipl_client_answer *answer, *what;
	struct ipl_client_error err;
	const char *name;
	int64_t begun = now_ms();

	(void)state;
	assert_int_equal(ipl_client_notice(client, 50, &name, &what, &err), IPL_CLIENT_NOTHING);
	assert_true(now_ms() - begun >= 50);
	ipl_client_set_timeout_ms(client, 200);
	begun = now_ms();
	assert_int_equal(ipl_client_call(client, "X", NULL, 0, &answer, &err), IPL_CLIENT_LOST);
	assert_true(now_ms() - begun >= 190 && now_ms() - begun < 10000);
	assert_non_null(strstr(err.text, "time ran out"));
	ipl_client_free(client);
	peer_end(&peer);
}

static void test_words(void **state)
{
	static const char sent[] = "\x94\x00\x01\xa9"
				   "CreateVpc\x91\x82\xa9"
				   "CidrBlock\xab"
				   "10.0.0.0/16\xaa"
				   "EnableIpv6\xc3";
	static const char *const words[] = { "CidrBlock=10.0.0.0/16", "EnableIpv6=true", NULL };
	static const char *const wrong[] = { "CidrBlock", NULL };
	struct peer peer = { .parts = 2,
			     .part = { { BYTES(HELLO) }, { BYTES("\x94\x01\x01\xc0\x80") } } };
	struct ipl_client *client = connected(&peer);
	struct ipl_client_answer *answer;
	struct ipl_client_error err;

	(void)state;
	assert_int_equal(ipl_client_call_words(client, "CreateVpc", wrong, &answer, &err),
			 IPL_CLIENT_INVALID);
	assert_null(answer);
	assert_int_equal(ipl_client_call(client, "X", "\x81\x01", 2, &answer, &err),
			 IPL_CLIENT_INVALID); /* half a map */
	assert_int_equal(ipl_client_call(client, "X", "\x07", 1, &answer, &err),
			 IPL_CLIENT_INVALID);
	assert_int_equal(ipl_client_call(client, "X", "\x80\x80", 2, &answer, &err),
			 IPL_CLIENT_INVALID);
	assert_int_equal(ipl_client_owed(client), 0);
	assert_int_equal(ipl_client_call_words(client, "CreateVpc", words, &answer, &err),
			 IPL_CLIENT_OK);
	ipl_client_answer_free(answer);
	ipl_client_free(client);
	peer_end(&peer);
	assert_int_equal(peer.heard_len, sizeof(sent) - 1);
	assert_memory_equal(peer.heard, sent, sizeof(sent) - 1);
}

static void test_looks(void **state)
{
	struct peer peer = {
		.parts = 2,
		.part = { { BYTES(HELLO) },
			  { BYTES("\x94\x01\x01\xc0\x83\xa1l\x92\xa1x\x81\xa1y\xc3\xa1n\xd0\xfe"
				  "\xa1t\xa0") } },
	};
	struct ipl_client *client = connected(&peer);
	struct ipl_client_answer *answer;
	struct ipl_client_error err;
	int64_t n = 5;
	bool yes = false;
	size_t len;

	(void)state;
	assert_int_equal(ipl_client_call(client, "X", NULL, 0, &answer, &err), IPL_CLIENT_OK);
	ipl_client_free(client); /* an answer outlives its client */
	peer_end(&peer);
	assert_non_null(ipl_client_answer_bytes(answer, &len));
	assert_int_equal(len, 17);
	assert_string_equal(ipl_client_answer_text(answer, "l.1"), "x");
	assert_string_equal(ipl_client_answer_text(answer, "t"), "");
	assert_null(ipl_client_answer_text(answer, "l"));
	assert_null(ipl_client_answer_text(answer, "l.3"));
	assert_int_equal(ipl_client_answer_count(answer, "l"), 2);
	assert_int_equal(ipl_client_answer_count(answer, ""), 3);
	assert_int_equal(ipl_client_answer_count(answer, "t"), 0);
	assert_true(ipl_client_answer_bool(answer, "l.2.y", &yes) && yes);
	assert_false(ipl_client_answer_int(answer, "t", &n));
	assert_int_equal(n, 5);
	assert_true(ipl_client_answer_int(answer, "n", &n) && n == -2);
	assert_string_equal(ipl_client_answer_json(answer, "l"), "[\"x\",{\"y\":true}]");
	assert_null(ipl_client_answer_json(answer, "z"));
	ipl_client_answer_free(answer);
}

static void test_not_reached(void **state)
{
	struct ipl_client *client = ipl_client_new();
	struct ipl_client_answer *answer;
	struct ipl_client_error err;

	(void)state;
	assert_int_equal(ipl_client_call(client, "X", NULL, 0, &answer, &err),
			 IPL_CLIENT_UNREACHABLE);
	assert_int_equal(ipl_client_connect(client, "unix:/nonexistent/s", &err),
			 IPL_CLIENT_UNREACHABLE);
	assert_non_null(strstr(err.text, "/nonexistent/s: No such file"));
	assert_int_equal(ipl_client_connect(client, "carrier pigeon", &err),
			 IPL_CLIENT_UNREACHABLE);
	assert_int_equal(ipl_client_connect(client, "tcp:nohost", &err), IPL_CLIENT_UNREACHABLE);
	assert_int_equal(ipl_client_set_key(client, "id", NULL, &err), IPL_CLIENT_INVALID);
	assert_int_equal(ipl_client_set_key(client, "a b", "secret", &err), IPL_CLIENT_INVALID);
	assert_int_equal(ipl_client_set_key(client, "id", "", &err), IPL_CLIENT_INVALID);
	assert_int_equal(ipl_client_set_key(client, NULL, NULL, &err), IPL_CLIENT_OK);
	ipl_client_free(client);
	ipl_client_free(NULL);
	ipl_client_answer_free(NULL);
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_notices_before_an_answer),
		cmocka_unit_test(test_time_runs_out),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_not_reached),
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]), OTHERS = sizeof(others) / sizeof(others[0]) };
	struct CMUnitTest tests[ROWS + OTHERS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = test_row,
						.initial_state = (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < OTHERS; i++)
		tests[ROWS + i] = others[i];
	return cmocka_run_group_tests_name("the client library", tests, NULL, NULL);
}
