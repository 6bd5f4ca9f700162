#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: random operations on a small network, fixed seeds (others: `test_model.py SEED STEPS`).
Claimed: each is done or refused as a model says that was written from the rules alone, every picked
address is the one that next fit gives, and all reads agree with the model, after kills too."""
import ipaddress
import json
import os
import random
import sys
import tempfile

from ledger import TINY, Net, Refused, Server, Tap

TAP = Tap()
TYPES = {"ecs.g7.large": (3, 6, 6), "ecs.g6.large": (2, 6, 1), "ecs.n4.small": (2, 2, 0), TINY: (2, 2, 1)}
# Small, so that they fill up; larger where what is freed does not come back.
BLOCKS = {0: ("203.0.113.0/27", "10.0.0.0/28", "10.0.1.0/27", "10.0.2.0/29"),
          3600: ("203.0.113.0/25", "10.0.0.0/25", "10.0.1.0/24", "10.0.2.0/27")}


class Picker:
    """Next fit: goes on after the last one picked, around the end, past what is taken or cools."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.at = 0
        self.busy = set()    # held
        self.cooling = set()

    def free(self):
        return [a for a in self.addresses if a not in self.busy and a not in self.cooling]

    def pick(self, count):
        picked = []
        while len(picked) < count:
            address = self.addresses[self.at % len(self.addresses)]
            self.at = (self.at + 1) % len(self.addresses)
            if address not in self.busy and address not in self.cooling:
                picked.append(address)
                self.busy.add(address)
        return picked

    def take(self, addresses):
        self.busy |= set(addresses)
        self.cooling -= set(addresses)

    def give_back(self, addresses, cools):
        self.busy -= set(addresses)
        if cools:
            self.cooling |= set(addresses)


class Eni:
    def __init__(self, vs, addresses, six, instance=None, primary=False, stays=False):
        self.vs, self.addresses, self.six = vs, list(addresses), list(six)
        self.instance, self.primary, self.stays = instance, primary, stays


class Instance:
    def __init__(self, kind, enis, bandwidth, public):
        self.kind, self.enis, self.bandwidth, self.public = kind, enis, bandwidth, public
        self.running, self.changed, self.reclaimed = True, False, False


class Eip:
    def __init__(self, address):
        self.address, self.eni, self.private, self.mode = address, None, None, None


