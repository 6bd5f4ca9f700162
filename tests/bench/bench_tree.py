#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The price of tamper evidence: the rate of durable mixed operations with the Merkle tree against
without. Without means that SHA-256 is taken out from under the same program (no_hash.c)."""
from side_by_side import (Figures, Ledger, NO_HASH, ROUNDS, print_json, print_table)


def rate(shape, env):
    ledger = Ledger(env)
    got = ledger.load(*shape)
    ledger.remove()
    return got["PerSecond"]


def main():
    rows, figures = [], {}
    for shape in ((64, 16), (64, 1)):
        name = f"{shape[0]}x{shape[1]}"
        rates = [(rate(shape, None), rate(shape, {"LD_PRELOAD": NO_HASH})) for _ in range(ROUNDS)]
        with_tree, without = (Figures(values) for values in zip(*rates))
        figures[name] = with_tree / without
        rows.append([name, with_tree.text(0), without.text(0), figures[name].text()])
    print_table("Durable mixed operations with the tree and without",
                ["in flight", "with/s", "without/s", "ratio"], rows)
    print_json("tree", figures)


if __name__ == "__main__":
    main()
