#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: every command that the program lists; a row for each (the test fails without one).
Claimed: what is done exits 0; what is refused, or not found, exits 1 and says the code and the value; wrong words exit 2
and say how the command is used; a ledger that is not there exits 3. Said is it on standard error, asked for on standard
output. With -o json that is one document with these members, with -o yaml the same document, with -o csv the rows of its
list or its members; what a read prints is what the native door answers. Each verb of a noun does what the help says it
does. Each command has its help, its manual page, and is completed by the shells."""
import csv
import io
import json
import os
import subprocess
import tempfile

import yaml

from ledger import BINARY, Net, Server, Tap, as_ip_addr

TAP = Tap()
JSON, TEXT, NONE = "json", "text", "none"  # what it prints with -o json

# command: (what it prints with -o json, members of that,
#           words that are done, words that are refused and how what is said begins (None: nothing refuses it), wrong words)
ROWS = {
    "assign": (JSON, ["AssignedPrivateIpAddressesSet"], "assign {eni} --count 1", ("assign eni-nothing", "InvalidEniId.NotFound: NetworkInterface eni-nothing "), "assign"),
    "associate": (JSON, ["RequestId", "Seq"], "associate {eip} {eni}", ("associate {eip} eni-nothing", "InvalidNicOrVm.NotFound: NetworkInterface eni-nothing "), "associate {eip}"),
    "backup": (JSON, ["HeadSeq", "HeadRoot"], "backup {folder}/backup", ("backup {folder}/backup", "InvalidParameter: {folder}/backup holds a ledger already"), "backup"),
    "bench": (JSON, ["PerSecond", "P99Microseconds", "Refused"], "bench --mix ping --seconds 1 --connections 1",
              None, "bench --mix nothing"),
    "bisect": (JSON, ["Found", "Seq", "Event"], 'bisect --expr exists("{eni}")', ('bisect --expr exists("{gone}")', "ipledger: it holds at neither end"),
               "bisect --expr ("),
    "blame": (JSON, ["Addresses"], "blame {ip}", ("blame vsw-nothing", "InvalidVSwitchId.NotFound: vsw-nothing "), "blame"),
    "call": (JSON, ["Vpcs"], "call DescribeVpcs", ("call DeleteVpc VpcId=vpc-nothing", "InvalidVpcId.NotFound: Vpc vpc-nothing "), "call"),
    "check": (JSON, ["Findings"], "check", None, "check everything"),
    "check-guest": (JSON, ["Agrees"], "check-guest {public} {folder}/guest.json", ("check-guest i-nothing {folder}/guest.json", "InvalidInstanceId.NotFound: i-nothing "),
                    "check-guest"),
    "check-proof": (JSON, ["Head", "Event"], "check-proof {folder}/proof.json", ("check-proof {folder}/bad.json", "InvalidParameter: the proof does not hold: "), "check-proof"),
    "completion": (TEXT, [], "completion bash", None, "completion tcsh"),
    "convert": (JSON, ["AllocationId", "EipAddress"], "convert {public}", ("convert {instance}", "InvalidInstance.IpAddressMissing: {instance} "), "convert"),
    "diff": (JSON, ["Changes"], "diff 1 5", ("diff 1 999999", "InvalidAsOf.Future: To is 999999"), "diff 1"),
    "disassociate": (JSON, ["RequestId", "Seq"], "disassociate {eip}", ("disassociate {free}", "NotFound: nobody holds {free}"), "disassociate"),
    "eip": (JSON, ["EipAddresses"], "eip list", ("eip release eip-nothing", "InvalidAllocationId.NotFound: Eip eip-nothing "), "eip nothing"),
    "eni": (JSON, ["NetworkInterfaceSets"], "eni list", ("eni delete eni-nothing", "InvalidEniId.NotFound: NetworkInterface eni-nothing "), "eni nothing"),
    "export": (TEXT, [], "export csv", ("export dnsmasq vsw-nothing", "NotFound: vsw-nothing "), "export xml"),
    "guest": (JSON, ["Interfaces"], "guest {instance}", ("guest i-nothing", "InvalidInstanceId.NotFound: i-nothing "), "guest"),
    "help": (TEXT, [], "help", None, "help nothing"),
    "history": (JSON, ["History"], "history {ip}", ("history eni-nothing", "NotFound: eni-nothing "), "history"),
    "import": (JSON, ["Done"], "import {folder}/rows.jsonl", ("import {folder}/refused.jsonl", "line 1: InvalidVpcId.NotFound: "), "import"),
    "instance": (JSON, ["Instances"], "instance list", ("instance stop i-nothing", "InvalidInstanceId.NotFound: Instance i-nothing "), "instance nothing"),
    "ipv6": (JSON, ["Ipv6Addresses"], "ipv6 list", ("ipv6 unpublish ipv6-nothing", "InvalidIpv6Instance.NotFound: Ipv6Address ipv6-nothing "), "ipv6 nothing"),
    "ipv6gw": (JSON, ["Ipv6Gateways"], "ipv6gw list", ("ipv6gw delete ipv6gw-nothing", "InvalidIpv6GatewayId.NotFound: Ipv6Gateway ipv6gw-nothing "), "ipv6gw nothing"),
    "keys": (JSON, ["Keys"], "keys list", ("keys remove LTAInothing", "NotFound: there is no key LTAInothing"), "keys nothing"),
    "log": (JSON, ["Events"], "log {eni}", ("log eni-nothing", "NotFound: eni-nothing "), "log {eni} {eni}"),
    "map": (JSON, ["VSwitchId"], "map {vswitch}", ("map vsw-nothing", "InvalidVSwitchId.NotFound: vsw-nothing "), "map"),
    "prove": (JSON, ["Seq", "LeafHash"], "prove 2", ("prove 999999", "InvalidParameter: Seq is 999999"), "prove"),
    "release": (JSON, ["RequestId", "Seq"], "release {spare}", ("release {ip}", "OperationDenied.PrimaryPrivateIp: {ip} "), "release"),
    "replay": (JSON, ["Hash", "Counts"], "replay", None, "replay --to 999999"),
    "restore": (JSON, ["HeadSeq", "HeadRoot"], "--data {folder}/again restore {folder}/backup", ("restore {folder}/backup", "InvalidParameter: {data} holds a ledger already"),
                "restore"),
    "serve": (NONE, [], None, None, "serve --nothing"),
    "show": (JSON, ["Id", "Kind", "State"], "show {eni}", ("show eni-nothing", "NotFound: eni-nothing "), "show"),
    "status": (JSON, ["HeadSeq", "HeadRoot", "Counts"], "status", None, "status of everything"),
    "verify": (JSON, ["Whole", "Head"], "verify", None, "verify --head x"),
    "version": (JSON, ["Version"], "version", None, "version 2"),
    "vpc": (JSON, ["Vpcs"], "vpc list", ("vpc delete vpc-nothing", "InvalidVpcId.NotFound: Vpc vpc-nothing "), "vpc nothing"),
    "vswitch": (JSON, ["VSwitches"], "vswitch list", ("vswitch delete vsw-nothing", "InvalidVSwitchId.NotFound: VSwitch vsw-nothing "), "vswitch nothing"),
    "whatif": (JSON, ["Same", "Otherwise", "Refused"], "whatif --drop {seq}", ("whatif --drop 999999", "InvalidParameter: 999999 "), "whatif"),
}
# Those whose document is what an operation answers, less what is of the call alone.
SAME = {"eip": ("DescribeEipAddresses", {}), "eni": ("DescribeNetworkInterfaces", {}), "instance": ("DescribeInstances", {}),
        "vpc": ("DescribeVpcs", {}), "vswitch": ("DescribeVSwitches", {}), "ipv6": ("DescribeIpv6Addresses", {}),
        "guest": ("GetGuestView", {"InstanceId": "{instance}"}), "log": ("ListEvents", {"Id": "{eni}"}),
        "call": ("DescribeVpcs", {})}
# Said once only: what they changed cannot be changed again, or the file is there.
ONCE = {"assign", "associate", "backup", "convert", "disassociate", "import", "release", "restore"}
# Another one each time, with the members that hold it.
VOLATILE = {"RequestId", "AsOfSeq", "Milliseconds", "EventsPerSecond"}
UNSTEADY = {"bench", "status"}
# What is printed is a file, JSON in whatever form it is asked for.
FILES = {"prove"}
# No ledger is opened, or the directory is made.
NEEDS_NONE = {"bench", "check-proof", "completion", "help", "keys", "restore", "serve", "version"}
# noun: the words of each verb, in an order in which each can be done. {it} is the id that the first made.
VERBS = {
    "vpc": ["create 10.200.0.0/16", "list", "show {it}", "modify {it} VpcName=x", "add-block {it} 192.168.0.0/16",
            "drop-block {it} 192.168.0.0/16", "delete {it}"],
    "vswitch": ["create {vpc} 10.{net}.9.0/24 ZoneId=cn-hangzhou-a", "list", "show {it}", "modify {it} VSwitchName=x",
                "can-allocate {it} 10.{net}.9.9", "delete {it}"],
    "instance": ["create {vswitch} ecs.g6.large", "run {vswitch} ecs.g6.large", "list", "show {it}", "status {it}", "types", "start {it}",
                 "reboot {it}", "bandwidth {it} 1", "public-ip {made}", "stop {it}", "reach {it}",
                 "bandwidth {it} 0", "move {it} {vswitch2}", "delete {it}"],
    "eni": ["create {vswitch}", "list", "show {it}", "modify {it} NetworkInterfaceName=x", "attach {it} {instance}",
            "detach {it} {instance}", "delete {it}"],
    "eip": ["create", "list", "show {it}", "modify {it} Bandwidth=7", "associate {it} {instance}", "disassociate {it}", "release {it}"],
    "ipv6gw": ["create {vpc}", "list", "show {it}", "delete {it}"],
    "ipv6": ["assign {eni} Ipv6AddressCount=1", "list", "show {ipv6}", "publish {ipv6} 2", "bandwidth {ipv6} 3", "unpublish {ipv6}",
             "unassign {eni} {ipv6 address}"],
}


class Shell:
    def __init__(self, server, names):
        self.server = server
        self.names = names

    def words(self, text):
        return text.format(**self.names).split(" ")

    def run(self, text, *options):
        data = [] if text.startswith("--data") else ["--data", self.server.data]
        return subprocess.run([BINARY, *options, *data, *self.words(text)], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False)


def listed():
    text = subprocess.run([BINARY, "help"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in text.splitlines() if line.startswith("  ") and line[2] != " "]


def prepare(server, folder, net_number):
    """Things of their own to change, in a block of their own, so that an address means one thing."""
    net = Net(server)
    vpc = net.vpc6(f"10.{net_number}.0.0/16")
    vswitch = net.vswitch6(vpc, 1, f"10.{net_number}.0.0/24")
    instance, public = net.run(vswitch)[0], net.run(vswitch, InternetMaxBandwidthOut=1)[0]
    gone = net.eni(vswitch)
    net.call("DeleteNetworkInterface", NetworkInterfaceId=gone)
    names = {"vpc": vpc, "vswitch": vswitch, "instance": instance, "public": public, "eni": net.primary_eni(instance), "gone": gone,
             "spare": net.eni(vswitch), "eip": net.eip()["AllocationId"], "ip": net.primary_ip(instance), "folder": folder,
             "net": net_number, "free": f"10.{net_number}.0.201", "data": server.data,
             "vswitch2": net.vswitch(vpc, f"10.{net_number}.8.0/24"),
             "seq": net.call("ModifyVpcAttribute", VpcId=net.vpc("10.90.0.0/16"), VpcName="x")["Seq"]}
    os.mkdir(folder)

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


def has(document, members):
    return all(member in (document[0] if isinstance(document, list) else document) for member in members)


def steady(document):
    return {key: value for key, value in document.items() if key not in VOLATILE} if isinstance(document, dict) else document


def test_json(sh, name, row):
    """What it printed, for the other forms to be held against."""
    kind, members, done = row[0], row[1], row[2]
    ran = sh.run(done, "-o", "json")
    if not TAP.ok(ran.returncode == 0, f"{name}: {done}", (ran.returncode, ran.stdout[-500:], ran.stderr)):
        return None
    if kind == TEXT:
        TAP.ok(ran.stdout != "", f"{name}: prints")
        return None
    try:
        document = json.loads(ran.stdout)
    except ValueError as error:
        TAP.ok(False, f"{name}: is one document", (str(error), ran.stdout[:500]))
        return None
    TAP.ok(has(document, members), f"{name}: is one document with {members}", document)
    if name in SAME:
        operation, params = SAME[name]
        params = {key: value.format(**sh.names) for key, value in params.items()}
        native = sh.server.client().call(operation, **params)
        TAP.equal({member: document.get(member) for member in members}, {member: native[member] for member in members},
                  f"{name}: is what {operation} answers")
    return document


def unwrapped(value):
    """{"Vpc": [...]} for [...]: how the cloud's lists stand in their answers."""
    alone = next(iter(value.values())) if isinstance(value, dict) and len(value) == 1 else None
    return alone if isinstance(alone, list) else value


