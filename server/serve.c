/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop: what has come in is executed, what was appended is handed to the
 * committer, what the disk has is answered. While one batch is on its way the
 * next one fills; nothing waits for a timer.
 */
#include "server/serve_internal.h"

#include <sodium/randombytes.h>

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "store/thread.h"

#define CALL_ARENA_BYTES ((size_t)256 << 20)
#define FILES_WANTED     10240u
#define LAST_WORDS_S     5 /* how long a peer may take to read its last answers */

/*
 * The kernel is asked for a seed once; what it grows into is a stream of which the first bytes
 * are the next seed, so that no id tells of those before. To ask the kernel for all of it cost a
 * fiftieth of a busy server.
 */
static void make_random(struct ipl_server *server)
{
	static_assert(sizeof(server->seed) == randombytes_SEEDBYTES, "a seed is as long as that");
	if (!server->is_seeded)
		randombytes_buf(server->seed, sizeof(server->seed));
	server->is_seeded = true;
	randombytes_buf_deterministic(server->random, sizeof(server->random), server->seed);
	memcpy(server->seed, server->random, sizeof(server->seed));
	server->random_left = sizeof(server->random) - sizeof(server->seed);
}

void ipl_request_id_next(struct ipl_server *server, uint8_t out[IPL_REQUEST_ID_BYTES])
{
	if (server->random_left < IPL_REQUEST_ID_BYTES)
		make_random(server);
	server->random_left -= IPL_REQUEST_ID_BYTES;
	/* From the end: the beginning is the seed. */
	memcpy(out, server->random + sizeof(server->seed) + server->random_left,
	       IPL_REQUEST_ID_BYTES);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

int64_t ipl_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_signal(evutil_socket_t fd, short what, void *context)
{
	struct ipl_server *server = context;

	(void)what;
	ipl_log(IPL_LOG_INFO, "signal %d: stopping", (int)fd);
	server->is_stopping = true;
}

/* The manager waits for READY when it has asked for a reload. */
static void on_hangup(evutil_socket_t fd, short what, void *context)
{
	char state[64];

	(void)fd;
	(void)what;
	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		       ipl_monotonic_ns() / 1000);
	ipl_notify_manager(state);
	ipl_admit_reload(context);
	ipl_notify_manager("READY=1");
}

static void release_all(struct ipl_server *server, const struct ipl_error *failed)
{
	uint64_t durable = ipl_engine_durable_seq(server->engine);

	for (struct ipl_conn *conn = server->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		if (conn->held_count > 0)
			ipl_conn_release(conn, durable, failed);
	}
	ipl_http_release(server, durable, failed);
}

static void commit_failed(struct ipl_server *server, enum ipl_status st,
			  const struct ipl_error *err)
{
	struct ipl_error failed = IPL_ERROR_INIT(NULL);

	ipl_log(IPL_LOG_ERROR, "a commit failed: %s", err->text);
	if (st == IPL_ERR_CORRUPT) {
		server->is_damaged = true;
		server->damage = *err;
		server->damage.detail = NULL;
	}
	/* To a damaged log nobody can look whether it is there. */
	if (st == IPL_ERR_OUTCOME || st == IPL_ERR_CORRUPT)
		ipl_error_set(&failed, IPL_ERR_OUTCOME,
			      "it is not known whether the event was kept, ask again with the same "
			      "ClientToken: %.400s",
			      err->text);
	else
		ipl_error_set(&failed, IPL_ERR_IO, "the event could not be kept: %.400s",
			      err->text);
	release_all(server, &failed);
}

static void on_commit_done(evutil_socket_t fd, short what, void *context)
{
	struct ipl_server *server = context;
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	enum ipl_status st = ipl_engine_collect(server->engine, &err);

	(void)fd;
	(void)what;
	if (st == IPL_OK) {
		/* The disk has something to do again while answers are written to their sockets. */
		ipl_engine_flush(server->engine);
		release_all(server, NULL);
	} else if (st != IPL_ERR_END) {
		commit_failed(server, st, &err);
	}
	ipl_subscribers_wake(server);
	ipl_streams_wake(server);
}

