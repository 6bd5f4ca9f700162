/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map: the address space of a vSwitch drawn in the terminal. A cell is one address,
 * or, in a large block, a run of them; letters say it all, colours help.
 *
 *   .  free     P  primary     s  secondary     c  cooling     R  reserved
 *
 * A cell of several addresses shows how many of them are used: - up to a third, = up to
 * two, # above, @ all.
 */
#include "cli/ask.h"
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "events/address.h"
#include "reducers/state.h"

#define CELLS_WIDE   64u
#define CELLS_MAX    1024u /* 16 lines of 64 */
#define LOOKUPS_MAX  1024u /* addresses of which it is asked one by one whether they cool down */
#define WATCH_PERIOD 1

struct map {
	const struct ipl_invocation *in;
	struct ipl_cidr4 cidr;
	struct ipl_value state; /* of the vSwitch */
	struct ipl_str vpc;
	int64_t seq;     /* the moment it shows */
	char *cell;      /* of each address: its letter */
	uint32_t size;   /* addresses */
	bool has_colour; /* a terminal, and NO_COLOR is not set */
};

/* --- what is where --- */

static void mark(struct map *m, struct ipl_str text, char letter)
{
	uint32_t ip;

	if (ipl_ip4_parse(text, &ip) && ip - m->cidr.base < m->size)
		m->cell[ip - m->cidr.base] = letter;
}

static void mark_eni(struct map *m, const struct ipl_value *eni)
{
	const struct ipl_value *list = ipl_value_at(eni, IPL_STR("PrivateIpSets.PrivateIpSet"));

	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		const struct ipl_value *primary = ipl_map_get(&list->item[i], "Primary");
		bool is_primary = primary != NULL && primary->boolean;
		mark(m, ipl_map_text(&list->item[i], "PrivateIpAddress"), is_primary ? 'P' : 's');
	}
}

static void mark_reserved(struct map *m)
{
	for (uint32_t i = 0; i < IPL_RESERVED_FIRST; i++)
		m->cell[i] = 'R';
	for (uint32_t i = 0; i < IPL_RESERVED_LAST; i++)
		m->cell[m->size - 1 - i] = 'R';
}

/* Whether free addresses cool down is asked for each, where that is not too many. */
static enum ipl_status mark_cooling(struct map *m, struct ipl_session *session,
				    const struct ipl_invocation *then, struct ipl_error *err)
{
	enum ipl_status st = IPL_OK;

	for (uint32_t i = 0; st == IPL_OK && m->size <= LOOKUPS_MAX && i < m->size; i++) {
		struct ipl_value params = ipl_map(), result;
		if (m->cell[i] != '.')
			continue;
		ipl_map_add(m->in->arena, &params, "Address",
			    ipl_textf(m->in->arena, IPL_IP4_FMT, IPL_IP4_ARG(m->cidr.base + i)));
		ipl_map_add(m->in->arena, &params, "VpcId", ipl_text(m->vpc));
		st = ipl_ask(then, session, "LookupAddress", &params, &result, err);
		if (st == IPL_OK && ipl_str_is(ipl_map_text(&result, "Status"), "Cooling"))
			m->cell[i] = 'c';
	}
	return st;
}

static enum ipl_status look(struct map *m, struct ipl_session *session, const char *vswitch,
			    struct ipl_error *err)
{
	struct ipl_value params = ipl_map(), result, seq;
	struct ipl_invocation then = *m->in;
	const struct ipl_value *list;
	enum ipl_status st;

