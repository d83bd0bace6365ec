"""Nodes that share addresses: secrets, labels, files that differ."""

import pytest

from cluster import document, lan_nodes, start_all, wait_members, wait_owner
from crierlab import Node
from netlab import wait_for

ONE = """
address-pools: [{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}]
services: [{name: web, addresses: [10.50.0.200]%s}]
"""


OTHER_RACK = "no Layer 2 advertisement of pool lan selects the node for the service"


def with_secret(node, text, secret):
    key = node.dir / "gossip.key"
    key.write_text(secret)
    return text.replace("cluster:\n", f"cluster:\n  secret-file: {key}\n")


def test_a_wrong_secret_stays_outside(lab):
    lan, client, nodes = lan_nodes(lab, "abc")
    for n, secret in zip(nodes, ("right-secret", "right-secret", "wrong-secret")):
        n.configure(with_secret(n, document(nodes, ONE % ""), secret))
        n.start()
    a, b, c = nodes
    wait_members([a, b])
    wait_for(lambda: len(c.get("members")) == 1, "the third is alone")
    wait_owner([a, b], "10.50.0.200")
    metrics = a.run("curl -s --max-time 3 http://127.0.0.1:7472/metrics").stdout
    assert any(line.startswith("crier_cluster_dropped_crypt_total") and not line.endswith(" 0")
               for line in metrics.splitlines())
    assert "right-secret" not in a.log.read_text()

    # Both sides say what is wrong: that two nodes claim one address is only what comes of it.
    for n, other in ((a, "10.50.0.13"), (c, "10.50.0.1")):
        wait_for(lambda n=n, other=other: problems(n, f"the gossip of {other}"), f"{n.name} names the other")
        assert n.events("memberOutside")
    assert not problems(b, "the gossip of 10.50.0.11")


def problems(node, start):
    return [p["text"] for p in node.status()["problems"] if p["text"].startswith(start)]


def dropped(node):
    metrics = node.run("curl -s --max-time 3 http://127.0.0.1:7472/metrics").stdout.splitlines()
    return [float(line.split()[1]) for line in metrics if line.startswith("crier_cluster_dropped_crypt_total ")][0]


def test_a_secret_changes_while_all_run(lab):
    """The new one goes to one node after the other; nobody is lost, and in the end the old one is not spoken any more."""
    lan, client, nodes = lan_nodes(lab, "abc")
    for n in nodes:
        n.configure(with_secret(n, document(nodes, ONE % ""), "the-first-secret"))
        n.start()
    wait_members(nodes)
    for n in nodes:
        (n.dir / "gossip.key").write_text("the-second-secret")
        n.crier("reload")
        assert n.events("secretChanged")
    wait_members(nodes)
    a, b, c = nodes
    a.stop()
    wait_members([b, c])
    a.start()  # it knows the second one alone
    wait_members(nodes)
    assert dropped(a) == 0
    for n in (b, c):
        assert {e["node"] for e in n.events("nodeLeave")} == {"a"} and not problems(n, "the gossip of")


def test_two_nodes_of_one_name_are_named(lab):
    lan, client, nodes = lan_nodes(lab, "abc")
    a, b, c = nodes
    for n in nodes:
        n.configure(document(nodes, ONE % ""))
    a.start()
    b.start()
    wait_members([a, b])
    c.start("--node", "b")
    for n in nodes:
        wait_for(lambda n=n: problems(n, "two nodes use the name b"), f"{n.dir.name} tells of two nodes with one name")


def heartbeats(node):
    metrics = node.run("curl -s --max-time 3 http://127.0.0.1:7472/metrics").stdout.splitlines()
    return sum(float(line.split()[1]) for line in metrics if line.startswith("crier_mesh_heartbeats_received_total"))


def test_another_name_at_the_address_of_a_dead_node(lab):
    """A host is set up anew, or its address given to another one, while the others still remember the old name."""
    lan, client, nodes = lan_nodes(lab, "abc")
    start_all(nodes, ONE % "")
    a, b, c = nodes
    b.kill()
    b.start("--node", "z")
    for n in (a, c):
        wait_for(lambda n=n: sorted(m["name"] for m in n.get("members")) == ["a", "c", "z"], f"{n.name} knows the new name")
        wait_for(lambda n=n: n.get("members", "z")[0]["mesh"]["heartbeats"] == "Up", f"{n.name} hears it")
    began = {n: heartbeats(n) for n in (a, c)}
    for n in (a, c):
        wait_for(lambda n=n: heartbeats(n) > began[n] + 120, f"{n.name} hears a hundred and twenty more")
        # Two sessions at one address ended each other several times a second. A loaded machine may once.
        assert len([e for e in n.events("heartbeatDown") if e["node"] == "z"]) < 4
    wait_owner(nodes, "10.50.0.200")


