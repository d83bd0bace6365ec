"""What the tests of MetalLB's rules share: one node of a cluster that allocates and announces, and which rules there are. They
run against a real API server, too (kubereal.py), one process at a time: CRIER_TEST_KUBECONFIG=… pytest -n 0."""

import os
import pathlib
import time

import kubereal
import pytest
from kubelab import LAN, METALLB, Api, ApiError, KubeNode
from netlab import Lab, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SERVICES = "/api/v1/namespaces/default/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
QUIET = 0.6  # so long nothing happens, then nothing will

# The rules by their section in the reference (MetalLB's behaviour) and, in sections that count steps, the step. Each has a test
# that names it by @rule; where crier does otherwise on purpose, it is said here, and in docs/compatibility.md.
RULES = {
    "3.1": "what a service asks by: field, annotations of both prefixes, where a present new one counts even when empty",
    "3.2.1": "a service is deleted: what it had is free, and who waited is run again",
    "3.2.2": "no load balancer any more: cleared, and others are run again",
    "3.2.3": "no pools at all (crier: what is in force stays, MetalLB takes all away)",
    "3.2.4": "no cluster IPs: cleared",
    "3.2.5": "two families required of one cluster IP: an event, cleared",
    "3.2.6": "what stands in the status: entries without an address count as none, nonsense as another family",
    "3.2.7": "another family than that of the cluster IPs: cleared, but for one of two that are preferred",
    "3.2.8": "what is held and not allowed any more is taken, with an event, and others are looked for",
    "3.2.9": "another pool is asked for",
    "3.2.10": "other addresses are asked for, in whatever order; a request that is a mistake leaves the status alone",
    "3.2.11": "a second family that is preferred is added later, from the same pool; or it is said that there is none",
    "3.2.12": "none is held: one is given, or the failure is said",
    "3.2.13": "what is written: addresses alone, and the pool's note",
    "3.3.1": "addresses by name: the families fit, one pool has them all, no buggy ones, no more than one of each family",
    "3.3.2": "a pool by name: has to be there and to be compatible",
    "3.3.3": "any pool: reserved ones by priority, then others (crier: by name, MetalLB: in no order); the first that has all",
    "3.3 compatible": "namespaces or labels of namespaces, and selectors of services",
    "3.3 inside": "ranges in their order, in each the lowest usable address, the network address first",
    "3.4": "families: what each policy gets, IPv4 first",
    "3.5": "sharing: equal keys, no port in common, equal backends; of any namespace",
    "3.6": "pools shrink, are renamed, reserved, lose auto-assign, gain others",
    "3.7": "a restart: who has an address comes before who has none; of two that claim one, one moves",
    "3.8": "events, their type and source",
    "3.9": "loadBalancerClass: others' services are not touched",
    "3.10": "capacity: blocks, less buggy ones; in use counts addresses, not services",
    "4.1.1": "no servable endpoint anywhere: nobody",
    "4.1.2": "advertisements whose selectors match the service",
    "4.1.3": "a sharing key, and an advertisement that selects services: nobody",
    "4.1.4": "no advertisement for this node",
    "4.1.5 members": "candidates are live members; without membership every Node",
    "4.1.5 network": "not where NetworkUnavailable is true",
    "4.1.5 excluded": "not where the label excludes it, unless that is ignored",
    "4.1.5 selected": "only where some matching advertisement selects it",
    "4.1.5 local": "traffic policy Local: only where a servable endpoint is",
    "4.1.5 no Node": "a member without a Node object is never selected",
    "4.1.5 cordon": "readiness, taints and cordons play no role",
    "4.1.6": "the first of the ranking announces, nobody else",
    "4.1 servable": "ready, or not said, or serving",
}
tested = set()


def rule(*names):
    """Marks a test of these rules."""
    for name in names:
        assert name in RULES, name
    tested.update(names)
    return lambda test: test


