/* SPDX-License-Identifier: Apache-2.0 */
/* TLS by OpenSSL: contexts, the client's end, and the bytes of both ends. */
#include "server/tls_internal.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- contexts --- */

const char *ipl_tls_reason(char text[256])
{
	unsigned long code = ERR_peek_error(); /* the first is the cause of the others */
	const char *words = code == 0 ? NULL : ERR_reason_error_string(code);

	if (code != 0 && ERR_SYSTEM_ERROR(code))
		(void)snprintf(text, 256, "%s", strerror(ERR_GET_REASON(code)));
	else if (words != NULL)
		(void)snprintf(text, 256, "%s", words);
	else
		(void)snprintf(text, 256, "%s",
			       errno != 0 ? strerror(errno) : "the connection was closed");
	ERR_clear_error();
	return text;
}

/* A key with a passphrase must not ask for it on a terminal. */
static int no_passphrase(char *out, int size, int writes, void *context)
{
	(void)out;
	(void)size;
	(void)writes;
	(void)context;
	return -1;
}

SSL_CTX *ipl_tls_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL)
		return NULL;
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
		SSL_CTX_free(context);
		return NULL;
	}
	/*
	 * Frames and HTTP bodies carry their lengths, so an end without a goodbye hides nothing:
	 * a client that just shuts its socket down still gets its answers.
	 */
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	return context;
}

/* --- connections --- */

struct ipl_tls *ipl_tls_new(SSL_CTX *context, int fd)
{
	struct ipl_tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		return NULL;
	tls->ssl = SSL_new(context);
	if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1) {
		ipl_tls_free(tls);
		return NULL;
	}
	return tls;
}

/* A name is checked against names, an address against addresses. */
static bool expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return true;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

static enum ipl_status shake_hands(struct ipl_tls *tls, const char *host, struct ipl_error *err)
{
	char text[256];
	long verified;

	if (!expect_host(tls->ssl, host))
		return ipl_error_set(err, IPL_ERR_IO, "tls: %s is no name of a host", host);
	ERR_clear_error();
	errno = 0;
	if (SSL_connect(tls->ssl) == 1)
		return IPL_OK;
	verified = SSL_get_verify_result(tls->ssl);
	if (verified == X509_V_OK)
		return ipl_error_set(err, IPL_ERR_IO, "tls: %s: %s", host, ipl_tls_reason(text));
	ERR_clear_error();
	return ipl_error_set(err, IPL_ERR_IO,
			     "tls: the certificate of %s is not trusted: %s (--tls-ca FILE names "
			     "who vouches for it)",
			     host, X509_verify_cert_error_string(verified));
}

enum ipl_status ipl_tls_connect(int fd, const char *host, const char *ca, struct ipl_tls **out,
				struct ipl_error *err)
{
	SSL_CTX *context = ipl_tls_context(TLS_client_method());
	struct ipl_tls *tls = NULL;
	char text[256];
	enum ipl_status st = IPL_OK;

	ERR_clear_error();
	errno = 0;
	if (context == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for TLS");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (ca != NULL && SSL_CTX_load_verify_locations(context, ca, NULL) != 1)
		st = ipl_error_set(err, IPL_ERR_IO, "--tls-ca %s: %s", ca, ipl_tls_reason(text));
	else if (ca == NULL && SSL_CTX_set_default_verify_paths(context) != 1)
		st = ipl_error_set(err, IPL_ERR_IO, "the system's certificates: %s",
				   ipl_tls_reason(text));
	if (st == IPL_OK) {
		tls = ipl_tls_new(context, fd);
		if (tls == NULL)
			st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for TLS");
	}
	SSL_CTX_free(context);
	if (st == IPL_OK)
		st = shake_hands(tls, host, err);
	if (st == IPL_OK)
		*out = tls;
	else
		ipl_tls_free(tls);
	return st;
}

void ipl_tls_free(struct ipl_tls *tls)
{
	if (tls == NULL)
		return;
	ERR_clear_error();
	if (tls->ssl != NULL && tls->broken[0] == '\0' && SSL_is_init_finished(tls->ssl))
		(void)SSL_shutdown(tls->ssl); /* a courtesy: nobody waits for it */
	ERR_clear_error();
	SSL_free(tls->ssl);
	free(tls);
}

/* --- bytes --- */

/* What a call that gave @rc means; 0 where the peer has said goodbye. */
static ssize_t translate(struct ipl_tls *tls, int rc, bool reads)
{
	char text[256];

	switch (SSL_get_error(tls->ssl, rc)) {
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		tls->read_waits = reads;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_READ:
		if (reads) {
			errno = EAGAIN;
			return -1;
		}
		/* A write waits for input only while hands are shaken, and we read first. */
		(void)snprintf(tls->broken, sizeof(tls->broken), "out of order");
		errno = EPROTO;
		return -1;
	default:
		(void)snprintf(tls->broken, sizeof(tls->broken), "%s", ipl_tls_reason(text));
		errno = EPROTO;
		return -1;
	}
}

ssize_t ipl_tls_read(struct ipl_tls *tls, void *out, size_t len)
{
	size_t got = 0;

	/* One call gives a record, of 16 KB at most: several, as long as there are any. */
	while (got < len) {
		size_t room = len - got;
		int rc;
		ssize_t n;
		ERR_clear_error();
		errno = 0;
		tls->read_waits = false;
		rc = SSL_read(tls->ssl, (char *)out + got, room > INT_MAX ? INT_MAX : (int)room);
		if (rc > 0) {
			got += (size_t)rc;
			if (SSL_pending(tls->ssl) == 0)
				break; /* the socket tells whether there is more */
			continue;
		}
		n = translate(tls, rc, true);
		return got > 0 ? (ssize_t)got : n;
	}
	return (ssize_t)got;
}

ssize_t ipl_tls_write(struct ipl_tls *tls, const void *bytes, size_t len)
{
	int rc;

	if (len == 0)
		return 0;
	ERR_clear_error();
	errno = 0;
	rc = SSL_write(tls->ssl, bytes, len > INT_MAX ? INT_MAX : (int)len);
	if (rc > 0)
		return rc;
	if (translate(tls, rc, false) == 0)
		errno = EPROTO; /* a connection that has ended takes nothing */
	return -1;
}

bool ipl_tls_has_more(const struct ipl_tls *tls)
{
	return SSL_has_pending(tls->ssl) == 1;
}

bool ipl_tls_read_waits(const struct ipl_tls *tls)
{
	return tls->read_waits;
}

const char *ipl_tls_broken(const struct ipl_tls *tls)
{
	return tls->broken;
}
