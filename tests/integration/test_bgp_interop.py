"""What each router does with us beyond the plain exchange of routes: all attributes, refreshes, silence, a hundred at once."""

import copy
import json
import os
import re
import signal

import pytest

from crierlab import Bird, ExaBgp, Frr, GoBgp, Node, OpenBgpd
from netlab import OTHER_BGP_PORT, wait_for
from test_bgp import ROUTERS, attributes, make_pair

PREFIXES = ("198.51.100.7/32", "2001:db8:51::7/128")
ADVERTISED = """    communities: [marked, 64512:1]
    large-communities: ["64512:1:2", "64512:4294967295:7"]
    med: 77
    as-path-prepend: 2
"""
LARGE = {"64512:1:2", "64512:4294967295:7"}

# How a router is made to ask for everything again; GoBGP looks into its own copy instead, ExaBGP has no command for it.
REFRESH = {"frr": lambda r: r.vtysh("clear bgp ipv4 10.50.0.11 soft in"),
           "bird": lambda r: r.birdc("reload in v4"),
           "openbgpd": lambda r: r.bgpctl("neighbor", "10.50.0.11", "refresh")}
MORE = {"bird": "enable extended messages on;"}
EXTENDED = ("frr", "bird", "exabgp")  # who knows extended messages
DAEMONS = {"bgpd", "bird", "gobgpd", "exabgp"}


def optional_attributes(kind, router, prefix):
    """(MED, large communities), whatever the router calls them."""
    if kind == "frr":
        path = router.detail(prefix)["paths"][0]
        return path["metric"], set(path["largeCommunity"]["list"])
    route = router.routes(6 if ":" in prefix else 4)[prefix][0]
    if kind == "bird":
        large = route["BGP.large_community"].strip("()").split(") (")
        return int(route["BGP.med"]), {c.replace(", ", ":") for c in large}
    if kind == "openbgpd":
        return route["metric"], set(route["large_communities"])
    if kind == "exabgp":
        return route["attribute"]["med"], {":".join(map(str, c)) for c in route["attribute"]["large-community"]}
    attrs = {a["type"]: a for a in route["attrs"]}
    return attrs[4]["metric"], {":".join(map(str, c.values())) for c in attrs[32]["value"]}


def signal_all(host, names, signo):
    """To the host's processes of these names."""
    for pid in host.pids():
        with open(f"/proc/{pid}/comm") as f:
            if f.read().strip() in names:
                os.kill(pid, signo)


def expect_everything(kind, router):
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=40)
        _, communities, path, _ = attributes(kind, router, prefix)
        assert communities == {"64512:1", "64512:1234"} and path == ["64512"] * 3, (communities, path)
        assert optional_attributes(kind, router, prefix) == (77, LARGE)


def all_passed(node, before):
    """More UPDATEs than @before were written, and the other side's kernel has them all."""
    peer = node.get("peers", "r4")[0]
    sockets = node.run("ss -Htn state established '( sport = :179 or dport = :179 )'").stdout.splitlines()
    return peer["messages-out"]["update"] > before and not peer["prefixes-pending"] and not peer["queued-bytes"] \
        and all(line.split()[1] == "0" for line in sockets)


