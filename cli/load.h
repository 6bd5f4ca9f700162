/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed load for `bench`: connections with so many requests in flight on each.
 * A slot is one request in flight; it goes through a cycle of operations, each on what
 * the one before made.
 */
#ifndef IPL_CLI_LOAD_H
#define IPL_CLI_LOAD_H

#include "events/value.h"

#define IPL_LOAD_SLOTS_MAX 65536u

/* Latencies in buckets of 1/16 of a power of two; from 1 us to 67 s. */
#define IPL_LATENCY_BUCKETS 416u
struct ipl_latency {
	uint64_t bucket[IPL_LATENCY_BUCKETS];
	uint64_t count;
	int64_t max_ns;
};
void ipl_latency_add(struct ipl_latency *latency, int64_t ns);
/** The upper end of the bucket in which the @share-th (0..1) is, in ns; 0 where there is none. */
int64_t ipl_latency_at(const struct ipl_latency *latency, double share);

struct ipl_load_options {
	const char *path; /* of a Unix socket */
	const char *mix;
	uint32_t connections;
	uint32_t in_flight; /* on each */
	double seconds;
	bool (*progress)(void *context, double seconds, uint64_t done,
			 const struct ipl_latency *latency); /* false ends it */
	void *context;
};

struct ipl_load_result {
	double seconds;
	uint64_t done;
	uint64_t refused;
	uint64_t events;    /* of done, those that appended one */
	uint64_t first_seq; /* the first that the load itself can have appended */
	struct ipl_latency latency;
	char first_refusal[256];
};

/** "mixed": run, allocate, associate, assign, unassociate, unassign, release and delete, on a VPC
 * of its own. "read", "past": GetEntity of a network interface, now or as of a random moment of its
 * life. "lookup", "lookup-past": LookupAddress of its address. "ping": nothing.
 */
bool ipl_load_is_mix(const char *name);
bool ipl_load_writes(const char *mix);

/**
 * Prepare what the mix works on, then load for the time. Of a mix that writes, what was made is
 * deleted at the end; the events stay.
 */
enum ipl_status ipl_load_run(const struct ipl_load_options *options, struct ipl_load_result *out,
			     struct ipl_error *err) IPL_MUST_USE;

#endif
