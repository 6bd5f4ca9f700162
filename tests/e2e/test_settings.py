#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: ledgers with settings of their own, from `serve --init` and by ModifyLedgerSettings.
Claimed: what is no setting is refused and changes nothing; quotas hold at their limit and one past
it; types can be added; what is in use stays; a freed address cools down, across restarts."""
import datetime
import json
import os
import subprocess
import tempfile
import time

from ledger import BINARY, SMALL, ZONE, Net, Server
from refusals import TAP, Table, run

QUOTAS = ("Vpcs", "VSwitchesPerVpc", "NetworkInterfaces", "PrivateIpAddressesPerVpc", "Eips")


class Own:
    """A server with settings of its own, for one test."""

    def __init__(self, **settings):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "init.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(settings, file)
        self.server = Server(init=path)

    def __enter__(self):
        return self.server

    def __exit__(self, *_):
        self.server.remove()
        self.folder.cleanup()


def test_values(server):
    net = Table(server, "ModifyLedgerSettings")
    kind = {"InstanceType": "my.type", "EniQuantity": 1, "EniPrivateIpAddressQuantity": 1}
    for params, code, parameter in (
            ({"Zones": []}, "InvalidParameter", "Zones"), ({"Zones": [""]}, "InvalidParameter", "Zones"),
            ({"Zones": ["z" * 65]}, "InvalidParameter", "Zones"), ({"Zones": "a"}, "InvalidParameter", "Zones"),
            ({"PublicPools": ["x"]}, "InvalidParameter", "PublicPools"),
            ({"PublicPools": ["203.0.113.0/31"]}, "InvalidParameter", "PublicPools"),
            ({"PublicPools": ["8.0.0.0/7"]}, "InvalidParameter", "PublicPools"),
            ({"PublicPools": ["203.0.113.1/24"]}, "InvalidParameter", "PublicPools"),
            ({"PublicPools": ["203.0.113.0/24", "203.0.113.128/25"]}, "InvalidParameter", "PublicPools"),
            ({"Ipv6Pool": "x"}, "InvalidParameter", "Ipv6Pool"), ({"Ipv6Pool": "2001:db8::/57"}, "InvalidParameter", "Ipv6Pool"),
            ({"Ipv6Pool": "2001:db8::1/56"}, "InvalidParameter", "Ipv6Pool"),
            ({"ReuseDelaySeconds": -1}, "InvalidParameter", "ReuseDelaySeconds"),
            ({"ReuseDelaySeconds": "5"}, "InvalidParameter", "ReuseDelaySeconds"),
            ({"Quotas": 5}, "InvalidParameter", "Quotas"), ({"Quotas": {"Moons": 1}}, "InvalidParameter", "Quotas"),
            ({"Quotas": {"Vpcs": -1}}, "InvalidParameter", "Quotas"), ({"Quotas": {"Vpcs": "1"}}, "InvalidParameter", "Quotas"),
            ({"InstanceTypes": [kind, kind]}, "InvalidParameter", "InstanceTypes"),
            ({"InstanceTypes": [{"InstanceType": "x"}]}, "MissingParameter", "InstanceTypes[1].EniQuantity"),
            ({"InstanceTypes": [{**kind, "EniQuantity": 0}]}, "InvalidParameter", "InstanceTypes[1].EniQuantity"),
            ({"InstanceTypes": [{**kind, "Cores": 1}]}, "UnsupportedParameter", "InstanceTypes[1].Cores"),
            ({"RegionId": "cn-beijing"}, "InvalidRegionId.NotFound", None),
            ({"LedgerId": "x"}, "UnsupportedParameter", "LedgerId")):
        net.row(json.dumps(params)[:70], code, params, parameter=parameter)
    made = net.do(InstanceTypes=[{**kind, "EniIpv6AddressQuantity": 2}], Quotas={q: 1000 for q in QUOTAS})
    TAP.equal((made["InstanceTypes"], made["Quotas"], made["ReuseDelaySeconds"], made["PublicPools"], made["Ipv6Pool"]),
              ([{**kind, "EniIpv6AddressQuantity": 2}], {q: 1000 for q in QUOTAS}, 0, ["198.18.0.0/15"], "2001:db8::/32"),
              "ModifyLedgerSettings: answers all the settings")
    before = net.head()
    net.do(Quotas={})
    TAP.equal((net.do()["Quotas"], net.head()), ({}, before + 2), "ModifyLedgerSettings: no quotas again; each is an event")


def test_in_use(server):
    net = Table(server, "ModifyLedgerSettings")
    kind = {"InstanceType": "my.type", "EniQuantity": 2, "EniPrivateIpAddressQuantity": 3, "EniIpv6AddressQuantity": 1}
    net.do(InstanceTypes=[kind], PublicPools=["198.18.0.0/15", "203.0.113.0/30"], Zones=[ZONE, "cn-hangzhou-b"])
    vpc = net.vpc6()
    vswitch = net.vswitch(vpc)
    i = net.run(vswitch, InstanceType="my.type")[0]
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=net.primary_eni(i), SecondaryPrivateIpAddressCount=2)
    eip = net.eip(IpAddress="203.0.113.1")["AllocationId"]
    net.row("a pool in use", "DependencyViolation.PublicPool", {"PublicPools": ["198.18.0.0/15"]}, parameter="PublicPools")
    net.row("a pool in use made smaller", "DependencyViolation.PublicPool", {"PublicPools": ["198.18.0.0/15", "203.0.113.0/29"]})
    net.row("the IPv6 pool in use", "DependencyViolation.Ipv6Pool", {"Ipv6Pool": "2408::/32"}, ids=[vpc])
    net.passes("a larger IPv6 pool that holds it", {"Ipv6Pool": "2001:d00::/24"})
    net.row("a zone in use", "DependencyViolation.Zone", {"Zones": ["cn-hangzhou-b"]}, ids=[vswitch])
    net.row("a type in use", "DependencyViolation.InstanceType", {"InstanceTypes": []}, ids=[i])
    for member, value in (("EniPrivateIpAddressQuantity", 2), ("EniIpv6AddressQuantity", 0)):
        wanted = "DependencyViolation.InstanceType" if value == 2 else None
        if wanted:
            net.row(f"{member} below what is there", wanted, {"InstanceTypes": [{**kind, member: value}]}, ids=[i])
        else:
            net.passes(f"{member} down to what is there", {"InstanceTypes": [{**kind, member: value}]})
    net.passes("a larger type", {"InstanceTypes": [{**kind, "EniQuantity": 9}]})
    net.call("ReleaseEipAddress", AllocationId=eip)
    net.call("DeleteInstance", InstanceId=i, Force=True)
    net.call("DeleteVSwitch", VSwitchId=vswitch)
    net.call("DeleteVpc", VpcId=vpc)
    made = net.do(PublicPools=["198.18.0.0/15"], InstanceTypes=[], Zones=["cn-hangzhou-b"], Ipv6Pool="2408::/32")
    TAP.equal((made["PublicPools"], made["InstanceTypes"], made["Zones"], made["Ipv6Pool"]),
              (["198.18.0.0/15"], [], ["cn-hangzhou-b"], "2408::/32"), "ModifyLedgerSettings: unused, all can be taken away")
    net.row("a type that was taken away", "InvalidInstanceType.ValueNotSupported",
            {"VSwitchId": net.vswitch(net.vpc(), zone="cn-hangzhou-b"), "InstanceType": "my.type"}, operation="RunInstances")
    net.row("a zone that was taken away", "InvalidZoneId.NotFound",
            {"VpcId": net.vpc(), "ZoneId": ZONE, "CidrBlock": "10.0.0.0/24"}, operation="CreateVSwitch", parameter="ZoneId")


def test_quotas():
    with Own(Quotas={"Vpcs": 2, "VSwitchesPerVpc": 2, "NetworkInterfaces": 4, "PrivateIpAddressesPerVpc": 6,
                     "Eips": 1}) as server:
        net = Table(server)
        vpc = net.vpc()
        net.passes("a second VPC", {"CidrBlock": "10.0.0.0/16"}, operation="CreateVpc")
        other = net.vpc()
        facts = lambda rule, limit, count, requested: {"Rule": rule, "Limit": limit, "Count": count, "Requested": requested}
        net.row("a third VPC", "QuotaExceeded.Vpc", {"CidrBlock": "10.0.0.0/16"}, operation="CreateVpc",
                detail=facts("Vpcs", 2, 2, 1))
        net.row("a range before the quota", "IllegalParam.CidrBlockMask", {"CidrBlock": "10.0.0.0/29"}, operation="CreateVpc")
        net.row("the quota before IPv6", "QuotaExceeded.Vpc", {"CidrBlock": "10.0.0.0/16", "EnableIpv6": True},
                operation="CreateVpc")
        net.row("the quota in a dry run", "QuotaExceeded.Vpc", {"CidrBlock": "10.0.0.0/16", "DryRun": True},
                operation="CreateVpc")
        vswitch, tight = net.vswitch(vpc), net.vswitch(vpc, "10.0.1.0/29")
        third = {"VpcId": vpc, "ZoneId": ZONE, "CidrBlock": "10.0.2.0/24"}
        net.row("a third vSwitch", "QuotaExceeded.VSwitch", third, operation="CreateVSwitch",
                detail=facts("VSwitchesPerVpc", 2, 2, 1))
        net.row("an overlap before the quota", "InvalidCidrBlock.Overlapped", {**third, "CidrBlock": "10.0.0.0/24"},
                operation="CreateVSwitch")
        net.passes("a first one in another VPC", {**third, "VpcId": other}, operation="CreateVSwitch")
        run_ = {"VSwitchId": vswitch, "InstanceType": SMALL}
        net.row("five instances", "MaxEniCountExceeded", {**run_, "Amount": 5}, operation="RunInstances",
                detail=facts("NetworkInterfaces", 4, 0, 5))
        net.passes("four instances", {**run_, "Amount": 4}, operation="RunInstances")
        net.row("three with two interfaces", "MaxEniCountExceeded", {**run_, "Amount": 3, "NetworkInterface": [{}]},
                operation="RunInstances")
        i = net.run(vswitch)[0]
        eni = net.eni(vswitch, SecondaryPrivateIpAddressCount=3)
        net.row("two more addresses", "QuotaExceeded.PrivateIpAddress",
                {"NetworkInterfaceId": eni, "SecondaryPrivateIpAddressCount": 2}, operation="AssignPrivateIpAddresses",
                detail=facts("PrivateIpAddressesPerVpc", 6, 5, 2))
        net.passes("one more address", {"NetworkInterfaceId": eni, "SecondaryPrivateIpAddressCount": 1},
                   operation="AssignPrivateIpAddresses")
        net.row("an interface with two addresses", "QuotaExceeded.PrivateIpAddress",
                {"VSwitchId": vswitch, "SecondaryPrivateIpAddressCount": 1}, operation="CreateNetworkInterface")
        net.row("the quota before a taken address", "QuotaExceeded.PrivateIpAddress",
                {**run_, "Amount": 2, "PrivateIpAddress": net.primary_ip(i)}, operation="RunInstances")
        net.row("the quota before a full vSwitch", "QuotaExceeded.PrivateIpAddress",
                {"VSwitchId": tight, "SecondaryPrivateIpAddressCount": 9}, operation="CreateNetworkInterface")
        net.eni(vswitch)
        net.call("DeleteNetworkInterface", NetworkInterfaceId=net.eni(net.vswitch(other)))
        net.eni(net.call("DescribeVSwitches", VpcId=other)["VSwitches"]["VSwitch"][0]["VSwitchId"])
        net.row("a fifth interface", "MaxEniCountExceeded", {"VSwitchId": tight}, operation="CreateNetworkInterface",
                detail=facts("NetworkInterfaces", 4, 4, 1))
        net.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=1)
        net.eip()
        net.row("a second EIP", "QuotaExceeded.Eip", {}, operation="AllocateEipAddress", detail=facts("Eips", 1, 1, 1))
        net.row("a range before the quota", "InvalidParameter", {"IpAddress": "x"}, operation="AllocateEipAddress")
        net.row("the quota before the address", "QuotaExceeded.Eip", {"IpAddress": "8.8.8.8"}, operation="AllocateEipAddress")
        net.row("one by conversion", "MaxEIPQuotaExceeded", {"InstanceId": i}, operation="ConvertNatPublicIpToEip",
                detail=facts("Eips", 1, 1, 1))
        net.call("ModifyLedgerSettings", Quotas={"Eips": 0})
        net.row("quotas below what is there", "QuotaExceeded.Eip", {}, operation="AllocateEipAddress",
                detail=facts("Eips", 0, 1, 1))
        net.passes("those that were not named again are gone", {"CidrBlock": "10.0.0.0/16"}, operation="CreateVpc")


def test_pools():
    with Own(PublicPools=["203.0.113.0/29", "198.51.100.0/30"], Ipv6Pool="2001:db8:1200::/56") as server:
        net = Table(server, "AllocateEipAddress")
        vswitch = net.vswitch(net.vpc6())
        given = [net.do()["EipAddress"] for _ in range(8)]
        TAP.equal(given, [f"203.0.113.{n}" for n in range(1, 7)] + ["198.51.100.1", "198.51.100.2"],
                  "a pool without its first and last address, then the next pool")
        for operation, params, code in (
                ("AllocateEipAddress", {}, "OperationFailed.InsufficientEIP"),
                ("RunInstances", {"VSwitchId": vswitch, "InstanceType": SMALL, "InternetMaxBandwidthOut": 1},
                 "InvalidOperation.PublicIpAddressNoStock"),
                ("CreateVpc", {"CidrBlock": "10.0.0.0/16", "EnableIpv6": True}, "ResourceNotEnough.Ipv6Cidr"),
                ("ModifyVpcAttribute", {"VpcId": net.vpc(), "EnableIPv6": True}, "ResourceNotEnough.Ipv6Cidr")):
            net.row("an empty pool", code, params, operation=operation)
        i = net.run(vswitch)[0]
        net.row("an empty pool", "InvalidOperation.PublicIpAddressNoStock", {"InstanceId": i, "InternetMaxBandwidthOut": 1},
                operation="ModifyInstanceNetworkSpec")
        j = net.call("CreateInstance", VSwitchId=vswitch, InstanceType=SMALL, InternetMaxBandwidthOut=1)["InstanceId"]
        net.row("an empty pool", "InsufficientPublicIp", {"InstanceId": j}, operation="AllocatePublicIpAddress")
        eips = net.call("DescribeEipAddresses")["EipAddresses"]["EipAddress"]
        net.call("ReleaseEipAddress", AllocationId=eips[0]["AllocationId"])
        net.call("AllocatePublicIpAddress", InstanceId=j)
        net.call("StartInstance", InstanceId=j)
        net.call("StopInstance", InstanceId=j, StoppedMode="StopCharging")
        net.do(IpAddress=eips[0]["IpAddress"])
        net.row("an empty pool, so no start", "InvalidOperation.PublicIpAddressNoStock", {"InstanceId": j},
                operation="StartInstance")
        TAP.equal(net.instance(j)["Status"], "Stopped", "and it is still stopped")


def test_no_pool():
    with Own(PublicPools=[]) as server:
        net = Table(server, "AllocateEipAddress")
        net.row("no pool at all", "OperationFailed.InsufficientEIP", {}, detail={"Free": 0})
        net.row("no pool at all, by name", "OperationFailed.AllocateUnfamiliarIp", {"IpAddress": "198.18.0.1"})
        TAP.equal(net.call("ModifyLedgerSettings")["PublicPools"], [], "an empty list is shown as one")
        net.call("ModifyLedgerSettings", PublicPools=["192.0.2.0/30"])
        TAP.equal(net.do()["EipAddress"], "192.0.2.1", "a pool comes later")


def after(text, seconds):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def test_cooling():
    with Own(ReuseDelaySeconds=3600, PublicPools=["203.0.113.0/29"]) as server:
        net = Table(server)
        vpc = net.vpc()
        vswitch = net.vswitch(vpc, "10.0.0.0/29")
        eni = net.eni(vswitch, PrivateIpAddress=["10.0.0.4"])
        freed = net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.4"])
        look = lambda net, address: net.call("LookupAddress", Address=address, VpcId=vpc)["Status"]
        TAP.equal((net.free(vswitch), look(net, "10.0.0.4")), (2, "Cooling"), "a cooling address is neither free nor used")
        full = {"VSwitchId": vswitch, "SecondaryPrivateIpAddressCount": 2}
        net.row("a cooling address is not picked", "InvalidVSwitchId.IpNotEnough", full, operation="CreateNetworkInterface",
                ids=[vswitch], detail={"Free": 2, "Used": 1, "Cooling": 1, "Reserved": 4, "Total": 4, "Requested": 3,
                                       "NextCooledTime": after(freed["Time"], 3600)})
        TAP.equal(net.call("CheckCanAllocateVpcPrivateIpAddress", VSwitchId=vswitch,
                           PrivateIpAddress="10.0.0.4")["CanAllocate"], True, "a cooling address can be asked for by name")
        server.kill()
        server.start()
        net = Table(server)
        TAP.equal((net.free(vswitch), look(net, "10.0.0.4")), (2, "Cooling"), "it cools on after a kill")
        net.row("nor picked after a kill", "InvalidVSwitchId.IpNotEnough", full, operation="CreateNetworkInterface",
                detail={"Cooling": 1, "NextCooledTime": after(freed["Time"], 3600)})
        net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.4"])
        TAP.equal((net.free(vswitch), look(net, "10.0.0.4")), (2, "Held"), "by name it is held again")
        net.call("DeleteNetworkInterface", NetworkInterfaceId=eni)
        TAP.equal((net.free(vswitch), net.call("DescribeVSwitchAttributes", VSwitchId=vswitch, AsOf=freed["Seq"])
                   ["AvailableIpAddressCount"]), (2, 2), "two cool; as of then one did")
        i = net.run(vswitch, InternetMaxBandwidthOut=1)[0]
        cooled = [net.public(i)[0]]
        net.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=0)
        net.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=1)
        cooled += net.public(i)
        net.call("StopInstance", InstanceId=i, StoppedMode="StopCharging")
        net.call("StartInstance", InstanceId=i)
        cooled += net.public(i)
        net.call("DeleteInstance", InstanceId=i, Force=True)
        eip = net.eip()
        cooled.append(eip["EipAddress"])
        net.call("ReleaseEipAddress", AllocationId=eip["AllocationId"])
        TAP.equal(cooled, [f"203.0.113.{n}" for n in range(1, 5)], "each freed public address is passed over")
        TAP.equal([net.call("LookupAddress", Address=a)["Status"] for a in cooled], ["Cooling"] * 4, "they cool")
        TAP.equal(net.eip(IpAddress=cooled[0])["EipAddress"], cooled[0], "by name one is given at once")
        j = net.run(vswitch)[0]
        before = net.primary_ip(j)
        net.call("StopInstance", InstanceId=j)
        net.call("ModifyInstanceVpcAttribute", InstanceId=j, VSwitchId=vswitch, PrivateIpAddress="10.0.0.4")
        TAP.equal(look(net, before), "Cooling", "a changed primary address cools")
        net.call("ModifyLedgerSettings", ReuseDelaySeconds=0)
        TAP.equal(look(net, before), "Cooling", "what cools is not freed by another delay")
        net.call("DeleteInstance", InstanceId=j)
        TAP.equal(look(net, "10.0.0.4"), "Free", "what is freed afterwards does not cool")
    with Own(ReuseDelaySeconds=1) as server:
        net = Net(server)
        vswitch = net.vswitch(net.vpc(), "10.0.0.0/29")
        net.call("DeleteNetworkInterface", NetworkInterfaceId=net.eni(vswitch, SecondaryPrivateIpAddressCount=3))
        TAP.equal(net.free(vswitch), 0, "all four cool")
        time.sleep(1.1)
        TAP.equal((net.free(vswitch), len(net.addresses(net.eni(vswitch, SecondaryPrivateIpAddressCount=3)))), (4, 4),
                  "after the delay they are picked again")


def test_next_fit():
    """Where the picker is follows from the log: after a kill too."""
    with Own() as server:
        net = Net(server)
        vswitch = net.vswitch(net.vpc(), "10.0.0.0/28")
        enis = [net.eni(vswitch) for _ in range(3)]
        net.call("DeleteNetworkInterface", NetworkInterfaceId=enis[0])
        net.eni(vswitch, PrimaryIpAddress="10.0.0.9")
        server.kill()
        server.start()
        net = Net(server)
        TAP.equal(net.addresses(net.eni(vswitch, SecondaryPrivateIpAddressCount=8)),
                  [f"10.0.0.{n}" for n in (4, 5, 6, 7, 8, 10, 11, 12, 1)],
                  "after the last one picked, past the named one, around the end to the freed one")
        TAP.equal(net.free(vswitch), 0, "then it is full")


def test_init():
    """What `serve --init` does not take; nothing is made then."""
    work = tempfile.TemporaryDirectory()
    for number, (text, wanted) in enumerate((
            ("{", "line 1"), ("[]", "no JSON object"), ('{"Moon": 1}', "Moon"), ('{"RegionId": "Mars!"}', "Mars!"),
            ('{"Quotas": {"Moons": 1}}', "Moons"), ('{"ReuseDelaySeconds": -1}', "ReuseDelaySeconds"),
            ('{"PublicPools": ["x"]}', "no IPv4 block"), ('{"InstanceTypes": [{}]}', "InstanceType"),
            ('{"EventTime": "yesterday"}', "EventTime"), (None, "No such file"))):
        path, data = os.path.join(work.name, f"{number}.json"), os.path.join(work.name, f"data{number}")
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([BINARY, "serve", "--data", data, "--http", "none", "--init", path], capture_output=True,
                              text=True, timeout=60, check=False)
        TAP.ok(done.returncode in (1, 2, 3) and wanted in done.stderr and done.stdout == "",
               f"serve --init {text}: refused", done)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"RegionId": "second-try"}, file)
    server = Server(data=os.path.join(work.name, "data3"), args=["--init", path])
    TAP.equal(Net(server).call("GetEvent", Seq=1)["Body"]["Settings"]["RegionId"], "second-try",
              "serve --init: after a refusal the folder is as new")
    server.stop()
    done = subprocess.run([BINARY, "serve", "--data", server.data, "--http", "none", "--init", path], capture_output=True,
                          text=True, timeout=60, check=False)
    TAP.ok(done.returncode != 0 and "holds a ledger already" in done.stderr, "serve --init: of a ledger that is there", done)
    work.cleanup()
    with Own(RegionId="eu-test-9", Zones=["z1"], EventTime="2024-02-29T12:00:00Z") as server:
        net = Table(server, "CreateVpc")
        net.row("another region", "InvalidRegionId.NotFound", {"CidrBlock": "10.0.0.0/16", "RegionId": "cn-hangzhou"})
        vpc = net.do(CidrBlock="10.0.0.0/16", RegionId="eu-test-9")["VpcId"]
        TAP.equal((net.show_vpc(vpc)["RegionId"], net.call("GetEvent", Seq=1)["Time"]),
                  ("eu-test-9", "2024-02-29T12:00:00.000Z"), "serve --init: region and time")
        net.row("another zone", "InvalidZoneId.NotFound", {"VpcId": vpc, "ZoneId": ZONE, "CidrBlock": "10.0.0.0/24"},
                operation="CreateVSwitch")
        TAP.ok(net.vswitch(vpc, zone="z1"), "serve --init: a zone")


def main():
    server = Server()
    run(server, test_values, test_in_use)
    server.remove()
    for test in (test_quotas, test_pools, test_no_pool, test_cooling, test_next_fit, test_init):
        run(None, lambda _server, t=test: t())
    TAP.end()


main()
