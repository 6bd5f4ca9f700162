/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 and IPv6 addresses and CIDR blocks, in host byte order, from and to text. */
#ifndef IPL_EVENTS_ADDRESS_H
#define IPL_EVENTS_ADDRESS_H

#include "events/base.h"

#define IPL_IP4_TEXT_MAX   16 /* "255.255.255.255" and the terminator */
#define IPL_CIDR4_TEXT_MAX 24 /* … and "/32" */
#define IPL_IP6_TEXT_MAX   46
#define IPL_CIDR6_TEXT_MAX 50

#define IPL_IP4_FMT     "%u.%u.%u.%u"
#define IPL_IP4_ARG(ip) (ip) >> 24, ((ip) >> 16) & 255, ((ip) >> 8) & 255, (ip)&255

/** An IPv6 address: its first and its last 64 bits. */
struct ipl_ip6 {
	uint64_t hi;
	uint64_t lo;
};

/** An IPv4 block; no host bits are set. {0, 0} means none where a field may be empty. */
struct ipl_cidr4 {
	uint32_t base;
	uint8_t prefix_len; /* 0..32 */
};

/** An IPv6 block of at most /64; the last 64 bits are zero. prefix_len 0 means none. */
struct ipl_cidr6 {
	uint64_t hi;
	uint8_t prefix_len; /* 0..64 */
};

/** Dotted decimal, four parts, no leading zeros (RFC 6943 3.1.1, strict form). */
bool ipl_ip4_parse(struct ipl_str text, uint32_t *out);
void ipl_ip4_format(uint32_t ip, char out[IPL_IP4_TEXT_MAX]);
/** Any RFC 4291 text, no zone. */
bool ipl_ip6_parse(struct ipl_str text, struct ipl_ip6 *out);
/** The canonical text of RFC 5952. */
void ipl_ip6_format(struct ipl_ip6 ip, char out[IPL_IP6_TEXT_MAX]);

/** "a.b.c.d/n", n without leading zeros. Host bits that are set make it false too. */
bool ipl_cidr4_parse(struct ipl_str text, struct ipl_cidr4 *out);
void ipl_cidr4_format(struct ipl_cidr4 cidr, char out[IPL_CIDR4_TEXT_MAX]);
bool ipl_cidr6_parse(struct ipl_str text, struct ipl_cidr6 *out);
/** "" for none. */
void ipl_cidr6_format(struct ipl_cidr6 cidr, char out[IPL_CIDR6_TEXT_MAX]);

/** The bits of hi that its prefix covers. */
uint64_t ipl_cidr6_mask(struct ipl_cidr6 cidr);
bool ipl_cidr6_covers(struct ipl_cidr6 outer, struct ipl_cidr6 inner);
/** How many addresses it holds: 1 .. 2^32. */
uint64_t ipl_cidr4_size(struct ipl_cidr4 cidr);
uint32_t ipl_cidr4_last(struct ipl_cidr4 cidr);
bool ipl_cidr4_contains(struct ipl_cidr4 cidr, uint32_t ip);
bool ipl_cidr4_covers(struct ipl_cidr4 outer, struct ipl_cidr4 inner);
bool ipl_cidr4_overlaps(struct ipl_cidr4 a, struct ipl_cidr4 b);
bool ipl_cidr4_equal(struct ipl_cidr4 a, struct ipl_cidr4 b);

#endif
