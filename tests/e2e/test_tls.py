#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server with a certificate.
Claimed: the TCP and HTTP doors speak TLS 1.2 and later and nothing else; answers, half-closes,
back-pressure and ends are as without; certificates are replaced on SIGHUP; the command line trusts
who it is told to, and nobody else."""
import http.client
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import warnings

import msgpack

from ledger import BINARY, Client, Refused, Server, Tap, skip, wait_until

TAP = Tap()
if not shutil.which("openssl"):
    skip("openssl makes the certificates, and is not here")
DIR = tempfile.mkdtemp(prefix="ipledger-tls-")


def path(name):
    return os.path.join(DIR, name)


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=DIR, timeout=60)


def certificate(name, alt):
    """NAME.crt and NAME.key, by our authority, for the names in alt."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            f"/CN={name}", "-keyout", name + ".key", "-out", name + ".csr")
    with open(path("ext"), "w", encoding="ascii") as file:
        file.write("subjectAltName=" + alt)
    openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "ext", "-out", name + ".crt")


def use(name):
    """Make NAME's the certificate that the server reads."""
    for kind in ("crt", "key"):
        shutil.copy(path(f"{name}.{kind}"), path(f"server.{kind}"))


def make_all():
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")
    certificate("first", "IP:127.0.0.1,IP:::1,DNS:localhost")
    certificate("second", "IP:127.0.0.1")
    certificate("elsewhere", "DNS:elsewhere.example,IP:10.9.9.9")
    openssl("ec", "-in", "first.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
    use("first")


warnings.simplefilter("ignore", DeprecationWarning)  # that of the old versions, which we refuse


def context(**wanted):
    made = ssl.create_default_context(cafile=path("ca.crt"))
    for name, value in wanted.items():
        setattr(made, name, value)
    return made


class Pipe:
    """TLS by hand over a socket: the bytes on the wire are ours to cut, hold back and end."""

    def __init__(self, sock, made):
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = made.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")
        self.slice = 1 << 20
        self.drive(self.tls.do_handshake)

    def push(self):
        data = self.outgoing.read()
        for at in range(0, len(data), self.slice):
            self.sock.sendall(data[at:at + self.slice])

    def drive(self, step, *words):
        while True:
            try:
                got = step(*words)
                self.push()
                return got
            except ssl.SSLWantReadError:
                self.push()
                data = self.sock.recv(1 << 16)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    # What Client wants of a socket.
    def sendall(self, data):
        self.drive(self.tls.write, data)

    def recv(self, size):
        try:
            return self.drive(self.tls.read, size)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)

    def close(self):
        self.sock.close()


def pipe(server, **wanted):
    return Pipe(server.tcp(), context(**wanted))


def door(server):
    """A client who has said Hello, over Python's own sockets."""
    sock = context().wrap_socket(server.tcp(), server_hostname="127.0.0.1")
    client = Client(sock, maps=False)
    client.hello(*server.key)
    return client


def request(msgid, operation, **params):
    return msgpack.packb([0, msgid, operation, [params]])


def frames(sock, unpacker, count):
    got = []
    while len(got) < count:
        data = sock.recv(1 << 16)
        if not data:
            break
        unpacker.feed(data)
        got += list(unpacker)
    return got


