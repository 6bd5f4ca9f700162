#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: EIPs, IPv6 gateways and IPv6 bandwidths.
Claimed: each refusal of their operations with its code, status and facts, at the limit and one past
it, and which of two wins; what each of them changes, and in whom."""
from ledger import BIG, SMALL, Server
from refusals import TAP, Table, run


def test_allocate(server):
    net = Table(server, "AllocateEipAddress")
    used = net.do(Name="used")
    fixed = net.run(net.vswitch(net.vpc()), InternetMaxBandwidthOut=1)[0]
    held = net.call("LookupAddress", Address=net.public(fixed)[0])["Holdings"][0]
    for member, value in (("InstanceChargeType", "PrePaid"), ("ChargeType", "PrePaid"), ("Period", 1), ("AutoPay", True),
                          ("InstanceId", "eip-x"), ("PublicIpAddressPoolId", "pippool-x"), ("Netmode", "public")):
        net.row(f"{member}={value}", "UnsupportedParameter", {member: value})
    for bandwidth in ("x", "", "1.5", "0x5", " 5"):
        net.row(f"Bandwidth={bandwidth!r}", "InvalidParameter", {"Bandwidth": bandwidth}, parameter="Bandwidth")
    for bandwidth in ("201", "500"):
        net.row(f"Bandwidth={bandwidth} PayByTraffic", "InvalidParameter",
                {"Bandwidth": bandwidth, "InternetChargeType": "PayByTraffic"}, parameter="Bandwidth")
        net.passes(f"Bandwidth={bandwidth} PayByBandwidth", {"Bandwidth": bandwidth})
    net.passes("Bandwidth=200 PayByTraffic", {"Bandwidth": "200", "InternetChargeType": "PayByTraffic"})
    for address in ("x", "198.18.0", "2001:db8::1"):
        net.row(f"IpAddress={address}", "InvalidParameter", {"IpAddress": address}, parameter="IpAddress")
    for address in ("8.8.8.8", "198.17.255.255", "198.20.0.0", "198.18.0.0", "198.19.255.255", "10.0.0.1"):
        net.row(f"IpAddress={address}", "OperationFailed.AllocateUnfamiliarIp", {"IpAddress": address}, parameter="IpAddress")
    net.row("an EIP's address", "Ip.Allocated", {"IpAddress": used["EipAddress"]}, ids=[used["AllocationId"]],
            detail={"Holder": used["AllocationId"], "SinceSeq": used["Seq"], "SinceTime": used["Time"],
                    "Address": used["EipAddress"]})
    net.row("a fixed public IP's address", "Ip.Allocated", {"IpAddress": net.public(fixed)[0]}, ids=[net.primary_eni(fixed)],
            detail={"SinceSeq": held["SinceSeq"]})
    net.row("range before a taken address", "InvalidParameter",
            {"IpAddress": used["EipAddress"], "Bandwidth": "201", "InternetChargeType": "PayByTraffic"})
    for address in ("198.18.0.77", "198.19.255.254"):
        net.passes(f"IpAddress={address}", {"IpAddress": address})
    made = net.do(IpAddress="198.18.0.77", Bandwidth=9, InternetChargeType="PayByTraffic", Name="n", ISP="BGP_PRO")
    shown = net.eip_state(made["AllocationId"])
    TAP.equal((made["EipAddress"], shown["Status"], shown["Bandwidth"], shown["InternetChargeType"], shown["ISP"],
               shown["InstanceId"], shown["InstanceType"], shown["PrivateIpAddress"]),
              ("198.18.0.77", "Available", "9", "PayByTraffic", "BGP_PRO", "", "", ""), "AllocateEipAddress: the EIP")
    net.row("a named one again", "Ip.Allocated", {"IpAddress": "198.18.0.77"})
    net.call("ReleaseEipAddress", AllocationId=made["AllocationId"])
    TAP.equal(net.do(IpAddress="198.18.0.77")["EipAddress"], "198.18.0.77", "AllocateEipAddress: released, it is given again")

    net.operation = "ModifyEipAddressAttribute"
    byte = net.eip(InternetChargeType="PayByTraffic")["AllocationId"]
    net.row("Bandwidth=201 PayByTraffic", "InvalidParameter", {"AllocationId": byte, "Bandwidth": "201"}, parameter="Bandwidth")
    net.passes("Bandwidth=200 PayByTraffic", {"AllocationId": byte, "Bandwidth": "200"})
    net.row("InternetChargeType", "UnsupportedParameter", {"AllocationId": byte, "InternetChargeType": "PayByBandwidth"})
    net.do(AllocationId=byte, Bandwidth=7, Name="a")
    net.do(AllocationId=byte, Description="b")
    shown = net.eip_state(byte)
    TAP.equal((shown["Bandwidth"], shown["Name"], shown["Description"]), ("7", "a", "b"),
              "ModifyEipAddressAttribute: what is not named stays")


def test_associate(server):
    net = Table(server, "AssociateEipAddress")
    vswitch = net.vswitch(net.vpc())
    i, j, taken = net.run(vswitch, InstanceType=BIG, Amount=3)
    fixed = net.run(vswitch, InternetMaxBandwidthOut=1)[0]
    pending = net.call("CreateInstance", VSwitchId=vswitch, InstanceType=SMALL, InternetMaxBandwidthOut=1)["InstanceId"]
    eip, busy = net.eip()["AllocationId"], net.eip()["AllocationId"]
    net.do(AllocationId=busy, InstanceId=taken)
    eni = net.eni(vswitch, PrivateIpAddress=["10.0.0.77"])

    def row(what, code, target, more=None, **facts):
        params = {"AllocationId": eip, "InstanceId": target, **(more or {})}
        if target.startswith("eni-"):
            params["InstanceType"] = "NetworkInterface"
        return net.row(what, code, params, **facts)
    row("an interface that is none", "InvalidNicOrVm.NotFound", "eni-x", status=400, ids=["eni-x"])
    row("an interface named as an instance", "InvalidInstanId.NotFound", "i-x", ids=["i-x"])
    net.row("an instance as NetworkInterface", "InvalidNicOrVm.NotFound",
            {"AllocationId": eip, "InstanceId": i, "InstanceType": "NetworkInterface"})
    row("an EIP in use", "IncorrectEipStatus", i, {"AllocationId": busy}, ids=[busy],
        detail={"Id": busy, "State": "InUse", "Allowed": ["Available"]})
    row("an EIP in use to an instance that is none", "InvalidInstanId.NotFound", "i-x", {"AllocationId": busy})
    row("an EIP in use to an instance that has one", "IncorrectEipStatus", taken, {"AllocationId": busy})
    row("an EIP in use in a mode that is none", "IllegalParam.Mode", i, {"AllocationId": busy, "Mode": "x"})
    row("a mode that is none", "IllegalParam.Mode", i, {"Mode": "nat"}, parameter="Mode")
    for mode, target in (("MULTI_BINDED", i), ("MULTI_BINDED", eni), ("BINDED", i)):
        row(f"{mode} on {target.split('-')[0]}", "Mode.NotSupport", target, {"Mode": mode}, parameter="Mode")
    for member in ("VpcId", "InstanceRegionId"):
        row(member, "UnsupportedParameter", i, {member: "x"}, parameter=member)
    row("a fixed public IP", "EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP", fixed, ids=[fixed])
    row("a fixed public IP, by its interface", "EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP", net.primary_eni(fixed), ids=[fixed])
    row("bandwidth without an address", "InvalidStatus.InstanceHasBandWidth", pending, ids=[pending])
    row("bandwidth without an address, by its interface", "InvalidStatus.InstanceHasBandWidth", net.primary_eni(pending))
    row("one is there", "InvalidAssociation.Duplicated", taken, ids=[taken])
    row("one is there, by its interface", "InvalidAssociation.Duplicated", net.primary_eni(taken))
    row("one is there, and an old IfSeq", "InvalidAssociation.Duplicated", taken, {"IfSeq": 0})
    row("an address that is not on it", "InvalidIp.IpUnassigned", eni, {"PrivateIpAddress": "10.0.0.78"},
        parameter="PrivateIpAddress", ids=[eni])
    row("text that is no address", "InvalidIp.IpUnassigned", eni, {"PrivateIpAddress": "x"})
    net.do(AllocationId=eip, InstanceId=eni, InstanceType="NetworkInterface", PrivateIpAddress="10.0.0.77")
    shown = net.eip_state(eip)
    TAP.equal((shown["InstanceType"], shown["InstanceId"], shown["PrivateIpAddress"], shown["Mode"], shown["Status"]),
              ("NetworkInterface", eni, "10.0.0.77", "NAT", "InUse"), "AssociateEipAddress: to an address of an interface")
    other = net.eip()["AllocationId"]
    row("that address has one", "ResourceAlreadyAssociated.IpAddress", eni,
        {"AllocationId": other, "PrivateIpAddress": "10.0.0.77"}, ids=[eip])
    net.do(AllocationId=other, InstanceId=eni, InstanceType="NetworkInterface")
    TAP.equal(net.eip_state(other)["PrivateIpAddress"], net.addresses(eni)[0],
              "AssociateEipAddress: without PrivateIpAddress the primary one is meant")
    third = net.eip()["AllocationId"]
    row("the primary address has one", "ResourceAlreadyAssociated.IpAddress", eni, {"AllocationId": third}, ids=[other])
    net.call("AttachNetworkInterface", InstanceId=j, NetworkInterfaceId=eni)
    TAP.equal([net.eip_state(e)["InstanceId"] for e in (eip, other)], [eni, eni],
              "AssociateEipAddress: attached, they are the interface's as before")
    net.do(AllocationId=third, InstanceId=j)
    TAP.equal(len(net.call("GetReachability", InstanceId=j)["InternetIpv4"]), 3, "AssociateEipAddress: three on one instance")
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=net.primary_eni(fixed), PrivateIpAddress=["10.0.0.88"])
    fourth = net.eip()["AllocationId"]
    net.do(AllocationId=fourth, InstanceId=net.primary_eni(fixed), InstanceType="NetworkInterface",
           PrivateIpAddress="10.0.0.88")
    shown = net.eip_state(fourth)
    TAP.equal((shown["InstanceType"], shown["InstanceId"], net.instance(fixed)["EipAddress"]["AllocationId"]),
              ("NetworkInterface", net.primary_eni(fixed), ""),
              "AssociateEipAddress: a secondary address of a primary interface, whatever the instance has")
    fifth = net.eip()["AllocationId"]
    net.do(AllocationId=fifth, InstanceId=net.primary_eni(i), InstanceType="NetworkInterface")
    shown = net.eip_state(fifth)
    TAP.equal((shown["InstanceType"], shown["InstanceId"], shown["PrivateIpAddress"]), ("EcsInstance", i, net.primary_ip(i)),
              "AssociateEipAddress: by the primary interface it is the instance's")


def test_binded(server):
    net = Table(server, "AssociateEipAddress")
    vswitch = net.vswitch(net.vpc())
    i = net.run(vswitch, InstanceType=BIG, NetworkInterface=[{}])[0]
    enis = net.call("DescribeNetworkInterfaces", InstanceId=i, Type="Secondary")["NetworkInterfaceSets"]
    attached = enis["NetworkInterfaceSet"][0]["NetworkInterfaceId"]
    eips = [net.eip()["AllocationId"] for _ in range(4)]
    many, nat, bound = net.eni(vswitch, SecondaryPrivateIpAddressCount=1), net.eni(vswitch), net.eni(vswitch)
    net.do(AllocationId=eips[0], InstanceId=nat, InstanceType="NetworkInterface")

    def row(what, code, target, mode="BINDED", **facts):
        return net.row(what, code, {"AllocationId": eips[1], "InstanceId": target, "InstanceType": "NetworkInterface",
                                    "Mode": mode}, **facts)
    row("an attached interface", "Eni.Attached", attached, ids=[attached])
    row("a primary interface", "Eni.Attached", net.primary_eni(i))
    row("one with secondary addresses", "Eni.HasSubIp", many, ids=[many])
    row("one with an EIP in another mode", "Mode.Conflict", nat, ids=[nat])
    net.do(AllocationId=eips[1], InstanceId=bound, InstanceType="NetworkInterface", Mode="BINDED")
    TAP.equal((net.eip_state(eips[1])["Mode"], net.eip_state(eips[1])["InstanceId"]), ("BINDED", bound),
              "AssociateEipAddress: in BINDED mode")
    for mode, code in (("NAT", "Mode.Conflict"), ("BINDED", "ResourceAlreadyAssociated.IpAddress")):
        net.row(f"a second one, {mode}", code, {"AllocationId": eips[2], "InstanceId": bound, "Mode": mode,
                                                 "InstanceType": "NetworkInterface"})
    net.call("AttachNetworkInterface", InstanceId=i, NetworkInterfaceId=bound)
    net.row("while its interface is attached", "Eni.Attached", {"AllocationId": eips[1]},
            operation="UnassociateEipAddress", ids=[bound])
    net.row("while its interface is attached, from another", "InvalidBindInstance.NotFound",
            {"AllocationId": eips[1], "InstanceId": nat}, operation="UnassociateEipAddress")
    net.call("DetachNetworkInterface", InstanceId=i, NetworkInterfaceId=bound)
    net.call("UnassociateEipAddress", AllocationId=eips[1])
    net.passes("a secondary address again", {"NetworkInterfaceId": bound, "SecondaryPrivateIpAddressCount": 1},
               operation="AssignPrivateIpAddresses")


def test_unassociate(server):
    net = Table(server, "UnassociateEipAddress")
    vswitch = net.vswitch(net.vpc())
    i, j = net.run(vswitch, Amount=2)
    eip, loose = net.eip()["AllocationId"], net.eip()["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=eip, InstanceId=i)
    net.row("an Available one", "IncorrectEipStatus", {"AllocationId": loose}, ids=[loose],
            detail={"State": "Available", "Allowed": ["InUse"]})
    net.row("an Available one, from an instance that is none", "InvalidInstanceId.NotFound",
            {"AllocationId": loose, "InstanceId": "i-x"}, status=400)
    net.row("an Available one, from an instance", "IncorrectEipStatus", {"AllocationId": loose, "InstanceId": i})
    net.row("from another instance", "InvalidBindInstance.NotFound", {"AllocationId": eip, "InstanceId": j}, ids=[j])
    net.row("from another interface", "InvalidBindInstance.NotFound",
            {"AllocationId": eip, "InstanceId": net.eni(vswitch), "InstanceType": "NetworkInterface"})
    net.row("another private address", "InvalidIp.IpUnassigned", {"AllocationId": eip, "PrivateIpAddress": "10.0.0.99"},
            parameter="PrivateIpAddress")
    net.row("from another instance, before IfSeq", "InvalidBindInstance.NotFound",
            {"AllocationId": eip, "InstanceId": j, "IfSeq": 0})
    for params in ({}, {"InstanceId": i}, {"InstanceId": i, "InstanceType": "EcsInstance", "Force": True},
                   {"InstanceId": net.primary_eni(i), "InstanceType": "NetworkInterface"},
                   {"PrivateIpAddress": net.primary_ip(i)}):
        net.passes(str(params), {"AllocationId": eip, **params})
    net.row("release while in use", "IncorrectEipStatus", {"AllocationId": eip}, operation="ReleaseEipAddress", ids=[eip],
            detail={"State": "InUse", "Allowed": ["Available"]})
    address = net.eip_state(eip)["IpAddress"]
    net.do(AllocationId=eip)
    shown = net.eip_state(eip)
    TAP.equal((shown["Status"], shown["IpAddress"], shown["InstanceId"], shown["InstanceType"], shown["PrivateIpAddress"],
               net.instance(i)["EipAddress"]["IpAddress"]), ("Available", address, "", "", "", ""),
              "UnassociateEipAddress: the EIP keeps its address alone")
    net.call("ReleaseEipAddress", AllocationId=eip)
    TAP.equal(net.call("LookupAddress", Address=address)["Status"], "Free", "ReleaseEipAddress: the address is free")
    net.row("again", "InvalidAllocationId.NotFound", {"AllocationId": eip}, operation="ReleaseEipAddress", ids=[eip])


def test_filters(server):
    net = Table(server, "DescribeEipAddresses")
    vswitch = net.vswitch(net.vpc())
    i, eni = net.run(vswitch)[0], net.eni(vswitch)
    loose, own, of_eni = (net.eip(Name=f"filter-{n}")["AllocationId"] for n in range(3))
    net.call("AssociateEipAddress", AllocationId=own, InstanceId=i)
    net.call("AssociateEipAddress", AllocationId=of_eni, InstanceId=eni, InstanceType="NetworkInterface")
    net.row("ChargeType=Free", "InvalidChargeType.ValueNotSupported", {"ChargeType": "Free"}, parameter="ChargeType")
    net.row("AssociatedInstanceType=Moon", "InvalidIAssociatedInstanceType.ValueNotSupported",
            {"AssociatedInstanceType": "Moon"}, parameter="AssociatedInstanceType")
    ids = f"{loose},{own},{of_eni}"
    for filters, wanted in (({}, [loose, own, of_eni]), ({"Status": "Available"}, [loose]),
                            ({"Status": "InUse"}, [own, of_eni]), ({"AssociatedInstanceType": "EcsInstance"}, [own]),
                            ({"AssociatedInstanceType": "NetworkInterface"}, [of_eni]),
                            ({"AssociatedInstanceType": "Nat"}, []), ({"AssociatedInstanceId": i}, [own]),
                            ({"AssociatedInstanceId": eni}, [of_eni]), ({"AssociatedInstanceId": "i-x"}, []),
                            ({"AssociatedInstanceId": net.primary_eni(i)}, []),
                            ({"ChargeType": "PostPaid"}, [loose, own, of_eni]),
                            ({"ChargeType": "PrePaid"}, []), ({"EipName": "filter-0"}, [loose]), ({"ISP": "x"}, [])):
        found = net.do(AllocationId=ids, **filters)["EipAddresses"]["EipAddress"]
        TAP.equal(sorted(e["AllocationId"] for e in found), sorted(wanted), f"DescribeEipAddresses: {filters}: {len(wanted)}")


def test_gateway(server):
    net = Table(server, "CreateIpv6Gateway")
    vpc, plain = net.vpc6(), net.vpc()
    net.row("a VPC without IPv6", "OperationDenied.VpcIpv6Disabled", {"VpcId": plain}, ids=[plain])
    net.row("Spec", "UnsupportedParameter", {"VpcId": vpc, "Spec": "Small"}, parameter="Spec")
    gateway = net.do(VpcId=vpc, Name="gw", Description="d")["Ipv6GatewayId"]
    net.row("a second one", "ResourceAlreadyExist.Ipv6Gateway", {"VpcId": vpc}, ids=[gateway])
    net.row("a second one, and an old IfSeq", "ResourceAlreadyExist.Ipv6Gateway", {"VpcId": vpc, "IfSeq": 0})
    other = net.do(VpcId=net.vpc6())["Ipv6GatewayId"]
    listed = lambda **filters: [g["Ipv6GatewayId"] for g in net.call("DescribeIpv6Gateways", **filters)
                                ["Ipv6Gateways"]["Ipv6Gateway"]]
    for filters, wanted in (({"VpcId": vpc}, [gateway]), ({"Ipv6GatewayId": other}, [other]), ({"Name": "gw"}, [gateway]),
                            ({"Ipv6GatewayId": [gateway, other]}, [gateway, other]), ({"VpcId": "vpc-x"}, []),
                            ({"VpcId": plain}, [])):
        TAP.equal(sorted(listed(**filters)), sorted(wanted), f"DescribeIpv6Gateways: by {list(filters)[0]}: {len(wanted)}")
    TAP.equal(len(listed(MaxResults=1)), 1, "DescribeIpv6Gateways: in pages")
    vswitch = net.vswitch6(vpc, 1)
    address = net.call("CreateNetworkInterface", VSwitchId=vswitch, Ipv6AddressCount=1)["Ipv6Sets"]["Ipv6Set"][0]
    bandwidth = net.call("AllocateIpv6InternetBandwidth", Ipv6AddressId=address["Ipv6AddressId"],
                         Bandwidth=1)["InternetBandwidthId"]
    net.operation = "DeleteIpv6Gateway"
    net.row("while there is bandwidth", "DependencyViolation.Ipv6InternetBandwidth", {"Ipv6GatewayId": gateway},
            ids=[bandwidth])
    net.call("DeleteIpv6InternetBandwidth", Ipv6InternetBandwidthId=bandwidth)
    net.do(Ipv6GatewayId=gateway)
    net.row("again", "InvalidIpv6GatewayId.NotFound", {"Ipv6GatewayId": gateway}, ids=[gateway])
    net.row("bandwidth without it", "OperationFailed.Ipv6GatewayNotExist",
            {"Ipv6AddressId": address["Ipv6AddressId"], "Bandwidth": 1}, operation="AllocateIpv6InternetBandwidth", ids=[vpc])
    net.passes("a new one", {"VpcId": vpc}, operation="CreateIpv6Gateway")


def test_ipv6_bandwidth(server):
    net = Table(server, "AllocateIpv6InternetBandwidth")
    vpc = net.vpc6()
    made = net.call("CreateNetworkInterface", VSwitchId=net.vswitch6(vpc, 1), Ipv6AddressCount=2)
    first, second = (a["Ipv6AddressId"] for a in made["Ipv6Sets"]["Ipv6Set"])
    gateway = net.call("CreateIpv6Gateway", VpcId=vpc)["Ipv6GatewayId"]
    foreign = net.call("CreateIpv6Gateway", VpcId=net.vpc6())["Ipv6GatewayId"]
    row = lambda what, code, more, **facts: net.row(what, code, {"Ipv6AddressId": first, "Bandwidth": 1, **more}, **facts)
    for bandwidth in (0, -1, 2001):
        row(f"Bandwidth={bandwidth}", "IllegalParam.Bandwidth", {"Bandwidth": bandwidth}, parameter="Bandwidth")
    row("Bandwidth=1001 PayByTraffic", "IllegalParam.Bandwidth", {"Bandwidth": 1001, "InternetChargeType": "PayByTraffic"})
    for bandwidth, charge in ((1, "PayByBandwidth"), (2000, "PayByBandwidth"), (1000, "PayByTraffic")):
        net.passes(f"Bandwidth={bandwidth} {charge}",
                   {"Ipv6AddressId": first, "Bandwidth": bandwidth, "InternetChargeType": charge})
    row("Bandwidth=0 of an address that is none", "ResourceNotFound.Ipv6Address", {"Ipv6AddressId": "ipv6-x", "Bandwidth": 0})
    row("the gateway of another VPC", "OperationFailed.Ipv6GatewayDisMatchIpv6Address", {"Ipv6GatewayId": foreign})
    row("Bandwidth=0 and the gateway of another VPC", "IllegalParam.Bandwidth", {"Ipv6GatewayId": foreign, "Bandwidth": 0})
    net.passes("with its gateway", {"Ipv6AddressId": first, "Bandwidth": 1, "Ipv6GatewayId": gateway})
    bandwidth = net.do(Ipv6AddressId=first, Bandwidth=5, InternetChargeType="PayByTraffic")["InternetBandwidthId"]
    row("a second one", "OperationFailed.InternetBandwidthAlreadyExisted", {}, ids=[bandwidth])
    row("a second one, and an old IfSeq", "OperationFailed.InternetBandwidthAlreadyExisted", {"IfSeq": 0})
    shown = net.ipv6(Ipv6AddressId=first)[0]
    TAP.equal((shown["NetworkType"], shown["Ipv6InternetBandwidth"]["Ipv6InternetBandwidthId"],
               shown["Ipv6InternetBandwidth"]["Bandwidth"], shown["Ipv6InternetBandwidth"]["InternetChargeType"]),
              ("Public", bandwidth, 5, "PayByTraffic"), "AllocateIpv6InternetBandwidth: the address shows it")

    net.operation = "ModifyIpv6InternetBandwidth"
    for what, code, params in (
            ("no id", "BothEmptyParam.Ipv6AddressIdAndIpv6InternetBandwidthId", {}),
            ("both ids", "ParamExclusive.Ipv6AddressIdAndIpv6InternetBandwidthId",
             {"Ipv6AddressId": first, "Ipv6InternetBandwidthId": bandwidth}),
            ("an address that is none", "InvalidIpv6Instance.NotFound", {"Ipv6AddressId": "ipv6-x"}),
            ("a bandwidth that is none", "InvalidIpv6InternetBandwidthId.NotFound", {"Ipv6InternetBandwidthId": "ipv6bw-x"}),
            ("an address without", "OperationFailed.InternetBandwidthNonExist", {"Ipv6AddressId": second}),
            ("1001 PayByTraffic", "IllegalParam.Bandwidth", {"Ipv6InternetBandwidthId": bandwidth, "Bandwidth": 1001}),
            ("0", "IllegalParam.Bandwidth", {"Ipv6AddressId": first, "Bandwidth": 0})):
        net.row(what, code, {"Bandwidth": 7, **params})
    net.do(Ipv6AddressId=first, Bandwidth=1000)
    TAP.equal(net.ipv6(Ipv6AddressId=first)[0]["Ipv6InternetBandwidth"]["Bandwidth"], 1000,
              "ModifyIpv6InternetBandwidth: the address shows it")

    net.operation = "DeleteIpv6InternetBandwidth"
    for what, code, params, status in (
            ("no id", "BothEmptyParam.Ipv6AddressIdAndIpv6InternetBandwidthId", {}, 400),
            ("an address without", "OperationFailed.InternetBandwidthNonExist", {"Ipv6AddressId": second}, 400),
            ("a bandwidth that is none", "InvalidIpv6InternetBandwidthId.NotFound",
             {"Ipv6InternetBandwidthId": "ipv6bw-x"}, 404)):
        net.row(what, code, params, status=status)
    event = net.call("GetEvent", Seq=net.do(Ipv6InternetBandwidthId=bandwidth)["Seq"])
    TAP.equal(sorted(event["Touches"]), sorted([first, bandwidth]), "DeleteIpv6InternetBandwidth: touches both")
    TAP.equal(net.ipv6(Ipv6AddressId=first)[0]["NetworkType"], "Private", "DeleteIpv6InternetBandwidth: private again")


def main():
    server = Server()
    run(server, test_allocate, test_associate, test_binded, test_unassociate, test_filters, test_gateway, test_ipv6_bandwidth)
    server.remove()
    TAP.end()


main()
