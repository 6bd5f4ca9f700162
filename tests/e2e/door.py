# SPDX-License-Identifier: Apache-2.0
"""A client of the HTTP door by hand: both signatures, every shape, the bytes in sight."""
import base64
import hashlib
import hmac
import json
import re
import socket
import time
import urllib.parse
import uuid

from ledger import note_code

ECS, VPC = "2014-05-26", "2016-04-28"
IN_VPC = {"CreateVpc", "CreateVSwitch", "DeleteVpc", "DeleteVSwitch", "AllocateEipAddress",
          "AssociateEipAddress", "UnassociateEipAddress", "ReleaseEipAddress", "DescribeVpcs",
          "DescribeEipAddresses", "DescribeVSwitches", "DescribeVpcAttribute", "ModifyVpcAttribute",
          "DescribeVSwitchAttributes", "AssociateVpcCidrBlock", "UnassociateVpcCidrBlock",
          "CheckCanAllocateVpcPrivateIpAddress", "ModifyVSwitchAttribute", "CreateIpv6Gateway",
          "ModifyEipAddressAttribute", "DescribeIpv6Addresses", "DescribeIpv6Gateways",
          "AllocateIpv6InternetBandwidth", "ModifyIpv6InternetBandwidth", "DeleteIpv6Gateway",
          "DeleteIpv6InternetBandwidth"}


def p(text):
    return urllib.parse.quote(str(text), safe="-_.~")


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def version_of(action):
    return VPC if action in IN_VPC else ECS


def flat(params, prefix=""):
    """Lists and maps flattened into names, as the SDKs do."""
    out = {}
    items = params.items() if isinstance(params, dict) else enumerate(params, 1)
    for key, value in items:
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, (dict, list, tuple)):
            out.update(flat(value, name))
        elif isinstance(value, bool):
            out[name] = "true" if value else "false"
        elif value is not None:
            out[name] = str(value)
    return out


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        found = re.search(rb'"Code" *: *"([^"]+)"|<Code>([^<]+)</Code>', body or b"") if status >= 400 else None
        if found:
            note_code({"HttpStatus": status, "Code": (found[1] or found[2]).decode()})

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("Code") if self.status >= 400 else None


class Door:
    """One connection, kept alive."""

    def __init__(self, port, key="LTAItest", secret="testAccessKeySecret0123456789ab", host=None, tls=None):
        """tls: an ssl.SSLContext; None for none."""
        self.port, self.key, self.secret = port, key, secret
        self.host = host or f"127.0.0.1:{port}"
        self.tls = tls
        self.sock = None
        self.buffer = b""

    def connect(self):
        self.sock = socket.create_connection(("127.0.0.1", self.port))
        self.sock.settimeout(60)
        if self.tls is not None:
            self.sock = self.tls.wrap_socket(self.sock, server_hostname="localhost")
        self.buffer = b""

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = None

    def _more(self):
        data = self.sock.recv(1 << 20)
        self.buffer += data
        return bool(data)

    def receive(self, is_head=False):
        while b"\r\n\r\n" not in self.buffer:
            if not self._more():
                raise ConnectionError("closed: " + repr(self.buffer[:200]))
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        if status == 100:
            return self.receive(is_head)
        length = 0 if is_head else int(headers.get("content-length", -1))
        while length < 0 or len(self.buffer) < length:
            if not self._more():
                length = len(self.buffer) if length < 0 else length
                break
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, headers, body)

    def raw(self, data, is_head=False):
        if self.sock is None:
            self.connect()
        self.sock.sendall(data)
        return self.receive(is_head)

    # --- version 1 ---

    def v1_params(self, action, params, **system):
        out = {"Action": action, "Version": version_of(action), "Format": "JSON",
               "AccessKeyId": self.key, "SignatureMethod": "HMAC-SHA1", "Timestamp": now(),
               "SignatureVersion": "1.0", "SignatureNonce": uuid.uuid4().hex}
        out.update({k: v for k, v in system.items() if v is not None})
        for name in [k for k, v in system.items() if v is None]:
            out.pop(name, None)
        out.update(flat(params))
        return out

    def v1_sign(self, method, params):
        query = "&".join(f"{p(k)}={p(v)}" for k, v in sorted(params.items()))
        to_sign = f"{method}&%2F&{p(query)}"
        mac = hmac.new((self.secret + "&").encode(), to_sign.encode(), hashlib.sha1)
        return base64.b64encode(mac.digest()).decode()

    def v1(self, action, params=None, method="GET", where="query", path="/", headers=(), **system):
        """where: query, form, or split (system parameters in the query, the others in a chunked
        form)."""
        own = flat(params or {})
        every = self.v1_params(action, own, **system)
        every["Signature"] = self.v1_sign(method, every)
        form = {k: v for k, v in every.items() if where == "form" or (where == "split" and k in own)}
        query = {k: v for k, v in every.items() if k not in form}
        body = urllib.parse.urlencode(form).encode()
        lines = [f"Host: {self.host}", *headers]
        if where == "split":
            lines += ["content-type: application/x-www-form-urlencoded",
                      "Transfer-Encoding: chunked"]
            half = len(body) // 2
            chunks = [c for c in (body[:half], body[half:]) if c]
            body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
        elif form:
            lines += ["Content-Type: application/x-www-form-urlencoded",
                      f"Content-Length: {len(body)}"]
        elif method == "POST":
            lines += ["Content-Length: 0"]
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        head = f"{method} {target} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
        return self.raw(head.encode() + (body if form else b""))

    # --- ACS3 ---

    def acs3_parts(self, action, params, form=None, extra=(), unsigned=(), change=None):
        query = flat(params or {})
        body = urllib.parse.urlencode(flat(form or {})).encode()
        headers = {"host": self.host, "x-acs-action": action, "x-acs-version": version_of(action),
                   "x-acs-date": now(), "x-acs-signature-nonce": uuid.uuid4().hex,
                   "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
                   "accept": "application/json"}
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        headers.update(extra)
        names = sorted(k for k in headers
                       if (k.startswith("x-acs-") or k in ("host", "content-type"))
                       and k not in unsigned)
        canonical = "\n".join([
            "POST", "/", "&".join(f"{p(k)}={p(v)}" for k, v in sorted(query.items())),
            "".join(f"{n}:{headers[n].strip()}\n" for n in names), ";".join(names),
            headers["x-acs-content-sha256"]])
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.new(self.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        headers["Authorization"] = (f"ACS3-HMAC-SHA256 Credential={self.key},"
                                    f"SignedHeaders={';'.join(names)},Signature={signature}")
        headers.update(change or {})
        return query, body, headers

    def acs3(self, action, params=None, form=None, body_change=None, chunked=False, **more):
        query, body, headers = self.acs3_parts(action, params, form, **more)
        body = body_change if body_change is not None else body
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            headers["Content-Length"] = str(len(body))
        target = "/" + ("?" + urllib.parse.urlencode(query) if query else "")
        head = f"POST {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return self.raw(head.encode() + b"\r\n" + body)

    def acs3_bytes(self, action, params):
        """A whole request, to be sent by the caller."""
        query, _, headers = self.acs3_parts(action, params)
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return f"POST /?{urllib.parse.urlencode(query)} HTTP/1.1\r\n{head}Content-Length: 0\r\n\r\n".encode()

    def call(self, action, **params):
        """By ACS3; the answer's map, or an AssertionError."""
        reply = self.acs3(action, params)
        assert reply.status == 200, (action, params, reply.status, reply.body)
        return reply.json
