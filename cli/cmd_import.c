/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import: JSON lines {"Time"?, "Operation", "Params", "As"?} through the server,
 * pipelined. A text "$name" in the parameters is the id that the row with
 * "As": "name" made, "$name.Member" a member of its answer; "$$" is a dollar.
 */
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "events/hash.h"
#include "events/json.h"
#include "reducers/hashmap.h"

#define WINDOW            512 /* rows that are on their way at once */
#define CODES_MAX         64
#define NAMES_ARENA_BYTES ((size_t)4 << 30)
#define NAME_KIND         1 /* of the keys in `names`; any number but 0 */

struct import {
	const struct ipl_invocation *in;
	struct ipl_session *session;
	struct ipl_arena row;       /* of one row */
	struct ipl_arena named;     /* answers that have a name */
	struct ipl_hashmap names;   /* hash of a name -> const struct ipl_value * */
	struct ipl_hashmap pending; /* hash of a name that is on its way -> its place, from 1 */
	char *as[WINDOW];           /* of rows on their way: a name, or NULL */
	uint64_t line_of[WINDOW];
	uint64_t sent, answered, line;
	uint64_t done;
	struct {
		enum ipl_code code;
		uint64_t count;
	} refused[CODES_MAX];
	size_t refused_codes;
	uint64_t first_seq, last_seq;
	struct ipl_progress progress;
	uint64_t bytes_read, bytes_total;
};

static struct ipl_key name_key(struct ipl_str name)
{
	struct ipl_hash128 hash = ipl_hash128(name.at, name.len);

	return (struct ipl_key){ NAME_KIND, hash.hi, hash.lo };
}

/* --- answers --- */

static void count_refusal(struct import *im, enum ipl_code code)
{
	for (size_t i = 0; i < im->refused_codes; i++) {
		if (im->refused[i].code == code) {
			im->refused[i].count++;
			return;
		}
	}
	if (im->refused_codes < CODES_MAX) {
		im->refused[im->refused_codes].code = code;
		im->refused[im->refused_codes++].count = 1;
	}
}

static void complain(uint64_t line, const struct ipl_error *err)
{
	fprintf(stderr, "line %" PRIu64 ": %s: %s\n", line, ipl_code_text(err->code), err->text);
}

static void keep_answer(struct import *im, const char *as, const struct ipl_value *result)
{
	struct ipl_value *copy = ipl_arena_alloc(&im->named, sizeof(*copy));
	const struct ipl_value **slot = ipl_hashmap_put(&im->names, name_key(ipl_str_of(as)));

	if (copy == NULL || slot == NULL)
		return; /* the arena says so in the end */
	*copy = ipl_value_copy(&im->named, result);
	*slot = copy;
}

static void note_seq(struct import *im, const struct ipl_value *result)
{
	const struct ipl_value *seq = ipl_map_get(result, "Seq");

	if (seq == NULL || seq->type != IPL_VALUE_INT)
		return;
	if (im->first_seq == 0 || (uint64_t)seq->integer < im->first_seq)
		im->first_seq = (uint64_t)seq->integer;
	if ((uint64_t)seq->integer > im->last_seq)
		im->last_seq = (uint64_t)seq->integer;
}

/* How many rows the file may have, from those read so far; 0: unknown. */
static uint64_t rows_in_all(const struct import *im)
{
	if (im->bytes_total == 0 || im->bytes_read == 0 || im->bytes_read > im->bytes_total)
		return im->bytes_total == 0 ? 0 : im->sent;
	return (uint64_t)((double)im->sent * (double)im->bytes_total / (double)im->bytes_read);
}

/* Wait for one answer. Anything but OK or a refusal ends the import. */
static enum ipl_status take_answer(struct import *im, struct ipl_error *err)
{
	struct ipl_arena arena;
	struct ipl_value result;
	struct ipl_error refused;
	char *as = im->as[im->answered % WINDOW];
	enum ipl_status st;

	ipl_arena_init(&arena, (size_t)64 << 20);
	refused = (struct ipl_error)IPL_ERROR_INIT(&arena);
	st = ipl_session_receive(im->session, &arena, &result, &refused);
	if (st == IPL_OK) {
		im->done++;
		note_seq(im, &result);
		if (as != NULL)
			keep_answer(im, as, &result);
	} else if (st == IPL_REFUSED) {
		count_refusal(im, refused.code);
		complain(im->line_of[im->answered % WINDOW], &refused);
		st = IPL_OK;
	} else {
		refused.detail = NULL;
		refused.arena = err->arena;
		*err = refused;
	}
	if (as != NULL)
		ipl_hashmap_remove(&im->pending, name_key(ipl_str_of(as)));
	free(as);
	im->as[im->answered % WINDOW] = NULL;
	im->answered++;
	ipl_arena_release(&arena);
	ipl_progress_update(&im->progress, im->answered, rows_in_all(im));
	return st;
}

/* --- references --- */

