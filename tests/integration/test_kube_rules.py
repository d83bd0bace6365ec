"""The rules of MetalLB's allocation (§3 of the reference) and of its election (§4.1), by name, against the stand-in for an
API server: one node that allocates and announces, and for each rule what a user would do and see."""

import os
import pathlib
import time

import pytest
from kubelab import LAN, METALLB, Api, ApiError, KubeNode
from netlab import Lab, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SERVICES = "/api/v1/namespaces/default/services"
QUIET = 0.6  # so long nothing happens, then nothing will


class Cluster:
    def __init__(self, lab):
        lan = lab.switch("lan")
        self.api = lab.host("api", lan, LAN.format(2) + "/24", cls=Api).start()
        self.node = lab.host("a", lan, LAN.format(11) + "/24", cls=KubeNode)
        self.api.node("a", labels={"zone": "z1"})
        self.node.configure_kube(self.api)
        self.node.start_kube()
        wait_for(lambda: self.node.status()["allocator"]["leads"], "it allocates")

    def clean(self):
        api = self.api
        for ns in ("default", "red", "blue"):
            try:
                for s in api.items(f"/api/v1/namespaces/{ns}/services"):
                    api.delete(f"/api/v1/namespaces/{ns}/services/{s['metadata']['name']}")
            except ApiError:
                pass
        api.delete("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")
        wait_for(lambda: not self.node.get("services"), "no service is left")
        for e in api.items("/api/v1/events"):
            api.delete(f"/api/v1/namespaces/{e['metadata']['namespace']}/events/{e['metadata']['name']}")
        for plural in ("ipaddresspools", "l2advertisements", "bgpadvertisements"):
            api.delete(f"{METALLB}/{plural}")
        # No pool at all keeps what was in force: this one is in nobody's way.
        self.pool("fence", "203.0.113.0/32", autoAssign=False)
        api.patch("/api/v1/nodes/a", {"metadata": {"labels": {"zone": "z1", "node.kubernetes.io/exclude-from-external-"
                                                              "load-balancers": None}}, "status": {"conditions": None}})
        wait_for(lambda: not self.node.status()["config"].get("error"), "the configuration is in force")

    def pool(self, name, *addresses, ns=None, **spec):
        if ns:
            spec["serviceAllocation"] = {"namespaces": ns, **spec.get("serviceAllocation", {})}
        return self.api.resource("IPAddressPool", name, addresses=list(addresses), **spec)

    def change_pool(self, name, **spec):
        self.api.patch(f"{METALLB}/ipaddresspools/{name}", {"spec": spec})

    def change(self, name, **change):
        return self.api.patch(f"{SERVICES}/{name}", change)

    def has(self, name, *want, ns="default"):
        wait_for(lambda: self.api.addresses(name, ns) == list(want), f"{name} has {want}, not "
                 f"{self.api.addresses(name, ns)}", 8, 0.03)

    def stays(self, name, *want, ns="default"):
        time.sleep(QUIET)
        assert self.api.addresses(name, ns) == list(want)

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


@pytest.fixture(scope="module")
def cluster():
    lab = Lab(ROOT / "build" / "integration", prefix=f"kr{os.getpid()}-")
    try:
        yield Cluster(lab)
    finally:
        lab.close()


@pytest.fixture
def c(cluster):
    cluster.clean()
    return cluster


# --- 3.1, 3.3: what a service asks for ---

def test_the_lowest_free_address_first_the_network_address_too(c):
    c.pool("p", "198.51.100.0/29")
    for i in range(3):
        c.api.service(f"s{i}")
        c.has(f"s{i}", f"198.51.100.{i}")
    c.api.delete(f"{SERVICES}/s1")
    c.api.service("s3")
    c.has("s3", "198.51.100.1")


def test_buggy_addresses_are_avoided_where_asked(c):
    c.pool("p", "198.51.100.0/30", avoidBuggyIPs=True)
    c.api.service("s")
    c.has("s", "198.51.100.1")


