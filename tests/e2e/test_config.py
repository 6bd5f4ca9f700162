#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a file of options, a service manager, a system short of descriptors.
Claimed: the file says what the command line may say, and the command line wins; errors name file
and line; the manager is told of each step; without descriptors the server waits instead of
spinning, and goes on when there are some."""
import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time

from ledger import BINARY, Client, Server, Tap, end, wait_until

TAP = Tap()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def start(*words, **options):
    """A server; its ready line, and the rest of its output by log()."""
    log = tempfile.TemporaryFile(mode="w+")
    process = subprocess.Popen([BINARY, "serve", *words], stdout=subprocess.PIPE, stderr=log, text=True, **options)
    line = process.stdout.readline()
    process.stdout.close()

    def text():
        log.seek(0)
        return log.read()
    return process, line, text


def stop(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=30)


def test_file(folder):
    data, other = os.path.join(folder, "a"), os.path.join(folder, "b")
    config = write(os.path.join(folder, "conf"), f"""# a ledger
data = {data}   # where it is
rpc = unix:{folder}/one.sock
  rpc=unix:{folder}/two.sock
http\t=\tnone
any-key = true
core-dumps = false

log-format = json
log-level = debug
""")
    process, line, log = start("--config", config)
    TAP.ok(line == f"ready rpc=unix:{folder}/one.sock,unix:{folder}/two.sock http=none head=1\n" and
           os.path.exists(os.path.join(data, "log.mdb")), "all options may stand in a file", (line, log()))
    TAP.equal(stop(process), 0, "it ends well")
    lines = [json.loads(entry) for entry in log().splitlines()]
    TAP.ok(lines and all({"time", "level", "message"} <= set(entry) for entry in lines),
           "--log-format json: one object a line", lines)
    process, line, log = start("--config", config, "--data", other, "--rpc", f"unix:{folder}/three.sock",
                               "--log-format", "text")
    TAP.ok(f"rpc=unix:{folder}/three.sock http" in line and os.path.exists(os.path.join(other, "log.mdb")),
           "the command line wins; its list takes the place of the file's", line)
    stop(process)
    TAP.ok("{" not in log() and " info " in log(), "in all it names", log())


def test_bad(folder):
    for text, says in (("data = x\nnonsense\n", ":2: a line is name = value"),
                       ("frobnicate = 1\n", ':1: there is no option "frobnicate"'),
                       ("config = y\n", ':1: there is no option "config"'),
                       ("http = none\n\nhttp = none\n", ":3: http stands there twice"),
                       ("any-key = yes\n", ":1: any-key is true or false"),
                       ("http =\n", ":1: http has no value"), ("http = # none\n", ":1: http has no value"),
                       ("rpc = unix:/x\n" * 17, ":17: more than 16 rpc"),
                       ("http = none\0\n", "zero byte"), ("#" * 70000, "longer than"),
                       ("log-level = loud\n", "--log-level takes"), ("any-key = true\nkeys = x\n", "exclude"),
                       ("tls-cert = x\n", "go together")):
        config = write(os.path.join(folder, "bad"), text)
        done = subprocess.run([BINARY, "serve", "--data", os.path.join(folder, "c"), "--config", config],
                              capture_output=True, text=True, timeout=30)
        TAP.ok(done.returncode in (2, 3) and says in done.stderr and not done.stdout, f"refused: {says}", done)
    for words in (["--config", os.path.join(folder, "none")], ["--http"], ["--config"]):
        done = subprocess.run([BINARY, "serve", "--data", os.path.join(folder, "c"), *words],
                              capture_output=True, text=True, timeout=30)
        TAP.ok(done.returncode in (2, 3) and done.stderr, f"refused: {words[0]} of {words[1:]}", done)


def test_manager(folder):
    """sd_notify(3)."""
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(os.path.join(folder, "notify"))
    notices.settimeout(20)
    data = os.path.join(folder, "d")
    process, _, _ = start("--data", data, "--http", "127.0.0.1:0",
                          env={**os.environ, "NOTIFY_SOCKET": os.path.join(folder, "notify")})
    TAP.equal(notices.recv(200), b"READY=1", "the manager is told when it serves")
    process.send_signal(signal.SIGHUP)
    reloading = notices.recv(200).decode()
    match = re.match(r"RELOADING=1\nMONOTONIC_USEC=(\d+)$", reloading)
    TAP.ok(match and abs(int(match.group(1)) / 1e6 - time.monotonic()) < 20, "that it reads its files again",
           reloading)
    TAP.equal(notices.recv(200), b"READY=1", "that it has")
    with open(f"/proc/{process.pid}/limits", encoding="ascii") as file:
        core = next(line.split()[4] for line in file if line.startswith("Max core file size"))
    TAP.equal(core, "0", "no core is dumped, which would hold secrets")
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        TAP.ok(re.search(r"^Umask:\s0077$", file.read(), re.M), "what it makes is its owner's alone")
    process.send_signal(signal.SIGTERM)
    TAP.equal(notices.recv(200), b"STOPPING=1", "that it stops")
    TAP.equal(process.wait(timeout=30), 0, "exit status 0")
    loose = [os.path.join(base, name) for base, _, names in os.walk(data) for name in names
             if os.stat(os.path.join(base, name)).st_mode & 0o077]
    TAP.equal(loose, [], "and so is what it made")
    notices.close()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_descriptors(folder):
    data = os.path.join(folder, "e")

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    process, line, log = start("--data", data, "--rpc", f"unix:{folder}/few.sock", "--rpc", "tcp:127.0.0.1:0",
                               "--http", "127.0.0.1:0", "--any-key", preexec_fn=few)
    first = Client(f"{folder}/few.sock")
    ports = [int(p) for p in re.findall(r"127\.0\.0\.1:(\d+)", line)]
    many = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(50) for port in ports]
    TAP.ok(wait_until(lambda: "no descriptor" in log(), 10), "the log says what it is short of", log()[-500:])
    before = cpu_seconds(process.pid)
    time.sleep(2)
    TAP.ok(cpu_seconds(process.pid) - before < 0.6, "it does not spin", cpu_seconds(process.pid) - before)
    TAP.ok(first.call("Ping"), "who is there is served")
    for sock in many:
        sock.close()

    def served():
        try:
            with socket.create_connection(("127.0.0.1", ports[1]), timeout=5) as sock:
                sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                return Client(f"{folder}/few.sock").call("Ping") and b"200" in sock.recv(100)
        except OSError:
            return False
    TAP.ok(wait_until(served, 20), "when there are some again, everybody is served")
    TAP.equal(stop(process), 0, "and it ends well")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_file(folder)
        test_bad(folder)
        test_manager(folder)
        test_descriptors(folder)
    TAP.end()


main()
