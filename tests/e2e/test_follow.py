#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: `log --follow` beside a server that writes, stops and comes back.
Claimed: each event once, in order, as it comes, as table lines or JSON lines; SIGINT ends it with 0; without
a server it says that it needs one."""
import json
import os
import select
import signal
import subprocess
import time

from ledger import BINARY, Net, Server, Tap

TAP = Tap()


class Follow:
    def __init__(self, server, *words):
        self.process = subprocess.Popen([BINARY, "--data", server.data, *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.rest = b""

    def lines(self, count, seconds=20):
        found, end = [], time.monotonic() + seconds
        while len(found) < count and time.monotonic() < end:
            while b"\n" in self.rest and len(found) < count:
                line, self.rest = self.rest.split(b"\n", 1)
                found.append(line.decode())
            if len(found) < count and select.select([self.process.stdout], [], [], 0.1)[0]:
                data = os.read(self.process.stdout.fileno(), 1 << 16)
                if not data:
                    break
                self.rest += data
        return found

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        self.errors = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


def seqs(lines):
    return [json.loads(line)["Seq"] for line in lines]


def make(server, count):
    net = Net(server)
    return [net.call("CreateVpc", CidrBlock="10.0.0.0/16", Reason="a reason")["Seq"] for _ in range(count)]


def test_follow(server):
    make(server, 5)
    table, every = Follow(server, "log", "--follow", "--from", "7"), Follow(server, "-o", "json", "log", "--follow", "--from", "1")
    past = Follow(server, "-o", "json", "log", "--from", "1h", "--follow")
    TAP.equal(seqs(every.lines(6)), list(range(1, 7)), "--from 1: what there is")
    TAP.equal(seqs(past.lines(6)), list(range(1, 7)), "--from a time")
    late = Follow(server, "-o", "json", "log", "--follow")
    made = make(server, 3)
    lines = table.lines(3)
    TAP.equal([line.split()[0] for line in lines], [str(s) for s in made], "a line for each event as it comes")
    TAP.ok(all("CreateVpc" in line and "a reason" in line for line in lines), "with its columns", lines)
    TAP.equal(seqs(every.lines(3)), made, "JSON lines go on as well")
    seen = []
    while not seen:  # without --from it begins with what comes once it is there
        make(server, 1)
        seen = seqs(late.lines(1, 0.5))
    last = make(server, 1)[0]
    seen += seqs(late.lines(last - seen[0]))
    TAP.ok(seen[0] > 6 and seen == list(range(seen[0], last + 1)), "without --from: what comes from now on", seen)
    TAP.equal(late.end(), 0, "ended")
    TAP.equal([len(every.lines(last - 9)), len(table.lines(last - 9))], [last - 9] * 2, "the others were told as well")
    server.kill()
    time.sleep(1.2)
    server.start()
    made = make(server, 3)
    TAP.equal(seqs(every.lines(3)), made, "after a crash of the server: no gap, no repeat")
    server.stop()
    server.start()
    made = make(server, 2)
    TAP.equal(seqs(every.lines(2)), made, "and after a stop")
    TAP.equal([line.split()[0] for line in table.lines(5)], [str(s) for s in range(made[0] - 3, made[1] + 1)],
              "the table as well")
    TAP.equal([every.end(), past.end(signal.SIGTERM), table.end()], [0, 0, 0], "SIGINT and SIGTERM: exit status 0")
    TAP.equal(every.errors.count("waiting for the server"), 2, "it says once each time that it waits")


def test_filter(server):
    net = Net(server)
    vpc = net.vpc()
    follow = Follow(server, "-o", "json", "log", vpc, "--follow", "--from", "1")
    first = follow.lines(1)
    net.vpc()
    net.vswitch(vpc)
    TAP.equal([json.loads(line)["Operation"] for line in first + follow.lines(1)], ["CreateVpc", "CreateVSwitch"],
              "of one entity")
    TAP.equal(follow.end(), 0, "ended")
    for words, code, what in ((["log", "--follow", "vpc-nothing"], 1, "NotFound"),
                              (["log", "--follow", "--to", "3"], 2, "--follow"),
                              (["log", "--follow", "--reverse"], 2, "--follow"),
                              (["--as-of", "3", "log", "--follow"], 2, "--follow"),
                              (["-o", "csv", "log", "--follow"], 2, "json")):
        done = subprocess.run([BINARY, "--data", server.data, *words], capture_output=True, text=True, timeout=30)
        TAP.ok(done.returncode == code and what in done.stderr, f"{' '.join(words)}: exit status {code}", done)


def main():
    server = Server()
    test_follow(server)
    test_filter(server)
    server.stop()
    done = subprocess.run([BINARY, "--data", server.data, "log", "--follow"], capture_output=True, text=True,
                          timeout=30)
    TAP.ok(done.returncode == 3 and "needs a running server" in done.stderr, "without a server it says so", done)
    server.remove()
    TAP.end()


main()
