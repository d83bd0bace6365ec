"""Requests in every form that tools and systems send, on links that come, go and change."""

import pathlib
import re
import socket
import struct

import pytest

from cluster import lan_nodes, start_all, wait_members, wait_owner
from crierlab import Node
from netlab import wait_for
from rawlan import EVERYBODY, RawArp, packed, unpacked

WEB, WEB6 = "10.50.0.200", "fd50::200"
CONF = f"""
    services:
    - {{name: web, protocol: layer2, addresses: [{WEB}], bind: none}}
    - {{name: web6, protocol: layer2, addresses: ["{WEB6}"], bind: none}}
    l2: {{fast-path: socket}}
"""


@pytest.fixture
def net(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], CONF, cluster=False)
    for address in (WEB, WEB6):
        wait_owner([node], address)
    return lan, client, node


def solicited(client, address, link="eth0"):
    """The Ethernet address that an advertisement names, or None."""
    done = client.run(f"ndisc6 -1 -q -r 3 -w 700 {address} {link}", check=False)
    return done.stdout.strip().lower() or None


def test_forms_of_requests(net):
    lan, client, node = net
    arp, mac = RawArp(client, "10.50.0.100"), node.mac()
    forms = {
        "Linux, and Windows that looks for somebody": {},
        "Linux that makes sure": {"to": packed(mac)},
        "Windows that makes sure": {"to": packed(mac), "target_mac": packed(mac)},
        "Windows that looks whether an address is free": {"sender": "0.0.0.0"},
        "busybox arping": {"target_mac": EVERYBODY},
        "busybox arping, once it was answered": {"to": packed(mac), "target_mac": EVERYBODY},
        "a card that pads": {"padding": 18},
        "somebody of another network": {"sender": "192.0.2.7"},
    }
    for who, form in forms.items():
        assert arp.ask(WEB, **form) == mac, who
    assert arp.ask(WEB, patience=0.3, to=packed("02:00:00:00:00:77")) is None, "for another machine"
    assert arp.ask("10.50.0.219", patience=0.3) is None, "for an address of nobody"


@pytest.mark.parametrize("tool", ["arping -f -c 5 -w 6 -I eth0 {}", "busybox arping -f -c 5 -w 6 -I eth0 {}",
                                  "busybox arping -D -f -c 5 -w 6 -I eth0 {}", "arp-scan -q -I eth0 {}"])
def test_tools(net, tool):
    lan, client, node = net
    done = client.run(tool.format(WEB), check=False)
    assert done.returncode == (1 if " -D " in tool else 0), done.stdout + done.stderr
    assert node.mac() in done.stdout.lower()


def test_solicitations(net):
    lan, client, node = net
    assert solicited(client, WEB6) == node.mac()
    client.run(f"ip -6 neigh add {WEB6} lladdr {node.mac()} dev eth0 nud stale")  # the kernel makes sure by unicast
    client.run(f"ping -c 1 -W 1 {WEB6}", check=False)
    wait_for(lambda: "REACHABLE" in client.run(f"ip -6 neigh show {WEB6}").stdout, "the kernel is content", 20)


def test_the_interface_gets_another_ethernet_address(net):
    lan, client, node = net
    before, after = node.mac(), "02:00:00:00:0a:0a"
    wait_for(lambda: client.run(f"ping -c 1 -W 1 {WEB}", check=False) and client.neighbour(WEB) == before, "the client knows it")
    node.run(f"ip link set eth0 address {after}")
    wait_for(lambda: client.neighbour(WEB) == after, "the client's kernel is told")
    assert RawArp(client, "10.50.0.100").ask(WEB) == after
    wait_for(lambda: solicited(client, WEB6) == after, "of IPv6 too")


def test_the_interface_goes_and_comes_again(lab, net):
    lan, client, node = net
    arp = RawArp(client, "10.50.0.100")
    node.run("ip link del eth0")
    assert arp.ask(WEB, patience=0.3) is None
    lab.plug(node, lan, "eth0", "10.50.0.11/24", "fd50::11/64")
    assert wait_for(lambda: arp.ask(WEB, patience=0.3), "an answer") == node.mac()
    wait_for(lambda: solicited(client, WEB6) == node.mac(), "of IPv6 too")


def test_an_interface_that_appears_later(lab, net):
    lan, client, node = net
    other = lab.switch("other")
    stranger = lab.host("stranger", other, "10.50.0.101/24", "fd50::101/64")
    lab.plug(node, other, "late0", "10.50.0.12/24")
    assert wait_for(lambda: RawArp(stranger, "10.50.0.101").ask(WEB, patience=0.3), "an answer") == node.mac("late0")
    wait_for(lambda: solicited(stranger, WEB6) == node.mac("late0"), "of IPv6 too")


