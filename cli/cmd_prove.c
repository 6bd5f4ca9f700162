/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prove and check-proof: that an event is in the log, or that one head extends another, for
 * someone who has a noted head, SHA-256 and no trust in us. docs/VERIFYING.md documents the file.
 */
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/head.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "events/event.h"
#include "events/json.h"
#include "store/proof.h"

#define INCLUSION      "ipledger inclusion proof 1"
#define CONSISTENCY    "ipledger consistency proof 1"
#define FILE_BYTES_MAX ((size_t)8 << 20)

/* --- prove --- */

struct words {
	const char *seq;
	const char *from;
	const char *size;
	const char *to_file;
};

static bool read_number(struct ipl_arena *arena, struct ipl_value *params, const char *name,
			const char *text)
{
	int64_t number;

	if (!ipl_str_to_int(ipl_str_of(text), &number))
		return false;
	ipl_map_add(arena, params, name, ipl_int(number));
	return true;
}

/* What is asked for, and at the head of the file what it is. */
static int read_words(const struct ipl_invocation *in, struct words *w, struct ipl_value *params,
		      struct ipl_value *file)
{
	for (int i = 0; i < in->argc; i++) {
		const char *value;
		if ((value = ipl_option(in, &i, "--tree-size")) != NULL)
			w->size = value;
		else if ((value = ipl_option(in, &i, "--to")) != NULL)
			w->to_file = value;
		else if ((value = ipl_option(in, &i, "--from")) != NULL)
			w->from = value;
		else if (w->seq == NULL && in->argv[i][0] != '-')
			w->seq = in->argv[i];
		else
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
	}
	if ((w->seq == NULL) == (w->from == NULL))
		return ipl_usage(in->command, "prove takes a seq, or --from a tree's size");
	ipl_map_add(in->arena, file, "Format",
		    ipl_text_of(w->seq != NULL ? INCLUSION : CONSISTENCY));
	if (w->seq != NULL && !read_number(in->arena, params, "Seq", w->seq))
		return ipl_usage(in->command, "%s is no seq", w->seq);
	if (w->from != NULL && !read_number(in->arena, params, "From", w->from))
		return ipl_usage(in->command, "--from takes a tree's size, not \"%s\"", w->from);
	if (w->size != NULL &&
	    !read_number(in->arena, params, w->seq != NULL ? "TreeSize" : "To", w->size))
		return ipl_usage(in->command, "--tree-size takes a number, not \"%s\"", w->size);
	return -1;
}

static enum ipl_status ask_proof(const struct ipl_invocation *in, const struct words *w,
				 struct ipl_value *params, struct ipl_value *file,
				 struct ipl_error *err)
{
	struct ipl_session *session = NULL;
	struct ipl_value status, result, none = ipl_map();
	enum ipl_status st = ipl_session_open(in->data, in->server, &session, err);

	if (st == IPL_OK)
		st = ipl_ask(in, session, "GetStatus", &none, &status, err);
	if (st == IPL_OK && w->from != NULL && w->size == NULL)
		ipl_map_add(in->arena, params, "To", *ipl_map_get(&status, "HeadSeq"));
	if (st == IPL_OK)
		st = ipl_ask(in, session,
			     w->seq != NULL ? "GetInclusionProof" : "GetConsistencyProof", params,
			     &result, err);
	ipl_session_close(session);
	if (st != IPL_OK)
		return st;
	ipl_map_add(in->arena, file, "LedgerId", *ipl_map_get(&status, "LedgerId"));
	ipl_map_add(in->arena, file, "RegionId", *ipl_map_get(&status, "RegionId"));
	for (uint32_t i = 0; i < params->count; i++) {
		if (!ipl_str_is(params->member[i].key, "AsOf") &&
		    !ipl_str_is(params->member[i].key, "TreeSize"))
			ipl_map_add_str(in->arena, file, params->member[i].key,
					params->member[i].value);
	}
	for (uint32_t i = 0; i < result.count; i++) {
		struct ipl_str key = result.member[i].key;
		if (!ipl_str_is(key, "RequestId") && !ipl_str_is(key, "AsOfSeq"))
			ipl_map_add_str(in->arena, file, key, result.member[i].value);
	}
	return IPL_OK;
}

static enum ipl_status write_file(const char *path, const struct ipl_value *file,
				  struct ipl_error *err)
{
	struct ipl_buf buf = { 0 };
	FILE *to = path == NULL ? stdout : fopen(path, "w");
	bool failed = to == NULL;

	ipl_json_write(&buf, file, IPL_JSON_PRETTY);
	ipl_buf_append(&buf, "\n", 1);
	failed = failed || buf.failed || fwrite(buf.at, 1, buf.len, to) != buf.len;
	if (path != NULL && to != NULL && fclose(to) != 0)
		failed = true;
	ipl_buf_release(&buf);
	return failed ? ipl_error_set(err, IPL_ERR_IO, "%s: %s",
				      path == NULL ? "standard output" : path, strerror(errno)) :
			IPL_OK;
}

