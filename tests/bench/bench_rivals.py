#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Durable mixed operations at the Unix socket against others that keep what they are told, in one run:
Redis (XADD, appendfsync always), PostgreSQL (pgbench, one row inserted a transaction), etcd (put by its
JSON gateway, on connections that stay open), Kea (lease4-add, which neither picks the address nor waits
for the disk; one command a connection is its protocol). Each is started here with its files in a
directory of its own, and stopped. What is not installed is passed over. Words name those to be asked: redis, kea."""
import base64
import glob
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys

from side_by_side import (CLOSED_LOAD, Figures, Ledger, ROUNDS, SECONDS, new_dir, print_json,
                          print_table, run, start, stop)

EVENT_BYTES = 170  # about what an event of the mix takes in the log


def is_socket(path):
    return lambda: os.path.exists(path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port):
    def look():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    return look


def write(path, name, content):
    with open(os.path.join(path, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return os.path.join(path, name)


class Redis:
    name = "Redis XADD"
    shapes = [(64, 16), (64, 1), (1, 1)]
    program = shutil.which("redis-server")

    def __init__(self):
        path = new_dir()
        self.socket = os.path.join(path, "redis.sock")
        self.process = start([self.program, "--port", "0", "--unixsocket", self.socket, "--dir", path,
                              "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                              "--auto-aof-rewrite-percentage", "0"], is_socket(self.socket))
        words = ["XADD", "log", "*", "event", "x" * EVENT_BYTES]
        self.request = write(path, "request", f"*{len(words)}\r\n" + "".join(
            f"${len(word)}\r\n{word}\r\n" for word in words))

    def rate(self, connections, in_flight):
        return run(CLOSED_LOAD, "resp", self.socket, connections, in_flight, SECONDS,
                   self.request)["PerSecond"]

    def stop(self):
        stop(self.process)


class Postgres:
    """Not as root, which it refuses: then as the user postgres."""
    name = "PostgreSQL INSERT"
    shapes = [(64, 1)]
    program = (sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres")) or [None])[-1]

    def __init__(self):
        path = new_dir()
        data = os.path.join(path, "data")
        self.path, self.bin = path, os.path.dirname(self.program)
        self.user = None
        if os.getuid() == 0:
            self.user = "postgres"
            os.chown(path, pwd.getpwnam(self.user).pw_uid, -1)
        self.call("initdb", "-D", data, "-A", "trust", "-U", "bench", "--no-sync")
        self.process = start([self.program, "-D", data, "-k", path, "-c", "listen_addresses=",
                              "-c", "fsync=on", "-c", "synchronous_commit=on"],
                             is_socket(os.path.join(path, ".s.PGSQL.5432")), user=self.user, cwd=path)
        while subprocess.run([os.path.join(self.bin, "pg_isready"), "-q", "-h", path]).returncode:
            pass
        self.call("psql", "-q", "-h", path, "-U", "bench", "-d", "postgres", "-c",
                  "CREATE TABLE log (seq bigserial PRIMARY KEY, event text NOT NULL)")
        self.script = write(path, "script", "INSERT INTO log (event) VALUES "
                                            f"('{'x' * EVENT_BYTES}');\n")

    def call(self, program, *words):
        return subprocess.run([os.path.join(self.bin, program), *words], check=True, text=True,
                              capture_output=True, user=self.user, cwd=self.path).stdout

    def rate(self, connections, in_flight):
        said = self.call("pgbench", "-n", "-M", "prepared", "-h", self.path, "-U", "bench", "-f",
                         self.script, "-c", str(connections), "-j", "1", "-T",
                         str(max(1, round(SECONDS))), "postgres")
        return next(float(line.split()[2]) for line in said.split("\n") if line.startswith("tps"))

    def stop(self):
        stop(self.process)


class Etcd:
    name = "etcd put"
    shapes = [(64, 1)]
    program = shutil.which("etcd")

    def __init__(self):
        path = new_dir()
        self.port, peer = free_port(), free_port()
        url = f"http://127.0.0.1:{self.port}"
        self.process = start([self.program, "--data-dir", path, "--listen-client-urls", url,
                              "--advertise-client-urls", url, "--listen-peer-urls",
                              f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls",
                              f"http://127.0.0.1:{peer}", "--initial-cluster",
                              f"default=http://127.0.0.1:{peer}"], is_open(self.port))
        body = json.dumps({"key": base64.b64encode(b"event").decode(),
                           "value": base64.b64encode(b"x" * EVENT_BYTES).decode()})
        self.request = write(path, "request", "POST /v3/kv/put HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                             f"Content-Length: {len(body)}\r\n\r\n{body}")

    def rate(self, connections, in_flight):
        return run(CLOSED_LOAD, "http", self.port, connections, in_flight, SECONDS,
                   self.request)["PerSecond"]

    def stop(self):
        stop(self.process)


class Kea:
    name = "Kea lease4-add"
    shapes = [(1, 1)]
    program = shutil.which("kea-dhcp4", path="/usr/sbin:/usr/bin")

    def __init__(self):
        path = new_dir()
        hook = glob.glob("/usr/lib/*/kea/hooks/libdhcp_lease_cmds.so")
        if not hook:
            raise RuntimeError("Kea has no hook libdhcp_lease_cmds")
        self.socket = os.path.join(path, "kea.sock")
        config = {"Dhcp4": {
            "interfaces-config": {"interfaces": []}, "control-socket":
            {"socket-type": "unix", "socket-name": self.socket},
            "lease-database": {"type": "memfile", "persist": True,
                               "name": os.path.join(path, "leases.csv")},
            "hooks-libraries": [{"library": hook[0]}],
            "subnet4": [{"id": 1, "subnet": "10.0.0.0/8"}]}}
        self.path, self.given = path, 0
        self.process = start([self.program, "-c", write(path, "kea.json", json.dumps(config))],
                             is_socket(self.socket),
                             env={**os.environ, "KEA_PIDFILE_DIR": path, "KEA_LOCKFILE_DIR": path})

    def rate(self, connections, in_flight):
        count = round(20000 * SECONDS)
        lines = write(self.path, "requests", "".join(json.dumps(
            {"command": "lease4-add", "arguments": {
                "ip-address": ".".join(str(n >> shift & 255) for shift in (24, 16, 8, 0)),
                "hw-address": f"02:00:00:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"}}) + "\n"
            for n in range(0x0a000001 + self.given, 0x0a000001 + self.given + count)))
        self.given += count
        return run(CLOSED_LOAD, "line", self.socket, 1, 1, SECONDS, lines)["PerSecond"]

    def stop(self):
        stop(self.process)


def ours(shape):
    ledger = Ledger()
    rate = ledger.load(*shape)["PerSecond"]
    ledger.remove()
    return rate


def theirs(rival, shape):
    """Afresh each time, as the ledger is."""
    server = rival()
    rate = server.rate(*shape)
    server.stop()
    return rate


def main():
    rows, figures = [], {}
    for rival in (Redis, Postgres, Etcd, Kea):
        if sys.argv[1:] and rival.__name__.lower() not in sys.argv[1:]:
            continue
        if rival.program is None:
            print(f"{rival.name}: not installed, passed over")
            continue
        for shape in rival.shapes:
            # Who takes one request at a time on a connection is held against 64 x 16 too.
            for our_shape in [shape] + ([(64, 16)] if rival in (Postgres, Etcd) else []):
                rates = [(ours(our_shape), theirs(rival, shape)) for _ in range(ROUNDS)]
                we, they = (Figures(values) for values in zip(*rates))
                name = f"{our_shape[0]}x{our_shape[1]}"
                figures[f"{rival.name} {name}"] = we / they
                rows.append([rival.name, name, we.text(0), f"{shape[0]}x{shape[1]}", they.text(0),
                             (we / they).text()])
    print_table("Durable mixed operations at the Unix socket against others",
                ["who", "in flight", "ipledger/s", "in flight", "they/s", "ratio"], rows)
    print_json("rivals", figures)


if __name__ == "__main__":
    main()