@pytest.mark.parametrize("kind", ROUTERS)
def test_attributes_refreshes_and_silence(lab, kind):
    router, node = make_pair(lab, kind, more=MORE.get(kind, ""))
    node.configure(node.config.read_text().replace("    communities: [marked, 64512:1]\n", ADVERTISED)
                   .replace("hold-time: 9s", "hold-time: 3s"))
    node.start()
    expect_everything(kind, router)
    peers = node.get("peers")
    assert all(("extended-message" in p["capabilities"]) == (kind in EXTENDED) for p in peers), peers

    if kind in REFRESH:
        REFRESH[kind](router)
        wait_for(lambda: node.get("peers", "r4")[0]["messages-in"].get("refresh"), "the router asks again")
        expect_everything(kind, router)

    # The router is silent: its hold timer with us runs out, we say so, and it is back when it speaks again.
    assert all(p["flaps"] == 0 for p in node.get("peers"))
    signal_all(router, DAEMONS, signal.SIGSTOP)
    wait_for(lambda: all(p["state"] != "established" for p in node.get("peers")), "the hold timers expire", 10)
    sent = [p["last-notification-sent"]["what"] for p in node.get("peers")]
    assert all("Hold Timer Expired" in s for s in sent), sent
    signal_all(router, DAEMONS, signal.SIGCONT)
    wait_for(lambda: all(p["state"] == "established" for p in node.get("peers")), "both sessions are back", 40)
    expect_everything(kind, router)

    # We are silent: the router drops what it heard.
    os.kill(node.pid(), signal.SIGSTOP)
    try:
        for prefix in PREFIXES:
            router.wait_no_route(prefix, 15)
    finally:
        os.kill(node.pid(), signal.SIGCONT)
    expect_everything(kind, router)
    assert "Hold Timer Expired" in node.get("peers", "r4")[0]["last-notification-received"]["what"]

    # Messages are filled as far as both sides allow.
    lines = "".join(f"announce 172.16.{i // 256}.{i % 256}/32\n" for i in range(6000))
    node.run([node.binary, "announce", "-"], input=lines, env=node.env)
    wait_for(lambda: len(router.routes(4)) >= 6000, "all routes", 20, 0.2)
    before = node.get("peers", "r4")[0]["messages-out"]["update"]
    node.crier("peer", "r4", "refresh")  # all of them at once
    wait_for(lambda: all_passed(node, before), "they are sent again")
    sent = json.loads(node.crier("get", "peers", "r4", "messages", "-o", "json").stdout)["items"]
    longest = max(m["length-bytes"] for m in sent if m["state"] == "sent" and m["type"] == "UPDATE")
    assert longest > 25000 if kind in EXTENDED else 4000 < longest <= 4096, longest


MANY = 100
EVERY = range(1, MANY + 1)
PEERS = """
address-pools:
- {name: public, protocol: bgp, addresses: [198.51.100.0/24]}
services:
- {name: web, addresses: [198.51.100.7]}
peers:
"""
PEER = "- {{name: p{i}, peer-address: {router}, source-address: 10.61.0.{i}, ebgp-multihop: true, peer-asn: 64513, " \
       "my-asn: 64512, hold-time: 30s}}\n"
# BIRD knows a connection by the neighbour's address alone, so both ends are different in each.
SESSIONS = "router id 10.50.0.1; protocol device {}\nprotocol direct { ipv4; }\n" \
           "protocol static { ipv4; route 10.61.0.0/24 via 10.50.0.11; }\n" + "".join(
               f"protocol bgp p{i} {{ local 10.60.0.{i} as 64513; neighbor 10.61.0.{i} as 64512; multihop; "
               f"connect retry time 1; error wait time 1, 2; ipv4 {{ import all; export none; }}; }}\n"
               for i in EVERY)

# (class, its configuration, how many routes each session has brought, routes, sets of attributes among them)
HUNDRED = {
    "bird": (Bird, SESSIONS, lambda r: [int(re.search(r"(\d+) of", r.birdc("show route where source = RTS_BGP count"))[1])],
             500, 500),
    "frr": (Frr, "router bgp 64513\n bgp router-id 10.50.0.1\n no bgp ebgp-requires-policy\n" + "".join(
        f" neighbor 10.61.0.{i} remote-as 64512\n neighbor 10.61.0.{i} ebgp-multihop 2\n neighbor 10.61.0.{i} passive\n"
        for i in EVERY),
        lambda r: [p["pfxRcd"] for p in r.ask("show bgp ipv4 unicast summary json").get("peers", {}).values()], 500, 5),
    "gobgp": (GoBgp, '[global.config]\nas = 64513\nrouter-id = "10.50.0.1"\n' + "".join(
        f'[[neighbors]]\n[neighbors.config]\nneighbor-address = "10.61.0.{i}"\npeer-as = 64512\n[neighbors.transport.config]\n'
        "passive-mode = true\n[neighbors.ebgp-multihop.config]\nenabled = true\nmultihop-ttl = 2\n" for i in EVERY),
        lambda r: [int(a.get("state", {}).get("received", 0)) for n in json.loads(r.run("gobgp -j neighbor").stdout)
                   for a in n["afi_safis"]], 100, 5),
    "openbgpd": (OpenBgpd, "AS 64513\nrouter-id 10.50.0.1\nallow from any\n" + "".join(
        f"neighbor 10.61.0.{i} {{\n remote-as 64512\n multihop 2\n passive\n}}\n" for i in EVERY),
        lambda r: [n["stats"]["prefixes"]["received"] for n in
                   json.loads(r.bgpctl("-j", "show", "neighbor").stdout)["neighbors"]], 500, 5),
    "exabgp": (ExaBgp, "".join(
        f"neighbor 10.61.0.{i} {{ router-id 10.50.0.1; local-address 10.50.0.1; local-as 64513; peer-as 64512; passive;\n"
        "  family { ipv4 unicast; } api { processes [ ear ]; neighbor-changes; receive { parsed; update; } } }\n"
        for i in EVERY), lambda r: [sum(map(len, r.routes(4).values()))], 100, 1),
}


