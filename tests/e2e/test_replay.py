#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger with a small history, its server running, then gone.
Claimed: bisect, whatif, replay and check find what was done, beside the server and without it, say
what they cannot find and why, and leave the log as it was."""
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time

from ledger import BINARY, Server, Tap

TAP = Tap()
PLANT = os.environ["PLANT"]


def cli(data, *words, stdin=None, env=None):
    return subprocess.run([BINARY, "--data", data, *words], capture_output=True, text=True, input=stdin,
                          timeout=120, env=dict(os.environ, **(env or {})))


def digest(data):
    """Of every record of the log, as anybody reads it."""
    events = json.loads(cli(data, "-o", "json", "log").stdout)["Events"]
    return hashlib.sha256(json.dumps(events).encode()).hexdigest()


class History:
    """What the tests go to and fro in; seqs by name."""

    def __init__(self, client):
        self.seq = {}
        self.client = client
        self.vpc = self.do("vpc", "CreateVpc", CidrBlock="10.0.0.0/16")["VpcId"]
        self.vsw = self.do("vsw", "CreateVSwitch", VpcId=self.vpc, ZoneId="cn-hangzhou-a",
                           CidrBlock="10.0.1.0/28")["VSwitchId"]
        self.web = self.do("web", "RunInstances", VSwitchId=self.vsw, InstanceType="ecs.g6.large",
                           PrivateIpAddress="10.0.1.5", Actor="alice",
                           Reason="ticket 1")["InstanceIdSets"]["InstanceIdSet"][0]
        self.eip = self.do("eip", "AllocateEipAddress", Actor="alice")["AllocationId"]
        self.do("associate", "AssociateEipAddress", AllocationId=self.eip, InstanceId=self.web)
        self.enis = [self.do(f"eni{i}", "CreateNetworkInterface", VSwitchId=self.vsw, Actor="bob")
                     ["NetworkInterfaceId"] for i in range(6)]
        self.do("stop", "StopInstance", InstanceId=self.web, Actor="carol", Reason="night\x1b[31m")
        self.do("start", "StartInstance", InstanceId=self.web, Actor="carol")
        self.do("delete", "DeleteNetworkInterface", NetworkInterfaceId=self.enis[0], Actor="bob")
        self.do("last", "CreateNetworkInterface", VSwitchId=self.vsw, Actor="dave")

    def do(self, name, operation, **params):
        answer = self.client.call(operation, **params)
        self.seq[name] = answer["Seq"]
        return answer


def bisect(history, data, *words):
    done = cli(data, "-o", "json", "bisect", *words)
    return done, json.loads(done.stdout) if done.stdout else {}


def test_bisect_expr(h, data):
    done, found = bisect(h, data, "--expr", f"free({h.vsw}) < 9")
    TAP.equal((done.returncode, found["Found"], found["Seq"]), (0, True, h.seq["eni2"]), "bisect by an expression")
    TAP.equal(found["Values"], [{"Expression": f"free({h.vsw})", "Before": 9, "After": 8}], "the values before, after")
    TAP.equal((found["Event"]["Actor"], found["Event"]["Operation"]), ("bob", "CreateNetworkInterface"),
              "the event says who and what")
    words = cli(data, "bisect", "--expr", f"{h.web}.EipAddress.AllocationId == {h.eip}")
    TAP.ok(words.returncode == 0 and words.stdout.startswith(f"{h.seq['associate']}  ")
           and f'"" -> "{h.eip}"' in words.stdout, "in words", words)
    done, found = bisect(h, data, "--expr", f'{h.web}.Status == "Stopped"')
    TAP.ok(done.returncode == 1 and not found["Found"] and "--first" in found["Note"],
           "what holds at neither end is said, with advice", done)
    done, found = bisect(h, data, "--first", "--expr", f'{h.web}.Status == "Stopped"')
    TAP.equal((done.returncode, found["Seq"]), (0, h.seq["stop"]), "--first finds it")
    TAP.ok(f"from {h.seq['stop']} on" in bisect(h, data, "--expr", f'{h.web}.Status == "Stopped"')[1]["Note"],
           "that it held in between is seen, too")
    done, found = bisect(h, data, "--expr", f'{h.web}.Status == "Stopped" or seq == {h.seq["last"]}')
    TAP.ok(found["Seq"] == h.seq["stop"] and not found["Monotone"] and "not monotone" in found["Note"],
           "a contradiction is told, and the first flip given", found)
    words = cli(data, "bisect", "--first", "--expr", f'{h.web}.Status == "Stopped"')
    TAP.ok("\x1b" not in words.stdout and "night?[31m" in words.stdout, "no escape reaches the terminal", words)
    done, found = bisect(h, data, "--from", str(h.seq["web"]), "--expr", f"exists({h.web})")
    TAP.ok(done.returncode == 1 and "at both ends" in found["Note"], "what holds at both ends", done)
    done, found = bisect(h, data, "--from", str(h.seq["eni0"]), "--expr", f"exists({h.enis[0]})")
    TAP.ok(done.returncode == 1 and "ask for the opposite" in found["Note"], "backward", done)
    done, found = bisect(h, data, "--from", str(h.seq["eni0"]), "--expr", f"not exists({h.enis[0]})")
    TAP.equal((done.returncode, found["Seq"], found["Event"]["Actor"]), (0, h.seq["delete"], "bob"), "and that opposite")
    done, found = bisect(h, data, "--to", str(h.seq["eni3"]), "--expr", "count(NetworkInterface) == 5")
    TAP.equal((done.returncode, found["Seq"]), (0, h.seq["eni3"]), "--to")
    time = json.loads(cli(data, "-o", "json", "log", "--to", "1").stdout)["Events"][0]["Time"]
    TAP.equal(bisect(h, data, "--from", time, "--to", "0s", "--expr", "count(Vpc) > 0")[1]["Seq"] >= h.seq["vpc"], True,
              "moments may be times")
    for words, what in ((["--expr", "count(Eip) >"], "column 13"), (["--expr", "count(Eip)"], "true or false"),
                        (["--from", "99999", "--expr", "true"], "beyond the last event"),
                        (["--from", "tomorrow", "--expr", "true"], "no seq, RFC 3339"),
                        (["--from", "5", "--to", "5", "--expr", "true"], "no event lies after"),
                        (["--expr", "true", "--", "true"], "what is asked"), ([], "what is asked"),
                        (["--"], "which command"), (["--frm", "1"], "too much")):
        done = cli(data, "bisect", *words)
        TAP.ok(done.returncode == (1 if what == "true or false" else 2) and what in done.stderr,
               f"bisect {' '.join(words)}: {what}", done)
    done = cli(data, "--server", "unix:/x", "bisect", "--expr", "true")
    TAP.ok(done.returncode == 1 and "--data" in done.stderr, "it wants no server", done)
    TAP.equal(cli("/nonexistent", "bisect", "--expr", "true").returncode, 3, "a directory without a ledger")


def test_bisect_command(h, data):
    show = f"{BINARY} --as-of $IPLEDGER_AS_OF show {h.enis[2]} >/dev/null 2>&1"
    done, found = bisect(h, data, "--", "sh", "-c", f"! {show}")
    TAP.equal((done.returncode, found.get("Seq")), (0, h.seq["eni2"]), "bisect by a command: 0 is good, 1 is bad")
    done, found = bisect(h, data, "--from", str(h.seq["eni0"]), "--to", str(h.seq["delete"]), "--", "sh", "-c",
                         f"{BINARY} --data $IPLEDGER_DATA --as-of $IPLEDGER_AS_OF show {h.enis[0]}")
    TAP.equal((done.returncode, found.get("Seq")), (0, h.seq["delete"]), "what it prints does not mix with ours")
    at = h.seq["eni2"]
    done, found = bisect(h, data, "--", "sh", "-c",
                         f"[ $IPLEDGER_AS_OF -ne {at} ] || exit 125; [ $IPLEDGER_AS_OF -lt {at} ]")
    TAP.equal((done.returncode, found.get("After"), found.get("Seq")), (1, at - 1, at + 1),
              "125 cannot tell: what is left is said")
    done, found = bisect(h, data, "--", "sh", "-c",
                         f"[ $IPLEDGER_AS_OF -ne {at} ] || exit 125; [ $IPLEDGER_AS_OF -le {at + 1} ]")
    TAP.equal((done.returncode, found.get("Seq")), (0, at + 2), "125 is gone around")
    done, _ = bisect(h, data, "--", "sh", "-c", "exit 130")
    TAP.ok(done.returncode == 1 and "exit status 130" in done.stderr, "128 and above stop the search", done)
    done, _ = bisect(h, data, "--", "sh", "-c", "kill -9 $$")
    TAP.ok(done.returncode == 1 and "signal 9" in done.stderr, "a signal too", done)
    done, _ = bisect(h, data, "--", "/nonexistent/command")
    TAP.ok(done.returncode == 3 and "/nonexistent/command" in done.stderr, "a command that is not there", done)
    done, found = bisect(h, data, "--first", "--from", "5", "--", "sh", "-c", "[ $IPLEDGER_AS_OF -ne 9 ]")
    TAP.equal((done.returncode, found.get("Seq"), found.get("StatesAsked")), (0, 9, 5), "--first asks one after the other")


def whatif(data, *words):
    done = cli(data, "-o", "json", "whatif", *words)
    return done, json.loads(done.stdout) if done.stdout else {}


def by_seq(told):
    return {o["Seq"]: o for o in told["Operations"]}


def test_whatif(h, data):
    done, told = whatif(data, "--drop", str(h.seq["eni0"]))
    ops = by_seq(told)
    TAP.equal((done.returncode, told["Dropped"], told["Refused"]), (0, 1, 1), "whatif --drop: what follows falls")
    TAP.equal((ops[h.seq["eni0"]]["Outcome"], ops[h.seq["delete"]]["Outcome"], ops[h.seq["delete"]]["Code"]),
              ("Dropped", "Refused", "InvalidEniId.NotFound"), "which, and why")
    first = {f["Name"]: (f["Before"], f["After"]) for f in ops[h.seq["eni1"]]["Fields"]}
    TAP.equal(first, {"PrivateIpAddresses.1.PrivateIpAddress": ("10.0.1.2", "10.0.1.1")},
              "the next one has the address that is free then")
    ends = {c["Id"]: c for c in told["Changes"]}
    TAP.equal((ends[h.enis[1]]["Change"], h.enis[0] in ends), ("Updated", False), "the end: what is other, no more")
    TAP.equal(told["Same"] + told["Otherwise"] + told["Refused"] + told["Dropped"],
              told["ToSeq"] - told["FromSeq"] + 1, "each is told once")
    request = json.loads(cli(data, "whatif", "--show", str(h.seq["web"])).stdout)
    TAP.equal(request, {"Operation": "RunInstances",
                        "Params": {"InstanceType": "ecs.g6.large", "VSwitchId": h.vsw, "PrivateIpAddress": "10.0.1.5"}},
              "--show gives the request of an event")
    path = os.path.join(data, "request.json")

    def write(**request):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(request, file)
        return path
    request["Params"]["Amount"] = 3
    done, told = whatif(data, "--edit", f"{h.seq['web']}={write(**request)}")
    ends = {c["Id"]: c["Change"] for c in told["Changes"]}
    TAP.equal((done.returncode, by_seq(told)[h.seq["web"]]["Change"], list(ends.values()).count("Created"),
               ends.get(h.web)), (0, "Edit", 4, None), "--edit: two instances more, the first keeps its id")
    done, told = whatif(data, "--insert", "9=" + write(Operation="DeleteNetworkInterface", Params={
        "NetworkInterfaceId": h.enis[0]}), "--drop", str(h.seq["stop"]))
    ops = by_seq(told)
    TAP.equal((ops[h.seq["start"]]["Outcome"], ops[h.seq["delete"]]["Outcome"], told["Dropped"]),
              ("Refused", "Refused", 1), "--insert and --drop together")
    words = cli(data, "whatif", "--insert", f"{h.seq['last'] + 1}=" + write(
        Operation="AssignPrivateIpAddresses", Params={"NetworkInterfaceId": h.enis[1],
                                                      "SecondaryPrivateIpAddressCount": 1}))
    TAP.ok(words.returncode == 0 and "Done       AssignPrivateIpAddresses (inserted)" in words.stdout
           and f"Updated  {h.enis[1]}" in words.stdout, "after all, in words", words)
    words = cli(data, "whatif", "--drop", str(h.seq["last"]))
    TAP.ok("1 dropped" in words.stdout and "Deleted" in words.stdout, "--drop in words", words)
    done, told = whatif(data, "--drop", str(h.seq["vsw"]), "--limit", "1")
    TAP.equal((told["OperationsLeftOut"] > 0, told["ChangesLeftOut"] > 0, len(told["Changes"])), (True, True, 1), "--limit")
    for words, status, what in ((["--drop", "x"], 2, "it takes a seq"), (["--edit", "5"], 2, "SEQ=FILE"),
                                (["--drop", "1"], 1, "event 1 makes the ledger"), ([], 2, "what is changed"),
                                (["--edit", "5=/nonexistent"], 3, "/nonexistent"), (["--show", "1"], 1, "no operation"),
                                (["--drop", "2", "--show", "3"], 2, "what is changed")):
        done = cli(data, "whatif", *words)
        TAP.ok(done.returncode == status and what in done.stderr, f"whatif {' '.join(words)}: {what}", done)
    for text, status, what in (('{"Params": {}}', 2, "as --show prints it"), ("{", 2, "line"),
                               ('{"Operation": "DescribeVpcs"}', 1, "no single write"),
                               ('{"Operation": "CreateVpc", "Params": 5}', 1, "must be a map")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = cli(data, "whatif", "--edit", f"5={path}")
        TAP.ok(done.returncode == status and what in done.stderr, f"a file of {text}: {what}", done)


def test_replay(h, data, client):
    done = cli(data, "replay")
    seqs = [int(line.split()[0]) for line in done.stdout.splitlines()]
    head = client.call("GetStatus")["HeadSeq"]
    TAP.equal((done.returncode, seqs), (0, list(range(1, head + 1))), "replay: a line for each event")
    TAP.ok(f"{head} events, " in done.stderr and "\x1b" not in done.stdout + done.stderr, "and a summary", done.stderr)
    done = cli(data, "replay", "--from", "3", "--to", "5")
    TAP.equal([line.split()[0] for line in done.stdout.splitlines()], ["4", "5"], "--from and --to")
    told = json.loads(cli(data, "-o", "json", "replay").stdout)
    TAP.equal((told["Hash"], told["Counts"]), (client.call("GetStateHash")["Hash"], client.call("GetStatus")["Counts"]),
              "-o json: the hash and the counts that the server has")
    told = json.loads(cli(data, "-o", "json", "replay", "--to", "5").stdout)
    TAP.equal(told["Hash"], client.call("GetStateHash", AsOf=5)["Hash"], "and had")
    for words in (["--speed", "0"], ["--speed", "x"], ["--from", "5", "--to", "3"], ["--fast"], ["--to", "999999"],
                  ["--step", "--speed", "1"]):
        status(f"replay {' '.join(words)}", cli(data, "replay", *words), 2)


def test_speed():
    with tempfile.TemporaryDirectory() as data:
        init = os.path.join(data, "init.json")
        with open(init, "w", encoding="utf-8") as file:
            json.dump({"EventTime": "2020-01-01T00:00:00Z"}, file)
        server = Server(data=os.path.join(data, "ledger"), init=init)
        client = server.client()
        for second in (0, 30, 60):
            client.call("CreateVpc", CidrBlock="10.0.0.0/16", EventTime=f"2020-01-01T00:{second // 60:02}:{second % 60:02}Z")
        begin = time.monotonic()
        done = cli(server.data, "replay", "--speed", "60")
        took = time.monotonic() - begin
        TAP.ok(done.returncode == 0 and len(done.stdout.splitlines()) == 4 and 1 <= took < 20,
               "--speed 60 plays a minute in a second", (took, done))
        process = subprocess.Popen([BINARY, "--data", server.data, "replay", "--speed", "0.001"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        TAP.ok(lines[1].startswith("2  ") and process.returncode == 0 and "2 events" in err,
               "Ctrl-C ends it in order", (lines, out, err))
        server.remove()


def test_check(h, data):
    done = cli(data, "check")
    TAP.ok(done.returncode == 0 and "0 findings" in done.stdout, "check: nothing is wrong", done)
    planted = [int(n) for n in subprocess.run([PLANT, data], capture_output=True, text=True, check=True,
                                              timeout=60).stdout.split()]
    server = Server(data=data)  # it folds: who serves does not notice
    client = server.client()
    for _ in range(20):
        eip = client.call("AllocateEipAddress", Actor="bob")["AllocationId"]
        client.call("ReleaseEipAddress", AllocationId=eip)
    done = cli(data, "-o", "json", "check")
    told = json.loads(done.stdout)
    found = {f["Id"]: f for f in told["Findings"]}
    TAP.equal((done.returncode, told["Count"], [f["SinceSeq"] for f in found.values()]), (1, 2, planted),
              "check: both faults, and the event that began each, beside a server")
    TAP.ok(h.web in found and "without bandwidth" in found[h.web]["Text"]
           and all(f["Event"]["Actor"] == "the fault" for f in found.values()), "what is wrong, and by whom", found)
    done = cli(data, "check")
    TAP.ok(done.returncode == 1 and f"  since  {planted[0]}  " in done.stdout and "2 findings" in done.stdout, "in words", done)
    done = cli(data, "--as-of", str(planted[0]), "-o", "json", "check")
    TAP.equal((done.returncode, json.loads(done.stdout)["Count"]), (1, 1), "as of the first one")
    TAP.equal(cli(data, "--as-of", str(planted[0] - 1), "check").returncode, 0, "and as of before")
    status("check with a word", cli(data, "check", "it"), 2)
    TAP.equal(server.stop(), 0, "the server ends")


def status(name, done, wanted):
    return TAP.ok(done.returncode == wanted, f"{name}: exit status {wanted}",
                  (done.returncode, done.stdout, done.stderr))


def main():
    server = Server(init=None)
    client = server.client()
    h = History(client)
    data = server.data
    before = digest(data)
    test_bisect_expr(h, data)
    test_whatif(h, data)
    test_replay(h, data, client)
    TAP.equal(server.stop(), 0, "the server ends")
    test_bisect_command(h, data)
    TAP.equal(digest(data), before, "the log is as it was")
    test_check(h, data)
    server.remove()
    test_speed()
    TAP.end()


main()
