/* SPDX-License-Identifier: Apache-2.0 */
/* Entities of two states, side by side. */
#include "replay/compare.h"

#include "replay/history.h"

#define SCRATCH_BYTES ((size_t)16 << 20)

static struct ipl_value show(struct ipl_arena *arena, struct ipl_lens *lens, enum ipl_kind kind,
			     uint64_t number, const union ipl_entity *entity)
{
	return entity == NULL ?
		       ipl_nil() :
		       ipl_show_only(arena, lens, kind, number, entity, IPL_HISTORY_MEMBERS);
}

enum ipl_status ipl_compare_entity(struct ipl_arena *arena, struct ipl_lens *from,
				   struct ipl_lens *to, enum ipl_kind kind, uint64_t number,
				   struct ipl_difference *out, bool *is_other,
				   struct ipl_error *err)
{
	const union ipl_entity *was = from->find(from, kind, number);
	const union ipl_entity *is = to->find(to, kind, number);
	struct ipl_value before = show(arena, from, kind, number, was);
	struct ipl_value after = show(arena, to, kind, number, is);

	*is_other = false;
	if (was == NULL && is == NULL)
		return IPL_OK;
	*out = (struct ipl_difference){
		.kind = kind,
		.number = number,
		.change = was == NULL ? "Created" :
			  is == NULL  ? "Deleted" :
					"Updated",
		.fields = ipl_fields_between(arena, kind, was == NULL ? NULL : &before,
					     is == NULL ? NULL : &after),
	};
	*is_other = was == NULL || is == NULL || out->fields.count > 0;
	if (from->status != IPL_OK || to->status != IPL_OK)
		return from->status != IPL_OK ? from->status : to->status;
	return arena->failed ? ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a comparison") :
			       IPL_OK;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return b == 0 || (a != 0 && a < b) ? a : b;
}

static enum ipl_status compare_kind(struct ipl_arena *arena, struct ipl_lens *from,
				    struct ipl_lens *to, enum ipl_kind kind, ipl_difference_fn fn,
				    void *context, struct ipl_error *err)
{
	uint64_t n = 0;

	while ((n = lower(from->next(from, kind, n), to->next(to, kind, n))) != 0) {
		struct ipl_difference difference;
		bool is_other = false;
		enum ipl_status st =
			ipl_compare_entity(arena, from, to, kind, n, &difference, &is_other, err);
		if (st != IPL_OK)
			return st;
		if (is_other)
			fn(context, &difference);
		ipl_arena_reset(arena);
	}
	return IPL_OK;
}

enum ipl_status ipl_compare_states(const struct ipl_state *from, const struct ipl_state *to,
				   ipl_difference_fn fn, void *context, struct ipl_error *err)
{
	struct ipl_lens a, b;
	struct ipl_arena arena;
	enum ipl_status st = IPL_OK;

	ipl_arena_init(&arena, SCRATCH_BYTES);
	ipl_lens_of_state(&a, from, ipl_state_time_ms(from), err);
	ipl_lens_of_state(&b, to, ipl_state_time_ms(to), err);
	for (enum ipl_kind kind = IPL_KIND_LEDGER; st == IPL_OK && kind < IPL_KIND_COUNT; kind++)
		st = compare_kind(&arena, &a, &b, kind, fn, context, err);
	ipl_arena_release(&arena);
	return st;
}
