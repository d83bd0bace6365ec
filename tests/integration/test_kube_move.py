"""From MetalLB to crier in a Kubernetes cluster: its environment, its speakers, side by side."""

import hashlib
import json
import os
import time

import pytest
from crierlab import crier_binary
from kubelab import LAN, NAMESPACE, TOKEN, Api, KubeNode
from netlab import wait_for

from test_kube import VIP, layer2, make, wait_addresses, wait_owner
from test_memberlist import Member

SECRET = b"AAECAwQFBgcICQoLDA0ODw"
LABELS = {"app": "metallb", "component": "speaker"}


def metallbs_key(length):
    return (SECRET + hashlib.sha256(b"").digest())[:length].hex()


def pod(api, node, address, labels=None, **status):
    api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", {
        "metadata": {"name": f"speaker-{node}", "labels": labels or LABELS}, "spec": {"nodeName": node},
        "status": {"phase": "Running", "podIP": address, **status}})


def environment(node, address, secret):
    """What the manifests of MetalLB put there."""
    node.env.update({"METALLB_NODE_NAME": node.name, "METALLB_HOST": address, "METALLB_POD_NAME": f"speaker-{node.name}",
                     "METALLB_NAMESPACE": NAMESPACE, "METALLB_ML_BIND_ADDR": address,
                     "METALLB_ML_LABELS": "app=metallb,component=speaker", **secret(node)})


def as_text(node):
    return {"METALLB_ML_SECRET_KEY": SECRET.decode()}


def as_folder(node):
    (node.dir / "ml_secret").mkdir()
    (node.dir / "ml_secret" / "secretkey").write_bytes(SECRET)
    return {"METALLB_ML_SECRET_KEY_PATH": str(node.dir / "ml_secret")}


def members(node):
    return sorted(m["name"] for m in node.get("members") if m["state"] == "alive")


@pytest.mark.parametrize("length,secret", [(32, as_folder), (16, as_text)], ids=["since-0.14.2", "before"])
def test_metallb_and_crier_are_one_cluster(lab, go_member, length, secret):
    """Speakers of MetalLB (HashiCorp's memberlist, with MetalLB's key) and crier's nodes find each other by pods."""
    lan = lab.switch("lan")
    api = lab.host("api", lan, LAN.format(2) + "/24", cls=Api).start()
    speaker = lab.host("a", lan, LAN.format(11) + "/24")
    nodes = [lab.host(n, lan, LAN.format(12 + i) + "/24", cls=KubeNode) for i, n in enumerate("bc")]
    for i, name in enumerate("abc"):
        api.node(name)
        pod(api, name, LAN.format(11 + i))
    pod(api, "elsewhere", LAN.format(99), {"app": "other"})
    pod(api, "over", LAN.format(98), phase="Failed")
    layer2(api)
    metallb = Member(speaker, go_member, LAN.format(11), key=metallbs_key(length))
    for i, n in enumerate(nodes):
        environment(n, LAN.format(12 + i), secret)
        n.configure_kube(api)
        # Its name comes from the environment alone.
        n.daemon = n.popen([n.binary, "run", "-f", n.config, "--source", "kubernetes"], "crier.log", env=n.env)
        wait_for(n.is_up, f"{n.name} is up")
    for n in nodes:
        wait_for(lambda n=n: members(n) == ["a", "b", "c"], f"{n.name} sees all three")
    for n in "bc":
        metallb.wait(f"join {n} ")
    assert {m["name"]: m["crier"] for m in nodes[0].get("members")} == {"a": False, "b": True, "c": True}

    # The metrics are where MetalLB's were: on the address of the host, and nowhere else.
    listening = nodes[0].run("ss -ltnH 'sport = :7472'").stdout
    assert f"{LAN.format(12)}:7472" in listening and "0.0.0.0:7472" not in listening

    # Whoever the ranking names: a speaker of MetalLB is among the candidates, until it is gone.
    api.service("web")
    api.endpoints("web", ["a", "b", "c"])
    wait_addresses(api, "web")
    metallb.process.terminate()
    for n in nodes:
        wait_for(lambda n=n: members(n) == ["b", "c"], f"{n.name} has seen a leave")
    wait_owner(nodes, VIP)
    nodes[0].stop()
    wait_for(lambda: nodes[1].owns(VIP), "c takes over")


