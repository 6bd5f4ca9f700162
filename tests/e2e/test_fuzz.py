#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: requests of every operation, with their bytes or values changed at random (IPLEDGER_SEED
repeats a run), for some seconds.
Claimed: the server answers or closes, never dies, and serves others on; its log is whole after."""
import os
import random
import select
import socket
import time

import msgpack

from ledger import Server, Tap

SECONDS = float(os.environ.get("IPLEDGER_FUZZ_SECONDS", "6"))
SEED = int(os.environ.get("IPLEDGER_SEED", "1"))
CHANCE = random.Random(SEED)
OPERATIONS = ("Ping Hello GetStatus GetEvent ListEvents GetEntity LookupAddress ModifyLedgerSettings CreateVpc "
              "DeleteVpc CreateVSwitch DeleteVSwitch RunInstances StartInstance StopInstance DeleteInstance "
              "CreateNetworkInterface AttachNetworkInterface DetachNetworkInterface DeleteNetworkInterface "
              "AssignPrivateIpAddresses UnassignPrivateIpAddresses ModifyInstanceNetworkSpec AllocatePublicIpAddress "
              "AllocateEipAddress AssociateEipAddress UnassociateEipAddress ReleaseEipAddress ConvertNatPublicIpToEip "
              "DescribeVpcs DescribeVSwitches DescribeInstances DescribeInstanceAttribute DescribeNetworkInterfaces "
              "DescribeNetworkInterfaceAttribute DescribeEipAddresses").split()
MEMBERS = ("VpcId VSwitchId InstanceId NetworkInterfaceId AllocationId CidrBlock ZoneId InstanceType Amount MinAmount "
           "PrivateIpAddress PrimaryIpAddress SecondaryPrivateIpAddressCount InternetMaxBandwidthOut NetworkInterface "
           "Tag ClientToken DryRun IfSeq Reason Actor EventTime AsOf MaxResults NextToken Id Type Seq FromSeq ToSeq "
           "FromTime Address Mode Bandwidth IpAddress Zones PublicPools Quotas InstanceTypes StoppedMode Force "
           "RegionId ReuseDelaySeconds Ipv6Pool ErrorFormat InstanceIds EipAddress Reverse").split()


def value(known, depth=0):
    choice = CHANCE.randrange(14 if depth < 4 else 10)
    if choice < 4 and known:
        return CHANCE.choice(known)
    if choice == 4:
        return CHANCE.choice([0, 1, -1, 2**31, 2**63, -2**63, 100, 1.5, float("inf"), True, None])
    if choice == 5:
        return CHANCE.choice(["10.0.0.0/16", "10.0.0.0/24", "10.0.0.5", "cn-hangzhou-a", "ecs.g6.large", "NAT", "",
                              "2026-01-01T00:00:00Z", "x" * CHANCE.randrange(5000), "ü\u0000\n", "[\"a\"]", "a,b,,c"])
    if choice == 6:
        return CHANCE.randbytes(CHANCE.randrange(20))
    if choice < 10:
        return CHANCE.choice(["10.0.0.0/16", "cn-hangzhou-a", "ecs.g6.large", 1, 5, True])
    if choice < 12:
        return [value(known, depth + 1) for _ in range(CHANCE.randrange(4))]
    return {CHANCE.choice(MEMBERS + ["InstanceType", "Key", "Value"]): value(known, depth + 1)
            for _ in range(CHANCE.randrange(4))}


def request(known):
    params = {CHANCE.choice(MEMBERS): value(known) for _ in range(CHANCE.randrange(6))}
    data = bytearray(msgpack.packb([0, CHANCE.randrange(2**32), CHANCE.choice(OPERATIONS), [params]]))
    for _ in range(CHANCE.choice([0, 0, 0, 1, 3])):
        at = CHANCE.randrange(len(data))
        if CHANCE.randrange(2):
            data[at] ^= 1 << CHANCE.randrange(8)
        else:
            data[at:at] = CHANCE.randbytes(CHANCE.randrange(4))
    return bytes(data)


def harvest(frame, known):
    """Ids from answers make later requests go deeper."""
    stack = [frame]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack += item.values()
        elif isinstance(item, list):
            stack += item
        elif isinstance(item, str) and "-bp1" in item and len(known) < 200 and len(item) < 40:
            known.append(item)


def main():
    print(f"# IPLEDGER_SEED={SEED}")
    tap = Tap()
    server = Server()
    sane = server.client()
    known, sent, answered, closed = [], 0, 0, 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(server.socket)
        unpacker = msgpack.Unpacker(raw=False, unicode_errors="replace")
        try:
            for _ in range(50):
                sock.sendall(request(known))
                sent += 1
                while select.select([sock], [], [], 0.002)[0]:
                    data = sock.recv(1 << 20)
                    if not data:
                        raise ConnectionError
                    unpacker.feed(data)
                    for frame in unpacker:
                        answered += 1
                        harvest(frame, known)
        except (ConnectionError, OSError):
            closed += 1
        sock.close()
        if sane.call("Ping").get("RequestId") is None:
            break
    tap.ok(server.process.poll() is None, "the server lives")
    tap.ok(answered > 100 and closed > 1, f"{sent} requests: {answered} answered, {closed} connections closed")
    head = server.client().call("GetStatus")["HeadSeq"]
    tap.equal(server.stop(), 0, "SIGTERM: exit status 0")
    tap.ok("rror" not in server.errors, "nothing to complain of", server.errors)
    server.start()
    tap.equal(server.client().call("GetStatus")["HeadSeq"], head, f"the log of {head} events is whole")
    server.remove()
    tap.end()


main()