class Model:
    """The rules, for one VPC. Each operation answers None where it must be refused, else a function
    that takes the result and says what the ledger should now show."""

    def __init__(self, net, delay):
        self.net, self.delay = net, delay
        self.vpc = net.vpc6()
        self.switches, self.six = {}, {}
        pool, *cidrs = BLOCKS[delay]
        for index, (cidr, has_ipv6) in enumerate(zip(cidrs, (True, False, True))):
            vs = net.vswitch6(self.vpc, index, cidr) if has_ipv6 else net.vswitch(self.vpc, cidr)
            self.switches[vs] = Picker([str(a) for a in ipaddress.ip_network(cidr)][1:-3])
            if has_ipv6:
                base = net.show_vswitch(vs)["Ipv6CidrBlock"].split("/")[0]
                self.six[vs] = Picker([base + f"{n:x}" for n in range(1, 5000)])
        self.pool = Picker([str(a) for a in ipaddress.ip_network(pool)][1:-1])
        self.enis, self.instances, self.eips = {}, {}, {}

    # -- what holds ---------------------------------------------------------------------------

    def eip_on(self, eni, private=None):
        return [e for e in self.eips.values() if e.eni == eni and private in (None, e.private)]

    def instance_eip(self, i):
        eni = self.instances[i].enis[0]
        return self.eip_on(eni, self.enis[eni].addresses[0])

    def limits(self, eni):
        i = self.enis[eni].instance
        return (50, 10) if i is None else TYPES[self.instances[i].kind][1:]

    def drop(self, eni):
        """An interface goes: its addresses are free, its EIPs bound to nothing."""
        of = self.enis.pop(eni)
        self.switches[of.vs].give_back(of.addresses, self.delay)
        if of.six:
            self.six[of.vs].give_back(of.six, self.delay)
        for eip in self.eip_on(eni):
            eip.eni = eip.private = eip.mode = None

    def unpublish(self, i):
        of = self.instances[i]
        if of.public:
            self.pool.give_back([of.public], self.delay)
            of.public = None

    # -- operations ---------------------------------------------------------------------------

    def RunInstances(self, VSwitchId, InstanceType, Amount=1, InternetMaxBandwidthOut=0, Ipv6AddressCount=0,
                     NetworkInterface=()):
        vs, (enis, ip4, ip6) = VSwitchId, TYPES[InstanceType]
        wanted = [1] + [1 + n.get("SecondaryPrivateIpAddressCount", 0) for n in NetworkInterface]
        if len(wanted) > (1 if InstanceType == TINY else enis) or max(wanted) > ip4 or Ipv6AddressCount > ip6:
            return None
        if Ipv6AddressCount and vs not in self.six or len(self.switches[vs].free()) < sum(wanted) * Amount:
            return None
        if InternetMaxBandwidthOut and len(self.pool.free()) < Amount:
            return None

        def done(result):
            for i in result["InstanceIdSets"]["InstanceIdSet"]:
                own = []
                shown = self.net.call("DescribeInstances", InstanceIds=[i])["Instances"]["Instance"][0]
                nics = shown["NetworkInterfaces"]["NetworkInterface"]
                for eni, count, kind in zip(nics, wanted, [{}, *NetworkInterface]):
                    six = self.six[vs].pick(Ipv6AddressCount) if Ipv6AddressCount and not own else []
                    own.append(eni["NetworkInterfaceId"])
                    self.enis[own[-1]] = Eni(vs, self.switches[vs].pick(count), six, i, len(own) == 1,
                                             kind.get("DeleteOnRelease", True) is False)
                public = self.pool.pick(1)[0] if InternetMaxBandwidthOut else None
                self.instances[i] = Instance(InstanceType, own, InternetMaxBandwidthOut, public)
        return done

    def CreateInstance(self, VSwitchId, InstanceType, InternetMaxBandwidthOut=0):
        def done(result):
            i = result["InstanceId"]
            eni = self.net.primary_eni(i)
            self.enis[eni] = Eni(VSwitchId, self.switches[VSwitchId].pick(1), [], i, True)
            self.instances[i] = Instance(InstanceType, [eni], InternetMaxBandwidthOut, None)
            self.instances[i].running = False
        return done if self.switches[VSwitchId].free() else None

    def AllocatePublicIpAddress(self, InstanceId):
        i = self.instances[InstanceId]
        if self.instance_eip(InstanceId) or not i.public and (i.bandwidth == 0 or not self.pool.free()):
            return None

        def done(_result):
            i.public = i.public or self.pool.pick(1)[0]
        return done

    def StartInstance(self, InstanceId):
        i = self.instances[InstanceId]
        again = i.reclaimed and i.public is None and i.bandwidth > 0
        if i.running or again and not self.pool.free():
            return None

        def done(_result):
            i.running, i.changed, i.reclaimed = True, False, False
            if again:
                i.public = self.pool.pick(1)[0]
        return done

    def StopInstance(self, InstanceId, StoppedMode="KeepCharging"):
        i = self.instances[InstanceId]

        def done(_result):
            i.running = False
            if StoppedMode == "StopCharging" and i.public:
                i.reclaimed = True
                self.unpublish(InstanceId)
        return done if i.running else None

    def DeleteInstance(self, InstanceId, Force=False):
        i = self.instances[InstanceId]

        def done(_result):
            self.unpublish(InstanceId)
            for eni in i.enis:
                if self.enis[eni].stays:
                    self.enis[eni].instance = None
                else:
                    self.drop(eni)
            del self.instances[InstanceId]
        return done if Force or not i.running else None

    def ModifyInstanceNetworkSpec(self, InstanceId, InternetMaxBandwidthOut):
        i, out = self.instances[InstanceId], InternetMaxBandwidthOut
        rises = i.bandwidth == 0 and out > 0 and i.public is None
        if not 0 <= out <= 100 or self.instance_eip(InstanceId) or rises and not self.pool.free():
            return None

        def done(_result):
            i.bandwidth = out
            if rises:
                i.public = self.pool.pick(1)[0]
            elif out == 0:
                self.unpublish(InstanceId)
        return done

    def ConvertNatPublicIpToEip(self, InstanceId):
        i = self.instances[InstanceId]

        def done(result):
            eip = self.eips[result["AllocationId"]] = Eip(i.public)
            eip.eni, eip.mode = i.enis[0], "NAT"
            eip.private = self.enis[eip.eni].addresses[0]
            i.public, i.bandwidth = None, 0
        return done if i.public else None

    def ModifyInstanceVpcAttribute(self, InstanceId, VSwitchId, PrivateIpAddress=None):
        i = self.instances[InstanceId]
        eni, to, name = self.enis[i.enis[0]], self.switches[VSwitchId], PrivateIpAddress
        if i.running or i.changed or len(eni.addresses) > 1 or eni.vs != VSwitchId and eni.six:
            return None
        if name and (name not in to.addresses or name in to.busy) or not name and not to.free():
            return None

        def done(_result):
            eip = self.eip_on(i.enis[0], eni.addresses[0])
            old, new = eni.addresses[0], name or to.pick(1)[0]
            to.take([new])
            self.switches[eni.vs].give_back([old], self.delay)
            eni.vs, eni.addresses[0], i.changed = VSwitchId, new, True
            for one in eip:
                one.private = new
        return done

    def CreateNetworkInterface(self, VSwitchId, PrivateIpAddress=(), SecondaryPrivateIpAddressCount=0,
                               Ipv6AddressCount=0, DeleteOnRelease=True):
        switch = self.switches[VSwitchId]
        names = list(PrivateIpAddress)
        if not self.may_take(switch, names, 1 + SecondaryPrivateIpAddressCount):
            return None
        if Ipv6AddressCount and VSwitchId not in self.six:
            return None

        def done(result):
            switch.take(names)
            picked = switch.pick(1 + SecondaryPrivateIpAddressCount)
            six = self.six[VSwitchId].pick(Ipv6AddressCount) if Ipv6AddressCount else []
            self.enis[result["NetworkInterfaceId"]] = Eni(VSwitchId, picked[:1] + names + picked[1:], six,
                                                          stays=not DeleteOnRelease)
        return done

    @staticmethod
    def may_take(switch, names, picked):
        good = len(set(names)) == len(names) and all(n in switch.addresses and n not in switch.busy for n in names)
        return good and len([a for a in switch.free() if a not in names]) >= picked

    def AttachNetworkInterface(self, InstanceId, NetworkInterfaceId):
        i, eni = self.instances[InstanceId], self.enis[NetworkInterfaceId]
        enis, ip4, ip6 = TYPES[i.kind]
        if eni.primary or eni.instance or i.kind == TINY and i.running or len(i.enis) >= enis:
            return None
        if len(eni.addresses) > ip4 or len(eni.six) > ip6:
            return None

        def done(_result):
            eni.instance = InstanceId
            i.enis.append(NetworkInterfaceId)
        return done

    def DetachNetworkInterface(self, InstanceId, NetworkInterfaceId):
        i, eni = self.instances[InstanceId], self.enis[NetworkInterfaceId]

        def done(_result):
            eni.instance = None
            i.enis.remove(NetworkInterfaceId)
        return None if eni.primary or eni.instance != InstanceId or i.kind == TINY and i.running else done

    def DeleteNetworkInterface(self, NetworkInterfaceId):
        eni = self.enis[NetworkInterfaceId]
        return None if eni.primary or eni.instance else lambda _result: self.drop(NetworkInterfaceId)

    def AssignPrivateIpAddresses(self, NetworkInterfaceId, PrivateIpAddress=(), SecondaryPrivateIpAddressCount=0):
        eni, names = self.enis[NetworkInterfaceId], list(PrivateIpAddress)
        switch = self.switches[eni.vs]
        more = len(names) + SecondaryPrivateIpAddressCount
        if any(e.mode == "BINDED" for e in self.eip_on(NetworkInterfaceId)):
            return None
        if len(eni.addresses) + more > self.limits(NetworkInterfaceId)[0]:
            return None
        if not self.may_take(switch, names, SecondaryPrivateIpAddressCount):
            return None

        def done(_result):
            switch.take(names)
            eni.addresses += names + switch.pick(SecondaryPrivateIpAddressCount)
        return done

    def UnassignPrivateIpAddresses(self, NetworkInterfaceId, PrivateIpAddress):
        eni = self.enis[NetworkInterfaceId]
        good = all(a in eni.addresses[1:] and not self.eip_on(NetworkInterfaceId, a) for a in PrivateIpAddress)

        def done(_result):
            eni.addresses = [a for a in eni.addresses if a not in PrivateIpAddress]
            self.switches[eni.vs].give_back(PrivateIpAddress, self.delay)
        return done if good and len(set(PrivateIpAddress)) == len(PrivateIpAddress) else None

    def AssignIpv6Addresses(self, NetworkInterfaceId, Ipv6AddressCount):
        eni = self.enis[NetworkInterfaceId]
        if eni.vs not in self.six or len(eni.six) + Ipv6AddressCount > self.limits(NetworkInterfaceId)[1]:
            return None

        def done(_result):
            eni.six += self.six[eni.vs].pick(Ipv6AddressCount)
        return done

    def UnassignIpv6Addresses(self, NetworkInterfaceId, Ipv6Address):
        eni = self.enis[NetworkInterfaceId]

        def done(_result):
            eni.six = [a for a in eni.six if a not in Ipv6Address]
            self.six[eni.vs].give_back(Ipv6Address, self.delay)
        return done if all(a in eni.six for a in Ipv6Address) else None

    def AllocateEipAddress(self, IpAddress=None):
        if IpAddress and (IpAddress not in self.pool.addresses or IpAddress in self.pool.busy):
            return None

        def done(result):
            address = IpAddress or self.pool.pick(1)[0]
            self.pool.take([address])
            self.eips[result["AllocationId"]] = Eip(address)
        return done if IpAddress or self.pool.free() else None

    def AssociateEipAddress(self, AllocationId, InstanceId, InstanceType="EcsInstance", PrivateIpAddress=None,
                            Mode="NAT"):
        eip, is_instance = self.eips[AllocationId], InstanceType == "EcsInstance"
        number = self.instances[InstanceId].enis[0] if is_instance else InstanceId
        eni = self.enis[number]
        private = PrivateIpAddress or eni.addresses[0]
        bound = self.eip_on(number)
        if eip.eni or private not in (eni.addresses[:1] if is_instance else eni.addresses):
            return None
        if Mode == "BINDED" and is_instance:
            return None
        if Mode == "BINDED" and (eni.instance or len(eni.addresses) > 1 or bound):
            return None
        if any(e.mode == "BINDED" or e.private == private for e in bound):
            return None
        if eni.primary and private == eni.addresses[0]:
            of = self.instances[eni.instance]
            if of.public or of.bandwidth:
                return None

        def done(_result):
            eip.eni, eip.private, eip.mode = number, private, Mode
        return done

    def UnassociateEipAddress(self, AllocationId):
        eip = self.eips[AllocationId]
        if eip.eni is None or eip.mode == "BINDED" and self.enis[eip.eni].instance:
            return None

        def done(_result):
            eip.eni = eip.private = eip.mode = None
        return done

    def ReleaseEipAddress(self, AllocationId):
        eip = self.eips[AllocationId]

        def done(_result):
            self.pool.give_back([eip.address], self.delay)
            del self.eips[AllocationId]
        return None if eip.eni else done

    # -- and what is read ---------------------------------------------------------------------

    def differences(self):
        """What the ledger shows otherwise."""
        found = []

        def same(what, got, wanted):
            if isinstance(got, dict):
                for name in {**got, **wanted}:
                    same(f"{what} {name}", got.get(name), wanted.get(name))
            elif got != wanted:
                found.append(f"{what}: {got!r}, by the model {wanted!r}")
        for vs, picker in self.switches.items():
            same(vs, self.net.free(vs), len(picker.free()))
        shown = {}
        sets = self.net.call("DescribeNetworkInterfaces", MaxResults=1000)["NetworkInterfaceSets"]
        for eni in sets["NetworkInterfaceSet"]:
            shown[eni["NetworkInterfaceId"]] = (
                eni["VSwitchId"], eni["InstanceId"], eni["Status"], eni["Type"],
                [a["PrivateIpAddress"] for a in eni["PrivateIpSets"]["PrivateIpSet"]],
                [a["Ipv6Address"] for a in eni["Ipv6Sets"]["Ipv6Set"]])
        same("interfaces", shown, {
            n: (e.vs, e.instance or "", "InUse" if e.instance else "Available", "Primary" if e.primary else "Secondary",
                e.addresses, e.six) for n, e in self.enis.items()})
        shown = {}
        for i in self.net.call("DescribeInstances", MaxResults=1000)["Instances"]["Instance"]:
            shown[i["InstanceId"]] = (i["Status"], i["InternetMaxBandwidthOut"], i["PublicIpAddress"]["IpAddress"],
                                      i["EipAddress"]["IpAddress"],
                                      [n["NetworkInterfaceId"] for n in i["NetworkInterfaces"]["NetworkInterface"]])
        same("instances", shown, {
            n: ("Running" if i.running else "Stopped", i.bandwidth, [i.public] if i.public else [],
                "".join(e.address for e in self.instance_eip(n)), i.enis) for n, i in self.instances.items()})
        shown = {}
        for e in self.net.call("DescribeEipAddresses", MaxResults=1000)["EipAddresses"]["EipAddress"]:
            shown[e["AllocationId"]] = (e["IpAddress"], e["Status"], e["InstanceId"], e["PrivateIpAddress"])
        same("EIPs", shown, {n: (e.address, "InUse" if e.eni else "Available", self.bound_to(e), e.private or "")
                             for n, e in self.eips.items()})
        for vs, picker in self.switches.items():
            for address in random.sample(picker.addresses, 3):
                status = "Held" if address in picker.busy else "Cooling" if address in picker.cooling else "Free"
                same(address, self.net.call("LookupAddress", Address=address, VpcId=self.vpc)["Status"], status)
        for address in random.sample(self.pool.addresses, 3):
            status = "Held" if address in self.pool.busy else "Cooling" if address in self.pool.cooling else "Free"
            same(address, self.net.call("LookupAddress", Address=address)["Status"], status)
        return found

    def bound_to(self, eip):
        if eip.eni is None:
            return ""
        of = self.enis[eip.eni]
        return of.instance if of.primary and eip.private == of.addresses[0] else eip.eni


