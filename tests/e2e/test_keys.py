#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server with a TCP door and keys of every role.
Claimed: nobody does anything before a right Hello; a Hello is good once, for 15 minutes, and for the
key's role; keys are taken over and away on SIGHUP; the file is made, kept and changed safely; no
secret shows anywhere."""
import json
import os
import re
import signal
import stat
import subprocess
import tempfile
import time

import msgpack

from ledger import BINARY, Client, Server, Tap, now, sign, wait_until, note_code

TAP = Tap()
SECRETS = {"LTAIadmin": "adminSecret0123456789abcdefghi", "LTAIoper": "operSecret0123456789abcdefghij",
           "LTAIaudit": "auditSecret0123456789abcdefghi", "LTAIodd": "it's~odd'$HOME\"0123456789"}
FILE = "".join(f"{k} {s} {r}\n" for (k, s), r in zip(SECRETS.items(), ("admin", "operator", "auditor",
                                                                        "auditor")))
VPC = {"CidrBlock": "10.0.0.0/16"}


def write(path, text, mode=0o600):
    with open(path, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)


def door(server, key=None):
    client = Client(server.tcp(), maps=False)
    if key:
        client.hello(key, SECRETS[key])
    return client


def text_of(frame):
    """The error of an answer, as a text."""
    error = frame[2]
    if error is not None:
        note_code(error)
    return error if isinstance(error, str) else "" if error is None else error["Code"] + ": "


def events(server):
    return server.client().call("ListEvents", MaxResults=1000)["Events"]


def test_strangers(server):
    head = server.client().call("GetStatus")["HeadSeq"]
    client = door(server)
    for operation, params in (("Ping", {}), ("GetStatus", {}), ("CreateVpc", VPC), ("MakeCoffee", {}),
                              ("Hello", {}), ("Hello", {"ErrorFormat": "Map"}), ("CreateVpc", {"x": 1})):
        client.send(operation, params)
        frame = client.receive()
        TAP.ok(text_of(frame).startswith("Unauthenticated: ") and frame[3] is None,
               f"a stranger's {operation} {params or ''} is refused", frame)
    TAP.equal(client.call("Hello", **hello_params("LTAIadmin"))["Protocol"], 1, "then Hello lets it in")
    TAP.ok(client.call("CreateVpc", **VPC)["Seq"] == head + 1, "and only now something is done")
    refused = [r["Code"] for r in server.client().call("ListRefusals")["Refusals"]]
    TAP.ok("Unauthenticated" not in refused, "what strangers ask is not kept", refused)
    one = server.tcp()
    pipelined = Client(one, maps=False)
    one.sendall(b"".join(msgpack.packb([0, i, name, [params]]) for i, (name, params) in enumerate(
        [("CreateVpc", VPC), ("Hello", hello_params("LTAIadmin")), ("CreateVpc", VPC)])))
    got = [pipelined.receive() for _ in range(3)]
    TAP.ok([f[1] for f in got] == [0, 1, 2] and text_of(got[0]).startswith("Unauthenticated") and
           got[2][3] and got[2][3]["Seq"] == head + 2, "in one write too, each in its turn", got)


def hello_params(key, secret=None, timestamp=None, nonce=None, **more):
    params = {"AccessKeyId": key, "Timestamp": timestamp or now(), "Nonce": nonce or os.urandom(16).hex(),
              **more}
    params.setdefault("Signature", sign(key, secret or SECRETS.get(key, "none"), params["Timestamp"],
                                        params["Nonce"]))
    return params


def test_hello(server):
    def code(**params):
        client = door(server)
        client.send("Hello", params)
        found = text_of(client.receive())
        client.send("Ping", {})
        after = text_of(client.receive())
        TAP.ok(bool(found) == after.startswith("Unauthenticated"),
               "a refused Hello lets nobody in" if found else "a good Hello does", (found, after))
        client.close()
        return found.split(":")[0]

    right = hello_params("LTAIadmin")
    for member in ("Timestamp", "Nonce", "Signature"):
        TAP.equal(code(**{k: v for k, v in right.items() if k != member}), "MissingParameter",
                  f"Hello without {member}")
    TAP.equal(code(**{**right, "Signature": right["Signature"][:-1]}), "InvalidParameter",
              "a signature of 63 digits")
    TAP.equal(code(**{**right, "Signature": right["Signature"][:-1] + "g"}), "InvalidParameter",
              "a signature that is no hex")
    flipped = right["Signature"][:-1] + ("0" if right["Signature"][-1] != "0" else "1")
    TAP.equal(code(**{**right, "Signature": flipped}), "SignatureDoesNotMatch", "the last digit is wrong")
    TAP.equal(code(**{**right, "Nonce": right["Nonce"] + "x"}), "SignatureDoesNotMatch", "another nonce")
    TAP.equal(code(**{**right, "Timestamp": now(-1)}), "SignatureDoesNotMatch", "another time")
    TAP.equal(code(**{**right, "AccessKeyId": "LTAIoper"}), "SignatureDoesNotMatch", "another's key")
    TAP.equal(code(**hello_params("LTAIadmin", SECRETS["LTAIoper"])), "SignatureDoesNotMatch",
              "another's secret")
    TAP.equal(code(**hello_params("LTAInobody")), "InvalidAccessKeyId.NotFound", "no such key")
    TAP.equal(code(**right), "", "the right one")
    TAP.equal(code(**right), "SignatureNonceUsed", "once more")
    upper = hello_params("LTAIadmin")
    TAP.equal(code(**{**upper, "Signature": upper["Signature"].upper()}), "", "hex in capitals")
    TAP.equal(code(**hello_params("LTAIadmin", timestamp=now(-880))), "", "14 minutes 40 s ago")
    TAP.equal(code(**hello_params("LTAIadmin", timestamp=now(880))), "", "in 14 minutes 40 s")
    TAP.equal(code(**hello_params("LTAIadmin", timestamp=now(-920))), "InvalidTimeStamp.Expired",
              "15 minutes 20 s ago")
    TAP.equal(code(**hello_params("LTAIadmin", timestamp=now(920))), "InvalidTimeStamp.Expired",
              "in 15 minutes 20 s")
    offset = time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(time.time() + 8 * 3600))
    TAP.equal(code(**hello_params("LTAIadmin", timestamp=offset)), "", "another zone, with its offset")
    zone = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8 * 3600))
    TAP.equal(code(**hello_params("LTAIadmin", timestamp=zone)), "InvalidTimeStamp.Expired",
              "another zone's time, said to be UTC")
    TAP.equal(code(**hello_params("LTAIadmin", timestamp="yesterday")), "InvalidTimeStamp.Format",
              "a time that is none")


def test_roles(server):
    admin, oper, audit = (door(server, key) for key in ("LTAIadmin", "LTAIoper", "LTAIaudit"))
    vpc = oper.call("CreateVpc", **VPC)["VpcId"]
    TAP.equal(audit.call("DescribeVpcs", VpcId=vpc)["Vpcs"]["Vpc"][0]["VpcId"], vpc, "an auditor reads")
    TAP.ok("Refusals" in audit.call("ListRefusals") and "Events" in audit.call("ListEvents"),
           "an auditor reads events and refusals")
    step = [{"Operation": "CreateVpc", "Params": VPC}]
    settings = [{"Operation": "ModifyLedgerSettings", "Params": {"ReuseDelaySeconds": 5}}]
    head = server.client().call("GetStatus")["HeadSeq"]
    for who, client, calls in (
            ("an auditor", audit, [("CreateVpc", VPC), ("CreateVpc", {**VPC, "DryRun": True}),
                                   ("DeleteVpc", {"VpcId": vpc}), ("Transact", {"Operations": step}),
                                   ("ModifyLedgerSettings", {"ReuseDelaySeconds": 5})]),
            ("an operator", oper, [("ModifyLedgerSettings", {"ReuseDelaySeconds": 5}),
                                   ("Transact", {"Operations": settings}),
                                   ("Transact", {"Operations": step + settings}),
                                   ("CreateVpc", {**VPC, "EventTime": "2026-01-01T00:00:00Z"}),
                                   ("Transact", {"Operations": step,
                                                 "EventTime": "2026-01-01T00:00:00Z"})])):
        for operation, params in calls:
            TAP.refused("Forbidden.RAM", f"{who} may not: {operation} {params}", client.call, operation,
                        **params)
    TAP.equal(server.client().call("GetStatus")["HeadSeq"], head, "nothing of it was appended")
    TAP.ok(oper.call("Transact", Operations=step)["FirstSeq"], "an operator transacts")
    TAP.ok(admin.call("Transact", Operations=settings)["FirstSeq"], "an admin changes settings so")
    TAP.ok(admin.call("CreateVpc", **VPC, EventTime="2026-01-01T00:00:00Z", Actor="bob")["Seq"],
           "an admin says when it was")
    last = events(server)[-1]
    TAP.ok(last["Principal"] == "key:LTAIadmin" and last["Actor"] == "bob",
           "the event says whose key it was, and the actor beside it", last)
    TAP.ok("key:LTAIoper" in {e["Principal"] for e in events(server)}, "and so for the others")
    kept = server.client().call("ListRefusals", MaxResults=1000)["Refusals"]
    TAP.ok(any(r["Principal"] == "key:LTAIaudit" and r["Code"] == "Forbidden.RAM" for r in kept),
           "who may not and tried is kept")
    oper.hello("LTAIaudit", SECRETS["LTAIaudit"])
    TAP.refused("Forbidden.RAM", "a second Hello is another principal", oper.call, "CreateVpc", **VPC)
    TAP.refused("SignatureDoesNotMatch", "a wrong second Hello is refused", oper.hello, "LTAIadmin", "x" * 9)
    TAP.ok(oper.call("DescribeVpcs"), "and changes nothing")
    TAP.equal(events(server)[-1]["Principal"], "key:LTAIadmin", "the token's scope is the principal: set-up")
    token = dict(VPC, ClientToken="same")
    a, b = admin.call("CreateVpc", **token), door(server, "LTAIoper").call("CreateVpc", **token)
    TAP.ok(a["VpcId"] != b["VpcId"], "the same token of two keys is two requests", (a, b))


def test_unix(server):
    client = server.client()
    me = client.call("CreateVpc", **VPC)
    TAP.equal(events(server)[-1]["Principal"], f"uid:{os.getuid()}", "the Unix socket goes by the uid")
    TAP.ok(me["Seq"], "and its owner is admin")
    client.hello("LTAIaudit", SECRETS["LTAIaudit"])
    TAP.refused("Forbidden.RAM", "a key may be named there too", client.call, "CreateVpc", **VPC)
    TAP.refused("SignatureDoesNotMatch", "but not a wrong one", server.client().hello, "LTAIaudit", "nonsense")


def hang_up(server, says):
    """SIGHUP, and wait until the log says so."""
    server.process.send_signal(signal.SIGHUP)
    TAP.ok(wait_until(lambda: says in server.log_text(), 10), f"SIGHUP: the log says \"{says}\"",
           server.log_text()[-500:])


def test_reload(server, path):
    admin, oper, audit = (door(server, key) for key in ("LTAIadmin", "LTAIoper", "LTAIaudit"))
    write(path, "LTAInew newSecret0123456789 admin\nnonsense\n")
    hang_up(server, "keys:2: a line is")
    TAP.ok(admin.call("Ping") and door(server, "LTAIoper").call("Ping"), "a bad file keeps the old keys")
    write(path, FILE, 0o644)
    hang_up(server, "chmod 0600")
    os.unlink(path)
    hang_up(server, "keys stay as they were: " + path + ": No such file")
    TAP.ok(door(server, "LTAIoper").call("Ping"), "no file keeps them too")
    write(path, "LTAIadmin another0123456789abcdef admin\n"
          + FILE.split("\n")[1].replace("operator", "auditor") + "\n")
    hang_up(server, path + ": 2 keys")
    TAP.refused("Forbidden.RAM", "a role that was changed is changed for who is connected", oper.call,
                "CreateVpc", **VPC)
    for who, client in (("gone", audit), ("changed", admin)):
        try:
            client.call("Ping")
            ended = False
        except (ConnectionError, OSError):
            ended = True
        TAP.ok(ended, f"who came with a key that is {who} is sent away")
    write(path, FILE)
    hang_up(server, path + ": 4 keys")
    TAP.ok(door(server, "LTAIaudit").call("Ping"), "and may come again when it is back")


def test_guessing(server):
    """Wrong signatures are slowed down, for that key and that peer only."""
    client = door(server)
    codes = []
    for _ in range(40):
        client.send("Hello", hello_params("LTAIodd", "guess"))
        codes.append(text_of(client.receive()).split(":")[0])
    TAP.ok(codes[:20] == ["SignatureDoesNotMatch"] * 20 and "Throttling.User" in codes[32:],
           "who guesses is told to wait", codes)
    client.send("Hello", hello_params("LTAIodd"))
    TAP.ok(text_of(client.receive()).startswith("Throttling.User"), "also with the right one, for a while")
    TAP.ok(door(server, "LTAIadmin").call("Ping"), "other keys come in")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        client.send("Hello", hello_params("LTAIodd"))
        if client.receive()[2] is None:
            break
        time.sleep(0.2)
    TAP.ok(time.monotonic() < end, "and after that while so does this one")


def test_silent(server):
    """Who says nothing is sent away, and there are only so many; who is known stays."""
    known = door(server, "LTAIaudit")
    silent = [server.tcp() for _ in range(300)]
    unix = server.client()
    TAP.ok(unix.call("Ping") and known.call("Ping"), "others have their turn")
    trickle = server.tcp()

    def is_closed(sock):
        sock.settimeout(0.0)
        try:
            return sock.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
    closed = wait_until(lambda: sum(map(is_closed, silent)) >= 44, 5)
    TAP.ok(closed, "beyond 256 strangers, others are not taken")
    TAP.ok(wait_until(lambda: all(map(is_closed, silent + [trickle])), 20), "after 10 s all are sent away")
    TAP.ok(known.call("Ping"), "who has said Hello stays")
    TAP.ok(door(server, "LTAIadmin").call("Ping"), "and there is room again")
    for sock in silent + [trickle]:
        sock.close()


def run(*words, **environment):
    env = {k: v for k, v in os.environ.items() if "ACCESS_KEY" not in k}
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60,
                          env={**env, **environment})


def test_client(server):
    port = server.line.split("tcp:127.0.0.1:")[1].split()[0].split(",")[0]
    at = ["--server", f"tcp:127.0.0.1:{port}"]
    own = {"IPLEDGER_ACCESS_KEY_ID": "LTAIadmin", "IPLEDGER_ACCESS_KEY_SECRET": SECRETS["LTAIadmin"]}
    sdk = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIodd", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRETS["LTAIodd"]}
    done = run(*at, "call", "CreateVpc", "CidrBlock=10.0.0.0/16", **own)
    TAP.ok(done.returncode == 0 and events(server)[-1]["Principal"] == "key:LTAIadmin",
           "the command line says Hello with the key of the environment", done)
    TAP.equal(run(*at, "status", **sdk).returncode, 0, "the SDKs' variables do too")
    done = run(*at, "call", "CreateVpc", "CidrBlock=10.0.0.0/16", **sdk, **own)
    TAP.equal(done.returncode, 0, "our own variables win")
    done = run(*at, "status")
    TAP.ok(done.returncode == 1 and "IPLEDGER_ACCESS_KEY_ID" in done.stderr, "without: what to set", done)
    done = run(*at, "status", IPLEDGER_ACCESS_KEY_ID="LTAIadmin", IPLEDGER_ACCESS_KEY_SECRET="wrong")
    TAP.ok(done.returncode == 1 and done.stderr.startswith("SignatureDoesNotMatch: ") and
           "wrong" not in done.stderr, "a wrong secret", done)
    done = run(*at, "status", IPLEDGER_ACCESS_KEY_ID="LTAIadmin")
    TAP.ok(done.returncode == 3 and "must both be set" in done.stderr, "half a key", done)


def test_command():
    with tempfile.TemporaryDirectory() as data:
        path = os.path.join(data, "keys")
        at = ["--data", data]
        done = run(*at, "keys")
        TAP.ok(done.returncode == 0 and path in done.stderr and "keys add" in done.stderr, "keys without a file", done)
        done = run(*at, "-o", "json", "keys", "add", "--role", "auditor")
        made = json.loads(done.stdout)
        TAP.ok(re.match(r"LTAI[A-Za-z0-9]{20}$", made["AccessKeyId"]) and made["Role"] == "auditor" and
               re.match(r"[A-Za-z0-9]{30}$", made["AccessKeySecret"]) and "SIGHUP" in done.stderr,
               "add makes a key, and says its secret once", done)
        TAP.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "the file is for its owner only")
        second = run(*at, "keys", "add").stdout
        admin = re.search(r"LTAI\w+", second).group(0)
        done = run(*at, "keys", "list")
        TAP.ok(made["AccessKeyId"] in done.stdout and admin in done.stdout and
               made["AccessKeySecret"] not in done.stdout + done.stderr, "list shows no secret", done)
        done = run(*at, "keys", "env", made["AccessKeyId"])
        TAP.equal(done.stdout, f"export ALIBABA_CLOUD_ACCESS_KEY_ID='{made['AccessKeyId']}'\n"
                  f"export ALIBABA_CLOUD_ACCESS_KEY_SECRET='{made['AccessKeySecret']}'\n", "env, for a shell")
        TAP.ok(f"'{admin}'" in run(*at, "keys", "env").stdout, "env without an id is of the admin")
        with open(path, "a", encoding="ascii") as file:
            file.write(f"LTAIodd {SECRETS['LTAIodd']} operator # odd\n")
        done = subprocess.run(["sh", "-c", f'eval "$({BINARY} --data {data} keys env LTAIodd)"; '
                               'printf %s "$ALIBABA_CLOUD_ACCESS_KEY_SECRET"'], capture_output=True, text=True,
                              timeout=30)
        TAP.equal(done.stdout, SECRETS["LTAIodd"], "a shell reads any secret back as it is")
        TAP.equal(run(*at, "keys", "remove", admin).returncode, 0, "remove")
        TAP.equal(run(*at, "keys", "remove", admin).returncode, 1, "remove what is not there: no")
        with open(path, encoding="ascii") as file:
            left = file.read()
        TAP.ok(admin not in left and "# odd" in left and made["AccessKeyId"] in left, "the rest stays", left)
        TAP.equal(os.listdir(data), ["keys"], "nothing else is left there")
        for words in (["keys", "frob"], ["keys", "add", "--role", "king"], ["keys", "remove"],
                      ["keys", "add", "LTAImine"], ["keys", "--frob"], ["keys", "list", "--role", "admin"]):
            TAP.equal(run(*at, *words).returncode, 2, f"{' '.join(words)}: usage")
        other = os.path.join(data, "others")
        TAP.equal(run(*at, "keys", "add", "--keys", other).returncode, 0, "another file: --keys")
        TAP.ok(os.path.exists(other), "is made")


def test_start():
    """What a first start makes, and what a start refuses."""
    server = Server(args=["--rpc", "unix:{data}/ipledger.sock", "--rpc", "tcp:127.0.0.1:0"], log=True)
    path = os.path.join(server.data, "keys")
    with open(path, encoding="ascii") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    TAP.ok(len(lines) == 1 and lines[0][2] == "admin" and stat.S_IMODE(os.stat(path).st_mode) == 0o600,
           "the first start makes one admin key", lines)
    client = Client(server.tcp(), maps=False)
    client.hello(*lines[0][:2])
    TAP.ok(client.call("ModifyLedgerSettings", ReuseDelaySeconds=1)["Seq"], "which is let in as admin")
    TAP.ok(lines[0][0] in server.log_text() and lines[0][1] not in server.log_text() + server.line,
           "the log names it, without its secret", server.log_text())
    server.stop()
    server.start()
    client = Client(server.tcp(), maps=False)
    TAP.ok(client.hello(*lines[0][:2])["Server"], "a second start keeps it")
    server.remove()
    with tempfile.TemporaryDirectory() as data:
        only_unix = Server(data=data)
        TAP.ok(not os.path.exists(os.path.join(data, "keys")), "no key is made for a Unix socket alone")
        only_unix.stop()
        write(os.path.join(data, "keys"), FILE, 0o640)
        for words, says in ((["--rpc", "tcp:127.0.0.1:0"], "chmod 0600"),
                            (["--keys", os.path.join(data, "none")], "ipledger keys add --keys"),
                            (["--keys", os.path.join(data, "keys"), "--any-key"], "exclude"),
                            (["--rpc", "tcp:0.0.0.0:0", "--any-key"], "not loopback"),
                            (["--rpc", "tcp:[::]:0", "--any-key"], "not loopback"),
                            (["--http", "0.0.0.0:0", "--any-key"], "not loopback")):
            done = run("serve", "--data", data, *(["--http", "none"] if "--http" not in words else []), *words)
            TAP.ok(done.returncode in (2, 3) and says in done.stderr and not done.stdout and
                   not any(s in done.stderr for s in SECRETS.values()), f"serve {words[:2]}: {says}", done)
        os.chmod(os.path.join(data, "keys"), 0o600)
        wide = Server(data=data, args=["--rpc", "tcp:0.0.0.0:0"], log=True)
        TAP.ok("without TLS" in wide.log_text(), "a door to the network without TLS is warned of")
        wide.stop()


def test_any_key():
    server = Server(args=["--rpc", "unix:{data}/ipledger.sock", "--rpc", "tcp:127.0.0.1:0", "--any-key"])
    client = Client(server.tcp(), maps=False)
    TAP.ok(client.call("CreateVpc", **VPC)["Seq"], "--any-key: none is let in")
    client.hello("LTAIwho", "whatever")
    client.call("ModifyLedgerSettings", ReuseDelaySeconds=1)
    TAP.equal(events(server)[-1]["Principal"], "key:LTAIwho", "and any, as admin, by its name")
    again = hello_params("LTAIwho", "x", nonce="same", timestamp="2020-01-01T00:00:00Z")
    TAP.ok(client.call("Hello", **again) and client.call("Hello", **again), "neither time nor nonce counts")
    TAP.refused("InvalidParameter", "only the shape does", client.call, "Hello", **{**again, "Signature": "x"})
    TAP.refused("InvalidParameter", "of the id too", client.call, "Hello", **{**again, "AccessKeyId": "a\nb"})
    TAP.ok(not os.path.exists(os.path.join(server.data, "keys")), "no keys are made")
    server.remove()


def main():
    test_command()
    test_start()
    test_any_key()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "keys")
        write(path, FILE)
        server = Server(args=["--rpc", "unix:{data}/ipledger.sock", "--rpc", "tcp:127.0.0.1:0", "--keys", path], log=True)
        test_strangers(server)
        test_hello(server)
        test_roles(server)
        test_unix(server)
        test_client(server)
        test_guessing(server)
        test_silent(server)
        test_reload(server, path)
        log = server.log_text()
        TAP.ok(not [s for s in SECRETS.values() if s in log], "no secret is in the log")
        with open(f"/proc/{server.process.pid}/cmdline", "rb") as file:
            TAP.ok(not [s for s in SECRETS.values() if s.encode() in file.read()], "nor in ps")
        TAP.equal(server.stop(), 0, "and it ends well")
        server.remove()
    TAP.end()


main()
