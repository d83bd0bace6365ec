"""A peer that does everything wrong harms nobody but itself."""

import json
import os
import re
import time

import hostile_peer
from crierlab import Bird, Host, Node
from netlab import wait_for
from test_bgp import BIRD

CONFIG = """
bgp: {{listen: "[::]:179", router-id: 10.50.0.11}}
peers:
- {{name: r4, peer-address: 10.50.0.1, peer-asn: 64513, my-asn: 64512, hold-time: 9s}}
- {{name: r6, peer-address: "fd50::1", peer-asn: 64513, my-asn: 64512, hold-time: 9s}}
{hostile}
address-pools:
- {{name: public, protocol: bgp, addresses: [198.51.100.0/24, "2001:db8:51::/64"]}}
services:
- {{name: web, addresses: [198.51.100.7, "2001:db8:51::7"]}}
"""
# A tenth of a megabyte of freed memory is kept by the sanitizer, not the usual 256: growth can be seen.
SANITIZER = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}
UNKNOWN = "10.50.1.1"  # an address that no peer has


def hostile_peers():
    """A passive peer for each case, with what the case asks of it; one that we connect to for each manner."""
    manners = {m.__name__ for m in hostile_peer.MANNERS}
    lines = []
    for name in hostile_peer.everybody():
        case = hostile_peer.CASES.get(name, ())
        extra = case[3] if len(case) > 3 else ""
        asn = "" if "peer-asn" in extra else "peer-asn: 64513, "
        lines.append(f"- {{name: {name}, peer-address: {hostile_peer.address_of(name)}, {asn}my-asn: 64512, "
                     f"hold-time: 9s, passive: {str(name not in manners).lower()}{', ' + extra if extra else ''}}}")
    return "\n".join(lines)


class Scene:
    """A node with a decent router and with all the others."""

    def __init__(self, lab):
        lan = lab.switch("lan")
        self.router = lab.host("router", lan, "10.50.0.1/16", "fd50::1/64", cls=Bird)
        self.node = lab.host("a", lan, "10.50.0.11/16", "fd50::11/64", cls=Node)
        self.evil = lab.host("evil", lan, f"{UNKNOWN}/16", cls=Host)
        everybody = [hostile_peer.address_of(c) for c in hostile_peer.everybody()]
        self.evil.run(["ip", "-batch", "-"], input="".join(f"addr add {a}/32 dev lo\n" for a in everybody))
        # What one does not read is to lie with us soon, not in the kernels' buffers, which grow to megabytes.
        for host, buffer in ((self.node, "tcp_wmem"), (self.evil, "tcp_rmem")):
            host.sysctl(f"net.ipv4.{buffer}", "4096 16384 32768")
        # One neighbour for all of them: the kernel has one table of neighbours for all namespaces.
        self.node.run(f"ip route add {hostile_peer.NETWORK} via {UNKNOWN}")
        self.router.start(BIRD.format(asn=64513, more=""))
        self.node.env.update(SANITIZER)
        self.node.configure(CONFIG.format(hostile=hostile_peers()))
        self.node.start()
        for prefix in ("198.51.100.7/32", "2001:db8:51::7/128"):
            self.router.wait_route(prefix)

    def program(self, *options):
        return ["/usr/bin/python3", hostile_peer.__file__, "10.50.0.11", *options]

    def play(self, *options):
        return json.loads(self.evil.run(self.program(*options), timeout=90).stdout)

    def undisturbed(self):
        """The sessions with the router never ended, and none is left with the others."""
        peers = {p["name"]: p for p in self.node.get("peers")}
        assert all((peers[n]["state"], peers[n]["flaps"]) == ("established", 0) for n in ("r4", "r6")), peers
        assert self.router.routes(4).get("198.51.100.7/32") and self.router.routes(6).get("2001:db8:51::7/128")

    def rest(self):
        """Wait until the hostile ones have gone; what the daemon uses then."""
        stay = {"r4", "r6", hostile_peer.NEVER_READS}
        wait_for(lambda: {p["name"] for p in self.node.get("peers") if p["state"] == "established"} <= stay,
                 "only the router's sessions are left")
        alive = f"ss -Htnp state connected dst {hostile_peer.NETWORK}"
        wait_for(lambda: self.node.run(alive).stdout.count("users:") <= 3, "what lingered has ended")
        return self.memory(), self.descriptors()

    def metrics(self):
        return self.node.run("curl -s --max-time 5 http://127.0.0.1:7472/metrics").stdout

    def memory(self):
        """Resident kilobytes."""
        with open(f"/proc/{self.node.pid()}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.node.pid()}/fd"))


