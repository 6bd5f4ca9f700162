/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Catching up with one thing goes along its chains, so that it costs what happened to that
 * thing; everything else, and what is appended later, is looked at one by one.
 */
#include "server/feed.h"

#include "replay/forward.h"
#include "server/engine_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "events/msgpack.h"

#define LOOKED_AT_MAX     32u  /* events in one turn */
#define PIECE             128u /* events of the chains found at a time */
#define CHAINS_MAX        8u   /* an address that more VPCs had is looked for in the whole log */
#define EVENT_ARENA_BYTES ((size_t)64 << 20)
#define SHOWN_MAX         1024u
#define SHOWN_BYTES_MAX   4096u /* longer ones are made each time */

/* The newest events as they were shown, by their seqs. What is durable never changes. */
struct shown_event {
	uint64_t seq; /* 0: none */
	struct ipl_buf bytes;
};

struct ipl_shown {
	struct shown_event event[SHOWN_MAX];
};

struct ipl_feed {
	struct ipl_engine *engine;
	uint64_t next; /* to be looked at */
	uint64_t type; /* 0: any */
	bool by_key;
	struct ipl_key key; /* of an IPv4 address in any VPC and in public: `a` means nothing */

	/* While next <= chained_to, matches are found along these chains. */
	uint64_t chained_to;
	struct ipl_key chain[CHAINS_MAX];
	uint32_t chain_count;
	uint64_t piece[PIECE];
	uint32_t piece_at, piece_count;

	struct ipl_arena arena; /* of the event that is looked at */
};

static enum ipl_status wrong(struct ipl_error *err, const char *name)
{
	ipl_error_add(err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

static void add_chain(struct ipl_feed *feed, struct ipl_key key)
{
	if (feed->chained_to == 0 || ipl_engine_last(feed->engine, key) == 0)
		return;
	if (feed->chain_count == CHAINS_MAX)
		feed->chained_to = 0;
	else
		feed->chain[feed->chain_count++] = key;
}

/* The chains that are there; those that begin later are beyond chained_to. */
static void add_chains(struct ipl_feed *feed)
{
	uint64_t vpcs = ipl_engine_vpcs(feed->engine);

	feed->chained_to = ipl_engine_durable_seq(feed->engine);
	if (feed->key.kind != IPL_KIND_IP4) {
		add_chain(feed, feed->key);
		return;
	}
	for (uint64_t vpc = 0; vpc < vpcs; vpc++)
		add_chain(feed, ipl_key_ip4(vpc, (uint32_t)feed->key.b));
}

static enum ipl_status read_id(struct ipl_feed *feed, struct ipl_str id, struct ipl_error *err)
{
	struct ipl_ip6 ip6;
	uint64_t number;
	enum ipl_kind kind = ipl_name_parse(feed->engine->letters, id, &number);

	feed->by_key = true;
	if (kind == IPL_KIND_IP4) {
		feed->key = ipl_key_ip4(0, (uint32_t)number);
	} else if (kind != IPL_KIND_NONE) {
		feed->key = ipl_key_entity(kind, number);
	} else if (ipl_ip6_parse(id, &ip6)) {
		feed->key = ipl_key_ip6(ip6.hi, ip6.lo);
	} else {
		ipl_refuse(err, IPL_CODE_NOT_FOUND,
			   "%.*s is neither an id of this ledger nor an address", IPL_STR_ARG(id));
		return wrong(err, "Id");
	}
	add_chains(feed);
	return IPL_OK;
}

static enum ipl_status read_filter(struct ipl_feed *feed, const struct ipl_feed_filter *filter,
				   struct ipl_error *err)
{
	uint64_t head = ipl_engine_head(feed->engine);

	feed->next = filter->from_seq == IPL_ABSENT ? head + 1 : (uint64_t)filter->from_seq;
	if (feed->next == 0)
		feed->next = 1;
	if (feed->next > head + 1) {
		ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
			   "FromSeq is %" PRIu64 ", the next event is %" PRIu64, feed->next,
			   head + 1);
		ipl_error_add(err, "HeadSeq", ipl_int((int64_t)head));
		return wrong(err, "FromSeq");
	}
	if (filter->type.len > 0) {
		feed->type = ipl_event_of_name(filter->type);
		if (feed->type == 0) {
			ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				   "Type is no event type, such as VpcCreated");
			return wrong(err, "Type");
		}
	}
	return filter->id.len > 0 ? read_id(feed, filter->id, err) : IPL_OK;
}