	ipl_map_add(m->in->arena, &params, "VSwitchId", ipl_text_of(vswitch));
	st = ipl_ask(m->in, session, "DescribeVSwitchAttributes", &params, &result, err);
	if (st != IPL_OK)
		return st;
	m->state = result;
	m->vpc = ipl_map_text(&result, "VpcId");
	m->seq = ipl_map_get(&result, "AsOfSeq")->integer;
	if (!ipl_cidr4_parse(ipl_map_text(&result, "CidrBlock"), &m->cidr))
		return ipl_error_set(err, IPL_ERR_IO, "the ledger's answer makes no sense");
	m->size = (uint32_t)ipl_cidr4_size(m->cidr);
	m->cell = ipl_arena_alloc(m->in->arena, m->size);
	if (m->cell == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for a map");
	memset(m->cell, '.', m->size);
	seq = ipl_int(m->seq);
	if (m->in->as_of == NULL)
		then.as_of = &seq;
	st = ipl_ask_all(&then, session, "DescribeNetworkInterfaces", &params, &result, err);
	if (st != IPL_OK)
		return st;
	list = ipl_value_at(&result, IPL_STR("NetworkInterfaceSets.NetworkInterfaceSet"));
	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		mark_eni(m, &list->item[i]);
	mark_reserved(m);
	/* What cools down is judged at the clock for now. */
	return mark_cooling(m, session, m->in, err);
}

/* --- drawing --- */

static const char *colour_of(char letter)
{
	switch (letter) {
	case 'P':
		return "\033[1;32m";
	case 's':
		return "\033[36m";
	case 'c':
		return "\033[34m";
	case 'R':
		return "\033[90m";
	case '.':
		return "\033[2m";
	default:
		return "\033[33m";
	}
}

/* The letter of @count addresses from @from on. */
static char letter_of(const struct map *m, uint32_t from, uint32_t count)
{
	uint32_t used = 0;
	char first = m->cell[from];

	if (count == 1)
		return first;
	for (uint32_t i = 0; i < count; i++)
		used += m->cell[from + i] == 'P' || m->cell[from + i] == 's';
	if (used == 0)
		return first == 'R' || first == 'c' ? first : '.';
	if (used == count)
		return '@';
	return used * 3 <= count ? '-' : used * 3 <= count * 2 ? '=' : '#';
}

static void draw_line(const struct map *m, uint32_t from, uint32_t each)
{
	printf("%3u.%3u.%3u.%3u  ", IPL_IP4_ARG(m->cidr.base + from));
	for (uint32_t i = 0; i < CELLS_WIDE && from + i * each < m->size; i++) {
		char letter = letter_of(m, from + i * each, each);
		if (i > 0 && i % 16 == 0)
			putchar(' ');
		if (m->has_colour)
			printf("%s%c\033[0m", colour_of(letter), letter);
		else
			putchar(letter);
	}
	putchar('\n');
}

static uint32_t count_of(const struct map *m, char letter)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < m->size; i++)
		count += m->cell[i] == letter;
	return count;
}

static void draw(const struct map *m)
{
	uint32_t each = m->size <= CELLS_MAX ? 1 : m->size / CELLS_MAX;

	printf("%.*s  %.*s  as of seq %lld\n", IPL_STR_ARG(ipl_map_text(&m->state, "VSwitchId")),
	       IPL_STR_ARG(ipl_map_text(&m->state, "CidrBlock")), (long long)m->seq);
	for (uint32_t from = 0; from < m->size; from += CELLS_WIDE * each)
		draw_line(m, from, each);
	printf("P primary %u  s secondary %u  R reserved %u  . free %lld", count_of(m, 'P'),
	       count_of(m, 's'), count_of(m, 'R'),
	       (long long)ipl_map_get(&m->state, "AvailableIpAddressCount")->integer);
	if (m->size <= LOOKUPS_MAX)
		printf("  c cooling %u\n", count_of(m, 'c'));
	else
		printf("\na cell is %u addresses: - = # @ say how many are used\n", each);
}

static const struct {
	char letter;
	const char *name;
} uses[] = { { 'P', "Primary" }, { 's', "Secondary" }, { 'c', "Cooling" }, { 'R', "Reserved" } };

static struct ipl_value address_at(const struct map *m, uint32_t i)
{
	return ipl_textf(m->in->arena, IPL_IP4_FMT, IPL_IP4_ARG(m->cidr.base + i));
}

static struct ipl_value value_of(const struct map *m)
{
	struct ipl_arena *arena = m->in->arena;
	struct ipl_value map = ipl_map();