/* The id that an answer brings. */
static const struct ipl_value *made_id(const struct ipl_value *result)
{
	static const char *const paths[] = { "InstanceIdSets.InstanceIdSet.1", "AllocationId",
					     "NetworkInterfaceId", "VSwitchId", "VpcId" };

	for (size_t i = 0; i < IPL_ARRAY_SIZE(paths); i++) {
		const struct ipl_value *id = ipl_value_at(result, ipl_str_of(paths[i]));
		if (id != NULL)
			return id;
	}
	return NULL;
}

static enum ipl_status resolve_text(struct import *im, struct ipl_value *value,
				    struct ipl_error *err)
{
	struct ipl_str text = { value->str.at + 1, value->str.len - 1 };
	const char *dot = text.len == 0 ? NULL : memchr(text.at, '.', text.len);
	struct ipl_str name = { text.at, dot == NULL ? text.len : (size_t)(dot - text.at) };
	struct ipl_key key = name_key(name);
	const struct ipl_value **found;
	const struct ipl_value *member;
	enum ipl_status st = IPL_OK;

	if (ipl_str_starts(text, "$")) { /* "$$…" is "$…" */
		value->str = text;
		return IPL_OK;
	}
	while (st == IPL_OK && ipl_hashmap_find(&im->pending, key) != NULL)
		st = take_answer(im, err);
	if (st != IPL_OK)
		return st;
	found = ipl_hashmap_find(&im->names, key);
	if (found == NULL)
		return ipl_refuse(err, IPL_CODE_NOT_FOUND, "$%.*s: no row before made it",
				  IPL_STR_ARG(name));
	member = dot == NULL ?
			 made_id(*found) :
			 ipl_value_at(*found, (struct ipl_str){ dot + 1, text.len - name.len - 1 });
	if (member == NULL)
		return ipl_refuse(err, IPL_CODE_NOT_FOUND, "%.*s: the answer has no such member",
				  IPL_STR_ARG(value->str));
	*value = *member;
	return IPL_OK;
}

static enum ipl_status resolve(struct import *im, struct ipl_value *value, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	if (value->type == IPL_VALUE_STR && ipl_str_starts(value->str, "$"))
		return resolve_text(im, value, err);
	for (uint32_t i = 0; st == IPL_OK && value->type == IPL_VALUE_ARRAY && i < value->count;
	     i++)
		st = resolve(im, &value->item[i], err);
	for (uint32_t i = 0; st == IPL_OK && value->type == IPL_VALUE_MAP && i < value->count; i++)
		st = resolve(im, &value->member[i].value, err);
	return st;
}

/* --- rows --- */

static enum ipl_status check_members(const struct ipl_value *row, struct ipl_error *err)
{
	static const char *const known[] = { "Time", "Operation", "Params", "As" };

	for (uint32_t i = 0; row->type == IPL_VALUE_MAP && i < row->count; i++) {
		bool is_known = false;
		for (size_t k = 0; k < IPL_ARRAY_SIZE(known); k++)
			is_known = is_known || ipl_str_is(row->member[i].key, known[k]);
		if (!is_known)
			return ipl_refuse(err, IPL_CODE_UNSUPPORTED_PARAMETER,
					  "a row has Time, Operation, Params and As, not %.*s",
					  IPL_STR_ARG(row->member[i].key));
	}
	if (ipl_map_text(row, "Operation").len == 0)
		return ipl_refuse(err, IPL_CODE_MISSING_PARAMETER, "a row names its Operation");
	return IPL_OK;
}

static enum ipl_status send_row(struct import *im, const struct ipl_value *row,
				struct ipl_error *err)
{
	const struct ipl_value *given = ipl_map_get(row, "Params");
	const struct ipl_value *when = ipl_map_get(row, "Time");
	struct ipl_str as = ipl_map_text(row, "As");
	struct ipl_value params = given == NULL ? ipl_map() : *given;
	enum ipl_status st = check_members(row, err);

	if (st == IPL_OK && params.type != IPL_VALUE_MAP)
		st = ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "Params is not a map");
	if (st == IPL_OK)
		st = resolve(im, &params, err);
	if (st == IPL_OK && when != NULL)
		ipl_map_set(&im->row, &params, IPL_STR("EventTime"), *when);
	if (st == IPL_OK && im->sent - im->answered == WINDOW)
		st = take_answer(im, err);
	if (st == IPL_OK)
		st = ipl_session_send(im->session, ipl_map_text(row, "Operation"), &params, err);
	if (st != IPL_OK)
		return st;
	im->line_of[im->sent % WINDOW] = im->line;
	if (as.len > 0) {
		im->as[im->sent % WINDOW] = strndup(as.at, as.len);
		if (im->as[im->sent % WINDOW] == NULL ||
		    ipl_hashmap_put(&im->pending, name_key(as)) == NULL)
			return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for names");
	}
	im->sent++;
	return IPL_OK;
}

/* A row that cannot be sent is a refusal of its own; the others go on. */
static enum ipl_status take_row(struct import *im, struct ipl_str text, struct ipl_error *err)
{
	struct ipl_value row;
	enum ipl_status st;

	ipl_arena_reset(&im->row);
	st = ipl_json_parse(&im->row, text, &row, err);
	if (st == IPL_OK)
		st = send_row(im, &row, err);
	if (st == IPL_REFUSED) {
		count_refusal(im, err->code);
		complain(im->line, err);
		return IPL_OK;
	}
	return st;
}

