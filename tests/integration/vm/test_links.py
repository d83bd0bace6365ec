"""Links that need modules of the kernel: VLANs, bonds, VRFs, dummies, and a network that delays and loses."""

import json
import re

import pytest

from cluster import document, lan_nodes, wait_members, wait_owner
from crierlab import Bird, Node
from netlab import wait_for

PATHS = ["socket", "xdp"]


def answers(client, link, address):
    """The Ethernet addresses that one ARP request on a link was answered with, in turn."""
    done = client.run(f"busybox arping -c 1 -w 2 -I {link} {address}", check=False)
    return re.findall(r"reply from \S+ \[([0-9a-f:]+)\]", done.stdout)


def tag(host, number, *addresses):
    host.run(f"ip link add link eth0 name eth0.{number} type vlan id {number}")
    host.run(f"ip link set eth0.{number} up")
    host.address(f"eth0.{number}", *addresses)


# --- VLANs ---

VLAN = """
l2: {{fast-path: {path}}}
address-pools:
- {{name: plain, protocol: none, addresses: [10.70.0.7/32, "fd70::7/128"]}}
- {{name: tagged, protocol: none, addresses: [10.70.100.7/32, "fd70:100::7/128"]}}
l2-advertisements:
- {{name: plain, address-pools: [plain], interfaces: [eth0]}}
- {{name: tagged, address-pools: [tagged], interfaces: [eth0.100]}}
services:
- {{name: plain, addresses: [10.70.0.7, "fd70::7"], bind: none}}
- {{name: tagged, addresses: [10.70.100.7, "fd70:100::7"], bind: none}}
"""


def advertised_by(client, link, address):
    return client.run(f"ndisc6 -1 -q -r 2 -w 1500 {address} {link}", check=False).stdout.lower().split()


@pytest.mark.parametrize("path", PATHS)
def test_a_vlan_and_its_parent_are_two_links(lab, path):
    """A tagged request is its VLAN's alone, whether the tag is in the frame or taken off by the card."""
    lan = lab.switch("lan")
    node = lab.host("a", lan, "10.70.0.11/24", "fd70::11/64", cls=Node)
    client = lab.host("c", lan, "10.70.0.50/24", "fd70::50/64")
    for i, host in enumerate((node, client), 11):
        tag(host, 100, f"10.70.100.{i}/24", f"fd70:100::{i}/64")
    node.configure(VLAN.format(path=path))
    node.start()
    wait_for(lambda: len([i for i in node.get("l2") if i["state"] == "owner"]) == 4, "all are owned")
    links = {("10.70.0.7", "fd70::7"): "eth0", ("10.70.100.7", "fd70:100::7"): "eth0.100"}
    for (four, six), own in links.items():
        for link in ("eth0", "eth0.100"):
            expected = [node.mac(own)] if link == own else []
            assert answers(client, link, four) == expected, (four, link)
            assert advertised_by(client, link, six) == expected, (six, link)
    node.run("ip link del eth0.100")
    assert answers(client, "eth0.100", "10.70.100.7") == []
    tag(node, 100, "10.70.100.11/24")
    wait_for(lambda: answers(client, "eth0.100", "10.70.100.7") == [node.mac("eth0.100")], "it is back")


# --- bonds ---

BOND = """
address-pools: [{name: lan, protocol: layer2, addresses: [10.71.0.7/32]}]
services: [{name: web, addresses: [10.71.0.7], bind: none}]
"""


def test_a_bond_answers_as_one_link(lab):
    lan = lab.switch("lan")
    node, client = lab.host("a", cls=Node), lab.host("c", lan, "10.71.0.50/24")
    for i in (0, 1):
        node.run(f"ip link add eth{i} type veth peer name p-a{i} netns {lan.ns}")
        lan.run(f"ip link set p-a{i} master br0 up")
    node.run("ip link add bond0 type bond mode active-backup miimon 20")
    for i in (0, 1):
        node.run(f"ip link set eth{i} down master bond0")
    node.run("ip link set bond0 up")
    node.address("bond0", "10.71.0.11/24")
    node.configure(BOND)
    node.start()
    wait_for(lambda: node.owns("10.71.0.7"), "it is owned")
    assert answers(client, "eth0", "10.71.0.7") == [node.mac("bond0")], "its members keep silent"
    active = node.run("cat /sys/class/net/bond0/bonding/active_slave").stdout.strip()
    lan.run(f"ip link set p-a{active[-1]} down")
    wait_for(lambda: answers(client, "eth0", "10.71.0.7") == [node.mac("bond0")], "the other cable carries it")


# --- VRFs ---

TOR = """
router id 10.80.0.1;
protocol device {{}}
protocol bfd {{ interface "eth0" {{ interval 200 ms; multiplier 5; }}; }}
protocol bgp tor {{ local 10.80.0.1 as {asn}; neighbor 10.80.0.11 as 64512; {passive} bfd on; connect retry time 1;
  error wait time 1, 2; ipv4 {{ import all; export none; }}; }}
"""
VRF = """
bgp: {{router-id: 10.80.0.11, listen: {listen}}}
bfd-profiles: [{{name: slow, transmit-interval: 200, receive-interval: 200, detect-multiplier: 5}}]
peers:
- {{name: red, peer-address: 10.80.0.1, peer-asn: 64601, my-asn: 64512, vrf: red, bfd-profile: slow, passive: {passive}}}
- {{name: blue, peer-address: 10.80.0.1, peer-asn: 64602, my-asn: 64512, vrf: blue, bfd-profile: slow, passive: {passive}}}
address-pools: [{{name: public, protocol: bgp, addresses: [198.51.100.0/24]}}]
services: [{{name: web, addresses: [198.51.100.7], bind: none}}]
"""


