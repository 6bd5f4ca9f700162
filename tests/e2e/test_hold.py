#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server whose disk takes 400 ms for each sync (SLOW_SYNC names the library that is preloaded).
Claimed: no answer leaves before what it tells of is on the disk: not to a write, not to a read or a
refusal that saw it; what is sent meanwhile goes with the next commit; kill -9 before the sync loses only
what was never acknowledged."""
import os
import re
import select
import signal
import socket
import tempfile
import time

from door import Door
from ledger import Server, Tap, skip, wait_until

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
    os.environ["SLOW_SYNC_FAILS"] = os.path.join(tempfile.mkdtemp(prefix="ipledger-fails-"), "now")
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

    gone = Door(door.port)
    gone.connect()
    gone.sock.sendall(gone.acs3_bytes("CreateVpc", {"CidrBlock": "10.4.0.0/16"}))
    time.sleep(DELAY / 4)
    gone.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    gone.close()
    tap.equal(door.call("CreateVpc", CidrBlock="10.5.0.0/16")["Seq"], made["Seq"] + 4,
              "a client that went before its answer harms nobody, and what it asked was done")
    open(os.environ["SLOW_SYNC_FAILS"], "w", encoding="ascii").close()
    failed = door.acs3("CreateVpc", {"CidrBlock": "10.6.0.0/16"})
    tap.ok(failed.status == 503 and failed.code in ("StoreUnavailable", "OutcomeUnknown"),
           "a disk that fails is a document with a status of 503", (failed.status, failed.body))
    os.remove(os.environ["SLOW_SYNC_FAILS"])
    tap.ok(wait_until(lambda: door.acs3("CreateVpc", {"CidrBlock": "10.6.0.0/16"}).status == 200, 30),
           "and over HTTP too it goes on when the disk does")

    head = writer.call("GetStatus")["HeadSeq"]
    writer.send("CreateVpc", {"CidrBlock": "10.2.0.0/16", "ClientToken": "lost"})
    tap.ok(is_silent(writer, DELAY / 4), "a write on its way is not acknowledged")
    server.kill()
    os.environ["SLOW_SYNC_MS"] = "0"
    server.start()
    client = server.client()
    tap.equal(client.call("GetStatus")["HeadSeq"], head, "killed before the sync, it never was")
    again = client.call("CreateVpc", CidrBlock="10.2.0.0/16", ClientToken="lost")
    tap.equal(again["Seq"], head + 1, "its retry is a first time")
    os.environ["SLOW_SYNC_MS"] = str(int(DELAY * 1000))
    server.stop()
    server.start()
    door = Door(int(re.search(r"http=\S+:(\d+)", server.line).group(1)))
    door.connect()
    door.sock.sendall(door.acs3_bytes("CreateVpc", {"CidrBlock": "10.7.0.0/16"}))
    time.sleep(DELAY / 4)
    server.process.send_signal(signal.SIGTERM)
    tap.equal(door.receive().status, 200, "a call that is on its way at the end is answered")
    tap.equal(server.process.wait(timeout=60), 0, "then the server is done")
    server.remove()
    tap.end()


main()
