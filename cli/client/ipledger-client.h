/* SPDX-License-Identifier: Apache-2.0 */
/**
 * libipledger-client: calls to an ipledger server from C.
 *
 *     struct ipl_client *client = ipl_client_new();
 *     struct ipl_client_error err;
 *     struct ipl_client_answer *answer;
 *     const char *const params[] = { "CidrBlock=10.0.0.0/16", NULL };
 *
 *     if (ipl_client_connect(client, "unix:/run/ipledger/ipledger.sock", &err) ||
 *         ipl_client_call_words(client, "CreateVpc", params, &answer, &err))
 *             errx(1, "%s", err.text);
 *     puts(ipl_client_answer_text(answer, "VpcId"));
 *     ipl_client_answer_free(answer);
 *     ipl_client_free(client);
 *
 * Compile with `pkg-config --cflags --libs ipledger-client`. What can be called: `ipledger help
 * operations`; what is answered: docs/PROTOCOL.md.
 *
 * Every call blocks. A client is one connection and for one thread at a time; clients share
 * nothing. No signal's handling is changed, no thread is made, nothing is printed, and only
 * ipl_client_use_environment() looks at the environment.
 *
 * Functions that give an ipl_client_status fill *err unless it is IPL_CLIENT_OK. Pointers must not
 * be NULL where nothing else is said.
 */
#ifndef IPL_CLIENT_H
#define IPL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a call ended. The numbers are for ever; more may come. */
enum ipl_client_status {
	IPL_CLIENT_OK = 0,
	/** The ledger said no, and did nothing. err->code says why; there is an answer. */
	IPL_CLIENT_REFUSED = 1,
	/** There is no notification for now. Nothing is wrong. */
	IPL_CLIENT_NOTHING = 2,
	/** There is no connection, and nothing was asked. */
	IPL_CLIENT_UNREACHABLE = 3,
	/**
	 * The connection broke, or time ran out, while an answer was awaited: what was asked may
	 * have been done or not. Connect and ask again with the same ClientToken, which makes one
	 * of both. Until ipl_client_connect() every call gives this.
	 */
	IPL_CLIENT_LOST = 4,
	/** The caller's mistake: parameters that are no MessagePack map, calls in the wrong order.
	 */
	IPL_CLIENT_INVALID = 5,
	IPL_CLIENT_NO_MEMORY = 6,
};

/** Why a call did not give IPL_CLIENT_OK. Belongs to the caller; nothing to free. */
struct ipl_client_error {
	enum ipl_client_status status;
	int http_status; /* of a refusal: 403, 404, …; else 0 */
	char code[96];   /* of a refusal: "InvalidVpcId.NotFound"; else "" */
	char text[512];  /* one sentence: what is wrong, with the value, and the way out */
};

struct ipl_client;        /* a connection, or none yet */
struct ipl_client_answer; /* a result, the facts of a refusal, or a notification */

/* --- connecting --- */

/** A client that is not connected. NULL without memory. */
struct ipl_client *ipl_client_new(void);
/** Disconnect and free. Answers that were given stay. NULL is fine. */
void ipl_client_free(struct ipl_client *client);

/**
 * The key for TCP doors, copied; two NULLs: none. A Unix socket goes by the uid and needs none.
 * IPL_CLIENT_INVALID where the id is longer than 120 bytes, the secret longer than 128, or one is
 * missing or empty.
 */
enum ipl_client_status ipl_client_set_key(struct ipl_client *client, const char *id,
					  const char *secret, struct ipl_client_error *err);
/**
 * The file (PEM) of those who may vouch for a server at tls:, copied; NULL: those the system
 * trusts. False without memory.
 */
bool ipl_client_set_tls_ca(struct ipl_client *client, const char *path);
/**
 * The key of IPLEDGER_ACCESS_KEY_ID and IPLEDGER_ACCESS_KEY_SECRET, else that of
 * ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, and the file of IPLEDGER_TLS_CA,
 * as the command line takes them. What is not set changes nothing.
 * IPL_CLIENT_INVALID where only one of a pair is set, or as ipl_client_set_key().
 */
enum ipl_client_status ipl_client_use_environment(struct ipl_client *client,
						  struct ipl_client_error *err);
/**
 * How long connecting may take, and each wait for one answer; 0 (as it is made): for ever.
 * Beyond it the call gives IPL_CLIENT_UNREACHABLE or IPL_CLIENT_LOST.
 */
void ipl_client_set_timeout_ms(struct ipl_client *client, unsigned timeout_ms);

