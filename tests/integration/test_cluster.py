"""Nodes that share addresses: secrets, labels, files that differ."""

from cluster import document, lan_nodes, start_all, wait_members, wait_owner
from netlab import wait_for

ONE = """
address-pools: [{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}]
services: [{name: web, addresses: [10.50.0.200]%s}]
"""


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
