#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: README.md and docs/*.md, whose sessions are in ```console blocks, "$ " before what is typed.
Claimed: typed in a new directory, page by page, every command prints what its page shows, but for
times, ids that are drawn at random, places and how long it took. In a page "…" at the end of a line stands
for the rest of it, a line of "…" for any lines. What is typed but not shown is in a comment <!-- run … -->.

With --update a page's blocks that do not fit are written anew, with the whole of what was printed."""
import glob
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

from ledger import BINARY, Tap

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BLOCK = re.compile(r"^```console\n(.*?)^```$|^<!-- run\n(.*?)^-->$", re.M | re.S)
MARK = "~~done~~"
# Recorded by another test, which makes its history first.
ELSEWHERE = {"docs/DEBUGGING.md"}


class Shell:
    """bash in a directory of its own; what it starts ends with it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ipledger-docs-")
        os.symlink(os.path.join(ROOT, "docs"), os.path.join(self.folder.name, "docs"))
        env = dict(os.environ, PATH=os.path.dirname(os.path.abspath(BINARY)) + ":" + os.environ["PATH"], HOME=self.folder.name,
                   IPLEDGER_DATA=os.path.join(self.folder.name, "ledger"), NO_COLOR="1", LC_ALL="C.UTF-8", TZ="UTC",
                   ASAN_OPTIONS="detect_leaks=0")
        for name in list(env):
            if name.startswith(("IPLEDGER_ACCESS", "ALIBABA_", "XDG_")):
                del env[name]
        self.bash = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     cwd=self.folder.name, env=env, start_new_session=True)

    def run(self, command):
        """What it prints. One that goes to the background has printed "ready" when it is there."""
        self.bash.stdin.write(f"{command}\necho; echo {MARK}\n".encode())
        self.bash.stdin.flush()
        text, deadline = b"", time.monotonic() + 60
        while MARK.encode() not in text or (command.endswith("&") and b"ready " not in text):
            if not select.select([self.bash.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                return text.decode(errors="replace") + "\n(no end in 60 s)"
            piece = os.read(self.bash.stdout.fileno(), 65536)
            if not piece:
                return text.decode(errors="replace") + "\n(the shell is gone)"
            text += piece
        text = text.decode().replace(MARK + "\n", "").rstrip("\n").lstrip("\n" if command.endswith("&") else "")
        return re.sub(r"^\d{4}-\S+Z (info|warn) .*\n?", "", text, flags=re.M).rstrip("\n")

    def close(self):
        os.killpg(self.bash.pid, signal.SIGTERM)
        self.bash.stdin.close()
        self.bash.wait(timeout=30)
        self.bash.stdout.close()
        self.folder.cleanup()


def plain(line):
    """A line without what is another one each time."""
    line = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?Z| [A-Z]{3,5})?", "TIME", line)
    line = re.sub(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", "UUID", line)
    line = re.sub(r"\b[0-9a-f]{64}\b", "HASH", line)
    line = re.sub(r"\bledger-[0-9a-z]{8,}", "LEDGER", line)
    line = re.sub(r"\buid:\d+", "UID", line)
    line = re.sub(r"/\S*ipledger-docs-[^/\s]*", "DIR", line)
    line = re.sub(r"\b[\d.,]+( ?)(ms|s|us|events/s|rows/s|kB|MB|bytes)\b", r"N\1\2", line)
    line = re.sub(r"(Milliseconds\s+|pid=|:)\d+\b(?=\s|$)", r"\1N", line)
    return re.sub(r"\s+", " ", line).strip()


def fits(shown, printed):
    """Whether the lines of a page and those of a command are the same."""
    if not shown:
        return not printed
    if shown[0].strip() == "…":
        return any(fits(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    if not printed:
        return False
    want, got = plain(shown[0]), plain(printed[0])
    same = got.startswith(want[:-1].rstrip()) if want.endswith("…") else want == got
    return same and fits(shown[1:], printed[1:])


def read_block(text):
    """[(command, shown lines)]; a command goes on in the next line after a backslash."""
    steps = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append([line[2:], []])
        elif steps and steps[-1][0].endswith("\\") and not steps[-1][1]:
            steps[-1][0] += "\n" + line
        elif steps:
            steps[-1][1].append(line)
    return steps


def try_page(tap, name, update):
    path = os.path.join(ROOT, name)
    with open(path, encoding="utf-8") as file:
        page = file.read()
    shell = Shell()
    count = 0
    for match in list(BLOCK.finditer(page)):
        anew = []
        for command, shown in read_block(match.group(1) or match.group(2)):
            printed = shell.run(command).splitlines()
            count += 1
            right = match.group(1) is None or fits(shown, printed)
            if not update:
                tap.ok(right, f"{name}: {command.splitlines()[0]}", "shown:\n" + "\n".join(shown) + "\nprinted:\n" + "\n".join(printed))
            anew += ["$ " + command] + (shown if right else printed)
        if update and match.group(1) is not None:
            page = page.replace(match.group(0), "```console\n" + "\n".join(anew) + "\n```", 1)
    shell.close()
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
    return count


def test_events(tap, update):
    """The page that the program prints of its own table."""
    path = os.path.join(ROOT, "docs/EVENTS.md")
    printed = subprocess.run([BINARY, "help", "events"], capture_output=True, text=True, check=True).stdout
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write(printed)
    with open(path, encoding="utf-8") as file:
        tap.ok(file.read() == printed, "docs/EVENTS.md is what `ipledger help events` prints; --update writes it anew")


def main():
    names = [arg for arg in sys.argv[1:] if not arg.startswith("-")]
    pages = [os.path.relpath(path, ROOT) for path in [os.path.join(ROOT, "README.md")] + sorted(glob.glob(ROOT + "/docs/*.md"))]
    tap = Tap()
    for page in names or pages:
        if page not in ELSEWHERE:
            try_page(tap, page, "--update" in sys.argv)
    test_events(tap, "--update" in sys.argv)
    tap.end()


main()
