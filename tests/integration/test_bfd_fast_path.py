"""BFD packets that tell nothing new are noted by a program of ours inside the kernel; nothing else may differ."""

import json
import os
import signal

import pytest

from netlab import wait_for
from test_bfd_interop import V4, V6, Pair, cut

NATIVE, GENERIC = 1, 2  # as rtnetlink numbers the modes of XDP


class Noted(Pair):
    mode = "xdp"

    def configure(self, profile="", peer=""):
        super().configure(profile, peer)
        self.node.configure(self.more(self.node.config.read_text()) + f"bfd: {{fast-path: {self.mode}}}\n")

    @staticmethod
    def more(config):
        return config

    def __init__(self, lab, kind, family=V4):
        super().__init__(lab, kind, family)
        if "reason" in self.node.status()["bfd"]:
            pytest.skip(self.node.status()["bfd"]["reason"])

    def wait_noted(self, n=20):
        before = self.bfd()["packets-noted"]
        wait_for(lambda: (now := self.bfd())["packets-noted"] >= before + n and now["received-by"] == "kernel",
                 "the kernel notes packets", 20)


class NotedAbove(Noted):
    """Where the link also has to answer ARP, a veth pair's driver will not do, and the program runs above it."""

    @staticmethod
    def more(config):
        return ("l2: {fast-path: xdp}\n" + config
                .replace("pools:", "pools:\n- {name: lan, protocol: layer2, addresses: [10.50.0.200/32]}")
                .replace("services:", "services:\n- {name: near, addresses: [10.50.0.200], bind: none}"))


def program(node):
    """Which kind of XDP program the link has."""
    return json.loads(node.run("ip -j link show eth0").stdout)[0].get("xdp", {}).get("mode")


@pytest.mark.parametrize("kind", ["frr", "bird"])
@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_a_session_that_is_noted_is_like_any_other(lab, kind, family):
    pair = Noted(lab, kind, family)
    pair.wait_up()
    pair.wait_noted(40)
    shown = pair.bfd()
    assert shown["packets-in"] - shown["packets-noted"] < shown["packets-noted"]
    assert pair.node.status()["bfd"]["receives"] == {"eth0": "native"} and program(pair.node) == NATIVE
    pair.packets(20)
    cut(pair.router)  # it hears nothing any more, and says so: that is no repetition
    pair.wait_down()
    pair.router.run("nft delete table netdev cut")
    pair.wait_up()
    pair.wait_noted()
    pair.router.stop(signal.SIGKILL)  # now it only falls silent
    pair.wait_down()
    pair.run_router()
    pair.wait_up()
    pair.wait_noted()
    pair.node.kill()
    assert not program(pair.node)
    pair.node.start()
    pair.wait_up()
    pair.wait_noted()


def test_numbers_change_while_it_is_noted(lab):
    pair = NotedAbove(lab, "frr")
    pair.wait_up()
    pair.wait_noted()
    assert pair.node.status()["bfd"]["receives"] == {"eth0": "generic"} and program(pair.node) == GENERIC
    ups = pair.bfd()["up-events"]
    pair.router.vtysh("configure", "bfd", "profile fast", "transmit-interval 100", "detect-multiplier 6")
    wait_for(lambda: pair.bfd()["detect-time-ms"] == 600, "theirs are negotiated", 10)
    pair.wait_noted()
    pair.node.configure(pair.node.config.read_text().replace("transmit-interval: 50", "transmit-interval: 80"))
    pair.node.crier("reload")
    wait_for(lambda: pair.bfd()["transmit-interval-ms"] == 80, "ours are negotiated", 10)
    pair.wait_noted()
    assert pair.bfd()["up-events"] == ups
    pair.router.vtysh("configure", "bfd", "profile fast", "shutdown")
    pair.wait_down()
    wait_for(lambda: pair.bfd()["remote-state"] == "admindown", "the router says that it was a person")
    pair.router.vtysh("configure", "bfd", "profile fast", "no shutdown")
    pair.wait_up()
    pair.wait_noted()


def test_who_is_stopped_for_a_moment_loses_nothing(lab):
    pair = Noted(lab, "bird")
    pair.wait_up()
    pair.wait_noted()
    os.kill(pair.node.pid(), signal.SIGSTOP)
    wait_for(lambda: "Down" in pair.router.birdc("show bfd sessions"), "the router misses it", 10)
    os.kill(pair.node.pid(), signal.SIGCONT)
    pair.wait_up()
    pair.wait_noted()


def test_a_packet_filter_and_a_reload_are_noticed(lab):
    pair = Noted(lab, "bird")
    pair.wait_up()
    pair.wait_noted()
    pair.node.run(["nft", "add table inet cut; add chain inet cut in { type filter hook input priority 0; }; "
                   "add rule inet cut in udp dport 3784 drop"])
    pair.wait_down()
    pair.node.run("nft delete table inet cut")
    pair.wait_up()
    pair.wait_noted()
    pair.mode = "socket"
    pair.reload()
    wait_for(lambda: pair.bfd()["received-by"] == "process", "the process receives them")
    pair.packets(20)
    assert not program(pair.node) and pair.node.status()["bfd"]["receives"] == {"eth0": "socket"}
    pair.mode = "auto"  # not on a virtual link
    pair.reload()
    pair.packets(20)
    assert not program(pair.node)
