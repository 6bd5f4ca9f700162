#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: several operations in one Transact, and refusals.
Claimed: all or none, in order, with references; one token for the whole, across restarts. What is
refused leaves no event and stands in the list of refusals with all that is needed to see why."""
import subprocess
import threading
import time

from ledger import BINARY, SMALL, ZONE, Net, Refused, Server, Tap

TAP = Tap()


def op(operation, **params):
    return {"Operation": operation, "Params": params}


def network(cidr="10.0.0.0/16"):
    return [op("CreateVpc", CidrBlock=cidr, EnableIpv6=True),
            op("CreateVSwitch", VpcId="$1.VpcId", ZoneId=ZONE, CidrBlock="10.0.0.0/24", Ipv6CidrBlock=7),
            op("RunInstances", VSwitchId="$2.VSwitchId", InstanceType="ecs.g7.large", Amount=2, Ipv6AddressCount=1),
            op("CreateNetworkInterface", VSwitchId="$2.VSwitchId"),
            op("AttachNetworkInterface", InstanceId="$3.InstanceIdSets.InstanceIdSet.2",
               NetworkInterfaceId="$4.NetworkInterfaceId")]


def without_ids(answer):
    return {**{k: v for k, v in answer.items() if k != "RequestId"},
            "Results": [{k: v for k, v in r.items() if k != "RequestId"} for r in answer["Results"]]}


def test_all(net):
    head = net.head()
    made = net.call("Transact", Operations=network(), Reason="bootstrap", Actor="ops")
    TAP.equal((made["FirstSeq"], made["LastSeq"], made["Seq"]), (head + 1, head + 5, head + 5), "five events in a row")
    TAP.equal([r["Seq"] for r in made["Results"]], list(range(head + 1, head + 6)), "each result has its seq")
    TAP.ok(all(r["Time"] == made["Time"] and r["RequestId"] == made["RequestId"] for r in made["Results"]),
           "one time, one request")
    events = net.call("ListEvents", FromSeq=head + 1)["Events"]
    TAP.equal([(e["Operation"], e["Group"], e["Reason"], e["Actor"]) for e in events],
              [(o["Operation"], {"FirstSeq": head + 1, "Count": 5}, "bootstrap", "ops") for o in network()],
              "events say their operation, their group, and the reason of the whole")
    eni = made["Results"][3]["NetworkInterfaceId"]
    shown = net.call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId=eni)
    TAP.equal(shown["InstanceId"], made["Results"][2]["InstanceIdSets"]["InstanceIdSet"][1],
              "references lead to what was made before, lists from 1")
    nothing = net.call("Transact", Operations=[op("CreateVpc", CidrBlock="10.0.0.0/16", Description="$9 a month")])
    TAP.equal(net.call("DescribeVpcs", VpcId=nothing["Results"][0]["VpcId"])["Vpcs"]["Vpc"][0]["Description"],
              "$9 a month", "text that is no reference stays")


def test_none(net):
    vpc = net.vpc()
    vswitch = net.vswitch(vpc, "10.0.0.0/29")
    before = (net.head(), net.free(vswitch))
    cases = (
        ([op("RunInstances", VSwitchId=vswitch, InstanceType=SMALL, Amount=3),
          op("RunInstances", VSwitchId=vswitch, InstanceType=SMALL, Amount=2)], "InvalidVSwitchId.IpNotEnough", 2),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16"), op("DeleteVpc", VpcId="vpc-x")], "InvalidVpcId.NotFound", 2),
        ([op("DeleteVSwitch", VSwitchId=vswitch), op("CreateNetworkInterface", VSwitchId=vswitch)],
         "InvalidVSwitchId.NotFound", 2),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16"), op("CreateVSwitch", VpcId="$1.VpcID", ZoneId=ZONE,
                                                       CidrBlock="10.0.0.0/24")], "InvalidParameter", 2),
        ([op("DeleteVpc", VpcId="$1.VpcId")], "InvalidParameter", 1),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16"), op("DeleteVpc", VpcId="$3.VpcId")], "InvalidParameter", 2),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16", ClientToken="x")], "UnsupportedParameter", 1),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16", Moon=1)], "UnsupportedParameter", 1),
        ([op("CreateVpc")], "MissingParameter", 1),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16"), op("DescribeVpcs")], "InvalidParameter", 2),
        ([op("Transact", Operations=[op("CreateVpc", CidrBlock="10.0.0.0/16")])], "InvalidParameter", 1),
        ([op("Nothing")], "UnknownOperation", 1),
        ([{"Operation": "CreateVpc", "Params": [1]}], "InvalidParameter", 1),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16", VpcName="x" * 129)], "InvalidParameter", 1),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16"), op("ModifyVpcAttribute", VpcId="vpc-x", VpcName="x" * 129)],
         "InvalidVpcId.NotFound", 2),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16"), op("ModifyVpcAttribute", VpcId="$1.VpcId", VpcName="x" * 129)],
         "InvalidParameter", 2),
        ([op("CreateVpc", CidrBlock="10.0.0.0/16", RegionId="mars")], "InvalidRegionId.NotFound", 1))
    for operations, code, index in cases:
        refusal = TAP.refused(code, f"{[o['Operation'] for o in operations]}: {code}", net.call, "Transact",
                              Operations=operations)
        TAP.equal(refusal.detail.get("Index"), index, f"operation {index} was refused")
    for params, code in (({"Operations": []}, "MissingParameter"), ({}, "MissingParameter"),
                         ({"Operations": [op("CreateVpc", CidrBlock="10.0.0.0/16")] * 101}, "InvalidParameter"),
                         ({"Operations": "x"}, "InvalidParameter"),
                         ({"Operations": [{"Params": {}}]}, "MissingParameter"),
                         ({"Operations": [{**op("CreateVpc"), "Moon": 1}]}, "UnsupportedParameter")):
        TAP.refused(code, f"Transact {str(params)[:50]}: {code}", net.call, "Transact", **params)
    TAP.refused("DryRunOperation", "a dry run decides", net.call, "Transact", Operations=network(), DryRun=True)
    TAP.refused("InvalidVpcId.NotFound", "a dry run refuses", net.call, "Transact", DryRun=True,
                Operations=[op("DeleteVpc", VpcId="vpc-x")])
    TAP.equal((net.head(), net.free(vswitch)), before, "none of them changed anything")
    seq = net.head()
    net.call("ModifyVSwitchAttribute", VSwitchId=vswitch, VSwitchName="changed")
    refusal = TAP.refused("PreconditionFailed", "IfSeq is judged against the state before", net.call, "Transact",
                          IfSeq=seq, Operations=[op("CreateNetworkInterface", VSwitchId=vswitch)])
    TAP.equal(refusal.detail["Ids"], [vswitch], "what changed is named")
    made = net.call("Transact", IfSeq=seq + 1, Operations=[
        op("CreateNetworkInterface", VSwitchId=vswitch),
        op("DeleteNetworkInterface", NetworkInterfaceId="$1.NetworkInterfaceId")])
    TAP.equal(made["LastSeq"], seq + 3, "what the transaction itself changes does not count")


def test_token(server, net):
    operations = network() + [
        op("ModifyInstanceNetworkSpec", InstanceId="$3.InstanceIdSets.InstanceIdSet.1", InternetMaxBandwidthOut=5),
        op("AllocatePublicIpAddress", InstanceId="$3.InstanceIdSets.InstanceIdSet.1"),
        op("CreateVpc", CidrBlock="172.16.0.0/12")]
    made = net.call("Transact", Operations=operations, ClientToken="whole")
    TAP.equal((made["LastSeq"] - made["FirstSeq"], made["Results"][6]["Seq"]), (6, made["Results"][5]["Seq"]),
              "an operation that changes nothing has no event, but the seq that made it so")
    again = net.call("Transact", Operations=[{"Params": o["Params"], "Operation": o["Operation"]} for o in operations],
                     ClientToken="whole")
    TAP.equal(without_ids(again), without_ids(made), "a retry has the same answer")
    TAP.ok(again["RequestId"] != made["RequestId"], "and its own RequestId")
    TAP.refused("IdempotentParameterMismatch", "the token with another batch", net.call, "Transact",
                Operations=operations[:1], ClientToken="whole")
    net.call("DeleteInstance", InstanceId=made["Results"][2]["InstanceIdSets"]["InstanceIdSet"][0], Force=True)
    server.kill()
    server.start()
    net = Net(server)
    again = net.call("Transact", Operations=operations, ClientToken="whole")
    TAP.equal(without_ids(again), without_ids(made), "after a restart too, though the instance is gone")
    head = net.head()
    i = made["Results"][2]["InstanceIdSets"]["InstanceIdSet"][1]
    net.call("ModifyInstanceNetworkSpec", InstanceId=i, InternetMaxBandwidthOut=5)
    only = net.call("Transact", Operations=[op("AllocatePublicIpAddress", InstanceId=i)], ClientToken="nothing")
    TAP.equal((only["FirstSeq"], only["LastSeq"], net.head(), only["Results"][0]["Seq"]),
              (None, None, head + 1, head + 1), "where nothing is appended the seqs are nil")
    TAP.ok(net.call("Transact", Operations=[op("CreateVpc", CidrBlock="10.0.0.0/16")], ClientToken="nothing")["Seq"],
           "and no token is left")
    return net


def test_settings(net):
    made = net.call("Transact", Operations=[
        op("ModifyLedgerSettings", PublicPools=["198.18.0.0/15", "203.0.113.0/29"], Quotas={"Vpcs": 1000}),
        op("AllocateEipAddress", IpAddress="203.0.113.1"),
        op("ModifyLedgerSettings", ReuseDelaySeconds=60),
        op("AllocateEipAddress", IpAddress="203.0.113.2"),
        op("ReleaseEipAddress", AllocationId="$4.AllocationId")])
    TAP.equal(made["Results"][1]["EipAddress"], "203.0.113.1", "settings hold for what comes after them")
    TAP.equal(net.call("LookupAddress", Address="203.0.113.2")["Status"], "Cooling", "a reuse delay too")
    TAP.refused("DependencyViolation.PublicPool", "a pool that the same transaction uses", net.call, "Transact",
                Operations=[op("ModifyLedgerSettings", PublicPools=["198.18.0.0/15", "203.0.113.0/29",
                                                                   "192.0.2.0/28"]),
                            op("AllocateEipAddress", IpAddress="192.0.2.1"),
                            op("ModifyLedgerSettings", PublicPools=["198.18.0.0/15", "203.0.113.0/29"])])


def test_together(server, net):
    """Many clients whose transactions fight for one small vSwitch: nobody gets half."""
    vswitch = net.vswitch(net.vpc(), "10.0.0.0/27")
    done = []

    def fight():
        own = Net(server)
        for _ in range(20):
            try:
                made = own.call("Transact", Operations=[op("CreateNetworkInterface", VSwitchId=vswitch),
                                                        op("CreateNetworkInterface", VSwitchId=vswitch),
                                                        op("CreateNetworkInterface", VSwitchId=vswitch)])
                done.append([r["PrivateIpAddress"] for r in made["Results"]])
            except Refused as refusal:
                if refusal.code != "InvalidVSwitchId.IpNotEnough":
                    raise
    threads = [threading.Thread(target=fight) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ips = [ip for three in done for ip in three]
    TAP.equal((len(done), len(ips), len(set(ips)), net.free(vswitch)), (9, 27, 27, 1), "nine threes of 28, one left")


def test_refusals(server, net):
    count = len(net.call("ListRefusals", MaxResults=1000)["Refusals"])
    TAP.ok(count > 20, "refusals are listed", count)
    head = net.head()
    vpc = net.vpc()
    try:
        net.call("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="11.0.0.0/24", Actor="audit-me", Reason="why")
    except Refused as refusal:
        wanted = refusal.error
    entry = net.call("ListRefusals", Id=vpc)["Refusals"][-1]
    TAP.equal((entry["Operation"], entry["Params"]["CidrBlock"], entry["Params"]["Reason"], entry["Actor"],
               entry["Code"], entry["Message"], entry["Detail"], entry["RequestId"], entry["HeadSeq"]),
              ("CreateVSwitch", "11.0.0.0/24", "why", "audit-me", wanted["Code"], wanted["Message"], wanted["Detail"],
               wanted["RequestId"], head + 1), "with the request, who, why, and the head at that time")
    TAP.ok(entry["Principal"].startswith("uid:"), "and the principal")
    pick = lambda **filters: net.call("ListRefusals", MaxResults=1000, **filters)["Refusals"]
    TAP.equal([r["RequestId"] for r in pick(Actor="audit-me")], [entry["RequestId"]], "by actor")
    TAP.ok(pick(Type="CreateVSwitch") and all(r["Operation"] == "CreateVSwitch" for r in pick(Type="CreateVSwitch")),
           "by operation")
    TAP.ok(pick(Type="InvalidParameter") and pick(Type="InvalidParameter")[0]["Code"] == "InvalidParameter", "by code")
    TAP.equal([r["HeadSeq"] for r in pick(FromSeq=head + 1)], [head + 1], "by the head's seq")
    TAP.equal(pick(FromTime="2199-01-01T00:00:00Z"), [], "by time")
    everything = [r["RequestId"] for r in pick()]
    TAP.equal([r["RequestId"] for r in pick(Reverse=True)], everything[::-1], "backwards")
    pages, token = [], {}
    while True:
        page = net.call("ListRefusals", MaxResults=7, **token)
        pages += [r["RequestId"] for r in page["Refusals"]]
        if not page["NextToken"]:
            break
        token = {"NextToken": page["NextToken"]}
    TAP.equal(pages, everything, "in pages")
    before = len(everything)
    TAP.refused("DryRunOperation", "a dry run is no refusal", net.call, "CreateVpc", CidrBlock="10.0.0.0/16", DryRun=True)
    TAP.refused("InvalidVpcId.NotFound", "nor is a read", net.call, "DescribeVpcAttribute", VpcId="vpc-x")
    TAP.equal(len(pick()), before, "neither is listed")
    time.sleep(0.8)
    server.kill()
    server.start()
    net = Net(server)
    TAP.equal([r["RequestId"] for r in net.call("ListRefusals", MaxResults=1000)["Refusals"]], everything,
              "a kill loses none that were written down")
    for i in range(5000):
        net.client.send("DeleteVpc", {"VpcId": f"vpc-{i}"})
    for _ in range(5000):
        net.client.receive()
    first = net.call("ListRefusals", MaxResults=1)["Refusals"][0]
    TAP.equal(first["Params"], {"VpcId": "vpc-904"}, "the list is bounded: the oldest go")
    server.stop()
    shown = subprocess.run([BINARY, "--data", server.data, "-o", "json", "call", "ListRefusals", "MaxResults=1",
                            "Reverse=true"], capture_output=True, text=True, check=False)
    TAP.ok('"vpc-4999"' in shown.stdout, "without a server the command line reads it", shown.stdout + shown.stderr)


def main():
    server = Server()
    net = Net(server)
    test_all(net)
    test_none(net)
    net = test_token(server, net)
    test_settings(net)
    test_together(server, net)
    test_refusals(server, net)
    server.remove()
    TAP.end()


main()
