/* SPDX-License-Identifier: Apache-2.0 */
/* serve: the server in the foreground. */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/json.h"
#include "server/log.h"
#include "server/serve.h"

#define INIT_BYTES_MAX ((size_t)4 << 20)

static enum ipl_status read_init(const struct ipl_invocation *in, const char *path,
				 struct ipl_value *out, struct ipl_error *err)
{
	FILE *file = fopen(path, "r");
	char *text = ipl_arena_alloc(in->arena, INIT_BYTES_MAX);
	size_t len;
	enum ipl_status st;

	if (file == NULL || text == NULL) {
		st = ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
		if (file != NULL)
			fclose(file);
		return st;
	}
	len = fread(text, 1, INIT_BYTES_MAX, file);
	if (ferror(file) || !feof(file))
		st = ipl_error_set(err, IPL_ERR_IO,
				   "%s cannot be read, or is longer than %zu bytes", path,
				   INIT_BYTES_MAX);
	else
		st = ipl_json_parse(in->arena, (struct ipl_str){ text, len }, out, err);
	fclose(file);
	if (st == IPL_OK && out->type != IPL_VALUE_MAP)
		st = ipl_error_set(err, IPL_ERR_IO, "%s holds no JSON object", path);
	return st;
}

struct words {
	struct ipl_serve_options options;
	const char *init;
	enum ipl_log_level level;
	bool log_json;
};

/* One option at argv[*i]; -1: taken. */
static int take_option(const struct ipl_invocation *in, int *i, struct words *w)
{
	const char *value;

	if ((value = ipl_option(in, i, "--rpc")) != NULL) {
		if (w->options.rpc_count == IPL_LISTENERS_MAX)
			return ipl_usage(&ipl_cmd_serve, "more than %d --rpc", IPL_LISTENERS_MAX);
		w->options.rpc[w->options.rpc_count++] = value;
	} else if ((value = ipl_option(in, i, "--keys")) != NULL) {
		w->options.keys = value;
	} else if ((value = ipl_option(in, i, "--tls-cert")) != NULL) {
		w->options.tls_cert = value;
	} else if ((value = ipl_option(in, i, "--tls-key")) != NULL) {
		w->options.tls_key = value;
	} else if ((value = ipl_option(in, i, "--http")) != NULL) {
		w->options.http = value;
	} else if ((value = ipl_option(in, i, "--http-host")) != NULL) {
		if (w->options.http_host_count == IPL_HTTP_HOSTS_MAX)
			return ipl_usage(&ipl_cmd_serve, "more than %d --http-host",
					 IPL_HTTP_HOSTS_MAX);
		w->options.http_host[w->options.http_host_count++] = value;
	} else if ((value = ipl_option(in, i, "--init")) != NULL) {
		w->init = value;
	} else if ((value = ipl_option(in, i, "--log-level")) != NULL) {
		if (!ipl_log_level_of(value, &w->level))
			return ipl_usage(&ipl_cmd_serve,
					 "--log-level takes error, warn, info or debug, not \"%s\"",
					 value);
	} else if ((value = ipl_option(in, i, "--log-format")) != NULL) {
		w->log_json = strcmp(value, "json") == 0;
		if (!w->log_json && strcmp(value, "text") != 0)
			return ipl_usage(&ipl_cmd_serve,
					 "--log-format takes text or json, not \"%s\"", value);
	} else if (strcmp(in->argv[*i], "--any-key") == 0) {
		w->options.any_key = true;
	} else {
		return ipl_usage(&ipl_cmd_serve, "%s is no option of serve", in->argv[*i]);
	}
	return -1;
}

static int run_serve(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct words w = { .options = { .data = in->data, .http = "127.0.0.1:8470" },
			   .level = IPL_LOG_INFO };
	struct ipl_value init;

	for (int i = 0; i < in->argc; i++) {
		int rc = take_option(in, &i, &w);
		if (rc >= 0)
			return rc;
	}
	if (w.options.any_key && w.options.keys != NULL)
		return ipl_usage(&ipl_cmd_serve, "--keys and --any-key exclude each other");
	if ((w.options.tls_cert == NULL) != (w.options.tls_key == NULL))
		return ipl_usage(&ipl_cmd_serve, "--tls-cert and --tls-key go together");
	if (w.init != NULL) {
		if (read_init(in, w.init, &init, &err) != IPL_OK)
			return ipl_fail(&err);
		w.options.init = &init;
	}
	ipl_log_init(w.level, w.log_json);
	return ipl_serve(&w.options, &err) == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

const struct ipl_command ipl_cmd_serve = {
	.name = "serve",
	.args = "[--data DIR] [--rpc unix:PATH|tcp:HOST:PORT]... [--http HOST:PORT|none] "
		"[--http-host NAME]... "
		"[--keys FILE | --any-key] [--tls-cert FILE --tls-key FILE] [--init FILE] "
		"[--log-level L] [--log-format text|json]",
	.summary = "serve a ledger; made when missing",
	.run = run_serve,
};
