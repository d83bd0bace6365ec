"""crier nodes and real routers as hosts of a netlab."""

import json
import os
import pathlib
import re
import signal
import socket
import textwrap

from netlab import Host, LabError, sh, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def crier_binary():
    given = os.environ.get("CRIER")
    for path in [given] if given else [ROOT / "build/release/crier", ROOT / "build/debug/crier"]:
        if path and os.access(path, os.X_OK):
            return str(path)
    raise LabError("no crier binary: build one first (cmake --preset release && cmake --build --preset release)")


class Node(Host):
    """A host that runs crier. Its files live in its own folder."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.binary = crier_binary()
        self.config = self.dir / "crier.yaml"
        self.log = self.dir / "crier.log"
        self.socket = self.dir / "run" / "crier.sock"
        (self.dir / "run").mkdir()
        (self.dir / "state").mkdir()
        self.daemon = None
        self.env = {**os.environ, "RUNTIME_DIRECTORY": str(self.dir / "run"),
                    "STATE_DIRECTORY": str(self.dir / "state"), "CRIER_SOCKET": str(self.socket)}

    def configure(self, text):
        self.config.write_text(textwrap.dedent(text))

    def start(self, *options, ready=True):
        self.daemon = self.popen([self.binary, "run", "-f", self.config, "--node", self.name, *options],
                                 "crier.log", env=self.env)
        if ready:
            wait_for(self.is_up, f"{self.name}'s daemon answers; its log:\n{self.log}", 20)
        return self

    def is_up(self):
        if self.daemon.poll() is not None:
            raise LabError(f"{self.name}: crier ended with {self.daemon.returncode}:\n{self.log.read_text()}")
        try:
            return self.socket.exists() and self.status()
        except LabError:
            return False

    def crier(self, *args, check=True, timeout=30):
        return self.run([self.binary, *args], check=check, timeout=timeout, env=self.env)

    def answer(self, op, args, patience=20):
        """What the daemon says to one question on its control socket (src/control/protocol.h)."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(patience)
                s.connect(str(self.socket))
                s.sendall(json.dumps({"op": op, "args": args}).encode() + b"\n")
                with s.makefile("rb") as lines:
                    return json.loads(lines.readline() or b"{}")
        except OSError as e:
            raise LabError(f"{self.name}: {op}: {e}") from e

    def ask(self, op, **args):
        """As the command of that name: conditions are polled, and a process for each question is what would take the time."""
        answer = self.answer(op, args)
        if not answer.get("ok"):
            raise LabError(f"{self.name}: {op} {args}: {answer.get('error', 'no answer')}")
        return answer["data"]

    def get(self, kind, name=None):
        items, args = [], {"kind": kind, **({"name": name} if name else {})}
        while args:
            data = self.ask("get", **args)
            items += data["items"]
            args = {**args, "page": data["next"]} if "next" in data else None
        return items

    def status(self):
        return self.ask("status")

    def metric(self, sample):
        """A value of the page for Prometheus, by its name with labels; None: there is none."""
        found = re.search(rf"^{re.escape(sample)} (\S+)$", self.run("curl -s http://127.0.0.1:7472/metrics").stdout, re.M)
        return float(found[1]) if found else None

    def owns(self, address):
        """Does this node answer for the address by Layer 2?"""
        found = self.answer("get", {"kind": "l2", "name": address}).get("data", {}).get("items", [])
        return any(i["state"] == "owner" for i in found)

    def pid(self):
        """The daemon itself, not the helper processes that it started."""
        return self.daemon.pid

    def kill(self):
        """kill -9; the daemon is gone when this returns."""
        self.daemon.kill()
        self.daemon.wait(10)

    def stop(self, timeout=5):
        """Leave gracefully; returns the exit code."""
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(timeout)

    def events(self, name):
        """The log's events of one name so far."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                event = json.loads(line)
                if event.get("event") == name:
                    found.append(event)
        return found

    def wait_event(self, name):
        """The first event of one name: what has happened is told a moment later."""
        return wait_for(lambda: self.events(name), f"{self.name} says {name}")[0]

    def crash_host(self):
        """The whole machine goes: every process at once, and its cable."""
        self.run("ip link set eth0 down", check=False)
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)


class Router(Host):
    """Common to the real routers: start, ask for routes, stop."""

    def ready(self):
        raise NotImplementedError

    def routes(self, family=4):
        """{prefix: [route, …]} of what was learned; each route a dict with at least `nexthop`."""
        raise NotImplementedError

    def wait_route(self, prefix, paths=1, timeout=20):
        """The paths of a prefix, as soon as there are so many."""
        family = 6 if ":" in prefix else 4

        def found():
            seen = self.routes(family).get(prefix, [])
            return seen if len(seen) >= paths else None
        return wait_for(found, f"{self.name} has {prefix} with {paths} path(s)", timeout, 0.05)

    def wait_no_route(self, prefix, timeout=20):
        family = 6 if ":" in prefix else 4
        wait_for(lambda: not self.routes(family).get(prefix), f"{self.name} has no {prefix}", timeout, 0.05)


class Frr(Router):
    """FRR's zebra, bgpd and bfdd with files of their own."""

    LIB = "/usr/lib/frr"

    def start(self, conf):
        self.vty = self.dir / "vty"
        self.vty.mkdir(exist_ok=True)
        (self.dir / "frr.conf").write_text(textwrap.dedent(conf))
        sh(f"chown -R frr:frr {self.dir}")
        self.sysctl("net.ipv4.ip_forward", 1)
        self.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.sysctl("net.ipv4.fib_multipath_hash_policy", 1)
        # The daemons run as user frr, who may not reach this folder by its own path: a home may be closed to
        # others. Each `ip netns exec` has mounts of its own, so the folder can stand on /mnt for them alone.
        files = "-f /mnt/frr.conf --vty_socket /mnt/vty -z /mnt/zserv.api -A 127.0.0.1 -P 0"
        self.daemons = []
        for d in ("zebra", "bfdd", "bgpd"):
            run = f"mount --bind {self.dir} /mnt && exec {self.LIB}/{d} {files} -i /mnt/{d}.pid --log file:/mnt/{d}.log"
            self.daemons.append(self.popen(["sh", "-c", run], f"{d}.out"))
            wait_for(lambda d=d: (self.vty / f"{d}.vty").exists(), f"{self.name}: {d} runs")
        return self

    def stop(self, signo=signal.SIGTERM):
        """All its daemons end; start() may follow."""
        for p in reversed(self.daemons):
            p.send_signal(signo)
            p.wait(10)
        for path in self.vty.glob("*.vty"):
            path.unlink()

    def vtysh(self, *commands, check=True):
        args = [a for c in commands for a in ("-c", c)]
        return self.run(["vtysh", "--vty_socket", str(self.vty), *args], check=check).stdout

    def ask(self, command):
        text = self.vtysh(command, check=False)
        try:
            return json.loads(text)
        except ValueError:
            return {}

    def routes(self, family=4):
        shown = self.ask(f"show bgp ipv{family} unicast json").get("routes", {})
        return {p: [{"nexthop": r["nexthops"][0]["ip"], **r} for r in paths if r.get("valid")]
                for p, paths in shown.items()}

    def detail(self, prefix):
        family = 6 if ":" in prefix else 4
        return self.ask(f"show bgp ipv{family} unicast {prefix} json")


