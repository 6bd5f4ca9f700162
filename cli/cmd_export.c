/* SPDX-License-Identifier: Apache-2.0 */
/* export: the event log as JSON lines, or who holds which address as CSV. */
#include "cli/ask.h"
#include "cli/export.h"
#include "cli/format.h"
#include "cli/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "events/json.h"

#define PAGE_RESULTS 1000

/* --- jsonl --- */

static void write_page(struct ipl_export *x, const struct ipl_value *events)
{
	struct ipl_buf line = { 0 };

	for (uint32_t i = 0; events != NULL && i < events->count; i++) {
		line.len = 0;
		ipl_json_write(&line, &events->item[i], IPL_JSON_COMPACT);
		ipl_buf_append(&line, "\n", 1);
		ipl_export_write(x, &line);
		x->rows++;
	}
	ipl_buf_release(&line);
}

/* Page by page, so that a log of any length fits. */
static enum ipl_status export_jsonl(struct ipl_export *x)
{
	struct ipl_str token = IPL_STR("");
	struct ipl_arena arena;
	struct ipl_invocation in = *x->in;
	uint64_t total = 0;
	enum ipl_status st = IPL_OK;
	char kept[128];

	ipl_arena_init(&arena, (size_t)1 << 30);
	in.arena = &arena;
	do {
		struct ipl_value params, result;
		const struct ipl_value *seq;
		ipl_arena_reset(&arena);
		params = ipl_value_copy(&arena, &x->range);
		ipl_map_set(&arena, &params, IPL_STR("MaxResults"), ipl_int(PAGE_RESULTS));
		if (token.len > 0)
			ipl_map_set(&arena, &params, IPL_STR("NextToken"), ipl_text(token));
		st = ipl_ask(&in, x->client, "ListEvents", &params, &result, &x->err);
		if (st == IPL_OK && ipl_interrupted())
			st = ipl_refuse(&x->err, IPL_CODE_INVALID_PARAMETER,
					"the export was interrupted");
		if (st != IPL_OK)
			break;
		seq = ipl_map_get(&result, "AsOfSeq");
		if (total == 0 && seq != NULL && x->range.count == 0)
			total = (uint64_t)seq->integer;
		write_page(x, ipl_map_get(&result, "Events"));
		token = ipl_map_text(&result, "NextToken");
		if (token.len >= sizeof(kept))
			st = ipl_error_set(&x->err, IPL_ERR_IO,
					   "the ledger's answer makes no sense");
		else
			memcpy(kept, token.at, token.len);
		token.at = kept;
		ipl_progress_update(&x->progress, x->rows, total);
	} while (st == IPL_OK && token.len > 0);
	x->err.arena = x->in->arena;
	x->err.detail = NULL; /* it was in the page's arena */
	ipl_arena_release(&arena);
	return st;
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

static enum ipl_status export_csv(struct ipl_export *x)
{
	static const struct {
		const char *operation;
		const char *path;
		void (*add)(struct inventory *v, const struct ipl_value *item);
	} lists[] = {
		{ "DescribeNetworkInterfaces", "NetworkInterfaceSets.NetworkInterfaceSet",
		  add_eni },
		{ "DescribeInstances", "Instances.Instance", add_instance },
		{ "DescribeEipAddresses", "EipAddresses.EipAddress", add_eip },
	};
	struct inventory v = { x, x->in->arena, ipl_array() };
	struct ipl_buf text = { 0 };
	enum ipl_status st = IPL_OK;

