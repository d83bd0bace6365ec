"""The tests of vm/, in a machine with Debian's kernel: the one that runs here may have no VLANs, bonds, VRFs and netem."""

import os
import subprocess

import pytest

from conftest import ROOT


@pytest.mark.timeout(900)
def test_in_a_machine_of_its_own():
    done = subprocess.run([ROOT / "tools" / "vm" / "run", "--steady", "--timeout", "850", "/usr/bin/python3", "-m", "pytest", "-q",
                           "--color=no", "-p", "no:cacheprovider", "tests/integration/vm"],
                          cwd=ROOT, env=os.environ, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout[-12000:] + done.stderr
