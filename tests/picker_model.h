/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pickers, too simple to be wrong: the next address after the one picked last, one by
 * one around the end, that is neither reserved nor held nor cooling nor asked for by name
 * in the same event.
 */
#ifndef IPL_TESTS_PICKER_MODEL_H
#define IPL_TESTS_PICKER_MODEL_H

#include "events/event.h"
#include "reducers/state.h"

#define MODEL_TEXT_MAX 160

struct picker_model;

struct picker_model *picker_model_new(void);
void picker_model_free(struct picker_model *model);
/**
 * @ev is about to be folded into @before: did it pick what it had to, and is what it
 * names free? False with @why where not. Follows the pickers.
 */
bool picker_model_follow(struct picker_model *model, const struct ipl_state *before,
			 const struct ipl_event *ev, char why[MODEL_TEXT_MAX]);

#endif
