"""Peers by link: unnumbered ones, link-local addresses, and the same address on two links."""

import pytest

from crierlab import Bird, Frr, Node
from netlab import wait_for

CONFIG = """
bgp: {{router-id: 10.50.0.11, listen: {listen}}}
bfd-profiles: [{{name: fast, transmit-interval: 100, receive-interval: 100}}]
peers:
- {{name: tor, peer-asn: 64513, my-asn: 64512, hold-time: 9s, {peer}}}
address-pools:
- name: public
  protocol: bgp
  addresses: [198.51.100.0/24, "2001:db8:51::/64"]
services:
- {{name: web, addresses: [198.51.100.7, "2001:db8:51::7"], bind: none}}
"""
PREFIXES = ("198.51.100.7/32", "2001:db8:51::7/128")

FRR = """
router bgp 64513
 bgp router-id 10.50.0.1
 no bgp ebgp-requires-policy
 neighbor eth0 interface remote-as external
 neighbor eth0 timers connect 1
 {more}
 address-family ipv6 unicast
  neighbor eth0 activate
 exit-address-family
"""

# It waits for whoever comes, and advertises nothing.
BIRD = """
router id 10.50.0.1;
protocol device {{}}
protocol direct {{ ipv4; ipv6; }}
protocol bgp tor {{ local as 64513; neighbor range fe80::/10 as 64512; interface "eth0"; {more}
  ipv4 {{ import all; export none; extended next hop on; }}; ipv6 {{ import all; export none; }}; }}
"""


def link_local(host, link="eth0"):
    def found():
        lines = host.run(f"ip -6 -br addr show dev {link} scope link -tentative").stdout.split()
        return [w.split("/")[0] for w in lines if w.startswith("fe80")]
    return wait_for(found, "a link-local address")[0]


def pair(lab, cls, conf, peer, listen="none", more=""):
    lan = lab.switch("lan")
    lan.sysctl("net.ipv6.conf.br0.disable_ipv6", 1)  # it is a cable
    router = lab.host("router", lan, cls=cls)
    node = lab.host("a", lan, cls=Node)
    router.start(conf.format(more=more))
    node.configure(CONFIG.format(peer=peer.format(router=link_local(router)), listen=listen))
    return router, node


def hops(router, prefix):
    if isinstance(router, Frr):
        return {h["ip"] for h in router.detail(prefix)["paths"][0]["nexthops"]}
    return {h for r in router.routes(6 if ":" in prefix else 4)[prefix] for h in r.get("BGP.next_hop", "").split()}


def learned(router, node):
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=30)
        assert link_local(node) in hops(router, prefix), (prefix, hops(router, prefix))


@pytest.mark.parametrize("listen", ["none", '"[::]:179"'])
def test_an_unnumbered_frr(lab, listen):
    """Each learns the other's address from its advertisements; IPv4 routes have an IPv6 next hop (RFC 8950)."""
    router, node = pair(lab, Frr, FRR, "interface: eth0, bfd-profile: fast", listen, "neighbor eth0 bfd")
    node.start()
    learned(router, node)
    peer, = node.get("peers")
    assert peer["address"] == f"[{link_local(router)}]:179" and peer["interface"] == "eth0"
    assert [e["address"] for e in node.events("peerFound")] == [f"{link_local(router)}%eth0"]
    wait_for(lambda: [b["state"] for b in node.get("bfd")] == ["up"], "BFD follows to where the peer was found")
    # Nobody takes us for a way out.
    assert "default" not in router.run("ip -6 route show default").stdout
    # It is told why the session ends (RFC 9384).
    router.run("nft add table inet mute '{ chain out { type filter hook output priority 0; udp dport 3784 drop; }; }'")
    wait_for(lambda: "BFD Down" in node.get("peers")[0].get("last-notification-sent", {}).get("what", ""), "BFD ends the session")


def test_an_unnumbered_peer_that_advertises_nothing(lab):
    router, node = pair(lab, Bird, BIRD, "interface: eth0")
    node.start()
    learned(router, node)


