"""BFD between two crier nodes: what they agree about when both sides are ours."""

import os
import time

import pytest

from crierlab import Node
from netlab import wait_for

CONFIG = """
peers:
- {{name: r, peer-address: "{peer}", peer-asn: 64513, my-asn: 64512, bfd-profile: p}}
bfd-profiles:
- {{name: p, receive-interval: 50, transmit-interval: 50, detect-multiplier: 10, {profile}}}
"""


def two(lab, family, profile):
    lan = lab.switch("lan")
    nodes = [lab.host(name, lan, f"10.50.0.{i}/24", cls=Node) for i, name in ((1, "a"), (2, "b"))]
    for i, node in enumerate(nodes, 1):
        node.run(f"ip addr add 2001:db8:50::{i}/64 dev eth0 nodad")
    for i, node in enumerate(nodes, 1):
        node.configure(CONFIG.format(peer=("10.50.0.{}" if family == 4 else "2001:db8:50::{}").format(3 - i),
                                     profile=profile))
        node.start()
    wait_for(lambda: all(bfd(n)["state"] == "up" for n in nodes), "both are up", 20)
    return lan, nodes


def bfd(node):
    return node.get("bfd")[0]


def cut(lan, node):
    """What it sends is lost on the switch."""
    lan.run(["nft", f"add table netdev cut; add chain netdev cut in {{ type filter hook ingress device p-{node.name} "
             "priority 0; policy drop; }"])


@pytest.mark.parametrize("family", [4, 6])
def test_echo_where_no_kernel_forwards(lab, family):
    lan, nodes = two(lab, family, "echo-mode: true, echo-interval: 50")
    for node in nodes:
        assert node.run("sysctl -n net.ipv6.conf.all.forwarding net.ipv4.conf.eth0.forwarding").stdout.split() == ["0", "0"]
    wait_for(lambda: all(bfd(n).get("echo-packets-in", 0) > 40 for n in nodes), "echo packets come back", 20)
    for node in nodes:
        shown = bfd(node)
        assert shown["echo-packets-out"] - shown["echo-packets-in"] < 5 and shown["down-events"] == 0
        assert shown["receive-interval-ms"] >= 1000, "control packets are rare meanwhile"
    cut(lan, nodes[1])
    wait_for(lambda: bfd(nodes[0])["state"] != "up", "it is noticed", 5)
    assert nodes[0].wait_event("bfdDown")["diagnostic"] in ("echo function failed", "neighbor signaled session down")


def test_demand_mode_on_both_sides_is_quiet(lab):
    """In each detection time, 500 ms, both poll once and answer once: four packets of each in a second, not 22."""
    lan, nodes = two(lab, 4, "demand-mode: true")
    wait_for(lambda: all(bfd(n)["transmit-interval-ms"] < 1000 for n in nodes if "transmit-interval-ms" in bfd(n)),
             "the slow start is over")
    began, before = time.monotonic(), bfd(nodes[0])
    wait_for(lambda: bfd(nodes[0])["packets-out"] >= before["packets-out"] + 16, "polls and answers go on", 30)
    assert time.monotonic() - began > 2, "it is quiet"
    assert bfd(nodes[0])["packets-in"] > before["packets-in"] + 8
    cut(lan, nodes[1])
    wait_for(lambda: bfd(nodes[0])["state"] != "up", "a poll without an answer tells", 5)


def test_who_may_not_be_real_time_is_favoured_among_the_ordinary(lab):
    """A daemon in a session of its own, as a service is, lifts that session where the kernel shares out by these."""
    node = lab.host("a", cls=Node)
    node.own_sessions = True
    node.configure("bfd: {real-time: off}\n")
    node.start()
    group = f"/proc/{node.pid()}/autogroup"
    wait_for(lambda: node.status()["packet-thread"] == "prompt", "the packet thread has its place")
    if not os.path.exists(group):
        pytest.skip("the kernel does not share out by sessions")
    with open(group) as f:
        assert f.read().split()[-1] == "-10"
