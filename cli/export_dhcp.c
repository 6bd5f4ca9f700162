/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export dnsmasq, export kea: a DHCP server that hands each network interface its primary private
 * address, by its MAC address, with the mask and gateway of its vSwitch.
 *
 * What is secondary, IPv6 or public is configured by hand in a guest, or not seen there at all, so
 * it is not in these files; nor is an interface whose primary address has given way to an EIP in
 * BINDED mode. All addresses are reserved: to a MAC address that the ledger does not know nothing
 * is given, and there are no leases that would have to be kept.
 *
 * In a dnsmasq configuration no host line sets a tag: dnsmasq 2.90 aborts when it reads such a
 * line again while that host has a lease. Tags are set by the ranges.
 */
#include "cli/ask.h"
#include "cli/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "events/address.h"
#include "events/json.h"
#include "reducers/state.h"

#define LEASE_SECONDS 3600

static const char *const cloud_dns[] = { "100.100.2.136", "100.100.2.138" };

struct net {
	struct ipl_cidr4 cidr;
	struct ipl_str vswitch;
	struct ipl_str vpc;
};

struct host {
	uint32_t ip;
	struct ipl_str mac;
	struct ipl_str eni;
	struct ipl_str instance; /* "": attached to none */
	bool is_primary;
};

/* Both in the order of addresses: no two nets overlap, so a net's hosts stand together. */
struct dhcp {
	struct net *net;
	size_t net_count;
	struct host *host;
	size_t host_count;
};

/* --- what the ledger says --- */

static struct ipl_str text_at(const struct ipl_value *map, const char *path)
{
	const struct ipl_value *value = ipl_value_at(map, ipl_str_of(path));

	return value == NULL || value->type != IPL_VALUE_STR ? IPL_STR("") : value->str;
}

static enum ipl_status no_memory(struct ipl_export *x)
{
	return ipl_error_set(&x->err, IPL_ERR_NOMEM, "out of memory for the configuration");
}

/* Parameters of a list that leave everything else out. */
static enum ipl_status set_scope(struct ipl_export *x, struct ipl_value *params)
{
	struct ipl_value of = ipl_map(), entity;
	enum ipl_status st;

	*params = ipl_map();
	if (x->id == NULL)
		return IPL_OK;
	ipl_map_add(x->in->arena, &of, "Id", ipl_text_of(x->id));
	st = ipl_export_ask(x, "GetEntity", &of, &entity);
	if (st != IPL_OK)
		return st;
	if (ipl_str_is(text_at(&entity, "Kind"), "Vpc"))
		ipl_map_add(x->in->arena, params, "VpcId", ipl_text_of(x->id));
	else if (ipl_str_is(text_at(&entity, "Kind"), "VSwitch"))
		ipl_map_add(x->in->arena, params, "VSwitchId", ipl_text_of(x->id));
	else
		return ipl_refuse(&x->err, IPL_CODE_INVALID_PARAMETER,
				  "%s is neither a VPC nor a vSwitch", x->id);
	return IPL_OK;
}

static int compare_nets(const void *a, const void *b)
{
	const struct net *x = a, *y = b;

	return (x->cidr.base > y->cidr.base) - (x->cidr.base < y->cidr.base);
}

static int compare_hosts(const void *a, const void *b)
{
	const struct host *x = a, *y = b;

	return (x->ip > y->ip) - (x->ip < y->ip);
}

/* One server has one space of addresses; two VPCs may have the same. */
static enum ipl_status check_overlaps(struct ipl_export *x, const struct dhcp *d)
{
	for (size_t i = 1; i < d->net_count; i++) {
		const struct net *a = &d->net[i - 1], *b = &d->net[i];
		if (!ipl_cidr4_overlaps(a->cidr, b->cidr))
			continue;
		return ipl_refuse(
			&x->err, IPL_CODE_INVALID_PARAMETER,
			"%.*s of %.*s and %.*s of %.*s overlap, and one DHCP server cannot "
			"serve both: name one VPC or vSwitch",
			IPL_STR_ARG(a->vswitch), IPL_STR_ARG(a->vpc), IPL_STR_ARG(b->vswitch),
			IPL_STR_ARG(b->vpc));
	}
	return IPL_OK;
}

static enum ipl_status read_nets(struct ipl_export *x, const struct ipl_value *scope,
				 struct dhcp *d)
{
	struct ipl_value params = ipl_value_copy(x->in->arena, scope);
	const struct ipl_value *list;
	enum ipl_status st =
		ipl_export_list(x, "DescribeVSwitches", &params, "VSwitches.VSwitch", &list);

