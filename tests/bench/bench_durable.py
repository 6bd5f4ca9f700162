#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Durable mixed operations at the Unix socket, with 1, 16, 64 and 1024 in flight: rate and latencies,
and the rate against LMDB alone, which commits the same records in the same batches on the same disk.
With one in flight also against what it cannot be faster than: one fdatasync of an append, one of
an overwrite, and a round trip to a server that does nothing."""
import os

import msgpack

from side_by_side import (BARE, CLOSED_LOAD, Figures, Ledger, ROUNDS, SECONDS, new_dir, print_json,
                          print_table, run, start, stop)

IN_FLIGHT = [(1, 1), (16, 1), (64, 1), (64, 16)]


def alone(ledger, got):
    """What the load appended, without what was made before and deleted after it."""
    return run(BARE, "log", os.path.join(ledger.dir, "log.mdb"), got["FirstSeq"],
               got["FirstSeq"] + got["Events"] - 1, SECONDS, os.path.join(ledger.dir, "bare.mdb"))


def round_trip():
    """Of a request and an answer of the usual sizes, in microseconds."""
    path = new_dir()
    sock = os.path.join(path, "echo.sock")
    for name, value in (("answer", {"AllocationId": "x" * 24, "EipAddress": "198.18.0.1", "Seq": 1,
                                    "Time": "2026-01-01T00:00:00.000Z", "RequestId": "x" * 36}),
                        ("requests", [0, 0, "ReleaseEipAddress", [{"AllocationId": "x" * 24}]])):
        with open(os.path.join(path, name), "wb") as file:
            file.write(msgpack.packb(value))
    echo = start([BARE, "echo", sock, os.path.join(path, "answer")], lambda: os.path.exists(sock))
    got = run(CLOSED_LOAD, "rpc", sock, 1, 1, 1, os.path.join(path, "requests"))
    stop(echo)
    return got["P50"]


def least(path):
    disk = run(BARE, "disk", 1, os.path.join(path, "page"))
    return disk["Append"] + disk["Overwrite"] + round_trip()


def main():
    got, bare, floor = {}, {}, []
    for _ in range(ROUNDS):
        for shape in IN_FLIGHT:
            ledger = Ledger()
            got.setdefault(shape, []).append(ledger.load(*shape))
            ledger.stop()
            bare.setdefault(shape, []).append(alone(ledger, got[shape][-1]))
            ledger.remove()
        floor.append(least(new_dir()))
    rows, figures = [], {}
    for shape in IN_FLIGHT:
        name = f"{shape[0]}x{shape[1]}"
        rate = Figures(g["PerSecond"] for g in got[shape])
        lmdb = Figures(b["PerSecond"] for b in bare[shape])
        late = {q: Figures(g[q + "Microseconds"] for g in got[shape]) for q in ("P50", "P99", "P999")}
        batch = Figures(b["Batch"] for b in bare[shape])
        rows.append([name, rate.text(0), f"{batch.median:.0f}", lmdb.text(0), (rate / lmdb).text(),
                     *(f"{late[q].median:.0f}" for q in late)])
        figures[name] = rate
        figures[name + "/bare"] = rate / lmdb
        figures.update({name + q: late[q] for q in late})
    print_table("Durable mixed operations at the Unix socket",
                ["in flight", "operations/s", "a commit", "LMDB alone/s", "ratio", "p50 us", "p99 us",
                 "p99.9 us"], rows)
    one = Figures(g["P50Microseconds"] for g in got[(1, 1)])
    figures["1x1/least"] = one / Figures(floor)
    print(f"  1x1: p50 {one.text(0)} us, append + overwrite + round trip {Figures(floor).text(0)} us, "
          f"ratio {figures['1x1/least'].text()}")
    print_json("durable", figures)


if __name__ == "__main__":
    main()
