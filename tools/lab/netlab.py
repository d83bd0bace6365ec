"""Network namespaces as hosts on one machine: made, wired and removed by one object, also when a test fails.

    with Lab() as lab:
        lan = lab.switch("lan")
        a = lab.host("a", lan, "10.0.0.1/24", "fd00::1/64")
        a.run("ping -c1 10.0.0.2")
"""

import atexit
import ctypes
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000

# In tools/vm/run's machine everything takes longer.
PATIENCE = 5 if os.environ.get("CRIER_VM") else 1

OTHER_BGP_PORT = 1790  # where routers listen that are not to use 179

# What the analyser can't guess: gossip is its own, heartbeats of the mesh are BFD, its connections carry bytes of our own.
KNOWN_PORTS = ["-d", "udp.port==7946,data", "-d", "tcp.port==7946,data", "-d", "udp.port==7947,bfd", "-d", "tcp.port==7947,data", "-d", f"tcp.port=={OTHER_BGP_PORT},bgp"]


class LabError(Exception):
    pass


def sh(command, check=True, timeout=30, **kw):
    """Run on the host; returns the finished process with its text."""
    args = shlex.split(command) if isinstance(command, str) else command
    done = subprocess.run(args, capture_output=True, text=True, timeout=timeout * PATIENCE, **kw)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_for(condition, what, timeout=15.0, every=0.02):
    """Wait for a condition, not for time. Returns its first true value. A machine that stands still is waited for, too."""
    timeout *= PATIENCE
    end, spare = time.monotonic() + timeout, timeout
    while True:
        value = condition()
        if value:
            return value
        before = time.monotonic()
        if before > end:
            raise LabError(f"after {timeout:g} s still not so: {what}")
        time.sleep(every)
        late = max(0, min(spare, time.monotonic() - before - 2 * every))
        end, spare = end + late, spare - late


class Host:
    """One namespace with its links."""

    # Whether each program has a session of its own, as services have: kernels with autogroups share out processor time
    # by these. For benches; in a test that would only take time from what looks on.
    own_sessions = False

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.ns = f"{lab.prefix}{name}"
        self.dir = lab.dir / name
        self.dir.mkdir()
        self.processes = []
        sh(f"ip netns add {self.ns}")
        self.run("ip link set lo up")
        # Addresses are usable at once, and a router's advertisement changes nothing.
        self.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0")

    def args(self, command):
        args = shlex.split(command) if isinstance(command, str) else [str(c) for c in command]
        if args[0] == "ip":
            return ["ip", "-n", self.ns, *args[1:]]  # it knows the way by itself, which is quicker
        return ["ip", "netns", "exec", self.ns, *args]

    def run(self, command, check=True, timeout=30, **kw):
        return sh(self.args(command), check=check, timeout=timeout, **kw)

    def sysctl(self, key, value):
        self.run(["sysctl", "-qw", f"{key}={value}"])

    def popen(self, command, log=None, **kw):
        out = open(self.dir / log, "ab") if log else subprocess.DEVNULL
        p = subprocess.Popen(self.args(command), stdout=kw.pop("stdout", out), stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, start_new_session=self.own_sessions, **kw)
        self.processes.append(p)
        return p

    def pids(self):
        return [int(p) for p in sh(f"ip netns pids {self.ns}", check=False).stdout.split()]

    def address(self, link, *addresses):
        for a in addresses:
            self.run(f"ip addr add {a} dev {link} " + ("nodad" if ":" in a else ""))

    def mac(self, link="eth0"):
        return json.loads(self.run(f"ip -j link show {link}").stdout)[0]["address"]

    def macs(self):
        return [i["address"] for i in json.loads(self.run("ip -j link").stdout) if i["link_type"] == "ether"]

    def has_address(self, address):
        return any(a["local"] == address for i in json.loads(self.run("ip -j addr").stdout)
                   for a in i["addr_info"] if "local" in a)

    def neighbour(self, address):
        """The MAC that this host believes in for an address, or None."""
        shown = json.loads(self.run(f"ip -j neigh show {address}").stdout or "[]")
        return shown[0].get("lladdr") if shown else None

    def remove(self):
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for p in self.processes:
            p.wait()
        sh(f"ip netns del {self.ns}", check=False)


class Reaper:
    """Puts a lab away whose owner was killed before it could: it waits at a pipe whose other end dies with the owner."""

    SCRIPT = """
        read -r word && exit
        namespaces() { ip netns list | cut -d' ' -f1 | grep "^$1"; }
        # What is started while others are ended is found the second time.
        for round in 1 2; do
            for ns in $(namespaces "$1"); do ip netns pids "$ns" | xargs -r kill -9; done
        done
        for ns in $(namespaces "$1"); do ip netns del "$ns"; done
        rm -rf "$2"
    """

    def __init__(self, prefix, folder):
        self.process = subprocess.Popen(["sh", "-c", self.SCRIPT, "lab-reaper", prefix, folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/")

    def dismiss(self):
        if self.process.poll() is None:
            self.process.communicate(b"done\n")


class Lab:
    """Owns hosts and switches. `keep` leaves everything in place for a person to look at."""

    def __init__(self, folder=None, keep=False, prefix=None):
        if os.geteuid() != 0:
            raise LabError("network namespaces need root: run it with sudo")
        self.prefix = prefix or f"crier{os.getpid()}-"
        self.keep = keep
        base = pathlib.Path(folder or tempfile.gettempdir())
        base.mkdir(parents=True, exist_ok=True)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="lab-", dir=base))
        self.hosts = {}
        self.switches = {}
        self.reaper = None if keep else Reaper(self.prefix, self.dir)
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.keep:
            self.close()

    def add(self, host):
        self.hosts[host.name] = host
        return host

    def switch(self, name):
        """A bridge in a namespace of its own: a dumb switch that forwards at once."""
        host = self.add(Host(self, name))
        host.run("ip link add br0 type bridge forward_delay 0 mcast_snooping 0")
        host.run("ip link set br0 up")
        self.switches[name] = host
        return host

    def plug(self, host, switch, link="eth0", *addresses):
        port = f"p-{host.name}"[:15]
        host.run(f"ip link add {link} type veth peer name {port} netns {switch.ns}")
        switch.run(f"ip link set {port} master br0 up")
        host.run(f"ip link set {link} up")
        host.address(link, *addresses)
        return port

    def host(self, name, switch=None, *addresses, cls=Host, **kw):
        host = self.add(cls(self, name, **kw))
        if switch:
            self.plug(host, switch, "eth0", *addresses)
        return host

    def close(self):
        atexit.unregister(self.close)
        for host in list(self.hosts.values()):
            host.remove()
        self.hosts.clear()
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.reaper:
            self.reaper.dismiss()


