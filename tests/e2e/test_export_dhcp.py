#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: networks in a ledger, and `export dnsmasq` and `export kea`.
Claimed: each network interface is there once, with its primary address, mask, gateway and DNS, in the order of addresses; of
everything, a VPC or a vSwitch, now or then; what cannot be served is refused; dnsmasq and Kea take what is written."""
import json
import os
import re
import shutil
import subprocess
import tempfile

from ledger import BIG, BINARY, Net, Server, Tap

TAP = Tap()


def run(data, *words):
    return subprocess.run([BINARY, "--data", data, *words], capture_output=True, text=True, timeout=60, check=False)


def export(data, *words, before=()):
    done = run(data, *before, "export", *words)
    if done.returncode != 0:
        raise AssertionError((words, done))
    return done.stdout


def status(done, wanted, text, name):
    TAP.ok(done.returncode == wanted and text in done.stderr and done.stdout == "", f"{name}: exit status {wanted}",
           (done.returncode, done.stdout, done.stderr))


def accepted(name, program, *words, env=None):
    """The server itself reads the configuration."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if path is None:
        TAP.ok(True, f"{name} # SKIP {program} is not installed")
        return
    done = subprocess.run([path, *words], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **(env or {})})
    TAP.ok(done.returncode == 0, name, (done.stdout, done.stderr))


def build(net):
    """Two VPCs, vSwitches of other masks, interfaces made out of the order of addresses."""
    made = {"vpc": net.vpc("10.0.0.0/16"), "other": net.vpc("10.8.0.0/16")}
    made["high"] = net.vswitch(made["vpc"], "10.0.2.0/25")
    made["low"] = net.vswitch(made["vpc"], "10.0.1.0/24")
    made["far"] = net.vswitch(made["other"], "10.8.0.0/20")
    made["late"] = net.eni(made["low"], PrimaryIpAddress="10.0.1.200")
    made["early"] = net.eni(made["low"], PrimaryIpAddress="10.0.1.9")
    made["i"] = net.run(made["low"], InstanceType=BIG)[0]
    made["j"] = net.run(made["far"])[0]
    made["before"] = net.head()
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=made["early"], SecondaryPrivateIpAddressCount=2)
    net.call("AttachNetworkInterface", NetworkInterfaceId=made["early"], InstanceId=made["i"])
    return made


def expected(net, vswitches, seq=None):
    """(MAC, address, name) of each interface there, by the lists alone."""
    found = []
    for vswitch in vswitches:
        as_of = {} if seq is None else {"AsOf": seq}
        result = net.call("DescribeNetworkInterfaces", VSwitchId=vswitch, **as_of)
        for eni in result["NetworkInterfaceSets"]["NetworkInterfaceSet"]:
            name = eni["InstanceId"] if eni["Type"] == "Primary" else ""
            address = eni["PrivateIpAddress"]
            found.append((tuple(map(int, address.split("."))), eni["MacAddress"], address, name))
    return [row[1:] for row in sorted(found)]


def dnsmasq_hosts(text):
    return [(m, a, n or "") for m, a, n in re.findall(r"^dhcp-host=([^,]*),([^,\n]*),?(.*)$", text, re.M)]


def kea_hosts(text):
    return [(r["hw-address"], r["ip-address"], r.get("hostname", "")) for s in json.loads(text)["Dhcp4"]["subnet4"]
            for r in s["reservations"]]


