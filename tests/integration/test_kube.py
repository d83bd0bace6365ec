"""crier in a Kubernetes cluster: the stand-in for an API server, nodes, a client and a router in namespaces.

The rules of the reference's §3 are in test_kube_rules.py."""

import json
import re
import time

import pytest
from crierlab import Bird
from kubelab import LAN, METALLB, NAMESPACE, TOKEN, Api, KubeNode, make_certificates
from netlab import wait_for

VIP = "10.50.0.200"
POOL = "10.50.0.200-10.50.0.219"
POOL_NOTE = "metallb.io/ip-allocated-from-pool"
PLANS = "crier_planner_decisions_total"
UPDATES = "crier_kubernetes_updates_total"
CONFIG = f"""
address-pools:
- name: old
  protocol: layer2
  addresses: [{POOL}]
"""

BIRD = """
    router id 10.50.0.3;
    protocol device {{}}
    protocol kernel {{ ipv4 {{ export none; }}; }}
    {peers}
"""
BIRD_PEER = """
    protocol bgp {name} {{
      local 10.50.0.3 as 64513;
      neighbor {address} as 64512;
      passive on;
      ipv4 {{ import all; export none; }};
    }}
"""


def make(lab, names="a", api_options=(), start=True, options=(), extra=""):
    """The API server, a client and nodes on one LAN."""
    lan = lab.switch("lan")
    api = lab.host("api", lan, LAN.format(2) + "/24", cls=Api).start(*api_options)
    client = lab.host("client", lan, LAN.format(100) + "/24")
    nodes = [lab.host(n, lan, LAN.format(11 + i) + "/24", cls=KubeNode) for i, n in enumerate(names)]
    join = ", ".join(LAN.format(11 + i) for i in range(len(names)))
    cluster = f"cluster: {{join: [{join}]}}\n" if len(names) > 1 else ""
    for n in nodes:
        api.node(n.name)
        n.configure_kube(api, cluster + extra)
    if start:
        for n in nodes:
            n.start_kube(*options)
        for n in nodes:
            wait_for(n.is_synced, f"{n.name} has seen the API")
    return lan, api, client, nodes


def layer2(api, addresses=POOL):
    api.resource("IPAddressPool", "pool", addresses=[addresses])
    api.resource("L2Advertisement", "everywhere")


def wait_addresses(api, name, want=None, timeout=20, ns="default"):
    """The addresses of a service, as soon as there are some (or just these)."""
    def found():
        have = api.addresses(name, ns)
        return have if (have == want if want is not None else have) else None
    return wait_for(found, f"{name} has {want or 'an address'}", timeout, 0.05) if want != [] else \
        wait_for(lambda: not api.addresses(name, ns), f"{name} has no address", timeout, 0.05)


def wait_owner(nodes, address, timeout=20):
    def one():
        owners = [n for n in nodes if n.daemon.poll() is None and n.owns(address)]
        return owners[0] if len(owners) == 1 else None
    return wait_for(one, f"one owner of {address}", timeout, 0.05)


def assert_no_address_twice(api, *shared):
    """No two services have one address, but for those that may."""
    holders = {}
    for s in api.items("/api/v1/services"):
        for i in s.get("status", {}).get("loadBalancer", {}).get("ingress") or []:
            if s["metadata"]["name"] not in shared:
                assert i["ip"] not in holders, f"{i['ip']}: {holders[i['ip']]} and {s['metadata']['name']}"
                holders[i["ip"]] = s["metadata"]["name"]


def leader(nodes):
    return next((n for n in nodes if n.daemon.poll() is None and n.status()["allocator"]["leads"]), None)


