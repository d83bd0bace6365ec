"""BGP against real routers: FRR, BIRD, GoBGP, OpenBGPD and ExaBGP. Each learns the same routes with exactly the attributes asked for."""

import pytest

from cluster import LAN, LAN6
from crierlab import Bird, ExaBgp, Frr, GoBgp, Node, OpenBgpd
from netlab import wait_for

CONFIG = """
peers:
- name: r4
  peer-address: 10.50.0.1
  peer-asn: {peer}
  my-asn: 64512
  hold-time: 9s
  {extra}
- name: r6
  peer-address: "fd50::1"
  peer-asn: {peer}
  my-asn: 64512
  hold-time: 9s
  {extra}
bgp-communities:
  marked: 64512:1234
address-pools:
- name: public
  protocol: bgp
  addresses: [198.51.100.0/24, "2001:db8:51::/64"]
  bgp-advertisements:
  - aggregation-length: 32
    aggregation-length-v6: 128
    localpref: 150
    communities: [marked, 64512:1]
- name: wide
  protocol: bgp
  addresses: [203.0.113.0/24]
  bgp-advertisements:
  - aggregation-length: 24
services:
- {{name: web, addresses: [198.51.100.7, "2001:db8:51::7"]}}
- {{name: agg1, addresses: [203.0.113.1]}}
- {{name: agg2, addresses: [203.0.113.2]}}
"""

FRR = """
router bgp {asn}
 bgp router-id 10.50.0.1
 no bgp ebgp-requires-policy
 neighbor 10.50.0.11 remote-as 64512
 neighbor 10.50.0.11 timers connect 1
 neighbor fd50::11 remote-as 64512
 neighbor fd50::11 timers connect 1
 {more}
 address-family ipv6 unicast
  neighbor fd50::11 activate
 exit-address-family
"""

BIRD = """
router id 10.50.0.1;
protocol device {{}}
protocol direct {{ ipv4; ipv6; }}
protocol bgp v4 {{ local 10.50.0.1 as {asn}; neighbor 10.50.0.11 as 64512; connect retry time 1;
  error wait time 1, 2; {more}
  ipv4 {{ import all; export none; }}; }}
protocol bgp v6 {{ local fd50::1 as {asn}; neighbor fd50::11 as 64512; connect retry time 1;
  error wait time 1, 2; {more}
  ipv6 {{ import all; export none; }}; }}
"""

GOBGP = """
[global.config]
as = {asn}
router-id = "10.50.0.1"
[[neighbors]]
[neighbors.config]
neighbor-address = "10.50.0.11"
peer-as = 64512
{more}
[neighbors.timers.config]
connect-retry = 1
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv4-unicast"
[[neighbors]]
[neighbors.config]
neighbor-address = "fd50::11"
peer-as = 64512
{more}
[neighbors.timers.config]
connect-retry = 1
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv6-unicast"
"""

OPENBGPD = """
AS {asn}
router-id 10.50.0.1
allow from any
neighbor 10.50.0.11 {{
	remote-as 64512
	{more}
}}
neighbor fd50::11 {{
	remote-as 64512
	announce IPv4 none
	announce IPv6 unicast
	{more}
}}
"""

EXABGP = """
neighbor 10.50.0.11 {{ router-id 10.50.0.1; local-address 10.50.0.1; local-as {asn}; peer-as 64512; {more}
  family {{ ipv4 unicast; }} api {{ processes [ ear ]; neighbor-changes; receive {{ parsed; update; }} }} }}
neighbor fd50::11 {{ router-id 10.50.0.1; local-address fd50::1; local-as {asn}; peer-as 64512; {more}
  family {{ ipv6 unicast; }} api {{ processes [ ear ]; neighbor-changes; receive {{ parsed; update; }} }} }}
"""

ROUTERS = {
    "frr": (Frr, FRR, {"password": "neighbor 10.50.0.11 password {}\n neighbor fd50::11 password {}"}),
    "bird": (Bird, BIRD, {"password": 'password "{}";'}),
    "gobgp": (GoBgp, GOBGP, {"password": 'auth-password = "{}"'}),
    "openbgpd": (OpenBgpd, OPENBGPD, {"password": 'tcp md5sig password "{}"'}),
    "exabgp": (ExaBgp, EXABGP, {"password": "md5-password {};"}),
}
MARKED = {"64512:1", "64512:1234"}


def make_pair(lab, kind, asn=64513, extra="", more=""):
    lan = lab.switch("lan")
    cls, conf, _ = ROUTERS[kind]
    router = lab.host("router", lan, "10.50.0.1/24", "fd50::1/64", cls=cls)
    node = lab.host("a", lan, f"{LAN.format(11)}/24", f"{LAN6.format(11)}/64", cls=Node)
    router.start(conf.format(asn=asn, more=more))
    node.configure(CONFIG.format(peer=asn, extra=extra))
    return router, node


