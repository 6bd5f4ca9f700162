#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a ledger with transactions and big events, and copies of it with damage of each kind (tests/damage.c).
Claimed: verify says that the whole one is whole, alone and beside a busy server; it names the first bad event of
each damaged one, and finds what was written anew or cut by a head that was noted before; serve
and reads refuse what is damaged, and nothing crashes."""
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading

from ledger import BINARY, Net, Server, Tap, skip

TAP = Tap()
DAMAGE = os.environ.get("DAMAGE", "")


def cli(data, *words):
    return subprocess.run([BINARY, "--data", data, *words], capture_output=True, text=True, timeout=120)


def verify(data, *words):
    done = cli(data, "-o", "json", "verify", *words)
    return done, json.loads(done.stdout) if done.stdout else {}


class Copies:
    """Damaged copies, each thrown away after a look."""

    def __init__(self, data):
        self.data = data
        self.room = tempfile.mkdtemp(prefix="ipledger-")

    def make(self, *damage):
        copy = os.path.join(self.room, "copy")
        shutil.rmtree(copy, ignore_errors=True)
        os.mkdir(copy, 0o700)
        shutil.copy(os.path.join(self.data, "log.mdb"), copy)
        if damage:
            subprocess.run([DAMAGE, copy, *map(str, damage)], check=True, timeout=60)
        return copy


def fill(net):
    """Returns an event that nothing later rests on, and the first of five in one transaction."""
    vpc = net.vpc("10.0.0.0/8")
    vswitch = net.vswitch(vpc, "10.1.0.0/16")
    for i in range(12):
        net.run(vswitch, Amount=1 + 5 * i)
        eip = net.eip()["AllocationId"]
        instance = net.run(vswitch)[0]
        net.call("AssociateEipAddress", AllocationId=eip, InstanceId=instance)
        net.call("Transact", Operations=[
            {"Operation": "CreateNetworkInterface", "Params": {"VSwitchId": vswitch}},
            {"Operation": "DeleteNetworkInterface", "Params": {"NetworkInterfaceId": "$1.NetworkInterfaceId"}},
            {"Operation": "CreateVpc", "Params": {"CidrBlock": "10.0.0.0/16"}}])
    # Several in one commit, whatever the disk and the clock do: they have one root.
    five = net.call("Transact", Operations=[
        {"Operation": "ModifyVpcAttribute", "Params": {"VpcId": vpc, "VpcName": f"n{i}"}}
        for i in range(5)])["Seq"] - 4
    lone = net.call("RebootInstance", InstanceId=instance)["Seq"]
    for i in range(10):
        net.call("ModifyVpcAttribute", VpcId=vpc, VpcName=f"m{i}")
    return lone, five


def test_whole(server, net):
    head = net.call("GetStatus")
    noted = f'{head["HeadSeq"]}:{head["HeadRoot"]}'
    done, found = verify(server.data, "--head", noted)
    TAP.equal((done.returncode, found["Whole"], found["Head"], found["Events"]),
              (0, True, noted, head["HeadSeq"]), "a whole ledger beside its server")
    TAP.equal(found["StateHash"], net.call("GetStateHash")["Hash"], "its state is the server's")
    for jobs in ("1", "2", "7"):
        TAP.equal(verify(server.data, "--jobs", jobs)[1].get("StateHash"), found["StateHash"], f"with {jobs} threads")
    return noted


def test_busy(server):
    """Beside writers: up to the head it saw."""
    stop = threading.Event()

    def write():
        client = server.client()
        while not stop.is_set():
            for _ in range(20):
                client.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
            for _ in range(20):
                client.receive()
    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    results = [verify(server.data) for _ in range(8)]
    stop.set()
    for thread in threads:
        thread.join()
    TAP.ok(all(done.returncode == 0 for done, _ in results), "beside writers", [r[0].stderr for r in results])
    heads = [found["Events"] for _, found in results if found]
    TAP.ok(heads == sorted(heads) and heads[0] < heads[-1], "each up to its own head", heads)


def expect(copies, name, damage, seq, words=(), text=""):
    copy = copies.make(*damage)
    done, found = verify(copy, *words)
    good = done.returncode == 4 and not found.get("Whole", True) and text in done.stderr
    if isinstance(seq, int):
        good = good and found.get("FirstBadSeq") == seq and str(seq) in done.stderr
    TAP.ok(good, f"{name}: found", (done, seq))
    return copy


def test_damage(copies, noted, lone, five):
    head = int(noted.split(":")[0])
    middle = head // 2
    for seq in (1, 2, middle, head):
        expect(copies, f"a bit of event {seq}", ("flip", seq, 8 * seq + 3), seq)
    expect(copies, "a bit of a checksum", ("flip", middle, 8 * 60), middle)
    expect(copies, "a record that is missing", ("remove", middle), None)
    expect(copies, "a record that stands twice", ("insert", middle), middle + 1)
    expect(copies, "two records swapped", ("swap", middle, middle + 1), middle)
    expect(copies, "another actor, the checksum repaired", ("forge", lone), lone, text="committed")
    copy = expect(copies, "the same inside a commit", ("forge", five + 2), five, text="one of the events")
    TAP.ok(f"{five} to {five + 4}" in cli(copy, "verify").stderr, "the same inside a commit: which events")
    expect(copies, "a root", ("root", lone), lone, text="committed")
    expect(copies, "the last root is missing", ("unroot", head), None, text=str(head))
    expect(copies, "a time that runs ahead", ("late", middle), middle + 1, text="time")
    expect(copies, "a place in no transaction", ("group", lone), lone, text="transaction")
    # Made with all the care of one who can write the file: only a noted head tells.
    for name, damage in (("written anew", ("forge-all", lone)), ("an event that never was", ("erase", lone)),
                         ("its tail cut", ("cut", head - 5))):
        copy = copies.make(*damage)
        done, found = verify(copy)
        TAP.equal((done.returncode, found["Whole"]), (0, True), f"{name}: whole by itself")
        done, found = verify(copy, "--head", noted)
        TAP.ok(done.returncode == 4 and "noted" in done.stderr, f"{name}: found by the noted head", done)
    done, _ = verify(copies.make(), "--head", f"{middle}:{'00' * 32}")
    TAP.equal(done.returncode, 4, "a head inside the log that is another")
    done, _ = verify(copies.make(), "--head", noted)
    TAP.equal(done.returncode, 0, "a copy is whole")


def refuses(data):
    """A server and a read: which exit statuses, and whether anything crashed."""
    server = subprocess.run([BINARY, "serve", "--data", data, "--http", "none"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=60, stdin=subprocess.DEVNULL)
    read = cli(data, "-o", "json", "log")
    return server.returncode, read.returncode, server.stderr + read.stderr


def test_refused(copies, lone):
    for damage in (("flip", lone, 99), ("remove", lone), ("swap", lone, lone + 1), ("insert", lone)):
        serve, read, said = refuses(copies.make(*damage))
        TAP.equal((serve, read), (4, 4), f"{damage[0]}: serve and log refuse, exit status 4")
        TAP.ok("Sanitizer" not in said, f"{damage[0]}: no crash", said)


def test_pages(copies):
    """Bits of the pages themselves, on their heads above all: what is not refused reads as it was."""
    random.seed(7)
    wanted = cli(copies.make(), "-o", "json", "log").stdout
    size = os.path.getsize(os.path.join(copies.make(), "log.mdb"))
    places = [(page + random.choice((0, 8, 10, 12, 14, 16, 18)), random.randrange(8))
              for page in random.sample(range(0, size, 4096), 25)]
    places += [(page + offset, bit) for page in (0, 4096) for offset, bit in
               ((16, 1), (20, 0), (40, 3), (62, 1), (88, 2), (94, 1), (110, 0), (128, 1), (136, 3), (144, 0), (144, 1))]
    wrong = []
    for offset, bit in places:
        copy = copies.make()
        with open(os.path.join(copy, "log.mdb"), "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1 << bit]))
        done = cli(copy, "-o", "json", "log")
        looked = cli(copy, "verify")
        if done.returncode not in (0, 4) or looked.returncode not in (0, 4) or "Sanitizer" in done.stderr or \
                (done.returncode == 0 and events(done.stdout) != events(wanted)):
            wrong.append((offset, bit, done.returncode, looked.returncode, done.stderr[:300]))
    TAP.equal(wrong, [], f"{len(places)} bits of pages: refused, or read as it was")


def events(text):
    return json.loads(text)["Events"]


def test_cut_file(copies):
    copy = copies.make()
    path = os.path.join(copy, "log.mdb")
    os.truncate(path, os.path.getsize(path) // 2)
    TAP.equal(refuses(copy)[:2] + (verify(copy)[0].returncode,), (4, 4, 4), "half a file")
    with open(path, "wb") as file:
        file.write(b"not a ledger at all" * 1000)
    TAP.equal(refuses(copy)[:2] + (verify(copy)[0].returncode,), (4, 4, 4), "another file")


def test_long():
    """Longer than three chunks of 4,096: what is found first is not what is first."""
    server = Server()
    net, writer = Net(server), server.client()
    for i in range(13000 - 2):  # a transaction of three has its place in two chunks
        if i == 6900:  # a commit ends here, however long the disk takes for one
            for _ in range(i):
                writer.receive()
        if i == 4093:
            writer.send("Transact", {"Operations": [{"Operation": "CreateVpc", "Params": {
                "CidrBlock": "10.0.0.0/16"}}] * 3})
        else:
            writer.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    for _ in range(6900, 13000 - 2):
        writer.receive()
    TAP.equal(net.call("GetEvent", Seq=4097)["Group"], {"FirstSeq": 4095, "Count": 3}, "a transaction over a border")
    noted = [(size, net.call("GetInclusionProof", Seq=1, TreeSize=size)["Root"])
             for size in (1, 4095, 4096, 4097, 8192, 9999, 12288, 13001)]
    server.stop()
    copies = Copies(server.data)
    for jobs in ("1", "4"):
        for size, root in noted:
            done, found = verify(server.data, "--jobs", jobs, "--head", f"{size}:{root}")
            if not TAP.ok(done.returncode == 0 and found["Events"] == 13001, f"{jobs} threads, a head at {size}", done):
                break
        for size, root in noted[1:]:
            done, found = verify(server.data, "--jobs", jobs, "--head", f"{size}:{flip(root)}")
            TAP.ok(done.returncode == 4 and "noted" in done.stderr, f"{jobs} threads, another head at {size}", done)
        for seq in (4096, 4097, 8192, 8193, 13001):
            expect(copies, f"{jobs} threads, a bit of event {seq}", ("flip", seq, 99), seq, ("--jobs", jobs))
        expect(copies, f"{jobs} threads, a time in a chunk's last", ("late", 8192), 8193, ("--jobs", jobs), "time")
        expect(copies, f"{jobs} threads, one that is missing", ("remove", 4097), None, ("--jobs", jobs))
        done, found = verify(copies.make("forge", 7000), "--jobs", jobs)
        TAP.ok(done.returncode == 4 and "committed" in done.stderr and 6900 < found["FirstBadSeq"] <= 7000,
               f"{jobs} threads, a forged one: its commit", done)
        copy = copies.make("flip", 12500, 3)
        for seq in (9000, 8500, 300):
            subprocess.run([DAMAGE, copy, "flip", str(seq), "9"], check=True, timeout=60)
            done, found = verify(copy, "--jobs", jobs)
            TAP.equal(found.get("FirstBadSeq"), seq, f"{jobs} threads, of several the first: {seq}")
    server.remove()
    shutil.rmtree(copies.room)


def flip(root):
    return ("0" if root[0] != "0" else "1") + root[1:]


def test_words(copies):
    copy = copies.make()
    for words, code in ((["--head", "7"], 2), (["--head", "x:" + "0" * 64], 2), (["--jobs", "0"], 2), (["more"], 2)):
        TAP.equal(cli(copy, "verify", *words).returncode, code, f"verify {words[0]}: exit status {code}")
    TAP.equal(cli(copy + "/nothing", "verify").returncode, 3, "no ledger: exit status 3")
    TAP.equal(cli(copy, "--server", "unix:/x", "verify").returncode, 2, "--server: exit status 2")
    TAP.ok("Whole" in cli(copy, "verify").stdout, "a table for people")


def test_killed(server):
    """The child that is killed is no damage."""
    process = subprocess.Popen([BINARY, "--data", server.data, "verify"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    children = []
    while not children and process.poll() is None:
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            children = file.read().split()
    if children:
        try:
            os.kill(int(children[0]), signal.SIGKILL)
        except ProcessLookupError:
            pass
    TAP.ok(process.wait(timeout=60) in (0, 3), "killed: not known, or done before", process.stderr.read())
    process.stderr.close()


def main():
    if not os.path.exists(DAMAGE):
        skip("DAMAGE names no program")
    server = Server()
    net = Net(server)
    lone, five = fill(net)
    noted = test_whole(server, net)
    server.stop()
    copies = Copies(server.data)
    test_damage(copies, noted, lone, five)
    test_refused(copies, lone)
    test_pages(copies)
    test_cut_file(copies)
    test_words(copies)
    test_long()
    server.start()
    test_busy(server)
    test_killed(server)
    server.remove()
    shutil.rmtree(copies.room)
    TAP.end()


main()
