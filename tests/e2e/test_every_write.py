#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: every write operation, each with a call that would be done.
Claimed: all of them treat alike what all of them share: required members, wrong types, unknown
members, region, things that do not exist, ClientToken, IfSeq, DryRun, Reason, and the order of
these; and the event says the operation, its type and what it touched."""
import json
import subprocess

from ledger import BINARY, ZONE, Server
from refusals import TAP, Table, run

IPV6 = "ecs.g7.large"
ENI_FAMILY = ("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses", "AssignIpv6Addresses", "UnassignIpv6Addresses")
VPC, VSWITCH, INSTANCE = "InvalidVpcId.NotFound", "InvalidVSwitchId.NotFound", "InvalidInstanceId.NotFound"
ENI, EIP, ECS = "InvalidEniId.NotFound", "InvalidAllocationId.NotFound", "InvalidEcsId.NotFound"
TEXTS = {"Description": "d", "Tag": [{"Key": "k", "Value": "v"}]}
NAMES = (("x", "é" * 128), ("", "x" * 129, "http://x", "https://x"))
DESCRIPTIONS = (("x", "é" * 256), ("", "x" * 257, "http://x"))
CHARGES = (("PayByTraffic", "PayByBandwidth"), ("Free", "paybytraffic", ""))


class Write:
    """One operation: how to make a call that would be done, and what is known about it."""

    def __init__(self, name, event, make, unknown=None, also=None, ranges=None, statuses=None, touches=None):
        self.name = name
        self.event = event
        self.make = make                # of a network: required parameters, fresh each time
        self.unknown = unknown or {}    # member: code where nothing of that id exists
        self.also = also or {}          # optional members that may be given too
        self.ranges = ranges or {}      # member: values within its range, then values that are not
        self.statuses = statuses or {}  # of codes whose status depends on the operation
        self.touches = touches          # of parameters and result: the ids in the event


def vpc(n):
    return {"VpcId": n.vpc6()}


def vswitch(n):
    return {"VSwitchId": n.vswitch6(n.vpc6(), 1)}


def instance(n, **more):
    return {"InstanceId": n.run(n.vswitch6(n.vpc6(), 1), InstanceType=IPV6, **more)[0]}


def stopped(n):
    params = instance(n)
    n.call("StopInstance", **params)
    return params


def nic(n, **more):
    return {"NetworkInterfaceId": n.eni(n.vswitch6(n.vpc6(), 1), **more)}


def attachable(n):
    switch = n.vswitch(n.vpc())
    return {"InstanceId": n.run(switch)[0], "NetworkInterfaceId": n.eni(switch)}


def attached(n):
    params = attachable(n)
    n.call("AttachNetworkInterface", **params)
    return params


def with_secondary(n):
    params = nic(n, PrivateIpAddress=["10.0.0.9"])
    return {**params, "PrivateIpAddress": ["10.0.0.9"]}


def with_ipv6(n):
    params = nic(n, Ipv6AddressCount=1)
    return {**params, "Ipv6Address": n.of_eni(params["NetworkInterfaceId"])}


def eip(n):
    return {"AllocationId": n.eip()["AllocationId"]}


def bound(n):
    params = eip(n)
    n.call("AssociateEipAddress", **params, **instance(n))
    return params


def secondary_block(n):
    params = {**vpc(n), "SecondaryCidrBlock": "172.16.0.0/16"}
    n.call("AssociateVpcCidrBlock", **params)
    return params


def movable(n):
    params = stopped(n)
    return {**params, "VSwitchId": n.instance(params["InstanceId"])["VpcAttributes"]["VSwitchId"]}


def gateway(n):
    return {"Ipv6GatewayId": n.call("CreateIpv6Gateway", **vpc(n))["Ipv6GatewayId"]}


def ipv6_address(n):
    params = vpc(n)
    n.call("CreateIpv6Gateway", **params)
    made = n.call("CreateNetworkInterface", VSwitchId=n.vswitch6(params["VpcId"], 1), Ipv6AddressCount=1)
    return {"Ipv6AddressId": made["Ipv6Sets"]["Ipv6Set"][0]["Ipv6AddressId"]}


def ipv6_bandwidth(n):
    return {"Ipv6InternetBandwidthId": n.call("AllocateIpv6InternetBandwidth", **ipv6_address(n),
                                              Bandwidth=1)["InternetBandwidthId"]}


def given(*members):
    """Touched is what these members of the parameters or the result name, and nothing else."""
    def ids(_net, params, result):
        found = {**params, **result}
        return [found[m] for m in members]
    return ids


def launched(net, params, result):
    i = result.get("InstanceId") or result["InstanceIdSets"]["InstanceIdSet"][0]
    return [i, net.primary_eni(i), params["VSwitchId"]]


def of_eni(*more):
    def ids(net, params, result):
        eni = params.get("NetworkInterfaceId") or result["NetworkInterfaceId"]
        shown = net.call("GetEntity", Id=eni, AsOf=result["Seq"] - ("Deleted" in more))
        ipv6 = result.get("Ipv6AddressIds", {}).get("Ipv6AddressId", [])
        return [eni, shown["State"]["VSwitchId"], *ipv6]
    return ids


def of_bound(net, params, result):
    """An EIP, and the interface and the instance that it was or is paired with."""
    state = net.call("GetEntity", Id=params["AllocationId"], AsOf=result["Seq"])["State"]
    if not state["InstanceId"]:
        state = net.call("GetEntity", Id=params["AllocationId"], AsOf=result["Seq"] - 1)["State"]
    return [params["AllocationId"], state["InstanceId"], net.primary_eni(state["InstanceId"])]


WRITES = (
    Write("ModifyLedgerSettings", "LedgerSettingsModified", lambda n: {},
          also={"ReuseDelaySeconds": 0, "Quotas": {"Vpcs": 100000}, "Zones": [ZONE, "cn-hangzhou-b"]}),
    Write("CreateVpc", "VpcCreated", lambda n: {"CidrBlock": "10.0.0.0/16"},
          also={"EnableIpv6": True, "VpcName": "n", **TEXTS}, touches=given("VpcId"),
          ranges={"VpcName": NAMES, "Description": DESCRIPTIONS}),
    Write("DeleteVpc", "VpcDeleted", vpc, {"VpcId": VPC}, {"ForceDelete": True}, touches=given("VpcId")),
    Write("ModifyVpcAttribute", "VpcModified", vpc, {"VpcId": VPC},
          {"VpcName": "n", "Description": "d", "EnableIPv6": True}, touches=given("VpcId"),
          ranges={"VpcName": NAMES, "Description": DESCRIPTIONS}),
    Write("AssociateVpcCidrBlock", "VpcCidrBlockAssociated", lambda n: {**vpc(n), "SecondaryCidrBlock": "172.16.0.0/16"},
          {"VpcId": VPC}, {"IpVersion": "IPV4"}, touches=given("VpcId")),
    Write("UnassociateVpcCidrBlock", "VpcCidrBlockUnassociated", secondary_block, {"VpcId": VPC},
          touches=given("VpcId")),
    Write("CreateVSwitch", "VSwitchCreated", lambda n: {**vpc(n), "ZoneId": ZONE, "CidrBlock": "10.0.0.0/24"},
          {"VpcId": VPC, "ZoneId": "InvalidZoneId.NotFound"}, {"Ipv6CidrBlock": 7, "VSwitchName": "n", **TEXTS},
          touches=given("VSwitchId", "VpcId"),
          ranges={"Ipv6CidrBlock": ((0, 255), (-1, 256)), "VSwitchName": NAMES, "Description": DESCRIPTIONS}),
    Write("ModifyVSwitchAttribute", "VSwitchModified", vswitch, {"VSwitchId": VSWITCH},
          {"VSwitchName": "n", "Description": "d", "EnableIPv6": True, "Ipv6CidrBlock": 1}, touches=given("VSwitchId"),
          ranges={"VSwitchName": NAMES, "Description": DESCRIPTIONS, "Ipv6CidrBlock": ((1,), (-1, 256))}),
    Write("DeleteVSwitch", "VSwitchDeleted", vswitch, {"VSwitchId": VSWITCH}),
    Write("RunInstances", "InstancesLaunched", lambda n: {**vswitch(n), "InstanceType": IPV6}, {"VSwitchId": VSWITCH},
          {"ZoneId": ZONE, "Amount": 2, "MinAmount": 1, "PrivateIpAddress": "10.0.0.9", "InternetMaxBandwidthOut": 1,
           "InternetMaxBandwidthIn": 1, "InternetChargeType": "PayByBandwidth", "InstanceChargeType": "PostPaid",
           "InstanceName": "n", "ImageId": "m", "HostName": "h", "SecurityGroupId": "sg-x", "SecurityGroupIds": ["sg-x"],
           "Ipv6AddressCount": 1, "NetworkInterface": [{}], **TEXTS}, touches=launched,
          ranges={"Amount": ((1, 100), (0, 101, -1)), "MinAmount": ((1,), (0, 101)), "InternetChargeType": CHARGES,
                  "InstanceName": NAMES, "Description": DESCRIPTIONS, "Ipv6AddressCount": ((1, 6), (0, 11))}),
    Write("CreateInstance", "InstancesLaunched", lambda n: {**vswitch(n), "InstanceType": IPV6}, {"VSwitchId": VSWITCH},
          {"ZoneId": ZONE, "PrivateIpAddress": "10.0.0.9", "InternetMaxBandwidthOut": 1, "InternetMaxBandwidthIn": 1,
           "InternetChargeType": "PayByBandwidth", "InstanceChargeType": "PostPaid", "InstanceName": "n", "ImageId": "m",
           "HostName": "h", "SecurityGroupId": "sg-x", **TEXTS}, touches=launched,
          ranges={"InternetChargeType": CHARGES, "InstanceName": NAMES, "Description": DESCRIPTIONS}),
    Write("StartInstance", "InstanceStarted", stopped, {"InstanceId": INSTANCE}, touches=given("InstanceId")),
    Write("StopInstance", "InstanceStopped", instance, {"InstanceId": INSTANCE},
          {"StoppedMode": "KeepCharging", "ForceStop": True}, touches=given("InstanceId"),
          ranges={"StoppedMode": (("KeepCharging", "StopCharging"), ("Not-applicable", ""))}),
    Write("RebootInstance", "InstanceRebooted", instance, {"InstanceId": INSTANCE}, {"ForceStop": True},
          touches=given("InstanceId")),
    Write("DeleteInstance", "InstanceReleased", stopped, {"InstanceId": INSTANCE},
          {"Force": True, "ForceStop": True, "TerminateSubscription": True}),
    Write("ModifyInstanceVpcAttribute", "InstancePrimaryAddressChanged", movable,
          {"InstanceId": INSTANCE, "VSwitchId": VSWITCH}, {"PrivateIpAddress": "10.0.0.9"}),
    Write("ModifyInstanceNetworkSpec", "InstanceBandwidthChanged", instance, {"InstanceId": INSTANCE},
          {"InternetMaxBandwidthOut": 2, "InternetMaxBandwidthIn": 3, "NetworkChargeType": "PayByTraffic",
           "AllocatePublicIp": True}, touches=given("InstanceId"),
          ranges={"NetworkChargeType": CHARGES}),
    Write("AllocatePublicIpAddress", "PublicIpAllocated",
          lambda n: {"InstanceId": n.call("CreateInstance", **vswitch(n), InstanceType=IPV6,
                                          InternetMaxBandwidthOut=1)["InstanceId"]}, {"InstanceId": INSTANCE}),
    Write("ConvertNatPublicIpToEip", "PublicIpConverted", lambda n: instance(n, InternetMaxBandwidthOut=1),
          {"InstanceId": INSTANCE}, statuses={INSTANCE: 403}),
    Write("CreateNetworkInterface", "NetworkInterfaceCreated", vswitch, {"VSwitchId": VSWITCH},
          {"PrimaryIpAddress": "10.0.0.9", "PrivateIpAddress": ["10.0.0.8"], "Ipv6AddressCount": 1,
           "DeleteOnRelease": False, "InstanceType": "Secondary", "NetworkInterfaceName": "n", "SecurityGroupId": "sg-x",
           **TEXTS}, touches=of_eni(),
          ranges={"SecondaryPrivateIpAddressCount": ((1, 49), (0, 50)), "Ipv6AddressCount": ((1, 10), (0, 11)),
                  "PrivateIpAddress": (([f"10.0.0.{n}" for n in range(1, 11)],), ([f"10.0.0.{n}" for n in range(1, 12)],)),
                  "InstanceType": (("Secondary",), ("Primary", "Trunk")), "NetworkInterfaceName": NAMES,
                  "Description": DESCRIPTIONS}),
    Write("DeleteNetworkInterface", "NetworkInterfaceDeleted", nic, {"NetworkInterfaceId": ENI},
          touches=of_eni("Deleted")),
    Write("ModifyNetworkInterfaceAttribute", "NetworkInterfaceModified", nic, {"NetworkInterfaceId": ENI},
          {"NetworkInterfaceName": "n", "Description": "d", "DeleteOnRelease": False},
          touches=given("NetworkInterfaceId"),
          ranges={"NetworkInterfaceName": NAMES, "Description": DESCRIPTIONS}),
    Write("AttachNetworkInterface", "NetworkInterfaceAttached", attachable,
          {"InstanceId": ECS, "NetworkInterfaceId": ENI}, touches=given("NetworkInterfaceId", "InstanceId")),
    Write("DetachNetworkInterface", "NetworkInterfaceDetached", attached,
          {"InstanceId": ECS, "NetworkInterfaceId": ENI}, touches=given("NetworkInterfaceId", "InstanceId")),
    Write("AssignPrivateIpAddresses", "PrivateIpAssigned", lambda n: {**nic(n), "SecondaryPrivateIpAddressCount": 1},
          {"NetworkInterfaceId": ENI}, touches=of_eni(),
          ranges={"SecondaryPrivateIpAddressCount": ((1, 49), (0, 50, -1))}),
    Write("UnassignPrivateIpAddresses", "PrivateIpUnassigned", with_secondary, {"NetworkInterfaceId": ENI},
          touches=of_eni(),
          ranges={"PrivateIpAddress": ((), ([f"10.0.0.{n}" for n in range(33)],))}),
    Write("AssignIpv6Addresses", "Ipv6Assigned", lambda n: {**nic(n), "Ipv6AddressCount": 2},
          {"NetworkInterfaceId": ENI}, touches=of_eni(),
          ranges={"Ipv6AddressCount": ((1, 10), (0, 11))}),
    Write("UnassignIpv6Addresses", "Ipv6Unassigned", with_ipv6, {"NetworkInterfaceId": ENI},
          ranges={"Ipv6Address": ((), ([f"2001:db8::{n}" for n in range(11)],))}),
    Write("AllocateEipAddress", "EipAllocated", lambda n: {},
          also={"Bandwidth": "5", "InternetChargeType": "PayByTraffic", "InstanceChargeType": "PostPaid", "ISP": "BGP",
                "IpAddress": "198.19.1.1", "Name": "n", **TEXTS}, touches=given("AllocationId"),
          ranges={"Bandwidth": (("1", "500", 1, 500), ("0", "501", 0, 501, -1)), "InternetChargeType": CHARGES, "Name": NAMES}),
    Write("AssociateEipAddress", "EipAssociated", lambda n: {**eip(n), **instance(n)},
          {"AllocationId": EIP, "InstanceId": "InvalidInstanId.NotFound"}, {"InstanceType": "EcsInstance", "Mode": "NAT"},
          touches=of_bound,
          ranges={"InstanceType": (("EcsInstance",), ("Nat", "SlbInstance", "HaVip", "IpAddress", ""))}),
    Write("UnassociateEipAddress", "EipUnassociated", bound, {"AllocationId": EIP, "InstanceId": INSTANCE},
          {"Force": True}, statuses={INSTANCE: 400}, touches=of_bound),
    Write("ModifyEipAddressAttribute", "EipModified", eip, {"AllocationId": EIP},
          {"Bandwidth": "6", "Name": "n", "Description": "d"}, touches=given("AllocationId"),
          ranges={"Bandwidth": (("1", "500"), ("0", "501")), "Name": NAMES, "Description": DESCRIPTIONS}),
    Write("ReleaseEipAddress", "EipReleased", eip, {"AllocationId": EIP}, touches=given("AllocationId")),
    Write("CreateIpv6Gateway", "Ipv6GatewayCreated", vpc, {"VpcId": VPC}, {"Name": "n", "Description": "d"},
          ranges={"Name": NAMES, "Description": DESCRIPTIONS}),
    Write("DeleteIpv6Gateway", "Ipv6GatewayDeleted", gateway, {"Ipv6GatewayId": "InvalidIpv6GatewayId.NotFound"}),
    Write("AllocateIpv6InternetBandwidth", "Ipv6BandwidthAllocated", lambda n: {**ipv6_address(n), "Bandwidth": 2},
          {"Ipv6AddressId": "ResourceNotFound.Ipv6Address", "Ipv6GatewayId": "InvalidIpv6GatewayId.NotFound"},
          {"InternetChargeType": "PayByTraffic"}, touches=given("Ipv6AddressId", "InternetBandwidthId"),
          ranges={"InternetChargeType": CHARGES}),
    Write("ModifyIpv6InternetBandwidth", "Ipv6BandwidthModified", lambda n: {**ipv6_bandwidth(n), "Bandwidth": 2},
          {"Ipv6InternetBandwidthId": "InvalidIpv6InternetBandwidthId.NotFound"}),
    Write("DeleteIpv6InternetBandwidth", "Ipv6BandwidthDeleted", ipv6_bandwidth,
          {"Ipv6InternetBandwidthId": "InvalidIpv6InternetBandwidthId.NotFound"}),
)
# Not required by their shape, though the call of the table needs one.
EITHER = {"AssignPrivateIpAddresses": ("SecondaryPrivateIpAddressCount",), "AssignIpv6Addresses": ("Ipv6AddressCount",),
          "ModifyIpv6InternetBandwidth": ("Ipv6InternetBandwidthId",),
          "DeleteIpv6InternetBandwidth": ("Ipv6InternetBandwidthId",), "RunInstances": ("VSwitchId",)}
PREFIXES = {VPC: "vpc", VSWITCH: "vsw", INSTANCE: "i", ENI: "eni", ECS: "i", EIP: "eip",
            "InvalidInstanId.NotFound": "i", "ResourceNotFound.Ipv6Address": "ipv6",
            "InvalidIpv6GatewayId.NotFound": "ipv6gw", "InvalidIpv6InternetBandwidthId.NotFound": "ipv6bw"}


def wrong_types(value):
    """Values of other types than this one's."""
    if isinstance(value, bool):
        return ("true", 1)
    if isinstance(value, int):
        return (str(value), 1.5, True, [value])
    if isinstance(value, str):
        return ((7.5, True, [value]) if value.isdigit() else (7, True, [value], {}))
    return ({"a": 1}, 7) if isinstance(value, list) else ([7], "x")


