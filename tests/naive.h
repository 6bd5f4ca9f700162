/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened, told by one who folds the first N events for every N and looks at the whole
 * states before and after each: too simple to be wrong, for tests of what is cleverer.
 */
#ifndef IPL_TESTS_NAIVE_H
#define IPL_TESTS_NAIVE_H

#include "reducers/hashmap.h"
#include "replay/past.h"
#include "tests/random_ops.h"

/* One interval that there must be. */
struct wanted {
	struct ipl_key key;
	uint64_t from, to;      /* seqs; 0: open */
	struct ipl_value value; /* Holder or Fields */
	enum ipl_role role;
	uint64_t eni, eip;
};

struct oracle {
	struct lab lab;
	struct ipl_source source;
	struct ipl_arena arena;
	struct ipl_error err;
	struct wanted *wanted; /* in the order of from */
	size_t count, cap;
	struct ipl_hashmap open; /* key -> index + 1 in wanted of the open one */
	int64_t *time_ms;        /* of event i + 1 */
};

/** A random history of @steps operations, and all that each of its events did. */
void open_oracle(struct oracle *o, int steps);
void close_oracle(struct oracle *o);
/** The State that an entity shows; nil where it is not there. In the oracle's arena. */
struct ipl_value show_at(struct oracle *o, const struct ipl_state *state, struct ipl_key key);
/** [{Name, Before, After}] of two whole States; NULL: not there. */
struct ipl_value naive_fields(struct ipl_arena *arena, const struct ipl_value *before,
			      const struct ipl_value *after);

#endif
