#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: the program in a shell.
Claimed: its words, exit statuses and outputs; a second server is refused; reads work without one."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile

from ledger import BINARY, Server, Tap

TAP = Tap()


def cli(data, *words, stdin=None):
    return subprocess.run([BINARY, "--data", data, *words], capture_output=True, text=True, input=stdin,
                          timeout=60)


def status(name, done, wanted):
    return TAP.ok(done.returncode == wanted, f"{name}: exit status {wanted}",
                  (done.returncode, done.stdout, done.stderr))


def test_serve(server):
    TAP.ok(re.match(rf"^ready rpc=unix:{server.data}/ipledger\.sock http=none head=1\n$", server.line),
           "the ready line", server.line)
    mode = os.stat(server.socket).st_mode & 0o777
    TAP.equal(mode, 0o600, "the socket's mode")
    second = subprocess.run([BINARY, "serve", "--data", server.data, "--http", "none"], capture_output=True,
                            text=True, timeout=30)
    TAP.ok(second.returncode == 3 and f"process {server.process.pid}" in second.stderr,
           "a second server says who holds the directory", second.stderr)
    for words in (["--http"], ["--rpc", "carrier:pigeon"], ["--rpc", "tcp:0.0.0.0:0", "--any-key"],
                  ["--keys", "/nonexistent/keys"], ["--log-level", "loud"], ["--frobnicate"]):
        with tempfile.TemporaryDirectory() as other:
            done = subprocess.run([BINARY, "serve", "--data", other, *words], capture_output=True, text=True,
                                  timeout=30)
            TAP.ok(done.returncode in (2, 3) and done.stderr, f"serve {' '.join(words)} is refused", done)


def test_tcp():
    server = Server(args=["--any-key", "--rpc", "tcp:127.0.0.1:0", "--rpc", "tcp:[::1]:0"])
    ports = re.findall(r"tcp:[^,]*:(\d+)", server.line)
    TAP.equal(len(ports), 2, "port 0 picks free ports")
    done = subprocess.run([BINARY, "--server", f"tcp:127.0.0.1:{ports[0]}", "-o", "json", "status"],
                          capture_output=True, text=True, timeout=30)
    TAP.equal(json.loads(done.stdout)["HeadSeq"], 1, "a TCP door answers")
    server.remove()


