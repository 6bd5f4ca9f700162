/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two signatures that the cloud's SDKs send, as pure functions: no clock, no
 * keys, no memory of nonces.
 *
 * Version 1 (HMAC-SHA1): in the query or the form, over all other parameters.
 * ACS3 (HMAC-SHA256): in the Authorization header, over the query, the hash of
 * the body, and the headers that it names. Both sign what was meant: names and
 * values are decoded and encoded again, never taken as they were on the wire.
 */
#ifndef IPL_SERVER_SIGNATURE_H
#define IPL_SERVER_SIGNATURE_H

#include "server/params_http.h"

/* Each name that is signed is looked for among all headers. */
#define IPL_HEADERS_MAX        256u
#define IPL_SIGNED_HEADERS_MAX 64u

struct ipl_header {
	struct ipl_str name;
	struct ipl_str value;
};

/** What of a request can be signed. All is borrowed. */
struct ipl_signed {
	struct ipl_str method; /* as in the request line */
	struct ipl_str path;   /* of the request line, not decoded */
	struct ipl_pairs query;
	struct ipl_pairs form; /* of a body that is a form */
	const struct ipl_header *header;
	uint32_t header_count;
	struct ipl_str body; /* without its chunks */
};

enum ipl_signature_kind {
	IPL_SIGNATURE_V1,
	IPL_SIGNATURE_ACS3,
};

/** What a request says of itself and of its signature. */
struct ipl_signature {
	enum ipl_signature_kind kind;
	struct ipl_str action;
	struct ipl_str version; /* absent where there is none */
	struct ipl_str key_id;
	struct ipl_str timestamp;
	struct ipl_str nonce;
	struct ipl_str given;   /* the signature itself: base64, or hex */
	struct ipl_str headers; /* ACS3: the names that it covers, "a;b;c" */
};

/**
 * Find the signature of @req, and look at its shape. Refused, in this order, with
 * IPL_CODE_MISSING_ACTION; MISSING_ACCESS_KEY_ID, INCOMPLETE_SIGNATURE (an
 * Authorization that cannot be read), SIGNATURE_METHOD (neither of the two),
 * MISSING_SIGNATURE, MISSING_TIMESTAMP, MISSING_NONCE; INVALID_PARAMETER (one of
 * them is there twice, with different values). The texts live in @arena.
 */
enum ipl_status ipl_signature_read(const struct ipl_signed *req, struct ipl_arena *arena,
				   struct ipl_signature *out, struct ipl_error *err) IPL_MUST_USE;

/**
 * The signature that @req should have for @secret, to be compared in constant time.
 * Refused with IPL_CODE_SIGNATURE_MISMATCH where none could match: a body whose hash
 * is not the one that is signed, a header that changes the meaning and is not signed.
 */
enum ipl_status ipl_signature_make(const struct ipl_signed *req, const struct ipl_signature *sig,
				   struct ipl_str secret, struct ipl_arena *arena,
				   struct ipl_str *out, struct ipl_error *err) IPL_MUST_USE;

/** The value of the one header @name; absent where there is none or more than one. */
struct ipl_str ipl_header_find(const struct ipl_signed *req, const char *name);

#endif
