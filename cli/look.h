/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at the past of the ledger in a directory, beside a server or without
 * one: what the commands that go to and fro in the log share.
 */
#ifndef IPL_CLI_LOOK_H
#define IPL_CLI_LOOK_H

#include "cli/command.h"
#include "replay/view.h"

struct ipl_look {
	struct ipl_store *store;
	struct ipl_reader *reader;
	struct ipl_checkpoints *checkpoints;
	struct ipl_views *views;
	uint64_t head; /* when it was opened; with --as-of, that moment */
	uint64_t last; /* event of the log, when it was opened */
	struct ipl_region_letters letters;
};

/** Open the directory of @in, which must name no server. */
enum ipl_status ipl_look_open(const struct ipl_invocation *in, struct ipl_look *out,
			      struct ipl_error *err) IPL_MUST_USE;
void ipl_look_close(struct ipl_look *look);
/** Its log, with the checkpoints; as long as @look. */
struct ipl_records ipl_look_records(const struct ipl_look *look);

/**
 * The seq of a moment (WHEN as everywhere): of a time, that of the last event not later.
 * @retval IPL_REFUSED  it is no moment, or a seq beyond the head
 */
enum ipl_status ipl_look_when(const struct ipl_look *look, struct ipl_arena *arena,
			      const char *text, uint64_t *seq, struct ipl_error *err) IPL_MUST_USE;

/** The map of event @seq, as every door shows it. */
enum ipl_status ipl_look_event(const struct ipl_look *look, struct ipl_arena *arena, uint64_t seq,
			       struct ipl_value *out, struct ipl_error *err) IPL_MUST_USE;
/** An event in one line for people: seq, time, type, who for whom, why, what it touches. */
struct ipl_str ipl_look_event_line(struct ipl_arena *arena, const struct ipl_value *event);
/** Text without anything that a terminal would obey. */
struct ipl_str ipl_look_plain(struct ipl_arena *arena, struct ipl_str text);
/** From one value to another in one line: of lists, what came (+) and what went (-). */
struct ipl_str ipl_look_change(struct ipl_arena *arena, const struct ipl_value *before,
			       const struct ipl_value *after);
/** A value in one line, without anything that a terminal would obey; "nothing" for nil. */
struct ipl_str ipl_look_text(struct ipl_arena *arena, const struct ipl_value *value);

#endif
