"""BFD with FRR's bfdd and with BIRD: what two implementations have to agree about, beyond one plain session."""

import contextlib
import os
import signal

import pytest

from crierlab import Bird, Frr, Host, Node
from netlab import wait_for

# Twice as fast as most people have it, with the patience of a machine whose cores have other work.
CRIER = """
peers:
- {{name: r, peer-address: "{router}", peer-asn: 64513, my-asn: 64512, bfd-profile: p{peer}}}
bfd-profiles:
- {{name: p, receive-interval: 50, transmit-interval: 50, detect-multiplier: 10{profile}}}
address-pools:
- {{name: public, protocol: bgp, addresses: [198.51.100.0/24, "2001:db8:100::/64"]}}
services:
- {{name: web, addresses: [{service}]}}
"""

FRR = """
router bgp 64513
 bgp router-id 10.50.0.1
 no bgp ebgp-requires-policy
 neighbor {node} remote-as 64512
 neighbor {node} timers connect 1
 {extra}
 neighbor {node} bfd
 neighbor {node} bfd profile fast
 address-family ipv6 unicast
  neighbor {node} activate
 exit-address-family
bfd
 profile fast
  receive-interval 50
  transmit-interval 50
  detect-multiplier 10
  {profile}
"""

BIRD = """
router id 10.50.0.1;
protocol device {{}}
protocol bfd {{ {place} {{ interval 50 ms; multiplier 10; {profile} }}; }}
protocol bgp r {{ local {router} as 64513; neighbor {node} as 64512; {extra} bfd; connect retry time 1;
  error wait time 1, 2; ipv4 {{ import all; export none; }}; ipv6 {{ import all; export none; }}; }}
"""

V4 = {"router": "10.50.0.1", "node": "10.50.0.11", "service": "198.51.100.7", "route": "198.51.100.7/32"}
V6 = {"router": "2001:db8:50::1", "node": "2001:db8:50::11", "service": '"2001:db8:100::7"',
      "route": "2001:db8:100::7/128"}


class Pair:
    """A router and a node, on one network or with a forwarding host between them."""

    def __init__(self, lab, kind, family=V4, hops=1, profile="", peer="", theirs="", bfd=True):
        self.family = family
        near = lab.switch("near")
        far = near if hops == 1 else lab.switch("far")
        self.router = lab.host("router", far, "10.50.0.1/24", cls={"frr": Frr, "bird": Bird}[kind])
        self.node = lab.host("a", near, "10.50.0.11/24" if hops == 1 else "10.51.0.11/24", cls=Node)
        self.kind = kind
        here = dict(family)
        if hops > 1:
            here.update(node="10.51.0.11" if family is V4 else "2001:db8:51::11")
            self.between(lab, near, far)
        elif family is V6:
            self.address(self.router, "2001:db8:50::1/64")
            self.address(self.node, "2001:db8:50::11/64")
        self.start_router(here, hops, theirs, bfd)
        self.here = here
        if hops > 1 and kind == "bird":  # it sends with the system's TTL of 64
            profile += ", minimum-ttl: 60"
        self.configure(profile, peer + (", ebgp-multihop: true" if hops > 1 else ""))
        self.node.start()

    @staticmethod
    def address(host, cidr):
        host.run(f"ip addr add {cidr} dev eth0 nodad")

    def between(self, lab, near, far):
        mid = lab.host("mid", near, "10.51.0.254/24", cls=Host)
        lab.plug(mid, far, "eth1", "10.50.0.254/24")
        mid.sysctl("net.ipv4.ip_forward", 1)
        mid.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.node.run("ip route add 10.50.0.0/24 via 10.51.0.254")
        self.router.run("ip route add 10.51.0.0/24 via 10.50.0.254")
        if self.family is V6:
            for host, dev, cidr in ((self.router, "eth0", "2001:db8:50::1/64"), (self.node, "eth0", "2001:db8:51::11/64"),
                                    (mid, "eth0", "2001:db8:51::254/64"), (mid, "eth1", "2001:db8:50::254/64")):
                host.run(f"ip addr add {cidr} dev {dev} nodad")
            self.node.run("ip route add 2001:db8:50::/64 via 2001:db8:51::254")
            self.router.run("ip route add 2001:db8:51::/64 via 2001:db8:50::254")

    def start_router(self, here, hops, theirs, bfd):
        if self.kind == "frr":
            extra = f"neighbor {here['node']} ebgp-multihop 5" if hops > 1 else ""
            self.conf = FRR.format(extra=extra, profile=theirs, **here)
        else:
            self.conf = BIRD.format(extra="multihop 5;" if hops > 1 else "", profile=theirs,
                                    place="multihop" if hops > 1 else 'interface "eth0"', **here)
        if self.kind == "bird" and hops > 1:  # next hops have to be found
            self.conf += ("protocol static { ipv4; route 10.51.0.0/24 via 10.50.0.254; }\n"
                          "protocol static { ipv6; route 2001:db8:51::/64 via 2001:db8:50::254; }\n")
        if not bfd:
            self.conf = self.conf.replace("bfd; connect", "connect")
        self.run_router()

    def run_router(self):
        """With real-time priority where that is permitted, as crier has it: it is not the scheduler that is tested."""
        self.router.start(self.conf)
        for pid in self.router.pids():
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    os.sched_setscheduler(int(task), os.SCHED_RR, os.sched_param(1))

    def configure(self, profile="", peer=""):
        self.peer = peer
        self.node.configure(CRIER.format(profile=profile, peer=peer, **self.here))

    def reload(self, profile=""):
        self.configure(profile, self.peer)
        self.node.crier("reload")

    def bfd(self):
        shown = self.node.get("bfd")
        return shown[0] if shown else {}

    def wait_up(self, timeout=30):
        wait_for(lambda: self.bfd().get("state") == "up", "BFD is up", timeout)
        self.router.wait_route(self.family["route"], timeout=timeout)

    def wait_down(self, timeout=5):
        wait_for(lambda: self.bfd().get("state") != "up", "BFD is down", timeout, 0.01)

    def packets(self, n):
        """Wait until so many more packets have been taken; the session must not flap meanwhile."""
        before = self.bfd()
        wait_for(lambda: self.bfd()["packets-in"] >= before["packets-in"] + n, f"{n} more packets", 20)
        assert self.bfd()["down-events"] == before["down-events"]