class Bird(Router):
    def start(self, conf):
        self.conf = self.dir / "bird.conf"
        self.ctl = self.dir / "bird.ctl"
        self.conf.write_text(textwrap.dedent(conf))
        self.sysctl("net.ipv4.ip_forward", 1)
        self.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.daemon = self.popen(f"bird -f -c {self.conf} -s {self.ctl} -P {self.dir}/bird.pid", "bird.log")
        wait_for(self.ctl.exists, f"{self.name}: bird runs")
        return self

    def stop(self, signo=signal.SIGTERM):
        """It ends; start() may follow."""
        self.daemon.send_signal(signo)
        self.daemon.wait(10)
        self.ctl.unlink(missing_ok=True)

    def birdc(self, command):
        return self.run(["birdc", "-s", str(self.ctl), *command.split()], check=False).stdout

    def routes(self, family=4):
        """Attributes as bird prints them: BGP.local_pref, BGP.community, …"""
        found, prefix = {}, None
        for line in self.birdc(f"show route all table master{family}").splitlines():
            words = line.split()
            if not words or line.startswith(("BIRD", "Table")):
                continue
            if "unicast" in line:
                if "/" in words[0]:
                    prefix = words[0]
                found.setdefault(prefix, []).append({})
            elif prefix and words[0] == "via":
                found[prefix][-1]["nexthop"] = words[1]
            elif prefix and line.strip().startswith("BGP."):
                key, _, value = line.strip().partition(":")
                found[prefix][-1][key] = value.strip()
        return found


