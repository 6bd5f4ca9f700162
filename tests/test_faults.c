/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a ledger that is made, works through a list of calls of every sort, is closed and opened
 * again; and for each n the n-th allocation, call of LMDB, or write, sync or open of a file that
 * fails, in whatever thread it is. Claimed: a call that fails is answered with a code of the
 * contract and a sentence, and has done nothing; asked again it works, without a restart; what was
 * acknowledged is there afterwards, once, and nothing else; what is served is what a fold of the
 * log comes to; nothing leaks. Where a start fails, it says why, and the next one works.
 *
 * IPL_FAULTS=all does every n (else every few-th of the allocations), IPL_FAULT_PLAN=NAME one plan,
 * IPL_FAULT_N=N one n.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/json.h"
#include "replay/verify.h"
#include "server/engine.h"
#include "tests/disk.h"
#include "tests/fail.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTEMPTS_MAX  60
#define PATIENCE_US   50000
#define MEMORY_STRIDE 7 /* of the allocations so many-th is tried, from a place that differs */
#define NOW_MS        1700000000000

#define KEPT(op, text, path, name)          \
	{                                   \
		op, text, path, name, false \
	}
#define DONE(op, text)                   \
	{                                \
		op, text, NULL, 0, false \
	}
#define REFUSED(op, text)               \
	{                               \
		op, text, NULL, 0, true \
	}

/* With ASan: nothing of a run may be left over. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

struct step {
	const char *operation;
	const char *params; /* $x: what was kept as x */
	const char *path;   /* of what is kept of the result, or NULL */
	char name;          /* as what */
	bool is_refused;
};

/* clang-format off */
static const struct step steps[] = {
	KEPT("CreateVpc", "{\"CidrBlock\":\"10.0.0.0/8\",\"ClientToken\":\"1\"}", "VpcId", 'v'),
	KEPT("CreateVSwitch",
	  "{\"VpcId\":\"$v\",\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":\"10.1.0.0/16\","
	  "\"ClientToken\":\"2\"}",
	  "VSwitchId", 's'),
	KEPT("RunInstances",
	  "{\"VSwitchId\":\"$s\",\"InstanceType\":\"ecs.g6.large\",\"Amount\":40,"
	  "\"ClientToken\":\"3\"}",
	  "InstanceIdSets.InstanceIdSet", 'i'),
	KEPT("AllocateEipAddress", "{\"ClientToken\":\"4\"}", "AllocationId", 'e'),
	REFUSED("DeleteVpc", "{\"VpcId\":\"$v\"}"),
	DONE("AssociateEipAddress",
	  "{\"AllocationId\":\"$e\",\"InstanceId\":\"$i\",\"ClientToken\":\"5\"}"),
	KEPT("CreateNetworkInterface", "{\"VSwitchId\":\"$s\",\"ClientToken\":\"6\"}",
	  "NetworkInterfaceId", 'n'),
	DONE("AssignPrivateIpAddresses",
	  "{\"NetworkInterfaceId\":\"$n\",\"SecondaryPrivateIpAddressCount\":5,"
	  "\"ClientToken\":\"7\"}"),
	REFUSED("CreateVSwitch",
	  "{\"VpcId\":\"$v\",\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":\"10.1.2.0/24\"}"),
	DONE("Transact",
	  "{\"Operations\":[{\"Operation\":\"CreateNetworkInterface\",\"Params\":{\"VSwitchId\":"
	  "\"$s\"}},{\"Operation\":\"DeleteNetworkInterface\",\"Params\":{\"NetworkInterfaceId\":"
	  "\"$$1.NetworkInterfaceId\"}}],\"ClientToken\":\"8\"}"),
	DONE("DescribeNetworkInterfaces", "{\"VSwitchId\":\"$s\"}"),
	DONE("DescribeInstances", "{\"AsOf\":4}"),
	DONE("ListEvents", "{\"FromSeq\":2}"),
	DONE("ListRefusals", "{}"),
	DONE("GetHistory", "{\"Id\":\"$n\"}"),
	DONE("DiffState", "{\"From\":3,\"To\":8}"),
	DONE("ListAddresses", "{\"CidrBlock\":\"10.1.0.0/24\"}"),
	DONE("GetStateHash", "{\"AsOf\":5}"),
	DONE("GetInclusionProof", "{\"Seq\":3}"),
	DONE("GetConsistencyProof", "{\"From\":3,\"To\":7}"),
	DONE("UnassociateEipAddress",
	  "{\"AllocationId\":\"$e\",\"InstanceId\":\"$i\",\"ClientToken\":\"9\"}"),
	DONE("ReleaseEipAddress", "{\"AllocationId\":\"$e\",\"ClientToken\":\"10\"}"),
	DONE("ModifyLedgerSettings", "{\"ReuseDelaySeconds\":5,\"ClientToken\":\"11\"}"),
	DONE("GetStatus", "{}"),
};
/* clang-format on */

