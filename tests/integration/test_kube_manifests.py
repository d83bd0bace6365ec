"""config/kubernetes: the manifests hold together, kubectl applies them, and grant what crier asks for and no more.

Rules in CEL can't be evaluated here: the stand-in stores them, and a real API server is needed to see them refuse."""

import json
import os
import pathlib
import re
import subprocess

import jsonschema
import kubernetes.client
import pytest
import yaml
from kubelab import LAN, METALLB, NAMESPACE
from netlab import wait_for

from conftest import ROOT
from crierlab import crier_binary
from test_kube import VIP, layer2, make, wait_addresses, wait_owner
from test_kube_move import pod

FOLDER = ROOT / "config" / "kubernetes"
OVERLAYS = sorted(p.name for p in (FOLDER / "overlays").iterdir())
COMPONENTS = sorted(p.name for p in (FOLDER / "components").iterdir())
HEAD = """\
# crier on a Kubernetes cluster: namespace, custom resource definitions, rights, DaemonSet. Three commands:
#
#   kubectl create namespace metallb-system --dry-run=client -o yaml | kubectl apply -f -
#   kubectl -n metallb-system create secret generic memberlist --from-literal=secretkey="$(openssl rand -base64 128)"
#   kubectl apply -f crier.yaml
#
# The image is built by config/kubernetes/Containerfile. A cluster that has MetalLB follows docs/migrating-from-metallb.md.
# Rendered from base/, where the comments are: change it there, then UPDATE_MANIFESTS=1 on test_kube_manifests.py.
"""


def kubectl_version():
    text = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True).stdout
    return tuple(int(n) for n in re.findall(r'"gitVersion": "v(\d+)\.(\d+)', text)[0])


# Components came with kubectl 1.21; that of Debian 12 is older.
needs_kustomize = pytest.mark.skipif(kubectl_version() < (1, 21), reason="this kubectl knows no components")


def rendered(folder):
    done = subprocess.run(["kubectl", "kustomize", str(folder)], check=True, capture_output=True, text=True)
    return done.stdout


def documents(text):
    return [d for d in yaml.safe_load_all(text) if d]


def by_kind(objects, kind):
    return [o for o in objects if o["kind"] == kind]


@pytest.fixture(scope="module")
def base():
    return documents((FOLDER / "crier.yaml").read_text())


@pytest.fixture(scope="module")
def definitions(base):
    return {d["spec"]["names"]["kind"]: d["spec"] for d in by_kind(base, "CustomResourceDefinition")}


# --- files ---

def test_every_manifest_is_yaml():
    files = sorted(FOLDER.rglob("*.yaml"))
    assert len(files) > 20
    for path in files:
        for d in documents(path.read_text()):
            assert d["apiVersion"] and d["kind"], path


@needs_kustomize
def test_the_one_file_is_the_base():
    text = HEAD + rendered(FOLDER / "base")
    if os.environ.get("UPDATE_MANIFESTS"):
        (FOLDER / "crier.yaml").write_text(text)
    assert (FOLDER / "crier.yaml").read_text() == text


@needs_kustomize
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlays_are_rendered(overlay):
    objects = documents(rendered(FOLDER / "overlays" / overlay))
    daemon_set, = by_kind(objects, "DaemonSet")
    pod = daemon_set["spec"]["template"]
    wanted = daemon_set["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= pod["metadata"]["labels"].items()
    assert pod["spec"]["serviceAccountName"] in [s["metadata"]["name"] for s in by_kind(objects, "ServiceAccount")]
    volumes = {v["name"] for v in pod["spec"]["volumes"]}
    assert volumes == {m["name"] for m in pod["spec"]["containers"][0]["volumeMounts"]}
    # Beside MetalLB nothing of its own may be in what is applied, and one day deleted.
    beside = overlay in ("shadow", "announcer")
    assert bool(by_kind(objects, "CustomResourceDefinition")) != beside
    assert bool(by_kind(objects, "Namespace")) != beside


@needs_kustomize
@pytest.mark.parametrize("component", COMPONENTS)
def test_components_can_be_combined_with_the_base(component, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(FOLDER), str(copy)], check=True)
    mine = copy / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(f"resources: [../base]\ncomponents: [../components/{component}]\n")
    assert by_kind(documents(rendered(mine)), "DaemonSet")


