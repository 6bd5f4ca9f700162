/* SPDX-License-Identifier: Apache-2.0 */
/* export: the event log as JSON lines, who holds which address as CSV, and what DHCP servers need.
 */
#include "cli/ask.h"
#include "cli/export.h"
#include "cli/format.h"
#include "cli/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "events/address.h"
#include "events/json.h"

#define PAGE_RESULTS        1000
#define PAGE_ARENA_BYTES    ((size_t)1 << 30)
#define TOKEN_BYTES         128
#define INTERFACE_BYTES_MAX 15 /* as Linux has it */

/* --- text --- */

static void write_text(struct ipl_export *x, const void *text, size_t len)
{
	if (fwrite(text, 1, len, x->to) != len)
		x->has_failed = true;
}

void ipl_export_write(struct ipl_export *x, const struct ipl_buf *text)
{
	write_text(x, text->at, text->len);
}

/* --- pages --- */

struct inventory;

/* A list that an operation gives in pages, and how a page becomes text. */
struct source {
	const char *operation;
	const char *path;
	enum ipl_status (*write)(struct ipl_export *x, struct ipl_arena *arena,
				 const struct source *source, const struct ipl_value *list);
	void (*add)(struct inventory *v, const struct ipl_value *item); /* the rows of one item */
};

/* Keep the token beyond the page's arena. */
static enum ipl_status keep_token(struct ipl_export *x, const struct ipl_value *result,
				  char kept[TOKEN_BYTES], struct ipl_str *token)
{
	*token = ipl_map_text(result, "NextToken");
	if (token->len > TOKEN_BYTES)
		return ipl_error_set(&x->err, IPL_ERR_IO, "the ledger's answer makes no sense");
	memcpy(kept, token->at, token->len);
	token->at = kept;
	return IPL_OK;
}

/* One page after another, so that a list of any length fits. All, of all lists, are of one moment.
 */
static enum ipl_status each_page(struct ipl_export *x, const struct source *source)
{
	const struct ipl_invocation *whole = x->in;
	struct ipl_invocation in = *whole;
	struct ipl_str token = IPL_STR("");
	struct ipl_arena arena;
	char kept[TOKEN_BYTES];
	enum ipl_status st;

	ipl_arena_init(&arena, PAGE_ARENA_BYTES);
	in.arena = &arena;
	x->in = &in;
	do {
		struct ipl_value params, result;
		const struct ipl_value *list;
		ipl_arena_reset(&arena);
		params = ipl_value_copy(&arena, &x->range);
		ipl_map_set(&arena, &params, IPL_STR("MaxResults"), ipl_int(PAGE_RESULTS));
		if (token.len > 0)
			ipl_map_set(&arena, &params, IPL_STR("NextToken"), ipl_text(token));
		st = ipl_export_ask(x, source->operation, &params, &result);
		list = st == IPL_OK ? ipl_value_at(&result, ipl_str_of(source->path)) : NULL;
		if (st == IPL_OK && ipl_interrupted())
			st = ipl_error_set(&x->err, IPL_ERR_IO, "the export was interrupted");
		if (list != NULL && st == IPL_OK)
			st = source->write(x, &arena, source, list);
		if (st == IPL_OK)
			st = keep_token(x, &result, kept, &token);
		ipl_progress_update(&x->progress, x->rows, x->total);
	} while (st == IPL_OK && token.len > 0);
	x->in = whole;
	x->err.arena = whole->arena;
	x->err.detail = NULL; /* it was in the page's arena */
	ipl_arena_release(&arena);
	return st;
}

/* --- jsonl --- */

static enum ipl_status write_events(struct ipl_export *x, struct ipl_arena *arena,
				    const struct source *source, const struct ipl_value *events)
{
	struct ipl_buf line = { 0 };

	(void)arena;
	(void)source;
	if (x->range.count == 0)
		x->total = x->seq;
	for (uint32_t i = 0; i < events->count; i++) {
		line.len = 0;
		ipl_json_write(&line, &events->item[i], IPL_JSON_COMPACT);
		ipl_buf_append(&line, "\n", 1);
		ipl_export_write(x, &line);
		x->rows++;
	}
	ipl_buf_release(&line);
	return IPL_OK;
}