def test_shape(net, write, good):
    family = 403 if write.name in ENI_FAMILY else None
    required = [m for m in good if m not in EITHER.get(write.name, ())]
    for member in required:
        less = {m: v for m, v in good.items() if m != member}
        net.row(f"{member} is missing", "MissingParameter", less, status=family, parameter=member)
        net.row(f"{member} is nil", "MissingParameter", {**good, member: None}, status=family, parameter=member)
        net.row(f"{member} is missing and Moon unknown", "MissingParameter", {**less, "Moon": 1}, status=family)
    for member, value in {**good, **write.also}.items():
        for wrong in wrong_types(value):
            net.row(f"{member} is {wrong!r}", "InvalidParameter", {**good, member: wrong}, parameter=member)
    for member, value in write.also.items():
        net.passes(f"{member}={value!r}", {**good, member: value})
    net.row("an unknown member", "UnsupportedParameter", {**good, "Moon": 1}, parameter="Moon")
    net.row("unknown member and region", "UnsupportedParameter", {**good, "Moon": 1, "RegionId": "mars"})


def test_existence(net, write, good):
    net.row("another region", "InvalidRegionId.NotFound", {**good, "RegionId": "mars"}, ids=None)
    net.passes("the ledger's region", {**good, "RegionId": "cn-hangzhou"})
    for member, code in write.unknown.items():
        prefix = PREFIXES.get(code)
        words = ["x"] if prefix is None else [f"{prefix}-x", "nothing", f"{prefix}-bp1{'0' * 17}"]
        words += [] if prefix in (None, "vpc") else [good.get("VpcId") or net.vpc()]
        for word in words:
            net.row(f"{member}={word}", code, {**good, member: word}, status=write.statuses.get(code),
                    ids=[word] if prefix else None)
        net.row(f"{member} and the region unknown", "InvalidRegionId.NotFound",
                {**good, member: words[0], "RegionId": "mars"})
        net.row(f"{member} unknown and IfSeq old", code, {**good, member: words[0], "IfSeq": 0},
                status=write.statuses.get(code))


