/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durable operations at the Unix socket: 1 connection with 1 in flight, and 64
 * with 16, for SECONDS each; then a bare LMDB loop that commits the same records in
 * the same batches (read back from the log), on the same disk, in the same run.
 * bench_durable IPLEDGER
 */
#include "store/store.h"

#include <errno.h>
#include <lmdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "events/msgpack.h"

#define SECONDS   4.0
#define CONNS_MAX 64

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_durable: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the server --- */

static pid_t serve(const char *program, const char *dir)
{
	int ready[2];
	pid_t child;
	char byte;

	if (pipe(ready) != 0)
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		dup2(ready[1], STDOUT_FILENO);
		close(ready[0]);
		close(ready[1]);
		execl(program, program, "serve", "--data", dir, "--http", "none", "--log-level",
		      "error", (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("the server is not ready");
	close(ready[0]);
	return child;
}

/* --- the load: closed loop, a fixed number in flight on each connection --- */

struct conn {
	int fd;
	struct ipl_buf in;
	struct ipl_scanner scanner;
};

static void send_requests(struct conn *conn, int count)
{
	/* [0, 1, "CreateVpc", [{"CidrBlock": "10.0.0.0/16"}]] */
	static const uint8_t request[] = "\x94\x00\x01\xa9"
					 "CreateVpc\x91\x81\xa9"
					 "CidrBlock\xab"
					 "10.0.0.0/16";
	uint8_t bytes[sizeof(request) * 64];
	size_t len = 0;

	for (int i = 0; i < count; i++) {
		memcpy(bytes + len, request, sizeof(request) - 1);
		len += sizeof(request) - 1;
	}
	if (write(conn->fd, bytes, len) != (ssize_t)len)
		die("write");
}

static int take_answers(struct conn *conn)
{
	int count = 0;
	size_t size = 0;
	ssize_t n;

	if (!ipl_buf_reserve(&conn->in, 65536))
		die("memory");
	n = read(conn->fd, conn->in.at + conn->in.len, 65536);
	if (n <= 0)
		die("read");
	conn->in.len += (size_t)n;
	while (ipl_scan(&conn->scanner, conn->in.at, conn->in.len, 1u << 20, &size) ==
	       IPL_SCAN_WHOLE) {
		if (conn->in.at[3] != 0xc0) { /* [1, 1, nil, result] */
			fprintf(stderr, "bench_durable: refused\n");
			exit(1);
		}
		ipl_buf_consume(&conn->in, size);
		count++;
	}
	return count;
}

static void connect_all(struct conn *conns, int count, const char *dir)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/ipledger.sock", dir);
	memset(conns, 0, sizeof(*conns) * CONNS_MAX);
	for (int i = 0; i < count; i++) {
		conns[i].fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(conns[i].fd, (struct sockaddr *)&address, sizeof(address)) != 0)
			die("connect");
	}
}

static double load(const char *dir, int connections, int in_flight)
{
	struct conn conns[CONNS_MAX];
	struct pollfd polls[CONNS_MAX];
	long done = 0;
	double begin = now_s(), end;

	connect_all(conns, connections, dir);
	for (int i = 0; i < connections; i++) {
		polls[i] = (struct pollfd){ .fd = conns[i].fd, .events = POLLIN };
		send_requests(&conns[i], in_flight);
	}
	do {
		if (poll(polls, (nfds_t)connections, 1000) < 0)
			die("poll");
		for (int i = 0; i < connections; i++) {
			int answers = polls[i].revents != 0 ? take_answers(&conns[i]) : 0;
			done += answers;
			if (answers > 0)
				send_requests(&conns[i], answers);
		}
		end = now_s();
	} while (end - begin < SECONDS);
	for (int i = 0; i < connections; i++) {
		close(conns[i].fd);
		ipl_buf_release(&conns[i].in);
	}
	return (double)done / (end - begin);
}

/* --- the same records in the same batches, by LMDB alone --- */

