#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: what the cloud's product page "IP addresses" says, statement by statement, S1 to S75.
Claimed: each of them holds here. One test for each, named by its number and a sentence; a statement
without effect on a ledger is listed at the end as such."""
import ipaddress
import json
import subprocess

from ledger import BIG, BINARY, SMALL, Net, Refused, Server, Tap, as_ip_addr

TAP = Tap()
STATEMENTS = []
PUBLIC_POOL = ipaddress.ip_network("198.18.0.0/15")
IPV6_POOL = ipaddress.ip_network("2001:db8::/32")
IPV6_0, IPV6_6, IPV6_15 = "ecs.n4.small", "ecs.g7.large", "ecs.g7.xlarge"
ONE_ADDRESS = "ecs.t1.xsmall"


def statement(number, sentence):
    def keep(test):
        STATEMENTS.append((number, sentence, test))
        return test
    return keep


class Checks(Net):
    """A network of its own for one statement, and what did not hold."""

    def __init__(self, server):
        super().__init__(server)
        self.data = server.data
        self.wrong = []

    def true(self, condition, what):
        if not condition:
            self.wrong.append(what)

    def same(self, got, wanted, what="it"):
        self.true(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")

    def refused(self, code, operation, **params):
        try:
            result = self.call(operation, **params)
        except Refused as refusal:
            self.same(refusal.code, code, f"{operation} {params}")
            return refusal
        self.wrong.append(f"{operation} {params} was done: {result!r}")
        return None

    def network(self):
        vpc = self.vpc()
        return vpc, self.vswitch(vpc)

    def network6(self):
        vpc = self.vpc6()
        return vpc, self.vswitch6(vpc, 1)

    def enis(self, i):
        found = self.call("DescribeNetworkInterfaces", InstanceId=i)
        return found["NetworkInterfaceSets"]["NetworkInterfaceSet"]

    def show_eni(self, eni):
        return self.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=eni)

    def assign(self, eni, **more):
        return self.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, **more)

    def bandwidth(self, i, out):
        return self.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=out)

    def bind(self, eip, target, kind="EcsInstance", **more):
        self.call("AssociateEipAddress", AllocationId=eip["AllocationId"], InstanceId=target, InstanceType=kind, **more)

    def reach(self, i):
        return self.call("GetReachability", InstanceId=i)

    def lookup(self, address, **more):
        return self.call("LookupAddress", Address=address, **more)

    def guest(self, i):
        return self.call("GetGuestView", InstanceId=i)

    def guest_addresses(self, i):
        return [a["Address"] for n in self.guest(i)["Interfaces"] for a in n["Addresses"]]

    def command(self, *words):
        return subprocess.run([BINARY, "--data", self.data, *words], capture_output=True, text=True, check=True).stdout

    def shown(self, thing, name):
        """What `ipledger show` has beside that name."""
        lines = [line.strip() for line in self.command("show", thing).splitlines()]
        return [line[len(name):].strip() for line in lines if line.startswith(name)][0]

    def off_and_on(self, i, mode):
        self.call("StopInstance", InstanceId=i, StoppedMode=mode)
        self.call("StartInstance", InstanceId=i)


# ---- overview --------------------------------------------------------------------------------

@statement(1, "a VPC has IPv4 alone unless IPv6 is asked for")
def _(net):
    shown = net.show_vpc(net.vpc())
    net.same((shown["EnabledIpv6"], shown["Ipv6CidrBlock"]), (False, ""), "IPv6 of a new VPC")


@statement(2, "a VPC cannot be made without an IPv4 block")
def _(net):
    refusal = net.refused("MissingParameter", "CreateVpc", EnableIpv6=True)
    net.same(refusal and refusal.detail["Parameter"], "CidrBlock", "the parameter that is missing")
    net.same(net.show_vpc(net.vpc("10.0.0.0/8"))["CidrBlock"], "10.0.0.0/8", "the block of a VPC")


@statement(3, "without a public address an instance does not reach the Internet")
def _(net):
    i = net.run(net.network()[1])[0]
    net.same(net.reach(i)["InternetIpv4"], [], "the Internet without a public address")
    net.bind(net.eip(), i)
    net.same(len(net.reach(i)["InternetIpv4"]), 1, "ways to the Internet with an EIP")


@statement(4, "IPv6 is enabled with the VPC or later, and a block comes with it")
def _(net):
    plain = net.vpc()
    net.call("ModifyVpcAttribute", VpcId=plain, EnableIPv6=True)
    for vpc in (net.vpc6(), plain):
        shown = net.show_vpc(vpc)
        net.true(shown["EnabledIpv6"] and shown["Ipv6CidrBlock"].endswith("/56"), shown)


@statement(5, "no two VPCs share an IPv6 block, so no IPv6 address is there twice")
def _(net):
    blocks = [ipaddress.ip_network(net.show_vpc(net.vpc6())["Ipv6CidrBlock"]) for _ in range(5)]
    net.true(not any(a.overlaps(b) for a in blocks for b in blocks if a is not b), blocks)


@statement(6, "an IPv6 address can be set private or public")
def _(net):
    vpc, vswitch = net.network6()
    net.call("CreateIpv6Gateway", VpcId=vpc)
    address = net.call("CreateNetworkInterface", VSwitchId=vswitch, Ipv6AddressCount=1)
    address = address["Ipv6Sets"]["Ipv6Set"][0]["Ipv6AddressId"]
    kind = lambda: net.ipv6(Ipv6AddressId=address)[0]["NetworkType"]
    seen = [kind()]
    net.call("AllocateIpv6InternetBandwidth", Ipv6AddressId=address, Bandwidth=1)
    seen.append(kind())
    net.call("DeleteIpv6InternetBandwidth", Ipv6AddressId=address)
    net.same(seen + [kind()], ["Private", "Public", "Private"], "NetworkType before, with and after bandwidth")


# ---- private IPv4 ----------------------------------------------------------------------------

@statement(7, "what reads call a private IP address is an IPv4 address")
def _(net):
    i = net.run(net.network6()[1], InstanceType=IPV6_6, Ipv6AddressCount=1)[0]
    shown = net.instance(i)["VpcAttributes"]["PrivateIpAddress"]["IpAddress"]
    shown += [a["PrivateIpAddress"] for a in net.show_eni(net.primary_eni(i))["PrivateIpSets"]["PrivateIpSet"]]
    net.same({ipaddress.ip_address(a).version for a in shown}, {4}, "the IP version")


@statement(8, "a private IPv4 address is not reached from the Internet")
def _(net):
    i = net.run(net.network()[1], InternetMaxBandwidthOut=1)[0]
    reach = net.reach(i)
    public = {a["PublicIpAddress"] for a in reach["InternetIpv4"]}
    net.true(public and not public & set(reach["PrivateIpv4"]), reach)


@statement(9, "a private IPv4 address serves inside the VPC")
def _(net):
    i = net.run(net.network()[1])[0]
    net.assign(net.primary_eni(i), SecondaryPrivateIpAddressCount=1)
    net.same(net.reach(i)["PrivateIpv4"], net.addresses(net.primary_eni(i)), "private addresses that are reached")


@statement(10, "a primary private address comes by DHCP")
def _(net):
    i = net.run(net.network()[1])[0]
    seen = net.guest(i)["Interfaces"][0]["Addresses"][0]
    net.same((seen["Address"], seen["Configure"]), (net.primary_ip(i), "Dhcp"), "how it is configured")


@statement(11, "an assigned private address lies in the block of the vSwitch")
def _(net):
    vpc, vswitch = net.network()
    net.vswitch(vpc, "10.0.1.0/24")
    i = net.run(vswitch)[0]
    eni = net.primary_eni(i)
    net.assign(eni, SecondaryPrivateIpAddressCount=3)
    block = ipaddress.ip_network("10.0.0.0/24")
    net.true(all(ipaddress.ip_address(a) in block for a in net.addresses(eni)), net.addresses(eni))
    net.refused("InvalidVSwitchId.IpInvalid", "AssignPrivateIpAddresses", NetworkInterfaceId=eni,
                PrivateIpAddress=["10.0.1.9"])
    net.refused("InvalidVSwitchId.IpInvalid", "CreateNetworkInterface", VSwitchId=vswitch, PrimaryIpAddress="10.0.1.9")
    net.refused("InvalidPrivateIpAddress", "RunInstances", VSwitchId=vswitch, InstanceType=SMALL,
                PrivateIpAddress="10.0.1.9")


@statement(12, "how many private addresses an interface has depends on the instance type")
def _(net):
    vswitch = net.network()[1]
    for kind, limit in ((ONE_ADDRESS, 1), ("ecs.n4.small", 2), (SMALL, 6), ("ecs.g7.xlarge", 15), (BIG, 30)):
        eni = net.primary_eni(net.run(vswitch, InstanceType=kind)[0])
        if limit > 1:
            net.assign(eni, SecondaryPrivateIpAddressCount=limit - 1)
        refusal = net.refused("InvalidOperation.Ipv4CountExceeded", "AssignPrivateIpAddresses",
                              NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
        net.same((len(net.addresses(eni)), refusal and refusal.detail["Limit"]), (limit, limit), kind)


@statement(13, "a launched instance takes one primary private address of its vSwitch")
def _(net):
    i = net.run(net.network()[1])[0]
    sets = [a for e in net.enis(i) for a in e["PrivateIpSets"]["PrivateIpSet"]]
    net.same([(a["PrivateIpAddress"], a["Primary"]) for a in sets], [("10.0.0.1", True)], "its addresses")


@statement(14, "traffic leaves by the primary private address")
def _(net):
    vswitch = net.network()[1]
    i = net.run(vswitch, PrivateIpAddress="10.0.0.50", NetworkInterface=[{"PrimaryIpAddress": "10.0.0.2"}])[0]
    net.assign(net.primary_eni(i), PrivateIpAddress=["10.0.0.1"])
    net.same(net.reach(i)["DefaultEgress"], "10.0.0.50", "the default egress")


@statement(15, "an address that nobody names is picked from the block")
def _(net):
    i = net.run(net.network()[1])[0]
    net.true(ipaddress.ip_address(net.primary_ip(i)) in ipaddress.ip_network("10.0.0.0/24"), net.primary_ip(i))


@statement(16, "the primary private address is on the primary interface")
def _(net):
    i = net.run(net.network()[1], NetworkInterface=[{}])[0]
    held = net.lookup(net.primary_ip(i), VpcId=net.instance(i)["VpcAttributes"]["VpcId"])["Holdings"]
    net.same([(h["NetworkInterfaceId"], h["Kind"]) for h in held], [(net.primary_eni(i), "PrimaryPrivate")], "holder")
    net.same([e["Type"] for e in net.enis(i) if e["PrivateIpAddress"] == net.primary_ip(i)], ["Primary"], "its type")


@statement(17, "an instance has exactly one primary private address")
def _(net):
    vswitch = net.network()[1]
    i = net.run(vswitch, InstanceType=BIG, NetworkInterface=[{"SecondaryPrivateIpAddressCount": 2}, {}])[0]
    net.assign(net.primary_eni(i), SecondaryPrivateIpAddressCount=2)
    shown = [e for e in net.enis(i) if e["Type"] == "Primary"]
    net.same([len([a for a in e["PrivateIpSets"]["PrivateIpSet"] if a["Primary"]]) for e in shown], [1],
             "primary addresses of primary interfaces")
    net.same(len(net.instance(i)["VpcAttributes"]["PrivateIpAddress"]["IpAddress"]), 1, "as the instance shows it")


@statement(18, "a primary private address cannot be reclaimed")
def _(net):
    vswitch = net.network()[1]
    i = net.run(vswitch)[0]
    own, loose = (net.primary_eni(i), net.primary_ip(i)), net.eni(vswitch)

    def stays(eni, address):
        refusal = net.refused("OperationDenied.PrimaryPrivateIp", "UnassignPrivateIpAddresses",
                              NetworkInterfaceId=eni, PrivateIpAddress=[address])
        net.same(refusal and refusal.status, 403, "its HTTP status")
    stays(*own)
    net.call("StopInstance", InstanceId=i)
    stays(*own)
    stays(loose, net.addresses(loose)[0])


@statement(19, "a primary private address can be changed while the instance is stopped")
def _(net):
    vswitch = net.network()[1]
    i = net.run(vswitch)[0]
    net.refused("IncorrectInstanceStatus", "ModifyInstanceVpcAttribute", InstanceId=i, VSwitchId=vswitch,
                PrivateIpAddress="10.0.0.9")
    net.call("StopInstance", InstanceId=i)
    net.call("ModifyInstanceVpcAttribute", InstanceId=i, VSwitchId=vswitch, PrivateIpAddress="10.0.0.9")
    net.same(net.primary_ip(i), "10.0.0.9", "the address after the change")


@statement(20, "secondary private addresses are assigned by number or by name")
def _(net):
    eni = net.primary_eni(net.run(net.network()[1])[0])
    made = net.assign(eni, SecondaryPrivateIpAddressCount=2)["AssignedPrivateIpAddressesSet"]
    net.same(len(made["PrivateIpSet"]["PrivateIpAddress"]), 2, "picked ones")
    made = net.assign(eni, PrivateIpAddress=["10.0.0.77"])["AssignedPrivateIpAddressesSet"]
    net.same(made["PrivateIpSet"]["PrivateIpAddress"], ["10.0.0.77"], "the named one")
    net.same(len(net.addresses(eni)), 4, "addresses of the interface")


@statement(21, "a secondary private address can be taken back and assigned again")
def _(net):
    eni = net.primary_eni(net.run(net.network()[1])[0])
    for _ in range(2):
        net.assign(eni, PrivateIpAddress=["10.0.0.77"])
        net.same(net.addresses(eni)[1:], ["10.0.0.77"], "assigned")
        net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.77"])
        net.same(net.addresses(eni)[1:], [], "taken back")


@statement(22, "a secondary private address cannot be changed")
def _(net):
    vswitch = net.network()[1]
    i = net.run(vswitch)[0]
    eni = net.primary_eni(i)
    net.assign(eni, PrivateIpAddress=["10.0.0.77"])
    net.call("StopInstance", InstanceId=i)
    net.refused("PrimaryEniHasSubIp", "ModifyInstanceVpcAttribute", InstanceId=i, VSwitchId=vswitch,
                PrivateIpAddress="10.0.0.78")
    net.refused("UnsupportedParameter", "ModifyNetworkInterfaceAttribute", NetworkInterfaceId=eni,
                PrivateIpAddress=["10.0.0.78"])
    net.same(net.addresses(eni)[1:], ["10.0.0.77"], "the address after both")


@statement(23, "a secondary private address is configured in the guest by hand")
def _(net):
    i = net.run(net.network()[1])[0]
    net.assign(net.primary_eni(i), PrivateIpAddress=["10.0.0.77"])
    seen = net.guest(i)["Interfaces"][0]["Addresses"]
    net.same([(a["Address"], a["Configure"]) for a in seen[1:]], [("10.0.0.77", "Manual")], "how it is configured")


@statement(24, "private addresses outlive a stop and a start")
def _(net):
    i = net.run(net.network()[1], NetworkInterface=[{"SecondaryPrivateIpAddressCount": 2}])[0]
    net.assign(net.primary_eni(i), SecondaryPrivateIpAddressCount=2)
    before = [e["PrivateIpSets"] for e in net.enis(i)]
    for mode in ("KeepCharging", "StopCharging"):
        net.off_and_on(i, mode)
        net.same([e["PrivateIpSets"] for e in net.enis(i)], before, mode)


@statement(25, "private addresses are reclaimed when the instance is released")
def _(net):
    vpc, vswitch = net.network()
    before = net.free(vswitch)
    i = net.run(vswitch, NetworkInterface=[{"SecondaryPrivateIpAddressCount": 2}])[0]
    net.assign(net.primary_eni(i), SecondaryPrivateIpAddressCount=2)
    net.same(net.free(vswitch), before - 6, "free addresses while it lives")
    address = net.primary_ip(i)
    net.call("DeleteInstance", InstanceId=i, Force=True)
    net.same((net.free(vswitch), net.lookup(address, VpcId=vpc)["Status"]), (before, "Free"), "afterwards")


# ---- public IPv4 -----------------------------------------------------------------------------

@statement(26, "what reads call a public IP address is an IPv4 address of the public pool")
def _(net):
    i = net.run(net.network()[1], InternetMaxBandwidthOut=1)[0]
    net.true(all(ipaddress.ip_address(a) in PUBLIC_POOL for a in net.public(i)) and net.public(i), net.public(i))


@statement(27, "with a fixed public IP or an EIP the Internet and the instance reach each other")
def _(net):
    vswitch = net.network()[1]
    fixed, bound = net.run(vswitch, InternetMaxBandwidthOut=3)[0], net.run(vswitch)[0]
    eip = net.eip(Bandwidth="4")
    net.bind(eip, bound)
    for i, wanted in ((fixed, (net.public(fixed)[0], "PublicIp", 3)), (bound, (eip["EipAddress"], "Eip", 4))):
        ways = net.reach(i)["InternetIpv4"]
        net.same([(w["PrivateIpAddress"], w["PublicIpAddress"], w["Kind"], w["Bandwidth"]) for w in ways],
                 [(net.primary_ip(i), *wanted)], wanted[1])


@statement(28, "a public address needs public bandwidth")
def _(net):
    i = net.run(net.network()[1], InternetMaxBandwidthOut=0)[0]
    net.same(net.public(i), [], "the address without bandwidth")
    net.refused("InvalidInternetMaxBandwidthOut.ValueNotSupported", "AllocatePublicIpAddress", InstanceId=i)
    net.refused("InvalidParameter", "AllocateEipAddress", Bandwidth="0")


@statement(29, "an instance in a VPC has a fixed public IP or an EIP, not both")
def _(net):
    vswitch = net.network()[1]
    fixed, bound = net.run(vswitch, InternetMaxBandwidthOut=1)[0], net.run(vswitch)[0]
    eip = net.eip()
    net.bind(eip, bound)
    net.same((len(net.public(fixed)), net.instance(bound)["EipAddress"]["IpAddress"]), (1, eip["EipAddress"]), "both ways")
    net.refused("EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP", "AssociateEipAddress", InstanceId=fixed,
                AllocationId=net.eip()["AllocationId"])
    net.refused("BandwidthUpgradeDenied.EipBoundInstance", "ModifyInstanceNetworkSpec", InstanceId=bound,
                InternetMaxBandwidthOut=1)


@statement(30, "bandwidth set at launch assigns a public address of the pool")
def _(net):
    i = net.run(net.network()[1], InternetMaxBandwidthOut=5)[0]
    net.true(len(net.public(i)) == 1 and ipaddress.ip_address(net.public(i)[0]) in PUBLIC_POOL, net.public(i))
    net.same(net.instance(i)["InternetMaxBandwidthOut"], 5, "the bandwidth")


@statement(31, "by default no public address is assigned")
def _(net):
    shown = net.instance(net.run(net.network()[1])[0])
    net.same((shown["PublicIpAddress"]["IpAddress"], shown["InternetMaxBandwidthOut"]), ([], 0), "at launch")


@statement(32, "an instance without a public address can be given bandwidth later")
def _(net):
    i = net.run(net.network()[1])[0]
    net.bandwidth(i, 2)
    net.same(net.instance(i)["InternetMaxBandwidthOut"], 2, "the bandwidth")


@statement(33, "bandwidth raised from 0 assigns a public address by itself")
def _(net):
    vswitch = net.network()[1]
    for flag in ({}, {"AllocatePublicIp": True}, {"AllocatePublicIp": False}):
        i = net.run(vswitch)[0]
        net.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=1, **flag)
        net.same(len(net.public(i)), 1, flag)


@statement(34, "a public address is reclaimed at release and cannot be retained")
def _(net):
    i = net.run(net.network()[1], InternetMaxBandwidthOut=1)[0]
    address = net.public(i)[0]
    net.call("DeleteInstance", InstanceId=i, Force=True)
    net.same(net.lookup(address)["Status"], "Free", "the address")
    net.same(net.call("DescribeEipAddresses", EipAddress=address)["EipAddresses"]["EipAddress"], [], "as an EIP")


@statement(35, "a public address ends by bandwidth 0, by StopCharging, by release and by conversion")
def _(net):
    vswitch = net.network()[1]

    def ends(operation, status, **params):
        i = net.run(vswitch, InternetMaxBandwidthOut=1)[0]
        address = net.public(i)[0]
        net.call(operation, InstanceId=i, **params)
        net.same(net.lookup(address)["Status"], status, f"{address} after {operation}")
        return i
    net.same(net.public(ends("ModifyInstanceNetworkSpec", "Free", InternetMaxBandwidthOut=0)), [], "bandwidth 0")
    stopped = ends("StopInstance", "Free", StoppedMode="StopCharging")
    net.same(net.public(stopped), [], "while stopped")
    net.call("StartInstance", InstanceId=stopped)
    net.same(len(net.public(stopped)), 1, "one is assigned again at the start")
    ends("DeleteInstance", "Free", Force=True)
    net.same(net.public(ends("ConvertNatPublicIpToEip", "Held")), [], "converted")
    net.same(len(net.public(ends("StopInstance", "Held"))), 1, "an ordinary stop keeps it")


@statement(36, "a fixed public IP becomes an EIP with the same address, for other instances")
def _(net):
    vswitch = net.network()[1]
    i, other = net.run(vswitch, InternetMaxBandwidthOut=6)[0], net.run(vswitch)[0]
    address = net.public(i)[0]
    eip = net.call("ConvertNatPublicIpToEip", InstanceId=i)
    net.same((eip["EipAddress"], net.eip_state(eip["AllocationId"])["InstanceId"]), (address, i), "the EIP")
    net.call("UnassociateEipAddress", AllocationId=eip["AllocationId"])
    net.bind(eip, other)
    net.call("DeleteInstance", InstanceId=i, Force=True)
    net.same(net.instance(other)["EipAddress"]["IpAddress"], address, "on another instance")


# ---- EIP -------------------------------------------------------------------------------------

@statement(37, "an EIP is held without any instance")
def _(net):
    shown = net.eip_state(net.eip()["AllocationId"])
    net.same((shown["Status"], shown["InstanceId"]), ("Available", ""), "a new EIP")


@statement(38, "an EIP is requested, or comes of a public IP")
def _(net):
    i = net.run(net.network()[1], InternetMaxBandwidthOut=1)[0]
    asked, converted = net.eip(), net.call("ConvertNatPublicIpToEip", InstanceId=i)
    net.same([net.eip_state(e["AllocationId"])["Status"] for e in (asked, converted)], ["Available", "InUse"], "both")


@statement(39, "an EIP is associated with an instance, and disassociated from it")
def _(net):
    i, eip = net.run(net.network()[1])[0], net.eip()
    for _ in range(2):
        net.bind(eip, i)
        net.same(net.instance(i)["EipAddress"]["IpAddress"], eip["EipAddress"], "associated")
        net.call("UnassociateEipAddress", AllocationId=eip["AllocationId"], InstanceId=i)
        net.same(net.instance(i)["EipAddress"]["IpAddress"], "", "disassociated")


@statement(40, "one instance has several EIPs through its secondary interfaces")
def _(net):
    vswitch = net.network()[1]
    i = net.run(vswitch, InstanceType=BIG, NetworkInterface=[{"SecondaryPrivateIpAddressCount": 1}, {}])[0]
    eips = [net.eip() for _ in range(4)]
    net.bind(eips[0], i)
    first, second = [e for e in net.enis(i) if e["Type"] == "Secondary"]
    net.bind(eips[1], first["NetworkInterfaceId"], "NetworkInterface")
    net.bind(eips[2], first["NetworkInterfaceId"], "NetworkInterface",
             PrivateIpAddress=first["PrivateIpSets"]["PrivateIpSet"][1]["PrivateIpAddress"])
    net.bind(eips[3], second["NetworkInterfaceId"], "NetworkInterface")
    net.same(sorted(a["PublicIpAddress"] for a in net.reach(i)["InternetIpv4"]), sorted(e["EipAddress"] for e in eips),
             "its ways to the Internet")


@statement(41, "an EIP is not reclaimed when its instance is released")
def _(net):
    i, eip = net.run(net.network()[1])[0], net.eip()
    net.bind(eip, i)
    net.call("DeleteInstance", InstanceId=i, Force=True)
    shown = net.eip_state(eip["AllocationId"])
    net.same((shown["Status"], shown["IpAddress"], shown["InstanceId"]), ("Available", eip["EipAddress"], ""), "the EIP")


@statement(42, "an EIP is released by an act of its own, and by nothing else")
def _(net):
    vpc, vswitch = net.network()
    i, eip, eni = net.run(vswitch)[0], net.eip(), net.eni(vswitch)
    net.bind(eip, i)
    net.call("UnassociateEipAddress", AllocationId=eip["AllocationId"])
    net.bind(eip, eni, "NetworkInterface")
    net.call("DeleteNetworkInterface", NetworkInterfaceId=eni)
    net.call("DeleteInstance", InstanceId=i, Force=True)
    net.call("DeleteVSwitch", VSwitchId=vswitch)
    net.call("DeleteVpc", VpcId=vpc)
    net.same(net.eip_state(eip["AllocationId"])["Status"], "Available", "after all that")
    net.call("ReleaseEipAddress", AllocationId=eip["AllocationId"])
    net.same((net.eip_state(eip["AllocationId"]), net.lookup(eip["EipAddress"])["Status"]), (None, "Free"), "released")


# ---- IPv6 ------------------------------------------------------------------------------------

@statement(43, "any VPC can have IPv6")
def _(net):
    for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/28", "11.0.0.0/16"):
        vpc = net.vpc(cidr)
        net.call("ModifyVpcAttribute", VpcId=vpc, EnableIPv6=True)
        net.true(net.show_vpc(vpc)["EnabledIpv6"], cidr)


@statement(44, "the IPv6 block of a VPC comes from the system's pool")
def _(net):
    block = ipaddress.ip_network(net.show_vpc(net.vpc6())["Ipv6CidrBlock"])
    net.true(block.prefixlen == 56 and block.subnet_of(IPV6_POOL), block)


@statement(45, "the IPv6 block of a VPC cannot be chosen")
def _(net):
    net.refused("OperationFailed.IPv6CidrNotReserved", "CreateVpc", CidrBlock="10.0.0.0/16", EnableIpv6=True,
                Ipv6CidrBlock="2001:db8:77::/56")
    net.refused("OperationFailed.IPv6CidrNotReserved", "ModifyVpcAttribute", VpcId=net.vpc(), EnableIPv6=True,
                Ipv6CidrBlock="2001:db8:77::/56")


@statement(46, "a vSwitch in such a VPC can have an IPv6 block too")
def _(net):
    vpc, vswitch = net.network6()
    shown = net.call("DescribeVSwitchAttributes", VSwitchId=vswitch)
    block = ipaddress.ip_network(shown["Ipv6CidrBlock"])
    net.true(block.prefixlen == 64 and block.subnet_of(ipaddress.ip_network(net.show_vpc(vpc)["Ipv6CidrBlock"])), block)


@statement(47, "a vSwitch has its IPv6 block from the start, or later")
def _(net):
    vpc = net.vpc6()
    first, later = net.vswitch6(vpc, 0), net.vswitch(vpc, "10.0.1.0/24")
    enabled = lambda v: net.call("DescribeVSwitchAttributes", VSwitchId=v)["EnabledIpv6"]
    net.same((enabled(first), enabled(later)), (True, False), "at first")
    net.call("ModifyVSwitchAttribute", VSwitchId=later, EnableIPv6=True, Ipv6CidrBlock=255)
    net.same(enabled(later), True, "later")


@statement(48, "an assigned IPv6 address lies in the IPv6 block of the vSwitch")
def _(net):
    vpc, vswitch = net.network6()
    other = net.show_vswitch(net.vswitch6(vpc, 2, "10.0.1.0/24"))["Ipv6CidrBlock"].split("/")[0]
    eni = net.eni(vswitch, Ipv6AddressCount=5)
    block = ipaddress.ip_network(net.show_vswitch(vswitch)["Ipv6CidrBlock"])
    net.true(all(ipaddress.ip_address(a) in block for a in net.of_eni(eni)), net.of_eni(eni))
    net.refused("InvalidVSwitchId.IpInvalid", "AssignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address=[other + "9"])


@statement(49, "how many IPv6 addresses an interface has depends on the instance type")
def _(net):
    vswitch = net.network6()[1]
    for kind, limit, code in ((IPV6_0, 0, "InvalidOperation.Ipv6NotSupport"),
                              (SMALL, 1, "InvalidOperation.Ipv6CountExceeded"),
                              (IPV6_6, 6, "InvalidOperation.Ipv6CountExceeded"),
                              (IPV6_15, 15, "InvalidOperation.Ipv6CountExceeded")):
        eni = net.primary_eni(net.run(vswitch, InstanceType=kind)[0])
        for count in (min(limit, 10), limit - 10):
            if count > 0:
                net.assign6(eni, Ipv6AddressCount=count)
        net.refused(code, "AssignIpv6Addresses", NetworkInterfaceId=eni, Ipv6AddressCount=1)
        net.same(len(net.of_eni(eni)), limit, kind)


@statement(50, "no IPv6 address is given twice")
def _(net):
    vswitch = net.network6()[1]
    given = [a for _ in range(3) for a in net.of_eni(net.eni(vswitch, Ipv6AddressCount=10))]
    net.same(len(set(given)), 30, "different addresses")
    net.refused("InvalidIp.IpAssigned", "AssignIpv6Addresses", NetworkInterfaceId=net.eni(vswitch),
                Ipv6Address=given[:1])


@statement(51, "an IPv6 address is private by default")
def _(net):
    i = net.run(net.network6()[1], InstanceType=IPV6_6, Ipv6AddressCount=1)[0]
    shown, reach = net.ipv6(AssociatedInstanceId=i), net.reach(i)
    net.same([a["NetworkType"] for a in shown], ["Private"], "NetworkType")
    net.same((reach["InternetIpv6"], reach["PrivateOnlyIpv6"]), ([], [shown[0]["Ipv6Address"]]), "what is reached")


@statement(52, "an IPv6 address has the Internet only while it has public bandwidth")
def _(net):
    vpc, vswitch = net.network6()
    i = net.run(vswitch, InstanceType=IPV6_6, Ipv6AddressCount=1)[0]
    address = net.ipv6(AssociatedInstanceId=i)[0]
    buy = {"Ipv6AddressId": address["Ipv6AddressId"], "Bandwidth": 3}
    net.refused("OperationFailed.Ipv6GatewayNotExist", "AllocateIpv6InternetBandwidth", **buy)
    net.call("CreateIpv6Gateway", VpcId=vpc)
    net.same(net.reach(i)["InternetIpv6"], [], "with a gateway alone")
    net.call("AllocateIpv6InternetBandwidth", **buy)
    net.same(net.reach(i)["InternetIpv6"], [address["Ipv6Address"]], "with bandwidth")
    net.call("DeleteIpv6InternetBandwidth", Ipv6AddressId=address["Ipv6AddressId"])
    net.same(net.reach(i)["InternetIpv6"], [], "without it again")


@statement(53, "several IPv6 addresses can be assigned to the primary interface at creation")
def _(net):
    vswitch = net.network6()[1]
    i = net.run(vswitch, InstanceType=IPV6_15, Ipv6AddressCount=10)[0]
    net.same(len(net.of_eni(net.primary_eni(i))), 10, "the most for one call")
    net.refused("InvalidParameter", "RunInstances", VSwitchId=vswitch, InstanceType=IPV6_15, Ipv6AddressCount=11)
    net.refused("InvalidOperation.Ipv6CountExceeded", "RunInstances", VSwitchId=vswitch, InstanceType=IPV6_6,
                Ipv6AddressCount=7)


@statement(54, "one or more IPv6 addresses can be assigned to attached interfaces later")
def _(net):
    i = net.run(net.network6()[1], InstanceType=IPV6_6, NetworkInterface=[{}])[0]
    for eni in net.enis(i):
        net.assign6(eni["NetworkInterfaceId"], Ipv6AddressCount=1)
        net.assign6(eni["NetworkInterfaceId"], Ipv6AddressCount=2)
    net.same([len(e["Ipv6Sets"]["Ipv6Set"]) for e in net.enis(i)], [3, 3], "addresses of both interfaces")


@statement(55, "an IPv6 address is configured in the guest by hand")
def _(net):
    i = net.run(net.network6()[1], InstanceType=IPV6_6, Ipv6AddressCount=1)[0]
    seen = [a for a in net.guest(i)["Interfaces"][0]["Addresses"] if ":" in a["Address"]]
    net.same([(a["Role"], a["Configure"]) for a in seen], [("Ipv6", "Manual")], "how it is configured")


@statement(56, "an IPv6 address can be unassigned and assigned again")
def _(net):
    eni = net.primary_eni(net.run(net.network6()[1], InstanceType=IPV6_6, Ipv6AddressCount=1)[0])
    address = net.of_eni(eni)
    for wanted, operation in (([], "UnassignIpv6Addresses"), (address, "AssignIpv6Addresses")):
        net.call(operation, NetworkInterfaceId=eni, Ipv6Address=address)
        net.same(net.of_eni(eni), wanted, operation)


@statement(57, "IPv6 addresses outlive a stop and a start")
def _(net):
    i = net.run(net.network6()[1], InstanceType=IPV6_6, Ipv6AddressCount=3)[0]
    before = net.of_eni(net.primary_eni(i))
    for mode in ("KeepCharging", "StopCharging"):
        net.off_and_on(i, mode)
        net.same((len(before), net.of_eni(net.primary_eni(i))), (3, before), mode)


@statement(58, "IPv6 addresses are released with their interface")
def _(net):
    vswitch = net.network6()[1]
    net.call("DeleteNetworkInterface", NetworkInterfaceId=net.eni(vswitch, Ipv6AddressCount=2))
    i = net.run(vswitch, InstanceType=IPV6_6, Ipv6AddressCount=2)[0]
    net.same(len(net.ipv6(VSwitchId=vswitch)), 2, "those of the instance")
    net.call("DeleteInstance", InstanceId=i, Force=True)
    net.same(net.ipv6(VSwitchId=vswitch), [], "what is left")


# ---- viewing ---------------------------------------------------------------------------------

def full_instance(net):
    """An instance with one address of each kind, and where they are."""
    vswitch = net.network6()[1]
    i = net.run(vswitch, InstanceType=IPV6_6, Ipv6AddressCount=1)[0]
    eni = net.primary_eni(i)
    net.assign(eni, SecondaryPrivateIpAddressCount=2)
    eip = net.eip()
    net.bind(eip, i)
    return i, eni, eip


@statement(59, "addresses are seen from outside and from inside the instance")
def _(net):
    i, eni, _ = full_instance(net)
    outside = [*net.addresses(eni), *net.of_eni(eni)]
    net.same(sorted(net.guest_addresses(i)), sorted(outside), "both views")


@statement(60, "a check says whether both views agree")
def _(net):
    i = full_instance(net)[0]
    seen = as_ip_addr(net.guest(i))
    answer = net.call("CheckGuest", InstanceId=i, Interfaces=seen)
    net.same((answer["Agrees"], answer["Differences"]), (True, []), "a guest as it should be")
    gone = seen[1]["addr_info"].pop(1)["local"]
    answer = net.call("CheckGuest", InstanceId=i, Interfaces=seen)
    net.same((answer["Agrees"], [d["Address"] for d in answer["Differences"]]), (False, [gone]), "one is missing")


@statement(61, "a mismatch names its consequence: traffic, security group rules, management")
def _(net):
    i = full_instance(net)[0]
    good = as_ip_addr(net.guest(i))
    extra = {"family": "inet", "local": "10.0.0.99", "prefixlen": 24, "scope": "global"}

    def consequence(change):
        seen = json.loads(json.dumps(good))
        change(seen)
        found = net.call("CheckGuest", InstanceId=i, Interfaces=seen)["Differences"]
        net.true(found and all(d["Consequence"] for d in found), found)
        return " ".join(d["Consequence"] for d in found).lower()
    missing = consequence(lambda s: s[1]["addr_info"].pop(0))
    unknown = consequence(lambda s: s[1]["addr_info"].append(extra))
    public = consequence(lambda s: s[1]["addr_info"].append({**extra, "local": net.instance(i)["EipAddress"]["IpAddress"]}))
    net.true("private and public traffic" in missing, missing)
    net.true("public traffic" in public, public)
    net.true("security group rules" in unknown and "manage" in unknown, unknown)


CONSOLE = ("Public IP", "EIP", "Primary private IP", "Secondary private IPs", "IPv6")


@statement(62, "a view shows public IP, EIP, primary, secondary and IPv6 addresses of an instance")
def _(net):
    i, eni, eip = full_instance(net)
    fixed = net.run(net.network()[1], InternetMaxBandwidthOut=1)[0]
    net.same((net.public(fixed) != [], net.instance(i)["EipAddress"]["IpAddress"]), (True, eip["EipAddress"]), "public")
    shown = net.call("DescribeInstances", InstanceIds=[i])["Instances"]["Instance"][0]
    shown = shown["NetworkInterfaces"]["NetworkInterface"][0]
    net.same((shown["PrimaryIpAddress"], [a["PrivateIpAddress"] for a in shown["PrivateIpSets"]["PrivateIpSet"]],
              [a["Ipv6Address"] for a in shown["Ipv6Sets"]["Ipv6Set"]]),
             (net.primary_ip(i), net.addresses(eni), net.of_eni(eni)), "private and IPv6")
    net.same([net.shown(i, name) for name in CONSOLE],
             ["", eip["EipAddress"], net.primary_ip(i), ", ".join(net.addresses(eni)[1:]), ", ".join(net.of_eni(eni))],
             "as `show` lays it out")
    net.same(net.shown(fixed, "Public IP"), net.public(fixed)[0], "a fixed public IP in `show`")


@statement(63, "what an instance does not have is shown empty")
def _(net):
    shown = net.instance(net.run(net.network()[1])[0])
    net.same((shown["PublicIpAddress"]["IpAddress"], shown["EipAddress"]["IpAddress"],
              shown["EipAddress"]["AllocationId"]), ([], "", ""), "of an instance")
    net.same([net.shown(shown["InstanceId"], name) for name in CONSOLE], ["", "", net.primary_ip(shown["InstanceId"]), "", ""],
             "as `show` lays it out")
    shown = net.enis(shown["InstanceId"])[0]
    net.same((len(shown["PrivateIpSets"]["PrivateIpSet"]), shown["Ipv6Sets"]["Ipv6Set"]), (1, []), "of an interface")


@statement(64, "DescribeInstanceAttribute's PrivateIpAddress is the primary private address alone")
def _(net):
    i, eni, _ = full_instance(net)
    net.same((net.instance(i)["VpcAttributes"]["PrivateIpAddress"]["IpAddress"], len(net.addresses(eni))),
             (net.addresses(eni)[:1], 3), "it")


@statement(65, "its PublicIpAddress is the fixed public IP, and no EIP")
def _(net):
    i = full_instance(net)[0]
    net.same(net.public(i), [], "with an EIP")
    fixed = net.run(net.network()[1], InternetMaxBandwidthOut=1)[0]
    net.same((len(net.public(fixed)), net.instance(fixed)["EipAddress"]["IpAddress"]), (1, ""), "with a fixed one")


@statement(66, "its EipAddress is the EIP of the instance")
def _(net):
    i, _, eip = full_instance(net)
    shown = net.instance(i)["EipAddress"]
    net.same((shown["AllocationId"], shown["IpAddress"], shown["Bandwidth"], shown["InternetChargeType"]),
             (eip["AllocationId"], eip["EipAddress"], 5, "PayByBandwidth"), "it")


@statement(67, "DescribeNetworkInterfaceAttribute gives secondary, IPv6 and EIP addresses of an interface")
def _(net):
    i, eni, eip = full_instance(net)
    shown = net.show_eni(eni)
    sets = shown["PrivateIpSets"]["PrivateIpSet"]
    net.same([a["Primary"] for a in sets], [True, False, False], "primary first")
    net.same((sets[0]["AssociatedPublicIp"], shown["AssociatedPublicIp"]),
             ({"AllocationId": eip["AllocationId"], "PublicIpAddress": eip["EipAddress"]},) * 2, "its EIP")
    net.same([a["Ipv6Address"] for a in shown["Ipv6Sets"]["Ipv6Set"]],
             [a["Ipv6Address"] for a in net.ipv6(AssociatedInstanceId=i)], "IPv6")


@statement(68, "inside Linux the private addresses and the gateway are seen")
def _(net):
    i, eni, _ = full_instance(net)
    seen = net.guest(i)["Interfaces"][0]
    net.same(([a["Address"] for a in seen["Addresses"] if "." in a["Address"]], seen["Gateway"]),
             (net.addresses(eni), "10.0.0.253"), "eth0")


@statement(69, "the default route leads to the gateway of the vSwitch, its third address from the end")
def _(net):
    vpc = net.vpc()
    for cidr, gateway in (("10.0.0.0/24", "10.0.0.253"), ("10.0.1.0/29", "10.0.1.5"), ("10.0.128.0/17", "10.0.255.253")):
        i = net.run(net.vswitch(vpc, cidr))[0]
        net.same(net.guest(i)["DefaultRoute"], {"Interface": "eth0", "Gateway": gateway}, cidr)


@statement(70, "what ipconfig shows on Windows is there: address, mask and default gateway")
def _(net):
    i = net.run(net.vswitch(net.vpc(), "10.0.16.0/20"))[0]
    seen = net.guest(i)["Interfaces"][0]
    net.same((seen["Addresses"][0]["Address"], seen["Addresses"][0]["PrefixLength"], seen["Gateway"]),
             ("10.0.16.1", 20, "10.0.31.253"), "it")
    shown = net.command("guest", i, "--windows")
    for line in ("IPv4 Address. . . . . . . . . . . : 10.0.16.1", "Subnet Mask . . . . . . . . . . . : 255.255.240.0",
                 "Default Gateway . . . . . . . . . : 10.0.31.253", seen["MacAddress"].replace(":", "-").upper()):
        net.true(line in shown, f"{line!r} is not in {shown!r}")


@statement(71, "a public address is a mapping to a private one, never an address of an interface")
def _(net):
    vswitch = net.network()[1]
    fixed, bound, eip = net.run(vswitch, InternetMaxBandwidthOut=1)[0], net.run(vswitch)[0], net.eip()
    net.bind(eip, bound)
    for i, address in ((fixed, net.public(fixed)[0]), (bound, eip["EipAddress"])):
        net.same([(w["PublicIpAddress"], w["PrivateIpAddress"]) for w in net.reach(i)["InternetIpv4"]],
                 [(address, net.primary_ip(i))], "the mapping")
        net.true(address not in net.addresses(net.primary_eni(i)), address)


@statement(72, "a public address is not seen in the guest")
def _(net):
    vswitch = net.network()[1]
    fixed, bound, eip = net.run(vswitch, InternetMaxBandwidthOut=1)[0], net.run(vswitch)[0], net.eip()
    net.bind(eip, bound)
    net.true(net.public(fixed)[0] not in net.guest_addresses(fixed), net.guest_addresses(fixed))
    net.true(eip["EipAddress"] not in net.guest_addresses(bound), net.guest_addresses(bound))


@statement(73, "only private addresses are seen in the guest")
def _(net):
    i, eni, _ = full_instance(net)
    net.true(set(net.guest_addresses(i)) <= {*net.addresses(eni), *net.of_eni(eni)}, net.guest_addresses(i))


@statement(74, "a secondary CIDR block makes an EIP visible on an interface")
def _(net):
    vpc, vswitch = net.network()
    i, eip = net.run(vswitch)[0], net.eip()
    block = str(ipaddress.ip_network(eip["EipAddress"] + "/24", strict=False))
    net.call("AssociateVpcCidrBlock", VpcId=vpc, SecondaryCidrBlock=block)
    eni = net.eni(net.vswitch(vpc, block), PrimaryIpAddress=eip["EipAddress"])
    net.call("AttachNetworkInterface", InstanceId=i, NetworkInterfaceId=eni)
    net.bind(eip, eni, "NetworkInterface", PrivateIpAddress=eip["EipAddress"])
    seen = net.guest(i)["Interfaces"][1]["Addresses"]
    net.same([(a["Address"], a["Role"]) for a in seen], [(eip["EipAddress"], "PrimaryPrivate")], "the interface")


WITHOUT_EFFECT = {75: "how to find an instance's page in the console"}


def main():
    server = Server()
    for number, sentence, test in STATEMENTS:
        net = Checks(server)
        try:
            test(net)
        except (Refused, OSError, KeyError, TypeError, IndexError, subprocess.CalledProcessError) as problem:
            net.wrong.append(repr(problem))
        TAP.ok(not net.wrong, f"S{number} {sentence}", net.wrong)
        net.client.close()
    server.remove()
    listed = [number for number, _, _ in STATEMENTS] + list(WITHOUT_EFFECT)
    for number, what in WITHOUT_EFFECT.items():
        TAP.equal(listed, list(range(1, 76)), f"S{number} {what}: no effect on a ledger; S1 to S75 are all listed")
    TAP.end()


main()
