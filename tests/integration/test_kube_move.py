"""From MetalLB to crier in a Kubernetes cluster: its environment, its speakers, side by side."""

import hashlib

import pytest
from kubelab import LAN, NAMESPACE, Api, KubeNode
from netlab import wait_for

from test_kube import VIP, layer2, wait_addresses, wait_owner
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