def test_a_node_that_can_t_list_the_pods_is_not_alone(lab):
    """It does not know who else is there: it claims no address until it does, and says why."""
    lan = lab.switch("lan")
    api = lab.host("api", lan, LAN.format(2) + "/24", cls=Api).start()
    node = lab.host("b", lan, LAN.format(12) + "/24", cls=KubeNode)
    api.node("b")
    pod(api, "b", LAN.format(12))
    layer2(api)
    api.service("web")
    api.endpoints("web", ["b"])
    api.status("web", ips=[VIP])
    api.fault(f"^GET .*/namespaces/{NAMESPACE}/pods[?]", "status", times=1000, code=403, reason="Forbidden")
    environment(node, LAN.format(12), as_text)
    node.configure_kube(api)
    node.start_kube()
    wait_for(node.is_synced, "it has seen the API")
    wait_for(lambda: any("pods of the members" in p["text"] for p in node.status()["problems"]), "it says so")
    time.sleep(1.5)  # longer than a node waits that knows whom to wait for
    assert not node.owns(VIP)
    api.ask("DELETE", "/_admin/fault")
    wait_for(lambda: node.owns(VIP), "alone, it answers")
    assert not any("pods of the members" in p["text"] for p in node.status()["problems"])


def test_an_environment_that_says_nonsense(lab):
    """The daemon does not start, and names the variable."""
    lan = lab.switch("lan")
    api = lab.host("api", lan, LAN.format(2) + "/24", cls=Api).start()
    node = lab.host("b", lan, LAN.format(12) + "/24", cls=KubeNode)
    node.configure_kube(api)
    good = {"METALLB_ML_BIND_ADDR": LAN.format(12), "METALLB_ML_LABELS": "app=metallb"}
    for name, value, said in (
            ("METALLB_ML_BIND_ADDR", "here", "'here' is no address"), ("METALLB_ML_BIND_PORT", "70000", "'70000' is no port"),
            ("METALLB_HOST", "host.test", "'host.test' is no address"),
            ("METALLB_ML_WAN_CONFIG", "perhaps", "'perhaps' is neither true nor false"),
            ("METALLB_ML_SECRET_KEY_PATH", "/nowhere", "/nowhere/secretkey")):
        done = node.run([node.binary, "run", "-f", node.config, "--source", "kubernetes"], check=False, timeout=20,
                        env={**node.env, **good, name: value})
        assert done.returncode == 1 and said in done.stderr, (name, done)
        assert name in done.stderr or "secretkey" in done.stderr


# --- kubectl crier ---

def plugin(api, *args, kubeconfig=None, **env):
    """`kubectl crier …`, as kubectl finds it: a program of that name on the path."""
    folder = api.dir / "plugins"
    folder.mkdir(exist_ok=True)
    link = folder / "kubectl-crier"
    if not link.exists():
        link.symlink_to(crier_binary())
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "KUBECONFIG": str(kubeconfig or api.kubeconfig), **env}
    return api.run(["kubectl", "crier", *args], check=False, timeout=40, env=env)


def pod_of_crier(api, node, address):
    api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", {
        "metadata": {"name": f"crier-{node}", "labels": {"app.kubernetes.io/part-of": "crier"}},
        "spec": {"nodeName": node, "containers": [{"name": "crier", "ports": [{"name": "monitoring", "containerPort": 7472}]}]},
        "status": {"phase": "Running", "podIP": address}})


