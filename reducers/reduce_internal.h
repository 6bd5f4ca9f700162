/* SPDX-License-Identifier: Apache-2.0 */
/* What the reducers share: one file and one function for each kind of entity. */
#ifndef IPL_REDUCERS_REDUCE_INTERNAL_H
#define IPL_REDUCERS_REDUCE_INTERNAL_H

#include "reducers/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum ipl_status ipl_reduce_ledger(uint64_t number, struct ipl_ledger_state *self,
				  const struct ipl_event *ev, struct ipl_error *err);
enum ipl_status ipl_reduce_vpc(uint64_t number, struct ipl_vpc *self, const struct ipl_event *ev,
			       struct ipl_error *err);
enum ipl_status ipl_reduce_vswitch(uint64_t number, struct ipl_vswitch *self,
				   const struct ipl_event *ev, struct ipl_error *err);
enum ipl_status ipl_reduce_instance(uint64_t number, struct ipl_instance *self,
				    const struct ipl_event *ev, struct ipl_error *err);
enum ipl_status ipl_reduce_eni(uint64_t number, struct ipl_eni *self, const struct ipl_event *ev,
			       struct ipl_error *err);
enum ipl_status ipl_reduce_eip(uint64_t number, struct ipl_eip *self, const struct ipl_event *ev,
			       struct ipl_error *err);
enum ipl_status ipl_reduce_ipv6(uint64_t number, struct ipl_ipv6 *self, const struct ipl_event *ev,
				struct ipl_error *err);
enum ipl_status ipl_reduce_ipv6gw(uint64_t number, struct ipl_ipv6gw *self,
				  const struct ipl_event *ev, struct ipl_error *err);
enum ipl_status ipl_reduce_ipv6bw(uint64_t number, struct ipl_ipv6bw *self,
				  const struct ipl_event *ev, struct ipl_error *err);

/** "event 7 (EipReleased) cannot be: <why>" */
enum ipl_status ipl_damage(const struct ipl_event *ev, struct ipl_error *err, const char *format,
			   ...) IPL_PRINTF(3, 4);

/** Begin the life of an entity: false, with @err filled, where it lives already or memory is short.
 */
bool ipl_base_begin(struct ipl_base *base, const struct ipl_event *ev,
		    const struct ipl_notes *notes, struct ipl_error *err);

/** A copy in one block of memory; NULL without. */
struct ipl_notes *ipl_notes_copy(const struct ipl_notes *notes);

/** Give an entity another name and description. */
enum ipl_status ipl_base_rename(struct ipl_base *base, struct ipl_str name,
				struct ipl_str description, struct ipl_error *err);

/** A copy of @settings of the ledger's own, in place of those it has; false without memory. */
bool ipl_settings_keep(struct ipl_ledger_state *self, const struct ipl_ev_settings *settings);

bool ipl_numbers_add(struct ipl_numbers *numbers, uint64_t number);
/** False where it is not there. */
bool ipl_numbers_remove(struct ipl_numbers *numbers, uint64_t number);

/** The parts of an event that speak of one entity; NULL where none does. */
const struct ipl_ev_instance *ipl_launched_instance(const struct ipl_event *ev, uint64_t number);
const struct ipl_ev_launched_eni *ipl_launched_eni(const struct ipl_event *ev, uint64_t number,
						   const struct ipl_ev_instance **of);
const struct ipl_ev_freed_eni *ipl_freed_eni(const struct ipl_event *ev, uint64_t number);
/** The interface with which the event takes away the EIP @number. */
const struct ipl_ev_freed_eni *ipl_freed_eni_of_eip(const struct ipl_event *ev, uint64_t number);
/** All interfaces that go with the event. */
struct ipl_ev_freed_eni_list ipl_freed_enis(const struct ipl_event *ev);

#endif
