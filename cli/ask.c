/* SPDX-License-Identifier: Apache-2.0 */
/* Calls as commands make them. */
#include "cli/ask.h"

#define PAGE_RESULTS 1000

enum ipl_status ipl_ask(const struct ipl_invocation *in, struct ipl_session *session,
			const char *operation, struct ipl_value *params, struct ipl_value *result,
			struct ipl_error *err)
{
	if (in->as_of != NULL)
		ipl_map_set(in->arena, params, IPL_STR("AsOf"), *in->as_of);
	return ipl_session_call(session, ipl_str_of(operation), params, in->arena, result, err);
}

/* Open, ask by @ask, print, close. */
static int ask_and_print(const struct ipl_invocation *in,
			 enum ipl_status (*ask)(const struct ipl_invocation *in,
						struct ipl_session *session, const char *operation,
						struct ipl_value *params, struct ipl_value *result,
						struct ipl_error *err),
			 const char *operation, struct ipl_value *params)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	struct ipl_session *session = NULL;
	struct ipl_value result;
	enum ipl_status st = ipl_session_open(in->data, in->server, &session, &err);

	if (st == IPL_OK)
		st = ask(in, session, operation, params, &result, &err);
	if (st == IPL_OK)
		ipl_print_result(in, &result);
	ipl_session_close(session);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

int ipl_ask_and_print(const struct ipl_invocation *in, const char *operation,
		      struct ipl_value *params)
{
	return ask_and_print(in, ipl_ask, operation, params);
}

int ipl_ask_all_and_print(const struct ipl_invocation *in, const char *operation,
			  struct ipl_value *params)
{
	return ask_and_print(in, ipl_ask_all, operation, params);
}

/* --- lists --- */

/* Append the arrays of @page (also those that stand alone in a map) to those of @whole. */
static void append_page(struct ipl_arena *arena, struct ipl_value *whole,
			const struct ipl_value *page)
{
	for (uint32_t i = 0; i < whole->count; i++) {
		struct ipl_value *to = &whole->member[i].value;
		const struct ipl_value *from = ipl_map_get_str(page, whole->member[i].key);
		if (to->type == IPL_VALUE_MAP && to->count == 1 && from != NULL &&
		    from->type == IPL_VALUE_MAP && from->count == 1) {
			to = &to->member[0].value;
			from = &from->member[0].value;
		}
		if (to->type != IPL_VALUE_ARRAY || from == NULL || from->type != IPL_VALUE_ARRAY)
			continue;
		for (uint32_t k = 0; k < from->count; k++)
			ipl_array_add(arena, to, from->item[k]);
	}
}

enum ipl_status ipl_ask_all(const struct ipl_invocation *in, struct ipl_session *session,
			    const char *operation, struct ipl_value *params,
			    struct ipl_value *result, struct ipl_error *err)
{
	bool is_one_page = ipl_map_get(params, "MaxResults") != NULL ||
			   ipl_map_get(params, "NextToken") != NULL;
	struct ipl_str token;
	enum ipl_status st;

	if (!is_one_page)
		ipl_map_add(in->arena, params, "MaxResults", ipl_int(PAGE_RESULTS));
	st = ipl_ask(in, session, operation, params, result, err);
	token = st == IPL_OK ? ipl_map_text(result, "NextToken") : IPL_STR_NONE;
	while (st == IPL_OK && !is_one_page && token.len > 0) {
		struct ipl_value page;
		ipl_map_set(in->arena, params, IPL_STR("NextToken"), ipl_text(token));
		st = ipl_ask(in, session, operation, params, &page, err);
		if (st != IPL_OK)
			break;
		append_page(in->arena, result, &page);
		token = ipl_map_text(&page, "NextToken");
		ipl_map_set(in->arena, result, IPL_STR("NextToken"), ipl_text(token));
	}
	if ((st == IPL_OK && in->arena->failed) || st == IPL_ERR_NOMEM)
		st = ipl_error_set(
			err, IPL_ERR_NOMEM,
			"the list is longer than can be held at once: narrow it, or take it in "
			"pages with MaxResults=%d and the NextToken of the page before",
			PAGE_RESULTS);
	return st;
}

enum ipl_status ipl_ask_state(const struct ipl_invocation *in, struct ipl_session *session,
			      const char *id, struct ipl_value *state, struct ipl_error *err)
{
	struct ipl_value params = ipl_map(), result;
	const struct ipl_value *found;
	enum ipl_status st;

	ipl_map_add(in->arena, &params, "Id", ipl_text_of(id));
	st = ipl_ask(in, session, "GetEntity", &params, &result, err);
	if (st != IPL_OK)
		return st;
	found = ipl_map_get(&result, "State");
	*state = found == NULL ? ipl_map() : *found;
	return IPL_OK;
}
