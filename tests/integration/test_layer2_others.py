"""Something else on the host that would answer for our addresses is told of."""

import shutil

from cluster import lan_nodes, start_all, wait_owner
from netlab import wait_for

CONF = """
    address-pools:
    - {name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}
    services:
    - {name: web, addresses: [10.50.0.200], bind: none}
    - {name: bound, addresses: [10.50.0.201]}
"""


def problems(node):
    return " ".join(p["text"] for p in node.status()["problems"])


def test_nothing_to_tell_of(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    node.sysctl("net.ipv4.conf.all.arp_ignore", 1)  # as strictARP does
    node.run("ip link add kube-ipvs0 type bridge")
    node.run("ip addr add 10.50.0.200/32 dev kube-ipvs0")
    start_all([node], CONF, cluster=False)
    wait_owner([node], "10.50.0.201")
    wait_for(lambda: node.has_address("10.50.0.201"), "bound")
    # What we look for after a while is found once arp_ignore is off: so the first look found nothing.
    assert "kube-proxy" not in problems(node)
    node.sysctl("net.ipv4.conf.all.arp_ignore", 0)
    node.run("ip addr add 10.50.0.66/32 dev lo")
    wait_for(lambda: "strictARP" in problems(node), "kube-proxy in IPVS mode")
    assert "10.50.0.201" not in problems(node), "what we have bound is not somebody else's"


def test_another_program_of_the_trade(lab):
    """In this host's network, that is: one in a container's is no business of ours."""
    lan, client, (node,) = lan_nodes(lab, "a")
    for host, name in ((node, "ucarp"), (client, "keepalived")):
        shutil.copy(shutil.which("sleep"), host.dir / name)
        host.popen([host.dir / name, "60"], f"{name}.log")
    start_all([node], CONF, cluster=False)
    wait_for(lambda: "ucarp runs on this host" in problems(node), "ucarp")
    assert "keepalived" not in problems(node)
    assert node.events("othersAnswer")
