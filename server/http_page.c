/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages as the cloud has them: by number, or (of instances and network interfaces) by
 * token. Sizes and defaults are each action's own. Tokens do at every list, since the
 * ledger's own pages are by token.
 */
#include "server/http_internal.h"

#include <inttypes.h>

#define DEFAULT_SIZE 10
#define NUMBER_MAX   INT32_MAX

static const struct paging {
	const char *action;
	int64_t most;
	bool clamps; /* a MaxResults out of 10..most is brought into it, as the cloud does */
} pagings[] = {
	{ "DescribeVpcs", 50, false },          { "DescribeVSwitches", 50, false },
	{ "DescribeEipAddresses", 100, false }, { "DescribeIpv6Addresses", 50, false },
	{ "DescribeIpv6Gateways", 50, false },  { "DescribeInstanceStatus", 50, false },
	{ "DescribeInstances", 100, true },     { "DescribeNetworkInterfaces", 500, true },
};

static const struct paging *find_paging(const struct ipl_operation *operation)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(pagings); i++) {
		if (ipl_str_is(ipl_str_of(operation->name), pagings[i].action))
			return &pagings[i];
	}
	return NULL;
}

/* The whole number @name, from 1 to @most; @out as it is where it is not given. */
static enum ipl_status take(const struct ipl_pairs *pairs, const char *name, int64_t most,
			    int64_t *out, struct ipl_error *err)
{
	struct ipl_str text = ipl_pairs_find(pairs, name);
	int64_t n;

	if (text.at == NULL || ipl_str_is(text, "undefined") || ipl_str_is(text, "null"))
		return IPL_OK;
	if (ipl_str_to_int(text, &n) && n >= 1 && n <= most) {
		*out = n;
		return IPL_OK;
	}
	ipl_refuse(err, IPL_CODE_INVALID_PARAMETER, "%s must be a whole number from 1 to %" PRId64,
		   name, most);
	ipl_error_add(err, "Parameter", ipl_text_of(name));
	return IPL_REFUSED;
}

static void clamp(const struct paging *paging, struct ipl_arena *arena, struct ipl_value *params)
{
	const struct ipl_value *given = ipl_map_get(params, "MaxResults");
	int64_t n = DEFAULT_SIZE;

	if (given != NULL && given->type != IPL_VALUE_INT)
		return; /* refused by the table */
	if (given != NULL && given->integer > n)
		n = given->integer < paging->most ? given->integer : paging->most;
	ipl_map_set(arena, params, IPL_STR("MaxResults"), ipl_int(n));
}

enum ipl_status ipl_http_page(const struct ipl_operation *operation, const struct ipl_pairs *pairs,
			      struct ipl_arena *arena, struct ipl_value *params,
			      struct ipl_page *out, struct ipl_error *err)
{
	const struct paging *paging = find_paging(operation);
	int64_t number = 1, size = DEFAULT_SIZE;
	enum ipl_status st;

	*out = (struct ipl_page){ .number = 0 };
	if (paging == NULL)
		return IPL_OK;
	if (ipl_map_get(params, "MaxResults") != NULL ||
	    ipl_map_text(params, "NextToken").len > 0) {
		if (paging->clamps)
			clamp(paging, arena, params);
		return IPL_OK;
	}
	st = take(pairs, "PageNumber", NUMBER_MAX, &number, err);
	if (st == IPL_OK)
		st = take(pairs, "PageSize", paging->most, &size, err);
	if (st == IPL_OK)
		*out = (struct ipl_page){ (uint32_t)number, (uint32_t)size };
	return st;
}
