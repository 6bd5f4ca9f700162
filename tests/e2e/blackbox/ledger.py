# SPDX-License-Identifier: Apache-2.0
"""Given: the path of an `ipledger` program (environment IPLEDGER, else the first argument).
What the black-box tests share: a server of one's own in a temporary directory, a MessagePack-RPC
client that sees every byte, a small TAP writer, and a clock that ends what hangs. Only processes
started here are ever ended, each by its own process id."""
import atexit
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


def skip(why):
    print("1..0 # SKIP " + why, flush=True)
    sys.exit(0)


try:
    import msgpack
except ImportError:
    skip("python3-msgpack is not installed")

HERE = os.path.dirname(os.path.abspath(__file__))
UUID = re.compile(r"^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def binary():
    """The program under test; without one there is nothing to test."""
    path = os.environ.get("IPLEDGER")
    if not path and len(sys.argv) > 1 and os.path.isfile(sys.argv[1]):
        path = sys.argv[1]
    if not path:
        path = os.path.join(HERE, "../../../build/cli/ipledger")
    if not os.access(path, os.X_OK):
        skip("no program at " + path)
    return os.path.abspath(path)


# ---- bytes ---------------------------------------------------------------------------------

class NotStrict(Exception):
    pass


def _walk(data, at):
    """Check that one value in DATA at AT is written as the protocol promises; where it ends."""
    byte = data[at]
    at += 1
    if byte <= 0x7F or byte >= 0xE0 or byte in (0xC0, 0xC2, 0xC3):
        return at
    if byte in (0xC1, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8):
        raise NotStrict(f"byte {byte:#x}: bin, ext or unused")
    if byte in (0xCA, 0xCB):
        return at + (4 if byte == 0xCA else 8)
    if 0xCC <= byte <= 0xD3:
        size = 1 << (byte - 0xCC) % 4
        if byte == 0xCF and data[at] & 0x80:
            raise NotStrict("an integer above 2^63-1")
        return at + size
    if 0x80 <= byte <= 0x8F or byte in (0xDE, 0xDF):
        count, at = _count(data, at, byte, 0x80, 0xDE, 16)
        keys = set()
        for _ in range(count):
            end = _walk(data, at)
            key = msgpack.unpackb(data[at:end], raw=False)
            if not isinstance(key, str) or key in keys:
                raise NotStrict(f"a key that is no text or comes twice: {key!r}")
            keys.add(key)
            at = _walk(data, end)
        return at
    if 0x90 <= byte <= 0x9F or byte in (0xDC, 0xDD):
        count, at = _count(data, at, byte, 0x90, 0xDC, 16)
        for _ in range(count):
            at = _walk(data, at)
        return at
    if 0xA0 <= byte <= 0xBF:
        count = byte & 0x1F
    else:
        size = {0xD9: 1, 0xDA: 2, 0xDB: 4}[byte]
        count = int.from_bytes(data[at:at + size], "big")
        at += size
    data[at:at + count].decode("utf-8")
    return at + count


def _count(data, at, byte, fix, wide, small):
    if byte < wide:
        return byte - fix, at
    size = 2 if byte == wide else 4
    count = int.from_bytes(data[at:at + size], "big")
    if count < (small if size == 2 else 1 << 16):
        raise NotStrict(f"a header of {size} bytes for {count}")
    return count, at + size


def not_strict(data):
    """Why the bytes of a frame break the promise of strictness, or None."""
    try:
        if _walk(data, 0) != len(data):
            return "trailing bytes"
    except (NotStrict, UnicodeDecodeError) as problem:
        return str(problem)
    return None


# ---- the client ----------------------------------------------------------------------------

class Refused(Exception):
    def __init__(self, error):
        super().__init__(str(error))
        self.error = error
        if isinstance(error, dict):
            self.code = error.get("Code", "")
            self.message = error.get("Message", "")
            self.status = error.get("HttpStatus")
            self.detail = error.get("Detail") or {}
        else:
            self.code, _, self.message = str(error).partition(": ")
            self.status, self.detail = None, {}
        if "IPLEDGER_CODES" in os.environ:
            with open(os.environ["IPLEDGER_CODES"], "a", encoding="utf-8") as file:
                file.write(f"{self.status or '-'} {self.code}\n")


class Closed(Exception):
    pass


class Client:
    """MessagePack-RPC by hand; `strays` collects frames that broke the strict form."""

    strays = []

    def __init__(self, address, maps=True, seconds=30, check=False):
        if isinstance(address, tuple):
            self.sock = socket.create_connection(address, timeout=seconds)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(seconds)
            self.sock.connect(address)
        self.check = check
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False,
                                         max_buffer_size=1 << 30)
        self.stream = bytearray()
        self.gone = 0  # bytes of the stream already given out
        self.msgid = 0
        self.last = b""  # the bytes of the last frame
        if maps:
            self.call("Hello", ErrorFormat="Map")

    def send(self, operation, params=None, msgid=None):
        if msgid is None:
            self.msgid += 1
            msgid = self.msgid
        params = [] if params is None else [params]
        self.sock.sendall(msgpack.packb([0, msgid, operation, params]))
        return msgid

    def bytes(self, data):
        self.sock.sendall(data)

    def frame(self):
        """The next frame; Closed at the end of the stream."""
        while True:
            try:
                value = self.unpacker.unpack()
            except msgpack.OutOfData:
                try:
                    data = self.sock.recv(1 << 20)
                except (ConnectionError, BrokenPipeError) as problem:
                    raise Closed(str(problem)) from problem
                if not data:
                    raise Closed("end of stream")
                self.unpacker.feed(data)
                if self.check:
                    self.stream += data
                continue
            if self.check:
                size = self.unpacker.tell() - self.gone
                self.last = bytes(self.stream[:size])
                del self.stream[:size]
                self.gone += size
                why = not_strict(self.last)
                if why:
                    Client.strays.append((why, self.last[:200]))
            return value

    def silent(self, seconds=0.2):
        """Nothing more comes, and the connection is open."""
        ready, _, _ = select.select([self.sock], [], [], seconds)
        return not ready

    def closed(self, seconds=10):
        """The other side has closed, with nothing more said."""
        self.sock.settimeout(seconds)
        try:
            self.frame()
        except Closed:
            return True
        except (socket.timeout, TimeoutError):
            return False
        return False

    def answer(self, msgid):
        frame = self.frame()
        if len(frame) != 4 or frame[0] != 1 or frame[1] != msgid:
            raise AssertionError(f"awaited the answer of {msgid}, got {frame!r}"[:500])
        if frame[2] is not None:
            raise Refused(frame[2])
        return frame[3]

    def call(self, operation, /, **params):
        return self.answer(self.send(operation, params))

    def many(self, requests, window=64):
        """Pipelines [(operation, params)], WINDOW unanswered at a time; yields result or Refused."""
        waiting = []
        for operation, params in requests:
            waiting.append(self.send(operation, params))
            if len(waiting) >= window:
                yield self._one(waiting.pop(0))
        for msgid in waiting:
            yield self._one(msgid)

    def _one(self, msgid):
        try:
            return self.answer(msgid)
        except Refused as refusal:
            return refusal

    def all(self, operation, /, **params):
        """Every element of a list, page by page."""
        found, token = [], None
        while True:
            page = self.call(operation, **params, **({"NextToken": token} if token else {}))
            found += elements(page)
            token = page.get("NextToken")
            if not token:
                return found

    def head(self):
        return self.call("GetStatus")["HeadSeq"]

    def close(self):
        self.sock.close()


