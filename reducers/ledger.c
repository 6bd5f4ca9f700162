/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger itself: its settings. */
#include "reducers/reduce_internal.h"

#define SETTINGS_BYTES_MAX ((size_t)4 << 20)

bool ipl_settings_keep(struct ipl_ledger_state *self, const struct ipl_ev_settings *settings)
{
	struct ipl_arena fresh;

	/* They may share text with the settings that they replace: those go last. */
	ipl_arena_init(&fresh, SETTINGS_BYTES_MAX);
	ipl_record_copy(&fresh, &ipl_record_settings, settings, &self->settings);
	ipl_arena_release(&self->arena);
	self->arena = fresh;
	return !fresh.failed;
}

static enum ipl_status keep_settings(struct ipl_ledger_state *self, const struct ipl_ev_settings *s,
				     struct ipl_error *err)
{
	if (!ipl_settings_keep(self, s))
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for the settings");
	return IPL_OK;
}

enum ipl_status ipl_reduce_ledger(uint64_t number, struct ipl_ledger_state *self,
				  const struct ipl_event *ev, struct ipl_error *err)
{
	const struct ipl_notes none = { 0 };

	if (ev->type == IPL_EVENT_LEDGER_CREATED) {
		if (!ipl_base_begin(&self->base, ev, &none, err))
			return err->status;
		return keep_settings(self, &ev->ledger_created.settings, err);
	}
	if (ev->type == IPL_EVENT_LEDGER_SETTINGS_MODIFIED && self->base.alive)
		return keep_settings(self, &ev->ledger_settings_modified.settings, err);
	return ipl_damage(ev, err, "it does not touch ledger %" PRIu64, number);
}
