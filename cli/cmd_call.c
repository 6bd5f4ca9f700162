/* SPDX-License-Identifier: Apache-2.0 */
/* call: any operation by its own name, its parameters as Name=value. */
#include "cli/ask.h"
#include "cli/params.h"

static int run_call(const struct ipl_invocation *in)
{
	struct ipl_value params = ipl_map();
	const struct ipl_operation *operation;

	if (in->argc < 1)
		return ipl_usage(&ipl_cmd_call, "which operation?");
	operation = ipl_operation_find(ipl_str_of(in->argv[0]));
	for (int i = 1; i < in->argc; i++) {
		if (!ipl_params_add_word(in->arena, operation, in->argv[i], &params))
			return ipl_usage(&ipl_cmd_call, "%s is not Name=value", in->argv[i]);
	}
	return ipl_ask_and_print(in, in->argv[0], &params);
}

const struct ipl_command ipl_cmd_call = {
	.name = "call",
	.args = "OPERATION [Name=value]...",
	.summary = "any operation by its name; lists as Name.1=... or Name=[...] in JSON",
	.run = run_call,
};
