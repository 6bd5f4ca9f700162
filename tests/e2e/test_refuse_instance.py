#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: instances, launched, started, stopped, moved, deleted, with bandwidth and fixed public IPs.
Claimed: each refusal of their operations with its code, status and facts, at the limit and one past
it, and which of two wins; what each of them changes, and in whom."""
from ledger import BIG, SMALL, TINY, Server
from refusals import TAP, Table, run

IPV6_0, IPV6_6, IPV6_15 = "ecs.n4.small", "ecs.g7.large", "ecs.g7.xlarge"
OTHER = "cn-hangzhou-b"


def test_launch_values(server):
    """What is wrong with a launch by itself."""
    net = Table(server, "RunInstances")
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    good = {"VSwitchId": vswitch, "InstanceType": SMALL}
    row = lambda what, code, more, **facts: net.row(what, code, {**good, **more}, **facts)
    net.row("no vSwitch", "MissingParameter", {"InstanceType": SMALL}, parameter="VSwitchId")
    net.row("no vSwitch, and an unknown member", "MissingParameter", {"InstanceType": SMALL, "Moon": 1})
    net.row("no vSwitch, another region", "MissingParameter", {"InstanceType": SMALL, "RegionId": "mars"})
    net.row("an interface, but no vSwitch", "MissingParameter", {"InstanceType": SMALL, "NetworkInterface": [{}]},
            parameter="VSwitchId")
    row("a type that is none", "InvalidInstanceType.ValueNotSupported", {"InstanceType": "ecs.none"},
        parameter="InstanceType")
    row("PrePaid", "UnsupportedParameter", {"InstanceChargeType": "PrePaid"}, parameter="InstanceChargeType")
    for member in ("Period", "Ipv4Prefix", "Ipv6PrefixCount", "DeploymentSetId"):
        row(member, "UnsupportedParameter", {member: 1}, parameter=member)
    row("another zone that exists", "InvalidParameter.Mismatch", {"ZoneId": OTHER}, parameter="ZoneId")
    row("a zone that does not", "InvalidZoneId.NotFound", {"ZoneId": "mars"}, parameter="ZoneId")
    row("a zone that does not, before bandwidth", "InvalidZoneId.NotFound",
        {"ZoneId": "mars", "InternetMaxBandwidthOut": 101})
    row("bandwidth before another zone", "InvalidInternetMaxBandwidthOut.Malformed",
        {"ZoneId": OTHER, "InternetMaxBandwidthOut": 101})
    for out, member, code in ((101, "InternetMaxBandwidthOut", "InvalidInternetMaxBandwidthOut.Malformed"),
                              (-1, "InternetMaxBandwidthOut", "InvalidInternetMaxBandwidthOut.Malformed"),
                              (201, "InternetMaxBandwidthIn", "InvalidInternetMaxBandwidthIn.Malformed"),
                              (-1, "InternetMaxBandwidthIn", "InvalidInternetMaxBandwidthIn.Malformed")):
        row(f"{member}={out}", code, {member: out}, parameter=member)
    for out in (0, 1, 100):
        net.passes(f"InternetMaxBandwidthOut={out}", {**good, "InternetMaxBandwidthOut": out})
    row("MinAmount above Amount", "InvalidParameter", {"Amount": 2, "MinAmount": 3}, parameter="MinAmount")
    net.passes("MinAmount equal to Amount", {**good, "Amount": 2, "MinAmount": 2})
    TAP.equal(len(net.run(vswitch, Amount=100)), 100, "RunInstances: 100 at once")


def test_launch_interfaces(server):
    """NetworkInterface.N."""
    net = Table(server, "RunInstances")
    vpc = net.vpc6()
    vswitch, far = net.vswitch6(vpc, 1), net.vswitch(vpc, "10.0.1.0/24", OTHER)
    near, foreign = net.vswitch(vpc, "10.0.2.0/24"), net.vswitch(net.vpc())
    loose, used = net.eni(vswitch), net.eni(vswitch)
    net.call("AttachNetworkInterface", InstanceId=net.run(vswitch)[0], NetworkInterfaceId=used)
    good = {"VSwitchId": vswitch, "InstanceType": BIG}

    def row(what, code, nics, more=None, **facts):
        return net.row(what, code, {**good, "NetworkInterface": nics, **(more or {})}, **facts)
    row("two primary ones", "InvalidParam.NetworkInterface", [{"InstanceType": "Primary"}] * 2)
    row("another type of interface", "InvalidParameter", [{}, {"InstanceType": "Trunk"}],
        parameter="NetworkInterface[2].InstanceType")
    primary = {"InstanceType": "Primary", "VSwitchId": vswitch}
    row("the primary one described twice", "InvalidParameter.Conflict", [primary])
    for member, value in (("PrivateIpAddress", "10.0.0.9"), ("Ipv6AddressCount", 1), ("Ipv6Address", ["2001:db8::9"])):
        net.row(f"the primary one described twice, by {member}", "InvalidParameter.Conflict",
                {"InstanceType": BIG, "NetworkInterface": [primary], member: value})
    net.passes("the primary one by NetworkInterface",
               {"InstanceType": BIG, "NetworkInterface": [{**primary, "PrimaryIpAddress": "10.0.0.9"}]})
    net.row("a primary one that exists", "InvalidParameter",
            {"InstanceType": BIG, "NetworkInterface": [{**primary, "NetworkInterfaceId": loose}]})
    net.row("a primary one that stays", "InvalidParameter",
            {"InstanceType": BIG, "NetworkInterface": [{**primary, "DeleteOnRelease": False}]})
    net.row("one primary address for two", "InvalidPrimaryIpAddress.SizeInvalid",
            {"InstanceType": BIG, "Amount": 2, "NetworkInterface": [{**primary, "PrimaryIpAddress": "10.0.0.9"}]})
    row("consecutive addresses and a secondary interface", "InvalidParam.SecondaryNetworkInterface", [{}],
        {"Amount": 2, "PrivateIpAddress": "10.0.0.9"})
    row("an existing one for two", "InvalidParam.SecondaryNetworkInterface", [{"NetworkInterfaceId": loose}], {"Amount": 2})
    row("a named address for two", "InvalidParam.SecondaryNetworkInterface", [{"PrimaryIpAddress": "10.0.0.9"}],
        {"Amount": 2})
    row("IPv6 on a secondary one", "InvalidParam.NetworkInterface", [{"Ipv6AddressCount": 1}])
    row("one that does not exist", "InvalidEniId.NotFound", [{"NetworkInterfaceId": "eni-x"}], ids=["eni-x"])
    row("one in use", "InvalidOperation.InvalidEniState", [{"NetworkInterfaceId": used}], ids=[used],
        detail={"State": "InUse", "Allowed": ["Available"]})
    row("bandwidth before one in use", "InvalidInternetMaxBandwidthOut.Malformed", [{"NetworkInterfaceId": used}],
        {"InternetMaxBandwidthOut": 101})
    row("one that does not exist before bandwidth", "InvalidEniId.NotFound", [{"NetworkInterfaceId": "eni-x"}],
        {"InternetMaxBandwidthOut": 101})
    row("one twice", "InvalidParam.NetworkInterface", [{"NetworkInterfaceId": loose}] * 2)
    row("one of another zone", "InvalidOperation.AvailabilityZoneMismatch", [{"NetworkInterfaceId": net.eni(far)}])
    row("one of another VPC", "InvalidOperation.VpcMismatch", [{"NetworkInterfaceId": net.eni(foreign)}])
    row("a vSwitch that does not exist", "InvalidVSwitchId.NotFound", [{"VSwitchId": "vsw-x"}], ids=["vsw-x"])
    row("a vSwitch of another zone", "InvalidOperation.AvailabilityZoneMismatch", [{"VSwitchId": far}], ids=[far])
    row("a vSwitch of another VPC", "InvalidOperation.VpcMismatch", [{"VSwitchId": foreign}], ids=[foreign])
    row("another zone before too many", "InvalidOperation.AvailabilityZoneMismatch", [{"VSwitchId": far}] * 8)
    for member in ("Ipv4PrefixCount", "QueueNumber", "PrivateIpAddress"):
        row(member, "UnsupportedParameter", [{member: 1}], parameter=f"NetworkInterface[1].{member}")
    row("eight beside the primary one", "EniPerInstanceLimitExceeded", [{}] * 8,
        detail={"Rule": "EniQuantity", "Limit": 8, "Requested": 9})
    net.passes("seven beside the primary one", {**good, "NetworkInterface": [{}] * 7})
    row("30 secondary addresses", "InvalidOperation.Ipv4CountExceeded", [{"SecondaryPrivateIpAddressCount": 30}],
        detail={"Rule": "EniPrivateIpAddressQuantity", "Limit": 30, "Requested": 31})
    net.passes("29 secondary addresses", {**good, "NetworkInterface": [{"SecondaryPrivateIpAddressCount": 29}]})
    row("50 secondary addresses", "InvalidParameter", [{"SecondaryPrivateIpAddressCount": 50}],
        parameter="NetworkInterface[1].SecondaryPrivateIpAddressCount")
    row("too many before a taken address", "InvalidOperation.Ipv4CountExceeded",
        [{"SecondaryPrivateIpAddressCount": 30, "PrimaryIpAddress": net.addresses(used)[0]}])
    net.row("a small type with two", "EniPerInstanceLimitExceeded",
            {"VSwitchId": vswitch, "InstanceType": TINY, "NetworkInterface": [{}]})
    for more in ({"PrimaryIpAddress": "10.0.1.77"}, {"SecondaryPrivateIpAddressCount": 1}, {"VSwitchId": near}):
        row(f"an existing one with {list(more)[0]}", "InvalidParameter.Conflict",
            [{"NetworkInterfaceId": loose, **more}])
    full = net.eni(vswitch, SecondaryPrivateIpAddressCount=6)
    net.row("an existing one with too many addresses", "InvalidOperation.Ipv4CountExceeded",
            {"VSwitchId": vswitch, "InstanceType": SMALL, "NetworkInterface": [{"NetworkInterfaceId": full}]})
    six = net.eni(vswitch, Ipv6AddressCount=2)
    net.row("an existing one with too many IPv6 addresses", "InvalidOperation.Ipv6CountExceeded",
            {"VSwitchId": vswitch, "InstanceType": SMALL, "NetworkInterface": [{"NetworkInterfaceId": six}]})

    i = net.run(vswitch, InstanceType=BIG, NetworkInterface=[
        {"VSwitchId": near, "PrimaryIpAddress": "10.0.2.9", "SecondaryPrivateIpAddressCount": 2,
         "DeleteOnRelease": False, "NetworkInterfaceName": "second"}, {"NetworkInterfaceId": loose}])[0]
    shown = net.call("DescribeNetworkInterfaces", InstanceId=i)["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    got = [(e["Type"], e["VSwitchId"], len(e["PrivateIpSets"]["PrivateIpSet"]), e["Status"]) for e in shown]
    TAP.equal(sorted(got), sorted([("Primary", vswitch, 1, "InUse"), ("Secondary", near, 3, "InUse"),
                                   ("Secondary", vswitch, 1, "InUse")]), "RunInstances: three interfaces as described")
    made = [e for e in shown if e["VSwitchId"] == near][0]
    TAP.equal((made["PrivateIpAddress"], made["DeleteOnRelease"], made["NetworkInterfaceName"]), ("10.0.2.9", False, "second"),
              "RunInstances: the second interface as described")


def test_launch_addresses(server):
    net = Table(server, "RunInstances")
    vpc = net.vpc6()
    vswitch, plain = net.vswitch6(vpc, 1), net.vswitch(vpc, "10.0.1.0/24")
    block = net.show_vswitch(vswitch)["Ipv6CidrBlock"].split("/")[0]
    holder = net.eni(vswitch, PrimaryIpAddress="10.0.0.100", Ipv6Address=[block + "100"])
    good = {"VSwitchId": vswitch, "InstanceType": IPV6_6}
    row = lambda what, code, more, **facts: net.row(what, code, {**good, **more}, **facts)
    taken = net.call("LookupAddress", Address="10.0.0.100", VpcId=vpc)["Holdings"][0]
    for address, code in (("ten", "InvalidPrivateIpAddress.Malformed"), ("10.0.0.256", "InvalidPrivateIpAddress.Malformed"),
                          ("10.0.0.1/32", "InvalidPrivateIpAddress.Malformed"), ("10.0.1.1", "InvalidPrivateIpAddress"),
                          ("9.255.255.255", "InvalidPrivateIpAddress"), ("10.0.0.0", "InvalidPrivateIpAddress"),
                          ("10.0.0.253", "InvalidPrivateIpAddress"), ("10.0.0.254", "InvalidPrivateIpAddress"),
                          ("10.0.0.255", "InvalidPrivateIpAddress")):
        row(f"at {address}", code, {"PrivateIpAddress": address}, status=400)
    row("a malformed address before too many", "InvalidPrivateIpAddress.Malformed",
        {"PrivateIpAddress": "ten", "Ipv6AddressCount": 7})
    row("a malformed one of an interface", "InvalidPrivateIpAddress.Malformed",
        {"NetworkInterface": [{"PrimaryIpAddress": "ten"}]}, parameter="PrimaryIpAddress")
    for address in ("10.0.0.1", "10.0.0.252"):
        net.passes(f"at {address}", {**good, "PrivateIpAddress": address})
    row("a taken address", "InvalidPrivateIpAddress.Duplicated", {"PrivateIpAddress": "10.0.0.100"}, ids=[holder],
        detail={"Address": "10.0.0.100", "Holder": holder, "SinceSeq": taken["SinceSeq"], "SinceTime": taken["SinceTime"]})
    row("taken before IfSeq", "InvalidPrivateIpAddress.Duplicated", {"PrivateIpAddress": "10.0.0.100", "IfSeq": 0})
    row("three from before a taken one", "InvalidPrivateIpAddress.Duplicated", {"PrivateIpAddress": "10.0.0.98", "Amount": 3})
    net.passes("two from before a taken one", {**good, "PrivateIpAddress": "10.0.0.98", "Amount": 2})
    row("past the end of the block", "InvalidPrivateIpAddress", {"PrivateIpAddress": "10.0.0.251", "Amount": 3})
    net.passes("to the end of the block", {**good, "PrivateIpAddress": "10.0.0.251", "Amount": 2})
    row("both IPv6 members", "InvalidParameter.Conflict", {"Ipv6AddressCount": 1, "Ipv6Address": [block + "9"]})
    row("IPv6 by name for two", "InvalidParameter", {"Ipv6Address": [block + "9"], "Amount": 2}, parameter="Ipv6Address")
    row("ranges before IPv6 that is off", "InvalidInternetMaxBandwidthOut.Malformed",
        {"VSwitchId": plain, "Ipv6AddressCount": 1, "InternetMaxBandwidthOut": 101})
    row("IPv6 is off", "InvalidVSwitch.Ipv6NotTurnOn", {"VSwitchId": plain, "Ipv6AddressCount": 1}, ids=[plain])
    row("IPv6 is off before too many", "InvalidVSwitch.Ipv6NotTurnOn", {"VSwitchId": plain, "Ipv6AddressCount": 7})
    row("no IPv6 on the type", "InvalidOperation.Ipv6NotSupport", {"InstanceType": IPV6_0, "Ipv6AddressCount": 1},
        detail={"Limit": 0})
    row("a 7th IPv6", "InvalidOperation.Ipv6CountExceeded", {"Ipv6AddressCount": 7},
        detail={"Rule": "EniIpv6AddressQuantity", "Limit": 6, "Requested": 7})
    net.passes("a 6th IPv6", {**good, "Ipv6AddressCount": 6})
    row("11 IPv6", "InvalidParameter", {"InstanceType": IPV6_15, "Ipv6Address": [f"{block}{n}" for n in range(1, 12)]},
        parameter="Ipv6Address")
    for address, code in (("x", "InvalidIp.Address"), ("10.0.0.5", "InvalidIp.Address"), (block, "InvalidPrivateIpAddress"),
                          (block[:-1] + "ffff:ffff:ffff:fff7", "InvalidPrivateIpAddress"),
                          ("2001:db9::1", "InvalidPrivateIpAddress"),
                          (block + "100", "InvalidPrivateIpAddress.Duplicated")):
        row(f"IPv6 at {address}", code, {"Ipv6Address": [address]})
    row("one IPv6 twice", "InvalidIp.IpRepeated", {"Ipv6Address": [block + "9", block + "0:9"]})
    tight = net.vswitch(vpc, "10.0.2.0/29")
    row("five of four", "InvalidVSwitchId.IpNotEnough", {"VSwitchId": tight, "Amount": 5}, ids=[tight],
        detail={"Free": 4, "Requested": 5, "Total": 4, "Used": 0, "Reserved": 4, "Cooling": 0})
    net.passes("four of four", {**good, "VSwitchId": tight, "Amount": 4})
    row("limits before room", "InvalidOperation.Ipv4CountExceeded",
        {"VSwitchId": tight, "Amount": 5, "NetworkInterface": [{"SecondaryPrivateIpAddressCount": 6}]})
    TAP.equal(len(net.run(tight, Amount=9, MinAmount=4)), 4, "RunInstances: with MinAmount as many as fit")
    row("less than MinAmount fit", "InvalidVSwitchId.IpNotEnough", {"VSwitchId": tight, "Amount": 2, "MinAmount": 1})
    before = net.free(vswitch)
    two = net.run(vswitch, InstanceType=IPV6_6, Amount=2, Ipv6AddressCount=3, InternetMaxBandwidthOut=11,
                  InternetChargeType="PayByBandwidth", InstanceName="w")
    shown = net.instance(two[1])
    TAP.equal((net.free(vswitch), len(net.of_eni(net.primary_eni(two[1]))), len(net.public(two[1])),
               shown["InternetMaxBandwidthIn"], shown["InternetChargeType"], shown["Status"]),
              (before - 2, 3, 1, 11, "PayByBandwidth", "Running"), "RunInstances: addresses of each kind")


def test_states(server):
    net = Table(server)
    vswitch = net.vswitch(net.vpc())
    i = net.run(vswitch, InternetMaxBandwidthOut=1)[0]
    state = lambda now, wanted: {"Id": i, "State": now, "Allowed": [wanted]}
    for operation, now, wanted in (("StartInstance", "Running", "Stopped"), ("DeleteInstance", "Running", "Stopped")):
        net.row(f"while {now}", "IncorrectInstanceStatus", {"InstanceId": i}, operation=operation, ids=[i],
                detail=state(now, wanted))
        net.row("state before IfSeq", "IncorrectInstanceStatus", {"InstanceId": i, "IfSeq": 0}, operation=operation)
    net.row("a change of address while Running", "IncorrectInstanceStatus", {"InstanceId": i, "VSwitchId": vswitch},
            operation="ModifyInstanceVpcAttribute", status=400, ids=[i], detail=state("Running", "Stopped"))
    net.call("StopInstance", InstanceId=i)
    for operation in ("StopInstance", "RebootInstance"):
        net.row("while Stopped", "IncorrectInstanceStatus", {"InstanceId": i}, operation=operation, ids=[i],
                detail=state("Stopped", "Running"))
    for operation in ("StartInstance", "DeleteInstance", "ConvertNatPublicIpToEip", "AllocatePublicIpAddress",
                      "ModifyInstanceNetworkSpec"):
        net.passes("while Stopped", {"InstanceId": i}, operation=operation)
    net.call("StartInstance", InstanceId=i)
    for operation in ("StopInstance", "RebootInstance", "ConvertNatPublicIpToEip", "AllocatePublicIpAddress",
                      "ModifyInstanceNetworkSpec"):
        net.passes("while Running", {"InstanceId": i}, operation=operation)
    net.passes("while Running, by force", {"InstanceId": i, "Force": True}, operation="DeleteInstance")
    for word in ("running", "Nothing"):
        net.row(f"Status={word}", "InvalidStatus.NotFound", {"Status": word}, operation="DescribeInstances",
                parameter="Status")
    for word, count in (("Running", 1), ("Stopped", 0), ("Pending", 0)):
        found = net.call("DescribeInstances", Status=word, InstanceIds=[i])["Instances"]["Instance"]
        TAP.equal(len(found), count, f"DescribeInstances: Status={word}: {count}")
    net.call("StopInstance", InstanceId=i, StoppedMode="StopCharging")
    TAP.equal((net.instance(i)["StoppedMode"], net.public(i)), ("StopCharging", []), "StopInstance: StopCharging")
    net.call("StartInstance", InstanceId=i)
    TAP.equal((net.instance(i)["StoppedMode"], len(net.public(i))), ("Not-applicable", 1), "StartInstance: its address again")


def test_delete_instance(server):
    """What goes with an instance and what stays."""
    net = Table(server, "DeleteInstance")
    vpc = net.vpc6()
    vswitch = net.vswitch6(vpc, 1)
    net.call("CreateIpv6Gateway", VpcId=vpc)
    before = net.free(vswitch)
    i = net.run(vswitch, InstanceType=IPV6_6, Ipv6AddressCount=1,
                NetworkInterface=[{}, {"DeleteOnRelease": False, "SecondaryPrivateIpAddressCount": 1}])[0]
    enis = net.call("DescribeNetworkInterfaces", InstanceId=i)["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    primary = [e for e in enis if e["Type"] == "Primary"][0]["NetworkInterfaceId"]
    gone = [e for e in enis if e["Type"] == "Secondary" and e["DeleteOnRelease"]][0]["NetworkInterfaceId"]
    kept = [e for e in enis if not e["DeleteOnRelease"]][0]["NetworkInterfaceId"]
    six = net.assign6(kept, Ipv6AddressCount=1)["Ipv6Sets"]["Ipv6Address"]
    own = net.ipv6(AssociatedInstanceId=i)[0]["Ipv6AddressId"]
    bandwidth = net.call("AllocateIpv6InternetBandwidth", Ipv6AddressId=own, Bandwidth=1)["InternetBandwidthId"]
    eips = [net.eip()["AllocationId"] for _ in range(3)]
    net.call("AssociateEipAddress", AllocationId=eips[0], InstanceId=i)
    for eip, eni in zip(eips[1:], (gone, kept)):
        net.call("AssociateEipAddress", AllocationId=eip, InstanceId=eni, InstanceType="NetworkInterface")
    event = net.call("GetEvent", Seq=net.do(InstanceId=i, Force=True)["Seq"])
    TAP.ok({i, primary, gone, kept, vswitch, own, bandwidth, *eips[:2]} <= set(event["Touches"]),
           "DeleteInstance: the event touches all that changed", event["Touches"])
    for entity in (i, primary, gone, own, bandwidth):
        net.row(f"{entity.split('-')[0]} is gone", "NotFound", {"Id": entity}, operation="GetEntity",
                detail={"DeletedSeq": event["Seq"]})
    shown = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=kept)
    TAP.equal((shown["Status"], shown["InstanceId"], len(shown["PrivateIpSets"]["PrivateIpSet"]), net.of_eni(kept),
               shown["AssociatedPublicIp"]["AllocationId"]), ("Available", "", 2, six, eips[2]),
              "DeleteInstance: an interface that stays keeps its addresses and its EIP")
    TAP.equal([net.eip_state(e)["Status"] for e in eips], ["Available", "Available", "InUse"],
              "DeleteInstance: EIPs of what is gone are Available")
    TAP.equal(net.free(vswitch), before - 2, "DeleteInstance: the other addresses are free")
    net.call("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=kept, DeleteOnRelease=True)
    j = net.run(vswitch, InstanceType=IPV6_6, NetworkInterface=[{"NetworkInterfaceId": kept}])[0]
    net.do(InstanceId=j, Force=True)
    net.row("DeleteOnRelease was set again", "InvalidEniId.NotFound", {"NetworkInterfaceId": kept},
            operation="DescribeNetworkInterfaceAttribute")
    TAP.equal((net.free(vswitch), net.eip_state(eips[2])["Status"]), (before, "Available"),
              "DeleteInstance: then all is given back")


def test_change_address(server):
    net = Table(server, "ModifyInstanceVpcAttribute")
    vpc = net.vpc6()
    first, second = net.vswitch6(vpc, 1), net.vswitch6(vpc, 2, "10.0.1.0/24")
    far, foreign = net.vswitch(vpc, "10.0.2.0/24", OTHER), net.vswitch(net.vpc())
    i, neighbour = net.run(first, InstanceType=IPV6_6, Amount=2)
    eip = net.eip()["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=eip, InstanceId=i)
    net.call("StopInstance", InstanceId=i)
    row = lambda what, code, more, **facts: net.row(what, code, {"InstanceId": i, "VSwitchId": first, **more}, **facts)
    for member in ("VpcId", "SecurityGroupId"):
        row(member, "UnsupportedParameter", {member: "x"}, parameter=member)
    row("another zone", "InvalidVSwitchId.Mismatch", {"VSwitchId": far}, ids=[far])
    row("another VPC", "InvalidVSwitchId.Mismatch", {"VSwitchId": foreign}, ids=[foreign])
    for address, code in (("x", "InvalidPrivateIpAddress.Malformed"), ("10.0.1.9", "InvalidPrivateIpAddress.Mismatch"),
                          ("10.0.0.0", "InvalidPrivateIpAddress"), ("10.0.0.253", "InvalidPrivateIpAddress"),
                          (net.primary_ip(i), "InvalidPrivateIpAddress.Duplicated"),
                          (net.primary_ip(neighbour), "InvalidPrivateIpAddress.Duplicated")):
        row(f"to {address}", code, {"PrivateIpAddress": address}, status=400)
    row("a malformed address before another zone", "InvalidPrivateIpAddress.Malformed",
        {"VSwitchId": far, "PrivateIpAddress": "x"})
    row("another zone before a taken address", "InvalidVSwitchId.Mismatch",
        {"VSwitchId": far, "PrivateIpAddress": net.primary_ip(neighbour)})
    row("a taken address before IfSeq", "InvalidPrivateIpAddress.Duplicated",
        {"PrivateIpAddress": net.primary_ip(neighbour), "IfSeq": 0})
    eni = net.primary_eni(i)
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.200"])
    row("with a secondary address", "PrimaryEniHasSubIp", {}, ids=[i])
    row("with a secondary address, before a taken one", "PrimaryEniHasSubIp", {"PrivateIpAddress": net.primary_ip(neighbour)})
    net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.200"])
    net.assign6(eni, Ipv6AddressCount=1)
    row("to another vSwitch with IPv6", "InvalidIp.Ipv6Assigned", {"VSwitchId": second})
    old, free = net.primary_ip(i), net.free(first)
    event = net.call("GetEvent", Seq=net.do(InstanceId=i, VSwitchId=first, PrivateIpAddress="10.0.0.77")["Seq"])
    TAP.ok({i, eni, eip, first} <= set(event["Touches"]), "ModifyInstanceVpcAttribute: touches whom it moves",
           event["Touches"])
    TAP.equal((net.primary_ip(i), net.free(first), net.eip_state(eip)["PrivateIpAddress"],
               net.call("LookupAddress", Address=old, VpcId=vpc)["Status"]), ("10.0.0.77", free, "10.0.0.77", "Free"),
              "ModifyInstanceVpcAttribute: the address, its EIP and the counts follow")
    row("a second one in this stop", "InvalidPrivateIp.Changing", {}, ids=[i])
    row("a second one, before another zone", "InvalidPrivateIp.Changing", {"VSwitchId": far})
    net.call("UnassignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address=net.of_eni(eni))
    net.call("StartInstance", InstanceId=i)
    net.call("StopInstance", InstanceId=i)
    net.do(InstanceId=i, VSwitchId=second)
    shown = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=eni)
    TAP.equal((shown["VSwitchId"], shown["PrivateIpAddress"], net.instance(i)["VpcAttributes"]["VSwitchId"]),
              (second, "10.0.1.1", second), "ModifyInstanceVpcAttribute: to another vSwitch, a picked address")
    tight = net.vswitch(vpc, "10.0.3.0/29")
    net.run(tight, Amount=4)
    net.call("StartInstance", InstanceId=i)
    net.call("StopInstance", InstanceId=i)
    row("to a full vSwitch", "InvalidVSwitchId.IpNotEnough", {"VSwitchId": tight}, ids=[tight], detail={"Free": 0})


def test_bandwidth(server):
    net = Table(server, "ModifyInstanceNetworkSpec")
    vswitch = net.vswitch(net.vpc())
    i, bound = net.run(vswitch, Amount=2)
    eip = net.eip()["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=eip, InstanceId=bound)
    for value, member, code in ((101, "InternetMaxBandwidthOut", "InvalidInternetMaxBandwidthOut.ValueNotSupported"),
                                (-1, "InternetMaxBandwidthOut", "InvalidInternetMaxBandwidthOut.ValueNotSupported"),
                                (201, "InternetMaxBandwidthIn", "InvalidInternetMaxBandwidthIn.ValueNotSupported"),
                                (-1, "InternetMaxBandwidthIn", "InvalidInternetMaxBandwidthIn.ValueNotSupported")):
        net.row(f"{member}={value}", code, {"InstanceId": i, member: value}, parameter=member)
        net.row(f"{member}={value} of an instance that is none", "InvalidInstanceId.NotFound",
                {"InstanceId": "i-x", member: value})
        net.row(f"{member}={value} beside an EIP", code, {"InstanceId": bound, member: value})
    net.row("beside an EIP", "BandwidthUpgradeDenied.EipBoundInstance", {"InstanceId": bound, "InternetMaxBandwidthOut": 1},
            ids=[eip])
    for member in ("StartTime", "EndTime", "AutoPay"):
        net.row(member, "UnsupportedParameter", {"InstanceId": i, member: "x"}, parameter=member)
    seen = []
    for out in (1, 10, 11, 100, 0, 5):
        net.do(InstanceId=i, InternetMaxBandwidthOut=out)
        seen.append((net.instance(i)["InternetMaxBandwidthIn"], len(net.public(i))))
    TAP.equal(seen, [(10, 1), (10, 1), (11, 1), (100, 1), (10, 0), (10, 1)],
              "ModifyInstanceNetworkSpec: an address from 0 up, none at 0; inbound follows")
    address = net.public(i)
    net.do(InstanceId=i, NetworkChargeType="PayByBandwidth")
    TAP.equal((net.instance(i)["InternetChargeType"], net.public(i), net.instance(i)["InternetMaxBandwidthOut"]),
              ("PayByBandwidth", address, 5), "ModifyInstanceNetworkSpec: the charge type alone")
    head = net.head()
    net.do(InstanceId=i, InternetMaxBandwidthOut=5)
    TAP.equal((net.head(), net.public(i)), (head + 1, address), "ModifyInstanceNetworkSpec: the same again is an event")


def test_public_ip(server):
    net = Table(server, "AllocatePublicIpAddress")
    vswitch = net.vswitch(net.vpc())
    i, bound = net.run(vswitch, Amount=2)
    eip = net.eip()["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=eip, InstanceId=bound)
    net.row("bandwidth 0", "InvalidInternetMaxBandwidthOut.ValueNotSupported", {"InstanceId": i}, ids=[i])
    net.row("an EIP, looked at before bandwidth 0", "EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP", {"InstanceId": bound}, ids=[eip])
    net.row("IpAddress", "UnsupportedParameter", {"InstanceId": i, "IpAddress": "198.18.0.9"}, parameter="IpAddress")
    made = net.call("CreateInstance", VSwitchId=vswitch, InstanceType=SMALL, InternetMaxBandwidthOut=7)["InstanceId"]
    net.call("StopInstance", InstanceId=net.run(vswitch)[0], StoppedMode="StopCharging")
    net.call("StartInstance", InstanceId=made)
    net.call("StopInstance", InstanceId=made, StoppedMode="StopCharging")
    net.call("StartInstance", InstanceId=made)
    TAP.equal(net.public(made), [], "StartInstance: bandwidth alone brings no address")
    given = net.do(InstanceId=made)
    head = net.head()
    again = net.do(InstanceId=made)
    TAP.equal((again["IpAddress"], again["Seq"], again["Time"], net.head()),
              (given["IpAddress"], given["Seq"], given["Time"], head), "AllocatePublicIpAddress: there is one, no event")
    net.row("there is one, a dry run", "DryRunOperation", {"InstanceId": made, "DryRun": True})

    net.operation = "ConvertNatPublicIpToEip"
    net.row("no fixed public IP, bandwidth 0", "InvalidInstance.IpAddressMissing", {"InstanceId": i}, ids=[i])
    loose = net.call("CreateInstance", VSwitchId=vswitch, InstanceType=SMALL, InternetMaxBandwidthOut=7)["InstanceId"]
    net.row("no fixed public IP, with bandwidth", "InvalidInstance.IpAddressMissing", {"InstanceId": loose}, ids=[loose])
    net.row("no fixed public IP, an EIP", "InvalidInstance.IpAddressMissing", {"InstanceId": bound})
    net.row("no fixed public IP, before IfSeq", "InvalidInstance.IpAddressMissing", {"InstanceId": i, "IfSeq": 0})
    converted = net.do(InstanceId=made)
    shown, of = net.eip_state(converted["AllocationId"]), net.instance(made)
    TAP.equal((converted["EipAddress"], shown["IpAddress"], shown["Status"], shown["InstanceType"], shown["InstanceId"],
               shown["Mode"], shown["Bandwidth"], shown["InternetChargeType"], shown["PrivateIpAddress"]),
              (given["IpAddress"], given["IpAddress"], "InUse", "EcsInstance", made, "NAT", "7", "PayByTraffic",
               net.primary_ip(made)), "ConvertNatPublicIpToEip: the EIP")
    TAP.equal((of["InternetMaxBandwidthOut"], of["PublicIpAddress"]["IpAddress"], of["EipAddress"]["AllocationId"]),
              (0, [], converted["AllocationId"]), "ConvertNatPublicIpToEip: the instance")
    event = net.call("GetEvent", Seq=converted["Seq"])
    TAP.ok({made, converted["AllocationId"]} <= set(event["Touches"]), "ConvertNatPublicIpToEip: both are touched")


def test_types(server):
    """DescribeInstanceTypes, and that its figures are the ones that limit."""
    net = Table(server, "DescribeInstanceTypes")
    shown = {t["InstanceTypeId"]: (t["EniQuantity"], t["EniPrivateIpAddressQuantity"], t["EniIpv6AddressQuantity"])
             for t in net.do()["InstanceTypes"]["InstanceType"]}
    figures = list(shown.values())
    TAP.equal((len(shown), *(sum(f[n] for f in figures) for n in range(3)), sum(a * b + c for a, b, c in figures)),
              (75, 413, 919, 542, 8970), "DescribeInstanceTypes: 75 types, by the sums of their figures")
    small = ("ecs.t6-c1m1.large", "ecs.t6-c1m2.large", "ecs.t6-c1m4.large", "ecs.t5-lc2m1.nano", "ecs.t5-lc1m1.small",
             "ecs.t5-c1m1.large")
    vswitch = net.vswitch(net.vpc(), "10.0.0.0/16")
    for name in sorted(n for n in shown if n.startswith(("ecs.t5-", "ecs.t6-"))):
        net.row(f"{name} with two interfaces", "EniPerInstanceLimitExceeded",
                {"VSwitchId": vswitch, "InstanceType": name, "NetworkInterface": [{}]}, operation="RunInstances",
                detail={"Limit": 1, "Requested": 2})
        pair = {"InstanceId": net.run(vswitch, InstanceType=name)[0], "NetworkInterfaceId": net.eni(vswitch)}
        if name in small:
            net.row(f"{name} that runs", "InvalidOperation.HotPlugNotSupport", pair, operation="AttachNetworkInterface")
        else:
            net.passes(f"{name} that runs", pair, operation="AttachNetworkInterface")
        net.call("StopInstance", InstanceId=pair["InstanceId"])
        net.passes(f"{name} that is stopped", pair, operation="AttachNetworkInterface")
    for name, figures in (("ecs.t1.xsmall", (1, 1, 0)), ("ecs.n4.small", (2, 2, 0)), ("ecs.t5-lc2m1.nano", (2, 2, 1)),
                          ("ecs.t6-c1m4.xlarge", (2, 6, 1)), ("ecs.g6.large", (2, 6, 1)), ("ecs.g6.26xlarge", (15, 20, 1)),
                          ("ecs.u1-c1m1.xlarge", (3, 10, 2)), ("ecs.g7.4xlarge", (8, 30, 30)),
                          ("ecs.g8y.small", (2, 3, 3)), ("ecs.g8i.48xlarge", (15, 50, 50)),
                          ("ecs.ebmg9ae.48xlarge", (38, 50, 50))):
        TAP.equal(shown[name], figures, f"DescribeInstanceTypes: {name}")
    TAP.equal(net.do(InstanceTypes=["ecs.none"])["InstanceTypes"]["InstanceType"], [], "DescribeInstanceTypes: one that is none")
    for name in ("ecs.ebmg9ae.48xlarge", "ecs.g8y.small"):
        enis, addresses, _ = shown[name]
        params = {"VSwitchId": vswitch, "InstanceType": name}
        net.passes(f"{name} with {enis} interfaces", {**params, "NetworkInterface": [{}] * (enis - 1)}, operation="RunInstances")
        net.row(f"{name} with {enis + 1} interfaces", "EniPerInstanceLimitExceeded",
                {**params, "NetworkInterface": [{}] * enis}, operation="RunInstances")
        nic = {"SecondaryPrivateIpAddressCount": addresses - 1}
        net.passes(f"{name} with {addresses} addresses", {**params, "NetworkInterface": [nic]}, operation="RunInstances")


def main():
    server = Server()
    run(server, test_launch_values, test_launch_interfaces, test_launch_addresses, test_states, test_delete_instance,
        test_change_address, test_bandwidth, test_public_ip, test_types)
    server.remove()
    TAP.end()


main()