def test_from_a_service_to_the_wire(lab):
    """A service is created: it gets an address, is announced in both modes, follows its endpoints, and goes."""
    lan, api, client, nodes = make(lab, "abc")
    router = lab.host("router", lan, LAN.format(3) + "/24", cls=Bird)
    router.start(BIRD.format(peers="".join(BIRD_PEER.format(name=f"node_{n.name}", address=LAN.format(11 + i))
                                           for i, n in enumerate(nodes))))
    layer2(api)
    api.resource("BGPAdvertisement", "everywhere")
    api.resource("BGPPeer", "router", myASN=64512, peerASN=64513, peerAddress=LAN.format(3))
    api.service("web")
    api.endpoints("web", ["a", "b"])
    assert wait_addresses(api, "web") == [VIP]

    owner = wait_owner(nodes, VIP)
    wait_for(lambda: client.run(f"arping -c 1 -w 2 -I eth0 {VIP}", check=False).returncode == 0, "ARP is answered")
    client.run(f"ping -c 1 -W 1 {VIP}", check=False)
    assert client.neighbour(VIP) == owner.mac()
    assert len(router.wait_route(f"{VIP}/32", paths=3)) == 3

    service = api.get("/api/v1/namespaces/default/services/web")
    assert service["metadata"]["annotations"][POOL_NOTE] == "pool"
    assert service["status"]["loadBalancer"] == {"ingress": [{"ip": VIP}]}
    event = wait_for(lambda: api.events("IPAllocated", "web"), "the event")[0]
    assert event["message"] == f'Assigned IP ["{VIP}"]'
    assert event["source"]["component"] == "metallb-controller"
    assert event["type"] == "Normal" and event["involvedObject"]["uid"] == service["metadata"]["uid"]

    # Only nodes with an endpoint, where the policy is Local; then nobody has one.
    api.patch("/api/v1/namespaces/default/services/web", {"spec": {"externalTrafficPolicy": "Local"}})
    router.wait_route(f"{VIP}/32", paths=2)
    wait_for(lambda: len(router.routes()[f"{VIP}/32"]) == 2, "the route is that of two nodes")
    assert wait_owner(nodes, VIP) in nodes[:2]
    api.endpoints("web", ["c"])
    wait_for(lambda: nodes[2].owns(VIP), "c has the endpoint, and the address")
    api.endpoints("web", [])
    router.wait_no_route(f"{VIP}/32")
    wait_for(lambda: not any(n.owns(VIP) for n in nodes), "nobody answers")
    assert wait_addresses(api, "web") == [VIP]

    # The one that answers dies; the service goes.
    api.endpoints("web", ["a", "b", "c"])
    owner = wait_owner(nodes, VIP)
    owner.kill()
    rest = [n for n in nodes if n is not owner]
    wait_owner(rest, VIP)
    api.delete("/api/v1/namespaces/default/services/web")
    wait_for(lambda: not any(n.owns(VIP) for n in rest), "the address is let go of")
    router.wait_no_route(f"{VIP}/32")


def test_an_allocator_that_dies_in_the_middle_of_a_write(lab):
    """Its write is carried out, the answer lost, and it dies: another goes on, and no address is given twice."""
    lan, api, client, nodes = make(lab, "abc")
    layer2(api)
    first = wait_for(lambda: leader(nodes), "somebody allocates")
    api.service("one")
    wait_addresses(api, "one")
    api.fault(r"^PATCH .*/services/two/status", "lost", times=1)
    api.fault(r"^PATCH .*/services/three/status", "hang", times=2)
    for name in ("two", "three", "four"):
        api.service(name)
    wait_addresses(api, "two")
    first.kill()
    rest = [n for n in nodes if n is not first]
    second = wait_for(lambda: leader(rest), "another allocates", 30, 0.1)
    for name in ("one", "two", "three", "four"):
        wait_addresses(api, name, timeout=40)
    assert_no_address_twice(api)
    assert second.status()["allocator"]["holder"].startswith(second.name)
    # The third one need not wait: the second lets go of the lease when it is stopped.
    second.stop()
    third = next(n for n in rest if n is not second)
    wait_for(lambda: leader([third]), "the last one allocates", 8, 0.05)
    api.service("five")
    wait_addresses(api, "five")
    assert_no_address_twice(api)


def test_writes_under_way_while_the_pools_change(lab):
    """What is about to stand in a status is nobody else's, though the allocator begins anew meanwhile."""
    lan, api, client, (a,) = make(lab, "a")
    layer2(api)
    wait_for(lambda: any(e["pools"] for e in a.events("configLoaded")), "the pool is in force")
    api.fault(r"^PATCH .*/services/[a-e]/status", "slow", times=5, seconds=2)
    for name in "abcde":
        api.service(name)
    wait_for(lambda: len(a.events("ipAllocated")) == 5, "all writes are under way")
    api.resource("IPAddressPool", "spare", addresses=["10.50.0.240-10.50.0.249"])
    wait_for(lambda: any(e["pools"] == 2 for e in a.events("configLoaded")), "another pool is in force")
    for name in "fghij":
        api.service(name)
    for name in "abcdefghij":
        wait_addresses(api, name)
    assert_no_address_twice(api)
    assert not a.events("ClearAssignment") and len(a.events("ipAllocated")) == 10


