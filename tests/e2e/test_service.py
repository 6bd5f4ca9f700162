#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: sockets that systemd opened before the server was there, and its socket for notes.
Claimed: they are the native doors, instead of the default one; what is no listening stream is refused;
the unit, the file of options and every manual page are such as those who read them take."""
import glob
import os
import re
import shutil
import socket
import subprocess
import tempfile

from ledger import BINARY, Client, Tap

TAP = Tap()
ROOT = os.path.join(os.path.dirname(__file__), "../..")


def serve(folder, passed, notes, *args):
    """The server with @passed as the descriptors from 3 on."""
    moves = " ".join(f"{3 + i}<&{sock.fileno()}" for i, sock in enumerate(passed))
    env = dict(os.environ, LISTEN_FDS=str(len(passed)), NOTIFY_SOCKET=notes)
    return subprocess.Popen(["bash", "-c", f'export LISTEN_PID=$$; exec "$@" {moves}', "-", BINARY, "--data", folder + "/data", "serve",
                             "--http", "none", *args], pass_fds=[sock.fileno() for sock in passed], env=env, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def high(sock):
    """The same socket at a number that is in nobody's way."""
    return socket.socket(fileno=os.dup2(sock.detach(), 100 + sock.type + 10 * sock.family))


def test_passed(folder):
    notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notes.bind(folder + "/notes")
    notes.settimeout(30)
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(folder + "/passed.sock")
    unix.listen(8)
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    early = socket.socket(socket.AF_UNIX)
    early.connect(folder + "/passed.sock")  # before anybody is there
    process = serve(folder, [high(unix), high(tcp)], folder + "/notes")
    ready = process.stdout.readline() or process.stderr.read()
    TAP.equal(ready, f"ready rpc=unix:{folder}/passed.sock,tcp:127.0.0.1:{port} http=none head=1\n", "both are doors, and no other")
    TAP.equal(notes.recv(100), b"READY=1", "systemd is told")
    TAP.ok("VpcId" in Client(early).call("CreateVpc", CidrBlock="10.0.0.0/16"), "who connected too early is served")
    with socket.create_connection(("127.0.0.1", port)) as sock:
        client = Client(sock, maps=False)
        client.send("GetStatus", {})
        refused = client.receive()[2]
        TAP.ok(str(refused).startswith("Unauthenticated:"), "at the TCP one a key is wanted", refused)
    process.terminate()
    TAP.equal(process.wait(timeout=30), 0, "it ends in order")
    TAP.equal(notes.recv(100), b"STOPPING=1", "and that it ends")
    TAP.ok(os.path.exists(folder + "/passed.sock"), "the socket's path stays systemd's")


def test_wrong(folder):
    datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagram.bind(folder + "/datagram")
    process = serve(folder, [high(datagram)], folder + "/nobody")
    said = process.communicate(timeout=30)[1]
    TAP.ok(process.returncode == 3 and "ListenStream=" in said, "a datagram socket is refused, with the way out", said)


def test_conf(folder):
    """Every option of the file that is commented out is one, and the file itself is taken."""
    with open(os.path.join(ROOT, "packaging/ipledger.conf"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    names = {line.lstrip("#").split(" = ")[0] for line in lines if " = " in line}
    known = subprocess.run([BINARY, "help", "--man", "ipledger.conf"], capture_output=True, text=True, check=True).stdout.replace("\\-", "-")
    for name in sorted(names):
        TAP.ok(f"\\fB{name}\\fR" in known, f"ipledger.conf: {name} is an option")


def test_pages(folder):
    subprocess.run([BINARY, "help", "--man-to", folder], check=True)
    pages = sorted(glob.glob(folder + "/man?/*"))
    commands = subprocess.run([BINARY, "completion", "bash"], capture_output=True, text=True, check=True).stdout
    listed = [line.split()[0] for line in subprocess.run([BINARY, "help"], capture_output=True, text=True, check=True).stdout.splitlines()
              if line.startswith("  ") and not line.startswith("   ")]
    names = {os.path.basename(page) for page in pages}
    TAP.ok(len(listed) > 30, "there are commands", listed)
    for command in listed:
        helped = subprocess.run([BINARY, "help", command], capture_output=True, text=True)
        TAP.ok(helped.returncode == 0 and helped.stdout.startswith(f"usage: ipledger {command}"), f"{command}: help")
        TAP.ok(f"ipledger-{command}.1" in names, f"{command}: a manual page")
        TAP.ok(re.search(rf"[ \"']{command}[ \"')]", commands), f"{command}: a completion")
    TAP.ok({"ipledger.1", "ipledger.conf.5", "ipledger-protocol.7"} <= names, "the other pages")
    if shutil.which("mandoc") is None:
        print("# mandoc is not installed: pages are not looked at")
        return
    lint = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *pages], capture_output=True, text=True)
    TAP.equal(lint.stdout, "", "mandoc has nothing to say")


def test_unit(folder):
    """Where systemd is installed, what it says of the unit."""
    if shutil.which("systemd-analyze") is None:
        print("# systemd is not installed: the unit is not looked at")
        return
    for name in ("ipledger.service.in", "ipledger.socket"):
        with open(os.path.join(ROOT, "packaging", name), encoding="utf-8") as file:
            text = file.read().replace("@bindir@/ipledger", "/bin/true").replace("@sysconfdir@", "/etc")
        with open(os.path.join(folder, name.replace(".in", "")), "w", encoding="utf-8") as file:
            file.write(text.replace("Documentation=man", "#"))
    said = subprocess.run(["systemd-analyze", "verify", folder + "/ipledger.service", folder + "/ipledger.socket"], capture_output=True, text=True)
    said = "\n".join(line for line in said.stderr.splitlines() if "ipledger" in line)
    TAP.equal(said, "", "systemd-analyze verify has nothing to say")


def main():
    for test in (test_passed, test_wrong, test_conf, test_pages, test_unit):
        with tempfile.TemporaryDirectory(prefix="ipledger-") as folder:
            test(folder)
    TAP.end()


main()
