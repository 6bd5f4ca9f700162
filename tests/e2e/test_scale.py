#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger of 10,000,000 events and 1,000,000 living instances, each with its interface and address, that
make_scale makes (IPL_EVENTS, IPL_INSTANCES: others).
Claimed: it is served; it fits (an instance in a KiB of memory, an event in 200 bytes of the log); a start from a
checkpoint, a replay of the log and a search in it agree on what there is, now and as of the middle; what is appended at
that size is as whole as in a small ledger. Times are told, and nothing is claimed of them."""
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time

from ledger import BINARY, Refused, Server, Tap, wait_until

EVENTS = int(os.environ.get("IPL_EVENTS", "10000000"))
INSTANCES = int(os.environ.get("IPL_INSTANCES", "1000000"))
MAKE_SCALE = os.environ["MAKE_SCALE"]
SAMPLES = 100
TAP = Tap()


class Timed:
    """Says how long what is inside of it took."""

    def __init__(self, what):
        self.what = what

    def __enter__(self):
        self.begin = time.monotonic()

    def __exit__(self, *_):
        print(f"# {self.what}: {time.monotonic() - self.begin:.2f} s", flush=True)


def ipledger(data, *words):
    done = subprocess.run([BINARY, "-o", "json", "--data", data, *words], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def anonymous(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"RssAnon:\s+(\d+) kB", file.read())[1]) << 10


def make(data):
    """How many events there are."""
    with Timed("made"):
        made = subprocess.run([MAKE_SCALE, data, str(INSTANCES), str(EVENTS)], stdout=subprocess.PIPE, check=True)
    events, instances = map(int, re.findall(rb"\d+", made.stdout)[:2])
    TAP.ok(events >= EVENTS and instances == INSTANCES, "the ledger is made", made.stdout)
    return events


def test_size(data, events):
    size = os.path.getsize(os.path.join(data, "log.mdb"))
    print(f"# {size / events:.1f} bytes an event")
    TAP.ok(size <= 200 * events, "an event takes 200 bytes at most", size / events)


def first_start(data):
    with Timed("first start, which folds the log"):
        server = Server(data=data, log=True)
    with Timed("then its checkpoint"):
        made = wait_until(lambda: "checkpoint of event" in server.log_text(), 600)
    TAP.ok(made, "a checkpoint is made", server.log_text())
    TAP.equal(server.stop(), 0, "it ends as it was told")


def test_memory(server):
    each = anonymous(server) / INSTANCES
    print(f"# {each:.0f} bytes of memory an instance")
    # Below a hundred thousand the program itself is in the way.
    TAP.ok(each <= 1024 or INSTANCES < 100000, "an instance takes a KiB at most", each)


def test_replay(client, data, events):
    with Timed("replay of all"):
        whole = ipledger(data, "replay")
    TAP.equal(whole["Hash"], client.call("GetStateHash")["Hash"], "a replay comes to the served state")
    TAP.equal(whole["Counts"]["Instance"], INSTANCES, "and to as many instances")
    middle = events // 2
    with Timed("the middle's state, served"):
        served = client.call("GetStateHash", AsOf=middle)["Hash"]
    TAP.equal(ipledger(data, "--as-of", str(middle), "replay")["Hash"], served, "so does one to the middle")


def launches(client, rng, events):
    """Some events in which an instance begins."""
    found = []
    while len(found) < SAMPLES:
        page = client.call("ListEvents", FromSeq=rng.randrange(3, events - 1000), MaxResults=50)["Events"]
        born = [event for event in page if event["Type"] == "InstancesLaunched"]
        if born:
            event = rng.choice(born)
            found.append((event["Seq"], next(t for t in event["Touches"] if t.startswith("i-"))))
    return found


def exists(client, instance, seq):
    try:
        return client.call("GetEntity", Id=instance, AsOf=seq)["Kind"] == "Instance"
    except Refused as refusal:
        if refusal.code not in ("NotFound", "InvalidInstanceId.NotFound"):
            raise
        return False


def test_past(client, data, born):
    with Timed(f"{2 * len(born)} looks at the past"):
        wrong = [(seq, i) for seq, i in born if not exists(client, i, seq) or exists(client, i, seq - 1)]
    TAP.equal(wrong, [], "each instance is there from the event on that made it, and not before")
    for seq, instance in born[:3]:
        with Timed("bisect"):
            found = ipledger(data, "bisect", "--from", "0", "--to", str(seq + 10), "--expr", f'exists("{instance}")')
        TAP.equal((found["Found"], found["Seq"]), (True, seq), "bisect finds the event that made it")


def test_addresses(client):
    vswitch = client.call("DescribeVSwitches", MaxResults=50)["VSwitches"]["VSwitch"][-1]
    held, token = 0, ""
    with Timed("all addresses of a vSwitch"):
        while True:
            page = client.call("ListAddresses", VSwitchId=vswitch["VSwitchId"], MaxResults=1000, NextToken=token)
            held += sum(address["Status"] == "Held" for address in page["Addresses"])
            token = page["NextToken"]
            if token == "":
                break
    prefix = int(vswitch["CidrBlock"].split("/")[1])
    cooling = 2 ** (32 - prefix) - 4 - vswitch["AvailableIpAddressCount"] - held
    TAP.ok(held > 0 and cooling >= 0, "its addresses that are held are not free", (held, cooling, vswitch))


def test_long_list(server):
    """All of it, or a refusal that names the way out; never a part."""
    with Timed("instance list"):
        done = subprocess.run([BINARY, "--data", server.data, "-o", "csv", "instance", "list"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
    if done.returncode == 0:
        TAP.equal(done.stdout.count(b"\n"), INSTANCES + 1, "a list has them all")
        return
    TAP.ok(done.stdout == b"" and b"longer than can be held at once" in done.stderr and b"MaxResults=1000" in done.stderr,
           "a list that is too long is refused with the way out", done)
    page = ipledger(server.data, "instance", "list", "MaxResults=1000")
    TAP.ok(len(page["Instances"]["Instance"]) == 1000 and page["NextToken"] != "", "which is one", page["NextToken"])


def test_appends(server, data, client):
    before = client.call("GetStatus")["HeadSeq"]
    done = subprocess.run([BINARY, "-o", "json", "bench", "--socket", server.socket, "--mix", "mixed", "--writes",
                           "--connections", "16", "--in-flight", "8", "--seconds", "3"],
                          stdout=subprocess.PIPE, check=True)
    print("#", done.stdout.decode().strip().replace("\n", "\n# "))
    TAP.ok(client.call("GetStatus")["HeadSeq"] > before, "it is appended to")
    now = client.call("GetStateHash")["Hash"]
    TAP.equal(server.stop(), 0, "it ends as it was told")
    with Timed("verify"):
        verified = subprocess.run([BINARY, "--data", data, "verify"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    TAP.equal(verified.returncode, 0, "the log verifies")
    copy = os.path.join(data, "copy")
    with Timed("backup"):
        head = ipledger(data, "backup", copy)
    TAP.equal(ipledger(copy, "status")["HeadRoot"], head["HeadRoot"], "a backup is whole")
    again = Server(data=data)
    TAP.equal(again.client().call("GetStateHash")["Hash"], now, "and comes to the same state again")
    again.remove()


def main():
    rng = random.Random(20261125)
    data = tempfile.mkdtemp(prefix="ipledger-scale-", dir=os.environ.get("IPL_SCALE_DIR"))
    try:
        events = make(data)
        test_size(data, events)
        first_start(data)
        with Timed("start from the checkpoint"):
            server = Server(data=data)
        test_memory(server)
        client = server.client()
        test_past(client, data, launches(client, rng, events))
        test_addresses(client)
        test_long_list(server)
        test_replay(client, data, events)
        test_appends(server, data, client)
    finally:
        shutil.rmtree(data)
    TAP.end()


main()
