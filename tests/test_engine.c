/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: the engine on a disk that refuses a commit on demand.
 * Claimed: answers wait for exactly what they tell of; what waited for a commit that fails is not
 * kept, the state is that of the log again, and the next append works; reads of the past are done
 * by others meanwhile, from what the disk has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/engine.h"
#include "server/metrics.h"

#include <lmdb.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int commits_until_failure; /* 0: none fails */

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	if (commits_until_failure == 0 || --commits_until_failure > 0)
		return __real_mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return EIO;
}

struct desk {
	char dir[64];
	struct ipl_engine *engine;
	struct ipl_arena arena;
	struct ipl_error err;
	int64_t now_ms;
	uint8_t calls;
};

static void open_desk(struct desk *desk)
{
	if (ipl_engine_open(desk->dir, IPL_ENGINE_SERVE, NULL, desk->now_ms, &desk->engine,
			    &desk->err) != IPL_OK)
		fail_msg("%s", desk->err.text);
}

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	(void)snprintf(desk->dir, sizeof(desk->dir), "/tmp/ipl-engine-XXXXXX");
	assert_non_null(mkdtemp(desk->dir));
	desk->err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	desk->now_ms = 1700000000000;
	ipl_arena_init(&desk->arena, (size_t)64 << 20);
	commits_until_failure = 0;
	open_desk(desk);
	*state = desk;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "log.mdb", "log.mdb-lock", "lock" };
	struct desk *desk = *state;
	char path[128];

	ipl_engine_close(desk->engine);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", desk->dir, files[i]);
		unlink(path);
	}
	rmdir(desk->dir);
	ipl_arena_release(&desk->arena);
	free(desk);
	return 0;
}

static struct ipl_answer call(struct desk *desk, const char *operation, const char *name,
			      const char *value)
{
	struct ipl_value params = ipl_map();
	struct ipl_call c = {
		.operation = ipl_str_of(operation),
		.params = &params,
		.principal = IPL_STR("uid:0"),
		.now_ms = ++desk->now_ms,
	};
	struct ipl_answer answer;

	ipl_arena_reset(&desk->arena);
	if (name != NULL)
		ipl_map_add(&desk->arena, &params, name, ipl_text_of(value));
	c.request_id[0] = ++desk->calls;
	ipl_engine_call(desk->engine, &c, &desk->arena, &answer);
	return answer;
}

static struct ipl_answer create(struct desk *desk)
{
	return call(desk, "CreateVpc", "CidrBlock", "10.0.0.0/16");
}

static int64_t vpc_count(struct desk *desk)
{
	struct ipl_answer answer = call(desk, "DescribeVpcs", NULL, NULL);

	assert_int_equal(answer.status, IPL_OK);
	return ipl_map_get(&answer.result, "TotalCount")->integer;
}

static void test_answers_wait(void **state)
{
	struct desk *desk = *state;
	struct ipl_answer answer = create(desk);

	assert_int_equal(answer.status, IPL_OK);
	assert_int_equal(answer.wait_seq, 2);
	assert_int_equal(ipl_engine_durable_seq(desk->engine), 1);
	/* A read and a refusal saw what is not durable yet: they wait for it too. */
	assert_int_equal(call(desk, "DescribeVpcs", NULL, NULL).wait_seq, 2);
	assert_int_equal(call(desk, "DeleteVpc", "VpcId", "vpc-x").wait_seq, 2);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
	assert_int_equal(ipl_engine_durable_seq(desk->engine), 2);
}

static void test_failed_commit(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(create(desk).status, IPL_OK);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(create(desk).status, IPL_OK);
	commits_until_failure = 1;
	ipl_engine_flush(desk->engine);
	/* Decided on top of a batch that fails: it falls with it. */
	assert_int_equal(create(desk).status, IPL_OK);
	assert_int_equal(vpc_count(desk), 5);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_ERR_IO);
	assert_int_equal(ipl_engine_durable_seq(desk->engine), 2);
	assert_int_equal(vpc_count(desk), 1);
	assert_int_equal(create(desk).wait_seq, 3);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
	assert_int_equal(vpc_count(desk), 2);
	ipl_engine_close(desk->engine);
	open_desk(desk);
	assert_int_equal(vpc_count(desk), 2);
	assert_int_equal(ipl_engine_durable_seq(desk->engine), 3);
}

/* Whether appends work is known from the last one; a disk that is well again shows by itself. */
static void test_check(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(ipl_engine_check(desk->engine, 5000, &desk->err), IPL_OK);
	assert_int_equal(create(desk).status, IPL_OK);
	commits_until_failure = 1;
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_ERR_IO);
	commits_until_failure = 1;
	assert_int_equal(ipl_engine_check(desk->engine, 5000, &desk->err), IPL_ERR_IO);
	assert_non_null(strstr(desk->err.text, "nothing can be appended"));
	/* Not tried again within a second, however often it is asked. */
	assert_int_equal(ipl_engine_check(desk->engine, 5999, &desk->err), IPL_ERR_IO);
	assert_int_equal(ipl_engine_check(desk->engine, 6000, &desk->err), IPL_OK);
	assert_int_equal(create(desk).wait_seq, 2);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
}

