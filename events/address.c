/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and blocks from and to text. */
#include "events/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "events/hash.h"

bool ipl_ip4_parse(struct ipl_str text, uint32_t *out)
{
	uint32_t ip = 0;
	size_t at = 0;

	for (int part = 0; part < 4; part++) {
		uint32_t n = 0;
		size_t digits = 0;
		for (; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++, digits++) {
			if (digits == 3 || (digits > 0 && n == 0))
				return false;
			n = n * 10 + (uint32_t)(text.at[at] - '0');
		}
		if (digits == 0 || n > 255)
			return false;
		ip = ip << 8 | n;
		if (part < 3 && (at == text.len || text.at[at++] != '.'))
			return false;
	}
	if (at != text.len)
		return false;
	*out = ip;
	return true;
}

void ipl_ip4_format(uint32_t ip, char out[IPL_IP4_TEXT_MAX])
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		uint32_t n = ip >> shift & 255;
		if (n >= 100)
			*out++ = (char)('0' + n / 100);
		if (n >= 10)
			*out++ = (char)('0' + n / 10 % 10);
		*out++ = (char)('0' + n % 10);
		*out++ = shift == 0 ? '\0' : '.';
	}
}

bool ipl_ip6_parse(struct ipl_str text, struct ipl_ip6 *out)
{
	char copy[IPL_IP6_TEXT_MAX];
	uint8_t bytes[16];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.at, 0, text.len) != NULL)
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, bytes) != 1)
		return false;
	*out = (struct ipl_ip6){ ipl_get_be64(bytes), ipl_get_be64(bytes + 8) };
	return true;
}

void ipl_ip6_format(struct ipl_ip6 ip, char out[IPL_IP6_TEXT_MAX])
{
	uint16_t group[8];
	int run_at = -1, run_len = 1; /* a single zero group is not shortened */
	size_t len = 0;

	if (ip.hi == 0 && ip.lo >> 32 == 0xffff) {
		(void)snprintf(out, IPL_IP6_TEXT_MAX, "::ffff:" IPL_IP4_FMT,
			       IPL_IP4_ARG((uint32_t)ip.lo));
		return;
	}
	for (int i = 0; i < 8; i++)
		group[i] = (uint16_t)((i < 4 ? ip.hi : ip.lo) >> (48 - 16 * (i % 4)));
	for (int i = 0; i < 8; i++) {
		int zeros = 0;
		while (i + zeros < 8 && group[i + zeros] == 0)
			zeros++;
		if (zeros > run_len) {
			run_at = i;
			run_len = zeros;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == run_at) {
			len += (size_t)snprintf(out + len, IPL_IP6_TEXT_MAX - len, "::");
			i += run_len - 1;
			continue;
		}
		/* Neither the first group nor the one after "::" has a colon before it. */
		len += (size_t)snprintf(out + len, IPL_IP6_TEXT_MAX - len, "%s%x",
					i == 0 || i == run_at + run_len ? "" : ":", group[i]);
	}
}

/* Cut "address/prefix" in two; false where the prefix is no number up to @max. */
static bool split(struct ipl_str text, int64_t max, struct ipl_str *address, uint8_t *prefix_len)
{
	const char *slash = text.len == 0 ? NULL : memchr(text.at, '/', text.len);
	int64_t n;

	if (slash == NULL)
		return false;
	*address = (struct ipl_str){ text.at, (size_t)(slash - text.at) };
	if (!ipl_str_to_int((struct ipl_str){ slash + 1, text.len - address->len - 1 }, &n) ||
	    n > max)
		return false;
	*prefix_len = (uint8_t)n;
	return true;
}

static uint32_t host_mask4(uint8_t prefix_len)
{
	return prefix_len == 32 ? 0 : UINT32_MAX >> prefix_len;
}

static uint64_t host_mask6(uint8_t prefix_len)
{
	return prefix_len == 64 ? 0 : UINT64_MAX >> prefix_len;
}

bool ipl_cidr4_parse(struct ipl_str text, struct ipl_cidr4 *out)
{
	struct ipl_str address;
	struct ipl_cidr4 cidr;

	if (!split(text, 32, &address, &cidr.prefix_len) || !ipl_ip4_parse(address, &cidr.base) ||
	    (cidr.base & host_mask4(cidr.prefix_len)) != 0)
		return false;
	*out = cidr;
	return true;
}

void ipl_cidr4_format(struct ipl_cidr4 cidr, char out[IPL_CIDR4_TEXT_MAX])
{
	(void)snprintf(out, IPL_CIDR4_TEXT_MAX, IPL_IP4_FMT "/%u", IPL_IP4_ARG(cidr.base),
		       cidr.prefix_len);
}

bool ipl_cidr6_parse(struct ipl_str text, struct ipl_cidr6 *out)
{
	struct ipl_str address;
	struct ipl_ip6 ip;
	uint8_t prefix_len;

	if (!split(text, 64, &address, &prefix_len) || prefix_len == 0 ||
	    !ipl_ip6_parse(address, &ip) || ip.lo != 0 || (ip.hi & host_mask6(prefix_len)) != 0)
		return false;
	*out = (struct ipl_cidr6){ ip.hi, prefix_len };
	return true;
}

void ipl_cidr6_format(struct ipl_cidr6 cidr, char out[IPL_CIDR6_TEXT_MAX])
{
	char ip[IPL_IP6_TEXT_MAX];

	out[0] = '\0';
	if (cidr.prefix_len == 0)
		return;
	ipl_ip6_format((struct ipl_ip6){ cidr.hi, 0 }, ip);
	(void)snprintf(out, IPL_CIDR6_TEXT_MAX, "%s/%u", ip, cidr.prefix_len);
}

uint64_t ipl_cidr4_size(struct ipl_cidr4 cidr)
{
	return UINT64_C(1) << (32 - cidr.prefix_len);
}

uint32_t ipl_cidr4_last(struct ipl_cidr4 cidr)
{
	return cidr.base | host_mask4(cidr.prefix_len);
}

bool ipl_cidr4_contains(struct ipl_cidr4 cidr, uint32_t ip)
{
	return (ip & ~host_mask4(cidr.prefix_len)) == cidr.base;
}

bool ipl_cidr4_covers(struct ipl_cidr4 outer, struct ipl_cidr4 inner)
{
	return inner.prefix_len >= outer.prefix_len && ipl_cidr4_contains(outer, inner.base);
}

bool ipl_cidr4_overlaps(struct ipl_cidr4 a, struct ipl_cidr4 b)
{
	return ipl_cidr4_contains(a, b.base) || ipl_cidr4_contains(b, a.base);
}

bool ipl_cidr4_equal(struct ipl_cidr4 a, struct ipl_cidr4 b)
{
	return a.base == b.base && a.prefix_len == b.prefix_len;
}

uint64_t ipl_cidr6_mask(struct ipl_cidr6 cidr)
{
	return cidr.prefix_len == 0 ? 0 : UINT64_MAX << (64 - cidr.prefix_len);
}

bool ipl_cidr6_covers(struct ipl_cidr6 outer, struct ipl_cidr6 inner)
{
	return outer.prefix_len <= inner.prefix_len &&
	       (inner.hi & ipl_cidr6_mask(outer)) == outer.hi;
}
