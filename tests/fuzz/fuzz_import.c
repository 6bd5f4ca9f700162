/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a file for `ipledger import`, and a client that is a small ledger in this process.
 * Claimed: every line is one row, and each row is done or refused, with its line; none is sent
 * twice, none after its refusal; what was sent, written as rows again and imported into an
 * empty ledger, sends the same and makes the same log, byte by byte.
 */
#include "tests/fuzz/ledger.h"

#include <stdio.h>

#include "events/json.h"
#include "events/time.h"

/* What it says to people is not looked at. */
static FILE *nowhere;
#undef stderr
#define stderr nowhere
#include "cli/cmd_import.c" /* NOLINT: it has no other door */

#include <sys/mman.h>
#include <unistd.h>

#define BYTES_MAX 16384u
#define SENT_MAX  512u

/* --- the client --- */

struct ipl_client {
	struct fuzz_ledger ledger;
	struct ipl_arena arena; /* of all that was sent */
	struct ipl_value rows;  /* the same as rows, without names */
	struct {
		enum ipl_status st;
		struct ipl_value result;
		struct ipl_error err;
	} answer[SENT_MAX];
	size_t sent, received;
};

/* One at a time: import opens one. What the last one came to is looked at after. */
static struct ipl_client *client_now;
static struct ipl_value summary;
static struct ipl_arena summary_arena;

/* A text that begins with a dollar is one for import only with another one before it. */
static struct ipl_value quoted(struct ipl_arena *arena, const struct ipl_value *value)
{
	struct ipl_value out = *value;

	if (value->type == IPL_VALUE_STR && ipl_str_starts(value->str, "$"))
		return ipl_text(ipl_arena_printf(arena, "$%.*s", IPL_STR_ARG(value->str)));
	if (value->type == IPL_VALUE_ARRAY) {
		out = ipl_array();
		for (uint32_t i = 0; i < value->count; i++)
			ipl_array_add(arena, &out, quoted(arena, &value->item[i]));
	} else if (value->type == IPL_VALUE_MAP) {
		out = ipl_map();
		for (uint32_t i = 0; i < value->count; i++)
			ipl_map_add_str(arena, &out, ipl_arena_str(arena, value->member[i].key),
					quoted(arena, &value->member[i].value));
	}
	return ipl_value_copy(arena, &out);
}

static void keep_row(struct ipl_client *client, struct ipl_str operation,
		     const struct ipl_value *params)
{
	struct ipl_value row = ipl_map();

	ipl_map_add(&client->arena, &row, "Operation",
		    ipl_text(ipl_arena_str(&client->arena, operation)));
	ipl_map_add(&client->arena, &row, "Params", quoted(&client->arena, params));
	ipl_array_add(&client->arena, &client->rows, row);
}

enum ipl_status ipl_client_open(const char *data, const char *server, struct ipl_client **out,
				struct ipl_error *err)
{
	(void)data;
	(void)server;
	(void)err;
	client_now = calloc(1, sizeof(*client_now));
	CHECK(client_now != NULL);
	fuzz_ledger_open(&client_now->ledger, false);
	ipl_arena_init(&client_now->arena, (size_t)256 << 20);
	client_now->rows = ipl_array();
	*out = client_now;
	return IPL_OK;
}

/* What it did stays to be looked at. */
void ipl_client_close(struct ipl_client *client)
{
	CHECK(client == client_now && client->sent == client->received);
}

enum ipl_status ipl_client_send(struct ipl_client *client, struct ipl_str name,
				const struct ipl_value *params, struct ipl_error *err)
{
	const struct ipl_operation *operation = ipl_operation_find(name);
	size_t i = client->sent++;

	(void)err;
	CHECK(i < SENT_MAX && params->type == IPL_VALUE_MAP && name.len > 0);
	keep_row(client, name, params);
	if (operation == NULL || operation->kind == IPL_OPERATION_SERVICE) {
		client->answer[i].st = ipl_refuse(&client->answer[i].err, IPL_CODE_API_NOT_FOUND,
						  "there is no such operation here");
		return IPL_OK;
	}
	client->ledger.time_ms += 1000;
	client->answer[i].st = fuzz_ledger_call(&client->ledger, operation, params);
	client->answer[i].result = ipl_value_copy(&client->arena, &client->ledger.result);
	client->answer[i].err = client->ledger.err;
	client->answer[i].err.detail = NULL;
	return IPL_OK;
}