static enum ipl_status export_jsonl(struct ipl_export *x)
{
	static const struct source log = { "ListEvents", "Events", write_events, NULL };

	return each_page(x, &log);
}

/* --- csv --- */

struct inventory {
	struct ipl_export *x;
	struct ipl_arena *arena;
	struct ipl_value rows;
};

static struct ipl_value member(const struct ipl_value *map, const char *path)
{
	const struct ipl_value *value = ipl_value_at(map, ipl_str_of(path));

	return value == NULL ? ipl_text(IPL_STR("")) : *value;
}

/* Every row has the same columns, so that the first line names them all. */
static void add_row(struct inventory *v, struct ipl_value address, const char *kind,
		    const struct ipl_value *eni, struct ipl_value public_ip,
		    struct ipl_value allocation)
{
	static const char *const of_eni[] = { "VpcId",      "VSwitchId",          "ZoneId",
					      "InstanceId", "NetworkInterfaceId", "MacAddress" };
	struct ipl_value row = ipl_map();

	ipl_map_add(v->arena, &row, "Address", address);
	ipl_map_add(v->arena, &row, "Kind", ipl_text_of(kind));
	for (size_t i = 0; i < IPL_ARRAY_SIZE(of_eni); i++)
		ipl_map_add(v->arena, &row, of_eni[i], member(eni, of_eni[i]));
	ipl_map_add(v->arena, &row, "PublicIpAddress", public_ip);
	ipl_map_add(v->arena, &row, "AllocationId", allocation);
	ipl_array_add(v->arena, &v->rows, row);
	v->x->rows++;
}

static void add_eni(struct inventory *v, const struct ipl_value *eni)
{
	const struct ipl_value *list = ipl_value_at(eni, IPL_STR("PrivateIpSets.PrivateIpSet"));
	const struct ipl_value *ipv6 = ipl_value_at(eni, IPL_STR("Ipv6Sets.Ipv6Set"));

	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		struct ipl_value primary = member(&list->item[i], "Primary");
		add_row(v, member(&list->item[i], "PrivateIpAddress"),
			primary.type == IPL_VALUE_BOOL && primary.boolean ? "PrimaryPrivate" :
									    "SecondaryPrivate",
			eni, member(&list->item[i], "AssociatedPublicIp.PublicIpAddress"),
			member(&list->item[i], "AssociatedPublicIp.AllocationId"));
	}
	for (uint32_t i = 0; ipv6 != NULL && i < ipv6->count; i++)
		add_row(v, member(&ipv6->item[i], "Ipv6Address"), "Ipv6", eni,
			ipl_text(IPL_STR("")), ipl_text(IPL_STR("")));
}

static void add_eip(struct inventory *v, const struct ipl_value *eip)
{
	struct ipl_value nothing = ipl_map();

	ipl_map_add(v->arena, &nothing, "InstanceId", member(eip, "InstanceId"));
	ipl_map_add(v->arena, &nothing, "VpcId", member(eip, "VpcId"));
	add_row(v, member(eip, "IpAddress"), "Eip", &nothing, member(eip, "IpAddress"),
		member(eip, "AllocationId"));
}

static void add_instance(struct inventory *v, const struct ipl_value *instance)
{
	struct ipl_value ip = member(instance, "PublicIpAddress.IpAddress.1");
	struct ipl_value owner = ipl_map();

	if (ip.type != IPL_VALUE_STR || ip.str.len == 0)
		return;
	ipl_map_add(v->arena, &owner, "InstanceId", member(instance, "InstanceId"));
	ipl_map_add(v->arena, &owner, "VpcId", member(instance, "VpcAttributes.VpcId"));
	add_row(v, ip, "PublicIp", &owner, ip, ipl_text(IPL_STR("")));
}