@pytest.mark.parametrize("listen", ["none", '"[::]:179"'])
def test_an_unnumbered_peer_with_a_password(lab, listen):
    """It holds as soon as the peer is found, whoever connects; a wrong one lets nobody in."""
    router, node = pair(lab, Frr, FRR, "interface: eth0, password: wr0ng", listen, "neighbor eth0 password s3cret")
    node.start()
    wait_for(lambda: node.events("peerFound"), "it is found")
    router.run("sleep 2")
    assert node.get("peers")[0]["state"] != "established"
    node.configure(node.config.read_text().replace("wr0ng", "s3cret"))
    node.crier("reload")
    learned(router, node)
    router.vtysh("configure terminal", "router bgp 64513", "neighbor eth0 password another")
    wait_for(lambda: node.get("peers")[0]["state"] != "established", "the router asks for another one", 20)


def test_an_unnumbered_peer_comes_back_as_another(lab):
    router, node = pair(lab, Bird, BIRD, "interface: eth0")
    node.start()
    learned(router, node)
    before = link_local(router)
    router.run("ip link set eth0 down")
    router.run("ip link set eth0 address 02:00:00:00:00:77")
    router.run("ip link set eth0 up")
    assert link_local(router) != before
    wait_for(lambda: node.get("peers")[0]["address"].startswith(f"[{link_local(router)}]"), "it was found again", 40)
    wait_for(lambda: node.get("peers")[0]["state"] == "established", "the session is back", 30)


@pytest.mark.parametrize("peer", ['peer-address: "{router}%eth0"', 'peer-address: "{router}", interface: eth0'])
def test_a_link_local_peer(lab, peer):
    router, node = pair(lab, Bird, BIRD, peer + ", dual-stack: true")
    node.start()
    learned(router, node)


@pytest.mark.parametrize("listens", [False, True])
def test_one_address_on_two_links(lab, listens):
    """Two routers have the same address, each on its own link; the peers differ by `interface` alone."""
    node = lab.host("a", lab.switch("lan1"), "10.50.0.11/24", cls=Node)
    lab.plug(node, lab.switch("lan2"), "eth1", "10.50.0.11/24")
    conf = """
router id 10.50.0.{id}; protocol device {{}}
protocol bgp tor {{ local 10.50.0.1 as {asn}; neighbor 10.50.0.11 as 64512; connect retry time 1;
  error wait time 1, 2; {passive} ipv4 {{ import all; export none; }}; }}
"""
    routers = []
    for i in (1, 2):
        router = lab.host(f"r{i}", lab.hosts[f"lan{i}"], "10.50.0.1/24", cls=Bird)
        router.start(conf.format(id=i, asn=64512 + i, passive="" if listens else "passive on;"))
        routers.append(router)
        # Each link is a network of its own: answers leave by the link that they belong to.
        node.run(f"ip route add 10.50.0.0/24 dev eth{i - 1} src 10.50.0.11 table {100 + i}")
        node.run(f"ip rule add oif eth{i - 1} table {100 + i} pref {100 + i}")
        node.sysctl(f"net.ipv4.conf.eth{i - 1}.rp_filter", 0)
        node.sysctl(f"net.ipv4.conf.eth{i - 1}.arp_ignore", 1)
    node.sysctl("net.ipv4.conf.all.rp_filter", 0)
    node.sysctl("net.ipv4.tcp_l3mdev_accept", 0)
    text = CONFIG.format(peer="peer-address: 10.50.0.1, interface: eth0" + (", passive: true" if listens else ""),
                         listen='"[::]:179"' if listens else "none")
    first = next(line for line in text.splitlines() if line.startswith("- {name: tor"))
    second = first.replace("name: tor", "name: tor2").replace("64513", "64514").replace("eth0", "eth1")
    node.configure(text.replace(first, f"{first}\n{second}"))
    node.start()
    for router in routers:
        router.wait_route(PREFIXES[0], timeout=30)
    assert {p["name"]: p["peer-asn"] for p in node.get("peers") if p["state"] == "established"} == \
        {"tor": 64513, "tor2": 64514}
