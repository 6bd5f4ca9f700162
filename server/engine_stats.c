/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine counts, and what its state and its store are like now, as metrics. */
#include "server/engine_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/thread.h"

/* So many of each are told of one by one; of the others only how many, and the least free. */
#define VSWITCHES_MAX 1000u
#define POOLS_MAX     64u
#define PROBE_MS      1000

static const char *const outcomes[] = { "ok", "refused", "failed" };
static const char *const kinds[] = { [IPL_OPERATION_WRITE] = "write",
				     [IPL_OPERATION_READ] = "read",
				     [IPL_OPERATION_SERVICE] = "service" };

/* --- counting --- */

static size_t index_of(const struct ipl_operation *operation)
{
	return operation == NULL ? IPL_STATS_OPERATIONS_MAX :
				   (size_t)(operation - ipl_operation_at(0));
}

void ipl_stats_call(struct ipl_engine_stats *stats, const struct ipl_answer *answer, int64_t ns)
{
	enum ipl_outcome outcome = answer->status == IPL_OK      ? IPL_OUTCOME_OK :
				   answer->status == IPL_REFUSED ? IPL_OUTCOME_REFUSED :
								   IPL_OUTCOME_FAILED;
	size_t index = index_of(answer->operation);

	assert(index <= IPL_STATS_OPERATIONS_MAX);
	stats->calls[index][outcome]++;
	if (answer->status != IPL_OK)
		stats->codes[answer->err.code]++;
	if (ns >= 0 && answer->operation != NULL)
		ipl_histogram_add_ns(&stats->decide[answer->operation->kind], ns);
}

void ipl_stats_commit(struct ipl_engine_stats *stats, const struct ipl_commit *commit)
{
	ipl_histogram_add_ns(&stats->commit, ipl_monotonic_ns() - stats->flying_since_ns);
	ipl_histogram_add_ns(&stats->disk, commit->duration_ns);
	ipl_histogram_add(&stats->batch, commit->batch.count, 0);
	stats->is_failing = commit->status != IPL_OK;
	if (!stats->is_failing)
		return;
	stats->commits_failed++;
	stats->failure = commit->err;
}

enum ipl_status ipl_engine_check(struct ipl_engine *engine, int64_t now_ms, struct ipl_error *err)
{
	struct ipl_engine_stats *stats = &engine->stats;
	int64_t since_ms = now_ms - stats->probed_ms;

	if (!ipl_engine_is_good(engine, err))
		return err->status;
	/*
	 * While one is on its way it tells soon; what failed last is true until then. To try
	 * blocks, and anybody may ask.
	 */
	if (stats->is_failing && ipl_committer_idle(engine->committer) &&
	    (since_ms < 0 || since_ms >= PROBE_MS)) {
		stats->probed_ms = now_ms;
		if (ipl_store_probe(engine->store, &stats->failure) == IPL_OK)
			stats->is_failing = false;
	}
	if (!stats->is_failing)
		return IPL_OK;
	return ipl_error_set(err, stats->failure.status, "nothing can be appended: %.400s",
			     stats->failure.text);
}

/* --- writing --- */

static void write_calls(const struct ipl_engine_stats *stats, struct ipl_buf *out)
{
	const struct ipl_operation *operation;

	ipl_metric_family(
		out, "ipledger_operations_total", "counter",
		"Calls by operation and outcome: ok, refused (the answer was no), failed");
	for (size_t i = 0; i <= IPL_STATS_OPERATIONS_MAX; i++) {
		operation = ipl_operation_at(i);
		if (operation == NULL && i < IPL_STATS_OPERATIONS_MAX)
			continue;
		for (size_t k = 0; k < IPL_OUTCOME_COUNT; k++)
			ipl_buf_printf(out,
				       "ipledger_operations_total{operation=\"%s\",outcome=\"%s\"} "
				       "%" PRIu64 "\n",
				       operation == NULL ? "unknown" : operation->name, outcomes[k],
				       stats->calls[i][k]);
	}
}