@pytest.mark.parametrize("kind", HUNDRED)
def test_a_hundred_peers(lab, kind):
    """Every one of them hears each route once, and its end; none has to wait for another."""
    cls, conf, counts, n, sets = HUNDRED[kind]
    lan = lab.switch("lan")
    router = lab.host("router", lan, "10.50.0.1/24", "fd50::1/64", cls=cls)
    node = lab.host("a", lan, "10.50.0.11/24", cls=Node)
    for host, net in ((router, 60), (node, 61)):
        batch = "".join(f"addr add 10.{net}.0.{i}/32 dev lo\n" for i in EVERY)
        host.run("ip -batch -", input=batch)
    router.run("ip route add 10.61.0.0/24 via 10.50.0.11")
    node.run("ip route add 10.60.0.0/24 via 10.50.0.1")
    router.start(conf)
    own = kind == "bird"  # it tells connections apart by its own address, too
    node.configure(PEERS + "".join(PEER.format(i=i, router=f"10.60.0.{i}" if own else "10.50.0.1") for i in EVERY))
    node.start()
    wait_for(lambda: sum(counts(router)) == MANY, "every session, and its service", 60, 0.2)

    def flaps():
        return sum(p["flaps"] for p in node.get("peers"))
    before = flaps()  # on a busy machine a router may close one of a hundred once more while they begin
    lines = "".join(f"announce 172.16.{i // 256}.{i % 256}/32 med {i % sets}\n" for i in range(n))
    node.run([node.binary, "announce", "-"], input=lines, env=node.env)
    wait_for(lambda: sum(counts(router)) == (n + 1) * MANY, "each has all of them", 60, 0.2)
    node.crier("peer", "p7", "down")  # one that leaves takes nothing from the others
    node.run([node.binary, "announce", "-"], input=lines.replace("announce", "withdraw"), env=node.env)
    wait_for(lambda: sum(counts(router)) == MANY - 1, "and none of them", 60, 0.2)
    assert flaps() == before + 1


AT_PORT = """
router id 10.50.0.{id};
protocol device {{}}
protocol direct {{ ipv4; }}
protocol bgp v4 {{ local 10.50.0.1 port {port} as 64513; neighbor 10.50.0.11 as 64512; passive on; error wait time 1, 2;
  ipv4 {{ import all; export none; }}; }}
"""


