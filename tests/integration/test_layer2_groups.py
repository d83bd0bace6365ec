"""More IPv6 addresses than the kernel should hold multicast groups for, behind a switch that looks inside (MLD snooping)."""

import json
import socket

import pytest

from cluster import lan_nodes, start_all, wait_owner
from netlab import inside, wait_for

KERNEL = 256  # the most that crier has the kernel hold on a link
MANY, FEW, THOUSANDS = 600, 100, 4000
TO_INCLUDE = "3"


def addresses(n):
    return [f"fd50::1:{i:x}" for i in range(1, n + 1)]


def group(address):
    """ff02::1:ffXX:XXXX as the kernel and the analyser write it."""
    last = socket.inet_pton(socket.AF_INET6, address)[13:]
    packed = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:0")[:13] + last
    return socket.inet_ntop(socket.AF_INET6, packed)


def conf(n):
    many = ", ".join(f'"{a}"' for a in addresses(n))
    return f"services:\n- {{name: web, protocol: layer2, bind: none, addresses: [{many}]}}\nl2: {{fast-path: socket}}\n"


def snooping_switch(lan, version):
    """Asks every other second, and wants an answer within one."""
    lan.run(f"ip link set br0 type bridge mcast_snooping 1 mcast_querier 1 mcast_mld_version {version} mcast_query_interval 200 "
            "mcast_query_response_interval 100 mcast_startup_query_interval 50")


def known(lan, port):
    """The groups that the switch knows at a port."""
    shown = json.loads(lan.run("bridge -j mdb show dev br0").stdout or "[]")
    return {entry["grp"] for part in shown for entry in part.get("mdb", []) if entry["port"] == port}


def in_kernel(node, link="eth0"):
    lines = node.run("cat /proc/net/igmp6").stdout.splitlines()
    return sum(1 for line in lines if line.split()[1] == link and line.split()[2].startswith("ff0200000000000000000001ff"))


def resolved(client, wanted, mac):
    """The client's kernel asks for all of them, by multicast. Not for too many: all namespaces share one table of neighbours."""
    with inside(client.ns, lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as s:
        for address in wanted:
            s.sendto(b"x", (address, 9))
    shown = json.loads(client.run("ip -j -6 neigh show dev eth0").stdout)
    return {n["dst"] for n in shown if n.get("lladdr") == mac} >= set(wanted)


@pytest.fixture
def net(lab, request):
    lan, client, (node,) = lan_nodes(lab, "a")
    snooping_switch(lan, getattr(request, "param", 2))
    start_all([node], conf(MANY), cluster=False)
    wait_owner([node], addresses(MANY)[-1])
    return lan, client, node, {group(a) for a in addresses(MANY)}


@pytest.mark.parametrize("net", [2, 1], ids=["MLDv2", "MLDv1"], indirect=True)
def test_switch_knows_groups_that_the_kernel_does_not_hold(net):
    lan, client, node, groups = net
    wait_for(lambda: known(lan, "p-a") >= groups, "the switch knows all groups at the node's port")
    assert in_kernel(node) < 10, "its own addresses' alone"
    assert node.metric('crier_l2_groups{holder="crier"}') == MANY
    assert node.get("l2", addresses(MANY)[0])[0]["group-held-by"] == "crier"
    assert node.events("groupsHeld")
    wait_for(lambda: resolved(client, addresses(MANY)[::10], node.mac()), "they are answered for", 20)
    told = node.metric("crier_l2_mld_records_total")
    answered = node.metric('crier_l2_mld_queries_total{outcome="ok"}')
    wait_for(lambda: node.metric('crier_l2_mld_queries_total{outcome="ok"}') > answered, "the switch asks")
    wait_for(lambda: node.metric("crier_l2_mld_records_total") >= told + MANY, "and is told of all")


def test_groups_go_to_the_kernel_without_a_gap(net, capture):
    lan, client, node, groups = net
    seen = capture(lan, "p-a")
    wait_for(lambda: known(lan, "p-a") >= groups, "the switch knows all groups")
    node.configure(conf(FEW))
    node.crier("reload")
    kept = {group(a) for a in addresses(FEW)}
    wait_for(lambda: in_kernel(node) >= FEW, "the kernel holds them")
    wait_for(lambda: not known(lan, "p-a") & (groups - kept), "the switch forgets the others", 20)
    assert known(lan, "p-a") >= kept
    assert node.metric('crier_l2_groups{holder="crier"}') == 0
    assert node.metric('crier_l2_groups{holder="kernel"}') == FEW
    left = seen.stop().fields(f"icmpv6.type == 143 && icmpv6.mldr.mar.record_type == {TO_INCLUDE}",
                              "icmpv6.mldr.mar.record_type", "icmpv6.mldr.mar.multicast_address")
    told = {g for types, them in left for t, g in zip(types.split(","), them.split(",")) if t == TO_INCLUDE}
    assert told >= groups - kept
    assert not told & kept, "nobody hears that one was left which is still wanted"


def test_link_comes_again_and_end_leaves_all(lab, net):
    lan, client, node, groups = net
    wait_for(lambda: known(lan, "p-a") >= groups, "the switch knows all groups")
    node.run("ip link del eth0")
    wait_for(lambda: not known(lan, "p-a"), "it forgets them with the port")
    lab.plug(node, lan, "eth0", "10.50.0.11/24", "fd50::11/64")
    wait_for(lambda: known(lan, "p-a") >= groups, "the switch knows them at the new port")
    wait_for(lambda: resolved(client, addresses(3), node.mac()), "solicitations come in there")
    node.stop()
    wait_for(lambda: not known(lan, "p-a") & groups, "the switch forgets them", 20)


def test_announcements_of_thousands_harm_nobody(lab):
    """Each node hears another one announce them all, again and again, without a pace: nobody misses heartbeats by that and takes them itself."""
    lan, client, nodes = lan_nodes(lab, "ab")
    start_all(nodes, conf(THOUSANDS).replace("l2: {", "l2: {refresh: 2s, "))
    owner = wait_owner(nodes, addresses(THOUSANDS)[-1], 60)

    def counts():
        """What the owner has said, and what was taken by whom."""
        return owner.metric("crier_l2_gratuitous_total"), [n.metric("crier_l2_took_total") for n in nodes]

    before = counts()

    def all_said_and_nothing_taken():
        nonlocal before
        now = counts()
        if now[1] != before[1]:  # while all begins, on a machine that does much else
            before = now
        return now[0] >= before[0] + 2 * THOUSANDS

    wait_for(all_said_and_nothing_taken, "it says all of them twice more, and nobody takes any", 60, 0.2)
    assert owner.metric("crier_l2_owned") == THOUSANDS
    assert max(in_kernel(n) for n in nodes) < 10
    heir = next(n for n in nodes if n is not owner)
    owner.kill()
    wait_for(lambda: heir.metric("crier_l2_owned") == THOUSANDS, "the heir has all of them", 30, 0.1)
