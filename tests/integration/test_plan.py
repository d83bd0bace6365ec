"""`crier plan` over what a cluster holds: no daemon, no network."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT / "tests" / "vectors" / "plan"
CRIER = pathlib.Path(os.environ.get("CRIER", ROOT / "build" / "release" / "crier")).resolve()

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
endpoints: [{addresses: [10.1.0.1]}]
"""
POOL = "address-pools: [{name: lan, protocol: layer2, addresses: [192.0.2.1/32]}]\n"


def plan(*args, stdin=None, code=0):
    done = subprocess.run([CRIER, "plan", *map(str, args)], input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_a_cluster_in_three_files():
    done = plan("-f", VECTORS / "cluster", "-o", "json")
    assert json.loads(done.stdout) == json.loads((VECTORS / "cluster.json").read_text()), done.stdout
    assert "skipped: Deployment" in done.stderr
    files = sorted((VECTORS / "cluster").iterdir())
    apart = plan(*(part for path in files for part in ("-f", path)), "-o", "json")
    assert apart.stdout == done.stdout


def test_services_of_others_are_shown_when_asked_for():
    silent = json.loads(plan("-f", VECTORS / "cluster", "-o", "json", "--all").stdout)["silent"]
    why = {(s["service"], s["reason"]) for s in silent}
    assert ("default/kubernetes", "notLoadBalancer") in why
    assert ("default/elsewhere", "otherLoadBalancerClass") in why
    listed = plan("-f", VECTORS / "cluster").stdout
    assert "default/elsewhere" not in listed and "default/greedy" in listed


def test_live_members():
    done = json.loads(plan("-f", VECTORS / "cluster", "--nodes", "worker-2,stranger", "-o", "json").stdout)
    nodes = {a["node"] for a in done["announcements"] if a["service"] != "api-server"}
    assert nodes == {"worker-2"}
    assert {s["node"] for s in done["silent"]} <= {"worker-2", "stranger"}


def test_manifests_without_nodes():
    done = json.loads(plan("-f", "-", "-o", "json", stdin=POOL + "---\n" + SERVICE).stdout)
    assert done["allocations"] == [{"service": "default/web", "pool": "lan", "addresses": ["192.0.2.1"]}]
    assert [a["mode"] for a in done["announcements"]] == ["layer2"]
    done = json.loads(plan("-f", "-", "--nodes", "a,b,c", "-o", "json", stdin=POOL + "---\n" + SERVICE).stdout)
    assert [a["node"] for a in done["announcements"]][0] in "abc"


def test_an_object_that_is_wrong_is_an_error():
    done = plan("-f", "-", stdin=POOL + "---\n" + SERVICE.replace("port: 80", "port: http"), code=1)
    assert "-:7:43: error:" in done.stderr and "spec.ports[0].port" in done.stderr
    twice = POOL + "---\n" + SERVICE + "---\n" + SERVICE
    done = plan("-f", "-", stdin=twice, code=1)
    assert "Service default/web" in done.stderr and "EndpointSlice default/web-1" in done.stderr