@pytest.mark.parametrize("listens", [False, True])
def test_the_same_network_in_two_vrfs(lab, listens):
    """Two routers with one address, in a VRF each: two sessions, two BFD sessions, and one may die alone."""
    node, routers = lab.host("a", cls=Node), {}
    for i, vrf in enumerate(("red", "blue"), 1):
        node.run(f"ip link add {vrf} type vrf table {i}")
        node.run(f"ip link set {vrf} up")
        lan = lab.switch(f"lan-{vrf}")
        lab.plug(node, lan, f"eth{i}")
        node.run(f"ip link set eth{i} master {vrf}")
        node.address(f"eth{i}", "10.80.0.11/24")
        routers[vrf] = lab.host(f"r-{vrf}", lan, "10.80.0.1/24", cls=Bird)
        routers[vrf].start(TOR.format(asn=64600 + i, passive="" if listens else "passive on;"))
    node.configure(VRF.format(listen='"0.0.0.0:179"' if listens else "none", passive=str(listens).lower()))
    node.start()
    for router in routers.values():
        router.wait_route("198.51.100.7/32", timeout=40)

    def bfd():
        return {b["name"]: b["state"] for b in node.get("bfd")}
    wait_for(lambda: bfd() == {"red": "up", "blue": "up"}, "BFD is up in both")
    routers["red"].run("ip link set eth0 down")
    wait_for(lambda: bfd() == {"red": "down", "blue": "up"}, "red is down, blue is not")
    assert [p["state"] == "established" for p in sorted(node.get("peers"), key=lambda p: p["name"])] == [True, False]
    routers["red"].run("ip link set eth0 up")
    routers["red"].wait_route("198.51.100.7/32", timeout=60)


def test_a_vrf_that_is_missing_and_comes(lab):
    lan = lab.switch("lan")
    node, router = lab.host("a", lan, cls=Node), lab.host("r", lan, "10.80.0.1/24", cls=Bird)
    router.start(TOR.format(asn=64601, passive="passive on;"))
    node.configure(VRF.format(listen="none", passive="false").replace("vrf: blue", "vrf: red, peer-port: 1790"))
    node.start()
    wait_for(lambda: "red" in json.dumps(node.status()["problems"]), "status names the VRF that is missing")
    node.run("ip link add red type vrf table 1")
    node.run("ip link set red up")
    node.run("ip link set eth0 master red")
    node.address("eth0", "10.80.0.11/24")
    router.wait_route("198.51.100.7/32", timeout=60)


# --- a dummy, to put addresses on ---

def test_an_address_on_a_dummy_is_announced_by_bgp_alone(lab):
    lan = lab.switch("lan")
    node, router = lab.host("a", lan, "10.80.0.11/24", cls=Node), lab.host("r", lan, "10.80.0.1/24", cls=Bird)
    node.run("ip link add dummy0 type dummy")
    node.run("ip link set dummy0 up")
    router.start(TOR.format(asn=64601, passive="passive on;"))
    node.configure("""
        peers: [{name: tor, peer-address: 10.80.0.1, peer-asn: 64601, my-asn: 64512}]
        address-pools: [{name: public, protocol: bgp, addresses: [198.51.100.0/24]}]
        services: [{name: web, addresses: [198.51.100.7], bind: dummy0}]
        """)
    node.start()
    router.wait_route("198.51.100.7/32", timeout=40)
    assert "198.51.100.7" in node.run("ip -4 addr show dummy0").stdout
    node.stop()
    assert "198.51.100.7" not in node.run("ip -4 addr").stdout


# --- a network that is not quick, nor sure ---

def test_delay_and_loss_move_nothing(lab):
    """Heartbeats of 50 ms × 3 come 20 to 40 ms late and one of a hundred is lost: nobody is found dead."""
    lan, client, nodes = lan_nodes(lab, "abc")
    for n in nodes:
        lan.run(f"tc qdisc add dev p-{n.name} root netem delay 30ms 10ms loss 1%")
        n.configure(document(nodes, """
address-pools: [{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}]
services: [{name: web, addresses: [10.50.0.200]}]
"""))
    for n in nodes:
        n.start()
    wait_members(nodes)

    def heard():
        return [m["mesh"]["heartbeats"] for n in nodes for m in n.get("members") if not m["self"]]
    wait_for(lambda: heard() == ["Up"] * 6, "heartbeats between all")
    owner = wait_owner(nodes, "10.50.0.200")

    def downs():
        return sum(len(n.events("heartbeatDown")) for n in nodes)
    before = downs()  # while a session begins, what overtakes may end it once more
    client.run("sleep 20")
    assert heard() == ["Up"] * 6
    assert owner.owns("10.50.0.200")
    assert downs() == before
