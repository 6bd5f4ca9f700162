#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which branches of the pure rooms and the store were taken by the tests that ran in a build with coverage:
    tools/coverage.py BUILD [--missed]
prints each room's and file's branches; with --missed also each line with a branch that nobody took. Branches of asserts
are not counted (gcovr leaves out what a line of its own says: assert, static_assert)."""
import json
import os
import subprocess
import sys

ROOMS = ("events", "reducers", "operations", "store")
ASSERTS = r".*\bassert\(.*"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def measure(build):
    command = ["gcovr", "--root", ROOT, "--json", "-", "--exclude-branches-by-pattern", ASSERTS,
               *(f"--filter={ROOT}/{room}/" for room in ROOMS), build]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout)


def share(taken, all_of_them):
    return f"{taken:6} of {all_of_them:6}  {100 * taken / max(all_of_them, 1):5.1f} %"


def main():
    files = {}
    for file in measure(sys.argv[1])["files"]:
        if not file["file"].endswith(".c"):
            continue
        lines = [line for line in file["lines"] if not line.get("gcovr/noncode")]
        branches = [(line["line_number"], b["count"]) for line in lines for b in line["branches"]]
        files[file["file"]] = (branches, sum(line["count"] > 0 for line in lines), len(lines))
    print(f"{'':32}{'branches':>24}{'lines':>26}")
    for room in ROOMS:
        of_room = {name: x for name, x in sorted(files.items()) if name.startswith(room + "/")}
        taken = sum(count > 0 for b, _, _ in of_room.values() for _, count in b)
        print(f"{room:28}{share(taken, sum(len(b) for b, _, _ in of_room.values()))}   "
              f"{share(sum(x[1] for x in of_room.values()), sum(x[2] for x in of_room.values()))}")
        for name, (branches, seen, all_lines) in of_room.items():
            print(f"  {name:26}{share(sum(c > 0 for _, c in branches), len(branches))}   {share(seen, all_lines)}")
            if "--missed" in sys.argv:
                print_missed(name, branches)
    return 0 if files else 1


def print_missed(name, branches):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        text = file.read().split("\n")
    for number in sorted({number for number, count in branches if count == 0}):
        print(f"    {name}:{number}: {text[number - 1].strip()}")


if __name__ == "__main__":
    sys.exit(main())
