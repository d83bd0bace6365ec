"""Fast detection: nodes that die, freeze or go, and what a client that asks every millisecond sees of it."""

import os
import signal
import time

from cluster import document, lan_nodes, wait_members, wait_owner
from netlab import Pinger, wait_for

ADDRESS = "10.50.0.200"
# What a client may miss: 160, and less, on a machine that does nothing else (tests/bench/failover). One that builds and
# tests meanwhile may stand still for a second; gossip alone takes 5000.
LOADED_MS = 2500

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
    """With a secret: heartbeats are authenticated, frames sealed."""
    lan, client, nodes = lan_nodes(lab, "abc")
    for n in nodes:
        (n.dir / "gossip.key").write_text("a secret of this test")
        n.configure(document(nodes, ONE).replace("cluster:", f"cluster:\n  secret-file: {n.dir}/gossip.key"))
    for n in nodes:
        n.start()
    wait_members(nodes)
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


def test_a_process_dies(lab):
    client, nodes, owner = three(lab)
    others = [n for n in nodes if n is not owner]
    outage = outage_of(client, others, owner.kill)
    print(f"process killed: {outage:.0f} ms")
    assert outage < LOADED_MS
    for n in others:
        assert n.wait_event("nodeOut")["node"] == owner.name

    def told():
        return others[0].run("curl -s http://127.0.0.1:7472/metrics").stdout
    for line in (f'crier_mesh_nodes_out_total{{node="{owner.name}",reason="dead"}} 1',
                 f'crier_mesh_session_up{{node="{owner.name}"}} 0', "crier_mesh_sessions 2"):
        wait_for(lambda: line in told(), line)


def test_a_node_freezes_and_wakes(lab):
    client, nodes, owner = three(lab)
    others = [n for n in nodes if n is not owner]
    frozen = outage_of(client, others, lambda: owner.daemon.send_signal(signal.SIGSTOP))
    print(f"process frozen: {frozen:.0f} ms")
    # Also while gossip has not noticed yet.
    assert ": announced from here\n" in wait_owner(others, ADDRESS).crier("explain", ADDRESS).stdout

    def wake():
        owner.daemon.send_signal(signal.SIGCONT)
        wait_owner(nodes, ADDRESS)
    woken = outage_of(client, [owner], wake)
    print(f"woken: {woken:.0f} ms")
    assert frozen < LOADED_MS
    assert woken < 2000


def test_one_way_loss_kills_nobody(lab):
    """B doesn't hear A, the owner; C does."""
    client, nodes, owner = three(lab)
    deaf = next(n for n in nodes if n is not owner)
    address = owner.run("ip -4 -br addr show eth0").stdout.split()[2].split("/")[0]
    rules = deaf.dir / "deaf.nft"
    rules.write_text("table ip deaf {\n chain input {\n  type filter hook input priority 0;\n"
                     f"  ip saddr {address} udp dport 7947 drop\n }}\n}}\n")
    deaf.run(["nft", "-f", str(rules)])
    wait_for(lambda: owner.name in [e["node"] for e in deaf.events("heartbeatDown")], "the session ends")
    time.sleep(1)
    assert not deaf.events("nodeOut")
    assert wait_owner(nodes, ADDRESS) is owner


def test_a_node_that_stops_hands_over(lab):
    client, nodes, owner = three(lab)
    others = [n for n in nodes if n is not owner]
    ping = Pinger(client, ADDRESS)
    ping.wait_replies()
    assert owner.stop() == 0
    wait_owner(others, ADDRESS)
    ping.wait_replies()
    result = ping.stop()
    print(f"stopped: {result}")
    assert result.lost <= 20  # none, where nothing else runs


def cut(lab, node):
    """Nothing passes in either direction, and the carrier stays."""
    lab.hosts["lan"].run(f"ip link set p-{node.name} nomaster")


def heal(lab, node):
    lab.hosts["lan"].run(f"ip link set p-{node.name} master br0")


def test_a_cut_heals_in_one_direction(lab):
    """The owner hears nobody for a while; then it has the address again, and the client knows."""
    client, nodes, owner = three(lab)
    others = [n for n in nodes if n is not owner]
    cut(lab, owner)
    wait_owner(others, ADDRESS)
    ping = Pinger(client, ADDRESS)
    ping.wait_replies()
    heal(lab, owner)
    wait_for(lambda: wait_owner(nodes, ADDRESS) is owner, "the owner has its address again")
    ping.wait_replies(200)
    outage = ping.stop().outage_ms
    print(f"healed: {outage:.0f} ms")
    assert outage < 4000  # gossip alone takes longer


