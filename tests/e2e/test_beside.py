#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a client that writes without pause, and four that ask about the past meanwhile.
Claimed: what they are answered as of a moment is what is answered as of it for ever; who asks what takes
long keeps nobody else waiting, and has the answers to its later requests in their order; a client that goes
before it is answered leaves nothing behind; what was asked is answered when the server is told to end."""
import os
import random
import select
import threading
import time

from ledger import Net, Refused, Server, Tap

SECONDS = float(os.environ.get("IPL_SECONDS", "6"))
BURST = 200
OF_NOW = {"RequestId", "UptimeSeconds", "Store", "HeadSeq", "HeadTime", "HeadRoot"}


def begin(server):
    net = Net(server)
    vswitch = net.vswitch(net.vpc())
    ids = [net.eni(vswitch) for _ in range(10)]
    ids += net.run(vswitch, Amount=5, InternetMaxBandwidthOut=1) + [vswitch]
    return net, ids


def requests(rng, ids):
    eni, instance = rng.choice(ids[:10]), rng.choice(ids[10:15])
    ip = [f"10.0.0.{200 + rng.randrange(40)}"]
    return rng.choice([
        ("AssignPrivateIpAddresses", {"NetworkInterfaceId": eni, "PrivateIpAddress": ip}),
        ("UnassignPrivateIpAddresses", {"NetworkInterfaceId": eni, "PrivateIpAddress": ip}),
        ("ModifyInstanceNetworkSpec", {"InstanceId": instance, "InternetMaxBandwidthOut": rng.randrange(3)}),
        ("AllocateEipAddress", {}),
        ("CreateVpc", {"CidrBlock": "172.16.0.0/16"}),
    ])


def burst(client, rng, ids, count=BURST):
    for _ in range(count):
        client.send(*requests(rng, ids))
    return sum(client.receive()[2] is None for _ in range(count))


def write(server, ids, until, done):
    client, rng = server.client(), random.Random(1)
    while time.monotonic() < until:
        done.append(burst(client, rng, ids))
    client.close()


def question(rng, ids, head):
    seq = rng.randrange(head + 1) if rng.random() < 0.7 else head - rng.randrange(min(head, 50))
    of = rng.choice(ids)
    return rng.choice([
        ("GetStateHash", {"AsOf": seq}),
        ("DescribeVpcs", {"AsOf": seq, "MaxResults": 20}),
        ("DescribeNetworkInterfaces", {"AsOf": seq, "MaxResults": 20}),
        ("GetEntity", {"AsOf": seq, "Id": of}),
        ("GetEntity", {"AsOf": seq, "Id": ids[-1]}),
        ("LookupAddress", {"AsOf": seq, "Address": f"10.0.0.{200 + rng.randrange(40)}"}),
        ("ListEvents", {"AsOf": seq, "Id": of, "Reverse": True, "MaxResults": 10}),
        ("GetHistory", {"AsOf": seq, "Id": of, "MaxResults": 10}),
        ("DiffState", {"AsOf": seq, "From": max(0, seq - 100), "To": seq}),
        ("GetStatus", {"AsOf": seq}),
    ])


def ask(client, operation, params):
    """All changes of a diff, whose pages end when they cost much; of anything else one page."""
    try:
        result = client.call(operation, **params)
        while operation == "DiffState" and result["NextToken"]:
            more = client.call(operation, **params, NextToken=result["NextToken"])
            result["Changes"] += more["Changes"]
            result["NextToken"] = more["NextToken"]
    except Refused as refusal:
        return refusal.code, refusal.detail
    return {k: v for k, v in result.items() if k not in OF_NOW}


def read(server, ids, seed, until, found):
    client, rng = server.client(), random.Random(seed)
    while time.monotonic() < until:
        asked = question(rng, ids, client.call("Hello")["HeadSeq"])
        found.append((asked, ask(client, *asked)))
    client.close()


def difference(got, again, path=""):
    """The first place where two answers differ."""
    if isinstance(got, dict) and isinstance(again, dict):
        for key in {**got, **again}:
            if got.get(key) != again.get(key):
                return difference(got.get(key), again.get(key), f"{path}.{key}")
    if isinstance(got, list) and isinstance(again, list) and len(got) == len(again):
        for i, (x, y) in enumerate(zip(got, again)):
            if x != y:
                return difference(x, y, f"{path}[{i}]")
    return path, got, again


def check_for_ever(tap, server, ids):
    until, written, found = time.monotonic() + SECONDS, [], []
    threads = [threading.Thread(target=write, args=(server, ids, until, written))]
    threads += [threading.Thread(target=read, args=(server, ids, seed, until, found)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"# {sum(written)} events, {len(found)} answers about the past", flush=True)
    tap.ok(sum(written) > 1000 and len(found) > 100, "writes and reads of the past go on beside each other")
    client = server.client()
    wrong = [(asked, got, again) for asked, got in found if (again := ask(client, *asked)) != got]
    tap.ok(not wrong, "as of a moment is for ever", [(asked, difference(got, again)) for asked, got, again in wrong[:3]])
    client.close()


def is_overtaken(slow, quick, seq, ids):
    """Ask for what takes long, and for little elsewhere: whether that was answered first. The ids of what slow was sent."""
    sent = [slow.send("GetStateHash", {"AsOf": seq}), slow.send("Ping", {}), slow.send("GetEntity", {"Id": ids[0]})]
    for _ in range(10):
        quick.call("Ping")
    return sent, not select.select([slow.sock], [], [], 0)[0]


def check_order(tap, server, ids):
    slow, quick, rng = server.client(), server.client(), random.Random(3)
    head = quick.call("Hello")["HeadSeq"]
    for i in range(5):  # on a busy machine the quick client may be the one that is kept waiting
        (first, *later), is_first = is_overtaken(slow, quick, head // 2 + 1 + 1000 * i, ids)
        if is_first:
            break
        for _ in range(3):
            slow.receive()
    tap.ok(is_first, "who asks for little is answered first")
    burst(quick, rng, ids, 5)
    got = [slow.receive() for _ in range(3)]
    tap.equal([answer[1] for answer in got], [first] + later, "on one connection answers keep their order")
    tap.ok(all(answer[2] is None for answer in got), "and all are answered", got)
    slow.close()
    quick.close()


def check_leaving(tap, server):
    head = Net(server).head()
    for i in range(20):
        client = server.client()
        client.send("GetStateHash", {"AsOf": head - 7 * i - 1})
        client.close()
    tap.ok(Net(server).call("GetStateHash", AsOf=head - 5)["Hash"], "clients that go leave nobody waiting")


def check_end(tap, server):
    client = server.client()
    head = client.call("Hello")["HeadSeq"]
    sent = [client.send("GetStateHash", {"AsOf": head - 1}), client.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})]
    time.sleep(0.05)
    status = server.stop()
    got = [client.receive() for _ in sent]
    tap.ok(status == 0 and [g[1] for g in got] == sent and all(g[2] is None for g in got),
           "what was asked is answered before the server ends", got)


def main():
    tap = Tap()
    server = Server()
    _, ids = begin(server)
    check_for_ever(tap, server, ids)
    check_order(tap, server, ids)
    check_leaving(tap, server)
    check_end(tap, server)
    server.remove()
    tap.end()


main()