@needs_kustomize
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_arguments_and_configurations_are_crier_s(overlay, tmp_path):
    objects = documents(rendered(FOLDER / "overlays" / overlay))
    arguments = by_kind(objects, "DaemonSet")[0]["spec"]["template"]["spec"]["containers"][0]["args"]
    known = subprocess.run([crier_binary(), "run", "--help"], capture_output=True, text=True).stdout
    for option in (a for a in arguments if a.startswith("--")):
        assert re.search(rf"{option}\b", known), f"crier run has no {option}"
    configuration = [o for o in objects if o["apiVersion"].startswith("metallb.io/") or
                     (o["kind"] == "ConfigMap" and o["metadata"]["name"] == "config")]
    configuration += [yaml.safe_load(o["data"]["crier.yaml"]) for o in by_kind(objects, "ConfigMap")
                      if "crier.yaml" in o["data"]]
    if configuration:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump_all(configuration))
        done = subprocess.run([crier_binary(), "check", "-f", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_pod_has_no_more_power_than_it_needs(base):
    spec = by_kind(base, "DaemonSet")[0]["spec"]["template"]["spec"]
    container, = spec["containers"]
    context = container["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW", "NET_ADMIN", "NET_BIND_SERVICE"]}
    assert context["readOnlyRootFilesystem"] and context["allowPrivilegeEscalation"] is False
    assert context["seccompProfile"] == {"type": "RuntimeDefault"} and not context.get("privileged")
    assert not spec.get("hostPID") and not spec.get("hostIPC")
    assert not [v for v in spec["volumes"] if "hostPath" in v]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_crier_does_with_that_power(lab, base):
    """With what the pod has and nothing else it announces, and says which faster ways it goes without."""
    lan, api, client, (node,) = make(lab, "a", start=False)
    context = by_kind(base, "DaemonSet")[0]["spec"]["template"]["spec"]["containers"][0]["securityContext"]
    powers = ",".join(["-all", *(f"+{c.lower()}" for c in context["capabilities"]["add"])])
    node.daemon = node.popen(["setpriv", "--no-new-privs", f"--bounding-set={powers}", "--inh-caps=-all", node.binary, "run",
                              "-f", node.config, "--node", node.name, "--source", "kubernetes"], "crier.log", env=node.env)
    wait_for(node.is_up, "crier is up")
    layer2(api)
    api.service("web")
    api.endpoints("web", ["a"])
    wait_addresses(api, "web", [VIP])
    wait_owner([node], VIP)
    assert client.run(f"arping -c 1 -w 2 -I eth0 {VIP}", check=False).returncode == 0
    status = node.status()
    assert status["healthy"]
    assert status["layer2"]["filter"] == "classic" and "CAP_BPF and CAP_PERFMON" in status["layer2"]["reason"]
    assert "kernel    classic filters" in node.crier("status").stdout
    pid = next(p for p in node.pids() if pathlib.Path(f"/proc/{p}/comm").read_text() == "crier\n")
    have = re.search(r"^CapEff:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]
    assert int(have, 16) == 1 << 10 | 1 << 12 | 1 << 13  # CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW


def test_monitors_of_metallb_find_the_service(base):
    service, = by_kind(base, "Service")
    pod = by_kind(base, "DaemonSet")[0]["spec"]["template"]
    monitors = documents((ROOT / "tests/seeds/resources/service-monitor.yaml").read_text())
    monitors += documents((FOLDER / "components/servicemonitor/servicemonitor.yaml").read_text())
    for monitor in monitors:
        spec = monitor["spec"]
        assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert service["metadata"]["namespace"] in spec["namespaceSelector"]["matchNames"]
        assert spec["endpoints"][0]["port"] in [p["name"] for p in service["spec"]["ports"]]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert service["spec"]["ports"][0]["targetPort"] in [p["name"] for p in pod["spec"]["containers"][0]["ports"]]


def test_alerts_use_metrics_that_there_are():
    source = "\n".join(p.read_text() for p in (ROOT / "src").rglob("*.c"))
    rules = documents((FOLDER / "components/alerts/rules.yaml").read_text())[0]["spec"]["groups"][0]["rules"]
    assert {"MetalLBStaleConfig", "MetalLBConfigNotLoaded", "MetalLBAddressPoolExhausted",
            "MetalLBAddressPoolUsage75Percent", "MetalLBBGPSessionDown"} <= {r["alert"] for r in rules}
    for rule in rules:
        metrics = re.findall(r"\b(?:metallb|crier)_\w+", rule["expr"])
        assert metrics and all(f'"{m}"' in source for m in metrics), rule["expr"]


def test_the_image_has_the_libraries_that_crier_is_linked_with():
    text = (FOLDER / "Containerfile").read_text()
    final = text.split("\nFROM ")[-1]
    needed = subprocess.run(["readelf", "-d", crier_binary()], check=True, capture_output=True, text=True).stdout
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", needed):
        if re.match(r"lib(asan|ubsan|m|c|pthread|gcc_s|clang\w*)\.so|ld-", library):
            continue
        owner = subprocess.run(["dpkg-query", "-S", f"*/{library}"], check=True, capture_output=True, text=True).stdout
        packages = {line.split(":")[0] for line in owner.splitlines()}
        assert any(re.search(rf"(?<![\w-]){re.escape(p)}(?![\w.-])", final) for p in packages), (library, packages)


def test_the_image_names_what_there_is():
    """It can't be built here: its packages, presets and options exist."""
    text = (FOLDER / "Containerfile").read_text()
    build, final = text.split("\nFROM ")[-2:]
    listed = subprocess.run(["bash", "-c", '. tools/lib/packages.sh; echo "${PACKAGES_BUILD[@]}"'], check=True, cwd=ROOT,
                            capture_output=True, text=True).stdout
    assert '"${PACKAGES_BUILD[@]}"' in build
    packages = listed.split() + re.search(r'"\$\{PACKAGES_BUILD\[@\]\}" ([^\']*)', build)[1].split()
    packages += re.search(r"--no-install-recommends(.*?)&&", final, re.S)[1].replace("\\\n", " ").split()
    assert {"libbpf-dev", "libbpf1"} <= set(packages)
    known = subprocess.run(["apt-cache", "--no-all-versions", "show", *packages], capture_output=True, text=True).stdout
    assert set(packages) <= set(re.findall(r"^Package: (\S+)", known, re.M))
    presets = json.loads((ROOT / "CMakePresets.json").read_text())
    for preset in re.findall(r"--preset (\S+)", build):
        assert preset in [p["name"] for p in presets["configurePresets"]]
    for option in re.findall(r"-D(\w+)=", build):
        assert option in (ROOT / "CMakeLists.txt").read_text()


# --- the kinds of Kubernetes itself ---

def model_of(obj):
    group, _, version = obj["apiVersion"].rpartition("/")
    return getattr(kubernetes.client, version.capitalize() + obj["kind"], None) if group in ("", "apps") or \
        group.endswith(".k8s.io") else None


def as_model(type_, value, at):
    """What the client of Kubernetes makes of it; it refuses unknown fields here, and missing or wrong values itself."""
    if inner := re.fullmatch(r"list\[(.*)\]", type_):
        assert isinstance(value, list), at
        return [as_model(inner[1], v, f"{at}[{i}]") for i, v in enumerate(value)]
    if inner := re.fullmatch(r"dict\(str, (.*)\)", type_):
        assert isinstance(value, dict), at
        return {k: as_model(inner[1], v, f"{at}.{k}") for k, v in value.items()}
    plain = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object, "datetime": str}
    if type_ in plain:
        assert isinstance(value, plain[type_]) and (type_ == "bool" or not isinstance(value, bool) or type_ == "object"), at
        return value
    model = getattr(kubernetes.client, type_)
    names = {json_name: name for name, json_name in model.attribute_map.items()}
    assert isinstance(value, dict), at
    # Younger than the client that Debian has.
    unknown = set(value) - set(names) - {"x-kubernetes-validations"}
    assert not unknown, f"{at}: {unknown}"
    return model(**{names[k]: as_model(model.openapi_types[names[k]], v, f"{at}.{k}") for k, v in value.items() if k in names})


# Of the operator of Prometheus: no schema is at hand.
FOREIGN = {"monitoring.coreos.com/v1"}


@pytest.mark.parametrize("folder", ["crier.yaml", *(f"overlays/{o}" for o in OVERLAYS)])
def test_objects_are_those_of_the_api(folder):
    """Every object has the fields, the types and the required values of its kind."""
    if folder != "crier.yaml" and kubectl_version() < (1, 21):
        pytest.skip("this kubectl knows no components")
    objects = documents((FOLDER / folder).read_text() if folder == "crier.yaml" else rendered(FOLDER / folder))
    checked = 0
    for obj in objects:
        model = model_of(obj)
        assert model or obj["apiVersion"].startswith("metallb.io/") or obj["apiVersion"] in FOREIGN, obj["kind"]
        if model:
            as_model(model.__name__, obj, f"{obj['kind']} {obj['metadata']['name']}")
            checked += 1
    assert checked > 5


@pytest.mark.parametrize("change", [{"replica": 1}, {"template": None}, {"template": {"spec": {"containers": [{"nam": "x"}]}}},
                                    {"minReadySeconds": "5"}], ids=["unknown", "missing", "deep", "type"])
def test_the_check_itself(base, change):
    daemon_set = json.loads(json.dumps(by_kind(base, "DaemonSet")[0]))
    daemon_set["spec"] = {k: v for k, v in {**daemon_set["spec"], **change}.items() if v is not None}
    with pytest.raises((AssertionError, ValueError)):
        as_model("V1DaemonSet", daemon_set, "")


# --- definitions ---

def strict(schema):
    """A JSON schema that also refuses what an API server would prune."""
    if isinstance(schema, list):
        return [strict(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: strict(v) for k, v in schema.items() if not k.startswith("x-kubernetes-")}
    if out.get("type") == "object" and "properties" in out and "apiVersion" not in out["properties"]:
        out.setdefault("additionalProperties", False)
    return out


def complaints(definitions, obj):
    group, _, version = obj["apiVersion"].partition("/")
    spec = definitions[obj["kind"]]
    found, = [v for v in spec["versions"] if v["name"] == version] or [None]
    assert group == "metallb.io" and found, f"{obj['kind']} has no {obj['apiVersion']}"
    validator = jsonschema.Draft7Validator(strict(found["schema"]["openAPIV3Schema"]))
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(obj)]


def test_definitions_are_structural(definitions):
    """One version is stored, nothing is converted by a webhook, and each value has a type."""
    def walk(schema, at):
        assert "type" in schema, at
        for key, inner in schema.get("properties", {}).items():
            walk(inner, f"{at}.{key}")
        for key in ("items", "additionalProperties"):
            if key in schema:
                walk(schema[key], f"{at}[]")
        for rule in schema.get("x-kubernetes-validations", []):
            assert rule["rule"] and rule["message"] and rule["rule"].count("(") == rule["rule"].count(")")
    assert len(definitions) == 9
    for kind, spec in definitions.items():
        assert spec["group"] == "metallb.io" and spec["scope"] == "Namespaced"
        assert spec["conversion"] == {"strategy": "None"}
        assert [v["storage"] for v in spec["versions"]].count(True) == 1
        for v in spec["versions"]:
            jsonschema.Draft7Validator.check_schema(strict(v["schema"]["openAPIV3Schema"]))
            walk(v["schema"]["openAPIV3Schema"], kind)
    assert [(v["name"], v["storage"]) for v in definitions["BGPPeer"]["versions"]] == [("v1beta1", False), ("v1beta2", True)]


def test_definitions_have_the_fields_that_crier_reads(definitions):
    """docs/configuration.md is made by the program: its tables are the fields."""
    text = (ROOT / "docs/configuration.md").read_text()
    compared = 0
    for title, body in re.findall(r"^## `(\w+[\w.\[\]]*)`(.*?)(?=^## |\Z)", text, re.M | re.S):
        kind, *inner = title.replace("[]", "").split(".")
        if kind not in definitions:
            continue
        schema = definitions[kind]["versions"][-1]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        for word in inner:
            schema = schema["properties"][word]
            schema = schema.get("items", schema)
        assert set(schema["properties"]) == set(re.findall(r"^\| `(\w+)` \|", body, re.M)), title
        compared += 1
    assert compared >= 9
    older, newer = [v["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
                    for v in definitions["BGPPeer"]["versions"]]
    assert {k: v["type"] for k, v in older.items()}.items() <= {k: v["type"] for k, v in newer.items()}.items()


def test_what_people_have_is_valid(definitions):
    """The overlays' objects, and those of the documents that the project grew from."""
    files = [*FOLDER.glob("overlays/*/*.yaml"), *(ROOT / "tests/seeds/resources").glob("*.yaml")]
    seen = 0
    for path in files:
        for obj in documents(path.read_text()):
            if obj.get("apiVersion", "").startswith("metallb.io/"):
                assert not complaints(definitions, obj), path
                seen += 1
    assert seen > 30


@pytest.mark.parametrize("kind,version,spec,said", [
    ("IPAddressPool", "v1beta1", {"addresses": ["nowhere"]}, "does not match"),
    ("IPAddressPool", "v1beta1", {}, "'addresses' is a required property"),
    ("IPAddressPool", "v1beta1", {"addresses": ["10.0.0.0/24"], "autoAsign": True}, "'autoAsign' was unexpected"),
    ("BGPPeer", "v1beta2", {"myASN": 0, "peerASN": 1, "peerAddress": "10.0.0.1"}, "less than the minimum"),
    ("BGPPeer", "v1beta2", {"peerASN": 1, "peerAddress": "10.0.0.1"}, "'myASN' is a required property"),
    ("BGPPeer", "v1beta2", {"myASN": 1, "dynamicASN": "any"}, "is not one of"),
    ("BGPPeer", "v1beta1", {"myASN": 1, "peerASN": 1, "peerAddress": "10.0.0.1", "vrf": "red"}, "'vrf' was unexpected"),
    ("BFDProfile", "v1beta1", {"receiveInterval": 5}, "less than the minimum"),
    ("L2Advertisement", "v1beta1", {"preferredNodeSelectors": [{"weight": 101, "preference": {}}]}, "greater than the maximum"),
    ("BGPAdvertisement", "v1beta1", {"aggregationLength": 33}, "greater than the maximum"),
])
def test_what_a_schema_can_refuse_it_refuses(definitions, kind, version, spec, said):
    obj = {"apiVersion": f"metallb.io/{version}", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    assert any(said in c for c in complaints(definitions, obj)), complaints(definitions, obj)


# --- a cluster ---

def rights(base):
    """(namespace or None, apiGroups, resources, names, verbs) of each rule that crier's account has."""
    found = []
    for role in by_kind(base, "ClusterRole") + [r for r in by_kind(base, "Role") if r["metadata"]["name"] == "crier"]:
        for rule in role["rules"]:
            found.append((role["metadata"].get("namespace"), rule["apiGroups"], rule["resources"],
                          rule.get("resourceNames"), rule["verbs"]))
    return found


def right_of(request):
    """What the API server would ask: (namespace, group, resource, name, verb) of "METHOD path?query"."""
    method, _, url = request.partition(" ")
    path, _, query = url.partition("?")
    words = path.strip("/").split("/")
    group, words = ("", words[2:]) if words[0] == "api" else (words[1], words[3:])
    namespace = None
    if words[0] == "namespaces" and len(words) > 2:
        namespace, words = words[1], words[2:]
    resource, name = words[0], words[1] if len(words) > 1 else None
    if len(words) > 2:
        resource += "/" + words[2]
    verb = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(method) or \
        ("get" if name else "watch" if "watch=1" in query or "watch=true" in query else "list")
    only = re.search(r"fieldSelector=metadata\.name%3D([\w.-]+)", query)
    return namespace, group, resource, name or (only and only[1]), verb


def granted(rule, asked):
    namespace, group, resource, name, verb = asked
    return (rule[0] is None or rule[0] == namespace) and group in rule[1] and resource in rule[2] and verb in rule[4] and \
        (rule[3] is None or name in rule[3])


def test_rights_cover_every_request_and_no_more(lab, base):
    """A cluster lives through all that crier writes about; each request has its rule, and each rule its request."""
    # One that refuses streams is asked for lists, too.
    lan, api, client, nodes = make(lab, "ab", start=False, api_options=("--streams", "refused"))
    for i, n in enumerate(nodes):
        pod(api, n.name, LAN.format(11 + i))
        n.configure_kube(api)
        n.env.update({"METALLB_POD_NAME": f"speaker-{n.name}", "METALLB_ML_BIND_ADDR": LAN.format(11 + i),
                      "METALLB_ML_LABELS": "app=metallb,component=speaker"})
        n.start_kube()
    for n in nodes:
        wait_for(n.is_synced, f"{n.name} has seen the API")
    for kind, name, spec in (("IPAddressPool", "pool", {"addresses": ["10.50.0.200-10.50.0.201"]}), ("L2Advertisement", "all", {}),
                             ("BGPAdvertisement", "all", {}),
                             ("BGPPeer", "r", {"myASN": 64512, "peerASN": 64513, "peerAddress": LAN.format(3)})):
        api.resource(kind, name, **spec)
    for name in ("one", "two", "three"):
        api.service(name)
        api.endpoints(name, ["a", "b"])
    wait_addresses(api, "one")
    wait_addresses(api, "two")
    wait_for(lambda: api.items(f"{METALLB}/servicel2statuses"), "Layer 2 is reported")
    wait_for(lambda: api.items(f"{METALLB}/servicebgpstatuses"), "BGP is reported")
    # The same once more is told by a count; a bad edit, and its end.
    api.patch(f"{METALLB}/ipaddresspools/pool", {"spec": {"addresses": ["nonsense"]}})
    wait_for(lambda: [c for c in api.items(f"{METALLB}/configurationstates") if c["status"]["result"] == "Invalid"], "it is said")
    for _ in range(2):
        api.patch("/api/v1/namespaces/default/services/three", {"spec": {"loadBalancerIP": "10.99.0.1"}})
        wait_for(lambda: api.events("AllocationFailed", "three"), "the failure is told")
        api.patch("/api/v1/namespaces/default/services/three", {"spec": {"loadBalancerIP": None}})
    for name in ("one", "two"):
        api.delete(f"/api/v1/namespaces/default/services/{name}")
    wait_addresses(api, "three")
    wait_for(lambda: len(api.items(f"{METALLB}/servicebgpstatuses")) == 2 and
             len(api.items(f"{METALLB}/servicel2statuses")) == 1, "what was reported is taken back")
    said = []
    # What earlier daemons left is looked for some seconds after the start.
    wait_for(lambda: said.extend(api.requests()) or any("servicebgpstatuses?labelSelector" in r for r in said), "the sweep")
    for n in nodes:
        n.stop()
    requests = [right_of(r) for r in said + api.requests()]

    rules = rights(base)
    for asked in requests:
        assert any(granted(rule, asked) for rule in rules), f"no rule grants {asked}"
    # Old kinds are asked for where they are; the stand-in's cluster has slices, and none of its services an AddressPool.
    spare = {("endpoints", "list"), ("endpoints", "watch"), ("addresspools", "list"), ("events", "patch")}
    for rule in rules:
        for resource in rule[2]:
            for verb in rule[4]:
                used = any(granted((rule[0], rule[1], [resource], rule[3], [verb]), asked) for asked in requests)
                assert used or (resource, verb) in spare, f"nobody needs {verb} of {resource}"


@needs_kustomize
def test_rights_of_a_shadow(lab):
    """It reads what speakers report, too; and writes nothing."""
    lan, api, client, nodes = make(lab, "a", start=False)
    nodes[0].start_kube("--shadow")
    wait_for(nodes[0].is_synced, "it has seen the API")
    assert nodes[0].get("shadow") == []
    rules = rights(documents(rendered(FOLDER / "overlays" / "shadow")))
    for asked in map(right_of, api.requests()):
        assert any(granted(rule, asked) for rule in rules) and asked[4] in ("get", "list", "watch"), asked


def test_kubectl_applies_them(lab):
    """The one file, a pool, the same again, and what came of it: crier runs on what was applied."""
    lan, api, client, nodes = make(lab, "a", start=False, api_options=())
    api.delete(f"/api/v1/namespaces/{NAMESPACE}")
    for what in (["-f", FOLDER / "crier.yaml"], ["-f", FOLDER / "overlays/layer2/pool.yaml"], ["-f", FOLDER / "crier.yaml"]):
        done = api.kubectl("apply", "--validate=false", *what)
        assert done.returncode == 0, done
    assert "configured" not in done.stdout, "the second time nothing changes"
    assert len(api.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")) == 9
    daemon_set = api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/crier")
    container = daemon_set["spec"]["template"]["spec"]["containers"][0]
    node = nodes[0]
    values = {"spec.nodeName": node.name, "metadata.name": "crier-x", "metadata.namespace": NAMESPACE,
              "status.hostIP": LAN.format(11), "status.podIP": LAN.format(11)}
    pod(api, "x", LAN.format(11), labels=daemon_set["spec"]["template"]["metadata"]["labels"])
    secret = node.dir / "ml_secret_key"
    secret.mkdir()
    (secret / "secretkey").write_text("not so secret")
    for variable in container["env"]:
        node.env[variable["name"]] = values[variable["valueFrom"]["fieldRef"]["fieldPath"]] if "valueFrom" in variable else \
            str(secret) if variable["name"].endswith("_PATH") else variable["value"]
    node.env["KUBECONFIG"] = str(api.kubeconfig)
    node.daemon = node.popen([node.binary, *container["args"]], "crier.log", env=node.env)
    wait_for(node.is_up, "crier is up")
    url = f"http://{LAN.format(11)}:7472"
    wait_for(lambda: client.run(f"curl -fs {url}/readyz", check=False).stdout == "ok\n", "it is ready")
    assert client.run(f"curl -fs {url}/healthz").stdout == "ok\n"
    wait_for(lambda: [p["name"] for p in node.get("pools")] == ["lan"], "the pool")
    assert [m["name"] for m in node.get("members")] == ["a"]


def test_ready_is_said_after_the_first_full_view(lab):
    """An API server that hangs: alive, but not ready."""
    lan, api, client, nodes = make(lab, "a", start=False)
    api.fault("^GET /api/v1/services", "hang", times=1000)
    nodes[0].start_kube()
    url = f"http://{LAN.format(11)}:7472"
    assert client.run(f"curl -fs {url}/healthz").stdout == "ok\n"
    seen = client.run(f"curl -s -w %{{http_code}} {url}/readyz").stdout
    assert seen == "the Kubernetes API has not been seen yet\n503"
