#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: commands that take a while, on a ledger of some ten thousand events, and Ctrl-C (SIGINT) at any moment of each.
Claimed: it is done, or exits as one that SIGINT ended (130, or by the signal); at the place of what it makes is the whole of
it or nothing, and nothing beside; what was interrupted in the middle can be begun anew; what goes on until it is told
(a server too) exits with 0; the ledger is as it was, or has what was answered."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from ledger import BINARY, Net, Server, Tap

EVENTS = 30000
MOMENTS = 8
TAP = Tap()


def fill(server):
    client, waiting = server.client(), 0
    for _ in range(EVENTS):
        client.send("CreateVpc", {"CidrBlock": "10.0.0.0/16", "Description": "x" * 100})
        waiting += 1
        if waiting == 256:
            client.receive()
            waiting -= 1
    for _ in range(waiting):
        client.receive()


def start(*words):
    return subprocess.Popen([BINARY, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)


def took(*words):
    begin = time.monotonic()
    done = start(*words)
    error = done.communicate(timeout=120)[1]
    assert done.returncode == 0, (words, done.returncode, error)
    return time.monotonic() - begin


def interrupt(after, *words):
    process = start(*words)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1].decode()
    return process.returncode, error


def each_moment(name, words, look, before=lambda: None):
    """Interrupt it at several moments between its beginning and its end."""
    before()
    whole = took(*words)
    wrong, interrupted = [], 0
    for i in range(MOMENTS):
        before()
        status, error = interrupt(whole * (i + 0.5) / MOMENTS, *words)
        if status not in (0, 130, -signal.SIGINT):
            wrong.append((i, status, error))
        interrupted += status != 0
        found = look(status)
        if found is not None:
            wrong.append((i, status, found))
    TAP.ok(not wrong, f"{name}: {interrupted} of {MOMENTS} times it was interrupted, and nothing is half done", wrong[:3])
    return interrupted


def test_copies(server, folder):
    copy = os.path.join(folder, "copy")

    def look(status):
        if status != 0:
            return None if not os.path.exists(copy) else os.listdir(copy)
        return None if os.listdir(copy) == ["log.mdb"] else os.listdir(copy)

    forget = lambda: shutil.rmtree(copy, ignore_errors=True)
    count = each_moment("backup", ("--data", server.data, "backup", copy), look, forget)
    forget()
    took("--data", server.data, "backup", copy)
    again = os.path.join(folder, "again")

    def look_again(status):
        found = sorted(os.listdir(again)) if os.path.exists(again) else []
        return None if found in ([], ["lock"], ["log.mdb"]) and (status == 0) == ("log.mdb" in found) else found

    count += each_moment("restore", ("--data", again, "restore", copy), look_again,
                         lambda: shutil.rmtree(again, ignore_errors=True))
    return count


def test_export(server, folder):
    out = os.path.join(folder, "out")
    os.mkdir(out)
    path = os.path.join(out, "events.jsonl")

    def look(status):
        if status != 0:
            return os.listdir(out) or None
        with open(path, encoding="utf-8") as file:
            lines = sum(1 for _ in file)
        os.remove(path)
        return None if lines == EVENTS + 1 else lines

    return each_moment("export", ("--data", server.data, "export", "jsonl", "--file", path), look,
                       lambda: os.path.exists(path) and os.remove(path))


def test_import(folder):
    """What was interrupted goes on by its tokens."""
    rows = os.path.join(folder, "rows.jsonl")
    with open(rows, "w", encoding="utf-8") as file:
        for i in range(5000):
            file.write('{"Operation": "CreateVpc", "Params": {"CidrBlock": "10.0.0.0/16", "ClientToken": "row-%d"}}\n' % i)
    server = Server()
    words = ("--data", server.data, "import", rows)
    statuses = [interrupt(0.1, *words)[0] for _ in range(3)]
    TAP.ok(all(status in (0, 130, -signal.SIGINT) for status in statuses), "import: is interrupted", statuses)
    took("--data", server.data, "verify")
    took(*words)
    TAP.equal(server.client().call("GetStatus")["HeadSeq"], 5001, "import: begun anew it does each row once")
    server.remove()


def test_going_on(server):
    """What goes on until it is told has done its work then."""
    vswitch = Net(server).vswitch(Net(server).vpc())
    for words in (("log", "--follow"), ("log", vswitch, "--follow"), ("map", vswitch, "--watch"),
                  ("bench", "--socket", server.socket, "--mix", "ping", "--seconds", "60")):
        for after, ends in ((0.1, (0, -signal.SIGINT)), (2, (0,))):  # at first it may not have begun
            status, error = interrupt(after, "--data", server.data, *words)
            TAP.ok(status in ends and "Sanitizer" not in error, f"{words[0]} {words[-1]}: done when it is interrupted", (status, error))


def test_bench(folder):
    """Interrupted while it writes: everything that it got an answer to is there, and it says how much that was."""
    server = Server()
    words = ("-o", "json", "--data", server.data, "bench", "--socket", server.socket, "--mix", "mixed", "--writes", "--seconds", "60")
    for after in (1, 2):
        path = os.path.join(folder, "bench.json")
        with open(path, "wb") as out, subprocess.Popen([BINARY, *words], stdout=out, stderr=subprocess.PIPE) as process:
            time.sleep(after)
            process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=60)[1]
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
        TAP.ok(process.returncode == 0 and said["Done"] > 0, "bench: says what it has done", (process.returncode, said, error))
        head = server.client().call("GetStatus")["HeadSeq"]
        TAP.ok(said["FirstSeq"] + said["Events"] - 1 <= head, "bench: what was answered is there", (said, head))
    took("--data", server.data, "verify")
    server.remove()


def test_serve(data):
    """At any moment of its start, and while it serves."""
    whole = took_to_serve(data)
    for i in range(MOMENTS):
        status, error = interrupt(whole * 2 * (i + 0.5) / MOMENTS, "--data", data, "serve", "--http", "none")
        TAP.ok(status in (0, -signal.SIGINT) and "Sanitizer" not in error, "serve: ends when it is interrupted", (status, error))
    took("--data", data, "verify")


def took_to_serve(data):
    begin = time.monotonic()
    with subprocess.Popen([BINARY, "--data", data, "serve", "--http", "none"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        took_s = time.monotonic() - begin
        process.send_signal(signal.SIGINT)
        TAP.equal(process.wait(timeout=60), 0, "serve: exits with 0")
    return took_s


def main():
    server = Server()
    fill(server)
    head = server.client().call("GetStatus")["HeadRoot"]
    with tempfile.TemporaryDirectory(prefix="ipledger-interrupt-") as folder:
        count = test_copies(server, folder)
        count += test_export(server, folder)
        for words in (("verify",), ("replay",), ("check",), ("bisect", "--expr", "count(Vpc) > 20000")):
            count += each_moment(words[0], ("--data", server.data, *words), lambda status: None)
        TAP.ok(count > 10, "that was in the middle, mostly", count)
        test_import(folder)
        test_bench(folder)
    TAP.equal(server.client().call("GetStatus")["HeadRoot"], head, "the ledger is as it was")
    test_going_on(server)
    server.stop()
    test_serve(server.data)
    server.remove()
    TAP.end()


main()
