#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a fresh ledger at a Unix socket, and a client that writes and reads bytes.
Claimed: the native door keeps what it promises: frames however they are cut, what is taken
liberally and what is sent strictly, errors as text and as maps, answers in order, bad input
answered and survived, ClientToken, DryRun, IfSeq, Reason, Actor, EventTime, AsOf, paging."""
import os
import random
import socket
import stat
import struct
import threading
import time
from datetime import datetime, timedelta, timezone

import ledger
from ledger import (Client, Closed, LISTS, Refused, Server, TIME, Tap, UUID, elements, msgpack,
                    within)

TAP = Tap()
SERVER = Server()
LEGAL = {"CidrBlock": "10.0.0.0/16"}
NEW_VPC = ("CreateVpc", LEGAL)


def client(**kwargs):
    return SERVER.client(check=True, **kwargs)


def raw():
    return client(maps=False)


def pack(msgid, method, params):
    return msgpack.packb([0, msgid, method, params])


def code_of(error):
    return error["Code"] if isinstance(error, dict) else str(error).split(":")[0]


def head():
    door = client(maps=False)
    found = door.head()
    door.close()
    return found


def bin_all(value):
    """The same value with every text as bin."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return [bin_all(v) for v in value]
    if isinstance(value, dict):
        return {bin_all(k): bin_all(v) for k, v in value.items()}
    return value


# ---- what is taken ---------------------------------------------------------------------------

def test_no_parameters():
    door = raw()
    for name, params in (("[]", []), ("nil", None), ("[nil]", [None]), ("[[]]", [[]]), ("[{}]", [{}])):
        door.bytes(pack(7, "Ping", params))
        frame = door.frame()
        TAP.ok(frame[:3] == [1, 7, None] and isinstance(frame[3], dict) and
               UUID.match(frame[3].get("RequestId", "")), f"params {name} mean none", frame)
    door.bytes(pack(8, "CreateVpc", None))
    TAP.ok(str(door.frame()[2]).startswith("MissingParameter: "), "nil for params, a member required")


def test_message_ids():
    door = raw()
    for msgid in (0, 1, 127, 128, 255, 256, 65535, 65536, (1 << 32) - 1):
        door.bytes(pack(msgid, "Ping", []))
        TAP.eq(door.frame()[:3], [1, msgid, None], f"msgid {msgid}")
    wide = {"uint8": b"\xcc", "uint16": b"\xcd\0", "uint32": b"\xce\0\0\0", "uint64": b"\xcf" + b"\0" * 7,
            "int8": b"\xd0", "int16": b"\xd1\0", "int32": b"\xd2\0\0\0", "int64": b"\xd3" + b"\0" * 7}
    for name, lead in wide.items():
        for what, frame in (("msgid 5", b"\x94\x00" + lead + b"\x05\xa4Ping\x90"),
                            ("type 0", b"\x94" + lead + b"\x00\x05\xa4Ping\x90")):
            other = raw()
            other.bytes(frame)
            try:
                got = other.frame()
            except Closed as problem:
                got = [repr(problem)]
            TAP.eq(got[:3], [1, 5, None], f"{what} as a {name}")
            other.close()
    door.bytes(b"\xdd\x00\x00\x00\x04\x00\x06\xdb\x00\x00\x00\x04Ping\xdc\x00\x00")
    TAP.eq(door.frame()[:3], [1, 6, None], "the widest headers")
    door.bytes(pack(9, "Ping", []) + pack(9, "Ping", []))
    TAP.eq([door.frame()[1], door.frame()[1]], [9, 9], "one msgid asked twice is answered twice")


def test_bin_and_str():
    door = raw()
    params = {"CidrBlock": "10.1.0.0/16", "VpcName": "as bin", "Reason": "why"}
    door.bytes(msgpack.packb([0, 1, b"CreateVpc", [bin_all(params)]], use_bin_type=True))
    frame = door.frame()
    TAP.ok(frame[2] is None, "method, keys and text as bin", frame)
    event = door.call("GetEvent", Seq=frame[3]["Seq"])
    TAP.eq((event["Operation"], event["Reason"], event["Body"]["VpcName"]),
           ("CreateVpc", "why", "as bin"), "what came as bin is shown as str")
    door.bytes(msgpack.packb([0, 2, "Ping", [{b"Colour": b"red"}]], use_bin_type=True))
    TAP.eq(code_of(door.frame()[2]), "UnsupportedParameter", "an unknown member as bin")
    # The opening of a client from the field: a notification, its method as bin.
    door.bytes(msgpack.packb([2, b"nvim_set_client_info", [b"x", {}, b"remote", {}, {}]],
                             use_bin_type=True) + pack(3, "Ping", []))
    TAP.eq(door.frame()[1], 3, "a notification with a bin method is not answered")


@within(60)
def test_cuts():
    door = raw()
    for byte in pack(1, "CreateVpc", [{"CidrBlock": "10.2.0.0/16", "VpcName": "byte by byte"}]):
        door.bytes(bytes([byte]))
        time.sleep(0.0005)
    TAP.ok(door.frame()[2] is None, "a request one byte at a time")
    door.bytes(b"".join(pack(i, "Ping", []) for i in range(2000)))
    TAP.eq([door.frame()[1] for _ in range(2000)], list(range(2000)), "2000 requests in one write")
    random.seed(7)
    stream = b"".join(pack(i, "DescribeVpcs", [{"MaxResults": 1}]) for i in range(300))
    at = 0
    while at < len(stream):
        size = random.randint(1, 97)
        door.bytes(stream[at:at + size])
        at += size
    TAP.eq([door.frame()[1] for _ in range(300)], list(range(300)), "300 requests, cut anywhere")
    TAP.ok(door.silent(), "and nothing beside their answers")


@within(60)
def test_order():
    door = raw()
    wanted, stream = [], b""
    for i in range(400):
        operation, params = (("CreateVpc", LEGAL), ("Ping", {}), ("DescribeVpcs", {"AsOf": 1}),
                             ("DeleteVpc", {"VpcId": "vpc-x"}), ("MakeCoffee", {}))[i % 5]
        stream += pack(1000 + i, operation, [params])
        wanted.append(1000 + i)
    door.bytes(stream)
    frames = [door.frame() for _ in wanted]
    TAP.eq([f[1] for f in frames], wanted, "writes, reads and refusals are answered in order")
    seqs = [f[3]["Seq"] for f in frames if f[2] is None and "Seq" in f[3]]
    TAP.eq(seqs, list(range(seqs[0], seqs[0] + 80)), "80 writes of one client have seqs in their order")
    TAP.eq([code_of(f[2]) for f in frames[3:5]], ["InvalidVpcId.NotFound", "UnknownOperation"],
           "each answer is that of its request")
    # What a client wrote and was told is there for whoever reads next.
    for operation, member in (("DescribeVpcs", "AsOfSeq"), ("GetStatus", "HeadSeq"), ("Hello", "HeadSeq")):
        door.bytes(pack(1, "CreateVpc", [LEGAL]) + pack(2, operation, []))
        made, read = door.frame()[3], door.frame()[3]
        TAP.ok(read[member] >= made["Seq"], f"{operation} behind a write: {member} is not below its Seq",
               (made["Seq"], read[member]))


def test_ignored():
    door = raw()
    before = head()
    for frame in ([1, 3, None, {}], [1, 0, "Traceback...", None], [1, 0, [1, "Unknown message type"], None],
                  [2, "Event", [{}]], [2, "Ping", []], [2, "CreateVpc", [LEGAL]],
                  [2, "nvim_error_event", [0, "Invalid method"]]):
        door.bytes(msgpack.packb(frame) + pack(4, "Ping", []))
        TAP.eq(door.frame()[:2], [1, 4], f"{frame!r} is ignored")
    TAP.ok(door.silent(), "ignored frames are never answered")
    TAP.eq(head(), before, "a notification carries nothing out")


# ---- what is sent ----------------------------------------------------------------------------

