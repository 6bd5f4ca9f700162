/* SPDX-License-Identifier: Apache-2.0 */
/* The pages beside the API: who may read them, /healthz, /metrics. */
#include "server/http.h"

#include <event2/bufferevent.h>
#include <sodium/utils.h>

#include <dirent.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#define BASIC_BYTES_MAX (IPL_KEY_ID_MAX + IPL_KEY_SECRET_MAX + 1)
#define METRICS_TYPE    "text/plain; version=0.0.4; charset=utf-8"

/* --- who may read them --- */

/* Nobody hears what goes there. */
static bool is_private(const struct ipl_server *server, struct evhttp_request *req)
{
	const uint64_t peer = ipl_http_peer(req);

	/* 127.0.0.0/8 and ::1, which alone has 64 zero bits before it. */
	return server->tls != NULL || peer >> 24 == 127 || peer == 0;
}

static void ask_for_key(struct ipl_server *server, struct evhttp_request *req,
			const struct ipl_error *err)
{
	(void)evhttp_add_header(evhttp_request_get_output_headers(req), "WWW-Authenticate",
				"Basic realm=\"ipledger: AccessKeyId and secret\"");
	ipl_http_refuse(server, req, err);
}

/* "Basic base64(ID:SECRET)". */
static enum ipl_status check_basic(struct ipl_server *server, struct evhttp_request *req,
				   const char *given, struct ipl_http_caller *out,
				   struct ipl_error *err)
{
	char text[BASIC_BYTES_MAX + 1];
	struct ipl_claim claim = { .peer = ipl_http_peer(req) };
	const struct ipl_access_key *key;
	const char *colon;
	size_t len = 0;
	enum ipl_status st;

	if (!is_private(server, req))
		return ipl_refuse(err, IPL_CODE_FORBIDDEN,
				  "a secret does not go over a network in the clear: use https "
				  "(serve --tls-cert), or ask from the machine itself");
	if (sodium_base642bin((unsigned char *)text, BASIC_BYTES_MAX, given, strlen(given), NULL,
			      &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    (colon = memchr(text, ':', len)) == NULL)
		return ipl_refuse(err, IPL_CODE_UNAUTHENTICATED,
				  "Authorization: Basic wants AccessKeyId:Secret in base64");
	claim.key_id = (struct ipl_str){ text, (size_t)(colon - text) };
	st = ipl_auth_secret(server->auth, server->keys, &claim,
			     (struct ipl_str){ colon + 1, len - claim.key_id.len - 1 },
			     ipl_now_ms(), &key, err);
	if (st == IPL_OK) {
		(void)snprintf(out->principal, sizeof(out->principal), "key:%s", key->id);
		out->access = key->role;
	}
	out->retry_after_ms = claim.retry_after_ms;
	sodium_memzero(text, sizeof(text));
	return st;
}

bool ipl_page_admit(struct ipl_server *server, struct evhttp_request *req, const char *action,
		    struct ipl_http_caller *out)
{
	const char *given =
		evhttp_find_header(evhttp_request_get_input_headers(req), "Authorization");
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	enum ipl_status st;

