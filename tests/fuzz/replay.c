/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target without a fuzzer: replay [-n CHANGES] [-s SEED] FILE|DIR... gives each file to it
 * as it is, and then so many times changed by chance (bits, bytes, cuts, a part twice, a part of
 * another file): the same for the same seed. A file that fails is one that is named last.
 */
#include "tests/fuzz/ledger.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 4096u
#define BYTES_MAX ((size_t)1 << 20)

struct input {
	char name[256];
	uint8_t *bytes;
	size_t len;
};

static struct input input[FILES_MAX];
static size_t input_count;
static uint64_t seed = 1;

static uint64_t draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 24) % below;
}

static void read_one(const char *path)
{
	struct input *to = &input[input_count];
	FILE *file = fopen(path, "rb");

	if (file == NULL || input_count == FILES_MAX) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	(void)snprintf(to->name, sizeof(to->name), "%s", path);
	to->bytes = malloc(BYTES_MAX);
	CHECK(to->bytes != NULL);
	to->len = fread(to->bytes, 1, BYTES_MAX, file);
	fclose(file);
	input_count++;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A file, or all in a directory, in the order of their names. */
static void read_path(const char *path)
{
	struct dirent **entry;
	char name[512];
	struct stat info;
	int count;

	if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
		read_one(path);
		return;
	}
	count = scandir(path, &entry, is_visible, alphasort);
	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry[i]->d_name);
		read_one(name);
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
}

/* What is being run, for who has to say of what it died. */
static const uint8_t *bytes_now;
static size_t len_now;

static void on_abort(int number)
{
	int fd = open("replay-failed", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)number;
	if (fd >= 0)
		(void)!write(fd, bytes_now, len_now);
}

/* An exact allocation, so that a sanitizer sees a read beyond the end. */
static void run(const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len == 0 ? 1 : len);

	CHECK(exact != NULL);
	memcpy(exact, bytes, len);
	bytes_now = exact;
	len_now = len;
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static void insert_part(uint8_t *bytes, size_t *len, const uint8_t *from, size_t from_len)
{
	size_t at = draw(*len + 1), take = from_len == 0 ? 0 : draw(from_len < 64 ? from_len : 64);
	size_t start = from_len == 0 ? 0 : draw(from_len - take + 1);
	uint8_t part[64];

	if (*len + take > BYTES_MAX)
		return;
	memcpy(part, from + start, take);
	memmove(bytes + at + take, bytes + at, *len - at);
	memcpy(bytes + at, part, take);
	*len += take;
}

static void change(uint8_t *bytes, size_t *len)
{
	const struct input *other = &input[draw(input_count)];
	size_t at = *len == 0 ? 0 : draw(*len), cut;

	switch (draw(*len == 0 ? 1 : 6)) {
	case 0:
		insert_part(bytes, len, other->bytes, other->len);
		break;
	case 1:
		bytes[at] ^= (uint8_t)(1u << draw(8));
		break;
	case 2:
		bytes[at] = (uint8_t)draw(256);
		break;
	case 3:
		cut = 1 + draw(*len - at < 16 ? *len - at : 16);
		memmove(bytes + at, bytes + at + cut, *len - at - cut);
		*len -= cut;
		break;
	case 4:
		insert_part(bytes, len, bytes, *len);
		break;
	default:
		*len = at;
		break;
	}
}

static void run_changed(const struct input *from, uint64_t changes)
{
	uint8_t *bytes = malloc(BYTES_MAX);

	CHECK(bytes != NULL);
	for (uint64_t i = 0; i < changes; i++) {
		size_t len = from->len;
		memcpy(bytes, from->bytes, len);
		for (uint64_t n = 1 + draw(4); n > 0; n--)
			change(bytes, &len);
		run(bytes, len);
	}
	free(bytes);
}

int main(int argc, char **argv)
{
	uint64_t changes = 0, runs = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-n") == 0 && i + 1 < argc)
			changes = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "-s") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else
			read_path(argv[i]);
	}
	if (input_count == 0) {
		fprintf(stderr, "usage: %s [-n CHANGES] [-s SEED] FILE|DIR...\n", argv[0]);
		return 2;
	}
	(void)signal(SIGABRT, on_abort); /* it returns, and abort() goes on */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", input_count);
	for (size_t i = 0; i < input_count; i++) {
		printf("# %s, seed %llu\n", input[i].name, (unsigned long long)seed);
		run(input[i].bytes, input[i].len);
		run_changed(&input[i], changes);
		runs += 1 + changes;
		printf("ok %zu - %s\n", i + 1, input[i].name);
	}
	printf("# %llu inputs\n", (unsigned long long)runs);
	for (size_t i = 0; i < input_count; i++)
		free(input[i].bytes);
	return 0;
}