def test_every_mistake_is_answered_and_harms_nobody(lab):
    scene = Scene(lab)
    used = []
    for _ in range(3):
        answers = scene.play()
        wrong = {case: a for case, a in answers.items() if not a["ok"]}
        assert not wrong, wrong
        scene.undisturbed()
        used.append(scene.rest())
        for what in ("down", "up"):  # it would have to wait for a minute
            scene.node.crier("peer", "too-many-prefixes", what)
    # What the first round leaves behind is what a peer has for good: its last messages, its last errors.
    assert used[2][0] - used[1][0] < 2048, used
    assert used[2][1] <= used[0][1], used
    shown = scene.node.crier("get", "peers", "-o", "json").stdout
    assert "\x1b" not in shown and "\\u001b" not in shown
    assert scene.node.stop() == 0, "leaks are found at the end"

    # The analyser that judges what we send sees the mistakes of the others.
    mac = scene.evil.mac()
    assert lab.captures[0].stop().complaints(f"bgp && sll.src.eth == {mac}")


def test_a_flood_of_connections_and_a_peer_that_never_reads(lab):
    scene = Scene(lab)
    began = time.monotonic()
    deaf = scene.evil.popen(scene.program("--never-read"), "deaf.log")
    scene.evil.popen(scene.program("--listen"), "listener.log")
    wait_for(lambda: scene.node.get("peers", hostile_peer.NEVER_READS)[0]["state"] == "established", "it is up")
    before = scene.rest()
    known = hostile_peer.address_of("http")
    for source in (known, UNKNOWN):
        flood = scene.play("--flood", "1000", "--source", source)
        assert flood["made"] > 1000, flood
        asked = time.monotonic()
        scene.undisturbed()
        assert time.monotonic() - asked < 3
    refused = float(re.search(r"^crier_bgp_connections_refused_total (\S+)", scene.metrics(), re.M)[1])
    assert refused > 1000  # of the unknown; most of the known were heard, and left
    # Of two thousand; by chance the listener's ways to fail follow each other.
    assert len(scene.node.events("sessionFailed")) < 100, "the same failure is told once"

    # Routes that change all the time: the router has the last ones, and the deaf one costs no more than its own queue.
    for med in range(1, 9):
        scene.node.run([scene.node.binary, "announce", "-"], env=scene.node.env, input="".join(
            f"announce 172.{16 + i // 65536}.{i // 256 % 256}.{i % 256}/32 med {med}\n" for i in range(5000)))
    wait_for(lambda: [r[0].get("BGP.med") for r in scene.router.routes(4).values()].count("8") == 5000,
             "the router has the last of all")
    assert deaf.poll() is None
    mute = scene.node.get("peers", hostile_peer.NEVER_READS)[0]
    assert mute["state"] == "established" and mute["queued-bytes"] > 0 and mute["prefixes-pending"] > 0, mute
    scene.undisturbed()
    # Who ends each connection is tried less and less often, and who talks nonsense once a second at most.
    counts = json.loads((scene.evil.dir / "listener.log").read_text().splitlines()[-1])
    passed = time.monotonic() - began
    assert all(3 <= counts[m] <= 30 for m in ("hang_up", "reset", "open_and_hang_up")), counts
    assert 2 <= counts["babble"] <= passed + 2 and counts["be_silent"] == 1, (counts, passed)
    memory, descriptors = scene.rest()
    assert memory - before[0] < 32768, (before, memory)
    assert descriptors <= before[1] + 4, (before, descriptors)  # who is silent, who babbles
    assert scene.node.stop() == 0
