/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a file for `ipledger import`, and a session that is a small ledger in this process.
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

/* --- the session --- */

struct ipl_session {
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
static struct ipl_session *session_now;
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

static void keep_row(struct ipl_session *session, struct ipl_str operation,
		     const struct ipl_value *params)
{
	struct ipl_value row = ipl_map();

	ipl_map_add(&session->arena, &row, "Operation",
		    ipl_text(ipl_arena_str(&session->arena, operation)));
	ipl_map_add(&session->arena, &row, "Params", quoted(&session->arena, params));
	ipl_array_add(&session->arena, &session->rows, row);
}

enum ipl_status ipl_session_open(const char *data, const char *server, struct ipl_session **out,
				 struct ipl_error *err)
{
	(void)data;
	(void)server;
	(void)err;
	session_now = calloc(1, sizeof(*session_now));
	CHECK(session_now != NULL);
	fuzz_ledger_open(&session_now->ledger, false);
	ipl_arena_init(&session_now->arena, (size_t)256 << 20);
	session_now->rows = ipl_array();
	*out = session_now;
	return IPL_OK;
}

/* What it did stays to be looked at. */
void ipl_session_close(struct ipl_session *session)
{
	CHECK(session == session_now && session->sent == session->received);
}

enum ipl_status ipl_session_send(struct ipl_session *session, struct ipl_str name,
				 const struct ipl_value *params, struct ipl_error *err)
{
	const struct ipl_operation *operation = ipl_operation_find(name);
	size_t i = session->sent++;

	(void)err;
	CHECK(i < SENT_MAX && params->type == IPL_VALUE_MAP && name.len > 0);
	keep_row(session, name, params);
	if (operation == NULL || operation->kind == IPL_OPERATION_SERVICE) {
		session->answer[i].st = ipl_refuse(&session->answer[i].err, IPL_CODE_API_NOT_FOUND,
						   "there is no such operation here");
		return IPL_OK;
	}
	session->ledger.time_ms += 1000;
	session->answer[i].st = fuzz_ledger_call(&session->ledger, operation, params);
	session->answer[i].result = ipl_value_copy(&session->arena, &session->ledger.result);
	session->answer[i].err = session->ledger.err;
	session->answer[i].err.detail = NULL;
	return IPL_OK;
}

enum ipl_status ipl_session_receive(struct ipl_session *session, struct ipl_arena *arena,
				    struct ipl_value *result, struct ipl_error *err)
{
	size_t i = session->received++;

	CHECK(i < session->sent);
	if (session->answer[i].st == IPL_OK)
		*result = ipl_value_copy(arena, &session->answer[i].result);
	else
		*err = session->answer[i].err;
	return session->answer[i].st;
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

static void free_session(struct ipl_session *session)
{
	fuzz_ledger_close(&session->ledger);
	ipl_arena_release(&session->arena);
	free(session);
}

/* What was sent, once more: the same rows, the same log. */
static void import_again(const struct ipl_session *first)
{
	struct ipl_buf text = { 0 };
	struct ipl_session *second;

	for (uint32_t i = 0; i < first->rows.count; i++) {
		ipl_json_write(&text, &first->rows.item[i], IPL_JSON_COMPACT);
		ipl_buf_append(&text, "\n", 1);
	}
	(void)import_bytes(text.at == NULL ? (const uint8_t *)"" : text.at, text.len);
	second = session_now;
	CHECK(second->sent == first->sent && summed("Rows") == (int64_t)first->sent);
	CHECK(ipl_value_equal(&first->rows, &second->rows));
	CHECK(first->ledger.count == second->ledger.count);
	CHECK(first->ledger.log.len == second->ledger.log.len);
	CHECK(first->ledger.log.len == 0 ||
	      memcmp(first->ledger.log.at, second->ledger.log.at, first->ledger.log.len) == 0);
	ipl_buf_release(&text);
	free_session(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ipl_session *first;
	int rc;

	if (len > BYTES_MAX)
		return 0;
	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	CHECK(nowhere != NULL);
	ipl_arena_init(&summary_arena, (size_t)1 << 20);
	rc = import_bytes(bytes, len);
	first = session_now;
	CHECK(rc == IPL_EXIT_OK || rc == IPL_EXIT_REFUSED);
	CHECK(summed("Rows") == lines_of((const char *)bytes, len));
	CHECK(summed("Done") + summed("Refused") == summed("Rows"));
	CHECK((summed("Refused") == 0) == (rc == IPL_EXIT_OK));
	import_again(first);
	free_session(first);
	ipl_arena_release(&summary_arena);
	return 0;
}