def cut(host):
    host.run(["nft", "add table netdev cut; add chain netdev cut in "
              "{ type filter hook ingress device eth0 priority 0; policy drop; }"])


@pytest.mark.parametrize("kind", ["frr", "bird"])
@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_every_place(lab, kind, family, hops):
    pair = Pair(lab, kind, family, hops)
    pair.wait_up()
    assert pair.bfd()["hops"] == ("multi" if hops == 2 else "single")
    cut(pair.router)
    pair.wait_down()
    wait_for(lambda: pair.node.get("peers")[0]["state"] != "established", "BGP follows at once", 5, 0.01)


TYPES = {"simple": "simple", "keyed-md5": "keyed md5", "meticulous-keyed-md5": "meticulous keyed md5",
         "keyed-sha1": "keyed sha1", "meticulous-keyed-sha1": "meticulous keyed sha1"}


@pytest.mark.parametrize("ours", TYPES)
def test_authentication_with_bird(lab, ours):
    """The secret is right; then ours is changed to another in two steps; then to a wrong one."""
    theirs = f'authentication {TYPES[ours]}; password "secret" {{ id 1; }}; password "second" {{ id 2; }};'
    key = {1: "{id: 1, secret: secret}", 2: "{id: 2, secret: second}", 3: "{id: 1, secret: wrong}"}

    def auth(keys, send):
        return f", authentication: {{type: {ours}, send-key: {send}, keys: [{', '.join(key[k] for k in keys)}]}}"

    pair = Pair(lab, "bird", profile=auth([1], 1), theirs=theirs)
    pair.wait_up()
    pair.packets(30)
    pair.reload(auth([1, 2], 2))
    pair.packets(30)
    pair.reload(auth([3], 1))
    pair.wait_down()
    wait_for(lambda: pair.bfd()["packets-dropped"] > 3, "its packets are refused", 10)


@pytest.mark.parametrize("kind", ["frr", "bird"])
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_passive(lab, kind, side):
    theirs = {"frr": "passive-mode", "bird": "passive;"}[kind] if side == "theirs" else ""
    pair = Pair(lab, kind, profile=", passive-mode: true" if side == "ours" else "", theirs=theirs)
    pair.wait_up()


