/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in: the keys of the server, Hello, and those who have not said it. */
#include "server/serve_internal.h"

#include <sodium/randombytes.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/time.h"

#define SIGNATURE_CHARS 64u
#define SWEEP_S         2
/* A secret that is shorter can be guessed by who has recorded a signature. */
#define SECRET_SHORT 16u

/* --- the file --- */

static bool is_reached_by_tcp(const struct ipl_serve_options *options)
{
	for (size_t i = 0; i < options->rpc_count; i++) {
		if (strncmp(options->rpc[i], "tcp:", 4) == 0)
			return true;
	}
	return strcmp(options->http, "none") != 0;
}

static enum ipl_status make_first_key(const char *path, struct ipl_error *err)
{
	struct ipl_access_key key;
	enum ipl_status st;

	ipl_key_generate(IPL_ACCESS_ADMIN, &key);
	st = ipl_keys_add(path, &key, err);
	if (st == IPL_OK)
		ipl_log(IPL_LOG_INFO,
			"made %s with one admin key, %s: `ipledger keys env` shows how to use it",
			path, key.id);
	ipl_key_wipe(&key);
	return st;
}

static void warn_of_short(const char *path, const struct ipl_keys *keys)
{
	for (size_t i = 0; i < ipl_keys_count(keys); i++) {
		if (strlen(ipl_keys_at(keys, i)->secret) < SECRET_SHORT)
			ipl_log(IPL_LOG_WARN,
				"%s: the secret of %s is short: `ipledger keys add` makes one that "
				"cannot be guessed",
				path, ipl_keys_at(keys, i)->id);
	}
}

static enum ipl_status read_keys(struct ipl_server *server, bool make, struct ipl_error *err)
{
	enum ipl_status st = ipl_keys_load(server->keys_path, &server->keys, err);

	if (st == IPL_ERR_END && make) {
		st = make_first_key(server->keys_path, err);
		if (st == IPL_OK)
			st = ipl_keys_load(server->keys_path, &server->keys, err);
	}
	if (st == IPL_OK)
		warn_of_short(server->keys_path, server->keys);
	return st;
}

enum ipl_status ipl_admit_open(struct ipl_server *server, const struct ipl_serve_options *options,
			       struct ipl_error *err)
{
	uint8_t random[IPL_AUTH_RANDOM_BYTES];
	char path[4200];
	enum ipl_status st = IPL_ERR_END;

	(void)snprintf(path, sizeof(path), "%s/keys", options->data);
	randombytes_buf(random, sizeof(random));
	server->any_key = options->any_key;
	server->tls_cert = options->tls_cert;
	server->tls_key = options->tls_key;
	if (options->tls_cert != NULL) {
		enum ipl_status tls =
			ipl_tls_server_load(options->tls_cert, options->tls_key, &server->tls, err);
		if (tls != IPL_OK)
			return tls;
	}
	server->keys_path = strdup(options->keys != NULL ? options->keys : path);
	server->auth = ipl_auth_new(random, IPL_AUTH_NONCES_MAX);
	if (server->keys_path == NULL || server->auth == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for keys");
	if (!options->any_key)
		st = read_keys(server, options->keys == NULL && is_reached_by_tcp(options), err);
	if (st == IPL_ERR_END && options->keys != NULL)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s does not exist: ipledger keys add --keys %s makes it",
				     options->keys, options->keys);
	if (st == IPL_ERR_END) { /* only the Unix socket is served, or everybody is let in */
		server->keys = ipl_keys_none();
		st = server->keys != NULL ?
			     IPL_OK :
			     ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for keys");
	}
	return st;
}

void ipl_admit_close(struct ipl_server *server)
{
	if (server->sweep != NULL)
		event_free(server->sweep);
	ipl_tls_server_free(server->tls);
	ipl_keys_free(server->keys);
	ipl_auth_free(server->auth);
	free(server->keys_path);
}

/* --- reading it again --- */

bool ipl_admit_still(const struct ipl_keys *old, const struct ipl_keys *new, const char *principal,
		     enum ipl_access *role)
{
	struct ipl_str id = ipl_str_of(principal + strlen("key:"));
	const struct ipl_access_key *was = ipl_keys_find(old, id), *is = ipl_keys_find(new, id);

	if (was == NULL || is == NULL ||
	    !ipl_auth_equal(ipl_str_of(was->secret), ipl_str_of(is->secret)))
		return false;
	*role = is->role;
	return true;
}

