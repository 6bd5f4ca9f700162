/* SPDX-License-Identifier: Apache-2.0 */
/* serve: the server in the foreground. */
#include "cli/command.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/json.h"
#include "server/log.h"
#include "server/serve.h"

#define INIT_BYTES_MAX   ((size_t)4 << 20)
#define CONFIG_BYTES_MAX ((size_t)64 << 10)

/* Options with one value, those that may be repeated, and those without a value. */
enum text_option {
	OPTION_CONFIG,
	OPTION_DATA,
	OPTION_HTTP,
	OPTION_INIT,
	OPTION_KEYS,
	OPTION_LOG_FORMAT,
	OPTION_LOG_LEVEL,
	OPTION_TLS_CERT,
	OPTION_TLS_KEY,
	OPTION_TEXTS,
};
enum list_option { OPTION_RPC, OPTION_HTTP_HOST, OPTION_LISTS };
enum flag_option { OPTION_ANY_KEY, OPTION_CORE_DUMPS, OPTION_FLAGS };
#define LISTS_AT OPTION_TEXTS
#define FLAGS_AT (OPTION_TEXTS + OPTION_LISTS)

static const struct ipl_option_help options[FLAGS_AT + OPTION_FLAGS + 1] = {
	[OPTION_CONFIG] = { "config", "FILE",
			    "More options, from a file of lines name = value. The command line "
			    "wins. Read at the start only." },
	[OPTION_DATA] = { "data", "DIR", "The ledger's directory; made when missing, mode 0700." },
	[OPTION_HTTP] = { "http", "HOST:PORT|none",
			  "The HTTP door. Default 127.0.0.1:8470; none does without. Port 0 picks "
			  "a free one." },
	[OPTION_INIT] = { "init", "FILE",
			  "The settings of a new ledger, as JSON; of no effect on one that is "
			  "there." },
	[OPTION_KEYS] = { "keys", "FILE",
			  "The access keys, a line ACCESS_KEY_ID SECRET ROLE for each; mode 0600. "
			  "Default: the file keys in the ledger's directory, made with one admin "
			  "key. Read again on SIGHUP." },
	[OPTION_LOG_FORMAT] = { "log-format", "text|json",
				"How the log looks, on standard error." },
	[OPTION_LOG_LEVEL] = { "log-level", "error|warn|info|debug", "What is logged: info." },
	[OPTION_TLS_CERT] = { "tls-cert", "FILE",
			      "The certificate, with its chain, as PEM: all TCP and HTTP doors "
			      "speak "
			      "TLS, and nothing else. Read again on SIGHUP." },
	[OPTION_TLS_KEY] = { "tls-key", "FILE", "Its private key, as PEM, without a passphrase." },
	[LISTS_AT + OPTION_RPC] = { "rpc", "unix:PATH|tcp:HOST:PORT",
				    "A native door; repeated for more. Default: the socket "
				    "ipledger.sock in the ledger's directory, for its owner and "
				    "root." },
	[LISTS_AT + OPTION_HTTP_HOST] = { "http-host", "NAME",
					  "One more name by which HTTP clients may call it; "
					  "repeated for more." },
	[FLAGS_AT + OPTION_ANY_KEY] = { "any-key", "",
					"For tests and emulation: everybody is admin. Loopback "
					"only." },
	[FLAGS_AT + OPTION_CORE_DUMPS] = { "core-dumps", "",
					   "Let a crash leave a core file, which may hold "
					   "secrets." },
};

#define LIST_MAX IPL_LISTENERS_MAX
static_assert(LIST_MAX <= IPL_HTTP_HOSTS_MAX, "a list fits in either");

/* What the command line says, or a file. */
struct words {
	const char *text[OPTION_TEXTS];
	const char *list[OPTION_LISTS][LIST_MAX];
	size_t count[OPTION_LISTS];
	bool flag[OPTION_FLAGS];
};

/* Of the @count options from @first on the one with that name; -1: none. */
static int find_name(int first, int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(options[first + i].name, name) == 0)
			return i;
	}
	return -1;
}

static char *read_file(struct ipl_arena *arena, const char *path, size_t most, size_t *len,
		       struct ipl_error *err)
{
	FILE *file = fopen(path, "r");
	char *text = ipl_arena_alloc(arena, most + 1);

	if (file == NULL || text == NULL) {
		ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
		if (file != NULL)
			fclose(file);
		return NULL;
	}
	*len = fread(text, 1, most, file);
	if (ferror(file) || (*len == most && fgetc(file) != EOF)) {
		ipl_error_set(err, IPL_ERR_IO, "%s cannot be read, or is longer than %zu bytes",
			      path, most);
		text = NULL;
	}
	fclose(file);
	return text;
}

static enum ipl_status read_init(const struct ipl_invocation *in, const char *path,
				 struct ipl_value *out, struct ipl_error *err)
{
	size_t len;
	char *text = read_file(in->arena, path, INIT_BYTES_MAX, &len, err);
	enum ipl_status st;

