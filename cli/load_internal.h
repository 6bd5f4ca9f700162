/* SPDX-License-Identifier: Apache-2.0 */
/* The load from inside: the loop (load.c) and what it works on (load_ground.c). */
#ifndef IPL_CLI_LOAD_INTERNAL_H
#define IPL_CLI_LOAD_INTERNAL_H

#include "cli/load.h"
#include "cli/session.h"
#include "events/msgpack.h"

#include <poll.h>

#define VSWITCHES   16u
#define ID_MAX      32u
#define TARGETS_MAX 5000u
#define TYPE        "ecs.g7.xlarge"

/* What reads ask for: a network interface that is there, and since when. */
struct target {
	char eni[ID_MAX];
	char vpc[ID_MAX];
	char ip[16];
	uint64_t first_seq;
};

struct slot {
	uint32_t step;
	int64_t sent_ns;
	char vswitch[ID_MAX];
	char eni[ID_MAX];
	char instance[ID_MAX];
	char eip[ID_MAX];
	char ip[16];
};

struct conn {
	int fd;
	struct ipl_buf in;
	struct ipl_buf out;
	size_t sent;
	struct ipl_scanner scanner;
	struct slot *slot;   /* in_flight of them */
	uint32_t *order;     /* slots in the order of their requests: a ring */
	uint32_t order_head; /* the next to be answered */
	uint32_t order_count;
};

struct mix;

struct load {
	const struct ipl_load_options *options;
	struct ipl_load_result *result;
	const struct mix *mix;
	struct conn *conns;
	struct slot *slots;
	uint32_t *orders;
	struct pollfd *polls;
	struct target *targets;
	uint32_t target_count;
	uint64_t head; /* when the load began: moments of the past are before it */
	uint64_t random;
	bool is_draining; /* no more is asked; what is in flight is answered */
};

/* What a mix that writes made for itself. */
struct ground {
	char vpc[ID_MAX];
	char vswitch[VSWITCHES][ID_MAX];
	uint32_t vswitches;
};

/** A VPC, vSwitches and a network interface for each slot. */
enum ipl_status ipl_load_prepare_writes(struct load *load, struct ground *g,
					struct ipl_session *session, struct ipl_error *err);
/** Up to TARGETS_MAX network interfaces that there are. */
enum ipl_status ipl_load_prepare_reads(struct load *load, struct ipl_session *session,
				       struct ipl_error *err);
/** Delete what was prepared, and what slots hold in the middle of their cycles. */
enum ipl_status ipl_load_clean_up(struct load *load, const struct ground *g,
				  struct ipl_session *session, struct ipl_error *err);

#endif
