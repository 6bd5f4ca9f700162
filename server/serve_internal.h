/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the server share. */
#ifndef IPL_SERVER_SERVE_INTERNAL_H
#define IPL_SERVER_SERVE_INTERNAL_H

#include "events/msgpack.h"
#include "server/auth.h"
#include "server/engine.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/rpc.h"
#include "server/serve.h"
#include "server/tls.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

/* Reading from a connection pauses beyond these, until answers have left. */
#define IPL_CONN_HELD_MAX      4096u
#define IPL_CONN_OUT_BYTES_MAX ((size_t)16 << 20)
#define IPL_CONNS_MAX          8192u
/* What all native connections hold together, of what came in and of what has not left. */
#define IPL_CONNS_BYTES_MAX ((size_t)512 << 20)
/* Descriptors that no connection takes: for checkpoints, keys, and the log opened anew. */
#define IPL_FILES_KEPT 32
/* TCP connections that have not said who they are: so many, and for so long. */
#define IPL_STRANGERS_MAX 256u
#define IPL_STRANGER_MS   10000

/* An answer that waits for the disk, or notifications that wait behind one. */
struct ipl_held {
	uint64_t wait_seq;
	size_t end;           /* where it ends in out */
	int64_t subscription; /* of Subscribe's answer: it begins when this has left; else 0 */
	bool is_notice;
	int64_t taken_ns; /* when its request had come */
	uint32_t msgid;
	uint8_t request_id[IPL_REQUEST_ID_BYTES];
};

struct ipl_server;
struct ipl_subscription;
struct ipl_stream;
struct ipl_http_call;

struct ipl_conn {
	struct ipl_server *server;
	struct ipl_conn *next, *prev;
	int fd;
	struct ipl_tls *tls; /* NULL: bytes go as they are */
	struct event *readable;
	struct event *writable;
	struct ipl_buf in;
	size_t in_used; /* bytes of in that were taken */
	struct ipl_scanner scanner;
	struct ipl_buf out;
	size_t released; /* bytes of out that may leave */
	size_t sent;     /* bytes of out that have left */
	struct ipl_held *held;
	uint32_t held_first, held_count, held_cap;
	bool errors_as_maps;
	bool eof;            /* the peer sends no more */
	bool is_paused;      /* not read from until answers have left */
	bool is_deferred;    /* its next request is being done by a thread */
	struct ipl_job *job; /* that is it */
	bool input_done;     /* no more is read: it closes when all has left */
	char principal[IPL_PRINCIPAL_MAX + 1];
	enum ipl_access access;
	uint64_t peer; /* as ipl_auth_peer() names it */
	bool is_tcp;
	bool is_stranger; /* has to say Hello with a key before anything else is done */
	bool is_by_key;   /* it is as long as its key is */
	int64_t opened_ms;
	int64_t taken_ns;     /* when it was read from last */
	int64_t moved_ns;     /* when bytes came or left last */
	size_t counted_bytes; /* of server->conn_bytes */
	/* server/subscribe.c */
	struct ipl_subscription *subscriptions;
	uint32_t subscription_count;
	int64_t subscription_ids; /* given out so far */
	uint64_t sent_total;      /* bytes that have ever left */
	uint64_t sent_before;     /* the same when it was last looked at */
	uint32_t stalled_s;       /* how long its peer has taken nothing of what there is */
};

struct ipl_listener {
	struct ipl_server *server;
	struct evconnlistener *listener;
	bool is_unix;
	char name[256]; /* as the ready line shows it */
	char path[108]; /* of a Unix socket, to be removed; "" for TCP */
	struct ipl_log_pause refusals;
};

/* What the doors count; of [0] the Unix sockets, of [1] the native TCP doors. */
struct ipl_door_counts {
	int64_t started_ms;
	uint64_t accepted[2], turned_away[2], malformed;
	uint64_t evicted;             /* for the memory they held */
	uint64_t bytes_in, bytes_out; /* of both native doors */
	uint64_t hellos, hellos_refused;
	uint64_t accept_errors;
	struct ipl_histogram reply; /* from what came in until its answer may leave */
};