	for (size_t i = 0; st == IPL_OK && i < IPL_ARRAY_SIZE(lists); i++) {
		const struct ipl_value *list;
		struct ipl_value result;
		st = ipl_export_list(x, lists[i].operation, lists[i].path, &result, &list);
		for (uint32_t k = 0; st == IPL_OK && list != NULL && k < list->count; k++)
			lists[i].add(&v, &list->item[k]);
	}
	if (st == IPL_OK) {
		ipl_csv_write(&text, v.arena, &v.rows);
		ipl_export_write(x, &text);
	}
	ipl_buf_release(&text);
	return st;
}

/* --- the command --- */

void ipl_export_write(struct ipl_export *x, const struct ipl_buf *text)
{
	if (fwrite(text->at, 1, text->len, x->to) != text->len)
		x->has_failed = true;
}

enum ipl_status ipl_export_list(struct ipl_export *x, const char *operation, const char *path,
				struct ipl_value *result, const struct ipl_value **list)
{
	struct ipl_value params = ipl_map(), seq = ipl_int((int64_t)x->seq);
	struct ipl_invocation then = *x->in;
	enum ipl_status st;

	/* All lists are of one moment: that of the first. */
	if (then.as_of == NULL && x->seq > 0)
		then.as_of = &seq;
	st = ipl_ask_all(&then, x->client, operation, &params, result, &x->err);
	if (st != IPL_OK)
		return st;
	if (ipl_map_get(result, "AsOfSeq") != NULL)
		x->seq = (uint64_t)ipl_map_get(result, "AsOfSeq")->integer;
	*list = ipl_value_at(result, ipl_str_of(path));
	return IPL_OK;
}

static const struct {
	const char *name;
	enum ipl_status (*run)(struct ipl_export *x);
} formats[] = {
	{ "jsonl", export_jsonl },
	{ "csv", export_csv },
};

/* As many as there are where there is none of that name. */
static size_t find_format(const char *name)
{
	size_t format = 0;

	while (format < IPL_ARRAY_SIZE(formats) && strcmp(formats[format].name, name) != 0)
		format++;
	return format;
}

static int run_format(struct ipl_export *x, size_t format)
{
	enum ipl_status st;

	ipl_progress_begin(&x->progress, "rows");
	st = ipl_client_open(x->in->data, x->in->server, &x->client, &x->err);
	if (st == IPL_OK)
		st = formats[format].run(x);
	ipl_client_close(x->client);
	ipl_progress_end(&x->progress, x->rows, x->rows);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&x->err);
}

/* Into a file beside its place, which takes it when it is whole. */
static int run_to_file(struct ipl_export *x, size_t format, const char *path)
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

static int run_export(const struct ipl_invocation *in)
{
	struct ipl_export x = {
		.in = in, .err = IPL_ERROR_INIT(in->arena), .range = ipl_map(), .to = stdout
	};
	size_t format = IPL_ARRAY_SIZE(formats);
	const char *path = NULL;

	for (int i = 0; i < in->argc; i++) {
		const char *from = ipl_option(in, &i, "--from");
		const char *to = from != NULL ? NULL : ipl_option(in, &i, "--to");
		const char *file = from != NULL || to != NULL ? NULL : ipl_option(in, &i, "--file");
		if (from != NULL && !ipl_add_bound(in, &x.range, from, "FromSeq", "FromTime"))
			return ipl_usage(in->command, "--from %s is no moment", from);
		if (to != NULL && !ipl_add_bound(in, &x.range, to, "ToSeq", "ToTime"))
			return ipl_usage(in->command, "--to %s is no moment", to);
		if (file != NULL)
			path = file;
		if (from != NULL || to != NULL || file != NULL)
			continue;
		format = find_format(in->argv[i]);
		if (format == IPL_ARRAY_SIZE(formats))
			return ipl_usage(in->command, "%s is no format", in->argv[i]);
	}
	if (format == IPL_ARRAY_SIZE(formats))
		return ipl_usage(in->command, "export what?");
	ipl_interrupt_catch();
	return path == NULL ? run_format(&x, format) : run_to_file(&x, format, path);
}

const struct ipl_command ipl_cmd_export = {
	.name = "export",
	.args = "jsonl|csv [--from WHEN] [--to WHEN] [--file FILE]",
	.summary = "the events as JSON lines, or who holds which address as CSV",
	.more = "jsonl: the log, from --from to --to. csv: each address that is held, now or\n"
		"--as-of. FILE is there whole, or not at all.\n",
	.run = run_export,
};
