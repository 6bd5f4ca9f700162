/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vSwitch /16: the time of an allocation (decide, encode, decode, fold) with 100 addresses held
 * and with 60,000, as a ratio; and with the last thousand that there are.
 */
#include "tests/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESSES 65532
#define TIMED     1000 /* allocations */
#define ROUNDS    9

/* How many are held when a timed thousand begins. */
static const int held[] = { 100, 60000, ADDRESSES - TIMED };

enum { POINTS = IPL_ARRAY_SIZE(held) };

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

/* Microseconds for an allocation at each point. */
static void fill(double took[POINTS])
{
	struct lab lab;
	char id[IPL_ID_TEXT_MAX];
	double begin[POINTS] = { 0 };

	lab_open(&lab, NULL);
	must(&lab, lab_call(&lab, "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/8\"}"));
	(void)snprintf(id, sizeof(id), "%s", lab_text(&lab, "VpcId"));
	must(&lab, lab_call(&lab, "CreateVSwitch",
			    "{\"VpcId\":\"%s\",\"ZoneId\":\"cn-hangzhou-a\","
			    "\"CidrBlock\":\"10.1.0.0/16\"}",
			    id));
	(void)snprintf(id, sizeof(id), "%s", lab_text(&lab, "VSwitchId"));
	for (int i = 0; i <= ADDRESSES; i++) {
		for (int k = 0; k < POINTS; k++) {
			if (i == held[k])
				begin[k] = now_s();
			if (i == held[k] + TIMED)
				took[k] = (now_s() - begin[k]) * 1e6 / TIMED;
		}
		if (i < ADDRESSES)
			must(&lab, lab_call(&lab, "CreateNetworkInterface",
					    "{\"VSwitchId\":\"%s\"}", id));
	}
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
	double took[ROUNDS][POINTS], ratio[POINTS][ROUNDS], us[POINTS][ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		fill(took[i]);
		for (int k = 0; k < POINTS; k++) {
			us[k][i] = took[i][k];
			ratio[k][i] = took[i][k] / took[i][0];
		}
	}
	printf("Allocation in a /16 by how many are held (medians of %d)\n", ROUNDS);
	for (int k = 0; k < POINTS; k++) {
		qsort(us[k], ROUNDS, sizeof(double), compare);
		qsort(ratio[k], ROUNDS, sizeof(double), compare);
		printf("  %5d held  %.2f us  ratio %.2f (%.2f..%.2f)\n", held[k], us[k][ROUNDS / 2],
		       ratio[k][ROUNDS / 2], ratio[k][0], ratio[k][ROUNDS - 1]);
	}
	printf("{\"Bench\": \"fill\", \"Rounds\": %d, \"60000/100\": "
	       "{\"Median\": %.3f, \"Min\": %.3f, \"Max\": %.3f}}\n",
	       ROUNDS, ratio[1][ROUNDS / 2], ratio[1][0], ratio[1][ROUNDS - 1]);
	return 0;
}