def test_two_peers_at_one_address(lab, capture):
    """They differ by their ports; the analyser judges what passes there, too."""
    lan = lab.switch("lan")
    one = lab.host("router", lan, "10.50.0.1/24", cls=Bird)
    node = lab.host("a", lan, "10.50.0.11/24", cls=Node)
    other = copy.copy(one)
    other.dir = one.dir / "other"
    other.dir.mkdir()
    frames = capture(one)
    one.start(AT_PORT.format(id=1, port=179))
    other.start(AT_PORT.format(id=2, port=OTHER_BGP_PORT))
    node.configure(f"""
        peers:
        - {{name: one, peer-address: 10.50.0.1, peer-asn: 64513, my-asn: 64512, hold-time: 9s}}
        - {{name: other, peer-address: 10.50.0.1, peer-port: {OTHER_BGP_PORT}, peer-asn: 64513, my-asn: 64512}}
        address-pools:
        - {{name: public, protocol: bgp, addresses: [198.51.100.0/24]}}
        services:
        - {{name: web, addresses: [198.51.100.7]}}
    """)
    node.start()
    for router in (one, other):
        router.wait_route("198.51.100.7/32")
    assert {p["name"]: p["address"] for p in node.get("peers")} == {
        "one": "10.50.0.1:179", "other": f"10.50.0.1:{OTHER_BGP_PORT}"}
    node.crier("peer", "other", "down")
    other.wait_no_route("198.51.100.7/32")
    assert one.routes(4).get("198.51.100.7/32")
    assert frames.stop().fields(f"bgp.type == 2 && tcp.dstport == {OTHER_BGP_PORT}", "frame.number")
    # All that we say, from the first SYN on, is network control (CS6).
    ours = frames.fields("tcp && ip.src == 10.50.0.11", "ip.dsfield.dscp")
    assert set(ours) == {("48",)}, set(ours)


FRR_V6_HOP = """
router bgp 64513
 bgp router-id 10.50.0.1
 no bgp ebgp-requires-policy
 neighbor fd50::11 remote-as 64512
 neighbor fd50::11 timers connect 1
 neighbor fd50::11 capability extended-nexthop
 address-family ipv6 unicast
  neighbor fd50::11 activate
 exit-address-family
"""
BIRD_V6_HOP = """
router id 10.50.0.1;
protocol device {}
protocol direct { ipv4; ipv6; }
protocol bgp v6 { local fd50::1 as 64513; neighbor fd50::11 as 64512; connect retry time 1;
  ipv4 { import all; export none; extended next hop on; }; ipv6 { import all; export none; }; }
"""
GOBGP_V6_HOP = """
[global.config]
as = 64513
router-id = "10.50.0.1"
[[neighbors]]
[neighbors.config]
neighbor-address = "fd50::11"
peer-as = 64512
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv4-unicast"
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv6-unicast"
"""
EXABGP_V6_HOP = """
neighbor fd50::11 { router-id 10.50.0.1; local-address fd50::1; local-as 64513; peer-as 64512;
  capability { nexthop; } nexthop { ipv4 unicast ipv6; } family { ipv4 unicast; ipv6 unicast; }
  api { processes [ ear ]; neighbor-changes; receive { parsed; update; } } }
"""
V6_HOP = {"frr": (Frr, FRR_V6_HOP), "bird": (Bird, BIRD_V6_HOP), "gobgp": (GoBgp, GOBGP_V6_HOP),
          "exabgp": (ExaBgp, EXABGP_V6_HOP)}


@pytest.mark.parametrize("kind", V6_HOP)
def test_ipv4_routes_by_an_ipv6_next_hop(lab, kind):
    """RFC 8950: a node without any IPv4 address announces IPv4 services to a router that knows how to reach them."""
    lan = lab.switch("lan")
    cls, conf = V6_HOP[kind]
    router = lab.host("router", lan, "fd50::1/64", *["10.50.0.1/24"] * (kind == "exabgp"), cls=cls)  # it listens there, too
    node = lab.host("a", lan, "fd50::11/64", cls=Node)
    router.start(conf)
    node.configure("""
        peers:
        - {name: r, peer-address: "fd50::1", peer-asn: 64513, my-asn: 64512, hold-time: 9s, dual-stack: true}
        address-pools:
        - {name: public, protocol: bgp, addresses: [198.51.100.0/24, "2001:db8:51::/64"]}
        services:
        - {name: web, addresses: [198.51.100.7, "2001:db8:51::7"]}
    """)
    node.start()
    for prefix in PREFIXES:
        route = router.wait_route(prefix)[0]
        hops = [h["ip"] for h in router.detail(prefix)["paths"][0]["nexthops"]] if kind == "frr" else [route["nexthop"]]
        assert "fd50::11" in hops, hops
