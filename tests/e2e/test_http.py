#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server with its HTTP door and keys of every role, and a client by hand.
Claimed: every shape of request that SDKs send is understood, and means the same; JSON and XML tell the
same; pages are the cloud's; what is wrong is refused with the cloud's codes, as a document that SDKs
can read, malformed HTTP too; signatures, times, nonces, roles, Hosts and Origins are looked at."""
import json
import os
import random
import re
import resource
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import xml.etree.ElementTree as ET

from door import ECS, VPC, Door
from ledger import SMALL, ZONE, Server, Tap, wait_until

TAP = Tap()
KEYS = {"LTAIadmin": "adminSecret0123456789abcdefghi", "LTAIoper": "operSecret0123456789abcdefghij",
        "LTAIaudit": "auditSecret0123456789abcdefghi"}
ROLES = ("admin", "operator", "auditor")


def port_of(server):
    return int(re.search(r"http=\S+:(\d+)", server.line).group(1))


def door(server, key="LTAIadmin", **more):
    return Door(port_of(server), key, KEYS[key], **more)


def head(server):
    return server.client().call("GetStatus")["HeadSeq"]


# --- shapes ---

def test_shapes(server):
    d = door(server)
    params = {"CidrBlock": "10.0.0.0/16", "VpcName": "a b*~+&=é'(!)%", "Description": "",
              "Tag": [{"key": "app", "Value": "a b"}, {"Key": "empty", "Value": ""}]}
    params.pop("Description")
    shapes = {"GET, query": dict(method="GET"), "POST, query": dict(method="POST"),
              "POST, form": dict(method="POST", where="form"),
              "POST, split, chunked": dict(method="POST", where="split"),
              "GET, //": dict(path="//"),
              "GET, absolute": dict(path=f"http://127.0.0.1:{port_of(server)}/"),
              "Format in lower case": dict(Format="json"), "no Format": dict(Format=None)}
    for name, how in shapes.items():
        reply = d.v1("CreateVpc", params, **how)
        if not TAP.ok(reply.status == 200, f"version 1: {name}", reply.body):
            continue
        if "absolute" in name:
            d.close()  # libevent takes it for a proxy's, and closes
        shown = d.v1("DescribeVpcs", {"VpcId": reply.json["VpcId"]}).json["Vpcs"]["Vpc"][0]
        TAP.ok(shown["VpcName"] == params["VpcName"] and shown["Tags"]["Tag"] ==
               [{"Key": "app", "Value": "a b"}, {"Key": "empty", "Value": ""}],
               f"version 1: {name}: what was sent is there", shown)
    for name, reply in (("query", d.acs3("CreateVpc", params)),
                        ("form", d.acs3("CreateVpc", form=params)),
                        ("chunked form", d.acs3("CreateVpc", form=params, chunked=True)),
                        ("both", d.acs3("CreateVpc", {"CidrBlock": "10.0.0.0/16"},
                                        form={"VpcName": params["VpcName"]}))):
        TAP.ok(reply.status == 200 and d.v1("DescribeVpcs", {"VpcId": reply.json["VpcId"]})
               .json["Vpcs"]["Vpc"][0]["VpcName"] == params["VpcName"], f"ACS3: {name}", reply.body)
    return d


def test_lists(d):
    vpc = d.call("CreateVpc", CidrBlock="10.0.0.0/16")["VpcId"]
    vsw = d.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.0.1.0/24")["VSwitchId"]
    many = {f"PrivateIpAddress.{i}": f"10.0.1.{100 + i}" for i in (10, 2, 1)}
    eni = d.call("CreateNetworkInterface", VSwitchId=vsw, PrimaryIpAddress="10.0.1.9", **many)
    got = [a["PrivateIpAddress"] for a in eni["PrivateIpSets"]["PrivateIpSet"]]
    TAP.equal(got, ["10.0.1.9", "10.0.1.101", "10.0.1.102", "10.0.1.110"],
              "items of a list come in the order of their numbers")
    run = d.call("RunInstances", VSwitchId=vsw, InstanceType=SMALL, Amount=1, DryRun=False, InternetMaxBandwidthOut="5",
                 **{"NetworkInterface.1.VSwitchId": vsw, "NetworkInterface.1.SecurityGroupIds.1": "sg-1",
                    "NetworkInterface.1.PrimaryIpAddress": "10.0.1.20", "SystemDisk.Category": "cloud_essd",
                    "DataDisk.1.Size": "40", "SystemDisk": "[object Object]", "UserData": "x" * 21000,
                    "SecurityGroupId": "undefined", "Description": "null", "ZoneId": "undefined"})
    i = run["InstanceIdSets"]["InstanceIdSet"][0]
    listed = d.call("DescribeInstances", InstanceIds=json.dumps([i]))["Instances"]["Instance"]
    TAP.equal([n["PrimaryIpAddress"] for n in listed[0]["NetworkInterfaces"]["NetworkInterface"]][1:],
              ["10.0.1.20"], "lists in lists, a first line of 21 KB, and what is not modelled")
    TAP.equal((listed[0]["Description"], listed[0]["SecurityGroupIds"]["SecurityGroupId"]), ("", []),
              "the words undefined and null are nothing")
    stopped = d.v1("StopInstance", {"InstanceId": i, "ForceStop": "False"})
    TAP.equal(stopped.status, 200, "a boolean in any case")
    eip = d.v1("AllocateEipAddress", {"Bandwidth": "7"}).json
    TAP.equal(d.call("DescribeEipAddresses", AllocationId=eip["AllocationId"])["EipAddresses"]
              ["EipAddress"][0]["Bandwidth"], "7", "a number that the cloud has as text")
    one = d.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni["NetworkInterfaceId"],
                 PrivateIpAddress="10.0.1.77")
    TAP.equal(one["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"], ["10.0.1.77"],
              "one item under the plain name")
    return vpc, vsw, i


def test_wrong_parameters(server, d):
    before = head(server)
    wrong = [
        ({"CidrBlock": "10.0.0.0/16", "Ipv4IpamPoolId": "p"}, "CreateVpc", "UnsupportedParameter"),
        ({"CidrBlock": "10.0.0.0/16", "EnableIpv6": "yes"}, "CreateVpc", "InvalidParameter"),
        ({"CidrBlock": "10.0.0.0/16", "Tag.0.Key": "a"}, "CreateVpc", "InvalidParameter"),
        ({"CidrBlock": "10.0.0.0/16", "Tag.1001.Key": "a"}, "CreateVpc", "InvalidParameter"),
        ({"CidrBlock": "10.0.0.0/16", "Tag.x.Key": "a"}, "CreateVpc", "InvalidParameter"),
        ({"CidrBlock": "10.0.0.0/16", "Tag.1.Key": "a", "Tag.1.key": "b"}, "CreateVpc",
         "InvalidParameter"),
        ({"CidrBlock": "10.0.0.0/16", "Tag": "[", "Tag.1.Key": "b"}, "CreateVpc", "InvalidParameter"),
        ({"CidrBlock": "10.0.0.0/16", "Tag.1.Key" + ".a" * 9: "b"}, "CreateVpc", "InvalidParameter"),
        ({"CidrBlock": "10.0.0.0/16", **{f"Tag.{i}.Key": "a" for i in range(1, 1003)}}, "CreateVpc", "InvalidParameter"),
        ({"CidrBlock.1": "10.0.0.0/16"}, "CreateVpc", "InvalidParameter"),
        ({}, "CreateVpc", "MissingParameter"),
        ({"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/8"}, "ModifyVpcAttribute", "UnsupportedParameter"),
        ({"VSwitchId": "v", "InstanceType": SMALL, "Amount": "1.5"}, "RunInstances", "InvalidParameter"),
        ({"VSwitchId": "v", "InstanceType": SMALL, "Period": 1}, "RunInstances", "UnsupportedParameter"),
        ({"VSwitchId": "v", "InstanceType": SMALL, "NetworkInterface.1.Ipv4Prefix.1": "1"}, "RunInstances",
         "UnsupportedParameter"),
        ({"InstanceChargeType": "PrePaid"}, "AllocateEipAddress", "UnsupportedParameter"),
        ({"PageSize": 51}, "DescribeVpcs", "InvalidParameter"),
        ({"PageNumber": 0}, "DescribeVpcs", "InvalidParameter"),
        ({"RegionId": "mars"}, "DescribeVpcs", "InvalidRegionId.NotFound"),
    ]
    for params, action, code in wrong:
        reply = d.acs3(action, params)
        TAP.ok(reply.status in (400, 403, 404) and reply.code == code, f"{action} {params}: {code}",
               reply.body[:300])
    TAP.ok('Amount is the text "1.5": it must be an integer' in
           d.acs3("RunInstances", {"VSwitchId": "v", "InstanceType": SMALL, "Amount": "1.5"}).json["Message"],
           "the message names the value")
    for query, code in (("A=%zz", "MalformedRequest"), ("A=%4", "MalformedRequest"), ("A=%ff", "MalformedRequest"),
                        ("&".join(f"A.{i}=1" for i in range(5000)), "MalformedRequest"),
                        ("A" * 300 + "=1", "MalformedRequest"), ("Action=X&Action=Y", "InvalidParameter"),
                        ("Format=YAML&Action=X", "InvalidParameter.Format"), ("&&=&A&", "MissingAction")):
        reply = d.raw(f"GET /?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        TAP.equal(reply.code, code, f"{query[:30]}: {code}")
    TAP.equal(head(server), before, "nothing of it was done")


def test_versions(d):
    for action in ("DescribeVpcs", "DescribeVSwitches", "DescribeEipAddresses"):
        for version in (ECS, VPC):
            TAP.equal(d.v1(action, Version=version).status, 200, f"{action} is in {version}")
    for action, version in (("DescribeInstances", VPC), ("DescribeVpcAttribute", ECS), ("DescribeVpcs", "2017-06-26"),
                            ("DescribeNothing", ECS), ("Hello", ECS), ("Subscribe", ECS)):
        reply = d.v1(action, Version=version)
        TAP.ok(reply.status == 404 and reply.code == "InvalidApi.NotFound",
               f"{action} is not in {version}", reply.body)
    TAP.equal(d.v1("DescribeInstances", Version=None).code, "MissingVersion", "a product's action wants a Version")
    TAP.equal(d.v1("GetStatus", Version=None).status, 200, "the ledger's own does not")


# --- answers ---

def tree_of(element):
    children = list(element)
    if not children:
        return element.text or ""
    out = {}
    for child in children:
        out.setdefault(child.tag, []).append(tree_of(child))
    return out


def as_xml_shows(value):
    """The JSON value in the terms of tree_of()."""
    if isinstance(value, dict):
        members = {k: [as_xml_shows(x) for x in (v if isinstance(v, list) else [v])] for k, v in value.items()}
        return {k: v for k, v in members.items() if v} or ""
    return {True: "true", False: "false", None: ""}.get(value, str(value)) \
        if not isinstance(value, int) or isinstance(value, bool) else str(value)


def without(tree, *names):
    return {k: v for k, v in tree.items() if k not in names}


def test_xml(d, vsw):
    odd = "<a>&\"'\té]]>"
    d.call("ModifyVSwitchAttribute", VSwitchId=vsw, VSwitchName=odd)
    for action, params in (("DescribeVSwitches", {}), ("DescribeInstances", {}), ("DescribeEipAddresses", {}),
                           ("DescribeNetworkInterfaces", {})):
        as_json = d.v1(action, params).json
        reply = d.v1(action, params, Format="XML")
        root = ET.fromstring(reply.body)
        TAP.ok(root.tag == action + "Response" and reply.headers["content-type"] == "text/xml;charset=utf-8",
               f"{action} as XML", reply.headers)
        TAP.equal(without(tree_of(root), "RequestId"), without(as_xml_shows(as_json), "RequestId"),
                  f"{action}: JSON and XML tell the same")
    reply = d.v1("DeleteVpc", {"VpcId": "vpc-\x01\x00<"}, Format="xml")
    root = ET.fromstring(reply.body)
    TAP.ok(reply.status == 404 and root.tag == "Error" and root.find("Code").text == "InvalidVpcId.NotFound",
           "an error as XML, whatever it names", reply.body)
    reply = d.v1("DescribeVpcs", Format=None, headers=["Accept: application/xml"])
    TAP.ok(reply.body.startswith(b"<?xml"), "XML where it is what is accepted", reply.body[:80])


def test_error_documents(d):
    reply = d.acs3("DeleteVpc", {"VpcId": "vpc-x"})
    TAP.equal((reply.status, sorted(reply.json), reply.json["HostId"], reply.headers["content-type"]),
              (404, ["Code", "HostId", "Message", "Recommend", "RequestId"], "127.0.0.1", "application/json"),
              "an error has five members, and a status")
    reply = d.acs3("CreateVpc", {"CidrBlock": "10.0.0.0/16", "DryRun": "true"})
    TAP.equal((reply.status, reply.code), (400, "DryRunOperation"), "a dry run is an error document")


def test_pages(server, d):
    vpc = d.call("CreateVpc", CidrBlock="10.9.0.0/16")["VpcId"]
    vsw = d.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.9.0.0/24")["VSwitchId"]
    made = [d.call("CreateNetworkInterface", VSwitchId=vsw)["NetworkInterfaceId"] for _ in range(23)]
    page = d.call("DescribeNetworkInterfaces", VSwitchId=vsw)
    TAP.equal((page["PageNumber"], page["PageSize"], page["TotalCount"],
               len(page["NetworkInterfaceSets"]["NetworkInterfaceSet"])), (1, 10, 23, 10),
              "without a word it is the first page of ten")
    seen = []
    for number in (1, 2, 3, 4):
        page = d.call("DescribeNetworkInterfaces", VSwitchId=vsw, PageNumber=number, PageSize=9)
        seen += [e["NetworkInterfaceId"] for e in page["NetworkInterfaceSets"]["NetworkInterfaceSet"]]
    TAP.equal(seen, made, "pages by number hold each once")
    TAP.equal((page["PageNumber"], page["TotalCount"]), (4, 23), "a page beyond the end is empty")
    seen, token, sizes = [], None, []
    while token != "":
        page = d.call("DescribeNetworkInterfaces", VSwitchId=vsw, MaxResults=3, NextToken=token)
        found = [e["NetworkInterfaceId"] for e in page["NetworkInterfaceSets"]["NetworkInterfaceSet"]]
        seen, token = seen + found, page["NextToken"]
        sizes.append(len(found))
    TAP.equal((seen, sizes), (made, [10, 10, 3]), "pages by token hold each once, ten at least")
    page = d.call("DescribeNetworkInterfaces", VSwitchId=vsw, MaxResults=9999)
    TAP.equal(len(page["NetworkInterfaceSets"]["NetworkInterfaceSet"]), 23, "a MaxResults beyond is the most there is")
    at = head(server)
    d.call("DeleteNetworkInterface", NetworkInterfaceId=made[0])
    then = d.call("DescribeNetworkInterfaces", VSwitchId=vsw, AsOf=at, PageSize=500)
    TAP.equal((then["TotalCount"], then["AsOfSeq"]), (23, at), "a page of the past")
    then = d.call("DescribeNetworkInterfaces", VSwitchId=vsw, AsOf=at, PageSize=9, PageNumber=3)
    TAP.equal([e["NetworkInterfaceId"] for e in then["NetworkInterfaceSets"]["NetworkInterfaceSet"]], made[18:],
              "the last page of the past")
    TAP.equal(d.call("DescribeVpcs", PageSize=50, VpcId=vpc)["TotalCount"], 1, "VPCs: fifty to a page")
    refused = server.client()
    try:
        refused.call("DescribeVpcs", PageSize=5)
        TAP.ok(False, "PageSize is for HTTP")
    except Exception as refusal:  # noqa: the client's own
        TAP.ok("UnsupportedParameter" in str(refusal), "at the native door there is no PageSize", refusal)


def test_ledger_methods(server, d):
    seq = head(server)
    TAP.equal(d.call("GetEvent", Seq=1)["Type"], "LedgerCreated", "the ledger's own methods are there")
    TAP.equal(d.call("GetStatus", AsOf=seq)["AsOfSeq"], seq, "as of a seq")
    TAP.equal(d.acs3("DescribeVpcs", {"AsOf": 0}).json["TotalCount"], 0, "as of the empty ledger")
    TAP.equal(d.acs3("DescribeVpcs", {"AsOf": seq + 1000}).code, "InvalidAsOf.Future", "as of what is not yet")
    TAP.equal(d.acs3("DescribeVpcs", {"AsOf": "yesterday"}).code, "InvalidAsOf.Malformed", "as of no time")
    TAP.equal(d.call("DescribeVpcs", AsOf="2020-01-01T00:00:00Z")["AsOfSeq"], 0, "as of a time")
    steps = {"Operations.1.Operation": "CreateVpc", "Operations.1.Params": json.dumps({"CidrBlock": "10.3.0.0/16"}),
             "Operations.2.Operation": "CreateVSwitch",
             "Operations.2.Params": json.dumps({"VpcId": "$1.VpcId", "ZoneId": ZONE, "CidrBlock": "10.3.0.0/24"})}
    TAP.equal(len(d.acs3("Transact", form=steps).json["Results"]), 2, "a transaction")
    settings = d.call("ModifyLedgerSettings", **{"Quotas.Vpcs": 5000})
    TAP.ok("Quotas" in settings, "settings, with a map", settings)
    event = d.call("GetEvent", Seq=head(server))
    TAP.equal(event["Principal"], "key:LTAIadmin", "an event says by which key")


# --- who may ---

def test_signatures(server):
    d = door(server)
    TAP.equal(d.v1("DescribeVpcs").status, 200, "version 1 is verified")
    before = head(server)
    vpc = {"CidrBlock": "10.0.0.0/16"}

    def refused(reply, code, name, status=400):
        TAP.ok(reply.status == status and reply.code == code, name, (reply.status, reply.body))

    wrong = door(server)
    wrong.secret += "x"
    refused(wrong.v1("CreateVpc", vpc), "SignatureDoesNotMatch", "version 1: another secret")
    refused(wrong.acs3("CreateVpc", vpc), "SignatureDoesNotMatch", "ACS3: another secret")
    stranger = door(server)
    stranger.key = "LTAInobody"
    refused(stranger.v1("CreateVpc", vpc), "InvalidAccessKeyId.NotFound", "version 1: no such key", 404)
    refused(stranger.acs3("CreateVpc", vpc), "InvalidAccessKeyId.NotFound", "ACS3: no such key", 404)
    for stamp, code in (("2020-01-01T00:00:00Z", "InvalidTimeStamp.Expired"), ("2099-01-01T00:00:00Z", "InvalidTimeStamp.Expired"),
                        ("yesterday", "InvalidTimeStamp.Format")):
        refused(d.v1("CreateVpc", vpc, Timestamp=stamp), code, f"version 1: {stamp}")
        refused(d.acs3("CreateVpc", vpc, extra={"x-acs-date": stamp}), code, f"ACS3: {stamp}")
    TAP.equal(d.v1("DescribeVpcs", SignatureNonce="once").status, 200, "a nonce")
    refused(d.v1("DescribeVpcs", SignatureNonce="once"), "SignatureNonceUsed", "is used once")
    refused(d.acs3("DescribeVpcs", extra={"x-acs-signature-nonce": "once"}), "SignatureNonceUsed", "by either signature")
    refused(d.acs3("CreateVpc", vpc, change={"x-acs-action": "DeleteVpc"}), "SignatureDoesNotMatch", "a swapped action")
    refused(d.acs3("CreateVpc", vpc, change={"x-acs-version": ECS}), "SignatureDoesNotMatch", "a swapped version")
    refused(d.acs3("CreateVpc", form=vpc, body_change=b"CidrBlock=10.0.0.0%2F17"), "SignatureDoesNotMatch", "a changed body")
    refused(d.acs3("CreateVpc", vpc, change={"x-acs-extra": "1"}), "SignatureDoesNotMatch", "a header that is not signed")
    for name in ("host", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"):
        refused(d.acs3("CreateVpc", vpc, unsigned=[name]), "SignatureDoesNotMatch", f"{name} is not signed")
    refused(d.v1("CreateVpc", vpc, SignatureMethod="HMAC-MD5"), "InvalidSignatureMethod", "another method")
    refused(d.acs3("CreateVpc", vpc, change={"Authorization": "Basic YTpi"}), "InvalidSignatureMethod", "another scheme")
    many = "ACS3-HMAC-SHA256 Credential=LTAIadmin,SignedHeaders=" + ";".join(f"a{i}" for i in range(65)) + ",Signature=00"
    refused(d.acs3("CreateVpc", vpc, change={"Authorization": many}), "IncompleteSignature", "too many signed headers")
    refused(d.raw(b"GET /?Action=CreateVpc HTTP/1.1\r\nHost: localhost\r\n\r\n"), "MissingAccessKeyId", "no signature at all")
    TAP.equal(head(server), before, "nothing of it was done")
    wrong.key = "LTAIaudit"
    for _ in range(40):
        reply = wrong.v1("DescribeVpcs")
    TAP.ok(reply.code == "Throttling.User" and int(reply.headers["x-acs-retry-after"]) > 0,
           "who guesses is slowed down, and told how long", (reply.headers, reply.body))


def test_roles(server):
    auditor, operator = door(server, "LTAIaudit"), door(server, "LTAIoper")
    TAP.equal(auditor.v1("DescribeVpcs").status, 200, "an auditor reads")
    for d, action, params in ((auditor, "CreateVpc", {"CidrBlock": "10.0.0.0/16"}),
                              (operator, "ModifyLedgerSettings", {"ReuseDelaySeconds": 1})):
        reply = d.acs3(action, params)
        TAP.ok((reply.status, reply.code) == (403, "Forbidden.RAM"), f"{d.key} may not call {action}", reply.body)
    TAP.equal(operator.acs3("CreateVpc", {"CidrBlock": "10.0.0.0/16"}).status, 200, "an operator writes")


def test_web_pages(server):
    d, port = door(server), port_of(server)
    for host, admitted in ((f"127.0.0.1:{port}", True), ("localhost", True), ("LOCALHOST:1", True), ("[::1]:80", True),
                           ("127.0.0.2", True), ("app.localhost", True), ("ledger.example", True), ("evil.example", False),
                           ("127.0.0.1.evil.example", False), ("localhost.evil", False), ("", False), ("a b", False),
                           ("[::1", False), ("10.1.2.3", False)):
        d.host = host
        reply = d.v1("DescribeVpcs")
        TAP.equal(reply.status, 200 if admitted else 403, f"Host: {host}")
    d = door(server)
    for header, admitted in ((f"Origin: http://127.0.0.1:{port}", True), ("Origin: http://evil.example", False),
                             ("Origin: null", False), ("Origin: http://127.0.0.1:1", False), (f"Origin: 127.0.0.1:{port}", False),
                             ("Sec-Fetch-Site: same-origin", True), ("Sec-Fetch-Site: none", True),
                             ("Sec-Fetch-Site: cross-site", False), ("Host: evil.example", False)):
        reply = d.v1("DescribeVpcs", headers=[header])
        TAP.equal(reply.status == 200, admitted, header)
    reply = d.raw(b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
    TAP.equal(reply.status, 403, "another host in the first line")


# --- bytes ---

def test_malformed(server):
    d = door(server)
    line = b"HTTP/1.1\r\nHost: localhost\r\n"
    for raw, name in ((b"GARBAGE\r\n\r\n", "garbage"), (b"GET / HTTP/9.9\r\n\r\n", "a version that is none"),
                      (b"GET / HTTP/1.12\r\nost localhost\r\n\r\n", "a longer version"),
                      (b"GET / " + line + b"bad header\r\n\r\n", "a header that is none"),
                      (b"POST / " + line + b"Content-Length: -5\r\n\r\n", "a negative length"),
                      (b"POST / " + line + b"Content-Length: x\r\n\r\n", "a length that is none"),
                      (b"GET /" + b"a" * 131100 + b" HTTP/1.1\r\n\r\n", "a first line of more than 128 KB"),
                      (b"POST / " + line + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "a chunk that is none"),
                      (b"POST / " + line + b"Content-Length: 2000000\r\n\r\n", "a body that is too long"),
                      (b"POST / " + line + b"Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx", "a body that is no form"),
                      (b"GET / " + line + b"".join(b"h%d: 1\r\n" % i for i in range(300)) + b"\r\n", "300 headers"),
                      (b"PUT / " + line + b"\r\n", "PUT"), (b"BREW / " + line + b"\r\n", "BREW"),
                      (b"CONNECT a:1 " + line + b"\r\n", "CONNECT"), (b"OPTIONS * " + line + b"\r\n", "OPTIONS"),
                      (b"GET /favicon.ico " + line + b"\r\n", "another path")):
        d.close()
        reply = d.raw(raw)
        TAP.ok(400 <= reply.status < 600 and isinstance(reply.json.get("Code"), str) and
               reply.headers["content-type"] == "application/json", f"{name}: a document", (reply.status, reply.body))
    d.close()
    reply = d.raw(b"HEAD / " + line + b"\r\n", is_head=True)
    TAP.ok(reply.status == 400, "HEAD has a status and no body", reply.status)
    d.close()
    TAP.equal(d.v1("DescribeVpcs").status, 200, "and the door is open")


def test_connections(server):
    d = door(server)
    data = d.acs3_bytes("DescribeVpcs", {"PageSize": "1"})
    d.connect()
    for i in range(len(data)):
        d.sock.sendall(data[i:i + 1])
    TAP.equal(d.receive().status, 200, "one byte at a time")
    first, second = (d.acs3_bytes("CreateVpc", {"CidrBlock": "10.0.0.0/16", "ClientToken": t}) for t in "ab")
    d.sock.sendall(first + second)
    TAP.equal(d.receive().json["Seq"] + 1, d.receive().json["Seq"], "two in one write, answered in order")
    before = head(server)
    gone = door(server)
    for i in range(20):
        gone.connect()
        gone.sock.sendall(gone.acs3_bytes("CreateVpc", {"CidrBlock": "10.0.0.0/16", "ClientToken": f"gone{i}"}))
        gone.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        gone.close()
    TAP.ok(wait_until(lambda: head(server) >= before), "clients that are gone harm nobody")
    again = d.v1("CreateVpc", {"CidrBlock": "10.0.0.0/16", "ClientToken": "a"})
    TAP.equal(again.json["Seq"] < before, True, "a token gets its answer again")
    files = f"/proc/{server.process.pid}/fd"
    count = len(os.listdir(files))
    for _ in range(50):
        d.close()
        d.v1("DescribeVpcs")
    TAP.ok(wait_until(lambda: len(os.listdir(files)) <= count + 1), "closed connections leave no descriptor",
           (count, len(os.listdir(files))))


def test_many(server):
    """More connections than there may be: the rest waits, and comes in when others go."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < 2000:
        print(f"# only {most} files: too few to see it")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, most))
    many = [socket.create_connection(("127.0.0.1", port_of(server))) for _ in range(1100)]
    late = door(server)
    late.connect()
    late.sock.settimeout(0.5)
    late.sock.sendall(late.acs3_bytes("DescribeVpcs", {}))
    try:
        TAP.ok(False, "beyond so many connections nobody is let in", late.receive().status)
    except socket.timeout:
        TAP.ok(True, "beyond so many connections nobody is let in")
    TAP.ok(head(server) > 0, "the native door does not mind")
    for sock in many:
        sock.close()
    late.sock.settimeout(30)
    TAP.equal(late.receive().status, 200, "who waited comes in when others have gone")


