"""docs/migrating-from-metallb.md, every command of it, in its order: by kubectl against the stand-in, with crier's real daemons.

What a cluster would do by itself is played here: the DaemonSet controller and kubelet (Cluster), MetalLB's speakers (the gossip
of HashiCorp's memberlist, no more) and its controller (one status that it wrote)."""

import json
import os
import re
import subprocess

import yaml
from crierlab import crier_binary
from kubelab import LAN, METALLB, NAMESPACE, Api, KubeNode
from netlab import wait_for

from conftest import ROOT
from test_kube import VIP, layer2, wait_addresses, wait_owner
from test_kube_move import SECRET, metallbs_key, pod
from test_memberlist import Member

NAMES = "abc"
ADDRESSES = {name: LAN.format(11 + i) for i, name in enumerate(NAMES)}
SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets"
SPEAKER = {"app": "metallb", "component": "speaker"}


def blocks(step):
    """The commands of a step, block by block."""
    text = (ROOT / "docs" / "migrating-from-metallb.md").read_text()
    section = re.search(rf"^## {step}\. .*?(?=^## )", text, re.M | re.S)[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)


class Cluster:
    """Keeps running on each node what the DaemonSets say."""

    def __init__(self, lab, api, go_member):
        self.api, self.go_member = api, go_member
        self.nodes = {n: lab.host(n, lab.lan, f"{ADDRESSES[n]}/24", cls=KubeNode) for n in NAMES}
        self.speakers, self.criers = {}, {}  # what runs, by node
        self.desk = api.dir / "desk"
        self.desk.mkdir()
        (self.desk / "config").symlink_to(ROOT / "config")
        (self.desk / "kubectl-crier").symlink_to(crier_binary())
        (self.desk / "crier").symlink_to(crier_binary())

    def sh(self, block):
        env = {**os.environ, "PATH": f"{self.desk}:{os.environ['PATH']}", "KUBECONFIG": str(self.api.kubeconfig)}
        # There is no openapi here to validate by.
        block = re.sub(r"kubectl apply ", "kubectl apply --validate=false ", block)
        done = self.api.run(["bash", "-euo", "pipefail", "-c", f"cd {self.desk}; NODE=a\n{block}"], env=env, check=False,
                            timeout=60)
        self.settle()
        return done

    def step(self, number, which):
        """Run one block of a step; it has to succeed."""
        done = self.sh(blocks(number)[which])
        assert done.returncode == 0, f"step {number}, block {which}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def wants(self, daemon_set, node):
        labels = self.api.get(f"/api/v1/nodes/{node}")["metadata"].get("labels") or {}
        affinity = daemon_set["spec"]["template"]["spec"].get("affinity")
        if not affinity:
            return True
        terms = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        return all((labels.get(e["key"]) in e["values"]) == (e["operator"] == "In")
                   for t in terms for e in t["matchExpressions"])

    def settle(self):
        sets = {s["metadata"]["name"]: s for s in self.api.items(SETS)}
        for name in NAMES:
            if name in self.speakers and not ("speaker" in sets and self.wants(sets["speaker"], name)):
                self.stop_speaker(name)
            template = sets["crier"]["spec"]["template"] if "crier" in sets and self.wants(sets["crier"], name) else None
            if name in self.criers and self.criers[name] != template:
                self.stop_crier(name)
            if template and name not in self.criers:
                self.start_crier(name, template)
            if "speaker" in sets and self.wants(sets["speaker"], name) and name not in self.speakers:
                self.start_speaker(name)
        for name, template in self.criers.items():
            port = template["spec"]["containers"][0]["ports"][0]["containerPort"]
            url = f"http://{ADDRESSES[name]}:{port}/readyz"
            wait_for(lambda url=url: self.api.run(["curl", "-fs", url], check=False).stdout == "ok\n", f"{name} is ready", 30)

    def start_speaker(self, name):
        join = [ADDRESSES[n] for n in self.speakers][:1]
        self.speakers[name] = Member(self.nodes[name], self.go_member, ADDRESSES[name], join, metallbs_key(32))
        pod(self.api, name, ADDRESSES[name], SPEAKER)

    def stop_speaker(self, name):
        process = self.speakers.pop(name).process
        process.terminate()
        process.wait(10)
        self.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/speaker-{name}")

    def start_crier(self, name, template):
        node, container = self.nodes[name], template["spec"]["containers"][0]
        values = {"spec.nodeName": name, "metadata.name": f"crier-{name}", "metadata.namespace": NAMESPACE,
                  "status.hostIP": ADDRESSES[name], "status.podIP": ADDRESSES[name]}
        env = {k: v for k, v in node.env.items() if not k.startswith("METALLB_")}
        for variable in container["env"]:
            env[variable["name"]] = values[variable["valueFrom"]["fieldRef"]["fieldPath"]] if "valueFrom" in variable else \
                variable["value"]
        env["METALLB_ML_SECRET_KEY_PATH"] = str(self.secret())
        env["KUBECONFIG"] = str(self.api.kubeconfig)
        if "--shadow" in container["args"]:
            given = self.api.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/crier-shadow")["data"]["crier.yaml"]
            node.configure(given)
        arguments = [node.config if a == "/etc/crier/crier.yaml" else a for a in container["args"]]
        self.api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", {
            "metadata": {"name": f"crier-{name}", "labels": template["metadata"]["labels"]},
            "spec": {"nodeName": name, "containers": template["spec"]["containers"]},
            "status": {"phase": "Running", "podIP": ADDRESSES[name]}})
        node.env = env
        node.daemon = node.popen([node.binary, *arguments], "crier.log", env=env)
        self.criers[name] = template
        wait_for(node.is_up, f"crier on {name}")

    def secret(self):
        folder = self.api.dir / "ml_secret_key"
        folder.mkdir(exist_ok=True)
        (folder / "secretkey").write_bytes(SECRET)
        return folder

    def stop_crier(self, name):
        del self.criers[name]
        self.nodes[name].stop()
        self.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/crier-{name}")


