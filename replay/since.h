/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Since when is it so: the invariants of one state (replay/check.h), and for each
 * finding the event after which it was first seen to be so, by halving the log with the same
 * rule. Findings of about the same age are looked for together.
 */
#ifndef IPL_REPLAY_SINCE_H
#define IPL_REPLAY_SINCE_H

#include "replay/check.h"
#include "replay/view.h"

#define IPL_FAULTS_MAX 1000u /* findings whose beginning is looked for */

struct ipl_fault {
	enum ipl_rule which;
	const char *rule; /* in words */
	enum ipl_kind kind;
	uint64_t number;
	struct ipl_str text;
	uint64_t since; /* it is so after this event, and was not after the one before */
};

struct ipl_faults {
	struct ipl_arena arena; /* holds what is below */
	struct ipl_fault *at;
	size_t count;
	uint64_t total; /* of which `count` are listed */
	uint64_t looks; /* states that were checked */
};

/** Told how many of the faults' beginnings are known; may be NULL. */
typedef void (*ipl_since_fn)(void *context, size_t known, size_t count);

/** Check the state as of @seq, and find the beginning of each fault. */
enum ipl_status ipl_faults_find(struct ipl_views *views, uint64_t seq, ipl_since_fn fn,
				void *context, struct ipl_faults *out,
				struct ipl_error *err) IPL_MUST_USE;
void ipl_faults_release(struct ipl_faults *faults);

#endif