static enum ipl_status take_rows(struct import *im, FILE *file, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;

	while (st == IPL_OK && (len = getline(&text, &cap, file)) >= 0) {
		struct ipl_str row = { text, (size_t)len };
		im->line++;
		im->bytes_read += row.len;
		while (row.len > 0 && memchr(" \t\r\n", row.at[row.len - 1], 4) != NULL)
			row.len--;
		if (row.len > 0)
			st = take_row(im, row, err);
	}
	while (st == IPL_OK && im->answered < im->sent)
		st = take_answer(im, err);
	if (st == IPL_OK && ferror(file))
		st = ipl_error_set(err, IPL_ERR_IO, "cannot read: %s", strerror(errno));
	if (st == IPL_OK && im->named.failed)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for named answers");
	free(text);
	return st;
}

/* --- the summary --- */

static void print_summary(struct import *im, double seconds)
{
	struct ipl_arena *arena = im->in->arena;
	struct ipl_value result = ipl_map(), codes = ipl_map();
	uint64_t refused = 0;

	for (size_t i = 0; i < im->refused_codes; i++) {
		ipl_map_add(arena, &codes, ipl_code_text(im->refused[i].code),
			    ipl_int((int64_t)im->refused[i].count));
		refused += im->refused[i].count;
	}
	ipl_map_add(arena, &result, "Rows", ipl_int((int64_t)(im->done + refused)));
	ipl_map_add(arena, &result, "Done", ipl_int((int64_t)im->done));
	ipl_map_add(arena, &result, "Refused", ipl_int((int64_t)refused));
	ipl_map_add(arena, &result, "RefusedByCode", codes);
	ipl_map_add(arena, &result, "FirstSeq", ipl_int((int64_t)im->first_seq));
	ipl_map_add(arena, &result, "LastSeq", ipl_int((int64_t)im->last_seq));
	ipl_map_add(arena, &result, "Milliseconds", ipl_int((int64_t)(seconds * 1000)));
	ipl_map_add(arena, &result, "EventsPerSecond",
		    ipl_int(seconds > 0 ? (int64_t)((double)im->done / seconds) : 0));
	if (im->in->output != IPL_OUTPUT_TABLE) {
		ipl_print_result(im->in, &result);
		return;
	}
	printf("done %" PRIu64 ", refused %" PRIu64 ", %.1f s, %.0f events/s\n", im->done, refused,
	       seconds, seconds > 0 ? (double)im->done / seconds : 0);
	for (size_t i = 0; i < im->refused_codes; i++)
		printf("  %8" PRIu64 "  %s\n", im->refused[i].count,
		       ipl_code_text(im->refused[i].code));
}

static int import_file(struct import *im, FILE *file)
{
	struct ipl_error err = IPL_ERROR_INIT(im->in->arena);
	enum ipl_status st = ipl_session_open(im->in->data, im->in->server, &im->session, &err);

	ipl_progress_begin(&im->progress, "rows");
	if (st == IPL_OK)
		st = take_rows(im, file, &err);
	ipl_progress_end(&im->progress, im->answered, rows_in_all(im));
	if (im->session != NULL)
		print_summary(im, ipl_progress_seconds(&im->progress));
	ipl_session_close(im->session);
	if (st != IPL_OK)
		return ipl_fail(&err);
	return im->refused_codes == 0 ? IPL_EXIT_OK : IPL_EXIT_REFUSED;
}

static int run_import(const struct ipl_invocation *in)
{
	struct import *im = calloc(1, sizeof(*im));
	bool is_stdin = in->argc == 1 && strcmp(in->argv[0], "-") == 0;
	struct stat info;
	FILE *file;
	int rc;

	if (in->argc != 1 || im == NULL) {
		free(im);
		return ipl_usage(&ipl_cmd_import, "import takes one file, or - for standard input");
	}
	file = is_stdin ? stdin : fopen(in->argv[0], "r");
	if (file == NULL) {
		fprintf(stderr, "ipledger: %s: %s\n", in->argv[0], strerror(errno));
		free(im);
		return IPL_EXIT_USAGE;
	}
	im->in = in;
	if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode))
		im->bytes_total = (uint64_t)info.st_size;
	ipl_arena_init(&im->row, (size_t)64 << 20);
	ipl_arena_init(&im->named, NAMES_ARENA_BYTES);
	ipl_hashmap_init(&im->names, sizeof(const struct ipl_value *));
	ipl_hashmap_init(&im->pending, sizeof(uint64_t));
	rc = import_file(im, file);
	for (size_t i = 0; i < WINDOW; i++)
		free(im->as[i]);
	ipl_hashmap_release(&im->names);
	ipl_hashmap_release(&im->pending);
	ipl_arena_release(&im->row);
	ipl_arena_release(&im->named);
	if (!is_stdin)
		fclose(file);
	free(im);
	return rc;
}

const struct ipl_command ipl_cmd_import = {
	.name = "import",
	.args = "FILE|-",
	.summary = "JSON lines of operations, pipelined through the server",
	.run = run_import,
};
