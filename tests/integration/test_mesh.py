"""Fast detection: nodes that die, freeze or go, and what a client that asks every millisecond sees of it."""

import signal
import time

from cluster import lan_nodes, start_all, wait_owner
from netlab import Pinger, wait_for

ADDRESS = "10.50.0.200"
DEFAULT_MS, FAST_MS = 160, 32  # what a client may miss, on a machine that does nothing else
LOADED_MS = 400                # and on one that builds and tests meanwhile: gossip alone takes 5000

ONE = """
address-pools: [{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}]
services: [{name: web, addresses: [10.50.0.200]}]
"""


def heartbeats_up(nodes):
    """Every node hears every other one."""
    def up():
        return all(m["self"] or m["mesh"]["heartbeats"] == "Up" for n in nodes for m in n.get("members"))
    wait_for(up, "heartbeats between all nodes")


def three(lab):
    lan, client, nodes = lan_nodes(lab, "abc")
    start_all(nodes, ONE)
    heartbeats_up(nodes)
    owner = wait_owner(nodes, ADDRESS)
    return client, nodes, owner


def outage_of(client, nodes, harm):
    ping = Pinger(client, ADDRESS)
    ping.wait_replies()
    harm()
    wait_owner(nodes, ADDRESS)
    ping.wait_replies()
    return ping.stop().outage_ms


def test_a_host_dies(lab):
    client, nodes, owner = three(lab)
    others = [n for n in nodes if n is not owner]
    outage = outage_of(client, others, owner.crash_host)
    print(f"host dead: {outage:.0f} ms")
    assert outage < LOADED_MS
