#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server to which 16 clients append without pause, and backups taken meanwhile.
Claimed: each backup is the log up to where it ended at some moment between its beginning and its end: restored elsewhere it
verifies, by the head that was printed, and its state is the one that the server had at that head."""
import json
import os
import subprocess
import tempfile
import threading

from ledger import BINARY, Net, Server, Tap

WRITERS, IN_FLIGHT, BACKUPS = 16, 8, 3
TAP = Tap()


def ipledger(*words):
    done = subprocess.run([BINARY, "-o", "json", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stdout + done.stderr


def write(server, vswitch, is_over, failed):
    client, waiting = server.client(), 0
    while waiting > 0 or not is_over.is_set():
        while waiting < IN_FLIGHT and not is_over.is_set():
            client.send("CreateNetworkInterface", {"VSwitchId": vswitch})
            waiting += 1
        error = client.receive()[2]
        waiting -= 1
        if error is not None:
            failed.append(error)
    client.close()


def back_up(server, folder, name):
    """Take a backup, restore it, and hold it against the server."""
    copy, again = os.path.join(folder, name), os.path.join(folder, name + "-again")
    before = server.client().call("GetStatus")["HeadSeq"]
    status, made = ipledger("--data", server.data, "backup", copy)
    after = server.client().call("GetStatus")["HeadSeq"]
    head = made["HeadSeq"] if status == 0 else None
    if not TAP.ok(head is not None and before <= head <= after, f"{name}: it ends between", (before, made, after)):
        return head
    TAP.equal(ipledger("--data", again, "restore", copy)[0], 0, f"{name}: it is restored")
    status, verified = ipledger("--data", again, "verify", "--head", f"{head}:{made['HeadRoot']}")
    TAP.ok(status == 0, f"{name}: it verifies, up to the head that was printed", verified)
    elsewhere = Server(data=again)
    restored = elsewhere.client().call("GetStateHash")
    TAP.equal((restored["AsOfSeq"], restored["Hash"]),
              (head, server.client().call("GetStateHash", AsOf=head)["Hash"]),
              f"{name}: served elsewhere its state is the one there was")
    elsewhere.stop()
    return head


def main():
    server = Server()
    net = Net(server)
    vpc = net.vpc("10.0.0.0/8")
    is_over, failed = threading.Event(), []
    writers = [threading.Thread(target=write, args=(server, net.vswitch(vpc, f"10.{n}.0.0/16"), is_over, failed))
               for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    with tempfile.TemporaryDirectory(prefix="ipledger-backup-") as folder:
        heads = [back_up(server, folder, f"backup {n + 1}") for n in range(BACKUPS)]
    is_over.set()
    for writer in writers:
        writer.join()
    TAP.ok(None not in heads and heads == sorted(set(heads)), "it was appended to meanwhile", heads)
    TAP.equal(failed, [], "and nobody who appended was refused")
    server.remove()
    TAP.end()


main()
