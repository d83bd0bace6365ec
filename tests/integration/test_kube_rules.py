"""The rules of MetalLB's allocation (§3 of the reference), by name, against the stand-in for an API server: one node that
allocates, and for each rule what a user would do and see. kuberules.RULES is the list, @rule says which test is for which."""

import re

import pytest
from kubelab import METALLB
from kuberules import RULES, SERVICES, c, cluster, rule, tested  # noqa: F401
from netlab import wait_for


# --- 3.1, 3.3: what a service asks for ---

@rule("3.3 inside", "3.2.12")
def test_the_lowest_free_address_first_the_network_address_too(c):
    c.pool("p", "198.51.100.0/29")
    for i in range(3):
        c.api.service(f"s{i}")
        c.has(f"s{i}", f"198.51.100.{i}")
    c.api.delete(f"{SERVICES}/s1")
    c.api.service("s3")
    c.has("s3", "198.51.100.1")


@rule("3.3 inside")
def test_buggy_addresses_are_avoided_where_asked(c):
    c.pool("p", "198.51.100.0/30", avoidBuggyIPs=True)
    c.api.service("s")
    c.has("s", "198.51.100.1")


@rule("3.1")
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


@rule("3.1")
def test_the_new_prefix_counts_even_when_empty(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", annotations={"metallb.io/loadBalancerIPs": "", "metallb.universe.tf/loadBalancerIPs": "198.51.100.5"})
    c.has("s", "198.51.100.0")


@rule("3.2.12")
def test_annotation_and_field_together_are_a_mistake(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", annotations={"metallb.io/loadBalancerIPs": "198.51.100.5"}, loadBalancerIP="198.51.100.5")
    assert c.said("s", "AllocationFailed")["type"] == "Warning"
    c.stays("s")


@rule("3.2.10")
def test_a_mistake_in_the_request_of_one_that_has_an_address(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change("s", metadata={"annotations": {"metallb.io/loadBalancerIPs": "nonsense"}})
    c.said("s", "LoadBalancerFailed")
    c.stays("s", "198.51.100.0")


@rule("3.2.10")
def test_another_address_is_asked_for_later(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change("s", spec={"loadBalancerIP": "198.51.100.4"})
    c.has("s", "198.51.100.4")


@rule("3.3.1")
def test_an_address_outside_every_pool(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", loadBalancerIP="192.0.2.1")
    assert 'Failed to allocate IP for "default/s"' in c.said("s", "AllocationFailed")["message"]


@rule("3.1", "3.2.9", "3.3.2", "3.2.13")
def test_a_pool_by_name(c):
    c.pool("a", "198.51.100.0/29")
    c.pool("b", "198.51.100.8/29", autoAssign=False)
    c.in_force()
    c.api.service("s", annotations={"metallb.io/address-pool": "b"})
    c.has("s", "198.51.100.8")
    assert c.annotations("s")["metallb.io/ip-allocated-from-pool"] == "b"
    c.change("s", metadata={"annotations": {"metallb.io/address-pool": "a"}})
    c.has("s", "198.51.100.0")


@rule("3.3.2")
def test_a_pool_that_is_not_there(c):
    c.pool("a", "198.51.100.0/29")
    c.api.service("s", annotations={"metallb.io/address-pool": "x"})
    c.said("s", "AllocationFailed", "no pool x")


@rule("3.3.1")
def test_address_and_pool_that_do_not_fit(c):
    c.pool("a", "198.51.100.0/29")
    c.pool("b", "198.51.100.8/29")
    c.in_force()
    c.api.service("s", loadBalancerIP="198.51.100.1", annotations={"metallb.io/address-pool": "b"})
    c.said("s", "AllocationFailed")
    c.stays("s")


@rule("3.3.3", "3.6")
def test_a_pool_without_auto_assign_is_for_those_who_ask(c):
    c.pool("p", "198.51.100.0/29", autoAssign=False)
    c.api.service("s")
    c.said("s", "AllocationFailed")
    c.change_pool("p", autoAssign=True)
    c.has("s", "198.51.100.0")
    c.change_pool("p", autoAssign=False)
    c.stays("s", "198.51.100.0")


@rule("3.3.3")
def test_reserved_pools_first_by_priority(c):
    c.pool("any", "198.51.100.0/29")
    c.pool("later", "198.51.100.8/29", serviceAllocation={"priority": 20, "namespaces": ["default"]})
    c.pool("sooner", "198.51.100.16/29", serviceAllocation={"priority": 10, "namespaces": ["default"]})
    c.pool("last", "198.51.100.24/29", serviceAllocation={"priority": 0, "namespaces": ["default"]})
    c.in_force()
    c.api.service("s")
    c.has("s", "198.51.100.16")


@rule("3.3 compatible")
def test_a_pool_of_a_namespace(c):
    c.namespaces()
    c.pool("p", "198.51.100.0/29", ns=["red"])
    c.api.service("s", ns="red")
    c.api.service("s", ns="blue")
    c.has("s", "198.51.100.0", ns="red")
    c.stays("s", ns="blue")


def test_get_by_namespace_and_labels(c):
    c.namespaces()
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


@rule("3.3 compatible")
def test_a_pool_of_labelled_services(c):
    c.pool("p", "198.51.100.0/29", serviceAllocation={"serviceSelectors": [{"matchLabels": {"tier": "front"}}]})
    c.api.service("in", labels={"tier": "front"})
    c.api.service("out")
    c.has("in", "198.51.100.0")
    c.stays("out")
    c.change("out", metadata={"labels": {"tier": "front"}})
    c.has("out", "198.51.100.1")


@rule("3.2.1", "3.2.12")
def test_a_full_pool_and_what_is_freed(c):
    c.pool("p", "198.51.100.0/32")
    c.api.service("first")
    c.has("first", "198.51.100.0")
    c.api.service("second")
    c.said("second", "AllocationFailed", 'allocate IP for "default/second"')
    c.api.delete(f"{SERVICES}/first")
    c.has("second", "198.51.100.0")


# --- 3.2: converging ---

@rule("3.2.2")
def test_a_service_that_is_no_load_balancer_any_more(c):
    c.pool("p", "198.51.100.0/32")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.service("waits")
    c.change("s", spec={"type": "ClusterIP"})
    c.has("s")
    assert "metallb.io/ip-allocated-from-pool" not in c.annotations("s")
    c.has("waits", "198.51.100.0")


@rule("3.2.6")
def test_a_status_that_somebody_emptied(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.patch(f"{SERVICES}/s/status", {"status": {"loadBalancer": {"ingress": None}}})
    c.has("s", "198.51.100.0")


@rule("3.2.6")
def test_entries_of_the_status_that_are_no_addresses(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.patch(f"{SERVICES}/s/status", {"status": {"loadBalancer": {"ingress": [{"hostname": "x.example"}]}}})
    c.has("s", "198.51.100.0")


@rule("3.2.3")
def test_the_last_pool_goes(c):
    """Not as MetalLB, which takes every address away."""
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.delete(f"{METALLB}/ipaddresspools")
    c.stays("s", "198.51.100.0")
    assert c.node.status()["config"]["error"]


# --- 3.4: families ---

@rule("3.4")
def test_two_families_required(c):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.api.service("s", ipFamilyPolicy="RequireDualStack")
    c.has("s", "198.51.100.0", "2001:db8::")


@rule("3.4")
def test_two_families_required_of_pools_that_have_one_each(c):
    c.pool("four", "198.51.100.0/29")
    c.pool("six", "2001:db8::/125")
    c.in_force()
    c.api.service("s", ipFamilyPolicy="RequireDualStack")
    c.said("s", "AllocationFailed")
    c.stays("s")


@rule("3.2.5")
def test_two_families_required_of_one_cluster_ip(c):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.api.service("s", ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4"], clusterIPs=["10.96.7.7"])
    c.said("s", "not enough clusterips")
    c.stays("s")


@rule("3.4", "3.2.11", "3.2.7")
def test_two_families_preferred_and_given_later(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", ipFamilyPolicy="PreferDualStack")
    c.has("s", "198.51.100.0")
    c.change_pool("p", addresses=["198.51.100.0/29", "2001:db8::/125"])
    c.has("s", "198.51.100.0", "2001:db8::")
    c.said("s", "IPAllocated", "additional")


@rule("3.4")
def test_one_family_of_ipv6(c):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.api.service("s", ipFamilies=["IPv6"])
    c.has("s", "2001:db8::")


@rule("3.2.7")
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


@rule("3.5")
def test_two_share_an_address(c):
    c.pool("p", "198.51.100.0/29")
    share(c, "one")
    share(c, "two", port=443)
    share(c, "three", port=80, protocol="UDP")
    for name in ("one", "two", "three"):
        c.has(name, "198.51.100.1")


@rule("3.5")
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


@rule("3.5")
def test_local_services_share_with_equal_selectors(c):
    c.pool("p", "198.51.100.0/29")
    for name, port in (("one", 80), ("two", 443)):
        share(c, name, port=port, externalTrafficPolicy="Local", selector={"app": "x"})
        c.has(name, "198.51.100.1")


@rule("3.5", "3.2.8")
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


@rule("3.5")
def test_an_address_that_can_be_shared_now(c):
    c.pool("p", "198.51.100.1/32")
    share(c, "one", key="a")
    c.has("one", "198.51.100.1")
    share(c, "two", key="b", port=443)
    c.said("two", "AllocationFailed")
    c.change("one", metadata={"annotations": {"metallb.io/allow-shared-ip": "b"}})
    c.has("two", "198.51.100.1")


# --- 3.6: pools change ---

@rule("3.6", "3.2.8")
def test_a_pool_shrinks(c):
    c.pool("p", "198.51.100.0-198.51.100.3")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change_pool("p", addresses=["198.51.100.2-198.51.100.3"])
    c.has("s", "198.51.100.2")
    c.said("s", "ClearAssignment")


@rule("3.6")
def test_a_range_moves_to_another_pool(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.delete(f"{METALLB}/ipaddresspools/p")
    c.pool("renamed", "198.51.100.0/29")
    c.in_force()
    wait_for(lambda: c.annotations("s").get("metallb.io/ip-allocated-from-pool") == "renamed", "the note follows")
    c.has("s", "198.51.100.0")


@rule("3.6", "3.2.8")
def test_a_pool_that_others_reserved(c):
    c.pool("p", "198.51.100.0/29")
    c.pool("q", "198.51.100.8/29")
    c.in_force()
    c.api.service("s", annotations={"metallb.io/address-pool": "p"})
    c.has("s", "198.51.100.0")
    c.change("s", metadata={"annotations": {"metallb.io/address-pool": None}})
    c.change_pool("p", serviceAllocation={"namespaces": ["elsewhere"]})
    c.has("s", "198.51.100.8")


@rule("3.6")
def test_a_pool_that_comes_later(c):
    c.api.service("s")
    c.said("s", "AllocationFailed")
    c.pool("p", "198.51.100.0/29")
    c.has("s", "198.51.100.0")


# --- 3.7: restarts ---

@rule("3.7")
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


@rule("3.7")
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

@rule("3.9")
def test_services_of_a_class_are_not_ours(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", loadBalancerClass="example.com/other")
    c.api.status("s", ips=["198.51.100.7"])
    c.stays("s", "198.51.100.7")
    c.api.service("ours")
    c.has("ours", "198.51.100.0")


# --- 3.1, 3.2, 3.3: more of them ---

@rule("3.1", "3.8")
def test_annotations_of_the_old_prefix(c):
    c.pool("a", "198.51.100.0/29")
    c.pool("b", "198.51.100.8/29", autoAssign=False)
    c.in_force()
    old = "metallb.universe.tf/"
    for name, port in (("one", 80), ("two", 443)):
        c.api.service(name, annotations={old + "address-pool": "b", old + "allow-shared-ip": "k"}, ports=[{"port": port}])
        c.has(name, "198.51.100.8")
    said = c.said("one", "deprecatedAnnotation", "allow-shared-ip")
    assert said["type"] == "Warning" and said["source"]["component"] == "metallb-controller"


@rule("3.2.4")
def test_no_cluster_ips(c):
    if c.api.is_real:
        pytest.skip("a real server gives it some")
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", clusterIPs=[])
    c.stays("s")
    c.change("s", spec={"clusterIPs": ["10.96.9.9"]})
    c.has("s", "198.51.100.0")
    c.change("s", spec={"clusterIPs": [], "clusterIP": ""})
    c.has("s")
    assert "metallb.io/ip-allocated-from-pool" not in c.annotations("s")


@rule("3.2.6", "3.8")
def test_nonsense_in_the_status(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.api.patch(f"{SERVICES}/s/status", {"status": {"loadBalancer": {"ingress": [{"ip": "nonsense"}]}}})
    c.has("s", "198.51.100.0")
    assert c.said("s", "nolbIPsIPFamily")["type"] == "Warning"


@rule("3.2.8")
def test_buggy_addresses_are_avoided_from_now_on(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change_pool("p", avoidBuggyIPs=True)
    c.has("s", "198.51.100.1")
    c.said("s", "ClearAssignment")


@rule("3.2.8", "3.5")
@pytest.mark.parametrize("change", [{"ports": [{"port": 80}]}, {"externalTrafficPolicy": "Local", "selector": {"app": "x"}}],
                         ids=["port", "backend"])
def test_a_change_that_sharing_does_not_allow(c, change):
    c.pool("p", "198.51.100.0/29")
    for name, port in (("one", 80), ("two", 443)):
        c.api.service(name, annotations={"metallb.io/allow-shared-ip": "k"}, ports=[{"port": port}])
        c.has(name, "198.51.100.0")
    c.change("two", spec=change)
    c.has("two", "198.51.100.1")
    c.has("one", "198.51.100.0")


@rule("3.2.10", "3.3.1", "3.1")
def test_two_addresses_by_name_in_any_order(c):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.api.service("s", ipFamilyPolicy="RequireDualStack",
                  annotations={"metallb.io/loadBalancerIPs": " 2001:db8::5 , 198.51.100.5 "})
    wait_for(lambda: sorted(c.api.addresses("s")) == ["198.51.100.5", "2001:db8::5"], "both are given")
    c.change("s", metadata={"annotations": {"metallb.io/loadBalancerIPs": "198.51.100.5,2001:db8::5"}})
    c.stays("s", "198.51.100.5", "2001:db8::5", ordered=False)  # the order of who asks may be told again, or not


@rule("3.2.10")
def test_both_ways_of_asking_by_one_that_has_an_address(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s")
    c.has("s", "198.51.100.0")
    c.change("s", spec={"loadBalancerIP": "198.51.100.4"}, metadata={"annotations": {"metallb.io/loadBalancerIPs": "198.51.100.4"}})
    assert c.said("s", "LoadBalancerFailed")["type"] == "Warning"
    c.stays("s", "198.51.100.0")


@rule("3.3.1")
@pytest.mark.parametrize("wish, spec", [
    ("2001:db8::1", {}), ("198.51.100.1", {"ipFamilyPolicy": "PreferDualStack"}),
    ("198.51.100.1,2001:db8:1::1", {"ipFamilyPolicy": "RequireDualStack"}), ("198.51.100.1,198.51.100.2", {}),
    ("198.51.100.1,2001:db8::1,198.51.100.2", {"ipFamilyPolicy": "RequireDualStack"}), ("198.51.101.0", {}),
    ("198.51.100.300", {}),
], ids=["other family", "one of two", "two pools", "two of a family", "three", "buggy", "none"])
def test_addresses_that_nobody_gets(c, wish, spec):
    c.pool("p", "198.51.100.0/29", "2001:db8::/125")
    c.pool("q", "198.51.101.0/29", "2001:db8:1::/125", avoidBuggyIPs=True)
    c.in_force()
    c.api.service("s", annotations={"metallb.io/loadBalancerIPs": wish}, **spec)
    assert c.said("s", "AllocationFailed")["type"] == "Warning"
    c.stays("s")


@rule("3.3.1", "3.3.2", "3.3 compatible")
def test_who_is_not_compatible_gets_nothing_by_name_either(c):
    c.pool("p", "198.51.100.0/29", ns=["elsewhere"])
    c.api.service("address", loadBalancerIP="198.51.100.1")
    c.api.service("pool", annotations={"metallb.io/address-pool": "p"})
    for name in ("address", "pool"):
        c.said(name, "AllocationFailed")
        c.stays(name)


@rule("3.3.3")
def test_any_pool_by_name_and_the_next_when_it_is_full(c):
    c.pool("b", "198.51.100.8/29")
    c.pool("a", "198.51.100.0/32")
    c.pool("c", "198.51.100.16/29", autoAssign=False, serviceAllocation={"priority": 1})
    c.in_force()
    c.api.service("one")
    c.has("one", "198.51.100.0")
    c.api.service("two")
    c.has("two", "198.51.100.8")


@rule("3.3 compatible", "3.6")
def test_pools_by_labels_of_namespaces(c):
    c.namespaces()
    # Selectors that match no namespace at all would be as none, beside selectors of services.
    c.api.patch("/api/v1/namespaces/blue", {"metadata": {"labels": {"team": "one"}}})
    c.pool("p", "198.51.100.0/29", serviceAllocation={"namespaceSelectors": [{"matchLabels": {"team": "one"}}],
                                                      "serviceSelectors": [{"matchLabels": {"tier": "front"}}]})
    c.api.service("s", ns="red", labels={"tier": "front"})
    c.api.service("other", ns="red")
    c.stays("s", ns="red")
    c.api.patch("/api/v1/namespaces/red", {"metadata": {"labels": {"team": "one"}}})
    c.has("s", "198.51.100.0", ns="red")
    c.stays("other", ns="red")
    # It loses what it is not compatible with any more.
    c.pool("q", "198.51.100.8/29")
    c.has("other", "198.51.100.8", ns="red")
    c.api.patch("/api/v1/namespaces/red", {"metadata": {"labels": {"team": None}}})
    c.has("s", "198.51.100.9", ns="red")


@rule("3.3 inside", "3.5")
def test_ranges_in_their_order_and_the_lowest_usable_address(c):
    c.pool("p", "198.51.100.8/31", "198.51.100.0/31")
    for i, want in enumerate(("198.51.100.8", "198.51.100.9", "198.51.100.0")):
        c.api.service(f"s{i}", annotations={"metallb.io/allow-shared-ip": "k"})
        c.has(f"s{i}", want)
    c.api.delete(f"{SERVICES}/s0")
    # A free one below the one that its partners have.
    c.api.service("s3", annotations={"metallb.io/allow-shared-ip": "k"}, ports=[{"port": 443}])
    c.has("s3", "198.51.100.8")


# --- 3.4: more families ---

@rule("3.4")
def test_ipv4_is_first_whatever_the_order_of_the_families(c):
    c.pool("p", "2001:db8::/125", "198.51.100.0/29")
    c.api.service("s", ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv6", "IPv4"])
    c.has("s", "198.51.100.0", "2001:db8::")


@rule("3.4")
@pytest.mark.parametrize("pools, families, want", [
    ({"a": ["198.51.100.0/29"], "b": ["198.51.100.8/29", "2001:db8::/125"]}, ["IPv4", "IPv6"], ["198.51.100.8", "2001:db8::"]),
    ({"a": ["198.51.100.0/29"], "b": ["2001:db8::/125"]}, ["IPv6", "IPv4"], ["2001:db8::"]),
    ({"a": ["198.51.100.0/29"]}, ["IPv6", "IPv4"], ["198.51.100.0"]),
], ids=["a pool with both", "the first family", "the second family"])
def test_two_families_preferred(c, pools, families, want):
    for name, addresses in pools.items():
        c.pool(name, *addresses)
    c.in_force()
    c.api.service("s", ipFamilyPolicy="PreferDualStack", ipFamilies=families)
    c.has("s", *want)


@rule("3.2.11", "3.8")
def test_no_second_family_to_be_had(c):
    c.pool("p", "198.51.100.0/29")
    c.pool("six", "2001:db8::/125", autoAssign=False)
    c.in_force()
    c.api.service("s", ipFamilyPolicy="PreferDualStack")
    c.has("s", "198.51.100.0")
    assert c.said("s", "AdditionalAssignFailed")["type"] == "Normal"
    c.stays("s", "198.51.100.0")


@rule("3.2.11")
def test_a_second_family_for_one_cluster_ip(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("s", ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4"], clusterIPs=["10.96.8.8"])
    c.has("s", "198.51.100.0")
    c.change_pool("p", addresses=["198.51.100.0/29", "2001:db8::/125"])
    c.has("s", "198.51.100.0", "2001:db8::")


# --- 3.5, 3.9, 3.10 ---

@rule("3.5")
def test_services_of_two_namespaces_share(c):
    c.namespaces()
    c.pool("p", "198.51.100.0/29")
    for ns, port in (("red", 80), ("blue", 443)):
        c.api.service("s", ns=ns, annotations={"metallb.io/allow-shared-ip": "k"}, ports=[{"port": port}])
        c.has("s", "198.51.100.0", ns=ns)


@rule("3.5")
def test_cluster_and_local_share_without_a_selector(c):
    c.pool("p", "198.51.100.0/29")
    share(c, "one")
    share(c, "two", port=443, externalTrafficPolicy="Local", selector=None)
    for name in ("one", "two"):
        c.has(name, "198.51.100.1")


@rule("3.9")
def test_a_class_of_its_own(c):
    c.pool("p", "198.51.100.0/29")
    c.api.service("without")
    c.has("without", "198.51.100.0")
    c.restart("  lb-class: example.com/ours\n")
    try:
        c.api.service("ours", loadBalancerClass="example.com/ours")
        c.has("ours", "198.51.100.0")  # the other one is invisible, and not even cleared
        c.stays("without", "198.51.100.0")
        assert [s["name"] for s in c.node.get("services") if s.get("pool")] == ["default/ours"]
    finally:
        c.restart()


@rule("3.10")
def test_capacity(c):
    c.pool("p", "198.51.100.0/29", "198.51.101.0/30", avoidBuggyIPs=True)
    c.pool("q", "2001:db8::/64", autoAssign=False)
    c.in_force()
    share(c, "one")
    share(c, "two", port=443)
    for name in ("one", "two"):
        c.has(name, "198.51.100.1")

    def metric(name, pool):
        text = c.node.run("curl -s http://127.0.0.1:7472/metrics").stdout
        return float(re.search(rf'^metallb_allocator_{name}{{.*pool="{pool}".*}} (\S+)$', text, re.M)[1])
    assert metric("addresses_total", "p") == 10  # 8 and 4, less the first of each
    wait_for(lambda: metric("addresses_in_use_total", "p") == 1, "one address is in use")
    assert metric("addresses_total", "q") == float(2**63 - 1)


def test_every_rule_has_a_test():
    import test_kube_election  # noqa: F401
    assert set(RULES) - tested == set()
