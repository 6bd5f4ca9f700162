#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutate.py list | mutate.py NAME FROM TO: the mutants of mutants.txt (MUTANTS: of another file) by name, file and rule; the file
of one, read in the tree FROM and written, broken, into the tree TO. Blanks and line ends in the text that
is looked for do not matter; it must stand there once."""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def mutants():
    with open(os.environ.get("MUTANTS", os.path.join(HERE, "mutants.txt")), encoding="utf-8") as file:
        blocks = re.split(r"\n{2,}", file.read())
    for block in blocks:
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        name, path = lines[0].split()
        yield (name, path, lines[1], "\n".join(line[1:] for line in lines[2:] if line[0] == "-"),
               "\n".join(line[1:] for line in lines[2:] if line[0] == "+"))


def main(arguments):
    if arguments == ["list"]:
        for name, path, rule, _, _ in mutants():
            print(name, path, rule)
        return 0
    wanted, origin, tree = arguments
    for name, path, _, old, new in mutants():
        if name != wanted:
            continue
        with open(os.path.join(origin, path), encoding="utf-8") as file:
            text = file.read()
        pattern = r"\s*".join(re.escape(part) for part in re.findall(r"\w+|[^\w\s]", old))
        found = re.findall(pattern, text)
        if len(found) != 1:
            print(f"{name}: what it breaks stands {len(found)} times in {path}", file=sys.stderr)
            return 1
        with open(os.path.join(tree, path), "w", encoding="utf-8") as file:
            file.write(re.sub(pattern, lambda _: new.strip(), text))
        return 0
    print(f"there is no mutant {wanted}", file=sys.stderr)
    return 1


sys.exit(main(sys.argv[1:]))
