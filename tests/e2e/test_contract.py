#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a fresh ledger at a Unix socket.
Claimed: what the protocol promises: framing, liberal in and strict out, order, tokens, dry runs,
IfSeq, AsOf, pages, bad input of every kind answered and survived."""
import re
import socket
import struct
import time

import msgpack

from ledger import Client, Refused, Server, Tap, note_code

TAP = Tap()
SERVER = Server()
UUID = re.compile(r"^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


class Raw:
    """Bytes in, frames out."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SERVER.socket)
        self.sock.settimeout(10)
        self.unpacker = msgpack.Unpacker(raw=False)

    def send(self, data):
        self.sock.sendall(data)

    def frame(self):
        """The next frame; None when the connection was closed."""
        while True:
            for frame in self.unpacker:
                if frame[2] is not None:
                    note_code(frame[2])
                return frame
            try:
                data = self.sock.recv(1 << 20)
            except ConnectionError:
                return None
            if not data:
                return None
            self.unpacker.feed(data)


def request(msgid, method, *params):
    return msgpack.packb([0, msgid, method, list(params)])


def head():
    return Client(SERVER.socket).call("GetStatus")["HeadSeq"]


def test_liberal():
    raw = Raw()
    raw.send(request(1, "Ping"))
    frame = raw.frame()
    TAP.ok(frame[:3] == [1, 1, None] and UUID.match(frame[3]["RequestId"]), "Ping, with no parameters",
           frame)
    for name, params in (("nil", None), ("[nil]", [None]), ("[[]]", [[]]), ("[{}]", [{}])):
        raw.send(msgpack.packb([0, 7, "Ping", params]))
        TAP.equal(raw.frame()[:3], [1, 7, None], f"{name} means no parameters")
    raw.send(msgpack.packb([0, 8, b"CreateVpc", [{b"CidrBlock": b"10.0.0.0/16"}]], use_bin_type=True))
    TAP.ok(raw.frame()[2] is None, "method, keys and text as bin")
    for byte in request(9, "Ping"):
        raw.send(bytes([byte]))
    TAP.equal(raw.frame()[1], 9, "one byte at a time")
    raw.send(b"".join(request(i, "Ping") for i in range(100, 600)))
    TAP.equal([raw.frame()[1] for _ in range(500)], list(range(100, 600)),
              "500 requests in one write are answered in their order")
    raw.send(msgpack.packb([1, 3, None, {}]) + msgpack.packb([2, "Event", [{}]]) + request(4, "Ping"))
    TAP.equal(raw.frame()[1], 4, "answers and notifications from a client are ignored")


def test_strict():
    client = Client(SERVER.socket)
    client.raw = b""
    client.call("DescribeVpcs")
    frame = msgpack.unpackb(client.raw, raw=False)
    TAP.equal(msgpack.packb(frame), client.raw, "answers are in their smallest form, text is str")
    raw = Raw()
    raw.send(request(1, "DeleteVpc", {"VpcId": "vpc-nothing"}))
    error = raw.frame()[2]
    TAP.ok(isinstance(error, str) and error.startswith("InvalidVpcId.NotFound: "),
           "an error is one text: Code: Message", error)
    raw.send(request(2, "Hello", {"ErrorFormat": "Map"}) + request(3, "DeleteVpc", {"VpcId": "vpc-x"}))
    hello, error = raw.frame()[3], raw.frame()[2]
    TAP.ok({"Server", "Version", "Protocol", "HeadSeq"} <= set(hello) and hello["Protocol"] == 1,
           "Hello says who it is", hello)
    TAP.ok(error["Code"] == "InvalidVpcId.NotFound" and error["HttpStatus"] == 404 and
           UUID.match(error["RequestId"]) and error["Detail"]["Ids"] == ["vpc-x"],
           "after Hello {ErrorFormat: Map} an error is a map", error)