def cell(value):
    """As it stands in a cell: what is nested as JSON."""
    value = unwrapped(value)
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def list_of(document):
    """The first member that is no scalar, where that is a list of maps, or the only one of a map."""
    for value in document.values() if isinstance(document, dict) else [document]:
        value = unwrapped(value)
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        if isinstance(value, (dict, list)):
            return None
    return None


def table_of(name, document):
    """The rows that CSV has of what JSON shows."""
    if name == "map":
        uses = [(address, use) for use in ("Primary", "Secondary", "Cooling", "Reserved") for address in document[use]]
        return [["Address", "Use"]] + sorted(map(list, uses), key=lambda row: [int(part) for part in row[0].split(".")])
    items = [document] if name == "bisect" else list_of(document)
    if items is None:
        return [["Name", "Value"]] + [[key, cell(value)] for key, value in document.items()]
    columns = list(dict.fromkeys(key for item in items for key in item))
    return ([columns] if items else []) + [[cell(item.get(column)) for column in columns] for item in items]


def test_yaml(sh, name, row, document):
    ran = sh.run(row[2], "-o", "yaml")
    try:
        read = yaml.safe_load(ran.stdout)
    except yaml.YAMLError as error:
        read = str(error)
    good = isinstance(read, (dict, list)) and has(read, row[1])
    if good and document is not None:
        good = steady(read) == steady(document)
    TAP.ok(ran.returncode == 0 and good, f"{name}: as YAML", (ran.returncode, ran.stdout[:300], read, ran.stderr))