def test_ranges(net, write, good):
    """At the limits, past them, and after what does not exist."""
    strange = next(iter(write.unknown.items()), None)
    for member, (within, beyond) in write.ranges.items():
        for value in within:
            net.passes(f"{member}={str(value)[:40]}", {**good, member: value})
        for value in beyond:
            net.row(f"{member}={str(value)[:40]}", "InvalidParameter", {**good, member: value}, parameter=member)
        bad = {**good, member: beyond[-1]}
        net.row(f"{member} out of range and region", "InvalidRegionId.NotFound", {**bad, "RegionId": "mars"})
        net.row(f"{member} out of range and Moon unknown", "UnsupportedParameter", {**bad, "Moon": 1})
        if strange:
            net.row(f"{member} out of range and {strange[0]} unknown", strange[1], {**bad, strange[0]: "x"},
                    status=write.statuses.get(strange[1]))


def test_shared(net, write, good):
    net.row("a token of 65 characters", "InvalidClientToken.ValueNotSupported", {**good, "ClientToken": "x" * 65})
    net.row("a token that is not ASCII", "InvalidClientToken.ValueNotSupported", {**good, "ClientToken": "é"})
    net.passes("a token of 64 characters", {**good, "ClientToken": "x" * 64})
    net.row("a Reason of 257 bytes", "InvalidParameter", {**good, "Reason": "x" * 257}, parameter="Reason")
    net.passes("a Reason of 256 bytes", {**good, "Reason": "x" * 256})
    net.row("an IfSeq beyond the head", "InvalidParameter", {**good, "IfSeq": net.head() + 1}, parameter="IfSeq")
    net.row("a negative IfSeq", "InvalidParameter", {**good, "IfSeq": -1}, parameter="IfSeq")
    net.row("an IfSeq that is no number", "InvalidParameter", {**good, "IfSeq": "1"}, parameter="IfSeq")
    net.passes("an IfSeq at the head", {**good, "IfSeq": net.head()})
    if write.unknown:
        refusal = net.row("an IfSeq before all changes", "PreconditionFailed", {**good, "IfSeq": 0})
        TAP.ok(refusal and refusal.detail["Ids"], f"{write.name}: the entities that changed are named")
        net.row("IfSeq comes before DryRun", "PreconditionFailed", {**good, "IfSeq": 0, "DryRun": True})
    net.row("a dry run", "DryRunOperation", {**good, "DryRun": True})


