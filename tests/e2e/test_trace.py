#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: 31 days of a real cluster (IPLEDGER_TRACE), as import rows.
Claimed: every row is answered; no address is ever held by two; what the server reads equals a
naive fold of the listed events, now and as of any seq or time; kill -9 in the middle loses
nothing and the import resumes by its tokens; the state after a restart is the state before.

The whole trace with IPLEDGER_FULL=1, else its first day; IPLEDGER_PAIRS reads of the past."""
import bisect
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

from ledger import BINARY, Refused, Server, Tap, skip

TRACE = os.environ.get("IPLEDGER_TRACE", "")
FULL = os.environ.get("IPLEDGER_FULL") == "1"
PAIRS = int(os.environ.get("IPLEDGER_PAIRS", "10000" if FULL else "300"))
LISTS = {"DescribeVpcs": ("Vpcs", "Vpc", "VpcId"),
         "DescribeVSwitches": ("VSwitches", "VSwitch", "VSwitchId"),
         "DescribeInstances": ("Instances", "Instance", "InstanceId"),
         "DescribeNetworkInterfaces": ("NetworkInterfaceSets", "NetworkInterfaceSet",
                                       "NetworkInterfaceId"),
         "DescribeEipAddresses": ("EipAddresses", "EipAddress", "AllocationId")}


class Model:
    """Too simple to be wrong: dictionaries, one event after the other."""

    def __init__(self):
        self.private = {}   # (vpc, address) -> interface
        self.public = {}    # address -> "eip-…" or "i-…"
        self.instance = {}  # id -> {"enis": […], "public": …, "eip": …}
        self.eni = {}       # id -> {"addresses": […], "instance", "vswitch", "vpc", "eips": {ip: eip}}
        self.eip = {}       # id -> {"ip", "eni", "instance", "private"}
        self.twice = []
        self.vpcs = set()

    def hold(self, table, key, holder):
        if key in table:
            self.twice.append((key, table[key], holder))
        table[key] = holder

    def apply(self, event):
        getattr(self, "on_" + event["Type"], lambda body: None)(event["Body"])

    def on_VpcCreated(self, body):
        self.vpcs.add(body["VpcId"])

    def on_InstancesLaunched(self, body):
        for part in body["Instances"]:
            instance = part["InstanceId"]
            self.instance[instance] = {"enis": [], "public": part.get("PublicIpAddress"),
                                       "eip": None}
            if part.get("PublicIpAddress"):
                self.hold(self.public, part["PublicIpAddress"], instance)
            for nic in part["NetworkInterfaces"]:
                eni = nic["NetworkInterfaceId"]
                self.instance[instance]["enis"].append(eni)
                addresses = [a["PrivateIpAddress"] for a in nic["PrivateIpAddresses"]]
                self.eni[eni] = {"addresses": addresses, "instance": instance,
                                 "vswitch": nic["VSwitchId"], "vpc": body["VpcId"], "eips": {}}
                for ip in addresses:
                    self.hold(self.private, (body["VpcId"], ip), eni)

    def on_InstanceReleased(self, body):
        instance = self.instance.pop(body["InstanceId"])
        if instance["public"]:
            del self.public[instance["public"]]
        for part in body["NetworkInterfaces"]:
            eni = self.eni.pop(part["NetworkInterfaceId"])
            for ip in eni["addresses"]:
                del self.private[(body["VpcId"], ip)]
            for eip in eni["eips"].values():
                self.eip[eip].update(eni=None, instance=None, private=None)

    def on_EipAllocated(self, body):
        self.eip[body["AllocationId"]] = {"ip": body["EipAddress"], "eni": None, "instance": None,
                                          "private": None}
        self.hold(self.public, body["EipAddress"], body["AllocationId"])

    def on_EipAssociated(self, body):
        eni, instance = body["NetworkInterfaceId"], body.get("InstanceId")
        self.eip[body["AllocationId"]].update(eni=eni, instance=instance,
                                              private=body["PrivateIpAddress"])
        self.eni[eni]["eips"][body["PrivateIpAddress"]] = body["AllocationId"]
        if instance:
            self.instance[instance]["eip"] = body["AllocationId"]

    def on_EipUnassociated(self, body):
        self.eip[body["AllocationId"]].update(eni=None, instance=None, private=None)
        del self.eni[body["NetworkInterfaceId"]]["eips"][body["PrivateIpAddress"]]
        if body.get("InstanceId"):
            self.instance[body["InstanceId"]]["eip"] = None

    def on_EipReleased(self, body):
        del self.public[self.eip.pop(body["AllocationId"])["ip"]]

    def view(self, entity):
        """What the model says about one entity; None where it is not there."""
        if entity in self.instance:
            i = self.instance[entity]
            primary = self.eni[i["enis"][0]]
            return ("instance", primary["addresses"][0], primary["vswitch"], i["public"],
                    self.eip[i["eip"]]["ip"] if i["eip"] else "")
        if entity in self.eni:
            e = self.eni[entity]
            return ("eni", tuple(e["addresses"]), e["instance"], e["vswitch"],
                    tuple(sorted((ip, self.eip[x]["ip"]) for ip, x in e["eips"].items())))
        if entity in self.eip:
            e = self.eip[entity]
            return ("eip", e["ip"], e["instance"] or e["eni"] or "", e["private"] or "")
        return None


def shown(state):
    """The same of what the server shows."""
    if "AllocationId" in state:
        return ("eip", state["IpAddress"], state["InstanceId"], state["PrivateIpAddress"])
    if "MacAddress" in state:
        sets = state["PrivateIpSets"]["PrivateIpSet"]
        pairs = tuple(sorted((a["PrivateIpAddress"], a["AssociatedPublicIp"]["PublicIpAddress"])
                             for a in sets if "AssociatedPublicIp" in a))
        return ("eni", tuple(a["PrivateIpAddress"] for a in sets), state["InstanceId"],
                state["VSwitchId"], pairs)
    public = state["PublicIpAddress"]["IpAddress"]
    return ("instance", state["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0],
            state["VpcAttributes"]["VSwitchId"], public[0] if public else None,
            state["EipAddress"]["IpAddress"])


def pages(client, operation, pick, **params):
    params["MaxResults"] = 1000
    while True:
        result = client.call(operation, **params)
        yield from pick(result)
        if not result["NextToken"]:
            return
        params["NextToken"] = result["NextToken"]


def all_lists(client):
    out = {}
    for operation, (outer, inner, key) in LISTS.items():
        out[operation] = {e[key]: e for e in
                          pages(client, operation, lambda r: r[outer][inner])}
    return out


def run_import(server, rows):
    begin = time.monotonic()
    done = subprocess.run([BINARY, "--data", server.data, "-o", "json", "import", rows],
                          capture_output=True, text=True)
    return done, time.monotonic() - begin


def read_past(client, entity, as_of):
    try:
        return shown(client.call("GetEntity", Id=entity, AsOf=as_of)["State"])
    except Refused as refusal:
        return None if refusal.code == "NotFound" else refusal.code


def check_past(tap, client, events):
    """Random (entity, seq) pairs, ascending, against one naive fold that passes by."""
    chance = random.Random(20261124)
    ids = sorted({t for e in events for t in e["Touches"]
                  if t.startswith(("i-", "eni-", "eip-"))})
    times = [e["Time"] for e in events]
    wanted = sorted((chance.randrange(len(events) + 1), chance.choice(ids)) for _ in range(PAIRS))
    model, at, wrong = Model(), 0, []
    by_time, timed = 0, 0
    for seq, entity in wanted:
        while at < seq:
            model.apply(events[at])
            at += 1
        if read_past(client, entity, seq) != model.view(entity):
            wrong.append((seq, entity, read_past(client, entity, seq), model.view(entity)))
        # By time: where this event is the last of its time, the same must come out.
        if seq and bisect.bisect_right(times, times[seq - 1]) == seq:
            timed += 1
            if read_past(client, entity, times[seq - 1]) != model.view(entity):
                by_time += 1
    tap.ok(not wrong, f"{PAIRS} reads as of a seq equal a naive fold", wrong[:2])
    tap.ok(by_time == 0, f"{timed} of them by time too", by_time)


def check_past_lists(tap, server, events):
    """Whole lists of the past, asked by several at once while others write."""
    chance = random.Random(4711)
    seqs = sorted(chance.sample(range(1, len(events) + 1), 12))
    model, at, wanted = Model(), 0, {}
    for seq in seqs:
        while at < seq:
            model.apply(events[at])
            at += 1
        wanted[seq] = (set(model.instance), set(model.eip))
    got = {}

    def ask(mine):
        client = server.client()
        for seq in mine:
            got[seq] = tuple({e[key] for e in pages(client, operation, lambda r: r[outer][inner], AsOf=seq)}
                             for operation, (outer, inner, key) in
                             ((o, LISTS[o]) for o in ("DescribeInstances", "DescribeEipAddresses")))
        client.close()

    askers = [threading.Thread(target=ask, args=(seqs[n::6],)) for n in range(6)]
    for asker in askers:
        asker.start()
    client = server.client()
    while any(asker.is_alive() for asker in askers):
        client.call("CreateVpc", CidrBlock="10.0.0.0/16")
    wrong = [seq for seq in seqs if got.get(seq) != wanted[seq]]
    tap.ok(not wrong, "12 whole lists of the past, asked by 6 at once, equal a naive fold", wrong)


def naive_histories(events):
    """address -> [[from, to, holder]] of all addresses, by looking at a naive fold after each event."""
    model, open_now, out = Model(), {}, {}
    for event in events:
        model.apply(event)
        body = json.dumps(event["Body"])
        for ip in set(re.findall(r'"(\d+\.\d+\.\d+\.\d+)"', body)):
            holders = {eni for (_, address), eni in (((v, ip), model.private.get((v, ip))) for v in model.vpcs)
                       if eni}
            public = model.public.get(ip)
            if public:
                holders.add((public, model.eip[public]["eni"]) if public in model.eip else public)
            for holder in open_now.get(ip, {}).keys() - holders:
                open_now[ip].pop(holder)[1] = event["Seq"]
            for holder in holders - open_now.get(ip, {}).keys():
                interval = [event["Seq"], None, holder]
                open_now.setdefault(ip, {})[holder] = interval
                out.setdefault(ip, []).append(interval)
    return out


def check_histories(tap, client, events):
    chance = random.Random(815)
    wanted = naive_histories(events)
    ips = chance.sample(sorted(wanted), min(len(wanted), PAIRS))
    wrong = []
    for ip in ips:
        got = [[i["FromSeq"], i["ToSeq"]] for i in pages(client, "GetHistory", lambda r: r["History"], Address=ip)]
        if got != [i[:2] for i in wanted[ip]]:
            wrong.append((ip, got, wanted[ip]))
    tap.ok(not wrong, f"{len(ips)} histories of addresses equal a naive fold", wrong[:1])


def check_end(tap, model, lists):
    got = {key: shown(e) for name in ("DescribeInstances", "DescribeNetworkInterfaces",
                                      "DescribeEipAddresses") for key, e in lists[name].items()}
    ids = set(model.instance) | set(model.eni) | set(model.eip)
    tap.equal(set(got), ids, "the lists hold what the naive fold holds")
    wrong = [(i, got[i], model.view(i)) for i in ids if i in got and got[i] != model.view(i)]
    tap.ok(not wrong, f"{len(ids)} entities read as the naive fold says", wrong[:2])


def main():
    if not os.path.exists(TRACE):
        skip("the trace is not here (IPLEDGER_TRACE names it)")
    tap = Tap()
    work = tempfile.TemporaryDirectory(prefix="ipledger-trace-")
    rows, init = os.path.join(work.name, "rows.jsonl"), os.path.join(work.name, "init.json")
    limit = [] if FULL else ["--limit-seconds", "86400"]
    subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "alibaba.py"), TRACE,
                    "--out", rows, "--init", init, *limit], check=True, stderr=subprocess.DEVNULL)
    total = sum(1 for _ in open(rows, encoding="utf-8"))
    server = Server(init=init)

    # Into the middle, and kill.
    importer = subprocess.Popen([BINARY, "--data", server.data, "-o", "json", "import", rows],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    client = server.client()
    while client.call("GetStatus")["HeadSeq"] < total // 2:
        time.sleep(0.005)
    server.kill()
    out, _ = importer.communicate()
    tap.equal(importer.returncode, 3, "an import whose server dies says so")
    acknowledged = json.loads(out)["LastSeq"]
    server.start()
    client = server.client()
    head = client.call("GetStatus")["HeadSeq"]
    tap.ok(head >= acknowledged, "every acknowledged operation is there", (head, acknowledged))

    done, seconds = run_import(server, rows)
    summary = json.loads(done.stdout)
    tap.equal((done.returncode, summary["Done"], summary["Refused"]), (0, total, 0),
              "the import resumes by its tokens, every row is answered")
    status = client.call("GetStatus")
    tap.equal(status["HeadSeq"], total + 1, "no operation is there twice")
    print(f"# {total} operations, {status['HeadSeq']} events, "
          f"{status['Store']['FileBytes'] / status['HeadSeq']:.0f} bytes/event in the file, "
          f"resumed import {seconds:.1f} s")

    events = list(pages(client, "ListEvents", lambda r: r["Events"]))
    tap.equal([e["Seq"] for e in events], list(range(1, total + 2)), "seqs have no gap, no repeat")
    model = Model()
    for event in events:
        model.apply(event)
    tap.ok(not model.twice, "no address is held by two at any time", model.twice[:3])
    lists = all_lists(client)
    check_end(tap, model, lists)
    check_past(tap, client, events)
    check_histories(tap, client, events)
    check_past_lists(tap, server, events)
    lists = all_lists(client)

    tap.equal(server.stop(), 0, "SIGTERM ends the server with 0")
    server.start()
    tap.ok(all_lists(server.client()) == lists, "the state after a restart is the state before")
    server.remove()
    work.cleanup()
    tap.end()


main()
