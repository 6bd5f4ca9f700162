#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: the example program of the client library, built with what is installed of it.
Claimed: it reads a history over a Unix socket and over TCP with a key, sees a refusal and a dead server, follows
events; the library gives away the functions of its header and nothing else."""
import glob
import os
import re
import subprocess
import tempfile
import time

from ledger import SMALL, Net, Server, Tap

TAP = Tap()
WHO_HAD = os.environ["WHO_HAD"]
LIBRARY = os.environ["CLIENT_LIB"]
HEADER = os.path.join(os.path.dirname(__file__), "../../cli/client/ipledger-client.h")


def ask(*words, env=None):
    return subprocess.run([WHO_HAD, *words], capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})})


def test_symbols():
    given = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True).stdout
    given = {line.split()[2].split("@")[0] for line in given.splitlines() if line.split()[1] == "T"}
    with open(HEADER, encoding="utf-8") as file:
        header = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    wanted = set(re.findall(r"\b(ipl_client_\w+)\(", header))
    TAP.equal(given, wanted, "the library gives what its header says, and nothing else")
    name = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
    TAP.ok("[libipledger-client.so.0]" in name, "its name has a version", name)
    TAP.ok("levent" not in name and "liblmdb" not in name, "it needs neither libevent nor LMDB", name)


def test_installed(server):
    """What `meson install` puts somewhere is enough for the command that the docs show."""
    build = os.path.realpath(os.path.join(os.path.dirname(LIBRARY), "../.."))
    example = os.path.join(os.path.dirname(__file__), "../../docs/examples/who_had.c")
    with tempfile.TemporaryDirectory(prefix="ipledger-installed-") as folder:
        subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", folder], stdout=subprocess.DEVNULL, check=True)
        found = glob.glob(folder + "/**/ipledger-client.pc", recursive=True)
        if not TAP.ok(len(found) == 1, "a .pc file is installed", found):
            return
        env = {**os.environ, "PKG_CONFIG_PATH": os.path.dirname(found[0]), "PKG_CONFIG_SYSROOT_DIR": folder}
        program = os.path.join(folder, "who_had")
        # A library with sanitizers leaves their names to the program.
        made = subprocess.run(f"cc -std=c17 -Wall -Wextra -Werror {example} -Wl,--allow-shlib-undefined "
                              f"$(pkg-config --cflags --libs ipledger-client) -o {program}", shell=True, capture_output=True,
                              text=True, env=env, check=False)
        TAP.ok(made.returncode == 0, "the example is compiled by pkg-config", made.stderr)
        with open(LIBRARY, "rb") as file:
            if re.search(rb"__[at]san_", file.read()):
                return
        libs = os.path.dirname(glob.glob(folder + "/**/libipledger-client.so.0", recursive=True)[0])
        done = subprocess.run([program, "unix:" + server.socket, "10.0.0.17"], capture_output=True, text=True,
                              env={**os.environ, "LD_LIBRARY_PATH": libs}, check=False)
        TAP.ok(done.returncode == 0 and "RunInstances" in done.stdout, "and runs", done)


def test_history(server, net):
    vswitch = net.vswitch(net.vpc())
    instance = net.run(vswitch, InstanceType=SMALL, PrivateIpAddress="10.0.0.17", Actor="alice", Reason="web")[0]
    net.call("StopInstance", InstanceId=instance)
    net.call("DeleteInstance", InstanceId=instance)
    net.eni(vswitch, PrimaryIpAddress="10.0.0.17", Actor="bob")
    done = ask("unix:" + server.socket, "10.0.0.17")
    lines = done.stdout.splitlines()
    TAP.ok(done.returncode == 0 and len(lines) == 2 and "RunInstances by alice: web" in lines[0]
           and ".. -" in lines[1] and "CreateNetworkInterface by bob: -" in lines[1], "a history", done)
    TAP.equal(ask("unix:" + server.socket, "10.0.0.99").returncode, 1, "nobody had it")
    done = ask("unix:" + server.socket, "10.0.0.999")
    TAP.ok(done.returncode == 1 and "InvalidParameter: " in done.stderr, "a refusal has a code", done)
    done = ask("unix:/nonexistent", "10.0.0.17")
    TAP.ok(done.returncode == 3 and "No such file" in done.stderr, "no server", done)


def test_keys(server):
    address = re.search(r"tcp:[^, ]+", server.line).group(0)
    with open(os.path.join(server.data, "keys"), encoding="utf-8") as file:
        key, secret, _ = [line for line in file if not line.startswith("#")][0].split()
    TAP.equal(ask(address, "10.0.0.17", env={"IPLEDGER_ACCESS_KEY_ID": key, "IPLEDGER_ACCESS_KEY_SECRET": secret}).returncode,
              0, "over TCP with a key")
    done = ask(address, "10.0.0.17", env={"IPLEDGER_ACCESS_KEY_ID": key, "IPLEDGER_ACCESS_KEY_SECRET": "wrong"})
    TAP.ok(done.returncode == 3 and "SignatureDoesNotMatch" in done.stderr, "with a wrong one", done)
    done = ask(address, "10.0.0.17", env={"IPLEDGER_ACCESS_KEY_ID": key})
    TAP.ok(done.returncode == 3 and "must both be set" in done.stderr, "with half of one", done)
    done = ask(address, "10.0.0.17")
    TAP.ok(done.returncode == 3 and "wants an access key" in done.stderr, "with none", done)


def test_follow(server, net):
    with subprocess.Popen([WHO_HAD, "unix:" + server.socket, "10.0.0.17", "--follow"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line == "following\n":
                break
        holder = net.call("LookupAddress", Address="10.0.0.17")["Holdings"][0]["NetworkInterfaceId"]
        net.call("DeleteNetworkInterface", NetworkInterfaceId=holder)
        begun = time.monotonic()
        line = process.stdout.readline()
        TAP.ok("NetworkInterfaceDeleted" in line and time.monotonic() - begun < 20, "it follows", line)
        server.stop()
        TAP.equal(process.wait(timeout=30), 3, "until the server ends")


def main():
    test_symbols()
    server = Server(args=["--rpc", "unix:{data}/ipledger.sock", "--rpc", "tcp:127.0.0.1:0"])
    net = Net(server)
    test_history(server, net)
    test_installed(server)
    test_keys(server)
    test_follow(server, net)
    server.remove()
    TAP.end()


main()