def test_http():
    with tempfile.TemporaryDirectory() as data:
        process = subprocess.Popen([BINARY, "serve", "--data", data, "--http", "127.0.0.1:0"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = process.stdout.readline()
        port = int(re.search(r" http=127\.0\.0\.1:(\d+) ", line).group(1))

        def ask(text):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
                sock.sendall(text.encode())
                answer = b""
                while chunk := sock.recv(65536):
                    answer += chunk
                return answer.decode()
        TAP.ok(ask("GET /healthz HTTP/1.0\r\n\r\n").startswith("HTTP/1.0 200"), "healthz is 200")
        TAP.ok("403" in ask("GET /healthz HTTP/1.0\r\nHost: evil.example\r\n\r\n").split("\r\n")[0],
               "a foreign Host is refused")
        TAP.ok('"Code"' in ask("GET /else HTTP/1.0\r\n\r\n"), "other paths are refused as JSON")
        process.send_signal(signal.SIGTERM)
        TAP.equal(process.wait(timeout=30), 0, "SIGTERM: exit status 0")
        process.stdout.close()


def test_commands(server):
    data = server.data
    made = cli(data, "-o", "json", "call", "CreateVpc", "CidrBlock=10.0.0.0/16", "VpcName=net",
               "Tag.1.Key=a", "Tag.1.Value=b")
    status("call", made, 0)
    vpc = json.loads(made.stdout)["VpcId"]
    shown = json.loads(cli(data, "-o", "json", "call", "DescribeVpcs").stdout)["Vpcs"]["Vpc"][0]
    TAP.equal((shown["VpcName"], shown["Tags"]["Tag"]), ("net", [{"Key": "a", "Value": "b"}]),
              "call takes lists as Name.1.Field")
    refused = cli(data, "call", "CreateVpc", "CidrBlock=x")
    status("a refusal", refused, 1)
    TAP.ok(refused.stderr.startswith("InvalidParameter: "), "a refusal is said", refused.stderr)
    status("no such operation", cli(data, "call", "Fly"), 1)
    status("no such command", cli(data, "fly"), 2)
    status("no command", cli(data), 2)
    status("a word that is no parameter", cli(data, "call", "CreateVpc", "x"), 2)
    status("show of nothing", cli(data, "show", "vpc-nothing"), 1)
    table = cli(data, "show", vpc)
    TAP.ok(table.returncode == 0 and "10.0.0.0/16" in table.stdout and "\033" not in table.stdout,
           "show is a table, without colours in a pipe", table.stdout)
    TAP.ok(vpc in cli(data, "--as-of", "2", "show", vpc).stdout, "show --as-of a seq")
    status("show --as-of before", cli(data, "--as-of", "1", "show", vpc), 1)
    log = json.loads(cli(data, "-o", "json", "log", vpc).stdout)["Events"]
    TAP.equal([e["Type"] for e in log], ["VpcCreated"], "log of one entity")
    TAP.ok("LedgerCreated" in cli(data, "log", "--to", "1").stdout, "log to a seq")
    TAP.equal(json.loads(cli(data, "-o", "json", "log", "--from", "1h").stdout)["Events"][0]["Seq"], 1,
              "log from a span back")
    TAP.ok("HeadSeq" in cli(data, "status").stdout, "status")
    TAP.ok(cli(data, "version").stdout.startswith("ipledger "), "version")
    text = cli(data, "help").stdout
    TAP.ok(all(word in text for word in ("serve", "call", "log", "show", "status", "import", "help", "version")),
           "help names every command", text)
    TAP.ok("AssociateEipAddress" in cli(data, "help", "operations").stdout, "help names every operation")
    return vpc


def test_import(server):
    rows = [
        {"Operation": "CreateVpc", "Params": {"CidrBlock": "10.9.0.0/16"}, "As": "v"},
        {"Operation": "CreateVSwitch", "As": "s",
         "Params": {"VpcId": "$v", "ZoneId": "cn-hangzhou-a", "CidrBlock": "10.9.0.0/24"}},
        {"Operation": "RunInstances", "As": "i",
         "Params": {"VSwitchId": "$s", "InstanceType": "ecs.g6.large", "Amount": 2, "InstanceName": "$$cash"}},
        {"Operation": "StopInstance", "Params": {"InstanceId": "$i.InstanceIdSets.InstanceIdSet.2"}},
        {"Operation": "StopInstance", "Params": {"InstanceId": "$nobody"}},
        {"Operation": "DeleteVpc", "Params": {"VpcId": "$v"}},
    ]
    lines = "\n".join(json.dumps(r) for r in rows) + "\nnot json\n\n"
    done = cli(server.data, "-o", "json", "import", "-", stdin=lines)
    summary = json.loads(done.stdout)
    TAP.equal((done.returncode, summary["Done"], summary["Refused"], summary["RefusedByCode"]),
              (1, 4, 3, {"NotFound": 1, "InvalidParameter": 1, "DependencyViolation.VSwitch": 1}),
              "import: done, and refused by code")
    TAP.ok("line 5" in done.stderr and "line 7" in done.stderr, "the lines are named", done.stderr)
    listed = json.loads(cli(server.data, "-o", "json", "call", "DescribeInstances").stdout)
    TAP.equal([(i["Status"], i["InstanceName"]) for i in listed["Instances"]["Instance"]],
              [("Running", "$cash"), ("Stopped", "$cash")], "references went where they belong")
    table = cli(server.data, "import", "-", stdin=json.dumps(
        {"Time": "2020-01-01T00:00:00Z", "Operation": "CreateVpc", "Params": {"CidrBlock": "10.0.0.0/16"}}))
    TAP.ok(table.returncode == 0 and re.match(r"done 1, refused 0, .* events/s", table.stdout), "in words", table)


def main():
    server = Server()
    test_serve(server)
    vpc = test_commands(server)
    test_import(server)
    data = server.data
    TAP.equal(server.stop(), 0, "SIGTERM: exit status 0")
    TAP.ok(vpc in cli(data, "show", vpc).stdout, "reads work without a server")
    TAP.ok(vpc in cli(data, "call", "DescribeVpcs").stdout, "lists too")
    status("a write without a server", cli(data, "call", "CreateVpc", "CidrBlock=10.0.0.0/16"), 3)
    status("a directory without a ledger", cli("/nonexistent/ledger", "status"), 3)
    status("a server that is not there", cli(data, "--server", "unix:/nonexistent", "status"), 3)
    with open(os.path.join(data, "log.mdb"), "r+b") as file:
        content = file.read()  # every copy: LMDB leaves old pages behind
        file.seek(0)
        file.write(content.replace(b"ecs.g6.large", b"ecs.g6.Large"))
    damaged = cli(data, "status")
    TAP.ok(damaged.returncode == 4 and "event" in damaged.stderr, "a damaged log is named: exit status 4", damaged)
    server.remove()
    test_tcp()
    test_http()
    TAP.end()


main()
