#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger, and eight clients that ask for addresses at the same time, pipelined, for more than
there are in the end, and for the same ones by name. (IPLEDGER_FULL=1: a million addresses.)
Claimed: no address is given twice, each is given once, who comes too late is refused; the state and
the log agree with what the clients were told. Says how long reads of much take."""
import multiprocessing
import os
import tempfile
import time

import msgpack

from ledger import ZONE, Client, Server, Tap

CLIENTS = 8
FULL = os.environ.get("IPLEDGER_FULL") == "1"
# vSwitches of the VPC, their masks, and how many addresses are left over in the end
VSWITCHES, MASK, LEFT = (16, 16, 48512) if FULL else (4, 24, 0)
USABLE = (1 << 32 - MASK) - 4
WINDOW = 64


def ask(path, share, queue):
    """One client: requests as (operation, params), WINDOW on the way; its answers to the queue."""
    client = Client(path)
    got, refused, frames = [], {}, 0
    sent = 0
    while frames < len(share):
        part = share[sent:min(sent + WINDOW, len(share))] if sent - frames <= WINDOW // 2 else []
        if part:
            client.sock.sendall(b"".join(msgpack.packb([0, sent + i, operation, [params]])
                                         for i, (operation, params) in enumerate(part)))
            sent += len(part)
        _, msgid, error, result = client.receive()
        assert msgid == frames, (msgid, frames)
        frames += 1
        if error is not None:
            refused[error["Code"]] = refused.get(error["Code"], 0) + 1
        else:
            got.append((result.get("PrivateIpAddress") or result["EipAddress"], result["Seq"]))
    client.close()
    queue.put((got, refused))


def at_once(server, shares):
    queue = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=ask, args=(server.socket, share, queue)) for share in shares]
    begin = time.monotonic()
    for worker in workers:
        worker.start()
    answers = [queue.get(timeout=3000) for _ in workers]
    for worker in workers:
        worker.join()
    got = [one for answer in answers for one in answer[0]]
    refused = {}
    for _, codes in answers:
        for code, count in codes.items():
            refused[code] = refused.get(code, 0) + count
    return got, refused, time.monotonic() - begin


def split(requests):
    return [requests[n::CLIENTS] for n in range(CLIENTS)]


def resident_mib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int([line for line in file if line.startswith("VmRSS")][0].split()[1]) // 1024


def test_picked(tap, server, vswitches):
    """Picked addresses, and in a small run more requests than there are addresses."""
    total = VSWITCHES * USABLE - LEFT
    wanted = total if LEFT else total + 200
    before = resident_mib(server)
    requests = [("CreateNetworkInterface", {"VSwitchId": vswitches[n // USABLE if FULL else n % VSWITCHES]}) for n in range(wanted)]
    got, refused, seconds = at_once(server, split(requests))
    tap.ok(len(got) == total, f"{total} addresses are given to {CLIENTS} clients", (len(got), refused))
    tap.equal(len({ip for ip, _ in got}), total, "no address twice")
    tap.equal(len({seq for _, seq in got}), total, "each by an event of its own")
    tap.equal(refused, {} if LEFT else {"InvalidVSwitchId.IpNotEnough": 200}, "the others are refused")
    print(f"# {wanted} requests in {seconds:.1f} s: {wanted / seconds:.0f}/s; the server took "
          f"{resident_mib(server) - before} MiB for {total} network interfaces", flush=True)


def test_named(tap, server, vpc):
    """Everybody wants the same addresses by name."""
    client = server.client()
    vswitch = client.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.200.0.0/24")["VSwitchId"]
    names = [f"10.200.0.{n}" for n in range(1, 253)]
    share = [("CreateNetworkInterface", {"VSwitchId": vswitch, "PrimaryIpAddress": ip}) for ip in names]
    got, refused, _ = at_once(server, [share[n:] + share[:n] for n in range(CLIENTS)])
    tap.equal(sorted(ip for ip, _ in got), sorted(names), "each named address is given to one of eight")
    tap.equal(refused, {"InvalidPrivateIpAddress.Duplicated": 252 * 7}, "seven are told that it is taken")


def test_eips(tap, server):
    share = [("AllocateEipAddress", {})] * 400
    got, refused, _ = at_once(server, split(share))
    tap.equal(len({ip for ip, _ in got}), 254, "all public addresses of the pool are given, each once")
    tap.equal(refused, {"OperationFailed.InsufficientEIP": 146}, "and then no more")


def timed(name, function):
    begin = time.monotonic()
    result = function()
    print(f"# {name}: {(time.monotonic() - begin) * 1000:.1f} ms", flush=True)
    return result


def pages(client, most, **params):
    found, token = [], None
    while len(found) < most:
        if token is not None:
            params["NextToken"] = token
        page = client.call("DescribeNetworkInterfaces", MaxResults=1000, **params)
        found += page["NetworkInterfaceSets"]["NetworkInterfaceSet"]
        token = page.get("NextToken")
        if not token:
            break
    return found


def test_reads(tap, server, vswitches):
    client = server.client()
    state = timed(f"GetEntity of a vSwitch with {USABLE} addresses or nearly",
                  lambda: client.call("GetEntity", Id=vswitches[0]))["State"]
    tap.ok(state["AvailableIpAddressCount"] <= LEFT, "a full vSwitch shows what it has left", state)
    most = 10000 if FULL else 252
    for what, scope in (("all", {}), ("those of a vSwitch", {"VSwitchId": vswitches[0]})):
        found = timed(f"DescribeNetworkInterfaces, {what}, {most} of them, page by page",
                      lambda scope=scope: pages(client, most, **scope))
        tap.ok(len({e["NetworkInterfaceId"] for e in found}) == len(found) >= most, f"paging shows each once: {what}")
    tap.equal(sum(client.call("DescribeVSwitchAttributes", VSwitchId=v)["AvailableIpAddressCount"]
                  for v in vswitches), LEFT, "the vSwitches count what is left")


def main():
    tap = Tap()
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as init:
        init.write('{"PublicPools": ["198.18.0.0/24"]}')
    server = Server(init=init.name)
    client = server.client()
    vpc = client.call("CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
    vswitches = [client.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock=f"10.{n}.0.0/{MASK}")["VSwitchId"]
                 for n in range(VSWITCHES)]
    test_picked(tap, server, vswitches)
    test_named(tap, server, vpc)
    test_eips(tap, server)
    test_reads(tap, server, vswitches)
    begin = time.monotonic()
    head = client.call("GetStatus")["HeadSeq"]
    server.stop()
    server.start()
    client = server.client()
    tap.equal(client.call("GetStatus")["HeadSeq"], head, "after a restart the log is as long")
    print(f"# restart: {time.monotonic() - begin:.1f} s for {head} events", flush=True)
    tap.equal(sum(client.call("DescribeVSwitchAttributes", VSwitchId=v)["AvailableIpAddressCount"]
                  for v in vswitches), LEFT, "and the vSwitches count the same")
    server.remove()
    os.unlink(init.name)
    tap.end()


if __name__ == "__main__":
    main()
