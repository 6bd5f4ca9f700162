#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger in which somebody took an address that a later request was refused.
Claimed: the session in docs/DEBUGGING.md finds out who, word for word but for times and request ids; the
debugger's commands do what they say, from a script and at a terminal."""
import os
import pty
import re
import select
import subprocess
import time

from ledger import BINARY, Refused, Server, Tap

TAP = Tap()
DOC = os.path.join(os.path.dirname(__file__), "../../docs/DEBUGGING.md")


def history(client):
    """What the document tells of: its ids follow from the order of what is made."""
    call = client.call
    vpc = call("CreateVpc", CidrBlock="10.0.0.0/16", Actor="netops")["VpcId"]
    vsw = call("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-a", CidrBlock="10.0.1.0/24", Actor="netops")["VSwitchId"]
    db = call("RunInstances", VSwitchId=vsw, InstanceType="ecs.g6.large", PrivateIpAddress="10.0.1.20",
              Actor="alice", Reason="primary of the database")["InstanceIdSets"]["InstanceIdSet"][0]
    for i in range(8):
        call("RunInstances", VSwitchId=vsw, InstanceType="ecs.g6.large", InstanceName=f"web{i}", Actor="bob")
    call("StopInstance", InstanceId=db, Actor="alice", Reason="ticket 4711")
    call("DeleteInstance", InstanceId=db, Actor="alice", Reason="ticket 4711: it comes back larger")
    eni = call("CreateNetworkInterface", VSwitchId=vsw, Actor="ci-bot", Reason="nightly")["NetworkInterfaceId"]
    call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=11, Actor="ci-bot",
         Reason="a pool for the nightly tests")
    call("AllocateEipAddress", Actor="bob")
    try:
        call("RunInstances", VSwitchId=vsw, InstanceType="ecs.g6.2xlarge", PrivateIpAddress="10.0.1.20", Actor="alice",
             Reason="ticket 4711")
        TAP.ok(False, "the address is taken")
    except Refused as error:
        TAP.equal(error.code, "InvalidPrivateIpAddress.Duplicated", "the address is taken")
    call("AllocateEipAddress", Actor="bob")
    return {"vsw": vsw, "db": db, "eni": eni}


def debug(data, *commands, args=()):
    return subprocess.run([BINARY, "--data", data, "replay", "--step", *args], capture_output=True, text=True,
                          input="\n".join(commands) + "\n", timeout=60)


