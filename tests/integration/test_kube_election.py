"""The rules of MetalLB's election (§4.1 of the reference), by name: who announces by Layer 2, and why not. See kuberules.RULES."""

import time

import pytest
from kuberules import EXCLUDED, QUIET, SLICES, c, cluster, rule  # noqa: F401
from kubelab import LAN, METALLB, Api, KubeNode
from netlab import wait_for

from test_kube_move import as_text, environment, pod


def announce(c, **spec):
    c.pool("p", "10.50.0.240/29")
    c.api.resource("L2Advertisement", "l2", **spec)
    c.api.service("s")
    c.api.endpoints("s", ["a"])
    c.has("s", "10.50.0.240")


@rule("4.1.6")
def test_announced(c):
    announce(c)
    c.announced("s")


@rule("4.1.4")
def test_a_pool_without_advertisement(c):
    c.pool("p", "10.50.0.240/29")
    c.api.service("s")
    c.api.endpoints("s", ["a"])
    c.has("s", "10.50.0.240")
    c.silent("s", "noMatchingAdvertisement")


@rule("4.1 servable", "4.1.1")
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
    c.api.create(SLICES, {
        "metadata": {"name": "s-1", "labels": {"kubernetes.io/service-name": "s"}}, "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.244.0.1"], "nodeName": "a", "conditions": conditions}]})
    if servable:
        c.announced("s")
    else:
        c.silent("s", "notOwner")


@rule("4.1.5 local")
def test_local_traffic_needs_an_endpoint_of_the_node(c):
    announce(c)
    c.announced("s")
    c.api.endpoints("s", ["b"])
    c.change("s", spec={"externalTrafficPolicy": "Local"})
    c.silent("s", "notOwner")
    c.api.endpoints("s", ["a"])
    c.announced("s")


@rule("4.1.4", "4.1.5 selected")
def test_selected_nodes(c):
    announce(c, nodeSelectors=[{"matchLabels": {"zone": "z2"}}])
    c.silent("s", "noMatchingAdvertisement")
    c.api.patch("/api/v1/nodes/a", {"metadata": {"labels": {"zone": "z2"}}})
    c.announced("s")


@rule("4.1.2")
def test_selected_services(c):
    announce(c, serviceSelectors=[{"matchLabels": {"tier": "front"}}])
    c.silent("s", "noMatchingAdvertisement")
    c.change("s", metadata={"labels": {"tier": "front"}})
    c.announced("s")


@rule("4.1.5 network")
def test_a_node_without_network(c):
    announce(c)
    c.announced("s")
    c.api.patch("/api/v1/nodes/a/status", {"status": {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]}})
    c.silent("s", "notOwner")
    c.api.patch("/api/v1/nodes/a/status", {"status": {"conditions": [{"type": "NetworkUnavailable", "status": "False"}]}})
    c.announced("s")


@rule("4.1.5 excluded")
def test_an_excluded_node(c):
    announce(c)
    c.announced("s")
    c.api.patch("/api/v1/nodes/a", {"metadata": {"labels": {EXCLUDED: ""}}})
    c.silent("s", "notOwner")
    c.api.patch("/api/v1/nodes/a", {"metadata": {"labels": {EXCLUDED: None}}})
    c.announced("s")


@rule("4.1.5 cordon")
def test_a_cordoned_node_announces(c):
    announce(c)
    c.api.patch("/api/v1/nodes/a", {"spec": {"unschedulable": True}})
    time.sleep(QUIET)
    c.announced("s")
    c.api.patch("/api/v1/nodes/a", {"spec": {"unschedulable": None}})


@rule("3.8")
def test_interfaces_that_are_not_there(c):
    announce(c, interfaces=["eth0", "eth7"])
    c.announced("s")
    said = c.said("s", "announceFailed", "eth7")
    assert said["type"] == "Warning" and said["source"] == {"component": "metallb-speaker", "host": "a"}
    assert "eth0" not in said["message"]


@rule("4.1.5 excluded")
def test_the_label_may_be_ignored(c):
    announce(c)
    c.api.patch("/api/v1/nodes/a", {"metadata": {"labels": {EXCLUDED: ""}}})
    c.silent("s", "notOwner")
    c.restart("  ignore-exclude-lb: true\n")
    try:
        c.announced("s")
    finally:
        c.restart()


@rule("4.1.3")
@pytest.mark.parametrize("prefix", ["metallb.io", "metallb.universe.tf"])
def test_a_sharing_key_and_an_advertisement_of_some_services(c, prefix):
    announce(c, serviceSelectors=[{"matchLabels": {"tier": "front"}}])
    c.change("s", metadata={"labels": {"tier": "front"}})
    c.announced("s")
    c.change("s", metadata={"annotations": {f"{prefix}/allow-shared-ip": ""}})
    c.silent("s", "sharedIPWithServiceSelector")


@rule("4.1.2", "4.1.5 selected")
def test_one_of_two_advertisements_is_enough(c):
    announce(c, nodeSelectors=[{"matchLabels": {"zone": "z2"}}])
    c.api.resource("L2Advertisement", "other", ipAddressPools=["elsewhere"])
    c.silent("s", "noMatchingAdvertisement")
    c.api.resource("L2Advertisement", "second", ipAddressPools=["p"], serviceSelectors=[
        {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}])
    c.announced("s")


@rule("4.1.5 members", "4.1.6")
def test_without_membership_every_node_is_a_candidate(c):
    announce(c)
    c.announced("s")
    try:
        # Of these, some come before a for this address.
        for i in range(8):
            c.api.node(f"other-{i}")
        c.silent("s", "notOwner")
        # And none, where they are not selected.
        c.api.patch(f"{METALLB}/l2advertisements/l2", {"spec": {"nodeSelectors": [{"matchLabels": {"zone": "z1"}}]}})
        c.announced("s")
    finally:
        for i in range(8):
            c.api.delete(f"/api/v1/nodes/other-{i}")


@rule("4.1.5 no Node", "4.1.5 members")
def test_a_member_without_a_node(lab):
    """Two members of one cluster: whose Node object is gone is no candidate any more, and one that was none is one when it comes."""
    lan = lab.switch("lan")
    api = lab.host("api", lan, LAN.format(2) + "/24", cls=Api).start()
    nodes = [lab.host(n, lan, LAN.format(11 + i) + "/24", cls=KubeNode) for i, n in enumerate("ab")]
    for i, n in enumerate(nodes):
        pod(api, n.name, LAN.format(11 + i))
    api.node("a")
    api.node("stranger")  # no member: no candidate, wherever it ranks
    for i, n in enumerate(nodes):
        environment(n, LAN.format(11 + i), as_text)
        n.configure_kube(api)
        n.start_kube()
    api.resource("IPAddressPool", "p", addresses=["10.50.0.240-10.50.0.249"])
    api.resource("L2Advertisement", "l2")
    for i in range(10):
        api.service(f"s{i}")
        api.endpoints(f"s{i}", ["a", "b"])
    for n in nodes:
        wait_for(lambda n=n: len(n.get("members")) == 2, f"{n.name} sees both")

    def owned(n):
        return sum(n.owns(f"10.50.0.{240 + i}") for i in range(10))
    wait_for(lambda: (owned(nodes[0]), owned(nodes[1])) == (10, 0), "a has all of them", 20)
    api.node("b")
    wait_for(lambda: owned(nodes[1]) > 0 and owned(nodes[0]) + owned(nodes[1]) == 10, "b has its part", 20)
    api.delete("/api/v1/nodes/a")
    wait_for(lambda: (owned(nodes[0]), owned(nodes[1])) == (0, 10), "b has all of them", 20)