def test_an_api_server_that_is_away(lab):
    """What is announced stays; when it is back only differences are acted on."""
    lan, api, client, nodes = make(lab, "ab")
    layer2(api)
    for name in ("one", "two"):
        api.service(name)
        api.endpoints(name, ["a", "b"])
        wait_addresses(api, name)
    owner = wait_owner(nodes, VIP)
    api.order("snapshot")
    taken = len(owner.events("addressTaken"))
    client.run(f"ip route flush cache", check=False)
    api.run("ip link set eth0 down")
    wait_for(lambda: any("can't be read" in p["text"] for p in nodes[0].status()["problems"]), "it is noticed", 30, 0.1)
    assert owner.owns(VIP)
    assert client.run(f"arping -c 1 -w 2 -I eth0 {VIP}").returncode == 0
    api.delete("/api/v1/namespaces/default/services/two")
    api.service("three")
    api.endpoints("three", ["a", "b"])
    time.sleep(1)
    assert owner.owns(VIP) and not api.addresses("three")
    api.run("ip link set eth0 up")
    wait_addresses(api, "three", timeout=60)
    wait_for(lambda: all(n.is_synced() for n in nodes), "all can read it again", 60, 0.1)
    assert owner.owns(VIP) and api.addresses("one") == [VIP]
    assert len([e for e in owner.events("addressGivenUp") if e["ip"] == VIP]) == 0
    assert len(owner.events("addressTaken")) <= taken + 1


def test_a_restart_takes_nothing_away(lab):
    """A node that starts decides nothing before it has seen everything."""
    lan, api, client, (a,) = make(lab, "a")
    layer2(api)
    for i in range(5):
        api.service(f"s{i}")
        api.endpoints(f"s{i}", ["a"])
        wait_addresses(api, f"s{i}")
    before = {f"s{i}": api.addresses(f"s{i}") for i in range(5)}
    a.stop()
    api.service("newer")
    api.requests()
    api.fault(r"^GET .*/services\?", "slow", times=1, seconds=2)
    a.start_kube()
    assert any("not been seen" in p["text"] for p in a.status()["problems"])
    wait_addresses(api, "newer", timeout=40)
    assert {name: api.addresses(name) for name in before} == before
    assert [r for r in api.requests() if r.startswith("PATCH") and "/services/" in r] == [
        "PATCH /api/v1/namespaces/default/services/newer/status"]


def test_a_config_map_edited_badly_and_well(lab):
    lan, api, client, (a,) = make(lab, "a")
    api.config_map(CONFIG)
    api.service("web")
    api.endpoints("web", ["a"])
    wait_addresses(api, "web", [VIP])
    wait_owner([a], VIP)

    api.config_map(CONFIG.replace("layer2", "carrier-pigeon"))
    stale = wait_for(lambda: a.events("configStale"), "the bad one is refused")[0]
    assert "ConfigMap metallb-system/config:4" in stale["error"] and "carrier-pigeon" in stale["error"]
    assert a.owns(VIP)
    assert "metallb_k8s_client_config_stale_bool 1" in a.run("curl -s http://127.0.0.1:7472/metrics").stdout

    # As v0.12: an address in use stays in its pool, or nothing changes.
    api.config_map(CONFIG.replace("10.50.0.200-", "10.50.0.210-"))
    wait_for(lambda: len(a.events("configStale")) == 2, "what takes an address away is refused")
    assert "default/web" in a.events("configStale")[1]["error"]
    assert a.owns(VIP)

    api.config_map(CONFIG.replace("name: old", "name: renamed"))
    wait_for(lambda: not a.status()["config"].get("error"), "the good one is in force")
    wait_for(lambda: api.get("/api/v1/namespaces/default/services/web")["metadata"]["annotations"][POOL_NOTE] ==
             "renamed", "the note follows")
    assert a.owns(VIP)
    assert "metallb_k8s_client_config_stale_bool 0" in a.run("curl -s http://127.0.0.1:7472/metrics").stdout


def test_config_map_and_resources_side_by_side(lab):
    lan, api, client, (a,) = make(lab, "a")
    api.config_map(CONFIG)
    api.resource("IPAddressPool", "new", addresses=["10.50.0.220-10.50.0.229"], autoAssign=False)
    api.resource("L2Advertisement", "new", ipAddressPools=["new"])
    api.service("old")
    api.service("new", annotations={"metallb.io/address-pool": "new"})
    for name in ("old", "new"):
        api.endpoints(name, ["a"])
    wait_addresses(api, "old", ["10.50.0.200"])
    wait_addresses(api, "new", ["10.50.0.220"])
    wait_owner([a], "10.50.0.200")
    wait_owner([a], "10.50.0.220")
    # One name in both formats is an error, which changes nothing.
    api.resource("IPAddressPool", "old", addresses=["10.50.0.230-10.50.0.239"])
    wait_for(lambda: a.events("configStale"), "it is refused")
    assert a.owns("10.50.0.200") and a.owns("10.50.0.220")
    api.delete(METALLB + "/ipaddresspools/old")
    wait_for(lambda: not a.status()["config"].get("error"), "it is mended")