def without_moments(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", text)
    return re.sub(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", "UUID", text)


def wait_for_refusals(data):
    """They are written down a quarter of a second later."""
    for _ in range(100):
        if debug(data, "why").returncode == 0:
            return
        time.sleep(0.1)


def test_document(data):
    with open(DOC, encoding="utf-8") as file:
        text = file.read()
    block = re.search(r"```console\n\$ ipledger replay --step\n(.*?)```", text, re.S).group(1)
    commands = re.findall(r"^\(\d+\) (.*)$", block, re.M)
    TAP.ok(0 < len(commands) <= 5, "the document finds it in at most 5 commands", commands)
    done = debug(data, *commands)
    TAP.equal(done.returncode, 0, "the session ends well")
    TAP.equal(without_moments(done.stdout).rstrip().split("\n"), without_moments(block).rstrip().split("\n"),
              "the session is as in the document")
    TAP.ok("for ci-bot" in done.stdout and "nobody -> eni-" in done.stdout, "and it names who")


def test_steps(data, ids):
    head = int(re.search(r"events 1 to (\d+)", debug(data, "where").stdout).group(1))
    out = debug(data, "next", "n 2", "back", "rn 99", "back", "goto end", "n").stdout
    TAP.equal(re.findall(r"^\((\d+)\)", out, re.M), ["0", "1", "3", "2", "0", "0", str(head)], "next, back, goto")
    TAP.ok("this is the beginning" in out and "this is the end" in out, "both ends are said", out)
    moment = re.search(r"^4  (\S+)", debug(data, "goto 4").stdout, re.M).group(1)
    TAP.ok(re.search(r"^\([4-9]\d*\) where$", debug(data, f"goto {moment}", "where").stdout, re.M), "goto a time")
    out = debug(data, f"break {ids['db']}", "b EipAllocated", "br count(Instance) == 5", "breaks", "c", "c", "c", "c",
                "d 1", "c", "delete 2", "delete 3", "c", "breaks").stdout
    stops = re.findall(r"^breakpoint (\d)$", out, re.M)
    TAP.equal(stops, ["1", "3", "1", "1", "2"], "continue stops at each, and not at what is deleted")
    TAP.ok(f"1  touches({ids['db']})  (at each such event; stopped 0 times)" in out
           and "3  count(Instance) == 5  (when it comes to hold; stopped 0 times)" in out and "no breakpoints" in out,
           "breaks", out)
    out = debug(data, "goto end", f"b {ids['db']}", "rc", "rc", "rc", "rc", "rc").stdout
    seqs = [int(n) for n in re.findall(r"^\((\d+)\)", out, re.M)][3:]
    TAP.ok(seqs == sorted(seqs, reverse=True) and seqs[-1] == 0 and len(set(seqs)) == len(seqs),
           "reverse-continue goes back through them, to the beginning", seqs)
    out = debug(data, "b AllocateEipAddress == 1", args=["--to", "3"])
    TAP.ok(out.returncode == 1 and "column 1" in out.stderr, "a breakpoint that makes no sense", out)
    out = debug(data, "goto end", args=["--from", "2", "--to", "5"]).stdout
    TAP.ok(out.startswith("events 3 to 5;") and re.search(r"^5  ", out, re.M), "--from and --to", out)


def test_looks(data, ids):
    out = debug(data, "goto 4", f"print {ids['db']}", "p 10.0.1.20", f"p free({ids['vsw']})", "p 10.0.1.99",
                f"p {ids['eni']}", "p holder(10.0.1.20) == \"\"", "p nil").stdout
    TAP.ok("Status" in out and "Running" in out and "made by event 4" in out, "print an entity", out)
    TAP.ok("10.0.1.20 is Held" in out and "PrimaryPrivate" in out and "10.0.1.99 is Free" in out, "print an address", out)
    TAP.ok("\n251\n" in out and f"{ids['eni']} is not there" in out and "\nfalse\n" in out and "\nnothing\n" in out,
           "print an expression", out)
    out = debug(data, "goto 5", f"events {ids['db']}").stdout
    TAP.ok("2 after 5, the next one is 13" in out and len(re.findall(r"^  4  ", out, re.M)) == 1, "events up to here", out)
    out = debug(data, "goto end", f"events {ids['vsw']} 3").stdout
    TAP.ok(re.search(r"^  \d+ before$", out, re.M) and len(re.findall(r"^  \d+  ", out, re.M)) == 3, "events N", out)
    TAP.ok("  none" in debug(data, "events 10.9.9.9").stdout, "events of nothing")
    out = debug(data, "goto 13", "diff", "goto 14", "di").stdout
    TAP.ok('Status: "Running" -> "Stopped"' in out and f"Deleted  {ids['db']}" in out
           and re.search(r"Address  10\.0\.1\.20: eni-\w+ -> nobody", out), "diff: members, holders, what is gone", out)
    first, second = (re.search(r"^[0-9a-f]{64}$", debug(data, f"goto {n}", "hash").stdout, re.M).group(0) for n in (7, 8))
    TAP.ok(first != second and first in debug(data, "goto 18", "goto 7", "ha").stdout, "hash: the same there and back")
    out = debug(data, "where", "goto 12", "where").stdout
    TAP.ok("0  before the first event" in out and "Vpc 1, VSwitch 1, Instance 9" in out, "where", out)
    refused = re.search(r"request  (\S+)", debug(data, "why").stdout).group(1)
    out = debug(data, f"why {refused}", "why 17").stdout
    TAP.equal(len(re.findall("InvalidPrivateIpAddress.Duplicated", out)), 2, "why, by request and by seq")
    TAP.ok(all(word in debug(data, "help").stdout for word in ("reverse-continue", "events", "diff", "why")), "help")


def test_scripts(data):
    done = debug(data, "# a comment", "", "  next  ", "fly", "next")
    TAP.ok(done.returncode == 1 and "no command fly" in done.stderr and "(1) next" not in done.stdout,
           "a command that fails ends a script", done)
    for command, what in (("next x", "number"), ("goto", "where to"), ("goto 999", "beyond the last event"),
                          ("break", "on what"), ("delete 5", "no such breakpoint"), ("print", "what?"),
                          ("events", "of what"), ("events x", "neither an id"), ("diff", "no event was here"),
                          ("b", "on what"), ("why 3", "no such refusal")):
        done = debug(data, command)
        TAP.ok(done.returncode == 1 and what in done.stderr, f"{command}: {what}", done)
    TAP.equal(debug(data, "q", "fly").returncode, 0, "quit")
    done = subprocess.run([BINARY, "--data", data, "-o", "json", "replay", "--step"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=30)
    TAP.ok(done.returncode == 2 and "--step goes with" in done.stderr, "no -o", done)


class Terminal:
    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.environ["HOME"] = "/nonexistent"
            os.execv(command[0], command)
        self.seen = ""

    def until(self, what, seconds=20):
        end = time.monotonic() + seconds
        while what not in self.seen and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode()
                except OSError:
                    break
        found = what in self.seen
        if found:
            self.seen = self.seen[self.seen.index(what) + len(what):]
        return found

    def send(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status


def test_terminal(data):
    term = Terminal(BINARY, "--data", data, "replay", "--step")
    TAP.ok(term.until("(0) "), "a prompt", term.seen)
    term.send("next\n")
    TAP.ok(term.until("LedgerCreated") and term.until("(1) "), "a command at a terminal", term.seen)
    term.send("\n")
    TAP.ok(term.until("VpcCreated") and term.until("(2) "), "an empty line repeats it", term.seen)
    term.send("fly\n")
    TAP.ok(term.until("no command fly") and term.until("(2) "), "a mistake ends nothing", term.seen)
    if b"libedit" in subprocess.run(["ldd", BINARY], capture_output=True, timeout=30).stdout:
        edited = False
        for _ in range(3):  # keys mean something else until the line editor has taken the terminal
            term.send("where\n")
            term.until("(2) ")
            time.sleep(0.3)
            term.send("bxck\x1b[D\x1b[D\x7fa\n")
            edited = edited or term.until("(1) ", 8)
            if edited:
                break
        TAP.ok(edited, "a line is edited: bxck with its x made an a", term.seen)
        term.send("\x1b[A\x1b[A\n")
        TAP.ok(term.until("Vpc 0") and term.until("(1) "), "the history goes back to where", term.seen)
    term.send("\x03")
    time.sleep(0.3)
    term.send("next\n")
    TAP.ok(term.until("(2) "), "Ctrl-C leaves the session", term.seen)
    term.send("quit\n")
    TAP.equal(term.wait(), 0, "quit at a terminal")
    term = Terminal(BINARY, "--data", data, "replay", "--step")
    term.until("(0) ")
    time.sleep(0.5)  # it is only read as a key when the terminal is set for editing
    term.send("\x04")
    TAP.equal(term.wait(), 0, "the end of input at a terminal")


def main():
    server = Server()
    ids = history(server.client())
    data = server.data
    wait_for_refusals(data)
    test_document(data)
    test_steps(data, ids)
    TAP.equal(server.stop(), 0, "the server ends")
    test_looks(data, ids)
    test_scripts(data)
    test_terminal(data)
    server.remove()
    TAP.end()


main()
