"""Graceful restart: a router keeps our routes, and forwards, while crier restarts or comes back from a crash."""

import re
import signal
import time

import pytest

from netlab import wait_for
from test_bgp import BIRD, FRR, GOBGP, attributes
from test_bgp_sessions import PREFIXES, established, make_pair

ON = "bgp: {graceful-restart: 30s}"
NETWORKS = "networks:\n- {prefix: 203.0.113.0/24, communities: [64512:9]}\n"
BY_HAND = "192.0.2.77/32"
# FRR and OpenBGPD are helpers anyway.
MORE = {"frr": "", "openbgpd": "", "bird": "graceful restart on;",
        "gobgp": "[neighbors.graceful-restart.config]\nenabled = true\nrestart-time = 30\nnotification-enabled = true"}
FAMILY = re.compile(r'(afi-safi-name = "\S+")')
CONF = {"gobgp": FAMILY.sub(r"\1\n[neighbors.afi-safis.mp-graceful-restart.config]\nenabled = true", GOBGP),
        "bird": BIRD + "protocol kernel {{ ipv4 {{ export all; }}; }}\n"}
FORWARDS = ("frr", "bird")  # who puts routes into its kernel; OpenBGPD can't on Linux, GoBGP would need a zebra
CLIENT = "10.50.0.77"


class Watch:
    """Looks at the router's table all the time: how often a prefix was missing."""

    def __init__(self, router, *prefixes):
        self.router, self.prefixes, self.missing, self.looks = router, prefixes, [], 0

    def look(self):
        found = self.router.routes(4)
        self.looks += 1
        self.missing += [p for p in self.prefixes if not found.get(p)]


class Traffic:
    """A client's echo requests to the service, by the router: how many were not answered."""

    def __init__(self, lab, router, node):
        self.client = lab.host("client", lab.hosts["lan"], f"{CLIENT}/24")
        router.sysctl("net.ipv4.conf.all.send_redirects", 0)
        router.sysctl("net.ipv4.conf.eth0.send_redirects", 0)
        self.client.run("ip route add 198.51.100.0/24 via 10.50.0.1")
        wait_for(lambda: self.client.run("ping -c1 -W1 198.51.100.7", check=False).returncode == 0, "the service answers")
        self.ping = self.client.popen("ping -i 0.02 198.51.100.7", "ping.log")

    def lost(self):
        self.ping.send_signal(signal.SIGINT)
        self.ping.wait(5)
        sent, received = re.search(r"(\d+) packets transmitted, (\d+) received",
                                   (self.client.dir / "ping.log").read_text()).groups()
        assert int(sent) > 50, sent
        return int(sent) - int(received)


def pair(lab, kind, bgp=ON, conf=None):
    router, node = make_pair(lab, kind, bgp=bgp, more=MORE[kind], conf=conf or CONF.get(kind))
    # What crier puts on a link goes with crier; an address that outlives it is somebody else's.
    node.configure(node.config.read_text().replace("7\"]}", "7\"], bind: none}") + NETWORKS)
    node.run("ip addr add 198.51.100.7/32 dev lo")
    node.start()
    node.crier("announce", BY_HAND)
    for prefix in (*PREFIXES, "203.0.113.0/24", BY_HAND):
        router.wait_route(prefix, timeout=40)
    wait_for(lambda: all("graceful-restart" in p["capabilities"] for p in node.get("peers")), "both sides know it")
    return router, node


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("kind", MORE)
def test_routes_outlive_a_restart(lab, kind, how):
    router, node = pair(lab, kind)
    traffic = Traffic(lab, router, node) if kind in FORWARDS else None
    watch = Watch(router, PREFIXES[0], "203.0.113.0/24", BY_HAND)
    time.sleep(1.5)  # a sign of life
    getattr(node, how)()
    for _ in range(5):
        watch.look()
        time.sleep(0.2)
    node.start()
    wait_for(lambda: (watch.look(), established(node))[1], "the sessions are back", 20)
    time.sleep(1)
    watch.look()
    # Who announced by hand has not been heard again: its route waits for it, or for half of the restart time.
    assert not watch.missing, (watch.missing, watch.looks)
    assert not traffic or traffic.lost() <= 1  # the last one may be on its way
    node.run([node.binary, "announce", "-"], input="sync\n", env=node.env)
    router.wait_no_route(BY_HAND, 10)
    assert router.routes(4).get(PREFIXES[0]) and router.routes(4).get("203.0.113.0/24")


@pytest.mark.parametrize("kind", FORWARDS)
def test_what_is_not_announced_again_goes_at_its_end(lab, kind):
    router, node = pair(lab, kind)
    time.sleep(1.2)
    node.stop()
    node.configure(node.config.read_text().replace(NETWORKS, ""))
    node.start()
    wait_for(lambda: established(node), "the sessions are back", 20)
    router.wait_no_route("203.0.113.0/24", 18)  # 15 s: half the restart time, as nobody sends sync
    assert router.routes(4).get(PREFIXES[0])


LONG_LIVED = {"bird": BIRD, "frr": FRR.replace(" bgp router-id", " bgp long-lived-graceful-restart stale-time 3600\n bgp router-id")}


@pytest.mark.parametrize("kind", LONG_LIVED)
def test_routes_stay_as_the_last_choice(lab, kind):
    """RFC 9494: nobody comes back in time, and the route stays, marked; it is a good one again when somebody does."""
    def is_stale():
        return bool(attributes(kind, router, PREFIXES[0])[1] & {"65535:6", "llgrStale"})
    router, node = pair(lab, kind, "bgp: {graceful-restart: 1s, long-lived-restart: 1h}", LONG_LIVED[kind])
    assert not is_stale()
    node.kill()
    wait_for(is_stale, "the route is the last choice", 15)
    node.start()
    wait_for(lambda: established(node) and not is_stale(), "it is as good as any", 20)


def test_leaving_for_good_takes_the_routes_along(lab):
    router, node = pair(lab, "frr")
    node.crier("peer", "r4", "down", "--text", "moved")
    router.wait_no_route(PREFIXES[0], 5)


def test_an_old_state_is_none(lab):
    router, node = pair(lab, "frr")
    time.sleep(1.2)
    node.stop()
    state = node.dir / "state" / "a.restart.json"
    node.run(["touch", "-d", "1 hour ago", state])
    node.start()
    wait_for(lambda: established(node), "the sessions are back", 20)
    assert not node.events("gracefulRestart")
    router.wait_no_route(BY_HAND, 10)
