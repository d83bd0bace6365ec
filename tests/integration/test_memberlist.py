"""Our gossip and HashiCorp's memberlist in one cluster: they see each other join, change, speak, leave and die."""

import signal
import time

import pytest

from conftest import ROOT
from netlab import wait_for

KEYS = {"plain": None, "aes128": "000102030405060708090a0b0c0d0e0f", "aes256": "5a" * 32}
NODE = ROOT / "build" / "debug" / "tests" / "gossip_node"


class Member:
    """One process, ours or Go's: they take the same arguments and print the same lines."""

    def __init__(self, host, program, address, join=(), key=None, meta=None, label=None):
        self.name, self.log, self.address = host.name, host.dir / "member.log", address
        command = [program, "--name", host.name, "--bind", address]
        for option, value in (("--join", ",".join(join)), ("--key", key), ("--meta", meta), ("--label", label)):
            if value:
                command += [option, value]
        self.process = host.popen(command, log="member.log")
        wait_for(lambda: "ready\n" in self.text(), f"{self.name} is ready")

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def lines(self, start):
        return [line for line in self.text().splitlines() if line.startswith(start)]

    def wait(self, start, timeout=20, times=1):
        wait_for(lambda: len(self.lines(start)) >= times, f"{self.name} prints '{start}' {times} times", timeout)

    def signal(self, which):
        # `ip netns exec` becomes the program, so this is its process.
        self.process.send_signal(which)


def trio(lab, go_member, addresses, key=None, **kw):
    """Ours, Go's, ours and Go's; each joins through the one before it, so both kinds dial and are dialled."""
    switch = lab.switch("sw")
    programs = (NODE, go_member, NODE, go_member)
    members = []
    for i, address in enumerate(addresses):
        program = programs[i]
        host = lab.host(f"{'go' if program == go_member else 'us'}{i}", switch, address)
        bare = address.split("/")[0]
        members.append(Member(host, program, bare, join=[join_form(members[-1].address)] if members else (), key=key,
                              meta=f"meta-of-{host.name}", **kw))
    for m in members:
        for other in members:
            if other is not m:
                at = f"[{other.address}]" if ":" in other.address and m.name.startswith("us") else other.address
                m.wait(f"join {other.name} {at}:7946 meta-of-{other.name}")
    return members


def join_form(address):
    return f"[{address}]" if ":" in address else address


V4 = ("10.77.0.1/24", "10.77.0.2/24", "10.77.0.3/24", "10.77.0.4/24")
V6 = ("fd77::1/64", "fd77::2/64", "fd77::3/64")


@pytest.mark.parametrize("key", KEYS)
def test_life_together(lab, go_member, key):
    members = trio(lab, go_member, V4, KEYS[key])
    us, go, us2, go2 = members

    for m in members:
        m.wait("state state-of-")
    for speaker, hearers in ((us, (go, us2, go2)), (go, (us, us2, go2))):
        speaker.signal(signal.SIGUSR1)
        wait_for(lambda: any(m.lines(f"message hello-from-{speaker.name}") for m in hearers),
                 f"somebody hears {speaker.name}")
        speaker.signal(signal.SIGUSR2)
        for m in hearers:
            at = f"{speaker.address}:7946"
            m.wait(f"update {speaker.name} {at} changed-by-{speaker.name}")

    go2.signal(signal.SIGTERM)
    us2.signal(signal.SIGTERM)
    for gone in (go2, us2):
        for m in (us, go):
            m.wait(f"leave {gone.name}", timeout=5)
    assert us2.process.wait(timeout=5) == 0
    assert not us.lines(f"leave {go.name}") and not go.lines(f"leave {us.name}")


@pytest.mark.parametrize("victim", [0, 1])
def test_a_crash_is_noticed(lab, go_member, victim):
    members = trio(lab, go_member, V4[:3])
    members[victim].signal(signal.SIGKILL)
    began = time.monotonic()
    for i, m in enumerate(members):
        if i != victim:
            m.wait(f"leave {members[victim].name}", timeout=15)
    assert 3 < time.monotonic() - began < 12


