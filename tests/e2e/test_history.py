#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a day in the life of some addresses, at the socket.
Claimed: the history of an address has an interval for each holding and that of an entity one for
each event that touched it, with who did it at both ends; it survives the deletion of everything; what
differs between two moments is told field by field, with the events that did it."""
import time

from ledger import BIG, Net, Server, Tap

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


def main():
    server = Server()
    net = Net(server)
    test_private(net)
    test_public(net)
    test_ipv6(net)
    test_window(net)
    test_diff(net)
    test_refused(net)
    server.remove()
    TAP.end()


main()