def test_csv(sh, name, row, document):
    ran = sh.run(row[2], "-o", "csv")
    rows = list(csv.reader(io.StringIO(ran.stdout)))
    good = len({len(cells) for cells in rows}) <= 1
    if document is not None:
        changing = [cells for cells in rows if cells[0] not in VOLATILE]
        good = good and changing == [cells for cells in table_of(name, document) if cells[0] not in VOLATILE]
    else:
        good = good and len(rows) > 1 and all(cells[0] != "" for cells in rows)
    TAP.ok(ran.returncode == 0 and good, f"{name}: as CSV", (ran.returncode, ran.stdout[:600], ran.stderr))


def test_table(sh, name, row, document):
    ran = sh.run(row[2])
    if document is not None and list_of(document) is not None and name != "diff":  # which shows members as they are
        TAP.ok('{"' not in ran.stdout, f"{name}: a list is a table", ran.stdout[:500])
    TAP.ok(ran.returncode == 0 and ran.stdout != "" and "\033" not in ran.stdout, f"{name}: for people, without a terminal without colour",
           (ran.returncode, ran.stdout[:300], ran.stderr))


def test_refused(sh, name, row):
    if row[3] is not None:
        words, said = row[3]
        ran = sh.run(words, "-o", "json")
        TAP.ok(ran.returncode == 1 and ran.stderr.startswith(said.format(**sh.names)), f"{name}: refused: {words}: {said}",
               (ran.returncode, ran.stdout[:300], ran.stderr))
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