	if (text == NULL)
		return err->status;
	st = ipl_json_parse(in->arena, (struct ipl_str){ text, len }, out, err);
	if (st == IPL_OK && out->type != IPL_VALUE_MAP)
		st = ipl_error_set(err, IPL_ERR_IO, "%s holds no JSON object", path);
	return st;
}

/* --- a file of options --- */

/* Cut blanks at both ends off, in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		text[--len] = '\0';
	return text;
}

/* A "#" at the beginning, or after a blank, begins a comment. */
static void cut_comment(char *line)
{
	for (char *at = line; *at != '\0'; at++) {
		if (*at == '#' && (at == line || at[-1] == ' ' || at[-1] == '\t')) {
			*at = '\0';
			return;
		}
	}
}

static enum ipl_status set_flag(struct words *w, int flag, const char *value, const char *where,
				struct ipl_error *err)
{
	w->flag[flag] = strcmp(value, "true") == 0;
	if (w->flag[flag] || strcmp(value, "false") == 0)
		return IPL_OK;
	return ipl_error_set(err, IPL_ERR_IO, "%s: %s is true or false, not \"%s\"", where,
			     options[FLAGS_AT + flag].name, value);
}

static enum ipl_status take_pair(struct words *w, const char *name, const char *value,
				 const char *where, struct ipl_error *err)
{
	int text = find_name(0, OPTION_TEXTS, name);
	int list = find_name(LISTS_AT, OPTION_LISTS, name);
	int flag = find_name(FLAGS_AT, OPTION_FLAGS, name);

	if (text == OPTION_CONFIG || (text < 0 && list < 0 && flag < 0))
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s: there is no option \"%s\": the names are those of "
				     "`ipledger help serve`, without --",
				     where, name);
	if (value[0] == '\0')
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s has no value", where, name);
	if (text >= 0 && w->text[text] != NULL)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s stands there twice", where, name);
	if (list >= 0 && w->count[list] == LIST_MAX)
		return ipl_error_set(err, IPL_ERR_IO, "%s: more than %d %s", where, LIST_MAX, name);
	if (flag >= 0)
		return set_flag(w, flag, value, where, err);
	if (text >= 0)
		w->text[text] = value;
	else
		w->list[list][w->count[list]++] = value;
	return IPL_OK;
}