	ipl_map_add(arena, &map, "VSwitchId", ipl_text(ipl_map_text(&m->state, "VSwitchId")));
	ipl_map_add(arena, &map, "CidrBlock", ipl_text(ipl_map_text(&m->state, "CidrBlock")));
	ipl_map_add(arena, &map, "AsOfSeq", ipl_int(m->seq));
	ipl_map_add(arena, &map, "AvailableIpAddressCount",
		    *ipl_map_get(&m->state, "AvailableIpAddressCount"));
	for (size_t k = 0; k < IPL_ARRAY_SIZE(uses); k++) {
		struct ipl_value list = ipl_array();
		for (uint32_t i = 0; i < m->size; i++) {
			if (m->cell[i] == uses[k].letter)
				ipl_array_add(arena, &list, address_at(m, i));
		}
		ipl_map_add(arena, &map, uses[k].name, list);
	}
	return map;
}

/* For a spreadsheet: a row for each address that is not free, in their order. */
static struct ipl_value rows_of(const struct map *m)
{
	struct ipl_arena *arena = m->in->arena;
	struct ipl_value rows = ipl_array();

	for (uint32_t i = 0; i < m->size; i++) {
		for (size_t k = 0; k < IPL_ARRAY_SIZE(uses); k++) {
			struct ipl_value row = ipl_map();
			if (m->cell[i] != uses[k].letter)
				continue;
			ipl_map_add(arena, &row, "Address", address_at(m, i));
			ipl_map_add(arena, &row, "Use", ipl_text_of(uses[k].name));
			ipl_array_add(arena, &rows, row);
		}
	}
	return rows;
}

/* --- the command --- */

static int show_once(const struct ipl_invocation *in, const char *vswitch, bool clears)
{
	const char *no_colour = getenv("NO_COLOR");
	struct map m = { .in = in,
			 .has_colour = isatty(STDOUT_FILENO) == 1 &&
				       (no_colour == NULL || no_colour[0] == '\0') };
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_session *session = NULL;
	enum ipl_status st = ipl_session_open(in->data, in->server, &session, &err);

	if (st == IPL_OK)
		st = look(&m, session, vswitch, &err);
	ipl_session_close(session);
	if (st != IPL_OK)
		return ipl_fail(&err);
	if (clears)
		fputs("\033[H\033[2J", stdout);
	if (in->output == IPL_OUTPUT_TABLE) {
		draw(&m);
	} else {
		struct ipl_value value = in->output == IPL_OUTPUT_CSV ? rows_of(&m) : value_of(&m);
		ipl_print_result(in, &value);
	}
	(void)fflush(stdout); /* main() looks at it in the end */
	return IPL_EXIT_OK;
}

static int watch(const struct ipl_invocation *in, const char *vswitch)
{
	struct ipl_arena arena;
	int rc = IPL_EXIT_OK;

	ipl_interrupt_catch();
	ipl_arena_init(&arena, (size_t)1 << 30);
	while (rc == IPL_EXIT_OK && !ipl_interrupted()) {
		const struct timespec period = { .tv_sec = WATCH_PERIOD };
		struct ipl_invocation again = *in;
		ipl_arena_reset(&arena);
		again.arena = &arena;
		rc = show_once(&again, vswitch, isatty(STDOUT_FILENO) == 1);
		if (rc == IPL_EXIT_OK && !ipl_interrupted())
			(void)nanosleep(&period, NULL); /* a signal ends it, as it should */
	}
	ipl_arena_release(&arena);
	return rc;
}

static int run_map(const struct ipl_invocation *in)
{
	const char *vswitch = NULL;
	bool watches = false;

	for (int i = 0; i < in->argc; i++) {
		if (strcmp(in->argv[i], "--watch") == 0)
			watches = true;
		else if (vswitch == NULL && in->argv[i][0] != '-')
			vswitch = in->argv[i];
		else
			return ipl_usage(in->command, "%s is too much", in->argv[i]);
	}
	if (vswitch == NULL)
		return ipl_usage(in->command, "map takes one vSwitch");
	return watches ? watch(in, vswitch) : show_once(in, vswitch, false);
}

const struct ipl_command ipl_cmd_map = {
	.name = "map",
	.args = "VSWITCH [--watch]",
	.summary = "the addresses of a vSwitch, drawn: free, reserved, primary, secondary, cooling",
	.more = "A cell is one address; beyond 1024 addresses a cell is several. --watch draws it\n"
		"anew each second until it is interrupted. Cooling is asked for up to 1024 "
		"addresses.\n",
	.run = run_map,
};