class GoBgp(Router):
    def start(self, conf):
        self.conf = self.dir / "gobgp.toml"
        self.conf.write_text(textwrap.dedent(conf))
        self.popen(f"gobgpd -f {self.conf} --api-hosts 127.0.0.1:50051 --pprof-disable", "gobgpd.log")
        wait_for(lambda: self.run("gobgp neighbor", check=False).returncode == 0, f"{self.name}: gobgpd runs")
        return self

    def routes(self, family=4):
        text = self.run(f"gobgp -j global rib -a ipv{family}", check=False).stdout
        try:
            shown = json.loads(text)
        except ValueError:
            return {}
        found = {}
        for prefix, paths in shown.items():
            found[prefix] = [{"nexthop": next((a.get("nexthop") for a in p["attrs"] if "nexthop" in a), None),
                              "attrs": p["attrs"]} for p in paths]
        return found


class OpenBgpd(Router):
    def start(self, conf):
        self.ctl = self.dir / "bgpd.sock"
        (self.dir / "run" / "openbgpd").mkdir(parents=True, exist_ok=True)
        path = self.dir / "bgpd.conf"
        path.write_text(f'fib-update no\nsocket "{self.ctl}"\n' + textwrap.dedent(conf))
        path.chmod(0o600)
        # It changes its root to a folder below /run, which only its service has; each `ip netns exec` has mounts of its own.
        run = f"mount --bind {self.dir}/run /run && exec bgpd -d -f {path}"
        self.daemon = self.popen(["sh", "-c", run], "bgpd.log")
        wait_for(lambda: self.bgpctl("show").returncode == 0, f"{self.name}: bgpd runs")
        return self

    def stop(self, signo=signal.SIGTERM):
        """It ends; start() may follow."""
        self.daemon.send_signal(signo)
        self.daemon.wait(10)
        self.ctl.unlink(missing_ok=True)

    def bgpctl(self, *command):
        return self.run(["bgpctl", "-s", self.ctl, *command], check=False)

    def routes(self, family=4):
        """As bgpctl prints them: aspath, localpref, communities, …"""
        shown = json.loads(self.bgpctl("-j", "show", "rib", "detail").stdout or "{}").get("rib", [])
        found = {}
        for route in shown:
            if (":" in route["prefix"]) == (family == 6):
                found.setdefault(route["prefix"], []).append({"nexthop": route["exit_nexthop"], **route})
        return found


class ExaBgp(Router):
    """It has no table of routes: what it heard is put together here, from what it tells its program."""

    def start(self, conf):
        self.heard = self.dir / "heard.json"
        self.heard.write_text("")
        ear = self.dir / "ear"
        ear.write_text(f"#!/usr/bin/python3\nimport sys\nwith open({str(self.heard)!r}, 'a', buffering=1) as f:\n"
                       "    for line in sys.stdin:\n        f.write(line)\n")
        ear.chmod(0o755)
        path = self.dir / "exabgp.conf"
        path.write_text(f"process ear {{ run {ear}; encoder json; }}\n" + textwrap.dedent(conf))
        env = {**os.environ, "exabgp.daemon.user": "root", "exabgp.tcp.bind": "10.50.0.1 fd50::1",
               "exabgp.api.cli": "false"}
        self.daemon = self.popen(["exabgp", path], "exabgp.log", env=env)
        wait_for(lambda: ":179" in self.run("ss -Htln").stdout, f"{self.name}: exabgp listens", 60)  # its start is work
        return self

    def stop(self, signo=signal.SIGTERM):
        """It ends; start() may follow."""
        self.daemon.send_signal(signo)
        self.daemon.wait(10)

    def routes(self, family=4):
        """{prefix: [{"nexthop": …, "attribute": {…}}]}; one path for each neighbour."""
        found = {}
        for line in self.heard.read_text().splitlines():
            said = json.loads(line)
            neighbor = said.get("neighbor", {})
            peer = neighbor.get("address", {}).get("peer")
            if neighbor.get("state") == "down":
                found = {key: route for key, route in found.items() if key[0] != peer}
            update = neighbor.get("message", {}).get("update", {})
            for gone in update.get("withdraw", {}).get(f"ipv{family} unicast", []):
                found.pop((peer, gone["nlri"]), None)
            for hop, prefixes in update.get("announce", {}).get(f"ipv{family} unicast", {}).items():
                for prefix in prefixes:
                    if "nlri" in prefix:
                        found[peer, prefix["nlri"]] = {"nexthop": hop, "attribute": update["attribute"]}
        paths = {}
        for (_, prefix), route in found.items():
            paths.setdefault(prefix, []).append(route)
        return paths
