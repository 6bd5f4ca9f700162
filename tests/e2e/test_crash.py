#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: 8 clients that keep 16 writes in flight each, and a server that is killed with SIGKILL at a
random moment, IPLEDGER_ROUNDS times (default 15).
Claimed: every acknowledged write is in the log with the answer it got; seqs have no gap and no
repeat; a retried token answers the first seq and appends nothing."""
import json
import os
import random
import tempfile
import threading
import time

from ledger import Server, Tap

ROUNDS = int(os.environ.get("IPLEDGER_ROUNDS", "15"))
CLIENTS, IN_FLIGHT = 8, 16
CHANCE = random.Random(7)


class Load(threading.Thread):
    def __init__(self, server, vswitch, name):
        super().__init__()
        self.client = server.client()
        self.vswitch = vswitch
        self.name_of = name
        self.sent = []    # (operation, parameters)
        self.answers = []  # (request, result)

    def next(self):
        token = f"{self.name_of}-{len(self.sent)}"
        choice = len(self.sent) % 3
        if choice == 0:
            return "CreateNetworkInterface", {"VSwitchId": self.vswitch, "ClientToken": token}
        if choice == 1:
            return "AllocateEipAddress", {"ClientToken": token}
        return "CreateVpc", {"CidrBlock": "10.0.0.0/16", "VpcName": token, "ClientToken": token}

    def send(self):
        request = self.next()
        self.sent.append(request)
        self.client.send(*request)

    def run(self):
        try:
            for _ in range(IN_FLIGHT):
                self.send()
            while True:
                frame = self.client.receive()
                self.answers.append((self.sent[len(self.answers)], frame[3] if frame[2] is None else frame[2]))
                self.send()
        except (OSError, ConnectionError):
            self.client.close()


def read_log(client, start):
    events, token = [], ""
    while True:
        params = {"FromSeq": start, "MaxResults": 1000}
        if token:
            params["NextToken"] = token
        page = client.call("ListEvents", **params)
        events += page["Events"]
        token = page["NextToken"]
        if not token:
            return events


def main():
    tap = Tap()
    work = tempfile.TemporaryDirectory(prefix="ipledger-crash-")
    init = os.path.join(work.name, "init.json")
    with open(init, "w", encoding="utf-8") as file:
        json.dump({"PublicPools": ["11.0.0.0/8"]}, file)  # enough for all rounds
    server = Server(init=init)
    client = server.client()
    vpc = client.call("CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
    known = client.call("GetStatus")["HeadSeq"]
    lost, gaps, repeats, acknowledged = [], [], [], 0
    for turn in range(ROUNDS):
        client = server.client()
        vswitch = client.call("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-a",
                              CidrBlock=f"10.{turn}.0.0/16")["VSwitchId"]
        loads = [Load(server, vswitch, f"{turn}-{n}") for n in range(CLIENTS)]
        for load in loads:
            load.start()
        time.sleep(CHANCE.uniform(0.02, 0.25))
        server.kill()
        for load in loads:
            load.join()
        server.start()
        client = server.client()
        events = read_log(client, known + 1)
        gaps += [e["Seq"] for i, e in enumerate(events) if e["Seq"] != known + 1 + i]
        by_seq = {e["Seq"]: e for e in events}
        head = known + len(events)
        known = head
        for load in loads:
            for (operation, params), result in load.answers:
                acknowledged += 1
                event = by_seq.get(result.get("Seq"))
                if event is None or (event["Operation"], event["Time"], event["ClientToken"]) != (
                        operation, result["Time"], params["ClientToken"]):
                    lost.append((operation, params, result))
            # Retry the last of each: answered or not, it happens once.
            for (operation, params), result in load.answers[-2:]:
                if client.call(operation, **params)["Seq"] != result["Seq"]:
                    repeats.append(params)
        if client.call("GetStatus")["HeadSeq"] != head:
            repeats.append(head)
    tap.ok(not lost, f"{ROUNDS} times kill -9: of {acknowledged} acknowledged operations none is lost", lost[:2])
    tap.ok(not gaps, f"{known} seqs without a gap or repeat", gaps[:5])
    tap.ok(not repeats, "a retried token has one effect", repeats[:2])
    tokens = {}
    for event in read_log(client, 1):
        tokens.setdefault((event["Operation"], event.get("ClientToken")), []).append(event["Seq"])
    twice = {k: v for k, v in tokens.items() if k[1] and len(v) > 1}
    tap.ok(not twice, "no token is in the log twice", list(twice.items())[:2])
    server.remove()
    work.cleanup()
    tap.end()


main()
