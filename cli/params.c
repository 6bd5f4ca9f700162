/* SPDX-License-Identifier: Apache-2.0 */
/* Name=value and --name value, typed by the operation table. */
#include "cli/params.h"

#include <ctype.h>
#include <string.h>

#include "cli/when.h"
#include "events/json.h"

#define ITEMS_MAX 1000

/* What every operation takes; the kinds are those of the contract. */
static const struct {
	const char *name;
	bool is_json;
	bool is_flag;
} common[] = {
	{ "RegionId", false, false },  { "ClientToken", false, false },
	{ "DryRun", true, true },      { "IfSeq", true, false },
	{ "Reason", false, false },    { "Actor", false, false },
	{ "EventTime", false, false }, { "MaxResults", true, false },
	{ "NextToken", false, false },
};

static const struct ipl_param *find_param(const struct ipl_params *params, struct ipl_str name)
{
	for (uint32_t i = 0; params != NULL && i < params->count; i++) {
		if (ipl_str_is(name, params->at[i].name))
			return &params->at[i];
	}
	return NULL;
}

static struct ipl_value from_json(struct ipl_arena *arena, struct ipl_str text)
{
	struct ipl_error unused = IPL_ERROR_INIT(NULL);
	struct ipl_value value;

	return ipl_json_parse(arena, text, &value, &unused) == IPL_OK ? value : ipl_text(text);
}

static struct ipl_value typed_common(struct ipl_arena *arena, struct ipl_str name,
				     struct ipl_str text)
{
	struct ipl_value when;

	for (size_t i = 0; i < IPL_ARRAY_SIZE(common); i++) {
		if (ipl_str_is(name, common[i].name) && common[i].is_json)
			return from_json(arena, text);
	}
	if (ipl_str_is(name, "AsOf") && ipl_when(arena, text.at, &when))
		return when;
	return ipl_text(text);
}

/* The text as the parameter's type wants it; what does not fit is sent as it is, and refused. */
static struct ipl_value typed(struct ipl_arena *arena, const struct ipl_param *param,
			      struct ipl_str name, struct ipl_str text)
{
	if (param == NULL)
		return typed_common(arena, name, text);
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

/* --- Name=value --- */

/* The @index-th (from 1) item of the array under @name, with all before it; NULL beyond the limit.
 */
static struct ipl_value *item_at(struct ipl_arena *arena, struct ipl_value *map,
				 struct ipl_str name, int64_t index)
{
	struct ipl_value *array;

	if (index < 1 || index > ITEMS_MAX)
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

/* "1=value" and "1.Field=value" behind "Name." */
static bool add_indexed(struct ipl_arena *arena, const struct ipl_param *param, struct ipl_str name,
			struct ipl_str path, struct ipl_str value, struct ipl_value *map)
{
	const char *dot = memchr(path.at, '.', path.len);
	size_t digits = dot == NULL ? path.len : (size_t)(dot - path.at);
	struct ipl_value *item;
	struct ipl_str field;
	int64_t index;

	if (!ipl_str_to_int((struct ipl_str){ path.at, digits }, &index))
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
	field = ipl_arena_str(arena, (struct ipl_str){ dot + 1, path.len - digits - 1 });
	ipl_map_set(
		arena, item, field,
		typed(arena, find_param(param == NULL ? NULL : param->of, field), field, value));
	return true;
}

bool ipl_params_add_word(struct ipl_arena *arena, const struct ipl_operation *operation,
			 const char *word, struct ipl_value *params)
{
	const char *equals = strchr(word, '=');
	struct ipl_str path, value, name;
	const struct ipl_param *param;
	const char *dot;

	if (equals == NULL || equals == word)
		return false;
	path = (struct ipl_str){ word, (size_t)(equals - word) };
	value = ipl_str_of(equals + 1);
	dot = memchr(path.at, '.', path.len);
	name = (struct ipl_str){ path.at, dot == NULL ? path.len : (size_t)(dot - path.at) };
	param = find_param(operation == NULL ? NULL : operation->params, name);
	if (dot != NULL)
		return add_indexed(arena, param, name,
				   (struct ipl_str){ dot + 1, path.len - name.len - 1 }, value,
				   params);
	ipl_map_set(arena, params, name, typed(arena, param, name, value));
	return true;
}

/* --- --name value --- */

/* "--cidr-block" and "CidrBlock": the same but for case and dashes. */
static bool is_same_name(struct ipl_str option, const char *name)
{
	for (size_t i = 0; i < option.len; i++) {
		if (option.at[i] == '-')
			continue;
		if (tolower((unsigned char)option.at[i]) != tolower((unsigned char)*name))
			return false;
		name++;
	}
	return *name == '\0';
}

const char *ipl_params_of_option(const struct ipl_operation *operation, struct ipl_str option,
				 bool *is_flag)
{
	if (!ipl_str_starts(option, "--"))
		return NULL;
	for (uint32_t i = 0; i < operation->params->count; i++) {
		const struct ipl_param *param = &operation->params->at[i];
		*is_flag = param->kind == IPL_PARAM_BOOL;
		if (is_same_name(option, param->name))
			return param->name;
	}
	for (size_t i = 0; i < IPL_ARRAY_SIZE(common); i++) {
		*is_flag = common[i].is_flag;
		if (is_same_name(option, common[i].name))
			return common[i].name;
	}
	return NULL;
}

void ipl_params_add(struct ipl_arena *arena, const struct ipl_operation *operation,
		    const char *name, const char *value, struct ipl_value *params)
{
	struct ipl_str key = ipl_str_of(name), text = ipl_str_of(value);
	const struct ipl_param *param = find_param(operation->params, key);
	struct ipl_value *list;

	if (param == NULL || param->kind != IPL_PARAM_STRS || ipl_str_starts(text, "[")) {
		ipl_map_set(arena, params, key, typed(arena, param, key, text));
		return;
	}
	if (ipl_map_get_str(params, key) == NULL)
		ipl_map_add_str(arena, params, key, ipl_array());
	list = (struct ipl_value *)(uintptr_t)ipl_map_get_str(params, key);
	if (list != NULL && list->type == IPL_VALUE_ARRAY)
		ipl_array_add(arena, list, ipl_text(text));
}