static void check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bench_durable: %s: %s\n", what, mdb_strerror(rc));
	exit(1);
}

static MDB_env *open_env(const char *path, unsigned int flags)
{
	MDB_env *env;

	check(mdb_env_create(&env), "create");
	mdb_env_set_maxdbs(env, 3);
	mdb_env_set_mapsize(env, (size_t)64 << 30);
	check(mdb_env_open(env, path, MDB_NOSUBDIR | flags, 0600), path);
	return env;
}

/* Commit the log's batches until the time is over; events per second. */
static double replay(const char *from_path, const char *to_path)
{
	MDB_env *from = open_env(from_path, MDB_RDONLY), *to = open_env(to_path, 0);
	MDB_txn *read_txn, *txn;
	MDB_cursor *roots, *log, *out;
	MDB_val key, value;
	MDB_dbi roots_dbi, log_dbi, out_dbi;
	uint64_t seq = 0, last;
	double begin, end;

	check(mdb_txn_begin(from, NULL, MDB_RDONLY, &read_txn), "begin");
	check(mdb_dbi_open(read_txn, "roots", MDB_INTEGERKEY, &roots_dbi), "roots");
	check(mdb_dbi_open(read_txn, "log", MDB_INTEGERKEY, &log_dbi), "log");
	check(mdb_cursor_open(read_txn, roots_dbi, &roots), "cursor");
	check(mdb_cursor_open(read_txn, log_dbi, &log), "cursor");
	check(mdb_txn_begin(to, NULL, 0, &txn), "begin");
	check(mdb_dbi_open(txn, "log", MDB_CREATE | MDB_INTEGERKEY, &out_dbi), "log");
	check(mdb_txn_commit(txn), "commit");
	begin = now_s();
	do {
		if (mdb_cursor_get(roots, &key, &value, MDB_NEXT) != 0)
			break;
		memcpy(&last, key.mv_data, sizeof(last));
		check(mdb_txn_begin(to, NULL, 0, &txn), "begin");
		check(mdb_cursor_open(txn, out_dbi, &out), "cursor");
		for (; seq < last; seq++) {
			check(mdb_cursor_get(log, &key, &value, MDB_NEXT), "read");
			check(mdb_cursor_put(out, &key, &value, MDB_APPEND), "append");
		}
		check(mdb_txn_commit(txn), "commit");
		end = now_s();
	} while (end - begin < SECONDS);
	end = now_s();
	mdb_txn_abort(read_txn);
	mdb_env_close(from);
	mdb_env_close(to);
	return (double)seq / (end - begin);
}

static void remove_files(const char *dir)
{
	static const char *const files[] = { "log.mdb",  "log.mdb-lock",  "lock",
					     "bare.mdb", "bare.mdb-lock", "ipledger.sock" };
	char path[256];

	for (size_t i = 0; i < IPL_ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void measure(const char *program, int connections, int in_flight)
{
	char dir[64], log[128], bare[128];
	double rate, bare_rate;
	pid_t server;
	int status;

	(void)snprintf(dir, sizeof(dir), "/var/tmp/ipl-bench-XXXXXX");
	if (mkdtemp(dir) == NULL)
		die("mkdtemp");
	server = serve(program, dir);
	rate = load(dir, connections, in_flight);
	kill(server, SIGTERM);
	waitpid(server, &status, 0);
	(void)snprintf(log, sizeof(log), "%s/log.mdb", dir);
	(void)snprintf(bare, sizeof(bare), "%s/bare.mdb", dir);
	bare_rate = replay(log, bare);
	printf("%2d x %2d: %8.0f durable operations/s, bare LMDB %8.0f events/s, ratio %.2f\n",
	       connections, in_flight, rate, bare_rate, rate / bare_rate);
	fflush(stdout);
	remove_files(dir);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_durable IPLEDGER\n");
		return 2;
	}
	measure(argv[1], 1, 1);
	measure(argv[1], 64, 16);
	return 0;
}
