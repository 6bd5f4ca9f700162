#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: every command that the program lists; a row for each (the test fails without one).
Claimed: what is done exits 0; what is refused, or not found, exits 1 and says the code and the value; wrong words exit 2
and say how the command is used; a ledger that is not there exits 3. Said is it on standard error, asked for on standard
output. With -o json that is one document with these members, with -o yaml and -o csv it can be read as such; what a read
prints is what the native door answers. Each command has its help, its manual page, and is completed by the shells."""
import csv
import io
import json
import os
import subprocess
import tempfile

from ledger import BINARY, Net, Server, Tap, as_ip_addr

TAP = Tap()
JSON, TEXT, NONE = "json", "text", "none"  # what it prints with -o json

# command: (what it prints with -o json, members of that,
#           words that are done, words that are refused and what is said (None: nothing refuses it), wrong words (None: none are))
ROWS = {
    "assign": (JSON, ["AssignedPrivateIpAddressesSet"], "assign {eni} --count 1", ("assign eni-nothing", "NotFound"), "assign"),
    "associate": (JSON, ["RequestId", "Seq"], "associate {eip} {eni}", ("associate {eip} eni-nothing", "NotFound"), "associate {eip}"),
    "backup": (JSON, ["HeadSeq", "HeadRoot"], "backup {folder}/backup", ("backup {folder}/backup", "holds a ledger already"), "backup"),
    "bench": (JSON, ["PerSecond", "P99Microseconds", "Refused"], "bench --mix ping --seconds 1 --connections 1",
              None, "bench --mix nothing"),
    "bisect": (JSON, ["Found", "Seq", "Event"], 'bisect --expr exists("{eni}")', ('bisect --expr exists("{gone}")', "it holds at neither end"),
               "bisect --expr ("),
    "blame": (JSON, ["Addresses"], "blame {ip}", ("blame vsw-nothing", "NotFound"), "blame"),
    "call": (JSON, ["Vpcs"], "call DescribeVpcs", ("call DeleteVpc VpcId=vpc-nothing", "InvalidVpcId.NotFound"), "call"),
    "check": (JSON, ["Findings"], "check", None, "check everything"),
    "check-guest": (JSON, ["Agrees"], "check-guest {public} {folder}/guest.json", ("check-guest i-nothing {folder}/guest.json", "NotFound"),
                    "check-guest"),
    "check-proof": (JSON, ["Head", "Event"], "check-proof {folder}/proof.json", ("check-proof {folder}/bad.json", "not"), "check-proof"),
    "completion": (TEXT, [], "completion bash", None, "completion tcsh"),
    "convert": (JSON, ["AllocationId", "EipAddress"], "convert {public}", ("convert {instance}", "InvalidInstance.IpAddressMissing"), "convert"),
    "diff": (JSON, ["Changes"], "diff 1 5", ("diff 1 999999", "999999"), "diff 1"),
    "disassociate": (JSON, ["RequestId", "Seq"], "disassociate {eip}", ("disassociate 10.0.0.201", "nobody holds 10.0.0.201"), "disassociate"),
    "eip": (JSON, ["EipAddresses"], "eip list", ("eip release eip-nothing", "NotFound"), "eip nothing"),
    "eni": (JSON, ["NetworkInterfaceSets"], "eni list", ("eni delete eni-nothing", "NotFound"), "eni nothing"),
    "export": (TEXT, [], "export csv", ("export dnsmasq vsw-nothing", "vsw-nothing"), "export xml"),
    "guest": (JSON, ["Interfaces"], "guest {instance}", ("guest i-nothing", "NotFound"), "guest"),
    "help": (TEXT, [], "help", None, "help nothing"),
    "history": (JSON, ["History"], "history {ip}", ("history eni-nothing", "eni-nothing"), "history"),
    "import": (JSON, ["Done"], "import {folder}/rows.jsonl", ("import {folder}/refused.jsonl", "InvalidVpcId.NotFound"), "import"),
    "instance": (JSON, ["Instances"], "instance list", ("instance stop i-nothing", "NotFound"), "instance nothing"),
    "ipv6": (JSON, ["Ipv6Addresses"], "ipv6 list", ("ipv6 unpublish ipv6bw-nothing", "NotFound"), "ipv6 nothing"),
    "ipv6gw": (JSON, ["Ipv6Gateways"], "ipv6gw list", ("ipv6gw delete ipv6gw-nothing", "NotFound"), "ipv6gw nothing"),
    "keys": (JSON, ["Keys"], "keys list", ("keys remove LTAInothing", "LTAInothing"), "keys nothing"),
    "log": (JSON, ["Events"], "log {eni}", ("log eni-nothing", "eni-nothing"), "log {eni} {eni}"),
    "map": (JSON, ["VSwitchId"], "map {vswitch}", ("map vsw-nothing", "NotFound"), "map"),
    "prove": (JSON, ["Seq", "LeafHash"], "prove 2", ("prove 999999", "999999"), "prove"),
    "release": (JSON, ["RequestId", "Seq"], "release {spare}", ("release {ip}", "OperationDenied.PrimaryPrivateIp"), "release"),
    "replay": (JSON, ["Hash", "Counts"], "replay", None, "replay --to 999999"),
    "restore": (JSON, ["HeadSeq", "HeadRoot"], "--data {folder}/again restore {folder}/backup", ("restore {folder}/backup", "holds a ledger already"),
                "restore"),
    "serve": (NONE, [], None, None, "serve --nothing"),
    "show": (JSON, ["Id", "Kind", "State"], "show {eni}", ("show eni-nothing", "NotFound"), "show"),
    "status": (JSON, ["HeadSeq", "HeadRoot", "Counts"], "status", None, "status of everything"),
    "verify": (JSON, ["Whole", "Head"], "verify", None, "verify --head x"),
    "version": (JSON, ["Version"], "version", None, "version 2"),
    "vpc": (JSON, ["Vpcs"], "vpc list", ("vpc delete vpc-nothing", "InvalidVpcId.NotFound"), "vpc nothing"),
    "vswitch": (JSON, ["VSwitches"], "vswitch list", ("vswitch delete vsw-nothing", "NotFound"), "vswitch nothing"),
    "whatif": (JSON, ["Same", "Otherwise", "Refused"], "whatif --drop {seq}", ("whatif --drop 999999", "999999"), "whatif"),
}
# Those whose document is what an operation answers, less what is of the call alone.
SAME = {"eip": ("DescribeEipAddresses", {}), "eni": ("DescribeNetworkInterfaces", {}), "instance": ("DescribeInstances", {}),
        "vpc": ("DescribeVpcs", {}), "vswitch": ("DescribeVSwitches", {}), "ipv6": ("DescribeIpv6Addresses", {}),
        "guest": ("GetGuestView", {"InstanceId": "{instance}"}), "log": ("ListEvents", {"Id": "{eni}"}),
        "call": ("DescribeVpcs", {})}
# No ledger is opened, or the directory is made.
NEEDS_NONE = {"bench", "check-proof", "completion", "help", "keys", "restore", "serve", "version"}


class Shell:
    def __init__(self, server, names):
        self.server = server
        self.names = names

    def words(self, text):
        return [word.format(**self.names) for word in text.split(" ")]

    def run(self, text, *options):
        data = [] if text.startswith("--data") else ["--data", self.server.data]
        return subprocess.run([BINARY, *options, *data, *self.words(text)], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False)


def listed():
    text = subprocess.run([BINARY, "help"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in text.splitlines() if line.startswith("  ") and line[2] != " "]


def prepare(server, folder):
    net = Net(server)
    vswitch = net.vswitch(net.vpc())
    instance, public = net.run(vswitch)[0], net.run(vswitch, InternetMaxBandwidthOut=1)[0]
    gone = net.eni(vswitch)
    net.call("DeleteNetworkInterface", NetworkInterfaceId=gone)
    names = {"vswitch": vswitch, "instance": instance, "public": public, "eni": net.primary_eni(instance), "gone": gone,
             "spare": net.eni(vswitch), "eip": net.eip()["AllocationId"], "ip": net.primary_ip(instance), "folder": folder,
             "seq": net.call("ModifyVpcAttribute", VpcId=net.vpc("10.9.0.0/16"), VpcName="x")["Seq"]}

    def put(name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def ledger(*words):
        return subprocess.run([BINARY, "--data", server.data, *words], capture_output=True, text=True, check=True).stdout

    proof = ledger("-o", "json", "prove", "2")
    put("proof.json", proof)
    put("bad.json", proof.replace('"Seq": 2', '"Seq": 3'))
    put("rows.jsonl", '{"Operation": "CreateVpc", "Params": {"CidrBlock": "10.7.0.0/16"}}\n')
    put("refused.jsonl", '{"Operation": "DeleteVpc", "Params": {"VpcId": "vpc-nothing"}}\n')
    put("guest.json", json.dumps(as_ip_addr(net.call("GetGuestView", InstanceId=public))))
    return names


def read_yaml(text):
    """As far as it must be a document: each line is a member or an element, and is indented by twos."""
    lines = [line for line in text.splitlines() if line.strip()]
    return all((len(line) - len(line.lstrip(" "))) % 2 == 0 and (":" in line or line.lstrip().startswith("-") or line.strip() in "{}[]")
               for line in lines) and len(lines) > 0


def test_done(sh, name, row):
    kind, members, done = row[0], row[1], row[2]
    ran = sh.run(done, "-o", "json")
    if not TAP.ok(ran.returncode == 0, f"{name}: {done}", (ran.returncode, ran.stdout[-500:], ran.stderr)):
        return
    if kind == TEXT:
        TAP.ok(ran.stdout != "", f"{name}: prints")
        return
    try:
        document = json.loads(ran.stdout)
        missing = [member for member in members if member not in (document if isinstance(document, dict) else document[0])]
        TAP.equal(missing, [], f"{name}: is one document with {members}")
    except ValueError as error:
        TAP.ok(False, f"{name}: is one document", (str(error), ran.stdout[:500]))
        return
    if name in SAME:
        operation, params = SAME[name]
        params = {key: value.format(**sh.names) for key, value in params.items()}
        native = sh.server.client().call(operation, **params)
        for own in ("RequestId", "AsOfSeq"):
            native.pop(own, None)
            document.pop(own, None)
        TAP.ok(all(document.get(key) == value for key, value in native.items() if key in members),
               f"{name}: is what {operation} answers", (document, native))


def test_forms(sh, name, row):
    """Reads again, in the other forms: what is changed is changed already, and a proof is JSON."""
    if row[0] != JSON or name in ("backup", "restore", "prove", "convert", "release", "disassociate", "import", "bench", "assign", "associate"):
        return
    ran = sh.run(row[2], "-o", "yaml")
    TAP.ok(ran.returncode == 0 and read_yaml(ran.stdout), f"{name}: as YAML", (ran.returncode, ran.stdout[:300], ran.stderr))
    ran = sh.run(row[2], "-o", "csv")
    rows = list(csv.reader(io.StringIO(ran.stdout)))
    TAP.ok(ran.returncode == 0 and rows and len({len(row) for row in rows}) == 1, f"{name}: as CSV, each row as long as the first",
           (ran.returncode, ran.stdout[:300], ran.stderr))
    ran = sh.run(row[2])
    TAP.ok(ran.returncode == 0 and "\033" not in ran.stdout, f"{name}: as a table, without a terminal without colour",
           (ran.returncode, ran.stdout[:300], ran.stderr))


def test_refused(sh, name, row):
    if row[3] is not None:
        words, said = row[3]
        ran = sh.run(words, "-o", "json")
        TAP.ok(ran.returncode == 1 and said in ran.stderr, f"{name}: refused: {words}: {said}", (ran.returncode, ran.stdout[:300], ran.stderr))
    ran = sh.run(row[4])
    TAP.ok(ran.returncode == 2 and ran.stdout == "" and ("usage:" in ran.stderr or f"ipledger {name} " in ran.stderr), f"{name}: wrong words: {row[4]}",
           (ran.returncode, ran.stdout[:300], ran.stderr))
    if name not in NEEDS_NONE:
        words = row[2].replace("{folder}/backup", "{folder}/elsewhere")
        ran = subprocess.run([BINARY, "--data", "/nonexistent/ledger", *sh.words(words)], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=60, check=False)
        TAP.ok(ran.returncode == 3 and "/nonexistent/ledger" in ran.stderr, f"{name}: no ledger there",
               (ran.returncode, ran.stdout[:300], ran.stderr))


def test_help(name, completions):
    ran = subprocess.run([BINARY, "help", name], capture_output=True, text=True, check=False)
    TAP.ok(ran.returncode == 0 and f"usage: ipledger {name}" in ran.stdout, f"{name}: help")
    page = subprocess.run([BINARY, "help", "--man", f"ipledger-{name}"], capture_output=True, text=True, check=False)
    TAP.ok(page.returncode == 0 and ".SH" in page.stdout, f"{name}: a manual page")
    TAP.ok(all(name in script for script in completions), f"{name}: is completed")


def main():
    server = Server()
    with tempfile.TemporaryDirectory(prefix="ipledger-commands-") as folder:
        sh = Shell(server, prepare(server, folder))
        completions = [subprocess.run([BINARY, "completion", shell], capture_output=True, text=True, check=True).stdout
                       for shell in ("bash", "zsh", "fish")]
        names = listed()
        TAP.equal(sorted(names), sorted(ROWS), "there is a row for each command")
        for name in names:
            row = ROWS[name]
            if row[2] is not None:
                test_done(sh, name, row)
                test_forms(sh, name, row)
            test_refused(sh, name, row)
            test_help(name, completions)
    server.remove()
    TAP.end()


main()