def test_done(net, write, good):
    """It is done once, however often it is asked for, and the event says so."""
    before = net.head()
    token = {"ClientToken": write.name, "Reason": "why", "Actor": "who"}
    first = net.call(write.name, **good, **token)
    again = net.call(write.name, **good, **token)
    same = lambda result: {k: v for k, v in result.items() if k != "RequestId"}
    TAP.equal((same(again), net.head(), first["Seq"]), (same(first), before + 1, before + 1),
              f"{write.name}: asked for twice with one token, done once")
    member = list(good)[-1] if good else {"ModifyLedgerSettings": "ReuseDelaySeconds"}.get(write.name, "Bandwidth")
    other = {str: "other", int: 7, list: ["other"]}[type(good.get(member, 0))]
    net.row(f"the token with another {member}", "IdempotentParameterMismatch", {**good, **token, member: other})
    for member, (_, beyond) in write.ranges.items():
        net.row(f"the token with {member} out of range", "IdempotentParameterMismatch",
                {**good, **token, member: beyond[-1]})
    event = net.call("GetEvent", Seq=first["Seq"])
    TAP.equal((event["Operation"], event["Type"], event["Reason"], event["Actor"], event["RequestId"], event["Time"]),
              (write.name, write.event, "why", "who", first["RequestId"], first["Time"]),
              f"{write.name}: the event {write.event} says what, why and for whom")
    changes = net.call("DiffState", From=first["Seq"] - 1, To=first["Seq"])["Changes"]
    strays = [c for c in changes if c["Id"] not in event["Touches"]]
    TAP.equal(strays, [], f"{write.name}: nothing changes that the event does not touch")
    if write.touches:
        TAP.equal(sorted(event["Touches"]), sorted(write.touches(net, good, first)),
                  f"{write.name}: the event touches what changed, and nothing else")


