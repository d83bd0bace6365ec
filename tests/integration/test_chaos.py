"""Random damage. TEST_SEED repeats a run, CRIER_CHAOS_SECONDS makes it longer."""

import os
import random

import pytest

from chaos import Chaos
from conftest import ROOT
from netlab import Lab

SECONDS = int(os.environ.get("CRIER_CHAOS_SECONDS", 20))


@pytest.fixture
def lab():
    """Without captures: what is sent into broken networks is repeated, lost and out of order as a matter of course."""
    made = Lab(ROOT / "build" / "integration")
    yield made
    made.close()


@pytest.mark.timeout(SECONDS + 200)
def test_whatever_happens_it_ends_well(lab):
    seed = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    Chaos(lab, seed, spared=3 if SECONDS < 60 else 1).run(SECONDS)
