#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn the Alibaba GPU cluster trace (clusterdata, cluster-trace-gpu-v2025) into import rows.

One VPC 10.0.0.0/8, a vSwitch for each application group, an instance for each row: launched when
it is created (or before the trace), deleted when it is deleted. Role HN gets an EIP for its life;
every rdma_request a secondary private address. Each row has a ClientToken, so an import can be
repeated. --small makes each vSwitch one size too small, so that some launches are refused."""
import argparse
import csv
import datetime
import gzip
import ipaddress
import json
import sys

BEGIN = datetime.datetime(2025, 3, 1, tzinfo=datetime.timezone.utc)
TYPE = "ecs.trace.gpu"
SETUP_S = 3600  # the network is made an hour before the trace begins
BATCH = 100


def when(second):
    moment = BEGIN + datetime.timedelta(seconds=second)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def number(text, missing):
    return missing if text in ("", None) else int(float(text))


def read_trace(path):
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            yield {
                "name": row["instance_sn"],
                "app": row["app_name"],
                "eip": row["role"] == "HN",
                "secondary": min(number(row["rdma_request"], 0), 8),
                "created": number(row["creation_time"], None),
                "deleted": number(row["deletion_time"], None),
            }


def peak_addresses(instances):
    """The most addresses that each application group has at one time."""
    steps = {}
    for i in instances:
        weight = 1 + i["secondary"]
        steps.setdefault(i["app"], []).append((-1 if i["created"] is None else i["created"], 0, weight))
        if i["deleted"] is not None:
            steps[i["app"]].append((i["deleted"], 1, -weight))
    peaks = {}
    for app, list_of in steps.items():
        live = peak = 0
        for _, _, change in sorted(list_of):
            live += change
            peak = max(peak, live)
        peaks[app] = peak
    return peaks


class Rows:
    def __init__(self, out):
        self.out = out
        self.count = {}

    def add(self, second, operation, params, name=None):
        row = {"Time": when(second), "Operation": operation, "Params": params}
        if name:
            row["As"] = name
        self.out.write(json.dumps(row, separators=(",", ":")) + "\n")
        self.count[operation] = self.count.get(operation, 0) + 1


def make_network(rows, peaks, small):
    rows.add(-SETUP_S, "CreateVpc", {"CidrBlock": "10.0.0.0/8", "VpcName": "trace",
                                     "ClientToken": "vpc"}, "vpc")
    blocks = []
    for app, peak in peaks.items():
        bits = max(3, (peak + 4 - 1).bit_length())
        blocks.append((32 - bits + (1 if small and bits > 3 else 0), app))
    at = int(ipaddress.ip_address("10.0.0.0"))
    for prefix, app in sorted(blocks):
        block = ipaddress.ip_network((at, prefix))
        at += block.num_addresses
        rows.add(-SETUP_S, "CreateVSwitch",
                 {"VpcId": "$vpc", "ZoneId": "cn-hangzhou-a", "CidrBlock": str(block),
                  "VSwitchName": app[:128], "ClientToken": "vsw-" + app[-40:]}, "vsw-" + app)


def launch_params(instance):
    return {"VSwitchId": "$vsw-" + instance["app"], "InstanceType": TYPE}


def with_secondary(rows_params, instance):
    if instance["secondary"]:
        rows_params["NetworkInterface"] = [{"InstanceType": "Primary",
                                            "VSwitchId": rows_params.pop("VSwitchId"),
                                            "SecondaryPrivateIpAddressCount": instance["secondary"]}]
    return rows_params


def make_extras(rows, second, instance):
    name = instance["name"]
    if instance["eip"]:
        rows.add(second, "AllocateEipAddress", {"Bandwidth": "5", "ClientToken": "eip-" + name[-56:]},
                 "eip-" + name)
        rows.add(second, "AssociateEipAddress",
                 {"AllocationId": "$eip-" + name, "InstanceId": instance["ref"],
                  "ClientToken": "bind-" + name[-56:]})


def make_end(rows, second, instance):
    name = instance["name"]
    if instance["eip"]:
        rows.add(second, "UnassociateEipAddress",
                 {"AllocationId": "$eip-" + name, "ClientToken": "unbind-" + name[-56:]})
        rows.add(second, "ReleaseEipAddress",
                 {"AllocationId": "$eip-" + name, "ClientToken": "free-" + name[-56:]})
    rows.add(second, "DeleteInstance",
             {"InstanceId": instance["ref"], "Force": True, "ClientToken": "end-" + name[-56:]})


def make_first(rows, instances):
    """What exists when the trace begins, in launches of up to BATCH alike."""
    groups = {}
    for i in instances:
        if i["created"] is None:
            groups.setdefault((i["app"], i["secondary"]), []).append(i)
    for members in groups.values():
        for at in range(0, len(members), BATCH):
            batch = members[at:at + BATCH]
            name = "first-" + batch[0]["name"]
            params = with_secondary(launch_params(batch[0]), batch[0])
            params.update(Amount=len(batch), ClientToken="run-" + batch[0]["name"][-56:])
            rows.add(-1, "RunInstances", params, name)
            for k, i in enumerate(batch, 1):
                i["ref"] = f"${name}.InstanceIdSets.InstanceIdSet.{k}"
    for i in instances:
        if i["created"] is None:
            make_extras(rows, -1, i)


def convert(instances, rows, limit_s, small):
    make_network(rows, peak_addresses(instances), small)
    make_first(rows, instances)
    steps = []
    for order, i in enumerate(instances):
        if i["created"] is not None:
            steps.append((i["created"], 0, order))
        if i["deleted"] is not None:
            steps.append((i["deleted"], 1, order))
    for second, is_end, order in sorted(steps):
        if limit_s and second > limit_s:
            break
        i = instances[order]
        if is_end:
            make_end(rows, second, i)
        else:
            params = with_secondary(launch_params(i), i)
            params.update(InstanceName=i["name"][:128], ClientToken="run-" + i["name"][-56:])
            rows.add(second, "RunInstances", params, "i-" + i["name"])
            i["ref"] = "$i-" + i["name"] + ".InstanceIdSets.InstanceIdSet.1"
            make_extras(rows, second, i)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trace", help="disaggregated_DLRM_trace.csv.gz")
    parser.add_argument("--out", required=True, help="the rows, JSON lines")
    parser.add_argument("--init", required=True, help="the settings of the ledger that takes them")
    parser.add_argument("--limit-seconds", type=int, default=0, help="only the beginning")
    parser.add_argument("--small", action="store_true", help="vSwitches one size too small")
    args = parser.parse_args()
    instances = list(read_trace(args.trace))
    with open(args.init, "w", encoding="utf-8") as file:
        json.dump({"RegionId": "cn-hangzhou", "EventTime": when(-2 * SETUP_S),
                   "PublicPools": ["198.18.0.0/15"],
                   "InstanceTypes": [{"InstanceType": TYPE, "EniQuantity": 4,
                                      "EniPrivateIpAddressQuantity": 16}]}, file)
    with open(args.out, "w", encoding="utf-8") as file:
        rows = Rows(file)
        convert(instances, rows, args.limit_seconds, args.small)
    print(json.dumps(rows.count), sum(rows.count.values()), "rows", file=sys.stderr)


if __name__ == "__main__":
    main()
