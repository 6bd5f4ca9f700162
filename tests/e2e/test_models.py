#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: what the cloud's SDKs declare about requests and answers (a file models.json beside the sources,
or named by MODELS; skipped where it is not), and a life of everything that is modelled, over HTTP.
Claimed: every answer has the declared members with the declared types, so that an SDK maps it without
loss; what is beyond them is the ledger's own and listed here; no success has a Code."""
import json
import os
import re

from door import Door
from ledger import SMALL, ZONE, Server, Tap, skip

TAP = Tap()
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATH = os.environ.get("MODELS", os.path.join(ROOT, "..", "shared", "models.json"))
# Beyond what SDKs declare; they drop what they do not know.
OWN = {"Seq", "Time", "AsOfSeq", "NextToken", "TotalCount", "PageNumber", "PageSize"}
MORE = {
    "ConvertNatPublicIpToEip": {"AllocationId", "EipAddress"},
    "AssignIpv6Addresses": {"Ipv6AddressIds", "Ipv6PrefixSets.Ipv6Prefix"},
    "CreateNetworkInterface": {"AssociatedPublicIp", "Attachment", "CreationTime", "DeleteOnRelease", "InstanceId",
                               "Ipv6Sets.Ipv6Set.Ipv6AddressId"},
    "DescribeVpcAttribute": {"RouterTableIds", "NatGatewayIds"},
    "DescribeInstanceAttribute": {"Tags"},
    "DescribeInstances": {f"Instances.Instance.NetworkInterfaces.NetworkInterface.{m}" for m in
                          ("Ipv6Sets.Ipv6Set.Ipv6AddressId", "PrivateIpSets.PrivateIpSet.AssociatedPublicIp")},
    "DescribeNetworkInterfaceAttribute": {"Ipv6Sets.Ipv6Set.Ipv6AddressId"},
    "DescribeNetworkInterfaces": {"NetworkInterfaceSets.NetworkInterfaceSet.Ipv6Sets.Ipv6Set.Ipv6AddressId"},
}
TYPES = {"string": str, "number": (int, float), "boolean": bool}


def check(value, model, path, wrong, extra):
    if isinstance(model, dict):
        if not isinstance(value, dict):
            wrong.append(f"{path} is {value!r}, declared as an object")
            return
        for key, member in value.items():
            declared = model.get(key, model.get("!" + key))
            if declared is None:
                extra.add(f"{path}.{key}".lstrip("."))
            else:
                check(member, declared, f"{path}.{key}", wrong, extra)
    elif isinstance(model, list):
        if not isinstance(value, list):
            wrong.append(f"{path} is {value!r}, declared as an array")
            return
        for item in value:
            check(item, model[0], path, wrong, extra)
    elif model not in TYPES or not isinstance(value, TYPES[model]) or \
            (model != "boolean" and isinstance(value, bool)):
        wrong.append(f"{path} is {value!r}, declared as {model}")


def members(model, path=""):
    """Every path that a model declares."""
    if isinstance(model, list):
        return members(model[0], path)
    if not isinstance(model, dict):
        return {path.lstrip(".")}
    return set().union(*[members(m, f"{path}.{k.lstrip('!')}") for k, m in model.items()], set())


class Life:
    def __init__(self, door, models):
        self.door, self.models, self.seen = door, models, {}

    def call(self, action, **params):
        answer = self.door.call(action, **params)
        for product in self.models.values():
            if action in product:
                self.look(action, answer, product[action])
        assert "Code" not in answer
        return answer

    def look(self, action, answer, model):
        wrong, extra = [], set()
        check(answer, model["response"], "", wrong, extra)
        extra = {e for e in extra if e not in OWN and e not in MORE.get(action, ())}
        kept = self.seen.setdefault(action, {"wrong": set(), "extra": set(), "calls": 0, "paths": set()})
        kept["wrong"].update(wrong)
        kept["extra"].update(extra)
        kept["calls"] += 1
        kept["paths"].update(members_of(answer))

    def item(self, action, outer, inner, **params):
        return self.call(action, **params)[outer][inner][0]


def members_of(value, path=""):
    if isinstance(value, list):
        return set().union(*[members_of(v, path) for v in value], {path.lstrip(".")})
    if isinstance(value, dict):
        return set().union(*[members_of(v, f"{path}.{k}") for k, v in value.items()], set())
    return {path.lstrip(".")}


