#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a person (or a script) at the command line.
Claimed: verbs see what an id or an address is, nouns reach every operation, the console's layout,
the map, the guest's view, exports, backups, completion; output as table, JSON, YAML and CSV; a typo gets a suggestion."""
import csv
import io
import json
import os
import pty
import re
import subprocess
import tempfile

import yaml

from ledger import BINARY, BIG, Server, Tap, ZONE

TAP = Tap()


class Shell:
    def __init__(self, data):
        self.data = data

    def run(self, *words, stdin=None, env=None):
        return subprocess.run([BINARY, "--data", self.data, *words], capture_output=True, text=True, input=stdin,
                              timeout=60, env={**os.environ, **(env or {})}, check=False)

    def ok(self, *words, stdin=None):
        done = self.run(*words, stdin=stdin)
        if done.returncode != 0:
            raise AssertionError((words, done))
        return done.stdout

    def json(self, *words, stdin=None):
        return json.loads(self.ok("-o", "json", *words, stdin=stdin))


def status(name, done, wanted, text=""):
    return TAP.ok(done.returncode == wanted and text in done.stdout + done.stderr,
                  f"{name}: exit status {wanted} {text}", (done.returncode, done.stdout, done.stderr))


def build(sh):
    """A network made by nouns alone."""
    vpc = sh.json("vpc", "create", "10.0.0.0/16", "--vpc-name", "net", "--enable-ipv6", "Tag.1.Key=env",
                  "Tag.1.Value=lab")
    vswitch = sh.json("vswitch", "create", vpc["VpcId"], "10.0.1.0/24", "--zone-id", ZONE, "--ipv6-cidr-block=3")
    made = sh.json("instance", "run", vswitch["VSwitchId"], BIG, "--internet-max-bandwidth-out", "5",
                   "--actor", "alice", "--reason", "ticket 4711")
    shown = sh.json("vpc", "list")["Vpcs"]["Vpc"]
    TAP.equal([(v["VpcName"], v["EnabledIpv6"], v["Tags"]["Tag"]) for v in shown],
              [("net", True, [{"Key": "env", "Value": "lab"}])], "options are the operation's parameters")
    events = sh.json("log", made["InstanceIdSets"]["InstanceIdSet"][0])["Events"]
    TAP.equal((events[0]["Actor"], events[0]["Reason"]), ("alice", "ticket 4711"), "reason and actor are recorded")
    return vpc["VpcId"], vswitch["VSwitchId"], made["InstanceIdSets"]["InstanceIdSet"][0]


