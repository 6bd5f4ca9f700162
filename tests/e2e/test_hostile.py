#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: clients that do their worst: thousands that say nothing, come and go, leave in the middle, never read
their answers, send a byte at a time, or announce more than they send; and a server with few descriptors.
Claimed: the others are served meanwhile, what the server holds in memory stays under the bound that docs/SERVING.md
states, each stream of bytes gets the same answers however it was cut, and nothing stays behind."""
import os
import random
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import tempfile
import time

import msgpack

import ledger
from ledger import BINARY, Client, Server, Tap, wait_until

MANY = 5000
PER_IDLE = 16 << 10           # bytes of memory for a connection that waits, at most
BUDGET = 512 << 20            # what all connections together may hold
SLOW_MS = 250                 # another client's answer may take, at most, in the median
TAP = Tap()
SANITIZED = any(name in open(BINARY, "rb").read() for name in (b"__asan_init", b"__tsan_init"))  # they take more


def rss(server):
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def connect(server):
    sock = socket.socket(socket.AF_UNIX)
    for _ in range(500):  # the backlog of a Unix socket refuses where TCP would wait
        try:
            sock.connect(server.socket)
            return sock
        except BlockingIOError:
            time.sleep(0.01)
    raise TimeoutError("not accepted")


def latency_ms(client, times=20):
    """Of a write and a read, the median."""
    took = []
    for _ in range(times):
        begin = time.monotonic()
        client.call("CreateVpc", CidrBlock="10.0.0.0/16")
        client.call("GetStatus")
        took.append((time.monotonic() - begin) * 1000)
    return statistics.median(took)


def served(client, name):
    ms = latency_ms(client)
    TAP.ok(ms < SLOW_MS, f"another client is served meanwhile: {name}", f"{ms:.1f} ms")
    print(f"# {name}: a write and a read take {ms:.2f} ms", flush=True)


def close_all(socks):
    for sock in socks:
        sock.close()


def ping(msgid=1):
    return msgpack.packb([0, msgid, "Ping", []])


def answers(sock, seconds=10):
    """All that comes until the other end closes."""
    sock.settimeout(seconds)
    data = b""
    while True:
        try:
            part = sock.recv(1 << 20)
        except ConnectionResetError:
            return data
        if not part:
            return data
        data += part


def test_idle():
    server = Server(log=True)
    other = server.client()
    before = rss(server)
    socks = [connect(server) for _ in range(MANY)]
    for sock in socks:
        sock.sendall(ping())
    for sock in socks:
        assert sock.recv(100)
    for sock in socks[::2]:
        sock.sendall(ping()[:-1])  # and half of a frame
    each = (rss(server) - before) / MANY
    TAP.ok(each < PER_IDLE or SANITIZED, f"{MANY} idle connections: memory for each is bounded", f"{each:.0f} bytes")
    print(f"# {MANY} idle connections: {each:.0f} bytes each, {rss(server) >> 20} MiB in all", flush=True)
    served(other, f"{MANY} idle connections")
    close_all(socks)
    flap(server, other)
    TAP.ok(wait_until(lambda: other.call("Ping") is not None and fds(server) < 40, 20), "and all are gone again",
           fds(server))
    TAP.equal(server.stop(), 0, "it ends in order")


def fds(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def flap(server, other):
    """They come and go; some say something before, some leave without reading, some by a reset."""
    for i in range(3000):
        sock = connect(server)
        if i % 3 == 1:
            sock.sendall(ping())
        elif i % 3 == 2:
            sock.sendall(ping() * 50)
            sock.shutdown(socket.SHUT_WR)
        sock.close()
        if i % 1000 == 999:
            served(other, f"after {i + 1} that came and went")


def test_never_reads():
    """Each asks for more than may wait for it, and takes nothing."""
    server = Server(log=True)
    other = server.client()
    for _ in range(800):
        other.send("CreateVpc", {"CidrBlock": "10.0.0.0/16", "Description": "d" * 200})
    for _ in range(800):
        other.receive()
    ask = msgpack.packb([0, 1, "ListEvents", [{"MaxResults": 1000}]])
    socks = [connect(server) for _ in range(200)]
    for sock in socks:
        sock.setblocking(False)
    worst = 0
    begin = time.monotonic()
    while time.monotonic() - begin < 400 and "connections hold more than" not in server.log_text():
        for sock in socks:
            try:
                sock.send(ask * 200)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                pass
        worst = max(worst, rss(server))
    served(other, "200 that never read")
    worst = max(worst, rss(server))
    TAP.ok(worst < BUDGET + (256 << 20) or SANITIZED, "who never reads is bounded, alone and together",
           f"{worst >> 20} MiB")
    print(f"# 200 that never read: {worst >> 20} MiB at most", flush=True)
    TAP.ok("connections hold more than" in server.log_text(), "who holds most for longest is ended, and it is logged")
    close_all(socks)
    TAP.equal(server.stop(), 0, "it ends in order")


def test_half_frames():
    """A huge frame announced and never sent; most of a frame sent; together more than there may be."""
    server = Server(log=True)
    other = server.client()
    before = rss(server)
    claims = [connect(server) for _ in range(1000)]
    for sock in claims:
        sock.sendall(b"\x94\x00\x07\xa4Ping\x91\xc6\x00\x0f\xff\x00")  # a text of nearly a MiB
    time.sleep(0.5)
    grown = rss(server) - before
    TAP.ok(grown < 1000 * PER_IDLE or SANITIZED, "a claim of a large frame takes no memory", f"{grown >> 20} MiB")
    worst = 0
    most = b"\0" * 900000
    stuffed = 0
    for sock in claims:
        sock.settimeout(20)
        try:
            sock.sendall(most)
            stuffed += 1
        except (BrokenPipeError, ConnectionResetError):
            pass
        worst = max(worst, rss(server))
    served(other, f"{stuffed} frames of nearly a MiB that do not end")
    worst = max(worst, rss(server))
    TAP.ok(worst < BUDGET + (256 << 20) or SANITIZED, "frames that do not end are bounded together",
           f"{worst >> 20} MiB")
    print(f"# 1000 frames of 0.9 MiB without an end: {worst >> 20} MiB at most", flush=True)
    close_all(claims)
    huge = connect(server)
    huge.sendall(b"\x94\x00\x09\xdb\x7f\xff\xff\xff")
    frame = msgpack.unpackb(answers(huge))
    TAP.ok(frame[1] == 9 and frame[2].startswith("FrameTooLarge"), "a frame over the limit is refused by its header",
           frame)
    TAP.equal(server.stop(), 0, "it ends in order")


def test_slow():
    """A byte at a time, and a pause in the middle of everything: still answered, and nobody waits for it."""
    server = Server()
    other = server.client()
    slow = [connect(server) for _ in range(50)]
    frame = msgpack.packb([0, 5, "CreateVpc", [{"CidrBlock": "10.9.0.0/16"}]])
    for i, byte in enumerate(frame):
        for sock in slow:
            sock.sendall(bytes([byte]))
        if i % 16 == 0:
            time.sleep(0.02)
            other.call("Ping")
    got = [msgpack.unpackb(sock.recv(4096)) for sock in slow]
    TAP.ok(all(g[1] == 5 and g[2] is None for g in got), "who sends a byte at a time is answered", got[:1])
    half = connect(server)
    half.sendall(ping(1) + ping(2) + frame[:9])
    half.shutdown(socket.SHUT_WR)
    frames = list(unpack_all(answers(half)))
    TAP.equal([f[1] for f in frames], [1, 2], "half-closed: what was whole is answered, half a frame is nothing")
    reset = connect(server)
    reset.sendall(ping() * 2000)
    reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reset.close()
    served(other, "beside slow, half-closed and reset ones")
    close_all(slow)
    TAP.equal(server.stop(), 0, "it ends in order")


def unpack_all(data):
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
    unpacker.feed(data)
    return unpacker


def streams():
    """Streams whose end is that of the connection, as a client could send them."""
    pack = msgpack.packb
    good = pack([0, 1, "Ping", []]) + pack([2, "x", []]) + pack([0, 2, "Nothing", [{}]]) + pack([0, 3, "Ping", None])
    yield "good ones, and half a frame", good + b"\x94\x00"
    yield "a byte that MessagePack has not", good + b"\x94\x00\x04\xc1" + good
    yield "nested too deep", good + b"\x94\x00\x05\xa4Ping" + b"\x91" * 40 + good
    yield "an array that claims everything", good + b"\x94\x00\x06\xdd\xff\xff\xff\xff" + good
    yield "an outer array that claims everything", good + b"\xdd\xff\xff\xff\xff\x00\x07" + good
    yield "no request, with a msgid", good + pack([0, 8, 5, []]) + pack([0, 9, "Ping", [1]]) + good
    yield "no request, without a msgid", good + pack([7]) + good
    yield "HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def shape(data):
    """What was answered, without what is new each time."""
    return [(f[0], f[1], f[2], sorted(f[3]) if isinstance(f[3], dict) else f[3]) for f in unpack_all(data)]


def test_cuts():
    server = Server()
    chance = random.Random(4)
    for name, stream in streams():
        wanted = None
        same = True
        for cut in ("whole", "bytes", "chance", "chance"):
            sock = connect(server)
            at = 0
            try:
                while at < len(stream):
                    size = {"whole": len(stream), "bytes": 1}.get(cut) or chance.randrange(1, 12)
                    sock.sendall(stream[at:at + size])
                    at += size
                    if cut != "whole" and chance.randrange(8) == 0:
                        time.sleep(0.001)
                sock.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError, OSError):
                pass  # it was closed before all was sent
            got = shape(answers(sock))
            wanted = wanted or got
            same = same and got == wanted
            sock.close()
        TAP.ok(same, f"the same answers however it is cut: {name}", wanted)
    TAP.equal(server.stop(), 0, "it ends in order")


def test_few_files():
    """100 descriptors in all: who is there is served, who comes too many is turned away, and it recovers."""
    limit = 100
    script = as_script(f"ulimit -n {limit}\nexec ")
    server = through(script, log=True)
    os.unlink(script)
    first = server.client()
    socks = [connect(server) for _ in range(200)]
    served(first, "with no descriptor left for connections")
    TAP.ok(60 < fds(server) <= limit - 20, "some are kept for the server itself", fds(server))
    close_all(socks)
    TAP.ok(wait_until(lambda: can_ping(server), 5), "when they have gone, others are taken again")
    text = server.log_text()
    TAP.ok("is refused" in text, "it says that it was so", text[-500:])
    TAP.ok(text.count("\n") < 20, "and does not flood the log", text.count("\n"))
    TAP.equal(server.stop(), 0, "it ends in order")


def can_ping(server):
    try:
        client = Client(server.socket)
        client.call("Ping")
        client.close()
        return True
    except (ConnectionError, OSError):
        return False


def status_of(server, name):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return [line.split()[1] for line in file if line.startswith(name + ":")][0]


def test_own_alone():
    """What it makes is its owner's alone, whatever the umask says; a crash leaves no secrets; root is warned."""
    was = os.umask(0)
    try:
        server = Server(args=["--http", "127.0.0.1:0"], log=True)
    finally:
        os.umask(was)
    for name in sorted(os.listdir(server.data)) + ["."]:
        mode = os.lstat(os.path.join(server.data, name)).st_mode & 0o777
        TAP.ok(mode & 0o077 == 0, f"only its owner reaches {name}", oct(mode))
    with open(f"/proc/{server.process.pid}/limits", encoding="ascii") as file:
        core = [line.split()[4:6] for line in file if line.startswith("Max core file size")][0]
    TAP.equal(core, ["0", "0"], "it dumps no core")
    TAP.equal(status_of(server, "Umask"), "0077", "nor would what is made without a mode of its own be others'")
    TAP.equal(status_of(server, "NoNewPrivs"), "1", "nothing it starts has more rights")
    warned = "serving as root" in server.log_text()
    TAP.equal(warned, os.geteuid() == 0, "it warns where it is root's, and only there")
    TAP.equal(server.stop(), 0, "it ends in order")
    test_as_somebody()


