/* SPDX-License-Identifier: Apache-2.0 */
/* Who an HTTP request is from. */
#include "server/http_internal.h"

#include <event2/bufferevent.h>

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "events/time.h"

uint64_t ipl_http_peer(struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(at);

	/* A peer that is gone already is nobody; its answer reaches nobody either. */
	if (evcon != NULL)
		(void)getpeername(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)),
				  (struct sockaddr *)&at, &len);
	return ipl_auth_peer((struct sockaddr *)&at);
}

static void become(struct ipl_http_caller *caller, struct ipl_str key, enum ipl_access access)
{
	static_assert(sizeof("key:") + IPL_KEY_ID_MAX <= sizeof(caller->principal),
		      "every key fits");
	memcpy(caller->principal, "key:", 4);
	memcpy(caller->principal + 4, key.at, key.len);
	caller->principal[4 + key.len] = '\0';
	caller->access = access;
}

/* For tests: only what it looks like counts. */
static enum ipl_status take_any(const struct ipl_signature *sig, struct ipl_http_caller *out,
				struct ipl_error *err)
{
	int64_t time_ms;

	if (!ipl_key_id_is_valid(sig->key_id))
		return ipl_refuse(err, IPL_CODE_KEY_NOT_FOUND,
				  "the AccessKeyId is none: letters, digits and -_.@, up to %u",
				  IPL_KEY_ID_MAX);
	if (!ipl_time_parse(sig->timestamp, &time_ms))
		return ipl_refuse(err, IPL_CODE_TIMESTAMP_FORMAT,
				  "the timestamp is no time such as 2026-11-23T14:03:00Z");
	become(out, sig->key_id, IPL_ACCESS_ADMIN);
	return IPL_OK;
}

static enum ipl_status check_signature(struct ipl_server *server,
				       const struct ipl_http_request *parts,
				       const struct ipl_signature *sig, struct ipl_claim *claim,
				       struct ipl_http_caller *out, struct ipl_error *err)
{
	const struct ipl_access_key *key;
	struct ipl_str ours;
	int64_t now_ms = ipl_now_ms();
	enum ipl_status st = ipl_auth_begin(server->auth, server->keys, claim, now_ms, &key, err);

	if (st != IPL_OK)
		return st;
	st = ipl_signature_make(&parts->is, sig, ipl_str_of(key->secret), &server->arena, &ours,
				err);
	if (st == IPL_OK && !ipl_auth_equal(ours, sig->given))
		st = ipl_refuse(err, IPL_CODE_SIGNATURE_MISMATCH,
				"the signature is not the one that the secret of %s makes",
				key->id);
	if (st == IPL_REFUSED)
		ipl_auth_failed(server->auth, claim, now_ms);
	if (st == IPL_OK)
		st = ipl_auth_finish(server->auth, claim, now_ms, err);
	if (st == IPL_OK)
		become(out, claim->key_id, key->role);
	return st;
}

enum ipl_status ipl_http_admit(struct ipl_server *server, struct evhttp_request *req,
			       const struct ipl_http_request *parts,
			       const struct ipl_signature *sig, struct ipl_http_caller *out,
			       struct ipl_error *err)
{
	struct ipl_claim claim = { .peer = ipl_http_peer(req),
				   .key_id = sig->key_id,
				   .timestamp = sig->timestamp,
				   .nonce = sig->nonce };
	enum ipl_status st;

	*out = (struct ipl_http_caller){ .access = IPL_ACCESS_AUDITOR };
	if (server->any_key)
		return take_any(sig, out, err);
	st = check_signature(server, parts, sig, &claim, out, err);
	out->retry_after_ms = claim.retry_after_ms;
	if (st != IPL_OK)
		ipl_log_often(IPL_LOG_WARN, &server->http_refusals,
			      "an HTTP request is refused: %s: %s", ipl_code_text(err->code),
			      err->text);
	return st;
}

enum ipl_status ipl_http_who(struct ipl_server *server, struct evhttp_request *req,
			     const char *action, struct ipl_http_caller *out, struct ipl_error *err)
{
	struct ipl_http_request parts;
	struct ipl_signature sig;
	enum ipl_status st;

	ipl_arena_reset(&server->arena);
	st = ipl_http_take(req, &server->arena, &parts, err);
	if (st == IPL_OK)
		st = ipl_signature_read(&parts.is, &server->arena, &sig, err);
	if (st == IPL_OK && !ipl_str_is(sig.action, action))
		st = ipl_refuse(err, IPL_CODE_API_NOT_FOUND,
				"this page is signed for the Action %s", action);
	return st == IPL_OK ? ipl_http_admit(server, req, &parts, &sig, out, err) : st;
}