def test_kubectl_crier_asks_every_node(lab):
    """Three daemons through the API server; one that does not answer is named, and the rest is shown."""
    lan, api, client, nodes = make(lab, "abc")
    for i, n in enumerate(nodes):
        pod_of_crier(api, n.name, LAN.format(11 + i))
    layer2(api)
    api.service("web")
    api.endpoints("web", ["a", "b", "c"])
    wait_addresses(api, "web")
    owner = wait_owner(nodes, VIP)

    seen = plugin(api, "get", "l2")
    assert seen.returncode == 0, seen
    head, *rows = seen.stdout.splitlines()
    assert head.split()[:2] == ["ON", "ADDRESS"] and [r.split()[0] for r in rows] == ["a", "b", "c"]
    assert [r.split()[0] for r in rows if " owner " in r] == [owner.name]
    items = json.loads(plugin(api, "get", "services", "default/web", "-o", "json").stdout)["items"]
    assert [(i["on"], i["name"], i["addresses"]) for i in items] == [(n, "default/web", [VIP]) for n in "abc"]
    status = plugin(api, "status")
    assert status.returncode == 0 and [f"{n}: healthy" in status.stdout for n in "abc"] == [True] * 3, status
    assert plugin(api, "explain", VIP).stdout.count(f"{VIP} on ") == 3
    assert plugin(api, "get", "services", "default/nothing").returncode == 1
    only = plugin(api, "get", "members", "--on", "b", "-o", "json")
    assert {i["on"] for i in json.loads(only.stdout)["items"]} == {"b"}
    # More routes than an answer holds; to a peer that is not even there.
    api.resource("BGPPeer", "router", myASN=64512, peerASN=64513, peerAddress=LAN.format(3))
    wait_for(lambda: nodes[1].get("peers"), "b has a peer")
    many = {f"10.9.{i // 250}.{i % 250}/32" for i in range(450)}
    nodes[1].run([nodes[1].binary, "announce", "-"], input="".join(f"announce {p}\n" for p in many), env=nodes[1].env)
    routes = json.loads(plugin(api, "get", "routes", "--on", "b", "-o", "json").stdout)["items"]
    assert {r["name"] for r in routes} >= many, len(routes)
    api.fault("/proxy/v1/routes[?].*page=", "status", code=503, reason="ServiceUnavailable")
    part = plugin(api, "get", "routes", "--on", "b", "-o", "json")
    assert part.returncode == 3 and "b did not answer all of it: 503" in part.stderr and json.loads(part.stdout)["items"]

    # What only the node itself can do, and a cluster that is not there.
    refused = plugin(api, "reload")
    assert refused.returncode == 2 and "kubectl -n NAMESPACE exec POD -- crier reload" in refused.stderr
    nowhere = api.dir / "nowhere"
    api.write_kubeconfig(nowhere, {"token": "none"}, f"https://{LAN.format(2)}:1")
    assert plugin(api, "status", kubeconfig=nowhere).returncode == 3

    nodes[2].kill()
    seen = plugin(api, "get", "l2", "-o", "wide")
    assert seen.returncode == 3 and "c did not answer: 503" in seen.stderr
    assert {r.split()[0] for r in seen.stdout.splitlines()[1:]} == {"a", "b"}


def test_kubectl_crier_is_let_in_as_kubectl_is(lab):
    """Several files of KUBECONFIG in one, and a command that prints a token, which wants to know for which cluster."""
    lan, api, client, (a,) = make(lab, "a")
    pod_of_crier(api, "a", LAN.format(11))
    command = api.dir / "get-token"
    command.write_text("""#!/bin/sh
        case "$KUBERNETES_EXEC_INFO" in *'"server":"https://'*) ;; *) echo "for whom?" >&2; exit 1 ;; esac
        echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}'
        """ % TOKEN)
    command.chmod(0o755)
    whole = json.loads(api.kubeconfig.read_text())
    parts = {
        "first": {"contexts": [{"name": "mine", "context": {"cluster": "c", "user": "me"}}], "current-context": "mine"},
        "second": {"clusters": whole["clusters"]},
        "third": {"users": [{"name": "me", "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "./get-token", "interactiveMode": "Never",
            "provideClusterInfo": True}}}], "clusters": [{"name": "c", "cluster": {"server": "https://192.0.2.1"}}]},
    }
    for name, content in parts.items():
        (api.dir / name).write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **content}))
    files = ":".join(str(api.dir / name) for name in (*parts, "not-there"))
    assert api.run(["kubectl", "get", "services"], env={**os.environ, "KUBECONFIG": files}).returncode == 0
    seen = plugin(api, "status", kubeconfig=files)
    assert seen.returncode == 0 and "a: healthy" in seen.stdout, seen
    command.write_text("#!/bin/sh\nexit 1\n")
    seen = plugin(api, "status", kubeconfig=files)
    assert seen.returncode == 3 and "get-token" in seen.stderr, seen