def test_content(data, net, made):
    text = export(data, "dnsmasq")
    everything = expected(net, (made["low"], made["high"], made["far"]))
    TAP.equal(len(everything), 4, "four interfaces are there")
    TAP.equal(dnsmasq_hosts(text), everything, "dnsmasq: all interfaces, in the order of addresses")
    TAP.equal(re.findall(r"^dhcp-range=(.*)$", text, re.M),
              [f"set:{made['low']},10.0.1.0,static,255.255.255.0,3600s",
               f"set:{made['high']},10.0.2.0,static,255.255.255.128,3600s",
               f"set:{made['far']},10.8.0.0,static,255.255.240.0,3600s"], "a range for each vSwitch, with its mask")
    TAP.equal(re.findall(r"^dhcp-option=tag:(.*),option:router,(.*)$", text, re.M),
              [(made["low"], "10.0.1.253"), (made["high"], "10.0.2.125"), (made["far"], "10.8.15.253")],
              "a gateway for each vSwitch")
    TAP.equal(set(re.findall(r"option:dns-server,(.*)$", text, re.M)), {"100.100.2.136,100.100.2.138"}, "DNS")
    TAP.ok("set:" not in "".join(line for line in text.splitlines() if line.startswith("dhcp-host")),
           "no host sets a tag", text)
    TAP.ok("port=0\n" in text and "dhcp-ignore=tag:!known\n" in text, "no DNS, no strangers", text)
    TAP.equal(export(data, "dnsmasq"), text, "the same again")

    kea = export(data, "kea")
    TAP.equal(kea_hosts(kea), everything, "kea: the same interfaces")
    subnets = json.loads(kea)["Dhcp4"]["subnet4"]
    TAP.equal([(s["subnet"], s["id"], s["pools"], [o["data"] for o in s["option-data"]],
                s["user-context"]["VSwitchId"]) for s in subnets],
              [("10.0.1.0/24", 0x0a000100, [], ["10.0.1.253", "100.100.2.136, 100.100.2.138"], made["low"]),
               ("10.0.2.0/25", 0x0a000200, [], ["10.0.2.125", "100.100.2.136, 100.100.2.138"], made["high"]),
               ("10.8.0.0/20", 0x0a080000, [], ["10.8.15.253", "100.100.2.136, 100.100.2.138"], made["far"])],
              "kea: subnets without pools, numbered by their address")
    TAP.equal(json.loads(kea)["Dhcp4"]["interfaces-config"]["interfaces"], ["*"], "everywhere")
    TAP.equal([made["late"] in kea, made["i"] in kea], [True, True], "who it is, for who reads it")


def test_scope(data, net, made):
    for hosts, name in ((dnsmasq_hosts, "dnsmasq"), (kea_hosts, "kea")):
        TAP.equal(hosts(export(data, name, made["vpc"])), expected(net, (made["low"], made["high"])), f"{name}: a VPC")
        TAP.equal(hosts(export(data, name, made["far"])), expected(net, (made["far"],)), f"{name}: a vSwitch")
        TAP.equal(hosts(export(data, name, made["high"])), [], f"{name}: a vSwitch without interfaces")
        TAP.equal(hosts(export(data, name, made["low"], before=("--as-of", "6"))),
                  expected(net, (made["low"],), seq=6), f"{name}: --as-of, a vSwitch that was empty")
        then = export(data, name, before=("--as-of", str(made["before"])))
        TAP.equal(hosts(then), expected(net, (made["low"], made["high"], made["far"]), seq=made["before"]),
                  f"{name}: --as-of")
        TAP.ok(re.search(rf"(as of event|\"AsOfSeq\":) {made['before']}\b", then), f"{name}: it says of when it is",
               then)
        text = export(data, name, "--interface", "br-lan", "--interface=eth1.7", "--dns", "10.0.0.53")
        TAP.ok("br-lan" in text and "eth1.7" in text and "10.0.0.53" in text and "100.100" not in text,
               f"{name}: --interface and --dns", text)
        status(run(data, "export", name, "vsw-nothing"), 1, "NotFound", f"{name} of nothing")
        status(run(data, "export", name, made["i"]), 1, "neither a VPC nor a vSwitch", f"{name} of an instance")


def test_binded(data, net):
    """An EIP that is seen in the guest takes the place of the primary address."""
    vswitch = net.vswitch(net.vpc("10.20.0.0/16"), "10.20.0.0/24")
    instance = net.run(vswitch, InstanceType=BIG)[0]
    eni, usual = net.eni(vswitch), net.eni(vswitch)
    for interface, mode in ((eni, "BINDED"), (usual, "NAT")):
        eip = net.eip()["AllocationId"]
        net.call("AssociateEipAddress", AllocationId=eip, InstanceId=interface, InstanceType="NetworkInterface", Mode=mode)
        net.call("AttachNetworkInterface", NetworkInterfaceId=interface, InstanceId=instance)
    by_dhcp = [(n["MacAddress"], a["Address"]) for n in net.call("GetGuestView", InstanceId=instance)["Interfaces"]
               for a in n["Addresses"] if a["Configure"] == "Dhcp"]
    TAP.equal(len(by_dhcp), 2, "two of three have their address by DHCP")
    for hosts, name in ((dnsmasq_hosts, "dnsmasq"), (kea_hosts, "kea")):
        TAP.equal([h[:2] for h in hosts(export(data, name, vswitch))], sorted(by_dhcp, key=lambda x: x[1]),
                  f"{name}: what the guest's view has by DHCP, and nothing else")