def test_a_link_without_any_address(lab):
    lan = lab.switch("lan")
    client = lab.host("client", lan, "10.50.0.100/24", "fd50::100/64")
    node = lab.host("a", lan, cls=Node)
    node.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)
    assert not node.run("ip -o addr show dev eth0").stdout
    node.configure(CONF)
    node.start()
    wait_owner([node], WEB)
    assert RawArp(client, "10.50.0.100").ask(WEB) == node.mac()
    wait_for(lambda: solicited(client, WEB6) == node.mac(), "an advertisement")


def tagged(frame, vlan):
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


def test_requests_of_other_vlans(net):
    """Whoever asks inside a VLAN that has no interface here hears nothing; a tag that names none is no VLAN."""
    lan, client, node = net
    arp, seen = RawArp(client, "10.50.0.100"), []
    wait_for(lambda: arp.ask(WEB, patience=0.3), "it answers")
    request = arp.request(WEB)
    list(arp.frames())
    for n, frame in enumerate((request, tagged(request, 0), request), 1):
        arp.socket.send(tagged(request, 5))  # what comes later is answered later
        arp.socket.send(frame)
        wait_for(lambda n=n: seen.extend(arp.replies(WEB)) or len(seen) >= n, "an answer to the other")
    assert seen == 3 * [node.mac()]