def test_native(server):
    client = door(server)
    TAP.ok(client.call("CreateVpc", CidrBlock="10.0.0.0/16")["Seq"], "a write over TLS")
    TAP.equal(client.call("GetStatus")["HeadSeq"], 2, "and a read")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        one = pipe(server, minimum_version=version, maximum_version=version)
        TAP.ok(Client(one, maps=False).hello(*server.key)["Server"], f"{version.name} is spoken")
        one.close()
    try:
        pipe(server, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
        TAP.ok(False, "TLS 1.1 is not")
    except (ssl.SSLError, ConnectionError):
        TAP.ok(True, "TLS 1.1 is not")
    bytewise = pipe(server)
    bytewise.slice = 1
    slow = Client(bytewise, maps=False)
    slow.hello(*server.key)
    TAP.ok(slow.call("Ping"), "records may come one byte at a time")
    large = "x" * 900000
    try:
        client.call("CreateVpc", CidrBlock="10.0.0.0/16", Description=large)
        TAP.ok(False, "a frame of many records is read whole")
    except Refused as refused:
        TAP.ok(refused.code == "InvalidParameter", "a frame of many records is read whole", refused)
    TAP.ok(client.call("Ping"), "and what follows it")


def test_many(server):
    """More than a buffer holds, in and out: nothing is lost, nothing is mixed up."""
    one = pipe(server)
    client = Client(one, maps=False)
    client.hello(*server.key)
    count = 20000
    one.sendall(b"".join(request(i, "GetStatus") for i in range(count)))
    time.sleep(0.5)  # nobody reads: the server has to pause
    got = frames(one, msgpack.Unpacker(raw=False), count)
    TAP.ok([f[1] for f in got] == list(range(count)) and all(f[2] is None for f in got),
           f"{count} pipelined requests are answered in order though nobody read at first", len(got))
    TAP.ok(door(server).call("Ping"), "meanwhile others were served")


def test_half_close(server):
    for how in ("a goodbye", "the end of the socket's input"):
        one = pipe(server)
        client = Client(one, maps=False)
        client.hello(*server.key)
        one.sendall(b"".join(request(i, "CreateVpc", CidrBlock="10.0.0.0/16") for i in range(5)) + b"\x94")
        if how == "a goodbye":
            try:
                one.tls.unwrap()
            except ssl.SSLError:  # it wants the other side's goodbye, which comes after the answers
                pass
            one.push()
        else:
            one.sock.shutdown(socket.SHUT_WR)
        got = frames(one, msgpack.Unpacker(raw=False), 6)
        TAP.ok([f[1] for f in got] == [0, 1, 2, 3, 4] and all(f[3] for f in got),
               f"after {how} what was asked is answered, then it ends", got)
        one.close()


def test_noise(server):
    """What is no TLS ends alone."""
    good = door(server)
    for name, data in (("plain MessagePack-RPC", request(1, "Ping")), ("HTTP", b"GET / HTTP/1.0\r\n\r\n"),
                       ("noise", os.urandom(4096)), ("nothing", b"")):
        with server.tcp() as sock:
            sock.settimeout(15)
            got = b""
            try:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                while chunk := sock.recv(4096):
                    got += chunk
            except OSError:  # it has ended already
                pass
            TAP.ok(b"RequestId" not in got and len(got) < 100, f"{name} gets no answer", got)
    broken = pipe(server)
    broken.sock.sendall(os.urandom(1000))
    TAP.ok(wait_until(lambda: select.select([broken.sock], [], [], 0)[0], 10), "noise later ends it too")
    TAP.ok(good.call("Ping"), "the others go on")
    TAP.ok("a TLS connection ends" in server.log_text(), "the log says so", server.log_text()[-400:])


def subject(server):
    with context(check_hostname=False).wrap_socket(server.tcp()) as sock:
        return dict(pair[0] for pair in sock.getpeercert()["subject"])["commonName"]


def hang_up(server, says):
    before = server.log_text().count(says)
    server.process.send_signal(signal.SIGHUP)
    TAP.ok(wait_until(lambda: server.log_text().count(says) > before, 10), f"SIGHUP: {says}",
           server.log_text()[-400:])


def test_reload(server):
    TAP.equal(subject(server), "first", "the certificate it was started with")
    old = door(server)
    use("second")
    hang_up(server, "the certificate for new connections")
    TAP.equal(subject(server), "second", "a new certificate after SIGHUP")
    TAP.ok(old.call("Ping"), "and who was there stays")
    shutil.copy(path("first.key"), path("server.key"))
    hang_up(server, "the certificate stays as it was")
    TAP.equal(subject(server), "second", "a key that does not fit changes nothing")
    os.unlink(path("server.crt"))
    hang_up(server, "No such file")
    TAP.equal(subject(server), "second", "nor does a file that is gone")
    use("first")
    hang_up(server, "the certificate for new connections")


def run(server, at, *words, **environment):
    env = {"IPLEDGER_ACCESS_KEY_ID": server.key[0], "IPLEDGER_ACCESS_KEY_SECRET": server.key[1]}
    port = re.search(r"tcp:127\.0\.0\.1:(\d+)", server.line).group(1)
    return subprocess.run([BINARY, "--server", f"{at}:{port}", *words, "status"], capture_output=True,
                          text=True, timeout=30, env={**os.environ, **env, **environment})


def test_client(server):
    done = run(server, "tls:127.0.0.1", "--tls-ca", path("ca.crt"))
    TAP.ok(done.returncode == 0 and "HeadSeq" in done.stdout, "the command line over TLS", done)
    done = run(server, "tls:localhost", IPLEDGER_TLS_CA=path("ca.crt"))
    TAP.ok(done.returncode == 0, "by name, with the authority from the environment", done)
    done = run(server, "tls:127.0.0.1")
    TAP.ok(done.returncode == 3 and "not trusted" in done.stderr and "--tls-ca" in done.stderr,
           "an authority that is not known is not trusted", done)
    done = run(server, "tls:127.0.0.1", "--tls-ca", path("nothing"))
    TAP.ok(done.returncode == 3 and "nothing" in done.stderr, "nor one that cannot be read", done)
    done = run(server, "tcp:127.0.0.1")
    TAP.ok(done.returncode == 3 and "tls:HOST:PORT" in done.stderr, "without TLS: what to do", done)
    use("elsewhere")
    hang_up(server, "the certificate for new connections")
    for at in ("tls:127.0.0.1", "tls:localhost"):
        done = run(server, at, "--tls-ca", path("ca.crt"))
        TAP.ok(done.returncode == 3 and "mismatch" in done.stderr, f"a certificate of others: {at}", done)
    use("first")
    hang_up(server, "the certificate for new connections")


def test_https(server):
    port = int(re.search(r"http=127\.0\.0\.1:(\d+)", server.line).group(1))
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context(), timeout=30)
    for _ in range(3):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        TAP.equal((answer.status, answer.read()), (200, b"ok\n"), "healthz over HTTPS, kept alive")
    plain = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        plain.request("GET", "/healthz")
        TAP.ok(plain.getresponse().status != 200, "not without TLS")
    except (http.client.HTTPException, OSError):
        TAP.ok(True, "not without TLS")


