/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of chains, over those that a checkpoint has. */
#include "replay/chains.h"

#include <inttypes.h>
#include <stdlib.h>

#include "replay/checkpoint.h"

#define FIRST_ARENA_BYTES ((size_t)16 << 20) /* of the first event */

struct ipl_chains {
	struct ipl_records records;
	struct ipl_checkpoint *base; /* what lies under the heads; NULL: nothing */
	struct ipl_heads *heads;
	struct ipl_source source;
	struct ipl_arena arena; /* the first event's */
	struct ipl_str region;
	uint64_t ledger;
	uint64_t vpcs;
};

static enum ipl_status get(void *context, uint64_t seq, struct ipl_str *record,
			   struct ipl_error *err)
{
	const struct ipl_chains *chains = context;

	return chains->records.get(chains->records.context, seq, record, err);
}

static uint64_t last(void *context, struct ipl_key key)
{
	return ipl_heads_last(((const struct ipl_chains *)context)->heads, key);
}

static enum ipl_status check_links(void *context, const struct ipl_passed *passed,
				   struct ipl_error *err)
{
	struct ipl_chains *chains = context;

	return ipl_heads_check(chains->heads, &passed->ev, &passed->touches, err);
}

static enum ipl_status read_ends(struct ipl_chains *chains, uint64_t head, struct ipl_error *err)
{
	struct ipl_pass pass = { .records = &chains->records,
				 .from = 1,
				 .to = head,
				 .fn = check_links,
				 .context = chains };

	chains->heads = ipl_heads_new();
	if (chains->heads == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for chains");
	if (chains->records.checkpoints != NULL)
		chains->base =
			ipl_checkpoints_take(chains->records.checkpoints, head, IPL_UNSEEN_LOOK);
	if (chains->base != NULL) {
		ipl_heads_set_under(chains->heads, ipl_checkpoint_head_of, chains->base);
		pass.from = ipl_checkpoint_head(chains->base)->seq + 1;
	}
	return pass.from > head ? IPL_OK : ipl_pass_go(&pass, err);
}

/* The ledger's name and number, for ever, are in the event that made it. */
static enum ipl_status read_first(struct ipl_chains *chains, struct ipl_error *err)
{
	struct ipl_str record, copy;
	struct ipl_event first;
	enum ipl_status st = get(chains, 1, &record, err);

	if (st != IPL_OK)
		return st;
	copy = ipl_arena_str(&chains->arena, record);
	if (copy.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for an event");
	st = ipl_event_decode(copy, &chains->arena, &first, err);
	if (st == IPL_OK && first.type != IPL_EVENT_LEDGER_CREATED)
		st = ipl_error_set(err, IPL_ERR_CORRUPT, "event 1 is no LedgerCreated");
	if (st == IPL_OK) {
		chains->ledger = first.ledger_created.ledger;
		chains->region = first.ledger_created.settings.region;
	}
	return st;
}

/* Numbers are given in order, so the chains of VPCs tell how many there were. */
static uint64_t find_vpcs(const struct ipl_chains *chains)
{
	uint64_t none = 1, some = 0;

	while (ipl_heads_last(chains->heads, ipl_key_entity(IPL_KIND_VPC, none)) != 0) {
		some = none;
		none *= 2;
	}
	while (none - some > 1) {
		uint64_t middle = some + (none - some) / 2;
		bool is_one =
			ipl_heads_last(chains->heads, ipl_key_entity(IPL_KIND_VPC, middle)) != 0;
		*(is_one ? &some : &none) = middle;
	}
	return none;
}

enum ipl_status ipl_chains_open(const struct ipl_records *records, uint64_t head,
				struct ipl_chains **out, struct ipl_error *err)
{
	struct ipl_chains *chains = calloc(1, sizeof(*chains));
	enum ipl_status st;

	if (chains == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for chains");
	chains->records = *records;
	chains->source = (struct ipl_source){ chains, get, last };
	ipl_arena_init(&chains->arena, FIRST_ARENA_BYTES);
	st = read_first(chains, err);
	if (st == IPL_OK)
		st = read_ends(chains, head, err);
	if (st != IPL_OK) {
		ipl_chains_close(chains);
		return st;
	}
	chains->vpcs = find_vpcs(chains);
	*out = chains;
	return IPL_OK;
}

void ipl_chains_close(struct ipl_chains *chains)
{
	if (chains == NULL)
		return;
	ipl_heads_free(chains->heads);
	ipl_checkpoint_release(chains->base);
	ipl_arena_release(&chains->arena);
	free(chains);
}

const struct ipl_source *ipl_chains_source(const struct ipl_chains *chains)
{
	return &chains->source;
}

uint64_t ipl_chains_ledger(const struct ipl_chains *chains, uint64_t seq)
{
	return seq == 0 ? 0 : chains->ledger;
}

uint64_t ipl_chains_vpcs(const struct ipl_chains *chains)
{
	return chains->vpcs;
}

enum ipl_status ipl_chains_time(struct ipl_chains *chains, uint64_t seq, int64_t *time_ms,
				struct ipl_error *err)
{
	struct ipl_str record;
	uint64_t got = 0;
	enum ipl_status st = get(chains, seq, &record, err);

	if (st != IPL_OK)
		return st;
	if (!ipl_event_peek(record, &got, time_ms) || got != seq)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "event %" PRIu64 " has no seq and time",
				     seq);
	return IPL_OK;
}

enum ipl_status ipl_chains_look(struct ipl_chains *chains, const struct ipl_source *source,
				uint64_t seq, struct ipl_lens *out, struct ipl_error *err)
{
	int64_t time_ms = 0;
	enum ipl_status st = seq == 0 ? IPL_OK : ipl_chains_time(chains, seq, &time_ms, err);

	if (st == IPL_OK)
		st = ipl_past_open(out, source, seq, time_ms, err);
	if (st != IPL_OK)
		return st;
	out->region = chains->region;
	out->letters = ipl_region_letters(chains->region);
	out->ledger = ipl_chains_ledger(chains, seq);
	ipl_past_scan_vpcs(out, chains->vpcs);
	if (chains->records.checkpoints != NULL)
		ipl_past_begin_at(out, ipl_checkpoints_take(chains->records.checkpoints, seq,
							    IPL_UNSEEN_SKIP));
	return IPL_OK;
}