def test_a_silent_node_is_not_lost_from_sight(lab):
    """The kernel gives a neighbour up that does not answer, but heartbeats still go to where it was, not only questions."""
    client, nodes, owner = three(lab)
    other = next(n for n in nodes if n is not owner)
    address = f"10.50.0.{11 + nodes.index(owner)}"
    for name in ("delay_first_probe_time", "ucast_solicit"):
        other.sysctl(f"net.ipv4.neigh.eth0.{name}", 1)
    cut(lab, owner)
    other.run(f"ip neigh replace {address} dev eth0 lladdr {owner.mac()} nud stale")  # doubt it now, not in half a minute

    def known():
        return "lladdr" in other.run(f"ip neigh show {address} dev eth0 nud all").stdout
    for _ in range(2):
        wait_for(lambda: not known(), "the kernel has given it up", 30)
        wait_for(known, "it is sent to where it was")
    heal(lab, owner)
    heartbeats_up(nodes)


def test_with_quorum_the_smaller_part_is_silent(lab):
    """The owner is cut off: it falls silent itself, before gossip knows anything, and has its address again after."""
    lan, client, nodes = lan_nodes(lab, "abc")
    for n in nodes:
        n.configure(document(nodes, ONE).replace("cluster:", "cluster:\n  quorum: true"))
    nodes[0].start()
    time.sleep(1.5)  # longer than who is alone waits
    assert not nodes[0].owns(ADDRESS), "one of three is no larger part"
    for n in nodes[1:]:
        n.start()
    wait_members(nodes)
    heartbeats_up(nodes)
    owner = wait_owner(nodes, ADDRESS)
    others = [n for n in nodes if n is not owner]
    cut(lab, owner)
    began = time.monotonic()
    wait_for(lambda: not owner.owns(ADDRESS), "the smaller part is silent", 3)
    print(f"silent after {(time.monotonic() - began) * 1000:.0f} ms")
    wait_owner(others, ADDRESS)
    wait_for(lambda: "noQuorum" in owner.crier("explain", "web", check=False).stdout, "and says why")
    assert [p for p in owner.status()["problems"] if "smaller part" in p["text"]]
    heal(lab, owner)
    wait_for(lambda: wait_owner(nodes, ADDRESS) is owner, "the owner has its address again")


def test_without_preemption_an_address_stays_where_it_is(lab):
    """Its owner starts again, or freezes and wakes: who took over keeps it."""
    lan, client, nodes = lan_nodes(lab, "abc")
    for n in nodes:
        n.configure(document(nodes, ONE + "l2: {preempt: false}\n"))
    for n in nodes:
        n.start()
    wait_members(nodes)
    heartbeats_up(nodes)
    first = wait_owner(nodes, ADDRESS)
    first.kill()
    second = wait_owner([n for n in nodes if n is not first], ADDRESS)
    first.start()
    wait_members(nodes, 60)
    heartbeats_up(nodes)
    time.sleep(1)
    assert wait_owner(nodes, ADDRESS) is second, "not given back to the one that returns"
    second.daemon.send_signal(signal.SIGSTOP)
    third = wait_owner([n for n in nodes if n is not second], ADDRESS)
    second.daemon.send_signal(signal.SIGCONT)
    heartbeats_up(nodes)
    wait_for(lambda: not second.owns(ADDRESS), "who was frozen hears that it is not the owner any more")
    assert wait_owner(nodes, ADDRESS) is third
    client.run(f"ping -c 3 -i 0.05 -W 2 {ADDRESS}")


