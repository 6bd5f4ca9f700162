#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a program can check: which room may see which, what is banned,
how long files and functions may be. Prints file:line: what."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEES = {
    "events": set(),
    "reducers": {"events"},
    "operations": {"events", "reducers"},
    "store": {"events"},
    "replay": {"events", "reducers", "operations", "store"},
    "server": {"events", "reducers", "operations", "store", "replay"},
    "cli": {"events", "reducers", "operations", "store", "replay", "server"},
}
LIBRARIES = {
    "lmdb.h": {"store"},
    "msgpack": {"events"},
    "jansson.h": {"events"},
    "xxhash.h": {"events"},
    "sodium": {"server"},
    "event2": {"server"},
    "histedit.h": {"cli"},
    "openssl": {"store", "server"},
}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|localtime|gmtime|"
                    r"alloca)\s*\(")
CLOCKS = re.compile(r"\b(time|clock_gettime|gettimeofday|rand|random|srand)\s*\(")
PURE = {"events", "reducers", "operations"}
LINE_MAX, FUNCTION_MAX, FILE_MAX = 100, 60, 800

found = []


def say(path, line, what):
    found.append(f"{os.path.relpath(path, ROOT)}:{line}: {what}")


def check_include(path, room, number, line):
    match = re.match(r'#include ["<]([^">]+)[">]', line)
    if not match:
        return
    name = match.group(1)
    head = name.split("/")[0]
    if head in SEES and head != room and head not in SEES[room]:
        say(path, number, f"{room}/ may not see {head}/")
    if name.endswith("_internal.h") and head != room:
        say(path, number, f"{name} is {head}'s own")
    for library, rooms in LIBRARIES.items():
        if (name == library or head == library) and room not in rooms:
            say(path, number, f"{name} is for {', '.join(sorted(rooms))} only")


def check_functions(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_MAX:
                say(path, start, f"a function of {number - start - 1} lines")
            start = None


def check_c(path, room):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    if not lines[0].startswith("/* SPDX-License-Identifier: Apache-2.0 */"):
        say(path, 1, "the first line is not the SPDX line")
    if len(lines) - 1 > FILE_MAX:
        say(path, len(lines), f"{len(lines) - 1} lines")
    if path.endswith(".h") and not re.search(r"#ifndef IPL_\w+_H\n#define IPL_\w+_H", "\n".join(lines)):
        say(path, 1, "no include guard IPL_..._H")
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > LINE_MAX:
            say(path, number, "longer than 100 columns")
        if line != line.rstrip():
            say(path, number, "blanks at the end")
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            say(path, number, "work that is left")
        if BANNED.search(line):
            say(path, number, "a banned call")
        if room in PURE and CLOCKS.search(line):
            say(path, number, "a clock or chance in a pure room")
        if room:
            check_include(path, room, number, line)
    if room:
        check_functions(path, lines)


def check_script(path):
    with open(path, encoding="utf-8") as file:
        head = file.read(400).split("\n")[:2]
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in head):
        say(path, 1, "no SPDX line")


for folder in sorted(SEES) + ["tests", "tools"]:
    for base, _, names in os.walk(os.path.join(ROOT, folder)):
        for name in sorted(names):
            full = os.path.join(base, name)
            if name.endswith((".c", ".h")):
                check_c(full, folder if folder in SEES else None)
            elif name.endswith((".py", ".sh")) or name == "meson.build":
                check_script(full)
print("\n".join(found) if found else "ok")
sys.exit(1 if found else 0)
