/* SPDX-License-Identifier: Apache-2.0 */
/* Used nonces, times that are near, and peers that guess. */
#include "server/auth.h"

#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_shorthash.h>
#include <sodium/utils.h>

#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "events/time.h"

#define MINUTE_MS ((int64_t)60000)
/* A nonce lives until its time is out of the window: up to twice the window from now on. */
#define MINUTES     (2 * IPL_AUTH_SKEW_MS / MINUTE_MS + 2)
#define WAYS        8u
#define FIRST_SLOTS 64u

/* The nonces whose time runs out within one minute: a set of hashes; 0 is an empty slot. */
struct minute {
	int64_t number; /* minutes since the Unix epoch */
	uint64_t *slot;
	size_t count;
	size_t cap; /* a power of two, or 0 */
};

/*
 * Who has failed: the moment at which all its failures are made good, each by IPL_AUTH_FAILURE_MS
 * without another one.
 */
struct failures {
	uint64_t who; /* a hash; 0: nobody */
	int64_t clear_ms;
};

struct ipl_auth {
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	struct minute minute[MINUTES];
	size_t nonce_count;
	size_t nonces_max;
	struct failures failures[IPL_AUTH_PEERS_MAX];
};

static_assert(crypto_shorthash_KEYBYTES == IPL_AUTH_RANDOM_BYTES, "the key of the hashes");
static_assert(IPL_AUTH_PEERS_MAX % WAYS == 0, "the table of peers is made of sets");

struct ipl_auth *ipl_auth_new(const uint8_t random[IPL_AUTH_RANDOM_BYTES], size_t nonces_max)
{
	struct ipl_auth *auth = calloc(1, sizeof(*auth));

	if (auth == NULL)
		return NULL;
	memcpy(auth->hash_key, random, sizeof(auth->hash_key));
	auth->nonces_max = nonces_max;
	return auth;
}

void ipl_auth_free(struct ipl_auth *auth)
{
	if (auth == NULL)
		return;
	for (size_t i = 0; i < MINUTES; i++)
		free(auth->minute[i].slot);
	sodium_memzero(auth, sizeof(*auth));
	free(auth);
}

size_t ipl_auth_nonce_count(const struct ipl_auth *auth)
{
	return auth->nonce_count;
}

uint64_t ipl_auth_peer(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	const uint8_t *bytes;
	uint64_t peer = 0;

	if (address->sa_family == AF_INET)
		return (uint64_t)ntohl(in->sin_addr.s_addr);
	if (address->sa_family != AF_INET6)
		return 0;
	bytes = in6->sin6_addr.s6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		bytes += 8; /* and then 0000ffff is in front of the address */
	for (int i = 0; i < 8; i++)
		peer = peer << 8 | bytes[i];
	return IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? peer & UINT32_MAX : peer;
}

/* A hash that is never 0, of two texts whose border counts. */
static uint64_t hash_of(const struct ipl_auth *auth, uint64_t number, struct ipl_str a,
			struct ipl_str b)
{
	uint8_t bytes[16 + IPL_KEY_ID_MAX + IPL_AUTH_NONCE_MAX], digest[crypto_shorthash_BYTES];
	uint64_t lengths = (uint64_t)a.len << 32 | b.len, hash;
	size_t len = 0;

	assert(a.len <= IPL_KEY_ID_MAX);
	assert(b.len <= IPL_AUTH_NONCE_MAX);
	memcpy(bytes, &number, 8);
	memcpy(bytes + 8, &lengths, 8);
	len = 16;
	if (a.len > 0)
		memcpy(bytes + len, a.at, a.len);
	len += a.len;
	if (b.len > 0)
		memcpy(bytes + len, b.at, b.len);
	len += b.len;
	crypto_shorthash(digest, bytes, len, auth->hash_key);
	memcpy(&hash, digest, sizeof(hash));
	return hash == 0 ? 1 : hash;
}

/* --- peers that fail --- */

/* The place of @who, or the one to take for it: a free one, else who has failed least. */
static struct failures *find_failures(struct ipl_auth *auth, uint64_t who)
{
	struct failures *set = &auth->failures[who % (IPL_AUTH_PEERS_MAX / WAYS) * WAYS];
	struct failures *least = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].clear_ms < least->clear_ms)
			least = &set[i];
	}
	return least;
}

static int64_t debt_ms(const struct failures *failures, int64_t now_ms)
{
	const int64_t most = IPL_AUTH_FAILURES_BURST * IPL_AUTH_FAILURE_MS;
	int64_t debt = failures->clear_ms - now_ms;

	/* A clock that was set back must lock nobody out for longer. */
	return debt < 0 ? 0 : debt > most ? most : debt;
}