def test_verbs(sh, vpc, vswitch, instance):
    made = sh.json("assign", instance, "--count", "2")["AssignedPrivateIpAddressesSet"]
    TAP.equal(made["PrivateIpSet"]["PrivateIpAddress"], ["10.0.1.2", "10.0.1.3"], "assign to an instance by count")
    eni = made["NetworkInterfaceId"]
    made = sh.json("assign", eni, "--ip", "10.0.1.9", "--ip=10.0.1.10")["AssignedPrivateIpAddressesSet"]
    TAP.equal(made["PrivateIpSet"]["PrivateIpAddress"], ["10.0.1.9", "10.0.1.10"], "assign by name, repeated")
    TAP.equal(len(sh.json("assign", eni, "--ipv6")["Ipv6Sets"]["Ipv6Address"]), 1, "assign --ipv6 picks one")
    TAP.equal(len(sh.json("assign", eni, "--ipv6", "--count", "2")["Ipv6Sets"]["Ipv6Address"]), 2, "or several")
    ipv6 = sh.json("assign", eni, "--ip", "2001:db8:0:3::77")["Ipv6AddressIds"]["Ipv6AddressId"][0]
    status("assign to nothing", sh.run("assign", "i-nothing"), 1, "NotFound")
    status("assign without a word", sh.run("assign"), 2)
    status("assign what cannot be", sh.run("assign", eni, "--ip", "10.0.1.0"), 1, "InvalidVSwitchId.IpInvalid")

    eip = sh.json("convert", instance, "--actor=bob")
    TAP.equal(sh.json("eip", "show", eip["AllocationId"])["State"]["IpAddress"], eip["EipAddress"], "convert")
    status("convert again", sh.run("convert", instance), 1, "InvalidInstance.IpAddressMissing")
    sh.ok("disassociate", eip["EipAddress"])
    TAP.equal(sh.json("eip", "show", eip["AllocationId"])["State"]["Status"], "Available",
              "disassociate by address")
    sh.ok("associate", eip["EipAddress"], eni, "--ip", "10.0.1.9")
    state = sh.json("eip", "show", eip["AllocationId"])["State"]
    TAP.equal((state["Status"], state["PrivateIpAddress"], state["InstanceType"]),
              ("InUse", "10.0.1.9", "NetworkInterface"), "associate with an address of an interface")
    sh.ok("disassociate", eip["AllocationId"])
    sh.ok("associate", eip["AllocationId"], instance)
    TAP.equal(sh.json("eip", "show", eip["AllocationId"])["State"]["InstanceId"], instance, "or with an instance")
    status("disassociate a private address", sh.run("disassociate", "10.0.1.2"), 1, "is no EIP")

    status("release of a primary address", sh.run("release", "10.0.1.1"), 1, "OperationDenied.PrimaryPrivateIp")
    done = sh.run("release", "10.0.1.9", "10.0.1.77", "10.0.1.10", "nonsense")
    status("release goes on behind a refusal", done, 1, "nobody holds 10.0.1.77: it is Free")
    TAP.ok("nonsense is neither" in done.stderr, "each refusal is said", done.stderr)
    TAP.equal([sh.json("show", ip)["Status"] for ip in ("10.0.1.9", "10.0.1.10", "10.0.1.2")],
              ["Free", "Free", "Held"], "the others are released")
    sh.ok("release", ipv6)
    status("an IPv6 address that is gone", sh.run("show", ipv6), 1, "NotFound")
    status("release of a running instance", sh.run("release", instance), 1, "IncorrectInstanceStatus")
    other = sh.json("instance", "run", vswitch, BIG, "--internet-max-bandwidth-out", "1")
    other = other["InstanceIdSets"]["InstanceIdSet"][0]
    public = sh.json("instance", "show", other)["State"]["PublicIpAddress"]["IpAddress"][0]
    status("release of a fixed public IP", sh.run("release", public), 1, "convert")
    sh.ok("release", other, "--force", "--reason", "done with it")
    status("released", sh.run("show", other), 1, "NotFound")
    spare = sh.json("eni", "create", vswitch)["NetworkInterfaceId"]
    free = sh.json("eip", "create", "--bandwidth", "7")
    sh.ok("release", spare, free["EipAddress"])
    TAP.equal(sh.json("eip", "list")["TotalCount"], 1, "an EIP is released by its address")

    second = sh.json("vpc", "create", "10.0.0.0/16")["VpcId"]
    there = sh.json("vswitch", "create", second, "10.0.1.0/24", "--zone-id", ZONE)["VSwitchId"]
    sh.json("eni", "create", there, "--private-ip-address", "10.0.1.2", "--primary-ip-address", "10.0.1.5")
    status("an address of two VPCs", sh.run("release", "10.0.1.2"), 1, "--vpc-id")
    sh.ok("release", "10.0.1.2", "--vpc-id", second)
    TAP.equal((sh.json("show", "10.0.1.2", "--vpc-id", second)["Status"],
               sh.json("show", "10.0.1.2", "--vpc-id", vpc)["Status"]), ("Free", "Held"), "--vpc-id says which")
    return eni