def test_past(server):
    """Reads of the past, all at once, beside writes: each has its moment."""
    d, seq, wrong = door(server), head(server), []
    total = d.call("DescribeVpcs", AsOf=seq)["TotalCount"]

    def ask(at, wanted):
        mine = door(server)
        for _ in range(10):
            if mine.call("DescribeVpcs", AsOf=at)["TotalCount"] != wanted:
                wrong.append(at)
            mine.call("CreateVpc", CidrBlock="10.0.0.0/16")

    some = seq // 2
    half = d.call("DescribeVpcs", AsOf=some)["TotalCount"]
    threads = [threading.Thread(target=ask, args=(at, n)) for at, n in ((seq, total), (some, half), (0, 0), (seq, total))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    TAP.equal(wrong, [], "reads of the past beside writes")


def test_stop(server):
    """A call that is on its way at the end is answered."""
    d = door(server)
    d.connect()
    d.sock.sendall(d.acs3_bytes("CreateVpc", {"CidrBlock": "10.0.0.0/16"}))
    reply = d.receive()
    begin = time.monotonic()
    status = server.stop()
    TAP.ok(status == 0 and time.monotonic() - begin < 4, "it stops at once, with a connection open",
           (status, time.monotonic() - begin))
    TAP.equal(reply.status, 200, "what was asked was answered")


CAPTURED = {  # byte for byte what official SDKs sent
    "pop-core, GET": ("AllocateEipAddress", 200, """\
GET /?AccessKeyId=LTAItestAccessKeyId0&Action=AllocateEipAddress&Bandwidth=5&ClientToken=tok-0001&Format=JSON&InternetChargeType=\
PayByTraffic&RegionId=cn-hangzhou&SignatureMethod=HMAC-SHA1&SignatureNonce=a069aa60a60c51fbe2cd881188ead05f&SignatureVersion=1.0&\
Timestamp=2026-11-23T22%3A13%3A16Z&Version=2016-04-28&Signature=a%2BELbbVKY6qzzUgOamAAQK2jQ2o%3D HTTP/1.1
x-sdk-client: Node.js(v20.20.2), @alicloud/pop-core: 1.8.0
user-agent: AlibabaCloud (linux; x64) Node.js/v20.20.2 Core/1.8.0
x-acs-action: AllocateEipAddress
x-acs-version: 2016-04-28
Host: 127.0.0.1:38325
Connection: keep-alive

"""),
    "openapi-core, ACS3": ("AssignPrivateIpAddresses", 404, """\
POST /?NetworkInterfaceId=eni-bp1&PrivateIpAddress.1=192.168.0.21&PrivateIpAddress.2=192.168.0.22&RegionId=cn-hangzhou HTTP/1.1
host: 127.0.0.1:38325
x-acs-version: 2014-05-26
x-acs-action: AssignPrivateIpAddresses
user-agent: AlibabaCloud (linux; x64) Node.js/v20.20.2 Core/1.0.1 TeaDSL/2
x-acs-date: 2026-11-23T22:13:17Z
x-acs-signature-nonce: 61707333630c063893fed0ae4e41c9f2
accept: application/json
x-acs-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-acs-credentials-provider: static_ak
Authorization: ACS3-HMAC-SHA256 Credential=LTAItestAccessKeyId0,SignedHeaders=host;x-acs-action;x-acs-content-sha256;\
x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=00
Connection: keep-alive
Content-Length: 0

"""),
    "ecs20140526@2.0.0, split and chunked": ("AssignPrivateIpAddresses", 404, """\
POST /?Action=AssignPrivateIpAddresses&Format=json&Version=2014-05-26&Timestamp=2026-11-23T22%3A18%3A26Z&SignatureNonce=\
61707333630c063893fed0ae4e41c9f2&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=LTAItestAccessKeyId0&Signature=\
SmsPDftrIdzoPTgzVydNVRtvYu4%3D HTTP/1.1
content-type: application/x-www-form-urlencoded
Transfer-Encoding: chunked
host: 127.0.0.1:38325

79
RegionId=cn-hangzhou&NetworkInterfaceId=eni-bp1&PrivateIpAddress.1=192.168.0.21&PrivateIpAddress.2=192.168.0.22&DryRun=fa
4
lse&
0

"""),
}


def test_captured(d):
    for name, (action, status, text) in CAPTURED.items():
        raw = text.replace("\n", "\r\n").encode()
        for how, pieces in (("at once", [raw]), ("in pieces", [raw[i:i + 7] for i in range(0, len(raw), 7)])):
            d.close()
            d.connect()
            for piece in pieces:
                d.sock.sendall(piece)
            reply = d.receive()
            TAP.ok(reply.status == status and (status == 200 or reply.code == "InvalidEniId.NotFound"),
                   f"{name}, {how}: {action} is understood", (reply.status, reply.body))
    TAP.equal(len(d.call("DescribeEipAddresses")["EipAddresses"]["EipAddress"]), 1, "and done once: its token is")


def change(rng, raw):
    """raw with a few bytes changed, taken out, put in or repeated."""
    raw = bytearray(raw)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 8))):
        i, what = rng.randrange(len(raw)), rng.random()
        if what < 0.4:
            raw[i] = rng.randrange(256)
        elif what < 0.6:
            del raw[i:i + rng.randrange(1, 9)]
        elif what < 0.8:
            raw[i:i] = rng.choice((b"\r\n", b"%", b"&", b"=", b"\0", b"\xff", b":", b" ", b"A" * 50))
        else:
            raw[i:i] = raw[max(0, i - 20):i]
    return bytes(raw)