def attributes(kind, router, prefix):
    """(local preference or None, communities, AS path, next hop), whatever the router calls them."""
    family = 6 if ":" in prefix else 4
    if kind == "frr":
        path = router.detail(prefix)["paths"][0]
        return (path.get("locPrf", path.get("localPref")), set(path.get("community", {}).get("list", [])),
                path["aspath"]["string"].split(), path["nexthops"][0]["ip"])
    route = router.routes(family)[prefix][0]
    if kind == "bird":
        pref = route.get("BGP.local_pref")
        return (int(pref) if pref else None,
                {c.strip("()").replace(",", ":") for c in route.get("BGP.community", "").split()},
                route.get("BGP.as_path", "").split(), route["nexthop"])
    if kind == "openbgpd":
        communities = {{"NO_PEER": "65535:65284"}.get(c, c) for c in route.get("communities", [])}
        return route["localpref"], communities, route["aspath"].split(), route["nexthop"]
    if kind == "exabgp":
        said = route["attribute"]
        return (said.get("local-preference"), {f"{high}:{low}" for high, low in said.get("community", [])},
                [str(n) for n in said.get("as-path", [])], route["nexthop"])
    found = {"pref": None, "communities": set(), "path": []}
    for attr in route["attrs"]:
        if attr["type"] == 5:
            found["pref"] = attr["value"]
        if attr["type"] == 8:
            found["communities"] = {f"{c >> 16}:{c & 0xffff}" for c in attr["communities"]}
        if attr["type"] == 2:
            found["path"] = [str(n) for s in attr["as_paths"] for n in s["asns"]]
    return found["pref"], found["communities"], found["path"], route["nexthop"]


def path_count(router, prefix):
    return len(router.routes(6 if ":" in prefix else 4).get(prefix, []))


@pytest.mark.parametrize("kind", ROUTERS)
def test_ebgp_routes_appear_and_disappear(lab, kind):
    router, node = make_pair(lab, kind)
    node.start()
    for prefix, hop in (("198.51.100.7/32", "10.50.0.11"), ("2001:db8:51::7/128", "fd50::11")):
        router.wait_route(prefix)
        pref, communities, path, nexthop = attributes(kind, router, prefix)
        assert communities == MARKED and path == ["64512"], (communities, path)
        assert nexthop == hop or nexthop.startswith("fe80"), nexthop
    router.wait_route("203.0.113.0/24")

    # One of two services behind an aggregate goes: it stays. Both: it goes, and nothing else does.
    text = node.config.read_text()
    node.configure(text.replace("- {name: agg1, addresses: [203.0.113.1]}\n", ""))
    node.crier("reload")
    assert path_count(router, "203.0.113.0/24") == 1
    node.configure(text.replace("- {name: agg1, addresses: [203.0.113.1]}\n", "")
                   .replace("- {name: agg2, addresses: [203.0.113.2]}\n", ""))
    node.crier("reload")
    router.wait_no_route("203.0.113.0/24")
    assert path_count(router, "198.51.100.7/32") == 1
    assert all(p["flaps"] == 0 for p in node.get("peers"))

    node.kill()
    router.wait_no_route("198.51.100.7/32")
    router.wait_no_route("2001:db8:51::7/128")


@pytest.mark.parametrize("kind", ROUTERS)
def test_ibgp_carries_local_preference(lab, kind):
    router, node = make_pair(lab, kind, asn=64512)
    node.start()
    for prefix in ("198.51.100.7/32", "2001:db8:51::7/128"):
        router.wait_route(prefix)
        pref, communities, path, _ = attributes(kind, router, prefix)
        assert (pref, communities, path) in ((150, MARKED, []), (150, MARKED, ["Local"])), (pref, communities, path)
    router.wait_route("203.0.113.0/24")
    assert attributes(kind, router, "203.0.113.0/24")[0] == 0


@pytest.mark.parametrize("kind", ROUTERS)
def test_md5_right_and_wrong(lab, kind):
    line = ROUTERS[kind][2]["password"]
    router, node = make_pair(lab, kind, extra="password: s3cret", more=line.format("s3cret", "s3cret"))
    node.start()
    router.wait_route("198.51.100.7/32")
    router.wait_route("2001:db8:51::7/128")

    node.configure(node.config.read_text().replace("s3cret", "wr0ng"))
    node.crier("reload")
    router.wait_no_route("198.51.100.7/32", 30)
    wait_for(lambda: all(p["state"] != "established" for p in node.get("peers")), "no session with a wrong password")
    assert "s3cret" not in node.log.read_text() and "wr0ng" not in node.log.read_text()

    node.configure(node.config.read_text().replace("wr0ng", "s3cret"))
    node.crier("reload")
    router.wait_route("198.51.100.7/32", timeout=40)


