"""A node whose link loses its carrier, while another path to the others lives: it says so, and they take over at once."""

from cluster import LAN, LAN6, wait_members, wait_owner
from crierlab import Node
from netlab import Pinger, wait_for

ADDRESS = "10.50.0.200"
LOADED_MS = 2500  # 10, on a machine that does nothing else
MESH = "10.60.0.{}"

TEXT = """
cluster: {{bind: {bind}:7946, join: [10.60.0.11, 10.60.0.12, 10.60.0.13]}}
address-pools: [{{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}}]
services:
- {{name: web, addresses: [10.50.0.200]}}
- {{name: idle, addresses: [10.50.0.201], bind: none}}
"""


def two_networks(lab, names="abc"):
    """Clients on one network, gossip and heartbeats on the other."""
    lan, mesh = lab.switch("lan"), lab.switch("mesh")
    client = lab.host("client", lan, "10.50.0.100/24", "fd50::100/64")
    nodes = []
    for i, name in enumerate(names):
        n = lab.host(name, lan, f"{LAN.format(11 + i)}/24", f"{LAN6.format(11 + i)}/64", cls=Node)
        lab.plug(n, mesh, "mesh0", f"{MESH.format(11 + i)}/24")
        n.configure(TEXT.format(bind=MESH.format(11 + i)))
        n.start()
        nodes.append(n)
    wait_members(nodes)
    wait_for(lambda: all(m["self"] or m["mesh"]["heartbeats"] == "Up" for n in nodes for m in n.get("members")),
             "heartbeats between all nodes")
    return lan, client, nodes


def test_a_lost_carrier_moves_the_address_at_once(lab):
    lan, client, nodes = two_networks(lab)
    owner = wait_owner(nodes, ADDRESS)
    others = [n for n in nodes if n is not owner]
    ping = Pinger(client, ADDRESS)
    ping.wait_replies(100)
    lan.run(f"ip link set p-{owner.name} down")
    wait_owner(others, ADDRESS)
    wait_for(lambda: not owner.owns(ADDRESS), "the former owner is silent")
    ping.wait_replies(100)
    result = ping.stop()
    print(f"carrier lost: {result}")
    assert result.outage_ms < LOADED_MS
    assert "has a carrier" in owner.crier("explain", "idle", check=False).stdout
    wait_for(lambda: not owner.has_address(ADDRESS), "the former owner's link does not have it")
    lan.run(f"ip link set p-{owner.name} up")
    wait_for(lambda: wait_owner(nodes, ADDRESS) is owner, "it is back where it belongs")
    client.run(f"ping -c 3 -i 0.05 -W 2 {ADDRESS}")