FAULTS = {
    "429": ("status", {"code": 429, "retry-after": 1}),
    "500": ("status", {"code": 500}),
    "410": ("status", {"code": 410, "reason": "Expired"}),
    "504": ("status", {"code": 504, "reason": "Timeout"}),
    "401": ("status", {"code": 401, "reason": "Unauthorized"}),
    "reset": ("reset", {}),
    "garbage": ("garbage", {}),
    "truncate": ("truncate", {}),
    "gone": ("gone", {}),
    "slow": ("slow", {"seconds": 1}),
}


@pytest.mark.parametrize("fault,streams", [(f, "refused") for f in FAULTS] + [(f, "offered") for f in (
    "429", "410", "reset", "garbage", "truncate", "gone")])
def test_faults_of_the_api(lab, fault, streams):
    """Each fault hits lists and watches several times; in the end everything is as it should be."""
    lan, api, client, (a,) = make(lab, "a", start=False, api_options=("--streams", streams))
    action, more = FAULTS[fault]
    layer2(api)
    api.service("one")
    api.endpoints("one", ["a"])
    api.fault(r"^GET .*(services|endpointslices|ipaddresspools)\?.*limit", action, times=4, **more)
    api.fault(r"^GET .*(services|endpointslices|ipaddresspools)\?.*watch", action, times=4, **more)
    a.start_kube()
    wait_addresses(api, "one", [VIP], timeout=60)
    wait_owner([a], VIP)
    for i in range(3):
        api.fault(r"^GET .*services\?.*watch", action, times=1, **more)
        api.order("drop")
        api.service(f"more{i}")
        wait_addresses(api, f"more{i}", timeout=60)
    api.delete("/api/v1/namespaces/default/services/one")
    wait_for(lambda: not a.owns(VIP), "the address is let go of", 60)
    assert_no_address_twice(api)


@pytest.mark.parametrize("streams", ["offered", "refused", "ignored"])
def test_lists_as_the_server_offers_them(lab, streams):
    """Streamed, where it offers that; in pages where it refuses, or takes the stream for a plain watch."""
    lan, api, client, (a,) = make(lab, "a", start=False, api_options=("--streams", streams))
    layer2(api)
    for i in range(120):
        api.service(f"s{i}", type="LoadBalancer" if i == 7 else "ClusterIP")
    api.requests()
    a.start_kube()
    wait_for(a.is_synced, "all has been seen", 30)
    wait_addresses(api, "s7", [VIP])
    assert not a.events("apiTrouble")
    lists = [r for r in api.requests() if re.match(r"GET /api/v1/services\?", r)]
    asked = ["stream" if "sendInitialEvents=true" in r else "page" if "limit=" in r else "watch" for r in lists]
    assert asked == (["stream"] if streams == "offered" else ["stream", "page", "page", "watch"])
    # Much is missed, and has to be compared: in the way that is known by now.
    api.order("drop")
    api.order("compact")
    api.delete("/api/v1/namespaces/default/services/s7")
    wait_for(lambda: not a.get("services"), "it is seen that it is gone", 30, 0.1)
    again = [r for r in api.requests() if re.match(r"GET /api/v1/services\?", r)]
    assert all(("sendInitialEvents" in r) == (streams == "offered") for r in again if "resourceVersion=" not in r)


@pytest.mark.parametrize("streams", ["offered", "refused"])
def test_time_goes_back(lab, streams):
    """etcd is set back to a backup: versions and objects are older than what was seen."""
    lan, api, client, (a,) = make(lab, "a", api_options=("--bookmark-after", "0.5", "--streams", streams))
    layer2(api)
    api.service("kept")
    api.endpoints("kept", ["a"])
    wait_addresses(api, "kept", [VIP])
    wait_owner([a], VIP)
    api.order("snapshot")
    api.service("later")
    api.endpoints("later", ["a"])
    wait_addresses(api, "later", ["10.50.0.201"])
    wait_owner([a], "10.50.0.201")
    api.order("storm", plural="services", times=20)
    api.order("restore")
    wait_for(lambda: not any(s["name"] == "default/later" for s in a.get("services")), "what is not there is gone", 60)
    wait_for(lambda: not a.owns("10.50.0.201"), "its address is let go of")
    assert a.owns(VIP)
    api.service("again")
    wait_addresses(api, "again", ["10.50.0.201"], timeout=60)


def test_connections_that_are_dead_without_a_word(lab):
    lan, api, client, (a,) = make(lab, "a")
    layer2(api)
    api.service("one")
    wait_addresses(api, "one")
    # Packets of the connections that stand now vanish; new ones pass.
    api.run("nft add table ip t")
    api.run(["nft", "add chain ip t in { type filter hook input priority 0 ; }"])
    ports = api.run(["sh", "-c", "ss -Htn state established '( sport = :6443 )' | awk '{print $4}' | sed 's/.*://'"]).stdout
    for port in ports.split():
        api.run(f"nft add rule ip t in tcp sport {port} drop")
    api.service("two")
    wait_addresses(api, "two", timeout=25)


