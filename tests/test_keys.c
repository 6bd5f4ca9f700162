/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: files of access keys, good and bad.
 * Claimed: what is a key is taken, what is none is refused by file and line; nothing that could be
 * a secret is in a message; changing the file keeps the rest of it; others' files are not read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct desk {
	char dir[64];
	char path[80];
};

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	(void)snprintf(desk->dir, sizeof(desk->dir), "/tmp/ipl-keys-XXXXXX");
	assert_non_null(mkdtemp(desk->dir));
	(void)snprintf(desk->path, sizeof(desk->path), "%s/keys", desk->dir);
	*state = desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	unlink(desk->path);
	assert_int_equal(rmdir(desk->dir), 0); /* nothing else was left there */
	free(desk);
	return 0;
}

static void write_bytes(const struct desk *desk, const char *text, size_t len, mode_t mode)
{
	int fd = open(desk->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void write_file(const struct desk *desk, const char *text, mode_t mode)
{
	write_bytes(desk, text, strlen(text), mode);
}

static void read_file(const struct desk *desk, char out[4096])
{
	int fd = open(desk->path, O_RDONLY);
	ssize_t len = read(fd, out, 4095);

	assert_true(len >= 0);
	out[len] = '\0';
	close(fd);
}

static void test_lines(void **state)
{
	static const char text[] = "# mine\n"
				   "\n"
				   "LTAIb secretB operator # who runs it\r\n"
				   "\tLTAIa  secret#A\tadmin\n"
				   "a.b-c_d@e !~ auditor";
	const struct desk *desk = *state;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_keys *keys;

	write_file(desk, text, 0600);
	assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_OK);
	assert_int_equal(ipl_keys_count(keys), 3);
	assert_string_equal(ipl_keys_at(keys, 0)->id, "LTAIa");
	assert_string_equal(ipl_keys_find(keys, IPL_STR("LTAIa"))->secret, "secret#A");
	assert_int_equal(ipl_keys_find(keys, IPL_STR("LTAIa"))->role, IPL_ACCESS_ADMIN);
	assert_int_equal(ipl_keys_find(keys, IPL_STR("LTAIb"))->role, IPL_ACCESS_OPERATOR);
	assert_int_equal(ipl_keys_find(keys, IPL_STR("a.b-c_d@e"))->role, IPL_ACCESS_AUDITOR);
	assert_null(ipl_keys_find(keys, IPL_STR("LTAI")));
	assert_null(ipl_keys_find(keys, IPL_STR("LTAIbb")));
	assert_null(ipl_keys_find(keys, IPL_STR("")));
	assert_null(ipl_keys_find(keys, IPL_STR_NONE));
	ipl_keys_free(keys);
	ipl_keys_free(NULL);
}

struct bad {
	const char *name;
	const char *text;
	const char *says;
};

static const struct bad bad[] = {
	{ "one word", "LTAIa\n", ":1: a line is" },
	{ "no role", "# x\nLTAIa topsecret\n", ":2: a line is" },
	{ "four words", "LTAIa topsecret admin too\n", ":1: a line is" },
	{ "another role", "LTAIa admin topsecret\n", ":1: the role is" },
	{ "a role in capitals", "LTAIa topsecret ADMIN\n", ":1: the role is" },
	{ "an id with a colon", "LTAI:a topsecret admin\n", ":1: a line is" },
	{ "a secret with a control", "LTAIa topsecret\x01 admin\n", ":1: a line is" },
	{ "a secret that is no ASCII", "LTAIa topsecret\xc3\xa4 admin\n", ":1: a line is" },
	{ "the same id twice", "LTAIa topsecret admin\nLTAIb x admin\nLTAIa y admin\n",
	  ":3: key LTAIa stands there twice" },
	{ "an id of 121",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa topsecret admin\n",
	  ":1: a line is" },
};

static void test_bad(void **state)
{
	const struct desk *desk = *state;

	for (size_t i = 0; i < IPL_ARRAY_SIZE(bad); i++) {
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		struct ipl_keys *keys = NULL;

		write_file(desk, bad[i].text, 0600);
		if (ipl_keys_load(desk->path, &keys, &err) != IPL_ERR_IO ||
		    strstr(err.text, bad[i].says) == NULL || strstr(err.text, "topsecret") != NULL)
			fail_msg("%s: %s", bad[i].name, err.text);
		assert_null(keys);
	}
}

static void test_file(void **state)
{
	static const mode_t refused[] = { 0640, 0604, 0660, 0700 };
	static const char nul[] = "LTAIa top\0secret admin\n";
	const struct desk *desk = *state;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_keys *keys;

	assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_ERR_END);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(refused); i++) {
		write_file(desk, "LTAIa topsecret admin\n", refused[i]);
		assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_ERR_IO);
		assert_non_null(strstr(err.text, "chmod 0600"));
	}
	write_file(desk, "LTAIa topsecret admin\n", 0400);
	assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_OK);
	ipl_keys_free(keys);
	assert_int_equal(chmod(desk->path, 0600), 0);
	write_bytes(desk, nul, sizeof(nul) - 1, 0600);
	assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_ERR_IO);
	unlink(desk->path);
	assert_int_equal(mkfifo(desk->path, 0600), 0);
	assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_ERR_IO);
	assert_non_null(strstr(err.text, "no file"));
	assert_int_equal(ipl_keys_load(desk->dir, &keys, &err), IPL_ERR_IO);
}

