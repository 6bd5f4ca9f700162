#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print "PASSED FAILED" of a JUnit file that meson test wrote; name what was skipped."""
import sys
import xml.etree.ElementTree as tree

passed = failed = 0
for case in tree.parse(sys.argv[1]).getroot().iter("testcase"):
    if case.find("failure") is not None or case.find("error") is not None:
        failed += 1
    elif case.find("skipped") is not None:
        print("skipped  " + case.get("classname", "") + " " + case.get("name", ""), file=sys.stderr)
    else:
        passed += 1
print(passed, failed)
