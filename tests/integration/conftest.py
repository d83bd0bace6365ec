import fcntl
import os
import pathlib
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "lab"))

from analyser import Analyser  # noqa: E402
from crierlab import Node  # noqa: E402
from netlab import Capture, Lab  # noqa: E402

# The tests of vm/ need a kernel that test_vm.py boots for them.
collect_ignore = [] if os.environ.get("CRIER_VM") else ["vm"]


def pytest_collection_modifyitems(items):
    """The longest begins first, so that nothing waits for it in the end."""
    items.sort(key=lambda item: "test_vm.py" not in item.nodeid)


# What the analyser may mark in packets that we sent: a takeover looks like a duplicate address to it, and some tests
# end a session or a machine on purpose. It takes a BGP message of more than 4096 bytes (RFC 8654) for a mistake.
ALLOWED = ("Duplicate IP address configured", "Connection reset (RST)", "Connection finish (FIN)",
           "This frame is a (suspected) retransmission", "Previous segment", "Duplicate to the ARP request",
           "Duplicate ACK", "D-SACK Sequence", "ACKed segment that wasn't captured", "Length is invalid", "TCP Zero Window segment",
           "TCP window specified by the receiver is now completely full")


def sent_by_us(lab):
    """A display filter for the frames of crier nodes."""
    macs = [m for h in lab.hosts.values() if isinstance(h, Node) for m in h.macs()]
    return " || ".join(f"eth.src == {m} || sll.src.eth == {m}" for m in macs)


def watch_switches(lab):
    """Every frame that passes a switch is captured: so the packets of every test are judged."""
    plain = lab.switch

    def switch(name):
        host = plain(name)
        # As it enters, not once more as it leaves. A flood is known by its beginning.
        lab.captures.append(Capture(host, "any", "inbound", 200000))
        return host
    lab.switch = switch


@pytest.fixture(scope="session")
def go_member():
    """The Go program, built from Debian's packages alone."""
    folder = ROOT / "build" / "integration"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "memberlist"
    environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="",
                       GOCACHE=str(folder / "gocache"))
    # Workers of one run share the folder: the second finds it built.
    with open(folder / "memberlist.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_member(program, environment)
    return program


def build_member(program, environment):
    subprocess.run(["go", "build", "-o", str(program), "main.go"], check=True, env=environment,
                   cwd=ROOT / "tests" / "integration" / "memberlist")


@pytest.fixture(scope="session")
def analyser(tmp_path_factory):
    it = Analyser(tmp_path_factory.mktemp("analyser"))
    yield it
    it.close()


@pytest.fixture
def lab(request, analyser):
    """Namespaces of one test. Leaving it also judges every capture that the test took."""
    made = Lab(ROOT / "build" / "integration", prefix=f"t{abs(hash(request.node.nodeid)) % 99999:05d}-")
    made.captures = []
    if not os.environ.get("CRIER_VM"):  # there the analyser takes longer than the test
        watch_switches(made)
    yield made
    try:
        ours = sent_by_us(made)
        for capture in made.captures:
            complaints = analyser.complaints(capture.stop(drained=False).path, ours, ALLOWED)
            assert not complaints, f"the analyser complains about what we sent: {complaints[:10]}"
    finally:
        made.close()


@pytest.fixture
def capture(lab):
    """capture(host, link): what is seen there, for tests that look at single frames."""
    def start(host, link="eth0"):
        lab.captures.append(Capture(host, link))
        return lab.captures[-1]
    return start


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what the nodes logged when a test fails."""
    outcome = yield
    report = outcome.get_result()
    lab = item.funcargs.get("lab")
    if report.failed and lab is not None:
        for host in lab.hosts.values():
            for log in sorted(host.dir.glob("*.log")):
                text = log.read_text(errors="replace")
                if text.strip():
                    report.sections.append((f"{host.name}: {log.name}", text[-6000:]))