enum ipl_status ipl_feed_open(struct ipl_engine *engine, const struct ipl_feed_filter *filter,
			      struct ipl_feed **out, struct ipl_error *err)
{
	struct ipl_feed *feed = calloc(1, sizeof(*feed));
	enum ipl_status st;

	if (feed == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a feed");
	feed->engine = engine;
	ipl_arena_init(&feed->arena, EVENT_ARENA_BYTES);
	st = read_filter(feed, filter, err);
	if (st != IPL_OK) {
		ipl_feed_close(feed);
		return st;
	}
	*out = feed;
	return IPL_OK;
}

void ipl_feed_close(struct ipl_feed *feed)
{
	if (feed == NULL)
		return;
	ipl_arena_release(&feed->arena);
	free(feed);
}

uint64_t ipl_feed_resume_seq(const struct ipl_feed *feed)
{
	return feed->next;
}

/* --- along chains --- */

static int compare_seqs(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The next matches of all chains together. One that was cut hides what comes after its last. */
static enum ipl_status find_piece(struct ipl_feed *feed, struct ipl_error *err)
{
	uint64_t found[CHAINS_MAX * PIECE], until = feed->chained_to;
	size_t count = 0;

	for (uint32_t i = 0; i < feed->chain_count; i++) {
		uint32_t more;
		enum ipl_status st =
			ipl_chain_forward(&feed->engine->source, feed->chain[i], feed->next,
					  feed->chained_to, found + count, PIECE, &more, err);
		if (st != IPL_OK)
			return st;
		count += more;
		if (more == PIECE && found[count - 1] < until)
			until = found[count - 1];
	}
	qsort(found, count, sizeof(*found), compare_seqs);
	feed->piece_at = feed->piece_count = 0;
	for (size_t i = 0; i < count && feed->piece_count < PIECE && found[i] <= until; i++) {
		if (i == 0 || found[i] != found[i - 1])
			feed->piece[feed->piece_count++] = found[i];
	}
	return IPL_OK;
}

/* Step over what the chains say is no match. */
static enum ipl_status skip(struct ipl_feed *feed, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	if (feed->next > feed->chained_to)
		return IPL_OK;
	if (feed->piece_at == feed->piece_count)
		st = find_piece(feed, err);
	if (st != IPL_OK)
		return st;
	feed->next = feed->piece_at < feed->piece_count ? feed->piece[feed->piece_at++] :
							  feed->chained_to + 1;
	return IPL_OK;
}

/* --- one by one --- */

static bool touches(const struct ipl_feed *feed, const struct ipl_touches *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct ipl_key key = list->at[i];
		if (key.kind == IPL_KIND_IP4)
			key.a = feed->key.a;
		if (ipl_key_equal(key, feed->key))
			return true;
	}
	return false;
}

/* Look at event feed->next; whether it is wanted. */
static enum ipl_status look(struct ipl_feed *feed, struct ipl_event *ev, bool *is_wanted,
			    struct ipl_error *err)
{
	struct ipl_touches list;
	enum ipl_status st;

