/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given: a log that is long enough for two threads, gone through by one and by two.
 * Claimed: both hand over the same events in order, each to `early` before it is handed
 * to `fn`, and come to the same state; and wherever the pass ends, by what it says, by a
 * record that is damaged or by a log that cannot be read, it ends there and says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/pass.h"
#include "tests/lab.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define EVENTS 30000u
#define STOP   21017u /* where it is ended: in the middle of a batch */
#define NEVER  UINT64_MAX

static struct lab lab;

struct seen {
	struct ipl_state *state;
	_Atomic uint64_t early; /* the last event that `early` was called for */
	uint64_t last;
	/* Where what happens. */
	uint64_t early_fails, fn_fails, enough, record_is_cut, scan_fails;
};

static enum ipl_status on_early(void *context, const struct ipl_passed *passed,
				struct ipl_error *err)
{
	struct seen *seen = context;

	if (passed->ev.seq == seen->early_fails)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "early says no");
	assert_int_equal(passed->ev.seq, seen->early + 1);
	seen->early = passed->ev.seq;
	return IPL_OK;
}

static enum ipl_status on_event(void *context, const struct ipl_passed *passed,
				struct ipl_error *err)
{
	struct seen *seen = context;
	struct ipl_str record = lab.record[passed->ev.seq - 1];

	assert_int_equal(passed->ev.seq, seen->last + 1);
	assert_true(seen->early >= passed->ev.seq);
	assert_true(ipl_str_equal(passed->record, record));
	if (passed->ev.seq == seen->fn_fails)
		return ipl_error_set(err, IPL_ERR_NOMEM, "fn says no");
	seen->last = passed->ev.seq;
	if (passed->ev.seq == seen->enough)
		return IPL_ERR_END;
	return ipl_reduce(seen->state, &passed->ev, &passed->touches, err);
}

/* --- a log with a fault --- */

struct through {
	const struct seen *seen;
	ipl_record_fn fn;
	void *context;
};

static enum ipl_status one_record(void *context, uint64_t seq, struct ipl_str record,
				  struct ipl_error *err)
{
	const struct through *through = context;

	if (seq == through->seen->scan_fails)
		return ipl_error_set(err, IPL_ERR_IO, "the disk says no");
	if (seq == through->seen->record_is_cut)
		record.len /= 2;
	return through->fn(through->context, seq, record, err);
}

static enum ipl_status scan(void *context, uint64_t from, uint64_t to, ipl_record_fn fn,
			    void *fn_context, struct ipl_error *err)
{
	struct through through = { context, fn, fn_context };
	const struct ipl_records whole = lab_records(&lab);

	return whole.scan(whole.context, from, to, one_record, &through, err);
}

static enum ipl_status go(struct seen *seen, bool has_one_thread, struct ipl_error *err)
{
	struct ipl_records records = { .context = seen,
				       .scan = scan,
				       .has_one_thread = has_one_thread };
	enum ipl_status st;

	seen->state = ipl_state_new();
	assert_non_null(seen->state);
	*err = (struct ipl_error)IPL_ERROR_INIT(NULL);
	st = ipl_pass_go(&(struct ipl_pass){ .records = &records,
					     .from = 1,
					     .to = EVENTS,
					     .early = on_early,
					     .fn = on_event,
					     .context = seen,
					     .state = seen->state },
			 err);
	return st;
}

/* --- the tests --- */

static void test_whole(void **state)
{
	struct ipl_error err;

	(void)state;
	for (int one = 0; one < 2; one++) {
		struct seen seen = { .last = 0 };
		assert_int_equal(go(&seen, one != 0, &err), IPL_OK);
		assert_int_equal(seen.last, EVENTS);
		assert_true(lab_same_state(seen.state, lab.state));
		ipl_state_free(seen.state);
	}
}

static void check(struct seen seen, enum ipl_status wanted, uint64_t last, const char *text)
{
	for (int one = 0; one < 2; one++) {
		struct ipl_error err;
		struct seen mine = seen;
		assert_int_equal(go(&mine, one != 0, &err), wanted);
		assert_int_equal(mine.last, last);
		assert_non_null(strstr(err.text, text));
		ipl_state_free(mine.state);
	}
}

static void test_ends(void **state)
{
	(void)state;
	check((struct seen){ .enough = STOP }, IPL_OK, STOP, "");
	check((struct seen){ .fn_fails = STOP }, IPL_ERR_NOMEM, STOP - 1, "fn says no");
	check((struct seen){ .early_fails = STOP }, IPL_ERR_CORRUPT, STOP - 1, "early says no");
	check((struct seen){ .record_is_cut = STOP }, IPL_ERR_CORRUPT, STOP - 1, "event");
	check((struct seen){ .scan_fails = STOP }, IPL_ERR_IO, STOP - 1, "the disk says no");
	/* Who folds says so first, though who reads met something before. */
	check((struct seen){ .enough = STOP - 20, .record_is_cut = STOP }, IPL_OK, STOP - 20, "");
}

static int make_log(void **state)
{
	char vswitch[IPL_ID_TEXT_MAX], eni[IPL_ID_TEXT_MAX];

	(void)state;
	lab_open(&lab, NULL);
	lab.is_quick = true;
	assert_int_equal(lab_call(&lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/8\"}"), IPL_OK);
	assert_int_equal(lab_call(&lab, "CreateVSwitch",
				  "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\","
				  "\"CidrBlock\":\"10.1.0.0/16\"}",
				  lab_text(&lab, "VpcId")),
			 IPL_OK);
	(void)snprintf(vswitch, sizeof(vswitch), "%s", lab_text(&lab, "VSwitchId"));
	while (lab.count < EVENTS) {
		assert_int_equal(
			lab_call(&lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", vswitch),
			IPL_OK);
		(void)snprintf(eni, sizeof(eni), "%s", lab_text(&lab, "NetworkInterfaceId"));
		if (lab.count % 3 != 0 || lab.count == EVENTS)
			continue;
		assert_int_equal(lab_call(&lab, "DeleteNetworkInterface",
					  "{\"NetworkInterfaceId\":\"%s\"}", eni),
				 IPL_OK);
		lab.time_ms += 500;
	}
	assert_int_equal(lab.count, EVENTS);
	return 0;
}

static int free_log(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, make_log, free_log);
}
