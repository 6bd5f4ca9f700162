/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state as bytes. The whole state is a list of rows, each a key and a value,
 * in ascending order of keys; equal states have equal rows, however they came
 * about: nothing in them depends on memory, on time, or on an order that means
 * nothing. What follows from other rows (bitmaps, owners of blocks, counts) is
 * not written but made again.
 *
 * A value is MessagePack in its shortest form (events/cursor.h), an array:
 *   global   seq, time_ms, ledger, pool it was picked from last, next /56 of the
 *            IPv6 pool, [position in each public pool], [next number of each kind from VPC on]
 *   entity   first_seq, last_seq, created_ms, words, and the members of its kind
 *   words    name, description, zone, type, image, host name, [security groups],
 *            [key, value, … of the tags]
 *   picker   of a vSwitch: position in its IPv4 block, in its IPv6 block
 *   address  role, interface, vSwitch, EIP, since seq, since ms, cools until
 * Of addresses, those that are held or cool down have a row. What has cooled
 * down by the time of the state's last event is left out.
 */
#ifndef IPL_REDUCERS_CODEC_H
#define IPL_REDUCERS_CODEC_H

#include "reducers/state.h"

/* Kinds of rows beside those of entities and addresses. */
#define IPL_ROW_GLOBAL 0u  /* the first row */
#define IPL_ROW_PICKER 16u /* a: the vSwitch */

/** -1, 0, 1: the order of rows. */
int ipl_key_compare(struct ipl_key a, struct ipl_key b);

/** Append the value of a living entity. Addresses that have cooled down by @now_ms are left out. */
void ipl_entity_encode(enum ipl_kind kind, const union ipl_entity *entity, int64_t now_ms,
		       struct ipl_buf *out);
/**
 * Make the entity again; @out is zeroed, and the caller's to release where it is IPL_OK.
 * @retval IPL_ERR_CORRUPT  the bytes are no entity of that kind
 */
enum ipl_status ipl_entity_decode(enum ipl_kind kind, struct ipl_str bytes, union ipl_entity *out,
				  struct ipl_error *err) IPL_MUST_USE;

void ipl_holding_encode(const struct ipl_holding *holding, struct ipl_buf *out);
enum ipl_status ipl_holding_decode(struct ipl_str bytes, struct ipl_holding *out,
				   struct ipl_error *err) IPL_MUST_USE;

/** Called for each row in order; the value is borrowed for the call. Not IPL_OK: it ends so. */
typedef enum ipl_status (*ipl_row_fn)(void *context, struct ipl_key key, struct ipl_str value,
				      struct ipl_error *err);
/**
 * Every row of @state, which is no fork and stands at the time of its last
 * event: one that was folded, not one that was decided on. It is not changed.
 */
enum ipl_status ipl_state_each_row(const struct ipl_state *state, ipl_row_fn fn, void *context,
				   struct ipl_error *err) IPL_MUST_USE;

/** A state that is made from its rows. */
struct ipl_state_loader;
/** NULL without memory. */
struct ipl_state_loader *ipl_state_loader_new(void);
/** The next row; hostile or not. After anything but IPL_OK the loader is good for free() only. */
enum ipl_status ipl_state_loader_row(struct ipl_state_loader *loader, struct ipl_key key,
				     struct ipl_str value, struct ipl_error *err) IPL_MUST_USE;
/** All rows came: the state, which folds on as the one whose rows they were. */
enum ipl_status ipl_state_loader_finish(struct ipl_state_loader *loader, struct ipl_state **out,
					struct ipl_error *err) IPL_MUST_USE;
void ipl_state_loader_free(struct ipl_state_loader *loader);

#endif
