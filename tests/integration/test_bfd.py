"""BFD between crier and real routers: a dead path ends the session long before the hold time."""

import json
import time

import pytest

from crierlab import Bird, Frr, Node
from netlab import wait_for

CONFIG = """
peers:
- {name: r, peer-address: 10.50.0.1, peer-asn: 64513, my-asn: 64512, bfd-profile: fast}
bfd-profiles:
- {name: fast, receive-interval: 50, transmit-interval: 50, detect-multiplier: 3}
address-pools:
- {name: public, protocol: bgp, addresses: [198.51.100.0/24]}
services:
- {name: web, addresses: [198.51.100.7]}
"""

FRR = """
router bgp 64513
 bgp router-id 10.50.0.1
 no bgp ebgp-requires-policy
 neighbor 10.50.0.11 remote-as 64512
 neighbor 10.50.0.11 timers connect 1
 neighbor 10.50.0.11 bfd
 neighbor 10.50.0.11 bfd profile fast
bfd
 profile fast
  receive-interval 50
  transmit-interval 50
"""

BIRD = """
router id 10.50.0.1;
protocol device {}
protocol bfd { interface "eth0" { interval 50 ms; multiplier 3; }; }
protocol bgp r { local 10.50.0.1 as 64513; neighbor 10.50.0.11 as 64512; bfd; connect retry time 1;
  error wait time 1, 2; ipv4 { import all; export none; }; }
"""

ROUTERS = {"frr": (Frr, FRR), "bird": (Bird, BIRD)}


@pytest.fixture(params=ROUTERS)
def pair(lab, request):
    lan = lab.switch("lan")
    cls, conf = ROUTERS[request.param]
    router = lab.host("router", lan, "10.50.0.1/24", cls=cls)
    node = lab.host("a", lan, "10.50.0.11/24", cls=Node)
    router.start(conf)
    node.configure(CONFIG)
    node.start()
    router.wait_route("198.51.100.7/32")
    wait_for(lambda: node.get("bfd")[0]["state"] == "up", "BFD is up")
    return lan, router, node


def cut(host, table="cut"):
    """Everything that arrives is dropped, silently; links stay up."""
    host.run(["nft", f"add table netdev {table}; add chain netdev {table} in "
              "{ type filter hook ingress device eth0 priority 0; policy drop; }"])


def mend(host, table="cut"):
    host.run(f"nft delete table netdev {table}")


def test_a_dead_path_ends_the_session_at_once(pair):
    lan, router, node = pair
    began = time.monotonic()
    cut(node)
    wait_for(lambda: node.get("peers")[0]["state"] != "established", "our side ends the session", 5, 0.01)
    took = time.monotonic() - began
    router.wait_no_route("198.51.100.7/32", 5)
    print(f"down {took * 1000:.0f} ms after the cut, seen through the control socket (nominal: 150 ms)")
    assert took < 5 < 90, "far below the hold time of 90 s"
    why = json.loads(node.crier("explain", "web", "-o", "json").stdout)
    assert why["planned"] and not why["announced"], "it would, but nobody hears it"
    assert "peer=r" in next(line for line in node.crier("get", "events").stdout.splitlines() if "bfdDown" in line)
    mend(node)
    router.wait_route("198.51.100.7/32", timeout=30)
    wait_for(lambda: node.get("bfd")[0]["state"] == "up", "BFD is up again", 30)


def test_a_dead_daemon_is_noticed_by_the_router(pair):
    lan, router, node = pair
    cut(router)       # so that the closing of the TCP connection cannot tell it
    node.kill()
    router.wait_no_route("198.51.100.7/32", 5)


def test_profile_removed_is_not_a_failure_to_us(pair):
    """We say AdminDown and keep BGP (RFC 5882 3.2). These routers take AdminDown for a failure all the same."""
    lan, router, node = pair
    node.configure(node.config.read_text().replace(", bfd-profile: fast", ""))
    node.crier("reload")
    wait_for(lambda: not node.get("bfd"), "no BFD session is left")
    if isinstance(router, Frr):  # BIRD does not show what it was told
        wait_for(lambda: router.ask("show bfd peers json")[0]["remote-diagnostic"] == "administratively down",
                 "the router was told that a person did it")
    router.wait_route("198.51.100.7/32", timeout=30)
    wait_for(lambda: node.get("peers")[0]["state"] == "established", "the session is there")
    assert not node.events("notificationSent"), "our side ended the session"


def test_intervals_change_without_a_flap(pair):
    lan, router, node = pair
    ups = node.get("bfd")[0]["up-events"]
    node.configure(node.config.read_text().replace("transmit-interval: 50", "transmit-interval: 100"))
    node.crier("reload")
    wait_for(lambda: node.get("bfd")[0]["transmit-interval-ms"] == 100, "the new interval is negotiated")
    bfd = node.get("bfd")[0]
    assert bfd["state"] == "up" and bfd["up-events"] == ups and bfd["down-events"] == 0