	if (st != IPL_OK)
		return st;
	d->net_count = list == NULL ? 0 : list->count;
	d->net = ipl_arena_array(x->in->arena, d->net_count, sizeof(*d->net));
	if (d->net == NULL)
		return no_memory(x);
	for (size_t i = 0; i < d->net_count; i++) {
		d->net[i].vswitch = text_at(&list->item[i], "VSwitchId");
		d->net[i].vpc = text_at(&list->item[i], "VpcId");
		if (!ipl_cidr4_parse(text_at(&list->item[i], "CidrBlock"), &d->net[i].cidr))
			return ipl_error_set(&x->err, IPL_ERR_IO,
					     "the ledger's answer makes no sense");
	}
	if (d->net_count > 0)
		qsort(d->net, d->net_count, sizeof(*d->net), compare_nets);
	return check_overlaps(x, d);
}

/* Whether the primary address of @eni is not seen in the guest: an EIP is, in its place. */
static bool gives_way(const struct ipl_value *eni, const struct ipl_value *eips)
{
	struct ipl_str eip =
		text_at(eni, "PrivateIpSets.PrivateIpSet.1.AssociatedPublicIp.AllocationId");

	for (uint32_t i = 0; eip.len > 0 && eips != NULL && i < eips->count; i++) {
		if (ipl_str_equal(text_at(&eips->item[i], "AllocationId"), eip))
			return ipl_str_is(text_at(&eips->item[i], "Mode"), "BINDED");
	}
	return false;
}

static enum ipl_status take_hosts(struct ipl_export *x, const struct ipl_value *list,
				  const struct ipl_value *eips, struct dhcp *d)
{
	d->host = ipl_arena_array(x->in->arena, list == NULL ? 0 : list->count, sizeof(*d->host));
	if (d->host == NULL)
		return no_memory(x);
	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		const struct ipl_value *eni = &list->item[i];
		struct host *host = &d->host[d->host_count];
		if (gives_way(eni, eips))
			continue;
		host->mac = text_at(eni, "MacAddress");
		host->eni = text_at(eni, "NetworkInterfaceId");
		host->instance = text_at(eni, "InstanceId");
		host->is_primary = ipl_str_is(text_at(eni, "Type"), "Primary");
		if (!ipl_ip4_parse(text_at(eni, "PrivateIpAddress"), &host->ip))
			return ipl_error_set(&x->err, IPL_ERR_IO,
					     "the ledger's answer makes no sense");
		d->host_count++;
	}
	if (d->host_count > 0)
		qsort(d->host, d->host_count, sizeof(*d->host), compare_hosts);
	x->rows = d->host_count;
	return IPL_OK;
}

static enum ipl_status read_dhcp(struct ipl_export *x, struct dhcp *d)
{
	const struct ipl_value *enis = NULL, *eips = NULL;
	struct ipl_value scope, nothing = ipl_map();
	enum ipl_status st = set_scope(x, &scope);

	*d = (struct dhcp){ .net = NULL };
	if (st == IPL_OK)
		st = read_nets(x, &scope, d);
	if (st == IPL_OK)
		st = ipl_export_list(x, "DescribeNetworkInterfaces", &scope,
				     "NetworkInterfaceSets.NetworkInterfaceSet", &enis);
	if (st == IPL_OK)
		st = ipl_export_list(x, "DescribeEipAddresses", &nothing, "EipAddresses.EipAddress",
				     &eips);
	return st == IPL_OK ? take_hosts(x, enis, eips, d) : st;
}

/* --- what both servers are told --- */

static uint32_t gateway_of(struct ipl_cidr4 cidr)
{
	return ipl_cidr4_last(cidr) - IPL_GATEWAY_FROM_LAST;
}

static void put_dns(const struct ipl_export *x, struct ipl_buf *out, const char *between)
{
	const char *const *list = x->dns_count > 0 ? x->dns : cloud_dns;
	size_t count = x->dns_count > 0 ? x->dns_count : IPL_ARRAY_SIZE(cloud_dns);

	for (size_t i = 0; i < count; i++)
		ipl_buf_printf(out, "%s%s", i == 0 ? "" : between, list[i]);
}

/* --- dnsmasq --- */

/* Each line begins with @line: "" in a file that holds nothing else. */
static void put_hosts(const struct dhcp *d, const char *line, struct ipl_buf *out)
{
	for (size_t i = 0; i < d->host_count; i++) {
		const struct host *host = &d->host[i];
		ipl_buf_printf(out, "%s%.*s," IPL_IP4_FMT, line, IPL_STR_ARG(host->mac),
			       IPL_IP4_ARG(host->ip));
		/* A guest has one name, whichever interface asks last. */
		if (host->is_primary && host->instance.len > 0)
			ipl_buf_printf(out, ",%.*s", IPL_STR_ARG(host->instance));
		ipl_buf_append(out, "\n", 1);
	}
}

