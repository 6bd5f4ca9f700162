/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both doors ask of a signed request beside its signature: that its time is
 * near, that its key is known, that its nonce is new, and that its peer does not
 * guess. No clock and no chance in here: both come as arguments.
 *
 * A door calls, in this order:
 *
 *     ipl_auth_begin()   time, key, and whether the peer may try
 *     (computes the signature with the key's secret)
 *     ipl_auth_equal()   compares it
 *     ipl_auth_failed()  where it is wrong; or
 *     ipl_auth_finish()  where it is right: the nonce is used now
 *
 * All calls of one object are made from one thread.
 */
#ifndef IPL_SERVER_AUTH_H
#define IPL_SERVER_AUTH_H

#include "server/keys.h"

/* How far a request's time may be from ours, into the past and into the future. */
#define IPL_AUTH_SKEW_MS ((int64_t)15 * 60 * 1000)
/* Wrong signatures of one peer for one key: so many at once, then one each step. */
#define IPL_AUTH_FAILURES_BURST 32
#define IPL_AUTH_FAILURE_MS     1000
/* Peers whose failures are counted; beyond, who has failed least is forgotten. */
#define IPL_AUTH_PEERS_MAX 4096u
/* Nonces that are remembered, at 16 to 32 bytes each. */
#define IPL_AUTH_NONCES_MAX   ((size_t)1 << 23)
#define IPL_AUTH_RANDOM_BYTES 16
#define IPL_AUTH_NONCE_MAX    256u

struct sockaddr;
struct ipl_auth;

/** What a request says of itself. */
struct ipl_claim {
	uint64_t peer; /* ipl_auth_peer() */
	struct ipl_str key_id;
	struct ipl_str timestamp;
	struct ipl_str nonce;
	int64_t time_ms;        /* out: what the timestamp says, by ipl_auth_begin() */
	int64_t retry_after_ms; /* out: with IPL_CODE_THROTTLED, when to try again */
};

/** @random keys the hashes, so that no peer can choose who collides. At most @nonces_max nonces
 * (IPL_AUTH_NONCES_MAX) are remembered. NULL without memory. */
struct ipl_auth *ipl_auth_new(const uint8_t random[IPL_AUTH_RANDOM_BYTES], size_t nonces_max);
void ipl_auth_free(struct ipl_auth *auth);

/** Who a connection comes from: an IPv4 address, or the /64 of an IPv6 one. */
uint64_t ipl_auth_peer(const struct sockaddr *address);

/**
 * Whether the request may be looked at. Refused, in this order, with
 * IPL_CODE_TIMESTAMP_FORMAT, IPL_CODE_TIMESTAMP_EXPIRED, IPL_CODE_THROTTLED (this peer was wrong
 * too often with this key, or with keys that do not exist), IPL_CODE_KEY_NOT_FOUND. On success
 * @key is the key, good as long as @keys.
 */
enum ipl_status ipl_auth_begin(struct ipl_auth *auth, const struct ipl_keys *keys,
			       struct ipl_claim *claim, int64_t now_ms,
			       const struct ipl_access_key **key,
			       struct ipl_error *err) IPL_MUST_USE;
/** The signature was wrong: count it. */
void ipl_auth_failed(struct ipl_auth *auth, const struct ipl_claim *claim, int64_t now_ms);
/**
 * The signature was right: remember the nonce until its time is out of the window.
 * Refused with IPL_CODE_NONCE_USED; with IPL_CODE_INVALID_PARAMETER where it is empty or longer
 * than IPL_AUTH_NONCE_MAX; and with IPL_CODE_THROTTLED where no more can be remembered: none is
 * forgotten early.
 */
enum ipl_status ipl_auth_finish(struct ipl_auth *auth, struct ipl_claim *claim, int64_t now_ms,
				struct ipl_error *err) IPL_MUST_USE;
/**
 * A key that shows its secret itself, over a line that nobody else hears: claim->peer and
 * claim->key_id count. Refused with IPL_CODE_THROTTLED, and with IPL_CODE_UNAUTHENTICATED
 * where the key or its secret is another.
 */
enum ipl_status ipl_auth_secret(struct ipl_auth *auth, const struct ipl_keys *keys,
				struct ipl_claim *claim, struct ipl_str secret, int64_t now_ms,
				const struct ipl_access_key **key,
				struct ipl_error *err) IPL_MUST_USE;
/** How many nonces are remembered now. */
size_t ipl_auth_nonce_count(const struct ipl_auth *auth);

/** Compare secrets in a time that tells nothing but their lengths. */
bool ipl_auth_equal(struct ipl_str a, struct ipl_str b);
/** The signature of Hello: HMAC-SHA256 of "id\ntimestamp\nnonce", in hex. */
void ipl_hello_sign(const struct ipl_access_key *key, struct ipl_str timestamp,
		    struct ipl_str nonce, char out[65]);

#endif
