# SPDX-License-Identifier: Apache-2.0
"""What the benches share. A claim is a ratio of two things that were measured in one run, in turns:
A B A B. Of each the median is shown and the smallest and largest; of a ratio too, made round by round."""
import atexit
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from ledger import Client  # noqa: E402,F401

IPLEDGER = os.environ.get("IPLEDGER", "build/cli/ipledger")
BARE = os.environ.get("BARE", "build/tests/bare")
CLOSED_LOAD = os.environ.get("CLOSED_LOAD", "build/tests/closed_load")
NO_HASH = os.environ.get("NO_HASH", "build/tests/no_hash.so")
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
DIRS = os.environ.get("BENCH_DIR", "/var/tmp")  # on a disk: /tmp may be memory

started = []


@atexit.register
def stop_all():
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def new_dir():
    path = tempfile.mkdtemp(prefix="ipl-bench-", dir=DIRS)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def start(command, ready, seconds=30, **more):
    """A server: it runs when ready() is true."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    started.append(process)
    until = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("did not start: " + " ".join(command))
        time.sleep(0.02)
    return process


def stop(process):
    process.terminate()
    process.wait()


def run(*command):
    """What a program says in one JSON line."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(str(w) for w in command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


class Ledger:
    """A server on a new, empty directory."""

    def __init__(self, env=None):
        self.dir = new_dir()
        self.socket = os.path.join(self.dir, "ipledger.sock")
        self.process = start([IPLEDGER, "serve", "--data", self.dir, "--http", "none",
                              "--log-level", "error"], lambda: os.path.exists(self.socket),
                             env={**os.environ, **(env or {})})

    def load(self, connections, in_flight, mix="mixed", seconds=SECONDS):
        writes = ["--writes"] if mix == "mixed" else []
        return run(IPLEDGER, "-o", "json", "bench", "--socket", self.socket, "--mix", mix, *writes,
                   "--connections", connections, "--in-flight", in_flight,
                   "--seconds", max(1, round(seconds)))

    def stop(self):
        stop(self.process)

    def remove(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.dir)


class Figures:
    """Numbers of one kind, one a round."""

    def __init__(self, values):
        self.values = list(values)

    def __truediv__(self, other):
        return Figures(a / b for a, b in zip(self.values, other.values))

    @property
    def median(self):
        return statistics.median(self.values)

    def text(self, digits=2):
        return (f"{self.median:.{digits}f} ({min(self.values):.{digits}f}.."
                f"{max(self.values):.{digits}f})")

    def json(self):
        return {"Median": self.median, "Min": min(self.values), "Max": max(self.values)}


def print_table(title, head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    print(title)
    for row in [head, *rows]:
        print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())


def print_json(bench, figures):
    print(json.dumps({"Bench": bench, "Rounds": ROUNDS, "Seconds": SECONDS,
                      **{name: f.json() if isinstance(f, Figures) else f
                         for name, f in figures.items()}}), flush=True)