static uint64_t number_of(const struct ipl_buf *text, const char *sample)
{
	const char *at = strstr((const char *)text->at, sample);

	assert_non_null(at);
	return strtoull(at + strlen(sample), NULL, 10);
}

/* Each call is counted once, by what it came to; commits and what they held too. */
static void test_counts(void **state)
{
	struct desk *desk = *state;
	struct ipl_buf text = { 0 };

	for (int i = 0; i < 3; i++)
		assert_int_equal(create(desk).status, IPL_OK);
	assert_int_equal(call(desk, "DeleteVpc", "VpcId", "vpc-x").status, IPL_REFUSED);
	assert_int_equal(call(desk, "MakeCoffee", NULL, NULL).status, IPL_REFUSED);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
	assert_int_equal(create(desk).status, IPL_OK);
	commits_until_failure = 1;
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_ERR_IO);
	ipl_engine_write_metrics(desk->engine, desk->now_ms, &text);
	ipl_buf_append(&text, "", 1);
	assert_false(text.failed);
	assert_int_equal(number_of(&text, "{operation=\"CreateVpc\",outcome=\"ok\"} "), 4);
	assert_int_equal(number_of(&text, "{operation=\"DeleteVpc\",outcome=\"refused\"} "), 1);
	assert_int_equal(number_of(&text, "{operation=\"DeleteVpc\",outcome=\"ok\"} "), 0);
	assert_int_equal(number_of(&text, "{operation=\"unknown\",outcome=\"refused\"} "), 1);
	assert_int_equal(number_of(&text, "{code=\"InvalidVpcId.NotFound\"} "), 1);
	assert_int_equal(number_of(&text, "\nipledger_batch_events_bucket{le=\"1\"} "), 1);
	assert_int_equal(number_of(&text, "\nipledger_batch_events_bucket{le=\"4\"} "), 2);
	assert_int_equal(number_of(&text, "\nipledger_batch_events_count{} "), 2);
	assert_int_equal(number_of(&text, "\nipledger_commits_failed_total "), 1);
	assert_int_equal(number_of(&text, "\nipledger_appends_work "), 0);
	assert_int_equal(number_of(&text, "{kind=\"Vpc\"} "), 3);
	ipl_buf_release(&text);
}

/* The borders of buckets: what is at most the bound is in it. */
static void test_histogram(void **state)
{
	struct ipl_histogram h = { .sum = 0 };

	(void)state;
	ipl_histogram_add(&h, 0, 0);
	ipl_histogram_add(&h, 1, 0);
	ipl_histogram_add(&h, 2, 0);
	ipl_histogram_add(&h, 3, 0);
	ipl_histogram_add(&h, 4, 0);
	ipl_histogram_add(&h, 5, 0);
	assert_int_equal(h.bucket[0], 2);
	assert_int_equal(h.bucket[1], 1);
	assert_int_equal(h.bucket[2], 2);
	assert_int_equal(h.bucket[3], 1);
	ipl_histogram_add(&h, UINT64_C(1) << (IPL_HISTOGRAM_BUCKETS - 1), 0);
	ipl_histogram_add(&h, (UINT64_C(1) << (IPL_HISTOGRAM_BUCKETS - 1)) + 1, 0);
	ipl_histogram_add(&h, UINT64_MAX, 0);
	assert_int_equal(h.bucket[IPL_HISTOGRAM_BUCKETS - 1], 1);
	assert_int_equal(h.bucket[IPL_HISTOGRAM_BUCKETS], 2);
	h = (struct ipl_histogram){ .sum = 0 };
	ipl_histogram_add_ns(&h, 1024);
	ipl_histogram_add_ns(&h, 1025);
	ipl_histogram_add_ns(&h, -5);
	assert_int_equal(h.bucket[0], 2);
	assert_int_equal(h.bucket[1], 1);
	assert_int_equal(h.sum, 2049);
}

static void test_token_of_what_was_lost(void **state)
{
	struct desk *desk = *state;

	commits_until_failure = 1;
	assert_int_equal(call(desk, "AllocateEipAddress", "ClientToken", "t").wait_seq, 2);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_ERR_IO);
	/* The retry is a first time. */
	assert_int_equal(call(desk, "AllocateEipAddress", "ClientToken", "t").wait_seq, 2);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
	assert_int_equal(call(desk, "AllocateEipAddress", "ClientToken", "t").wait_seq, 2);
	assert_int_equal(ipl_engine_durable_seq(desk->engine), 2);
}

