#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: VPCs and vSwitches.
Claimed: each refusal of their operations with its code, status and facts, at the limit and one past
it, and which of two wins; what each of them changes, and in whom."""
from ledger import SMALL, ZONE, Server
from refusals import TAP, Table, run


def test_create_vpc(server):
    net = Table(server, "CreateVpc")
    for cidr in ("x", "", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.1/16", "10.0.0.0/016", "2001:db8::/56",
                 "10.0.0/16", " 10.0.0.0/16", "10.0.0.0/16,"):
        net.row(f"CidrBlock={cidr!r}", "InvalidParameter", {"CidrBlock": cidr}, parameter="CidrBlock")
    for cidr in ("10.0.0.0/7", "128.0.0.0/1", "10.0.0.0/29", "10.0.0.0/32"):
        net.row(cidr, "IllegalParam.CidrBlockMask", {"CidrBlock": cidr}, parameter="CidrBlock")
    for cidr in ("10.0.0.0/8", "10.0.0.0/28", "100.0.0.0/10", "100.128.0.0/9", "126.0.0.0/8", "128.0.0.0/8",
                 "169.253.0.0/16", "169.255.0.0/16", "223.0.0.0/8", "240.0.0.0/8", "1.0.0.0/8"):
        net.passes(cidr, {"CidrBlock": cidr})
    for cidr in ("100.64.0.0/10", "100.64.0.0/16", "100.127.255.240/28", "100.0.0.0/8", "127.0.0.0/8", "127.9.0.0/16",
                 "169.254.0.0/16", "169.254.7.0/24", "169.0.0.0/8", "224.0.0.0/8", "239.255.0.0/16", "0.0.0.0/8",
                 "0.1.0.0/16"):
        net.row(cidr, "OperationDenied.CidrInExcludeCidrs", {"CidrBlock": cidr}, parameter="CidrBlock")
    net.row("Ipv6CidrBlock", "OperationFailed.IPv6CidrNotReserved",
            {"CidrBlock": "10.0.0.0/16", "EnableIpv6": True, "Ipv6CidrBlock": "2001:db8:1::/56"},
            parameter="Ipv6CidrBlock")
    for member in ("UserCidr", "Ipv4IpamPoolId", "Ipv4CidrMask", "SecondaryCidrBlock"):
        net.row(member, "UnsupportedParameter", {"CidrBlock": "10.0.0.0/16", member: "x"}, parameter=member)
    for tags, parameter in (([{"Value": "v"}], "Tag[1].Key"), ([{"Key": "k", "Colour": 1}], "Tag[1].Colour"),
                            ([{"Key": "k"}, {"Key": 5}], "Tag[2].Key")):
        code = {"Tag[1].Key": "MissingParameter", "Tag[1].Colour": "UnsupportedParameter"}.get(parameter, "InvalidParameter")
        net.row(f"Tag={tags}", code, {"CidrBlock": "10.0.0.0/16", "Tag": tags}, parameter=parameter)
    net.passes("20 tags", {"CidrBlock": "10.0.0.0/16", "Tag": [{"Key": f"k{n}"} for n in range(20)]})
    net.row("21 tags", "InvalidParameter", {"CidrBlock": "10.0.0.0/16", "Tag": [{"Key": f"k{n}"} for n in range(21)]},
            parameter="Tag")
    made = net.do(CidrBlock="10.0.0.0/16", EnableIpv6=True, VpcName="n" * 128, Description="d" * 256)
    shown = net.show_vpc(made["VpcId"])
    TAP.equal((shown["VpcName"], shown["Description"], shown["CidrBlock"], shown["Status"], shown["EnabledIpv6"],
               shown["VRouterId"], shown["CreationTime"][:16]),
              ("n" * 128, "d" * 256, "10.0.0.0/16", "Available", True, made["VRouterId"], made["Time"][:16]),
              "CreateVpc: the VPC as it was asked for")


def test_delete_vpc(server):
    net = Table(server, "DeleteVpc")
    vpc = net.vpc6()
    vswitches = [net.vswitch(vpc, f"10.0.{n}.0/24") for n in range(11)]
    net.row("with vSwitches", "DependencyViolation.VSwitch", {"VpcId": vpc}, ids=vswitches[:10], detail={"Count": 11})
    net.row("with vSwitches, by force", "DependencyViolation.VSwitch", {"VpcId": vpc, "ForceDelete": True})
    for vswitch in vswitches:
        net.call("DeleteVSwitch", VSwitchId=vswitch)
    gateway = net.call("CreateIpv6Gateway", VpcId=vpc)["Ipv6GatewayId"]
    net.row("with an IPv6 gateway", "DependencyViolation.Ipv6Gateway", {"VpcId": vpc}, ids=[gateway])
    net.row("dependency before IfSeq", "DependencyViolation.Ipv6Gateway", {"VpcId": vpc, "IfSeq": 0})
    block = net.show_vpc(vpc)["Ipv6CidrBlock"]
    event = net.call("GetEvent", Seq=net.do(VpcId=vpc, ForceDelete=True)["Seq"])
    TAP.ok({vpc, gateway} <= set(event["Touches"]), "DeleteVpc: by force the gateway goes too", event["Touches"])
    net.row("again", "InvalidVpcId.NotFound", {"VpcId": vpc}, ids=[vpc])
    TAP.equal(net.call("LookupAddress", Address=block.split("/")[0] + "5")["Status"], "Outside",
              "DeleteVpc: its IPv6 block is nobody's")


def test_associate_cidr(server):
    net = Table(server, "AssociateVpcCidrBlock")
    vpc = net.vpc("10.0.0.0/16")
    row = lambda cidr, code, parameter="SecondaryCidrBlock", **more: net.row(
        cidr, code, {"VpcId": vpc, "SecondaryCidrBlock": cidr}, parameter=parameter, **more)
    for cidr in ("x", "", "192.168.0.1/16", "192.168.0.0", "2001:db8::/56"):
        row(cidr, "InvalidCidrBlock.Malformed")
    for cidr in ("192.168.0.0/15", "192.168.0.0/29", "11.0.0.0/8"):
        row(cidr, "IllegalParam.SecondaryCidrBlock")
    for cidr in ("100.64.0.0/16", "127.1.0.0/16", "169.254.0.0/16", "230.0.0.0/16", "0.5.0.0/16"):
        row(cidr, "OperationDenied.CidrInExcludeCidrs")
    for cidr in ("10.0.0.0/16", "10.0.128.0/24"):
        row(cidr, "InvalidCidrBlock.Overlapped")
    for cidr in ("192.168.0.0/16", "192.168.0.0/28", "10.1.0.0/16", "11.0.0.0/16"):
        net.passes(cidr, {"VpcId": vpc, "SecondaryCidrBlock": cidr})
    net.row("an IPv6 block", "UnsupportedParameter", {"VpcId": vpc, "IPv6CidrBlock": "2001:db8::/56",
                                                     "SecondaryCidrBlock": "192.168.0.0/16"}, parameter="IPv6CidrBlock")
    block = {"VpcId": vpc, "SecondaryCidrBlock": "192.168.0.0/16"}
    net.row("IpVersion=ipv4", "IllegalParam.IpVersion", {**block, "IpVersion": "ipv4"}, parameter="IpVersion")
    net.row("IpVersion=IPV6", "UnsupportedParameter", {**block, "IpVersion": "IPV6"}, parameter="IpVersion")
    net.row("IpVersion=x of a VPC that is none", "InvalidVpcId.NotFound", {**block, "VpcId": "vpc-x", "IpVersion": "x"})
    made = net.do(VpcId=vpc, SecondaryCidrBlock="192.168.0.0/16", IpVersion="IPV4")
    TAP.equal((made["CidrBlock"], made["IpVersion"]), ("192.168.0.0/16", "IPV4"), "AssociateVpcCidrBlock: its answer")
    row("192.168.0.0/16", "Duplicated.SecondaryCidrBlock")
    for cidr in ("192.168.8.0/24", "192.168.0.0/17"):
        row(cidr, "InvalidCidrBlock.Overlapped")
    for n in range(4):
        net.do(VpcId=vpc, SecondaryCidrBlock=f"172.{20 + n}.0.0/16")
    net.row("a sixth", "QuotaExceeded.VpcMultiCidr", {"VpcId": vpc, "SecondaryCidrBlock": "172.30.0.0/16"},
            detail={"Limit": 5, "Count": 5, "Requested": 1})
    net.row("a sixth that is malformed", "InvalidCidrBlock.Malformed", {"VpcId": vpc, "SecondaryCidrBlock": "x"})
    net.row("a sixth, and an old IfSeq", "QuotaExceeded.VpcMultiCidr",
            {"VpcId": vpc, "SecondaryCidrBlock": "172.30.0.0/16", "IfSeq": 0})
    TAP.equal(net.show_vpc(vpc)["SecondaryCidrBlocks"]["SecondaryCidrBlock"],
              ["192.168.0.0/16"] + [f"172.{20 + n}.0.0/16" for n in range(4)], "AssociateVpcCidrBlock: five, in order")

    net.operation = "UnassociateVpcCidrBlock"
    vswitches = [net.vswitch(vpc, f"192.168.{n}.0/24") for n in range(5, 17)]
    row("10.0.0.0/16", "OperationDenied.PrimaryCidrBlock")
    row("192.168.5.0/24", "InvalidCidrBlock.NotFound")
    row("172.31.0.0/16", "InvalidCidrBlock.NotFound")
    row("192.168.0.0/16", "OperationFailed.CidrInUse", parameter=None, ids=vswitches[:10], detail={"Count": 12})
    for vswitch in vswitches:
        net.call("DeleteVSwitch", VSwitchId=vswitch)
    net.do(VpcId=vpc, SecondaryCidrBlock="192.168.0.0/16")
    row("192.168.0.0/16", "InvalidCidrBlock.NotFound")
    net.row("a vSwitch in a block that is gone", "InvalidParameter",
            {"VpcId": vpc, "ZoneId": ZONE, "CidrBlock": "192.168.5.0/24"}, operation="CreateVSwitch",
            parameter="CidrBlock")
    net.passes("a sixth place is free again", {"VpcId": vpc, "SecondaryCidrBlock": "172.30.0.0/16"},
               operation="AssociateVpcCidrBlock")


def test_modify_vpc(server):
    net = Table(server, "ModifyVpcAttribute")
    vpc = net.vpc()
    net.row("CidrBlock", "UnsupportedParameter", {"VpcId": vpc, "CidrBlock": "10.0.0.0/8"}, parameter="CidrBlock")
    net.row("Ipv6CidrBlock", "OperationFailed.IPv6CidrNotReserved",
            {"VpcId": vpc, "EnableIPv6": True, "Ipv6CidrBlock": "2001:db8:7::/56"}, parameter="Ipv6CidrBlock")
    net.row("EnableIpv6 as CreateVpc spells it", "UnsupportedParameter", {"VpcId": vpc, "EnableIpv6": True},
            parameter="EnableIpv6")
    net.passes("off while off", {"VpcId": vpc, "EnableIPv6": False})
    net.do(VpcId=vpc, EnableIPv6=True, VpcName="a", Description="b")
    net.do(VpcId=vpc, VpcName="c")
    shown = net.show_vpc(vpc)
    TAP.equal((shown["VpcName"], shown["Description"], shown["EnabledIpv6"]), ("c", "b", True),
              "ModifyVpcAttribute: what is not named stays")
    vswitch, gateway = net.vswitch6(vpc, 3), net.call("CreateIpv6Gateway", VpcId=vpc)["Ipv6GatewayId"]
    net.row("off, a vSwitch has it", "DependencyViolation.VSwitch", {"VpcId": vpc, "EnableIPv6": False}, ids=[vswitch])
    net.call("ModifyVSwitchAttribute", VSwitchId=vswitch, EnableIPv6=False)
    net.row("off, there is a gateway", "DependencyViolation.Ipv6Gateway", {"VpcId": vpc, "EnableIPv6": False},
            ids=[gateway])
    net.call("DeleteIpv6Gateway", Ipv6GatewayId=gateway)
    net.do(VpcId=vpc, EnableIPv6=False)
    TAP.equal((net.show_vpc(vpc)["EnabledIpv6"], net.show_vpc(vpc)["Ipv6CidrBlocks"]["Ipv6CidrBlock"]), (False, []),
              "ModifyVpcAttribute: IPv6 is off")


def test_create_vswitch(server):
    net = Table(server, "CreateVSwitch")
    vpc, vpc6 = net.vpc("10.0.0.0/15"), net.vpc6()
    good = {"VpcId": vpc, "ZoneId": ZONE, "CidrBlock": "10.0.0.0/24"}
    row = lambda what, code, more, **facts: net.row(what, code, {**good, **more}, **facts)
    row("another zone", "InvalidZoneId.NotFound", {"ZoneId": "cn-hangzhou-z"}, parameter="ZoneId")
    row("no zone and no CIDR text", "InvalidZoneId.NotFound", {"ZoneId": "mars", "CidrBlock": "x"})
    for cidr in ("x", "", "10.0.1.1/24", "10.0.0.0/33", "2001:db8::/64"):
        row(f"CidrBlock={cidr!r}", "InvalidCidrBlock.Malformed", {"CidrBlock": cidr}, parameter="CidrBlock")
    for cidr in ("10.0.0.0/15", "10.0.0.0/30", "10.0.0.0/8"):
        row(cidr, "InvalidCirdrBlock.MaskLength", {"CidrBlock": cidr}, parameter="CidrBlock")
    for cidr in ("10.0.0.0/16", "10.1.0.0/16", "10.0.0.0/29", "10.1.255.248/29"):
        net.passes(cidr, {**good, "CidrBlock": cidr})
    for cidr in ("10.2.0.0/24", "192.168.0.0/24", "9.255.255.0/24"):
        row(cidr, "InvalidParameter", {"CidrBlock": cidr}, parameter="CidrBlock")
    for member, value in (("CidrMask", 24), ("VpcIpv6CidrBlock", "2001:db8::/56"), ("Ipv6CidrMask", 64)):
        row(member, "UnsupportedParameter", {member: value}, parameter=member)
    row("an index, the VPC without IPv6", "OperationDenied.VpcIpv6Disabled", {"Ipv6CidrBlock": 1}, ids=[vpc])
    row("an index out of range, the VPC without IPv6", "InvalidParameter", {"Ipv6CidrBlock": 256},
        parameter="Ipv6CidrBlock")
    first = net.do(**good)["VSwitchId"]
    for cidr in ("10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/23", "10.0.0.248/29"):
        row(cidr, "InvalidCidrBlock.Overlapped", {"CidrBlock": cidr}, parameter="CidrBlock", ids=[first])
    net.passes("the block beside it", {**good, "CidrBlock": "10.0.1.0/24"})
    net.passes("the same block in another VPC", {**good, "VpcId": net.vpc()})
    row("overlap before IfSeq", "InvalidCidrBlock.Overlapped", {"IfSeq": 0})
    six = {"VpcId": vpc6, "ZoneId": ZONE}
    own = net.do(**six, CidrBlock="10.0.0.0/24", Ipv6CidrBlock=7)["VSwitchId"]
    net.row("an index that is used", "InvalidIpv6CidrBlock.Overlapped",
            {**six, "CidrBlock": "10.0.1.0/24", "Ipv6CidrBlock": 7}, parameter="Ipv6CidrBlock", ids=[own])
    net.passes("the index beside it", {**six, "CidrBlock": "10.0.1.0/24", "Ipv6CidrBlock": 8})
    whole = net.vpc("10.0.0.0/24")
    net.do(VpcId=whole, ZoneId=ZONE, CidrBlock="10.0.0.0/24")
    net.row("the VPC's whole block is taken", "InvalidCidrBlock.Overlapped",
            {"VpcId": whole, "ZoneId": ZONE, "CidrBlock": "10.0.0.0/28"})
    net.call("AssociateVpcCidrBlock", VpcId=whole, SecondaryCidrBlock="10.0.1.0/24")
    net.row("across two blocks of the VPC", "InvalidParameter",
            {"VpcId": whole, "ZoneId": ZONE, "CidrBlock": "10.0.0.0/23"}, parameter="CidrBlock")
    net.passes("in the secondary block", {"VpcId": whole, "ZoneId": ZONE, "CidrBlock": "10.0.1.0/24"})
    for mask, count in ((29, 4), (28, 12), (24, 252), (16, 65532)):
        vswitch = net.vswitch(net.vpc(), f"10.0.0.0/{mask}")
        TAP.equal(net.free(vswitch), count, f"CreateVSwitch: a /{mask} has {count} addresses to give")
    shown = net.show_vswitch(own)
    TAP.equal((shown["VpcId"], shown["ZoneId"], shown["CidrBlock"], shown["Status"], shown["EnabledIpv6"]),
              (vpc6, ZONE, "10.0.0.0/24", "Available", True), "CreateVSwitch: the vSwitch as it was asked for")
    TAP.equal(net.show_vpc(vpc6)["VSwitchIds"]["VSwitchId"], [own], "CreateVSwitch: the VPC lists it")


def test_modify_vswitch(server):
    net = Table(server, "ModifyVSwitchAttribute")
    vpc = net.vpc6()
    a, b, plain = net.vswitch(vpc), net.vswitch6(vpc, 9, "10.0.1.0/24"), net.vswitch(net.vpc())
    net.row("CidrBlock", "UnsupportedParameter", {"VSwitchId": a, "CidrBlock": "10.0.9.0/24"}, parameter="CidrBlock")
    net.row("off with an index", "InvalidParameter.Conflict", {"VSwitchId": a, "EnableIPv6": False, "Ipv6CidrBlock": 1})
    net.row("off with an index, and no such vSwitch", "InvalidVSwitchId.NotFound",
            {"VSwitchId": "vsw-x", "EnableIPv6": False, "Ipv6CidrBlock": 1})
    net.row("on, the VPC without IPv6", "OperationDenied.VpcIpv6Disabled",
            {"VSwitchId": plain, "EnableIPv6": True, "Ipv6CidrBlock": 1})
    net.row("an index that is used", "InvalidIpv6CidrBlock.Overlapped",
            {"VSwitchId": a, "EnableIPv6": True, "Ipv6CidrBlock": 9}, ids=[b])
    net.row("another index", "OperationDenied.Ipv6CidrBlockSet", {"VSwitchId": b, "Ipv6CidrBlock": 10}, ids=[b])
    net.row("another index, and on", "OperationDenied.Ipv6CidrBlockSet",
            {"VSwitchId": b, "EnableIPv6": True, "Ipv6CidrBlock": 10})
    net.passes("the same index", {"VSwitchId": b, "EnableIPv6": True, "Ipv6CidrBlock": 9})
    enis = [net.eni(b, Ipv6AddressCount=10), net.eni(b, Ipv6AddressCount=1)]
    ids = [x["Ipv6AddressId"] for x in net.ipv6(VSwitchId=b)]
    refusal = net.row("off while used", "DependencyViolation.Ipv6Address", {"VSwitchId": b, "EnableIPv6": False},
                      detail={"Count": 11})
    TAP.ok(refusal and len(refusal.detail["Ids"]) == 10 and set(refusal.detail["Ids"]) <= set(ids),
           "ModifyVSwitchAttribute: ten of the addresses are named")
    for eni in enis:
        net.call("DeleteNetworkInterface", NetworkInterfaceId=eni)
    net.do(VSwitchId=b, EnableIPv6=False)
    TAP.equal(net.show_vswitch(b)["Ipv6CidrBlock"], "", "ModifyVSwitchAttribute: off when unused")
    net.do(VSwitchId=b, EnableIPv6=True, Ipv6CidrBlock=11)
    TAP.ok(net.show_vswitch(b)["Ipv6CidrBlock"].endswith("b::/64"), "ModifyVSwitchAttribute: on again with another index")
    net.do(VSwitchId=a, VSwitchName="n", Description="d")
    net.do(VSwitchId=a, Description="e")
    TAP.equal((net.show_vswitch(a)["VSwitchName"], net.show_vswitch(a)["Description"]), ("n", "e"),
              "ModifyVSwitchAttribute: what is not named stays")


def test_delete_vswitch(server):
    net = Table(server, "DeleteVSwitch")
    vpc = net.vpc6()
    vswitch = net.vswitch6(vpc, 1)
    i = net.run(vswitch)[0]
    net.row("with an instance", "DependencyViolation.NetworkInterface", {"VSwitchId": vswitch},
            ids=[net.primary_eni(i)], detail={"Count": 1})
    net.call("DeleteInstance", InstanceId=i, Force=True)
    enis = [net.eni(vswitch) for _ in range(10)]
    refusal = net.row("with ten interfaces", "DependencyViolation.NetworkInterface", {"VSwitchId": vswitch},
                      detail={"Count": 10})
    TAP.equal(sorted(refusal.detail["Ids"]), sorted(enis), "DeleteVSwitch: all ten are named")
    net.row("in use, before IfSeq", "DependencyViolation.NetworkInterface", {"VSwitchId": vswitch, "IfSeq": 0})
    for eni in enis:
        net.call("DeleteNetworkInterface", NetworkInterfaceId=eni)
    net.do(VSwitchId=vswitch)
    TAP.equal(net.show_vpc(vpc)["VSwitchIds"]["VSwitchId"], [], "DeleteVSwitch: the VPC no longer lists it")
    net.row("in one that is gone", "InvalidVSwitchId.NotFound", {"VSwitchId": vswitch, "InstanceType": SMALL},
            operation="RunInstances", ids=[vswitch])
    net.passes("its block and index are free again", {"VpcId": vpc, "ZoneId": ZONE, "CidrBlock": "10.0.0.0/24",
                                                     "Ipv6CidrBlock": 1}, operation="CreateVSwitch")


def test_check_can_allocate(server):
    net = Table(server, "CheckCanAllocateVpcPrivateIpAddress")
    vpc = net.vpc6()
    vswitch, plain = net.vswitch6(vpc, 1), net.vswitch(vpc, "10.0.1.0/24")
    block = net.show_vswitch(vswitch)["Ipv6CidrBlock"].split("/")[0]
    prefix = block[:-1]
    net.eni(vswitch, PrimaryIpAddress="10.0.0.9", Ipv6Address=[block + "9"])
    for address, version, can in (
            ("10.0.0.0", None, False), ("10.0.0.1", None, True), ("10.0.0.9", None, False), ("10.0.0.252", None, True),
            ("10.0.0.253", None, False), ("10.0.1.1", "ipv4", False), (block + "1", "ipv6", True),
            (block, "ipv6", False), (block + "9", "ipv6", False), (prefix + "ffff:ffff:ffff:fff6", "ipv6", True),
            (prefix + "ffff:ffff:ffff:fff7", "ipv6", False), ("2001:db9::1", "ipv6", False)):
        more = {"IpVersion": version} if version else {}
        TAP.equal(net.do(VSwitchId=vswitch, PrivateIpAddress=address, **more)["CanAllocate"], can,
                  f"CheckCanAllocateVpcPrivateIpAddress: {address}: {can}")
    TAP.equal(net.do(VSwitchId=plain, PrivateIpAddress=block + "1", IpVersion="ipv6")["CanAllocate"], False,
              "CheckCanAllocateVpcPrivateIpAddress: no IPv6 in the vSwitch")
    for params, code, parameter in (({"PrivateIpAddress": "x"}, "InvalidParameter", "PrivateIpAddress"),
                                    ({"PrivateIpAddress": "10.0.0.5", "IpVersion": "ipv5"}, "InvalidParameter",
                                     "IpVersion"),
                                    ({}, "MissingParameter", "PrivateIpAddress"),
                                    ({"VSwitchId": "vsw-x", "PrivateIpAddress": "10.0.0.5"},
                                     "InvalidVSwitchId.NotFound", None)):
        net.row(str(params), code, {"VSwitchId": vswitch, **params}, parameter=parameter)


def main():
    server = Server()
    run(server, test_create_vpc, test_delete_vpc, test_associate_cidr, test_modify_vpc, test_create_vswitch,
        test_modify_vswitch, test_delete_vswitch, test_check_can_allocate)
    server.remove()
    TAP.end()


main()