class Past:
    """What was read at moments on the way: read again as of then, it is the same."""

    LISTS = ("DescribeNetworkInterfaces", "DescribeInstances", "DescribeEipAddresses", "DescribeVSwitches",
             "DescribeIpv6Addresses")

    def __init__(self):
        self.moments = []

    @staticmethod
    def read(model, addresses, **as_of):
        bare = lambda answer: {k: v for k, v in answer.items() if k not in ("RequestId", "AsOfSeq", "NextToken")}
        call = model.net.call
        return [bare(call(name, MaxResults=1000, **as_of)) for name in Past.LISTS] + [
            bare(call("LookupAddress", Address=a, VpcId=model.vpc, **as_of)) for a in addresses]

    def keep(self, model, rng):
        addresses = [rng.choice(p.addresses) for p in (*model.switches.values(), model.pool)]
        self.moments.append((model.net.head(), addresses, self.read(model, addresses)))

    def differences(self, model):
        found = []
        for seq, addresses, wanted in self.moments:
            got = self.read(model, addresses, AsOf=seq)
            found += [f"as of {seq}: {a} was {b}" for a, b in zip(got, wanted) if a != b]
            for address, then in zip(addresses, wanted[len(self.LISTS):]):
                found += self.history(model, seq, address, then["Holdings"])
        return found

    @staticmethod
    def history(model, seq, address, holdings):
        """The intervals of an address at a moment are those who held it then."""
        where = {"VpcId": model.vpc} if address.startswith("10.") else {}
        past = model.net.call("GetHistory", Address=address, MaxResults=1000, **where)["History"]
        held = [h["Holder"]["NetworkInterfaceId"] for h in past
                if h["FromSeq"] <= seq and (h["ToSeq"] is None or seq < h["ToSeq"])]
        wanted = [h["NetworkInterfaceId"] for h in holdings]
        return [] if held == wanted else [f"as of {seq}, {address} was held by {wanted}, by its history by {held}"]


