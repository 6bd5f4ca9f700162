/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger of EVENTS events verified by one thread and by all cores, beside a bare scan of its
 * log that only touches the records. bench_verify MAKE_LOG
 */
#include "replay/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVENTS "300000"
#define BATCH  "200"
#define ROUNDS 3

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_verify: %s: %s\n", what, why);
	exit(1);
}

static void make(const char *program, const char *dir)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (freopen("/dev/null", "w", stdout) != NULL)
			execl(program, program, dir, EVENTS, BATCH, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
		die(program, "it made no ledger");
}

static enum ipl_status touch(void *context, uint64_t seq, struct ipl_str record,
			     struct ipl_error *err)
{
	uint64_t *sum = context;

	(void)seq;
	(void)err;
	for (size_t i = 0; i < record.len; i += 64)
		*sum += (uint8_t)record.at[i];
	++sum[1];
	return IPL_OK;
}

/* Events a second. */
static double scan(const char *dir)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_store *store = NULL;
	struct ipl_reader *reader = NULL;
	uint64_t sum[2] = { 0, 0 };
	double begin;

	if (ipl_store_open(dir, IPL_STORE_READ, &store, &err) != IPL_OK ||
	    ipl_reader_open(store, &reader, &err) != IPL_OK)
		die(dir, err.text);
	begin = now_s();
	if (ipl_reader_scan(reader, 1, UINT64_MAX, touch, sum, &err) != IPL_OK)
		die(dir, err.text);
	begin = now_s() - begin;
	ipl_reader_close(reader);
	ipl_store_close(store);
	return (double)sum[1] / begin;
}

static double verify(const char *dir, uint32_t threads)
{
	const struct ipl_verify_options options = { .threads = threads };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_verified found;
	double begin = now_s();

	if (ipl_verify(dir, &options, &found, &err) != IPL_OK)
		die(dir, err.text);
	return (double)found.head.seq / (now_s() - begin);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static const char *const files[] = { "log.mdb", "log.mdb-lock", "lock" };
	double bare[ROUNDS], one[ROUNDS], all[ROUNDS];
	char dir[] = "/var/tmp/ipl-bench-XXXXXX", path[128];

	if (argc != 2)
		die("usage", "bench_verify MAKE_LOG");
	if (mkdtemp(dir) == NULL)
		die(dir, "no such place");
	make(argv[1], dir);
	for (int i = 0; i < ROUNDS; i++) {
		bare[i] = scan(dir);
		one[i] = verify(dir, 1);
		all[i] = verify(dir, 0);
	}
	qsort(bare, ROUNDS, sizeof(*bare), compare);
	qsort(one, ROUNDS, sizeof(*one), compare);
	qsort(all, ROUNDS, sizeof(*all), compare);
	printf("verify: one thread %.0f events/s, all cores %.0f events/s, bare scan %.0f "
	       "events/s, "
	       "ratios %.3f and %.3f (medians of %d)\n",
	       one[ROUNDS / 2], all[ROUNDS / 2], bare[ROUNDS / 2],
	       one[ROUNDS / 2] / bare[ROUNDS / 2], all[ROUNDS / 2] / bare[ROUNDS / 2], ROUNDS);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	return 0;
}