def test_drained_and_back(lab):
    client, nodes, owner = three(lab)
    others = [n for n in nodes if n is not owner]
    ping = Pinger(client, ADDRESS)
    ping.wait_replies()
    assert "drained" in owner.crier("drain").stdout
    assert not owner.owns(ADDRESS)
    wait_owner(others, ADDRESS)
    assert "the node is drained" in owner.crier("explain", ADDRESS, check=False).stdout
    assert [p for p in owner.status()["problems"] if "drained" in p["text"]]
    ping.wait_replies()
    owner.crier("undrain")
    wait_for(lambda: owner.owns(ADDRESS) and not any(n.owns(ADDRESS) for n in others), "it is back where it was")
    ping.wait_replies()
    seen = ping.stop()
    print(f"drained and back: {seen}")
    assert seen.outage_ms < LOADED_MS
    assert "not drained" in owner.crier("undrain", check=False).stderr


CHECKED = """
address-pools: [{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}]
services:
- {name: web, addresses: [10.50.0.200], health-check: {tcp: "127.0.0.1:8080", interval: 100ms, timeout: 90ms, rise: 1, fall: 2}}
"""


def test_the_last_endpoint_is_gone_and_the_client_misses_nothing(lab):
    """The new owner announces before the former one falls silent; and back."""
    lan, client, nodes = lan_nodes(lab, "abc")
    servers = {n: n.popen("python3 -m http.server 8080 --bind 127.0.0.1") for n in nodes}
    for n in nodes:
        n.configure(document(nodes, CHECKED))
    for n in nodes:
        n.start()
    wait_members(nodes)
    heartbeats_up(nodes)
    wait_for(lambda: all(n.get("services")[0].get("health") == "healthy" for n in nodes), "all checks pass")
    time.sleep(0.5)  # and everybody has heard of it
    owner = wait_owner(nodes, ADDRESS)
    others = [n for n in nodes if n is not owner]
    ping = Pinger(client, ADDRESS)
    ping.wait_replies(100)
    servers[owner].kill()
    wait_for(lambda: not owner.owns(ADDRESS) and any(n.owns(ADDRESS) for n in others), "another node has it")
    wait_for(lambda: not owner.has_address(ADDRESS), "it is off the link of the one before")
    ping.wait_replies(100)
    owner.popen("python3 -m http.server 8080 --bind 127.0.0.1")
    wait_for(lambda: owner.owns(ADDRESS) and not any(n.owns(ADDRESS) for n in others), "it is back")
    ping.wait_replies(100)
    result = ping.stop()
    print(f"endpoint gone and back: {result}")
    assert result.lost <= 20  # none, where nothing else runs


def test_a_pause_of_everybody_moves_nothing(lab):
    """The machine under all nodes stands still for longer than the detection time, again and again."""
    client, nodes, owner = three(lab)
    time.sleep(1)  # what went on at the start has settled

    def moves():
        return sum(len(n.events("addressTaken")) + len(n.events("nodeOut")) for n in nodes)
    moved = 0
    everybody = [pid for n in nodes for pid in n.pids()]
    for _ in range(10):
        before = moves()
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.3)
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.2)
        moved += moves() != before
    print(f"pauses that moved something: {moved}")
    assert moved <= 3  # none, where nothing else runs; all of them, were a pause taken for silence
    wait_for(lambda: wait_owner(nodes, ADDRESS) is owner, "the owner is who it was")


PORTS = "import socket, time\ns = socket.create_server(('', 7947))\nu = socket.socket(type=socket.SOCK_DGRAM)\n" \
        "u.bind(('', 3784))\ntime.sleep(600)"
BFD = """
peers: [{name: r, my-asn: 64512, peer-asn: 64513, peer-address: 10.50.0.250, bfd-profile: fast}]
bfd-profiles: [{name: fast}]
"""


def test_ports_that_are_taken_are_problems(lab):
    """Nothing ends because of it, and nobody has to guess why nothing works."""
    lan, client, nodes = lan_nodes(lab, "ab")
    thief = nodes[0].popen(["python3", "-c", PORTS], "taken.log")
    wait_for(lambda: ":7947" in nodes[0].run("ss -Htln").stdout, "somebody has the ports")
    for n in nodes:
        n.configure(document(nodes, ONE + BFD))
        n.start()
    wait_members(nodes)

    def told():
        return [p["text"] for p in nodes[0].status()["problems"] if "Address already in use" in p["text"]]
    wait_for(lambda: len(told()) == 2, "both problems are told")
    assert any("port 7947" in text for text in told()) and any("BFD can't receive" in text for text in told())
    thief.kill()
    thief.wait()
    wait_for(lambda: not told(), "they go away by themselves")
    heartbeats_up(nodes)