@pytest.mark.parametrize("victim", [0, 1])
def test_a_pause_is_refuted(lab, go_member, victim):
    members = trio(lab, go_member, V4[:3])
    members[victim].signal(signal.SIGSTOP)
    time.sleep(3.2)
    members[victim].signal(signal.SIGCONT)
    time.sleep(6)
    for i, m in enumerate(members):
        if i != victim:
            assert not m.lines(f"leave {members[victim].name}")


def test_a_crashed_member_comes_back(lab, go_member):
    us, go, _ = trio(lab, go_member, V4[:3])
    us.signal(signal.SIGKILL)
    go.wait(f"leave {us.name}", timeout=15)
    us = Member(lab.hosts["us0"], NODE, us.address, join=[go.address])
    us.wait(f"join {go.name}", times=2)
    go.wait(f"join {us.name}", times=2)


def test_ipv6(lab, go_member):
    trio(lab, go_member, V6, KEYS["aes256"])


def test_another_key_stays_outside(lab, go_member):
    switch = lab.switch("sw")
    us = Member(lab.host("us0", switch, V4[0]), NODE, "10.77.0.1", key=KEYS["aes128"])
    stranger = Member(lab.host("go1", switch, V4[1]), go_member, "10.77.0.2", join=["10.77.0.1"], key=KEYS["aes256"])
    plain = Member(lab.host("go2", switch, V4[2]), go_member, "10.77.0.3", join=["10.77.0.1"])
    assert stranger.lines("failed") and plain.lines("failed")
    us.signal(signal.SIGTERM)
    us.process.wait(timeout=5)
    text = us.text()
    assert "crier_cluster_dropped_crypt_total" in text and "crier_cluster_dropped_plain_total 1" in text
    assert not us.lines("join") and not stranger.lines("join") and not plain.lines("join")


def test_a_label_keeps_clusters_apart(lab, go_member):
    """Debian's memberlist knows no labels: it must not get in; two of ours with the same label are together."""
    switch = lab.switch("sw")
    a = Member(lab.host("us0", switch, V4[0]), NODE, "10.77.0.1", label="l2")
    b = Member(lab.host("us1", switch, V4[1]), NODE, "10.77.0.2", join=["10.77.0.1"], label="l2", key=None)
    outside = Member(lab.host("go2", switch, V4[2]), go_member, "10.77.0.3", join=["10.77.0.1"])
    a.wait("join us1")
    b.wait("join us0")
    assert outside.lines("failed") and not a.lines("join go2")


def test_bound_to_all_addresses(lab, go_member):
    """The address told to others is the one on the way to the first join address."""
    switch = lab.switch("sw")
    go = Member(lab.host("go0", switch, V4[0]), go_member, "10.77.0.1")
    host = lab.host("us1", switch, "192.0.2.1/24", V4[1])
    Member(host, NODE, "0.0.0.0", join=["10.77.0.1"])
    go.wait("join us1 10.77.0.2:7946")


def test_busy_port_is_named(lab):
    host = lab.host("us0")
    Member(host, NODE, "127.0.0.1")
    second = host.run([NODE, "--name", "second", "--bind", "127.0.0.1"], check=False)
    assert second.returncode == 1
    assert "cluster: UDP port 7946 of 127.0.0.1: Address already in use" in second.stderr


def test_starting_order_does_not_matter(lab, go_member):
    switch = lab.switch("sw")
    us = Member(lab.host("us0", switch, V4[0]), NODE, "10.77.0.1", join=["10.77.0.2"])
    time.sleep(2.5)
    go = Member(lab.host("go1", switch, V4[1]), go_member, "10.77.0.2")
    us.wait("join go1", timeout=8)
    go.wait("join us0", timeout=8)