struct ipl_server {
	struct ipl_engine *engine;
	struct event_base *base;
	struct evhttp *http;
	struct evhttp_bound_socket *http_bound;
	struct ipl_log_pause http_refusals;
	uint32_t http_conns; /* at most so many; counted anew when they seem too many */
	struct event *http_pause;
	char http_name[128];
	const char *const *http_host; /* names beside its own that a client may use */
	size_t http_host_count;
	struct event *signals[3];
	bool any_key;
	char *keys_path;
	struct ipl_keys *keys; /* replaced as a whole, never changed */
	struct ipl_auth *auth;
	struct ipl_log_pause hello_refusals;
	struct ipl_tls_server *tls; /* NULL: none */
	const char *tls_cert, *tls_key;
	struct ipl_log_pause tls_refusals;
	uint32_t stranger_count;
	struct event *sweep; /* of strangers that say nothing; pending while there are any */
	struct event *commit_done;
	struct event *feeder;        /* subscribers are behind */
	struct event *heart;         /* every second */
	struct ipl_conn *feed_first; /* whose turn it is; NULL: the first one's */
	uint32_t subscription_count; /* of all connections */
	int64_t fed_ns;              /* when the last turn was over */
	struct ipl_listener listener[IPL_LISTENERS_MAX];
	size_t listener_count;
	struct ipl_http_call *http_calls; /* that are not answered yet */
	uint32_t http_sending;            /* answers on their way */
	struct ipl_conn *conns;
	uint32_t conn_count;
	struct ipl_buf spare; /* a large buffer that no connection needs now */
	size_t conn_bytes;    /* what they hold, all of them */
	size_t conn_bytes_max;
	struct ipl_log_pause evictions;
	int files_max;          /* so many descriptors there are */
	struct ipl_arena arena; /* of the call being executed */
	struct ipl_unpacker *unpacker;
	uint8_t random[4096]; /* for request ids */
	size_t random_left;
	uint8_t seed[32]; /* of the next ones */
	bool is_seeded;
	uint32_t deferred_count; /* those who wait for a job */
	struct ipl_door_counts counts;
	struct ipl_stream *streams; /* readers of /events */
	uint32_t stream_count;
	struct event *stream_turn; /* some of them have a turn */
	bool is_stopping;
	bool is_damaged; /* the log cannot be folded: no call is answered any more */
	struct ipl_error damage;
};

/** A new request id: a random UUID (RFC 9562, version 4). */
void ipl_request_id_next(struct ipl_server *server, uint8_t out[IPL_REQUEST_ID_BYTES]);
/** The wall clock. */
int64_t ipl_now_ms(void);

/** Who is at the other end. */
struct ipl_caller {
	const char *principal; /* "uid:1000"; copied */
	uint64_t peer;
	bool is_tcp;
	bool is_stranger;
	struct ipl_tls_server *tls; /* NULL: none */
};
/** Take over @fd; it is closed where that fails. */
void ipl_conn_open(struct ipl_server *server, int fd, const struct ipl_caller *caller);
/** The one place where a connection ends. */
void ipl_conn_free(struct ipl_conn *conn);
/** Let go what the disk has now; with @failed, answer the rest with it. */
void ipl_conn_release(struct ipl_conn *conn, uint64_t durable_seq, const struct ipl_error *failed);
/** Its job is done: go on with its requests. */
void ipl_conn_retry(struct ipl_conn *conn);
/** Read no more; close when all answers have left. */
void ipl_conn_finish(struct ipl_conn *conn);

/* --- conn_room.c: what connections may hold --- */

/** Room for @more bytes of input, in the large buffer that all share if it is not lent out. */
bool ipl_conn_room(struct ipl_conn *conn, size_t more) IPL_MUST_USE;
/** Drop the input that was taken, and give back a buffer that is much too large for the rest. */
void ipl_conn_tidy(struct ipl_conn *conn);
/** Count what @conn holds now. */
void ipl_conn_count(struct ipl_conn *conn);
/** It is gone. */
void ipl_conn_uncount(struct ipl_conn *conn);
/** Whether nobody may hold more now: then the turn of all ends, and room is made. */
bool ipl_conns_are_full(struct ipl_server *server) IPL_MUST_USE;
/**
 * End those connections that hold much for long, until there is room again. Not
 * while any connection is at work.
 */
void ipl_conns_make_room(struct ipl_server *server);

/* --- admit.c: who is let in --- */

/** Read the certificate; read the keys, or make some where a TCP or HTTP door is served and there
 * are none. */
enum ipl_status ipl_admit_open(struct ipl_server *server, const struct ipl_serve_options *options,
			       struct ipl_error *err) IPL_MUST_USE;
void ipl_admit_close(struct ipl_server *server);
/**
 * Read the keys and the certificate again. A file that is bad changes nothing, and is logged; else
 * who came in with a key that is not there any more is sent away, and roles are the new ones.
 */