def test_a_storm_costs_nothing(lab):
    """Changes that nobody cares about reach no plan, and no write."""
    lan, api, client, (a,) = make(lab, "a")
    layer2(api)
    for i in range(10):
        api.service(f"s{i}")
    for i in range(10):
        wait_addresses(api, f"s{i}")
        wait_for(lambda i=i: api.events("IPAllocated", f"s{i}"), "all has been said")
    metrics = a.metrics()
    api.requests()
    api.order("storm", plural="nodes", times=100)
    api.order("storm", plural="services", times=20)
    wait_for(lambda: a.metrics()[UPDATES] >= metrics[UPDATES] + 300, "all changes have come")
    assert a.metrics()[PLANS] == metrics[PLANS]
    assert not [r for r in api.requests() if not r.startswith("GET") and "/leases/" not in r]
    assert a.is_synced() and not a.status()["problems"]


def test_shadow(lab):
    """Beside what is in force, a node that only watches tells what it would do differently, and does nothing."""
    lan, api, client, (a, shadow) = make(lab, "ab", start=False)
    a.configure_kube(api)
    a.start_kube()
    wait_for(a.is_synced, "a has seen the API")
    layer2(api)
    api.service("web", externalTrafficPolicy="Local")
    api.endpoints("web", ["a"])
    wait_addresses(api, "web", [VIP])
    wait_owner([a], VIP)
    shadow.start_kube("--shadow")
    wait_for(shadow.is_synced, "it has seen the API")

    def differences(*want):
        def found():
            have = [(i["name"], i["what"], i["state"]) for i in shadow.get("shadow")]
            return have == list(want)
        wait_for(found, f"the differences are {want}, not {shadow.get('shadow')}")

    differences()
    api.service("other", loadBalancerIP="10.50.0.210", externalTrafficPolicy="Local")
    api.endpoints("other", ["a"])
    wait_addresses(api, "other", ["10.50.0.210"])
    wait_owner([a], "10.50.0.210")
    differences()
    a.stop()
    api.requests()
    api.service("new")
    api.status("other", ips=["10.9.9.9"])
    differences(("default/other", "addresses", "changed"), ("default/new", "addresses", "added"))
    item = shadow.get("shadow")[0]
    assert item["in-force"] == ["10.9.9.9"] and item["with-crier"] == ["10.50.0.210"] and "10.9.9.9" in item["reason"]
    api.endpoints("web", ["b"])
    differences(("default/other", "addresses", "changed"), ("default/new", "addresses", "added"), ("default/web", "layer2", "changed"))
    assert [(i["in-force"], i["with-crier"]) for i in shadow.get("shadow")][2] == (["a"], ["b"])
    assert "10.9.9.9" in shadow.crier("get", "shadow").stdout
    assert not [r for r in api.requests() if not r.startswith("GET") and not re.search("/(services|endpointslices|leases)|status", r)]
    assert not shadow.owns(VIP) and "allocator" not in shadow.status()
    # Whoever may write such objects may write anything into them.
    api.create(f"{METALLB}/servicebgpstatuses", {"kind": "ServiceBGPStatus", "metadata": {"name": "odd"}, "spec": {}})
    api.patch(f"{METALLB}/servicebgpstatuses/odd/status",
              {"status": {"node": "b", "serviceName": "web", "serviceNamespace": "default", "peers": [7, None, {}]}})
    api.resource("BGPPeer", "router", myASN=64512, peerASN=64513, peerAddress=LAN.format(3))
    api.resource("BGPAdvertisement", "all")
    wait_for(lambda: ("default/web", "bgp", []) in [(i["name"], i["what"], i["in-force"]) for i in shadow.get("shadow")],
             "the odd one names no peers")



def test_ip_modes(lab):
    """A server that puts VIP where nothing was said is not written to again and again; Proxy is written where it is wanted."""
    lan, api, client, (a,) = make(lab, "a", api_options=("--ip-modes",))
    layer2(api)
    api.service("web")
    wait_addresses(api, "web", [VIP])
    entries = "/api/v1/namespaces/default/services/web"
    assert api.get(entries)["status"]["loadBalancer"]["ingress"] == [{"ip": VIP, "ipMode": "VIP"}]
    before = a.metrics()
    api.requests()
    api.order("storm", plural="services", times=3)
    wait_for(lambda: a.metrics()[UPDATES] >= before[UPDATES] + 3, "the changes have come")
    assert not [r for r in api.requests() if "/services/web/status" in r]
    a.configure(a.config.read_text() + "  ip-mode: Proxy\n")
    a.crier("reload")
    wait_for(lambda: api.get(entries)["status"]["loadBalancer"]["ingress"] == [{"ip": VIP, "ipMode": "Proxy"}],
             "the mode is written")