def live(life):
    call = life.call
    vpc = call("CreateVpc", CidrBlock="10.0.0.0/16", VpcName="n", EnableIpv6=True, **{"Tag.1.Key": "a", "Tag.1.Value": "b"})["VpcId"]
    call("AssociateVpcCidrBlock", VpcId=vpc, SecondaryCidrBlock="172.16.0.0/16")
    call("ModifyVpcAttribute", VpcId=vpc, Description="d")
    vsw = call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.0.1.0/24", Ipv6CidrBlock=5)["VSwitchId"]
    call("CreateIpv6Gateway", VpcId=vpc)
    i = call("RunInstances", VSwitchId=vsw, InstanceType=SMALL, InternetMaxBandwidthOut=5, Ipv6AddressCount=1, InstanceName="i",
             SecurityGroupId="sg-1", ImageId="img", **{"Tag.1.Key": "a", "Tag.1.Value": "b"})["InstanceIdSets"]["InstanceIdSet"][0]
    for action, params in (("DescribeInstanceAttribute", {"InstanceId": i}), ("DescribeInstances", {}), ("DescribeInstanceStatus", {}),
                           ("ConvertNatPublicIpToEip", {"InstanceId": i})):
        call(action, **params)
    eni = call("CreateNetworkInterface", VSwitchId=vsw, SecurityGroupId="sg-1", SecondaryPrivateIpAddressCount=1, Ipv6AddressCount=1,
               NetworkInterfaceName="e", **{"Tag.1.Key": "a", "Tag.1.Value": "b"})["NetworkInterfaceId"]
    call("AttachNetworkInterface", InstanceId=i, NetworkInterfaceId=eni)
    given = call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
    address = given["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"][0]
    eip = call("AllocateEipAddress", Bandwidth="5", Name="n")["AllocationId"]
    call("AssociateEipAddress", AllocationId=eip, InstanceId=eni, InstanceType="NetworkInterface", PrivateIpAddress=address)
    call("ModifyEipAddressAttribute", AllocationId=eip, Bandwidth="6")
    for action, params in (("DescribeVpcs", {}), ("DescribeVpcAttribute", {"VpcId": vpc}), ("DescribeVSwitches", {"VpcId": vpc}),
                           ("DescribeVSwitchAttributes", {"VSwitchId": vsw}), ("DescribeInstanceAttribute", {"InstanceId": i}),
                           ("DescribeInstances", {}), ("DescribeNetworkInterfaces", {}), ("DescribeEipAddresses", {}),
                           ("DescribeNetworkInterfaceAttribute", {"NetworkInterfaceId": eni})):
        call(action, **params)
    call("UnassociateEipAddress", AllocationId=eip)
    call("ReleaseEipAddress", AllocationId=eip)
    call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni, **{"PrivateIpAddress.1": address})
    six = call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=eni)["Ipv6Sets"]["Ipv6Set"][0]["Ipv6Address"]
    call("UnassignIpv6Addresses", NetworkInterfaceId=eni, **{"Ipv6Address.1": six})
    call("AssignIpv6Addresses", NetworkInterfaceId=eni, Ipv6AddressCount=1)
    call("DetachNetworkInterface", InstanceId=i, NetworkInterfaceId=eni)
    call("DeleteNetworkInterface", NetworkInterfaceId=eni)
    call("RebootInstance", InstanceId=i)
    call("StopInstance", InstanceId=i)
    call("StartInstance", InstanceId=i)
    call("DeleteInstance", InstanceId=i, Force=True)
    j = call("CreateInstance", VSwitchId=vsw, InstanceType=SMALL, InternetMaxBandwidthOut=5)["InstanceId"]
    call("AllocatePublicIpAddress", InstanceId=j)
    call("ModifyInstanceVpcAttribute", InstanceId=j, VSwitchId=vsw, PrivateIpAddress="10.0.1.200")
    call("DeleteInstance", InstanceId=j)
    call("DescribeInstances")
    gone = call("CreateVpc", CidrBlock="10.0.0.0/16")["VpcId"]
    v = call("CreateVSwitch", VpcId=gone, ZoneId=ZONE, CidrBlock="10.0.0.0/24")["VSwitchId"]
    call("DeleteVSwitch", VSwitchId=v)
    call("DeleteVpc", VpcId=gone)


def main():
    if not os.path.exists(PATH):
        skip("there is no models.json beside the sources: MODELS names one")
    with open(PATH, encoding="utf-8") as file:
        models = json.load(file)
    server = Server(args=["--any-key", "--http", "127.0.0.1:0"])
    life = Life(Door(int(re.search(r"http=\S+:(\d+)", server.line).group(1))), models)
    live(life)
    for action, kept in sorted(life.seen.items()):
        TAP.equal(sorted(kept["wrong"]), [], f"{action}: the declared types")
        TAP.equal(sorted(kept["extra"]), [], f"{action}: nothing that is not declared")
        if os.environ.get("MODELS_SHOW"):
            declared = set().union(*[members(p[action]["response"]) for p in models.values() if action in p])
            print("# not answered:", action, sorted(declared - kept["paths"]))
    print(f"# {sum(k['calls'] for k in life.seen.values())} answers of {len(life.seen)} actions")
    server.remove()
    TAP.end()


main()