enum ipl_status ipl_client_receive(struct ipl_client *client, struct ipl_arena *arena,
				   struct ipl_value *result, struct ipl_error *err)
{
	size_t i = client->received++;

	CHECK(i < client->sent);
	if (client->answer[i].st == IPL_OK)
		*result = ipl_value_copy(arena, &client->answer[i].result);
	else
		*err = client->answer[i].err;
	return client->answer[i].st;
}

/* --- what stands around a command --- */

int ipl_usage(const struct ipl_command *command, const char *format, ...)
{
	(void)command;
	(void)format;
	CHECK(!"it was called rightly");
	return IPL_EXIT_USAGE;
}

int ipl_fail(const struct ipl_error *err)
{
	(void)err;
	return IPL_EXIT_UNREACHABLE;
}

void ipl_print_result(const struct ipl_invocation *in, const struct ipl_value *result)
{
	(void)in;
	summary = ipl_value_copy(&summary_arena, result);
}

/* --- the claims --- */

static int64_t summed(const char *member)
{
	const struct ipl_value *value = ipl_map_get(&summary, member);

	CHECK(value != NULL && value->type == IPL_VALUE_INT);
	return value->integer;
}

static int import_bytes(const void *bytes, size_t len)
{
	int fd = memfd_create("rows", MFD_CLOEXEC), rc;
	struct ipl_arena arena;
	char path[64], *argv[] = { path, NULL };
	struct ipl_invocation in = { .command = &ipl_cmd_import,
				     .output = IPL_OUTPUT_JSON,
				     .arena = &arena,
				     .argc = 1,
				     .argv = argv };

	CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ipl_arena_init(&arena, (size_t)64 << 20);
	rc = ipl_cmd_import.run(&in);
	ipl_arena_release(&arena);
	close(fd);
	return rc;
}

static int64_t lines_of(const char *at, size_t len)
{
	int64_t lines = 0;

	while (len > 0) {
		const char *end = memchr(at, '\n', len);
		size_t line = end == NULL ? len : (size_t)(end - at);
		size_t blank = 0;
		while (blank < line && memchr(" \t\r", at[blank], 3) != NULL)
			blank++;
		lines += blank < line;
		at += line + (end != NULL);
		len -= line + (end != NULL);
	}
	return lines;
}

static void free_client(struct ipl_client *client)
{
	fuzz_ledger_close(&client->ledger);
	ipl_arena_release(&client->arena);
	free(client);
}

/* What was sent, once more: the same rows, the same log. */
static void import_again(const struct ipl_client *first)
{
	struct ipl_buf text = { 0 };
	struct ipl_client *second;

	for (uint32_t i = 0; i < first->rows.count; i++) {
		ipl_json_write(&text, &first->rows.item[i], IPL_JSON_COMPACT);
		ipl_buf_append(&text, "\n", 1);
	}
	(void)import_bytes(text.at == NULL ? (const uint8_t *)"" : text.at, text.len);
	second = client_now;
	CHECK(second->sent == first->sent && summed("Rows") == (int64_t)first->sent);
	CHECK(ipl_value_equal(&first->rows, &second->rows));
	CHECK(first->ledger.count == second->ledger.count);
	CHECK(first->ledger.log.len == second->ledger.log.len);
	CHECK(first->ledger.log.len == 0 ||
	      memcmp(first->ledger.log.at, second->ledger.log.at, first->ledger.log.len) == 0);
	ipl_buf_release(&text);
	free_client(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ipl_client *first;
	int rc;

	if (len > BYTES_MAX)
		return 0;
	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	CHECK(nowhere != NULL);
	ipl_arena_init(&summary_arena, (size_t)1 << 20);
	rc = import_bytes(bytes, len);
	first = client_now;
	CHECK(rc == IPL_EXIT_OK || rc == IPL_EXIT_REFUSED);
	CHECK(summed("Rows") == lines_of((const char *)bytes, len));
	CHECK(summed("Done") + summed("Refused") == summed("Rows"));
	CHECK((summed("Refused") == 0) == (rc == IPL_EXIT_OK));
	import_again(first);
	free_client(first);
	ipl_arena_release(&summary_arena);
	return 0;
}
