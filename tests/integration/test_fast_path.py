"""Requests that are answered inside the kernel by a program of ours."""

import json
import os
import signal

import pytest

from cluster import lan_nodes, start_all, wait_owner
from netlab import wait_for

WEB, WEB6 = "10.50.0.200", "fd50::200"
CONF = f"""
    address-pools:
    - {{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220, "fd50::200-fd50::220"]}}
    services:
    - {{name: web, addresses: [{WEB}], bind: none}}
    - {{name: web6, addresses: ["{WEB6}"], bind: none}}
    l2: {{fast-path: xdp}}
"""


@pytest.fixture
def net(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], CONF, cluster=False)
    if node.status()["layer2"]["filter"] != "map":
        pytest.skip(node.status()["layer2"]["reason"])
    for address in (WEB, WEB6):
        wait_owner([node], address)
    return client, node


def asks(client, address):
    """The Ethernet address that answers, or None."""
    command = f"ndisc6 -1q -r 1 -w 500 {address} eth0" if ":" in address else f"arping -f -c 1 -w 1 -I eth0 {address}"
    done = client.run(command, check=False)
    return done.stdout.lower() if done.returncode == 0 else None


@pytest.mark.parametrize("address", [WEB, WEB6])
def test_answers_come_from_the_kernel(net, address):
    client, node = net
    assert node.status()["layer2"]["answers"]["eth0"] == "generic"
    assert node.mac() in wait_for(lambda: asks(client, address), "an answer")
    item = node.get("l2", address)[0]
    assert item["kernel-replies"] >= 1 and item["replies"] == item["requests"] == item["kernel-replies"], item
    assert item["last-kernel-reply"] > item["since"]
    client.run(f"ping -c 1 -W 1 {address}", check=False)  # the client's kernel asks in its own way
    wait_for(lambda: client.neighbour(address) == node.mac(), "the client's kernel is content, too")
    before = node.get("l2", address)[0]
    assert before["kernel-replies"] > item["kernel-replies"]
    node.run("ip link set eth0 address 02:00:00:00:0a:0a")
    assert "02:00:00:00:0a:0a" in wait_for(lambda: asks(client, address), "an answer")
    after = node.get("l2", address)[0]
    assert after["replies"] > before["replies"], "what was answered with the former Ethernet address counts, too"


def test_a_process_that_is_stopped_or_dead_falls_silent(net):
    client, node = net
    wait_for(lambda: asks(client, WEB), "an answer")
    os.kill(node.pid(), signal.SIGSTOP)
    wait_for(lambda: not asks(client, WEB), "a stopped process answers no more")
    os.kill(node.pid(), signal.SIGCONT)
    wait_for(lambda: asks(client, WEB), "but does when it goes on")
    node.kill()
    link = json.loads(node.run("ip -j link show eth0").stdout)[0]
    assert "xdp" not in link or not link["xdp"].get("mode"), link
    assert not asks(client, WEB)


def test_many_addresses_and_a_reload(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    many = [f"10.50.{i // 250 + 1}.{i % 250 + 1}" for i in range(2000)]
    services = "\n".join(f"    - {{name: s{i}, addresses: [{a}], bind: none, protocol: layer2}}"
                         for i, a in enumerate(many))
    text = f"""
    services:
{services}
    l2: {{fast-path: xdp}}
"""
    start_all([node], text, cluster=False)
    if node.status()["layer2"]["filter"] != "map":
        pytest.skip(node.status()["layer2"]["reason"])
    wait_for(lambda: node.owns(many[-1]), "they are taken", 30)
    for address in (many[0], many[777], many[-1]):
        wait_for(lambda a=address: asks(client, a), f"an answer for {address}")
    start = text.replace(f"    - {{name: s777, addresses: [{many[777]}], bind: none, protocol: layer2}}\n", "")
    node.configure(start)
    node.crier("reload")
    wait_for(lambda: not asks(client, many[777]), "what is gone is silent")
    assert asks(client, many[778])
    node.configure(start.replace("xdp", "socket"))
    node.crier("reload")
    wait_for(lambda: node.status()["layer2"]["answers"]["eth0"] == "socket", "the process answers")
    assert wait_for(lambda: asks(client, many[778]), "and does")
