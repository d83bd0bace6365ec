#!/usr/bin/env python3
"""crier's main job, shown: three nodes, a router, a client; an address that survives a death in each mode."""

import argparse
import os
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True

from crierlab import Bird, Frr, Node, ROOT  # noqa: E402
from netlab import Lab, LabError, Pinger, sh, wait_for  # noqa: E402

PREFIX = "quick-"
FOLDER = ROOT / "build" / "quickstart"
NODES = {"a": "10.77.0.11", "b": "10.77.0.12", "c": "10.77.0.13"}
L2_ADDRESS, BGP_ADDRESS = "10.77.0.200", "198.51.100.0"
CLIENT = "10.78.0.100"

CONFIG = f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  namespace: metallb-system
  name: config
data:
  config: |
    peers:
    - peer-address: 10.77.0.1
      peer-asn: 64513
      my-asn: 64512
      bfd-profile: fast
    bfd-profiles:
    - name: fast
      receive-interval: 50
      transmit-interval: 50
      detect-multiplier: 3
    bgp-communities:
      from-crier: 64512:100
    address-pools:
    - name: lan
      protocol: layer2
      addresses:
      - {L2_ADDRESS}-10.77.0.220
    - name: routed
      protocol: bgp
      addresses:
      - 198.51.100.0/24
      bgp-advertisements:
      - communities: [from-crier]
---
cluster:
  join: [{', '.join(NODES.values())}]
services:
- name: web
  address-pool: lan
  ports: [80/tcp]
- name: api
  address-pool: routed
  ports: [80/tcp]
"""

FRR = """\
router bgp 64513
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 bgp bestpath as-path multipath-relax
 neighbor nodes peer-group
 neighbor nodes remote-as 64512
 neighbor nodes bfd
 neighbor nodes bfd profile fast
 neighbor nodes timers connect 1
 neighbor 10.77.0.11 peer-group nodes
 neighbor 10.77.0.12 peer-group nodes
 neighbor 10.77.0.13 peer-group nodes
bfd
 profile fast
  receive-interval 50
  transmit-interval 50
"""

BIRD = """\
router id 10.77.0.1;
protocol device {}
protocol direct { ipv4; }
protocol kernel { ipv4 { export all; }; merge paths on; }
protocol bfd { interface "eth0" { interval 50 ms; multiplier 3; }; }
template bgp node { local 10.77.0.1 as 64513; bfd; connect retry time 1; error wait time 1, 2; ipv4 { import all; export none; }; }
protocol bgp a from node { neighbor 10.77.0.11 as 64512; }
protocol bgp b from node { neighbor 10.77.0.12 as 64512; }
protocol bgp c from node { neighbor 10.77.0.13 as 64512; }
"""

STEP = 0


def step(text):
    global STEP
    STEP += 1
    print(f"\n{STEP}. {text}", flush=True)


def tell(text):
    print(f"   {text}", flush=True)


def build_lab(lab, router_kind):
    lan, wan = lab.switch("lan"), lab.switch("wan")
    nodes = {}
    for name, address in NODES.items():
        node = nodes[name] = lab.host(name, lan, f"{address}/24", cls=Node)
        node.run("ip route add default via 10.77.0.1")
        # A web server that says which machine answered.
        (node.dir / "www").mkdir()
        (node.dir / "www" / "index.html").write_text(f"node {name}\n")
        node.popen(f"python3 -m http.server 80 -d {node.dir}/www", "www.log")
        node.configure(CONFIG)
    router = lab.host("router", lan, "10.77.0.1/24", cls=Frr if router_kind == "frr" else Bird)
    lab.plug(router, wan, "eth1", "10.78.0.1/24")
    router.start(FRR if router_kind == "frr" else BIRD)
    client = lab.host("client", wan, f"{CLIENT}/24")
    lab.plug(client, lan, "eth1", "10.77.0.100/24")
    client.run("ip route add default via 10.78.0.1")
    return nodes, router, client


def owner_of(nodes, address):
    owners = [n for n in nodes.values() if n.daemon.poll() is None and n.owns(address)]
    return owners[0] if len(owners) == 1 else None


def page(client, address):
    """An address that moves at this very moment ends the connections to its former owner."""
    return client.run(f"curl -s --max-time 3 --retry 3 --retry-delay 1 --retry-all-errors http://{address}/").stdout.strip()


def show_layer2(nodes, client):
    step(f"Layer 2: {L2_ADDRESS} is answered by exactly one node.")
    owner = wait_for(lambda: owner_of(nodes, L2_ADDRESS), f"one owner of {L2_ADDRESS}")
    body = page(client, L2_ADDRESS)
    tell(f"the owner is {owner.name}; the client asks http://{L2_ADDRESS}/ and hears: {body}")
    tell(f"the client's neighbour table: {L2_ADDRESS} is at {client.neighbour(L2_ADDRESS)} ({owner.name}'s: {owner.mac()})")

    step(f"kill -9 of crier on {owner.name}, while the client pings every millisecond.")
    ping = Pinger(client, L2_ADDRESS)
    ping.wait_replies(200)
    owner.kill()
    living = {k: v for k, v in nodes.items() if v is not owner}
    heir = wait_for(lambda: owner_of(living, L2_ADDRESS), "another owner", 30)
    ping.wait_replies(200, 30)
    result = ping.stop()
    body = page(client, L2_ADDRESS)
    tell(f"{heir.name} took over; the client saw {result}; HTTP now says: {body}")
    owner.start()
    wait_for(lambda: len(owner.get("members")) == 3, f"{owner.name} is back")
    tell(f"{owner.name} is started again and is back among the members")
    return result


def show_bgp(nodes, router, client):
    prefix = f"{BGP_ADDRESS}/32"
    step(f"BGP: the router learns {prefix} from all three nodes, as equal paths.")
    paths = router.wait_route(prefix, 3)
    wait_for(lambda: router.run(f"ip route show {prefix}").stdout.count("nexthop") == 3, "three next hops in the kernel")
    tell("next hops: " + ", ".join(sorted(p["nexthop"] for p in paths)))
    tell("kernel:    " + " ".join(router.run(f"ip route show {prefix}").stdout.split()))
    body = page(client, BGP_ADDRESS)
    tell(f"the client asks http://{BGP_ADDRESS}/ and hears: {body}")

    used = router.run(f"ip route get {BGP_ADDRESS} from {CLIENT} iif eth1").stdout.split()
    hop = used[used.index("via") + 1]
    victim = nodes[next(n for n, a in NODES.items() if a == hop)]
    step(f"{victim.name} dies (cable and processes at once), the node that the client's pings go to.")
    wait_for(lambda: all(b["state"] == "up" for n in nodes.values() for b in n.get("bfd")), "BFD is up everywhere")
    ping = Pinger(client, BGP_ADDRESS)
    ping.wait_replies(200)
    victim.crash_host()
    router_left = wait_for(lambda: len(router.routes().get(prefix, [])) == 2, "the router drops the dead path", 30)
    ping.wait_replies(200, 30)
    result = ping.stop()
    tell(f"BFD (50 ms x 3) told the router; two paths remain; the client saw {result}" if router_left else "")
    return result, victim


def show_status(node):
    step(f"What a person sees on {node.name}: crier status")
    for line in node.crier("status", check=False).stdout.splitlines():
        tell(line)


def next_steps(lab, kept):
    print(f"""
