/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fuzz targets stand on: a small ledger with a past, which every input begins from anew,
 * and the way of a call through it with all that must hold of any call. What does not
 * hold aborts.
 */
#ifndef IPL_TESTS_FUZZ_LEDGER_H
#define IPL_TESTS_FUZZ_LEDGER_H

#include "operations/operation.h"
#include "replay/view.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/** Asserts may be left out of a build; what a target claims may not. */
#define CHECK(claim) ((claim) ? (void)0 : fuzz_failed(#claim, __FILE__, __LINE__))
void fuzz_failed(const char *claim, const char *file, int line) __attribute__((noreturn));

struct fuzz_ledger {
	struct ipl_state *state;
	struct ipl_arena call;   /* of the call last made */
	struct ipl_buf log;      /* the bytes of all events since it was opened */
	uint64_t count;          /* how many */
	int64_t time_ms;         /* now */
	struct ipl_error err;    /* of the call last made */
	struct ipl_value result; /* the same */
};

/** The state of some hundred operations, made once. Its time stands at its last event. */
const struct ipl_state *fuzz_past(void);
/** Begin: with the past above, or with a new ledger. */
void fuzz_ledger_open(struct fuzz_ledger *ledger, bool has_past);
void fuzz_ledger_close(struct fuzz_ledger *ledger);
/**
 * Call @operation (a write, or a read of now). The parameters live on. IPL_OK or IPL_REFUSED;
 * claimed of every call: it is read the same from its bytes again, in any order of members and
 * by its digest; decided twice it comes to the same; to decide leaves no trace in the state, nor
 * does a refusal; an event comes out of its bytes as it was, folds, and leaves a state that
 * has no contradiction; a refusal says why, by a code of the contract.
 */
enum ipl_status fuzz_ledger_call(struct fuzz_ledger *ledger, const struct ipl_operation *operation,
				 const struct ipl_value *params);
/** Give @ev the next seq and links that lead nowhere, send it through bytes, fold it. */
enum ipl_status fuzz_ledger_append(struct fuzz_ledger *ledger, struct ipl_event *ev);
/** The rows of @state make the same state again. */
void fuzz_check_rows(const struct ipl_state *state);
/** Nothing contradicts itself; the findings are printed. */
void fuzz_check_state(const struct ipl_state *state, int64_t now_ms);

/* --- bytes as choices --- */

struct fuzz_draw {
	const uint8_t *at, *end;
};

/** 0 where there is nothing left. */
static inline uint8_t fuzz_byte(struct fuzz_draw *draw)
{
	return draw->at < draw->end ? *draw->at++ : 0;
}
/** 0 .. @below - 1, of one byte. */
static inline uint32_t fuzz_below(struct fuzz_draw *draw, uint32_t below)
{
	return fuzz_byte(draw) % below;
}
/** Of eight bytes. */
uint64_t fuzz_number(struct fuzz_draw *draw);
/** The number of an entity that lives, of one that is gone, or of none. */
uint64_t fuzz_entity(struct fuzz_draw *draw, const struct ipl_state *state, enum ipl_kind kind);
/** An address that may mean something. */
uint32_t fuzz_ip4(struct fuzz_draw *draw, const struct ipl_state *state);
struct ipl_ip6 fuzz_ip6(struct fuzz_draw *draw, const struct ipl_state *state);
/** Parameters by the operation's own table: most of them make sense. */
struct ipl_value fuzz_params(struct fuzz_draw *draw, struct ipl_arena *arena,
			     const struct ipl_state *state, const struct ipl_operation *operation);

#endif
