#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: 8 clients that keep 16 writes in flight each, 2 over HTTP, one that reads and one that is subscribed; and a server
that is killed with SIGKILL at a random moment, often after it had been stopped in the middle (SIGSTOP) and
let go on (SIGCONT), or while it is stopped; IPLEDGER_ROUNDS times (default 20; a thousand on demand).
Claimed: every acknowledged write is in the log once, with the answer it got; seqs have no gap and no repeat; a retried
token answers the first seq and appends nothing, one without an answer is done now
unless the log has it; reads never go back; a subscriber that takes up where it was has
each event once, and they are those of the log; at the end the log verifies, and the state is the one that follows
from it."""
import json
import os
import random
import re
import signal
import subprocess
import tempfile
import threading
import time

from door import Door
from ledger import BINARY, Server, Tap

ROUNDS = int(os.environ.get("IPLEDGER_ROUNDS", "20"))
ROUNDS_EACH = 50  # with one ledger: to read a long log again and again takes long
CLIENTS, DOORS, IN_FLIGHT = 8, 2, 16
CHANCE = random.Random(int(os.environ.get("IPL_SEED", "7")))


class Writer(threading.Thread):
    """Sends until the connection breaks; what was answered is kept."""

    def __init__(self, vswitch, name):
        super().__init__()
        self.vswitch = vswitch
        self.name_of = name
        self.sent = []     # (operation, parameters)
        self.answers = []  # (request, result)

    def next(self):
        token = f"{self.name_of}-{len(self.sent)}"
        choice = len(self.sent) % 3
        if choice == 0:
            self.sent.append(("CreateNetworkInterface", {"VSwitchId": self.vswitch, "ClientToken": token}))
        elif choice == 1:
            self.sent.append(("AllocateEipAddress", {"ClientToken": token}))
        else:
            self.sent.append(("CreateVpc", {"CidrBlock": "10.0.0.0/16", "VpcName": token, "ClientToken": token}))
        return self.sent[-1]


class Load(Writer):
    def __init__(self, server, vswitch, name):
        super().__init__(vswitch, name)
        self.client = server.client()

    def run(self):
        try:
            for _ in range(IN_FLIGHT):
                self.client.send(*self.next())
            while True:
                frame = self.client.receive()
                self.answers.append((self.sent[len(self.answers)], frame[3] if frame[2] is None else frame[2]))
                self.client.send(*self.next())
        except (OSError, ConnectionError):
            self.client.close()


    @staticmethod
    def ask(server, operation, params):
        return server.client().call(operation, **params)


class LoadByHttp(Writer):
    def __init__(self, server, vswitch, name):
        super().__init__(vswitch, name)
        self.door = Door(port_of(server))
        self.door.connect()

    def run(self):
        try:
            while True:
                request = self.next()
                self.answers.append((request, self.door.call(request[0], **request[1])))
        except (OSError, ConnectionError):
            self.door.close()


    @staticmethod
    def ask(server, operation, params):
        return Door(port_of(server)).call(operation, **params)


class Reader(threading.Thread):
    """Asks where the log ends: never before where it ended."""

    def __init__(self, server):
        super().__init__()
        self.client = server.client()
        self.heads = []

    def run(self):
        try:
            while True:
                self.heads.append(self.client.call("GetStatus")["HeadSeq"])
        except (OSError, ConnectionError):
            self.client.close()


class Subscriber(threading.Thread):
    def __init__(self, server, first):
        super().__init__()
        self.client = server.client()
        self.first = first
        self.events = []

    def run(self):
        try:
            self.client.send("Subscribe", {"FromSeq": self.first})
            while True:
                frame = self.client.receive()
                if frame[0] == 2 and frame[1] == "Event":
                    self.events.append(frame[2][0])
        except (OSError, ConnectionError):
            self.client.close()


def port_of(server):
    return int(re.search(r"http=\S+:(\d+)", server.line).group(1))


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


def disturb(server):
    """Stops it for a while, or stops it and kills it so, or kills it."""
    time.sleep(CHANCE.uniform(0.02, 0.25))
    way = CHANCE.randrange(3)
    if way > 0:
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(CHANCE.uniform(0.01, 0.1))
    if way == 1:
        server.process.send_signal(signal.SIGCONT)
        time.sleep(CHANCE.uniform(0.01, 0.1))
    server.kill()


class Checker:
    def __init__(self, known):
        self.known = known  # the last seq that was looked at
        self.followed = known
        self.acknowledged = 0
        self.unanswered, self.happened = 0, 0  # of what was in flight
        self.tokens = {}
        self.lost, self.gaps, self.repeats, self.back, self.missed = [], [], [], [], []

    def look_at_log(self, client):
        events = read_log(client, self.known + 1)
        self.gaps += [e["Seq"] for i, e in enumerate(events) if e["Seq"] != self.known + 1 + i]
        for event in events:
            if event.get("ClientToken"):
                token = (event["Operation"], event["ClientToken"])
                self.tokens[token] = self.tokens.get(token, 0) + 1
        self.known += len(events)
        return {event["Seq"]: event for event in events}

    def look_at_answers(self, server, writers, by_seq):
        for writer in writers:
            for (operation, params), result in writer.answers:
                self.acknowledged += 1
                event = by_seq.get(result.get("Seq"))
                if event is None or (event["Operation"], event["Time"], event["ClientToken"]) != (
                        operation, result["Time"], params["ClientToken"]):
                    self.lost.append((operation, params, result))
            # Retry the last of each: it was answered, so it happens no other time.
            for (operation, params), result in writer.answers[-2:]:
                if writer.ask(server, operation, params)["Seq"] != result["Seq"]:
                    self.repeats.append(params)
        if server.client().call("GetStatus")["HeadSeq"] != self.known:
            self.repeats.append(self.known)
        self.ask_again(server, writers, by_seq)

    def ask_again(self, server, writers, by_seq):
        """What was in flight has happened where the log has it, else it happens now; in both cases once."""
        seqs = {(event["Operation"], event.get("ClientToken")): seq for seq, event in by_seq.items()}
        for writer in writers:
            for operation, params in writer.sent[len(writer.answers):]:
                seq = seqs.get((operation, params["ClientToken"]))
                first, second = (writer.ask(server, operation, params)["Seq"] for _ in range(2))
                self.unanswered += 1
                self.happened += seq is not None
                if first != second or (first <= self.known if seq is None else first != seq):
                    self.repeats.append((params, seq, first, second))

    def look_at_readers(self, reader, subscriber, by_seq):
        seen = reader.heads + [self.known]
        self.back += [(a, b) for a, b in zip(seen, seen[1:]) if b < a]
        for event in subscriber.events:
            self.followed += 1
            if event["Seq"] != self.followed or event["Seq"] in by_seq and by_seq[event["Seq"]] != event:
                self.missed.append((self.followed, event))


def one_round(server, vpc, turn, checker):
    base = turn << 13  # each round has 8,192 addresses of its own
    vswitch = server.client().call("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-a",
                                   CidrBlock=f"10.{base >> 16}.{base >> 8 & 255}.0/19")["VSwitchId"]
    writers = [Load(server, vswitch, f"{turn}-{n}") for n in range(CLIENTS)]
    writers += [LoadByHttp(server, vswitch, f"{turn}-http-{n}") for n in range(DOORS)]
    reader, subscriber = Reader(server), Subscriber(server, checker.followed + 1)
    threads = [*writers, reader, subscriber]
    for thread in threads:
        thread.start()
    disturb(server)
    for thread in threads:
        thread.join()
    server.start()
    client = server.client()
    by_seq = checker.look_at_log(client)
    checker.look_at_answers(server, writers, by_seq)
    checker.look_at_readers(reader, subscriber, by_seq)
    client.close()


def whole_log(server, tap):
    served = server.client().call("GetStateHash")["Hash"]
    tap.equal(server.stop(), 0, "it ends as it is told")
    verified = subprocess.run([BINARY, "--data", server.data, "verify"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tap.ok(verified.returncode == 0, "the log verifies", verified.stdout)
    replayed = subprocess.run([BINARY, "-o", "json", "--data", server.data, "replay"], stdout=subprocess.PIPE, check=True)
    tap.equal(json.loads(replayed.stdout)["Hash"], served, "the state is the one that follows from it")


def one_ledger(init, rounds, tap):
    server = Server(init=init, args=["--any-key", "--http", "127.0.0.1:0"])
    vpc = server.client().call("CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
    checker = Checker(server.client().call("GetStatus")["HeadSeq"])
    for turn in range(rounds):
        one_round(server, vpc, turn, checker)
    tap.ok(not checker.lost, f"{rounds} times kill -9: of {checker.acknowledged} acknowledged operations none is lost",
           checker.lost[:2])
    tap.ok(not checker.gaps, f"{checker.known} seqs without a gap or repeat", checker.gaps[:5])
    tap.ok(not checker.repeats, f"a retried token has one effect; {checker.happened} of {checker.unanswered} in flight had it",
           checker.repeats[:2])
    twice = [token for token, count in checker.tokens.items() if count > 1]
    tap.ok(not twice, "no token is in the log twice", twice[:2])
    tap.ok(not checker.back, "where the log ends never goes back", checker.back[:2])
    tap.ok(not checker.missed, f"a subscriber had {checker.followed} events in order, each once, as they are in the log",
           checker.missed[:2])
    whole_log(server, tap)
    server.remove()


def main():
    tap = Tap()
    work = tempfile.TemporaryDirectory(prefix="ipledger-crash-")
    init = os.path.join(work.name, "init.json")
    with open(init, "w", encoding="utf-8") as file:
        json.dump({"PublicPools": ["11.0.0.0/8"]}, file)  # enough for all rounds
    for done in range(0, ROUNDS, ROUNDS_EACH):
        one_ledger(init, min(ROUNDS_EACH, ROUNDS - done), tap)
    work.cleanup()
    tap.end()


main()
