"""A cluster that is hurt at random, and left to heal.

Some crier nodes, a router and a client stand on one switch. A seeded sequence of blows falls on them (processes die,
freeze and come back, cables are pulled, the network falls into two, configurations change); then it is quiet, and the
network has to be, within a deadline, what `crier plan` says of the nodes that can be reached.
"""

import json
import os
import random
import signal
import time

from crierlab import Bird, Node, crier_binary
from netlab import LabError, sh, wait_for

LAN = "10.50.0.{}"
CHOSEN = [LAN.format(200 + i) for i in range(8)]      # of services that name their address
CHECKED = LAN.format(210)                              # of a service with a health check
GIVEN = [LAN.format(220 + i) for i in range(4)]       # of services that take one from a pool
ROUTED = [f"198.51.100.{i}" for i in range(6)]        # the first has a health check, too
TYPED = [f"203.0.113.{i}/32" for i in range(4)]       # announced by hand
HEALTH = "health-check: {tcp: \"127.0.0.1:8080\", interval: 500ms, timeout: 400ms, rise: 1, fall: 3}"
QUIET = 60                                             # seconds until all has to be well again
GRACE = 1.0                                            # and it has to stay so

ROUTER = """
router id 10.50.0.1;
protocol device {{}}
protocol direct {{ ipv4; }}
protocol bfd {{ interface "*" {{ min rx interval 100 ms; min tx interval 100 ms; }}; }}
{peers}
"""
ROUTER_PEER = """
protocol bgp {name} {{ local 10.50.0.1 as 64512; neighbor {address} as 64512; bfd on; hold time 3; keepalive time 1;
  connect retry time 1; error wait time 1, 1; ipv4 {{ import all; export none; }}; }}
"""

# Asks for every address of argv and prints {address: [who answered, …]}.
ASK = r"""
import json, socket, struct, sys, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
link.bind(("eth0", 0x0806))
link.settimeout(0.05)
me, source = link.getsockname()[4], socket.inet_aton("10.50.0.100")
answers = {a: [] for a in sys.argv[1:]}
for address in answers:
    who_has = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, me, source, bytes(6), socket.inet_aton(address))
    link.send(bytes([255] * 6) + me + struct.pack("!H", 0x0806) + who_has)
end = time.monotonic() + 0.3
while time.monotonic() < end:
    try:
        frame = link.recv(100)
    except TimeoutError:
        continue
    op, mac, address, to = struct.unpack("!H6s4s6s", frame[20:38])
    address = socket.inet_ntoa(address)
    if op == 2 and to == me and address in answers and mac.hex(":") not in answers[address]:
        answers[address].append(mac.hex(":"))
print(json.dumps(answers))
"""


class Sick(Exception):
    """What is not as it should be."""


