/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of commands, sorted by name: C(name) stands for ipl_cmd_<name>. */
#ifndef IPL_CLI_COMMAND_LIST_H
#define IPL_CLI_COMMAND_LIST_H

/* clang-format off */
#define IPL_COMMAND_LIST(C) \
	C(assign) \
	C(associate) \
	C(backup) \
	C(bench) \
	C(bisect) \
	C(blame) \
	C(call) \
	C(check) \
	C(check_guest) \
	C(check_proof) \
	C(completion) \
	C(convert) \
	C(diff) \
	C(disassociate) \
	C(eip) \
	C(eni) \
	C(export) \
	C(guest) \
	C(help) \
	C(history) \
	C(import) \
	C(instance) \
	C(ipv6) \
	C(ipv6gw) \
	C(keys) \
	C(log) \
	C(map) \
	C(prove) \
	C(release) \
	C(replay) \
	C(restore) \
	C(serve) \
	C(show) \
	C(status) \
	C(verify) \
	C(version) \
	C(vpc) \
	C(vswitch) \
	C(whatif) \
	/* the end */
/* clang-format on */

#endif