static void note_failure(struct ipl_auth *auth, uint64_t who, int64_t now_ms)
{
	struct failures *failures = find_failures(auth, who);

	if (failures->who != who)
		*failures = (struct failures){ .who = who };
	failures->clear_ms = now_ms + debt_ms(failures, now_ms) + IPL_AUTH_FAILURE_MS;
}

static enum ipl_status check_failures(struct ipl_auth *auth, uint64_t who, int64_t now_ms,
				      struct ipl_claim *claim, struct ipl_error *err)
{
	struct failures *failures = find_failures(auth, who);
	int64_t room = (IPL_AUTH_FAILURES_BURST - 1) * (int64_t)IPL_AUTH_FAILURE_MS;

	if (failures->who != who || debt_ms(failures, now_ms) <= room)
		return IPL_OK;
	claim->retry_after_ms = debt_ms(failures, now_ms) - room;
	return ipl_refuse(err, IPL_CODE_THROTTLED,
			  "too many wrong signatures from this address: try again in %" PRId64
			  " ms, with the right secret",
			  claim->retry_after_ms);
}

/* --- begin --- */

static enum ipl_status check_time(struct ipl_claim *claim, int64_t now_ms, struct ipl_error *err)
{
	char ours[IPL_TIME_TEXT_MAX];

	if (!ipl_time_parse(claim->timestamp, &claim->time_ms))
		return ipl_refuse(err, IPL_CODE_TIMESTAMP_FORMAT,
				  "the timestamp \"%.*s\" is no time such as 2026-11-23T14:03:00Z",
				  claim->timestamp.len > 64 ? 64 : (int)claim->timestamp.len,
				  claim->timestamp.at == NULL ? "" : claim->timestamp.at);
	if (claim->time_ms >= now_ms - IPL_AUTH_SKEW_MS &&
	    claim->time_ms <= now_ms + IPL_AUTH_SKEW_MS)
		return IPL_OK;
	ipl_time_format(now_ms, ours);
	return ipl_refuse(err, IPL_CODE_TIMESTAMP_EXPIRED,
			  "the timestamp %.*s is more than 15 minutes from the server's time, %s: "
			  "set the clock, write UTC (or the offset), and sign each request anew",
			  IPL_STR_ARG(claim->timestamp), ours);
}

enum ipl_status ipl_auth_begin(struct ipl_auth *auth, const struct ipl_keys *keys,
			       struct ipl_claim *claim, int64_t now_ms,
			       const struct ipl_access_key **key, struct ipl_error *err)
{
	const struct ipl_access_key *found = ipl_keys_find(keys, claim->key_id);
	/* Keys that do not exist are counted together: no peer fills the table with them. */
	uint64_t who = hash_of(auth, claim->peer, found != NULL ? claim->key_id : IPL_STR_NONE,
			       IPL_STR_NONE);
	enum ipl_status st = check_time(claim, now_ms, err);

	if (st == IPL_OK)
		st = check_failures(auth, who, now_ms, claim, err);
	if (st != IPL_OK)
		return st;
	if (found == NULL) {
		note_failure(auth, who, now_ms);
		return ipl_refuse(err, IPL_CODE_KEY_NOT_FOUND,
				  "there is no such access key: `ipledger keys list` on the server "
				  "shows those there are");
	}
	*key = found;
	return IPL_OK;
}

void ipl_auth_failed(struct ipl_auth *auth, const struct ipl_claim *claim, int64_t now_ms)
{
	note_failure(auth, hash_of(auth, claim->peer, claim->key_id, IPL_STR_NONE), now_ms);
}

enum ipl_status ipl_auth_secret(struct ipl_auth *auth, const struct ipl_keys *keys,
				struct ipl_claim *claim, struct ipl_str secret, int64_t now_ms,
				const struct ipl_access_key **key, struct ipl_error *err)
{
	const struct ipl_access_key *found = ipl_keys_find(keys, claim->key_id);
	uint64_t who = hash_of(auth, claim->peer, found != NULL ? claim->key_id : IPL_STR_NONE,
			       IPL_STR_NONE);
	enum ipl_status st = check_failures(auth, who, now_ms, claim, err);

	if (st != IPL_OK)
		return st;
	if (found == NULL || !ipl_auth_equal(secret, ipl_str_of(found->secret))) {
		note_failure(auth, who, now_ms);
		return ipl_refuse(err, IPL_CODE_UNAUTHENTICATED,
				  "there is no such access key, or its secret is another");
	}
	*key = found;
	return IPL_OK;
}

