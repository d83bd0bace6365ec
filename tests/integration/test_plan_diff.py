"""What an edit would change, as a person asks it: crier plan --diff OLD NEW."""

import json
import subprocess

from crierlab import crier_binary

OLD = """
peers: [{name: tor, peer-address: 192.0.2.1, peer-asn: 64512, my-asn: 64512}]
address-pools:
- {name: lan, protocol: layer2, addresses: [10.0.0.0/29]}
- {name: wan, protocol: bgp, addresses: [198.51.100.0/28], auto-assign: false,
   bgp-advertisements: [{localpref: 100}]}
services: [{name: a}, {name: b}, {name: x, address-pool: wan}]
"""
NODES = "\n---\n".join(f"{{apiVersion: v1, kind: Node, metadata: {{name: {n}}}}}" for n in ("n1", "n2"))
CLUSTER = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, clusterIP: 10.96.0.9, ports: [{port: 80}], selector: {app: web}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.244.0.1], nodeName: n1}, {addresses: [10.244.0.2], nodeName: n2}]
"""
POOL = """
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: p, namespace: metallb-system}
spec: {addresses: [%s]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: p, namespace: metallb-system}
"""


def plan(*args, stdin=None):
    return subprocess.run([crier_binary(), "plan", *args], input=stdin, capture_output=True, text=True, timeout=30)


def difference(*args):
    done = plan(*args, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def written(path, text):
    path.write_text(text)
    return str(path)


def test_nothing_would_change(tmp_path):
    old = written(tmp_path / "old.yaml", OLD)
    assert difference("--diff", old, old) == {"addresses": [], "layer2": [], "bgp": []}
    assert plan("--diff", old, old).stdout == "Nothing would change.\n"


def test_an_edit(tmp_path):
    old = written(tmp_path / "old.yaml", OLD)
    edited = OLD.replace("{name: a}, ", "{name: c}, ").replace("localpref: 100", "localpref: 200")
    new = written(tmp_path / "new.yaml", edited)
    got = difference("--diff", old, new, "--nodes", "n1,n2")
    assert got["addresses"] == [
        {"service": "a", "change": "removed", "from": {"pool": "lan", "addresses": ["10.0.0.0"]},
         "reason": "serviceDeleted"},
        {"service": "c", "change": "added", "to": {"pool": "lan", "addresses": ["10.0.0.2"]}}]
    assert [(o["address"], o["change"]) for o in got["layer2"]] == [("10.0.0.0", "removed"), ("10.0.0.2", "added")]
    assert got["bgp"] == [
        {"prefix": "198.51.100.0/32", "node": node, "peer": "tor", "services": ["x"], "change": "changed",
         "from": {"local-pref": 100, "communities": []}, "to": {"local-pref": 200, "communities": []}}
        for node in ("n1", "n2")]
    assert "local-pref 100 -> 200" in plan("--diff", old, new).stdout
    assert "change: removed" in plan("--diff", old, new, "-o", "yaml").stdout


def test_a_pool_that_shrinks_is_refused(tmp_path):
    old = written(tmp_path / "old.yaml", OLD)
    new = written(tmp_path / "new.yaml", OLD.replace("10.0.0.0/29", "10.0.0.1-10.0.0.7"))
    got = difference("--diff", old, new)
    assert "a (10.0.0.0)" in got["refused"]
    assert [(s["service"], s["to"]["addresses"]) for s in got["addresses"]] == [("a", ["10.0.0.2"])]
    assert "--force" in plan("--diff", old, new).stdout
    assert "all pools (" in difference("--diff", old, written(tmp_path / "empty.yaml", "#\n"))["refused"]


def test_services_of_a_cluster_move_and_nodes_take_over(tmp_path):
    written(tmp_path / "web.yaml", CLUSTER)
    written(tmp_path / "nodes.yaml", NODES)
    cluster = str(tmp_path)
    (tmp_path / "pools").mkdir()
    before = written(tmp_path / "pools" / "before.yaml", POOL % "10.0.0.0/29")
    after = written(tmp_path / "pools" / "after.yaml", POOL % "10.0.0.4-10.0.0.7")
    got = difference("--diff", before, "--diff", cluster, "-f", after, "-f", cluster)
    assert [(s["from"]["addresses"], s["to"]["addresses"]) for s in got["addresses"]] == [(["10.0.0.0"], ["10.0.0.4"])]
    assert "refused" not in got
    # The owner goes: the other node takes over what it had, and the address stays.
    owner = json.loads(plan("-f", before, "-f", cluster, "-o", "json").stdout)["announcements"][0]["node"]
    gone = NODES.split("\n---\n")[0 if owner == "n2" else 1]
    (tmp_path / "less").mkdir()
    written(tmp_path / "less" / "nodes.yaml", gone)
    written(tmp_path / "less" / "web.yaml", CLUSTER)
    got = difference("--diff", before, "--diff", cluster, before, str(tmp_path / "less"))
    assert got["addresses"] == [] and got["bgp"] == []
    assert [(o["from"]["node"], o["to"]["node"]) for o in got["layer2"]] == [(owner, "n1" if owner == "n2" else "n2")]


def test_wrong_use_and_wrong_files(tmp_path):
    old = written(tmp_path / "old.yaml", OLD)
    bad = written(tmp_path / "bad.yaml", "address-pools: [{name: p}]\n")
    assert plan("--diff", old).returncode == 2
    assert plan("--diff", "-", "-").returncode == 2
    for sides in ((old, bad), (bad, old)):
        done = plan("--diff", *sides)
        assert done.returncode == 1 and "bad.yaml" in done.stderr and not done.stdout
    assert plan("--diff", old, "-", stdin=OLD).stdout == "Nothing would change.\n"