LISTS = {
    "DescribeVpcs": ("Vpcs", "Vpc", "VpcId"),
    "DescribeVSwitches": ("VSwitches", "VSwitch", "VSwitchId"),
    "DescribeInstances": ("Instances", "Instance", "InstanceId"),
    "DescribeNetworkInterfaces": ("NetworkInterfaceSets", "NetworkInterfaceSet",
                                  "NetworkInterfaceId"),
    "DescribeEipAddresses": ("EipAddresses", "EipAddress", "AllocationId"),
}


def elements(page):
    """The elements of a page of any list."""
    if "Events" in page:
        return page["Events"]
    for outer, inner, _ in LISTS.values():
        if outer in page:
            return page[outer][inner]
    raise AssertionError(f"no list in {list(page)}")


# ---- the server ----------------------------------------------------------------------------

class Server:
    """One server on one directory. `init` is the map of first settings, if any."""

    running = {}

    def __init__(self, init=None, args=(), data=None, env=None, start=True):
        self.program = binary()
        self.home = tempfile.mkdtemp(prefix="ipledger-bb-")
        self.data = data or os.path.join(self.home, "data")
        self.init = None
        if init is not None:
            self.init = os.path.join(self.home, "init.json")
            with open(self.init, "w", encoding="utf-8") as file:
                json.dump(init, file)
        self.args = list(args)
        self.env = dict(os.environ, **(env or {}))
        self.fresh = True
        self.process = None
        self.line = ""
        self.errors = os.path.join(self.home, "stderr")
        Server.running[id(self)] = self
        if start:
            self.start()

    @property
    def socket(self):
        return os.path.join(self.data, "ipledger.sock")

    def command(self):
        command = [self.program, "serve", "--data", self.data, "--http", "none", *self.args]
        if self.init and self.fresh:
            command += ["--init", self.init]
        return command

    def start(self, seconds=120):
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=errors,
                                            stdin=subprocess.DEVNULL, env=self.env)
        self.fresh = False
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        self.line = self.process.stdout.readline().decode() if ready else ""
        if not self.line.startswith("ready "):
            self.kill()
            raise RuntimeError(f"no ready line but {self.line!r}; {self.stderr()[-1000:]}")

    def client(self, **kwargs):
        return Client(self.socket, **kwargs)

    def stderr(self):
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read()

    def memory(self):
        """Resident kilobytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.process:
            self.process.stdout.close()

    def stop(self, seconds=60):
        """SIGTERM; its exit status, or None when it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
        self.rest = self.process.stdout.read()
        self.process.stdout.close()
        return status

    def restart(self, hard=True):
        self.kill() if hard else self.stop()
        self.start()

    def remove(self):
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)
        Server.running.pop(id(self), None)