def test_http2(lab):
    """Lists, watches and writes as streams of one connection, where a server speaks HTTP/2 (here a proxy before it)."""
    lan, api, client, (a,) = make(lab, "a", start=False)
    log = api.dir / "proxy.log"
    api.popen(["nghttpx", "--conf=/dev/null", f"--frontend={LAN.format(2)},6444", f"--backend={LAN.format(2)},6443;;tls",
               "--insecure", "--no-ocsp", "--workers=1", f"--accesslog-file={log}",
               "--accesslog-format=$alpn $remote_port $request", api.dir / "server.key", api.dir / "server.crt"], "nghttpx.log")
    wait_for(lambda: ":6444" in api.run("ss -Htln").stdout, "the proxy listens")
    config = api.dir / "kubeconfig-2"
    api.write_kubeconfig(config, {"token": TOKEN}, server=f"https://{LAN.format(2)}:6444")
    a.configure_kube(api, kubeconfig=config)
    a.start_kube()
    wait_for(a.is_synced, "a has seen the API")
    layer2(api)
    for i in range(20):
        api.service(f"s{i}")
    for i in range(20):
        wait_addresses(api, f"s{i}")
    lines = log.read_text().splitlines()
    assert any("PATCH" in line for line in lines) and all(line.startswith("h2 ") for line in lines)
    assert len({line.split()[1] for line in lines}) <= 2  # connections


def test_identities(lab):
    """A token of a file that changes, a client certificate, a command that prints a token; and none."""
    lan, api, client, (a,) = make(lab, "a", start=False)
    layer2(api)
    api.service("web")
    token = api.dir / "token"
    command = api.dir / "get-token"
    command.write_text("#!/bin/sh\necho '{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", "
                       "\"status\": {\"token\": \"open-sesame\"}}'\n")
    command.chmod(0o755)
    users = {
        "certificate": {"client-certificate": str(api.dir / "client.crt"), "client-key": str(api.dir / "client.key")},
        "command": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(command)}},
        "file": {"tokenFile": str(token)},
    }
    token.write_text("open-sesame\n")
    for name, user in users.items():
        path = api.dir / f"kubeconfig-{name}"
        api.write_kubeconfig(path, user)
        a.configure_kube(api, kubeconfig=path)
        a.start_kube()
        wait_for(a.is_synced, f"{name} is let in")
        if name != "file":
            a.stop()
    # The token changes on the server first: 401, and the file is read again.
    (api.dir / "tokens").write_text("another\n")
    api.order("drop")
    wait_for(lambda: "401" in str(a.status()["problems"]), "the old one is refused")
    token.write_text("another\n")
    wait_for(lambda: not a.status()["problems"] or a.is_synced(), "the new one is read", 40, 0.1)
    wait_for(a.is_synced, "all is well", 40, 0.1)


@pytest.mark.parametrize("how", ["drop", "reject with tcp reset"])
def test_several_servers(lab, how):
    """One that dies, with a word or without, is noticed within seconds; the other is asked for everything."""
    lan = lab.switch("lan")
    both = [LAN.format(2), LAN.format(5)]
    api = lab.host("api", lan, f"{both[0]}/24", cls=Api)
    api.run(f"ip addr add {both[1]}/24 dev eth0")
    api.start(more=both[1:])
    a = lab.host("a", lan, LAN.format(11) + "/24", cls=KubeNode)
    api.node("a")
    urls = ", ".join(f'"https://{address}:6443"' for address in both)
    a.configure_kube(api, f"  servers: [{urls}]\n")
    a.start_kube()
    wait_for(a.is_synced, "a has seen the API")
    layer2(api)
    api.service("one")
    wait_addresses(api, "one")

    used = a.status()["kubernetes"]["server"]
    dead = next(address for address in both if address in used)
    api.run("nft add table ip t")
    api.run(["nft", "add chain ip t in { type filter hook input priority 0 ; }"])
    api.run(["nft", f"add rule ip t in ip daddr {dead} tcp dport 6443 {how}"])
    began = time.monotonic()
    api.service("two")
    wait_addresses(api, "two", timeout=30)
    took = time.monotonic() - began
    wait_for(a.is_synced, "all is read from the other", 30)
    assert dead not in a.status()["kubernetes"]["server"]
    assert took < 25, took