class Chaos:
    def __init__(self, lab, seed, names="abcde", spared=3):
        """@spared: so many can always be reached."""
        self.rng = random.Random(seed)
        self.spared = spared
        self.began = time.monotonic()
        self.switch = lab.switch("lan")
        self.switch.run("ip link add br1 type bridge forward_delay 0 mcast_snooping 0")
        self.switch.run("ip link set br1 up")
        for rule in ("table bridge t", "set bridge t deaf {type ifname;}",
                     "chain bridge t c {type filter hook forward priority 0;}", "rule bridge t c oifname @deaf drop"):
            self.switch.run(["nft", "add", *rule.split(maxsplit=1)])
        self.client = lab.host("client", self.switch, "10.50.0.100/24")
        self.router = lab.host("router", self.switch, "10.50.0.1/24", cls=Bird)
        self.nodes = [lab.host(n, self.switch, f"{LAN.format(11 + i)}/24", cls=Node) for i, n in enumerate(names)]
        self.address = {LAN.format(11 + i): n for i, n in enumerate(names)}
        self.mac = {n.mac(): n.name for n in self.nodes}
        self.dead, self.frozen, self.unplugged, self.deaf, self.away, self.ill = (set() for _ in range(6))
        self.typed = {}                                # (node, prefix): local preference
        self.forgiven = set()                          # events that a blow is known to make, of level error
        self.write_configuration()
        self.router.start(ROUTER.format(peers="".join(
            ROUTER_PEER.format(name=f"to_{n}", address=a) for a, n in self.address.items())))
        for n in self.nodes:
            self.serve(n)
            n.start(ready=False)

    def serve(self, node):
        """What the health checks ask for."""
        node.server = node.popen("/usr/bin/python3 -m http.server --bind 127.0.0.1 8080")

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.2f}  {text}", flush=True)

    def node(self, name):
        return next(n for n in self.nodes if n.name == name)

    # --- what it should be like ---

    def running(self):
        """Nodes that would answer us."""
        return [n for n in self.nodes if n not in self.dead | self.frozen]

    def reached(self):
        """Those that client and router reach, and that reach each other."""
        return [n for n in self.running() if n not in self.unplugged | self.deaf | self.away]

    def write_configuration(self):
        """Another one, which some services come and go with."""
        rng = self.rng
        services = [f"- {{name: g{i}, address-pool: given}}" for i in range(len(GIVEN))]
        services.append(f"- {{name: checked, addresses: [{CHECKED}], {HEALTH}}}")
        for i, a in enumerate(CHOSEN):
            if rng.random() < 0.7:
                favour = f", preferred-nodes: {{{rng.choice(self.nodes).name}: 100}}" if rng.random() < 0.3 else ""
                services.append(f"- {{name: l{i}, addresses: [{a}]{favour}}}")
        for i, a in enumerate(ROUTED):
            if rng.random() < 0.7:
                services.append(f"- {{name: r{i}, addresses: [{a}]{'' if i else ', ' + HEALTH}}}")
        rng.shuffle(services)
        self.text = "\n".join([
            f"cluster: {{join: [{', '.join(self.address)}]}}",
            "bfd-profiles: [{name: fast, receive-interval: 100, transmit-interval: 100, detect-multiplier: 3}]",
            "peers: [{name: router, peer-address: 10.50.0.1, peer-asn: 64512, my-asn: 64512, hold-time: 3s,"
            " bfd-profile: fast}]",
            "address-pools:",
            f"- {{name: chosen, protocol: layer2, addresses: [{CHOSEN[0]}-{CHECKED}]}}",
            f"- {{name: given, protocol: layer2, addresses: [{GIVEN[0]}-{GIVEN[-1]}]}}",
            "- name: routed", "  protocol: bgp", f"  addresses: [{ROUTED[0]}-{ROUTED[-1]}]",
            f"  bgp-advertisements: [{{localpref: {rng.randint(1, 500)}}}]",
            "services:", *services, ""])
        for n in self.nodes:
            n.configure(self.text)

    def plan(self):
        names = ",".join(n.name for n in self.reached())
        done = sh([crier_binary(), "plan", "-f", str(self.nodes[0].config), "--nodes", names, "-o", "json"])
        return json.loads(done.stdout)["announcements"]

    # --- what it is like ---

    def check_members(self):
        """Whoever is cut off takes its time to notice: it has nobody who could confirm what it suspects."""
        want = {n.name for n in self.reached()}
        for n in self.reached():
            seen = {m["name"] for m in n.get("members")}
            if seen != want:
                raise Sick(f"{n.name} sees {sorted(seen)}, not {sorted(want)}")

    def check_layer2(self, plan):
        want = {a["address"]: a["node"] for a in plan if a["mode"] == "layer2" and a["address"] in CHOSEN}
        heard = json.loads(self.client.run(["/usr/bin/python3", "-c", ASK, *CHOSEN, CHECKED, *GIVEN]).stdout)
        for address, macs in heard.items():
            who = [self.mac.get(m, m) for m in macs]
            if address in CHOSEN and who != ([want[address]] if address in want else []):
                raise Sick(f"{address}: answered by {who}, not by {want.get(address, 'nobody')}")
            may = {n.name for n in self.reached() if address in GIVEN or n not in self.ill}
            if address not in CHOSEN and (len(who) != 1 or who[0] not in may if may else who):
                raise Sick(f"{address}: answered by {who}, not by one of {sorted(may)}")
        for n in self.reached():
            bound = {i["local"] for link in json.loads(n.run("ip -j addr show eth0").stdout)
                     for i in link["addr_info"]} & set(CHOSEN)
            owned = {a for a, node in want.items() if node == n.name}
            if bound != owned:
                raise Sick(f"{n.name} has {sorted(bound)} on its link, not {sorted(owned)}")

    def check_given(self):
        """All have given the same addresses to the same services."""
        views = {}
        for n in self.reached():
            views[n.name] = {s["name"]: s["addresses"] for s in n.get("services") if s["name"].startswith("g")}
        for name, view in views.items():
            if sum(view.values(), []) and sorted(sum(view.values(), [])) != GIVEN:
                raise Sick(f"{name} has given {view}")
            if view != next(iter(views.values())):
                raise Sick(f"given addresses differ: {views}")

    def check_routes(self, plan):
        want = {}
        ill = {n.name for n in self.ill}
        for a in plan:
            if a["mode"] == "bgp" and not (a["address"] == ROUTED[0] and a["node"] in ill):
                want.setdefault(a["prefix"], set()).add((a["node"], a["local-pref"]))
        for (n, prefix), preference in self.typed.items():
            if n in self.reached():
                want.setdefault(prefix, set()).add((n.name, preference))
        seen = {p: {(self.address[r["nexthop"]], int(r["BGP.local_pref"])) for r in paths}
                for p, paths in self.router.routes().items() if not p.startswith("10.50.")}
        if seen != want:
            raise Sick(f"the router has {seen}, not {want}")

    def check_processes(self):
        for n in self.nodes:
            if n not in self.dead and n.daemon.poll() is not None:
                raise LabError(f"{n.name} has ended with {n.daemon.returncode}")
            for line in n.log.read_text(errors="replace").splitlines():
                if "Sanitizer" in line or "runtime error" in line or "Assertion" in line:
                    raise LabError(f"{n.name}: {line}")
                if line.startswith("{") and json.loads(line)["level"] == "error" and \
                        json.loads(line)["event"] not in self.forgiven:
                    raise LabError(f"{n.name}: {line}")

    def sickness(self):
        """What is wrong, or None."""
        try:
            self.check_members()
            plan = self.plan()
            self.check_layer2(plan)
            self.check_given()
            self.check_routes(plan)
        except (Sick, LabError) as e:
            return str(e)
        return None

    def settle(self):
        """All gets well, and stays well for a moment."""
        start, well, last = time.monotonic(), None, None
        while True:
            self.check_processes()
            wrong = self.sickness()
            now = time.monotonic()
            if wrong:
                well, last = None, wrong
            elif not well:
                well = now
            if well and now - well >= GRACE:
                self.say(f"well after {well - start:.1f} s" + (f", when this had passed: {last}" if last else ""))
                return
            if wrong and now - start > QUIET:
                raise LabError(f"after {QUIET} s of quiet: {wrong}")
            time.sleep(0.2)

    # --- blows; each says what it did, or None when it can't be done now ---

    def pick(self, among):
        return self.rng.choice(sorted(among, key=lambda n: n.name)) if among else None

    def victim(self):
        """Somebody who can be reached, where enough others can."""
        among = self.reached()
        return self.pick(among) if len(among) > self.spared else None

    def forget(self, node):
        """What was typed ends with the daemon."""
        self.typed = {key: value for key, value in self.typed.items() if key[0] is not node}

    def blow_kill(self):
        n = self.pick(self.frozen) or self.victim()
        if n:
            n.kill()
            self.forget(n)
            self.dead.add(n)
            self.frozen.discard(n)
        return n and f"kill {n.name}"

    def blow_stop(self):
        n = self.victim()
        if not n:
            return None
        code = n.stop(10)
        if code != 0:
            raise LabError(f"{n.name} left with {code}:\n{n.log.read_text()[-3000:]}")
        self.forget(n)
        self.dead.add(n)
        return f"stop {n.name}"

    def blow_start(self):
        n = self.pick(self.dead)
        if n:
            n.start(ready=False)
            self.dead.discard(n)
        return n and f"start {n.name}"

    def blow_restart(self):
        n = self.victim()
        if n:
            n.kill()
            self.forget(n)
            n.start(ready=False)
        return n and f"kill and start {n.name}"

    def blow_freeze(self):
        n = self.victim()
        if n:
            n.daemon.send_signal(signal.SIGSTOP)
            self.frozen.add(n)
        return n and f"freeze {n.name}"

    def blow_thaw(self):
        n = self.pick(self.frozen)
        if n:
            n.daemon.send_signal(signal.SIGCONT)
            self.frozen.discard(n)
        return n and f"thaw {n.name}"

    def port(self, node):
        return f"p-{node.name}"

    def blow_unplug(self):
        n = self.victim()
        if n:
            self.switch.run(f"ip link set {self.port(n)} down")
            self.unplugged.add(n)
        return n and f"unplug {n.name}"

    def blow_plug(self):
        n = self.pick(self.unplugged)
        if n:
            self.switch.run(f"ip link set {self.port(n)} up")
            self.unplugged.discard(n)
        return n and f"plug {n.name}"

    def blow_deafen(self):
        """It is heard, and hears nothing."""
        n = self.victim()
        if n:
            self.switch.run(["nft", f"add element bridge t deaf {{ {self.port(n)} }}"])
            self.deaf.add(n)
        return n and f"deafen {n.name}"

    def blow_undeafen(self):
        n = self.pick(self.deaf)
        if n:
            self.switch.run(["nft", f"delete element bridge t deaf {{ {self.port(n)} }}"])
            self.deaf.discard(n)
        return n and f"{n.name} hears again"

    def blow_part(self):
        """The network falls into two; client and router stay with those that are not away."""
        among = self.reached()
        if self.away or len(among) <= self.spared:
            return None
        far = self.rng.sample(among, self.rng.randint(1, len(among) - self.spared))
        for n in far:
            self.switch.run(f"ip link set {self.port(n)} master br1")
        self.away = set(far)
        return f"part: {''.join(sorted(n.name for n in far))} are away"

    def blow_join(self):
        for n in self.away:
            self.switch.run(f"ip link set {self.port(n)} master br0")
        was, self.away = self.away, set()
        return "join" if was else None

    def blow_reload(self):
        self.write_configuration()
        order = [n for n in self.nodes if n not in self.dead]
        self.rng.shuffle(order)
        for n in order:
            if n not in self.frozen:
                wait_for(n.is_up, f"{n.name} has started")
            n.daemon.send_signal(signal.SIGHUP)
        return "reload"

    def blow_mistake(self):
        """A file that is no good: everything stays as it is."""
        n = self.victim()
        if not n:
            return None
        wait_for(n.is_up, f"{n.name} has started")
        before = len(n.events("configStale"))
        self.forgiven |= {"configError", "configStale"}
        n.configure(self.text.replace("protocol: layer2", "protocol: layer3"))
        n.daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: len(n.events("configStale")) > before, f"{n.name} refuses the mistake")
        n.configure(self.text)
        n.daemon.send_signal(signal.SIGHUP)
        return f"mistake at {n.name}"

    def blow_sicken(self):
        """The server behind the checked services ends."""
        n = self.pick([n for n in self.nodes if n not in self.ill])
        if n:
            n.server.kill()
            n.server.wait()
            self.ill.add(n)
        return n and f"sicken {n.name}"

    def blow_cure(self):
        n = self.pick(self.ill)
        if n:
            self.serve(n)
            self.ill.discard(n)
        return n and f"cure {n.name}"

    def blow_announce(self):
        n, prefix, preference = self.pick(self.reached()), self.rng.choice(TYPED), self.rng.randint(1, 500)
        wait_for(n.is_up, f"{n.name} has started")
        n.crier("announce", prefix, "--local-pref", str(preference))
        self.typed[n, prefix] = preference
        return f"announce {prefix} from {n.name}"

    def blow_withdraw(self):
        typed = sorted((n.name, prefix) for n, prefix in self.typed if n in self.reached())
        if not typed:
            return None
        name, prefix = self.rng.choice(typed)
        self.node(name).crier("withdraw", prefix)
        del self.typed[self.node(name), prefix]
        return f"withdraw {prefix} from {name}"

    def blow_router(self):
        self.router.birdc("restart all")
        return "restart the router's sessions"

    BLOWS = {"kill": 3, "stop": 2, "start": 5, "restart": 2, "freeze": 2, "thaw": 4, "unplug": 2, "plug": 4,
             "deafen": 1, "undeafen": 2, "part": 2, "join": 4, "reload": 4, "mistake": 1, "router": 1, "sicken": 2,
             "cure": 2, "announce": 2, "withdraw": 1}

    def blow(self):
        done = None
        while not done:
            done = getattr(self, "blow_" + self.rng.choices(list(self.BLOWS), self.BLOWS.values())[0])()
        self.say(done)

    def rage(self):
        for _ in range(self.rng.randint(2, 6)):
            self.blow()
            time.sleep(self.rng.choice([0, 0, 0.1, 0.5, 2]))

    def heal(self):
        """Everybody back."""
        for again in (self.blow_start, self.blow_thaw, self.blow_plug, self.blow_undeafen, self.blow_join,
                      self.blow_cure):
            for text in iter(again, None):
                self.say(text)

    def run(self, seconds):
        self.settle()
        while time.monotonic() < self.began + seconds:
            self.rage()
            self.settle()
        self.heal()
        self.settle()
        for n in self.nodes:
            code = n.stop(10)
            self.dead.add(n)
            if code != 0:
                raise LabError(f"{n.name} left with {code}:\n{n.log.read_text()[-3000:]}")
        self.check_processes()
