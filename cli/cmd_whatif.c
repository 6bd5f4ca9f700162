/* SPDX-License-Identifier: Apache-2.0 */
/* whatif: the rest of history, decided again with a change. The log is only read. */
#include "cli/look.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/json.h"
#include "replay/compare.h"
#include "replay/request.h"
#include "replay/whatif.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define LIMIT_DEFAULT  1000

struct whatif {
	const struct ipl_invocation *in;
	struct ipl_look look;
	struct ipl_whatif_change *change;
	size_t change_count;
	const char *show; /* the event whose request is asked for; NULL: none */
	int64_t limit;    /* of operations, and of changes, that are listed */

	struct ipl_value operations;
	uint64_t operations_left_out;
	uint64_t dropped;
	struct ipl_value changes;
	uint64_t changes_left_out;
};

/* --- what became of the operations --- */

static const char *fate_word(enum ipl_fate fate)
{
	switch (fate) {
	case IPL_FATE_DROPPED:
		return "Dropped";
	case IPL_FATE_SAME:
		return "Same";
	case IPL_FATE_OTHERWISE:
		return "Otherwise";
	case IPL_FATE_REFUSED:
		return "Refused";
	case IPL_FATE_NEEDLESS:
		return "Needless";
	}
	return "";
}

static const char *change_word(enum ipl_change_kind kind)
{
	switch (kind) {
	case IPL_CHANGE_DROP:
		return "Drop";
	case IPL_CHANGE_EDIT:
		return "Edit";
	case IPL_CHANGE_INSERT:
		return "Insert";
	}
	return "";
}

/* A leaf that is other, with the path to it. */
static void add_field(struct whatif *w, struct ipl_value *fields, const char *path,
		      const struct ipl_value *was, const struct ipl_value *is)
{
	struct ipl_arena *arena = w->in->arena;
	struct ipl_value field = ipl_map();

	ipl_map_add(arena, &field, "Name", ipl_text_of(path));
	ipl_map_add(arena, &field, "Before", was == NULL ? ipl_nil() : ipl_value_copy(arena, was));
	ipl_map_add(arena, &field, "After", is == NULL ? ipl_nil() : ipl_value_copy(arena, is));
	ipl_array_add(arena, fields, field);
}

/* Bodies of events are as deep as the event table, so this is bounded. */
static void compare_bodies(struct whatif *w, struct ipl_value *fields, const char *path,
			   const struct ipl_value *was, const struct ipl_value *is)
{
	struct ipl_arena *arena = w->in->arena;
	const char *dot = path[0] == '\0' ? "" : ".";

	if (was != NULL && is != NULL && was->type == IPL_VALUE_MAP && is->type == IPL_VALUE_MAP) {
		for (uint32_t i = 0; i < was->count; i++)
			compare_bodies(w, fields,
				       ipl_arena_printf(arena, "%s%s%.*s", path, dot,
							IPL_STR_ARG(was->member[i].key))
					       .at,
				       &was->member[i].value,
				       ipl_map_get_str(is, was->member[i].key));
		for (uint32_t i = 0; i < is->count; i++) {
			if (ipl_map_get_str(was, is->member[i].key) == NULL)
				add_field(w, fields,
					  ipl_arena_printf(arena, "%s%s%.*s", path, dot,
							   IPL_STR_ARG(is->member[i].key))
						  .at,
					  NULL, &is->member[i].value);
		}
	} else if (was != NULL && is != NULL && was->type == IPL_VALUE_ARRAY &&
		   is->type == IPL_VALUE_ARRAY && was->count == is->count) {
		for (uint32_t i = 0; i < was->count; i++)
			compare_bodies(w, fields,
				       ipl_arena_printf(arena, "%s%s%u", path, dot, i + 1).at,
				       &was->item[i], &is->item[i]);
	} else if (was == NULL || is == NULL || !ipl_value_equal(was, is)) {
		add_field(w, fields, path, was, is);
	}
}