def rows_of_help(noun):
    """The operation behind each verb."""
    text = subprocess.run([BINARY, "help", noun], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in text.splitlines() if line.startswith(f"  ipledger {noun} ")]
    return {row[2]: row[-1] for row in rows}


def test_verbs(sh, noun):
    """What is changed is an event of the operation that the help names; what is read is its answer."""
    net = Net(sh.server)
    operations = rows_of_help(noun)
    TAP.equal(sorted({words.split()[0] for words in VERBS[noun]}), sorted(operations), f"{noun}: there are words for each verb")
    if noun == "instance":  # made, not run, it has its bandwidth and no address yet
        made = net.call("CreateInstance", VSwitchId=sh.names["vswitch"], InstanceType="ecs.g6.large", InternetMaxBandwidthOut=1)
        sh.names["made"] = made["InstanceId"]
    if noun == "ipv6":
        net.call("CreateIpv6Gateway", VpcId=sh.names["vpc"])
    for words in VERBS[noun]:
        verb = words.split()[0]
        head = net.head()
        ran = sh.run(f"{noun} {words}", "-o", "json")
        if not TAP.ok(ran.returncode == 0, f"{noun} {words}", (ran.returncode, ran.stdout, ran.stderr)):
            continue
        answer = json.loads(ran.stdout)
        if verb in ("list", "status", "types"):
            shown = sh.run(f"{noun} {words}").stdout.splitlines()
            TAP.ok(len(shown) > len(list_of(answer)) > 0 and not any('{"' in line for line in shown), f"{noun} {verb}: a list is a table",
                   shown[:5])
        if "Seq" in answer:
            TAP.equal((answer["Seq"], net.call("GetEvent", Seq=head + 1)["Operation"]), (head + 1, operations[verb]),
                      f"{noun} {verb}: is {operations[verb]}")
        else:
            TAP.ok(net.head() == head and not operations[verb].startswith(("Create", "Delete", "Modify")), f"{noun} {verb}: changes nothing")
        if verb == "create":
            ids = {"vpc": "VpcId", "vswitch": "VSwitchId", "instance": "InstanceId", "eni": "NetworkInterfaceId", "eip": "AllocationId",
                   "ipv6gw": "Ipv6GatewayId"}
            sh.names["it"] = answer[ids[noun]]
        if (noun, verb) == ("ipv6", "assign"):
            mine = [one for one in net.ipv6() if one["AssociatedInstanceId"] == sh.names["instance"]]
            sh.names.update({"ipv6": mine[0]["Ipv6AddressId"], "ipv6 address": mine[0]["Ipv6Address"]})


