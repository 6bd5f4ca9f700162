/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of codes that a door may answer with: X(NAME, http_status, "Code").
 * Codes and statuses are the cloud's where the cloud has one (its misspellings
 * too). Where one code has two statuses, by operation, it has two rows.
 */
#ifndef IPL_EVENTS_CODES_H
#define IPL_EVENTS_CODES_H

#define IPL_CODE_LIST(X)                                                                \
	/* any operation */                                                             \
	X(DRY_RUN, 400, "DryRunOperation")                                              \
	X(MISSING_PARAMETER, 400, "MissingParameter")                                   \
	X(MISSING_PARAMETER_ENI, 403, "MissingParameter")                               \
	X(UNSUPPORTED_PARAMETER, 400, "UnsupportedParameter")                           \
	X(INVALID_PARAMETER, 400, "InvalidParameter")                                   \
	X(PARAMETER_CONFLICT, 400, "InvalidParameter.Conflict")                         \
	X(REGION_NOT_FOUND, 404, "InvalidRegionId.NotFound")                            \
	X(TOKEN_MISMATCH, 400, "IdempotentParameterMismatch")                           \
	X(TOKEN_MALFORMED, 400, "InvalidClientToken.ValueNotSupported")                 \
	X(PRECONDITION_FAILED, 412, "PreconditionFailed")                               \
	X(AS_OF_FUTURE, 400, "InvalidAsOf.Future")                                      \
	X(AS_OF_MALFORMED, 400, "InvalidAsOf.Malformed")                                \
	X(NOT_FOUND, 404, "NotFound")                                                   \
	X(FORBIDDEN, 403, "Forbidden.RAM")                                              \
	/* the doors */                                                                 \
	X(UNAUTHENTICATED, 401, "Unauthenticated")                                      \
	X(KEY_NOT_FOUND, 404, "InvalidAccessKeyId.NotFound")                            \
	X(SIGNATURE_MISMATCH, 400, "SignatureDoesNotMatch")                             \
	X(SIGNATURE_INCOMPLETE, 400, "IncompleteSignature")                             \
	X(NONCE_USED, 400, "SignatureNonceUsed")                                        \
	X(TIMESTAMP_FORMAT, 400, "InvalidTimeStamp.Format")                             \
	X(TIMESTAMP_EXPIRED, 400, "InvalidTimeStamp.Expired")                           \
	X(THROTTLED, 400, "Throttling.User")                                            \
	X(UNKNOWN_OPERATION, 404, "UnknownOperation")                                   \
	X(HTTP_METHOD, 400, "UnsupportedHTTPMethod")                                    \
	X(REQUEST_TOO_LARGE, 413, "RequestTooLarge")                                    \
	X(API_NOT_FOUND, 404, "InvalidApi.NotFound")                                    \
	X(FORMAT, 400, "InvalidParameter.Format")                                       \
	X(SIGNATURE_METHOD, 400, "InvalidSignatureMethod")                              \
	X(MISSING_ACTION, 400, "MissingAction")                                         \
	X(MISSING_VERSION, 400, "MissingVersion")                                       \
	X(MISSING_ACCESS_KEY_ID, 400, "MissingAccessKeyId")                             \
	X(MISSING_SIGNATURE, 400, "MissingSignature")                                   \
	X(MISSING_TIMESTAMP, 400, "MissingTimestamp")                                   \
	X(MISSING_NONCE, 400, "MissingSignatureNonce")                                  \
	X(MALFORMED_REQUEST, 400, "MalformedRequest")                                   \
	X(FRAME_TOO_LARGE, 413, "FrameTooLarge")                                        \
	X(OVERLOADED, 503, "Overloaded")                                                \
	X(STORE_UNAVAILABLE, 503, "StoreUnavailable")                                   \
	X(OUTCOME_UNKNOWN, 503, "OutcomeUnknown")                                       \
	X(INTERNAL_ERROR, 500, "InternalError")                                         \
	X(DEPENDENCY_POOL, 400, "DependencyViolation.PublicPool")                       \
	X(DEPENDENCY_IPV6_POOL, 400, "DependencyViolation.Ipv6Pool")                    \
	X(DEPENDENCY_TYPE, 400, "DependencyViolation.InstanceType")                     \
	X(DEPENDENCY_ZONE, 400, "DependencyViolation.Zone")                             \
	/* VPC */                                                                       \
	X(VPC_NOT_FOUND, 404, "InvalidVpcId.NotFound")                                  \
	X(CIDR_BLOCK_MASK, 400, "IllegalParam.CidrBlockMask")                           \
	X(CIDR_EXCLUDED, 400, "OperationDenied.CidrInExcludeCidrs")                     \
	X(QUOTA_VPC, 400, "QuotaExceeded.Vpc")                                          \
	X(IP_VERSION, 400, "IllegalParam.IpVersion")                                    \
	X(SECONDARY_CIDR, 400, "IllegalParam.SecondaryCidrBlock")                       \
	X(SECONDARY_CIDR_DUPLICATED, 400, "Duplicated.SecondaryCidrBlock")              \
	X(QUOTA_SECONDARY_CIDR, 400, "QuotaExceeded.VpcMultiCidr")                      \
	X(CIDR_NOT_FOUND, 404, "InvalidCidrBlock.NotFound")                             \
	X(PRIMARY_CIDR, 400, "OperationDenied.PrimaryCidrBlock")                        \
	X(CIDR_IN_USE, 400, "OperationFailed.CidrInUse")                                \
	X(IPV6_CIDR_NOT_RESERVED, 400, "OperationFailed.IPv6CidrNotReserved")           \
	X(IPV6_CIDR_EXHAUSTED, 400, "ResourceNotEnough.Ipv6Cidr")                       \
	X(VPC_IPV6_DISABLED, 400, "OperationDenied.VpcIpv6Disabled")                    \
	X(DEPENDENCY_IPV6GW, 400, "DependencyViolation.Ipv6Gateway")                    \
	X(DEPENDENCY_VSWITCH, 400, "DependencyViolation.VSwitch")                       \
	/* vSwitch */                                                                   \
	X(VSWITCH_NOT_FOUND, 404, "InvalidVSwitchId.NotFound")                          \
	X(ZONE_NOT_FOUND, 404, "InvalidZoneId.NotFound")                                \
	X(CIDR_MALFORMED, 400, "InvalidCidrBlock.Malformed")                            \
	X(CIDR_OVERLAPPED, 400, "InvalidCidrBlock.Overlapped")                          \
	X(CIDR_MASK_LENGTH, 400, "InvalidCirdrBlock.MaskLength")                        \
	X(IPV6_CIDR_OVERLAPPED, 400, "InvalidIpv6CidrBlock.Overlapped")                 \
	X(IPV6_CIDR_SET, 400, "OperationDenied.Ipv6CidrBlockSet")                       \
	X(DEPENDENCY_IPV6, 400, "DependencyViolation.Ipv6Address")                      \
	X(QUOTA_VSWITCH, 400, "QuotaExceeded.VSwitch")                                  \
	X(DEPENDENCY_ENI, 400, "DependencyViolation.NetworkInterface")                  \
	/* instance */                                                                  \
	X(INSTANCE_NOT_FOUND, 404, "InvalidInstanceId.NotFound")                        \
	X(INSTANCE_NOT_FOUND_CONVERT, 403, "InvalidInstanceId.NotFound")                \
	X(INSTANCE_NOT_FOUND_UNASSOCIATE, 400, "InvalidInstanceId.NotFound")            \
	X(INSTANCE_TYPE_UNKNOWN, 400, "InvalidInstanceType.ValueNotSupported")          \
	X(INSTANCE_STATUS, 403, "IncorrectInstanceStatus")                              \
	X(INSTANCE_STATUS_WORD, 404, "InvalidStatus.NotFound")                          \
	X(ADDRESS_MALFORMED, 400, "InvalidPrivateIpAddress.Malformed")                  \
	X(ADDRESS_MALFORMED_UNASSIGN, 403, "InvalidPrivateIpAddress.Malformed")         \
	X(ADDRESS_OUTSIDE, 400, "InvalidPrivateIpAddress")                              \
	X(ADDRESS_TAKEN, 400, "InvalidPrivateIpAddress.Duplicated")                     \
	X(INSTANCE_STATUS_VPC, 400, "IncorrectInstanceStatus")                          \
	X(ADDRESS_MISMATCH, 400, "InvalidPrivateIpAddress.Mismatch")                    \
	X(ADDRESS_CHANGING, 400, "InvalidPrivateIp.Changing")                           \
	X(VSWITCH_MISMATCH, 400, "InvalidVSwitchId.Mismatch")                           \
	X(PRIMARY_HAS_SUB_IP, 400, "PrimaryEniHasSubIp")                                \
	X(IPV6_ASSIGNED, 403, "InvalidIp.Ipv6Assigned")                                 \
	X(BANDWIDTH_OUT_MALFORMED, 400, "InvalidInternetMaxBandwidthOut.Malformed")     \
	X(BANDWIDTH_IN_MALFORMED, 400, "InvalidInternetMaxBandwidthIn.Malformed")       \
	X(BANDWIDTH_OUT_RANGE, 400, "InvalidInternetMaxBandwidthOut.ValueNotSupported") \
	X(BANDWIDTH_IN_RANGE, 400, "InvalidInternetMaxBandwidthIn.ValueNotSupported")   \
	X(BANDWIDTH_EIP_BOUND, 400, "BandwidthUpgradeDenied.EipBoundInstance")          \
	X(PUBLIC_IP_NO_STOCK, 403, "InvalidOperation.PublicIpAddressNoStock")           \
	X(PUBLIC_IP_POOL_EMPTY, 400, "InsufficientPublicIp")                            \
	X(PRIMARY_SIZE, 400, "InvalidPrimaryIpAddress.SizeInvalid")                     \
	X(NIC_SECONDARY, 400, "InvalidParam.SecondaryNetworkInterface")                 \
	X(NIC_PARAMETERS, 400, "InvalidParam.NetworkInterface")                         \
	X(ZONE_MISMATCH, 400, "InvalidParameter.Mismatch")                              \
	X(PUBLIC_IP_MISSING, 404, "InvalidInstance.IpAddressMissing")                   \
	/* network interface */                                                         \
	X(ENI_NOT_FOUND, 404, "InvalidEniId.NotFound")                                  \
	X(ECS_NOT_FOUND, 404, "InvalidEcsId.NotFound")                                  \
	X(ENI_STATE, 400, "InvalidOperation.InvalidEniState")                           \
	X(ENI_TYPE, 403, "InvalidOperation.InvalidEniType")                             \
	X(ENI_NOT_OF_INSTANCE, 400, "InvalidParameter.EniNotBelongEcs")                 \
	X(ENI_PRIMARY_DETACH, 400, "InvalidOperation.DetachPrimaryEniNotAllowed")       \
	X(ENI_HOT_PLUG, 403, "InvalidOperation.HotPlugNotSupport")                      \
	X(ENI_VPC_MISMATCH, 403, "InvalidOperation.VpcMismatch")                        \
	X(ENI_ZONE_MISMATCH, 403, "InvalidOperation.AvailabilityZoneMismatch")          \
	X(ENI_LIMIT, 403, "EniPerInstanceLimitExceeded")                                \
	X(QUOTA_ENI, 403, "MaxEniCountExceeded")                                        \
	X(ENI_IP4_LIMIT, 403, "InvalidOperation.Ipv4CountExceeded")                     \
	X(ENI_IP4_LIMIT_FREE, 403, "MaxEniPrivateIpsCountExceeded")                     \
	X(ENI_IP6_LIMIT_FREE, 403, "MaxEniIpv6IpsCountExceeded")                        \
	X(ENI_IP6_LIMIT, 403, "InvalidOperation.Ipv6CountExceeded")                     \
	X(ENI_IP6_UNSUPPORTED, 403, "InvalidOperation.Ipv6NotSupport")                  \
	/* private addresses */                                                         \
	X(VSWITCH_FULL, 403, "InvalidVSwitchId.IpNotEnough")                            \
	X(IP_INVALID, 403, "InvalidVSwitchId.IpInvalid")                                \
	X(IP_ASSIGNED, 403, "InvalidIp.IpAssigned")                                     \
	X(IP_REPEATED, 403, "InvalidIp.IpRepeated")                                     \
	X(IP_UNASSIGNED, 403, "InvalidIp.IpUnassigned")                                 \
	X(PRIMARY_PRIVATE_IP, 403, "OperationDenied.PrimaryPrivateIp")                  \
	X(IP6_MALFORMED, 403, "InvalidIp.Address")                                      \
	X(VSWITCH_IPV6_OFF, 403, "InvalidVSwitch.Ipv6NotTurnOn")                        \
	X(DEPENDENCY_EIP, 400, "DependencyViolation.Eip")                               \
	X(QUOTA_PRIVATE_IP, 400, "QuotaExceeded.PrivateIpAddress")                      \
	/* EIP */                                                                       \
	X(EIP_NOT_FOUND, 404, "InvalidAllocationId.NotFound")                           \
	X(EIP_STATUS, 400, "IncorrectEipStatus")                                        \
	X(EIP_CHARGE_WORD, 400, "InvalidChargeType.ValueNotSupported")                  \
	X(EIP_TARGET_WORD, 400, "InvalidIAssociatedInstanceType.ValueNotSupported")     \
	X(QUOTA_EIP, 400, "QuotaExceeded.Eip")                                          \
	X(QUOTA_EIP_CONVERT, 403, "MaxEIPQuotaExceeded")                                \
	X(EIP_POOL_EMPTY, 400, "OperationFailed.InsufficientEIP")                       \
	X(EIP_IP_ALLOCATED, 400, "Ip.Allocated")                                        \
	X(EIP_IP_UNFAMILIAR, 400, "OperationFailed.AllocateUnfamiliarIp")               \
	X(EIP_TARGET_INSTANCE_NOT_FOUND, 404, "InvalidInstanId.NotFound")               \
	X(EIP_TARGET_ENI_NOT_FOUND, 400, "InvalidNicOrVm.NotFound")                     \
	X(EIP_PUBLIC_IP_PRESENT, 400, "EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP")           \
	X(EIP_BANDWIDTH_PRESENT, 400, "InvalidStatus.InstanceHasBandWidth")             \
	X(EIP_DUPLICATED, 400, "InvalidAssociation.Duplicated")                         \
	X(EIP_ADDRESS_ASSOCIATED, 400, "ResourceAlreadyAssociated.IpAddress")           \
	X(EIP_BIND_INSTANCE_NOT_FOUND, 404, "InvalidBindInstance.NotFound")             \
	X(EIP_ENI_ATTACHED, 400, "Eni.Attached")                                        \
	X(EIP_ENI_HAS_SUB_IP, 400, "Eni.HasSubIp")                                      \
	X(EIP_MODE_CONFLICT, 400, "Mode.Conflict")                                      \
	X(EIP_MODE_UNSUPPORTED, 400, "Mode.NotSupport")                                 \
	X(EIP_MODE_UNKNOWN, 400, "IllegalParam.Mode")                                   \
	/* IPv6 gateways and bandwidths */                                              \
	X(IPV6GW_NOT_FOUND, 404, "InvalidIpv6GatewayId.NotFound")                       \
	X(IPV6GW_EXISTS, 400, "ResourceAlreadyExist.Ipv6Gateway")                       \
	X(IPV6GW_MISSING, 400, "OperationFailed.Ipv6GatewayNotExist")                   \
	X(IPV6GW_MISMATCH, 400, "OperationFailed.Ipv6GatewayDisMatchIpv6Address")       \
	X(DEPENDENCY_IPV6BW, 400, "DependencyViolation.Ipv6InternetBandwidth")          \
	X(IPV6_NOT_FOUND, 404, "ResourceNotFound.Ipv6Address")                          \
	X(IPV6_NOT_FOUND_BANDWIDTH, 400, "InvalidIpv6Instance.NotFound")                \
	X(IPV6BW_NOT_FOUND, 404, "InvalidIpv6InternetBandwidthId.NotFound")             \
	X(IPV6BW_EXISTS, 400, "OperationFailed.InternetBandwidthAlreadyExisted")        \
	X(IPV6BW_MISSING, 400, "OperationFailed.InternetBandwidthNonExist")             \
	X(IPV6BW_RANGE, 400, "IllegalParam.Bandwidth")                                  \
	X(IPV6BW_BOTH, 400, "ParamExclusive.Ipv6AddressIdAndIpv6InternetBandwidthId")   \
	X(IPV6BW_NEITHER, 400, "BothEmptyParam.Ipv6AddressIdAndIpv6InternetBandwidthId")

enum ipl_code {
	IPL_CODE_NONE = 0,
#define X(NAME, http_status, text) IPL_CODE_##NAME,
	IPL_CODE_LIST(X)
#undef X
		IPL_CODE_COUNT,
};

/** The code's text, as every door answers it: "InvalidVpcId.NotFound". */
const char *ipl_code_text(enum ipl_code code);
/** The HTTP status that goes with it. */
int ipl_code_http_status(enum ipl_code code);

#endif
