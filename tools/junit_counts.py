#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print "PASSED FAILED" of a JUnit file that meson test wrote; name what was skipped."""
import re
import sys
import xml.etree.ElementTree as tree

passed = failed = 0
with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
    text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", file.read())  # of a terminal that a test shows
for case in tree.fromstring(text.encode()).iter("testcase"):
    if case.find("failure") is not None or case.find("error") is not None:
        failed += 1
    elif case.find("skipped") is not None:
        print("skipped  " + case.get("classname", "") + " " + case.get("name", ""), file=sys.stderr)
    else:
        passed += 1
print(passed, failed)
