/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold of every state, whatever came before: looked at from both ends
 * of each relation. A finding is a bug of ours or damage of the log, never of
 * the one who asked.
 */
#ifndef IPL_REPLAY_CHECK_H
#define IPL_REPLAY_CHECK_H

#include "reducers/state.h"

/* X(NAME, "the rule") */
#define IPL_RULE_LIST(X)                                                                         \
	X(ONE_HOLDER, "an address has the holder that says it has it, and no other")             \
	X(ADDRESS_STATE, "an address is free, held, reserved or cooling: one of them")           \
	X(COUNTERS, "counters are what a recount gives")                                         \
	X(INSTANCE, "an instance has one primary network interface, and what it has is its own") \
	X(LIMITS, "the limits of the instance type hold")                                        \
	X(EIP, "an EIP is InUse exactly when it is paired, and both ends say the same")          \
	X(PUBLIC_IP, "a fixed public IP comes with bandwidth and without an EIP")                \
	X(BLOCKS, "blocks of vSwitches are in their VPC and apart from each other")              \
	X(IPV6, "IPv6 blocks are apart, in the pool; addresses are in the /64 of their vSwitch")

enum ipl_rule {
#define X(NAME, text) IPL_RULE_##NAME,
	IPL_RULE_LIST(X)
#undef X
};

struct ipl_finding {
	enum ipl_rule which;
	const char *rule; /* in words */
	enum ipl_kind kind;
	uint64_t number;
	const char *text; /* what is wrong, with ids and values; borrowed for the call */
};
typedef void (*ipl_finding_fn)(void *context, const struct ipl_finding *finding);

/** Look at everything in @state (no fork) as of @now_ms; @fn gets each finding. How many. */
uint64_t ipl_check_state(const struct ipl_state *state, int64_t now_ms, ipl_finding_fn fn,
			 void *context);

#endif