# ---- what is asked ----------------------------------------------------------------------------

def a_name(switch, rng):
    """An address to ask for by name: often one that cools."""
    return rng.choice(sorted(switch.cooling) if switch.cooling and rng.random() < 0.5 else switch.addresses)


def a_nic(rng):
    return rng.choice(({"SecondaryPrivateIpAddressCount": rng.randint(1, 3)}, {"DeleteOnRelease": rng.random() < 0.5}))


def choose(m, rng):
    """A random operation with parameters that name what there is, though not always what may be."""
    vs = rng.choice(list(m.switches))
    eni = rng.choice(list(m.enis) or [None])
    i = rng.choice(list(m.instances) or [None])
    eip = rng.choice(list(m.eips) or [None])
    address = a_name(m.switches[vs], rng)
    operation = rng.choice(OPERATIONS)
    if operation == "RunInstances":
        params = {"VSwitchId": vs, "InstanceType": rng.choice(list(TYPES)), "Amount": rng.choice((1, 1, 2)),
                  "InternetMaxBandwidthOut": rng.choice((0, 0, 5)),
                  "NetworkInterface": [a_nic(rng) for _ in range(rng.choice((0, 0, 1, 2)))]}
        count = rng.choice((0, 0, 1, 3))
        return operation, {**params, "Ipv6AddressCount": count} if count else params
    if operation == "CreateInstance":
        return operation, {"VSwitchId": vs, "InstanceType": rng.choice(list(TYPES)),
                           "InternetMaxBandwidthOut": rng.choice((0, 5))}
    if operation == "CreateNetworkInterface":
        params = {"VSwitchId": vs, "DeleteOnRelease": rng.random() < 0.7}
        kind = rng.choice(("none", "count", "name", "six"))
        more = {"none": {}, "count": {"SecondaryPrivateIpAddressCount": rng.randint(1, 4)},
                "name": {"PrivateIpAddress": [address]}, "six": {"Ipv6AddressCount": rng.randint(1, 2)}}[kind]
        return operation, {**params, **more}
    if operation == "AllocateEipAddress":
        return operation, {"IpAddress": rng.choice(m.pool.addresses)} if rng.random() < 0.3 else {}
    if operation in OF_EIP:
        if eip is None:
            return None
        params = {"AllocationId": eip}
        if operation == "AssociateEipAddress":
            if i is None or eni is None:
                return None
            if rng.random() < 0.4:
                return operation, {**params, "InstanceId": i}
            params.update(InstanceId=eni, InstanceType="NetworkInterface", Mode=rng.choice(("NAT", "NAT", "BINDED")))
            if rng.random() < 0.5:
                params["PrivateIpAddress"] = rng.choice(m.enis[eni].addresses)
        return operation, params
    if operation in OF_ENI:
        if eni is None:
            return None
        params = {"NetworkInterfaceId": eni}
        if operation == "AssignPrivateIpAddresses":
            params.update({"PrivateIpAddress": [a_name(m.switches[m.enis[eni].vs], rng)]} if rng.random() < 0.4 else
                          {"SecondaryPrivateIpAddressCount": rng.randint(1, 4)})
        elif operation == "UnassignPrivateIpAddresses":
            has = m.enis[eni].addresses
            params["PrivateIpAddress"] = rng.sample(has, min(len(has), rng.randint(1, 2)))
        elif operation == "AssignIpv6Addresses":
            params["Ipv6AddressCount"] = rng.randint(1, 3)
        elif operation == "UnassignIpv6Addresses":
            if not m.enis[eni].six:
                return None
            params["Ipv6Address"] = rng.sample(m.enis[eni].six, 1)
        return operation, params
    if i is None or eni is None:
        return None
    more = {"StopInstance": {"StoppedMode": rng.choice(("KeepCharging", "StopCharging"))},
            "DeleteInstance": {"Force": rng.random() < 0.3},
            "ModifyInstanceNetworkSpec": {"InternetMaxBandwidthOut": rng.choice((0, 0, 1, 100, 101))},
            "ModifyInstanceVpcAttribute": rng.choice(({"VSwitchId": vs}, {"VSwitchId": vs, "PrivateIpAddress": address})),
            "AttachNetworkInterface": {"NetworkInterfaceId": eni},
            "DetachNetworkInterface": {"NetworkInterfaceId": eni}}
    return operation, {"InstanceId": i, **more.get(operation, {})}


