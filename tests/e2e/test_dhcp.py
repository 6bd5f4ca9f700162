#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: an instance in a ledger, a guest in a network namespace, and a DHCP server (dnsmasq, then Kea) in another, run by
what `export` writes.
Claimed: the guest gets its primary address, mask and gateway; `ip -j addr | ipledger check-guest` agrees with that; it says
what is missing when a secondary address was assigned, until it is configured; a stray address is named with what follows from
it; a MAC address that the ledger does not know gets nothing; after another export and SIGHUP the guest gets its new address.
Everything it types, and what comes of it, is printed as a comment."""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from ledger import BINARY, Net, Server, Tap, end, skip, wait_until

TAP = Tap()
NAMES = {"server": f"ipl{os.getpid()}s", "guest": f"ipl{os.getpid()}g"}
LINK = "ipl-lan0"
TOOLS = {}

UDHCPC_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr replace "$ip/$mask" dev "$interface"
ip route replace default via "$router" dev "$interface"
echo "$ip/$mask via $router dns $dns name $hostname" >"$LEASE"
"""
DHCLIENT_SCRIPT = """#!/bin/sh
case $reason in
BOUND | REBOOT)
	ip addr replace "$new_ip_address/$new_subnet_mask" dev "$interface"
	ip route replace default via "$new_routers" dev "$interface"
	echo "$new_ip_address/24 via $new_routers dns $new_domain_name_servers name $new_host_name" >"$LEASE"
	;;
esac
"""


