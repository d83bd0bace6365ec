"""Those who announce in the benchmarks of BGP: each starts in a namespace of its own, has its routes, and connects to
an address of the sink that is its alone. /32 prefixes, IPv4.
"""

import os
import signal
import socket
import subprocess
import time

import benchlib as b
import bgpsink
from crierlab import Bird, GoBgp, Node
from netlab import wait_for

SINK_ASN, SENDER_ASN, FEEDER_ASN = 64513, 64512, 64514


def addresses(count):
    return [f"10.{100 + i // 65536}.{i // 256 % 256}.{i % 256}" for i in range(count)]


def prefixes(count):
    return [(socket.inet_aton(a), 32) for a in addresses(count)]


def lines(count, sets=1):
    """Routes as `crier announce -` and ExaBGP read them; with @sets different sets of attributes."""
    return "".join(f"announce {a}/32" + (f" community 64512:{i % sets}" if sets > 1 else "") + "\n"
                   for i, a in enumerate(addresses(count)))


def crier_peer(sink):
    return (f"peers: [{{name: sink, my-asn: {SENDER_ASN}, peer-asn: {SINK_ASN}, peer-address: {sink}, "
            "hold-time: 1h}]\n")


def crier_conf(count, sink):
    text = [crier_peer(sink) + "address-pools: [{name: all, protocol: bgp, addresses: [10.100.0.0/16]}]", "services:"]
    text += [f"- {{name: s{i}, addresses: [{a}], bind: none}}" for i, a in enumerate(addresses(count))]
    return "\n".join(text) + "\n"


def bird_conf(count, me, sink, sets=1):
    def attributes(i):
        return f" {{ bgp_community.add((64512,{i % sets})); }}" if sets > 1 else ""
    routes = "\n".join(f"route {a}/32 blackhole{attributes(i)};" for i, a in enumerate(addresses(count)))
    return (f"router id {me};\nprotocol device {{}}\nprotocol static {{ ipv4;\n{routes}\n}}\n"
            f"protocol bgp sink {{ local {me} as {SENDER_ASN}; neighbor {sink} as {SINK_ASN}; hold time 3600; "
            f"connect retry time 1; connect delay time 1; error wait time 1, 1; ipv4 {{ import none; export all; next hop self; }}; }}\n")


def gobgp_conf(me, sink, feeder):
    def neighbour(address, asn, extra=""):
        return (f'[[neighbors]]\n[neighbors.config]\nneighbor-address = "{address}"\npeer-as = {asn}\n'
                f"[neighbors.timers.config]\nhold-time = 3600\nconnect-retry = 1\nidle-hold-time-after-reset = 1\n{extra}")
    return (f'[global.config]\nas = {SENDER_ASN}\nrouter-id = "{me}"\n' + neighbour(sink, SINK_ASN) +
            neighbour(feeder, FEEDER_ASN, "[neighbors.transport.config]\npassive-mode = true\n"))


class Sender:
    """One that announces from @me to the sink's address of its own."""

    wake = False

    def __init__(self, name, me, sink, sets=1):
        self.name, self.me, self.sink, self.sets = name, me, sink, sets
        self.ms, self.cpu_ms, self.messages = [], [], []
        self.pid = None

    def host(self, lab, lan, cls):
        return lab.host(self.name.split(",")[0].lower() + self.me.rsplit(".", 1)[1], lan, f"{self.me}/16", cls=cls)

    def stop(self):
        pass


class Crier(Sender):
    def start(self, lab, lan, count):
        self.node = self.host(lab, lan, Node)
        self.node.configure(crier_conf(count, self.sink))
        self.node.start()
        self.pid = self.node.pid()
        wait_for(lambda: len(self.node.get("services")) == count, "crier has its services", 60, 0.2)


class CrierLines(Sender):
    """The routes come from a program, by `crier announce -`."""

    def start(self, lab, lan, count):
        self.start_empty(lab, lan)
        self.load(count)

    def start_empty(self, lab, lan):
        self.node = self.host(lab, lan, Node)
        self.node.configure(crier_peer(self.sink))
        self.node.start()
        self.pid = self.node.pid()

    def load(self, count):
        """Seconds that it took."""
        text = lines(count, self.sets)
        began = time.monotonic()
        subprocess.run(self.node.args([self.node.binary, "announce", "-"]), env=self.node.env, input=text, text=True,
                       check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - began


class BirdSender(Sender):
    def start(self, lab, lan, count):
        router = self.host(lab, lan, Bird).start(bird_conf(count, self.me, self.sink, self.sets))
        self.pid = router.processes[0].pid
        wait_for(lambda: f"{count} of {count} routes" in router.birdc("show route count table master4"),
                 "BIRD has its routes", 120, 0.2)


class Woken(Sender):
    """The same BIRD, but the sink answers a millisecond of silence with a KEEPALIVE. BIRD 2.0 may sleep for three
    seconds with something left to say, until anything arrives."""

    wake = True

    def __init__(self, bird):
        super().__init__("BIRD, woken every ms", bird.me, bird.sink)
        self.bird = bird

    def start(self, lab, lan, count):
        self.pid = self.bird.pid


class GoBgpSender(Sender):
    def start(self, lab, lan, count):
        host = self.host(lab, lan, GoBgp)
        feeder = lab.host("feeder", lan, "10.50.0.99/16")
        host.start(gobgp_conf(self.me, self.sink, "10.50.0.99"))
        self.pid = host.processes[0].pid
        with b.inside(feeder):
            self.feed = bgpsink.Session(bgpsink.connect(self.me, "10.50.0.99"), FEEDER_ASN, "10.50.0.99")
        self.feed.accept_open()
        self.feed.establish()
        self.feed.socket.sendall(bgpsink.updates(FEEDER_ASN, "10.50.0.99", prefixes(count)))
        wait_for(lambda: f"{count}" in host.run("gobgp global rib summary", check=False).stdout, "GoBGP has its routes",
                 60, 0.2)

    def stop(self):
        self.feed.close()


class Floor(Sender):
    """Connects again and again, and writes what it packed before as soon as it is Established."""

    def start(self, lab, lan, count):
        host = lab.host("floor", lan, f"{self.me}/16")
        packed = bgpsink.updates(SENDER_ASN, self.me, prefixes(count))
        with b.inside(host):            # the child stays inside
            self.pid = os.fork()
            if self.pid == 0:
                try:
                    self.serve(packed)
                finally:
                    os._exit(1)

    def serve(self, packed):
        while True:
            try:
                s = bgpsink.Session(bgpsink.connect(self.sink, self.me, 600), SENDER_ASN, self.me)
                s.socket.sendall(bgpsink.message(bgpsink.KEEPALIVE))
                s.expect(bgpsink.KEEPALIVE)
                s.socket.sendall(packed)
                s.expect(bgpsink.NOTIFICATION)
            except (OSError, bgpsink.SessionLost):
                continue

    def stop(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