OF_EIP = ("AssociateEipAddress", "UnassociateEipAddress", "ReleaseEipAddress")
OF_ENI = ("DeleteNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses", "AssignIpv6Addresses",
          "UnassignIpv6Addresses")
OPERATIONS = ("RunInstances", "StartInstance", "StartInstance", "StopInstance", "StopInstance", "DeleteInstance",
              "CreateInstance", "AllocatePublicIpAddress",
              "ModifyInstanceNetworkSpec", "ConvertNatPublicIpToEip", "ModifyInstanceVpcAttribute",
              "CreateNetworkInterface", "AttachNetworkInterface", "AttachNetworkInterface", "DetachNetworkInterface",
              "AllocateEipAddress", "AssociateEipAddress", "AssociateEipAddress", *OF_EIP, *OF_ENI)


def play(seed, steps, delay):
    rng = random.Random(seed)
    random.seed(seed)
    folder = tempfile.TemporaryDirectory()
    path = os.path.join(folder.name, "init.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"PublicPools": [BLOCKS[delay][0]], "ReuseDelaySeconds": delay}, file)
    server = Server(init=path)
    model, past = Model(Net(server), delay), Past()
    done, refused, wrong = 0, 0, []
    for step in range(steps):
        asked = choose(model, rng)
        if asked is None:
            continue
        operation, params = asked
        then = getattr(model, operation)(**params)
        before = model.net.head()
        try:
            result = model.net.call(operation, **params)
            done += 1
            if then is None:
                wrong.append(f"step {step}: {operation} {params} was done")
                break
            then(result)
        except Refused as refusal:
            refused += 1
            if then is not None or model.net.head() != before:
                wrong.append(f"step {step}: {operation} {params}: {refusal}")
                break
        if step % 20 == 19:
            wrong += [f"step {step}, after {operation} {params}: {d}" for d in model.differences()]
            if wrong:
                break
        if step % 100 == 99:
            past.keep(model, rng)
        if step % 150 == 149:
            server.kill()
            server.start()
            model.net = Net(server)
    wrong += model.differences()
    forgotten = past.differences(model)
    server.remove()
    folder.cleanup()
    TAP.ok(not wrong, f"seed {seed}, reuse delay {delay} s: {steps} steps as the model says", wrong)
    TAP.ok(past.moments and not forgotten, f"seed {seed}: {len(past.moments)} moments are the same when read as of then",
           forgotten)
    TAP.ok(min(done, refused) > 50, f"seed {seed}: both done and refused: {done}, {refused}")


def main():
    if len(sys.argv) > 2:
        play(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[1]) % 2 * 3600)
    else:
        for seed in range(1, 7):
            play(seed, 1500, seed % 2 * 3600)
    TAP.end()


main()