def test_outputs(sh, vpc, vswitch, instance):
    shown = sh.ok("show", instance)
    for wanted in (r"Public IP +\n", r"EIP +198\.18\.0\.\d+\n", r"Primary private IP +10\.0\.1\.1\n",
                   r"Secondary private IPs +10\.0\.1\.2, 10\.0\.1\.3\n", r"IPv6 +2001:db8:0:3::1, "):
        TAP.ok(re.search(wanted, shown), f"show: {wanted}", shown)
    before = sh.ok("--as-of", "4", "show", instance)
    TAP.ok(re.search(r"Public IP +198\.18\.0\.1\n  EIP +\n", before), "and as it was", before)
    rows = list(csv.DictReader(io.StringIO(sh.ok("-o", "csv", "vswitch", "list"))))
    TAP.equal([(r["CidrBlock"], r["AvailableIpAddressCount"]) for r in rows], [("10.0.1.0/24", "249"), ("10.0.1.0/24", "251")],
              "CSV of a list")
    rows = list(csv.reader(io.StringIO(sh.ok("-o", "csv", "vpc", "modify", vpc, "--vpc-name", 'a "b", c'))))
    TAP.equal(rows[0], ["Name", "Value"], "CSV of a map")
    rows = list(csv.DictReader(io.StringIO(sh.ok("-o", "csv", "vpc", "list"))))
    TAP.equal(rows[0]["VpcName"], 'a "b", c', "CSV quotes")
    text = sh.ok("-o", "yaml", "vpc", "show", vpc)
    TAP.ok('VpcName: "a \\"b\\", c"' in text and 'CidrBlock: "10.0.0.0/16"' in text and "Tag:\n      - Key: env\n" in text,
           "YAML", text)
    TAP.equal(yaml.safe_load(text)["State"], sh.json("vpc", "show", vpc)["State"], "YAML reads back")
    TAP.equal(yaml.safe_load(sh.ok("-o", "yaml", "log"))["Events"], sh.json("log")["Events"], "of events too")
    status("another output", sh.run("-o", "xml", "status"), 2, "yaml")
    status("a typo", sh.run("relase", "x"), 2, "did you mean release?")
    status("no near command", sh.run("frobnicate"), 2, "there is no command frobnicate")
    status("a verb that is none", sh.run("vpc", "paint"), 2, "ipledger vpc create")
    status("an option that is none", sh.run("vpc", "list", "--colour", "red"), 2, "DescribeVpcs has no parameter for --colour")
    status("a value that is missing", sh.run("vpc", "create", "--vpc-name"), 2, "takes a value")
    status("a word too many", sh.run("vpc", "list", "x"), 2)
    status("as of, for a write", sh.run("--as-of", "3", "vpc", "delete", vpc), 1, "AsOf")
    for word in ("assign", "vpc", "map", "check-guest"):
        TAP.ok(f"usage: ipledger {word} " in sh.ok("help", word), f"help {word}")


def test_pages(sh, vswitch):
    for _ in range(12):
        sh.ok("eni", "create", vswitch)
    every = sh.json("eni", "list", "--v-switch-id", vswitch)
    TAP.equal(len(every["NetworkInterfaceSets"]["NetworkInterfaceSet"]), 13, "a list is whole")
    some = sh.json("eni", "list", "MaxResults=5")
    TAP.ok(len(some["NetworkInterfaceSets"]["NetworkInterfaceSet"]) == 5 and some["NextToken"], "or one page")
    more = sh.json("eni", "list", "MaxResults=5", f"NextToken={some['NextToken']}")
    TAP.equal(len(more["NetworkInterfaceSets"]["NetworkInterfaceSet"]), 5, "and the next")


def test_map(sh, vswitch):
    drawn = sh.ok("map", vswitch)
    TAP.ok(re.search(r"^ 10\.  0\.  1\.  0  RPss", drawn, re.M) and drawn.count("R") >= 4 and
           all(len(line) <= 84 for line in drawn.splitlines()), "the map", drawn)
    as_json = sh.json("map", vswitch)
    TAP.equal((as_json["Secondary"], as_json["Reserved"]),
              (["10.0.1.2", "10.0.1.3"], ["10.0.1.0", "10.0.1.253", "10.0.1.254", "10.0.1.255"]), "as JSON")
    before = sh.json("--as-of", "4", "map", vswitch)
    TAP.equal((before["Primary"], before["Secondary"]), (["10.0.1.1"], []), "as of the past")
    status("of nothing", sh.run("map", "vsw-nothing"), 1, "InvalidVSwitchId.NotFound")
    sh.ok("call", "ModifyLedgerSettings", "ReuseDelaySeconds=3600")
    sh.ok("release", "10.0.1.3", "--vpc-id", sh.json("vswitch", "show", vswitch)["State"]["VpcId"])
    TAP.equal(sh.json("map", vswitch)["Cooling"], ["10.0.1.3"], "what cools down")
    vpc = sh.json("vpc", "create", "172.16.0.0/12")["VpcId"]
    wide = sh.json("vswitch", "create", vpc, "172.16.0.0/16", "--zone-id", ZONE)["VSwitchId"]
    drawn = sh.ok("map", wide)
    TAP.ok("a cell is 64 addresses" in drawn and len(drawn.splitlines()) <= 24, "a /16 fits a screen", drawn)
    master, slave = pty.openpty()
    with subprocess.Popen([BINARY, "--data", sh.data, "map", vswitch, "--watch"], stdout=slave) as process:
        os.close(slave)
        text = b""
        while b"P primary" not in text:
            text += os.read(master, 65536)
        process.send_signal(2)
        TAP.equal(process.wait(timeout=20), 0, "--watch ends with Ctrl-C")
    os.close(master)
    TAP.ok(b"\033[1;32mP" in text, "colours on a terminal", text)


