#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server with some hundred events, and a verifier of RFC 6962 proofs in a few lines.
Claimed: every proof the server gives holds against the heads it gave, and no other; GetStatus, prove and
check-proof speak of the same tree; a proof that was changed in any way is refused."""
import hashlib
import json
import os
import random
import subprocess
import tempfile

from ledger import BINARY, Net, Server, Tap

TAP = Tap()


def sha(data):
    return hashlib.sha256(data).digest()


def includes(leaf, seq, size, path, root):
    at, last, node = seq - 1, size - 1, leaf
    for one in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = sha(b"\1" + one + node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = sha(b"\1" + node + one)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def extends(first, first_root, second, second_root, path):
    if first == second:
        return not path and first_root == second_root
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if at == 0:
        path = [first_root] + path
    if not path:
        return False
    old = new = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = sha(b"\1" + one + old), sha(b"\1" + one + new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = sha(b"\1" + new + one)
        at, last = at >> 1, last >> 1
    return last == 0 and (old, new) == (first_root, second_root)


def b(text):
    return bytes.fromhex(text)


def cli(server, *words, stdin=None):
    return subprocess.run([BINARY, "--data", server.data, *words], capture_output=True, text=True, input=stdin,
                          timeout=60)


def test_inclusion(net, heads):
    head = max(heads)
    wrong = []
    for _ in range(150):
        size = random.randint(1, head)
        seq = random.randint(1, size)
        proof = net.call("GetInclusionProof", Seq=seq, TreeSize=size)
        leaf = sha(b"\0" + b(proof["Record"]))
        if not (proof["LeafHash"] == leaf.hex() and proof["TreeSize"] == size
                and includes(leaf, seq, size, [b(n) for n in proof["Path"]], b(proof["Root"]))
                and heads.get(size, proof["Root"]) == proof["Root"]):
            wrong.append((seq, size))
        if size > 1 and includes(leaf, seq, size, [b(n) for n in proof["Path"]], sha(b(proof["Root"]))):
            wrong.append((seq, size, "another root"))
    TAP.equal(wrong, [], "inclusion: 150 random proofs hold")
    proof = net.call("GetInclusionProof", Seq=1)
    TAP.equal((proof["TreeSize"], proof["Root"]), (head, heads[head]), "the tree is the head's where none is named")
    TAP.equal(net.call("GetInclusionProof", Seq=2, AsOf=7)["TreeSize"], 7, "or that of AsOf")


def test_consistency(net, heads):
    sizes, wrong = sorted(heads), []
    for _ in range(150):
        first, second = sorted(random.sample(sizes, 2))
        proof = net.call("GetConsistencyProof", From=first, To=second)
        if not (proof["FromRoot"] == heads[first] and proof["ToRoot"] == heads[second]
                and extends(first, b(heads[first]), second, b(heads[second]), [b(n) for n in proof["Path"]])):
            wrong.append((first, second))
    TAP.equal(wrong, [], "consistency: 150 pairs of noted heads extend each other")
    proof = net.call("GetConsistencyProof", From=sizes[3], To=sizes[3])
    TAP.equal((proof["Path"], proof["FromRoot"]), ([], heads[sizes[3]]), "a head extends itself")


def test_refused(net, head):
    call = net.call
    for name, params, code in (
            ("GetInclusionProof", {}, "MissingParameter"), ("GetInclusionProof", {"Seq": 0}, "InvalidParameter"),
            ("GetInclusionProof", {"Seq": head + 1}, "InvalidParameter"),
            ("GetInclusionProof", {"Seq": 1, "TreeSize": head + 1}, "InvalidParameter"),
            ("GetInclusionProof", {"Seq": 5, "TreeSize": 4}, "InvalidParameter"),
            ("GetInclusionProof", {"Seq": 1, "TreeSize": 0}, "InvalidParameter"),
            ("GetConsistencyProof", {"From": 1}, "MissingParameter"),
            ("GetConsistencyProof", {"From": 0, "To": 4}, "InvalidParameter"),
            ("GetConsistencyProof", {"From": 5, "To": 4}, "InvalidParameter"),
            ("GetConsistencyProof", {"From": 1, "To": head + 1}, "InvalidParameter")):
        refusal = TAP.refused(code, f"{name} {params}", call, name, **params)
        TAP.ok("Parameter" in refusal.detail, f"{name} {params}: which parameter", refusal.detail)


def test_not_durable_yet(server):
    """Asked for in the same breath as the write that it is about."""
    client = server.client()
    head = client.call("GetStatus")["HeadSeq"]
    for i in range(1, 301):
        client.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
        client.send("GetInclusionProof", {"Seq": head + i})
    wrong = []
    for i in range(1, 301):
        client.receive()
        proof = client.receive()[3]
        if not includes(sha(b"\0" + b(proof["Record"])), head + i, head + i, [b(n) for n in proof["Path"]],
                        b(proof["Root"])):
            wrong.append(i)
    TAP.equal(wrong, [], "300 writes, each followed by its proof")
    return client.call("GetStatus")


def test_cli(server, status, heads):
    head = status["HeadSeq"]
    noted = f'{head}:{status["HeadRoot"]}'
    table = cli(server, "status").stdout.split("\n")[0].split()
    TAP.equal(table, ["Head", noted], "status prints the head as SEQ:ROOT")
    file = os.path.join(tempfile.mkdtemp(), "proof")
    TAP.equal(cli(server, "prove", "5", "--to", file).returncode, 0, "prove")
    done = cli(server, "-o", "json", "check-proof", file, "--head", noted)
    shown = json.loads(done.stdout)
    TAP.equal((done.returncode, shown["Head"], shown["Event"]["Seq"]), (0, noted, 5), "check-proof")
    with open(file, encoding="utf-8") as opened:
        proof = json.load(opened)
    event = Net(server).call("GetEvent", Seq=5)
    TAP.equal(shown["Event"], event, "the event in the file is the event")
    TAP.ok(includes(sha(b"\0" + b(proof["Record"])), proof["Seq"], proof["TreeSize"],
                    [b(n) for n in proof["Path"]], b(proof["Root"])), "the file is enough for another verifier")
    older = sorted(heads)[2]
    done = cli(server, "check-proof", file, "--head", f"{older}:{heads[older]}")
    TAP.equal(done.returncode, 1, "another noted head than the file's")
    for key, value in {"Seq": 6, "TreeSize": 8, "Root": "00" * 32, "LeafHash": "11" * 32, "Path": [],
                       "Record": proof["Record"][:-2] + "00", "Format": "x"}.items():
        done = cli(server, "check-proof", "-", stdin=json.dumps({**proof, key: value}))
        TAP.ok(done.returncode == 1 and done.stderr, f"{key} changed: refused", done)
    done = cli(server, "check-proof", "-", "--head", noted, stdin=json.dumps({**proof, "TreeSize": head - 1}))
    TAP.equal(done.returncode, 1, "a size that has the same path is not the noted head")
    for key in proof:
        if key in ("LedgerId", "RegionId"):
            continue
        done = cli(server, "check-proof", "-", stdin=json.dumps({k: v for k, v in proof.items() if k != key}))
        TAP.equal(done.returncode, 1, f"{key} missing: refused")
    flips = [i for i in range(0, len(proof["Record"]), 7) if cli(
        server, "check-proof", "-", stdin=json.dumps({**proof, "Record": flip(proof["Record"], i)})).returncode != 1]
    TAP.equal(flips, [], "a digit of the record changed: refused")

    done = cli(server, "prove", "--from", str(older), "--to", file)
    TAP.equal(done.returncode, 0, "prove that the head extends a noted one")
    done = cli(server, "check-proof", file, "--head", f"{older}:{heads[older]}")
    TAP.ok(done.returncode == 0 and noted in done.stdout, "check-proof says so", done)
    with open(file, encoding="utf-8") as opened:
        proof = json.load(opened)
    for key, value in {"FromRoot": "00" * 32, "ToRoot": "00" * 32, "From": older + 1, "Path": proof["Path"][1:]}.items():
        done = cli(server, "check-proof", "-", stdin=json.dumps({**proof, key: value}))
        TAP.equal(done.returncode, 1, f"{key} changed: refused")
    for words, code in ((["prove"], 2), (["prove", "x"], 2), (["prove", "1", "--from", "2"], 2), (["check-proof"], 2),
                        (["prove", str(head + 9)], 1), (["check-proof", "/nothing"], 3),
                        (["check-proof", file, "--head", "7"], 2)):
        TAP.equal(cli(server, *words).returncode, code, " ".join(words[:2]) + f": exit status {code}")
    return file


def flip(text, i):
    return text[:i] + "0123456789abcdef"[int(text[i], 16) ^ 1] + text[i + 1:]


def main():
    random.seed(4)
    server = Server()
    net = Net(server)
    heads = {}
    for i in range(40):
        for _ in range(random.randint(1, 60)):
            net.client.send("CreateVpc", {"CidrBlock": "10.0.0.0/16", "Reason": f"n {i}"})
            net.client.receive()
        status = net.call("GetStatus")
        heads[status["HeadSeq"]] = status["HeadRoot"]
    TAP.ok(max(heads) > 600, "more than a node's leaves", max(heads))
    test_inclusion(net, heads)
    test_consistency(net, heads)
    test_refused(net, max(heads))
    status = test_not_durable_yet(server)
    file = test_cli(server, status, heads)
    server.stop()
    done = cli(server, "-o", "json", "prove", "3", "--to", file)
    TAP.equal((done.returncode, cli(server, "check-proof", file).returncode), (0, 0), "without a server")
    server.remove()
    TAP.end()


main()