def main():
    server = Server()
    with tempfile.TemporaryDirectory(prefix="ipledger-commands-") as folder:
        forms = [Shell(server, prepare(server, os.path.join(folder, form), 10 + i))
                 for i, form in enumerate(("json", "yaml", "csv", "table", "verbs"))]
        completions = [subprocess.run([BINARY, "completion", shell], capture_output=True, text=True, check=True).stdout
                       for shell in ("bash", "zsh", "fish")]
        names = listed()
        TAP.equal(sorted(names), sorted(ROWS), "there is a row for each command")
        for name in names:
            row = ROWS[name]
            document = test_json(forms[0], name, row) if row[2] is not None else None
            if row[0] == JSON and name in ONCE:  # each form has its own things to change
                test_yaml(forms[1], name, row, None)
                test_csv(forms[2], name, row, None)
                test_table(forms[3], name, row, None)
            elif row[0] == JSON:
                document = None if name in UNSTEADY else document
                test_yaml(forms[0], name, row, document)
                if name not in FILES:
                    test_csv(forms[0], name, row, document)
                test_table(forms[0], name, row, document)
            test_refused(forms[0], name, row)
            test_help(name, completions)
        for noun in ("vpc", "vswitch", "instance", "eni", "eip", "ipv6gw", "ipv6"):
            test_verbs(forms[4], noun)
    server.remove()
    TAP.end()


main()