static void test_owner(void **state)
{
	const struct desk *desk = *state;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_keys *keys;

	if (geteuid() != 0)
		skip(); /* nobody else can give a file away */
	write_file(desk, "LTAIa topsecret admin\n", 0600);
	assert_int_equal(chown(desk->path, 4711, (gid_t)-1), 0);
	assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_ERR_IO);
	assert_non_null(strstr(err.text, "belongs to user 4711"));
}

static void test_change(void **state)
{
	const struct desk *desk = *state;
	struct ipl_access_key a = { "LTAIa", "secretA", IPL_ACCESS_ADMIN };
	struct ipl_access_key b = { "LTAIb", "secretB", IPL_ACCESS_AUDITOR };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	char text[4096];
	struct stat file;

	assert_int_equal(ipl_keys_remove(desk->path, IPL_STR("LTAIa"), &err), IPL_ERR_END);
	assert_int_equal(ipl_keys_add(desk->path, &a, &err), IPL_OK);
	assert_int_equal(stat(desk->path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
	assert_int_equal(ipl_keys_add(desk->path, &a, &err), IPL_REFUSED);
	assert_null(strstr(err.text, "secretA"));
	write_file(desk, "# first\nLTAIa secretA admin\n#LTAIb x admin\nLTAIc c admin", 0600);
	assert_int_equal(ipl_keys_add(desk->path, &b, &err), IPL_OK);
	read_file(desk, text);
	assert_string_equal(text, "# first\nLTAIa secretA admin\n#LTAIb x admin\nLTAIc c admin\n"
				  "LTAIb secretB auditor\n");
	assert_int_equal(ipl_keys_remove(desk->path, IPL_STR("LTAIa"), &err), IPL_OK);
	assert_int_equal(ipl_keys_remove(desk->path, IPL_STR("LTAIa"), &err), IPL_REFUSED);
	assert_int_equal(err.code, IPL_CODE_KEY_NOT_FOUND);
	assert_int_equal(ipl_keys_remove(desk->path, IPL_STR("LTAIb"), &err), IPL_OK);
	read_file(desk, text);
	assert_string_equal(text, "# first\n#LTAIb x admin\nLTAIc c admin\n");
}

/* A file that nobody may rely on is not changed either. */
static void test_change_refused(void **state)
{
	const struct desk *desk = *state;
	struct ipl_access_key a = { "LTAIa", "secretA", IPL_ACCESS_ADMIN };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	char text[4096];

	write_file(desk, "nonsense\n", 0600);
	assert_int_equal(ipl_keys_add(desk->path, &a, &err), IPL_ERR_IO);
	read_file(desk, text);
	assert_string_equal(text, "nonsense\n");
	write_file(desk, "", 0644);
	assert_int_equal(ipl_keys_add(desk->path, &a, &err), IPL_ERR_IO);
	assert_int_equal(chmod(desk->path, 0600), 0);
}

static void test_most(void **state)
{
	const struct desk *desk = *state;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_access_key more = { "zzz", "s", IPL_ACCESS_ADMIN };
	struct ipl_keys *keys;
	FILE *file = fopen(desk->path, "w");

	assert_int_equal(chmod(desk->path, 0600), 0);
	for (unsigned i = 0; i < IPL_KEYS_MAX; i++)
		fprintf(file, "k%u s%u auditor\n", i * 7919 % IPL_KEYS_MAX, i);
	fclose(file);
	assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_OK);
	assert_int_equal(ipl_keys_count(keys), IPL_KEYS_MAX);
	for (unsigned i = 1; i < IPL_KEYS_MAX; i++)
		assert_true(strcmp(ipl_keys_at(keys, i - 1)->id, ipl_keys_at(keys, i)->id) < 0);
	assert_non_null(ipl_keys_find(keys, IPL_STR("k4095")));
	ipl_keys_free(keys);
	assert_int_equal(ipl_keys_add(desk->path, &more, &err), IPL_REFUSED);
	file = fopen(desk->path, "a");
	fprintf(file, "zzz s auditor\n");
	fclose(file);
	assert_int_equal(ipl_keys_load(desk->path, &keys, &err), IPL_ERR_IO);
}

static void test_generate(void **state)
{
	struct ipl_access_key a, b;

	(void)state;
	ipl_key_generate(IPL_ACCESS_OPERATOR, &a);
	ipl_key_generate(IPL_ACCESS_OPERATOR, &b);
	assert_int_equal(strlen(a.id), 24);
	assert_memory_equal(a.id, "LTAI", 4);
	assert_int_equal(strlen(a.secret), 30);
	assert_int_equal(a.role, IPL_ACCESS_OPERATOR);
	assert_string_not_equal(a.id, b.id);
	assert_string_not_equal(a.secret, b.secret);
	ipl_key_wipe(&a);
	assert_int_equal(a.secret[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_owner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_change_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_most, set_up, tear_down),
		cmocka_unit_test(test_generate),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
