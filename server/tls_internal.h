/* SPDX-License-Identifier: Apache-2.0 */
/* What both ends of TLS share. */
#ifndef IPL_SERVER_TLS_INTERNAL_H
#define IPL_SERVER_TLS_INTERNAL_H

#include "server/tls.h"

#include <openssl/ssl.h>

struct ipl_tls {
	SSL *ssl;
	bool read_waits;
	char broken[128];
};

/** What OpenSSL found wrong last, in @text; its queue is empty then. */
const char *ipl_tls_reason(char text[256]);
/** A context as every connection of ours has it. NULL without memory. */
SSL_CTX *ipl_tls_context(const SSL_METHOD *method);
/** A connection over the socket @fd, which stays the caller's. NULL without memory. */
struct ipl_tls *ipl_tls_new(SSL_CTX *context, int fd);

#endif
