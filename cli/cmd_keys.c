/* SPDX-License-Identifier: Apache-2.0 */
/* keys: the access keys that a server lets in. It changes the file; no server is asked. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "server/keys.h"

struct words {
	const char *path; /* of the file */
	const char *what; /* list, add, remove, env */
	const char *id;
	enum ipl_access role;
	bool has_role;
};

/* One word at argv[*i]; -1: taken. */
static int take_word(const struct ipl_invocation *in, int *i, struct words *w)
{
	const char *value;

	if ((value = ipl_option(in, i, "--keys")) != NULL) {
		w->path = value;
	} else if ((value = ipl_option(in, i, "--role")) != NULL) {
		if (!ipl_role_of(ipl_str_of(value), &w->role))
			return ipl_usage(&ipl_cmd_keys,
					 "--role takes admin, operator or auditor, not \"%s\"",
					 value);
		w->has_role = true;
	} else if (in->argv[*i][0] == '-') {
		return ipl_usage(&ipl_cmd_keys, "%s is no option of keys", in->argv[*i]);
	} else if (w->what == NULL) {
		w->what = in->argv[*i];
	} else if (w->id == NULL) {
		w->id = in->argv[*i];
	} else {
		return ipl_usage(&ipl_cmd_keys, "what is %s?", in->argv[*i]);
	}
	return -1;
}

static void say_reload(const struct ipl_invocation *in)
{
	fprintf(stderr,
		"a running server takes it over on SIGHUP: kill -HUP \"$(cat '%s/lock')\"\n",
		in->data);
}

static void add_key(const struct ipl_invocation *in, struct ipl_value *map,
		    const struct ipl_access_key *key)
{
	ipl_map_add(in->arena, map, "AccessKeyId", ipl_text_copy(in->arena, key->id));
	ipl_map_add(in->arena, map, "Role", ipl_text_of(ipl_role_name(key->role)));
}

static int list(const struct ipl_invocation *in, const struct words *w)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_value all = ipl_array(), result = ipl_map();
	struct ipl_keys *keys;
	enum ipl_status st = ipl_keys_load(w->path, &keys, &err);

	if (st == IPL_ERR_END) { /* without a file nobody has a key */
		fprintf(stderr, "there is no %s: `ipledger keys add` makes it\n", w->path);
		keys = ipl_keys_none();
		st = keys != NULL ? IPL_OK :
				    ipl_error_set(&err, IPL_ERR_NOMEM, "out of memory for keys");
	}
	if (st != IPL_OK)
		return ipl_fail(&err);
	for (size_t i = 0; i < ipl_keys_count(keys); i++) {
		struct ipl_value map = ipl_map();
		add_key(in, &map, ipl_keys_at(keys, i));
		ipl_array_add(in->arena, &all, map);
	}
	ipl_map_add(in->arena, &result, "Keys", all);
	ipl_print_result(in, &result);
	if (in->output == IPL_OUTPUT_TABLE && w->what == NULL)
		fprintf(stderr, "eval \"$(ipledger keys env ID)\" lets the official SDKs and "
				"`ipledger --server tcp:HOST:PORT` use one\n");
	ipl_keys_free(keys);
	return IPL_EXIT_OK;
}

static int add(const struct ipl_invocation *in, const struct words *w)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_value result = ipl_map();
	struct ipl_access_key key;
	enum ipl_status st;

	if (w->id != NULL)
		return ipl_usage(&ipl_cmd_keys, "a new key has a random id: %s cannot be chosen",
				 w->id);
	ipl_key_generate(w->role, &key);
	st = ipl_keys_add(w->path, &key, &err);
	if (st == IPL_OK) {
		add_key(in, &result, &key);
		ipl_map_add(in->arena, &result, "AccessKeySecret", ipl_text_of(key.secret));
		ipl_print_result(in, &result);
		say_reload(in);
	}
	ipl_key_wipe(&key);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

static int remove_key(const struct ipl_invocation *in, const struct words *w)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	enum ipl_status st;

	if (w->id == NULL)
		return ipl_usage(&ipl_cmd_keys, "remove which key?");
	st = ipl_keys_remove(w->path, ipl_str_of(w->id), &err);
	if (st == IPL_ERR_END)
		st = ipl_refuse(&err, IPL_CODE_NOT_FOUND, "there is no key %s: %s does not exist",
				w->id, w->path);
	if (st != IPL_OK)
		return ipl_fail(&err);
	say_reload(in);
	return IPL_EXIT_OK;
}

/* For a shell: in single quotes, which end nothing but themselves. */
static void print_export(const char *name, const char *value)
{
	printf("export %s='", name);
	for (const char *c = value; *c != '\0'; c++) {
		if (*c == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*c);
	}
	printf("'\n");
}

/* The key that is named; else the first with the role that is asked for. */
static const struct ipl_access_key *choose(const struct ipl_keys *keys, const struct words *w)
{
	if (w->id != NULL)
		return ipl_keys_find(keys, ipl_str_of(w->id));
	for (size_t i = 0; i < ipl_keys_count(keys); i++) {
		if (ipl_keys_at(keys, i)->role == w->role)
			return ipl_keys_at(keys, i);
	}
	return NULL;
}

static int print_env(const struct words *w)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	const struct ipl_access_key *key;
	struct ipl_keys *keys;
	int rc = IPL_EXIT_OK;

	if (ipl_keys_load(w->path, &keys, &err) != IPL_OK)
		return ipl_fail(&err);
	key = choose(keys, w);
	if (key != NULL) {
		print_export("ALIBABA_CLOUD_ACCESS_KEY_ID", key->id);
		print_export("ALIBABA_CLOUD_ACCESS_KEY_SECRET", key->secret);
	} else {
		ipl_refuse(&err, IPL_CODE_KEY_NOT_FOUND, "%s has no key %s", w->path,
			   w->id != NULL ? w->id : ipl_role_name(w->role));
		rc = ipl_fail(&err);
	}
	ipl_keys_free(keys);
	return rc;
}

static int run_keys(const struct ipl_invocation *in)
{
	struct words w = { .role = IPL_ACCESS_ADMIN };
	const char *what;

	w.path = ipl_arena_printf(in->arena, "%s/keys", in->data).at;
	for (int i = 0; i < in->argc; i++) {
		int rc = take_word(in, &i, &w);
		if (rc >= 0)
			return rc;
	}
	what = w.what == NULL ? "list" : w.what;
	if (strcmp(what, "add") == 0)
		return add(in, &w);
	if (strcmp(what, "env") == 0)
		return print_env(&w);
	if (w.has_role)
		return ipl_usage(&ipl_cmd_keys, "--role is for add and env");
	if (strcmp(what, "remove") == 0)
		return remove_key(in, &w);
	if (strcmp(what, "list") == 0 && w.id == NULL)
		return list(in, &w);
	return ipl_usage(&ipl_cmd_keys, "keys does not %s", what);
}

const struct ipl_command ipl_cmd_keys = {
	.name = "keys",
	.args = "[list | add [--role admin|operator|auditor] | remove ID | env [ID]] [--keys FILE]",
	.summary = "who may come in at a TCP or HTTP door",
	.run = run_keys,
};