def test_broken_frames():
    def dead(name, data, code=None):
        raw = Raw()
        raw.send(data)
        frame = raw.frame()
        if code:
            TAP.ok(frame is not None and str(frame[2]).startswith(code), f"{name}: {code}", frame)
            frame = raw.frame()
        TAP.ok(frame is None, f"{name}: the connection ends")

    dead("0xc1", b"\xc1")
    dead("0xc1 after a msgid", b"\x94\x00\x05\xc1", "MalformedRequest")
    dead("an array32 that claims 2^32-1", b"\xdd\xff\xff\xff\xff")
    dead("a text that claims 2 MiB", b"\x94\x00\x05\xdb" + struct.pack(">I", 2 << 20), "FrameTooLarge")
    dead("33 arrays in each other", b"\x94\x00\x06\xa4Ping" + b"\x91" * 40, "MalformedRequest")
    dead("a map for a frame", msgpack.packb({"a": 1}))
    dead("a msgid above 2^32-1", msgpack.packb([0, 1 << 32, "Ping", []]))
    raw = Raw()

    def alive(name, data, code):
        raw.send(data + request(99, "Ping"))
        frame = raw.frame()
        TAP.ok(frame[1] == 5 and str(frame[2]).startswith(code), f"{name}: {code}", frame)
        TAP.equal(raw.frame()[1], 99, f"{name}: the connection lives on")

    alive("three elements", msgpack.packb([0, 5, "Ping"]), "MalformedRequest")
    alive("a repeated key", b"\x94\x00\x05\xa4Ping\x91\x82\xa1a\x01\xa1a\x02", "MalformedRequest")
    alive("a key that is no text", msgpack.packb([0, 5, "Ping", [{1: 2}]]), "MalformedRequest")
    alive("text that is not UTF-8", b"\x94\x00\x05\xa4Ping\x91\x81\xa1a\xa2\xff\xfe", "MalformedRequest")
    alive("a number for a method", msgpack.packb([0, 5, 7, []]), "MalformedRequest")
    alive("a number for parameters", msgpack.packb([0, 5, "Ping", [3]]), "MalformedRequest")
    alive("an unknown operation", request(5, "MakeCoffee"), "UnknownOperation")
    alive("an extension", request(5, "CreateVpc", {"CidrBlock": msgpack.ExtType(1, b"x")}),
          "InvalidParameter")
    alive("not a number", request(5, "DescribeVpcs", {"MaxResults": float("nan")}), "InvalidParameter")
    before = head()
    for _ in range(20):
        gone = Raw()
        gone.send(request(1, "CreateVpc", {"CidrBlock": "10.9.0.0/16"})[:-3])
        gone.sock.close()
    TAP.equal(head(), before, "a client that vanishes in the middle of a request leaves nothing")


def test_parameters():
    client = Client(SERVER.socket)
    cases = (
        ("missing", "MissingParameter", "CidrBlock", "CreateVpc", {}),
        ("nil is missing", "MissingParameter", "CidrBlock", "CreateVpc", {"CidrBlock": None}),
        ("wrong type", "InvalidParameter", "CidrBlock", "CreateVpc", {"CidrBlock": 10}),
        ("unknown", "UnsupportedParameter", "Colour", "CreateVpc",
         {"CidrBlock": "10.0.0.0/16", "Colour": "red"}),
        ("missing before unknown", "MissingParameter", "CidrBlock", "CreateVpc", {"Colour": "red"}),
        ("a decimal text for a number", "InvalidParameter", "Amount", "RunInstances",
         {"InstanceType": "ecs.g6.large", "Amount": "2"}),
        ("inside a list", "InvalidParameter", "NetworkInterface[2].PrimaryIpAddress", "RunInstances",
         {"InstanceType": "ecs.g6.large", "NetworkInterface": [{}, {"PrimaryIpAddress": 5}]}),
        ("unknown inside a list", "UnsupportedParameter", "NetworkInterface[1].Colour", "RunInstances",
         {"InstanceType": "ecs.g6.large", "NetworkInterface": [{"Colour": "red"}]}),
        ("pages by number", "UnsupportedParameter", "PageNumber", "DescribeVpcs", {"PageNumber": 1}),
        ("an empty list that is required", "MissingParameter", "PrivateIpAddress",
         "UnassignPrivateIpAddresses", {"NetworkInterfaceId": "eni-x", "PrivateIpAddress": []}),
        ("too many results", "InvalidParameter", "MaxResults", "DescribeVpcs", {"MaxResults": 1001}),
        ("no results", "InvalidParameter", "MaxResults", "DescribeVpcs", {"MaxResults": 0}),
        ("a name that is a link", "InvalidParameter", "VpcName", "CreateVpc",
         {"CidrBlock": "10.0.0.0/16", "VpcName": "https://x"}),
        ("a name that is too long", "InvalidParameter", "VpcName", "CreateVpc",
         {"CidrBlock": "10.0.0.0/16", "VpcName": "x" * 129}),
    )
    for name, code, path, operation, params in cases:
        refusal = TAP.refused(code, f"{name}: {code}", client.call, operation, **params)
        if refusal:
            TAP.equal(refusal.detail.get("Parameter"), path, f"{name}: the member is named")
    TAP.refused("InvalidRegionId.NotFound", "another region", client.call, "CreateVpc",
                CidrBlock="10.0.0.0/16", RegionId="mars-1")
    TAP.ok(client.call("CreateVpc", CidrBlock="10.0.0.0/16", RegionId="cn-hangzhou")["Seq"],
           "the ledger's own region")
    TAP.ok(client.call("DescribeVpcs", DryRun=True)["TotalCount"] > 0, "DryRun on a read is accepted")


