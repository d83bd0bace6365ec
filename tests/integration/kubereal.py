"""A real API server in the place of the stand-in, for tests that need nothing else: CRIER_TEST_KUBECONFIG names its kubeconfig
(certificates or a token, in it or in files). What there is in the namespaces default, red, blue and metallb-system, and its
nodes, may be changed and deleted: a cluster for nothing else, best an API server and etcd alone, with services of both
families (10.96.0.0/12 and fd00:96::/112) and no other controllers."""

import base64
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
import urllib.parse

import pytest
import yaml
from kubelab import API_ADDRESS, NAMESPACE, Api, ApiError, exchange
from netlab import wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RELAY = ROOT / "tests" / "kube" / "relay"


def is_wanted():
    return bool(os.environ.get("CRIER_TEST_KUBECONFIG"))


class RealApi(Api):
    is_real = True

    def start(self, *options):
        if options:
            pytest.skip("this needs the stand-in")
        self.api_address, self.kubeconfig = API_ADDRESS, self.dir / "kubeconfig"
        self.read(pathlib.Path(os.environ["CRIER_TEST_KUBECONFIG"]))
        self.relay_in()
        self.run(["kubectl", "--kubeconfig", self.kubeconfig, "apply", "--validate=false", "-f",
                  ROOT / "config/kubernetes/base/definitions.yaml"], timeout=60)
        wait_for(lambda: self.is_there(f"/apis/metallb.io/v1beta1/namespaces/{NAMESPACE}/ipaddresspools"), "definitions", 30, 0.2)
        if not self.is_there(f"/api/v1/namespaces/{NAMESPACE}"):
            self.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        for node in self.items("/api/v1/nodes"):
            self.delete(f"/api/v1/nodes/{node['metadata']['name']}")
        return self

    def read(self, path):
        text = yaml.safe_load(path.read_text())

        def named(kind, name):
            return next(x[kind] for x in text[kind + "s"] if x["name"] == name)

        def file_of(where, key):
            if where.get(key + "-data"):
                made = self.dir / key
                made.write_bytes(base64.b64decode(where[key + "-data"]))
                return made
            return path.parent / where[key] if where.get(key) else None
        context = named("context", text["current-context"])
        cluster, user = named("cluster", context["cluster"]), named("user", context["user"])
        self.url = urllib.parse.urlsplit(cluster["server"])
        self.tls = ssl.create_default_context(cafile=file_of(cluster, "certificate-authority"))
        certificate, key = file_of(user, "client-certificate"), file_of(user, "client-key")
        if certificate:
            self.tls.load_cert_chain(certificate, key)
        self.token = user.get("token")
        # The same for crier, who comes by the relay.
        mine = {k: v for k, v in {"client-certificate": str(certificate or ""), "client-key": str(key or ""),
                                  "token": self.token or ""}.items() if v}
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test", "users": [{"name": "u", "user": mine}],
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {
                "server": f"https://{API_ADDRESS}:6443", "tls-server-name": self.url.hostname,
                "certificate-authority": str(file_of(cluster, "certificate-authority"))}}]}))

    def relay_in(self):
        # Paths of sockets are short.
        self.folder = tempfile.TemporaryDirectory(prefix="relay-")
        path = f"unix:{self.folder.name}/socket"
        there = f"{self.url.hostname}:{self.url.port or 443}"
        self.outside = subprocess.Popen([RELAY, path, there])
        self.popen([RELAY, f"{API_ADDRESS}:6443", path], "relay.log")
        wait_for(lambda: self.run("ss -Htln 'sport = :6443'").stdout, "the relay listens")

    def stop(self):
        self.outside.terminate()
        self.outside.wait(10)
        self.folder.cleanup()

    def is_there(self, path):
        try:
            return self.get(path)
        except ApiError as e:
            if e.code != 404:
                raise
            return None

    def ask(self, method, path, body=None, content_type="application/json"):
        if path.startswith("/_admin"):
            pytest.skip("this needs the stand-in")
        connection = http.client.HTTPSConnection(self.url.hostname, self.url.port or 443, timeout=20, context=self.tls)
        headers = {"Content-Type": content_type, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        return exchange(connection, method, path, body, headers)