That was it. For a real installation, on each machine:

   sudo cmake --install build/release                  # binary, systemd unit, group, sample configuration
   sudoedit /etc/crier/crier.yaml                      # your addresses; docs/configuration.md has every key
   crier check -f /etc/crier/crier.yaml                # says what is wrong, and where
   sudo systemctl enable --now crier                   # and then: crier status""")
    if kept:
        print(f"""
The lab is still up (--keep). Try:

   ip netns exec {PREFIX}client ping {L2_ADDRESS}
   ip netns exec {PREFIX}a env CRIER_SOCKET={lab.dir}/a/run/crier.sock {ROOT}/build/release/crier get l2
   sudo tools/quickstart --remove                      # when you are done""")


def remove_leftovers():
    """Namespaces of an earlier run with --keep, or of one that was killed."""
    for line in sh("ip netns list", check=False).stdout.splitlines():
        ns = line.split()[0] if line.split() else ""
        if ns.startswith(PREFIX):
            for pid in sh(f"ip netns pids {ns}", check=False).stdout.split():
                sh(f"kill -9 {pid}", check=False)
            sh(f"ip netns del {ns}", check=False)
    shutil.rmtree(FOLDER, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="quickstart")
    parser.add_argument("--router", choices=["frr", "bird"], default="frr")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--remove", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("CRIER", str(ROOT / "build/release/crier"))
    remove_leftovers()
    if args.remove:
        print("removed")
        return 0
    began = time.monotonic()
    lab = Lab(FOLDER, keep=args.keep, prefix=PREFIX)
    try:
        step("Three nodes (a, b, c), a router and a client, each in a namespace; one ConfigMap for all nodes.")
        nodes, router, client = build_lab(lab, args.router)
        for node in nodes.values():
            node.start()
        wait_for(lambda: all(len(n.get("members")) == 3 for n in nodes.values()), "all nodes see each other")
        tell(f"running and joined after {time.monotonic() - began:.1f} s")
        l2 = show_layer2(nodes, client)
        bgp, victim = show_bgp(nodes, router, client)
        show_status(next(n for n in nodes.values() if n is not victim))
        print(f"\nOutages the client saw: Layer 2 {l2.outage_ms:.0f} ms, BGP with BFD {bgp.outage_ms:.0f} ms.")
        next_steps(lab, args.keep)
        return 0
    except LabError as problem:
        print(f"\nquickstart: {problem}", file=sys.stderr)
        return 1
    finally:
        if args.keep:
            import atexit
            atexit.unregister(lab.close)
        else:
            lab.close()
            shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
