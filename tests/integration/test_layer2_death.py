"""Nothing answers for an address that is on the link of a process which is dead or stopped."""

import os
import signal
import time

import pytest

from cluster import lan_nodes, start_all, wait_owner
from netlab import wait_for
from rawlan import RawArp, Watch

WEB = "10.50.0.200"
CONF = f"""
    address-pools:
    - {{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}}
    services:
    - {{name: web, addresses: [{WEB}]}}
"""


def heartbeats_up(nodes):
    """Every node hears every other one."""
    def up():
        return all(m["self"] or m["mesh"]["heartbeats"] == "Up" for n in nodes for m in n.get("members"))
    wait_for(up, "heartbeats between all nodes")


@pytest.fixture
def net(lab):
    lan, client, nodes = lan_nodes(lab)
    start_all(nodes, CONF)
    owner = wait_owner(nodes, WEB)
    wait_for(lambda: owner.has_address(WEB), "it is on the owner's link")
    heartbeats_up(nodes)
    watch = Watch(RawArp(client, "10.50.0.100"), WEB)
    wait_for(lambda: owner.mac() in watch.last, "the owner answers")
    yield owner, nodes, watch
    watch.stop()


def silent_after(watch, owner, harmed):
    """Seconds from the harm to the owner's last word, once another one answers and the owner has been silent."""
    mac = owner.mac()
    wait_for(lambda: any(m != mac for m in watch.last), "another one answers")
    wait_for(lambda: time.monotonic() - watch.last[mac] > 0.5, "the former owner is silent")
    return max(0, watch.last[mac] - harmed)


def test_killed(net):
    owner, nodes, watch = net
    harmed = time.monotonic()
    owner.kill()
    took = silent_after(watch, owner, harmed)
    print(f"kill -9: the last answer of the former owner after {took * 1000:.0f} ms")
    assert took < 2  # a machine may stand still for a second
    assert not owner.has_address(WEB)


def test_stopped_and_going_on(net):
    owner, nodes, watch = net
    harmed = time.monotonic()
    os.kill(owner.pid(), signal.SIGSTOP)
    took = silent_after(watch, owner, harmed)
    print(f"SIGSTOP: the last answer of the former owner after {took * 1000:.0f} ms")
    assert took < 2.5, "the keeper does not wait for its three seconds"
    assert not owner.has_address(WEB)
    os.kill(owner.pid(), signal.SIGCONT)
    wait_for(lambda: wait_owner(nodes, WEB) is owner and owner.has_address(WEB), "it has it again", 30)
