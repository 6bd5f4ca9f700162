/* SPDX-License-Identifier: Apache-2.0 */
/* The server's end of TLS: certificates, and connections that come. */
#include "server/tls_internal.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>

#include <errno.h>
#include <stdlib.h>

struct ipl_tls_server {
	SSL_CTX *context;
};

static enum ipl_status load_files(SSL_CTX *context, const char *cert, const char *key,
				  struct ipl_error *err)
{
	char text[256];

	ERR_clear_error();
	errno = 0;
	if (SSL_CTX_use_certificate_chain_file(context, cert) != 1)
		return ipl_error_set(err, IPL_ERR_IO, "--tls-cert %s: %s", cert,
				     ipl_tls_reason(text));
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return ipl_error_set(err, IPL_ERR_IO,
				     "--tls-key %s: %s (PEM, without passphrase, for the "
				     "certificate in %s)",
				     key, ipl_tls_reason(text), cert);
	if (SSL_CTX_check_private_key(context) != 1)
		return ipl_error_set(err, IPL_ERR_IO, "--tls-key %s is not the key of %s: %s", key,
				     cert, ipl_tls_reason(text));
	return IPL_OK;
}

enum ipl_status ipl_tls_server_load(const char *cert, const char *key, struct ipl_tls_server **out,
				    struct ipl_error *err)
{
	struct ipl_tls_server *server = calloc(1, sizeof(*server));
	enum ipl_status st;

	if (server != NULL)
		server->context = ipl_tls_context(TLS_server_method());
	if (server == NULL || server->context == NULL) {
		free(server);
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for TLS");
	}
	SSL_CTX_set_options(server->context, SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* No state is kept for those who come again: tickets do, and they end with this context. */
	SSL_CTX_set_session_cache_mode(server->context, SSL_SESS_CACHE_OFF);
	st = load_files(server->context, cert, key, err);
	if (st == IPL_OK)
		*out = server;
	else
		ipl_tls_server_free(server);
	return st;
}

void ipl_tls_server_free(struct ipl_tls_server *server)
{
	if (server == NULL)
		return;
	SSL_CTX_free(server->context); /* open connections hold it too */
	free(server);
}

struct bufferevent *ipl_tls_bufferevent(struct ipl_tls_server *server, struct event_base *base)
{
	SSL *ssl = SSL_new(server->context);
	struct bufferevent *bev;

	if (ssl == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

struct ipl_tls *ipl_tls_accept(struct ipl_tls_server *server, int fd)
{
	struct ipl_tls *tls = ipl_tls_new(server->context, fd);

	if (tls != NULL)
		SSL_set_accept_state(tls->ssl); /* the first read shakes hands */
	return tls;
}