@pytest.mark.parametrize("kind", ["frr", "bird"])
def test_timers_change_on_the_router(lab, kind):
    pair = Pair(lab, kind)
    pair.wait_up()
    ups = pair.bfd()["up-events"]
    if kind == "frr":
        pair.router.vtysh("configure", "bfd", "profile fast", "transmit-interval 100", "detect-multiplier 6")
    else:
        pair.router.conf.write_text(pair.conf.replace("interval 50 ms; multiplier 10",
                                                      "min tx interval 100 ms; min rx interval 50 ms; multiplier 6"))
        pair.router.birdc("configure")
    wait_for(lambda: pair.bfd()["detect-time-ms"] == 600, "the new numbers are negotiated", 10)
    assert pair.bfd()["state"] == "up" and pair.bfd()["up-events"] == ups


def test_admin_down_on_the_router_is_no_failure(lab):
    """BIRD has no such thing: switched off it falls silent. What crier says: test_bfd.py, when a profile is removed."""
    pair = Pair(lab, "frr")
    pair.wait_up()
    pair.router.vtysh("configure", "bfd", "profile fast", "shutdown")
    pair.wait_down()
    wait_for(lambda: pair.bfd()["remote-state"] == "admindown", "the router says that it was a person")
    assert not pair.node.events("notificationSent"), "BGP is ended by our side"
    pair.router.vtysh("configure", "bfd", "profile fast", "no shutdown")
    pair.wait_up()


@pytest.mark.parametrize("kind", ["frr", "bird"])
def test_the_daemon_starts_again(lab, kind):
    pair = Pair(lab, kind)
    pair.wait_up()
    pair.node.kill()
    pair.node.start()
    pair.wait_up()
    pair.packets(20)


@pytest.mark.parametrize("kind", ["frr", "bird"])
@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGKILL])
def test_the_router_starts_again(lab, kind, signo):
    pair = Pair(lab, kind)
    pair.wait_up()
    pair.router.stop(signo)
    pair.wait_down()
    pair.run_router()
    pair.wait_up()
    pair.packets(20)


def test_demand_mode_makes_the_router_quiet(lab):
    """BIRD obeys the D bit: ten packets in each 500 ms become one answer to a poll; a dead path is still seen."""
    pair = Pair(lab, "bird", profile=", demand-mode: true")
    pair.wait_up()
    before, polls = pair.bfd(), 8
    wait_for(lambda: pair.bfd()["packets-in"] >= before["packets-in"] + polls, "polls are answered", 20)
    after = pair.bfd()
    assert after["down-events"] == before["down-events"]
    assert after["packets-out"] - before["packets-out"] > 1.8 * (after["packets-in"] - before["packets-in"])
    cut(pair.router)
    pair.wait_down()


def test_strict_peers_wait_for_bfd(lab):
    pair = Pair(lab, "bird", peer=", bfd-strict: true", bfd=False)
    wait_for(lambda: pair.node.get("peers")[0]["reason"] == "waits for BFD", "the session waits")
    pair.router.conf.write_text(pair.conf.replace("connect retry", "bfd; connect retry"))
    pair.router.birdc("configure")
    pair.wait_up()
    cut(pair.router)
    wait_for(lambda: pair.node.get("peers")[0]["reason"] == "waits for BFD", "it waits again", 5, 0.01)


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
@pytest.mark.parametrize("reflector", ["kernel", "crier"])
def test_echo_with_frr(lab, reflector, family):
    """
    FRR's kernel sends ours back; FRR's come back through our kernel, or through crier where that does not forward. Over
    IPv6 FRR's are for our address, so that crier has to answer them in any case.
    """
    pair = Pair(lab, "frr", family, profile=", echo-mode: true, echo-interval: 50",
                theirs="echo-mode\n  echo receive-interval 50\n  echo transmit-interval 50")
    pair.node.sysctl("net.ipv4.conf.eth0.forwarding", int(reflector == "kernel"))
    pair.node.sysctl("net.ipv6.conf.all.forwarding", int(reflector == "kernel"))
    pair.wait_up()
    wait_for(lambda: pair.bfd()["echo-packets-in"] > 40, "our echo packets come back", 20)
    wait_for(lambda: pair.router.ask("show bfd peers counters json")[0]["echo-packet-input"] > 40, "FRR's come back", 20)
    shown = pair.bfd()
    assert shown["down-events"] == 0 and shown["echo-packets-out"] - shown["echo-packets-in"] < 5
    assert shown["receive-interval-ms"] >= 1000, "control packets are rare meanwhile"
    cut(pair.router)
    pair.wait_down(5)
    reason = pair.node.wait_event("bfdDown")["diagnostic"]
    assert reason in ("echo function failed", "neighbor signaled session down"), "whoever is first"