static enum ipl_status take_line(struct ipl_arena *arena, struct words *w, char *line,
				 const char *path, size_t number, struct ipl_error *err)
{
	const char *where = ipl_arena_printf(arena, "%s:%zu", path, number).at;
	char *equals;

	if (where == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for %s", path);
	cut_comment(line);
	line = trim(line);
	equals = strchr(line, '=');
	if (line[0] == '\0')
		return IPL_OK;
	if (equals == NULL)
		return ipl_error_set(err, IPL_ERR_IO, "%s: a line is name = value", where);
	*equals = '\0';
	return take_pair(w, trim(line), trim(equals + 1), where, err);
}

static enum ipl_status read_config(const struct ipl_invocation *in, const char *path,
				   struct words *out, struct ipl_error *err)
{
	size_t len, number = 1;
	char *text = read_file(in->arena, path, CONFIG_BYTES_MAX, &len, err);
	enum ipl_status st = IPL_OK;

	if (text == NULL)
		return err->status;
	text[len] = '\0';
	if (strlen(text) != len)
		return ipl_error_set(err, IPL_ERR_IO, "%s holds a zero byte: it is no text", path);
	for (char *line = text; st == IPL_OK && line != NULL; number++) {
		char *end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		st = take_line(in->arena, out, line, path, number, err);
		line = end;
	}
	return st;
}

/* The command line wins; a list of its own takes the place of the file's. */
static void merge(struct words *w, const struct words *file)
{
	for (int i = 0; i < OPTION_TEXTS; i++) {
		if (w->text[i] == NULL && !(i == OPTION_KEYS && w->flag[OPTION_ANY_KEY]))
			w->text[i] = file->text[i];
	}
	for (int i = 0; i < OPTION_LISTS; i++) {
		if (w->count[i] > 0)
			continue;
		memcpy(w->list[i], file->list[i], sizeof(w->list[i]));
		w->count[i] = file->count[i];
	}
	for (int i = 0; i < OPTION_FLAGS; i++) {
		if (!(i == OPTION_ANY_KEY && w->text[OPTION_KEYS] != NULL &&
		      !file->text[OPTION_KEYS]))
			w->flag[i] = w->flag[i] || file->flag[i];
	}
}

/* --- the command line --- */

/* One option at argv[*i]; -1: taken. */
static int take_option(const struct ipl_invocation *in, int *i, struct words *w)
{
	const char *word = in->argv[*i], *value;
	int flag;

	if (strncmp(word, "--", 2) != 0)
		return ipl_usage(&ipl_cmd_serve, "%s is no option of serve", word);
	flag = find_name(FLAGS_AT, OPTION_FLAGS, word + 2);
	if (flag >= 0) {
		w->flag[flag] = true;
		return -1;
	}
	for (int k = 0; k < OPTION_TEXTS + OPTION_LISTS; k++) {
		bool is_list = k >= OPTION_TEXTS;
		int list = k - OPTION_TEXTS;
		char name[32];
		(void)snprintf(name, sizeof(name), "--%s", options[k].name);
		value = ipl_option(in, i, name);
		if (value == NULL)
			continue;
		if (is_list && w->count[list] == LIST_MAX)
			return ipl_usage(&ipl_cmd_serve, "more than %d %s", LIST_MAX, name);
		if (value[0] == '\0')
			return ipl_usage(&ipl_cmd_serve, "%s wants a value", name);
		if (is_list)
			w->list[list][w->count[list]++] = value;
		else
			w->text[k] = value;
		return -1;
	}
	return ipl_usage(&ipl_cmd_serve, "%s is no option of serve", word);
}

/* What is given goes together; -1: it does. */
static int check(const struct words *w, enum ipl_log_level *level, bool *log_json)
{
	const char *format = w->text[OPTION_LOG_FORMAT];

	if (w->flag[OPTION_ANY_KEY] && w->text[OPTION_KEYS] != NULL)
		return ipl_usage(&ipl_cmd_serve, "--keys and --any-key exclude each other");
	if ((w->text[OPTION_TLS_CERT] == NULL) != (w->text[OPTION_TLS_KEY] == NULL))
		return ipl_usage(&ipl_cmd_serve, "--tls-cert and --tls-key go together");
	if (w->text[OPTION_LOG_LEVEL] != NULL &&
	    !ipl_log_level_of(w->text[OPTION_LOG_LEVEL], level))
		return ipl_usage(&ipl_cmd_serve,
				 "--log-level takes error, warn, info or debug, not \"%s\"",
				 w->text[OPTION_LOG_LEVEL]);
	*log_json = format != NULL && strcmp(format, "json") == 0;
	if (format != NULL && !*log_json && strcmp(format, "text") != 0)
		return ipl_usage(&ipl_cmd_serve, "--log-format takes text or json, not \"%s\"",
				 format);
	return -1;
}

static void fill(const struct ipl_invocation *in, const struct words *w,
		 struct ipl_serve_options *out)
{
	const char *data = w->text[OPTION_DATA], *http = w->text[OPTION_HTTP];

	*out = (struct ipl_serve_options){
		/* --data is taken out of the words before they come here. */
		.data = data != NULL && !in->is_data_given ? data : in->data,
		.http = http != NULL ? http : "127.0.0.1:8470",
		.any_key = w->flag[OPTION_ANY_KEY],
		.core_dumps = w->flag[OPTION_CORE_DUMPS],
		.keys = w->text[OPTION_KEYS],
		.tls_cert = w->text[OPTION_TLS_CERT],
		.tls_key = w->text[OPTION_TLS_KEY],
		.rpc_count = w->count[OPTION_RPC],
		.http_host_count = w->count[OPTION_HTTP_HOST],
	};
	memcpy(out->rpc, w->list[OPTION_RPC], out->rpc_count * sizeof(*out->rpc));
	memcpy(out->http_host, w->list[OPTION_HTTP_HOST],
	       out->http_host_count * sizeof(*out->http_host));
}

static int run_serve(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct words w = { .text = { NULL } }, file = { .text = { NULL } };
	enum ipl_log_level level = IPL_LOG_INFO;
	struct ipl_serve_options to_serve;
	struct ipl_value init;
	bool log_json;
	int rc = -1;

	for (int i = 0; rc < 0 && i < in->argc; i++)
		rc = take_option(in, &i, &w);
	if (rc < 0 && w.text[OPTION_CONFIG] != NULL) {
		if (read_config(in, w.text[OPTION_CONFIG], &file, &err) != IPL_OK)
			return ipl_fail(&err);
		merge(&w, &file);
	}
	if (rc < 0)
		rc = check(&w, &level, &log_json);
	if (rc >= 0)
		return rc;
	fill(in, &w, &to_serve);
	if (w.text[OPTION_INIT] != NULL) {
		if (read_init(in, w.text[OPTION_INIT], &init, &err) != IPL_OK)
			return ipl_fail(&err);
		to_serve.init = &init;
	}
	ipl_log_init(level, log_json);
	return ipl_serve(&to_serve, &err) == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

const struct ipl_command ipl_cmd_serve = {
	.name = "serve",
	.args = "[--data DIR] [--rpc unix:PATH|tcp:HOST:PORT]... [--http HOST:PORT|none] "
		"[--http-host NAME]... [--config FILE] "
		"[--keys FILE | --any-key] [--tls-cert FILE --tls-key FILE] [--init FILE] "
		"[--log-level L] [--log-format text|json] [--core-dumps]",
	.summary = "serve a ledger; made when missing",
	.more = "Prints one line, \"ready ...\", when it serves, and logs to standard error. "
		"SIGTERM\n"
		"and SIGINT end it when what is in flight is done; SIGHUP makes it read keys and\n"
		"certificate again.\n",
	.options = options,
	.run = run_serve,
};
