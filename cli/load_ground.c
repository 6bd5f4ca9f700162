/* SPDX-License-Identifier: Apache-2.0 */
/* What a load works on, made and deleted by ordinary calls. */
#include "cli/load_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum ipl_status call(struct ipl_session *session, struct ipl_arena *arena,
			    const char *operation, const char *const *members, const char *path,
			    char out[ID_MAX], struct ipl_error *err)
{
	struct ipl_value params = ipl_map(), result;
	const struct ipl_value *id;
	enum ipl_status st;

	for (size_t i = 0; members[i] != NULL; i += 2)
		ipl_map_add(arena, &params, members[i],
			    strcmp(members[i], "Force") == 0 ? ipl_bool(true) :
							       ipl_text_of(members[i + 1]));
	st = ipl_session_call(session, ipl_str_of(operation), &params, arena, &result, err);
	if (st != IPL_OK || path == NULL)
		return st;
	id = ipl_value_at(&result, ipl_str_of(path));
	if (id == NULL || id->type != IPL_VALUE_STR || id->str.len >= ID_MAX)
		return ipl_error_set(err, IPL_ERR_IO, "the server's answer makes no sense");
	memcpy(out, id->str.at, id->str.len);
	out[id->str.len] = '\0';
	return IPL_OK;
}

static enum ipl_status prepare_slot(struct load *load, struct ground *g, uint32_t i,
				    struct ipl_session *session, struct ipl_arena *arena,
				    struct ipl_error *err)
{
	struct slot *slot = &load->slots[i];
	const char *const members[] = { "VSwitchId", g->vswitch[i % VSWITCHES], NULL };

	memcpy(slot->vswitch, g->vswitch[i % VSWITCHES], ID_MAX);
	return call(session, arena, "CreateNetworkInterface", members, "NetworkInterfaceId",
		    slot->eni, err);
}

enum ipl_status ipl_load_prepare_writes(struct load *load, struct ground *g,
					struct ipl_session *session, struct ipl_error *err)
{
	static const char *const vpc[] = { "CidrBlock", "10.0.0.0/8", "VpcName", "bench", NULL };
	uint32_t slots = load->options->connections * load->options->in_flight;
	struct ipl_arena arena;
	char zone[ID_MAX];
	enum ipl_status st;

	ipl_arena_init(&arena, (size_t)256 << 20);
	st = call(session, &arena, "GetStatus", (const char *const[]){ NULL }, "RegionId", zone,
		  err);
	if (st == IPL_OK)
		st = call(session, &arena, "CreateVpc", vpc, "VpcId", g->vpc, err);
	for (uint32_t i = 0; st == IPL_OK && i < VSWITCHES; i++) {
		char cidr[32], in_zone[ID_MAX + 4];
		const char *const members[] = { "VpcId",  g->vpc,  "CidrBlock", cidr,
						"ZoneId", in_zone, NULL };
		(void)snprintf(cidr, sizeof(cidr), "10.%u.0.0/16", i);
		(void)snprintf(in_zone, sizeof(in_zone), "%s-a", zone);
		st = call(session, &arena, "CreateVSwitch", members, "VSwitchId", g->vswitch[i],
			  err);
		g->vswitches = st == IPL_OK ? i + 1 : i;
	}
	for (uint32_t i = 0; st == IPL_OK && i < slots; i++)
		st = prepare_slot(load, g, i, session, &arena, err);
	ipl_arena_release(&arena);
	return st;
}

static void copy_text(char *to, size_t cap, struct ipl_str from)
{
	size_t len = from.len < cap ? from.len : cap - 1;

	memcpy(to, from.at, len);
	to[len] = '\0';
}

/* Up to TARGETS_MAX network interfaces of the ledger, whoever they are. */
static enum ipl_status list_targets(struct load *load, struct ipl_session *session,
				    struct ipl_arena *arena, struct ipl_error *err)
{
	struct ipl_value params = ipl_map(), result;
	struct ipl_str token = IPL_STR("");
	enum ipl_status st;

	ipl_map_add(arena, &params, "MaxResults", ipl_int(1000));
	do {
		const struct ipl_value *list;
		ipl_map_set(arena, &params, IPL_STR("NextToken"), ipl_text(token));
		st = ipl_session_call(session, IPL_STR("DescribeNetworkInterfaces"), &params, arena,
				      &result, err);
		if (st != IPL_OK)
			return st;
		list = ipl_value_at(&result, IPL_STR("NetworkInterfaceSets.NetworkInterfaceSet"));
		for (uint32_t i = 0; i < list->count && load->target_count < TARGETS_MAX; i++) {
			struct target *to = &load->targets[load->target_count++];
			const struct ipl_value *eni = &list->item[i];
			copy_text(to->eni, ID_MAX, ipl_map_text(eni, "NetworkInterfaceId"));
			copy_text(to->vpc, ID_MAX, ipl_map_text(eni, "VpcId"));
			copy_text(to->ip, sizeof(to->ip), ipl_map_text(eni, "PrivateIpAddress"));
		}
		token = ipl_map_text(&result, "NextToken");
	} while (token.len > 0 && load->target_count < TARGETS_MAX);
	return load->target_count > 0 ?
		       IPL_OK :
		       ipl_refuse(err, IPL_CODE_NOT_FOUND,
				  "the ledger has no network interface to read: load it first "
				  "(import, or bench --mix mixed)");
}