def test_two_clusters_on_one_lan(lab):
    lan, client, nodes = lan_nodes(lab, "abcd")
    for i, n in enumerate(nodes):
        pair, web = nodes[i // 2 * 2:i // 2 * 2 + 2], f"10.50.0.20{i // 2}"
        join = ", ".join(f"10.50.0.{11 + nodes.index(m)}" for m in pair)
        n.configure(f"cluster: {{join: [{join}]}}\n"
                    f"services:\n- {{name: web, protocol: layer2, addresses: [{web}], bind: none}}\n")
        n.start()
    arp = RawArp(client, "10.50.0.100")
    for pair, others, web in ((nodes[:2], nodes[2:], "10.50.0.200"), (nodes[2:], nodes[:2], "10.50.0.201")):
        wait_members(pair)
        wait_for(lambda p=pair, w=web: arp.ask(w, patience=0.3) == wait_owner(p, w).mac(), "the owner answers")
        strangers = [n.mac() for n in others]
        assert not any(e["mac"] in strangers for n in pair for e in n.events("addressConflict"))


def announced(arp, mac):
    """The addresses that gratuitous announcements from @mac were about, in order."""
    me = packed(mac)
    return [f[28:32] for f in arp.frames() if f[:12] == EVERYBODY + me and f[28:32] == f[38:42]]


def test_ten_thousand_addresses_move_at_once(lab):
    lan, client, nodes = lan_nodes(lab, "ab")
    many = [socket.inet_ntoa(struct.pack("!I", (10 << 24 | 60 << 16) + i)) for i in range(1, 10001)]
    start_all(nodes, "services:\n- {name: web, protocol: layer2, bind: none, addresses: [" + ", ".join(many) + "]}\n")
    owner = wait_owner(nodes, many[0], 60)
    heir = next(n for n in nodes if n is not owner)
    wait_for(lambda: owner.owns(many[-1]), "it has all of them", 60, 0.5)
    arp = RawArp(client, "10.50.0.100")
    arp.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE: none of them is to be lost
    owner.kill()
    seen = []
    wait_for(lambda: seen.extend(announced(arp, heir.mac())) or len(set(seen)) == len(many), "all are announced", 60)
    assert len(set(seen[:len(many)])) == len(many), "each has its first copy before any has a second one"
    for address in (many[0], many[4999], many[-1]):
        assert arp.ask(address) == heir.mac()


def test_one_answer_where_links_share_a_network(lab, net):
    """A macvlan hears what the link below it hears, but for its siblings, which it alone hears; a macvtap is somebody else's card."""
    lan, client, node = net
    anywhere, named = "10.50.0.201", "10.50.0.202"
    inside = lab.host("inside")
    for link, kind in (("beside0", "macvlan"), ("machine0", "macvtap"), ("inside0", "macvlan")):
        node.run(f"ip link add link eth0 name {link} type {kind} mode bridge")
    node.run(f"ip link set inside0 netns {inside.ns} name eth0")
    for host, link in ((node, "beside0"), (node, "machine0"), (inside, "eth0")):
        host.run(f"ip link set {link} up")
    arp, sibling = RawArp(client, "10.50.0.100"), RawArp(inside, "10.50.0.103")
    below, beside = node.mac(), node.mac("beside0")
    node.configure(f"""
    address-pools:
    - {{name: lan, protocol: none, addresses: [{named}/32]}}
    l2-advertisements:
    - {{name: beside, address-pools: [lan], interfaces: [beside0]}}
    services:
    - {{name: anywhere, protocol: layer2, addresses: [{anywhere}], bind: none}}
    - {{name: named, addresses: [{named}], bind: none}}
    """)
    node.crier("reload")
    for address in (anywhere, named):
        wait_owner([node], address)

    said = {anywhere: [], named: []}

    def announced():
        for f in arp.frames():
            said.get(socket.inet_ntoa(f[28:32]), []).append(unpacked(f[6:12]))
        return len(said[anywhere]) >= 8 and len(said[named]) >= 4
    wait_for(announced, "both are announced twice")
    assert said[anywhere][:8] == [beside, below] * 4, "the link that answers has the last word"
    assert set(said[named]) == {beside}

    def left_to_the_link_below():
        return node.metric('crier_l2_frames_total{outcome="twin"}')
    for asks, address, answer, both in ((arp, anywhere, below, 3), (arp, named, beside, 0), (sibling, anywhere, beside, 0)):
        before = left_to_the_link_below()
        list(asks.frames())
        for _ in range(3):
            asks.socket.send(asks.request(address))
        replies = []
        wait_for(lambda: replies.extend(asks.replies(address)) or len(replies) >= 3, f"{address} is answered")
        wait_for(lambda: left_to_the_link_below() == before + both, "who heard it, too, is silent")
        assert replies + asks.replies(address) == [answer] * 3


def test_owner_without_a_link_says_so(net):
    lan, client, node = net
    lan.run("ip link set p-a down")
    problems = wait_for(lambda: [p["text"] for p in node.status()["problems"] if "carrier" in p["text"]], "it is told")
    assert f"nobody hears of {WEB} and 1 more" in problems[0]
    said = node.crier("explain", WEB, check=False).stdout
    assert "nobody hears it" in said.splitlines()[0] and "no link that it is announced on is up" in said
    assert node.wait_event("unheard")["addresses"] == f"{WEB} and 1 more"
    lan.run("ip link set p-a up")
    wait_for(lambda: not node.status()["problems"], "no problem any more")
    node.wait_event("heardAgain")


def test_a_kernel_that_wants_the_address_finds_it_taken(net):
    lan, client, node = net
    client.sysctl("net.ipv6.conf.eth0.accept_dad", 1)
    client.run(f"ip addr add {WEB6}/64 dev eth0")
    wait_for(lambda: "dadfailed" in client.run("ip -6 addr show dev eth0").stdout, "its probe is answered")
    assert node.owns(WEB6)


def without_maps(node):
    """The daemon may load nothing into the kernel."""
    wrapper = node.dir / "without-bpf"
    wrapper.write_text(f'#!/bin/sh\nexec setpriv --bounding-set -bpf,-perfmon,-sys_admin "{node.binary}" "$@"\n')
    wrapper.chmod(0o755)
    node.binary = str(wrapper)


def wakeups(node):
    """How often its packet thread has slept."""
    for status in pathlib.Path(f"/proc/{node.pid()}/task").glob("*/status"):
        text = status.read_text()
        if "crier-packet" in text.splitlines()[0]:
            return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M)[1])
    raise AssertionError("there is no packet thread")


@pytest.mark.parametrize("filters", ["map", "classic"])
def test_what_concerns_others_wakes_nobody(lab, filters):
    lan, client, (node,) = lan_nodes(lab, "a")
    thief = lab.host("thief", lan, f"{WEB6}/64")
    if filters == "classic":
        without_maps(node)
    start_all([node], CONF.replace("socket", "socket, refresh: 0s"), cluster=False)
    if node.status()["layer2"]["filter"] != filters:
        pytest.skip(node.status()["layer2"]["reason"])
    arp = RawArp(client, "10.50.0.100")
    wait_for(lambda: int(node.get("l2", WEB)[0]["gratuitous"]) >= 10, "it has said all that it has to say")
    assert arp.ask(WEB) == node.mac()
    before = wakeups(node)
    for i in range(1000):
        arp.socket.send(arp.request(f"10.50.{1 + i % 9}.{i % 250}", sender=f"10.50.20.{i % 250}"))
    assert arp.ask(WEB) == node.mac(), "what came before has been looked at"
    assert wakeups(node) - before <= 3
    thief.run("ping -c 1 -W 1 fd50::100", check=False)  # its kernel asks, with our address for its own
    assert node.wait_event("addressConflict")["mac"] == thief.mac()
