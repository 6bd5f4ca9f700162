#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: the cloud's official SDKs (from npm, by the lock file in tests/sdk), Apache libcloud, aliyungo and
fog, where they are to be had, and a server with keys.
Claimed: one life of instance, interface and addresses runs through each of them unchanged, their waiters
end, their models keep every member, and errors are what they take for errors."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile

from door import Door
from ledger import ZONE, Server, Tap

TAP = Tap()
HERE = os.path.dirname(os.path.abspath(__file__))
SDK = os.path.join(os.path.dirname(HERE), "sdk")
KEY, SECRET = "LTAIsdkAdmin", "sdkSecret0123456789abcdefghijk"
INSTALL_S = 60


def skip_part(name, why):
    TAP.count += 1
    print(f"ok {TAP.count} - {name} # SKIP {why}", flush=True)


def digest():
    with open(os.path.join(SDK, "package-lock.json"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def install(folder):
    """The SDKs in folder, as the lock file has them; why not, where they cannot be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "there is no node and npm here"
    stamp = os.path.join(folder, "stamp-" + digest()[:16])
    if os.path.exists(stamp):
        return None
    os.makedirs(folder, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(SDK, name), folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
               "--prefer-offline", "--fetch-retries=0", "--fetch-timeout=15000"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        return f"npm did not end within {INSTALL_S} s"
    if done.returncode != 0:
        return "npm could not install: " + done.stderr.decode(errors="replace").strip().split("\n")[0]
    with open(stamp, "w", encoding="ascii"):
        pass
    return None


def walk(client, port, folder):
    env = {**os.environ, "NODE_PATH": os.path.join(folder, "node_modules")}
    env.pop("LD_PRELOAD", None)
    done = subprocess.run(["node", os.path.join(SDK, "walk.js"), client, str(port), KEY, SECRET],
                          capture_output=True, env=env, timeout=120, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"failed": (done.stdout + done.stderr).decode(errors="replace")[-1500:]}


def test_npm(port, folder):
    why_not = install(folder)
    for client in ("pop-get", "pop-post", "acs3", "v2", "generic"):
        if why_not is not None:
            skip_part(f"the SDKs of npm: {client}", why_not)
            continue
        stats = walk(client, port, folder)
        TAP.ok("failed" not in stats, f"{client}: the life is walked", stats.get("failed"))
        TAP.equal(stats.get("lost"), [], f"{client}: no member of an answer is lost")
        TAP.equal((stats.get("waiters"), stats.get("errors")), (7, 3), f"{client}: waiters end, errors are errors")
        print(f"# {client}: {stats.get('calls')} calls, {stats.get('mapped')} members kept")


def test_libcloud(port):
    try:
        from libcloud.compute.drivers.ecs import ECSDriver
        from libcloud.compute.base import NodeImage, NodeSize
        from libcloud.compute.types import NodeState
    except ImportError as why:
        skip_part("libcloud", str(why))
        return
    door = Door(port, KEY, SECRET)
    vpc = door.call("CreateVpc", CidrBlock="10.0.0.0/16")["VpcId"]
    vsw = door.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.0.1.0/24")["VSwitchId"]
    driver = ECSDriver(KEY, SECRET, region="cn-hangzhou", host="127.0.0.1", port=port, secure=False)
    size = NodeSize("ecs.g6.large", "g6", 8192, 40, 5, 0, driver)
    made = [driver.create_node(f"we b*~{i}", size, NodeImage("img", "img", driver), ex_security_group_id="sg-1",
                               ex_vswitch_id=vsw, ex_private_ip_address=f"10.0.1.{i + 10}",
                               ex_internet_charge_type="PayByTraffic", ex_internet_max_bandwidth_out=5)
            for i in range(3)]
    TAP.equal([n.extra["vpc_attributes"]["private_ip_address"] for n in made],
              ["10.0.1.10", "10.0.1.11", "10.0.1.12"], "libcloud: nodes are made, started, waited for")
    for _ in range(21):
        door.call("CreateInstance", VSwitchId=vsw, InstanceType="ecs.g6.large")
    nodes = driver.list_nodes()
    TAP.equal((len(nodes), len({n.id for n in nodes})), (24, 24), "libcloud: pages by number, each node once")
    one = driver.list_nodes(ex_node_ids=[made[0].id])[0]
    TAP.ok(one.state == NodeState.RUNNING and one.name == "we b*~0", "libcloud: what it sent is there", one)
    ip = driver.create_public_ip(made[0].id)
    TAP.equal(driver.list_nodes(ex_node_ids=[made[0].id])[0].public_ips, [ip], "libcloud: a public address")
    TAP.ok(driver.reboot_node(made[0]) and driver.ex_stop_node(made[0]), "libcloud: reboot, stop, waited for")
    door.call("ConvertNatPublicIpToEip", InstanceId=made[0].id)
    one = driver.list_nodes(ex_node_ids=[made[0].id])[0]
    TAP.ok(one.extra["eip_address"]["ip_address"] == ip and one.public_ips == [], "libcloud: it is an EIP now", one.extra)
    TAP.ok(driver.destroy_node(made[0]), "libcloud: destroy")
    try:
        driver.reboot_node(made[0])
        TAP.ok(False, "libcloud: an error is one")
    except Exception as error:  # of a class of its own, which is another in each version
        TAP.ok("InvalidInstanceId.NotFound" in str(error), "libcloud: an error is one, with its code", repr(error))


def test_aliyungo(port, folder):
    source = "/usr/share/gocode/src/github.com/denverdino/aliyungo"
    if shutil.which("go") is None or not os.path.exists(source):
        skip_part("aliyungo", "there is no go, or no aliyungo, here")
        return
    os.makedirs(folder, exist_ok=True)
    program = os.path.join(folder, "walk")
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "-p=1",
           "GOCACHE": os.path.join(folder, "go-cache")}
    built = subprocess.run(["go", "build", "-o", program, os.path.join(SDK, "walk.go")], env=env, capture_output=True,
                           timeout=120, check=False)
    if built.returncode != 0:
        skip_part("aliyungo", "it does not build: " + built.stderr.decode(errors="replace").split("\n")[0])
        return
    done = subprocess.run([program, str(port), KEY, SECRET], capture_output=True, timeout=60, check=False)
    TAP.ok(done.returncode == 0, "aliyungo: the life is walked, with its strict types", done.stdout + done.stderr)
    print("# aliyungo:", done.stdout.decode().strip())


def test_fog(port):
    probe = ["ruby", "-e", "require 'fog/aliyun'"]
    if shutil.which("ruby") is None or subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        skip_part("fog", "there is no ruby, or no fog-aliyun, here")
        return
    done = subprocess.run(["ruby", os.path.join(SDK, "walk.rb"), str(port), KEY, SECRET], capture_output=True,
                          timeout=120, check=False)
    TAP.ok(done.returncode == 0, "fog: the life is walked", done.stdout + done.stderr)
    print("# fog:", done.stdout.decode().strip())


def main():
    keys = tempfile.NamedTemporaryFile("w", prefix="ipledger-keys-")
    os.fchmod(keys.fileno(), 0o600)
    print(KEY, SECRET, "admin", file=keys, flush=True)
    server = Server(args=["--http", "127.0.0.1:0", "--keys", keys.name])
    port = int(re.search(r"http=\S+:(\d+)", server.line).group(1))
    folder = os.environ.get("SDK_DIR", os.path.join(tempfile.gettempdir(), "ipledger-sdk"))
    test_npm(port, folder)
    test_libcloud(port)
    test_aliyungo(port, folder)
    test_fog(port)
    server.remove()
    TAP.end()


main()