void ipl_admit_reload(struct ipl_server *server);
/** What a well-formed Hello with @params does to who the connection is. Refused: nothing. */
enum ipl_status ipl_admit_hello(struct ipl_conn *conn, const struct ipl_value *params,
				int64_t now_ms, struct ipl_error *err) IPL_MUST_USE;
/** A TCP client that has not said who it is asks for something. */
enum ipl_status ipl_admit_refuse_stranger(struct ipl_error *err);
/** A connection is a stranger from now on: it has so long to say who it is. */
void ipl_admit_watch(struct ipl_server *server);
/** A listener at @address, named @name: refused where everybody could come in from anywhere. */
enum ipl_status ipl_admit_listener(const struct ipl_server *server, const char *name,
				   const struct sockaddr *address,
				   struct ipl_error *err) IPL_MUST_USE;

/**
 * Let what was appended to conn->out leave in its turn: notifications, behind the
 * answers before them. False when the connection is gone.
 */
bool ipl_conn_notify(struct ipl_conn *conn) IPL_MUST_USE;

/* --- subscribe.c --- */

enum ipl_status ipl_subscribers_open(struct ipl_server *server, struct ipl_error *err) IPL_MUST_USE;
void ipl_subscribers_close(struct ipl_server *server);
/** Events became durable, or a subscriber has room again. */
void ipl_subscribers_wake(struct ipl_server *server);
/** Tell all subscribers where to resume: the server is stopping. */
void ipl_subscribers_stop(struct ipl_server *server);
/** Take what the engine's answer asks for: answer->feed, answer->unsubscribe. May refuse. */
void ipl_subscribe(struct ipl_conn *conn, struct ipl_answer *answer);
/** The answer to Subscribe has left: its events may follow. */
void ipl_subscription_begin(struct ipl_conn *conn, int64_t id);
/** The answer was replaced by an error: there is no such subscription. */
void ipl_subscription_drop(struct ipl_conn *conn, int64_t id);
void ipl_subscriptions_free(struct ipl_conn *conn);

enum ipl_status ipl_listen(struct ipl_server *server, const char *address,
			   struct ipl_error *err) IPL_MUST_USE;
/** Native doors at the sockets that systemd opened for us (sd_listen_fds(3)), if it did. */
enum ipl_status ipl_listen_passed(struct ipl_server *server, struct ipl_error *err) IPL_MUST_USE;
void ipl_listeners_close(struct ipl_server *server);
/** The HTTP door waits too where there is no descriptor. */
void ipl_listen_http(struct evhttp_bound_socket *bound);
/** Every second: who waited for a descriptor tries again. */
void ipl_listeners_beat(struct ipl_server *server);
/** Tell systemd, where there is one (sd_notify(3)). */
void ipl_notify_manager(const char *state);

/** Start the HTTP listener; "none": there is none. */
enum ipl_status ipl_http_open(struct ipl_server *server, const char *address,
			      struct ipl_error *err) IPL_MUST_USE;

/** Let go what the disk has now; with @failed, answer the rest with it. */
void ipl_http_release(struct ipl_server *server, uint64_t durable_seq,
		      const struct ipl_error *failed);
/** Jobs are done: what waited for one is answered. */
void ipl_http_retry_done(struct ipl_server *server);
/* --- page_events.c --- */

enum ipl_status ipl_streams_open(struct ipl_server *server, struct ipl_error *err) IPL_MUST_USE;
/** Events became durable: whoever reads /events has a turn. */
void ipl_streams_wake(struct ipl_server *server);
/** Every second. */
void ipl_streams_beat(struct ipl_server *server);
/** End those whose key is not in @new as it was in @old. */
void ipl_streams_look_again(struct ipl_server *server, const struct ipl_keys *old,
			    const struct ipl_keys *new);
/** End all of them: the server is stopping. */
void ipl_streams_stop(struct ipl_server *server);
void ipl_streams_close(struct ipl_server *server);

/** Whether the key @principal ("key:ID") is in both, with the same secret; *@role: its role now. */
bool ipl_admit_still(const struct ipl_keys *old, const struct ipl_keys *new, const char *principal,
		     enum ipl_access *role);

/** Take no more connections. */
void ipl_http_finish(struct ipl_server *server);
/** End all connections; what is not answered yet is not any more. */
void ipl_http_close(struct ipl_server *server);

/** Split "HOST:PORT", "[::1]:PORT". False where it is neither. */
bool ipl_host_port(const char *text, char host[128], char port[8]);

#endif
