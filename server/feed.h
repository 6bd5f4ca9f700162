/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed: the durable events from a seq on that match a filter, one after the other,
 * without gap or repeat, and what comes after them when it comes. It holds a place in the log
 * and not the events: however far behind its reader is, it costs the same memory.
 *
 * A door asks for events while its peer takes them, and asks again when a commit is
 * done. All calls are made from the engine's thread.
 */
#ifndef IPL_SERVER_FEED_H
#define IPL_SERVER_FEED_H

#include "server/engine.h"

struct ipl_feed;

/** What is wanted. */
struct ipl_feed_filter {
	int64_t from_seq;    /* 0 means 1; IPL_ABSENT: what comes after the head */
	struct ipl_str id;   /* an entity or an address, as ListEvents takes it; len 0: all */
	struct ipl_str type; /* "VpcCreated"; len 0: all */
};

/**
 * Open a feed; it begins after the head that the engine has now, or at
 * filter->from_seq. Nothing of @filter is kept.
 *
 * @retval IPL_REFUSED  no such type, nothing that could have an id, a seq in the future
 */
enum ipl_status ipl_feed_open(struct ipl_engine *engine, const struct ipl_feed_filter *filter,
			      struct ipl_feed **out, struct ipl_error *err) IPL_MUST_USE;
/** NULL is fine. */
void ipl_feed_close(struct ipl_feed *feed);

/**
 * The next event, as every door shows it, in @arena.
 *
 * @retval IPL_ERR_END   none for now: all that is durable was looked at
 * @retval IPL_ERR_BUSY  enough was looked at for one turn: ask again, after others
 */
enum ipl_status ipl_feed_next(struct ipl_feed *feed, struct ipl_arena *arena,
			      struct ipl_value *event, struct ipl_error *err) IPL_MUST_USE;

/**
 * As ipl_feed_next(), with the event's MessagePack appended to @out. Of the newest events it is
 * kept, so that many who follow the end have it made once. @arena is for the event meanwhile.
 */
enum ipl_status ipl_feed_write(struct ipl_feed *feed, struct ipl_arena *arena, struct ipl_buf *out,
			       struct ipl_error *err) IPL_MUST_USE;
/** Free what the engine's feeds have kept; NULL is fine. */
struct ipl_shown;
void ipl_shown_free(struct ipl_shown *shown);

/** The first seq that was not looked at yet: where to begin when the feed must be opened anew. */
uint64_t ipl_feed_resume_seq(const struct ipl_feed *feed);

#endif