def test_as_somebody():
    """The kernel gives what belongs to a process that may not be dumped to root, so it must not be root's to see it."""
    if os.geteuid() == 0 and subprocess.run(["setpriv", "--reuid=65534", "test", "-x", BINARY], check=False).returncode:
        print("# another user does not reach the program: what it sees of root's is not looked at")
        return
    data = tempfile.mkdtemp(prefix="ipledger-")
    if os.geteuid() == 0:
        os.chown(data, 65534, 65534)
    script = as_script('exec setpriv --reuid=65534 --regid=65534 --clear-groups ' if os.geteuid() == 0 else "exec ")
    for args, owner in (([], 0), (["--core-dumps"], 65534 if os.geteuid() == 0 else os.geteuid())):
        server = through(script, data=data, args=args, log=True)
        TAP.equal(os.stat(f"/proc/{server.process.pid}/status").st_uid, owner,
                  "it may " + ("be dumped where one asks for it" if args else "not be dumped, nor looked into"))
        TAP.ok("serving as root" not in server.log_text() or os.geteuid() != 0, "it does not warn: it is not root's")
        TAP.equal(server.stop(), 0, "it ends in order")
    os.unlink(script)
    shutil.rmtree(data)


def as_script(before):
    """A program that does something and is the server then."""
    with tempfile.NamedTemporaryFile("w", prefix="ipledger-", suffix=".sh", delete=False) as script:
        script.write(f'#!/bin/sh\n{before}"{BINARY}" "$@"\n')
    os.chmod(script.name, 0o755)
    return script.name


def through(script, **how):
    was, ledger.BINARY = ledger.BINARY, script
    try:
        return Server(**how)
    finally:
        ledger.BINARY = was


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 200:
        MANY = hard - 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, MANY * 2), hard))
    for test in (test_idle, test_never_reads, test_half_frames, test_slow, test_cuts, test_few_files, test_own_alone):
        begun = time.monotonic()
        test()
        print(f"# {test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
    TAP.end()
