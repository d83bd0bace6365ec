"""Routes by hand and by program: what is typed is what the router has, and no more."""

import json
import subprocess

import pytest

from cluster import LAN, LAN6
from crierlab import Node
from netlab import wait_for
from test_bgp import ROUTERS, attributes

CONFIG = """
peers:
- {{name: r4, peer-address: 10.50.0.1, peer-asn: {peer}, my-asn: 64512, hold-time: 9s}}
- {{name: r6, peer-address: "fd50::1", peer-asn: {peer}, my-asn: 64512, hold-time: 9s}}
address-pools:
- {{name: public, protocol: bgp, addresses: [198.51.100.0/24]}}
services:
- {{name: web, addresses: [198.51.100.7]}}
"""


def make_pair(lab, kind, asn=64513):
    lan = lab.switch("lan")
    cls, conf, _ = ROUTERS[kind]
    router = lab.host("router", lan, "10.50.0.1/24", "fd50::1/64", cls=cls)
    node = lab.host("a", lan, f"{LAN.format(11)}/24", f"{LAN6.format(11)}/64", cls=Node)
    router.start(conf.format(asn=asn, more=""))
    node.configure(CONFIG.format(peer=asn))
    node.start()
    router.wait_route("198.51.100.7/32")
    wait_for(lambda: all(p["state"] == "established" for p in node.get("peers")), "both sessions are up")
    return router, node