static struct ipl_value fields_of(struct whatif *w, const struct ipl_fated *fated)
{
	struct ipl_arena *arena = w->in->arena;
	struct ipl_value fields = ipl_array(), was = ipl_nil(), is = ipl_nil();

	if (fated->is == NULL)
		return fields;
	is = ipl_event_value(arena, w->look.letters, fated->is);
	if (fated->was != NULL)
		was = ipl_event_value(arena, w->look.letters, fated->was);
	compare_bodies(w, &fields, "", fated->was == NULL ? NULL : ipl_map_get(&was, "Body"),
		       ipl_map_get(&is, "Body"));
	return fields;
}

static void add_refusal(struct whatif *w, struct ipl_value *row, const struct ipl_fated *fated)
{
	struct ipl_arena *arena = w->in->arena;

	ipl_map_add(arena, row, "Code", ipl_text_of(ipl_code_text(fated->err->code)));
	ipl_map_add(arena, row, "Message", ipl_textf(arena, "%s", fated->err->text));
	if (fated->err->detail != NULL)
		ipl_map_add(arena, row, "Detail", ipl_value_copy(arena, fated->err->detail));
	if (fated->because != 0)
		ipl_map_add(arena, row, "BecauseOf", ipl_int((int64_t)fated->because));
}

static void on_fated(void *context, const struct ipl_fated *fated)
{
	struct whatif *w = context;
	struct ipl_arena *arena = w->in->arena;
	struct ipl_value row = ipl_map();
	bool is_own = fated->change != NULL && fated->change->kind != IPL_CHANGE_DROP;
	struct ipl_str operation =
		is_own ? fated->change->operation : ipl_str_of(ipl_op_name(fated->was->op));

	w->dropped += fated->fate == IPL_FATE_DROPPED;
	/* What was changed is listed, whatever else is. */
	if (w->operations.count >= w->limit && fated->change == NULL) {
		w->operations_left_out++;
		return;
	}
	ipl_map_add(arena, &row, "Seq", ipl_int((int64_t)fated->seq));
	ipl_map_add(arena, &row, "Operation", ipl_text(ipl_arena_str(arena, operation)));
	ipl_map_add(arena, &row, "Change",
		    fated->change == NULL ? ipl_nil() :
					    ipl_text_of(change_word(fated->change->kind)));
	ipl_map_add(arena, &row, "Outcome",
		    ipl_text_of(fated->was == NULL && fated->is != NULL ? "Done" :
									  fate_word(fated->fate)));
	if (fated->err != NULL)
		add_refusal(w, &row, fated);
	ipl_map_add(arena, &row, "Fields", fields_of(w, fated));
	ipl_array_add(arena, &w->operations, row);
}

/* --- the end --- */

static void on_difference(void *context, const struct ipl_difference *difference)
{
	struct whatif *w = context;
	struct ipl_arena *arena = w->in->arena;
	struct ipl_value row = ipl_map();
	char id[IPL_ID_TEXT_MAX];

	if (w->changes.count >= w->limit) {
		w->changes_left_out++;
		return;
	}
	ipl_id_format(w->look.letters, difference->kind, difference->number, id);
	ipl_map_add(arena, &row, "Id", ipl_textf(arena, "%s", id));
	ipl_map_add(arena, &row, "Kind", ipl_text_of(ipl_kind_name(difference->kind)));
	ipl_map_add(arena, &row, "Change", ipl_text_of(difference->change));
	ipl_map_add(arena, &row, "Fields", ipl_value_copy(arena, &difference->fields));
	ipl_array_add(arena, &w->changes, row);
}

/* --- what is said --- */

static void print_fields(struct whatif *w, const struct ipl_value *row, const char *indent)
{
	const struct ipl_value *fields = ipl_map_get(row, "Fields");

	for (uint32_t i = 0; fields != NULL && i < fields->count; i++) {
		const struct ipl_value *field = &fields->item[i];
		printf("%s%.*s: %s\n", indent, IPL_STR_ARG(ipl_map_text(field, "Name")),
		       ipl_look_change(w->in->arena, ipl_map_get(field, "Before"),
				       ipl_map_get(field, "After"))
			       .at);
	}
}