/* --- start --- */

static enum ipl_status open_loop(struct ipl_server *server, struct ipl_error *err)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP };

	server->base = event_base_new();
	server->unpacker = ipl_unpacker_new();
	if (server->base == NULL || server->unpacker == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the loop");
	for (size_t i = 0; i < IPL_ARRAY_SIZE(wanted); i++) {
		server->signals[i] =
			evsignal_new(server->base, wanted[i],
				     wanted[i] == SIGHUP ? on_hangup : on_signal, server);
		if (server->signals[i] == NULL || event_add(server->signals[i], NULL) != 0)
			return ipl_error_set(err, IPL_ERR_NOMEM, "no event for signal %d",
					     wanted[i]);
	}
	server->commit_done = event_new(server->base, ipl_engine_fd(server->engine),
					EV_READ | EV_PERSIST, on_commit_done, server);
	if (server->commit_done == NULL || event_add(server->commit_done, NULL) != 0)
		return ipl_error_set(err, IPL_ERR_NOMEM, "no event for the committer");
	if (ipl_subscribers_open(server, err) != IPL_OK)
		return err->status;
	return ipl_streams_open(server, err);
}

static enum ipl_status open_doors(struct ipl_server *server,
				  const struct ipl_serve_options *options, struct ipl_error *err)
{
	enum ipl_status st;
	char path[4200];

	(void)snprintf(path, sizeof(path), "unix:%s/ipledger.sock", options->data);
	st = ipl_listen_passed(server, err);
	if (st == IPL_OK && options->rpc_count == 0 && server->listener_count == 0)
		st = ipl_listen(server, path, err);
	for (size_t i = 0; st == IPL_OK && i < options->rpc_count; i++)
		st = ipl_listen(server, options->rpc[i], err);
	return st == IPL_OK ? ipl_http_open(server, options->http, err) : st;
}

static void say_ready(const struct ipl_server *server)
{
	printf("ready rpc=");
	for (size_t i = 0; i < server->listener_count; i++)
		printf("%s%s", i == 0 ? "" : ",", server->listener[i].name);
	printf(" http=%s head=%" PRIu64 "\n", server->http_name,
	       ipl_engine_durable_seq(server->engine));
	fflush(stdout);
}

void ipl_notify_manager(const char *state)
{
	int rc = sd_notify(0, state);

	if (rc < 0)
		ipl_log(IPL_LOG_WARN, "systemd could not be told: %s", strerror(-rc));
}

/* --- the loop, and its end --- */

/* Jobs are done: who waited for one goes on. */
static void retry_done(struct ipl_server *server)
{
	for (struct ipl_conn *conn = server->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		if (conn->is_deferred && ipl_engine_is_done(conn->job))
			ipl_conn_retry(conn);
	}
	ipl_http_retry_done(server);
}

/* Whatever happened, once; below 0 where the loop cannot go on. */
static int turn(struct ipl_server *server)
{
	int rc = event_base_loop(server->base, EVLOOP_ONCE);

	if (server->deferred_count > 0)
		retry_done(server);
	ipl_conns_make_room(server);
	if (!server->is_damaged)
		ipl_engine_flush(server->engine);
	return rc;
}

static void run(struct ipl_server *server)
{
	while (!server->is_stopping) {
		if (turn(server) < 0)
			break;
	}
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	*(bool *)context = true;
}