@atexit.register
def _leave_nothing():
    for server in list(Server.running.values()):
        server.remove()


# ---- TAP -----------------------------------------------------------------------------------

class TooLong(Exception):
    pass


def _alarm(_signal, _frame):
    raise TooLong("the time of this test is over")


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = []

    def ok(self, passed, name, note=""):
        self.count += 1
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}", flush=True)
        if not passed:
            self.failed.append(name)
            if note != "":
                self.note(note)
        return bool(passed)

    def eq(self, got, wanted, name):
        return self.ok(got == wanted, name, f"got {got!r}, wanted {wanted!r}")

    def note(self, text):
        for line in str(text)[:1500].split("\n"):
            print("# " + line, flush=True)

    def refused(self, call, operation, params, code, name=None, status=None, **detail):
        """OPERATION with PARAMS is refused with CODE, HttpStatus and Detail members; a tuple: one of these."""
        codes = (code,) if isinstance(code, str) else tuple(code)
        name = name or f"{operation}: {codes[0]}"
        try:
            result = call(operation, **params)
        except Refused as refusal:
            problems = []
            if refusal.code not in codes:
                problems.append(f"code {refusal.code}, wanted {' or '.join(codes)}")
            if status is not None and refusal.status != status:
                problems.append(f"HttpStatus {refusal.status}, wanted {status}")
            for key, value in detail.items():
                got = refusal.detail.get(key)
                if value is ... and got is None:
                    problems.append(f"Detail.{key} is absent")
                elif isinstance(value, tuple) and got in value:
                    continue
                elif value is not ... and got != value:
                    problems.append(f"Detail.{key} = {got!r}, wanted {value!r}")
            self.ok(not problems, name, f"{operation} {params!r}: {'; '.join(problems)}\n"
                                        f"the answer: {refusal.error!r}")
            return refusal
        self.ok(False, name, f"{operation} {params!r} was not refused: {result!r}")
        return None

    def run(self, tests, seconds=60):
        """Each test in its own time; what it throws is a failure of that test alone."""
        wanted = os.environ.get("ONLY")
        for test in tests:
            if wanted and not re.search(wanted, test.__name__):
                continue
            signal.signal(signal.SIGALRM, _alarm)
            signal.alarm(getattr(test, "seconds", seconds))
            try:
                test()
            except Exception as problem:  # whatever it was, the next test still runs
                trace = problem.__traceback__
                while trace.tb_next:
                    trace = trace.tb_next
                where = []
                step = problem.__traceback__
                while step:
                    where.append(f"{os.path.basename(step.tb_frame.f_code.co_filename)}:{step.tb_lineno}")
                    step = step.tb_next
                self.ok(False, f"{test.__name__} runs to its end",
                        f"{type(problem).__name__}: {problem} at {' '.join(where)}")
            finally:
                signal.alarm(0)

    def end(self):
        print(f"1..{self.count}", flush=True)
        if self.failed:
            print(f"# {len(self.failed)} of {self.count} failed", flush=True)
        sys.exit(1 if self.failed else 0)


def within(seconds):
    """A test that may take longer, or must take less, than the file's usual time."""
    def mark(test):
        test.seconds = seconds
        return test
    return mark
