/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the client library share. */
#ifndef IPL_CLI_CLIENT_INTERNAL_H
#define IPL_CLI_CLIENT_INTERNAL_H

#include "cli/client/ipledger-client.h"
#include "events/msgpack.h"
#include "server/keys.h"
#include "server/tls.h"

#define IPL_CLIENT_ANSWER_BYTES_MAX  ((size_t)8 << 20)
#define IPL_CLIENT_NOTICES_BYTES_MAX ((size_t)64 << 20) /* kept while an answer is awaited */
#define IPL_CLIENT_HOST_MAX          128

struct ipl_client_answer {
	struct ipl_buf bytes;
	struct ipl_arena arena; /* of the tree, made when something is looked for */
	struct ipl_value tree;
	bool is_parsed;
	char name[32];                  /* of a notification */
	struct ipl_client_answer *next; /* of those that wait */
};

struct ipl_client {
	int fd;              /* -1: not connected */
	struct ipl_tls *tls; /* NULL: bytes go as they are */
	bool is_lost;        /* it was connected, and broke */
	struct ipl_buf out;
	struct ipl_buf in;
	struct ipl_scanner scanner;
	uint32_t next_msgid;
	uint32_t next_answer;
	struct ipl_client_answer *first_notice; /* that came before an answer */
	struct ipl_client_answer *last_notice;
	size_t notices_bytes;

	struct ipl_access_key key; /* id "": none */
	char *tls_ca;              /* NULL: the system's */
	unsigned timeout_ms;       /* 0: for ever */
};

/** Fill @err and give @status. */
enum ipl_client_status ipl_client_fail(struct ipl_client_error *err, enum ipl_client_status status,
				       const char *format, ...) IPL_PRINTF(3, 4);
/** The connection is gone: so says every call from now on. */
enum ipl_client_status ipl_client_lose(struct ipl_client *client, struct ipl_client_error *err,
				       const char *what, const char *why);

/** When a wait that begins now ends, on the monotonic clock; -1: never. */
int64_t ipl_client_deadline(const struct ipl_client *client);
/** Send what has gathered. */
enum ipl_client_status ipl_client_flush(struct ipl_client *client, int64_t deadline,
					struct ipl_client_error *err);
/** Wait for some bytes, and take them. */
enum ipl_client_status ipl_client_read(struct ipl_client *client, int64_t deadline,
				       struct ipl_client_error *err);
/** Forget the connection and what it owed. */
void ipl_client_drop(struct ipl_client *client);

/** An answer of the @len bytes at @bytes; NULL without memory. */
struct ipl_client_answer *ipl_client_answer_new(const void *bytes, size_t len);

#endif
