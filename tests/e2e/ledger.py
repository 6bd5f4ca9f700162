# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: a server of one's own, a client that sees the bytes, TAP."""
import atexit
import hashlib
import hmac
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import msgpack

BINARY = os.environ.get("IPLEDGER", os.path.join(os.path.dirname(__file__),
                                                 "../../build/cli/ipledger"))


class Refused(Exception):
    def __init__(self, error):
        super().__init__(str(error))
        self.error = error
        if isinstance(error, dict):
            self.code = error["Code"]
            self.detail = error["Detail"]
            self.status = error["HttpStatus"]
        note_code(error)


def note_code(error):
    """Write an error's code and status to the file that tools/coverage_codes.py reads, if one is asked for."""
    path = os.environ.get("IPLEDGER_CODES")
    if path is None:
        return
    is_map = isinstance(error, dict)
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{error['HttpStatus']} {error['Code']}\n" if is_map else f"- {str(error).split(':')[0]}\n")


class Client:
    """MessagePack-RPC by hand: what is sent and received is visible, answers come in order."""

    def __init__(self, path, maps=True):
        """path: of a Unix socket, or a connected socket."""
        if isinstance(path, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(path)
        else:
            self.sock = path
        self.sock.settimeout(60)
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=True)
        self.msgid = 0
        self.raw = b""
        if maps:
            self.call("Hello", ErrorFormat="Map")

    def send(self, operation, params):
        self.msgid += 1
        self.sock.sendall(msgpack.packb([0, self.msgid, operation, [params]]))
        return self.msgid

    def receive(self):
        while True:
            for frame in self.unpacker:
                return frame
            data = self.sock.recv(1 << 20)
            if not data:
                raise ConnectionError("closed")
            self.raw += data
            if len(self.raw) > 1 << 20:
                self.raw = b""
            self.unpacker.feed(data)

    def call(self, operation, **params):
        msgid = self.send(operation, params)
        kind, answered, error, result = self.receive()
        assert (kind, answered) == (1, msgid), (kind, answered, msgid)
        if error is not None:
            raise Refused(error)
        return result

    def hello(self, key, secret, timestamp=None, nonce=None, **more):
        """Say who we are, as the protocol wants it; more replaces or adds members."""
        params = {"AccessKeyId": key, "Timestamp": timestamp or now(),
                  "Nonce": nonce or os.urandom(16).hex(), "ErrorFormat": "Map"}
        params["Signature"] = sign(key, secret, params["Timestamp"], params["Nonce"])
        return self.call("Hello", **{**params, **more})

    def close(self):
        self.sock.close()


