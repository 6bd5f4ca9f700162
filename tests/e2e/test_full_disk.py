#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger on a small file system of its own (tmpfs, in a mount namespace; skipped without the rights to make one), a
file that takes most of its room, and clients that write until there is none.
Claimed: who writes is told so, alike at both doors; reads go on; nothing acknowledged is lost, nothing else is there;
a checkpoint that finds no room harms nobody; and when there is room again, appends go on without a restart."""
import os
import re
import subprocess
import sys
import tempfile

from door import Door
from ledger import BINARY, Client, Refused, Server, Tap, skip, wait_until

ROOM = 40 << 20
TAKEN = 36 << 20
IN_FLIGHT = 64
TAP = Tap()


def enter():
    """Once more, in a mount namespace of its own."""
    if os.environ.get("IPL_FULL_DISK") is None:
        try_it = subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.PIPE, check=False)
        if try_it.returncode != 0:
            skip("a mount namespace takes rights: " + try_it.stderr.decode().strip())
        os.environ["IPL_FULL_DISK"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, __file__])


def make_disk(path):
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", path], stderr=subprocess.PIPE, check=False)
    if made.returncode != 0:
        skip("no file system can be mounted: " + made.stderr.decode().strip())


def fill(client):
    """Write until not even one event has room: the seqs that were acknowledged, and the refusal."""
    seqs, refusal = fill_by(client, IN_FLIGHT)
    more, refusal = fill_by(client, 1)
    return seqs + more, refusal


def fill_by(client, in_flight):
    seqs, refusal, waiting = [], None, 0
    while refusal is None or waiting > 0:
        while refusal is None and waiting < in_flight:
            client.send("CreateVpc", {"CidrBlock": "10.0.0.0/16", "Description": "x" * 200})
            waiting += 1
        frame = client.receive()
        waiting -= 1
        if frame[2] is not None:
            refusal = refusal or frame[2]
        else:
            seqs.append(frame[3]["Seq"])
    return seqs, refusal


def told(server):
    reply = Door(int(re.search(r"http=\S+:(\d+)", server.line).group(1))).acs3("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    return reply.status, reply.json.get("Code"), reply.json.get("Message")


def events_of(client):
    seqs, token = [], ""
    while True:
        page = client.call("ListEvents", FromSeq=1, MaxResults=1000, NextToken=token)
        seqs += [event["Seq"] for event in page["Events"]]
        token = page["NextToken"]
        if token == "":
            return seqs


def works(client):
    try:
        client.call("CreateVpc", CidrBlock="10.1.0.0/16")
    except Refused:
        return False
    return True


def main():
    enter()
    disk = tempfile.mkdtemp(prefix="ipledger-full-")
    make_disk(disk)
    data, ballast = os.path.join(disk, "data"), os.path.join(disk, "ballast")
    with open(ballast, "wb") as file:
        file.write(bytes(TAKEN))
    server = Server(data=data, args=["--any-key", "--http", "127.0.0.1:0"], log=True)
    first = server.client()
    seqs, refusal = fill(first)
    TAP.ok(refusal["Code"] == "StoreUnavailable" and "disk is full" in refusal["Message"], "who writes is told why", refusal)
    TAP.equal(refusal["HttpStatus"], 503, "and that it is not the client's fault")
    status, code, message = told(server)
    TAP.ok((status, code) == (503, "StoreUnavailable") and "disk is full" in message, "over HTTP too", message)
    client = Client(server.socket)
    TAP.ok(len(seqs) > 1000 and seqs == list(range(seqs[0], seqs[-1] + 1)), "until then all was done, in order", len(seqs))
    TAP.equal(events_of(client)[-1], seqs[-1], "what was acknowledged is there, and nothing else")
    TAP.equal(client.call("GetStatus")["HeadSeq"], seqs[-1], "reads go on")

    os.remove(ballast)
    TAP.ok(wait_until(lambda: works(client), 10), "with room again appends go on, without a restart")
    # Now there is room for many events, and for no checkpoint of them beside.
    more, refusal = fill(client)
    TAP.ok(len(more) > 8000 and refusal["Code"] == "StoreUnavailable", "until the disk is full again", len(more))
    TAP.ok(wait_until(lambda: "checkpoint" in server.log_text(), 60), "a checkpoint was tried meanwhile", server.log_text())
    kept = events_of(Client(server.socket))
    TAP.equal(kept, list(range(1, more[-1] + 1)), f"all {more[-1]} events are there, each once")
    TAP.equal(server.stop(), 0, "it ends as it is told, on a full disk")
    verified = subprocess.run([BINARY, "--data", data, "verify"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    TAP.ok(verified.returncode == 0, "the log verifies", verified.stdout)
    again = Server(data=data, args=["--any-key"])
    TAP.equal(again.client().call("GetStatus")["HeadSeq"], more[-1], "it starts on a full disk, and answers")
    again.stop()
    subprocess.run(["umount", disk], check=True)
    os.rmdir(disk)
    TAP.end()


main()