def test_strictness():
    door = client()
    vpc = door.call("CreateVpc", CidrBlock="10.3.0.0/16", VpcName="ü" * 64, Description="d" * 256)
    switch = door.call("CreateVSwitch", VpcId=vpc["VpcId"], ZoneId="cn-hangzhou-a",
                       CidrBlock="10.3.0.0/24")["VSwitchId"]
    door.call("RunInstances", VSwitchId=switch, InstanceType="ecs.g6.large", Amount=20,
              InternetMaxBandwidthOut=5)
    door.call("AllocateEipAddress", Bandwidth="500")
    reads = [("Ping", {}), ("GetStatus", {}), ("ListEvents", {"MaxResults": 1000}),
             ("GetEvent", {"Seq": 1}), ("GetEntity", {"Id": vpc["VpcId"]}),
             ("LookupAddress", {"Address": "10.3.0.5"}), ("DeleteVpc", {"VpcId": vpc["VpcId"]}),
             ("CreateVpc", {"CidrBlock": "x" * 300})]
    for operation, params in reads + [(name, {}) for name in LISTS]:
        try:
            door.call(operation, **params)
        except Refused:
            pass
        TAP.eq(msgpack.packb(msgpack.unpackb(door.last, raw=False)), door.last,
               f"{operation}: packed again it is the same bytes")
    TAP.ok(door.last[0] == 0x94, "the envelope is a fixarray of four")


def test_errors_as_text():
    door = raw()
    door.bytes(pack(1, "DeleteVpc", [{"VpcId": "vpc-nothing"}]))
    frame = door.frame()
    TAP.ok(isinstance(frame[2], str) and frame[2].startswith("InvalidVpcId.NotFound: ") and
           len(frame[2]) > 25 and frame[3] is None, "an error is one text: Code: Message", frame)
    TAP.ok("vpc-nothing" in str(frame[2]), "the sentence has the offending value", frame)
    # The form changes from the answer of Hello on, within one write too.
    door.bytes(pack(2, "DeleteVpc", [{"VpcId": "vpc-nothing"}]) +
               pack(3, "Hello", [{"ErrorFormat": "Map"}]) +
               pack(4, "DeleteVpc", [{"VpcId": "vpc-nothing"}]))
    before, hello, after = door.frame(), door.frame(), door.frame()
    TAP.ok(isinstance(before[2], str) and hello[2] is None and isinstance(after[2], dict),
           "errors are maps from the answer of Hello on", (before, hello, after))
    error = after[2]
    TAP.eq(set(error), {"Code", "Message", "RequestId", "HttpStatus", "Detail"}, "the members of an error")
    TAP.ok(error["Code"] == "InvalidVpcId.NotFound" and error["HttpStatus"] == 404 and
           UUID.match(error["RequestId"]) and error["Detail"]["Ids"] == ["vpc-nothing"] and
           "vpc-nothing" in error["Message"], "their values", error)
    result = hello[3]
    TAP.ok({"Server", "Version", "Protocol", "HeadSeq", "RequestId"} <= set(result) and
           result["Protocol"] == 1 and result["HeadSeq"] == head(), "what Hello answers", result)
    other = raw()
    other.bytes(pack(1, "DeleteVpc", [{"VpcId": "vpc-nothing"}]))
    TAP.ok(isinstance(other.frame()[2], str), "another connection still has text")
    other.bytes(pack(2, "Hello", [{"ErrorFormat": "Song"}]) + pack(3, "Hello", [{"Colour": 1}]) +
                pack(4, "Hello", []))
    TAP.eq(code_of(other.frame()[2]), "InvalidParameter", "Hello: an unknown ErrorFormat")
    TAP.eq(code_of(other.frame()[2]), "UnsupportedParameter", "Hello: an unknown member")
    TAP.ok(other.frame()[2] is None, "Hello without members")


def test_request_ids():
    door = client()
    seen = [door.call("Ping")["RequestId"] for _ in range(200)]
    TAP.ok(all(UUID.match(i) for i in seen) and len(set(seen)) == 200, "RequestIds are UUIDs, each its own")
    made = door.call(*NEW_VPC[:1], **LEGAL)
    TAP.ok(TIME.match(made["Time"]) and isinstance(made["Seq"], int) and UUID.match(made["RequestId"]),
           "a write answers RequestId, Seq and Time", made)
    event = door.call("GetEvent", Seq=made["Seq"])
    TAP.eq((event["RequestId"], event["Time"], event["Seq"]),
           (made["RequestId"], made["Time"], made["Seq"]), "its event has the same")
    now = datetime.now(timezone.utc)
    then = datetime.fromisoformat(made["Time"].replace("Z", "+00:00"))
    TAP.ok(abs(now - then) < timedelta(seconds=5), "Time is now", (now, then))
    TAP.eq(door.head(), made["Seq"], "Seq is the head")


def test_status():
    door = client()
    status = door.call("GetStatus")
    TAP.ok({"Server", "Version", "LedgerId", "HeadSeq", "HeadTime", "HeadRoot", "Counts", "Store",
            "UptimeSeconds"} <= set(status), "the members of GetStatus", sorted(status))
    TAP.eq(set(status["Counts"]), {"Ledger", "Vpc", "VSwitch", "Instance", "NetworkInterface", "Eip",
                                   "Ipv6Address", "Ipv6Gateway", "Ipv6InternetBandwidth"},
           "Counts has every kind")
    TAP.ok(len(status["HeadRoot"]) == 64 and not set(status["HeadRoot"]) - set("0123456789abcdef"),
           "HeadRoot is hex", status["HeadRoot"])
    TAP.ok(TIME.match(status["HeadTime"]), "HeadTime", status["HeadTime"])
    vpcs = len(door.all("DescribeVpcs", MaxResults=1000))
    TAP.eq(status["Counts"]["Vpc"], vpcs, "Counts are those of the lists")


# ---- what is broken --------------------------------------------------------------------------

def push(door, data):
    """Send what the other side may not want to the end."""
    try:
        door.bytes(data)
    except OSError:
        pass


def dead(name, data, codes=None, msgid=5):
    """DATA ends the connection, after one error answer where CODES are given."""
    door = raw()
    push(door, data)
    try:
        frame = door.frame()
    except Closed:
        frame = None
    except (socket.timeout, TimeoutError):
        TAP.ok(False, f"{name}: answered or closed", "neither within the time")
        door.close()
        return
    if codes:
        TAP.ok(frame is not None and frame[0] == 1 and frame[1] == msgid and frame[3] is None and
               code_of(frame[2]) in codes, f"{name}: {codes[0]}", frame)
        TAP.ok(frame is None or door.closed(), f"{name}: the connection ends")
    else:
        TAP.ok(frame is None, f"{name}: the connection ends without an answer", frame)
    door.close()


def alive(name, data, codes, msgid=5):
    """DATA gets one error answer and the connection goes on."""
    door = raw()
    door.bytes(data + pack(99, "Ping", []))
    try:
        frame = door.frame()
        TAP.ok(frame[:2] == [1, msgid] and frame[3] is None and code_of(frame[2]) in codes,
               f"{name}: {codes[0]}", frame)
        frame = door.frame()
        TAP.ok(frame[:3] == [1, 99, None], f"{name}: the connection goes on", frame)
    except (Closed, socket.timeout, TimeoutError) as problem:
        TAP.ok(False, f"{name}: {codes[0]}, and the connection goes on", repr(problem))
    door.close()


def either(name, data, codes, msgid=5):
    """One error answer, or the end of the connection, or both; then others are served."""
    door = raw()
    push(door, data)
    try:
        frame = door.frame()
        TAP.ok(frame[0] == 1 and frame[3] is None and code_of(frame[2]) in codes,
               f"{name}: {codes[0]} or the end", frame)
    except Closed:
        TAP.ok(True, f"{name}: {codes[0]} or the end")
    except (socket.timeout, TimeoutError):
        TAP.ok(False, f"{name}: {codes[0]} or the end", "neither within the time")
    door.close()


MALFORMED = ("MalformedRequest",)
SIZE = ("FrameTooLarge", "MalformedRequest")


