/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entity is called. Inside, an entity is a kind and a number that counts
 * up from 1 and is never used again; outside, it is the kind's prefix and 20
 * lower-case base-36 characters: three letters of the region, then 17 that a
 * fixed bijection makes from the number.
 *
 * The 17 characters are base-36 digits, most significant first: 13 of
 * scramble(number), 4 of check. scramble(n) = n * 0x9e3779b97f4a7c15 mod 2^64 (odd, so it
 * has an inverse) keeps neighbours apart, and check (a 36^4-valued hash of kind and number)
 * makes a mistyped id an id of nothing rather than of somebody else.
 */
#ifndef IPL_EVENTS_IDENT_H
#define IPL_EVENTS_IDENT_H

#include "events/base.h"

#define IPL_ID_TEXT_MAX   32
#define IPL_MAC_TEXT_MAX  18
#define IPL_UUID_TEXT_MAX 37

/* X(number, NAME, Name, prefix): the number is on disk for ever. */
#define IPL_KIND_LIST(X)                     \
	X(1, LEDGER, Ledger, "ledger-")      \
	X(2, VPC, Vpc, "vpc-")               \
	X(3, VSWITCH, VSwitch, "vsw-")       \
	X(4, INSTANCE, Instance, "i-")       \
	X(5, ENI, NetworkInterface, "eni-")  \
	X(6, EIP, Eip, "eip-")               \
	X(7, IPV6, Ipv6Address, "ipv6-")     \
	X(8, IPV6GW, Ipv6Gateway, "ipv6gw-") \
	X(9, IPV6BW, Ipv6InternetBandwidth, "ipv6bw-")

enum ipl_kind {
	IPL_KIND_NONE = 0,
#define X(number, NAME, Name, prefix) IPL_KIND_##NAME = number,
	IPL_KIND_LIST(X)
#undef X
		IPL_KIND_COUNT,
	/* Not entities, but chained like them: see struct ipl_key. */
	IPL_KIND_IP4 = 32,
	IPL_KIND_IP6 = 33,
};

/** What a chain of events hangs on: an entity or an address. */
struct ipl_key {
	uint64_t kind; /* enum ipl_kind */
	uint64_t a; /* entity: its number; IPv4: the VPC's number, 0 for public; IPv6: first half */
	uint64_t b; /* entity: 0; IPv4: the address; IPv6: second half */
};

static inline struct ipl_key ipl_key_entity(enum ipl_kind kind, uint64_t number)
{
	return (struct ipl_key){ .kind = kind, .a = number };
}

static inline struct ipl_key ipl_key_ip4(uint64_t vpc, uint32_t ip)
{
	return (struct ipl_key){ .kind = IPL_KIND_IP4, .a = vpc, .b = ip };
}

static inline struct ipl_key ipl_key_ip6(uint64_t hi, uint64_t lo)
{
	return (struct ipl_key){ .kind = IPL_KIND_IP6, .a = hi, .b = lo };
}

static inline bool ipl_key_equal(struct ipl_key a, struct ipl_key b)
{
	return a.kind == b.kind && a.a == b.a && a.b == b.b;
}

/** A well-mixed hash of a key; the same on every machine. */
uint64_t ipl_key_hash(struct ipl_key key);

/** The three characters that a region's ids begin with; not terminated text is never read. */
struct ipl_region_letters {
	char at[4]; /* three characters and the terminator */
};

/**
 * The letters of @region: those the cloud uses for its best-known regions
 * (cn-hangzhou: bp1), for any other three made from its name.
 */
struct ipl_region_letters ipl_region_letters(struct ipl_str region);

/** "Vpc", "NetworkInterface", …; "Address" for the address kinds. */
const char *ipl_kind_name(enum ipl_kind kind);
/** "vpc-", "eni-", … */
const char *ipl_kind_prefix(enum ipl_kind kind);
/** Print the id of entity @number (not 0). */
void ipl_id_format(struct ipl_region_letters letters, enum ipl_kind kind, uint64_t number,
		   char out[IPL_ID_TEXT_MAX]);
/** The same under another prefix, for what lives and dies with an entity (vrt-, vtb-). */
void ipl_id_format_as(const char *prefix, struct ipl_region_letters letters, enum ipl_kind kind,
		      uint64_t number, char out[IPL_ID_TEXT_MAX]);
/** The kind and number of an id of this region; false for any other text. */
bool ipl_id_parse(struct ipl_region_letters letters, struct ipl_str text, enum ipl_kind *kind,
		  uint64_t *number);

/**
 * The MAC address of ENI @number: 00:16:3e and 24 bits (a bijection of the
 * number) for the first 2^24, locally administered ones (02: and 40 bits of the
 * number) after.
 */
void ipl_mac_format(uint64_t number, char out[IPL_MAC_TEXT_MAX]);

/** Sixteen bytes as an upper-case UUID, the cloud's form of a request id. */
void ipl_uuid_format(const uint8_t bytes[16], char out[IPL_UUID_TEXT_MAX]);

#endif
