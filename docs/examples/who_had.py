# who_had.py SOCKET ADDRESS [AS-OF]: who has an address, or had it then (apt: python3-msgpack)
import socket
import sys

import msgpack

sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
answers = msgpack.Unpacker()


def call(operation, **params):
    sock.sendall(msgpack.packb([0, 1, operation, [params]]))
    while True:
        for kind, msgid, error, result in answers:
            if error is not None:
                sys.exit(error)
            return result
        answers.feed(sock.recv(65536))


as_of = {"AsOf": sys.argv[3]} if len(sys.argv) > 3 else {}
for holding in call("LookupAddress", Address=sys.argv[2], **as_of)["Holdings"]:
    print(holding["Address"], holding["Kind"], holding["NetworkInterfaceId"])
