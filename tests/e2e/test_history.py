#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a day in the life of some addresses, at the socket.
Claimed: the history of an address has an interval for each holding and that of an entity one for
each event that touched it, with who did it at both ends; it survives the deletion of everything; what
differs between two moments is told field by field, with the events that did it."""
import ipaddress
import json
import os
import pty
import subprocess
import time

from ledger import BIG, BINARY, Net, Server, Tap

TAP = Tap()
ENDS = {"Seq", "Type", "Operation", "Principal", "Actor", "Reason", "RequestId"}


def all_pages(call, operation, member, **params):
    got = []
    while True:
        page = call(operation, **params)
        got += page[member]
        if not page["NextToken"]:
            return got
        params["NextToken"] = page["NextToken"]


def history(net, **params):
    return all_pages(net.call, "GetHistory", "History", **params)


def spans(intervals):
    return [(i["FromSeq"], i["ToSeq"]) for i in intervals]


def test_private(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    eni = net.eni(vswitch, PrimaryIpAddress="10.0.0.9")
    given = net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.50"],
                     Actor="alice", Reason="ticket 1")
    instance = net.run(vswitch, InstanceType=BIG)[0]
    attached = net.call("AttachNetworkInterface", InstanceId=instance, NetworkInterfaceId=eni)
    TAP.equal(spans(history(net, Address="10.0.0.50")), [(given["Seq"], None)],
              "attaching the interface changes no interval")
    now = net.call("LookupAddress", Address="10.0.0.50")["Holdings"][0]
    then = history(net, Address="10.0.0.50")[0]["Holder"]
    TAP.equal((now.pop("InstanceId"), then.pop("InstanceId")), (instance, ""),
              "the instance of a lookup is that of now, of a history that at its beginning")
    TAP.equal(now, then, "a holder is shown as a lookup shows it")
    taken = net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.0.0.50"],
                     Actor="bob", Reason="ticket 2")
    net.call("DetachNetworkInterface", InstanceId=instance, NetworkInterfaceId=eni)
    again = net.call("CreateNetworkInterface", VSwitchId=vswitch, PrimaryIpAddress="10.0.0.50")
    for gone in (eni, again["NetworkInterfaceId"]):
        net.call("DeleteNetworkInterface", NetworkInterfaceId=gone)
    net.call("DeleteInstance", InstanceId=instance, Force=True)
    net.call("DeleteVSwitch", VSwitchId=vswitch)
    deleted = net.call("DeleteVpc", VpcId=vpc)["Seq"]
    got = history(net, Address="10.0.0.50")
    TAP.equal([(i["FromSeq"], i["ToSeq"], i["Holder"]["Kind"], i["Holder"]["NetworkInterfaceId"]) for i in got],
              [(given["Seq"], taken["Seq"], "SecondaryPrivate", eni),
               (again["Seq"], again["Seq"] + 2, "PrimaryPrivate", again["NetworkInterfaceId"])],
              "a re-used address, when everything is gone")
    TAP.equal([set(i[end]) for i in got for end in ("OpenedBy", "ClosedBy")], [ENDS] * 4, "both ends say who")
    TAP.equal([(e["Operation"], e["Actor"], e["Reason"], e["RequestId"]) for e in (got[0]["OpenedBy"],
                                                                                    got[0]["ClosedBy"])],
              [("AssignPrivateIpAddresses", "alice", "ticket 1", given["RequestId"]),
               ("UnassignPrivateIpAddresses", "bob", "ticket 2", taken["RequestId"])], "and for whom, and why")
    TAP.equal((got[0]["FromTime"], got[0]["ToTime"]), (given["Time"], taken["Time"]), "times are the events'")
    TAP.equal(history(net, Address="10.0.0.50", VpcId=vpc), got, "the same in a VPC that is gone")
    TAP.equal(history(net, Address="10.0.0.51"), [], "nobody ever had it: an empty history")
    TAP.equal(spans(history(net, Address="10.0.0.50", AsOf=taken["Seq"] - 1)), [(given["Seq"], None)],
              "as of before it was taken it is open")
    TAP.equal(history(net, Address="10.0.0.50", MaxResults=1), got, "page by page")
    entity = history(net, Id=eni)
    TAP.equal([i["OpenedBy"]["Operation"] for i in entity],
              ["CreateNetworkInterface", "AssignPrivateIpAddresses", "AttachNetworkInterface",
               "UnassignPrivateIpAddresses", "DetachNetworkInterface", "DeleteNetworkInterface"],
              "an entity has an interval for each event that touched it")
    TAP.equal([i["ToSeq"] for i in entity], [i["FromSeq"] for i in entity[1:]] + [None], "one after the other")
    TAP.equal([[f["Name"] for f in i["Fields"]] for i in entity[1:5]],
              [["PrivateIpSets"], ["Status", "InstanceId", "Attachment"], ["PrivateIpSets"],
               ["Status", "InstanceId", "Attachment"]], "the fields that an event changed")
    TAP.equal(entity[2]["Fields"][0], {"Name": "Status", "Before": "Available", "After": "InUse"},
              "before and after")
    TAP.equal({f["After"] for f in entity[-1]["Fields"]}, {None}, "after its end there is nothing")
    TAP.equal(attached["Seq"], entity[2]["FromSeq"], "and when")
    TAP.equal([i["FromSeq"] for i in history(net, Id=vpc)][-1], deleted, "a VPC's last word")
    net.gone = (eni, vpc)


def test_public(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc)
    ran = net.call("RunInstances", VSwitchId=vswitch, InstanceType=BIG, InternetMaxBandwidthOut=5)
    instance = ran["InstanceIdSets"]["InstanceIdSet"][0]
    ip = net.public(instance)[0]
    converted = net.call("ConvertNatPublicIpToEip", InstanceId=instance)
    eip = converted["AllocationId"]
    modified = net.call("ModifyEipAddressAttribute", AllocationId=eip, Bandwidth=7)
    free = net.call("UnassociateEipAddress", AllocationId=eip)
    again = net.call("AssociateEipAddress", AllocationId=eip, InstanceId=instance)
    eni = net.primary_eni(instance)
    deleted = net.call("DeleteInstance", InstanceId=instance, Force=True)
    released = net.call("ReleaseEipAddress", AllocationId=eip)
    got = history(net, Address=ip)
    TAP.equal([(i["FromSeq"], i["ToSeq"], i["Holder"]["Kind"], i["Holder"]["AllocationId"],
                i["Holder"]["NetworkInterfaceId"], i["Holder"]["InstanceId"]) for i in got],
              [(ran["Seq"], converted["Seq"], "PublicIp", "", eni, instance),
               (converted["Seq"], free["Seq"], "Eip", eip, eni, instance),
               (free["Seq"], again["Seq"], "Eip", eip, "", ""),
               (again["Seq"], deleted["Seq"], "Eip", eip, eni, instance),
               (deleted["Seq"], released["Seq"], "Eip", eip, "", "")],
              "a public address: fixed, converted, free, associated, free, released")
    TAP.equal(got[3]["ClosedBy"]["Operation"], "DeleteInstance", "with its instance an EIP loses its place")
    fields = {i["FromSeq"]: {f["Name"]: (f["Before"], f["After"]) for f in i["Fields"]}
              for i in history(net, Id=eip)}
    TAP.equal(fields[modified["Seq"]], {"Bandwidth": ("5", "7"), "EipBandwidth": ("5", "7")}, "of the EIP itself")
    fields = {i["FromSeq"]: {f["Name"]: f for f in i["Fields"]} for i in history(net, Id=instance)}
    TAP.ok(modified["Seq"] not in fields and "EipAddress" in fields[free["Seq"]],
           "an instance's history has its EIP's coming and going, not its bandwidth", fields.keys())
    TAP.equal(fields[free["Seq"]]["EipAddress"]["Before"]["Bandwidth"], 7, "what it lost, as it was just before")
    rebooted = net.run(vswitch)[0]
    net.call("RebootInstance", InstanceId=rebooted)
    TAP.equal(history(net, Id=rebooted)[1]["Fields"], [], "a reboot changes nothing that is shown")
    TAP.equal([len(i["Fields"]) for i in history(net, Id=vswitch)][1:], [0] * 3, "a count is no field")


def test_ipv6(net):
    vpc = net.call("CreateVpc", CidrBlock="10.0.0.0/16", EnableIpv6=True)["VpcId"]
    vswitch = net.call("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-a", CidrBlock="10.0.0.0/24",
                       Ipv6CidrBlock=7)["VSwitchId"]
    eni = net.eni(vswitch)
    given = net.call("AssignIpv6Addresses", NetworkInterfaceId=eni, Ipv6AddressCount=1)
    ip = given["Ipv6Sets"]["Ipv6Address"][0]
    taken = net.call("UnassignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address=[ip])
    got = history(net, Address=ip.upper())
    TAP.equal([(i["FromSeq"], i["ToSeq"], i["Holder"]["Address"], i["Holder"]["Kind"]) for i in got],
              [(given["Seq"], taken["Seq"], ip, "Ipv6")], "an IPv6 address, however it is written")
    TAP.equal(history(net, Address=ip, VpcId=vpc), got, "in its VPC")
    TAP.equal(history(net, Address=ip, VpcId=net.gone[1]), [], "in another one nobody had it")


def test_window(net):
    vswitch = net.vswitch(net.vpc("172.16.0.0/16"), "172.16.0.0/24")
    eni = net.eni(vswitch)
    times, seqs = [], []
    for operation in ("Assign", "Unassign") * 3:
        time.sleep(0.003)
        done = net.call(operation + "PrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["172.16.0.99"])
        times.append(done["Time"])
        seqs.append(done["Seq"])
    held = [(seqs[0], seqs[1]), (seqs[2], seqs[3]), (seqs[4], seqs[5])]

    def window(**params):
        return spans(history(net, Address="172.16.0.99", **params))
    TAP.equal(window(), held, "three holdings")
    TAP.equal(window(FromTime=times[2]), held[1:], "from the time one began")
    TAP.equal(window(FromTime=times[3]), held[2:], "one that ends as the window begins is not in it")
    TAP.equal(window(ToTime=times[2]), held[:2], "to the time one began")
    TAP.equal(window(FromTime=times[2], ToTime=times[3], MaxResults=1), held[1:2], "a window between")
    TAP.equal(spans(history(net, Id=eni, FromTime=times[2], ToTime=times[2])), [(seqs[2], seqs[3])],
              "of an entity: the event at that time")
    net.seqs = seqs
    net.address = "172.16.0.99"
    first = net.call("GetHistory", Address=net.address, MaxResults=2)
    net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=[net.address])
    rest = net.call("GetHistory", Address=net.address, MaxResults=2, NextToken=first["NextToken"])
    TAP.equal((spans(rest["History"]), rest["NextToken"], rest["AsOfSeq"]), (held[2:], "", first["AsOfSeq"]),
              "later pages are of the moment of the first")


def test_refused(net):
    call = net.call
    for code, parameter, name, params in [
            ("MissingParameter", "Id", "neither Id nor Address", {}),
            ("InvalidParameter", "Address", "both of them", {"Id": net.gone[0], "Address": "10.0.0.1"}),
            ("InvalidParameter", "VpcId", "VpcId with Id", {"Id": net.gone[0], "VpcId": net.gone[1]}),
            ("InvalidParameter", "Address", "no address", {"Address": "10.0.0"}),
            ("InvalidParameter", "FromTime", "no time", {"Address": "10.0.0.1", "FromTime": "5m"}),
            ("InvalidParameter", "ToTime", "no time", {"Address": "10.0.0.1", "ToTime": "noon"}),
            ("InvalidParameter", "NextToken", "no token", {"Address": "10.0.0.1", "NextToken": "1-2-3"}),
            ("UnsupportedParameter", "When", "an unknown member", {"Address": "10.0.0.1", "When": 1})]:
        refused = TAP.refused(code, f"{name}: {code}", call, "GetHistory", **params)
        TAP.equal(refused and refused.detail.get("Parameter"), parameter, f"{name}: names {parameter}")
    for code, params in [("NotFound", {"Id": "eni-nothing"}), ("NotFound", {"Id": net.gone[0], "AsOf": 1}),
                         ("InvalidVpcId.NotFound", {"Address": "10.0.0.1", "VpcId": "vpc-nothing"}),
                         ("InvalidVpcId.NotFound", {"Address": "10.0.0.1", "VpcId": net.gone[0]})]:
        refused = TAP.refused(code, f"{params}: {code}", call, "GetHistory", **params)
        TAP.ok(refused and refused.status == 404 and "Ids" in refused.detail, "with 404 and the id", refused)


def changes(net, before, after, **params):
    got = all_pages(net.call, "DiffState", "Changes", From=before, To=after, **params)
    return {c["Id"]: c for c in got}


def test_diff(net):
    vpc = net.vpc("192.168.0.0/16")
    vswitch = net.vswitch(vpc, "192.168.0.0/24")
    other = net.vswitch(vpc, "192.168.1.0/24")
    start = net.head()
    instance = net.run(vswitch)[0]
    eni = net.primary_eni(instance)
    made = net.eip(Bandwidth=3)
    eip = made["AllocationId"]
    middle = net.head()
    paired = net.call("AssociateEipAddress", AllocationId=eip, InstanceId=instance)["Seq"]
    modified = net.call("ModifyEipAddressAttribute", AllocationId=eip, Bandwidth=4)["Seq"]
    passing = net.eni(other)
    net.call("DeleteNetworkInterface", NetworkInterfaceId=passing)
    net.call("ModifyVSwitchAttribute", VSwitchId=other, VSwitchName="named")
    net.call("RebootInstance", InstanceId=instance)
    end = net.head()
    got = changes(net, middle, end)
    TAP.equal({i: (c["Kind"], c["Change"], c["Seqs"]) for i, c in got.items()},
              {instance: ("Instance", "Updated", [paired, end]),
               eni: ("NetworkInterface", "Updated", [paired]),
               eip: ("Eip", "Updated", [paired, modified]),
               other: ("VSwitch", "Updated", [modified + 1, modified + 2, modified + 3])},
              "what differs, by which events; what came and went is not told")
    TAP.equal({f["Name"]: (f["Before"], f["After"]) for f in got[other]["Fields"]}, {"VSwitchName": ("", "named")},
              "a count is no field")
    fields = {f["Name"]: (f["Before"], f["After"]) for f in got[eip]["Fields"]}
    TAP.equal((fields["Status"], fields["Bandwidth"], fields["InstanceId"]),
              (("Available", "InUse"), ("3", "4"), ("", instance)), "field by field")
    TAP.equal([f["Name"] for f in got[instance]["Fields"]], ["EipAddress"], "an instance has another EIP")
    TAP.ok(instance not in changes(net, paired, end), "its EIP's bandwidth is not the instance's")
    back = changes(net, end, middle)
    TAP.equal({i: [(f["Name"], f["After"], f["Before"]) for f in c["Fields"]] for i, c in back.items()},
              {i: [(f["Name"], f["Before"], f["After"]) for f in c["Fields"]] for i, c in got.items()},
              "the other way round it is reversed")
    created = changes(net, start, end)
    TAP.equal([created[i]["Change"] for i in (instance, eni, eip)], ["Created"] * 3, "created")
    state = net.call("GetEntity", Id=eip)["State"]
    TAP.equal({f["Name"]: f["After"] for f in created[eip]["Fields"]}, state, "with all its members")
    TAP.equal([c["Change"] for i, c in changes(net, end, start).items() if i in (instance, eni, eip)],
              ["Deleted"] * 3, "and deleted the other way")
    TAP.equal(changes(net, end, end), {}, "nothing between a moment and itself")
    TAP.equal(set(changes(net, start, end, Id=instance)), {instance, eni, eip}, "an instance: what it has")
    TAP.equal(set(changes(net, start, end, Id=other)), {other}, "a vSwitch")
    TAP.equal(set(changes(net, middle, end, Id=vswitch)), {instance, eni, eip}, "a vSwitch: what is in it")
    TAP.equal(set(changes(net, middle, end, Id=vpc)), {instance, eni, eip, other}, "a VPC: what is in it")
    TAP.equal(set(changes(net, middle, end, Id=eip)), {eip}, "an EIP: itself")
    TAP.equal(changes(net, middle, end, Id=instance, MaxResults=1), changes(net, middle, end, Id=instance),
              "page by page")
    times = [net.call("GetEvent", Seq=s)["Time"] for s in (middle, end)]
    if times[0] != net.call("GetEvent", Seq=middle + 1)["Time"]:
        TAP.equal(changes(net, *times), got, "by times")
    page = net.call("DiffState", From=start, To="2999-01-01T00:00:00Z", MaxResults=1)
    net.eip()
    rest = net.call("DiffState", From=start, To="2999-01-01T00:00:00Z", MaxResults=1,
                    NextToken=page["NextToken"])
    TAP.equal((rest["ToSeq"], rest["AsOfSeq"]), (end, end), "later pages are of the moments of the first")
    net.call("DeleteInstance", InstanceId=instance, Force=True)
    TAP.equal(changes(net, end, net.head(), Id=instance)[instance]["Change"], "Deleted", "it is gone at one end")
    for code, parameter, params in [
            ("MissingParameter", "From", {"To": 1}), ("MissingParameter", "To", {"From": 1}),
            ("InvalidAsOf.Malformed", "From", {"From": -1, "To": 1}),
            ("InvalidAsOf.Malformed", "To", {"From": 1, "To": "noon"}),
            ("InvalidAsOf.Malformed", "To", {"From": 1, "To": 1.5}),
            ("InvalidAsOf.Future", "From", {"From": 10 ** 9, "To": 1}),
            ("InvalidAsOf.Future", "To", {"From": 1, "To": end, "AsOf": start})]:
        refused = TAP.refused(code, f"{params}: {code}", net.call, "DiffState", **params)
        TAP.equal(refused and refused.detail.get("Parameter"), parameter, f"which names {parameter}")
    TAP.refused("NotFound", "no such id", net.call, "DiffState", From=1, To=end, Id="eip-nothing")
    gone = TAP.refused("NotFound", "there at neither end", net.call, "DiffState", From=middle, To=end, Id=passing)
    TAP.equal(gone and gone.detail.get("DeletedSeq"), modified + 2, "and when it went")
    TAP.refused("NotFound", "not yet there", net.call, "DiffState", From=1, To=start, Id=eip)


def addresses(net, **params):
    return all_pages(net.call, "ListAddresses", "Addresses", **params)


def brief(rows):
    return [(r["Holder"]["Address"], r["Status"], (r["ClosedBy"] or r["OpenedBy"])["Operation"]) for r in rows]


def last_of(net, block, **params):
    """What a list of addresses must be: the last interval of the history of each."""
    return [history(net, Address=str(ip), **params)[-1] for ip in ipaddress.ip_network(block)
            if history(net, Address=str(ip), **params)]


def test_addresses(net):
    vpc = net.vpc("192.168.0.0/16")
    vswitch = net.vswitch(vpc, "192.168.9.0/28")
    eni = net.eni(vswitch, PrivateIpAddress=["192.168.9.7", "192.168.9.3"])
    net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["192.168.9.7"], Reason="done")
    middle = net.head()
    other = net.eni(vswitch, PrimaryIpAddress="192.168.9.12")
    got = addresses(net, VSwitchId=vswitch)
    TAP.equal(brief(got), [("192.168.9.1", "Held", "CreateNetworkInterface"),
                           ("192.168.9.3", "Held", "CreateNetworkInterface"),
                           ("192.168.9.7", "Free", "UnassignPrivateIpAddresses"),
                           ("192.168.9.12", "Held", "CreateNetworkInterface")],
              "of a vSwitch: each address that anybody had, and who gave or took it last")
    TAP.equal([{k: v for k, v in r.items() if k != "Status"} for r in got], last_of(net, "192.168.9.0/28"),
              "the last interval of its history")
    TAP.equal(brief(addresses(net, VSwitchId=vswitch, AsOf=middle)), brief(got)[:3], "as of before")
    TAP.equal(addresses(net, CidrBlock="192.168.9.0/29", VpcId=vpc), got[:3], "a block in a VPC")
    TAP.equal(addresses(net, CidrBlock="192.168.9.8/29", MaxResults=1), got[3:], "a block anywhere, page by page")
    TAP.equal(addresses(net, Address="192.168.9.12"), got[3:], "one address")
    TAP.equal(addresses(net, Address="192.168.9.13"), [], "one that nobody had")
    for gone in (eni, other):
        net.call("DeleteNetworkInterface", NetworkInterfaceId=gone)
    net.call("DeleteVSwitch", VSwitchId=vswitch)
    later = net.vswitch(vpc, "192.168.9.0/28")
    net.eni(later, PrimaryIpAddress="192.168.9.3")
    got = addresses(net, CidrBlock="192.168.9.0/28", VpcId=vpc)
    TAP.equal(sorted(brief(got)), [("192.168.9.1", "Free", "DeleteNetworkInterface"),
                                   ("192.168.9.12", "Free", "DeleteNetworkInterface"),
                                   ("192.168.9.3", "Held", "CreateNetworkInterface"),
                                   ("192.168.9.7", "Free", "UnassignPrivateIpAddresses")],
              "a block that two vSwitches had: each address once")
    public = addresses(net, CidrBlock="198.18.0.0/24")
    TAP.equal([{k: v for k, v in r.items() if k != "Status"} for r in public], last_of(net, "198.18.0.0/24"),
              "public addresses")
    ipv6 = net.call("CreateVpc", CidrBlock="10.0.0.0/16", EnableIpv6=True)["VpcId"]
    six = net.call("CreateVSwitch", VpcId=ipv6, ZoneId="cn-hangzhou-a", CidrBlock="10.0.0.0/24",
                   Ipv6CidrBlock=1)["VSwitchId"]
    nic = net.eni(six, Ipv6AddressCount=2)
    sets = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=nic)["Ipv6Sets"]["Ipv6Set"]
    mine = [a["Ipv6Address"] for a in sets]
    net.call("UnassignIpv6Addresses", NetworkInterfaceId=nic, Ipv6Address=mine[:1])
    net.call("AssignIpv6Addresses", NetworkInterfaceId=nic, Ipv6Address=mine[:1])
    block = str(ipaddress.ip_network(mine[0] + "/64", strict=False))
    TAP.equal(sorted(brief(addresses(net, CidrBlock=block))),
              [(mine[0], "Held", "AssignIpv6Addresses"), (mine[1], "Held", "CreateNetworkInterface")],
              "an IPv6 block: an address that was given twice is there once")
    TAP.equal([a for a, _, _ in brief(addresses(net, VSwitchId=six))], ["10.0.0.1", mine[1], mine[0]],
              "a vSwitch: IPv4, then IPv6")
    for code, parameter, params in [
            ("MissingParameter", "Address", {}),
            ("InvalidParameter", "CidrBlock", {"CidrBlock": "10.0.0.1/24"}),
            ("InvalidParameter", "Address", {"Address": "10.0.0"}),
            ("InvalidParameter", "VSwitchId", {"VSwitchId": six, "Address": "10.0.0.1"}),
            ("InvalidVSwitchId.NotFound", None, {"VSwitchId": "vsw-nothing"}),
            ("InvalidVSwitchId.NotFound", None, {"VSwitchId": six, "AsOf": 1}),
            ("InvalidVpcId.NotFound", None, {"CidrBlock": "10.0.0.0/8", "VpcId": "vpc-nothing"})]:
        refused = TAP.refused(code, f"{params}: {code}", net.call, "ListAddresses", **params)
        TAP.equal(refused and refused.detail.get("Parameter"), parameter, f"which names {parameter}")
    net.later, net.vpc_id, net.later_eni = later, vpc, nic


def cli(server, *words):
    return subprocess.run([BINARY, "--data", server.data, *words], capture_output=True, text=True, timeout=60,
                          check=False)


def coloured(server, *words):
    """What a terminal gets."""
    main_end, other_end = pty.openpty()
    process = subprocess.Popen([BINARY, "--data", server.data, *words], stdout=other_end, stderr=other_end)
    process.wait(timeout=60)
    os.close(other_end)
    text = os.read(main_end, 1 << 16).decode()
    os.close(main_end)
    return text


def test_commands(server, net):
    def text(*words):
        done = cli(server, *words)
        TAP.equal((done.returncode, done.stderr), (0, ""), " ".join(words[:2]))
        return done.stdout

    def same(operation, member, params, *words):
        got = json.loads(text("-o", "json", *words))
        TAP.equal((got[member], got["NextToken"]), (all_pages(net.call, operation, member, **params), ""),
                  f"{words[0]} -o json is the result of {operation}")
    def commands():
        head = str(net_head)
        same("GetHistory", "History", {"Address": net.address}, "history", net.address)
        same("GetHistory", "History", {"Id": net.later_eni}, "history", net.later_eni)
        same("GetHistory", "History", {"Address": net.address, "FromSeq": net.seqs[3], "ToSeq": net.seqs[4]},
             "history", net.address, "--from", str(net.seqs[3]), "--to", str(net.seqs[4]))
        same("ListAddresses", "Addresses", {"CidrBlock": "192.168.9.0/28", "VpcId": net.vpc_id}, "blame",
             "192.168.9.0/28", "--vpc-id", net.vpc_id)
        same("ListAddresses", "Addresses", {"VSwitchId": net.later}, "blame", net.later)
        same("ListAddresses", "Addresses", {"Address": net.address}, "blame", net.address)
        same("DiffState", "Changes", {"From": 1, "To": net_head, "Id": net.vpc_id}, "diff", "1", head, net.vpc_id)
        lines = text("history", net.address).splitlines()
        TAP.equal((lines[0].split()[:4], len(lines)), (["FromSeq", "ToSeq", "FromTime", "Kind"], 5),
                  "a line for each holding")
        TAP.equal(len(text("history", net.address, "--from", str(net.seqs[3]), "--to",
                           str(net.seqs[4])).splitlines()), 2, "from a moment to another")
        lines = text("history", net.later_eni).splitlines()
        TAP.ok(lines[0].startswith("#") and "CreateNetworkInterface by " in lines[0] and
               any(l.startswith("    Ipv6Sets: ") and " -> " in l for l in lines), "an entity's events and fields", lines)
        TAP.ok("nobody had it" in text("history", "10.99.0.1"), "an address that nobody had")
        lines = [l.split() for l in text("blame", "192.168.9.0/28", "--vpc-id", net.vpc_id).splitlines()]
        TAP.equal([l[:2] for l in lines[1:]], [["192.168.9.1", "Free"], ["192.168.9.3", "Held"],
                                               ["192.168.9.7", "Free"], ["192.168.9.12", "Free"]],
                  "blame: in the order of addresses")
        TAP.ok("done" in text("blame", "192.168.9.7"), "and why")
        TAP.ok("Reserved, nobody ever had it" in text("blame", "192.168.9.0") and
               "nobody ever had" in text("blame", "192.168.77.0/24"), "what nobody had is free, reserved or outside")
        TAP.ok("Held" in text("--as-of", str(net.seqs[0]), "blame", net.address) and
               "Free" in text("--as-of", str(net.seqs[1]), "blame", net.address), "blame as of the past")
        TAP.ok("SecondaryPrivate" in text("--as-of", str(net.seqs[0]), "show", net.address) and
               "Free" in text("--as-of", str(net.seqs[1]), "show", net.address), "show an address as of the past")
        lines = text("diff", str(net.seqs[0] - 1), str(net.seqs[0])).splitlines()
        TAP.ok(len(lines) == 2 and lines[0].startswith("~ eni-") and
               lines[0].endswith(f"NetworkInterface  #{net.seqs[0]} AssignPrivateIpAddresses") and
               lines[1].startswith("    PrivateIpSets: ") and " -> " in lines[1], "diff: what is another", lines)
        TAP.ok(text("diff", "1", head, net.vpc_id).startswith("+ vpc-") and
               text("diff", head, "1", net.vpc_id).startswith("- vpc-"), "created, and the other way deleted")
        TAP.ok("nothing differs" in text("diff", head, head), "nothing")
    net_head = net.head()
    commands()
    TAP.ok("\033[32m+ vpc-" in coloured(server, "diff", "1", str(net_head), net.vpc_id), "in colour on a terminal")
    for words, code in ((["diff", "1"], 2), (["diff", "1", "noon"], 2), (["history"], 2), (["blame"], 2),
                        (["history", "a", "b"], 2), (["history", "a", "--from", "noon"], 2), (["blame", "-x"], 2),
                        (["blame", "vsw-nothing"], 1), (["history", "eni-nothing"], 1), (["diff", "1", "99999999"], 1)):
        TAP.equal(cli(server, *words).returncode, code, f"{' '.join(words)}: exit status {code}")
    before = [cli(server, *w).stdout for w in (("history", net.address), ("blame", net.later),
                                               ("diff", "1", str(net_head)))]
    server.stop()
    after = [cli(server, *w).stdout for w in (("history", net.address), ("blame", net.later),
                                              ("diff", "1", str(net_head)))]
    TAP.ok(before == after and all(before), "the same without a server")


def main():
    server = Server()
    net = Net(server)
    test_private(net)
    test_public(net)
    test_ipv6(net)
    test_window(net)
    test_diff(net)
    test_addresses(net)
    test_refused(net)
    test_commands(server, net)
    server.remove()
    TAP.end()


main()
