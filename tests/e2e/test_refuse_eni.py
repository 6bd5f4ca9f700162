#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: network interfaces with private and IPv6 addresses.
Claimed: each refusal of their operations with its code, status and facts, at the limit and one past
it, and which of two wins; what each of them changes, and in whom."""
from ledger import BIG, SMALL, TINY, Refused, Server
from refusals import TAP, Table, run

IPV6_0, IPV6_6 = "ecs.n4.small", "ecs.g7.large"
OTHER = "cn-hangzhou-b"


def test_create(server):
    net = Table(server, "CreateNetworkInterface")
    vpc = net.vpc6()
    vswitch, plain = net.vswitch6(vpc, 1), net.vswitch(vpc, "10.0.1.0/24")
    block = net.show_vswitch(vswitch)["Ipv6CidrBlock"].split("/")[0]
    holder = net.do(VSwitchId=vswitch, PrimaryIpAddress="10.0.0.100", Ipv6Address=[block + "100"])
    good = {"VSwitchId": vswitch}
    row = lambda what, code, more, **facts: net.row(what, code, {**good, **more}, **facts)
    row("names and a number", "InvalidParameter.Conflict",
        {"PrivateIpAddress": ["10.0.0.9"], "SecondaryPrivateIpAddressCount": 1})
    row("IPv6 names and a number", "InvalidParameter.Conflict", {"Ipv6Address": [block + "9"], "Ipv6AddressCount": 1})
    row("names and a number, no such vSwitch", "InvalidVSwitchId.NotFound",
        {"VSwitchId": "vsw-x", "PrivateIpAddress": ["10.0.0.9"], "SecondaryPrivateIpAddressCount": 1})
    for member in ("Ipv4Prefix", "Ipv4PrefixCount", "Ipv6Prefix", "Ipv6PrefixCount"):
        row(member, "UnsupportedParameter", {member: 1}, parameter=member)
    for member, wrap in (("PrimaryIpAddress", lambda a: a), ("PrivateIpAddress", lambda a: [a])):
        row(f"{member} malformed", "InvalidPrivateIpAddress.Malformed", {member: wrap("x")}, parameter=member)
        for address in ("10.0.0.0", "10.0.0.253", "10.0.0.254", "10.0.0.255", "10.0.1.1", "9.9.9.9"):
            row(f"{member} {address}", "InvalidVSwitchId.IpInvalid", {member: wrap(address)}, ids=[vswitch],
                detail={"Address": address})
        row(f"{member} taken", "InvalidPrivateIpAddress.Duplicated", {member: wrap("10.0.0.100")}, status=400,
            ids=[holder["NetworkInterfaceId"]],
            detail={"Holder": holder["NetworkInterfaceId"], "SinceSeq": holder["Seq"], "SinceTime": holder["Time"]})
        for address in ("10.0.0.1", "10.0.0.252"):
            net.passes(f"{member} {address}", {**good, member: wrap(address)})
    row("one address twice", "InvalidIp.IpRepeated", {"PrivateIpAddress": ["10.0.0.9", "10.0.0.9"]})
    row("the primary one again", "InvalidIp.IpRepeated", {"PrimaryIpAddress": "10.0.0.9", "PrivateIpAddress": ["10.0.0.9"]})
    row("malformed before taken", "InvalidPrivateIpAddress.Malformed", {"PrivateIpAddress": ["10.0.0.100", "x"]})
    for address, code in (("x", "InvalidIp.Address"), ("10.0.0.1", "InvalidIp.Address"),
                          (block, "InvalidVSwitchId.IpInvalid"), ("2001:db9::1", "InvalidVSwitchId.IpInvalid"),
                          (block + "100", "InvalidPrivateIpAddress.Duplicated")):
        row(f"Ipv6Address {address}", code, {"Ipv6Address": [address]})
    row("one IPv6 twice", "InvalidIp.IpRepeated", {"Ipv6Address": [block + "9", block + "009"]})
    row("IPv6 is off", "InvalidVSwitch.Ipv6NotTurnOn", {"VSwitchId": plain, "Ipv6AddressCount": 1}, ids=[plain])
    row("IPv6 malformed before IPv6 off", "InvalidIp.Address", {"VSwitchId": plain, "Ipv6Address": ["x"]})
    row("IPv6 off before a taken address", "InvalidVSwitch.Ipv6NotTurnOn",
        {"VSwitchId": plain, "Ipv6AddressCount": 1, "PrimaryIpAddress": net.addresses(net.eni(plain))[0]})
    tight = net.vswitch(vpc, "10.0.2.0/29")
    row("five of four", "InvalidVSwitchId.IpNotEnough", {"VSwitchId": tight, "SecondaryPrivateIpAddressCount": 4},
        ids=[tight], detail={"Free": 4, "Requested": 5, "Total": 4, "Used": 0, "Reserved": 4, "Cooling": 0})
    row("room before IfSeq", "InvalidVSwitchId.IpNotEnough",
        {"VSwitchId": tight, "SecondaryPrivateIpAddressCount": 4, "IfSeq": 0})
    before = net.free(vswitch)
    made = net.do(VSwitchId=vswitch, SecondaryPrivateIpAddressCount=49, Ipv6AddressCount=10, NetworkInterfaceName="nic",
                  Description="d", DeleteOnRelease=False)
    shown = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=made["NetworkInterfaceId"])
    same = lambda of: (of["Status"], of["Type"], of["VpcId"], of["VSwitchId"], of["MacAddress"], of["PrivateIpAddress"],
                       [(a["PrivateIpAddress"], a["Primary"]) for a in of["PrivateIpSets"]["PrivateIpSet"]],
                       [a["Ipv6Address"] for a in of["Ipv6Sets"]["Ipv6Set"]], of["NetworkInterfaceName"])
    TAP.equal(same(made), same(shown), "CreateNetworkInterface: answers what is read afterwards")
    TAP.equal((len(net.addresses(made["NetworkInterfaceId"])), len(net.of_eni(made["NetworkInterfaceId"])),
               shown["DeleteOnRelease"], net.free(vswitch)), (50, 10, False, before - 50),
              "CreateNetworkInterface: 50 addresses and 10 IPv6 addresses")
    TAP.ok(all(a["Ipv6AddressId"].startswith("ipv6-") for a in made["Ipv6Sets"]["Ipv6Set"]),
           "CreateNetworkInterface: with the ids of the IPv6 addresses")


def test_attach(server):
    net = Table(server, "AttachNetworkInterface")
    vpc = net.vpc6()
    vswitch, far = net.vswitch6(vpc, 1), net.vswitch(vpc, "10.0.1.0/24", OTHER)
    foreign = net.vswitch(net.vpc())
    i, full, tiny, none = (net.run(vswitch)[0], net.run(vswitch, NetworkInterface=[{}])[0],
                           net.run(vswitch, InstanceType=TINY)[0], net.run(vswitch, InstanceType=IPV6_0)[0])
    eni, used = net.eni(vswitch), net.eni(vswitch)
    net.call("AttachNetworkInterface", InstanceId=net.run(vswitch)[0], NetworkInterfaceId=used)
    many, six, two = net.eni(vswitch, SecondaryPrivateIpAddressCount=6), net.eni(vswitch, Ipv6AddressCount=2), net.eni(far)

    def row(what, code, instance, nic, operation="AttachNetworkInterface", **facts):
        return net.row(what, code, {"InstanceId": instance, "NetworkInterfaceId": nic}, operation=operation, **facts)
    row("a primary one", "InvalidOperation.InvalidEniType", i, net.primary_eni(full), ids=[net.primary_eni(full)])
    row("one in use", "InvalidOperation.InvalidEniState", i, used, ids=[used],
        detail={"Id": used, "State": "InUse", "Allowed": ["Available"]})
    row("one in use, to a full instance", "InvalidOperation.InvalidEniState", full, used)
    row("of another VPC", "InvalidOperation.VpcMismatch", i, net.eni(foreign))
    row("of another zone", "InvalidOperation.AvailabilityZoneMismatch", i, two, ids=[two])
    row("of another zone, to a full instance", "InvalidOperation.AvailabilityZoneMismatch", full, two)
    row("a small type that runs", "InvalidOperation.HotPlugNotSupport", tiny, eni, ids=[tiny],
        detail={"State": "Running", "Allowed": ["Stopped"]})
    row("a small type that runs, too many addresses", "InvalidOperation.HotPlugNotSupport", tiny, many)
    row("a third on a type with two", "EniPerInstanceLimitExceeded", full, eni, ids=[full],
        detail={"Rule": "EniQuantity", "Limit": 2, "Count": 2, "Requested": 1})
    row("seven addresses on a type with six", "InvalidOperation.Ipv4CountExceeded", i, many,
        detail={"Rule": "EniPrivateIpAddressQuantity", "Limit": 6, "Count": 7})
    row("two IPv6 on a type with one", "InvalidOperation.Ipv6CountExceeded", i, six,
        detail={"Rule": "EniIpv6AddressQuantity", "Limit": 1, "Count": 2})
    row("IPv6 on a type without", "InvalidOperation.Ipv6NotSupport", none, six)
    net.call("StopInstance", InstanceId=i)
    row("too many while stopped as well", "InvalidOperation.Ipv4CountExceeded", i, many)
    row("limit before IfSeq", "EniPerInstanceLimitExceeded", full, eni)
    net.row("limit before IfSeq", "EniPerInstanceLimitExceeded", {"InstanceId": full, "NetworkInterfaceId": eni, "IfSeq": 0})
    net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=many, PrivateIpAddress=net.addresses(many)[6:])
    net.passes("six addresses on a type with six", {"InstanceId": i, "NetworkInterfaceId": many})
    eip = net.eip()["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=eip, InstanceId=many, InstanceType="NetworkInterface")
    before = (net.addresses(many), net.free(vswitch))
    net.do(InstanceId=i, NetworkInterfaceId=many)
    shown = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=many)
    TAP.equal((shown["Status"], shown["InstanceId"], net.addresses(many), net.free(vswitch),
               shown["AssociatedPublicIp"]["AllocationId"]), ("InUse", i, *before, eip),
              "AttachNetworkInterface: it keeps its addresses and its EIP")

    detach = "DetachNetworkInterface"
    row("a primary one", "InvalidOperation.DetachPrimaryEniNotAllowed", i, net.primary_eni(i), detach,
        ids=[net.primary_eni(i)])
    row("of another instance", "InvalidParameter.EniNotBelongEcs", full, many, detach, ids=[many])
    row("one that is attached to nothing", "InvalidOperation.InvalidEniState", i, eni, detach,
        detail={"State": "Available", "Allowed": ["InUse"]})
    net.call("StopInstance", InstanceId=tiny)
    net.do(InstanceId=tiny, NetworkInterfaceId=eni)
    net.call("StartInstance", InstanceId=tiny)
    row("from a small type that runs", "InvalidOperation.HotPlugNotSupport", tiny, eni, detach)
    net.call("StopInstance", InstanceId=tiny)
    net.call(detach, InstanceId=tiny, NetworkInterfaceId=eni)
    net.operation = "DeleteNetworkInterface"
    row2 = lambda what, code, nic, **facts: net.row(what, code, {"NetworkInterfaceId": nic}, **facts)
    row2("an attached one", "InvalidOperation.InvalidEniState", many, ids=[many], detail={"Allowed": ["Available"]})
    row2("a primary one", "InvalidOperation.InvalidEniType", net.primary_eni(i))
    net.call(detach, InstanceId=i, NetworkInterfaceId=many)
    shown = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=many)
    TAP.equal((shown["Status"], shown["InstanceId"], net.addresses(many), net.eip_state(eip)["Status"]),
              ("Available", "", before[0], "InUse"), "DetachNetworkInterface: it keeps its addresses and its EIP")
    event = net.call("GetEvent", Seq=net.do(NetworkInterfaceId=many)["Seq"])
    TAP.ok({many, eip, vswitch} <= set(event["Touches"]), "DeleteNetworkInterface: touches its EIP", event["Touches"])
    TAP.equal((net.free(vswitch), net.eip_state(eip)["Status"], net.eip_state(eip)["InstanceId"]),
              (before[1] + 6, "Available", ""), "DeleteNetworkInterface: its addresses are free, its EIP Available")


def test_modify(server):
    net = Table(server, "ModifyNetworkInterfaceAttribute")
    vswitch = net.vswitch(net.vpc())
    i, eni = net.run(vswitch)[0], net.eni(vswitch, NetworkInterfaceName="a", Description="b")
    primary = net.primary_eni(i)
    net.row("a primary one that stays", "InvalidParameter", {"NetworkInterfaceId": primary, "DeleteOnRelease": False},
            parameter="DeleteOnRelease")
    net.passes("a primary one that goes", {"NetworkInterfaceId": primary, "DeleteOnRelease": True})
    for member in ("PrivateIpAddress", "VSwitchId", "PrimaryIpAddress", "MacAddress"):
        net.row(member, "UnsupportedParameter", {"NetworkInterfaceId": eni, member: "x"}, parameter=member)
    net.do(NetworkInterfaceId=eni, DeleteOnRelease=False, NetworkInterfaceName="c")
    shown = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=eni)
    TAP.equal((shown["NetworkInterfaceName"], shown["Description"], shown["DeleteOnRelease"]), ("c", "b", False),
              "ModifyNetworkInterfaceAttribute: what is not named stays")


def test_filters(server):
    net = Table(server, "DescribeNetworkInterfaces")
    vpc = net.vpc6()
    vswitch, other = net.vswitch6(vpc, 1), net.vswitch(vpc, "10.0.1.0/24")
    i = net.run(vswitch, NetworkInterface=[{}])[0]
    loose = net.eni(other, PrivateIpAddress=["10.0.1.99"], NetworkInterfaceName="loose")
    primary = net.primary_eni(i)
    six = net.assign6(primary, Ipv6AddressCount=1)["Ipv6Sets"]["Ipv6Address"]
    second = [e["NetworkInterfaceId"] for e in net.do(InstanceId=i, Type="Secondary")["NetworkInterfaceSets"]
              ["NetworkInterfaceSet"]][0]
    for filters, wanted in (({}, [primary, second, loose]), ({"InstanceId": i}, [primary, second]), ({"InstanceId": "i-x"}, []),
                            ({"InstanceId": loose}, []), ({"VSwitchId": other}, [loose]), ({"VSwitchId": "vsw-x"}, []),
                            ({"Status": "Available"}, [loose]), ({"Status": "InUse"}, [primary, second]),
                            ({"Type": "Primary"}, [primary]), ({"Type": "Secondary"}, [second, loose]),
                            ({"PrimaryIpAddress": "10.0.0.1"}, [primary]), ({"PrimaryIpAddress": "10.0.1.99"}, []),
                            ({"PrivateIpAddress": ["10.0.1.99"]}, [loose]), ({"Ipv6Address": six}, [primary]),
                            ({"NetworkInterfaceName": "loose"}, [loose]), ({"NetworkInterfaceId": [second, "eni-x"]}, [second])):
        found = net.do(VpcId=vpc, **filters)["NetworkInterfaceSets"]["NetworkInterfaceSet"]
        TAP.equal(sorted(e["NetworkInterfaceId"] for e in found), sorted(wanted),
                  f"DescribeNetworkInterfaces: by {list(filters) or 'VpcId'}: {len(wanted)}")


def test_assign(server):
    net = Table(server, "AssignPrivateIpAddresses")
    vswitch = net.vswitch(net.vpc())
    i = net.run(vswitch)[0]
    eni, loose, holder = net.primary_eni(i), net.eni(vswitch), net.eni(vswitch, PrimaryIpAddress="10.0.0.100")
    row = lambda what, code, more, **facts: net.row(what, code, {"NetworkInterfaceId": eni, **more}, **facts)
    row("neither names nor a number", "MissingParameter", {}, status=403, parameter="PrivateIpAddress")
    row("no names", "MissingParameter", {"PrivateIpAddress": []}, status=403)
    row("neither, and another region", "MissingParameter", {"RegionId": "mars"}, status=403)
    row("names and a number", "InvalidParameter.Conflict",
        {"PrivateIpAddress": ["10.0.0.9"], "SecondaryPrivateIpAddressCount": 1})
    row("33 names", "InvalidParameter", {"PrivateIpAddress": [f"10.0.0.{n}" for n in range(101, 134)]},
        parameter="PrivateIpAddress")
    net.passes("32 names", {"NetworkInterfaceId": loose, "PrivateIpAddress": [f"10.0.0.{n}" for n in range(101, 133)]})
    for member in ("Ipv4Prefix", "Ipv4PrefixCount"):
        row(member, "UnsupportedParameter", {"SecondaryPrivateIpAddressCount": 1, member: 1}, parameter=member)
    for address, code in (("x", "InvalidPrivateIpAddress.Malformed"), ("10.0.0.0", "InvalidVSwitchId.IpInvalid"),
                          ("10.0.0.253", "InvalidVSwitchId.IpInvalid"), ("10.0.0.255", "InvalidVSwitchId.IpInvalid"),
                          ("10.0.1.1", "InvalidVSwitchId.IpInvalid")):
        row(address, code, {"PrivateIpAddress": [address]})
    row("a taken one", "InvalidIp.IpAssigned", {"PrivateIpAddress": ["10.0.0.9", "10.0.0.100"]}, ids=[holder],
        detail={"Address": "10.0.0.100", "Holder": holder})
    row("its own primary one", "InvalidIp.IpAssigned", {"PrivateIpAddress": net.addresses(eni)}, ids=[eni])
    row("one twice", "InvalidIp.IpRepeated", {"PrivateIpAddress": ["10.0.0.9", "10.0.0.9"]})
    row("six more on a type with six", "InvalidOperation.Ipv4CountExceeded", {"SecondaryPrivateIpAddressCount": 6},
        ids=[eni], detail={"Rule": "EniPrivateIpAddressQuantity", "Limit": 6, "Count": 1, "Requested": 6})
    row("too many before a taken one", "InvalidOperation.Ipv4CountExceeded",
        {"PrivateIpAddress": ["10.0.0.100"] + [f"10.0.0.{n}" for n in range(20, 25)]})
    row("malformed before too many", "InvalidPrivateIpAddress.Malformed",
        {"PrivateIpAddress": ["x"] + [f"10.0.0.{n}" for n in range(20, 25)]})
    row("a taken one before IfSeq", "InvalidIp.IpAssigned", {"PrivateIpAddress": ["10.0.0.100"], "IfSeq": 0})
    net.passes("five more", {"NetworkInterfaceId": eni, "SecondaryPrivateIpAddressCount": 5})
    net.passes("49 on an available one", {"NetworkInterfaceId": loose, "SecondaryPrivateIpAddressCount": 49})
    net.do(NetworkInterfaceId=loose, PrivateIpAddress=[f"10.0.0.{n}" for n in range(130, 150)])
    row("50 on an available one", "MaxEniPrivateIpsCountExceeded",
        {"NetworkInterfaceId": loose, "SecondaryPrivateIpAddressCount": 30}, ids=[loose],
        detail={"Limit": 50, "Count": 21, "Requested": 30})
    bound, eip = net.eni(vswitch), net.eip()["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=eip, InstanceId=bound, InstanceType="NetworkInterface", Mode="BINDED")
    row("beside a BINDED EIP", "Eni.HasSubIp", {"NetworkInterfaceId": bound, "SecondaryPrivateIpAddressCount": 1}, ids=[bound])
    row("beside a BINDED EIP, before a taken one", "Eni.HasSubIp",
        {"NetworkInterfaceId": bound, "PrivateIpAddress": ["10.0.0.100"]})
    tight = net.vswitch(net.vpc(), "10.0.0.0/29")
    small = net.eni(tight)
    row("four of three", "InvalidVSwitchId.IpNotEnough", {"NetworkInterfaceId": small, "SecondaryPrivateIpAddressCount": 4},
        ids=[tight], detail={"Free": 3, "Requested": 4, "Used": 1, "Total": 4})
    before = net.free(vswitch)
    made = net.do(NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.60", "10.0.0.59"])
    TAP.equal((made["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"], net.addresses(eni)[1:],
               net.free(vswitch)), (["10.0.0.60", "10.0.0.59"], ["10.0.0.60", "10.0.0.59"], before - 2),
              "AssignPrivateIpAddresses: in the order of the request")


def test_unassign(server):
    net = Table(server, "UnassignPrivateIpAddresses")
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    eni = net.eni(vswitch, PrivateIpAddress=[f"10.0.0.{n}" for n in (10, 11, 12)])
    eip = net.eip()["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=eip, InstanceId=eni, InstanceType="NetworkInterface",
             PrivateIpAddress="10.0.0.12")
    primary = net.addresses(eni)[0]
    row = lambda what, code, addresses, **facts: net.row(
        what, code, {"NetworkInterfaceId": eni, "PrivateIpAddress": addresses}, **facts)
    row("no names", "MissingParameter", [], status=403, parameter="PrivateIpAddress")
    row("33 names", "InvalidParameter", [f"10.0.0.{n}" for n in range(33)], parameter="PrivateIpAddress")
    row("a primary one", "OperationDenied.PrimaryPrivateIp", [primary], ids=[eni], detail={"Address": primary})
    row("a good one and a primary one", "OperationDenied.PrimaryPrivateIp", ["10.0.0.10", primary])
    row("one paired with an EIP", "DependencyViolation.Eip", ["10.0.0.12"], detail={"AllocationId": eip})
    row("a good one and one with an EIP", "DependencyViolation.Eip", ["10.0.0.10", "10.0.0.12"])
    row("one that is not on it", "InvalidIp.IpUnassigned", ["10.0.0.99"], ids=[eni])
    row("one outside the block", "InvalidIp.IpUnassigned", ["192.168.0.1"])
    row("one twice", "InvalidIp.IpRepeated", ["10.0.0.10", "10.0.0.10"])
    refusal = row("malformed", "InvalidPrivateIpAddress.Malformed", ["x"], status=403)
    TAP.ok(refusal, "UnassignPrivateIpAddresses: a malformed address is 403 here")
    row("not on it before IfSeq", "InvalidIp.IpUnassigned", ["10.0.0.99"])
    before = net.free(vswitch)
    net.do(NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.10", "10.0.0.11"])
    TAP.equal((net.addresses(eni), net.free(vswitch), net.call("LookupAddress", Address="10.0.0.11", VpcId=vpc)["Status"]),
              ([primary, "10.0.0.12"], before + 2, "Free"), "UnassignPrivateIpAddresses: two are free for anyone")
    net.passes("for another interface", {"NetworkInterfaceId": net.eni(vswitch), "PrivateIpAddress": ["10.0.0.11"]},
               operation="AssignPrivateIpAddresses")
    net.call("UnassociateEipAddress", AllocationId=eip)
    net.do(NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.12"])
    TAP.equal(net.addresses(eni), [primary], "UnassignPrivateIpAddresses: the third without its EIP")


def test_ipv6(server):
    net = Table(server, "AssignIpv6Addresses")
    vpc = net.vpc6()
    vswitch, plain = net.vswitch6(vpc, 1), net.eni(net.vswitch(vpc, "10.0.1.0/24"))
    block = net.show_vswitch(vswitch)["Ipv6CidrBlock"].split("/")[0]
    holder = net.eni(vswitch, Ipv6Address=[block + "100"])
    eni = net.eni(vswitch)
    six, none = (net.primary_eni(net.run(vswitch, InstanceType=t)[0]) for t in (IPV6_6, IPV6_0))
    row = lambda what, code, more, **facts: net.row(what, code, {"NetworkInterfaceId": eni, **more}, **facts)
    row("neither names nor a number", "MissingParameter", {}, status=403, parameter="Ipv6Address")
    row("names and a number", "InvalidParameter.Conflict", {"Ipv6Address": [block + "9"], "Ipv6AddressCount": 1})
    row("11 names", "InvalidParameter", {"Ipv6Address": [f"{block}{n}" for n in range(20, 31)]}, parameter="Ipv6Address")
    for member in ("Ipv6Prefix", "Ipv6PrefixCount"):
        row(member, "UnsupportedParameter", {"Ipv6AddressCount": 1, member: 1}, parameter=member)
    for address, code in (("x", "InvalidIp.Address"), ("10.0.0.9", "InvalidIp.Address"), (block + "1/64", "InvalidIp.Address"),
                          (block, "InvalidVSwitchId.IpInvalid"), (block[:-1] + "ffff:ffff:ffff:fff7", "InvalidVSwitchId.IpInvalid"),
                          ("2001:db9::1", "InvalidVSwitchId.IpInvalid")):
        row(address, code, {"Ipv6Address": [address]})
    row("a taken one", "InvalidIp.IpAssigned", {"Ipv6Address": [block + "9", block + "100"]}, ids=[holder],
        detail={"Holder": holder})
    row("one twice", "InvalidIp.IpRepeated", {"Ipv6Address": [block + "9", block + "09"]})
    row("IPv6 is off", "InvalidVSwitch.Ipv6NotTurnOn", {"NetworkInterfaceId": plain, "Ipv6AddressCount": 1})
    row("malformed before IPv6 off", "InvalidIp.Address", {"NetworkInterfaceId": plain, "Ipv6Address": ["x"]})
    row("a type without IPv6", "InvalidOperation.Ipv6NotSupport", {"NetworkInterfaceId": none, "Ipv6AddressCount": 1},
        detail={"Limit": 0, "Rule": "EniIpv6AddressQuantity"})
    row("seven on a type with six", "InvalidOperation.Ipv6CountExceeded", {"NetworkInterfaceId": six, "Ipv6AddressCount": 7},
        ids=[six], detail={"Limit": 6, "Count": 0, "Requested": 7})
    net.passes("six on a type with six", {"NetworkInterfaceId": six, "Ipv6AddressCount": 6})
    net.passes("ten on an available one", {"NetworkInterfaceId": eni, "Ipv6AddressCount": 10})
    net.do(NetworkInterfaceId=eni, Ipv6AddressCount=4)
    row("eleven on an available one", "MaxEniIpv6IpsCountExceeded", {"Ipv6AddressCount": 7}, ids=[eni],
        detail={"Limit": 10, "Count": 4, "Requested": 7})
    row("too many before a taken one", "MaxEniIpv6IpsCountExceeded",
        {"Ipv6Address": [block + "100"] + [f"{block}{n}" for n in range(20, 26)]})
    row("a taken one before IfSeq", "InvalidIp.IpAssigned", {"Ipv6Address": [block + "100"], "IfSeq": 0})

    net.operation = "UnassignIpv6Addresses"
    net.call("CreateIpv6Gateway", VpcId=vpc)
    own = net.ipv6(AssociatedInstanceId=eni)
    bandwidth = net.call("AllocateIpv6InternetBandwidth", Ipv6AddressId=own[0]["Ipv6AddressId"],
                         Bandwidth=1)["InternetBandwidthId"]
    for what, code, addresses, facts in (
            ("no names", "MissingParameter", [], {"status": 403, "parameter": "Ipv6Address"}),
            ("11 names", "InvalidParameter", [f"{block}{n}" for n in range(11)], {"parameter": "Ipv6Address"}),
            ("malformed", "InvalidIp.Address", ["x"], {}),
            ("one that is not on it", "InvalidIp.IpUnassigned", [block + "100"], {"ids": [eni]}),
            ("a good one and one that is not on it", "InvalidIp.IpUnassigned", [own[1]["Ipv6Address"], block + "100"], {}),
            ("one twice", "InvalidIp.IpRepeated", [own[1]["Ipv6Address"]] * 2, {})):
        row(what, code, {"Ipv6Address": addresses}, **facts)
    row("IPv6Prefix", "UnsupportedParameter", {"Ipv6Address": [own[0]["Ipv6Address"]], "Ipv6Prefix": ["x"]})
    done = net.do(NetworkInterfaceId=eni, Ipv6Address=[own[0]["Ipv6Address"]])
    event = net.call("GetEvent", Seq=done["Seq"])
    TAP.ok({eni, vswitch, own[0]["Ipv6AddressId"], bandwidth} <= set(event["Touches"]),
           "UnassignIpv6Addresses: its bandwidth goes with it", event["Touches"])
    TAP.equal(net.of_eni(eni), [a["Ipv6Address"] for a in own[1:]], "UnassignIpv6Addresses: the others stay")
    try:
        net.call("GetEntity", Id=bandwidth)
        TAP.ok(False, "UnassignIpv6Addresses: the bandwidth is gone")
    except Refused as refusal:
        TAP.equal(refusal.detail["DeletedSeq"], done["Seq"], "UnassignIpv6Addresses: the bandwidth is gone")


def test_by_name(server):
    """Addresses by name on types of each size, while attached: the limits are those of the type."""
    net = Table(server, "AssignPrivateIpAddresses")
    vswitch = net.vswitch(net.vpc(), "10.0.0.0/16")
    for kind, limit in ((SMALL, 6), (BIG, 30), ("ecs.g8i.48xlarge", 50)):
        i = net.run(vswitch, InstanceType=kind)[0]
        eni = net.eni(vswitch, SecondaryPrivateIpAddressCount=limit - 1)
        net.call("AttachNetworkInterface", InstanceId=i, NetworkInterfaceId=eni)
        net.row(f"one past {limit} of {kind}", "InvalidOperation.Ipv4CountExceeded",
                {"NetworkInterfaceId": eni, "PrivateIpAddress": ["10.0.200.9"]}, detail={"Limit": limit, "Count": limit})
        net.call("DetachNetworkInterface", InstanceId=i, NetworkInterfaceId=eni)
        code = "MaxEniPrivateIpsCountExceeded"
        if limit < 50:
            net.passes(f"one past {limit} while it is attached to nothing",
                       {"NetworkInterfaceId": eni, "PrivateIpAddress": ["10.0.200.9"]})
        else:
            net.row("one past 50 while it is attached to nothing", code,
                    {"NetworkInterfaceId": eni, "PrivateIpAddress": ["10.0.200.9"]})


def main():
    server = Server()
    run(server, test_create, test_attach, test_modify, test_filters, test_assign, test_unassign, test_ipv6, test_by_name)
    server.remove()
    TAP.end()


main()