def test_authorities_and_certificates_rotate(lab):
    """The files change, as a kubelet changes them; crier goes on without a restart, by whatever it held before."""
    lan, api, client, (a,) = make(lab, "a", start=False)
    mounted = api.dir / "mounted"
    mounted.mkdir()
    names = ("ca.crt", "client.crt", "client.key")

    def mount(old=""):
        for name in names:
            text = (api.dir / name).read_text()
            fresh = mounted / (name + ".new")
            fresh.write_text(text + old if name == "ca.crt" else text)
            fresh.rename(mounted / name)

    mount()
    config = api.dir / "kubeconfig-files"
    api.write_kubeconfig(config, {"client-certificate": str(mounted / "client.crt"), "client-key": str(mounted / "client.key")})
    text = json.loads(config.read_text())
    del text["clusters"][0]["cluster"]["certificate-authority-data"]
    text["clusters"][0]["cluster"]["certificate-authority"] = str(mounted / "ca.crt")
    config.write_text(json.dumps(text))
    a.configure_kube(api, kubeconfig=config)
    a.start_kube()
    wait_for(a.is_synced, "it is let in by its certificate")

    old = (api.dir / "ca.crt").read_text()
    make_certificates(api.dir, LAN.format(2))
    api.server.kill()
    api.server.wait()
    api.run_server()
    wait_for(lambda: "certificate" in str(a.status()["problems"]), "nobody that it knows vouches for the server", 30)
    mount(old)
    wait_for(a.is_synced, "it believes the new authority, and shows its new certificate", 40, 0.1)


def test_a_server_that_nobody_vouches_for(lab):
    """Another authority's certificate, or another name: nothing is read, whatever it says."""
    lan, api, client, (a,) = make(lab, "a", start=False)
    stranger = lab.host("stranger", lan, LAN.format(4) + "/24", cls=Api).start(address=LAN.format(4))
    path = api.dir / "kubeconfig-wrong"
    api.write_kubeconfig(path, {"token": "open-sesame"}, server=f"https://{LAN.format(4)}:6443")
    a.configure_kube(api, kubeconfig=path)
    a.start_kube()
    wait_for(lambda: "certificate" in str(a.status()["problems"]), "it is refused")
    assert not stranger.requests()


def test_definitions_that_are_not_there(lab):
    """Without the kinds of metallb.io a ConfigMap is enough."""
    lan, api, client, (a,) = make(lab, "a", api_options=("--without-metallb",))
    api.config_map(CONFIG)
    api.service("web")
    wait_addresses(api, "web", [VIP])


def test_a_cluster_without_slices(lab):
    """Of an old cluster Endpoints are read."""
    lan, api, client, (a,) = make(lab, "a", start=False)
    api.fault(r"^GET .*/endpointslices", "status", times=10000, code=404, reason="NotFound")
    layer2(api)
    api.service("web")
    endpoints = "/api/v1/namespaces/default/endpoints"
    points, ports = [{"ip": "10.244.0.1", "nodeName": "a"}], [{"port": 80}]
    api.create(endpoints, {"metadata": {"name": "web"}, "subsets": [{"addresses": points, "ports": ports}]})
    a.start_kube()
    wait_addresses(api, "web", [VIP])
    wait_owner([a], VIP)
    states = {w["kind"]: w["state"] for w in a.status()["kubernetes"]["watches"]}
    assert states["EndpointSlice"] == "absent" and states["Endpoints"] == "watching"
    api.patch(f"{endpoints}/web", {"subsets": [{"notReadyAddresses": points, "ports": ports}]})
    wait_for(lambda: not a.owns(VIP), "its endpoint is not ready")


def test_roles(lab):
    """One node allocates and says nothing, the other says what is allocated."""
    lan, api, client, nodes = make(lab, "ab", start=False)
    a, b = nodes
    layer2(api)
    api.service("web")
    api.endpoints("web", ["a", "b"])
    b.start_kube("--role", "announcer")
    wait_for(b.is_synced, "b has seen the API")
    time.sleep(1)
    assert not api.addresses("web") and "allocator" not in b.status()
    a.start_kube("--role", "allocator")
    wait_addresses(api, "web", [VIP])
    api.status("web", ips=[VIP])
    assert not a.owns(VIP)
    assert a.get("l2") == []


def test_a_foreign_hand(lab):
    """Another controller writes addresses of the same services: crier's stops, and says so."""
    lan, api, client, (a,) = make(lab, "a")
    layer2(api)
    api.service("web")
    wait_addresses(api, "web", [VIP])
    for i in range(5):
        api.status("web", ips=[f"10.50.0.2{10 + i}"])
        time.sleep(0.5)
    wait_for(lambda: a.events("foreignAllocator"), "it is noticed")
    assert "another allocator" in str(a.status()["problems"])
    api.service("later")
    time.sleep(1)
    assert not api.addresses("later")


