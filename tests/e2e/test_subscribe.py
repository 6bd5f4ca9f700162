#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: a server, subscribers, writers beside them.
Claimed: catch-up then live, without gap or repeat, whatever the filter; what is notified is durable and is what
ListEvents shows; requests on the same connection keep their order; who reads slowly costs no memory and
is told where to resume; a filter that matches nothing still tells the head."""
import os
import select
import threading
import time

from ledger import Net, Refused, Server, Tap, wait_until

TAP = Tap()
STALL = 10  # seconds: server/subscribe.c


def frames(client, seconds=10):
    """Notifications as they come, until none comes for so long."""
    while True:
        for frame in client.unpacker:
            yield frame
        if not select.select([client.sock], [], [], seconds)[0]:
            return
        data = client.sock.recv(1 << 20)
        if not data:
            return
        client.unpacker.feed(data)


def take(client, count, seconds=10):
    events = []
    for kind, name, params in frames(client, seconds):
        assert kind == 2 and len(params) == 1, (kind, name)
        if name == "Event":
            events.append(params[0])
        if len(events) == count:
            break
    return events


def listed(net, **params):
    events, token = [], ""
    while True:
        more = {"NextToken": token} if token else {}
        page = net.call("ListEvents", MaxResults=1000, **params, **more)
        events += page["Events"]
        token = page["NextToken"]
        if not token:
            return events


def subscriber(server, **params):
    client = server.client()
    answer = client.call("Subscribe", **params)
    return client, answer


def silent(client, seconds=0.3):
    return not any(frame[1] == "Event" for frame in frames(client, seconds))


def test_live(server, net):
    client, answer = subscriber(server)
    TAP.equal(sorted(answer), ["HeadSeq", "RequestId", "SubscriptionId"], "what Subscribe answers")
    TAP.equal(answer["HeadSeq"], net.head(), "the head that it begins after")
    made = [net.call("CreateVpc", CidrBlock="10.0.0.0/16", Reason=f"n {i}")["Seq"] for i in range(20)]
    events = take(client, 20)
    TAP.equal([e["Seq"] for e in events], made, "live: every event, in order, once")
    TAP.equal(events, [net.call("GetEvent", Seq=s) for s in made], "as GetEvent shows it")
    others = [subscriber(server, FromSeq=made[0], **more)[0] for more in ({}, {"Type": "VpcCreated"})]
    TAP.equal([take(other, 20) for other in others], [events, events], "others are told the same")
    client.call("Unsubscribe", SubscriptionId=answer["SubscriptionId"])
    net.call("Subscribe")
    net.vpc()
    TAP.ok(silent(client), "silent after Unsubscribe")
    TAP.equal(take(net.client, 1)[0]["Seq"], head_of(server), "a connection hears of its own writes")
    client.close()


def head_of(server):
    return Net(server).head()


def test_history(server):
    """300 interfaces in one vSwitch: chains longer than one piece."""
    net = Net(server)
    vpc = net.vpc("10.0.0.0/8")
    vswitch = net.vswitch(vpc, "10.1.0.0/16")
    other = net.vswitch(vpc, "10.2.0.0/16")
    for i in range(150):
        eni = net.eni(vswitch)
        net.eni(other)
        net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.1.200.200"])
        net.call("UnassignPrivateIpAddresses", NetworkInterfaceId=eni, PrivateIpAddress=["10.1.200.200"])
    net.call("ModifyLedgerSettings", ReuseDelaySeconds=0)
    again = [net.vpc("10.1.0.0/16") for _ in range(3)]
    for one in again:
        net.run(net.vswitch(one, "10.1.192.0/20"), PrivateIpAddress="10.1.200.200")
    many = [net.vpc("10.1.0.0/16") for _ in range(9)]
    for one in many:
        net.run(net.vswitch(one, "10.1.192.0/20"), PrivateIpAddress="10.1.200.201")
    return {"vpc": vpc, "vswitch": vswitch, "eni": eni, "address": "10.1.200.200", "wide": "10.1.200.201"}


def test_filters(server, net, things):
    head = net.head()
    cases = [("everything", {}), ("from the middle", {"FromSeq": head // 2}), ("from 0", {"FromSeq": 0}),
             ("a vSwitch", {"Id": things["vswitch"]}), ("a VPC", {"Id": things["vpc"]}),
             ("an interface", {"Id": things["eni"]}), ("an address in four VPCs", {"Id": things["address"]}),
             ("an address in nine VPCs", {"Id": things["wide"]}),
             ("an address nobody had", {"Id": "10.99.99.99"}), ("an IPv6 address", {"Id": "2001:db8::1"}),
             ("a type", {"Type": "NetworkInterfaceCreated"}), ("a type that never was", {"Type": "EipReleased"}),
             ("an address and a type", {"Id": things["address"], "Type": "PrivateIpAssigned"}),
             ("a vSwitch from the middle", {"Id": things["vswitch"], "FromSeq": head // 2})]
    for name, params in cases:
        wanted = listed(net, **params)
        client, _ = subscriber(server, **{"FromSeq": 1, **params})
        TAP.equal([e["Seq"] for e in take(client, len(wanted), 5)] if wanted else [],
                  [e["Seq"] for e in wanted], f"{name}: catch-up is what ListEvents lists")
        TAP.ok(silent(client, 0.2), f"{name}: and no more")
        client.close()


def test_filters_live(server, things):
    net = Net(server)
    clients = {name: subscriber(server, **params)[0] for name, params in {
        "vswitch": {"Id": things["vswitch"]}, "address": {"Id": "10.1.200.202"},
        "type": {"Type": "VpcCreated"}, "gone": {"Id": things["eni"]}}.items()}
    eni = net.eni(things["vswitch"])
    assigned = net.call("AssignPrivateIpAddresses", NetworkInterfaceId=eni,
                        PrivateIpAddress=["10.1.200.202"])["Seq"]
    vpc = net.call("CreateVpc", CidrBlock="10.0.0.0/8")["Seq"]
    TAP.equal([e["Seq"] for e in take(clients["vswitch"], 2)], [assigned - 1, assigned], "live: a vSwitch")
    TAP.equal([e["Seq"] for e in take(clients["address"], 1)], [assigned], "live: an address in a VPC")
    TAP.equal([e["Seq"] for e in take(clients["type"], 1)], [vpc], "live: a type")
    TAP.ok(silent(clients["gone"]), "live: what was not touched is not told of")
    for client in clients.values():
        client.close()


def test_catch_up_beside_writers(server):
    """From the first event on, while three connections write."""
    net = Net(server)
    begin, stop = net.head(), threading.Event()

    def write():
        own = Net(server)
        while not stop.is_set():
            for _ in range(20):
                own.client.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
            for _ in range(20):
                own.client.receive()
    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    client, answer = subscriber(server, FromSeq=1)
    events = take(client, answer["HeadSeq"] + 500)
    stop.set()
    for thread in threads:
        thread.join()
    head = net.head()
    events += take(client, head - len(events))
    TAP.ok(head > begin + 500, "there was something to catch up with", head)
    TAP.equal([e["Seq"] for e in events], list(range(1, head + 1)), "catch-up meets live: no gap, no repeat")
    client.close()


def test_same_connection(server):
    """Requests pipelined on a connection that is notified of what they do."""
    client, answer = subscriber(server)
    ids = [client.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"}) for _ in range(200)]
    answers, events = [], []
    for frame in frames(client, 20):
        if frame[0] == 1:
            answers.append((frame[1], frame[3]["Seq"]))
        elif frame[1] == "Event":
            events.append((frame[2][0]["Seq"], len(answers)))
        if len(events) == 200:
            break
    head = answer["HeadSeq"]
    TAP.equal(answers, [(i, head + 1 + n) for n, i in enumerate(ids)], "answers keep their order")
    TAP.equal([e[0] for e in events], list(range(head + 1, head + 201)), "so do the events between them")
    TAP.ok(all(seen > 0 for _, seen in events), "no event before its write was answered", events[:5])
    client.close()


def test_several(server):
    net = Net(server)
    client = server.client()
    ids = [client.call("Subscribe", Type="VpcCreated")["SubscriptionId"] for _ in range(16)]
    TAP.equal(len(set(ids)), 16, "sixteen subscriptions on one connection")
    refusal = TAP.refused("Overloaded", "one more is refused", client.call, "Subscribe")
    TAP.equal(refusal.detail["Limit"], 16, "with the limit")
    for one in ids[2:]:
        client.call("Unsubscribe", SubscriptionId=one)
    TAP.refused("NotFound", "one that was ended", client.call, "Unsubscribe", SubscriptionId=ids[5])
    TAP.refused("NotFound", "one of another connection", net.call, "Unsubscribe", SubscriptionId=ids[0])
    vpc = net.call("CreateVpc", CidrBlock="10.0.0.0/16")["Seq"]
    TAP.equal([e["Seq"] for e in take(client, 2)], [vpc, vpc], "each of those left tells of it")
    TAP.equal(client.call("Ping").keys() & {"RequestId"}, {"RequestId"}, "and requests are answered")
    client.close()


def test_refused(server):
    client = server.client()
    head = client.call("GetStatus")["HeadSeq"]
    for params, code in (({"FromSeq": head + 2}, "InvalidParameter"), ({"FromSeq": -1}, "InvalidParameter"),
                         ({"FromSeq": "1"}, "InvalidParameter"), ({"Type": "VpcMade"}, "InvalidParameter"),
                         ({"Id": "vpc-nothing"}, "NotFound"), ({"Till": 3}, "UnsupportedParameter")):
        TAP.refused(code, f"Subscribe {params}", client.call, "Subscribe", **params)
    TAP.refused("MissingParameter", "Unsubscribe without an id", client.call, "Unsubscribe")
    TAP.equal(client.call("Subscribe", FromSeq=head + 1)["HeadSeq"], head, "the next event may be named")
    client.close()


def rss(server):
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def write_much(server):
    """More than buffers between a server and its reader hold."""
    writer = server.client()
    for _ in range(5000):
        writer.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    for _ in range(5000):
        writer.receive()
    writer.close()


def start_slow(server):
    """Ask for everything, many times over, and read nothing."""
    clients = [subscriber(server, FromSeq=1)[0] for _ in range(50)]
    wait_until(lambda: False, 2)
    return clients, time.monotonic()


def end_slow(server, slow, since):
    wait_until(lambda: False, max(0, STALL + 3 - (time.monotonic() - since)))
    head = head_of(server)
    seqs, ended = [], None
    for _, name, params in frames(slow[0], 5):
        if name == "Event":
            seqs.append(params[0]["Seq"])
        elif name == "SubscriptionEnded":
            ended = params[0]
    TAP.ok(ended is not None and ended["Reason"] == "SlowReader", "who reads nothing is told so", ended)
    TAP.equal(seqs, list(range(1, ended["ResumeFromSeq"])), "and where to resume: after what was sent")
    TAP.ok(ended["ResumeFromSeq"] <= head, "some was left", (ended, head))
    client, _ = subscriber(server, FromSeq=ended["ResumeFromSeq"])
    rest = [e["Seq"] for e in take(client, head - len(seqs))]
    TAP.equal(seqs + rest, list(range(1, head + 1)), "resumed: no gap, no repeat")
    for one in slow:
        one.close()
    client.close()


def test_heartbeat(server):
    client, answer = subscriber(server, FromSeq=1, Type="EipReleased")
    begin = time.monotonic()
    for _, name, params in frames(client, 10):
        TAP.equal(name, "Heartbeat", "a filter that matches nothing: a heartbeat")
        TAP.equal(params[0]["HeadSeq"], head_of(server), "it tells the head")
        TAP.equal(params[0]["ResumeFromSeq"], params[0]["HeadSeq"] + 1, "up to which was looked")
        TAP.equal(params[0]["SubscriptionId"], answer["SubscriptionId"], "and who says so")
        break
    TAP.ok(time.monotonic() - begin < 9, "some seconds later")
    client.close()


def test_stop(server):
    client, answer = subscriber(server)
    head = answer["HeadSeq"]
    bystander = server.client()
    TAP.equal(server.stop(), 0, "SIGTERM: exit status 0")
    last = list(frames(client, 5))
    TAP.equal([f[1] for f in last], ["SubscriptionEnded"], "stopping: its last words")
    TAP.equal((last[0][2][0]["Reason"], last[0][2][0]["ResumeFromSeq"]), ("ServerStopping", head + 1),
              "say where to resume")
    TAP.equal(list(frames(bystander, 1)), [], "who did not subscribe hears nothing")
    server.start()
    net = Net(server)
    seq = net.call("CreateVpc", CidrBlock="10.0.0.0/16")["Seq"]
    client, _ = subscriber(server, FromSeq=head + 1)
    TAP.equal([e["Seq"] for e in take(client, 1)], [seq], "resumed after a restart")
    client.close()


def test_durable():
    """A disk that takes 600 ms for each sync."""
    library = os.environ.get("SLOW_SYNC", "")
    if not os.path.exists(library):
        return
    server = Server()
    writer = server.client()
    for _ in range(3000):
        writer.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    for _ in range(3000):
        writer.receive()
    server.stop()
    os.environ.update(LD_PRELOAD=library, SLOW_SYNC_MS="600",
                      SLOW_SYNC_FAILS=os.path.join(server.data, "fails"),
                      ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    server.start()
    busy = server.client()
    writer = server.client()
    head = busy.call("Subscribe", FromSeq=1)["HeadSeq"]
    writer.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    begin = time.monotonic()
    TAP.equal(take(busy, head)[-1]["Seq"], head, "catching up while a commit is on its way")
    TAP.equal(take(busy, 1)[0]["Seq"], head + 1, "does not run ahead of the disk")
    TAP.ok(time.monotonic() - begin > 0.5, "which takes its time", time.monotonic() - begin)
    busy.close()
    writer.receive()

    client, answer = subscriber(server)
    late = server.client()
    writer.send("CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    time.sleep(0.05)
    late.send("Subscribe", {"FromSeq": head})
    TAP.ok(silent(client, 0.1), "nothing is notified before the disk has it")
    TAP.equal(take(client, 1)[0]["Seq"], answer["HeadSeq"] + 1, "then it is")
    told = late.receive()
    TAP.equal((told[0], told[3]["HeadSeq"]), (1, answer["HeadSeq"] + 1), "an answer that waits comes before events")
    TAP.equal([e["Seq"] for e in take(late, 3)], [head, head + 1, head + 2], "which follow")
    test_failed_commit(server, client, late)
    del os.environ["LD_PRELOAD"]
    server.remove()


def test_failed_commit(server, client, late):
    """The next commit fails: what was pipelined behind it falls, what is subscribed stays."""
    head = head_of(server)
    other = server.client()
    open(os.environ["SLOW_SYNC_FAILS"], "w", encoding="ascii").close()
    for params in ({"CidrBlock": "10.0.0.0/16"}, {"CidrBlock": "10.1.0.0/16"}):
        other.send("CreateVpc", params)
    other.send("Subscribe", {})
    other.send("Ping", {})
    errors = [other.receive()[2] for _ in range(4)]
    TAP.equal([e["Code"] for e in errors], ["StoreUnavailable"] * 4, "a failed commit: all that waits is refused")
    os.remove(os.environ["SLOW_SYNC_FAILS"])
    seq = Net(server).call("CreateVpc", CidrBlock="10.2.0.0/16")["Seq"]
    TAP.equal(seq, head + 1, "its seq is given again")
    for one, name in ((client, "one that follows"), (late, "one that caught up")):
        events = take(one, 1)
        TAP.equal([(e["Seq"], e["Body"]["CidrBlock"]) for e in events], [(seq, "10.2.0.0/16")],
                  f"{name} hears of what was kept alone")
    TAP.ok(silent(other), "there is no subscription where the answer was an error")
    TAP.equal(len({other.call("Subscribe")["SubscriptionId"] for _ in range(16)}), 16, "nor half of one")
    # Notifications that wait behind an answer stay where they are when the answer falls.
    for _ in range(5):  # a machine that is busy may take both into one commit
        got = send_and_fail(client)
        if got[:2] != ["OK", "OK"]:
            break
    TAP.equal(got, ["OK", "StoreUnavailable", "Event"], "an event behind an answer that falls is not lost")


def send_and_fail(client):
    """Two writes, the second of which fails once the first was answered: what comes of them."""
    client.send("CreateVpc", {"CidrBlock": "10.3.0.0/16"})
    time.sleep(0.1)
    client.send("CreateVpc", {"CidrBlock": "10.4.0.0/16"})
    got = []
    for frame in frames(client, 20):
        if frame[1] == "Heartbeat":
            continue
        got.append(frame[1] if frame[0] == 2 else (frame[2] or {"Code": "OK"})["Code"])
        if got == ["OK"]:
            open(os.environ["SLOW_SYNC_FAILS"], "w", encoding="ascii").close()
        if len(got) == (4 if got[:2] == ["OK", "OK"] else 3):
            break
    os.remove(os.environ["SLOW_SYNC_FAILS"])
    return got


def main():
    server = Server()
    net = Net(server)
    test_live(server, net)
    net = Net(server)
    things = test_history(server)
    test_filters(server, net, things)
    test_catch_up_beside_writers(server)
    write_much(server)
    before = rss(server)
    slow, since = start_slow(server)
    # 18 MiB of them; a sanitizer keeps as much again of what was freed.
    TAP.ok(rss(server) - before < 80 << 20, "fifty that do not read cost some buffers", rss(server) - before)
    test_filters_live(server, things)
    test_same_connection(server)
    test_several(server)
    test_refused(server)
    test_heartbeat(server)
    end_slow(server, slow, since)
    test_stop(server)
    server.remove()
    test_durable()
    TAP.end()


main()
