/* SPDX-License-Identifier: Apache-2.0 */
/* backup and restore: a checked, compact copy of the log, there and back. */
#include "cli/command.h"
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/copy.h"

static bool on_progress(void *context, uint64_t done, uint64_t total)
{
	ipl_progress_update(context, done, total);
	return !ipl_interrupted();
}

static struct ipl_value summary(struct ipl_arena *arena, const char *to,
				const struct ipl_head *head, double seconds)
{
	struct ipl_value map = ipl_map();
	char root[2 * IPL_ROOT_BYTES + 1];

	for (size_t i = 0; i < IPL_ROOT_BYTES; i++)
		(void)snprintf(root + 2 * i, 3, "%02x", head->root[i]);
	ipl_map_add(arena, &map, "Directory", ipl_text_of(to));
	ipl_map_add(arena, &map, "HeadSeq", ipl_int((int64_t)head->seq));
	ipl_map_add(arena, &map, "HeadRoot", ipl_text_copy(arena, root));
	ipl_map_add(arena, &map, "Milliseconds", ipl_int((int64_t)(seconds * 1000)));
	return map;
}

static int copy(const struct ipl_invocation *in, const char *from, const char *to)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_progress progress;
	struct ipl_head head;
	struct ipl_value result;

	ipl_interrupt_catch();
	ipl_progress_begin(&progress, "events");
	if (ipl_store_copy(from, to, on_progress, &progress, &head, &err) != IPL_OK)
		return ipl_fail(&err);
	ipl_progress_end(&progress, head.seq, head.seq);
	result = summary(in->arena, to, &head, ipl_progress_seconds(&progress));
	ipl_print_result(in, &result);
	return IPL_EXIT_OK;
}

static int run_backup(const struct ipl_invocation *in)
{
	if (in->argc != 1)
		return ipl_usage(in->command, "backup takes one directory");
	return copy(in, in->data, in->argv[0]);
}

const struct ipl_command ipl_cmd_backup = {
	.name = "backup",
	.args = "DIR",
	.summary = "a compact, checked copy of the log into DIR, beside a running server too",
	.more = "It ends where the log ended when it began, and prints that head. Keys and the "
		"list\n"
		"of refusals are not in it. DIR is as it was where this fails or is interrupted.\n",
	.run = run_backup,
};

static int run_restore(const struct ipl_invocation *in)
{
	if (in->argc != 1)
		return ipl_usage(in->command, "restore takes the directory of a backup");
	return copy(in, in->argv[0], in->data);
}

const struct ipl_command ipl_cmd_restore = {
	.name = "restore",
	.args = "DIR",
	.summary = "the backup in DIR into the ledger's directory, which must not hold one",
	.more = "    ipledger --data /var/lib/ipledger restore /backup/monday\n",
	.run = run_restore,
};