def test_kubectl(lab):
    """kubectl talks to the stand-in, and what it applies comes into force."""
    lan, api, client, (a,) = make(lab, "a")
    pool = """{"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "p", "namespace": "%s"},
               "spec": {"addresses": ["%s"]}}""" % (NAMESPACE, POOL)
    service = """{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
                  "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}"""
    for text in (pool, service):
        api.kubectl("apply", "--validate=false", "-f", "-", stdin=text)
    wait_addresses(api, "web", [VIP])
    shown = api.kubectl("get", "services", "web", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}").stdout
    assert shown == VIP
    api.kubectl("delete", "service", "web")
    wait_for(lambda: not [s for s in a.get("services") if s["name"] == "default/web"], "it is gone")


def statuses(api, plural, **labels):
    wanted = {f"metallb.io/{k.replace('_', '-')}": v for k, v in labels.items()}
    return [o for o in api.items(f"{METALLB}/{plural}")
            if wanted.items() <= o["metadata"].get("labels", {}).items()]


def test_what_a_node_reports(lab):
    """nodeAssigned, ServiceL2Status, ServiceBGPStatus, ConfigurationState: made, changed, removed, and owned by a pod."""
    lan, api, client, (a,) = make(lab, "a", start=False)
    layer2(api)
    api.resource("BGPAdvertisement", "all")
    api.resource("BGPPeer", "tor", myASN=64512, peerASN=64513, peerAddress=LAN.format(3))
    pod = api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", {"metadata": {"name": "crier-x"}, "spec": {}})
    left = {"metadata": {"name": "l2-left", "labels": {"metallb.io/node": "a", "metallb.io/service-name": "gone",
                                                       "metallb.io/service-namespace": "default"}}, "spec": {}}
    other = {"metadata": {"name": "l2-other", "labels": {**left["metadata"]["labels"], "metallb.io/node": "b"}}, "spec": {}}
    for obj in (left, other):
        api.create(METALLB + "/servicel2statuses", obj)
    a.env["METALLB_POD_NAME"] = "crier-x"
    a.start_kube()
    api.service("web")
    api.endpoints("web", ["a"])
    wait_addresses(api, "web", [VIP])
    l2 = wait_for(lambda: [o for o in statuses(api, "servicel2statuses", node="a", service_name="web") if o.get("status")],
                  "the ServiceL2Status is there", 30, 0.1)[0]
    assert l2["status"] == {"node": "a", "serviceName": "web", "serviceNamespace": "default"}
    assert l2["metadata"]["ownerReferences"] == [
        {"apiVersion": "v1", "kind": "Pod", "name": "crier-x", "uid": pod["metadata"]["uid"]}]
    bgp = wait_for(lambda: [o for o in statuses(api, "servicebgpstatuses", node="a") if o.get("status")], "the BGP one", 30,
                   0.1)[0]
    assert bgp["status"]["peers"] == ["tor"] and bgp["metadata"]["name"].startswith("bgp-")
    said = wait_for(lambda: e if len(e := api.events("nodeAssigned", "web")) == 2 else None, "nodeAssigned", 20, 0.1)
    assert {e["message"] for e in said} == {f'announcing from node "a" with protocol "{p}"' for p in ("layer2", "bgp")}
    assert all(e["source"] == {"component": "metallb-speaker", "host": "a"} for e in said)
    wait_for(lambda: not statuses(api, "servicel2statuses", service_name="gone", node="a"), "what was left is removed", 40, 0.1)
    assert statuses(api, "servicel2statuses", node="b"), "another node's is its own business"

    state = api.get(f"{METALLB}/configurationstates/speaker-a")
    assert state["status"]["result"] == "Valid"
    api.resource("IPAddressPool", "bad", addresses=["10.50.0.300/24"])
    wait_for(lambda: api.get(f"{METALLB}/configurationstates/speaker-a")["status"]["result"] == "Invalid", "it says so", 20, 0.1)
    blamed = wait_for(lambda: api.events("configStale", "bad"), "an event names the object", 20, 0.1)[0]
    assert blamed["involvedObject"]["kind"] == "IPAddressPool" and "10.50.0.300/24" in blamed["message"]
    api.delete(METALLB + "/ipaddresspools/bad")

    api.delete(METALLB + "/bgppeers/tor")
    wait_for(lambda: not statuses(api, "servicebgpstatuses"), "nobody hears of it by BGP any more", 20, 0.1)
    api.delete("/api/v1/namespaces/default/services/web")
    wait_for(lambda: not statuses(api, "servicel2statuses", node="a"), "nothing is left", 20, 0.1)
