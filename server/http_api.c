/* SPDX-License-Identifier: Apache-2.0 */
/* Which Action is in which version of the API: the two products share this door. */
#include "server/http_internal.h"

#define ECS_VERSION "2014-05-26"
#define VPC_VERSION "2016-04-28"

static enum ipl_status check_version(const struct ipl_operation *operation, struct ipl_str version,
				     struct ipl_error *err)
{
	bool ecs = (operation->flags & IPL_OPERATION_ECS) != 0;
	bool vpc = (operation->flags & IPL_OPERATION_VPC) != 0;

	if (!ecs && !vpc) /* the ledger's own: of neither product, so with either */
		ecs = vpc = true;
	else if (version.len == 0)
		return ipl_refuse(err, IPL_CODE_MISSING_VERSION, "Version is required: %s is in %s",
				  operation->name, ecs ? ECS_VERSION : VPC_VERSION);
	if (version.len == 0 || (ecs && ipl_str_is(version, ECS_VERSION)) ||
	    (vpc && ipl_str_is(version, VPC_VERSION)))
		return IPL_OK;
	return ipl_refuse(err, IPL_CODE_API_NOT_FOUND,
			  "there is no %s in this version: it is in %s%s%s", operation->name,
			  ecs ? ECS_VERSION : "", ecs && vpc ? " and " : "",
			  vpc ? VPC_VERSION : "");
}

enum ipl_status ipl_http_find_api(struct ipl_str action, struct ipl_str version,
				  const struct ipl_operation **out, struct ipl_error *err)
{
	const struct ipl_operation *operation = ipl_operation_find(action);
	enum ipl_status st;

	if (operation == NULL)
		return ipl_refuse(err, IPL_CODE_API_NOT_FOUND,
				  "there is no action %.*s: `ipledger help operations` lists them",
				  (int)(action.len > IPL_ACTION_MAX ? 0 : action.len), action.at);
	if ((operation->flags & IPL_OPERATION_NATIVE) != 0)
		return ipl_refuse(err, IPL_CODE_API_NOT_FOUND,
				  "%s is for the native door: it is of a connection that stays",
				  operation->name);
	st = check_version(operation, version, err);
	if (st == IPL_OK)
		*out = operation;
	return st;
}
