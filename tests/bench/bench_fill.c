/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vSwitch /16 filled to its last address: time for each allocation (decide,
 * encode, decode, fold) in the first thousand and in the last, as a ratio.
 */
#include "tests/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESSES 65532
#define ROUNDS    5

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(struct lab *lab, enum ipl_status st)
{
	if (st == IPL_OK)
		return;
	fprintf(stderr, "bench_fill: %s\n", lab->err.text);
	exit(1);
}

/* Seconds for the first and for the last thousand allocations. */
static void fill(double *first, double *last)
{
	struct lab lab;
	char id[IPL_ID_TEXT_MAX];
	double begin = 0;

	lab_open(&lab, NULL);
	must(&lab, lab_call(&lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/8\"}"));
	(void)snprintf(id, sizeof(id), "%s", lab_text(&lab, "VpcId"));
	must(&lab, lab_call(&lab, "CreateVSwitch",
			    "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\","
			    "\"CidrBlock\":\"10.1.0.0/16\"}",
			    id));
	(void)snprintf(id, sizeof(id), "%s", lab_text(&lab, "VSwitchId"));
	for (int i = 0; i < ADDRESSES; i++) {
		if (i == 0 || i == ADDRESSES - 1000)
			begin = now_s();
		must(&lab, lab_call(&lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", id));
		if (i == 999)
			*first = now_s() - begin;
	}
	*last = now_s() - begin;
	if (lab_call(&lab, "CreateNetworkInterface", "{\"VSwitchId\":\"%s\"}", id) != IPL_REFUSED ||
	    strcmp(lab_code(&lab), "InvalidVSwitchId.IpNotEnough") != 0)
		must(&lab, IPL_ERR_CORRUPT);
	lab_close(&lab);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(void)
{
	double first[ROUNDS], last[ROUNDS], ratio[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		fill(&first[i], &last[i]);
		ratio[i] = last[i] / first[i];
	}
	qsort(first, ROUNDS, sizeof(*first), compare);
	qsort(last, ROUNDS, sizeof(*last), compare);
	qsort(ratio, ROUNDS, sizeof(*ratio), compare);
	printf("fill a /16: first thousand %.2f us each, last thousand %.2f us each, ratio %.2f "
	       "(medians of %d)\n",
	       first[ROUNDS / 2] * 1000, last[ROUNDS / 2] * 1000, ratio[ROUNDS / 2], ROUNDS);
	return 0;
}
