"""What a person types and what a dashboard reads, against a running node."""

import json

from cluster import lan_nodes, start_all, wait_owner
from netlab import wait_for

TEXT = """
    peers: [{name: tor, peer-address: 10.50.0.1, peer-asn: 64513, my-asn: 64512, password: hunter2}]
    address-pools:
    - {name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}
    - {name: public, protocol: bgp, addresses: [198.51.100.0/24]}
    services:
    - {name: web, addresses: [10.50.0.200]}
    - {name: api, addresses: [198.51.100.7]}
"""
KINDS = ("services", "pools", "peers", "routes", "networks", "bfd", "l2", "members", "nodes", "events")


def test_every_kind_in_every_form(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], TEXT, cluster=False)
    wait_owner([node], "10.50.0.200")
    for kind in KINDS:
        for form in ("table", "wide", "json", "yaml"):
            done = node.crier("get", kind, "-o", form)
            assert done.stdout and "hunter2" not in done.stdout
        data = json.loads(node.crier("get", kind, "-o", "json").stdout)
        assert data["node"] == "a" and isinstance(data["items"], list)
        assert all({"name", "state", "since"} <= item.keys() for item in data["items"]), data["items"]
        # One prefix of the HTTP port gives the same.
        web = json.loads(node.run(f"curl -s --max-time 3 http://127.0.0.1:7472/v1/{kind}").stdout)
        assert web.get("kind") == data["kind"], (kind, web)
        if kind not in ("routes", "bfd", "events", "members"):
            assert [i["name"] for i in web["items"]] == [i["name"] for i in data["items"]]
    assert node.crier("get", "services", "nothing", check=False).returncode == 1
    assert node.crier("get", "servces", check=False).returncode == 2
    assert "services" in node.crier("get", "servces", check=False).stderr


def test_exit_codes(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    assert node.crier("status", check=False).returncode == 3
    assert node.crier("frobnicate", check=False).returncode == 2
    assert node.crier("status", "--nonsense", check=False).returncode in (2, 64)


def test_explain_address_and_service(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], TEXT, cluster=False)
    wait_owner([node], "10.50.0.200")
    for subject in ("web", "10.50.0.200"):
        shown = json.loads(node.crier("explain", subject, "-o", "json").stdout)
        assert shown["announced"] and shown["node"] == "a"
        assert all({"name", "value", "ok"} <= c.keys() for c in shown["conditions"])
    assert node.crier("explain", "nobody", check=False).returncode == 1


def test_metrics_have_metallbs_names(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], TEXT, cluster=False)
    wait_owner([node], "10.50.0.200")
    client.run("arping -c 2 -w 3 -I eth0 10.50.0.200", check=False)
    text = node.run("curl -s --max-time 3 http://127.0.0.1:7472/metrics").stdout
    for line in ('metallb_bgp_session_up{peer="10.50.0.1:179"} 0',
                 'metallb_allocator_addresses_total{pool="lan"} 21',
                 'metallb_allocator_addresses_in_use_total{pool="lan"} 1',
                 'metallb_k8s_client_config_loaded_bool 1',
                 'metallb_k8s_client_config_stale_bool 0',
                 'metallb_layer2_requests_received{ip="10.50.0.200"}',
                 'metallb_layer2_gratuitous_sent{ip="10.50.0.200"}',
                 'metallb_speaker_announced{'):
        assert line in text, (line, text)


def test_http_is_read_only(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], TEXT, cluster=False)
    for path in ("/v1/reload", "/v1/services"):
        code = node.run(f"curl -s -o /dev/null -w %{{http_code}} --max-time 3 -X POST -d x http://127.0.0.1:7472{path}").stdout
        assert code in ("404", "405"), (path, code)
    assert node.run("curl -s -o /dev/null -w %{http_code} --max-time 3 http://127.0.0.1:7472/v1/reload").stdout in ("404", "405")
    assert node.run("curl -s -o /dev/null -w %{http_code} http://127.0.0.1:7472/healthz").stdout == "200"


def test_monitor_streams_events(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], TEXT, cluster=False)
    out = node.dir / "monitor.out"
    with open(out, "wb") as f:
        node.popen([node.binary, "monitor", "-o", "json"], stdout=f, env=node.env)
    wait_for(lambda: node.crier("reload").returncode == 0 and "configLoaded" in out.read_text(), "monitor saw the reload",
             10, 0.2)


def test_socket_is_for_the_group_only(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], TEXT, cluster=False)
    assert node.socket.stat().st_mode & 0o777 == 0o660
