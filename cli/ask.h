/* SPDX-License-Identifier: Apache-2.0 */
/* What commands do with a ledger: call, and print. Each opens a session of its own where none is
 * given. */
#ifndef IPL_CLI_ASK_H
#define IPL_CLI_ASK_H

#include "cli/command.h"
#include "cli/session.h"

/** Call @operation as of the invocation's moment and print the result; gives an exit status. */
int ipl_ask_and_print(const struct ipl_invocation *in, const char *operation,
		      struct ipl_value *params);

/** Call through @session as of the invocation's moment. */
enum ipl_status ipl_ask(const struct ipl_invocation *in, struct ipl_session *session,
			const char *operation, struct ipl_value *params, struct ipl_value *result,
			struct ipl_error *err) IPL_MUST_USE;

/**
 * The whole of a list as one result: the pages after the first are appended to the first one's
 * arrays, all of one moment. One page where @params ask for one (MaxResults, NextToken).
 */
enum ipl_status ipl_ask_all(const struct ipl_invocation *in, struct ipl_session *session,
			    const char *operation, struct ipl_value *params,
			    struct ipl_value *result, struct ipl_error *err) IPL_MUST_USE;
/** The same, printed; gives an exit status. */
int ipl_ask_all_and_print(const struct ipl_invocation *in, const char *operation,
			  struct ipl_value *params);

/** The members of one entity's State; IPL_REFUSED where it is not there. */
enum ipl_status ipl_ask_state(const struct ipl_invocation *in, struct ipl_session *session,
			      const char *id, struct ipl_value *state,
			      struct ipl_error *err) IPL_MUST_USE;

#endif
