"""The stand-in for an API server (tests/kube/apiserver) as a host of a lab, and what a cluster has in it."""

import base64
import http.client
import json
import pathlib
import socket
import subprocess

from crierlab import Node
from netlab import Host, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAMESPACE = "metallb-system"
LAN = "10.50.0.{}"
API_ADDRESS = LAN.format(2)
TOKEN = "open-sesame"
METALLB = f"/apis/metallb.io/v1beta1/namespaces/{NAMESPACE}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("admin", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class ApiError(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


def exchange(connection, method, path, body, headers):
    """One request and its answer, parsed where it is JSON; the connection ends with it."""
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise ApiError(answer.status, data.decode(errors="replace"))
    return json.loads(data) if data[:1] in b"{[" else data.decode()


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def make_certificates(folder, *addresses):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test-ca", "-days", "30")
    names = ",".join(f"IP:{a}" for a in (*addresses, "127.0.0.1"))
    for name in ("server", "client"):
        openssl(folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "ext").write_text(f"subjectAltName={names},DNS:api.test\n")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.crt", "-days", "30", "-extfile", "ext")


class Api(Host):
    is_real = False  # see kubereal.py

    def start(self, *options, address=API_ADDRESS, more=()):
        """@more: addresses of its host that are further servers of the same cluster"""
        self.api_address = address
        if not (self.dir / "ca.crt").exists():
            make_certificates(self.dir, address, *more)
        options = [*options, *(word for a in more for word in ("--listen", f"{a}:6443"))]
        (self.dir / "tokens").write_text(TOKEN + "\n")
        self.admin = self.dir / "admin"
        self.kubeconfig = self.dir / "kubeconfig"
        self.write_kubeconfig(self.kubeconfig, {"token": TOKEN})
        self.options = options
        self.run_server()
        self.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        return self

    def run_server(self):
        self.admin.unlink(missing_ok=True)
        self.server = self.popen(["/usr/bin/python3", ROOT / "tests/kube/apiserver", "--listen", f"{self.api_address}:6443",
                                  "--cert", self.dir / "server.crt", "--key", self.dir / "server.key", "--client-ca",
                                  self.dir / "ca.crt", "--token-file", self.dir / "tokens", "--admin", self.admin,
                                  *self.options], "apiserver.log")
        wait_for(self.answers, "the API server answers")

    def answers(self):
        try:
            return self.admin.exists() and self.get("/version")
        except OSError:
            return None

    def write_kubeconfig(self, path, user, server=None):
        cluster = {"server": server or f"https://{self.api_address}:6443",
                   "certificate-authority-data": base64.b64encode((self.dir / "ca.crt").read_bytes()).decode()}
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "c", "cluster": cluster}], "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}]}))

    def kubectl(self, *args, check=True, stdin=None):
        return self.run(["kubectl", "--kubeconfig", self.kubeconfig, *args], check=check, input=stdin)

    # --- the API without TLS, from outside ---

    def ask(self, method, path, body=None, content_type="application/json"):
        return exchange(UnixConnection(self.admin), method, path, body, {"Content-Type": content_type})

    def get(self, path):
        return self.ask("GET", path)

    def create(self, path, obj):
        return self.ask("POST", path, obj)

    def patch(self, path, change):
        return self.ask("PATCH", path, change, "application/merge-patch+json")

    def delete(self, path):
        return self.ask("DELETE", path)

    def items(self, path):
        return self.get(path)["items"]

    def fault(self, match, action, times=1, **more):
        self.ask("POST", "/_admin/fault", {"match": match, "action": action, "times": times, **more})

    def order(self, what, **more):
        return self.ask("POST", f"/_admin/{what}", more)

    def requests(self):
        return self.get("/_admin/log")["requests"]

    # --- what a cluster has ---

    def node(self, name, labels=None, **status):
        return self.create("/api/v1/nodes", {"metadata": {"name": name, "labels": labels or {}}, "status": status})

    def service(self, name, ns="default", annotations=None, labels=None, **spec):
        spec = {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": name}, **spec}
        return self.create(f"/api/v1/namespaces/{ns}/services", {
            "metadata": {"name": name, "annotations": annotations or {}, "labels": labels or {}}, "spec": spec})

    def endpoints(self, name, nodes, ns="default", **conditions):
        """One slice that says: there is a servable endpoint on each of these nodes."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices"
        points = [{"addresses": [f"10.244.0.{i + 1}"], "nodeName": n, "conditions": conditions or {"ready": True}}
                  for i, n in enumerate(nodes)]
        obj = {"metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
               "addressType": "IPv4", "endpoints": points, "ports": [{"port": 80}]}
        try:
            return self.create(path, obj)
        except ApiError as e:
            if e.code != 409:
                raise
            return self.patch(f"{path}/{name}-1", {"endpoints": points})

    def resource(self, kind, name, **spec):
        plural = {"IPAddressPool": "ipaddresspools", "L2Advertisement": "l2advertisements", "Community": "communities",
                  "BGPAdvertisement": "bgpadvertisements", "BFDProfile": "bfdprofiles", "BGPPeer": "bgppeers"}[kind]
        version = "v1beta2" if kind == "BGPPeer" else "v1beta1"
        return self.create(f"/apis/metallb.io/{version}/namespaces/{NAMESPACE}/{plural}",
                           {"metadata": {"name": name}, "spec": spec})

    def config_map(self, text):
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
        try:
            return self.create(path, {"metadata": {"name": "config"}, "data": {"config": text}})
        except ApiError as e:
            if e.code != 409:
                raise
            return self.patch(f"{path}/config", {"data": {"config": text}})

    def status(self, name, ns="default", ips=()):
        return self.patch(f"/api/v1/namespaces/{ns}/services/{name}/status",
                          {"status": {"loadBalancer": {"ingress": [{"ip": ip} for ip in ips]}}})

    def addresses(self, name, ns="default"):
        obj = self.get(f"/api/v1/namespaces/{ns}/services/{name}")
        return [i.get("ip") for i in obj.get("status", {}).get("loadBalancer", {}).get("ingress") or []]

    def events(self, reason=None, about=None):
        """Of every namespace, by the reason and the name of what they are about."""
        return [e for e in self.items("/api/v1/events") if reason in (None, e["reason"]) and
                about in (None, e["involvedObject"]["name"])]


class KubeNode(Node):
    """A crier node of a cluster. Its own file says how to reach the API, and who the members are."""

    def configure_kube(self, api, extra="", kubeconfig=None):
        self.configure(f"kubernetes:\n  kubeconfig: {kubeconfig or api.kubeconfig}\n" + extra)

    def start_kube(self, *options, ready=True):
        return self.start("--source", "kubernetes", *options, ready=ready)

    def metrics(self):
        """Those without labels: name -> value."""
        lines = self.run("curl -s http://127.0.0.1:7472/metrics").stdout.splitlines()
        return {name: float(value) for name, _, value in (line.partition(" ") for line in lines)
                if name[:1].isalpha() and "{" not in name}

    def is_synced(self):
        return self.status().get("kubernetes", {}).get("state") == "watching"