static void print_operation(struct whatif *w, const struct ipl_value *row)
{
	const struct ipl_value *because = ipl_map_get(row, "BecauseOf");
	struct ipl_str change = ipl_map_text(row, "Change");

	printf("  %-8" PRId64 " %-10.*s %.*s", ipl_map_get(row, "Seq")->integer,
	       IPL_STR_ARG(ipl_map_text(row, "Outcome")),
	       IPL_STR_ARG(ipl_map_text(row, "Operation")));
	if (ipl_str_is(change, "Edit") || ipl_str_is(change, "Insert"))
		printf(" (%s)", ipl_str_is(change, "Edit") ? "edited" : "inserted");
	if (ipl_map_get(row, "Code") != NULL)
		printf("  %.*s: %s", IPL_STR_ARG(ipl_map_text(row, "Code")),
		       ipl_look_plain(w->in->arena, ipl_map_text(row, "Message")).at);
	if (because != NULL)
		printf(" (with event %" PRId64 " of its transaction)", because->integer);
	putchar('\n');
	if (!ipl_str_is(ipl_map_text(row, "Outcome"), "Done"))
		print_fields(w, row, "             ");
}

static void print_all(struct whatif *w, const struct ipl_whatif_result *result)
{
	printf("%" PRIu64 " operations decided again, from event %" PRIu64 " on: %" PRIu64
	       " the same, %" PRIu64 " otherwise, %" PRIu64 " refused, %" PRIu64 " dropped\n",
	       result->decided, result->first, result->same, result->otherwise_count,
	       result->refused, w->dropped);
	for (uint32_t i = 0; i < w->operations.count; i++)
		print_operation(w, &w->operations.item[i]);
	if (w->operations_left_out > 0)
		printf("  and %" PRIu64 " more (--limit)\n", w->operations_left_out);
	printf("in the end, as of %" PRIu64 ": %s\n", w->look.head,
	       w->changes.count == 0 ? "all is the same" : "");
	for (uint32_t i = 0; i < w->changes.count; i++) {
		const struct ipl_value *row = &w->changes.item[i];
		bool is_updated = ipl_str_is(ipl_map_text(row, "Change"), "Updated");
		printf("  %-8.*s %.*s\n", IPL_STR_ARG(ipl_map_text(row, "Change")),
		       IPL_STR_ARG(ipl_map_text(row, "Id")));
		if (is_updated)
			print_fields(w, row, "           ");
	}
	if (w->changes_left_out > 0)
		printf("  and %" PRIu64 " more (--limit)\n", w->changes_left_out);
}

static void print_document(struct whatif *w, const struct ipl_whatif_result *result)
{
	struct ipl_arena *arena = w->in->arena;
	struct ipl_value map = ipl_map();

	ipl_map_add(arena, &map, "FromSeq", ipl_int((int64_t)result->first));
	ipl_map_add(arena, &map, "ToSeq", ipl_int((int64_t)w->look.head));
	ipl_map_add(arena, &map, "Decided", ipl_int((int64_t)result->decided));
	ipl_map_add(arena, &map, "Same", ipl_int((int64_t)result->same));
	ipl_map_add(arena, &map, "Otherwise", ipl_int((int64_t)result->otherwise_count));
	ipl_map_add(arena, &map, "Refused", ipl_int((int64_t)result->refused));
	ipl_map_add(arena, &map, "Needless", ipl_int((int64_t)result->needless));
	ipl_map_add(arena, &map, "Dropped", ipl_int((int64_t)w->dropped));
	ipl_map_add(arena, &map, "Operations", w->operations);
	ipl_map_add(arena, &map, "OperationsLeftOut", ipl_int((int64_t)w->operations_left_out));
	ipl_map_add(arena, &map, "Changes", w->changes);
	ipl_map_add(arena, &map, "ChangesLeftOut", ipl_int((int64_t)w->changes_left_out));
	ipl_print_result(w->in, &map);
}

