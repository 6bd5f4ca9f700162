/* SPDX-License-Identifier: Apache-2.0 */
/* Which Action is in which version of the API: the two products share this door. */
#include "server/http_internal.h"

#include <string.h>

#define ECS_VERSION "2014-05-26"
#define VPC_VERSION "2016-04-28"

/* clang-format off */
/* In both: the older one has them marked as deprecated, and drivers use them there. */
static const char *const in_both[] = {
	"AllocateEipAddress", "AssociateEipAddress", "CreateVSwitch", "CreateVpc", "DeleteVSwitch",
	"DeleteVpc", "DescribeEipAddresses", "DescribeVSwitches", "DescribeVpcs",
	"ModifyEipAddressAttribute", "ModifyVSwitchAttribute", "ModifyVpcAttribute",
	"ReleaseEipAddress", "UnassociateEipAddress",
};
static const char *const in_vpc[] = {
	"AllocateIpv6InternetBandwidth", "AssociateVpcCidrBlock",
	"CheckCanAllocateVpcPrivateIpAddress", "CreateIpv6Gateway", "DeleteIpv6Gateway",
	"DeleteIpv6InternetBandwidth", "DescribeIpv6Addresses", "DescribeIpv6Gateways",
	"DescribeVSwitchAttributes", "DescribeVpcAttribute", "ModifyIpv6InternetBandwidth",
	"UnassociateVpcCidrBlock",
};
static const char *const in_ecs[] = {
	"AllocatePublicIpAddress", "AssignIpv6Addresses", "AssignPrivateIpAddresses",
	"AttachNetworkInterface", "ConvertNatPublicIpToEip", "CreateInstance",
	"CreateNetworkInterface", "DeleteInstance", "DeleteNetworkInterface",
	"DescribeInstanceAttribute", "DescribeInstanceStatus", "DescribeInstanceTypes",
	"DescribeInstances", "DescribeNetworkInterfaceAttribute", "DescribeNetworkInterfaces",
	"DetachNetworkInterface", "ModifyInstanceNetworkSpec", "ModifyInstanceVpcAttribute",
	"ModifyNetworkInterfaceAttribute", "RebootInstance", "RunInstances", "StartInstance",
	"StopInstance", "UnassignIpv6Addresses", "UnassignPrivateIpAddresses",
};
/* Of a connection that stays, which there is none of here. */
static const char *const native_only[] = { "Hello", "Subscribe", "Unsubscribe" };
/* clang-format on */

static bool is_in(const char *const *list, size_t count, struct ipl_str name)
{
	for (size_t i = 0; i < count; i++) {
		if (ipl_str_is(name, list[i]))
			return true;
	}
	return false;
}

#define IS_IN(list, name) is_in(list, IPL_ARRAY_SIZE(list), name)

static enum ipl_status check_version(struct ipl_str action, struct ipl_str version,
				     struct ipl_error *err)
{
	bool both = IS_IN(in_both, action);
	bool ecs = both || IS_IN(in_ecs, action), vpc = both || IS_IN(in_vpc, action);

	if (!ecs && !vpc) /* the ledger's own: of neither product, so with either */
		ecs = vpc = true;
	else if (version.len == 0)
		return ipl_refuse(err, IPL_CODE_MISSING_VERSION,
				  "Version is required: %.64s is in %s", action.at,
				  ecs ? ECS_VERSION : VPC_VERSION);
	if (version.len == 0 || (ecs && ipl_str_is(version, ECS_VERSION)) ||
	    (vpc && ipl_str_is(version, VPC_VERSION)))
		return IPL_OK;
	return ipl_refuse(err, IPL_CODE_API_NOT_FOUND,
			  "there is no %.64s in this version: it is in %s%s%s", action.at,
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
	if (IS_IN(native_only, action))
		return ipl_refuse(err, IPL_CODE_API_NOT_FOUND,
				  "%s is for the native door: it is of a connection that stays",
				  operation->name);
	st = check_version(ipl_str_of(operation->name), version, err);
	if (st == IPL_OK)
		*out = operation;
	return st;
}
