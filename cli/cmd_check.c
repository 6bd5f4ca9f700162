/* SPDX-License-Identifier: Apache-2.0 */
/* check: the invariants of the state, and since when what breaks them is so. */
#include "cli/look.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/progress.h"
#include "replay/since.h"

struct checking {
	const struct ipl_invocation *in;
	struct ipl_look look;
	struct ipl_progress progress;
};

static void on_known(void *context, size_t known, size_t count)
{
	ipl_progress_update(&((struct checking *)context)->progress, known, count);
}

static enum ipl_status describe(struct checking *c, const struct ipl_fault *fault,
				struct ipl_value *list, struct ipl_error *err)
{
	struct ipl_arena *arena = c->in->arena;
	struct ipl_value row = ipl_map(), event;
	char id[IPL_ID_TEXT_MAX];
	enum ipl_status st = ipl_look_event(&c->look, arena, fault->since, &event, err);

	if (st != IPL_OK)
		return st;
	ipl_id_format(c->look.letters, fault->kind, fault->number, id);
	ipl_map_add(arena, &row, "Rule", ipl_text_of(fault->rule));
	ipl_map_add(arena, &row, "Kind", ipl_text_of(ipl_kind_name(fault->kind)));
	ipl_map_add(arena, &row, "Id", ipl_textf(arena, "%s", id));
	ipl_map_add(arena, &row, "Text", ipl_text(ipl_arena_str(arena, fault->text)));
	ipl_map_add(arena, &row, "SinceSeq", ipl_int((int64_t)fault->since));
	ipl_map_add(arena, &row, "Event", event);
	ipl_array_add(arena, list, row);
	return arena->failed ? ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for findings") :
			       IPL_OK;
}

static void print_findings(struct checking *c, const struct ipl_value *list, uint64_t total)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct ipl_value *row = &list->item[i];
		printf("%s\n  rule   %.*s\n  since  %s\n",
		       ipl_look_plain(c->in->arena, ipl_map_text(row, "Text")).at,
		       IPL_STR_ARG(ipl_map_text(row, "Rule")),
		       ipl_look_event_line(c->in->arena, ipl_map_get(row, "Event")).at);
	}
	if (total > list->count)
		printf("and %" PRIu64 " more\n", total - list->count);
	printf("%" PRIu64 " findings as of event %" PRIu64 "\n", total, c->look.head);
}

static enum ipl_status report(struct checking *c, const struct ipl_faults *faults,
			      struct ipl_error *err)
{
	struct ipl_arena *arena = c->in->arena;
	struct ipl_value map = ipl_map(), list = ipl_array();
	enum ipl_status st = IPL_OK;

	for (size_t i = 0; st == IPL_OK && i < faults->count; i++)
		st = describe(c, &faults->at[i], &list, err);
	if (st != IPL_OK)
		return st;
	if (c->in->output == IPL_OUTPUT_TABLE) {
		print_findings(c, &list, faults->total);
		return IPL_OK;
	}
	ipl_map_add(arena, &map, "Findings", list);
	ipl_map_add(arena, &map, "Count", ipl_int((int64_t)faults->total));
	ipl_map_add(arena, &map, "AsOfSeq", ipl_int((int64_t)c->look.head));
	ipl_map_add(arena, &map, "StatesChecked", ipl_int((int64_t)faults->looks));
	ipl_print_result(c->in, &map);
	return IPL_OK;
}

static int run_check(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct checking c = { .in = in };
	struct ipl_faults faults = { .count = 0 };
	enum ipl_status st;
	uint64_t total = 0;

	if (in->argc != 0)
		return ipl_usage(in->command, "check takes no words");
	st = ipl_look_open(in, &c.look, &err);
	ipl_progress_begin(&c.progress, "findings");
	if (st == IPL_OK)
		st = ipl_faults_find(c.look.views, c.look.head, on_known, &c, &faults, &err);
	ipl_progress_end(&c.progress, faults.count, faults.count);
	total = faults.total;
	if (st == IPL_OK)
		st = report(&c, &faults, &err);
	ipl_faults_release(&faults);
	ipl_look_close(&c.look);
	if (st != IPL_OK)
		return ipl_fail(&err);
	return total == 0 ? IPL_EXIT_OK : IPL_EXIT_REFUSED;
}

const struct ipl_command ipl_cmd_check = {
	.name = "check",
	.args = "",
	.summary = "the invariants of the state, and since when what breaks them is so",
	.more = "Double holdings, orphans, wrong counters, broken limits: a finding is a bug or\n"
		"damage, never a wrong request. Each comes with the first event after which it\n"
		"was so.\n"
		"Nothing is changed. With --as-of: of that moment.\n"
		"Exit status 0: none; 1: findings.",
	.run = run_check,
};