/* The line of names stands before the first row of all. */
static void write_rows(struct ipl_export *x, struct inventory *v)
{
	struct ipl_buf text = { 0 };
	size_t names = 0;

	if (v->rows.count == 0)
		return;
	ipl_csv_write(&text, v->arena, &v->rows);
	while (x->has_names && names < text.len && text.at[names++] != '\n')
		continue;
	write_text(x, text.at + names, text.len - names);
	x->has_names = true;
	ipl_buf_release(&text);
}

static enum ipl_status write_inventory(struct ipl_export *x, struct ipl_arena *arena,
				       const struct source *source, const struct ipl_value *list)
{
	struct inventory v = { x, arena, ipl_array() };

	for (uint32_t i = 0; i < list->count; i++)
		source->add(&v, &list->item[i]);
	if (arena->failed)
		return ipl_error_set(&x->err, IPL_ERR_NOMEM, "out of memory for a page");
	write_rows(x, &v);
	return IPL_OK;
}

static enum ipl_status export_csv(struct ipl_export *x)
{
	static const struct source lists[] = {
		{ "DescribeNetworkInterfaces", "NetworkInterfaceSets.NetworkInterfaceSet",
		  write_inventory, add_eni },
		{ "DescribeInstances", "Instances.Instance", write_inventory, add_instance },
		{ "DescribeEipAddresses", "EipAddresses.EipAddress", write_inventory, add_eip },
	};
	enum ipl_status st = IPL_OK;

	for (size_t i = 0; st == IPL_OK && i < IPL_ARRAY_SIZE(lists); i++)
		st = each_page(x, &lists[i]);
	return st;
}

/* --- the command --- */

/* Ask by @ask as of the moment of what was asked first. */
static enum ipl_status ask_then(
	struct ipl_export *x,
	enum ipl_status (*ask)(const struct ipl_invocation *in, struct ipl_session *session,
			       const char *operation, struct ipl_value *params,
			       struct ipl_value *result, struct ipl_error *err),
	const char *operation, struct ipl_value *params, struct ipl_value *result)
{
	struct ipl_value seq = ipl_int((int64_t)x->seq);
	struct ipl_invocation then = *x->in;
	enum ipl_status st;

	if (then.as_of == NULL && x->seq > 0)
		then.as_of = &seq;
	st = ask(&then, x->session, operation, params, result, &x->err);
	if (st == IPL_OK && ipl_map_get(result, "AsOfSeq") != NULL)
		x->seq = (uint64_t)ipl_map_get(result, "AsOfSeq")->integer;
	return st;
}

enum ipl_status ipl_export_ask(struct ipl_export *x, const char *operation,
			       struct ipl_value *params, struct ipl_value *result)
{
	return ask_then(x, ipl_ask, operation, params, result);
}

enum ipl_status ipl_export_list(struct ipl_export *x, const char *operation,
				struct ipl_value *params, const char *path,
				const struct ipl_value **list)
{
	struct ipl_value result;
	enum ipl_status st = ask_then(x, ipl_ask_all, operation, params, &result);

	if (st == IPL_OK)
		*list = ipl_value_at(&result, ipl_str_of(path));
	return st;
}

enum ipl_status ipl_export_save(struct ipl_export *x, const char *path, const struct ipl_buf *text)
{
	const char *partial = ipl_arena_printf(x->in->arena, "%s.partial", path).at;
	FILE *file = partial == NULL ? NULL : fopen(partial, "w");
	bool is_whole;

