/* SPDX-License-Identifier: Apache-2.0 */
/* call: any operation by its own name, its parameters as Name=value. */
#include "cli/client.h"
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/json.h"
#include "operations/operation.h"

static const struct ipl_param *find_param(const struct ipl_params *params, struct ipl_str name)
{
	for (uint32_t i = 0; params != NULL && i < params->count; i++) {
		if (ipl_str_is(name, params->at[i].name))
			return &params->at[i];
	}
	return NULL;
}

/* Members that every operation takes, which are no text. */
static bool is_common_number(struct ipl_str name)
{
	return ipl_str_is(name, "IfSeq") || ipl_str_is(name, "MaxResults");
}

static struct ipl_value from_json(struct ipl_arena *arena, struct ipl_str text)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	struct ipl_value value;

	return ipl_json_parse(arena, text, &value, &unused) == IPL_OK ? value : ipl_text(text);
}

/* The text as the parameter's type wants it; what does not fit is sent as it is, and refused. */
static struct ipl_value typed(struct ipl_arena *arena, const struct ipl_param *param,
			      struct ipl_str name, struct ipl_str text)
{
	struct ipl_value when;

	if (param == NULL && (ipl_str_is(name, "DryRun") || is_common_number(name)))
		return from_json(arena, text);
	if (param == NULL && ipl_str_is(name, "AsOf") && ipl_when(arena, text.at, &when))
		return when;
	if (param == NULL)
		return ipl_text(text);
	switch (param->kind) {
	case IPL_PARAM_STR:
	case IPL_PARAM_LINE:
	case IPL_PARAM_WORD:
	case IPL_PARAM_SET:
		return ipl_text(text);
	case IPL_PARAM_BOOL:
	case IPL_PARAM_INT:
	case IPL_PARAM_NUMSTR:
	case IPL_PARAM_STRS:
	case IPL_PARAM_RECS:
	case IPL_PARAM_ANY:
		return from_json(arena, text);
	}
	return ipl_text(text);
}

/* The @index-th (from 1) item of the array under @name, with all before it; NULL beyond 1000. */
static struct ipl_value *item_at(struct ipl_arena *arena, struct ipl_value *map,
				 struct ipl_str name, int64_t index)
{
	struct ipl_value *array;

	if (index < 1 || index > 1000)
		return NULL;
	if (ipl_map_get_str(map, name) == NULL)
		ipl_map_add_str(arena, map, name, ipl_array());
	array = (struct ipl_value *)(uintptr_t)ipl_map_get_str(map, name);
	if (array == NULL || array->type != IPL_VALUE_ARRAY)
		return NULL;
	while (array->count < index)
		ipl_array_add(arena, array, ipl_nil());
	return array->count < index ? NULL : &array->item[index - 1];
}

/* Name=value, Name.1=value, Name.1.Field=value. */
static bool add_word(struct ipl_arena *arena, const struct ipl_params *params, const char *word,
		     struct ipl_value *map)
{
	const char *equals = strchr(word, '=');
	struct ipl_str path, value, name;
	const char *dot;
	const struct ipl_param *param;
	struct ipl_value *item;
	int64_t index;

	if (equals == NULL || equals == word)
		return false;
	path = (struct ipl_str){ word, (size_t)(equals - word) };
	value = ipl_str_of(equals + 1);
	dot = memchr(path.at, '.', path.len);
	name = (struct ipl_str){ path.at, dot == NULL ? path.len : (size_t)(dot - path.at) };
	param = find_param(params, name);
	if (dot == NULL) {
		ipl_map_set(arena, map, name, typed(arena, param, name, value));
		return true;
	}
	path = (struct ipl_str){ dot + 1, path.len - name.len - 1 };
	dot = memchr(path.at, '.', path.len);
	if (!ipl_str_to_int(
		    (struct ipl_str){ path.at, dot == NULL ? path.len : (size_t)(dot - path.at) },
		    &index))
		return false;
	item = item_at(arena, map, name, index);
	if (item == NULL)
		return false;
	if (dot == NULL) {
		*item = ipl_text(value);
		return true;
	}
	if (item->type == IPL_VALUE_NIL)
		*item = ipl_map();
	path = ipl_str_of(ipl_arena_printf(arena, "%.*s", (int)(equals - dot - 1), dot + 1).at);
	ipl_map_set(arena, item, path,
		    typed(arena, find_param(param == NULL ? NULL : param->of, path), path, value));
	return true;
}

static int run_call(const struct ipl_invocation *in)
{
	struct ipl_error err = IPL_ERROR_INIT(in->arena);
	const struct ipl_operation *operation;
	struct ipl_client *client = NULL;
	struct ipl_value params = ipl_map(), result;
	enum ipl_status st;

	if (in->argc < 1)
		return ipl_usage(&ipl_cmd_call, "which operation?");
	operation = ipl_operation_find(ipl_str_of(in->argv[0]));
	for (int i = 1; i < in->argc; i++) {
		if (!add_word(in->arena, operation == NULL ? NULL : operation->params, in->argv[i],
			      &params))
			return ipl_usage(&ipl_cmd_call, "%s is not Name=value", in->argv[i]);
	}
	if (in->as_of != NULL)
		ipl_map_add(in->arena, &params, "AsOf", *in->as_of);
	st = ipl_client_open(in->data, in->server, &client, &err);
	if (st == IPL_OK)
		st = ipl_client_call(client, ipl_str_of(in->argv[0]), &params, in->arena, &result,
				     &err);
	if (st == IPL_OK)
		ipl_print_result(in, &result);
	ipl_client_close(client);
	return st == IPL_OK ? IPL_EXIT_OK : ipl_fail(&err);
}

const struct ipl_command ipl_cmd_call = {
	.name = "call",
	.args = "OPERATION [Name=value]...",
	.summary = "any operation by its name; lists as Name.1=... or Name=[...] in JSON",
	.run = run_call,
};