/* What was decided reaches the disk, its answers leave; then the connections end. */
static void finish(struct ipl_server *server)
{
	const struct timeval patience = { .tv_sec = LAST_WORDS_S };
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	bool is_over = false;
	struct event *deadline = evtimer_new(server->base, on_deadline, &is_over);
	enum ipl_status st;

	/* What was asked before is answered. */
	while (server->deferred_count > 0 && turn(server) >= 0) {
	}
	st = ipl_engine_settle(server->engine, &err);
	ipl_listeners_close(server);
	ipl_http_finish(server);
	if (st == IPL_OK)
		release_all(server, NULL);
	else
		commit_failed(server, st, &err);
	ipl_subscribers_stop(server);
	ipl_streams_stop(server);
	for (struct ipl_conn *conn = server->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		ipl_conn_finish(conn);
	}
	if (deadline == NULL || evtimer_add(deadline, &patience) != 0)
		is_over = true;
	while (!is_over && (server->conns != NULL || server->http_sending > 0) &&
	       event_base_loop(server->base, EVLOOP_ONCE) >= 0) {
	}
	if (deadline != NULL)
		event_free(deadline);
}

static void close_all(struct ipl_server *server)
{
	while (server->conns != NULL)
		ipl_conn_free(server->conns);
	ipl_listeners_close(server);
	ipl_streams_close(server);
	ipl_http_close(server);
	for (size_t i = 0; i < IPL_ARRAY_SIZE(server->signals); i++) {
		if (server->signals[i] != NULL)
			event_free(server->signals[i]);
	}
	ipl_subscribers_close(server);
	if (server->commit_done != NULL)
		event_free(server->commit_done);
	ipl_admit_close(server);
	if (server->base != NULL)
		event_base_free(server->base);
	ipl_engine_close(server->engine);
	ipl_unpacker_free(server->unpacker);
	ipl_arena_release(&server->arena);
	ipl_buf_release(&server->spare);
}

/* A descriptor for each connection that may be: the soft limit is often 1024 in all. */
static void raise_file_limit(struct ipl_server *server)
{
	struct rlimit limit, raised;

	server->files_max = FILES_WANTED;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_WANTED)
		return;
	raised = limit;
	raised.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &raised) != 0)
		raised = limit;
	server->files_max = (int)raised.rlim_cur;
	if (raised.rlim_cur < FILES_WANTED)
		ipl_log(IPL_LOG_WARN, "at most %d files: fewer connections than there may be",
			server->files_max);
}

/*
 * What is made here is its owner's alone, and no crash leaves the keys in a file: a limit of 0
 * stops the kernel from writing one, and being undumpable also from giving it to a program
 * (core_pattern), and other processes of the user from looking in. Nothing that is started from
 * here, if anything ever is, has more rights than this.
 */
static void keep_secrets(const struct ipl_serve_options *options)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	if (!options->core_dumps &&
	    (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0))
		ipl_log(IPL_LOG_WARN, "a crash may leave a core file: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		ipl_log(IPL_LOG_WARN, "rights can be gained: %s", strerror(errno));
	if (geteuid() == 0)
		ipl_log(IPL_LOG_WARN, "serving as root: no right of root is needed, a user of its "
				      "own is safer");
}

enum ipl_status ipl_serve(const struct ipl_serve_options *options, struct ipl_error *err)
{
	struct ipl_server *server = calloc(1, sizeof(*server));
	enum ipl_status st;

	if (server == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the server");
	server->conn_bytes_max = IPL_CONNS_BYTES_MAX;
	server->http_host = options->http_host;
	server->http_host_count = options->http_host_count;
	server->counts.started_ms = ipl_now_ms();
	raise_file_limit(server);
	keep_secrets(options);
	signal(SIGPIPE, SIG_IGN); /* a peer that is gone shows when it is written to */
	ipl_arena_init(&server->arena, CALL_ARENA_BYTES);
	st = ipl_engine_open(options->data, IPL_ENGINE_SERVE, options->init, ipl_now_ms(),
			     &server->engine, err);
	if (st == IPL_OK)
		st = open_loop(server, err);
	if (st == IPL_OK)
		st = ipl_admit_open(server, options, err);
	if (st == IPL_OK)
		st = open_doors(server, options, err);
	if (st == IPL_OK) {
		say_ready(server);
		ipl_notify_manager("READY=1");
		run(server);
		ipl_notify_manager("STOPPING=1");
		finish(server);
	}
	close_all(server);
	free(server);
	return st;
}