static void test_reading_engine(void **state)
{
	struct desk *desk = *state;
	struct ipl_answer answer;

	assert_int_equal(create(desk).status, IPL_OK);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
	ipl_engine_close(desk->engine);
	assert_int_equal(ipl_engine_open(desk->dir, IPL_ENGINE_READ, NULL, desk->now_ms,
					 &desk->engine, &desk->err),
			 IPL_OK);
	assert_int_equal(vpc_count(desk), 1);
	answer = create(desk);
	assert_int_equal(answer.status, IPL_ERR_IO);
	assert_non_null(strstr(answer.err.text, "running server"));
}

static struct ipl_answer ask_as_of(struct desk *desk, const char *operation, int64_t seq,
				   struct ipl_job **job)
{
	struct ipl_value params = ipl_map();
	struct ipl_call c = {
		.operation = ipl_str_of(operation),
		.params = &params,
		.principal = IPL_STR("uid:0"),
		.now_ms = ++desk->now_ms,
		.job = job,
	};
	struct ipl_answer answer;

	ipl_arena_reset(&desk->arena);
	if (seq >= 0)
		ipl_map_add(&desk->arena, &params, "AsOf", ipl_int(seq));
	ipl_engine_call(desk->engine, &c, &desk->arena, &answer);
	return answer;
}

/* Until a job is done, as the loop waits for it. */
static struct ipl_answer wait_for(struct desk *desk, const char *operation, struct ipl_job **job)
{
	struct pollfd fd = { .fd = ipl_engine_fd(desk->engine), .events = POLLIN };
	struct ipl_answer answer;

	while (!ipl_engine_is_done(*job)) {
		assert_int_equal(poll(&fd, 1, 20000), 1);
		(void)!ipl_engine_collect(desk->engine, &desk->err);
	}
	answer = ask_as_of(desk, operation, -1, job);
	assert_false(answer.is_deferred);
	assert_null(*job);
	return answer;
}

static int64_t total(const struct ipl_answer *answer)
{
	assert_int_equal(answer->status, IPL_OK);
	return ipl_map_get(&answer->result, "TotalCount")->integer;
}

/* Those who ask for the past wait; everybody else goes on. */
static void test_jobs(void **state)
{
	struct desk *desk = *state;
	struct ipl_job *first = NULL, *second = NULL, *third = NULL;
	struct ipl_answer answer;

	for (int i = 0; i < 15000; i++)
		assert_int_equal(create(desk).status, IPL_OK);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
	assert_true(ask_as_of(desk, "DescribeVpcs", 14001, &first).is_deferred);
	assert_true(ask_as_of(desk, "DescribeVpcs", 13001, &second).is_deferred);
	assert_int_equal(create(desk).status, IPL_OK);
	assert_int_equal(vpc_count(desk), 15001);
	assert_true(ask_as_of(desk, "GetStateHash", 12001, &third).is_deferred);
	ipl_engine_forget(third); /* who asked has gone */
	answer = wait_for(desk, "DescribeVpcs", &second);
	assert_int_equal(total(&answer), 13000);
	assert_non_null(ipl_map_get(&answer.result, "RequestId"));
	answer = wait_for(desk, "DescribeVpcs", &first);
	assert_int_equal(total(&answer), 14000);
	/* Without a job it is done at once. */
	answer = ask_as_of(desk, "DescribeVpcs", 11, NULL);
	assert_int_equal(total(&answer), 10);
	/* What asks for little is not handed over. */
	assert_false(ask_as_of(desk, "Ping", 14001, &first).is_deferred);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
}

/* A job begins when the disk has what it reads; if the disk refuses that, the job fails too. */
static void test_jobs_wait_for_the_disk(void **state)
{
	struct desk *desk = *state;
	struct ipl_job *lost = NULL, *kept = NULL;
	struct ipl_answer answer;

	for (int i = 0; i < 3; i++)
		assert_int_equal(create(desk).status, IPL_OK);
	assert_true(ask_as_of(desk, "DescribeVpcs", 3, &kept).is_deferred);
	usleep(20000);
	assert_false(ipl_engine_is_done(kept));
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_OK);
	answer = wait_for(desk, "DescribeVpcs", &kept);
	assert_int_equal(total(&answer), 2);
	assert_true(answer.wait_seq <= ipl_engine_durable_seq(desk->engine));

	for (int i = 0; i < 3; i++)
		assert_int_equal(create(desk).status, IPL_OK);
	commits_until_failure = 1;
	assert_true(ask_as_of(desk, "ListEvents", -1, &lost).is_deferred);
	assert_true(ask_as_of(desk, "DescribeVpcs", 2, &kept).is_deferred);
	assert_int_equal(ipl_engine_settle(desk->engine, &desk->err), IPL_ERR_IO);
	answer = wait_for(desk, "ListEvents", &lost);
	assert_int_equal(answer.status, IPL_ERR_IO);
	assert_non_null(strstr(answer.err.text, "could not be kept"));
	answer = wait_for(desk, "DescribeVpcs", &kept);
	assert_int_equal(total(&answer), 1);
	assert_int_equal(vpc_count(desk), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_commit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test_setup_teardown(test_token_of_what_was_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_jobs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_jobs_wait_for_the_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reading_engine, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
