/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger of COUNT events in DIR, for benches of what reads a log: interfaces in vSwitches /16,
 * with secondary addresses that come and go. It is appended in commits of BATCH events. make_log
 * DIR COUNT BATCH
 */
#include "store/store.h"
#include "tests/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ipl_store *store;
static struct ipl_batch batch;
static uint64_t appended;

static void must(enum ipl_status st, const struct ipl_error *err)
{
	if (st == IPL_OK)
		return;
	fprintf(stderr, "make_log: %s\n", err->text);
	exit(1);
}

static void append(struct lab *lab, uint64_t per_commit, bool is_last)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);

	for (; appended < lab->count; appended++)
		must(ipl_batch_add(&batch, lab->record[appended].at, lab->record[appended].len,
				   &err),
		     &err);
	if (batch.count < per_commit && !is_last)
		return;
	must(ipl_store_append(store, &batch, &err), &err);
	ipl_batch_reset(&batch, appended + 1);
}

static void call(struct lab *lab, const char *operation, const char *params)
{
	must(lab_call(lab, operation, "%s", params), &lab->err);
}

int main(int argc, char **argv)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct lab lab;
	char vpc[IPL_ID_TEXT_MAX], params[512];
	uint64_t count, per_commit;

	if (argc != 4)
		return 2;
	count = strtoull(argv[2], NULL, 10);
	per_commit = strtoull(argv[3], NULL, 10);
	must(ipl_store_open(argv[1], IPL_STORE_APPEND, &store, &err), &err);
	lab_open(&lab, NULL);
	ipl_batch_reset(&batch, 1);
	call(&lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/8\"}");
	(void)snprintf(vpc, sizeof(vpc), "%s", lab_text(&lab, "VpcId"));
	for (int block = 0; lab.count < count; block++) {
		char vswitch[IPL_ID_TEXT_MAX];
		(void)snprintf(params, sizeof(params),
			       "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\",\"CidrBlock\":\"10.%"
			       "d.0.0/16\"}",
			       vpc, block);
		call(&lab, "CreateVSwitch", params);
		(void)snprintf(vswitch, sizeof(vswitch), "%s", lab_text(&lab, "VSwitchId"));
		for (int i = 0; i < 20000 && lab.count < count; i++) {
			char eni[IPL_ID_TEXT_MAX];
			lab.time_ms += 3;
			(void)snprintf(params, sizeof(params), "{\"VSwitchId\":\"%s\"}", vswitch);
			call(&lab, "CreateNetworkInterface", params);
			(void)snprintf(eni, sizeof(eni), "%s",
				       lab_text(&lab, "NetworkInterfaceId"));
			(void)snprintf(params, sizeof(params),
				       "{\"NetworkInterfaceId\":\"%s\",\"PrivateIpAddress\":[\"10.%"
				       "d.255.%d\"]}",
				       eni, block, i % 250);
			call(&lab, "AssignPrivateIpAddresses", params);
			call(&lab, "UnassignPrivateIpAddresses", params);
			lab.time_ms += 1000; /* what cools down is free again */
			append(&lab, per_commit, false);
		}
	}
	append(&lab, per_commit, true);
	printf("%zu events\n", lab.count);
	ipl_batch_release(&batch);
	lab_close(&lab);
	ipl_store_close(store);
	return 0;
}