def test_a_node_that_meets_nobody_says_so(lab):
    """Behind a firewall, or with wrong addresses: it answers for everything, as the others do."""
    lan, client, (a, b) = lan_nodes(lab, "ab")
    a.configure(document([a, b], ONE % ""))
    b.configure(document([a, b], ONE % ""))
    a.start()
    wait_for(lambda: problems(a, "this node is alone: nobody has been met at 10.50.0.12:7946"), "a says that it is alone")
    b.start()
    wait_members([a, b])
    assert not problems(a, "this node is alone")


def test_a_name_that_nobody_could_read_is_refused(lab):
    node = lab.host("a", cls=Node)
    node.configure("cluster: {}\n")
    run = node.crier("run", "-f", node.config, "--node", "a\nb", check=False)
    assert run.returncode == 1 and "cluster: the node's name has characters" in run.stderr


@pytest.mark.parametrize("also_ipv4", [True, False])
def test_members_that_only_ipv6_leads_to(lab, also_ipv4):
    """Nobody has said where gossip listens, and hosts may have no IPv4 at all."""
    lan, client, nodes = lan_nodes(lab, "ab")
    for n in nodes:
        if not also_ipv4:
            n.run("ip -4 addr flush dev eth0")
        n.configure("""
        cluster: {join: ["fd50::11", "fd50::12"]}
        address-pools: [{name: lan, protocol: layer2, addresses: ["fd50::200/120"]}]
        services: [{name: web, addresses: ["fd50::200"]}]
        """)
        n.start()
    wait_members(nodes)
    assert {m["address"] for m in nodes[0].get("members")} == {"[fd50::11]:7946", "[fd50::12]:7946"}
    wait_for(lambda: all(m["self"] or m["mesh"]["heartbeats"] == "Up" for n in nodes for m in n.get("members")), "heartbeats")
    wait_owner(nodes, "fd50::200")


def test_labels_travel_and_select(lab):
    lan, client, nodes = lan_nodes(lab, "abc")
    text = ONE % ", node-selectors: [{match-labels: {rack: r2}}]"
    for n, rack in zip(nodes, ("r1", "r2", "r1")):
        n.configure(document(nodes, f"node: {{labels: {{rack: {rack}}}}}\n" + text))
        n.start()
    wait_members(nodes)
    assert wait_owner(nodes, "10.50.0.200").name == "b"
    labels = {i["name"]: i["labels"] for i in nodes[0].get("nodes")}
    assert labels == {"a": {"rack": "r1"}, "b": {"rack": "r2"}, "c": {"rack": "r1"}}

    # Every node tells the whole ranking, and what keeps the others out of it.
    for n in nodes:
        assert n.ask("explain", subject="web")["ranking"] == [{"address": "10.50.0.200", "nodes": [
            {"node": "b", "place": 1}, {"node": "a", "reason": OTHER_RACK}, {"node": "c", "reason": OTHER_RACK}]}]
    assert "ranking of 10.50.0.200\n  1    b\n  -    a: " in nodes[0].crier("explain", "web").stdout

    # Another label, by reload: the address moves, and with nobody left it is silent.
    nodes[2].configure(nodes[2].config.read_text().replace("rack: r1", "rack: r2"))
    nodes[2].crier("reload")
    nodes[1].configure(nodes[1].config.read_text().replace("node: {labels: {rack: r2}}", "node: {labels: {rack: r1}}"))
    nodes[1].crier("reload")
    wait_for(lambda: nodes[2].owns("10.50.0.200") and not nodes[1].owns("10.50.0.200"), "moved to the new rack r2")


def test_preferred_nodes_win(lab):
    lan, client, nodes = lan_nodes(lab, "abc")
    start_all(nodes, ONE % ", preferred-nodes: {c: 50, b: 10}")
    assert wait_owner(nodes, "10.50.0.200").name == "c"
    assert [(n["node"], n.get("score")) for n in nodes[0].ask("explain", subject="web")["ranking"][0]["nodes"]] == [
        ("c", 50), ("b", 10), ("a", None)]
    nodes[2].kill()
    assert wait_owner(nodes[:2], "10.50.0.200").name == "b"


def test_a_member_with_another_file_is_named(lab):
    lan, client, nodes = lan_nodes(lab, "ab")
    start_all(nodes, ONE % "")
    wait_for(lambda: nodes[0].status()["healthy"], "all is well")
    nodes[1].configure(document(nodes, (ONE % "").replace("10.50.0.220", "10.50.0.221")))
    nodes[1].crier("reload")
    wait_for(lambda: any("member b" in p["text"] for p in nodes[0].status()["problems"]), "a names b")


def test_peers_by_node_selector(lab):
    lan, client, nodes = lan_nodes(lab, "ab")
    text = """
peers:
- {name: only-a, peer-address: 10.50.0.1, peer-asn: 64513, my-asn: 64512, node-selectors: [{match-labels: {edge: "yes"}}]}
"""
    for n, edge in zip(nodes, ("yes", "no")):
        n.configure(document(nodes, f"node: {{labels: {{edge: '{edge}'}}}}\n" + text))
        n.start()
    assert [p["name"] for p in nodes[0].get("peers")] == ["only-a"]
    assert nodes[1].get("peers") == []