def test_changed_bytes(d, seconds=3):
    rng, seed = random.Random(), int(os.environ.get("SEED", time.time()))
    rng.seed(seed)
    base = [text.replace("\n", "\r\n").encode() for _, _, text in CAPTURED.values()]
    count, odd, end = 0, [], time.monotonic() + seconds
    while time.monotonic() < end:
        raw = change(rng, rng.choice(base))
        d.connect()
        d.sock.settimeout(2)
        count += 1
        try:
            d.sock.sendall(raw)
            d.sock.shutdown(socket.SHUT_WR)
            reply = d.receive()
            if reply.body and not reply.body.startswith(b"<?xml"):
                json.loads(reply.body)
        except (OSError, ConnectionError):
            pass  # it is closed, or waits for what will not come
        except ValueError:
            odd.append(raw)
        d.close()
    TAP.equal(odd[:1], [], f"whatever comes, what is answered is a document ({count} requests, SEED={seed})")


def test_any_key():
    server = Server(args=["--any-key", "--http", "127.0.0.1:0"])
    d = Door(port_of(server), "whoever", "whatever")
    TAP.equal(d.v1("CreateVpc", {"CidrBlock": "10.0.0.0/16"}, Timestamp="2016-02-23T12:46:24Z").status, 200, "--any-key: any key and time")
    TAP.equal(d.acs3("CreateVpc", {"CidrBlock": "10.0.0.0/16"}, change={"x-acs-extra": "1"}).status, 200, "--any-key: only the shape counts")
    TAP.equal(d.v1("DescribeVpcs", SignatureNonce=None).code, "MissingSignatureNonce", "--any-key: but it counts")
    TAP.equal(d.call("GetEvent", Seq=2)["Principal"], "key:whoever", "--any-key: the key is who did it")
    test_captured(d)
    test_changed_bytes(d)
    d.close()
    d.host = "evil.example"
    TAP.equal(d.v1("DescribeVpcs").status, 403, "--any-key: no web page comes in")
    TAP.equal(server.stop(), 0, "--any-key: it stops")
    server.remove()