#define STEPS IPL_ARRAY_SIZE(steps)

struct desk {
	char dir[64];
	struct ipl_engine *engine;
	struct ipl_arena arena;
	struct ipl_error err;
	char kept[128][64];
	int64_t seq[STEPS]; /* that it was answered with; 0: with none */
	int64_t now_ms;
	uint64_t events; /* that all steps come to */
	bool may_fail;   /* a call has been made to fail, or is going to be */
	unsigned long points, failures, starts, unknown;
};

/* --- the directory --- */

static int remove_one(const char *path, const struct stat *file, int type, struct FTW *place)
{
	(void)file;
	(void)type;
	return place->level == 0 ? 0 : remove(path);
}

static void empty_dir(const struct desk *desk)
{
	assert_int_equal(nftw(desk->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- what may be said --- */

/* A failure: of a kind that a client can act on, with a sentence. */
static void check_failure(struct desk *desk, const struct ipl_error *err, enum ipl_status st)
{
	if (!desk->may_fail || err->status != st || err->text[0] == '\0' ||
	    (st != IPL_ERR_NOMEM && st != IPL_ERR_IO && st != IPL_ERR_OUTCOME))
		fail_msg("status %d (%d): %s", (int)st, (int)err->status, err->text);
	desk->failures++;
	desk->unknown += st == IPL_ERR_OUTCOME;
}

static void open_engine(struct desk *desk)
{
	for (int i = 0; desk->engine == NULL; i++) {
		enum ipl_status st = ipl_engine_open(desk->dir, IPL_ENGINE_SERVE, NULL,
						     desk->now_ms, &desk->engine, &desk->err);
		assert_true(i < ATTEMPTS_MAX);
		if (st == IPL_OK)
			return;
		desk->engine = NULL;
		desk->starts++;
		check_failure(desk, &desk->err, st);
	}
}

/* --- one call --- */

static struct ipl_str expand(struct desk *desk, const char *text, char out[1024])
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (text[0] == '$' && text[1] >= 'a' && text[1] <= 'z') {
			len += (size_t)snprintf(out + len, 1024 - len, "%s",
						desk->kept[(size_t)text[1]]);
			text++;
		} else if (text[0] == '$' && text[1] == '$') {
			out[len++] = *++text;
		} else {
			out[len++] = *text;
		}
	}
	return (struct ipl_str){ out, len };
}

static void ask(struct desk *desk, const struct ipl_call *call, struct ipl_answer *answer)
{
	struct pollfd fd = { .fd = ipl_engine_fd(desk->engine), .events = POLLIN };

	ipl_engine_call(desk->engine, call, &desk->arena, answer);
	while (answer->is_deferred) {
		struct ipl_error err = IPL_ERROR_INIT(NULL);
		enum ipl_status st;
		ipl_engine_flush(desk->engine);
		assert_int_equal(poll(&fd, 1, 20000), 1);
		st = ipl_engine_collect(desk->engine, &err);
		if (st != IPL_OK && st != IPL_ERR_END)
			check_failure(desk, &err, st);
		if (ipl_engine_is_done(*call->job))
			ipl_engine_call(desk->engine, call, &desk->arena, answer);
	}
}

/* As a door does it: the answer counts when the disk has what it tells of. */
static enum ipl_status call_once(struct desk *desk, const struct step *step,
				 struct ipl_answer *answer)
{
	struct ipl_value params = ipl_nil();
	struct ipl_job *job = NULL;
	struct ipl_call call = {
		.operation = ipl_str_of(step->operation),
		.params = &params,
		.principal = IPL_STR("uid:0"),
		.now_ms = ++desk->now_ms,
		.job = &job,
	};
	char text[1024];
	enum ipl_status st;

	ipl_arena_reset(&desk->arena);
	desk->err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	st = ipl_json_parse(&desk->arena, expand(desk, step->params, text), &params, &desk->err);
	if (st != IPL_OK) /* of the test's own doing, where memory is short */
		return desk->may_fail ? IPL_ERR_NOMEM : st;
	ask(desk, &call, answer);
	st = ipl_engine_settle(desk->engine, &desk->err);
	if (st != IPL_OK)
		check_failure(desk, &desk->err, st);
	else if (answer->wait_seq > ipl_engine_durable_seq(desk->engine))
		fail_msg("%s waits for %llu", step->operation,
			 (unsigned long long)answer->wait_seq);
	return st;
}

static void keep(struct desk *desk, const struct step *step, const struct ipl_value *result)
{
	char path[64], *part = path, *dot;

	(void)snprintf(path, sizeof(path), "%s", step->path);
	do {
		dot = strchr(part, '.');
		if (dot != NULL)
			*dot = '\0';
		result = ipl_map_get(result, part);
		assert_non_null(result);
		part = dot == NULL ? NULL : dot + 1;
	} while (part != NULL);
	if (result->type == IPL_VALUE_ARRAY)
		result = &result->item[0];
	(void)snprintf(desk->kept[(size_t)step->name], 64, "%.*s", IPL_STR_ARG(result->str));
}

/* Until it is answered as it must be; a failure changes nothing. */
static void do_step(struct desk *desk, size_t i)
{
	const struct step *step = &steps[i];

	for (int attempt = 0;; attempt++) {
		uint64_t before = ipl_engine_durable_seq(desk->engine);
		struct ipl_answer answer = { .status = IPL_OK };
		enum ipl_status st = call_once(desk, step, &answer);
		if (attempt == ATTEMPTS_MAX)
			fail_msg("%s never works again: %s; %s", step->operation, desk->err.text,
				 answer.err.text);
		if (st == IPL_OK && answer.status == IPL_OK) {
			const struct ipl_value *seq = ipl_map_get(&answer.result, "Seq");
			if (step->is_refused)
				fail_msg("%s is not refused", step->operation);
			if (step->path != NULL)
				keep(desk, step, &answer.result);
			desk->seq[i] = seq == NULL || strstr(step->params, "ClientToken") == NULL ?
					       0 :
					       seq->integer;
			return;
		}
		if (st == IPL_OK && answer.status == IPL_REFUSED && step->is_refused)
			return;
		if (st == IPL_OK)
			check_failure(desk, &answer.err, answer.status);
		if (st != IPL_ERR_OUTCOME && ipl_engine_durable_seq(desk->engine) != before)
			fail_msg("%s failed (%s) and was done", step->operation, answer.err.text);
		if (attempt > 0)
			usleep(PATIENCE_US);
	}
}

/* --- what must be so at the end --- */

static void hash_of(struct desk *desk, struct ipl_engine *engine, char out[80])
{
	struct ipl_call call = { .operation = IPL_STR("GetStateHash"),
				 .principal = IPL_STR("uid:0"),
				 .now_ms = desk->now_ms };
	struct ipl_answer answer;

	ipl_arena_reset(&desk->arena);
	ipl_engine_call(engine, &call, &desk->arena, &answer);
	if (answer.status != IPL_OK)
		fail_msg("%s", answer.err.text);
	(void)snprintf(out, 80, "%.*s", IPL_STR_ARG(ipl_map_get(&answer.result, "Hash")->str));
}

static void check_end(struct desk *desk)
{
	const struct ipl_verify_options options = { .threads = 1 };
	struct ipl_verified verified;
	char served[80], folded[80];
	int64_t seq[STEPS];

	memcpy(seq, desk->seq, sizeof(seq));
	hash_of(desk, desk->engine, served);
	assert_int_equal(ipl_engine_durable_seq(desk->engine), desk->events);
	ipl_engine_close(desk->engine);
	desk->engine = NULL;
	if (ipl_verify(desk->dir, &options, &verified, &desk->err) != IPL_OK)
		fail_msg("%s", desk->err.text);
	open_engine(desk);
	hash_of(desk, desk->engine, folded);
	assert_string_equal(served, folded);
	for (size_t i = 0; i < STEPS; i++) {
		if (seq[i] == 0)
			continue;
		do_step(desk, i); /* a retry, which has its first answer */
		assert_int_equal(desk->seq[i], seq[i]);
	}
	assert_int_equal(ipl_engine_durable_seq(desk->engine), desk->events);
}

/* --- runs --- */

/* All steps; the engine is closed and opened in the middle. */
static void work_through(struct desk *desk)
{
	desk->now_ms = NOW_MS;
	memset(desk->seq, 0, sizeof(desk->seq));
	open_engine(desk);
	for (size_t i = 0; i < STEPS; i++) {
		if (i == STEPS / 2) {
			ipl_engine_close(desk->engine);
			desk->engine = NULL;
			open_engine(desk);
		}
		do_step(desk, i);
	}
}

struct plan {
	const char *name;
	enum fail_kind kind; /* FAIL_NONE: of the disk */
	int error;
	enum disk_fault how;
	int more; /* calls that fail after the first */
	int stride;
};

static void arm(const struct desk *desk, const struct plan *plan, int n)
{
	if (plan->kind != FAIL_NONE) {
		fail_at(plan->kind, n, plan->error);
		return;
	}
	disk_watch(desk->dir, ".mdb");
	disk_fail(n, plan->more, plan->how, plan->error);
}

static bool disarm(const struct plan *plan)
{
	bool failed = plan->kind != FAIL_NONE ? fail_happened() : disk_failed();

	fail_at(FAIL_NONE, 0, 0);
	disk_fail(0, 0, DISK_FAULT_ERROR, 0);
	disk_watch(NULL, NULL);
	return failed;
}

/* Whether the @n-th call was made, and so failed. */
static bool run(struct desk *desk, const struct plan *plan, int n)
{
	bool failed;

	desk->engine = NULL; /* a test that failed leaves its own behind */
	empty_dir(desk);
	desk->may_fail = true;
	arm(desk, plan, n);
	work_through(desk);
	failed = disarm(plan);
	desk->may_fail = false;
	check_end(desk);
	ipl_engine_close(desk->engine);
	desk->engine = NULL;
	ipl_arena_release(&desk->arena);
	if (__lsan_do_recoverable_leak_check != NULL && (n % 16 == 0 || !failed) &&
	    __lsan_do_recoverable_leak_check() != 0)
		fail_msg("%s: a leak in one of the 16 runs up to %d", plan->name, n);
	return failed;
}

static void run_all(struct desk *desk, const struct plan *plan)
{
	const char *all = getenv("IPL_FAULTS"), *one = getenv("IPL_FAULT_N");
	const char *only = getenv("IPL_FAULT_PLAN");
	int stride = all != NULL && strcmp(all, "all") == 0 ? 1 : plan->stride;
	int n = one != NULL ? (int)strtol(one, NULL, 10) : 1 + (int)(getpid() % stride);
	bool failed;

	if (only != NULL && strcmp(only, plan->name) != 0)
		return;
	desk->points = desk->failures = desk->starts = desk->unknown = 0;
	do {
		if (getenv("IPL_FAULT_SAY") != NULL)
			(void)fprintf(stderr, "# %s %d\n", plan->name, n);
		failed = run(desk, plan, n);
		desk->points += failed;
		n += stride;
	} while (failed && one == NULL);
	printf("# %s: %lu points of %d; %lu calls failed, %lu starts, %lu outcomes unknown\n",
	       plan->name, desk->points, n - stride - 1, desk->failures - desk->starts,
	       desk->starts, desk->unknown);
	assert_true(one != NULL || desk->points > 2);
}

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	const struct plan none = { .name = "none", .kind = FAIL_MEMORY };

	assert_non_null(desk);
	*state = desk;
	(void)snprintf(desk->dir, sizeof(desk->dir), "%s/ipl-faults-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(desk->dir));
	ipl_arena_init(&desk->arena, (size_t)64 << 20);
	fail_at(FAIL_NONE, 0, 0);
	work_through(desk); /* nothing fails: how many events it comes to */
	desk->events = ipl_engine_durable_seq(desk->engine);
	check_end(desk);
	ipl_engine_close(desk->engine);
	desk->engine = NULL;
	assert_false(run(desk, &none, 0));
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	empty_dir(desk);
	rmdir(desk->dir);
	ipl_arena_release(&desk->arena);
	free(desk);
	return 0;
}

/* --- tests --- */

static void test_memory(void **state)
{
	run_all(*state, &(struct plan){ "allocations", FAIL_MEMORY, .stride = MEMORY_STRIDE });
}

static void test_lmdb(void **state)
{
	run_all(*state, &(struct plan){ "LMDB calls, EIO", FAIL_LMDB, EIO, .stride = 1 });
}

static void test_lmdb_memory(void **state)
{
	run_all(*state, &(struct plan){ "LMDB calls, ENOMEM", FAIL_LMDB, ENOMEM, .stride = 3 });
}

/* It is there, as it would be after a failed write of the meta page that reached the disk. */
static void test_commits_that_took_place(void **state)
{
	run_all(*state,
		&(struct plan){ "commits that took place", FAIL_LMDB_COMMIT, EIO, .stride = 1 });
}

static void test_disk_errors(void **state)
{
	run_all(*state,
		&(struct plan){ "writes, syncs and opens, EIO", .error = EIO, .stride = 1 });
}

static void test_disk_full(void **state)
{
	run_all(*state, &(struct plan){ "the same, ENOSPC and half a write", .error = ENOSPC,
					.how = DISK_FAULT_SHORT, .stride = 1 });
}

static void test_disk_errors_too_late(void **state)
{
	run_all(*state, &(struct plan){ "the same, done and then EIO", .error = EIO,
					.how = DISK_FAULT_LATE, .stride = 1 });
}

/* The file cannot be opened again at once either: then it is not known what became of a write. */
static void test_disk_errors_in_a_row(void **state)
{
	run_all(*state,
		&(struct plan){ "four in a row, EIO", .error = EIO, .more = 3, .stride = 1 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_lmdb),
		cmocka_unit_test(test_lmdb_memory),
		cmocka_unit_test(test_commits_that_took_place),
		cmocka_unit_test(test_disk_errors),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_disk_errors_too_late),
		cmocka_unit_test(test_disk_errors_in_a_row),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
