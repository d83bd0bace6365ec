"""The demonstration is kept working, with either router, and leaves nothing behind."""

import fcntl
import os
import pathlib
import subprocess

import pytest

from crierlab import crier_binary
from netlab import sh

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def alone():
    """Its namespaces have fixed names: workers take turns."""
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build" / "quickstart.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("router", ["frr", "bird"])
def test_quickstart(router, alone):
    done = subprocess.run(["python3", ROOT / "tools/lab/quickstart.py", "--router", router], capture_output=True,
                          text=True, timeout=150, env={**os.environ, "CRIER": crier_binary()})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Outages the client saw: Layer 2" in done.stdout
    assert "quick-" not in sh("ip netns list").stdout
    assert not (ROOT / "build" / "quickstart").exists()
