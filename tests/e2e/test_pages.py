#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server with an HTTP door and keys.
Claimed: /healthz is for everybody and tells whether appends work; /metrics is well-formed, counts
what was done, and agrees with the state; /events gives every event once, in order, from where its
reader left off; the latter two are for who has a key."""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from ledger import Net, Server, Tap, wait_until

TAP = Tap()
LINE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\.)*)"(?:,|$)')


def port(server):
    return int(re.search(r"http=127\.0\.0\.1:(\d+)", server.line).group(1))


def basic(key, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}


def get(server, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port(server), timeout=30)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


def parse(text):
    """{name: {labels: value}} and {family: type}; an assertion where it is not the text format."""
    samples, types, current = {}, {}, None
    assert text.endswith("\n")
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            assert re.match(r"^# HELP [a-z_]+ .", line), line
        elif line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert current not in types and kind in ("counter", "gauge", "histogram"), line
            types[current] = kind
        else:
            name, labels, value = LINE.match(line).groups()
            base = re.sub(r"_(bucket|sum|count)$", "", name) if types[current] == "histogram" else name
            assert base == current, (line, "stands in the family", current)
            labels = tuple(LABEL.findall(labels or ""))
            assert labels not in samples.setdefault(name, {}), (line, "stands there twice")
            samples[name][labels] = float(value)
    for name, kind in types.items():
        if kind != "histogram":
            continue
        series = {}
        for labels, value in samples[name + "_bucket"].items():
            series.setdefault(labels[:-1], []).append((float(dict(labels)["le"]), value))
        for labels, buckets in series.items():
            bounds, counts = zip(*buckets)
            assert list(bounds) == sorted(bounds) and bounds[-1] == float("inf"), name
            assert list(counts) == sorted(counts) and counts[-1] == samples[name + "_count"][labels], name
    return samples, types


def metrics(server):
    status, headers, body = get(server, "/metrics", server.auth)
    TAP.ok(status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), "GET /metrics",
           (status, body[:300]))
    return parse(body), body


def test_metrics(server, net):
    (before, _), _ = metrics(server)
    vpc = net.vpc()
    vswitch = net.vswitch(vpc, "10.0.0.0/24")
    net.run(vswitch, Amount=3)
    eip = net.eip()["AllocationId"]
    TAP.refused("InvalidVpcId.NotFound", "a refusal: set-up", net.call, "DeleteVpc", VpcId="vpc-nothing")
    eni = net.eni(vswitch)
    net.call("ModifyLedgerSettings", ReuseDelaySeconds=3600)
    net.call("DeleteNetworkInterface", NetworkInterfaceId=eni)
    net.call("ReleaseEipAddress", AllocationId=eip)
    other = net.eip()
    for _ in range(10):
        net.call("DescribeVpcs")
    (now, types), body = metrics(server)

    def grown(name, **labels):
        key = tuple(labels.items())
        return now[name][key] - before[name].get(key, 0)
    for operation, outcome, count in (("CreateVpc", "ok", 1), ("DeleteVpc", "refused", 1),
                                      ("DescribeVpcs", "ok", 10), ("RunInstances", "ok", 1),
                                      ("CreateVpc", "refused", 0)):
        TAP.equal(grown("ipledger_operations_total", operation=operation, outcome=outcome), count,
                  f"{operation} was {outcome} {count} times")
    TAP.equal(now["ipledger_refusals_total"][(("code", "InvalidVpcId.NotFound"),)], 1, "refusals by code")
    status = net.call("GetStatus")
    TAP.equal({k[0][1]: v for k, v in now["ipledger_entities"].items()}, status["Counts"], "entities that live")
    TAP.equal(now["ipledger_head_seq"][()], status["HeadSeq"], "the head's seq")
    TAP.equal(now["ipledger_store_file_bytes"][()], status["Store"]["FileBytes"], "the size of the file")
    TAP.ok(0 < now["ipledger_store_used_bytes"][()] <= now["ipledger_store_map_bytes"][()],
           "LMDB's pages are within its map")

    def space(what, name):
        return [now[f"ipledger_{what}_addresses"][((what, name), ("state", s))]
                for s in ("free", "used", "cooling")]
    TAP.equal(space("vswitch", vswitch), [248, 3, 1], "a vSwitch's addresses: free, used, cooling")
    TAP.equal(space("vswitch", vswitch)[0], net.free(vswitch), "as DescribeVSwitches has them")
    pool = next(dict(k)["pool"] for k in now["ipledger_pool_addresses"])
    size = 2 ** (32 - int(pool.split("/")[1])) - 2
    TAP.equal(space("pool", pool), [size - 2, 1, 1], f"a pool's, with {other['EipAddress']} in use")
    TAP.equal(now["ipledger_vswitches_left_out"][()], 0, "none is left out")
    TAP.ok(now["ipledger_decide_seconds_count"][(("kind", "write"),)] >= 8 and
           now["ipledger_commit_seconds_count"][()] >= 8 and
           now["ipledger_fsync_seconds_sum"][()] <= now["ipledger_commit_seconds_sum"][()] and
           now["ipledger_batch_events_sum"][()] == status["HeadSeq"] - 1 and
           now["ipledger_reply_seconds_count"][()] >= 18, "histograms of decide, commit, fsync, batch, reply")
    TAP.ok(now["ipledger_connections"][(("door", "unix"),)] >= 1 and
           now["process_resident_memory_bytes"][()] > 1e6 and now["process_open_fds"][()] > 5 and
           now["ipledger_build_info"] and types["ipledger_nonces"] == "gauge", "connections, memory, build")
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, text=True,
                              timeout=60)
        TAP.ok(done.returncode == 0 and not done.stderr, "promtool has nothing to say", done.stderr)


def test_admission(server, plain):
    for page in ("/metrics", "/events"):
        status, headers, body = get(server, page)
        TAP.ok(status == 401 and headers["WWW-Authenticate"].startswith("Basic ") and
               json.loads(body)["Code"] == "Unauthenticated", f"{page} without a key", (status, body))
        for name, auth in (("a wrong secret", basic(server.key[0], "x")), ("a wrong id", basic("LTAIx", "x")),
                           ("no base64", {"Authorization": "Basic !"}),
                           ("no colon", {"Authorization": "Basic " + base64.b64encode(b"x").decode()}),
                           ("the longest", basic("x" * 120, "y" * 400))):
            status, _, body = get(server, page, auth)
            TAP.ok(status == 401 and server.key[1] not in body, f"{page} with {name}", (status, body))
    status, _, body = get(server, "/metrics", {"Authorization": "Bearer x"})
    TAP.ok(status in (400, 401) and "Code" in body, "another scheme is no way in", (status, body))
    codes = {get(server, "/metrics", basic(server.key[0], "guess"))[2].split('"Code":"')[1].split('"')[0]
             for _ in range(40)}
    TAP.ok("Throttling.User" in codes, "guessing is slowed down", codes)
    TAP.ok(wait_until(lambda: get(server, "/metrics", server.auth)[0] == 200, 20), "and not for ever")
    TAP.ok(server.key[1] not in server.log_text(), "no secret is in the log")
    TAP.equal(get(plain, "/metrics")[0], 200, "--any-key: nobody is asked")


def test_health(server):
    TAP.equal(get(server, "/healthz")[::2], (200, "ok\n"), "healthz without a key")
    connection = http.client.HTTPConnection("127.0.0.1", port(server), timeout=30)
    connection.request("HEAD", "/healthz")
    TAP.equal((connection.getresponse().status), 200, "HEAD too")
    connection.close()
    for method, path in (("POST", "/healthz"), ("DELETE", "/metrics"), ("PUT", "/events")):
        connection = http.client.HTTPConnection("127.0.0.1", port(server), timeout=30)
        connection.request(method, path)
        answer = connection.getresponse()
        TAP.ok(answer.status >= 400 and b"Code" in answer.read(), f"{method} {path} is refused")
        connection.close()


class Stream:
    """A reader of /events over a plain socket."""

    def __init__(self, server, query="", headers=None, small=False):
        self.sock = socket.socket()
        if small:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port(server)))
        self.sock.settimeout(30)
        lines = "".join(f"{k}: {v}\r\n" for k, v in {**server.auth, **(headers or {})}.items())
        self.sock.sendall(f"GET /events{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode())
        self.raw = b""
        while b"\r\n\r\n" not in self.raw:
            data = self.sock.recv(1 << 16)
            assert data, self.raw
            self.raw += data
        self.head, self.raw = self.raw.split(b"\r\n\r\n", 1)
        self.status = int(self.head.split()[1])
        self.text = b""
        self.ended = False

    def pull(self):
        """More of the chunked body."""
        while True:
            size, found, rest = self.raw.partition(b"\r\n")
            length = int(size, 16) if found and size else -1
            if length >= 0 and len(rest) >= length + 2:
                self.raw = rest[length + 2:]
                self.text += rest[:length]
                self.ended = self.ended or length == 0
                return
            data = self.sock.recv(1 << 16)
            if not data:
                self.ended = True
                return
            self.raw += data

    def block(self):
        """The next block that is no comment and no setting: its fields; None at the end."""
        while True:
            while b"\n\n" not in self.text:
                if self.ended:
                    return None
                self.pull()
            block, self.text = self.text.split(b"\n\n", 1)
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if not line.startswith(b":"))
            if b"data" in fields:
                return {k.decode(): v.decode() for k, v in fields.items()}

    def take(self, count):
        return [self.block() for _ in range(count)]

    def close(self):
        self.sock.close()


def test_events(server, net):
    head = net.head()
    all_of_it = Stream(server, "?FromSeq=1")
    TAP.ok(all_of_it.status == 200 and b"text/event-stream" in all_of_it.head, "a stream of events",
           all_of_it.head)
    got = all_of_it.take(head)
    TAP.equal([int(e["id"]) for e in got], list(range(1, head + 1)), "from the first to the head")
    kept = net.call("ListEvents", MaxResults=1000)["Events"]
    TAP.ok([json.loads(e["data"]) for e in got] == kept and [e["event"] for e in got] ==
           [e["Type"] for e in kept], "each as ListEvents has it")
    live = Stream(server)
    vpc = net.vpc("10.8.0.0/16")
    net.eip()
    for name, stream in (("who has read all", all_of_it), ("who begins at the head", live)):
        TAP.equal([int(e["id"]) for e in stream.take(2)], [head + 1, head + 2], f"then live, for {name}")
    live.close()
    again = Stream(server, "?FromSeq=1", {"Last-Event-ID": str(head)})
    TAP.equal([int(e["id"]) for e in again.take(2)], [head + 1, head + 2], "Last-Event-ID wins: what is after it")
    again.close()
    some = Stream(server, f"?FromSeq=1&Id={vpc}")
    typed = Stream(server, "?FromSeq=1&Type=EipAllocated")
    net.vswitch(vpc, "10.8.1.0/24")
    net.eip()
    TAP.equal([json.loads(e["data"])["Type"] for e in some.take(2)], ["VpcCreated", "VSwitchCreated"],
              "of one entity")
    wanted = [e["Seq"] for e in net.call("ListEvents", Type="EipAllocated", MaxResults=1000)["Events"]]
    TAP.equal([int(e["id"]) for e in typed.take(len(wanted))], wanted, "of one type")
    for query, name in (("?FromSeq=x", "no number"), ("?FromSeq=999999", "the future"), ("?Type=Nothing", "no type"),
                        ("?Id=nothing", "no id"), ("?FromSeq=%zz", "no encoding")):
        status, _, body = get(server, "/events" + query, server.auth)
        TAP.ok(status in (400, 404) and "Code" in json.loads(body), f"/events{query}: {name}", (status, body))
    status, _, body = get(server, "/events", {**server.auth, "Last-Event-ID": "x"})
    TAP.equal(status, 400, "a Last-Event-ID that is none")
    for stream in (all_of_it, some, typed):
        stream.close()
    TAP.ok(wait_until(lambda: metrics_of(server, "ipledger_event_streams") == 0, 20), "who goes is forgotten")


def test_slow(server, net):
    """Who reads slowly gets all of it; who does not read is cut off, and costs others nothing."""
    begin = net.head()
    slow, dead = Stream(server, small=True), Stream(server, small=True)
    net.call("ModifyLedgerSettings", Quotas={"Vpcs": 100000})
    for _ in range(100):
        net.call("CreateVpc", CidrBlock="10.0.0.0/16", Description="x" * 250)
    many = [{"Operation": "CreateVpc", "Params": {"CidrBlock": "10.0.0.0/16", "Description": "y" * 250}}] * 100
    for _ in range(100):
        net.call("Transact", Operations=many)
    count = net.head() - begin
    seqs = []
    while len(seqs) < count:
        event = slow.block()
        if event is None:
            break
        seqs.append(int(event["id"]))
        if len(seqs) % 1000 == 0:
            time.sleep(0.05)
    TAP.equal(seqs, list(range(begin + 1, begin + count + 1)), f"{count} events for a slow reader: all, once")
    TAP.ok(net.call("Ping"), "meanwhile others were served")
    TAP.ok(wait_until(lambda: metrics_of(server, "ipledger_event_streams") == 1, 60),
           "who takes nothing is cut off")
    slow.close()
    dead.close()


def metrics_of(server, name):
    return parse(get(server, "/metrics", server.auth)[2])[0][name][()]


def test_end(server, net):
    """A key that goes takes its readers with it; the server's end ends the others."""
    first = Stream(server)
    path = os.path.join(server.data, "keys")
    with open(path, encoding="ascii") as file:
        text = file.read()
    second = ("LTAIsecond", "secondSecret0123456789")
    with open(path, "w", encoding="ascii") as file:
        file.write(text + "%s %s auditor\n" % second)
    server.process.send_signal(signal.SIGHUP)
    TAP.ok(wait_until(lambda: get(server, "/metrics", basic(*second))[0] == 200, 10), "another key, an auditor's")
    was, server.auth = server.auth, basic(*second)
    doomed = Stream(server)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    server.process.send_signal(signal.SIGHUP)
    TAP.ok(doomed.block() is None, "the key is gone: so is its reader")
    server.auth = was
    net.vpc()
    TAP.equal(int(first.block()["id"]), net.head(), "others read on")
    server.process.send_signal(signal.SIGTERM)
    TAP.ok(first.block() is None and first.ended, "the server's end is the stream's")
    TAP.equal(server.process.wait(timeout=30), 0, "exit status 0")


def main():
    args = ["--rpc", "unix:{data}/ipledger.sock", "--http", "127.0.0.1:0"]
    server = Server(args=args, log=True)
    plain = Server(args=args + ["--any-key"])
    with open(os.path.join(server.data, "keys"), encoding="ascii") as file:
        server.key = file.read().split("\n")[1].split()[:2]
    server.auth, plain.auth = basic(*server.key), {}
    net = Net(server)
    test_health(server)
    test_metrics(server, net)
    test_admission(server, plain)
    test_events(server, net)
    test_slow(server, net)
    test_end(server, net)
    plain.remove()
    server.remove()
    TAP.end()


main()
