/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to compare with when nothing but the disk, LMDB or the wire is asked for.
 *
 * bare log LOG FROM TO SECONDS OUT   commit the batches of a ledger's log again, those between the
 *                                    events FROM and TO, in LMDB alone
 * bare disk SECONDS OUT              fdatasync of an append, then of an overwrite, of a page each
 * bare echo SOCKET ANSWER            a server: unpacks each request by msgpack-c, and packs ANSWER
 *                                    (a file: one MessagePack object) as its result
 * The first two print one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <msgpack.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PAGE        4096
#define CONNS_MAX   1000
#define SAMPLES_MAX 1000000
#define BUFFER      ((size_t)1 << 20)

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bare: %s: %s\n", what, mdb_strerror(rc));
	exit(1);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *at, size_t count)
{
	qsort(at, count, sizeof(*at), compare);
	return count == 0 ? 0 : at[count / 2];
}

/* --- the log --- */

static MDB_env *open_env(const char *path, unsigned int flags)
{
	MDB_env *env;

	check(mdb_env_create(&env), "create");
	check(mdb_env_set_maxdbs(env, 3), "tables");
	check(mdb_env_set_mapsize(env, (size_t)64 << 30), "map");
	check(mdb_env_open(env, path, MDB_NOSUBDIR | flags, 0600), path);
	return env;
}

static MDB_cursor *open_cursor(MDB_txn *txn, const char *name, unsigned int flags)
{
	MDB_cursor *cursor;
	MDB_dbi dbi;

	check(mdb_dbi_open(txn, name, MDB_INTEGERKEY | flags, &dbi), name);
	check(mdb_cursor_open(txn, dbi, &cursor), "cursor");
	return cursor;
}

struct again {
	MDB_cursor *roots, *log;
	MDB_env *to;
	uint64_t to_seq;
	uint64_t events, commits, bytes;
};

/* The next batch of the log, in a transaction of its own; false at the end. */
static bool commit_next(struct again *again, double *took_s)
{
	uint64_t seq = 0, last;
	MDB_val key, value;
	MDB_cursor *out;
	MDB_txn *txn;
	double begin = now_s();

	if (mdb_cursor_get(again->roots, &key, &value, MDB_NEXT) != 0)
		return false;
	memcpy(&last, key.mv_data, sizeof(last));
	if (last > again->to_seq)
		return false;
	check(mdb_txn_begin(again->to, NULL, 0, &txn), "begin");
	out = open_cursor(txn, "log", MDB_CREATE);
	while (seq != last) {
		check(mdb_cursor_get(again->log, &key, &value, MDB_NEXT), "read");
		check(mdb_cursor_put(out, &key, &value, MDB_APPEND), "append");
		memcpy(&seq, key.mv_data, sizeof(seq));
		again->events++;
		again->bytes += value.mv_size;
	}
	check(mdb_txn_commit(txn), "commit");
	again->commits++;
	*took_s = now_s() - begin;
	return true;
}

static void run_log(const char *from_path, uint64_t from_seq, uint64_t to_seq, double seconds,
		    const char *to_path)
{
	static double took[SAMPLES_MAX];
	MDB_env *from = open_env(from_path, MDB_RDONLY);
	struct again again = { .to = open_env(to_path, 0), .to_seq = to_seq };
	MDB_val key = { sizeof(from_seq), &from_seq }, value;
	double begin, span;
	uint64_t at;
	MDB_txn *txn;

	check(mdb_txn_begin(from, NULL, MDB_RDONLY, &txn), "begin");
	again.roots = open_cursor(txn, "roots", 0);
	again.log = open_cursor(txn, "log", 0);
	/* The first whole batch from there on. */
	check(mdb_cursor_get(again.roots, &key, &value, MDB_SET_RANGE), "no such event");
	memcpy(&at, key.mv_data, sizeof(at));
	key = (MDB_val){ sizeof(at), &at };
	check(mdb_cursor_get(again.log, &key, &value, MDB_SET), "no such event");
	begin = now_s();
	do {
		double one;
		if (!commit_next(&again, &one))
			break;
		if (again.commits <= SAMPLES_MAX)
			took[again.commits - 1] = one;
		span = now_s() - begin;
	} while (span < seconds);
	span = now_s() - begin;
	mdb_txn_abort(txn);
	mdb_env_close(from);
	mdb_env_close(again.to);
	printf("{\"PerSecond\": %.1f, \"Batch\": %.1f, \"Bytes\": %.1f, \"P50\": %.1f}\n",
	       (double)again.events / span, (double)again.events / (double)again.commits,
	       (double)again.bytes / (double)again.events,
	       median(took, again.commits < SAMPLES_MAX ? again.commits : SAMPLES_MAX) * 1e6);
}

/* --- the disk --- */

static double write_page(int fd, off_t at)
{
	static const char page[PAGE] = "a page";
	double begin = now_s();

	if (pwrite(fd, page, sizeof(page), at) != PAGE || fdatasync(fd) != 0)
		die("write");
	return now_s() - begin;
}

