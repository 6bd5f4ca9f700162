/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats of `export` share. */
#ifndef IPL_CLI_EXPORT_H
#define IPL_CLI_EXPORT_H

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"

#include <stdio.h>

/* So many --interface, and so many --dns. */
#define IPL_EXPORT_WORDS_MAX 16

struct ipl_export {
	const struct ipl_invocation *in;
	struct ipl_session *session;
	struct ipl_error err;
	struct ipl_value range; /* FromSeq, ToTime, … of ListEvents */
	const char *id;         /* a VPC or vSwitch; NULL: everything */
	const char *folder;     /* where a format that has several files writes them; NULL: one */
	const char *interface[IPL_EXPORT_WORDS_MAX];
	const char *dns[IPL_EXPORT_WORDS_MAX];
	size_t interface_count, dns_count;
	struct ipl_progress progress;
	FILE *to;
	bool has_failed; /* something could not be written */
	bool has_names;  /* csv: the line of names was written */
	uint64_t rows;
	uint64_t total; /* rows that there will be; 0: that is not known */
	uint64_t seq;   /* the moment of the lists; 0: none was read yet */
};

void ipl_export_write(struct ipl_export *x, const struct ipl_buf *text);
/** Call @operation; all calls of one export are of one moment: that of the first. */
enum ipl_status ipl_export_ask(struct ipl_export *x, const char *operation,
			       struct ipl_value *params, struct ipl_value *result) IPL_MUST_USE;
/** The same of a whole list, whose items are under @path; NULL where there are none. */
enum ipl_status ipl_export_list(struct ipl_export *x, const char *operation,
				struct ipl_value *params, const char *path,
				const struct ipl_value **list) IPL_MUST_USE;
/** Write @text to @path by way of a file beside it: it is there whole, or not at all. */
enum ipl_status ipl_export_save(struct ipl_export *x, const char *path,
				const struct ipl_buf *text) IPL_MUST_USE;

/* --- export_dhcp.c: who gets which primary private address by DHCP --- */

enum ipl_status ipl_export_dnsmasq(struct ipl_export *x) IPL_MUST_USE;
enum ipl_status ipl_export_kea(struct ipl_export *x) IPL_MUST_USE;

#endif