class Cluster:
    def __init__(self, lab):
        lan = lab.switch("lan")
        self.api = lab.host("api", lan, LAN.format(2) + "/24", cls=kubereal.RealApi if kubereal.is_wanted() else Api).start()
        self.node = lab.host("a", lan, LAN.format(11) + "/24", cls=KubeNode)
        self.api.node("a", labels={"zone": "z1"})
        self.node.configure_kube(self.api)
        self.node.start_kube()
        self.leads()

    def leads(self):
        wait_for(lambda: self.node.status()["allocator"]["leads"], "it allocates", 30, 0.05)

    def restart(self, own=""):
        """With more in its own configuration."""
        self.node.stop()
        self.node.configure_kube(self.api, own)
        self.node.start_kube()
        self.leads()

    def clean(self):
        api = self.api
        for ns in ("default", "red", "blue"):
            try:
                for s in api.items(f"/api/v1/namespaces/{ns}/services"):
                    if s["metadata"]["name"] != "kubernetes":
                        api.delete(f"/api/v1/namespaces/{ns}/services/{s['metadata']['name']}")
            except ApiError:
                pass
        api.delete(SLICES)
        wait_for(lambda: not self.node.get("services"), "no service is left")
        for e in api.items("/api/v1/events"):
            api.delete(f"/api/v1/namespaces/{e['metadata']['namespace']}/events/{e['metadata']['name']}")
        for plural in ("ipaddresspools", "l2advertisements", "bgpadvertisements"):
            api.delete(f"{METALLB}/{plural}")
        # No pool at all keeps what was in force: this one is in nobody's way.
        self.pool("fence", "203.0.113.0/32", autoAssign=False)
        api.patch("/api/v1/nodes/a", {"metadata": {"labels": {"zone": "z1", EXCLUDED: None}}})
        api.patch("/api/v1/nodes/a/status", {"status": {"conditions": None}})
        wait_for(lambda: not self.node.status()["config"].get("error"), "the configuration is in force")

    def namespaces(self):
        for ns in ("red", "blue"):
            try:
                self.api.create("/api/v1/namespaces", {"metadata": {"name": ns}})
            except ApiError:
                self.api.patch(f"/api/v1/namespaces/{ns}", {"metadata": {"labels": {"team": None}}})

    def pool(self, name, *addresses, ns=None, **spec):
        if ns:
            spec["serviceAllocation"] = {"namespaces": ns, **spec.get("serviceAllocation", {})}
        return self.api.resource("IPAddressPool", name, addresses=list(addresses), **spec)

    def in_force(self):
        """All pools that were made: they come one by one."""
        made = sorted(o["metadata"]["name"] for o in self.api.items(f"{METALLB}/ipaddresspools"))
        wait_for(lambda: sorted(p["name"] for p in self.node.get("pools")) == made, f"{made} are in force")

    def change_pool(self, name, **spec):
        self.api.patch(f"{METALLB}/ipaddresspools/{name}", {"spec": spec})

    def change(self, name, **change):
        return self.api.patch(f"{SERVICES}/{name}", change)

    def has(self, name, *want, ns="default"):
        wait_for(lambda: self.api.addresses(name, ns) == list(want), f"{name} has {want}, not "
                 f"{self.api.addresses(name, ns)}", 8, 0.03)

    def stays(self, name, *want, ns="default", ordered=True):
        time.sleep(QUIET)
        has = self.api.addresses(name, ns)
        assert has == list(want) or (not ordered and sorted(has) == sorted(want)), f"{name} has {has}, no longer {want}"

    def said(self, name, reason, text=""):
        return wait_for(lambda: [e for e in self.api.events(reason, name) if text in e["message"]],
                        f"{reason} of {name} with '{text}'", 8, 0.03)[0]

    def annotations(self, name):
        return self.api.get(f"{SERVICES}/{name}")["metadata"].get("annotations", {})

    def shown(self, name):
        return next(s for s in self.node.get("services") if s["name"] == f"default/{name}")

    def announced(self, name):
        wait_for(lambda: "layer2" in self.shown(name)["modes"], f"{name} is announced: {self.shown(name)}", 8, 0.03)

    def silent(self, name, reason):
        wait_for(lambda: not self.shown(name)["modes"] and self.shown(name).get("reason") == reason,
                 f"{name} is silent for {reason}: {self.shown(name)}", 8, 0.03)


def make_cluster():
    lab = Lab(ROOT / "build" / "integration", prefix=f"kr{os.getpid()}-")
    cluster = None
    try:
        cluster = Cluster(lab)
        yield cluster
    finally:
        if cluster and cluster.api.is_real:
            cluster.api.stop()
        lab.close()


@pytest.fixture(scope="module")
def cluster():
    yield from make_cluster()


@pytest.fixture
def c(cluster):
    cluster.clean()
    return cluster