static void look_again(struct ipl_conn *conn, const struct ipl_keys *old,
		       const struct ipl_keys *new)
{
	if (ipl_admit_still(old, new, conn->principal, &conn->access))
		return;
	ipl_log(IPL_LOG_INFO, "%s: the key is gone or changed: its connection ends",
		conn->principal);
	/* What it has sent and was not looked at yet is a stranger's. */
	conn->is_stranger = true;
	conn->server->stranger_count++;
	ipl_conn_finish(conn);
}

/* New connections have the new certificate; those that are open keep theirs. */
static void reload_tls(struct ipl_server *server)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_tls_server *new;

	if (server->tls == NULL)
		return;
	if (ipl_tls_server_load(server->tls_cert, server->tls_key, &new, &err) != IPL_OK) {
		ipl_log(IPL_LOG_ERROR, "the certificate stays as it was: %s", err.text);
		return;
	}
	ipl_tls_server_free(server->tls);
	server->tls = new;
	ipl_log(IPL_LOG_INFO, "%s: the certificate for new connections", server->tls_cert);
}

static void reload_keys(struct ipl_server *server)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	struct ipl_keys *old = server->keys, *new = NULL;
	enum ipl_status st;

	if (server->any_key)
		return;
	st = ipl_keys_load(server->keys_path, &new, &err);
	if (st == IPL_ERR_END && ipl_keys_count(old) == 0)
		return; /* there were none, and are none */
	if (st != IPL_OK) {
		ipl_log(IPL_LOG_ERROR, "the keys stay as they were: %s", err.text);
		return;
	}
	warn_of_short(server->keys_path, new);
	server->keys = new;
	for (struct ipl_conn *conn = server->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		if (conn->is_by_key)
			look_again(conn, old, new);
	}
	ipl_streams_look_again(server, old, new);
	ipl_keys_free(old);
	ipl_log(IPL_LOG_INFO, "%s: %zu keys", server->keys_path, ipl_keys_count(new));
}

void ipl_admit_reload(struct ipl_server *server)
{
	reload_tls(server);
	reload_keys(server);
}

/* --- Hello --- */

enum ipl_status ipl_admit_refuse_stranger(struct ipl_error *err)
{
	return ipl_refuse(
		err, IPL_CODE_UNAUTHENTICATED,
		"say first who you are: Hello {AccessKeyId, Timestamp, Nonce, Signature}, "
		"where Signature is HMAC-SHA256 over AccessKeyId\\nTimestamp\\nNonce, hex");
}