static void put_options(const struct ipl_export *x, const struct dhcp *d, const char *line,
			struct ipl_buf *out)
{
	for (size_t i = 0; i < d->net_count; i++) {
		const struct net *net = &d->net[i];
		ipl_buf_printf(out, "%stag:%.*s,option:router," IPL_IP4_FMT "\n", line,
			       IPL_STR_ARG(net->vswitch), IPL_IP4_ARG(gateway_of(net->cidr)));
		ipl_buf_printf(out, "%stag:%.*s,option:dns-server,", line,
			       IPL_STR_ARG(net->vswitch));
		put_dns(x, out, ",");
		ipl_buf_append(out, "\n", 1);
	}
}

static void put_server(const struct ipl_export *x, const struct dhcp *d, struct ipl_buf *out)
{
	ipl_buf_printf(out,
		       "# Made by ipledger export dnsmasq, as of event %" PRIu64 ".\n"
		       "# Each network interface gets its primary private address, nobody else "
		       "gets any.\n"
		       "port=0\n"
		       "no-resolv\n"
		       "no-hosts\n",
		       x->seq);
	for (size_t i = 0; i < x->interface_count; i++)
		ipl_buf_printf(out, "interface=%s\n", x->interface[i]);
	if (x->interface_count > 0)
		ipl_buf_printf(out, "bind-interfaces\n");
	ipl_buf_printf(out, "dhcp-authoritative\n"
			    "dhcp-ignore=tag:!known\n"
			    "# All addresses are reserved: there are no leases to keep.\n"
			    "leasefile-ro\n");
	for (size_t i = 0; i < d->net_count; i++) {
		const struct ipl_cidr4 cidr = d->net[i].cidr;
		uint32_t mask = (uint32_t)(UINT64_C(0xffffffff) << (32 - cidr.prefix_len));
		ipl_buf_printf(out,
			       "dhcp-range=set:%.*s," IPL_IP4_FMT ",static," IPL_IP4_FMT ",%ds\n",
			       IPL_STR_ARG(d->net[i].vswitch), IPL_IP4_ARG(cidr.base),
			       IPL_IP4_ARG(mask), LEASE_SECONDS);
	}
}

/* The configuration names the other two, so it comes last. */
static enum ipl_status save_dnsmasq(struct ipl_export *x, const struct dhcp *d)
{
	static const char *const names[] = { "hosts", "options", "conf" };
	static const char not_in_paths[] = " \t\r\n,\"\\#";
	struct ipl_arena *arena = x->in->arena;
	enum ipl_status st = IPL_OK;
	char *folder;

	if (mkdir(x->folder, 0777) != 0 && errno != EEXIST)
		return ipl_error_set(&x->err, IPL_ERR_IO, "%s: %s", x->folder, strerror(errno));
	folder = realpath(x->folder, NULL);
	if (folder == NULL)
		return ipl_error_set(&x->err, IPL_ERR_IO, "%s: %s", x->folder, strerror(errno));
	if (strpbrk(folder, not_in_paths) != NULL)
		st = ipl_error_set(&x->err, IPL_ERR_IO,
				   "%s: dnsmasq does not take a path with a blank, a comma, a "
				   "quote, a backslash or a #",
				   x->folder);
	for (size_t i = 0; st == IPL_OK && i < IPL_ARRAY_SIZE(names); i++) {
		const char *path = ipl_arena_printf(arena, "%s/dnsmasq.%s", folder, names[i]).at;
		struct ipl_buf text = { 0 };
		if (i == 0)
			put_hosts(d, "", &text);
		else if (i == 1)
			put_options(x, d, "", &text);
		else
			put_server(x, d, &text);
		if (i == 2)
			ipl_buf_printf(&text,
				       "# Read again on SIGHUP; the rest at the start only.\n"
				       "dhcp-hostsfile=%s/dnsmasq.hosts\n"
				       "dhcp-optsfile=%s/dnsmasq.options\n",
				       folder, folder);
		st = path == NULL || text.failed ? no_memory(x) : ipl_export_save(x, path, &text);
		ipl_buf_release(&text);
	}
	free(folder);
	return st;
}

/* --- kea --- */

static void put_kea_host(const struct host *host, struct ipl_buf *out)
{
	ipl_buf_printf(out,
		       "          { \"hw-address\": \"%.*s\", \"ip-address\": \"" IPL_IP4_FMT "\",",
		       IPL_STR_ARG(host->mac), IPL_IP4_ARG(host->ip));
	if (host->is_primary && host->instance.len > 0)
		ipl_buf_printf(out, " \"hostname\": \"%.*s\",", IPL_STR_ARG(host->instance));
	ipl_buf_printf(out,
		       "\n            \"user-context\": { \"NetworkInterfaceId\": \"%.*s\" } }",
		       IPL_STR_ARG(host->eni));
}

