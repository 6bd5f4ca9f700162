#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: ledgers with small networks.
Claimed: the rules of the address space hold at the door: what is allowed shows in the reads, what
is not is refused with its code, its HTTP status and the facts."""
import json
import os
import tempfile

from ledger import BIG, SMALL, TINY, Net, Refused, Server, Tap, as_ip_addr

TAP = Tap()


def test_vpc(net):
    for cidr, code in (("10.0.0.1/16", "InvalidParameter"), ("x", "InvalidParameter"),
                       ("11.0.0.0/7", "InvalidParameter"), ("10.0.0.0/29", "IllegalParam.CidrBlockMask"),
                       ("8.0.0.0/7", "IllegalParam.CidrBlockMask"),
                       ("100.64.0.0/16", "OperationDenied.CidrInExcludeCidrs"),
                       ("96.0.0.0/8", None), ("127.0.0.0/16", "OperationDenied.CidrInExcludeCidrs"),
                       ("224.0.0.0/8", "OperationDenied.CidrInExcludeCidrs"),
                       ("169.254.0.0/24", "OperationDenied.CidrInExcludeCidrs"),
                       ("0.1.0.0/16", "OperationDenied.CidrInExcludeCidrs")):
        if code:
            TAP.refused(code, f"CreateVpc {cidr}: {code}", net.call, "CreateVpc", CidrBlock=cidr)
        else:
            TAP.ok(net.vpc(cidr), f"CreateVpc {cidr}")
    made = net.call("CreateVpc", CidrBlock="172.16.0.0/12", VpcName="n", Description="d",
                    Tag=[{"Key": "k", "Value": "v"}])
    TAP.ok(made["VpcId"].startswith("vpc-bp1") and len(made["VpcId"]) == 24 and
           made["VRouterId"].startswith("vrt-") and made["RouteTableId"].startswith("vtb-"),
           "CreateVpc answers its ids", made)
    shown = net.call("DescribeVpcs", VpcId=made["VpcId"])["Vpcs"]["Vpc"][0]
    TAP.equal((shown["VpcName"], shown["Description"], shown["Status"], shown["EnabledIpv6"],
               shown["Tags"]["Tag"]), ("n", "d", "Available", False, [{"Key": "k", "Value": "v"}]),
              "DescribeVpcs shows them")
    vswitch = net.vswitch(made["VpcId"], "172.16.0.0/24")
    refusal = TAP.refused("DependencyViolation.VSwitch", "a VPC with a vSwitch stays", net.call,
                          "DeleteVpc", VpcId=made["VpcId"])
    TAP.equal(refusal.detail["Ids"], [vswitch], "the vSwitch is named")
    net.call("DeleteVSwitch", VSwitchId=vswitch)
    net.call("DeleteVpc", VpcId=made["VpcId"])
    TAP.refused("InvalidVpcId.NotFound", "a VPC that is gone", net.call, "DeleteVpc", VpcId=made["VpcId"])


def test_launch(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    two = net.run(vswitch, Amount=2, InstanceName="w", InternetMaxBandwidthOut=5)
    TAP.equal([net.primary_ip(i) for i in two], ["10.0.0.1", "10.0.0.2"], "addresses are picked in order")
    shown = net.instance(two[0])
    TAP.equal((shown["Status"], shown["InstanceName"], shown["InternetMaxBandwidthOut"],
               shown["InternetMaxBandwidthIn"], len(shown["PublicIpAddress"]["IpAddress"]),
               shown["EipAddress"]["AllocationId"]), ("Running", "w", 5, 10, 1, ""),
              "an instance runs, with a fixed public IP")
    TAP.equal(net.public(net.run(vswitch)[0]), [], "without bandwidth it has none")
    three = net.run(vswitch, Amount=3, PrivateIpAddress="10.0.0.100")
    TAP.equal([net.primary_ip(i) for i in three], ["10.0.0.100", "10.0.0.101", "10.0.0.102"],
              "a named address and those after it")
    TAP.equal(net.primary_ip(net.run(vswitch)[0]), "10.0.0.4", "a named address does not move the picker")
    for ip, code, status in (("10.0.0.0", "InvalidPrivateIpAddress", 400),
                             ("10.0.0.253", "InvalidPrivateIpAddress", 400),
                             ("10.0.0.255", "InvalidPrivateIpAddress", 400),
                             ("10.0.1.1", "InvalidPrivateIpAddress", 400),
                             ("ten", "InvalidPrivateIpAddress.Malformed", 400),
                             ("10.0.0.100", "InvalidPrivateIpAddress.Duplicated", 400)):
        refusal = TAP.refused(code, f"RunInstances at {ip}: {code}", net.call, "RunInstances",
                              VSwitchId=vswitch, InstanceType=SMALL, PrivateIpAddress=ip)
        TAP.equal(refusal.status, status, f"RunInstances at {ip}: {status}")
    for params, code in (({"InstanceType": "ecs.none"}, "InvalidInstanceType.ValueNotSupported"),
                         ({"Amount": 101}, "InvalidParameter"), ({"Amount": 0}, "InvalidParameter"),
                         ({"VSwitchId": "vsw-x"}, "InvalidVSwitchId.NotFound"),
                         ({"VSwitchId": None}, "MissingParameter"),
                         ({"InternetMaxBandwidthOut": 101}, "InvalidInternetMaxBandwidthOut.Malformed"),
                         ({"InternetChargeType": "Free"}, "InvalidParameter"),
                         ({"InstanceChargeType": "PrePaid"}, "UnsupportedParameter"),
                         ({"ZoneId": "cn-hangzhou-b"}, "InvalidParameter.Mismatch"),
                         ({"ZoneId": "mars"}, "InvalidZoneId.NotFound"),
                         ({"NetworkInterface": [{"SecondaryPrivateIpAddressCount": 6}]},
                          "InvalidOperation.Ipv4CountExceeded"),
                         ({"NetworkInterface": [{}, {}]}, "EniPerInstanceLimitExceeded")):
        TAP.refused(code, f"RunInstances {params}: {code}", net.call, "RunInstances",
                    **{"VSwitchId": vswitch, "InstanceType": SMALL, **params})
    i = net.run(vswitch, InstanceType=BIG, NetworkInterface=[
        {"SecondaryPrivateIpAddressCount": 3, "DeleteOnRelease": False}])[0]
    listed = net.call("DescribeInstances", InstanceIds=[i])["Instances"]["Instance"][0]
    enis = listed["NetworkInterfaces"]["NetworkInterface"]
    TAP.equal([(e["Type"], len(e["PrivateIpSets"]["PrivateIpSet"])) for e in enis],
              [("Primary", 1), ("Secondary", 4)], "a second interface with 4 addresses")
    full = net.vswitch(vpc, "10.0.9.0/29")
    refusal = TAP.refused("InvalidVSwitchId.IpNotEnough", "more than there is", net.call, "RunInstances",
                          VSwitchId=full, InstanceType=SMALL, Amount=5)
    TAP.equal((refusal.status, *[refusal.detail[k] for k in ("Free", "Requested", "Total", "Used", "Reserved",
                                                             "Cooling")]), (403, 4, 5, 4, 0, 4, 0),
              "it says how much there is")
    TAP.equal(net.free(full), 4, "and nothing was taken")
    TAP.equal(len(net.run(full, Amount=9, MinAmount=2)), 4, "with MinAmount as many as there are")


def test_instance_life(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    i = net.run(vswitch, InternetMaxBandwidthOut=1)[0]
    old = net.public(i)[0]
    TAP.refused("IncorrectInstanceStatus", "start of what runs", net.call, "StartInstance", InstanceId=i)
    refusal = TAP.refused("IncorrectInstanceStatus", "delete of what runs", net.call, "DeleteInstance", InstanceId=i)
    TAP.equal((refusal.status, refusal.detail["State"], refusal.detail["Allowed"]),
              (403, "Running", ["Stopped"]), "the state and the way out")
    net.call("StopInstance", InstanceId=i)
    TAP.equal((net.public(i), net.instance(i)["StoppedMode"]), ([old], "KeepCharging"), "a stop keeps its address")
    net.call("StartInstance", InstanceId=i)
    net.call("StopInstance", InstanceId=i, StoppedMode="StopCharging")
    TAP.equal(net.public(i), [], "StopCharging takes the fixed public IP")
    TAP.equal(net.call("LookupAddress", Address=old)["Status"], "Free", "it is free again")
    net.call("StartInstance", InstanceId=i)
    TAP.ok(net.public(i) and net.public(i) != [old], "the start gives another one", net.public(i))
    net.call("StopInstance", InstanceId=i, StoppedMode="StopCharging")
    net.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=0)
    net.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=9)
    stopped = net.public(i)
    net.call("StartInstance", InstanceId=i)
    TAP.ok(stopped and net.public(i) == stopped, "0 to N while stopped gives it; the start gives no other")
    primary, before = net.primary_ip(i), net.free(vswitch)
    net.call("DeleteInstance", InstanceId=i, Force=True)
    held = net.call("LookupAddress", Address=primary, VpcId=vpc)["Holdings"]
    TAP.equal((net.free(vswitch), held), (before + 1, []),
              "a delete gives the addresses back")
    TAP.refused("InvalidInstanceId.NotFound", "an instance that is gone", net.call, "StopInstance", InstanceId=i)


def test_eni(net):
    vpc = net.vpc()
    vswitch, other = net.vswitch(vpc), net.vswitch(vpc, "10.0.1.0/24", "cn-hangzhou-b")
    made = net.call("CreateNetworkInterface", VSwitchId=vswitch, PrimaryIpAddress="10.0.0.50",
                    PrivateIpAddress=["10.0.0.51", "10.0.0.52"], NetworkInterfaceName="nic")
    sets = made["PrivateIpSets"]["PrivateIpSet"]
    TAP.equal((made["Status"], made["Type"], made["PrivateIpAddress"],
               [(a["PrivateIpAddress"], a["Primary"]) for a in sets]),
              ("Available", "Secondary", "10.0.0.50",
               [("10.0.0.50", True), ("10.0.0.51", False), ("10.0.0.52", False)]),
              "CreateNetworkInterface answers the whole interface")
    TAP.ok(made["MacAddress"].startswith("00:16:3e:"), "with its MAC address", made["MacAddress"])
    for params, code in (({"PrimaryIpAddress": "10.0.0.50"}, "InvalidPrivateIpAddress.Duplicated"),
                         ({"PrimaryIpAddress": "10.0.0.254"}, "InvalidVSwitchId.IpInvalid"),
                         ({"PrimaryIpAddress": "10.0.2.1"}, "InvalidVSwitchId.IpInvalid"),
                         ({"PrivateIpAddress": ["10.0.0.9", "10.0.0.9"]}, "InvalidIp.IpRepeated"),
                         ({"PrivateIpAddress": ["10.0.0.9"], "SecondaryPrivateIpAddressCount": 1},
                          "InvalidParameter.Conflict"),
                         ({"VSwitchId": "vsw-x"}, "InvalidVSwitchId.NotFound"),
                         ({"InstanceType": "Primary"}, "InvalidParameter")):
        TAP.refused(code, f"CreateNetworkInterface {params}: {code}", net.call, "CreateNetworkInterface",
                    **{"VSwitchId": vswitch, **params})
    refusal = TAP.refused("InvalidPrivateIpAddress.Duplicated", "a taken address", net.call, "CreateNetworkInterface",
                          VSwitchId=vswitch, PrimaryIpAddress="10.0.0.51")
    TAP.equal([refusal.detail[k] for k in ("Holder", "SinceSeq", "SinceTime")],
              [made["NetworkInterfaceId"], made["Seq"], made["Time"]], "the refusal says who has it since when")
    fresh = net.vswitch(vpc, "10.0.8.0/24")
    TAP.equal(net.addresses(net.eni(fresh, PrivateIpAddress=["10.0.8.1", "10.0.8.2"])),
              ["10.0.8.3", "10.0.8.1", "10.0.8.2"], "what is named in the same request is not picked")
    i, j = net.run(vswitch, Amount=2)
    eni = made["NetworkInterfaceId"]
    net.call("AttachNetworkInterface", InstanceId=i, NetworkInterfaceId=eni)
    shown = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=eni)
    TAP.equal((shown["Status"], shown["InstanceId"]), ("InUse", i), "attached")
    TAP.refused("InvalidOperation.InvalidEniState", "attach again", net.call, "AttachNetworkInterface",
                InstanceId=j, NetworkInterfaceId=eni)
    TAP.refused("InvalidOperation.InvalidEniState", "delete while attached", net.call, "DeleteNetworkInterface",
                NetworkInterfaceId=eni)
    TAP.refused("InvalidParameter.EniNotBelongEcs", "detach from another", net.call, "DetachNetworkInterface",
                InstanceId=j, NetworkInterfaceId=eni)
    TAP.refused("EniPerInstanceLimitExceeded", "a third interface", net.call, "AttachNetworkInterface",
                InstanceId=i, NetworkInterfaceId=net.eni(vswitch))
    TAP.refused("InvalidOperation.Ipv4CountExceeded", "7 addresses on a type with 6", net.call,
                "AttachNetworkInterface", InstanceId=j,
                NetworkInterfaceId=net.eni(vswitch, SecondaryPrivateIpAddressCount=6))
    TAP.refused("InvalidOperation.AvailabilityZoneMismatch", "another zone", net.call, "AttachNetworkInterface",
                InstanceId=j, NetworkInterfaceId=net.eni(other))
    TAP.refused("InvalidOperation.VpcMismatch", "another VPC", net.call, "AttachNetworkInterface", InstanceId=j,
                NetworkInterfaceId=net.eni(net.vswitch(net.vpc())))
    TAP.refused("InvalidEcsId.NotFound", "an instance that is none", net.call, "AttachNetworkInterface",
                InstanceId="i-x", NetworkInterfaceId=eni)
    primary = net.primary_eni(i)
    for operation, params, code in (
            ("DetachNetworkInterface", {"InstanceId": i}, "InvalidOperation.DetachPrimaryEniNotAllowed"),
            ("AttachNetworkInterface", {"InstanceId": j}, "InvalidOperation.InvalidEniType"),
            ("DeleteNetworkInterface", {}, "InvalidOperation.InvalidEniType")):
        TAP.refused(code, f"{operation} of a primary interface: {code}", net.call, operation,
                    NetworkInterfaceId=primary, **params)
    net.call("DetachNetworkInterface", InstanceId=i, NetworkInterfaceId=eni)
    TAP.equal(net.addresses(eni), ["10.0.0.50", "10.0.0.51", "10.0.0.52"], "detached, it keeps its addresses")
    net.call("DeleteNetworkInterface", NetworkInterfaceId=eni)
    TAP.refused("InvalidEniId.NotFound", "deleted", net.call, "DescribeNetworkInterfaceAttribute",
                NetworkInterfaceId=eni)
    tiny = net.run(vswitch, InstanceType=TINY)[0]
    nic = net.eni(vswitch)
    TAP.refused("InvalidOperation.HotPlugNotSupport", "a small type that runs", net.call, "AttachNetworkInterface",
                InstanceId=tiny, NetworkInterfaceId=nic)
    net.call("StopInstance", InstanceId=tiny)
    net.call("AttachNetworkInterface", InstanceId=tiny, NetworkInterfaceId=nic)
    keep = net.run(vswitch, NetworkInterface=[{"DeleteOnRelease": False}])[0]
    kept = [e["NetworkInterfaceId"] for e in net.call("DescribeNetworkInterfaces", InstanceId=keep)
            ["NetworkInterfaceSets"]["NetworkInterfaceSet"] if e["Type"] == "Secondary"][0]
    net.call("DeleteInstance", InstanceId=keep, Force=True)
    TAP.equal(net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=kept)["Status"], "Available",
              "DeleteOnRelease=false keeps an interface")


def test_secondary(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    i = net.run(vswitch)[0]
    eni, primary = net.primary_eni(i), net.primary_ip(i)
    made = net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=2)
    TAP.equal(made["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"], ["10.0.0.2", "10.0.0.3"],
              "two are picked")
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.77"])
    TAP.equal(net.addresses(eni), [primary, "10.0.0.2", "10.0.0.3", "10.0.0.77"], "one is named")
    for params, code, status in (
            ({}, "MissingParameter", 403), ({"PrivateIpAddress": ["10.0.0.77"]}, "InvalidIp.IpAssigned", 403),
            ({"PrivateIpAddress": ["10.0.0.255"]}, "InvalidVSwitchId.IpInvalid", 403),
            ({"PrivateIpAddress": ["10.0.0.9", "10.0.0.9"]}, "InvalidIp.IpRepeated", 403),
            ({"PrivateIpAddress": [f"10.0.0.{n}" for n in range(100, 133)]}, "InvalidParameter", 400),
            ({"SecondaryPrivateIpAddressCount": 3}, "InvalidOperation.Ipv4CountExceeded", 403),
            ({"NetworkInterfaceId": "eni-x", "SecondaryPrivateIpAddressCount": 1}, "InvalidEniId.NotFound", 404)):
        refusal = TAP.refused(code, f"Assign {str(params)[:60]}: {code}", net.call, "AssignPrivateIpAddresses",
                              **{"NetworkInterfaceId": eni, **params})
        TAP.equal(refusal.status, status, f"Assign {str(params)[:60]}: {status}")
    loose = net.eni(vswitch)
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=loose, SecondaryPrivateIpAddressCount=49)
    TAP.refused("MaxEniPrivateIpsCountExceeded", "a 50th on an available interface", net.call,
                "AssignPrivateIpAddresses", NetworkInterfaceId=loose, SecondaryPrivateIpAddressCount=1)
    eip = net.eip()["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=eip, InstanceId=eni, InstanceType="NetworkInterface",
             PrivateIpAddress="10.0.0.3")
    for ips, code, status in (([primary], "OperationDenied.PrimaryPrivateIp", 403),
                              (["10.0.0.99"], "InvalidIp.IpUnassigned", 403),
                              (["10.0.0.2", primary], "OperationDenied.PrimaryPrivateIp", 403),
                              (["10.0.0.3"], "DependencyViolation.Eip", 400)):
        refusal = TAP.refused(code, f"Unassign {ips}: {code}", net.call, "UnassignPrivateIpAddresses",
                              NetworkInterfaceId=eni, PrivateIpAddress=ips)
        TAP.equal(refusal.status, status, f"Unassign {ips}: {status}")
    TAP.equal(refusal.detail["AllocationId"], eip, "the EIP is named")
    net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.2", "10.0.0.77"])
    TAP.equal(net.addresses(eni), [primary, "10.0.0.3"], "two are taken back")
    TAP.equal(net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
              ["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"], ["10.0.0.54"],
              "what was just freed is the last to be given again")


def test_eip(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    i, j = net.run(vswitch, Amount=2)
    public = net.run(vswitch, InternetMaxBandwidthOut=1)[0]
    eip = net.eip(Bandwidth="7", Name="front")
    shown = net.eip_state(eip["AllocationId"])
    TAP.equal((shown["IpAddress"], shown["Status"], shown["Bandwidth"], shown["Name"], shown["InternetChargeType"]),
              (eip["EipAddress"], "Available", "7", "front", "PayByBandwidth"), "an EIP is allocated")
    TAP.ok(net.eip(Bandwidth=7)["Seq"], "Bandwidth as a number")
    for params, code in (({"Bandwidth": "0"}, "InvalidParameter"), ({"Bandwidth": "501"}, "InvalidParameter"),
                         ({"Bandwidth": "201", "InternetChargeType": "PayByTraffic"}, "InvalidParameter"),
                         ({"Bandwidth": "fast"}, "InvalidParameter"),
                         ({"InstanceChargeType": "PrePaid"}, "UnsupportedParameter"),
                         ({"IpAddress": eip["EipAddress"]}, "Ip.Allocated"),
                         ({"IpAddress": "8.8.8.8"}, "OperationFailed.AllocateUnfamiliarIp"),
                         ({"IpAddress": "198.18.0.0"}, "OperationFailed.AllocateUnfamiliarIp")):
        TAP.refused(code, f"AllocateEipAddress {params}: {code}", net.call, "AllocateEipAddress", **params)
    e = eip["AllocationId"]
    net.call("AssociateEipAddress", AllocationId=e, InstanceId=i)
    shown = net.eip_state(e)
    TAP.equal((shown["Status"], shown["InstanceId"], shown["InstanceType"], shown["PrivateIpAddress"], shown["Mode"]),
              ("InUse", i, "EcsInstance", net.primary_ip(i), "NAT"), "it is the instance's")
    TAP.equal(net.instance(i)["EipAddress"]["IpAddress"], eip["EipAddress"], "the instance shows it")
    TAP.refused("IncorrectEipStatus", "release while in use", net.call, "ReleaseEipAddress", AllocationId=e)
    TAP.refused("IncorrectEipStatus", "associate while in use", net.call, "AssociateEipAddress", AllocationId=e,
                InstanceId=j)
    f = net.eip()["AllocationId"]
    secondary = net.eni(vswitch, SecondaryPrivateIpAddressCount=1)
    nic = {"InstanceType": "NetworkInterface", "InstanceId": secondary}
    for params, code, status in (
            ({"InstanceId": i}, "InvalidAssociation.Duplicated", 400),
            ({"InstanceId": net.primary_eni(i), "InstanceType": "NetworkInterface"},
             "InvalidAssociation.Duplicated", 400),
            ({"InstanceId": public}, "EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP", 400),
            ({"InstanceId": "i-x"}, "InvalidInstanId.NotFound", 404),
            ({"InstanceId": "eni-x", "InstanceType": "NetworkInterface"}, "InvalidNicOrVm.NotFound", 400),
            ({"InstanceId": j, "InstanceType": "Nat"}, "InvalidParameter", 400),
            ({"InstanceId": j, "Mode": "BINDED"}, "Mode.NotSupport", 400),
            ({"InstanceId": j, "Mode": "MULTI_BINDED"}, "Mode.NotSupport", 400),
            ({"InstanceId": j, "Mode": "WILD"}, "IllegalParam.Mode", 400),
            ({**nic, "Mode": "BINDED"}, "Eni.HasSubIp", 400),
            ({**nic, "PrivateIpAddress": "10.0.0.200"}, "InvalidIp.IpUnassigned", 403)):
        refusal = TAP.refused(code, f"Associate {str(params)[:70]}: {code}", net.call, "AssociateEipAddress",
                              AllocationId=f, **params)
        TAP.equal(refusal.status, status, f"Associate {str(params)[:70]}: {status}")
    TAP.refused("BandwidthUpgradeDenied.EipBoundInstance", "bandwidth beside an EIP", net.call,
                "ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=5)
    TAP.refused("EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP", "a fixed public IP beside an EIP", net.call,
                "AllocatePublicIpAddress", InstanceId=i)
    net.call("AssociateEipAddress", AllocationId=f, **nic)
    TAP.equal(net.eip_state(f)["InstanceType"], "NetworkInterface", "an interface has one too")
    TAP.refused("ResourceAlreadyAssociated.IpAddress", "the same address again", net.call, "AssociateEipAddress",
                AllocationId=net.eip()["AllocationId"], **nic)
    held = net.call("LookupAddress", Address=eip["EipAddress"])
    TAP.equal((held["Status"], held["Holdings"][0]["Kind"], held["Holdings"][0]["InstanceId"],
               held["Holdings"][0]["AllocationId"]), ("Held", "Eip", i, e), "LookupAddress says who has it")
    for target, code, status in (("i-x", "InvalidInstanceId.NotFound", 400), (j, "InvalidBindInstance.NotFound", 404)):
        refusal = TAP.refused(code, f"Unassociate: {code}", net.call, "UnassociateEipAddress", AllocationId=e,
                              InstanceId=target)
        TAP.equal(refusal.status, status, f"Unassociate: {code} is {status}")
    net.call("UnassociateEipAddress", AllocationId=e, InstanceId=i)
    TAP.refused("IncorrectEipStatus", "unassociate what is bound to nothing", net.call, "UnassociateEipAddress",
                AllocationId=e)
    net.call("AssociateEipAddress", AllocationId=e, InstanceId=j)
    net.call("DeleteInstance", InstanceId=j, Force=True)
    TAP.equal(net.eip_state(e)["Status"], "Available", "an EIP outlives its instance")
    net.call("DeleteNetworkInterface", NetworkInterfaceId=secondary)
    TAP.equal(net.eip_state(f)["Status"], "Available", "and its interface")
    net.call("ReleaseEipAddress", AllocationId=e)
    TAP.equal(net.eip_state(e), None, "released, it is gone")
    TAP.refused("InvalidAllocationId.NotFound", "an EIP that is gone", net.call, "ReleaseEipAddress", AllocationId=e)
    again = net.eip(IpAddress=eip["EipAddress"])
    TAP.ok(again["EipAddress"] == eip["EipAddress"] and again["AllocationId"] != e, "the address can be asked for")
    bound = net.eni(vswitch)
    net.call("AssociateEipAddress", AllocationId=again["AllocationId"], InstanceId=bound,
             InstanceType="NetworkInterface", Mode="BINDED")
    TAP.refused("Eni.HasSubIp", "no secondary address beside BINDED", net.call, "AssignPrivateIpAddresses",
                NetworkInterfaceId=bound, SecondaryPrivateIpAddressCount=1)
    net.call("AttachNetworkInterface", InstanceId=i, NetworkInterfaceId=bound)
    TAP.refused("Eni.Attached", "BINDED is unbound when detached", net.call, "UnassociateEipAddress",
                AllocationId=again["AllocationId"])


def test_convert(net):
    vswitch = net.vswitch(net.vpc())
    i = net.run(vswitch, InternetMaxBandwidthOut=8)[0]
    ip = net.public(i)[0]
    made = net.call("ConvertNatPublicIpToEip", InstanceId=i)
    shown = net.eip_state(made["AllocationId"])
    TAP.equal((made["EipAddress"], shown["Status"], shown["InstanceId"], shown["Bandwidth"], shown["Mode"],
               shown["InternetChargeType"]), (ip, "InUse", i, "8", "NAT", "PayByTraffic"), "a conversion keeps the address")
    TAP.equal((net.public(i), net.instance(i)["InternetMaxBandwidthOut"]), ([], 0), "the instance has no own one")
    refusal = TAP.refused("InvalidInstance.IpAddressMissing", "a second conversion", net.call,
                          "ConvertNatPublicIpToEip", InstanceId=i)
    TAP.equal(refusal.status, 404, "it is 404")
    refusal = TAP.refused("InvalidInstanceId.NotFound", "of an instance that is none", net.call,
                          "ConvertNatPublicIpToEip", InstanceId="i-x")
    TAP.equal(refusal.status, 403, "it is 403")
    kinds = [(e["Type"]) for e in net.call("ListEvents", Id=ip)["Events"]]
    TAP.equal(kinds, ["InstancesLaunched", "PublicIpConverted"], "the address's history")


def test_blocks(net):
    vpc = net.vpc("10.0.0.0/16")
    made = net.call("AssociateVpcCidrBlock", VpcId=vpc, SecondaryCidrBlock="192.168.0.0/16")
    TAP.equal((made["CidrBlock"], made["IpVersion"]), ("192.168.0.0/16", "IPV4"), "a secondary block")
    shown = net.call("DescribeVpcAttribute", VpcId=vpc)
    TAP.equal(shown["SecondaryCidrBlocks"]["SecondaryCidrBlock"], ["192.168.0.0/16"], "the VPC shows it")
    for cidr, code, status in (("192.168.0.1/16", "InvalidCidrBlock.Malformed", 400),
                               ("11.0.0.0/15", None, None), ("12.0.0.0/15", "IllegalParam.SecondaryCidrBlock", 400),
                               ("100.64.0.0/16", "OperationDenied.CidrInExcludeCidrs", 400),
                               ("192.168.0.0/16", "Duplicated.SecondaryCidrBlock", 400),
                               ("192.168.1.0/24", "InvalidCidrBlock.Overlapped", 400),
                               ("10.0.0.0/16", "InvalidCidrBlock.Overlapped", 400)):
        if code:
            refusal = TAP.refused(code, f"AssociateVpcCidrBlock {cidr}: {code}", net.call, "AssociateVpcCidrBlock",
                                  VpcId=vpc, SecondaryCidrBlock=cidr)
            TAP.equal(refusal.status, status, f"AssociateVpcCidrBlock {cidr}: {status}")
    for n in range(4):
        net.call("AssociateVpcCidrBlock", VpcId=vpc, SecondaryCidrBlock=f"172.{16 + n}.0.0/16")
    TAP.refused("QuotaExceeded.VpcMultiCidr", "a sixth block", net.call, "AssociateVpcCidrBlock", VpcId=vpc,
                SecondaryCidrBlock="172.30.0.0/16")
    vswitch = net.vswitch(vpc, "192.168.5.0/24")
    TAP.equal(net.primary_ip(net.run(vswitch)[0]), "192.168.5.1", "a vSwitch in a secondary block gives addresses")
    TAP.equal(net.call("LookupAddress", Address="192.168.5.254", VpcId=vpc)["Status"], "Reserved", "and reserves some")
    for cidr, code, status in (("10.0.0.0/16", "OperationDenied.PrimaryCidrBlock", 400),
                               ("172.31.0.0/16", "InvalidCidrBlock.NotFound", 404),
                               ("192.168.0.0/16", "OperationFailed.CidrInUse", 400)):
        refusal = TAP.refused(code, f"UnassociateVpcCidrBlock {cidr}: {code}", net.call, "UnassociateVpcCidrBlock",
                              VpcId=vpc, SecondaryCidrBlock=cidr)
        TAP.equal(refusal.status, status, f"UnassociateVpcCidrBlock {cidr}: {status}")
    TAP.equal(refusal.detail["Ids"], [vswitch], "the vSwitch is named")
    net.call("UnassociateVpcCidrBlock", VpcId=vpc, SecondaryCidrBlock="172.16.0.0/16")
    TAP.equal(len(net.call("DescribeVpcAttribute", VpcId=vpc)["SecondaryCidrBlocks"]["SecondaryCidrBlock"]), 4,
              "a block that nobody uses goes")


def test_names(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    net.call("ModifyVpcAttribute", VpcId=vpc, VpcName="n1", Description="d1")
    net.call("ModifyVpcAttribute", VpcId=vpc, VpcName="n2")
    shown = net.call("DescribeVpcAttribute", VpcId=vpc)
    TAP.equal((shown["VpcName"], shown["Description"]), ("n2", "d1"), "a VPC's name changes, the rest stays")
    TAP.refused("UnsupportedParameter", "a VPC's block does not change", net.call, "ModifyVpcAttribute", VpcId=vpc,
                CidrBlock="10.0.0.0/8")
    net.call("ModifyVSwitchAttribute", VSwitchId=vswitch, VSwitchName="s")
    TAP.equal(net.call("DescribeVSwitchAttributes", VSwitchId=vswitch)["VSwitchName"], "s", "a vSwitch's name")
    TAP.refused("InvalidVSwitchId.NotFound", "a vSwitch that is none", net.call, "ModifyVSwitchAttribute",
                VSwitchId="vsw-x")
    eip = net.eip()["AllocationId"]
    net.call("ModifyEipAddressAttribute", AllocationId=eip, Bandwidth="50", Name="e")
    TAP.equal([net.eip_state(eip)[k] for k in ("Bandwidth", "Name")], ["50", "e"], "an EIP's bandwidth and name")
    TAP.refused("InvalidParameter", "an EIP's bandwidth of 501", net.call, "ModifyEipAddressAttribute",
                AllocationId=eip, Bandwidth="501")
    for ip, can in (("10.0.0.9", True), ("10.0.0.0", False), ("10.0.0.255", False), ("10.0.1.1", False)):
        TAP.equal(net.call("CheckCanAllocateVpcPrivateIpAddress", VSwitchId=vswitch, PrivateIpAddress=ip)["CanAllocate"],
                  can, f"{ip} can be allocated: {can}")
    types = net.call("DescribeInstanceTypes", InstanceTypes=[SMALL])["InstanceTypes"]["InstanceType"]
    TAP.equal([(t["InstanceTypeId"], t["EniQuantity"], t["EniPrivateIpAddressQuantity"]) for t in types],
              [(SMALL, 2, 6)], "DescribeInstanceTypes")


def test_create_instance(net):
    vswitch = net.vswitch(net.vpc())
    i = net.call("CreateInstance", VSwitchId=vswitch, InstanceType=SMALL, InternetMaxBandwidthOut=5)["InstanceId"]
    shown = net.instance(i)
    TAP.equal((shown["Status"], net.public(i), shown["InternetMaxBandwidthOut"]), ("Stopped", [], 5),
              "CreateInstance: stopped, bandwidth, no address")
    TAP.refused("IncorrectInstanceStatus", "reboot of what is stopped", net.call, "RebootInstance", InstanceId=i)
    net.call("StartInstance", InstanceId=i)
    TAP.equal(net.public(i), [], "a start gives none either")
    TAP.equal(net.call("AllocatePublicIpAddress", InstanceId=i)["IpAddress"], net.public(i)[0], "to ask for one does")
    before = (net.primary_ip(i), net.public(i))
    net.call("RebootInstance", InstanceId=i)
    TAP.equal((net.primary_ip(i), net.public(i)), before, "a reboot changes no address")
    status = net.call("DescribeInstanceStatus", InstanceId=[i])["InstanceStatuses"]["InstanceStatus"]
    TAP.equal(status, [{"InstanceId": i, "Status": "Running"}], "DescribeInstanceStatus")
    TAP.refused("InvalidPrivateIpAddress.Duplicated", "CreateInstance at a taken address", net.call, "CreateInstance",
                VSwitchId=vswitch, InstanceType=SMALL, PrivateIpAddress=before[0])


def test_guest(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    i = net.run(vswitch, InternetMaxBandwidthOut=4)[0]
    eni = net.primary_eni(i)
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
    second = net.eni(vswitch)
    net.call("AttachNetworkInterface", InstanceId=i, NetworkInterfaceId=second)
    eip = net.eip(Bandwidth="9")
    net.call("AssociateEipAddress", AllocationId=eip["AllocationId"], InstanceId=second,
             InstanceType="NetworkInterface")
    view = net.call("GetGuestView", InstanceId=i)
    TAP.equal([(n["Name"], n["NetworkInterfaceId"], n["Gateway"]) for n in view["Interfaces"]],
              [("eth0", eni, "10.0.0.253"), ("eth1", second, "10.0.0.253")], "interfaces in the order of attachment")
    TAP.equal([(a["Address"], a["PrefixLength"], a["Role"], a["Configure"]) for a in view["Interfaces"][0]["Addresses"]],
              [("10.0.0.1", 24, "PrimaryPrivate", "Dhcp"), ("10.0.0.2", 24, "SecondaryPrivate", "Manual")],
              "S10 S23 the primary address comes by DHCP, a secondary one by hand")
    TAP.equal(view["DefaultRoute"], {"Interface": "eth0", "Gateway": "10.0.0.253"}, "S69 the default route")
    shown = {a["Address"] for n in view["Interfaces"] for a in n["Addresses"]}
    TAP.ok(not shown & {net.public(i)[0], eip["EipAddress"]}, "S72 no public address is seen in the guest", shown)
    reach = net.call("GetReachability", InstanceId=i)
    TAP.equal(reach["PrivateIpv4"], ["10.0.0.1", "10.0.0.2", "10.0.0.3"], "S9 private addresses")
    TAP.equal(reach["DefaultEgress"], "10.0.0.1", "S14 the default egress is the primary address")
    TAP.equal([(a["PrivateIpAddress"], a["PublicIpAddress"], a["Kind"], a["Bandwidth"]) for a in reach["InternetIpv4"]],
              [("10.0.0.1", net.public(i)[0], "PublicIp", 4), ("10.0.0.3", eip["EipAddress"], "Eip", 9)],
              "S27 S40 public addresses, each with its bandwidth")
    good = as_ip_addr(view)
    TAP.equal(net.call("CheckGuest", InstanceId=i, Interfaces=good)["Differences"], [], "S60 both views agree")

    def differences(change):
        seen = json.loads(json.dumps(good))
        change(seen)
        answer = net.call("CheckGuest", InstanceId=i, Interfaces=seen)
        TAP.equal(answer["Agrees"], False, "a difference is no agreement")
        return [(x["Kind"], x["Address"], x["NetworkInterfaceId"]) for x in answer["Differences"] if x["Consequence"]]
    extra = {"family": "inet", "local": "10.0.0.99", "prefixlen": 24, "scope": "global"}
    TAP.equal(differences(lambda s: s[1]["addr_info"].pop(1)), [("MissingInGuest", "10.0.0.2", eni)],
              "an address that is not configured")
    TAP.equal(differences(lambda s: s[1]["addr_info"].append(extra)), [("UnknownToLedger", "10.0.0.99", eni)],
              "an address that the ledger does not know")
    TAP.equal(differences(lambda s: s[1]["addr_info"].append({**extra, "local": net.public(i)[0]})),
              [("PublicInGuest", net.public(i)[0], eni)], "a public address in the guest")
    theirs = net.primary_ip(net.run(vswitch)[0])
    TAP.equal(differences(lambda s: s[1]["addr_info"].append({**extra, "local": theirs})),
              [("HeldElsewhere", theirs, eni)], "an address that another instance holds")
    TAP.equal(differences(lambda s: s[2]["addr_info"].append(s[1]["addr_info"].pop(1))),
              [("MissingInGuest", "10.0.0.2", eni), ("HeldElsewhere", "10.0.0.2", second)],
              "an address on the wrong interface")
    TAP.equal(differences(lambda s: s[1]["addr_info"][0].update(prefixlen=16)), [("PrefixLength", "10.0.0.1", eni)],
              "another mask")
    TAP.equal(differences(lambda s: s.pop(2)), [("InterfaceMissing", "", second)], "an interface that is not seen")
    TAP.refused("InvalidParameter", "what is no output of ip", net.call, "CheckGuest", InstanceId=i, Interfaces="x")
    TAP.refused("InvalidInstanceId.NotFound", "an instance that is none", net.call, "GetGuestView", InstanceId="i-x")
    seq = net.head()
    net.call("DetachNetworkInterface", InstanceId=i, NetworkInterfaceId=second)
    TAP.equal([len(net.call("GetGuestView", InstanceId=i, **a)["Interfaces"]) for a in ({}, {"AsOf": seq})], [1, 2],
              "the guest's view as of then")
    net.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=0)
    TAP.equal(net.call("GetReachability", InstanceId=i)["InternetIpv4"], [], "S3 without a public address no Internet")
    bound = net.eni(vswitch)
    net.call("AssociateEipAddress", AllocationId=net.eip()["AllocationId"], InstanceId=bound,
             InstanceType="NetworkInterface", Mode="BINDED")
    net.call("AttachNetworkInterface", InstanceId=i, NetworkInterfaceId=bound)
    seen = net.call("GetGuestView", InstanceId=i)["Interfaces"][1]["Addresses"]
    TAP.equal([a["Role"] for a in seen], ["Eip"], "a BINDED EIP is seen in place of the private address")
    reach = net.call("GetReachability", InstanceId=i)
    TAP.equal((reach["PrivateIpv4"], [a["PublicIpAddress"] for a in reach["InternetIpv4"]]),
              (["10.0.0.1", "10.0.0.2"], [seen[0]["Address"]]), "which takes the private function of its interface")


def test_large():
    """The largest launches: what one event holds, and one that it does not."""
    work = tempfile.TemporaryDirectory()
    init = os.path.join(work.name, "init.json")
    with open(init, "w", encoding="utf-8") as file:
        json.dump({"InstanceTypes": [{"InstanceType": "big", "EniQuantity": 12, "EniPrivateIpAddressQuantity": 50}]},
                  file)
    server = Server(init=init)
    net = Net(server)
    vswitch = net.vswitch(net.vpc(), "10.0.0.0/16")
    nics = [{"SecondaryPrivateIpAddressCount": 49}] * 11
    ids = net.run(vswitch, InstanceType="big", Amount=20, NetworkInterface=nics)
    TAP.equal((len(ids), net.free(vswitch)), (20, 65532 - 20 * 551), "20 instances with 551 addresses each")
    TAP.refused("InvalidParameter", "more than one event holds", net.call, "RunInstances", VSwitchId=vswitch,
                InstanceType="big", Amount=90, NetworkInterface=nics)
    TAP.equal(net.free(vswitch), 65532 - 20 * 551, "nothing of it was taken")
    for i in ids:
        net.call("DeleteInstance", InstanceId=i, Force=True)
    TAP.equal(net.free(vswitch), 65532, "all are given back")
    server.kill()
    server.start()
    TAP.equal(Net(server).free(vswitch), 65532, "and are so after a restart")
    server.remove()
    work.cleanup()


def main():
    server = Server()
    for test in (test_vpc, test_launch, test_instance_life, test_eni, test_secondary,
                 test_eip, test_convert, test_blocks, test_names, test_create_instance, test_guest):
        try:
            test(Net(server))
        except (Refused, OSError, KeyError, AttributeError, TypeError, IndexError) as problem:
            TAP.ok(False, f"{test.__name__} ran to its end", repr(problem))
    server.remove()
    test_large()
    TAP.end()


main()