@within(120)
def test_no_frame():
    dead("0xc1", b"\xc1")
    dead("0xc1 behind a msgid", b"\x94\x00\x05\xc1", MALFORMED)
    dead("0xc1 inside the parameters", b"\x94\x00\x05\xa4Ping\x91\x81\xa1a\xc1", MALFORMED)
    dead("an integer", b"\x07")
    dead("nil", b"\xc0")
    dead("a text", b"\xa5hello")
    dead("a map", msgpack.packb({"a": 1}))
    dead("an empty array", b"\x90")
    dead("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    either("an unknown type of message", msgpack.packb([3, 5, "Ping", []]), MALFORMED)
    either("a type that is no number", msgpack.packb(["0", 5, "Ping", []]), MALFORMED)
    for name, msgid in (("above 2^32-1", 1 << 32), ("negative", -1), ("a text", "5"), ("nil", None),
                        ("2^64-1", (1 << 64) - 1), ("a float", 5.0), ("an array", [])):
        either(f"a msgid that is {name}", msgpack.packb([0, msgid, "Ping", []]), MALFORMED)
    # What came before the broken frame is answered.
    door = raw()
    door.bytes(pack(1, "Ping", []) + pack(2, "Ping", []) + b"\xc1" + pack(3, "Ping", []))
    got = []
    try:
        while True:
            got.append(door.frame()[1])
    except Closed:
        pass
    TAP.eq(got, [1, 2], "requests before a broken frame are answered, none after")


@within(120)
def test_claims():
    """Five bytes that claim four thousand million elements."""
    before = SERVER.memory()
    dead("an outer array32 of 2^32-1", b"\xdd\xff\xff\xff\xff")
    dead("an outer array16 of 65535", b"\xdc\xff\xff" + b"\xc0" * 65535)
    lead = b"\x94\x00\x05\xa4Ping"
    for name, claim in (("an array32", b"\xdd"), ("a map32", b"\xdf"), ("a str32", b"\xdb"),
                        ("a bin32", b"\xc6"), ("an ext32", b"\xc9")):
        door = raw()
        door.bytes(lead + b"\x91\x81\xa1a" + claim + b"\xff\xff\xff\xff")
        answered = False
        try:
            door.sock.settimeout(2)
            frame = door.frame()
            answered = frame[1] == 5 and code_of(frame[2]) in SIZE
        except (socket.timeout, TimeoutError):
            # It may wait for what was claimed, but not beyond the longest frame.
            door.sock.settimeout(20)
            try:
                for _ in range(40):
                    door.bytes(b"\x00" * 32768)
            except OSError:
                pass
            try:
                frame = door.frame()
                answered = frame[1] == 5 and code_of(frame[2]) in SIZE
            except (Closed, socket.timeout, TimeoutError) as problem:
                frame = problem
        except Closed as problem:
            frame = problem
        TAP.ok(answered, f"{name} of 2^32-1 inside a request: one error answer", frame)
        TAP.ok(door.closed(), f"{name} of 2^32-1 inside a request: the connection ends")
        door.close()
    for name, method in (("an array32", b"\xdd"), ("a str32", b"\xdb")):
        either(f"{name} of 2^32-1 for a method", b"\x94\x00\x05" + method + b"\xff\xff\xff\xff" +
               b"\x00" * ((1 << 20) + 100), SIZE)
    grown = SERVER.memory() - before
    TAP.ok(grown < 100_000, "claims cost no memory", f"grown by {grown} kB")


@within(120)
def test_sizes():
    def frame_of(size, msgid=5):
        lead = b"\x94\x00" + bytes([msgid]) + b"\xa4Ping\x91\x81\xa1a\xdb"
        body = size - len(lead) - 4
        return lead + struct.pack(">I", body) + b"x" * body

    alive("a frame of 1 MiB", frame_of(1 << 20), ("UnsupportedParameter",))
    dead("a frame of 1 MiB and a byte", frame_of((1 << 20) + 1), ("FrameTooLarge",))
    dead("a frame of 8 MiB", frame_of(8 << 20), ("FrameTooLarge",))
    many = {f"k{i}": i for i in range(60_000)}
    alive("60,000 unknown members", pack(5, "Ping", [many]), ("UnsupportedParameter",))

    def nested(depth):
        """A request in which containers reach DEPTH; the outermost array is the first."""
        return b"\x94\x00\x05\xa4Ping\x91\x81\xa1a" + b"\x91" * (depth - 4) + b"\x90"

    alive("nested 32 deep", nested(32), ("UnsupportedParameter",))
    dead("nested 33 deep", nested(33), MALFORMED)
    dead("nested 100,000 deep", nested(100_000), MALFORMED)
    door = raw()
    push(door, pack(1, "Ping", []) + frame_of((1 << 20) + 1))
    TAP.eq((door.frame()[1], code_of(door.frame()[2])), (1, "FrameTooLarge"),
           "a request before a frame that is too large is answered first")
    mapped = client()
    push(mapped, frame_of((1 << 20) + 1))
    error = mapped.frame()[2]
    TAP.ok(isinstance(error, dict) and error["HttpStatus"] == 413, "FrameTooLarge is 413", error)


@within(120)
def test_no_request():
    """A frame that parses but is no request: the border is known, the connection stays."""
    pk = msgpack.packb
    alive("three elements", pk([0, 5, "Ping"]), MALFORMED)
    alive("five elements", pk([0, 5, "Ping", [], 1]), MALFORMED)
    alive("a number for a method", pk([0, 5, 7, []]), MALFORMED)
    alive("nil for a method", pk([0, 5, None, []]), MALFORMED)
    alive("a number for params", pk([0, 5, "Ping", 3]), MALFORMED)
    alive("a text for params", pk([0, 5, "Ping", "x"]), MALFORMED)
    alive("a number in params", pk([0, 5, "Ping", [3]]), MALFORMED)
    alive("a text in params", pk([0, 5, "Ping", ["x"]]), MALFORMED)
    alive("an array with elements in params", pk([0, 5, "Ping", [[1]]]), MALFORMED)
    alive("two maps in params", pk([0, 5, "Ping", [{}, {}]]), MALFORMED)
    lead = b"\x94\x00\x05\xa4Ping\x91"
    alive("a repeated key", lead + b"\x82\xa1a\x01\xa1a\x02", MALFORMED)
    alive("a key as str and again as bin", lead + b"\x82\xa1a\x01\xc4\x01a\x02", MALFORMED)
    alive("a repeated key further inside", lead + b"\x81\xa1a\x91\x82\xa1b\x01\xa1b\x01", MALFORMED)
    for name, key in (("a number", 1), ("nil", None), ("a boolean", True)):
        alive(f"a key that is {name}", pk([0, 5, "Ping", [{key: 1}]]), MALFORMED)
    alive("a key that is an array", lead + b"\x81\x90\x01", MALFORMED)
    alive("a key that is an ext", lead + b"\x81\xd4\x01x\x01", MALFORMED)
    alive("a key that is a number further inside", pk([0, 5, "CreateVpc", [{"CidrBlock": {1: 2}}]]), MALFORMED)
    alive("a value that is not UTF-8", lead + b"\x81\xa1a\xa2\xff\xfe", MALFORMED)
    alive("a key that is not UTF-8", lead + b"\x81\xa2\xff\xfe\x01", MALFORMED)
    alive("a method that is not UTF-8", b"\x94\x00\x05\xa2\xff\xfe\x90", MALFORMED)
    alive("a surrogate in UTF-8", lead + b"\x81\xa1a\xa3\xed\xa0\x80", MALFORMED)
    alive("an overlong form in UTF-8", lead + b"\x81\xa1a\xa2\xc0\x80", MALFORMED)
    alive("a bin that is not UTF-8", lead + b"\x81\xa1a\xc4\x02\xff\xfe", MALFORMED)
    alive("an unknown operation", pack(5, "MakeCoffee", []), ("UnknownOperation",))
    alive("an operation in lower case", pack(5, "ping", []), ("UnknownOperation",))
    alive("an operation without a name", pack(5, "", []), ("UnknownOperation", "MalformedRequest"))
    alive("an operation with a NUL", pack(5, "Ping\0x", []), ("UnknownOperation", "MalformedRequest"))
    alive("an operation of 100,000 letters", pack(5, "x" * 100_000, []), ("UnknownOperation", "MalformedRequest"))
    mapped = client()
    TAP.refused(mapped.call, "MakeCoffee", {}, "UnknownOperation", status=404)
    mapped.bytes(msgpack.packb([0, 5, "Ping", 3]))
    error = mapped.frame()[2]
    TAP.eq((error["Code"], error["HttpStatus"]), ("MalformedRequest", 400), "MalformedRequest is 400")


def test_odd_values():
    bad = ("InvalidParameter", "MalformedRequest")
    for name, value in (("an ext", msgpack.ExtType(1, b"x")), ("a timestamp", msgpack.Timestamp(1, 0)),
                        ("a long ext", msgpack.ExtType(5, b"x" * 300))):
        alive(f"{name} for a text", pack(5, "CreateVpc", [{"CidrBlock": value}]), bad)
    for name, value in (("NaN", float("nan")), ("infinity", float("inf")), ("1.5", 1.5), ("-1", -1),
                        ("2^63", 1 << 63), ("2^64-1", (1 << 64) - 1), ("-2^63", -(1 << 63)),
                        ("a text", "7"), ("true", True), ("an array", [1]), ("a map", {"a": 1})):
        alive(f"MaxResults: {name}", pack(5, "DescribeVpcs", [{"MaxResults": value}]), ("InvalidParameter",))
        alive(f"IfSeq: {name}", pack(5, "CreateVpc", [dict(LEGAL, IfSeq=value)]), ("InvalidParameter",))
    for value in (1, 1.0, "true", "True", 0, [], {}):
        alive(f"DryRun: {value!r}", pack(5, "CreateVpc", [dict(LEGAL, DryRun=value)]), ("InvalidParameter",))
    for member in ("CidrBlock", "VpcName", "ClientToken", "Reason", "Actor", "EventTime", "RegionId"):
        for value in (1, 1.5, True, [1], {"a": 1}, float("nan")):
            alive(f"{member}: {value!r}", pack(5, "CreateVpc", [dict(LEGAL, **{member: value})]),
                  ("InvalidParameter", "InvalidClientToken.ValueNotSupported"))
    before = head()
    alive("a text with a NUL", pack(5, "CreateVpc", [{"CidrBlock": "10.0.0.0/16\0x"}]), bad)
    TAP.eq(head(), before, "none of it left an event")


def test_unknown_ledger():
    """The ledger still serves after all of the above, with memory within bounds."""
    door = client()
    TAP.ok(door.call("Ping")["RequestId"], "a well-behaved client is served")
    TAP.ok(SERVER.alive() and SERVER.memory() < 500_000, "the server is well", SERVER.memory())


@within(120)
def test_vanishing():
    before = head()
    whole = pack(1, "CreateVpc", [{"CidrBlock": "10.9.0.0/16", "VpcName": "vanished"}])
    for cut in range(1, len(whole)):
        door = raw()
        door.bytes(whole[:cut])
        door.close()
    time.sleep(0.3)
    TAP.eq(head(), before, "a client that vanishes inside a request leaves nothing")
    for _ in range(20):
        door = raw()
        door.bytes(whole * 5)
        door.close()
    time.sleep(0.5)
    door = client()
    after = door.head()
    TAP.ok(0 <= after - before <= 100, "a client that goes before its answers leaves whole operations",
           (before, after))
    TAP.ok(all(e["Type"] == "VpcCreated" for e in door.all("ListEvents", FromSeq=before + 1)),
           "each is an event like any other")
    half = raw()
    half.bytes(pack(1, "Ping", []) + whole[:10])
    half.sock.shutdown(socket.SHUT_WR)
    TAP.eq(half.frame()[1], 1, "a client that shuts its half gets what it asked before")
    TAP.ok(half.closed(), "and then the end")


@within(120)
def test_deaf_client():
    """One client asks and asks and reads nothing: it may be held or dropped, others are served."""
    deaf = raw()
    deaf.sock.setblocking(False)
    one = b"".join(pack(i, "ListEvents", [{"MaxResults": 1000}]) for i in range(200))
    sent, end = 0, time.monotonic() + 8
    before = SERVER.memory()
    while time.monotonic() < end and sent < (8 << 20):
        try:
            sent += deaf.sock.send(one)
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            break
    start = time.monotonic()
    client().call("CreateVpc", **LEGAL)
    TAP.ok(time.monotonic() - start < 3, "another client is served meanwhile", time.monotonic() - start)
    grown = SERVER.memory() - before
    TAP.ok(grown < 300_000, "the answers nobody reads cost bounded memory", f"{grown} kB for {sent} bytes")
    deaf.close()


@within(60)
def test_many_clients():
    doors = [client() for _ in range(100)]
    for door in doors:
        door.bytes(pack(1, "CreateVpc", [dict(LEGAL, VpcName="one of many")]) * 3)
    seqs = [door.frame()[3]["Seq"] for door in doors for _ in range(3)]
    TAP.eq(len(set(seqs)), 300, "300 writes of 100 clients at once have 300 seqs")
    TAP.eq((min(seqs), max(seqs)), (max(seqs) - 299, head()), "without a gap")


# ---- members ---------------------------------------------------------------------------------

def test_members():
    door = client()
    cases = (
        ("missing", "MissingParameter", 400, "CidrBlock", "CreateVpc", {}),
        ("nil", "MissingParameter", 400, "CidrBlock", "CreateVpc", {"CidrBlock": None}),
        ("missing, the first of two", "MissingParameter", 400, None, "AttachNetworkInterface", {}),
        ("missing in the ENI family", "MissingParameter", 403, "NetworkInterfaceId",
         "UnassignPrivateIpAddresses", {"PrivateIpAddress": ["10.0.0.1"]}),
        ("an empty list that is required", "MissingParameter", 403, "PrivateIpAddress",
         "UnassignPrivateIpAddresses", {"NetworkInterfaceId": "eni-x", "PrivateIpAddress": []}),
        ("wrong type", "InvalidParameter", 400, "CidrBlock", "CreateVpc", {"CidrBlock": 10}),
        ("wrong type in a list", "InvalidParameter", 400, ("PrivateIpAddress[2]", "PrivateIpAddress"),
         "UnassignPrivateIpAddresses", {"NetworkInterfaceId": "eni-x", "PrivateIpAddress": ["10.0.0.1", 2]}),
        ("a text where a list is", "InvalidParameter", 400, "PrivateIpAddress",
         "UnassignPrivateIpAddresses", {"NetworkInterfaceId": "eni-x", "PrivateIpAddress": "10.0.0.1"}),
        ("unknown", "UnsupportedParameter", 400, "Colour", "CreateVpc", dict(LEGAL, Colour="red")),
        ("unknown in a read", "UnsupportedParameter", 400, "Colour", "DescribeVpcs", {"Colour": "red"}),
        ("unknown in the small", "UnsupportedParameter", 400, "cidrBlock", "CreateVpc",
         dict(LEGAL, cidrBlock="x")),
        ("the flat form", "UnsupportedParameter", 400, "PrivateIpAddress.1", "CreateNetworkInterface",
         {"VSwitchId": "vsw-x", "PrivateIpAddress.1": "10.0.0.1"}),
        ("a decimal text for a number", "InvalidParameter", 400, "Amount", "RunInstances",
         {"InstanceType": "ecs.g6.large", "VSwitchId": "vsw-x", "Amount": "2"}),
        ("inside a list of maps", "InvalidParameter", 400, "NetworkInterface[2].PrimaryIpAddress",
         "RunInstances", {"InstanceType": "ecs.g6.large", "VSwitchId": "vsw-x",
                          "NetworkInterface": [{}, {"PrimaryIpAddress": 5}]}),
        ("unknown inside a list of maps", "UnsupportedParameter", 400, "NetworkInterface[1].Colour",
         "RunInstances", {"InstanceType": "ecs.g6.large", "VSwitchId": "vsw-x",
                          "NetworkInterface": [{"Colour": "red"}]}),
        ("no map inside a list of maps", "InvalidParameter", 400,
         ("NetworkInterface[1]", "NetworkInterface"), "RunInstances",
         {"InstanceType": "ecs.g6.large", "VSwitchId": "vsw-x", "NetworkInterface": [5]}),
        ("missing before unknown", "MissingParameter", 400, "CidrBlock", "CreateVpc", {"Colour": "red"}),
        ("wrong type before unknown", "InvalidParameter", 400, "CidrBlock", "CreateVpc",
         {"CidrBlock": 1, "Colour": "red"}),
        ("unknown before region", "UnsupportedParameter", 400, "Colour", "CreateVpc",
         dict(LEGAL, RegionId="mars-1", Colour="red")),
    )
    for name, code, status, path, operation, params in cases:
        detail = {"Parameter": path or ...}
        TAP.refused(door.call, operation, params, code, f"{name}: {code}", status=status, **detail)
    for operation in LISTS:
        for member in ("PageNumber", "PageSize"):
            TAP.refused(door.call, operation, {member: 1}, "UnsupportedParameter",
                        f"{operation}: {member}", status=400, Parameter=member)
        for size in (0, 1001, -1):
            TAP.refused(door.call, operation, {"MaxResults": size}, "InvalidParameter",
                        f"{operation}: MaxResults {size}", status=400, Parameter="MaxResults")
        TAP.ok(isinstance(elements(door.call(operation, MaxResults=1)), list), f"{operation}: MaxResults 1")
        TAP.ok(isinstance(elements(door.call(operation, MaxResults=1000)), list), f"{operation}: MaxResults 1000")
        TAP.ok(isinstance(elements(door.call(operation, RegionId="cn-hangzhou", DryRun=True)), list),
               f"{operation}: DryRun on a read means nothing")
        TAP.refused(door.call, operation, {"RegionId": "mars-1"}, "InvalidRegionId.NotFound",
                    f"{operation}: another region", status=404)
    TAP.refused(door.call, "CreateVpc", dict(LEGAL, RegionId="mars-1"), "InvalidRegionId.NotFound",
                status=404)
    TAP.ok(door.call("CreateVpc", **LEGAL, RegionId="cn-hangzhou")["Seq"], "the ledger's own region by name")


def test_lists_as_text():
    """The cloud's comma lists and JSON texts are taken as that text, and as an array."""
    door = client()
    one, two = (door.call("AllocateEipAddress")["AllocationId"] for _ in range(2))
    vpc, other = (door.call("CreateVpc", **LEGAL)["VpcId"] for _ in range(2))
    switch = door.call("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-b", CidrBlock="10.0.0.0/24")["VSwitchId"]
    ids = door.call("RunInstances", VSwitchId=switch, InstanceType="ecs.g6.large",
                    Amount=2)["InstanceIdSets"]["InstanceIdSet"]
    for operation, member, key, wanted, text in (
            ("DescribeEipAddresses", "AllocationId", "AllocationId", [one, two], f"{one},{two}"),
            ("DescribeVpcs", "VpcId", "VpcId", [vpc, other], f"{vpc},{other}"),
            ("DescribeInstances", "InstanceIds", "InstanceId", ids, f'["{ids[0]}","{ids[1]}"]')):
        for form, value in (("text", text), ("an array", wanted)):
            got = [e[key] for e in elements(door.call(operation, **{member: value}))]
            TAP.eq(sorted(got), sorted(wanted), f"{operation} {member} as {form}")
    for value in ("[", '["i-x"', "{}", '[1]', '[["i-x"]]'):
        TAP.refused(door.call, "DescribeInstances", {"InstanceIds": value}, "InvalidParameter",
                    f"InstanceIds {value!r}", status=400, Parameter="InstanceIds")
    for value, good in (("7", True), (7, True), ("007x", False), (7.5, False), ("-7", False), (True, False)):
        if good:
            eip = door.call("AllocateEipAddress", Bandwidth=value)["AllocationId"]
            got = elements(door.call("DescribeEipAddresses", AllocationId=eip))[0]["Bandwidth"]
            TAP.eq(got, "7", f"an EIP's Bandwidth {value!r} reads as a text")
        else:
            TAP.refused(door.call, "AllocateEipAddress", {"Bandwidth": value}, "InvalidParameter",
                        f"an EIP's Bandwidth {value!r}", status=400, Parameter="Bandwidth")


# ---- what every write takes ------------------------------------------------------------------

def replays(door, params, first, name):
    again = door.call("CreateVpc", **params)
    TAP.ok(again["RequestId"] != first["RequestId"], f"{name}: a RequestId of its own")
    strip = lambda result: {k: v for k, v in result.items() if k != "RequestId"}
    TAP.eq(strip(again), strip(first), f"{name}: the first answer again")
    TAP.eq(door.call("GetEvent", Seq=first["Seq"])["RequestId"], first["RequestId"],
           f"{name}: the event keeps the first RequestId")


def test_tokens():
    door = client()
    params = {"CidrBlock": "10.3.0.0/16", "ClientToken": "one"}
    first = door.call("CreateVpc", **params)
    base = first["Seq"]
    replays(door, params, first, "a retry")
    replays(door, dict(params, Reason="r", Actor="bob", IfSeq=base), first, "a retry with Reason, Actor and IfSeq")
    replays(door, dict(params, RegionId="cn-hangzhou"), first, "a retry that names the default region")
    TAP.eq(door.head(), base, "retries append nothing")
    TAP.refused(door.call, "CreateVpc", dict(params, CidrBlock="10.4.0.0/16"), "IdempotentParameterMismatch",
                "other parameters", status=400)
    TAP.refused(door.call, "CreateVpc", dict(params, VpcName="x"), "IdempotentParameterMismatch",
                "one parameter more", status=400)
    TAP.refused(door.call, "CreateVpc", dict(params, RegionId="mars-1"),
                ("IdempotentParameterMismatch",), "the token is looked up before the region", status=400)
    TAP.refused(door.call, "CreateVpc", dict(params, Colour=1), "UnsupportedParameter",
                "unknown members come before the token")
    TAP.refused(door.call, "CreateVpc", {"ClientToken": "one"}, "MissingParameter",
                "the shape comes before the token")
    TAP.ok(door.call("CreateVpc", **dict(params, ClientToken="One"))["Seq"] > base,
           "upper and lower case are different tokens")
    TAP.refused(door.call, "CreateVpc", dict(params, DryRun=True), "DryRunOperation",
                "DryRun with a used token")
    TAP.refused(door.call, "CreateVpc", dict(params, CidrBlock="10.4.0.0/16", DryRun=True),
                "IdempotentParameterMismatch", "DryRun with a used token and other parameters")
    TAP.refused(door.call, "CreateVpc", {"CidrBlock": "nonsense", "ClientToken": "one"},
                "IdempotentParameterMismatch", "the token comes before the value of a parameter")
    # The scope of a token is its operation.
    made = door.call("AllocateEipAddress", ClientToken="one")
    TAP.ok(made["Seq"] > base, "the same token at another operation is another one")
    door.call("DeleteVpc", VpcId=first["VpcId"], ClientToken="one")
    replays(door, params, first, "a retry after the thing is gone")
    gone = door.call("DeleteVpc", VpcId=first["VpcId"], ClientToken="one")
    TAP.eq(door.call("GetEvent", Seq=gone["Seq"])["Type"], "VpcDeleted", "a delete can be asked for again")
    for token in ("x" * 64, "!\"#$ %&'()*+,-./:;<=>?@[]^_`{|}~"):
        TAP.ok(door.call("CreateVpc", CidrBlock="10.5.0.0/16", ClientToken=token)["Seq"],
               f"a token of {len(token)} ASCII characters")
    for token in ("x" * 65, "ü", "日本"):
        TAP.refused(door.call, "CreateVpc", {"CidrBlock": "10.5.0.0/16", "ClientToken": token},
                    "InvalidClientToken.ValueNotSupported", f"a token {token[:3]!r} of {len(token)} characters",
                    status=400)


def test_tokens_that_are_not_left():
    door = client()
    TAP.refused(door.call, "DeleteVpc", {"VpcId": "vpc-nothing", "ClientToken": "two"},
                "InvalidVpcId.NotFound")
    vpc = door.call("CreateVpc", **LEGAL)["VpcId"]
    TAP.ok(door.call("DeleteVpc", VpcId=vpc, ClientToken="two")["Seq"], "a refused request leaves no token")
    TAP.refused(door.call, "CreateVpc", dict(LEGAL, ClientToken="three", DryRun=True), "DryRunOperation")
    made = door.call("CreateVpc", CidrBlock="10.8.0.0/16", ClientToken="three")
    TAP.ok(made["Seq"], "a dry run leaves no token")
    vpc = door.call("CreateVpc", **LEGAL)["VpcId"]
    switch = door.call("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-a", CidrBlock="10.0.0.0/24")["VSwitchId"]
    first, second = door.call("RunInstances", VSwitchId=switch, InstanceType="ecs.g6.large", Amount=2,
                              InternetMaxBandwidthOut=1)["InstanceIdSets"]["InstanceIdSet"]
    answer = door.call("AllocatePublicIpAddress", InstanceId=first, ClientToken="four")
    other = door.call("AllocatePublicIpAddress", InstanceId=second, ClientToken="four")
    TAP.ok(answer["IpAddress"] != other["IpAddress"], "an operation that appended nothing leaves no token")
    params = {"VSwitchId": switch, "InstanceType": "ecs.g6.large", "ClientToken": "five"}
    made = door.call("RunInstances", **params)
    TAP.eq(door.call("RunInstances", **params, Amount=1)["Seq"], made["Seq"],
           "parameters are compared after their defaults")
    TAP.refused(door.call, "RunInstances", dict(params, Amount=2), "IdempotentParameterMismatch")
    seqs = set()
    stream = b"".join(pack(i, "CreateVpc", [{"CidrBlock": "10.7.0.0/16", "ClientToken": "six"}])
                      for i in range(50))
    doors = [client() for _ in range(4)]
    before = door.head()
    for one in doors:
        one.bytes(stream)
    for one in doors:
        seqs |= {one.frame()[3]["Seq"] for _ in range(50)}
    TAP.eq((len(seqs), door.head()), (1, before + 1), "200 requests at once with one token are one event")


def test_tokens_survive():
    door = client()
    params = {"CidrBlock": "10.13.0.0/16", "ClientToken": "restart", "Reason": "before"}
    first = door.call("CreateVpc", **params)
    for hard in (True, False):
        SERVER.restart(hard=hard)
        again = client()
        name = "kill -9" if hard else "a stop"
        replays(again, params, first, f"after {name}")
        TAP.refused(again.call, "CreateVpc", dict(params, CidrBlock="10.4.0.0/16"),
                    "IdempotentParameterMismatch", f"after {name}: other parameters")
        TAP.eq(again.head(), first["Seq"], f"after {name}: nothing appended")


def test_dry_run():
    door = client()
    vpc = door.call("CreateVpc", **LEGAL)["VpcId"]
    before, counts = door.head(), door.call("GetStatus")["Counts"]
    TAP.refused(door.call, "CreateVpc", dict(LEGAL, DryRun=True), "DryRunOperation",
                "a dry run that would pass", status=400)
    TAP.refused(door.call, "CreateVpc", {"CidrBlock": "nonsense", "DryRun": True}, "InvalidParameter",
                "a dry run that would be refused")
    TAP.refused(door.call, "DeleteVpc", {"VpcId": vpc, "DryRun": True, "IfSeq": before - 1},
                "PreconditionFailed", "IfSeq comes before DryRun")
    for operation, params in (
            ("CreateVSwitch", {"VpcId": vpc, "ZoneId": "cn-hangzhou-a", "CidrBlock": "10.0.0.0/24"}),
            ("DeleteVpc", {"VpcId": vpc}), ("AllocateEipAddress", {})):
        TAP.refused(door.call, operation, dict(params, DryRun=True), "DryRunOperation", f"DryRun of {operation}")
    TAP.eq((door.head(), door.call("GetStatus")["Counts"]), (before, counts), "dry runs change nothing")
    TAP.ok(door.call("DeleteVpc", VpcId=vpc, DryRun=False)["Seq"] == before + 1, "DryRun false is none")


def test_if_seq():
    door = client()
    vpc = door.call("CreateVpc", **LEGAL)
    TAP.ok(door.call("CreateVpc", **LEGAL, IfSeq=0)["Seq"], "IfSeq on what touches nothing that existed")
    params = {"VpcId": vpc["VpcId"], "ZoneId": "cn-hangzhou-a"}
    switch = door.call("CreateVSwitch", **params, CidrBlock="10.0.0.0/24", IfSeq=vpc["Seq"])
    TAP.ok(switch["Seq"], "IfSeq equal to the last change passes")
    refusal = TAP.refused(door.call, "CreateVSwitch", dict(params, CidrBlock="10.0.1.0/24", IfSeq=vpc["Seq"]),
                          "PreconditionFailed", status=412, Ids=[vpc["VpcId"]])
    if refusal:
        TAP.ok(str(switch["Seq"]) in str(refusal.detail) or str(switch["Seq"]) in refusal.message,
               "PreconditionFailed tells the last seq of what changed", refusal.error)
    TAP.ok(door.call("CreateVSwitch", **params, CidrBlock="10.0.1.0/24", IfSeq=switch["Seq"])["Seq"],
           "with the seq that was told it passes")
    TAP.ok(door.call("CreateVSwitch", **params, CidrBlock="10.0.2.0/24", IfSeq=door.head())["Seq"],
           "IfSeq at the head passes")
    TAP.refused(door.call, "CreateVpc", dict(LEGAL, IfSeq=door.head() + 1), "InvalidParameter",
                "IfSeq beyond the head", status=400, Parameter="IfSeq")
    TAP.refused(door.call, "DeleteVSwitch", {"VSwitchId": "vsw-nothing", "IfSeq": 0},
                "InvalidVSwitchId.NotFound", "what does not exist comes before IfSeq")


def test_reason_and_actor():
    door = client()
    for name, reason in (("256 bytes of Reason", "x" * 256), ("128 letters of two bytes", "ü" * 128),
                         ("64 of four bytes", "😀" * 64)):
        made = door.call("CreateVpc", **LEGAL, Reason=reason)
        TAP.eq(door.call("GetEvent", Seq=made["Seq"])["Reason"], reason, f"{name} are kept")
    for name, reason in (("257 bytes", "x" * 257), ("129 letters of two bytes", "ü" * 129)):
        TAP.refused(door.call, "CreateVpc", dict(LEGAL, Reason=reason), "InvalidParameter", f"{name} of Reason",
                    status=400, Parameter="Reason")
    made = door.call("CreateVpc", **LEGAL, Actor="alice@example.com", Reason="ticket 4711")
    event = door.call("GetEvent", Seq=made["Seq"])
    TAP.eq((event["Actor"], event["Reason"], event["Principal"]),
           ("alice@example.com", "ticket 4711", f"uid:{os.getuid()}"), "Actor stands beside the Principal")
    got = door.all("ListEvents", Actor="alice@example.com")
    TAP.eq([e["Seq"] for e in got], [made["Seq"]], "ListEvents by Actor")
    event = door.call("GetEvent", Seq=door.call("CreateVpc", **LEGAL)["Seq"])
    TAP.ok(not event.get("Actor") and not event.get("Reason"), "no Actor, no Reason", event)


def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_event_time():
    server = Server(init={"EventTime": "2020-01-01T00:00:00Z"})
    try:
        door = server.client()
        TAP.eq(door.call("GetEvent", Seq=1)["Time"], "2020-01-01T00:00:00.000Z",
               "the first event has the EventTime of the settings")
        cases = (("later than the last event", "2020-01-02T00:00:00Z", "2020-01-02T00:00:00.000Z"),
                 ("earlier than the last event", "2020-01-01T12:00:00Z", "2020-01-02T00:00:00.000Z"),
                 ("with an offset", "2020-01-03T08:00:00+08:00", "2020-01-03T00:00:00.000Z"),
                 ("with a fraction", "2020-01-03T00:00:00.25Z", "2020-01-03T00:00:00.250Z"),
                 ("in 1970", "1970-01-01T00:00:00Z", "2020-01-03T00:00:00.250Z"))
        for name, given, wanted in cases:
            made = door.call("CreateVpc", **LEGAL, EventTime=given)
            TAP.eq(made["Time"], wanted, f"EventTime {name}")
        ahead = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        TAP.refused(door.call, "CreateVpc", dict(LEGAL, EventTime=ahead), "InvalidParameter",
                    "EventTime in the future", status=400, Parameter="EventTime")
        for wrong in ("yesterday", "", "2020-01-03", "2020-01-03T00:00:00", "2020-02-30T00:00:00Z",
                      "2020-01-03T24:00:00Z", "2020-01-03T00:00:00Zx"):
            TAP.refused(door.call, "CreateVpc", dict(LEGAL, EventTime=wrong), "InvalidParameter",
                        f"EventTime {wrong!r}", status=400, Parameter="EventTime")
        made = door.call("CreateVpc", **LEGAL)
        TAP.ok(abs(datetime.now(timezone.utc) - at(made["Time"])) < timedelta(seconds=5), "without it: now")
        late = door.call("CreateVpc", **LEGAL, EventTime="2020-01-04T00:00:00Z")
        TAP.eq(late["Time"], made["Time"], "time never goes backwards")
        times = [e["Time"] for e in door.all("ListEvents", MaxResults=1000)]
        TAP.eq(times, sorted(times), "the times of the log rise")
    finally:
        server.remove()


# ---- reads of the past -----------------------------------------------------------------------

def plant(door, name):
    """One of everything; the ids by kind and the seqs of their making."""
    made = {}
    made["Vpc"] = door.call("CreateVpc", CidrBlock="10.6.0.0/16", VpcName=name)
    made["VSwitch"] = door.call("CreateVSwitch", VpcId=made["Vpc"]["VpcId"], ZoneId="cn-hangzhou-a",
                                CidrBlock="10.6.0.0/24")
    made["Instance"] = door.call("RunInstances", VSwitchId=made["VSwitch"]["VSwitchId"],
                                 InstanceType="ecs.g6.large")
    made["NetworkInterface"] = door.call("CreateNetworkInterface", VSwitchId=made["VSwitch"]["VSwitchId"])
    made["Eip"] = door.call("AllocateEipAddress")
    ids = {"Vpc": made["Vpc"]["VpcId"], "VSwitch": made["VSwitch"]["VSwitchId"],
           "Instance": made["Instance"]["InstanceIdSets"]["InstanceIdSet"][0],
           "NetworkInterface": made["NetworkInterface"]["NetworkInterfaceId"],
           "Eip": made["Eip"]["AllocationId"]}
    return ids, {kind: result["Seq"] for kind, result in made.items()}


def uproot(door, ids):
    door.call("ReleaseEipAddress", AllocationId=ids["Eip"])
    door.call("DeleteNetworkInterface", NetworkInterfaceId=ids["NetworkInterface"])
    door.call("DeleteInstance", InstanceId=ids["Instance"], Force=True)
    door.call("DeleteVSwitch", VSwitchId=ids["VSwitch"])
    return door.call("DeleteVpc", VpcId=ids["Vpc"])["Seq"]


def reads_of(ids):
    return [(name, {}) for name in LISTS] + [
        ("DescribeInstanceAttribute", {"InstanceId": ids["Instance"]}),
        ("DescribeNetworkInterfaceAttribute", {"NetworkInterfaceId": ids["NetworkInterface"]}),
        ("LookupAddress", {"Address": "10.6.0.1"}),
        *(("GetEntity", {"Id": i}) for i in ids.values())]


def bare(answer):
    return {k: v for k, v in answer.items() if k not in ("RequestId", "AsOfSeq", "NextToken")}


@within(120)
def test_as_of():
    server = Server()
    try:
        door = server.client(check=True)
        ids, seqs = plant(door, "past")
        reads = reads_of(ids)
        then = door.head()
        snapshot = [bare(door.call(operation, **params)) for operation, params in reads]
        time.sleep(0.02)
        stamp = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        time.sleep(0.02)
        end = uproot(door, ids)
        for (operation, params), wanted in zip(reads, snapshot):
            name = f"{operation} {list(params.values()) or ''}"
            got = door.call(operation, **params, AsOf=then)
            TAP.eq((bare(got), got["AsOfSeq"]), (wanted, then), f"{name} as of a seq is what was read then")
            got = door.call(operation, **params, AsOf=stamp)
            TAP.eq((bare(got), got["AsOfSeq"]), (wanted, then), f"{name} as of a time is what was read then")
            TAP.refused(door.call, operation, dict(params, AsOf=end + 1), "InvalidAsOf.Future",
                        f"{name} as of beyond the head", status=400)
            for wrong in (-1, 1.5, float("nan"), "-1", "12", "garbage", "", "2024-02-30T00:00:00Z",
                          "2024-01-01", "2024-01-01T00:00:00", True, [], [1], {"a": 1}):
                try:
                    answer = door.call(operation, **params, AsOf=wrong)
                except Refused as refusal:
                    answer = refusal.error
                    good = (refusal.code, refusal.status) == ("InvalidAsOf.Malformed", 400)
                else:
                    good = False
                if not good or wrong == -1:
                    TAP.ok(good, f"{name} as of {wrong!r}: InvalidAsOf.Malformed", answer)
        for operation in LISTS:
            got = door.call(operation, AsOf=0)
            TAP.eq((elements(got), got["AsOfSeq"]), ([], 0), f"{operation} as of 0 is empty")
            got = door.call(operation, AsOf="1999-01-01T00:00:00Z")
            TAP.eq((elements(got), got["AsOfSeq"]), ([], 0), f"{operation} before the first event is seq 0")
            got = door.call(operation, AsOf="2999-01-01T00:00:00+09:00")
            TAP.eq((elements(got), got["AsOfSeq"]), ([], end), f"{operation} in the future is the head")
            TAP.eq(door.call(operation)["AsOfSeq"], end, f"{operation} now has AsOfSeq too")
        got = door.call("LookupAddress", Address="10.6.0.1", AsOf=0)
        TAP.eq((got["Holdings"], got["AsOfSeq"]), ([], 0), "LookupAddress as of 0")
        time_of_vpc = door.call("GetEvent", Seq=seqs["Vpc"])["Time"]
        got = door.call("DescribeVpcs", AsOf=time_of_vpc)
        TAP.ok(got["AsOfSeq"] >= seqs["Vpc"] and len(elements(got)) == 1,
               "an event is in the state as of its own time", got)
        gone = {"DescribeInstanceAttribute": ("Instance", "InstanceId", "InvalidInstanceId.NotFound"),
                "DescribeNetworkInterfaceAttribute": ("NetworkInterface", "NetworkInterfaceId",
                                                      "InvalidEniId.NotFound")}
        deleted = {i: door.all("ListEvents", Id=i)[-1]["Seq"] for i in ids.values()}
        asked = [(op, ids[kind], member, code, seqs[kind]) for op, (kind, member, code) in gone.items()]
        asked += [("GetEntity", i, "Id", "NotFound", seqs[kind]) for kind, i in ids.items()]
        for operation, entity, member, code, first in asked:
            for when, params in (("now", {}), ("at the end", {"AsOf": end}),
                                 ("at its deletion", {"AsOf": deleted[entity]})):
                TAP.refused(door.call, operation, {member: entity, **params}, code,
                            f"{operation} of a deleted {entity[:4]} {when}", status=404,
                            DeletedSeq=deleted[entity])
            refusal = TAP.refused(door.call, operation, {member: entity, "AsOf": first - 1}, code,
                                  f"{operation} before {entity[:4]} was", status=404)
            TAP.ok(refusal and "DeletedSeq" not in refusal.detail, "which has no DeletedSeq",
                   refusal and refusal.error)
            answer = door.call(operation, **{member: entity}, AsOf=deleted[entity] - 1)
            TAP.eq(answer["AsOfSeq"], deleted[entity] - 1, f"{operation} of {entity[:4]} just before its deletion")
    finally:
        server.remove()


def ids_of(operation, page):
    return [e[LISTS[operation][2]] for e in elements(page)]


@within(120)
def test_pages():
    server = Server()
    try:
        door = server.client(check=True)
        vpc = door.call("CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
        switch = door.call("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-a", CidrBlock="10.0.0.0/16")["VSwitchId"]
        requests = []
        for i in range(109):
            requests += [("CreateVpc", LEGAL), ("AllocateEipAddress", {}),
                         ("CreateVSwitch", {"VpcId": vpc, "ZoneId": "cn-hangzhou-b",
                                            "CidrBlock": f"10.1.{i}.0/24"}),
                         ("RunInstances", {"VSwitchId": switch, "InstanceType": "ecs.g6.large"})]
        failed = [r for r in door.many(requests) if isinstance(r, Refused)]
        TAP.eq(failed, [], "things to list were made")
        counts = door.call("GetStatus")["Counts"]
        kinds = {"DescribeVpcs": "Vpc", "DescribeVSwitches": "VSwitch", "DescribeInstances": "Instance",
                 "DescribeNetworkInterfaces": "NetworkInterface", "DescribeEipAddresses": "Eip"}
        for operation, kind in kinds.items():
            first = door.call(operation)
            TAP.eq(len(elements(first)), min(100, counts[kind]), f"{operation}: a page has 100 by default")
            TAP.ok(first.get("NextToken"), f"{operation}: and tells how to go on")
            whole = door.call(operation, MaxResults=1000)
            TAP.ok(not whole.get("NextToken"), f"{operation}: the last page has no NextToken")
            wanted = ids_of(operation, whole)
            TAP.eq(len(wanted), counts[kind], f"{operation}: all of them on one page")
        steps = {  # what goes and comes while the pages are read: the first, the last, a new one
            "DescribeVpcs": lambda i: (door.call("DeleteVpc", VpcId=i) if i != vpc else None,
                                       door.call("CreateVpc", **LEGAL)),
            "DescribeInstances": lambda i: (door.call("DeleteInstance", InstanceId=i, Force=True),
                                            door.call("RunInstances", VSwitchId=switch,
                                                      InstanceType="ecs.g6.large")),
            "DescribeEipAddresses": lambda i: (door.call("ReleaseEipAddress", AllocationId=i),
                                               door.call("AllocateEipAddress")),
            "DescribeVSwitches": lambda i: i != switch and door.call("DeleteVSwitch", VSwitchId=i),
            "DescribeNetworkInterfaces": lambda i: door.call("CreateNetworkInterface", VSwitchId=switch)}
        for operation, change in steps.items():
            wanted = ids_of(operation, door.call(operation, MaxResults=1000))
            pinned, got, token = None, [], None
            waiting = [wanted[0], wanted[-1], wanted[len(wanted) // 2], wanted[1]]
            while True:
                page = door.call(operation, MaxResults=17, **({"NextToken": token} if token else {}))
                pinned = pinned or page["AsOfSeq"]
                if page["AsOfSeq"] != pinned:
                    TAP.eq(page["AsOfSeq"], pinned, f"{operation}: AsOfSeq of a later page")
                got += ids_of(operation, page)
                token = page.get("NextToken")
                if not token:
                    break
                if waiting:
                    change(waiting.pop(0))
            TAP.eq(got, wanted, f"{operation}: pages are of the moment of the first, whatever changes")
            got, token = [], None
            while True:
                page = door.call(operation, MaxResults=50, AsOf=pinned, **({"NextToken": token} if token else {}))
                got += ids_of(operation, page)
                token = page.get("NextToken")
                if not token:
                    break
            TAP.eq(got, wanted, f"{operation}: pages as of that seq are the same")
        for token in ("x", "", "AAAA", "0" * 300):
            try:
                answer = door.call("DescribeVpcs", NextToken=token)
                good = token == ""
            except Refused as refusal:
                answer, good = refusal.error, refusal.code == "InvalidParameter"
            TAP.ok(good, f"NextToken {token[:8]!r} that nobody gave", answer)
    finally:
        server.remove()


@within(120)
def test_events():
    server = Server()
    try:
        door = server.client(check=True)
        ids, seqs = plant(door, "events")
        time.sleep(0.01)
        for i in range(150):
            door.call("CreateVpc", **LEGAL, Actor="alice" if i % 2 else "bob")
        end = uproot(door, ids)
        page = door.call("ListEvents")
        TAP.eq([e["Seq"] for e in page["Events"]], list(range(1, 101)), "ListEvents begins at 1, 100 on a page")
        door.call("CreateVpc", **LEGAL)
        rest = door.call("ListEvents", NextToken=page["NextToken"], MaxResults=1000)
        TAP.eq([e["Seq"] for e in rest["Events"]], list(range(101, end + 1)),
               "the next page ends at the head of the first")
        end += 1
        every = door.all("ListEvents", MaxResults=37)
        TAP.eq([e["Seq"] for e in every], list(range(1, end + 1)), "all events, 37 on a page")
        back = door.all("ListEvents", MaxResults=37, Reverse=True)
        TAP.eq([e["Seq"] for e in back], list(range(end, 0, -1)), "and backwards")
        members = {"Seq", "Time", "Type", "Operation", "Principal", "Actor", "RequestId", "Reason",
                   "Touches", "Body"}
        TAP.ok(all(members <= set(e) for e in every), "each has its members", sorted(every[-1]))
        TAP.ok(all(UUID.match(e["RequestId"]) and TIME.match(e["Time"]) for e in every),
               "RequestId and Time are in their form")
        TAP.eq(every[0]["Type"], "LedgerCreated", "the first is LedgerCreated")
        TAP.eq([door.call("GetEvent", Seq=s)["Body"] for s in (1, 2, end)],
               [every[s - 1]["Body"] for s in (1, 2, end)], "GetEvent gives the same as ListEvents")
        seqs_of = lambda **p: [e["Seq"] for e in door.all("ListEvents", MaxResults=10, **p)]
        TAP.eq(seqs_of(FromSeq=3, ToSeq=25), list(range(3, 26)), "FromSeq and ToSeq are inclusive")
        TAP.eq(seqs_of(FromSeq=3, ToSeq=25, Reverse=True), list(range(25, 2, -1)), "backwards too")
        TAP.eq(seqs_of(FromSeq=end), [end], "from the head")
        low, high = every[20]["Time"], every[60]["Time"]
        TAP.eq(seqs_of(FromTime=low, ToTime=high), [e["Seq"] for e in every if low <= e["Time"] <= high],
               "FromTime and ToTime are inclusive")
        TAP.eq(seqs_of(Type="VSwitchCreated"), [seqs["VSwitch"]], "by Type")
        TAP.eq(seqs_of(Actor="alice"), [e["Seq"] for e in every if e["Actor"] == "alice"], "by Actor")
        TAP.eq(seqs_of(Actor="alice", Type="VpcDeleted"), [], "by both")
        for kind, entity in ids.items():
            TAP.eq(seqs_of(Id=entity), [e["Seq"] for e in every if entity in e["Touches"]],
                   f"by the Id of a {kind}: the events that touch it")
        TAP.eq(seqs_of(Id=ids["VSwitch"], Reverse=True), seqs_of(Id=ids["VSwitch"])[::-1], "backwards too")
        TAP.eq(len(seqs_of(Id="10.6.0.1")), 2, "by an address: its holding opens and closes")
        TAP.eq([e["Type"] for e in door.all("ListEvents", Id="198.18.0.1")], ["EipAllocated", "EipReleased"],
               "by a public address")
        TAP.refused(door.call, "GetEvent", {"Seq": end + 1}, "NotFound", status=404)
        TAP.refused(door.call, "GetEvent", {"Seq": 0}, ("NotFound", "InvalidParameter"))
        TAP.refused(door.call, "GetEvent", {}, "MissingParameter", Parameter="Seq")
        TAP.refused(door.call, "GetEntity", {"Id": "vpc-never"}, "NotFound", status=404)
    finally:
        server.remove()


# ---- doors -----------------------------------------------------------------------------------

def test_socket():
    mode = stat.S_IMODE(os.stat(SERVER.socket).st_mode)
    TAP.eq(oct(mode), "0o600", "the socket is for its owner alone")


def test_tcp():
    server = Server(args=["--rpc", "tcp:127.0.0.1:0", "--any-key"])
    try:
        port = int(server.line.split("tcp:127.0.0.1:")[1].split()[0].split(",")[0])
        TAP.ok(port > 0, "port 0 picks a free port and says which", server.line)
        door = Client(("127.0.0.1", port), maps=False, check=True)
        TAP.ok(door.call("CreateVpc", **LEGAL)["Seq"], "TCP on loopback with --any-key needs no Hello")
    finally:
        server.remove()


def test_concurrent_shutdown():
    server = Server()
    try:
        door = server.client(maps=False, check=True)
        door.bytes(b"".join(pack(i, "CreateVpc", [LEGAL]) for i in range(300)))
        got = [door.frame()]
        stopper = threading.Thread(target=lambda: got.append(("status", server.stop())))
        stopper.start()
        frames, end = [got[0]], None
        try:
            while True:
                frames.append(door.frame())
        except Closed as problem:
            end = problem
        stopper.join()
        ids = [f[1] for f in frames]
        TAP.eq(ids, list(range(len(ids))), "at shutdown answers come in order, each once")
        TAP.eq(len(ids), 300, "every request that was sent is answered, done or refused")
        TAP.eq(got[-1], ("status", 0), "SIGTERM under load ends with 0")
        seqs = [f[3]["Seq"] for f in frames if f[2] is None]
        server.start()
        TAP.ok(server.client().head() >= max(seqs), "what was acknowledged is there afterwards", end)
    finally:
        server.remove()


def test_end():
    TAP.eq(Client.strays, [], "every frame of every answer was in the strict form")
    TAP.eq(SERVER.stop(), 0, "after all that, SIGTERM ends the server with 0")
    TAP.eq(SERVER.rest, b"", "it printed nothing after the ready line")
    if "ERROR: AddressSanitizer" in SERVER.stderr() or "runtime error" in SERVER.stderr():
        TAP.ok(False, "no complaint of a sanitizer", SERVER.stderr()[:1500])


def main():
    TAP.run((test_socket, test_no_parameters, test_message_ids, test_bin_and_str, test_cuts, test_order,
             test_ignored, test_strictness, test_errors_as_text, test_request_ids, test_status,
             test_no_frame, test_claims, test_sizes, test_no_request, test_odd_values,
             test_unknown_ledger, test_vanishing, test_deaf_client, test_many_clients, test_members,
             test_lists_as_text, test_tokens, test_tokens_that_are_not_left, test_tokens_survive,
             test_dry_run, test_if_seq, test_reason_and_actor, test_event_time, test_as_of, test_pages,
             test_events, test_tcp, test_concurrent_shutdown, test_end), seconds=90)
    SERVER.remove()
    TAP.end()


main()