def now(seconds=0):
    """RFC 3339, so many seconds from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def sign(key, secret, timestamp, nonce):
    return hmac.new(secret.encode(), f"{key}\n{timestamp}\n{nonce}".encode(),
                    hashlib.sha256).hexdigest()


def end(process):
    if process.poll() is None:
        process.kill()
        process.wait()


class Server:
    def __init__(self, data=None, init=None, args=(), log=False):
        """args: {data} in them is the directory. log: keep the log in a file, for log_text()."""
        self.own = data is None
        self.data = data or tempfile.mkdtemp(prefix="ipledger-")
        self.init = init
        self.args = list(args)
        self.process = None
        self.log = tempfile.TemporaryFile(mode="w+", prefix="ipledger-log-") if log else None
        self.start()

    @property
    def socket(self):
        return os.path.join(self.data, "ipledger.sock")

    def start(self):
        command = [BINARY, "serve", "--data", self.data, "--http", "none",
                   *(word.replace("{data}", self.data) for word in self.args)]
        if self.init and not os.path.exists(os.path.join(self.data, "log.mdb")):
            command += ["--init", self.init]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                        stderr=self.log or subprocess.PIPE)
        atexit.register(end, self.process)  # a test that fails leaves nothing running
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        self.line = self.process.stdout.readline().decode() if ready else ""
        if not self.line.startswith("ready "):
            self.process.kill()
            raise RuntimeError("not ready: " + self.log_text())

    def log_text(self):
        """What it has logged: up to now where the log is a file, else all, at its end."""
        if self.log is None:
            return self.process.stderr.read().decode()
        self.log.seek(0)
        return self.log.read()

    def tcp(self, index=0):
        """A connection to the TCP door, which has not said anything yet."""
        port = int(re.findall(r"tcp:[^, ]*:(\d+)", self.line)[index])
        return socket.create_connection(("127.0.0.1", port), timeout=60)

    def client(self, **kwargs):
        return Client(self.socket, **kwargs)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self.errors = self.log_text()
        self._close()
        return status

    def _close(self):
        self.process.stdout.close()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def remove(self):
        if self.process.poll() is None:
            self.stop()
        if self.own:
            shutil.rmtree(self.data)


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, passed, name, note=""):
        self.count += 1
        self.failed += not passed
        print(("ok" if passed else "not ok"), self.count, "-", name, flush=True)
        if not passed:  # what reads these lines shows the names alone: standard error it shows whole
            print(f"{name}: {str(note)[:2000]}", file=sys.stderr, flush=True)
        return passed

    def equal(self, got, wanted, name):
        return self.ok(got == wanted, name, f"got {got!r}, wanted {wanted!r}")

    def refused(self, code, name, call, *args, **params):
        try:
            result = call(*args, **params)
        except Refused as refusal:
            self.equal(refusal.code, code, name)
            return refusal
        self.ok(False, name, f"not refused: {result!r}")
        return None

    def end(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)


def skip(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


ZONE = "cn-hangzhou-a"
BIG = "ecs.g7.4xlarge"   # 8 interfaces, 30 addresses each
SMALL = "ecs.g6.large"   # 2 interfaces, 6 IPv4 addresses and 1 IPv6 each
TINY = "ecs.t6-c1m1.large"  # interfaces only while stopped


class Net:
    """A client and shorthands."""

    def __init__(self, server):
        self.client = Client(server.socket)
        self.call = self.client.call

    def vpc(self, cidr="10.0.0.0/16"):
        return self.call("CreateVpc", CidrBlock=cidr)["VpcId"]

    def vswitch(self, vpc, cidr="10.0.0.0/24", zone=ZONE):
        return self.call("CreateVSwitch", VpcId=vpc, ZoneId=zone, CidrBlock=cidr)["VSwitchId"]

    def run(self, vswitch, **more):
        params = {"VSwitchId": vswitch, "InstanceType": SMALL, **more}
        return self.call("RunInstances", **params)["InstanceIdSets"]["InstanceIdSet"]

    def instance(self, i):
        return self.call("DescribeInstanceAttribute", InstanceId=i)

    def primary_ip(self, i):
        return self.instance(i)["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0]

    def primary_eni(self, i):
        enis = self.call("DescribeNetworkInterfaces", InstanceId=i, Type="Primary")
        return enis["NetworkInterfaceSets"]["NetworkInterfaceSet"][0]["NetworkInterfaceId"]

    def public(self, i):
        return self.instance(i)["PublicIpAddress"]["IpAddress"]

    def eni(self, vswitch, **more):
        return self.call("CreateNetworkInterface", VSwitchId=vswitch, **more)["NetworkInterfaceId"]

    def addresses(self, eni):
        sets = self.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=eni)["PrivateIpSets"]
        return [a["PrivateIpAddress"] for a in sets["PrivateIpSet"]]

    def eip(self, **more):
        return self.call("AllocateEipAddress", **more)

    def eip_state(self, eip):
        found = self.call("DescribeEipAddresses", AllocationId=eip)["EipAddresses"]["EipAddress"]
        return found[0] if found else None

    def free(self, vswitch):
        found = self.call("DescribeVSwitches", VSwitchId=vswitch)["VSwitches"]["VSwitch"]
        return found[0]["AvailableIpAddressCount"]

    def head(self):
        return self.call("GetStatus")["HeadSeq"]

    def vpc6(self, cidr="10.0.0.0/16"):
        return self.call("CreateVpc", CidrBlock=cidr, EnableIpv6=True)["VpcId"]

    def vswitch6(self, vpc, index, cidr="10.0.0.0/24"):
        return self.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock=cidr, Ipv6CidrBlock=index)["VSwitchId"]

    def show_vpc(self, vpc):
        return self.call("DescribeVpcAttribute", VpcId=vpc)

    def show_vswitch(self, vswitch):
        return self.call("DescribeVSwitchAttributes", VSwitchId=vswitch)

    def ipv6(self, **filters):
        return self.call("DescribeIpv6Addresses", **filters)["Ipv6Addresses"]["Ipv6Address"]

    def of_eni(self, eni):
        sets = self.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=eni)["Ipv6Sets"]["Ipv6Set"]
        return [a["Ipv6Address"] for a in sets]

    def assign6(self, eni, **more):
        return self.call("AssignIpv6Addresses", NetworkInterfaceId=eni, **more)


def as_ip_addr(view):
    """What `ip -j addr` prints in a guest that is configured as it should be."""
    loopback = {"ifname": "lo", "address": "00:00:00:00:00:00",
                "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host"}]}
    family = lambda address: "inet6" if ":" in address else "inet"
    return [loopback] + [
        {"ifname": n["Name"], "address": n["MacAddress"],
         "addr_info": [{"family": family(a["Address"]), "local": a["Address"], "prefixlen": a["PrefixLength"],
                        "scope": "global"} for a in n["Addresses"]] +
                      [{"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"}]}
        for n in view["Interfaces"]]