static void run_disk(double seconds, const char *path)
{
	static double append[SAMPLES_MAX], overwrite[SAMPLES_MAX];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	double begin = now_s();
	size_t count = 0;

	if (fd < 0)
		die(path);
	while (count < SAMPLES_MAX && now_s() - begin < seconds) {
		append[count] = write_page(fd, (off_t)(count + 1) * PAGE);
		overwrite[count++] = write_page(fd, 0);
	}
	close(fd);
	printf("{\"Append\": %.1f, \"Overwrite\": %.1f}\n", median(append, count) * 1e6,
	       median(overwrite, count) * 1e6);
}

/* --- the wire --- */

struct echo {
	int fd;
	char *in;
	size_t len;
};

static void read_answer(const char *path, msgpack_unpacked *out)
{
	static char bytes[BUFFER];
	FILE *file = fopen(path, "rb");
	size_t len = file == NULL ? 0 : fread(bytes, 1, sizeof(bytes), file), at = 0;

	if (file == NULL || len == 0)
		die(path);
	fclose(file);
	msgpack_unpacked_init(out);
	if (msgpack_unpack_next(out, bytes, len, &at) != MSGPACK_UNPACK_SUCCESS)
		die("the answer is no MessagePack");
}

/* Answer the requests that are here whole; false when the peer is gone. */
static bool echo_some(struct echo *echo, const msgpack_object *result, msgpack_sbuffer *out)
{
	ssize_t n = read(echo->fd, echo->in + echo->len, BUFFER - echo->len);
	msgpack_unpacked request;
	msgpack_packer pk;
	size_t at = 0, done = 0;

	if (n <= 0)
		return false;
	echo->len += (size_t)n;
	msgpack_sbuffer_clear(out);
	msgpack_packer_init(&pk, out, msgpack_sbuffer_write);
	msgpack_unpacked_init(&request);
	while (at < echo->len) {
		msgpack_unpack_return rc = msgpack_unpack_next(&request, echo->in, echo->len, &at);
		if (rc != MSGPACK_UNPACK_SUCCESS && rc != MSGPACK_UNPACK_EXTRA_BYTES)
			break;
		done = at;
		msgpack_pack_array(&pk, 4);
		msgpack_pack_int(&pk, 1);
		msgpack_pack_object(&pk, request.data.via.array.ptr[1]);
		msgpack_pack_nil(&pk);
		msgpack_pack_object(&pk, *result);
	}
	msgpack_unpacked_destroy(&request);
	memmove(echo->in, echo->in + done, echo->len - done);
	echo->len -= done;
	for (at = 0; at < out->size; at += (size_t)n) {
		n = write(echo->fd, out->data + at, out->size - at);
		if (n <= 0)
			return false;
	}
	return true;
}

static int listen_at(const char *path)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (void *)&local, sizeof(local)) != 0 || listen(fd, 128) != 0)
		die(path);
	return fd;
}

static void run_echo(const char *path, const char *answer)
{
	static struct echo peers[CONNS_MAX];
	static struct pollfd polls[CONNS_MAX + 1];
	msgpack_unpacked result;
	msgpack_sbuffer out;
	size_t count = 0;

	read_answer(answer, &result);
	msgpack_sbuffer_init(&out);
	polls[CONNS_MAX] = (struct pollfd){ .fd = listen_at(path), .events = POLLIN };
	puts("ready");
	fflush(stdout);
	for (;;) {
		memmove(polls + count, polls + CONNS_MAX, sizeof(*polls));
		if (poll(polls, count + 1, -1) < 0)
			die("poll");
		polls[CONNS_MAX] = polls[count];
		for (size_t i = 0; i < count; i++) {
			if (polls[i].revents == 0 || echo_some(&peers[i], &result.data, &out))
				continue;
			close(peers[i].fd);
			free(peers[i].in);
			polls[i].fd = -1; /* poll() passes over it */
		}
		if ((polls[CONNS_MAX].revents & POLLIN) == 0 || count == CONNS_MAX)
			continue;
		peers[count] =
			(struct echo){ accept(polls[CONNS_MAX].fd, NULL, NULL), malloc(BUFFER), 0 };
		if (peers[count].fd < 0 || peers[count].in == NULL)
			die("accept");
		polls[count] = (struct pollfd){ .fd = peers[count].fd, .events = POLLIN };
		count++;
	}
}

int main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "log") == 0)
		run_log(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
			strtod(argv[5], NULL), argv[6]);
	else if (argc == 4 && strcmp(argv[1], "disk") == 0)
		run_disk(strtod(argv[2], NULL), argv[3]);
	else if (argc == 4 && strcmp(argv[1], "echo") == 0)
		run_echo(argv[2], argv[3]);
	else
		return fprintf(stderr, "usage: bare log LOG FROM TO SECONDS OUT | disk SECONDS OUT "
				       "| echo SOCKET ANSWER\n"),
		       2;
	return 0;
}