def test_guest(sh, vswitch):
    instance = sh.json("instance", "run", vswitch, BIG)["InstanceIdSets"]["InstanceIdSet"][0]
    view = sh.json("guest", instance)
    mac, ip = view["Interfaces"][0]["MacAddress"], view["Interfaces"][0]["Addresses"][0]["Address"]
    text = sh.ok("guest", instance)
    TAP.ok(f"link/ether {mac}" in text and f"{ip}/24" in text and "default via 10.0.1.253 dev eth0" in text,
           "the guest's view", text)
    good = [{"ifname": "lo", "address": "00:00:00:00:00:00",
             "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host"}]},
            {"ifname": "eth0", "address": mac,
             "addr_info": [{"family": "inet", "local": ip, "prefixlen": 24, "scope": "global"}]}]
    status("a guest that agrees", sh.run("check-guest", instance, stdin=json.dumps(good)), 0, "agree")
    good[1]["addr_info"].append({"family": "inet", "local": "10.9.9.9", "prefixlen": 24, "scope": "global"})
    done = sh.run("check-guest", instance, "-", stdin=json.dumps(good))
    status("a stray address", done, 1, "UnknownToLedger  10.9.9.9")
    differences = json.loads(sh.run("-o", "json", "check-guest", instance, stdin=json.dumps(good)).stdout)
    TAP.equal(differences["Agrees"], False, "as JSON")
    status("what is no JSON", sh.run("check-guest", instance, stdin="eth0: up"), 1, "ip -j addr")
    status("a file that is not there", sh.run("check-guest", instance, "/nonexistent"), 3)
    status("a guest of nothing", sh.run("guest", "i-nothing"), 1, "InvalidInstanceId.NotFound")


def test_export(sh, server):
    lines = [json.loads(line) for line in sh.ok("export", "jsonl").splitlines()]
    TAP.equal(lines, sh.json("log")["Events"], "export jsonl: every event, one a line")
    TAP.equal([e["Seq"] for e in map(json.loads, sh.ok("export", "jsonl", "--from", "5", "--to", "7").splitlines())],
              [5, 6, 7], "or a range")
    rows = list(csv.DictReader(io.StringIO(sh.ok("--as-of", "4", "export", "csv"))))
    TAP.equal([(r["Address"], r["Kind"]) for r in rows], [("10.0.1.1", "PrimaryPrivate"), ("198.18.0.1", "PublicIp")],
              "export csv: who held what, then")
    rows = list(csv.DictReader(io.StringIO(sh.ok("export", "csv"))))
    for row in rows:
        scope = ["--vpc-id", row["VpcId"]] if row["VpcId"] else []
        holding = sh.json("show", row["Address"], *scope)["Holdings"]
        if row["Kind"] not in [h["Kind"] for h in holding]:
            TAP.ok(False, f"{row} is not so", holding)
    counts = sh.json("status")["Counts"]
    TAP.equal([sum(r["Kind"] == kind for r in rows) for kind in ("PrimaryPrivate", "Eip", "Ipv6")],
              [counts["NetworkInterface"], counts["Eip"], counts["Ipv6Address"]], "as many as there are")
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "out")
        sh.ok("export", "jsonl", "--file", target)
        with open(target, encoding="utf-8") as file:
            TAP.equal(len(file.readlines()), len(lines), "into a file")
        status("into nowhere", sh.run("export", "jsonl", "--file", os.path.join(folder, "no", "x")), 3)
        TAP.equal(os.listdir(folder), ["out"], "nothing is left beside it")
    status("export of what is no format", sh.run("export", "xml"), 2)