def find(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def say(text):
    for line in text.splitlines():
        print("#", line, flush=True)


def sh(command, wanted=0, shown=None, env=None):
    """Type it, and print it with what it prints, paths and names short."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **(env or {})})
    say("$ " + (shown or command))
    say(done.stdout + done.stderr)
    if wanted is not None and done.returncode != wanted:
        raise AssertionError((command, done))
    return done


def namespaces():
    """Two of them, joined by a cable; gone at the end. Skips where that cannot be had."""
    for name in NAMES.values():
        done = subprocess.run([TOOLS["ip"], "netns", "add", name], capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            skip(f"no network namespace can be made: {done.stderr.strip()}")
        atexit.register(subprocess.run, [TOOLS["ip"], "netns", "del", name], timeout=30, check=False)
    done = subprocess.run([TOOLS["ip"], "link", "add", LINK, "netns", NAMES["server"], "type", "veth", "peer", "name",
                           "eth0", "netns", NAMES["guest"]], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        skip(f"no veth link can be made: {done.stderr.strip()}")
    sh(f"ip -n {NAMES['server']} addr add 10.77.1.253/24 dev {LINK} && ip -n {NAMES['server']} link set {LINK} up",
       shown=f"ip -n server addr add 10.77.1.253/24 dev {LINK}     # as a vSwitch's gateway would")


class Dhcp:
    """A server of its kind in its namespace."""

    def __init__(self, kind, data, folder, vswitch):
        self.kind, self.data, self.folder, self.vswitch = kind, data, folder, vswitch
        self.process = None
        self.log = os.path.join(folder, kind + ".log")

    def write(self):
        where = f"--dir {self.folder}" if self.kind == "dnsmasq" else f"--file {self.folder}/kea.json"
        sh(f"{BINARY} --data {self.data} export {self.kind} {self.vswitch} --interface {LINK} {where}",
           shown=f"ipledger export {self.kind} {self.vswitch} --interface {LINK} "
                 f"{where.replace(self.folder, '/etc/lab')}")

    def start(self):
        command = {"dnsmasq": [TOOLS["dnsmasq"], "-C", f"{self.folder}/dnsmasq.conf", "--keep-in-foreground", "--user=root",
                               "--log-facility=-", "--log-dhcp", f"--pid-file={self.folder}/pid"],
                   "kea": [TOOLS["kea-dhcp4"], "-c", f"{self.folder}/kea.json"]}[self.kind]
        env = {**os.environ, "KEA_PIDFILE_DIR": self.folder, "KEA_LOCKFILE_DIR": self.folder}
        if self.kind == "kea":
            test = subprocess.run([TOOLS["ip"], "netns", "exec", NAMES["server"], TOOLS["kea-dhcp4"], "-t",
                                   f"{self.folder}/kea.json"], capture_output=True, text=True, env=env, timeout=30,
                                  check=False)
            TAP.ok(test.returncode == 0, "kea takes its configuration", test)
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([TOOLS["ip"], "netns", "exec", NAMES["server"], *command], stdout=log,
                                            stderr=log, env=env)
        atexit.register(end, self.process)
        ready = {"dnsmasq": "read .*/dnsmasq.hosts|DHCP, static leases only", "kea": "DHCP4_STARTED"}[self.kind]
        TAP.ok(wait_until(lambda: re.search(ready, self.text())), f"{self.kind} serves", self.text())

    def text(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def reload(self):
        mark = {"dnsmasq": "read .*/dnsmasq.hosts", "kea": "DHCP4_DYNAMIC_RECONFIGURATION_SUCCESS|DHCP4_CONFIG_COMPLETE"}
        before = len(re.findall(mark[self.kind], self.text()))
        self.process.send_signal(signal.SIGHUP)
        say(f"$ kill -HUP {self.kind}")
        TAP.ok(wait_until(lambda: len(re.findall(mark[self.kind], self.text())) > before),
               f"{self.kind} reads it again on SIGHUP", self.text()[-1500:])

    def stop(self):
        TAP.equal(self.process.poll(), None, f"{self.kind} is still there at the end")
        self.process.terminate()
        self.process.wait(timeout=30)


class Guest:
    """A machine with one interface, and a DHCP client."""

    def __init__(self, client, folder):
        self.client, self.lease = client, os.path.join(folder, "lease")
        self.folder = folder
        for name, text in (("udhcpc", UDHCPC_SCRIPT), ("dhclient", DHCLIENT_SCRIPT)):
            path = os.path.join(folder, name + "-script")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, 0o755)

    def boot(self, mac):
        """As a machine that comes up: nothing is left of before."""
        sh(f"ip -n {NAMES['guest']} addr flush dev eth0; ip -n {NAMES['guest']} link set eth0 down address {mac}; "
           f"ip -n {NAMES['guest']} link set eth0 up",
           shown=f"ip -n guest link set eth0 address {mac} up")
        for path in (self.lease, self.folder + "/leases"):
            if os.path.exists(path):
                os.unlink(path)

    def ask(self):
        """Ask for an address; what it was given, or ""."""
        getattr(self, self.client)()
        if not os.path.exists(self.lease):
            return ""
        with open(self.lease, encoding="utf-8") as file:
            return file.read().strip()

    def udhcpc(self, tries=4):
        sh(f"ip netns exec {NAMES['guest']} {TOOLS['udhcpc']} -i eth0 -n -q -f -t {tries} -T 1 -s {self.folder}/udhcpc-script",
           wanted=None, env={"LEASE": self.lease}, shown="ip netns exec guest udhcpc -i eth0 -n -q -f")

    def dhclient(self):
        """It stays, to renew: until it has its lease."""
        say("$ ip netns exec guest dhclient -4 -1 -d eth0")
        with open(self.folder + "/client.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen([TOOLS["ip"], "netns", "exec", NAMES["guest"], TOOLS["dhclient"], "-4", "-1", "-d",
                                        "-sf", self.folder + "/dhclient-script", "-lf", self.folder + "/leases", "-pf", self.folder + "/client-pid",
                                        "-e", "LEASE=" + self.lease, "eth0"], stdout=log, stderr=log)
        atexit.register(end, process)
        bound = lambda: os.path.exists(self.lease) and os.path.getsize(self.lease) > 0
        wait_until(lambda: bound() or process.poll() is not None, 30)
        process.terminate()
        process.wait(timeout=30)
        with open(self.folder + "/client.log", encoding="utf-8") as log:
            say("\n".join(line for line in log.read().splitlines() if line.startswith(("DHCP", "bound"))))


def check_guest(data, instance, wanted):
    done = sh(f"ip -n {NAMES['guest']} -j addr | {BINARY} --data {data} check-guest {instance}", wanted=wanted,
              shown=f"ip -n guest -j addr | ipledger check-guest {instance}")
    return done.stdout


def configure(verb, address):
    sh(f"ip -n {NAMES['guest']} addr {verb} {address} dev eth0", shown=f"ip -n guest addr {verb} {address} dev eth0")


def test_addresses(data, net, instance, eni, ip):
    """What DHCP gave agrees; what has to be done by hand is missed until it is done."""
    TAP.ok("agree" in check_guest(data, instance, 0), "the guest and the ledger agree")
    sh(f"{BINARY} --data {data} assign {eni}", shown=f"ipledger assign {eni}")
    second = [a for a in net.addresses(eni) if a != ip][0]
    text = check_guest(data, instance, 1)
    TAP.ok(f"MissingInGuest  {second}  {eni}" in text and "configured by hand" in text and ip not in text,
           "a secondary address is missing", text)
    configure("add", f"{second}/24")
    TAP.ok("agree" in check_guest(data, instance, 0), "configured by hand, they agree again")
    configure("add", "10.77.1.77/24")
    text = check_guest(data, instance, 1)
    TAP.ok(f"UnknownToLedger  10.77.1.77  {eni}" in text and "traffic is dropped" in text and second not in text,
           "a stray address, and what follows from it", text)
    configure("del", "10.77.1.77/24")
    TAP.ok("agree" in check_guest(data, instance, 0), "taken away, they agree again")


def test_server(kind, client, data, net, vswitch):
    with tempfile.TemporaryDirectory(prefix="ipledger-dhcp-") as folder:
        os.chmod(folder, 0o755)
        say(f"--- {kind}, {client} ---")
        instance = net.run(vswitch)[0]
        eni, ip = net.primary_eni(instance), net.primary_ip(instance)
        mac = net.call("GetGuestView", InstanceId=instance)["Interfaces"][0]["MacAddress"]
        server, guest = Dhcp(kind, data, folder, vswitch), Guest(client, folder)
        server.write()
        server.start()
        guest.boot(mac)
        text = check_guest(data, instance, 1)
        TAP.ok(f"MissingInGuest  {ip}  {eni}" in text and "DHCP did not" in text, "before DHCP the address is missing", text)
        got = guest.ask()
        TAP.equal(got, f"{ip}/24 via 10.77.1.253 dns 100.100.2.136 100.100.2.138 name {instance}",
                  f"{client} gets of {kind} its address, mask, gateway, DNS and name")
        test_addresses(data, net, instance, eni, ip)

        net.call("StopInstance", InstanceId=instance)
        net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni,
                 PrivateIpAddress=[a for a in net.addresses(eni) if a != ip])
        net.call("ModifyInstanceVpcAttribute", InstanceId=instance, VSwitchId=vswitch, PrivateIpAddress="10.77.1.99")
        net.call("StartInstance", InstanceId=instance)
        server.write()
        server.reload()
        guest.boot(mac)
        TAP.ok(guest.ask().startswith("10.77.1.99/24 "), "the new primary address after SIGHUP", server.text()[-1500:])
        TAP.ok("agree" in check_guest(data, instance, 0), "the guest and the ledger agree on it")
        server.reload()

        guest.boot("02:00:00:00:00:01")
        guest.udhcpc(tries=2)
        TAP.ok(not os.path.exists(guest.lease), "who is not in the ledger gets nothing", server.text()[-1500:])
        server.stop()
        net.call("DeleteInstance", InstanceId=instance, Force=True)


def main():
    for name in ("ip", "dnsmasq", "kea-dhcp4", "udhcpc", "dhclient"):
        TOOLS[name] = find(name)
        if TOOLS[name] is None:
            skip(f"{name} is not installed")
    namespaces()
    server = Server()
    net = Net(server)
    vswitch = net.vswitch(net.vpc("10.77.0.0/16"), "10.77.1.0/24")
    test_server("dnsmasq", "udhcpc", server.data, net, vswitch)
    test_server("kea", "dhclient", server.data, net, vswitch)
    server.remove()
    TAP.end()


main()
