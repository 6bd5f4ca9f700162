#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads of one entity at the Unix socket, pipelined, against an echo server that unpacks the same
requests by msgpack-c and packs the same answer; the same client asks both."""
import os

import msgpack

from side_by_side import (BARE, CLOSED_LOAD, Client, Figures, Ledger, ROUNDS, SECONDS, new_dir,
                          print_json, print_table, run, start)

ENTITIES = 1000
SHAPES = [(1, 1), (8, 16), (64, 16)]


def prepare(ledger, path):
    """Entities to read, the requests, and one answer."""
    client = Client(ledger.socket)
    vpc = client.call("CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
    switch = client.call("CreateVSwitch", VpcId=vpc, CidrBlock="10.0.0.0/16",
                         ZoneId="cn-hangzhou-a")["VSwitchId"]
    ids = [client.call("CreateNetworkInterface", VSwitchId=switch)["NetworkInterfaceId"]
           for _ in range(ENTITIES)]
    with open(os.path.join(path, "requests"), "wb") as file:
        for i in range(ENTITIES):  # every one of them, in no order that the memory has
            file.write(msgpack.packb([0, i, "GetEntity", [{"Id": ids[i * 389 % ENTITIES]}]]))
    with open(os.path.join(path, "answer"), "wb") as file:
        file.write(msgpack.packb(client.call("GetEntity", Id=ids[0])))
    client.close()


def main():
    path = new_dir()
    ledger = Ledger()
    prepare(ledger, path)
    echo = os.path.join(path, "echo.sock")
    start([BARE, "echo", echo, os.path.join(path, "answer")], lambda: os.path.exists(echo))
    rows, figures = [], {}
    for shape in SHAPES:
        name = f"{shape[0]}x{shape[1]}"
        rates = [[run(CLOSED_LOAD, "rpc", where, *shape, SECONDS,
                      os.path.join(path, "requests"))["PerSecond"]
                  for where in (ledger.socket, echo)] for _ in range(ROUNDS)]
        reads, echoes = (Figures(values) for values in zip(*rates))
        figures[name] = reads / echoes
        rows.append([name, reads.text(0), echoes.text(0), figures[name].text()])
    print_table("GetEntity at the Unix socket against an echo of the same frames",
                ["in flight", "reads/s", "echoes/s", "ratio"], rows)
    print_json("echo", figures)


if __name__ == "__main__":
    main()