def test_write(server, write):
    net = Table(server, write.name)
    good = write.make(net)
    net.passes("the call of this table", good)
    test_shape(net, write, good)
    test_existence(net, write, good)
    test_ranges(net, write, good)
    test_shared(net, write, good)
    test_done(net, write, good)
    net.client.close()


READS = ("Describe", "Get", "List", "Check", "Lookup", "Diff", "Ping", "Hello", "Subscribe", "Unsubscribe")


def spelled(params):
    """As `ipledger call` takes them: lists of text one by one, other lists and maps as JSON."""
    words = []
    for name, value in params.items():
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            words += [f"{name}.{n}={v}" for n, v in enumerate(value, 1)]
        elif isinstance(value, (list, dict, bool)):
            words.append(f"{name}={json.dumps(value)}")
        else:
            words.append(f"{name}={value}")
    return words


def test_by_command(server):
    """The same through `ipledger call`: the refusal is text, and the exit status says so."""
    net = Table(server)
    for write in WRITES:
        good = write.make(net)
        for more, code in (({}, "DryRunOperation"), ({"RegionId": "mars"}, "InvalidRegionId.NotFound")):
            done = subprocess.run([BINARY, "--data", server.data, "call", write.name, "DryRun=true",
                                   *spelled({**good, **more})], capture_output=True, text=True, check=False)
            TAP.ok(done.returncode == 1 and done.stderr.startswith(code + ": "), f"ipledger call {write.name}: {code}", done)


def test_all_are_here():
    shown = subprocess.run([BINARY, "help", "operations"], capture_output=True, text=True, check=True).stdout
    names = [line.split()[0] for line in shown.split("\n\n")[0].splitlines()]
    writes = [n for n in names if not n.startswith(READS) and n != "Transact"]
    TAP.equal(sorted(w.name for w in WRITES), sorted(writes), "every write operation is in this table")


def main():
    server = Server()
    for write in WRITES:
        run(server, lambda s, w=write: test_write(s, w))
    run(server, test_by_command)
    server.remove()
    test_all_are_here()
    TAP.end()


main()