@pytest.mark.parametrize("kind", ROUTERS)
def test_wrong_as_is_explained_on_both_sides(lab, kind):
    router, node = make_pair(lab, kind, asn=64513)
    node.configure(node.config.read_text().replace("peer-asn: 64513", "peer-asn: 64999"))
    node.start()

    def explained():
        peer = node.get("peers", "r4")[0]
        text = str(peer)
        return peer["state"] != "established" and "64999" in text and "64513" in text
    wait_for(explained, "the peer's error names both AS numbers")


@pytest.mark.parametrize("kind", ROUTERS)
def test_graceful_stop_withdraws_at_once(lab, kind):
    router, node = make_pair(lab, kind)
    node.start()
    router.wait_route("198.51.100.7/32")
    assert node.stop() == 0
    router.wait_no_route("198.51.100.7/32", 3)


@pytest.mark.parametrize("kind", ROUTERS)
def test_session_comes_back_after_the_router_restarts(lab, kind):
    router, node = make_pair(lab, kind)
    node.start()
    router.wait_route("198.51.100.7/32")
    for p in router.processes:
        p.kill()
        p.wait()
    wait_for(lambda: all(p["state"] != "established" for p in node.get("peers")), "the sessions are down")
    again = ROUTERS[kind][0].__new__(ROUTERS[kind][0])
    again.__dict__.update(router.__dict__)
    if kind == "frr":
        for left in router.vty.iterdir():
            left.unlink()
        router.vty.rmdir()
    if kind in ("bird", "openbgpd"):
        router.ctl.unlink(missing_ok=True)
    again.start(ROUTERS[kind][1].format(asn=64513, more=""))
    again.wait_route("198.51.100.7/32", timeout=30)
    again.wait_route("2001:db8:51::7/128", timeout=30)


EXTENDED = {
    "frr": lambda router, prefix: router.detail(prefix)["paths"][0]["extendedCommunity"]["string"].split(),
    "bird": lambda router, prefix: [c.strip("()").replace(", ", ":") for c in router.routes(6 if ":" in prefix else 4)
                                    [prefix][0]["BGP.ext_community"].replace(") (", ")|(").split("|")],
    "gobgp": lambda router, prefix: [f'{c["subtype"]}:{c["value"]}' for a in router.routes(6 if ":" in prefix else 4)[prefix][0]["attrs"]
                                     if a["type"] == 16 for c in a["value"]],
    "openbgpd": lambda router, prefix: router.routes(6 if ":" in prefix else 4)[prefix][0]["extended_communities"],
    "exabgp": lambda router, prefix: [c["string"] for c in router.routes(6 if ":" in prefix else 4)
                                      [prefix][0]["attribute"]["extended-community"]],
}
WANTED = {"frr": ["RT:64512:100", "SoO:192.0.2.1:7"], "bird": ["rt:64512:100", "ro:192.0.2.1:7"],
          "gobgp": ["2:64512:100", "3:192.0.2.1:7"], "openbgpd": ["rt 64512:100", "soo 192.0.2.1:7"],
          "exabgp": ["target:64512:100", "origin:7:192.0.2.1"]}


@pytest.mark.parametrize("kind", EXTENDED)
def test_extended_communities(lab, kind):
    """On an advertisement, on a network, and by hand."""
    router, node = make_pair(lab, kind)
    values = "extended-communities: ['rt:64512:100', 'ro:192.0.2.1:7']"
    text = node.config.read_text().replace("    localpref: 150\n", f"    localpref: 150\n    {values}\n")
    node.configure(f"{text}\nnetworks:\n- {{prefix: 192.0.2.0/25, {values}}}\n")
    node.start()
    node.crier("announce", "192.0.2.128/25", "--extended-community", "target:64512:100,soo:192.0.2.1:7")
    for prefix in ("198.51.100.7/32", "2001:db8:51::7/128", "192.0.2.0/25", "192.0.2.128/25"):
        router.wait_route(prefix)
        assert sorted(EXTENDED[kind](router, prefix)) == sorted(WANTED[kind]), prefix
    assert {"rt:64512:100", "ro:192.0.2.1:7"} <= set(node.get("routes", "198.51.100.7/32")[0]["communities"])
    assert "extended-communities rt:64512:100 ro:192.0.2.1:7" in node.crier("get", "peers", "r4", "messages").stdout
