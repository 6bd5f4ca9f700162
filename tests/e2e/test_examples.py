#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: the example clients of docs/examples, in Python, Lua (Neovim), Go, JavaScript (the cloud's SDK) and shell (curl).
Claimed: each runs as its first lines say and prints who has the address; each is shown in the docs as it is. One whose
language, or whose library, is not installed is skipped by name."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from ledger import Net, Server, Tap

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
EXAMPLES = os.path.join(ROOT, "docs/examples")
GOPATH = "/usr/share/gocode"
SDK_DIR = os.environ.get("SDK_DIR", "")
SHOWN_IN = {"who_had.py": "PROTOCOL.md", "who_had.lua": "PROTOCOL.md", "who_had.go": "PROTOCOL.md", "who_had.js": "HTTP.md",
            "who_had.sh": "HTTP.md"}
TAP = Tap()


class Asked:
    def __init__(self, server):
        net = Net(server)
        self.instance = net.run(net.vswitch(net.vpc()))[0]
        self.socket = server.socket
        self.door = "http://127.0.0.1:" + re.search(r"http=\S+:(\d+)", server.line).group(1)
        self.address = net.primary_ip(self.instance)
        self.wanted = f"{self.address} PrimaryPrivate {net.primary_eni(self.instance)}"


def run(*words, env=None, cwd=None):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=cwd, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAItest",
                               "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testAccessKeySecret0123456789ab", **(env or {})})
    return done.stdout.strip() if done.returncode == 0 else f"exit status {done.returncode}: {done.stdout}{done.stderr}"


def by_python(asked, path):
    return run(sys.executable, path, asked.socket, asked.address)


def by_lua(asked, path):
    return run("nvim", "--headless", "--clean", "-c", f"luafile {path}", "-c", "qa!",
               env={"SOCKET": asked.socket, "ADDRESS": asked.address})


def by_go(asked, path):
    with tempfile.TemporaryDirectory(prefix="ipledger-go-") as folder:
        env = {"GO111MODULE": "off", "GOPATH": GOPATH, "GOCACHE": folder, "GOFLAGS": ""}
        return run("go", "run", path, asked.socket, asked.address, env=env)


def by_js(asked, path):
    return run("node", path, asked.door, asked.instance, env={"NODE_PATH": os.path.join(SDK_DIR, "node_modules")})


def by_curl(asked, path):
    said = run("sh", path, asked.door, asked.address)
    try:
        return "\n".join(" ".join((h["Address"], h["Kind"], h["NetworkInterfaceId"])) for h in json.loads(said)["Holdings"])
    except (ValueError, KeyError):
        return said


def missing(name):
    """What the example wants that is not here."""
    if name == "who_had.lua" and not shutil.which("nvim"):
        return "nvim"
    if name == "who_had.go" and not (shutil.which("go") and os.path.isdir(f"{GOPATH}/src/github.com/vmihailenco/msgpack")):
        return "go, or golang-github-vmihailenco-msgpack.v5-dev"
    if name == "who_had.js" and not (shutil.which("node") and os.path.isdir(f"{SDK_DIR}/node_modules/@alicloud/pop-core")):
        return "node, or @alicloud/pop-core"
    if name == "who_had.sh" and not shutil.which("curl"):
        return "curl"
    return None


def test_shown(name, page):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(ROOT, "docs", page), encoding="utf-8") as file:
        blocks = re.findall(r"^```\w+\n(.*?)^```$", file.read(), re.M | re.S)
    TAP.ok(text in blocks, f"{name}: is shown in docs/{page} as it is")


def main():
    server = Server(args=["--any-key", "--http", "127.0.0.1:0"])
    asked = Asked(server)
    ways = {"who_had.py": by_python, "who_had.lua": by_lua, "who_had.go": by_go, "who_had.js": by_js, "who_had.sh": by_curl}
    for name, way in ways.items():
        test_shown(name, SHOWN_IN[name])
        absent = missing(name)
        if absent is not None:
            print(f"# {name} is skipped: {absent} is not installed")
            continue
        said = way(asked, os.path.join(EXAMPLES, name))
        TAP.ok(asked.wanted in said.splitlines(), f"{name}: tells who has the address", (said, asked.wanted))
    server.remove()
    TAP.end()


main()
