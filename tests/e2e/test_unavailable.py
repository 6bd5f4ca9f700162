#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server whose disk fails, cannot be read any more, or does not get done (SLOW_SYNC names the library that is
preloaded); a client at each door, and the command line.
Claimed: StoreUnavailable, OutcomeUnknown and Overloaded are told alike at every door, code, message and status; a retry
with the token has the one true outcome; reads go on; and when the disk is well again, so is the server, by itself."""
import contextlib
import json
import os
import re
import subprocess
import tempfile

from door import Door
from ledger import BINARY, Refused, Server, Tap, skip, wait_until

LIBRARY = os.environ.get("SLOW_SYNC", "")
EVENTS_MAX = 65536  # that wait for the disk, of all connections
EACH = 4000         # that a connection may have in flight
TAP = Tap()


class Switch:
    """Is on while its file is there."""

    def __init__(self, variable, directory):
        self.path = os.path.join(directory, variable)
        os.environ[variable] = self.path

    def __enter__(self):
        open(self.path, "w", encoding="ascii").close()

    def __exit__(self, *_):
        os.remove(self.path)


def port_of(server):
    return int(re.search(r"http=\S+:(\d+)", server.line).group(1))


def native(server, operation, params):
    """(status, code, message) of a refusal; None where there was none."""
    try:
        server.client().call(operation, **params)
    except Refused as refusal:
        return refusal.status, refusal.code, refusal.error["Message"]
    return None


def by_http(server, operation, params):
    reply = Door(port_of(server)).acs3(operation, params)
    return None if reply.status == 200 else (reply.status, reply.code, reply.json["Message"])


def command_line(server, operation, params):
    words = [f"{name}={value}" for name, value in params.items()]
    environ = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run([BINARY, "--server", f"unix:{server.socket}", "-o", "json", "call", operation, *words],
                          capture_output=True, text=True, env=environ)
    return done.returncode, done.stdout + done.stderr


def plain(said):
    """Without numbers: each was refused at another time."""
    return said and (said[0], said[1], re.sub(r"\d+", "N", said[2]))


def alike(server, code, tokens, switch=None):
    """What each door says to a write, with the switch on; tokens: one for each."""
    said = []
    for ask, token in zip((native, by_http, command_line), tokens):
        with switch or contextlib.nullcontext():
            said.append(ask(server, "CreateVpc", {"CidrBlock": "10.0.0.0/16", "ClientToken": token}))
        if switch:
            TAP.ok(wait_until(lambda: is_well(server), 30), "it goes on by itself")
    TAP.ok(said[0] is not None and said[0][:2] == (503, code), f"{code} at the native door", said[0])
    TAP.equal(plain(said[1]), plain(said[0]), f"{code} over HTTP, word for word")
    status, text = said[2]
    TAP.ok(status == 1 and plain(said[0])[2] in re.sub(r"\d+", "N", text) and code in text,
           f"{code} at the command line, word for word", (status, text, said[0]))


def is_well(server):
    """Whether reads are answered."""
    try:
        server.client().call("GetStatus")
    except Refused:
        return False
    return True


def effects(server, tokens):
    """How many events each token has."""
    client, events, token = server.client(), [], ""
    while True:
        page = client.call("ListEvents", Type="VpcCreated", FromSeq=1, MaxResults=1000, NextToken=token)
        events += page["Events"]
        token = page["NextToken"]
        if token == "":
            break
    return [sum(event.get("ClientToken") == token for event in events) for token in tokens]


def again(server, tokens):
    """Ask again with the tokens, at the doors where they were given: each is done now, once."""
    for token, door in zip(tokens, (native, by_http, native)):  # the command line is who the native client is
        ask = {"CidrBlock": "10.0.0.0/16", "ClientToken": token}
        TAP.ok(wait_until(lambda: door(server, "CreateVpc", ask) is None, 30), f"{token}: the retry is done")
        TAP.equal(door(server, "CreateVpc", ask), None, f"{token}: and once more")
    TAP.equal(effects(server, tokens), [1] * len(tokens), "each has one effect")


def test_store_unavailable(server, fails):
    tokens = ["fails-native", "fails-http", "fails-line"]
    head = server.client().call("GetStatus")["HeadSeq"]
    with fails:
        alike(server, "StoreUnavailable", tokens)
        TAP.equal(server.client().call("GetStatus")["HeadSeq"], head, "reads go on, and nothing was appended")
    again(server, tokens)


def test_outcome_unknown(server, hides):
    """The last write of a commit fails, and the log cannot be opened again to see what is there."""
    tokens = ["unknown-native", "unknown-http", "unknown-line"]
    alike(server, "OutcomeUnknown", tokens, hides)
    again(server, tokens)


def test_overloaded(server, waits):
    """More is asked for than may wait for a disk that does not get done."""
    clients = [server.client() for _ in range(EVENTS_MAX // EACH + 2)]
    with waits:
        for client in clients:
            for _ in range(EACH):
                client.send("AllocateEipAddress", {})
        server.client().call("Ping")
        alike(server, "Overloaded", ["full-native", "full-http", "full-line"])
    answers = [client.receive() for client in clients for _ in range(EACH)]
    refused = {frame[2]["Code"] for frame in answers if frame[2] is not None}
    seqs = sorted(frame[3]["Seq"] for frame in answers if frame[2] is None)
    TAP.equal(refused, {"Overloaded"}, "of what was sent, what had no room was refused so")
    TAP.equal(seqs, list(range(seqs[0], seqs[0] + len(seqs))), f"and all else was done: {len(seqs)} of {len(answers)}")
    again(server, ["full-native", "full-http", "full-line"])


def main():
    if not os.path.exists(LIBRARY):
        skip("SLOW_SYNC names no library")
    work = tempfile.TemporaryDirectory(prefix="ipledger-unavailable-")
    fails, hides, waits = (Switch(name, work.name) for name in ("SLOW_SYNC_FAILS", "SLOW_SYNC_HIDES", "SLOW_SYNC_WAITS"))
    init = os.path.join(work.name, "init.json")
    with open(init, "w", encoding="utf-8") as file:
        json.dump({"PublicPools": ["11.0.0.0/8"]}, file)
    os.environ["LD_PRELOAD"] = LIBRARY
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    server = Server(init=init, args=["--any-key", "--http", "127.0.0.1:0"])
    test_store_unavailable(server, fails)
    test_outcome_unknown(server, hides)
    test_overloaded(server, waits)
    TAP.equal(server.stop(), 0, "it ends as it is told")
    server.remove()
    work.cleanup()
    TAP.end()


main()
