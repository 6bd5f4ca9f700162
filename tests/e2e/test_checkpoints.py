#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a log long enough for a checkpoint, with addresses, EIPs and VPCs that came, went and came again,
and requests with tokens.
Claimed: what is answered, now and as of moments around the checkpoint, is the same when the server starts
from a checkpoint, from the log alone, after kill -9 at any time, and beside checkpoints that are damaged,
cut or not ours, which it names."""
import glob
import os
import random
import shutil
import subprocess
import time

from ledger import BINARY, Net, Refused, Server, Tap, wait_until

EVENTS = 21000
BURST = 500
OF_NOW = {"RequestId", "UptimeSeconds", "Store", "HeadSeq", "HeadTime", "HeadRoot"}


def burst(client, requests):
    results = []
    for start in range(0, len(requests), BURST):
        part = requests[start:start + BURST]
        for operation, params in part:
            client.send(operation, params)
        results += [client.receive() for _ in part]
    return results


def fill(net, rng):
    """Little lives, long gone, among a few that stay."""
    vswitch = net.vswitch(net.vpc())
    enis = [net.eni(vswitch) for _ in range(20)]
    instances = net.run(vswitch, Amount=10, InternetMaxBandwidthOut=1)
    gone = []
    while net.head() < EVENTS:
        requests = []
        for i in range(BURST):
            eni = rng.choice(enis)
            ip = f"10.0.0.{200 + rng.randrange(40)}"
            requests.append(rng.choice([
                ("AssignPrivateIpAddresses", {"NetworkInterfaceId": eni, "PrivateIpAddress": [ip]}),
                ("UnassignPrivateIpAddresses", {"NetworkInterfaceId": eni, "PrivateIpAddress": [ip]}),
                ("AllocateEipAddress", {"ClientToken": f"t{net.head_of_tokens + i}"}),
                ("ModifyInstanceNetworkSpec", {"InstanceId": rng.choice(instances),
                                               "InternetMaxBandwidthOut": rng.randrange(3)}),
                ("CreateVpc", {"CidrBlock": "172.16.0.0/16"}),
            ]))
        net.head_of_tokens += BURST
        for kind, _, error, result in burst(net.client, requests):
            if error is None and "AllocationId" in result and rng.random() < 0.9:
                gone.append(("ReleaseEipAddress", {"AllocationId": result["AllocationId"]}))
            elif error is None and "VpcId" in result and rng.random() < 0.9:
                gone.append(("DeleteVpc", {"VpcId": result["VpcId"]}))
        burst(net.client, gone[:-50])
        gone = gone[-50:]
    return enis + instances + [vswitch]


def ask(call, operation, params):
    try:
        result = call(operation, **params)
    except Refused as refusal:
        return refusal.code, refusal.detail
    return {k: v for k, v in result.items() if k not in OF_NOW}


def questions(head, checkpoint, ids, rng):
    moments = {0, 1, 2, checkpoint - 1, checkpoint, checkpoint + 1, head - 1, head}
    moments |= {rng.randrange(head) for _ in range(6)}
    for seq in sorted(moments):
        yield "GetStateHash", {"AsOf": seq}
        yield "GetStatus", {"AsOf": seq}
        yield "DescribeNetworkInterfaces", {"AsOf": seq, "MaxResults": 50}
        for i in rng.sample(ids, 4):
            yield "GetEntity", {"Id": i, "AsOf": seq}
        for ip in (f"10.0.0.{200 + rng.randrange(40)}", "198.18.0.7"):
            yield "LookupAddress", {"Address": ip, "AsOf": seq}
    for i in rng.sample(ids, 5) + ["10.0.0.210"]:
        yield "ListEvents", {"Id": i, "MaxResults": 20, "Reverse": True, "AsOf": head}
        yield "ListEvents", {"Id": i, "MaxResults": 20, "ToSeq": checkpoint, "AsOf": head}
    for seq in (1, checkpoint - 3, checkpoint, checkpoint + 1, head):
        yield "GetEvent", {"Seq": seq}


def answers(server, asked):
    net = Net(server)
    found = [ask(net.call, operation, params) for operation, params in asked]
    net.client.close()
    return found


def files(server):
    return sorted(glob.glob(os.path.join(server.data, "checkpoints", "*")))


def seq_of(path):
    return int(os.path.basename(path).split(".")[0])


def same(tap, server, asked, wanted, name):
    got = answers(server, asked)
    wrong = [(q, g, w) for q, g, w in zip(asked, got, wanted) if g != w]
    tap.ok(not wrong, name, wrong[:2])


def spoil(path, rng, how):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    if how == "bit":
        data[rng.randrange(len(data))] ^= 4
    elif how == "cut":
        del data[rng.randrange(len(data)):]
    elif how == "other":
        data = b"\0" * 8192
    with open(path, "wb") as file:
        file.write(data)
    return bytes(data)


def is_replaced(server, spoilt):
    """A checkpoint is there, and none is the spoilt one."""
    found = [path for path in files(server) if path.endswith(".mdb")]
    for path in found:
        with open(path, "rb") as file:
            if file.read() == spoilt:
                return False
    return bool(found)


def check_tokens(tap, server, seqs, name):
    net = Net(server)
    before = net.head()
    again = [net.call("AllocateEipAddress", ClientToken=t)["Seq"] for t in seqs]
    tap.ok(again == list(seqs.values()) and net.head() == before, name)
    net.client.close()


def check_killed(tap, server, asked, wanted, rng):
    """The server begins a checkpoint at once when there is none: killed at some moment of it."""
    left = 0
    for turn in range(6):
        shutil.rmtree(os.path.join(server.data, "checkpoints"), ignore_errors=True)
        server.start()
        wait_until(lambda: files(server), 30)  # it has begun to write
        time.sleep(0.01 * turn)
        server.kill()
        left += any(path.endswith(".tmp") for path in files(server))
    tap.ok(left > 0, "a server is killed while it writes a checkpoint", left)
    server.start()
    same(tap, server, asked, wanted, "killed while one was written: nothing is lost or changed")
    tap.ok(wait_until(lambda: any(p.endswith(".mdb") for p in files(server)), 60), "and one is made")
    server.stop()
    tap.ok(not any(p.endswith(".tmp") for p in files(server)), "what was half is cleared away")


def check_directory(tap, server, wanted):
    """The command line on the directory, without a server."""
    out = subprocess.run([BINARY, "--data", server.data, "-o", "json", "call", "GetStateHash"],
                         capture_output=True, text=True, timeout=60, check=False)
    tap.ok(wanted["Hash"] in out.stdout, "the command line reads the same from the directory", out)


def main():
    tap = Tap()
    rng = random.Random(int(os.environ.get("IPL_SEED", "7")))
    server = Server()
    net = Net(server)
    net.head_of_tokens = 0
    ids = fill(net, rng)
    tap.ok(wait_until(lambda: any(p.endswith(".mdb") for p in files(server)), 60),
           "after enough events there is a checkpoint")
    checkpoint = seq_of(files(server)[-1])
    tokens = {f"t{t}": None for t in range(0, net.head_of_tokens, 97)}
    tokens = {t: net.call("AllocateEipAddress", ClientToken=t)["Seq"] for t in tokens}
    asked = list(questions(net.head(), checkpoint, ids, rng))
    wanted = answers(server, asked)
    live = ask(net.call, "GetStateHash", {})
    tap.equal(server.stop(), 0, "the server ends")

    server.start()
    same(tap, server, asked, wanted, "started from the checkpoint, everything is as before")
    check_tokens(tap, server, tokens, "tokens from before the checkpoint are known")
    tap.refused("PreconditionFailed", "and who changed what since", Net(server).call,
                "AssignPrivateIpAddresses", NetworkInterfaceId=ids[0], IfSeq=5,
                SecondaryPrivateIpAddressCount=1)
    server.stop()
    check_directory(tap, server, live)

    shutil.rmtree(os.path.join(server.data, "checkpoints"))
    server.start()
    same(tap, server, asked, wanted, "started from the log alone, everything is as before")
    check_tokens(tap, server, tokens, "and so are tokens")
    tap.ok(wait_until(lambda: any(p.endswith(".mdb") for p in files(server)), 60),
           "a new checkpoint is made at once")
    again = Net(server).call("AssignPrivateIpAddresses", NetworkInterfaceId=ids[0], DryRun=False,
                             SecondaryPrivateIpAddressCount=1)
    tap.ok(again["Seq"] > 0, "and picking goes on")
    server.stop()

    for how in ("bit", "cut", "other"):
        path = files(server)[-1]
        spoilt = spoil(path, rng, how)
        server.start()
        same(tap, server, asked, wanted, f"beside a spoilt checkpoint ({how}) everything is as before")
        tap.ok(wait_until(lambda data=spoilt: is_replaced(server, data), 60), "it is replaced")
        server.stop()
        tap.ok(f"{os.path.basename(path)} is ignored" in server.errors, "it is named", server.errors)

    check_killed(tap, server, asked, wanted, rng)
    server.remove()
    tap.end()


main()