def test_refused():
    for words, says in ((["--tls-cert", path("first.crt")], "go together"),
                        (["--tls-cert", path("first.crt"), "--tls-key", path("second.key")], "tls-key"),
                        (["--tls-cert", path("nothing"), "--tls-key", path("first.key")], "No such file"),
                        (["--tls-cert", path("first.key"), "--tls-key", path("first.key")], "tls-cert"),
                        (["--tls-cert", path("first.crt"), "--tls-key", path("locked.key")], "passphrase")):
        with tempfile.TemporaryDirectory() as data:
            done = subprocess.run([BINARY, "serve", "--data", data, "--http", "none", *words],
                                  capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
            TAP.ok(done.returncode in (2, 3) and says in done.stderr, f"serve with a bad certificate: {says}",
                   done)


def main():
    make_all()
    test_refused()
    server = Server(args=["--rpc", "unix:{data}/ipledger.sock", "--rpc", "tcp:127.0.0.1:0", "--http",
                          "127.0.0.1:0", "--tls-cert", path("server.crt"), "--tls-key", path("server.key")],
                    log=True)
    with open(os.path.join(server.data, "keys"), encoding="ascii") as file:
        server.key = file.read().split("\n")[1].split()[:2]
    test_native(server)
    test_many(server)
    test_half_close(server)
    test_noise(server)
    test_reload(server)
    test_client(server)
    test_https(server)
    last = door(server)
    last.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    server.process.send_signal(signal.SIGTERM)
    TAP.equal(server.process.wait(timeout=30), 0, "SIGTERM: exit status 0")
    try:
        TAP.ok(last.receive()[0] == 1, "and what was in flight is answered, or the connection ends")
    except (ConnectionError, ssl.SSLError):
        TAP.ok(True, "and what was in flight is answered, or the connection ends")
    server.remove()
    shutil.rmtree(DIR)
    TAP.end()


main()