def test_tls():
    """The same over TLS, where another kind of connection carries it."""
    if shutil.which("openssl") is None:
        print("# no openssl here: not looked at over TLS")
        return
    folder = tempfile.mkdtemp(prefix="ipledger-tls-")
    cert, key = os.path.join(folder, "cert"), os.path.join(folder, "key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
                   check=True, capture_output=True, timeout=60)
    server = Server(args=["--any-key", "--http", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key])
    d = Door(port_of(server), host="localhost", tls=ssl.create_default_context(cafile=cert))
    made = d.v1("CreateVpc", {"CidrBlock": "10.0.0.0/16"}, method="POST", where="split")
    TAP.equal((made.status, made.json["Seq"]), (200, 2), "TLS: a write")
    TAP.equal(len(d.call("DescribeVpcs", PageSize=50)["Vpcs"]["Vpc"]), 1, "TLS: a read on the same connection")
    for raw, status in ((b"GARBAGE\r\n\r\n", 400), (b"GET /" + b"a" * 131100 + b" HTTP/1.1\r\n\r\n", 400),
                        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n", 413)):
        d.close()
        reply = d.raw(raw)
        TAP.ok(reply.status == status and "Code" in reply.json, f"TLS: {raw[:20]} is a document", reply.body)
    server.remove()
    shutil.rmtree(folder)


def main():
    keys = tempfile.NamedTemporaryFile("w", prefix="ipledger-keys-")
    os.fchmod(keys.fileno(), 0o600)
    for (key, secret), role in zip(KEYS.items(), ROLES):
        print(key, secret, role, file=keys, flush=True)
    server = Server(args=["--http", "127.0.0.1:0", "--http-host", "ledger.example", "--keys", keys.name])
    d = test_shapes(server)
    _, vsw, _ = test_lists(d)
    test_wrong_parameters(server, d)
    test_versions(d)
    test_xml(d, vsw)
    test_error_documents(d)
    test_pages(server, d)
    test_ledger_methods(server, d)
    test_roles(server)
    test_web_pages(server)
    test_malformed(server)
    test_connections(server)
    test_past(server)
    test_many(server)
    test_signatures(server)
    test_stop(server)
    server.remove()
    test_any_key()
    test_tls()
    TAP.end()


main()