static int run_prove(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_value params = ipl_map(), file = ipl_map();
	struct words w = { .seq = NULL };
	int rc = read_words(in, &w, &params, &file);
	enum ipl_status st;

	if (rc >= 0)
		return rc;
	st = ask_proof(in, &w, &params, &file, &err);
	if (st == IPL_OK)
		st = write_file(w.to_file, &file, &err);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

const struct ipl_command ipl_cmd_prove = {
	.name = "prove",
	.args = "SEQ | --from SIZE [--tree-size SIZE] [--to FILE]",
	.summary = "that an event is in the log, for someone who does not trust us",
	.more = "SEQ: a proof that the event is in the tree of the first SIZE events (default: "
		"all).\n"
		"--from: a proof that the tree of SIZE events extends the one of --from events.\n"
		"The proof is JSON, for check-proof, or for any checker of RFC 6962.",
	.run = run_prove,
};

/* --- check-proof --- */

static bool unhex(struct ipl_str text, uint8_t *out, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = memchr(digits, text.at[i], 16);
		if (digit == NULL)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | (digit - digits));
	}
	return true;
}

static enum ipl_status read_file(const struct ipl_invocation *in, const char *path,
				 struct ipl_value *out, struct ipl_error *err)
{
	FILE *from = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	char *text = ipl_arena_alloc(in->arena, FILE_BYTES_MAX);
	size_t len = 0;
	enum ipl_status st = IPL_OK;

	if (from == NULL)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	if (text != NULL)
		len = fread(text, 1, FILE_BYTES_MAX, from);
	if (text == NULL || ferror(from) || len == FILE_BYTES_MAX)
		st = ipl_error_set(err, IPL_ERR_IO,
				   "%s cannot be read, or is longer than %zu bytes", path,
				   FILE_BYTES_MAX);
	if (from != stdin)
		fclose(from);
	if (st == IPL_OK &&
	    (ipl_json_parse(in->arena, (struct ipl_str){ text, len }, out, err) != IPL_OK ||
	     out->type != IPL_VALUE_MAP))
		st = ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "%s holds no proof", path);
	return st;
}

static enum ipl_status no(struct ipl_error *err, const char *why)
{
	return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "the proof does not hold: %s", why);
}

/* A head from two members of the file. */
static bool take_head(const struct ipl_value *file, const char *size, const char *root,
		      struct ipl_head *out)
{
	const struct ipl_value *number = ipl_map_get(file, size);

	if (number == NULL || number->type != IPL_VALUE_INT || number->integer < 1)
		return false;
	out->seq = (uint64_t)number->integer;
	return unhex(ipl_map_text(file, root), out->root, IPL_ROOT_BYTES);
}

static bool take_path(const struct ipl_value *file, struct ipl_proof *out)
{
	const struct ipl_value *path = ipl_map_get(file, "Path");

	out->count = 0;
	if (path == NULL || path->type != IPL_VALUE_ARRAY || path->count > IPL_PROOF_NODES_MAX)
		return false;
	for (uint32_t i = 0; i < path->count; i++) {
		if (path->item[i].type != IPL_VALUE_STR ||
		    !unhex(path->item[i].str, out->node[out->count++], IPL_ROOT_BYTES))
			return false;
	}
	return true;
}

static struct ipl_value head_value(struct ipl_arena *arena, const struct ipl_head *head)
{
	char text[2 * IPL_ROOT_BYTES + 1];

	for (size_t i = 0; i < IPL_ROOT_BYTES; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", head->root[i]);
	return ipl_textf(arena, "%" PRIu64 ":%s", head->seq, text);
}

/* The event's own bytes are in the file, so what is proved can be read. */
static enum ipl_status check_inclusion(const struct ipl_invocation *in,
				       const struct ipl_value *file, struct ipl_head *head,
				       struct ipl_value *shown, struct ipl_error *err)
{
	const struct ipl_value *seq = ipl_map_get(file, "Seq");
	struct ipl_str hex = ipl_map_text(file, "Record");
	uint8_t *bytes = ipl_arena_alloc(in->arena, hex.len / 2 + 1);
	uint8_t leaf[IPL_ROOT_BYTES], told[IPL_ROOT_BYTES];
	struct ipl_proof proof;
	struct ipl_event ev;