def test_writes():
    client = Client(SERVER.socket)
    made = client.call("CreateVpc", CidrBlock="10.1.0.0/16", Reason="why", Actor="alice")
    TAP.ok(TIME.match(made["Time"]) and UUID.match(made["RequestId"]), "a write answers Seq and Time",
           made)
    event = client.call("GetEvent", Seq=made["Seq"])
    TAP.equal([event[k] for k in ("Seq", "Type", "Operation", "Actor", "Reason", "Touches", "Time")],
              [made["Seq"], "VpcCreated", "CreateVpc", "alice", "why", [made["VpcId"]], made["Time"]],
              "GetEvent shows who, why and what")
    TAP.ok(event["Principal"].startswith("uid:") and event["Body"]["CidrBlock"] == "10.1.0.0/16",
           "an event names its principal", event)
    TAP.ok(client.call("CreateVpc", CidrBlock="10.1.0.0/16", Reason="ü" * 128)["Seq"], "256 bytes of Reason")
    TAP.refused("InvalidParameter", "257 bytes of Reason", client.call, "CreateVpc",
                CidrBlock="10.1.0.0/16", Reason="x" * 257)
    before = head()
    TAP.refused("DryRunOperation", "a dry run that would pass", client.call, "CreateVpc",
                CidrBlock="10.1.0.0/16", DryRun=True)
    TAP.refused("InvalidVpcId.NotFound", "a dry run that would not", client.call, "DeleteVpc",
                VpcId="vpc-x", DryRun=True)
    TAP.equal(head(), before, "a dry run appends nothing")
    seq = client.call("DeleteVpc", VpcId=made["VpcId"], IfSeq=made["Seq"])["Seq"]
    TAP.ok(seq > made["Seq"], "IfSeq that holds")
    other = client.call("CreateVpc", CidrBlock="10.2.0.0/16")
    client.call("CreateVSwitch", VpcId=other["VpcId"], ZoneId="cn-hangzhou-a", CidrBlock="10.2.0.0/24")
    refusal = TAP.refused("PreconditionFailed", "IfSeq that does not", client.call, "CreateVSwitch",
                          VpcId=other["VpcId"], ZoneId="cn-hangzhou-a", CidrBlock="10.2.1.0/24",
                          IfSeq=other["Seq"])
    TAP.equal((refusal.status, refusal.detail["Ids"]), (412, [other["VpcId"]]), "it names what changed")
    TAP.refused("InvalidParameter", "IfSeq beyond the head", client.call, "CreateVpc",
                CidrBlock="10.2.0.0/16", IfSeq=1 << 40)
    TAP.ok(client.call("CreateVpc", CidrBlock="10.2.0.0/16", IfSeq=0)["Seq"],
           "IfSeq on what touches nothing that existed")


