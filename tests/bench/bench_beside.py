#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What appends lose while something else goes on: a checkpoint is written; a subscriber catches up from event 1; four
auditors ask about the past; a backup runs; and, to hold these against, a process that only spins takes one of the two
cores. In turns without and with, on a ledger that make_scale makes (BENCH_EVENTS, BENCH_INSTANCES)."""
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

import msgpack

from side_by_side import (IPLEDGER, ROUNDS, SECONDS, Figures, Ledger, new_dir, print_json, print_table, start)

MAKE_SCALE = os.environ.get("MAKE_SCALE", "build/tests/make_scale")
EVENTS = int(os.environ.get("BENCH_EVENTS", "2000000"))
INSTANCES = int(os.environ.get("BENCH_INSTANCES", "300000"))
SHAPES = ((64, 1), (64, 16))
BEGIN = 0.2  # seconds that the companion has to get going
SPIN = "while True: pass"


class Large(Ledger):
    def __init__(self):  # pylint: disable=super-init-not-called
        self.dir = new_dir()
        self.socket = os.path.join(self.dir, "ipledger.sock")
        subprocess.run([MAKE_SCALE, self.dir, str(INSTANCES), str(EVENTS)], check=True, stdout=subprocess.DEVNULL)
        self.serve()

    def serve(self):
        self.process = start([IPLEDGER, "serve", "--data", self.dir, "--http", "none", "--log-level", "error"],
                             lambda: os.path.exists(self.socket), seconds=120)

    def checkpoints(self):
        path = os.path.join(self.dir, "checkpoints")
        return [name for name in os.listdir(path) if name.endswith(".mdb")] if os.path.isdir(path) else []

    def wait_for_checkpoint(self):
        until = time.monotonic() + 300
        while not self.checkpoints():
            if time.monotonic() > until:
                raise RuntimeError("no checkpoint was made")
            time.sleep(0.1)


class Program:
    """A companion that is a process of its own; it is ended when the load is over."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        self.process.kill()
        self.process.wait()


class Subscriber:
    """Takes the log from event 1 on as fast as it comes, and does nothing with it."""

    def __init__(self, path):
        self.taken = 0
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.sendall(msgpack.packb([0, 1, "Subscribe", [{"FromSeq": 1}]]))
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        room = bytearray(1 << 20)
        while taken := self.sock.recv_into(room):
            self.taken += taken

    def end(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.sock.close()
        if self.taken == 0:
            raise RuntimeError("the subscriber got nothing")


class Backups:
    """One backup after the other, for as long as the load goes."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.is_over = False
        self.made = 0
        self.process = None
        self.thread = threading.Thread(target=self.make, daemon=True)
        self.thread.start()

    def make(self):
        into = os.path.join(self.ledger.dir, "backup")
        while not self.is_over:
            shutil.rmtree(into, ignore_errors=True)
            self.process = subprocess.Popen([IPLEDGER, "--data", self.ledger.dir, "backup", into],
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self.process.wait() == 0:
                self.made += 1

    def end(self):
        self.is_over = True
        self.thread.join()
        if self.made == 0:
            raise RuntimeError("no backup was made")


def auditors(ledger):
    return Program(IPLEDGER, "bench", "--socket", ledger.socket, "--mix", "past", "--connections", "4",
                   "--in-flight", "1", "--seconds", str(int(SECONDS) + 60))


COMPANIONS = {
    "a process that only spins": lambda ledger: Program(sys.executable, "-c", SPIN),
    "4 auditors ask about the past": auditors,
    "a subscriber catches up": lambda ledger: Subscriber(ledger.socket),
    "a backup runs": Backups,
}


def beside(ledger, shape, begin):
    """Loads without and with a companion."""
    without = ledger.load(*shape)
    companion = begin(ledger)
    time.sleep(BEGIN)
    loaded = ledger.load(*shape)
    companion.end()
    return without, loaded


def during_checkpoint(ledger, shape):
    """A server that finds none makes one as soon as it serves."""
    ledger.stop()
    shutil.rmtree(os.path.join(ledger.dir, "checkpoints"))
    ledger.serve()
    loaded = ledger.load(*shape)
    if ledger.checkpoints():
        raise RuntimeError("the checkpoint was made before the load ended: take more BENCH_INSTANCES")
    ledger.wait_for_checkpoint()
    return ledger.load(*shape), loaded


def compare(name, shape, pairs):
    rate = Figures(loaded["PerSecond"] / without["PerSecond"] for without, loaded in pairs)
    p99 = Figures(loaded["P99Microseconds"] / without["P99Microseconds"] for without, loaded in pairs)
    alone = Figures(without["PerSecond"] for without, _ in pairs)
    row = [f"{shape[0]}x{shape[1]}", name, alone.text(0), rate.text(), p99.text()]
    return row, {"Rate": rate.json(), "P99": p99.json()}


def main():
    rows, figures = [], {}
    ledger = Large()
    ledger.wait_for_checkpoint()
    questions = {"a checkpoint is written": during_checkpoint}
    for name, begin in COMPANIONS.items():
        questions[name] = lambda ledger, shape, begin=begin: beside(ledger, shape, begin)
    for shape in SHAPES:
        for name, ask in questions.items():
            row, figure = compare(name, shape, [ask(ledger, shape) for _ in range(ROUNDS)])
            rows.append(row)
            figures[f"{shape[0]}x{shape[1]} {name}"] = figure
            print("#", *row, flush=True)
    ledger.remove()
    print_table("Appends while something else goes on", ["in flight", "while", "alone/s", "rate", "p99"], rows)
    print_json("beside", figures)


if __name__ == "__main__":
    main()
