#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger with a reuse delay, into which history is brought in by EventTime.
Claimed: whether an address cools down is judged at the time of the request, whatever was asked before
at a later time; a moment of the past looks the same for ever; the counts of a vSwitch add up."""
import datetime
import json
import os
import tempfile

from ledger import ZONE, Refused, Server, Tap


def stamp(minutes):
    """A time that many minutes ago."""
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse(client):
    try:
        client.call("DeleteVpc", VpcId="vpc-nothing")
    except Refused:
        pass


def settings(values):
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(values, file)
    return file.name


def test_history(tap):
    init = settings({"ReuseDelaySeconds": 3600, "EventTime": stamp(300), "PublicPools": ["198.18.0.0/29"]})
    server = Server(init=init)
    client = server.client()
    vpc = client.call("CreateVpc", CidrBlock="10.0.0.0/16", EventTime=stamp(299))["VpcId"]
    vswitch = client.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.0.0.0/29",
                          EventTime=stamp(298))["VSwitchId"]
    eni = client.call("CreateNetworkInterface", VSwitchId=vswitch, EventTime=stamp(200))["NetworkInterfaceId"]
    eip = client.call("AllocateEipAddress", EventTime=stamp(200))["AllocationId"]
    client.call("ReleaseEipAddress", AllocationId=eip, EventTime=stamp(199))
    freed = client.call("DeleteNetworkInterface", NetworkInterfaceId=eni, EventTime=stamp(199))["Seq"]

    def status(as_of):
        return client.call("LookupAddress", Address="10.0.0.1", VpcId=vpc, AsOf=as_of)["Status"]

    def free(as_of):
        return client.call("DescribeVSwitchAttributes", VSwitchId=vswitch, AsOf=as_of)["AvailableIpAddressCount"]

    before = status(freed), free(freed)
    tap.equal(before, ("Cooling", 3), "freed, it cools down")
    refuse(client)  # at the clock's time: hours later
    tap.equal((status(freed), free(freed)), before, "what is asked later does not change that moment")
    picked = [client.call("CreateNetworkInterface", VSwitchId=vswitch,
                          EventTime=stamp(180))["PrivateIpAddress"] for _ in range(3)]
    tap.equal(picked, ["10.0.0.2", "10.0.0.3", "10.0.0.4"], "what cools at that time is not picked then")
    refusal = tap.refused("InvalidVSwitchId.IpNotEnough", "and none is left", client.call,
                          "CreateNetworkInterface", VSwitchId=vswitch, EventTime=stamp(180))
    tap.equal((refusal.detail["Free"], refusal.detail["Used"], refusal.detail["Cooling"]), (0, 3, 1),
              "the refusal counts it")
    eips = [client.call("AllocateEipAddress", EventTime=stamp(180))["EipAddress"] for _ in range(5)]
    tap.equal(eips, [f"198.18.0.{i}" for i in range(2, 7)], "nor is a public one")
    tap.refused("OperationFailed.InsufficientEIP", "of which none is left", client.call, "AllocateEipAddress",
                EventTime=stamp(180))
    head = client.call("GetStatus")["HeadSeq"]
    tap.equal(free(head), 0, "the vSwitch has none to give")
    server.stop()
    server.start()
    client = server.client()
    tap.equal((status(freed), free(freed), free(head)), (*before, 0), "after a restart it is the same")
    tap.equal(client.call("CreateNetworkInterface", VSwitchId=vswitch)["PrivateIpAddress"], "10.0.0.1",
              "today it has cooled down")
    server.remove()
    os.unlink(init)


def test_names(tap):
    """A small vSwitch under a long delay: what cools down is had by name, and by name only."""
    init = settings({"ReuseDelaySeconds": 3600})
    server = Server(init=init)
    client = server.client()
    vpc = client.call("CreateVpc", CidrBlock="10.0.0.0/16")["VpcId"]

    def vswitch():
        return client.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.0.0.0/29")["VSwitchId"]

    def eni(**params):
        made = client.call("CreateNetworkInterface", VSwitchId=first, **params)
        return made["NetworkInterfaceId"], [a["PrivateIpAddress"] for a in made["PrivateIpSets"]["PrivateIpSet"]]

    first = vswitch()
    client.call("DeleteNetworkInterface", NetworkInterfaceId=eni()[0])
    tap.equal(client.call("CheckCanAllocateVpcPrivateIpAddress", VSwitchId=first,
                          PrivateIpAddress="10.0.0.1")["CanAllocate"], True, "a cooling address can be asked for by name")
    number, addresses = eni(PrimaryIpAddress="10.0.0.1", SecondaryPrivateIpAddressCount=3)
    tap.equal(addresses, ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"],
              "it was none of the free ones: all of them are picked beside it")
    client.call("DeleteNetworkInterface", NetworkInterfaceId=number)
    refusal = tap.refused("InvalidVSwitchId.IpNotEnough", "all of them cool down", client.call,
                          "CreateNetworkInterface", VSwitchId=first)
    tap.equal((refusal.detail["Free"], refusal.detail["Cooling"], "NextCooledTime" in refusal.detail), (0, 4, True),
              "the refusal says how many, and until when")
    tap.equal(eni(PrimaryIpAddress="10.0.0.3")[1], ["10.0.0.3"], "one of them by name")
    client.call("DeleteNetworkInterface", NetworkInterfaceId=client.call(
        "DescribeNetworkInterfaces")["NetworkInterfaceSets"]["NetworkInterfaceSet"][0]["NetworkInterfaceId"])
    client.call("DeleteVSwitch", VSwitchId=first)
    first = vswitch()
    tap.refused("InvalidVSwitchId.IpNotEnough", "a vSwitch that comes in their place picks none of them", client.call,
                "CreateNetworkInterface", VSwitchId=first)
    client.call("ModifyLedgerSettings", ReuseDelaySeconds=0)
    number, _ = eni(PrimaryIpAddress="10.0.0.2")
    client.call("DeleteNetworkInterface", NetworkInterfaceId=number)
    tap.equal(eni()[1], ["10.0.0.2"], "without a delay what is freed can be picked at once")
    server.remove()
    os.unlink(init)


def test_ipv6(tap):
    init = settings({"ReuseDelaySeconds": 3600})
    server = Server(init=init)
    client = server.client()
    vpc = client.call("CreateVpc", CidrBlock="10.0.0.0/16", EnableIpv6=True)["VpcId"]
    vswitch = client.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.0.0.0/24",
                          Ipv6CidrBlock=0)["VSwitchId"]
    eni = client.call("CreateNetworkInterface", VSwitchId=vswitch)["NetworkInterfaceId"]
    block = client.call("DescribeVSwitchAttributes", VSwitchId=vswitch)["Ipv6CidrBlock"].split("::")[0]
    client.call("AssignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address=[f"{block}::2"])
    client.call("UnassignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address=[f"{block}::2"])
    tap.equal(client.call("LookupAddress", Address=f"{block}::2")["Status"], "Cooling", "an IPv6 address cools down")
    tap.equal(client.call("AssignIpv6Addresses", NetworkInterfaceId=eni, Ipv6AddressCount=2)["Ipv6Sets"]["Ipv6Address"],
              [f"{block}::1", f"{block}::3"], "and is not picked meanwhile")
    client.call("AssignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address=[f"{block}::2"])
    tap.equal(client.call("LookupAddress", Address=f"{block}::2")["Status"], "Held", "by name it is had")
    server.remove()
    os.unlink(init)


def main():
    tap = Tap()
    test_history(tap)
    test_names(tap)
    test_ipv6(tap)
    tap.end()


main()
