"""Other machines that claim our addresses, by ARP and by NDP."""

import json
import re
import socket
import struct

import pytest

from cluster import lan_nodes, start_all, wait_members, wait_owner
from netlab import wait_for

ARP, IPV6, ICMPV6, ADVERTISEMENT, OVERRIDE = 0x0806, 0x86dd, 58, 136, 0x20
WEB, WEB6 = "10.50.0.200", "fd50::200"

# The kernels are to stay out of it: nobody but crier and the thief speaks of these addresses.
SERVICES = f"""
    address-pools:
    - {{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220, "fd50::200-fd50::220"]}}
    services:
    - {{name: web, addresses: [{WEB}], bind: none}}
    - {{name: web6, addresses: ["{WEB6}"], bind: none}}
"""


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def claim(mac, address):
    """A frame to everybody that says that @address is at @mac."""
    hw = bytes.fromhex(mac.replace(":", ""))
    if ":" not in address:
        ip = socket.inet_aton(address)
        return (b"\xff" * 6 + hw + struct.pack("!HHHBBH", ARP, 1, 0x0800, 6, 4, 2) + hw + ip + b"\xff" * 6 + ip)
    ip, everybody = (socket.inet_pton(socket.AF_INET6, a) for a in (address, "ff02::1"))

    def body(check):
        return struct.pack("!BBHB3x", ADVERTISEMENT, 0, check, OVERRIDE) + ip + b"\x02\x01" + hw
    pseudo = ip + everybody + struct.pack("!II", len(body(0)), ICMPV6)
    head = struct.pack("!IHBB", 6 << 28, len(body(0)), ICMPV6, 255) + ip + everybody
    return b"\x33\x33\x00\x00\x00\x01" + hw + struct.pack("!H", IPV6) + head + body(checksum(pseudo + body(0)))


def steal(thief, address):
    """The thief announces the address, once."""
    program = ("import socket, sys; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0)); "
               "s.send(bytes.fromhex(sys.argv[1]))")
    thief.run(["python3", "-c", program, claim(thief.mac(), address).hex()])


def conflicts(node, address):
    return [e for e in node.events("addressConflict") if e["ip"] == address]


def explained(node, address):
    return json.loads(node.crier("explain", address, "-o", "json", check=False).stdout)


def taken(node, address):
    return [e for e in node.events("addressTaken") if e["ip"] == address]


@pytest.mark.parametrize("address", [WEB, WEB6])
def test_a_thief_is_answered_at_once_and_reported(lab, address):
    lan, client, (node,) = lan_nodes(lab, "a")
    thief = lab.host("thief", lan)
    start_all([node], SERVICES, cluster=False)
    wait_owner([node], address)
    wait_for(lambda: int(node.get("l2", address)[0]["gratuitous"]) >= 5, "it has been announced", 15)
    client.run(f"ping -c 1 -W 1 {address}", check=False)
    wait_for(lambda: client.neighbour(address) == node.mac(), "the client knows the owner")
    steal(thief, address)
    event = wait_for(lambda: conflicts(node, address), "the conflict is an event")[0]
    assert (event["mac"], event["ourMac"], event["outcome"]) == (thief.mac(), node.mac(), "kept")
    wait_for(lambda: client.neighbour(address) == node.mac(), "the client has been put right")
    assert node.owns(address)
    item = node.get("l2", address)[0]
    assert item["conflict-mac"] == thief.mac() and item["conflicts"] >= 1
    assert any(thief.mac() in p["text"] for p in node.status()["problems"])
    said = {c["name"]: c for c in explained(node, address)["conditions"]}
    assert said["claimed-by-another"]["ok"] is False and thief.mac() in said["claimed-by-another"]["reason"]


def test_a_node_that_yields_falls_silent_until_the_thief_is_gone(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    thief = lab.host("thief", lan)
    start_all([node], SERVICES + "    l2: {on-conflict: yield}\n", cluster=False)
    wait_owner([node], WEB)
    steal(thief, WEB)
    wait_for(lambda: node.get("l2", WEB)[0]["state"] == "yielded", "it yields")
    assert client.run(f"arping -c 1 -w 2 -I eth0 {WEB}", check=False).returncode != 0


def test_an_address_in_use_is_not_claimed_by_a_node_that_asks(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    thief = lab.host("thief", lan, f"{WEB}/24", f"{WEB6}/64")
    start_all([node], SERVICES + "    l2: {probe: true}\n", cluster=False)
    for address in (WEB, WEB6):
        wait_for(lambda a=address: node.get("l2", a)[0]["state"] == "yielded", f"{address} is left to its holder")
    asked = client.run(f"arping -c 2 -w 3 -I eth0 {WEB}").stdout
    assert set(m.lower() for m in re.findall(r"\[([0-9A-Fa-f:]+)\]", asked)) == {thief.mac()}


def test_two_parts_that_meet_again_end_with_the_better_node(lab):
    """A claim of the better node is enough: the other one gives way before gossip has healed."""
    lan, client, nodes = lan_nodes(lab, "ab")
    start_all(nodes, SERVICES)
    better = wait_owner(nodes, WEB)
    other = next(n for n in nodes if n is not better)
    for n in nodes:  # gossip alone is cut
        n.run("nft add table inet cut")
        n.run("nft add chain inet cut in { type filter hook input priority 0 ; }")
        n.run("nft add rule inet cut in meta l4proto { tcp, udp } drop")
    wait_for(lambda: taken(other, WEB), "the other one takes over too", 40)
    # The better one defends once in 10 s; a defence before gossip is sure counts for a repetition of one who is dead.
    wait_for(lambda: not other.owns(WEB), "and hears that the better one is there", 25)
    assert better.owns(WEB)
    assert conflicts(other, WEB)
    for n in nodes:
        n.run("nft delete table inet cut")
    wait_members(nodes, 60)
    assert wait_owner(nodes, WEB) is better
