/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a command line into the parameters of an operation, by the operation's table. */
#ifndef IPL_CLI_PARAMS_H
#define IPL_CLI_PARAMS_H

#include "operations/operation.h"

/**
 * Add "Name=value", "Name.1=value" or "Name.1.Field=value" to the map @params. A value is typed as
 * the parameter of that name in @operation (NULL: unknown) is; one that does not fit is
 * sent as it is, for the ledger to refuse. False where @word is no such word.
 */
bool ipl_params_add_word(struct ipl_arena *arena, const struct ipl_operation *operation,
			 const char *word, struct ipl_value *params);

/**
 * Add one named parameter as text typed by the table; a list takes it as one more item.
 */
void ipl_params_add(struct ipl_arena *arena, const struct ipl_operation *operation,
		    const char *name, const char *value, struct ipl_value *params);

/**
 * The parameter that the option @option ("--cidr-block") of @operation means, the ones that every
 * operation takes included; NULL where there is none. *@is_flag: it takes no value.
 */
const char *ipl_params_of_option(const struct ipl_operation *operation, struct ipl_str option,
				 bool *is_flag);

#endif