	if (!take_head(file, "TreeSize", "Root", head) || !take_path(file, &proof) ||
	    bytes == NULL || !unhex(hex, bytes, hex.len / 2) || seq == NULL ||
	    seq->type != IPL_VALUE_INT || seq->integer < 1 ||
	    !unhex(ipl_map_text(file, "LeafHash"), told, sizeof(told)))
		return no(err, "a member is missing or malformed");
	ipl_tree_leaf((struct ipl_str){ (char *)bytes, hex.len / 2 }, leaf);
	if (memcmp(leaf, told, sizeof(leaf)) != 0)
		return no(err, "LeafHash is not that of Record");
	if (!ipl_proof_includes(&proof, leaf, (uint64_t)seq->integer, head->seq, head->root))
		return no(err, "Path does not lead from Record to Root");
	if (ipl_event_decode((struct ipl_str){ (char *)bytes, hex.len / 2 }, in->arena, &ev, err) !=
		    IPL_OK ||
	    ev.seq != (uint64_t)seq->integer)
		return no(err, "Record is not event Seq");
	ipl_map_add(in->arena, shown, "Head", head_value(in->arena, head));
	ipl_map_add(in->arena, shown, "Event",
		    ipl_event_value(in->arena, ipl_region_letters(ipl_map_text(file, "RegionId")),
				    &ev));
	return IPL_OK;
}

static enum ipl_status check_consistency(const struct ipl_invocation *in,
					 const struct ipl_value *file, struct ipl_head *from,
					 struct ipl_head *to, struct ipl_value *shown,
					 struct ipl_error *err)
{
	struct ipl_proof proof;

	if (!take_head(file, "From", "FromRoot", from) || !take_head(file, "To", "ToRoot", to) ||
	    !take_path(file, &proof))
		return no(err, "a member is missing or malformed");
	if (!ipl_proof_extends(&proof, from, to))
		return no(err, "Path does not lead from FromRoot to ToRoot");
	ipl_map_add(in->arena, shown, "Head", head_value(in->arena, to));
	ipl_map_add(in->arena, shown, "Extends", head_value(in->arena, from));
	return IPL_OK;
}

static bool is_head(const struct ipl_head *a, const struct ipl_head *b)
{
	return a->seq == b->seq && memcmp(a->root, b->root, IPL_ROOT_BYTES) == 0;
}

static enum ipl_status check_proof(const struct ipl_invocation *in, const char *path,
				   const struct ipl_head *noted, struct ipl_value *shown,
				   struct ipl_error *err)
{
	struct ipl_head from = { .seq = 0 }, to;
	struct ipl_value file;
	struct ipl_str format;
	enum ipl_status st = read_file(in, path, &file, err);

	if (st != IPL_OK)
		return st;
	format = ipl_map_text(&file, "Format");
	if (ipl_str_is(format, INCLUSION))
		st = check_inclusion(in, &file, &to, shown, err);
	else if (ipl_str_is(format, CONSISTENCY))
		st = check_consistency(in, &file, &from, &to, shown, err);
	else
		st = no(err, "its Format is none that is known here");
	if (st == IPL_OK && noted != NULL && !is_head(noted, &to) && !is_head(noted, &from))
		st = no(err, "it is about another head than the one that was noted");
	return st;
}

static int run_check_proof(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_value shown = ipl_map();
	const char *path = NULL, *noted = NULL;
	struct ipl_head head;

	for (int i = 0; i < in->argc; i++) {
		const char *value = ipl_option(in, &i, "--head");
		if (value != NULL)
			noted = value;
		else if (path == NULL && (in->argv[i][0] != '-' || in->argv[i][1] == '\0'))
			path = in->argv[i];
		else
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
	}
	if (path == NULL)
		return ipl_usage(in->command, "which file? (-: standard input)");
	if (noted != NULL && !ipl_head_parse(noted, &head))
		return ipl_usage(in->command,
				 "--head takes SEQ:ROOT as status prints it, not \"%s\"", noted);
	if (check_proof(in, path, noted == NULL ? NULL : &head, &shown, &err) != IPL_OK)
		return ipl_fail(&err);
	ipl_print_result(in, &shown);
	return IPL_EXIT_OK;
}

bool ipl_head_parse(const char *text, struct ipl_head *out)
{
	const char *colon = strchr(text, ':');
	int64_t seq;

	if (colon == NULL ||
	    !ipl_str_to_int((struct ipl_str){ text, (size_t)(colon - text) }, &seq))
		return false;
	out->seq = (uint64_t)seq;
	return unhex(ipl_str_of(colon + 1), out->root, IPL_ROOT_BYTES);
}

const struct ipl_command ipl_cmd_check_proof = {
	.name = "check-proof",
	.args = "FILE [--head SEQ:ROOT]",
	.summary = "whether a proof holds; wants no ledger",
	.more = "Prints the head that the proof is about, and what it proves. With --head it must "
		"be the\n"
		"one that was noted before, else its root is only what the file says.",
	.run = run_check_proof,
};