	*out = (struct ipl_http_caller){ .access = IPL_ACCESS_ADMIN };
	if (server->any_key)
		return true;
	if (given != NULL && strncasecmp(given, "Basic ", 6) == 0)
		st = check_basic(server, req, given + 6, out, &err);
	else if (given != NULL || (query != NULL && strstr(query, "Signature=") != NULL))
		st = ipl_http_who(server, req, action, out, &err);
	else
		st = ipl_refuse(&err, IPL_CODE_UNAUTHENTICATED,
				"this page is for those who have a key: HTTP Basic with its id and "
				"secret");
	if (st == IPL_OK)
		return true;
	if (out->retry_after_ms > 0) {
		char text[24];
		(void)snprintf(text, sizeof(text), "%" PRId64, out->retry_after_ms);
		(void)evhttp_add_header(evhttp_request_get_output_headers(req), "x-acs-retry-after",
					text);
	}
	if (err.code == IPL_CODE_UNAUTHENTICATED)
		ask_for_key(server, req, &err);
	else
		ipl_http_refuse(server, req, &err);
	return false;
}

/* --- /healthz --- */

void ipl_page_healthz(struct ipl_server *server, struct evhttp_request *req)
{
	struct ipl_error err = IPL_ERROR_INIT(NULL);
	char text[600] = "ok\n";
	int status = 200;

	if (server->is_damaged) {
		(void)snprintf(text, sizeof(text), "the log is damaged: %s\n", server->damage.text);
		status = 503;
	} else if (server->is_stopping) {
		(void)snprintf(text, sizeof(text), "the server is stopping\n");
		status = 503;
	} else if (ipl_engine_check(server->engine, ipl_now_ms(), &err) != IPL_OK) {
		(void)snprintf(text, sizeof(text), "%s\n", err.text);
		status = 503;
	}
	ipl_http_reply(server, req, status, "text/plain", text, strlen(text));
}

/* --- /metrics --- */

/* As Prometheus' own client libraries name them. */
static void write_process(const struct ipl_server *server, struct ipl_buf *out)
{
	struct rusage usage;
	struct rlimit files;
	long pages = 0;
	double open_files = 0;
	FILE *statm = fopen("/proc/self/statm", "r");
	DIR *dir = opendir("/proc/self/fd");

	if (statm != NULL && fscanf(statm, "%*d %ld", &pages) == 1)
		ipl_metric_one(out, "process_resident_memory_bytes", "gauge", "Memory in use",
			       (double)pages * (double)sysconf(_SC_PAGESIZE));
	if (statm != NULL)
		fclose(statm);
	while (dir != NULL && readdir(dir) != NULL)
		open_files++;
	if (dir != NULL) {
		closedir(dir); /* itself, "." and ".." were counted too */
		ipl_metric_one(out, "process_open_fds", "gauge", "Open files and sockets",
			       open_files - 3);
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		ipl_metric_one(out, "process_max_fds", "gauge", "So many may be open",
			       (double)files.rlim_cur);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		ipl_metric_one(out, "process_cpu_seconds_total", "counter", "CPU time",
			       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) *
					       1e-6);
	ipl_metric_one(out, "process_start_time_seconds", "gauge", "When it was started",
		       (double)server->counts.started_ms / 1000);
}

static void write_by_door(struct ipl_buf *out, const char *name, const char *type, const char *help,
			  const uint64_t count[2])
{
	ipl_metric_family(out, name, type, help);
	ipl_buf_printf(out, "%s{door=\"unix\"} %" PRIu64 "\n%s{door=\"tcp\"} %" PRIu64 "\n", name,
		       count[0], name, count[1]);
}

static void write_doors(const struct ipl_server *server, struct ipl_buf *out)
{
	const struct ipl_door_counts *counts = &server->counts;
	uint64_t open[2] = { 0, 0 }, subscriptions = 0;

	for (const struct ipl_conn *conn = server->conns; conn != NULL; conn = conn->next) {
		open[conn->is_tcp]++;
		subscriptions += conn->subscription_count;
	}
	write_by_door(out, "ipledger_connections", "gauge", "Connections of the native doors",
		      open);
	write_by_door(out, "ipledger_connections_total", "counter", "Connections that were taken",
		      counts->accepted);
	write_by_door(out, "ipledger_connections_refused_total", "counter",
		      "Connections that were not taken", counts->turned_away);
	ipl_metric_one(out, "ipledger_accept_errors_total", "counter",
		       "Times that no connection could be taken", (double)counts->accept_errors);
	ipl_metric_one(out, "ipledger_connections_evicted_total", "counter",
		       "Connections that were ended because all together held too much memory",
		       (double)counts->evicted);
	ipl_metric_one(out, "ipledger_connections_bytes", "gauge",
		       "Memory that connections of the native doors hold",
		       (double)server->conn_bytes);
	ipl_metric_one(out, "ipledger_strangers", "gauge",
		       "TCP connections that have not said who they are",
		       (double)server->stranger_count);
	ipl_metric_one(out, "ipledger_subscriptions", "gauge", "Subscriptions of the native doors",
		       (double)subscriptions);
	ipl_metric_one(out, "ipledger_event_streams", "gauge", "Readers of /events",
		       (double)server->stream_count);
	ipl_metric_one(out, "ipledger_hellos_total", "counter", "Hello with a key",
		       (double)counts->hellos);
	ipl_metric_one(out, "ipledger_hellos_refused_total", "counter", "Of them, refused",
		       (double)counts->hellos_refused);
	ipl_metric_one(out, "ipledger_nonces", "gauge", "Used nonces that are remembered",
		       (double)ipl_auth_nonce_count(server->auth));
	ipl_metric_one(out, "ipledger_malformed_total", "counter",
		       "Frames of the native doors that were no request",
		       (double)counts->malformed);
	ipl_metric_one(out, "ipledger_received_bytes_total", "counter",
		       "Bytes that came in at the native doors", (double)counts->bytes_in);
	ipl_metric_one(out, "ipledger_sent_bytes_total", "counter",
		       "Bytes that left by the native doors", (double)counts->bytes_out);
	ipl_metric_family(
		out, "ipledger_reply_seconds", "histogram",
		"Native doors: from what came in until its answer may leave, kept and all");
	ipl_metric_histogram_ns(out, "ipledger_reply_seconds", "", &counts->reply);
}

void ipl_page_metrics(struct ipl_server *server, struct evhttp_request *req)
{
	struct ipl_http_caller caller;
	struct ipl_buf out = { 0 };

	if (!ipl_page_admit(server, req, "GetStatus", &caller))
		return;
	ipl_metric_family(&out, "ipledger_build_info", "gauge", "Always 1; its version");
	ipl_buf_printf(&out, "ipledger_build_info{version=\"%s\",store=\"lmdb\"} 1\n", IPL_VERSION);
	ipl_metric_one(&out, "ipledger_damaged", "gauge", "1 where the log cannot be folded",
		       server->is_damaged ? 1 : 0);
	if (!server->is_damaged)
		ipl_engine_write_metrics(server->engine, ipl_now_ms(), &out);
	write_doors(server, &out);
	write_process(server, &out);
	if (out.failed)
		ipl_http_reply(server, req, 503, "text/plain", "out of memory\n", 14);
	else
		ipl_http_reply(server, req, 200, METRICS_TYPE, out.at, out.len);
	ipl_buf_release(&out);
}
