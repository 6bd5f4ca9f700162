#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger with one network of each kind of thing.
Claimed: the reads find by every filter what they should and nothing else, refuse what does not exist
with their own codes, and answer the same as of a moment that is past, whatever happened since."""
from ledger import ZONE, Server
from refusals import TAP, Table, run

IPV6_6 = "ecs.g7.large"
OTHER = "cn-hangzhou-b"


class World(Table):
    """Two VPCs; in the first an instance with one of each, a stopped one, and a loose interface."""

    def __init__(self, server):
        super().__init__(server)
        call = self.call
        self.vpc1 = call("CreateVpc", CidrBlock="10.0.0.0/16", EnableIpv6=True, VpcName="one")["VpcId"]
        self.vpc2 = self.vpc()
        self.v1 = call("CreateVSwitch", VpcId=self.vpc1, ZoneId=ZONE, CidrBlock="10.0.0.0/24", Ipv6CidrBlock=1,
                       VSwitchName="front")["VSwitchId"]
        self.v2 = self.vswitch(self.vpc1, "10.0.1.0/24", OTHER)
        self.v3 = self.vswitch(self.vpc2)
        self.i1 = self.run(self.v1, InstanceType=IPV6_6, Ipv6AddressCount=2, InstanceName="web")[0]
        self.i2 = self.run(self.v2, InternetMaxBandwidthOut=1)[0]
        call("StopInstance", InstanceId=self.i2)
        self.eip1, self.eip2 = self.eip(Name="e1"), self.eip()
        call("AssociateEipAddress", AllocationId=self.eip1["AllocationId"], InstanceId=self.i1)
        self.loose = self.eni(self.v1, Ipv6AddressCount=1)
        self.gateway = call("CreateIpv6Gateway", VpcId=self.vpc1)["Ipv6GatewayId"]
        self.six = [a["Ipv6AddressId"] for a in self.ipv6(AssociatedInstanceId=self.i1)]
        self.six3 = [a["Ipv6AddressId"] for a in self.ipv6(AssociatedInstanceId=self.loose)][0]
        self.bandwidth = call("AllocateIpv6InternetBandwidth", Ipv6AddressId=self.six[0], Bandwidth=5)["InternetBandwidthId"]


LISTS = {"DescribeVpcs": ("Vpcs", "Vpc", "VpcId"), "DescribeVSwitches": ("VSwitches", "VSwitch", "VSwitchId"),
         "DescribeInstances": ("Instances", "Instance", "InstanceId"),
         "DescribeInstanceStatus": ("InstanceStatuses", "InstanceStatus", "InstanceId"),
         "DescribeNetworkInterfaces": ("NetworkInterfaceSets", "NetworkInterfaceSet", "NetworkInterfaceId"),
         "DescribeEipAddresses": ("EipAddresses", "EipAddress", "AllocationId"),
         "DescribeIpv6Addresses": ("Ipv6Addresses", "Ipv6Address", "Ipv6AddressId"),
         "DescribeIpv6Gateways": ("Ipv6Gateways", "Ipv6Gateway", "Ipv6GatewayId")}


def found(net, operation, **filters):
    outer, inner, member = LISTS[operation]
    return sorted(e[member] for e in net.call(operation, **filters)[outer][inner])


def filters_of(w):
    ip6 = w.ipv6(Ipv6AddressId=w.six[0])[0]["Ipv6Address"]
    ip6_3 = w.ipv6(Ipv6AddressId=w.six3)[0]["Ipv6Address"]
    return {
        "DescribeVpcs": (
            ({}, [w.vpc1, w.vpc2]), ({"VpcId": w.vpc1}, [w.vpc1]), ({"VpcId": f"{w.vpc1},{w.vpc2}"}, [w.vpc1, w.vpc2]),
            ({"VpcId": [w.vpc2, "vpc-x"]}, [w.vpc2]), ({"VpcId": "x"}, []), ({"VpcName": "one"}, [w.vpc1]),
            ({"VpcName": "on"}, []), ({"EnableIpv6": True}, [w.vpc1]), ({"EnableIpv6": False}, [w.vpc2]),
            ({"IsDefault": True}, []), ({"IsDefault": False}, [w.vpc1, w.vpc2])),
        "DescribeVSwitches": (
            ({}, [w.v1, w.v2, w.v3]), ({"VpcId": w.vpc1}, [w.v1, w.v2]), ({"VpcId": "vpc-x"}, []),
            ({"ZoneId": OTHER}, [w.v2]), ({"ZoneId": "mars"}, []), ({"VSwitchId": w.v3}, [w.v3]),
            ({"VSwitchId": w.v3, "VpcId": w.vpc1}, []), ({"VSwitchName": "front"}, [w.v1]), ({"EnableIpv6": True}, [w.v1]),
            ({"EnableIpv6": False}, [w.v2, w.v3]), ({"IsDefault": True}, [])),
        "DescribeInstances": (
            ({}, [w.i1, w.i2]), ({"InstanceIds": [w.i1, "i-x"]}, [w.i1]), ({"InstanceIds": f'["{w.i2}"]'}, [w.i2]),
            ({"VpcId": w.vpc1}, [w.i1, w.i2]), ({"VpcId": w.vpc2}, []), ({"VSwitchId": w.v2}, [w.i2]),
            ({"ZoneId": ZONE}, [w.i1]), ({"Status": "Stopped"}, [w.i2]), ({"InstanceName": "web"}, [w.i1]),
            ({"InstanceType": IPV6_6}, [w.i1]), ({"PrivateIpAddresses": [w.primary_ip(w.i2)]}, [w.i2]),
            ({"PrivateIpAddresses": '["10.0.0.99"]'}, []), ({"PublicIpAddresses": w.public(w.i2)}, [w.i2]),
            ({"PublicIpAddresses": [w.eip1["EipAddress"]]}, []), ({"EipAddresses": [w.eip1["EipAddress"]]}, [w.i1]),
            ({"EipAddresses": w.public(w.i2)}, []), ({"Ipv6Address": [ip6]}, [w.i1]), ({"Ipv6Address": [ip6_3]}, [])),
        "DescribeInstanceStatus": (
            ({}, [w.i1, w.i2]), ({"InstanceId": [w.i2]}, [w.i2]), ({"InstanceId": ["i-x"]}, []), ({"ZoneId": OTHER}, [w.i2])),
        "DescribeIpv6Addresses": (
            ({}, [*w.six, w.six3]), ({"Ipv6AddressId": w.six3}, [w.six3]), ({"Ipv6AddressId": ",".join(w.six)}, w.six),
            ({"Ipv6Address": ip6}, [w.six[0]]), ({"Ipv6Address": "2001:db8::99"}, []),
            ({"Ipv6InternetBandwidthId": w.bandwidth}, [w.six[0]]), ({"Ipv6InternetBandwidthId": "ipv6bw-x"}, []),
            ({"AssociatedInstanceId": w.i1}, w.six), ({"AssociatedInstanceId": w.loose}, [w.six3]),
            ({"AssociatedInstanceId": "i-x"}, []), ({"AssociatedInstanceType": "EcsInstance"}, w.six),
            ({"AssociatedInstanceType": "NetworkInterface"}, [w.six3]), ({"VSwitchId": w.v1}, [*w.six, w.six3]),
            ({"VSwitchId": w.v2}, []), ({"VpcId": w.vpc1}, [*w.six, w.six3]), ({"VpcId": w.vpc2}, []),
            ({"NetworkType": "Public"}, [w.six[0]]), ({"NetworkType": "Private"}, [w.six[1], w.six3])),
        "DescribeIpv6Gateways": (({}, [w.gateway]), ({"VpcId": w.vpc2}, [])),
    }


def test_filters(server):
    w = World(server)
    table = filters_of(w)
    for operation, rows in table.items():
        for filters, wanted in rows:
            got = found(w, operation, **filters)
            TAP.equal(got, sorted(wanted), f"{operation} by {list(filters) or 'nothing'}: {len(wanted)}")
    for operation, member, most in (("DescribeVpcs", "VpcId", 20), ("DescribeInstances", "InstanceIds", 100),
                                    ("DescribeEipAddresses", "AllocationId", 50), ("DescribeNetworkInterfaces",
                                                                                   "NetworkInterfaceId", 100),
                                    ("DescribeIpv6Addresses", "Ipv6AddressId", 20)):
        w.row(f"{most + 1} ids", "InvalidParameter", {member: ["x"] * (most + 1)}, operation=operation, parameter=member)
        TAP.equal(found(w, operation, **{member: ["x"] * most}), [], f"{operation}: {most} ids")
    then = w.head()
    before = {(operation, str(filters)): found(w, operation, **filters) for operation, rows in table.items()
              for filters, _ in rows}
    w.call("DeleteInstance", InstanceId=w.i1, Force=True)
    w.call("StartInstance", InstanceId=w.i2)
    w.call("DeleteNetworkInterface", NetworkInterfaceId=w.loose)
    w.call("ModifyVpcAttribute", VpcId=w.vpc1, VpcName="two")
    w.call("DeleteIpv6Gateway", Ipv6GatewayId=w.gateway)
    w.call("DeleteVSwitch", VSwitchId=w.v3)
    for operation, rows in table.items():
        same = [filters for filters, _ in rows
                if found(w, operation, AsOf=then, **filters) != before[operation, str(filters)]]
        TAP.equal(same, [], f"{operation}: as of then, after deletes and changes, by every filter the same")
        TAP.ok(any(found(w, operation, **filters) != before[operation, str(filters)] for filters, _ in rows),
               f"{operation}: and now not the same")


def test_single(server):
    """Reads of one thing: as of then, and what is refused."""
    w = World(server)
    rows = (("DescribeVpcAttribute", "VpcId", w.vpc2, "InvalidVpcId.NotFound", 404),
            ("DescribeVSwitchAttributes", "VSwitchId", w.v3, "InvalidVSwitchId.NotFound", 404),
            ("DescribeInstanceAttribute", "InstanceId", w.i2, "InvalidInstanceId.NotFound", 404),
            ("DescribeNetworkInterfaceAttribute", "NetworkInterfaceId", w.primary_eni(w.i2), "InvalidEniId.NotFound", 404),
            ("GetGuestView", "InstanceId", w.i2, "InvalidInstanceId.NotFound", 404),
            ("GetReachability", "InstanceId", w.i2, "InvalidInstanceId.NotFound", 404),
            ("GetEntity", "Id", w.v3, "NotFound", 404))
    bare = lambda answer: {k: v for k, v in answer.items() if k not in ("RequestId", "AsOfSeq")}
    then, answers = w.head(), {op: bare(w.call(op, **{member: thing})) for op, member, thing, _, _ in rows}
    w.call("DeleteInstance", InstanceId=w.i2, Force=True)
    w.call("DeleteVSwitch", VSwitchId=w.v3)
    w.call("DeleteVpc", VpcId=w.vpc2)
    for operation, member, thing, code, status in rows:
        TAP.equal(bare(w.call(operation, **{member: thing, "AsOf": then})), answers[operation],
                  f"{operation}: as of then, though it is gone")
        for what, params in (("what is gone", {member: thing}), ("what never was", {member: thing.split("-")[0] + "-x"}),
                             ("another kind of thing", {member: w.eip1["AllocationId"]}),
                             ("what was not yet", {member: thing, "AsOf": 1})):
            if operation == "GetEntity" and what == "another kind of thing":
                continue
            detail = {"DeletedSeq": ...} if what == "what is gone" else None
            refusal = w.row(what, code, params, operation=operation, status=status)
            if detail and refusal:
                TAP.ok(refusal.detail.get("DeletedSeq", 0) > then, f"{operation}: it says when it went", refusal.error)
        w.row("no id", "MissingParameter", {}, operation=operation, parameter=member)
        w.row("a seq that is not yet", "InvalidAsOf.Future", {member: thing, "AsOf": w.head() + 1}, operation=operation)
        w.row("no moment", "InvalidAsOf.Malformed", {member: thing, "AsOf": "then"}, operation=operation)


def test_lookup(server):
    """LookupAddress: every status, and which of two wins."""
    net = Table(server, "LookupAddress")
    vpc, other = net.vpc("10.0.0.0/16"), net.vpc("10.0.0.0/8")
    vswitch, second = net.vswitch(vpc), net.vswitch(other)
    net.eni(vswitch, PrimaryIpAddress="10.0.0.9", PrivateIpAddress=["10.0.0.10"])
    net.eni(second, PrimaryIpAddress="10.0.0.9")
    status = lambda address, **more: (lambda a: (a["Status"], len(a["Holdings"])))(net.do(Address=address, **more))
    for address, more, wanted in (
            ("10.0.0.9", {"VpcId": vpc}, ("Held", 1)), ("10.0.0.9", {}, ("Held", 2)), ("10.0.0.10", {}, ("Held", 1)),
            ("10.0.0.10", {"VpcId": other}, ("Free", 0)), ("10.0.0.0", {"VpcId": vpc}, ("Reserved", 0)),
            ("10.0.0.253", {"VpcId": vpc}, ("Reserved", 0)), ("10.0.0.11", {"VpcId": vpc}, ("Free", 0)),
            ("10.9.9.9", {"VpcId": vpc}, ("Outside", 0)), ("10.9.9.9", {"VpcId": other}, ("Free", 0)),
            ("192.168.0.1", {}, ("Outside", 0)), ("198.18.0.0", {}, ("Reserved", 0)), ("198.19.255.254", {}, ("Free", 0)),
            ("198.19.255.255", {}, ("Reserved", 0)), ("8.8.8.8", {}, ("Outside", 0)), ("2001:db9::1", {}, ("Outside", 0))):
        TAP.equal(status(address, **more), wanted, f"LookupAddress {address} {'in a VPC' if more else 'anywhere'}: {wanted[0]}")
    block = net.vpc("198.18.0.0/16")
    eip = net.eip()
    inside = net.vswitch(block, eip["EipAddress"].rsplit(".", 1)[0] + ".0/24")
    net.eni(inside, PrimaryIpAddress=eip["EipAddress"])
    held = net.do(Address=eip["EipAddress"], VpcId=block)["Holdings"]
    TAP.equal(sorted(h["Kind"] for h in held), ["Eip", "PrimaryPrivate"], "LookupAddress: the public holding beside the private one")
    held = net.do(Address="10.0.0.10", VpcId=vpc)["Holdings"][0]
    TAP.equal((held["Kind"], held["VpcId"], held["VSwitchId"], held["InstanceId"], held["AllocationId"]),
              ("SecondaryPrivate", vpc, vswitch, "", ""), "LookupAddress: who holds it")
    for params, code in (({"Address": "x"}, "InvalidParameter"), ({"Address": "10.0.0.0/24"}, "InvalidParameter"),
                         ({}, "MissingParameter"), ({"Address": "10.0.0.1", "VpcId": "vpc-x"}, "InvalidVpcId.NotFound")):
        net.row(str(params), code, params)


def main():
    for test in (test_filters, test_single, test_lookup):
        server = Server()
        run(server, test)
        server.remove()
    TAP.end()


main()