class Pinger:
    """A client that pings an address every millisecond and tells what it missed."""

    REPLY = re.compile(r"^\[(\d+\.\d+)\].*icmp_seq=(\d+)")

    def __init__(self, host, address, interval=0.001):
        self.interval = interval
        self.path = host.dir / f"ping-{address.replace(':', '_')}-{time.monotonic_ns()}"
        family = "-6" if ":" in address else "-4"
        with open(self.path, "wb") as out:
            self.process = host.popen(f"ping {family} -n -D -i {interval} -W 1 {address}", stdout=out)

    def replies(self):
        """(time, sequence unwrapped) of each reply so far."""
        found, last, wraps = [], 0, 0
        for line in open(self.path, errors="replace"):
            m = self.REPLY.match(line)
            if not m or "time=" not in line:
                continue
            seq = int(m[2])
            if seq < last - 32768:
                wraps += 65536
            last = seq
            found.append((float(m[1]), seq + wraps))
        return found

    def wait_replies(self, more=20, timeout=15):
        start = len(self.replies())
        wait_for(lambda: len(self.replies()) >= start + more, f"{more} ping replies", timeout, 0.05)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        return self.result()

    def result(self):
        seen = self.replies()
        seqs = sorted({s for _, s in seen})
        lost, outage = 0, 0.0
        for before, after in zip(seqs, seqs[1:]):
            lost += after - before - 1
        times = [t for t, _ in seen]
        for before, after in zip(times, times[1:]):
            outage = max(outage, after - before)
        return PingResult(len(seqs), lost, outage * 1000)


class PingResult:
    def __init__(self, received, lost, outage_ms):
        self.received, self.lost, self.outage_ms = received, lost, outage_ms

    def __repr__(self):
        return f"{self.received} replies, {self.lost} lost, longest gap {self.outage_ms:.0f} ms"


def inside(namespace, work):
    """What @work() returns in a namespace of the network; a socket that it opens stays there."""
    answers = []

    def enter():
        # A namespace is a thread's own, so nobody has to find the way back.
        with open(f"/run/netns/{namespace}") as there:
            if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        answers.append(work())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return answers[0]


class Capture:
    """Everything on one link of a host, and what the analyser finds wrong with it."""

    # Each place in the kernel's ring has room for the longest packet that is captured: as it comes, there are eight places.
    ROOM = ["-s", "66000", "-B", "8"]
    LAST = 0x88B5  # the type of our own frame that ends a capture (IEEE 802: for local experiments)

    def __init__(self, host, link="eth0", only="", most=0):
        """@only is a capture filter; it ends by itself after @most packets."""
        self.host = host
        self.link = "lo" if link == "any" else link
        self.path = host.dir / f"{link}-{time.monotonic_ns()}.pcapng"
        bound = ["-c", str(most)] if most else []
        self.process = host.popen(["dumpcap", "-q", *self.ROOM, *bound, "-i", link, "-f", self.filter(only), "-w", self.path],
                                  "dumpcap.log")
        wait_for(lambda: self.path.exists() and self.path.stat().st_size > 0, f"capture on {link} begins")

    def filter(self, only):
        return f"({only}) or ether proto {self.LAST}" if only else ""

    def drain(self):
        """Wait until what came before now is in the file: what still lies in the kernel's ring is lost at the end."""
        last = os.urandom(46)
        with inside(self.host.ns, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) as s:
            s.bind((self.link, 0))
            # To ourselves, so that no switch carries it further.
            s.send(s.getsockname()[4] * 2 + self.LAST.to_bytes(2, "big") + last)
        wait_for(lambda: last in self.path.read_bytes(), f"the capture on {self.link} has all", every=0.01)

    def stop(self, drained=True):
        """Not @drained is half a second quicker, and may miss the last frames."""
        if self.process.poll() is None:
            if drained:
                self.drain()
            self.process.send_signal(signal.SIGINT)
            self.process.wait(10)
        return self

    def fields(self, display_filter, *names):
        """One tuple of texts for each packet that matches."""
        cmd = ["tshark", "-r", str(self.path), *KNOWN_PORTS, "-Y", display_filter, "-T", "fields", "-E", "separator=|"]
        for n in names:
            cmd += ["-e", n]
        return [tuple(line.split("|")) for line in sh(cmd, timeout=120).stdout.splitlines()]

    def complaints(self, ours=None, allowed=()):
        """Expert notes of level warning and above, malformed marks included, in packets of `ours`."""
        what = "(_ws.malformed || _ws.expert.severity >= 6291456)"
        rows = self.fields(f"{what} && ({ours})" if ours else what, "frame.number", "_ws.col.Protocol",
                           "_ws.expert.message", "_ws.col.Info")
        return [r for r in rows if not any(a in "|".join(r) for a in allowed)]
