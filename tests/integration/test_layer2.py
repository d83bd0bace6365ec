"""Layer 2, with the kernel's own ARP and NDP as clients."""

import hashlib
import re

import pytest

from cluster import lan_nodes, running, start_all, wait_members, wait_owner
from netlab import Pinger, wait_for

SERVICES = """
    address-pools:
    - name: lan
      protocol: layer2
      addresses: [10.50.0.200-10.50.0.220, "fd50::200-fd50::220"]
    services:
    - name: web
      addresses: [10.50.0.200]
    - name: web6
      addresses: ["fd50::200"]
    - name: idle
      addresses: [10.50.0.210]
      bind: none
"""


def ranked(names, address):
    """MetalLB's order: SHA-256 of name, '#', address."""
    return sorted(names, key=lambda n: hashlib.sha256(f"{n}#{address}".encode()).digest())


@pytest.mark.parametrize("address", ["10.50.0.200", "fd50::200"])
def test_one_node_answers_and_the_client_reaches_it(lab, address):
    lan, client, nodes = lan_nodes(lab)
    start_all(nodes, SERVICES)
    owner = wait_owner(nodes, address)
    assert owner.name == ranked("abc", address)[0]
    wait_for(lambda: owner.has_address(address), "the address is on the owner's link")
    client.run(f"ping -c 3 -i 0.05 -W 2 {address}")
    assert client.neighbour(address) == owner.mac()
    wait_for(lambda: all(n.has_address(address) == (n is owner) for n in nodes), "on the owner's link and no other")


def test_every_answer_comes_from_the_owner(lab, capture):
    lan, client, nodes = lan_nodes(lab)
    start_all(nodes, SERVICES)
    owner = wait_owner(nodes, "10.50.0.210")
    seen = capture(client)
    asked = client.run("arping -c 5 -w 6 -I eth0 10.50.0.210", check=False).stdout
    macs = set(m.lower() for m in re.findall(r"\[([0-9A-Fa-f:]+)\]", asked))
    assert macs == {owner.mac()}, asked
    senders = {row[0] for row in seen.stop().fields(
        "arp.opcode == 2 && arp.src.proto_ipv4 == 10.50.0.210", "eth.src")}
    assert senders == {owner.mac()}


def test_unowned_addresses_stay_silent(lab):
    lan, client, nodes = lan_nodes(lab)
    start_all(nodes, SERVICES)
    wait_owner(nodes, "10.50.0.200")
    assert client.run("arping -c 2 -w 3 -I eth0 10.50.0.219", check=False).returncode != 0


def test_gratuitous_announcements_have_both_forms(lab, capture):
    """On taking an address: ARP as request and as reply, an unsolicited neighbour advertisement with override."""
    lan, client, nodes = lan_nodes(lab, "ab")
    start_all(nodes, SERVICES)
    owners = {a: wait_owner(nodes, a) for a in ("10.50.0.200", "fd50::200")}
    seen = capture(client)
    for victim in nodes:
        victim.kill()
        heir = next(n for n in nodes if n is not victim)
        wait_owner([heir], "10.50.0.200")
        wait_owner([heir], "fd50::200")
        if victim in owners.values():
            break
        victim.start()
        wait_members(nodes)

    def forms():
        rows = seen.fields("arp.isgratuitous == 1 && arp.src.proto_ipv4 == 10.50.0.200 && eth.dst == ff:ff:ff:ff:ff:ff",
                           "arp.opcode", "eth.src", "arp.src.hw_mac")
        return {r[0] for r in rows if r[1] == r[2] == heir.mac()} == {"1", "2"}
    if owners["10.50.0.200"] is victim:
        wait_for(forms, "a gratuitous request and a gratuitous reply from the new owner", 10, 0.3)
    if owners["fd50::200"] is victim:
        found = "icmpv6.type == 136 && ipv6.dst == ff02::1 && icmpv6.nd.na.target_address == fd50::200"
        rows = wait_for(lambda: seen.fields(found, "icmpv6.nd.na.flag.o", "icmpv6.nd.na.flag.s", "ipv6.hlim"),
                        "an unsolicited advertisement", 10, 0.3)
        assert all(r == ("1", "0", "255") for r in rows), rows


def test_address_survives_kill_of_its_owner(lab):
    lan, client, nodes = lan_nodes(lab)
    start_all(nodes, SERVICES)
    owner = wait_owner(nodes, "10.50.0.200")
    ping = Pinger(client, "10.50.0.200")
    ping.wait_replies(100)
    owner.kill()
    heir = wait_owner(nodes, "10.50.0.200")
    assert heir is not owner
    ping.wait_replies(200)
    result = ping.stop()
    print(f"kill -9 of the owner, client's view: {result}")
    assert client.neighbour("10.50.0.200") == heir.mac()
    assert not owner.has_address("10.50.0.200"), "a dead daemon's address still answers"


def test_owner_that_comes_back_takes_the_address_again(lab):
    lan, client, nodes = lan_nodes(lab)
    start_all(nodes, SERVICES)
    owner = wait_owner(nodes, "10.50.0.200")
    owner.kill()
    heir = wait_owner(nodes, "10.50.0.200")
    owner.start()
    wait_for(lambda: wait_owner(nodes, "10.50.0.200") is owner, "the better node has it again")
    wait_for(lambda: not heir.has_address("10.50.0.200"), "the other one let go")
    client.run("ping -c 3 -i 0.05 -W 2 10.50.0.200")


def test_graceful_stop_hands_over_quickly(lab):
    lan, client, nodes = lan_nodes(lab)
    start_all(nodes, SERVICES)
    owner = wait_owner(nodes, "10.50.0.200")
    ping = Pinger(client, "10.50.0.200")
    ping.wait_replies(100)
    assert owner.stop() == 0
    wait_owner(running(nodes), "10.50.0.200")
    ping.wait_replies(200)
    result = ping.stop()
    print(f"SIGTERM of the owner, client's view: {result}")
    assert result.outage_ms < 3000
    assert not owner.has_address("10.50.0.200")


def test_interface_choice_and_exclusion(lab):
    """A second LAN that the configuration excludes hears nothing."""
    lan, client, nodes = lan_nodes(lab, "a")
    other = lab.switch("other")
    lab.plug(nodes[0], other, "spare0", "10.50.0.77/24")
    stranger = lab.host("stranger", other, "10.50.0.101/24")
    start_all(nodes, SERVICES + """
    l2: {exclude-interfaces: ["^spare"]}
    """, cluster=False)
    wait_owner(nodes, "10.50.0.210")
    assert client.run("arping -c 2 -w 3 -I eth0 10.50.0.210", check=False).returncode == 0
    assert stranger.run("arping -c 2 -w 3 -I eth0 10.50.0.210", check=False).returncode != 0


def test_partition_heals_to_one_owner(lab):
    lan, client, nodes = lan_nodes(lab)
    start_all(nodes, SERVICES)
    first = wait_owner(nodes, "10.50.0.200")
    lan.run(f"ip link set p-{first.name} down")
    rest = [n for n in nodes if n is not first]
    wait_owner(rest, "10.50.0.200")
    lan.run(f"ip link set p-{first.name} up")
    wait_members(nodes, 90)
    wait_for(lambda: wait_owner(nodes, "10.50.0.200") is first, "the first in rank has it, when its link counts again")
    client.run("ping -c 3 -i 0.05 -W 2 10.50.0.200")