/* --- nonces --- */

static void forget_minute(struct ipl_auth *auth, struct minute *minute)
{
	auth->nonce_count -= minute->count;
	free(minute->slot);
	*minute = (struct minute){ 0 };
}

static bool has(const struct minute *minute, uint64_t hash)
{
	if (minute->count == 0)
		return false;
	for (size_t i = hash & (minute->cap - 1); minute->slot[i] != 0;
	     i = (i + 1) & (minute->cap - 1)) {
		if (minute->slot[i] == hash)
			return true;
	}
	return false;
}

static void put(struct minute *minute, uint64_t hash)
{
	size_t i = hash & (minute->cap - 1);

	while (minute->slot[i] != 0)
		i = (i + 1) & (minute->cap - 1);
	minute->slot[i] = hash;
}

/* Half of the slots at least stay empty, so that a search is short, and ends. */
static bool add(struct minute *minute, uint64_t hash)
{
	if ((minute->count + 1) * 2 > minute->cap) {
		struct minute grown = { .cap = minute->cap == 0 ? FIRST_SLOTS : minute->cap * 2 };
		grown.slot = calloc(grown.cap, sizeof(*grown.slot));
		if (grown.slot == NULL)
			return false;
		for (size_t i = 0; i < minute->cap; i++) {
			if (minute->slot[i] != 0)
				put(&grown, minute->slot[i]);
		}
		free(minute->slot);
		minute->slot = grown.slot;
		minute->cap = grown.cap;
	}
	put(minute, hash);
	minute->count++;
	return true;
}

enum ipl_status ipl_auth_finish(struct ipl_auth *auth, struct ipl_claim *claim, int64_t now_ms,
				struct ipl_error *err)
{
	/* The minute after which no request of that time is taken any more. */
	int64_t last = (claim->time_ms + IPL_AUTH_SKEW_MS) / MINUTE_MS;
	struct minute *minute = &auth->minute[last % MINUTES];
	uint64_t hash;

	assert(claim->time_ms >= now_ms - IPL_AUTH_SKEW_MS);
	assert(claim->time_ms <= now_ms + IPL_AUTH_SKEW_MS);
	if (claim->nonce.len == 0 || claim->nonce.len > IPL_AUTH_NONCE_MAX)
		return ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				  "the nonce has 1 to %u characters, not %zu", IPL_AUTH_NONCE_MAX,
				  claim->nonce.len);
	hash = hash_of(auth, 0, claim->key_id, claim->nonce);
	for (size_t i = 0; i < MINUTES; i++) {
		if (auth->minute[i].count > 0 && auth->minute[i].number < now_ms / MINUTE_MS)
			forget_minute(auth, &auth->minute[i]);
		if (has(&auth->minute[i], hash))
			return ipl_refuse(err, IPL_CODE_NONCE_USED,
					  "the nonce was used before: each request, a retry too, "
					  "takes a new one");
	}
	/* A slot whose minute is another one is of a clock that was set back: it may go. */
	if (minute->number != last)
		forget_minute(auth, minute);
	if (auth->nonce_count >= auth->nonces_max || !add(minute, hash)) {
		claim->retry_after_ms = MINUTE_MS;
		return ipl_refuse(err, IPL_CODE_THROTTLED,
				  "%zu nonces are remembered, and there is room for no more: send "
				  "fewer signed requests, or use the native door, where one Hello "
				  "is enough",
				  auth->nonce_count);
	}
	minute->number = last;
	auth->nonce_count++;
	return IPL_OK;
}

/* --- signatures --- */

bool ipl_auth_equal(struct ipl_str a, struct ipl_str b)
{
	return a.len == b.len && (a.len == 0 || sodium_memcmp(a.at, b.at, a.len) == 0);
}

void ipl_hello_sign(const struct ipl_access_key *key, struct ipl_str timestamp,
		    struct ipl_str nonce, char out[65])
{
	const struct ipl_str parts[] = { ipl_str_of(key->id), IPL_STR("\n"), timestamp,
					 IPL_STR("\n"), nonce };
	crypto_auth_hmacsha256_state state;
	uint8_t digest[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&state, (const uint8_t *)key->secret, strlen(key->secret));
	for (size_t i = 0; i < IPL_ARRAY_SIZE(parts); i++)
		crypto_auth_hmacsha256_update(&state, (const uint8_t *)parts[i].at, parts[i].len);
	crypto_auth_hmacsha256_final(&state, digest);
	sodium_memzero(&state, sizeof(state));
	sodium_bin2hex(out, 65, digest, sizeof(digest));
}
