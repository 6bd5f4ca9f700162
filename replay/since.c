/* SPDX-License-Identifier: Apache-2.0 */
/* Faults found, and the log halved for all of them at once. */
#include "replay/since.h"

#include <stdlib.h>

#define FAULTS_BYTES ((size_t)16 << 20)

/* Where the beginning of a fault lies: it is not so as of `no`, and is as of `yes`. */
struct range {
	uint64_t no;
	uint64_t yes;
	bool is_seen; /* in the state that is looked at */
};

struct search {
	struct ipl_views *views;
	struct ipl_faults *faults;
	struct range *range;
	bool collects; /* the first look: every finding is a fault */
};

/* Findings of one entity that differ in their words may be one that grows: a count, a limit. */
static bool is_same(const struct ipl_fault *fault, const struct ipl_finding *finding)
{
	bool by_words = fault->which == IPL_RULE_ADDRESS_STATE ||
			fault->which == IPL_RULE_ONE_HOLDER || fault->which == IPL_RULE_EIP;

	return fault->which == finding->which && fault->kind == finding->kind &&
	       fault->number == finding->number &&
	       (!by_words || ipl_str_is(fault->text, finding->text));
}

static void collect(struct ipl_faults *faults, const struct ipl_finding *finding)
{
	faults->total++;
	if (faults->count == IPL_FAULTS_MAX)
		return;
	faults->at[faults->count++] = (struct ipl_fault){
		.which = finding->which,
		.rule = finding->rule,
		.kind = finding->kind,
		.number = finding->number,
		.text = ipl_arena_str(&faults->arena, ipl_str_of(finding->text)),
	};
}

static void on_finding(void *context, const struct ipl_finding *finding)
{
	struct search *s = context;

	if (s->collects) {
		collect(s->faults, finding);
		return;
	}
	for (size_t i = 0; i < s->faults->count; i++)
		s->range[i].is_seen = s->range[i].is_seen || is_same(&s->faults->at[i], finding);
}

static enum ipl_status look(struct search *s, uint64_t seq, struct ipl_error *err)
{
	const struct ipl_state *state;
	enum ipl_status st = ipl_views_at(s->views, seq, &state, err);

	if (st != IPL_OK)
		return st;
	s->faults->looks++;
	for (size_t i = 0; !s->collects && i < s->faults->count; i++)
		s->range[i].is_seen = false;
	(void)ipl_check_state(state, ipl_state_time_ms(state), on_finding, s);
	return IPL_OK;
}

/* The open range that begins first, so that states are mostly folded forward; NULL: none is open.
 */
static const struct range *first_open(const struct search *s, size_t *closed)
{
	const struct range *first = NULL;

	*closed = 0;
	for (size_t i = 0; i < s->faults->count; i++) {
		const struct range *range = &s->range[i];
		if (range->yes - range->no <= 1)
			++*closed;
		else if (first == NULL || range->no < first->no)
			first = range;
	}
	return first;
}

static enum ipl_status halve_all(struct search *s, ipl_since_fn fn, void *context,
				 struct ipl_error *err)
{
	const struct range *open;
	size_t closed;

	while ((open = first_open(s, &closed)) != NULL) {
		uint64_t middle = open->no + (open->yes - open->no) / 2;
		enum ipl_status st = look(s, middle, err);
		if (st != IPL_OK)
			return st;
		for (size_t i = 0; i < s->faults->count; i++) {
			struct range *range = &s->range[i];
			if (middle > range->no && middle < range->yes)
				*(range->is_seen ? &range->yes : &range->no) = middle;
		}
		if (fn != NULL)
			fn(context, closed, s->faults->count);
	}
	for (size_t i = 0; i < s->faults->count; i++)
		s->faults->at[i].since = s->range[i].yes;
	return IPL_OK;
}

enum ipl_status ipl_faults_find(struct ipl_views *views, uint64_t seq, ipl_since_fn fn,
				void *context, struct ipl_faults *out, struct ipl_error *err)
{
	struct ipl_faults faults = { .count = 0 };
	struct search s = { .views = views, .faults = &faults, .collects = true };
	enum ipl_status st = IPL_OK;

	ipl_arena_init(&faults.arena, FAULTS_BYTES);
	faults.at = ipl_arena_array(&faults.arena, IPL_FAULTS_MAX, sizeof(*faults.at));
	s.range = ipl_arena_array(&faults.arena, IPL_FAULTS_MAX, sizeof(*s.range));
	if (faults.at == NULL || s.range == NULL)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for findings");
	if (st == IPL_OK)
		st = look(&s, seq, err);
	s.collects = false;
	for (size_t i = 0; st == IPL_OK && i < faults.count; i++)
		s.range[i].yes = seq; /* of the empty ledger nothing is wrong */
	if (st == IPL_OK)
		st = halve_all(&s, fn, context, err);
	if (st == IPL_OK && faults.arena.failed)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for findings");
	if (st == IPL_OK)
		*out = faults;
	else
		ipl_faults_release(&faults);
	return st;
}

void ipl_faults_release(struct ipl_faults *faults)
{
	ipl_arena_release(&faults->arena);
	*faults = (struct ipl_faults){ .count = 0 };
}