def install_metallb(api):
    """What there is of it to be found."""
    template = {"metadata": {"labels": SPEAKER}, "spec": {"containers": [{"name": "speaker", "image": "metallb"}]}}
    api.create(SETS, {"metadata": {"name": "speaker"}, "spec": {
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}, "template": template}})
    api.create(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", {"metadata": {"name": "controller"}, "spec": {"replicas": 1}})
    api.create("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
               {"metadata": {"name": "metallb-webhook-configuration"}, "webhooks": []})
    api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
        "metadata": {"name": "bgppeers.metallb.io"},
        "spec": {"group": "metallb.io", "conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}}}})
    api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", {
        "metadata": {"name": "memberlist", "ownerReferences": [{"kind": "Deployment", "name": "controller", "uid": "x"}]},
        "stringData": {"secretkey": SECRET.decode()}})


def announced_by_metallb(api, desk):
    """Its speakers elect as the reference does, and say so."""
    files = [f"-f{desk}/metallb-export/{n}.yaml" for n in ("resources", "services", "endpoints", "nodes")]
    plan = subprocess.run([crier_binary(), "plan", "--reference", "-o", "json", *files], capture_output=True, text=True, check=True)
    owner, = [a["node"] for a in json.loads(plan.stdout)["announcements"] if a["mode"] == "layer2"]
    path = f"{METALLB}/servicel2statuses"
    api.create(path, {"metadata": {"name": "l2-x1", "labels": {
        "metallb.io/node": owner, "metallb.io/service-name": "web", "metallb.io/service-namespace": "default"}}})
    api.patch(f"{path}/l2-x1/status", {"status": {"node": owner, "serviceName": "web", "serviceNamespace": "default"}})


def test_the_guide(lab, go_member):
    lab.lan = lab.switch("lan")
    api = lab.host("api", lab.lan, LAN.format(2) + "/24", cls=Api).start()
    cluster = Cluster(lab, api, go_member)
    nodes = list(cluster.nodes.values())
    for name in NAMES:
        api.node(name)
    install_metallb(api)
    layer2(api)
    api.service("web")
    api.endpoints("web", list(NAMES))
    api.patch("/api/v1/namespaces/default/services/web", {"metadata": {"annotations": {"metallb.io/ip-allocated-from-pool": "pool"}}})
    api.status("web", ips=[VIP])
    cluster.settle()
    assert set(cluster.speakers) == set(NAMES)

    cluster.step(1, 0)
    plan = cluster.step(1, 1)
    assert VIP in plan
    announced_by_metallb(api, cluster.desk)

    # Looking on: no difference; then one that the test makes; and off again.
    cluster.step(2, 0)
    assert set(cluster.criers) == set(cluster.speakers) == set(NAMES)
    wait_for(lambda: cluster.sh("kubectl crier get shadow").stdout == "none\n", "no difference")
    assert "crier-a" in cluster.step(2, 1)
    api.status("web", ips=[LAN.format(250)])
    wait_for(lambda: LAN.format(250) in cluster.sh("kubectl crier get shadow").stdout, "a difference")
    api.status("web", ips=[VIP])
    cluster.step(2, 2)
    assert not cluster.criers and api.get(f"{METALLB}/ipaddresspools/pool") and api.get(f"/api/v1/namespaces/{NAMESPACE}")

    cluster.step(3, 0)
    assert cluster.step(3, 1) == ""

    # Node by node, and one of them back.
    before = dict(cluster.speakers)
    cluster.step(4, 0)
    assert cluster.speakers == before and not cluster.criers
    cluster.step(4, 1)
    cluster.step(4, 2)
    assert set(cluster.speakers) == {"b", "c"} and set(cluster.criers) == {"a"}
    wait_for(lambda: [m["crier"] for m in nodes[0].get("members")] == [True, False, False], "a is one of three members")
    assert "a: healthy" in cluster.step(4, 3)
    cluster.step(4, 4)
    assert set(cluster.speakers) == set(NAMES) and not cluster.criers
    for name in NAMES:
        assert cluster.sh(f"kubectl label node {name} crier=on").returncode == 0
    assert set(cluster.criers) == set(NAMES) and not cluster.speakers
    wait_owner(nodes, VIP)
    api.service("new")
    assert all("allocator" not in n.status() for n in nodes)

    # The allocator; MetalLB's again; and crier's for good.
    cluster.step(5, 0)
    wait_addresses(api, "new")
    holder = cluster.step(5, 1)
    assert "webhook" not in holder and re.search(r"\b[abc]\b", holder)
    conversion = api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io")["spec"]["conversion"]
    assert conversion == {"strategy": "None"}
    cluster.step(5, 2)
    assert api.get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration")
    assert all("allocator" not in n.status() for n in nodes)
    cluster.step(5, 0)
    wait_for(lambda: any(n.status()["allocator"]["leads"] for n in nodes), "one allocates")

    cluster.step(6, 0)
    api.endpoints("new", list(NAMES))
    cluster.step(6, 1)
    assert [s["metadata"]["name"] for s in api.items(SETS)] == ["crier"] and set(cluster.criers) == set(NAMES)
    assert api.addresses("web") == [VIP]
    wait_owner(nodes, VIP)
