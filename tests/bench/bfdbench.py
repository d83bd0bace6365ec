"""What tests/bench/bfd_* share: crier, FRR's bfdd and BIRD as one end of many BFD sessions, and the far end (bfd_far.c),
which is the same for all of them."""

import contextlib
import json
import os
import subprocess
import time

import benchlib as b
from crierlab import Bird, Frr, Node
from netlab import wait_for

US, OTHER, FIRST = "10.60.0.1", "10.60.0.2", "10.60.8.0"


def address(i):
    return f"10.60.{8 + i // 256}.{i % 256}"


class Load:
    def __init__(self, sessions, interval_ms, multiplier=3):
        self.sessions, self.interval_ms, self.multiplier = sessions, interval_ms, multiplier
        self.detect_ms = interval_ms * multiplier

    def __str__(self):
        return f"{self.sessions} × {self.interval_ms:g} ms × {self.multiplier}"


def switch(lab):
    """A switch whose forwarding, which the sender pays for here, is as cheap as can be."""
    lan = lab.switch("lan")
    for what in ("iptables", "ip6tables", "arptables"):
        lan.run(f"sysctl -qw net.bridge.bridge-nf-call-{what}=0", check=False)
    return lan


class End:
    """One end: a daemon on a host of its own, with a session to each peer."""

    cls = None
    real_time = 1       # a thread of this real-time priority runs as soon as this end does, at the latest

    def __init__(self, lab, lan, load, us=US, peers=None):
        self.us, self.peers = us, peers or [address(i) for i in range(load.sessions)]
        self.host = lab.host("end-" + us.rsplit(".", 1)[1], lan, f"{us}/16", cls=self.cls)
        self.pid = self.start(load)


class Crier(End):
    name, cls, real_time = "crier", Node, 10
    own = ""        # more of the configuration
    router = ""     # the address of a peer without BFD

    def start(self, load):
        self.host.configure(
            f"bfd-profiles: [{{name: p, receive-interval: {load.interval_ms}ms, "
            f"transmit-interval: {load.interval_ms}ms, detect-multiplier: {load.multiplier}}}]\n{self.own}\npeers:\n" +
            "".join(f"- {{name: p{i}, my-asn: 64512, peer-asn: 64513, peer-address: {peer}, bfd-profile: p}}\n"
                    for i, peer in enumerate(self.peers)) +
            (f"- {{name: router, my-asn: 64512, peer-asn: 64513, peer-address: {self.router}}}\n" if self.router else ""))
        self.host.start()
        return self.host.pid()

    def version(self):
        return b.version([self.host.binary, "--version"])


class CrierUdp(Crier):
    name = "crier, a UDP socket each"
    own = "bfd: {raw-send: off}"


class CrierXdp(Crier):
    name = "crier, noted by the kernel"
    own = "bfd: {fast-path: xdp}"


class CrierNormal(Crier):
    name, real_time = "crier, no real-time priority", 1
    own = "bfd: {real-time: off}"


class FrrEnd(End):
    name, cls = "FRR", Frr

    def start(self, load):
        peers = "".join(f" peer {p} local-address {self.us} interface eth0\n  profile p\n" for p in self.peers)
        self.host.start(f"bfd\n profile p\n  receive-interval {load.interval_ms:g}\n"
                        f"  transmit-interval {load.interval_ms:g}\n  detect-multiplier {load.multiplier}\n{peers}")
        return next(p for p in self.host.pids() if b.name_of(p) == "bfdd")

    def version(self):
        return b.version(["/usr/lib/frr/bfdd", "--version"])


class BirdEnd(End):
    name, cls = "BIRD", Bird

    def start(self, load):
        peers = "".join(f'neighbor {p} dev "eth0" local {self.us};\n' for p in self.peers)
        us = int(load.interval_ms * 1000)
        pace = f"min rx interval {us} us; min tx interval {us} us"
        self.host.start(f'router id {self.us};\nprotocol device {{}}\nprotocol bfd {{ interface "eth0" {{ {pace}; '
                        f"multiplier {load.multiplier}; }};\n{peers}}}\n")
        return next(p for p in self.host.pids() if b.name_of(p) == "bird")

    def version(self):
        return b.version(["bird", "--version"])


def load_of(text):
    """ "64x50" """
    return Load(*(float(n) if "." in n else int(n) for n in text.split("x")))


ENDS = {"crier": Crier, "crier-udp": CrierUdp, "crier-xdp": CrierXdp, "crier-normal": CrierNormal, "frr": FrrEnd,
        "bird": BirdEnd}


def present(end):
    return {"frr": os.path.exists("/usr/lib/frr/bfdd"), "bird": b.installed("bird")}.get(end, True)


class Far:
    """The far end; orders go to its standard input."""

    def __init__(self, lab, lan, load):
        program = b.compiled(lab.dir, "bfd_far")
        self.host = lab.host("far", lan, f"{OTHER}/16")
        self.host.run("ip route add local 10.60.8.0/21 dev lo")      # every address of it is ours
        # crier's BGP sessions, which come with its BFD sessions, stay out of the account: nobody refuses them.
        self.host.run(["nft", "add table ip bgp; add chain ip bgp in { type filter hook input priority 0; }; "
                       "add rule ip bgp in tcp dport 179 drop"])
        self.process = subprocess.Popen(
            self.host.args([program, US, FIRST, load.sessions, int(load.interval_ms * 1000), load.multiplier]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.host.processes.append(self.process)

    def ask(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stats(self):
        return self.ask("stats")

    def all_up(self, load, timeout=60):
        """True when all sessions are up, and stay so for a second; False when that never happens."""
        with contextlib.suppress(Exception):
            wait_for(lambda: self.stats()["up"] == load.sessions, "all sessions are up", timeout, 0.2)
            return True
        return False


class Pauses:
    """When the machine itself stood still (pauses.c), for longer than `limit_ms`; with a lower priority: or was busy with
    real-time work for so long. Built now, measured from begin() on."""

    def __init__(self, lab, limit_ms, priority=99):
        self.command = [b.compiled(lab.dir, "pauses"), str(int(limit_ms * 1000)), str(priority)]
        self.found, self.longest_ms = [], 0

    def begin(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.began_ns = time.time_ns()
        return self

    def end(self):
        self.ended_ns = time.time_ns()
        *lines, longest = self.process.communicate()[0].splitlines()
        self.found = [tuple(map(int, line.split()))[1:] for line in lines]
        self.longest_ms = int(longest.split()[1]) / 1e6

    def overlap(self, from_ns, to_ns):
        """Was there one between these moments?"""
        return any(planned < to_ns and was > from_ns for planned, was in self.found)

    def chance(self, ns):
        """The share of all moments that have one in the `ns` before them: so many would match without a reason."""
        covered, end = 0, self.began_ns
        for planned, was in sorted(self.found):
            covered += max(0, was + ns - max(planned, end))
            end = max(end, was + ns)
        return covered / (self.ended_ns - self.began_ns)


def lost_in_buffers(host):
    """UDP datagrams that found a full socket buffer, in this namespace, ever."""
    lines = [line.split() for line in host.run("cat /proc/net/snmp").stdout.splitlines() if line.startswith("Udp:")]
    return int(dict(zip(*lines))["RcvbufErrors"])
