/* SPDX-License-Identifier: Apache-2.0 */
/* The lens over a whole state. */
#include "reducers/lens.h"

static const union ipl_entity *find(struct ipl_lens *lens, enum ipl_kind kind, uint64_t number)
{
	return ipl_state_find(lens->context, kind, number);
}

static struct ipl_holding holding(struct ipl_lens *lens, struct ipl_key key)
{
	return ipl_state_holding(lens->context, key);
}

static uint64_t next(struct ipl_lens *lens, enum ipl_kind kind, uint64_t after)
{
	return ipl_state_next(lens->context, kind, after);
}

static uint64_t count(struct ipl_lens *lens, enum ipl_kind kind)
{
	return ipl_state_count(lens->context, kind);
}

void ipl_lens_of_state(struct ipl_lens *lens, const struct ipl_state *state, int64_t time_ms,
		       struct ipl_error *err)
{
	const struct ipl_ledger_state *ledger = ipl_state_ledger(state);

	*lens = (struct ipl_lens){
		.context = (void *)(uintptr_t)state,
		.seq = ipl_state_seq(state),
		.time_ms = time_ms,
		.letters = ipl_state_letters(state),
		.region = ledger == NULL ? IPL_STR("") : ledger->settings.region,
		.ledger = ipl_state_ledger_number(state),
		.err = err,
		.find = find,
		.holding = holding,
		.next = next,
		.count = count,
	};
}