	ipl_arena_reset(&feed->arena);
	st = ipl_engine_load(feed->engine, feed->next, &feed->arena, ev, err);
	if (st == IPL_ERR_END)
		return ipl_error_set(err, IPL_ERR_CORRUPT, "event %" PRIu64 " is not there",
				     feed->next);
	*is_wanted = st == IPL_OK && (feed->type == 0 || feed->type == ev->type);
	if (!*is_wanted || !feed->by_key)
		return st;
	st = ipl_event_touches(&feed->arena, ev, &list, err);
	*is_wanted = st == IPL_OK && touches(feed, &list);
	return st;
}

/* Where every event is wanted, one that was shown lately needs no look. */
static const struct ipl_buf *find_shown(const struct ipl_feed *feed)
{
	const struct ipl_shown *shown = feed->engine->shown;
	const struct shown_event *slot;

	if (shown == NULL)
		return NULL;
	slot = &shown->event[feed->next % SHOWN_MAX];
	return slot->seq == feed->next ? &slot->bytes : NULL;
}

/*
 * Go to the next event that is wanted; feed->next is its seq then. @ev is filled where it had to be
 * looked at: *@is_seen.
 */
static enum ipl_status find(struct ipl_feed *feed, bool may_be_shown, struct ipl_event *ev,
			    bool *is_seen, struct ipl_error *err)
{
	for (uint32_t i = 0; i < LOOKED_AT_MAX; i++) {
		bool is_wanted = false;
		enum ipl_status st;
		/* A spoiled engine's chains are to be made again; what is durable stays so. */
		if (feed->next > feed->engine->durable_seq || feed->engine->is_spoiled)
			return ipl_error_set(err, IPL_ERR_END, "there is no event %" PRIu64 " yet",
					     feed->next);
		st = skip(feed, err);
		if (st == IPL_OK && feed->next > feed->engine->durable_seq)
			continue; /* the end, which the next round says */
		*is_seen = !may_be_shown || feed->by_key || feed->type != 0 ||
			   find_shown(feed) == NULL;
		if (st == IPL_OK && !*is_seen)
			return IPL_OK;
		if (st == IPL_OK)
			st = look(feed, ev, &is_wanted, err);
		if (st != IPL_OK || is_wanted)
			return st;
		feed->next++;
	}
	return ipl_error_set(err, IPL_ERR_BUSY, "enough was looked at for now");
}

static enum ipl_status show(struct ipl_feed *feed, const struct ipl_event *ev,
			    struct ipl_arena *arena, struct ipl_value *event, struct ipl_error *err)
{
	*event = ipl_event_value(arena, feed->engine->letters, ev);
	return arena->failed ? ipl_error_set(err, IPL_ERR_NOMEM,
					     "event %" PRIu64 " takes more memory than there is",
					     feed->next) :
			       IPL_OK;
}

enum ipl_status ipl_feed_next(struct ipl_feed *feed, struct ipl_arena *arena,
			      struct ipl_value *event, struct ipl_error *err)
{
	struct ipl_event ev;
	bool is_seen;
	enum ipl_status st = find(feed, false, &ev, &is_seen, err);

	if (st == IPL_OK)
		st = show(feed, &ev, arena, event, err);
	if (st == IPL_OK)
		feed->next++;
	return st;
}

/* --- as MessagePack --- */

/* Keep the bytes of an event near the end, where others are going to want it as well. */
static void keep_shown(struct ipl_feed *feed, const uint8_t *bytes, size_t len)
{
	struct ipl_engine *engine = feed->engine;
	struct shown_event *slot;

	if (engine->durable_seq - feed->next >= SHOWN_MAX || len > SHOWN_BYTES_MAX)
		return;
	if (engine->shown == NULL)
		engine->shown = calloc(1, sizeof(*engine->shown));
	if (engine->shown == NULL)
		return; /* then it is made again each time */
	slot = &engine->shown->event[feed->next % SHOWN_MAX];
	slot->bytes.len = 0;
	ipl_buf_append(&slot->bytes, bytes, len);
	slot->seq = slot->bytes.failed ? 0 : feed->next;
	slot->bytes.failed = false;
}

void ipl_shown_free(struct ipl_shown *shown)
{
	if (shown == NULL)
		return;
	for (size_t i = 0; i < SHOWN_MAX; i++)
		ipl_buf_release(&shown->event[i].bytes);
	free(shown);
}

enum ipl_status ipl_feed_write(struct ipl_feed *feed, struct ipl_arena *arena, struct ipl_buf *out,
			       struct ipl_error *err)
{
	const struct ipl_buf *kept;
	struct ipl_value event;
	struct ipl_event ev;
	size_t begin = out->len;
	bool is_seen;
	enum ipl_status st = find(feed, true, &ev, &is_seen, err);

	if (st != IPL_OK)
		return st;
	kept = find_shown(feed);
	if (kept != NULL) {
		ipl_buf_append(out, kept->at, kept->len);
		feed->next++;
		return IPL_OK;
	}
	st = show(feed, &ev, arena, &event, err);
	if (st != IPL_OK)
		return st;
	ipl_msgpack_write(out, &event);
	if (!out->failed)
		keep_shown(feed, out->at + begin, out->len - begin);
	feed->next++;
	return IPL_OK;
}