def feed(node, text, *options):
    """`crier announce -` with @text: its exit code, the refused lines and the summary."""
    done = subprocess.run(["ip", "netns", "exec", node.ns, node.binary, "announce", "-", *options], input=text,
                          capture_output=True, text=True, timeout=30, env=node.env, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, answers[:-1], answers[-1]


@pytest.mark.parametrize("kind", ROUTERS)
def test_attributes_arrive_as_typed(lab, kind):
    router, node = make_pair(lab, kind)
    node.crier("announce", "203.0.113.0/24", "2001:db8:9::/48", "--as-path", "65001,65002", "--med", "7",
               "--community", "64512:9,no-peer", "--origin", "incomplete")
    for prefix in ("203.0.113.0/24", "2001:db8:9::/48"):
        router.wait_route(prefix)
        _, communities, path, _ = attributes(kind, router, prefix)
        assert path == ["64512", "65001", "65002"]
        assert {c.replace("noPeer", "65535:65284") for c in communities} == {"64512:9", "65535:65284"}

    # A second set replaces the first.
    node.crier("announce", "203.0.113.0/24", "--as-path-prepend", "2", "--next-hop", "10.50.0.77")
    wait_for(lambda: attributes(kind, router, "203.0.113.0/24")[1:] == (set(), ["64512"] * 3, "10.50.0.77"),
             "the new attributes", 10, 0.05)
    node.crier("withdraw", "203.0.113.0/24")
    router.wait_no_route("203.0.113.0/24")
    assert router.routes(6).get("2001:db8:9::/48")


def test_lines_of_programs(lab):
    router, node = make_pair(lab, "bird")
    code, bad, total = feed(node, """
# what ExaBGP is told
announce route 203.0.113.0/25 next-hop self community [64512:1 64512:2]
neighbor 10.50.0.1 announce route 203.0.113.128/25 next-hop 10.50.0.88 local-preference 5
anounce 192.0.2.0/24
announce 192.0.2.0/24 med x
announce 198.51.100.7/32
withdraw 192.0.2.1
announce 192.0.2.0/24 peer nobody
withdraw route 203.0.113.0/25
announce 203.0.113.0/25 peer r4,r6
""")
    assert code == 1
    assert total == {"announced": 3, "withdrawn": 1, "refused": 5}
    assert [b["line"] for b in bad] == [5, 6, 7, 8, 9]
    assert "did you mean 'announce'" in bad[0]["message"] and bad[0]["text"] == "anounce 192.0.2.0/24"
    assert "a service announces" in bad[2]["message"] and "no peer 'nobody'" in bad[4]["message"]
    router.wait_route("203.0.113.128/25")
    assert attributes("bird", router, "203.0.113.128/25")[3] == "10.50.0.88"
    router.wait_route("203.0.113.0/25")

    # From some peers only; and from all.
    node.crier("withdraw", "203.0.113.0/25", "--peer", "r6")
    assert len(router.wait_route("203.0.113.0/25")) == 1
    node.crier("withdraw", "203.0.113.0/25", "--peer", "fd50::1", check=False)
    node.crier("withdraw", "203.0.113.0/25", "203.0.113.128/25")
    router.wait_no_route("203.0.113.0/25")
    assert node.crier("withdraw", "203.0.113.0/25", check=False).returncode == 1
    assert node.crier("announce", "203.0.113.1/25", check=False).returncode == 2
    assert node.crier("announce", "-s", "/nowhere", "203.0.113.0/25", check=False).returncode == 3
    assert router.routes(4).get("198.51.100.7/32")


def test_a_pipe_that_pauses_and_ends(lab):
    router, node = make_pair(lab, "bird")
    program = subprocess.Popen(["ip", "netns", "exec", node.ns, node.binary, "announce", "--while-connected", "-"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=node.env)
    program.stdin.write("announce 203.0.113.0/24\n")
    program.stdin.flush()
    router.wait_route("203.0.113.0/24")  # while the pipe is open
    program.stdin.write("".join(f"announce 10.{i >> 8}.{i & 255}.0/24\n" for i in range(20000)))
    program.stdin.flush()
    wait_for(lambda: len(router.routes(4)) > 20000, "twenty thousand", 20)
    program.kill()
    program.wait()
    router.wait_no_route("203.0.113.0/24")
    wait_for(lambda: len(router.routes(4)) < 5, "all of them are gone", 20)
    assert router.routes(4).get("198.51.100.7/32")
    assert all(p["flaps"] == 0 for p in node.get("peers"))


def test_peers_by_hand(lab):
    router, node = make_pair(lab, "bird")

    def peer(name="r4"):
        return next(p for p in node.get("peers") if p["name"] == name)

    node.crier("peer", "r4", "down", "--text", "new cables")
    wait_for(lambda: peer()["state"] == "idle", "the session is down")
    router.wait_no_route("198.51.100.7/32")
    assert peer()["last-notification-sent"]["text"] == "new cables"
    assert peer("r6")["state"] == "established"
    node.crier("peer", "r4", "up")
    router.wait_route("198.51.100.7/32", timeout=30)
    node.crier("peer", "r4", "refresh")
    node.crier("peer", "r4", "reset")
    wait_for(lambda: peer()["flaps"] == 2 and peer()["state"] == "established", "it is back", 30)
    wrong = node.crier("peer", "r5", "reset", check=False)
    assert wrong.returncode == 1 and "r5" in wrong.stderr
    assert node.crier("peer", "r4", "rset", check=False).returncode == 2


NETWORKS = CONFIG + """
networks:
- {{prefix: 203.0.113.0/24, communities: ["64512:9"], med: 7, as-path-prepend: 1}}
- {{prefix: "2001:db8:9::/48", peers: [r6]}}
- {{prefix: 198.51.100.7/32}}
- {{prefix: 192.0.2.0/24, health-check: {{tcp: "127.0.0.1:8080", interval: 100ms, timeout: 90ms}}}}
- {{prefix: 192.0.3.0/24, node-selectors: [{{match-labels: {{rack: "2"}}}}]}}
"""


def network(node, prefix):
    return node.get("networks", prefix)[0]


def test_networks_of_the_configuration(lab):
    lan = lab.switch("lan")
    cls, conf, _ = ROUTERS["bird"]
    router = lab.host("router", lan, "10.50.0.1/24", "fd50::1/64", cls=cls)
    node = lab.host("a", lan, f"{LAN.format(11)}/24", f"{LAN6.format(11)}/64", cls=Node)
    router.start(conf.format(asn=64513, more=""))
    node.configure(NETWORKS.format(peer=64513))
    node.start()
    router.wait_route("203.0.113.0/24")
    _, communities, path, _ = attributes("bird", router, "203.0.113.0/24")
    assert (communities, path) == ({"64512:9"}, ["64512", "64512"])
    router.wait_route("2001:db8:9::/48")
    router.wait_route("198.51.100.7/32")

    # Services go before; a check that fails, and nodes that are others, keep silent.
    assert [n["state"] for n in node.get("networks")] == ["announced", "announced", "silent", "silent", "silent"]
    assert network(node, "198.51.100.7/32")["reason"] == "announcedByService"
    assert network(node, "192.0.2.0/24")["reason"] == "healthCheck"
    assert network(node, "192.0.3.0/24")["reason"] == "nodeNotSelected"
    origins = {(r["name"], r["peer"]): r["origin"] for r in node.get("routes")}
    assert origins == {("203.0.113.0/24", "r4"): "network", ("203.0.113.0/24", "r6"): "network",
                       ("2001:db8:9::/48", "r6"): "network", ("198.51.100.7/32", "r4"): "service"}

    # Its health check passes, and fails again.
    server = subprocess.Popen(["ip", "netns", "exec", node.ns, "python3", "-m", "http.server", "8080"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    router.wait_route("192.0.2.0/24")
    server.kill()
    server.wait()
    router.wait_no_route("192.0.2.0/24")

    # By hand stands behind: not while it is announced, but while it is silent.
    assert "one of networks" in node.crier("announce", "203.0.113.0/24", check=False).stderr
    node.crier("announce", "192.0.2.0/24")
    router.wait_route("192.0.2.0/24")
    assert node.get("routes", "192.0.2.0/24")[0]["origin"] == "by-hand"

    # A reload changes what has changed; the service has gone, and its prefix is the network's.
    node.configure(NETWORKS.format(peer=64513).replace("med: 7, as-path-prepend: 1", "as-path-prepend: 2")
                   .replace("{name: web, addresses: [198.51.100.7]}", "{name: web, addresses: [198.51.100.8]}")
                   .replace('- {prefix: "2001:db8:9::/48", peers: [r6]}\n', ""))
    assert "networks/2001:db8:9::/48" in node.crier("reload").stdout
    router.wait_no_route("2001:db8:9::/48")
    wait_for(lambda: attributes("bird", router, "203.0.113.0/24")[2] == ["64512"] * 3, "the new path", 10, 0.05)
    wait_for(lambda: network(node, "198.51.100.7/32")["state"] == "announced", "the network takes it over")
    assert router.routes(4).get("198.51.100.7/32")
    assert all(p["flaps"] == 0 for p in node.get("peers"))
    assert any("192.0.3.0/24" in p["text"] for p in node.status()["problems"])