def test_refused(data, net, made):
    twin = net.vpc("10.0.0.0/16")
    twins = net.vswitch(twin, "10.0.1.128/25")
    for name in ("dnsmasq", "kea"):
        done = run(data, "export", name)
        status(done, 1, "overlap", f"{name} of two VPCs with the same addresses")
        TAP.ok(twins in done.stderr and made["low"] in done.stderr, f"{name}: it names them", done.stderr)
        TAP.equal(run(data, "export", name, twin).returncode, 0, f"{name}: one of them can be had")
    for words, text in ((["dnsmasq", "--interface", "a b"], "--interface"), (["kea", "--interface", 'a"b'], "--interface"),
                        (["kea", "--interface", "x" * 16], "--interface"), (["kea", "--interface"], "--interface"),
                        (["dnsmasq", "--dns", "dns.example"], "--dns"), (["kea", "--dns"], "--dns"),
                        (["kea"] + ["--dns=10.0.0.1"] * 17, "16 at most"),
                        (["kea", "--dir", "x"], "--dir"), (["jsonl", "--dir", "x"], "--dir"),
                        (["dnsmasq", "--dir", "x", "--file", "y"], "--file"), (["dnsmasq", "--dir", ""], "--dir"),
                        (["dnsmasq", "--from", "1"], "--as-of"), (["kea", "--to", "1"], "--as-of"),
                        (["csv", "--from", "1"], "--as-of"), (["csv", "--dns", "10.0.0.1"], "dnsmasq and kea"),
                        (["jsonl", "vpc-1"], "dnsmasq and kea"), (["kea", "vpc-1", "vpc-2"], "too many"),
                        (["kea", "--frobnicate"], "no option"), (["kea", "--file", ""], "--file"), ([], "export what")):
        done = run(data, "export", *words)
        status(done, 2, text, f"export {' '.join(words)[:40]}")
        TAP.ok("usage: ipledger export" in done.stderr, "and how it is used is said", done.stderr)
    status(run("/nonexistent/ledger", "export", "kea"), 3, "", "export of no ledger")
    status(run(data, "export", "dnsmasq", made["vpc"], "--dir", "/nonexistent/x/y"), 3, "/nonexistent/x/y",
           "into nowhere")


def test_files(data, made):
    with tempfile.TemporaryDirectory() as folder:
        export(data, "dnsmasq", made["vpc"], "--dir", os.path.join(folder, "new"))
        parts = {name: os.path.join(folder, "new", "dnsmasq." + name) for name in ("conf", "hosts", "options")}
        TAP.equal(sorted(os.listdir(os.path.join(folder, "new"))), sorted("dnsmasq." + n for n in parts),
                  "--dir: three files, nothing beside them")
        text = {}
        for name, path in parts.items():
            with open(path, encoding="utf-8") as file:
                text[name] = file.read()
        one = export(data, "dnsmasq", made["vpc"])
        TAP.equal(["dhcp-host=" + line for line in text["hosts"].splitlines()],
                  [line for line in one.splitlines() if line.startswith("dhcp-host=")], "the same hosts")
        TAP.equal(["dhcp-option=" + line for line in text["options"].splitlines()],
                  [line for line in one.splitlines() if line.startswith("dhcp-option=")], "the same options")
        TAP.ok(f"dhcp-hostsfile={parts['hosts']}\n" in text["conf"] and f"dhcp-optsfile={parts['options']}\n" in
               text["conf"] and "dhcp-host=" not in text["conf"], "named by the third", text["conf"])
        blank = os.path.join(folder, "a b")
        status(run(data, "export", "dnsmasq", made["vpc"], "--dir", blank), 3, "blank", "--dir with a blank")
        TAP.equal(os.listdir(blank), [], "and nothing is written")
        target = os.path.join(folder, "kea.conf")
        export(data, "kea", made["vpc"], "--file", target)
        one = os.path.join(folder, "one.conf")
        export(data, "dnsmasq", made["vpc"], "--file", one)
        accepted("dnsmasq takes the one file", "dnsmasq", "--test", "-C", one)
        accepted("dnsmasq takes the three", "dnsmasq", "--test", "-C", parts["conf"])
        accepted("kea takes its file", "kea-dhcp4", "-t", target,
                 env={"KEA_PIDFILE_DIR": folder, "KEA_LOCKFILE_DIR": folder})


def main():
    server = Server()
    net = Net(server)
    made = build(net)
    test_content(server.data, net, made)
    test_scope(server.data, net, made)
    test_binded(server.data, net)
    test_refused(server.data, net, made)
    test_files(server.data, made)
    server.stop()
    TAP.equal(len(dnsmasq_hosts(export(server.data, "dnsmasq", made["vpc"]))), 3, "without a server too")
    server.remove()
    TAP.end()


main()
