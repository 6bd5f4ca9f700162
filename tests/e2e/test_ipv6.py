#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: VPCs with IPv6.
Claimed: blocks are picked from the pool, unique, and given back; addresses follow the rules of
the vSwitch, the interface and the instance type; they are private until they have bandwidth."""
import json
import os
import tempfile

from ledger import Net, Refused, Server, Tap

TAP = Tap()
IPV6_1 = "ecs.g6.large"     # one IPv6 address for each interface
IPV6_0 = "ecs.n4.small"     # none
IPV6_6 = "ecs.g7.large"     # six


def test_blocks(net):
    vpc = net.vpc6()
    shown = net.show_vpc(vpc)
    TAP.equal((shown["Ipv6CidrBlock"], shown["EnabledIpv6"],
               shown["Ipv6CidrBlocks"]["Ipv6CidrBlock"][0]["Ipv6CidrBlock"]),
              ("2001:db8::/56", True, "2001:db8::/56"), "S4, S44 a VPC gets a /56 of the pool")
    other = net.vpc6()
    TAP.equal(net.show_vpc(other)["Ipv6CidrBlock"], "2001:db8:0:100::/56", "S5 another VPC gets another one")
    plain = net.vpc()
    TAP.equal((net.show_vpc(plain)["EnabledIpv6"], net.show_vpc(plain)["Ipv6CidrBlock"]), (False, ""),
              "S1 IPv6 is off by default")
    TAP.refused("OperationFailed.IPv6CidrNotReserved", "S45 the block cannot be chosen", net.call, "CreateVpc",
                CidrBlock="10.0.0.0/16", EnableIpv6=True, Ipv6CidrBlock="2001:db8:5::/56")
    TAP.refused("OperationDenied.VpcIpv6Disabled", "an index without IPv6 in the VPC", net.vswitch6, plain, 1)
    net.call("ModifyVpcAttribute", VpcId=plain, EnableIPv6=True)
    TAP.equal(net.show_vpc(plain)["Ipv6CidrBlock"], "2001:db8:0:200::/56", "S4, S43 IPv6 is switched on later")
    net.call("ModifyVpcAttribute", VpcId=plain, EnableIPv6=True)
    TAP.equal(net.show_vpc(plain)["Ipv6CidrBlock"], "2001:db8:0:200::/56", "on again changes nothing")
    for index, wanted in ((0, "2001:db8::/64"), (255, "2001:db8:0:ff::/64")):
        vswitch = net.vswitch6(vpc, index, f"10.0.{index}.0/24")
        shown = net.show_vswitch(vswitch)
        TAP.equal((shown["Ipv6CidrBlock"], shown["EnabledIpv6"]), (wanted, True), f"S46 index {index} of a vSwitch")
    refusal = TAP.refused("InvalidIpv6CidrBlock.Overlapped", "an index that is used", net.vswitch6, vpc, 0,
                          "10.0.7.0/24")
    TAP.equal(len(refusal.detail["Ids"]), 1, "who has it is named")
    TAP.refused("InvalidParameter", "an index above 255", net.vswitch6, vpc, 256, "10.0.7.0/24")


def test_switch(net):
    """IPv6 of a vSwitch and a VPC on and off."""
    vpc = net.vpc6()
    vswitch = net.vswitch(vpc)
    change = lambda **more: net.call("ModifyVSwitchAttribute", VSwitchId=vswitch, **more)
    TAP.refused("MissingParameter", "on without an index", change, EnableIPv6=True)
    TAP.refused("InvalidParameter.Conflict", "off with an index", change, EnableIPv6=False, Ipv6CidrBlock=3)
    change(EnableIPv6=True, Ipv6CidrBlock=3)
    block = net.show_vswitch(vswitch)["Ipv6CidrBlock"]
    TAP.ok(block.endswith("3::/64"), "S47 on with an index", block)
    change(EnableIPv6=True, Ipv6CidrBlock=3)
    change(VSwitchName="named")
    TAP.equal(net.show_vswitch(vswitch)["Ipv6CidrBlock"], block, "the same again, or a name, changes nothing")
    TAP.refused("OperationDenied.Ipv6CidrBlockSet", "another index while one is set", change, Ipv6CidrBlock=4)
    eni = net.eni(vswitch)
    net.assign6(eni, Ipv6AddressCount=2)
    refusal = TAP.refused("DependencyViolation.Ipv6Address", "off while used", change, EnableIPv6=False)
    TAP.equal(sorted(refusal.detail["Ids"]), sorted(a["Ipv6AddressId"] for a in net.ipv6(VSwitchId=vswitch)),
              "the addresses are named")
    refusal = TAP.refused("DependencyViolation.VSwitch", "the VPC's off while a vSwitch has it", net.call,
                          "ModifyVpcAttribute", VpcId=vpc, EnableIPv6=False)
    TAP.equal(refusal.detail["Ids"], [vswitch], "the vSwitch is named")
    net.call("DeleteNetworkInterface", NetworkInterfaceId=eni)
    change(EnableIPv6=False)
    TAP.equal(net.show_vswitch(vswitch)["EnabledIpv6"], False, "unused, it is switched off")
    gateway = net.call("CreateIpv6Gateway", VpcId=vpc)["Ipv6GatewayId"]
    TAP.refused("DependencyViolation.Ipv6Gateway", "the VPC's off while it has a gateway", net.call,
                "ModifyVpcAttribute", VpcId=vpc, EnableIPv6=False)
    net.call("DeleteIpv6Gateway", Ipv6GatewayId=gateway)
    net.call("ModifyVpcAttribute", VpcId=vpc, EnableIPv6=False)
    TAP.equal(net.show_vpc(vpc)["Ipv6CidrBlock"], "", "then it is off")


def test_addresses(net):
    vpc = net.vpc6()
    vswitch = net.vswitch6(vpc, 1)
    block = net.show_vswitch(vswitch)["Ipv6CidrBlock"].split("/")[0]
    eni = net.eni(vswitch)
    made = net.assign6(eni, Ipv6AddressCount=2)
    TAP.equal(made["Ipv6Sets"]["Ipv6Address"], [block + "1", block + "2"], "S48 picked from ::1 on")
    ids = made["Ipv6AddressIds"]["Ipv6AddressId"]
    TAP.ok(all(i.startswith("ipv6-") for i in ids), "with their ids", ids)
    shown = net.ipv6(Ipv6AddressId=ids[0])[0]
    TAP.equal((shown["Ipv6Address"], shown["Status"], shown["NetworkType"], shown["AssociatedInstanceType"],
               shown["AssociatedInstanceId"], shown["VSwitchId"], shown["VpcId"]),
              (block + "1", "Available", "Private", "NetworkInterface", eni, vswitch, vpc), "S51 private by default")
    net.assign6(eni, Ipv6Address=[block + "5"])
    TAP.equal(net.assign6(eni, Ipv6AddressCount=3)["Ipv6Sets"]["Ipv6Address"],
              [block + "3", block + "4", block + "6"], "a named one is passed over and does not move the picker")
    for params, code, status in (
            ({"Ipv6Address": [block + "5"]}, "InvalidIp.IpAssigned", 403),
            ({"Ipv6Address": [block]}, "InvalidVSwitchId.IpInvalid", 403),
            ({"Ipv6Address": [block[:-1] + "ffff:ffff:ffff:fff7"]}, "InvalidVSwitchId.IpInvalid", 403),
            ({"Ipv6Address": ["2001:db8:9::1"]}, "InvalidVSwitchId.IpInvalid", 403),
            ({"Ipv6Address": [block + "aa", block + "0:aa"]}, "InvalidIp.IpRepeated", 403),
            ({"Ipv6Address": ["10.0.0.1"]}, "InvalidIp.Address", 403),
            ({"Ipv6Address": [block + "aa"], "Ipv6AddressCount": 1}, "InvalidParameter.Conflict", 400),
            ({}, "MissingParameter", 403),
            ({"Ipv6AddressCount": 11}, "InvalidParameter", 400),
            ({"Ipv6AddressCount": 5}, "MaxEniIpv6IpsCountExceeded", 403)):
        refusal = TAP.refused(code, f"AssignIpv6Addresses {params}: {code}", net.assign6, eni, **params)
        TAP.equal(refusal.status, status, f"{code} is {status}")
    last = block[:-1] + "ffff:ffff:ffff:fff6"
    TAP.equal(net.assign6(eni, Ipv6Address=[last])["Ipv6Sets"]["Ipv6Address"], [last], "the last but nine is given")
    unassign = lambda *ips: net.call("UnassignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address=list(ips))
    for ips, code in (([block + "99"], "InvalidIp.IpUnassigned"), (["x"], "InvalidIp.Address"),
                      ([last, last], "InvalidIp.IpRepeated"), ([], "MissingParameter")):
        TAP.refused(code, f"UnassignIpv6Addresses {ips}: {code}", unassign, *ips)
    unassign(last, block + "1")
    TAP.equal(net.of_eni(eni), [block + x for x in "25346"], "two are taken back")
    TAP.equal(net.assign6(eni, Ipv6Address=[block + "1"])["Ipv6Sets"]["Ipv6Address"], [block + "1"],
              "S56 and can be assigned again")
    TAP.ok(net.ipv6(Ipv6Address=block + "1")[0]["Ipv6AddressId"] != ids[0], "with another id")
    refusal = TAP.refused("NotFound", "the old one is gone", net.call, "GetEntity", Id=ids[0])
    TAP.ok(refusal.detail["DeletedSeq"], "it was deleted")
    for ip, status in ((block + "1", "Held"), (last, "Free"), (block, "Reserved"), ("2001:db8:fff::1", "Outside")):
        TAP.equal(net.call("LookupAddress", Address=ip)["Status"], status, f"LookupAddress {ip}: {status}")
    held = net.call("LookupAddress", Address=block + "1", VpcId=vpc)["Holdings"][0]
    TAP.equal((held["Kind"], held["NetworkInterfaceId"], held["Address"]), ("Ipv6", eni, block + "1"), "who holds it")
    TAP.equal(net.call("LookupAddress", Address=block + "1", VpcId=net.vpc6())["Status"], "Outside",
              "in another VPC it is outside")
    for ip, can in ((block + "1", False), (block + "77", True), (block, False), ("2001:db8:9::1", False)):
        TAP.equal(net.call("CheckCanAllocateVpcPrivateIpAddress", VSwitchId=vswitch, PrivateIpAddress=ip,
                           IpVersion="ipv6")["CanAllocate"], can, f"{ip} can be allocated: {can}")
    plain = net.eni(net.vswitch(vpc, "10.0.9.0/24"))
    TAP.refused("InvalidVSwitch.Ipv6NotTurnOn", "no IPv6 in the vSwitch", net.assign6, plain, Ipv6AddressCount=1)
    net.call("DeleteNetworkInterface", NetworkInterfaceId=eni)
    TAP.equal(net.ipv6(VSwitchId=vswitch), [], "S58 they go with the interface")


def test_instances(net):
    vpc = net.vpc6()
    vswitch = net.vswitch6(vpc, 1)
    block = net.show_vswitch(vswitch)["Ipv6CidrBlock"].split("/")[0]
    two = net.run(vswitch, InstanceType=IPV6_6, Amount=2, Ipv6AddressCount=3)
    TAP.equal([net.of_eni(net.primary_eni(i)) for i in two],
              [[block + x for x in "123"], [block + x for x in "456"]], "S53 several at creation, for each instance")
    shown = net.ipv6(Ipv6Address=block + "4")[0]
    TAP.equal((shown["AssociatedInstanceType"], shown["AssociatedInstanceId"]), ("EcsInstance", two[1]),
              "on a primary interface it is the instance's")
    TAP.equal(len(net.ipv6(AssociatedInstanceId=two[0])), 3, "found by instance")
    found = net.call("DescribeInstances", Ipv6Address=[block + "6"])["Instances"]["Instance"]
    TAP.equal([i["InstanceId"] for i in found], [two[1]], "an instance is found by IPv6 address")
    named = net.run(vswitch, InstanceType=IPV6_6, Ipv6Address=[block + "b", block + "a"])[0]
    TAP.equal(net.of_eni(net.primary_eni(named)), [block + "b", block + "a"], "named at creation")
    made = net.call("RunInstances", InstanceType=IPV6_6, NetworkInterface=[
        {"InstanceType": "Primary", "VSwitchId": vswitch, "Ipv6AddressCount": 2}])
    i = made["InstanceIdSets"]["InstanceIdSet"][0]
    TAP.equal(len(net.of_eni(net.primary_eni(i))), 2, "by NetworkInterface")
    before = net.head()
    for params, code, status in (
            ({"InstanceType": IPV6_0, "Ipv6AddressCount": 1}, "InvalidOperation.Ipv6NotSupport", 403),
            ({"InstanceType": IPV6_1, "Ipv6AddressCount": 2}, "InvalidOperation.Ipv6CountExceeded", 403),
            ({"Ipv6AddressCount": 1, "Ipv6Address": [block + "f"]}, "InvalidParameter.Conflict", 400),
            ({"Ipv6Address": [block + "f"], "Amount": 2}, "InvalidParameter", 400),
            ({"Ipv6Address": [block + "1"]}, "InvalidPrivateIpAddress.Duplicated", 400),
            ({"Ipv6Address": [block]}, "InvalidPrivateIpAddress", 400),
            ({"Ipv6Address": ["2001:db8:9::1"]}, "InvalidPrivateIpAddress", 400),
            ({"Ipv6Address": ["::zz"]}, "InvalidIp.Address", 403),
            ({"Ipv6AddressCount": 11}, "InvalidParameter", 400),
            ({"NetworkInterface": [{"Ipv6AddressCount": 1}]}, "InvalidParam.NetworkInterface", 400)):
        params = {"InstanceType": IPV6_6, **params}
        refusal = TAP.refused(code, f"RunInstances {params}: {code}", net.run, vswitch, **params)
        TAP.equal(refusal.status, status, f"{code} is {status}")
    TAP.equal(net.head(), before, "none of them left an event")
    TAP.refused("InvalidVSwitch.Ipv6NotTurnOn", "no IPv6 in the vSwitch", net.run,
                net.vswitch(vpc, "10.0.9.0/24"), InstanceType=IPV6_6, Ipv6AddressCount=1)
    primary = net.primary_eni(two[0])
    TAP.refused("InvalidOperation.Ipv6CountExceeded", "S49 a 7th on a type with 6", net.assign6, primary,
                Ipv6AddressCount=4)
    net.assign6(primary, Ipv6AddressCount=3)
    net.call("StopInstance", InstanceId=two[0], StoppedMode="StopCharging")
    TAP.equal(len(net.of_eni(primary)), 6, "S54, S57 assigned while attached; a stop keeps them")
    TAP.refused("InvalidIp.Ipv6Assigned", "another vSwitch with IPv6 on the interface", net.call,
                "ModifyInstanceVpcAttribute", InstanceId=two[0], VSwitchId=net.vswitch(vpc, "10.0.8.0/24"))
    eni = net.eni(vswitch, Ipv6AddressCount=2)
    none = net.run(vswitch, InstanceType=IPV6_0)[0]
    for instance, code in ((none, "InvalidOperation.Ipv6NotSupport"),
                           (net.run(vswitch, InstanceType=IPV6_1)[0], "InvalidOperation.Ipv6CountExceeded")):
        TAP.refused(code, f"attach: {code}", net.call, "AttachNetworkInterface", InstanceId=instance,
                    NetworkInterfaceId=eni)
    TAP.refused("InvalidOperation.Ipv6NotSupport", "assign on a type without IPv6", net.assign6,
                net.primary_eni(none), Ipv6AddressCount=1)
    made = net.call("CreateNetworkInterface", VSwitchId=vswitch, Ipv6Address=[block + "c0"])
    TAP.equal([(a["Ipv6Address"], a["Ipv6AddressId"][:5]) for a in made["Ipv6Sets"]["Ipv6Set"]],
              [(block + "c0", "ipv6-")], "an interface is made with one")
    for params, code in (({"Ipv6Address": [block + "c0"]}, "InvalidPrivateIpAddress.Duplicated"),
                         ({"Ipv6Address": [block + "c1"], "Ipv6AddressCount": 1}, "InvalidParameter.Conflict"),
                         ({"Ipv6Address": [block]}, "InvalidVSwitchId.IpInvalid")):
        TAP.refused(code, f"CreateNetworkInterface {params}: {code}", net.eni, vswitch, **params)
    seen = net.call("GetGuestView", InstanceId=two[1])["Interfaces"][0]["Addresses"]
    TAP.equal([(a["Address"], a["PrefixLength"], a["Configure"]) for a in seen if a["Role"] == "Ipv6"],
              [(block + x, 64, "Manual") for x in "456"], "S55 in the guest they are configured by hand")
    net.call("DeleteInstance", InstanceId=two[1], Force=True)
    TAP.equal(net.ipv6(Ipv6Address=block + "4"), [], "released with the instance")


def test_internet(net):
    vpc = net.vpc6()
    vswitch = net.vswitch6(vpc, 1)
    i = net.run(vswitch, InstanceType=IPV6_6, Ipv6AddressCount=2)[0]
    first, second = net.ipv6(AssociatedInstanceId=i)
    buy = lambda **more: net.call("AllocateIpv6InternetBandwidth",
                                  **{"Ipv6AddressId": first["Ipv6AddressId"], "Bandwidth": 10, **more})
    TAP.refused("OperationFailed.Ipv6GatewayNotExist", "no gateway, no bandwidth", buy)
    gateway = net.call("CreateIpv6Gateway", VpcId=vpc, Name="gw")["Ipv6GatewayId"]
    refusal = TAP.refused("ResourceAlreadyExist.Ipv6Gateway", "one gateway for a VPC", net.call, "CreateIpv6Gateway",
                          VpcId=vpc)
    TAP.equal(refusal.detail["Ids"], [gateway], "it is named")
    TAP.refused("OperationDenied.VpcIpv6Disabled", "no gateway without IPv6", net.call, "CreateIpv6Gateway",
                VpcId=net.vpc())
    TAP.refused("InvalidVpcId.NotFound", "a gateway for no VPC", net.call, "CreateIpv6Gateway", VpcId="vpc-x")
    shown = net.call("DescribeIpv6Gateways", VpcId=vpc)["Ipv6Gateways"]["Ipv6Gateway"]
    TAP.equal([(g["Ipv6GatewayId"], g["Name"], g["Status"], g["VpcId"]) for g in shown],
              [(gateway, "gw", "Available", vpc)], "the gateway is listed")
    foreign = net.call("CreateIpv6Gateway", VpcId=net.vpc6())["Ipv6GatewayId"]
    for params, code, status in (
            ({"Ipv6AddressId": "ipv6-x"}, "ResourceNotFound.Ipv6Address", 404),
            ({"Ipv6GatewayId": "ipv6gw-x"}, "InvalidIpv6GatewayId.NotFound", 404),
            ({"Ipv6GatewayId": foreign}, "OperationFailed.Ipv6GatewayDisMatchIpv6Address", 400),
            ({"Bandwidth": 0}, "IllegalParam.Bandwidth", 400), ({"Bandwidth": 2001}, "IllegalParam.Bandwidth", 400),
            ({"Bandwidth": 1001, "InternetChargeType": "PayByTraffic"}, "IllegalParam.Bandwidth", 400),
            ({"InternetChargeType": "PayByMoon"}, "InvalidParameter", 400)):
        refusal = TAP.refused(code, f"AllocateIpv6InternetBandwidth {params}: {code}", buy, **params)
        TAP.equal(refusal.status, status, f"{code} is {status}")
    made = buy(Ipv6GatewayId=gateway)
    bandwidth = made["InternetBandwidthId"]
    TAP.equal(made["Ipv6AddressId"], first["Ipv6AddressId"], "the answer names the address")
    shown = net.ipv6(Ipv6InternetBandwidthId=bandwidth)[0]
    TAP.equal((shown["NetworkType"], shown["RealBandwidth"], shown["Ipv6GatewayId"],
               shown["Ipv6InternetBandwidth"]["Ipv6InternetBandwidthId"], shown["Ipv6InternetBandwidth"]["Bandwidth"]),
              ("Public", 10, gateway, bandwidth, 10), "S6, S52 with bandwidth it is public")
    reach = net.call("GetReachability", InstanceId=i)
    TAP.equal((reach["InternetIpv6"], reach["PrivateOnlyIpv6"]), ([first["Ipv6Address"]], [second["Ipv6Address"]]),
              "the Internet reaches one, not the other")
    TAP.refused("OperationFailed.InternetBandwidthAlreadyExisted", "a second one", buy)
    change = lambda **params: net.call("ModifyIpv6InternetBandwidth", **params)
    for params, code, status in (
            ({"Bandwidth": 5}, "BothEmptyParam.Ipv6AddressIdAndIpv6InternetBandwidthId", 400),
            ({"Bandwidth": 5, "Ipv6AddressId": first["Ipv6AddressId"], "Ipv6InternetBandwidthId": bandwidth},
             "ParamExclusive.Ipv6AddressIdAndIpv6InternetBandwidthId", 400),
            ({"Bandwidth": 5, "Ipv6AddressId": second["Ipv6AddressId"]}, "OperationFailed.InternetBandwidthNonExist",
             400),
            ({"Bandwidth": 5, "Ipv6AddressId": "ipv6-x"}, "InvalidIpv6Instance.NotFound", 400),
            ({"Bandwidth": 5, "Ipv6InternetBandwidthId": "ipv6bw-x"}, "InvalidIpv6InternetBandwidthId.NotFound", 404),
            ({"Bandwidth": 2001, "Ipv6InternetBandwidthId": bandwidth}, "IllegalParam.Bandwidth", 400)):
        refusal = TAP.refused(code, f"ModifyIpv6InternetBandwidth {params}: {code}", change, **params)
        TAP.equal(refusal.status, status, f"{code} is {status}")
    change(Bandwidth=20, Ipv6AddressId=first["Ipv6AddressId"])
    change(Bandwidth=30, Ipv6InternetBandwidthId=bandwidth)
    TAP.equal(net.ipv6(NetworkType="Public", VpcId=vpc)[0]["RealBandwidth"], 30, "changed by either id")
    refusal = TAP.refused("DependencyViolation.Ipv6InternetBandwidth", "the gateway stays while there is bandwidth",
                          net.call, "DeleteIpv6Gateway", Ipv6GatewayId=gateway)
    TAP.equal(refusal.detail["Ids"], [bandwidth], "it is named")
    end = lambda **params: net.call("DeleteIpv6InternetBandwidth", **params)
    TAP.refused("BothEmptyParam.Ipv6AddressIdAndIpv6InternetBandwidthId", "which one?", end)
    end(Ipv6AddressId=first["Ipv6AddressId"])
    TAP.equal(net.ipv6(Ipv6Address=first["Ipv6Address"])[0]["NetworkType"], "Private", "S6 private again")
    TAP.refused("InvalidIpv6InternetBandwidthId.NotFound", "it is gone", end, Ipv6InternetBandwidthId=bandwidth)
    bandwidth = buy()["InternetBandwidthId"]
    net.call("UnassignIpv6Addresses", NetworkInterfaceId=net.primary_eni(i), Ipv6Address=[first["Ipv6Address"]])
    TAP.refused("NotFound", "bandwidth goes with its address", net.call, "GetEntity", Id=bandwidth)
    bandwidth = buy(Ipv6AddressId=second["Ipv6AddressId"])["InternetBandwidthId"]
    event = net.call("DeleteInstance", InstanceId=i, Force=True)["Seq"]
    TAP.refused("NotFound", "and with the instance", net.call, "GetEntity", Id=bandwidth)
    TAP.ok({bandwidth, second["Ipv6AddressId"]} <= set(net.call("GetEvent", Seq=event)["Touches"]), "the event says so")
    net.call("DeleteVSwitch", VSwitchId=vswitch)
    refusal = TAP.refused("DependencyViolation.Ipv6Gateway", "a VPC with a gateway stays", net.call, "DeleteVpc",
                          VpcId=vpc)
    TAP.equal(refusal.detail["Ids"], [gateway], "the gateway is named")
    net.call("DeleteVpc", VpcId=vpc, ForceDelete=True)
    TAP.refused("InvalidIpv6GatewayId.NotFound", "with ForceDelete it goes too", net.call, "DeleteIpv6Gateway",
                Ipv6GatewayId=gateway)


def test_pool():
    """A pool of two blocks, and a reuse delay."""
    work = tempfile.TemporaryDirectory()
    init = os.path.join(work.name, "init.json")
    with open(init, "w", encoding="utf-8") as file:
        json.dump({"Ipv6Pool": "2408:4005:312:3e00::/55", "ReuseDelaySeconds": 3600}, file)
    server = Server(init=init)
    net = Net(server)
    vpcs = [net.vpc6() for _ in range(2)]
    TAP.equal([net.show_vpc(v)["Ipv6CidrBlock"] for v in vpcs],
              ["2408:4005:312:3e00::/56", "2408:4005:312:3f00::/56"], "two blocks")
    refusal = TAP.refused("ResourceNotEnough.Ipv6Cidr", "there is no third", net.vpc6)
    TAP.equal(refusal.detail["Total"], 2, "the refusal counts them")
    TAP.refused("DependencyViolation.Ipv6Pool", "a pool in use stays", net.call, "ModifyLedgerSettings",
                Ipv6Pool="2001:db8::/32")
    net.call("DeleteVpc", VpcId=vpcs[0])
    TAP.equal(net.show_vpc(net.vpc6())["Ipv6CidrBlock"], "2408:4005:312:3e00::/56", "a block is given back and used")
    TAP.equal(net.show_vswitch(net.vswitch6(vpcs[1], 10))["Ipv6CidrBlock"], "2408:4005:312:3f0a::/64", "index 10")
    vswitch = net.call("DescribeVSwitches", VpcId=vpcs[1])["VSwitches"]["VSwitch"][0]["VSwitchId"]
    eni = net.eni(vswitch, Ipv6AddressCount=1)
    ip = net.of_eni(eni)[0]
    net.call("UnassignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address=[ip])
    TAP.equal(net.call("LookupAddress", Address=ip)["Status"], "Cooling", "a freed address cools down")
    server.kill()
    server.start()
    net = Net(server)
    TAP.equal(net.call("LookupAddress", Address=ip)["Status"], "Cooling", "after a restart too")
    TAP.equal(net.assign6(eni, Ipv6AddressCount=1)["Ipv6Sets"]["Ipv6Address"], ["2408:4005:312:3f0a::2"],
              "the picker goes on where it was")
    net.assign6(eni, Ipv6Address=[ip])
    TAP.equal(net.call("LookupAddress", Address=ip)["Status"], "Held", "it can be asked for by name")
    server.remove()
    work.cleanup()


def main():
    server = Server()
    for test in (test_blocks, test_switch, test_addresses, test_instances, test_internet):
        try:
            test(Net(server))
        except (Refused, OSError, KeyError, AttributeError, TypeError, IndexError) as problem:
            TAP.ok(False, f"{test.__name__} ran to its end", repr(problem))
    server.remove()
    test_pool()
    TAP.end()


main()
