#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which codes of events/codes.h the end-to-end tests were answered.

    rm -f codes.txt; IPLEDGER_CODES=$PWD/codes.txt meson test -C build --suite e2e
    tools/coverage_codes.py codes.txt

Prints those that no test was answered, and "N of M codes seen by tests". A code with several
statuses has a row for each; an answer as plain text says none, and counts
where the code has one row."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def rows():
    with open(os.path.join(ROOT, "events/codes.h"), encoding="utf-8") as file:
        return re.findall(r'X\((\w+), (\d+), "([^"]+)"\)', file.read())


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        seen = {tuple(line.split(None, 1)) for line in file.read().splitlines()}
    table = rows()
    single = {code for _, _, code in table if sum(code == other for _, _, other in table) == 1}
    missing = [row for row in table
               if (row[1], row[2]) not in seen and not (row[2] in single and ("-", row[2]) in seen)]
    known = {(status, code) for _, status, code in table} | {("-", code) for _, _, code in table}
    for name, status, code in missing:
        print(f"not seen: {code} ({status}, {name})")
    for status, code in sorted(seen - known):
        print(f"not in the table: {code} ({status})")
    print(f"{len(table) - len(missing)} of {len(table)} codes seen by tests")


main()