static enum ipl_status run_all(struct whatif *w, struct ipl_error *err)
{
	struct ipl_whatif_result result;
	enum ipl_status st = ipl_whatif(w->look.views, w->look.head, w->change, w->change_count,
					on_fated, w, &result, err);

	if (st != IPL_OK)
		return st;
	st = ipl_compare_states(result.recorded, result.otherwise, on_difference, w, err);
	if (st == IPL_OK && w->in->arena->failed)
		st = ipl_error_set(err, IPL_ERR_NOMEM,
				   "out of memory for the report: ask for less with --limit");
	if (st == IPL_OK && w->in->output == IPL_OUTPUT_TABLE)
		print_all(w, &result);
	else if (st == IPL_OK)
		print_document(w, &result);
	ipl_whatif_release(&result);
	return st;
}

/* The request of one event, as --edit and --insert take it. */
static enum ipl_status show_request(struct whatif *w, struct ipl_error *err)
{
	struct ipl_arena *arena = w->in->arena;
	struct ipl_value map = ipl_map();
	const struct ipl_state *before;
	struct ipl_buf buf = { 0 };
	struct ipl_event ev;
	uint64_t seq = 0;
	enum ipl_status st = ipl_look_when(&w->look, arena, w->show, &seq, err);

	if (st == IPL_OK && seq < 2)
		st = ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				"no operation made event %" PRIu64 ": they begin with event 2",
				seq);
	if (st == IPL_OK)
		st = ipl_views_event(w->look.views, seq, arena, &ev, err);
	if (st == IPL_OK)
		st = ipl_views_at(w->look.views, seq - 1, &before, err);
	if (st != IPL_OK)
		return st;
	ipl_map_add(arena, &map, "Operation", ipl_text_of(ipl_op_name(ev.op)));
	ipl_map_add(arena, &map, "Params", ipl_request_of(arena, before, &ev));
	ipl_json_write(&buf, &map, IPL_JSON_PRETTY);
	printf("%.*s\n", (int)buf.len, (const char *)buf.at);
	ipl_buf_release(&buf);
	return IPL_OK;
}

/* --- words and files --- */

static enum ipl_status read_file(struct whatif *w, const char *path, struct ipl_str *out,
				 struct ipl_error *err)
{
	FILE *file = fopen(path, "rb");
	struct ipl_buf buf = { 0 };
	size_t got = 0;

	if (file == NULL)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	if (ipl_buf_reserve(&buf, FILE_BYTES_MAX + 1))
		got = fread(buf.at, 1, FILE_BYTES_MAX + 1, file);
	(void)fclose(file); /* it was only read */
	*out = ipl_arena_str(w->in->arena, (struct ipl_str){ (const char *)buf.at, got });
	ipl_buf_release(&buf);
	if (got > FILE_BYTES_MAX)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "%s is longer than %zu bytes",
				  path, FILE_BYTES_MAX);
	return out->at == NULL ? ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for %s", path) :
				 IPL_OK;
}

/* {Operation, Params} */
static enum ipl_status read_request(struct whatif *w, const char *path,
				    struct ipl_whatif_change *change, struct ipl_error *err)
{
	struct ipl_value document;
	const struct ipl_value *params;
	struct ipl_str text;
	enum ipl_status st = read_file(w, path, &text, err);

	if (st == IPL_OK)
		st = ipl_json_parse(w->in->arena, text, &document, err);
	if (st != IPL_OK)
		return st;
	change->operation = ipl_map_text(&document, "Operation");
	params = ipl_map_get(&document, "Params");
	if (change->operation.len == 0)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "%s: it must be {\"Operation\": …, \"Params\": {…}}, as --show "
				  "prints it",
				  path);
	change->params = params == NULL ? ipl_map() : *params;
	return IPL_OK;
}