def test_tokens():
    client = Client(SERVER.socket)
    params = {"CidrBlock": "10.3.0.0/16", "ClientToken": "one"}
    first = client.call("CreateVpc", **params)
    again = client.call("CreateVpc", **params, Reason="another", Actor="bob")
    TAP.ok(first.pop("RequestId") != again.pop("RequestId"), "a retry has a RequestId of its own")
    TAP.equal(again, first, "a retry repeats the answer")
    TAP.equal(head(), first["Seq"], "a retry appends nothing")
    refusal = TAP.refused("IdempotentParameterMismatch", "other parameters", client.call, "CreateVpc",
                          CidrBlock="10.4.0.0/16", ClientToken="one")
    TAP.equal(refusal.status, 400, "a mismatch is 400")
    TAP.ok(client.call("CreateVpc", CidrBlock="10.3.0.0/16", ClientToken="One")["Seq"] != first["Seq"],
           "tokens have upper and lower case")
    TAP.refused("DryRunOperation", "a dry run of a used token", client.call, "CreateVpc", **params,
                DryRun=True)
    TAP.refused("IdempotentParameterMismatch", "a dry run of a used token with other parameters",
                client.call, "CreateVpc", CidrBlock="10.4.0.0/16", ClientToken="one", DryRun=True)
    TAP.refused("InvalidVpcId.NotFound", "a refused request", client.call, "DeleteVpc", VpcId="vpc-x",
                ClientToken="two")
    vpc = client.call("CreateVpc", CidrBlock="10.4.0.0/16", ClientToken="two")
    deleted = client.call("DeleteVpc", VpcId=vpc["VpcId"], ClientToken="two")
    TAP.ok(deleted["Seq"] > vpc["Seq"], "a refusal leaves no token, and tokens are the operation's own")
    TAP.equal(client.call("DeleteVpc", VpcId=vpc["VpcId"], ClientToken="two")["Seq"], deleted["Seq"],
              "a delete can be retried after it was done")
    TAP.refused("InvalidClientToken.ValueNotSupported", "65 characters", client.call, "CreateVpc",
                CidrBlock="10.4.0.0/16", ClientToken="x" * 65)
    TAP.refused("InvalidClientToken.ValueNotSupported", "not ASCII", client.call, "CreateVpc",
                CidrBlock="10.4.0.0/16", ClientToken="ü")
    SERVER.kill()
    SERVER.start()
    client = Client(SERVER.socket)
    again = client.call("CreateVpc", **params)
    TAP.equal(again["Seq"], first["Seq"], "a token survives kill -9")


def test_times():
    client = Client(SERVER.socket)
    TAP.refused("InvalidParameter", "EventTime in the future", client.call, "CreateVpc",
                CidrBlock="10.5.0.0/16", EventTime="2999-01-01T00:00:00Z")
    TAP.refused("InvalidParameter", "EventTime that is none", client.call, "CreateVpc",
                CidrBlock="10.5.0.0/16", EventTime="yesterday")
    last = client.call("GetStatus")["HeadTime"]
    made = client.call("CreateVpc", CidrBlock="10.5.0.0/16", EventTime="2020-01-01T00:00:00Z")
    TAP.equal(made["Time"], last, "time never runs backwards")


def test_as_of():
    client = Client(SERVER.socket)
    time.sleep(0.02)  # so that the next event has a time of its own
    vpc = client.call("CreateVpc", CidrBlock="10.6.0.0/16")
    time.sleep(0.02)
    gone = client.call("DeleteVpc", VpcId=vpc["VpcId"])
    reads = ("DescribeVpcs", "DescribeVSwitches", "DescribeInstances", "DescribeNetworkInterfaces",
             "DescribeEipAddresses")
    for operation in reads:
        result = client.call(operation, AsOf=0)
        TAP.equal((result["TotalCount"], result["AsOfSeq"]), (0, 0), f"{operation} as of 0 is empty")
    TAP.ok(client.call("GetEntity", Id=vpc["VpcId"], AsOf=vpc["Seq"])["State"]["CidrBlock"] ==
           "10.6.0.0/16", "an entity that is gone is read as of then")
    TAP.ok(client.call("GetEntity", Id=vpc["VpcId"], AsOf=vpc["Time"])["AsOfSeq"] == vpc["Seq"],
           "as of a time")
    refusal = TAP.refused("NotFound", "as of now it is gone", client.call, "GetEntity", Id=vpc["VpcId"])
    TAP.equal(refusal.detail["DeletedSeq"], gone["Seq"], "the refusal says since when")
    refusal = TAP.refused("NotFound", "as of before it was not yet", client.call, "GetEntity",
                          Id=vpc["VpcId"], AsOf=vpc["Seq"] - 1)
    TAP.ok("DeletedSeq" not in refusal.detail, "and was not deleted then")
    TAP.refused("InvalidAsOf.Future", "a seq beyond the head", client.call, "DescribeVpcs", AsOf=1 << 40)
    for wrong in (-1, 1.5, "soon", "2026-13-01T00:00:00Z", [], True, {}):
        TAP.refused("InvalidAsOf.Malformed", f"AsOf {wrong!r}", client.call, "DescribeVpcs", AsOf=wrong)
    TAP.equal(client.call("DescribeVpcs", AsOf="1999-01-01T00:00:00Z")["AsOfSeq"], 0,
              "a time before the first event is seq 0")
    TAP.equal(client.call("DescribeVpcs", AsOf="2999-01-01T00:00:00Z")["AsOfSeq"], gone["Seq"],
              "a time in the future is the head")