/* Rows of the table that look alike at the door are one. */
static void write_codes(const struct ipl_engine_stats *stats, struct ipl_buf *out)
{
	ipl_metric_family(out, "ipledger_refusals_total", "counter",
			  "Calls that were refused or failed, by code; those that never were are "
			  "left out");
	for (int i = 1; i < IPL_CODE_COUNT; i++) {
		const char *code = ipl_code_text((enum ipl_code)i);
		uint64_t count = 0;
		bool is_first = true;
		for (int k = 1; k < IPL_CODE_COUNT; k++) {
			if (strcmp(ipl_code_text((enum ipl_code)k), code) != 0)
				continue;
			count += stats->codes[k];
			is_first = is_first && k >= i;
		}
		if (is_first && count > 0)
			ipl_buf_printf(out, "ipledger_refusals_total{code=\"%s\"} %" PRIu64 "\n",
				       code, count);
	}
}

static void write_histograms(const struct ipl_engine_stats *stats, struct ipl_buf *out)
{
	ipl_metric_family(out, "ipledger_decide_seconds", "histogram",
			  "Time to parse, decide and fold a call; reads that threads do left out");
	for (size_t i = 0; i < IPL_OPERATION_KINDS; i++) {
		char labels[32];
		(void)snprintf(labels, sizeof(labels), "kind=\"%s\"", kinds[i]);
		ipl_metric_histogram_ns(out, "ipledger_decide_seconds", labels, &stats->decide[i]);
	}
	ipl_metric_family(
		out, "ipledger_commit_seconds", "histogram",
		"Time from handing a batch to the committer until it is known to be kept");
	ipl_metric_histogram_ns(out, "ipledger_commit_seconds", "", &stats->commit);
	ipl_metric_family(out, "ipledger_fsync_seconds", "histogram",
			  "Of a commit: writing to the log and syncing it");
	ipl_metric_histogram_ns(out, "ipledger_fsync_seconds", "", &stats->disk);
	ipl_metric_family(out, "ipledger_batch_events", "histogram", "Events in a commit");
	ipl_metric_histogram_count(out, "ipledger_batch_events", "", &stats->batch);
	ipl_metric_one(out, "ipledger_commits_failed_total", "counter", "Commits that failed",
		       (double)stats->commits_failed);
	ipl_metric_one(out, "ipledger_appends_work", "gauge",
		       "1 where the last commit was kept, 0 where it failed",
		       stats->is_failing ? 0 : 1);
}

static void write_log(struct ipl_engine *engine, struct ipl_buf *out)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_store_stat stat;

	ipl_metric_one(out, "ipledger_head_seq", "gauge", "Seq of the last event",
		       (double)ipl_engine_head(engine));
	ipl_metric_one(out, "ipledger_durable_seq", "gauge", "Seq of the last event on disk",
		       (double)ipl_engine_durable_seq(engine));
	ipl_metric_one(out, "ipledger_head_time_seconds", "gauge", "Time of the last event",
		       (double)ipl_state_time_ms(engine->state) / 1000);
	if (ipl_store_stat(engine->store, &stat, &err) != IPL_OK)
		return; /* no number is better than a wrong one */
	ipl_metric_one(out, "ipledger_store_file_bytes", "gauge", "Size of the log's file",
		       (double)stat.file_bytes);
	ipl_metric_one(out, "ipledger_store_used_bytes", "gauge",
		       "Pages that LMDB has in use, in bytes", (double)stat.used_bytes);
	ipl_metric_one(out, "ipledger_store_map_bytes", "gauge",
		       "Size of LMDB's memory map, which grows when it is full",
		       (double)stat.map_bytes);
	ipl_metric_one(out, "ipledger_store_page_bytes", "gauge", "Size of one of LMDB's pages",
		       (double)stat.page_bytes);
	ipl_metric_one(out, "ipledger_store_disk_free_bytes", "gauge",
		       "Free space of the log's file system", (double)stat.free_bytes);
}

static void write_entities(const struct ipl_engine *engine, struct ipl_buf *out)
{
	ipl_metric_family(out, "ipledger_entities", "gauge", "Entities that live, by kind");
	for (int kind = 1; kind < IPL_KIND_COUNT; kind++)
		ipl_buf_printf(out, "ipledger_entities{kind=\"%s\"} %" PRIu64 "\n",
			       ipl_kind_name((enum ipl_kind)kind),
			       ipl_state_count(engine->state, (enum ipl_kind)kind));
}