enum ipl_status ipl_load_prepare_reads(struct load *load, struct ipl_session *session,
				       struct ipl_error *err)
{
	struct ipl_arena arena;
	enum ipl_status st;

	ipl_arena_init(&arena, (size_t)1 << 30);
	load->targets = calloc(TARGETS_MAX, sizeof(*load->targets));
	if (load->targets == NULL)
		st = ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a load");
	else
		st = list_targets(load, session, &arena, err);
	for (uint32_t i = 0; st == IPL_OK && i < load->target_count; i++) {
		struct ipl_value params = ipl_map(), result;
		const struct ipl_value *first;
		ipl_arena_reset(&arena);
		ipl_map_add(&arena, &params, "Id", ipl_text_of(load->targets[i].eni));
		st = ipl_session_call(session, IPL_STR("GetEntity"), &params, &arena, &result, err);
		first = st == IPL_OK ? ipl_map_get(&result, "FirstSeq") : NULL;
		load->targets[i].first_seq = first == NULL ? 1 : (uint64_t)first->integer;
	}
	ipl_arena_release(&arena);
	return st;
}

/* The load was cut off in the middle of cycles: what they held goes first. */
static enum ipl_status delete_all(struct ipl_session *session, struct ipl_arena *arena,
				  const struct ground *g, const char *list, const char *path,
				  const char *id, const char *operation, const char *member,
				  struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;
	bool is_more = true;

	while (st == IPL_OK && is_more) {
		struct ipl_value params = ipl_map(), result;
		const struct ipl_value *items;
		ipl_arena_reset(arena);
		ipl_map_add(arena, &params, "VpcId", ipl_text_of(g->vpc));
		ipl_map_add(arena, &params, "MaxResults", ipl_int(1000));
		st = ipl_session_call(session, ipl_str_of(list), &params, arena, &result, err);
		if (st != IPL_OK)
			break;
		items = ipl_value_at(&result, ipl_str_of(path));
		is_more = items != NULL && items->count > 0;
		for (uint32_t i = 0; is_more && st == IPL_OK && i < items->count; i++) {
			struct ipl_str text = ipl_map_text(&items->item[i], id);
			const char *const members[] = {
				member, ipl_arena_str(arena, text).at,
				strcmp(operation, "DeleteInstance") == 0 ? "Force" : NULL, "", NULL
			};
			st = call(session, arena, operation, members, NULL, NULL, err);
		}
	}
	return st;
}

/* The EIPs that slots hold in the middle of their cycles; their instances are gone. */
static enum ipl_status release_eips(struct load *load, struct ipl_session *session,
				    struct ipl_arena *arena, struct ipl_error *err)
{
	uint32_t slots = load->options->connections * load->options->in_flight;
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; st == IPL_OK && i < slots; i++) {
		const char *const members[] = { "AllocationId", load->slots[i].eip, NULL };
		if (load->slots[i].step % 8 >= 2 && load->slots[i].step % 8 <= 6)
			st = call(session, arena, "ReleaseEipAddress", members, NULL, NULL, err);
	}
	return st;
}

enum ipl_status ipl_load_clean_up(struct load *load, const struct ground *g,
				  struct ipl_session *session, struct ipl_error *err)
{
	struct ipl_arena arena;
	enum ipl_status st = IPL_OK;

	ipl_arena_init(&arena, (size_t)256 << 20);
	if (g->vpc[0] != '\0')
		st = delete_all(session, &arena, g, "DescribeInstances", "Instances.Instance",
				"InstanceId", "DeleteInstance", "InstanceId", err);
	if (st == IPL_OK && g->vpc[0] != '\0')
		st = release_eips(load, session, &arena, err);
	if (st == IPL_OK && g->vpc[0] != '\0')
		st = delete_all(session, &arena, g, "DescribeNetworkInterfaces",
				"NetworkInterfaceSets.NetworkInterfaceSet", "NetworkInterfaceId",
				"DeleteNetworkInterface", "NetworkInterfaceId", err);
	for (uint32_t i = 0; st == IPL_OK && i < g->vswitches; i++)
		st = call(session, &arena, "DeleteVSwitch",
			  (const char *const[]){ "VSwitchId", g->vswitch[i], NULL }, NULL, NULL,
			  err);
	if (st == IPL_OK && g->vpc[0] != '\0')
		st = call(session, &arena, "DeleteVpc",
			  (const char *const[]){ "VpcId", g->vpc, NULL }, NULL, NULL, err);
	ipl_arena_release(&arena);
	return st;
}