def test_backup(sh, server):
    with tempfile.TemporaryDirectory() as folder:
        copy, again = os.path.join(folder, "copy"), os.path.join(folder, "again")
        made = sh.json("backup", copy)
        head = sh.json("status")
        TAP.equal((made["HeadSeq"], made["HeadRoot"]), (head["HeadSeq"], head["HeadRoot"]), "backup beside a server")
        TAP.equal(sorted(os.listdir(copy)), ["log.mdb"], "holds the log and nothing else")
        there = Shell(again)
        there.ok("restore", copy)
        TAP.equal(there.json("call", "DescribeNetworkInterfaces", "MaxResults=1000")["NetworkInterfaceSets"],
                  sh.json("call", "DescribeNetworkInterfaces", "MaxResults=1000")["NetworkInterfaceSets"],
                  "what is restored is the same")
        other = Server(data=again)
        TAP.equal(there.json("status")["LedgerId"], head["LedgerId"], "and can be served")
        other.stop()
        status("restore over a ledger", there.run("restore", copy), 1, "holds a ledger already")
        status("backup over a backup", sh.run("backup", copy), 1, "holds a ledger already")
        status("restore of nothing", Shell(os.path.join(folder, "x")).run("restore", folder), 3)
        with open(os.path.join(copy, "log.mdb"), "r+b") as file:
            content = file.read()
            file.seek(0)
            file.write(content.replace(b"ticket 4711", b"ticket 4712"))
        bad = Shell(os.path.join(folder, "bad"))
        status("restore of a damaged backup", bad.run("restore", copy), 4, "verify")
        TAP.ok(not os.path.exists(bad.data), "leaves nothing behind")


def test_completion(sh):
    for shell in ("bash", "zsh", "fish"):
        script = sh.ok("completion", shell)
        TAP.ok("DescribeNetworkInterfaces" in script and "disassociate" in script, f"completion {shell}", script[:200])
    ask = ("source <({} completion bash); COMP_WORDS=({}); COMP_CWORD={}; _ipledger; echo ${{COMPREPLY[@]}}")
    for words, wanted in ((["ipledger", "dis"], "disassociate"), (["ipledger", "-o", "ya"], "yaml"),
                          (["ipledger", "--data", "x", "vpc", "cre"], "create"),
                          (["ipledger", "call", "AllocateE"], "AllocateEipAddress"),
                          (["ipledger", "export", "js"], "jsonl"), (["ipledger", "assign", "--ipv"], "--ipv6")):
        done = subprocess.run(["bash", "-c", ask.format(BINARY, " ".join(words), len(words) - 1)], capture_output=True,
                              text=True, timeout=30, check=False)
        TAP.equal(done.stdout.strip(), wanted, f"{' '.join(words)}<TAB>")


def test_bench(sh):
    before = sh.json("status")["Counts"]
    done = sh.json("bench", "--mix", "mixed", "--writes", "--seconds", "1", "--connections", "2", "--in-flight", "3")
    after = sh.json("status")
    TAP.ok(done["Done"] > 20 and done["Refused"] == 0 and done["Events"] == done["Done"] and
           0 < done["P50Microseconds"] <= done["P99Microseconds"] <= done["MaxMicroseconds"], "bench mixed", done)
    TAP.equal(after["Counts"], before, "and nothing of it stays but events")
    for mix in ("read", "past", "lookup", "lookup-past", "ping"):
        done = sh.json("bench", "--mix", mix, "--seconds", "1", "--connections", "1")
        TAP.ok(done["Done"] > 20 and done["Refused"] == 0, f"bench {mix}", done)
    TAP.equal(sh.json("status")["HeadSeq"], after["HeadSeq"], "reads append nothing")
    TAP.ok("p99.9" in sh.ok("bench", "--mix", "ping", "--seconds", "1"), "in words")
    status("bench that writes", sh.run("bench", "--mix", "mixed"), 2, "--writes")
    status("bench of nothing", sh.run("bench", "--socket", "/nonexistent"), 3)


def main():
    server = Server()
    sh = Shell(server.data)
    vpc, vswitch, instance = build(sh)
    test_verbs(sh, vpc, vswitch, instance)
    test_outputs(sh, vpc, vswitch, instance)
    test_pages(sh, vswitch)
    test_map(sh, vswitch)
    test_guest(sh, vswitch)
    test_export(sh, server)
    test_backup(sh, server)
    test_completion(sh)
    test_bench(sh)
    server.remove()
    TAP.end()


main()
