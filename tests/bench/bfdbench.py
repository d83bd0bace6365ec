"""What tests/bench/bfd_* share: crier, FRR's bfdd and BIRD as one end of many BFD sessions, and the far end (bfd_far.c),
which is the same for all of them."""

import contextlib
import json
import os
import subprocess

import benchlib as b
from crierlab import Bird, Frr, Node
from netlab import wait_for

US, FIRST = "10.60.0.1", "10.60.8.0"


def address(i):
    return f"10.60.{8 + i // 256}.{i % 256}"


class Load:
    def __init__(self, sessions, interval_ms, multiplier=3):
        self.sessions, self.interval_ms, self.multiplier = sessions, interval_ms, multiplier
        self.detect_ms = interval_ms * multiplier

    def __str__(self):
        return f"{self.sessions} × {self.interval_ms:g} ms × {self.multiplier}"


class Crier:
    name = "crier"
    own = ""        # more of the configuration

    def start(self, lab, lan, load):
        self.node = lab.host("end", lan, f"{US}/16", cls=Node)
        self.node.configure(
            f"bfd-profiles: [{{name: p, receive-interval: {load.interval_ms}ms, "
            f"transmit-interval: {load.interval_ms}ms, detect-multiplier: {load.multiplier}}}]\n{self.own}\npeers:\n" +
            "".join(f"- {{name: p{i}, my-asn: 64512, peer-asn: 64513, peer-address: {address(i)}, bfd-profile: p}}\n"
                    for i in range(load.sessions)))
        self.node.start()
        self.host, self.pid = self.node, self.node.pid()

    def version(self):
        return b.version([self.node.binary, "--version"])


class CrierUdp(Crier):
    name = "crier, a UDP socket each"
    own = "bfd: {raw-send: off}"


class CrierNormal(Crier):
    name = "crier, no real-time priority"
    own = "bfd: {real-time: off}"


class FrrEnd:
    name = "FRR"

    def start(self, lab, lan, load):
        self.host = lab.host("end", lan, f"{US}/16", cls=Frr)
        peers = "".join(f" peer {address(i)} local-address {US} interface eth0\n  profile p\n"
                        for i in range(load.sessions))
        self.host.start(f"bfd\n profile p\n  receive-interval {load.interval_ms:g}\n"
                        f"  transmit-interval {load.interval_ms:g}\n  detect-multiplier {load.multiplier}\n{peers}")
        self.pid = next(p for p in self.host.pids() if b.name_of(p) == "bfdd")

    def version(self):
        return b.version(["/usr/lib/frr/bfdd", "--version"])


class BirdEnd:
    name = "BIRD"

    def start(self, lab, lan, load):
        self.host = lab.host("end", lan, f"{US}/16", cls=Bird)
        peers = "".join(f'neighbor {address(i)} dev "eth0" local {US};\n' for i in range(load.sessions))
        pace = f"min rx interval {load.interval_ms:g} ms; min tx interval {load.interval_ms:g} ms"
        self.host.start(f'router id {US};\nprotocol device {{}}\nprotocol bfd {{ interface "eth0" {{ {pace}; '
                        f"multiplier {load.multiplier}; }};\n{peers}}}\n")
        self.pid = next(p for p in self.host.pids() if b.name_of(p) == "bird")

    def version(self):
        return b.version(["bird", "--version"])


ENDS = {"crier": Crier, "crier-udp": CrierUdp, "crier-normal": CrierNormal, "frr": FrrEnd, "bird": BirdEnd}


def present(end):
    return {"frr": os.path.exists("/usr/lib/frr/bfdd"), "bird": b.installed("bird")}.get(end, True)


class Far:
    """The far end; orders go to its standard input."""

    def __init__(self, lab, lan, load):
        program = lab.dir / "bfd_far"
        source = b.ROOT / "tests" / "bench" / "bfd_far.c"
        subprocess.run(["cc", "-D_GNU_SOURCE", "-O2", "-o", program, source], check=True)
        self.host = lab.host("far", lan, "10.60.0.2/16")
        self.host.run("ip route add local 10.60.8.0/21 dev lo")      # every address of it is ours
        self.host.run("sysctl -qw net.ipv4.conf.all.arp_filter=0")
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


def lost_in_buffers(host):
    """UDP datagrams that found a full socket buffer, in this namespace, ever."""
    lines = [line.split() for line in host.run("cat /proc/net/snmp").stdout.splitlines() if line.startswith("Udp:")]
    return int(dict(zip(*lines))["RcvbufErrors"])