static void write_space(struct ipl_buf *out, const char *what, const char *name,
			const uint64_t count[3])
{
	static const char *const states[] = { "free", "used", "cooling" };

	for (size_t i = 0; i < 3; i++)
		ipl_buf_printf(out, "ipledger_%s_addresses{%s=\"%s\",state=\"%s\"} %" PRIu64 "\n",
			       what, what, name, states[i], count[i]);
}

/* IPv4 addresses of one vSwitch: free, used, cooling. */
static void count_vswitch(const struct ipl_vswitch *vswitch, int64_t now_ms, uint64_t count[3])
{
	int64_t next_ms;
	uint64_t all = ipl_cidr4_size(vswitch->cidr) - IPL_RESERVED_FIRST - IPL_RESERVED_LAST;

	count[1] = vswitch->used;
	count[2] = ipl_vswitch_cooling(vswitch, now_ms, &next_ms);
	count[0] = all - count[1] - count[2];
}

static void write_vswitches(const struct ipl_engine *engine, int64_t now_ms, struct ipl_buf *out)
{
	const struct ipl_state *state = engine->state;
	uint64_t shown = 0, left_out = 0, least = 0;

	ipl_metric_family(out, "ipledger_vswitch_addresses", "gauge",
			  "IPv4 addresses of a vSwitch; of the first 1000 that live");
	for (uint64_t n = 0; (n = ipl_state_next(state, IPL_KIND_VSWITCH, n)) != 0;) {
		char id[IPL_ID_TEXT_MAX];
		uint64_t count[3];
		count_vswitch(ipl_state_vswitch(state, n), now_ms, count);
		if (shown == VSWITCHES_MAX) {
			least = left_out == 0 || count[0] < least ? count[0] : least;
			left_out++;
			continue;
		}
		ipl_id_format(engine->letters, IPL_KIND_VSWITCH, n, id);
		write_space(out, "vswitch", id, count);
		shown++;
	}
	ipl_metric_one(out, "ipledger_vswitches_left_out", "gauge",
		       "vSwitches beyond the 1000 that ipledger_vswitch_addresses shows",
		       (double)left_out);
	if (left_out > 0)
		ipl_metric_one(out, "ipledger_vswitches_left_out_least_free", "gauge",
			       "Free IPv4 addresses of the fullest vSwitch of those left out",
			       (double)least);
}

static void write_pools(const struct ipl_engine *engine, int64_t now_ms, struct ipl_buf *out)
{
	const struct ipl_state *state = engine->state;
	uint64_t listed[POOLS_MAX] = { 0 }, cooling[POOLS_MAX] = { 0 };
	uint32_t pools = ipl_state_pool_count(state);

	pools = pools < POOLS_MAX ? pools : POOLS_MAX; /* the settings hold no more */
	ipl_state_pools_cooling(state, now_ms, pools, listed, cooling);
	ipl_metric_family(out, "ipledger_pool_addresses", "gauge", "Addresses of a public pool");
	for (uint32_t i = 0; i < pools; i++) {
		const struct ipl_block *pool = ipl_state_pool(state, i);
		uint64_t all = ipl_cidr4_size(pool->cidr) - 2 * IPL_POOL_RESERVED;
		/* What has cooled down stays listed until the next write looks at the clock. */
		uint64_t used = all - pool->free_count - listed[i];
		const uint64_t count[3] = { all - used - cooling[i], used, cooling[i] };
		char name[IPL_CIDR4_TEXT_MAX];
		ipl_cidr4_format(pool->cidr, name);
		write_space(out, "pool", name, count);
	}
}

void ipl_engine_write_metrics(struct ipl_engine *engine, int64_t now_ms, struct ipl_buf *out)
{
	write_calls(&engine->stats, out);
	write_codes(&engine->stats, out);
	write_histograms(&engine->stats, out);
	if (engine->state == NULL)
		return; /* it is being folded again; no number is better than a wrong one */
	write_log(engine, out);
	write_entities(engine, out);
	write_vswitches(engine, now_ms, out);
	write_pools(engine, now_ms, out);
}
