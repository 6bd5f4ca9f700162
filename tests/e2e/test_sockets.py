#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server of whose socket calls the n-th fails, for n = 1, 2, 3 … until none is left, with each error that a kernel
gives (or takes or gives one byte only); clients at both doors that write, read and are subscribed meanwhile (SOCK_FAIL_LIB
names the library that is preloaded; IPL_EVERY=1: every n, else each third of the long rows).
Claimed: whose call it was may lose the connection (libevent's HTTP server leaves it silent, and open, where epoll takes no
more: the client's own time runs out), and nobody else notices; no acknowledged operation is lost, a retry by
token has one effect; who comes next is served; in the end nothing has leaked, and the log verifies."""
import errno
import json
import mmap
import os
import re
import struct
import subprocess
import tempfile

from door import Door
from ledger import BINARY, Refused, Server, Tap, skip

LIBRARY = os.environ.get("SOCK_FAIL_LIB", "")
EVERY = int(os.environ.get("IPL_EVERY", "3"))
SHORT = 0
KINDS = {
    "accept": [errno.EINTR, errno.EAGAIN, errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM],
    "read": [SHORT, errno.EINTR, errno.EAGAIN, errno.ECONNRESET, errno.ETIMEDOUT, errno.ENOMEM],
    "write": [SHORT, errno.EINTR, errno.EAGAIN, errno.EPIPE, errno.ECONNRESET, errno.ENOBUFS, errno.ENOMEM],
    "epoll_ctl": [errno.ENOMEM, errno.ENOSPC],
    "epoll_wait": [errno.EINTR],
}
NAMES = list(KINDS)
PATIENCE = 3  # seconds; a server without descriptors waits one before it accepts again
GONE = (OSError, ConnectionError, Refused)
TAP = Tap()


class Control:
    """The struct that the library has mapped too."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(struct.pack("<9i", -1, 0, 0, 0, 0, 0, 0, 0, 0))
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 36)

    def arm(self, kind, after, error, times=1):
        self.map[4:16] = struct.pack("<3i", after, error, times)
        self.map[0:4] = struct.pack("<i", NAMES.index(kind))

    def disarm(self):
        """Whether it had failed."""
        self.map[0:4] = struct.pack("<i", -1)
        return struct.unpack("<i", self.map[12:16])[0] == 0

    def calls(self):
        return dict(zip(NAMES, struct.unpack("<5i", self.map[16:36])))


class Scene:
    """What clients do while a call fails: any of it may end with the connection."""

    def __init__(self, server, number):
        self.server = server
        self.number = number
        self.answered = {}  # token -> seq
        self.asked = []

    def run(self):
        for part in (self.native, self.http, self.subscribed):
            try:
                part()
            except GONE:
                pass

    def write(self, door, call, name):
        token = f"{self.number}-{name}"
        self.asked.append((door, token))
        self.answered[door, token] = call("CreateVpc", CidrBlock="10.0.0.0/16", ClientToken=token)["Seq"]

    def native(self):
        client = self.server.client()
        client.sock.settimeout(PATIENCE)
        for i in range(3):
            self.write("native", client.call, f"n{i}")
        client.call("DescribeVpcs", MaxResults=100)
        client.close()

    def http(self):
        door = Door(port_of(self.server))
        door.connect()
        door.sock.settimeout(PATIENCE)
        for i in range(2):
            self.write("http", door.call, f"h{i}")
        door.close()

    def subscribed(self):
        client = self.server.client()
        client.sock.settimeout(PATIENCE)
        client.call("Subscribe")
        self.write("native", self.server.client().call, "s0")
        client.receive()
        client.close()


def port_of(server):
    return int(re.search(r"http=\S+:(\d+)", server.line).group(1))


def look(server, scene):
    """What is wrong after it, or None."""
    native, door = server.client(), Door(port_of(server))
    for by, token in scene.asked:
        call = native.call if by == "native" else door.call
        first = call("CreateVpc", CidrBlock="10.0.0.0/16", ClientToken=token)["Seq"]
        if scene.answered.get((by, token), first) != first:
            return f"{token} was answered {scene.answered[by, token]}, and then {first}"
        event = native.call("GetEvent", Seq=first)
        if event["ClientToken"] != token:
            return f"{token} is not in event {first}"
    door.close()
    native.close()
    return None


def count_calls(server, control):
    before = control.calls()
    Scene(server, "count").run()
    return {name: control.calls()[name] - before[name] for name in NAMES}


def fail_each(server, control, kind, most):
    """How many calls failed, and what was wrong."""
    failed, wrong = 0, []
    for error in KINDS[kind]:
        for after in range(0, most, 1 if most < 8 else EVERY):
            scene = Scene(server, f"{kind}-{error}-{after}")
            control.arm(kind, after, error)
            scene.run()
            failed += control.disarm()
            found = look(server, scene)
            if found is not None:
                wrong.append((errno.errorcode.get(error, "short"), after, found))
    return failed, wrong


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def main():
    if not os.path.exists(LIBRARY):
        skip("SOCK_FAIL_LIB names no library")
    work = tempfile.TemporaryDirectory(prefix="ipledger-sockets-")
    os.environ["SOCK_FAIL"] = os.path.join(work.name, "control")
    control = Control(os.environ["SOCK_FAIL"])
    os.environ["LD_PRELOAD"] = LIBRARY
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    server = Server(args=["--any-key", "--http", "127.0.0.1:0"], log=True)
    del os.environ["LD_PRELOAD"]
    Scene(server, "warm").run()
    open_before = descriptors(server)
    calls = count_calls(server, control)
    silent = 0
    for kind, most in calls.items():
        failed, wrong = fail_each(server, control, kind, most + 2)
        TAP.ok(not wrong, f"{kind}: {failed} calls failed, and nothing was lost", wrong[:3])
        TAP.ok(failed >= most // EVERY, f"{kind}: each of {most} was reached", (failed, most))
        silent += failed if kind == "epoll_ctl" else 0
    TAP.ok(descriptors(server) <= open_before + 1 + silent, "no other descriptor is left open",
           (open_before, silent, descriptors(server)))
    head = server.client().call("GetStatus")["HeadSeq"]
    TAP.equal(server.stop(), 0, "it ends as it is told, and nothing has leaked")
    done = subprocess.run([BINARY, "-o", "json", "--data", server.data, "verify"], stdout=subprocess.PIPE, check=False)
    TAP.ok(done.returncode == 0, f"the log of {head} events verifies", done.stdout)
    TAP.equal(int(json.loads(done.stdout)["Head"].split(":")[0]), head, "up to its head")
    server.remove()
    work.cleanup()
    TAP.end()


main()
