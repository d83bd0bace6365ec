"""Echo requests for addresses that are on no link of their owner."""

import pytest

from cluster import lan_nodes, start_all, wait_owner
from netlab import wait_for

FREE, FREE6, BOUND = "10.50.0.200", "fd50::200", "10.50.0.201"
CONF = f"""
    address-pools:
    - {{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220, "fd50::200-fd50::220"]}}
    services:
    - {{name: free, addresses: [{FREE}], bind: none}}
    - {{name: free6, addresses: ["{FREE6}"], bind: none}}
    - {{name: bound, addresses: [{BOUND}]}}
    l2: {{answer-ping: true, allmulti: on}}
"""


def pings(client, address, *options):
    return client.run(["ping", "-c", "2", "-i", "0.05", "-W", "2", *options, address], check=False).returncode == 0


@pytest.fixture
def net(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], CONF, cluster=False)
    for address in (FREE, FREE6, BOUND):
        wait_owner([node], address)
    wait_for(lambda: node.has_address(BOUND), "one is on its link")
    return client, node


def outcomes(node):
    lines = node.run("curl -s http://127.0.0.1:7472/metrics").stdout.splitlines()
    pairs = (line.split() for line in lines if line.startswith("crier_l2_pings_total"))
    return {name.split('"')[1]: float(value) for name, value in pairs}


@pytest.mark.parametrize("address", [FREE, FREE6])
def test_the_process_answers_where_no_kernel_does(net, address):
    client, node = net
    assert not node.has_address(address)
    assert pings(client, address)
    assert pings(client, address, "-s", "1400"), "a large one"
    assert outcomes(node)["ok"] >= 4
    assert node.get("l2", address)[0]["answers-ping"]


def test_the_kernel_answers_for_what_is_on_a_link(net):
    client, node = net
    assert pings(client, BOUND)
    assert not node.get("l2", BOUND)[0]["answers-ping"]
    assert outcomes(node)["ok"] == 0
    # An address that comes to a link by another hand is the kernel's from then on: nobody answers twice.
    node.run(f"ip addr add {FREE}/32 dev lo")
    wait_for(lambda: not node.get("l2", FREE)[0]["answers-ping"], "the process leaves it to the kernel")
    assert "DUP!" not in client.run(f"ping -c 3 -i 0.05 -W 2 {FREE}").stdout
    problems = wait_for(lambda: [p["text"] for p in node.status()["problems"] if FREE in p["text"]], "and says so")
    assert "kernel" in problems[0]


def test_all_multicast_goes_with_the_process(net):
    client, node = net
    assert "allmulti 1" in node.run("ip -d link show eth0").stdout
    node.configure(CONF.replace("answer-ping: true, allmulti: on", "answer-ping: false, allmulti: auto"))
    node.crier("reload")
    wait_for(lambda: "allmulti 0" in node.run("ip -d link show eth0").stdout, "a reload takes it back")
    assert not pings(client, FREE)