static enum ipl_status missing(const char *name, struct ipl_error *err)
{
	ipl_refuse(err, IPL_CODE_MISSING_PARAMETER, "Hello with AccessKeyId wants %s", name);
	ipl_error_add(err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

static enum ipl_status wrong(const char *name, const char *what, struct ipl_error *err)
{
	ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "%s is %s", name, what);
	ipl_error_add(err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

static bool is_hex(struct ipl_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (memchr("0123456789abcdefABCDEF", text.at[i], 22) == NULL)
			return false;
	}
	return text.len == SIGNATURE_CHARS;
}

/* In lower case, as ours is. */
static bool is_signature(struct ipl_str given, const char ours[SIGNATURE_CHARS + 1])
{
	char lower[SIGNATURE_CHARS];

	for (size_t i = 0; i < SIGNATURE_CHARS; i++)
		lower[i] = (char)(given.at[i] >= 'A' && given.at[i] <= 'F' ? given.at[i] + 32 :
									     given.at[i]);
	return ipl_auth_equal((struct ipl_str){ lower, SIGNATURE_CHARS }, ipl_str_of(ours));
}

static void become(struct ipl_conn *conn, struct ipl_str key, enum ipl_access role)
{
	memcpy(conn->principal, "key:", 4);
	memcpy(conn->principal + 4, key.at, key.len);
	conn->principal[4 + key.len] = '\0';
	conn->access = role;
	conn->server->stranger_count -= conn->is_stranger;
	conn->is_stranger = false;
}

/* For tests: only what it looks like counts. */
static enum ipl_status take_any(struct ipl_conn *conn, const struct ipl_claim *claim,
				struct ipl_str signature, struct ipl_error *err)
{
	int64_t time_ms;

	if (!ipl_key_id_is_valid(claim->key_id))
		return wrong("AccessKeyId", "no id of a key: letters, digits and -_.@", err);
	if (claim->timestamp.len > 0 && !ipl_time_parse(claim->timestamp, &time_ms))
		return ipl_refuse(err, IPL_CODE_TIMESTAMP_FORMAT,
				  "Timestamp is no time such as 2026-11-23T14:03:00Z");
	if (signature.len > 0 && !is_hex(signature))
		return wrong("Signature", "not 64 hexadecimal digits", err);
	if (conn->is_tcp)
		become(conn, claim->key_id, IPL_ACCESS_ADMIN);
	return IPL_OK;
}

static enum ipl_status check_signature(struct ipl_conn *conn, struct ipl_claim *claim,
				       struct ipl_str signature, int64_t now_ms,
				       struct ipl_error *err)
{
	struct ipl_server *server = conn->server;
	const struct ipl_access_key *key;
	char ours[SIGNATURE_CHARS + 1];
	enum ipl_status st = ipl_auth_begin(server->auth, server->keys, claim, now_ms, &key, err);

	if (st != IPL_OK)
		return st;
	ipl_hello_sign(key, claim->timestamp, claim->nonce, ours);
	if (!is_signature(signature, ours)) {
		ipl_auth_failed(server->auth, claim, now_ms);
		return ipl_refuse(err, IPL_CODE_SIGNATURE_MISMATCH,
				  "the signature is not that of %s: it is HMAC-SHA256, keyed with "
				  "the secret, over AccessKeyId\\nTimestamp\\nNonce, in hex",
				  key->id);
	}
	st = ipl_auth_finish(server->auth, claim, now_ms, err);
	if (st != IPL_OK)
		return st;
	become(conn, claim->key_id, key->role);
	conn->is_by_key = true;
	return IPL_OK;
}

enum ipl_status ipl_admit_hello(struct ipl_conn *conn, const struct ipl_value *params,
				int64_t now_ms, struct ipl_error *err)
{
	struct ipl_str signature = ipl_map_text(params, "Signature");
	struct ipl_claim claim = {
		.peer = conn->peer,
		.key_id = ipl_map_text(params, "AccessKeyId"),
		.timestamp = ipl_map_text(params, "Timestamp"),
		.nonce = ipl_map_text(params, "Nonce"),
	};
	enum ipl_status st;

	if (claim.key_id.len == 0)
		return conn->is_stranger ? ipl_admit_refuse_stranger(err) : IPL_OK;
	if (conn->server->any_key)
		return take_any(conn, &claim, signature, err);
	if (claim.timestamp.len == 0)
		return missing("Timestamp", err);
	if (claim.nonce.len == 0)
		return missing("Nonce", err);
	if (signature.len == 0)
		return missing("Signature", err);
	if (!is_hex(signature))
		return wrong("Signature", "not 64 hexadecimal digits", err);
	st = check_signature(conn, &claim, signature, now_ms, err);
	conn->server->counts.hellos++;
	conn->server->counts.hellos_refused += st != IPL_OK;
	if (st != IPL_OK) {
		ipl_log_often(IPL_LOG_WARN, &conn->server->hello_refusals,
			      "a Hello is refused: %s: %s", ipl_code_text(err->code), err->text);
		if (claim.retry_after_ms > 0)
			ipl_error_add(err, "RetryAfterMs", ipl_int(claim.retry_after_ms));
	}
	return st;
}

/* --- strangers --- */

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
	struct ipl_server *server = context;
	int64_t now_ms = ipl_now_ms();

	(void)fd;
	(void)what;
	for (struct ipl_conn *conn = server->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		if (conn->is_stranger && now_ms > conn->opened_ms + IPL_STRANGER_MS)
			ipl_conn_free(conn);
	}
	if (server->stranger_count > 0)
		ipl_admit_watch(server);
}

void ipl_admit_watch(struct ipl_server *server)
{
	const struct timeval soon = { .tv_sec = SWEEP_S };

	if (server->sweep == NULL)
		server->sweep = evtimer_new(server->base, on_sweep, server);
	if (server->sweep != NULL && evtimer_pending(server->sweep, NULL))
		return;
	if (server->sweep == NULL || evtimer_add(server->sweep, &soon) != 0)
		ipl_log(IPL_LOG_WARN, "no timer: connections that say nothing stay");
}

/* --- listeners --- */

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

	if (address->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

enum ipl_status ipl_admit_listener(const struct ipl_server *server, const char *name,
				   const struct sockaddr *address, struct ipl_error *err)
{
	if (is_loopback(address))
		return IPL_OK;
	if (server->any_key)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s is not loopback: with --any-key everybody who reaches it "
				     "would be let in: leave --any-key out, or use 127.0.0.1",
				     name);
	if (server->tls == NULL)
		ipl_log(IPL_LOG_WARN,
			"%s is served without TLS: what goes over the network can be read, and "
			"changed "
			"on its way",
			name);
	return IPL_OK;
}
