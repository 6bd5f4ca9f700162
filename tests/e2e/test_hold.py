#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server whose disk takes 400 ms for each sync (SLOW_SYNC names the library that is preloaded).
Claimed: no answer leaves before what it tells of is on the disk: not to a write, not to a read or a
refusal that saw it; what is sent meanwhile goes with the next commit; kill -9 before the sync loses only
what was never acknowledged."""
import os
import re
import select
import time

from door import Door
from ledger import Server, Tap, skip

LIBRARY = os.environ.get("SLOW_SYNC", "")
DELAY = 0.4


def is_silent(client, seconds):
    return not select.select([client.sock], [], [], seconds)[0]


def main():
    if not os.path.exists(LIBRARY):
        skip("SLOW_SYNC names no library")
    tap = Tap()
    os.environ["LD_PRELOAD"] = LIBRARY
    os.environ["SLOW_SYNC_MS"] = "0"
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    server = Server(args=["--any-key", "--http", "127.0.0.1:0"])
    server.stop()
    os.environ["SLOW_SYNC_MS"] = str(int(DELAY * 1000))
    server.start()
    writer, reader, refused, later = (server.client() for _ in range(4))

    begin = time.monotonic()
    writer.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    time.sleep(0.05)
    reader.send("DescribeVpcs", {})
    refused.send("DeleteVpc", {"VpcId": "vpc-nothing"})
    later.send("CreateVpc", {"CidrBlock": "10.1.0.0/16"})
    tap.ok(all(is_silent(c, 0.05) for c in (writer, reader, refused, later)),
           "nothing leaves while the disk has not got it")
    made = writer.receive()[3]
    first = time.monotonic() - begin
    tap.ok(first >= DELAY * 0.9, "a write is answered when it is on the disk", first)
    tap.equal(reader.receive()[3]["TotalCount"], 1, "a read that saw it leaves with it")
    tap.equal(refused.receive()[2]["Code"], "InvalidVpcId.NotFound", "so does a refusal")
    tap.ok(is_silent(later, DELAY / 4), "what came meanwhile is in the next commit")
    tap.equal(later.receive()[3]["Seq"], made["Seq"] + 1, "and is answered after that one")
    second = time.monotonic() - begin
    tap.ok(DELAY * 1.8 <= second < DELAY * 6, "two commits, one after the other", second)

    door = Door(int(re.search(r"http=\S+:(\d+)", server.line).group(1)))
    begin = time.monotonic()
    by_http = door.call("CreateVpc", CidrBlock="10.3.0.0/16")
    tap.ok(time.monotonic() - begin >= DELAY * 0.9, "over HTTP too a write is answered when it is on the disk")
    tap.equal(by_http["Seq"], made["Seq"] + 2, "and is in the same order")

    head = made["Seq"] + 2
    writer.send("CreateVpc", {"CidrBlock": "10.2.0.0/16", "ClientToken": "lost"})
    tap.ok(is_silent(writer, DELAY / 4), "a write on its way is not acknowledged")
    server.kill()
    os.environ["SLOW_SYNC_MS"] = "0"
    server.start()
    client = server.client()
    tap.equal(client.call("GetStatus")["HeadSeq"], head, "killed before the sync, it never was")
    again = client.call("CreateVpc", CidrBlock="10.2.0.0/16", ClientToken="lost")
    tap.equal(again["Seq"], head + 1, "its retry is a first time")
    server.remove()
    tap.end()


main()