@pytest.mark.parametrize("how", [
    {"annotations": {"metallb.io/loadBalancerIPs": "198.51.100.5"}},
    {"annotations": {"metallb.universe.tf/loadBalancerIPs": "198.51.100.5"}},
    {"loadBalancerIP": "198.51.100.5"},
], ids=["annotation", "old annotation", "field"])
def test_an_address_by_name(c, how):
    c.pool("p", "198.51.100.0/29", autoAssign=False)
    c.api.service("s", **how)
    c.has("s", "198.51.100.5")
    if "metallb.universe.tf/loadBalancerIPs" in how.get("annotations", {}):
        assert c.said("s", "deprecatedAnnotation")["type"] == "Warning"


def test_the_new_prefix_counts_even_when_empty(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", annotations={"metallb.io/loadBalancerIPs": "", "metallb.universe.tf/loadBalancerIPs": "198.51.100.5"})
    c.has("s", "198.51.100.0")


def test_annotation_and_field_together_are_a_mistake(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", annotations={"metallb.io/loadBalancerIPs": "198.51.100.5"}, loadBalancerIP="198.51.100.5")
    assert c.said("s", "AllocationFailed")["type"] == "Warning"
    c.stays("s")


def test_a_mistake_in_the_request_of_one_that_has_an_address(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change("s", metadata={"annotations": {"metallb.io/loadBalancerIPs": "nonsense"}})
    c.said("s", "LoadBalancerFailed")
    c.stays("s", "198.51.100.0")


def test_another_address_is_asked_for_later(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change("s", spec={"loadBalancerIP": "198.51.100.4"})
    c.has("s", "198.51.100.4")


def test_an_address_outside_every_pool(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", loadBalancerIP="192.0.2.1")
    assert 'Failed to allocate IP for "default/s"' in c.said("s", "AllocationFailed")["message"]


def test_a_pool_by_name(c):
    c.pool("a", "198.51.100.0/29")
    c.pool("b", "198.51.100.8/29", autoAssign=False)
    c.api.service("s", annotations={"metallb.io/address-pool": "b"})
    c.has("s", "198.51.100.8")
    assert c.annotations("s")["metallb.io/ip-allocated-from-pool"] == "b"
    c.change("s", metadata={"annotations": {"metallb.io/address-pool": "a"}})
    c.has("s", "198.51.100.0")


def test_a_pool_that_is_not_there(c):
    c.pool("a", "198.51.100.0/29")
    c.api.service("s", annotations={"metallb.io/address-pool": "x"})
    c.said("s", "AllocationFailed", "no pool x")


def test_address_and_pool_that_do_not_fit(c):
    c.pool("a", "198.51.100.0/29")
    c.pool("b", "198.51.100.8/29")
    c.api.service("s", loadBalancerIP="198.51.100.1", annotations={"metallb.io/address-pool": "b"})
    c.said("s", "AllocationFailed")
    c.stays("s")


def test_a_pool_without_auto_assign_is_for_those_who_ask(c):
    c.pool("p", "198.51.100.0/29", autoAssign=False)
    c.api.service("s")
    c.said("s", "AllocationFailed")
    c.change_pool("p", autoAssign=True)
    c.has("s", "198.51.100.0")
    c.change_pool("p", autoAssign=False)
    c.stays("s", "198.51.100.0")


def test_reserved_pools_first_by_priority(c):
    c.pool("any", "198.51.100.0/29")
    c.pool("later", "198.51.100.8/29", serviceAllocation={"priority": 20, "namespaces": ["default"]})
    c.pool("sooner", "198.51.100.16/29", serviceAllocation={"priority": 10, "namespaces": ["default"]})
    c.pool("last", "198.51.100.24/29", serviceAllocation={"priority": 0, "namespaces": ["default"]})
    c.api.service("s")
    c.has("s", "198.51.100.16")


def test_a_pool_of_a_namespace(c):
    for ns in ("red", "blue"):
        try:
            c.api.create("/api/v1/namespaces", {"metadata": {"name": ns}})
        except ApiError:
            pass
    c.pool("p", "198.51.100.0/29", ns=["red"])
    c.api.service("s", ns="red")
    c.api.service("s", ns="blue")
    c.has("s", "198.51.100.0", ns="red")
    c.stays("s", ns="blue")


def test_get_by_namespace_and_labels(c):
    for ns in ("red", "blue"):
        try:
            c.api.create("/api/v1/namespaces", {"metadata": {"name": ns}})
        except ApiError:
            pass
    c.api.service("one", ns="red", labels={"tier": "front"})
    c.api.service("two", ns="red", labels={"tier": "back"})
    c.api.service("one", ns="blue")
    wait_for(lambda: len(c.node.get("services")) == 3, "it knows all")

    def names(*options):
        rows = c.node.crier("get", "services", *options).stdout.splitlines()
        return sorted(" ".join(row.split()[:2 if "-A" in options else 1]) for row in rows[1:])
    assert names() == ["blue/one", "red/one", "red/two"]
    assert names("-n", "red") == ["one", "two"]
    assert names("-A", "-l", "tier") == ["red one", "red two"]
    assert names("-l", "tier notin (back, side)") == ["blue/one", "red/one"]
    assert "two" in c.node.crier("get", "services", "two", "-n", "red").stdout
    assert c.node.crier("get", "services", "two", "-n", "blue", check=False).returncode == 1


def test_a_pool_of_labelled_services(c):
    c.pool("p", "198.51.100.0/29", serviceAllocation={"serviceSelectors": [{"matchLabels": {"tier": "front"}}]})
    c.api.service("in", labels={"tier": "front"})
    c.api.service("out")
    c.has("in", "198.51.100.0")
    c.stays("out")
    c.change("out", metadata={"labels": {"tier": "front"}})
    c.has("out", "198.51.100.1")


def test_a_full_pool_and_what_is_freed(c):
    c.pool("p", "198.51.100.0/32")
    c.api.service("first")
    c.has("first", "198.51.100.0")
    c.api.service("second")
    c.said("second", "AllocationFailed", 'allocate IP for "default/second"')
    c.api.delete(f"{SERVICES}/first")
    c.has("second", "198.51.100.0")


# --- 3.2: converging ---

def test_a_service_that_is_no_load_balancer_any_more(c):
    c.pool("p", "198.51.100.0/32")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.service("waits")
    c.change("s", spec={"type": "ClusterIP"})
    c.has("s")
    assert "metallb.io/ip-allocated-from-pool" not in c.annotations("s")
    c.has("waits", "198.51.100.0")


def test_a_status_that_somebody_emptied(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.patch(f"{SERVICES}/s/status", {"status": {"loadBalancer": {"ingress": None}}})
    c.has("s", "198.51.100.0")


def test_entries_of_the_status_that_are_no_addresses(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.patch(f"{SERVICES}/s/status", {"status": {"loadBalancer": {"ingress": [{"hostname": "x.example"}]}}})
    c.has("s", "198.51.100.0")


def test_the_last_pool_goes(c):
    """Not as MetalLB, which takes every address away."""
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.delete(f"{METALLB}/ipaddresspools")
    c.stays("s", "198.51.100.0")
    assert c.node.status()["config"]["error"]


# --- 3.4: families ---

def test_two_families_required(c):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.api.service("s", ipFamilyPolicy="RequireDualStack")
    c.has("s", "198.51.100.0", "2001:db8::")


def test_two_families_required_of_pools_that_have_one_each(c):
    c.pool("four", "198.51.100.0/29")
    c.pool("six", "2001:db8::/125")
    c.api.service("s", ipFamilyPolicy="RequireDualStack")
    c.said("s", "AllocationFailed")
    c.stays("s")


def test_two_families_required_of_one_cluster_ip(c):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.api.service("s", ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4"], clusterIPs=["10.96.7.7"])
    c.said("s", "not enough clusterips")
    c.stays("s")


def test_two_families_preferred_and_given_later(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", ipFamilyPolicy="PreferDualStack")
    c.has("s", "198.51.100.0")
    c.change_pool("p", addresses=["198.51.100.0/29", "2001:db8::/125"])
    c.has("s", "198.51.100.0", "2001:db8::")
    c.said("s", "IPAllocated", "additional")


def test_one_family_of_ipv6(c):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.api.service("s", ipFamilies=["IPv6"])
    c.has("s", "2001:db8::")


def test_the_families_change(c):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change("s", spec={"ipFamilies": ["IPv6"], "clusterIPs": ["fd00:96::77"]})
    c.has("s", "2001:db8::")


# --- 3.5: sharing ---

def share(c, name, key="k", port=80, ip="198.51.100.1", **spec):
    c.api.service(name, annotations={"metallb.io/allow-shared-ip": key}, loadBalancerIP=ip,
                  ports=[{"port": port, "protocol": spec.pop("protocol", "TCP")}], **spec)


def test_two_share_an_address(c):
    c.pool("p", "198.51.100.0/29")
    share(c, "one")
    share(c, "two", port=443)
    share(c, "three", port=80, protocol="UDP")
    for name in ("one", "two", "three"):
        c.has(name, "198.51.100.1")


@pytest.mark.parametrize("other", [
    {"port": 80}, {"port": 443, "key": "x"}, {"port": 443, "key": ""},
    {"port": 443, "externalTrafficPolicy": "Local", "selector": {"app": "other"}},
], ids=["same port", "other key", "no key", "other backend"])
def test_two_that_may_not_share(c, other):
    c.pool("p", "198.51.100.0/29")
    share(c, "one")
    c.has("one", "198.51.100.1")
    share(c, "two", **other)
    c.said("two", "AllocationFailed")
    c.stays("two")


def test_local_services_share_with_equal_selectors(c):
    c.pool("p", "198.51.100.0/29")
    for name, port in (("one", 80), ("two", 443)):
        share(c, name, port=port, externalTrafficPolicy="Local", selector={"app": "x"})
        c.has(name, "198.51.100.1")


def test_the_only_user_may_change_its_key_others_may_not(c):
    c.pool("p", "198.51.100.0/29")
    for name, port in (("one", 80), ("two", 443)):
        c.api.service(name, annotations={"metallb.io/allow-shared-ip": "k"}, ports=[{"port": port}])
        c.has(name, "198.51.100.0")
    c.change("two", metadata={"annotations": {"metallb.io/allow-shared-ip": "other"}})
    c.has("two", "198.51.100.1")
    c.said("two", "ClearAssignment")
    c.change("two", metadata={"annotations": {"metallb.io/allow-shared-ip": "third"}})
    c.stays("two", "198.51.100.1")


def test_an_address_that_can_be_shared_now(c):
    c.pool("p", "198.51.100.1/32")
    share(c, "one", key="a")
    c.has("one", "198.51.100.1")
    share(c, "two", key="b", port=443)
    c.said("two", "AllocationFailed")
    c.change("one", metadata={"annotations": {"metallb.io/allow-shared-ip": "b"}})
    c.has("two", "198.51.100.1")


# --- 3.6: pools change ---

def test_a_pool_shrinks(c):
    c.pool("p", "198.51.100.0-198.51.100.3")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change_pool("p", addresses=["198.51.100.2-198.51.100.3"])
    c.has("s", "198.51.100.2")
    c.said("s", "ClearAssignment")


def test_a_range_moves_to_another_pool(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.delete(f"{METALLB}/ipaddresspools/p")
    c.pool("renamed", "198.51.100.0/29")
    wait_for(lambda: c.annotations("s").get("metallb.io/ip-allocated-from-pool") == "renamed", "the note follows")
    c.has("s", "198.51.100.0")


def test_a_pool_that_others_reserved(c):
    c.pool("p", "198.51.100.0/29")
    c.pool("q", "198.51.100.8/29")
    c.api.service("s", annotations={"metallb.io/address-pool": "p"})
    c.has("s", "198.51.100.0")
    c.change("s", metadata={"annotations": {"metallb.io/address-pool": None}})
    c.change_pool("p", serviceAllocation={"namespaces": ["elsewhere"]})
    c.has("s", "198.51.100.8")


def test_a_pool_that_comes_later(c):
    c.api.service("s")
    c.said("s", "AllocationFailed")
    c.pool("p", "198.51.100.0/29")
    c.has("s", "198.51.100.0")


# --- 3.7: restarts ---

def test_who_has_an_address_keeps_it_over_a_restart(c):
    c.pool("p", "198.51.100.0/29")
    c.node.stop()
    for name in ("a-new", "b-old", "c-new"):
        c.api.service(name)
    c.api.status("b-old", ips=["198.51.100.0"])
    c.node.start_kube()
    c.has("b-old", "198.51.100.0")
    c.has("a-new", "198.51.100.1")
    c.has("c-new", "198.51.100.2")


def test_two_that_claim_one_address(c):
    c.pool("p", "198.51.100.0/29")
    c.node.stop()
    for name in ("one", "two"):
        c.api.service(name)
        c.api.status(name, ips=["198.51.100.0"])
    c.node.start_kube()
    wait_for(lambda: sorted(c.api.addresses("one") + c.api.addresses("two")) == ["198.51.100.0", "198.51.100.1"],
             "one of them is moved", 20)


# --- 3.9: classes ---

def test_services_of_a_class_are_not_ours(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", loadBalancerClass="example.com/other")
    c.api.status("s", ips=["198.51.100.7"])
    c.stays("s", "198.51.100.7")
    c.api.service("ours")
    c.has("ours", "198.51.100.0")


# --- 4.1: who announces ---

def announce(c, **spec):
    c.pool("p", "10.50.0.240/29")
    c.api.resource("L2Advertisement", "l2", **spec)
    c.api.service("s")
    c.api.endpoints("s", ["a"])
    c.has("s", "10.50.0.240")


def test_announced(c):
    announce(c)
    c.announced("s")


def test_a_pool_without_advertisement(c):
    c.pool("p", "10.50.0.240/29")
    c.api.service("s")
    c.api.endpoints("s", ["a"])
    c.has("s", "10.50.0.240")
    c.silent("s", "noMatchingAdvertisement")


@pytest.mark.parametrize("conditions, servable", [
    ({}, True), ({"ready": True}, True), ({"ready": False}, False), ({"ready": False, "serving": True}, True),
    ({"ready": False, "serving": True, "terminating": True}, True),
    ({"ready": False, "serving": False, "terminating": True}, False),
], ids=["none said", "ready", "not ready", "serving", "terminating but serving", "terminating"])
def test_endpoints(c, conditions, servable):
    c.pool("p", "10.50.0.240/29")
    c.api.resource("L2Advertisement", "l2")
    c.api.service("s")
    c.has("s", "10.50.0.240")
    c.api.create("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
        "metadata": {"name": "s-1", "labels": {"kubernetes.io/service-name": "s"}}, "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.244.0.1"], "nodeName": "a", "conditions": conditions}]})
    if servable:
        c.announced("s")
    else:
        c.silent("s", "notOwner")


def test_local_traffic_needs_an_endpoint_of_the_node(c):
    announce(c)
    c.announced("s")
    c.api.endpoints("s", ["b"])
    c.change("s", spec={"externalTrafficPolicy": "Local"})
    c.silent("s", "notOwner")
    c.api.endpoints("s", ["a"])
    c.announced("s")


def test_selected_nodes(c):
    announce(c, nodeSelectors=[{"matchLabels": {"zone": "z2"}}])
    c.silent("s", "noMatchingAdvertisement")
    c.api.patch("/api/v1/nodes/a", {"metadata": {"labels": {"zone": "z2"}}})
    c.announced("s")


def test_selected_services(c):
    announce(c, serviceSelectors=[{"matchLabels": {"tier": "front"}}])
    c.silent("s", "noMatchingAdvertisement")
    c.change("s", metadata={"labels": {"tier": "front"}})
    c.announced("s")


def test_a_node_without_network(c):
    announce(c)
    c.announced("s")
    c.api.patch("/api/v1/nodes/a", {"status": {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]}})
    c.api.patch("/api/v1/nodes/a/status", {"status": {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]}})
    c.silent("s", "notOwner")
    c.api.patch("/api/v1/nodes/a/status", {"status": {"conditions": [{"type": "NetworkUnavailable", "status": "False"}]}})
    c.announced("s")


def test_an_excluded_node(c):
    announce(c)
    c.announced("s")
    label = "node.kubernetes.io/exclude-from-external-load-balancers"
    c.api.patch("/api/v1/nodes/a", {"metadata": {"labels": {label: ""}}})
    c.silent("s", "notOwner")
    c.api.patch("/api/v1/nodes/a", {"metadata": {"labels": {label: None}}})
    c.announced("s")


def test_a_cordoned_node_announces(c):
    announce(c)
    c.api.patch("/api/v1/nodes/a", {"spec": {"unschedulable": True}})
    time.sleep(QUIET)
    c.announced("s")
    c.api.patch("/api/v1/nodes/a", {"spec": {"unschedulable": None}})
