#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger with a small network.
Claimed: rules where two things meet: what a quota counts, an address that changes under an EIP or
without one, bandwidth without an address. (Rules that a mutant once got past the other tests.)"""
from ledger import SMALL, Net, Server, Tap

TAP = Tap()


def quotas(net, **values):
    net.call("ModifyLedgerSettings", Quotas=values)


def test_quotas(net, vswitch):
    have = net.call("GetStatus")["Counts"]["NetworkInterface"]
    quotas(net, NetworkInterfaces=have + 5)
    run = {"VSwitchId": vswitch, "InstanceType": SMALL}
    refusal = TAP.refused("MaxEniCountExceeded", "three instances with two interfaces each are six", net.call,
                          "RunInstances", **run, Amount=3, NetworkInterface=[{}])
    TAP.equal(refusal.detail["Requested"], 6, "the refusal counts them")
    TAP.refused("MaxEniCountExceeded", "six instances are one too many", net.call, "RunInstances", **run, Amount=6)
    made = net.call("RunInstances", **run, Amount=5)["InstanceIdSets"]["InstanceIdSet"]
    TAP.equal(len(made), 5, "five are none too many")
    quotas(net)
    public = net.run(vswitch, InternetMaxBandwidthOut=5)[0]
    quotas(net, Eips=net.call("GetStatus")["Counts"]["Eip"])
    refusal = TAP.refused("MaxEIPQuotaExceeded", "a conversion makes an EIP, which the quota counts", net.call,
                          "ConvertNatPublicIpToEip", InstanceId=public)
    TAP.equal(refusal.status, 403, "that is 403")
    quotas(net)
    net.call("ConvertNatPublicIpToEip", InstanceId=public)


def test_address(net, vswitch):
    for bound in (False, True):
        what = "with an EIP" if bound else "without an EIP"
        instance = net.run(vswitch)[0]
        if bound:
            eip = net.call("AllocateEipAddress")["AllocationId"]
            net.call("AssociateEipAddress", AllocationId=eip, InstanceId=instance)
        change = {"InstanceId": instance, "VSwitchId": vswitch}
        refusal = TAP.refused("IncorrectInstanceStatus", f"a running instance {what} keeps its address", net.call,
                              "ModifyInstanceVpcAttribute", **change)
        TAP.equal((refusal.status, refusal.detail["State"]), (400, "Running"), "that is 400")
        net.call("StopInstance", InstanceId=instance)
        net.call("ModifyInstanceVpcAttribute", **change)
        TAP.refused("InvalidPrivateIp.Changing", f"{what}, it changes once a stop", net.call,
                    "ModifyInstanceVpcAttribute", **change)
        net.call("StartInstance", InstanceId=instance)
        net.call("StopInstance", InstanceId=instance)
        net.call("ModifyInstanceVpcAttribute", **change)
        TAP.ok(True, f"{what}, it changes again after a start")


def test_bandwidth(net, vswitch):
    instance = net.call("CreateInstance", VSwitchId=vswitch, InstanceType=SMALL,
                        InternetMaxBandwidthOut=5)["InstanceId"]

    def public():
        return net.call("DescribeInstanceAttribute", InstanceId=instance)["PublicIpAddress"]["IpAddress"]

    net.call("ModifyInstanceNetworkSpec", InstanceId=instance, InternetMaxBandwidthOut=9)
    TAP.equal(public(), [], "more of a bandwidth that has no address brings none")
    net.call("StartInstance", InstanceId=instance)
    TAP.equal(public(), [], "nor does a start")
    net.call("ModifyInstanceNetworkSpec", InstanceId=instance, InternetMaxBandwidthOut=0)
    net.call("ModifyInstanceNetworkSpec", InstanceId=instance, InternetMaxBandwidthOut=9)
    TAP.equal(len(public()), 1, "from 0 on it does")


def test_settings(net, vswitch):
    """What is in use stays, or stays large enough."""
    TAP.refused("DependencyViolation.Zone", "a zone with a vSwitch is not exchanged for another", net.call,
                "ModifyLedgerSettings", Zones=["cn-hangzhou-b"])

    def kind(*figures):
        names = ("EniQuantity", "EniPrivateIpAddressQuantity", "EniIpv6AddressQuantity")
        return {"InstanceTypes": [{"InstanceType": SMALL, **dict(zip(names, figures))}]}

    instance = net.run(vswitch, NetworkInterface=[{"SecondaryPrivateIpAddressCount": 2}])[0]
    for figures, what in (((1, 6, 1), "interfaces"), ((2, 2, 1), "addresses")):
        refusal = TAP.refused("DependencyViolation.InstanceType", f"a type keeps room for the {what} of its instances",
                              net.call, "ModifyLedgerSettings", **kind(*figures))
        TAP.equal(refusal.detail["Parameter"], "InstanceTypes", "the refusal names the parameter")
    net.call("ModifyLedgerSettings", **kind(2, 3, 0))
    eni = net.call("DescribeNetworkInterfaces", InstanceId=instance, Type="Secondary")
    eni = eni["NetworkInterfaceSets"]["NetworkInterfaceSet"][0]["NetworkInterfaceId"]
    TAP.refused("InvalidOperation.Ipv4CountExceeded", "what it takes now is the limit", net.call,
                "AssignPrivateIpAddresses", NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
    net.call("ModifyLedgerSettings", InstanceTypes=[])
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)


def main():
    server = Server()
    net = Net(server)
    vswitch = net.vswitch(net.vpc(), "10.0.0.0/24")
    test_quotas(net, vswitch)
    test_address(net, vswitch)
    test_bandwidth(net, vswitch)
    test_settings(net, vswitch)
    server.remove()
    TAP.end()


main()