def test_pages():
    client = Client(SERVER.socket)
    for i in range(25):
        client.call("CreateVpc", CidrBlock="10.7.0.0/16", VpcName=f"page-{i}")
    wanted = {v["VpcId"] for v in client.call("DescribeVpcs", MaxResults=1000)["Vpcs"]["Vpc"]}
    got, token = [], None
    while token != "":
        params = {"MaxResults": 7}
        if token:
            params["NextToken"] = token
        page = client.call("DescribeVpcs", **params)
        got += [v["VpcId"] for v in page["Vpcs"]["Vpc"]]
        token = page["NextToken"]
        # Things change between the pages; the list is that of its first page.
        new = client.call("CreateVpc", CidrBlock="10.8.0.0/16")
        client.call("DeleteVpc", VpcId=new["VpcId"])
        if len(got) == 7:
            client.call("DeleteVpc", VpcId=got[-1])
            client.call("CreateVpc", CidrBlock="10.8.0.0/16", VpcName="late")
    TAP.equal((set(got), len(got)), (wanted, len(wanted)), "pages are of the moment of the first one")
    TAP.refused("InvalidParameter", "a token of another list", client.call, "DescribeVSwitches",
                NextToken=client.call("DescribeVpcs", MaxResults=1)["NextToken"])
    TAP.refused("InvalidParameter", "a token that is none", client.call, "DescribeVpcs", NextToken="x")
    events = client.call("ListEvents", MaxResults=3)
    TAP.equal([e["Seq"] for e in events["Events"]], [1, 2, 3], "ListEvents begins at 1")
    events = client.call("ListEvents", MaxResults=3, NextToken=events["NextToken"])
    TAP.equal([e["Seq"] for e in events["Events"]], [4, 5, 6], "and goes on")
    last = client.call("GetStatus")["HeadSeq"]
    events = client.call("ListEvents", MaxResults=2, Reverse=True)
    TAP.equal([e["Seq"] for e in events["Events"]], [last, last - 1], "backwards")
    TAP.equal([e["Seq"] for e in client.call("ListEvents", FromSeq=3, ToSeq=5)["Events"]], [3, 4, 5],
              "from and to, both included")
    TAP.equal({e["Type"] for e in client.call("ListEvents", Type="VpcDeleted")["Events"]},
              {"VpcDeleted"}, "of one type")
    TAP.refused("NotFound", "an event that is not there", client.call, "GetEvent", Seq=last + 1)


def main():
    for test in (test_liberal, test_strict, test_broken_frames, test_parameters, test_writes,
                 test_tokens, test_times, test_as_of, test_pages):
        try:
            test()
        except (Refused, OSError, KeyError, AttributeError, TypeError, AssertionError) as problem:
            TAP.ok(False, f"{test.__name__} ran to its end", repr(problem))
    TAP.equal(SERVER.stop(), 0, "after all that, SIGTERM ends the server with 0")
    TAP.ok("rror" not in SERVER.errors, "and it had nothing to complain of", SERVER.errors)
    SERVER.remove()
    TAP.end()


main()