/* A subnet's number is its first address: it stays the same whatever else comes and goes. */
static void put_kea_net(const struct ipl_export *x, const struct net *net, struct ipl_buf *out)
{
	ipl_buf_printf(
		out,
		"      {\n"
		"        \"id\": %" PRIu32 ",\n"
		"        \"subnet\": \"" IPL_IP4_FMT "/%u\",\n"
		"        \"user-context\": { \"VSwitchId\": \"%.*s\", \"VpcId\": \"%.*s\" },\n"
		"        \"pools\": [],\n"
		"        \"option-data\": [\n"
		"          { \"name\": \"routers\", \"data\": \"" IPL_IP4_FMT "\" },\n"
		"          { \"name\": \"domain-name-servers\", \"data\": \"",
		net->cidr.base, IPL_IP4_ARG(net->cidr.base), net->cidr.prefix_len,
		IPL_STR_ARG(net->vswitch), IPL_STR_ARG(net->vpc),
		IPL_IP4_ARG(gateway_of(net->cidr)));
	put_dns(x, out, ", ");
	ipl_buf_printf(out, "\" }\n        ],\n        \"reservations\": [");
}

static void put_kea_nets(const struct ipl_export *x, const struct dhcp *d, struct ipl_buf *out)
{
	size_t at = 0;

	for (size_t i = 0; i < d->net_count; i++) {
		size_t first;
		put_kea_net(x, &d->net[i], out);
		first = at;
		for (; at < d->host_count && ipl_cidr4_contains(d->net[i].cidr, d->host[at].ip);
		     at++) {
			ipl_buf_printf(out, at == first ? "\n" : ",\n");
			put_kea_host(&d->host[at], out);
		}
		ipl_buf_printf(out, "%s]\n      }%s\n", at == first ? "" : "\n        ",
			       i + 1 < d->net_count ? "," : "");
	}
}

static void put_kea(const struct ipl_export *x, const struct dhcp *d, struct ipl_buf *out)
{
	ipl_buf_printf(out,
		       "{\n"
		       "  \"Dhcp4\": {\n"
		       "    \"user-context\": { \"comment\": \"made by ipledger export kea\", "
		       "\"AsOfSeq\": %" PRIu64 " },\n"
		       "    \"interfaces-config\": { \"interfaces\": [",
		       x->seq);
	for (size_t i = 0; i < x->interface_count; i++)
		ipl_buf_printf(out, "%s\"%s\"", i == 0 ? " " : ", ", x->interface[i]);
	ipl_buf_printf(out,
		       "%s ] },\n"
		       "    \"lease-database\": { \"type\": \"memfile\", \"persist\": false },\n"
		       "    \"valid-lifetime\": %d,\n"
		       "    \"authoritative\": true,\n"
		       "    \"match-client-id\": false,\n"
		       "    \"host-reservation-identifiers\": [ \"hw-address\" ],\n"
		       "    \"reservations-global\": false,\n"
		       "    \"reservations-in-subnet\": true,\n"
		       "    \"reservations-out-of-pool\": true,\n"
		       "    \"subnet4\": [\n",
		       x->interface_count == 0 ? " \"*\"" : "", LEASE_SECONDS);
	put_kea_nets(x, d, out);
	ipl_buf_printf(out, "    ]\n  }\n}\n");
}

/* --- the formats --- */

enum ipl_status ipl_export_dnsmasq(struct ipl_export *x)
{
	struct ipl_buf text = { 0 };
	struct dhcp d;
	enum ipl_status st = read_dhcp(x, &d);

	if (st != IPL_OK)
		return st;
	if (x->folder != NULL)
		return save_dnsmasq(x, &d);
	put_server(x, &d, &text);
	put_options(x, &d, "dhcp-option=", &text);
	put_hosts(&d, "dhcp-host=", &text);
	if (text.failed)
		st = no_memory(x);
	else
		ipl_export_write(x, &text);
	ipl_buf_release(&text);
	return st;
}

enum ipl_status ipl_export_kea(struct ipl_export *x)
{
	struct ipl_buf text = { 0 };
	struct dhcp d;
	enum ipl_status st = read_dhcp(x, &d);

	if (st != IPL_OK)
		return st;
	put_kea(x, &d, &text);
	if (text.failed)
		st = no_memory(x);
	else
		ipl_export_write(x, &text);
	ipl_buf_release(&text);
	return st;
}