	if (file == NULL)
		return ipl_error_set(&x->err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	is_whole = fwrite(text->at, 1, text->len, file) == text->len;
	is_whole = fclose(file) == 0 && is_whole;
	if (is_whole && rename(partial, path) == 0)
		return IPL_OK;
	ipl_error_set(&x->err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	(void)remove(partial);
	return IPL_ERR_IO;
}

/* Which options a format takes, beside --file. */
enum {
	TAKES_RANGE = 1,  /* --from, --to */
	TAKES_SCOPE = 2,  /* a VPC or vSwitch, --interface, --dns */
	TAKES_FOLDER = 4, /* --dir */
};

static const struct format {
	const char *name;
	enum ipl_status (*run)(struct ipl_export *x);
	unsigned takes;
} formats[] = {
	{ "jsonl", export_jsonl, TAKES_RANGE },
	{ "csv", export_csv, 0 },
	{ "dnsmasq", ipl_export_dnsmasq, TAKES_SCOPE | TAKES_FOLDER },
	{ "kea", ipl_export_kea, TAKES_SCOPE },
};

/* As many as there are where there is none of that name. */
static size_t find_format(const char *name)
{
	size_t format = 0;

	while (format < IPL_ARRAY_SIZE(formats) && strcmp(formats[format].name, name) != 0)
		format++;
	return format;
}

static int run_format(struct ipl_export *x, const struct format *format)
{
	enum ipl_status st;

	ipl_progress_begin(&x->progress, "rows");
	st = ipl_session_open(x->in->data, x->in->server, &x->session, &x->err);
	if (st == IPL_OK)
		st = format->run(x);
	ipl_session_close(x->session);
	ipl_progress_end(&x->progress, x->rows, x->rows);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&x->err);
}

/* Into a file beside its place, which takes it when it is whole. */
static int run_to_file(struct ipl_export *x, const struct format *format, const char *path)
{
	struct ipl_arena *arena = x->in->arena;
	const char *partial = ipl_arena_printf(arena, "%s.partial", path).at;
	int rc;

	x->to = partial == NULL ? NULL : fopen(partial, "w");
	if (x->to == NULL) {
		fprintf(stderr, "ipledger: %s: %s\n", path, strerror(errno));
		return IPL_EXIT_UNREACHABLE;
	}
	rc = run_format(x, format);
	if (fclose(x->to) != 0 || x->has_failed ||
	    (rc == IPL_EXIT_OK && rename(partial, path) != 0)) {
		fprintf(stderr, "ipledger: %s: %s\n", path, strerror(errno));
		rc = rc == IPL_EXIT_OK ? IPL_EXIT_UNREACHABLE : rc;
	}
	if (rc != IPL_EXIT_OK)
		(void)remove(partial);
	return rc;
}

/* --- its words --- */

struct words {
	const struct format *format; /* NULL: not read yet */
	unsigned takes;              /* what the options that were read need */
	const char *file;
};

/* A name that is safe in either configuration. */
static bool is_interface(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._-@");

	return len > 0 && len <= INTERFACE_BYTES_MAX && name[len] == '\0';
}

static bool add_word(const char **list, size_t *count, const char *word)
{
	if (*count == IPL_EXPORT_WORDS_MAX)
		return false;
	list[(*count)++] = word;
	return true;
}

/* One option at argv[*i]; -1: taken, -2: it is none. */
static int take_option(struct ipl_export *x, int *i, struct words *w)
{
	const struct ipl_invocation *in = x->in;
	const char *value;
	uint32_t ip;

	if ((value = ipl_option(in, i, "--from")) != NULL) {
		w->takes |= TAKES_RANGE;
		if (!ipl_add_bound(in, &x->range, value, "FromSeq", "FromTime"))
			return ipl_usage(in->command, "--from %s is no moment", value);
	} else if ((value = ipl_option(in, i, "--to")) != NULL) {
		w->takes |= TAKES_RANGE;
		if (!ipl_add_bound(in, &x->range, value, "ToSeq", "ToTime"))
			return ipl_usage(in->command, "--to %s is no moment", value);
	} else if ((value = ipl_option(in, i, "--interface")) != NULL) {
		w->takes |= TAKES_SCOPE;
		if (!is_interface(value) || !add_word(x->interface, &x->interface_count, value))
			return ipl_usage(in->command,
					 "--interface takes an interface's name, %d at most, not "
					 "\"%s\"",
					 IPL_EXPORT_WORDS_MAX, value);
	} else if ((value = ipl_option(in, i, "--dns")) != NULL) {
		w->takes |= TAKES_SCOPE;
		if (!ipl_ip4_parse(ipl_str_of(value), &ip) ||
		    !add_word(x->dns, &x->dns_count, value))
			return ipl_usage(in->command,
					 "--dns takes an IPv4 address, %d at most, not \"%s\"",
					 IPL_EXPORT_WORDS_MAX, value);
	} else if ((value = ipl_option(in, i, "--dir")) != NULL) {
		w->takes |= TAKES_FOLDER;
		x->folder = value;
	} else if ((value = ipl_option(in, i, "--file")) != NULL) {
		w->file = value;
	} else {
		return -2;
	}
	return -1;
}

static int take_word(struct ipl_export *x, const char *word, struct words *w)
{
	size_t format = find_format(word);

	if (word[0] == '-')
		return ipl_usage(x->in->command, "%s is no option of export", word);
	if (w->format != NULL && x->id != NULL)
		return ipl_usage(x->in->command, "%s is one word too many", word);
	if (w->format != NULL) {
		w->takes |= TAKES_SCOPE;
		x->id = word;
		return -1;
	}
	if (format == IPL_ARRAY_SIZE(formats))
		return ipl_usage(x->in->command, "%s is no format", word);
	w->format = &formats[format];
	return -1;
}

/* What is given goes together; -1: it does. */
static int check_words(const struct ipl_export *x, const struct words *w)
{
	const struct ipl_command *command = x->in->command;

	if (w->format == NULL)
		return ipl_usage(command, "export what?");
	if ((w->takes & TAKES_RANGE & ~w->format->takes) != 0)
		return ipl_usage(command, "--from and --to are for jsonl; %s takes --as-of",
				 w->format->name);
	if ((w->takes & TAKES_SCOPE & ~w->format->takes) != 0)
		return ipl_usage(command,
				 "a VPC, a vSwitch, --interface and --dns are for dnsmasq and kea");
	if ((w->takes & TAKES_FOLDER & ~w->format->takes) != 0)
		return ipl_usage(command, "--dir is for dnsmasq");
	if (x->folder != NULL && (x->folder[0] == '\0' || w->file != NULL))
		return ipl_usage(command, "--dir takes a directory, and no --file beside it");
	if (w->file != NULL && w->file[0] == '\0')
		return ipl_usage(command, "--file takes a file");
	return -1;
}

static int run_export(const struct ipl_invocation *in)
{
	struct ipl_export x = {
		.in = in, .err = IPL_ERROR_INIT(in->arena), .range = ipl_map(), .to = stdout
	};
	struct words w = { .format = NULL };
	int rc = -1;

	for (int i = 0; rc == -1 && i < in->argc; i++) {
		rc = take_option(&x, &i, &w);
		if (rc == -2)
			rc = take_word(&x, in->argv[i], &w);
	}
	if (rc == -1)
		rc = check_words(&x, &w);
	if (rc != -1)
		return rc;
	ipl_interrupt_catch();
	return w.file == NULL ? run_format(&x, w.format) : run_to_file(&x, w.format, w.file);
}

const struct ipl_command ipl_cmd_export = {
	.name = "export",
	.args = "jsonl|csv|dnsmasq|kea [VPC|VSWITCH] [--from WHEN] [--to WHEN] [--file FILE] "
		"[--dir DIR] [--interface NAME]... [--dns ADDRESS]...",
	.summary = "the events as JSON lines, who holds which address as CSV, or a DHCP server's "
		   "configuration",
	.more = "jsonl: the log, from --from to --to. csv: each address that is held, now or\n"
		"--as-of. FILE is there whole, or not at all.\n"
		"dnsmasq, kea: a server that hands each network interface its primary private\n"
		"address by its MAC address, and to nobody else anything: of the ledger, a VPC or\n"
		"a vSwitch, now or --as-of. --interface: where it listens (all); --dns: instead\n"
		"of the cloud's 100.100.2.136 and 100.100.2.138. --dir (dnsmasq): the hosts and\n"
		"options in files of their own, which dnsmasq reads again on SIGHUP.\n",
	.run = run_export,
};