/* "12" or "12=FILE"; IPL_REFUSED where it is neither. */
static enum ipl_status add_change(struct whatif *w, enum ipl_change_kind kind, const char *text,
				  struct ipl_error *err)
{
	struct ipl_whatif_change change = { .kind = kind };
	const char *equals = strchr(text, '=');
	size_t len = equals == NULL ? strlen(text) : (size_t)(equals - text);
	int64_t seq;

	if (!ipl_str_to_int((struct ipl_str){ text, len }, &seq) || seq < 1 ||
	    (equals == NULL) != (kind == IPL_CHANGE_DROP))
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "\"%.64s\": it takes %s", text,
				  kind == IPL_CHANGE_DROP ? "a seq" : "SEQ=FILE");
	if (w->change_count == IPL_WHATIF_CHANGES_MAX)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "more than %u changes",
				  IPL_WHATIF_CHANGES_MAX);
	change.seq = (uint64_t)seq;
	if (equals != NULL && read_request(w, equals + 1, &change, err) != IPL_OK)
		return err->status;
	w->change[w->change_count++] = change;
	return IPL_OK;
}

static int bad_word(const struct whatif *w, const char *option, const struct ipl_error *err)
{
	if (err->status != IPL_REFUSED)
		return ipl_fail(err);
	return ipl_usage(w->in->command, "%s: %s", option, err->text);
}

/* -1: go on */
static int read_words(struct whatif *w)
{
	static const char *const options[] = { "--drop", "--edit", "--insert" };
	const struct ipl_invocation *in = w->in;
	struct ipl_error err = IPL_ERROR_INIT(in->arena);

	for (int i = 0; i < in->argc; i++) {
		const char *value = NULL;
		size_t k = 0;
		while (k < IPL_ARRAY_SIZE(options) &&
		       (value = ipl_option(in, &i, options[k])) == NULL)
			k++;
		if (value != NULL) {
			if (add_change(w, (enum ipl_change_kind)k, value, &err) != IPL_OK)
				return bad_word(w, options[k], &err);
		} else if ((value = ipl_option(in, &i, "--show")) != NULL) {
			w->show = value;
		} else if ((value = ipl_option(in, &i, "--limit")) != NULL) {
			if (!ipl_str_to_int(ipl_str_of(value), &w->limit))
				return ipl_usage(in->command, "--limit takes a number");
		} else {
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
		}
	}
	if ((w->change_count == 0) == (w->show == NULL))
		return ipl_usage(in->command, "what is changed? (or what is shown)");
	return -1;
}

static int run_whatif(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct whatif w = {
		.in = in, .limit = LIMIT_DEFAULT, .operations = ipl_array(), .changes = ipl_array()
	};
	enum ipl_status st;
	int rc;

	w.change = ipl_arena_array(in->arena, IPL_WHATIF_CHANGES_MAX, sizeof(*w.change));
	if (w.change == NULL) {
		(void)ipl_error_set(&err, IPL_ERR_NOMEM, "out of memory for the changes");
		return ipl_fail(&err);
	}
	rc = read_words(&w);
	if (rc >= 0)
		return rc;
	st = ipl_look_open(in, &w.look, &err);
	if (st == IPL_OK)
		st = w.show != NULL ? show_request(&w, &err) : run_all(&w, &err);
	ipl_look_close(&w.look);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

const struct ipl_command ipl_cmd_whatif = {
	.name = "whatif",
	.args = "(--drop SEQ | --edit SEQ=FILE | --insert SEQ=FILE)… [--limit N] | --show SEQ",
	.summary = "the rest of history decided again with a change; the log is not touched",
	.more = "FILE is {\"Operation\": \"…\", \"Params\": {…}}; --show prints that of an event.\n"
		"An operation is inserted just before event SEQ, by the ids and the time there.\n"
		"\n"
		"    ipledger whatif --show 17 > f.json; $EDITOR f.json\n"
		"    ipledger whatif --edit 17=f.json --drop 21\n"
		"\n"
		"Recorded ids and seqs stay, what was picked is picked anew. It tells which "
		"operations\n"
		"are then refused or choose otherwise, and what is different in the end.",
	.run = run_whatif,
};