/**
 * Connect to @address ("unix:PATH", "tcp:HOST:PORT", "tls:HOST:PORT"; "[::1]:PORT" for an IPv6
 * address) and say Hello. A connection there was is ended first, and what it owed is forgotten.
 *
 * IPL_CLIENT_UNREACHABLE  nobody listens there, the certificate is not trusted, time ran out
 * IPL_CLIENT_REFUSED      the server does not let us in: err->code; there is no answer to free
 * IPL_CLIENT_LOST         it broke while hands were shaken
 */
enum ipl_client_status ipl_client_connect(struct ipl_client *client, const char *address,
					  struct ipl_client_error *err);
/** The socket, for poll(2) beside others; -1 without a connection. Not to be read or closed. */
int ipl_client_fd(const struct ipl_client *client);

/* --- calls --- */

/**
 * Call @operation with @params, @params_len bytes that are one MessagePack map (0 bytes: none),
 * and wait for the answer.
 *
 * IPL_CLIENT_OK, IPL_CLIENT_REFUSED: *answer is the result, or the error as a map (Code, Message,
 * RequestId, HttpStatus, Detail), and the caller's to free. Otherwise *answer is NULL.
 */
enum ipl_client_status ipl_client_call(struct ipl_client *client, const char *operation,
				       const void *params, size_t params_len,
				       struct ipl_client_answer **answer,
				       struct ipl_client_error *err);
/**
 * The same with parameters as `ipledger call` takes them: "Name=value", "Name.1=value",
 * "Name.1.Field=value", lists as JSON too; typed by the operation's own table. @words ends with
 * NULL; NULL itself is none. IPL_CLIENT_INVALID also where a word is none.
 */
enum ipl_client_status ipl_client_call_words(struct ipl_client *client, const char *operation,
					     const char *const *words,
					     struct ipl_client_answer **answer,
					     struct ipl_client_error *err);

/**
 * Pipelining: ask without waiting. Answers come in the order of asking, one
 * ipl_client_receive() for each. Requests leave when some have gathered, at the latest
 * with the next ipl_client_receive(). Who asks a lot before taking an answer may wait for ever, as
 * the server does not read from who does not read: keep to some hundreds.
 */
enum ipl_client_status ipl_client_send(struct ipl_client *client, const char *operation,
				       const void *params, size_t params_len,
				       struct ipl_client_error *err);
/** Wait for the next answer, as ipl_client_call(). IPL_CLIENT_INVALID where none is owed. */
enum ipl_client_status ipl_client_receive(struct ipl_client *client,
					  struct ipl_client_answer **answer,
					  struct ipl_client_error *err);
/** How many answers are owed. */
size_t ipl_client_owed(const struct ipl_client *client);

/**
 * After a call of Subscribe: the next notification, waited for at most @wait_ms milliseconds
 * (0: only what is here; -1: for ever). *name is "Event", "Heartbeat" or "SubscriptionEnded" and
 * lives as long as *what, which is the caller's to free.
 *
 * IPL_CLIENT_NOTHING  none came in time, or a signal came first
 * IPL_CLIENT_INVALID  an answer is owed: take it first
 */
enum ipl_client_status ipl_client_notice(struct ipl_client *client, int wait_ms, const char **name,
					 struct ipl_client_answer **what,
					 struct ipl_client_error *err);

/* --- answers --- */

/** NULL is fine. */
void ipl_client_answer_free(struct ipl_client_answer *answer);
/** The answer as it came: one MessagePack map. Lives as long as the answer. */
const void *ipl_client_answer_bytes(const struct ipl_client_answer *answer, size_t *len);
/**
 * The text at @path, such as "InstanceIdSets.InstanceIdSet.1": names of members and, in lists,
 * numbers from 1. NULL where there is none or it is no text. Lives as long as the answer.
 */
const char *ipl_client_answer_text(struct ipl_client_answer *answer, const char *path);
/** The integer at @path; false (and *out as it was) where there is none. */
bool ipl_client_answer_int(struct ipl_client_answer *answer, const char *path, int64_t *out);
/** The boolean at @path; false where there is none. */
bool ipl_client_answer_bool(struct ipl_client_answer *answer, const char *path, bool *out);
/** How many items the list at @path has, or members the map; 0 where there is neither. */
size_t ipl_client_answer_count(struct ipl_client_answer *answer, const char *path);
/**
 * What is at @path ("": all) as JSON, in one line. NULL where there is nothing, or no memory.
 * Lives as long as the answer.
 */
const char *ipl_client_answer_json(struct ipl_client_answer *answer, const char *path);

#ifdef __cplusplus
}
#endif

#endif
